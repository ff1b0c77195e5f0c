"""What is not a digit: letters, symbols and scribbles, drawn by this project.

The recogniser of the drawing pad learns from them to refuse. Letters and symbols have their shapes
in `shapes.toml`, as digits do, and are drawn by the same hand.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from mnist_book.drawing.practice import draw_digit
from mnist_book.drawing.shapes import (
    WAYS_OF_WRITING,
    draw_shape,
    parse_path,
    rotation,
    round_corners,
)

LETTERS, SYMBOLS = WAYS_OF_WRITING["letters"], WAYS_OF_WRITING["symbols"]
KINDS = {**LETTERS, **SYMBOLS}
# Kinds that a benchmark leaves out of training, to test refusal of what was never seen.
HELD_OUT = (
    *"EKRWYafhx", "heart", "spade", "arrow", "up-and-down", "curved-arrow", "hash", "sharp", "grid",
    "lightning", "pi", "capital-pi",
)  # fmt: skip
TRAINED = tuple(kind for kind in KINDS if kind not in HELD_OUT)
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
    """Draw something that means nothing: a walk, a spiral, hatching, a sign that nobody uses."""
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


def mirrored_digit(rng: np.random.Generator) -> list[np.ndarray]:
    """Write a digit as in a mirror, one that is then none."""
    return [stroke * [-1, 1] for stroke in draw_digit(int(rng.choice([3, 4, 6, 7])), rng)]


def invented_sign(rng: np.random.Generator) -> list[np.ndarray]:
    """Write a sign that nobody uses: one to three strokes between places on a grid."""
    return sign_between(lambda count: rng.choice(GRID, count, replace=False), rng)


def free_sign(rng: np.random.Generator) -> list[np.ndarray]:
    """Write such a sign without a grid, between places that are not too near each other."""

    def places(count: int) -> np.ndarray:
        while True:
            points = rng.uniform(0, [64, 100], (count, 2))
            apart = np.hypot(*(points[:, np.newaxis] - points).T)
            if apart[np.triu_indices(count, 1)].min() > 22:
                return np.array([f"{x:.0f},{y:.0f}" for x, y in points])

    return sign_between(places, rng)


def sign_between(places: Callable[[int], np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """Draw one to three strokes between places, round or with corners."""
    strokes, count = [], rng.integers(1, 4)
    for _ in range(count):
        fewest = 4 if count == 1 else 2  # with fewer it would too often be a 1 or a 7
        points = places(fewest + int(rng.integers(3)))
        corners = rng.random(len(points)) < rng.choice([0, 0.5, 1])  # a point given twice is one
        strokes.append(" ".join(np.repeat(points, 1 + corners)))
    return draw_shape(parse_path("/".join(strokes)), rng)


def outline(rng: np.random.Generator) -> list[np.ndarray]:
    """Go once around, with one or two notches; without them it would be a 0."""
    count = rng.integers(5, 10)
    angles = 2 * np.pi * np.arange(count) / count + rng.uniform(-0.2, 0.2, count)
    radii, corners = rng.uniform(0.8, 1.1, count), rng.random(count) < rng.random()
    notches = rng.choice(count, rng.integers(1, 3), replace=False)
    radii[notches], corners[notches] = rng.uniform(0.1, 0.4, len(notches)), True
    points = radii[:, np.newaxis] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    points = points @ rotation(rng.uniform(0, 2 * np.pi)) * [rng.uniform(0.7, 1.1), 1]
    return [round_corners(points[np.append(np.repeat(np.arange(count), 1 + corners), 0)])]


GRID = [f"{x},{y}" for x in (0, 32, 64) for y in (0, 33, 67, 100)]  # as in `shapes.toml`
SCRIBBLES = (
    walk, walk, polyline, polyline, zigzag, spiral, curls, lines, dots,
    two_digits, crossed_out, lying_digit, mirrored_digit,
    *5 * [invented_sign], *14 * [free_sign], *3 * [outline],
)  # fmt: skip
