"""Harbor tasks done on real computers: proven by their solution, judged by their tests."""

import asyncio
import base64
import os
import random
import re
import shutil
import signal
import sys

import pytest
import pytest_asyncio

from doer.computers.fleet import Fleet
from doer.computers.local.backend import LocalBackend
from doer.computers.network.client import FOLDER, ProxyClient
from doer.errors import ConfigError, SiteError
from doer.models.scripted import ScriptedModel
from doer.records.action import Action
from doer.records.completion import Completion
from doer.records.computer import HostRule, NetworkRules
from doer.records.event import Observed
from doer.worlds.check import check
from doer.worlds.harbor.solution import PIECE
from doer.worlds.harbor.world import HarborTasks
from doer.worlds.rollout import Runner

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
]
SETTINGS = """\
schema_version = "1.1"
[agent]
timeout_sec = 60.0
[verifier]
timeout_sec = {verifier_s}
env = {{ EXPECTED = "${{NOBODY_SETS_THIS:-6}}" }}
[environment]
cpus = 1.5
memory_mb = 512
storage_mb = 256
network_mode = "{network}"
env = {{ MODE = "test" }}
"""
DOCKERFILE = """\
FROM debian:13-slim
WORKDIR /app
COPY sum.sh ./
RUN chmod +x sum.sh && seq 3 > numbers.txt && date +%N > stamp
ENV GREETING="hello there"
"""
BROKEN = "#!/bin/bash\npaste -sd- numbers.txt\n"
REPAIRED = "#!/bin/bash\necho $(($(paste -sd+ numbers.txt)))\n"
TEST = """\
#!/bin/bash
[ "$GREETING $MODE" = "hello there test" ] || exit 1
if [ "$(./sum.sh)" = "$EXPECTED" ]; then echo 1; else echo 0; fi > /logs/verifier/reward.txt
"""
SOLVE = '#!/bin/bash\ncp "$(dirname "$0")/sum.sh" /app/sum.sh\n'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(tmp_path_factory):
    root = tmp_path_factory.mktemp("harbor") / "computers"
    fleet = Fleet(LocalBackend(root), root)
    yield fleet
    os.kill(await ProxyClient(root / FOLDER).pid(), signal.SIGTERM)


@pytest_asyncio.fixture(loop_scope="module")
async def made(fleet, tmp_path):
    """Makes the world of one task, whose files may be changed. Nothing of it is left in the end."""
    worlds = []

    def make(verifier_s=30.0, network="no-network", **files):
        files = {"environment/sum.sh": BROKEN, "solution/sum.sh": REPAIRED} | files
        files |= {"instruction.md": "Let sum.sh print the sum of numbers.txt."}
        files |= {"task.toml": SETTINGS.format(verifier_s=verifier_s, network=network)}
        texts = {"environment/Dockerfile": DOCKERFILE, "tests/test.sh": TEST}
        for name, text in (texts | {"solution/solve.sh": SOLVE} | files).items():
            path = tmp_path / "sum" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        worlds.append(HarborTasks(tmp_path / "sum", fleet=fleet, at_once=2))
        return worlds[-1]

    yield make
    for world in worlds:
        await world.close()
    assert fleet.names() == ()
    assert fleet.snapshots.all() == ()


def doing(*commands: str) -> ScriptedModel:
    """A model that runs these commands, then says that it is done."""
    actions = [Action(tool="run", arguments={"command": command}) for command in commands]
    return ScriptedModel(
        "doing", [*(Completion(actions=(one,)) for one in actions), Completion(text="done")]
    )


async def rollout(world: HarborTasks, *commands: str):
    runner = Runner(taskset=world, model=doing(*commands), retries=0)
    return await runner.rollout(world.task("sum", 0))


def seen(done) -> list[str]:
    return [
        event.data.observation.text for event in done.events if isinstance(event.data, Observed)
    ]


async def test_its_solution_passes_and_doing_nothing_fails(made):
    noise = base64.b64encode(random.Random(0).randbytes(PIECE)).decode()  # two pieces, packed
    world = made(**{"solution/noise": noise})
    (one,) = await check(world, ["sum"], [0])
    assert one.problem == ""
    assert one.oracle is not None
    assert (one.oracle.steps, one.oracle.grade.score) == (4, 1.0)
    assert (one.nothing.end, one.nothing.grade.score) == ("done", 0.0)


async def test_an_agent_works_in_its_folder_by_commands(made):
    fix = f"cat > sum.sh <<'END'\n{REPAIRED}END"
    done = await rollout(
        made(), "pwd; ls; echo $GREETING; id -un; python -c 'print(7)'", fix, "./sum.sh"
    )
    assert seen(done)[0] == "/app\nnumbers.txt\nstamp\nsum.sh\nhello there\nagent\n7"
    assert seen(done)[2] == "6"
    assert done.grade is not None
    assert done.grade.passed


async def test_nothing_of_tests_and_solution_is_there_and_what_is_forged_is_cleared_away(made):
    judge = "[ ! -e /tests/x ] || echo 1 > /logs/verifier/reward.txt"
    forge = (
        "mkdir /logs/verifier /tests/x; echo 1 | tee /logs/verifier/reward.txt > /tests/x/y;"
        " echo 'exit 0' > /tests/test.sh; chmod 0 /tests/x"
    )
    world = made(**{"tests/test.sh": f"#!/bin/bash\n{judge}\n"})
    done = await rollout(world, "find /tests /solution -mindepth 1", forge)
    assert seen(done) == ["[exit code 0]"] * 2
    assert done.end == "grader_fault"
    assert "left no reward" in done.fault


async def test_a_task_given_up_while_it_is_built_leaves_nothing(made, fleet):
    world = made(**{"environment/Dockerfile": f"{DOCKERFILE}RUN sleep 1000\n"})
    for _ in range(3):  # more often than there are places
        preparing = asyncio.create_task(world.prepare(world.task("sum", 0)))
        async with asyncio.timeout(60):
            while not fleet.names():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        preparing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await preparing
        assert fleet.names() == ()


async def test_a_reward_may_be_a_part_and_json(made):
    test = '#!/bin/sh\necho tested; echo \'{"a": 0.5, "b": 0}\' > /logs/verifier/reward.json'
    done = await rollout(made(**{"tests/test.sh": test}))
    assert done.grade is not None
    assert (done.grade.score, done.grade.passed) == (0.25, False)
    assert done.grade.why == "the reward is 0.25; the tests ended with 0: tested"


async def test_tests_that_do_not_judge_leave_it_unscored(made, tmp_path):
    world = made(verifier_s=2.0)
    for test, said in (
        ("echo broken >&2; exit 3", "left no reward in /logs/verifier: .*broken.*exit code 3"),
        ("echo much > /logs/verifier/reward.txt", "reward.txt holds no reward: 'much"),
        ("echo nan > /logs/verifier/reward.txt", "reward.txt holds no reward: 'nan"),
        ("echo '{}' > /logs/verifier/reward.json", "reward.json holds no reward"),
        ("echo 1 > /logs/verifier/reward.txt; sleep 1000", "did not end in 2 s"),
    ):
        (tmp_path / "sum" / "tests" / "test.sh").write_text(f"#!/bin/bash\n{test}\n")
        done = await rollout(world)
        assert (done.end, done.scored, done.grade) == ("grader_fault", False, None)
        assert re.search(said, done.fault), done.fault


async def test_a_step_that_fails_is_the_tasks_fault_and_told(made, fleet):
    world = made(**{"environment/Dockerfile": f"{DOCKERFILE}RUN echo oh no && mkdir /etc/x\n"})
    with pytest.raises(SiteError, match=r"line 6: .*(?s:oh no.*Read-only file system)"):
        await world.prepare(world.task("sum", 0))
    assert fleet.names() == ()
    done = await rollout(world)
    assert (done.end, done.scored) == ("site_fault", False)


async def test_what_needs_root_is_told_before_anything_starts(made, fleet):
    world = made(**{"environment/Dockerfile": "FROM debian\nRUN apk add jq\n"})
    with pytest.raises(ConfigError, match=r"sum: Dockerfile, line 2 .*apk needs root.*Docker"):
        await world.prepare(world.task("sum", 0))
    assert fleet.names() == ()


async def test_limits_and_network_are_the_tasks_and_what_is_built_is_built_once(made, fleet):
    world = made(network="no-network")
    task = world.task("sum", 0)
    first, second = await asyncio.gather(world.prepare(task), world.prepare(task))
    spec = fleet.backend.spec(first.computer.desk.name)
    assert (spec.memory_mb, spec.disk_mb, spec.cpus) == (512, 256, 1.5)
    assert spec.network == NetworkRules()
    await first.computer.shell.run("echo changed > sum.sh; touch /logs/mine")
    shown = "cat stamp sum.sh; ls /logs"
    there = (await second.computer.shell.run(shown)).stdout.text()
    assert BROKEN in there
    assert "mine" not in there
    for used in (first, second):
        await world.release(used, "done")
    third = await world.prepare(task)
    assert (await third.computer.shell.run(shown)).stdout.text() == there
    await world.release(third, "computer_fault")


async def test_hosts_that_a_task_may_reach_are_the_computers_rules(made, fleet):
    world = made(network='allowlist"\nallowed_hosts = ["a.example"]\nx = "')
    environment = await world.prepare(world.task("sum", 0))
    rules = fleet.backend.spec(environment.computer.desk.name).network
    assert rules == NetworkRules(mode="allowlist", allow=(HostRule(host="a.example"),))
    await world.release(environment, "done")


async def test_more_than_may_be_at_once_wait_for_their_turn(made, fleet):
    world, there = made(), []

    def answer(_):
        there.append(len(fleet.names()))
        return Completion(text="done")

    runner = Runner(taskset=world, model=ScriptedModel("counting", answer), retries=0)
    async with asyncio.timeout(120):
        done = await runner.run([world.task("sum", seed) for seed in range(4)])
    assert [one.end for one in done] == ["done"] * 4
    assert max(there) <= 2


async def test_what_a_dead_process_left_is_removed(made, fleet):
    gone = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await gone.wait()
    await fleet.create(f"{gone.pid}-left")
    async with fleet.opened(f"{gone.pid}-left") as desk:
        await fleet.snapshot(desk)
    world = made()
    await world.release(await world.prepare(world.task("sum", 0)), "done")
    assert fleet.names() == ()
    assert {kept.computer for kept in fleet.snapshots.all()} != {f"{gone.pid}-left"}
