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

.PHONY: help setup programs demo test check check-deep check-clients check-faults check-fuzz check-mutants check-image image sbom lock bench bench-check pictures clean

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
	@tests/programs.sh buildah=buildah mmdebstrap=mmdebstrap spin=spin gcc=gcc mkfs.ext4=e2fsprogs strace=strace
	$(BIN)/pytest -m deep --hypothesis-profile deep --durations 10

# The products lie in .clients/, or in ASSENT_CLIENTS; no test of `make test` needs them.
check-clients: setup programs ## against Open WebUI and LiteLLM, really installed in environments of their own (1.4 GB)
	$(BIN)/python -m tests.clients.programs
	$(BIN)/pytest -m clients tests/clients --durations 10

# Hours at full scale, and it goes on where it was stopped; the results lie in .faults/.
check-faults: setup programs ## inject every fault there is a test for and write docs/reference/faults.md; SCALE=small, ONLY="cut line"
	@tests/programs.sh strace=strace mkfs.ext4=e2fsprogs iptables=iptables mount=mount
	$(BIN)/python -m tests.injected --scale $(or $(SCALE),full) $(if $(ONLY),--only "$(ONLY)")

# Readers are fuzzed one after the other; what breaks one is kept in tests/fuzz/found, which `make test` reads.
check-fuzz: setup .fuzz/.lib ## look for inputs that break a reader, SECONDS=60 for each; ONLY=name for one or a group
	$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),60) $(addprefix --only ,$(ONLY))

# The whole takes hours; survivors are written to .mutants/.
check-mutants: setup .mutants/.lib ## change the core in small ways, and see that tests notice; ONLY=module, SHARE=0.2 by chance, AGAIN=yes
	$(BIN)/python -m tests.mutants $(if $(ONLY),--only "$(ONLY)") --share $(or $(SHARE),1) $(if $(AGAIN),--again)

image: setup ## build the OCI image assent:VERSION by buildah; BASE=image to build on, from a registry unless it is there
	@tests/programs.sh buildah=buildah
	rm -f dist/assent-*.whl && $(BIN)/python -m hatchling build -t wheel -d dist
	buildah build --file deploy/Containerfile --timestamp $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct)) \
		$(if $(BASE),--build-arg BASE=$(BASE)) --tag assent:$(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' src/assent/__init__.py) .

check-image: setup ## build the image twice on a base made here, and run it; validate the manifests of Kubernetes
	@tests/programs.sh buildah=buildah mmdebstrap=mmdebstrap unshare=util-linux
	$(BIN)/pytest -m deep tests/acceptance/test_image.py tests/acceptance/test_manifests.py -s --durations 10

sbom: setup .sbom/.lib ## write dist/assent.cdx.json: what the wheel installs, with hashes and licences (CycloneDX 1.6)
	PYTHONPATH=.sbom/lib $(BIN)/python -m tests.supply.sbom dist/assent.cdx.json

lock: .venv/.uv ## resolve pyproject.toml again into requirements/
	$(LOCK) pyproject.toml --group dev --upgrade --output-file requirements/dev.txt
	$(LOCK) pyproject.toml --extra cut --constraint requirements/dev.txt --output-file requirements/run.txt
	$(LOCK) pyproject.toml --extra postgres --extra s3 --extra kms --constraint requirements/dev.txt --output-file requirements/image.txt
	$(LOCK) --group bootstrap --constraint requirements/dev.txt --output-file requirements/uv.txt
	$(LOCK) --group fuzz --output-file requirements/fuzz.txt
	$(LOCK) --group mutants --constraint requirements/dev.txt --output-file requirements/mutants.txt
	$(LOCK) --group sbom --constraint requirements/dev.txt --output-file requirements/sbom.txt

pictures: setup programs ## take the pictures of docs/pictures again; NAMES="me console" takes these
	$(BIN)/python -m tests.browser.pictures $(NAMES)

bench: setup ## measure each headline and write benchmarks/RESULTS.md; ONLY=name for one, SIZE=small only tries them
	$(BIN)/python -m benchmarks $(if $(ONLY),--only "$(ONLY)")

bench-check: setup ## measure again; fails where a ratio got worse than recorded; ONLY=name for one
	$(BIN)/python -m benchmarks --check $(if $(ONLY),--only "$(ONLY)")

clean: ## remove what can be made again
	rm -rf .venv .clients .faults .fuzz .mutants .sbom demo-out build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

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

# Tools that bring libraries of their own stay out of .venv: each in a folder that its own command looks into.
.fuzz/.lib .mutants/.lib .sbom/.lib: .%/.lib: .venv/.uv requirements/%.txt
	$(UV) install --quiet --python $(BIN)/python --require-hashes --target .$*/lib -r requirements/$*.txt
	@touch $@

# The OpenID provider that sign-in is tested against; without npm its tests are skipped, and say so.
$(PROVIDER)/node_modules/.package-lock.json: $(PROVIDER)/package-lock.json
	@if command -v npm >/dev/null; then \
		echo "installing an OpenID provider for the tests of sign-in: npm ci in $(PROVIDER)"; \
		cd $(PROVIDER) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && touch node_modules/.package-lock.json; \
	else echo "MISSING: \`npm\`; the tests of sign-in through a provider are skipped" >&2; fi
