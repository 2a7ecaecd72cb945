"""Oracle of the mail program: star, delete, answer or forward the mail of one sender.

Said in fixed words or in people's own. A few of the latter name sender and receiver the wrong way
round, and of two mails of one sender only a guess says which is meant: some seeds are failed.
"""

import re

from doer.records.action import Action, Element
from doer.worlds.seen import Elements, after, click, fill, find, named, quoted
from doer.worlds.world import Oracle

DELETE = re.compile(r"(?i)delet|remove|trash|rid of|throw|recycl|don't want|out of my")
STAR = re.compile(r"(?i)\b(?:star|mark|important|importance|importnat|favorite)\b")
# Words that stand before names, or on the page, and are no names.
NO_NAMES = (
    *("Can", "Email", "For", "Forward", "Forwarded", "I", "In", "Inbox", "Primary", "Reply"),
    *("Search", "Send", "The", "There", "To", "Trash", "You"),
)
NAME = rf"(?!(?:{'|'.join(NO_NAMES)})\b)([A-Z][\w-]*)"
GIVE = "(?i:send|forward|give|email|let|make sure|want|put)"


def mail(instruction: str, elements: Elements) -> Action | None:
    """Do the next thing on whichever of the four pages is open; leave those of no use."""
    verb = _verb(instruction)
    receiver = _receiver(instruction) if verb == "forward" else ""
    sender = _sender(instruction, elements, receiver)
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


def _verb(instruction: str) -> str:
    if quoted(instruction):
        return "reply"
    if DELETE.search(instruction):
        return "trash"
    return "star" if STAR.search(instruction) else "forward"


def _receiver(instruction: str) -> str:
    found = re.search(rf"\bto {NAME}( [A-Z]\w+)?\.$", instruction)
    if found:
        return found[1] + (found[2] or "")
    found = re.search(rf"\bto {NAME}", instruction)
    found = found or re.search(rf"\b{GIVE} {NAME}(?!['\w]| sent)", instruction)
    found = found or re.search(rf"\bin {NAME}'s inbox", instruction)
    found = found or re.match(rf"{NAME} (?:must|needs|wants|is)\b", instruction)
    return found[1] if found else ""


def _sender(instruction: str, elements: Elements, receiver: str) -> Element | None:
    """The last of the senders shown who is told of and does not receive."""
    said = re.sub('".*"', "", instruction)
    for element in reversed(elements):
        name = element.name
        told = re.search(rf"(?:\b|Answer){re.escape(name)}s?(?![\w-])", said)
        if told and name[:1].isupper() and name not in (*NO_NAMES, receiver):
            return element
    return None


def _send(verb: str, instruction: str, elements: Elements) -> Action | None:
    text = max(quoted(instruction), key=len) if verb == "reply" else _receiver(instruction)
    return fill(find(elements, "textbox"), text) or click(find(elements, "img", f"send-{verb}"))


ORACLES: dict[str, Oracle] = {
    "email-inbox": mail,
    "email-inbox-delete": mail,
    "email-inbox-forward": mail,
    "email-inbox-forward-nl": mail,
    "email-inbox-important": mail,
    "email-inbox-nl-turk": mail,
    "email-inbox-noscroll": mail,
    "email-inbox-reply": mail,
    "email-inbox-star-reply": mail,
}
