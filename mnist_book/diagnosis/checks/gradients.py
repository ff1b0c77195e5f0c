"""Checks of chapters 6 and 7: the gradients of a network, and one step of training."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mnist_book.diagnosis.checks.function import Found, GuardedFunction, not_a_number, report, same
from mnist_book.diagnosis.evidence import compared, described, lay_out
from mnist_book.diagnosis.reports import Finding, Report
from mnist_core import leaky_relu, leaky_relu_gradient, softmax

SLOPE = 0.01
NAMES = ("W1", "b1", "W2", "b2")
W1, B1, W2, B2 = range(4)
Arrays = Sequence[np.ndarray]

# --------------------------------------------------------------------------------------------------
# The network, right and with each of the usual mistakes
# --------------------------------------------------------------------------------------------------


class _Case:
    """A small network, a batch, and the right gradients, in rows; and how to hand them over."""

    def __init__(
        self, batch: int, inputs: int, hidden: int, classes: int, seed: int, slope: float
    ) -> None:
        self.slope = slope
        rng = np.random.default_rng(seed)
        self.x = rng.normal(size=(batch, inputs))
        self.labels = rng.integers(0, classes, batch)
        self.parameters = [
            rng.normal(0, 0.7, (inputs, hidden)),
            rng.normal(0, 0.5, hidden),
            rng.normal(0, 0.7, (hidden, classes)),
            rng.normal(0, 0.5, classes),
        ]
        self.right = _backward(self)

    def arguments(self, columns: bool, one_hot: bool) -> list:
        """Lay out parameters, x and labels as the function takes them."""
        classes = len(self.parameters[B2])
        labels = np.eye(classes)[self.labels] if one_hot else self.labels
        if not columns:
            return [list(self.parameters), self.x, labels]
        w1, b1, w2, b2 = self.parameters
        turned = [w1.T.copy(), b1[:, np.newaxis], w2.T.copy(), b2[:, np.newaxis]]
        return [turned, self.x.T.copy(), labels.T.copy() if one_hot else labels]


def _ordinary_case(slope: float, classes: int = 3) -> _Case:
    return _Case(batch=6, inputs=5, hidden=4, classes=classes, seed=5, slope=slope)


def _square_case(slope: float) -> _Case:
    return _Case(batch=4, inputs=4, hidden=4, classes=4, seed=9, slope=slope)


def _backward(
    case: _Case,
    *,
    forward_slope: float | None = None,
    hidden_bias: bool = True,
    d_logits: Callable | None = None,
    d_hidden: Callable | None = None,
    d_z: Callable | None = None,
    outer: Callable | None = None,
    turn: Callable = np.transpose,
    probabilities: Callable = softmax,
) -> list[np.ndarray]:
    """Compute the gradients, right ones, or with one step replaced by a mistake."""
    w1, b1, w2, b2 = case.parameters
    slope = case.slope if forward_slope is None else forward_slope
    z = case.x @ w1 + b1 * hidden_bias
    a = leaky_relu(z, slope)
    p, y = probabilities(a @ w2 + b2), np.eye(len(b2))[case.labels]
    d2 = (p - y) / len(y) if d_logits is None else d_logits(p, y)
    d_a = d2 @ w2.T if d_hidden is None else d_hidden(d2, w2)
    d1 = d_a * leaky_relu_gradient(z, slope) if d_z is None else d_z(d_a, z, a, slope)
    dw2 = turn(a) @ d2 if outer is None else outer(a, z, d2)
    return [turn(case.x) @ d1, d1.sum(axis=0), dw2, d2.sum(axis=0)]


def _softmax_over(axis: int | None) -> Callable[[np.ndarray], np.ndarray]:
    return lambda z: np.exp(z) / np.exp(z).sum(axis=axis, keepdims=True)


def _of_squares(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Differentiate the squared error of the probabilities, by the logits."""
    d_p = 2 * (p - y) / len(y)
    return p * (d_p - (d_p * p).sum(axis=1, keepdims=True))


# What the usual mistakes replace in `_backward`.
MISTAKES: list[tuple[Finding, dict[str, Any]]] = [
    (Finding("gradients.missing_activation"), {"d_z": lambda d, z, a, slope: d}),
    (
        Finding("gradients.missing_activation", says="activation"),
        {"d_z": lambda d, z, a, slope: d * a},
    ),
    (Finding("gradients.missing_activation", says="z"), {"d_z": lambda d, z, a, slope: d * z}),
    (
        Finding("gradients.missing_activation", says="applied"),
        {"d_z": lambda d, z, a, slope: leaky_relu(d, slope)},
    ),
    (Finding("gradients.missing_activation", says="outer"), {"outer": lambda a, z, d: z.T @ d}),
    (Finding("gradients.missing_activation", says="nowhere"), {"forward_slope": 1.0}),
    (Finding("relu_gradient.slope_ignored"), {"d_z": lambda d, z, a, slope: d * (z > 0)}),
    (
        Finding("relu_gradient.sign", says="inside"),
        {"d_z": lambda d, z, a, slope: d * np.where(z > 0, slope, 1)},
    ),
    (Finding("leaky_relu.plain", says="inside"), {"forward_slope": 0.0}),
    (Finding("linear.no_bias", says="inside"), {"hidden_bias": False}),
    (Finding("gradients.no_labels"), {"d_logits": lambda p, y: p / len(y)}),
    (
        Finding("gradients.extra_softmax"),
        {"d_logits": lambda p, y: (p - y) * p * (1 - p) / len(y)},
    ),
    (Finding("gradients.wrong", says="squares"), {"d_logits": _of_squares}),
    (Finding("softmax.axis", says="inside"), {"probabilities": _softmax_over(0)}),
    (Finding("softmax.global_sum", says="inside"), {"probabilities": _softmax_over(None)}),
    (Finding("softmax.not_normalised", says="inside"), {"probabilities": np.exp}),
    (
        Finding("gradients.transposed", says="reshaped"),
        {"turn": lambda a: a.reshape(a.shape[::-1])},
    ),
]
# These only go together if all sizes are the same.
SQUARE_MISTAKES: list[tuple[Finding, dict[str, Any]]] = [
    (Finding("gradients.transposed", says="inputs"), {"turn": lambda a: a}),
    (Finding("gradients.transposed", says="weights"), {"d_hidden": lambda d, w: d @ w}),
]


def _wrong_gradients(case: _Case) -> Iterator[tuple[Finding, Arrays]]:
    """List the gradients that the usual mistakes give."""
    square = len({*case.x.shape, *case.parameters[W2].shape}) == 1
    for finding, change in (SQUARE_MISTAKES if square else []) + MISTAKES:
        yield finding, _backward(case, **change)


# --------------------------------------------------------------------------------------------------
# Gradients, and a step with them
# --------------------------------------------------------------------------------------------------


def gradients(
    function: Callable[[list, np.ndarray, np.ndarray], Arrays],
    *,
    columns: bool = False,
    one_hot: bool = False,
    slope: float = SLOPE,
) -> Report:
    """Check `f(parameters, x, labels)` -> the gradients of the mean cross-entropy.

    The network is x -> linear -> leaky ReLU (slope 0.01) -> linear -> softmax.

    Parameters
    ----------
    function : takes [W1, b1, W2, b2], x (batch, inputs) and labels, integers (batch,); returns a
        list like the parameters
    columns : x is (inputs, batch), weights are (outputs, inputs), biases (outputs, 1) instead
    one_hot : labels are one-hot, (batch, classes), in columns (classes, batch)
    slope : of the activation where z is negative: 0 for plain ReLU
    """
    way = _Way(GuardedFunction(function, "parameters x labels"), one_hot, slope=slope)

    def check() -> list[Finding]:
        try:
            findings = _check_gradients(way, columns) or _check_again(way, columns)
        except Found as found:
            ten = _for_ten_classes(way, found, columns)
            findings = _check_gradients(ten, columns) or _check_again(ten, columns)
        return findings or way.subject.side_effects()

    return report("gradients", check)


def _for_ten_classes(way: "_Way", found: Found, columns: bool) -> "_Way":
    """Return a way to check a function that is made for ten classes; else raise what was found."""
    ten = replace(way, classes=10)
    if found.finding.code == "function.raises":
        with contextlib.suppress(Found):
            ten.measure(ten.ordinary(), columns)
            return ten
    raise found


def train_step(
    function: Callable[[list, np.ndarray, np.ndarray, float], Arrays | None],
    *,
    columns: bool = False,
    one_hot: bool = False,
    slope: float = SLOPE,
) -> Report:
    """Check `f(parameters, x, labels, learning_rate)`: one step of plain gradient descent.

    It returns the new parameters, or changes the arrays in place and returns nothing, or the loss.
    The rest is as for `gradients`.
    """
    subject = GuardedFunction(function, "parameters x labels learning_rate", in_place=True)
    way = _Way(subject, one_hot, 0.1, slope)

    def check() -> list[Finding]:
        long = way
        try:
            findings = _check_gradients(long, columns)
        except Found as found:
            long = _for_ten_classes(way, found, columns)
            findings = _check_gradients(long, columns)
        findings = findings or _check_gradients(replace(long, rate=0.003), columns)
        if findings:
            first, *others = findings
            return [_as_step(first, long, columns), *others]
        return subject.side_effects()

    return report("train_step", check)


@dataclass(frozen=True)
class _Way:
    """How the reader's function tells its gradients: by returning them, or by a step with them."""

    subject: GuardedFunction
    one_hot: bool
    rate: float | None = None  # of learning, if it takes a step
    slope: float = SLOPE  # of the network's activation
    classes: int = 3

    def ordinary(self) -> _Case:
        """Return a case whose sizes are all different."""
        return _ordinary_case(self.slope, self.classes)

    def arguments(self, case: _Case, columns: bool) -> list:
        rate = [] if self.rate is None else [self.rate]
        return [*case.arguments(columns, self.one_hot), *rate]

    def measure(self, case: _Case, columns: bool) -> list[np.ndarray]:
        """Return the gradients, in rows."""
        arguments = self.arguments(case, columns)
        if self.rate is None:
            return self._in_rows(self.subject(*arguments), case, columns)
        result, (in_place, *_) = self.subject.call(*arguments)
        new = self._in_rows(_stepped(result, in_place), case, columns)
        return [(old - n) / self.rate for old, n in zip(case.parameters, new, strict=True)]

    def shown(self, finding: Finding, measured: Arrays, case: _Case, columns: bool) -> Finding:
        """Add to a finding the first entries that are wrong, and the error of each array."""
        errors = [_relative_error(m, r) for m, r in zip(measured, case.right, strict=True)]
        k = next((k for k, error in enumerate(errors) if error > 1e-4), int(np.argmax(errors)))
        name, scale = f"gradient of {NAMES[k]}", 1.0
        if self.rate is not None:
            name, scale = f"change of {NAMES[k]}", -self.rate
        pair = scale * measured[k] + 0.0, scale * case.right[k]  # no -0
        seen = compared(*(array.T if columns else array for array in pair))
        evidence = lay_out(
            given=self.subject.given(*self.arguments(case, columns)),
            **{line: f"{name} {text}" for line, text in seen.items()},
            errors=", ".join(f"{n} {e:.1g}" for n, e in zip(NAMES, errors, strict=True))
            + " (right ones: below 1e-6)",
        )
        return replace(finding, evidence=evidence)

    def _in_rows(self, result: object, case: _Case, columns: bool) -> list[np.ndarray]:
        """Take a list of four arrays as arrays in rows, or raise what is wrong with it."""
        given = self.subject.given(*self.arguments(case, columns))
        items = _four(result)
        if items is None:
            raise Found(_not_four(result, given, self.subject.names))
        arrays = []
        for name, item, right in zip(NAMES, items, case.right, strict=True):
            part = f"{given}; looked at: {name}"
            values = self.subject.as_array(item, part).astype(float)
            not_a_number(values, part)
            values = _turned(values, right, columns)
            if values.shape != right.shape:
                raise Found(_wrong_shape(name, values, right, part))
            arrays.append(values)
        return arrays


def _four(result: object) -> list | None:
    """Return four arrays as a list, if that is what it is, in whatever holds them."""
    if isinstance(result, np.ndarray) and result.dtype == object:
        result = list(result)
    if isinstance(result, dict):
        result = list(result.values())
    return list(result) if isinstance(result, list | tuple) and len(result) == 4 else None


def _stepped(result: object, in_place: object) -> object:
    """Find the new parameters: returned, alone or with a loss, or else written in place."""
    candidates = [result, *(result if isinstance(result, tuple) else [])]
    for candidate in candidates:
        items = _four(candidate)
        if items and not all(isinstance(item, float | int) for item in items):
            return candidate
    return in_place


def _not_four(result: object, given: str, names: list[str]) -> Finding:
    evidence = lay_out(given=given, returned=described(result))
    if isinstance(result, list | tuple):
        for index, item in enumerate(result):
            if _four(item) is not None:
                values = {"index": index, "names": ", ".join(names)}
                return Finding("function.shape", evidence, "four_inside", values)
    return Finding("function.shape", evidence, "four")


def _turned(values: np.ndarray, right: np.ndarray, columns: bool) -> np.ndarray:
    """Turn columns to rows, and (1, units) to (units,), which does no harm.

    In columns (units,) for (units, 1) does harm, as it would be broadcast.
    """
    values = values.T if columns else values
    if right.ndim == 1 and values.size == right.size and (values.ndim == 2 or not columns):
        return values.reshape(right.shape)
    return values.reshape(*values.shape, 1) if columns and right.ndim == 1 else values


def _wrong_shape(name: str, values: np.ndarray, right: np.ndarray, given: str) -> Finding:
    evidence = lay_out(given=given, returned=f"{values.shape}", expected=f"{right.shape}")
    if right.ndim == 1:
        return Finding("gradients.bias", evidence, "shape", {"name": name})
    if values.shape == right.shape[::-1]:
        return Finding("gradients.transposed", evidence, "shape", {"name": name})
    return Finding("function.shape", evidence, "gradient", {"name": name})


def _check_gradients(way: _Way, columns: bool) -> list[Finding]:
    """Compare measured gradients with the right ones; explain what differs."""
    case = way.ordinary()
    try:
        measured = way.measure(case, columns)
    except Found as found:
        return _explain_failure(found, way, columns)
    if _right(measured, case):
        return []
    return [way.shown(finding, measured, case, columns) for finding in _explain(measured, case)]


def _check_again(way: _Way, columns: bool) -> list[Finding]:
    """Compare the gradients of a further call with the right ones, which the first call gave."""
    case = way.ordinary()
    measured = way.measure(case, columns)
    if _right(measured, case):
        return []
    return [way.shown(Finding("gradients.accumulated"), measured, case, columns)]


def _explain_failure(found: Found, way: _Way, columns: bool) -> list[Finding]:
    """Explain a function whose shapes do not go together, by what it makes of squares."""
    if found.finding.code not in ("function.raises", "function.shape"):
        raise found
    if not columns:
        try:
            if _right(way.measure(way.ordinary(), True), way.ordinary()):
                return [Finding("layout.columns", found.finding.evidence)]
        except Found:
            pass
    square = _square_case(way.slope)
    try:
        measured = way.measure(square, columns)
    except Found:
        raise found from None
    if _right(measured, square):
        raise found
    first, *_ = _explain(measured, square)
    if first.code == "gradients.wrong":
        raise found
    return [replace(first, evidence=found.finding.evidence)]


def _right(measured: Arrays, case: _Case) -> bool:
    return all(same(m, r) for m, r in zip(measured, case.right, strict=True))


def _relative_error(measured: np.ndarray, right: np.ndarray) -> float:
    sizes = np.linalg.norm(measured) + np.linalg.norm(right)
    return float(np.linalg.norm(measured - right) / sizes)


# --------------------------------------------------------------------------------------------------
# What is wrong with gradients of the right shapes
# --------------------------------------------------------------------------------------------------


def _explain(measured: Arrays, case: _Case) -> list[Finding]:
    """Say what is wrong: the first probe that knows it."""
    for probe in (_zero, _biases, _factors, _usual, _reordered, _decay, _weights_alone, _layers):
        findings = probe(measured, case)
        if findings:
            return findings
    return [Finding("gradients.wrong")]


def _zero(measured: Arrays, case: _Case) -> list[Finding]:
    zero = [k for k, m in enumerate(measured) if np.allclose(m, 0)]
    if len(zero) == len(measured):
        return [Finding("gradients.zero")]
    others = [k for k in range(len(measured)) if k not in zero]
    if not {W1, W2} & set(zero) or not all(same(measured[k], case.right[k]) for k in others):
        return []
    names = " and ".join(NAMES[k] for k in zero)
    return [Finding("gradients.zero", says="some", values={"names": names})]


def _biases(measured: Arrays, case: _Case) -> list[Finding]:
    weights = all(same(measured[k], case.right[k]) for k in (W1, W2))
    return [Finding("gradients.bias")] if weights else []


def _factors(measured: Arrays, case: _Case) -> list[Finding]:
    """Look for gradients that are right but for a factor."""
    factors = _factor_each(measured, case.right)
    return [_scale(factors, case)] if factors else []


def _usual(measured: Arrays, case: _Case) -> list[Finding]:
    """Look for gradients that a usual mistake gives, times one factor perhaps."""
    for finding, wrong in _wrong_gradients(case):
        factors = _factor_each(measured, wrong)
        if not factors or factors[0] < 0 or not np.allclose(factors, factors[0], rtol=1e-3):
            continue
        if abs(factors[0] - 1) < 1e-3:
            return [finding]
        return [finding, Finding("gradients.scale", says="besides", values={"factor": factors[0]})]
    return []


def _reordered(measured: Arrays, case: _Case) -> list[Finding]:
    """Look for the right numbers in other places."""
    pairs = list(zip(measured, case.right, strict=True))
    for k in (W1, W2):
        square = measured[k].shape[0] == measured[k].shape[1]
        if square and _factor(measured[k].T, case.right[k]):
            return [Finding("gradients.transposed", says="square", values={"name": NAMES[k]})]
    if all(same(np.sort(m, None), np.sort(r, None)) for m, r in pairs):
        return [Finding("gradients.transposed", says="reordered")]
    return []


def _decay(measured: Arrays, case: _Case) -> list[Finding]:
    """Look for a part of the weights themselves in their gradients."""
    differences = [measured[k] - case.right[k] for k in (W1, W2)]
    parts = _factor_each(differences, [case.parameters[k] for k in (W1, W2)])
    if not parts or not np.isclose(parts[0], parts[1], rtol=1e-3):
        return []
    return [Finding("gradients.wrong", says="decay", values={"factor": parts[0]})]


def _weights_alone(measured: Arrays, case: _Case) -> list[Finding]:
    factors = _factor_each(*([arrays[k] for k in (W1, W2)] for arrays in (measured, case.right)))
    return [_scale(factors, case)] if factors else []


def _layers(measured: Arrays, case: _Case) -> list[Finding]:
    """Compare the layers one by one, each with the mistakes that touch it alone."""
    for k in (W1, W2):
        for finding, wrong in _wrong_gradients(case):
            touched = not same(wrong[k], case.right[k])
            if touched and _factor(measured[k], wrong[k]) is not None:
                return [finding]
    if _factor(measured[W2], case.right[W2]) and not _factor(measured[W1], case.right[W1]):
        return [Finding("gradients.missing_activation", says="between")]
    return []


def _scale(factors: list[float], case: _Case) -> Finding:
    """Explain factors between measured and right gradients."""
    values = {"factors": ", ".join(f"{factor:.3g}" for factor in factors)}
    if min(factors) < 0:
        return Finding(
            "gradients.sign", says="usual" if max(factors) < 0 else "some", values=values
        )
    if not np.allclose(factors, factors[0], rtol=1e-3):
        return Finding("gradients.scale", says="differ", values=values)
    batch, common = len(case.x), {"factor": factors[0]}
    for finding, factor in (
        (Finding("gradients.scale", says="undivided", values=common), batch),
        (Finding("gradients.scale", says="divided_twice", values=common), 1 / batch),
        (Finding("gradients.scale", says="doubled"), 2),
    ):
        if np.isclose(factors[0], factor):
            return finding
    return Finding("gradients.scale", values=common)


def _factor(measured: np.ndarray, right: np.ndarray) -> float | None:
    """Return k if measured is k * right, and not 0, else None."""
    k = float(np.vdot(measured, right) / np.vdot(right, right))
    return k if k != 0 and same(measured, k * right) else None


def _factor_each(measured: Sequence[np.ndarray], right: Sequence[np.ndarray]) -> list[float]:
    """Return the factor of each pair of arrays; an empty list if any pair has none."""
    factors = [_factor(m, r) for m, r in zip(measured, right, strict=True)]
    found = [factor for factor in factors if factor is not None]
    return found if len(found) == len(factors) else []


# --------------------------------------------------------------------------------------------------
# What is wrong with a step
# --------------------------------------------------------------------------------------------------


def _as_step(finding: Finding, way: _Way, columns: bool) -> Finding:
    """Say of a step what was found of the gradients that it must have used."""
    if finding.code == "gradients.zero" and finding.says == "usual":
        return Finding("train.no_update", finding.evidence)
    if finding.code == "layout.columns" or finding.code.startswith("function."):
        return finding
    try:
        long, short = (
            replace(way, rate=rate).measure(way.ordinary(), columns) for rate in (0.1, 0.001)
        )
    except Found:
        return finding
    unchanged = [
        name for name, gradient in zip(NAMES, long, strict=True) if np.allclose(gradient, 0)
    ]
    if unchanged and any(name[0] == "W" for name in unchanged):
        values = {"names": ", ".join(unchanged)}
        return Finding("train.no_update", finding.evidence, "some", values)
    if finding.code == "gradients.sign":
        return Finding("train.ascent", finding.evidence)
    moved = [a * 0.1 / (b * 0.001) for a, b in zip(long, short, strict=True) if np.all(b)]
    if moved and all(np.allclose(ratio, 1, rtol=1e-3) for ratio in moved):
        return Finding("train.learning_rate", finding.evidence)
    return finding
