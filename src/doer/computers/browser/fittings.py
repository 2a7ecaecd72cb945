"""What every tab and every frame of another process is fitted with when it is attached to."""

from dataclasses import dataclass
from importlib.resources import files

from doer.computers.browser.cdp import Command

SCRIPTS = ("element.js", "reading.js", "acting.js")
SOURCES = [files("doer.computers.browser").joinpath("page", name).read_text() for name in SCRIPTS]


def page_js(searching: bool = False) -> str:
    """Runs in every document before its own scripts and defines `__doer`, in the page's own world:
    it calls the page's `__doerSignal`. A hostile page could lie to it, as it could in its elements.
    `searching`: it tells of elements that may have a closed shadow root."""
    return "\n".join(
        (
            # Frames of the same origin are read from outside, all others by a script of their own.
            "(() => { if (window.frameElement || window.__doer) return;",
            f"const SEARCHING = {str(searching).lower()};",
            *SOURCES,
            "})();\n",
        )
    )


PAGE_JS = page_js()
FRAMES: Command = (
    "Target.setAutoAttach",
    {
        "autoAttach": True,
        "waitForDebuggerOnStart": True,
        "flatten": True,
        "filter": [{"type": "iframe"}, {"exclude": True}],
    },
)
RESUME: Command = ("Runtime.runIfWaitingForDebugger", {})


@dataclass(frozen=True, kw_only=True)
class Fittings:
    """`script` runs in every document before its own. `viewport`: width and height in CSS pixels,
    None for those of a window. `asks`: a page's questions (confirm, prompt, a choice of files) wait
    for an answer; otherwise they are declined at once. `logins`: requests for a login are heard."""

    script: str = PAGE_JS
    viewport: tuple[int, int] | None = None
    asks: bool = False
    logins: bool = False

    def page(self) -> list[Command]:
        commands: list[Command] = [
            *(("Page.enable", {}), ("Inspector.enable", {})),
            ("Emulation.setFocusEmulationEnabled", {"enabled": True}),  # many pages, all have focus
        ]
        if self.viewport is not None:
            width, height = self.viewport
            metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
            commands.append(("Emulation.setDeviceMetricsOverride", metrics))
        return [*commands, *self._all()]

    def frame(self) -> list[Command]:
        return [("Page.enable", {}), *self._all(), RESUME]

    def _all(self) -> list[Command]:
        source = {"source": self.script, "runImmediately": True}
        commands: list[Command] = [("Page.addScriptToEvaluateOnNewDocument", source), FRAMES]
        if self.asks:
            commands.append(("Page.setInterceptFileChooserDialog", {"enabled": True}))
        if self.logins:
            documents = [{"urlPattern": "*", "resourceType": "Document"}]
            commands.append(("Fetch.enable", {"handleAuthRequests": True, "patterns": documents}))
        return commands
