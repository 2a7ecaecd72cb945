"""Reference solutions. They see what an agent sees and nothing else, so each also proves that the
text view is enough for its task."""

from doer.worlds.miniwob import (
    oracles_clicks,
    oracles_dates,
    oracles_digits,
    oracles_flights,
    oracles_forms,
    oracles_lists,
    oracles_mail,
)
from doer.worlds.world import Oracle

ORACLES: dict[str, Oracle] = {
    **oracles_clicks.ORACLES,
    **oracles_dates.ORACLES,
    **oracles_digits.ORACLES,
    **oracles_flights.ORACLES,
    **oracles_forms.ORACLES,
    **oracles_lists.ORACLES,
    **oracles_mail.ORACLES,
}
