"""The network, from the pixels to the loss."""

from collections.abc import Sequence

from mnist_book.diagrams.svg import ACCENT, INK, Diagram

PARTS = ("pixels", "layer", "weights", "bend", "softmax", "loss", "backward", "training")
PROBABILITIES = (0.01, 0.02, 0.05, 0.66, 0.01, 0.14, 0.01, 0.02, 0.05, 0.03)
OUTPUTS = [58.0 + 11.5 * digit for digit in range(10)]  # where the ten rows of the outputs are
HIDDEN = [62.0 + 24 * unit for unit in range(5)]
INPUTS = [84.0 + 13 * pixel for pixel in range(5)]
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
    parts = {today} if isinstance(today, str) else set(today or ())
    known = [part for part in PARTS if part != "bend" or len(sizes) == 3]
    if unknown := sorted(parts - set(known)):
        raise ValueError(f"today: found {unknown}, expected {', '.join(known)}")
    back, step = bool(parts & {"backward", "training"}), "training" in parts
    diagram = Diagram(*_in_words(parts, sizes), height=210 + 66 * back + 18 * step)
    _draw_pixels(diagram, sizes[0], "pixels" in parts)
    if len(sizes) == 3:
        _draw_layer(diagram, "1", sizes[:2], (67, 136), parts)
        _draw_bends(diagram, sizes[1], "bend" in parts)
        _draw_layer(diagram, "2", sizes[1:], (164, 246), parts)
        _draw_outputs(diagram, "2", parts)
        layers = [(101, "1"), (200, "2")]
    else:
        _draw_layer(diagram, "", sizes, (67, 246), parts)
        _draw_outputs(diagram, "", parts)
        layers = [(151, "")]
    if back:
        _draw_way_back(diagram, layers, "backward" in parts)
    if step:
        _draw_step(diagram, layers)
    return diagram


def _in_words(parts: set[str], sizes: Sequence[int]) -> tuple[str, str]:
    """Say what the picture shows: a title and a description."""
    title = f"A network, {'-'.join(map(str, sizes))}"
    if parts:
        title += f", and where we are in it: {', '.join(p for p in PARTS if p in parts)}"
    layers = "a layer"
    if len(sizes) == 3:
        layers = f"a layer of {sizes[1]} units, each with a bend, a second layer"
    description = (
        f"From left to right: a batch of pictures, each of {sizes[0]} pixels; {layers} that makes "
        "ten scores; softmax, which makes ten probabilities of them; the loss, a number."
    )
    if parts & {"backward", "training"}:
        description += " Gradients go back from the loss to the weights and biases of each layer."
    if "training" in parts:
        description += " A step changes them by minus the rate times their gradient."
    return title, description


def _draw_pixels(diagram: Diagram, pixels: int, strong: bool) -> None:
    """Draw a digit, and behind it the edges of others of its batch."""
    if strong:
        diagram.box(1, 2, 65, 173, strong=True)
    diagram.text(33, 16, "pixels", strong=strong)
    for shift in (5, 2.5):
        diagram.path(f"M{4 + shift} {82 - shift} h52 q3 0 3 3 v53", stroke_opacity=0.5)
    diagram.box(3, 82, 56, 56)
    for ink in range(1, 10):
        squares = "".join(
            f"M{3 + 4 * column} {82 + 4 * row}h4v4h-4z"
            for row, line in enumerate(THREE)
            for column, cell in enumerate(line)
            if cell == str(ink)
        )
        diagram.add("path", d=squares, fill=INK, fill_opacity=ink / 9)
    diagram.text(38, 190, "x", code=True)
    diagram.text(38, 204, f"(batch, {pixels})")


def _draw_layer(
    diagram: Diagram,
    number: str,
    sizes: Sequence[int],
    frame: tuple[int, int],
    parts: set[str],
) -> None:
    """Draw a layer as lines from all of its inputs to all of its units."""
    (left, right), strong = frame, bool(parts & {"layer", "weights"})
    middle = (left + min(right, 236)) / 2
    if "layer" in parts:
        diagram.box(left, 2, right - left, 173, strong=True)
    if "weights" in parts:
        diagram.box(middle - 35, 21, 70, 29, strong=True)
    diagram.text(middle, 16, f"layer {number}".strip(), strong="layer" in parts)
    diagram.text(middle, 32, f"w{number} ({sizes[0]}, {sizes[1]})", strong="weights" in parts)
    diagram.text(middle, 45, f"b{number} ({sizes[1]},)", strong="weights" in parts)
    start, sources = (159, HIDDEN) if number == "2" else (68, INPUTS)
    end, targets = (141, HIDDEN) if number == "1" else (234, OUTPUTS)
    lines = "".join(f"M{start} {a:g}L{end} {b:g}" for a in sources for b in targets)
    diagram.path(lines, strong=strong, width=1.2 if strong else 0.6, stroke_opacity=0.7)


def _draw_bends(diagram: Diagram, units: int, strong: bool) -> None:
    """Draw hidden units, each with its bend."""
    if strong:
        diagram.box(136, 2, 28, 173, strong=True)
    diagram.text(150, 16, "bend", strong=strong)
    for y in HIDDEN:
        diagram.box(141, y - 9, 18, 18)
        diagram.path(f"M144 {y + 5:g} L150 {y + 3.5:g} L156 {y - 5:g}", strong=strong, width=1.8)
    diagram.text(150, 190, "z1, a1", code=True)
    diagram.text(150, 204, f"(batch, {units})")


def _draw_outputs(diagram: Diagram, number: str, parts: set[str]) -> None:
    """Draw the scores, their probabilities and the loss."""
    for part, start, width in (("softmax", 247, 65), ("loss", 314, 44)):
        if part in parts:
            diagram.box(start, 2, width, 173, strong=True)
        diagram.text(start + width / 2, 16, part, strong=part in parts)
    for digit, (y, p) in enumerate(zip(OUTPUTS, PROBABILITIES, strict=True)):
        diagram.add("circle", cx=238, cy=y, r=4, fill="none", stroke=INK)
        fill = ACCENT if "softmax" in parts else INK
        diagram.add("rect", x=252, y=y - 4, width=max(1, 60 * p), height=8, fill=fill)
        diagram.text(303, y + 4, str(digit), strong=digit == 3)
    y, strong = OUTPUTS[3], "loss" in parts
    diagram.arrow((309, y), (320, y), strong=strong)
    diagram.path(f"M323 {y - 16:g} v32 h30")
    diagram.path(f"M326 {y - 14:g} q2 24 26 27", strong=strong, width=2)
    diagram.text(238, 190, f"z{number}", code=True)
    diagram.text(280, 190, "p", code=True)
    diagram.text(259, 204, "(batch, 10)")
    diagram.text(330, 190, "loss", code=True)
    diagram.text(330, 204, "a number")


def _draw_way_back(diagram: Diagram, layers: Sequence[tuple[int, str]], strong: bool) -> None:
    """Draw the gradients, from the loss to the first layer, each below its own array."""
    stations = [(264, [f"d_z{layers[-1][1]}"])]
    if len(layers) == 2:
        stations.append((150, ["d_z1"]))
    stations += [(x, [f"d_w{number}", f"d_b{number}"]) for x, number in reversed(layers)]
    diagram.path(f"M336 210 V222 H{layers[0][0]}", strong=strong, width=2.2 if strong else 1.2)
    for x, names in stations:
        diagram.arrow((x, 222), (x, 236), strong=strong)
        for line, name in enumerate(names):
            diagram.text(x, 248 + 14 * line, name, code=True, strong=strong)


def _draw_step(diagram: Diagram, layers: Sequence[tuple[int, str]]) -> None:
    """Draw what the gradients are for: a step of the weights and biases."""
    diagram.text(180, 284, "w -= rate * d_w,  b -= rate * d_b", code=True, strong=True)
    for x, number in layers:
        beside = x - 20 if number == "1" else x + 20  # where no array's name is in the way
        diagram.arrow((beside, 266), (beside, 170), strong=True, dashes="4 4")
