"""Which folders a computer may have beside its home."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doer.computers import beside
from doer.errors import ComputerError

PATHS = st.lists(st.sampled_from(["opt", "var", "lib", "a", "..", ".", "", "run", "é"]), max_size=5)


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        (["app"], "no plain absolute path"),
        (["/app/"], "no plain absolute path"),
        (["//app"], "no plain absolute path"),
        (["/app/../etc"], "no plain absolute path"),
        (["/a\nb"], "no plain absolute path"),
        (["/"], "belongs to the system"),
        (["/home/agent/app"], "belongs to the system"),
        (["/usr/local"], "belongs to the system"),
        (["/var"], "belongs to the system"),
        (["/app", "/app"], "named twice"),
        (["/app/data", "/app"], "holds another"),
        ([f"/f{number}" for number in range(33)], "too many"),
    ],
)
def test_what_cannot_be_one_is_told(folders, said):
    with pytest.raises(ComputerError, match=said):
        beside.check(folders)


def test_ordinary_ones_may_be():
    beside.check(["/app", "/apple", "/logs", "/opt/tool", "/var/www", "/root"])


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("/app/data/x.txt", "/app"),
        ("/opt/tool/bin", "/opt/tool"),
        ("/var/lib/thing/x", "/var/lib/thing"),
        ("/opt", ""),
        ("/usr/local/bin/x", ""),
        ("/home/agent/x", ""),
        ("/app/../etc", ""),
        ("/", ""),
    ],
)
def test_a_path_lies_in_the_highest_folder_that_may_be_one(path, folder):
    assert beside.holder(path) == folder


@given(PATHS)
def test_a_holder_may_always_be_a_folder(names):
    if folder := beside.holder("/" + "/".join(names)):
        beside.check([folder])
