"""Random points at which no output is extreme, whatever the network is built like.

In a logarithm of p + 1e-12, the small number counts where p is smaller still, and the slope of the
loss is another one than with p alone. Where shortcuts add up layers, or units are many, weights of
the usual size can make scores that large. Then the last weights are drawn smaller, or all of them.
"""

from itertools import product

import numpy as np

from mnist_book.diagnosis.examine.objective import BATCH
from mnist_book.diagnosis.examine.probing import Said, probe
from mnist_book.diagnosis.examine.slopes import SLOW, SMALL_BATCH
from mnist_book.diagnosis.examine.subject import Subject

LEAST = 1e-3  # of what an even share would be: a probability that is moderate
SEEDS: tuple[int, ...] = (2, 4, 5, 11)  # of points that probes go to
FACTORS = 0.5 ** np.arange(1, 8)


@probe(needs="parameters finite twin")
def calm(subject: Subject) -> Said:
    """Find the factors that make random points moderate; nothing is said."""
    x, seeds = subject.inputs(np.random.default_rng(1), BATCH), SEEDS
    subject.twin.random_point(SEEDS[0])
    p = subject.twin.predict(x)
    if p.shape != (len(x), subject.classes) or p.min() < 0 or p.max() > 1:
        return  # outputs that are no probabilities
    if subject.calls.work > SLOW:
        x, seeds = x[:SMALL_BATCH], SEEDS[:1]
    for kind in ("random", "positive"):
        for factors in [(1.0, 1.0), *product((1.0,), FACTORS), *zip(FACTORS, FACTORS, strict=True)]:
            subject.calmed[kind] = factors
            if _moderate(subject, kind, x, seeds):
                break
        else:
            del subject.calmed[kind]
    yield from ()


def _moderate(subject: Subject, kind: str, x: np.ndarray, seeds: tuple[int, ...]) -> bool:
    """Tell whether all classes are possible at these points, for each of the inputs."""
    for seed in seeds:
        subject.twin.random_point(seed, kind)
        p = subject.twin.predict(x)
        if p.shape != (len(x), subject.classes) or not p.min() >= LEAST / subject.classes:
            return False
        if np.ptp(p.sum(axis=1)) > 1e-3 and p.max() > 1 - LEAST / subject.classes:
            return False  # questions of their own, of which a no must be possible, too
    return True


PROBES = (calm,)
