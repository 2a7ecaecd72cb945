"""What happened in a browser and a reader must know of, kept until the next view."""

LIMIT = 20  # different notes; a page may make thousands
CHARS = 200  # of what a page may put into one


class Notes:
    """Notes in order of their first coming. Equal ones are counted."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._more = 0

    def __bool__(self) -> bool:
        return bool(self._counts)

    def add(self, note: str) -> None:
        if note not in self._counts and len(self._counts) >= LIMIT:
            self._more += 1
        else:
            self._counts[note] = self._counts.get(note, 0) + 1

    def take(self) -> tuple[str, ...]:
        """All notes so far; they are forgotten."""
        notes = [f"{note} ({n} times)" if n > 1 else note for note, n in self._counts.items()]
        if self._more:
            notes.append(f"... and {self._more} more things like that")
        self._counts, self._more = {}, 0
        return tuple(notes)
