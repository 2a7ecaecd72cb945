"""Several tasksets as one."""

import pytest

from doer.errors import ConfigError
from doer.worlds.build import oracle, taskset
from doer.worlds.check import check
from doer.worlds.files.world import FileChores
from doer.worlds.mixed import Mixed
from doer.worlds.rollout import Runner


class MoreChores(FileChores):
    name = "more"

    def names(self) -> tuple[str, ...]:
        return ("set-value",)


@pytest.fixture
def both():
    return Mixed([FileChores(), MoreChores()])


async def test_tasks_of_all_are_there_and_run_where_they_belong(both):
    assert both.name == "files+more"
    assert both.names()[0] == "files/append-total"
    assert both.names()[-1] == "more/set-value"
    assert list(both.names()) == sorted(both.names())
    assert all(not one.problem for one in await check(both, both.names(), (1, 2)))
    done = await Runner(taskset=both, model=oracle(both, "append-total")).run(
        [both.task("append-total", 3)]
    )
    assert done[0].passed
    assert done[0].task.taskset == "files"
    await both.close()


def test_what_none_has_is_an_error(both):
    for name in ("files/nothing", "other/set-value", "nothing"):
        with pytest.raises(ConfigError, match="no task"):
            both.task(name, 0)


def test_they_are_named_with_a_plus():
    assert taskset("files+practice").name == "files+practice"
    with pytest.raises(ConfigError, match="no taskset 'other'"):
        taskset("files+other")
