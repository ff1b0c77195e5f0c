"""What training for accuracy and training for the pad share."""

import numpy as np
import pytest

from mnist_book.schedule import learning_rates, smooth_labels, soft_cross_entropy_gradient
from mnist_core import Network, cross_entropy_gradient, softmax

# --- learning rates ------------------------------------------------------------------------------


def test_learning_rates_rise_and_fall_evenly():
    rates = list(learning_rates(0.5, 100, 0.2))
    assert len(rates) == 100
    np.testing.assert_allclose(rates[:20], 0.5 * np.arange(1, 21) / 20)
    np.testing.assert_allclose(rates[20:], 0.5 * np.arange(80, 0, -1) / 80)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_learning_rates_of_very_few_steps(steps):
    rates = list(learning_rates(0.5, steps, 0.05))
    assert len(rates) == steps
    assert max(rates) == 0.5
    assert min(rates) > 0


# --- smoothed labels -----------------------------------------------------------------------------


def test_smoothed_labels_by_hand():
    targets = smooth_labels(np.array([1, 2]), 3, 0.3)
    np.testing.assert_allclose(targets, [[0.1, 0.8, 0.1], [0.1, 0.1, 0.8]], rtol=1e-6)
    np.testing.assert_array_equal(smooth_labels(np.array([1]), 3, 0.0), [[0, 1, 0]])
    assert targets.dtype == np.float32


def test_soft_labels_by_hand():
    logits, targets = np.log([[0.5, 0.25, 0.25]]), np.array([[0.1, 0.8, 0.1]])
    loss, gradient = soft_cross_entropy_gradient(logits, targets)
    assert loss == pytest.approx(-(0.1 * np.log(0.5) + 0.9 * np.log(0.25)))
    np.testing.assert_allclose(gradient, softmax(logits) - targets)


def test_of_certain_labels_it_is_the_cross_entropy():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(0, 3, (7, 10)), rng.integers(0, 10, 7)
    loss, gradient = soft_cross_entropy_gradient(logits, np.eye(10)[labels])
    expected_loss, expected = cross_entropy_gradient(logits, labels)
    assert loss == pytest.approx(expected_loss)
    np.testing.assert_allclose(gradient, expected, atol=1e-15)


def test_the_gradient_of_soft_labels_agrees_with_central_differences():
    rng = np.random.default_rng(1)
    logits, targets, step = rng.normal(0, 2, (5, 10)), rng.dirichlet(np.ones(10), 5), 1e-5
    _, gradient = soft_cross_entropy_gradient(logits, targets)
    for index in np.ndindex(logits.shape):
        higher, lower = logits.copy(), logits.copy()
        higher[index] += step
        lower[index] -= step
        rise = (
            soft_cross_entropy_gradient(higher, targets)[0]
            - soft_cross_entropy_gradient(lower, targets)[0]
        )
        assert rise / (2 * step) == pytest.approx(gradient[index], abs=1e-9)


def test_soft_labels_write_to_out_and_bear_extreme_scores():
    logits, out = np.array([[1000, 0, -1000]], np.float32), np.empty((1, 3), np.float32)
    targets = np.array([[0.1, 0.1, 0.8]], np.float32)
    loss, gradient = soft_cross_entropy_gradient(logits, targets, out=out)
    assert gradient is out
    assert loss == pytest.approx(0.1 * 1000 + 0.8 * 2000)
    np.testing.assert_allclose(gradient, [[0.9, -0.1, -0.8]], atol=1e-6)


def test_a_network_takes_soft_labels():
    rng = np.random.default_rng(7)
    network = Network((20, 9, 7, 11), rng=rng, dtype=np.float64)
    x, labels = rng.normal(size=(16, 20)), rng.integers(0, 11, 16)
    loss, expected = network.loss_and_gradients(x, labels)
    soft_loss, found = network.loss_and_gradients(
        x, np.eye(11)[labels], loss_gradient=soft_cross_entropy_gradient
    )
    assert soft_loss == pytest.approx(loss)
    for gradient, usual in zip(found, expected, strict=True):
        np.testing.assert_allclose(gradient, usual, atol=1e-12)
