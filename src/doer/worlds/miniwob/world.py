"""MiniWoB++ (Shi et al. 2017, Liu et al. 2018): 130 small web tasks, each drawn by a seed.

No time limit and no time penalty: success is a raw reward of exactly 1 within the step limit.
"""

from importlib.resources import files

from doer.worlds.miniwob.oracles import ORACLES
from doer.worlds.miniwob.package import html_folder
from doer.worlds.site import ACTION_S, Site, WebTasks

VIEWPORT = (500, 400)  # CSS pixels; a task is 160 x 210, its pop-ups reach further
STEPS_BY_TASK = {
    "choose-date": 18,
    "choose-date-easy": 6,
    "click-button": 2,
    "click-checkboxes": 9,
    "click-checkboxes-large": 16,
    "click-checkboxes-transfer": 7,
    "click-link": 2,
    "click-option": 4,
    "email-inbox": 7,
    "enter-password": 6,
    "enter-text": 4,
    "enter-text-dynamic": 4,
    "login-user": 6,
    "use-autocomplete": 6,
}


class MiniWob(WebTasks):
    """The taskset `miniwob`. Construction raises `ConfigError` when the pages are not installed."""

    def __init__(self, pages: int = 16, action_s: float = ACTION_S) -> None:
        folder = html_folder()
        names = [page.stem for page in (folder / "miniwob").glob("*.html")]
        site = Site(
            name="miniwob",
            folder=folder,
            paths={name: f"miniwob/{name}.html" for name in names},
            viewport=VIEWPORT,
            oracles=ORACLES,
            steps=STEPS_BY_TASK,
            init_script=files("doer.worlds.miniwob").joinpath("init.js").read_text(),
            loaded="__doerLoadImages()",
        )
        super().__init__(site, pages, action_s)
