"""Dockerfiles of Harbor tasks, read as steps; what cannot be done here is told by its line."""

import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doer.errors import ConfigError
from doer.worlds.harbor.dockerfile import fill, read
from doer.worlds.harbor.plan import ALWAYS, BASE, Command, Copy, plan

WHOLE = """\
# syntax=docker/dockerfile:1
ARG VERSION=3
FROM python:${VERSION}-slim AS base
LABEL a=b
ENV NAME="Ann B" PATH=/app/bin:$PATH
ENV OLD way of writing
WORKDIR /app
USER nobody
COPY --chown=1:1 --chmod=0755 *.sh tools/
COPY data data
ADD one.sh /srv/two.sh
run echo "$NAME" && \\
    # in between

    ec\\
"ho" \\$HOME
RUN ["touch", "a b"]
RUN cat <<'END' > file
a \\
END
RUN <<END
mkdir -p /opt/tool/bin
END
ENTRYPOINT []
CMD ["bash"]
"""


@pytest.fixture
def context(tmp_path):
    (tmp_path / "data" / "in").mkdir(parents=True)
    for name in ("one.sh", "two.sh", "data/in/x", "a.tar.gz"):
        (tmp_path / name).write_text(name)
    (tmp_path / "away").symlink_to("/etc/passwd")
    return tmp_path


def commands(made):
    return [(s.line, s.script, s.cwd) for s in made.steps[1:] if isinstance(s, Command)]


def test_a_whole_one(context):
    made = plan(WHOLE, context, "Write /data/out.txt, /answer.txt and <b>x</b>.")
    assert (made.image, made.workdir) == ("python:3-slim", "/app")
    path = f"/app/bin:{BASE['PATH']}"
    assert made.environ == BASE | {"NAME": "Ann B", "PATH": path, "OLD": "way of writing"}
    assert set(made.folders) == {*ALWAYS, "/srv", "/opt/tool", "/data"}
    assert commands(made) == [
        (7, "mkdir -p /app", ""),
        (12, 'echo "$NAME" &&     ec"ho" \\$HOME', "/app"),
        (17, "touch 'a b'", "/app"),
        (18, "cat <<'END' > file\na \\\nEND", "/app"),
        (21, "mkdir -p /opt/tool/bin", "/app"),
    ]
    assert [step for step in made.steps if isinstance(step, Copy)] == [
        Copy(
            9,
            ((context / "one.sh", "/app/tools/one.sh"), (context / "two.sh", "/app/tools/two.sh")),
            0o755,
        ),
        Copy(10, ((context / "data", "/app/data"),)),
        Copy(11, ((context / "one.sh", "/srv/two.sh"),)),
    ]


def test_run_has_the_arguments_of_the_build_which_the_agent_has_not(context):
    made = plan("FROM x\nARG A=1\nENV B=$A\nRUN true\nENV C=3\n", context, "")
    _, run = made.steps
    assert isinstance(run, Command)
    assert run.environ == BASE | {"A": "1", "B": "1"}
    assert made.environ == BASE | {"B": "1", "C": "3"}


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("COPY one.sh .", "/place/one.sh"),
        ("COPY one.sh /place", "/place/one.sh"),
        ("COPY one.sh new", "/place/new"),
        ("COPY one.sh new/", "/place/new/one.sh"),
        ("COPY data .", "/place"),
        ("COPY data/in/x /opt/tool/x", "/opt/tool/x"),
        ("COPY one.sh /home/agent/", "/home/agent/one.sh"),
    ],
)
def test_where_a_copy_lands(context, line, place):
    step = plan(f"FROM x\nWORKDIR /place\n{line}\n", context, "").steps[-1]
    assert isinstance(step, Copy)
    assert [where for _, where in step.what] == [place]


def test_without_a_folder_of_its_own_the_agent_works_in_the_home(context):
    assert plan("FROM x", context, "").workdir == "/home/agent"
    assert plan("FROM x\nWORKDIR /a", context, "", "/b").workdir == "/b"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "RUN apt-get update && apt-get -qq install -y no-such-one=2 nor-this && true",
            "this machine lacks no-such-one nor-this, .*Docker engine",
        ),
        ("RUN set -e; sudo  apt install $WHAT", "apt needs root.*Docker engine"),
        ("RUN apk add git", "apk needs root.*Docker engine"),
        ("RUN --mount=type=cache,target=/x true", "flags of RUN.*Docker engine"),
        ("FROM y", "second stage.*Docker engine"),
        ("COPY --from=build /x /app/", "cannot be copied here.*Docker engine"),
        ("COPY <<END /app/x\nhi\nEND", "cannot be copied here.*Docker engine"),
        ("COPY one.sh /usr/local/bin/", "belongs to the system.*Docker engine"),
        ("COPY one.sh /one.sh", "belongs to the system.*Docker engine"),
        ("COPY one.sh /tmp/", "belongs to the system.*Docker engine"),
        ("WORKDIR /usr/src/app", "belongs to the system.*Docker engine"),
        ("ENTRYPOINT /start", "cannot be followed.*Docker engine"),
        ("ADD https://example.com/x /app/", "nothing is fetched.*Docker engine"),
        ("ADD a.tar.gz /app/", "archives are not unpacked"),
        ("COPY nothing.txt /app/", "there is no nothing.txt"),
        ("COPY ../x /app/", r"there is no \.\./x"),
        ("COPY away /app/", "away leads out"),
        ("COPY one.sh", "where to"),
        ("COPY --chmod=a+x one.sh /app/", "three digits"),
        ("COPY 'one.sh /app/", "cannot be read"),
    ],
)
def test_what_cannot_be_done_here_is_told_with_its_line(context, line, said):
    with pytest.raises(ConfigError, match=f"line 3 .*{said}"):
        plan(f"FROM x\n\n{line}\n", context, "")


def test_a_file_that_is_none_is_told(context):
    with pytest.raises(ConfigError, match="no FROM"):
        plan("RUN true\n", context, "")
    with pytest.raises(ConfigError, match="line 2: .* is no instruction"):
        plan("FROM x\n<html>", context, "")


def test_a_package_manager_in_a_text_is_no_call_of_it(context):
    made = plan("FROM x\nRUN echo 'use apt-get install' > /app/help", context, "")
    assert commands(made) == [(2, "echo 'use apt-get install' > /app/help", "")]


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="this machine is no Debian")
def test_packages_that_this_machine_has_need_not_be_installed(context):
    text = (
        "FROM x\nRUN apt-get update && \\\n DEBIAN_FRONTEND=noninteractive apt-get install -y bash"
    )
    text += " \\\n tar --no-install-recommends && rm -rf /var/lib/apt/lists/* && echo done > /app/x"
    made = plan(text, context, "")
    assert commands(made) == [
        (2, "true &&  true && rm -rf /var/lib/apt/lists/* && echo done > /app/x", "")
    ]


def test_variables_are_filled_in():
    known = {"A": "1", "E": ""}
    assert fill(r"$A ${A} ${A:-x} ${A:+y} $B ${B:-x} ${B:+y} ${E:-z} \$A", known) == (
        "1 1 1 y  x  z $A"
    )


LINE = st.one_of(
    st.sampled_from(WHOLE.splitlines()),
    st.text(alphabet="RUN COPY<<E'\"\\$#{}[]./-*\n", max_size=30),
)


@settings(deadline=None)
@given(st.lists(LINE, max_size=12))
def test_wild_ones_are_read_or_refused(tmp_path_factory, lines):
    context = tmp_path_factory.getbasetemp()
    text = "\n".join(["FROM x", *lines])
    try:
        made = plan(text, context, text)
    except ConfigError:
        return
    assert all(step.line <= len(text.splitlines()) for step in made.steps)
    assert len(list(read(text))) <= len(text.splitlines())
