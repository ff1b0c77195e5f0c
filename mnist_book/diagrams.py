"""Schematic pictures of the chapters as inline SVG: the network, a product, the way back.

They are drawn in the colour of the text around them, so that they fit light pages and dark ones,
and 360 units wide, so that their letters are readable on a phone. What is pointed out has the
accent's colour and is thicker, which is seen in grey, too.
"""

from collections.abc import Sequence
from html import escape

import numpy as np

INK, ACCENT = "currentColor", "#0a7cc4"  # of enough contrast on white and on black
WIDTH = 360
LETTERS = 11.5  # their size, in units
MONOSPACE = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"


class Diagram:
    """A picture that grows element by element; `title` and `description` say what it shows.

    Parameters
    ----------
    title, description : for those who cannot see it, in a few words and in sentences
    height : in units; the width is always 360
    """

    def __init__(self, title: str, description: str, height: float) -> None:
        self.title, self.description, self.height = title, description, height
        self.elements: list[str] = []

    def add(self, name: str, content: str = "", **attributes: object) -> None:
        """Add an element of SVG; in the attributes' names _ stands for -."""
        written = "".join(
            f' {key.replace("_", "-")}="{f"{value:.5g}" if isinstance(value, float) else value}"'
            for key, value in attributes.items()
        )
        self.elements.append(f"<{name}{written}>{escape(content)}</{name}>")

    def text(
        self,
        x: float,
        y: float,
        content: str,
        *,
        code: bool = False,
        strong: bool = False,
        anchor: str = "middle",
    ) -> None:
        """Write a line around x (or from, or up to it), standing on y; the strong is bold."""
        look = {"font_family": MONOSPACE} if code else {}
        look |= {"font_weight": "bold"} if strong else {}
        self.add("text", content, x=x, y=y, text_anchor=anchor, fill=INK, **look)

    def path(self, steps: str, *, strong: bool = False, width: float = 1, **look: object) -> None:
        """Draw a line along SVG's path commands; the strong has the accent's colour."""
        look = {"fill": "none", "stroke_linecap": "round", "stroke_linejoin": "round"} | look
        self.add("path", d=steps, stroke=ACCENT if strong else INK, stroke_width=width, **look)

    def arrow(self, *points: tuple[float, float], strong: bool = False, dashes: str = "0") -> None:
        """Draw an arrow through points, the last part of it upright or level."""
        before, tip = np.array(points[-2], float), np.array(points[-1], float)
        along = np.sign(tip - before)
        back, side = tip - 6 * along, 3.5 * along[::-1]
        corners = " L".join(f"{x:g} {y:g}" for x, y in (back + side, back - side))
        line = " L".join(f"{x:g} {y:g}" for x, y in (*points[:-1], tip - 3 * along))
        width = 2.2 if strong else 1.2
        self.path(f"M{line}", strong=strong, width=width, stroke_dasharray=dashes)
        self.path(
            f"M{tip[0]:g} {tip[1]:g} L{corners} Z", strong=strong, fill=ACCENT if strong else INK
        )

    def box(self, x: float, y: float, width: float, height: float, *, strong: bool = False) -> None:
        """Draw a frame; the strong one is thick, tinted and of the accent's colour."""
        look = {"stroke": INK, "stroke_opacity": 0.5, "fill": "none"}
        if strong:
            look = {"stroke": ACCENT, "stroke_width": 2.2, "fill": ACCENT, "fill_opacity": 0.12}
        self.add("rect", x=x, y=y, width=width, height=height, rx=5, **look)

    def _repr_html_(self) -> str:
        """Write the picture out, as wide as its place, up to where its letters are the text's."""
        words = f"<title>{escape(self.title)}</title><desc>{escape(self.description)}</desc>"
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" class="diagram" role="img" '
            f'viewBox="0 0 {WIDTH} {self.height:g}" font-family="sans-serif" '
            f'font-size="{LETTERS}" style="display:block;width:100%;max-width:32em;margin:auto">'
            f"{words}{''.join(self.elements)}</svg>"
        )

    def _repr_mimebundle_(self, **kwargs: object) -> dict[str, str]:
        return {"text/html": self._repr_html_(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"{self.title}. {self.description}"


# --------------------------------------------------------------------------------------------------
# The network, from the pixels to the loss
# --------------------------------------------------------------------------------------------------

PARTS = ("pixels", "layer", "weights", "bend", "softmax", "loss", "backward", "training")
PROBABILITIES = (0.01, 0.02, 0.05, 0.66, 0.01, 0.14, 0.01, 0.02, 0.05, 0.03)
OUTPUTS = [58.0 + 11.5 * digit for digit in range(10)]  # where the ten rows of the outputs are
HIDDEN = [62.0 + 24 * unit for unit in range(5)]
# A 3 in 14 x 14 pixels, from 0 (paper) to 9 (ink).
THREE = (
    "00000000000000",
    "00003677720000",
    "00079998999300",
    "00036100038900",
    "00000000006900",
    "00000000018800",
    "00000147899200",
    "00000599998200",
    "00000021148910",
    "00000000005940",
    "00010000005940",
    "00389300149900",
    "00059999998200",
    "00001577641000",
)


def network(
    today: str | Sequence[str] | None = None, sizes: Sequence[int] = (784, 64, 10)
) -> Diagram:
    """Draw a network of one or two layers with the shapes of its arrays.

    Parameters
    ----------
    today : the part, or the parts, to point out: any of `PARTS`. "backward" adds the gradients that
        go back, and "training" the step that they lead to
    sizes : inputs, hidden units (not with one layer), ten classes
    """
    if len(sizes) not in (2, 3) or sizes[-1] != 10:
        raise ValueError(f"sizes: found {tuple(sizes)}, expected one or two layers, the last of 10")
    today = {today} if isinstance(today, str) else set(today or ())
    known = [part for part in PARTS if part != "bend" or len(sizes) == 3]
    if today - set(known):
        raise ValueError(f"today: found {sorted(today - set(known))}, expected {', '.join(known)}")
    title = f"A network, {'-'.join(map(str, sizes))}"
    if today:
        title += f", and where we are in it: {', '.join(p for p in PARTS if p in today)}"
    hidden = (
        f"a layer of {sizes[1]} units, each with a bend, a second layer" if sizes[2:] else "a layer"
    )
    description = (
        f"From left to right: a batch of pictures, each of {sizes[0]} pixels; {hidden} that makes "
        "ten scores; softmax, which makes ten probabilities of them; the loss, a number."
    )
    back = bool(today & {"backward", "training"})
    if back:
        description += " Gradients go back from the loss to the weights and biases of each layer."
    if "training" in today:
        description += " A step changes them by the rate times their gradient."
    diagram = Diagram(title, description, 210 + 66 * back + 18 * ("training" in today))
    _draw_pixels(diagram, sizes[0], "pixels" in today)
    if len(sizes) == 3:
        _draw_layer(diagram, "1", sizes[:2], 66, 140, today)
        _draw_bends(diagram, sizes[1], "bend" in today)
        _draw_layer(diagram, "2", sizes[1:], 160, 233, today)
    else:
        _draw_layer(diagram, "", sizes, 66, 233, today)
    _draw_outputs(diagram, "2" if sizes[2:] else "", today)
    if back:
        _draw_way_back(diagram, ((103, "1"), (197, "2")) if sizes[2:] else ((150, ""),), today)
    return diagram


def _draw_pixels(diagram: Diagram, pixels: int, strong: bool) -> None:
    """Draw a digit, and behind it the edges of others of its batch."""
    if strong:
        diagram.box(1, 2, 71, 206, strong=True)
    diagram.text(36, 18, "pixels", strong=strong)
    for shift in (6, 3):
        diagram.path(f"M{6 + shift} {82 - shift} h53 q3 0 3 3 v53", stroke_opacity=0.5)
    diagram.box(6, 82, 56, 56)
    for ink in range(1, 10):
        squares = "".join(
            f"M{6 + 4 * column} {82 + 4 * row}h4v4h-4z"
            for row, line in enumerate(THREE)
            for column, cell in enumerate(line)
            if cell == str(ink)
        )
        diagram.add("path", d=squares, fill=INK, fill_opacity=ink / 9)
    diagram.text(36, 190, "x", code=True)
    diagram.text(36, 204, f"(batch, {pixels})")


def _draw_layer(
    diagram: Diagram, number: str, sizes: Sequence[int], start: int, end: int, today: set[str]
) -> None:
    """Draw a layer as lines from all of its inputs to all of its units."""
    middle, strong = (start + end) / 2, bool(today & {"layer", "weights"})
    if "layer" in today:
        diagram.box(start - 1, 2, end - start + (2 if number == "1" else 10), 173, strong=True)
    if "weights" in today:
        diagram.box(middle - 38, 21, 76, 29, strong=True)
    diagram.text(middle, 16, f"layer {number}".strip(), strong="layer" in today)
    diagram.text(middle, 32, f"w{number} ({sizes[0]}, {sizes[1]})", strong="weights" in today)
    diagram.text(middle, 45, f"b{number} ({sizes[1]},)", strong="weights" in today)
    targets = HIDDEN if number == "1" else OUTPUTS
    fan = "".join(f"M{start} {a:g}L{end} {b:g}" for a in HIDDEN for b in targets)
    diagram.path(fan, strong=strong, width=1.1 if strong else 0.6, stroke_opacity=0.6)


def _draw_bends(diagram: Diagram, units: int, strong: bool) -> None:
    """Draw hidden units, each with its bend."""
    if strong:
        diagram.box(133, 2, 34, 173, strong=True)
    diagram.text(150, 16, "bend", strong=strong)
    for y in HIDDEN:
        diagram.add(
            "rect",
            x=141,
            y=y - 9,
            width=18,
            height=18,
            rx=4,
            fill="none",
            stroke=INK,
            stroke_width=1,
        )
        diagram.path(f"M144 {y + 5:g} L150 {y + 3.5:g} L156 {y - 5:g}", strong=strong, width=1.8)
    diagram.text(150, 190, "z1, a1", code=True)
    diagram.text(150, 204, f"(batch, {units})")


def _draw_outputs(diagram: Diagram, number: str, today: set[str]) -> None:
    """Draw the scores, their probabilities and the loss."""
    for part, start, width in (("softmax", 247, 65), ("loss", 314, 44)):
        if part in today:
            diagram.box(start, 2, width, 173, strong=True)
        diagram.text(start + width / 2, 16, part, strong=part in today)
    for digit, (y, p) in enumerate(zip(OUTPUTS, PROBABILITIES, strict=True)):
        diagram.add("circle", cx=238, cy=y, r=4, fill="none", stroke=INK)
        fill = ACCENT if "softmax" in today else INK
        diagram.add("rect", x=252, y=y - 4, width=max(1, 60 * p), height=8, fill=fill)
        diagram.text(303, y + 4, str(digit), strong=digit == 3)
    y, strong = OUTPUTS[3], "loss" in today
    diagram.arrow((309, y), (320, y), strong=strong)
    diagram.path(f"M323 {y - 16:g} v32 h30")
    diagram.path(f"M326 {y - 14:g} q2 24 26 27", strong=strong, width=2)
    diagram.text(238, 190, f"z{number}", code=True)
    diagram.text(280, 190, "p", code=True)
    diagram.text(259, 204, "(batch, 10)")
    diagram.text(330, 190, "loss", code=True)
    diagram.text(330, 204, "a number")


def _draw_way_back(diagram: Diagram, layers: Sequence[tuple[int, str]], today: set[str]) -> None:
    """Draw the gradients below the arrays that they belong to, and a step."""
    strong = "backward" in today
    stations = [(264, f"d_z{layers[-1][1]}")] + [(150, "d_z1")] * (len(layers) - 1)
    diagram.arrow((336, 210), (336, 222), (layers[0][0], 222), (layers[0][0], 236), strong=strong)
    for x in [x for x, _ in stations] + [x for x, _ in layers[1:]]:
        diagram.arrow((x, 222), (x, 236), strong=strong)
    for x, content in stations:
        diagram.text(x, 248, content, code=True, strong=strong)
    for x, number in layers:
        diagram.text(x, 248, f"d_w{number}", code=True, strong=strong)
        diagram.text(x, 262, f"d_b{number}", code=True, strong=strong)
        if "training" in today:
            side = x - 20 if number == "1" else x + 20
            diagram.arrow((side, 266), (side, 170), strong=True, dashes="4 4")
    if "training" in today:
        diagram.text(180, 284, "w -= rate * d_w,  b -= rate * d_b", code=True, strong=True)


# --------------------------------------------------------------------------------------------------
# A product of matrices
# --------------------------------------------------------------------------------------------------


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
        f"{_number(a)} · {_number(b)}" if b >= 0 else f"{_number(a)} · ({_number(b)})"
        for a, b in zip(left[row], right[:, column], strict=True)
    ]
    lines = _lines(f"{names[2]}[{row}, {column}] =", terms, f"= {_number(result[row, column])}")
    x = (WIDTH - (inner + columns) * cell - 20) / 2
    x_right, y, y_result = x + inner * cell + 20, 26.0, 26 + 22.0 * inner + 20
    bottom = y_result + 22.0 * rows + 20
    description = (
        f"Row {row} of {names[0]} and column {column} of {names[1]} are marked; where they meet "
        f"stands the cell of {names[2]} that they make. {' '.join(lines)}"
    )
    title = f"{names[0]} @ {names[1]}, {left.shape} @ {right.shape} -> {result.shape}"
    diagram = Diagram(title, description, bottom + 22 * len(lines) - 4)
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
    return f"{round(float(value), 3):g}".replace("-", "\N{MINUS SIGN}")


def _lines(start: str, terms: Sequence[str], end: str) -> list[str]:
    """Write a sum in lines of at most 46 characters."""
    words = [start, *(f"+ {term}" if n else term for n, term in enumerate(terms)), end]
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) > 46:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


# --------------------------------------------------------------------------------------------------
# Forward and backward
# --------------------------------------------------------------------------------------------------


def forward_and_backward(sizes: tuple[int, int, int] = (784, 64, 10)) -> Diagram:
    """Draw two layers' way forward, what it keeps, and the way back, which takes what was kept."""
    inputs, hidden, classes = (f"(batch, {size})" for size in sizes)
    forward = (
        ("x", inputs),
        ("z1 = x @ w1 + b1", hidden),
        ("a1 = bend(z1)", hidden),
        ("z2 = a1 @ w2 + b2", classes),
        ("p = softmax(z2)", classes),
        ("loss", "a number"),
    )
    backward = (  # from the top: row of its middle, lines
        (0.0, ("d_w1 = x.T @ d_z1", "d_b1 = d_z1.sum(axis=0)")),
        (1.0, ("d_z1 = d_a1", "* bend_gradient(z1)")),
        (2.5, ("d_w2 = a1.T @ d_z2", "d_b2 = d_z2.sum(axis=0)", "d_a1 = d_z2 @ w2.T")),
        (4.0, ("d_z2 = (p - y) / len(x)",)),
    )
    kept = ((0, "x"), (1, "z1"), (2, "a1"), (3, "w2"), (4, "p"))
    description = (
        "On the left, downwards, the way forward: x, z1, a1, z2, p, loss. On the right, upwards, "
        "the way back: d_z2 takes p; d_w2 takes a1, and d_a1 takes w2; d_z1 takes z1; d_w1 takes x."
    )
    diagram = Diagram("Forward and backward, and what is kept between them", description, 336)
    for x, heading in ((67, "forward"), (160, "kept"), (272, "backward")):
        diagram.text(x, 14, heading, strong=True)
    for row, (formula, shape) in enumerate(forward):
        y = 24 + 52 * row
        diagram.box(2, y, 130, 36)
        diagram.text(67, y + 15, formula, code=True)
        diagram.text(67, y + 30, shape)
        if row:
            diagram.arrow((67, y - 16), (67, y))
    for row, formulas in backward:
        y, half = 42 + 52 * row, 18 if row != 2.5 else 44
        diagram.box(187, y - half, 171, 2 * half, strong=True)
        for line, formula in enumerate(formulas):
            offset = 15 * (line - (len(formulas) - 1) / 2)
            diagram.text(272, y + offset + 4, formula, code=True)
        if row:
            diagram.arrow((272, y - half), (272, y - half - 16), strong=True)
    diagram.arrow((132, 302), (272, 302), (272, 268), strong=True)
    for row, name in kept:
        diagram.arrow((132, 42 + 52 * row), (187, 42 + 52 * row), dashes="3 3")
        diagram.text(160, 37 + 52 * row, name, code=True, strong=True)
    return diagram
