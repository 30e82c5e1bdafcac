# make run   sets everything up and examines the reference controller
# make test  sets everything up, then lint, types, tests, features, examples through tox
# PYTHONDONTWRITEBYTECODE, which some machines export, triples pytest's start-up.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.installed

.PHONY: run test setup clean

run: setup
	$(VENV)/bin/nohold run

test: setup
	$(VENV)/bin/tox run

setup: $(STAMP)

$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "nohold needs Python 3.11 or newer, found " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) .tox .mypy_cache .ruff_cache .pytest_cache .hypothesis reports/out
