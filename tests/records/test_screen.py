"""Our screen actions are OpenAI's, in both directions."""

import msgspec
import pytest
from openai.types.responses.computer_action import ComputerAction
from pydantic import TypeAdapter

from doer.records.screen import ScreenAction

THEIRS = TypeAdapter(ComputerAction)
ACTIONS = [
    {"type": "click", "x": 1, "y": 2, "button": "left"},
    {"type": "click", "x": 1, "y": 2, "button": "forward", "keys": ["CTRL"]},
    {"type": "double_click", "x": 1, "y": 2},
    {"type": "drag", "path": [{"x": 1, "y": 2}, {"x": 3, "y": 4}], "keys": ["SHIFT"]},
    {"type": "keypress", "keys": ["CTRL", "C"]},
    {"type": "move", "x": 1, "y": 2},
    {"type": "screenshot"},
    {"type": "scroll", "x": 1, "y": 2, "scroll_x": 0, "scroll_y": 300},
    {"type": "type", "text": "hello"},
    {"type": "wait"},
]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action["type"])
def test_actions_are_openai_s(action: dict[str, object]) -> None:
    ours = msgspec.convert(action, ScreenAction)
    theirs = THEIRS.validate_python(msgspec.to_builtins(ours))
    assert theirs.model_dump(exclude_none=True) == action
    assert msgspec.convert(theirs.model_dump(), ScreenAction) == ours


def test_every_kind_of_theirs_is_one_of_ours() -> None:
    kinds = {
        one["properties"]["type"]["const"]
        for one in THEIRS.json_schema()["$defs"].values()
        if "type" in one["properties"]
    }
    assert kinds == {action["type"] for action in ACTIONS}
