"""A recipe: everything a training run depends on, as a small TOML file."""

import msgspec

from doer.models.local.lora import Lora
from doer.models.local.optimizers import Kind as Optimizer


class Kind(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One task kind: training seeds 0 .. `seeds` - 1, of which some are demonstrated. `weight`:
    how often corrections draw it as against others of the same success."""

    name: str
    seeds: int
    demonstrations: tuple[int, ...] = ()
    weight: float = 1.0


class SFT(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Supervised start. Of the weights after each `check_every` steps the best on validation
    tasks is kept."""

    steps: int
    check_every: int
    learning_rate: float = 1.5e-3
    warmup: int = 20
    batch: int = 32


class Corrections(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Corrections by oracles from the supervised start. A round draws `kinds` kinds, makes
    `rollouts` rollouts of each, on seeds from `first_seed` on that were not used before, and learns
    for `steps` steps: `batch` decisions a step, half of them from this round, half from the last
    `kept` of every kind."""

    minutes: float  # of wall time, rollouts and steps together
    first_seed: int = 1000
    kinds: int = 16
    rollouts: int = 8
    alone: int = 3  # of them without the oracle's help: only these count as successes
    steps: int = 60
    batch: int = 48
    kept: int = 2000
    learning_rate: float = 1e-3
    validate_every: int = 25  # rounds


class Pointer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sizes of the small policy, and what moves its weights. A `wide` one is told more of a page
    and can also press keys, scroll, drag, and write a little that stands nowhere. With `start`, a
    folder or `starter`, it has the weights and sizes that are there, made wide."""

    start: str = ""

    width: int = 128
    layers: int = 3
    wide: bool = False
    merges: int = 700  # of its vocabulary, which is learnt from the training tasks
    optimizer: Optimizer = "adamw"
    threads: int = 1  # while learning; more pay only when no browser works meanwhile


class DPO(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Preference fine-tuning from the supervised start. The pairs come from the file `pairs`, or
    from `group` graded rollouts of every training task."""

    steps: int
    check_every: int
    pairs: str = ""
    group: int = 8
    beta: float = 0.1  # how strongly the policy is held to its start
    learning_rate: float = 1.5e-4
    warmup: int = 10
    batch: int = 16  # pairs


class RL(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reinforcement learning. An iteration draws `tasks` tasks, `group` rollouts each, refills
    while fewer than `mixed` groups have both outcomes (at most `rounds` draws), then makes up to
    `updates` updates of at least `rows` decisions each."""

    iterations: int
    minutes: float = 60.0  # of wall time, rollouts and updates together
    tasks: int = 16
    group: int = 8
    mixed: int = 3
    rounds: int = 3
    updates: int = 2
    rows: int = 64
    tokens: int = 256  # the constant every update's loss is divided by
    learning_rate: float = 1.5e-4
    warmup: int = 2  # iterations
    clip_low: float = 0.2
    clip_high: float = 0.28
    entropy: float = 0.003
    efficiency: float = 0.1  # reward for shorter successes, once `efficiency_from` is reached
    efficiency_from: float = 0.8
    kl_limit: float = 0.1  # mean log-ratio to the sampler; a step beyond it is halved
    validate_every: int = 4  # iterations
    rehearsed: int = 0  # demonstrated decisions learnt from beside each iteration's
    renaming: float = 0.0  # share of rollout steps in which the tasks' own words are exchanged
    enough: float = 1.01  # validation success that, reached twice running, ends training


class Check(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Held-out seeds of every kind: for choosing (validation) and for the report (test)."""

    validation: int = 8
    test: int = 40


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """See `recipes/quickstart.toml`. `model` is `pointer`, which is made new, or the folder of a
    Hugging Face model, of which `lora` trains an adapter only; it answers with at most `longest`
    tokens."""

    name: str
    model: str
    pointer: Pointer = Pointer()
    lora: Lora | None = None
    longest: int = 512
    taskset: str
    kinds: tuple[Kind, ...]
    sft: SFT
    corrections: Corrections | None = None
    dpo: DPO | None = None
    rl: RL | None = None
    check: Check = Check()
    seed: int = 0
    concurrency: int = 8

    @property
    def training_seeds(self) -> int:
        """Distinct training tasks (kind and seed), demonstrations included."""
        return sum(len(set(range(k.seeds)) | set(k.demonstrations)) for k in self.kinds)
