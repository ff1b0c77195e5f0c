"""The check of an epoch of training: each picture once, with its own label, in a new order."""

from collections.abc import Callable

import numpy as np

from mnist_book.diagnosis.checks.function import Found, GuardedFunction, report, same
from mnist_book.diagnosis.evidence import lay_out
from mnist_book.diagnosis.reports import Finding, Report
from mnist_book.writing.reference import SLOPE, in_columns, in_rows, predict_proba, train_step
from mnist_core import leaky_relu_gradient

PICTURES, PIXELS, HIDDEN, CLASSES, BATCH = 60, 64, 4, 3, 10
TINY, LONG = 1e-6, 0.5  # learning rates
MOST_USES = 16  # of a picture in an epoch, that are told apart
NAMES = "parameters x labels rng batch_size learning_rate"


def train_epoch(function: Callable, *, columns: bool = False) -> Report:
    """Check `f(parameters, x, labels, rng, batch_size, learning_rate)`, an epoch of plain descent.

    Each picture has one pixel of ink, its own, so that the weights of that pixel tell how often the
    picture was used, and with which label.

    Parameters
    ----------
    function : takes [W1, b1, W2, b2], x (n, inputs), labels (n,); returns the new parameters, or
        changes the arrays in place
    columns : x is (inputs, n), weights are (outputs, inputs), biases (outputs, 1) instead
    """
    subject = GuardedFunction(function, NAMES, in_place=True)

    def trained(rate: float, seed: int = 0) -> list[np.ndarray]:
        return _trained(subject, rate, seed, columns)

    def check() -> list[Finding]:
        parameters, x, labels = _case()
        w1, b1, w2, _ = parameters
        moved = (w1 - trained(TINY)[0])[:PICTURES] * BATCH / TINY
        slopes, p = leaky_relu_gradient(x @ w1 + b1, SLOPE), predict_proba(parameters, x)
        # What each picture does to its pixel's weights, by its label: (classes, n, hidden).
        pulls = np.stack([(p - one_hot) @ w2.T * slopes for one_hot in np.eye(CLASSES)])
        given = subject.given(*_arguments(TINY, 0, columns))
        finding = _misused(moved, pulls, labels, given)
        if finding is None and same(_flat(trained(LONG)), _flat(_in_order(LONG)), 1e-9):
            seen = lay_out(given=given, returned="what the given order gives, to the last digit")
            finding = Finding("train.not_shuffled", seen, "epoch")
        return [finding] if finding else subject.side_effects()

    return report("train_epoch", check)


def _misused(
    moved: np.ndarray, pulls: np.ndarray, labels: np.ndarray, given: str
) -> Finding | None:
    """Find out from what each picture has moved (n, hidden) what is wrong with the epoch."""
    own = pulls[labels, np.arange(PICTURES)]
    if not moved.any():
        return Finding("train.no_update", lay_out(given=given))
    factors = (moved * own).sum(axis=1) / (own * own).sum(axis=1)
    if _near(factors[:, np.newaxis] * own, moved).all() and np.allclose(factors, factors[0], 1e-3):
        return _far(float(factors[0]), given)
    uses = _uses(moved, pulls)
    if uses is None:
        return Finding("train.direction", lay_out(given=given), "epoch")
    times = uses.sum(axis=1)
    if times.min() == 0:
        unused, repeated = int(np.sum(times == 0)), int(np.sum(times > 1))
        counted = {"unused": unused, "repeated": repeated, "count": PICTURES}
        return Finding("train.lost_pictures", lay_out(given=given), values=counted)
    wrong = int(np.sum(uses[np.arange(PICTURES), labels] < times))
    seen = lay_out(given=given, seen=f"{wrong} of {PICTURES} pictures with another label")
    return Finding("data.labels_shuffled", seen, "network")


def _far(factor: float, given: str) -> Finding | None:
    """Judge an epoch that goes the right way by how far it goes, as a multiple."""
    if np.isclose(factor, 1, rtol=1e-3):
        return None
    if factor < 0:
        return Finding("train.ascent", lay_out(given=given))
    return Finding("train.epoch_length", lay_out(given=given), values={"factor": factor})


def _uses(moved: np.ndarray, pulls: np.ndarray) -> np.ndarray | None:
    """Count how often each picture was used with each label, (n, classes); None if nothing fits."""
    counts = np.array([c for c in np.ndindex(*[MOST_USES + 1] * CLASSES) if sum(c) <= MOST_USES])
    made = np.einsum("kc,cnh->nkh", counts, pulls)
    fits = np.asarray(_near(made, moved[:, np.newaxis]).all(axis=2))
    return counts[fits.argmax(axis=1)] if np.all(np.any(fits, axis=1)) else None


def _near(made: np.ndarray, moved: np.ndarray) -> np.ndarray:
    return np.isclose(made, moved, rtol=1e-3, atol=1e-4)


def _case() -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    parameters = [
        rng.normal(0, 0.7, (PIXELS, HIDDEN)),
        rng.normal(0, 0.5, HIDDEN),
        rng.normal(0, 0.7, (HIDDEN, CLASSES)),
        rng.normal(0, 0.5, CLASSES),
    ]
    labels = np.sort(rng.integers(0, CLASSES, PICTURES))
    return parameters, np.eye(PICTURES, PIXELS), labels


def _arguments(rate: float, seed: int, columns: bool) -> list:
    parameters, x, labels = _case()
    if columns:
        parameters, x = in_columns(parameters), x.T.copy()
    return [parameters, x, labels, np.random.default_rng(seed), BATCH, rate]


def _trained(subject: GuardedFunction, rate: float, seed: int, columns: bool) -> list[np.ndarray]:
    """Let the reader's function train; return the parameters, in rows."""
    arguments = _arguments(rate, seed, columns)
    result, (in_place, *_) = subject.call(*arguments)
    given = subject.given(*arguments)
    new = stepped(result, in_place)
    if not isinstance(new, list | tuple) or len(new) != 4:
        raise Found(Finding("function.shape", lay_out(given=given), "four"))
    arrays = []
    for k, (item, old) in enumerate(zip(new, arguments[0], strict=True)):
        name = ("W1", "b1", "W2", "b2")[k]
        array = subject.as_array(item, f"{given}; looked at: {name}", old.shape)
        if not np.isfinite(array).all():
            raise Found(Finding("function.nan", lay_out(given=f"{given}; looked at: {name}")))
        arrays.append(array.astype(float))
    return in_rows(arrays) if columns else arrays


def stepped(result: object, in_place: object) -> object:
    """Find the new parameters: returned, alone or first in a tuple, or else written in place."""
    for candidate in (result, result[0] if isinstance(result, tuple) and result else None):
        if isinstance(candidate, list | tuple) and len(candidate) == 4:
            return candidate
    return in_place


def _in_order(rate: float) -> list[np.ndarray]:
    """Train as in `_trained`, without a shuffle."""
    parameters, x, labels = _case()
    for start in range(0, PICTURES, BATCH):
        rows = slice(start, start + BATCH)
        train_step(parameters, x[rows], labels[rows], rate)
    return parameters


def _flat(arrays: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([array.ravel() for array in arrays])
