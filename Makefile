# Yunliu: `make help` lists what can be done. Only Python 3.11-3.13 and make are needed; no root, no Node.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
ARGS ?=
# PYTHON= chooses the interpreter; without it the first suitable one is taken.
PYTHON ?=
# Locks name the whole closure: --no-deps spares old pips a resolution that trips over extras ("coverage[toml]").
PIP := --disable-pip-version-check --no-input -qq --require-hashes --no-deps

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check bench frontend translations lock format clean

help:  ## list these commands
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/\1|\2/p' $(MAKEFILE_LIST) | \
		while IFS='|' read -r name text; do printf '  make %-13s %s\n' "$$name" "$$text"; done

demo: $(VENV)/.runtime  ## set everything up and run it with a small demo company (PORT=8000)
	@$(BIN)/yunliu serve --demo --port $(PORT)

test: $(VENV)/.dev  ## all tests, on SQLite and PostgreSQL (ARGS= for pytest)
	@$(BIN)/pytest -n auto --dist worksteal $(ARGS)

check: check-lint check-types check-arrows check-words check-templates check-dependencies check-changes check-house check-frontend  ## all checks that CI runs (make -k check: every complaint at once)
	@echo "check: all good"

bench: $(VENV)/.dev  ## the engine's speed, as ratios with the references beside
	@$(BIN)/python -m tests.bench $(ARGS)

frontend:  ## rebuild the browser bundles (needs Node)
	@cd webapp/frontend && npm ci --ignore-scripts --no-audit --no-fund && npm run build

translations: $(VENV)/.dev  ## gather the sentences; new ones wait in webapp/translations for their Chinese
	@$(BIN)/pybabel --quiet extract -F webapp/translations/babel.cfg -k lazy_gettext --no-location --sort-output \
		--project yunliu -o $(VENV)/messages.pot .
	@$(BIN)/pybabel --quiet update -i $(VENV)/messages.pot -d webapp/translations -l zh \
		--no-wrap --ignore-obsolete --no-fuzzy-matching

lock: $(VENV)/.dev  ## pin every dependency anew, with hashes (ARGS=--upgrade takes newer ones)
	@$(BIN)/uv pip compile $(LOCK) -o requirements/runtime.lock $(ARGS)
	@$(BIN)/uv pip compile $(LOCK) --group dev -o requirements/dev.lock $(ARGS)
LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml

format: $(VENV)/.dev  ## let ruff and djlint put the sources in order
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format --quiet .

clean:  ## forget the environment and caches; data/ stays
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage* htmlcov

# ------------------------------------------------------------------------------------------------- make check

.PHONY: check-lint check-types check-arrows check-words check-templates check-dependencies check-changes check-house check-frontend

check-lint: $(VENV)/.dev
	@echo "check: lint and format (ruff)"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .

check-types: $(VENV)/.dev
	@echo "check: types (mypy --strict)"
	@$(BIN)/mypy --no-error-summary

check-arrows: $(VENV)/.dev
	@echo "check: who may import whom (import-linter)"
	@$(BIN)/lint-imports --no-cache --no-logo > $(VENV)/arrows.log || { cat $(VENV)/arrows.log; exit 1; }

check-words: $(VENV)/.dev
	@echo "check: spelling (codespell)"
	@$(BIN)/codespell

check-templates: $(VENV)/.dev
	@echo "check: templates (djlint)"
	@$(BIN)/djlint --quiet --lint webapp/templates

check-dependencies: $(VENV)/.dev
	@echo "check: unused and missing dependencies (deptry), locks as pyproject.toml says"
	@$(BIN)/deptry . 2> $(VENV)/deptry.log || { cat $(VENV)/deptry.log; exit 1; }

check-changes: $(VENV)/.dev
	@echo "check: news fragments (towncrier)"
	@$(BIN)/towncrier build --draft --version next > /dev/null

check-house: $(VENV)/.dev
	@echo "check: one migration head, models = migrations, translations, links, dependencies' reasons"
	@$(BIN)/pytest -q -p no:randomly tests/architecture tests/migrations

check-frontend: $(VENV)/.dev
	@if command -v npm > /dev/null; then \
		echo "check: the browser bundles rebuild to the same bytes"; \
		cd webapp/frontend && npm ci --ignore-scripts --no-audit --no-fund --silent && npm run --silent verify; \
	else echo "check: browser bundles not rebuilt: install Node 20 or newer"; fi

# ------------------------------------------------------------------------------------------------- environment

# A stamp per lock file: nothing is installed twice.
$(VENV)/.runtime: requirements/runtime.lock | $(BIN)/yunliu
	@echo "Installing the packages (about a minute, once) ..."
	@$(BIN)/python -m pip install $(PIP) -r $<
	@touch $@

$(VENV)/.dev: requirements/dev.lock | $(BIN)/yunliu
	@echo "Installing the packages and the developers' tools (a few minutes, once) ..."
	@$(BIN)/python -m pip install $(PIP) -r $<
	@touch $@ $(VENV)/.runtime

# `yunliu` runs this checkout from wherever it is called: a path file and a launcher need no build tools.
$(BIN)/yunliu: | $(BIN)/pip
	@echo '$(CURDIR)' > "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/yunliu.pth"
	@printf '#!/bin/sh\nexec "%s/python" -m webapp.cli "$$@"\n' '$(CURDIR)/$(BIN)' > $@
	@chmod +x $@

$(BIN)/pip:
	@python='$(PYTHON)'; for candidate in $${python:-python3 python3.13 python3.12 python3.11 python}; do \
		if "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2> /dev/null; \
		then found=$$candidate; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "Yunliu needs Python 3.11, 3.12 or 3.13 and found none$${python:+ in PYTHON=$$python}." >&2; \
		echo "Install one (Debian: apt-get install python3 python3-venv) or name it: make PYTHON=/path/to/python3.12" >&2; \
		exit 1; \
	fi; \
	echo "Making the environment $(VENV) with $$("$$found" --version) ..."; \
	if ! "$$found" -m venv $(VENV) > /dev/null 2>&1; then \
		rm -rf $(VENV); \
		echo "$$found cannot make virtual environments: the module venv or ensurepip is missing." >&2; \
		echo "Install it (Debian: apt-get install python3-venv) or name another Python: make PYTHON=/path/to/python3.12" >&2; \
		exit 1; \
	fi
