"""A step of training without gradients beside it: held against slopes of what it should lower.

Which loss that is, the step of the last layer tells: it follows that of one of the usual ones.
Where it follows none, as with Adam or dropout, nothing is said.
"""

import numpy as np

from mnist_book.diagnosis.examine import moments, schedule, steps
from mnist_book.diagnosis.examine.objective import SCORES, Score
from mnist_book.diagnosis.examine.paths import in_words, right_layers
from mnist_book.diagnosis.examine.probing import Said, finding, probe
from mnist_book.diagnosis.examine.results import is_matrix, is_weights
from mnist_book.diagnosis.examine.stepper import Stepper
from mnist_book.diagnosis.examine.steps import SMALL_WEIGHTS
from mnist_book.diagnosis.examine.subject import Subject

ENTRIES = 12  # of each array that are compared
USUAL_LOSSES = ("cross_entropy", "squares", "binary")
ONE_NUMBER = 1e-6  # of a step, by which rounding makes equal numbers differ
ALONG, ASIDE = 0.9999, 0.98  # cosines of a step that follows the slopes, and of one that does not


@probe(
    needs="step parameters finite whole twin",
    unless="network.random softmax gradients cross_entropy train function linear",
)
def back(subject: Subject) -> Said:
    """Compare a step of the layers before the last one with slopes, where the last one is right."""
    last = max((k for k, a in enumerate(subject.arrays()) if is_matrix(a)), default=0)
    if "loss_and_gradients" in subject.has or not last or subject.twin.unread:
        return
    if any(array.dtype != np.float64 for array in subject.twin.arrays()):
        return
    for name in USUAL_LOSSES:
        found = [_cosines(subject, SCORES[name], last, seed) for seed in (11, 21)]
        if all(each is not None and abs(each[last]) > ALONG for each in found):
            break
    else:
        return
    given = "random weights, two batches"
    shown = ("none" if np.isnan(c) else f"{c:.3f}" for c in found[0])  # no step, or no slope
    returned = f"cosines of step and slopes {', '.join(shown)}"
    if any((each < -ASIDE).any() for each in found):
        if all((each > ASIDE).any() for each in found):
            yield finding("train.ascent", given, returned, "1 for each array", "network_some")
        return
    if says := _of_biases(subject, found):
        yield finding("gradients.bias", given, returned, "1 for each array", says)
        return
    worst = max(float(np.nanmin(each[:last])) for each in found)
    if worst > ASIDE and not _turned_late(subject, SCORES[name], last, found[0]):
        return
    if _turned_late(subject, SCORES[name], last, found[0]):
        yield finding("train.early_update", given, returned, "1 for each array")
    elif worst < ASIDE:
        layers = in_words(right_layers(subject.arrays(), np.fmin.reduce(found) < ALONG))
        expected = "1 for each array"
        yield finding("gradients.wrong", given, returned, expected, "network_before", layers=layers)


def _of_biases(subject: Subject, found: list[np.ndarray]) -> str:
    """Say what is wrong with biases, if all weights step along the slopes and they don't."""
    weights = np.array([is_weights(array) for array in subject.arrays()])
    if not all((each[weights] > ALONG).all() for each in found):
        return ""
    off = [k for k in np.flatnonzero(~weights) if all(each[k] < ASIDE for each in found)]
    if not off:
        return ""
    stepper = Stepper(subject)
    steps = stepper.change(stepper.start(11), *stepper.batch(12)) or []
    alike = [np.ptp(steps[k]) < ONE_NUMBER * np.abs(steps[k]).max() for k in off if steps]
    return "network_one_number" if alike and all(alike) else "network"


def _turned_late(subject: Subject, score: Score, last: int, usual: np.ndarray) -> bool:
    """Tell an error that goes back through weights that have taken their step already.

    Where the last weights are small, their step turns it far.
    """
    small = None if _remembers(subject) else _cosines(subject, score, last, 11, SMALL_WEIGHTS)
    if small is None or not small[last] > ALONG:
        return False
    off, off_usually = (1 - float(np.nanmin(each[:last])) for each in (small, usual))
    return off > 3 * off_usually + 1e-3


def _remembers(subject: Subject) -> bool:
    """Tell whether a step depends on those before: Nesterov's gradient is taken somewhere else."""
    stepper = Stepper(subject)
    network, batch = stepper.start(11), stepper.batch(12)
    steps = [stepper.change(network, *batch) for _ in range(2)]
    pairs = [] if None in steps else zip(*steps, strict=True)
    return None in steps or any(not np.allclose(a, b, rtol=1e-6, atol=1e-12) for a, b in pairs)


def _cosines(
    subject: Subject, score: Score, last: int, seed: int, shrink: float = 1
) -> np.ndarray | None:
    """Return for each array the cosine of the step and the falling loss; NaN where there is none.

    Both are differences of two batches, in which velocities and weight decay cancel.
    """
    stepper = Stepper(subject)
    batches = [stepper.batch(seed + 1), stepper.batch(seed + 2)]
    steps = [stepper.change(stepper.start(seed, shrink), *batch) for batch in batches]
    if None in steps:
        return None
    pairs = list(zip(*steps, strict=True))
    if max(float(np.abs(a).max()) for a, _ in pairs) > 1:
        return None  # so long a step is a matter of its own
    changes, cosines = [(a - b).ravel() for a, b in pairs], np.full(len(pairs), np.nan)
    for k, change in enumerate(changes):
        entries = np.argsort(-np.abs(change))[:ENTRIES]
        slopes = _slopes(stepper, score, batches, seed, shrink, k, entries)
        sizes = float(np.linalg.norm(slopes)), float(np.linalg.norm(change[entries]))
        if slopes.size > 2 and np.isfinite(slopes).all() and min(sizes) > 1e-9:
            cosines[k] = -float(slopes @ change[entries]) / (sizes[0] * sizes[1])
        if k == last and not abs(cosines[k]) > ALONG:
            return None
    return cosines if np.isfinite(cosines[:last]).any() else None


def _slopes(
    stepper: Stepper,
    score: Score,
    batches: list[tuple[np.ndarray, np.ndarray]],
    seed: int,
    shrink: float,
    k: int,
    entries: np.ndarray,
) -> np.ndarray:
    """Compute slopes of the loss by central differences, of the first batch less the second."""
    stepper.place(stepper.twin, seed, shrink)
    array, slopes = stepper.twin.arrays()[k], []
    for entry in entries:
        value, losses = array.flat[entry], []
        for sign in (1, -1):
            array.flat[entry] = value + sign * 1e-5
            a, b = (score(stepper.twin.predict(x), y) for x, y in batches)
            losses.append(a - b)
        array.flat[entry] = value
        slopes.append((losses[0] - losses[1]) / 2e-5)
    return np.array(slopes)


@probe(needs="step parameters finite whole twin", unless="network.random train function")
def adam(subject: Subject) -> Said:
    """Look at the corrections of Adam's steps."""
    known = None if "loss_and_gradients" in subject.has else subject.once(moments.method)
    if known is not None:
        yield from moments.of_method(known, subject.once(moments.growth).lengths)


@probe(needs="step parameters finite whole twin", unless="network.random train function")
def momentum(subject: Subject) -> Said:
    """Look at how steps grow."""
    if "loss_and_gradients" not in subject.has:
        yield from steps.momentum(subject)
        if subject.once(moments.growth) is None:  # Adam's difference is no rate
            yield from schedule.rate(subject)


PROBES = (back, adam, momentum)
