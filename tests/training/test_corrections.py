"""Corrections by an oracle: a stage of its own, on real pages."""

import json
import random
from pathlib import Path

import pytest
from rich.console import Console

from doer.models.scripted import ScriptedModel
from doer.records.action import Action, Element
from doer.records.completion import Completion, Message, Request
from doer.training import corrections
from doer.training.build import Rollouts
from doer.training.progress import Progress
from doer.training.recipe import SFT, Check, Corrections, Kind, Recipe
from doer.training.run import Run
from doer.training.teaching import correction, imitation
from doer.training.trainer import Trainer
from doer.worlds.miniwob.world import MiniWob


class KilledError(Exception):
    pass


class Stopping(Progress):
    """Stops the run at a round."""

    last = 6

    def corrected(self, it: corrections.Round, left_s: float) -> None:
        super().corrected(it, left_s)
        if it.number == self.last:
            raise KilledError


KINDS = ("click-option", "enter-password")


def test_kinds_within_reach_are_drawn_more_often() -> None:
    state = corrections.State.fresh(["never", "always", "now and then"], first_seed=50)
    state.success |= {"always": 1.0, "now and then": 0.5}
    dice = random.Random(0)
    first = [corrections.drawn(state, 1, dice)[0] for _ in range(300)]
    assert 0 < first.count("always") < first.count("never") < first.count("now and then")
    assert sorted(corrections.drawn(state, 9, dice)) == sorted(state.success)


def test_a_kind_is_drawn_by_its_weight_too() -> None:
    state = corrections.State.fresh(["often", "seldom"], first_seed=50)
    dice = random.Random(0)
    first = [corrections.drawn(state, 1, dice, {"seldom": 0.1})[0] for _ in range(300)]
    assert 0 < first.count("seldom") < 60


def test_the_first_rollout_of_a_kind_is_believed_and_later_ones_are_averaged() -> None:
    state = corrections.State.fresh(["kind"], first_seed=50)
    for passed, expected in ((True, 1.0), (False, 0.7), (False, 0.49)):
        state.saw("kind", passed)
        assert state.success["kind"] == pytest.approx(expected)


async def test_a_rollout_that_changes_nothing_is_given_up() -> None:
    click = Completion(actions=(Action(tool="click", arguments={"ref": 1}),))
    model = corrections.Impatient(ScriptedModel("clicks", lambda _: click))
    same, other = (Element(1, "link", "a"),), (Element(1, "link", "b"),)

    async def said(*views: tuple[Element, ...]) -> Completion:
        shown = tuple(Message(role="tool", elements=view) for view in views)
        return await model.respond(Request(messages=shown))

    assert (await said(same, same, same)).actions
    assert (await said(same, same, other, same)).actions
    assert not (await said(other, same, same, same, same)).actions


def test_the_rate_falls_at_the_end() -> None:
    config = Corrections(minutes=1.0, learning_rate=1.0)
    found = [corrections.rate(config, share) for share in (0.0, 0.6, 0.8, 1.0)]
    assert found == pytest.approx([1.0, 1.0, 0.5, 0.05])


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_policy_learns_from_corrections_and_goes_on_where_it_stopped(
    tmp_path: Path,
) -> None:
    kinds = tuple(Kind(name=name, seeds=4, demonstrations=(0, 1)) for name in KINDS)
    recipe = Recipe(
        name="small",
        model="pointer",
        taskset="miniwob",
        kinds=kinds,
        sft=SFT(steps=10, check_every=10),
        corrections=Corrections(minutes=1.0, rollouts=8, steps=12, batch=32, validate_every=4),
        check=Check(validation=15, test=1),
    )
    run, world = Run(tmp_path / "run", recipe), MiniWob(pages=8)
    progress = Stopping(Console(quiet=True), run.folder)
    rollouts = Rollouts.of(world, 8, progress.rollout)
    trainer = Trainer(recipe, run, world, rollouts, progress)
    assert recipe.corrections
    try:
        await imitation(trainer)
        with pytest.raises(KilledError):
            await correction(trainer, recipe.corrections)
        kept = run.checkpoints("corrections").latest(corrections.State)
        assert kept is not None
        assert kept[1].round == 5
        progress.last = 1000
        await correction(trainer, recipe.corrections)
    finally:
        progress.close()
        await world.close()
    lines = (run.folder / "progress.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    numbers = [entry["number"] for entry in entries if "number" in entry]
    assert numbers == list(range(1, len(numbers) + 1))
    checks = [entry["passed"] for entry in entries if "passed" in entry]
    assert checks[-1] > checks[0] + 6  # of 30
    assert (run.folder / "corrections" / "config.json").exists()
