"""Backends by name, and this user's computers on one of them."""

import os
from pathlib import Path

from doer.computers.backend import Backend
from doer.computers.fleet import Fleet
from doer.config import home, load
from doer.errors import ConfigError

LOCAL = "local"
BACKENDS = {
    LOCAL: "doer.computers.local.backend:LocalBackend",
    "docker": "doer.computers.docker.backend:DockerBackend",
}


def backend(name: str) -> Backend:
    """Raises `ConfigError` for a name there is no backend for."""
    if name not in BACKENDS:
        raise ConfigError(f"no backend {name!r}; there are: {', '.join(sorted(BACKENDS))}")
    return load(BACKENDS[name])(_root(name))


def fleet(name: str = "") -> Fleet:
    """Without a name, on the backend that `DOER_BACKEND` names, or else on this machine's own."""
    name = name or os.environ.get("DOER_BACKEND") or LOCAL
    return Fleet(backend(name), _root(name))


def _root(name: str) -> Path:
    """Names are a backend's own, so each has a folder."""
    return home() / ("computers" if name == LOCAL else f"computers-{name}")
