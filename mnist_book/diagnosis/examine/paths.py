"""Ways back that not all networks have: through shortcuts, pooling, and windows that overlap."""

from collections.abc import Iterator
from itertools import pairwise
from math import isqrt

import numpy as np

from mnist_book.diagnosis.examine.results import is_matrix, is_weights
from mnist_book.diagnosis.examine.slopes import slope_of
from mnist_book.diagnosis.examine.subject import Subject

ENTRIES, PICTURES = 8, 5  # of an array that are looked at, and how many in a batch
SAME, UNSEEN = 1e-3, 1e-2  # relative: of outputs that stay, and of sums that should be 0
NOTHING, EXACT = 1e-6, 1e-3  # relative: what is next to 0, and what is the same


def right_layers(arrays: list[np.ndarray], wrong: np.ndarray) -> int:
    """Return in how many of the last layers nothing is wrong, weights and biases; at least 1."""
    weights = [k for k, array in enumerate(arrays) if is_weights(array)]
    biases = [k for k, array in enumerate(arrays) if not is_weights(array)]
    layers = [list(range(*ends)) for ends in pairwise([*weights, len(arrays)])]
    if len(weights) == len(biases) and weights[-1] < biases[0]:  # first all weights, then biases
        layers = [list(pair) for pair in zip(weights, biases, strict=True)]
    off = [k for k, layer in enumerate(layers) if wrong[layer].any()]
    return max(1, len(layers) - 1 - max(off, default=-1))


def in_words(layers: int) -> str:
    """Say how many layers, after "the last"."""
    return {1: "layer", 2: "two layers", 3: "three layers"}.get(layers, f"{layers} layers")


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


def constants(subject: Subject) -> str:
    """Say what is taken for a constant on the way back through a normalisation of each picture.

    Where the mean is subtracted, outputs don't change if a bias does, in all units alike, and the
    gradients sum to 0 over the units; where sums are divided by their deviation, or length, weights
    and bias may be multiplied, and the gradients are at a right angle to both. "" if that holds.
    """
    twin = subject.twin
    places = [k for k, array in enumerate(twin.arrays()) if is_matrix(array)]
    for place in places[:-1]:
        units = twin.arrays()[place].shape[0 if subject.columns else 1]
        after = [k for k in range(place + 1, len(twin.arrays())) if k not in places]
        for bias in [k for k in after if twin.arrays()[k].size == units][:2]:
            mean, off_mean = _kept_by(subject, [bias])
            deviation, off_deviation = _kept_by(subject, [place, bias], True, mean)
            found = {"its mean": mean and off_mean, "its deviation": deviation and off_deviation}
            if any(found.values()):
                return " and ".join(name for name, broken in found.items() if broken)
    return ""


def _kept_by(
    subject: Subject, group: list[int], scaled: bool = False, centred: bool = False
) -> tuple[bool, bool]:
    """Tell whether a change keeps the outputs as they are, and whether gradients don't know that.

    The parameters of the group are scaled, or all moved by the same number. Gradients may be
    centred before, over the units.
    """
    twin = subject.twin
    twin.random_point(4)
    x, y = subject.inputs(np.random.default_rng(8), 1), np.array([0])
    arrays, (_, gradients) = twin.arrays(), twin.gradients(x, y)
    along = [arrays[k].copy() if scaled else np.ones(arrays[k].shape) for k in group]
    before, products = twin.predict(x), []
    for k, change in zip(group, along, strict=True):
        arrays[k][...] += change
        g = gradients[k].reshape(change.shape)
        units = 0 if subject.columns and is_matrix(g) else g.ndim - 1
        units = int(np.argmax(g.shape)) if not is_matrix(g) else units
        products.append((g - centred * g.mean(axis=units, keepdims=True)) * change)
    same = bool(np.abs(twin.predict(x) - before).max() < SAME * np.abs(before).max())
    sizes = sum(float(np.abs(product).sum()) for product in products)
    return same, abs(sum(float(product.sum()) for product in products)) > UNSEEN * sizes


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


def right_without(subject: Subject, factors: list[int], value: float = 1) -> bool:
    """Tell whether the weights' gradients are right where these parameters have one value.

    Or right but for that factor.
    """
    twin = subject.twin
    places = [k for k, array in enumerate(twin.arrays()) if is_weights(array)]
    twin.random_point(4)
    for factor in factors:
        twin.arrays()[factor][...] = value
    x, y = subject.inputs(np.random.default_rng(8), PICTURES), np.arange(PICTURES)
    pairs = _slopes(twin, x, y % subject.classes, places)
    return all(_same(*pair) or _same(value * pair[0], pair[1]) for pair in pairs)


def overlap(subject: Subject, right: int) -> bool:
    """Tell whether a cell where windows of a convolution overlap keeps one window's share alone.

    It is the share of the window that comes last, which has the cell in its first corner, or in
    its last one. With all of a kernel but this corner at 0, the others' shares are 0, and the
    gradients before the kernel are right; with all but another of its cells at 0 they are wrong,
    and not 0, as they would be if that cell were left out. The last layers, as many as are `right`,
    begin with the kernel.
    """
    twin = subject.twin
    places = [k for k, array in enumerate(twin.arrays()) if is_weights(array)]
    if not 1 < right < len(places):
        return False
    before, place, alone = places[-right - 1], places[-right], False
    x, y = subject.inputs(np.random.default_rng(8), PICTURES), np.arange(PICTURES)
    for cells in _cells(twin.arrays()[place].shape, twin.arrays()[before].shape):
        states = []
        for cell in (0, cells.max(), (cells.max() + 1) // 2):  # two corners, and the middle
            twin.random_point(4)
            twin.arrays()[place][cells != cell] = 0
            ((given, slope),) = _slopes(twin, x, y % subject.classes, [before])
            if np.linalg.norm(slope) < NOTHING:
                break
            zero = np.linalg.norm(given) < NOTHING * np.linalg.norm(slope)
            states.append("right" if _same(given, slope) else "zero" if zero else "wrong")
        if states.count("right") == 2 and "zero" in states:
            return False  # a cell is left out on the way back
        alone |= len(states) == 3 and states[:2].count("right") == 1 and "wrong" in states
    return alone


def _cells(shape: tuple[int, ...], before: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Yield for each number of a layer's weights to which cell of its kernel it belongs.

    It yields all that these weights may be. In a matrix, the inputs are the cells of a kernel for
    each of the maps that come from the layer `before`.
    """
    if len(shape) == 4:
        for rows in (0, 2):
            if shape[rows] == shape[rows + 1] > 1:
                cells = np.arange(shape[rows] ** 2).reshape(shape[rows], shape[rows])
                yield np.broadcast_to(cells if rows else cells[..., np.newaxis, np.newaxis], shape)
    for axis in (0, 1) if len(shape) == 2 else ():
        maps = before[1 - axis] if len(before) == 2 else before[0]
        count = shape[axis] // maps
        if shape[axis] % maps == 0 and isqrt(count) ** 2 == count > 1:
            for own in (np.tile(np.arange(count), maps), np.repeat(np.arange(count), maps)):
                yield np.broadcast_to(own if axis else own[:, np.newaxis], shape)


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
        entries = rng.choice(array.size, min(array.size, ENTRIES), replace=False)
        indices = (np.unravel_index(entry, array.shape) for entry in entries)
        slopes = [slope_of(twin, array, index, x, y) for index in indices]
        pairs.append((gradients[place].reshape(-1)[entries].astype(np.float64), np.array(slopes)))
    return pairs
