"""Checks of chapters 6 and 7: the gradients of a network, and one step of training."""

from collections.abc import Callable, Sequence

import numpy as np

from mnist_book.describe import describe
from mnist_book.diagnosis.reports import Finding, Report, chapter_of
from mnist_book.diagnosis.running import (
    Found,
    array,
    call,
    not_a_number,
    report,
    same,
    side_effects,
)
from mnist_core import leaky_relu, leaky_relu_gradient, softmax

SLOPE = 0.01
NAMES = ("W1", "b1", "W2", "b2")
Arrays = Sequence[np.ndarray]


class _Case:
    """A small network, a batch, and the right gradients, in rows; and how to hand them over."""

    def __init__(self, batch: int, inputs: int, hidden: int, classes: int, seed: int) -> None:
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
        self.shown = f"x ({batch}, {inputs}), hidden {hidden}, classes {classes}"

    def arguments(self, columns: bool, one_hot: bool) -> list:
        """Lay out parameters, x and labels as the function takes them."""
        classes = len(self.parameters[3])
        labels = np.eye(classes)[self.labels] if one_hot else self.labels
        if not columns:
            return [list(self.parameters), self.x, labels]
        w1, b1, w2, b2 = self.parameters
        turned = [w1.T.copy(), b1[:, np.newaxis], w2.T.copy(), b2[:, np.newaxis]]
        return [turned, self.x.T.copy(), labels.T.copy() if one_hot else labels]


def _backward(
    case: _Case,
    *,
    forward_slope: float = SLOPE,
    d_logits: Callable | None = None,
    d_hidden: Callable | None = None,
    d_z: Callable | None = None,
    outer: Callable | None = None,
    turn: Callable = np.transpose,
    probabilities: Callable = softmax,
) -> list[np.ndarray]:
    """Compute the gradients, right ones, or with one step replaced by a mistake."""
    w1, b1, w2, b2 = case.parameters
    z = case.x @ w1 + b1
    a = leaky_relu(z, forward_slope)
    p, y = probabilities(a @ w2 + b2), np.eye(len(b2))[case.labels]
    d2 = (p - y) / len(y) if d_logits is None else d_logits(p, y)
    d_a = d2 @ w2.T if d_hidden is None else d_hidden(d2, w2)
    d1 = d_a * leaky_relu_gradient(z, forward_slope) if d_z is None else d_z(d_a, z, a)
    dw2 = turn(a) @ d2 if outer is None else outer(a, z, d2)
    return [turn(case.x) @ d1, d1.sum(axis=0), dw2, d2.sum(axis=0)]


def _mistakes(case: _Case) -> list[tuple[str, str, list[np.ndarray]]]:
    """List the gradients that the usual mistakes give, each with its code and message."""
    n = len(case.x)

    def soft(axis: int | None) -> Callable:
        return lambda z: np.exp(z) / np.exp(z).sum(axis=axis, keepdims=axis is not None)

    def jacobian(p: np.ndarray, y: np.ndarray) -> np.ndarray:
        return (p - y) * p * (1 - p) / n

    missing = "gradients.missing_activation"
    forgot = "The derivative of the activation is missing on the way back to the first layer. "
    cases = [
        (missing, forgot + "Multiply by it, at z.", {"d_z": lambda d, z, a: d}),
        (missing, forgot + "The activation stands in its place.", {"d_z": lambda d, z, a: d * a}),
        (
            missing,
            forgot + "Leaky ReLU was applied to the gradient.",
            {"d_z": lambda d, z, a: leaky_relu(d, SLOPE)},
        ),
        (missing, forgot + "z stands in its place.", {"d_z": lambda d, z, a: d * z}),
        (
            missing,
            forgot + "It was taken of the gradient, not of z.",
            {"d_z": lambda d, z, a: d * leaky_relu_gradient(d, SLOPE)},
        ),
        (
            missing,
            "The second layer's gradient is made of z, before the activation.",
            {"outer": lambda a, z, d: z.T @ d},
        ),
        (missing, "There is no activation at all, forward or back.", {"forward_slope": 1.0}),
        (
            "relu_gradient.slope_ignored",
            "Below 0 the derivative of leaky ReLU is the slope, 0.01, not 0.",
            {"d_z": lambda d, z, a: d * (z > 0)},
        ),
        (
            "relu_gradient.sign",
            "The comparison in the derivative is the wrong way round.",
            {"d_z": lambda d, z, a: d * np.where(z > 0, SLOPE, 1)},
        ),
        ("leaky_relu.plain", "The activation is plain ReLU, not leaky.", {"forward_slope": 0.0}),
        (
            "gradients.no_labels",
            "The labels are not subtracted: it is p - y.",
            {"d_logits": lambda p, y: p / n},
        ),
        (
            "gradients.extra_softmax",
            "p * (1 - p) is one factor too many: p - y has the derivative of softmax in it.",
            {"d_logits": jacobian},
        ),
        (
            "softmax.axis",
            "The softmax inside adds up over the examples, not the classes.",
            {"probabilities": soft(0)},
        ),
        (
            "softmax.global_sum",
            "The softmax inside divides by the sum over the batch.",
            {"probabilities": soft(None)},
        ),
        (
            "softmax.not_normalised",
            "The softmax inside is not divided by its sum.",
            {"probabilities": np.exp},
        ),
    ]
    transposed = "gradients.transposed"
    message = "The inputs are reshaped where they must be transposed: x.T, not x.reshape."
    cases.append((transposed, message, {"turn": lambda a: a.reshape(a.shape[::-1])}))
    if len({*case.x.shape, len(case.parameters[1])}) == 1:
        message = "The inputs are not transposed: the weights' gradient is inputs.T @ d_z."
        cases.append((transposed, message, {"turn": lambda a: a}))
    found = [(code, message, _backward(case, **change)) for code, message, change in cases]
    w2 = case.parameters[2]
    if len(w2) == w2.shape[1]:
        untransposed = _backward(case, d_hidden=lambda d, w: d @ w)
        message = "On the way back the second layer's weights are not transposed: d @ W2.T."
        found.append(("gradients.transposed", message, untransposed))
    return found


# --------------------------------------------------------------------------------------------------
# Gradients
# --------------------------------------------------------------------------------------------------


def gradients(
    function: Callable[[list, np.ndarray, np.ndarray], Arrays],
    *,
    columns: bool = False,
    one_hot: bool = False,
) -> Report:
    """Check `f(parameters, x, labels)` -> the gradients of the mean cross-entropy.

    The network is x -> linear -> leaky ReLU (slope 0.01) -> linear -> softmax.

    Parameters
    ----------
    function : takes [W1, b1, W2, b2], x (batch, inputs) and labels, integers (batch,); returns a
        list like the parameters
    columns : x is (inputs, batch), weights are (outputs, inputs), biases (outputs, 1) instead
    one_hot : labels are one-hot, (batch, classes), in columns (classes, batch)
    """

    def measure(case: _Case, in_columns: bool) -> list[np.ndarray]:
        arguments = case.arguments(in_columns, one_hot)
        return _in_rows(call(function, *arguments), case, in_columns)

    def check() -> list[Finding]:
        finding = _check_gradients(measure, columns)
        if finding:
            return finding
        return side_effects(function, *_ordinary_case().arguments(columns, one_hot))

    return report("gradients", check)


def _ordinary_case() -> _Case:
    return _Case(batch=6, inputs=5, hidden=4, classes=3, seed=5)


def _square_case() -> _Case:
    return _Case(batch=4, inputs=4, hidden=4, classes=4, seed=9)


def _check_gradients(
    measure: Callable[[_Case, bool], list[np.ndarray]], columns: bool
) -> list[Finding]:
    """Compare measured gradients with the right ones; explain what differs."""
    case = _ordinary_case()
    try:
        measured = measure(case, columns)
    except Found as found:
        return _explain_failure(found, measure, columns)
    if _right(measured, case):
        return []
    return [_explain(measured, case)]


def _right(measured: Arrays, case: _Case) -> bool:
    return all(same(m, r) for m, r in zip(measured, case.right, strict=True))


def _explain_failure(found: Found, measure: Callable, columns: bool) -> list[Finding]:
    """Explain a function whose shapes do not go together, by what it makes of squares."""
    if found.finding.code not in ("function.raises", "function.shape"):
        raise found
    if not columns:
        try:
            if _right(measure(_ordinary_case(), True), _ordinary_case()):
                message = "It is right for examples in columns; pass columns=True to the check."
                return [Finding("layout.columns", message, found.finding.evidence, 2)]
        except Found:
            pass
    square = _square_case()
    try:
        measured = measure(square, columns)
    except Found:
        raise found from None
    if _right(measured, square):
        raise found
    finding = _explain(measured, square)
    if finding.code == "gradients.wrong":
        raise found
    return [Finding(finding.code, finding.message, found.finding.evidence, finding.chapter)]


def _in_rows(result: object, case: _Case, columns: bool) -> list[np.ndarray]:
    """Take a list of gradients as arrays in rows, or raise what is wrong with it."""
    if isinstance(result, np.ndarray) and result.dtype == object:
        result = list(result)
    if isinstance(result, dict):
        result = list(result.values())
    what = f"given:    {case.shown}"
    if not isinstance(result, list | tuple) or len(result) != 4:
        message = "It should return a list of four arrays, like the parameters: W1, b1, W2, b2."
        raise Found(Finding("function.shape", message, f"{what}\nreturned: {describe(result)}", 2))
    arrays = []
    for name, item, expected in zip(NAMES, result, case.right, strict=True):
        values = array(item, f"{what}\ngradient of {name}").astype(float)
        not_a_number(values, f"{what}\ngradient of {name}")
        values = values.T if columns else values
        # (1, units) for (units,) does no harm; (units,) for (units, 1) does, it would be broadcast.
        fits = values.ndim == 2 if columns else True
        if expected.ndim == 1 and values.size == expected.size and fits:
            values = values.reshape(expected.shape)
        elif columns and expected.ndim == 1:
            values = values.reshape(*values.shape, 1)  # not its parameter's shape
        if values.shape != expected.shape:
            code, message = _wrong_shape(name, values, expected)
            shown = f"{what}\nreturned: {name} {values.shape}\nexpected: {name} {expected.shape}"
            raise Found(Finding(code, message, shown, 6))
        arrays.append(values)
    return arrays


def _wrong_shape(name: str, values: np.ndarray, expected: np.ndarray) -> tuple[str, str]:
    if expected.ndim == 1:
        return "gradients.bias", (
            f"The gradient of {name} has the wrong shape: it is the sum over the examples, one "
            "number for each unit. Usual cause: a sum over everything, over the units, or none."
        )
    if values.shape == expected.shape[::-1]:
        message = f"The gradient of {name} is transposed; it should have its weights' shape."
        return "gradients.transposed", message
    return "function.shape", f"The gradient of {name} has not the shape of its parameter."


def _factor(measured: np.ndarray, right: np.ndarray) -> float | None:
    """Return k if measured is k * right, else None."""
    k = float(np.vdot(measured, right) / np.vdot(right, right))
    return k if same(measured, k * right) and k != 0 else None


def _explain(measured: Arrays, case: _Case) -> Finding:
    """Say what is wrong with gradients of the right shapes."""
    right = case.right
    errors = [
        np.linalg.norm(m - r) / (np.linalg.norm(m) + np.linalg.norm(r))
        for m, r in zip(measured, right, strict=True)
    ]
    relative = ", ".join(f"{name} {error:.1e}" for name, error in zip(NAMES, errors, strict=True))
    shown = f"given:    {case.shown}\nrelative error: {relative}; right ones are below 1e-6"

    def finding(code: str, message: str) -> Finding:
        return Finding(code, message, shown, chapter_of(code))

    if all(np.allclose(m, 0) for m in measured):
        return finding("gradients.zero", "All gradients are 0: nothing would ever change.")
    factors = [_factor(m, r) for m, r in zip(measured, right, strict=True)]
    weights_right = same(measured[0], right[0]) and same(measured[2], right[2])
    if weights_right:
        message = (
            "The weights' gradients are right, a bias's is not: it is the sum of d_z over the "
            "examples of the batch, for each unit."
        )
        return finding("gradients.bias", message)
    if None not in factors:
        return _explain_factors(finding, factors, len(case.x))
    for code, message, wrong in _mistakes(case):
        k = _common_factor(measured, wrong)
        if k is not None:
            if abs(k - 1) > 1e-3:
                message += f" And all is multiplied by {k:.3g}."
            return finding(code, message)
    if all(same(np.sort(m, None), np.sort(r, None)) for m, r in zip(measured, right, strict=True)):
        message = (
            "All numbers are there, but not in their places: inputs.T @ d_z, nothing reshaped."
        )
        return finding("gradients.transposed", message)
    for part, name in ((0, "W1"), (2, "W2")):
        square = measured[part].shape[0] == measured[part].shape[1]
        others = all(same(measured[i], right[i]) for i in range(4) if i != part)
        if square and (_factor(measured[part].T, right[part]) or others):
            message = f"The gradient of {name} is not inputs.T @ d_z: a transpose is missing."
            return finding("gradients.transposed", message)
    if factors[0] is not None and factors[2] is not None:
        return _explain_factors(finding, [factors[0], factors[2]], len(case.x))
    return _explain_by_layer(finding, factors, measured, case)


def _explain_by_layer(finding: Callable, factors: list, measured: Arrays, case: _Case) -> Finding:
    """Compare the layers one by one, each with the mistakes that touch it alone."""
    for weights in (0, 2):
        for code, message, wrong in _mistakes(case):
            touched = not same(wrong[weights], case.right[weights])
            if touched and _factor(measured[weights], wrong[weights]) is not None:
                return finding(code, message)
    if factors[2] is not None and factors[0] is None:
        message = (
            "The last layer's gradients are right, the first layer's are not: look at what passes "
            "back between them, d_z @ W2.T times the derivative of the activation at z."
        )
        return finding("gradients.missing_activation", message)
    return finding("gradients.wrong", "The gradients are not those of the mean cross-entropy.")


def _explain_factors(finding: Callable, factors: list[float], batch: int) -> Finding:
    """Explain gradients that are right but for a factor."""
    listed = ", ".join(f"{k:.3g}" for k in factors)
    if min(factors) < 0:
        message = f"The direction is wrong: the gradients are {listed} times the right ones."
        return finding("gradients.sign", message + " Usual cause: y - p for p - y.")
    cause = "a factor from the loss, or 1/m forgotten or applied twice"
    largest = max(factors, key=lambda k: abs(np.log(k)))
    if np.isclose(largest, batch):
        cause = "not divided by the number of examples in the batch"
    elif np.isclose(largest, 1 / batch):
        cause = "divided by the number of examples twice"
    elif np.isclose(largest, 2):
        cause = "a factor 2, as from a squared error"
    message = f"Right but for a factor: {listed} times the right ones. Usual cause: {cause}."
    return finding("gradients.scale", message)


def _common_factor(measured: Arrays, wrong: Arrays) -> float | None:
    factors = [_factor(m, w) for m, w in zip(measured, wrong, strict=True)]
    if None in factors or not np.allclose(factors, factors[0], rtol=1e-3) or factors[0] < 0:
        return None
    return factors[0]


# --------------------------------------------------------------------------------------------------
# One step of training
# --------------------------------------------------------------------------------------------------


def train_step(
    function: Callable[[list, np.ndarray, np.ndarray, float], Arrays | None],
    *,
    columns: bool = False,
    one_hot: bool = False,
) -> Report:
    """Check `f(parameters, x, labels, learning_rate)`: one step of plain gradient descent.

    It returns the new parameters, or returns nothing and changes the arrays in place. The rest is
    as for `gradients`.
    """

    def measure_with(learning_rate: float) -> Callable[[_Case, bool], list[np.ndarray]]:
        def measure(case: _Case, in_columns: bool) -> list[np.ndarray]:
            arguments = case.arguments(in_columns, one_hot)
            result = call(function, *arguments, learning_rate, in_place=True)
            if isinstance(result, tuple) and len(result) == 2 and len(result[0]) == 4:
                result = result[0]  # (parameters, loss)
            after = _in_rows(result, case, in_columns)
            pairs = zip(case.parameters, after, strict=True)
            return [(before - new) / learning_rate for before, new in pairs]

        return measure

    def check() -> list[Finding]:
        findings = _check_gradients(measure_with(0.1), columns)
        findings = findings or _check_gradients(measure_with(0.003), columns)
        if findings:
            return [_as_step(finding, measure_with, columns) for finding in findings]
        arguments = _ordinary_case().arguments(columns, one_hot)
        return side_effects(function, *arguments, 0.1, in_place=True)

    return report("train_step", check)


def _as_step(finding: Finding, measure_with: Callable, columns: bool) -> Finding:
    """Say of a step what was found of the gradients that it must have used."""
    if finding.code == "gradients.zero":
        message = (
            "The parameters have not changed. Usual cause: in a loop p = p - ... gives the name to "
            "a new array; write p -= ..., or collect the new ones and return them."
        )
        return Finding("train.no_update", message, finding.evidence, 7)
    if finding.code == "layout.columns" or finding.code.startswith("function."):
        return finding
    case = _ordinary_case()
    try:
        steps = [measure_with(rate)(case, columns) for rate in (0.1, 0.001)]
    except Found:
        return finding
    unchanged = [name for name, g in zip(NAMES, steps[0], strict=True) if np.allclose(g, 0)]
    if unchanged and any(name[0] == "W" for name in unchanged):
        message = f"{', '.join(unchanged)} have not changed; every parameter takes its step."
        return Finding("train.no_update", message, finding.evidence, 7)
    if finding.code == "gradients.sign":
        message = (
            "It steps uphill: the gradient points to where the loss grows, so subtract "
            "learning_rate * gradient."
        )
        return Finding("train.ascent", message, finding.evidence, 7)
    moved = [a * 0.1 / (b * 0.001) for a, b in zip(steps[0], steps[1], strict=True) if np.all(b)]
    if moved and all(np.allclose(ratio, 1, rtol=1e-3) for ratio in moved):
        message = "The learning rate that is passed is ignored: the step is as long with any."
        return Finding("train.learning_rate", message, finding.evidence, 7)
    return finding
