"""The bends: layers without an activation between them are one layer."""

import numpy as np

from mnist_book.diagnosis.examine.probing import Said, finding, probe
from mnist_book.diagnosis.examine.results import is_weights
from mnist_book.diagnosis.examine.subject import Subject

PICTURES = 40


@probe(needs="finite", unless="softmax network.random network.exploded function.shape")
def no_activation(subject: Subject) -> Said:
    """Compare the scores of two pictures and those of their sum, if there are several layers."""
    network, x = subject, subject.x[: 2 * PICTURES].astype(np.float64)
    if subject.twin is not None:
        network = subject.twin
        read = [k for k in range(len(network.arrays())) if k not in network.unread]
        layers = sum(is_weights(network.arrays()[k]) for k in read)
        network.random_point(seed=8)
        x = np.random.default_rng(8).random((2 * PICTURES, subject.x.shape[1]))
        x *= float(np.abs(subject.x).max()) or 1.0
    else:
        layers = len(subject.layers)
    if layers < 2 or len(x) < 4:
        return
    # Near 0 the biases may hold all units on one side of their bend: so far away, too.
    found = [_deviation(network, x * scale) for scale in (0.25, 1, 4, 16)]
    seen = [each for each in found if each is not None]
    if seen and max(seen) < 1e-4:
        given = f"pictures a, b and a + b; {layers} layers"
        returned = f"the scores of a and of b make up those of a + b, but for {max(seen):.0e}"
        yield finding("network.linear", given, returned, "a difference", layers=layers)


def _deviation(network: Subject, x: np.ndarray) -> float | None:
    """Return by how much scores of a sum differ from the sum of scores; None if none are seen."""
    half = len(x) // 2
    a, b = x[:half], x[half : 2 * half]
    scores = [_scores(network.predict(each)) for each in (a, b, a + b, 0 * a)]
    first, second, both, neither = scores
    if first is None or second is None or both is None or neither is None:
        return None
    size = float(np.abs(first - neither).max())
    return float(np.abs(first + second - both - neither).max()) / size if size > 1e-3 else None


def _scores(p: np.ndarray) -> np.ndarray | None:
    """Return logits but for a constant in each row; None if probabilities are too near to 0."""
    if not p.size or p.min() <= 1e-12 or not np.isfinite(p).all():
        return None
    logits = np.log(p)
    return logits - logits.mean(axis=1, keepdims=True)


PROBES = (no_activation,)
