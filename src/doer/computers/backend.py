"""What every kind of computer must offer. Above it stands one `Computer` that speaks our daemon's
protocol, RFB and CDP over what `dial` returns; backends differ only in what is named here."""

import socket
from pathlib import Path
from typing import Protocol

from doer.records.computer import Heal, Incident, NetworkRules, Probe, Service, Spec, State, Stats


class Backend(Protocol):
    """Computers by name. A name is made of letters, digits, `-` and `_`, at most 64 characters.

    Every method but `probe` raises `ComputerError` that says what is wrong and what to do; none
    degrades in silence. A computer survives the process that started it.
    """

    @property
    def name(self) -> str: ...

    async def probe(self) -> Probe:
        """Try each ingredient for real. Raises nothing."""
        ...

    def names(self) -> tuple[str, ...]:
        """The computers there are, running or not, sorted."""
        ...

    def spec(self, name: str) -> Spec: ...

    async def state(self, name: str) -> State: ...

    async def create(self, name: str, spec: Spec, snapshot: str = "") -> None:
        """Make a computer, stopped, with an empty home or that of a snapshot."""
        ...

    async def start(self, name: str) -> tuple[Heal, ...]:
        """Start the sandbox and our daemon in it, and return when the daemon answers. What had died
        of it is cleared away first. When it runs already, only what is missing around it on the
        host is mended, and told."""
        ...

    async def stop(self, name: str) -> None:
        """End all its processes. Files stay. May be repeated."""
        ...

    async def destroy(self, name: str) -> None:
        """Stop it and delete its files. Snapshots stay."""
        ...

    async def pause(self, name: str) -> None:
        """Freeze all its processes; they keep their memory."""
        ...

    async def resume(self, name: str) -> None: ...

    async def dial(self, name: str, service: Service) -> socket.socket:
        """A connected, non-blocking stream socket to a service inside."""
        ...

    async def snapshot(self, name: str) -> str:
        """Freeze the files of the home as they are, running or not; the snapshot's id. It is never
        changed afterwards and may start any number of computers."""
        ...

    async def fork(self, name: str, child: str) -> None:
        """A new, stopped computer with the same files, independent from then on."""
        ...

    async def forget(self, snapshot: str) -> None:
        """Delete a snapshot. Computers made of it stay as they are."""
        ...

    async def export(self, name: str, to: Path) -> None:
        """The computer as one file: its spec, and its files as they are."""
        ...

    async def import_from(self, archive: Path, name: str, most: Spec | None = None) -> Spec:
        """Make a computer of such a file, whoever wrote it: without network and image, and with at
        most the memory, processes and disk of `most`."""
        ...

    def incidents(self, name: str, after: float = 0) -> tuple[Incident, ...]:
        """What befell it since its last start and later than `after`, the oldest first."""
        ...

    async def stats(self, name: str) -> Stats: ...

    async def set_network(self, name: str, rules: NetworkRules) -> None:
        """Change what it may reach, at once, running or not."""
        ...

    def network_folder(self, name: str) -> Path:
        """Where on the host the proxy writes of its requests."""
        ...
