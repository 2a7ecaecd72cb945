# make run      set everything up, train the quickstart recipe, write its report
# make test     set everything up, run all tests (a real browser and real training included)
# make check    format, lint, types, floors and the fast tests: under a minute, before every commit
# make fmt      format, and fix what the linter can fix
# make setup    system packages and .venv, only when something changed

SHELL := /bin/bash
BIN := .venv/bin
READY := .venv/.ready
RECIPE ?= recipes/quickstart.toml
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.PHONY: run test check fmt setup check-format check-lint check-types check-floors check-tests

run: $(READY)
	$(BIN)/doer train $(RECIPE)

test: $(READY)
	$(BIN)/pytest -q -n 2

# Two at a time; each prints in one piece when it is done.
check: $(READY)
	@$(MAKE) --no-print-directory --jobs 2 --keep-going --output-sync=target \
		check-tests check-types check-format check-lint check-floors
	@echo "check: all good"

fmt: $(READY)
	$(BIN)/ruff check --fix --quiet || true
	$(BIN)/ruff format

setup: $(READY)

$(READY): pyproject.toml constraints.txt scripts/setup.sh
	@scripts/setup.sh

check-format:
	$(BIN)/ruff format --check

check-lint:
	$(BIN)/ruff check

check-types:
	$(BIN)/pyright

check-floors:
	$(BIN)/lint-imports --no-logo

check-tests:
	$(BIN)/pytest -q -n 2 -m "not slow"
