"""The practice digits: handwritten-looking digits that a program writes, so that the book needs no network.

Each digit has several ways of being written, each a short path of control points. Every drawing moves those
points a little at random, slants, stretches and bends the whole, and rounds the path into a smooth curve.

    python -m mnist_book.practice

writes 6,000 training and 1,000 test images to `data/`, the same bytes each time.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from mnist_core import strokes_to_image, write_idx

# A line is a way of writing the digit: how common it is, its name, and the path of the pen through control
# points "x,y" on a sheet about 100 units high (x to the right, y down). A slash lifts the pen. The curve is pulled
# towards the control points rather than passing through them; a point written twice makes a corner.
SHAPES = {
    0: """
        6 oval          45,2 20,-2 0,25 0,75 18,101 45,102 66,78 68,28 55,2 35,2
        3 overlap       32,12 8,22 0,65 18,102 48,102 70,72 66,22 42,-4 15,10
        2 gap           30,3 5,15 0,65 20,102 48,102 72,70 68,18 48,6
        2 narrow        30,2 8,5 0,45 5,90 20,104 38,95 48,50 42,5 25,0
        2 angular       48,0 25,12 0,60 5,100 20,102 55,75 66,25 58,0 40,2
        1 curl          58,28 30,20 34,0 8,18 0,70 20,104 48,100 72,65 66,15 40,-6 24,6
    """,
    1: """
        8 straight      30,0 30,50 30,100
        4 leaning       55,0 36,50 15,100
        1 backwards     15,0 26,50 35,100
        1 bowed         30,0 40,50 28,100
        1 hollow        32,0 22,50 32,100
        2 flag          12,26 32,4 36,0 36,0 36,50 36,100
        2 foot          8,28 32,4 36,0 36,0 36,50 36,98 / 5,100 35,98 68,100
    """,
    2: """
        4 sharp         4,25 12,0 45,-8 65,20 50,50 20,80 0,100 0,100 35,98 72,98
        5 looped        5,22 15,0 50,-6 66,20 50,55 25,92 0,104 -4,82 20,78 45,100 80,96
        3 big loop      8,20 15,0 48,-5 60,22 50,60 25,100 -8,106 -8,72 25,72 50,98 85,88
        3 zed           2,6 30,2 62,0 62,0 40,45 0,100 0,100 30,98 70,98
        2 wavy          5,20 20,-4 55,-2 62,25 30,70 3,100 3,100 25,84 50,103 80,90
        2 tall          10,20 18,0 50,-4 52,35 28,75 15,100 15,100 40,98 62,96
        1 curled        20,28 4,24 5,2 40,-8 64,16 50,50 20,80 0,100 0,100 35,92 72,98
    """,
    3: """
        5 round         4,14 20,-4 60,-4 60,35 28,48 28,48 65,48 72,90 35,108 0,92
        3 flat          4,2 30,0 60,0 60,0 28,42 28,42 65,42 72,90 35,108 0,92
        2 mid loop      5,14 20,-4 58,-2 58,35 38,52 22,48 30,42 62,52 68,92 30,106 0,90
        3 smooth        4,14 22,-4 58,-4 60,30 35,46 40,52 68,62 66,95 30,106 0,92
        2 big top       2,16 20,-6 70,-6 64,42 32,56 32,56 58,60 60,92 30,106 4,96
        2 big belly     14,10 25,-2 52,-2 52,28 24,38 24,38 65,36 78,90 35,110 0,88
    """,
    4: """
        4 open          12,0 4,30 0,54 0,54 30,54 66,50 / 54,2 52,50 48,100
        3 round open    8,5 -2,50 15,62 60,46 / 58,0 56,50 48,100
        3 one go        12,2 -2,48 18,60 52,46 60,0 60,0 56,50 50,100
        2 triangle      48,100 52,50 54,0 54,0 0,64 0,64 40,64 82,62
        2 closed        54,0 25,32 0,60 0,60 40,60 76,58 / 54,0 52,50 48,100
        2 narrow top    36,0 15,28 0,54 0,54 35,56 74,52 / 52,20 50,60 46,100
        2 high bar      10,0 3,20 3,38 3,38 30,40 60,34 / 62,0 60,50 54,100
    """,
    5: """
        4 two strokes   16,2 10,45 10,45 40,32 72,58 58,102 20,106 0,90 / 16,2 40,0 72,-4
        4 one go        70,0 40,1 18,2 18,2 10,45 10,45 40,30 70,58 56,104 15,106 0,90
        3 smooth        68,2 25,-4 8,30 30,48 66,58 58,102 20,106 0,92
        3 long bar      26,16 14,48 14,48 45,42 62,68 42,102 0,96 / 26,16 60,10 100,-2
        2 small belly   24,0 14,52 14,52 40,46 54,68 40,100 2,98 / 24,0 45,0 70,-2
    """,
    6: """
        5 curved        52,0 20,25 0,70 15,104 50,104 64,75 40,54 12,68 4,84
        3 straight      36,0 18,35 2,75 10,104 48,106 60,75 36,60 8,84
        2 small bowl    42,0 14,38 0,82 16,104 42,100 48,76 28,68 6,84
        2 open          50,2 15,25 -2,75 18,106 52,102 62,74 44,60 24,68
        2 long bowl     40,0 4,40 0,90 25,106 70,92 68,62 40,66 22,92
        2 big bowl      45,0 15,15 0,60 10,104 60,106 74,66 45,38 12,56 2,80
    """,
    7: """
        4 plain         0,6 30,2 62,0 62,0 42,45 26,100
        3 serif         2,22 4,2 4,2 30,3 62,0 62,0 44,45 28,100
        3 barred        0,6 30,2 62,0 62,0 42,45 26,100 / 14,52 36,50 62,46
        3 curved        0,10 30,0 68,-6 62,18 34,52 26,100
        2 wave          0,20 10,-4 36,10 66,0 66,0 42,40 32,100
        2 round         0,10 20,-4 66,-6 62,30 42,62 36,100
        2 upright       2,20 8,2 30,4 54,0 54,0 50,50 46,100
    """,
    8: """
        6 crossed       58,12 30,-8 4,15 25,42 60,62 56,102 20,106 0,80 25,55 55,32 60,6 42,0
        3 two circles   32,46 4,36 8,0 35,-4 60,4 56,40 32,46 / 32,46 0,55 -2,98 32,106 66,98 62,55 32,46
        3 unclosed      68,12 30,-8 4,18 25,45 58,66 52,104 18,106 2,84 25,55 72,16
        2 small top     50,10 32,-4 16,12 30,34 66,58 64,104 14,108 -4,76 24,42 50,24 50,6 38,2
        2 small foot    62,14 32,-10 0,10 12,44 48,64 48,100 22,106 10,82 28,60 62,36 66,6 44,-2
    """,
    9: """
        4 straight      54,14 36,-6 4,6 0,40 30,52 56,14 56,14 54,50 50,100
        3 curved        56,16 36,-6 4,6 2,40 34,48 54,18 58,10 58,60 44,100 20,104
        2 tail          56,12 32,-6 2,8 4,44 40,46 56,12 60,60 50,106 15,106 4,90
        2 overlap       40,4 12,-2 -4,30 12,54 42,40 52,2 52,2 52,50 44,100
        2 open          52,8 28,-8 2,10 4,42 30,46 54,26 56,10 54,50 46,100
        2 small bowl    46,10 30,-4 8,6 8,32 32,34 48,12 48,12 44,50 30,100
    """,
}


class Shape(NamedTuple):
    """A way of writing a digit, ready to be drawn."""

    controls: np.ndarray  # (controls, 2)
    curve: np.ndarray  # (points, controls): the curve's points are `curve @ controls`
    ends: list[int]  # where in the points each stroke but the last one ends


def parse_shapes(text: str) -> tuple[np.ndarray, list[Shape]]:
    """Read the lines of one digit: how often each shape comes up, summed up to 1, and the shapes."""
    weights, shapes = [], []
    for line in text.strip().splitlines():
        weight, path = line.split(maxsplit=1)
        path = path[path.index(next(c for c in path if c.isdigit() or c == "-")) :]
        strokes = [[tuple(map(float, p.split(","))) for p in s.split()] for s in path.split("/")]
        bases = [round_corners(np.eye(len(s))) for s in strokes]
        curve = np.zeros((sum(map(len, bases)), sum(map(len, strokes))))
        row = column = 0
        ends = []
        for b in bases:
            curve[row : row + b.shape[0], column : column + b.shape[1]] = b
            row += b.shape[0]
            column += b.shape[1]
            ends.append(row)
        weights.append(float(weight))
        shapes.append(Shape(np.concatenate([np.array(s) for s in strokes]), curve, ends[:-1]))
    return np.cumsum(weights) / sum(weights), shapes


def round_corners(points, rounds=3):
    for _ in range(rounds):
        before, after = points[:-1], points[1:]
        cut = np.stack([0.75 * before + 0.25 * after, 0.25 * before + 0.75 * after], axis=1)
        points = np.concatenate([points[:1], cut.reshape(-1, points.shape[1]), points[-1:]])
    return points


STYLES = [parse_shapes(SHAPES[digit]) for digit in range(10)]

JITTER, SLANT, SLANT_SD, ASPECT, TURN, WARP = 5.0, 0.18, 0.22, 0.18, 0.1, 0.15
PEN, PEN_SD, BOX, CENTRE = 2.4, 0.26, 19.5, 14.5


def draw_digit(digit: int, rng: np.random.Generator) -> list[np.ndarray]:
    totals, shapes = STYLES[digit]
    shape = shapes[np.searchsorted(totals, rng.random())]
    noise = rng.standard_normal((len(shape.controls) + 8, 2))
    points = shape.controls + JITTER * noise[8:]
    points = (points - [32, 50]) / 50
    x, y = points[:, 0], points[:, 1]
    # warp
    bend = np.stack([x * x, x * y, y * y, y * y * y - y], axis=1) @ noise[:4] * WARP
    points = points + bend
    slant = SLANT + SLANT_SD * noise[4, 0]
    turn = TURN * noise[4, 1]
    stretch = np.exp(ASPECT * noise[5, 0])
    cos, sin = np.cos(turn), np.sin(turn)
    linear = np.array([[stretch, 0], [-slant, 1]]) @ np.array([[cos, sin], [-sin, cos]])
    return np.split(shape.curve @ (points @ linear), shape.ends)


def practice_digits(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    labels = rng.permutation(np.arange(count) % 10).astype(np.uint8)
    images = np.empty((count, 28, 28), np.uint8)
    for image, digit in zip(images, labels):
        pen = PEN * np.exp(PEN_SD * rng.standard_normal())
        image[:] = np.rint(255 * strokes_to_image(draw_digit(digit, rng), pen=pen, box=BOX, centre=CENTRE))
    return images, labels


if __name__ == "__main__":
    data = Path(__file__).resolve().parent.parent / "data"
    for name, count, seed in ("train", 6000, 1), ("test", 1000, 2):
        images, labels = practice_digits(count, np.random.default_rng(seed))
        write_idx(data / f"practice-{name}-images-idx3-ubyte.gz", images)
        write_idx(data / f"practice-{name}-labels-idx1-ubyte.gz", labels)
