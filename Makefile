# From a fresh clone: `make book` builds the book, `make test` runs every test.
PYTHON ?= python3
COLAB_PYTHON ?= $(shell ls $(HOME)/.pyenv/versions/3.13*/bin/python 2>/dev/null || command -v python3.13 || command -v $(PYTHON))
BIN := .venv/bin

.PHONY: env book test package test-colab notebooks bench lint clean pdf student instructor adopt pin axe mutants lock lock-check

# What these do stands in tools/tasks.py, for Windows as well (make.bat).
env book test package lint notebooks lock lock-check:
	$(PYTHON) tools/tasks.py $@

# The whole book as one PDF, from the built pages; needs Chromium.
pdf: env
	test -f _build/html/book/intro.html || $(MAKE) book
	$(BIN)/python tools/pdf.py

# The package as Colab has it: NumPy 2, no graspologic, the newest Python that is here.
test-colab: env
	$(BIN)/python tools/colab_check.py --python $(COLAB_PYTHON) --venv .venv-colab

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

# Every benchmark, in minutes, on a machine that does nothing else: book/benchmarks.json.
bench: env
	$(BIN)/python tools/bench.py

# axe-core on every page of the built site, light and dark, wide and narrow.
axe: env
	$(BIN)/python -m pytest --override-ini addopts=-q tests/test_site_access.py -k axe

# Do the tests see a mistake? Some minutes; SAMPLE=all plants every one, which takes hours.
SAMPLE ?= 400
mutants: env
	nice -n 10 $(BIN)/python tools/mutants.py --sample $(SAMPLE) $(if $(findstring command,$(origin SEED)),--seed $(SEED))

clean:
	rm -rf _build
