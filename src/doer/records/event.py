"""The event: one envelope, and every kind of thing that can happen in a session.

Events are immutable. A kind is the tag of its payload; a kind this version does not know is kept
as `Unknown` and written back unchanged. Streaming deltas and screen frames are not events.
"""

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from doer.records.action import Action, Observation
from doer.records.completion import Completion, ToolSpec
from doer.records.task import End, Grade, Task

VERSION = 1
Actor = Literal["user", "agent", "system", "monitor"]
Ruling = Literal["allow", "ask", "deny"]


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """What an event says, apart from its envelope."""


class Started(Payload, frozen=True, tag="session.started", tag_field="kind"):
    """A session began: the name of its agent's model, and all that each of its requests says
    besides what follows in the log."""

    model: str
    task: Task | None = None
    instructions: str = ""
    tools: tuple[ToolSpec, ...] = ()


class Ended(Payload, frozen=True, tag="session.ended", tag_field="kind"):
    """The session is over; nothing follows."""

    end: End
    why: str = ""


class TurnStarted(Payload, frozen=True, tag="turn.started", tag_field="kind"):
    """The agent has the turn, with what it was asked to do and what it sees first."""

    instruction: str
    observation: Observation | None = None


class TurnEnded(Payload, frozen=True, tag="turn.ended", tag_field="kind"):
    """The agent yields to the user."""

    end: End
    answer: str = ""


class Said(Payload, frozen=True, tag="message", tag_field="kind"):
    """Words of the user (steering) or of the system to the agent."""

    text: str


class Decided(Payload, frozen=True, tag="decision", tag_field="kind"):
    """One model call: what the agent wants done next."""

    completion: Completion
    seconds: float = 0.0


class Intended(Payload, frozen=True, tag="action.intent", tag_field="kind"):
    """An action about to be carried out, the facts about its target, and the guard's ruling."""

    action: Action
    facts: dict[str, Any] = {}
    ruling: Ruling = "allow"
    rule: str = ""


class Observed(Payload, frozen=True, tag="action.outcome", tag_field="kind"):
    """What came back from the action whose intent is this event's cause."""

    observation: Observation
    seconds: float = 0.0


class Asked(Payload, frozen=True, tag="approval.asked", tag_field="kind"):
    """A person is asked to approve an action."""

    digest: str
    action: Action


class Answered(Payload, frozen=True, tag="approval.answered", tag_field="kind"):
    """The person's answer, bound to the digest that was asked about."""

    digest: str
    approved: bool


class ControlChanged(Payload, frozen=True, tag="control.changed", tag_field="kind"):
    """Who holds the computer's input now, or whether the work is paused."""

    holder: Literal["agent", "user", "nobody"]


class ComputerHealed(Payload, frozen=True, tag="computer.healed", tag_field="kind"):
    """A part of the computer died and was started again; `lost` says what went with it."""

    part: str
    lost: str = ""


class Faulted(Payload, frozen=True, tag="fault", tag_field="kind"):
    """Something that is not the model's doing went wrong."""

    boundary: str  # the name of the error type: ComputerError, ModelError, ...
    text: str


class Noted(Payload, frozen=True, tag="note", tag_field="kind"):
    """A tool's or the agent's own note (ledger entries, progress)."""

    text: str


class Graded(Payload, frozen=True, tag="grade", tag_field="kind"):
    """A grader's judgement of the outcome."""

    grader: str
    grade: Grade


class Unknown(Payload, frozen=True, tag="unknown", tag_field="kind"):
    """A payload of a kind this version does not know, kept as it was written."""

    raw: dict[str, Any]


Known = (
    Started | Ended | TurnStarted | TurnEnded | Said | Decided | Intended | Observed | Asked
    | Answered | ControlChanged | ComputerHealed | Faulted | Noted | Graded
)  # fmt: skip
KINDS: frozenset[str] = frozenset(str(t.__struct_config__.tag) for t in Known.__args__)


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope. `seq` (from 1, gap-free within a session) and `prev` are set by the log;
    `cause` is the seq of the event this one answers; `key` makes an effect idempotent."""

    session: str
    data: Known | Unknown
    seq: int = 0
    turn: int = 0
    step: int = 0
    at: float = 0.0  # seconds since the epoch
    actor: Actor = "system"
    cause: int | None = None
    key: str = ""
    sources: tuple[str, ...] = ()
    blobs: tuple[str, ...] = ()
    prev: str = ""  # hex chain hash of the event before; empty in memory
    v: int = VERSION

    @property
    def kind(self) -> str:
        if isinstance(self.data, Unknown):
            return str(self.data.raw.get("kind", ""))
        return str(self.data.__struct_config__.tag)


Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
UPCASTERS: dict[int, Upcaster] = {}
"""Version n -> a function that turns a version-n event (plain JSON object) into version n + 1."""


def to_json(event: Event) -> bytes:
    """The event as one line of JSON (no newline). Inverse of `from_json`."""
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    if isinstance(event.data, Unknown):
        fields["data"] = event.data.raw
    return msgspec.json.encode(fields)


def from_json(line: bytes | str) -> Event:
    """Read an event of this or any older version; unknown kinds survive.

    Raises `msgspec.ValidationError` when the line is not an event.
    """
    fields = msgspec.json.decode(line, type=dict[str, Any])
    for version in range(int(fields.get("v", 1)), VERSION):
        fields = UPCASTERS[version](fields)
    data = fields.get("data", {})
    if data.get("kind") not in KINDS or fields.get("v", VERSION) > VERSION:
        fields["data"] = {"kind": "unknown", "raw": data}
    return msgspec.convert(fields, Event)
