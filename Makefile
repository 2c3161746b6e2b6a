# Two commands do everything on a fresh machine with Python 3.11+, a C compiler and make:
#   make demo    environment, build, server, the us-miner portfolio through the client, plan and report in out/
#   make test    environment with the test tools, build, all tests
# make docs writes what of the documentation comes from the code, and all of it as a site into build/docs.
# make check adds what CI checks besides: lint, types, import rules, generated code, wheel.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := setup.py pyproject.toml $(shell find ext -name '*.pyx' -o -name '*.pxd')
EPOCH := $(or $(shell git log -1 --format=%ct 2>/dev/null),315532800)
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: demo test check lint dist docs lock clean

demo: $(VENV)/built
	$(BIN)/optimizer demo --out out

test: $(VENV)/dev $(VENV)/built
	$(BIN)/python -m pytest

check: lint test dist

lint: $(VENV)/dev $(VENV)/built
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PATH="$(BIN):$$PATH" $(BIN)/cython-lint ext
	$(BIN)/python .ci/check_hints.py
	$(BIN)/python .ci/check_vectors.py
	$(BIN)/lint-imports
	$(BIN)/python protos/generate.py --check
	PATH="$(BIN):$$PATH" $(BIN)/python protos/generate.py --lint
	$(BIN)/python docs/generate.py --check

dist: $(VENV)/dev
	rm -rf dist
	SOURCE_DATE_EPOCH=$(EPOCH) $(BIN)/python -m build --no-isolation --outdir dist . >/dev/null
	SOURCE_DATE_EPOCH=$(EPOCH) $(BIN)/python .ci/repack.py dist/*.tar.gz
	$(BIN)/python .ci/third_party.py dist
	$(BIN)/python .ci/check_dist.py dist

docs: $(VENV)/dev $(VENV)/built
	$(BIN)/python protos/generate.py
	$(BIN)/python docs/generate.py
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet --jobs auto --builder dirhtml docs build/docs
	$(BIN)/python docs/check_site.py build/docs

# New lock files: names, versions and hashes of everything, resolved afresh.
lock:
	$(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip install --quiet pip-tools
	$(VENV)/lock/bin/pip-compile --quiet --strip-extras --generate-hashes --no-annotate --no-header \
		--no-emit-options --allow-unsafe --all-build-deps --extra service --output-file .ci/run.lock pyproject.toml
	$(VENV)/lock/bin/pip-compile --quiet --strip-extras --generate-hashes --no-annotate --no-header \
		--no-emit-options --allow-unsafe --all-build-deps --extra service --extra dev -c .ci/run.lock --output-file .ci/dev.lock pyproject.toml
	sed -i '/^--/d' .ci/run.lock .ci/dev.lock

$(VENV)/run: .ci/run.lock
	$(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r .ci/run.lock
	touch $@

$(VENV)/dev: .ci/dev.lock $(VENV)/run
	$(PIP) --require-hashes -r .ci/dev.lock
	touch $@

$(VENV)/built: $(VENV)/run $(SOURCES)
	$(PIP) --no-deps --no-build-isolation --editable .
	touch $@

clean:
	rm -rf $(VENV) build dist out *.egg-info
	find . -name '*.so' -o -name '__pycache__' | xargs rm -rf
	find ext -name '*.c' -delete
