"""Everything a report shows, as data. Pictures are JPEG bytes; times are seconds of wall time."""

import msgspec

from doer.evals.result import Comparison, SuiteResult, compare
from doer.evals.statistics import Interval
from doer.records.task import End

Box = tuple[float, float, float, float]


class TrainingPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One iteration. `seconds` and `rollouts` count from the start of training to its end;
    `success` is the share of its scored rollouts, the other three are shares of its groups."""

    seconds: float
    rollouts: int
    success: float
    all_fail: float
    mixed: float
    all_pass: float


class ValidationPoint(msgspec.Struct, frozen=True, kw_only=True):
    """The policy on validation seeds at one moment of training, with its 95 % interval."""

    seconds: float
    rollouts: int
    success: float
    interval: Interval


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """The screen as it was before an action, the action in words, and where it went: `box` is
    x, y, width, height in CSS pixels of the viewport."""

    image: bytes
    caption: str
    box: Box | None = None


class Strip(msgspec.Struct, frozen=True, kw_only=True):
    """One rollout in pictures. Sizes are width and height in CSS pixels: of the whole `viewport`,
    and of the part of it, from the top left, that has anything to show."""

    passed: bool
    end: End
    frames: tuple[Frame, ...]
    viewport: tuple[float, float]
    extent: tuple[float, float]


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """The same task and seed before and after training."""

    task: str
    seed: int
    instruction: str
    before: Strip
    after: Strip


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A training run told from its evals. `facts` are pairs of a label and a value; `control` is
    what else could have been done with the same time, measured on the same suite."""

    title: str
    facts: tuple[tuple[str, str], ...]
    training: tuple[TrainingPoint, ...]
    validation: tuple[ValidationPoint, ...]
    before: SuiteResult
    after: SuiteResult
    control: SuiteResult | None = None
    replays: tuple[Replay, ...] = ()

    @property
    def gain(self) -> Comparison:
        return compare(self.before, self.after)

    @property
    def over_control(self) -> Comparison | None:
        return compare(self.control, self.after) if self.control else None
