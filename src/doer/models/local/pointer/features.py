"""What the net is told about a prefix beside its tokens, all of it derived from them: the part each
token stands in, and marks where instruction and page agree (exact match, as in Chen et al. 2017,
"Reading Wikipedia to Answer Open-Domain Questions")."""

from itertools import pairwise

from doer.models.local.pointer.vocabulary import PLACES, Vocabulary

SEGMENTS = 3  # task, page, last
MATCHES = 64
WORD, PAIR, NAME, VALUE, START, END = 1, 2, 4, 8, 16, 32
"""WORD: the token stands on the other side too (instruction and page). PAIR: so does it together
with the token before it. NAME, VALUE: the whole name or value of this element stands in the
instruction token for token, and has at most 8; START, END: the name begins or ends, letter by
letter, with a quoted text of the instruction. These four are set on all tokens of the element."""

_LONGEST_MATCH = 8


class Marker:
    """Derives segments and matches over one vocabulary's token ids."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._page, self._last = vocabulary.mark("page"), vocabulary.mark("last")
        self._val = vocabulary.mark("val")
        self._text = vocabulary.first_text
        self._places = range(vocabulary.first_place, vocabulary.first_place + PLACES)
        self._quote, self._spelling = vocabulary.quote, vocabulary.spelling

    def segments(self, prefix: tuple[int, ...]) -> list[int]:
        """0 in the instruction, 1 on the page, 2 in the memory."""
        page, last = prefix.index(self._page), prefix.index(self._last)
        return [0] * page + [1] * (last - page) + [2] * (len(prefix) - last)

    def matches(self, prefix: tuple[int, ...]) -> list[int]:
        """The sum of the bits of every token."""
        page, last = prefix.index(self._page), prefix.index(self._last)
        instruction = [token for token in prefix[:page] if token >= self._text]
        words, pairs = set(instruction), set(pairwise(instruction))
        on_page = {token for token in prefix[page:last] if token >= self._text}
        spelled = "".join(map(chr, instruction))
        quoted = self._quoted(instruction)
        marks = [WORD * (token in on_page) for token in prefix[:page]] + [0]
        start = page + 1
        for at in range(page + 1, last):
            token = prefix[at]
            marks.append(WORD * (token in words) + PAIR * ((prefix[at - 1], token) in pairs))
            if token in self._places:
                bits = self._element(prefix[start:at], spelled, quoted)
                marks[start:] = [mark + bits for mark in marks[start:]]
                start = at + 1
        return marks + [0] * (len(prefix) - len(marks))

    def _quoted(self, instruction: list[int]) -> list[str]:
        """The texts between quotation marks, without their spaces."""
        parts: list[str] = [""]
        for token in instruction:
            if token == self._quote:
                parts.append("")
            else:
                parts[-1] += self._spelling(token)
        return [part for part in parts[1::2] if part]

    def _element(self, tokens: tuple[int, ...], spelled: str, quoted: list[str]) -> int:
        """The bits NAME, VALUE, START and END of one element."""
        value_at = tokens.index(self._val) if self._val in tokens else len(tokens)
        bits = 0
        for bit, part in ((NAME, tokens[:value_at]), (VALUE, tokens[value_at:])):
            text = "".join(chr(token) for token in part if token >= self._text)
            if 1 <= len(text) <= _LONGEST_MATCH and text in spelled:
                bits += bit
        if quoted:
            pieces = (self._spelling(token) for token in tokens[:value_at] if token >= self._text)
            name = "".join(pieces)
            bits += START * any(name.startswith(text) for text in quoted)
            bits += END * any(name.endswith(text) for text in quoted)
        return bits
