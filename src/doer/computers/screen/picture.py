"""Pictures of a mirror's pixels as JPEG or PNG bytes."""

import asyncio
import hashlib
import io
from typing import Literal

from PIL import Image

from doer.computers.screen.damage import Rect
from doer.computers.screen.mirror import Mirror
from doer.computers.screen.rfb import PIXEL
from doer.errors import ToolError
from doer.records.screen import Shot

Format = Literal["jpeg", "png"]
JPEG_QUALITY = 80
PNG_EFFORT = 1  # of 9: the quickest that compresses


def crop(mirror: Mirror, rect: Rect) -> Image.Image:
    """A copy of a part of the screen, as it is now."""
    stride = mirror.width * PIXEL
    start = rect.y * stride + rect.x * PIXEL
    end = start + (rect.height - 1) * stride + rect.width * PIXEL
    size = (rect.width, rect.height)
    with memoryview(mirror.pixels) as pixels:
        return Image.frombytes("RGB", size, bytes(pixels[start:end]), "raw", "BGRX", stride)


def encode(image: Image.Image, format: Format) -> bytes:
    """Takes tens of milliseconds for a whole screen; Pillow lets other threads run meanwhile."""
    into = io.BytesIO()
    if format == "jpeg":  # colours as fine as brightness: coloured text stays sharp
        image.save(into, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    else:
        image.save(into, "PNG", compress_level=PNG_EFFORT)
    return into.getvalue()


async def take(mirror: Mirror, format: Format, region: Rect | None, scale: float | None) -> Shot:
    """A picture of the screen, or of a region of it, made smaller by `scale` (more than 0, to 1).
    Raises `ToolError` for a region that is not on the screen."""
    rect = region or Rect(0, 0, mirror.width, mirror.height)
    if not rect.inside(mirror.width, mirror.height):
        raise ToolError(
            f"region {tuple(rect)} (x, y, width, height) is not on the screen,"
            f" which is {mirror.width} wide and {mirror.height} high"
        )
    if scale is not None and not 0 < scale <= 1:
        raise ToolError(f"scale {scale:g} is not between 0 and 1")
    image = crop(mirror, rect)
    size = rect.width, rect.height
    if scale is not None:
        size = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))

    def work() -> bytes:
        small = image if size == image.size else image.resize(size, Image.Resampling.BOX)
        return encode(small, format)

    picture = await asyncio.to_thread(work)
    digest = hashlib.sha256(picture).hexdigest()
    return Shot(picture=picture, format=format, size=size, digest=digest)
