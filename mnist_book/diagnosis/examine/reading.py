"""How well a network reads the pictures that it was given; and if badly, what is known of why."""

import numpy as np

from mnist_book.diagnosis.examine import modes, training
from mnist_book.diagnosis.examine.forms import ENOUGH, LARGER, Cure, cure, other_classes
from mnist_book.diagnosis.examine.notes import doubt, note
from mnist_book.diagnosis.examine.pictures import nearest_mean, nearest_their_own
from mnist_book.diagnosis.examine.probabilities import USUAL_SIZES
from mnist_book.diagnosis.examine.probing import Said, finding, probe
from mnist_book.diagnosis.examine.results import is_weights
from mnist_book.diagnosis.examine.subject import Subject
from mnist_book.diagnosis.examine.told import told
from mnist_book.diagnosis.examine.weights import shows_training
from mnist_book.diagnosis.reports import Finding

MANY, DRAWS = 400, 20  # inputs, and losses with other random numbers
UNSCALED = 0.1, 0.92  # of the signal in predicting, that training has
TOO_MUCH = 3.0  # times that: noise before ReLU makes its mean signal somewhat larger
SMALLER = 0.3  # times the usual weights
HALF = 250  # pictures of a batch whose loss is looked at
FLAT = 0.3  # of the spread that the same weights give in any order
MOST, LONG = 300, 1500  # pictures at each end, among which there may be some that it knows
AFFORDABLE = 0.03  # seconds of processor time for a prediction of the sample
LEAST_KNOWN, BY_HEART, WELL = 16, 0.98, 0.97  # pictures; the share of them that are right; of all
SURPRISE, UNSURE = 18, 3  # nats by which an edge makes answers more likely, or another one less
SURE = 0.9  # on average, which no fresh network with weights of a good size is


@probe(needs="loss_and_gradients finite", unless="data idx network.random network.batch_dependent")
def other_in_training(subject: Subject) -> Said:
    """Compare what the loss knows of the labels with what the predictions do."""
    x, y = subject.x[:HALF], subject.y[:HALF]
    if len(x) < ENOUGH or subject.accuracy > 0.5:
        return
    network = subject.copy()
    own, others = (network.attempt_loss(x, (y + k) % subject.classes) for k in (0, 1))
    p = np.take_along_axis(subject.probabilities[:HALF], y[:, None], axis=1)
    predicted = float(-np.log(np.clip(p, 1e-12, 1)).mean())  # the loss that the predictions have
    if own is not None and others is not None and 0 < own < min(0.3 * others, 0.5 * predicted):
        given = f"{len(x)} images with their labels, and with the next ones"
        returned = f"losses {own:.3g} and {others:.3g}; predictions {subject.accuracy:.0%} right"
        expected = "predictions that know as much"
        if order := other_classes(subject, subject.probabilities.argmax(axis=1) == subject.y):
            yield finding(
                "data.other_classes", given, returned, expected, "network_loss", change=order.change
            )
        else:
            yield finding("network.modes", given, returned, expected)


@probe(needs="loss_and_gradients parameters twin finite", unless="network.random network.modes")
def dropout_scale(subject: Subject) -> Said:
    """Compare the signal that training sees with that of predicting, where training is random.

    With small last weights the loss is ln(classes) less the score of the label, and dropout that is
    scaled leaves the mean of that as it is. What bends, as tanh does, takes more of signals with
    noise: of small ones it does not.
    """
    found = _signal(subject, 1)
    if found is None:
        return
    if found[0] > TOO_MUCH:
        steady = _signal(subject, 1, "positive")  # where nothing bends
        if steady is None or steady[0] < TOO_MUCH / 2 or _has_temperature(subject):
            return
        given = f"{MANY} inputs, small last weights, {found[1]} draws"
        returned = f"in training {found[0]:.3g} times the signal that predict_proba has"
        yield finding("network.modes", given, returned, "the same", "network_dropout_less")
        return
    if not UNSCALED[0] < found[0] < UNSCALED[1]:
        return
    smaller = _signal(subject, SMALLER)
    if smaller is not None and UNSCALED[0] < smaller[0] < UNSCALED[1]:
        given = f"{MANY} inputs, small last weights, {found[1]} draws"
        returned = f"in training {found[0]:.2g} times the signal that predict_proba has"
        yield finding("network.modes", given, returned, "the same", "network_dropout")


def _has_temperature(subject: Subject) -> bool:
    """Tell scores that predicting divides by a number, from their bias alone."""
    twin = subject.twin
    for array in twin.arrays():
        array[...] = 0
    twin.last_layer()[1].reshape(-1)[...] = np.linspace(-1, 1, subject.classes)
    x = subject.inputs(np.random.default_rng(3), 5)
    loss, p = twin.gradients(x, np.zeros(len(x), int))[0], twin.predict(x)
    return not np.isclose(loss, -np.log(p[0, 0]), rtol=1e-3)


def _signal(subject: Subject, size: float, kind: str = "random") -> tuple[float, int] | None:
    """Return by how much the mean signal in training is larger, and of how many draws that is.

    None where training is not random, or the signal can't be seen. Weights are larger by a factor.
    """
    twin = subject.twin
    twin.random_point(3, kind)
    for array in twin.arrays():
        array *= size
    arrays = twin.last_layer()
    if len(arrays) < 2:
        return None
    arrays[0] *= 1e-3
    arrays[1][...] = 0
    x, guess = subject.inputs(np.random.default_rng(3), MANY), np.log(subject.classes)
    p = twin.predict(x)
    if p.shape != (len(x), subject.classes) or not (p > 0).all():
        return None
    y, signals = p.argmax(axis=1), []
    for luck in range(DRAWS):
        twin.luck = luck
        signals.append(guess - twin.gradients(x, y)[0])
        if luck == 2 and not np.ptp(signals):
            break
    twin.luck = 0
    expected = float(guess + np.log(p.max(axis=1)).mean())
    seen = np.ptp(signals) and max(np.abs(signals)) < 0.01
    return (float(np.mean(signals)) / max(expected, 1e-300), len(signals)) if seen else None


@probe(needs="finite", unless="data idx network.random network.batch_dependent network.modes")
def other_form(subject: Subject) -> Said:
    """Look for another form of the pictures, or another order of classes, that it reads well."""
    mended = subject.once(cure)
    if mended is None or mended.change.endswith(LARGER):
        return
    slow = subject.once(modes.slow_averages)
    if slow is None:
        yield _mended(subject, mended)
    else:
        yield doubt("averages", right=f"{subject.accuracy:.0%}", settled=f"{slow:.0%}")


@probe(needs="finite", unless="*")
def larger_form(subject: Subject) -> Said:
    """Look for training on pixels from 0 to 255, once nothing else was found.

    Such pictures drown biases that are far too large, and so mend dead units and outputs that are
    always the same.
    """
    mended = subject.once(cure)
    if mended is not None and subject.once(modes.slow_averages) is None:
        yield _mended(subject, mended)


def _mended(subject: Subject, mended: Cure) -> Finding:
    given = f"{len(subject.y)} images as they are"
    returned = f"right for {subject.accuracy:.0%}, on average {_sure(subject):.0%} sure"
    expected = f"right for {mended.accuracy:.0%}, which it is with that change"
    return finding(mended.code, given, returned, expected, change=mended.change)


@probe(needs="finite", unless="*")
def misreads(subject: Subject) -> Said:
    """Say of a trained network that is no better than a guess that it is not.

    One whose answers are nearly all the same has not learned to tell pictures apart, yet, unless
    it is sure of them.
    """
    y, classes = subject.y, subject.classes
    if len(y) < ENOUGH or len(np.unique(y)) < 5 or not subject.once(shows_training):
        return
    answers = np.bincount(subject.probabilities.argmax(axis=1), minlength=classes) / len(y)
    guessing = float(np.bincount(y, minlength=classes) @ answers / len(y))
    chance = 3 * np.sqrt(guessing * (1 - guessing) / len(y))
    nearest = subject.once(nearest_mean)
    tells_apart = answers.max() < 0.5 or _sure(subject) > SURE
    if tells_apart and subject.accuracy < guessing + chance < nearest:
        given = f"{len(y)} images, of which the nearest mean digit names {nearest:.0%} rightly"
        returned = f"{subject.accuracy:.0%} right; a guess with such answers: {guessing:.0%}"
        yield finding("network.misreads", given, returned, "more, of a trained network")


@probe(needs="finite twin", unless="*")
def unlearned(subject: Subject) -> Said:
    """Look for weights that were trained to tell nothing apart, and learn these labels at once.

    Drawn weights of their size would spread the scores of different pictures. Where labels have
    nothing to do with pictures, training learns that each answer is as good as any other.
    """
    y, weights, nearest = subject.y, subject.weights, subject.once(nearest_mean)
    if len(y) < ENOUGH or len(weights) < 2 or len(np.unique(y)) < 5 or nearest < 0.6:
        return
    if subject.accuracy > 0.3:
        return
    given = f"{len(y)} images, of which the nearest mean digit names {nearest:.0%} rightly"
    if weights[-1].std() * np.sqrt(len(weights[-1])) < 0.5:
        return
    spread, drawn = _spreads(subject)
    if not 1e-9 < spread < FLAT * drawn:
        return
    network = subject.twin
    if "loss_and_gradients" not in subject.has:
        found = subject.once(told)
        if found is None:
            return
        network = found.network
    network.home()
    _, learned = training.learned(network, subject.x[:64], y[:64], 0.005, 100)
    if learned:
        returned = f"scores that differ by {spread:.2g} from picture to picture"
        expected = f"about {drawn:.2g}, which weights drawn in that size give"
        yield finding("data.labels_shuffled", given, returned, expected, "network_trained")


def _spreads(subject: Subject) -> tuple[float, float]:
    """Return how scores differ from picture to picture, and do so with all weights mixed up."""
    twin, spreads, rng = subject.twin, [], np.random.default_rng(3)
    for mixed in range(4):
        twin.home()
        for array in twin.arrays() if mixed else ():
            array[...] = (
                rng.permutation(array.ravel()).reshape(array.shape) if is_weights(array) else 0
            )
        p = twin.predict(subject.x)
        if p.shape != subject.probabilities.shape or not (p > 0).all():
            return 0.0, 0.0
        scores = np.log(p)
        scores = scores - scores.mean(axis=1, keepdims=True)
        spreads.append(float(scores.std(axis=0).mean()))
    return spreads[0], float(np.median(spreads[1:]))


@probe(needs="finite", unless="*")
def by_rote(subject: Subject) -> Said:
    """Doubt a network that knows the first pictures by heart, or the last, and the rest far worse.

    It may have been meant to see no more.
    """
    if subject.accuracy > WELL:
        return
    subject.predict(subject.x)
    most = MOST if subject.calls.work > AFFORDABLE else LONG
    rows = np.arange(len(subject.digits))
    rows = np.union1d(rows[:most], rows[-most:])
    p = subject.predict(subject.images[rows])
    if p.shape != (len(rows), subject.classes):
        return
    right = p.argmax(axis=1) == subject.digits[rows]
    for end, order in (("first", np.arange(len(rows))), ("last", np.arange(len(rows))[::-1])):
        order, shown = order[:most], rows[order[:most]]
        if found := _known(right[order], subject.digits[shown], subject.images[shown]):
            values = {"known": f"{found[1]:.0%}", "others": f"{found[2]:.0%}"}
            yield doubt("by_rote", end=end, count=found[0], **values)
            return


def _known(
    right: np.ndarray, digits: np.ndarray, images: np.ndarray
) -> tuple[int, float, float] | None:
    """Find how many pictures at the start are known by heart; which share of them and of others.

    Accuracy falls at a sharp edge, behind which pictures are no harder for the nearest mean. So it
    is not where they are sorted by how hard they are, or by their digits.
    """
    n, errors = len(right), np.cumsum(~right)
    counts = np.arange(LEAST_KNOWN, n // 2)
    if not len(counts):
        return None
    before, after = errors[counts - 1], errors[-1] - errors[counts - 1]
    gain = _likelihood(before, counts) + _likelihood(after, n - counts)
    gain = gain - _likelihood(errors[-1], n)
    gain[before > (1 - BY_HEART) * counts] = 0
    likely = counts[gain > gain.max() - UNSURE]
    k = int(next((each for each in likely if each in USUAL_SIZES), counts[gain.argmax()]))
    if gain.max() < SURPRISE or not np.isin(digits[:k], digits[k:]).all():
        return None
    easy = nearest_their_own(images, digits)
    others, easy_others = (_as_among(digits[:k], digits[k:], each[k:]) for each in (right, easy))
    drop, harder = right[:k].mean() - others, easy[:k].mean() - easy_others
    near, far = np.split(~right[k:], [min(max(k, 50), (n - k) // 2)])
    chance = np.sqrt(far.mean() * (1 - far.mean()) / len(near))
    sharp = near.mean() > far.mean() - 2 * chance
    found = k, float(right[:k].mean()), others
    return found if sharp and drop > 0.08 and harder < drop / 3 else None


def _as_among(digits: np.ndarray, others: np.ndarray, values: np.ndarray) -> float:
    """Return the mean of others' values, had they as many of each digit as these have."""
    means = np.bincount(others, values) / np.maximum(np.bincount(others), 1)
    return float(means[digits].mean())


def _likelihood(errors: np.ndarray, counts: np.ndarray | int) -> np.ndarray:
    """Return the largest log-likelihood that so many errors among so many can have."""
    p = np.clip(errors / counts, 1e-12, 1 - 1e-12)
    return errors * np.log(p) + (counts - errors) * np.log(1 - p)


@probe(needs="finite", unless="*")
def sure_of_bytes(subject: Subject) -> Said:
    """Doubt a network that is surer of bytes than it is right, and isn't of the same from 0 to 1.

    Trained on pictures from 0 to 1, it may read those from 0 to 255 nearly as well: all scores
    grow alike. This is no more than a doubt. Most networks that were trained on bytes are hardly
    sure of anything in pictures from 0 to 1, but the longer the steps were, or the larger the first
    weights, the surer they are there, and some are just as sure as they are right: weights drawn
    three times too large do that, and softmax regression with a rate between 0.001 and 0.01. Loss
    and accuracy are then the same, too, and biases of either kind make no difference.
    """
    x, y, scale = subject.x, subject.y, 255
    if len(y) < ENOUGH or not 50 < x.max() <= scale:
        return
    smaller = subject.predict((x / scale).astype(np.result_type(x, np.float32)))
    if smaller.shape != subject.probabilities.shape or not np.isfinite(smaller).all():
        return
    right = float(np.mean(smaller.argmax(axis=1) == y))
    sure, too_sure = float(smaller.max(axis=1).mean()), _sure(subject) - subject.accuracy
    if right > subject.accuracy - 0.02 and too_sure > 0.05 and abs(sure - right) < too_sure / 2:
        yield doubt("sure_of_bytes", right=f"{right:.0%}", sure=f"{sure:.0%}")


@probe(needs="finite", unless="data.labels")
def accuracy(subject: Subject) -> Said:
    """Note how many pictures it reads rightly, beside what the nearest mean does."""
    count = len(subject.y)
    nearest = f"{subject.once(nearest_mean):.0%}" if count >= ENOUGH else "too few to say"
    right, sure = f"{subject.accuracy:.0%}", f"{_sure(subject):.0%}"
    yield note("accuracy", right=right, count=count, sure=sure, nearest=nearest)


@probe(needs="finite", unless="*")
def badly(subject: Subject) -> Said:
    """Doubt a network that is behind the nearest mean, though nothing was found.

    Whether it has not been trained yet, or badly, or on other pictures, does not show here.
    """
    count, right, nearest = len(subject.y), subject.accuracy, subject.once(nearest_mean)
    chance = 3 * np.sqrt((right * (1 - right) + nearest * (1 - nearest)) / count)
    if count >= ENOUGH and nearest > right + chance:
        yield doubt("badly", right=f"{right:.0%}", nearest=f"{nearest:.0%}")


def _sure(subject: Subject) -> float:
    """Return the mean of its largest probabilities."""
    return float(subject.probabilities.max(axis=1).mean())


PROBES = (larger_form, misreads, unlearned, by_rote, sure_of_bytes, accuracy, badly)
