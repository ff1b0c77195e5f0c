"""How the learning rate changes from step to step.

Steps of two copies that differ in the last batch alone differ by the rate times what the gradients
differ by: velocities cancel. So the rate shows after one step, after two, and so on.
"""

import numpy as np

from mnist_book.diagnosis.examine.probing import Said, finding
from mnist_book.diagnosis.examine.stepper import Stepper
from mnist_book.diagnosis.examine.subject import Subject

TIMES = 5  # steps after which the rate is looked at
FASTEST_FALL = 0.97  # of a learning rate, from step to step
SLOWEST_DECAY = 1e-6  # that is looked for where decays compound: it halves the rate in 1,200 steps
HOLES = 3  # every third number is 0, to which the smallest step can be added


def falls(rates: np.ndarray) -> Said:
    """Say how rates fall that no training is meant to have: by a factor in each step, or faster.

    Other schedules fall by a share of the first rate, or less and less. With decay that compounds,
    rate *= 1 / (1 + decay * t), the ratios 1 + decay * t grow evenly, and t is a whole number; it
    is a half more where a cosine falls.
    """
    if not (np.isfinite(rates).all() and (rates > 0).all()):
        return
    ratios, code = rates[1:] / rates[:-1], "train.rate_falls"
    given = f"the same gradient after 0 to {len(rates) - 1} steps"
    returned = f"learning rates in proportions of {', '.join(f'{r / rates[0]:.4g}' for r in rates)}"
    if np.ptp(ratios) < 1e-3 and ratios[0] < FASTEST_FALL:
        half = f"{np.log(0.5) / np.log(ratios[0]):.2g}"
        values = {"factor": f"{ratios[0]:.3g}", "half": half}
        yield finding(code, given, returned, "one length, or nearly", **values)
        return
    growth = np.diff(1 / ratios)
    decay = float(growth.mean())
    if decay > SLOWEST_DECAY and np.ptp(growth) < 1e-3 * decay:
        time = (1 / ratios[0] - 1) / decay
        if abs(time - round(time)) < 0.05:
            half = f"{np.sqrt(2 * np.log(2) / decay):.2g}"
            values = {"decay": f"{decay:.3g}", "half": half}
            yield finding(
                code, given, returned, "1 / (1 + decay * t)", "network_compound", **values
            )


def rate(subject: Subject) -> Said:
    """Look for a learning rate that falls too fast, with or without momentum."""
    first, last = (_rate_after(subject, count) for count in (0, TIMES - 1))
    if first is None or last is None or abs(last - first) < 1e-9 * first:
        return
    between = [_rate_after(subject, count) for count in range(1, TIMES - 1)]
    if None not in between:
        yield from falls(np.array([first, *between, last]))


def steady(subject: Subject) -> bool:
    """Tell whether the rate stays as it is, for some steps."""
    first, last = (_rate_after(subject, count) for count in (0, TIMES - 1))
    return first is None or last is None or abs(last - first) < 1e-6 * first


def _rate_after(subject: Subject, count: int) -> float | None:
    """Return the length of what another batch changes in a step, after so many steps.

    It is looked for where holes in the weights show the shortest steps as well.
    """
    stepper, steps = Stepper(subject), []
    batches = stepper.batch(12), stepper.batch(13)
    for batch in batches:
        network = stepper.start(11)
        for array in network.arrays():
            array.flat[::HOLES] = 0
        for _ in range(count):
            stepper.change(network, *batches[0])
        step = stepper.change(network, *batch)
        if step is None:
            return None
        steps.append(np.concatenate([s.ravel()[::HOLES] for s in step]))
    return float(np.linalg.norm((steps[0] - steps[1]) * 1e150) / 1e150)  # squares of the smallest
