"""Demonstrations, rollouts and training see the same tokens."""

import pytest

from doer.agents.context import request
from doer.models.local.pointer.policy import PointerPolicy
from doer.records.event import Decided
from doer.worlds.build import oracle
from doer.worlds.miniwob.world import MiniWob
from doer.worlds.rollout import Runner


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_a_recorded_rollout_encodes_to_the_tokens_it_was_sampled_with():
    world = MiniWob(pages=2)
    policy = PointerPolicy.fresh(["Select the option and click Submit"], seed=0)
    tasks = [world.task(name, seed) for name in ("choose-list", "click-option") for seed in (1, 2)]
    try:
        done = await Runner(taskset=world, model=policy.model, concurrency=2).run(tasks)
        solved = await Runner(taskset=world, model=oracle(world, "click-option")).run(tasks[2:])
    finally:
        await world.close()
    compared = 0
    for rollout in done:
        for place, event in enumerate(rollout.events):
            if isinstance(event.data, Decided):
                said = event.data.completion
                again = policy.demonstration(request(rollout.events[:place]), said)
                assert said.segment is not None
                assert again.token_ids == said.segment.token_ids
                assert again.mask == said.segment.mask
                compared += 1
    assert compared >= len(tasks)
    for rollout in solved:  # what the oracle does, the policy could have done
        for place, event in enumerate(rollout.events):
            if isinstance(event.data, Decided):
                asked = request(rollout.events[:place])
                assert sum(policy.demonstration(asked, event.data.completion).mask)
