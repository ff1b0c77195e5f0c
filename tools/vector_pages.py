"""Build the pages for print: the notebooks run anew, and figures are drawn in lines, not pixels.

Usage: python tools/vector_pages.py         (builds _build/print; takes ten minutes, and MNIST)

The notebooks keep their pictures as PNG, since a screen needs no more and they must stay small.
Paper shows more. So this copies the book, executes the copy with IPython set to SVG, and builds
its pages; tools/pdf.py prints these. Pictures of digits stay pixels, as do those of a slider.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from refresh_outputs import refresh, where_mnist_is

from mnist_book.dataset import DownloadError

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "_build" / "print"
SETTING = 'c.InlineBackend.figure_formats = {"svg"}\n'


def main() -> None:
    """Copy the book, execute the copy, and build it."""
    try:
        mnist = where_mnist_is()
    except DownloadError as error:
        raise SystemExit(f"{error}\nWithout MNIST: make book; make pdf PAGES=_build/html") from None
    shutil.rmtree(TARGET, ignore_errors=True)
    shutil.copytree(ROOT, TARGET, ignore=left_out)
    profile = TARGET / ".ipython" / "profile_default"
    profile.mkdir(parents=True)
    (profile / "ipython_kernel_config.py").write_text(SETTING, "utf-8")
    os.environ |= {"IPYTHONDIR": str(profile.parent), "MNIST_DIR": str(mnist)}
    for notebook in sorted((TARGET / "book").glob("*.ipynb")):
        refresh(notebook)
    command = Path(sys.executable).with_name("jupyter-book")
    subprocess.run([command, "build", "--quiet", TARGET], check=True)


def left_out(folder: str, names: list[str]) -> list[str]:
    """Say which files the copy does without: what is built, hidden, or as large as MNIST."""
    found = [name for name in names if name.startswith(".") or name.endswith((".egg-info", ".gz"))]
    return (
        [*found, "_build", "dist", "node_modules", "tests", "venv"]
        if Path(folder) == ROOT
        else found
    )


if __name__ == "__main__":
    main()
