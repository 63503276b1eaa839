# make demo    set up .venv and run the main job on the bundled corpus
# make quick   set up .venv and run the quick tests (one to three minutes)
# make test    set up .venv and run all tests, but those that need Chromium
# make check   lint, types and all tests
# make clean   remove .venv and everything that was built

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := .ci/constraints.txt
SOURCES := setup.cfg pyproject.toml $(CONSTRAINTS)
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	-c $(CONSTRAINTS)

.PHONY: demo quick test lint types check wheel clean

demo: $(VENV)/.installed
	@echo "== emoclf demo: train, evaluate, save and predict, on the bundled corpus"
	$(BIN)/emoclf demo
	@echo "== emoclf is $(BIN)/emoclf; to call it by its name: source $(BIN)/activate"

# tests/conftest.py says how many processes "auto" is.
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

quick: $(VENV)/.tested
	@echo "== quick tests"
	$(PYTEST)

test: $(VENV)/.tested
	@echo "== all tests"
	$(PYTEST) -m "not browser"

lint: $(VENV)/.tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.tested
	$(BIN)/mypy

check: lint types test

wheel: $(VENV)/.tested
	rm -rf build dist
	$(BIN)/python -m build --wheel --outdir dist .

# A stamp is newer than setup.cfg when nothing has to be installed again.
$(VENV)/.installed: $(SOURCES)
	@echo "== setting up $(VENV) (once: some minutes, about 2.3 GB with TensorFlow)"
	@$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "emoclf needs Python 3.11 or newer; say which with: make PYTHON=python3.12 ..."'
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -e .
	@touch $@

$(VENV)/.tested: $(VENV)/.installed
	@echo "== adding what tests and checks need"
	$(INSTALL) -e ".[dev]"
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
