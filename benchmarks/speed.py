"""Race the core's training against its machine's limit, PyTorch and scikit-learn.

    pip install -r requirements-bench.txt
    MNIST_DIR=... python benchmarks/speed.py

All train 784-hidden-10 on the same images, with the same batch size, learning rate and momentum, in
float32, on one thread and on two. They run in turn, an epoch each, round after round, so that what
slows the machine down slows all of them. Printed are medians of the rounds' ratios, with their
quartiles. The limit is the time of the five matrix products of a training step, without anything
around them.

The record goes to benchmarks/records/speed.json.
"""

import dataclasses
import warnings
from itertools import product

import numpy as np
import torch
from common.arguments import parser
from common.pytorch import two_layers
from common.record import origin, write
from common.timing import in_turn, ratios
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_info, threadpool_limits

from mnist_book.dataset import Digits, load_mnist
from mnist_core import Network, accuracy, predict_images, scale_pixels, train

LEARNING_RATE, MOMENTUM = 0.05, 0.9


class Core:
    """mnist_core.train, which takes the images as bytes."""

    def __init__(self, digits: Digits, hidden: int, batch: int) -> None:
        self.digits, self.batch = digits, batch
        self.rng = np.random.default_rng(0)
        self.network = Network((784, hidden, 10), rng=self.rng)

    def epoch(self) -> None:
        """Take every image once."""
        train(
            self.network,
            self.digits.train_images,
            self.digits.train_labels,
            rng=self.rng,
            epochs=1,
            batch_size=self.batch,
            learning_rate=LEARNING_RATE,
            momentum=MOMENTUM,
        )

    def accuracy(self) -> float:
        """Measure the share of test images that is right."""
        predictions = predict_images(self.network, self.digits.test_images)
        return accuracy(predictions, self.digits.test_labels)


class Limit:
    """The matrix products of an epoch, on arrays that stay where they are."""

    def __init__(self, digits: Digits, hidden: int, batch: int) -> None:
        def array(*shape: int) -> np.ndarray:
            return np.random.default_rng(0).normal(0, 0.1, shape).astype(np.float32)

        self.steps = len(digits.train_labels) // batch
        self.x, self.a, self.d_z = array(batch, 784), array(batch, hidden), array(batch, 10)
        self.w1, self.w2 = array(784, hidden), array(hidden, 10)
        self.out = [
            np.empty(shape, np.float32)
            for shape in (
                (batch, hidden),
                (batch, 10),
                (hidden, 10),
                (batch, hidden),
                (784, hidden),
            )
        ]

    def epoch(self) -> None:
        """Take every image once."""
        z1, z2, d_w2, d_a, d_w1 = self.out
        for _ in range(self.steps):
            np.matmul(self.x, self.w1, out=z1)
            np.matmul(self.a, self.w2, out=z2)
            np.matmul(self.a.T, self.d_z, out=d_w2)
            np.matmul(self.d_z, self.w2.T, out=d_a)
            np.matmul(self.x.T, self.a, out=d_w1)


class PyTorch:
    """PyTorch eager: scaled images in memory, one gather a batch, the fused optimizer."""

    def __init__(self, digits: Digits, hidden: int, batch: int) -> None:
        torch.manual_seed(0)
        self.batch, self.digits = batch, digits
        self.x = torch.from_numpy(scale_pixels(digits.train_images))
        self.labels = torch.from_numpy(digits.train_labels.astype(np.int64))
        self.model = two_layers(hidden)
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, fused=True
        )

    def epoch(self) -> None:
        """Take every image once."""
        # The images are shuffled once; the batches are then slices, without a copy.
        order = torch.randperm(len(self.x))
        x, labels = self.x[order], self.labels[order]
        for start in range(0, len(x), self.batch):
            logits = self.model(x[start : start + self.batch])
            loss = torch.nn.functional.cross_entropy(logits, labels[start : start + self.batch])
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()

    def accuracy(self) -> float:
        """Measure the share of test images that is right."""
        with torch.no_grad():
            logits = self.model(torch.from_numpy(scale_pixels(self.digits.test_images)))
        return accuracy(logits.argmax(dim=1).numpy(), self.digits.test_labels)


class ScikitLearn:
    """scikit-learn's MLPClassifier, with plain ReLU: it has no leaky one."""

    def __init__(self, digits: Digits, hidden: int, batch: int) -> None:
        self.digits = digits
        self.x = scale_pixels(digits.train_images)
        self.model = MLPClassifier(
            (hidden,),
            solver="sgd",
            alpha=0,
            batch_size=batch,
            learning_rate_init=LEARNING_RATE,
            momentum=MOMENTUM,
            nesterovs_momentum=False,
            random_state=0,
        )

    def epoch(self) -> None:
        """Take every image once."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.model.partial_fit(self.x, self.digits.train_labels, classes=range(10))

    def accuracy(self) -> float:
        """Measure the share of test images that is right."""
        predictions = self.model.predict(scale_pixels(self.digits.test_images))
        return accuracy(predictions, self.digits.test_labels)


CONTENDERS = {"core": Core, "limit": Limit, "PyTorch": PyTorch, "scikit-learn": ScikitLearn}


def race(digits: Digits, hidden: int, batch: int, threads: int, rounds: int) -> dict:
    """Run all in turn; return seconds an epoch, ratios to the core's, and accuracies."""
    torch.set_num_threads(threads)
    with threadpool_limits(threads):
        racers = {name: make(digits, hidden, batch) for name, make in CONTENDERS.items()}
        for racer in racers.values():
            racer.epoch()  # the first one warms caches up
        seconds = in_turn({name: racer.epoch for name, racer in racers.items()}, rounds)
        scores = {
            name: round(racer.accuracy(), 4) for name, racer in racers.items() if name != "limit"
        }
    core, rivals = seconds["core"], [name for name in racers if name != "core"]
    return {
        "hidden": hidden,
        "batch": batch,
        "threads": threads,
        "seconds": {name: round(float(np.median(times)), 4) for name, times in seconds.items()},
        "ratio_to_core": {name: ratios(seconds[name], core) for name in rivals},
        "accuracy": scores,
    }


def main() -> None:
    """Race for every size, batch and number of threads."""
    program = parser(__doc__)
    option = program.add_argument
    option("--hidden", type=int, nargs="*", default=[128, 800], help="units [128 800]")
    option("--batch", type=int, nargs="*", default=[64, 128, 256], help="[64 128 256]")
    option("--threads", type=int, nargs="*", default=[1, 2], help="[1 2]")
    option("--rounds", type=int, default=7, help="how often each has its turn [7]")
    option("--images", type=int, default=60_000, help="an epoch's [60000]")
    option("--no-record", action="store_true", help="for a quick look")
    options = program.parse_args()
    record = origin("torch", "scikit-learn")
    digits = load_mnist(download=False)
    digits = dataclasses.replace(
        digits,
        train_images=digits.train_images[: options.images],
        train_labels=digits.train_labels[: options.images],
    )
    races = []
    print("median time of an epoch in units of the core's [quartiles]")
    for threads, hidden, batch in product(options.threads, options.hidden, options.batch):
        races.append(race(digits, hidden, batch, threads, options.rounds))
        each = ", ".join(
            f"{name} {middle:.2f} [{low:.2f}-{high:.2f}]"
            for name, (low, middle, high) in races[-1]["ratio_to_core"].items()
        )
        print(f"{threads} threads, {hidden} units, batch {batch}: {each}", flush=True)
    if options.no_record:
        return
    blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    measured = {
        "blas": [f"{pool['internal_api']} {pool['version']}" for pool in blas],
        "images": options.images,
        "rounds": options.rounds,
        "races": races,
    }
    write("speed", record | measured)


if __name__ == "__main__":
    main()
