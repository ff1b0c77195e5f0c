"""Checks of chapter 4: leaky ReLU and its derivative."""

from collections.abc import Callable

import numpy as np

from mnist_book.diagnosis.reports import Finding, Report
from mnist_book.diagnosis.running import array, call, not_a_number, report, side_effects

SLOPES = (0.3, 0.05)
# Some just above 0, some above 1: a function may treat them in different ways.
POSITIVE = np.array([0.01, 0.04, 0.2, 0.7, 1.5, 3.0])
NEGATIVE = -np.array([0.02, 0.03, 0.25, 0.6, 1.2, 4.0])
Z = np.stack([POSITIVE, NEGATIVE]).T.reshape(3, 4)  # (3, 4), positive and negative in turn


def _values(function: Callable, slope: float) -> tuple[np.ndarray, np.ndarray]:
    """Call a function at `Z`; return what it gives for `POSITIVE` and for `NEGATIVE`."""
    what = f"given:    z of shape {Z.shape}, slope {slope}"
    result = array(call(function, Z, slope), what, Z.shape)
    not_a_number(result, what)
    return tuple(result.astype(float).reshape(6, 2).T)


def _all(values: np.ndarray, expected: float | np.ndarray) -> bool:
    return np.allclose(values, expected, rtol=1e-4, atol=1e-6)


def _shown(slope: float, positive: np.ndarray, negative: np.ndarray, right: str) -> str:
    return (
        f"given:    z {POSITIVE.tolist()} and {NEGATIVE.tolist()}, slope {slope}\n"
        f"returned: {np.round(positive, 4).tolist()} and {np.round(negative, 4).tolist()}\n"
        f"expected: {right}"
    )


# --------------------------------------------------------------------------------------------------
# Leaky ReLU
# --------------------------------------------------------------------------------------------------


def leaky_relu(function: Callable[[np.ndarray, float], np.ndarray]) -> Report:
    """Check `f(z, slope)`: z where z > 0, slope * z elsewhere."""

    def check() -> list[Finding]:
        measured = {slope: _values(function, slope) for slope in SLOPES}
        wrong = [
            slope
            for slope, (positive, negative) in measured.items()
            if not (_all(positive, POSITIVE) and _all(negative, slope * NEGATIVE))
        ]
        if wrong:
            code, message = _mistake_in_activation(measured)
            shown = _shown(wrong[0], *measured[wrong[0]], "z itself above 0, slope * z below")
            return [Finding(code, message, shown, 4)]
        return side_effects(function, Z, SLOPES[0])

    return report("leaky_relu", check)


def _mistake_in_activation(measured: dict) -> tuple[str, str]:
    def everywhere(right: Callable) -> bool:
        return all(right(slope, *measured[slope]) for slope in measured)

    lost = (
        "leaky_relu.no_else",
        "Positive values don't come through unchanged, and they are the signal. Usual cause: only "
        "the case z < 0 is written, without its else.",
    )
    if everywhere(lambda s, p, n: _all(p, 1) and _all(n, s)):
        return "leaky_relu.derivative", "This is the derivative, not leaky ReLU itself."
    if everywhere(lambda s, p, n: _all(p, s * POSITIVE) and _all(n, NEGATIVE)):
        message = "The comparison is the wrong way round: positive values are scaled by the slope."
        return "leaky_relu.sign", message
    if everywhere(lambda s, p, n: _all(p, POSITIVE)):
        if everywhere(lambda s, p, n: _all(n, -NEGATIVE)):
            return "leaky_relu.abs", "Negative inputs come out positive, at full size: |z|."
        if everywhere(lambda s, p, n: _all(n, -s * NEGATIVE)):
            message = (
                "Negative inputs come out positive: the slope has the wrong sign (or |z| is in it)."
            )
            return "leaky_relu.sign", message
        if everywhere(lambda s, p, n: _all(n, NEGATIVE)):
            return "leaky_relu.plain", "Negative values pass unchanged: there is no bend at all."
        ratio = {slope: n / NEGATIVE for slope, (_, n) in measured.items()}
        if all(_all(r, ratio[SLOPES[0]][0]) for r in ratio.values()):
            message = "The slope that is passed is ignored: "
            leak = ratio[SLOPES[0]][0]
            found = (
                "negative inputs give 0, plain ReLU." if leak == 0 else f"it is always {leak:.3g}."
            )
            return "leaky_relu.plain", message + found
        if everywhere(lambda s, p, n: bool((n > 0).all())):
            return "leaky_relu.abs", "Negative inputs come out positive."
        if everywhere(lambda s, p, n: _all(n, -s) or _all(n, s)):
            message = "Negative inputs all give the slope itself, not slope * z."
            return "leaky_relu.wrong", message
    if everywhere(lambda s, p, n: _all(p, -POSITIVE)):
        return "leaky_relu.sign", "Positive values come out negative."
    if everywhere(lambda s, p, n: bool((n > 0).all()) and bool((p > 0).all())):
        return "leaky_relu.abs", "Negative inputs come out positive."
    if everywhere(lambda s, p, n: not _all(p, POSITIVE)):
        return lost
    return "leaky_relu.wrong", "It should give z above 0 and slope * z below."


# --------------------------------------------------------------------------------------------------
# Its derivative
# --------------------------------------------------------------------------------------------------


def leaky_relu_gradient(function: Callable[[np.ndarray, float], np.ndarray]) -> Report:
    """Check `f(z, slope)`: 1 where the pre-activation z > 0, slope elsewhere (either at 0)."""

    def check() -> list[Finding]:
        measured = {slope: _values(function, slope) for slope in (*SLOPES, 0.0)}
        wrong = [
            slope
            for slope, (positive, negative) in measured.items()
            if not (_all(positive, 1) and _all(negative, slope))
        ]
        if wrong:
            code, message = _mistake_in_derivative(measured)
            shown = _shown(wrong[0], *measured[wrong[0]], f"1 above 0, {wrong[0]} below")
            return [Finding(code, message, shown, 4)]
        at_zero = np.array([[0.0, 1.0, -1.0]])
        what = "given:    z [[0, 1, -1]]"
        not_a_number(array(call(function, at_zero, SLOPES[0]), what, (1, 3)), what)
        return side_effects(function, Z, SLOPES[0])

    return report("leaky_relu_gradient", check)


def _mistake_in_derivative(measured: dict) -> tuple[str, str]:
    leaky = {slope: measured[slope] for slope in SLOPES}

    def everywhere(right: Callable) -> bool:
        return all(right(slope, *values) for slope, values in leaky.items())

    of_activation = (
        "relu_gradient.of_activation",
        (
            "The derivative is asked of the activated value, not of the pre-activation z. Behind "
            "ReLU nothing is below 0, so a comparison there tells nothing; compare z itself."
        ),
    )
    if everywhere(lambda s, p, n: _all(p, 1)):
        if everywhere(lambda s, p, n: _all(n, 1)):
            return "relu_gradient.always_one", (
                "It is 1 everywhere: negative units get the full gradient too. Usual cause: >= 0 "
                "asked of the activated value, which is never below 0."
            )
        if everywhere(lambda s, p, n: _all(n, s)):
            return of_activation  # wrong with slope 0 alone, where activation makes zeros
        if everywhere(lambda s, p, n: _all(n, -s)):
            return "relu_gradient.sign", "Below 0 the derivative is the slope, not minus the slope."
        if all(_all(n, leaky[SLOPES[0]][1][0]) for _, n in leaky.values()):
            value = leaky[SLOPES[0]][1][0]
            message = f"The slope that is passed is ignored: below 0 it is always {value:.3g}."
            return "relu_gradient.slope_ignored", message
        if everywhere(lambda s, p, n: _all(n, s * NEGATIVE)):
            message = "Below 0 this is slope * z, the activation; its derivative is the slope."
            return "relu_gradient.of_activation", message
        return of_activation
    if everywhere(lambda s, p, n: _all(p, POSITIVE)):
        message = "This is the activation itself; its derivative is 1 above 0 and the slope below."
        return "relu_gradient.of_activation", message
    if everywhere(lambda s, p, n: _all(p, s) and _all(n, 1)):
        return "relu_gradient.sign", "The comparison is the wrong way round: 1 belongs above 0."
    if everywhere(lambda s, p, n: _all(p, 0)):
        if everywhere(lambda s, p, n: _all(n, 1)):
            return "relu_gradient.sign", "The comparison is the wrong way round: 1 belongs above 0."
        message = "Above 0 it should be 1. Usual cause: the case z > 0 is not written."
        return "relu_gradient.sign", message
    if everywhere(lambda s, p, n: _all(p, -1)):
        return "relu_gradient.sign", "Above 0 the derivative is 1, not -1."
    if everywhere(lambda s, p, n: bool(np.isin(np.round(p, 6), (0, 1, round(s, 6))).all())):
        return of_activation  # right for some positive z and not for others: another was compared
    return "relu_gradient.wrong", "It should be 1 above 0 and the slope below."
