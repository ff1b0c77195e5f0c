"""The last layer's error d_z: where it stands, and what tells it where there is no bias."""

import numpy as np

from mnist_book.diagnosis.examine.results import is_matrix, is_weights
from mnist_book.diagnosis.examine.subject import Subject


def output_bias(subject: Subject) -> int | None:
    """Return which parameter is the output's bias."""
    arrays = subject.arrays()
    matrix = max((k for k, array in enumerate(arrays) if is_matrix(array)), default=len(arrays))
    found = [k for k, a in enumerate(arrays) if not is_weights(a) and a.size == subject.classes]
    after = [k for k in found if k > matrix]
    return after[-1] if after else None


def error_of(
    subject: Subject, gradient: np.ndarray, weights: np.ndarray, p: np.ndarray
) -> np.ndarray:
    """Return d_z of a last layer without a bias, for one picture.

    The weights' gradient is the product of a column, the layer's inputs, and d_z. How long that
    column is, the scores tell, which it makes; else d_z is of length 1.
    """
    if subject.columns:
        gradient, weights = gradient.T, weights.T
    units, sizes, errors = np.linalg.svd(gradient, full_matrices=False)
    scores, sum_is_1 = units[:, 0] @ weights, np.isclose(p.sum(), 1)
    with np.errstate(all="ignore"):
        found = np.log(p) if sum_is_1 else np.log(p / (1 - p))
    if sum_is_1:
        scores, found = scores - scores.mean(), found - found.mean()
    size = float(scores @ found / max(scores @ scores, 1e-300))
    told = size and np.allclose(size * scores, found, rtol=1e-6, atol=1e-9)
    return errors[0] * sizes[0] / size if told else errors[0]
