"""One recipe from end to end: demonstrate, imitate, reinforce, test, report.

It can be stopped anywhere: finished stages are found in the run's folder and not done again, and
long ones go on from their last checkpoint.
"""

from pathlib import Path

from doer.evals.report import write
from doer.evals.suite import SPLITS, Suite
from doer.training import build
from doer.training.reinforcement import reinforcement
from doer.training.teaching import correction, imitation, preference
from doer.training.telling import Named, told
from doer.training.trainer import Trainer

STAGES = {
    "untrained": "before training",
    "sft": "supervised start",
    "corrections": "after corrections",
    "dpo": "after preference fine-tuning",
    "rl": "after reinforcement learning",
}


async def train(trainer: Trainer) -> Path:
    """Run the recipe to its end; the path of the report."""
    run = trainer.run
    if not (run.folder / "sft").exists():
        await imitation(trainer)
    if trainer.recipe.corrections and not (run.folder / "corrections").exists():
        await correction(trainer, trainer.recipe.corrections)
    if trainer.recipe.dpo and not (run.folder / "dpo").exists():
        await preference(trainer, trainer.recipe.dpo)
    if not (run.folder / "model").exists():
        if trainer.recipe.rl:
            await reinforcement(trainer, trainer.recipe.rl)
        best = build.resumed_policy(trainer.recipe, run.folder / trainer.last)
        best.save(run.folder / "model.unfinished")
        (run.folder / "model.unfinished").rename(run.folder / "model")
    return await testing(trainer)


async def testing(trainer: Trainer) -> Path:
    """The test seeds, once: before and after, with pictures of one task of each kind."""
    recipe, run, progress = trainer.recipe, trainer.run, trainer.progress
    suite = Suite.of(
        trainer.taskset,
        [kind.name for kind in recipe.kinds],
        range(SPLITS["test"][0], SPLITS["test"][0] + recipe.check.test),
    )
    progress.stage(f"Test: {len(suite.tasks)} tasks on seeds never seen, before and after")
    before, after = (
        Named(STAGES[stage], build.resumed_policy(recipe, run.folder / stage).model)
        for stage in (trainer.before, trainer.last)
    )
    report = await told(trainer.rollouts, recipe, run, suite, before, after)
    return write(report, run.folder)
