import pytest
from chat_server import ChatServer, Reply, calls, says

from doer.errors import ConfigError, ModelError
from doer.models.openai import OpenAIModel
from doer.records.action import Action
from doer.records.completion import Completion, Message, Request, Sampling, ToolSpec

CLICK = ToolSpec(
    name="click",
    description="Click an element.",
    parameters={"type": "object", "properties": {"ref": {"type": "integer"}}, "required": ["ref"]},
)
REQUEST = Request(
    messages=(Message(role="system", text="rules"), Message(role="user", text="press OK")),
    tools=(CLICK,),
    sampling=Sampling(temperature=0.5, max_tokens=99, seed=3),
)


@pytest.fixture(autouse=True)
def environ(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No key, server or proxy of this machine's gets into a test."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


async def ask(
    server: ChatServer, request: Request = REQUEST, *, retries: int = 0, timeout_s: float = 10
) -> Completion:
    model = OpenAIModel("tiny", base_url=server.url, max_retries=retries, timeout_s=timeout_s)
    try:
        return await model.respond(request)
    finally:
        await model.close()


async def test_a_request_goes_out_whole_and_its_calls_come_back() -> None:
    with ChatServer(Reply(says(None, calls("click", '{"ref": 7}', id="c1")))) as server:
        completion = await ask(server)
    assert completion.actions == (Action(tool="click", arguments={"ref": 7}, id="c1"),)
    (asked,) = server.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.body == {
        "model": "tiny",
        "messages": [
            {"role": "system", "content": "rules"},
            {"role": "user", "content": "press OK"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "click",
                    "description": "Click an element.",
                    "parameters": CLICK.parameters,
                },
            }
        ],
        "temperature": 0.5,
        "max_tokens": 99,
        "seed": 3,
    }


async def test_a_whole_conversation_goes_out_with_calls_and_answers_paired() -> None:
    action = Action(tool="click", arguments={"ref": 7})
    conversation = (
        Message(role="user", text="press OK"),
        Message(role="tool", text="[7] button OK"),
        Message(role="assistant", text="I press it", actions=(action,)),
        Message(role="tool", text="pressed"),
        Message(role="assistant", text="It is pressed"),
        Message(role="user", text="thanks"),
    )
    with ChatServer() as server:
        await ask(server, Request(messages=conversation))
    (asked,) = server.asked
    assert "tools" not in asked.body
    user, pressing, pressed, done, thanks = asked.body["messages"]
    assert user == {"role": "user", "content": "press OK\n\n[7] button OK"}
    assert pressing["content"] == "I press it"
    (call,) = pressing["tool_calls"]
    assert call["function"] == {"name": "click", "arguments": '{"ref":7}'}
    assert pressed == {"role": "tool", "content": "pressed", "tool_call_id": call["id"]}
    assert done == {"role": "assistant", "content": "It is pressed"}
    assert thanks == {"role": "user", "content": "thanks"}


async def test_failures_of_the_server_are_tried_again() -> None:
    failure = Reply({"error": {"message": "busy"}}, status=500)
    with ChatServer(failure, failure, Reply(says("there"))) as server:
        assert (await ask(server, retries=2)).text == "there"
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (400, "refused"),
        (401, "set OPENAI_API_KEY"),
        (403, "another key or model"),
        (404, "end in /v1"),
        (429, "fewer at once"),
        (503, "see its log"),
    ],
)
async def test_an_error_says_what_to_do(status: int, advice: str) -> None:
    with (
        ChatServer(Reply({"error": {"message": "it is thus"}}, status=status)) as server,
        pytest.raises(ModelError, match=advice) as caught,
    ):
        await ask(server)
    assert "it is thus" in str(caught.value)
    assert f"tiny at {server.url}" in str(caught.value)


async def test_silence_ends_at_the_deadline_of_all_tries_together() -> None:
    with ChatServer(Reply(hangs=True)) as server:
        with pytest.raises(ModelError, match="no answer in time"):
            await ask(server, timeout_s=0.2, retries=1000)
        assert len(server.asked) < 3


async def test_no_server_at_all() -> None:
    with ChatServer() as server:
        pass
    with pytest.raises(ModelError, match="does the server run"):
        await ask(server)


async def test_a_page_that_is_no_api() -> None:
    with (
        ChatServer(Reply("<h1>Welcome</h1>")) as server,
        pytest.raises(ModelError, match="base URL right.*Welcome"),
    ):
        await ask(server)


@pytest.mark.parametrize("key", ["of-mine", ""])
async def test_server_and_key_come_from_the_environ(environ: pytest.MonkeyPatch, key: str) -> None:
    with ChatServer() as server:
        environ.setenv("OPENAI_BASE_URL", server.url)
        environ.setenv("OPENAI_API_KEY", key)
        model = OpenAIModel("tiny")
        await model.respond(REQUEST)
        await model.close()
    assert server.asked[0].key == f"Bearer {key or 'none'}"


async def test_openai_itself_needs_a_key() -> None:
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        OpenAIModel("tiny")


async def test_openai_itself_gets_the_limit_under_its_newer_name(
    environ: pytest.MonkeyPatch,
) -> None:
    with ChatServer() as server:
        environ.setenv("HTTP_PROXY", server.origin)
        model = OpenAIModel("tiny", base_url="http://api.openai.com/v1", api_key="of-mine")
        await model.respond(REQUEST)
        await model.close()
    (asked,) = server.asked
    assert asked.path == "http://api.openai.com/v1/chat/completions"
    assert asked.body["max_completion_tokens"] == 99
    assert "max_tokens" not in asked.body
