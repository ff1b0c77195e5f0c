"""From the strokes of a pen to a picture as MNIST has them (chapter 10).

What MNIST's makers did to a scanned digit, done to the pen's path itself.
"""

from collections.abc import Sequence

import numpy as np

PIECES = 6  # straight ones, of the curve from one point to the next
# A curve has a corner where it turns by more than 60 degrees between two steps of which one is more
# than twice as long as the other. Chosen on people whom the recogniser's benchmark does not judge.
COSINE, TWICE = 0.5, 2.0


def strokes_to_image(
    strokes: Sequence[np.ndarray],
    *,
    pen: float = 2.5,
    box: float = 19.0,
    centre: float = 14.25,
    gap: float | None = None,
) -> np.ndarray:
    """Turn pen strokes into a picture as MNIST has them.

    Its stages: `without_specks`, `curved` if there is a gap, `stroke_segments`, `fit_to_box`,
    `centre_ink`, `rasterize`.

    Parameters
    ----------
    strokes : arrays of shape (points, 2): x to the right, y **down**, any unit; one point is a dot
    pen : width of the pen in pixels
    box : side of the square that the ink, pen included, is scaled to fit, in pixels
    centre : where the ink's centre of mass goes, in x and in y, in pixels from the picture's edge
    gap : points farther apart than that share of the drawing's long side are joined by a curve and
        not by a straight line; None: never

    Returns
    -------
    ndarray (28, 28), grey levels from 0 (paper) to 1 (ink); all 0 where there is no stroke
    """
    if not 0 < pen < box:
        raise ValueError(
            f"pen: found a width of {pen}, expected more than 0 and less than box, {box}"
        )
    if gap is not None and not 0 < gap < np.inf:
        raise ValueError(f"gap: found {gap}, expected a number above 0, or None")
    arrays = without_specks(strokes)
    starts, ends = stroke_segments(arrays if gap is None else curved(arrays, gap))
    if len(starts) == 0:
        return np.zeros((28, 28))
    starts, ends = fit_to_box(starts, ends, box - pen)
    starts, ends = centre_ink(starts, ends, centre)
    return rasterize(starts, ends, pen)


def without_specks(strokes: Sequence[np.ndarray], share: float = 0.06) -> list[np.ndarray]:
    """Leave out strokes whose extent is below `share` of the largest's: a touch by mistake.

    A speck beside a digit would change the box that the digit is scaled to. A lone dot stays.
    """
    arrays = [np.asarray(stroke, dtype=np.float64) for stroke in strokes]
    extents = [np.ptp(points, axis=0).max() if points.size else 0.0 for points in arrays]
    if not np.isfinite(extents).all():
        return arrays  # stroke_segments says which one is wrong
    limit = share * max(extents, default=0.0)
    return [points for points, extent in zip(arrays, extents, strict=True) if extent >= limit]


def curved(strokes: Sequence[np.ndarray], gap: float) -> list[np.ndarray]:
    """Go in curves where points are farther apart than `gap` of the drawing's long side.

    A quick hand, or a slow machine, leaves few points; straight lines make corners of its bows.
    """
    arrays = [np.asarray(stroke, dtype=np.float64) for stroke in strokes if len(stroke)]
    stroke_segments(arrays)  # says what is wrong with them
    if not arrays:
        return []
    side = np.ptp(np.concatenate(arrays), axis=0).max()
    finer = []
    for points in arrays:
        steps = np.hypot(*np.diff(points, axis=0).T)
        points = points[np.concatenate([[True], steps > 0])]  # no point twice
        pieces = np.where(steps[steps > 0] > gap * side, PIECES, 1)
        places = [i + np.arange(count) / count for i, count in enumerate(pieces)]
        sharp = corners(np.diff(points, axis=0))
        finer.append(on_curve(points, np.concatenate([*places, [len(points) - 1]]), sharp))
    return finer


def on_curve(points: np.ndarray, places: np.ndarray, sharp: np.ndarray | None = None) -> np.ndarray:
    """Find places on the curve through points, which is smooth but for corners.

    It is a centripetal Catmull-Rom curve, which makes no loops where points are unevenly far apart:
    C. Yuksel, S. Schaefer, J. Keyser, Parameterization and applications of Catmull-Rom curves,
    Computer-Aided Design 43(7), 2011 (doi:10.1016/j.cad.2010.08.008).

    Parameters
    ----------
    points : (points, 2)
    places : (places,), 0 for the first point, 1.5 for half-way from the second to the third
    sharp : bool (points - 2,), true for the inner points that are corners; None: none is

    Returns
    -------
    ndarray (places, 2)
    """
    if len(points) < 3:
        index = np.arange(len(points))
        return np.stack([np.interp(places, index, values) for values in points.T], axis=1)
    steps = np.diff(points, axis=0)
    times = np.sqrt(np.hypot(*steps.T))[:, np.newaxis] + 1e-9  # from each point to the next
    speeds = steps / times
    # In a point, the speed of the parabola through it and its neighbours; at an end or a corner,
    # straight on.
    inner = (times[1:] * speeds[:-1] + times[:-1] * speeds[1:]) / (times[:-1] + times[1:])
    corner = np.zeros_like(times[1:], bool) if sharp is None else sharp[:, np.newaxis]
    leaving = times * np.concatenate([speeds[:1], np.where(corner, speeds[1:], inner)])
    arriving = times * np.concatenate([np.where(corner, speeds[:-1], inner), speeds[-1:]])
    i = np.minimum(places.astype(int), len(steps) - 1)
    u = (places - i)[:, np.newaxis]
    square, cube = 3 * steps - 2 * leaving - arriving, leaving + arriving - 2 * steps
    return points[i] + u * (leaving[i] + u * (square[i] + u * cube[i]))


def corners(steps: np.ndarray) -> np.ndarray:
    """Tell where a path turns so sharply, between steps of so different lengths, that it is meant.

    Between points that a hand left evenly, in space or in time, a sharp turn is part of a bow.

    Parameters
    ----------
    steps : (points - 1, 2), from each point to the next

    Returns
    -------
    bool (points - 2,), as `on_curve` takes it
    """
    (x, y), (next_x, next_y) = steps[:-1].T, steps[1:].T
    # Squares and products alone, which a page computes to the same bit.
    square, next_square, product = x * x + y * y, next_x**2 + next_y**2, x * next_x + y * next_y
    turns = (product < 0) | (product * product < COSINE**2 * (square * next_square))
    shorter, longer = np.minimum(square, next_square), np.maximum(square, next_square)
    return turns & (longer > TWICE**2 * shorter)


def stroke_segments(strokes: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Cut strokes into straight segments: starts (segments, 2) and ends (segments, 2)."""
    starts, ends = [np.empty((0, 2))], [np.empty((0, 2))]
    for number, stroke in enumerate(strokes):
        points = np.asarray(stroke, dtype=np.float64)
        if points.size == 0:
            continue
        if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
            raise ValueError(
                f"strokes[{number}]: found the shape {points.shape}, expected finite numbers of "
                "shape (points, 2): a row [x, y] for every point"
            )
        starts.append(points[:-1] if len(points) > 1 else points)
        ends.append(points[1:] if len(points) > 1 else points)
    return np.concatenate(starts), np.concatenate(ends)


def fit_to_box(starts: np.ndarray, ends: np.ndarray, side: float) -> tuple[np.ndarray, np.ndarray]:
    """Scale segments, in proportion, until their bounding box is `side` pixels on its long side."""
    points = np.concatenate([starts, ends])
    low = points.min(axis=0)
    scale = side / max(np.ptp(points, axis=0).max(), 1e-9)  # a lone dot has no extent
    return (starts - low) * scale, (ends - low) * scale


def centre_ink(
    starts: np.ndarray, ends: np.ndarray, centre: float
) -> tuple[np.ndarray, np.ndarray]:
    """Shift segments, each weighing its length, to bring their centre of mass to `centre`."""
    lengths = np.hypot(*(ends - starts).T) + 1e-9
    mass_centre = lengths @ (starts + ends) / (2 * lengths.sum())
    return starts + (centre - mass_centre), ends + (centre - mass_centre)


def rasterize(starts: np.ndarray, ends: np.ndarray, pen: float) -> np.ndarray:
    """Draw segments with a round pen.

    Returns
    -------
    ndarray (28, 28): clip(pen / 2 - distance + 1/2, 0, 1), where distance, in pixels, is from a
    pixel's centre to the nearest segment
    """
    along_x, along_y = (ends - starts).T[:, :, np.newaxis]  # (segments, 1)
    centres = np.arange(28) + 0.5
    from_x = centres - starts[:, :1]  # (segments, 28): from the start to each column of pixels
    from_y = centres - starts[:, 1:]  # ... and to each row
    length_squared = np.maximum(along_x**2 + along_y**2, 1e-18)
    # How far along a segment its nearest point is, from 0 (the start) to 1 (the end).
    in_x, in_y = from_x * along_x / length_squared, from_y * along_y / length_squared
    fraction = in_y[:, :, np.newaxis] + in_x[:, np.newaxis]  # (segments, 28, 28)
    np.clip(fraction, 0, 1, out=fraction)
    # How far a pixel's centre is from that point; in place, as new large arrays take longest.
    squared = fraction * along_x[:, np.newaxis]
    squared -= from_x[:, np.newaxis]
    squared *= squared
    fraction *= along_y[:, np.newaxis]
    fraction -= from_y[:, :, np.newaxis]
    fraction *= fraction
    squared += fraction
    distance = np.sqrt(squared.min(axis=0))
    return np.clip(pen / 2 - distance + 0.5, 0, 1)
