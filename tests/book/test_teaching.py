"""The page for instructors names every exercise; their two editions hold what they should."""

import re
import symtable

import nbformat
import pytest
import slides
import student
from chapters import BOOK

PATHS = [path for path in sorted(BOOK.glob("*.ipynb")) if path.stem != "template"]
PAGE = (BOOK / "teaching.md").read_text("utf-8")
LABEL = re.compile(r"\{exercise-start\}[^\n]*\n:label: (\S+)")


def read(path):
    return nbformat.read(path, as_version=4)


def text_of(notebook):
    return "\n".join(cell.source for cell in notebook.cells)


def names(code):
    """Return the names that a cell sets for later cells, and those that it uses."""
    table = symtable.symtable(code, "cell", "exec")
    sets = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned()}
    sets |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_imported()}
    uses = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    inner = list(table.get_children())
    for scope in inner:
        inner += scope.get_children()
        uses |= {symbol.get_name() for symbol in scope.get_symbols() if symbol.is_global()}
    return sets, uses


def test_every_exercise_has_its_row_once():
    labels = [label for path in PATHS for label in LABEL.findall(text_of(read(path)))]
    rows = re.findall(r"^\| \{ref\}`([\w-]+)` \| \d+ \| ●{1,3} \|$", PAGE, re.MULTILINE)
    assert len(rows) > 40 and sorted(rows) == sorted(labels)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_edition_without_solutions_is_whole_and_has_none(path):
    whole, edition = read(path), student.without_solutions(read(path))
    left = text_of(edition)
    kept = {cell.id for cell in edition.cells}
    dropped = [cell for cell in whole.cells if cell.id not in kept]
    assert "{solution" not in left and "{dropdown}" not in left
    assert LABEL.findall(left) == LABEL.findall(text_of(whole))
    assert text_of(whole).count("{exercise-start}") <= len(dropped) < len(whole.cells)
    code = [cell for cell in dropped if cell.cell_type == "code"]
    solved = set().union(*(names(cell.source)[0] for cell in code)) if code else set()
    known = set()
    for cell in edition.cells:
        if cell.cell_type == "code":
            sets, uses = names(cell.source)
            assert not (uses & solved) - known - sets, (cell.id, uses & solved)
            known |= sets


@pytest.mark.parametrize("path", [BOOK / "03-softmax.ipynb", BOOK / "10-draw-a-digit.ipynb"])
def test_slides_show_headings_figures_and_code_and_keep_prose_for_the_speaker(path):
    notebook = read(path)
    page = slides.slides(read(path))
    headings = re.findall(r"^## (.+)$", text_of(notebook), re.M)
    assert page.count("<h2>") >= len(headings) > 5
    pictures = str(notebook.cells).count("'image/png'")
    assert page.count("<img") >= pictures > 3
    assert "aside class=notes" in page and "<math" in page
    for left in ("{glue", "{doc}", "{cite", "{exercise", "{solution", ":label:", "$$"):
        assert left not in page, left
