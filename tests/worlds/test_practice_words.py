"""What the oracles of `practice` read out of an instruction, and which tasks are for tests only."""

import re
from datetime import date

import pytest

from doer.records.action import Element
from doer.worlds.practice.oracles import ORACLES
from doer.worlds.practice.oracles_dates import day_in, month_of
from doer.worlds.practice.told import dates, form, told
from doer.worlds.practice.world import HTML, NAMES, TEST_ONLY, TRAINING


@pytest.mark.parametrize(
    "said",
    [
        'Register with name "Ann Lee", city "Oslo". Then send.',
        'Enter "Ann Lee" as name, "Oslo" as city and send.',
        'Fill in name: "Ann Lee", city: "Oslo".',
        'Set name = "Ann Lee", city = "Oslo"; submit.',
        'Change name to "Ann Lee" and city to "Oslo".',
    ],
)
def test_a_value_is_told_in_several_ways(said: str) -> None:
    assert [told(said, label) for label in ("Name", "City", "Country")] == ["Ann Lee", "Oslo", None]


def test_dates_are_read_in_both_orders_and_in_short() -> None:
    said = 'From "March 5, 2024" to "17 Apr 2025", room "Suite 12", in May.'
    assert dates(said) == [date(2024, 3, 5), date(2025, 4, 17)]


def test_months_are_counted_through() -> None:
    january, december = month_of("January 2024"), month_of("December 2023")
    assert january is not None
    assert december is not None
    assert january - december == 1
    assert month_of("2024") is None


def test_a_day_is_found_behind_those_of_the_month_before() -> None:
    names = ["Mo", "30", "31", "1", "2", "3", "30", "1"]
    cells = tuple(Element(at, "generic", name) for at, name in enumerate(names))
    assert day_in(cells, 3) is cells[5]
    assert day_in(cells[:1], 3) is None


def test_a_form_is_filled_in_part_by_part() -> None:
    said = 'Enter name "Ann Lee", choose "Press" and tick "News".'
    name = Element(0, "textbox", "Name", value="Ann Lee")
    press = Element(1, "radio", "Press", states=("checked",))
    news = Element(2, "checkbox", "News", states=("checked",))
    offers = Element(3, "checkbox", "Offers", states=("checked",))
    send = Element(4, "button", "Send")
    refs: list[int] = []
    for page in [(name, press, news, offers, send), (name, press, news, send)]:
        action = form(said, page)
        assert action is not None
        refs.append(action.arguments["ref"])
    assert refs == [offers.ref, send.ref]


def test_training_and_test_only_share_nothing() -> None:
    assert set(TRAINING) | set(TEST_ONLY) == set(NAMES) == set(ORACLES)
    assert not set(TRAINING) & set(TEST_ONLY)
    assert len(TRAINING) >= 12
    assert len(TEST_ONLY) >= 6


def test_the_library_of_a_test_is_in_no_training() -> None:
    def libraries(names: tuple[str, ...]) -> set[str]:
        texts = [(HTML / "pages" / f"{name}.js").read_text() for name in names]
        return {found for text in texts for found in re.findall(r'library\("([^"]+)"\)', text)}

    training, tests = libraries(TRAINING), libraries(TEST_ONLY)
    assert training
    assert tests
    assert not training & tests


def test_every_library_comes_with_its_licence() -> None:
    folders = [path for path in (HTML / "vendor").iterdir() if path.is_dir()]
    assert folders
    assert [f.name for f in folders if "MIT License" not in (f / "LICENSE").read_text()] == []


def test_no_page_asks_for_anything_from_elsewhere() -> None:
    files = [path for path in HTML.rglob("*") if path.suffix in (".js", ".html", ".css")]
    own = [path for path in files if "vendor" not in path.parts]
    assert own
    addresses = re.compile(r"(https?:|url\(|[\"'`(]//)")
    assert [path.name for path in own if addresses.search(path.read_text())] == []
