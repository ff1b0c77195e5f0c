"""Layers, softmax, cross-entropy, activation, initialization: chapters 2 to 5."""

import math
import tracemalloc
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_core import (
    cross_entropy,
    cross_entropy_gradient,
    he_normal,
    leaky_relu,
    leaky_relu_gradient,
    linear,
    linear_gradient,
    log_softmax,
    softmax,
    xavier_normal,
)

pytestmark = pytest.mark.filterwarnings("error")
quietly = settings(deadline=None, database=None, derandomize=True, max_examples=60)


def central_differences(function, array, step=1e-6):
    """The gradient of function() with respect to an array that it reads, entry by entry."""
    gradient = np.empty(array.shape)
    for entry in np.ndindex(array.shape):
        value = array[entry]
        array[entry] = value + step
        above = function()
        array[entry] = value - step
        below = function()
        array[entry] = value
        gradient[entry] = (above - below) / (2 * step)
    return gradient


def peak_of(function):
    """Bytes that a call has allocated at its worst moment.

    NumPy converts and broadcasts through buffers of 8,192 elements: only large arrays tell.
    """
    function()  # what is cached on first use does not count
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        function()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def precise_log_softmax(logits):
    """Rows of Decimals, exact to some 40 digits whatever the size of the logits."""
    rows = []
    with localcontext() as context:
        context.prec = 700  # 1e308 + 1e-308 has 617 digits
        for row in logits.tolist():
            exact = [Decimal(value) for value in row]
            shifted = [value - max(exact) for value in exact]
            context.prec = 50
            log_sum = sum(value.exp() for value in shifted).ln()
            rows.append([value - log_sum for value in shifted])
            context.prec = 700
    return rows


def precise_softmax(logits):
    rows = precise_log_softmax(logits)
    return np.array([[float(value.exp()) for value in row] for row in rows])


def precise_cross_entropy(logits, labels):
    rows = precise_log_softmax(logits)
    losses = [float(-row[label]) for row, label in zip(rows, labels, strict=True)]
    if logits.dtype == np.float32:  # the loss of one row may be beyond what its type can hold
        losses = [math.inf if loss > float(np.finfo(np.float32).max) else loss for loss in losses]
    return math.fsum(loss / len(losses) for loss in losses)


# --------------------------------------------------------------------------------- linear


@pytest.mark.parametrize(
    ("batch", "inputs", "outputs"), [(1, 1, 1), (1, 3, 2), (4, 2, 5), (7, 5, 3)]
)
def test_linear_equals_three_loops(batch, inputs, outputs):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(batch, inputs))
    weights = rng.normal(size=(inputs, outputs))
    bias = rng.normal(size=outputs)
    expected = [[0.0] * outputs for _ in range(batch)]
    for row in range(batch):
        for column in range(outputs):
            total = float(bias[column])
            for k in range(inputs):
                total += float(x[row, k]) * float(weights[k, column])
            expected[row][column] = total
    z = linear(x, weights, bias)
    assert z.shape == (batch, outputs)
    np.testing.assert_allclose(z, expected, rtol=1e-13, atol=1e-14)


def test_linear_with_square_weights_does_not_transpose_them():
    weights = np.array([[0.0, 1.0], [0.0, 0.0]])
    np.testing.assert_array_equal(linear(np.array([[3.0, 5.0]]), weights, np.zeros(2)), [[0, 3]])


def test_linear_keeps_its_arguments():
    x, weights, bias = np.ones((2, 3)), np.ones((3, 4)), np.ones(4)
    linear(x, weights, bias)
    assert (x == 1).all()
    assert (weights == 1).all()
    assert (bias == 1).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_linear_writes_to_out_and_allocates_nothing(dtype):
    rng = np.random.default_rng(2)
    x, weights = rng.normal(size=(500, 50)).astype(dtype), rng.normal(size=(50, 400)).astype(dtype)
    bias = rng.normal(size=400).astype(dtype)
    fresh = linear(x, weights, bias)
    out = np.full((500, 400), np.nan, dtype)
    assert linear(x, weights, bias, out=out) is out
    assert fresh.dtype == dtype
    np.testing.assert_array_equal(out, fresh)
    assert peak_of(lambda: linear(x, weights, bias, out=out)) < out.nbytes / 4


@pytest.mark.parametrize("shape", [(3,), (), (2, 4), (2, 3, 1), (3, 2)])
def test_linear_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match=r"expected \(batch, 3\)"):
        linear(np.zeros(shape), np.zeros((3, 2)), np.zeros(2))


def test_linear_refuses_a_bias_of_another_size():
    with pytest.raises(ValueError, match="broadcast"):
        linear(np.zeros((4, 3)), np.zeros((3, 2)), np.zeros(3))


@pytest.mark.parametrize(("batch", "inputs", "outputs"), [(1, 4, 3), (5, 3, 3), (3, 2, 6)])
def test_linear_gradient_equals_central_differences(batch, inputs, outputs):
    rng = np.random.default_rng(3)
    x, weights = rng.normal(size=(batch, inputs)), rng.normal(size=(inputs, outputs))
    bias, d_z = rng.normal(size=outputs), rng.normal(size=(batch, outputs))

    def scalar():  # its gradient with respect to z is d_z
        return math.fsum(((x @ weights + bias) * d_z).ravel())

    found = linear_gradient(x, weights, d_z)
    for array, gradient in zip((x, weights, bias), found, strict=True):
        assert gradient.shape == array.shape
        np.testing.assert_allclose(gradient, central_differences(scalar, array), atol=1e-8)


def test_linear_gradient_without_weights_spares_d_x():
    rng = np.random.default_rng(4)
    x, weights, d_z = rng.normal(size=(5, 3)), rng.normal(size=(3, 2)), rng.normal(size=(5, 2))
    d_x, d_weights, d_bias = linear_gradient(x, None, d_z)
    assert d_x is None
    _, same_weights, same_bias = linear_gradient(x, weights, d_z)
    np.testing.assert_array_equal(d_weights, same_weights)
    np.testing.assert_array_equal(d_bias, same_bias)


def test_linear_gradient_writes_to_out_and_allocates_nothing():
    rng = np.random.default_rng(5)
    x, weights = rng.normal(size=(400, 350)), rng.normal(size=(350, 300))
    d_z = rng.normal(size=(400, 300))
    fresh = linear_gradient(x, weights, d_z)
    out = tuple(np.full_like(array, np.nan) for array in fresh)
    found = linear_gradient(x, weights, d_z, out=out)
    for ours, given_out, expected in zip(found, out, fresh, strict=True):
        assert ours is given_out
        np.testing.assert_array_equal(ours, expected)
    assert peak_of(lambda: linear_gradient(x, weights, d_z, out=out)) < weights.nbytes / 4


# --------------------------------------------------------------------------------- softmax

ORDINARY = np.random.default_rng(6).normal(0, 3, (6, 10))
HUGE = [
    np.array([[1000.0, 1001.0, 999.0]]),
    np.array([[-1000.0, -1001.0, -999.0]]),
    np.array([[1e308, 1e308, 0.0]]),
    np.array([[-1e308, -1e308, -1e308]]),
    np.array([[1e308, -1e308, 0.0]]),
    np.array([[1.7e308, -1.7e308, 1.7e308], [0.0, 1.0, 2.0], [-1e308, -1.7e308, -1e308]]),
    np.array([[1e6, 1e6 + 1, 1e6 - 2], [0.0, 1.0, -2.0], [-1e6, -1e6 + 1, -1e6 - 2]]),
    np.array([[5e-324, 0.0, -5e-324]]),
    np.array([[3e38, -3e38, 0.0], [1.0, 2.0, 3.0], [-3e38, -3e38, -3e38]], np.float32),
    np.array([[100.0, 101.0, 99.0], [-90.0, -89.0, -200.0]], np.float32),
]
BY_HAND = np.array([[0.0, math.log(2), math.log(5)], [math.log(4), 0.0, math.log(3)]])


def test_softmax_by_hand():
    expected = [[1 / 8, 2 / 8, 5 / 8], [4 / 8, 1 / 8, 3 / 8]]
    np.testing.assert_allclose(softmax(BY_HAND), expected, rtol=1e-14)
    np.testing.assert_allclose(log_softmax(BY_HAND), np.log(expected), rtol=1e-14)


@pytest.mark.parametrize("logits", [ORDINARY, *HUGE])
def test_softmax_equals_high_precision(logits):
    p = softmax(logits)
    tolerance = 1e-12 if logits.dtype == np.float64 else 1e-5
    assert p.shape == logits.shape
    assert p.dtype == logits.dtype
    np.testing.assert_allclose(p, precise_softmax(logits), rtol=tolerance, atol=1e-40)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=tolerance)


@pytest.mark.parametrize("logits", [ORDINARY, *HUGE])
def test_log_softmax_equals_high_precision(logits):
    expected = np.array(precise_log_softmax(logits)).astype(np.float64)
    if logits.dtype == np.float32:
        expected[np.abs(expected) > np.finfo(np.float32).max] = -np.inf
    tolerance = 1e-13 if logits.dtype == np.float64 else 1e-6
    found = log_softmax(logits)
    assert found.dtype == logits.dtype
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_log_softmax_of_a_probability_that_underflows_is_finite():
    assert softmax(np.array([[0.0, 2000.0]]))[0, 0] == 0
    np.testing.assert_allclose(log_softmax(np.array([[0.0, 2000.0]])), [[-2000, 0]], atol=0)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64])
def test_whole_numbers_are_accepted(dtype):
    logits = np.array([[3, 1, 2], [100, 0, 100]], dtype)
    expected = precise_softmax(logits)
    np.testing.assert_allclose(softmax(logits), expected, rtol=1e-5, atol=1e-40)
    np.testing.assert_allclose(log_softmax(logits)[0], np.log(expected[0]), rtol=1e-6)
    labels = np.array([1, 2])
    expected = precise_cross_entropy(logits, labels)
    assert cross_entropy(logits, labels) == pytest.approx(expected, rel=1e-6)
    loss, gradient = cross_entropy_gradient(logits, labels)
    assert loss == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(gradient.sum(axis=1), 0, atol=1e-6)


def test_softmax_writes_to_out():
    out = np.full_like(ORDINARY, np.nan)
    assert softmax(ORDINARY, out=out) is out
    np.testing.assert_array_equal(out, softmax(ORDINARY))


def test_softmax_and_cross_entropy_keep_the_logits():
    logits = ORDINARY.copy()
    softmax(logits)
    log_softmax(logits)
    cross_entropy(logits, np.arange(6))
    cross_entropy_gradient(logits, np.arange(6))
    np.testing.assert_array_equal(logits, ORDINARY)


finite_rows = st.lists(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=4, max_size=4),
    min_size=1,
    max_size=5,
)
moderate_rows = st.lists(
    st.lists(st.floats(-300, 300), min_size=3, max_size=3), min_size=1, max_size=4
)


@quietly
@given(finite_rows)
def test_softmax_of_any_finite_logits_is_a_distribution(rows):
    logits = np.array(rows)
    p = softmax(logits)
    assert ((p >= 0) & (p <= 1)).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-14)
    # The larger score never has the smaller probability.
    order = np.argsort(logits, axis=1, kind="stable")
    assert (np.diff(np.take_along_axis(p, order, axis=1), axis=1) >= 0).all()
    assert (log_softmax(logits) <= 0).all()


@quietly
@given(moderate_rows)
def test_softmax_agrees_with_high_precision_everywhere(rows):
    logits = np.array(rows)
    np.testing.assert_allclose(softmax(logits), precise_softmax(logits), rtol=1e-12, atol=1e-300)
    expected = np.array(precise_log_softmax(logits)).astype(np.float64)
    np.testing.assert_allclose(log_softmax(logits), expected, rtol=1e-13, atol=1e-13)


@quietly
@given(moderate_rows, st.lists(st.floats(-1e4, 1e4), min_size=4, max_size=4))
def test_a_shift_of_a_row_changes_nothing(rows, shifts):
    logits = np.array(rows)
    shifted = logits + np.array(shifts)[: len(logits), np.newaxis]
    np.testing.assert_allclose(softmax(shifted), softmax(logits), rtol=1e-10, atol=1e-300)
    np.testing.assert_allclose(log_softmax(shifted), log_softmax(logits), atol=1e-10)


@quietly
@given(moderate_rows)
def test_a_row_does_not_depend_on_the_other_rows(rows):
    logits = np.array(rows)
    alone = np.concatenate([softmax(logits[i : i + 1]) for i in range(len(logits))])
    np.testing.assert_array_equal(softmax(logits), alone)


# --------------------------------------------------------------------------------- cross-entropy


@pytest.mark.parametrize("batch", [1, 2, 7])
@pytest.mark.parametrize("level", [0.0, -3.5, 1e300])
def test_cross_entropy_of_uniform_logits_is_ln_10(batch, level):
    logits, labels = np.full((batch, 10), level), np.arange(batch)
    assert cross_entropy(logits, labels) == pytest.approx(math.log(10), rel=1e-14)
    assert cross_entropy_gradient(logits, labels)[0] == pytest.approx(math.log(10), rel=1e-14)


def test_cross_entropy_by_hand():
    labels = np.array([2, 1])  # probabilities 5/8 and 1/8
    expected = (math.log(8 / 5) + math.log(8)) / 2
    assert cross_entropy(BY_HAND, labels) == pytest.approx(expected, rel=1e-14)
    loss, gradient = cross_entropy_gradient(BY_HAND, labels)
    assert loss == pytest.approx(expected, rel=1e-14)
    np.testing.assert_allclose(gradient, [[1 / 16, 2 / 16, -3 / 16], [4 / 16, -7 / 16, 3 / 16]])


@pytest.mark.parametrize("logits", [ORDINARY, *HUGE])
@pytest.mark.parametrize("first_label", [0, 1, 2])
def test_cross_entropy_and_its_gradient_equal_high_precision(logits, first_label):
    batch, classes = logits.shape
    labels = (np.arange(batch) + first_label) % classes
    expected = precise_cross_entropy(logits, labels)
    tolerance = 1e-13 if logits.dtype == np.float64 else 1e-5
    one_hot = np.eye(classes)[labels]
    loss, gradient = cross_entropy_gradient(logits, labels)
    assert isinstance(loss, float)
    assert isinstance(cross_entropy(logits, labels), float)
    assert loss == pytest.approx(expected, rel=tolerance, abs=tolerance)
    assert cross_entropy(logits, labels) == pytest.approx(expected, rel=tolerance, abs=tolerance)
    assert gradient.shape == logits.shape
    assert gradient.dtype == logits.dtype
    np.testing.assert_allclose(
        gradient, (precise_softmax(logits) - one_hot) / batch, rtol=tolerance, atol=tolerance
    )


@pytest.mark.parametrize(("dtype", "huge"), [(np.float64, 1e308), (np.float32, 3e38)])
def test_the_mean_of_huge_losses_does_not_overflow(dtype, huge):
    logits, labels = np.array([[huge, 0]] * 4, dtype), np.ones(4, np.int64)
    assert cross_entropy(logits, labels) == pytest.approx(huge, rel=1e-6)
    assert cross_entropy_gradient(logits, labels)[0] == pytest.approx(huge, rel=1e-6)


@pytest.mark.parametrize("label_type", [np.uint8, np.int8, np.int64])
def test_cross_entropy_gradient_equals_central_differences(label_type):
    logits = ORDINARY.copy()
    labels = np.array([3, 0, 9, 9, 5, 1], label_type)
    loss, gradient = cross_entropy_gradient(logits, labels)
    numeric = central_differences(lambda: cross_entropy(logits, labels), logits, 1e-5)
    np.testing.assert_allclose(gradient, numeric, atol=1e-10)
    assert loss == pytest.approx(cross_entropy(logits, labels), rel=1e-14)


def test_cross_entropy_gradient_writes_to_out_and_allocates_no_matrix():
    rng = np.random.default_rng(7)
    logits, labels = rng.normal(size=(500, 300)), rng.integers(0, 300, 500)
    out = np.full_like(logits, np.nan)
    loss, gradient = cross_entropy_gradient(logits, labels, out=out)
    assert gradient is out
    fresh_loss, fresh = cross_entropy_gradient(logits, labels)
    assert loss == fresh_loss
    np.testing.assert_array_equal(out, fresh)
    assert peak_of(lambda: cross_entropy_gradient(logits, labels, out=out)) < out.nbytes / 4


@quietly
@given(moderate_rows, st.lists(st.integers(0, 2), min_size=4, max_size=4))
def test_gradient_rows_sum_to_zero_and_only_the_label_is_negative(rows, labels):
    logits, labels = np.array(rows), np.array(labels)[: len(rows)]
    loss, gradient = cross_entropy_gradient(logits, labels)
    assert loss >= 0
    np.testing.assert_allclose(gradient.sum(axis=1), 0, atol=1e-15)
    of_label = np.eye(3, dtype=bool)[labels]
    assert (gradient[of_label] <= 0).all()
    assert (gradient[~of_label] >= 0).all()


@pytest.mark.parametrize("function", [cross_entropy, cross_entropy_gradient])
@pytest.mark.parametrize(
    "labels",
    [
        np.array([0.0, 1.0, 2.0]),
        np.array([True, False, True]),
        np.array(["0", "1", "2"]),
        np.eye(3, dtype=np.int64),
        np.array([[0], [1], [2]]),
        np.array([0, 1]),
        np.array([0, 1, 2, 0]),
        np.array(1),
        np.array([0, 1, 3]),
        np.array([0, -1, 2]),
        np.array([0, 1, 255], np.uint8),
    ],
    ids=lambda labels: f"{labels.dtype}-{labels.tolist()}",
)
def test_wrong_labels_are_refused(function, labels):
    with pytest.raises(ValueError, match=r"^labels: found .*, expected"):
        function(np.zeros((3, 3)), labels)


@pytest.mark.parametrize("function", [cross_entropy, cross_entropy_gradient])
def test_what_is_wrong_with_labels_is_said(function):
    with pytest.raises(ValueError, match=r"found -2 to 7, expected 0 to 3$"):
        function(np.zeros((3, 4)), np.array([1, -2, 7]))
    with pytest.raises(
        ValueError, match=r"found float64 of shape \(2, 4\), .* shape \(3,\).*argmax"
    ):
        function(np.zeros((3, 4)), np.zeros((2, 4)))


# --------------------------------------------------------------------------------- leaky ReLU

VALUES = [-1e300, -3.0, -1.0, -1e-300, -0.0, 0.0, 1e-300, 0.5, 2.0, 1e300]


@pytest.mark.parametrize("slope", [0, 0.01, 0.3, 1])
@pytest.mark.parametrize("use_out", [False, True])
def test_leaky_relu_value_by_value(slope, use_out):
    z = np.array([VALUES])
    out = np.full_like(z, np.nan) if use_out else None
    found = leaky_relu(z, slope, out=out)
    assert found is out or not use_out
    np.testing.assert_array_equal(found, [[v if v > 0 else slope * v for v in VALUES]])
    np.testing.assert_array_equal(z, [VALUES])


@pytest.mark.parametrize("slope", [0, 0.01, 0.3, 1])
@pytest.mark.parametrize("use_out", [False, True])
def test_leaky_relu_gradient_value_by_value(slope, use_out):
    z = np.array([VALUES])
    out = np.full_like(z, np.nan) if use_out else None
    found = leaky_relu_gradient(z, slope, out=out)
    assert found is out or not use_out
    np.testing.assert_array_equal(found, [[1 if v > 0 else slope for v in VALUES]])
    np.testing.assert_array_equal(z, [VALUES])


@pytest.mark.parametrize("slope", [0, 0.01, 1])
def test_leaky_relu_gradient_equals_central_differences(slope):
    z = np.array([[-2.0, -0.5, 0.5, 2.0]])
    weights = np.array([[1.0, 2.0, 3.0, 4.0]])
    numeric = central_differences(lambda: float((weights * leaky_relu(z, slope)).sum()), z)
    np.testing.assert_allclose(weights * leaky_relu_gradient(z, slope), numeric, atol=1e-8)


def test_the_default_slope_is_a_hundredth():
    z = np.array([[-2.0, 3.0]])
    np.testing.assert_array_equal(leaky_relu(z), [[-0.02, 3]])
    np.testing.assert_array_equal(leaky_relu_gradient(z), [[0.01, 1]])


@pytest.mark.parametrize("function", [leaky_relu, leaky_relu_gradient])
def test_activation_keeps_float32(function):
    assert function(np.ones((2, 2), np.float32), 0.01).dtype == np.float32


def test_leaky_relu_refuses_to_write_over_z():
    z = np.arange(6.0).reshape(2, 3) - 3
    for out in (z, z[:], z[::-1]):
        with pytest.raises(ValueError, match=r"^out: found the memory of z"):
            leaky_relu(z, 0.5, out=out)
    np.testing.assert_array_equal(z, np.arange(6.0).reshape(2, 3) - 3)


@pytest.mark.parametrize("slope", [0, 0.01, 1])
def test_leaky_relu_gradient_may_write_over_z(slope):
    z = np.array([VALUES])
    expected = leaky_relu_gradient(z, slope)
    assert leaky_relu_gradient(z, slope, out=z) is z
    np.testing.assert_array_equal(z, expected)


@pytest.mark.parametrize("function", [leaky_relu, leaky_relu_gradient])
def test_activation_with_out_allocates_no_matrix(function):
    z = np.random.default_rng(8).normal(size=(500, 400)).astype(np.float32)
    out = np.empty_like(z)
    assert peak_of(lambda: function(z, 0.01, out=out)) < z.nbytes / 4


@pytest.mark.parametrize("function", [leaky_relu, leaky_relu_gradient])
@pytest.mark.parametrize("slope", [-0.01, 1.01, math.nan, math.inf])
def test_activation_refuses_a_slope_outside_0_to_1(function, slope):
    with pytest.raises(ValueError, match=r"^slope: found"):
        function(np.ones((1, 1)), slope)


# --------------------------------------------------------------------------------- initialization


def assert_normal(sample, deviation):
    """Mean, standard deviation, skewness and kurtosis, each within 5 standard errors."""
    sample, n = sample.ravel() / deviation, sample.size
    assert abs(sample.mean()) < 5 / math.sqrt(n)
    assert abs(sample.std() - 1) < 5 / math.sqrt(2 * n)
    assert abs((sample**3).mean()) < 5 * math.sqrt(15 / n)
    assert abs((sample**4).mean() - 3) < 5 * math.sqrt(96 / n)


@pytest.mark.parametrize("slope", [0, 0.01, 0.5, 1])
@pytest.mark.parametrize(("inputs", "outputs"), [(784, 128), (50, 900), (900, 50)])
def test_he_normal(inputs, outputs, slope):
    weights = he_normal(np.random.default_rng(9), inputs, outputs, slope)
    assert weights.shape == (inputs, outputs)
    assert_normal(weights, math.sqrt(2 / ((1 + slope * slope) * inputs)))


@pytest.mark.parametrize(("inputs", "outputs"), [(784, 128), (50, 900), (900, 50), (300, 300)])
def test_xavier_normal(inputs, outputs):
    weights = xavier_normal(np.random.default_rng(10), inputs, outputs)
    assert weights.shape == (inputs, outputs)
    assert_normal(weights, math.sqrt(2 / (inputs + outputs)))


def test_he_normal_keeps_the_size_of_activations_behind_leaky_relu():
    rng = np.random.default_rng(11)
    x = rng.normal(size=(400, 600))
    before = np.mean(x**2)
    for _ in range(5):
        x = leaky_relu(x @ he_normal(rng, 600, 600, 0.3), 0.3)
    assert np.mean(x**2) == pytest.approx(before, rel=0.3)


@pytest.mark.parametrize("draw", [he_normal, xavier_normal])
def test_the_same_seed_gives_the_same_weights(draw):
    first, again = (draw(np.random.default_rng(12), 20, 30) for _ in range(2))
    other = draw(np.random.default_rng(13), 20, 30)
    np.testing.assert_array_equal(first, again)
    assert not np.any(first == other)


def test_the_next_draw_gives_other_weights():
    rng = np.random.default_rng(14)
    assert not np.any(he_normal(rng, 5, 6) == he_normal(rng, 5, 6))


def test_he_normal_has_the_default_slope_of_leaky_relu():
    first, again = np.random.default_rng(15), np.random.default_rng(15)
    np.testing.assert_array_equal(he_normal(first, 20, 30), he_normal(again, 20, 30, 0.01))
