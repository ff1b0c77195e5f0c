"""Measure what momentum and a falling learning rate buy, each at a learning rate of its own.

    OPENBLAS_NUM_THREADS=1 MNIST_DIR=... python benchmarks/momentum.py

A network 784-32-10 learns from 12,000 training images, four times each, in batches of 50. Four ways
of stepping are compared: plain, with momentum 0.9, with a learning rate that falls evenly to 0, and
with both. Each is tried at several learning rates. The rate is chosen with five seeds on one half
of the last 5,000 training images; what it gives is measured with ten other seeds on the other half.
The test images are not touched. The record goes to benchmarks/records/momentum.json.
"""

from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

import numpy as np
from common.arguments import add_at_once, parser
from common.record import origin, write

from mnist_book.dataset import load_mnist
from mnist_core import Buffers, Network, accuracy, predict_images, scale_pixels

EPOCHS, BATCH, LEARNED = 4, 50, 12_000
RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0)
WAYS = {  # momentum, and whether the learning rate falls
    "neither": (0.0, False),
    "momentum": (0.9, False),
    "schedule": (0.0, True),
    "both": (0.9, True),
}
CHOOSING, JUDGING = range(100, 105), range(10)  # seeds


def score(way: str, rate: float, seed: int, half: int) -> float:
    """Train a network; return its accuracy on a half of the validation images, 0 or 1."""
    momentum, falls = WAYS[way]
    digits, rng = load_mnist(download=False), np.random.default_rng(seed)
    x, labels = scale_pixels(digits.train_images[:LEARNED]), digits.train_labels[:LEARNED]
    network = Network((784, 32, 10), rng=rng)
    buffers, velocity = Buffers(network, BATCH), np.zeros_like(network.vector)
    steps = EPOCHS * LEARNED // BATCH
    with np.errstate(all="ignore"):  # the longest steps explode
        for step in range(steps):
            if step * BATCH % LEARNED == 0:
                order = rng.permutation(LEARNED)
            rows = order[step * BATCH % LEARNED :][:BATCH]
            network.loss_and_gradients(x[rows], labels[rows], buffers)
            velocity *= momentum
            velocity -= np.float32(rate * (1 - step / steps if falls else 1)) * buffers.vector
            network.vector += velocity
        part = slice(-5000, -2500) if half == 0 else slice(-2500, None)
        answers = predict_images(network, digits.train_images[part])
    return accuracy(answers, digits.train_labels[part])


def main() -> None:
    """Choose a rate for each way of stepping, judge it, and write the record."""
    arguments = parser(__doc__)
    add_at_once(arguments)
    options = arguments.parse_args()
    record, ways = origin(), {}
    with ProcessPoolExecutor(options.at_once) as pool:
        for way in WAYS:
            tried = {}
            for rate in RATES:
                scores = list(pool.map(score, repeat(way), repeat(rate), CHOOSING, repeat(0)))
                tried[rate] = round(100 * float(np.mean(scores)), 2)
            best = max(tried, key=tried.get)
            found = list(pool.map(score, repeat(way), repeat(best), JUDGING, repeat(1)))
            ways[way] = {
                "percent_by_rate": tried,
                "rate": best,
                "percent": [round(100 * share, 2) for share in found],
            }
            print(f"{way:10} rate {best}: {100 * np.mean(found):.2f} %, {tried}", flush=True)
    write("momentum", record | {"ways": ways})


if __name__ == "__main__":
    main()
