import pytest

from doer.errors import ModelError
from doer.models.scripted import ScriptedModel
from doer.records.action import Action
from doer.records.completion import Completion, Message, Request

REQUEST = Request(messages=(Message(role="user", text="go"),))


async def test_a_list_is_said_in_order_and_then_ends() -> None:
    said = [Completion(actions=(Action(tool="read"),)), Completion(text="done")]
    model = ScriptedModel("oracle", said)
    assert model.name == "oracle"
    assert [await model.respond(REQUEST), await model.respond(REQUEST)] == said
    with pytest.raises(ModelError, match="script of oracle is over after 2 answers"):
        await model.respond(REQUEST)


async def test_a_function_sees_the_request_each_time() -> None:
    model = ScriptedModel("echo", lambda request: Completion(text=request.messages[-1].text))
    for text in ("one", "two", "three"):
        request = Request(messages=(Message(role="user", text=text),))
        assert (await model.respond(request)).text == text
