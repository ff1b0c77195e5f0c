"""Measure what each step from a naive canvas to the pad buys, on drawings by real people.

    MNIST_DIR=... PENDIGITS_DIR=... python benchmarks/drawings.py

Every network is a 784-128-10 of the core. What it is trained on and how a drawing becomes a picture
change one at a time. Where other people's drawings are learned from, the people are those of two
thirds of the writers, and it is judged on the last third, in turn. The record goes to
benchmarks/records/drawings.json; it takes some ten minutes on one core.
"""

import time
from collections.abc import Callable

import numpy as np
from common.arguments import parser
from common.judging import by_writer, folds_of_writers
from common.record import origin, write

from mnist_book.dataset import Digits, load_mnist
from mnist_book.drawing.pen_drawings import PenDrawings, load_pen_drawings
from mnist_book.drawing.strokes import (
    centre_ink,
    fit_to_box,
    rasterize,
    stroke_segments,
    strokes_to_image,
)
from mnist_book.drawing.variation import distort_images
from mnist_core import Network, predict_images, train

RATES = (0.1, 0.1, 0.05, 0.02, 0.005)  # one epoch each
TABLET = 500  # the side of the tablet, in the units of its strokes
FOLDS = 3
SEEDS = 3
Strokes = list[np.ndarray]


def centred_by_box(starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shift segments to bring the middle of their bounding box to the middle of the picture."""
    points = np.concatenate([starts, ends])
    shift = 14 - (points.min(axis=0) + points.max(axis=0)) / 2
    return starts + shift, ends + shift


def naive(strokes: Strokes) -> np.ndarray:
    """Reduce the canvas to 28 x 28, as it is: the pen 16 of 280 pixels wide."""
    corner = np.array([0, TABLET])  # the tablet counts y upwards from its lower edge
    starts, ends = stroke_segments([(stroke + corner) * (28 / TABLET) for stroke in strokes])
    return rasterize(starts, ends, pen=1.6)


def large(strokes: Strokes) -> np.ndarray:
    """Draw as large as the canvas lets one: 24 of 28 pixels."""
    segments = fit_to_box(*stroke_segments(strokes), side=24 - 1.6)
    return rasterize(*centred_by_box(*segments), pen=1.6)


def boxed(strokes: Strokes) -> np.ndarray:
    """Scale to MNIST's box, with a pen as wide as MNIST's; centre the box."""
    segments = fit_to_box(*stroke_segments(strokes), side=19 - 2.5)
    return rasterize(*centred_by_box(*segments), pen=2.5)


def whole_pixels(strokes: Strokes) -> np.ndarray:
    """Centre by the centre of mass, in whole pixels."""
    starts, ends = fit_to_box(*stroke_segments(strokes), side=19 - 2.5)
    exact, _ = centre_ink(starts, ends, centre=14.25)
    shift = np.round(exact[0] - starts[0])
    return rasterize(starts + shift, ends + shift, pen=2.5)


PIPELINES: dict[str, Callable[[Strokes], np.ndarray]] = {
    "the canvas as it is": naive,
    "drawn large": large,
    "MNIST's box and pen": boxed,
    "centre of mass, whole pixels": whole_pixels,
    "centre of mass, exact": strokes_to_image,
}


def pictures(drawings: list[Strokes], pipeline: Callable[[Strokes], np.ndarray]) -> np.ndarray:
    """Turn drawings into pictures uint8 (n, 28, 28)."""
    return np.array([np.rint(255 * pipeline(strokes)) for strokes in drawings], np.uint8)


def learn(images: np.ndarray, labels: np.ndarray, seed: int, distort: bool) -> Network:
    """Train 784-128-10, each epoch on the pictures as they are or on newly distorted ones."""
    rng = np.random.default_rng(seed)
    network = Network((784, 128, 10), rng=rng)
    images = images.reshape(-1, 784)
    for rate in RATES if not distort else np.repeat(RATES, 2):
        shown = distort_images(images, rng) if distort else images
        train(
            network,
            shown.reshape(-1, 28, 28),
            labels,
            rng=rng,
            epochs=1,
            learning_rate=rate,
        )
    return network


def score(right: np.ndarray, people: PenDrawings) -> dict:
    """Compute the accuracy on people's drawings, and for the worst writer."""
    worst = min(by_writer(right, people.writers).values())
    return {"accuracy": round(float(right.mean()), 4), "worst_writer": round(worst, 4)}


def with_people(seed: int, people: PenDrawings, images: np.ndarray, mnist: Digits) -> dict:
    """Learn from MNIST and two thirds of the writers, judge by the last third, in turn."""
    order = np.random.default_rng(seed).permutation(np.unique(people.writers))
    right = np.zeros(len(images), bool)
    for unseen in folds_of_writers(people.writers, order, FOLDS):
        network = learn(
            np.concatenate([mnist.train_images, *[images[~unseen]] * 4]),
            np.concatenate([mnist.train_labels, *[people.labels[~unseen]] * 4]),
            seed,
            distort=True,
        )
        right[unseen] = predict_images(network, images[unseen]) == people.labels[unseen]
    return score(right, people)


def main() -> None:
    """Measure every step with several seeds, and write the record."""
    parser(__doc__).parse_args()
    mnist, people, record = load_mnist(download=False), load_pen_drawings(), origin()
    began = time.perf_counter()
    sets = {name: pictures(people.strokes, pipeline) for name, pipeline in PIPELINES.items()}
    steps: dict[str, list[dict]] = {name: [] for name in sets}
    steps |= {"distorted MNIST": [], "other people's drawings": []}
    exact = sets["centre of mass, exact"]
    for seed in range(SEEDS):
        plain = learn(mnist.train_images, mnist.train_labels, seed, distort=False)
        for name, images in sets.items():
            steps[name].append(score(predict_images(plain, images) == people.labels, people))
        distorted = learn(mnist.train_images, mnist.train_labels, seed, distort=True)
        right = predict_images(distorted, exact) == people.labels
        steps["distorted MNIST"].append(score(right, people))
        steps["other people's drawings"].append(with_people(seed, people, exact, mnist))
    for name, results in steps.items():
        accuracies = [result["accuracy"] for result in results]
        worst = min(result["worst_writer"] for result in results)
        print(f"{name:30} {np.mean(accuracies):.1%}, worst writer {worst:.1%}")
    measured = {
        "seconds": round(time.perf_counter() - began),
        "drawings": len(people.labels),
        "people": len(np.unique(people.writers)),
        "steps": steps,
    }
    write("drawings", record | measured)


if __name__ == "__main__":
    main()
