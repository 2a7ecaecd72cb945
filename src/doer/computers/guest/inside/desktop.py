"""The screen: Xvnc on a unix socket and a window manager, started when first asked for and again
whenever they die; and windows for people."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Mapping, Sequence

from children import Child, find_program, spawn, work_folder
from journal import Journal, clear
from loop import Flag, sleep, start, wait
from wire import Broken, Connection, Refused, Request

_START_S = 20.0
_BACKOFF_S = (0.0, 0.2, 1.0, 3.0)

_MENU = """<?xml version="1.0" encoding="UTF-8"?>
<openbox_menu xmlns="http://openbox.org/3.4/menu">
 <menu id="root-menu" label="Doer">
  <item label="Terminal"><action name="Execute"><command>{terminal}</command></action></item>
  <item label="Files"><action name="Execute"><command>{files}</command></action></item>
  <item label="Browser"><action name="Execute"><command>{browser}</command></action></item>
  <separator/>
  <menu id="client-list-combined-menu"/>
 </menu>
</openbox_menu>
"""
_SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
 <focus><focusNew>yes</focusNew><followMouse>no</followMouse></focus>
 <placement><policy>Smart</policy></placement>
 <theme><name>Clearlooks</name><titleLayout>NLMC</titleLayout></theme>
 <desktops><number>1</number></desktops>
 <keyboard>
  <keybind key="A-Tab"><action name="NextWindow"/></keybind>
  <keybind key="A-F4"><action name="Close"/></keybind>
  <keybind key="C-Escape"><action name="ShowMenu"><menu>root-menu</menu></action></keybind>
 </keyboard>
 <mouse>
  <context name="Root">
   <mousebind button="Left" action="Press"><action name="ShowMenu"><menu>root-menu</menu></action></mousebind>
   <mousebind button="Right" action="Press"><action name="ShowMenu"><menu>root-menu</menu></action></mousebind>
  </context>
  <context name="Client">
   <mousebind button="Left" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
   <mousebind button="Right" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
  </context>
  <context name="Titlebar">
   <mousebind button="Left" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
   <mousebind button="Left" action="Drag"><action name="Move"/></mousebind>
   <mousebind button="Left" action="DoubleClick"><action name="ToggleMaximize"/></mousebind>
  </context>
  <context name="TLCorner TRCorner BLCorner BRCorner Top Bottom Left Right">
   <mousebind button="Left" action="Drag"><action name="Resize"/></mousebind>
  </context>
  <context name="Close">
   <mousebind button="Left" action="Click"><action name="Close"/></mousebind>
  </context>
  <context name="Maximize">
   <mousebind button="Left" action="Click"><action name="ToggleMaximize"/></mousebind>
  </context>
  <context name="Iconify">
   <mousebind button="Left" action="Click"><action name="Iconify"/></mousebind>
  </context>
 </mouse>
 <menu><file>{menu}</file></menu>
 <applications>
  <application class="Chromium*" type="normal"><maximized>yes</maximized></application>
 </applications>
</openbox_config>
"""  # noqa: E501

APPS: dict[str, Sequence[Sequence[str]]] = {
    "terminal": (("xterm", "-fa", "Monospace", "-fs", "11"), ("x-terminal-emulator",)),
    "files": (("pcmanfm",),),
    "office": (("soffice",), ("libreoffice",)),
}
"""What a window is asked for -> the programs that may stand behind it, the best first."""


class Desktop:
    """`display`: the X display's number. `folder`: for the socket, the logs and the settings."""

    def __init__(self, folder: str, home: str, env: Mapping[str, str], display: int) -> None:
        self._folder, self._home, self._display = folder, home, display
        self._env = {**env, "DISPLAY": f":{display}"}
        self._journal = Journal(folder)
        self._size = (0, 0)
        self._ready = Flag()
        self._kept = self._left = False
        self._faults = 0
        self._said = ""

    @property
    def env(self) -> Mapping[str, str]:
        return self._env

    async def screen(self, caller: Connection, request: Request) -> None:
        width, height = request.whole("width", 1280, 64), request.whole("height", 800, 64)
        if max(width, height) > 8192:
            raise Refused("a screen has 8192 pixels each way at most")
        await self.ensure((width, height))
        await caller.answer(
            {
                "display": f":{self._display}",
                "width": self._size[0],
                "height": self._size[1],
                "restarts": self._faults,
            }
        )

    async def ensure(self, size: tuple[int, int] = (1280, 800)) -> None:
        """Return when there is a screen. Its first size stays. Raises `Broken`, `Refused`."""
        find_program("Xvnc", self._env)
        if not self._kept:
            self._kept = True
            self._size = size
            start(self._keep())
        if not await wait(self._ready, until=time.monotonic() + _START_S):
            raise Broken(f"the screen did not start: {self._said or 'see xvnc.log'}")

    async def open(self, caller: Connection, request: Request) -> None:
        """Start a program with a window; it stays when the caller goes."""
        if request.has("app"):
            argv = [*self._app(request.text("app")), *self._args(request)]
        else:
            argv = request.texts("argv")
        if not argv:
            raise Refused("name an 'app' or an 'argv'")
        await self.ensure()
        cwd = work_folder(request, self._home)
        child = self._spawn(argv, "windows.log", cwd)
        # Most wrong arguments show at once.
        await wait(child.exited, until=time.monotonic() + 0.05)
        if child.exited.up and child.code:
            raise Refused(f"{argv[0]!r} ended at once with exit code {child.code}")
        await caller.answer({"pid": child.pid})

    def _args(self, request: Request) -> list[str]:
        return request.texts("args") if request.has("args") else []

    def _app(self, name: str) -> Sequence[str]:
        for argv in APPS.get(name, ()):
            with contextlib.suppress(Refused):
                find_program(argv[0], self._env)
                return argv
        known = ", ".join(APPS)
        raise Refused(f"no {name!r} is installed here; there may be: {known}")

    def _spawn(self, argv: Sequence[str], log: str, cwd: str = "") -> Child:
        with self._journal.open(log) as fd, open(os.devnull, "rb") as nothing:
            return spawn(argv, self._env, cwd or self._home, {0: nothing.fileno(), 1: fd, 2: fd})

    def leave(self) -> None:
        """Heal nothing from now on."""
        self._left = True

    async def _keep(self) -> None:
        """Start the screen, and again whenever a part of it dies."""
        failed = 0
        while not self._left:
            await sleep(_BACKOFF_S[min(failed, len(_BACKOFF_S) - 1)])
            began = time.monotonic()
            try:
                xvnc = await self._start_xvnc()
            except (Broken, Refused, OSError) as error:
                self._said = str(error)
                failed += 1
                continue
            self._ready.raise_()
            await self._manage_windows(xvnc)
            self._ready.lower()
            self._faults += 1
            failed = 0 if time.monotonic() - began > 10 else failed + 1

    async def _start_xvnc(self) -> Child:
        rfb = os.path.join(self._folder, "rfb.sock")
        x11 = f"/tmp/.X11-unix/X{self._display}"
        os.makedirs("/tmp/.X11-unix", mode=0o1777, exist_ok=True)
        for stale in (rfb, x11, f"/tmp/.X{self._display}-lock"):
            clear(stale)
        width, height = self._size
        # The mode of the socket is decimal: 384 is 0600. Port -1 is no TCP at all.
        arguments = (
            f":{self._display} -geometry {width}x{height} -depth 24 -SecurityTypes None "
            f"-rfbunixpath {rfb} -rfbunixmode 384 -rfbport -1 -AlwaysShared -ac "
            "-nolisten tcp -AcceptSetDesktopSize=0"
        )
        child = self._spawn(["Xvnc", *arguments.split()], "xvnc.log")
        until = time.monotonic() + _START_S
        while not (_listens(rfb) and _listens(x11)):
            # Xvnc tells nobody when its sockets are there, so they are tried.
            await wait(child.exited, until=time.monotonic() + 0.005)
            if child.exited.up:
                raise Broken(f"Xvnc ended with exit code {child.code}; see xvnc.log")
            if time.monotonic() > until:
                child.signal(9)
                raise Broken("Xvnc made no socket in time")
        return child

    async def _manage_windows(self, xvnc: Child) -> None:
        """Keep a window manager until the screen dies."""
        pause_s = 0.1
        while not (xvnc.exited.up or self._left):
            try:
                settings = self._write_settings()
                manager = self._spawn(
                    ["openbox", "--sm-disable", "--config-file", settings], "openbox.log"
                )
            except (Refused, OSError) as error:
                self._said = str(error)  # a screen without one can be used
                await wait(xvnc.exited)
                return
            await wait(xvnc.exited, manager.exited)
            if not xvnc.exited.up:
                self._faults += 1
                await wait(xvnc.exited, until=time.monotonic() + pause_s)
                pause_s = min(pause_s * 2, 10)

    def _write_settings(self) -> str:
        menu = os.path.join(self._folder, "openbox-menu.xml")
        settings = os.path.join(self._folder, "openbox.xml")
        commands = {
            "terminal": "xterm -fa Monospace -fs 11",
            "files": "pcmanfm",
            # A second Chromium with the same profile hands its address to the one that runs.
            "browser": "chromium about:blank",
        }
        for path, text in (
            (menu, _MENU.format(**commands)),
            (settings, _SETTINGS.format(menu=menu)),
        ):
            clear(path)
            with open(path, "x") as file:
                file.write(text)
        return settings


def _listens(path: str) -> bool:
    """Whether a unix socket takes connections: its name is there a moment before it does."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.setblocking(False)
        try:
            sock.connect(path)
        except OSError:
            return False
    return True
