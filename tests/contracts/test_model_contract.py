"""What every Model keeps, whatever stands behind it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from chat_server import ChatServer, Reply, calls, says

from doer.errors import ModelError
from doer.models.model import Model
from doer.models.openai import OpenAIModel
from doer.models.scripted import ScriptedModel
from doer.records.action import Action
from doer.records.completion import Completion, Message, Request

REQUEST = Request(messages=(Message(role="user", text="press OK"),))
ACTION = Action(tool="click", arguments={"ref": 7}, id="c1")
Build = Callable[[bool], AbstractAsyncContextManager[Model]]
"""A model that presses 7 and says so; or, given False, one that cannot answer."""


@asynccontextmanager
async def scripted(works: bool) -> AsyncIterator[Model]:
    said = Completion(text="I press", actions=(ACTION,))
    yield ScriptedModel("script", [said] * 8 if works else [])


@asynccontextmanager
async def over_http(works: bool) -> AsyncIterator[Model]:
    body = says("I press", calls("click", '{"ref": 7}', id="c1"))
    with ChatServer(Reply(body, status=200 if works else 500)) as server:
        model = OpenAIModel("tiny", base_url=server.url, api_key="none")
        yield model
        await model.close()


every_model = pytest.mark.parametrize("build", [scripted, over_http])


@every_model
async def test_it_has_a_name_and_answers_with_words_and_actions(build: Build) -> None:
    async with build(True) as model:
        assert model.name
        completion = await model.respond(REQUEST)
    assert completion.text == "I press"
    assert completion.actions == (ACTION,)
    assert completion.segment is None  # no tokens, no segment


@every_model
async def test_it_may_be_asked_many_things_at_once(build: Build) -> None:
    async with build(True) as model:
        answers = await asyncio.gather(*(model.respond(REQUEST) for _ in range(8)))
    assert [answer.actions for answer in answers] == [(ACTION,)] * 8


@every_model
async def test_what_goes_wrong_is_a_model_error(build: Build) -> None:
    async with build(False) as model:
        with pytest.raises(ModelError):
            await model.respond(REQUEST)
