"""Measure what a convolution gains over plain networks, and write the record.

    OPENBLAS_NUM_THREADS=1 MNIST_DIR=... python benchmarks/convolution.py

Three networks are trained by one recipe (momentum, a falling learning rate, no distortion): one
with two layers of convolution, a plain one with as many parameters, and a plain one that is given
about as much time. Each is trained four times on 50,000 of the training images and judged by the
other 10,000; the test images are not touched. Each network's learning rate is the best of four
after one epoch with another 5,000 images held out. The record, benchmarks/records/convolution.json,
keeps which images were read wrongly, so that networks can be compared image by image.
"""

import time
from collections.abc import Callable

import numpy as np
from accuracy import held_out_by
from common.arguments import parser
from common.judging import percent
from common.record import origin, write

from mnist_book.accuracy.convolution import ConvolutionalNetwork
from mnist_book.dataset import Digits
from mnist_book.schedule import learning_rates
from mnist_core import Network, scale_pixels

BATCH, MOMENTUM = 64, 0.9
# Tried afterwards by the same images, 0.3 and 0.4 were worse than 0.2 for both plain networks.
RATES = (0.02, 0.05, 0.1, 0.2)


class Plain:
    """A plain network with one hidden layer, used as `ConvolutionalNetwork` is."""

    def __init__(self, units: int, *, rng: np.random.Generator) -> None:
        self.network = Network((784, units, 10), rng=rng)
        self.parameters = self.network.parameters

    def gradients(self, x: np.ndarray, labels: np.ndarray) -> tuple[float, tuple]:
        """Compute the loss of pictures (batch, 28, 28, 1), and the parameters' gradients."""
        return self.network.loss_and_gradients(x.reshape(len(x), -1), labels)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Name the digit (n,) of each picture (n, 28, 28, 1)."""
        return self.network.predict(x.reshape(len(x), -1))


NETWORKS: dict[str, tuple[Callable, int]] = {  # how to make each, and its epochs
    "convolutional": (lambda rng: ConvolutionalNetwork((16, 32), rng=rng), 5),
    "plain, as many parameters": (lambda rng: Plain(23, rng=rng), 5),
    "plain, as much time": (lambda rng: Plain(512, rng=rng), 11),
}


def trained(
    make: Callable, digits: Digits, epochs: int, rate: float, seed: int
) -> ConvolutionalNetwork | Plain:
    """Train a network on all training images; the rate falls evenly to 0."""
    rng = np.random.default_rng(seed)
    network, x = make(rng), scale_pixels(digits.train_images).reshape(-1, 28, 28, 1)
    velocities = [np.zeros_like(parameter) for parameter in network.parameters]
    steps = epochs * len(x) // BATCH
    rows = np.concatenate([rng.permutation(len(x)) for _ in range(epochs)])
    for step, now in enumerate(learning_rates(rate, steps, 0.05)):
        batch = rows[step * BATCH : (step + 1) * BATCH]
        _, gradients = network.gradients(x[batch], digits.train_labels[batch])
        for parameter, velocity, gradient in zip(
            network.parameters, velocities, gradients, strict=True
        ):
            velocity *= np.float32(MOMENTUM)
            velocity -= np.float32(now) * gradient
            parameter += velocity
    return network


def wrong(network: ConvolutionalNetwork | Plain, digits: Digits) -> np.ndarray:
    """Mark (n,) which of the held-out images are read wrongly."""
    x = scale_pixels(digits.test_images).reshape(-1, 28, 28, 1)
    return network.predict(x) != digits.test_labels


def best_rate(make: Callable) -> float:
    """Choose the learning rate with images that the first fold learns from."""
    part = held_out_by(0, validate=True)
    images, labels = part.train_images, part.train_labels
    digits = Digits(images[:-5000], labels[:-5000], images[-5000:], labels[-5000:], part.source)
    errors = [np.mean(wrong(trained(make, digits, 1, rate, 0), digits)) for rate in RATES]
    return RATES[int(np.argmin(errors))]


def main() -> None:
    """Train all networks on all folds and write the record."""
    parser(__doc__).parse_args()
    record, networks = origin(), []
    for name, (make, epochs) in NETWORKS.items():
        rate, runs = best_rate(make), []
        for number in range(4):
            digits, start = held_out_by(number, validate=True), time.process_time()
            network = trained(make, digits, epochs, rate, number)
            seconds, missed = time.process_time() - start, wrong(network, digits)
            runs.append(
                {
                    "error_percent": percent(missed, 2),
                    "processor_seconds": round(seconds, 1),
                    "wrong_images": np.flatnonzero(missed).tolist(),
                }
            )
            print(name, rate, runs[-1]["error_percent"], round(seconds, 1), flush=True)
        parameters = sum(parameter.size for parameter in network.parameters)
        networks.append(
            {
                "network": name,
                "parameters": parameters,
                "epochs": epochs,
                "learning_rate": rate,
                "runs": runs,
            }
        )
    judged_by = "four times 10,000 of the training images, by networks that did not see them"
    write("convolution", record | {"judged_by": judged_by, "networks": networks})


if __name__ == "__main__":
    main()
