"""What a pad exports comes in whole, or an error names what is wrong with it."""

import json

import numpy as np
import pytest

from mnist_book.drawing.collected import MAX_SIZE, read_collected

GOOD = {"label": 3, "strokes": [[[1, 2], [3.5, 4]], [[5, 6]]]}
FILE = {"format": "digit-pad-drawings", "version": 2, "side": 280, "drawings": [GOOD]}


def written(tmp_path, content):
    path = tmp_path / "drawings.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def test_drawings_come_with_their_labels(tmp_path):
    seven = {"label": 7, "strokes": [[], [[0, 0], [9, 9]]]}
    found = read_collected(written(tmp_path, FILE | {"drawings": [GOOD, seven]}))
    assert (found.labels.tolist(), found.labels.dtype) == ([3, 7], np.uint8)
    assert [stroke.tolist() for stroke in found.strokes[0]] == GOOD["strokes"]
    assert [stroke.tolist() for stroke in found.strokes[1]] == [[[0, 0], [9, 9]]]
    assert read_collected(written(tmp_path, FILE | {"drawings": []})).strokes == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "expected JSON"),
        ("[" * 100_000, "expected JSON"),
        (" " * (MAX_SIZE + 1), "bytes"),
        ([GOOD], "expected a pad's export"),
        (FILE | {"format": "other"}, "expected a pad's export"),
        (FILE | {"version": 1}, '"version": 2'),
        (FILE | {"drawings": {}}, "expected a list"),
        (FILE | {"drawings": [GOOD, 5]}, r"drawings\[1\]: found 5, expected a label"),
        (FILE | {"drawings": [GOOD | {"label": 10}]}, r"drawings\[0\]\.label: found 10"),
        (FILE | {"drawings": [GOOD | {"label": True}]}, r"label: found True"),
        (FILE | {"drawings": [GOOD | {"label": "3"}]}, r"label: found '3'"),
        (FILE | {"drawings": [GOOD | {"strokes": None}]}, r"drawings\[0\]\.strokes: found None"),
        (FILE | {"drawings": [GOOD | {"strokes": [[]]}]}, "found no points"),
        (FILE | {"drawings": [GOOD | {"strokes": [[[1, 2, 3]]]}]}, r"\.strokes\[0\]: found"),
        (json.dumps(FILE).replace("3.5", "NaN"), r"\.strokes\[0\]: found"),
    ],
)
def test_what_is_something_else_is_refused(tmp_path, content, message):
    with pytest.raises(ValueError, match=message) as caught:
        read_collected(written(tmp_path, content))
    assert "drawings.json" in str(caught.value)
