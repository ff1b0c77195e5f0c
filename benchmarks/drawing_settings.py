"""Measure what was gained by tuning the box and the centre of `strokes_to_image`, and on whom.

    MNIST_DIR=... PENDIGITS_DIR=... python benchmarks/drawing_settings.py

The released values were chosen on drawings by 30 people, on which benchmarks/drawings.py measures,
too. So each pair of values is measured here on these people with networks of MNIST alone; and once
for every writer the pair is chosen anew, on the drawings by all others. The record goes to
benchmarks/records/drawing_settings.json; it takes some five minutes on one core.
"""

import itertools
import time

import numpy as np
from common.arguments import parser
from common.judging import by_writer, percent
from common.record import origin, write
from drawings import learn

from mnist_book.dataset import load_mnist
from mnist_book.drawing.pen_drawings import load_pen_drawings
from mnist_book.drawing.strokes import strokes_to_image
from mnist_core import predict_images

BOXES = (19.0, 20.0)
CENTRES = (14.0, 14.25, 14.5, 14.75)
SEEDS = 5


def main() -> None:
    """Measure every pair with several networks, choose without each writer, write the record."""
    parser(__doc__).parse_args()
    mnist, people, record = load_mnist(download=False), load_pen_drawings(), origin()
    began = time.perf_counter()
    networks = [
        learn(mnist.train_images, mnist.train_labels, seed, distort=False) for seed in range(SEEDS)
    ]
    pairs, of_writers = [], []
    for box, centre in itertools.product(BOXES, CENTRES):
        images = np.array(
            [np.rint(255 * strokes_to_image(s, box=box, centre=centre)) for s in people.strokes],
            np.uint8,
        )
        rights = [predict_images(network, images) == people.labels for network in networks]
        accuracies = [percent(right) for right in rights]
        pairs.append({"box": box, "centre": centre, "accuracies": accuracies})
        of_writers.append(list(by_writer(np.mean(rights, axis=0), people.writers).values()))
        print(pairs[-1])
    shares = np.array(of_writers)  # (pairs, writers)
    everyone = np.arange(shares.shape[1])
    chosen = [int(shares[:, everyone != writer].mean(axis=1).argmax()) for writer in everyone]
    measured = {
        "seconds": round(time.perf_counter() - began),
        "pairs": pairs,
        "chosen without the writer": [
            {key: pairs[number][key] for key in ("box", "centre")} for number in chosen
        ],
        "right, chosen without the writer": percent(shares[chosen, everyone]),
        "right, chosen on all": percent(shares[shares.mean(axis=1).argmax()]),
    }
    write("drawing_settings", record | measured)


if __name__ == "__main__":
    main()
