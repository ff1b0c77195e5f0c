"""Biases whose gradients are wrong, while those of the weights are right."""

import numpy as np

from mnist_book.diagnosis.examine.derivatives import without_derivative
from mnist_book.diagnosis.examine.paths import right_layers
from mnist_book.diagnosis.examine.probing import Cause
from mnist_book.diagnosis.examine.results import is_matrix
from mnist_book.diagnosis.examine.slopes import Pair, Slopes, compare
from mnist_book.diagnosis.examine.subject import Subject

ONE_NUMBER = 1e-6  # relative, by which rounding makes equal numbers differ
ADDED = 1e-3  # relative, by which an added number may differ
EXACT = 1e-6  # relative, by which sums may differ
EXAMPLES = 6  # in a batch, of which one alone may count


def of_biases(subject: Subject, slopes: Slopes) -> Cause:
    """Tell apart what goes wrong with biases alone."""
    wrong = [pair for pair, is_wrong in zip(slopes.pairs, slopes.wrong, strict=True) if is_wrong]
    factors, cosines = slopes.factors[slopes.wrong], slopes.cosines[slopes.wrong]
    places = [int(k) for k in np.flatnonzero(slopes.wrong)]
    if all(multiplies(subject, k) for k in places):
        return Cause("gradients.wrong", "network_gamma")
    if not any(pair.analytic.any() for pair in wrong):
        return Cause("gradients.bias", "network_zero")
    off = [pair.analytic - pair.numeric for pair in wrong]
    if all(len(part) > 1 and np.ptp(part) < ADDED * np.abs(part).max() for part in off):
        numbers = ", ".join(f"{part.mean():.3g}" for part in off)
        return Cause("gradients.bias", "network_added", {"numbers": numbers})
    if all(_one_number(pair) for pair in wrong):
        return Cause("gradients.bias", "network_one_number")
    if example := _of_one_example(subject, places):
        return Cause("gradients.bias", "network_one_example", {"example": example})
    if _of_weights(subject, places):
        return Cause("gradients.bias", "network_of_weights")
    if (np.abs(cosines) > 0.999).all():
        if np.allclose(factors, -1, rtol=0.02):
            return Cause("gradients.bias", "network_sign")
        if np.allclose(factors, 1 / slopes.batch, rtol=0.02):
            return Cause("gradients.bias", "network_mean", {"m": slopes.batch})
        alone = compare(subject, batch=1)
        if (factors > 2).all() and not isinstance(alone, str) and not alone.wrong.any():
            return Cause("gradients.bias", "network_undivided", {"m": slopes.batch})
        shown = ", ".join(f"{factor:.3g}" for factor in factors)
        return Cause("gradients.bias", "network_factor", {"factors": shown})
    if without_derivative(subject, right_layers(subject.arrays(), slopes.wrong)):
        return Cause("gradients.bias", "network_no_derivative")
    return Cause("gradients.bias")


def _one_number(pair: Pair) -> bool:
    """Tell gradients that are one number; in the last layer it is 0, but for rounding."""
    size = max(float(np.abs(part).max()) for part in (pair.analytic, 1e-3 * pair.numeric))
    return len(pair.analytic) > 1 and bool(np.ptp(pair.analytic) <= ONE_NUMBER * size)


def multiplies(subject: Subject, k: int) -> bool:
    """Tell what the signal is multiplied by, as the gamma of a normalisation, from a bias.

    Where it is 0, all pictures are the same to what follows.
    """
    twin = subject.twin
    twin.random_point(2)
    x = subject.inputs(np.random.default_rng(1), 2)
    twin.arrays()[k][...] = 0
    p = twin.predict(x)
    return len(p) == 2 and np.allclose(p[0], p[1], rtol=1e-12, atol=0)


def _of_one_example(subject: Subject, places: list[int]) -> str:
    """Return whether the first or the last example of a batch alone counts for them; else ""."""
    twin = subject.twin
    twin.random_point(2)
    x, y = subject.inputs(np.random.default_rng(1), EXAMPLES), np.arange(EXAMPLES) % subject.classes
    whole = twin.gradients(x, y)[1]
    for name, row in (("first", slice(0, 1)), ("last", slice(-1, None))):
        alone = twin.gradients(x[row], y[row])[1]
        if all(_parallel(whole[k], alone[k]) for k in places):
            return name
    return ""


def _of_weights(subject: Subject, places: list[int]) -> bool:
    """Tell gradients that are those of a layer's weights, summed over the inputs."""
    twin = subject.twin
    twin.random_point(2)
    x, y = subject.inputs(np.random.default_rng(1), EXAMPLES), np.arange(EXAMPLES) % subject.classes
    gradients = twin.gradients(x, y)[1]
    sums = [g.sum(axis=1 if subject.columns else 0) for g in gradients if is_matrix(g)]
    return all(
        any(_parallel(gradients[k], total) for total in sums if total.size == gradients[k].size)
        for k in places
    )


def _parallel(one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether one is a positive multiple of the other."""
    one, other = one.reshape(-1).astype(np.float64), other.reshape(-1).astype(np.float64)
    sizes = float(np.linalg.norm(one) * np.linalg.norm(other))
    return bool(one @ other > (1 - EXACT) * sizes > 0)
