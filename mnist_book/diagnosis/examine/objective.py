"""What a loss asks for: which function of the outputs and the labels it is.

The same pictures get one set of labels after another. How the loss changes with the labels is a
fingerprint in which whatever does not depend on them, such as weight decay, cancels.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mnist_book.diagnosis.examine.subject import Subject

BATCH, LABELLINGS = 23, 10  # pictures, a number that is no layer's size; sets of labels for them
TOLERANCE = 1e-4  # of how much the loss changes with the labels

Score = Callable[[np.ndarray, np.ndarray], float]


@dataclass(frozen=True)
class Objective:
    """A loss, factor * score + extra.

    Attributes
    ----------
    name : of the score, a key of `SCORES`; empty if it is none of these
    extra : what is counted whatever the labels are, such as weight decay
    loss : one of its values, and how many examples that was for
    """

    name: str = ""
    factor: float = 1.0
    extra: float = 0.0
    loss: float = np.nan
    batch: int = BATCH

    @property
    def single(self) -> bool:
        """Whether each output is a question of its own, so that they need not sum to 1."""
        return self.name in ("binary", "squares")

    def mistake(self, classes: int) -> str:
        """Name the mistake that makes this multiple of the mean cross-entropy; "" if none does."""
        if self.name != "cross_entropy":
            return ""
        m = self.batch
        names = {m: "not_mean", 1 / m: "not_mean", 1 / classes: "not_mean", m / classes: "not_mean"}
        names |= {-1: "sign", -m: "sign", -1 / classes: "sign"}
        names |= {1 / np.log(2): "base", 1 / np.log(10): "base"}
        near = (name for f, name in names.items() if np.isclose(self.factor, f, rtol=1e-3))
        return next(near, "")


def objective(subject: Subject) -> Objective:
    """Find out what the loss asks for: at random weights if it can be moved, else where it is."""
    network = subject.twin or subject
    rng = np.random.default_rng(1)
    x = subject.x[:BATCH]
    if subject.twin:
        subject.twin.random_point(2)
        x = subject.inputs(rng, BATCH)
    p = network.predict(x)
    if p.shape != (len(x), subject.classes) or not np.isfinite(p).all():
        return Objective(batch=len(x))
    labels = [rng.integers(0, subject.classes, len(x)) for _ in range(LABELLINGS)]
    losses = np.array([network.loss(x, y) for y in labels])
    if not np.isfinite(losses).all():
        return Objective(loss=losses[0], batch=len(x))
    found: list[Objective] = []
    for name, score in SCORES.items():
        with np.errstate(all="ignore"):
            scores = np.array([score(p, y) for y in labels])
        found += filter(None, [_as_multiple(name, losses, scores, p)])
    # Where all pictures get nearly the same outputs, several scores fit; what is left tells.
    whole = [each for each in found if abs(each.extra) < 1e-6 * abs(each.loss)]
    normalised = np.allclose(p.sum(axis=1), 1)
    if not whole and len(found) > 1 and not normalised:
        return Objective(loss=losses[0], batch=len(x))
    return next(iter(whole + found), Objective(loss=losses[0], batch=len(x)))


def changes_by_shift(subject: Subject) -> bool | None:
    """Tell whether the loss changes when all logits grow by 1, which softmax undoes.

    None if there is no output bias to do it with.
    """
    twin = subject.twin
    twin.random_point(2)
    x = subject.inputs(np.random.default_rng(1), BATCH)
    y, last = np.arange(BATCH) % subject.classes, twin.last_layer()
    if len(last) < 2:
        return None
    before = twin.loss(x, y)
    last[1][...] += 1
    return bool(abs(twin.loss(x, y) - before) > 1e-6 * abs(before))


def has_margin(subject: Subject) -> bool:
    """Tell a loss of scores, not probabilities: that of hinges is flat once the label's is ahead.

    Cross-entropy never is, however far ahead it is.
    """
    twin, losses = subject.twin, []
    twin.random_point(2)
    x, last = subject.inputs(np.random.default_rng(1), BATCH), twin.last_layer()
    if len(last) < 2:
        return False
    for label, ahead in ((0, 5), (0, 7), (1, 5)):
        for array in last:
            array[...] = 0
        last[1].reshape(-1)[0] = ahead
        losses.append(twin.loss(x, np.full(len(x), label)))
    return bool(losses[0] == losses[1] < losses[2] and np.isfinite(losses).all())


def _as_multiple(
    name: str, losses: np.ndarray, scores: np.ndarray, p: np.ndarray
) -> Objective | None:
    """Return the loss as a multiple of a score; None if it is none."""
    batch = len(p)
    if not np.isfinite(scores).all():
        return None
    if np.ptp(scores) < 1e-9:  # no label is more probable than another
        same = name == "largest" and np.ptp(losses) < 1e-9
        return (
            Objective(name, 1.0, 0.0, losses[0], batch)
            if same and (abs(losses[0] - scores[0]) < TOLERANCE * abs(scores[0]))
            else None
        )
    centred, changes = scores - scores.mean(), losses - losses.mean()
    factor = float(changes @ centred / (centred @ centred))
    extra = float(losses.mean() - factor * scores.mean())
    exact = np.abs(changes - factor * centred).max() < TOLERANCE * np.ptp(losses)
    if not exact or (name not in ("cross_entropy", "binary") and factor < 0):
        return None
    if name == "no_log" and abs(extra) > 1e-3 * np.abs(losses).max():
        return None  # squares change with the labels in the same way
    if name == "cross_entropy" and 0.5 < factor < 0.9999:  # smoothing: a share for all classes
        extra -= (1 - factor) * float(-np.log(np.clip(p, 1e-300, None)).mean())
    return Objective(name, factor, extra, float(losses[0]), batch)


def _of(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return each picture's probability of its label."""
    return p[np.arange(len(y)), y]


def _one_hot(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.eye(p.shape[1])[y]


def softmax(z: np.ndarray) -> np.ndarray:
    """Compute softmax of each row."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(p: np.ndarray, y: np.ndarray) -> float:
    """Compute the mean cross-entropy; NaN where a probability is negative."""
    return float(-np.log(_of(p, y)).mean())


def _binary(p: np.ndarray, y: np.ndarray) -> float:
    hot = _one_hot(p, y)
    return float(-(np.log(np.where(hot == 1, p, 1 - p))).sum(axis=1).mean())


def _epsilon(epsilon: float) -> Score:
    return lambda p, y: float(-np.log(_of(p, y) + epsilon).mean())


def _shifted(shift: int) -> Score:
    return lambda p, y: cross_entropy(p, (y + shift) % p.shape[1])


SCORES: dict[str, Score] = {
    "cross_entropy": cross_entropy,
    "binary": _binary,
    "no_log": lambda p, y: float(-_of(p, y).mean()),
    "squares": lambda p, y: float(((p - _one_hot(p, y)) ** 2).sum(axis=1).mean()),
    "epsilon 0.1": _epsilon(0.1),
    "epsilon 0.01": _epsilon(0.01),
    "epsilon 0.001": _epsilon(0.001),
    "inside": lambda p, y: cross_entropy(softmax(p), y),
    "next": _shifted(1),
    "previous": _shifted(-1),
    "pairs": lambda p, y: float(-np.log(p[:, y]).mean()),
    "reversed": lambda p, y: cross_entropy(p, y[::-1]),
    "neighbour": lambda p, y: cross_entropy(p, np.roll(y, 1)),
    "others": lambda p, y: float(np.log(1 - _of(p, y)).mean() * -1),
    "largest": lambda p, y: float(-np.log(p.max(axis=1)).mean()),
}
