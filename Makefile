# make book · make test · make lab · make lite: each sets up .venv by itself. Windows: see CONTRIBUTING.md for the plain commands.
PYTHON ?= python3
BIN = .venv/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
TESTS ?=
LAB ?=

.PHONY: book test lab lite test-lite package lint coverage outputs practice student slides pdf bench clean

book: .venv/ready
	$(BIN)/jupyter-book build . -W -n --keep-going --quiet
	@echo
	@echo "The book is in $(CURDIR)/_build/html. Open it in a browser with"
	@echo "    $(PYTHON) -m webbrowser -t 'file://$(CURDIR)/_build/html/index.html'"

test: .venv/ready
	$(BIN)/python -m pytest $(TESTS)

# Kernels start in book/, where a relative MNIST_DIR would mean another place.
lab: .venv/ready
	@if [ "$$(id -u)" = 0 ] && [ -z "$(LAB)" ]; then \
	    echo "JupyterLab does not start as root. Run make lab as another user; in a container where" >&2; \
	    echo "there is none, make lab LAB=--allow-root lets it start, with the rights of root." >&2; \
	    exit 1; \
	fi
	case "$$MNIST_DIR" in ""|/*) ;; *) MNIST_DIR="$$PWD/$$MNIST_DIR" ;; esac; $(BIN)/jupyter lab $(LAB) book

# The book, and every chapter to run in the browser. PYODIDE says where Pyodide's files come from (lite/files.py).
lite: book .venv/lite
	$(BIN)/python lite/make.py _build/html

# What make lite has built: every chapter on Pyodide in Node, and four of them in Chromium. Half an hour of processor time.
test-lite: .venv/lite
	$(PIP) -r requirements-browser.txt
	TEST_LITE=1 $(BIN)/python -m pytest --numprocesses=1 $(or $(TESTS),tests/lite)

# sdist and wheel, in dist/.
package: .venv/developer
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/python -m twine check --strict dist/*

lint: .venv/developer
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

# Which lines and branches the tests run. Without the notebooks, and without the tests that plant bugs in copies of the code.
coverage: .venv/developer
	$(BIN)/python -m pytest --cov --cov-report=term --ignore=tests/test_mutations.py $(or $(TESTS),tests)

# Execute the notebooks on MNIST and store their outputs.
outputs: .venv/ready
	$(BIN)/python tools/refresh_outputs.py

# Draw the practice digits anew.
practice: .venv/ready
	$(BIN)/python -m mnist_book.drawing.practice

# For a class: the notebooks without solutions, and slides of the chapters.
student: .venv/ready
	$(BIN)/python tools/student.py

slides: .venv/ready
	$(BIN)/python tools/slides.py

# The whole book as a PDF, which Chromium prints; the variable CHROMIUM names another one than that on the path. The
# notebooks run anew, with figures drawn in lines: ten minutes. make pdf PAGES=_build/html prints the pages of make book.
pdf: .venv/ready
	$(PIP) -r requirements-browser.txt
	$(if $(PAGES),,$(BIN)/python tools/vector_pages.py)
	$(BIN)/python tools/pdf.py $(or $(PAGES),_build/print/_build/html)

# Measure speed: against PyTorch, scikit-learn and the machine's limit, line by line, and to the same accuracy.
bench: .venv/ready
	$(PIP) -r requirements-bench.txt
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/anatomy.py
	$(BIN)/python benchmarks/race.py

clean:
	rm -rf _build dist .venv

.venv/ready: requirements.txt pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed; try make PYTHON=python3.12')"
	$(PYTHON) -m venv .venv
	$(PIP) -r requirements.txt
	@touch $@

.venv/lite: .venv/ready requirements-lite.txt
	$(PIP) -r requirements-lite.txt
	@touch $@

.venv/developer: .venv/ready requirements-dev.txt
	$(PIP) -r requirements-dev.txt
	@touch $@
