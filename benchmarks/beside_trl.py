"""Doer beside TRL's GRPOTrainer: the same weights, tokenizer, tools, tasks and group size.

    python benchmarks/beside_trl.py --trl VENV [--steps 12] [--rounds 2] [--faults]

VENV is a virtual environment with `trl`, `torch` and what Doer itself needs (msgspec, openai, rich,
typer, pillow, selectolax, h11, idna); TRL's pins would clash with ours. The model is a 2-layer
Qwen3 of width 96 with TRL's own chat template, fitted here to a few demonstrations. The task is
`files/route-tickets`: two calls of a tool, then words. Both sides make one optimiser step on 8
groups of 8 rollouts. The first step of each run is left out (warm-up). With --faults, 5 % of resets
fail, 1 % of calls hang, and a reset takes 0.3 s.
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
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from doer.agents.agent import INSTRUCTIONS
from doer.agents.context import request
from doer.computers.computer import Computer
from doer.computers.files import Folder, files_view
from doer.errors import SiteError, ToolError
from doer.graders.folder import FolderState
from doer.models.chat import in_order, tool_param
from doer.records.event import Event, Started, TurnStarted
from doer.records.task import Task
from doer.sessions.build import tools as tools_named
from doer.tools.tool import spec
from doer.worlds.files.chores import CHORES
from doer.worlds.files.world import TOOLS, FileChores
from doer.worlds.world import Environment

KIND = "route-tickets"
GROUPS, GROUP = 8, 8
LONGEST = 64  # tokens of one answer
RATE = 5e-4
RESET_S, FAILING, HANGING = 0.3, 0.05, 0.01
STALLED_S = 60.0  # without a new step, a run counts as hung


# --- the tasks, the same for both sides ---


class Faulty(FileChores):
    """The files world with faults put in."""

    dice = random.Random(0)

    async def prepare(self, task: Task) -> Environment:
        await asyncio.sleep(RESET_S)
        if self.dice.random() < FAILING:
            raise SiteError("reset failed on purpose")
        environment = await super().prepare(task)
        if self.dice.random() < HANGING * 3:  # three calls a rollout
            environment.computer.files.write = hang  # type: ignore[method-assign]
        return environment


async def hang(*_: Any) -> None:
    await asyncio.Event().wait()


def prompt(seed: int, kind: str = KIND) -> list[dict[str, str]]:
    """What Doer's agent is asked, as chat messages."""
    there = tools_named(TOOLS)
    instruction = CHORES[kind](random.Random(f"{kind}/{seed}")).instruction
    start = Started(
        model="", instructions=INSTRUCTIONS, tools=tuple(spec(tool) for tool in there.values())
    )
    with tempfile.TemporaryDirectory() as folder:
        first = asyncio.run(files_view(Folder(Path(folder))))
    events = [start, TurnStarted(instruction=instruction, observation=first)]
    asked = request([Event(session="", seq=n, data=data) for n, data in enumerate(events, 1)])
    return [{"role": m.role, "content": m.text} for m in in_order(asked.messages)]


# --- Doer's side ---


async def doer_side(folder: Path, steps: int, faults: bool) -> None:
    from doer.models.local.hf.policy import HFPolicy
    from doer.records.trajectory import Trajectory
    from doer.training.recipe import RL
    from doer.training.rl import Group, Iteration, State, reinforce
    from doer.worlds.rollout import Runner

    world = Faulty() if faults else FileChores()
    policy = HFPolicy.fresh(folder, None, LONGEST)
    pool = [world.task(KIND, seed) for seed in range(200)]
    if faults:
        from msgspec.structs import replace

        pool = [replace(task, limits=replace(task.limits, step_s=3.0)) for task in pool]
    rl = RL(
        iterations=steps, tasks=GROUPS, group=GROUP, rounds=1, updates=1, rows=1, tokens=2048,
        learning_rate=RATE, warmup=0, efficiency=0.0, minutes=1e9,
    )  # fmt: skip
    started = time.monotonic()
    calls = tokens = 0

    async def collect(tasks: Sequence[Task], seed: int) -> list[Trajectory]:
        nonlocal calls, tokens
        runner = Runner(taskset=world, model=policy.model, concurrency=64, seed=seed)
        done = await runner.run(tasks)
        calls += sum(max(0, rollout.steps - 1) for rollout in done)
        tokens += sum(len(r.segments[-1].token_ids) for r in done if r.segments)
        return done

    async def after(state: State, report: Iteration, groups: Sequence[Group]) -> None:
        policy.refresh()
        tell(time.monotonic() - started, state.rollouts, calls, tokens, report.success)

    with tempfile.TemporaryDirectory() as undo:
        state = State.fresh(pool, seed=0)
        await reinforce(policy.learner, collect, pool, rl, state, Path(undo), after)


def tell(seconds: float, rollouts: int, calls: int, tokens: int, reward: float) -> None:
    """One line a step: seconds since the start, and totals."""
    print(json.dumps([seconds, rollouts, calls, tokens, reward]), flush=True)


# --- TRL's side ---


class Desk:
    """TRL's environment: the same folder, files and grader."""

    kind = KIND
    calls = 0
    faults = False
    dice = random.Random(0)

    def reset(self, seed: int, **_: Any) -> None:
        if self.faults:
            time.sleep(RESET_S)
            if self.dice.random() < FAILING:
                raise ConnectionError("reset failed on purpose")
        self._folder = Path(tempfile.mkdtemp(prefix="doer-trl-"))
        self._files = Folder(self._folder)
        self._after = CHORES[self.kind](random.Random(f"{self.kind}/{seed}")).after

    async def list(self) -> str:
        """List all files and what is in them."""
        return await self._told(None)

    async def read_file(self, path: str) -> str:
        """Read one file.

        Args:
            path: path inside the folder, for example notes/a.txt
        """
        return await self._told(self._files.read(path))

    async def write_file(self, path: str, text: str) -> str:
        """Write a file, replacing what was in it.

        Args:
            path: path inside the folder, for example notes/a.txt
            text: the text
        """
        return await self._told(self._files.write(path, text))

    async def _told(self, work: Any) -> str:
        Desk.calls += 1
        if self.faults and self.dice.random() < HANGING:
            await hang()
        try:
            found = await work if work is not None else None
        except ToolError as error:
            return str(error)
        return found if isinstance(found, str) else (await files_view(self._files)).text

    async def get_reward(self) -> float:
        grade = await FolderState(self._after).grade(Computer(files=self._files))
        self._files.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        return grade.score


def same_tools(trainer: Any) -> None:
    """Let the trainer write the tools as Doer does, not from the methods' annotations: the prompts
    of both sides are then the same to the letter, as the model has learnt them."""
    ours = [tool_param(spec(tool)) for tool in tools_named(TOOLS).values()]
    trainer.tools = ours
    trainer._env_tools = {name: ours for name in trainer._env_tools}


def trl_side(folder: Path, steps: int, faults: bool) -> None:
    os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    Desk.faults = faults
    started = time.monotonic()

    class Tell(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if logs and "reward" in logs:
                seconds, rollouts = time.monotonic() - started, state.global_step * GROUPS * GROUP
                tell(seconds, rollouts, Desk.calls, int(logs["num_tokens"]), logs["reward"])

    rows = [{"prompt": prompt(seed), "seed": seed} for seed in range(200)]
    with tempfile.TemporaryDirectory() as out:
        trainer = GRPOTrainer(
            model=AutoModelForCausalLM.from_pretrained(folder),
            processing_class=AutoTokenizer.from_pretrained(folder),
            train_dataset=Dataset.from_list(rows),
            environment_factory=Desk,
            args=GRPOConfig(
                output_dir=out, use_cpu=True, bf16=False, report_to="none", save_strategy="no",
                per_device_train_batch_size=GROUPS * GROUP, num_generations=GROUP,
                max_steps=steps, logging_steps=1, learning_rate=RATE, lr_scheduler_type="constant",
                temperature=1.0, beta=0.0, loss_type="dr_grpo", max_completion_length=400,
                max_tool_calling_iterations=3, gradient_checkpointing=False, disable_tqdm=True,
            ),
            callbacks=[Tell()],
        )  # fmt: skip
        same_tools(trainer)
        trainer.train()


# --- both ---


def small_qwen(folder: Path, template: str, texts: Sequence[str], seed: int) -> None:
    """A 2-layer Qwen3 of width 96 with random weights, and a tokenizer learnt from the texts."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import (
        GenerationConfig,
        PreTrainedTokenizerFast,
        Qwen3Config,
        Qwen3ForCausalLM,
    )

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    learnt = trainers.BpeTrainer(
        vocab_size=900, special_tokens=marks, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    bpe.train_from_iterator([*texts, *[template] * 3], learnt)
    words = PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    words.chat_template = template
    torch.manual_seed(seed)
    net = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=len(words), hidden_size=96, intermediate_size=256, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=2, head_dim=24, tie_word_embeddings=True,
            max_position_embeddings=2048, pad_token_id=0, bos_token_id=None, eos_token_id=2,
        )
    )  # fmt: skip
    net.generation_config = GenerationConfig(eos_token_id=2, pad_token_id=0)
    net.save_pretrained(folder)
    words.save_pretrained(folder)


def fitted(folder: Path, template: str) -> None:
    """A small model that can make the calls, and is right now and then."""
    from doer.models.local.hf.policy import HFPolicy
    from doer.training.build import Rollouts
    from doer.training.recipe import SFT
    from doer.training.sft import demonstrated, imitate

    texts = [str(prompt(seed)) for seed in range(200)]
    texts += ['<tool_call>\n{"name": "write_file", "arguments": {"path": "1.txt", "text": "'] * 50
    small_qwen(folder, template, texts, 0)

    async def fit() -> None:
        world = FileChores()
        policy = HFPolicy.fresh(folder, None, LONGEST)
        tasks = [world.task(KIND, seed) for seed in range(1000, 1016)]
        shown = await Rollouts.of(world, 8, lambda _: None).solved(tasks)
        rows = demonstrated(policy, shown)

        async def check(step: int, loss: float) -> None:
            print(f"fitted: step {step}, loss {loss:.3f}", file=sys.stderr)

        config = SFT(steps=160, check_every=40, learning_rate=3e-3, batch=16)
        await imitate(policy.learner, rows, config, 0, check)
        policy.save(folder)

    asyncio.run(fit())


Step = tuple[float, int, int, int, float]


def measured(side: str, python: Path, folder: Path, given: argparse.Namespace) -> list[Step]:
    """The steps that one run told of before it ended, crashed or hung."""
    command = [python, __file__, "--side", side, "--folder", folder, "--steps", given.steps]
    command += ["--faults"] if given.faults else []
    source = Path(__file__).parents[1] / "src"
    process = subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(source)},
    )  # fmt: skip
    os.set_blocking(process.stdout.fileno(), False)  # type: ignore[union-attr]
    steps: list[Step] = []
    heard = time.monotonic()
    while process.poll() is None and time.monotonic() - heard < STALLED_S:
        for line in lines(process):
            steps.append(tuple(json.loads(line)))
            heard = time.monotonic()
        time.sleep(0.05)
    steps += [tuple(json.loads(line)) for line in lines(process)]
    if process.poll() is None:
        process.kill()
        print(f"  {side}: hung after step {len(steps)}")
    elif process.returncode:
        last = process.stderr.read().strip().splitlines()[-1:]  # type: ignore[union-attr]
        print(f"  {side}: crashed after step {len(steps)}: {' '.join(last)[:120]}")
    return steps


def lines(process: "subprocess.Popen[str]") -> Iterator[str]:
    while process.stdout and (line := process.stdout.readline()):
        if line.startswith("["):
            yield line


def speeds(steps: list[Step]) -> tuple[float, float, float] | None:
    """Rollouts, calls and tokens a second, without the first step."""
    if len(steps) < 3:
        return None
    first, last = steps[0], steps[-1]
    seconds = last[0] - first[0]
    return tuple((last[at] - first[at]) / seconds for at in (1, 2, 3))  # type: ignore[return-value]


def main() -> None:
    parser = argparse.ArgumentParser(description="Doer beside TRL's GRPOTrainer")
    parser.add_argument("--trl", type=Path, help="a virtual environment with TRL")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--side", choices=["doer", "trl"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    sides: dict[str, Callable[[], None]] = {
        "doer": lambda: asyncio.run(doer_side(given.folder, given.steps, given.faults)),
        "trl": lambda: trl_side(given.folder, given.steps, given.faults),
    }
    if given.side:
        sides[given.side]()
        return
    pythons = {"doer": Path(sys.executable), "trl": given.trl / "bin" / "python"}
    (template,) = given.trl.glob(
        "lib/python*/site-packages/trl/chat_templates/qwen3_instruct_2507.jinja"
    )
    with tempfile.TemporaryDirectory() as folder:
        fitted(Path(folder), template.read_text())
        best: dict[str, tuple[float, float, float]] = {}
        for _ in range(given.rounds):
            for side, python in pythons.items():
                steps = measured(side, python, Path(folder), given)
                rewards = " ".join(f"{step[4]:.2f}" for step in steps)
                seconds = steps[-1][0] if steps else 0.0
                print(f"  {side:4} {len(steps)} steps in {seconds:.1f} s: {rewards}")
                found = speeds(steps)
                if found:
                    rollouts, calls, tokens = found
                    told = f"{rollouts:.1f} rollouts/s  {calls:.1f} calls/s  {tokens:.0f} tokens/s"
                    print(f"       {told}")
                    best[side] = max(best.get(side, (0.0, 0.0, 0.0)), found)
    if len(best) == 2:
        ratios = [own / other for own, other in zip(best["doer"], best["trl"], strict=True)]
        told = "rollouts {:.1f} x, calls {:.1f} x, tokens {:.1f} x".format(*ratios)
        print(f"Doer / TRL, a second: {told}")


if __name__ == "__main__":
    main()
