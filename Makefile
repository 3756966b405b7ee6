# Every command of this file also works by hand; `make -n TARGET` shows it.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal -q -p no:cacheprovider
ON_POSTGRESQL := $(BIN)/python -m hotel.on_postgresql

.DEFAULT_GOAL := help
.PHONY: help run migrate test test-sqlite test-postgres stress proof lint bench

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

PORT ?= 8000
run: $(READY)  ## a demo hotel, taken from the legacy shape to head, and its admin on 127.0.0.1:8000; PORT=8001
	$(BIN)/python manage.py demo --if-empty
	$(BIN)/python manage.py runserver 127.0.0.1:$(PORT)

migrate: $(READY)  ## take the database to head
	$(BIN)/python manage.py migrate

test: test-sqlite test-postgres  ## every test on SQLite, then on PostgreSQL

test-sqlite: $(READY)  ## every test on SQLite
	DATABASE_URL=sqlite://:memory: $(PYTEST)

test-postgres: $(READY)  ## every test on PostgreSQL 18, or on the server that TEST_DATABASE_URL names
	$(ON_POSTGRESQL) $(PYTEST)

ROUNDS ?= 30
STRESSED := hotel/migrator/tests/test_round_trips.py hotel/migrator/tests/test_history.py \
  payments/tests/test_ledger.py hotel/migrator/tests/test_exactly_once.py \
  hotel/migrator/tests/test_steps.py hotel/migrator/tests/test_graph_properties.py \
  hotel/migrator/tests/test_batches.py hotel/migrator/tests/test_runner.py \
  hotel/migrator/tests/test_offline.py hotel/migrator/tests/test_supported_operations.py \
  hotel/dashboard/tests/test_demo.py hotel/tests/test_admin_junk.py \
  hotel/migrator/tests/test_adopt.py hotel/migrator/tests/test_adopt_to_head.py \
  hotel/migrator/tests/test_adopt_rights.py hotel/tests/test_benches.py
KILLS ?= 50
KILLED := hotel/migrator/tests/test_kills.py hotel/migrator/tests/test_adopt_kills.py
# On SQLite in a file, since there is a lock only on what other processes can open.
DJANGO_SUITE := $(BIN)/python -m hotel.migrator.tests.django_suite --keep .venv/django
stress: $(READY)  ## Django's tests of migrate; more rows, longer stories for the ledger; ROUNDS=100
	DATABASE_URL=sqlite:///not-made.sqlite3 $(DJANGO_SUITE)
	$(ON_POSTGRESQL) $(DJANGO_SUITE)
	DATABASE_URL=sqlite://:memory: ROUND_TRIPS=$(ROUNDS) $(PYTEST) $(STRESSED)
	ROUND_TRIPS=$(ROUNDS) $(ON_POSTGRESQL) $(PYTEST) $(STRESSED)
	DATABASE_URL=sqlite://:memory: KILLS=$(KILLS) $(PYTEST) $(KILLED)
	KILLS=$(KILLS) $(ON_POSTGRESQL) $(PYTEST) $(KILLED)

proof: $(READY)  ## the same accidents on plain Django and here, side by side, on both engines
	$(BIN)/python -m bench.proof

lint: $(READY)  ## style, types, and models that agree with the migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	DATABASE_URL=sqlite://:memory: $(BIN)/python manage.py makemigrations --check --dry-run

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

$(READY): requirements.txt requirements-dev.txt requirements-prod.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 …" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt -r requirements-prod.txt
	@touch $(READY)
