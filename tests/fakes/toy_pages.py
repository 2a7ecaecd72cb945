"""Random pages with an instruction and its right answer: click something, or type into it."""

import random
import string

from doer.models.local.pointer.encoding import encode, encode_action
from doer.models.local.pointer.vocabulary import Vocabulary
from doer.models.local.weights import Row
from doer.records.action import Action, Element
from doer.records.completion import Message, Request, Sampling, Segment, ToolSpec


def word(random_: random.Random) -> str:
    letters = string.ascii_letters + string.digits
    return "".join(random_.choices(letters, k=random_.randint(2, 5)))


def toy(seed: int, sampling: Sampling | None = None) -> tuple[Request, Action]:
    """One request and the action that does what it asks."""
    random_ = random.Random(seed)
    roles = random_.choices(["button", "link", "checkbox", "textbox"], k=random_.randint(3, 9))
    names = [word(random_) for _ in roles]
    fields = zip(roles, names, strict=True)
    elements = tuple(
        Element(10 + at, role, name, "" if role == "textbox" else None)
        for at, (role, name) in enumerate(fields)
    )
    target = random_.choice(elements)
    if target.role == "textbox":
        typed = word(random_)
        instruction = f'Enter the text "{typed}" into {target.name}.'
        action = Action(tool="type", arguments={"ref": target.ref, "text": typed})
    else:
        instruction = f'Click on "{target.name}" now.'
        action = Action(tool="click", arguments={"ref": target.ref})
    return asked(instruction, elements, sampling or Sampling()), action


def asked(
    instruction: str,
    elements: tuple[Element, ...],
    sampling: Sampling,
    tools: tuple[ToolSpec, ...] = (),
) -> Request:
    messages = (Message(role="user", text=instruction), Message(role="tool", elements=elements))
    return Request(messages=messages, tools=tools, sampling=sampling)


def row(request: Request, action: Action, vocabulary: Vocabulary) -> Row:
    """A demonstration."""
    prefix = encode(request, vocabulary)
    answer = encode_action(action, request, vocabulary)
    total = len(prefix) + len(answer)
    mask = (0,) * len(prefix) + (1,) * len(answer)
    return Row(Segment(token_ids=prefix + answer, mask=mask, logprobs=(0.0,) * total))
