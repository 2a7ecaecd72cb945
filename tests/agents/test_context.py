from doer.agents.context import KEPT_LOGS, KEPT_VIEWS, LEFT_OUT, request
from doer.records.action import Action, Element, Observation
from doer.records.completion import Completion, ToolSpec
from doer.records.event import Decided, Event, Intended, Observed, Said, Started, TurnStarted


def page(n: int) -> Observation:
    return Observation(text=f"page {n}", elements=(Element(0, "button", f"b{n}"),))


def log(steps: int) -> list[Event]:
    payloads = [TurnStarted(instruction="Do it", observation=page(0))]
    for n in range(1, steps + 1):
        action = Action(tool="click", arguments={"ref": 0}, id=f"c{n}")
        payloads += [
            Decided(completion=Completion(actions=(action,))),
            Intended(action=action),
            Observed(observation=page(n)),
        ]
    return [
        Event(session="s", seq=n, cause=n - 1, data=payload)
        for n, payload in enumerate(payloads, start=1)
    ]


def test_the_conversation_is_rebuilt_from_the_log():
    tool = ToolSpec(name="click", description="Click.", parameters={})
    started = Event(session="s", data=Started(model="m", instructions="Be good", tools=(tool,)))
    assert request([started, *log(2)]).tools == (tool,)
    messages = request([started, *log(2)]).messages
    assert [message.role for message in messages] == [
        "system", "user", "tool", "assistant", "tool", "assistant", "tool",
    ]  # fmt: skip
    assert [message.call for message in messages if message.role == "tool"] == ["", "c1", "c2"]
    assert messages[-1].elements == page(2).elements


def test_only_the_last_views_are_shown_in_full():
    tools = [message for message in request(log(6)).messages if message.role == "tool"]
    assert [message.text for message in tools[-KEPT_VIEWS:]] == ["page 4", "page 5", "page 6"]
    assert {message.text for message in tools[:-KEPT_VIEWS]} == {LEFT_OUT}
    assert all(not message.elements for message in tools[:-KEPT_VIEWS])


def test_what_commands_printed_is_kept_longer_and_pushes_no_page_out_of_sight():
    events = log(1)
    for n in range(KEPT_LOGS + 2):
        text = f"printed {n}"
        ran = Observation(text=text, elements=(Element(1, "log", "ls", text),))
        events.append(Event(session="s", seq=len(events) + 1, data=Observed(observation=ran)))
    tools = [message.text for message in request(events).messages if message.role == "tool"]
    kept = [f"printed {n}" for n in range(2, KEPT_LOGS + 2)]
    assert tools == ["page 0", "page 1", LEFT_OUT, LEFT_OUT, *kept]


def test_errors_are_never_left_out():
    events = log(6)
    wrong = Observation(text="no such element", error=True)
    events[3] = Event(session="s", seq=4, cause=3, data=Observed(observation=wrong))
    messages = request(events).messages
    assert "no such element" in [message.text for message in messages]


def test_errors_do_not_push_the_page_out_of_sight():
    events = log(1)
    for n in range(5):
        wrong = Observation(text=f"no {n}", error=True)
        events.append(Event(session="s", seq=len(events) + 1, data=Observed(observation=wrong)))
    assert [m.text for m in request(events).messages if m.elements] == ["page 0", "page 1"]


def test_steering_reaches_the_model_as_the_users_words():
    events = [*log(1), Event(session="s", seq=9, data=Said(text="stop at two"))]
    assert request(events).messages[-1].text == "stop at two"
    assert request(events).messages[-1].role == "user"
