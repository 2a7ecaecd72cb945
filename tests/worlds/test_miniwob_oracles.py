"""Oracles: each passes by what it sees alone, and doing nothing does not."""

import pytest

from doer.records.action import Element
from doer.worlds.check import check
from doer.worlds.miniwob.oracles import ORACLES
from doer.worlds.miniwob.world import MiniWob
from doer.worlds.seen import after, choose, click, fill, find, named, ordinal
from doer.worlds.seen import check as tick

SEEDS = (1, 2, 3)
PROMISED = (
    *("choose-date", "choose-date-easy", "choose-list", "click-button", "click-checkboxes"),
    *("click-link", "click-option", "click-tab-2", "email-inbox", "enter-date"),
    *("enter-password", "enter-text", "login-user", "navigate-tree", "use-autocomplete"),
)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.asyncio(loop_scope="module")
async def test_every_oracle_passes_and_doing_nothing_fails(miniwob: MiniWob) -> None:
    checks = await check(miniwob, sorted(ORACLES), SEEDS)
    assert {c.task.id: c.problem for c in checks if c.problem} == {}


def test_the_promised_tasks_have_oracles() -> None:
    assert set(PROMISED) <= set(ORACLES)


INBOX = tuple(
    Element(ref, role, name)
    for ref, (role, name) in enumerate(
        [("text", "Primary"), ("generic", "Bo"), ("generic", "Cora"), ("img", "trash")]
        + [("img", "star"), ("generic", "Dua"), ("img", "trash"), ("img", "star")]
    )
)


@pytest.mark.parametrize(
    ("said", "ref"),
    [
        ("Forward to Bo the email from Cora.", 2),
        ("Bo wants the email Cora sent to you.", 2),
        ("Send Cora Bo's email.", 1),
        ("Please locate Bo's email and put a copy in Cora's inbox.", 1),
        ("I don't want Cora's email in my inbox.", 3),
        ("In my inbox, mark the message from Dua as important", 7),
        ('AnswerDua\'s email with "Tell Bo. And Cora."', 5),
    ],
)
def test_who_sent_a_mail_is_understood_in_many_words(said: str, ref: int) -> None:
    act = ORACLES["email-inbox-nl-turk"](said, INBOX)
    assert act is not None
    assert (act.tool, act.arguments) == ("click", {"ref": ref})


def test_a_mail_is_forwarded_to_who_is_to_have_it() -> None:
    page = tuple(
        Element(ref, role, name, value="")
        for ref, (role, name) in enumerate(
            [("img", "close-forward"), ("img", "send-forward"), ("textbox", "forward-sender")]
        )
    )
    act = ORACLES["email-inbox-forward-nl"]("Give La Bo the mail, then send it to Jo Ann.", page)
    assert act is not None
    assert act.arguments == {"ref": 2, "text": "Jo Ann"}


PAGE = (
    Element(0, "text", "Name"),
    Element(1, "textbox", "Name", value="Ann"),
    Element(2, "checkbox", "News", states=("checked",)),
    Element(3, "checkbox", "Offers"),
    Element(4, "combobox", "a | b", value="a"),
    Element(5, "combobox", "Size: S | M", value="S"),
)


def test_an_action_that_is_done_already_is_none() -> None:
    assert fill(PAGE[1], "Ann") is None
    assert tick(PAGE[2]) is None
    assert choose(PAGE[4], "a") is None
    assert click(None) is None
    act = fill(PAGE[1], "Bob")
    assert act is not None
    assert (act.tool, act.arguments) == ("type", {"ref": 1, "text": "Bob"})


def test_finders_answer_none_when_nothing_fits() -> None:
    assert find(PAGE, "checkbox", "Offers") is PAGE[3]
    assert find(PAGE, "button") is None
    assert named(PAGE, "Name") is PAGE[1]
    assert find(PAGE, "combobox", "Size") is find(PAGE, "combobox", "Size: S | M") is PAGE[5]
    assert after(PAGE, PAGE[3]) == PAGE[4:]
    assert after(PAGE, None) == ()
    assert ordinal("the 3rd word") == 2
