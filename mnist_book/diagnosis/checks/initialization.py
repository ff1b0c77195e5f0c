"""Check of chapter 5: the weights that training starts from."""

import math
from collections.abc import Callable

import numpy as np

from mnist_book.diagnosis.reports import Finding, Report
from mnist_book.diagnosis.running import array, call, not_a_number, report, side_effects

SLOPE = 0.01
# What depends on the inputs, on the outputs, or on both, shows.
SIZES = ((900, 100), (100, 900), (300, 200))


def he_normal(
    function: Callable[[np.random.Generator, int, int, float], np.ndarray], *, columns: bool = False
) -> Report:
    """Check `f(rng, inputs, outputs, slope) -> weights` for He's initialization.

    Parameters
    ----------
    function : returns weights (inputs, outputs)
    columns : it returns (outputs, inputs) instead
    """

    def check() -> list[Finding]:
        samples = []
        for inputs, outputs in SIZES:
            arguments = np.random.default_rng(7), inputs, outputs, SLOPE
            shape = (outputs, inputs) if columns else (inputs, outputs)
            what = f"given:    inputs {inputs}, outputs {outputs}, slope {SLOPE}"
            result = call(function, *arguments)
            values = np.asarray(result)
            if isinstance(result, np.ndarray) and values.shape == shape[::-1]:
                return [_wrong_way_round(what, values, columns)]
            values = array(result, what, shape).astype(float)
            not_a_number(values, what)
            samples.append(values.T if columns else values)
        cause = _mistake_in_weights(samples)
        if cause:
            return [Finding(*cause, _shown(samples), 5)]
        return side_effects(function, np.random.default_rng(7), *SIZES[0], SLOPE)

    return report("he_normal", check)


def _wrong_way_round(what: str, values: np.ndarray, columns: bool) -> Finding:
    expected = "(outputs, inputs)" if columns else "(inputs, outputs)"
    message = f"The weights have their sizes exchanged; they should be {expected}."
    if not columns:
        message += " (If your examples are in columns, pass columns=True.)"
    return Finding("function.shape", message, f"{what}\nreturned: shape {values.shape}", 2)


def _he(inputs: int) -> float:
    return math.sqrt(2 / ((1 + SLOPE**2) * inputs))


def _shown(samples: list[np.ndarray]) -> str:
    lines = []
    for (inputs, outputs), weights in zip(SIZES, samples, strict=True):
        lines.append(
            f"inputs {inputs}, outputs {outputs}: mean {weights.mean():.4f}, standard deviation "
            f"{weights.std():.4f}, expected {_he(inputs):.4f}, lowest {weights.min():.3f}"
        )
    return "\n".join(lines)


def _mistake_in_weights(samples: list[np.ndarray]) -> tuple[str, str] | None:
    """Name what is wrong with samples of weights (inputs, outputs), if anything is."""

    def deviation_is(expected: Callable[[int, int], float], tolerance: float = 0.06) -> bool:
        return all(
            abs(np.sqrt(np.mean(weights**2)) / expected(inputs, outputs) - 1) < tolerance
            for (inputs, outputs), weights in zip(SIZES, samples, strict=True)
        )

    if all(np.all(weights == 0) for weights in samples):
        message = (
            "All weights are 0: all units compute the same, and get the same gradient for ever."
        )
        return "init.zeros", message
    if any(np.allclose(w, w[:, :1]) or np.allclose(w, w[:1]) for w in samples):
        message = "Units are clones of each other: they start equal, so they stay equal. Draw each."
        return "init.symmetric", message
    if all(weights.min() >= 0 for weights in samples):
        return "init.positive", (
            "No weight is negative: sums over many inputs become huge and all alike. Usual cause: "
            "rng.random, which draws from 0 to 1; weights belong on both sides of 0."
        )
    if any(abs(w.mean()) > 0.25 * w.std() for w in samples):
        return "init.positive", "The weights are not centred at 0: one sign dominates."
    if deviation_is(lambda inputs, outputs: _he(inputs)):
        return None
    fan = (
        "init.fan",
        (
            "The wrong number comes in: the spread must fit the number of inputs, for the sum over "
            "the inputs is what it is to keep in size."
        ),
    )
    if deviation_is(lambda inputs, outputs: _he(inputs) ** 2):
        return "init.variance_as_std", (
            "The variance is used as the standard deviation: 2 / inputs for sqrt(2 / inputs). "
            "The second argument of rng.normal is the standard deviation."
        )
    if deviation_is(lambda inputs, outputs: 1 / inputs):
        message = "The variance, 1 / inputs, is used as the standard deviation: take its root."
        return "init.variance_as_std", message
    if deviation_is(lambda inputs, outputs: math.sqrt(_he(inputs))):
        message = "The root of the standard deviation is used: sqrt is taken twice."
        return "init.too_large", message
    for factor in (1, 2, 3, 4, 6):
        for count in (
            lambda inputs, outputs: outputs,
            lambda inputs, outputs: inputs + outputs,
            lambda inputs, outputs: inputs * outputs,
            lambda inputs, outputs: (inputs + outputs) / 2,
        ):
            if deviation_is(lambda i, o, c=count, f=factor: math.sqrt(f / c(i, o))):
                return fan
            if deviation_is(lambda i, o, c=count, f=factor: f / c(i, o)):
                return fan
    ratios = [
        np.sqrt(np.mean(weights**2)) / _he(inputs)
        for (inputs, _), weights in zip(SIZES, samples, strict=True)
    ]
    if max(ratios) > 1.25:
        return "init.too_large", (
            f"The weights are up to {max(ratios):.3g} times too large: activations grow from layer "
            "to layer. Standard deviation: sqrt(2 / inputs)."
        )
    if min(ratios) < 0.65:
        return "init.too_small", (
            f"The weights are down to {min(ratios):.2g} of what they should be: activations shrink "
            "from layer to layer. Standard deviation: sqrt(2 / inputs)."
        )
    return None
