import json

import msgspec
import pytest

from doer.evals.result import Item, compare
from doer.evals.statistics import wilson
from doer.records.task import Grade, Task
from doer.records.trajectory import Trajectory


def rollout(end, grade):
    task = Task(taskset="shop", name="buy", seed=1)
    return Trajectory(task=task, end=end, events=(), grade=grade, fault="", steps=3, seconds=1.5)


def test_only_the_models_ends_are_scored():
    right = Grade(score=1, passed=True)
    assert Item.of(rollout("done", right)).passed
    assert Item.of(rollout("limit", Grade(score=0.5, passed=False))).score == 0.5
    fault = Item.of(rollout("computer_fault", right))
    assert (fault.passed, fault.score, fault.end) == (False, None, "computer_fault")
    assert Item.of(rollout("grader_fault", None)).score is None


def test_faults_are_in_no_denominator_and_no_mean(result):
    total = result("m", "buy 1 pass", "buy 2 fail", "buy 3 computer_fault", "pay 1 pass").total
    assert (total.n, total.passed, total.success) == (3, 2, pytest.approx(2 / 3))
    assert total.interval == wilson(2, 3)
    assert (total.steps, total.seconds) == (4, 2)
    assert total.unscored == {"computer_fault": 1}
    assert total.denominator == "2 of 3 scored; apart: 1 computer fault"


def test_a_task_with_nothing_but_faults_has_no_success(result):
    broken = result("m", "buy 1 pass", "pay 1 site_fault").by_task["pay"]
    assert (broken.n, broken.success, broken.steps, broken.interval) == (0, None, None, (0, 1))


def test_the_summary_is_one_line_of_json(result):
    summary = result("m", "buy 1 pass", "buy 2 fail", "pay 1 pass", "pay 2 site_fault").summary()
    line = msgspec.json.encode(summary)
    assert b"\n" not in line
    assert json.loads(line) == {
        "success": pytest.approx(2 / 3),
        "by_task": {"buy": 0.5, "pay": 1.0},
        "n": 3,
        "interval": pytest.approx(list(wilson(2, 3))),
        "unscored": 1,
        "suite": "shop/test",
        "model": "m",
    }


def test_results_are_paired_by_task_and_seed_where_both_are_scored(result):
    old = result("old", "buy 1 fail", "buy 2 pass", "buy 3 fail", "pay 1 site_fault", "pay 2 fail")
    new = result("new", "buy 3 pass", "buy 2 fail", "buy 1 pass", "pay 1 pass", "pay 9 pass")
    both = compare(old, new)
    assert (both.first, both.second) == ("old", "new")
    assert (both.total.n, both.total.gained, both.total.lost) == (3, 2, 1)
    assert both.total.difference == pytest.approx(1 / 3)
    assert both.by_task == {"buy": both.total}
    assert both.unpaired == 3  # pay 1, 2 and 9
    assert compare(new, old).total.difference == pytest.approx(-1 / 3)
