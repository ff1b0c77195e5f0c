"""The loss: whether it is the mean cross-entropy of the probabilities."""

import numpy as np

from mnist_book.diagnosis.examine.halves import gradients_have_both, half_of_loss
from mnist_book.diagnosis.examine.notes import note
from mnist_book.diagnosis.examine.objective import LABELLINGS, objective
from mnist_book.diagnosis.examine.plain import kind_of
from mnist_book.diagnosis.examine.probing import Said, finding, probe
from mnist_book.diagnosis.examine.results import cross_entropy, loss_in
from mnist_book.diagnosis.examine.slopes import fit_their_loss
from mnist_book.diagnosis.examine.subject import Subject

BATCH = 61  # pictures, a number that is no layer's size
CLASSES_BATCH, FEW = 7, 11  # pictures


@probe(needs="loss_and_gradients probabilities")
def form(subject: Subject) -> Said:
    """Ask for a loss and gradients, with labels as given, or else with one-hot labels."""
    if subject.takes_one_hot:
        yield note("one_hot")
    x, y = subject.x[:BATCH], subject.y[:BATCH]
    result = subject.call("loss_and_gradients", x, subject.labels_for(y))
    if loss_in(result) is None:
        given = f"x {x.shape}, {len(x)} labels"
        returned, expected = kind_of(result), "(float, list)"
        yield finding("function.shape", given, returned, expected, says="network_loss")


@probe(needs="losses finite")
def finite(subject: Subject) -> Said:
    """Finite probabilities must give a finite loss, of a batch and of all pictures."""
    x, y = subject.x[:BATCH], subject.y[:BATCH]
    loss = subject.loss(x, y)
    if np.isfinite(loss):
        x, y = subject.x, subject.y  # one surely wrong picture among many is enough
        loss = subject.copy().attempt_loss(x, y)
    if loss is None or np.isfinite(loss):
        return
    expected = f"{cross_entropy(subject.probabilities[: len(x)], y):.4f}"
    given = f"x {x.shape}, {len(x)} labels"
    if np.isnan(loss) and subject.twin and _never_a_number(subject):
        given += ", of which none is improbable"
        yield finding("cross_entropy.overwritten", given, f"{loss}", expected, "network_nan")
    else:
        yield finding("cross_entropy.log_zero", given, f"{loss}", expected)


def _never_a_number(subject: Subject) -> bool:
    """Tell whether the loss is NaN at weights with which all classes are about as probable."""
    twin, losses = subject.twin, []
    for seed in (2, 5):
        twin.random_point(seed, "small")
        x, y = subject.inputs(np.random.default_rng(seed), FEW), np.arange(FEW) % subject.classes
        p = twin.predict(x)
        if p.shape != (FEW, subject.classes) or not (
            0.01 / subject.classes < p.min() <= p.max() < 0.99
        ):
            return False
        losses.append(twin.loss(x, y))
    return bool(np.isnan(losses).all())


@probe(needs="losses finite twin", unless="network.random softmax cross_entropy function")
def constant(subject: Subject) -> Said:
    """Look for a loss that is one and the same number whatever it is asked for."""
    if subject.once(objective).name:
        return
    twin, losses, rng = subject.twin, [], np.random.default_rng(1)
    for seed in (2, 5, 11):
        twin.random_point(seed)
        x, y = subject.inputs(rng, FEW), rng.integers(0, subject.classes, FEW)
        losses.append(twin.loss(x, y))
    if np.isfinite(losses).all() and np.ptp(losses) < 1e-9 * np.abs(losses[0]):
        given = "3 times other weights, pictures and labels"
        returned = f"{losses[0]:.4f} each time, -log({np.exp(-losses[0]):.2g})"
        yield finding("cross_entropy.overwritten", given, returned, "three losses")


@probe(needs="losses finite twin", unless="network.random softmax cross_entropy function")
def half(subject: Subject) -> Said:
    """Look for sigmoids of whose binary cross-entropy one half is missing."""
    asked, sums = subject.once(objective), subject.probabilities.sum(axis=1)
    nothing_else = abs(asked.extra) < 1e-6 * abs(asked.loss) and np.allclose(sums, 1, atol=1e-3)
    if asked.name not in ("", "cross_entropy") or (asked.name and nothing_else):
        return
    if found := subject.once(half_of_loss):
        given = f"one picture, all {subject.classes} labels, random weights"
        says, returned = HALVES[found]
        says += "_gradients" if gradients_have_both(subject) else ""
        yield finding("cross_entropy.half", given, returned, "another for each score", says)


@probe(needs="losses finite", unless="softmax cross_entropy")
def value(subject: Subject) -> Said:
    """Tell what it is that the loss measures, and compare it with the mean cross-entropy."""
    found = subject.once(objective)
    given = f"{found.batch} examples, {LABELLINGS} sets of labels"
    factor, expected = f"{found.factor:.4g}", "the mean of -log(probability of the label)"
    name = found.mistake(subject.classes)
    if name in ("not_mean", "base") and subject.once(fit_their_loss):
        yield note("summed", factor=factor, count=found.batch)
    elif name:
        right = f"{(found.loss - found.extra) / found.factor:.4f}"
        yield finding(f"cross_entropy.{name}", given, f"{found.loss:.4f}", right, factor=factor)
    elif found.name.startswith("epsilon"):
        epsilon = found.name.removeprefix("epsilon ")
        seen = f"-log(probability of the label + {epsilon}), for all of them"
        yield finding(
            "cross_entropy.log_zero", given, seen, expected, "network_epsilon", epsilon=epsilon
        )
    elif found.name in OTHER_LOSSES:
        code, says, returned = OTHER_LOSSES[found.name]
        yield finding(code, given, f"{returned}, for all of them", expected, says)


def _counts(subject: Subject, x: np.ndarray, y: np.ndarray, k: int) -> bool:
    """Tell whether a picture of the batch makes a difference to the loss, with any label."""
    x, y, losses = x.copy(), y.copy(), []
    for shift in range(3):
        losses.append(subject.twin.loss(x, y))
        x[k], y[k] = x[k] * 0.5, (y[k] + shift + 1) % subject.classes
    return len(set(losses)) > 1


@probe(needs="losses finite twin", unless="softmax cross_entropy function")
def classes(subject: Subject) -> Said:
    """Look for labels that are taken for other ones, where the loss is none of the usual kind.

    All pictures get the same scores and the same label: the loss must fall fastest when the score
    of that label grows.
    """
    twin, last = subject.twin, subject.twin.last_layer()
    if subject.once(objective).name or len(last) < 2:
        return
    twin.random_point(2)
    for array in last:
        array[...] = 0
    x, bias, taken = subject.x[:CLASSES_BATCH].astype(float), last[1].reshape(-1), {}
    if twin.loss(x, np.zeros(len(x), int)) != twin.loss(x, np.zeros(len(x), int)):
        return
    for label in range(subject.classes):
        y, losses = np.full(len(x), label), []
        for score in range(subject.classes):
            bias[score] += 0.1
            losses.append(twin.loss(x, y))
            bias[score] -= 0.1
        best = int(np.argmin(losses))
        if losses[best] < losses[label] - 1e-6 * np.ptp(losses):
            taken[label] = best
    if taken and len(taken) < subject.classes:
        given, label = f"{len(x)} pictures, all with label {min(taken)}", min(taken)
        returned = f"a loss that falls fastest with the score of {taken[label]}"
        expected = f"with that of {label}"
        pairs = ", ".join(f"{a} for {b}" for a, b in taken.items())
        yield finding(
            "cross_entropy.wrong_class", given, returned, expected, "network_taken", pairs=pairs
        )


@probe(needs="losses finite twin", unless="softmax cross_entropy function")
def own_label(subject: Subject) -> Said:
    """Look for labels that belong to no picture of their own, where the loss is no usual one.

    What another label changes for a picture depends on that picture; if it stays the same with
    another picture in its place, the label goes with some other one, or with none.
    """
    if subject.once(objective).name:
        return
    twin, rng = subject.twin, np.random.default_rng(7)
    twin.random_point(2)
    x, others = (subject.inputs(rng, FEW) for _ in range(2))
    y, found = rng.integers(0, subject.classes, FEW), []
    if twin.loss(x, y) != twin.loss(x, y):
        return  # what is left over from call to call has a probe of its own
    for k in range(FEW):
        changes = []
        for picture in (x[k], others[k]):
            batch, label = x.copy(), y.copy()
            batch[k], label[k] = picture, (y[k] + 1) % subject.classes
            changes.append(twin.loss(batch, label) - twin.loss(batch, y))
        found.append(changes)
    counts = [_counts(subject, x, y, k) for k in range(FEW)]
    if any(counts) and not all(counts):
        given = "other pictures with other labels in a batch, one by one"
        returned, count = "the same loss for some of them", counts.count(False)
        yield finding(
            "cross_entropy.not_mean",
            given,
            returned,
            "another one",
            "network_part",
            count=count,
            size=FEW,
        )
        return
    counted = [pair for pair in found if np.abs(pair).max() > 1e-9] or found
    strange = [bool(np.isclose(a, b, rtol=1e-9, atol=1e-12)) for a, b in counted]
    if np.mean(strange) >= 0.5:
        given = "another label for a picture, and the same with another picture in its place"
        returned = f"for {sum(strange)} of {len(strange)} the loss changes by the same"
        expected = "by what the picture's own probabilities are"
        yield finding("cross_entropy.wrong_class", given, returned, expected)


HALVES = {
    "own": ("network", "a loss that only the score of the label changes"),
    "others": ("network_others", "a loss that the score of the label does not change"),
}
OTHER_LOSSES = {
    "no_log": ("cross_entropy.no_log", "network", "-(probability of the label)"),
    "inside": ("softmax.squashed", "network_loss", "-log(softmax(probabilities)) of the label"),
    "next": ("cross_entropy.wrong_class", "network", "-log(probability of the class label + 1)"),
    "previous": ("cross_entropy.wrong_class", "network", "-log(probability of class label - 1)"),
    "pairs": ("cross_entropy.wrong_class", "network_pairs", "each picture with all labels"),
    "reversed": ("cross_entropy.wrong_class", "network", "the labels from last to first"),
    "neighbour": ("cross_entropy.wrong_class", "network", "the labels of the picture before"),
    "others": ("cross_entropy.wrong_class", "network", "-log(1 - probability of the label)"),
    "largest": ("cross_entropy.wrong_class", "network_largest", "-log(largest probability)"),
}


PROBES = (form, finite, constant, half, value, own_label, classes)
