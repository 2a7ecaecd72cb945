"""Controls as text: `[textbox "Email" = "ann@example.com" (required)]`. Secrets are masked."""

from selectolax.lexbor import LexborNode

from doer.computers.text.element import Attributes, words
from doer.computers.text.flow import Flow, Leave
from doer.computers.text.unseen import seen
from doer.records.document import Field, Form

MASK = "********"
OPTIONS = 40
VALUE_CHARS = 500
ROLES = {
    **dict.fromkeys(("button", "submit", "reset", "image"), "button"),
    **{"checkbox": "checkbox", "radio": "radio", "range": "slider", "number": "number"},
    **{"search": "searchbox", "file": "file", "password": "password", "color": "color"},
    **dict.fromkeys(("date", "time", "month", "week", "datetime-local"), "date"),
}
STATES = ("required", "disabled", "readonly", "checked", "multiple")
WRITABLE = frozenset({"textbox", "searchbox", "password", "number", "date", "file", "color"})
BUTTONS = {"submit": "Submit", "reset": "Reset", "image": "Submit"}
SECRET = ("cc-", "one-time-code", "new-password", "current-password")


def enter_form(flow: Flow, forms: list[Form], attributes: Attributes) -> Leave:
    flow.cut()
    outer, flow.fields = flow.fields, []
    method = (attributes.get("method") or "get").upper()
    action = flow.addresses.absolute(attributes.get("action") or "")
    number = len(forms) + 1
    forms.append(Form(method=method, action=action))
    name = attributes.get("aria-label") or attributes.get("name") or ""
    titled = f' "{seen(name)[:80]}"' if name else ""
    flow.put(f"[form {number}{titled}: {method} {_short(flow, action)}]")
    flow.cut()

    def leave() -> None:
        flow.cut()
        forms[number - 1] = Form(method=method, action=action, fields=tuple(flow.fields))
        flow.fields = outer

    return leave


def _short(flow: Flow, url: str) -> str:
    start = flow.url.split("/", 3)[:3]
    parts = url.split("/", 3)
    return f"/{parts[3]}"[:120] if parts[:3] == start and len(parts) > 3 else url[:120]


def put_input(flow: Flow, attributes: Attributes) -> None:
    kind = (attributes.get("type") or "text").lower()
    if kind == "hidden" or flow.raw:  # in code it is a switch for people
        return
    role = ROLES.get(kind, "textbox")
    value = attributes.get("value") or ""
    name = _name(flow, attributes)
    if role == "button":
        name = value or attributes.get("alt") or name or BUTTONS.get(kind, "")
        value = ""
    if role in ("checkbox", "radio"):
        name = name or value
        value = "" if value == "on" else value
    if role == "password" or (attributes.get("autocomplete") or "").startswith(SECRET):
        value = MASK if value else ""
    put_field(flow, role, name, value, attributes)


def put_textarea(flow: Flow, node: LexborNode, attributes: Attributes) -> None:
    put_field(flow, "textbox", _name(flow, attributes), node.text() or "", attributes)


def put_select(flow: Flow, node: LexborNode, attributes: Attributes) -> None:
    """The options follow the control; the chosen ones are its value."""
    options: list[str] = []
    chosen: list[str] = []
    for option in node.css("option"):
        text = seen(" ".join((option.text() or "").split())) or option.attributes.get("label") or ""
        options.append(text)
        if "selected" in option.attributes:
            chosen.append(text)
    if not chosen and "multiple" not in attributes:
        chosen = options[:1]
    put_field(flow, "select", _name(flow, attributes), ", ".join(chosen), attributes)
    if len(options) > 1:
        rest = len(options) - OPTIONS
        more = f" / ... {rest} more" if rest > 0 else ""
        flow.put(f" {{{' / '.join(options[:OPTIONS])}{more}}} ")


def put_field(flow: Flow, role: str, name: str, value: str, attributes: Attributes) -> None:
    states = [state for state in STATES if state in attributes]
    if attributes.get("aria-checked") == "true":
        states.append("checked")
    name = seen(" ".join(name.split()))[:200]
    value = seen(" ".join(value.split()))[:VALUE_CHARS]
    key = seen(attributes.get("name") or "")[:80]
    flow.fields.append(Field(role=role, name=name, key=key, value=value, states=tuple(states)))
    shown = f' "{name}"' if name else f" {key}" if key else ""
    shown += f' = "{value}"' if value and (role in WRITABLE or role in ("select", "slider")) else ""
    shown += f" ({', '.join(states)})" if states else ""
    flow.put(f" [{role}{shown}] ")


def _name(flow: Flow, attributes: Attributes) -> str:
    own = attributes.get("aria-label") or flow.labels.get(attributes.get("id") or "") or flow.label
    return own or attributes.get("placeholder") or attributes.get("title") or ""


def gather_labels(flow: Flow, root: LexborNode) -> None:
    """Find out which label belongs to which control, before the walk."""
    controls = {one.attributes.get("id") for one in root.css("input, select, textarea")}
    for label in root.css("label[for]"):
        target = label.attributes.get("for")
        if target and target in controls:
            flow.labels.setdefault(target, words(label))


def enter_label(flow: Flow, node: LexborNode, attributes: Attributes) -> Leave | None:
    """The words of a label are written as the name of its control, not twice."""
    named = flow.labels.get(attributes.get("for") or "")
    controls = node.css("input, select, textarea")
    if not named and len(controls) != 1 or node.css_first("a, img, button") is not None:
        return None
    outer, flow.label = flow.label, named or words(node)
    flow.muted += 1

    def leave() -> None:
        flow.muted -= 1
        flow.label = outer

    return leave
