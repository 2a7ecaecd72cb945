"""Where settings come from: TOML files into frozen records, the state folder, and names of code."""

import importlib
import os
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from doer.errors import ConfigError

Config = TypeVar("Config")


def home() -> Path:
    """The folder all state lives in: `$DOER_HOME`, or ~/.doer."""
    return Path(os.environ.get("DOER_HOME") or Path.home() / ".doer").absolute()


def read(path: Path, kind: type[Config]) -> Config:
    """A TOML file as a record. Raises `ConfigError` saying which entry is wrong."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text()), kind)
    except FileNotFoundError:
        raise ConfigError(f"there is no file {path}") from None
    except (OSError, UnicodeDecodeError) as unreadable:
        raise ConfigError(f"{path} cannot be read: {unreadable}") from unreadable
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as wrong:
        raise ConfigError(f"{path}: {wrong}") from wrong


def load(target: str) -> Any:
    """Import the object that "module:name" names. Tables of such names keep the start quick:
    torch, browsers and worlds load when they are used."""
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)
