"""A convolution is what its formula says, and its gradients are what nudges find."""

import numpy as np
import pytest

from mnist_book.accuracy.convolution import ConvolutionalNetwork, windows, windows_gradient
from mnist_core import cross_entropy


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_a_window_is_the_part_of_the_picture_that_it_should_be(rng):
    x = rng.normal(size=(2, 11, 14, 3))
    seen = windows(x)
    assert seen.shape == (2, 4, 5, 75)
    for row, column in ((0, 0), (1, 4), (3, 2)):
        part = x[1, 2 * row : 2 * row + 5, 2 * column : 2 * column + 5]
        np.testing.assert_array_equal(seen[1, row, column], part.ravel())


def test_the_way_back_is_the_transpose_of_the_way_forth(rng):
    """For any g, the sum of g * windows(x) equals the sum of windows_gradient(g) * x."""
    x = rng.normal(size=(2, 12, 11, 3))  # the last row of pixels stands in no window
    g = rng.normal(size=windows(x).shape)
    assert np.sum(g * windows(x)) == pytest.approx(np.sum(windows_gradient(g, x.shape) * x))
    assert not windows_gradient(g, x.shape)[:, -1].any()


@pytest.mark.parametrize("kernels", [(), (3,), (3, 4)])
def test_gradients_agree_with_central_differences(rng, kernels):
    network = ConvolutionalNetwork(kernels, rng=rng, side=14, dtype=np.float64)
    x, labels = rng.normal(size=(4, 14, 14, 1)), rng.integers(10, size=4)
    _, found = network.gradients(x, labels)
    assert len(found) == len(network.parameters) == 2 * len(kernels) + 2
    for parameter, gradient in zip(network.parameters, found, strict=True):
        entry = tuple(rng.integers(parameter.shape))
        value, losses = parameter[entry], []
        for step in (1e-5, -1e-5):
            parameter[entry] = value + step
            losses.append(cross_entropy(network.forward(x)[2], labels))
        parameter[entry] = value
        assert gradient[entry] == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-4, abs=1e-9)


def test_a_picture_shifted_by_a_stride_gives_the_same_windows_shifted(rng):
    x = np.zeros((1, 28, 28, 1))
    x[0, 8:16, 8:16, 0] = rng.normal(size=(8, 8))
    np.testing.assert_array_equal(windows(np.roll(x, 2, axis=2))[:, :, 1:], windows(x)[:, :, :-1])
