# make voice   set up, then build every voice of params.yaml
# make test    set up, then lint, types and the test suite
# Both start from a bare python3 (3.11 or 3.12) with pip; the environment is made in .venv/.

PYTHON ?= $(shell for p in python3 python3.12 python3.11; do command -v $$p >/dev/null && \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export OMP_WAIT_POLICY = PASSIVE
export DVC_NO_ANALYTICS = 1
# Compiled modules halve the start of every stage, whatever the shell says about them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: voice test test-all lint lock clean
voice: .venv/ready
	dvc repro

test: .venv/ready lint
	python -m pytest -q -m "not slow and not gpu" $(WORKERS)

test-all: .venv/ready lint
	python -m pytest -q --hypothesis-profile=search

# Whole files to two workers, in their order: fixtures of a file are made once, and the long ones come early.
WORKERS := -n 2 --dist loadfile --no-loadscope-reorder

lint: .venv/ready
	ruff check .
	ruff format --check .
	mypy

.venv/ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: python 3.11 or 3.12 is needed (set PYTHON=...)"; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep -m1 -o '^uv==[^ ]*' requirements.lock)"
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# After a change of the dependencies in pyproject.toml. Every extra but ray, which those who have a cluster bring along.
LOCKED := ja ko yue silero s3 enhance export c2pa recognise dask dev
lock: .venv/ready
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--no-annotate $(addprefix --extra ,$(LOCKED)) pyproject.toml -o requirements.lock

clean:
	rm -rf .venv .cache
