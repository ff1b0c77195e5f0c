"""Evaluation: chapters 6 and 8."""

import math

import numpy as np
import pytest

from mnist_core import (
    Network,
    accuracy,
    accuracy_per_digit,
    confusion_matrix,
    gradient_check,
    predict_images,
    scale_pixels,
)

# --------------------------------------------------------------------------------- predictions


class Counting(Network):
    """A network that keeps how many images it was shown at a time."""

    def predict(self, x):
        self.__dict__.setdefault("sizes_shown", []).append(len(x))
        return super().predict(x)


@pytest.mark.parametrize(
    ("at_once", "sizes"),
    [(1, [1] * 40), (7, [7] * 5 + [5]), (20, [20, 20]), (39, [39, 1]), (40, [40]), (4096, [40])],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_some_images_at_a_time_give_the_same_as_all_at_once(at_once, sizes, dtype):
    rng = np.random.default_rng(0)
    network = Counting((784, 8, 10), rng=rng, dtype=dtype)
    images = rng.integers(0, 256, (40, 28, 28), dtype=np.uint8)
    expected = network.forward(images.reshape(40, 784).astype(dtype) / 255).argmax(axis=1)
    found = predict_images(network, images, at_once)
    assert network.sizes_shown == sizes
    assert found.shape == (40,)
    assert found.dtype.kind == "i"
    np.testing.assert_array_equal(found, expected)
    floats = scale_pixels(images, dtype)
    np.testing.assert_array_equal(predict_images(network, floats, at_once), expected)
    assert len(set(expected.tolist())) > 1


def test_predict_images_scales_pixels():
    # Class 1 needs a pixel above 100 / 255: not scaled, every pixel is above that.
    network = Network((2, 2), rng=np.random.default_rng(0))
    network.weights[0][...] = [[0, 1], [0, 0]]
    network.biases[0][...] = [100 / 255, 0]
    images = np.array([[[0, 9]], [[90, 9]], [[110, 9]], [[255, 9]]], np.uint8)
    assert predict_images(network, images).tolist() == [0, 0, 1, 1]


def test_predict_images_of_no_images_is_empty():
    network = Network((784, 10), rng=np.random.default_rng(0))
    assert predict_images(network, np.zeros((0, 28, 28), np.uint8)).shape == (0,)


# --------------------------------------------------------------------------------- accuracy


@pytest.mark.parametrize(
    ("predictions", "labels", "expected"),
    [
        ([1, 2, 3, 4], [1, 2, 3, 4], 1),
        ([1, 2, 3, 4], [2, 3, 4, 1], 0),
        ([1, 2, 3, 4], [1, 0, 0, 0], 0.25),
        ([0, 0, 0], [0, 1, 0], 2 / 3),
        ([5], [5], 1),
    ],
)
def test_accuracy_by_hand(predictions, labels, expected):
    found = accuracy(np.array(predictions), np.array(labels, np.uint8))
    assert isinstance(found, float)
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("predictions", "labels"),
    [((4, 1), (4,)), ((4,), (4, 1)), ((4, 1), (4, 1)), ((4,), (3,)), ((4,), (1,)), ((), ())],
)
def test_accuracy_refuses_anything_but_two_rows_of_the_same_length(predictions, labels):
    with pytest.raises(ValueError, match=r"^predictions: found the shape"):
        accuracy(np.zeros(predictions, np.int64), np.zeros(labels, np.int64))


def test_confusion_matrix_has_true_digits_in_rows():
    labels = np.array([0, 0, 0, 1, 1, 2], np.uint8)
    predictions = np.array([0, 1, 1, 1, 2, 0])
    expected = [[1, 2, 0], [0, 1, 1], [1, 0, 0]]
    found = confusion_matrix(predictions, labels, 3)
    assert found.dtype.kind == "i"
    assert found.tolist() == expected


def test_confusion_matrix_equals_counting():
    rng = np.random.default_rng(1)
    labels, predictions = rng.integers(0, 10, 500), rng.integers(0, 9, 500)
    expected = [[0] * 10 for _ in range(10)]
    for label, prediction in zip(labels.tolist(), predictions.tolist(), strict=True):
        expected[label][prediction] += 1
    assert confusion_matrix(predictions, labels).tolist() == expected


def test_confusion_matrix_of_nothing_is_zero():
    nothing = np.zeros(0, np.int64)
    assert confusion_matrix(nothing, nothing).tolist() == [[0] * 10] * 10


@pytest.mark.parametrize("function", [confusion_matrix, accuracy_per_digit])
@pytest.mark.parametrize(("predictions", "labels"), [((4, 1), (4,)), ((1,), (4,)), ((4,), (1,))])
def test_confusion_matrix_does_not_compare_everything_with_everything(
    function, predictions, labels
):
    with pytest.raises(ValueError, match="shape"):
        function(np.zeros(predictions, np.int64), np.zeros(labels, np.int64))


@pytest.mark.filterwarnings("error")
def test_accuracy_per_digit_is_nan_for_a_digit_that_is_not_there():
    labels = np.array([0, 0, 0, 0, 1, 1, 3, 9, 9, 9])
    predictions = np.array([0, 0, 0, 2, 5, 6, 3, 9, 2, 2])
    expected = [3 / 4, 0, math.nan, 1, *[math.nan] * 5, 1 / 3]
    np.testing.assert_allclose(accuracy_per_digit(predictions, labels), expected, rtol=1e-15)


# --------------------------------------------------------------------------------- gradient check

ENTRIES = {"square": (6, 6), "wide": (3, 9), "vector": (11,)}


def make_problem(seed=2):
    """A curved loss of three arrays, and its gradients, exactly."""
    rng = np.random.default_rng(seed)
    parameters = [rng.normal(size=shape) for shape in ENTRIES.values()]
    factors = [rng.uniform(0.5, 2, size=array.shape) for array in parameters]

    def loss():
        pairs = zip(parameters, factors, strict=True)
        return math.fsum(math.fsum((np.sin(p) * f).ravel()) for p, f in pairs)

    gradients = [np.cos(p) * f for p, f in zip(parameters, factors, strict=True)]
    return parameters, loss, gradients


def check(parameters, loss, gradients, **options):
    return gradient_check(loss, parameters, gradients, rng=np.random.default_rng(3), **options)


def test_right_gradients_pass():
    assert all(0 <= error < 1e-9 for error in check(*make_problem()))


def test_the_differences_are_central():
    # Of x**2 the central difference is exact, the one-sided one is off by the step.
    parameter = np.array([3.0])
    errors = check([parameter], lambda: float(parameter[0] ** 2), [2 * parameter], step=0.5)
    assert errors[0] < 1e-15


def wrong_entry(gradient):
    wrong = gradient.copy()
    wrong.flat[np.abs(gradient).argmax()] *= 1.1
    return wrong


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda gradient: 2 * gradient, pytest.approx(1 / 3, rel=1e-6)),
        (lambda gradient: gradient / 2, pytest.approx(1 / 3, rel=1e-6)),
        (lambda gradient: -gradient, pytest.approx(1, rel=1e-6)),
        (lambda gradient: 0 * gradient, pytest.approx(1, rel=1e-6)),
        (lambda gradient: gradient + 1, None),
        (wrong_entry, None),
        (lambda gradient: gradient[::-1], None),
    ],
    ids=["doubled", "halved", "sign", "zeroed", "offset", "one-entry", "reversed"],
)
def test_planted_errors_are_found_in_the_right_array(which, spoil, expected):
    parameters, loss, gradients = make_problem()
    gradients[which] = spoil(gradients[which])
    errors = check(parameters, loss, gradients)
    assert errors[which] > 1e-3
    if expected is not None:
        assert errors[which] == expected
    assert all(error < 1e-9 for k, error in enumerate(errors) if k != which)


def test_a_transposed_square_gradient_is_found():
    parameters, loss, gradients = make_problem()
    gradients[0] = gradients[0].T
    assert check(parameters, loss, gradients)[0] > 1e-3


def test_a_transposed_gradient_that_is_not_square_is_refused():
    parameters, loss, gradients = make_problem()
    gradients[1] = gradients[1].T
    with pytest.raises(ValueError, match=r"found the shape \(9, 3\), expected \(3, 9\)"):
        check(parameters, loss, gradients)


def test_a_missing_gradient_is_refused():
    parameters, loss, gradients = make_problem()
    with pytest.raises(ValueError, match="zip"):
        check(parameters, loss, gradients[:2])


def test_nan_in_a_gradient_does_not_pass():
    parameters, loss, gradients = make_problem()
    gradients[1][0, 0] = math.nan
    assert not check(parameters, loss, gradients)[1] < 1e-3


def test_parameters_come_back_exactly_and_gradients_stay():
    parameters, loss, gradients = make_problem()
    parameters[0].flat[:3] = [0.1, 1e-300, -1e17]  # p + step - step would not give these back
    kept = [array.copy() for array in parameters + gradients]
    check(parameters, loss, gradients)
    for array, expected in zip(parameters + gradients, kept, strict=True):
        np.testing.assert_array_equal(array, expected)


def test_zero_gradients_of_a_constant_loss_have_no_error():
    assert check([np.ones(3)], lambda: 1.0, [np.zeros(3)]) == [0.0]


def make_large_problem():
    """A loss of 100 x 100 numbers, most of which hardly matter, and a few that do."""
    rng = np.random.default_rng(4)
    parameter = rng.normal(size=(100, 100))
    factors = rng.uniform(1e-9, 1e-8, (100, 100))
    important = rng.choice(10_000, 20, replace=False)
    factors.flat[important] = rng.uniform(1, 2, 20)
    evaluations = []

    def loss():
        evaluations.append(parameter.copy() if len(evaluations) < 1000 else None)
        return float(np.vdot(parameter, factors))

    return parameter, loss, factors, important, evaluations


@pytest.mark.parametrize("sign", [1, -1])
def test_an_error_in_one_large_entry_of_a_big_array_is_found(sign):
    parameter, loss, factors, important, _ = make_large_problem()
    factors *= sign
    assert check([parameter], loss, [factors], step=1e-2)[0] < 1e-7
    for entry in important[:5]:
        wrong = factors.copy()
        wrong.flat[entry] *= 1.05
        assert check([parameter], loss, [wrong], step=1e-2)[0] > 1e-3


@pytest.mark.parametrize("entries", [10, 50, 200])
def test_of_a_big_array_so_many_entries_are_checked_half_of_them_at_random(entries):
    parameter, loss, factors, _, evaluations = make_large_problem()
    start = parameter.copy()
    check([parameter], loss, [factors], entries=entries)
    changed = {int(np.flatnonzero((seen != start).ravel())[0]) for seen in evaluations}
    largest = set(np.argsort(factors, axis=None)[-(entries // 2) :].tolist())
    assert largest <= changed
    assert 0.9 * entries <= len(changed) <= entries
    assert len(evaluations) == 2 * len(changed)
    other = changed - largest
    assert min(other) < 5000 < max(other)


def test_of_a_small_array_every_entry_is_checked():
    parameter = np.arange(1.0, 13).reshape(3, 4)
    for entry in range(12):
        wrong = np.ones((3, 4))
        wrong.flat[entry] = 1.5
        for entries in (12, 200):
            errors = check([parameter], lambda: float(parameter.sum()), [wrong], entries=entries)
            assert errors[0] > 1e-3
