"""Training: what a step does, and whether a few pictures can be learned by heart."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np

from mnist_book.diagnosis.examine import moments, schedule, steps
from mnist_book.diagnosis.examine.calling import Refused
from mnist_book.diagnosis.examine.notes import doubt, note, unchecked
from mnist_book.diagnosis.examine.objective import SCORES
from mnist_book.diagnosis.examine.pictures import SIDE, nearest_mean
from mnist_book.diagnosis.examine.probing import Said, finding, probe
from mnist_book.diagnosis.examine.results import (
    as_array,
    cross_entropy,
    described,
    identical,
    is_weights,
)
from mnist_book.diagnosis.examine.stepper import Stepper, cosine
from mnist_book.diagnosis.examine.steps import fading
from mnist_book.diagnosis.examine.subject import Subject
from mnist_book.diagnosis.examine.weights import shows_training, untrained

BATCH, STEPS, MORE_STEPS, LONG_WALK = 64, 4, 40, 15  # of training
FIRST_STEPS, SHORT_WALK = 4, 25  # of training
LONGER = 1, 3, 10, 30  # times what must be longer by a straight line
STRONG = 0.01  # share of the weights that decay takes in a step
ENOUGH_BIASES, SAME_WAY = 20, 0.7  # numbers; a cosine that chance does not give them
LOST = 2  # times the cross-entropy of guessing
STILL, FALLS = 2e-4, 0.9  # of the loss at the start: a fall that is none; what longer ones leave
HEART = 16  # examples to learn by heart, at most
HEART_ATTEMPTS = ((None, 0.005, 150), (2, 0.01, 600), (3, 0.03, 600))  # from where, rate, steps
UNLESS_DIRECTION = "network.random train.no_update train.adam gradients.sign cross_entropy.sign"
VANISHED = 1e-3  # of the gradient, that is left in the first layer
ROUNDING = 100  # times the distance of numbers, of sums that should be 0
AFFORDABLE = 0.05  # seconds of processor time for one call while learning by heart


@probe(needs="step probabilities whole", unless="network.random gradients function")
def step_works(subject: Subject) -> Said:
    """Look for an error in some steps, which nothing before explains."""
    (x, y), network = _batch(subject), subject.copy()
    for _ in range(STEPS):
        result = network.attempt("step", x, subject.labels_for(y))
        if isinstance(result, BaseException):
            given = described(x, subject.labels_for(y))
            yield finding("function.raises", given, str(result), "a step of training", name="step")
            return


@probe(needs="step probabilities whole", unless="network.random gradients.zero")
def changes(subject: Subject) -> Said:
    """Look for a step that changes nothing."""
    walk = subject.once(_walk)
    if walk is None:
        yield unchecked("step")
    elif walk.changes_nothing:
        small = list(_too_small(subject, range(len(subject.arrays())), walk.given))
        yield from small
        if not small:
            yield finding("train.no_update", walk.given, "the same parameters", "other ones")


@probe(needs="step losses parameters probabilities whole", unless="network.random train function")
def trains_a_copy(subject: Subject) -> Said:
    """Look for steps that change parameters and the loss, and no prediction."""
    walk = subject.once(_walk)
    if walk is None or walk.failed or all(walk.same) or not walk.predicts_the_same:
        return
    first, last = walk.losses[0][0], walk.losses[-1][0]
    if np.isfinite([first, last]).all() and abs(last - first) > 1e-3 * abs(first):
        returned = (
            f"a loss of {first:.4g}, then of {last:.4g}, and the same predictions to the last digit"
        )
        yield finding("network.modes", walk.given, returned, "other predictions", "network_copy")


@probe(needs="step probabilities whole twin parameters losses", unless=UNLESS_DIRECTION)
def learns_labels(subject: Subject) -> Said:
    """Give other labels to a batch: the step must be another one, as it is for other pictures."""
    stepper = Stepper(subject)
    x, y = stepper.batch(12)
    batches = (x, y), (x, 0 * y), (stepper.batch(13)[0], y)
    steps_taken = [stepper.change(stepper.start(11), *batch) for batch in batches]
    stepper.place(stepper.twin, 11, 1)
    losses = [stepper.twin.loss(x, labels) for labels in (y, 0 * y)]
    if None in steps_taken or abs(losses[0] - losses[1]) < 1e-6 * abs(losses[0]):
        return
    first, of_labels, of_pictures = (
        np.concatenate([part.ravel() for part in step]) for step in steps_taken
    )
    if np.array_equal(first, of_labels) and not np.array_equal(first, of_pictures):
        given = f"a batch of {len(x)}, and the same pictures with the label 0"
        yield finding(
            "train.ignores_batch", given, "the same step", "another one", "network_labels"
        )


@probe(needs="step probabilities whole", unless=f"{UNLESS_DIRECTION} train.ignores_batch")
def direction(subject: Subject) -> Said:
    """Look for steps against the gradient."""
    found = steps.known_response(subject)
    if found is not None and found.seen.any():
        known = subject.once(moments.method) if (found.cosines < 0).any() else None
        if known is not None and known.says:
            yield from moments.of_method(known, subject.once(moments.growth).lengths)
        elif (found.cosines[found.seen] < -0.1).all():
            shown = ", ".join(f"{cosine:.3f}" for cosine in found.cosines)
            returned, expected = f"cosines of step and -gradient {shown}", "above 0"
            yield finding("train.ascent", "two batches, random weights", returned, expected)


@probe(
    needs="step probabilities whole", unless=f"{UNLESS_DIRECTION} train.ignores_batch softmax.axis"
)
def uphill(subject: Subject) -> Said:
    """Look for steps that make the loss larger, where no gradients are beside them.

    A sum over the wrong axis gives a loss that right steps may raise.
    """
    found = steps.known_response(subject)
    if found is not None and found.seen.any():
        return
    walk = subject.once(_walk)
    if walk and walk.goes_up():
        first, last = walk.losses[: STEPS + 1], walk.losses[-1]
        losses = ", ".join(f"{losses[0]:.3g}" for losses in first)
        returned = f"losses {losses}, ... and in the end {last[0]:.3g}"
        yield finding("train.ascent", walk.given, returned, "falling losses")


@probe(
    needs="step probabilities whole parameters twin",
    unless="network.random train.no_update train.adam train.ascent",
)
def leaves_none_out(subject: Subject) -> Said:
    """Look for parameters that never change, though their gradients are not 0."""
    walk = subject.once(_walk)
    if walk is None or walk.failed or all(walk.same) or not any(walk.same):
        return
    stuck = [k for k in _stuck(subject, walk) if k not in subject.twin.unread]
    if not stuck:
        return
    shown = f"parameters {stuck} as before"
    if _sum_to_nothing(subject, stuck):
        yield finding("gradients.bias", walk.given, shown, "a change in each", "network_one_number")
        return
    small = list(_too_small(subject, stuck, walk.given))
    yield from small
    if small:
        return
    if set(stuck) not in map(set, _first_layers(subject.arrays())):
        yield finding("train.no_update", walk.given, shown, "a change in each", "network_some")
    elif "loss_and_gradients" in subject.has and _as_drawn(subject):
        values = {"numbers": ", ".join(map(str, stuck))}
        yield finding(
            "train.no_update", walk.given, shown, "a change in each", "network_first", **values
        )
    else:
        # Who trains the last layer alone knows that it is so; what is kept has learned something.
        reads_well = subject.accuracy >= subject.once(nearest_mean)
        say = note if reads_well and not _as_drawn(subject) else doubt
        yield say("frozen", numbers=", ".join(map(str, stuck)))


def _stuck(subject: Subject, walk: "_Walk") -> list[int]:
    """Return which parameters have a gradient and stay as they are.

    Without gradients, those are meant that make a difference at random weights and stay there too.
    """
    same = [k for k, same in enumerate(walk.same) if same]
    if "loss_and_gradients" in subject.has:
        _, gradients = walk.network.gradients(walk.x, walk.y)
        return [k for k in same if k < len(gradients) and np.abs(gradients[k]).max() > 1e-5]
    stepper = Stepper(subject)
    step = stepper.change(stepper.start(11), *stepper.batch(12))
    still = [] if step is None else [k for k in same if not step[k].any()]
    return [k for k in still if k not in subject.twin.no_part and len(still) < len(walk.same)]


@probe(needs="step probabilities whole twin parameters", unless="network.random train gradients")
def labels_of_pictures(subject: Subject) -> Said:
    """Give the labels of a batch to other pictures of it: the step must be another one.

    Where there are gradients, steps are held against them.
    """
    if "loss_and_gradients" in subject.has:
        return
    stepper = Stepper(subject)
    x, y = stepper.batch(12)
    rows, others = np.argsort(y, kind="stable"), np.empty_like(y)
    others[rows] = np.roll(y[rows], len(y) // 2)  # of no picture the same
    labels = y, others, np.zeros_like(y)
    first, other, zeros = (stepper.change(stepper.start(11), x, each) for each in labels)
    if first is None or other is None or zeros is None or not any(part.any() for part in first):
        return
    sizes = [float(max(np.abs(part).max() for part in step)) for step in (first, zeros)]
    moved, counted = (
        max(float(np.abs(a - b).max()) for a, b in zip(first, step, strict=True))
        for step in (other, zeros)
    )
    if moved < 1e-9 * sizes[0] and counted > 1e-3 * sizes[0]:
        given = f"a batch of {len(x)}, and its labels in another order"
        yield finding("train.other_rows", given, "the same step", "another one", "network_labels")


def _as_drawn(subject: Subject) -> bool:
    """Tell a first layer that sees pictures and shows no training."""
    first = subject.weights[0] if subject.weights else np.empty((0, 0))
    return len(first) == SIDE * SIDE and not subject.once(shows_training)


def _first_layers(arrays: list[np.ndarray]) -> Iterator[list[int]]:
    """Yield the parameters of the first layer, of the first two, and so on, but not of all.

    A layer is its weights with what stands between them and the next ones; or, where all weights
    come first, with the bias that has the same place among the biases.
    """
    weights = [k for k, array in enumerate(arrays) if is_weights(array)]
    others = [k for k in range(len(arrays)) if k not in weights]
    weights_first = len(weights) == len(others) and max(weights) < min(others)
    for count in range(1, len(weights)):
        if weights_first:
            yield [*weights[:count], *others[:count]]
        else:
            yield list(range(weights[count]))


def _sum_to_nothing(subject: Subject, stuck: list[int]) -> bool:
    """Tell biases whose steps are what rounding leaves of 0, beside those of all others.

    In the last layer, the errors of a picture sum to 0 over the classes.
    """
    stepper, arrays = Stepper(subject), subject.arrays()
    lengths = (
        [] if any(is_weights(arrays[k]) for k in stuck) else steps.hidden_lengths(subject, stuck)
    )
    changes = stepper.change(stepper.start(11), *stepper.batch(12)) if lengths else None
    if changes is None:
        return False
    longest = max(float(np.abs(change).max()) for change in changes)
    return max(lengths) < ROUNDING * float(np.finfo(arrays[stuck[0]].dtype).eps) * longest


def _too_small(subject: Subject, stuck: Iterable[int], given: str) -> Said:
    """Look for steps that a parameter of ordinary size is too large to show."""
    lengths = steps.hidden_lengths(subject, stuck)
    if not lengths:
        return
    known = subject.once(moments.method)
    if known is not None and known.rate:
        yield from moments.of_method(known, subject.once(moments.growth).lengths)
    elif falling := list(schedule.rate(subject)):
        yield from falling
    elif known is None and all(b < 0.95 * a for a, b in pairwise(lengths)) and _made_alike(subject):
        yield fading(lengths)
    else:
        returned = f"steps of {lengths[0]:.2g}"
        yield finding("train.no_update", given, returned, "longer ones", says="network_tiny")


def _made_alike(subject: Subject) -> bool:
    """Tell steps that are no multiples of gradients, as Adam's and its like."""
    if "loss_and_gradients" not in subject.has:
        return False
    stepper = Stepper(subject)
    network, batch = stepper.start(11), stepper.batch(12)
    for array in network.arrays():
        array.flat[::3] = 0
    stepper.twin.move(network.arrays())
    gradients = stepper.twin.gradients(*batch)[1]
    changes = stepper.change(network, *batch)
    if changes is None:
        return False
    pairs = [
        (change.flat[::3] * 1e150, g.reshape(-1)[::3])
        for change, g in zip(changes, gradients, strict=True)
    ]
    return not any(abs(cosine(change, g)) > 0.99 for change, g in pairs if change.any() and g.any())


@probe(needs="step finite whole", unless="*")
def too_long(subject: Subject) -> Said:
    """Look for steps in the right direction that go so far that the loss becomes far larger."""
    rng = np.random.default_rng(6)
    rows = rng.choice(len(subject.x), min(BATCH, len(subject.x)), replace=False)
    network = subject.copy()
    walk = _Walk(network, subject.x[rows], subject.y[rows])
    for _ in range(LONG_WALK - STEPS):
        walk.take_step()
    first, last = walk.losses[0], walk.losses[-1]
    bound = 3 * np.maximum(first, np.log(subject.classes)) + 2
    if np.isfinite(first).any() and not (last <= bound).any():
        shown = ", ".join(f"{losses[0]:.3g}" for losses in walk.losses[:6])
        given = f"{len(rows)} examples, {LONG_WALK} steps"
        returned = f"losses {shown}, ..., {last[0]:.3g}"
        yield finding("train.rate_too_high", given, returned, "falling losses")


@probe(needs="step finite whole parameters", unless="*")
def too_short(subject: Subject) -> Said:
    """Look for steps so short that nothing comes of them, where far longer ones would do.

    Steps that grow are those of a warm-up. A network that has learned something may be at the end
    of its training, where steps are short; of one that is new, this is no more than a doubt.
    """
    if not untrained(subject) or subject.accuracy >= subject.once(nearest_mean):
        return
    first = _Stretched(subject, 1, count=FIRST_STEPS)
    if first.end < (1 - STILL) * first.start:
        return  # as usual, so that most need no more steps
    usual = _Stretched(subject, 1)
    fall = (usual.start - usual.end) / usual.start
    if not usual.steady or not 0 < fall < STILL:
        return
    factors = (int(float(f"{(1 - FALLS) / fall * more:.1g}")) for more in LONGER)
    ends = ((factor, _Stretched(subject, factor).end) for factor in factors)
    factor, end = next((each for each in ends if each[1] < FALLS * usual.start), (0, 0.0))
    taken = usual.steps_before()
    if factor and taken:
        given = f"{SHORT_WALK} steps on batches of {BATCH}; cross-entropy of the predictions"
        returned = f"{usual.start:.5f}, then {usual.end:.5f}"
        expected = f"less: {end:.2f} after steps that are {factor:,} times as long"
        values = {"factor": f"{factor:,}", "taken": f"{taken:,.0f}"}
        yield finding("train.rate_too_low", given, returned, expected, **values)
    elif factor:
        losses = {"before": f"{usual.start:.5f}", "after": f"{usual.end:.5f}", "end": f"{end:.2f}"}
        rates, length = steps.rates(subject), f"{usual.length:.2g} long"
        if rates is not None and rates.size:
            length = f"{rates.max():.3g} times the gradient"
        yield doubt("slow", length=length, factor=f"{factor:,}", count=SHORT_WALK, **losses)


@probe(needs="step finite whole parameters twin", unless="*")
def forgets(subject: Subject) -> Said:
    """Look for weight decay that takes more than steps can learn, by giving back what it takes."""
    found = subject.once(steps.beside_giant_weights)
    if not found or max(cosine for cosine, _ in found) > -0.99:
        return
    share = -found[0][1]
    if share < STRONG or subject.accuracy >= subject.once(nearest_mean):
        return
    forgetting, keeping = (_Stretched(subject, 1, 11, back).end for back in (0, share))
    if keeping < FALLS * forgetting:
        given = f"{SHORT_WALK} steps from random weights; cross-entropy of the predictions"
        expected = f"{keeping:.2f}, which it is where each step gives back what decay takes"
        returned, values = f"{forgetting:.2f}", {"share": f"{share:.2g}"}
        yield finding("gradients.decay", given, returned, expected, "network_strong", **values)


class _Stretched:
    """Some steps of training on the pictures, each made longer by a factor.

    They start at its own weights, or at those of a seed. A share of the weights before each step
    may be added to them again.

    Attributes
    ----------
    start, end : cross-entropy of the predictions, made to sum to 1
    length : of the last step
    steady : steps do not become longer and longer
    """

    def __init__(
        self,
        subject: Subject,
        factor: float,
        seed: int | None = None,
        back: float = 0,
        count: int = SHORT_WALK,
    ) -> None:
        self.network, lengths = subject.copy(), []
        if seed is not None:
            self.network.random_point(seed)
        order = np.random.default_rng(6).permutation(len(subject.x))
        self.start = self._loss()
        for k in range(count):
            rows = np.take(order, np.arange(k * BATCH, (k + 1) * BATCH), mode="wrap")
            before = [array.copy() for array in self.network.arrays()]
            labels = subject.labels_for(subject.y[rows])
            if isinstance(self.network.attempt("step", subject.x[rows], labels), BaseException):
                raise Refused
            pairs = list(zip(before, self.network.arrays(), strict=True))
            lengths.append(np.sqrt(sum(float(((b - a) ** 2).sum()) for a, b in pairs)))
            if factor != 1 or back:
                given_back = [back * is_weights(a) * a for a in before]
                self.network.move(
                    a + factor * (b - a) + more
                    for (a, b), more in zip(pairs, given_back, strict=True)
                )
        self.end, self.length = self._loss(), lengths[-1]
        self.steady = 0 < lengths[-1] < 1.5 * lengths[count // 2]

    def _loss(self) -> float:
        p = np.maximum(self.network.predict(self.network.x), 1e-12)
        if p.shape != (len(self.network.x), self.network.classes):
            raise Refused
        return cross_entropy(p / p.sum(axis=1, keepdims=True), self.network.y)

    def steps_before(self) -> float:
        """Estimate how many steps have been taken already, from biases that started at 0.

        They have moved where these steps move them. Drawn ones have not; 0 if that is so.
        """
        places = [k for k, a in enumerate(self.network.start) if not is_weights(a)]
        if not places:
            return 0.0
        start, end = (
            np.concatenate([arrays[k].ravel() for k in places]).astype(np.float64)
            for arrays in (self.network.start, self.network.arrays())
        )
        moved = end - start
        sizes = float(np.linalg.norm(start) * np.linalg.norm(moved))
        if len(start) < ENOUGH_BIASES or not start @ moved > SAME_WAY * sizes > 0:
            return 0.0
        return SHORT_WALK * float(start @ moved) / float(moved @ moved)


def _walk(subject: Subject) -> "_Walk | None":
    """Take some steps, from other weights where nothing can be seen at its own; None if nowhere."""
    (x, y), network = _batch(subject), subject.copy()
    largest = max([float(np.abs(a).max()) for a in network.arrays()], default=0.0)
    if not (subject.finite and largest < 100) or _lost(subject):
        network.random_point(seed=5)
        if not np.isfinite(network.predict(x)).all():
            return None
    return _Walk(network, x, y)


def _lost(subject: Subject) -> bool:
    """Tell answers that are far worse than a guess, and all the same: no step shows there."""
    p = subject.probabilities
    worse = cross_entropy(p, subject.y) > LOST * np.log(subject.classes)
    return bool(worse and len(set(p.argmax(axis=1))) == 1)


class _Walk:
    """Some steps of training on one batch, and what came of them.

    The labels are drawn: of them a trained network knows as little as a new one, so that its steps
    go somewhere.

    Attributes
    ----------
    failed : a step raised an error
    losses : before each step, and at the end; several where it is not known which one it lowers
    same : which parameters are at the end as they were at the start
    predicts_the_same : probabilities are at the end as they were at the start
    """

    def __init__(self, network: Subject, x: np.ndarray, y: np.ndarray) -> None:
        self.network, self.x, self.y, self.failed = network, x, y, False
        self.given = f"{len(x)} examples, {STEPS} steps"
        self.start = [array.copy() for array in network.arrays()]
        before, self.losses = network.predict(x), [self.loss()]
        for count in range(STEPS):
            self.take_step()
            if count == 0:
                self.after = [array.copy() for array in network.arrays()]
        pairs = zip(self.start, network.arrays(), strict=True)
        self.same = [np.array_equal(a, b, equal_nan=True) for a, b in pairs]
        self.predicts_the_same = identical(before, network.predict(x))
        self.changes_nothing = all(self.same) and self.predicts_the_same and not self.failed

    def take_step(self) -> None:
        """Train on the batch once."""
        result = self.network.attempt("step", self.x, self.network.labels_for(self.y))
        self.failed = self.failed or isinstance(result, BaseException)
        self.losses.append(self.loss())

    def loss(self) -> np.ndarray:
        """Compute the network's own loss now, or else all that it may have."""
        if (loss := self.network.attempt_loss(self.x, self.y)) is not None:
            return np.array([loss])
        p = self.network.predict(self.x)
        if p.shape != (len(self.x), self.network.classes):
            return np.array([np.nan])
        return np.array(
            [SCORES[name](p, self.y) for name in ("cross_entropy", "binary", "squares")]
        )

    def goes_up(self) -> bool:
        """Tell whether the first step's direction goes uphill, however long the step is."""
        if self.failed:
            return False
        lengths = [float(np.abs(a - b).max()) for a, b in zip(self.start, self.after, strict=True)]
        longest = max(lengths, default=0.0)
        if not longest or not np.isfinite(self.losses[0]).any():
            return self._rises()
        losses = []
        for sign in (-1, 1):
            share = sign * min(1.0, 1e-3 / longest)
            pairs = zip(self.start, self.after, strict=True)
            self.network.move(a + (b - a) * share for a, b in pairs)
            losses.append(self.loss())
        change = losses[1] - losses[0]
        change = change[np.isfinite(change)]
        if not len(change) or np.abs(change).max() < 1e-6:
            return self._rises() and bool(change.any())
        self.network.move(self.start)
        return bool((change > 0).all()) and self._ends_higher()

    def _rises(self) -> bool:
        """Tell whether each step makes every loss larger, and many make it larger still."""
        rising = all(bool((b > a)[np.isfinite(b)].all()) for a, b in pairwise(self.losses))
        return rising and self._ends_higher()

    def _ends_higher(self) -> bool:
        """Tell whether many more steps end higher: velocities of before have faded by then."""
        for _ in range(MORE_STEPS):
            self.take_step()
        return not bool((self.losses[-1] <= self.losses[0]).any())


def _batch(subject: Subject) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(6)
    rows = rng.choice(len(subject.x), min(BATCH, len(subject.x)), replace=False)
    return subject.x[rows], rng.permutation(len(rows)) % subject.classes


@probe(needs="loss_and_gradients parameters twin", unless="*")
def by_heart(subject: Subject) -> Said:
    """Let Adam learn a few examples by heart; any right network can, from one start or another.

    They are no more than can be told apart by a single layer, and their labels are all different,
    or half and half.

    References
    ----------
    D. Kingma, J. Ba, Adam: a method for stochastic optimization, ICLR 2015 (arXiv:1412.6980).
    """
    rng, inputs = np.random.default_rng(7), subject.x.shape[1]
    count = min(HEART, inputs, max(2, subject.classes))
    x, y = rng.normal(size=(count, inputs)), np.arange(count) % subject.classes
    if subject.reach > 1:  # bytes, of which none is negative
        x = subject.inputs(rng, count)
    for start, rate, longest in HEART_ATTEMPTS:
        subject.twin.home() if start is None else subject.twin.random_point(start)
        losses, known = learned(subject.twin, x, y, rate, longest)
        if known is None:
            yield note("by_heart", reason="a call takes too much work")
        if known is not False or not np.isfinite(losses).all():
            return
    if _vanishes(subject, x, y):
        yield note("by_heart", reason="next to nothing of the gradient reaches its first layer")
        return
    given = f"{count} examples, {HEART_ATTEMPTS[-1][2]} steps"
    shown = f"{losses[0]:.3f}, then {losses[-1]:.3f}"
    yield finding("train.no_overfit", given, f"loss {shown}", "a loss near 0", count=count)


def _vanishes(subject: Subject, x: np.ndarray, y: np.ndarray) -> bool:
    """Tell gradients that are lost on the way back, as through many sigmoids.

    Biases show it, which weight decay leaves out.
    """
    subject.twin.random_point(HEART_ATTEMPTS[-1][0])
    pairs = zip(subject.twin.arrays(), subject.twin.gradients(x, y)[1], strict=False)
    sizes = [float(np.linalg.norm(g)) for array, g in pairs if not is_weights(array)]
    return len(sizes) > 1 and sizes[0] < VANISHED * sizes[-1]


def learned(
    twin: Subject, x: np.ndarray, y: np.ndarray, rate: float, longest: int
) -> tuple[list[float], bool | None]:
    """Take steps of Adam; return the losses, and whether it learned, None if that takes long."""
    arrays, losses, work = twin.arrays(), [], np.inf
    state = [(np.zeros(a.shape), np.zeros(a.shape)) for a in arrays]
    for count in range(1, longest + 1):
        loss, gradients = twin.gradients(x, y)
        p = twin.predict(x)
        if p.shape != (len(x), twin.classes):
            raise Refused
        losses.append(loss)
        known = bool((p.argmax(axis=1) == y).all())
        sure = cross_entropy(p, y) < 0.5 * np.log(len(y)) and np.allclose(p.sum(axis=1), 1)
        if known or sure or loss < 0.7 * min(losses[0], np.log(twin.classes)):
            return losses, True
        work = min(work, twin.calls.work)  # a single call may have had to wait for the memory
        if work > AFFORDABLE and count >= 3:
            return losses, None
        for array, gradient, (mean, square) in zip(arrays, gradients, state, strict=True):
            gradient = as_array(gradient).reshape(array.shape)
            mean += 0.1 * (gradient - mean)
            square += 0.01 * (gradient**2 - square)
            size = np.sqrt(square / (1 - 0.99**count)) + 1e-12
            array -= rate * mean / (1 - 0.9**count) / size
    return losses, False


PROBES = (
    step_works,
    changes,
    trains_a_copy,
    learns_labels,
    direction,
    uphill,
    leaves_none_out,
    labels_of_pictures,
)
