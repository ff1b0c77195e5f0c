"""A product of matrices, in numbers."""

from collections.abc import Sequence

import numpy as np

from mnist_book.diagrams.svg import ACCENT, WIDTH, Diagram


def product(
    left: np.ndarray,
    right: np.ndarray,
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
    left, right = np.asarray(left), np.asarray(right)
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != len(right):
        raise ValueError(
            f"left, right: found the shapes {left.shape} and {right.shape}, expected (rows, inner) "
            "and (inner, columns)"
        )
    result = left @ right
    (rows, inner), columns = left.shape, right.shape[1]
    texts = [_number(value) for array in (left, right, result) for value in array.flat]
    cell = max(26.0, 7 * max(map(len, texts)) + 8)
    if (inner + columns) * cell + 34 > WIDTH:
        raise ValueError(
            f"left, right: found {inner} + {columns} columns of {cell:g} units, expected fewer or "
            f"shorter numbers: the picture is {WIDTH} wide"
        )
    terms = [
        f"{_factor(a)} · {_factor(b)}" for a, b in zip(left[row], right[:, column], strict=True)
    ]
    lines = [f"{left.shape} @ {right.shape} → {result.shape}"]
    lines += _lines(f"{names[2]}[{row}, {column}] =", terms, f"= {_number(result[row, column])}")
    x = (WIDTH - (inner + columns) * cell - 20) / 2
    x_right, y, y_result = x + inner * cell + 20, 26.0, 26 + 22.0 * inner + 20
    bottom = y_result + 22.0 * rows + 20
    description = (
        f"Row {row} of {names[0]} and column {column} of {names[1]} are marked; where they meet "
        f"stands the cell of {names[2]} that they make. {' '.join(lines)}"
    )
    title = f"The product {names[0]} @ {names[1]}"
    diagram = Diagram(title, description, bottom + 22 * len(lines) - 4)
    across, down = x_right - x + (column + 1) * cell, y_result - y + 22 * (row + 1)
    for x0, y0, width, height in (
        (x, y_result + 22 * row, across, 22),
        (x_right + column * cell, y, cell, down),
    ):
        diagram.add(
            "rect", x=x0, y=y0, width=width, height=height, rx=5, fill=ACCENT, fill_opacity=0.1
        )
    diagram.box(x, y_result + 22 * row, inner * cell, 22, strong=True)
    diagram.box(x_right + column * cell, y, cell, 22 * inner, strong=True)
    diagram.box(x_right + column * cell, y_result + 22 * row, cell, 22, strong=True)
    for array, name, x0, y0, marked, above in (
        (left, names[0], x, y_result, lambda i, j: i == row, True),
        (right, names[1], x_right, y, lambda i, j: j == column, True),
        (result, names[2], x_right, y_result, lambda i, j: (i, j) == (row, column), False),
    ):
        width, height = array.shape[1] * cell, 22 * len(array)
        diagram.box(x0, y0, width, height)
        label = f"{name} {array.shape}"
        diagram.text(x0 + width / 2, y0 - 6 if above else y0 + height + 14, label)
        for (i, j), value in np.ndenumerate(array):
            x1, y1 = x0 + (j + 0.5) * cell, y0 + 22 * i + 15
            diagram.text(x1, y1, _number(value), strong=marked(i, j))
    for number, line in enumerate(lines):
        diagram.text(WIDTH / 2, bottom + 16 + 18 * number, line, code=True)
    return diagram


def _number(value: float) -> str:
    """Write a number in at most three decimals, with a real minus."""
    return f"{round(float(value), 3):g}".replace("-", "−")


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
