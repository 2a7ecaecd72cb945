"""Headers on their way through: what belongs to one connection stays on it (RFC 9110, 7.6.1)."""

import h11

from doer.computers.network.hosts import bracketed

Header = tuple[bytes, bytes]
Message = h11.Request | h11.Response | h11.InformationalResponse

_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"upgrade",
    )
)
UPGRADED: list[Header] = [(b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")]
_OURS = frozenset((b"host", b"expect"))
_FRAMING = frozenset((b"content-length", b"transfer-encoding"))
_DISGUISES = frozenset((b"x-http-method", b"x-http-method-override", b"x-method-override"))
"""A server that knows these would do another method than the one that was judged."""


def passed_on(message: Message) -> list[Header]:
    """All but those of the connection: the fixed ones, and those that `Connection` names."""
    named = {
        token.strip().lower()
        for name, value in message.headers
        if name == b"connection"
        for token in value.split(b",")
    }
    hop = _HOP | (named - _FRAMING)
    return [(raw, value) for raw, value in message.headers.raw_items() if raw.lower() not in hop]


def for_server(
    request: h11.Request, host: str, port: int, *, tls: bool, local: bool
) -> list[Header]:
    """A request's headers for the other side: `Host` is the host that was judged."""
    usual = port == (443 if tls else 80)
    here = bracketed(host) if usual else f"{bracketed(host)}:{port}"
    headers = [(b"Host", here.encode())]
    dropped = _OURS | _DISGUISES | ({b"x-forwarded-proto"} if local else frozenset[bytes]())
    headers += [one for one in passed_on(request) if one[0].lower() not in dropped]
    if local:
        headers.append((b"X-Forwarded-Proto", b"https" if tls else b"http"))
    if wants_websocket(request):
        headers += UPGRADED
    return headers


def wants_websocket(request: h11.Request) -> bool:
    """Other upgrades are not passed on: a request inside HTTP/2 could not be checked."""
    found = [value.strip().lower() for name, value in request.headers if name == b"upgrade"]
    return found == [b"websocket"] and request.method == b"GET"


def two_lengths(request: h11.Request) -> bool:
    """Whether a body's end is told in two ways, which servers understand differently."""
    return len({name for name, _ in request.headers} & _FRAMING) == 2
