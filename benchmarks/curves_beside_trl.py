"""How fast Doer and TRL's GRPOTrainer learn the same task, in rollouts and in wall time.

    python benchmarks/curves_beside_trl.py --trl VENV [--minutes 5] [--seed 0] [--out FOLDER]

VENV is as in `beside_trl.py`. Both begin with the same weights: a 2-layer Qwen3 of width 96 that
was shown `tickets.SHOWN` and says the right call, but mostly the wrong desk. A rollout is one call
of a tool, then words. Both draw 16 tickets of 2,000, 8 rollouts of each, and make up to 8 updates
of 16 rollouts, with the same rate, clipping and entropy bonus; Doer's curriculum, and leaving out
groups without contrast, stay on. The two take turns of `TURN_S` on the machine, in one run; only a
side's own turns are on its clock. Success is what a copy of the weights, saved now and then off the
clock, does greedily on fresh tickets.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from beside_trl import Desk, prompt, same_tools, small_qwen
from msgspec.structs import replace

from doer.evals.wording import percent
from doer.records.task import Limits, Task
from doer.worlds.files.world import FileChores

TASKS, GROUP, UPDATES, ROWS = 16, 8, 8, 16
RATE, ENTROPY = 6e-4, 0.002
CLIP = (0.2, 0.28)
LONGEST = 64  # tokens of one answer
SFT_STEPS, SFT_RATE = 160, 2e-3
LIMITS = Limits(steps=2, step_s=600)  # the call, then words
TURN_S = 15.0
POINTS = 10  # weights looked at, besides the start
TEST = 200  # fresh tickets
READY_S, ITERATION_S = 300.0, 300.0  # without a word for longer, a side is given up
TARGETS = (0.5, 0.6, 0.7, 0.8, 0.9)


# --- what a side says to the one who times it, and does for it ---


class Told(NamedTuple):
    """Totals after an iteration: rollouts, calls of tools, tokens of whole conversations, CPU
    seconds; and the mean reward of the iteration's rollouts."""

    rollouts: int
    calls: int
    tokens: int
    cpu_s: float
    reward: float


def turn(told: Told | None, save: Callable[[Path], None]) -> bool:
    """Tell, then wait for one's turn; False when time is up."""
    print("told " + json.dumps(told), flush=True)
    for line in sys.stdin:
        match line.split():
            case ["go"]:
                return True
            case ["save", folder]:
                save(Path(folder))
                print("saved", flush=True)
            case _:
                return False
    return False


class Over(Exception):
    """Time is up."""


async def doer_side(folder: Path, seed: int) -> None:
    from tickets import KIND, SEEDS

    from doer.models.local.hf.policy import HFPolicy
    from doer.records.trajectory import Trajectory
    from doer.training.recipe import RL
    from doer.training.rl import Group, Iteration, State, reinforce
    from doer.worlds.rollout import Runner

    world = FileChores()
    policy = HFPolicy.fresh(folder, None, LONGEST)
    pool = [limited(world.task(KIND, seed)) for seed in range(SEEDS)]
    low, high = CLIP
    rl = RL(
        iterations=1_000_000, minutes=1e9, tasks=TASKS, group=GROUP, mixed=0, rounds=1,
        updates=UPDATES, rows=ROWS, tokens=512, learning_rate=RATE, warmup=0, clip_low=low,
        clip_high=high, entropy=ENTROPY, efficiency=0.0,
    )  # fmt: skip
    calls = tokens = 0

    async def collect(tasks: Sequence[Task], seed: int) -> list[Trajectory]:
        nonlocal calls, tokens
        runner = Runner(taskset=world, model=policy.model, concurrency=TASKS * GROUP, seed=seed)
        done = await runner.run(tasks)
        calls += sum(rollout.steps > 1 for rollout in done)
        tokens += sum(len(r.segments[-1].token_ids) for r in done if r.segments)
        return done

    async def after(state: State, report: Iteration, groups: Sequence[Group]) -> None:
        policy.refresh()
        told = Told(state.rollouts, calls, tokens, time.process_time(), report.success)
        if not turn(told, policy.save):
            raise Over

    with tempfile.TemporaryDirectory() as undo:
        state = State.fresh(pool, seed)
        if turn(None, policy.save):
            await reinforce(policy.learner, collect, pool, rl, state, Path(undo), after)


def limited(task: Task) -> Task:
    return replace(task, limits=LIMITS)


def trl_side(folder: Path, seed: int) -> None:
    os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"
    from datasets import Dataset
    from tickets import KIND, SEEDS
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    Desk.kind = KIND
    latest = {"reward": 0.0, "num_tokens": 0.0}

    class Tell(TrainerCallback):
        def on_train_begin(self, *_: Any, **all: Any) -> None:
            self.wait(None, all)

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **all: Any) -> None:
            if logs and "reward" in logs:  # of the rollouts, which are made before the first update
                latest.update((name, float(logs[name])) for name in latest)
            if state.global_step % UPDATES == 0:
                rollouts = state.global_step // UPDATES * TASKS * GROUP
                cpu_s, tokens = time.process_time(), int(latest["num_tokens"])
                self.wait(Told(rollouts, Desk.calls, tokens, cpu_s, latest["reward"]), all)

        def wait(self, told: Told | None, all: dict[str, Any]) -> None:
            if not turn(told, all["model"].save_pretrained):
                raise Over

    low, high = CLIP
    rows = [{"prompt": prompt(seed, KIND), "seed": seed} for seed in range(SEEDS)]
    with tempfile.TemporaryDirectory() as out:
        trainer = GRPOTrainer(
            model=AutoModelForCausalLM.from_pretrained(folder),
            processing_class=AutoTokenizer.from_pretrained(folder),
            train_dataset=Dataset.from_list(rows),
            environment_factory=Desk,
            args=GRPOConfig(
                output_dir=out, use_cpu=True, bf16=False, report_to="none", save_strategy="no",
                per_device_train_batch_size=ROWS, steps_per_generation=UPDATES,
                num_generations=GROUP, max_steps=1_000_000, logging_steps=1, learning_rate=RATE,
                lr_scheduler_type="constant", adam_beta2=0.95, epsilon=low, epsilon_high=high,
                entropy_coef=ENTROPY, temperature=1.0, beta=0.0, loss_type="dapo",
                max_completion_length=2 * LONGEST, max_tool_calling_iterations=1, seed=seed,
                gradient_checkpointing=False, disable_tqdm=True,
            ),
            callbacks=[Tell()],
        )  # fmt: skip
        same_tools(trainer)
        trainer.train()


# --- the start ---


async def start(folder: Path, template: str, seed: int) -> None:
    """The weights that both begin with."""
    from tickets import KIND, demonstrations, words

    from doer.models.local.hf.policy import HFPolicy
    from doer.training.build import Rollouts
    from doer.training.recipe import SFT
    from doer.training.sft import demonstrated, imitate

    world = FileChores()
    rollouts = Rollouts.of(world, 16, lambda _: None)
    small_qwen(folder, template, await words(world, rollouts), seed)
    policy = HFPolicy.fresh(folder, None, LONGEST)
    shown = [limited(world.task(KIND, seed)) for seed in demonstrations(world)]
    segments = demonstrated(policy, await rollouts.solved(shown))

    async def check(step: int, loss: float) -> None:
        print(f"supervised start: step {step}, loss {loss:.3f}", file=sys.stderr)

    config = SFT(steps=SFT_STEPS, check_every=40, learning_rate=SFT_RATE, batch=8)
    await imitate(policy.learner, segments, config, seed, check)
    policy.save(folder)


# --- timing ---


@dataclass
class Side:
    """One side's process, its clock, and what it told, with the seconds on its clock."""

    name: str
    process: "subprocess.Popen[str]"
    folder: Path
    seconds: float = 0.0
    steps: list[tuple[float, Told]] = field(default_factory=list)
    saved: list[tuple[float, int, Path]] = field(default_factory=list)  # seconds, rollouts, folder

    @property
    def minutes(self) -> list[float]:
        return [seconds / 60 for seconds, _, _ in self.saved]

    @property
    def rollouts(self) -> list[int]:
        return [rollouts for _, rollouts, _ in self.saved]

    def say(self, what: str) -> str:
        """Give an order, wait for the answer."""
        assert self.process.stdin
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        return self.hear()

    def hear(self) -> str:
        """The next answer. Raises `RuntimeError` when the process ended."""
        assert self.process.stdout
        for line in self.process.stdout:
            if line.startswith(("told", "saved")):
                return line
        raise RuntimeError(f"{self.name} ended")

    def iterate(self) -> None:
        """One iteration, on the clock."""
        started = time.monotonic()
        line = self.say("go")
        self.seconds += time.monotonic() - started
        self.steps.append((self.seconds, Told(*json.loads(line.removeprefix("told ")))))

    def save(self) -> None:
        """A copy of the weights of now, off the clock."""
        folder = self.folder / f"{self.name}-{len(self.saved)}"
        self.say(f"save {folder}")
        for file in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
            if (self.folder / "start" / file).exists():
                shutil.copy(self.folder / "start" / file, folder)
        rollouts = self.steps[-1][1].rollouts if self.steps else 0
        self.saved.append((self.seconds, rollouts, folder))


def opened(name: str, python: Path, folder: Path, seed: int) -> Side:
    command = [python, __file__, "--side", name, "--folder", folder / "start", "--seed", seed]
    source = Path(__file__).parents[1] / "src"
    process = subprocess.Popen(
        [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=(folder / f"{name}.log").open("w"), text=True,
        env=os.environ | {"PYTHONPATH": str(source), "OMP_WAIT_POLICY": "passive"},
    )  # fmt: skip
    return Side(name, process, folder)


def race(sides: Sequence[Side], minutes: float) -> None:
    """Turns until each side's clock has run for so long, or the side has ended."""
    for side in sides:
        side.hear()  # ready
        side.save()
    going = list(sides)
    while going:
        for side in tuple(going):
            until = min(side.seconds + TURN_S, minutes * 60)
            try:
                while side.seconds < until:
                    side.iterate()
                    if side.seconds >= len(side.saved) * minutes * 60 / POINTS:
                        side.save()
            except (RuntimeError, BrokenPipeError):
                log = (side.folder / f"{side.name}.log").read_text().strip().splitlines()
                print(f"{side.name} ended by itself: {' '.join(log[-1:])[:200]}")
                going.remove(side)
                continue
            if side.seconds >= minutes * 60:
                going.remove(side)
    for side in sides:
        if side.process.stdin:
            side.process.stdin.close()
        side.process.wait(timeout=60)


# --- what came of it ---


async def successes(side: Side) -> list[float]:
    """Greedily on fresh tickets, one a saved copy."""
    from tickets import fresh, greedy

    from doer.models.local.hf.policy import HFPolicy
    from doer.training.build import Rollouts

    world = FileChores()
    tasks = [limited(task) for task in fresh(world, TEST)]
    rollouts = Rollouts.of(world, 64, lambda _: None)
    found: list[float] = []
    for _, _, folder in side.saved:
        model = HFPolicy.fresh(folder, None, LONGEST).model
        found.append((await greedy(rollouts, model, tasks)).all)
    return found


def report(sides: Sequence[Side], found: Sequence[Sequence[float]]) -> None:
    for side, shares in zip(sides, found, strict=True):
        print(f"\n{side.name}: seconds, rollouts, reward in training, success on fresh tickets")
        before = 0
        for (seconds, rollouts, _), share in zip(side.saved, shares, strict=True):
            rewards = [t.reward for _, t in side.steps if before < t.rollouts <= rollouts]
            reward = percent(sum(rewards) / len(rewards)) if rewards else "-"
            print(f"  {seconds:6.0f} {rollouts:8,} {reward:>8} {percent(share):>8}")
            before = rollouts
    print("\nfirst reached (of the saved copies): seconds, rollouts")
    for target in TARGETS:
        row = [reached(side, shares, target) for side, shares in zip(sides, found, strict=True)]
        print(f"  {percent(target):>6}  " + "   ".join(row))
    print("\na second: rollouts, calls, tokens; CPU seconds a second")
    for side in sides:
        if len(side.steps) < 3:
            continue
        (since, first), (until, last) = side.steps[0], side.steps[-1]  # the first one warms up
        pace = [(b - a) / (until - since) for a, b in zip(first[:4], last[:4], strict=True)]
        print("  {:5} {:7.1f} {:7.1f} {:9,.0f} {:5.2f}".format(side.name, *pace))


def reached(side: Side, shares: Sequence[float], target: float) -> str:
    for (seconds, rollouts, _), share in zip(side.saved, shares, strict=True):
        if share >= target:
            return f"{side.name} {seconds:4.0f} s {rollouts:7,}"
    return f"{side.name}      - {'-':>7}"


def main() -> None:
    parser = argparse.ArgumentParser(description="learning curves of Doer beside TRL's GRPOTrainer")
    parser.add_argument("--trl", type=Path, help="a virtual environment with TRL")
    parser.add_argument("--minutes", type=float, default=5.0, help="of wall time, each side")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path.cwd(), help="where the drawing goes")
    parser.add_argument("--side", choices=["doer", "trl"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    random.seed(given.seed)
    try:
        if given.side == "doer":
            asyncio.run(doer_side(given.folder, given.seed))
        elif given.side == "trl":
            trl_side(given.folder, given.seed)
        else:
            compare(given)
    except Over:
        pass


def compare(given: argparse.Namespace) -> None:
    from curve_chart import draw

    pythons = {"doer": Path(sys.executable), "trl": given.trl / "bin" / "python"}
    (template,) = given.trl.glob(
        "lib/python*/site-packages/trl/chat_templates/qwen3_instruct_2507.jinja"
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        asyncio.run(start(folder / "start", template.read_text(), given.seed))
        sides = [opened(name, python, folder, given.seed) for name, python in pythons.items()]
        race(sides, given.minutes)
        found = [asyncio.run(successes(side)) for side in sides]
    both = list(zip(sides, found, strict=True))
    report(sides, found)
    minutes = {side.name: list(zip(side.minutes, f, strict=True)) for side, f in both}
    rollouts = {side.name: list(zip(side.rollouts, f, strict=True)) for side, f in both}
    path = given.out / "curves_beside_trl.svg"
    panels = {"minutes of wall time": minutes, "rollouts": rollouts}
    draw(path, "Success on fresh tickets, greedily", panels)
    print(f"\ndrawn in {path}")


if __name__ == "__main__":
    main()
