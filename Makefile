# The everyday commands. Each sets up what it needs; `make` alone lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules

# The first Python on the path that is new enough.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
BIN := .venv/bin
# Tests start the program many times; what Python has compiled once is kept.
unexport PYTHONDONTWRITEBYTECODE

# A throw-away archive for the commands that need a migrated database.
SCRATCH := scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; export MUNIMENT_HOME="$$scratch" MUNIMENT_DATABASE_URL= MUNIMENT_KEYRING_URL=;

.PHONY: help
help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: .venv/.ready ## Make .venv with the locked versions and an editable install

.venv/.ready: requirements-dev.lock pyproject.toml app/_launch.py
	@[ -n "$(PYTHON)" ] || { echo 'Muniment needs Python 3.11 or newer, and found none on the path.' >&2; exit 1; }
	@[ -x $(BIN)/pip ] || "$(PYTHON)" -c 'import ensurepip' 2>/dev/null || $(call install,python3-venv)
	[ -x $(BIN)/pip ] || "$(PYTHON)" -m venv --clear .venv
	$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --no-index --editable .
	@touch $@

# Debian's package if we may install it, otherwise what a person has to do.
define install
(if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends $(1) </dev/null; \
else echo 'Please install $(1) (on Debian and Ubuntu: sudo apt-get install $(1)).' >&2; exit 1; fi)
endef

.PHONY: run
run: setup ## Start Muniment with a demonstration archive on http://127.0.0.1:8000
	$(BIN)/muniment demo

.PHONY: test
test: setup postgresql ## Run the test suite; T=tests/rules for a part, stopping at the first failure
	$(BIN)/python -m pytest $(if $(T),-x -m "not live and not soak" $(T),-n auto --dist loadfile)

# Tests on PostgreSQL start throw-away clusters of their own; only the programs are needed.
# Where they cannot be installed, those tests are skipped and say why.
.PHONY: postgresql
postgresql:
	@command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || { \
	policy=/usr/sbin/policy-rc.d; \
	if [ "$$(id -u)" = 0 ] && [ ! -e $$policy ]; then \
		trap "rm -f $$policy" EXIT; printf '#!/bin/sh\nexit 101\n' >$$policy; chmod 755 $$policy; fi; \
	$(call install,postgresql); } || echo 'Going on; tests on PostgreSQL will be skipped.' >&2

.PHONY: check
check: test ## What CI runs: tests, format, lint, types, walls, migrations
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(SCRATCH) $(BIN)/alembic upgrade head && $(BIN)/alembic check

.PHONY: fix
fix: setup ## Format and repair what a machine can
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format

.PHONY: live
live: setup ## Capture from real servers, started on this machine's loopback
	$(BIN)/python -m pytest -m live tests/live

.PHONY: journeys
journeys: setup postgresql ## Days, weeks and a year in an office, as its people would tell them
	$(BIN)/python -m pytest -m "journeys and not faults and not soak" -n auto --dist loadfile

.PHONY: platforms
platforms: setup postgresql ## Each connector's promises, over a world that speaks as its platform does
	$(BIN)/python -m pytest -m "platforms and not faults and not soak" -n auto --dist loadfile

.PHONY: faults
faults: setup postgresql ## Kills, power losses, flipped bits, lost disks and troubled platforms, by the hundred
	$(BIN)/python -m pytest -m "faults and not soak" -n auto --dist loadfile

.PHONY: soak
soak: setup postgresql ## The tests that run for many minutes
	MUNIMENT_EXAMPLES=soak $(BIN)/python -m pytest -m soak

.PHONY: fuzz
fuzz: setup ## Ten minutes of anything for the parser of questions; MUNIMENT_FUZZ_SECONDS=n for another time
	$(BIN)/python -m pytest -s -m soak tests/rules/test_query_fuzz.py

.PHONY: bench
bench: setup ## Measure, and print ratios; B=name for one
	$(BIN)/python tests/bench/run.py $(B)

.PHONY: revision
revision: setup ## A new migration: make revision m="keep the ledger"
	@[ -n "$(m)" ] || { echo 'Say what it does: make revision m="keep the ledger"' >&2; exit 1; }
	@$(SCRATCH) $(BIN)/alembic upgrade head && $(BIN)/alembic revision --autogenerate -m "$(m)"

# The hashes are the registry's own: local copies of packages are left out of sight.
LOCK := env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL PIP_CONFIG_FILE=/dev/null $(BIN)/pip-compile --quiet \
	--generate-hashes --allow-unsafe --strip-extras --no-annotate --no-header --no-emit-options \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-build-isolation $(if $(U),--upgrade)

.PHONY: lock
lock: setup ## Write the lock files anew; U=1 takes the newest versions
	$(LOCK) -o requirements.lock pyproject.toml
	$(LOCK) --extra dev --all-build-deps -c requirements.lock -o requirements-dev.lock pyproject.toml
	@sed -i '1i # What runs. Written by `make lock`.\n' requirements.lock
	@sed -i '1i # What runs, tests and builds. Written by `make lock`.\n' requirements-dev.lock

.PHONY: clean
clean: ## Remove what tools have left behind; .venv and your archive stay
	rm -rf dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov
	find app connectors migrations tests -name __pycache__ -type d -prune -exec rm -rf {} +
