"""A product of matrices, in numbers."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mnist_book.diagrams.svg import ACCENT, WIDTH, Diagram

LINE, GAP = 22, 20  # the height of a row, and what is left free between two matrices


def product(
    left: npt.ArrayLike,
    right: npt.ArrayLike,
    row: int = 0,
    column: int = 0,
    names: tuple[str, str, str] = ("x", "w", "z"),
) -> Diagram:
    """Draw a matrix product in numbers: a row of the left and a column of the right meet in a cell.

    Parameters
    ----------
    left : (rows, inner), a few small numbers
    right : (inner, columns)
    row, column : of the cell of the result, (rows, columns), whose sum is written out
    names : of the left, the right and the result
    """
    left, right = np.asarray(left), np.asarray(right)  # lists of lists will do
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != len(right):
        raise ValueError(
            f"left, right: found the shapes {left.shape} and {right.shape}, expected (rows, inner) "
            "and (inner, columns)"
        )
    result = left @ right
    (rows, inner), columns = left.shape, right.shape[1]
    longest = max(len(_number(value)) for array in (left, right, result) for value in array.flat)
    cell = max(26, 7 * longest + 8)
    if (inner + columns) * cell + 34 > WIDTH:
        raise ValueError(
            f"left, right: found {inner} + {columns} columns of {cell} units, expected fewer or "
            f"shorter numbers: the picture is {WIDTH} wide"
        )
    left_name, right_name, result_name = names
    factors = zip(left[row], right[:, column], strict=True)
    terms = [f"{_factor(a)} · {_factor(b)}" for a, b in factors]
    lines = [f"{left.shape} @ {right.shape} → {result.shape}"]
    lines += _lines(f"{result_name}[{row}, {column}] =", terms, f"= {_number(result[row, column])}")

    x_left = (WIDTH - (inner + columns) * cell - GAP) / 2
    x_right, y_right = x_left + inner * cell + GAP, 26
    y_left = y_right + inner * LINE + GAP
    bottom = y_left + rows * LINE + 20
    diagram = Diagram(
        f"The product {left_name} @ {right_name}",
        f"Row {row} of {left_name} and column {column} of {right_name} are marked; where they meet "
        f"stands the cell of {result_name} that they make. {' '.join(lines)}",
        height=bottom + 22 * len(lines) - 4,
    )
    x_cell, y_cell = x_right + column * cell, y_left + row * LINE
    look = {"rx": 5, "fill": ACCENT, "fill_opacity": 0.1}
    diagram.add("rect", x=x_left, y=y_cell, width=x_cell + cell - x_left, height=LINE, **look)
    diagram.add("rect", x=x_cell, y=y_right, width=cell, height=y_cell + LINE - y_right, **look)
    diagram.box(x_left, y_cell, inner * cell, LINE, strong=True)
    diagram.box(x_cell, y_right, cell, inner * LINE, strong=True)
    diagram.box(x_cell, y_cell, cell, LINE, strong=True)
    for array, name, x, y, marked, y_name in (
        (left, left_name, x_left, y_left, np.s_[row, :], y_left - 6),
        (right, right_name, x_right, y_right, np.s_[:, column], y_right - 6),
        (result, result_name, x_right, y_left, np.s_[row, column], bottom - 6),
    ):
        diagram.text(x + array.shape[1] * cell / 2, y_name, f"{name} {array.shape}")
        _draw_numbers(diagram, array, x, y, cell, marked)
    for number, line in enumerate(lines):
        diagram.text(WIDTH / 2, bottom + 16 + 18 * number, line, code=True)
    return diagram


def _draw_numbers(
    diagram: Diagram, array: np.ndarray, x: float, y: float, cell: float, marked: tuple
) -> None:
    """Draw a matrix in its frame; the marked entries are bold."""
    strong = np.zeros(array.shape, bool)
    strong[marked] = True
    diagram.box(x, y, array.shape[1] * cell, len(array) * LINE)
    for (i, j), value in np.ndenumerate(array):
        middle, foot = x + (j + 0.5) * cell, y + i * LINE + 15
        diagram.text(middle, foot, _number(value), strong=bool(strong[i, j]))


def _number(value: float) -> str:
    """Write a number in at most three decimals, with a real minus."""
    return f"{round(float(value), 3) + 0.0:g}".replace("-", "−")


def _factor(value: float) -> str:
    """Write a number as a factor of a product: a negative one in parentheses."""
    return _number(value) if value >= 0 else f"({_number(value)})"


def _lines(start: str, terms: Sequence[str], end: str) -> list[str]:
    """Write a sum in lines of at most 50 characters."""
    words = [start, *(f"+ {term}" if n else term for n, term in enumerate(terms)), end]
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) >= 50:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
