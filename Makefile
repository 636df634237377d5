# Every target installs what it needs into .venv; only Python 3.11+ and make have to be there.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-slow faults lint format screenshots keys bench bench-logs bench-hung audit image-check clean

demo: .venv/demo
	$(BIN)/pgconsole demo $(ARGS)

test: .venv/dev
	$(BIN)/pytest -n 4 --dist loadgroup -m "not slow" $(ARGS)

# What would take `make test` beyond 15 minutes on two cores.
test-slow: .venv/dev
	$(BIN)/pytest -n 4 --dist loadgroup -m slow $(ARGS)

# The long form of tests/faults, more than an hour: writes docs/reliability.md. `make faults SEED=7` draws it again.
faults: .venv/dev
	FAULTS_SEED=$(SEED) $(BIN)/python -m tests.faults $(ARGS)

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

screenshots: .venv/pictures
	$(BIN)/python -m screenshots $(ARGS)

# docs/keys.md, from the registry of actions.
keys: .venv/dev
	$(BIN)/python -m tests.docs.keys_page

bench: .venv/demo
	$(BIN)/python -m benchmarks $(ARGS)

# The log pane with a million lines.
bench-logs: .venv/demo
	$(BIN)/python -m benchmarks.logs $(ARGS)

# The console while the store, the server or the disk hangs.
bench-hung: .venv/demo
	$(BIN)/python -m benchmarks.hung $(ARGS)

# Needs the package index and PyPI's vulnerability service; says what it could not ask.
audit: .venv/dev .venv/audit
	$(BIN)/python -m audit

# Builds and tries the container image without Docker; needs root, debootstrap and Debian's archive.
image-check: .venv/dev
	$(BIN)/python -m docker.check_image

clean:
	rm -rf .venv

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "pgconsole needs Python 3.11 or newer; '$(PYTHON)' is older: make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/%: pyproject.toml constraints.txt | .venv/bin/pip
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$*]'
	@touch $@
