"""A page's own dialogs. A page stands still while one is open, so most are answered at once.

Alerts and "leave this page?" are always accepted. Other questions are declined, or wait for an
answer where somebody is there to give one. All are noted for the reader.
"""

from collections.abc import Callable

import msgspec

from doer.computers.browser.notes import CHARS, Notes

ACCEPTED = frozenset({"alert", "beforeunload"})
PATIENCE = 50  # dialogs between two views; a page that shows more shows them for ever


class Blocked(Exception):
    """A dialog opened and stopped the page in the middle of what it was asked."""


class Dialog(msgspec.Struct, frozen=True):
    """A question that waits for an answer. `type` is confirm or prompt."""

    type: str = ""
    message: str = ""
    default_prompt: str = msgspec.field(default="", name="defaultPrompt")
    url: str = ""

    def __str__(self) -> str:
        more = f', with "{self.default_prompt[:CHARS]}" filled in' if self.default_prompt else ""
        return f'{self.type} "{self.message[:CHARS]}"{more}'


class Dialogs:
    """The dialogs of one page. `send` sends a command to it and does not wait."""

    def __init__(self, send: Callable[..., object], notes: Notes, asks: bool) -> None:
        self.pending: Dialog | None = None
        self.asks = asks
        self._send = send
        self._notes = notes
        self._shown = 0

    @property
    def endless(self) -> bool:
        """More were shown between two views than a page that can be used would show."""
        return self._shown >= PATIENCE

    def opened(self, dialog: Dialog) -> bool:
        """Answer it, or keep it: True when it waits for an answer now."""
        self._shown += 1
        if self.asks and dialog.type not in ACCEPTED:
            self.pending = dialog
            return True
        self._answered(dialog, dialog.type in ACCEPTED, "")
        return False

    def answer(self, accept: bool, text: str) -> None:
        """Answer the one that waits. `text` goes into a prompt."""
        assert self.pending is not None
        dialog, self.pending = self.pending, None
        self._answered(dialog, accept, text)

    def closed(self) -> None:
        """It was answered by somebody else, or its page is gone."""
        self.pending = None

    def viewed(self) -> None:
        self._shown = 0

    def _answered(self, dialog: Dialog, accept: bool, text: str) -> None:
        params: dict[str, object] = {"accept": accept}
        if accept and dialog.type == "prompt":
            params["promptText"] = text
        self._send("Page.handleJavaScriptDialog", params)
        done = "accepted" if accept else "declined"
        message = dialog.message[:CHARS]
        self._notes.add(f'the page showed a dialog, {dialog.type} "{message}": {done}')
