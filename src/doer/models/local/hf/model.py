"""A Hugging Face model as a Model: requests in, words and calls of tools out."""

import msgspec

from doer.models.local.hf.sampler import HFSampler
from doer.models.local.hf.template import ChatTemplate
from doer.models.model import Model
from doer.records.completion import Completion, Request, Usage


class HFModel(Model):
    """Answers with at most `longest` tokens."""

    def __init__(self, name: str, sampler: HFSampler, template: ChatTemplate, longest: int) -> None:
        self._name = name
        self._sampler = sampler
        self._template = template
        self._longest = longest

    @property
    def name(self) -> str:
        return self._name

    async def respond(self, request: Request) -> Completion:
        prompt = self._template.prompt(request)
        limit = min(self._longest, request.sampling.max_tokens)
        sampling = msgspec.structs.replace(request.sampling, max_tokens=limit)
        (segment,) = await self._sampler.sample((prompt,), sampling)
        self._template.remember(request, segment)
        written = segment.token_ids[len(prompt) :]
        text, actions = self._template.read(written, request.tools)
        return Completion(
            text=text,
            actions=actions,
            usage=Usage(input_tokens=len(prompt), output_tokens=len(written)),
            segment=segment,
            model=self.name,
        )
