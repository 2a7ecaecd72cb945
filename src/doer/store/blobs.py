"""Big things by their content: screenshots, pages, outputs. Their name is their SHA-256."""

import hashlib
import os
from pathlib import Path
from typing import Protocol

from doer.errors import StoreError


class Blobs(Protocol):
    """Put bytes, get a digest; the same bytes always have the same digest."""

    def put(self, content: bytes) -> str: ...

    def get(self, digest: str) -> bytes:
        """Raises `StoreError` when there is no such blob."""
        ...


class MemoryBlobs:
    """Implements `Blobs` for rollouts whose pictures go into a report and nowhere else."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}

    def put(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        self._blobs[digest] = content
        return digest

    def get(self, digest: str) -> bytes:
        try:
            return self._blobs[digest]
        except KeyError:
            raise StoreError(f"no blob {digest}") from None


class FolderBlobs:
    """Implements `Blobs` in a folder, two levels deep; writes are atomic."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(digest)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_name(f"{digest}.{os.getpid()}")
            unfinished.write_bytes(content)
            unfinished.replace(path)
        return digest

    def get(self, digest: str) -> bytes:
        path = self._path(digest)
        if not path.is_file():
            raise StoreError(f"no blob {digest}")
        return path.read_bytes()

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest
