"""The probabilities: their shape, their sums, and what becomes of large logits."""

from collections.abc import Callable
from itertools import product

import numpy as np

from mnist_book.diagnosis.evidence import cleaned
from mnist_book.diagnosis.examine.calling import Refused
from mnist_book.diagnosis.examine.halves import half_of_loss
from mnist_book.diagnosis.examine.objective import changes_by_shift, has_margin, objective
from mnist_book.diagnosis.examine.plain import HUGE, MOST_ELEMENTS, Foreign, kind_of
from mnist_book.diagnosis.examine.probing import Said, finding, probe
from mnist_book.diagnosis.examine.results import as_array, identical, is_matrix, is_weights
from mnist_book.diagnosis.examine.subject import Fact, Subject
from mnist_book.diagnosis.running import Theirs

SPECIAL = {np.matrix: "matrix", np.ma.MaskedArray: "masked"}  # arrays, and what is said of them
USUAL_SIZES = (16, 20, 32, 50, 64, 100, 128, 256)  # of batches
FEW = 30  # pictures
FACTORS = (1.0, 30.0, 1e4)  # of the last layer's parameters


@probe()
def form(subject: Subject) -> Said:
    """There must be a row of probabilities for each picture."""
    m, classes = len(subject.x), subject.classes
    given, wanted = f"x {subject.x.shape}", f"({m}, {classes})"
    result = subject.attempt("predict_proba", subject.x)
    if isinstance(result, BaseException) or as_array(result).shape == (classes, m) != (m, classes):
        misread = list(_misread_batch(subject, given, wanted))
        yield from misread
        if misread:
            return
    result = subject.call("predict_proba", subject.x)
    if not isinstance(result, np.ndarray) or type(result) in SPECIAL:
        says, values = _kind(result)
        returned = cleaned(result) if isinstance(result, Foreign) else f"a {kind_of(result)}"
        yield finding("function.not_array", given, returned, "np.array(...)", says=says, **values)
        if says == "network_tuple":
            return
    p = as_array(result)
    if p.shape != (m, classes):
        returned = f"{p.dtype} {p.shape}" if p.size else cleaned(result)
        yield finding("function.shape", given, returned, wanted, says="network_probabilities")


def _kind(result: Theirs) -> tuple[str, dict[str, object]]:
    """Return which sentence fits a result that is no ordinary array, and what fills it."""
    if type(result) in SPECIAL:
        return SPECIAL[type(result)], {}
    items = list(map(as_array, result)) if isinstance(result, tuple) else []
    found = [k for k, item in enumerate(items) if item.ndim == 2 and item.size]
    if found:
        return "network_tuple", {"count": len(items), "index": found[-1]}
    if kind_of(result) == HUGE:
        return "network_huge", {"limit": f"{MOST_ELEMENTS:,}"}
    return "network", {"kind": kind_of(result)}


def _misread_batch(subject: Subject, given: str, wanted: str) -> Said:
    """Find out whether it wants columns, or one size of batch only."""
    m, classes = len(subject.x), subject.classes
    if subject.predict(subject.x.T).shape == (classes, m):
        yield finding("layout.columns", given, "columns", wanted)
        return
    sizes = {side for w in subject.weights for side in w.shape} | {classes} | set(USUAL_SIZES)
    for size in sorted(sizes):
        batch = np.resize(subject.x, (size, subject.x.shape[1]))
        p = subject.predict(batch) if size > 1 else np.empty(0)
        if p.shape == (size, classes):
            code, says, values = _of_one_size(subject, p, size)
            yield finding(code, given, "an error", wanted, says=says, size=size, **values)
            return


def _of_one_size(subject: Subject, p: np.ndarray, size: int) -> tuple[str, str, dict[str, int]]:
    """Tell why batches must be of one size: row k of some array is then for picture k alone."""
    if size == subject.classes and not np.allclose(p.sum(axis=1), 1, atol=1e-3):
        return "softmax.axis", "network_one_size", {}
    network, batch = subject.copy(), np.resize(subject.x, (size, subject.x.shape[1]))
    before = network.predict(batch)
    for number, array in enumerate(network.arrays()):
        if array.ndim != 2 or len(array) != size:
            continue
        kept = array[0].copy()
        array[0] += np.linspace(0.5, 1, array.shape[1])
        changed = np.abs(network.predict(batch) - before).max(axis=1) > 1e-9
        array[0] = kept
        if changed[0] and not changed[1:].any():
            units = array.shape[1]
            before_it = network.arrays()[number - 1].shape if number else ()
            if units != size or len(before_it) == 2:
                return "linear.batch_size", "network_bias", {"number": number, "units": units}
            return "linear.elementwise", "network", {}
    return "linear.batch_size", "network", {}


@probe(needs="finite")
def steady(subject: Subject) -> Said:
    """Ask twice, and after other pictures: the same ones must get the same probabilities."""
    first, second = (as_array(subject.attempt("predict_proba", subject.x)) for _ in range(2))
    if not identical(first, second):
        yield finding("network.random", "x, twice", "two results", "the same twice")
        return
    for other in (subject.x[::-1], np.random.default_rng(5).random(subject.x.shape)):
        subject.attempt("predict_proba", other.astype(subject.x.dtype))
    third = as_array(subject.attempt("predict_proba", subject.x))
    if third.shape == first.shape and not np.allclose(first, third, rtol=1e-3, atol=1e-6):
        change = float(np.abs(first - third).max())
        yield finding(
            "network.batch_dependent",
            "x, other pictures, and x again",
            f"probabilities that differ by up to {change:.2g}",
            "the same as before",
            "network_before",
        )


@probe(needs="finite parameters", unless="*", last=True)
def rounded(subject: Subject) -> Said:
    """Look for probabilities that were rounded, or are those of a decision: 0 and 1.

    Saturated ones look the same, and don't where inputs are small, nor at random weights.
    """
    small = (subject.x[:FEW] * 0.01).astype(subject.x.dtype)
    shown = [subject.probabilities, subject.predict(small)]
    if subject.twin is not None:
        subject.twin.random_point(3)
        shown.append(subject.twin.predict(subject.inputs(np.random.default_rng(4), FEW)))
    elif np.ptp(shown[0]) == 0 != shown[0].flat[0]:
        return  # all classes are equally probable, as for last weights of 0
    wholes = ((d, [p * 10**d for p in shown]) for d in range(3))
    digits = next((d for d, ps in wholes if all(np.abs(p - p.round()).max() < 1e-5 for p in ps)), 9)
    if digits < 9:
        p = shown[0]
        hard = not digits and bool((p.sum(axis=1) == 1).all())
        says = "network_hard" if hard else "network" if digits else "network_whole"
        row = np.array2string(p[p.max(axis=1).argmin()], max_line_width=200)
        returned = f"rows such as {row}"
        given = f"x {subject.x.shape}"
        yield finding("softmax.rounded", given, returned, "any numbers between 0 and 1", says)


def single_outputs(subject: Subject) -> bool:
    """Tell whether each output is a question of its own, as sigmoid's are and a regression's."""
    p = subject.probabilities
    if np.allclose(p.sum(axis=1), 1, atol=1e-3):
        return False
    if subject.losses:
        if (asked := _of_loss(subject, objective)) is None:
            return _like_sigmoids(p)
        if asked.name:
            return asked.single
        if subject.twin and subject.once(has_margin):
            return True
        if subject.twin and subject.once(changes_by_shift) is not None:
            return subject.once(changes_by_shift)
        if p.min() < 0:
            return False
    return _like_sigmoids(p)


def _of_loss(subject: Subject, measure: Callable[[Subject], Fact]) -> Fact | None:
    """Return what the loss shows; None where it fails, which has a probe of its own."""
    try:
        return subject.once(measure) if subject.losses else None
    except Refused:
        subject.calls.take()
        return None


def _like_sigmoids(p: np.ndarray) -> bool:
    """Tell outputs from 0 to 1 from exp(z - maximum), whose largest is 1 in each row."""
    return bool(p.min() >= 0 and p.max() <= 1 and not np.allclose(p.max(axis=1), 1, atol=1e-12))


@probe(needs="finite", unless="network.random")
def places(subject: Subject) -> Said:
    """Ask for one picture several times in a batch: its place there must not matter."""
    if _has_giants(subject):
        return  # of their scores, rounding alone makes other answers
    x = np.repeat(subject.x[len(subject.x) // 2][np.newaxis], 7, axis=0)
    p = subject.predict(x)
    if p.shape == (len(x), subject.classes) and not np.allclose(p, p[0], rtol=1e-2, atol=1e-4):
        column = np.ptp(p, axis=0).argmax()
        returned = (
            f"for class {column}: {', '.join(f'{value:.3f}' for value in p[:4, column])}, ..."
        )
        if (beside := _by_its_company(subject, x)) is not None:
            given = "one picture, first in a batch of copies, and of other pictures"
            returned = f"{p[0, :3].round(3)}... and {beside[:3].round(3)}..."
            yield finding("data.scrambled", given, returned, "the same", "network_inside")
            return
        expected = "seven times the same"
        given = "one picture, seven times in a batch"
        yield finding("network.random", given, returned, expected, says="network_places")


def _by_its_company(subject: Subject, x: np.ndarray) -> np.ndarray | None:
    """Return what the first of these copies gets beside other pictures; None if that is the same.

    A mask drawn from one seed depends on the place alone, pixels that a reshape mixes do not.
    """
    alone = subject.predict(x)
    x = x.copy()
    x[1:] = np.resize(subject.x[::-1], x[1:].shape)
    p = subject.predict(x)
    same = p.shape == alone.shape and np.allclose(p[0], alone[0], rtol=1e-3, atol=1e-5)
    return None if same else p[0]


def _has_giants(subject: Subject) -> bool:
    """Tell whether training has blown up the weights."""
    sizes = [float(np.abs(array).max()) for array in subject.arrays() if is_weights(array)]
    return not all(size < 100 for size in sizes)


@probe(needs="finite", unless="network.random")
def sums(subject: Subject) -> Said:
    """Each row must sum to 1, whatever else is in the batch."""
    single, x = single_outputs(subject), subject.x
    p = subject.predict(x)  # anew: a call of the loss may have changed means that it keeps
    if p.shape != (len(x), subject.classes):
        return
    given, totals = f"x {x.shape}", p.sum(axis=1)
    row = f"a row {np.array2string(p[0], precision=3, max_line_width=200)}"
    asked = _of_loss(subject, objective)
    if not single and not np.allclose(totals, 1, atol=1e-3) and asked and asked.name == "inside":
        yield finding("softmax.no_exp", given, row, "softmax of it", "network_logits")
        return
    if p.min() < -1e-6 and not single:
        wanted, logs = "exp(z) / sum of exp(z)", np.exp(np.clip(p, None, 1)).sum(axis=1)
        says = "network_log" if np.allclose(logs, 1, atol=1e-3) else "network_negative"
        yield finding("softmax.no_exp", given, row, wanted, says=says)
        return
    alone = subject.predict(x[:1])
    if len(alone) > 1 and len(alone) in [a.size for a in subject.arrays() if not is_weights(a)]:
        given, returned = "one picture", f"{len(alone)} rows of probabilities"
        yield finding(
            "linear.batch_size", given, returned, "one row", "network_column", size=len(alone)
        )
        return
    alone = alone.reshape(-1)
    if alone.shape != p[0].shape or not np.allclose(alone, p[0], rtol=1e-3, atol=1e-4):
        code = "softmax.axis"
        if np.isclose(p.sum(), 1, atol=1e-3):
            code = "softmax.global_sum"
        elif np.allclose(totals, 1, atol=1e-3):
            code = "network.batch_dependent"
        returned = f"{row}, sum {totals[0]:.3g}; the same row alone {alone[: p.shape[1]].round(3)}"
        given = f"{len(x)} rows, and the first alone"
        yield finding(code, given, returned, "the same both times, sum 1")
    elif not single and not np.allclose(totals, 1, atol=1e-3):
        returned = f"row sums from {totals.min():.3g} to {totals.max():.3g}"
        says = "network_sigmoids" if _of_loss(subject, half_of_loss) == "own" else "network"
        yield finding("softmax.not_normalised", given, returned, "1 in each row", says)


@probe(needs="probabilities twin", unless="softmax network.random network.batch_dependent")
def sums_elsewhere(subject: Subject) -> Said:
    """Where its own weights have made NaN or giants of the scores: look at sums at others."""
    if subject.finite and not _has_giants(subject):
        return
    subject.twin.random_point(3)
    x = subject.inputs(np.random.default_rng(4), 30)
    p = subject.twin.predict(x)
    alone = subject.twin.predict(x[:1]).reshape(-1)
    if p.shape != (30, subject.classes) or alone.shape != p[0].shape or not np.isfinite(p).all():
        return
    if np.allclose(alone, p[0], rtol=1e-3, atol=1e-4):
        return
    code = "softmax.global_sum" if np.isclose(p.sum(), 1, atol=1e-3) else ""
    code = "softmax.axis" if np.allclose(p.sum(axis=0), 1, atol=1e-3) else code
    if code:
        totals = p.sum(axis=1)
        returned = f"row sums from {totals.min():.3g} to {totals.max():.3g}"
        yield finding(code, "random weights, 30 rows", returned, "1 in each row")


@probe(needs="probabilities", unless="softmax network.random")
def overflow(subject: Subject) -> Said:
    """Feed the softmax large logits: by large last weights, or else by large inputs."""
    if single_outputs(subject):
        return
    large, x = _at(subject, FACTORS[-1])
    if large is None or np.allclose(large.sum(axis=1), 1, atol=1e-3):
        return
    bad = int(np.argmax(~np.isclose(large.sum(axis=1), 1, atol=1e-3)))
    alone = (subject.twin or subject).predict(x[bad : bad + 1])
    code = "softmax.global_max" if np.isclose(alone.sum(), 1, atol=1e-3) else "softmax.overflow"
    given = "logits of about 10,000" if subject.twin else "inputs a million times as large"
    latent = code == "softmax.overflow" and subject.finite and not _has_giants(subject)
    says = "network_later" if latent else "network"
    yield finding(code, given, f"a row {large[bad].round(3)}", "finite, sum 1", says)


@probe(needs="probabilities twin", unless="softmax.axis softmax.global_sum network.random")
def sharpness(subject: Subject) -> Said:
    """Logits that are 30 times as large must make it sure."""
    if single_outputs(subject):
        return
    (none, _), (small, _), (middle, _) = (_at(subject, factor) for factor in (0.0, *FACTORS[:2]))
    if none is None or small is None or middle is None or not np.isfinite(middle).all():
        return
    if np.ptp(none, axis=0).max() > 1e-6 < np.ptp(small):
        return  # other layers reach the outputs as well, as in a mean of several networks
    peak = float(np.median(middle.max(axis=1)))
    if np.allclose(small, middle, atol=1e-3) and np.ptp(small) > 1e-3:
        if _are_shares_of_what_is_fitted(subject):
            return
        says = "network_divided" if small.min() > 1e-6 else "network"  # shares would be negative
        yield finding("softmax.no_exp", "last layer x 30", "no change", "nearly 0 and 1", says)
    elif peak < 0.6 and np.median(middle.min(axis=1)) > 0.01:  # sigmoids over their sum reach 0
        yield finding("softmax.squashed", "last layer x 30", f"{peak:.3f}", "nearly 1")


@probe(needs="probabilities twin", unless="softmax network.random")
def shift(subject: Subject) -> Said:
    """Logits that are all smaller by 5 must change nothing."""
    if single_outputs(subject):
        return
    before, x = _at(subject, 1.0)
    last = subject.twin.last_layer()
    if before is None or len(last) < 2 or not _is_output_bias(subject.twin.arrays(), last[1]):
        return
    last[1][...] -= 5
    after = subject.twin.predict(x)
    if after.shape == before.shape and not np.allclose(after, before, atol=1e-3):
        if _are_sigmoids_over_their_sum(subject.twin, last[1], x):
            return
        if _are_shares_of_what_is_fitted(subject) or _asks_for_outputs(subject):
            return
        change = f"a change of {np.abs(after - before).max():.3f}"
        yield finding(
            "softmax.squashed", "last bias - 5", change, "no change", says="network_shifted"
        )


def _asks_for_outputs(subject: Subject) -> bool:
    """Tell whether the loss is no function of these probabilities, and changes with a shift, too.

    It asks for outputs of which the probabilities are made, each a question of its own.
    """
    if subject.twin is None or not subject.losses:
        return False
    asked, changes = _of_loss(subject, objective), _of_loss(subject, changes_by_shift)
    return asked is not None and not asked.name and bool(changes)


def _are_shares_of_what_is_fitted(subject: Subject) -> bool:
    """Tell whether the loss fits scores of which the probabilities are mere shares: a regression.

    A last layer that is 30 times as large makes squared errors hundreds of times as large, which a
    logarithm never becomes, and changes none of these probabilities.
    """
    if subject.twin is None or not subject.losses:
        return False
    ps, losses = [], []
    for factor in FACTORS[:2]:
        p, x = _at(subject, factor)
        if p is None:
            return False
        ps.append(p)
        losses.append(subject.twin.loss(x, np.arange(len(x)) % subject.classes))
    return np.allclose(ps[0], ps[1], atol=1e-3) and losses[1] > 100 * losses[0]


def _are_sigmoids_over_their_sum(twin: Subject, bias: np.ndarray, x: np.ndarray) -> bool:
    """Tell whether scores far from 0 give a softmax, as sigmoids do where they are exp(z).

    That is far below 0, or far above for a sigmoid that falls; there, a score that grows must make
    its own output smaller. Beyond 37, one that is made of tanh is 0 for all.
    """
    start = bias.copy()
    for side, shifts in product((-1, 1), ((50, 60), (20, 25))):
        ps = []
        for shift in shifts:
            bias[...] = start + side * shift
            ps.append(twin.predict(x))
        bias.flat[0] += 0.5
        ps.append(twin.predict(x))
        if any(p.shape != ps[0].shape for p in ps) or np.ptp(ps[0]) < 0.01:
            continue
        own = ps[2][:, 0] - ps[1][:, 0]
        if np.allclose(ps[0], ps[1], atol=1e-3) and (side < 0 or (own < 0).all()):
            return True
    return False


def _is_output_bias(arrays: list[np.ndarray], bias: np.ndarray) -> bool:
    """Tell the output's bias from one of a hidden layer with as many units as there are classes."""
    places = [k for k, array in enumerate(arrays) if is_matrix(array)]
    after = next(k for k, array in enumerate(arrays) if array is bias) > places[-1]
    wide = [array for array in arrays if is_matrix(array) and bias.size in array.shape]
    return after and (len(wide) == 1 or arrays[-1] is bias)


def _at(subject: Subject, factor: float) -> tuple[np.ndarray | None, np.ndarray]:
    """Return probabilities for a last layer that is larger by a factor, and the inputs.

    Without a twin, whose parameters can be set, the inputs are made larger instead. There are none
    if it does not read its last weights, or if they give another shape.
    """
    twin = subject.twin
    if twin is None:
        x = subject.x[:200] * (factor * 100)
        p = subject.predict(x)
    else:
        x = subject.inputs(np.random.default_rng(4), 200)
        twin.random_point(seed=3)
        last = twin.last_layer()
        if not last or not is_matrix(last[0]):
            return None, x
        for array in last:
            array *= factor
        p = twin.predict(x)
    return (p if p.shape == (len(x), subject.classes) else None), x


PROBES = (form, steady, rounded, places, sums, sums_elsewhere, overflow, sharpness, shift)
