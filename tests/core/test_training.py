"""Training: chapter 7."""

import math
import tracemalloc

import numpy as np
import pytest

from mnist_book.dataset import SHIPPED, load_practice_digits
from mnist_core import Network, accuracy, predict_images, scale_pixels, train


def plain_gradient(parameters, x, label, slope):
    """Loss and gradients of one example, by the formulas, without the code under test."""
    weights, biases = parameters[0::2], parameters[1::2]
    inputs, z = [x], []
    for k, (matrix, bias) in enumerate(zip(weights, biases, strict=True)):
        z.append(matrix.T @ inputs[k] + bias)
        inputs.append(np.where(z[k] > 0, z[k], slope * z[k]))
    exponentials = np.exp(z[-1] - z[-1].max())
    p = exponentials / exponentials.sum()
    delta = p - np.eye(len(p))[label]
    gradients = []
    for k in range(len(weights) - 1, -1, -1):
        gradients[:0] = [np.outer(inputs[k], delta), delta]
        if k:
            delta = (weights[k] @ delta) * np.where(z[k - 1] > 0, 1, slope)
    return -math.log(p[label]), gradients


def plain_training(parameters, x, labels, *, rng, epochs, batch_size, rate, momentum, slope):
    """Slow and obvious stochastic gradient descent; returns each epoch's mean loss."""
    velocities = [np.zeros_like(array) for array in parameters]
    history = []
    for _ in range(epochs):
        order, losses = rng.permutation(len(x)).tolist(), []
        while order:
            batch, order = order[:batch_size], order[batch_size:]
            examples = [plain_gradient(parameters, x[i], labels[i], slope) for i in batch]
            losses += [loss for loss, _ in examples]
            for k, parameter in enumerate(parameters):
                mean = sum(gradients[k] for _, gradients in examples) / len(batch)
                velocities[k] = momentum * velocities[k] - rate * mean
                parameter += velocities[k]
        history.append(sum(losses) / len(losses))
    return history


class Spy(Network):
    """A network that keeps what it was trained on."""

    def loss_and_gradients(self, x, labels, buffers=None):
        self.__dict__.setdefault("seen", []).append((x.copy(), labels.copy()))
        return super().loss_and_gradients(x, labels, buffers)


def numbered(n, inputs=3):
    """Images whose first pixel is their number, and labels that follow from it."""
    images = np.random.default_rng(1).normal(size=(n, inputs))
    images[:, 0] = np.arange(n)
    return images, np.arange(n) * 7 % 5


def blobs(n=60, seed=2):
    """Three classes of 8-bit pictures of 2 x 3 pixels that a network can tell apart."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n).astype(np.uint8)
    centres = np.array([[200, 30, 30, 90, 0, 9], [30, 200, 30, 0, 90, 9], [30, 30, 200, 9, 9, 90]])
    noise = rng.normal(0, 15, (n, 6))
    images = np.clip(centres[labels] + noise, 0, 255).astype(np.uint8)
    return images.reshape(n, 2, 3), labels


def new_network(sizes=(6, 5, 3), seed=3, dtype=np.float64, slope=0.01, kind=Network):
    return kind(sizes, rng=np.random.default_rng(seed), dtype=dtype, slope=slope)


# --------------------------------------------------------------------------------- the algorithm


@pytest.mark.parametrize(
    ("n", "batch_size"), [(23, 5), (20, 5), (23, 23), (23, 100), (7, 1), (1, 1)]
)
@pytest.mark.parametrize("momentum", [0, 0.9])
def test_train_equals_a_slow_and_obvious_implementation(n, batch_size, momentum):
    rng = np.random.default_rng(4)
    x, labels = rng.normal(size=(n, 6)), rng.integers(0, 3, n)
    network = new_network((6, 5, 4, 3), slope=0.2)
    network.vector += rng.normal(0, 0.1, network.vector.shape)
    expected = [array.copy() for array in network.parameters]
    losses = plain_training(
        expected,
        x,
        labels,
        rng=np.random.default_rng(5),
        epochs=3,
        batch_size=batch_size,
        rate=0.1,
        momentum=momentum,
        slope=0.2,
    )
    history = train(
        network,
        x,
        labels,
        rng=np.random.default_rng(5),
        epochs=3,
        batch_size=batch_size,
        learning_rate=0.1,
        momentum=momentum,
    )
    for ours, theirs in zip(network.parameters, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)
    assert [epoch.number for epoch in history] == [1, 2, 3]
    assert [epoch.accuracy for epoch in history] == [None] * 3
    assert [epoch.loss for epoch in history] == pytest.approx(losses, rel=1e-12)


def test_without_momentum_a_step_is_the_gradient_times_the_learning_rate():
    x, labels = numbered(8)
    network = new_network((3, 4, 5))
    gradients = [gradient.copy() for gradient in network.gradients(x, labels)]
    expected = [p - 0.5 * g for p, g in zip(network.parameters, gradients, strict=True)]
    train(
        network,
        x,
        labels,
        rng=np.random.default_rng(0),
        epochs=1,
        batch_size=8,
        learning_rate=0.5,
        momentum=0,
    )
    for ours, theirs in zip(network.parameters, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pixels_are_scaled_as_scale_pixels_does(dtype):
    images, labels = blobs(23)
    from_pixels, from_floats = new_network(dtype=dtype), new_network(dtype=dtype)
    train(from_pixels, images, labels, rng=np.random.default_rng(6), epochs=2, batch_size=5)
    floats = scale_pixels(images, dtype)
    train(from_floats, floats, labels, rng=np.random.default_rng(6), epochs=2, batch_size=5)
    np.testing.assert_array_equal(from_pixels.vector, from_floats.vector)


def test_what_the_network_is_shown_lies_between_0_and_1():
    images, labels = blobs(20)
    images[0] = [[0, 255, 51], [102, 153, 204]]
    network = new_network(kind=Spy)
    train(network, images, labels, rng=np.random.default_rng(0), epochs=1, batch_size=8)
    shown = np.concatenate([x for x, _ in network.seen])
    assert shown.max() == 1
    expected = np.array([0, 1, 0.2, 0.4, 0.6, 0.8])
    assert min(np.abs(row - expected).max() for row in shown) < 1e-15


@pytest.mark.parametrize(("n", "batch_size"), [(20, 5), (23, 5), (23, 40), (4, 1)])
def test_each_epoch_shows_every_image_once_with_its_label_in_a_new_order(n, batch_size):
    images, labels = numbered(n)
    network = new_network((3, 4, 5), kind=Spy)
    train(network, images, labels, rng=np.random.default_rng(7), epochs=3, batch_size=batch_size)
    batches = math.ceil(n / batch_size)
    assert len(network.seen) == 3 * batches
    orders = []
    for epoch in range(3):
        seen = network.seen[epoch * batches : (epoch + 1) * batches]
        sizes = [len(x) for x, _ in seen]
        assert sizes[:-1] == [batch_size] * (batches - 1)
        assert sum(sizes) == n
        shown = np.concatenate([x for x, _ in seen])
        order = shown[:, 0].astype(int)
        assert sorted(order) == list(range(n))
        np.testing.assert_array_equal(shown, images[order])
        np.testing.assert_array_equal(np.concatenate([y for _, y in seen]), labels[order])
        orders.append(tuple(order))
    assert tuple(range(n)) not in orders
    assert len(set(orders)) == 3


def test_the_same_seed_gives_identical_results_and_another_seed_others():
    images, labels = blobs()
    vectors, histories = [], []
    for seed in (8, 8, 9):
        network = new_network(dtype=np.float32)
        history = train(network, images, labels, rng=np.random.default_rng(seed), epochs=2)
        vectors.append(network.vector)
        histories.append(history)
    np.testing.assert_array_equal(vectors[0], vectors[1])
    assert histories[0] == histories[1]
    assert (vectors[0] != vectors[2]).any()


def test_a_second_call_starts_without_velocity():
    images, labels = blobs()
    network = new_network()
    train(network, images, labels, rng=np.random.default_rng(0), epochs=1)
    before = network.vector.copy()
    gradients = [g.copy() for g in network.gradients(scale_pixels(images, np.float64), labels)]
    train(
        network,
        images,
        labels,
        rng=np.random.default_rng(0),
        epochs=1,
        batch_size=60,
        learning_rate=0.1,
    )
    expected = before - 0.1 * np.concatenate([gradient.ravel() for gradient in gradients])
    np.testing.assert_allclose(network.vector, expected, rtol=1e-12, atol=1e-14)


# --------------------------------------------------------------------------------- learning


@pytest.mark.parametrize("momentum", [0, 0.9])
def test_one_batch_of_noise_can_be_learnt_by_heart(momentum):
    rng = np.random.default_rng(10)
    images = rng.integers(0, 256, (32, 28, 28), dtype=np.uint8)
    labels = rng.integers(0, 10, 32).astype(np.uint8)
    network = Network((784, 64, 10), rng=rng)
    start = train(network, images, labels, rng=rng, epochs=1, momentum=momentum)[0].loss
    end = train(network, images, labels, rng=rng, epochs=300, learning_rate=0.1, momentum=momentum)[
        -1
    ].loss
    assert start == pytest.approx(math.log(10), abs=1)
    assert end < 0.01
    assert accuracy(predict_images(network, images), labels) == 1


def test_validation_accuracy_is_that_of_the_network_after_the_pass():
    images, labels = blobs(60)
    held_back = blobs(40, seed=11)
    network = new_network(seed=2)
    measured = []

    def measure(epoch):
        logits = network.forward(scale_pixels(held_back[0], np.float64)).tolist()
        right = [row.index(max(row)) == y for row, y in zip(logits, held_back[1], strict=True)]
        measured.append(float(sum(right) / len(right)))

    measure(None)
    history = train(
        network,
        images,
        labels,
        rng=np.random.default_rng(0),
        epochs=6,
        batch_size=10,
        learning_rate=0.02,
        validation=held_back,
        on_epoch=measure,
    )
    assert [epoch.accuracy for epoch in history] == measured[1:]
    assert measured[0] < measured[1] < measured[-1]


def test_callbacks_are_called_with_each_batch_and_each_epoch():
    images, labels = blobs(23)
    calls = []
    history = train(
        new_network(),
        images,
        labels,
        rng=np.random.default_rng(0),
        epochs=3,
        batch_size=5,
        validation=(images, labels),
        on_epoch=lambda epoch: calls.append(("epoch", epoch)),
        on_batch=lambda loss: calls.append(("batch", loss)),
    )
    assert [kind for kind, _ in calls] == (["batch"] * 5 + ["epoch"]) * 3
    assert [value for kind, value in calls if kind == "epoch"] == history
    assert [epoch.number for epoch in history] == [1, 2, 3]
    for start, epoch in zip((0, 6, 12), history, strict=True):
        losses = [loss for _, loss in calls[start : start + 5]]
        mean = sum(loss * n for loss, n in zip(losses, [5, 5, 5, 5, 3], strict=True)) / 23
        assert epoch.loss == pytest.approx(mean, rel=1e-12)


def test_the_callers_arrays_are_not_changed():
    images, labels = blobs(23)
    for pixels in (images, scale_pixels(images, np.float64)):
        kept_pixels, kept_labels = pixels.copy(), labels.copy()
        pixels.flags.writeable = labels.flags.writeable = False
        train(new_network(), pixels, labels, rng=np.random.default_rng(0), epochs=2, batch_size=5)
        np.testing.assert_array_equal(pixels, kept_pixels)
        np.testing.assert_array_equal(labels, kept_labels)


def test_no_epochs_change_nothing():
    images, labels = blobs()
    network = new_network()
    before = network.vector.copy()
    assert train(network, images, labels, rng=np.random.default_rng(0), epochs=0) == []
    np.testing.assert_array_equal(network.vector, before)


def test_the_default_settings_are_those_in_the_book():
    images, labels = blobs(130)
    network, same = new_network(), new_network()
    history = train(network, images, labels, rng=np.random.default_rng(0))
    train(
        same,
        images,
        labels,
        rng=np.random.default_rng(0),
        epochs=5,
        batch_size=64,
        learning_rate=0.05,
        momentum=0.9,
    )
    assert len(history) == 5
    np.testing.assert_array_equal(network.vector, same.vector)


# --------------------------------------------------------------------------------- trouble


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_loss_that_has_become_nan_stays_nan_and_is_no_exception():
    images, labels = blobs()
    losses = []
    history = train(
        new_network(dtype=np.float32),
        images * 1.0,  # not scaled
        labels,
        rng=np.random.default_rng(0),
        epochs=4,
        batch_size=10,
        learning_rate=1e6,
        on_batch=losses.append,
    )
    assert math.isfinite(losses[0])
    first = next(i for i, loss in enumerate(losses) if math.isnan(loss))
    assert all(math.isnan(loss) for loss in losses[first:])
    assert math.isnan(history[-1].loss)
    assert len(history) == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"images": np.zeros((10, 2, 2), np.uint8)},
            r"^images: found 4 values of uint8 in each, expected 6, ",
        ),
        ({"images": np.zeros((10, 7))}, r"^images: found 7 values"),
        ({"images": np.zeros(10)}, r"^images: found 1 values"),
        ({"images": np.zeros((10, 6), np.int64)}, r"^images: found 6 values of int64"),
        ({"images": np.zeros((10, 6), bool)}, r"^images: found 6 values of bool"),
        ({"labels": np.zeros(9, np.int64)}, r"^labels: found the shape \(9,\), expected \(10,\)"),
        ({"labels": np.zeros((10, 1), np.int64)}, r"^labels: found the shape \(10, 1\)"),
        ({"labels": np.eye(10, 3, dtype=np.int64)}, r"^labels: found the shape \(10, 3\)"),
        ({"labels": np.zeros(10)}, r"^labels: found float64"),
        ({"labels": np.full(10, 3)}, r"^labels: found 3 to 3"),
        ({"labels": np.full(10, -1)}, r"^labels: found -1 to -1"),
        ({"images": np.zeros((0, 6)), "labels": np.zeros(0, np.int64)}, r"^labels: found"),
        ({"epochs": -1}, r"found epochs=-1"),
        ({"batch_size": 0}, r"batch_size=0"),
        ({"batch_size": -5}, r"batch_size=-5"),
        ({"learning_rate": 0.0}, r"learning_rate=0\.0"),
        ({"learning_rate": -0.1}, r"learning_rate=-0\.1"),
        ({"learning_rate": math.nan}, r"learning_rate=nan"),
        ({"momentum": -0.1}, r"momentum=-0\.1"),
        ({"momentum": 1}, r"momentum=1"),
        ({"momentum": math.nan}, r"momentum=nan"),
    ],
)
def test_bad_arguments_are_refused_before_anything_changes(changes, message):
    network = new_network()
    before = network.vector.copy()
    arguments = {"images": np.zeros((10, 6)), "labels": np.zeros(10, np.int64)} | changes
    with pytest.raises(ValueError, match=message):
        train(network, rng=np.random.default_rng(0), **arguments)
    np.testing.assert_array_equal(network.vector, before)


# --------------------------------------------------------------------------------- memory


@pytest.mark.parametrize("n", [12288, 10000])  # the second with a smaller last batch
def test_the_steps_of_training_allocate_no_matrix(n):
    rng = np.random.default_rng(12)
    images = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
    labels = rng.integers(0, 10, n).astype(np.uint8)
    network = Network((784, 128, 10), rng=rng)
    # NumPy converts pixels to floats through a buffer of 8,192 elements, whatever the batch. The
    # batch is large enough for its smallest matrix, the logits, to be above that.
    batch = 4096
    peaks, level = [], [0]

    def inspect(_):
        current, peak = tracemalloc.get_traced_memory()
        peaks.append(peak - level[0])
        tracemalloc.reset_peak()
        level[0] = current

    tracemalloc.start()
    try:
        train(network, images, labels, rng=rng, epochs=2, batch_size=batch, on_batch=inspect)
    finally:
        tracemalloc.stop()
    steps = math.ceil(n / batch)
    assert len(peaks) == 2 * steps
    within_an_epoch = [peak for step, peak in enumerate(peaks) if step % steps]
    assert max(within_an_epoch) < batch * 10 * network.dtype.itemsize


# --------------------------------------------------------------------------------- for real


@pytest.mark.skipif(not (SHIPPED / "practice").is_dir(), reason="the practice digits are not there")
def test_a_small_network_learns_the_practice_digits():
    digits = load_practice_digits()
    rng = np.random.default_rng(0)
    network = Network((784, 64, 10), rng=rng)
    train(network, digits.train_images, digits.train_labels, rng=rng, epochs=15)
    assert accuracy(predict_images(network, digits.test_images), digits.test_labels) > 0.9
