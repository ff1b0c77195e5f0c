"""Measure what each idea of chapter 12 buys, one after the other, and write the record.

    MNIST_DIR=... python benchmarks/ideas.py

Each rung of the ladder adds to the one before. All are trained on 55,000 of the training images and
judged by the other 5,000, with three seeds; the test images are not touched. The record goes to
benchmarks/records/ideas.json. It takes half an hour of one core.
"""

import argparse
import time
from dataclasses import replace

import numpy as np
from record import origin, write

from mnist_book.augment import Strength
from mnist_book.recipes import Recipe, learn
from mnist_core import load_mnist, predict_images

FIRST = Recipe(hidden=(128,), epochs=5, batch=64, learning_rate=0.1, warm_up=0)
WIDE = replace(FIRST, hidden=(512,), learning_rate=0.25, slope=0.1, warm_up=0.05, weight_decay=1e-4)
SMOOTH = replace(WIDE, label_smoothing=0.1)
WHOLE = Recipe(
    hidden=(512, 384), epochs=40, strength=Strength()._replace(elastic=0.0), known=0, review=1
)
RUBBER = replace(WHOLE, strength=Strength())
CALM = replace(RUBBER, calm=0.4, calmest=0.1)
REVIEW = replace(CALM, known=0.005, review=0.1)
RUNGS = {
    "128 units, learning rate falling": FIRST,
    "512 units, weight decay": WIDE,
    "smoothed labels": SMOOTH,
    "two layers, a minute, no distortion": replace(WHOLE, strength=None),
    "turned, slanted, stretched, shifted": WHOLE,
    "pulled like rubber": RUBBER,
    "distortions fade at the end": CALM,
    "practice on what is not known": REVIEW,
}


def main() -> None:
    """Climb the ladder and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    options = parser.parse_args()
    record, digits = origin("python benchmarks/ideas.py"), load_mnist(download=False)
    learned, held_out = slice(0, 55_000), slice(55_000, 60_000)
    rungs = []
    for name, recipe in RUNGS.items():
        errors, seconds = [], []
        for seed in options.seeds:
            start = time.process_time()
            network = learn(
                recipe,
                digits.train_images[learned],
                digits.train_labels[learned],
                rng=np.random.default_rng(seed),
            )
            seconds.append(round(time.process_time() - start, 1))
            found = predict_images(network, digits.train_images[held_out])
            wrong = np.mean(found != digits.train_labels[held_out])
            errors.append(round(100 * float(wrong), 2))
        rungs.append(
            {
                "idea": name,
                "hidden": recipe.hidden,
                "error_percent": errors,
                "processor_seconds": seconds,
            }
        )
        print(f"{name:36} {np.mean(errors):.2f} ± {np.std(errors):.2f} %, {seconds} s", flush=True)
    judged = {
        "judged_by": "5,000 of the training images that were not learned from",
        "seeds": options.seeds,
        "rungs": rungs,
    }
    write("ideas", record | judged)


if __name__ == "__main__":
    main()
