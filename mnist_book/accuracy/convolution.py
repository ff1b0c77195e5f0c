"""Convolution: a layer that looks at all windows of a picture with the same weights.

Cut into windows, a picture is a matrix with a row for each window, and the layer is `linear`. So
what is new is the cutting alone, `windows`, and its way back, `windows_gradient`. Source: Y. LeCun,
L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document recognition,
Proceedings of the IEEE, 1998, section II (doi:10.1109/5.726791). Chapter 12 builds both.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np

from mnist_core import (
    cross_entropy_gradient,
    he_normal,
    leaky_relu,
    leaky_relu_gradient,
    linear,
    linear_gradient,
)

SIZE, STRIDE = 5, 2  # pixels: a window's side, and from each window to the next


def windows(x: np.ndarray) -> np.ndarray:
    """Lay the windows of pictures side by side, each window a row of numbers.

    Parameters
    ----------
    x : (batch, height, width, channels)

    Returns
    -------
    (batch, rows, columns, 25 * channels), with rows = (height - 5) // 2 + 1, columns alike
    """
    view = np.lib.stride_tricks.sliding_window_view(x, (SIZE, SIZE), axis=(1, 2))
    view = np.moveaxis(view[:, ::STRIDE, ::STRIDE], 3, -1)  # (batch, rows, columns, 5, 5, channels)
    return view.reshape(*view.shape[:3], -1)


def windows_gradient(d_windows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Compute the gradient with respect to what `windows` was given.

    A pixel stands in several windows, so its gradient is the sum over all of its places in them.

    Parameters
    ----------
    d_windows : (batch, rows, columns, 25 * channels)
    shape : (batch, height, width, channels), that of x

    Returns
    -------
    d_x : of this shape
    """
    _, rows, columns, _ = d_windows.shape
    parts = d_windows.reshape(*d_windows.shape[:3], SIZE, SIZE, shape[3])
    d_x = np.zeros(shape, d_windows.dtype)
    for i, j in product(range(SIZE), repeat=2):
        down = slice(i, i + STRIDE * rows, STRIDE)
        right = slice(j, j + STRIDE * columns, STRIDE)
        d_x[:, down, right] += parts[:, :, :, i, j]
    return d_x


class ConvolutionalNetwork:
    """Layers of convolution, each behind the other, and a plain layer that gives ten scores.

    Parameters
    ----------
    kernels : how many each layer of convolution has
    rng : draws the weights

    Attributes
    ----------
    parameters : weights and bias of each layer in turn; a convolution's weights have the shape
        (25 * channels, kernels)
    """

    def __init__(
        self,
        kernels: Sequence[int],
        *,
        rng: np.random.Generator,
        side: int = 28,
        dtype: type = np.float32,
    ) -> None:
        self.parameters: list[np.ndarray] = []
        channels = 1
        for count in kernels:
            self._add_layer(rng, SIZE * SIZE * channels, count, dtype)
            channels, side = count, (side - SIZE) // STRIDE + 1
        self._add_layer(rng, side * side * channels, 10, dtype)

    def _add_layer(self, rng: np.random.Generator, inputs: int, outputs: int, dtype: type) -> None:
        self.parameters += [
            he_normal(rng, inputs, outputs).astype(dtype),
            np.zeros(outputs, dtype),
        ]

    def forward(self, x: np.ndarray) -> tuple[list[tuple], np.ndarray, np.ndarray]:
        """Compute the scores (batch, 10) of pictures (batch, height, width, 1).

        Returns
        -------
        what the way back needs of each convolution, what the last layer was given, the scores
        """
        *layers, last_weights, last_bias = self.parameters
        kept, a = [], x
        for weights, bias in zip(layers[::2], layers[1::2], strict=True):
            seen = windows(a)
            z = linear(seen.reshape(-1, len(weights)), weights, bias)
            kept.append((a.shape, seen, z))
            a = leaky_relu(z).reshape(*seen.shape[:3], -1)
        flat = a.reshape(len(a), -1)
        return kept, flat, linear(flat, last_weights, last_bias)

    def gradients(self, x: np.ndarray, labels: np.ndarray) -> tuple[float, list[np.ndarray]]:
        """Compute the mean loss, and its gradient with respect to each of `parameters`."""
        kept, flat, logits = self.forward(x)
        loss, d_z = cross_entropy_gradient(logits, labels)
        d_a, *found = linear_gradient(flat, self.parameters[-2], d_z)
        for layer in reversed(range(len(kept))):
            shape, seen, z = kept[layer]
            weights = self.parameters[2 * layer] if layer else None  # pixels need no gradient
            assert d_a is not None  # there is one wherever weights were given
            d_z = d_a.reshape(z.shape) * leaky_relu_gradient(z)
            d_seen, *own = linear_gradient(seen.reshape(len(z), -1), weights, d_z)
            found = [*own, *found]
            if d_seen is not None:
                d_a = windows_gradient(d_seen.reshape(seen.shape), shape)
        return loss, found

    def predict(self, x: np.ndarray, at_once: int = 500) -> np.ndarray:
        """Name the digit (n,) of each picture (n, height, width, 1)."""
        parts = [x[start : start + at_once] for start in range(0, len(x), at_once)]
        return np.concatenate([self.forward(part)[2].argmax(axis=1) for part in parts])
