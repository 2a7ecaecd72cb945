"""HTTP authentication: a site that asks is answered from what the owner knows, or told no.

To hear of it every request for a document is stopped and let go on at once. A refused password is
not tried again, so nothing loops; without one Chromium shows what the site says to strangers.
"""

from collections.abc import Callable

import msgspec

from doer.computers.browser.cdp import Connection
from doer.computers.browser.notes import CHARS, Notes
from doer.errors import DoerError

Credentials = Callable[[str], tuple[str, str] | None]
"""Origin (`https://example.com:8443`) -> user and password, if they are known. Must not block."""


class _Challenge(msgspec.Struct, frozen=True):
    origin: str = ""
    source: str = "Server"
    realm: str = ""


class _Paused(msgspec.Struct, rename="camel"):
    request_id: str
    auth_challenge: _Challenge = _Challenge()


class Logins:
    def __init__(
        self, connection: Connection, credentials: Credentials | None, notes: Notes
    ) -> None:
        self._connection = connection
        self._credentials = credentials
        self._notes = notes
        self._asked: dict[str, tuple[str, str]] = {}  # by request
        self._refused: set[tuple[str, str, str]] = set()
        self._decode = msgspec.json.Decoder(_Paused).decode

    def hear(self, session: str, method: str, params: msgspec.Raw) -> None:
        """An event of a page or a frame. Events of other interceptions must not come here."""
        match method:
            case "Fetch.requestPaused":
                request = {"requestId": self._decode(params).request_id}
                self._connection.send("Fetch.continueRequest", request, session)
            case "Fetch.authRequired":
                paused = self._decode(params)
                answer = {
                    "requestId": paused.request_id,
                    "authChallengeResponse": self._answer(paused),
                }
                self._connection.send("Fetch.continueWithAuth", answer, session)
            case _:
                pass

    def _answer(self, paused: _Paused) -> dict[str, str]:
        challenge = paused.auth_challenge
        origin, realm = challenge.origin, challenge.realm[:CHARS]
        if given := self._asked.pop(paused.request_id, None):
            self._refused.add((origin, *given))
        known = self._known(origin) if challenge.source == "Server" else None
        if known is None or (origin, *known) in self._refused:
            why = "what is known was refused" if known else "none is known for it"
            self._notes.add(f'{origin} asks for a user name and password ("{realm}"): {why}')
            return {"response": "CancelAuth"}
        self._asked[paused.request_id] = known
        user, password = known
        self._notes.add(f'{origin} asked for a user name and password ("{realm}"): sent')
        return {"response": "ProvideCredentials", "username": user, "password": password}

    def _known(self, origin: str) -> tuple[str, str] | None:
        if self._credentials is None:
            return None
        try:
            return self._credentials(origin)
        except DoerError as error:
            self._notes.add(f"the login for {origin} could not be looked up: {error}")
            return None
