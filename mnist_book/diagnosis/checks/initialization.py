"""Check of chapter 5: the weights that training starts from."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from mnist_book.diagnosis.checks.function import Found, GuardedFunction, not_a_number, report
from mnist_book.diagnosis.evidence import lay_out
from mnist_book.diagnosis.reports import Finding, Report

SLOPE = 0.01
# What depends on the inputs, on the outputs, or on both, shows.
SIZES = ((900, 100), (100, 900), (300, 200))  # inputs, outputs
# Of so many normal numbers, the size is off by 0.3 % and the mean by 0.4 % of it (one standard
# deviation), so that no right function is told, and none that is wrong by a factor of 1.1 passes.
SIZE_TOLERANCE = 0.06
MEAN_TOLERANCE = 0.03  # of the standard deviation

Deviation = Callable[[int, int], float]  # of weights, by their inputs and outputs


def he_normal(
    function: Callable[[np.random.Generator, int, int, float], np.ndarray], *, columns: bool = False
) -> Report:
    """Check `f(rng, inputs, outputs, slope) -> weights` for He's initialization.

    Any distribution will do that has the mean 0 and the standard deviation
    sqrt(2 / ((1 + slope**2) * inputs)), to within 6 %; at the slope 0.01 that is asked for, it may
    also be sqrt(2 / inputs). No unit may be a copy of another one, and another generator must give
    other weights.

    Parameters
    ----------
    function : returns weights (inputs, outputs)
    columns : it returns (outputs, inputs) instead
    """
    subject = GuardedFunction(function, "rng inputs outputs slope")

    def check() -> list[Finding]:
        samples = [_draw(subject, *sizes, columns) for sizes in SIZES]
        finding = _misshapen(samples) or _missized(samples)
        if finding:
            return [replace(finding, evidence=_shown(samples))]
        if np.array_equal(samples[0], _draw(subject, *SIZES[0], columns, seed=8)):
            seen = lay_out(given="rng of seed 7, rng of seed 8", returned="the same weights twice")
            return [Finding("init.symmetric", seen, says="seed")]
        return subject.side_effects()

    return report("he_normal", check)


def _draw(
    subject: GuardedFunction, inputs: int, outputs: int, columns: bool, seed: int = 7
) -> np.ndarray:
    """Draw weights, and turn them to (inputs, outputs)."""
    arguments = np.random.default_rng(seed), inputs, outputs, SLOPE
    given, shape = subject.given(*arguments), (outputs, inputs) if columns else (inputs, outputs)
    weights = subject.array(*arguments)
    if weights.shape == shape[::-1]:
        evidence = lay_out(given=given, returned=f"an array of shape {weights.shape}")
        raise Found(
            Finding("function.shape", evidence, "exchanged_columns" if columns else "exchanged")
        )
    weights = subject.as_array(weights, given, shape).astype(float)
    not_a_number(weights, given)
    return weights.T if columns else weights


def _misshapen(samples: list[np.ndarray]) -> Finding | None:
    """Look for what is wrong with the distribution, whatever its size."""
    if not any(weights.any() for weights in samples):
        return Finding("init.zeros")
    if any(np.allclose(w, w[:, :1]) or np.allclose(w, w[:1]) for w in samples):
        return Finding("init.symmetric")
    for weights in samples:
        count, units = len(np.unique(weights, axis=1).T), weights.shape[1]
        if count < units:
            return Finding("init.symmetric", says="some", values={"count": count, "all": units})
    if all(weights.min() >= 0 for weights in samples):
        ratio = _ratios(samples).max()
        if ratio > 1.25:
            return Finding("init.positive", says="large", values={"ratio": ratio})
        return Finding("init.positive")
    if any(abs(weights.mean()) > MEAN_TOLERANCE * weights.std() for weights in samples):
        return Finding("init.positive", says="leaning")
    return None


def _missized(samples: list[np.ndarray]) -> Finding | None:
    """Compare the size of the weights with He's, and with what the usual mistakes make of it."""
    if _have_size(samples, lambda inputs, outputs: _he(inputs)):
        return None
    for finding, deviation in _mistaken_sizes():
        if _have_size(samples, deviation):
            return finding
    ratios = _ratios(samples)
    if ratios.max() > 1 + SIZE_TOLERANCE:
        return Finding("init.too_large", values={"ratio": ratios.max()})
    return Finding("init.too_small", values={"ratio": ratios.min()})


def _mistaken_sizes() -> Iterator[tuple[Finding, Deviation]]:
    """List the standard deviations that the usual mistakes give."""
    yield Finding("init.variance_as_std"), lambda i, o: _he(i) ** 2
    yield Finding("init.variance_as_std", says="one_over"), lambda i, o: 1 / i
    yield Finding("init.too_large", says="root_twice"), lambda i, o: math.sqrt(_he(i))
    yield Finding("init.too_small", says="lecun"), lambda i, o: math.sqrt(1 / i)
    yield Finding("init.fan", says="xavier"), lambda i, o: math.sqrt(2 / (i + o))
    yield Finding("init.fan", says="orthogonal"), lambda i, o: math.sqrt(1 / max(i, o))
    for factor in (1, 2, 3, 4, 6):
        for count in (
            lambda i, o: o,
            lambda i, o: i + o,
            lambda i, o: i * o,
            lambda i, o: (i + o) / 2,
        ):
            yield Finding("init.fan"), _to_the_power(0.5, factor, count)
            yield Finding("init.fan"), _to_the_power(1, factor, count)


def _to_the_power(power: float, factor: float, count: Deviation) -> Deviation:
    """Make a deviation of a factor over a count of units, or of its root."""
    return lambda i, o: (factor / count(i, o)) ** power


def _have_size(samples: list[np.ndarray], deviation: Deviation) -> bool:
    return all(
        abs(_size(weights) / deviation(*sizes) - 1) < SIZE_TOLERANCE
        for weights, sizes in zip(samples, SIZES, strict=True)
    )


def _ratios(samples: list[np.ndarray]) -> np.ndarray:
    """Compare the sizes of weights with He's."""
    pairs = zip(samples, SIZES, strict=True)
    return np.array([_size(weights) / _he(inputs) for weights, (inputs, _) in pairs])


def _size(weights: np.ndarray) -> float:
    """Return the root of the mean square: the standard deviation, if the mean is 0."""
    return float(np.sqrt(np.mean(weights**2)))


def _he(inputs: int) -> float:
    """Return the standard deviation that He et al. (2015) derive for leaky ReLU."""
    return math.sqrt(2 / ((1 + SLOPE**2) * inputs))


def _shown(samples: list[np.ndarray]) -> str:
    """Lay out what was drawn, a line for each size of layer."""
    lines = {
        f"{inputs} to {outputs}": (
            f"mean {weights.mean():.4f}, standard deviation {weights.std():.4f}, "
            f"lowest {weights.min():.4f}; He's deviation is {_he(inputs):.4f}"
        )
        for (inputs, outputs), weights in zip(SIZES, samples, strict=True)
    }
    return lay_out(**lines)
