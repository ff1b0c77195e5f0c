"""Write the student's edition of the notebooks: the exercises without solutions and answers.

Usage: python tools/student.py [DIRECTORY]        (by default _build/student)

Everything else stays as it is, with the outputs, so that the edition runs and reads as the book
does. The notebooks need the project's packages, as those of the book.
"""

import re
import shutil
import sys
from pathlib import Path

import nbformat

BOOK = Path(__file__).parents[1] / "book"
ANSWERED = re.compile(r":::\{dropdown\} ([^\n]+)\n.*?\n:::", re.DOTALL)


def without_solutions(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Drop the cells from each `{solution-start}` to its `{solution-end}`, and folded answers."""
    kept, inside = [], False
    for cell in notebook.cells:
        inside = inside or "{solution-start}" in cell.source
        if not inside:
            cell.source = ANSWERED.sub(r"- \1", cell.source)
            kept.append(cell)
        inside = inside and "{solution-end}" not in cell.source
    notebook.cells = kept
    return notebook


def main(directory: Path) -> None:
    """Write the edition into a new directory, in the place of one that was there."""
    fresh = directory.with_name(directory.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for path in sorted(BOOK.glob("*.ipynb")):
        if path.stem != "template":
            edition = without_solutions(nbformat.read(path, as_version=4))
            nbformat.write(edition, fresh / path.name)
    shutil.rmtree(directory, ignore_errors=True)
    fresh.rename(directory)
    print(f"The notebooks without solutions are in {directory}.")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else BOOK.parent / "_build" / "student")
