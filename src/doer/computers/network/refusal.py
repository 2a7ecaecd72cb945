"""What the proxy will not do: one exception, told to the caller and written to the log."""

from typing import Literal

Verdict = Literal["allowed", "closed", "denied", "failed", "malformed", "over_limit"]
"""What became of a request. `closed` ends the line pair of a tunnel; `failed` is the other side's
or the network's doing, `malformed` the caller's."""

STATUS: dict[Verdict, int] = {"denied": 403, "over_limit": 403, "malformed": 400, "failed": 502}


class Refusal(Exception):
    """`why` is a sentence for the caller; `rule` names what decided."""

    def __init__(self, verdict: Verdict, why: str, rule: str = "") -> None:
        super().__init__(why)
        self.verdict: Verdict = verdict
        self.why = why
        self.rule = rule

    @property
    def status(self) -> int:
        return STATUS.get(self.verdict, 502)
