"""What every chapter must have, checked on the notebooks as they are stored."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

BOOK = Path(__file__).parents[2] / "book"
NOTEBOOKS = sorted(BOOK.glob("*.ipynb"))
HIDDEN = {
    "glue",
    "network",
    "draw_network",
    "product",
    "forward_and_backward",
}  # what may be called unseen
CHAPTERS = [path for path in NOTEBOOKS if path.name[0].isdigit()]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


@pytest.fixture
def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell):
    return cell.metadata.get("tags", [])


def test_there_are_chapters():
    assert len(CHAPTERS) >= 2


def test_is_under_one_megabyte(path):
    assert path.stat().st_size < 1_000_000


def test_holds_no_widget_state(notebook):
    assert "widgets" not in notebook.metadata


def test_every_cell_was_executed(code_cells):
    """Nbval compares no cell that was stored without being executed."""
    numbers = [cell.execution_count for cell in code_cells]
    assert numbers == list(range(1, len(numbers) + 1))


def test_runs_from_any_folder(code_cells):
    """A path that starts from where the notebook runs leads elsewhere from anywhere else."""
    for cell in code_cells:
        assert not re.search(r"[\"']\.\.?/", cell.source), cell.id


def test_no_cell_ends_in_an_error(code_cells):
    outputs = [output for cell in code_cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]


def test_no_output_holds_a_path_of_a_machine(code_cells):
    text = nbformat.writes(nbformat.v4.new_notebook(cells=code_cells))
    assert not re.search(r"(/(home|root|tmp|Users)/|[A-Z]:\\\\Users)", text)


def test_every_figure_has_a_caption_and_an_alternative_text(code_cells):
    for cell in code_cells:
        if any("image/png" in output.get("data", {}) for output in cell.outputs):
            settings = cell.metadata.get("mystnb", {})
            assert len(settings["image"]["alt"]) > 40, cell.id
            assert len(settings["figure"]["caption"]) > 10, cell.id


def test_hidden_cells_define_nothing(code_cells):
    """A reader of the page sees no hidden cell, so no visible one may need it."""
    for cell in code_cells:
        if {"remove-cell", "remove-input", "hide-cell"} & set(tags(cell)):
            statements = ast.parse(cell.source).body
            assert all(isinstance(s, ast.Expr) and s.value.func.id in HIDDEN for s in statements)


def test_every_glued_name_is_there(notebook, code_cells):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    used = set(re.findall(r"\{glue:text\}`(\w+)`", text))
    metadata = [output.get("metadata", {}) for cell in code_cells for output in cell.outputs]
    glued = {entry["scrapbook"]["name"] for entry in metadata if "scrapbook" in entry}
    assert used <= glued
    assert glued <= used, "glued, but used nowhere"


def test_outputs_that_are_not_compared_have_an_assertion_or_are_pictures(code_cells):
    for cell in code_cells:
        if "nbval-ignore-output" in tags(cell) and not cell.source.startswith("glue("):
            assert "assert " in cell.source or "Explorer(" in cell.source, cell.id


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_has_all_parts_of_a_chapter(notebook):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    headings = re.findall(r"^#{1,3} (.*)$", text, re.MULTILINE)
    for part in ("The bug", "The symptom", "The check", "The fix", "The proof", "Exercises"):
        assert any(heading.startswith(part) for heading in headings), part
    assert {"Questions", "Recap", "References"} <= set(headings)
    for promise in ("What you will do", "What you will learn", "What you need", "Reading time"):
        assert promise in text
    assert text.count("{exercise-start}") >= 3
    assert text.count("{exercise-start}") == text.count("{solution-start}")
    assert text.count(":::{dropdown}") >= 2
    assert "{cite" in text


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_asserts_in_most_cells(code_cells):
    """A chapter that only runs proves nothing."""
    assert sum("assert " in cell.source for cell in code_cells) >= len(code_cells) / 3
