"""Host names in one spelling, so that a rule and a request for one host are the same text.

Names are lower case, in ASCII (IDNA 2008 with UTS 46, as browsers do), without a final dot.
Addresses are read as the WHATWG URL standard reads them: IPv4 in decimal, octal, hexadecimal and
with missing parts. What has no such spelling is refused, never guessed at.
"""

import re
from ipaddress import IPv4Address, IPv6Address

import idna

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")

Address = IPv4Address | IPv6Address


def canonical(text: str) -> str:
    """The one spelling of a host; an IPv6 address comes back without brackets.

    Raises `ValueError` that says what is wrong with it."""
    if text.startswith("["):
        if not text.endswith("]"):
            raise ValueError(f"{text[:80]!r}: the bracket of an IPv6 address does not close")
        return _ipv6(text[1:-1])
    if text.count(":") > 1:
        return _ipv6(text)
    name = _ascii(text).removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return str(_ipv4(labels))
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{text[:80]!r} is not a host name")
    return name


def address(host: str) -> Address | None:
    """The address that a canonical host is, or None for a name."""
    if ":" in host:
        return IPv6Address(host)
    try:
        return IPv4Address(host)
    except ValueError:
        return None


def canonical_pattern(text: str) -> str:
    """A host of a rule: `*.` and a name, or a host. Raises `ValueError`."""
    if not text.startswith("*."):
        return canonical(text)
    name = canonical(text[2:])
    if address(name):
        raise ValueError(f"{text[:80]!r}: an address has nothing below it")
    return f"*.{name}"


def covers(pattern: str, host: str) -> bool:
    """Whether a canonical pattern names a canonical host. `*.a.b` names what is below `a.b`."""
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return pattern == host


def bracketed(host: str) -> str:
    """The host as an address line spells it."""
    return f"[{host}]" if ":" in host else host


def split_port(text: str, default: int | None = None) -> tuple[str, int]:
    """`host:port` as a canonical host and a port. Raises `ValueError`."""
    host, colon, port = text.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = text, ""
    if not port and default is None:
        raise ValueError(f"{text[:80]!r} names no port")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise ValueError(f"{port[:20]!r} is not a port")
    return canonical(host), int(port) if port else default or 0


def _ascii(text: str) -> str:
    if not text or len(text) > 1000 or any(one.isspace() or ord(one) < 33 for one in text):
        raise ValueError(f"{text[:80]!r} is not a host name")
    if text.isascii():
        return text.lower()
    try:
        return idna.encode(text, uts46=True).decode()
    except idna.IDNAError as wrong:
        raise ValueError(f"{text[:80]!r} is not a host name: {wrong}") from wrong


def _ipv6(text: str) -> str:
    if "%" in text:
        raise ValueError(f"{text[:80]!r}: an address with a zone belongs to this machine's links")
    try:
        return str(IPv6Address(text))
    except ValueError:
        raise ValueError(f"{text[:80]!r} is not an IPv6 address") from None


def _ipv4(parts: list[str]) -> IPv4Address:
    text = ".".join(parts)
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        raise ValueError(f"{text[:80]!r} is not an IPv4 address")
    try:
        *front, last = [_number(part) for part in parts]
    except ValueError:
        raise ValueError(f"{text[:80]!r} is not an IPv4 address") from None
    if any(one > 255 for one in front) or last >= 256 ** (4 - len(front)):
        raise ValueError(f"{text[:80]!r} is not an IPv4 address")
    return IPv4Address(sum(one << (24 - 8 * at) for at, one in enumerate(front)) + last)


def _number(part: str) -> int:
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8 if part.startswith("0") and len(part) > 1 else 10)
