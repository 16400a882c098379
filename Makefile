# assent needs python3.11 (with venv) and make; everything else installs itself into .venv from hashed locks.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

PYTHON ?= python3.11
BIN := .venv/bin
UV := $(BIN)/uv pip
# The youngest release a lock may name. Whoever updates dependencies moves this date, a week behind today.
LOCKED_UNTIL := 2026-11-15T00:00:00Z
LOCK := $(UV) compile --quiet --universal --generate-hashes --python-version 3.11 \
	--exclude-newer $(LOCKED_UNTIL) --custom-compile-command "make lock"
EDITABLE := $(UV) install --quiet --python $(BIN)/python --no-deps --no-build-isolation --offline --editable .
SOURCES := src tests benchmarks
TORCH := 2.13.0
PROVIDER := tests/servers/oidc-provider

# Programs are started hundreds of times by tests; compiled once, they start in half the time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup programs demo test check check-deep check-clients lock bench clean

help: ## say what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.dev ## install everything a contributor needs into .venv

programs: ## install what tests run beside ours, by apt and npm and aloud
	@tests/programs.sh softhsm2-util=softhsm2 chromium=chromium node=nodejs npm=npm nginx=nginx-light mariadbd=mariadb-server-core
	@$(MAKE) --silent $(PROVIDER)/node_modules/.package-lock.json

demo: .venv/.run ## the main job on sample data, then its pages until Ctrl-C (SERVE=no: without); DATA=folder FORMAT=name takes your own
	@echo "the results go to $(CURDIR)/demo-out"
	$(BIN)/assent demo --out demo-out $(if $(filter no,$(SERVE)),--no-serve) $(if $(DATA),--data "$(DATA)" --format "$(FORMAT)")

test: setup programs check ## every check, then every test
	$(BIN)/pytest --numprocesses auto --durations 10

check: setup ## lint, format, types, layers
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

check-deep: setup programs ## the slow proofs: many more random examples, kills, races, models
	@tests/programs.sh spin=spin gcc=gcc mkfs.ext4=e2fsprogs strace=strace
	$(BIN)/pytest -m deep --hypothesis-profile deep --durations 10

# The products lie in .clients/, or in ASSENT_CLIENTS; no test of `make test` needs them.
check-clients: setup programs ## against Open WebUI and LiteLLM, really installed in environments of their own (1.4 GB)
	$(BIN)/python -m tests.clients.programs
	$(BIN)/pytest -m clients tests/clients --durations 10

lock: .venv/.uv ## resolve pyproject.toml again into requirements/
	$(LOCK) pyproject.toml --group dev --upgrade --output-file requirements/dev.txt
	$(LOCK) pyproject.toml --extra cut --constraint requirements/dev.txt --output-file requirements/run.txt
	$(LOCK) --group bootstrap --constraint requirements/dev.txt --output-file requirements/uv.txt

bench: setup ## measure each headline; ONLY=name measures one
	$(BIN)/python -m benchmarks $(if $(ONLY),--only "$(ONLY)")

clean: ## remove what can be made again
	rm -rf .venv .clients demo-out build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

# Three steps, each a stamp: the locked installer, what `assent` needs to run, what a contributor needs.
.venv/.uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "\`$(PYTHON)\` is missing or older than 3.11: install it, or name one with make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "\`$(PYTHON)\` has no venv module: install it (Debian, Ubuntu: apt install python3.11-venv)" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

.venv/.run: .venv/.uv requirements/run.txt pyproject.toml
	$(UV) install --quiet --python $(BIN)/python --require-hashes -r requirements/run.txt
	$(EDITABLE)
	@touch $@

.venv/.dev: .venv/.uv requirements/dev.txt pyproject.toml
	$(UV) sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	$(EDITABLE)
	@echo "installing torch $(TORCH) beside the lock, for the tests of training: pip install torch==$(TORCH)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile torch==$(TORCH)
	@touch $@ .venv/.run

# The OpenID provider that sign-in is tested against; without npm its tests are skipped, and say so.
$(PROVIDER)/node_modules/.package-lock.json: $(PROVIDER)/package-lock.json
	@if command -v npm >/dev/null; then \
		echo "installing an OpenID provider for the tests of sign-in: npm ci in $(PROVIDER)"; \
		cd $(PROVIDER) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && touch node_modules/.package-lock.json; \
	else echo "MISSING: \`npm\`; the tests of sign-in through a provider are skipped" >&2; fi
