"""Race the core against PyTorch to the same accuracy, with the same recipes, and write the record.

    pip install -r requirements-bench.txt
    MNIST_DIR=... python benchmarks/race.py

The recipes are those of accuracy.py that take all images as they are. Both sides train the same
network in the same number of steps: batches, learning rates, momentum, weight decay, smoothed
labels. They run in turn on one thread, seed after seed. Timed is all from the bytes in memory to
the trained network. Printed are the medians of the ratios of time; the test errors stand beside
them, for a race is only won if both arrive.

The record goes to benchmarks/records/race.json.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from accuracy import BUDGETS
from common.arguments import add_seeds, parser
from common.pytorch import two_layers
from common.record import origin, write
from common.timing import ratios, timed
from threadpoolctl import threadpool_limits

from mnist_book.accuracy.recipes import Recipe, learn
from mnist_book.dataset import Digits, load_mnist
from mnist_book.schedule import learning_rates
from mnist_core import Network, predict_images, scale_pixels


def learn_in_core(recipe: Recipe, digits: Digits, seed: int) -> Network:
    """Train with mnist_book.accuracy.recipes.learn."""
    rng = np.random.default_rng(seed)
    return learn(recipe, digits.train_images, digits.train_labels, rng=rng)


def error_in_core(network: Network, digits: Digits) -> float:
    """Measure the percentage of wrong test images."""
    return 100 * float(np.mean(predict_images(network, digits.test_images) != digits.test_labels))


def learn_in_torch(recipe: Recipe, digits: Digits, seed: int) -> torch.nn.Module:
    """Do in PyTorch what mnist_book.accuracy.recipes.learn does without distortions."""
    torch.manual_seed(seed)
    x = torch.from_numpy(scale_pixels(digits.train_images))
    x -= x.mean()
    labels = torch.from_numpy(digits.train_labels.astype(np.int64))
    model = two_layers(recipe.hidden[0], recipe.slope)
    loss_function = torch.nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
    optimizer = torch.optim.SGD(
        model.parameters(),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        fused=True,
    )
    steps = int(recipe.epochs * len(x)) // recipe.batch
    start = len(x)
    for rate in learning_rates(recipe.learning_rate, steps, recipe.warm_up):
        if start + recipe.batch > len(x):
            order, start = torch.randperm(len(x)), 0
            shuffled, shuffled_labels = x[order], labels[order]
        batch = slice(start, start + recipe.batch)
        start += recipe.batch
        optimizer.param_groups[0]["lr"] = rate
        loss = loss_function(model(shuffled[batch]), shuffled_labels[batch])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    return model


def error_in_torch(model: torch.nn.Module, digits: Digits) -> float:
    """Measure the percentage of wrong test images."""
    mean = scale_pixels(digits.train_images).mean()
    with torch.no_grad():
        logits = model(torch.from_numpy(scale_pixels(digits.test_images) - mean))
    return 100 * float(np.mean(logits.argmax(dim=1).numpy() != digits.test_labels))


SIDES = {
    "mnist_core": (learn_in_core, error_in_core),
    "PyTorch": (learn_in_torch, error_in_torch),
}


def race(recipe: Recipe, digits: Digits, seeds: Sequence[int]) -> dict:
    """Train with both in turn, seed after seed; return seconds and errors."""
    seconds, errors = {name: [] for name in SIDES}, {name: [] for name in SIDES}
    for seed in seeds:
        for name, (learn_in, error_in) in SIDES.items():
            time, network = timed(partial(learn_in, recipe, digits, seed))
            seconds[name].append(time)
            errors[name].append(error_in(network, digits))
    return {
        "hidden": recipe.hidden,
        "batch": recipe.batch,
        "seconds": {name: round(float(np.median(each)), 2) for name, each in seconds.items()},
        "error_percent": {name: np.round(each, 2).tolist() for name, each in errors.items()},
        "ratio_of_time": ratios(seconds["PyTorch"], seconds["mnist_core"]),
    }


def main() -> None:
    """Race with each recipe that needs no distortions."""
    program = parser(__doc__)
    add_seeds(program, range(7), "0 to 6")
    options = program.parse_args()
    record = origin("torch")
    digits = load_mnist(download=False)
    torch.set_num_threads(1)
    races = {}
    with threadpool_limits(1):
        for name, budget in BUDGETS.items():
            if budget.recipe.strength is None and budget.recipe.review == 1:
                races[name] = race(budget.recipe, digits, options.seeds)
                print(name, races[name], flush=True)
    write("race", record | {"seeds": list(options.seeds), "races": races})


if __name__ == "__main__":
    main()
