# make book · make test · make lab: each sets up .venv by itself. Windows: see the README for the plain commands.
PYTHON ?= python3
BIN = .venv/bin
TESTS ?=

ifdef MNIST_DIR
export MNIST_DIR := $(abspath $(MNIST_DIR))
endif

.PHONY: book test lab lint outputs practice bench clean

book: .venv/ready
	$(BIN)/jupyter-book build . -W -n --keep-going --quiet
	@echo
	@echo "The book is in $(CURDIR)/_build/html. Open it in a browser with"
	@echo "    $(PYTHON) -m webbrowser -t 'file://$(CURDIR)/_build/html/index.html'"

test: .venv/ready
	$(BIN)/python -m pytest $(TESTS)

lab: .venv/ready
	$(BIN)/jupyter lab book

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Execute the notebooks on MNIST and store their outputs.
outputs: .venv/ready
	$(BIN)/python tools/refresh_outputs.py

# Draw the practice digits anew.
practice: .venv/ready
	$(BIN)/python -m mnist_book.drawing.practice

# Measure speed: against PyTorch, scikit-learn and the machine's limit, line by line, and to the same accuracy.
bench: .venv/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/anatomy.py
	$(BIN)/python benchmarks/race.py

clean:
	rm -rf _build .venv

.venv/ready: requirements.txt pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed; try make PYTHON=python3.12')"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@
