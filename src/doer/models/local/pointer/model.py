"""The pointer policy as a Model: requests in, one action out."""

from doer.models.local.pointer.encoding import decode, encode
from doer.models.local.pointer.renaming import Renamer, renamed
from doer.models.local.pointer.sampler import PointerSampler
from doer.models.local.pointer.vocabulary import Vocabulary
from doer.records.action import Action
from doer.records.completion import Completion, Request, Sampling, Segment, Usage

_REDRAWN = 4  # times at most


class PointerModel:
    """Answers every request with exactly one action, so it never ends a turn by itself unless a
    tool `done` is offered. Asked for the likeliest action, a wide policy does not repeat one that
    has changed nothing: it draws another."""

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
        segment = await self._drawn(prefix, request.sampling)
        action = self._meant(segment, prefix, swap, request)
        if self._vocabulary.wide and request.sampling.temperature == 0 and action == _vain(request):
            for seed in range(_REDRAWN):
                segment = await self._drawn(prefix, Sampling(temperature=1.0, seed=seed))
                action = self._meant(segment, prefix, swap, request)
                if action != _vain(request):
                    break
        return Completion(
            actions=(action,),
            usage=Usage(
                input_tokens=len(prefix), output_tokens=len(segment.token_ids) - len(prefix)
            ),
            segment=segment,
            model=self.name,
        )

    async def _drawn(self, prefix: tuple[int, ...], sampling: Sampling) -> Segment:
        (segment,) = await self._sampler.sample((prefix,), sampling)
        return segment

    def _meant(
        self, segment: Segment, prefix: tuple[int, ...], swap: dict[int, int], request: Request
    ) -> Action:
        """The action of a segment, out of its disguise."""
        return decode(renamed(segment.token_ids[len(prefix) :], swap), request, self._vocabulary)


def _vain(request: Request) -> Action | None:
    """The last action, if what was seen after it is what was seen before."""
    views = [said.elements for said in request.messages if said.elements]
    acted = [said.actions[-1] for said in request.messages if said.actions]
    if not acted or len(views) < 2 or views[-1] != views[-2]:
        return None
    return Action(tool=acted[-1].tool, arguments=acted[-1].arguments)
