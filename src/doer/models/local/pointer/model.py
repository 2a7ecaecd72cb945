"""The pointer policy as a Model: requests in, one action out."""

from doer.models.local.pointer.encoding import decode, encode
from doer.models.local.pointer.renaming import Renamer, renamed
from doer.models.local.pointer.sampler import PointerSampler
from doer.models.local.pointer.vocabulary import Vocabulary
from doer.records.completion import Completion, Request, Usage


class PointerModel:
    """Answers every request with exactly one action, so it never ends a turn by itself unless a
    tool `done` is offered."""

    def __init__(
        self, sampler: PointerSampler, vocabulary: Vocabulary, renamer: Renamer | None = None
    ) -> None:
        """With a `renamer` some requests that carry a seed are answered in a disguise: the tokens
        are those of the disguise, the action is the one that is meant."""
        self._sampler = sampler
        self._vocabulary = vocabulary
        self._renamer = renamer

    @property
    def name(self) -> str:
        return "pointer"

    async def respond(self, request: Request) -> Completion:
        prefix = encode(request, self._vocabulary)
        seed = request.sampling.seed
        swap = self._renamer.swap(prefix, seed) if self._renamer and seed is not None else {}
        prefix = renamed(prefix, swap)
        (segment,) = await self._sampler.sample((prefix,), request.sampling)
        action = renamed(segment.token_ids[len(prefix) :], swap)
        return Completion(
            actions=(decode(action, request, self._vocabulary),),
            usage=Usage(input_tokens=len(prefix), output_tokens=len(action)),
            segment=segment,
            model=self.name,
        )
