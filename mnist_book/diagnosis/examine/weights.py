"""The weights at the start: zeros, copies, signs, spread; and whether a signal gets through."""

from itertools import combinations, product

import numpy as np

from mnist_book.diagnosis.examine.forms import cure
from mnist_book.diagnosis.examine.notes import doubt
from mnist_book.diagnosis.examine.pictures import SIDE, nearest_mean
from mnist_book.diagnosis.examine.probing import Said, finding, probe
from mnist_book.diagnosis.examine.results import cross_entropy, is_matrix
from mnist_book.diagnosis.examine.subject import Subject

DIRECTIONS = 10  # along which pictures differ most
STANDARD = 1.2  # of weights that may be standard normal numbers, used as they come
LEARNS = 0.75  # share of what the nearest mean reads, that a network reads which learns
TRAINED = 8  # standard deviations
UNTRAINED = 0.25  # of the way from guessing to knowing, below which weights are those of the start


def untrained(subject: Subject) -> bool:
    """Tell whether its weights may be those of the start, more or less.

    Its answers are hardly better than guessing the most frequent class, in whatever form it gets
    the pictures, and its first layer shows no training.
    """
    guessed = float(np.bincount(subject.y).max() / len(subject.y))
    guesses = subject.accuracy < guessed + UNTRAINED * (1 - guessed)
    return guesses and not subject.once(shows_training) and subject.once(cure) is None


def shows_training(subject: Subject) -> bool:
    """Tell trained weights by what a picture leaves in them: pixels that touch have weights alike.

    Fresh ones are drawn one by one. It holds for networks whose first layer sees 28 x 28 pixels.
    """
    first = subject.weights[0] if subject.weights else np.empty((0, 0))
    if len(first) != SIDE * SIDE or not np.isfinite(first).all():
        return False
    grid = first.reshape(SIDE, SIDE, -1).astype(np.float64)
    grid = grid - grid.mean(axis=(0, 1))
    size = float((grid**2).mean())
    alike = min(float((grid[:-1] * grid[1:]).mean()), float((grid[:, :-1] * grid[:, 1:]).mean()))
    return alike > (0.1 + 4 / np.sqrt(grid.size)) * size > 0


def shaped_by_pictures(subject: Subject) -> tuple[float, float]:
    """Compare the first layer with drawn weights, which lie in no direction more than in another.

    Training adds multiples of pictures, and these lie along a few directions.

    Returns
    -------
    the share of the weights along the first ten of them, as a multiple of what drawn ones have, and
    by how many standard deviations of chance that is too much; 1 and 0 where it can't be said
    """
    first = subject.weights[0] if subject.weights else np.empty((0, 0))
    x = subject.x.astype(np.float64)
    if len(first) != SIDE * SIDE or x.shape[1] != len(first) or len(x) < 50 or not first.any():
        return 1.0, 0.0
    x -= x.mean(axis=0)
    squares, combinations = np.linalg.eigh(x @ x.T)  # much less work than x's own decomposition
    if squares[-DIRECTIONS] <= 1e-9 * squares[-1]:
        return 1.0, 0.0
    directions = combinations[:, -DIRECTIONS:].T @ x
    directions /= np.sqrt(squares[-DIRECTIONS:, np.newaxis])
    along = ((directions @ first) ** 2).sum() / (first.astype(np.float64) ** 2).sum()
    ratio = float(along) * len(first) / DIRECTIONS
    return ratio, (ratio - 1) / float(np.sqrt(2 / (DIRECTIONS * first.shape[1])))


@probe(needs="weights", unless="linear.batch_size")
def zeros_and_copies(subject: Subject) -> Said:
    """Weights of hidden layers must be neither 0 nor the same for all units."""
    weights = subject.weights
    if not all(np.isfinite(w).all() for w in weights):
        return  # where they started is past telling
    passes = subject.finite and np.ptp(subject.probabilities, axis=0).max() > 1e-9
    for layer, w in enumerate(weights[:-1], 1):
        given = f"weights of layer {layer}, {w.shape}"
        units, rows = len(np.unique(w.T, axis=0)), len(np.unique(w, axis=0))
        if not w.any():
            if passes:  # past them, as in a residual connection
                continue
            yield finding("init.zeros", given, "all 0", "random numbers")
        elif units < 0.5 * w.shape[1] + 0.5 or (rows < 0.02 * len(w) + 1 and len(w) > 20):
            returned = f"{min(units, rows)} different: {w.flat[0]:.4g}, ..."
            yield finding("init.symmetric", given, returned, "all units different")


@probe(needs="weights", unless="init linear.batch_size")
def one_seed(subject: Subject) -> Said:
    """Weights of two layers must not be the same random numbers, one row after the other."""
    for (i, first), (j, second) in combinations(enumerate(subject.weights, 1), 2):
        if np.shares_memory(first, second):  # the same weights twice, which may be meant
            continue
        for a, b in product((first.ravel(), first.T.ravel()), (second.ravel(), second.T.ravel())):
            count = min(a.size, b.size)
            a, b = a[:count].astype(np.float64), b[:count].astype(np.float64)
            alike = count >= 30 and a.std() > 0 < b.std() and np.corrcoef(a, b)[0, 1] > 0.9
            if alike and min(np.mean(a != 0), np.mean(b != 0)) > 0.5:
                given = f"weights of layers {i} and {j}, {count} numbers"
                returned = f"{a[0]:.4g}, {a[1]:.4g}, ... and {b[0]:.4g}, {b[1]:.4g}, ..."
                yield finding(
                    "init.symmetric", given, returned, "other ones", "network_seed", one=i, other=j
                )
                return


@probe(needs="weights", unless="init linear.batch_size")
def one_sign(subject: Subject) -> Said:
    """Weights must have both signs."""
    starting = subject.probabilities is not None and untrained(subject)
    # Steps along wrong gradients may make weights lean, and read no better for it.
    starting = starting and subject.once(shaped_by_pictures)[1] <= TRAINED
    for layer, w in enumerate(subject.weights, 1):
        if w.size < 100 or not np.abs(w).max() < 100:
            continue
        share = float(np.mean(w > 0))
        one_sign = max(share, float(np.mean(w < 0))) > (0.95 if w.size < 1000 else 0.85)
        leaning = starting and w.size >= 1000 and abs(w.mean()) > 0.4 * w.std()
        if not ((one_sign or leaning) and _is_drawn(w)):
            continue
        last_alone = layer == len(subject.weights) > 1
        # Training along wrong gradients does that to the last layer, too.
        if not (last_alone and subject.once(shaped_by_pictures)[1] > TRAINED):
            returned = f"{share:.0%} positive, mean {w.mean():.3g}"
            given, says = f"weights of layer {layer}", "network" if one_sign else "network_leaning"
            ratio = _growth_of_sums(subject, w)
            yield finding("init.positive", given, returned, "50 %, mean 0", says, ratio=ratio)
            return


def _growth_of_sums(subject: Subject, w: np.ndarray) -> float:
    """Return how many times as large a unit's sums are as with the same weights of both signs."""
    rng = np.random.default_rng(0)
    x = subject.x if len(w) == subject.x.shape[1] else rng.random((50, len(w)))
    both = np.abs(w) * rng.choice([-1, 1], w.shape)
    return float(np.linalg.norm(x @ w) / max(float(np.linalg.norm(x @ both)), 1e-300))


def _size_is_nothing(subject: Subject) -> bool:
    """Tell weights that are divided by their own length: twice as large, they predict the same."""
    if subject.twin is None:
        return False
    for k, array in enumerate(subject.twin.arrays()):
        subject.twin.home()
        if is_matrix(array):
            before = subject.twin.predict(subject.x[:20])
            subject.twin.arrays()[k][...] *= 2
            if np.allclose(subject.twin.predict(subject.x[:20]), before, rtol=1e-9):
                return True
    return False


@probe(needs="weights probabilities", unless="init")
def spread(subject: Subject) -> Said:
    """Compare standard deviations with those that He, Xavier and LeCun recommend.

    References
    ----------
    K. He, X. Zhang, S. Ren, J. Sun, Delving deep into rectifiers, ICCV 2015 (arXiv:1502.01852).
    X. Glorot, Y. Bengio, Understanding the difficulty of training deep feedforward neural networks,
    AISTATS 2010.
    """
    weights = subject.weights
    random = all(_kurtosis(w) < 5 for w in weights if w.size >= 500)
    if not untrained(subject) or not random:
        return
    inputs, outputs = np.array([w.shape for w in weights], dtype=float).T
    deviations = np.array([w.std() for w in weights])
    code = _wrong_spread(inputs, outputs, deviations)
    if code == "init.too_small" and _differences(subject) > 0.01:
        return  # signals get through, as past residual connections and by normalisation
    if code == "init.too_large" and _size_is_nothing(subject):
        return
    if code:
        sizes = [*inputs, outputs[-1]]
        returned = f"standard deviations {_row(deviations)}"
        if subject.finite:
            loss, chance = cross_entropy(subject.probabilities, subject.y), np.log(subject.classes)
            returned += f"; loss {loss:.3f}, where guessing has "
            returned += f"ln {subject.classes} = {chance:.3f}"
        expected = f"about {_row(np.sqrt(2 / inputs))}, sqrt(2 / inputs)"
        yield finding(code, f"layers {' -> '.join(f'{n:.0f}' for n in sizes)}", returned, expected)


@probe(needs="weights finite", unless="init")
def kept_large(subject: Subject) -> Said:
    """Look for weights that training has left as large as they were drawn, and far too large.

    It can say so of a network that reads worse than the nearest mean, whose first sums are huge.
    Where it is not much worse, it learns all the same, as a well-known one does (M. Nielsen, Neural
    networks and deep learning, 2015, chapter 1): that is no more than a doubt.
    """
    first = subject.weights[0]
    if len(first) != subject.x.shape[1] or len(subject.weights) < 2 or untrained(subject):
        return
    ratio = float(first.std() / np.sqrt(2 / len(first)))
    size = float(np.std(subject.x.astype(np.float64) @ first))
    drawn = _kurtosis(first) < 4 and _is_drawn(first)
    nearest = subject.once(nearest_mean)
    if not (ratio > 8 and size > 5 and drawn and subject.accuracy < nearest):
        return
    if first.std() < STANDARD and subject.accuracy > LEARNS * nearest:
        yield doubt("kept_large", ratio=f"{ratio:.0f}", size=f"{size:.3g}")
    else:
        given = f"weights of layer 1, {first.shape}"
        returned = f"standard deviation {first.std():.3g}; sums of size {size:.3g}"
        expected = f"about {np.sqrt(2 / len(first)):.3g}; sums of size 1"
        yield finding("init.too_large", given, returned, expected, "network_kept")


def _wrong_spread(inputs: np.ndarray, outputs: np.ndarray, deviations: np.ndarray) -> str | None:
    """Return which mistake gives weights of these standard deviations; None if none does."""
    he = np.sqrt(2 / inputs)
    ratio = deviations / np.sqrt(np.minimum(1 / inputs, 2 / (inputs + outputs)))
    signal = np.prod(ratio[:-1]) * max(ratio[-1], 0.1)
    slack = 0.04 + 2 / np.sqrt(2 * inputs * outputs)

    def all_near(values: np.ndarray, *constants: float) -> bool:
        return any((np.abs(values / c - 1) < slack).all() for c in constants)

    # He's, LeCun's, Glorot's, and that of PyTorch's layers, which is smaller.
    for variance in (2 / inputs, 1 / inputs, 2 / (inputs + outputs), 1 / (3 * inputs)):
        if (np.abs(deviations / np.sqrt(variance) - 1) < slack).all():
            return None
    several = len(inputs) > 1 and np.ptp(np.log(inputs)) > 0.4
    for v in (deviations * inputs, deviations * (inputs + outputs)):
        if all_near(v, 1, 2, 3.46) or (several and all_near(v, v[0]) and 0.2 < v[0] < 5):
            return "init.variance_as_std"
    by_inputs, by_outputs = deviations * np.sqrt(inputs), deviations * np.sqrt(outputs)
    if not all_near(by_inputs, 1, 2**0.5) and all_near(by_outputs, 1, 2**0.5):
        return "init.fan"
    if (deviations / he).max() > 3 or np.prod(deviations / he) > 20:
        return "init.too_large"
    small = signal < 0.015 and signal ** (1 / len(inputs)) < 0.4
    return "init.too_small" if len(inputs) > 1 and small else None


def _differences(subject: Subject) -> float:
    """Return how much the logits differ from picture to picture, for inputs of size 1 or more."""
    logits = np.log(np.clip(subject.probabilities, 1e-30, None))
    logits = logits - logits.mean(axis=1, keepdims=True)
    size = float(np.sqrt(np.mean(np.square(subject.x, dtype=np.float64))))
    return float(logits.std(axis=0).mean()) / np.clip(size, 1e-30, 1)


@probe(needs="finite", unless="init softmax")
def by_probabilities(subject: Subject) -> Said:
    """Judge weights that cannot be seen by the probabilities of an untrained network."""
    p, classes = subject.probabilities, subject.classes
    sums_to_one = np.allclose(p.sum(axis=1), 1, atol=1e-3)  # else ln 10 measures nothing
    if subject.weights or not sums_to_one or not untrained(subject):
        return
    off, loss = float(np.abs(p - 1 / classes).max()), cross_entropy(p, subject.y)
    seen = {
        "given": f"x {subject.x.shape}",
        "returned": f"probabilities up to {off:.2g} from {1 / classes:.3g}; loss {loss:.3f}, "
        f"ln {classes} = {np.log(classes):.3f}",
        "expected": "differences of some hundredths, a loss of that or a little more",
        "says": "network_guessed",
    }
    if off < 1e-12:
        if code := _of_equals(subject):
            yield finding(code, **seen)
    elif off < 2e-4:
        yield finding("init.too_small", **seen)
    elif float(np.ptp(p, axis=0).max()) < 1e-9:
        return  # the same for every image, whatever the weights: a collapse
    elif loss > np.log(classes) + 1.7 or (
        loss > np.log(classes) + 0.4 and np.median(p.max(axis=1)) > 0.7
    ):
        yield finding("init.too_large", **seen)


def _of_equals(subject: Subject) -> str | None:
    """Tell weights that are constant or 0 from a last layer that starts at 0, which may learn.

    Copies of one unit can give the scores of different pictures one direction only.
    """
    if "activations" in subject.has:
        hidden = subject.layers[:-1]
        copies = [a.shape[1] > 1 and not np.ptp(a, axis=1).any() for a in hidden]
        constant = any(same and a.any() for same, a in zip(copies, hidden, strict=True))
        return "init.symmetric" if constant else "init.zeros" if any(copies) else None
    if "step" not in subject.has or subject.shared:
        return None
    network, x, y = subject.copy(), subject.x[:64], subject.y[:64]
    for _ in range(3):
        network.attempt("step", x, subject.labels_for(y))
    p = network.predict(x)
    if p.shape != (len(x), subject.classes):
        return None
    if np.ptp(p, axis=0).max() < 1e-12:
        return "init.zeros"
    logits = np.log(np.clip(p, 1e-300, None))
    logits = logits - logits.mean(axis=0) - (logits - logits.mean(axis=0)).mean(axis=1)[:, None]
    directions = np.linalg.svd(logits, compute_uv=False)
    return "init.symmetric" if directions[1] < 1e-3 * directions[0] else None


@probe(needs="probabilities twin", unless="softmax")
def positive_signal(subject: Subject) -> Said:
    """Make all pre-activations of hidden layers positive: a signal must get through.

    Some activations let nothing through where z is large, so a little positive must do, too.
    """
    twin = subject.twin
    if len(twin.arrays()) < 4:
        return
    x = subject.inputs(np.random.default_rng(4), 50)
    for lift in (3, 0.5, 10):
        twin.random_point(seed=3, kind="positive", lift=lift)
        p = twin.predict(x)
        if p.shape != (50, subject.classes) or np.ptp(p, axis=0).max() > 0:
            return
    given = "weights that make all z positive"
    yield finding("leaky_relu.no_else", given, "the same for all images", "differences")


@probe(needs="finite twin", unless="softmax linear network.random")
def one_to_one(subject: Subject) -> Said:
    """Change the units before a square last layer one by one: each must reach all scores.

    A score's own change is told from what softmax makes of it: the others all change alike.
    """
    twin, classes = subject.twin, subject.classes
    if len(twin.weights) < 2 or twin.weights[-1].shape != (classes, classes) or classes < 4:
        return
    twin.random_point(4)
    x, reached = subject.inputs(np.random.default_rng(4), 20), []
    for unit in range(classes):
        column, scores = twin.weights[-2][:, unit], []
        for factor in (1, 1.5, 1 / 1.5):
            column *= factor
            scores.append(np.log(np.clip(twin.predict(x), 1e-300, None)))
        if scores[0].shape != (len(x), classes):
            return
        change = scores[1] - scores[0]
        sizes = np.abs(change - np.median(change, axis=1, keepdims=True)).max(axis=0)
        if sizes.max() > 1e-6:
            reached.append(sizes[unit] > 1e-6 and np.delete(sizes, unit).max() < 1e-9)
    if len(reached) > 3 and all(reached):
        given = "the units before the last layer, changed one by one"
        expected = "a change of all scores"
        yield finding(
            "linear.elementwise", given, "a change of one score", expected, "network_units"
        )


def _is_drawn(w: np.ndarray) -> bool:
    """Tell numbers drawn one by one from what long training leaves: a few patterns, added up."""
    part = w[:200, :200] - w.mean()
    sizes = np.linalg.svd(part, compute_uv=False)
    usual = (np.sqrt(part.shape[0]) + np.sqrt(part.shape[1])) ** 2 / part.size
    return bool(sizes[0] ** 2 < 1.5 * usual * (sizes**2).sum())


def _kurtosis(w: np.ndarray) -> float:
    """Compute the fourth moment: 1.8 for uniform, 3 for normal, more for trained weights."""
    centred = (w - w.mean()).astype(np.float64)
    return float((centred**4).mean() / max((centred**2).mean() ** 2, 1e-300))


def _row(numbers: np.ndarray) -> str:
    return ", ".join(f"{number:.3g}" for number in numbers)


PROBES = (
    zeros_and_copies,
    one_seed,
    one_sign,
    spread,
    kept_large,
    by_probabilities,
    positive_signal,
    one_to_one,
)
