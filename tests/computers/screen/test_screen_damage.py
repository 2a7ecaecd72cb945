from hypothesis import given
from hypothesis import strategies as st

from doer.computers.screen.damage import MOST, Rect, merged

rects = st.builds(
    Rect, st.integers(0, 40), st.integers(0, 40), st.integers(1, 20), st.integers(1, 20)
)


def points(rect: Rect) -> set[tuple[int, int]]:
    xs, ys = range(rect.x, rect.x + rect.width), range(rect.y, rect.y + rect.height)
    return {(x, y) for x in xs for y in ys}


@given(st.lists(rects, max_size=40))
def test_few_rectangles_cover_all_damage(damage: list[Rect]) -> None:
    few = merged(damage)
    assert len(few) <= MOST
    covered = set().union(*map(points, few))
    assert all(points(rect) <= covered for rect in damage)


def test_much_damage_all_over_the_screen_is_one_rectangle() -> None:
    spots = [Rect(100 * n, 70 * (n % 7), 5, 5) for n in range(2 * MOST)]
    assert merged(spots[:MOST]) == spots[:MOST]
    assert merged(spots[: MOST + 1]) == [Rect(0, 0, 100 * MOST + 5, 425)]
    assert len(merged(spots)) <= MOST


def test_what_lies_far_apart_stays_apart() -> None:
    corners = [Rect(0, 0, 10, 10), Rect(1000, 700, 10, 10)]
    assert merged(corners) == corners
    assert merged([Rect(0, 0, 10, 10), Rect(10, 0, 10, 10)]) == [Rect(0, 0, 20, 10)]


@given(rects, st.integers(0, 50), st.integers(0, 50))
def test_clipping_keeps_what_is_on_the_screen(rect: Rect, width: int, height: int) -> None:
    screen = points(Rect(0, 0, width, height))
    assert points(rect.clipped(width, height)) == points(rect) & screen
    assert rect.inside(width, height) == (points(rect) <= screen)
