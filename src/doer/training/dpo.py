"""Direct preference optimisation (Rafailov et al., arXiv 2305.18290), flat: pairs in, weights out.

The gradient of its loss is that of imitating the chosen answers and unlearning the rejected ones,
both weighted by how wrong the policy still is about the pair. So a step is a weighted imitation
step, and asks nothing more of a learner. The reference is the policy as it was at the start.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from doer.models.local.weights import Learner, Row
from doer.records.completion import Segment
from doer.records.trajectory import Trajectory
from doer.training.dealing import deal
from doer.training.losses import imitation, preference
from doer.training.recipe import DPO


@dataclass(frozen=True)
class Pair:
    """The decisions of two answers to one task, the better one first."""

    chosen: tuple[Segment, ...]
    rejected: tuple[Segment, ...]


def compared(rollouts: Sequence[Trajectory]) -> list[Pair]:
    """Pairs of graded rollouts of one task: the best with the worst, the next with the next, as
    long as the scores differ."""
    by_task: dict[str, list[Trajectory]] = {}
    for rollout in rollouts:
        if rollout.scored and rollout.segments:
            by_task.setdefault(rollout.task.id, []).append(rollout)
    pairs: list[Pair] = []
    for repeats in by_task.values():
        ranked = sorted(repeats, key=_score)
        for worse, better in zip(ranked, reversed(ranked), strict=True):
            if _score(better) > _score(worse):
                pairs.append(Pair(better.segments, worse.segments))
    return pairs


async def prefer(
    learner: Learner,
    pairs: Sequence[Pair],
    config: DPO,
    seed: int,
    check: Callable[[int, float], Awaitable[None]],
) -> None:
    """Fit the policy to `pairs`. `check(step, loss)` is awaited every `check_every` steps: it
    validates, and keeps the weights that did best."""
    reference = margins(learner, pairs)
    batches = deal(len(pairs), config.batch, seed)
    for step, batch in enumerate(islice(batches, config.steps)):
        now = margins(learner, [pairs[at] for at in batch])
        rows: list[Row] = []
        losses: list[float] = []
        for at, margin in zip(batch, now, strict=True):
            loss, weight = preference(margin - reference[at], config.beta)
            losses.append(loss)
            rows += [Row(segment, weight) for segment in pairs[at].chosen]
            rows += [Row(segment, -weight) for segment in pairs[at].rejected]
        rate = config.learning_rate * min(1.0, (step + 1) / config.warmup)
        learner.step(rows, imitation, normaliser=len(batch), lr=rate)
        if (step + 1) % config.check_every == 0:
            await check(step + 1, sum(losses) / len(losses))


def margins(learner: Learner, pairs: Sequence[Pair]) -> list[float]:
    """log p(chosen) - log p(rejected) of each pair, in nats, under the weights of now."""
    rows = [Row(segment) for pair in pairs for segment in (*pair.chosen, *pair.rejected)]
    sums = iter([sum(logps) for logps in learner.log_probs(rows)])
    return [
        sum(next(sums) for _ in pair.chosen) - sum(next(sums) for _ in pair.rejected)
        for pair in pairs
    ]


def _score(rollout: Trajectory) -> float:
    return rollout.grade.score if rollout.grade else 0.0
