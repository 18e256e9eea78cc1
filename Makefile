# From a fresh clone: `make book` builds the book, `make test` runs every test.
PYTHON ?= python3
COLAB_PYTHON ?= $(shell ls $(HOME)/.pyenv/versions/3.13*/bin/python 2>/dev/null || command -v python3.13 || command -v $(PYTHON))
BIN := .venv/bin
# Built pages show no progress bars, and the ledger is of this build alone.
BUILD := TQDM_DISABLE=1 NETDIST_LEDGER=$(CURDIR)/_build/ledger PYDEVD_DISABLE_FILE_VALIDATION=1

.PHONY: env book test test-colab notebooks bench lint clean pdf student instructor adopt pin axe

env: .venv/.stamp

.venv/.stamp: requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

book: env
	$(BIN)/python tools/stale_cache.py
	$(BUILD) $(BIN)/jupyter-book build . --warningiserror --keep-going
	@echo "The book: _build/html/index.html"

# The whole book as one PDF, from the built pages; needs Chromium.
pdf: env
	test -f _build/html/book/intro.html || $(MAKE) book
	$(BIN)/python tools/pdf.py

test: env
	$(BIN)/python -m pytest
	NETDIST_SCALE=smoke TQDM_DISABLE=1 $(BIN)/python -m pytest --nbmake --nbmake-timeout=600 \
	    --override-ini addopts= --override-ini filterwarnings=default notebooks/*.ipynb

# The package as Colab has it: NumPy 2, no graspologic, the newest Python that is here.
test-colab: env
	$(BIN)/python tools/colab_check.py --python $(COLAB_PYTHON) --venv .venv-colab

notebooks: env
	$(BIN)/python tools/sync_notebooks.py

# The two editions of a course. Another SEED makes other data, and another key.
SEED ?= 1
student: env
	$(BIN)/python tools/editions.py student _build/student --seed $(SEED)

instructor: env
	$(BIN)/python tools/editions.py instructor _build/instructor --seed $(SEED)

# The address at which this copy is published, and the commit that its notebooks install.
adopt: env
	$(BIN)/python tools/address.py adopt $(ADDRESS)

pin: env
	$(BIN)/python tools/address.py pin

bench: env
	for file in benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

# axe-core on every page of the built site, light and dark, wide and narrow.
axe: env
	$(BIN)/python -m pytest --override-ini addopts=-q tests/test_site_access.py -k axe

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

clean:
	rm -rf _build
