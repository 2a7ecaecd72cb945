"""Notes, dialogs and logins without a browser."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from doer.computers.browser.cdp import Command, Connection
from doer.computers.browser.dialogs import Dialog, Dialogs
from doer.computers.browser.logins import Logins
from doer.computers.browser.notes import LIMIT, Notes
from doer.errors import ConfigError


class Wire(Connection):
    """Keeps what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Command] = []

    def send(self, method: str, params: dict[str, Any] | None = None, session: str = "") -> Any:
        self.sent.append((method, params or {}))


@given(st.lists(st.integers(0, 40).map(str)))
def test_notes_are_counted_and_never_endless(given: list[str]) -> None:
    notes = Notes()
    for note in given:
        notes.add(note)
    assert bool(notes) == bool(given)
    taken = notes.take()
    assert len(taken) <= LIMIT + 1
    first = list(dict.fromkeys(given))[:LIMIT]
    counted = [f"{one} ({n} times)" if (n := given.count(one)) > 1 else one for one in first]
    assert list(taken[: len(first)]) == counted
    assert notes.take() == ()


def test_only_one_question_waits_and_alerts_do_not() -> None:
    sent: list[tuple[str, object]] = []
    dialogs = Dialogs(lambda *call: sent.append(call), Notes(), asks=True)
    assert not dialogs.opened(Dialog(type="alert", message="x"))
    assert dialogs.opened(Dialog(type="prompt", message="Name?"))
    dialogs.answer(accept=True, text="Ann")
    assert sent == [
        ("Page.handleJavaScriptDialog", {"accept": True}),
        ("Page.handleJavaScriptDialog", {"accept": True, "promptText": "Ann"}),
    ]
    assert dialogs.pending is None


def challenge(request: str, source: str = "Server") -> msgspec.Raw:
    asked = {"origin": "https://x.test", "source": source, "realm": "R"}
    return msgspec.Raw(msgspec.json.encode({"requestId": request, "authChallenge": asked}))


def test_a_proxy_gets_no_password() -> None:
    wire = Wire()
    logins = Logins(wire, lambda _: ("ann", "secret"), Notes())
    logins.hear("S", "Fetch.authRequired", challenge("1", source="Proxy"))
    [(_, answer)] = wire.sent
    assert answer["authChallengeResponse"] == {"response": "CancelAuth"}


def test_a_refused_password_is_sent_once() -> None:
    wire, notes = Wire(), Notes()
    logins = Logins(wire, lambda _: ("ann", "wrong"), notes)
    for request in ("1", "1", "2", "3"):
        logins.hear("S", "Fetch.authRequired", challenge(request))
    answers = [params["authChallengeResponse"]["response"] for _, params in wire.sent]
    assert answers == ["ProvideCredentials", "CancelAuth", "CancelAuth", "CancelAuth"]
    assert not any("wrong" in note for note in notes.take())


def test_a_vault_that_fails_is_told_and_asked_for_no_more_than_this() -> None:
    def broken(_: str) -> tuple[str, str]:
        raise ConfigError("the vault is locked")

    wire, notes = Wire(), Notes()
    Logins(wire, broken, notes).hear("S", "Fetch.authRequired", challenge("1"))
    assert wire.sent[0][1]["authChallengeResponse"] == {"response": "CancelAuth"}
    assert any("the vault is locked" in note for note in notes.take())
