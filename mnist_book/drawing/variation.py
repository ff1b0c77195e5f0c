"""Many hands out of one: drawings varied as strokes, before they become pictures.

Many drawings at a time are one array, each drawing resampled to the same number of points: `points`
(n, POINTS, 2), x to the right and y down, and `lifted` (n, POINTS - 1), true where the pen was up
between two points.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mnist_book.drawing.strokes import on_curve

POINTS = 40

# How much a varied drawing differs; a digit is 2 high. Chosen by leaving writers out: what counts
# most is BEND.
CUT, CUT_OFTEN = 3, 0.5  # up to 3 of the 40 points go at an end, at half of the ends
LONGER, LONGER_OFTEN, HOOK = 0.5, 0.3, 0.6  # how much longer an end gets, how often, how crooked
WAVE = 0.08  # size of the waves along the path
APART = 0.05  # how far strokes move against each other
BEND = 0.15  # how much the sheet bends
TURN, SLANT, STRETCH = 0.12, 0.28, 0.22  # radians; sideways by height; logarithm of width by height
TILT, TILT_OFTEN = 0.4, 0.5  # radians: how much farther some are turned, at most
FEW, MANY, FEW_OFTEN = 5, 8, 0.35  # as few points are left of some, joined by a curve
SHAKE, SHAKE_OFTEN = 0.04, 0.25  # how far a hand that trembles goes aside
PEN = 1.8, 3.2  # width in pixels, from and to
BOX, BOX_SPREAD = 19.0, 0.7  # pixels, more or less
CENTRE, CENTRE_SPREAD = 14.25, 0.25  # pixels, standard deviation
MARGIN = 2  # pixels around a picture that is to be distorted


class Drawings(NamedTuple):
    """Many drawings of the same number of points."""

    points: np.ndarray  # float32 (n, POINTS, 2)
    lifted: np.ndarray  # bool (n, POINTS - 1)

    def take(self, rows: np.ndarray) -> "Drawings":
        """Choose some of the drawings, by number or by a mask (n,)."""
        return Drawings(self.points[rows], self.lifted[rows])


def resample(drawings: Sequence[Sequence[np.ndarray]]) -> Drawings:
    """Place POINTS points along the strokes of each drawing, in a box from -1 to 1.

    Parameters
    ----------
    drawings : of each its strokes, 1 to 15 arrays of shape (points, 2)
    """
    points = np.empty((len(drawings), POINTS, 2), np.float32)
    lifted = np.zeros((len(drawings), POINTS - 1), bool)
    for i, strokes in enumerate(drawings):
        points[i], lifts = _points_along(strokes)
        lifted[i, lifts] = True
    low, high = points.min(axis=1, keepdims=True), points.max(axis=1, keepdims=True)
    size = np.maximum((high - low).max(axis=2, keepdims=True), 1e-9)
    return Drawings((2 * points - low - high) / size, lifted)


def _points_along(strokes: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Place POINTS points (POINTS, 2); and say after which of them the pen is lifted (lifts,)."""
    travelled = [
        np.concatenate([[0], np.cumsum(np.hypot(*np.diff(stroke, axis=0).T))]) for stroke in strokes
    ]
    lengths = np.array([distances[-1] for distances in travelled]) + 1e-9
    # Two points for each stroke, the others in proportion to its length.
    counts = 2 + ((POINTS - 2 * len(strokes)) * lengths / lengths.sum()).astype(int)
    counts[lengths.argmax()] += POINTS - counts.sum()
    pieces = []
    for stroke, distances, count in zip(strokes, travelled, counts, strict=True):
        places = np.linspace(0, distances[-1], count)
        pieces.append([np.interp(places, distances, values) for values in np.transpose(stroke)])
    return np.concatenate(pieces, axis=1).T, np.cumsum(counts)[:-1] - 1


# Sine and cosine waves along a path, four of each, the longer the larger: (8, POINTS).
_PHASES = np.arange(1, 5)[:, np.newaxis] * np.linspace(0, np.pi, POINTS)
_WAVES = np.concatenate([np.sin(_PHASES), np.cos(_PHASES)]) / np.tile(np.arange(1, 5), 2)[:, None]


def vary(drawings: Drawings, rng: np.random.Generator, strength: float = 1.0) -> Drawings:
    """Draw every drawing again, each with a hand of its own.

    Ends become shorter or longer, lines wavy, strokes move against each other, the sheet bends like
    rubber, the whole is stretched, slanted and turned. Of some only a few points are left, and some
    hands tremble.

    Parameters
    ----------
    strength : 1 for different people, less for the same one
    """
    points, lifted = drawings
    n = len(points)

    def normal(size: float, *shape: int) -> np.ndarray:
        return rng.normal(0, size * strength, (n, *shape)).astype(np.float32)

    points = _shorten_ends(points, lifted, rng)
    for end, inner in (0, 3), (-1, -4):
        onward = points[:, end] - points[:, inner]
        aside = onward[:, ::-1] * np.array([-1, 1], np.float32)
        how_much = np.abs(normal(LONGER, 1)) * (rng.random((n, 1)) < LONGER_OFTEN)
        points[:, end] += how_much * (onward + aside * normal(HOOK, 1))
    points += np.einsum("nwc,wp->npc", normal(WAVE, 8, 2), _WAVES.astype(np.float32))
    stroke = np.cumsum(np.pad(lifted, ((0, 0), (1, 0))), axis=1)  # of every point, from 0
    shifts = normal(APART, int(stroke.max()) + 1, 2)
    points += np.take_along_axis(shifts, stroke[:, :, np.newaxis], axis=1)
    # As in `shapes.draw_shape`: points move by a quadratic or cubic function of where they are.
    x, y = points[..., 0], points[..., 1]
    powers = np.stack([x**2, x * y, y**2, y**3 - y, x**3 - x], axis=-1)
    points += powers @ normal(BEND, 5, 2)
    tilted = rng.random(n) < TILT_OFTEN * strength
    turn = normal(TURN) + tilted * rng.uniform(-TILT, TILT, n).astype(np.float32)
    slant, stretch = normal(SLANT), np.exp(normal(STRETCH))
    slanted = np.stack([stretch, 0 * turn, -slant, 1 + 0 * turn], axis=1).reshape(n, 2, 2)
    turned = np.stack([np.cos(turn), np.sin(turn), -np.sin(turn), np.cos(turn)], axis=1)
    points = points @ slanted @ turned.reshape(n, 2, 2)
    _leave_few_points(points, lifted, rng, FEW_OFTEN * strength)
    shakes = SHAKE * rng.random((n, 1, 1)) * (rng.random((n, 1, 1)) < SHAKE_OFTEN * strength)
    points += shakes.astype(np.float32) * rng.normal(0, 1, points.shape).astype(np.float32)
    return Drawings(points, lifted)


def _leave_few_points(
    points: np.ndarray, lifted: np.ndarray, rng: np.random.Generator, often: float
) -> None:
    """Join FEW to MANY of the points of some drawings, in place, by `strokes.on_curve`.

    Without corners, unlike the pad: data/TUNING.md says what was tried with them.
    """
    for i in np.flatnonzero(rng.random(len(points)) < often):
        kept = np.linspace(0, POINTS - 1, rng.integers(FEW, MANY + 1)).astype(int)
        ends = np.flatnonzero(lifted[i])
        kept = np.union1d(kept, np.concatenate([ends, ends + 1]))
        for first, last in zip([0, *(ends + 1)], [*ends, POINTS - 1], strict=True):
            few, along = kept[(first <= kept) & (kept <= last)], np.arange(first, last + 1)
            times = np.interp(along, few, np.arange(len(few)))
            points[i, along] = on_curve(points[i, few], times)


def _shorten_ends(points: np.ndarray, lifted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Let the first stroke begin later and the last one end sooner; never by more than a third."""
    n = len(points)
    begin, end = rng.integers(0, CUT + 1, (2, n, 1)) * (rng.random((2, n, 1)) < CUT_OFTEN)
    any_lift = lifted.any(axis=1, keepdims=True)
    after_first = np.where(any_lift, lifted.argmax(axis=1)[:, np.newaxis], POINTS - 1)
    of_last = np.where(any_lift, lifted[:, ::-1].argmax(axis=1)[:, np.newaxis], POINTS - 1)
    # Points beyond an end fall together with it.
    index = np.maximum(np.arange(POINTS), np.minimum(begin, after_first // 3))
    index = np.minimum(index, POINTS - 1 - np.minimum(end, of_last // 3))
    return np.take_along_axis(points, index[:, :, np.newaxis], axis=1)


def pictures(drawings: Drawings, rng: np.random.Generator) -> np.ndarray:
    """Draw with pens of different widths, not always well centred: uint8 (n, 784)."""
    n = len(drawings.points)
    return render(
        drawings,
        pen=rng.uniform(*PEN, n),
        box=BOX + rng.uniform(-BOX_SPREAD, BOX_SPREAD, n),
        centre=CENTRE + rng.normal(0, CENTRE_SPREAD, (n, 2)),
    )


_Y, _X = np.mgrid[0:28, 0:28].reshape(2, 784) + 0.5  # the centres of the pixels
_PLANES = np.stack([_X, _Y, np.ones(784), _X**2 + _Y**2]).astype(np.float32)  # (4, 784)


def render(drawings: Drawings, pen: np.ndarray, box: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Do what `strokes.strokes_to_image` does, for many drawings and about 6 times as fast.

    Parameters
    ----------
    pen, box : (n,), in pixels
    centre : (n, 2), in pixels

    Returns
    -------
    uint8 (n, 784), from 0 (paper) to 255 (ink)
    """
    starts, along = _fit_and_centre(drawings, box - pen, centre)
    squared = (along**2).sum(axis=2) + 1e-12
    # How far along a segment the nearest point of its line is, and the squared distance from its
    # start, are linear in x, y, 1 and x^2 + y^2: two small matrix products.
    ones, zeros = np.ones_like(squared), np.zeros_like(squared)
    from_x, from_y = starts[..., 0], starts[..., 1]
    fractions = (
        np.stack([along[..., 0], along[..., 1], -(starts * along).sum(axis=2), zeros], axis=2)
        / squared[:, :, np.newaxis]
    )
    distances = np.stack([-2 * from_x, -2 * from_y, (starts**2).sum(axis=2), ones], axis=2)
    fractions, distances = fractions.astype(np.float32), distances.astype(np.float32)
    squared = squared.astype(np.float32)[:, :, np.newaxis]
    images = np.empty((len(starts), 784), np.uint8)
    on_line, on_segment, distance = np.empty((3, POINTS - 1, 784), np.float32)
    for i, image in enumerate(images):
        np.matmul(fractions[i], _PLANES, out=on_line)
        np.matmul(distances[i], _PLANES, out=distance)
        np.clip(on_line, 0, 1, out=on_segment)
        # |p - s - f d|^2 = |p - s|^2 - |d|^2 f (2 f0 - f), where f0 is on the line, f clipped
        on_line *= 2
        on_line -= on_segment
        on_line *= on_segment
        on_line *= squared[i]
        distance -= on_line
        nearest = np.sqrt(np.maximum(distance.min(axis=0), 0))
        image[:] = np.rint(255 * np.clip(pen[i] / 2 + 0.5 - nearest, 0, 1))
    return images


def _fit_and_centre(
    drawings: Drawings, side: np.ndarray, centre: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Do what `strokes.fit_to_box` and `strokes.centre_ink` do, side (n,) and centre (n, 2).

    Returns
    -------
    starts (n, POINTS - 1, 2) of segments, and the way from each to its end, the same shape
    """
    points, lifted = drawings
    extent = np.ptp(points, axis=1).max(axis=1)
    points = points * (side / np.maximum(extent, 1e-6))[:, np.newaxis, np.newaxis]
    ends = points[:, 1:]
    starts = np.where(lifted[:, :, np.newaxis], ends, points[:, :-1])  # no line with the pen up
    along = ends - starts
    lengths = np.sqrt((along**2).sum(axis=2) + 1e-12)[:, :, np.newaxis]
    mass_centre = (lengths * (starts + ends)).sum(axis=1) / (2 * lengths.sum(axis=1))
    return starts + (centre - mass_centre)[:, np.newaxis], along


def distort_images(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turn, slant, scale and shift pictures uint8 (n, 784), and make their lines wider or thinner.

    They have no strokes to vary. Turned by up to 9 degrees, sheared by 0.15, stretched by exp(0.1),
    shifted by 0.8 pixels, half a pixel wider or thinner at each edge.
    """
    parts = [images[start : start + 500] for start in range(0, len(images), 500)]
    return np.concatenate([_distort_some(part, rng) for part in parts])


def _distort_some(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    grey = images.reshape(-1, 28, 28).astype(np.float32)
    _change_width(grey, rng)
    wide = np.pad(grey, ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN)))
    return np.rint(_look_up(wide, _origins(len(images), rng))).astype(np.uint8)


def _change_width(grey: np.ndarray, rng: np.random.Generator) -> None:
    """Move pixels (n, 28, 28), in place, towards their darkest or their lightest neighbour."""
    wide = np.pad(grey, ((0, 0), (1, 1), (1, 1)))
    across, down = wide[:, 1:-1], wide[:, :, 1:-1]
    neighbours = [grey, across[:, :, :-2], across[:, :, 2:], down[:, :-2], down[:, 2:]]
    change = rng.uniform(-0.5, 0.5, (len(grey), 1, 1)).astype(np.float32)
    target = np.where(change > 0, np.maximum.reduce(neighbours), np.minimum.reduce(neighbours))
    grey += np.abs(change) * (target - grey)


def _origins(n: int, rng: np.random.Generator) -> np.ndarray:
    """Say where in the old, wide picture each pixel of n new ones comes from: (n, 784, 2)."""
    turn = np.radians(rng.uniform(-9, 9, n))
    stretch_x, stretch_y = np.exp(rng.uniform(-0.1, 0.1, (2, n)))
    ones, zeros = np.ones(n), np.zeros(n)
    turned = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    slanted = np.array([[ones, zeros], [rng.uniform(-0.15, 0.15, n), ones]])
    stretched = np.array([[stretch_x, zeros], [zeros, stretch_y]])
    matrix = np.einsum("abn,bcn,cdn->nad", stretched, slanted, turned)
    row, column = np.mgrid[0:28, 0:28].reshape(2, 784)
    middle = 13.5 + MARGIN + rng.uniform(-0.8, 0.8, (n, 1, 2))
    return np.stack([column - 13.5, row - 13.5], axis=1) @ matrix + middle


def _look_up(grey: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Read pictures (n, side, side) at places (n, k, 2), between four pixels in proportion."""
    side, flat = grey.shape[1], grey.reshape(-1)
    places = places.clip(0, side - 1.01).astype(np.float32)
    corner = places.astype(np.int32)
    right, down = np.moveaxis(places - corner, 2, 0)
    at = np.arange(len(grey))[:, np.newaxis] * side**2 + corner[..., 1] * side + corner[..., 0]
    above = flat[at] * (1 - right) + flat[at + 1] * right
    below = flat[at + side] * (1 - right) + flat[at + side + 1] * right
    return above * (1 - down) + below * down
