"""The loss: whether it is the mean cross-entropy of the probabilities."""

import numpy as np

from mnist_book.diagnosis.examine.notes import note
from mnist_book.diagnosis.examine.objective import LABELLINGS, objective
from mnist_book.diagnosis.examine.plain import kind_of
from mnist_book.diagnosis.examine.probing import Said, finding, probe
from mnist_book.diagnosis.examine.results import cross_entropy, loss_in
from mnist_book.diagnosis.examine.slopes import fit_their_loss
from mnist_book.diagnosis.examine.subject import Subject

BATCH = 61  # pictures, a number that is no layer's size


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
    """Finite probabilities must give a finite loss."""
    x, y = subject.x[:BATCH], subject.y[:BATCH]
    loss = subject.loss(x, y)
    if not np.isfinite(loss):
        expected = f"{cross_entropy(subject.probabilities[: len(x)], y):.4f}"
        given = f"x {x.shape}, {len(x)} labels"
        yield finding("cross_entropy.log_zero", given, f"{loss}", expected)


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


PROBES = (form, finite, value)
