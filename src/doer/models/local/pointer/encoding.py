"""Requests to tokens and tokens to actions: the one function that demonstrations, rollouts,
training and evals share.

    [done] <task> instruction <page> (role text [<val> value] [on] [off] [focus] [more] [place])*
    [<more>] <last> verb role text <act>          ->      verb [place] text <end>

With a wide vocabulary, longer texts are read, `<more>` is a field of several lines, and what else
is offered stands before the task.

Place p is the p-th element of the view. `<last>` is what was acted on last, the only memory;
everything else is read from the page. Messages of the user after the first are not read.
"""

from collections.abc import Iterator, Sequence

from doer.errors import ModelError
from doer.models.local.pointer.grammar import Grammar, Rules
from doer.models.local.pointer.vocabulary import (
    DISTANCES,
    KEYS,
    PLACES,
    VERBS,
    WIDE_VERBS,
    Vocabulary,
)
from doer.models.local.pointer.writing import View, read_text, text_tokens
from doer.records.action import Action, Element
from doer.records.completion import Message, Request

LONGEST_PREFIX = 512
LONGEST_INSTRUCTION = 128
LONGEST_TEXT = 24  # of a name or a value
LONGEST_LIST = 64  # of the name of a list, which holds its options, or of a text if wide
LONGEST_MEMORY = 6  # of the name of the element acted on last

TALL = 25.0  # CSS pixels; a field of one line is lower

_FIELDS = frozenset({"textbox", "combobox"})
_STATES = (
    ("on", frozenset({"checked", "selected", "expanded"})),
    ("off", frozenset({"disabled"})),
    ("focus", frozenset({"focused"})),
)


def encode(request: Request, vocabulary: Vocabulary) -> tuple[int, ...]:
    """The prefix, at most 512 tokens: elements that find no room are left out from the end, and
    `<more>` says so."""
    mark = vocabulary.mark
    offered = {tool.name for tool in request.tools}
    head = [mark(verb) for verb, slots in VERBS.items() if "ref" not in slots and verb in offered]
    head += [mark(verb) for verb in WIDE_VERBS if vocabulary.wide and verb in offered]
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
    slots = vocabulary.verbs.get(action.tool, ())
    tokens = [vocabulary.mark(action.tool)] if action.tool in vocabulary.verbs else []
    view = _seen(request)
    for slot in slots:
        value = action.arguments.get(slot, "")
        if slot in ("ref", "to"):
            places = enumerate(view.elements[:PLACES], vocabulary.first_place)
            tokens += [place for place, element in places if element.ref == value]
        elif slot == "text":
            tokens += [*text_tokens(str(value), view, vocabulary), vocabulary.mark("end")]
        elif slot == "option":
            tokens += [*vocabulary.text(str(value)), vocabulary.mark("end")]
        elif name := _named(slot, value):
            tokens.append(vocabulary.mark(name))
    if not Rules(Grammar(vocabulary), encode(request, vocabulary)).allow(tuple(tokens)):
        raise ValueError(f"the pointer policy cannot do {action.tool} {action.arguments} here")
    return tuple(tokens)


def decode(tokens: Sequence[int], request: Request, vocabulary: Vocabulary) -> Action:
    """The action of complete tokens; the inverse of `encode_action` up to white space that is
    nowhere in the request."""
    names = {vocabulary.mark(verb): verb for verb in vocabulary.verbs}
    tool, rest = names[tokens[0]], list(tokens[1:])
    view = _seen(request)
    arguments: dict[str, int | str] = {}
    for slot in vocabulary.verbs[tool]:
        if slot in ("ref", "to"):
            arguments[slot] = view.elements[rest.pop(0) - vocabulary.first_place].ref
        elif slot in ("text", "option"):
            end = rest.index(vocabulary.mark("end"))
            arguments[slot] = read_text(rest[:end], view, vocabulary)
            del rest[: end + 1]
        else:
            name = vocabulary.tokens[rest.pop(0)].strip("<>")
            arguments[slot] = DISTANCES.get(name, name)
    if tool == "done":
        arguments["answer"] = ""
    return Action(tool=tool, arguments=arguments)


def _named(slot: str, value: object) -> str:
    """The name of a key or a distance that can be written; empty for any other."""
    if slot == "dy":
        return next((name for name, dy in DISTANCES.items() if dy == value), "")
    return str(value) if value in KEYS else ""


def _seen(request: Request) -> View:
    return View(_instruction(request), _view(request.messages))


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
    if action is None or action.tool not in vocabulary.verbs:
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
    long = element.role == "combobox" or (vocabulary.wide and element.role == "text")
    longest = LONGEST_LIST if long else LONGEST_TEXT
    yield from vocabulary.text(element.name)[:longest]
    if element.value is not None or element.role in _FIELDS:
        yield mark("val")
        yield from vocabulary.text(element.value or "")[:LONGEST_TEXT] or (mark("none"),)
    for name, states in _STATES:
        if not states.isdisjoint(element.states):
            yield mark(name)
    if vocabulary.wide and element.role == "textbox" and element.box[3] >= TALL:
        yield mark("more")
