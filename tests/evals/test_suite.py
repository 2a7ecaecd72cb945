import pytest

from doer.errors import ConfigError, DoerError
from doer.evals.suite import SPLITS, Suite, evaluate, parse_seeds, split_of
from doer.models.scripted import ScriptedModel
from doer.records.task import Limits
from doer.worlds.check import follow
from doer.worlds.files.world import FileChores
from doer.worlds.rollout import Runner

SEEDS = (500_000, 500_001, 500_002)


@pytest.fixture
async def chores():
    taskset = FileChores()
    yield taskset
    await taskset.close()


def runner(taskset, name):
    """The oracle of one task as a model, on whatever tasks it is given."""
    return Runner(taskset=taskset, model=ScriptedModel("oracle", follow(taskset.oracle(name))))


@pytest.mark.parametrize(
    ("seed", "split"),
    [
        (0, "train"),
        (99_999, "train"),
        (100_000, "validation"),
        (199_999, "validation"),
        (500_000, "test"),
        (599_999, "test"),
    ],
)
def test_the_ends_of_the_splits(seed, split):
    assert split_of(seed) == split


@pytest.mark.parametrize("seed", [-1, 200_000, 499_999, 600_000])
def test_a_seed_of_no_split_is_refused(seed):
    with pytest.raises(ConfigError, match=f"seed {seed} is in no split"):
        split_of(seed)


def test_the_splits_do_not_overlap():
    ends = sorted((seeds[0], seeds[-1]) for seeds in SPLITS.values())
    assert all(a[1] < b[0] for a, b in zip(ends, ends[1:], strict=False))


def test_seeds_are_read_in_order_and_once():
    assert parse_seeds("500000-500002, 500100,500001") == (500000, 500001, 500002, 500100)
    assert parse_seeds("7") == (7,)


@pytest.mark.parametrize(
    "text",
    ["", "a", "5-", "-5", "1-2-3", "1,,2", "9-3", "99999-100000", "1,100000", "0-9999999999"],
)
def test_seeds_that_make_no_sense_or_cross_a_split_are_refused(text):
    with pytest.raises(ConfigError):
        parse_seeds(text)


def test_a_suite_is_every_task_on_every_seed(chores):
    suite = Suite.of(chores, ["set-value", "move-line"], SEEDS[:2], Limits(steps=3))
    assert suite.name == "files/test"
    assert [task.id for task in suite.tasks] == [
        "files/set-value#500000",
        "files/set-value#500001",
        "files/move-line#500000",
        "files/move-line#500001",
    ]
    assert {task.limits.steps for task in suite.tasks} == {3}
    assert all(task.start for task in suite.tasks)


@pytest.mark.parametrize(
    ("names", "seeds"),
    [
        (["set-value"], [99_999, 100_000]),
        (["set-value"], [300_000]),
        (["set-value"], []),
        (["set-value"], [1, 1]),
        (["set-value", "set-value"], [1]),
        ([], [1]),
        (["no-such-task"], [1]),
    ],
)
def test_a_suite_that_makes_no_sense_is_refused(chores, names, seeds):
    with pytest.raises(ConfigError):
        Suite.of(chores, names, seeds)


async def test_a_model_is_measured_on_real_rollouts(chores):
    """The oracle of one task passes its own task and none of the other's."""
    suite = Suite.of(chores, ["set-value", "append-total"], SEEDS)
    collect = runner(chores, "set-value").run
    result = await evaluate(suite, "oracle", lambda tasks: collect(tasks[::-1]))
    assert [item.id for item in result.items] == [task.id for task in suite.tasks]
    assert result.by_task["set-value"].success == 1
    assert not any(item.passed for item in result.items if item.name == "append-total")
    assert result.summary()["model"] == "oracle"


async def test_a_lost_rollout_is_an_error_and_not_a_smaller_denominator(chores):
    suite = Suite.of(chores, ["set-value"], SEEDS)
    collect = runner(chores, "set-value").run
    with pytest.raises(DoerError, match="1 rollouts did not come back"):
        await evaluate(suite, "oracle", lambda tasks: collect(tasks[1:]))
