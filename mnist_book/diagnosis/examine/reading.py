"""How well a network reads the pictures that it was given; and if badly, what would mend it.

A trained network that meets pictures in another form than in its training reads them badly, and
nothing else is wrong with it. So it gets the same pictures in all usual forms. One that it reads
well is the proof; an untrained network, or one in the middle of its training, reads none of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from mnist_book.diagnosis.examine.notes import note
from mnist_book.diagnosis.examine.pictures import SIDE, nearest_mean
from mnist_book.diagnosis.examine.probing import Said, finding, probe
from mnist_book.diagnosis.examine.subject import Subject
from mnist_book.diagnosis.reports import Finding

FEW = 120  # pictures for the first look
ENOUGH = 60  # pictures that a judgment takes
MENDED = 0.8  # what a form must come to that mends the reading,
GAIN = 0.1  # and by how much it must be better than the pictures as they are
MNIST_MEAN, MNIST_STD = 0.1307, 0.3081  # of MNIST's training pictures, scaled to 0..1
Form = Callable[[np.ndarray], np.ndarray]


@probe(needs="finite", unless="data.labels")
def accuracy(subject: Subject) -> Said:
    """Note how many pictures it reads rightly, beside what the nearest mean does."""
    sure = float(subject.probabilities.max(axis=1).mean())
    nearest = f"{subject.once(nearest_mean):.0%}" if len(subject.y) >= ENOUGH else "too few to say"
    yield note(
        "accuracy",
        right=f"{subject.accuracy:.0%}",
        count=len(subject.y),
        sure=f"{sure:.0%}",
        nearest=nearest,
    )


@probe(
    needs="finite",
    unless="data.labels data.not_scaled data.scrambled data.bytes_wrap idx function.nan softmax "
    "init leaky_relu gradients train network",
)
def other_form(subject: Subject) -> Said:
    """Let it read the same pictures in other forms, and with its classes in another order."""
    if len(subject.y) < ENOUGH or len(np.unique(subject.y)) < 3 or subject.accuracy > 0.9:
        return
    change, right = subject.once(_best_change)
    if change is not None:
        yield _mended(subject, change.code, right, change=change.text)
        return
    order = _best_order(subject.probabilities.argmax(axis=1), subject.y, subject.classes)
    if order is not None:
        names, right = (
            _named(order),
            float(np.mean(order[subject.probabilities.argmax(1)] == subject.y)),
        )
        if _mends(right, subject.accuracy):
            yield _mended(subject, "data.other_classes", right, change=names)


@probe(needs="finite", unless="*")
def misreads(subject: Subject) -> Said:
    """Say of a trained network that is no better than a guess, in any form, that it is not.

    One that is better than that, and still bad, may be in the middle of its training.
    """
    p, y = subject.probabilities, subject.y
    if len(y) < ENOUGH or len(np.unique(y)) < 5 or not subject.once(is_trained):
        return
    shares = np.bincount(y, minlength=subject.classes) / len(y)
    answers = np.bincount(p.argmax(axis=1), minlength=subject.classes) / len(y)
    guessing = float(shares @ answers)
    slack = max(0.05, 3 * np.sqrt(guessing * (1 - guessing) / len(y)))
    spread = answers.max() < 0.5 and (answers > 0.03).sum() >= 0.6 * subject.classes
    nearest = subject.once(nearest_mean)
    if spread and subject.accuracy < guessing + slack and nearest > 0.5:
        given = f"{len(y)} images, of which the nearest mean digit names {nearest:.0%} rightly"
        returned = f"{subject.accuracy:.0%} right; a guess with such answers: {guessing:.0%}"
        yield finding("network.misreads", given, returned, "more, of a trained network")


def is_trained(subject: Subject) -> bool:
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


def _mended(subject: Subject, code: str, right: float, change: str) -> Finding:
    sure = float(subject.probabilities.max(axis=1).mean())
    given = f"{len(subject.y)} images as they are"
    returned = f"right for {subject.accuracy:.0%}, on average {sure:.0%} sure"
    expected = f"right for {right:.0%}, which it is with that change"
    return finding(code, given, returned, expected, change=change)


def _mends(right: float, before: float) -> bool:
    """Tell whether so many right answers, after so many before, are a cure."""
    much = right >= MENDED and right > before + GAIN and 1 - right < 0.6 * (1 - before)
    return much or (right >= 0.9 and right > before + 0.05 and 1 - right < 0.5 * (1 - before))


# --------------------------------------------------------------------------------------------------
# Other forms of the pictures
# --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Change:
    """Something done to pictures (n, inputs): the bug that it mends, and what to call it."""

    code: str
    text: str
    apply: Form


def _best_change(subject: Subject) -> tuple[_Change | None, float]:
    """Return the simplest change that mends the reading, None if none does, and the accuracy."""
    before = subject.accuracy
    for changes in _rounds(subject):
        few = subject.x[:: max(len(subject.x) // FEW, 1)]
        digits = subject.y[:: max(len(subject.x) // FEW, 1)]
        hopes = [c for c in changes if _right(subject, c, few, digits) > max(before, MENDED - 0.1)]
        found = [(c, _right(subject, c, subject.x, subject.y)) for c in hopes]
        most = max((right for _, right in found), default=0.0)
        for change, right in found:
            if _mends(right, before) and right > most - 0.015:
                return change, right
    return None, before


def _right(subject: Subject, change: _Change, x: np.ndarray, digits: np.ndarray) -> float:
    """Return the share of right answers for pictures after a change."""
    p = subject.predict(change.apply(x.astype(np.float64)).astype(x.dtype))
    fit = p.shape == (len(x), subject.classes) and np.isfinite(p).all()
    return float(np.mean(p.argmax(axis=1) == digits)) if fit else 0.0


def _rounds(subject: Subject) -> Iterator[list[_Change]]:
    """Yield single changes; then, for a network that is trained, two at a time."""
    scales, turns = list(_scales(subject.x.astype(np.float64))), []
    if subject.x.shape[1] == SIDE * SIDE:
        turns = list(_turns(_background(subject.x)))
    yield [*scales, *turns]
    sure = not subject.weights and np.median(subject.probabilities.max(axis=1)) > 0.5
    if sure or subject.once(is_trained):
        yield [_both(scale, turn) for turn in turns for scale in scales]


def _both(first: _Change, second: _Change) -> _Change:
    text = f"{first.text}, and {second.text}"
    return _Change(first.code, text, lambda x: second.apply(first.apply(x)))


def _scales(sample: np.ndarray) -> Iterator[_Change]:
    """Yield other scales of the pixels, first as they are, then with ink and paper exchanged."""
    low, width = sample.min(), max(float(np.ptp(sample)), 1e-300)

    def unit(x: np.ndarray) -> np.ndarray:
        return (x - low) / width

    yield _Change("data.inverted", "inverted", lambda x: 2 * low + width - x)
    for code, start, inverted in (
        ("data.other_scale", "", unit),
        ("data.inverted", "inverted, and ", lambda x: 1 - unit(x)),
    ):
        for text, scale in _usual_scales(inverted(sample)).items():

            def apply(x: np.ndarray, scale: Form = scale, inverted: Form = inverted) -> np.ndarray:
                return scale(inverted(x))

            yield _Change(code, start + text, apply)


def _usual_scales(sample: np.ndarray) -> dict[str, Form]:
    """Return the usual scales, for pictures from 0 to 1."""
    mean, std = sample.mean(), max(float(sample.std()), 1e-300)
    means, stds = sample.mean(axis=0), sample.std(axis=0)
    stds = np.where(stds > 0, stds, 1)
    return {
        "scaled to 0..1": lambda x: x,
        "scaled to 0..255": lambda x: 255 * x,
        "scaled to -1..1": lambda x: 2 * x - 1,
        "scaled to -0.5..0.5": lambda x: x - 0.5,
        "standardised by their mean and deviation": lambda x: (x - mean) / std,
        "standardised by 0.1307 and 0.3081": lambda x: (x - MNIST_MEAN) / MNIST_STD,
        "standardised pixel by pixel": lambda x: (x - means) / stds,
        "centred pixel by pixel, less the mean picture": lambda x: x - means,
        "scaled to length 1, each picture": lambda x: (
            x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-300)
        ),
        "cut to 0 and 1 at the middle": lambda x: (x > 0.5) * 1.0,
        "divided by 255 once more": lambda x: x / 255,
    }


def _of_grids(turn: Form) -> Form:
    return lambda x: turn(_grid(x)).reshape(len(x), -1)


def _rolled(count: int) -> Form:
    return lambda x: np.roll(x.ravel(), count).reshape(x.shape)


def _turns(background: float) -> Iterator[_Change]:
    """Yield turned and shifted pictures."""
    turned = {
        "transposed, rows and columns exchanged": lambda g: g.transpose(0, 2, 1),
        "mirrored left to right": lambda g: g[:, :, ::-1],
        "turned upside down, top to bottom": lambda g: g[:, ::-1],
        "turned by 180 degrees": lambda g: g[:, ::-1, ::-1],
        "turned by 90 degrees anticlockwise": lambda g: np.rot90(g, 1, (1, 2)),
        "turned by 90 degrees clockwise": lambda g: np.rot90(g, -1, (1, 2)),
        "mirrored and turned by 90 degrees": lambda g: np.rot90(g, 1, (1, 2))[:, ::-1],
    }
    for text, turn in turned.items():
        yield _Change("data.turned", text, _of_grids(turn))
    for count in (8, -8, 4, -4):  # the header of a file is 8 or 16 bytes long
        text = f"rolled by {count} pixels of the row of 784"
        yield _Change("data.shifted", text, _rolled(count))
    yield _Change(
        "data.shifted",
        "shifted all alike to the centre",
        lambda x: _to_centre(x, background, alike=True),
    )
    yield _Change(
        "data.shifted",
        "centred one by one by their ink",
        lambda x: _to_centre(x, background, alike=False),
    )


def _grid(x: np.ndarray) -> np.ndarray:
    return x.reshape(-1, SIDE, SIDE)


def _background(x: np.ndarray) -> float:
    """Return the value of the paper: the usual one in the corners."""
    return float(np.median(_grid(x)[:, [0, 0, -1, -1], [0, -1, 0, -1]]))


def _to_centre(x: np.ndarray, background: float, alike: bool) -> np.ndarray:
    """Move the centre of the ink to the middle, of all pictures together or of each."""
    grid = _grid(x)
    ink = np.abs(grid - background)
    weight, places = np.maximum(ink.sum(axis=(1, 2)), 1e-300), np.arange(SIDE)
    offsets = [SIDE / 2 - ink.sum(axis=axis) @ places / weight for axis in (2, 1)]
    if alike:
        offsets = [np.full(len(x), np.mean(offset)) for offset in offsets]
    rows, columns = (np.round(offset).astype(int) for offset in offsets)
    rolled = [np.roll(g, (r, c), (0, 1)) for g, r, c in zip(grid, rows, columns, strict=True)]
    return np.stack(rolled).reshape(len(x), -1)


# --------------------------------------------------------------------------------------------------
# Another order of the classes
# --------------------------------------------------------------------------------------------------


def _best_order(answers: np.ndarray, digits: np.ndarray, classes: int) -> np.ndarray | None:
    """Return what each answer stands for, if each stands for another digit; None if not so."""
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, (answers, digits), 1)
    order = np.arange(classes)
    for answer in range(classes):
        if counts[answer].sum() >= 5:
            order[answer] = counts[answer].argmax()
    taken = np.bincount(order, minlength=classes)
    if taken.max() > 1 or len(digits) < 10 * classes:
        return None
    return order


def _named(order: np.ndarray) -> str:
    """Describe which answers stand for which digits."""
    classes = len(order)
    for shift in range(1, classes):
        if np.array_equal(order, (np.arange(classes) + shift) % classes):
            sign = f"+ {shift}" if shift <= classes / 2 else f"- {classes - shift}"
            return f"the digit is the answer {sign}"
    if np.array_equal(order, np.arange(classes)[::-1]):
        return f"the digit is {classes - 1} less the answer"
    moved = [f"{k} stands for {digit}" for k, digit in enumerate(order) if k != digit]
    return "the answer " + ", ".join(moved)


PROBES = (accuracy, other_form, misreads)
