"""The way forward, what it keeps, and the way back."""

from mnist_book.diagrams.svg import Diagram


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
    backward = (  # where its middle is, in rows from the top, and its lines
        (0.0, ("d_w1 = x.T @ d_z1", "d_b1 = d_z1.sum(axis=0)")),
        (1.0, ("d_z1 = d_a1", "* bend_gradient(z1)")),
        (2.5, ("d_w2 = a1.T @ d_z2", "d_b2 = d_z2.sum(axis=0)", "d_a1 = d_z2 @ w2.T")),
        (4.0, ("d_z2 = (p - one_hot)", "/ len(x)")),
    )
    kept = ((0, "x"), (1, "z1"), (2, "a1"), (3, "w2"), (4, "p"))
    description = (
        "On the left, downwards, the way forward: x, z1, a1, z2, p, loss. On the right, upwards, "
        "the way back: d_z2 takes p; d_w2 takes a1, d_a1 takes w2; d_z1 takes z1; d_w1 takes x."
    )
    diagram = Diagram("Forward and backward, and what is kept between them", description, 336)
    for x, heading in ((67, "forward"), (160, "kept"), (272, "backward")):
        diagram.text(x, 14, heading, strong=True)
    for row, (formula, shape) in enumerate(forward):
        y = 24.0 + 52 * row
        diagram.box(2, y, 130, 36)
        diagram.text(67, y + 15, formula, code=True)
        diagram.text(67, y + 30, shape)
        if row:
            diagram.arrow((67, y - 16), (67, y))
    for place, formulas in backward:
        middle, half = 42 + 52 * place, 44 if len(formulas) == 3 else 18
        diagram.box(187, middle - half, 171, 2 * half, strong=True)
        for line, formula in enumerate(formulas):
            offset = 15 * (line - (len(formulas) - 1) / 2)
            diagram.text(272, middle + offset + 4, formula, code=True)
        if place:
            diagram.arrow((272, middle - half), (272, middle - half - 16), strong=True)
    diagram.arrow((132, 302), (272, 302), (272, 268), strong=True)
    for row, name in kept:
        diagram.arrow((132, 42 + 52 * row), (187, 42 + 52 * row), dashes="3 3")
        diagram.text(160, 37 + 52 * row, name, code=True, strong=True)
    return diagram
