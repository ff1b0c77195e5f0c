"""Half a binary cross-entropy: whether a loss, and its gradients, ask for all outputs.

With one output for each class, -t * log(a) wants the label's own to grow, and -(1 - t) * log(1 - a)
wants all others to shrink. A single picture gets one label after another, and all weights of an
output are moved together: that shows which scores a loss depends on, whatever becomes of them
before they are called probabilities.
"""

from functools import partial

import numpy as np

from mnist_book.diagnosis.examine.results import is_matrix
from mnist_book.diagnosis.examine.subject import Subject

STEP = 1e-5  # of weights, for slopes
NOTHING = 1e-4  # of the largest slope


def half_of_loss(subject: Subject) -> str:
    """Return which half alone is in the loss: "own", "others", or "".

    Of -log(a) the slope for the label's score is a - 1, which is exp(-loss) - 1. Of the other half
    it is a for all other scores, whatever the label.
    """
    if _last(subject) is None or not _half(np.array([_slopes(subject, 0)])):
        return ""
    slopes = _all_slopes(subject)
    half, losses = _half(slopes), np.array([_loss(subject, k) for k in range(len(slopes))])
    if half == "others":
        return half if _same_for_all_labels(slopes) else ""
    if half == "own" and np.isfinite(losses).all():
        ways = (np.exp(-losses * each) for each in (1, subject.classes))
        return half if any(straight(way, np.diag(slopes)) for way in ways) else ""
    return ""


def half_of_gradients(subject: Subject) -> str:
    """Return which half alone is in the gradients, though the loss has both.

    With softmax, whose slopes add up to 0, a loss of the label alone asks for all outputs.
    """
    if _last(subject) is None or "loss_and_gradients" not in subject.has:
        return ""
    slopes = _all_slopes(subject)
    used = np.array([_of_gradients(subject, label) for label in range(len(slopes))])
    half, sums = _half(used), np.abs(slopes.sum(axis=1))
    if not half or _half(slopes) or not sums.min() > NOTHING * np.abs(slopes).max():
        return ""
    kept = np.eye(len(slopes), dtype=bool) == (half == "own")
    size = np.linalg.norm(slopes[kept]) * np.linalg.norm(used[kept])
    return half if slopes[kept] @ used[kept] > (1 - 1e-5) * size > 0 else ""


def gradients_have_both(subject: Subject) -> bool:
    """Tell whether the gradients ask for all outputs."""
    return "loss_and_gradients" in subject.has and not _half(_of_gradients(subject, 0)[np.newaxis])


def _last(subject: Subject) -> np.ndarray | None:
    """Place the twin at random weights; return those of the outputs, (inputs, classes), a view."""
    twin = subject.twin
    if twin is None or not twin.weights or twin.weights[-1].shape[1] != subject.classes:
        return None
    twin.random_point(2)
    return twin.weights[-1] if twin.weights[-1].dtype == np.float64 else None


def _picture(subject: Subject) -> np.ndarray:
    return subject.inputs(np.random.default_rng(1), 1)


def _loss(subject: Subject, label: int) -> float:
    return subject.twin.loss(_picture(subject), np.array([label]))


def _slopes(subject: Subject, label: int) -> np.ndarray:
    """Return how the loss with this label changes with all weights of an output, (classes,)."""
    weights, slopes = _last(subject), []
    x, y = _picture(subject), np.array([label])
    loss = partial(subject.twin.loss, x, y)
    for k in range(subject.classes):
        weights[:, k] += STEP
        above = loss()
        weights[:, k] -= 2 * STEP
        slopes.append((above - loss()) / (2 * STEP))
        weights[:, k] += STEP
    return np.array(slopes)


def _of_gradients(subject: Subject, label: int) -> np.ndarray:
    """Return what the gradients say of the same slopes, (classes,)."""
    _last(subject)
    twin = subject.twin
    k = max(k for k, array in enumerate(twin.arrays()) if is_matrix(array))
    _, gradients = twin.gradients(_picture(subject), np.array([label]))
    found = gradients[k].reshape(twin.arrays()[k].shape).astype(np.float64)
    return found.sum(axis=1 if subject.columns else 0)


def _all_slopes(subject: Subject) -> np.ndarray:
    return np.array([_slopes(subject, label) for label in range(subject.classes)])


def _half(slopes: np.ndarray) -> str:
    """Tell which slopes (labels, scores) are not 0: each label's own, all others, or both, ""."""
    own = np.eye(slopes.shape[0], slopes.shape[1], dtype=bool)
    sizes = np.abs(slopes) / max(np.abs(slopes).max(), 1e-300)
    if not np.isfinite(sizes).all():
        return ""
    own_sizes, others = sizes[own], sizes[np.logical_not(own)]
    if others.max() < NOTHING < own_sizes.min():
        return "own"
    return "others" if own_sizes.max() < NOTHING < others.min() else ""


def _same_for_all_labels(slopes: np.ndarray) -> bool:
    """Tell whether a score's slope is the same with all labels but its own."""
    others = np.where(np.eye(len(slopes), dtype=bool), np.nan, slopes)
    return bool((np.nanmax(others, axis=0) - np.nanmin(others, axis=0)).max() < NOTHING)


def straight(x: np.ndarray, y: np.ndarray) -> bool:
    """Tell whether y is a line through values of x, all of them different."""
    if np.ptp(x) < 1e-3 * np.abs(x).max():
        return False
    line = np.polyfit(x, y, 1)
    return bool(np.abs(np.polyval(line, x) - y).max() < 1e-4 * np.ptp(y))
