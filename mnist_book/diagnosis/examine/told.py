"""Gradients told from steps, of a network that returns none.

A plain step, with or without momentum, is a velocity of before less a rate times the gradient. The
velocity alone is left where there is nothing to learn. What the gradients should be, the loss says:
its own, or else one of the usual ones that the last layer's steps follow.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from mnist_book.diagnosis.examine.calling import Refused
from mnist_book.diagnosis.examine.objective import SCORES, Score, objective
from mnist_book.diagnosis.examine.results import as_array, is_matrix, number_in
from mnist_book.diagnosis.examine.slopes import BATCH, Slopes, compare
from mnist_book.diagnosis.examine.stepper import CERTAIN, Arrays, Stepper
from mnist_book.diagnosis.examine.subject import Subject

USUAL_LOSSES = ("cross_entropy", "squares", "binary")
ALONG = 1e-2  # relative, what the last layer's steps may have besides slopes and weight decay
EXACT = 1e-6  # relative, by which steps that add up may be off
SUMMED = 1e-2  # relative, by which a sum may be another multiple of a mean


class Told(Subject):
    """A copy of a network with `loss_and_gradients`, which its steps tell.

    Attributes
    ----------
    score : the loss; None for the network's own
    rate : what gradients are multiplied by in a step
    velocity : what is added in a step besides
    ahead : gradients are taken where the velocity leads, as Nesterov's are
    summed : gradients are summed over the batch, though the loss is a mean
    """

    def __init__(
        self, subject: Subject, score: Score | None, velocity: Arrays, ahead: bool = False
    ) -> None:
        vars(self).update(vars(subject.copy(np.float64)))
        self.subject, self.score, self.velocity = subject, score, velocity
        self.ahead, self.summed, self.rate, self.facts = ahead, False, 1.0, {}
        self.has = self.has | {"loss_and_gradients"}
        vars(self).update(twin=self, losses="loss_and_gradients", no_part=subject.twin.no_part)

    def quick_loss(self, x: np.ndarray, digits: np.ndarray) -> float:
        """Return the loss; to be called where there is a limit already."""
        if self.score is not None:
            return self.score(as_array(self.network.predict_proba(x.copy())), digits)
        one_hot = self.subject.loss_of_one_hot
        labels = np.eye(self.classes)[digits] if one_hot else self.labels_for(digits)
        loss = number_in(self.network.loss(x.copy(), labels))
        return np.nan if loss is None else loss

    def attempt_loss(self, x: np.ndarray, digits: np.ndarray) -> float | None:
        """Return the loss; None where that fails."""
        loss = self.calls.attempt("loss", self.quick_loss, x, digits)
        return loss if isinstance(loss, float) else None

    def gradients(self, x: np.ndarray, digits: np.ndarray) -> tuple[float, Arrays]:
        """Return the loss, and what a step is made of besides the velocity."""
        steps = self.step_from(x, digits)
        scale = self.rate * (len(x) if self.summed else 1)
        pairs = zip(steps, self.velocity, strict=True)
        return self.loss(x, digits), [(before - step) / scale for step, before in pairs]

    def step_from(self, x: np.ndarray, digits: np.ndarray) -> Arrays:
        """Return what a step changes, taken from here by a copy that is as the network was."""
        network = self.subject.copy(np.float64)
        network.move(self.arrays())
        for array, velocity in zip(network.arrays(), self.velocity, strict=True):
            array -= self.ahead * velocity
        changes = Stepper(self.subject).change(network, x, digits)
        if changes is None or not all(np.isfinite(change).all() for change in changes):
            raise Refused
        return changes


@dataclass(frozen=True)
class Found:
    """Gradients told from steps, beside slopes of the loss."""

    network: Told
    slopes: Slopes
    along: bool  # the last layer's are multiples of the right ones, which is no chance


def told(subject: Subject) -> Found | None:
    """Tell gradients from steps; None where steps are of another kind, as Adam's are."""
    last = max((k for k, a in enumerate(subject.arrays()) if is_matrix(a)), default=0)
    velocity = _velocity(subject)
    if velocity is None or any(array.dtype != np.float64 for array in subject.twin.arrays()):
        return None
    found, moving = [], any(v.any() for v in velocity)
    own = subject.losses and subject.once(objective).name
    scores = [None] if own else [SCORES[name] for name in USUAL_LOSSES]
    for score, ahead in product(scores, (False, True) if moving else (False,)):
        network = Told(subject, score, velocity, ahead)
        rates = [_rate(network, batch, last) for batch in (BATCH, 1)]
        if rates[1]:
            network.summed = abs(rates[0] / (BATCH * rates[1]) - 1) < SUMMED
            network.rate = rates[1]
            slopes = compare(network, factor=1.0)
            found += [] if isinstance(slopes, str) else [Found(network, slopes, rates[0] != 0)]
    if found:
        return min(found, key=lambda each: float(each.slopes.without_decay()[2].errors.sum()))
    network = Told(subject, scores[0], velocity)
    if moving or not adds_up(network, last):
        return None
    biases = [k for k, a in enumerate(subject.arrays()) if a.size == subject.classes]
    network.rate = (_rate(network, BATCH, biases[-1]) if biases else 0) or 1.0
    slopes = compare(network, factor=1.0)
    return None if isinstance(slopes, str) else Found(network, slopes, False)


def _rate(network: Told, batch: int, last: int) -> float:
    """Return which multiple of the slopes the last layer's steps are, besides decay; 0 if none."""
    slopes = compare(network, batch=batch, factor=1.0)
    if isinstance(slopes, str):
        return 0.0
    pair = slopes.pairs[last]
    parts = np.stack([pair.numeric, pair.values], axis=1)
    shares = np.linalg.lstsq(parts, pair.analytic, rcond=None)[0]
    rest = float(np.linalg.norm(parts @ shares - pair.analytic))
    return float(shares[0]) if rest < ALONG * float(np.linalg.norm(pair.analytic)) else 0.0


def _velocity(subject: Subject) -> Arrays | None:
    """Return what a step changes where there is nothing to learn; None if that is not seen.

    All weights are 0, and biases of the last layer make it sure of a label, which is the right one.
    """
    stepper = Stepper(subject)
    (x, y), network = stepper.batch(12), stepper.start(11)
    first, second = (stepper.change(network, x, y) for _ in range(2))
    if first is None or second is None:
        return None
    if all(np.allclose(a, b, rtol=EXACT, atol=0) for a, b in zip(first, second, strict=True)):
        return [np.zeros_like(step) for step in first]  # it has no memory
    steps = []
    for label in (0, 1):
        network = stepper.start(11)
        for array in network.arrays():
            array[...] = 0
        bias = [array for array in network.last_layer() if not is_matrix(array)]
        for array in bias:
            array[...] = -CERTAIN
            array.flat[label] = CERTAIN
        steps.append(stepper.change(network, x, 0 * y + label) if bias else None)
    size = max(float(np.abs(step).max()) for step in first)
    if None in steps or any(np.abs(a - b).max() > 1e-9 * size for a, b in zip(*steps, strict=True)):
        return None
    return steps[0]


def adds_up(network: Told, k: int) -> bool:
    """Tell whether a parameter's step for two batches is made of its steps for each.

    A mean of a mean is so, too. Where gradients are clipped, or divided by their length, it is not.
    """
    network.random_point(2)
    rng = np.random.default_rng(1)
    x, y = network.inputs(rng, 2 * BATCH), np.arange(2 * BATCH) % network.classes
    whole, one, other = (
        network.step_from(x[rows], y[rows])[k]
        for rows in (slice(None), slice(BATCH), slice(BATCH, None))
    )
    both, size = one + other, float(np.abs(one).max())
    return any(np.abs(factor * whole - both).max() < EXACT * size for factor in (1, 2, 4))
