"""Adam and its like, told by how long their steps are with one and the same gradient.

Where inputs are very large, and the first weights as much smaller, all sums stay as they are, and
the gradient of these weights is so large that what is left of training in the two means counts for
nothing. Only the time t is left of it. After k steps with that gradient g the means are
(1 - b1**k) * g and (1 - b2**k) * g**2, so that the lengths of the steps tell b1, b2 and how the
corrections change with time: exactly, as they do not depend on g, nor on the learning rate.

References
----------
D. Kingma, J. Ba, Adam: a method for stochastic optimization, ICLR 2015 (arXiv:1412.6980).
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from mnist_book.diagnosis.examine import schedule
from mnist_book.diagnosis.examine.copying import numbers_in
from mnist_book.diagnosis.examine.probing import Said, finding
from mnist_book.diagnosis.examine.stepper import Stepper, first_weights
from mnist_book.diagnosis.examine.subject import Subject

LARGE = 1e13  # times the usual inputs
STEPS = 6
FACTORS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 0.9999)  # of means that fade, b1 and b2
USUAL = [(0.9, 0.999), (0.0, 0.9), (0.0, 0.99)]
USUAL_OF_ADAM = [(0.9, 0.999), (0.9, 0.99), (0.95, 0.999), (0.8, 0.999)]
LONGEST = 13_000  # steps of a training after which corrections still show
ALIKE, NEARLY_ALIKE = 1e-10, 1e-5  # relative, of lengths of steps
ALIKE_RATES, CHANGING = 1e-11, 1e-4  # of learning rates, as shares of the first
ONE_WAY = ("network_one_array", "network_one_way")
FIRST = 1e6  # times the second step, of a first one that nothing divides
FURTHER = 1e4  # times the large inputs
OF_POWER = {
    "network_root": "steps that are the shorter, the larger the gradient is",
    "network_not_squared": "steps that are the longer, as its root, the larger the gradient is",
}
UNITS = 16  # whose gradients do not have one sign by chance
FASTEST, SLOWEST = 0.95, 0.99  # of a mean that is of the last few gradients, and of many

Corrections = Callable[[np.ndarray, float, float], np.ndarray]


@dataclass(frozen=True)
class Growth:
    """Lengths of steps with the same gradient, as multiples of the first, or of the second.

    Attributes
    ----------
    lengths : (STEPS,), below 0 where a step goes the other way
    power : of the gradient, by which they grow
    one_way : all numbers become smaller, or all larger, whatever sign their gradients have
    """

    lengths: np.ndarray
    power: float = 0.0
    one_way: bool = False


@dataclass(frozen=True)
class Method:
    """What a step is made of: the factors of both means, and what is said of their corrections."""

    b1: float
    b2: float
    says: str  # "" if it is right
    rate: tuple[float, ...] = ()  # from step to step, where it is not the same


def growth(subject: Subject) -> Growth | None:
    """Take steps with one giant gradient; None if all numbers do not take steps of one length."""
    stepper = Stepper(subject)
    k, (x, y) = first_weights(subject), stepper.batch(12)
    if k is None:
        return None
    for size in (1 / LARGE, 0):  # only to 0 can the smallest step be added
        network = stepper.start(11)
        network.arrays()[k][...] *= size
        if network.arrays()[k].dtype != np.float64:
            return None
        taken = [stepper.change(network, LARGE * x, y) for _ in range(STEPS)]
        if None in taken or _resolved(taken[-1][k], network.arrays()[k]):
            break
    if None in taken or not all(np.isfinite(step[k]).all() for step in taken):
        return None
    steps = np.stack([step[k].ravel() for step in taken])
    if (moved := _of_one_length(steps[0])) is not None:
        shares = steps[:, moved] / steps[0, moved]
        if np.ptp(shares, axis=1).max() < 1e-6 * np.abs(shares).max():
            return Growth(np.median(shares, axis=1))
    if _one_way(taken[0][k]):
        most = np.abs(steps[0]) > 0.01 * np.abs(steps[0]).max()
        return Growth(np.median(steps[:, most] / steps[0, most], axis=1), one_way=True)
    if (moved := _of_one_length(steps[1])) is not None:
        shares = steps[:, moved] / steps[1, moved]
        if np.median(np.abs(shares[0])) > FIRST:
            return Growth(np.median(shares, axis=1))
    power = _power(subject, k)
    return Growth(np.ones(STEPS), power=power) if power in (-1, 0.5) else None


def _power(subject: Subject, k: int) -> float:
    """Return by which power of the gradient most numbers of a first step grow; NaN if by none."""
    stepper, steps = Stepper(subject), []
    x, y = stepper.batch(12)
    for size in (LARGE, LARGE * FURTHER):
        network = stepper.start(11)
        network.arrays()[k][...] /= size
        step = stepper.change(network, size * x, y)
        steps.append(np.zeros(1) if step is None else np.abs(step[k]))
    grown = steps[1][steps[0] > 0] / steps[0][steps[0] > 0] if len(steps[0]) > 1 else steps[0]
    powers = np.log(grown) / np.log(FURTHER)
    power = round(float(np.median(powers)), 1)
    return power if np.mean(np.abs(powers - power) < 0.01) > 0.5 else np.nan


def _resolved(step: np.ndarray, weights: np.ndarray) -> bool:
    """Tell whether steps are long enough to be exact beside these weights."""
    sizes = np.abs(step[step != 0])
    return sizes.size > 0 and float(np.median(sizes)) > 1e-6 * float(np.abs(weights).max())


def _one_way(step: np.ndarray) -> bool:
    """Tell steps of one sign for so many units that their gradients can't have it by chance.

    Of all weights of a unit, gradients have one sign where no input is negative.
    """
    moved = np.abs(step) > 1e-6 * np.abs(step).max()  # others take what is left of old gradients
    rows, columns = (np.count_nonzero(moved.any(axis=axis)) for axis in (1, 0))
    return bool(min(rows, columns) >= UNITS) and len(set(np.sign(step[moved]))) == 1


def _of_one_length(step: np.ndarray) -> np.ndarray | None:
    """Return which numbers are of one size, if most of those that are not 0 are.

    Units that are dead take what is left of other gradients.
    """
    sizes = np.abs(step)
    usual = float(np.median(sizes[sizes > 0])) if sizes.any() else 0.0
    alike = np.abs(sizes - usual) < 1e-6 * usual
    return alike if alike.sum() > 20 and alike.sum() > 0.5 * np.count_nonzero(sizes) else None


def method(subject: Subject) -> Method | None:
    """Return what its steps are made of; None if that is none of the usual methods, right or wrong.

    A right method comes before all others: after a long training it may look as a wrong one does
    at its start.
    """
    found = subject.once(growth)
    if found is None:
        return None
    if found.power:
        return Method(0, 0, "network_root" if found.power < 0 else "network_not_squared")
    if found.lengths[0] > FIRST:
        return Method(0, 0, "network_late")
    if found.one_way:
        return _of_one_way(found)
    arrays = len(subject.arrays())
    for b1, b2 in USUAL + list(product(FACTORS, FACTORS)):
        if _fits(found, b1, b2, _right) or (not b1 and _fits(found, b1, b2, _constant)):
            exchanged = b1 >= SLOWEST and b2 <= FASTEST
            return Method(b1, b2, "network_exchanged" if exchanged else "")
    for b1 in FACTORS[1:]:
        if _fits(found, b1, 0.0, _constant):  # a largest gradient, as Adamax has it, later on
            return Method(b1, 0.999, "network_one" if _is_new(subject) else "")
    for b1, b2 in product(FACTORS[1:], FACTORS[1:]):
        if _fits(found, b1, b2, _constant):  # as after a very long training, where none shows
            return None if _counts(subject) else Method(b1, b2, "network_missing")
    for b1, b2 in USUAL_OF_ADAM:
        if _fits(found, 0.0, 0.0, lambda t, *_, b1=b1, b2=b2: _right(t, b1, b2)):
            return Method(b1, b2, "network_forgets")  # means that are of the last gradient alone
        if _fits(found, b1, 1.0, lambda t, *_, b1=b1, b2=b2: _right(t, b1, b2)):
            return Method(b1, b2, "network_sum")  # what is added up has the factor 1
        if any(
            _fits(found, b1, b2, _right, stride) for stride in (arrays, arrays // 2) if stride > 1
        ):
            return Method(b1, b2, "network_time")
        if any(_fits(found, b1, b2, wrong) for wrong in ONE_WRONG):
            return Method(b1, b2, "network_one")
        if _fits(found, b1, b2, _of_all_steps):
            return Method(b1, b2, "network_rate")
        for turned in ((1 - b1, b2), (b1, 1 - b2), (1 - b1, 1 - b2)):
            if _fits(found, *turned, lambda t, *_, b1=b1, b2=b2: _right(t, b1, b2)):
                return Method(*turned, "network_turned")
    for slow in (0.9, 0.99, 0.999):
        if _fits(found, 0.0, 1 - slow, _constant):
            return Method(0.0, 1 - slow, "network_turned")
    return _scheduled(found)


def _of_one_way(found: Growth) -> Method:
    """Tell one array for both means, from how steps grow that are made of it.

    It fades by both factors in each step, so that after k steps it is 1 - (b1 * b2)**k times what
    it becomes, and a step is the root of that.
    """
    k = np.arange(1, STEPS + 1)
    for b1, b2 in USUAL_OF_ADAM:
        means = np.sqrt((1 - (b1 * b2) ** k) / (1 - b1 * b2))
        for corrections in (_right, _constant):
            times = np.arange(_longest(b1, b2))[:, np.newaxis] + k
            steps = corrections(times, b1, b2) * means
            off = np.abs(steps / steps[:, :1] / found.lengths - 1).max(axis=1)
            if off.min() < NEARLY_ALIKE:
                return Method(b1, b2, "network_one_array")
    return Method(0, 0, "network_one_way")


def of_method(found: Method, lengths: np.ndarray) -> Said:
    """Say what is wrong with a method that is known; nothing if it is right."""
    yield from schedule.falls(np.array(found.rate)) if found.rate else ()
    if not found.says:
        return
    given = f"a gradient so large that no memory counts, {len(lengths)} times"
    returned = f"steps of {', '.join(f'{each:.4g}' for each in lengths)} times the first"
    expected = f"with factors {found.b1:g} and {found.b2:g}, lengths that corrections fit to"
    if found.says in OF_POWER:
        returned, expected = OF_POWER[found.says], "one length, whatever the gradient is"
    code = "train.adam"
    if found.says in ONE_WAY:
        code = "train.direction" if found.says == "network_one_way" else code
        returned += ", and all numbers become smaller, or all larger"
        expected = "some smaller and some larger, as the signs of their gradients are"
    if found.says == "network_exchanged":
        expected = "lengths as with 0.9 and 0.999"
    factors = {"b1": f"{found.b1:g}", "b2": f"{found.b2:g}"}
    yield finding(code, given, returned, expected, found.says, **factors)


def _fits(found: Growth, b1: float, b2: float, corrections: Corrections, stride: int = 1) -> bool:
    """Tell whether steps grow like that from one time or another on."""
    k = np.arange(1, STEPS + 1)
    squares = (1 - b2**k) / (1 - b2) if b2 < 1 else k
    wanted = found.lengths / ((1 - b1**k) / (1 - b1) / np.sqrt(squares))
    times = np.arange(1, 2 if corrections is _constant else _longest(b1, b2))
    for index in range(1, STEPS):
        later = corrections(times + stride * index, b1, b2) / corrections(times, b1, b2)
        times = times[np.abs(later / wanted[index] - 1) < ALIKE] if wanted[index] else times[:0]
        if not len(times):
            return False
    return True


def _scheduled(found: Growth) -> Method | None:
    """Find a right method whose learning rate changes: by a factor in each step, or as decays do.

    What is left of the lengths is the rate. Its ratios are all the same, or their inverses grow
    evenly; or the inverses of the rates do.
    """
    k = np.arange(1, STEPS + 1)
    for b1, b2 in dict.fromkeys(USUAL + USUAL_OF_ADAM + [(0.0, 0.0)]):
        corrections = _right if b1 else _constant
        times = np.arange(_longest(b1, b2) if b1 else 1)[:, np.newaxis] + k
        usual = corrections(times, b1, b2) * (1 - b1**k) / np.sqrt((1 - b2**k) / (1 - b2))
        rates = found.lengths / usual
        rates = rates / rates[:, :1]
        rates = rates[(rates > 0).all(axis=1) & (np.ptp(rates, axis=1) > CHANGING)]
        if not len(rates):
            continue
        ratios = rates[:, :-1] / rates[:, 1:]
        off = [ratios - ratios[:, :1]]
        off += [np.diff(values, 2, axis=1) for values in (ratios, 1 / rates)]
        for each in off:
            best = int(np.abs(each).max(axis=1).argmin())
            if np.abs(each[best]).max() < ALIKE_RATES:
                return Method(b1, b2, "", tuple(rates[best]))
    return None


def _longest(b1: float, b2: float) -> int:
    """Return the time from which on these corrections do not show any more."""
    slowest = max(b1, b2)
    return int(np.clip(np.log(1e-9) / np.log(slowest), 20, LONGEST)) if 0 < slowest < 1 else LONGEST


def with_momentum(lengths: list[float]) -> bool:
    """Tell whether new steps grow as those of RMSProp with momentum do."""
    for b1, b2 in product(FACTORS, FACTORS):
        wanted, velocity = [], 0.0
        for k in range(1, len(lengths) + 1):
            velocity = b1 * velocity + 1 / np.sqrt((1 - b2**k) / (1 - b2))
            wanted.append(velocity)
        if np.allclose(np.array(lengths) / lengths[0], wanted, rtol=1e-3):
            return True
    return False


def _right(t: np.ndarray, b1: float, b2: float) -> np.ndarray:
    return np.sqrt(1 - b2**t) / (1 - b1**t)


def _of_all_steps(t: np.ndarray, b1: float, b2: float) -> np.ndarray:
    """Multiply by the corrections of all steps, as a rate that is kept corrected is."""
    return np.cumprod(_right(np.arange(1, t.max() + 1), b1, b2))[t - 1]


def _constant(t: np.ndarray, b1: float, b2: float) -> np.ndarray:
    return np.ones(t.shape)


ONE_WRONG: tuple[Corrections, ...] = (
    lambda t, b1, b2: 1 / (1 - b1**t),  # none for the squares
    lambda t, b1, b2: np.sqrt(1 - b2**t),  # for the squares alone
    lambda t, b1, b2: np.sqrt(1 - b2**t) * (1 - b1**t),  # multiplied by
    lambda t, b1, b2: 1 / np.sqrt(1 - b2**t) / (1 - b1**t),
    lambda t, b1, b2: np.sqrt(1 - b1**t) / (1 - b1**t),  # the same for both
    lambda t, b1, b2: np.sqrt(1 - b2**t) / (1 - b2**t),
    lambda t, b1, b2: np.sqrt(1 - b1**t) / (1 - b2**t),  # exchanged
    lambda t, b1, b2: (1 - b2**t) / (1 - b1**t),  # outside of the root
    lambda t, b1, b2: np.sqrt(1 - b2**t) / (1 - b1 * t),  # a product for a power
    lambda t, b1, b2: 1 / (1 - b1 * t),
)


def _is_new(subject: Subject) -> bool:
    """Tell whether it has no memory of other gradients: steps are of one length with any."""
    stepper, k = Stepper(subject), first_weights(subject)
    step = stepper.change(stepper.start(11), *stepper.batch(12))
    sizes = np.abs(step[k]) if step is not None else np.zeros(1)
    return bool(np.mean(np.abs(sizes - np.median(sizes)) < 0.02 * np.median(sizes)) > 0.5)


def _counts(subject: Subject) -> bool:
    """Tell whether something in it may be the time of a long training: it changes with each step.

    A count of steps that is no larger than `LONGEST` would show in the lengths.
    """
    stepper = Stepper(subject)
    network, batch = stepper.start(11), stepper.batch(12)
    before = Counter(numbers_in(network.network))
    stepper.change(network, *batch)
    after = Counter(numbers_in(network.network))
    gone, new = before - after, after - before
    return any(number >= LONGEST or number + 1 not in new for number in gone)
