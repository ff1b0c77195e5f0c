"""Lays out what was seen: what was fed in, what came out, and what should have come out."""

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeGuard

import numpy as np

from mnist_book.diagnosis.running import Theirs

SMALL = 12  # arrays of so many numbers are shown whole
SHOWN = 3  # of others, so many entries that differ
WIDTH = 110  # characters of a line
LONGEST = 200  # characters of a text that somebody else wrote


def lay_out(**lines: str) -> str:
    """Lay out evidence, a line for each name: `lay_out(given="x (5, 3)", returned="None")`."""
    return "\n".join(
        f"{label.replace('_', ' ') + ':':<9} {text}" for label, text in lines.items() if text
    )


# --------------------------------------------------------------------------------------------------
# What was fed in
# --------------------------------------------------------------------------------------------------


def given(names: Sequence[str], values: Sequence[object]) -> str:
    """Describe arguments in a line: their names, shapes, and content where that is short."""
    for small in (SMALL, 4):
        line = ", ".join(_named(*pair, small) for pair in zip(names, values, strict=True))
        if len(line) <= WIDTH:
            break
    return line


def _named(name: str, value: object, small: int) -> str:
    if isinstance(value, np.random.Generator):
        return "rng"
    if isinstance(value, Path):
        return f"the file {value.name}"
    if isinstance(value, bytes):
        return f"the bytes {value.hex(' ')}"
    if isinstance(value, list):
        return f"{name} of shapes {', '.join(str(np.shape(item)) for item in value)}"
    if not isinstance(value, np.ndarray):
        return f"{name} {value}"
    return f"{name} {_whole(value) if value.size <= small else value.shape}"


# --------------------------------------------------------------------------------------------------
# What came out
# --------------------------------------------------------------------------------------------------


def compared(returned: Theirs, expected: Theirs) -> dict[str, str]:
    """Describe two results that differ, as `returned` and `expected`, so that one sees where."""
    returned, expected = _as_array(returned), _as_array(expected)
    pairs = _differing(returned, expected)
    if not pairs:
        both = {"returned": described(returned), "expected": described(expected)}
        types = [str(getattr(value, "dtype", "")) for value in (returned, expected)]
        if both["returned"] == both["expected"] and types[0] != types[1]:
            return {line: f"{both[line]} ({t})" for line, t in zip(both, types, strict=True)}
        return both
    if returned.size <= SMALL:
        texts = [_digits(*pair) for pair in zip(returned.flat, expected.flat, strict=True)]
        listed = [_nested(list(side), returned.shape) for side in zip(*texts, strict=True)]
        return {"returned": listed[0], "expected": listed[1]}
    shown = [(place, _digits(*pair)) for place, pair in list(pairs.items())[:SHOWN]]
    listed = [", ".join(f"{texts[side]} at {place}" for place, texts in shown) for side in (0, 1)]
    counted = f"{len(pairs)} of {returned.size} differ"
    return {"returned": f"{listed[0]}; {counted}", "expected": listed[1]}


def described(value: object, small: int = SMALL) -> str:
    """Describe a result in a line: an array by its shape, and its content where that is small."""
    if isinstance(value, list | tuple | dict):
        if not small or len(value) > 6 or isinstance(value, dict):
            return f"a {type(value).__name__} of {len(value)}"
        items = ", ".join(described(item, small=0) for item in value)
        return f"[{items}]" if isinstance(value, list) else f"({items})"
    if not isinstance(value, np.ndarray):
        return cleaned(value, longest=WIDTH)
    if not is_numeric(value):
        return f"an array of shape {value.shape} and type {value.dtype}"
    if value.size <= max(small, 1):
        return _whole(value)
    first = ", ".join(map(number, value.ravel()[:SHOWN].tolist()))
    return f"an array of shape {value.shape}, {first} ..."


def cleaned(value: object, convert: Callable[[Theirs], str] = repr, longest: int = LONGEST) -> str:
    """Make a line of text of whatever it is: printable, not too long, and never an error."""
    try:
        text = convert(value)
        line = "".join(c if c.isprintable() else " " for c in text[: 10 * longest])
    except Exception as error:  # its own __repr__ or __str__ is somebody else's code
        return f"something of type {type(value).__name__}; showing it raises {type(error).__name__}"
    line = re.sub(r" at 0x[0-9A-Fa-f]+", "", re.sub(" +", " ", line)).strip()
    return line if len(line) <= longest else line[: longest - 3] + "..."


def number(value: complex) -> str:
    """Write a number in four digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def is_numeric(value: object) -> TypeGuard[np.ndarray]:
    """Tell whether it is an array of numbers."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "biuf"


def _as_array(value: Theirs) -> Theirs:
    """Take a number that fits into an array as an array without a dimension."""
    if not isinstance(value, np.generic | float | int):
        return value
    array = np.asarray(value)
    return array if is_numeric(array) else value


def _differing(returned: Theirs, expected: Theirs) -> dict[str, tuple[float, float]]:
    """Return the pairs that differ, by place; none if the two cannot be compared so."""
    if not (is_numeric(returned) and is_numeric(expected) and returned.shape == expected.shape):
        return {}
    alike = np.isclose(returned, expected, rtol=1e-4, atol=1e-9, equal_nan=True)
    if alike.all():
        alike = returned == expected
    return {
        str(list(map(int, place))): (returned[tuple(place)], expected[tuple(place)])
        for place in np.argwhere(~alike)
    }


def _digits(a: float, b: float) -> tuple[str, str]:
    """Write two numbers in four digits, or in all where that is needed to tell them apart."""
    a, b = np.asarray(a).item(), np.asarray(b).item()
    short = number(a), number(b)
    told = short[0] != short[1] or np.isclose(a, b, rtol=1e-4, equal_nan=True)
    return short if told else (repr(a), repr(b))


def _whole(array: np.ndarray) -> str:
    return _nested([number(value) for value in array.ravel().tolist()], array.shape)


def _nested(texts: list[str], shape: tuple[int, ...]) -> str:
    """Put brackets round texts as a list of that shape has them."""
    if not shape:
        return texts[0]
    size = math.prod(shape[1:])
    rows = [_nested(texts[k * size : (k + 1) * size], shape[1:]) for k in range(shape[0])]
    return f"[{', '.join(rows)}]"
