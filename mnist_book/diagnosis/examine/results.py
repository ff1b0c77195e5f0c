"""What to make of results that a stranger's code may give in any form."""

from types import MappingProxyType

import numpy as np

from mnist_book.diagnosis.running import Theirs


def flattened(values: object) -> list[Theirs]:
    """Return what is in lists, tuples and dictionaries, however they are nested."""
    if isinstance(values, dict | MappingProxyType):
        values = list(values.values())
    if isinstance(values, list | tuple):
        return [item for value in values for item in flattened(value)]
    return [] if values is None else [values]


def loss_in(result: object) -> float | None:
    """Return the loss of what loss_and_gradients returned; None if that has another form."""
    if not isinstance(result, tuple | list) or len(result) != 2:
        return None
    return number_in(result[0])


def number_in(result: object) -> float | None:
    """Return a number, or the one that an array holds; None if it is anything else."""
    number = as_array(result)
    return float(number.item()) if number.size == 1 else None


def is_weights(array: np.ndarray) -> bool:
    """Tell weights, a matrix or a kernel of more dimensions, from a bias."""
    return array.ndim >= 2 and sum(side > 1 for side in array.shape) > 1


def is_matrix(array: np.ndarray) -> bool:
    """Tell a matrix from a bias, (n,), (n, 1) or (1, n), and from a kernel."""
    return array.ndim == 2 and min(array.shape) > 1


def by_units(activations: np.ndarray, batch: int) -> np.ndarray | None:
    """Return a layer's activations as (examples, units); None if they have another form.

    Of maps (batch, channels, rows, columns), (batch, rows, columns, channels) and of sequences
    (batch, times, units), each channel is a unit, and each place an example.
    """
    a = activations
    if a.shape == (batch,):
        return a[:, np.newaxis]
    if a.ndim == 2 and batch in a.shape:
        return a if len(a) == batch else a.T
    if a.ndim < 3 or len(a) != batch or not a.size:
        return None
    channels_last = a.ndim == 3 or a.shape[1] == a.shape[2] != a.shape[3]
    a = a if channels_last else np.moveaxis(a, 1, -1)
    return a.reshape(-1, a.shape[-1])


def cross_entropy(probabilities: np.ndarray, digits: np.ndarray) -> float:
    """Compute the mean cross-entropy in nats."""
    right = probabilities[np.arange(len(digits)), digits]
    return float(-np.log(np.clip(right, 1e-300, None)).mean())


def copied(value: object) -> object:
    """Copy an array; leave anything else."""
    return value.copy() if isinstance(value, np.ndarray) else value


def described(*arguments: object) -> str:
    """Describe the arrays among the arguments."""
    return " and ".join(f"{x.dtype} {x.shape}" for x in arguments if isinstance(x, np.ndarray))


def as_array(result: object) -> np.ndarray:
    """Make an array of numbers of anything, an empty one (0, 0) where that does not work."""
    try:
        array = np.asarray(result)
        return array if array.dtype.kind in "fiub" else np.empty((0, 0))
    except Exception:  # a stranger's object may refuse in any way
        return np.empty((0, 0))


def identical(a: object, b: object) -> bool:
    """Tell whether two results are the same numbers, or both none at all."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return np.array_equal(a, b) or np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    return isinstance(a, np.ndarray) == isinstance(b, np.ndarray)
