import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from doer.records.task import Task
from doer.training.curriculum import FIRST_GUESS, MEMORY, Curriculum


def task(name: str, seed: int = 0) -> Task:
    return Task(taskset="t", name=name, seed=seed)


def taught(**shares: list[float]) -> Curriculum:
    """One task of each kind."""
    found = Curriculum.over([task(name) for name in shares])
    for name, visits in shares.items():
        for share in visits:
            found.saw(task(name).id, [n < share * 8 for n in range(8)])
    return found


def drawn(curriculum: Curriculum, count: int) -> Counter[str]:
    dice = random.Random(0)
    ids = (id for _ in range(2000) for id in curriculum.draw(count, dice))
    return Counter(id.split("/")[1].split("#")[0] for id in ids)


def test_estimates_move_most_of_the_way_to_what_was_seen():
    found = taught(a=[1.0], b=[0.0, 0.5])
    assert found.estimate("t/a#0") == MEMORY * FIRST_GUESS + (1 - MEMORY)
    assert found.estimate("t/b#0") == MEMORY**2 * FIRST_GUESS + (1 - MEMORY) * 0.5


def test_a_task_not_visited_is_judged_by_its_kind():
    found = Curriculum.over([task("a", 0), task("a", 1), task("b", 0)])
    found.saw("t/a#0", [True] * 8)
    assert found.estimate("t/a#1") == found.estimate("t/a#0") > 0.8
    assert found.estimate("t/b#0") == FIRST_GUESS


def test_tasks_near_half_are_drawn_most_and_retired_ones_least():
    often = drawn(taught(half=[0.5] * 4, hard=[0.0] * 4, solved=[1.0] * 4), 1)
    assert often["half"] > 5 * often["hard"]
    assert often["half"] > 20 * often["solved"]
    assert often["solved"] > 0


def test_a_task_that_fails_again_comes_back():
    found = taught(a=[1.0, 1.0])
    assert found.retired == 1
    found.saw("t/a#0", [True] * 7 + [False])
    assert found.retired == 0


def test_unscored_groups_change_nothing():
    found = taught(a=[0.5])
    before = found.estimate("t/a#0")
    found.saw("t/a#0", [])
    assert (found.estimate("t/a#0"), found.places["t/a#0"].visits) == (before, 1)


def test_never_solved_counts_only_what_was_tried():
    assert taught(a=[0.0, 0.0], b=[], c=[0.0, 0.5]).never_solved == 1


@given(st.integers(0, 12), st.sets(st.sampled_from("abcdefgh")), st.integers())
def test_a_draw_has_no_repeats_and_obeys(count, leave_out, seed):
    curriculum = Curriculum.over([task(name) for name in "abcdefgh"])
    leave_out = {task(name).id for name in leave_out}
    found = curriculum.draw(count, random.Random(seed), leave_out)
    assert len(found) == len(set(found)) == min(count, 8 - len(leave_out))
    assert not set(found) & leave_out


def test_the_same_dice_draw_the_same():
    found = taught(a=[0.5], b=[0.2], c=[0.9], d=[])
    assert found.draw(2, random.Random(7)) == found.draw(2, random.Random(7))
