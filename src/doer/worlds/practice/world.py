"""Practice: web pages of our own, such as forms, shops, calendars and mail, each drawn by a seed.

Tasks named `train-...` are to train on; those named `test-...` have other widgets and are for tests
only. Success is a raw reward of exactly 1: everything saved is right and nothing else was changed.
"""

from pathlib import Path

from doer.worlds.practice.oracles import ORACLES
from doer.worlds.site import ACTION_S, Site, WebTasks

VIEWPORT = (800, 600)  # CSS pixels
HTML = Path(__file__).parent / "html"
NAMES = tuple(sorted(page.stem for page in (HTML / "pages").glob("*.js")))
TRAINING = tuple(name for name in NAMES if name.startswith("train-"))
TEST_ONLY = tuple(name for name in NAMES if name.startswith("test-"))


class Practice(WebTasks):
    """The taskset `practice`."""

    def __init__(self, pages: int = 16, action_s: float = ACTION_S) -> None:
        site = Site(
            name="practice",
            folder=HTML,
            paths={name: f"page.html?{name}" for name in NAMES},
            viewport=VIEWPORT,
            oracles=ORACLES,
        )
        super().__init__(site, pages, action_s)
