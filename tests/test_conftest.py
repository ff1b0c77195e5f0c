"""How the tests themselves are set up: on which digits the notebooks run, and who is told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mnist_book import dataset

ROOT = Path(__file__).parents[1]


def collect(**environment):
    """Start pytest on no test at all."""
    usual = {name: value for name, value in os.environ.items() if not name.startswith("MNIST_")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n0", "tests/test_schedule.py"],
        cwd=ROOT,
        env={**usual, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


def test_a_directory_without_mnist_is_refused_and_not_passed_over(tmp_path):
    if any(dataset.DATA.glob("train-images*")):
        pytest.skip("MNIST is in data/, where it is found in any case")
    run = collect(MNIST_DIR=str(tmp_path / "my mnist"))
    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert "my mnist, but found no train-images-idx3-ubyte" in run.stdout + run.stderr
    assert "MNIST_DIGITS=practice" in run.stdout + run.stderr


def test_practice_digits_may_be_asked_for_all_the_same(tmp_path):
    run = collect(MNIST_DIR=str(tmp_path), MNIST_DIGITS="practice")
    assert run.returncode == 0
    assert "notebooks ran on practice digits, as MNIST_DIGITS=practice asks" in run.stdout
