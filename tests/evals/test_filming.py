import pytest

from doer.errors import StoreError
from doer.evals.filming import caption, strip
from doer.evals.report_data import Frame
from doer.records.action import Action, Element, Observation
from doer.records.event import Event, Intended, Observed, TurnStarted
from doer.records.task import Grade, Task
from doer.records.trajectory import Trajectory
from doer.store.blobs import MemoryBlobs

SUBMIT = Element(ref=4, role="button", name="Submit", box=(8, 155, 57, 20))
FIELD = Element(ref=7, role="textbox", name="", value="", box=(1, 2, 3, 4))
KNOB = Element(ref=9, role="slider", name="size")
PAGE = (SUBMIT, FIELD, KNOB)


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("click", {"ref": 4}, 'click button "Submit"'),
        ("click", {"ref": 99}, "click [99]"),
        ("click", {}, "click [None]"),
        ("type", {"ref": 7, "text": "Ada"}, 'type "Ada" into textbox'),
        ("type", {"ref": 7, "text": "a" * 99}, f'type "{"a" * 60}…" into textbox'),
        ("select", {"ref": 7, "option": "Italy"}, 'select "Italy" in textbox'),
        ("press", {"keys": "Enter"}, "press Enter"),
        ("drag", {"ref": 9, "to": 4}, 'drag slider "size" to button "Submit"'),
        ("drag", {"ref": 9, "to": None, "dx": 5}, 'drag slider "size" by 5, 0'),
        ("read", {}, "read"),
        ("open", {"url": "/a"}, 'open {"url": "/a"}'),
    ],
)
def test_an_action_caption(tool, arguments, words):
    assert caption(Action(tool=tool, arguments=arguments), PAGE) == words


def test_a_strip_shows_each_screen_with_the_action_taken_on_it():
    """Names and boxes come from the page as it was before the action, not after."""
    blobs = MemoryBlobs()
    screens = [blobs.put(b"first"), blobs.put(b"second")]
    later = Element(ref=4, role="link", name="Again", box=(9, 9, 9, 9))
    happened = [
        TurnStarted(instruction="go", observation=Observation(text="", elements=PAGE)),
        (Intended(action=Action(tool="click", arguments={"ref": 4})), screens[0]),
        Observed(observation=Observation(text="", elements=(later,))),
        (Intended(action=Action(tool="click", arguments={"ref": 4})), screens[1]),
        Observed(observation=Observation(text="gone", error=True)),
        Intended(action=Action(tool="read")),
    ]
    events = tuple(
        Event(session="s", data=each[0], blobs=(each[1],))
        if isinstance(each, tuple)
        else Event(session="s", data=each)
        for each in happened
    )
    task = Task(taskset="shop", name="buy", seed=1)
    grade = Grade(score=1, passed=True)
    done = strip(Trajectory(task=task, end="done", events=events, grade=grade), blobs, (160, 210))
    assert done.frames == (
        Frame(image=b"first", caption='click button "Submit"', box=SUBMIT.box),
        Frame(image=b"second", caption='click link "Again"', box=later.box),
    )
    assert (done.passed, done.end, done.viewport) == (True, "done", (160, 210))
    assert done.extent == (160, 155 + 20 + 8)  # the least there is by as far as Submit reaches
    with pytest.raises(StoreError):
        strip(Trajectory(task=task, end="done", events=events), MemoryBlobs(), (160, 210))
