"""A step of training held against the gradient that the network itself returns.

Steps of fresh copies from the same weights, with two batches, differ by what the gradients differ
by: velocities that came with the network and weight decay cancel.
"""

from collections.abc import Iterable
from functools import partial
from itertools import pairwise

import numpy as np

from mnist_book.diagnosis.examine import impulse, moments, schedule
from mnist_book.diagnosis.examine.copying import numbers_in
from mnist_book.diagnosis.examine.notes import note
from mnist_book.diagnosis.examine.pictures import nearest_mean
from mnist_book.diagnosis.examine.plain import Raised
from mnist_book.diagnosis.examine.probing import Said, finding, probe
from mnist_book.diagnosis.examine.results import is_matrix, is_weights
from mnist_book.diagnosis.examine.stepper import (
    BATCH,
    Arrays,
    Response,
    Stepper,
    cosine,
    first_weights,
    length,
)
from mnist_book.diagnosis.examine.subject import FAINT, Subject
from mnist_book.diagnosis.reports import Finding

PARALLEL = 0.9995  # cosine of a step that is a multiple of the gradient
NEEDS = "step loss_and_gradients parameters probabilities whole twin"
UNLESS = "network.random gradients cross_entropy train.no_update train.adam train.ascent function"
UNLESS += " train.early_update train.rate_falls train.ignores_batch"
SMALL_RATE = 1e-4  # of learning
FROZEN = 10_000_000  # steps in which the loss falls by 1 %, that no training ever takes
SINGLE = 4  # bytes of a number
LONG, ULPS, LOST = 40, 2, 0.5  # steps; distances of numbers; share of a movement that is gone
NOTHING = 1e-9  # of the largest weight: a step that is none
GIANT = 1e6  # times the usual weights
WALK = 8  # steps, in which one that only starts to fade would not halve each time
DYING = 0.5  # of the step before, with the same gradient
SETTLED = 30  # steps after which a mean that fades is that of the last gradients
LUCKS = 0, 1  # of which each makes a step draw other random numbers


def response(subject: Subject) -> Response | None:
    """Return how steps respond to gradients; None where that cannot be seen."""
    found = Stepper(subject).response()
    if found is None or not all(np.isfinite(g).all() for g in found.gradients):
        return None
    return found


def known_response(subject: Subject) -> Response | None:
    """Return how steps respond to gradients; None where there is no step, or no gradient."""
    if not all(map(subject.provides, NEEDS.split())):
        return None
    return subject.once(response)


def rates(subject: Subject) -> np.ndarray | None:
    """Return which multiple of the gradient a step is, for each parameter; None if it is none."""
    found = known_response(subject)
    if found is None or not (found.cosines > PARALLEL).all():
        return None
    return found.rates[found.seen]


def leaves_biases(subject: Subject) -> bool:
    """Tell whether a step leaves all biases as they are."""
    found = known_response(subject)
    biases = [not is_weights(array) for array in subject.arrays()]
    return found is not None and not any(
        step.any() for step, bias in zip(found.first, biases, strict=True) if bias
    )


@probe(needs=NEEDS, unless=UNLESS)
def against_gradient(subject: Subject) -> Said:
    """Compare a step with the gradient: direction, length, and what else comes in."""
    found = subject.once(response)
    if found is None or subject.twin.unread:  # a copy of a parameter has a gradient, and no step
        return
    given = f"random weights, batches of {BATCH}"
    names = ", ".join(f"{cosine:.3f}" for cosine in found.cosines)
    seen = {"given": given, "returned": f"cosines of step and -gradient {names}"}
    seen["expected"] = "1, or clearly above 0 with Adam and its like"
    if not all(np.isfinite(step).all() for step in found.first):
        shown = "NaN or infinity in the parameters after one step"
        yield finding("train.nan", given, shown, "finite numbers")
    elif not any(step.any() for step in found.steps):
        yield from _same_step(subject, found, given)
    elif not found.seen.any():
        return
    elif _lost_in_rounding(subject, found):
        yield from list(schedule.rate(subject)) or _frozen(subject, found)
    elif (found.cosines[found.seen] > PARALLEL).all():
        yield from _along(subject, found)
    else:
        yield from _aside(subject, found, seen)


def _same_step(subject: Subject, found: Response, given: str) -> Said:
    """Tell a step that knows no batch from one that knows the batch before."""
    if falling := list(schedule.rate(subject)):
        yield from falling
    elif remembers(subject):
        returned, expected = "steps that the batch before decides, and not their own", "its own"
        yield finding("train.momentum", given, returned, expected, "network_late")
    elif _next_to_nothing(subject, found):
        returned = "steps next to 0, the same for both"
        yield finding("train.no_update", given, returned, "longer ones", "network_tiny")
    elif any(step.any() for step in found.first):
        yield finding("train.ignores_batch", given, "the same step for both", "two steps")


def _next_to_nothing(subject: Subject, found: Response) -> bool:
    """Tell steps in which nothing but an old velocity may be left, so short are they."""
    sizes = [
        float(np.abs(step).max() / max(np.abs(array).max(), 1e-300))
        for step, array in zip(found.first, subject.twin.arrays(), strict=True)
    ]
    return 0 < max(sizes) < NOTHING


def _lost_in_rounding(subject: Subject, found: Response) -> bool:
    """Tell whether steps are so short that rounding turns them, beside weights of this size."""
    arrays = subject.twin.arrays()
    shares = []
    for array, step, seen in zip(arrays, found.first, found.seen, strict=True):
        rounding = float(np.finfo(array.dtype).eps) * max(length(array), 1e-300)
        enough = 1e4 if array.dtype == np.float64 else 30
        shares += [length(step) < enough * rounding] * bool(seen and step.any())
    return bool(shares) and all(shares)


def _goes_back_late(subject: Subject, found: Response) -> bool:
    """Tell whether the error goes back through weights that have taken their step already.

    A short step hardly turns the error. Where the last weights are small, it turns it far.
    """
    if any(array.dtype.itemsize < SINGLE for array in subject.arrays()):
        return False  # what is rounded so much turns short steps as well
    small = Stepper(subject).response(shrink=FAINT)
    last = max(_matrices(subject), default=0)
    if small is None or small.steps[last].dtype != np.float64 or not small.seen[last]:
        return False
    if _remainder(small, last) > 0.01:
        return False  # a velocity of before; Nesterov's gradient is taken where that leads
    before = small.seen & (np.arange(len(small.seen)) < last)
    off, off_usually = (1 - each.cosines for each in (small, found))
    if not before.any() or off[last] > 1 - PARALLEL:
        return False
    return bool(off[before].max() > 3 * off_usually[before].max() + 1 - PARALLEL)


def _remainder(found: Response, k: int) -> float:
    """Return what a step has besides a multiple of the gradient, as a share of its length."""
    rest = found.first[k] + found.rates[k] * found.first_gradient[k]
    return length(rest) / max(length(found.first[k]), 1e-300)


# --------------------------------------------------------------------------------------------------
# Steps along the gradient
# --------------------------------------------------------------------------------------------------


def _along(subject: Subject, found: Response) -> Said:
    """Look at lengths, momentum and weight decay."""
    if _goes_back_late(subject, found):
        shown = _row(found.rates)
        returned = f"steps of {shown} times the gradient"
        yield finding(
            "train.early_update", "random weights, small last ones", returned, "a multiple"
        )
        return
    arrays = subject.arrays()
    rates, given = found.rates, f"random weights, batches of {BATCH} and {2 * BATCH}"
    larger = Stepper(subject).response(size=2 * BATCH)
    shown = _row(rates)
    if larger is not None and _is_mean(subject):
        growth = (larger.rates / np.maximum(rates, 1e-300))[found.seen]
        if (np.abs(growth - 2) < 0.02).any() or (np.abs(growth - 0.5) < 0.005).any():
            returned = f"steps of {shown} times the gradient, then of {_row(larger.rates)}"
            yield finding("train.batch_rate", given, returned, "the same for both")
            return
    for kind in (True, False):
        alike = [
            r
            for r, a, seen in zip(rates, arrays, found.seen, strict=True)
            if is_weights(a) == kind and seen and r > 0
        ]
        if (
            len(alike) > 1
            and max(alike) > 1.02 * min(alike)
            and not _made_for_bytes(subject, alike)
        ):
            returned = f"steps of {shown} times the gradient"
            yield finding("train.rates_differ", given, returned, "one learning rate", rates=shown)
            return
    yield from momentum(subject)
    yield from schedule.rate(subject)
    yield from rate_twice(subject, float(np.median(found.rates[found.seen])))
    yield from _decay(subject, found)
    yield from _frozen(subject, found)
    known = None if schedule.steady(subject) else subject.once(moments.method)
    if known is not None and known.says == "network_late":
        yield from moments.of_method(known, subject.once(moments.growth).lengths)


def _made_for_bytes(subject: Subject, rates: list[float]) -> bool:
    """Tell whether the first rate alone is smaller, by about the square of the pixels' size.

    Weights that are smaller by a factor, with a rate smaller by its square, learn from bytes what
    the usual ones learn from pixels between 0 and 1.
    """
    first, *others = rates
    scale = float(np.abs(subject.x).max())
    equal = max(others) < 1.02 * min(others)
    return bool(equal and scale > 50 and 0.5 < np.sqrt(others[0] / first) / scale < 2)


def _frozen(subject: Subject, found: Response) -> Said:
    """Look for a learning rate that no number of steps makes up for, unless it was trained."""
    rate = float(found.rates[found.seen].max())
    if rate > SMALL_RATE or subject.accuracy >= subject.once(nearest_mean):
        return
    x, y = subject.x[:BATCH], subject.y[:BATCH]
    loss, gradients = subject.copy().gradients(x, y)
    falls = rate * sum(length(g) ** 2 for g in gradients)
    if falls > 0 and 0.01 * abs(loss) > FROZEN * falls:
        returned = f"steps of {rate:.2g} times the gradient, and {subject.accuracy:.0%} right"
        yield finding("train.no_update", "random weights", returned, "0.1 times", "network_tiny")


def _numbers(subject: Subject) -> list[float]:
    found = subject.calls.attempt("copying", partial(numbers_in, subject.network))
    return [] if isinstance(found, Raised) else found


def rate_twice(subject: Subject, rate: float) -> Said:
    """Look for a number in the network that counts twice in a step: with 2 of it, steps are 4.

    What it squares is no longer than a step, which Nesterov's momentum may double.
    """
    usual = None
    for place, number in enumerate(_numbers(subject)):
        if not 0 < number < 1 or number**2 < 0.49 * rate:
            continue
        usual = usual or Stepper(subject).difference()
        other = Stepper(subject).with_number(place, 2.0).difference()
        if usual is None or other is None:
            return
        if all(
            np.allclose(a, 4 * b, rtol=1e-4, atol=1e-9 * length(a))
            for a, b in zip(other, usual, strict=True)
        ):
            given = f"{number:g}, a number that the network keeps, and twice that number"
            returned = f"steps of {rate:.3g} times the gradient, then of {4 * rate:.3g}"
            values = {"number": f"{number:g}", "rate": f"{rate:.3g}"}
            yield finding(
                "train.rate_twice", given, returned, "twice as long", "network_step", **values
            )
            return


def _is_mean(subject: Subject) -> bool:
    """Tell whether the loss is a mean over the batch: the same for each example twice."""
    twin, (x, y) = subject.twin, Stepper(subject).batch(3)
    twin.random_point(3)
    once, _ = twin.gradients(x, y)
    twice, _ = twin.gradients(np.concatenate([x, x]), np.concatenate([y, y]))
    return bool(np.isclose(once, twice, rtol=1e-3))


def momentum(subject: Subject) -> Said:
    """Take steps with the same gradient: how they grow is the momentum, how they shrink the rate.

    It takes no gradients; of Adam and its like it says nothing.
    """
    stepper = Stepper(subject)
    network, batch = stepper.start(11), stepper.batch(12)
    steps = [stepper.change(network, *batch) for _ in range(4)]
    if None in steps:
        return
    flat = [np.concatenate([part.ravel() for part in step]) for step in steps]
    found = list(_growing(subject, flat))
    yield from found
    if not found:  # one of them may hide among all
        apart = [
            list(_growing(subject, [step[k].ravel() for step in steps], str(k)))
            for k in range(len(steps[0]))
        ]
        yield from next(filter(None, apart), ()) if not all(apart) else ()


def _growing(subject: Subject, flat: Arrays, number: str = "") -> Said:
    """Say how steps of all parameters grow, or of one of them, if that is wrong."""
    first, second, third = (b - a for a, b in pairwise(flat))
    size, least = length(flat[0]), 1e-6 if number else 1e-3  # beside a velocity that never fades
    if not size or min(length(first), length(second)) < least * size:
        return
    if cosine(first, second) ** 2 < 0.99:
        return
    momentum = float(first @ second) / float(first @ first)
    later = float(second @ third) / float(second @ second)
    if not schedule.steady(subject):
        return  # a warm-up makes steps grow, too
    given, lengths = "the same batch and weights, 4 times", [length(step) for step in flat]
    returned = f"steps of lengths {_row(lengths)}"
    if momentum < -0.01 and later < -0.01:
        yield finding("train.momentum", given, returned, "a steady growth", "network_sign")
    elif (
        min(momentum, later) > 0.999
        and remembers(subject)
        and (number or not impulse.catches_up(subject))
    ):
        values = {"momentum": f"{momentum:.3g}", "number": number}
        says = "network_one" if number else "network"
        yield finding("train.momentum", given, returned, "growth that ends", says, **values)


def remembers(subject: Subject) -> bool:
    """Tell whether the step before counts in a step: it does with momentum, not in a warm-up."""
    stepper = Stepper(subject)
    batches, after = (stepper.batch(12), stepper.batch(13)), []
    for first in batches:
        network = stepper.start(11)
        stepper.change(network, *first)
        after.append(stepper.change(network, *batches[0]))
    if None in after:
        return False
    pairs = zip(*after, strict=True)
    return any(length(a - b) > 0.05 * max(length(a), 1e-300) for a, b in pairs)


def _decay(subject: Subject, found: Response) -> Said:
    """Look for a part of the step that grows with the weights, and makes them larger."""
    stepper, points, rests = Stepper(subject), [], []
    batch = stepper.batch(12)
    for seed in (11, 21):
        network = stepper.start(seed)
        points.append([array.copy() for array in network.arrays()])
        steps, gradients = stepper.change(network, *batch), stepper.gradient(seed, *batch)
        if steps is None:
            return
        rests.append([s + r * g for s, r, g in zip(steps, found.rates, gradients, strict=True)])
    growth = []
    for old, new, rest, other in zip(*points, *rests, strict=True):
        apart, off = new - old, other - rest
        share = float(off.ravel() @ apart.ravel()) / max(float((apart**2).sum()), 1e-300)
        if length(off) > 1e-7 * length(apart) and cosine(off, apart) > 0.99:
            growth.append(share)
    if growth:
        shown = f"besides the gradient, {_row(growth)} times the weights are added"
        yield finding(
            "gradients.decay", "two points", shown, "something subtracted", "network_step"
        )


# --------------------------------------------------------------------------------------------------
# Steps in another direction
# --------------------------------------------------------------------------------------------------


def _aside(subject: Subject, found: Response, seen: dict[str, str]) -> Said:
    """Tell why steps are no multiples of the gradients."""
    cosines, visible = found.cosines, found.seen
    if _evenly(subject, found):
        yield finding("train.direction", **seen, says="network_mean")
        return
    along, last = cosines > PARALLEL, max(_matrices(subject), default=0)
    if not along[last] and _strangers(subject, last) > 0.05:
        yield finding("train.other_rows", **seen)
        return
    if _is_random(subject):
        yield note("random_step")
        return
    adam, growth = list(_adam(subject)), subject.once(moments.growth)
    of_adam = growth is not None
    lengths = _lengths(subject) if growth is None else growth.lengths
    if not adam and all(b < DYING * a for a, b in pairwise(lengths)):
        yield from list(schedule.rate(subject)) or [fading(lengths[:4])]
        return
    turned = _turned(found)
    if turned is not None:
        yield finding("train.direction", **seen, says="network_transposed", number=str(turned))
    elif any(isinstance(each, Finding) and each.says in moments.ONE_WAY for each in adam):
        yield from adam
    elif not along[last] and not of_adam and (unused := _unused(subject)):
        yield _without(unused, seen["given"])
    elif not along[last] and not of_adam and _has_a_mask(subject, last):
        yield finding("train.direction", **seen, says="network_mask", half=BATCH // 2, whole=BATCH)
    elif cosines[last] < 0.7 and _rows_are_mixed(subject):
        unused = _unused(subject)
        yield _without(unused, seen["given"]) if unused else finding("train.other_rows", **seen)
    elif share := _mixed_with_another(found):
        if share > 0.05:
            yield finding("train.shared_buffer", **seen)
        else:
            yield finding("train.direction", **seen, says="network_swapped")
    elif _against_others(cosines[visible]) and _against_others(_settled(subject)[visible]):
        yield finding("train.ascent", **seen, says="network_some")
    elif adam:
        yield from adam
    elif along[last] and not along[visible].all():
        if _was_moving(subject):
            return
        if _fades(subject, along) or _goes_back_late(subject, found):
            yield finding("train.early_update", **seen)
        elif (cosines[visible & ~along] < 0.9).any():
            yield finding("train.direction", **seen)
    elif (cosines[visible] < 0.05).all():
        yield finding("train.direction", **seen)
    elif _left_out(found) > 0.2 and (share := _never_moved(subject)) > 0.2:
        returned = f"no change in {share:.0%} of the numbers that have a gradient"
        yield finding("train.direction", seen["given"], returned, "a change in each")


def _lengths(subject: Subject) -> list[float]:
    """Return how far steps with one batch are from those with another, in multiples of the first.

    A velocity of before, which is the same in both, cancels.
    """
    stepper, lengths = Stepper(subject), []
    networks, batches = (
        [stepper.start(11) for _ in range(2)],
        [stepper.batch(12), stepper.batch(13)],
    )
    for _ in range(WALK):
        steps = [stepper.change(n, *b) for n, b in zip(networks, batches, strict=True)]
        pairs = () if None in steps else zip(*steps, strict=True)
        lengths.append(sum(length(a - b) for a, b in pairs) if None not in steps else np.nan)
    return [float(each / max(lengths[0], 1e-300)) for each in lengths]


def _was_moving(subject: Subject) -> bool:
    """Tell whether steps follow their gradients once velocities of before have faded.

    Nesterov's gradients are those of where the velocity leads.
    """
    rested = Stepper(subject).response(rested=True)
    return rested is not None and bool((rested.cosines[rested.seen] > PARALLEL).all())


def _against_others(cosines: np.ndarray) -> bool:
    return bool((cosines < -0.5).any() and (cosines > 0.5).any())


def _settled(subject: Subject) -> np.ndarray:
    """Return cosines of step and -gradient once the same gradient has filled the memory."""
    stepper = Stepper(subject)
    network, batch = stepper.start(11), stepper.batch(12)
    for _ in range(SETTLED):
        step = stepper.change(network, *batch)
    gradients = stepper.gradient(11, *batch)
    if step is None:
        return np.zeros(len(gradients))
    return np.array([cosine(s, -g) for s, g in zip(step, gradients, strict=True)])


def _evenly(subject: Subject, found: Response) -> bool:
    """Tell steps that are one number for all weights of a row or column, unlike the gradient."""
    largest, even = max(length(step) for step in found.steps), []
    for k in _matrices(subject):
        step, gradient = found.steps[k], found.gradients[k]
        if length(step) > 1e-9 * largest:
            spreads = [[np.ptp(a, axis=axis).max() for axis in (0, 1)] for a in (step, gradient)]
            sizes = np.abs(step).max(), np.abs(gradient).max()
            even.append(min(spreads[0]) < 1e-6 * sizes[0] and min(spreads[1]) > 0.01 * sizes[1])
    return bool(even) and all(even)


def _turned(found: Response) -> int | None:
    """Return which square weights step along the transpose of their gradient, if any do."""
    for k, (step, gradient) in enumerate(zip(found.steps, found.gradients, strict=True)):
        square = gradient.ndim == 2 and gradient.shape[0] == gradient.shape[1] > 1
        if square and found.seen[k] and cosine(step, -gradient.T) > PARALLEL > found.cosines[k]:
            return k
    return None


def _has_a_mask(subject: Subject, last: int) -> bool:
    """Tell steps that are others for 12 and for 24 copies of one picture, of which the mean counts.

    Whatever a method makes of gradients, it makes the same of the same ones.
    """
    stepper = Stepper(subject)
    x, y = stepper.batch(12)
    batches = [(np.repeat(x[:1], size, axis=0), np.repeat(y[:1], size)) for size in (12, 24)]
    steps = [stepper.change(stepper.start(11), *batch) for batch in batches]
    if None in steps:
        return False
    few, many = (stepper.gradient(11, *batch)[last] for batch in batches)
    same = np.allclose(few, many, rtol=1e-4, atol=1e-6 * np.abs(many).max())
    return same and length(steps[0][last] - steps[1][last]) > 0.1 * length(steps[0][last])


def _without(unused: list[int], given: str) -> Finding:
    """Make a finding of pictures that a step leaves out: at an end, or here and there."""
    count, (first, *_, last) = len(unused), [*unused, unused[-1]]
    at_end = last - first + 1 == count and (first == 0 or last == BATCH - 1)
    returned = f"the same step with {count} other pictures, and other labels"
    values, says = {"count": count, "size": BATCH}, "network_part" if at_end else "network_drawn"
    return finding("train.ignores_batch", given, returned, "another", says, **values)


def _unused(subject: Subject) -> list[int]:
    """Return which pictures of a batch, with their labels, make no difference to a step."""
    stepper = Stepper(subject)
    (x, y), others = stepper.batch(12), stepper.batch(13)[0]

    def step(rows: np.ndarray) -> Arrays | None:
        changed = np.where(rows[:, np.newaxis], others, x)
        return stepper.change(
            stepper.start(11), changed, np.where(rows, (y + 1) % subject.classes, y)
        )

    usual, rows = step(np.zeros(BATCH, bool)), np.arange(BATCH)
    if usual is None or not any(part.any() for part in usual):
        return []
    alone = [step(rows == row) for row in rows]
    same = [part is not None and all(map(np.array_equal, part, usual)) for part in alone]
    return [] if all(same) else np.flatnonzero(same).tolist()


def _left_out(found: Response) -> float:
    """Return the share of numbers with a gradient that a step leaves as they are."""
    pairs = zip(found.first, found.first_gradient, strict=True)
    still = [(step == 0)[np.abs(g) > 0.01 * np.abs(g).max()] for step, g in pairs if step.any()]
    return float(np.mean(np.concatenate(still))) if still else 0.0


def _never_moved(subject: Subject) -> float:
    """Return the share of numbers with a gradient that several steps leave as they are.

    Rprop leaves out those whose gradient has another sign than in the step before, and only once.
    """
    stepper = Stepper(subject)
    network, batch = stepper.start(11), stepper.batch(12)
    steps = [stepper.change(network, *batch) for _ in range(3)]
    if any(step is None for step in steps):
        return 0.0
    still = []
    for changes, g in zip(zip(*steps, strict=True), stepper.gradient(11, *batch), strict=True):
        if any(change.any() for change in changes):
            never = np.all([change == 0 for change in changes], axis=0)
            still.append(never[np.abs(g) > 0.01 * np.abs(g).max()])
    return float(np.mean(np.concatenate(still))) if still else 0.0


def _matrices(subject: Subject) -> list[int]:
    """Return which parameters are weights of layers."""
    return [k for k, array in enumerate(subject.arrays()) if is_matrix(array)]


def _mixed_with_another(found: Response) -> float:
    """Return its own gradient's share in a step that is made of another parameter's too; else 0.

    The other one has the same shape. A share that is next to nothing comes out as 1e-9.
    """
    for k, (step, own) in enumerate(zip(found.steps, found.gradients, strict=True)):
        if not found.seen[k] or found.cosines[k] > PARALLEL or not length(step):
            continue
        others = [
            g.ravel() for j, g in enumerate(found.gradients) if j != k and g.shape == own.shape
        ]
        if not others or own.size < len(others) + 4:
            continue
        parts = np.stack([own.ravel(), *others], axis=1)
        shares = np.linalg.lstsq(parts, step.ravel(), rcond=None)[0]
        if length(parts @ shares - step.ravel()) < 1e-3 * length(step):
            return max(abs(float(shares[0])) / float(np.abs(shares).max()), 1e-9)
    return 0.0


def _is_random(subject: Subject) -> bool:
    """Tell whether the same step comes out otherwise when it draws other random numbers."""
    stepper = Stepper(subject)
    batch = stepper.batch(12)
    steps = [stepper.change(stepper.start(11), *batch, luck=luck) for luck in LUCKS]
    if None in steps:
        return False
    pairs = zip(*steps, strict=True)
    return any(length(a - b) > 1e-3 * max(length(a), 1e-300) for a, b in pairs)


def _strangers(subject: Subject, last: int) -> float:
    """Return the share that pictures with another's label have in a step of the last layer.

    The batch has two pictures, each with its label, and each many times. In a step that is made of
    gradients, whichever of the rows it takes, those of four pairs add up; it must be made of two.
    """
    stepper = Stepper(subject)
    x, y = stepper.batch(12, size=2)[0], np.array([0, 1])
    mixed = np.random.default_rng(9).permutation(np.arange(BATCH) % 2)
    first, second = np.zeros(BATCH, int), np.ones(BATCH, int)
    pairs = (first, first), (second, second), (first, second), (second, first)
    gradients = [stepper.gradient(11, x[k], y[j])[last].ravel() for k, j in pairs]
    parts, largest = np.stack(gradients, axis=1), 0.0
    for luck in LUCKS:
        steps = [
            stepper.change(stepper.start(11), x[rows], y[rows], luck) for rows in (mixed, first)
        ]
        if None in steps:
            return 0.0
        step = (steps[0][last] - steps[1][last]).ravel()  # velocities of before cancel
        shares = np.linalg.lstsq(parts, step, rcond=None)[0]
        if not length(step) or length(parts @ shares - step) > 1e-3 * length(step):
            return 0.0
        largest = max(largest, float(np.abs(shares[2:]).max() / np.abs(shares).max()))
    return largest


def _rows_are_mixed(subject: Subject) -> bool:
    """Tell whether the order of the examples counts, pictures and labels moved together.

    Where it counts for the gradients as well, as with dropout, that tells nothing. The last layer
    alone is looked at: before batch normalisation biases have gradients that are rounding only,
    and Adam makes whole steps of those.
    """
    stepper = Stepper(subject)
    x, y = stepper.batch(12)
    order = np.random.default_rng(9).permutation(len(x))
    batches = (x, y), (x[order], y[order])
    gradients = [stepper.gradient(11, *batch) for batch in batches]
    steps = [stepper.change(stepper.start(11), *batch) for batch in batches]
    pairs = zip(*gradients, strict=True)
    if None in steps or any(length(a - b) > 1e-3 * max(length(a), 1e-300) for a, b in pairs):
        return False
    a, b = (step[max(_matrices(subject), default=0)] for step in steps)
    return length(a - b) > 0.1 * max(length(a), 1e-300)


def _fades(subject: Subject, along: np.ndarray) -> bool:
    """Tell whether the error grows with the step of the last layer, which was taken too early.

    Where the network is nearly right, that step is short, and the others have the right direction.
    """
    stepper, deviations = Stepper(subject), []
    last = max(_matrices(subject))
    before_it = max(k for k in range(len(along)) if not along[k])
    for size in (1, 6):
        batches = [stepper.batch(12), stepper.batch(13)]
        networks = [stepper.start(11) for _ in batches]
        steps, gradients = [], []
        for network, (x, y) in zip(networks, batches, strict=True):
            network.arrays()[last][...] *= size
            if size > 1:
                y = network.predict(x).argmax(axis=1)
            stepper.twin.random_point(11)
            stepper.twin.arrays()[last][...] *= size
            gradients.append(stepper.twin.gradients(x, y)[1])
            steps.append(stepper.change(network, x, y))
        if None in steps:
            return False
        step, gradient = (pair[0][before_it] - pair[1][before_it] for pair in (steps, gradients))
        deviations.append(1 - cosine(step, -gradient))
    return deviations[1] < 0.3 * deviations[0]


# --------------------------------------------------------------------------------------------------
# Adam and its like
# --------------------------------------------------------------------------------------------------


def _adam(subject: Subject) -> Said:
    """Look at Adam's first steps with the same gradient: with its corrections, all are as long.

    References
    ----------
    D. Kingma, J. Ba, Adam: a method for stochastic optimization, ICLR 2015 (arXiv:1412.6980).
    """
    known = subject.once(moments.method)
    if known is not None and (
        known.says or known.b1 or known.rate
    ):  # else it may be Adam, half corrected
        yield from moments.of_method(known, subject.once(moments.growth).lengths)
        return
    stepper = Stepper(subject)
    network, batch = stepper.start(11), stepper.batch(12)
    gradients = stepper.gradient(11, *batch)
    steps = [stepper.change(network, *batch) for _ in range(3)]
    if None in steps:
        return
    large = [np.abs(g) > 0.1 * np.abs(g).max() for g in gradients]
    large = [where & (np.abs(g) > 1e-6) for where, g in zip(large, gradients, strict=True)]
    kept = [k for k, where in enumerate(large) if where.sum() > 2]
    lengths = [[np.abs(step[k][large[k]]) for k in kept] for step in steps]
    if not kept:
        return
    given = "new memory; the same batch and weights, 3 times"
    first = [float(np.median(part)) for part in lengths[0]]
    if not min(first):
        return
    if not all(np.ptp(part) < 0.02 * np.median(part) for part in lengths[0]):
        products = [np.abs(steps[0][k] * gradients[k])[large[k]] for k in kept]
        if all(np.ptp(part) < 0.02 * np.median(part) for part in products):
            returned = "steps that are the shorter, the larger the gradient is"
            yield finding("train.adam", given, returned, "steps of one length", "network_root")
        return  # clipped, or with a memory of other steps
    if max(first) > 1.02 * min(first):
        if np.allclose(np.array(first) / first[0], [_uncorrected(k) for k in kept], rtol=0.02):
            returned = f"first steps of {_row(first)}, parameter by parameter"
            yield finding("train.adam", given, returned, "the same for all", "network_time")
        return
    growth = [float(np.median(part[0] / first[0])) for part in lengths]
    if growth[1] < 0.5 and growth[2] < 0.5 * growth[1]:
        yield fading(growth)
        return
    returned = f"steps of {_row(growth)} times the first"
    measured = subject.once(moments.growth) is not None or moments.with_momentum(growth)
    if (growth[1] > 1.1 and not measured) or (
        abs(growth[1] - 0.7073) < 0.003 and _remembers_sign(subject)
    ):  # no method of this kind grows like that
        yield finding("train.adam", given, returned, "1, 1, 1")


def fading(lengths: Iterable[float]) -> Finding:
    """Make a finding of steps that get shorter and shorter, with the same gradient."""
    given, returned = "the same batch and weights each time", f"steps of lengths {_row(lengths)}"
    return finding("train.adam", given, returned, "steps as long as before", "network_fading")


def hidden_lengths(subject: Subject, stuck: Iterable[int]) -> list[float]:
    """Return lengths of steps that these parameters show only where they are 0; else nothing.

    To all other numbers they are too small to be added.
    """
    if subject.twin is None:
        return []
    stepper, stuck = Stepper(subject), list(stuck)
    network, batch, lengths = stepper.start(11), stepper.batch(12), []
    for array in network.arrays():
        array.flat[::3] = 0
    for _ in range(3):
        changes = stepper.change(network, *batch)
        if changes is None:
            return []
        pairs = [(part.flat[::3], part.flat[1::3]) for part in (changes[k] for k in stuck)]
        hidden = [at_0 for at_0, others in pairs if np.mean(at_0 != 0) > 2 * np.mean(others != 0)]
        if not hidden:
            return []
        sizes = np.abs(np.concatenate(hidden))
        lengths.append(float(np.median(sizes[sizes > 0])))
    return lengths


def _uncorrected(count: int) -> float:
    """Return the length of a first step whose time is `count` + 1, if that of time 1 is 1."""
    t = count + 1
    return float(0.1 / (1 - 0.9**t) / np.sqrt(0.001 / (1 - 0.999**t)))


def _remembers_sign(subject: Subject) -> bool:
    """Tell whether a step may go against its own gradient, for the sake of the one before."""
    stepper = Stepper(subject)
    network = stepper.start(11)
    stepper.change(network, *stepper.batch(12))
    steps, gradients = stepper.change(network, *stepper.batch(13)), None
    gradients = stepper.gradient(11, *stepper.batch(13))
    if steps is None:
        return False
    against = [
        np.mean((s * g)[g != 0] > 0) for s, g in zip(steps, gradients, strict=True) if g.any()
    ]
    return bool(np.mean(against) > 0.02)


def _row(numbers: Iterable[float]) -> str:
    return ", ".join(f"{number:.3g}" for number in numbers)


def beside_giant_weights(subject: Subject) -> list[tuple[float, float]]:
    """Make the first weights giants, and inputs as much smaller: what grows with weights shows.

    The gradient is next to nothing then, and Adam makes no more of it than of any other.

    Returns
    -------
    for two draws of weights, the cosine of step and weights, and which multiple of them is added;
    an empty list where that can't be seen
    """
    k, stepper, found = first_weights(subject), Stepper(subject), []
    for seed in (11, 21) if k is not None else ():
        network, (x, y) = stepper.start(seed), stepper.batch(seed + 1)
        network.arrays()[k][...] *= GIANT
        before = network.arrays()[k].astype(np.float64)
        step = stepper.change(network, x / GIANT, y)
        if step is None or not np.isfinite(step[k]).all() or not step[k].any():
            return []
        share = float(step[k].ravel() @ before.ravel()) / float((before**2).sum())
        found.append((cosine(step[k], before), share))
    return found


@probe(
    needs="step parameters probabilities whole twin",
    unless="network.random gradients train.ascent train.no_update train.nan function",
)
def weights_grow(subject: Subject) -> Said:
    """Look for weights to which a step adds a multiple of themselves."""
    cosines = [cosine for cosine, _ in subject.once(beside_giant_weights)]
    if cosines and min(cosines) > 0.5:
        given = f"first weights {GIANT:.0e} times as large, and inputs as much smaller"
        returned = f"a step along these weights, with a cosine of {min(cosines):.2f}"
        yield finding("gradients.decay", given, returned, "0, or less", "network_step")


@probe(needs="step parameters finite whole twin", unless="network.random train function")
def rounded(subject: Subject) -> Said:
    """Compare steps of numbers in half precision with the same steps in double precision.

    Where a copy is kept in more digits, short steps add up in it, and show in time.
    """
    if not any(array.dtype == np.float16 for array in subject.arrays()):
        return
    x, y, ends = subject.x[:BATCH], subject.y[:BATCH], []
    for dtype in (None, np.float64):
        network = subject.copy(dtype)
        for _ in range(LONG):
            network.attempt("step", x, network.labels_for(y))
        ends.append([array.astype(np.float64) for array in network.arrays()])
    kept, seen = [], 0
    for start, own, exact in zip(subject.arrays(), *ends, strict=True):
        moved = exact - start.astype(np.float64)
        far = np.abs(moved) > ULPS * np.spacing(np.abs(start).astype(np.float16)).astype(float)
        kept.append(((own - start.astype(np.float64))[far] / moved[far]) < LOST)
        seen += int(np.count_nonzero(moved))
    lost = np.concatenate(kept)
    if lost.size > 0.05 * seen and lost.mean() > LOST:
        given = f"one batch, {LONG} times; {lost.size} numbers that should move far enough to show"
        returned = f"{lost.mean():.0%} of them have moved less than half as far, or not at all"
        expected = "as with numbers in float64"
        yield finding("train.no_update", given, returned, expected, "network_rounded")


PROBES = (against_gradient, weights_grow, rounded)
