import pytest

from doer.evals.result import Item, SuiteResult


@pytest.fixture
def result():
    """Makes a result from "task seed outcome" lines; the outcome is pass, fail or a fault."""

    def make(model, *lines):
        return SuiteResult.of("shop/test", model, [item(*line.split()) for line in lines])

    def item(name, seed, outcome):
        scored = outcome in ("pass", "fail")
        return Item(
            id=f"shop/{name}#{seed}",
            name=name,
            seed=int(seed),
            passed=outcome == "pass",
            score=float(outcome == "pass") if scored else None,
            end="done" if scored else outcome,
            steps=4 if scored else 1,
            seconds=2.0 if scored else 60.0,
            fault="" if scored else "it died",
        )

    return make
