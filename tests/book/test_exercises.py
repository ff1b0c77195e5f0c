"""Each chapter has something to write, to predict, to extend and to mend, and gives no answer away.

An exercise's label says of which kind it is: `write-softmax`, `predict-first-loss`.
"""

import re

import nbformat
import pytest
from chapters import BUILDING, PATHS

KINDS = ("write", "predict", "extend", "mend")
DIAGNOSIS = re.compile(r"\[\w+\.\w+, chapter \d+\]|: not yet\.")


def exercises(number):
    """Give a chapter's exercises: each its label, and its cells from start to end."""
    found, inside = {}, None
    for cell in nbformat.read(PATHS[number], as_version=4).cells:
        if start := re.search(r"\{exercise-start\}[^\n]*\n:label: (\S+)", cell.source):
            inside = found.setdefault(start[1], [])
        if inside is not None:
            inside.append(cell)
        if "{exercise-end}" in cell.source:
            inside = None
    return found


def said(cell):
    """Join what a cell's outputs say in words."""
    outputs = cell.get("outputs", [])
    texts = [output.get("text", "") for output in outputs]
    texts += [str(output.get("data", {}).get("text/plain", "")) for output in outputs]
    return "\n".join(texts)


@pytest.mark.parametrize("number", BUILDING)
def test_has_an_exercise_of_each_kind(number):
    labels = exercises(number)
    kinds = {label.split("-")[0] for label in labels}
    assert set(KINDS) <= kinds, sorted(labels)


@pytest.mark.parametrize("number", BUILDING)
def test_a_label_names_the_kind(number):
    assert not [label for label in exercises(number) if label.split("-")[0] not in KINDS]


@pytest.mark.parametrize("number", BUILDING)
def test_to_write_means_from_a_blank(number):
    for label, cells in exercises(number).items():
        if label.startswith("write-"):
            code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
            assert "..." in code, label


@pytest.mark.parametrize("number", BUILDING)
def test_no_exercise_shows_its_answer(number):
    """The report of a check names the mistake: it is folded, or left to the reader's own run."""
    for label, cells in exercises(number).items():
        for cell in cells:
            hidden = "hide-output" in cell.metadata.get("tags", [])
            assert hidden or not DIAGNOSIS.search(said(cell)), label


def test_a_diagnosis_is_recognised():
    from mnist_book import checks

    assert DIAGNOSIS.search(repr(checks.softmax(lambda z: z)))
    assert not DIAGNOSIS.search(repr(checks.softmax.__doc__))
