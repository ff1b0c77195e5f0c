"""Why gradients are wrong: each cause is held against another point, batch or size that tells it.

The last layer comes first. A single picture shows its error d_z, one number for each class, which
is compared with what the usual mistakes make of probabilities and labels. Where the last layer is
right, the same is done for the factors on the way back to the layer before it.
"""

from collections.abc import Callable, Iterator

import numpy as np

from mnist_book.diagnosis.examine.biases import ADDED, multiplies, of_biases
from mnist_book.diagnosis.examine.derivatives import UNITS, of_derivatives
from mnist_book.diagnosis.examine.exchanged import LOSSES, of_unnormalised, other_loss, own_loss
from mnist_book.diagnosis.examine.halves import half_of_gradients
from mnist_book.diagnosis.examine.last_layer import error_of, output_bias
from mnist_book.diagnosis.examine.modes import in_company
from mnist_book.diagnosis.examine.objective import objective, softmax
from mnist_book.diagnosis.examine.paths import (
    constants,
    in_words,
    overlap,
    pooling,
    right_layers,
    right_without,
    shortcut,
)
from mnist_book.diagnosis.examine.probing import Cause
from mnist_book.diagnosis.examine.results import is_matrix, is_weights
from mnist_book.diagnosis.examine.slopes import BATCH, Slopes, compare, right_at, slope_of
from mnist_book.diagnosis.examine.subject import Subject

SAMPLES = 6  # single pictures
EXACT = 1e-9  # off a cosine of 1: errors that rounding alone makes others
MIXED = 1e-3  # relative, by which gradients of batches may not add up
FEW = 4  # entries
BLOCK, PRODUCT = 4, 1e-3  # rows; of the largest singular value, that rounding leaves of others
ALL_ALIKE = 1e-6  # of outputs
ALIKE = 0.3  # a cosine that is no chance


def cause(subject: Subject, slopes: Slopes) -> Cause:
    """Tell the usual causes of wrong gradients apart."""
    arrays = subject.arrays()
    matrices = np.array([is_weights(array) for array in arrays])
    if not matrices.any():
        return Cause("gradients.output")
    if not slopes.wrong[matrices].any():
        return of_biases(subject, slopes)
    if digits := _decimals(slopes):
        return Cause("gradients.output", "network_decimals", {"digits": digits})
    last = np.flatnonzero(matrices)[-1]
    if slopes.wrong[last] and (found := _of_own_activation(subject)):
        return found
    if _only_of_length(slopes, matrices) and not _is_shared(arrays):
        return _of_length(subject, slopes, matrices)
    if _all_zero(subject, slopes):
        return Cause("gradients.zero", "network_all")
    if missing := _never_computed(slopes):
        return Cause("gradients.zero", "network", {"numbers": ", ".join(map(str, missing))})
    if found := _transposed(subject) or _in_other_order(slopes) or _shared(subject, slopes):
        return found
    if added := _one_number_added(subject, slopes):
        return added
    if slopes.wrong[last]:
        return _of_last_layer(subject, slopes, last)
    return _before_last_layer(subject, slopes.wrong)


# --------------------------------------------------------------------------------------------------
# The right direction
# --------------------------------------------------------------------------------------------------


def _only_of_length(slopes: Slopes, matrices: np.ndarray) -> bool:
    """Tell whether factors that are clearly not 1 are all that is wrong with the weights."""
    angles = np.arccos(np.minimum(np.abs(slopes.cosines), 1))
    off = np.abs(slopes.factors - 1) > 0.02
    return bool((angles < 5 * slopes.tolerance)[matrices].all() and off[slopes.wrong].all())


def _of_length(subject: Subject, slopes: Slopes, matrices: np.ndarray) -> Cause:
    """Find out where a factor comes from: whether it is one, and grows with the batch."""
    factors = slopes.factors[matrices]
    shown = ", ".join(f"{factor:.3g}" for factor in slopes.factors)
    negative = factors < 0
    if negative.any() and _outputs_fall(subject):
        return Cause("gradients.sign", "network_falling", {"factors": shown})
    if negative.any() and not negative.all():
        return Cause("gradients.sign", "network_some", {"factors": shown})
    if negative.all():
        return Cause("gradients.sign")
    if np.ptp(factors) > 0.02 * factors.max():
        return Cause("gradients.scale", "network_differ", {"factors": shown})
    factor = float(factors.mean())
    values: dict[str, object] = {"factor": f"{factor:.3g}", "m": slopes.batch}
    growth = _growth(subject, slopes, matrices)
    if growth is not None and abs(growth - 1) < 0.1:
        if (divisor := slopes.batch / factor) > 1.02:
            values["divisor"] = f"{divisor:.4g}"
            return Cause("gradients.scale", "network_one_divisor", values)
        return Cause("gradients.scale", "network_undivided", values)
    if growth is not None and abs(growth + 1) < 0.1:
        return Cause("gradients.scale", "network_divided_twice", values)
    if abs(factor - 2) < 0.02:
        return Cause("gradients.scale", "network_doubled", values)
    if abs(factor * subject.classes - 1) < 0.02:
        return Cause("gradients.scale", "network_classes", values)
    return Cause("gradients.scale", "network_constant", values)


def _outputs_fall(subject: Subject) -> bool:
    """Tell outputs that become smaller where their own score becomes larger."""
    bias, twin = output_bias(subject), subject.twin
    if bias is None:
        return False
    twin.random_point(2)
    x, array = subject.inputs(np.random.default_rng(1), 1), twin.arrays()[bias].reshape(-1)
    before, changes = twin.predict(x), []
    for k in range(subject.classes):
        array[k] += 0.01
        changes.append((twin.predict(x) - before)[0, k])
        array[k] -= 0.01
    return bool((np.array(changes) < 0).all())


def _growth(subject: Subject, slopes: Slopes, matrices: np.ndarray) -> float | None:
    """Return by which power of the batch's size the factor grows."""
    larger = compare(subject, batch=2 * BATCH)
    if isinstance(larger, str) or larger.batch == slopes.batch:
        return None
    ratio = larger.factors[matrices].mean() / slopes.factors[matrices].mean()
    return float(np.log(ratio) / np.log(larger.batch / slopes.batch)) if ratio > 0 else None


def _decimals(slopes: Slopes) -> int:
    """Return to how many decimals all gradients are rounded; 0 if they aren't."""
    given, right = (
        np.concatenate([getattr(pair, name) for pair in slopes.pairs])
        for name in ("analytic", "numeric")
    )
    for digits in range(1, 6):
        whole, usual = given * 10**digits, right * 10**digits
        if len(np.unique(whole.round())) > 2 and np.abs(whole - whole.round()).max() < 1e-6:
            return digits if np.abs(usual - usual.round()).max() > 0.01 else 0
    return 0


def _all_zero(subject: Subject, slopes: Slopes) -> bool:
    """Tell gradients that are exactly 0 throughout, at other points and of single pictures too."""
    if any(pair.analytic.any() for pair in slopes.pairs):
        return False
    for seed in (2, 4, 5):
        subject.twin.random_point(seed)
        x = subject.inputs(np.random.default_rng(seed), SAMPLES)
        for rows in (slice(0, SAMPLES), slice(0, 1)):
            y = np.arange(SAMPLES)[rows] % subject.classes
            if any(g.any() for g in subject.twin.gradients(x[rows], y)[1]):
                return False
    return True


def _never_computed(slopes: Slopes) -> list[int]:
    """Return which gradients are 0 throughout, if all others are right and some are not 0."""
    zero = [k for k in np.flatnonzero(slopes.wrong) if not slopes.pairs[k].analytic.any()]
    others = [pair for k, pair in enumerate(slopes.pairs) if k not in zero]
    alone = len(zero) == slopes.wrong.sum() and any(pair.analytic.any() for pair in others)
    return [int(k) for k in zero] if alone else []


def _one_number_added(subject: Subject, slopes: Slopes) -> Cause | None:
    """Find gradients of weights that are off by the same number throughout a layer.

    It is held against the sum of the layer's weights, which may stand where the weights belong, so
    that these are missing: decay.
    """
    if found := _added_to_bias_rows(slopes):
        return found
    numbers, sums = [], []
    subject.twin.random_point(2)  # where they were compared
    for pair, wrong, array in zip(slopes.pairs, slopes.wrong, subject.twin.arrays(), strict=True):
        if not wrong:
            continue
        off, parts = pair.analytic - pair.numeric, np.stack([pair.values**0, pair.values], axis=1)
        number, decay = np.linalg.lstsq(parts, off, rcond=None)[0]
        rest = float(np.abs(off - parts @ (number, decay)).max())
        if len(off) < FEW or rest > ADDED * min(np.abs(off).max(), abs(number)):
            return None
        numbers.append(number)
        sums.append(float(array.sum()))
    factors = np.array(numbers) / np.where(sums, sums, np.inf)
    of_sum = len(numbers) > 1 and np.ptp(factors) < ADDED * np.abs(factors).max()
    values = {"numbers": ", ".join(f"{number:.3g}" for number in numbers)}
    return Cause("gradients.wrong", "network_added_sum" if of_sum else "network_added", values)


def _added_to_bias_rows(slopes: Slopes) -> Cause | None:
    """Find a number added to the gradients of biases that are a row of the weights."""
    numbers = []
    for pair in (pair for pair, wrong in zip(slopes.pairs, slopes.wrong, strict=True) if wrong):
        off = pair.analytic - pair.numeric
        small = ADDED * float(np.abs(off).max())
        ends = (pair.rows == row for row in (-1, 1))
        found = [
            float(off[end].mean())
            for end in ends
            if end.sum() > 1
            and np.ptp(off[end]) < small
            and np.abs(off[~end]).max(initial=0.0) < small
        ]
        if not found:
            return None
        numbers += found
    shown = ", ".join(f"{number:.3g}" for number in numbers)
    return Cause("gradients.bias", "network_added", {"numbers": shown}) if numbers else None


# --------------------------------------------------------------------------------------------------
# Turned products, and layers that are one object
# --------------------------------------------------------------------------------------------------


def _transposed(subject: Subject) -> Cause | None:
    """Find out whether a transpose is missing: symmetric weights hide that."""
    square = any(a.shape[0] == a.shape[1] for a in subject.weights)
    if square and right_at(subject, "symmetric"):
        return Cause("gradients.transposed")
    return None


def _in_other_order(slopes: Slopes) -> Cause | None:
    """Find gradients whose numbers are all there, and not in their places."""
    cures = [pair.cure for pair, wrong in zip(slopes.pairs, slopes.wrong, strict=True) if wrong]
    if not any(cures):
        return None
    cure = next(filter(None, cures))
    if cure.startswith("parameters"):
        k = next(k for k, pair in enumerate(slopes.pairs) if slopes.wrong[k] and pair.cure == cure)
        return Cause(
            "gradients.wrong", "network_exchanged", {"one": f"parameters[{k}]", "other": cure}
        )
    return Cause("gradients.transposed", f"network_{cure}")


def _is_shared(arrays: list[np.ndarray]) -> bool:
    """Tell whether an array stands among the parameters twice."""
    return any(
        np.shares_memory(a, b) for k, a in enumerate(arrays) for b in arrays[:k] if a.size == b.size
    )


def _shared(subject: Subject, slopes: Slopes) -> Cause | None:
    """Find weights that the network multiplies by more than once.

    With biases of 0, weights twice as large make the logits twice as large, and four times if the
    weights are used twice; so for ReLU at any size, and for tanh at a small one.
    """
    twin = subject.twin
    arrays = twin.arrays()
    if _is_shared(arrays):
        return Cause("gradients.shared", values={"times": "more than once"})
    twin.random_point(3)
    x = subject.inputs(np.random.default_rng(4), 20)
    for array in arrays:
        array *= 0.1 if is_weights(array) else 0
    before = _spread_of_logits(twin, x)
    if not before:
        return None
    powers = []
    for array in arrays:
        array *= 2
        powers.append(float(np.log2(_spread_of_logits(twin, x) / before)))
        array /= 2
    uses = np.round(powers).astype(int)
    if np.abs(powers - uses).max() > 0.02 or uses.max() < 2:
        return None
    k = int(uses.argmax())
    if not slopes.wrong[k]:
        return None
    return Cause("gradients.shared", values={"times": f"{uses[k]} times"})


def _spread_of_logits(twin: Subject, x: np.ndarray) -> float:
    p = twin.predict(x)
    if p.shape != (len(x), twin.classes) or not (p > 0).all():
        return 0.0
    logits = np.log(p)
    return float(np.linalg.norm(logits - logits.mean(axis=1, keepdims=True)))


# --------------------------------------------------------------------------------------------------
# The last layer
# --------------------------------------------------------------------------------------------------


def _jacobian(p: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Multiply by the derivative of softmax."""
    return p * (d - p @ d)


def _slope_of_sigmoid(z: np.ndarray) -> np.ndarray:
    """Compute the derivative of the sigmoid, from what goes into it."""
    a = 1 / (1 + np.exp(-z))
    return a * (1 - a)


Errors = Callable[[np.ndarray, np.ndarray], np.ndarray]
# What d_z of the last layer may be, for probabilities p and one-hot labels y; how to say it.
KNOWN_EXACTLY: dict[str, tuple[Errors, str]] = {  # which differ little from those of `KNOWN`
    "sigmoid of a": (
        lambda p, y: (p - y) * _slope_of_sigmoid(p),
        "(p - labels) * s(p) * (1 - s(p)), where s is the sigmoid: its derivative is taken at the "
        "activation a = s(z) in place of z, so that the sigmoid counts twice. Give it z, or write "
        "a * (1 - a)",
    ),
    "tanh of a": (
        lambda p, y: (p - y) * (1 - np.tanh(p) ** 2),
        "(p - labels) * (1 - tanh(p) ** 2): the derivative of tanh is taken at the activation a = "
        "tanh(z) in place of z, so that tanh counts twice. Give it z, or write 1 - a ** 2",
    ),
}
KNOWN: dict[str, tuple[Errors, str]] = {
    "right": (lambda p, y: p - y, "p - labels"),
    "no_labels": (lambda p, y: p, "p"),
    "extra": (lambda p, y: (p - y) * p * (1 - p), "(p - labels) * p * (1 - p)"),
    "squares": (lambda p, y: _jacobian(p, p - y), "softmax' derivative times (p - labels)"),
    "only": (lambda p, y: y, "the labels, without p"),
    "logarithm": (lambda p, y: y / p, "labels / p, the derivative of the logarithm alone"),
    "diagonal": (lambda p, y: y * (1 - p), "labels * (1 - p), the diagonal of softmax' derivative"),
    "next": (lambda p, y: p - np.roll(y, 1), "p minus the labels + 1"),
    "previous": (lambda p, y: p - np.roll(y, -1), "p minus the labels - 1"),
    "hard": (lambda p, y: (p == p.max()) - y, "the predicted class minus the labels, without p"),
    "absolute": (lambda p, y: np.abs(p - y), "the absolute value of p - labels"),
    "squared": (lambda p, y: (p - y) ** 2, "the square of p - labels"),
    "derivative": (lambda p, y: p * (1 - p), "p * (1 - p), without the error p - labels"),
    "of z": (
        lambda p, y: (p - y) * np.log(p / (1 - p)) * (1 - np.log(p / (1 - p))),
        "(p - labels) * z * (1 - z), as if the sigmoid's derivative, a * (1 - a), took its input",
    ),
    "twice": (lambda p, y: softmax(p[None])[0] - y, "softmax(p) - labels: softmax twice"),
    "squares, twice": (
        lambda p, y: (p - y) * (p * (1 - p)) ** 2,
        "(p - labels) * (p * (1 - p)) ** 2",
    ),
    "times p": (lambda p, y: (p - y) * p, "(p - labels) * p"),
    "tanh": (lambda p, y: (p - y) * (1 - p**2), "(p - labels) * (1 - p ** 2), tanh's derivative"),
}
CODES = {"no_labels": "gradients.no_labels", "extra": "gradients.extra_softmax"}
CODES |= {"squares": "gradients.squares"}


def _last_alone(subject: Subject) -> bool:
    """Tell whether the gradients of a batch are those of its last picture, but for a factor."""
    x, y = _pictures(subject), np.arange(SAMPLES) % subject.classes
    batch, last = (
        np.concatenate([g.ravel() for g in subject.twin.gradients(x[rows], y[rows])[1]])
        for rows in (slice(None), slice(-1, None))
    )
    sizes = float(np.linalg.norm(batch) * np.linalg.norm(last))
    return bool(batch @ last > (1 - EXACT) * sizes > 0)


def _targets(samples: list) -> dict[str, str]:
    """Return what stands for the labels, where dz is p less that, and it does not sum to 1."""
    if not samples or _only_directions(samples):
        return {}
    errors, outputs, labels = (np.concatenate(part) for part in zip(*samples, strict=True))
    parts = np.stack([outputs, labels, np.ones(len(labels))], axis=1)
    (factor, on, off), *_ = np.linalg.lstsq(parts, errors, rcond=None)
    if not factor or np.abs(parts @ [factor, on, off] - errors).max() > 1e-9 * np.abs(errors).max():
        return {}
    on, off = -(on + off) / factor, -off / factor
    total = on + (len(samples[0][1]) - 1) * off
    if not np.allclose([p.sum() for _, p, _ in samples], 1) or abs(total - 1) < 0.01:
        return {}
    return {"on": f"{on:.3g}", "off": f"{off:.3g}", "sum": f"{total:.3g}"}


def _of_own_activation(subject: Subject) -> Cause | None:
    """Find the outputs' derivative taken at the outputs, in which they are squashed once more."""
    samples = list(_errors(subject))
    for errors, seen in KNOWN_EXACTLY.values():
        if samples and _alike(samples, errors, EXACT):
            return Cause("gradients.output", "network_twice", {"seen": seen})
    return None


def _of_last_layer(subject: Subject, slopes: Slopes, last: int) -> Cause:
    """Compare the last layer's error d_z with what usual mistakes make of it."""
    alone = compare(subject, batch=1)
    if not isinstance(alone, str) and not alone.wrong.any():
        says = "network_last_picture" if _last_alone(subject) else "network_batch"
        return Cause("gradients.output", says)
    if half := half_of_gradients(subject):
        return Cause("gradients.output", f"network_{half}")
    samples = list(_errors(subject))
    asked = subject.once(objective)
    if found := _of_other_loss(subject, slopes, samples):
        return found
    for name, (errors, seen) in KNOWN.items():
        if not samples or not _alike(samples, errors):
            continue
        if name == "right" and asked.name == "squares":
            return Cause("gradients.output", "network_no_derivative")
        if name == "right":
            bias = output_bias(subject)
            if (
                bias is not None and not isinstance(alone, str) and alone.wrong[bias]
            ):  # so that no input is in it
                return Cause("gradients.output", "network_other_loss")
            products, mistake = _are_products(subject, last)
            if not products:  # as of weights that are normalised
                return Cause("gradients.output", "network")
            return (
                Cause("gradients.inputs")
                if mistake
                else Cause("gradients.wrong", "network_no_product")
            )
        if asked.name == "squares" and name in ("extra", "squares"):
            if name == "extra" and all(np.isclose(p.sum(), 1) for _, p, _ in samples):
                return Cause("gradients.output", "network_diagonal")
            continue
        says = "network" if name in CODES else "network_seen"
        return Cause(CODES.get(name, "gradients.output"), says, {"seen": seen})
    if targets := _targets(samples):
        return Cause("gradients.output", "network_targets", targets)
    if samples and _bent(samples):
        return Cause("gradients.output", "network_bent")
    return Cause("gradients.output", "network")


def _are_products(subject: Subject, last: int) -> tuple[bool, bool]:
    """Tell whether the last weights' slopes are something times d_z, and whether the mistake is.

    Some of them, of one picture. Between two labels, what depends on no label cancels, as decay.
    """
    twin = subject.twin
    twin.random_point(2)
    x, array = subject.inputs(np.random.default_rng(1), 1), twin.arrays()[last]
    rows, columns = (np.arange(min(BLOCK, side)) for side in array.shape)
    numeric, given = [], []
    for label in (0, 1):
        y, places = np.array([label]), np.ndindex(len(rows), len(columns))
        given.append(twin.gradients(x, y)[1][last][np.ix_(rows, columns)])
        slopes = [slope_of(twin, array, place, x, y) for place in places]
        numeric.append(np.reshape(slopes, (len(rows), len(columns))))
    return _of_rank_1(numeric[0] - numeric[1]), _of_rank_1(given[0] - numeric[0])


def _of_rank_1(block: np.ndarray) -> bool:
    """Tell a product of a column and a row."""
    sizes = np.linalg.svd(block, compute_uv=False)
    return len(sizes) < 2 or bool(sizes[1] < PRODUCT * sizes[0])


def _of_other_loss(subject: Subject, slopes: Slopes, samples: list) -> Cause | None:
    """Find gradients that are those of another loss than the one that is returned."""
    own, bias = own_loss(subject), output_bias(subject)
    if not own and (bias is None or not slopes.wrong[bias]):
        return None  # d_z may be right, and what it is multiplied by wrong
    theirs = other_loss(subject, _pictures(subject), samples, _alike)
    if not theirs and not subject.once(objective).name:
        theirs = of_unnormalised(samples)
    if theirs in ("", own):
        return None
    names = {"theirs": LOSSES[theirs][0], "own": LOSSES[own][0] if own in LOSSES else "another one"}
    return Cause("gradients.squares", "network_other", names)


def _pictures(subject: Subject) -> np.ndarray:
    """Draw inputs, and move to random weights."""
    x = subject.inputs(np.random.default_rng(6), SAMPLES)
    subject.twin.random_point(2)
    return x


def _errors(subject: Subject) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield d_z of the last layer, the outputs and the one-hot label, of single pictures.

    The gradient of the output's bias is d_z. Without a bias, they are all of length 1.
    """
    pictures, twin = _pictures(subject), subject.twin
    arrays, bias = twin.arrays(), output_bias(subject)
    last = max((k for k, array in enumerate(arrays) if is_matrix(array)), default=None)
    if last is None:
        return
    for label in range(SAMPLES):
        x, y = pictures[[label]], np.array([label % subject.classes])
        _, gradients = twin.gradients(x, y)
        p = twin.predict(x)[0]
        if np.ptp(p) < ALL_ALIKE:
            return  # as of a softmax over the wrong axis: every formula would fit
        if bias is not None and gradients[bias].size == subject.classes:
            error = gradients[bias].reshape(-1)
        else:
            error = error_of(subject, gradients[last], arrays[last], p)
            if len(error) != subject.classes:
                return
            error = error / max(float(np.linalg.norm(error)), 1e-300)
        yield error.astype(np.float64), p, np.eye(subject.classes)[y[0]]


def _alike(samples: list, errors: Errors, off: float = 1e-4) -> bool:
    """Tell whether all errors are these, but for one factor, and `off` from a cosine of 1."""
    ratios = []
    for error, p, y in samples:
        expected = np.nan_to_num(np.asarray(errors(p, y), dtype=np.float64))
        sizes = np.linalg.norm(error), np.linalg.norm(expected)
        if max(sizes) < 1e-12:
            continue
        if not min(sizes) or abs(error @ expected) < (1 - off) * sizes[0] * sizes[1]:
            return False
        ratios.append(abs(error @ expected) / sizes[1] ** 2)
    if not ratios:
        return False
    return bool(np.ptp(ratios) < 0.02 * max(ratios)) or _only_directions(samples)


def _only_directions(samples: list) -> bool:
    return bool(np.allclose([np.linalg.norm(error) for error, _, _ in samples], 1, atol=1e-6))


def _bent(samples: list) -> bool:
    """Tell whether some of the numbers in d_z are 0, and the rest are p - labels."""
    kept = []
    for error, p, y in samples:
        passed = np.abs(error) > 1e-9
        kept.append(passed.mean())
        if not passed.any():
            continue
        ratio = error[passed] / (p - y)[passed]
        if np.ptp(ratio) > 0.01 * np.abs(ratio).max():
            return False
    return 0.02 < np.mean(kept) < 0.98


# --------------------------------------------------------------------------------------------------
# The way back from it
# --------------------------------------------------------------------------------------------------


def _before_last_layer(subject: Subject, wrong: np.ndarray) -> Cause:
    """Look at the factor that each unit of the layer before the last one passes back."""
    if _other_row_left_out(subject):
        return Cause("gradients.wrong", "network_bias_row")
    past = shortcut(subject, wrong)
    layers = right_layers(subject.arrays(), wrong)
    if past in ("forgotten", "layers"):
        return Cause("gradients.wrong", f"network_shortcut_{past}")
    maps, cells = pooling(subject)
    if maps in ("every", "cells"):
        return Cause("gradients.wrong", f"network_pooling_{maps}", {"cells": cells})
    if maps and overlap(subject, layers):
        return Cause("gradients.wrong", "network_windows", {"layers": in_words(layers)})
    sides = {side for array in subject.weights for side in array.shape}
    factors = [
        k
        for k, array in enumerate(subject.arrays())
        if not is_weights(array) and array.size in sides and multiplies(subject, k)
    ]
    if factors and right_without(subject, factors) and right_without(subject, factors, 2):
        return Cause("gradients.wrong", "network_without_gamma")
    subject.twin.random_point(4)
    if in_company(subject.twin, subject.inputs(np.random.default_rng(8), 4 * SAMPLES)):
        return Cause("gradients.wrong", "network_normalised")
    if _input_alone(subject.arrays(), wrong):
        return Cause("gradients.wrong", "network_input")
    if _mixed(subject):
        return Cause("gradients.wrong", _through_other_weights(subject) or "network_mixed")
    if what := constants(subject):
        return Cause("gradients.wrong", "network_constants", {"what": what})
    if found := of_derivatives(subject, bool(past), layers):
        return found
    # Of small weights hardly anything goes through the layers that a shortcut passes.
    if right_at(subject, "positive") or (not past and right_at(subject, "small")):
        return Cause("gradients.missing_activation")
    says = (
        "network_before_shortcut" if past else "network_before_maps" if maps else "network_before"
    )
    return Cause("gradients.wrong", says, {"layers": in_words(layers)})


def _input_alone(arrays: list[np.ndarray], wrong: np.ndarray) -> bool:
    """Tell whether of a layer that has a bias the weights' gradient is wrong, and nothing else."""
    matrices = np.array([is_matrix(array) for array in arrays])
    if np.count_nonzero(wrong) != 1 or np.count_nonzero(~matrices) != np.count_nonzero(matrices):
        return False
    found = arrays[int(np.flatnonzero(wrong)[0])]
    biases = [a.size for a, matrix in zip(arrays, matrices, strict=True) if not matrix]
    return found.ndim == 2 and any(size in found.shape for size in biases)


def _mixed(subject: Subject) -> bool:
    """Tell gradients of a picture that depend on the others in the batch.

    If they do not, those of batches with half of their pictures exchanged add up to the same. As
    each picture keeps its place, so does a mask of dropout.
    """
    twin, rng = subject.twin, np.random.default_rng(8)
    twin.random_point(4)
    x, y = subject.inputs(rng, 4 * SAMPLES), np.arange(4 * SAMPLES) % subject.classes
    a, b, c, d = np.array_split(np.arange(len(x)), 4)
    ab, cd, ad, cb = (
        np.concatenate([g.ravel() for g in twin.gradients(x[rows], y[rows])[1]])
        for rows in map(np.concatenate, ((a, b), (c, d), (a, d), (c, b)))
    )
    return float(np.linalg.norm(ab + cd - ad - cb)) > MIXED * float(np.linalg.norm(ab))


def _through_other_weights(subject: Subject) -> str:
    """Tell an error sent back through the last gradient from one through weights updated by it.

    With last weights of 0 nothing should come back. Their gradient is the product of activations
    and d_z, so that through it each unit gets a multiple of its own activation: a positive one;
    from weights less a rate times their gradient, a negative one.
    """
    twin, arrays, columns = subject.twin, subject.twin.arrays(), subject.columns
    last = max(k for k, array in enumerate(arrays) if is_matrix(array))
    twin.random_point(4)
    arrays[last][...] = 0
    x, y = subject.inputs(np.random.default_rng(8), 1), np.array([0])
    gradients, p = twin.gradients(x, y)[1], twin.predict(x)[0]
    units = (gradients[last].T if columns else gradients[last]) @ (p - np.eye(subject.classes)[0])
    before = [k for k, a in enumerate(arrays) if a.size == len(units) and k != output_bias(subject)]
    place = before[-1] if before else next(k for k, a in enumerate(arrays) if is_matrix(a))
    if before:
        back = gradients[place].reshape(-1)
    elif len(subject.weights) == 2 and x.shape[1] == len(twin.weights[0]):
        back = x[0] @ (gradients[place].T if columns else gradients[place])
    else:
        return ""
    if not np.allclose(p, twin.predict(subject.inputs(np.random.default_rng(9), 1))[0]):
        return ""  # there is another way to the outputs
    labels = np.arange(subject.classes)  # all of them for one picture, so that errors nearly cancel
    others = twin.gradients(np.repeat(x, len(labels), axis=0), labels)[1]
    share = float(np.linalg.norm(others[last]) / np.linalg.norm(gradients[last])) ** 2
    size, usual = (float(np.linalg.norm(each[place])) for each in (others, gradients))
    if abs(size - share * usual) > 0.05 * usual:
        return ""  # what comes back is not the error, twice
    cosine = float(back @ units / max(np.linalg.norm(back) * np.linalg.norm(units), 1e-300))
    if abs(cosine) < ALIKE:
        return ""
    return "network_through_gradients" if cosine > 0 else "network_through_updated"


def _other_row_left_out(subject: Subject) -> bool:
    """Tell whether the error goes back through the row of a bias, and not through a unit's.

    With a column of ones before each layer, weights have a row more than there are units. In the
    gradient that a single picture gives, the row of ones is what comes back to each unit.
    """
    twin, rng = subject.twin, np.random.default_rng(8)
    twin.random_point(4)
    weights, places = twin.weights, [k for k, a in enumerate(twin.arrays()) if is_matrix(a)]
    if len(weights) < 2 or len(weights[-1]) != weights[-2].shape[1] + 1:
        return False
    x, y = subject.inputs(rng, 1), np.array([0])
    _, gradients = twin.gradients(x, y)
    before, last = (gradients[k].T if subject.columns else gradients[k] for k in places[-2:])
    rows = {-1: (weights[-1][:-1], weights[-1][1:]), 0: (weights[-1][1:], weights[-1][:-1])}
    for ones, (right, wrong) in rows.items():
        backs, used, numeric = (right @ last[ones], wrong @ last[ones]), before[ones], []
        for unit in range(min(len(used), UNITS)):
            numeric.append(slope_of(twin, weights[-2], (ones, unit), x, y))
        pair = used[:UNITS] * backs[0][:UNITS], np.array(numeric) * backs[1][:UNITS]
        if np.count_nonzero(pair[1]) > 2 and np.allclose(*pair, rtol=1e-3, atol=1e-8):
            return True
    return False
