"""The Makefile hands on what it is given, whatever its letters, and says what it cannot do."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMES = ["mnist", "my mnist", "Größe, 数字", 'it\'s "quoted"', "a$HOME; b & c"]

pytestmark = pytest.mark.skipif(
    shutil.which("make") is None or sys.platform == "win32", reason="there is no make here"
)


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    path.chmod(0o755)


OUTER = {"MNIST_DIR", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "TESTS"}  # of `make test TESTS=…`


@pytest.fixture
def make(tmp_path):
    """Run the real Makefile with programs that only tell what they were started with."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in (
        "requirements.txt",
        "requirements-dev.txt",
        "requirements-lite.txt",
        "pyproject.toml",
    ):
        (tmp_path / name).touch()
    tells = 'echo "$(basename "$0") $*"; printf "%s" "$MNIST_DIR" > told'
    for program in ("python", "jupyter", "jupyter-book", "ruff", "mypy", "codespell"):
        script(tmp_path / ".venv" / "bin" / program, tells)
    for mark in ("ready", "developer", "lite"):
        (tmp_path / ".venv" / mark).touch()
    script(tmp_path / "bin" / "id", 'echo "${WHO:-1000}"')

    def make(*arguments, **environment):
        search = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
        usual = {name: value for name, value in os.environ.items() if name not in OUTER}
        return subprocess.run(
            ["make", *arguments],
            cwd=tmp_path,
            env={**usual, "PATH": search, "LC_ALL": "C", **environment},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )

    make.told = lambda: (tmp_path / "told").read_text("utf-8")
    return make


@pytest.mark.parametrize("name", NAMES)
def test_tests_get_the_directory_as_it_was_given(make, name):
    assert make("test", MNIST_DIR=name).returncode == 0
    assert make.told() == name


@pytest.mark.parametrize("name", NAMES)
def test_notebooks_get_it_from_the_root(make, name, tmp_path):
    assert make("lab", MNIST_DIR=name).returncode == 0
    assert make.told() == f"{tmp_path.resolve()}/{name}"
    assert make("lab", MNIST_DIR=f"/elsewhere/{name}").returncode == 0
    assert make.told() == f"/elsewhere/{name}"


def test_without_a_directory_none_is_made_up(make):
    for target in ("test", "lab"):
        assert make(target).returncode == 0
        assert make.told() == ""


def test_as_root_lab_says_what_to_do(make):
    run = make("lab", WHO="0")
    assert run.returncode != 0
    assert "JupyterLab does not start as root." in run.stderr
    assert "make lab LAB=--allow-root" in run.stderr
    assert "jupyter lab book" not in run.stdout
    assert "jupyter lab --allow-root book" in make("lab", "LAB=--allow-root", WHO="0").stdout
    assert "jupyter lab book" in make("lab", WHO="1000").stdout


def test_the_browser_gets_its_files_after_the_book_is_built(make):
    ran = make("lite").stdout
    assert ran.index("jupyter-book build") < ran.index("python lite/make.py _build/html")


def test_the_packages_are_checked_once_they_are_built(make):
    ran = make("package").stdout
    assert ran.index("-m build") < ran.index("-m twine check --strict dist/")


def test_lint_checks_style_format_and_types(make):
    ran = make("lint").stdout
    for command in ("ruff check .", "ruff format --check .", "mypy"):
        assert f"\n{command}" in f"\n{ran}"


def test_coverage_leaves_the_notebooks_out_unless_asked(make):
    assert "--cov-report=term --ignore=tests/test_mutations.py tests\n" in make("coverage").stdout
    assert "--ignore=tests/test_mutations.py book\n" in make("coverage", "TESTS=book").stdout
