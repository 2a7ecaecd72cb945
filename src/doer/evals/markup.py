"""HTML built from Python, escaped by construction: only `Markup` goes in unescaped."""

from html import escape

VOID = frozenset({"img", "meta"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(tag: str, *content: str, **attributes: str | float | None) -> Markup:
    """One element. Plain text is escaped. In attribute names `_` stands for `-` and a last `_` is
    dropped (`class_`); an attribute that is None is left out, an empty one has no value."""
    opening = "".join(
        _attribute(name, value) for name, value in attributes.items() if value is not None
    )
    inside = "".join(part if isinstance(part, Markup) else escape(part) for part in content)
    return Markup(f"<{tag}{opening}>" + ("" if tag in VOID else f"{inside}</{tag}>"))


def _attribute(name: str, value: str | float) -> str:
    name = name.rstrip("_").replace("_", "-")
    if value == "":
        return f" {name}"
    text = value if isinstance(value, str) else f"{round(value, 2):g}"
    return f' {name}="{escape(text)}"'
