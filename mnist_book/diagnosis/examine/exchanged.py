"""Gradients that are right, but those of another loss than the one that is returned.

By the chain rule, each of the usual losses asks for a d_z of its own: its derivative with respect
to the outputs, times theirs with respect to the scores z. The latter are measured, so that outputs
of all kinds will do: probabilities of softmax, sigmoids one by one, and others.
"""

from collections.abc import Callable

import numpy as np

from mnist_book.diagnosis.examine.halves import straight
from mnist_book.diagnosis.examine.objective import objective
from mnist_book.diagnosis.examine.results import is_matrix
from mnist_book.diagnosis.examine.subject import Subject

STEP = 1e-5
LOSSES: dict[str, tuple[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]] = {
    # how to say it, and the derivative with respect to the outputs p, for one-hot labels y
    "cross_entropy": ("cross-entropy", lambda p, y: -y / p),
    "binary": ("binary cross-entropy", lambda p, y: (p - y) / (p * (1 - p))),
    "squares": ("the squared error", lambda p, y: p - y),
}
Sample = tuple[np.ndarray, np.ndarray, np.ndarray]  # d_z, outputs and one-hot label of a picture


def other_loss(
    subject: Subject, x: np.ndarray, samples: list[Sample], fits: Callable[[list, Callable], bool]
) -> str:
    """Name the loss whose gradients these are, if it is another than the returned one; "" if not.

    `fits` tells whether errors are those of a function of outputs and labels, but for a factor.
    """
    own = own_loss(subject)
    slopes = _slopes_of_outputs(subject, x)
    if slopes is None or not samples:
        return ""
    of_picture = {p.tobytes(): slope for (_, p, _), slope in zip(samples, slopes, strict=True)}
    for name, (_, derivative) in LOSSES.items():

        def errors(p: np.ndarray, y: np.ndarray, g: Callable = derivative) -> np.ndarray:
            return of_picture[p.tobytes()] @ g(p, y)

        if name != own and fits(samples, errors):
            return name
    return ""


def own_loss(subject: Subject) -> str:
    """Name the loss that is returned; "" if it is none that is known.

    Of outputs that predict_proba makes to sum to 1, and the loss does not, the squared error shows:
    with one label after another, it is a line through their probabilities.
    """
    found = subject.once(objective).name
    if found or subject.twin is None:
        return found
    twin, rng = subject.twin, np.random.default_rng(1)
    twin.random_point(2)
    x = subject.inputs(rng, 1)
    p = twin.predict(x)
    losses = [twin.loss(x, np.array([label])) for label in range(subject.classes)]
    fit = p.shape == (1, subject.classes) and subject.classes > 2
    return "squares" if fit and straight(p[0], np.array(losses)) else ""


def of_unnormalised(samples: list[Sample]) -> str:
    """Name the loss of sigmoids a whose d_z this is, where they are made to sum to 1; "" if none.

    The sum of the sigmoids is not known. For all classes but the label's, d_z is a multiple of a
    with binary cross-entropy, and of a**2 * (1 - a) with the squared error: a line, once it is
    divided by powers of the probabilities, and that line tells the sum.
    """
    sums = {"binary": _sum_if_binary, "squares": _sum_if_squares}
    for name, sum_of in sums.items():
        factors = []
        for d, p, y in samples:
            a = sum_of(d, p, y == 1) * p
            if not np.isfinite(a).all() or not 0 < a.min() <= a.max() < 1 or np.isclose(a.sum(), 1):
                break
            expected = (a - y) * (1 if name == "binary" else a * (1 - a))
            factor = float(d @ expected / (expected @ expected))
            if not np.allclose(d, factor * expected, rtol=1e-5, atol=1e-9 * np.abs(d).max()):
                break
            factors.append(factor)
        if samples and len(factors) == len(samples) and np.ptp(factors) < 1e-4 * max(factors):
            return name
    return ""


def _sum_if_binary(d: np.ndarray, p: np.ndarray, label: np.ndarray) -> float:
    """Return the sum of sigmoids, if d_z is a multiple of a - labels."""
    share = float(np.mean(d[~label] / p[~label]))
    return share / float((share * p - d)[label][0])


def _sum_if_squares(d: np.ndarray, p: np.ndarray, label: np.ndarray) -> float:
    """Return the sum of sigmoids, if d_z is a multiple of (a - labels) * a * (1 - a)."""
    others = p[~label]
    slope, start = np.polyfit(others, d[~label] / others**2, 1)
    return float(-slope / start)


def _slopes_of_outputs(subject: Subject, x: np.ndarray) -> np.ndarray | None:
    """Return how the outputs of each picture change with each score, (pictures, scores, outputs).

    Without a bias, scores are moved by a weight each, of one unit: all are too large by one factor.
    """
    twin = subject.twin
    last = twin.last_layer()
    if not last or last[0].dtype != np.float64:
        return None
    weights = last[0].T if subject.columns else last[0]
    rows = [row for row in last[1:] if not is_matrix(row)] or list(weights)
    rows = [row.reshape(-1) for row in rows]
    if any(row.size != subject.classes for row in rows):
        return None
    for row in rows:
        slopes = []
        for k in range(subject.classes):
            outputs = []
            for change in (STEP, -2 * STEP):
                row[k] += change
                outputs.append(twin.predict(x))
            row[k] += STEP
            slopes.append((outputs[0] - outputs[1]) / (2 * STEP))
        if slopes[0].shape != (len(x), subject.classes):
            return None
        found = np.stack(slopes, axis=1)
        if all(one.any() for one in found):  # that unit may be dead for a picture
            return found
    return None
