"""Many hands out of one: drawings varied as strokes, before they become pictures.

A hundred drawings at a time are held as one array, each drawing resampled to the same number of
points: `points` (n, POINTS, 2), x to the right and y down, and `lifted` (n, POINTS - 1), true where
the pen was up between two points.
"""

from collections.abc import Sequence

import numpy as np

POINTS = 40


def resample(strokes: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Place POINTS points along the strokes of a drawing, evenly along each.

    Parameters
    ----------
    strokes : 1 to 10 arrays of shape (points, 2)

    Returns
    -------
    points float32 (POINTS, 2), in a box from -1 to 1, and lifted, bool (POINTS - 1,)
    """
    travelled = [
        np.concatenate([[0], np.cumsum(np.hypot(*np.diff(stroke, axis=0).T))]) for stroke in strokes
    ]
    lengths = np.array([distances[-1] for distances in travelled]) + 1e-9
    counts = 2 + ((POINTS - 2 * len(strokes)) * lengths / lengths.sum()).astype(int)
    counts[lengths.argmax()] += POINTS - counts.sum()
    points = np.concatenate(
        [
            np.stack(
                [np.interp(np.linspace(0, distances[-1], count), distances, xy) for xy in stroke.T],
                1,
            )
            for stroke, distances, count in zip(strokes, travelled, counts, strict=True)
        ]
    )
    low, high = points.min(axis=0), points.max(axis=0)
    points = (points - (low + high) / 2) / max((high - low).max() / 2, 1e-9)
    lifted = np.zeros(POINTS - 1, bool)
    lifted[np.cumsum(counts)[:-1] - 1] = True
    return points.astype(np.float32), lifted


def resample_all(drawings: Sequence[Sequence[np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Resample drawings: points (n, POINTS, 2) and lifted (n, POINTS - 1)."""
    points, lifted = zip(*map(resample, drawings), strict=True)
    return np.stack(points), np.stack(lifted)


def vary(
    points: np.ndarray,
    lifted: np.ndarray,
    rng: np.random.Generator,
    strength: float = 1.0,
    knobs: dict | None = None,
) -> np.ndarray:
    """Draw every drawing again with a hand of its own."""
    k = dict(
        trim=3, wave=0.05, sheet=0.10, stroke=0.05, ends=1.0, turn=0.12, slant=0.2, stretch=0.15
    )
    k.update(knobs or {})
    n = len(points)

    def normal(size, *shape):
        return rng.normal(0, size * strength, (n, *shape)).astype(np.float32)

    # ends shortened
    p = points
    steps = np.arange(POINTS)
    first = np.where(lifted.any(1), lifted.argmax(1), POINTS - 1)[
        :, None
    ]  # last index of 1st stroke
    last = np.where(lifted.any(1), POINTS - 1 - lifted[:, ::-1].argmax(1), 0)[:, None]
    a, b = rng.integers(0, k["trim"] + 1, (2, n, 1)) * (rng.random((2, n, 1)) < 0.5)
    index = np.maximum(steps, np.minimum(a, first // 3))
    index = np.minimum(index, np.maximum(POINTS - 1 - b, last + (POINTS - 1 - last) * 2 // 3))
    p = np.take_along_axis(points, index[:, :, None], axis=1).copy()
    # ends lengthened, with a hook
    if k["ends"]:
        for end, inner in ((0, 3), (-1, -4)):
            out = p[:, end] - p[:, inner]
            side = np.stack([-out[:, 1], out[:, 0]], 1)
            amount = np.abs(normal(0.5 * k["ends"], 1)) * (rng.random((n, 1)) < 0.3)
            p[:, end] += amount * (out + side * normal(0.6, 1))
    # waves along the path
    t = np.linspace(0, np.pi, POINTS, dtype=np.float32)
    waves = np.stack([f(j * t) / j for j in (1, 2, 3, 4) for f in (np.sin, np.cos)])  # (8, P)
    p += np.einsum("nkc,kp->npc", normal(k["wave"], 8, 2), waves)
    # strokes against each other
    number = np.concatenate([np.zeros((n, 1), int), np.cumsum(lifted, 1)], 1)
    shifts = normal(k["stroke"], number.max() + 1, 2)
    p += np.take_along_axis(shifts, number[:, :, None], axis=1)
    # the sheet bends
    x, y = p[..., 0], p[..., 1]
    powers = np.stack([x**2, x * y, y**2, y**3 - y, x**3 - x], -1)
    p = p + powers @ normal(k["sheet"], 5, 2)
    # slant, stretch, turn
    turn, slant = normal(k["turn"]), normal(k["slant"])
    stretch = np.exp(normal(k["stretch"]))
    c, s = np.cos(turn), np.sin(turn)
    slanted = np.stack([np.stack([stretch, 0 * s], -1), np.stack([-slant, 1 + 0 * s], -1)], -2)
    turned = np.stack([np.stack([c, s], -1), np.stack([-s, c], -1)], -2)
    return p @ (slanted @ turned)


_Y, _X = np.mgrid[0:28, 0:28].reshape(2, 784).astype(np.float32) + 0.5
_PLANE = np.stack([_X, _Y, np.ones_like(_X), _X**2 + _Y**2])  # (4, 784)


def render(
    points: np.ndarray, lifted: np.ndarray, pen: np.ndarray, box: np.ndarray, centre: np.ndarray
) -> np.ndarray:
    """Do what `mnist_core.strokes_to_image` does, for many drawings, fast: uint8 (n, 784).

    Parameters
    ----------
    pen, box : (n,), pixels
    centre : (n, 2), pixels
    """
    n = len(points)
    low, high = points.min(axis=1), points.max(axis=1)
    scale = (box - pen) / np.maximum((high - low).max(axis=1), 1e-6)
    p = points * scale[:, None, None].astype(np.float32)
    ends = p[:, 1:]
    starts = np.where(lifted[:, :, None], ends, p[:, :-1])  # with the pen up, only the point
    along = ends - starts
    squared = (along**2).sum(-1)
    weights = np.sqrt(squared) + 1e-9
    mass = np.einsum("ns,nsc->nc", weights, starts + ends) / (2 * weights.sum(1))[:, None]
    starts = starts + (centre - mass)[:, None]
    images = np.empty((n, 784), np.uint8)
    inverse = 1 / np.maximum(squared, 1e-12)
    # fraction along = (x - s).d / |d|^2 ; distance^2 = |x-s|^2 - |d|^2 f (2 f0 - f): planes in x, y
    fractions = np.stack(
        [
            along[..., 0] * inverse,
            along[..., 1] * inverse,
            -(starts * along).sum(-1) * inverse,
            np.zeros_like(inverse),
        ],
        -1,
    ).astype(np.float32)
    quads = np.stack(
        [-2 * starts[..., 0], -2 * starts[..., 1], (starts**2).sum(-1), np.ones_like(inverse)], -1
    ).astype(np.float32)
    squared = squared.astype(np.float32)[:, :, None]
    S = starts.shape[1]
    f0, f, d = (np.empty((S, 784), np.float32) for _ in range(3))
    half = (pen / 2 + 0.5).astype(np.float32)
    for i in range(n):
        np.matmul(fractions[i], _PLANE, out=f0)
        np.matmul(quads[i], _PLANE, out=d)
        np.clip(f0, 0, 1, out=f)
        f0 *= 2
        f0 -= f
        f0 *= f
        f0 *= squared[i]
        d -= f0
        nearest = np.sqrt(np.maximum(d.min(axis=0), 0))
        images[i] = np.rint(255 * np.clip(half[i] - nearest, 0, 1))
    return images
