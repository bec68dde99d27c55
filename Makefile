# Everything a person or CI runs. `make demo` and `make check test` do all the set-up themselves.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.run-installed
DEV_STAMP := $(VENV)/.dev-installed
LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --quiet

.PHONY: help setup setup-dev demo check test fmt lock messages
.DEFAULT_GOAL := help

help:
	@echo "make demo     try it: installs, loads the demo, starts web, worker and beat (PORT=$(PORT))"
	@echo "make setup    install the locked dependencies into $(VENV)"
	@echo "make check    ruff, mypy, import-linter, templates, migrations, OpenAPI, compose file"
	@echo "make test     the whole suite on PostgreSQL + Redis and on the embedded default"
	@echo "make fmt      format the code"
	@echo "make messages collect what is to be translated (needs GNU gettext), and compile it"
	@echo "make lock     write the lock files anew"

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "There is no $(PYTHON). Install Python 3.11.2 or newer:"; \
	  echo "  Debian: apt-get install python3 python3-venv      macOS: brew install python@3.11"; \
	  exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11, 2))' || { \
	  echo "$(PYTHON) is `$(PYTHON) --version 2>&1`; Python 3.11.2 or newer is needed."; \
	  echo "Name another one with PYTHON=, for example: make setup PYTHON=python3.12"; \
	  exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) has no venv. Debian: apt-get install python3-venv"; exit 1; }
	@echo "Making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): requirements/run.txt | $(BIN)/python
	@echo "Installing the locked dependencies"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  -r requirements/run.txt
	@touch $@

$(DEV_STAMP): requirements/dev.txt $(RUN_STAMP)
	@echo "Installing the locked tools for checks and tests"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  -r requirements/dev.txt
	@touch $@

setup: $(RUN_STAMP)

setup-dev: $(DEV_STAMP)

demo: setup
	@DATABASE_URL= REDIS_URL= S3_BUCKET= MEDIA_ROOT= TRUSTED_PROXY_COUNT= SIGN_IN_LINKS=1 \
	  PUBLIC_URL=http://127.0.0.1:$(PORT) $(BIN)/python manage.py run_demo --port $(PORT)

check: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet templates
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check --database default --fail-level WARNING
	@if $(BIN)/python -m tests.services postgresql; then \
	  echo "The same on PostgreSQL"; \
	  DATABASE_URL="$$($(BIN)/python -m tests.services postgresql-url)" \
	  $(BIN)/python manage.py check --database default --fail-level WARNING; \
	fi
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file $(VENV)/openapi.yaml
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

test: setup-dev
	@$(BIN)/python -m tests.run_all

fmt: setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: setup-dev
	$(LOCK) requirements/run.in -o requirements/run.txt
	$(LOCK) requirements/dev.in -o requirements/dev.txt

messages: setup-dev
	$(BIN)/python manage.py makemessages --locale zh_Hans --no-location --no-wrap --no-obsolete \
	  --ignore $(VENV) --ignore var --ignore tests
	cd annotation && ../$(BIN)/python ../manage.py compilemessages --locale zh_Hans
