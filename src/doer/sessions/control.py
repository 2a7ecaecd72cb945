"""Control: who holds the computer's input, the agent or a person."""

import asyncio


class Control:
    """The agent works while it holds control. A person takes it, and gives it back."""

    def __init__(self) -> None:
        self._agents_turn = asyncio.Event()
        self._agents_turn.set()

    @property
    def held_by_user(self) -> bool:
        return not self._agents_turn.is_set()

    def take(self) -> None:
        """From the next action on the agent waits."""
        self._agents_turn.clear()

    def give_back(self) -> None:
        self._agents_turn.set()

    async def agents_turn(self) -> None:
        """Wait until the agent may act."""
        await self._agents_turn.wait()
