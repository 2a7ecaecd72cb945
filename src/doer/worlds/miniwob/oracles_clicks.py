"""Oracles of tasks that are done by clicking: buttons, links, tabs, boxes, menus, trees."""

from doer.records.action import Action
from doer.worlds.seen import (
    Elements,
    all_of,
    check,
    click,
    find,
    named,
    quoted,
    submit,
    word,
)
from doer.worlds.world import Oracle


def click_quoted(instruction: str, elements: Elements) -> Action | None:
    return click(named(elements, quoted(instruction)[0]))


def click_only_button(instruction: str, elements: Elements) -> Action | None:
    return submit(elements)


def click_button_word(instruction: str, elements: Elements) -> Action | None:
    return click(find(elements, "button", word(r"button (\w+)\.", instruction)))


def click_sequence(instruction: str, elements: Elements) -> Action | None:
    """ONE, then TWO: the button that has the focus has been clicked."""
    one, two = find(elements, "button", "ONE"), find(elements, "button", "TWO")
    return click(two if one and "focused" in one.states else one)


def click_dialog_button(instruction: str, elements: Elements) -> Action | None:
    label = quoted(instruction)[0]
    return click(find(elements, "button", "Close" if label == "x" else label))


def click_option(instruction: str, elements: Elements) -> Action | None:
    wanted = word(r"Select (.*) and click Submit", instruction)
    return check(find(elements, "radio", wanted)) or submit(elements)


def click_checkboxes(instruction: str, elements: Elements) -> Action | None:
    wanted = word(r"Select (.*) and click Submit", instruction).split(", ")
    for box in all_of(elements, "checkbox"):
        if (box.name in wanted) != ("checked" in box.states):
            return click(box)
    return submit(elements)


def click_tab(instruction: str, elements: Elements) -> Action | None:
    return click(find(elements, "tab", word(r"(Tab #\d)", instruction)))


def find_in_tabs(instruction: str, elements: Elements) -> Action | None:
    """Click the word if it is there, else open the next tab, the first after the last."""
    tabs = all_of(elements, "tab")
    shown = next((i for i, tab in enumerate(tabs) if "selected" in tab.states), -1)
    content = [e for e in elements if e.role not in ("tab", "text")]  # a text is no link
    return click(named(content, quoted(instruction)[0]) or tabs[(shown + 1) % len(tabs)])


def expand_and_submit(instruction: str, elements: Elements) -> Action | None:
    section, *_ = all_of(elements, "tab")
    return click(named(elements, "Submit") if "expanded" in section.states else section)


def find_in_tree(instruction: str, elements: Elements) -> Action | None:
    """Click the name if it is there, else open the first closed folder by its handle."""
    handles = all_of(elements, "img")
    closed = next((handle for handle in handles if "expanded" not in handle.states), None)
    return click(named(elements, quoted(instruction)[0]) or closed)


ORACLES: dict[str, Oracle] = {
    "click-button": click_quoted,
    "click-button-sequence": click_sequence,
    "click-checkboxes": click_checkboxes,
    "click-checkboxes-large": click_checkboxes,
    "click-checkboxes-transfer": click_checkboxes,
    "click-collapsible": expand_and_submit,
    "click-collapsible-2": find_in_tabs,
    "click-collapsible-2-nodelay": find_in_tabs,
    "click-collapsible-nodelay": expand_and_submit,
    "click-dialog": click_only_button,
    "click-dialog-2": click_dialog_button,
    "click-link": click_quoted,
    "click-option": click_option,
    "click-tab": click_tab,
    "click-tab-2": find_in_tabs,
    "click-tab-2-easy": find_in_tabs,
    "click-tab-2-hard": find_in_tabs,
    "click-tab-2-medium": find_in_tabs,
    "click-test": click_only_button,
    "click-test-2": click_button_word,
    "click-test-transfer": click_button_word,
    "navigate-tree": find_in_tree,
    "unicode-test": click_quoted,
}
