"""Worlds and models by name."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from doer.config import load
from doer.errors import ConfigError
from doer.models.model import Model
from doer.models.scripted import ScriptedModel
from doer.worlds.check import follow
from doer.worlds.world import Taskset

TASKSETS = {
    "files": "doer.worlds.files.world:FileChores",
    "miniwob": "doer.worlds.miniwob.world:MiniWob",
    "practice": "doer.worlds.practice.world:Practice",
}
FOLDERS = {
    "harbor": "doer.worlds.harbor.world:HarborTasks",
}
"""Tasksets that are read from a folder of the user's, named with it: "harbor:PATH"."""
MIXED = "doer.worlds.mixed:Mixed"
POINTER = "doer.models.local.pointer.checkpoint:load_pointer"
HF = "doer.models.local.hf.policy:load_hf"
REMOTE = "doer.models.openai:OpenAIModel"
ORACLE = "oracle"
STARTER = "starter"
SHIPPED = Path(str(files("doer.models") / "starter"))


def taskset(name: str, **settings: Any) -> Taskset:
    """Raises `ConfigError` for a name there is no taskset for."""
    kind, _, folder = name.partition(":")
    if kind in FOLDERS:
        if not folder:
            raise ConfigError(f"say which folder the tasks are in: {kind}:PATH")
        return load(FOLDERS[kind])(Path(folder).expanduser(), **settings)
    if "+" in name:
        return load(MIXED)([taskset(one, **settings) for one in name.split("+")])
    if name not in TASKSETS:
        known = sorted([*TASKSETS, *(f"{kind}:PATH" for kind in FOLDERS)])
        raise ConfigError(f"no taskset {name!r}; there are: {', '.join(known)}")
    return load(TASKSETS[name])(**settings)


def chosen(text: str) -> tuple[Taskset, tuple[str, ...]]:
    """Read "miniwob" (all of its tasks), "miniwob/click-link,click-option" or, where the tasks are
    folders, "harbor:PATH" with the path of one of them or of all."""
    if text.partition(":")[0] in FOLDERS:
        world = taskset(text)
        return world, world.names()
    name, _, some = text.partition("/")
    world = taskset(name)
    names = tuple(some.split(",")) if some else world.names()
    for one in names:
        world.task(one, 0)
    return world, names


def oracle(taskset: Taskset, name: str) -> Model:
    """A task's reference solution as a model. Raises `ConfigError` when it has none."""
    solve = taskset.oracle(name)
    if solve is None:
        raise ConfigError(f"{taskset.name}/{name} has no oracle")
    return ScriptedModel(ORACLE, follow(solve))


@asynccontextmanager
async def opened(
    model: str, world: Taskset, base_url: str
) -> AsyncGenerator[Callable[[str], Model]]:
    """The model that does a task, by the task's name: `starter` (the one that ships with Doer),
    `oracle`, a checkpoint's folder, or the name of a model behind an API. Raises `ConfigError` when
    there is none."""
    if not model:
        raise ConfigError("say which model: --model starter, FOLDER, oracle, or a name for an API")
    if model == ORACLE:
        yield lambda name: oracle(world, name)
    elif folder := _folder(model):
        local: Model = load(HF if _hugging_face(folder) else POINTER)(folder)
        yield lambda _: local
    else:
        remote = load(REMOTE)(model, base_url=base_url or None)
        try:
            yield lambda _: remote
        finally:
            await remote.close()


class _Config(msgspec.Struct):
    model_type: str = ""


def _hugging_face(folder: Path) -> bool:
    """Whether the folder holds a model of that form, or an adapter for one."""
    if (folder / "adapter_config.json").exists():
        return True
    try:
        config = msgspec.json.decode((folder / "config.json").read_bytes(), type=_Config)
    except (OSError, msgspec.DecodeError):
        return False
    return bool(config.model_type)


def _folder(model: str) -> Path | None:
    """The checkpoint's folder that `model` names; None for a name that can only be an API's.
    Raises `ConfigError` for a path where nothing is."""
    path = SHIPPED if model == STARTER else Path(model).expanduser()
    if path.is_dir():
        return path
    if model.startswith((".", "/", "~")):
        raise ConfigError(f"there is no checkpoint {model}")
    return None
