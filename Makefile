# Everything starts here. Each target sets up what it needs; a second call finds it done.
#
#   PYTHON=/path/to/python make …   build .venv with that interpreter
#   INSTALLER=uv make …             install with uv (which does not read pip's index settings)
#   make test ARGS="-k name"        hand arguments on

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup demo serve test chaos check fix bench soak screenshots lock runtime

bootstrap := sh tools/with-python tools/bootstrap.py
bin := .venv/bin

# pyright would ask the npm registry for a newer version of itself at each start.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

setup: ## Set up .venv with everything that development needs
	@$(bootstrap) --extras dev

runtime:
	@$(bootstrap) --extras local,server

demo: runtime ## Run a Daft pipeline from a Git commit on a local Ray, and show what comes of it
	@$(bin)/daftray demo $(ARGS)

serve: runtime ## Start the control plane and a local Ray
	@$(bin)/daftray serve $(ARGS)

# Each process has a Ray cluster of its own, once it needs one, and whole files to run.
# PROCESSES=0 runs all in one process, where a debugger can stop them.
PROCESSES ?= 2
test: setup ## Run all tests
	@$(bin)/python -m pytest -n $(PROCESSES) --dist loadfile $(ARGS)

# Goes on where a series with the same code was cut off; FRESH=1 begins anew. ARGS="-k 'sqlite and 17'" picks.
SEEDS ?= 100
chaos: setup ## Kill servers, links and Ray heads while runs go on: SEEDS=100 trials of each setting
	@SEEDS=$(SEEDS) $(bin)/python -m pytest tests/chaos -v --tb=short $(ARGS)

check: setup ## Check formatting, lint, types and the import rule
	@$(bin)/ruff format --check --quiet . && echo "format: ok"
	@$(bin)/ruff check --quiet . && echo "lint: ok"
	@$(bin)/pyright
	@$(bin)/lint-imports --no-logo

fix: setup ## Format, and mend what ruff can mend
	@$(bin)/ruff check --fix --quiet . ; $(bin)/ruff format .

soak: setup ## Half an hour of fifty followers: does the server's memory stay flat?
	@$(bin)/python bench/soak/soak.py $(ARGS)

# ONLY=listing runs one of them, ARGS=100000 hands it arguments.
ONLY ?= *
bench: setup ## Run the benchmarks
	@set -e; for script in bench/$(ONLY).py; do \
	  echo "$$script"; PYTHONPATH=tests $(bin)/python "$$script" $(ARGS); done

screenshots: setup ## Draw the pictures of docs/tour.md anew, with the system's Chromium
	@PYTHONPATH=tests $(bin)/python tools/screenshots.py

lock: setup ## Choose the newest allowed versions and write them to constraints.txt
	@$(bin)/python tools/lock.py $(ARGS)
