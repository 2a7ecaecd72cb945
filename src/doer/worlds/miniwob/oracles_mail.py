"""Oracle of the mail program: star, delete, answer or forward the mail of one sender."""

from doer.records.action import Action
from doer.worlds.seen import Elements, after, click, fill, find, named, quoted, word
from doer.worlds.world import Oracle

VERBS = ("reply", "forward", "trash", "star")


def mail(instruction: str, elements: Elements) -> Action | None:
    """Do the next thing on whichever of the four pages is open; leave those of no use.

    Two mails of one sender cannot be told apart when one is to be forwarded; in tasks with few
    mails that is so common that they have no oracle.
    """
    verb = next(verb for verb in VERBS if verb in instruction)
    sender = named(elements, word(r"email by (\S+)", instruction))
    if leave := find(elements, "img", "close-reply") or find(elements, "img", "close-forward"):
        send = find(elements, "img", f"send-{verb}")
        right = send and (sender or verb == "forward")  # a forwarded mail does not say whose it was
        return _send(verb, instruction, elements) if right else click(leave)
    if leave := find(elements, "img", "close-email"):
        step = find(elements, "img", verb) or named(elements, verb.capitalize())
        return click(step if sender else leave)
    if leave := find(elements, "img", "search-cancel"):
        return click(leave)
    return click(find(after(elements, sender), "img", verb) or sender)


def _send(verb: str, instruction: str, elements: Elements) -> Action | None:
    text = quoted(instruction)[0] if verb == "reply" else word(r"to (\S+)\.", instruction)
    field = find(elements, "textbox")
    return fill(field, text) or click(find(elements, "img", f"send-{verb}"))


ORACLES: dict[str, Oracle] = {
    "email-inbox": mail,
    "email-inbox-delete": mail,
    "email-inbox-important": mail,
    "email-inbox-reply": mail,
    "email-inbox-star-reply": mail,
}
