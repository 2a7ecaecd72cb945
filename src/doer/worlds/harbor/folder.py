"""A Harbor task folder as a Task: instruction.md, task.toml, environment/, tests/, solution/."""

from pathlib import Path

import msgspec

from doer.config import read
from doer.errors import ConfigError
from doer.records.task import Limits, Task
from doer.worlds.harbor.settings import Network, Settings

STEPS = 100  # Harbor bounds time only
SLACK_S = 60.0  # for putting tests in, and for a loaded machine
BUILDS = ("Dockerfile", "docker-compose.yaml", "docker-compose.yml")


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """`Task.start` of a Harbor task: what a computer needs to begin, and to judge the end.

    Paths are absolute. `image` is the one to pull; without it `build` is the file to build one
    from. Sizes are in MB, times in seconds. `solution` is None where there is none.
    """

    folder: str
    environment: str | None
    image: str | None
    build: str | None
    tests: str
    solution: str | None
    schema: str
    os: str
    workdir: str | None
    user: str | int | None
    environ: dict[str, str]
    cpus: float
    memory_mb: float
    storage_mb: float
    gpus: int
    network: Network
    hosts: tuple[str, ...]
    build_s: float
    verifier_s: float
    verifier_environ: dict[str, str]
    verifier_user: str | int | None
    package: str
    difficulty: str
    category: str
    tags: tuple[str, ...]


def is_task(folder: Path) -> bool:
    """Whether a folder means to be a task; `read_task` says what is missing in it."""
    return any((folder / name).is_file() for name in ("task.toml", "instruction.md"))


def read_task(folder: Path, taskset: str, seed: int) -> Task:
    """The task in `folder`; every seed is the same task.

    `limits.step_s` leaves room for whatever takes longest, because rollouts bound each action and
    grading by it. Raises `ConfigError` naming the file and what is wrong with it.
    """
    settings = read(folder / "task.toml", Settings)
    try:
        start, limits = _start(folder, settings), _limits(settings)
    except ConfigError as wrong:
        raise ConfigError(f"{folder / 'task.toml'}: {wrong}") from wrong
    return Task(
        taskset=taskset,
        name=folder.name,
        seed=seed,
        instruction=_instruction(folder / "instruction.md"),
        start=msgspec.to_builtins(start),
        limits=limits,
    )


def _start(folder: Path, settings: Settings) -> Start:
    if settings.steps:
        raise ConfigError("[[steps]]: tasks of several steps cannot be read yet")
    machine, (network, hosts) = settings.environment, settings.network
    script = "bat" if machine.os == "windows" else "sh"
    builds = [folder / "environment" / name for name in BUILDS]
    build = next((path for path in builds if path.is_file()), None)
    if machine.docker_image is None and build is None:
        raise ConfigError(
            "there is nothing to start: give environment.docker_image, or environment/Dockerfile"
        )
    if not (folder / "tests" / f"test.{script}").is_file():
        raise ConfigError(f"there is no tests/test.{script} beside it to judge the outcome")
    solution = folder / "solution" / f"solve.{script}"
    environment = folder / "environment"
    return Start(
        folder=str(folder),
        environment=str(environment) if environment.is_dir() else None,
        image=machine.docker_image,
        build=str(build) if build else None,
        tests=str(folder / "tests" / f"test.{script}"),
        solution=str(solution) if solution.is_file() else None,
        schema=settings.schema,
        os=machine.os,
        workdir=machine.workdir,
        user=settings.agent.user,
        environ=machine.env,
        cpus=machine.cpus,
        memory_mb=settings.memory_mb,
        storage_mb=settings.storage_mb,
        gpus=machine.gpus,
        network=network,
        hosts=hosts,
        build_s=machine.build_timeout_sec,
        verifier_s=settings.verifier.timeout_sec,
        verifier_environ=settings.verifier.env,
        verifier_user=settings.verifier.user,
        package=settings.task.name if settings.task else "",
        difficulty=settings.fact("difficulty"),
        category=settings.fact("category"),
        tags=settings.tags,
    )


def _limits(settings: Settings) -> Limits:
    longest = max(settings.verifier.timeout_sec, settings.agent_s)
    return Limits(steps=STEPS, step_s=longest + SLACK_S, total_s=settings.agent_s)


def _instruction(path: Path) -> str:
    try:
        text = path.read_text().strip()
    except FileNotFoundError:
        raise ConfigError(f"there is no file {path}") from None
    except (OSError, UnicodeDecodeError) as unreadable:
        raise ConfigError(f"{path} cannot be read: {unreadable}") from unreadable
    if not text:
        raise ConfigError(f"{path} is empty; write what the agent is to do")
    return text
