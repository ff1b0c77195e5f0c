"""Checks of chapter 3: softmax and cross-entropy."""

from collections.abc import Callable

import numpy as np

import mnist_core
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

# --------------------------------------------------------------------------------------------------
# Softmax
# --------------------------------------------------------------------------------------------------


def softmax(function: Callable[[np.ndarray], np.ndarray], *, columns: bool = False) -> Report:
    """Check `f(logits) -> probabilities`, (batch, classes); with `columns` (classes, batch)."""

    def turn(rows: np.ndarray) -> np.ndarray:
        return rows.T.copy() if columns else rows

    def check() -> list[Finding]:
        rng = np.random.default_rng(0)
        for shape in ((4, 3), (1, 5), (2, 6)):
            logits = rng.normal(0, 1.5, shape)
            finding = _check_ordinary(function, turn, logits)
            if finding and columns:
                return [finding]
            if finding:
                return [finding, *_if_for_columns("softmax", function)]
        finding = _check_extreme(function, turn)
        return [finding] if finding else side_effects(function, turn(logits))

    return report("softmax", check)


def _check_ordinary(function: Callable, turn: Callable, logits: np.ndarray) -> Finding | None:
    expected = mnist_core.softmax(logits)
    given = turn(logits)
    what = f"logits of shape {given.shape}"
    try:
        result = call(function, given)
    except Found as found:
        if found.finding.code != "function.raises":
            raise
        # Perhaps only the shapes don't go together: on a square they do, and the numbers tell.
        square = np.random.default_rng(1).normal(0, 1.5, (4, 4))
        try:
            values = array(call(function, turn(square)), "", (4, 4))
        except Found:
            raise found from None
        cause = _mistake_in_softmax(turn(values), square)
        if cause is None:
            raise
        return Finding(*cause, found.finding.evidence, 3)
    values = array(result, f"given:    {what}")
    if same(values, turn(expected)):
        return None
    if values.shape != given.shape:
        array(values, f"given:    {what}", given.shape)
    not_a_number(values, f"given:    {what}")
    p = turn(values)
    code, message = _mistake_in_softmax(p, logits) or (
        "softmax.wrong",
        "These are not the exponentials of the logits, divided by each example's sum.",
    )
    sums = f"\nsum of each example: {np.round(p.sum(axis=1), 3).tolist()}, lowest {p.min():.3g}"
    return Finding(code, message, evidence(what, values, turn(expected)) + sums, 3)


def _mistake_in_softmax(p: np.ndarray, z: np.ndarray) -> tuple[str, str] | None:
    """Name the mistake in p (batch, classes) by the properties that it lacks; None if right."""
    expected = mnist_core.softmax(z)
    if same(p, expected):
        return None
    axis = (
        "softmax.axis",
        (
            "The probabilities add up over the examples, not over the classes. Usual cause: axis=0 "
            "for axis=1, Python's sum(), or a missing keepdims=True. (If your examples are in "
            "columns, pass columns=True.)"
        ),
    )
    no_exp = (
        "softmax.no_exp",
        (
            "These are shares of the scores themselves: the exponential is missing, so that a "
            "negative score makes a negative probability."
        ),
    )
    if p.min() < -1e-9:
        if same(np.exp(p), expected):
            return "softmax.log", "These are the logarithms of the probabilities."
        return no_exp
    batch = len(z)
    sums = {"examples": p.sum(axis=1), "classes": p.sum(axis=0), "all": p.sum()}
    one = {name: np.allclose(total, 1, atol=1e-4) for name, total in sums.items()}
    if batch > 1 and same(
        p, np.exp(z) / np.exp(z).sum(axis=1)[np.newaxis] if _is_square(z) else p.T
    ):
        return axis
    # log p - z is the same for all classes of an example, if p comes from exponentials.
    offset = np.log(np.maximum(p, 1e-300)) - z
    by_example = np.allclose(offset, offset[:, :1], atol=1e-3)
    by_class = np.allclose(offset, offset[:1], atol=1e-3)
    if batch > 1 and one["classes"]:
        return axis
    if batch > 1 and one["all"]:
        return "softmax.global_sum", (
            "The exponentials are divided by the sum over the whole batch, so that all examples "
            "together share one. Usual cause: np.sum without an axis."
        )
    if by_example or (by_class and batch > 1):
        return "softmax.not_normalised", (
            "The probabilities of an example don't add up to 1, though their ratios are right: "
            "divide by the sum of its exponentials."
        )
    if one["examples"] and p.min() > 0:
        # Subtracting each class's maximum leaves a term for every class that does not cancel.
        between = offset - offset[:, :1]
        if batch > 1 and np.allclose(between, between[:1], atol=1e-3):
            message = "What is subtracted before the exponential differs from class to class: "
            return "softmax.axis", message + "the maximum must be taken along each example."
        slopes = (np.log(p) - np.log(p[:, :1]))[:, 1:] / (z - z[:, :1])[:, 1:]
        if slopes.size and np.allclose(slopes, slopes.flat[0], rtol=1e-2):
            message = f"This is softmax of {slopes.flat[0]:.3g} times the logits: another base?"
            return "softmax.base", message
    if one["examples"]:
        return no_exp
    if not by_example and np.allclose(p, 1 / (1 + np.exp(-z)), atol=1e-4):
        message = "This is the sigmoid of each score by itself: the probabilities of an example "
        return "softmax.not_normalised", message + "must add up to 1."
    linear = np.corrcoef(p.ravel(), z.ravel())[0, 1] if p.size > 2 and np.ptp(p) else 0
    return (
        no_exp
        if linear > 0.999
        else (
            "softmax.not_normalised",
            "The probabilities of an example don't add up to 1.",
        )
    )


def _is_square(z: np.ndarray) -> bool:
    return z.shape[0] == z.shape[1]


def _check_extreme(function: Callable, turn: Callable) -> Finding | None:
    overflow = (
        "softmax.overflow",
        (
            "It fails for large scores: exp(1000) is infinity, and infinity divided by infinity is "
            "not a number. Subtract each example's maximum first; that changes nothing else."
        ),
    )
    global_max = (
        "softmax.global_max",
        (
            "One maximum is subtracted from the whole batch. Where another example's scores are "
            "far higher, all exponentials of this one are 0, and 0 divided by 0 is not a number. "
            "Take the maximum of each example: axis and keepdims=True."
        ),
    )
    high = [[1000.0, 999, 998], [1001, 1000, 1002]]
    for cause, rows in (
        (overflow, high),
        (global_max, [[1000.0, 999, 998], [0, -1, -2]]),
        (global_max, [[0.0, -1, -2], [-1000, -1001, -999]]),
        (global_max, (-np.array(high)).tolist()),
        (overflow, [[0.0, 2000, -2000]]),
    ):
        logits = np.array(rows)
        expected = mnist_core.softmax(logits)
        try:
            values = np.asarray(call(function, turn(logits)))
        except Found as found:
            return Finding(*cause, found.finding.evidence, 3)
        if not same(values, turn(expected)):
            return Finding(*cause, evidence(f"logits {rows}", values, turn(expected)), 3)
    return None


def _if_for_columns(name: str, function: Callable, **options: bool) -> list[Finding]:
    """Tell a function that is right for examples in columns."""
    check = {"softmax": softmax, "cross_entropy": cross_entropy}[name]
    if not check(function, columns=True, **options).ok:
        return []
    message = "It is right for examples in columns; if yours are, pass columns=True to the check."
    return [Finding("layout.columns", message, "given:    logits of shape (classes, batch)", 2)]


# --------------------------------------------------------------------------------------------------
# Cross-entropy
# --------------------------------------------------------------------------------------------------


def cross_entropy(
    function: Callable[[np.ndarray, np.ndarray], float],
    *,
    columns: bool = False,
    one_hot: bool = False,
) -> Report:
    """Check `f(logits, labels) -> loss`, the mean of -log(probability of the label), in nats.

    Parameters
    ----------
    function : takes logits (batch, classes) and labels, integers (batch,)
    columns : it takes logits (classes, batch) instead
    one_hot : it takes labels of the logits' shape, 1 at the right class, 0 elsewhere
    """

    def arguments(logits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        y = np.eye(logits.shape[1])[labels] if one_hot else labels
        if columns:
            return logits.T.copy(), y.T.copy() if one_hot else y
        return logits, y

    def check() -> list[Finding]:
        rng = np.random.default_rng(3)
        cases = []
        for batch, classes in ((5, 4), (7, 3), (1, 6)):
            # Each label once near the top, once near the bottom of its example.
            cases.append((rng.normal(0, 1.5, (batch, classes)), rng.integers(0, classes, batch)))
        results = []
        for logits, labels in cases:
            given = arguments(logits, labels)
            try:
                results.append(call(function, *given))
            except Found:
                if columns:
                    raise
                finding = _if_for_columns("cross_entropy", function, one_hot=one_hot)
                if not finding:
                    raise
                return finding
        values = [_as_loss(result, *case) for result, case in zip(results, cases, strict=True)]
        expected = [mnist_core.cross_entropy(*case) for case in cases]
        if not all(same(v, np.array(e)) for v, e in zip(values, expected, strict=True)):
            shifted = call(function, *arguments(cases[0][0] + 1, cases[0][1]))
            invariant = same(values[0], np.asarray(shifted), 1e-3)
            finding = _mistake_in_loss(values, cases, expected, invariant)
            for_columns = (
                [] if columns else _if_for_columns("cross_entropy", function, one_hot=one_hot)
            )
            return for_columns or [finding]
        findings = _check_extreme_losses(function, arguments)
        return findings or side_effects(function, *arguments(*cases[0]))

    return report("cross_entropy", check)


def _as_loss(result: object, logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    what = f"given:    logits for {len(logits)} examples of {logits.shape[1]} classes"
    values = array(result, what)
    not_a_number(values, what)
    return values.reshape(()) if values.size == 1 and len(logits) > 1 else values


def _mistake_in_loss(values: list, cases: list, expected: list, invariant: bool) -> Finding:
    """Name the mistake whose loss is this one in every case."""
    mistakes = [_wrong_losses(logits, labels) for logits, labels in cases]
    shown = evidence(f"{len(cases[0][0])} examples of 4 classes", values[0], expected[0])
    for (code, message), _ in mistakes[0]:
        candidates = [[loss for key, loss in m if key == (code, message)] for m in mistakes]
        per_case = zip(values, candidates, strict=True)
        # The last case is a single example, where many mistakes don't show.
        if all(any(same(v, np.asarray(c)) for c in group) for v, group in list(per_case)[:2]):
            return Finding(code, message, shown, 3)
    if values[0].ndim:
        array(values[0], shown, ())
    if values[0] < 0:
        message = "The loss is negative: a probability above 1, or a missing minus sign."
        return Finding("cross_entropy.sign", message, shown, 3)
    batches = [len(labels) for _, labels in cases]
    for total, of in ((np.array(expected), "mean"), (np.array(expected) * batches, "sum")):
        factors = np.array([float(v) for v in values]) / total
        if np.allclose(factors, factors[0], rtol=1e-3):
            message = f"The loss is {factors[0]:.3g} times the right {of} in every case; it should "
            message += "be the sum divided by the number of examples in this batch."
            return Finding("cross_entropy.not_mean", message, shown, 3)
    if not invariant:
        message = (
            "The loss changes when 1 is added to all logits, which changes no probability: the "
            "logits are taken for probabilities, softmax is missing."
        )
        return Finding("cross_entropy.no_softmax", message, shown, 3)
    message = (
        "This is not -log of the probability of each example's own label. Usual cause: an index "
        "that picks another class or pairs examples with labels of others."
    )
    return Finding("cross_entropy.wrong_class", message, shown, 3)


def _wrong_losses(logits: np.ndarray, labels: np.ndarray) -> list:
    """List the losses that the usual mistakes give, each under its code and message."""
    batch, classes = logits.shape
    rows = np.arange(batch)
    log_p = mnist_core.log_softmax(logits)
    p, right = np.exp(log_p), log_p[rows, labels]
    not_mean = (
        "cross_entropy.not_mean",
        (
            "The loss is right but for a factor: it should be the mean over the examples, not the "
            "sum, and not divided by the number of classes too."
        ),
    )
    sign = "cross_entropy.sign", "The minus sign is missing: log of a probability is negative."
    wrong_class = (
        "cross_entropy.wrong_class",
        (
            "This is not the probability of each example's own label. Usual cause: "
            "log_p[:, labels], which pairs all examples with all labels; write "
            "log_p[np.arange(batch), labels]."
        ),
    )
    base = "cross_entropy.base", "The logarithm has another base: np.log, not np.log2 or np.log10."
    no_softmax = (
        "cross_entropy.no_softmax",
        ("The logits are taken for probabilities, or for their logarithms: softmax is missing."),
    )
    axis = "softmax.axis", "The softmax inside adds up over the examples instead of the classes."
    whole = "softmax.global_sum", "The softmax inside divides by the sum over the whole batch."
    no_log = "cross_entropy.no_log", "The logarithm is missing."
    onehot = np.eye(classes)[labels]
    shifted = [(labels + k) % classes for k in (1, -1)]
    picked = {
        wrong_class: [
            -log_p.max(axis=1).mean(),
            -log_p.min(axis=1).mean(),
            -log_p[:, labels].mean(),
            -log_p[:, labels[0]].mean(),
            -log_p[:, 0].mean(),
            -log_p[:, -1].mean(),
            -log_p.mean(),
            -log_p.sum(axis=1).mean(),
            -((1 - onehot) * log_p).sum(axis=1).mean(),
            -np.log1p(-p[rows, labels]).mean(),
            -(p * log_p).sum(axis=1).mean(),
            *(-log_p[rows, other].mean() for other in shifted),
            -log_p.ravel()[labels].mean(),
        ],
        base: [-right.mean() / np.log(2), -right.mean() / np.log(10)],
        no_softmax: [
            -logits[rows, labels].mean(),
            -np.log(np.abs(logits[rows, labels])).mean(),
            -np.log(1 / (1 + np.exp(-logits[rows, labels]))).mean(),
            (np.exp(logits).sum(axis=1) - logits[rows, labels]).mean(),
            (logits.max(axis=1) - logits[rows, labels]).mean(),
        ],
        no_log: [(1 - p[rows, labels]).mean(), -p[rows, labels].mean(), p[rows, labels].mean()],
    }
    over_batch = logits - np.log(np.exp(logits).sum(axis=0))
    over_all = logits - np.log(np.exp(logits).sum())
    losses = [
        (not_mean, -right),
        (not_mean, -right[:, np.newaxis]),
        (not_mean, -onehot * log_p),
        *((not_mean, -right.sum() / k) for k in (1, classes, batch * classes, batch - 1 or 1)),
        (not_mean, -right.mean() / batch),
        (not_mean, -np.median(right)),
        *((sign, right.sum() / k) for k in (1, batch, batch * classes)),
        (sign, right),
        *((axis, -over_batch[rows, labels].sum() / k) for k in (1, batch)),
        *((whole, -over_all[rows, labels].sum() / k) for k in (1, batch)),
    ]
    for key, values in picked.items():
        for value in values:
            losses += [(key, value), (key, value * batch), (key, value / classes)]
    return losses


def _check_extreme_losses(function: Callable, arguments: Callable) -> list[Finding]:
    findings = []
    improbable = np.array([[0.0, 1000, 0], [1000, 0, -1000]]), np.array([0, 2])
    certain = np.array([[1000.0, 999, 0], [-1000, -999, -2000]]), np.array([0, 1])
    for code, message, (logits, labels) in (
        (
            "cross_entropy.log_zero",
            "The probability of the label underflows to 0, and log(0) is minus infinity. Compute "
            "the logarithm directly: logits - maximum - log(sum(exp(logits - maximum))).",
            improbable,
        ),
        (
            "softmax.overflow",
            "It fails for large scores: exp overflows. Subtract each example's maximum first.",
            certain,
        ),
    ):
        try:
            result = np.asarray(call(function, *arguments(logits, labels)))
        except Found as found:
            findings.append(Finding(code, message, found.finding.evidence, 3))
            continue
        if result.dtype.kind not in "biuf" or not np.isfinite(result).all():
            expected = mnist_core.cross_entropy(logits, labels)
            what = f"logits {logits.tolist()}, labels {labels.tolist()}"
            findings.append(Finding(code, message, evidence(what, result, expected), 3))
    return findings
