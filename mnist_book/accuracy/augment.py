"""Distorted digits: new pictures of the same digits, for a network to learn from.

Every picture is turned, slanted, stretched and shifted as a whole, and pulled a little this way and
that in its parts, as if it lay on a sheet of rubber. Source of the idea: P. Simard, D. Steinkraus,
J. Platt, Best practices for convolutional neural networks applied to visual document analysis,
ICDAR 2003 (doi:10.1109/ICDAR.2003.1227801).

It is made for speed. A distortion is a table that says for each of the 784 pixels where it comes
from in the old picture. The pictures are kept once, three times finer than their pixels, so that a
table can name a place by a whole number, and one `np.take` distorts a whole batch.
"""

from typing import NamedTuple

import numpy as np

SIDE = 28
FINER = 3  # places of the fine picture in a pixel
MARGIN = 1  # pixels of paper around the fine picture: what is farther out is paper, too
FINE_SIDE = (SIDE + 2 * MARGIN - 1) * FINER + 1


class Strength(NamedTuple):
    """How far distortions go: half the width of even distributions, but for `elastic`."""

    rotation: float = 9.0  # degrees
    stretch: float = 0.09  # as a logarithm, in x and in y
    shear: float = 0.09
    shift: float = 0.8  # pixels
    elastic: float = 1.0  # pixels, standard deviation of how far a part is pulled
    cells: int = 7  # the rubber is pulled at the points of a grid of cells x cells

    def times(self, factor: float) -> "Strength":
        """Make all weaker or stronger by a factor."""
        scaled = {name: factor * value for name, value in self._asdict().items()}
        return Strength(**scaled | {"cells": self.cells})


def upsample(images: np.ndarray) -> np.ndarray:
    """Make pictures uint8 (n, 28, 28) finer: uint8 (n, FINE_SIDE, FINE_SIDE), by interpolation."""
    if images.dtype != np.uint8 or images.shape[1:] != (SIDE, SIDE):
        raise ValueError(f"images: found {images.dtype} {images.shape}, expected uint8 (n, 28, 28)")
    fine = np.empty((len(images), FINE_SIDE, FINE_SIDE), np.uint8)
    for start in range(0, len(images), 500):  # some at a time, for the processor's cache
        part = np.pad(images[start : start + 500], ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN)))
        fine[start : start + 500] = _finer(_finer(part, axis=1), axis=2)
    return fine


def _finer(images: np.ndarray, axis: int) -> np.ndarray:
    """Put FINER - 1 new rows (axis 1) or columns (axis 2) between every two."""
    images = np.moveaxis(images, axis, 1).astype(np.uint16)  # sums of bytes need room
    count = images.shape[1]
    fine = np.empty((len(images), (count - 1) * FINER + 1, images.shape[2]), np.uint16)
    for step in range(FINER):
        between = images[:, :-1] * np.uint16(FINER - step) + images[:, 1:] * np.uint16(step)
        fine[:, step:-1:FINER] = (between + np.uint16(FINER // 2)) // np.uint16(FINER)
    fine[:, -1] = images[:, -1]
    return np.moveaxis(fine, 1, axis)


def draw_tables(rng: np.random.Generator, count: int, strength: Strength) -> np.ndarray:
    """Draw distortions.

    Returns
    -------
    int32 (count, 784): for each pixel its place in the flat fine picture that it comes from
    """

    def evenly(limit: float) -> np.ndarray:
        return rng.uniform(-limit, limit, (count, 1)).astype(np.float32)

    centre = np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2
    y, x = np.repeat(centre, SIDE), np.tile(centre, SIDE)
    angle = np.radians(evenly(strength.rotation))
    cosine, sine, shear = np.cos(angle), np.sin(angle), evenly(strength.shear)
    wide, high = np.exp(evenly(strength.stretch)), np.exp(evenly(strength.stretch))
    pull_x, pull_y = _rubber(rng, count, strength)
    from_x = wide * cosine * x + (shear * cosine - high * sine) * y + pull_x
    from_y = wide * sine * x + (shear * sine + high * cosine) * y + pull_y
    from_x += evenly(strength.shift)
    from_y += evenly(strength.shift)
    return places_in_fine(from_x, from_y)


def places_in_fine(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Find the nearest places of flat fine pictures, int32, for x and y in pixels from the centre.

    What lies outside is taken for the rim, which is paper.
    """
    middle = (SIDE - 1) / 2 + MARGIN
    column, row = (
        np.clip(np.rint(FINER * (place + middle)), 0, FINE_SIDE - 1).astype(np.int32)
        for place in (x, y)
    )
    return row * FINE_SIDE + column


def _rubber(rng: np.random.Generator, count: int, strength: Strength) -> np.ndarray:
    """Draw how far each pixel is pulled in x and y, float32 (2, count, 784)."""
    cells = strength.cells
    points = (np.arange(cells) + 0.5) * SIDE / cells - 0.5
    width = SIDE / cells
    # How much each grid point counts for each pixel: less with the distance, as a bell curve.
    bell = np.exp(-0.5 * ((np.arange(SIDE)[:, np.newaxis] - points) / width) ** 2)
    bell /= np.sqrt((bell**2).sum(axis=1, keepdims=True))  # then a pull's variance is 1 everywhere
    bell = bell.astype(np.float32)
    at_points = rng.standard_normal((2, count, cells, cells), np.float32)
    pull = bell @ at_points @ bell.T
    return strength.elastic * pull.reshape(2, count, SIDE * SIDE)


class Distorter:
    """Distorts pictures that it was given once.

    Drawing a table takes longer than using it. So there is a pool of tables, from which each
    picture takes one at random; `refresh` draws some of them anew.

    Parameters
    ----------
    images : uint8 (n, 28, 28)
    rng : draws the tables, and which picture gets which
    strength : how far they go
    pool : how many tables there are
    """

    def __init__(
        self,
        images: np.ndarray,
        rng: np.random.Generator,
        strength: Strength | None = None,
        pool: int = 2048,
    ) -> None:
        self.fine = upsample(images).reshape(-1)
        self.rng, self.strength = rng, strength or Strength()
        self.tables = draw_tables(rng, pool, self.strength)
        self.oldest = 0

    def refresh(self, count: int) -> None:
        """Draw the `count` oldest tables anew."""
        count = min(count, len(self.tables))
        rows = (self.oldest + np.arange(count)) % len(self.tables)
        self.tables[rows] = draw_tables(self.rng, count, self.strength)
        self.oldest = (self.oldest + count) % len(self.tables)

    def distort(self, rows: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Distort the pictures of these rows (batch,): uint8 (batch, 784)."""
        chosen = self.rng.integers(len(self.tables), size=len(rows))
        first = rows.astype(np.int64)[:, np.newaxis] * FINE_SIDE**2
        return np.take(self.fine, self.tables[chosen] + first, out=out, mode="clip")
