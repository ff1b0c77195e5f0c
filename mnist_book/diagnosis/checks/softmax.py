"""Checks of chapter 3: softmax and cross-entropy."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

import mnist_core
from mnist_book.diagnosis.checks.function import (
    Found,
    GuardedFunction,
    not_a_number,
    one_number,
    report,
    same,
    shown,
)
from mnist_book.diagnosis.evidence import lay_out
from mnist_book.diagnosis.reports import Finding, Report

# --------------------------------------------------------------------------------------------------
# Softmax
# --------------------------------------------------------------------------------------------------


def softmax(function: Callable[[np.ndarray], np.ndarray], *, columns: bool = False) -> Report:
    """Check `f(logits) -> probabilities`, (batch, classes); with `columns` (classes, batch)."""
    subject = GuardedFunction(function, "logits")

    def turn(rows: np.ndarray) -> np.ndarray:
        return rows.T.copy() if columns else rows

    def check() -> list[Finding]:
        rng = np.random.default_rng(0)
        for shape in ((4, 3), (1, 5), (2, 6)):
            finding = _check_ordinary(subject, turn, rng.normal(0, 1.5, shape).round(1))
            if finding:
                layout = [] if columns else _if_for_columns(softmax, function)
                return [finding, *layout]
        finding = _check_extreme(subject, turn)
        return [finding] if finding else subject.side_effects()

    return report("softmax", check)


def _check_ordinary(subject: GuardedFunction, turn: Callable, logits: np.ndarray) -> Finding | None:
    given, right = subject.given(turn(logits)), mnist_core.softmax(logits)
    try:
        result = subject.array(turn(logits))
    except Found as found:
        if found.finding.code != "function.raises":
            raise
        # Perhaps only the shapes don't go together: on a square they do, and the numbers tell.
        finding = _on_a_square(subject, turn)
        if finding is None:
            raise
        return replace(finding, evidence=found.finding.evidence)
    if same(result, turn(right)):
        return None
    subject.as_array(result, given, turn(right).shape)
    not_a_number(result, given)
    finding = shown(_misnormalised(turn(result), logits), given, result, turn(right))
    sums = ", ".join(f"{total:.3g}" for total in turn(result).sum(axis=1))
    return replace(finding, evidence=f"{finding.evidence}\n{lay_out(sums_of_the_examples=sums)}")


def _on_a_square(subject: GuardedFunction, turn: Callable) -> Finding | None:
    square = np.random.default_rng(1).normal(0, 1.5, (4, 4))
    try:
        p = turn(subject.array(turn(square), shape=(4, 4)))
    except Found:
        return None
    for subtracted in (0, square.max(axis=1, keepdims=True), square.max(axis=1)):
        e = np.exp(square - subtracted)
        if same(p, e / e.sum(axis=1)):
            return Finding("softmax.axis", says="keepdims")
    return None if same(p, mnist_core.softmax(square)) else _misnormalised(p, square)


def _misnormalised(p: np.ndarray, z: np.ndarray) -> Finding:
    """Name the mistake in p (batch, classes) by the properties that it lacks."""
    for probe in (_negative, _sums, _exponentials, _other_function):
        finding = probe(p, z)
        if finding:
            return finding
    if np.allclose(p.sum(axis=1), 1, atol=1e-4):
        return Finding("softmax.wrong")
    return Finding("softmax.not_normalised", says="sums")


def _negative(p: np.ndarray, z: np.ndarray) -> Finding | None:
    if p.min() > -1e-9:
        return None
    if same(np.exp(p), mnist_core.softmax(z)):
        return Finding("softmax.log")
    return Finding("softmax.no_exp", says="usual" if _are_shares(p, z) else "negative")


def _sums(p: np.ndarray, z: np.ndarray) -> Finding | None:
    """Look for what adds up to 1 in place of the examples."""
    if len(z) == 1:
        return None
    if np.allclose(p.sum(axis=0), 1, atol=1e-4):
        return Finding("softmax.axis")
    return Finding("softmax.global_sum") if np.isclose(p.sum(), 1, atol=1e-4) else None


def _exponentials(p: np.ndarray, z: np.ndarray) -> Finding | None:
    """Take p for exponentials: log p - z may depend on the example, and on nothing else."""
    offset = np.log(np.maximum(p, 1e-300)) - z
    of_the_example = np.allclose(offset, offset[:, :1], atol=1e-3)
    of_the_class = len(z) > 1 and np.allclose(offset, offset[:1], atol=1e-3)
    if of_the_example or of_the_class:
        return _other_divisor(p, z) or Finding("softmax.not_normalised")
    # Subtracting each class's maximum leaves a term for every class that does not cancel.
    between = offset - offset[:, :1]
    if len(z) > 1 and np.allclose(between, between[:1], atol=1e-3):
        return Finding("softmax.axis", says="maximum")
    slopes = (np.log(np.maximum(p, 1e-300) / p[:, :1]) / (z - z[:, :1]))[:, 1:]
    if slopes.size and abs(slopes[0, 0]) > 0.01 and np.allclose(slopes, slopes[0, 0], rtol=1e-2):
        if slopes[0, 0] < 0:
            return Finding("softmax.wrong", says="sign")
        return Finding("softmax.base", values={"factor": float(slopes[0, 0])})
    return None


def _other_divisor(p: np.ndarray, z: np.ndarray) -> Finding | None:
    """Tell which number exponentials were divided by, if it is none of the examples' own sums."""
    totals = p.sum(axis=1)
    if len(z) > 1 and np.isclose(totals.max(), 1) and not np.isclose(totals.min(), 1):
        return Finding("softmax.not_normalised", says="largest")
    for shift in (0, z.max(axis=1, keepdims=True), z.max()):
        sums = np.exp(z - shift).sum(axis=1)
        epsilon = sums / totals - sums
        if epsilon[0] > 1e-4 and np.allclose(epsilon, epsilon[0], rtol=1e-2):
            values = {"epsilon": float(epsilon[0])}
            return Finding("softmax.not_normalised", says="epsilon", values=values)
    return None


def _other_function(p: np.ndarray, z: np.ndarray) -> Finding | None:
    if same(p, mnist_core.softmax(mnist_core.softmax(z))):
        return Finding("softmax.squashed", says="twice")
    if np.allclose(p, 1 / (1 + np.exp(-z)), atol=1e-4):
        return Finding("softmax.not_normalised", says="sigmoid")
    sigmoids = 1 / (1 + np.exp(-z))
    if same(p, sigmoids / sigmoids.sum(axis=1, keepdims=True)):
        return Finding("softmax.wrong", says="sigmoids")
    if same(p, _divided_one_by_one(z)):
        return Finding("softmax.not_normalised", says="one_by_one")
    return Finding("softmax.no_exp") if _are_shares(p, z) else None


def _divided_one_by_one(z: np.ndarray) -> np.ndarray:
    """Divide in a loop that adds up anew what has been divided already."""
    p = np.exp(z - z.max(axis=1, keepdims=True))
    for row in p:
        for k in range(len(row)):
            row[k] /= row.sum()
    return p


def _are_shares(p: np.ndarray, z: np.ndarray) -> bool:
    """Tell whether p grows in a straight line with the scores, or with their sizes."""
    if z.shape[1] < 3:
        return False
    rows = [(row, scores) for row, scores in zip(p, z, strict=True) if np.ptp(row) > 0]
    return bool(rows) and any(
        all(abs(np.corrcoef(row, size(scores))[0, 1]) > 1 - 1e-6 for row, scores in rows)
        for size in (np.positive, np.abs)
    )


def _check_extreme(subject: GuardedFunction, turn: Callable) -> Finding | None:
    overflow, one_maximum = Finding("softmax.overflow"), Finding("softmax.global_max")
    high = [[1000.0, 999, 998], [1001, 1000, 1002]]
    for finding, rows in (
        (overflow, high),
        (one_maximum, [[1000.0, 999, 998], [0, -1, -2]]),
        (one_maximum, [[0.0, -1, -2], [-1000, -1001, -999]]),
        (one_maximum, -np.array(high)),
        (overflow, [[0.0, 2000, -2000]]),
    ):
        logits = turn(np.array(rows))
        right = turn(mnist_core.softmax(np.array(rows)))
        try:
            result = subject.array(logits)
        except Found as found:
            return _if_it_raises(finding, found)
        if not same(result, right):
            if finding is overflow and np.isfinite(result).all():
                finding = Finding("softmax.overflow", says="finite")
            return shown(finding, subject.given(logits), result, right)
    return None


def _if_it_raises(finding: Finding, found: Found) -> Finding:
    """Take an error for large scores as the finding's; whatever else was found stands."""
    if found.finding.code != "function.raises":
        raise found
    return replace(finding, evidence=found.finding.evidence)


def _if_for_columns(check: Callable, function: Callable, **options: bool) -> list[Finding]:
    """Tell a function that is right for examples in columns."""
    if not check(function, columns=True, **options).ok:
        return []
    evidence = lay_out(given="logits of shape (classes, batch)", returned="what it should")
    return [Finding("layout.columns", evidence)]


# --------------------------------------------------------------------------------------------------
# Cross-entropy
# --------------------------------------------------------------------------------------------------

HIGHEST_FLOOR = 3e-7  # of probabilities; frameworks have up to 1e-7
Case = tuple[np.ndarray, np.ndarray]  # logits (batch, classes), labels (batch,)


def cross_entropy(
    function: Callable[[np.ndarray, np.ndarray], float],
    *,
    columns: bool = False,
    one_hot: bool = False,
) -> Report:
    """Check `f(logits, labels) -> loss`, the mean of -log(probability of the label), in nats.

    For logits in the thousands, too, it must be finite. A label whose probability is rounded to 0
    must cost at least 15. It may cost less than it should: a floor of 1e-7 or less, which keeps
    log(0) away, passes, as frameworks have one. (The logarithm computed directly needs none.)

    Parameters
    ----------
    function : takes logits (batch, classes) and labels, integers (batch,)
    columns : it takes logits (classes, batch) instead
    one_hot : it takes labels of the logits' shape, 1 at the right class, 0 elsewhere
    """
    loss = _Loss(GuardedFunction(function, "logits labels"), columns, one_hot)

    def check() -> list[Finding]:
        way = loss
        try:
            try:
                findings = _check_ordinary_losses(loss)
            except Found as found:
                if found.finding.code != "function.raises":
                    raise
                way = replace(loss, ten=True)
                findings = _check_for_ten(way, found)
        except Found as found:
            findings = [found.finding]
        if findings and not columns:
            return _if_for_columns(cross_entropy, function, one_hot=one_hot) or findings
        return findings or _check_extreme_losses(way) or loss.subject.side_effects()

    return report("cross_entropy", check)


@dataclass(frozen=True)
class _Loss:
    """The reader's loss, and how it takes its arguments."""

    subject: GuardedFunction
    columns: bool
    one_hot: bool
    ten: bool = False  # it is made for ten classes

    def __call__(self, case: Case) -> np.ndarray:
        """Return the loss of a batch, an array without a dimension if it is one number."""
        result = self.subject.array(*self.arguments(case))
        not_a_number(result, self.subject.given(*self.arguments(case)))
        return result.reshape(()) if result.size == 1 else result

    def arguments(self, case: Case) -> tuple[np.ndarray, np.ndarray]:
        """Lay out logits and labels as the function takes them."""
        logits, labels = case
        y = np.eye(logits.shape[1])[labels] if self.one_hot else labels
        if self.columns:
            return logits.T.copy(), y.T.copy() if self.one_hot else y
        return logits, y

    def right(self, case: Case) -> float:
        """Return the loss that it should be."""
        return mnist_core.cross_entropy(*case)

    def shown(self, finding: Finding, case: Case, returned: object) -> Finding:
        """Add to a finding what was fed in, what came out, and what should have come out."""
        given = self.subject.given(*self.arguments(case))
        return shown(finding, given, returned, self.right(case))


def _check_for_ten(loss: _Loss, found: Found) -> list[Finding]:
    """Check a function that raised an error with ten classes; another error leaves it at that."""
    try:
        return _check_ordinary_losses(loss)
    except Found:
        raise found from None


def _check_ordinary_losses(loss: _Loss) -> list[Finding]:
    rng = np.random.default_rng(3)
    sizes = ((5, 10), (7, 10), (1, 10)) if loss.ten else ((5, 4), (7, 3), (1, 6))
    cases = [
        (rng.normal(0, 1.5, (batch, classes)), rng.integers(0, classes, batch))
        for batch, classes in sizes
    ]
    losses = [loss(case) for case in cases]
    if all(same(value, loss.right(case)) for value, case in zip(losses, cases, strict=True)):
        return []
    return [loss.shown(_mistake_in_loss(losses, cases, loss), cases[0], losses[0])]


def _mistake_in_loss(losses: list[np.ndarray], cases: list[Case], loss: _Loss) -> Finding:
    """Name the mistake that makes these losses."""
    # The last case is a single example, where many mistakes don't show.
    for (finding, first), (_, second) in zip(*map(_wrong_losses, cases[:2]), strict=True):
        if same(losses[0], first) and same(losses[1], second):
            return finding
    for value in losses:
        if value.ndim:
            return Finding("function.shape", values={"shape": value.shape, "expected": ()})
    if losses[0] < 0:
        return Finding("cross_entropy.sign", says="negative")
    right = np.array([loss.right(case) for case in cases])
    for name, divisors in (("mean", 1), ("sum", [len(labels) for _, labels in cases])):
        factors = np.array(losses, float) / (right * divisors)
        if np.allclose(factors, factors[0], rtol=1e-3):
            values = {"factor": factors[0], "of": name}
            return Finding("cross_entropy.not_mean", says="factor", values=values)
    logits, labels = cases[0]
    if not same(loss((logits + 1, labels)), losses[0], 1e-3):
        return Finding("cross_entropy.no_softmax", says="shift")
    return _mispicked(loss) or Finding("cross_entropy.wrong")


def _mispicked(loss: _Loss) -> Finding | None:
    """Count the examples that cost what another class's probability would cost.

    One class is certain in each example, by 30: the others cost 30, this one nothing.
    """
    labels = np.arange(6) % 4
    sure = 30 * np.eye(10 if loss.ten else 4)
    right = loss((sure[labels], labels))
    wrong = loss((sure[(labels + 1) % 4], labels))
    if right.ndim or wrong.ndim:
        return None
    counts = np.array([right, wrong]) * 6 / 30
    whole = np.allclose(counts, np.round(counts), atol=0.01) and counts.max() < 6.5
    if not whole or same(counts, np.array([0, 6]), 0.01):
        return None
    return Finding("cross_entropy.wrong_class", says="counted", values={"count": round(counts[0])})


def _wrong_losses(case: Case) -> Iterator[tuple[Finding, np.ndarray]]:
    """List the losses that the usual mistakes give, in the same order for each case."""
    log_p = mnist_core.log_softmax(case[0])
    yield from _wrongly_averaged(log_p, case[1])
    yield from _of_another_softmax(*case)
    yield from _of_another_function(*case)
    for finding, loss in (*_of_another_class(log_p, case[1]), *_without_softmax(*case)):
        for scale in (1, len(log_p), 1 / log_p.shape[1]):
            yield finding, loss * scale


def _wrongly_averaged(log_p: np.ndarray, labels: np.ndarray) -> Iterator:
    batch, classes = log_p.shape
    right = log_p[np.arange(batch), labels]
    not_mean, sign = Finding("cross_entropy.not_mean"), Finding("cross_entropy.sign")
    yield Finding("cross_entropy.not_mean", says="each"), -right
    yield Finding("cross_entropy.not_mean", says="each"), -right[:, np.newaxis]
    yield Finding("cross_entropy.not_mean", says="each"), -np.eye(classes)[labels] * log_p
    for divisor in (1, classes, batch * classes, batch - 1, batch * batch):
        yield not_mean, -right.sum() / divisor
    yield Finding("cross_entropy.not_mean", says="median"), -np.median(right)
    for divisor in (1, batch, batch * classes):
        yield sign, right.sum() / divisor
    yield sign, right


def _of_another_softmax(logits: np.ndarray, labels: np.ndarray) -> Iterator:
    rows = np.arange(len(labels))
    for finding, axis in (
        (Finding("softmax.axis", says="inside"), 0),
        (Finding("softmax.global_sum", says="inside"), None),
    ):
        log_p = logits - np.log(np.exp(logits).sum(axis=axis))
        yield finding, -log_p[rows, labels].sum()
        yield finding, -log_p[rows, labels].mean()
    twice = mnist_core.log_softmax(mnist_core.softmax(logits))
    yield Finding("softmax.squashed", says="inside"), -twice[rows, labels].mean()


def _of_another_function(logits: np.ndarray, labels: np.ndarray) -> Iterator:
    """List what is not the logarithm of the label's probability."""
    p, one_hot = mnist_core.softmax(logits), np.eye(logits.shape[1])[labels]
    right = p[np.arange(len(labels)), labels]
    for base in (2, 10):
        finding = Finding("cross_entropy.base", values={"base": base})
        for total in (np.mean, np.sum):
            yield finding, -total(np.log(right)) / np.log(base)
    for epsilon in (0.1, 0.01, 1e-3, 1e-4, 1e-5):
        finding = Finding("cross_entropy.log_zero", says="epsilon", values={"epsilon": epsilon})
        yield finding, -np.log(right + epsilon).mean()
    for loss in (1 - right, -right, right):
        for scale in (1 / len(labels), 1, 1 / len(labels) / logits.shape[1]):
            yield Finding("cross_entropy.no_log"), loss.sum() * scale
    squares = (p - one_hot) ** 2
    own = (1 - right) ** 2
    for loss in (
        *(squares.mean(), squares.sum() / len(labels), squares.sum(), squares.mean() / 2),
        *(own.mean(), own.sum(), own.mean() / 2),
    ):
        yield Finding("cross_entropy.wrong", says="squares"), loss
    binary = one_hot * np.log(p) + (1 - one_hot) * np.log(1 - p)
    for loss in (-binary.mean(), -binary.sum() / len(labels)):
        yield Finding("cross_entropy.wrong", says="binary"), loss


def _of_another_class(log_p: np.ndarray, labels: np.ndarray) -> Iterator:
    batch, classes = log_p.shape
    rows, p = np.arange(batch), np.exp(log_p)
    pairs = Finding("cross_entropy.wrong_class", says="pairs")
    yield pairs, -log_p[:, labels].mean()
    largest = Finding("cross_entropy.wrong_class", says="largest")
    yield largest, -log_p.max(axis=1).mean()
    neighbour = Finding("cross_entropy.wrong_class", says="neighbour")
    for shift in (1, -1):
        yield neighbour, -log_p[rows, (labels + shift) % classes].mean()
    fixed = Finding("cross_entropy.wrong_class", says="one_class")
    for k in (0, -1, labels[0]):
        yield fixed, -log_p[:, k].mean()
    all_classes = Finding("cross_entropy.wrong_class", says="all_classes")
    yield all_classes, -log_p.mean()
    yield all_classes, -(p * log_p).sum(axis=1).mean()
    others = Finding("cross_entropy.wrong_class", says="others")
    yield others, -((1 - np.eye(classes)[labels]) * log_p).sum(axis=1).mean()
    yield others, -np.log1p(-p[rows, labels]).mean()
    usual = Finding("cross_entropy.wrong_class")
    yield usual, -log_p.min(axis=1).mean()
    yield usual, -log_p.ravel()[labels].mean()


def _without_softmax(logits: np.ndarray, labels: np.ndarray) -> Iterator:
    finding = Finding("cross_entropy.no_softmax")
    score = logits[np.arange(len(labels)), labels]
    yield finding, -score.mean()
    yield finding, -np.log(np.abs(score)).mean()
    yield finding, -np.log(1 / (1 + np.exp(-score))).mean()
    yield finding, (np.exp(logits).sum(axis=1) - score).mean()
    yield finding, (logits.max(axis=1) - score).mean()


def _check_extreme_losses(loss: _Loss) -> list[Finding]:
    improbable = np.array([[0.0, 1000, 0], [1000, 0, -1000]]), np.array([0, 2])
    certain = np.array([[1000.0, 999, 0], [-1000, -999, -2000]]), np.array([0, 1])
    findings = []
    for finding, judged, (logits, labels) in (
        (Finding("cross_entropy.log_zero"), _cheap_labels, improbable),
        (Finding("softmax.overflow"), _finite_overflow, certain),
    ):
        case = np.pad(logits, ((0, 0), (0, 7 * loss.ten)), constant_values=-3000.0), labels
        try:
            result = loss.subject.array(*loss.arguments(case))
        except Found as found:
            findings.append(_if_it_raises(finding, found))
            continue
        value = one_number(result)
        wrong: Finding | None = finding
        if value is not None and np.isfinite(value):
            wrong = judged(value, loss.right(case))
        if wrong:
            findings.append(loss.shown(wrong, case, result))
    return findings


def _cheap_labels(value: float, right: float) -> Finding | None:
    """Judge what labels cost whose probability is rounded to 0; a small floor is no mistake."""
    if value < 1:
        return Finding("cross_entropy.log_zero", says="free")
    if not -math.log(HIGHEST_FLOOR) < value < 1.01 * right:
        values = {"loss": float(value), "right": right}
        return Finding("cross_entropy.log_zero", says="floor", values=values)
    return None


def _finite_overflow(value: float, right: float) -> Finding | None:
    return None if same(value, right, 1e-2) else Finding("softmax.overflow", says="finite")
