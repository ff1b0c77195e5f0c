"""Steps of training from weights that are drawn, and gradients at the same weights."""

from dataclasses import dataclass

import numpy as np

from mnist_book.diagnosis.examine.calling import Refused
from mnist_book.diagnosis.examine.results import is_matrix
from mnist_book.diagnosis.examine.subject import Subject

BATCH = 24
REST = 90  # steps without a gradient
CERTAIN = 60.0  # of scores, or times the last weights: answers that are sure

Arrays = list[np.ndarray]


@dataclass(frozen=True)
class Response:
    """How steps differ for two batches, and how the gradients do, parameter by parameter."""

    steps: Arrays
    gradients: Arrays
    first: Arrays  # the step for the first batch, and its gradient
    first_gradient: Arrays

    @property
    def cosines(self) -> np.ndarray:
        """Of the step and the negative gradient; 1 where there is no gradient to follow."""
        return np.array([cosine(s, -g) for s, g in zip(self.steps, self.gradients, strict=True)])

    @property
    def rates(self) -> np.ndarray:
        """Return the lengths of steps, as multiples of the gradient's."""
        pairs = zip(self.steps, self.gradients, strict=True)
        return np.array([length(s) / max(length(g), 1e-300) for s, g in pairs])

    @property
    def seen(self) -> np.ndarray:
        """Which parameters have a gradient that is more than rounding."""
        sizes = np.array([length(g) for g in self.gradients])
        return sizes > 1e-7 * max(sizes.max(), 1e-300)


def length(array: np.ndarray) -> float:
    """Compute the root of the sum of squares."""
    return float(np.linalg.norm(array))


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Compute the cosine of the angle between two arrays; 1 where one of them is 0."""
    sizes = length(a) * length(b)
    return float(a.ravel() @ b.ravel()) / sizes if sizes > 1e-300 else 1.0


class Stepper:
    """Takes steps from weights that are drawn, with a copy of the network for each start."""

    def __init__(self, subject: Subject) -> None:
        self.subject, self.twin = subject, subject.twin
        self.dtype = np.float64 if self.twin.arrays()[0].dtype == np.float64 else None
        self.number: tuple[int, float] | None = None

    def with_number(self, place: int, factor: float) -> "Stepper":
        """Multiply one of the numbers that the network keeps, `numbers_in`, in each start."""
        self.number = place, factor
        return self

    def batch(self, seed: int, size: int = BATCH) -> tuple[np.ndarray, np.ndarray]:
        """Draw inputs and labels."""
        rng = np.random.default_rng(seed)
        x = self.subject.inputs(rng, size)
        return x, rng.permutation(np.arange(size) % self.subject.classes)

    def start(self, seed: int, shrink: float = 1) -> Subject:
        """Return a new copy at random weights, the last of them smaller by a factor."""
        network = self.subject.copy(self.dtype, self.number)
        self.place(network, seed, shrink)
        return network

    def place(self, network: Subject, seed: int, shrink: float) -> None:
        """Move a network to random weights, the last of them smaller by a factor."""
        network.random_point(seed)
        matrices = [array for array in network.arrays() if is_matrix(array)]
        for array in matrices[-1:] if shrink != 1 else ():
            array *= shrink

    def change(
        self, network: Subject, x: np.ndarray, y: np.ndarray, luck: int = 0
    ) -> Arrays | None:
        """Take a step and go back; return how the parameters had changed, None if that fails."""
        network.luck = luck
        before = [array.copy() for array in network.arrays()]
        result = network.attempt("step", x, network.labels_for(y))
        after = [array.astype(np.float64) for array in network.arrays()]
        if isinstance(result, BaseException) or [a.shape for a in after] != [
            b.shape for b in before
        ]:
            return None
        network.move(before)
        return [a - b for a, b in zip(after, before, strict=True)]

    def gradient(self, seed: int, x: np.ndarray, y: np.ndarray, shrink: float = 1) -> Arrays:
        """Return the gradient at the same weights."""
        self.place(self.twin, seed, shrink)
        arrays, (_, gradients) = self.twin.arrays(), self.twin.gradients(x, y)
        if [g.size for g in gradients] != [a.size for a in arrays]:
            raise Refused
        return [
            g.astype(np.float64).reshape(a.shape) for g, a in zip(gradients, arrays, strict=True)
        ]

    def rest(self, network: Subject) -> None:
        """Take steps that hardly have a gradient, so that velocities of before fade.

        The answer is so sure, and the label is this answer, that there is nothing to learn.
        """
        kept, (x, y) = [array.copy() for array in network.arrays()], self.batch(1)
        bias = [a for a in network.last_layer() if not is_matrix(a)]
        for array in [array for array in network.arrays() if is_matrix(array)][-1:]:
            array *= 0 if bias else CERTAIN
        for array in bias:
            array[...] = -CERTAIN
            array.flat[0] = CERTAIN
        y = network.predict(x).argmax(axis=1)
        for _ in range(REST):
            self.change(network, x, y)
        network.move(kept)

    def response(
        self, seed: int = 11, size: int = BATCH, shrink: float = 1, rested: bool = False
    ) -> Response | None:
        """Compare two steps from the same weights; None if there is nothing to compare."""
        batches = [self.batch(seed + 1, size), self.batch(seed + 2, size)]
        steps = self._steps(batches, seed, shrink, rested)
        gradients = [self.gradient(seed, *batch, shrink) for batch in batches]
        if None in steps:
            return None
        changed, turned = (
            [a - b for a, b in zip(*pair, strict=True)] for pair in (steps, gradients)
        )
        return Response(changed, turned, steps[0], gradients[0])

    def difference(self, seed: int = 11) -> Arrays | None:
        """Return by what steps for two batches differ; None if there are none."""
        steps = self._steps([self.batch(seed + 1), self.batch(seed + 2)], seed)
        return None if None in steps else [a - b for a, b in zip(*steps, strict=True)]

    def _steps(
        self, batches: list, seed: int, shrink: float = 1, rested: bool = False
    ) -> list[Arrays | None]:
        starts = [self.start(seed, shrink) for _ in batches]
        for start in starts if rested else ():
            self.rest(start)
        return [self.change(start, *batch) for start, batch in zip(starts, batches, strict=True)]


def first_weights(subject: Subject) -> int | None:
    """Return which parameter multiplies the inputs; None if that is no matrix."""
    arrays = subject.arrays()
    first = next((k for k, array in enumerate(arrays) if array.ndim > 1), None)
    fits = first is not None and is_matrix(arrays[first])
    return first if fits and subject.x.shape[1] in arrays[first].shape else None
