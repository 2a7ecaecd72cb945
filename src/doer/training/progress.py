"""What a person sees while training runs: one line an iteration, and a live line in a terminal.
The same figures go into TensorBoard's files."""

import time
from pathlib import Path

from rich.console import Console
from rich.status import Status
from torch.utils.tensorboard import SummaryWriter

from doer.records.trajectory import Trajectory
from doer.training.corrections import Round
from doer.training.rl import Iteration
from doer.training.run import Validation

HEADER = (
    " iter  success  all-fail mixed all-pass  rows upd     kl  entropy  steps  rollouts/s  left"
)


class Progress:
    """Prints to `console`; writes TensorBoard files into `folder`/tensorboard."""

    def __init__(self, console: Console, folder: Path) -> None:
        self._console = console
        self._board = SummaryWriter(str(folder / "tensorboard"))
        self._live: Status | None = console.status("starting") if console.is_terminal else None
        if self._live:
            self._live.start()
        self._started = time.monotonic()
        self._stage = ""
        self._rollouts = 0
        self._passed = 0
        self._headed = False

    def stage(self, what: str) -> None:
        """What is being done from now on."""
        self._stage, self._rollouts, self._passed = what, 0, 0
        self._started = time.monotonic()
        self._console.print(what, style="bold", highlight=False)
        self._tick()

    def rollout(self, done: Trajectory) -> None:
        """One more rollout is finished."""
        self._rollouts += 1
        self._passed += done.passed
        self._tick()

    def line(self, text: str) -> None:
        self._console.print("  " + text, highlight=False)

    def fitted(self, stage: str, step: int, loss: float, validation: Validation) -> None:
        """A check in a stage that fits to given answers."""
        share = f"{validation.passed}/{validation.n}"
        self.line(
            f"step {step:4}  loss {loss:6.3f}  validation {validation.success:4.0%} ({share})"
        )
        self._scalars(stage, step, {"loss": loss, "validation": validation.success})

    def corrected(self, it: Round, left_s: float) -> None:
        """One round of corrections."""
        self.line(
            f"{it.number:5}  success {it.success:4.0%}  kinds at 90 % {it.solved:3}"
            f"  loss {it.loss:6.3f}  {it.rows:5} decisions  {it.rollouts / it.rollout_s:5.1f}"
            f" rollouts/s  {minutes(left_s):>4} left"
        )
        figures = {"success": it.success, "solved": float(it.solved), "loss": it.loss}
        self._scalars("corrections", it.number, figures)

    def iterated(self, it: Iteration, left_s: float) -> None:
        """One iteration of reinforcement learning."""
        if not self._headed:
            self.line(HEADER)
            self._headed = True
        shares = f"{it.success:6.0%}  {it.all_fail:7.0%} {it.mixed:6.0%} {it.all_pass:7.0%}"
        learnt = f"{it.rows:5} {it.updates:3} {it.kl:6.3f} {it.entropy:8.2f}"
        pace = f"{it.steps_of_successes:6.1f}  {it.rollouts / it.rollout_s:10.1f}"
        halved = f"  step halved {it.undone}x" if it.undone else ""
        faults = "".join(f"  {count} {end}" for end, count in it.faults.items())
        self.line(f"{it.number:5}  {shares}  {learnt} {pace}  {minutes(left_s):>4}{halved}{faults}")
        figures = {
            name: float(getattr(it, name))
            for name in it.__struct_fields__
            if isinstance(getattr(it, name), int | float) and name != "number"
        }
        self._scalars("rl", it.number, figures)

    def validated(self, validation: Validation) -> None:
        share = f"{validation.passed}/{validation.n}"
        self.line(f"       validation {validation.success:.0%} ({share})")
        self._scalars("validation", validation.at, {"success": validation.success})

    def close(self) -> None:
        if self._live:
            self._live.stop()
        self._board.close()

    def _tick(self) -> None:
        if self._live:
            speed = self._rollouts / max(1e-9, time.monotonic() - self._started)
            self._live.update(
                f"{self._stage}: {self._rollouts} rollouts, {self._passed} passed, {speed:.1f}/s"
            )

    def _scalars(self, group: str, step: int, figures: dict[str, float]) -> None:
        for name, value in figures.items():
            self._board.add_scalar(f"{group}/{name}", value, step)  # pyright: ignore[reportUnknownMemberType]
        self._board.flush()


def minutes(seconds: float) -> str:
    """A short duration: 45s, 12m, 3h05."""
    if seconds < 90:
        return f"{seconds:.0f}s"
    if seconds < 5400:
        return f"{seconds / 60:.0f}m"
    return f"{int(seconds // 3600)}h{int(seconds % 3600 // 60):02}"
