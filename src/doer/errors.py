"""Errors, named after the boundary they crossed.

Extension code raises plain Python errors; `boundary` attributes whatever escapes to the boundary it
crossed, so one place (the session) can record it and give the rollout its typed end.
"""

from collections.abc import Generator
from contextlib import contextmanager


class DoerError(Exception):
    """Anything Doer raises on purpose; its text says what to do."""


class ConfigError(DoerError):
    """A recipe, flag or file from the user does not make sense."""


class ModelError(DoerError):
    """A model could not answer (outage, time-out, unreadable reply)."""


class ComputerError(DoerError):
    """A part of the computer died or did not answer in time."""


class SiteError(DoerError):
    """The page or service under work is broken; neither the agent nor the computer is to blame."""


class ToolError(DoerError):
    """An action could not be carried out as asked. It is told to the model and the work goes on."""


class GraderError(DoerError):
    """A grader could not judge; its rollout is unscored, never failed."""


class StoreError(DoerError):
    """The log or a blob could not be written or read."""


class PartMissing(DoerError):
    """This computer has no such part (for example: no shell on a page-only computer)."""


@contextmanager
def boundary(error: type[DoerError], what: str) -> Generator[None]:
    """Turn any unexpected exception inside into `error`; Doer's own errors pass unchanged."""
    try:
        yield
    except DoerError:
        raise
    except TimeoutError as timeout:
        raise error(f"{what}: no answer in time") from timeout
    except Exception as escaped:
        raise error(f"{what}: {type(escaped).__name__}: {escaped}") from escaped
