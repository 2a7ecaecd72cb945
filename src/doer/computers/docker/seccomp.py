"""The filter of system calls as engines take it: JSON after the OCI runtime specification, made of
the very list that local computers are held by."""

import errno
import json
from typing import Any

from doer.computers.local.keeper import seccomp
from doer.computers.local.keeper.seccomp import Compare

OPERATIONS = {
    1: "SCMP_CMP_NE",
    2: "SCMP_CMP_LT",
    4: "SCMP_CMP_EQ",
    6: "SCMP_CMP_GT",
    7: "SCMP_CMP_MASKED_EQ",
}


class Profile:
    """Collects what is denied; everything else is allowed, as in the local filter. An engine's
    runtime skips names that the kernel does not know, and other architectures are shut out."""

    def __init__(self) -> None:
        self.denied: list[dict[str, Any]] = []

    def deny(self, call: str, *compares: Compare, error: int = errno.EPERM) -> None:
        conditions = [
            {"index": one.arg, "value": one.a, "valueTwo": one.b, "op": OPERATIONS[one.op]}
            for one in compares
        ]
        rule = {"names": [call], "action": "SCMP_ACT_ERRNO", "errnoRet": error, "args": conditions}
        self.denied.append(rule)


def profile() -> str:
    """The whole of it."""
    rules = Profile()
    seccomp.fill(rules)
    return json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules.denied})
