"""Replays as pairs of strips: pictures in a row, the place of each action ringed."""

from base64 import b64encode
from collections.abc import Sequence

from doer.evals.markup import Markup, element
from doer.evals.report_data import Frame, Replay, Strip

CONTROLS = (
    ("back", "‹", "Previous step", "left arrow"),
    ("play", "Play", "Play or pause", "space"),
    ("next", "›", "Next step", "right arrow"),
)
MARGIN = 3  # between a target and its ring, in CSS pixels of the page shown


def film(replays: Sequence[Replay]) -> Markup:
    """All replays; empty without any."""
    if not replays:
        return Markup("")
    title = element("h2", "The same tasks before and after, step by step")
    return element("section", title, *(_replay(replay) for replay in replays))


def _replay(replay: Replay) -> Markup:
    seed = element("span", f"seed {replay.seed}", class_="why")
    sizes = zip(replay.before.extent, replay.after.extent, strict=True)
    width, height = (max(pair) for pair in sizes)  # the same for both, so that they compare
    strips = (
        _strip(label, strip, (width, height))
        for label, strip in (("Before", replay.before), ("After", replay.after))
    )
    return element(
        "article",
        element("div", element("h3", f"{replay.task} ", seed), _controls(), class_="top"),
        element("p", replay.instruction, class_="instruction"),
        element("div", *strips, class_="pair"),
        class_="replay",
        tabindex="0",
        aria_label=f"Replay of {replay.task}, seed {replay.seed}",
    )


def _controls() -> Markup:
    """Hidden until the script that gives them a meaning runs."""
    buttons = (
        element(
            "button", face, type="button", data_do=do, aria_label=label, title=f"{label}: {key}"
        )
        for do, face, label, key in CONTROLS
    )
    output = element("output", aria_live="polite")
    return element("div", output, *buttons, class_="controls", hidden="")


def _strip(label: str, strip: Strip, extent: tuple[float, float]) -> Markup:
    result = "passed" if strip.passed else "failed"
    steps = f" {len(strip.frames)} {'step' if len(strip.frames) == 1 else 'steps'}"
    ended = "" if strip.end == "done" else f", {strip.end.replace('_', ' ')}"
    head = element(
        "h4",
        f"{label} ",
        element("span", result, class_=f"chip {result}"),
        element("span", steps + ended, class_="why"),
    )
    frames: list[Markup] = []
    for number, frame in enumerate(strip.frames, 1):
        step = element("span", str(number), class_="why")
        caption = element("figcaption", step, f" {frame.caption}")
        shot = _shot(frame, strip.viewport, extent)
        frames.append(element("li", element("figure", shot, caption)))
    kind = "strip landscape" if extent[0] > 1.2 * extent[1] else "strip"
    return element("div", head, element("ol", *frames, class_=kind))


def _shot(frame: Frame, viewport: tuple[float, float], extent: tuple[float, float]) -> Markup:
    """The picture, cut to what it shows, with a ring around the target."""
    source = "data:image/jpeg;base64," + b64encode(frame.image).decode()
    drawn = [element("image", href=source, width=viewport[0], height=viewport[1])]
    if frame.box:
        x, y, width, height = frame.box
        place: dict[str, float] = {
            "x": x - MARGIN,
            "y": y - MARGIN,
            "width": width + 2 * MARGIN,
            "height": height + 2 * MARGIN,
            "rx": 2 * MARGIN,
        }
        # A light halo under the ring keeps it visible on pages of any colour.
        drawn += [element("rect", class_=kind, **place) for kind in ("halo", "ring")]
    view = f"0 0 {extent[0]:g} {extent[1]:g}"
    return element("svg", *drawn, viewBox=view, class_="shot", aria_hidden="true")
