"""The practice digits: images of handwritten-looking digits that need no network to come by.

Every digit has several shapes, ways of writing it: the path of a pen along a few control points. A
drawing takes a shape, moves each control point a little, bends, turns, stretches and slants the
whole, and rounds it into smooth strokes. `draw_digit` makes as many different drawings as you like.

    python -m mnist_book.drawing.practice

writes 6,000 training and 1,000 test images to `data/practice/`, the same bytes every time.
"""

from typing import NamedTuple

import numpy as np

from mnist_book.dataset import DATA
from mnist_book.drawing.strokes import strokes_to_image
from mnist_core import write_idx

# How much drawings differ. Tuned so that a network trained on the practice digits reads MNIST's
# *training* images well; MNIST's test images had no part in it.
JITTER = 0.09  # how far control points stray; a digit is 2 high
WARP = 0.18  # how much the whole drawing bends
STRETCH = 0.24  # how much wider or narrower it is, as a logarithm
TURN = 0.1  # how far it is turned, in radians
SLANT, SLANT_SPREAD = 0.14, 0.28  # most people lean to the right
PEN, PEN_SPREAD = 2.4, 0.26  # width of the pen in pixels; its spread as a logarithm
BOX, CENTRE = 20.5, 14.5  # size and place of a digit, in pixels

# A line is a shape: how common it is, its name, and the pen's path through control points "x,y", on
# a sheet 100 high, x to the right and y down. A slash lifts the pen. The stroke starts and ends at
# control points and is drawn towards those in between; a control point given twice makes a corner.
WAYS_OF_WRITING = {
    0: """
        5 oval:        50,2 26,-3 4,10 -6,40 -4,74 12,98 36,105 62,98 80,68 80,36 70,8 48,-3 32,4
        3 overlap:     34,14 10,16 -4,42 -4,72 10,98 34,105 60,98 78,74 80,44 70,12 44,-6 14,10
        2 gap:         30,2 6,10 -6,40 -4,74 12,98 36,105 64,98 80,72 80,40 70,12 50,6
        2 narrow:      32,2 8,2 0,45 4,92 22,105 42,95 52,50 46,4 26,0
        2 leaf:        60,2 26,12 -4,62 4,104 30,104 66,72 76,24 62,0 44,4
        2 curl:        64,28 30,20 36,0 6,18 -4,70 20,104 56,104 80,65 72,12 44,-6 26,8
    """,
    1: """
        8 straight:    30,0 30,100
        4 leaning:     55,0 36,48 15,100
        1 backwards:   15,0 26,50 35,100
        1 bowed:       30,0 36,50 28,100
        1 hollow:      32,0 26,50 32,100
        2 flag:        20,20 32,8 36,0 36,0 36,100
        1 foot:        14,24 32,6 36,0 36,0 36,98 / 5,100 35,98 68,100
    """,
    2: """
        4 sharp:       4,25 12,0 50,-8 74,20 62,52 26,84 0,100 0,100 38,98 84,98
        5 looped:      8,22 18,0 54,-6 74,20 62,56 32,94 0,104 -6,82 22,78 52,100 94,94
        3 big loop:    10,20 18,0 52,-5 70,22 60,62 28,104 -10,106 -12,72 28,72 58,98 98,86
        3 zed:         2,6 32,2 68,0 68,0 42,45 0,100 0,100 36,98 80,98
        2 wavy:        5,20 20,-4 60,-2 68,25 30,70 3,100 3,100 26,84 58,103 92,88
        2 tall:        10,20 18,0 50,-4 54,35 28,75 15,100 15,100 40,98 66,96
        2 curled:      22,28 4,24 6,2 44,-8 72,16 62,52 24,84 0,100 0,100 38,92 82,98
        2 script:      10,22 18,-4 60,-6 70,30 58,74 20,108 -14,96 4,66 44,84 62,102 92,96
        2 swan:        6,34 10,4 44,-8 60,18 46,66 24,104 -4,102 6,86 40,88 66,102 104,92
    """,
    3: """
        5 round:       4,14 20,-4 60,-4 60,35 28,48 28,48 65,48 72,90 35,108 0,92
        3 flat:        4,2 30,0 60,0 60,0 28,42 28,42 65,42 72,90 35,108 0,92
        3 mid loop:    5,14 20,-4 58,-2 58,35 38,52 22,48 30,42 62,52 68,92 30,106 0,90
        3 smooth:      4,14 22,-4 58,-4 60,30 35,46 40,52 68,62 66,95 30,106 0,92
        2 big top:     2,16 20,-6 66,-6 64,40 30,52 30,52 62,54 66,94 30,108 0,92
        2 big belly:   14,10 25,-2 52,-2 52,28 24,38 24,38 65,36 78,90 35,110 0,88
        2 sweeping:    8,14 30,-6 74,-6 60,34 32,46 32,46 72,48 66,94 26,108 -12,94
    """,
    4: """
        4 open:        12,0 4,30 0,54 0,54 30,54 66,50 / 54,2 52,50 48,100
        3 round open:  8,5 -4,50 15,62 60,46 / 62,0 56,50 48,100
        3 one go:      12,2 -4,48 18,60 52,46 64,0 64,0 56,50 50,100
        2 wide:        6,0 0,30 -4,56 -4,56 40,56 96,48 / 66,-2 62,50 52,100
        1 triangle:    48,100 52,50 54,0 54,0 0,64 0,64 40,64 82,62
        1 closed:      54,0 25,32 0,60 0,60 40,60 76,58 / 54,0 52,50 48,100
        1 steep:       28,0 12,28 -4,54 -4,54 35,56 80,50 / 60,14 52,60 46,100
        2 high bar:    6,0 0,20 0,38 0,38 30,42 64,34 / 66,0 60,50 54,100
        1 low bar:     20,0 10,36 0,72 0,72 36,72 84,66 / 62,22 54,64 46,100
    """,
    5: """
        4 two strokes: 16,2 10,45 10,45 40,32 72,58 58,102 20,106 0,90 / 16,2 40,0 76,-4
        4 one go:      72,0 40,1 18,2 18,2 10,45 10,45 40,30 70,58 56,104 15,106 0,90
        3 smooth:      70,2 25,-4 8,30 30,48 66,58 58,102 20,106 0,92
        3 long bar:    26,16 14,48 14,48 45,42 62,68 42,102 0,96 / 26,16 60,10 104,-2
        2 small belly: 24,0 14,52 14,52 40,46 54,68 40,100 2,98 / 24,0 45,0 76,-2
        2 big belly:   20,0 12,40 12,40 48,26 82,56 66,104 22,108 -4,92 / 20,0 46,0 80,-4
        1 tick:        26,14 20,46 20,46 48,52 40,84 18,104 -6,96 / 26,16 60,8 104,-2
    """,
    6: """
        5 curved:      52,0 20,25 -2,70 15,104 54,104 68,75 42,54 12,68 4,84
        3 straight:    36,0 18,35 0,75 10,104 52,106 66,75 38,58 8,84
        2 small bowl:  44,0 14,38 -2,82 16,104 44,100 52,76 30,66 6,84
        2 open:        50,2 15,25 -4,75 18,106 56,102 66,74 46,60 24,68
        2 long bowl:   40,0 2,40 -4,92 25,106 78,92 78,58 46,62 24,94
    """,
    7: """
        4 plain:       0,6 30,2 66,0 66,0 52,45 34,100
        3 serif:       0,24 2,2 2,2 32,3 66,0 66,0 54,45 36,100
        3 barred:      0,6 30,2 66,0 66,0 50,45 32,100 / 14,54 40,50 72,44
        3 curved:      0,10 30,0 74,-6 66,18 42,52 32,100
        2 wave:        0,22 10,-4 38,10 70,0 70,0 52,40 40,100
        2 round:       0,12 20,-6 74,-6 72,32 52,62 46,100
        2 upright:     0,18 6,2 30,4 58,0 58,0 56,50 52,100
        1 short:       0,14 34,8 86,0 86,0 66,34 42,80 / 30,46 56,42 86,34
        2 hooked:      0,32 2,6 2,6 34,4 70,2 70,2 68,50 58,100
    """,
    8: """
        6 crossed:     58,12 30,-8 4,15 25,42 60,62 56,102 20,106 0,80 25,55 55,32 60,6 42,0
        2 two circles: 32,46 4,36 8,0 35,-4 60,4 56,40 32,46 32,46 0,55 -2,98 66,112 66,58 32,46
        3 unclosed:    68,12 30,-8 4,18 25,45 58,66 52,104 18,106 2,84 25,55 72,16
        2 small top:   54,10 32,-8 8,8 24,40 64,60 62,104 14,108 -2,78 24,52 52,28 54,6 38,0
        2 small foot:  62,14 32,-10 0,10 12,44 48,64 48,100 22,106 10,82 28,60 62,36 66,6 44,-2
        3 slim:        56,8 34,-6 14,14 26,40 46,64 40,102 14,104 10,78 32,50 58,14
        2 flourish:    86,2 40,-8 6,10 20,42 50,60 46,100 16,106 2,84 26,60 62,36 72,18
    """,
    9: """
        4 straight:    58,12 40,-8 0,0 -6,44 30,56 58,16 58,16 54,50 46,100
        3 curved:      60,14 38,-8 0,0 -4,46 34,54 58,18 62,10 60,60 44,100 20,104
        2 tail:        60,12 34,-8 -4,2 -2,44 40,46 60,12 66,60 56,102 26,104 12,94
        3 overlap:     44,2 12,-6 -10,30 10,58 44,44 56,0 56,0 54,50 44,100
        2 open:        56,8 28,-10 -4,8 0,48 30,54 56,30 60,8 56,50 48,100
        3 small bowl:  46,10 30,-4 6,4 6,34 32,36 48,12 48,12 44,50 30,100
        3 flat bowl:   62,10 30,-10 -12,12 -6,46 28,50 60,14 60,14 50,56 36,100
        3 slanted:     56,8 30,-8 -4,8 2,48 34,48 62,4 62,4 44,56 24,100
    """,
}


class Shape(NamedTuple):
    """A way of writing a digit, ready for drawing."""

    controls: np.ndarray  # (controls, 2), on a sheet from -1 to 1
    curve: np.ndarray  # (points, controls): `curve @ controls` are the points along the strokes
    lifts: np.ndarray  # (strokes - 1,): after how many points the pen is lifted


def draw_digit(digit: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Draw a digit by hand, as it were: each call gives a different drawing.

    Parameters
    ----------
    digit : which one, 0 to 9
    rng : where the differences come from

    Returns
    -------
    the strokes, arrays of shape (points, 2): x to the right, y down, about 2 high
    """
    frequencies, shapes = SHAPES[digit]
    return draw_shape(shapes[rng.choice(len(shapes), p=frequencies)], rng)


def draw_shape(shape: Shape, rng: np.random.Generator) -> list[np.ndarray]:
    """Draw a shape with a hand that varies; strokes as `draw_digit` returns them."""
    wobble = rng.normal(0, JITTER, shape.controls.shape)
    wobble[1:] += 0.6 * wobble[:-1]  # neighbours stray together: strokes stay smooth
    controls = shape.controls + wobble
    # Points move by a quadratic or cubic function of where they are: the sheet bends like rubber.
    x, y = controls.T
    powers = np.stack([x**2, x * y, y**2, y**3 - y], axis=1)
    controls += powers @ rng.normal(0, WARP, (4, 2))
    # Stretch and slant, then turn. A slant to the right moves x by the height, which is -y.
    turn = rng.normal(0, TURN)
    turned = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    slant, stretch = rng.normal(SLANT, SLANT_SPREAD), np.exp(rng.normal(0, STRETCH))
    slanted = np.array([[stretch, 0], [-slant, 1]])
    return np.split(shape.curve @ controls @ slanted @ turned, shape.lifts)


def practice_digits(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw images of digits, all ten equally often, in random order.

    Parameters
    ----------
    count : how many, for an equal number of each digit a multiple of 10
    rng : where the order, the drawings and the pens come from

    Returns
    -------
    images, uint8 (count, 28, 28), from 0 (paper) to 255 (ink), and labels, uint8 (count,)
    """
    labels = rng.permutation(np.arange(count) % 10).astype(np.uint8)
    images = np.empty((count, 28, 28), np.uint8)
    for image, digit in zip(images, labels, strict=True):
        pen = PEN * np.exp(rng.normal(0, PEN_SPREAD))
        grey = strokes_to_image(draw_digit(digit, rng), pen=pen, box=BOX, centre=CENTRE)
        image[:] = np.rint(255 * centre_of_mass_to_middle(grey))
    return images, labels


def centre_of_mass_to_middle(image: np.ndarray) -> np.ndarray:
    """Shift an image (28, 28) by whole pixels, as MNIST's makers did.

    `strokes_to_image` counts a line drawn twice, as in many a 9, twice; on paper it is there once.
    """
    pixel = np.arange(28) + 0.5
    down, right = (round(CENTRE - pixel @ image.sum(axis=axis) / image.sum()) for axis in (1, 0))
    return np.roll(image, (down, right), axis=(0, 1))


def parse_shapes(text: str) -> tuple[np.ndarray, list[Shape]]:
    """Read the shapes of one digit: how often each comes up, the sum being 1, and the shapes."""
    names, paths = zip(*(line.split(":") for line in text.strip().splitlines()), strict=True)
    counts = np.array([float(name.split()[0]) for name in names])
    return counts / counts.sum(), [parse_path(path) for path in paths]


def parse_path(path: str) -> Shape:
    """Read the path of the pen."""
    strokes = [[point.split(",") for point in stroke.split()] for stroke in path.split("/")]
    controls = (np.concatenate(strokes).astype(float) - [32, 50]) / 50
    # Rounding is linear, so rounding the identity matrix says how points depend on controls.
    ends = np.cumsum([len(stroke) for stroke in strokes])[:-1]
    curves = [round_corners(weights) for weights in np.split(np.eye(len(controls)), ends)]
    return Shape(controls, np.concatenate(curves), np.cumsum([len(curve) for curve in curves])[:-1])


def round_corners(points: np.ndarray) -> np.ndarray:
    """Round a line by cutting its corners, three times over (G. Chaikin, 1974)."""
    for _ in range(3):
        before, after = points[:-1], points[1:]
        cut = np.stack([0.75 * before + 0.25 * after, 0.25 * before + 0.75 * after], axis=1)
        points = np.concatenate([points[:1], *cut, points[-1:]])
    return points


SHAPES = {digit: parse_shapes(text) for digit, text in WAYS_OF_WRITING.items()}


if __name__ == "__main__":
    (DATA / "practice").mkdir(exist_ok=True)
    for name, count, seed in ("train", 6000, 1), ("t10k", 1000, 2):
        images, labels = practice_digits(count, np.random.default_rng(seed))
        write_idx(DATA / "practice" / f"{name}-images-idx3-ubyte.gz", images)
        write_idx(DATA / "practice" / f"{name}-labels-idx1-ubyte.gz", labels)
