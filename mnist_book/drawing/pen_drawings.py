"""Digits drawn with a pen by 30 people: UCI's "Pen-Based Recognition of Handwritten Digits".

The set comes as text in the UNIPEN format, the path of the pen as a tablet saw it. It is not part
of this project: download it from UCI and set `PENDIGITS_DIR` to the directory that has it.

References
----------
E. Alpaydin, F. Alimoglu, Pen-Based Recognition of Handwritten Digits, UCI Machine Learning
Repository, 1998, CC BY 4.0 (doi:10.24432/C5MG6K). I. Guyon, L. Schomaker, R. Plamondon, M.
Liberman, S. Janet, UNIPEN project of on-line data exchange and recognizer benchmarks, ICPR 1994
(doi:10.1109/ICPR.1994.576870).
"""

import gzip
import hashlib
import os
import re
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

NAME = "pendigits-orig.tra"
SHA256 = "a66225d68d7d68591e62944df1ad33b3f5aa608e2df2505844b41f5568a80da4"  # of the inflated text
ADDRESS = (
    "https://archive.ics.uci.edu/static/public/81/pen+based+recognition+of+handwritten+digits.zip"
)
MAX_SIZE = 1 << 25  # bytes of text; the file has 3.6 million
MAX_COORDINATE = 10_000  # the tablet's go up to 500

_IGNORED = {".INCLUDE", ".LEXICON", ".HIERARCHY", ".DT"}  # .DT: milliseconds between two points
_LABEL = re.compile(r'\.SEGMENT DIGIT \S+ \? "([0-9])"')
_COMMENT = re.compile(r"\.COMMENT ([0-9]) ([0-9]{1,3}) ([0-9]{1,4})")
_POINT = re.compile(r"([0-9]{1,5}) ([0-9]{1,5})")


class PenDrawingsError(ValueError):
    """A file is not the one that it should be. The message names the line, and what to do."""


class PenDrawings(NamedTuple):
    """Drawings by several people, in the order of the file, which mixes the writers."""

    strokes: list[list[np.ndarray]]  # of each drawing: arrays (points, 2), x right and y down
    labels: np.ndarray  # uint8 (drawings,): the digits that were asked for
    writers: np.ndarray  # uint8 (drawings,): who drew; UCI's numbers


def load_pen_drawings(directory: str | os.PathLike | None = None) -> PenDrawings:
    """Load the 7,494 drawings by 30 people that UCI has in `pendigits-orig.tra`.

    Parameters
    ----------
    directory : where that file is, plain or as `.gz`; if not given, `$PENDIGITS_DIR`

    Raises
    ------
    FileNotFoundError : the file is not there, or no directory is known
    PenDrawingsError : it is another file: the SHA-256 of its content differs
    """
    directory = directory or os.environ.get("PENDIGITS_DIR")
    advice = (
        f"By hand: download {ADDRESS}, unpack {NAME}.Z from it, inflate that with 'gzip -d', and "
        "set PENDIGITS_DIR to the directory that has it."
    )
    if not directory:
        raise FileNotFoundError(f"PENDIGITS_DIR: found nothing, expected a directory. {advice}")
    candidates = [Path(directory).expanduser() / (NAME + ending) for ending in ("", ".gz")]
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        raise FileNotFoundError(f"found no {NAME}, plain or .gz, in {directory}. {advice}")
    text = _read_bounded(path)
    found = hashlib.sha256(text).hexdigest()
    if found != SHA256:
        raise PenDrawingsError(f"{path}: found SHA-256 {found}, expected UCI's {SHA256}. {advice}")
    return parse_unipen(text, path)


def read_unipen(path: str | os.PathLike) -> PenDrawings:
    """Read any file in the form of UCI's `pendigits-orig.*`, plain or compressed with gzip.

    Raises
    ------
    PenDrawingsError : the file is not in that form
    OSError : the file cannot be read
    """
    return parse_unipen(_read_bounded(Path(path)), path)


def parse_unipen(text: bytes, path: str | os.PathLike) -> PenDrawings:
    """Parse the text of a file; `path` is for the messages of errors.

    Only what these files use of the format is understood: segments of single digits, comments
    "digit writer number", and the points between `.PEN_DOWN` and `.PEN_UP`. There y points up;
    it is turned around, so that strokes are as `strokes.strokes_to_image` takes them.
    """
    parser = _Parser(path)
    for line in text.split(b"\n"):
        parser.read(" ".join(line[:200].decode("ascii", "replace").split()))
    return parser.end()


class _Parser:
    """What has been read of a file so far."""

    def __init__(self, path: str | os.PathLike) -> None:
        self.path, self.number = path, 0  # of the line
        self.drawings: list[list[list[tuple[int, int]]]] = []
        self.labels: list[int] = []
        self.writers: list[int] = []
        self.pen_down = False

    def read(self, line: str) -> None:
        self.number += 1
        keyword = line.partition(" ")[0]
        if not line or keyword in _IGNORED:
            return
        if self.pen_down and keyword != ".PEN_UP":
            self.point(line)
        elif keyword == ".SEGMENT":
            self.segment(line)
        elif keyword == ".COMMENT":
            self.comment(line)
        elif keyword == ".PEN_DOWN":
            self.put_down(line)
        elif keyword == ".PEN_UP" and self.pen_down:
            self.lift()
        else:
            expected = "a keyword of UNIPEN that these files use, in its place"
            raise self.error(repr(line), expected)

    def error(self, found: str, expected: str) -> PenDrawingsError:
        return PenDrawingsError(
            f"{self.path}, line {self.number}: found {found}, expected {expected}. The file is "
            "damaged or of another kind; download it again."
        )

    def segment(self, line: str) -> None:
        label = _LABEL.fullmatch(line)
        if not label:
            raise self.error(repr(line), ".SEGMENT DIGIT, numbers, ? and a digit in quotes")
        if len(self.writers) < len(self.labels):
            raise self.error("a new segment", "the comment on the one before first")
        self.drawings.append([])
        self.labels.append(int(label[1]))

    def comment(self, line: str) -> None:
        comment = _COMMENT.fullmatch(line)
        if not comment or int(comment[2]) > 255:
            raise self.error(repr(line), ".COMMENT digit writer number")
        if len(self.writers) + 1 != len(self.labels) or int(comment[1]) != self.labels[-1]:
            raise self.error(repr(line), "one comment on each segment, with the same digit")
        self.writers.append(int(comment[2]))

    def put_down(self, line: str) -> None:
        if not self.labels:
            raise self.error(repr(line), "a .SEGMENT first")
        self.drawings[-1].append([])
        self.pen_down = True

    def point(self, line: str) -> None:
        point = _POINT.fullmatch(line)
        if not point or max(int(point[1]), int(point[2])) > MAX_COORDINATE:
            raise self.error(repr(line), f"x and y, whole numbers up to {MAX_COORDINATE:,}")
        self.drawings[-1][-1].append((int(point[1]), -int(point[2])))

    def lift(self) -> None:
        if not self.drawings[-1][-1]:
            raise self.error("a stroke without a point", "one point or more")
        self.pen_down = False

    def end(self) -> PenDrawings:
        commented = len(self.writers) == len(self.labels) > 0
        if self.pen_down or not commented or not all(self.drawings):
            raise self.error("the end of the file", "whole drawings, one or more")
        strokes = [[np.array(stroke, np.float64) for stroke in each] for each in self.drawings]
        return PenDrawings(
            strokes, np.array(self.labels, np.uint8), np.array(self.writers, np.uint8)
        )


def _read_bounded(path: Path) -> bytes:
    """Read a file, and inflate it if it is gzip, told apart by content; never too much of it."""
    with open(path, "rb") as file:
        start = file.read(2)
    if start == b"\x1f\x9d":
        raise PenDrawingsError(
            f"{path}: found a file compressed by 'compress' (.Z), expected text or gzip; inflate "
            "it with 'gzip -d'"
        )
    try:
        with (gzip.open if start == b"\x1f\x8b" else open)(path, "rb") as file:
            text = file.read(MAX_SIZE + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise PenDrawingsError(
            f"{path}: found gzip data that break off or are damaged ({error}), expected a whole "
            ".gz file; download it again"
        ) from error
    if len(text) > MAX_SIZE:
        raise PenDrawingsError(
            f"{path}: found more than {MAX_SIZE:,} bytes of text, expected a file like {NAME}, "
            "which has 3.6 million"
        )
    return text
