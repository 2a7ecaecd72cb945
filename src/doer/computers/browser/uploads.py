"""Files given to a page: into a file input, or as the answer to a page that asks for some.

The system's own dialog never opens: the wish is caught (`Tab.chooser`). Chromium reads the files
when the page does, by their paths in its own world.
"""

import asyncio
from collections.abc import Sequence

import msgspec

from doer.computers.browser import mouse
from doer.computers.browser.cdp import CdpError
from doer.computers.browser.pointing import Answer, aim, ask
from doer.computers.browser.sight import Sight
from doer.computers.browser.tab import Chooser, Tab
from doer.errors import ToolError

CHOOSER_S = 2.0  # a click may take to bring the page to ask


class FileInput(Answer):
    """What `__doer.fileInput` answers."""

    found: bool = False
    several: bool = False


class _Object(msgspec.Struct, frozen=True, rename="camel"):
    object_id: str = ""


class _Result(msgspec.Struct):
    result: _Object


async def upload(tab: Tab, sight: Sight, ref: int | None, paths: Sequence[str]) -> None:
    """Give files to the input `ref`, to what a click on `ref` asks for, or without a reference to
    what the page has asked for. Raises `ToolError` when nobody wants them."""
    if ref is None:
        chooser = tab.chooser
        if chooser is None:
            raise ToolError("the page asks for no file: name the element that takes one")
        await _give(tab, chooser, paths)
        return
    found = await ask(tab, sight, "fileInput", ref, type=FileInput)
    if found.found:
        _check(found.several, paths)
        await _set(tab, sight, ref, paths)
        return
    tab.chooser = None
    await tab.send_all(mouse.click((await aim(tab, sight, ref)).start))
    try:
        async with asyncio.timeout(CHOOSER_S):
            chooser = await tab.asked_for_files()
    except TimeoutError:
        raise ToolError(
            f"element {ref} takes no files: it is no file input, and asks for none"
        ) from None
    await _give(tab, chooser, paths)


async def _give(tab: Tab, chooser: Chooser, paths: Sequence[str]) -> None:
    _check(chooser.several, paths)
    params = {"files": list(paths), "backendNodeId": chooser.node}
    try:
        await tab.send("DOM.setFileInputFiles", params, chooser.session)
    except CdpError as error:
        raise ToolError(f"the page did not take the files: {error}") from error
    tab.chooser = None


async def _set(tab: Tab, sight: Sight, ref: int, paths: Sequence[str]) -> None:
    document, own = sight.place(ref)
    session = document.session if document else ""
    try:
        if document is None or not document.handle:
            answer = await tab.send(
                "Runtime.evaluate", {"expression": f"__doer.node({own})"}, session
            )
        else:
            call = f"function () {{ return __doer.node({own}); }}"
            params = {"objectId": document.handle, "functionDeclaration": call}
            answer = await tab.send("Runtime.callFunctionOn", params, session)
        handle = msgspec.json.decode(answer, type=_Result).result.object_id
        await tab.send("DOM.setFileInputFiles", {"files": list(paths), "objectId": handle}, session)
    except CdpError as error:
        raise ToolError(f"element {ref} did not take the files: {error}") from error


def _check(several: bool, paths: Sequence[str]) -> None:
    if not paths:
        raise ToolError("no file is named")
    if len(paths) > 1 and not several:
        raise ToolError(f"only one file can be given here, not {len(paths)}")
    if wrong := [path for path in paths if not path.startswith("/")]:
        raise ToolError(f"{wrong[0]} is no absolute path")
