"""Rules: deterministic, outside the model, with the last word on every action.

The first rule that matches decides; an action no rule speaks of is denied.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from doer.records.action import Action
from doer.records.event import Ruling


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What to do with actions of the tools `tool` matches (a shell pattern).

    `where` narrows it to targets whose facts match: fact name -> shell pattern.
    """

    name: str
    ruling: Ruling
    tool: str = "*"
    where: dict[str, str] = {}

    def matches(self, action: Action, facts: Mapping[str, Any]) -> bool:
        return fnmatchcase(action.tool, self.tool) and all(
            fnmatchcase(str(facts.get(fact, "")), pattern) for fact, pattern in self.where.items()
        )


class Verdict(msgspec.Struct, frozen=True):
    """The ruling, and the rule it comes from."""

    ruling: Ruling
    rule: str


class Rules(msgspec.Struct, frozen=True):
    """An ordered list of rules."""

    rules: tuple[Rule, ...]

    def need_facts(self, tool: str) -> bool:
        """Whether any rule for this tool looks at the target, which costs a look at the page."""
        return any(rule.where and fnmatchcase(tool, rule.tool) for rule in self.rules)

    def judge(self, action: Action, facts: Mapping[str, Any]) -> Verdict:
        for rule in self.rules:
            if rule.matches(action, facts):
                return Verdict(rule.ruling, rule.name)
        return Verdict("deny", "no rule allows it")


ALLOW_ALL = Rules((Rule(name="allow all", ruling="allow"),))
