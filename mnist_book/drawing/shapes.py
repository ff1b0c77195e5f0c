"""Shapes, and the hand that draws them: what practice digits, letters and symbols are made of.

A shape is one way of writing something: the path of a pen along a few control points. `shapes.toml`
holds them all. Each call of `draw_shape` gives a different drawing of one.
"""

import tomllib
from pathlib import Path
from typing import NamedTuple

import numpy as np

WAYS_OF_WRITING = tomllib.loads(Path(__file__).with_name("shapes.toml").read_text("utf-8"))

# How much drawings differ. Tuned so that a network trained on the practice digits reads MNIST's
# *training* images well; MNIST's test images had no part in it.
JITTER = 0.09  # how far control points stray; a digit is 2 high
WARP = 0.18  # how much the whole drawing bends
STRETCH = 0.24  # how much wider or narrower it is, as a logarithm
TURN = 0.1  # how far it is turned, in radians
SLANT, SLANT_SPREAD = 0.14, 0.28  # most people lean to the right


class Shape(NamedTuple):
    """A way of writing something, ready for drawing."""

    controls: np.ndarray  # (controls, 2), on a sheet from -1 to 1
    curve: np.ndarray  # (points, controls): `curve @ controls` are the points along the strokes
    lifts: np.ndarray  # (strokes - 1,): after how many points the pen is lifted


def parse_path(path: str) -> Shape:
    """Read the path of a pen, as `shapes.toml` has it."""
    strokes = [[point.split(",") for point in stroke.split()] for stroke in path.split("/")]
    controls = (np.concatenate(strokes).astype(float) - [32, 50]) / 50
    # Rounding is linear, so rounding the identity matrix says how points depend on controls.
    ends = np.cumsum([len(stroke) for stroke in strokes])[:-1]
    curves = [round_corners(weights) for weights in np.split(np.eye(len(controls)), ends)]
    return Shape(controls, np.concatenate(curves), np.cumsum([len(curve) for curve in curves])[:-1])


def put_together(ways: dict[str, list[list[str]]], rng: np.random.Generator) -> str:
    """Choose one of several ways of writing, and a variant of each of its parts: a path of a pen.

    Parameters
    ----------
    ways : of each its parts, and of each part its variants, as `shapes.toml` has them in `combined`
    """
    parts = ways[rng.choice(list(ways))]
    return " ".join(variants[rng.integers(len(variants))] for variants in parts)


def round_corners(points: np.ndarray) -> np.ndarray:
    """Round a line by cutting its corners, three times over (G. Chaikin, 1974)."""
    for _ in range(3):
        before, after = points[:-1], points[1:]
        cut = np.stack([0.75 * before + 0.25 * after, 0.25 * before + 0.75 * after], axis=1)
        points = np.concatenate([points[:1], *cut, points[-1:]])
    return points


def draw_shape(shape: Shape, rng: np.random.Generator) -> list[np.ndarray]:
    """Draw a shape with a hand that varies.

    Returns
    -------
    the strokes, arrays of shape (points, 2): x to the right, y down, about 2 high
    """
    wobble = rng.normal(0, JITTER, shape.controls.shape)
    wobble[1:] += 0.6 * wobble[:-1]  # neighbours stray together: strokes stay smooth
    controls = shape.controls + wobble
    # Points move by a quadratic or cubic function of where they are: the sheet bends like rubber.
    x, y = controls.T
    powers = np.stack([x**2, x * y, y**2, y**3 - y], axis=1)
    controls += powers @ rng.normal(0, WARP, (4, 2))
    # Stretch and slant, then turn. A slant to the right moves x by the height, which is -y.
    turned = rotation(rng.normal(0, TURN))
    slant, stretch = rng.normal(SLANT, SLANT_SPREAD), np.exp(rng.normal(0, STRETCH))
    slanted = np.array([[stretch, 0], [-slant, 1]])
    return np.split(shape.curve @ controls @ slanted @ turned, shape.lifts)


def rotation(angle: float) -> np.ndarray:
    """Make the matrix (2, 2) that turns points (n, 2), as rows, by an angle in radians."""
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
