"""Measure what each idea of chapter 12 buys, one after the other, and write the record.

    OPENBLAS_NUM_THREADS=1 MNIST_DIR=... python benchmarks/ideas.py
    OPENBLAS_NUM_THREADS=1 MNIST_DIR=... python benchmarks/ideas.py --all-pixels
    OPENBLAS_NUM_THREADS=1 MNIST_DIR=... python benchmarks/ideas.py --straight
    OPENBLAS_NUM_THREADS=1 MNIST_DIR=... python benchmarks/ideas.py --short

Each rung of the ladder adds to the one before, but for the fourth, from which on labels are not
smoothed and weights do not decay. On each, four networks are trained, each on 50,000 of the
training images and judged by the other 10,000; the test images are not touched. The record goes to
benchmarks/records/ideas.json. It takes three quarters of an hour of one core.

With --all-pixels it measures the last rung without the one before, with --straight some of the
rungs with straightened pictures, and with --short the fourth in a tenth of its epochs. The records
are ideas-all-pixels.json, ideas-straight.json and ideas-short.json.
"""

import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import repeat

import numpy as np
from accuracy import LESS, WIDER, held_out_by
from common.arguments import add_at_once, parser
from common.judging import percent
from common.record import origin, write

from mnist_book.accuracy.augment import Strength
from mnist_book.accuracy.recipes import Recipe, learn
from mnist_book.accuracy.straighten import straighten
from mnist_core import predict_images

FIRST = Recipe(hidden=(128,), epochs=5, batch=64, learning_rate=0.1, warm_up=0)
WIDE = replace(FIRST, hidden=(512,), learning_rate=0.25, slope=0.1, warm_up=0.05, weight_decay=1e-4)
SMOOTH = replace(WIDE, label_smoothing=0.1)
WHOLE = Recipe(
    hidden=(512, 384), epochs=40, strength=Strength()._replace(elastic=0.0), known=0, review=1
)
RUBBER = replace(WHOLE, strength=Strength())
CALM = replace(RUBBER, calm=0.4, calmest=0.5)
REVIEW = replace(CALM, known=0.005, review=0.1)
COMPONENTS = replace(REVIEW, components=300, epochs=46)  # in the time that 40 took
RUNGS = {
    "128 units, learning rate falling": FIRST,
    "512 units, weight decay": WIDE,
    "smoothed labels": SMOOTH,
    "two layers, a minute, no distortion": replace(WHOLE, strength=None),
    "turned, slanted, stretched, shifted": WHOLE,
    "pulled like rubber": RUBBER,
    "distortions fade at the end": CALM,
    "practice on what is not known": REVIEW,
    "300 components, more epochs": COMPONENTS,
    "distorted more, in wider bows": replace(COMPONENTS, strength=WIDER),
}
LADDERS = {
    "ideas": RUNGS,
    "ideas-all-pixels": {"distorted more, all pixels": replace(REVIEW, strength=WIDER)},
    "ideas-straight": {
        name: RUNGS[name]
        for name in (
            "128 units, learning rate falling",
            "smoothed labels",
            "two layers, a minute, no distortion",
            "distorted more, in wider bows",
        )
    }
    | {"distorted a little less": replace(COMPONENTS, strength=LESS)},
    "ideas-short": {
        "two layers, a tenth of a minute, no distortion": replace(WHOLE, strength=None, epochs=4)
    },
}


def judge(recipe: Recipe, number: int, straight: bool) -> tuple[float, float]:
    """Train on all training images but a fold; return the percentage wrong on it, and seconds."""
    digits = held_out_by(number, validate=True)
    learned, images = digits.train_images, digits.test_images
    if straight:
        learned, images = straighten(learned), straighten(images)
    start = time.process_time()
    network = learn(recipe, learned, digits.train_labels, rng=np.random.default_rng(number))
    seconds = time.process_time() - start
    return percent(predict_images(network, images) != digits.test_labels, 2), round(seconds, 1)


def main() -> None:
    """Climb the ladder and write the record."""
    program = parser(__doc__)
    add_at_once(program)
    variant = program.add_mutually_exclusive_group()
    variant.add_argument("--all-pixels", action="store_true", help="only the last, on all pixels")
    variant.add_argument("--straight", action="store_true", help="some, with straightened pictures")
    variant.add_argument("--short", action="store_true", help="the fourth, in a tenth of its time")
    options = program.parse_args()
    ladder = "ideas" + "-all-pixels" * options.all_pixels + "-straight" * options.straight
    ladder += "-short" * options.short
    record, rungs = origin(), []
    with ProcessPoolExecutor(options.at_once) as pool:
        for name, recipe in LADDERS[ladder].items():
            results = pool.map(judge, repeat(recipe), range(4), repeat(options.straight))
            errors, seconds = zip(*results, strict=True)
            rungs.append(
                {
                    "idea": name,
                    "hidden": recipe.hidden,
                    "error_percent": errors,
                    "processor_seconds": seconds,
                }
            )
            print(f"{name:36} {np.mean(errors):.3f} %, {errors}, {seconds} s", flush=True)
    judged = {
        "judged_by": "four times 10,000 of the training images, by networks that did not see them",
        "rungs": rungs,
    }
    write(ladder, record | judged)


if __name__ == "__main__":
    main()
