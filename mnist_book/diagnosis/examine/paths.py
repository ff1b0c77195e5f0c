"""Ways back that not all networks have: through a shortcut, and through pooling."""

import numpy as np

from mnist_book.diagnosis.examine.results import is_weights
from mnist_book.diagnosis.examine.subject import Subject

ENTRIES, PICTURES = 8, 5  # of an array that are looked at, and how many in a batch
STEP = 1e-5
NOTHING, EXACT = 1e-6, 1e-3  # relative: what is next to 0, and what is the same


def shortcut(subject: Subject, wrong: np.ndarray) -> str:
    """Tell what is wrong with the way back past some layers; "" if there is no shortcut.

    Where a layer's weights are 0, nothing passes back but through the shortcut. "forgotten" if the
    gradients say that nothing does, "layers" if they are right there, so that what is wrong is the
    way through the layers, whose own gradients are not `wrong`; else "unknown".
    """
    twin, found = subject.twin, ""
    places = [k for k, array in enumerate(twin.arrays()) if is_weights(array)]
    for place in places[1:-1]:
        twin.random_point(4)
        twin.arrays()[place][...] = 0
        x, y = subject.inputs(np.random.default_rng(8), PICTURES), np.arange(PICTURES)
        pairs = _slopes(twin, x, y % subject.classes, [k for k in places if k < place])
        pairs = [pair for pair in pairs if np.linalg.norm(pair[1]) > NOTHING]
        if not pairs:
            continue
        if all(np.linalg.norm(given) < NOTHING * np.linalg.norm(slope) for given, slope in pairs):
            return "forgotten"
        right = not wrong[place] and all(_same(given, slope) for given, slope in pairs)
        found = "layers" if right and found != "unknown" else "unknown"
    return found


def pooling(subject: Subject) -> tuple[str, int]:
    """Tell what is wrong with the way back through pooling, and how large a window is.

    In a picture of one grey all cells of a window are equal, so that it makes no difference which
    of them the gradient goes to. "every" if it is as many times too large as there are cells in a
    window, "cells" if it is right there; "maps" if neither, and "" where no small kernel goes over
    the picture.
    """
    twin = subject.twin
    places = [k for k, array in enumerate(twin.arrays()) if is_weights(array)]
    if not places or len(places) < 2 or subject.x.shape[1] in twin.arrays()[places[0]].shape:
        return "", 0
    twin.random_point(4)
    greys = np.linspace(0.3, 1, PICTURES)[:, np.newaxis] * np.ones(subject.x.shape[1])
    y = np.arange(PICTURES) % subject.classes
    pairs = _slopes(twin, subject.reach * greys, y, places[:-1])
    pairs = [pair for pair in pairs if np.linalg.norm(pair[1]) > NOTHING]
    if pairs and all(_same(*pair) for pair in pairs):
        return "cells", 0
    for cells in (4, 9, 16):
        given, slope = pairs[-1] if pairs else (np.zeros(1), np.ones(1))
        if _same(given, cells * slope):
            return "every", cells
    return "maps", 0


def _same(given: np.ndarray, slope: np.ndarray) -> bool:
    return bool(np.linalg.norm(given - slope) < EXACT * np.linalg.norm(slope))


def _slopes(
    twin: Subject, x: np.ndarray, y: np.ndarray, places: list[int]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return some entries of gradients, each with what central differences say of it."""
    rng, pairs = np.random.default_rng(1), []
    _, gradients = twin.gradients(x, y)
    for place in places:
        array = twin.arrays()[place]
        slopes, entries = [], rng.choice(array.size, min(array.size, ENTRIES), replace=False)
        for entry in entries:
            value, losses = array.flat[entry], []
            for sign in (1, -1):
                array.flat[entry] = value + sign * STEP
                losses.append(twin.loss(x, y))
            array.flat[entry] = value
            slopes.append((losses[0] - losses[1]) / (2 * STEP))
        pairs.append((gradients[place].reshape(-1)[entries].astype(np.float64), np.array(slopes)))
    return pairs
