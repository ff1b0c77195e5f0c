"""Pictures, labels and outputs of the wrong kind: the report says which, and what to do."""

import types

import numpy as np
import pytest
import zoo

import mnist_core
from mnist_book import examine

X, Y = zoo.digits(28)
NETWORK = mnist_core.Network((784, 16, 10), rng=np.random.default_rng(0), dtype=np.float64)


def only(predict_proba, **others):
    return types.SimpleNamespace(predict_proba=predict_proba, **others)


def first(report, code):
    finding = report.findings[0]
    assert finding.code == code, report
    return finding


@pytest.mark.parametrize("images", [X.astype(object), X[:, :50].astype(str), X.astype(complex)])
def test_images_that_are_no_numbers(images):
    finding = first(examine(NETWORK, images, Y), "function.not_array")
    assert "no numbers" in finding.message and str(images.dtype) in finding.evidence


def indexed(x, labels):
    """Compute loss and gradients as most programs do: the labels are indices."""
    p = NETWORK.predict_proba(x)
    loss = -np.log(p[np.arange(len(x)), labels]).mean()
    return float(loss), NETWORK.loss_and_gradients(x, labels)[1]


def test_labels_that_are_floats():
    network = only(NETWORK.predict_proba, loss_and_gradients=indexed, parameters=NETWORK.parameters)
    finding = first(examine(network, X, Y.astype(float)), "data.labels")
    assert "y.astype(int)" in finding.message and "IndexError" in finding.evidence
    assert examine(network, X, Y).ok
    network.loss_and_gradients = lambda x, y: indexed(x, y.astype(int))
    assert examine(network, X, Y.astype(float)).ok
    assert examine(only(NETWORK.predict_proba), X, Y.astype(float)).ok


def test_labels_with_fractions():
    finding = first(examine(NETWORK, X, Y / 255), "data.labels")
    assert "fractions" in finding.message and "from 0.0 to 0.03" in finding.evidence


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (1, 28, 28)])
def test_images_in_the_shape_of_a_convolution(shape):
    def predict_proba(x):
        if x.shape[1:] != shape:
            raise ValueError(f"expected (n, {shape}), got {x.shape}")
        return NETWORK.predict_proba(x.reshape(len(x), -1))

    images = X.reshape(-1, *shape)
    finding = first(examine(only(predict_proba), images, Y), "function.shape")
    assert f"x.reshape(-1, {', '.join(map(str, shape))})" in finding.message
    assert f"images {images.shape}; x (20, 784)" in finding.evidence
    assert examine(only(lambda x: predict_proba(x.reshape(-1, *shape))), images, Y).ok
    assert examine(NETWORK, images, Y).ok


@pytest.mark.parametrize("part", [0, 0.01])
def test_sigmoid_outputs_with_one_answer(part):
    def predict_proba(x):
        logits = np.log(NETWORK.predict_proba(x)) * part
        return zoo.sigmoid(logits + np.where(np.arange(10) == 2, 4.0, -3.0))

    finding = first(examine(only(predict_proba), X, Y), "network.collapsed")
    assert "taken for a 2" in finding.message


def test_fresh_sigmoid_outputs_may_have_one_answer():
    def predict_proba(x):
        return zoo.sigmoid(0.01 * np.log(NETWORK.predict_proba(x)) + 0.2 * (np.arange(10) == 2))

    assert examine(only(predict_proba), X, Y).ok


def test_pixels_of_which_full_ink_alone_is_left_as_bytes():
    images = np.where(X > 0.999, 255, 100).astype(np.uint8)
    finding = first(examine(NETWORK, images // 255, Y), "data.two_values")
    assert "all pixels are 0 or 1" in finding.evidence


@pytest.mark.parametrize("column", [0, 300])
def test_labels_among_the_pixels(column):
    x = np.insert(X, column, Y / 255, axis=1)[:, :784]
    finding = first(examine(NETWORK, x, Y), "data.labels_in_pixels")
    assert f"Column {column} " in finding.message


def test_what_labels_among_the_pixels_do():
    """What the catalogue says of them: it depends on whether they are scaled with the pixels."""
    half, right = np.arange(len(X)) % 2 == 0, {}
    for scale in (0, 1 / 255, 1):
        for seed in range(5):
            x = np.insert(X, 0, scale * Y, axis=1)[:, :784].astype(np.float32)
            network = mnist_core.Network((784, 16, 10), rng=np.random.default_rng(seed))
            rng = np.random.default_rng(seed)
            mnist_core.train(network, x[half], Y[half], rng=rng, epochs=20)
            without = np.where(np.arange(784) == 0, 0, x)
            answers = [network.predict_proba(each[~half]).argmax(axis=1) for each in (x, without)]
            scores = [np.mean(each == Y[~half]) for each in answers]
            right.setdefault(scale, []).append(scores)
    none, small, full = (np.array(right[scale]).T for scale in right)
    assert full[0].min() > none[0].max() and full[1].max() < none[0].min()
    assert np.abs(small - none).max() < 0.05


def test_images_that_are_not_finite_say_nothing_of_their_labels():
    report = examine(NETWORK, np.where(X == 0, np.nan, X), Y)
    first(report, "function.nan")
    assert not any(each.code.startswith("data") for each in report.findings), report


def test_a_network_that_is_too_sure_of_bytes_is_doubted():
    noise = np.random.default_rng(0).normal(0, 0.3, (2, *X.shape))
    seen, x = np.clip(X + noise, 0, 1).astype(np.float32)
    network = mnist_core.Network((784, 32, 10), rng=np.random.default_rng(0))
    mnist_core.train(network, seen, Y, rng=np.random.default_rng(1), epochs=10)
    as_trained, in_bytes = (examine(only(network.predict_proba), each, Y) for each in (x, 255 * x))
    assert not as_trained.doubts
    assert in_bytes.ok
    assert "divided by 255" in str(in_bytes.doubts[0])


def test_pixels_that_were_divided_by_next_to_nothing():
    x = X.copy()
    x[::7, 5] = 1e8
    finding = first(examine(NETWORK, x, Y), "data.not_scaled")
    assert "thousands of times" in finding.message


def swapped_as_views(rng, count=600):
    """Rows of an array shuffled by swapping views, as random.shuffle does: most are lost."""
    order = np.arange(count)[:, np.newaxis]
    for i in range(count - 1, 0, -1):
        j = int(rng.integers(0, i + 1))
        order[i], order[j] = order[j], order[i]
    return order.ravel()


def oversampled(rng):
    rare = np.flatnonzero(Y > 6)
    return np.concatenate([np.arange(len(Y)), rng.choice(rare, 1500)])


@pytest.mark.parametrize("seed", range(5))
def test_pictures_that_copies_of_others_have_replaced(seed):
    rows = swapped_as_views(np.random.default_rng(seed))
    found = first(examine(NETWORK, X[rows], Y[rows]), "train.lost_pictures")
    assert f"{len(np.unique(rows))} different" in found.evidence


@pytest.mark.parametrize(
    "rows",
    [
        lambda rng: np.repeat(np.arange(len(Y)), 3),
        lambda rng: rng.integers(0, len(Y), len(Y)),
        lambda rng: rng.integers(0, len(Y), 4 * len(Y)),
        lambda rng: rng.permutation(len(Y)),
        oversampled,
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_pictures_that_come_more_than_once_may_be_meant(rows, seed):
    rows = rows(np.random.default_rng(seed))
    report = examine(NETWORK, X[rows], Y[rows])
    assert "train.lost_pictures" not in [found.code for found in report.findings]
