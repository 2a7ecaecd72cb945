"""The image that computers are made of, and how it is built of the `Containerfile` beside this."""

import io
import tarfile
from hashlib import sha256
from pathlib import Path

import msgspec

from doer.computers.docker.engine import Engine
from doer.errors import ComputerError

RECIPE = Path(__file__).with_name("Containerfile")
BUILD_S = 3600.0


class _Step(msgspec.Struct, frozen=True):
    stream: str = ""
    error: str = ""


def image() -> str:
    """Its name. The recipe's digest is its tag: another recipe, another image."""
    return f"localhost/doer-computer:{sha256(RECIPE.read_bytes()).hexdigest()[:12]}"


def how_to_build(command: str) -> str:
    """The command to type, for `docker` or `podman`."""
    return f"`{command} build -t {image()} - < {RECIPE}`"


def build(engine: Engine) -> str:
    """Let the engine build it: some minutes, about a gigabyte, from Debian's archive. The image's
    name. Blocks; raises `ComputerError` with what was said last."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(RECIPE, RECIPE.name)
    query = {"t": image(), "dockerfile": RECIPE.name, "rm": "true", "forcerm": "true"}
    body = packed.getvalue()
    told = engine.ask("POST", "/build", query=query, body=body, wait_s=BUILD_S).content
    said: list[str] = []
    for line in told.splitlines():
        try:
            step = msgspec.json.decode(line, type=_Step)
        except msgspec.DecodeError:
            continue
        said.append(step.stream)
        if step.error:
            raise ComputerError(
                f"the image was not built: {step.error}: {''.join(said)[-1000:].strip()}"
            )
    if not is_built(engine, image()):
        raise ComputerError(f"the image was not built: {''.join(said)[-1000:].strip()}")
    return image()


def is_built(engine: Engine, name: str) -> bool:
    return engine.ask("GET", f"/images/{name}/json", fine=(404,)).status == 200
