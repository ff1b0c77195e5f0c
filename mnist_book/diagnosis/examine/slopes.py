"""Gradients beside central differences, at weights and inputs that are drawn anew."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice, pairwise, permutations, product

import numpy as np

from mnist_book.diagnosis.examine.objective import objective
from mnist_book.diagnosis.examine.results import is_matrix, is_weights
from mnist_book.diagnosis.examine.subject import Subject
from mnist_book.diagnosis.running import Theirs

BATCH, SMALL_BATCH = 23, 4  # pictures in a call
ENTRIES = 16  # of each array that are compared
AFFORDABLE = 4.0  # seconds of processor time for one comparison; ordinary networks need 0.1
SLOW = 0.02  # seconds of processor time for one call, from which on the batch is small
EXACT, COARSE = 2e-3, 5e-2  # relative errors that are allowed, for float64 and float32
SEEN = 1e-5  # of a gradient, from which on it shows that weight decay is in it
STEP = 1e-5  # of a central difference, for float64
NOISE = 1e-9, 1e-3  # slopes below these, relative to the largest, are rounding


@dataclass(frozen=True)
class Pair:
    """Some entries of one parameter's gradient, computed in two ways."""

    numeric: np.ndarray
    analytic: np.ndarray
    values: np.ndarray  # the parameter's own
    others: list[tuple[str, np.ndarray]]  # the analytic ones, had they another order of axes ...
    rows: np.ndarray  # which of them are in the first row, -1, or the last, 1: a bias, perhaps

    @property
    def figures(self) -> tuple[float, float, float]:
        """Relative error, cosine, and how many times the numeric gradient the other one is."""
        sizes = float(np.linalg.norm(self.numeric)), float(np.linalg.norm(self.analytic))
        if max(sizes) < 1e-9:
            return 0.0, 1.0, 1.0
        error = float(np.linalg.norm(self.numeric - self.analytic)) / sum(sizes)
        dot = float(self.numeric @ self.analytic)
        cosine = dot / (sizes[0] * sizes[1]) if min(sizes) else 0.0
        return error, cosine, dot / sizes[0] ** 2 if sizes[0] else 1.0

    @property
    def cure(self) -> str:
        """Which other order of numbers makes the gradient right; "" where none does."""
        size = np.linalg.norm(self.numeric)
        if np.linalg.norm(self.numeric - self.analytic) < 0.05 * size:
            return ""
        right = (
            n for n, other in self.others if np.linalg.norm(self.numeric - other) < 0.02 * size
        )
        return next(right, "")

    def decay(self, tolerance: float) -> tuple[float, np.ndarray] | None:
        """Return how many times the weights the gradient is too large by; None if that is not it.

        A weight's sign in its place is the decay of the sum of absolute values. A bias among the
        weights, their first row or their last, may be left out, or alone.

        Returns
        -------
        the factor, and which of the entries it is for
        """
        off = self.analytic - self.numeric
        everywhere, size = np.ones(off.shape, bool), float(np.linalg.norm(off))
        parts = [everywhere]
        for row in (self.rows == -1, self.rows == 1) if self.rows.any() else ():
            parts += [~row, row]
        for part, values in product(parts, (self.values, np.sign(self.values))):
            direction = values * part
            factor = float(off @ direction / max(direction @ direction, 1e-300))
            if np.linalg.norm(off - factor * direction) < tolerance * size + 1e-9:
                return factor, part
        return None


@dataclass(frozen=True)
class Slopes:
    """Gradients beside central differences, a pair for each parameter.

    Attributes
    ----------
    errors, cosines, factors : of each pair, as `Pair.figures` has them
    weights : which of them are weights, not biases
    unread : which parameters it does not read, so that their slopes tell nothing
    noise : a length of slopes that is nothing but rounding
    """

    pairs: list[Pair]
    weights: list[bool]
    tolerance: float
    batch: int
    unread: list[int]
    noise: float
    errors: np.ndarray
    cosines: np.ndarray
    factors: np.ndarray

    @property
    def wrong(self) -> np.ndarray:
        """Which of them are wrong."""
        read = np.array([k not in self.unread for k in range(len(self.pairs))])
        off = np.array([np.linalg.norm(pair.analytic - pair.numeric) for pair in self.pairs])
        return (self.errors > self.tolerance) & (off > self.noise) & read

    def without_decay(self) -> tuple[float, bool, "Slopes"]:
        """Take weight decay out of the gradients.

        Returns
        -------
        the largest factor, whether it is for the bias among the weights alone, and what is left
        """
        found = [pair.decay(10 * self.tolerance) for pair in self.pairs]
        off = [np.linalg.norm(pair.analytic - pair.numeric) for pair in self.pairs]
        seen = [
            size > SEEN * np.linalg.norm(p.numeric) for size, p in zip(off, self.pairs, strict=True)
        ]
        seen = [k for k, each in enumerate(seen) if each and found[k] and self.weights[k]]
        seen = [k for k in seen if self.tolerance == EXACT or self.wrong[k]]
        if not seen:
            return 0.0, False, self
        decay = max((found[k][0] for k in seen), key=abs)
        alone = all(found[k][1].mean() < 0.5 for k in seen)
        pairs = [
            replace(pair, analytic=pair.numeric)
            if d is not None
            else replace(pair, analytic=pair.analytic - decay * pair.values)
            if weights
            else pair
            for pair, d, weights in zip(self.pairs, found, self.weights, strict=True)
        ]
        left = _slopes(pairs, self.weights, self.tolerance, self.batch, self.unread, self.noise)
        return decay, alone, left


def compare(
    subject: Subject,
    kind: str = "random",
    seed: int = 2,
    batch: int = BATCH,
    factor: float | None = None,
) -> Slopes | str:
    """Compare gradients at a point of this kind; say why, where that is not possible.

    The loss is divided by a factor first: one that is the loss's own mistake, if none is given.
    """
    twin, rng = subject.twin, np.random.default_rng(1)
    twin.random_point(seed, kind)
    x, y = subject.inputs(rng, batch), np.arange(batch) % subject.classes
    losses, work = [], np.inf
    for _ in range(2):
        losses.append(twin.calls.attempt("loss_and_gradients", _loss, twin, x, y))
        work = min(work, twin.calls.work)
    if losses[0] != losses[1] or not isinstance(losses[0], float):
        return _reason(losses[0])
    if work > SLOW:
        x, y, work = x[:SMALL_BATCH], y[:SMALL_BATCH], work * SMALL_BATCH / len(x)
    arrays = twin.arrays()
    count = int(np.clip(AFFORDABLE / (2 * len(arrays) * max(work, 1e-9)), 2, ENTRIES))
    entries = [rng.choice(a.size, min(a.size, count), replace=False) for a in arrays]
    if all(map(is_matrix, arrays)):  # biases may be among the weights
        entries = [
            _with_ends(own, a, subject.columns) for own, a in zip(entries, arrays, strict=True)
        ]
    analytic, times = twin.gradients(x, y)[1], 2 * count * (len(arrays) + 1)
    result = twin.calls.attempt("loss_and_gradients", _numeric, twin, x, y, entries, times=times)
    if isinstance(result, Exception):
        return _reason(result)
    numeric, tolerance = result
    factor = _known_factor(subject) if factor is None else factor
    numeric = [part / factor for part in numeric]
    if not all(np.isfinite(slopes).all() for slopes in numeric):
        return "the loss is not finite there"
    pairs = []
    for k, (slopes, array, chosen) in enumerate(zip(numeric, arrays, entries, strict=True)):
        own, values = (part.ravel()[chosen].astype(np.float64) for part in (analytic[k], array))
        others = [
            (name, other.flat[chosen].astype(np.float64))
            for name, other in _other_orders(analytic, k, array.shape)
        ]
        ends = np.zeros(len(chosen), int)
        if all(map(is_matrix, arrays)):
            ends = _rows(chosen, array, subject.columns)
        pairs.append(Pair(slopes, own, values, others, ends))
    largest = max(float(np.linalg.norm(pair.numeric)) for pair in pairs)
    noise = NOISE[tolerance == COARSE] * largest
    weights = [is_weights(array) for array in arrays]
    return _slopes(pairs, weights, tolerance, len(x), twin.unread, noise)


def slope_of(
    twin: Subject, array: np.ndarray, place: int | tuple[int, ...], x: np.ndarray, y: np.ndarray
) -> float:
    """Compute by central differences how the loss grows with a number of one of its arrays."""
    value, losses = array[place], []
    for sign in (1, -1):
        array[place] = value + sign * STEP
        losses.append(twin.loss(x, y))
    array[place] = value
    return (losses[0] - losses[1]) / (2 * STEP)


def right_at(subject: Subject, kind: str) -> bool:
    """Tell whether the gradients are right at another kind of point."""
    slopes = compare(subject, kind)
    return not isinstance(slopes, str) and not slopes.without_decay()[2].wrong.any()


def _with_ends(entries: np.ndarray, array: np.ndarray, columns: bool) -> np.ndarray:
    """Put some numbers of the first and of the last row in the place of the first entries."""
    places = np.arange(array.size).reshape(array.shape)
    places = places.T if columns else places
    ends = np.concatenate([places[row, : len(entries) // 4] for row in (0, -1)])
    others = entries[~np.isin(entries, ends)]
    return np.concatenate([ends, others])[: max(len(entries), len(ends))]


def _rows(entries: np.ndarray, array: np.ndarray, columns: bool) -> np.ndarray:
    """Return -1 for entries of the first row, 1 for those of the last, else 0."""
    row = np.unravel_index(entries, array.shape)[1 if columns else 0]
    last = array.shape[1 if columns else 0] - 1
    return (row == last).astype(int) - (row == 0).astype(int)


def _other_orders(
    gradients: list[np.ndarray], k: int, shape: tuple[int, ...]
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield what usual mistakes with the order of numbers would have to be undone to, by name."""
    g = gradients[k]
    if g.shape == shape and g.ndim == 2 and min(shape) > 1:
        yield ("square", g.T) if shape[0] == shape[1] else ("reshaped", g.reshape(shape[::-1]).T)
        yield "flipped", g[::-1, ::-1]
    if g.shape == shape and g.ndim > 2:
        for order in islice(permutations(range(g.ndim)), 1, None):
            if g.transpose(order).shape == shape:
                yield "axes", g.transpose(order)
        for a, b in pairwise(range(g.ndim)):
            if shape[a] == shape[b]:
                yield "flipped", np.flip(g, (a, b))
        for order in permutations(range(g.ndim)):
            if order != tuple(range(g.ndim)):
                mixed = g.reshape([shape[axis] for axis in order])
                yield "reshaped", mixed.transpose(np.argsort(order))
    for j, other in enumerate(gradients):
        if j != k and other.shape == g.shape == shape and other.size > 3:
            yield f"parameters[{j}]", other


def _slopes(pairs: list[Pair], *others: Theirs) -> Slopes:
    figures = np.nan_to_num(np.array([pair.figures for pair in pairs]), nan=9.0)
    return Slopes(pairs, *others, *figures.T)


def _known_factor(subject: Subject) -> float:
    """Return the factor of a loss that a finding about the loss has named; else 1."""
    asked = subject.once(objective)
    mistaken = asked.mistake(subject.classes) and not subject.once(fit_their_loss)
    return asked.factor if mistaken else 1.0


def fit_their_loss(subject: Subject) -> bool:
    """Tell whether the gradients are those of the network's own loss, whatever that is."""
    if subject.twin is None or "loss_and_gradients" not in subject.has:
        return False
    slopes = compare(subject, factor=1.0)
    return not isinstance(slopes, str) and not slopes.wrong.any()


def _reason(result: object) -> str:
    if isinstance(result, Exception):
        return str(result)
    return "the loss is not the same twice (dropout?)"


def _loss(twin: Subject, x: np.ndarray, y: np.ndarray) -> float:
    """Return the loss; called with a limit for all calls of a comparison together."""
    twin.rewind()
    loss = twin.quick_loss(x, y)
    if loss is None:
        raise ValueError("the loss has another form there")
    return loss


def _numeric(
    twin: Subject, x: np.ndarray, y: np.ndarray, entries: list[np.ndarray]
) -> tuple[list[np.ndarray], float]:
    """Compute slopes of the loss by central differences, and how exact they are."""
    arrays = twin.arrays()

    def slope(array: np.ndarray, entry: int, step: float) -> float:
        value, losses = array.flat[entry], []
        for sign in (1, -1):
            array.flat[entry] = value + sign * step
            losses.append(_loss(twin, x, y))
        array.flat[entry] = value
        return (losses[0] - losses[1]) / (2 * step)

    def slopes(array: np.ndarray, chosen: np.ndarray, step: float) -> np.ndarray:
        return np.array([slope(array, entry, step) for entry in chosen])

    fine, finer = (slopes(arrays[-1], entries[-1][:4], step) for step in (1e-4, 1e-5))
    exact = np.linalg.norm(fine - finer) <= 1e-3 * np.linalg.norm(fine)
    step, tolerance = (1e-5, EXACT) if exact else (1e-2, COARSE)  # float32 is too coarse for less
    pairs = zip(arrays, entries, strict=True)
    return [slopes(array, chosen, step) for array, chosen in pairs], tolerance
