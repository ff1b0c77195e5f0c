"""What is left of a single gradient in the steps after it: the response to an impulse.

Where inputs are very large, and the first weights as much smaller, all sums stay as they are, and
the gradient of these weights is so large that everything else counts for nothing. Inputs of 0 give
them no gradient at all. So one step with the former and some with the latter show how a velocity
fades. Methods that make steps of one length from gradients of any size are no matter of this.
"""

from itertools import pairwise

import numpy as np

from mnist_book.diagnosis.examine.probing import Said, finding, probe
from mnist_book.diagnosis.examine.stepper import Stepper, cosine, first_weights, length
from mnist_book.diagnosis.examine.subject import Subject

SIZES = 1e13, 1e10  # times the usual inputs
AFTER, LONG_AFTER = 4, 40  # steps without a gradient
EXACT = 1e-6  # relative, of lengths of steps
FADES = 0.1, 0.9999  # factors of a velocity
MORE = 1.05  # times what fading leaves


def impulse(subject: Subject) -> np.ndarray | None:
    """Return the lengths of steps, (1 + AFTER,), relative to the first; None if not linear.

    They are so only if a gradient that is 1,000 times as large makes a step as much longer, and all
    steps have one direction.
    """
    k, stepper, firsts, found = first_weights(subject), Stepper(subject), [], []
    if k is None:
        return None
    x, y = stepper.batch(12)
    for size in SIZES:
        network = stepper.start(11)
        network.arrays()[k][...] /= size
        if network.arrays()[k].dtype != np.float64:
            return None
        taken = [stepper.change(network, size * x, y)]
        taken += [stepper.change(network, 0 * x, y) for _ in range(AFTER)]
        if None in taken or not all(np.isfinite(step[k]).all() for step in taken):
            return None
        steps = [step[k] for step in taken]
        if not all(step.any() and cosine(step, steps[0]) > 1 - EXACT for step in steps):
            return None
        firsts.append(length(steps[0]) / size)
        found.append(np.array([length(step) / length(steps[0]) for step in steps]))
    linear = abs(firsts[0] / firsts[1] - 1) < EXACT and np.allclose(
        found[0], found[1], rtol=EXACT, atol=0
    )
    return found[0] if linear else None


def catches_up(subject: Subject) -> bool:
    """Tell weights that follow others, as moving averages do, from those with a velocity.

    When they are not put back after a step, the distance becomes smaller, and so do steps.
    """
    k, stepper, lengths = first_weights(subject), Stepper(subject), []
    if k is None:
        return False
    network, (x, y) = stepper.start(11), stepper.batch(12)
    network.arrays()[k][...] /= SIZES[0]
    for inputs in [SIZES[0] * x] + LONG_AFTER * [0 * x]:
        before = network.arrays()[k].copy()
        network.attempt("step", inputs, network.labels_for(y))
        lengths.append(length(network.arrays()[k] - before))
    return lengths[-1] < FADES[1] * lengths[-2]


@probe(
    needs="step parameters finite whole twin",
    unless="network.random gradients cross_entropy train function",
)
def velocity(subject: Subject) -> Said:
    """Look for a velocity of which more is left, after the first step, than fading leaves.

    A step is the gradient, or a share of it, and a velocity, which is the sum of old ones that
    fade: with momentum, with or without damping, and with both forms of Nesterov's, the second step
    has no larger a share of the first than the third of the second. Rates that change from step to
    step make shares of which no two are the same.
    """
    lengths = subject.once(impulse)
    if lengths is None:
        return
    first, *later = (b / a for a, b in pairwise(lengths))
    fade = float(np.mean(later))
    if not FADES[0] < fade < FADES[1] or np.ptp(later) > EXACT or first < MORE * fade:
        return
    given = f"a giant gradient, then none in {AFTER} steps"
    returned = f"steps of lengths {', '.join(f'{each:.4g}' for each in lengths)}"
    expected = f"{', '.join(f'{fade**k:.4g}' for k in range(len(lengths)))}"
    ahead = abs(first / fade - 2) < 1e-3
    says = "network_ahead" if ahead else "network_more"
    values = {"momentum": f"{fade:.4g}", "first": f"{first:.4g}"}
    yield finding("train.momentum", given, returned, expected, says, **values)


PROBES = (velocity,)
