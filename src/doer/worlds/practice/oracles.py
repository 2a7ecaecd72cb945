"""Reference solutions. They see what an agent sees and nothing else, so each also proves that the
text view is enough for its task."""

from doer.worlds.practice import oracles_dates, oracles_forms, oracles_lists
from doer.worlds.world import Oracle

ORACLES: dict[str, Oracle] = {
    **oracles_dates.ORACLES,
    **oracles_forms.ORACLES,
    **oracles_lists.ORACLES,
}
