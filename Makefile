# Every target runs on a machine that has only Python and make: uv is fetched into .tools when it is missing.
# Recipes are silent and messages go to stderr, so that `make demo ARGS="--json"` prints one JSON object on stdout.
.SILENT:
.DEFAULT_GOAL := help
SHELL := /bin/sh

UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo .tools/bin/uv)
RUN := $(UV) run --quiet --frozen
ARGS ?=
# without compiled libraries every process would compile them anew where PYTHONDONTWRITEBYTECODE is set
export UV_COMPILE_BYTECODE := 1

.PHONY: help install demo test check format

help:  ## what can be done here
	grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(filter .tools/%,$(UV)):
	echo "uv is missing: fetching it into .tools" >&2
	python3 -m venv .tools 1>&2
	.tools/bin/pip install --quiet uv 1>&2

install: $(filter .tools/%,$(UV))  ## make the environment (.venv) from the lock file
	$(UV) sync --quiet --frozen 1>&2

demo: install  ## watch a decision become a protected position (ARGS="--seconds 60 --json")
	$(RUN) jumar demo $(ARGS)

test: install  ## the whole suite
	$(RUN) pytest -n 2 --dist loadgroup $(ARGS)

check: install  ## lint, format, types, import contracts
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports --no-logo
	echo "skipped: 0 (lint, format, types and import contracts always run whole)"

format: install  ## let the formatter and the safe fixes run
	$(RUN) ruff check --fix .
	$(RUN) ruff format .
