"""A filmed rollout as a strip of pictures: what the agent saw, and what it did about it."""

import json
from collections.abc import Sequence
from typing import Any

from doer.evals.report_data import Box, Frame, Replay, Strip
from doer.records.action import Action, Element, Observation
from doer.records.event import Intended, Observed, TurnStarted
from doer.records.task import Task
from doer.records.trajectory import Trajectory
from doer.store.blobs import Blobs

LONGEST = 60  # characters of one quoted text in a caption
ROOM = 8  # CSS pixels left free around what a page shows
LEAST = 160  # CSS pixels of a page that are shown at least, in both directions


def replays(
    before: Sequence[Trajectory],
    after: Sequence[Trajectory],
    blobs: Blobs,
    viewport: tuple[int, int],
) -> tuple[Replay, ...]:
    """The same tasks done by two models, in the same order, both filmed into `blobs`."""
    return tuple(
        Replay(
            task=one.task.name,
            seed=one.task.seed,
            instruction=one.task.instruction or other.task.instruction,
            before=strip(one, blobs, viewport),
            after=strip(other, blobs, viewport),
        )
        for one, other in zip(before, after, strict=True)
    )


def firsts(tasks: Sequence[Task]) -> list[Task]:
    """The first task of every kind."""
    return [next(task for task in tasks if task.name == n) for n in {t.name: 0 for t in tasks}]


def strip(trajectory: Trajectory, blobs: Blobs, viewport: tuple[int, int]) -> Strip:
    """One frame for every action that was pictured. `viewport` is in CSS pixels.

    Raises `StoreError` when a picture is missing from `blobs`.
    """
    frames: list[Frame] = []
    boxes: list[Box] = []
    seen: tuple[Element, ...] = ()
    for event in trajectory.events:
        match event.data:
            case TurnStarted(observation=Observation(elements=elements)) if elements:
                seen = elements
            case Observed(observation=Observation(elements=elements)) if elements:
                seen = elements
            case Intended(action=action) if event.blobs:
                target = _target(action.arguments.get("ref"), seen)
                frames.append(
                    Frame(
                        image=blobs.get(event.blobs[0]),
                        caption=caption(action, seen),
                        box=target.box if target else None,
                    )
                )
                boxes += [element.box for element in seen]
            case _:
                pass
    return Strip(
        passed=trajectory.passed,
        end=trajectory.end,
        frames=tuple(frames),
        viewport=viewport,
        extent=_extent(boxes, viewport),
    )


def _extent(boxes: list[Box], viewport: tuple[int, int]) -> tuple[float, float]:
    """How far into the viewport anything reaches, with a little room around."""
    width, height = viewport
    right = max((x + w + ROOM for x, _, w, _ in boxes), default=width)
    bottom = max((y + h + ROOM for _, y, _, h in boxes), default=height)
    return (min(max(right, LEAST), width), min(max(bottom, LEAST), height))


def caption(action: Action, seen: tuple[Element, ...]) -> str:
    """An action as one line, its targets named as the page named them: `click button "Submit"`."""
    given = action.arguments
    where = _named(given.get("ref"), seen)
    match action.tool:
        case "click":
            return f"click {where}"
        case "type":
            return f"type {_quoted(given.get('text', ''))} into {where}"
        case "select":
            return f"select {_quoted(given.get('option', ''))} in {where}"
        case "press":
            return f"press {given.get('keys', '')}"
        case "drag" if given.get("to") is not None:
            return f"drag {where} to {_named(given['to'], seen)}"
        case "drag":
            return f"drag {where} by {given.get('dx', 0)}, {given.get('dy', 0)}"
        case _ if given:
            return f"{action.tool} {json.dumps(given, ensure_ascii=False)}"
        case _:
            return action.tool


def _target(ref: Any, seen: tuple[Element, ...]) -> Element | None:
    return next((element for element in seen if element.ref == ref), None)


def _named(ref: Any, seen: tuple[Element, ...]) -> str:
    target = _target(ref, seen)
    if target is None:
        return f"[{ref}]"
    return f"{target.role} {_quoted(target.name)}" if target.name else target.role


def _quoted(text: Any) -> str:
    text = str(text)
    return f'"{text[:LONGEST]}…"' if len(text) > LONGEST else f'"{text}"'
