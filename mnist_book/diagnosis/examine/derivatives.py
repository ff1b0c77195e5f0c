"""The factors on the way back: each hidden unit's derivative, as it should be and as it is used."""

from dataclasses import dataclass

import numpy as np

from mnist_book.diagnosis.examine.last_layer import error_of, output_bias
from mnist_book.diagnosis.examine.objective import objective
from mnist_book.diagnosis.examine.probing import Cause
from mnist_book.diagnosis.examine.results import is_matrix, is_weights
from mnist_book.diagnosis.examine.slopes import right_at, slope_of
from mnist_book.diagnosis.examine.subject import Subject

UNITS = 48  # of a hidden layer that are looked at
APART = 0.01  # of derivatives
FEWEST, MANY = 3, 16  # units that must show something; in their order
WAY = 2.5  # how far a function with one top goes, at most, in multiples of its height
EXACT = 1e-4  # off a cosine of 1; derivatives that are 0


@dataclass(frozen=True)
class Derivatives:
    """What a single picture shows of the hidden units before the last layer, (units,) each.

    Attributes
    ----------
    right, used : the activation's derivative, and what is multiplied by in its place
    back : what comes back to each unit from the last layer, weights @ d_z
    plain : what would come back of d_z without the derivative of sigmoid outputs
    units : what the unit gives, its activation
    """

    right: np.ndarray
    used: np.ndarray
    back: np.ndarray
    plain: np.ndarray
    units: np.ndarray


def of_derivatives(subject: Subject, past: bool, layers: int) -> Cause | None:
    """Tell what is wrong with the derivative of a hidden layer's activation.

    Parameters
    ----------
    past : a shortcut leads past some layers, which makes other points no test
    layers : how many of the last layers are right; it is the one before these that is looked at
    """
    found = _derivatives(subject) if layers == 1 else _of_earlier(subject, layers)
    if found is None:
        return None
    right, used = found.right, found.used
    if slopes := _other_slope(right, used):
        if slopes["forward"] == "-1":
            return Cause("leaky_relu.abs", "network", slopes)
        if slopes["forward"] == "0" and (value := _constant_below(subject)):
            values = {"value": f"{value:.3g}", "back": slopes["back"]}
            return Cause("leaky_relu.wrong", "network", values)
        return Cause("gradients.missing_activation", "network_slope", slopes)
    if _alone(found) and _knows_no_label(subject):
        return Cause("gradients.wrong", "network_derivative_alone")
    fits = subject.once(objective).name not in ("cross_entropy", "binary")
    if fits and _without_that_of_outputs(found):
        return Cause("gradients.wrong", "network_error")
    for says, candidates in _usual_factors(right).items():
        close = [np.isclose(used, factor, rtol=0.02, atol=1e-3) for factor in candidates]
        if close and np.any(close, axis=0).all():
            return Cause("gradients.missing_activation", says, _farthest(right, used))
    if _mask_forgotten(found) and not right_at(subject, "positive"):
        return Cause("gradients.wrong", "network_mask")
    if _by_sign_of(found.back, right, used):
        return Cause("gradients.missing_activation", "network_sign_of_gradient")
    if np.ptp(found.units) > APART and np.allclose(used, found.units, rtol=1e-3, atol=1e-4):
        return Cause("gradients.missing_activation", "network_activation")
    if theirs := _of_other_activation(found):
        values = {"theirs": theirs, **_farthest(right, used)}
        return Cause("gradients.missing_activation", "network_of_other", values)
    if _at_other_units(right, used):
        return Cause("gradients.missing_activation", "network_elsewhere")
    smooth = min(len(np.unique(values.round(3))) for values in (right, used)) > 2
    if not smooth or past or np.abs(right - used).max() < APART:
        return None
    says = "network_another"
    if not _depends_on_unit(found):
        if not (right_at(subject, "positive") or right_at(subject, "small")):
            return None
        if len(used) >= MANY and _is_function(right, found.units):
            says = "network_no_function"
    return Cause("gradients.missing_activation", says, _farthest(right, used))


def without_derivative(subject: Subject, layers: int) -> bool:
    """Tell whether a hidden bias gets what comes back from the layer after it, as it is.

    Parameters
    ----------
    layers : how many of the last layers are right; it is the one before these that is looked at
    """
    found = _derivatives(subject) if layers == 1 else _of_earlier(subject, layers)
    differ = found is not None and np.ptp(found.right) > APART
    return bool(differ and np.allclose(found.used, 1, atol=1e-3))


def _derivatives(subject: Subject) -> Derivatives | None:
    """Measure each hidden unit's derivative; None where it can't be seen.

    The gradient of a unit's bias is what comes back to it from the last layer, weights @ d_z, times
    its activation's derivative. That of the last weights is the product of activations and d_z.
    """
    twin, arrays, columns = subject.twin, subject.twin.arrays(), subject.columns
    last = max(k for k, array in enumerate(arrays) if is_matrix(array))
    twin.random_point(4)
    x, y = subject.inputs(np.random.default_rng(8), 1), np.array([0])
    gradients, p = twin.gradients(x, y)[1], twin.predict(x)[0]
    weights, product = (g.T if columns else g for g in (arrays[last], gradients[last]))
    place = _hidden_bias(subject, last, len(weights))
    if place is not None:
        error, size = gradients[output_bias(subject)].reshape(-1), 1.0
        array, given = arrays[place].reshape(-1), gradients[place].reshape(-1)
    elif in_row := _in_row_of_ones(subject, gradients):
        array, given, error, kept = in_row
        size = 1.0
        weights, product = weights[kept], product[kept]
    elif found := _instead_of_bias(subject, gradients, x, len(weights)):
        array, given, size = found
        error = error_of(subject, gradients[last], arrays[last], p)
    else:
        return None
    units = (product @ error)[:UNITS] / (error @ error)
    plain = (weights @ (error / np.clip(p * (1 - p), 1e-12, None)))[:UNITS]
    return _held_against(twin, (x, y), array, given, weights @ error, plain, units, size)


def _of_earlier(subject: Subject, layers: int) -> Derivatives | None:
    """Do that before some of the last layers, where each layer has a bias, which tells its d_z."""
    twin, arrays = subject.twin, subject.twin.arrays()
    matrices = [k for k, array in enumerate(arrays) if is_matrix(array)]
    biases = [k for k, array in enumerate(arrays) if not is_weights(array)]
    if len(matrices) != len(biases) or len(matrices) <= layers:
        return None
    place, bias, hidden = matrices[-layers], biases[-layers], biases[-layers - 1]
    weights = arrays[place].T if subject.columns else arrays[place]
    if weights.shape != (arrays[hidden].size, arrays[bias].size):
        return None
    twin.random_point(4)
    x, y = subject.inputs(np.random.default_rng(8), 1), np.array([0])
    gradients = twin.gradients(x, y)[1]
    error = gradients[bias].reshape(-1)
    product = gradients[place].T if subject.columns else gradients[place]
    units, back = (product @ error)[:UNITS] / max(error @ error, 1e-300), weights @ error
    array, given = arrays[hidden].reshape(-1), gradients[hidden].reshape(-1)
    return _held_against(twin, (x, y), array, given, back, back[:UNITS], units, 1.0)


def _held_against(
    twin: Subject,
    batch: tuple[np.ndarray, np.ndarray],
    array: np.ndarray,
    given: np.ndarray,
    back: np.ndarray,
    plain: np.ndarray,
    units: np.ndarray,
    size: float,
) -> Derivatives | None:
    """Hold gradients of biases, or of what stands for these, against slopes of the loss."""
    numeric = np.array([slope_of(twin, array, unit, *batch) for unit in range(len(units))])
    shown = np.abs(back[:UNITS]) > 1e-4
    right, used, back = numeric[shown], given[:UNITS][shown], back[:UNITS][shown]
    size = size or _size(right / back, units[shown])
    if not size or shown.sum() < FEWEST:
        return None
    return Derivatives(right / back / size, used / back / size, back, plain[shown], units[shown])


def _hidden_bias(subject: Subject, last: int, units: int) -> int | None:
    """Return which parameter is the bias before the last layer, where that has one, too."""
    bias = output_bias(subject)
    sizes = [0 if is_weights(array) else array.size for array in subject.arrays()]
    found = [k for k, size in enumerate(sizes) if size == units and k != bias]
    found = [k for k in found if k < last] or found
    return found[-1] if found and bias is not None else None


def _in_row_of_ones(
    subject: Subject, gradients: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, slice] | None:
    """Return the biases before the last layer where they are a row of the weights, times a 1.

    Returns
    -------
    these biases, their gradients, d_z of the last layer, which its own biases have, and the rows
    of its weights that are no biases
    """
    places = [k for k, array in enumerate(subject.arrays()) if is_matrix(array)]
    weights, columns = subject.twin.weights, subject.columns
    if len(weights) < 2 or len(places) < len(subject.arrays()):
        return None
    if len(weights[-1]) != weights[-2].shape[1] + 1:
        return None
    before, last = (gradients[k].T if columns else gradients[k] for k in places[-2:])
    for row, kept in ((-1, slice(None, -1)), (0, slice(1, None))):
        if last[row].any() and _is_row_of_ones(subject, row):
            return weights[-2][row], before[row], last[row], kept
    return None


def _is_row_of_ones(subject: Subject, row: int) -> bool:
    """Tell whether a row of the last weights is multiplied by 1: the scores grow as it does."""
    twin, weights = subject.twin, subject.twin.weights[-1]
    x, more = subject.inputs(np.random.default_rng(8), 2), np.arange(subject.classes)

    def scores() -> np.ndarray:
        p = twin.predict(x)
        return np.log(p) if np.allclose(p.sum(axis=1), 1) else np.log(p / (1 - p))

    before, kept = scores(), weights[row].copy()
    weights[row] += more
    moved = scores() - before
    weights[row] = kept
    return bool(np.allclose(moved - moved[:, :1], more, atol=1e-6))


def _instead_of_bias(
    subject: Subject, gradients: list[np.ndarray], x: np.ndarray, units: int
) -> tuple[np.ndarray, np.ndarray, float] | None:
    """Return the weights of one input before the last layer, where no layer has a bias.

    Returns
    -------
    these weights, their gradients, and what the input is, by which these are multiplied; 0 where
    it isn't known
    """
    weights, arrays = subject.twin.weights, subject.arrays()
    matrices = [k for k, array in enumerate(arrays) if is_matrix(array)]
    some = any(not is_weights(array) and array.size == units for array in arrays)
    if some or len(matrices) < 2 or weights[-2].shape[1] != units:
        return None
    product = gradients[matrices[-2]].T if subject.columns else gradients[matrices[-2]]
    row = int(np.linalg.norm(product, axis=1).argmax())
    first = len(weights) == 2 and x.shape[1] == len(product)
    return weights[-2][row], product[row], float(x[0, row]) if first else 0.0


def _size(multiples: np.ndarray, a: np.ndarray) -> float:
    """Return by what an input multiplies derivatives; 0 if they are none of a usual activation."""
    for derivative in (a * (1 - a), 1 - a**2, (a > 0).astype(float)):
        size = float(multiples @ derivative / max(derivative @ derivative, 1e-300))
        if np.allclose(multiples, size * derivative, rtol=1e-3, atol=1e-3 * abs(size)):
            return size
    return 0.0


def _farthest(right: np.ndarray, used: np.ndarray) -> dict[str, str]:
    """Show some derivatives that are far from what they should be."""
    most = np.abs(right - used).argsort()[-3:]
    pairs = ("used", used), ("right", right)
    return {name: ", ".join(f"{v:.3g}" for v in values[most]) for name, values in pairs}


def _other_slope(right: np.ndarray, used: np.ndarray) -> dict[str, str] | None:
    """Return the slopes of negative z, going forward and back, if they alone are different."""
    above = np.isclose(right, 1, atol=1e-3)
    if above.all() or not above.any() or not np.allclose(used[above], 1, atol=1e-3):
        return None
    below = right[~above], used[~above]
    if max(map(np.ptp, below)) > 1e-3 or np.allclose(below[1], 1, atol=1e-2):
        return None
    forward, back = (float(np.round(slopes.mean(), 3)) for slopes in below)
    return {"forward": f"{forward:.3g}", "back": f"{back:.3g}"} if forward != back else None


def _by_sign_of(back: np.ndarray, right: np.ndarray, used: np.ndarray) -> bool:
    """Tell derivatives of a bent line that go by the sign of what comes back, and not of z."""
    expected = np.where(back > 0, right.max(), right.min())
    both = (back > 0).any() and (back < 0).any() and np.ptp(right) > APART
    return bool(both and np.allclose(used, expected, atol=1e-3))


def _at_other_units(right: np.ndarray, used: np.ndarray) -> bool:
    """Tell derivatives of a bent line that are taken somewhere else: both values, exchanged."""
    low, high = right.min(), right.max()
    above = [np.isclose(values, high, atol=1e-3) for values in (right, used)]
    below = [np.isclose(values, low, atol=1e-3) for values in (right, used)]
    known = all((a | b).all() for a, b in zip(above, below, strict=True))
    exchanged = bool((above[0] & below[1]).any() and (below[0] & above[1]).any())
    return known and exchanged and high - low > APART


def _constant_below(subject: Subject) -> float:
    """Return what the last hidden units give where all their z are far below 0; 0 if not alike."""
    twin = subject.twin
    twin.random_point(4)
    weights, bias = twin.last_layer()[0], output_bias(subject)
    weights = weights.T if subject.columns else weights
    arrays = twin.arrays()
    hidden = [k for k, a in enumerate(arrays) if not is_weights(a) and a.size == len(weights)]
    hidden = [k for k in hidden if k != bias]
    if not hidden or bias is None:
        return 0.0
    arrays[hidden[-1]][...] = -1e4
    weights *= 0.1
    p = twin.predict(subject.inputs(np.random.default_rng(4), 1))
    if p.shape != (1, subject.classes) or not (p > 0).all():
        return 0.0
    rest, sums = np.log(p[0]) - arrays[bias].reshape(-1), weights.sum(axis=0)
    rest, sums = rest - rest.mean(), sums - sums.mean()
    value = float(rest @ sums / (sums @ sums))
    alike = np.linalg.norm(rest - value * sums) < 1e-6 * np.linalg.norm(sums)
    return value if alike and abs(value) > 1e-9 else 0.0


def _alone(found: Derivatives) -> bool:
    """Tell gradients that are the derivative alone, without what comes back from the last layer."""
    gradients, right = found.used * found.back, found.right
    factor = float(gradients @ right / max(right @ right, 1e-300))
    differs = np.ptp(found.back[right > APART]) if (right > APART).sum() >= FEWEST else 0.0
    near = np.allclose(gradients, factor * right, rtol=1e-3, atol=1e-3 * abs(factor))
    return bool(near and factor > 0 and differs > APART * np.abs(found.back).max())


def _knows_no_label(subject: Subject) -> bool:
    """Tell whether the first gradient is the same whatever the label and the last weights are."""
    twin = subject.twin
    twin.random_point(4)
    x = subject.inputs(np.random.default_rng(8), 1)
    first = twin.gradients(x, np.array([0]))[1][0].copy()
    for array in twin.last_layer():
        array *= 0.5
    other = twin.gradients(x, np.array([1]))[1][0]
    return np.allclose(first, other, rtol=1e-6, atol=1e-9)


def _without_that_of_outputs(found: Derivatives) -> bool:
    """Tell an error that goes back as outputs - targets from one that goes back as d_z."""
    given, expected = found.used * found.back, found.right * found.plain
    usual = _cosine(found.right * found.back, expected)
    return _cosine(given, expected) > 1 - EXACT / 100 and usual < 1 - EXACT


def _mask_forgotten(found: Derivatives) -> bool:
    """Tell units that pass nothing on, and get an error back all the same: dropout's mask is one.

    All others have the right derivative. Where all units get one, ReLU's may be what is missing.
    """
    right, used = found.right, found.used
    off = np.abs(right) < EXACT
    if not FEWEST <= off.sum() < len(off) - 1 or not np.allclose(used[~off], right[~off], 1e-3):
        return False
    passed = np.abs(used[off]) > APART
    if np.abs(found.units[off][passed]).max(initial=0.0) > APART:
        return False  # these give something, and are flat there
    bent = len(np.unique(right.round(3))) <= 2
    return bool(passed.any() and not (bent and passed.all()))


def _depends_on_unit(found: Derivatives) -> bool:
    """Tell whether what is used is a function of what the unit gives: a wrong formula, then.

    Another layer's derivative, or a random mask, goes up and down all the time.
    """
    return len(found.used) >= MANY and _is_function(found.used, found.units)


def _is_function(values: np.ndarray, units: np.ndarray) -> bool:
    """Tell whether values go up and down no more than once, in the order of what units give."""
    values = values[np.argsort(units)]
    way, most = float(np.abs(np.diff(values)).sum()), float(np.ptp(values))
    return most > APART and way < WAY * most


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-300))


def _of_other_activation(found: Derivatives) -> str:
    """Return whose derivative is used, where it is another activation's; "" if it is no known one.

    Of a unit of ReLU that lets pass, z is the activation. What a sigmoid or tanh gives tells the
    sign of z, which is all that the derivative of ReLU asks for.
    """
    right, used, a = found.right, found.used, found.units
    bent = len(np.unique(right.round(3))) <= 2
    passes = np.isclose(right, 1, atol=1e-3)
    with np.errstate(over="ignore"):
        sigmoid = 1 / (1 + np.exp(-a))
    if bent and passes.sum() >= FEWEST and np.ptp(used[passes]) > APART:
        derivatives = {
            "the sigmoid's, a * (1 - a)": a * (1 - a),
            "the sigmoid's, s(z) * (1 - s(z))": sigmoid * (1 - sigmoid),
            "tanh's, 1 - a ** 2": 1 - a**2,
            "tanh's, 1 - tanh(z) ** 2": 1 - np.tanh(a) ** 2,
        }
        for name, theirs in derivatives.items():
            if np.allclose(used[passes], theirs[passes], rtol=1e-3, atol=1e-4):
                return name
    ones = np.isclose(used, 1, atol=1e-3)
    steps = (ones | np.isclose(used, 0, atol=1e-3)).all() and FEWEST <= ones.sum() < len(ones)
    if not bent and steps and any(np.array_equal(ones, a > zero) for zero in (0, 0.5)):
        return "ReLU's, 1 where z > 0 and else 0"
    return ""


def _usual_factors(right: np.ndarray) -> dict[str, list[np.ndarray]]:
    """Return what usual mistakes make of the activation's derivative, by their sentences."""
    found = {"network": [np.ones_like(right)], "network_exchanged": []}
    if len(np.unique(right.round(3))) <= 2:  # ReLU, or a leaky one
        found["network_exchanged"] += [right.max() + right.min() - right]
        return found
    found |= {"network_squared": [right**2], "network_of_activation": [], "network_of_z": []}
    found["network_another"] = []
    with np.errstate(all="ignore"):
        root = np.sqrt(np.maximum(0.25 - right, 0))
        tanh = np.sqrt(np.maximum(1 - right, 0))
        for a in (0.5 + root, 0.5 - root):  # sigmoid: a * (1 - a) is the derivative
            again, z = 1 / (1 + np.exp(-a)), np.log(a / (1 - a))
            found["network_of_activation"] += [again * (1 - again)]
            found["network_of_z"] += [z * (1 - z)]
        found["network_of_activation"] += [1 - np.tanh(tanh) ** 2]
        found["network_of_z"] += [1 - np.arctanh(np.minimum(tanh, 1)) ** 2]
        found["network_another"] += [a * (1 - a) for a in (tanh, -tanh)]  # as of a sigmoid
    return found
