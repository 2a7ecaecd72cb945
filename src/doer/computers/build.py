"""Backends by name, and this user's computers on one of them."""

from doer.computers.backend import Backend
from doer.computers.fleet import Fleet
from doer.config import home, load
from doer.errors import ConfigError

BACKENDS = {
    "local": "doer.computers.local.backend:LocalBackend",
}


def backend(name: str = "local") -> Backend:
    """Raises `ConfigError` for a name there is no backend for."""
    if name not in BACKENDS:
        raise ConfigError(f"no backend {name!r}; there are: {', '.join(sorted(BACKENDS))}")
    return load(BACKENDS[name])(home() / "computers")


def fleet(name: str = "local") -> Fleet:
    return Fleet(backend(name), home() / "computers")
