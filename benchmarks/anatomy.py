"""Take a training step apart, and measure how its cost grows; write the record for chapter 11.

    pip install -r requirements-bench.txt
    MNIST_DIR=... python benchmarks/anatomy.py

One thread throughout, float32, medians. Four measurements: each line of a training step; what each
kind of operation reaches of the machine's arithmetic and of its memory (for the roofline); a step's
cost against batch, units, layers and images; and the time of one prediction.

The record goes to benchmarks/records/anatomy.json.
"""

import json
import time
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import torch
from common.arguments import parser
from common.pytorch import two_layers
from common.record import origin, write
from common.timing import median_time
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from mnist_book.dataset import Digits, load_mnist
from mnist_core import (
    Buffers,
    Network,
    cross_entropy_gradient,
    leaky_relu,
    leaky_relu_gradient,
    scale_pixels,
    train,
)

# --- each line of a step -------------------------------------------------------------------------


def lines_of_a_step(digits: Digits, hidden: int, batch: int, steps: int = 400) -> dict:
    """Measure each line of a training step where it stands, in microseconds."""
    images = digits.train_images.reshape(len(digits.train_images), 784)
    rng = np.random.default_rng(0)
    network = Network((784, hidden, 10), rng=rng)
    buffers = Buffers(network, batch)
    pixels, labels = np.empty((batch, 784), np.uint8), np.empty(batch, np.uint8)
    velocity = np.zeros_like(network.vector)
    scale = np.float32(1 / 255)
    order = rng.permutation(len(images))
    w1, b1, w2, b2 = network.parameters
    d_w1, d_b1, d_w2, d_b2 = buffers.gradients
    x, a = buffers.x, buffers.hidden[0]
    z1, z2 = buffers.z
    d_z1, d_z2 = buffers.d_z
    times = defaultdict(list)

    def lap(line: str, start: float) -> float:
        times[line].append(time.perf_counter() - start)
        return time.perf_counter()

    for step in range(steps):
        first = step * batch % (len(images) - batch)
        rows = order[first : first + batch]
        t = time.perf_counter()
        np.take(images, rows, axis=0, out=pixels, mode="clip")
        np.take(digits.train_labels, rows, out=labels, mode="clip")
        t = lap("gather the batch", t)
        x[...] = pixels
        t = lap("bytes to floats", t)
        x *= scale
        t = lap("scale to 0...1", t)
        np.matmul(x, w1, out=z1)
        t = lap("x @ W1", t)
        np.add(z1, b1, out=z1)
        t = lap("+ b1", t)
        leaky_relu(z1, out=a)
        t = lap("leaky ReLU", t)
        np.matmul(a, w2, out=z2)
        np.add(z2, b2, out=z2)
        t = lap("a @ W2 + b2", t)
        cross_entropy_gradient(z2, labels, out=d_z2)
        t = lap("softmax, loss, dZ2", t)
        np.matmul(d_z2, w2.T, out=d_z1)
        t = lap("dZ2 @ W2.T", t)
        np.matmul(a.T, d_z2, out=d_w2)
        np.sum(d_z2, axis=0, out=d_b2)
        t = lap("dW2, db2", t)
        leaky_relu_gradient(z1, out=z1)
        np.multiply(d_z1, z1, out=d_z1)
        t = lap("slope of leaky ReLU", t)
        np.matmul(x.T, d_z1, out=d_w1)
        t = lap("x.T @ dZ1", t)
        np.sum(d_z1, axis=0, out=d_b1)
        t = lap("db1", t)
        buffers.vector *= 0.05
        velocity *= 0.9
        velocity -= buffers.vector
        network.vector += velocity
        lap("update", t)
    microseconds = {
        line: round(1e6 * float(np.median(each[steps // 10 :])), 1) for line, each in times.items()
    }
    return {"hidden": hidden, "batch": batch, "microseconds": microseconds}


# --- arithmetic and memory -----------------------------------------------------------------------


def roofline() -> dict:
    """Measure the machine's roofs, and where operations of a step lie under them."""
    rng = np.random.default_rng(0)

    def floats(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape, np.float32)

    large = 2048
    a, b, c = floats(large, large), floats(large, large), np.empty((large, large), np.float32)
    peak = 2 * large**3 / median_time(lambda: np.matmul(a, b, out=c), 2.0)
    far, to = floats(32 << 20), np.empty(32 << 20, np.float32)  # 128 MiB: beyond every cache
    bandwidth = 2 * far.nbytes / median_time(lambda: np.copyto(to, far), 1.0)
    points = []

    def point(name: str, operations: float, moved: float, function: Callable[[], object]) -> None:
        seconds = median_time(function)
        points.append(
            {
                "operation": name,
                "operations": operations,
                "bytes": moved,
                "operations_per_byte": round(operations / moved, 4),
                "gigaflops": round(operations / seconds / 1e9, 3),
            }
        )

    w = floats(784, 800)
    for batch in (1, 4, 16, 64, 256, 1024):
        x, z = floats(batch, 784), np.empty((batch, 800), np.float32)
        point(
            f"x @ W, batch {batch}",
            2 * batch * 784 * 800,
            x.nbytes + w.nbytes + z.nbytes,
            lambda x=x, z=z: np.matmul(x, w, out=z),
        )
    point("add two large arrays", len(far), 3 * far.nbytes, lambda: np.add(far, to, out=to))
    z, out = floats(128, 800), np.empty((128, 800), np.float32)
    point("leaky ReLU, 128 x 800", 2 * z.size, 5 * z.nbytes, lambda: leaky_relu(z, out=out))
    return {
        "gigaflops": round(peak / 1e9, 1),
        "gigabytes_per_second": round(bandwidth / 1e9, 1),
        "points": points,
    }


# --- how the cost grows --------------------------------------------------------------------------


def step_time(digits: Digits, sizes: tuple[int, ...], batch: int, count: int) -> dict:
    """Measure the training of an epoch of `count` images."""
    rng = np.random.default_rng(0)
    network = Network(sizes, rng=rng)
    images, labels = digits.train_images[:count], digits.train_labels[:count]

    def epoch() -> None:
        train(network, images, labels, rng=rng, epochs=1, batch_size=batch, learning_rate=0.001)

    seconds = median_time(epoch, 1.0, least=3)
    weights = sum(w.size for w in network.weights)
    # Per image and weight: a multiplication and an addition, forward, for the weights' gradient,
    # and for the inputs' gradient, which the first layer spares.
    operations = 6 * weights - 2 * network.weights[0].size
    return {
        "sizes": sizes,
        "batch": batch,
        "images": count,
        "parameters": int(network.vector.size),
        "microseconds_per_image": round(1e6 * seconds / count, 3),
        "operations_per_image": int(operations),
        "gigaflops": round(operations * count / seconds / 1e9, 2),
    }


def scaling(digits: Digits) -> dict:
    """Measure a training image's cost against batch, units, layers and number of images."""
    return {
        "batch": [
            step_time(digits, (784, 128, 10), batch, 4096) for batch in (1, 4, 16, 64, 256, 1024)
        ],
        "units": [
            step_time(digits, (784, units, 10), 128, 2048)
            for units in (16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
        ],
        "layers": [
            step_time(digits, (784, *[256] * layers, 10), 128, 4096) for layers in range(1, 9)
        ],
        "images": [
            step_time(digits, (784, 128, 10), 128, count)
            for count in (1000, 3000, 10_000, 30_000, 60_000)
        ],
    }


# --- how much a version costs --------------------------------------------------------------------


def products() -> dict:
    """Measure one layer, x @ W of 64 x 784 by 784 x 128, computed in different ways."""
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((64, 784)), rng.standard_normal((784, 128))
    x32, w32, out = x.astype(np.float32), w.astype(np.float32), np.empty((64, 128), np.float32)
    few = x[:1].tolist(), w.T.tolist()

    def loops() -> list:
        rows, columns = few
        return [[sum(p * q for p, q in zip(r, c, strict=True)) for c in columns] for r in rows]

    def dots() -> list:
        return [[row @ column for column in w.T] for row in x]

    return {
        "Python loops": 64 * median_time(loops),
        "a NumPy dot for each number": median_time(dots),
        "element-wise product and sum": median_time(lambda: (x[:, :, None] * w).sum(axis=1)),
        "matrix product, float64": median_time(lambda: x @ w),
        "matrix product, float32": median_time(lambda: x32 @ w32),
        "the same with out=": median_time(lambda: np.matmul(x32, w32, out=out)),
    }


def prediction(digits: Digits) -> dict:
    """Measure the seconds of one image's prediction by 784-128-10."""
    network = Network((784, 128, 10), rng=np.random.default_rng(0))
    x = scale_pixels(digits.test_images[:1])
    w1, w2 = network.weights
    model, tensor = two_layers(128), torch.from_numpy(x)
    classifier = MLPClassifier((128,)).partial_fit(
        scale_pixels(digits.train_images[:200]), digits.train_labels[:200], classes=range(10)
    )

    def in_torch() -> object:
        with torch.inference_mode():
            return model(tensor).argmax(dim=1)

    def bare() -> np.ndarray:
        return (x @ w1) @ w2

    return {
        "mnist_core": median_time(lambda: network.predict(x)),
        "the two products alone": median_time(bare),
        "PyTorch": median_time(in_torch),
        "scikit-learn": median_time(lambda: classifier.predict(x)),
    }


def rounded(seconds: dict) -> dict:
    """Turn seconds into microseconds with a tenth."""
    return {name: round(1e6 * value, 1) for name, value in seconds.items()}


def main() -> None:
    """Measure everything and write the record."""
    parser(__doc__).parse_args()
    record = origin("torch", "scikit-learn")
    digits = load_mnist(download=False)
    torch.set_num_threads(1)
    with threadpool_limits(1):
        measured = {
            "steps": [
                lines_of_a_step(digits, hidden, batch)
                for hidden, batch in ((128, 64), (128, 256), (800, 128))
            ],
            "roofline": roofline(),
            "scaling": scaling(digits),
            "product_microseconds": rounded(products()),
            "prediction_microseconds": rounded(prediction(digits)),
        }
    write("anatomy", record | measured)
    print(json.dumps(measured, indent=1))


if __name__ == "__main__":
    main()
