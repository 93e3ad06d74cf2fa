# Everything is installed into .venv and .cache of this folder, nothing elsewhere, nothing as root.
PYTHON ?= python3
BIN := .venv/bin
STUBS := .cache/stubs

# pip says nothing unless it fails.
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test check bench train clean runtimes

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

setup: .venv/ready-dev runtimes ## install everything that the other targets need

demo: .venv/ready ## play a scene to the virtual board and watch it listen
	@$(BIN)/bluering demo

test: .venv/ready-dev runtimes ## run all tests but the hour-long soak and the release gate
	@$(BIN)/python -m pytest -n 2 -m "not soak" --ignore tests/gate

check: .venv/ready-dev $(STUBS)/ready ## lint, formatting, types, and the release gate of the models
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright
	@$(BIN)/pyright --project setup/pyright-firmware.json
	@$(BIN)/python -m pytest -qq --no-header tests/gate

bench: .venv/ready-dev runtimes ## count instructions, measure speed
	@$(BIN)/python -m tests.bench

train: .venv/ready-dev ## train a wake word: make train WORD=computer (hours)
	@setup/voices.sh
	@$(BIN)/bluering train "$(or $(WORD),$(error say which: make train WORD=computer))"

clean: ## remove all that was installed or built here
	rm -rf .venv .cache dist .pytest_cache .ruff_cache .hypothesis
	find firmware host tests -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/ready: pyproject.toml setup/venv.sh setup/apt.sh
	@setup/venv.sh $(PYTHON)
	@echo "setup: installing BlueRing into .venv"
	@$(PIP) --editable .
	@touch $@

.venv/ready-dev: .venv/ready
	@echo "setup: installing what the tests and checks need into .venv"
	@$(PIP) --editable '.[check]'
	@touch $@

# Tests are skipped, with the reason, where these can't be had; so this always succeeds.
runtimes:
	@setup/runtimes.sh

# Type stubs of MicroPython. Not into .venv: they would shadow modules of CPython's own.
$(STUBS)/ready: pyproject.toml | .venv/ready
	@echo "setup: installing MicroPython's type stubs into $(STUBS)"
	@rm -rf $(STUBS)
	@$(PIP) --target $(STUBS) 'micropython-esp32-stubs>=1.27,<2'
	@touch $@
