"""Checks of chapter 2: the matrix product."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from mnist_book.diagnosis.checks.function import (
    Found,
    GuardedFunction,
    not_a_number,
    report,
    same,
    shown,
)
from mnist_book.diagnosis.evidence import cleaned, described, lay_out
from mnist_book.diagnosis.reports import Finding, Report

# --------------------------------------------------------------------------------------------------
# The shape ledger
# --------------------------------------------------------------------------------------------------

SHAPE_LEDGER = {  # of x (32, 784), weights (784, 128), bias (128,)
    "x[0]": (784,),
    "weights[:, 0]": (784,),
    "x[0] * weights[:, 0]": (784,),
    "x[0] @ weights[:, 0]": (),
    "x[0] @ weights": (128,),
    "x @ weights": (32, 128),
    "x @ weights + bias": (32, 128),
}


def shapes(answers: Mapping[str, tuple[int, ...]]) -> Report:
    """Check a shape ledger: a tuple for each expression of `SHAPE_LEDGER`."""

    def check() -> list[Finding]:
        if not isinstance(answers, Mapping):
            return [Finding("shapes.wrong", lay_out(given=cleaned(answers)), says="no_ledger")]
        for expression, shape in SHAPE_LEDGER.items():
            finding = _misjudged(expression, answers.get(expression), shape)
            if finding:
                given = "x (32, 784), weights (784, 128), bias (128,)"
                answered = cleaned(answers.get(expression))
                return [replace(finding, evidence=lay_out(given=given, answered=answered))]
        return []

    return report("shapes", check)


def _misjudged(expression: str, answer: object, shape: tuple[int, ...]) -> Finding | None:
    values = {"expression": expression, "answer": cleaned(answer)}
    if answer is None or answer is Ellipsis:
        return Finding("shapes.nothing", values=values)
    if isinstance(answer, int):
        return Finding("shapes.wrong", says="no_tuple", values=values)
    if isinstance(answer, tuple | list) and all(isinstance(n, int) for n in answer):
        if tuple(answer) == shape:
            return None
        if tuple(answer) == shape[::-1]:
            return Finding("shapes.wrong", says="exchanged", values=values)
    return Finding("shapes.wrong", values=values)


# --------------------------------------------------------------------------------------------------
# A layer
# --------------------------------------------------------------------------------------------------

SIZES = ((5, 3, 4), (1, 3, 4), (6, 4, 2))  # batch, inputs, outputs: all different
SQUARE = (4, 4, 4)  # lets any product through


def linear(function: Callable[..., np.ndarray], *, columns: bool = False) -> Report:
    """Check `f(x, weights, bias) -> z`, a layer's pre-activations.

    Parameters
    ----------
    function : takes x (batch, inputs), weights (inputs, outputs), bias (outputs,)
    columns : it takes x (inputs, batch), weights (outputs, inputs), bias (outputs, 1) instead
    """
    subject = GuardedFunction(function, "x weights bias")

    def check() -> list[Finding]:
        for sizes in (*SIZES, SQUARE):
            finding = _check_layer(subject, _arguments(*sizes), columns)
            if finding:
                return [finding] if columns else _with_layout(finding, function)
        return subject.side_effects()

    return report("linear", check)


def _check_layer(subject: GuardedFunction, arguments: list, columns: bool) -> Finding | None:
    """Compare a layer's result with the right one; `arguments` are in rows."""
    x, weights, bias = arguments
    laid_out = _in_columns(arguments) if columns else arguments
    expected = (x @ weights + bias).T if columns else x @ weights + bias
    given = subject.given(*laid_out)
    try:
        result = subject.array(*laid_out)
    except Found as found:
        if found.finding.code != "function.raises":
            raise
        # The shapes did not go together. Squares let any product through and tell it.
        finding = _on_squares(subject, columns)
        if finding is None:
            raise
        return replace(finding, evidence=found.finding.evidence)
    if same(result, expected):
        return None
    not_a_number(result, given)
    finding = _misproduct(result.T if columns else result, *arguments)
    finding = finding or _on_squares(subject, columns)
    if finding is None:
        subject.as_array(result, given, expected.shape)
        finding = Finding("linear.wrong")
    return shown(finding, given, result, expected)


def _arguments(batch: int, inputs: int, outputs: int) -> list[np.ndarray]:
    """Draw x, weights and bias, in rows."""
    rng = np.random.default_rng(batch)
    x, weights = rng.normal(size=(batch, inputs)), rng.normal(size=(inputs, outputs))
    return [x, weights, rng.normal(size=outputs) + 3]


def _in_columns(arguments: list[np.ndarray]) -> list[np.ndarray]:
    x, weights, bias = arguments
    return [x.T.copy(), weights.T.copy(), bias[:, np.newaxis]]


def _with_layout(finding: Finding, function: Callable) -> list[Finding]:
    """Add to a finding whether the function is right for examples in columns."""
    if not linear(function, columns=True).ok:
        return [finding]
    given = "x (inputs, batch), weights (outputs, inputs), bias (outputs, 1)"
    layout = Finding("layout.columns", lay_out(given=given, returned="what it should"))
    # A bias that is turned into a column is meant for columns; else it may be a mistake in rows.
    x, weights, bias = _arguments(*SQUARE)
    try:
        result = GuardedFunction(function, "x weights bias")(x, weights, bias)
    except Found:
        return [finding, layout]
    meant = same(result, weights @ x + bias[:, np.newaxis])
    return [layout, finding] if meant else [finding, layout]


def _on_squares(subject: GuardedFunction, columns: bool) -> Finding | None:
    arguments = _arguments(*SQUARE)
    try:
        result = subject.array(*(_in_columns(arguments) if columns else arguments))
    except Found:
        return None
    return _misproduct(result.T if columns else result, *arguments)


def _misproduct(
    result: np.ndarray, x: np.ndarray, weights: np.ndarray, bias: np.ndarray
) -> Finding | None:
    """Name the mistake that makes `result` of a layer's inputs, if it is one of the usual ones."""
    product = x @ weights
    for finding, wrong in _wrong_products(x, weights, bias):
        if same(result, wrong):
            return finding
    if result.shape == product.shape and len(x) > 1:
        # Whatever is added to the product instead of the bias, it does not depend on the example.
        added = result - product
        if np.allclose(added, added[0]):
            return Finding("linear.no_bias", says="another")
    return None


def _wrong_products(
    x: np.ndarray, weights: np.ndarray, bias: np.ndarray
) -> Iterator[tuple[Finding, np.ndarray]]:
    """List what the usual mistakes make of a layer's inputs."""
    yield Finding("linear.no_bias"), x @ weights
    yield Finding("linear.bias_sign"), x @ weights - bias
    if len(x) == len(bias):  # else the bias cannot stand in a column
        yield Finding("linear.no_bias", says="column"), x @ weights + bias[:, np.newaxis]
    yield Finding("linear.transposed", says="result"), (x @ weights + bias).T
    yield Finding("linear.wrong", says="often"), x @ weights + x.shape[1] * bias
    yield Finding("linear.wrong", says="mean"), x @ weights / x.shape[1] + bias
    for row in (0, -1):
        one_row = x @ weights
        one_row[row] += bias
        yield Finding("linear.wrong", says="one_row"), one_row
    for inputs in (slice(None, -1), slice(1, None)):
        yield Finding("linear.wrong", says="input_left_out"), x[:, inputs] @ weights[inputs] + bias
    not_summed = x[:, :, np.newaxis] * weights
    yield Finding("linear.elementwise", says="not_summed"), not_summed
    yield Finding("linear.elementwise", says="not_summed"), not_summed + bias
    if x.shape != weights.shape:
        return
    stars = x * weights, x * weights.T
    sums = [star.sum(axis=axis) for star in stars for axis in (None, 0, 1)]
    products = [a @ b for a in (x, x.T) for b in (weights, weights.T)]
    products += [b @ a for a in (x, x.T) for b in (weights, weights.T)]
    for added in (0, bias, bias[:, np.newaxis]):
        for star in (*stars, *(star.T for star in stars), *sums):
            yield Finding("linear.elementwise"), star + added
        for product in products:
            yield Finding("linear.transposed"), product + added


# --------------------------------------------------------------------------------------------------
# The way back through a layer
# --------------------------------------------------------------------------------------------------

FORMULAS = {
    "d_x": "d_z @ weights.T",
    "d_weights": "x.T @ d_z",
    "d_bias": "the sum of d_z over the examples",
}


def linear_gradient(function: Callable[..., Sequence], *, columns: bool = False) -> Report:
    """Check `f(x, weights, d_z) -> (d_x, d_weights, d_bias)`, the way back through a layer.

    Parameters
    ----------
    function : takes x (batch, inputs), weights (inputs, outputs) and d_z (batch, outputs), the
        gradient with respect to the layer's result; returns arrays like x, the weights, the bias
    columns : x is (inputs, batch), weights are (outputs, inputs), d_z is (outputs, batch) instead
    """
    subject = GuardedFunction(function, "x weights d_z")

    def check() -> list[Finding]:
        for sizes in (*SIZES, SQUARE):
            finding = _check_way_back(subject, sizes, columns)
            if finding:
                return [finding]
        return subject.side_effects()

    return report("linear_gradient", check)


def _check_way_back(
    subject: GuardedFunction, sizes: tuple[int, int, int], columns: bool
) -> Finding | None:
    """Compare a layer's gradients with the right ones, one after another."""
    x, weights, bias = _arguments(*sizes)
    d_z = np.random.default_rng(sizes[0] + 1).normal(size=(len(x), len(bias)))
    arguments = [array.T.copy() if columns else array for array in (x, weights, d_z)]
    given = subject.given(*arguments)
    try:
        result = subject(*arguments)
    except Found as found:
        finding = None
        if found.finding.code == "function.raises" and sizes != SQUARE:
            finding = _check_way_back(subject, SQUARE, columns)  # where any product fits
        if finding is None:
            raise
        return replace(finding, evidence=found.finding.evidence)
    if not isinstance(result, list | tuple) or len(result) != 3:
        seen = lay_out(given=given, returned=described(result))
        return Finding("linear_gradient.wrong", seen, "three")
    rights = _way_back(x, weights, d_z)
    for name, item, right in zip(FORMULAS, result, rights, strict=True):
        part = f"{given}; looked at: {name}"
        values = subject.as_array(item, part)
        values = values.T if columns else values
        if right.ndim == 1 and values.shape in ((1, len(right)), (len(right), 1)[: 1 + columns]):
            values = values.reshape(right.shape)
        if same(values, right):
            continue
        not_a_number(values, part)
        finding = _misled(name, values, right, (x, weights, d_z))
        return shown(finding, part, *(v.T if columns else v for v in (values, right)))
    return None


def _way_back(
    x: np.ndarray, weights: np.ndarray, d_z: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return d_z @ weights.T, x.T @ d_z, d_z.sum(axis=0)


def _misled(
    name: str, values: np.ndarray, right: np.ndarray, arguments: tuple[np.ndarray, ...]
) -> Finding:
    """Name the mistake in one of a layer's gradients."""
    for finding, wrong in _wrong_ways_back(*arguments)[name]:
        if same(values, wrong):
            return finding
    if values.shape != right.shape:
        if name == "d_bias":
            return Finding("gradients.bias", says="shape", values={"name": "the bias"})
        if name == "d_weights" and values.shape == right.shape[::-1]:
            return Finding("gradients.transposed", says="shape", values={"name": "the weights"})
        shapes = {"shape": values.shape, "expected": right.shape}
        return Finding("function.shape", values=shapes)
    factor = float(np.vdot(values, right) / np.vdot(right, right))
    if factor and same(values, factor * right):
        if same(factor, -1.0):
            return Finding("gradients.sign", says="layer", values={"name": name})
        if same(factor, 1 / len(arguments[0])):
            return Finding("gradients.scale", says="layer_divided", values={"name": name})
        return Finding("gradients.scale", says="layer", values={"name": name, "factor": factor})
    if name == "d_bias":
        return Finding("gradients.bias")
    values_named = {"name": name, "formula": FORMULAS[name]}
    return Finding("linear_gradient.wrong", values=values_named)


def _wrong_ways_back(
    x: np.ndarray, weights: np.ndarray, d_z: np.ndarray
) -> dict[str, list[tuple[Finding, np.ndarray]]]:
    """List what the usual mistakes make of each gradient."""
    d_x, _, d_bias = _way_back(x, weights, d_z)
    left_out = Finding("linear_gradient.wrong", says="example_left_out")
    squares = x.shape == weights.shape == d_z.shape
    turned = Finding("gradients.transposed", says="square", values={"name": "the weights"})
    not_per_unit = Finding("gradients.bias", says="shape", values={"name": "the bias"})
    sums = d_z.sum(), d_z.sum(axis=1), d_z, np.full(d_bias.shape, d_z.sum())
    return {
        "d_x": [
            (Finding("linear_gradient.wrong", says="masked"), d_x * (x > 0)),
            *([(Finding("gradients.transposed", says="layer"), d_z @ weights)] if squares else []),
        ],
        "d_weights": [
            (Finding("linear_gradient.wrong", says="absolute"), np.abs(x).T @ d_z),
            *((left_out, x[kept].T @ d_z[kept]) for kept in (slice(1, None), slice(-1))),
            *([(turned, x @ d_z), (turned, d_z.T @ x)] if squares else []),
        ],
        "d_bias": [
            (Finding("gradients.bias", says="mean"), d_z.mean(axis=0)),
            *((left_out, d_z[kept].sum(axis=0)) for kept in (slice(1, None), slice(-1))),
            *((Finding("gradients.bias", says="one_example"), d_z[k]) for k in (0, -1)),
            *((not_per_unit, total) for total in sums),
        ],
    }


# --------------------------------------------------------------------------------------------------
# Accuracy
# --------------------------------------------------------------------------------------------------


def accuracy(function: Callable[[np.ndarray, np.ndarray], float]) -> Report:
    """Check `f(predictions, labels) -> fraction`, predictions being (n,) or a column (n, 1)."""
    subject = GuardedFunction(function, "predictions labels")

    def check() -> list[Finding]:
        for predictions, labels in _answers():
            result = subject.array(predictions, labels)
            right = np.mean(predictions.ravel() == labels)
            if result.size == 1 and same(result.item(), right):
                continue
            finding = Finding("accuracy.wrong", says="many")
            if result.size == 1:
                finding = _miscounted(result.item(), predictions.ravel(), labels)
            return [shown(finding, subject.given(predictions, labels), result, right)]
        return subject.side_effects()

    return report("accuracy", check)


def _answers() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Make predictions and labels: ordinary ones, as a column too; exchanged ones; a constant."""
    labels = np.array([3, 1, 4, 1, 5, 9, 2, 6])
    predictions = np.array([3, 1, 4, 7, 5, 9, 2, 0])
    yield predictions, labels
    yield predictions[:, np.newaxis], labels
    yield np.array([0, 2, 1, 4, 3]), np.arange(5)  # right: the first alone
    yield np.full(12, 1), np.arange(12) % 4  # one answer for all


def _miscounted(result: float, predictions: np.ndarray, labels: np.ndarray) -> Finding:
    """Name the mistake that makes this accuracy of predictions (n,) and labels (n,)."""
    right, pairs = predictions == labels, predictions[:, np.newaxis] == labels
    for finding, wrong in (
        (Finding("accuracy.wrong", says="places"), pairs.any(axis=1).mean()),
        (
            Finding("accuracy.wrong", says="places"),
            np.mean(np.sort(predictions) == np.sort(labels)),
        ),
        (Finding("accuracy.broadcast"), pairs.mean()),
        (Finding("accuracy.broadcast"), pairs.sum() / len(labels)),
        (Finding("accuracy.wrong", says="wrong_ones"), 1 - right.mean()),
        (Finding("accuracy.wrong", says="count"), right.sum()),
        (Finding("accuracy.wrong", says="percent"), 100 * right.mean()),
    ):
        if same(result, wrong):
            return finding
    return Finding("accuracy.wrong")
