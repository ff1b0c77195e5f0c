"""The gradients: their shapes, and what central differences say of them at other points."""

from dataclasses import replace

import numpy as np

from mnist_book.diagnosis.evidence import cleaned
from mnist_book.diagnosis.examine import steps
from mnist_book.diagnosis.examine.causes import cause
from mnist_book.diagnosis.examine.notes import unchecked
from mnist_book.diagnosis.examine.objective import objective
from mnist_book.diagnosis.examine.probing import Cause, Said, finding, probe
from mnist_book.diagnosis.examine.results import as_array, is_weights, loss_in
from mnist_book.diagnosis.examine.slopes import BATCH, Slopes, compare
from mnist_book.diagnosis.examine.subject import Subject
from mnist_book.diagnosis.running import Theirs


@probe(needs="loss_and_gradients parameters probabilities")
def shapes(subject: Subject) -> Said:
    """There must be a gradient of the right shape for each parameter."""
    x, y = _batch(subject)
    result = subject.call("loss_and_gradients", x, subject.labels_for(y))
    if loss_in(result) is None or not subject.arrays():
        return
    gradients = list(map(as_array, subject.in_order(result[1])))
    found, wanted = [g.shape for g in gradients], [a.shape for a in subject.arrays()]
    seen = {"given": f"{len(x)} examples", "returned": cleaned(found), "expected": cleaned(wanted)}
    if len(found) != len(wanted) or not all(g.size for g in gradients):
        yield finding("function.shape", **seen, says="network_gradients")
        return
    for shape, right in zip(found, wanted, strict=True):
        same_size = np.prod(shape, dtype=int) == np.prod(right, dtype=int)
        if same_size and (shape == right or 1 in right or len(right) < 2):
            continue
        if len(right) == 2 and min(right) > 1 and shape == right[::-1]:
            yield finding("gradients.transposed", **seen, says="network_shape")
        elif len(right) < 2 or 1 in right:
            yield finding("gradients.bias", **seen, says="network_shape")
        else:
            yield finding("function.shape", **seen, says="network_gradient")
        return


@probe(needs="loss_and_gradients parameters", unless="function.shape")
def steady(subject: Subject) -> Said:
    """Call it three times with the same pictures: nothing may be left over from the call before."""
    x, y = _batch(subject)
    network = subject.copy()
    before = [array.copy() for array in network.arrays()]
    calls = [network.gradients(x, y)]
    if moved := _moved_along(calls[0][1], before, network.arrays()):
        names = ", ".join(f"parameters[{k}]" for k in moved)
        returned = f"{names} changed along the gradient"
        yield finding(
            "train.early_update",
            f"{len(x)} examples, for their gradients",
            returned,
            "the parameters as before",
            "network_gradients",
            names=names,
        )
        return
    calls += [network.gradients(x, y) for _ in range(2)]
    for says, values in (
        ("network", [np.concatenate([g.ravel() for g in gradients]) for _, gradients in calls]),
        ("network_loss", [np.array([loss]) for loss, _ in calls]),
    ):
        first, second, third = values
        if not np.isfinite(values).all() or np.allclose(first, second, rtol=1e-4, atol=1e-12):
            continue
        added = second - first, third - second
        size = np.linalg.norm(added[0])
        if np.linalg.norm(added[1] - added[0]) < 1e-3 * size:
            lengths = ", ".join(f"{np.linalg.norm(value):.4g}" for value in values)
            what = "the gradients" if says == "network" else "the loss"
            yield finding(
                "gradients.accumulated",
                f"{len(x)} examples, three times",
                f"lengths of {what} {lengths}",
                "the same each time",
                says,
            )
            return


@probe(
    needs="loss_and_gradients parameters",
    unless="function.shape gradients.accumulated train.early_update network.random",
)
def nothing_left_over(subject: Subject) -> Said:
    """Call it with other pictures between: the same pictures must have the same gradients."""
    x, y = _batch(subject)
    network, calls = subject.copy(), []
    for inputs in (x, x, x[::-1], x):
        calls.append(network.gradients(inputs, y))
    (_, _), (loss, usual), _, (loss_after, after) = calls
    for first, second in zip(usual, after, strict=True):
        size = float(np.linalg.norm(first))
        if first.shape != second.shape or not np.isfinite([loss, loss_after, size]).all():
            return
        off = float(np.linalg.norm(first - second))
        if np.isclose(loss, loss_after, rtol=1e-6) and off > 0.01 * size > 1e-12:
            given = f"{len(x)} examples twice, then in another order, then once more"
            returned = f"gradients that differ by {off / size:.0%}"
            yield finding("gradients.accumulated", given, returned, "the same", "network_leftover")
            return


def _moved_along(
    gradients: list[np.ndarray], before: list[np.ndarray], after: list[np.ndarray]
) -> list[int]:
    """Return which parameters a call for the gradients changed, as a step of training does."""
    moved = []
    for k, (g, old, new) in enumerate(zip(gradients, before, after, strict=False)):
        if g.size == old.size == new.size and not np.array_equal(old, new, equal_nan=True):
            change, g = (new - old).ravel().astype(np.float64), g.ravel().astype(np.float64)
            if -(change @ g) > 0.9 * np.linalg.norm(change) * np.linalg.norm(g) > 0:
                moved.append(k)
    return moved


@probe(needs="loss_and_gradients parameters twin probabilities whole", unless="function.shape")
def biases_in_use(subject: Subject) -> Said:
    """Look for biases that get a gradient, and are trained, and change nothing."""
    if forgotten := subject.once(forgotten_biases):
        names = " and ".join(f"parameters[{k}]" for k in forgotten)
        given, says = f"{names}, set to other numbers", "network"
        if "step" not in subject.has:
            says = "network_unread"
        yield finding("linear.no_bias", given, "the same loss", "another one", says, names=names)


def forgotten_biases(subject: Subject) -> list[int]:
    """Return which biases no output depends on, though they have gradients and a step moves them.

    Were they copies of the arrays that the network reads, the step would leave them as they are.
    Without a step, they may be copies still, though the weights are none.
    """
    twin, sides = subject.twin, {side for w in subject.weights for side in w.shape}
    biases = [k for k in twin.unread if not is_weights(twin.arrays()[k])]
    if len(biases) < len(twin.unread):  # a whole layer is not used
        return []
    if not biases or "loss_and_gradients" not in subject.has or not subject.whole:
        return []
    x, y = _batch(subject)
    twin.random_point(2)
    _, gradients = twin.gradients(x, y)
    if len(gradients) != len(twin.arrays()):
        return []
    used = [k for k in biases if twin.arrays()[k].size in sides]
    used = [k for k in used if np.abs(gradients[k]).max() > 1e-6]
    if "step" not in subject.has:
        return used
    network = subject.copy()
    network.random_point(2)
    before = [array.copy() for array in network.arrays()]
    network.attempt("step", x, network.labels_for(y))
    return [k for k in used if not np.array_equal(before[k], network.arrays()[k])]


@probe(
    needs="loss_and_gradients parameters twin probabilities",
    unless="gradients function.shape train.early_update cross_entropy.half "
    "cross_entropy.overwritten",
)
def differences(subject: Subject) -> Said:
    """Compare gradients with central differences, at random weights and inputs."""
    slopes = compare(subject)
    if isinstance(slopes, str):
        yield unchecked("gradients", reason=slopes)
        return
    decay, of_bias, left = slopes.without_decay()
    if not slopes.wrong.any() and not decay:
        return
    again = compare(subject, seed=5)
    if isinstance(again, str) or not (again.wrong.any() or again.without_decay()[0]):
        return  # a bend that lay between the two losses, once
    if left.wrong.any():
        found = cause(subject, left)
        found = _of_training(subject, found, left)
    elif of_bias:
        says = "network_row_forgotten" if decay < 0 else "network_row"
        found = Cause("gradients.decay", says, {"decay": f"{abs(decay):.3g}"})
    else:
        found = _of_decay(subject, decay)
    if not found:
        return
    given = (
        f"{slopes.batch} random inputs, random weights; shapes "
        f"{[array.shape for array in subject.arrays()]}"
    )
    returned = (
        f"relative errors {_row(slopes.errors)}; {_row(slopes.factors)} times the numeric gradient"
    )
    expected = f"below {slopes.tolerance:.0e} for each array"
    values: dict[str, Theirs] = {"m": slopes.batch, **found.values}
    yield finding(found.code, given, returned, expected, found.says, **values)


def _of_training(subject: Subject, found: Cause, slopes: Slopes) -> Cause:
    """Name causes that a step of training tells: a rate that is in twice, biases left out."""
    rates = steps.rates(subject)
    if found.says in ("network_constant", "network_classes") and rates is not None:
        factor = float(np.mean(slopes.factors))
        same = np.allclose(rates, factor, rtol=0.02)
        if same and found.says == "network_classes":
            return replace(found, says="network_constant")  # either of them
        if same:
            return Cause("train.rate_twice", values={"rate": f"{factor:.4g}"})
    if found.says == "network_zero" and steps.leaves_biases(subject):
        return Cause("train.no_update", "network_biases")
    return found


def _of_decay(subject: Subject, decay: float) -> Cause | None:
    """Hold weight decay in the gradients against the loss's; in the gradients alone it is right."""
    asked = subject.once(objective)
    subject.twin.random_point(2)
    squares = sum(float((a**2).sum()) for a in subject.twin.arrays() if is_weights(a))
    counted = asked.name and asked.extra > 1e-4 * abs(asked.loss)
    in_loss = 2 * asked.extra / squares if counted else 0.0
    values = {"decay": f"{in_loss + decay:.3g}", "of_loss": f"{in_loss:.3g}"}
    if not counted:
        says = "network_sign" if asked.name else "network_unknown"
        return Cause("gradients.decay", says, values) if decay < 0 else None
    if abs(in_loss + decay) < 0.02 * in_loss:
        return Cause("gradients.decay", "network_forgotten", values)
    return Cause("gradients.decay", "network_sign" if in_loss + decay < 0 else "network", values)


def _batch(subject: Subject) -> tuple[np.ndarray, np.ndarray]:
    """Return a few pictures, and digits that run through all classes."""
    m = min(BATCH, len(subject.x))
    return subject.x[:m], np.arange(m) % subject.classes


def _row(numbers: np.ndarray) -> str:
    return ", ".join(f"{number:.3g}" for number in numbers)


PROBES = (shapes, steady, nothing_left_over, biases_in_use, differences)
