"""What `doer export` writes, read and learnt from by TRL's own trainers.

    python benchmarks/export_to_trl.py --trl VENV [--steps 30]

VENV is a virtual environment with `trl` and `torch`; TRL's pins would clash with ours. Oracles do
chores in a folder, a clumsy model does the same ones badly, and both are exported: `steps` and
`sft` for SFTTrainer, `dpo` for DPOTrainer. The limit is the loss at the first step: each trainer's
last loss is told as a share of it.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

KINDS = ("move-line", "set-value", "route-ticket")
SEEDS = 12
LONGEST = 2048  # tokens of a line


def peer(folder: Path, form: str, steps: int) -> None:
    """Runs in TRL's environment."""
    os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"
    from datasets import load_dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    rows = load_dataset("json", data_files=str(folder / f"{form}.jsonl"), split="train")
    model = AutoModelForCausalLM.from_pretrained(folder / "model")
    common: dict[str, Any] = {
        "output_dir": str(folder / "out"), "use_cpu": True, "bf16": False, "report_to": "none",
        "save_strategy": "no", "max_steps": steps, "logging_steps": 1, "disable_tqdm": True,
        "per_device_train_batch_size": 8, "max_length": LONGEST, "gradient_checkpointing": False,
    }  # fmt: skip
    given = {
        "train_dataset": rows,
        "processing_class": AutoTokenizer.from_pretrained(folder / "model"),
    }
    trainer: Any
    if form == "dpo":
        trainer = DPOTrainer(model, args=DPOConfig(learning_rate=1e-3, **common), **given)
    else:
        whole = form == "sft"
        config = SFTConfig(learning_rate=3e-3, assistant_only_loss=whole, **common)
        trainer = SFTTrainer(model, args=config, **given)
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    print(json.dumps([len(rows), losses[0], losses[-1]]))


async def worked(folder: Path) -> None:
    """Trajectories of tasks done well and badly, and what is exported of them."""
    import msgspec

    from doer.models.scripted import ScriptedModel
    from doer.records.action import Action
    from doer.records.completion import Completion
    from doer.training.build import Rollouts
    from doer.training.export import command
    from doer.worlds.files.world import FileChores

    world = FileChores()
    tasks = [world.task(kind, seed) for kind in KINDS for seed in range(SEEDS)]
    rollouts = Rollouts.of(world, 8, lambda _: None)
    wrong = Action(tool="write_file", arguments={"path": "wrong.txt", "text": "nothing"})
    clumsy = ScriptedModel("clumsy", lambda _: Completion(actions=(wrong,)))
    done = [*await rollouts.solved(tasks), *await rollouts.greedy(clumsy, tasks)]
    await world.close()
    source = folder / "done.jsonl"
    source.write_bytes(b"\n".join(map(msgspec.json.encode, done)))
    for form in ("steps", "sft", "dpo"):
        command(source, form, folder / f"{form}.jsonl")


def main() -> None:
    parser = argparse.ArgumentParser(description="exports read by TRL's trainers")
    parser.add_argument("--trl", type=Path, help="a virtual environment with TRL")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--form", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.form:
        peer(given.folder, given.form, given.steps)
        return
    if given.trl is None:
        sys.exit("say where TRL is installed: --trl VENV")
    sys.path.append(str(Path(__file__).parents[1] / "tests" / "fakes"))
    import small_hf

    (template,) = given.trl.glob(
        "lib/python*/site-packages/trl/chat_templates/qwen3_training.jinja"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(worked(folder))
        text = (folder / "steps.jsonl").read_text()
        small_hf.write(folder / "model", "qwen", [text], width=64)
        (folder / "model" / "chat_template.jinja").write_text(template.read_text())
        for form in ("steps", "sft", "dpo"):
            command = [str(given.trl / "bin" / "python"), __file__, "--folder", name]
            command += ["--form", form, "--steps", str(given.steps)]
            told = subprocess.run(command, capture_output=True, text=True, check=False)
            if told.returncode:
                sys.exit(told.stderr)
            lines, first, last = json.loads(told.stdout.splitlines()[-1])
            print(f"{form:5} {lines:3} lines, loss {first:.3f} -> {last:.3f} ({last / first:.0%})")


if __name__ == "__main__":
    main()
