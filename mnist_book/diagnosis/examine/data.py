"""The data: whether pictures and labels are what a network can learn from."""

import numpy as np

from mnist_book.diagnosis.evidence import cleaned
from mnist_book.diagnosis.examine.notes import note
from mnist_book.diagnosis.examine.probing import Said, finding, probe
from mnist_book.diagnosis.examine.results import as_array
from mnist_book.diagnosis.examine.subject import Subject

MANY = 500  # pictures, which are more than there are classes
DISTINCT = 0.58  # as a share; of as many rows drawn with replacement 0.63 are
UNEVEN = 1.35
TIES = 0.05  # of the rows of labels; mixed pictures may have equal shares, now and then


@probe(last=True)
def labels(subject: Subject) -> Said:
    """Labels must be whole numbers, one for each class."""
    digits, last = subject.digits, subject.classes - 1
    low, high = subject.examples.labels.min(), subject.examples.labels.max()
    given, expected = f"labels from {low} to {high}", f"whole numbers from 0 to {last}"
    if not subject.examples.whole:
        yield finding("data.labels", given, expected=expected, says="network_fractions")
    elif digits.min() < 0 or digits.max() > last:
        yield finding("data.labels", given, expected=expected, last=last)
    elif subject.examples.one_hot:
        yield from _of_several_classes(subject.examples.labels)


def _of_several_classes(rows: np.ndarray) -> Said:
    """Look for rows of labels, of which too many are of no class or of several.

    A row is of the class of its largest number: smoothed labels, -1 and 1, or shares of mixed
    pictures are right.
    """
    largest = (rows == rows.max(axis=1, keepdims=True)).sum(axis=1)
    if np.mean(largest > 1) < TIES:
        return
    none, one, *more = np.bincount((rows > 0.5).sum(axis=1), minlength=2)
    given = f"{len(rows)} rows of labels"
    returned = f"{none} of them without a 1, {one} with one, {sum(more)} with more"
    yield finding("data.labels", given, returned, "a single 1 in each", says="network_rows")


@probe(needs="loss_and_gradients", last=True)
def float_labels(subject: Subject) -> Said:
    """Labels may be floats only where the loss can use them."""
    x, digits, given = subject.x[:20], subject.y[:20], subject.examples.labels
    if given.dtype.kind != "f" or subject.examples.one_hot or subject.takes_one_hot:
        return
    result = subject.attempt("loss_and_gradients", x, subject.labels_for(digits))
    as_integers = subject.attempt("loss_and_gradients", x, digits.reshape(-1, *given.shape[1:]))
    if isinstance(result, Exception) and not isinstance(as_integers, Exception):
        shown = f"labels of type {given.dtype}: {given.flat[0]}, ..."
        raised = f"{type(result).__name__}: {cleaned(result, str)}"
        yield finding("data.labels", shown, raised, "integers", says="network_floats")


@probe(last=True)
def rows(subject: Subject) -> Said:
    """Look for a network that takes pictures in the shape that they were given in, not as rows."""
    x, shape = subject.images[:20], subject.examples.shape
    if len(shape) < 2:
        return
    result = subject.attempt("predict_proba", x)
    if isinstance(result, Exception) and not isinstance(
        subject.attempt("predict_proba", x.reshape(-1, *shape)), Exception
    ):
        yield finding(
            "function.shape",
            f"images {subject.examples.labels.shape[:1] + shape}; x {x.shape}",
            f"{type(result).__name__}: {cleaned(result, str)}",
            "probabilities for rows",
            says="network_pictures",
            inputs=x.shape[1],
            shape=", ".join(map(str, shape)),
        )


@probe(unless="data.two_values data.not_scaled")
def scale(subject: Subject) -> Said:
    """Look at the size of the inputs, unless the network scales them itself."""
    x = subject.x
    size = float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))
    given = f"images from {x.min():.4g} to {x.max():.4g}, root mean square {size:.3g}"
    if not np.isfinite(x).all():
        yield finding("function.nan", given, expected="finite numbers", says="network_images")
    elif (size > 4 or size < 0.01) and not _scales_inside(subject, size):
        expected = "about 0 to 1, or mean 0 and std 1"
        says = "network_large" if size > 4 else "network_small"
        yield finding("data.not_scaled", given, expected=expected, says=says)


def _scales_inside(subject: Subject, size: float) -> bool:
    """Tell whether the network seems to scale its inputs itself, or to have weights that do."""
    if subject.gain is not None:
        first = subject.weights[0].astype(np.float64)
        sums = float(np.std(subject.gain * (subject.x[:50] @ first)))
        return subject.scales_inside(size) or (size > 4 and 1e-3 < sums < 5) or _reads_well(subject)
    if size < 0.01 or not subject.finite:
        return False
    if _reads_well(subject) or subject.scales_inside(size):
        return True
    if subject.weights and "activations" in subject.has:
        layers = subject.attempt("activations", subject.x)
        first = as_array(layers[0]) if isinstance(layers, list | tuple) and layers else None
        if first is None or not first.size or not 1e-3 < np.std(first) < 5:
            return False
        saturated = np.mean(np.abs(first) > 0.99 * np.abs(first).max())  # tanh of large sums
        return bool(saturated < 0.5)
    p = subject.probabilities
    return float(np.std(p)) > 1e-4 and float(np.mean(p.max(axis=1))) < 0.6


def _reads_well(subject: Subject) -> bool:
    return subject.accuracy > 0.85


@probe(unless="data.scrambled data.bytes_wrap data.two_values idx.signed")
def pairs(subject: Subject) -> Said:
    """Fit the mean image of each digit on one half of the examples, test it on the other."""
    images, digits = subject.images, subject.digits
    some = np.linspace(0, len(images) - 1, min(len(images), 2000)).astype(int)
    x = images[some].astype(np.float64)
    if not np.isfinite(x).all():
        return  # the network is told so; a mean of what is left says nothing of the labels
    deviation = x.std(axis=0).mean()
    x -= x.mean(axis=0)
    x /= deviation * 3 + 1e-30
    np.clip(x, -3, 3, out=x)
    half = np.random.default_rng(0).permutation(len(some)) % 2 == 0
    (first, labels), (second, asked) = ((x[rows], digits[some][rows]) for rows in (half, ~half))
    present = np.unique(labels)
    if len(some) < 200 or len(present) < 5:
        yield note("pairs")
        return
    means = np.stack([first[labels == digit].mean(axis=0) for digit in present])
    distances = (means**2).sum(axis=1) - 2 * second @ means.T
    right = float(np.mean(present[distances.argmin(axis=1)] == asked))
    chance = float(np.mean(asked == np.bincount(labels).argmax()))
    if right < 0.5 and _nearest(first, labels, second, asked) < chance + 0.15:
        given, returned = f"{len(some)} images", f"the nearest mean digit is right for {right:.0%}"
        yield finding("data.labels_shuffled", given, returned, "70 to 85 %")


def _nearest(x: np.ndarray, y: np.ndarray, others: np.ndarray, labels: np.ndarray) -> float:
    """Return how often the nearest example has the right label: classes may be no single cloud."""
    distances = (x**2).sum(axis=1) - 2 * others @ x.T
    return float(np.mean(y[distances.argmin(axis=1)] == labels))


@probe()
def copies(subject: Subject) -> Said:
    """Look for pictures that have taken the place of others, some of them many times.

    Rows may be repeated on purpose: all as often, those of a class more often, or drawn with
    replacement. A swap of views copies copies, so that a few become far more frequent than that.
    """
    images, n = np.ascontiguousarray(subject.images), len(subject.images)
    as_bytes = images.view([("", f"V{images.strides[0]}")]).ravel()
    _, first, times = np.unique(as_bytes, return_index=True, return_counts=True)
    if len(times) <= subject.classes and n >= MANY and images.shape[1] >= 50:
        returned = f"{len(times)} different ones, one of them {times.max()} times"
        yield finding(
            "train.lost_pictures", f"{n} images", returned, "all different", "network_few"
        )
        return
    if not 50 <= len(times) < DISTINCT * n or images.shape[1] < 50:
        return
    digits = subject.digits[first]
    classes = [times[digits == digit] for digit in np.unique(digits)]
    if np.mean([_unevenness(own) for own in classes]) > UNEVEN:
        returned = f"{len(times)} different ones, one of them {times.max()} times"
        yield finding("train.lost_pictures", f"{n} images", returned, "all different", "network")


def _unevenness(times: np.ndarray) -> float:
    """Return the variance of how often each comes, in units of that of drawing with replacement."""
    mean, rate = float(times.mean()), float(times.mean())
    if mean < 1.01:
        return 0.0
    for _ in range(50):  # a Poisson distribution without its zeros has this mean
        rate = mean * (1 - np.exp(-rate))
    return float(times.var() / (mean * (1 + rate - mean)))


@probe()
def answers(subject: Subject) -> Said:
    """Look for a column of the pictures that is the label itself, on whatever scale."""
    x, y = subject.images[:2000].astype(np.float64), subject.digits[:2000].astype(np.float64)
    if len(np.unique(y)) < 5 or not np.isfinite(x).all():
        return
    x, y = x - x.mean(axis=0), y - y.mean()
    alike = np.abs(y @ x) / (np.linalg.norm(x, axis=0) * np.linalg.norm(y) + 1e-30)
    column = int(alike.argmax())
    if alike[column] > 0.999:
        given = f"{len(y)} images of {x.shape[1]} numbers"
        returned = f"correlation of {alike[column]:.4f} with the labels"
        yield finding("data.labels_in_pixels", given, returned, "below 0.5", column=column)


@probe()
def order(subject: Subject) -> Said:
    """Look for examples that are sorted by digit."""
    digits, n = subject.digits, len(subject.digits)
    kinds = len(np.unique(digits))
    if n < 100 or kinds < 2:
        return
    repeats, in_a_batch = _runs(digits)
    usual_repeats, usual_in_a_batch = _runs(np.random.default_rng(0).permutation(digits))
    if repeats > 0.5 + 0.5 * usual_repeats or in_a_batch < 0.6 * usual_in_a_batch:
        returned = f"{repeats:.0%} have the digit before them; {in_a_batch:.1f} digits in 50"
        expected = f"{usual_repeats:.0%}; {usual_in_a_batch:.1f}, as in a random order"
        yield finding("train.not_shuffled", f"{n} labels", returned, expected)


def _runs(digits: np.ndarray) -> tuple[float, float]:
    """Return the share of digits that repeat the one before, and how many kinds are among 50."""
    batches = digits[: len(digits) // 50 * 50].reshape(-1, 50)
    in_a_batch = np.mean([len(np.unique(batch)) for batch in batches])
    return float(np.mean(digits[1:] == digits[:-1])), float(in_a_batch)


PROBES = (rows, labels, float_labels, scale, copies, answers, pairs, order)
