"""Checks of chapter 4: leaky ReLU and its derivative."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from mnist_book.diagnosis.checks.function import GuardedFunction, not_a_number, report, shown, takes
from mnist_book.diagnosis.evidence import compared, lay_out
from mnist_book.diagnosis.reports import Finding, Report

SLOPES = (0.3, 0.05)
OWN_SLOPE = 0.01  # of a function that takes none
# Some just above 0, some above 1: a function may treat them in different ways.
P = np.array([0.01, 0.04, 0.2, 0.7, 1.5, 3.0])
N = -np.array([0.02, 0.03, 0.25, 0.6, 1.2, 4.0])
Z = np.stack([P, N]).T.reshape(3, 4)  # positive and negative in turn

Halves = tuple[np.ndarray | float, np.ndarray | float]  # what comes out for P, and for N
Measured = dict[float, Halves]  # by slope

# Each mistake with what it makes of P and N, given the slope.
ACTIVATION_MISTAKES: list[tuple[Finding, Callable[[float], Halves]]] = [
    (Finding("leaky_relu.no_else"), lambda s: (0, s * N)),
    (Finding("leaky_relu.no_else", says="lost"), lambda s: (0, N)),
    (Finding("leaky_relu.no_else", says="scaled"), lambda s: (s * P, s * N)),
    (Finding("leaky_relu.derivative"), lambda s: (1, s)),
    (Finding("leaky_relu.sign", says="comparison"), lambda s: (s * P, N)),
    (Finding("leaky_relu.sign", says="slope"), lambda s: (P, -s * N)),
    (Finding("leaky_relu.abs"), lambda s: (P, -N)),
    (Finding("leaky_relu.plain"), lambda s: (P, 0)),
    (Finding("leaky_relu.plain", says="identity"), lambda s: (P, N)),
    (Finding("leaky_relu.wrong", says="slope_alone"), lambda s: (P, s)),
    (Finding("leaky_relu.wrong", says="slope_alone"), lambda s: (P, -s)),
    *(
        (
            Finding("leaky_relu.wrong", says="other", values={"name": name}),
            lambda s, f=f: (f(P), f(N)),
        )
        for name, f in {
            "tanh": np.tanh,
            "the sigmoid": lambda z: 1 / (1 + np.exp(-z)),
            "softplus": lambda z: np.log1p(np.exp(z)),
            "ELU": lambda z: np.where(z > 0, z, np.expm1(z)),
        }.items()
    ),
]
DERIVATIVE_MISTAKES: list[tuple[Finding, Callable[[float], Halves]]] = [
    (Finding("relu_gradient.always_one"), lambda s: (1, 1)),
    (Finding("relu_gradient.sign", says="slope"), lambda s: (1, -s)),
    (Finding("relu_gradient.sign", says="comparison"), lambda s: (s, 1)),
    (Finding("relu_gradient.sign", says="comparison"), lambda s: (0, 1)),
    (Finding("relu_gradient.sign", says="no_positive"), lambda s: (0, s)),
    (Finding("relu_gradient.sign", says="no_positive"), lambda s: (s, s)),
    (Finding("relu_gradient.sign", says="minus"), lambda s: (-1, -s)),
    (Finding("relu_gradient.of_activation", says="itself"), lambda s: (P, s * N)),
    (Finding("relu_gradient.of_activation", says="itself"), lambda s: (P, 0)),
    (Finding("relu_gradient.of_activation", says="below"), lambda s: (1, s * N)),
    (Finding("relu_gradient.of_activation", says="above"), lambda s: (P, s)),
    (Finding("relu_gradient.of_activation", says="product"), lambda s: (P, s * s * N)),
]


def leaky_relu(function: Callable[..., np.ndarray]) -> Report:
    """Check `f(z, slope)`: z where z > 0, slope * z elsewhere; `f(z)` may have its own slope."""
    subject, slopes = _with_slope(function, lambda above, below: below / N)

    def check() -> list[Finding]:
        measured = {slope: _measure(subject, slope) for slope in slopes()}
        for slope, halves in measured.items():
            if not _near(halves, (P, slope * N)):
                own = len(measured) == 1 and _near(halves, (P, 0))
                finding = Finding("leaky_relu.plain", says="inside") if own else None
                finding = finding or _in_table(measured, ACTIVATION_MISTAKES)
                finding = finding or _by_halves(measured)
                return [_shown(finding, slope, halves, (P, slope * N))]
        return subject.side_effects()

    return report("leaky_relu", check)


def _with_slope(
    function: Callable[..., np.ndarray], leak: Callable[[Any, Any], np.ndarray]
) -> tuple[GuardedFunction, Callable[[], tuple[float, ...]]]:
    """Return a function of z and slope, and the slopes to try: its own, if it takes z alone.

    `leak` reads that slope off what comes out for `P` and for `N`; 0.01 if there is none.
    """
    if not callable(function) or takes(function, 2) or not takes(function, 1):
        return GuardedFunction(function, "z slope"), lambda: SLOPES

    subject = GuardedFunction(lambda z, slope: function(z), "z slope")

    def slopes() -> tuple[float, ...]:
        found = leak(*_measure(subject, OWN_SLOPE))
        alike = np.ptp(found) < 1e-6 and 0 < found[0] < 1
        return (float(found[0]) if alike else OWN_SLOPE,)

    return subject, slopes


def _by_halves(measured: Measured) -> Finding:
    """Name a mistake of leaky ReLU by the one half that shows it."""
    positive, negative = map(np.stack, zip(*measured.values(), strict=True))
    leak = negative / N
    if _near((positive, leak), (P, leak[0, 0])):
        return Finding("leaky_relu.plain", says="ignored", values={"slope": leak[0, 0]})
    if np.allclose(positive, -P):
        return Finding("leaky_relu.sign", says="minus")
    if negative.min() > 0 and positive.min() > 0:
        return Finding("leaky_relu.abs", says="positive")
    right = np.allclose(positive, P)
    return Finding("leaky_relu.wrong", says="usual" if right else "positive")


def leaky_relu_gradient(function: Callable[..., np.ndarray]) -> Report:
    """Check `f(z, slope)`: 1 where the pre-activation z > 0, slope where it is below.

    At 0 itself, where leaky ReLU has a corner, either will do, and any number between them. It may
    be `f(z)` with a slope of its own.
    """
    subject, slopes = _with_slope(function, lambda above, below: below / above)

    def check() -> list[Finding]:
        tried = slopes() if slopes() != SLOPES else (*SLOPES, 0.0)
        measured = {slope: _measure(subject, slope) for slope in tried}
        for slope, halves in measured.items():
            if not _near(halves, (1, slope)):
                finding = _mistake_in_derivative(measured)
                return [_shown(finding, slope, halves, (np.ones(6), np.full(6, slope)))]
        return _check_corner(subject, tried[0]) or subject.side_effects()

    return report("leaky_relu_gradient", check)


def _check_corner(subject: GuardedFunction, slope: float) -> list[Finding]:
    """Ask for the derivative at 0, among others."""
    z = np.array([[0.0, 1.0, -1.0]])
    given = subject.given(z, slope)
    result = subject.array(z, slope, shape=z.shape)
    not_a_number(result, given)
    if slope - 1e-6 <= result[0, 0] <= 1 + 1e-6:
        return []
    expected = np.array([[1, 1, slope]])
    return [shown(Finding("relu_gradient.wrong", says="corner"), given, result, expected)]


def _mistake_in_derivative(measured: Measured) -> Finding:
    leaky = {slope: halves for slope, halves in measured.items() if slope}
    finding = _in_table(leaky, DERIVATIVE_MISTAKES)
    if finding:
        return finding
    if len(measured) == 1 and _near(next(iter(measured.values())), (1, 0)):
        return Finding("relu_gradient.slope_ignored")
    if all(_near(halves, (1, slope)) for slope, halves in leaky.items()):
        ones = _near(measured[0.0], (1, 1))
        return Finding("relu_gradient.of_activation") if ones else Finding("relu_gradient.wrong")
    positive, negative = map(np.stack, zip(*leaky.values(), strict=True))
    if _near((positive, negative), (1, negative[0, 0])):
        values = {"slope": negative[0, 0]}
        return Finding("relu_gradient.slope_ignored", says="ignored", values=values)
    known = all(
        np.isin(np.round(np.stack(halves), 6), (0, 1, s)).all() for s, halves in leaky.items()
    )
    mixed = np.ptp(positive, axis=1).any() or np.ptp(negative, axis=1).any()
    return Finding("relu_gradient.wrong", says="comparison" if known and mixed else "usual")


# --------------------------------------------------------------------------------------------------
# Both
# --------------------------------------------------------------------------------------------------


def _measure(subject: GuardedFunction, slope: float) -> Halves:
    """Call a function at `Z`; return what it gives for `P` and for `N`."""
    result = subject.array(Z, slope, shape=Z.shape)
    not_a_number(result, subject.given(Z, slope))
    positive, negative = result.astype(float).reshape(6, 2).T
    return positive, negative


def _in_table(measured: Measured, mistakes: list) -> Finding | None:
    """Find the mistake that makes what was measured, with every slope."""
    for finding, makes in mistakes:
        if all(_near(halves, makes(slope)) for slope, halves in measured.items()):
            return finding
    return None


def _near(halves: Halves, expected: Halves) -> bool:
    pairs = zip(halves, expected, strict=True)
    return all(np.allclose(half, value, rtol=1e-4, atol=1e-6) for half, value in pairs)


def _shown(finding: Finding, slope: float, halves: Halves, expected: Halves) -> Finding:
    above, below = (compared(*pair) for pair in zip(halves, expected, strict=True))
    both = {line: f"{above[line]} and {below[line]}" for line in above}
    given = f"z {P.tolist()} and {N.tolist()}, slope {slope}"
    return replace(finding, evidence=lay_out(given=given, **both))
