"""Train for accuracy within a budget of minutes on two cores, and write the record.

    MNIST_DIR=... python benchmarks/accuracy.py --budget 1m
    MNIST_DIR=... python benchmarks/accuracy.py --budget 1m --validate

A budget of one minute is one minute of two cores: two minutes of processor time, of all threads,
distorting the pictures included. Recipes are chosen with --validate, which trains on 55,000 of the
training images and judges by the other 5,000. Without it all 60,000 are learned from, and the test
images are looked at once, after the last step. The record, benchmarks/records/accuracy-1m.json,
has every seed's error.
"""

import argparse
import json
import platform
import subprocess
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from mnist_book.augment import Distorter, Strength
from mnist_core import Buffers, Network, load_mnist, predict_images

RECORDS = Path(__file__).parent / "records"


@dataclass(frozen=True)
class Recipe:
    """How a network is trained."""

    hidden: tuple[int, ...]
    epochs: int
    batch: int = 128
    learning_rate: float = 0.15
    momentum: float = 0.9
    warm_up: float = 0.05  # share of the steps in which the learning rate rises from 0
    calm: float = 0.0  # share of the steps, at the end, in which distortions fade
    calmest: float = 0.3  # what is left of them in the last step
    fresh: int = 8  # distortions drawn anew in each step
    strength: Strength = field(default_factory=Strength)


RECIPES = {"1m": Recipe(hidden=(384, 384), epochs=52, calm=0.4, calmest=0.1)}
MINUTES = {"1m": 1.0}


def learning_rates(recipe: Recipe, steps: int) -> Iterator[float]:
    """Rise evenly from 0 to the learning rate, then fall evenly to 0: one for each step."""
    rising = max(round(recipe.warm_up * steps), 1)
    for step in range(steps):
        falling = (steps - step) / (steps - rising)
        yield recipe.learning_rate * min((step + 1) / rising, falling)


def learn(recipe: Recipe, images: np.ndarray, labels: np.ndarray, seed: int) -> Network:
    """Train a network on distorted images, uint8 (n, 28, 28)."""
    rng = np.random.default_rng(seed)
    network = Network((784, *recipe.hidden, 10), rng=rng)
    buffers = Buffers(network, recipe.batch)
    velocity = np.zeros_like(network.vector)
    mean = np.float32(images.mean() / 255)
    distorter = Distorter(images, rng, recipe.strength)
    pixels = np.empty((recipe.batch, 784), np.uint8)
    steps_of_epoch = len(images) // recipe.batch
    steps = recipe.epochs * steps_of_epoch
    for step, rate in enumerate(learning_rates(recipe, steps)):
        if step % steps_of_epoch == 0:
            order = rng.permutation(len(images))
        left = (steps - step) / steps
        if left < recipe.calm:
            share = left / recipe.calm
            factor = share + (1 - share) * recipe.calmest
            distorter.strength = recipe.strength.times(factor)
        start = step % steps_of_epoch * recipe.batch
        rows = order[start : start + recipe.batch]
        distorter.refresh(recipe.fresh)
        distorter.distort(rows, out=pixels)
        buffers.x[...] = pixels
        buffers.x *= np.float32(1 / 255)
        buffers.x -= mean
        network.loss_and_gradients(buffers.x, labels[rows], buffers)
        buffers.vector *= np.float32(rate)
        velocity *= np.float32(recipe.momentum)
        velocity -= buffers.vector
        network.vector += velocity
    # What was subtracted from every pixel goes into the first bias: the network takes plain images.
    network.biases[0][...] -= mean * network.weights[0].sum(axis=0)
    return network


def main() -> None:
    """Train with several seeds, print the errors, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", choices=RECIPES, default="1m")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--validate", action="store_true", help="judge by held-out training images")
    parser.add_argument("--save", type=Path, help="where the first seed's weights go")
    options = parser.parse_args()
    recipe, digits = RECIPES[options.budget], load_mnist(download=False)
    learned = slice(0, 55_000 if options.validate else 60_000)
    images, labels = digits.test_images, digits.test_labels
    if options.validate:
        images, labels = digits.train_images[55_000:], digits.train_labels[55_000:]
    runs = []
    for seed in options.seeds:
        processor, clock = time.process_time(), time.perf_counter()
        network = learn(recipe, digits.train_images[learned], digits.train_labels[learned], seed)
        processor, clock = time.process_time() - processor, time.perf_counter() - clock
        wrong = int(np.sum(predict_images(network, images) != labels))
        runs.append(
            {
                "seed": seed,
                "error_percent": round(100 * wrong / len(labels), 3),
                "processor_seconds": round(processor, 1),
                "seconds": round(clock, 1),
            }
        )
        print(runs[-1], flush=True)
        if options.save and seed == options.seeds[0]:
            network.save(options.save)
    errors = [run["error_percent"] for run in runs]
    print(f"error {np.mean(errors):.3f} ± {np.std(errors):.3f} %")
    if options.validate:
        return
    record = {
        "command": f"python benchmarks/accuracy.py --budget {options.budget}",
        "commit": subprocess.run(
            ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=True
        ).stdout.strip(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "budget_processor_seconds": 120 * MINUTES[options.budget],
        "recipe": asdict(recipe) | {"strength": recipe.strength._asdict()},
        "runs": runs,
    }
    path = RECORDS / f"accuracy-{options.budget}.json"
    path.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
