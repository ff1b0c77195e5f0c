"""Training: what a step does, and whether a few pictures can be learned by heart."""

from itertools import pairwise

import numpy as np

from mnist_book.diagnosis.evidence import cleaned
from mnist_book.diagnosis.examine.calling import as_array, described, identical
from mnist_book.diagnosis.examine.notes import note, unchecked
from mnist_book.diagnosis.examine.probing import Said, finding, probe
from mnist_book.diagnosis.examine.subject import Subject, cross_entropy

BATCH, STEPS = 64, 4  # of training
HEART, HEART_STEPS = 16, 150  # pictures to learn by heart, and how long
AFFORDABLE = 0.05  # seconds of processor time for one call while learning by heart


@probe(needs="step probabilities whole", unless="network.random gradients function")
def step_works(subject: Subject) -> Said:
    """Look for an error in some steps, which nothing before explains."""
    (x, y), network = _batch(subject), subject.copy()
    for _ in range(STEPS):
        result = network.attempt("step", x, subject.labels_for(y))
        if isinstance(result, BaseException):
            raised = f"{type(result).__name__}: {cleaned(result, str)}"
            given = described(x, subject.labels_for(y))
            yield finding("function.raises", given, raised, "a step of training", name="step")
            return


@probe(needs="step probabilities whole", unless="network.random")
def step(subject: Subject) -> Said:
    """Take steps on one batch, which must change something and lower the loss."""
    (x, y), network = _batch(subject), subject.copy()
    largest = max([float(np.abs(a).max()) for a in network.arrays()], default=0.0)
    if not (subject.finite and largest < 100):  # nothing can be seen there: from other weights
        network.random_point(seed=5)
        if not np.isfinite(network.predict(x)).all():
            yield unchecked("step")
            return
    walk = _Walk(network, x, y)
    if walk.failed:
        return
    given = f"{len(x)} examples, {STEPS} steps"
    if walk.changes_nothing:
        yield finding("train.no_update", given, "the same parameters", "other ones")
    elif walk.goes_up():
        losses = ", ".join(f"{loss:.3g}" for loss in walk.losses)
        yield finding("train.ascent", given, f"losses {losses}", "falling losses")
    elif any(walk.same) and not all(walk.same) and "loss_and_gradients" in subject.has:
        _, gradients = network.gradients(x, y)
        sizes = [float(np.abs(g).max()) for g in gradients]
        pairs = zip(sizes, walk.same, strict=False)
        stuck = [k for k, (size, same) in enumerate(pairs) if same and size > 1e-5]
        if stuck:
            shown = f"parameters {stuck} as before"
            yield finding("train.no_update", given, shown, "a change in each", says="network_some")


class _Walk:
    """Some steps of training on one batch, and what came of them.

    Attributes
    ----------
    losses : before each step, and at the end
    same : which parameters are at the end as they were at the start
    """

    def __init__(self, network: Subject, x: np.ndarray, y: np.ndarray) -> None:
        self.network, self.x, self.y, self.failed = network, x, y, False
        self.start = [array.copy() for array in network.arrays()]
        before, self.losses = network.predict(x), [self.loss()]
        for count in range(STEPS):
            result = network.attempt("step", x, network.labels_for(y))
            self.failed = self.failed or isinstance(result, BaseException)
            self.losses.append(self.loss())
            if count == 0:
                self.after = [array.copy() for array in network.arrays()]
        pairs = zip(self.start, network.arrays(), strict=True)
        self.same = [np.array_equal(a, b, equal_nan=True) for a, b in pairs]
        self.changes_nothing = all(self.same) and identical(before, network.predict(x))

    def loss(self) -> float:
        """Compute the cross-entropy of what it predicts now; NaN if it predicts no longer."""
        p = self.network.predict(self.x)
        fit = p.shape == (len(self.x), self.network.classes)
        return cross_entropy(p, self.y) if fit else np.nan

    def goes_up(self) -> bool:
        """Tell whether the first step's direction goes uphill, however long the step is."""
        rises = all(b > a for a, b in pairwise(self.losses))
        lengths = [float(np.abs(a - b).max()) for a, b in zip(self.start, self.after, strict=True)]
        longest = max(lengths, default=0.0)
        if not longest or not np.isfinite(self.losses[0]):
            return rises
        losses = []
        for sign in (-1, 1):
            share = sign * min(1.0, 1e-3 / longest)
            pairs = zip(self.start, self.after, strict=True)
            self.network.move(a + (b - a) * share for a, b in pairs)
            losses.append(self.loss())
        if not np.isfinite(losses).all() or abs(losses[1] - losses[0]) < 1e-6:
            return rises and losses[0] != losses[1]
        return losses[1] > losses[0]


def _batch(subject: Subject) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(6)
    rows = rng.choice(len(subject.x), min(BATCH, len(subject.x)), replace=False)
    return subject.x[rows], subject.y[rows]


@probe(needs="loss_and_gradients parameters twin", unless="*")
def by_heart(subject: Subject) -> Said:
    """Let Adam learn a few examples by heart; any right network can.

    References
    ----------
    D. Kingma, J. Ba, Adam: a method for stochastic optimization, ICLR 2015 (arXiv:1412.6980).
    """
    twin, rng = subject.twin, np.random.default_rng(7)
    twin.home()
    rows = rng.choice(len(subject.x), min(HEART, len(subject.x)), replace=False)
    x, y = subject.x[rows].astype(np.float64), subject.y[rows]
    arrays, losses = twin.arrays(), []
    state = [(np.zeros(a.shape), np.zeros(a.shape)) for a in arrays]
    for count in range(1, HEART_STEPS + 1):
        losses.append(cross_entropy(twin.predict(x), y))
        if losses[-1] < 0.5 * losses[0] or losses[-1] < 0.3:
            return
        _, gradients = twin.gradients(x, y)
        if twin.calls.work > AFFORDABLE:
            yield note("by_heart", reason="a call takes too much work")
            return
        for array, gradient, (mean, square) in zip(arrays, gradients, state, strict=True):
            gradient = as_array(gradient).reshape(array.shape)
            mean += 0.1 * (gradient - mean)
            square += 0.01 * (gradient**2 - square)
            size = np.sqrt(square / (1 - 0.99**count)) + 1e-12
            array -= 0.005 * mean / (1 - 0.9**count) / size
    given, shown = (
        f"{len(x)} examples, {HEART_STEPS} steps",
        f"{losses[0]:.3f}, then {losses[-1]:.3f}",
    )
    yield finding("train.no_overfit", given, f"loss {shown}", "a loss near 0", count=len(x))


PROBES = (step_works, step)
