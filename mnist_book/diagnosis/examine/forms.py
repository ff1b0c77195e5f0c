"""Other forms of the same pictures: what a network reads well in one of them, it was trained on.

A trained network that meets pictures in another form than in its training reads them badly, and
nothing else is wrong with it. So it gets them in all the usual forms. One that it reads well is the
proof: no untrained network does, nor one in the middle of its training.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from mnist_book.diagnosis.examine.pictures import SIDE, nearest_mean
from mnist_book.diagnosis.examine.results import is_weights
from mnist_book.diagnosis.examine.subject import Subject

ENOUGH = 60  # pictures that a judgment takes
FEW = 80  # pictures for a first look at each form
MENDED = 0.8  # the least share of right answers that proves a form
AS_GOOD = 0.015  # of right answers: of forms so near to the best, the simplest is named
MNIST_MEAN, MNIST_STD = 0.1307, 0.3081  # of MNIST's training pictures, scaled to 0..1
LARGER = "scaled to 0..255"
CUT = "cut to 0 and 1 at the middle"
TINY = 1e-30
Form = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Cure:
    """What mends the reading: the bug's code, what is to be done, and the accuracy then."""

    code: str
    change: str
    accuracy: float


def cure(subject: Subject) -> Cure | None:
    """Return the simplest change of pictures or classes that mends the reading, if one does."""
    if not subject.finite or len(subject.y) < ENOUGH or len(np.unique(subject.y)) < 3:
        return None
    if np.ptp(subject.probabilities, axis=0).max() < 1e-9 or _outweighed(subject) > 0.5:
        return None  # units are dead; larger pictures would wake them, and are not what is missing
    before = subject.probabilities.argmax(axis=1) == subject.y
    return (
        _other_form(subject, before)
        or other_classes(subject, before)
        or _turned_weights(subject, before)
    )


def _outweighed(subject: Subject) -> float:
    """Return the share of units in the first layer whose bias no picture of this size outweighs."""
    first = subject.weights[0] if subject.weights else np.empty((0, 0))
    sizes = [array for array in subject.arrays() if not is_weights(array)]
    biases = next((b.ravel() for b in sizes if b.size == first.shape[1]), None)
    if biases is None or len(first) != subject.x.shape[1]:
        return 0.0
    most = float(np.abs(subject.x).max()) * np.maximum(first, 0).sum(axis=0)
    return float(np.mean(biases + most < 0))


def _turned_weights(subject: Subject, before: np.ndarray) -> Cure | None:
    """Find square weights that it reads the pictures with once they are transposed."""
    square = [k for k, a in enumerate(subject.arrays()) if a.ndim == 2 and a.shape[0] == a.shape[1]]
    for k in square if subject.twin is not None else ():
        subject.twin.home()
        array = subject.twin.arrays()[k]
        array[...] = array.T.copy()
        p = subject.twin.predict(subject.x)
        if p.shape == subject.probabilities.shape and np.isfinite(p).all():
            after = p.argmax(axis=1) == subject.y
            if mends(before, after):
                return Cure("linear.transposed", f"parameters[{k}]", float(after.mean()))
    return None


def mends(before: np.ndarray, after: np.ndarray, errors: float = 1.5) -> bool:
    """Tell whether these right answers, (n,) booleans, are a cure for those before.

    They must be many, errors must be fewer by a factor, and chance can't have gained so many: where
    a change makes no difference, gains and losses differ by the root of their number.
    """
    gained, lost = np.sum(after & ~before), np.sum(before & ~after)
    surprising = gained - lost > 4 * np.sqrt(gained + lost)
    return bool(
        surprising and after.mean() >= MENDED and (~after).sum() <= (~before).sum() / errors
    )


def _other_form(subject: Subject, before: np.ndarray) -> Cure | None:
    few = np.arange(0, len(before), max(len(before) // FEW, 1))
    hopes = [
        form
        for form in _forms(subject.x)
        if _right(subject, form, few).mean() > max(before[few].mean(), MENDED - 0.1)
    ]
    tried = [(form, _right(subject, form, np.arange(len(before)))) for form in hopes]
    best = max((after.mean() for _, after in tried), default=0.0)
    for (code, change, _), after in tried:
        if change == CUT and before.mean() > subject.once(nearest_mean):
            continue  # it takes the noise out of pictures that a network reads as they are
        # A picture less the mean picture is another bias, which may be a better one.
        errors = 2 if code == "data.other_scale" else 1.5
        if mends(before, after, errors) and after.mean() > best - AS_GOOD:
            return Cure(code, change, float(after.mean()))
    return None


def _right(subject: Subject, form: tuple[str, str, Form], rows: np.ndarray) -> np.ndarray:
    """Return which of these pictures, in another form, it reads rightly; (rows,) booleans."""
    x, digits = subject.x[rows], subject.y[rows]
    p = subject.predict(form[2](x).astype(x.dtype))
    fit = p.shape == (len(x), subject.classes) and np.isfinite(p).all()
    return p.argmax(axis=1) == digits if fit else np.zeros(len(x), bool)


# --------------------------------------------------------------------------------------------------
# The usual forms
# --------------------------------------------------------------------------------------------------

SCALES: dict[str, Form] = {  # of pictures from 0 to 1
    "scaled to 0..1": lambda x: x,
    LARGER: lambda x: 255 * x,
    "scaled to -1..1": lambda x: 2 * x - 1,
    "scaled to -0.5..0.5": lambda x: x - 0.5,
    "standardised by their mean and deviation": lambda x: (x - x.mean()) / (x.std() + TINY),
    "standardised by 0.1307 and 0.3081": lambda x: (x - MNIST_MEAN) / MNIST_STD,
    "standardised pixel by pixel": lambda x: (x - x.mean(axis=0)) / _or_one(x.std(axis=0)),
    "centred pixel by pixel, less the mean picture": lambda x: x - x.mean(axis=0),
    "scaled to length 1, each picture": lambda x: (
        x / _or_one(np.linalg.norm(x, axis=1, keepdims=True))
    ),
    CUT: lambda x: (x > 0.5) * 1.0,
    "divided by 255 once more": lambda x: x / 255,
}
TURNS: dict[str, Form] = {  # of pictures (n, 28, 28)
    "transposed, rows and columns exchanged": lambda g: g.transpose(0, 2, 1),
    "mirrored left to right": lambda g: g[:, :, ::-1],
    "turned upside down, top to bottom": lambda g: g[:, ::-1],
    "turned by 180 degrees": lambda g: g[:, ::-1, ::-1],
    "turned by 90 degrees anticlockwise": lambda g: np.rot90(g, 1, (1, 2)),
    "turned by 90 degrees clockwise": lambda g: np.rot90(g, -1, (1, 2)),
    "mirrored and turned by 90 degrees": lambda g: np.rot90(g, 1, (1, 2))[:, ::-1],
}
SHIFTS: dict[str, Form] = {
    # The header of a file is 8 or 16 bytes long; half of it is skipped, or too much.
    "rolled by 8 pixels of the row of 784": lambda g: _rolled(g, 8),
    "rolled by -8 pixels of the row of 784": lambda g: _rolled(g, -8),
    "rolled by 4 pixels of the row of 784": lambda g: _rolled(g, 4),
    "rolled by -4 pixels of the row of 784": lambda g: _rolled(g, -4),
    "shifted all alike to the centre": lambda g: _to_centre(g, alike=True),
    "centred one by one by their ink": lambda g: _to_centre(g, alike=False),
}


def _forms(x: np.ndarray) -> Iterator[tuple[str, str, Form]]:
    """Yield the code of the bug, what mends it and how, for pictures like x, simple ones first."""
    low, high = x.min(), x.max()

    def inverted(x: np.ndarray) -> np.ndarray:
        return low + high - x

    def unit(x: np.ndarray) -> np.ndarray:
        return (x - low) / (high - low + TINY)

    places = [("data.turned", text, _of_grids(turn)) for text, turn in TURNS.items()]
    places += [("data.shifted", text, _of_grids(shift)) for text, shift in SHIFTS.items()]
    places = places if x.shape[1] == SIDE * SIDE else []
    yield "data.inverted", "inverted", inverted
    for text, scale in SCALES.items():
        yield "data.other_scale", text, _one_by_one(unit, scale)
    yield from places
    for text, scale in SCALES.items():
        yield "data.inverted", f"inverted, and {text}", _one_by_one(inverted, unit, scale)
    for _, text, move in places:
        yield "data.inverted", f"inverted, and {text}", _one_by_one(inverted, move)


def _one_by_one(*forms: Form) -> Form:
    def apply(x: np.ndarray) -> np.ndarray:
        for form in forms:
            x = form(x)
        return x

    return apply


def _of_grids(move: Form) -> Form:
    return lambda x: move(x.reshape(-1, SIDE, SIDE)).reshape(len(x), -1)


def _or_one(sizes: np.ndarray) -> np.ndarray:
    return np.where(sizes > 0, sizes, 1)


def _rolled(grid: np.ndarray, count: int) -> np.ndarray:
    return np.roll(grid.ravel(), count).reshape(grid.shape)


def _to_centre(grid: np.ndarray, alike: bool) -> np.ndarray:
    """Move the centre of the ink to the middle, of all pictures together or of each."""
    paper = np.median(grid[:, [0, 0, -1, -1], [0, -1, 0, -1]])  # the usual value in the corners
    ink = np.abs(grid - paper)
    weight, places = ink.sum(axis=(1, 2)) + TINY, np.arange(SIDE)
    offsets = [SIDE / 2 - ink.sum(axis=axis) @ places / weight for axis in (2, 1)]
    if alike:
        offsets = [np.full(len(grid), np.mean(offset)) for offset in offsets]
    rows, columns = (np.round(offset).astype(int) for offset in offsets)
    rolled = [np.roll(g, (r, c), (0, 1)) for g, r, c in zip(grid, rows, columns, strict=True)]
    return np.stack(rolled)


# --------------------------------------------------------------------------------------------------
# Another order of the classes
# --------------------------------------------------------------------------------------------------


def other_classes(subject: Subject, before: np.ndarray) -> Cure | None:
    """Look for an order of the classes that makes answers right which `before` says are wrong."""
    answers = subject.probabilities.argmax(axis=1)
    order = _best_order(answers, subject.y, subject.classes)
    if order is None or not mends(before, order[answers] == subject.y):
        return None
    return Cure("data.other_classes", _named(order), float(np.mean(order[answers] == subject.y)))


def _best_order(answers: np.ndarray, digits: np.ndarray, classes: int) -> np.ndarray | None:
    """Return what each answer stands for, if each stands for another digit; None if not so."""
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, (answers, digits), 1)
    order = np.where(counts.sum(axis=1) >= 5, counts.argmax(axis=1), np.arange(classes))
    return order if len(np.unique(order)) == classes and len(digits) >= 10 * classes else None


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
