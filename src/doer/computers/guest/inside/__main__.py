"""The daemon inside a computer: `python3 -I inside SOCKET` and, each with its value, `--home`,
`--display`, `--proxy`, `--disk-mb`.

It prints `ready` when it listens, starts what the host asks for, and ends and heals it. With
`--proxy`, 127.0.0.1:3128 leads to that socket; with `--disk-mb`, the home is held to that size.
Standard library only, Python 3.9 or later.
"""

from __future__ import annotations

import os
import socket
import sys

from children import watch_children
from filling import hold
from journal import clear
from loop import run, start
from relaying import relay
from serving import Daemon


def _option(name: str, default: str) -> str:
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


def main() -> None:
    path = sys.argv[1]
    home = os.path.realpath(_option("--home", os.environ.get("HOME", "/")))
    display = int(_option("--display", "1"))
    os.environ["HOME"] = home  # what `~` means
    os.umask(0o022)
    os.chdir(home)
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", **os.environ, "HOME": home}
    clear(path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        os.chmod(path, 0o600)
        listener.listen(128)
        watch_children()
        if "--proxy" in sys.argv:
            start(relay(_option("--proxy", "")))
        if "--disk-mb" in sys.argv:
            start(hold(home, int(_option("--disk-mb", "")) << 20, env))
        start(Daemon(os.path.dirname(os.path.abspath(path)), home, env, display).serve(listener))
        print("ready", flush=True)
        run()


main()
