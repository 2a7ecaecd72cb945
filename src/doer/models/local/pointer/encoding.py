"""Requests to tokens and tokens to actions: the one function that demonstrations, rollouts,
training and evals share.

    [done] <task> instruction <page> (role text [<val> value] [on] [off] [focus] [place])*
    [<more>] <last> verb role text <act>          ->      verb [place] text <end>

Place p is the p-th element of the view. `<last>` is what was acted on last, the only memory;
everything else is read from the page. Messages of the user after the first are not read.
"""

from collections.abc import Iterator, Sequence

from doer.errors import ModelError
from doer.models.local.pointer.grammar import Grammar, Rules
from doer.models.local.pointer.vocabulary import LEADING_ZERO, PLACES, VERBS, Vocabulary
from doer.records.action import Action, Element
from doer.records.completion import Message, Request

LONGEST_PREFIX = 512
LONGEST_INSTRUCTION = 128
LONGEST_TEXT = 24  # of a name or a value
LONGEST_LIST = 64  # of the name of a list, which holds its options
LONGEST_MEMORY = 6  # of the name of the element acted on last

_FIELDS = frozenset({"textbox", "combobox"})
_STATES = (
    ("on", frozenset({"checked", "selected", "expanded"})),
    ("off", frozenset({"disabled"})),
    ("focus", frozenset({"focused"})),
)
_CLOSE = frozenset("./-@:_'")  # no space on either side
_CLOSE_BEFORE = frozenset(",;!?)]%")


def encode(request: Request, vocabulary: Vocabulary) -> tuple[int, ...]:
    """The prefix, at most 512 tokens: elements that find no room are left out from the end, and
    `<more>` says so."""
    mark = vocabulary.mark
    offered = {tool.name for tool in request.tools}
    head = [mark(verb) for verb, slots in VERBS.items() if "ref" not in slots and verb in offered]
    head += [mark("task"), *vocabulary.text(_instruction(request))[:LONGEST_INSTRUCTION]]
    tail = [mark("last"), *_memory(request, vocabulary), mark("act")]
    page = [mark("page")]
    room = LONGEST_PREFIX - len(head) - len(tail) - 1
    elements = _view(request.messages)
    for place, element in enumerate(elements):
        tokens = [*_described(element, vocabulary), vocabulary.first_place + place]
        if place == PLACES or len(page) + len(tokens) > room:
            page.append(mark("more"))
            break
        page += tokens
    return (*head, *page, *tail)


def encode_action(action: Action, request: Request, vocabulary: Vocabulary) -> tuple[int, ...]:
    """The tokens of an action. Raises ValueError when the policy could not take it."""
    slots = VERBS.get(action.tool, ())
    tokens = [vocabulary.mark(action.tool)] if action.tool in VERBS else []
    for slot in slots:
        value = action.arguments.get(slot, "")
        if slot == "ref":
            places = enumerate(_view(request.messages)[:PLACES], vocabulary.first_place)
            tokens += [place for place, element in places if element.ref == value]
        else:
            tokens += [*vocabulary.text(str(value)), vocabulary.mark("end")]
    if not Rules(Grammar(vocabulary), encode(request, vocabulary)).allow(tuple(tokens)):
        raise ValueError(f"the pointer policy cannot do {action.tool} {action.arguments} here")
    return tuple(tokens)


def decode(tokens: Sequence[int], request: Request, vocabulary: Vocabulary) -> Action:
    """The action of complete tokens; the inverse of `encode_action` up to white space that is
    nowhere in the request."""
    names = {vocabulary.mark(verb): verb for verb in VERBS}
    tool, rest = names[tokens[0]], list(tokens[1:])
    arguments: dict[str, int | str] = {}
    for slot in VERBS[tool]:
        if slot == "ref":
            arguments[slot] = _view(request.messages)[rest.pop(0) - vocabulary.first_place].ref
        else:
            end = rest.index(vocabulary.mark("end"))
            arguments[slot] = _written(rest[:end], request, vocabulary)
            del rest[: end + 1]
    if tool == "done":
        arguments["answer"] = ""
    return Action(tool=tool, arguments=arguments)


def _instruction(request: Request) -> str:
    for message in request.messages:
        if message.role == "user":
            return message.text
    raise ModelError("the pointer policy needs a message of the user: its instruction")


def _view(messages: Sequence[Message]) -> tuple[Element, ...]:
    """The elements of the last message that has any."""
    return next((m.elements for m in reversed(messages) if m.elements), ())


def _memory(request: Request, vocabulary: Vocabulary) -> list[int]:
    """Verb, role and first tokens of the name of what was acted on last."""
    messages = request.messages
    acted = next((at for at in reversed(range(len(messages))) if messages[at].actions), None)
    action = messages[acted].actions[-1] if acted is not None else None
    if action is None or action.tool not in VERBS:
        return [vocabulary.mark("none")]
    tokens = [vocabulary.mark(action.tool)]
    for element in _view(messages[:acted]):
        if element.ref == action.arguments.get("ref"):
            tokens.append(vocabulary.role(element.role))
            tokens += vocabulary.text(element.name)[:LONGEST_MEMORY]
            break
    return tokens


def _described(element: Element, vocabulary: Vocabulary) -> Iterator[int]:
    mark = vocabulary.mark
    yield vocabulary.role(element.role)
    longest = LONGEST_LIST if element.role == "combobox" else LONGEST_TEXT
    yield from vocabulary.text(element.name)[:longest]
    if element.value is not None or element.role in _FIELDS:
        yield mark("val")
        yield from vocabulary.text(element.value or "")[:LONGEST_TEXT] or (mark("none"),)
    for name, states in _STATES:
        if not states.isdisjoint(element.states):
            yield mark(name)


def _written(tokens: list[int], request: Request, vocabulary: Vocabulary) -> str:
    """Tokens back to text. The longest runs that stand in the instruction or on the page are
    taken from there as they are spelled; between such runs, spaces go where English has them."""
    elements = _view(request.messages)
    sources = [_instruction(request), *(e.name for e in elements)]
    sources += [element.value for element in elements if element.value]
    pieces = {source: vocabulary.pieces(source) for source in dict.fromkeys(sources)}
    text, at = "", 0
    while at < len(tokens):
        spelled, length = vocabulary.spelling(tokens[at]), 0
        for source, found in pieces.items():
            start, run = _longest_run(tokens[at:], [token for token, _, _ in found])
            if run > length:
                spelled, length = source[found[start][1] : found[start + run - 1][2]], run
        if at and _apart(vocabulary.tokens[tokens[at - 1]], vocabulary.tokens[tokens[at]]):
            text += " "
        text += spelled
        at += max(length, 1)
    return text


def _longest_run(wanted: list[int], there: list[int]) -> tuple[int, int]:
    """Where the longest beginning of `wanted` stands in `there`, and its length."""
    best = (0, 0)
    for start in range(len(there)):
        run = 0
        for one, other in zip(wanted, there[start:], strict=False):
            if one != other:
                break
            run += 1
        if run > best[1]:
            best = (start, run)
    return best


def _apart(left: str, right: str) -> bool:
    """Whether a space goes between two tokens."""
    if left == LEADING_ZERO or right.startswith("##"):
        return False
    return not (left in _CLOSE or right in _CLOSE or right in _CLOSE_BEFORE)
