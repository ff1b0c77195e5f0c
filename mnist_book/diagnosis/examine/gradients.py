"""The gradients: their shapes, and what central differences say of them at other points."""

from dataclasses import dataclass

import numpy as np

from mnist_book.diagnosis.evidence import cleaned
from mnist_book.diagnosis.examine import loss
from mnist_book.diagnosis.examine.notes import unchecked
from mnist_book.diagnosis.examine.probing import Said, finding, probe
from mnist_book.diagnosis.examine.results import as_array, is_weights, loss_in
from mnist_book.diagnosis.examine.subject import Subject

BATCH, SMALL_BATCH = 23, 4  # pictures in a call
ENTRIES = 16  # of each array that are compared
AFFORDABLE = 4.0  # seconds of processor time for one comparison; ordinary networks need 0.1
SLOW = 0.02  # seconds of processor time for one call, from which on the batch is small


@probe(needs="loss_and_gradients parameters probabilities")
def shapes(subject: Subject) -> Said:
    """There must be a gradient of the right shape for each parameter."""
    x, y = _batch(subject)
    result = subject.call("loss_and_gradients", x, subject.labels_for(y))
    if loss_in(result) is None or not subject.arrays():
        return
    gradients = list(map(as_array, subject.in_order(result[1])))
    found, wanted = [g.shape for g in gradients], [a.shape for a in subject.arrays()]
    seen = {"given": f"{len(x)} examples", "returned": str(found), "expected": str(wanted)}
    if len(found) != len(wanted) or not all(g.size for g in gradients):
        yield finding("function.shape", **seen, says="network_gradients")
        return
    for shape, right in zip(found, wanted, strict=True):
        same_size = np.prod(shape, dtype=int) == np.prod(right, dtype=int)
        if same_size and (shape == right or 1 in right or len(right) < 2):
            continue
        if len(right) == 2 and min(right) > 1 and shape == right[::-1]:
            yield finding("gradients.transposed", **seen, says="network_shape")
        elif len(right) < 2 or 1 in right:
            yield finding("gradients.bias", **seen, says="network_shape")
        else:
            yield finding("function.shape", **seen, says="network_gradient")
        return


@probe(needs="loss_and_gradients parameters twin probabilities", unless="gradients function.shape")
def differences(subject: Subject) -> Said:
    """Compare gradients with central differences, at random weights and inputs."""
    slopes = _compare(subject, "random")
    if isinstance(slopes, str):
        yield unchecked("gradients", reason=slopes)
        return
    if not slopes.wrong.any():
        return
    arrays = subject.arrays()
    code, says = _cause(subject, slopes)
    seen = {
        "given": f"{slopes.batch} random inputs, random weights; shapes "
        f"{[array.shape for array in arrays]}",
        "returned": f"relative errors {_row(slopes.errors)}; {_row(slopes.factors)} times the "
        "numeric gradient",
        "expected": f"below {slopes.tolerance:.0e} for each array",
    }
    yield finding(code, **seen, says=says, m=slopes.batch)


def _cause(subject: Subject, slopes: "_Slopes") -> tuple[str, str]:
    """Tell the usual causes of wrong gradients apart: a code, and which of its sentences fits."""
    matrices = np.array([is_weights(array) for array in subject.arrays()])
    square = any(a.shape[0] == a.shape[1] for a in subject.weights)
    if not slopes.wrong[matrices].any():
        return "gradients.bias", "network"
    one_direction = (np.abs(slopes.cosines[matrices]) > 0.999).all()
    if one_direction and np.abs(slopes.factors - 1).max() > 0.05:
        negative = (slopes.factors[matrices] < 0).any()
        return "gradients.sign" if negative else "gradients.scale", "network"
    if square and _right_at(subject, "symmetric"):
        return "gradients.transposed", "network"
    if any(map(_right_when_turned, subject.arrays(), slopes.pairs)):
        return "gradients.transposed", "network_square"
    if _right_at(subject, "positive") or not slopes.wrong[np.flatnonzero(matrices)[-1]]:
        return "gradients.missing_activation", "network"
    return "gradients.output", "network"


def _right_at(subject: Subject, kind: str) -> bool:
    """Tell whether the gradients are right at another kind of point."""
    slopes = _compare(subject, kind)
    return not isinstance(slopes, str) and not slopes.wrong.any()


def _right_when_turned(array: np.ndarray, pair: "_Pair") -> bool:
    """Tell whether a square matrix' gradient is right once it is transposed."""
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        return False
    size = np.linalg.norm(pair.numeric)
    off, off_turned = (np.linalg.norm(pair.numeric - g) for g in (pair.analytic, pair.turned))
    return bool(off > 0.05 * size and off_turned < 0.02 * size)


@dataclass(frozen=True)
class _Pair:
    """Some entries of one parameter's gradient, computed in two ways."""

    numeric: np.ndarray
    analytic: np.ndarray
    turned: np.ndarray  # the analytic gradient, had it been transposed

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


@dataclass(frozen=True)
class _Slopes:
    """Gradients beside central differences, a pair for each parameter.

    Attributes
    ----------
    errors, cosines, factors : of each pair, as `_Pair.figures` has them
    unread : which parameters it does not read, so that their slopes tell nothing
    """

    pairs: list[_Pair]
    tolerance: float
    batch: int
    unread: list[int]
    errors: np.ndarray
    cosines: np.ndarray
    factors: np.ndarray

    @property
    def wrong(self) -> np.ndarray:
        """Which of them are wrong."""
        read = np.array([k not in self.unread for k in range(len(self.pairs))])
        return (self.errors > self.tolerance) & read


def _compare(subject: Subject, kind: str) -> _Slopes | str:
    """Compare gradients at a point of this kind; say why, where that is not possible."""
    twin, rng = subject.twin, np.random.default_rng(1)
    twin.random_point(2, kind)
    _, y = _batch(subject)
    x = rng.random((len(y), subject.x.shape[1]))
    _, factor, _ = subject.once(loss.multiple)
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
    analytic, times = twin.gradients(x, y)[1], 2 * count * (len(arrays) + 1)
    result = twin.calls.attempt("loss_and_gradients", _numeric, twin, x, y, entries, times=times)
    if isinstance(result, Exception):
        return _reason(result)
    numeric, tolerance = result
    numeric = [slopes / factor for slopes in numeric]
    pairs = [
        _Pair(slopes, g.ravel()[chosen].astype(np.float64), g.T.ravel()[chosen].astype(np.float64))
        for slopes, g, chosen in zip(numeric, analytic, entries, strict=True)
    ]
    if not all(np.isfinite(pair.numeric).all() for pair in pairs):
        return "the loss is not finite there"
    figures = np.nan_to_num(np.array([pair.figures for pair in pairs]), nan=9.0)
    return _Slopes(pairs, tolerance, len(x), twin.unread, *figures.T)


def _reason(result: object) -> str:
    if isinstance(result, Exception):
        return f"{type(result).__name__}: {cleaned(result, str)}"
    return "the loss is not the same twice (dropout?)"


class _Stopped(Exception):
    """Ends a comparison: the reason."""


def _loss(twin: Subject, x: np.ndarray, y: np.ndarray) -> float:
    """Return the loss; called with a limit for all calls of a comparison together."""
    loss = loss_in(twin.network.loss_and_gradients(x.copy(), twin.labels_for(y)))
    if loss is None:
        raise _Stopped("the loss has another form there")
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
    step, tolerance = (1e-5, 2e-3) if exact else (1e-2, 5e-2)  # float32 is too coarse for less
    pairs = zip(arrays, entries, strict=True)
    return [slopes(array, chosen, step) for array, chosen in pairs], tolerance


def _batch(subject: Subject) -> tuple[np.ndarray, np.ndarray]:
    """Return a few pictures, and digits that run through all classes."""
    m = min(BATCH, len(subject.x))
    return subject.x[:m], np.arange(m) % subject.classes


def _row(numbers: np.ndarray) -> str:
    return ", ".join(f"{number:.3g}" for number in numbers)


PROBES = (shapes, differences)
