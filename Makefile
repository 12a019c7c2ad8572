# `make help` says what there is. Needed on a fresh Debian 12: python3, python3-venv, make.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo test check bench soak clean-demo

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

install: $(INSTALLED) ## Python packages into .venv, and the translations
	@$(BIN)/huangpu compile-translations

$(INSTALLED): requirements.lock pyproject.toml
	@if command -v uv >/dev/null && uv --version >/dev/null 2>&1; then \
	  { [ -x $(BIN)/python ] || uv venv -q --python $(PYTHON) .venv; } && \
	  uv pip install -q --compile-bytecode --python $(BIN)/python -r requirements.lock && \
	  uv pip install -q --python $(BIN)/python --no-deps -e . ; \
	else \
	  { [ -x $(BIN)/pip ] || $(PYTHON) -m venv .venv; } && \
	  $(BIN)/pip install -q --disable-pip-version-check -r requirements.lock && \
	  $(BIN)/pip install -q --disable-pip-version-check --no-deps -e . ; \
	fi
	@$(BIN)/python -m compileall -q src
	@touch $@

demo: install ## the demo city at one address; Ctrl-C stops it, the data stay (SCALE=3 for a larger one)
	@exec $(BIN)/huangpu demo $(if $(SCALE),--scale $(SCALE))

clean-demo: install ## empty the demo's data folder
	@$(BIN)/huangpu clean-demo

# One process a core, each with an embedded server of its own; one process where the server is given, see CONTRIBUTING.md.
PROCESSES ?= $(if $(DATABASE_URL),0,auto)
test: install ## the tests, without the long counts (ARGS="-k name" chooses)
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
	  echo "No chromium here: the journeys in a real browser are skipped (Debian: apt install chromium fonts-noto-cjk)."
	@$(BIN)/pytest -m "not soak" -rfEs -n $(PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

soak: install ## the long counts: races, kills, crashes; minutes to hours
	@$(BIN)/pytest -m soak -rfEs -s $(ARGS)

check: install ## style, types, floors, migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check -q .
	$(BIN)/lint-imports
	$(BIN)/mypy src
	$(BIN)/huangpu django makemigrations --check --dry-run

bench: install ## every benchmark, quickly (ARGS="ledger --json" chooses)
	@$(BIN)/huangpu bench $(or $(ARGS),all --quick)
