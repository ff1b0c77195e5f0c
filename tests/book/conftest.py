"""The book, built once for all tests, in whatever process they run."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 600  # seconds


@pytest.fixture(scope="session")
def html(tmp_path_factory):
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # which all workers share
    output = folder / "book"
    try:
        output.mkdir()
    except FileExistsError:
        wait_for(output / "log")
    else:
        build(output)
    log = (output / "log").read_text("utf-8")
    assert log.startswith("0\n"), log[-6000:]
    return output / "_build" / "html"


def build(output):
    """Build the book cold, warnings being errors; the log is there when all is."""
    program = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build"]
    options = ["-W", "-n", "--keep-going", "--all", "--path-output"]
    run = subprocess.run(
        [*program, str(ROOT), *options, str(output)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    (output / "log.part").write_text(f"{run.returncode}\n{run.stdout}{run.stderr}", "utf-8")
    (output / "log.part").rename(output / "log")


def wait_for(path):
    """Wait until another process has built the book."""
    end = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < end, f"{path}: another process didn't finish in {PATIENCE} s"
        time.sleep(0.2)
