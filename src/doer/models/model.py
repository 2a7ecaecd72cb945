"""The Model contract: something that answers a request."""

from typing import Protocol

from doer.records.completion import Completion, Request


class Model(Protocol):
    """API, local weights, or a script. Concurrent calls are allowed."""

    @property
    def name(self) -> str: ...

    async def respond(self, request: Request) -> Completion:
        """Answer one request. Raises `ModelError` when no answer can be had."""
        ...
