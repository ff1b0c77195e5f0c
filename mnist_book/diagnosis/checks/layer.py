"""Checks of chapter 2: the matrix product."""

from collections.abc import Callable, Mapping

import numpy as np

from mnist_book.diagnosis.reports import Finding, Report
from mnist_book.diagnosis.running import (
    Found,
    array,
    call,
    evidence,
    not_a_number,
    report,
    same,
    side_effects,
)

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
        for expression, shape in SHAPE_LEDGER.items():
            answer = answers.get(expression)
            if answer == shape:
                continue
            code, message = "shapes.wrong", f"{expression} has another shape."
            if answer is None:
                code, message = "shapes.nothing", f"{expression} has no answer yet."
            elif isinstance(answer, int):
                message = (
                    f"A shape is a tuple: for one dimension write ({answer},), with the comma."
                )
            elif tuple(answer) == shape[::-1]:
                message = f"{expression}: the two sizes are exchanged."
            given = "x (32, 784), weights (784, 128), bias (128,)"
            return [Finding(code, message, f"given:    {given}\nanswered: {answer}", 2)]
        return []

    return report("shapes", check)


def linear(function: Callable[..., np.ndarray], *, columns: bool = False) -> Report:
    """Check `f(x, weights, bias) -> z`, a layer's pre-activations.

    Parameters
    ----------
    function : takes x (batch, inputs), weights (inputs, outputs), bias (outputs,)
    columns : it takes x (inputs, batch), weights (outputs, inputs), bias (outputs, 1) instead
    """

    def check() -> list[Finding]:
        for batch, inputs, outputs in ((5, 3, 4), (1, 3, 4), (6, 4, 2)):
            given = _layer_arguments(batch, inputs, outputs, columns)
            x, weights, bias = _layer_arguments(batch, inputs, outputs, columns=False)
            expected = (x @ weights + bias).T if columns else x @ weights + bias
            what = "x {}, weights {}, bias {}".format(*(argument.shape for argument in given))
            try:
                result = call(function, *given)
                values = array(result, f"given:    {what}")
            except Found as found:
                if found.finding.code != "function.raises":
                    raise
                # The shapes did not go together. Squares let any product through and tell it.
                cause = _mistake_on_squares(function, columns)
                if cause is None:
                    raise
                return _with_layout(Finding(*cause, found.finding.evidence, 2), function, columns)
            if same(values, expected):
                continue
            not_a_number(values, f"given:    {what}")
            cause = _misproduct(values, x, weights, bias, columns)
            cause = cause or _mistake_on_squares(function, columns)
            if cause is None:
                array(values, f"given:    {what}", expected.shape)
                cause = "linear.wrong", "The result is not x @ weights + bias."
            finding = Finding(*cause, evidence(what, values, expected), 2)
            return _with_layout(finding, function, columns)
        return side_effects(function, *given)

    return report("linear", check)


def _layer_arguments(batch: int, inputs: int, outputs: int, columns: bool) -> list[np.ndarray]:
    rng = np.random.default_rng(batch)
    x, weights = rng.normal(size=(batch, inputs)), rng.normal(size=(inputs, outputs))
    bias = rng.normal(size=outputs) + 3
    return [x.T.copy(), weights.T.copy(), bias[:, np.newaxis]] if columns else [x, weights, bias]


def _with_layout(finding: Finding, function: Callable, columns: bool) -> list[Finding]:
    """Add to a finding whether the function is right for examples in columns."""
    if columns or not linear(function, columns=True).ok:
        return [finding]
    message = "It is right for examples in columns; if yours are, pass columns=True to the check."
    given = "given:    x (inputs, batch), weights (outputs, inputs), bias (outputs, 1)"
    layout = Finding("layout.columns", message, given, 2)
    x, weights, bias = _layer_arguments(4, 4, 4, columns=False)
    # A bias that is turned into a column is meant for columns; else it may be a mistake in rows.
    meant = same(call(function, x, weights, bias), weights @ x + bias[:, np.newaxis])
    return [layout, finding] if meant else [finding, layout]


def _mistake_on_squares(function: Callable, columns: bool) -> tuple[str, str] | None:
    try:
        result = call(function, *_layer_arguments(4, 4, 4, columns))
        values = array(result, "")
    except Found:
        return None
    return _misproduct(values, *_layer_arguments(4, 4, 4, columns=False), columns)


def _misproduct(
    result: np.ndarray, x: np.ndarray, weights: np.ndarray, bias: np.ndarray, columns: bool
) -> tuple[str, str] | None:
    """Name the mistake that makes `result` of a layer's inputs, if it is one of the usual ones."""
    result = result.T if columns else result
    product = x @ weights
    if same(result, product):
        return "linear.no_bias", "The bias is not added."
    if same(result, product - bias):
        return "linear.bias_sign", "The bias is subtracted; it should be added."
    if same(result.T, product + bias):
        examples = "columns" if columns else "rows"
        message = f"The result is right but transposed: examples belong in {examples}."
        return "linear.transposed", message
    if result.shape == product.shape and result.size > 1:
        # Whatever is added to the product instead of the bias, it does not depend on the example.
        added = result - product
        if len(x) > 1 and np.allclose(added, added[0]):
            return "linear.no_bias", "What is added to the product is not the bias."
    starred = [x[:, :, np.newaxis] * weights] if x.shape[1] == len(weights) else []
    if any(result.shape == s.shape and same(result, s + b) for s in starred for b in (0, bias)):
        message = "The products are there, but not added up over the inputs: that takes @, not *."
        return "linear.elementwise", message
    if x.shape != weights.shape:
        return None

    def one_of(*products: np.ndarray) -> bool:
        biases = (0, bias, bias[:, np.newaxis])
        return any(same(result, candidate + b) for candidate in products for b in biases)

    stars = x * weights, x * weights.T
    sums = [star.sum(axis=axis) for star in stars for axis in (None, 0, 1)]
    if one_of(*stars, *(star.T for star in stars), *sums):
        return "linear.elementwise", (
            "This is the element-wise product. A layer multiplies, and then adds up over the "
            "inputs: that is the matrix product, @ or np.matmul, not * or np.multiply."
        )
    both_ways = [a @ b for a in (x, x.T) for b in (weights, weights.T)]
    both_ways += [b @ a for a in (x, x.T) for b in (weights, weights.T)]
    if one_of(*both_ways):
        return "linear.transposed", (
            "The weights are used the wrong way round. Usual cause: a .T too many or too few, or x "
            "and weights exchanged."
        )
    return None


def accuracy(function: Callable[[np.ndarray, np.ndarray], float]) -> Report:
    """Check `f(predictions, labels) -> fraction`, predictions being (n,) or a column (n, 1)."""
    labels = np.array([3, 1, 4, 1, 5, 9, 2, 6])
    predictions = np.array([3, 1, 4, 7, 5, 9, 2, 0])

    def check() -> list[Finding]:
        for given in (predictions, predictions[:, np.newaxis]):
            result = call(function, given, labels)
            if same(result, np.array(0.75)):
                continue
            code, message = "accuracy.wrong", "The fraction of right predictions is another."
            if same(result, np.mean(predictions[:, np.newaxis] == labels)):
                code = "accuracy.broadcast"
                message = (
                    "A column (n, 1) compared with (n,) gives (n, n): every prediction with every "
                    "label. Bring both to one dimension first."
                )
            elif same(result, np.array(0.25)):
                message = "This is the fraction of wrong predictions."
            elif same(result, np.array(6)):
                message = "This is the number of right predictions; divide by how many there are."
            what = f"predictions {given.shape}, labels {labels.shape}, 6 of 8 right"
            return [Finding(code, message, evidence(what, result, 0.75), 2)]
        return side_effects(function, predictions, labels)

    return report("accuracy", check)
