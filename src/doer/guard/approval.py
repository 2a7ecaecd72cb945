"""Approval: a person's yes to exactly one action on exactly one target."""

import hashlib
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from doer.guard.rules import Rules
from doer.records.action import Action


class Approver(Protocol):
    """Whoever answers when a rule says ask."""

    async def __call__(self, action: Action, facts: Mapping[str, Any]) -> bool: ...


def digest(action: Action, facts: Mapping[str, Any], rules: Rules) -> str:
    """SHA-256 that binds an approval to tool, arguments, target and rules. Hex."""
    asked = (action.tool, action.arguments, dict(facts), rules)
    return hashlib.sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()
