"""Replay the history of a public program, rustnist, from its commits.

    OPENBLAS_NUM_THREADS=1 MNIST_DIR=... python benchmarks/rustnist.py

Each stage is a commit of https://github.com/FolliesHandle/rustnist, told in NumPy: its layers, its
first weights, its learning rate, and the bugs that its code has. A stage is run as it was and,
where that differs, with the labels beside their pictures. Then single mends are tried, and at last
the sixteen combinations of the four bugs that stood together in June 2022.

What differs from the original: stages that take all pictures at once take the first 1,000 training
images in place of 50,000 or 60,000, and at most 1,000 steps in place of 500 or 5,000, so that the
whole takes minutes; stages with batches of 100 choose them from the first 20,000. The record goes
to benchmarks/records/rustnist.json.
"""

import time
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from itertools import combinations, pairwise, repeat

import numpy as np
from common.arguments import add_at_once, parser
from common.record import origin, write

from mnist_book.dataset import load_mnist
from mnist_core import leaky_relu_gradient, scale_pixels

SEEDS = range(5)
AT_ONCE, IN_BATCHES = 1_000, 20_000  # how many images a stage learns from
LOOKS = (10, 30, 100, 300, 1000, 3000, 10_000)  # the accuracy is taken after so many steps
STEPS = 300
LONGER = {"0568b3e": 1000, "4a6c5a2": 1000, "f1b4a0d": 1000}
LONGER |= {"f652d77": 10_000, "6e03a86": 3000, "6e03a86, He's weights": 3000}
MEAN_TIMES = 5_000  # a sum over 50,000 pictures, divided by 10, is so many times their mean


@dataclass(frozen=True)
class Stage:
    """A commit's program; a default is what is right, or what most commits have."""

    sizes: tuple[int, ...] = (784, 10, 10)
    weights: str = "evenly"  # see `draw`
    biases_drawn: bool = False  # evenly from -0.5 to 0.5, or 0
    rate: float = 0.1
    slope: float = 0.0
    activation: str = "right"  # or "of what was there", "no else"
    softmax: str = "right"  # or "one sum", "one sum, maximum", "no maximum", "one maximum"
    labels_apart: bool = False  # the shuffle moves the labels and leaves the pictures
    shuffles: str = "once"  # or "in each step"
    targets: str = "one-hot"  # or "a block": ones for the first ten pictures, zeros for the others
    error_of: str = "output"  # or "hidden": the layer from which the one-hot labels are taken
    divisor: str = "pictures"  # or "classes"
    factor: float = 1.0  # of the gradient
    batch: int | None = None  # all pictures at once


JUNE = Stage(biases_drawn=True, labels_apart=True, error_of="hidden")
JULY = Stage((784, 64, 10), softmax="one maximum", labels_apart=True)
NO_ELSE = replace(JULY, slope=0.01, rate=0.05, activation="no else")
EACH_STEP = replace(NO_ELSE, sizes=(784, 128, 10), shuffles="in each step")
LATE = replace(NO_ELSE, labels_apart=False, factor=2.0, rate=0.1, weights="variance as deviation")
STAGES = {
    "4b9be96": replace(JUNE, softmax="one sum", targets="a block", divisor="classes"),
    "d7c51f1": JUNE,
    "0568b3e": replace(JUNE, error_of="output", slope=0.1),
    "da15c3d": replace(JULY, biases_drawn=True),
    "fa1782f": replace(JULY, biases_drawn=True, activation="of what was there"),
    "11fe7b6": NO_ELSE,
    "bba24be": replace(EACH_STEP, weights="he"),
    "183c610": replace(EACH_STEP, weights="divided twice"),
    "4a6c5a2": replace(
        LATE, sizes=(784, 128, 64, 10), weights="units and inputs", shuffles="in each step"
    ),
    "f1b4a0d": LATE,
    "f652d77": replace(LATE, sizes=(784, 128, 10), rate=0.01, batch=100),
    "6e03a86": replace(LATE, sizes=(784, 128, 10), rate=0.01, batch=100, activation="right"),
}
BESIDE = {"labels_apart": False}
MENDS = {  # stage, what is changed in it, and what that is called
    "d7c51f1, leak": ("d7c51f1", BESIDE | {"slope": 0.1}),
    "d7c51f1, error of the output": ("d7c51f1", BESIDE | {"error_of": "output"}),
    "183c610, weights of 4a6c5a2": ("183c610", {"weights": "units and inputs"}),
    "4a6c5a2, labels apart": ("4a6c5a2", {"labels_apart": True}),
    "4a6c5a2, weights of 183c610": ("4a6c5a2", {"weights": "divided twice"}),
    "4a6c5a2, gradient once": ("4a6c5a2", {"factor": 1.0}),
    "4a6c5a2, else": ("4a6c5a2", {"activation": "right"}),
    "f1b4a0d, He's weights": ("f1b4a0d", {"weights": "he"}),
    "f1b4a0d, He's weights, hidden layer": ("f1b4a0d", {"weights": "he, hidden layer"}),
    "f1b4a0d, He's weights, output layer": ("f1b4a0d", {"weights": "he, output layer"}),
    "f1b4a0d, else": ("f1b4a0d", {"activation": "right"}),
    "f652d77, He's weights": ("f652d77", {"weights": "he"}),
    "6e03a86, He's weights": ("6e03a86", {"weights": "he"}),
}
SUMS = ("one sum", "one sum, maximum", "no maximum")  # the first is two mistakes in one
FOUR = {  # the bugs of June; the targets are one-hot here
    "labels apart": {"labels_apart": True},
    "one sum": {"softmax": "one sum"},
    "error of the hidden layer": {"error_of": "hidden"},
    "divided by 10": {"divisor": "classes"},
}


def draw(rule: str, rng: np.random.Generator, inputs: int, outputs: int) -> np.ndarray:
    """Draw a layer's first weights (inputs, outputs); the output layer has ten units."""
    shape, last = (inputs, outputs), outputs == 10
    if rule == "evenly":
        return rng.uniform(-0.5, 0.5, shape)
    if rule in ("he", "he, output layer" if last else "he, hidden layer"):
        return rng.normal(0, np.sqrt(2 / inputs), shape)
    if rule == "divided twice":
        return rng.normal(0, 1 / inputs * (1 if last else np.sqrt(2 / inputs)), shape)
    if last:
        return rng.normal(0, 1, shape)
    if rule == "units and inputs":
        return rng.normal(outputs, inputs, shape) * np.sqrt(2 / inputs)
    return rng.normal(0, 2 / inputs, shape)  # the variance as deviation


def softmax(rule: str, z: np.ndarray) -> np.ndarray:
    """Turn scores (n, 10) into what the stage takes for probabilities."""
    if rule not in ("one sum", "no maximum"):
        z = z - (z.max() if rule.startswith("one") else z.max(axis=1, keepdims=True))
    e = np.exp(z)
    return e / (e.sum() if rule.startswith("one sum") else e.sum(axis=1, keepdims=True))


class Program:
    """A stage with weights, and with the layers that it keeps between steps, as the original."""

    def __init__(self, stage: Stage, rng: np.random.Generator) -> None:
        self.stage, pairs = stage, list(pairwise(stage.sizes))
        self.weights = [draw(stage.weights, rng, *pair).astype(np.float32) for pair in pairs]
        self.biases = [
            (rng.uniform(-0.5, 0.5, n) if stage.biases_drawn else np.zeros(n)).astype(np.float32)
            for _, n in pairs
        ]
        self.layers: list[np.ndarray] = []

    def activate(self, z: np.ndarray, layer: np.ndarray) -> None:
        """Write a layer; where the stage writes nothing, what was there stays."""
        if self.stage.activation == "right":
            np.multiply(z, leaky_relu_gradient(z, self.stage.slope), out=layer)
        elif self.stage.activation == "no else":
            np.copyto(layer, self.stage.slope * z, where=z < 0)
        else:
            np.multiply(layer, self.stage.slope, out=layer, where=z < 0)

    def forward(self, x: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """Compute the hidden layers' pre-activations and the output (n, 10)."""
        if not self.layers or len(self.layers[0]) != len(x):
            self.layers = [np.zeros((len(x), n), np.float32) for n in self.stage.sizes[1:-1]]
        zs, a = [], x
        hidden = zip(self.weights[:-1], self.biases[:-1], self.layers, strict=True)
        for weights, bias, layer in hidden:
            zs.append(a @ weights + bias)
            self.activate(zs[-1], layer)
            a = layer
        return zs, softmax(self.stage.softmax, a @ self.weights[-1] + self.biases[-1])

    def step(self, x: np.ndarray, targets: np.ndarray) -> bool:
        """Take one step; return whether all numbers are finite."""
        stage = self.stage
        zs, output = self.forward(x)
        inputs = [x, *self.layers]
        d_z = output - targets
        if stage.error_of == "hidden":  # and the layers change places in the next product, too
            d_z, inputs[-1] = self.layers[-1] - targets, output
        d_z *= stage.factor / len(x) * (MEAN_TIMES if stage.divisor == "classes" else 1)
        steps = []
        for k in reversed(range(len(zs) + 1)):
            steps.append((k, inputs[k].T @ d_z, d_z.sum(axis=0)))
            if k:
                # From 11fe7b6 on the derivative is taken from the layer, not from z.
                of = self.layers[k - 1] if stage.activation == "no else" else zs[k - 1]
                d_z = (d_z @ self.weights[k].T) * leaky_relu_gradient(of, stage.slope)
        for k, d_w, d_b in steps:
            self.weights[k] -= np.float32(stage.rate) * d_w
            self.biases[k] -= np.float32(stage.rate) * d_b
        return bool(np.isfinite(output).all() and all(np.isfinite(w).all() for w in self.weights))

    def answers(self, x: np.ndarray) -> np.ndarray:
        """Name a digit for each picture, in batches as in training; 0 where nothing is a number."""
        kept, batch = [layer.copy() for layer in self.layers], self.stage.batch or len(x)
        starts = range(0, len(x), batch)
        found = [self.forward(x[s : s + batch])[1].argmax(axis=1) for s in starts]
        self.layers = kept
        return np.concatenate(found)


def run(stage: Stage, seed: int, looks: list[int]) -> dict:
    """Train a stage; return its accuracies after some steps, and when it broke, if it did.

    `test` is the share of the test images that it reads, `printed` that of the training images,
    compared with the labels that stand beside them, as the program printed it.
    """
    digits, began = load_mnist(download=False), time.process_time()
    rng, n = np.random.default_rng(seed), IN_BATCHES if stage.batch else AT_ONCE
    x, test_x = scale_pixels(digits.train_images[:n]), scale_pixels(digits.test_images)
    program, labels = Program(stage, rng), digits.train_labels[:n]
    if stage.labels_apart:
        labels = rng.permutation(labels)
    targets = np.eye(10, dtype=np.float32)[labels]
    if stage.targets == "a block":
        targets = np.zeros_like(targets)
        targets[:10, :9] = 1
    test, printed, whole, step = [], [], True, 0
    with np.errstate(all="ignore"):
        while whole and step < looks[-1]:
            start = rng.integers(n - stage.batch) if stage.batch else 0
            rows = slice(start, start + (stage.batch or n))
            if stage.labels_apart and stage.shuffles == "in each step":
                order = rng.permutation(n)
                labels, targets = labels[order], targets[order]
            whole, step = program.step(x[rows], targets[rows]), step + 1
            if whole and step in looks:
                test.append(float(np.mean(program.answers(test_x) == digits.test_labels)))
                printed.append(float(np.mean(program.answers(x) == labels)))
    missing = len(looks) - len(test)  # the comparison of numbers that are none leaves the answer 0
    test += [float(np.mean(digits.test_labels == 0))] * missing
    printed += [float(np.mean(labels == 0))] * missing
    return {
        "test": test,
        "printed": printed,
        "broke_at_step": None if whole else step,
        "seconds": time.process_time() - began,
    }


def runs(pool: Executor, name: str, stage: Stage, steps: int) -> dict:
    """Run a stage with each seed, and gather what they gave: a row for each."""
    looks = [look for look in LOOKS if look <= steps]
    rows = list(pool.map(run, repeat(stage), SEEDS, repeat(looks)))
    last = 100 * np.array([row["test"][-1] for row in rows])
    broke = [row["broke_at_step"] for row in rows if row["broke_at_step"]]
    seconds = sum(row["seconds"] for row in rows)
    shown = f"{last.mean():5.1f} ± {last.std(ddof=1):4.1f} %, broke at {broke}, {seconds:.0f} s"
    print(f"{name:70} {shown}", flush=True)
    return {
        "stage": asdict(stage),
        "looks": looks,
        "test_accuracy": np.round([row["test"] for row in rows], 4).tolist(),
        "printed_accuracy": np.round([row["printed"] for row in rows], 4).tolist(),
        "broke_at_step": [row["broke_at_step"] for row in rows],
        "processor_seconds": round(seconds, 1),
    }


def main() -> None:
    """Run the stages, the mends and the sixteen combinations, and write the record."""
    arguments = parser(__doc__)
    add_at_once(arguments)
    options = arguments.parse_args()
    record, as_it_was, beside, mends, sums, sixteen = origin(), {}, {}, {}, {}, []
    with ProcessPoolExecutor(options.at_once) as pool:
        for commit, stage in STAGES.items():
            steps = LONGER.get(commit, STEPS)
            as_it_was[commit] = runs(pool, commit, stage, steps)
            if stage.labels_apart:
                kept = replace(stage, **BESIDE)
                beside[commit] = runs(pool, f"{commit}, labels beside", kept, steps)
        for name, (commit, changes) in MENDS.items():
            stage = replace(STAGES[commit], **changes)
            mends[name] = runs(pool, name, stage, LONGER.get(name, STEPS))
        for rule in SUMS:
            sums[rule] = runs(pool, rule, Stage(biases_drawn=True, softmax=rule), STEPS)
        for size in range(len(FOUR) + 1):
            for bugs in combinations(FOUR, size):
                stage = Stage(biases_drawn=True)
                for bug in bugs:
                    stage = replace(stage, **FOUR[bug])
                name = " + ".join(bugs) or "none of the four"
                sixteen.append({"bugs": bugs, **runs(pool, name, stage, STEPS)})
    measured = {
        "images": {"at once": AT_ONCE, "in batches": IN_BATCHES},
        "as_it_was": as_it_was,
        "labels_beside": beside,
        "mends": mends,
        "sums": sums,
        "sixteen": sixteen,
    }
    write("rustnist", record | measured)


if __name__ == "__main__":
    main()
