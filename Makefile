# The portal's commands. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python

.PHONY: help run run-wide test test-services test-wide lint format bench recordings clean install install-test

help: ## This list
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: $(VENV)/.installed

install-test: $(VENV)/.installed-test

$(VENV)/.installed: requirements.txt .ci/constraints.txt
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.txt -c .ci/constraints.txt
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed tests/requirements.txt
	$(RUN) -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt -c .ci/constraints.txt
	@.ci/system-tools
	@touch $@

run: install ## Set everything up and serve the portal with demo data on http://localhost:3000 (PORTAL_PORT)
	@$(RUN) -m portal_app.serve

run-wide: install-test ## The same with PostgreSQL, Redis and four server processes, in the folder data-wide
	@$(RUN) -m tests.trial

lint: install-test ## Style, types, and the direction of imports
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/pyright
	$(VENV)/bin/lint-imports

format: install-test ## Bring the code into the common style
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

test: install-test ## Everything: style, types, services, pages in a real browser
	@$(MAKE) --no-print-directory -j2 lint test-services
	$(RUN) -m pytest -n 2 --dist loadfile -m "not long" tests/e2e

# Beside `lint`, which keeps one processor busy; the tests wait for other things half of their time.
test-services: install-test
	$(RUN) -m pytest -n 4 --dist loadfile --no-loadscope-reorder -m "not long" --ignore tests/e2e

test-wide: install-test ## The same tests on PostgreSQL and Redis; TESTS="tests/billing" for some
	TEST_WIDE=1 $(RUN) -m pytest -n 2 --dist loadfile -rs $(TESTS)

bench: install-test ## Measure the pages against plain SQL and Django (20 minutes); BENCH="--sizes 1000 --n 3" for a short run
	$(RUN) -m tests.bench $(BENCH)

recordings: install-test ## Make the courses' screen recordings anew, from the portal itself (minutes); SCENES="first-steps/search" for some
	$(RUN) -m pip install --quiet --disable-pip-version-check -r tests/recordings/requirements.txt
	$(RUN) -m tests.recordings $(SCENES)

clean: ## Remove what was built and installed; the data folder stays
	rm -rf $(VENV) .web .pytest_cache .ruff_cache .states
	find portal_app tests alembic -name __pycache__ -prune -exec rm -rf {} +
