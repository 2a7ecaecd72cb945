"""Oracles of lists of things with controls of their own: posts, dishes, tickets, shapes, fields."""

import re

from doer.records.action import Action, Element
from doer.worlds.seen import (
    Elements,
    after,
    all_of,
    choose,
    click,
    fill,
    find,
    named,
    ordinal,
    quoted,
    submit,
    word,
)
from doer.worlds.world import Oracle

SHAPES = {"rect": "Rectangle", "circle": "Circle", "polygon": "Triangle"}


def act_on_post(instruction: str, elements: Elements) -> Action | None:
    """Click the icon below a user's post, or "more" and the entry of its menu."""
    user, action = word(r"user (@\S+),", instruction), quoted(instruction)[0]
    post = after(elements, find(elements, "text", user))
    icon = find(post, "img", action.lower())
    entry = next((e for e in post if e.role != "img" and e.name.startswith(action)), None)
    return click(icon or entry or find(post, "img", "more"))


def act_on_posts(instruction: str, elements: Elements) -> Action | None:
    """Switch on the icons below all, or some, of a user's posts, and off all others."""
    user, action = word(r"(@\S+)", instruction), quoted(instruction)[0].lower()
    some = re.search(r"on (\d+) post", instruction)
    posts = [e for e in elements if e.name == user]
    wanted = [find(after(elements, post), "img", action) for post in posts]
    if some:
        wanted = wanted[: int(some[1])]
    for icon in all_of(elements, "img"):
        if (icon in wanted) != ("selected" in icon.states):
            return click(icon)
    return submit(elements)


def order_food(instruction: str, elements: Elements) -> Action | None:
    """Each dish is its name, icons of its kinds, "-", its quantity if any, and "+"."""
    ordered = re.match(r"Order (\d+) items that are (\S+)", instruction)
    if ordered:
        dish = _dish_before(elements, find(elements, "img", ordered[2]))
        wanted = {dish: int(ordered[1])}
    else:
        wanted = dict.fromkeys(word(r"item: (.*)", instruction).split(", "), 1)
    for dish, count in wanted.items():
        controls = after(elements, named(after(elements, find(elements, "text", dish)), "-"))
        if len(controls) > 1 and controls[0].name != str(count):
            return click(named(controls, "+"))
    return submit(elements)


def _dish_before(elements: Elements, icon: Element | None) -> str:
    texts = [e.name for e in elements[: elements.index(icon)] if e.role == "text"] if icon else []
    return texts[-1] if texts else ""


def buy_ticket(instruction: str, elements: Elements) -> Action | None:
    """Each ticket is its duration and a button with its price."""
    costs: list[tuple[int, int]] = []  # minutes, price
    buttons = all_of(elements, "button")
    for button in buttons:
        hours, minutes = re.findall(r"\d+", elements[elements.index(button) - 1].name)
        costs.append((int(hours) * 60 + int(minutes), int(word(r"\$(\d+)", button.name))))
    by = [cost["duration" not in instruction] for cost in costs]
    best = min(by) if re.search("cheapest|shortest", instruction) else max(by)
    return click(buttons[by.index(best)])


def find_contact(instruction: str, elements: Elements) -> Action | None:
    """Turn pages until the person is there."""
    person = word(r"Find (.*) in the contact", instruction)
    if find(elements, "text", person) is None:
        return click(find(elements, "link", ">"))
    label = word(r"on their (\w+)", instruction).capitalize()
    return click(find(after(elements, find(elements, "text", f"{label}:")), "link"))


def search(instruction: str, elements: Elements) -> Action | None:
    """Three pages of three results; which page it is, is told by the turns it offers."""
    titles = [e for e in all_of(elements, "link") if e.name not in ("1", "2", "3", "<", ">")]
    if typed := fill(find(elements, "textbox"), quoted(instruction)[0]):
        return typed
    if not titles:
        return click(find(elements, "button"))
    page = 0 if find(elements, "link", "<") is None else 1 if find(elements, "link", ">") else 2
    wanted, place = divmod(ordinal(instruction), 3)
    return click(titles[place] if wanted == page else find(elements, "link", str(wanted + 1)))


def mark_odd_or_even(instruction: str, elements: Elements) -> Action | None:
    """Each row is a button "Odd", the number, a button "Even"."""
    for number in all_of(elements, "text"):
        at = elements.index(number)
        button = elements[at - 1] if int(number.name) % 2 else elements[at + 1]
        if "selected" not in button.states:
            return click(button)
    return submit(elements)


def generate_number(instruction: str, elements: Elements) -> Action | None:
    shown = find(elements, "text")
    number = int(shown.name) if shown and shown.name.isdigit() else None
    bound = int((re.findall(r"\d+", instruction) or ["0"])[0])
    fits = number is not None and (
        ("less" in instruction and number < bound)
        or ("greater" in instruction and number > bound)
        or ("odd" in instruction and number % 2 == 1)
        or ("even" in instruction and number % 2 == 0)
    )
    return click(find(elements, "button", "Submit" if fits else "Generate"))


def count_blocks(instruction: str, elements: Elements) -> Action | None:
    count = len(all_of(elements, "img"))
    return fill(find(elements, "textbox"), str(count)) or submit(elements)


def name_shape(instruction: str, elements: Elements) -> Action | None:
    shape = elements[0]
    kind = "Number" if shape.name.isdigit() else "Letter"
    if shape.role == "img":
        kind = SHAPES[shape.name.split()[0]]
    return click(find(elements, "button", kind))


def click_coordinate(instruction: str, elements: Elements) -> Action | None:
    """The points stand column by column, each from the top: x and y from -2 to 2."""
    x, y = re.findall(r"\((-?\d),(-?\d)\)", instruction)[0]
    points = [e for e in elements if e.name.startswith("circle")]
    return click(points[(int(x) + 2) * 5 + 2 - int(y)])


def click_ascending(instruction: str, elements: Elements) -> Action | None:
    """After the 1 the numbers turn into boxes, which stay in their order."""
    return click(named(elements, "1") or find(elements, "img"))


def choose_from_menu(instruction: str, elements: Elements) -> Action | None:
    """Point at the items of the path to open their menus (a wheel turned by nothing points), click
    the last."""
    path = word(r"Select (.*)", instruction).split(">")
    shown = [item for name in path if (item := named(elements, name))]
    if not shown:
        return None
    if shown[-1].name == path[-1]:
        return click(shown[-1])
    return Action(tool="scroll", arguments={"ref": shown[-1].ref, "dy": 0})


def choose_many(instruction: str, elements: Elements) -> Action | None:
    wanted = word(r"Select (.*) from the scroll list", instruction).split(", ")
    box = find(elements, "combobox")
    chosen = (box.value or "").split(" | ") if box else []
    left = [name for name in wanted if name not in chosen]
    return choose(box, left[0]) if left else submit(elements)


def click_widget(instruction: str, elements: Elements) -> Action | None:
    """Of the two kinds of text fields the higher is the text area."""
    kind = quoted(instruction)[0]
    if kind not in ("text", "textarea"):
        return click(find(elements, kind))
    fields = all_of(elements, "textbox")
    pick = max if kind == "textarea" else min
    return click(pick(fields, key=lambda field: field.box[3]))


def radio_and_number(instruction: str, elements: Elements) -> Action | None:
    first, second = re.findall(r"(\d)(?:st|nd|rd)", instruction)
    radio = all_of(elements, "radio")[int(first) - 1]
    field = all_of(elements, "textbox")[int(second) - 1]
    ticked = None if "checked" in radio.states else click(radio)
    return ticked or fill(field, quoted(instruction)[0]) or submit(elements)


def slide_and_check(instruction: str, elements: Elements) -> Action | None:
    """Move the slider by arrow keys, which need the focus on its handle."""
    handle, shown = elements[0], find(elements, "text")
    away = int(word(r"Select (-?\d+)", instruction)) - int(shown.name if shown else 0)
    if away and "focused" not in handle.states:
        return click(handle)
    if away:
        return Action(tool="press", arguments={"keys": "ArrowRight" if away > 0 else "ArrowLeft"})
    box = all_of(elements, "checkbox")[ordinal(instruction)]
    return submit(elements) if "checked" in box.states else click(box)


def spin(instruction: str, elements: Elements) -> Action | None:
    field = find(elements, "textbox")
    if field is None:
        return None
    value = re.fullmatch(r"-?\d+", field.value or "")
    if value is None:
        return fill(field, "0")
    away = int(word(r"Select (-?\d+)", instruction)) - int(value[0])
    if away == 0:
        return submit(elements)
    if "focused" not in field.states:
        return click(field)
    return Action(tool="press", arguments={"keys": "ArrowUp" if away > 0 else "ArrowDown"})


def sign_agreement(instruction: str, elements: Elements) -> Action | None:
    """The name can be written once the text has been scrolled to its end."""
    if "enter the name" not in instruction:
        return click(find(elements, "button", "Cancel"))
    text, field = all_of(elements, "textbox")
    if "disabled" in field.states:
        return Action(tool="scroll", arguments={"ref": text.ref, "dy": 10_000})
    name, button = quoted(instruction)
    return fill(field, name) or click(find(elements, "button", button))


def sort_numbers(instruction: str, elements: Elements) -> Action | None:
    """Drag the first number that is out of order onto the place where it belongs."""
    items = all_of(elements, "text")
    wanted = sorted(items, key=lambda item: int(item.name))
    for item, should in zip(items, wanted, strict=True):
        if item is not should:
            return Action(tool="drag", arguments={"ref": should.ref, "to": item.ref})
    return submit(elements)


ORACLES: dict[str, Oracle] = {
    "ascending-numbers": click_ascending,
    "buy-ticket": buy_ticket,
    "click-menu": choose_from_menu,
    "click-scroll-list": choose_many,
    "click-widget": click_widget,
    "drag-sort-numbers": sort_numbers,
    "form-sequence": slide_and_check,
    "form-sequence-2": radio_and_number,
    "generate-number": generate_number,
    "grid-coordinate": click_coordinate,
    "identify-shape": name_shape,
    "odd-or-even": mark_odd_or_even,
    "order-food": order_food,
    "phone-book": find_contact,
    "search-engine": search,
    "sign-agreement": sign_agreement,
    "social-media": act_on_post,
    "social-media-all": act_on_posts,
    "social-media-some": act_on_posts,
    "use-spinner": spin,
    "visual-addition": count_blocks,
}
