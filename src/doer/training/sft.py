"""Supervised fine-tuning, flat: demonstrations in, weights out, the best on validation kept."""

from collections.abc import Awaitable, Callable, Sequence
from itertools import islice

from doer.agents.context import request
from doer.models.local.policy import Policy
from doer.models.local.weights import Learner, Row
from doer.records.completion import Segment
from doer.records.event import Decided
from doer.records.trajectory import Trajectory
from doer.training.dealing import deal
from doer.training.losses import imitation
from doer.training.recipe import SFT

LAST_RATE = 0.1  # share of the learning rate left at the last step


def demonstrated(policy: Policy, demonstrations: Sequence[Trajectory]) -> list[Segment]:
    """The decisions of recorded sessions as token rows, encoded exactly as the policy would see
    them: through the same `request` that it is asked with."""
    return [
        policy.demonstration(request(trajectory.events[:place]), event.data.completion)
        for trajectory in demonstrations
        for place, event in enumerate(trajectory.events)
        if isinstance(event.data, Decided)
        and (event.data.completion.actions or (policy.words and event.data.completion.text))
    ]


async def imitate(
    learner: Learner,
    segments: Sequence[Segment],
    config: SFT,
    seed: int,
    check: Callable[[int, float], Awaitable[None]],
) -> None:
    """Fit the policy to `segments`. `check(step, loss)` is awaited every `check_every` steps: it
    validates, and keeps the weights that did best."""
    batches = deal(len(segments), config.batch, seed)
    for step, batch in enumerate(islice(batches, config.steps)):
        rows = [Row(segments[at]) for at in batch]
        tokens = sum(sum(row.segment.mask) for row in rows)
        warm = min(1.0, (step + 1) / config.warmup)
        rate = config.learning_rate * warm * max(LAST_RATE, 1 - step / config.steps)
        report = learner.step(rows, imitation, normaliser=tokens, lr=rate)
        if (step + 1) % config.check_every == 0:
            await check(step + 1, report.loss)
