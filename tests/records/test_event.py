import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doer.records.action import Action, Element, Observation
from doer.records.completion import Completion, Segment
from doer.records.event import (
    KINDS,
    Decided,
    Event,
    Intended,
    Observed,
    Unknown,
    from_json,
    to_json,
)

GOLDEN = Path(__file__).parent.parent / "golden" / "log-v1.jsonl"


@given(
    text=st.text(),
    refs=st.lists(st.integers(0, 127), max_size=5),
    seq=st.integers(1, 10**9),
    key=st.text(max_size=20),
)
def test_events_survive_a_round_trip(text, refs, seq, key):
    elements = tuple(Element(ref, "button", text, text, ("focused",)) for ref in refs)
    segment = Segment(token_ids=tuple(refs), mask=(1,) * len(refs), logprobs=(-0.5,) * len(refs))
    for data in (
        Intended(action=Action(tool="type", arguments={"ref": 1, "text": text}), facts={"a": [1]}),
        Observed(observation=Observation(text=text, elements=elements, signal={"done": True})),
        Decided(completion=Completion(text=text, segment=segment)),
    ):
        event = Event(session="s", seq=seq, key=key, cause=seq, data=data)
        assert from_json(to_json(event)) == event


@given(st.dictionaries(st.text(), st.integers() | st.text(), max_size=4))
def test_unknown_kinds_survive_a_round_trip(fields):
    raw = {**fields, "kind": "from.the.future"}
    line = json.dumps({"session": "s", "seq": 3, "data": raw})
    event = from_json(line)
    assert event.kind == "from.the.future"
    assert isinstance(event.data, Unknown)
    assert json.loads(to_json(event))["data"] == raw
    assert from_json(to_json(event)) == event


def test_golden_log_of_every_version_still_loads():
    events = [from_json(line) for line in GOLDEN.read_text().splitlines()]
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert {event.kind for event in events} == KINDS
    for event, line in zip(events, GOLDEN.read_text().splitlines(), strict=True):
        assert keeps(json.loads(to_json(event)), json.loads(line))


def keeps(now: Any, then: Any) -> bool:
    """Whether nothing of what was written then is lost or changed; fields may have been added."""
    if isinstance(then, dict):
        return all(key in now and keeps(now[key], then[key]) for key in then)
    return now == then


def test_a_line_that_is_no_event_is_refused():
    with pytest.raises(ValueError, match="session"):
        from_json(b'{"data": {"kind": "note", "text": "x"}}')
