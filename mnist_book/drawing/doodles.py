"""What is not a digit: letters, symbols and scribbles, drawn by this project.

The recogniser of the drawing pad learns from them to refuse. A letter or a symbol has one or more
shapes, in the same form as the digits' in `practice.py`, and is drawn by the same hand.
Letters that look like digits are not there: B, b, D, G, g, I, i, l, O, o, Q, q, S, s, Z, z.
"""

from itertools import pairwise

import numpy as np

from mnist_book.drawing.practice import draw_digit, draw_shape, parse_path, round_corners

LETTERS = {
    "A": ("30,0 0,100 / 30,0 62,100 / 12,62 50,62", "0,100 32,0 32,0 64,100 / 10,66 56,62"),
    "C": ("64,18 44,-4 8,8 -4,52 10,98 44,106 66,84", "60,8 30,-4 0,30 2,76 30,104 64,92"),
    "E": (
        "0,0 0,100 / 0,0 58,0 / 0,48 48,48 / 0,100 60,100",
        "60,0 0,0 0,0 0,100 0,100 60,100 / 0,50 46,50",
        "60,10 30,-4 4,20 40,46 40,46 -4,60 10,104 62,94",
    ),
    "F": ("0,0 0,100 / 0,0 60,0 / 0,46 46,46", "60,2 0,2 0,2 0,100 / 0,50 44,48"),
    "H": ("0,0 0,100 / 60,0 60,100 / 0,50 60,50", "0,0 0,100 / 0,52 58,48 / 58,0 60,100"),
    "J": ("60,0 60,70 40,106 8,98 0,74", "20,0 84,0 / 54,0 54,80 34,106 4,92"),
    "K": ("0,0 0,100 / 60,0 2,54 / 14,44 62,100", "0,0 0,100 / 56,2 4,50 4,50 60,100"),
    "L": ("0,0 0,100 0,100 58,100", "10,0 4,50 0,100 0,100 30,98 62,96"),
    "M": (
        "0,100 0,0 0,0 38,60 38,60 76,0 76,0 76,100",
        "0,100 10,0 10,0 36,66 36,66 64,0 64,0 76,100",
    ),
    "N": ("0,100 0,0 0,0 60,100 60,100 60,0", "0,0 0,100 / 0,0 60,100 / 60,0 60,100"),
    "P": ("0,0 0,100 / 0,2 40,-4 66,24 44,52 0,54", "0,100 0,0 0,0 50,-2 66,28 44,56 0,56"),
    "R": (
        "0,0 0,100 / 0,2 44,-4 64,24 40,50 0,52 / 22,52 64,100",
        "0,100 0,0 0,0 50,-4 64,28 38,52 4,52 4,52 62,100",
    ),
    "T": ("0,0 70,0 / 35,0 35,100", "34,0 34,100 / 0,2 70,-2"),
    "U": ("0,0 0,70 28,106 58,72 60,0", "0,0 -2,80 26,108 58,80 60,0 60,0 62,100"),
    "V": ("0,0 32,100 32,100 64,0", "0,0 26,80 34,100 42,80 66,0"),
    "W": (
        "0,0 20,100 20,100 40,30 40,30 60,100 60,100 80,0",
        "0,0 4,80 22,104 40,60 40,30 42,80 60,104 78,60 80,0",
    ),
    "X": ("0,0 62,100 / 62,0 0,100", "62,0 0,100 / 2,2 60,98"),
    "Y": ("0,0 32,48 / 66,0 32,48 32,100", "0,0 32,50 / 66,0 14,100"),
    "a": (
        "52,44 24,30 -4,58 8,94 34,90 54,50 54,36 54,80 66,98",
        "8,40 40,26 54,50 54,100 / 54,60 20,58 -2,80 18,104 52,84",
    ),
    "d": (
        "52,52 24,38 -4,64 8,102 40,96 54,60 / 56,0 56,100",
        "50,52 18,40 -4,70 16,104 46,90 56,50 58,0 56,60 66,102",
    ),
    "e": ("0,64 50,62 46,34 20,28 -4,60 12,100 56,92", "4,68 54,52 36,26 4,40 2,86 30,106 60,86"),
    "f": (
        "58,6 36,-4 22,20 20,100 / 0,40 48,38",
        "4,60 50,20 40,-6 22,30 16,110 30,80 40,50 / 2,44 44,44",
    ),
    "h": ("0,0 0,100 / 0,60 24,40 48,56 48,100", "4,0 0,100 0,100 4,62 30,36 48,60 50,100"),
    "j": ("40,30 40,90 20,112 0,100 / 40,6 42,8", "40,30 38,110 10,116 20,90 60,60 / 42,4 43,6"),
    "k": ("0,0 0,100 / 44,40 2,70 / 12,62 48,100", "4,0 0,100 0,70 40,40 30,64 4,68 4,68 50,100"),
    "m": (
        "0,36 0,100 0,60 20,36 34,50 34,100 34,60 54,36 68,50 68,100",
        "0,36 2,100 2,100 10,40 32,44 32,100 32,100 44,38 66,46 68,100",
    ),
    "n": ("0,36 0,100 0,100 2,58 26,34 48,52 48,100", "0,36 0,100 / 0,56 24,34 50,56 50,100"),
    "p": (
        "0,36 0,130 / 0,50 26,34 52,60 30,92 0,80",
        "0,36 0,130 0,130 2,56 28,30 54,62 30,94 2,84",
    ),
    "r": ("0,36 0,100 / 0,62 18,38 44,40", "0,36 0,100 0,100 4,56 24,34 46,44"),
    "t": ("30,0 30,84 44,102 62,92 / 4,34 58,34", "26,0 26,100 / 0,36 54,34"),
    "u": ("0,36 0,80 20,104 46,84 48,36 48,36 48,100", "0,36 0,84 26,104 48,80 50,36 50,80 64,100"),
    "v": ("0,36 24,100 24,100 50,36", "0,36 18,80 26,100 36,76 48,40 62,36"),
    "w": (
        "0,36 16,100 16,100 32,50 32,50 48,100 48,100 64,36",
        "0,36 -2,90 20,104 32,70 34,40 34,80 50,106 66,80 66,36",
    ),
    "x": ("0,36 48,100 / 48,36 0,100", "0,40 20,34 30,70 44,104 60,94 / 56,36 0,102"),
    "y": ("0,36 26,84 / 54,36 8,130", "0,36 4,78 28,86 50,40 50,40 52,110 30,134 4,118"),
}
SYMBOLS = {
    "tick": ("0,60 26,100 26,100 80,0", "0,70 14,84 24,100 40,60 84,20"),
    "plus": ("40,0 40,80 / 0,40 80,40",),
    "minus": ("0,50 90,50", "0,40 45,60 90,46"),
    "equals": ("0,30 80,30 / 0,70 80,70",),
    "heart": ("50,30 30,-4 -4,16 6,56 50,100 50,100 96,56 104,16 72,-4 50,30",),
    "arrow": (
        "0,50 100,50 / 70,20 100,50 100,50 70,80",
        "50,100 50,0 / 20,34 50,0 50,0 80,34",
        "0,100 90,0 / 40,4 90,0 90,0 84,50",
    ),
    "star": (
        "20,100 50,0 50,0 80,100 80,100 0,36 0,36 100,36 100,36 20,100",
        "50,0 50,100 / 0,30 100,70 / 0,70 100,30",
    ),
    "triangle": ("50,0 0,90 0,90 100,90 100,90 50,0", "0,10 100,10 100,10 50,96 50,96 0,10"),
    "square": ("0,0 0,90 0,90 90,90 90,90 90,0 90,0 0,0",),
    "house": ("0,100 0,40 0,40 40,0 40,0 80,40 80,40 80,100 80,100 0,100",),
    "lightning": ("50,0 10,54 10,54 50,46 50,46 14,100", "40,0 0,50 0,50 60,44 60,44 10,104"),
    "question": ("2,20 20,-4 56,0 58,30 30,50 30,72 / 30,94 31,98",),
    "exclamation": ("30,0 30,70 / 30,94 31,98",),
    "percent": ("80,0 10,100 / 20,4 4,20 20,36 34,20 20,4 / 70,64 54,80 70,98 86,80 70,64",),
    "at": ("62,40 40,34 30,60 44,70 62,44 66,70 90,60 84,10 30,-4 -6,50 30,104 84,94",),
    "and": ("80,100 20,30 34,-4 56,14 10,60 20,104 50,96 84,56",),
    "hash": ("30,0 20,100 / 70,0 60,100 / 0,34 92,34 / 0,68 90,68",),
    "infinity": ("50,40 20,20 -4,40 20,60 50,40 80,20 104,40 80,60 50,40",),
    "wave": ("0,40 20,10 40,60 60,80 80,20 100,50", "0,50 14,20 28,50 42,80 56,50 70,20 84,50"),
    "bracket": ("50,0 0,0 0,0 0,100 0,100 50,100", "0,0 50,0 50,0 50,100 50,100 0,100"),
    "angle": ("60,0 0,50 0,50 60,100", "0,0 60,50 60,50 0,100", "0,100 40,0 40,0 80,100"),
    "gamma": ("0,0 30,60 20,110 6,90 60,0", "0,10 20,0 34,60 / 70,0 10,120"),
    "pi": ("0,10 90,6 / 24,10 18,100 / 66,10 66,84 80,100",),
    "circle cross": ("50,0 6,10 -4,56 30,104 84,90 100,40 50,0 / 50,0 50,100 / 0,50 98,50",),
    "smile": (
        "50,0 6,10 -4,56 30,104 84,90 100,40 50,0 / 30,30 31,34 / 66,30 67,34 / 26,66 50,84 74,64",
    ),
    "fish": ("100,20 50,80 0,50 50,10 100,84 100,84 96,20",),
    "epsilon": ("60,10 30,-4 4,20 36,46 36,46 -4,60 8,100 60,92",),
    "loop": ("0,90 40,80 70,30 50,0 30,30 60,80 100,90", "0,100 60,0 80,30 20,20 100,100"),
    "stairs": ("0,100 0,66 0,66 34,66 34,66 34,34 34,34 68,34 68,34 68,0 68,0 100,0",),
    "hourglass": ("0,0 80,0 80,0 0,100 0,100 80,100 80,100 0,0",),
    "bow": ("0,0 0,80 0,80 90,0 90,0 90,80 90,80 0,0",),
    "cup": ("0,0 8,90 8,90 60,90 60,90 70,0 / 68,20 94,30 64,60",),
    "key": ("40,30 20,0 -4,24 16,50 40,30 110,30 / 90,30 90,50 / 108,30 108,54",),
}
KINDS = {**LETTERS, **SYMBOLS}
# Kinds that a benchmark leaves out of training, to test refusal of what was never seen.
HELD_OUT = (
    "E",
    "K",
    "R",
    "W",
    "Y",
    "a",
    "f",
    "h",
    "x",
    "heart",
    "arrow",
    "hash",
    "lightning",
    "pi",
)
SHAPES = {kind: [parse_path(path) for path in paths] for kind, paths in KINDS.items()}


def draw_doodle(kind: str, rng: np.random.Generator) -> list[np.ndarray]:
    """Draw a letter or a symbol, one of KINDS; each call gives a different drawing.

    Returns
    -------
    the strokes, arrays of shape (points, 2): x to the right, y down, about 2 high
    """
    shapes = SHAPES[kind]
    return draw_shape(shapes[rng.integers(len(shapes))], rng)


def draw_scribble(rng: np.random.Generator) -> list[np.ndarray]:
    """Draw something that means nothing: a walk, a zigzag, a spiral, dots, hatching, tangles."""
    return SCRIBBLES[rng.integers(len(SCRIBBLES))](rng)


def walk(rng: np.random.Generator) -> list[np.ndarray]:
    """Let the pen wander, in one to three strokes, more or less smoothly."""
    inertia, strokes = rng.uniform(0, 0.97), []
    for _ in range(rng.integers(1, 4)):
        steps = rng.normal(0, 1, (rng.integers(8, 60), 2))
        for before, step in pairwise(steps):
            step += inertia * before
        strokes.append(rng.normal(0, 3, 2) + np.cumsum(steps, axis=0))
    return strokes


def polyline(rng: np.random.Generator) -> list[np.ndarray]:
    """Join some points at random, by straight lines or by a rounded one."""
    points = rng.uniform(-1, 1, (rng.integers(4, 12), 2)) * [rng.uniform(0.4, 1.2), 1]
    return [round_corners(points) if rng.random() < 0.6 else points]


def zigzag(rng: np.random.Generator) -> list[np.ndarray]:
    """Go to and fro while moving on."""
    turns = rng.integers(4, 12)
    side = np.where(np.arange(turns) % 2, 1, -1) + rng.normal(0, 0.15, turns)
    on = np.linspace(-1, 1, turns) * rng.uniform(0.4, 1.4) + rng.normal(0, 0.05, turns)
    points = np.stack([on, side], axis=1) @ rotation(rng.uniform(0, 2 * np.pi))
    return [round_corners(points) if rng.random() < 0.5 else points]


def spiral(rng: np.random.Generator) -> list[np.ndarray]:
    """Go round and round, inwards."""
    turns = rng.uniform(1.6, 4.5) * rng.choice([-1, 1])
    angle = np.linspace(0, 2 * np.pi * turns, 80) + rng.uniform(0, 2 * np.pi)
    radius = np.linspace(1, rng.uniform(0, 0.4), 80)[:, np.newaxis]
    circle = np.stack([np.cos(angle) * rng.uniform(0.6, 1.2), np.sin(angle)], axis=1)
    return [radius * circle + rng.normal(0, 0.02, (80, 2))]


def curls(rng: np.random.Generator) -> list[np.ndarray]:
    """Draw a row of loops, or a tangle of them."""
    t = np.linspace(0, 1, 100)[:, np.newaxis]
    waves = rng.uniform(2, 6, (1, 2)) * t + rng.uniform(0, 1, (1, 2))
    return [np.cos(2 * np.pi * waves) + rng.uniform(0, 2) * t * rng.normal(0, 1, 2)]


def lines(rng: np.random.Generator) -> list[np.ndarray]:
    """Draw two to six separate straight lines, hatching if they are alike."""
    count, alike = rng.integers(2, 7), rng.random()
    common = rng.normal(0, 1, 2)
    strokes = []
    for _ in range(count):
        half = alike * common + (1 - alike) * rng.normal(0, 1, 2)
        middle = rng.uniform(-1, 1, 2)
        strokes.append(np.stack([middle - half, middle + half]))
    return strokes


def dots(rng: np.random.Generator) -> list[np.ndarray]:
    """Put down two to eight dots, or a blot."""
    size = rng.choice([0.02, 0.1, 0.5])
    return [
        rng.uniform(-1, 1, 2) + rng.normal(0, size, (rng.integers(2, 6), 2))
        for _ in range(rng.integers(1, 9))
    ]


def two_digits(rng: np.random.Generator) -> list[np.ndarray]:
    """Write two digits side by side, or nearly so."""
    left, right = (draw_digit(int(digit), rng) for digit in rng.integers(0, 10, 2))
    shift = [rng.uniform(0.8, 1.6), rng.normal(0, 0.15)]
    return left + [stroke + shift for stroke in right]


def crossed_out(rng: np.random.Generator) -> list[np.ndarray]:
    """Write a digit and cross it out; not a 0, 1, 4 or 7, which may have such a line."""
    ends = np.array([[-1, 1], [1, -1]]) * rng.uniform(0.8, 1.3) + rng.normal(0, 0.2, (2, 2))
    if rng.random() < 0.3:
        ends = np.array([[-1, 0], [1, 0]]) + rng.normal(0, 0.2, (2, 2))
    return [*draw_digit(int(rng.choice([2, 3, 5, 6, 8, 9])), rng), ends]


def lying_digit(rng: np.random.Generator) -> list[np.ndarray]:
    """Lay a digit on its side, one that is then none."""
    turned = rotation(rng.choice([-1, 1]) * np.pi / 2)
    return [stroke @ turned for stroke in draw_digit(int(rng.choice([2, 3, 4, 5, 7])), rng)]


SCRIBBLES = (
    walk, walk, polyline, polyline, zigzag, spiral, curls, lines, dots,
    two_digits, crossed_out, lying_digit,
)  # fmt: skip


def rotation(angle: float) -> np.ndarray:
    """Make the matrix (2, 2) that turns points (n, 2), as rows, by an angle in radians."""
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
