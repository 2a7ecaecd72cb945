"""Nothing gets out of a computer: each way is tried outside first, where it works."""

import asyncio
import os
import platform
import subprocess

import pytest
import pytest_asyncio
from escapes import PROBES
from outside import outside

PYTHON = "/usr/bin/python3"
AT_ONCE = 4
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the probes are made for x86_64"),
]


def unsandboxed(name, environment, folder) -> str:
    """What a probe says as a process like any other."""
    done = subprocess.run(
        [PYTHON, "-c", PROBES[name]],
        env={**environment, "PATH": os.environ["PATH"]},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def said(desk, tmp_path_factory):
    """What each probe said outside and inside, all run once."""
    folder, found = tmp_path_factory.mktemp("control"), {}
    places = asyncio.Semaphore(AT_ONCE)

    async def probe(name, environment):
        async with places:
            control = await asyncio.to_thread(unsandboxed, name, environment, folder)
            inside = await desk.shell.run(
                [PYTHON, "-c", PROBES[name]], env=environment, timeout_s=60
            )
            found[name] = control, inside.stdout.kept.decode()

    with outside(tmp_path_factory.mktemp("host")) as environment:
        async with asyncio.TaskGroup() as tasks:
            for name in PROBES:
                tasks.create_task(probe(name, environment))
    return found


@pytest.mark.parametrize("name", PROBES)
async def test_a_way_out_is_closed(name, said):
    control, inside = said[name]
    assert "contained" in inside
    assert "ESCAPED" not in inside
    if "ESCAPED" not in control:
        pytest.skip(f"does not work outside either, on this machine: {control.strip()[:100]}")


async def test_most_ways_work_outside(said):
    """Or else the tests above show nothing."""
    assert sum("ESCAPED" in control for control, _ in said.values()) >= 60
