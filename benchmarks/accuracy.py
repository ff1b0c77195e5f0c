"""Train for accuracy within a budget of time, and write the record.

    OPENBLAS_NUM_THREADS=1 MNIST_DIR=... python benchmarks/accuracy.py --budget 1m
    OPENBLAS_NUM_THREADS=1 MNIST_DIR=... python benchmarks/accuracy.py --budget 10s --validate

Three budgets, 1.6s, 3.8s and 10s, are seconds of one core, and without distortions. The others are
minutes of two cores, so that the processor may be used for twice as long, all threads together and
distorting the pictures included. Where a name ends in -straight, all pictures are straightened
first, which is in the time too. With --validate four networks are trained, each judged by another
10,000 of the training images that it has not learned from: so a recipe is chosen. Without it all
60,000 are learned from, and the test images are looked at after the last step.

The record, benchmarks/records/accuracy-1m.json, has every seed's error and which images it reads
wrongly; and apart from it what the same networks reach when each sees several distorted copies of
an image, and all of them together.
With --add the runs are added to those of the record that is there.
"""

import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import repeat
from pathlib import Path

import numpy as np
from common.arguments import add_at_once, add_seeds, parser
from common.judging import fold, mean_and_deviation, percent
from common.record import origin, read, write

from mnist_book.accuracy.augment import Distorter, Strength
from mnist_book.accuracy.recipes import Recipe, learn
from mnist_book.accuracy.straighten import straighten
from mnist_book.dataset import Digits, load_mnist
from mnist_core import Network, scale_pixels

PLAIN = {"slope": 0.1, "learning_rate": 0.25, "label_smoothing": 0.1, "weight_decay": 1e-4}
TEN = PLAIN | {"hidden": (512,), "epochs": 6, "batch": 64, "slope": 0.01, "known": 0, "review": 0.1}
STRONGER = Strength(12.0, 0.12, 0.12, 1.0, 1.3)
DISTORTED = {"strength": Strength(), "calm": 0.4, "calmest": 0.1, "known": 0.005, "review": 0.1}
# Rubber that bends in wider bows, and distortions that fade to a half only.
WIDER = Strength(12.0, 0.12, 0.12, 1.0, 1.3, cells=6)
FURTHER = DISTORTED | {"strength": WIDER, "calmest": 0.5, "components": 300}
LONG = FURTHER | {"hidden": (1000, 800, 500), "epochs": 300, "slope": 0.1, "weight_decay": 1e-5}
# For straightened pictures, which differ less. Chosen on the folds, straightened in an earlier way.
LESS = Strength(10.0, 0.1, 0.1, 0.9, 1.3, cells=6)


@dataclass(frozen=True)
class Budget:
    """What may be used, and what is done with it."""

    processor_seconds: float
    recipe: Recipe
    straight: bool = False  # are pictures straightened, before learning and before judging?


# Recipes were chosen on the last 5,000 training images, with few seeds, where nothing else is said.
BUDGETS = {
    "1.6s": Budget(1.6, Recipe(hidden=(160,), epochs=2.3, batch=48, **PLAIN)),
    "3.8s": Budget(3.8, Recipe(hidden=(256,), epochs=4, batch=64, **PLAIN)),
    # Chosen with --validate. An image is known when its digit has more than its smoothed target.
    "10s": Budget(10, Recipe(**TEN)),
    # The time that straightening takes is missing in training.
    "10s-straight": Budget(10, Recipe(**TEN | {"epochs": 4.5}), straight=True),
    # Chosen with --validate, too.
    "1m": Budget(120, Recipe(hidden=(512, 384), epochs=46, **FURTHER)),
    "1m-straight": Budget(
        120, Recipe(hidden=(512, 384), epochs=46, **FURTHER | {"strength": LESS}), straight=True
    ),
    "5m": Budget(600, Recipe(hidden=(800, 800), epochs=100, **DISTORTED | {"strength": STRONGER})),
    # The next recipe with straightened pictures, fewer epochs and less distortion.
    "5m-straight": Budget(600, Recipe(**LONG | {"epochs": 70, "strength": LESS}), straight=True),
    # Chosen on two of the four folds with 70 epochs; here there is time for more.
    "30m": Budget(3600, Recipe(**LONG)),
    "30m-straight": Budget(3600, Recipe(**LONG), straight=True),
    # The layers of the record of 2010, by D. Cireşan and others. Only the first steps were tried.
    "2h": Budget(
        14_400,
        Recipe(
            hidden=(2500, 2000, 1500, 1000, 500),
            epochs=100,
            batch=256,
            **FURTHER | {"slope": 0.1, "learning_rate": 0.2, "fresh": 16},
        ),
    ),
}
COPIES = 16  # of an image, when several distorted copies are averaged


def probabilities(network: Network, images: np.ndarray) -> np.ndarray:
    """Compute the probabilities (n, 10) of images uint8, some at a time."""
    parts = np.array_split(images, max(len(images) // 1000, 1))
    return np.concatenate([network.predict_proba(scale_pixels(part)) for part in parts])


def of_distorted_copies(network: Network, images: np.ndarray, recipe: Recipe) -> np.ndarray:
    """Average the probabilities (n, 10) of copies, distorted half as much as in training."""
    rng = np.random.default_rng(0)
    distorter = Distorter(images, rng, recipe.strength.times(0.5))
    rows = np.arange(len(images))
    return sum(probabilities(network, distorter.distort(rows)) for _ in range(COPIES)) / COPIES


def error(p: np.ndarray, labels: np.ndarray) -> float:
    """Compute the percentage of images whose most probable digit is wrong."""
    return percent(p.argmax(axis=1) != labels)


def held_out_by(seed: int, validate: bool) -> Digits:
    """Load what is learned from (training) and what it is judged by (testing).

    With `validate` these are the training images without the seed's own fold, and that fold.
    """
    digits = load_mnist(download=False)
    if not validate:
        return digits
    images, labels, test = digits.train_images, digits.train_labels, fold(seed)
    return Digits(images[~test], labels[~test], images[test], labels[test], "folds of MNIST")


def train_and_judge(
    name: str, seed: int, validate: bool, save: Path | None
) -> tuple[dict, np.ndarray]:
    """Train with one seed; return errors and times, and the probabilities (n, 10) they rest on.

    It is judged after the last step.
    """
    recipe, digits = BUDGETS[name].recipe, held_out_by(seed, validate)
    learned, images, labels = digits.train_images, digits.test_images, digits.test_labels
    rng = np.random.default_rng(seed)
    processor, clock = time.process_time(), time.perf_counter()
    if BUDGETS[name].straight:
        learned, images = straighten(learned), straighten(images)
    network = learn(recipe, learned, digits.train_labels, rng=rng)
    processor, clock = time.process_time() - processor, time.perf_counter() - clock
    p = probabilities(network, images)
    wrong_images = np.flatnonzero(p.argmax(axis=1) != labels).tolist()
    run = {
        "seed": seed,
        "error_percent": error(p, labels),
        "processor_seconds": round(processor, 2),
        "seconds": round(clock, 2),
    }
    if recipe.strength:
        p = of_distorted_copies(network, images, recipe)
        run["error_percent_of_distorted_copies"] = error(p, labels)
    print(run, flush=True)
    if save:
        network.save(save)
    return run | {"wrong_images": wrong_images}, p


def of_seeds(runs: list[dict]) -> dict:
    """Compute mean and standard deviation of the seeds' errors."""
    mean, deviation = mean_and_deviation([run["error_percent"] for run in runs])
    return {
        "error_percent_mean": round(mean, 3),
        "error_percent_standard_deviation": round(deviation, 3),
    }


def described(budget: Budget) -> dict:
    """Describe a budget as a record does: in what JSON can hold."""
    strength = budget.recipe.strength
    recipe = asdict(budget.recipe) | {"strength": strength and strength._asdict()}
    recipe["hidden"] = list(budget.recipe.hidden)
    return {
        "budget_processor_seconds": budget.processor_seconds,
        "straight": budget.straight,
        "recipe": recipe,
    }


def check_same(earlier: dict, now: dict, seeds: list[int]) -> None:
    """Check that an earlier record is of the same recipe, and of other seeds."""
    if different := [key for key in now if earlier[key] != now[key]]:
        raise ValueError(f"record: found another {different}, expected this program's; omit --add")
    if twice := {run["seed"] for run in earlier["runs"]} & set(seeds):
        raise ValueError(f"seeds: the record has {sorted(twice)} already, expected new ones")


def joined(earlier: dict, later: dict) -> dict:
    """Add the runs of a later record to an earlier one's; each run says its commit and processor.

    What all networks reach together stays that of the earlier runs: `seeds_together` says which.
    """
    runs = []
    for part in (earlier, later):
        made = {key: part[key] for key in ("commit", "processor") if key in part}
        runs += [made | run for run in part["runs"]]
    return earlier | {"runs": runs} | of_seeds(runs)


def main() -> None:
    """Train with several seeds, print the errors, and write the record."""
    program = parser(__doc__)
    option = program.add_argument
    option("--budget", choices=BUDGETS, default="1m")
    option("--validate", action="store_true", help="judge by held-out training images")
    option("--save", type=Path, help="where the first seed's weights go")
    option("--add", action="store_true", help="add to the record that is there")
    add_seeds(program, None, "0 1 2; with --validate 0 1 2 3")
    add_at_once(program)
    options = program.parse_args()
    seeds = options.seeds or [*range(4 if options.validate else 3)]
    name, now = f"accuracy-{options.budget}", described(BUDGETS[options.budget])
    earlier = read(name) if options.add else None
    if earlier:
        check_same(earlier, now, seeds)
    record = origin()
    with ProcessPoolExecutor(options.at_once) as pool:
        names, validate = repeat(options.budget), repeat(options.validate)
        saves = [options.save, *[None] * len(seeds)]
        results = list(pool.map(train_and_judge, names, seeds, validate, saves))
    runs, p = zip(*results, strict=True)
    found = of_seeds(runs)
    print("error {} ± {} %".format(*found.values()))
    if options.validate:
        return
    together = error(np.mean(p, axis=0), load_mnist(download=False).test_labels)
    print(f"all networks together {together} %")
    measured = {
        "runs": runs,
        **found,
        "error_percent_of_all_networks_together": together,
        "seeds_together": [run["seed"] for run in runs],
    }
    record = record | now | measured
    write(name, joined(earlier, record) if earlier else record)


if __name__ == "__main__":
    main()
