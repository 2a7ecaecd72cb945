"""Takes out characters that a person would not see but a model would read: controls, marks that
turn the direction of text, zero-width and tag characters, variation selectors."""

import re

JOINERS = "\u200c\u200d"
UNSEEN = re.compile(
    "["
    "\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f"  # controls; tab, line ends and form feed stay
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "]+"
    # A joiner has a use between two letters of a script that needs it, and in emoji.
    f"|(?<![\u0590-\u1fff\u2190-\u2bff\ua800-\uabff\ufb00-\ufdff\U0001f000-\U0001ffff])[{JOINERS}]+"
    f"|[{JOINERS}]+(?![\u0590-\u1fff\u2190-\u2bff\ua800-\uabff\ufb00-\ufdff\U0001f000-\U0001ffff])"
    f"|(?<=[{JOINERS}])[{JOINERS}]+"
)
HIDDEN_TEXT = re.compile("[\U000e0000-\U000e0fff]|[\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f]")
HIDES = "invisible characters that could carry hidden text were taken out"
SUSPICIOUS = 8  # so many of these are no accident
CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]+")
BRACKETS = {0x3010: "\u3016", 0x3011: "\u3017"}


def seen(text: str) -> str:
    """The text without what cannot be seen. The brackets of our links and citations are replaced by
    similar ones, so that no page can make up either."""
    if text.isascii():
        return CONTROLS.sub("", text)
    return UNSEEN.sub("", text).translate(BRACKETS)


def hides(text: str) -> bool:
    """Whether a text carries so much of the invisible that a person should know."""
    return len(HIDDEN_TEXT.findall(text)) >= SUSPICIOUS
