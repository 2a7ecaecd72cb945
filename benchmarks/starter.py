"""The starter on fresh test seeds of every web task that has an oracle, as a Markdown table.

    python benchmarks/starter.py [--seeds 20] [--model FOLDER] > table.md

Published success beside it is taken from the AutoWebGLM paper (arXiv 2404.03648, table 8), whose
systems read other inputs, learnt from other amounts of data, and mostly had 10 to 30 seconds and
counted any positive reward; here success is a raw reward of exactly 1 within the step limit.
"""

import argparse
import asyncio

from doer.evals.result import SuiteResult
from doer.evals.suite import SPLITS, Suite, evaluate
from doer.evals.wording import percent, span
from doer.worlds.build import opened, taskset
from doer.worlds.practice.world import TEST_ONLY
from doer.worlds.rollout import Runner

PUBLISHED: dict[str, tuple[str, str, str]] = {  # AutoWebGLM 6B, HTML-T5-XL 3B, WebN-T5-XL 3B
    "book-flight": (".50", ".99", ".48"),
    "choose-date": ("1.00", ".16", ".08"),
    "choose-date-easy": ("1.00", "1.00", "1.00"),
    "click-button": ("1.00", "1.00", "1.00"),
    "click-checkboxes": ("1.00", "1.00", ".22"),
    "click-checkboxes-large": (".83", ".90", ".54"),
    "click-checkboxes-soft": (".37", ".99", ".08"),
    "click-link": ("1.00", "1.00", ".99"),
    "click-option": ("1.00", "1.00", ".87"),
    "email-inbox": ("1.00", "1.00", ".38"),
    "enter-password": ("1.00", "1.00", ".72"),
    "enter-text": ("1.00", "1.00", ".89"),
    "login-user": ("1.00", "1.00", ".82"),
    "use-autocomplete": (".85", ".97", ".02"),
}


async def measured(model: str, world_name: str, seeds: int) -> SuiteResult:
    world = taskset(world_name)
    first = SPLITS["test"][0]
    names = [name for name in world.names() if world.oracle(name)]  # others were not attempted
    suite = Suite.of(world, names, range(first, first + seeds))
    async with opened(model, world, "") as chosen:
        runner = Runner(taskset=world, model=chosen(""), temperature=0.0, concurrency=8)
        try:
            return await evaluate(suite, model, runner.run)
        finally:
            await world.close()


def table(found: SuiteResult, columns: bool) -> str:
    """Tasks by success."""
    head = "| task | success | 95 % interval | steps |"
    head += " AutoWebGLM 6B | HTML-T5-XL 3B | WebN-T5-XL 3B |" if columns else ""
    lines = [head, "|---" * head.count("|", 1) + "|"]
    for name, tally in sorted(found.by_task.items(), key=lambda item: (-item[1].success, item[0])):
        line = f"| {name} | {percent(tally.success)} | {span(tally.interval)} |"
        line += f" {tally.steps or 0:.1f} |"
        published = PUBLISHED.get(name, ("", "", ""))
        lines.append(line + (f" {' | '.join(published)} |" if columns else ""))
    return "\n".join(lines)


def summary(found: SuiteResult, names: list[str]) -> str:
    tallies = [found.by_task[name] for name in names]
    good = sum(tally.success >= 0.9 for tally in tallies)
    mean = sum(tally.success for tally in tallies) / len(tallies)
    return f"{good} of {len(names)} tasks at 90 % or more; {percent(mean)} on average"


async def main() -> None:
    parser = argparse.ArgumentParser(description="the starter on every web task")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--model", default="starter")
    given = parser.parse_args()
    for world in ("practice", "miniwob"):
        found = await measured(given.model, world, given.seeds)
        names = list(found.by_task)
        print(f"\n### {world}: {summary(found, names)}\n")
        if world == "practice":
            seen = [name for name in names if name not in TEST_ONLY]
            print(f"- pages like those trained on: {summary(found, seen)}")
            print(f"- pages never trained on: {summary(found, list(TEST_ONLY))}")
        print("\n" + table(found, columns=world == "miniwob"))
        without = [name for name in taskset(world).names() if name not in names]
        if without:
            print(f"\nNot attempted, there is no oracle for them: {', '.join(without)}")


if __name__ == "__main__":
    asyncio.run(main())
