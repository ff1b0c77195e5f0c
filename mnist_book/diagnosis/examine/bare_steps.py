"""A step of training without gradients beside it: held against slopes of what it should lower."""

import numpy as np

from mnist_book.diagnosis.examine import moments, schedule, steps
from mnist_book.diagnosis.examine.causes import cause
from mnist_book.diagnosis.examine.last_layer import output_bias
from mnist_book.diagnosis.examine.paths import in_words, right_layers
from mnist_book.diagnosis.examine.probing import Cause, Said, finding, probe
from mnist_book.diagnosis.examine.results import is_matrix
from mnist_book.diagnosis.examine.slopes import BATCH, Slopes, compare
from mnist_book.diagnosis.examine.stepper import CERTAIN, Stepper
from mnist_book.diagnosis.examine.subject import Subject
from mnist_book.diagnosis.examine.told import Found, adds_up, told
from mnist_book.diagnosis.running import Theirs

SURE = "gradients.extra_softmax gradients.no_labels gradients.inputs"
SURE += " network_seen network_twice network_targets network_bent network_last_picture"
OF_OWN_LOSS = " gradients.squares network_no_derivative network_diagonal"
ALIKE = 1e-3  # off a cosine of 1, of what differs in length alone


@probe(
    needs="step parameters probabilities whole twin",
    unless="network.random softmax gradients cross_entropy train function linear",
)
def back(subject: Subject) -> Said:
    """Look for wrong gradients in steps that are made of gradients."""
    if "loss_and_gradients" in subject.has or subject.twin.unread:
        return
    difference = Stepper(subject).difference()
    if difference and not any(part.any() for part in difference) and steps.remembers(subject):
        returned = "the same step for both, and then two steps"
        yield finding("train.momentum", "two batches", returned, "two steps", "network_late")
        return
    found = subject.once(told)
    if found is None:
        return
    if found.network.rate < 0:
        given, returned = "random weights", "steps of the last layer along its gradient"
        yield finding("train.ascent", given, returned, "against it")
        return
    left = found.slopes.without_decay()[2]
    again = compare(found.network, seed=5, factor=1.0)
    if isinstance(again, str):
        return
    wrong = left.wrong.any() and again.without_decay()[2].wrong.any()
    if subject.once(_learns_more):
        return
    late = found.along and _turned_late(found, left)
    reason = Cause("train.early_update") if late else None
    if wrong and not late:
        reason = _cause(subject, found, left)
    if reason is None:
        if found.along:
            yield from steps.rate_twice(subject, found.network.rate)
        return
    given = f"{left.batch} random inputs, random weights; gradients are told from steps"
    errors, factors = (", ".join(f"{n:.3g}" for n in part) for part in (left.errors, left.factors))
    returned = f"relative errors {errors}; {factors} times the numeric gradient"
    expected = f"below {left.tolerance:.0e} for each array"
    values: dict[str, Theirs] = {"m": left.batch, **reason.values}
    yield finding(reason.code, given, returned, expected, reason.says, **values)


def _learns_more(subject: Subject) -> bool:
    """Tell whether hidden layers learn something besides the labels, of a loss that nobody sees.

    A penalty of activations does that. Where the outputs are sure of the right label, no error
    comes back; what these layers' steps hold all the same is neither weight decay nor the same for
    every label.
    """
    found = subject.once(told)
    bias = output_bias(subject)
    if subject.losses or bias is None or found is None or not found.along:
        return False
    network, arrays = found.network, found.network.arrays()
    x, y = network.inputs(np.random.default_rng(1), BATCH), np.zeros(BATCH, int)
    network.random_point(2)
    usual, other = (network.gradients(x, labels)[1] for labels in (y, y + 1))
    arrays[bias].flat[:] = -CERTAIN
    arrays[bias].flat[0] = CERTAIN
    sure = network.gradients(x, y)[1]
    last = max(k for k, array in enumerate(arrays) if is_matrix(array))
    for k in set(range(len(arrays))) - {last, bias}:
        parts = np.stack([arrays[k].ravel(), np.sign(arrays[k].ravel())], axis=1)
        rest = sure[k].ravel() - parts @ np.linalg.lstsq(parts, sure[k].ravel(), rcond=None)[0]
        size = float(np.linalg.norm(usual[k] - other[k]))
        if np.linalg.norm(rest) > ALIKE * size > 0:
            return True
    return False


def _turned_late(found: Found, usual: Slopes) -> bool:
    """Tell an error that goes back through weights that have taken their step already.

    Where the last weights are small, their step turns it far.
    """
    for seed in (2, 5):  # a bend may lie between two losses, once
        small = compare(found.network, "faint", seed, factor=1.0)
        if isinstance(small, str):
            return False
        small = small.without_decay()[2]
        turned = 1 - small.cosines > ALIKE  # not so where gradients are clipped
        grown = small.errors > 3 * usual.errors + usual.tolerance
        if not (small.wrong & turned & grown).any():
            return False
    return True


def _cause(subject: Subject, found: Found, slopes: Slopes) -> Cause | None:
    """Name what is wrong, as far as steps tell it from rates that are meant to differ."""
    reason = cause(found.network, slopes)
    if not found.along:
        sure = (SURE + OF_OWN_LOSS * bool(subject.losses)).split()
        return reason if reason.code in sure or reason.says in sure else None
    if (np.abs(slopes.cosines) > 1 - ALIKE).all():
        uphill = (slopes.factors < 0).any()
        return Cause("train.ascent", "network_some") if uphill else _of_rates(found, slopes)
    if reason.says == "network_through_updated":
        return Cause("train.early_update")
    if reason.says == "network_mixed":  # or weights that have taken a long step
        layers = in_words(right_layers(subject.arrays(), slopes.wrong))
        return Cause("gradients.wrong", "network_before", {"layers": layers})
    if reason.code == "gradients.zero":
        return None  # a layer that is to stay as it is, perhaps
    if reason.says == "network_zero":
        return Cause("train.no_update", "network_biases")
    return reason


def _of_rates(found: Found, slopes: Slopes) -> Cause | None:
    """Tell a 1/m that is missing in some lines, or in twice, from rates that are others."""
    weights = np.array(slopes.weights)
    alone = compare(found.network, batch=1, factor=1.0)
    if isinstance(alone, str) or not all(adds_up(found.network, k) for k in range(len(weights))):
        return None
    same = np.allclose(alone.factors, slopes.factors, rtol=0.02)
    rates = ", ".join(f"{factor:.3g}" for factor in slopes.factors)
    if not slopes.wrong[weights].any():
        return None if same else Cause("gradients.bias")
    if not same:
        return Cause("gradients.scale", "network_differ", {"factors": rates})
    return Cause("train.rates_differ", values={"rates": rates})


@probe(needs="step parameters finite whole twin", unless="network.random train function")
def adam(subject: Subject) -> Said:
    """Look at the corrections of Adam's steps."""
    known = None if "loss_and_gradients" in subject.has else subject.once(moments.method)
    if known is not None and not subject.once(_learns_more):
        yield from moments.of_method(known, subject.once(moments.growth).lengths)


@probe(needs="step parameters finite whole twin", unless="network.random train function")
def momentum(subject: Subject) -> Said:
    """Look at how steps grow."""
    if "loss_and_gradients" not in subject.has:
        yield from steps.momentum(subject)
        if subject.once(moments.growth) is None:  # Adam's difference is no rate
            yield from schedule.rate(subject)


PROBES = (back, adam, momentum)
