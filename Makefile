# `make run` is all a newcomer needs. Every target sets up what it needs first.
.DEFAULT_GOAL := help
.PHONY: help setup run test lint format lock bench

# The newest Python that works; without one requirements/install.py (or the shell) says what is missing.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$python; exit; fi; \
	done; echo python3)

help: ## Show what there is to make.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: ## Install everything the site needs into this folder.
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed, and there is no python3." >&2; exit 1; }
	@$(PYTHON) requirements/install.py

run: setup ## Serve the site on http://127.0.0.1:8000 (PORT=… changes it, HARDNESS_DATA_DIR=… moves the data).
	@exec env PYTHONDONTWRITEBYTECODE= .venv/bin/python manage.py serve # compiled files make every later start fast

test: ## Install what the tests need and run them all.
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed, and there is no python3." >&2; exit 1; }
	@$(PYTHON) requirements/install.py --test
	@.venv/bin/python tests/run.py

lint: ## Check style, types and imports.
	@.venv/bin/python tests/run.py style types imports

format: ## Bring the code into its form.
	@.venv/bin/ruff check --fix --exit-zero . && .venv/bin/ruff format .

lock: ## Compile requirements/*.in and package.json into the locks (needs uv and npm).
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
		--quiet --output-file requirements/base.txt requirements/base.in
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
		--quiet --output-file requirements/test.txt requirements/test.in
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
		--quiet --output-file requirements/install.txt requirements/install.in
	npm install --package-lock-only --ignore-scripts

bench: ## Run the benchmarks.
	@set -e; for file in benchmarks/*.py; do echo "== $$file"; PYTHONPATH=. .venv/bin/python $$file; done
