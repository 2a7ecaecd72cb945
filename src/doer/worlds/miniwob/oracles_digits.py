"""Oracles of digits: one drawn in checkboxes, one guessed."""

from doer.records.action import Action
from doer.worlds.seen import Elements, all_of, click, fill, find, quoted, submit
from doer.worlds.world import Oracle

# How the page's example draws each digit: seven rows of four boxes.
DRAWN = (
    ".##. #..# #..# #..# #..# #..# .##.",
    "..#. .##. ..#. ..#. ..#. ..#. ..#.",
    ".##. #..# #..# ..#. .#.. #... ####",
    ".##. #..# ...# .##. ...# #..# .##.",
    "#... #.#. #.#. #### ..#. ..#. ..#.",
    "#### #... #... ###. ...# #..# .##.",
    ".##. #..# #... ###. #..# #..# .##.",
    "#### #..# ...# ..#. ..#. .#.. .#..",
    ".##. #..# #..# .##. #..# #..# .##.",
    ".##. #..# #..# .### ...# #..# .##.",
)


def draw_digit(instruction: str, elements: Elements) -> Action | None:
    ticked = DRAWN[int(quoted(instruction)[0])].replace(" ", "")
    for box, mark in zip(all_of(elements, "checkbox"), ticked, strict=True):
        if ("checked" in box.states) != (mark == "#"):
            return click(box)
    return submit(elements)


def guess(instruction: str, elements: Elements) -> Action | None:
    """Begin in the middle; each answer names the last guess and the way to go."""
    field = find(elements, "textbox")
    number = next((int(e.name) for e in all_of(elements, "text") if e.name.isdigit()), None)
    if number is None:
        return fill(field, "5") or submit(elements)
    higher = any("higher" in e.name for e in elements)
    return fill(field, str(number + (1 if higher else -1))) or submit(elements)


ORACLES: dict[str, Oracle] = {
    "guess-number": guess,
    "number-checkboxes": draw_digit,
}
