"""Whether what is trained is the network that predicts."""

from functools import partial
from itertools import pairwise

import numpy as np

from mnist_book.diagnosis.examine.copying import arrays_in
from mnist_book.diagnosis.examine.objective import SCORES, objective
from mnist_book.diagnosis.examine.pictures import nearest_mean
from mnist_book.diagnosis.examine.plain import Raised
from mnist_book.diagnosis.examine.probing import Said, finding, probe
from mnist_book.diagnosis.examine.stepper import Stepper
from mnist_book.diagnosis.examine.subject import Subject

PICTURES = 5  # whose probabilities are read off the loss
DRAWS, UNITS, BATCH = 8, 50, 64  # of dropout; of the last hidden layer that are looked at
SMALL = 1e-4  # times the usual size, of last weights
FAR_BETTER = 0.2  # of right answers
APART = 0.08  # of the spread of losses: far more than a variance of n or of n - 1 makes
LEAST, MOST = 0.92, 1.5  # of the signal in predicting, that training may have


@probe(
    needs="losses parameters twin finite",
    unless="data idx network.random network.batch_dependent network.modes softmax cross_entropy",
)
def other_probabilities(subject: Subject) -> Said:
    """Read probabilities off the loss of a single picture, and compare them with the predictions.

    Cross-entropy is -log of the label's: with one label after another, all of them show. A loss of
    another kind gives numbers that do not add up to the same for all pictures.
    """
    if subject.once(objective).name:
        return
    twin = subject.twin
    twin.random_point(2)
    x = subject.inputs(np.random.default_rng(1), PICTURES)
    predicted = twin.predict(x)
    if predicted.shape != (len(x), subject.classes) or not (predicted > 0).all():
        return
    shown = np.exp(-_losses(subject, x))
    if not np.ptp(shown):
        return  # the loss has a probe of its own, which says that it is always the same
    twin.luck = 1
    again = np.exp(-_losses(subject, x))
    twin.luck = 0
    totals = shown.sum(axis=1, keepdims=True)
    if not np.allclose(shown, again, rtol=1e-9) or not np.allclose(totals, totals[0], rtol=1e-6):
        return  # dropout; another loss
    pair = twin.loss(x[:2], np.zeros(2, int))
    if not np.isclose(pair, -np.log(shown[:2, 0]).mean(), rtol=1e-6):
        return  # batch normalisation, which has its own in training
    shown /= totals
    powers = np.log(shown) - np.log(shown).mean(axis=1, keepdims=True)
    others = np.log(predicted) - np.log(predicted).mean(axis=1, keepdims=True)
    if np.linalg.norm(powers) * np.linalg.norm(others) < (1 + 1e-6) * float(
        np.sum(powers * others)
    ):
        return  # the same but for a temperature
    k = int(np.abs(shown - predicted).max(axis=1).argmax())
    given = "one picture, and all labels one after the other"
    returned = f"a loss of probabilities {_row(shown[k])}"
    yield finding("network.modes", given, returned, _row(predicted[k]), "network_other")


def _losses(subject: Subject, x: np.ndarray) -> np.ndarray:
    """Return the loss of each picture alone with each label, (n, classes)."""
    twin = subject.twin
    return np.array(
        [[twin.loss(x[[k]], np.array([c])) for c in range(subject.classes)] for k in range(len(x))]
    )


def _row(numbers: np.ndarray) -> str:
    return ", ".join(f"{number:.3f}" for number in numbers[:5]) + (
        " ..." if len(numbers) > 5 else ""
    )


@probe(
    needs="step parameters finite whole twin",
    unless="data idx network.random network.batch_dependent network.modes function",
)
def dropout_in_step(subject: Subject) -> Said:
    """Compare the signal that a random step sees with that of predicting.

    Where the last weights are next to 0, all pictures get the same probabilities, whatever the
    mask. With label 1 in place of label 0 for all, the steps of the last bias differ by the rate,
    and those of the last weights by the rate times the mean of what they get from each unit.
    Predictions show that mean, too: it is how a score changes with a weight.
    """
    stepper, twin = Stepper(subject), subject.twin
    if len(twin.last_layer()) < 2 or twin.arrays()[0].dtype != np.float64:
        return
    x, _ = stepper.batch(12, BATCH)
    labels = np.zeros(BATCH, int), np.ones(BATCH, int)
    found = [[_changes(stepper, x, y, luck) for y in labels] for luck in range(2)]
    if None in found[0] + found[1] or np.allclose(found[0][0][0], found[1][0][0], rtol=1e-6):
        return
    found += [[_changes(stepper, x, y, luck) for y in labels] for luck in range(2, DRAWS)]
    if any(None in pair for pair in found):
        return
    weights, bias = (np.mean([pair[1][k] - pair[0][k] for pair in found], axis=0) for k in range(2))
    rate = bias[1]
    if not rate > 0 or not np.allclose(bias / rate, [-1, 1, *[0] * (len(bias) - 2)], atol=0.02):
        return  # Adam, or a loss of another kind
    units = np.arange(len(weights))[:UNITS]
    seen = _means(stepper, x, units)
    trained = (weights[units, 1] - weights[units, 0]) / (2 * rate)
    ratio = float(trained @ seen / max(float(seen @ seen), 1e-300))
    straight = np.linalg.norm(trained - ratio * seen) < 0.2 * np.linalg.norm(trained)
    if straight and (0.05 < ratio < LEAST or ratio > MOST):
        given = f"a batch, small last weights, {DRAWS} steps, each with other random numbers"
        returned = f"on average {ratio:.2g} times the signal that predict_proba has"
        yield finding("network.modes", given, returned, "the same", "network_dropout_step")


def _last(network: Subject, twin: Subject) -> list[np.ndarray]:
    """Return its last weights and bias, once it has been moved to where these are next to 0."""
    last = twin.last_layer()
    places = [[a is each for a in twin.arrays()].index(True) for each in last]
    network.random_point(3, "small")
    weights, bias = (network.arrays()[k] for k in places)
    weights *= SMALL
    bias[...] = 0
    return [weights, bias]


def _changes(stepper: Stepper, x: np.ndarray, y: np.ndarray, luck: int) -> list[np.ndarray] | None:
    """Return how a step changes the last weights, (units, classes), and the last bias."""
    network = stepper.subject.copy(stepper.dtype)
    last = _last(network, stepper.twin)
    places = [[a is each for a in network.arrays()].index(True) for each in last]
    step = stepper.change(network, x, y, luck)
    if step is None or not all(np.isfinite(part).all() for part in step):
        return None
    weights, bias = (step[k] for k in places)
    return [weights.T if stepper.subject.columns else weights, bias.reshape(-1)]


def _means(stepper: Stepper, x: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Return the mean of each unit's output, as predictions show it."""
    weights, bias = _last(stepper.twin, stepper.twin)
    weights, bias = weights.T if stepper.subject.columns else weights, bias.reshape(-1)
    sizes = []
    for part in [bias[:1], *(weights[unit, :1] for unit in units)]:
        scores = []
        for change in (1e-4, -2e-4):
            part += change
            p = stepper.twin.predict(x)
            scores.append(float(np.log(p[:, 0] / p[:, 1]).mean()))
        part += 1e-4
        sizes.append(scores[0] - scores[1])
    return np.array(sizes[1:]) / sizes[0]


@probe(
    needs="losses parameters finite whole twin",
    unless="data idx network.random network.modes softmax cross_entropy gradients function",
)
def running_averages(subject: Subject) -> Said:
    """Train on one batch, as if for ever, and hold what predicts it against what trains on it.

    Averages that run along become those of that batch, so that both give the same probabilities.
    That is for a loss in which pictures depend on each other, as batch normalisation has it. Where
    no step is given, what is not may update them: of a network that reads well, it seems to.
    """
    if "step" not in subject.has and subject.accuracy >= subject.once(nearest_mean):
        return
    x = subject.x[:BATCH].astype(np.float64)
    network = subject.copy()
    if len(x) < BATCH or _drops(network, x):
        return
    if not in_company(network, x) or not _settle(network, x):
        return
    found = _differences(network, x)
    if found is not None and found[0] > APART * found[1] > 1e-3 * APART:
        given = f"running averages of one batch of {len(x)}"
        share = found[0] / found[1]
        returned = f"losses of classes in predicting that are {share:.0%} off those in training"
        yield finding("network.modes", given, returned, "the same", "network_running")


def _drops(network: Subject, x: np.ndarray) -> bool:
    """Tell whether the loss is random, as with dropout, which makes a difference of its own."""
    losses = []
    for luck in (1, 0):
        network.luck = luck
        losses.append(network.loss(x, np.zeros(len(x), int)))
    return not np.isclose(losses[0], losses[1], rtol=1e-9)


def slow_averages(subject: Subject) -> float | None:
    """Return the accuracy with running averages of a batch, if that is far better; else None."""
    x, y = subject.x[:BATCH].astype(np.float64), subject.y[:BATCH]
    if not subject.losses or not subject.whole or len(x) < BATCH:
        return None
    network = subject.copy()
    before = float(np.mean(network.predict(x).argmax(axis=1) == y))
    if not in_company(network, x) or not _settle(network, x):
        return None
    after = float(np.mean(network.predict(x).argmax(axis=1) == y))
    return after if after > before + FAR_BETTER else None


def _settle(network: Subject, x: np.ndarray) -> bool:
    """Make all running averages those of a batch, which training on it for ever would do.

    From call to call they go the same share of what is left of the way, and so tell its end. False
    where something changes in another way.
    """
    trains = "step" if "step" in network.has else "loss_and_gradients"
    y, start = np.arange(len(x)) % network.classes, [a.copy() for a in network.arrays()]
    states = []
    for _ in range(4):
        network.attempt(trains, x, network.labels_for(y))
        network.move(start)
        found = network.calls.attempt("copying", partial(arrays_in, network.network))
        if isinstance(found, Raised):
            return False
        states.append([array.copy() for array in found])
    if [[a.shape for a in state] for state in states] != [[a.shape for a in found]] * len(states):
        return False
    for array, *values in zip(found, *states, strict=True):
        first, second, third = (b - a for a, b in pairwise(v.astype(np.float64) for v in values))
        size = float(np.linalg.norm(first))
        if not size > 1e-9 * np.linalg.norm(values[0]) or not np.isfinite(size):
            continue
        share = float(first.ravel() @ second.ravel()) / size**2
        off = [np.linalg.norm(b - share * a) for a, b in ((first, second), (second, third))]
        if not 0 <= share < 1 or max(off) > 1e-4 * size or not array.flags.writeable:
            return False
        array[...] = values[0] + first / (1 - share)
    return True


def in_company(network: Subject, x: np.ndarray) -> bool:
    """Tell whether the loss of a picture depends on the others in the batch.

    If it does not, losses of batches with half of their pictures exchanged add up to the same. A
    mask of dropout, which is another one for a batch of another size, makes no difference to that.
    """
    y = np.arange(len(x)) % network.classes
    a, b, c, d = np.array_split(np.arange(len(x)), 4)
    ab, cd, ad, cb, again = (
        network.loss(x[rows], y[rows])
        for rows in map(np.concatenate, ((a, b), (c, d), (a, d), (c, b), (a, b)))
    )
    return bool(np.isclose(ab, again) and not np.isclose(ab + cd, ad + cb, rtol=1e-6))


def _differences(network: Subject, x: np.ndarray) -> tuple[float, float] | None:
    """Return how far classes' losses in predicting are from those in training, and their size.

    A class's loss is that of all pictures with its label. It may be any of the usual ones; of
    others than cross-entropy a multiple may be, too.
    """
    p = network.predict(x)
    if p.shape != (len(x), network.classes) or not np.isfinite(p).all():
        return None
    labels = [np.full(len(x), c) for c in range(network.classes)]
    trained = np.array([network.loss(x, y) for y in labels])
    trained, off = trained - trained.mean(), []
    for name in ("cross_entropy", "squares", "binary"):
        outputs = p if name == "squares" else np.clip(p, 1e-12, 1 - 1e-12)
        predicted = np.array([SCORES[name](outputs, y) for y in labels])
        predicted -= predicted.mean()
        share = float(predicted @ trained) / max(float(predicted @ predicted), 1e-300)
        share = 1.0 if name == "cross_entropy" else share
        off.append(float(np.linalg.norm(share * predicted - trained)))
    return min(off), float(np.linalg.norm(trained))
