"""What training for accuracy and training for the pad share: learning rates, and soft labels."""

from collections.abc import Iterator

import numpy as np

from mnist_core import log_softmax


def learning_rates(peak: float, steps: int, warm_up: float) -> Iterator[float]:
    """Rise evenly from 0 to the peak, then fall evenly to 0: one learning rate for each step."""
    rising = max(round(warm_up * steps), 1)
    for step in range(steps):
        yield peak * min((step + 1) / rising, (steps - step) / max(steps - rising, 1))


def smooth_labels(labels: np.ndarray, classes: int, smoothing: float) -> np.ndarray:
    """Ask for less than certainty: targets float32 (n, classes) for labels (n,).

    The label's class gets 1 - smoothing, and all classes share the rest evenly. Source: C. Szegedy,
    V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna, Rethinking the Inception architecture for computer
    vision, CVPR 2016, section 7 (doi:10.1109/CVPR.2016.308).
    """
    targets = np.full((len(labels), classes), smoothing / classes, np.float32)
    targets[np.arange(len(labels)), labels] += 1 - smoothing
    return targets


def soft_cross_entropy_gradient(
    logits: np.ndarray, targets: np.ndarray, *, out: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Compute what `cross_entropy_gradient` does, with probabilities in place of labels.

    Parameters
    ----------
    logits : (batch, classes), the scores before softmax
    targets : (batch, classes), each row with the sum 1
    """
    log_p = log_softmax(logits)
    loss = float(-(targets * log_p).sum() / len(targets))
    d_logits = np.exp(log_p, out=out)
    d_logits -= targets
    d_logits /= len(targets)
    return loss, d_logits
