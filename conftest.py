"""How the notebooks are tested: on MNIST strictly, on practice digits as far as that goes.

With MNIST at hand every stored output is compared. Without it, or with MNIST_DIGITS=practice, every
cell runs and every assertion must hold, and the outputs of cells tagged nbval-check-output, which
do not depend on the data, are compared.
"""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# Small matrices on busy cores: more threads wait for each other. Kernels inherit both settings.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
if os.environ.get("MNIST_DIR"):
    os.environ["MNIST_DIR"] = str(Path(os.environ["MNIST_DIR"]).resolve())

import mnist_core  # after the settings, which NumPy reads once
from mnist_book import dataset


def _how_notebooks_run() -> tuple[bool, str]:
    if os.environ.get("MNIST_DIGITS") == "practice":
        return False, "on practice digits, as MNIST_DIGITS=practice asks"
    try:
        dataset.load_mnist(download=False)
    except (OSError, mnist_core.IDXError) as error:
        if os.environ.get("MNIST_DIR"):  # who names a directory means MNIST, not practice digits
            raise pytest.UsageError(
                f"MNIST_DIR is set to {os.environ['MNIST_DIR']}, but {error} For practice digits "
                "leave MNIST_DIR out, or set MNIST_DIGITS=practice."
            ) from error
        return False, f"on practice digits, as MNIST is not at hand ({str(error)[:60]}...)"
    return True, "strictly on MNIST, all stored outputs compared"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Choose nbval's mode."""
    config.option.nbval, config.stash[_how] = _how_notebooks_run()
    config.option.nbval_lax = not config.option.nbval
    if config.option.nbval_lax:
        os.environ["MNIST_DIGITS"] = "practice"  # no notebook is to start a download


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Keep the garbage collector from looking through all tests again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_terminal_summary(terminalreporter: "pytest.TerminalReporter") -> None:
    """Say which of the two ran."""
    terminalreporter.write_line(f"notebooks ran {terminalreporter.config.stash[_how]}")


_how = pytest.StashKey[str]()
