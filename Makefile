# Every target runs on a machine that has only Python and make: uv is fetched into .tools when it is missing.
# Recipes are silent and messages go to stderr, so that `make demo ARGS="--json"` prints one JSON object on stdout.
.SILENT:
.DEFAULT_GOAL := help
SHELL := /bin/sh

UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo .tools/bin/uv)
RUN := $(UV) run --quiet --frozen
ARGS ?=
SEEDS ?= 500
# without compiled libraries every process would compile them anew where PYTHONDONTWRITEBYTECODE is set
export UV_COMPILE_BYTECODE := 1

.PHONY: help install demo test peers-nautilus peers-freqtrade sim sim-speed bench replay planted mutation mutation-rules check rules format

help:  ## what can be done here
	grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 17

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

peers-nautilus: install  ## NautilusTrader, in an environment of its own, against the simulated exchange
	UV_PROJECT_ENVIRONMENT=$(CURDIR)/.tools/nautilus $(UV) sync --quiet --frozen --project tests/peers/nautilus 1>&2
	$(RUN) python -m tests.peers.nautilus --python .tools/nautilus/bin/python

peers-freqtrade: install  ## the same with freqtrade's exchange class
	UV_PROJECT_ENVIRONMENT=$(CURDIR)/.tools/freqtrade $(UV) sync --quiet --frozen --project tests/peers/freqtrade 1>&2
	$(RUN) python -m tests.peers.freqtrade --python .tools/freqtrade/bin/python

sim: install  ## many seeded runs with faults in virtual time (SEEDS=5000; ARGS="--seed 123" lives one again)
	$(RUN) python -m tests.simulation.sim --seeds $(SEEDS) $(ARGS)

sim-speed: install  ## simulated seconds per second of processor time (ARGS="--seed 7 --seconds 3600 --calm")
	$(RUN) python -m tests.simulation.speed $(ARGS)

bench: install  ## how fast and how large the simulated exchange is (ARGS="requests --pairs 10000"; ARGS=--json)
	$(RUN) python -m tests.bench $(ARGS)

replay: install  ## play 56 days of recorded bars, twice, in virtual time and judge them (an hour; ARGS="--days 1" for a look)
	$(RUN) python -m tests.replay $(ARGS)

planted: install  ## plant known bugs one by one and hunt each with the swarm (ARGS="one-list --base 123"; ARGS=--keep)
	$(RUN) python -m tests.planted.hunt $(ARGS)

mutation: install  ## change the planner thousands of times and see whether a test notices (an hour and more; ARGS="jumar.planner.stop*")
	UV_PROJECT_ENVIRONMENT=$(CURDIR)/.tools/mutation $(UV) sync --quiet --frozen --no-default-groups --group dev --group mutation 1>&2
	-.tools/mutation/bin/mutmut run $(ARGS) 1>&2
	.tools/mutation/bin/python -m tests.mutation.survivors

mutation-rules: install  ## turn each rule's condition round and run only the tests that name the rule (ARGS="S-4 R-2")
	$(RUN) python -m tests.mutation.rules $(ARGS)

check: install  ## lint, format, types, import contracts, rules and their tests
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports --no-logo
	$(RUN) python -m tests.rules --check
	echo "skipped: 0 (lint, format, types, import contracts and rules always run whole)"

rules: install  ## write docs/rules.md: every rule, its tests, its places in the code
	$(RUN) python -m tests.rules

format: install  ## let the formatter and the safe fixes run
	$(RUN) ruff check --fix .
	$(RUN) ruff format .
