# Every command of this file also works by hand; `make -n TARGET` shows it.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
TESTS := pytest -n auto --dist worksteal -q -p no:cacheprovider
PYTEST := $(BIN)/python -m $(TESTS)
ON_POSTGRESQL := $(BIN)/python -m hotel.on_postgresql

# Hundreds of processes are started by the tests: compiled modules are kept, whatever the shell says.
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.PHONY: help run migrate check round-trip docs test test-sqlite test-postgres coverage stress proof lint lint-style lint-models bench

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

PORT ?= 8000
run: $(READY)  ## a demo hotel, taken from the legacy shape to head, and its admin on 127.0.0.1:8000; PORT=8001
	$(BIN)/python manage.py demo --if-empty
	$(BIN)/python manage.py runserver 127.0.0.1:$(PORT)

migrate: $(READY)  ## take the database to head
	$(BIN)/python manage.py migrate

check: $(READY)  ## what to run before each commit: lint, guards, and the tests of what changed, in half a minute
	@$(MAKE) --no-print-directory --jobs --output-sync=recurse lint-style lint-models
	DATABASE_URL=sqlite://:memory: $(BIN)/python -m hotel.changed_tests

HISTORY := hotel/migrator/tests/history
round-trip: $(READY)  ## one migration up, down and up again, with made-up rows, in seconds: M=0044_add_loyalty_number
	DATABASE_URL=sqlite://:memory: ROUND_TRIPS=1 $(BIN)/python -m pytest -q -p no:cacheprovider \
	  $(HISTORY)/test_guards.py $(HISTORY)/test_round_trips.py -k "$(M) or keeps_its_rules" \
	  $(wildcard */tests/migrations/test_$(M)*.py */*/tests/migrations/test_$(M)*.py)

test: test-sqlite test-postgres  ## every test on SQLite, then on PostgreSQL

test-sqlite: $(READY)  ## every test on SQLite
	DATABASE_URL=sqlite://:memory: $(PYTEST)

test-postgres: $(READY)  ## every test on PostgreSQL 18, or on the server that TEST_DATABASE_URL names
	$(ON_POSTGRESQL) $(PYTEST)

# One slow run of each engine, and where they were together; the figures are lines and branches.
export COVERAGE_FOLDER = $(CURDIR)/.venv/coverage
COVERAGE := $(BIN)/python -m coverage
coverage: $(READY)  ## every test on both engines, and which lines and branches none of them reached
	rm -rf $(COVERAGE_FOLDER)
	mkdir -p $(COVERAGE_FOLDER)
	DATABASE_URL=sqlite://:memory: $(COVERAGE) run -m $(TESTS)
	$(ON_POSTGRESQL) $(COVERAGE) run -m $(TESTS)
	$(COVERAGE) combine --quiet
	$(COVERAGE) report

# From 30 rounds on sets of cases are tried whole; with fewer, only what grows with their number runs.
ROUNDS ?= 30
KILLS ?= 50
# On SQLite in a file, since there is a lock only on what other processes can open.
DJANGO_SUITE := $(BIN)/python -m hotel.migrator.tests.django_suite --keep .venv/django
STRESSED = ROUND_TRIPS=$(ROUNDS) KILLS=$(KILLS) $(PYTEST) -m stressed $(if $(SEED),--hypothesis-seed=$(SEED))
stress: $(READY)  ## Django's tests of migrate; more rows, longer stories; ROUNDS=100, SEED=1 for the same again
	DATABASE_URL=sqlite:///not-made.sqlite3 $(DJANGO_SUITE)
	$(ON_POSTGRESQL) $(DJANGO_SUITE)
	DATABASE_URL=sqlite://:memory: $(STRESSED)
	$(ON_POSTGRESQL) env $(STRESSED)

proof: $(READY)  ## the same accidents on plain Django and here, side by side, on both engines
	$(BIN)/python -m bench.proof

lint: lint-style lint-models  ## style, types, and models and a snapshot that agree with the migrations

lint-style: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports --no-logo

lint-models: $(READY)
	DATABASE_URL=sqlite://:memory: $(BIN)/python manage.py makemigrations --check --dry-run
	DATABASE_URL=sqlite://:memory: $(BIN)/python manage.py db snapshot --check

docs: $(READY)  ## write what docs/reference.md says of verbs and exit codes anew
	DJANGO_SETTINGS_MODULE=hotel.settings $(BIN)/python -m hotel.migrator.management.reference docs/reference.md

bench: $(READY)  ## what migrate and a big hotel cost on both engines, beside plain Django
	$(BIN)/python -m bench.history
	$(BIN)/python -m bench.adopt
	$(BIN)/python -m bench.pages
	$(ON_POSTGRESQL) $(BIN)/python -m bench.history
	$(ON_POSTGRESQL) $(BIN)/python -m bench.adopt
	$(ON_POSTGRESQL) $(BIN)/python -m bench.pages --reservations 1000000
	$(BIN)/python -m bench.migrate
	$(ON_POSTGRESQL) $(BIN)/python -m bench.migrate
	$(BIN)/python -m bench.drift
	$(ON_POSTGRESQL) $(BIN)/python -m bench.drift
	$(ON_POSTGRESQL) $(BIN)/python -m bench.interference
	$(ON_POSTGRESQL) $(BIN)/python -m bench.traffic

$(READY): requirements.txt requirements-dev.txt requirements-prod.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 …" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt -r requirements-prod.txt
	@touch $(READY)
