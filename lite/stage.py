"""Lay out what the reader finds in the browser: the notebooks, and the digits beside them."""

import json
import shutil
from pathlib import Path

from mnist_book import dataset
from mnist_core import IDXError, write_idx

from readable import authors_and_years, readable

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "book"
SMALL = 10_000, 2_000  # how many digits of MNIST for training and for testing
KERNEL = {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}


def notebooks() -> list[Path]:
    """List the notebooks that the book's table of contents has, in its order."""
    lines = (ROOT / "_toc.yml").read_text("utf-8").splitlines()
    pages = [line.split("file:")[1].strip() for line in lines if "file:" in line]
    paths = [ROOT / f"{page}.ipynb" for page in pages]
    return [path for path in paths if path.exists()]


def for_browser(notebook: dict) -> dict:
    """Give a notebook the name that JupyterLite's kernel has; all else stays as it is."""
    metadata = {**notebook["metadata"], "kernelspec": KERNEL}
    return {**notebook, "metadata": metadata}


def pack_digits(folder: Path) -> str:
    """Write a small part of MNIST into a folder, where MNIST is at hand.

    Returns
    -------
    what `MNIST_DIGITS` has to say in the browser: "small", or "practice" where there is none
    """
    try:
        digits = dataset.load_mnist(download=False)
    except (OSError, IDXError) as error:
        print(f"Without MNIST: the browser gets the practice digits. ({error})")
        return "practice"
    folder.mkdir()
    train, test = SMALL
    arrays = (
        digits.train_images[:train],
        digits.train_labels[:train],
        digits.test_images[:test],
        digits.test_labels[:test],
    )
    for name, array in zip(dataset.MNIST_FILES, arrays, strict=True):
        write_idx(folder / f"{name}.gz", array)
    return "small"


def stage(folder: Path) -> str:
    """Make a folder of notebooks and digits, anew; return what `pack_digits` returns."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    sources = authors_and_years(BOOK / "references.bib")
    pages = {path.stem for path in notebooks()}
    for path in notebooks():
        stored = json.loads(path.read_text("utf-8"))
        notebook = for_browser(readable(stored, sources, pages))
        text = json.dumps(notebook, ensure_ascii=False, indent=1)
        (folder / path.name).write_text(text + "\n", "utf-8")
    return pack_digits(folder / dataset.SMALL_MNIST)
