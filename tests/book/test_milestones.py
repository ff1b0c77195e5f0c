"""The table of accuracies that grows by a row a chapter."""

import json
import xml.etree.ElementTree as ET

import nbformat
import pytest

from mnist_book import dataset, notebook
from mnist_book.notebook import Milestone, mean_and_spread, milestone, milestones


@pytest.fixture(autouse=True)
def beside(tmp_path, monkeypatch):
    """Start as a notebook does in a directory of its own; no chapter is at hand."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(notebook, "__file__", str(tmp_path / "elsewhere" / "notebook.py"))
    monkeypatch.setattr(notebook, "_of_this_run", [])
    monkeypatch.setattr(dataset, "last_source", "MNIST")
    return tmp_path


@pytest.fixture
def shown(monkeypatch):
    """Collect what is displayed, as the outputs of a cell."""
    outputs = []

    def display(data, *, metadata, raw):
        output = nbformat.v4.new_output("display_data", data, metadata=metadata)
        outputs.append(json.loads(json.dumps(output)))

    monkeypatch.setattr(notebook, "display", display)
    return outputs


@pytest.fixture
def store(shown):
    """Write a chapter's notebook, whose cell keeps these rows."""

    def store(directory, chapter, *rows):
        for row in rows:
            milestone(chapter, *row)
        cells = [nbformat.v4.new_code_cell("milestone(...)", outputs=shown.copy())]
        path = directory / f"{chapter:02}-chapter.ipynb"
        path.write_text(json.dumps(nbformat.v4.new_notebook(cells=cells)), "utf-8")
        shown.clear()
        notebook._of_this_run.clear()

    return store


def test_mean_and_spread():
    assert mean_and_spread([0.89, 0.9, 0.91]) == "90.0 % ± 1.0"  # 0.8 if divided by three
    assert mean_and_spread(0.8203) == mean_and_spread([0.8203]) == "82.0 %"


def test_a_milestone_is_a_line_that_keeps_its_row(shown):
    milestone(3, "784-10, one layer", [0.89, 0.9, 0.91], images=20_000)
    assert shown[0]["data"] == {"text/plain": "784-10, one layer: 90.0 % ± 1.0 (3 seeds)"}
    kept = Milestone(**shown[0]["metadata"]["milestone"])
    assert kept == (3, "784-10, one layer", [0.89, 0.9, 0.91], 20_000, "MNIST")


def test_an_accuracy_in_per_cent_is_an_error():
    with pytest.raises(ValueError, match=r"found \(90.0,\), expected shares from 0 to 1"):
        milestone(3, "one layer", 90)


@pytest.mark.parametrize("name", ["here", "book beside the package"])
def test_the_table_grows_by_the_stored_chapters_and_this_run(beside, store, name):
    directory = beside if name == "here" else beside / "book"
    directory.mkdir(exist_ok=True)
    store(directory, 1, ("nearest mean", 0.8203, 60_000))
    store(directory, 2, ("what this run does better", [0.1, 0.2]))
    store(directory, 4, ("64 units", [0.9, 0.92]), ("64 units, faster", [0.94, 0.94]))
    milestone(2, "one layer", [0.89, 0.91])
    assert repr(milestones(up_to=3)) == (
        "chapter  network       learned from     test pictures right\n"
        "1        nearest mean  60,000 pictures  82.0 %\n"
        "2        one layer                      90.0 % ± 1.4 (2 seeds)"
    )
    assert [row.network for row in milestones(4).rows][2:] == ["64 units", "64 units, faster"]


def test_a_cell_that_runs_twice_leaves_one_row():
    for accuracy in (0.5, 0.6):
        milestone(1, "nearest mean", accuracy)
    assert [row.accuracies for row in milestones(1).rows] == [(0.6,)]


def test_without_notebooks_it_shows_this_run():
    milestone(2, "one layer", 0.82)
    assert [row.network for row in milestones(2).rows] == ["one layer"]
    assert milestones(1).rows == ()


def test_a_notebook_that_cannot_be_read_is_passed_over(beside):
    (beside / "01-broken.ipynb").write_text("{", "utf-8")
    (beside / "02-empty.ipynb").write_text("{}", "utf-8")
    assert milestones(2).rows == ()


def test_on_practice_digits_it_keeps_to_the_stored_figures_and_says_so(beside, store, monkeypatch):
    store(beside, 1, ("nearest mean", 0.8203))
    store(beside, 2, ("one layer", 0.83))
    monkeypatch.setattr(dataset, "last_source", "practice digits")
    milestone(2, "one layer", 0.7)
    table = milestones(2)
    assert [row.accuracies for row in table.rows] == [(0.8203,), (0.83,)]
    note = "These are the stored figures, of MNIST. This run is on practice digits."
    assert repr(table).endswith(note)
    assert f"<p>{note}</p>" in table._repr_html_()


def test_rows_of_other_digits_that_were_saved_are_not_mixed_in(beside, store, monkeypatch):
    monkeypatch.setattr(dataset, "last_source", "practice digits")
    store(beside, 1, ("nearest mean", 0.7))
    monkeypatch.setattr(dataset, "last_source", "MNIST")
    assert milestones(1).rows == ()


def test_its_head_and_its_first_column_are_headings(beside):
    milestone(1, "mean < median", 0.82)
    table = ET.fromstring(milestones(1)._repr_html_())
    scopes = [cell.get("scope") for cell in table.iter("th")]
    assert scopes == ["col"] * 4 + ["row"]
    assert [cell.text for cell in table.iter("td")] == ["mean < median", None, "82.0 %"]


def test_loading_digits_notes_their_source(monkeypatch):
    monkeypatch.setenv("MNIST_DIGITS", "practice")
    dataset.load_digits()
    assert dataset.last_source == "practice digits"
