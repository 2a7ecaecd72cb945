"""Goes the keeper's way into its namespaces and tries something there, for `doer doctor`."""

import os
import socket
import sys

from doer.computers.inside import PROXY_PORT
from doer.computers.local.keeper import kernel
from doer.computers.local.keeper.staging import become, plant


def main() -> None:
    """Arguments: user and group to be, and a command to run inside; without one the listener is
    planted and called. What fails ends it with an error message."""
    uid, gid = int(sys.argv[1]), int(sys.argv[2])
    try:
        if os.geteuid() == 0:
            become(uid, gid)
        kernel.unshare(kernel.NEW_USER | kernel.NEW_NS | kernel.NEW_NET)
        kernel.map_user(uid, gid)
        if sys.argv[3:]:
            os.execvp(sys.argv[3], sys.argv[3:])
        with plant(), socket.socket() as caller:
            caller.settimeout(5)
            caller.connect(("127.0.0.1", PROXY_PORT))
    except OSError as error:
        sys.exit(str(error))
