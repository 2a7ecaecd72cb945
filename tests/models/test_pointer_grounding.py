"""The policy learns to point and to copy from a few dozen demonstrations, and does so on pages and
words it never saw."""

import asyncio

import pytest
import torch
from toy_pages import row, toy

from doer.models.local.pointer.learner import PointerLearner
from doer.models.local.pointer.model import PointerModel
from doer.models.local.pointer.sampler import PointerSampler
from doer.models.local.pointer.vocabulary import Vocabulary
from doer.models.local.weights import Scores
from doer.records.completion import Sampling

STEPS = 30


def imitation(scores: Scores, old_R_T: torch.Tensor, advantage_R: torch.Tensor) -> torch.Tensor:
    return -(scores.logp_R_T * scores.mask_R_T).sum()


@pytest.mark.slow
async def test_forty_demonstrations_teach_to_point_and_to_copy() -> None:
    vocabulary = Vocabulary()
    learner = PointerLearner(vocabulary)
    sampler = PointerSampler(learner.config, vocabulary, learner.weights)
    model = PointerModel(sampler, vocabulary)
    held_out = [toy(seed, Sampling(temperature=0.0)) for seed in range(1000, 1100)]

    async def success() -> float:
        answers = await asyncio.gather(*(model.respond(request) for request, _ in held_out))
        right = [a.actions == (best,) for a, (_, best) in zip(answers, held_out, strict=True)]
        return sum(right) / len(right)

    before = await success()
    rows = [row(*toy(seed), vocabulary) for seed in range(40)]
    tokens = sum(sum(one.segment.mask) for one in rows)
    for step in range(STEPS):
        learner.step(rows, imitation, tokens, 1.5e-3 * min(1, (step + 1) / 50))
    sampler.load(learner.version)
    assert before < 0.3
    assert await success() >= 0.85
