"""A computer's network rules, ready to judge. Nothing here does I/O."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from doer.computers.network.hosts import canonical_pattern, covers
from doer.errors import ConfigError
from doer.records.computer import HostRule, NetworkRules

_ASK = "Ask the person you work for to allow it"
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~")


@dataclass(frozen=True, slots=True)
class Judgement:
    """`rule` names what decided, `why` is for the caller when it may not. `route`: where a made-up
    host is answered. `terminate`: TLS ends here. `narrowed`: only what can be read may pass."""

    allowed: bool
    rule: str
    why: str = ""
    route: str = ""
    terminate: bool = False
    narrowed: bool = False
    private: bool = False


class Rulebook:
    """`NetworkRules` with every host in its one spelling."""

    def __init__(self, rules: NetworkRules) -> None:
        """Raises `ConfigError` for a host or route that makes no sense."""
        self.rules = rules
        self._allow = [(_pattern(one.host), one) for one in rules.allow]
        self._routes = [(_pattern(one.host), check_route(one.to)) for one in rules.routes]
        self._terminate = [_pattern(one) for one in rules.terminate]
        self._private = [_pattern(one) for one in rules.private]

    def host(self, host: str, port: int) -> Judgement:
        """May this canonical host be connected to? What is then said may still be refused."""
        for pattern, to in self._routes:
            if covers(pattern, host):
                return Judgement(True, f"route {pattern}", route=to, terminate=True)
        terminate = any(covers(one, host) for one in self._terminate)
        private = any(covers(one, host) for one in self._private)
        if self.rules.mode == "open":
            return Judgement(True, "open", terminate=terminate, private=private)
        if self.rules.mode == "off":
            return Judgement(False, "off", f"The network of this computer is off. {_ASK}.")
        matching = self._matching(host, port)
        if matching:
            narrowed = all(one.methods or one.paths for _, one in matching)
            named = f"allow {matching[0][0]}"
            return Judgement(True, named, terminate=terminate, narrowed=narrowed, private=private)
        ports = sorted({p for name, one in self._allow if covers(name, host) for p in one.ports})
        if ports:
            why = f"{host} is allowed on port {', '.join(map(str, ports))} only, not on {port}."
        else:
            why = f"{host} is not on this computer's list of allowed hosts. {_ASK}."
        return Judgement(False, "allowlist", why)

    def request(self, host: str, port: int, method: str, path: str) -> Judgement:
        """May this request be made of it? `path` is as sent, without the query."""
        judged = self.host(host, port)
        if not judged.allowed or judged.route or self.rules.mode == "open":
            return judged
        for pattern, rule in self._matching(host, port):
            if _fits(rule, method, path):
                return Judgement(
                    True,
                    f"allow {pattern}",
                    terminate=judged.terminate,
                    narrowed=bool(rule.methods or rule.paths),
                    private=judged.private,
                )
        why = f"{method} {path[:200]} is not among the requests allowed to {host}. {_ASK}."
        return Judgement(False, judged.rule, why)

    def _matching(self, host: str, port: int) -> list[tuple[str, HostRule]]:
        return [(p, one) for p, one in self._allow if covers(p, host) and port in one.ports]


def check_route(to: str) -> str:
    """Raises `ConfigError` unless it is `127.0.0.1:PORT` (or another address) or `unix:/PATH`."""
    if to.startswith("unix:/"):
        return to
    host, _, port = to.rpartition(":")
    if host in ("127.0.0.1", "localhost", "[::1]") and port.isdigit() and 0 < int(port) < 65536:
        return to
    raise ConfigError(f"route to {to!r}: write 127.0.0.1:PORT or unix:/path/of/a/socket")


def plain_path(path: str) -> str | None:
    """The path with needless escapes undone, or None when servers could read it in two ways: dot
    segments, empty segments, and slashes or backslashes in disguise."""

    def undo(found: re.Match[str]) -> str:
        character = chr(int(found[1], 16))
        return character if character in _UNRESERVED or character == "." else found[0].upper()

    plain = _ESCAPE.sub(undo, path)
    doubtful = ("%2F", "%5C", "%25", "%00", "\\", ";")
    if (
        any(one in plain for one in doubtful)
        or "//" in plain
        or re.search(r"%(?![0-9A-F]{2})", plain)
    ):
        return None
    if any(segment in (".", "..") for segment in plain.split("/")):
        return None
    return plain


def _fits(rule: HostRule, method: str, path: str) -> bool:
    if rule.methods and method not in {one.upper() for one in rule.methods}:
        return False
    if not rule.paths:
        return True
    plain = plain_path(path)
    return plain is not None and any(fnmatchcase(plain, one) for one in rule.paths)


def _pattern(host: str) -> str:
    try:
        return canonical_pattern(host)
    except ValueError as wrong:
        raise ConfigError(f"network rules: {wrong}") from wrong
