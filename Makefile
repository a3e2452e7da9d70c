# Everything a checkout needs. `make demo` and `make test` set up their own environment from the lock files.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

.PHONY: help demo site site-snippets site-snippets-check pro-content test test-site test-site-deps torture lint types imports doctest check bench bench-site conformance lock clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 24

$(VENV)/library.stamp: requirements/library.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV) from requirements/library.txt"
	@$(PIP_INSTALL) -r requirements/library.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/library.stamp
	@echo "adding the tools of requirements/dev.txt"
	@$(PIP_INSTALL) -r requirements/dev.txt
	@touch $@

demo: $(VENV)/library.stamp  ## train on the Palmer penguins and write a report
	$(BIN)/slopewise fit examples/data/penguins.csv --target species --out runs/penguins-demo

$(VENV)/site.stamp: requirements/site.txt $(VENV)/library.stamp
	@echo "adding what the site needs, from requirements/site.txt"
	@$(PIP_INSTALL) -r requirements/site.txt
	@touch $@

site: $(VENV)/site.stamp  ## serve the tutorial, and open it
	$(BIN)/slopewise site --open

# In the environment of the benchmarks, which holds all libraries that snippets show.
site-snippets: .venv-bench/bench.stamp  ## run the snippets of all lessons again and record their output
	.venv-bench/bin/python src/slopewise/site/content/snippets.py

site-snippets-check: .venv-bench/bench.stamp  ## run them, write nothing, and fail if one printed something else
	.venv-bench/bin/python src/slopewise/site/content/snippets.py --check

pro-content: $(VENV)/site.stamp  ## build the full Pro decks into a content archive, for slopewise site import-content
	$(BIN)/python -m pro.build

test: $(VENV)/dev.stamp  ## run all tests, the fast ones first
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

# The machine's npm, or the one of requirements/node.txt where there is none; it checks hashes and runs no scripts.
NPM_CI = command -v npm >/dev/null || $(PIP_INSTALL) -r requirements/node.txt; \
  cd web && PATH="$$PATH:$(CURDIR)/$(BIN)" npm ci --silent

test-site-deps: $(VENV)/dev.stamp  ## what test-site needs: Debian's Chromium and PostgreSQL; Playwright, axe-core
	@command -v apt-get >/dev/null || { echo "install Chromium and PostgreSQL, then set SLOPEWISE_CHROMIUM" >&2; exit 2; }
	for try in 1 2 3; do apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq --no-install-recommends chromium postgresql >/dev/null && break; \
	  test $$try -lt 3 || exit 1; sleep 10; done
	@$(PIP_INSTALL) -r requirements/browser.txt
	@$(NPM_CI)

test-site:  ## the site in Chromium, on SQLite and PostgreSQL; its tests over HTTP on PostgreSQL; after make test-site-deps
	SLOPEWISE_TEST_DATABASE=postgresql $(BIN)/python -m pytest tests/site --ignore=tests/site/lessons
	for database in sqlite postgresql; do SLOPEWISE_TEST_DATABASE=$$database \
	  $(BIN)/python -m pytest -o python_files='browser_*.py served_*.py' tests/site || exit 1; done

torture: $(VENV)/dev.stamp  ## 5,000 random programs and as many gradients, against the interpreter
	OPENBLAS_NUM_THREADS=1 SLOPEWISE_PROGRAMS=5000 $(BIN)/python -m pytest -n 2 tests/compiler/test_programs.py

lint: $(VENV)/dev.stamp  ## ruff: style and formatting
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(VENV)/dev.stamp  ## mypy, strict
	$(BIN)/mypy

imports: $(VENV)/dev.stamp  ## the import contract of the rooms
	$(BIN)/lint-imports

doctest: $(VENV)/dev.stamp  ## the examples in docstrings and docs
	$(BIN)/python -m pytest --doctest-modules --doctest-glob='*.md' -p no:cacheprovider \
	  --ignore-glob='*/snippets/*' --ignore-glob='*/migrations/*' src docs README.md

check: test lint types imports doctest  ## all that CI runs, the site in the browser apart

.venv-bench/bench.stamp: requirements/bench.txt requirements/torch-cpu.txt requirements/library.txt
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	@echo "setting up .venv-bench with PyTorch, JAX, scikit-learn, Keras, skorch and TensorFlow"
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/library.txt
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/bench.txt -r requirements/torch-cpu.txt
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Parts of it: make bench PARTS="steps processes growth memory" WORKLOADS="tiny tab" PEERS="torch jax-scan fit" PASSES=15
bench: .venv-bench/bench.stamp  ## measure against the peers; prints ratios, never fails a test
	.venv-bench/bin/python -m benchmarks.run $(if $(PARTS),--parts $(PARTS)) $(if $(WORKLOADS),--workloads $(WORKLOADS)) \
	  $(if $(PEERS),--peers $(PEERS)) $(if $(PASSES),--passes $(PASSES)) $(if $(ROWS),--rows $(ROWS))

# With a new file of SQLite, or an empty database: make bench-site DATABASE=postgresql+psycopg://user@host/name PARTS="load steps pages"
bench-site: $(VENV)/dev.stamp  ## the site: 200 learners who review while its labs are full, steps of labs, pages
	$(BIN)/python -m benchmarks.site.run $(if $(PARTS),--parts $(PARTS)) $(if $(DATABASE),--database $(DATABASE)) \
	  $(if $(LEARNERS),--learners $(LEARNERS)) $(if $(SECONDS),--seconds $(SECONDS))

.venv-conformance/conformance.stamp: requirements/conformance.txt pyproject.toml
	@test -x .venv-conformance/bin/python || $(PYTHON) -m venv .venv-conformance
	@echo "setting up .venv-conformance from requirements/conformance.txt"
	@.venv-conformance/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/conformance.txt
	@.venv-conformance/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# SUITE is a checkout of data-apis/array-api-tests with its submodule. MODULE=numpy NUMPY_FAILURES=/dev/null shows what NumPy fails.
MODULE := slopewise.array
NUMPY_FAILURES := $(CURDIR)/tests/array/numpy_failures.txt
conformance: .venv-conformance/conformance.stamp  ## the data-apis suite for the Array API: make conformance SUITE=path
	@test -d "$(SUITE)/array_api_tests" || { echo "say where the suite is: make conformance SUITE=path/to/array-api-tests" >&2; exit 2; }
	cd "$(SUITE)" && PYTHONDONTWRITEBYTECODE=1 ARRAY_API_TESTS_MODULE=$(MODULE) ARRAY_API_TESTS_VERSION=2024.12 \
	  $(CURDIR)/.venv-conformance/bin/python -m pytest array_api_tests -q -rfE --tb=short -p no:cacheprovider \
	  --max-examples 20 --derandomize --disable-deadline --xfails-file $(NUMPY_FAILURES)

lock:  ## renew the lock files (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --quiet --no-annotate \
	  --custom-compile-command 'make lock' pyproject.toml requirements/build.in -o requirements/library.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --quiet --no-annotate \
	  --custom-compile-command 'make lock' -c requirements/library.txt --extra site pyproject.toml -o requirements/site.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --quiet --no-annotate \
	  --custom-compile-command 'make lock' -c requirements/site.txt --extra site --group dev pyproject.toml -o requirements/dev.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --quiet --no-annotate \
	  --custom-compile-command 'make lock' -c requirements/dev.txt requirements/browser.in -o requirements/browser.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --quiet --no-annotate \
	  --custom-compile-command 'make lock' requirements/node.in -o requirements/node.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --quiet --no-annotate \
	  --custom-compile-command 'make lock' -c requirements/library.txt -c requirements/dev.txt requirements/bench.in \
	  -o requirements/bench.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --quiet --no-annotate \
	  --custom-compile-command 'make lock' -c requirements/library.txt -c requirements/dev.txt requirements/conformance.in \
	  -o requirements/conformance.txt

clean:  ## remove what the other targets made
	rm -rf $(VENV) .venv-* runs build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
