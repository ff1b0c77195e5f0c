"""The loss: whether it is the mean cross-entropy of the probabilities."""

import numpy as np

from mnist_book.diagnosis.examine.notes import note
from mnist_book.diagnosis.examine.probing import Said, finding, probe
from mnist_book.diagnosis.examine.results import cross_entropy, loss_in
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
        returned, expected = type(result).__name__, "(float, list)"
        yield finding("function.shape", given, returned, expected, says="network_loss")


@probe(needs="loss_and_gradients finite")
def finite(subject: Subject) -> Said:
    """Finite probabilities must give a finite loss."""
    x, y = subject.x[:BATCH], subject.y[:BATCH]
    loss, _ = subject.gradients(x, y)
    if not np.isfinite(loss):
        expected = f"{cross_entropy(subject.probabilities[: len(x)], y):.4f}"
        given = f"x {x.shape}, {len(x)} labels"
        yield finding("cross_entropy.log_zero", given, f"{loss}", expected)


@probe(needs="loss_and_gradients finite", unless="softmax cross_entropy")
def value(subject: Subject) -> Said:
    """Compare the loss with multiples of the mean cross-entropy."""
    name, factor, loss = subject.once(multiple)
    if name:
        m = min(BATCH, len(subject.x))
        given, expected = f"x {subject.x[:m].shape}, {m} labels", f"{loss / factor:.4f}"
        code, times = f"cross_entropy.{name}", f"{factor:.4g}"
        yield finding(code, given, f"{loss:.4f}", expected, factor=times)


def multiple(subject: Subject) -> tuple[str, float, float]:
    """Return which multiple of the mean cross-entropy the loss is: a name, the factor, the loss.

    The name is empty and the factor 1 if it is none.
    """
    x, y = subject.x[:BATCH], subject.y[:BATCH]
    loss, _ = subject.gradients(x, y)
    if not subject.finite:
        return "", 1.0, loss
    expected, m = cross_entropy(subject.probabilities[: len(x)], y), len(x)
    factors = {m: "not_mean", 0.1: "not_mean", 1 / m: "not_mean", -1: "sign", -m: "sign"}
    factors |= {1 / np.log(2): "base", 1 / np.log(10): "base"}
    for factor, name in factors.items():
        if np.isclose(loss, factor * expected, rtol=1e-4):
            return name, factor, loss
    return "", 1.0, loss


PROBES = (form, finite, value)
