"""Trains the reader's network beside the core's, on the same pictures, with the same settings."""

import time
import types
from collections.abc import Callable, Sequence

import numpy as np

import mnist_core
from mnist_book import dataset
from mnist_book.diagnosis.evidence import cleaned, lay_out
from mnist_book.diagnosis.running import Theirs, run
from mnist_book.writing.epoch import stepped
from mnist_book.writing.source import get
from mnist_book.writing.troubles import Trouble

HIDDEN, BATCH, RATE, EPOCHS = 64, 64, 0.1, 3
SLOPE = 0.01
PATIENCE = 45.0  # seconds of work that the reader's training may take, by its first steps
FEWEST = 1000  # pictures that it trains on, however slow it is
AT_ONCE = 1000  # test pictures in a call


class Readers:
    """The reader's network: its functions, and parameters that they have made."""

    def __init__(self, module: types.ModuleType, seed: int = 0) -> None:
        self.functions = {
            name: get(module, name)
            for name in ("he_normal", "predict_proba", "train_step", "train_epoch")
        }
        self.columns = module.__dict__.get("COLUMNS") is True
        self.parameters = self._first(np.random.default_rng(seed))

    def _first(self, rng: np.random.Generator) -> list[np.ndarray]:
        parameters: list[np.ndarray] = []
        for inputs, outputs in ((784, HIDDEN), (HIDDEN, 10)):
            weights = self.call("he_normal", rng, inputs, outputs, SLOPE)
            biases = np.zeros((outputs, 1) if self.columns else outputs)
            parameters += [np.array(weights, float), biases]
        return parameters

    def call(self, name: str, *arguments: object, limit: float = 20.0) -> Theirs:
        """Call a function of theirs with a limit of time."""
        try:
            result, _ = run(self.functions[name], arguments, limit)
        except TimeoutError:
            raise Trouble("network.slow", name=name) from None
        except Exception as error:
            raised = f"{type(error).__name__}: {cleaned(error, str)}"
            raise Trouble("network.fails", lay_out(raised=raised), name=name) from None
        return result

    def laid_out(self, x: np.ndarray) -> np.ndarray:
        """Lay pictures (n, inputs) out as their functions take them."""
        return x.T.copy() if self.columns else x

    def seconds_per_step(self, x: np.ndarray, labels: np.ndarray) -> float:
        """Measure a few steps, on copies."""
        times = []
        for k in range(3):
            rows = slice(k * BATCH, (k + 1) * BATCH)
            given = [p.copy() for p in self.parameters], self.laid_out(x[rows]), labels[rows], RATE
            start = time.process_time()
            self.call("train_step", *given)
            times.append(time.process_time() - start)
        return min(times)

    def epoch(self, x: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> None:
        """Train on each picture once."""
        result = self.call(
            "train_epoch",
            self.parameters,
            self.laid_out(x),
            labels,
            rng,
            BATCH,
            RATE,
            limit=4 * PATIENCE,
        )
        new = stepped(result, self.parameters)
        if not all(np.isfinite(p).all() for p in new):  # type: ignore[attr-defined]
            raise Trouble("network.nan")
        self.parameters = list(new)  # type: ignore[call-overload]

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        """Compute the probabilities (n, 10) of pictures (n, 784)."""
        parts = [
            np.asarray(self.call("predict_proba", self.parameters, self.laid_out(part)))
            for part in np.split(x, range(AT_ONCE, len(x), AT_ONCE))
        ]
        return np.concatenate(parts, axis=1).T if self.columns else np.concatenate(parts)


def load(name: str) -> dataset.Digits:
    """Load digits that are at hand: "MNIST", "practice digits", or those in a directory."""
    if name == "MNIST":
        return dataset.load_mnist(download=False)
    if name == "practice digits":
        return dataset.load_practice_digits()
    return dataset.load_directory(name)


def train(network: Readers, digits: dataset.Digits, say: Callable[..., None]) -> tuple[int, float]:
    """Train the reader's network; return how many pictures it saw, and seconds for a step.

    One that computes slowly sees fewer of them.
    """
    x = mnist_core.scale_pixels(digits.train_images, np.float64)
    labels = digits.train_labels.astype(np.int64)
    step = network.seconds_per_step(x, labels)
    most = int(PATIENCE / EPOCHS / max(step, 1e-6)) * BATCH
    count = min(len(x), max(most, FEWEST))
    say("training", epoch=0, of=EPOCHS, pictures=count, source=digits.source)
    rng = np.random.default_rng(1)
    start = time.process_time()
    for number in range(1, EPOCHS + 1):
        network.epoch(x[:count], labels[:count], rng)
        say("training", epoch=number, of=EPOCHS, pictures=count, source=digits.source)
    steps = EPOCHS * -(-count // BATCH)
    return count, (time.process_time() - start) / steps


def beside_the_core(
    network: Readers, digits: dataset.Digits, say: Callable[..., None]
) -> dict[str, object]:
    """Train the reader's network and the core's; return accuracies and times of both."""
    count, seconds = train(network, digits, say)
    test_x = mnist_core.scale_pixels(digits.test_images, np.float64)
    mine = _scores(network.predict_proba(test_x).argmax(axis=1), digits.test_labels)
    rng = np.random.default_rng(0)
    core = mnist_core.Network((784, HIDDEN, 10), rng=rng, slope=SLOPE, dtype=np.float64)
    start = time.process_time()
    mnist_core.train(
        core,
        digits.train_images[:count],
        digits.train_labels[:count],
        rng=np.random.default_rng(1),
        epochs=EPOCHS,
        batch_size=BATCH,
        learning_rate=RATE,
        momentum=0,
    )
    core_seconds = (time.process_time() - start) / (EPOCHS * -(-count // BATCH))
    cores = _scores(core.predict(test_x), digits.test_labels)
    return {
        "source": digits.source,
        "pictures": count,
        "slow": count < len(digits.train_labels),
        "epochs": EPOCHS,
        "sizes": [784, HIDDEN, 10],
        "accuracy": mine[0],
        "per_digit": mine[1],
        "milliseconds_per_step": round(1000 * seconds, 3),
        "core": {
            "accuracy": cores[0],
            "per_digit": cores[1],
            "milliseconds_per_step": round(1000 * core_seconds, 3),
        },
    }


def _scores(predictions: np.ndarray, labels: np.ndarray) -> tuple[float, Sequence[float | None]]:
    """Return the accuracy, of all and of each digit: None where there is none of it."""
    each = mnist_core.accuracy_per_digit(predictions, labels)
    return (
        round(mnist_core.accuracy(predictions, labels), 4),
        [None if np.isnan(share) else round(float(share), 4) for share in each],
    )
