"""The pictures and labels that a network is examined with."""

import numpy as np

import mnist_core
from mnist_book.diagnosis.running import Theirs


class Examples:
    """Pictures as the network takes them, digits, and how its labels are written.

    Attributes
    ----------
    images : (n, inputs) floats
    digits : (n,) integers
    labels : as they were given
    one_hot : whether labels are rows with a single 1
    shape : of a picture as it was given
    given_as : the type of the pictures as they were given
    scaled : whether their bytes were scaled to 0..1 here
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray, network: Theirs) -> None:
        self.labels, self.shape, self.given_as = labels, images.shape[1:], images.dtype
        self.one_hot = labels.ndim == 2 and labels.shape[1] > 1
        digits = labels.argmax(axis=1) if self.one_hot else labels.reshape(-1)
        self.whole = bool((digits == digits.astype(np.int64)).all())
        self.digits = digits.astype(np.int64)
        images = images.reshape(len(images), -1)
        self.scaled = images.dtype == np.uint8 and issubclass(type(network), mnist_core.Network)
        if self.scaled:
            images = mnist_core.scale_pixels(images, network.dtype.type)
        self.images = images if images.dtype.kind == "f" else images.astype(np.float64)

    def written(self, digits: np.ndarray, classes: int) -> np.ndarray:
        """Write labels as the network's own are written."""
        if self.one_hot:
            kind = self.labels.dtype if self.labels.ndim == 2 else np.float64
            return np.eye(classes, dtype=kind)[digits]
        return digits.astype(self.labels.dtype).reshape(-1, *self.labels.shape[1:])


def fit(images: np.ndarray, labels: np.ndarray) -> bool:
    """Tell whether images (n, ...) and labels (n,), (n, 1) or one-hot (n, classes) are a pair."""
    numbers = images.dtype.kind in "biuf" and labels.dtype.kind in "biuf"
    if not numbers or images.ndim < 2 or not len(images) or labels.ndim not in (1, 2):
        return False
    return len(labels) == len(images) and labels.size > 0
