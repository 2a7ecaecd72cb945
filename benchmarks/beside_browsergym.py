"""Doer beside browsergym-miniwob: the same logins, solved on the same seeds.

    python benchmarks/beside_browsergym.py --browsergym VENV [--rollouts 10] [--rounds 2]

VENV is a virtual environment with `browsergym-miniwob`, whose pins would clash with ours. It drives
the Chromium that Doer found, one page at a time, which is what its environment offers; the goals,
pages and three actions of a rollout are the same. Doer is measured with one page and with eight.
"""

import argparse
import asyncio
import functools
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TASK = "login-user"
ACTIONS = 3


def peer(rollouts: int) -> None:
    """Runs in the peer's environment."""
    import browsergym.miniwob  # noqa: F401 - registers its tasks
    import gymnasium
    from playwright.sync_api import BrowserType

    launch = BrowserType.launch  # its own Chromium cannot be told by an option everywhere
    chromium = {"executable_path": os.environ["CHROMIUM"]}
    BrowserType.launch = lambda self, **more: launch(self, **chromium, **more)  # type: ignore[method-assign]
    env = gymnasium.make(f"browsergym/miniwob.{TASK}")
    login(env, 0)
    started = time.monotonic()
    passed = sum(login(env, seed) for seed in range(1, rollouts + 1))
    print(json.dumps([rollouts / (time.monotonic() - started), passed]))
    env.close()


def login(env: Any, seed: int) -> bool:
    seen, _ = env.reset(seed=seed)
    user, password = re.findall('"([^"]*)"', seen["goal"])
    nodes = seen["axtree_object"]["nodes"]
    found = [(node["role"]["value"], node.get("browsergym_id")) for node in nodes]
    first, second = (bid for role, bid in found if role == "textbox")
    (button,) = (bid for role, bid in found if role == "button")
    reward = 0.0
    for action in (f"fill('{first}', '{user}')", f"fill('{second}', '{password}')"):
        env.step(action)
    _, reward, _, _, _ = env.step(f"click('{button}')")
    return reward > 0


async def doer(rollouts: int, pages: int) -> tuple[float, int]:
    """Rollouts a second, and how many passed."""
    from doer.worlds.build import oracle
    from doer.worlds.miniwob.world import MiniWob
    from doer.worlds.rollout import Runner

    world = MiniWob(pages=pages)
    runner = Runner(taskset=world, model=oracle(world, TASK), concurrency=pages)
    try:
        await runner.run([world.task(TASK, seed) for seed in range(pages)])
        started = time.monotonic()
        tasks = [world.task(TASK, seed) for seed in range(100, 100 + rollouts)]
        done = await runner.run(tasks)
        return rollouts / (time.monotonic() - started), sum(rollout.passed for rollout in done)
    finally:
        await world.close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


def beside(python: Path, rollouts: int) -> tuple[float, int]:
    from doer.computers.browser.chromium import find
    from doer.worlds.miniwob.package import html_folder

    handler: Callable[..., Any] = functools.partial(Quiet, directory=str(html_folder()))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/miniwob/"
    command = [str(python), __file__, "--peer", "--rollouts", str(rollouts)]
    env = os.environ | {"MINIWOB_URL": url, "CHROMIUM": str(find())}
    told = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    server.shutdown()
    if told.returncode:
        raise SystemExit(told.stderr)
    speed, passed = json.loads(told.stdout.splitlines()[-1])
    return speed, passed


def main() -> None:
    parser = argparse.ArgumentParser(description="Doer beside browsergym-miniwob")
    parser.add_argument("--browsergym", type=Path, help="a virtual environment with it")
    parser.add_argument("--rollouts", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.peer:
        peer(given.rollouts)
        return
    if given.browsergym is None:
        sys.exit("say where browsergym-miniwob is installed: --browsergym VENV")
    many = 20 * given.rollouts
    best: dict[str, float] = {}
    for _ in range(given.rounds):
        python = given.browsergym / "bin" / "python"
        for side, (speed, passed), count in (
            ("browsergym", beside(python, given.rollouts), given.rollouts),
            ("Doer, 1 page", asyncio.run(doer(many, 1)), many),
            ("Doer, 8 pages", asyncio.run(doer(many, 8)), many),
        ):
            acting = f"{ACTIONS * speed:7.2f} actions/s"
            print(f"  {side:14} {speed:7.2f} rollouts/s  {acting}  {passed} of {count} passed")
            best[side] = max(best.get(side, 0.0), speed)
    for side in ("Doer, 1 page", "Doer, 8 pages"):
        print(f"{side} / browsergym: {best[side] / best['browsergym']:.0f} x rollouts a second")


if __name__ == "__main__":
    main()
