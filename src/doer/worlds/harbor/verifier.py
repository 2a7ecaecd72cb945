"""Grades a Harbor task: its tests are put into the computer only now, run there, and leave a
reward in a file."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from doer.computers.computer import Computer
from doer.computers.shell import Shell
from doer.errors import GraderError, ToolError
from doer.records.shell import RunResult
from doer.records.task import Grade
from doer.worlds.harbor.sending import send

CLEAR = """
chmod -R u+rwX /tests /logs 2>/dev/null
rm -rf /logs/verifier && mkdir -p /logs/verifier && find /tests -mindepth 1 -delete
"""
TEST = "chmod u+x /tests/test.sh && exec /tests/test.sh"
READ = """
cd /logs/verifier
for name in reward.txt reward.json; do
    if [ -e $name ]; then echo $name; exec head -c 65536 $name; fi
done
"""
MAX_WHY = 300


@dataclass(frozen=True, kw_only=True)
class Verifier:
    """`tests`: the folder with test.sh. The tests see the computer as the agent left it, with what
    still runs on it; what lay in their places is removed first."""

    tests: Path
    timeout_s: float
    environ: Mapping[str, str] = field(default_factory=dict[str, str])
    name: str = "verifier"

    async def grade(self, computer: Computer) -> Grade:
        """The reward, cut to 0..1, is the score; it passes from 1 on. Raises `GraderError` when
        the tests took too long or left no reward."""
        await computer.ready("shell")
        shell = computer.shell
        try:
            cleared = await shell.run(CLEAR, cwd="/")
            if cleared.exit_code:
                raise GraderError(f"/tests and /logs cannot be cleared: {_last(cleared)}")
            await send(shell, [(self.tests, "/tests")], error=GraderError)
            told = await shell.run(TEST, timeout_s=self.timeout_s, env=self.environ)
            if told.timed_out:
                raise GraderError(f"the tests did not end in {self.timeout_s:g} s: {_last(told)}")
            reward = await _reward(shell, told)
        except ToolError as refused:
            raise GraderError(f"the tests could not be run: {refused}") from refused
        score = min(1.0, max(0.0, reward))
        why = f"the reward is {reward:g}"
        if reward < 1:
            why += f"; the tests ended with {told.exit_code}: {_last(told)}"
        return Grade(score=score, passed=reward >= 1, why=why)


async def _reward(shell: Shell, tested: RunResult) -> float:
    found = await shell.run(READ, keep=(1 << 17, 0))
    name, _, text = found.stdout.kept.decode(errors="replace").partition("\n")
    if not name:
        raise GraderError(f"the tests left no reward in /logs/verifier: {_last(tested)}")
    try:
        reward = _of_json(text) if name == "reward.json" else float(text)
    except (ValueError, msgspec.DecodeError):
        raise GraderError(f"{name} holds no reward: {text[:100]!r}") from None
    if math.isnan(reward):
        raise GraderError(f"{name} holds no reward: {text[:100]!r}")
    return reward


def _of_json(text: str) -> float:
    """The value of `reward`; without one, the mean of all values. Raises when there is none."""
    values = msgspec.json.decode(text, type=dict[str, float])
    if not values:
        raise ValueError("no value")
    return values.get("reward", sum(values.values()) / len(values))


def _last(result: RunResult) -> str:
    """The end of what was printed, as one line."""
    return " ".join(result.text().split())[-MAX_WHY:]
