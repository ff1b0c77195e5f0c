"""Drawings that somebody has made and labelled on a pad, as the pad exports them.

A pad keeps the strokes, since pictures alone cannot be drawn again, wider or with another pen. Its
button "Export strokes (JSON)" writes them into one file:

    {"format": "digit-pad-drawings", "version": 2, "side": 280,
     "drawings": [{"label": 7, "strokes": [[[60.5, 40], [200, 42.25], [120, 230]]]}, ...]}
"""

import json
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mnist_book.describe import describe
from mnist_book.drawing.pad import checked_strokes

FORMAT, VERSION = "digit-pad-drawings", 2
MAX_SIZE = 1 << 23  # bytes; a browser keeps 2.4 million characters


class Collected(NamedTuple):
    """Drawings with their labels, in the order in which they were kept."""

    strokes: list[list[np.ndarray]]  # of each drawing: arrays (points, 2), x right and y down
    labels: np.ndarray  # uint8 (drawings,)


def read_collected(path: str | os.PathLike) -> Collected:
    """Read the strokes that a pad has exported, and check every one of them.

    Parameters
    ----------
    path : `drawings.json`, as the button "Export strokes (JSON)" writes it

    Raises
    ------
    ValueError : it is another file, or damaged; the message names the drawing
    OSError : the file cannot be read
    """
    content = _read_json(Path(path))
    found = content if isinstance(content, dict) else {}
    if (found.get("format"), found.get("version")) != (FORMAT, VERSION):
        raise ValueError(
            f'{path}: found {describe(content)}, expected a pad\'s export with "format": '
            f'"{FORMAT}" and "version": {VERSION}; export the drawings again'
        )
    drawings = found.get("drawings")
    if not isinstance(drawings, list):
        raise ValueError(f"{path}: found drawings: {describe(drawings)}, expected a list")
    pairs = [_checked(drawing, f"{path}: drawings[{i}]") for i, drawing in enumerate(drawings)]
    labels = np.array([label for label, _ in pairs], np.uint8)
    return Collected([strokes for _, strokes in pairs], labels)


def _read_json(path: Path) -> object:
    with path.open("rb") as file:
        text = file.read(MAX_SIZE + 1)
    if len(text) > MAX_SIZE:
        raise ValueError(f"{path}: found more than {MAX_SIZE:,} bytes, expected what a pad exports")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: found {error}, expected JSON; export it again") from error


def _checked(drawing: object, name: str) -> tuple[int, list[np.ndarray]]:
    """Take one drawing as its label and its strokes."""
    if not isinstance(drawing, dict):
        raise ValueError(f"{name}: found {describe(drawing)}, expected a label and strokes")
    label = drawing.get("label")
    if type(label) is not int or not 0 <= label <= 9:
        raise ValueError(f"{name}.label: found {describe(label)}, expected a digit, 0 to 9")
    try:
        strokes = checked_strokes(drawing.get("strokes"))
    except ValueError as error:
        raise ValueError(f"{name}.{error}") from None
    if not strokes:
        raise ValueError(f"{name}.strokes: found no points, expected a drawing")
    return label, strokes
