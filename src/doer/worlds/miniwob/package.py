"""The `miniwob` package. Only its html folder is used; it is never imported, for it would bring
gymnasium and selenium."""

import importlib.util
from pathlib import Path

from doer.errors import ConfigError


def html_folder() -> Path:
    """Where the pages are. Raises `ConfigError` when the package is not installed."""
    found = importlib.util.find_spec("miniwob")
    if found is None or not found.submodule_search_locations:
        raise ConfigError("the MiniWoB++ pages are not installed: pip install 'doer[miniwob]'")
    return Path(found.submodule_search_locations[0]) / "html"
