"""Preference fine-tuning: pairs from a file or from graded rollouts, and what they teach."""

import json
import math
from pathlib import Path

import pytest
import torch
from pointing import TEXTS, collect, request, right, share, task

from doer.errors import ConfigError
from doer.models.local.pointer.policy import PointerPolicy
from doer.models.local.weights import Row
from doer.records.action import Action
from doer.records.completion import Completion, Segment
from doer.records.task import Grade, Task
from doer.records.trajectory import Trajectory
from doer.training.dpo import Pair, compared, margins, prefer
from doer.training.losses import imitation, preference
from doer.training.preferences import read_pairs
from doer.training.recipe import DPO

POOL = [task(seed) for seed in range(30)]


def test_the_loss_of_a_pair_by_hand() -> None:
    loss, weight = preference(gap=0.0, beta=0.1)
    assert loss == pytest.approx(math.log(2))
    assert weight == pytest.approx(0.05)  # beta / 2
    loss, weight = preference(gap=10.0, beta=0.1)
    assert loss == pytest.approx(0.313262, abs=1e-6)  # -log sigmoid(1)
    assert weight == pytest.approx(0.1 * 0.268941, abs=1e-6)
    assert preference(gap=-1e6, beta=1.0) == pytest.approx((1e6, 1.0))
    assert preference(gap=1e6, beta=1.0) == pytest.approx((0.0, 0.0))


def demonstration(policy: PointerPolicy, of: Task, ref: int) -> Segment:
    action = Action(tool="click", arguments={"ref": ref})
    return policy.demonstration(request(of), Completion(actions=(action,)))


def test_a_step_goes_down_the_gradient_of_the_papers_loss() -> None:
    """Beside autograd over log-probabilities of the pair as the paper writes it."""
    for gap in (-3.0, 0.0, 2.0):
        better = torch.tensor(gap, requires_grad=True)
        worse = torch.tensor(0.0, requires_grad=True)
        loss = -torch.nn.functional.logsigmoid(0.1 * (better - worse))
        loss.backward()
        value, weight = preference(gap, 0.1)
        assert value == pytest.approx(loss.item(), abs=1e-6)
        assert better.grad is not None
        assert worse.grad is not None
        assert (better.grad.item(), worse.grad.item()) == pytest.approx((-weight, weight))


async def test_pairs_make_the_better_answer_likelier_than_the_worse() -> None:
    policy = PointerPolicy.fresh(TEXTS, seed=0)
    pairs: list[Pair] = []
    for one in POOL[:6]:
        good = right(one).arguments["ref"]
        pairs.append(
            Pair(
                (demonstration(policy, one, good),),
                (demonstration(policy, one, (good + 1) % 4),),
            )
        )
    before = margins(policy.learner, pairs)
    checked: list[tuple[int, float]] = []

    async def check(step: int, loss: float) -> None:
        checked.append((step, loss))

    config = DPO(steps=20, check_every=10, learning_rate=1e-3, batch=4, warmup=2)
    await prefer(policy.learner, pairs, config, 0, check)
    assert [step for step, _ in checked] == [10, 20]
    assert checked[1][1] < checked[0][1] < math.log(2)
    gained = [b - a for a, b in zip(before, margins(policy.learner, pairs), strict=True)]
    assert min(gained) > 0


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_graded_rollouts_of_its_own_teach_a_policy() -> None:
    policy = PointerPolicy.fresh(TEXTS, seed=1)
    rows = [Row(demonstration(policy, t, right(t).arguments["ref"])) for t in POOL[:3]]
    policy.learner.step(rows, imitation, normaliser=6.0, lr=5e-4)
    policy.refresh()
    before = await collect(policy, [t for t in POOL for _ in range(8)], seed=5)
    pairs = compared(before)
    assert len(pairs) > len(POOL)

    async def check(step: int, loss: float) -> None:
        policy.refresh()

    config = DPO(steps=120, check_every=120, learning_rate=1e-3, batch=16)
    await prefer(policy.learner, pairs, config, 0, check)
    after = await collect(policy, [t for t in POOL for _ in range(8)], seed=6)
    assert share(after) > share(before) + 0.2


def rollout(name: str, score: float | None, token: int) -> Trajectory:
    grade = None if score is None else Grade(score=score, passed=score == 1.0)
    segment = Segment(token_ids=(1, token), mask=(0, 1), logprobs=(0.0, -1.0))
    return Trajectory(
        task=Task(taskset="t", name=name, seed=0), end="done", grade=grade, segments=(segment,)
    )


def test_the_best_is_paired_with_the_worst_of_its_task() -> None:
    found = compared(
        [rollout("a", 0.0, 1), rollout("b", 1.0, 2), rollout("a", 1.0, 3), rollout("a", 0.5, 4)]
        + [rollout("b", None, 5), rollout("c", 0.0, 6), rollout("c", 0.0, 7)]
        + [rollout("d", 0.0, 8), rollout("d", 1.0, 9), rollout("d", 0.2, 10), rollout("d", 0.9, 11)]
    )
    tokens = [(p.chosen[0].token_ids[1], p.rejected[0].token_ids[1]) for p in found]
    assert tokens == [(3, 1), (9, 8), (11, 10)]


def line(better: object, worse: object) -> str:
    asked = [{"role": "user", "content": "Click red"}]
    return json.dumps(
        {"input": {"messages": asked}, "preferred_output": better, "non_preferred_output": worse}
    )


def called(ref: int) -> list[object]:
    function = {"name": "click", "arguments": json.dumps({"ref": ref})}
    return [{"role": "assistant", "tool_calls": [{"type": "function", "function": function}]}]


class Told(PointerPolicy):
    """Takes any answer, so that a file can be read without a page to act on."""

    def demonstration(self, request, answer):
        token = answer.actions[0].arguments["ref"] if answer.actions else len(answer.text)
        return Segment(token_ids=(1, token), mask=(0, 1), logprobs=(0.0, 0.0))


def test_pairs_are_read_from_a_file(tmp_path: Path) -> None:
    policy = Told.fresh(TEXTS, seed=0)
    path = tmp_path / "pairs.jsonl"
    path.write_text(
        line(called(7), called(8))
        + "\n\n"
        + line([{"role": "assistant", "content": "abc"}], [{"role": "assistant", "content": "x"}])
    )
    found = read_pairs(str(path), policy)
    tokens = [(p.chosen[0].token_ids[1], p.rejected[0].token_ids[1]) for p in found]
    assert tokens == [(7, 8), (3, 1)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "line 1: .*missing required field `input`"),
        (line(called(7), []), "line 1: an output is one message"),
        (line([{"role": "user", "content": "a"}], called(7)), "line 1: an output is one message"),
        (line(called(7), called(8)) + "\nno json", "line 2: "),
        ("\n", "holds no pairs"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_by_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_pairs(str(path), Told.fresh(TEXTS, seed=0))
    with pytest.raises(ConfigError, match=r"none\.jsonl cannot be read"):
        read_pairs(str(tmp_path / "none.jsonl"), Told.fresh(TEXTS, seed=0))
