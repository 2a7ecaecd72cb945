"""Backends by name, and this user's computers on one of them."""

from pathlib import Path

from doer.computers.backend import Backend
from doer.computers.fleet import Fleet
from doer.config import home, load
from doer.errors import ConfigError

BACKENDS = {
    "local": "doer.computers.local.backend:LocalBackend",
    "docker": "doer.computers.docker.backend:DockerBackend",
}


def backend(name: str = "local") -> Backend:
    """Raises `ConfigError` for a name there is no backend for."""
    if name not in BACKENDS:
        raise ConfigError(f"no backend {name!r}; there are: {', '.join(sorted(BACKENDS))}")
    return load(BACKENDS[name])(_root(name))


def fleet(name: str = "local") -> Fleet:
    return Fleet(backend(name), _root(name))


def _root(name: str) -> Path:
    """Names are a backend's own, so each has a folder."""
    return home() / ("computers" if name == "local" else f"computers-{name}")
