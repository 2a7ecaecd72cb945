"""Curves of several runs in one SVG file: panels side by side, shares 0..1 upwards."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from doer.evals.charts import nice_step
from doer.evals.markup import Markup, element

Curve = Sequence[tuple[float, float]]
"""(x, share) points, x rising."""

WIDTH, HEIGHT = 420, 300  # of a panel, pixels
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 44, 44
INK, FAINT = "#333", "#ddd"
COLOURS = ("#0b6e99", "#c2571a", "#4b7f35")


def draw(path: Path, title: str, panels: Mapping[str, Mapping[str, Curve]]) -> None:
    """`panels`: what x is -> the name of a run -> its curve. Runs keep their colour by order."""
    drawn = [_text(LEFT, 18, title, size=14)]
    for at, (label, curves) in enumerate(panels.items()):
        drawn.append(element("g", *_panel(label, curves), transform=f"translate({at * WIDTH} 0)"))
    size = {"width": WIDTH * len(panels), "height": HEIGHT}
    box = f"0 0 {size['width']} {size['height']}"
    about = {"xmlns": "http://www.w3.org/2000/svg", "viewBox": box, "font_family": "sans-serif"}
    back = element("rect", fill="white", **size)
    path.write_text(element("svg", back, *drawn, **about, **size))


def _panel(label: str, curves: Mapping[str, Curve]) -> list[Markup]:
    most = max((x for curve in curves.values() for x, _ in curve), default=1.0) or 1.0

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * value / most

    def y(share: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)

    drawn: list[Markup] = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        drawn.append(_line(x(0), y(share), x(most), y(share), FAINT))
        drawn.append(_text(LEFT - 6, y(share) + 4, f"{100 * share:.0f} %", anchor="end"))
    step = nice_step(most, most=6)
    for tick in range(int(most / step) + 1):
        at = x(tick * step)
        drawn.append(_text(at, HEIGHT - BOTTOM + 16, f"{tick * step:,g}", anchor="middle"))
    drawn.append(_text(WIDTH - RIGHT, HEIGHT - 8, label, anchor="end"))
    for at, ((name, curve), colour) in enumerate(zip(curves.items(), COLOURS, strict=False)):
        points = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in curve)
        look = {"fill": "none", "stroke": colour, "stroke_width": 2}
        drawn.append(element("polyline", points=points, **look))
        drawn += [element("circle", cx=x(a), cy=y(b), r=3, fill=colour) for a, b in curve]
        drawn.append(_text(LEFT + 90 * at, TOP - 10, name, colour=colour))
    return drawn


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> Markup:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=colour)


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", size: int = 11, colour: str = INK
) -> Markup:
    look = {"fill": colour, "font_size": size, "text_anchor": anchor}
    return element("text", text, x=x, y=y, **look)
