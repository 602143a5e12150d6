# What a person does with a clone. Needs make and Python 3.11 or newer with venv; everything else goes into .venv.
# `make test ARGS="-k plan"` hands arguments on; `make install PY=python3.12` chooses the interpreter.

PY ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
# Holds the folder it was made in: a copied or moved clone gets an environment of its own.
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
HASHED := $(PIP) install --require-hashes
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --system-certs \
	--custom-compile-command 'make lock'

# Somebody else's environment must not leak into ours.
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help install run test test-long storm check test-oracle walk torture fuzz mutants recovery prove bench lint format simulator build lock clean FORCE

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

install: $(STAMP) ## create .venv with exactly the locked versions and the program in it

run: install ## replicate config/plans/demo.yaml on the built-in simulator
	@$(BIN)/orchestrator run --simulate config/plans/demo.yaml $(ARGS)

test: install ## run the tests (ARGS="-k plan" narrows them)
	@$(BIN)/python -m pytest -n 3 --dist worksteal -m "not oracle and not long" $(ARGS)

test-long: install ## run the tests that take long as well as those that do not
	@$(BIN)/python -m pytest -n 3 --dist worksteal -m "not oracle" $(ARGS)

storm: install ## random nights with crashes and hostile replies, in virtual time (SEEDS=2000, ARGS="--seed 7")
	@$(BIN)/python -m tests.storm --seeds $(or $(SEEDS),2000) $(ARGS)

check: install lint ## lint, types and the import contract
	@$(BIN)/mypy
	@$(BIN)/lint-imports

test-oracle: install ## hold signer and simulator against the official SDK (installs it: a large download)
	@$(HASHED) --no-build-isolation -r requirements/oracle.txt
	@$(BIN)/python -m pytest -m oracle $(ARGS)

# Which worlds, and how far: tests/prove/groups.py.
walk: install ## every order of events in tiny worlds, against the schedule (a few minutes)
	@$(BIN)/python -m tests.prove walk $(ARGS)

torture: MINUTES ?= 5
torture: install ## kill the real program with -9 for MINUTES=5 (ARGS=--unprotected shows that a bug is seen)
	@$(BIN)/python -m tests.torture --minutes $(MINUTES) $(ARGS)

mutants: install ## plant bugs in a copy of the tree, each must be caught (ARGS="--only NAME", --list)
	@$(BIN)/python -m tests.mutants $(ARGS)

fuzz: install ## spoilt plans, replies and ledgers by the hundred thousand, against their readers
	@$(BIN)/python -m tests.fuzz $(ARGS)

recovery: install ## ledger and schedule as one state machine, killed at any write (LIVES=2000)
	@$(BIN)/python -m tests.recovery --lives $(or $(LIVES),2000) $(ARGS)

prove: install ## all of these with their full counts, published in docs/reliability.md (SECONDS=30 for a glimpse)
	@$(BIN)/python -m tests.prove $(if $(SECONDS),--seconds $(SECONDS)) $(ARGS)

bench: install ## the schedule beside a script and a lower bound, written to benchmarks/results.md (installs the SDK; SECONDS=30 for a glimpse)
	@$(if $(SECONDS)$(ARGS),,$(HASHED) --no-build-isolation -r requirements/oracle.txt)
	@$(if $(SECONDS)$(ARGS),,$(BIN)/python -m tests.bench.cost)
	@$(BIN)/python -m tests.bench $(if $(SECONDS)$(ARGS),,--write --paired) $(if $(SECONDS),--seconds $(SECONDS)) $(ARGS)

lint: install ## ruff: rules and format, nothing is changed
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

format: install ## ruff: mend what can be mended, then format
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

simulator: install ## start the simulated cloud on this machine
	@$(BIN)/orchestrator simulator $(ARGS)

build: install ## wheel and source archive into dist/
	@$(BIN)/python -m hatchling build $(ARGS)

# run.txt and oracle.txt are held to the versions of dev.txt, so that what is tested is what runs.
lock: install ## remake requirements/*.txt from pyproject.toml (ARGS=--upgrade for newer versions)
	@$(HASHED) -r requirements/lock.txt
	@$(COMPILE) $(ARGS) pyproject.toml --group dev -o requirements/dev.txt
	@$(COMPILE) $(ARGS) pyproject.toml -c requirements/dev.txt -o requirements/run.txt
	@$(COMPILE) $(ARGS) --group oracle -c requirements/dev.txt -o requirements/oracle.txt
	@$(COMPILE) $(ARGS) --group lock -o requirements/lock.txt

clean: ## remove .venv, dist/ and every cache
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

define need_python
command -v "$(PY)" >/dev/null || { echo "No $(PY) here. Install Python 3.11 or newer, or name it: make PY=/path/to/python3" >&2; exit 1; }; \
$(PY) -c 'import sys; v = sys.version_info; v < (3, 11) and sys.exit("Python 3.11 or newer is needed, $(PY) is %d.%d. Name another: make PY=python3.12" % v[:2])' || exit 1; \
$(PY) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PY) has no venv module. Install it (Debian, Ubuntu: apt install python3-venv)." >&2; exit 1; };
endef

# -x follows the link, so an environment whose interpreter was uninstalled is stale as well.
ifneq ($(shell [ -x $(BIN)/python ] && cat $(STAMP) 2>/dev/null),$(CURDIR))
$(STAMP): FORCE
endif

$(STAMP): pyproject.toml requirements/dev.txt
	@[ "$$(cat $(STAMP) 2>/dev/null || pwd -P)" = "$$(pwd -P)" ] && $(BIN)/python -m pip --version >/dev/null 2>&1 \
		|| { $(need_python) $(PY) -m venv --clear $(VENV); }
	@echo "Installing the locked packages into $(VENV) (half a minute or so) ..." >&2
	@$(HASHED) -r requirements/dev.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@pwd -P > $(STAMP)
	@echo "The program is $(BIN)/orchestrator" >&2
