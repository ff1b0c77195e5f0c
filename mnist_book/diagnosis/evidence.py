"""Lays out what was seen: what was fed in, what came out, and what should have come out."""

import math
from pathlib import Path

import numpy as np

SMALL = 12  # arrays of so many numbers are shown whole
SHOWN = 3  # of others, so many entries that differ
LONGEST = 200  # characters of a text that somebody else wrote


def lay_out(**lines: str) -> str:
    """Lay out evidence, a line for each name: `lay_out(given="x (5, 3)", returned="None")`."""
    return "\n".join(
        f"{label.replace('_', ' ') + ':':<9} {text}" for label, text in lines.items() if text
    )


def compared(returned: object, expected: object) -> dict[str, str]:
    """Describe two results that differ, as `returned` and `expected`, so that one sees where."""
    returned, expected = _without_axes(returned), _without_axes(expected)
    pairs = _differing(returned, expected)
    if not pairs:
        return {"returned": described(returned), "expected": described(expected)}
    if returned.size <= SMALL:
        texts = [_digits(*pair) for pair in zip(returned.flat, expected.flat, strict=True)]
        listed = [_nested(list(side), returned.shape) for side in zip(*texts, strict=True)]
        return {"returned": listed[0], "expected": listed[1]}
    shown = [(place, _digits(*pair)) for place, pair in list(pairs.items())[:SHOWN]]
    listed = [", ".join(f"{texts[side]} at {place}" for place, texts in shown) for side in (0, 1)]
    counted = f"{len(pairs)} of {returned.size} differ"
    return {"returned": f"{listed[0]}; {counted}", "expected": listed[1]}


def named(name: str, value: object) -> str:
    """Describe an argument: its name, its shape, and its content where that is small."""
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
    return f"{name} {_whole(value) if value.size <= SMALL else value.shape}"


def described(value: object) -> str:
    """Describe a result in a line: an array by its shape, and its content where that is small."""
    if not isinstance(value, np.ndarray):
        return cleaned(value)
    if not is_numeric(value):
        return f"an array of shape {value.shape} and type {value.dtype}"
    if value.size <= SMALL:
        return _whole(value)
    first = ", ".join(map(number, value.ravel()[:SHOWN].tolist()))
    return f"an array of shape {value.shape}, {first} ..."


def cleaned(value: object, convert: type = repr, longest: int = LONGEST) -> str:
    """Make a line of text of whatever it is: printable, not too long, and never an error."""
    try:
        text = convert(value)
        shown = "".join(c if c.isprintable() else " " for c in text[: longest + 1])
    except Exception as error:  # its own __repr__ or __str__ is somebody else's code
        return f"a {type(value).__name__} that cannot be shown: {type(error).__name__}"
    return shown if len(shown) <= longest else shown[: longest - 3] + "..."


def number(value: complex) -> str:
    """Write a number in four digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def is_numeric(value: object) -> bool:
    """Tell whether it is an array of numbers."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "biuf"


def _without_axes(value: object) -> object:
    """Take numbers of all kinds as arrays without a dimension."""
    return np.asarray(value) if isinstance(value, np.generic | float | int) else value


def _differing(returned: object, expected: object) -> dict[str, tuple[float, float]]:
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
