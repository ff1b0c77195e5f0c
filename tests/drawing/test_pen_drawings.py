"""The loader of UCI's pen drawings: small files written by hand, and the real one where it is."""

import gzip
import os

import numpy as np
import pytest

from mnist_book.drawing import pen_drawings
from mnist_book.drawing.pen_drawings import PenDrawingsError, load_pen_drawings, read_unipen

GOOD = """.INCLUDE        dene.doc
.LEXICON "0" "1"

.SEGMENT DIGIT    0 ? "8"
.COMMENT 8 12  224
.PEN_DOWN
 267  333
 260  340
.PEN_UP
.DT 100

.SEGMENT DIGIT    1-2 ? "4"
.COMMENT 4 3  7
.PEN_DOWN
 1  2
.PEN_UP
.DT 100
.PEN_DOWN
 3  4
 5  6
 7  9
.PEN_UP
.DT 100
"""


def write(folder, text, name="some.tra"):
    path = folder / name
    path.write_bytes(text.encode())
    return path


def test_labels_writers_and_points_with_y_down(tmp_path):
    drawings = read_unipen(write(tmp_path, GOOD))
    assert drawings.labels.tolist() == [8, 4]
    assert drawings.writers.tolist() == [12, 3]
    assert [[stroke.tolist() for stroke in drawing] for drawing in drawings.strokes] == [
        [[[267, -333], [260, -340]]],
        [[[1, -2]], [[3, -4], [5, -6], [7, -9]]],
    ]


def test_gzip_and_windows_line_ends_make_no_difference(tmp_path):
    path = tmp_path / "some.tra.gz"
    path.write_bytes(gzip.compress(GOOD.replace("\n", "\r\n").encode()))
    assert read_unipen(path).writers.tolist() == [12, 3]


DAMAGED = {
    "cut in a stroke": (GOOD[: GOOD.index(".PEN_UP")], "line 9: found the end of the file"),
    "cut before the comment": (GOOD[: GOOD.index(".COMMENT")], "found the end of the file"),
    "cut before the points": (GOOD[: GOOD.index(".PEN_DOWN")], "found the end of the file"),
    "empty": ("", "line 1: found the end of the file"),
    "a number missing": (GOOD.replace(" 260  340", " 260"), "line 8: found '260'"),
    "a negative number": (GOOD.replace(" 260  340", " -260  340"), "line 8: found '-260 340'"),
    "a fraction": (GOOD.replace(" 260  340", " 2.5  340"), "line 8: found '2.5 340'"),
    "a huge number": (GOOD.replace(" 260  340", " 260  99999"), "line 8: .*up to 10,000"),
    "no number": (GOOD.replace(" 260  340", " nan inf"), "line 8: found 'nan inf'"),
    "a letter as a label": (GOOD.replace('"8"', '"A"'), "line 4: .*a digit in quotes"),
    "two digits as a label": (GOOD.replace('"8"', '"88"'), "line 4: .*a digit in quotes"),
    "words, not digits": (GOOD.replace("SEGMENT DIGIT", "SEGMENT WORD", 1), "line 4: .*WORD"),
    "an unknown keyword": (GOOD.replace(".DT", ".DX"), "line 10: found '.DX 100'"),
    "two labels that differ": (GOOD.replace("8 12  224", "7 12  224"), "line 5: .*same digit"),
    "no writer": (GOOD.replace("8 12  224", "8"), "line 5: found '.COMMENT 8'"),
    "a comment too many": (GOOD.replace(".PEN_DOWN", ".COMMENT 8 1 1", 1), "line 6: .*one comment"),
    "no comment": (GOOD.replace(".COMMENT 8 12  224\n", ""), "line 11: found a new segment"),
    "no segment": (GOOD[GOOD.index(".PEN_DOWN") :], "line 1: .*a .SEGMENT first"),
    "an empty stroke": (GOOD.replace(" 1  2\n", ""), "line 15: found a stroke without a point"),
    "pen down twice": (GOOD.replace(" 260  340", ".PEN_DOWN"), "line 8: found '.PEN_DOWN'"),
    "pen up twice": (GOOD.replace(".DT 100", ".PEN_UP", 1), "line 10: found '.PEN_UP'"),
    "points with the pen up": (GOOD.replace(".DT 100", " 5 5", 1), "line 10: found '5 5'"),
    "not text": ("\0\xff\n" * 20, "line 1: found"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file_is_refused_with_file_and_line(tmp_path, damage):
    text, message = DAMAGED[damage]
    with pytest.raises(PenDrawingsError, match=f"(?s)some.tra, .*{message}"):
        read_unipen(write(tmp_path, text))


def test_damaged_gzip_and_compress_are_named(tmp_path):
    path = tmp_path / "some.tra"
    path.write_bytes(gzip.compress(GOOD.encode())[:-20])
    with pytest.raises(PenDrawingsError, match="gzip data that break off"):
        read_unipen(path)
    path.write_bytes(b"\x1f\x9d\x90 compressed by compress")
    with pytest.raises(PenDrawingsError, match="gzip -d"):
        read_unipen(path)


def test_a_file_that_inflates_without_end_is_not_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(pen_drawings, "MAX_SIZE", len(GOOD) - 1)
    with pytest.raises(PenDrawingsError, match="found more than"):
        read_unipen(write(tmp_path, GOOD))


def test_a_file_with_the_right_name_and_another_content_is_refused(tmp_path):
    write(tmp_path, GOOD, pen_drawings.NAME)
    with pytest.raises(PenDrawingsError, match=r"pendigits-orig.tra: found SHA-256 .*expected UCI"):
        load_pen_drawings(tmp_path)


def test_a_missing_file_says_where_to_get_it(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"archive\.ics\.uci\.edu"):
        load_pen_drawings(tmp_path)
    monkeypatch.delenv("PENDIGITS_DIR", raising=False)
    with pytest.raises(FileNotFoundError, match="PENDIGITS_DIR: found nothing"):
        load_pen_drawings()


@pytest.mark.skipif(not os.environ.get("PENDIGITS_DIR"), reason="PENDIGITS_DIR is not set")
def test_the_real_file_has_thirty_writers_and_upright_digits():
    drawings = load_pen_drawings()
    assert len(drawings.strokes) == len(drawings.labels) == len(drawings.writers) == 7494
    assert np.bincount(drawings.writers)[1:].tolist().count(250) == 26
    assert set(drawings.writers) == set(range(1, 31))
    # A 7 has more of its ink at the top, where y is small; upside down it would be the other way.
    sevens = [np.concatenate(drawings.strokes[i]) for i in np.flatnonzero(drawings.labels == 7)]
    heights = [(np.ptp(xy[:, 1]), xy[:, 1].mean() - xy[:, 1].min()) for xy in sevens]
    assert np.mean([mean / height for height, mean in heights]) < 0.45
