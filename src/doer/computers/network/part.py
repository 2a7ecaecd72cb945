"""The network as a part of a computer: what it may reach, and to change that."""

from doer.computers.backend import Backend
from doer.computers.network.log import Line, recent
from doer.records.computer import NetworkRules


class Network:
    """Every method raises `ComputerError` when the computer is not there any more."""

    def __init__(self, backend: Backend, name: str) -> None:
        self._backend, self._name = backend, name

    @property
    def rules(self) -> NetworkRules:
        return self._backend.spec(self._name).network

    async def set_rules(self, rules: NetworkRules) -> None:
        """Judge by these from now on, also what is under way. Raises `ConfigError` for rules that
        make no sense."""
        await self._backend.set_network(self._name, rules)

    def requests(self, count: int = 50) -> tuple[Line, ...]:
        """The last requests and what became of them, the oldest first."""
        return recent(self._backend.network_folder(self._name), count)

    def refused(self) -> str:
        """Why the last request was not let out, "" when it was."""
        last = self.requests(1)
        return last[0].why if last and last[0].verdict not in ("allowed", "closed") else ""
