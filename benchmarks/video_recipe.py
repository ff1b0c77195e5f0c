"""Test a popular recipe for a network from scratch over many seeds, and each of its parts.

784-10-10, plain ReLU, weights and biases drawn from -0.5 to 0.5, softmax without subtracting the
maximum, a single number for the gradient of all biases of a layer, 500 steps of gradient descent at
a learning rate of 0.1, each step on all images at once. Then one part at a time is exchanged.

    MNIST_DIR=... python benchmarks/video_recipe.py

writes benchmarks/records/video_recipe.json; it takes about 34 minutes on a core of its own.
"""

import time
from dataclasses import asdict, dataclass, replace

import numpy as np
from common.arguments import parser
from common.record import origin, write

import mnist_core
from mnist_book import dataset

STEPS = 500


@dataclass(frozen=True)
class Recipe:
    """The recipe; each field is a part that can be exchanged."""

    hidden: int = 10
    weights: str = "centred"  # -0.5 to 0.5; or "he", "normal" (std 1), "positive" (0 to 1)
    zero_biases: bool = False
    slope: float = 0.0
    scaled: bool = True  # pixels from 0 to 1, or 0 to 255
    subtract_maximum: bool = False
    bias_per_unit: bool = False  # or one number for the layer
    mean: bool = True  # the gradient is the mean over the images, or their sum
    learning_rate: float = 0.1


VARIANTS = {
    "as it is": Recipe(),
    "a bias gradient per unit": Recipe(bias_per_unit=True),
    "maximum subtracted": Recipe(subtract_maximum=True),
    "leaky ReLU": Recipe(slope=0.01),
    "biases start at 0": Recipe(zero_biases=True),
    "He's weights": Recipe(weights="he"),
    "learning rate 0.5": Recipe(learning_rate=0.5),
    "64 hidden units": Recipe(hidden=64),
    "64 units, He's weights": Recipe(hidden=64, weights="he"),
    "normal weights, std 1": Recipe(weights="normal"),
    "weights from 0 to 1": Recipe(weights="positive"),
    "sum for mean": Recipe(mean=False),
    "pixels from 0 to 255": Recipe(scaled=False),
    "0 to 255, maximum subtracted": Recipe(scaled=False, subtract_maximum=True),
}


def draw(recipe: Recipe, rng: np.random.Generator, inputs: int, outputs: int) -> np.ndarray:
    """Draw a layer's weights (inputs, outputs)."""
    if recipe.weights == "he":
        return mnist_core.he_normal(rng, inputs, outputs, recipe.slope)
    if recipe.weights == "normal":
        return rng.normal(size=(inputs, outputs))
    return rng.random((inputs, outputs)) - (0.5 if recipe.weights == "centred" else 0)


def start(recipe: Recipe, seeds: int) -> list[np.ndarray]:
    """Draw the parameters of networks with different seeds, stacked along the first axis."""
    stacks: list[list[np.ndarray]] = [[], [], [], []]
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        w1, w2 = draw(recipe, rng, 784, recipe.hidden), draw(recipe, rng, recipe.hidden, 10)
        biases = [rng.random((1, size)) - 0.5 for size in (recipe.hidden, 10)]
        if recipe.zero_biases:
            biases = [np.zeros_like(bias) for bias in biases]
        for stack, array in zip(stacks, (w1, biases[0], w2, biases[1]), strict=True):
            stack.append(array.astype(np.float32))
    return [np.stack(stack) for stack in stacks]


def forward(
    recipe: Recipe, parameters: list[np.ndarray], x: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute z1, a1 (seeds, n, hidden) and the probabilities (seeds, n, 10)."""
    w1, b1, w2, b2 = parameters
    seeds, _, hidden = w1.shape
    # One matrix product for all seeds: their first layers side by side.
    side_by_side = x @ w1.transpose(1, 0, 2).reshape(784, seeds * hidden)
    z1 = side_by_side.reshape(len(x), seeds, hidden).transpose(1, 0, 2) + b1
    a1 = mnist_core.leaky_relu(z1, recipe.slope)
    z2 = a1 @ w2 + b2
    if recipe.subtract_maximum:
        z2 -= z2.max(axis=2, keepdims=True)
    p = np.exp(z2)
    p /= p.sum(axis=2, keepdims=True)
    return z1, a1, p


def step(
    recipe: Recipe, parameters: list[np.ndarray], x: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """Take one step of gradient descent; return each network's accuracy (seeds,) before it."""
    z1, a1, p = forward(recipe, parameters, x)
    accuracy = np.mean(p.argmax(axis=2) == labels, axis=1)
    d_z2 = p
    d_z2[:, np.arange(len(x)), labels] -= 1
    if recipe.mean:
        d_z2 /= len(x)
    d_w2 = a1.transpose(0, 2, 1) @ d_z2
    d_z1 = d_z2 @ parameters[2].transpose(0, 2, 1)
    d_z1 *= mnist_core.leaky_relu_gradient(z1, recipe.slope)
    side_by_side = x.T @ d_z1.transpose(1, 0, 2).reshape(len(x), -1)
    d_w1 = side_by_side.reshape(784, len(accuracy), -1).transpose(1, 0, 2)
    axes = 1 if recipe.bias_per_unit else (1, 2)
    gradients = (
        d_w1,
        d_z1.sum(axis=axes, keepdims=True),
        d_w2,
        d_z2.sum(axis=axes, keepdims=True),
    )
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter -= recipe.learning_rate * gradient
    return accuracy


def measure(recipe: Recipe, digits: dataset.Digits, images: int, seeds: int) -> dict:
    """Train networks with different seeds; return what the record keeps of them."""
    x = mnist_core.scale_pixels(digits.train_images[:images])
    test_x = mnist_core.scale_pixels(digits.test_images)
    if not recipe.scaled:
        x, test_x = x * np.float32(255), test_x * np.float32(255)
    parameters = start(recipe, seeds)
    training, first_nan = [], np.full(seeds, -1)
    with np.errstate(all="ignore"):
        for number in range(STEPS):
            training.append(step(recipe, parameters, x, digits.train_labels[:images]))
            broken = np.isnan(parameters[2]).any(axis=(1, 2))
            first_nan[broken & (first_nan < 0)] = number + 1
            if broken.all():
                break
        predictions = forward(recipe, parameters, test_x)[2].argmax(axis=2)
    return {
        "recipe": asdict(recipe),
        "images": images,
        "test_accuracy": np.mean(predictions == digits.test_labels, axis=1).round(4).tolist(),
        "step_of_first_nan": first_nan.tolist(),
        "training_accuracy_every_ten_steps": np.mean(training[::10], axis=1).round(4).tolist(),
    }


def main() -> None:
    """Measure the recipe on all images with 20 seeds, and its variants on 10,000 with 10."""
    parser(__doc__).parse_args()
    digits, record = dataset.load_mnist(download=False), origin()
    began = time.perf_counter()
    raw = replace(Recipe(), scaled=False)
    full = {
        "as it is": measure(Recipe(), digits, 60_000, 20),
        "pixels from 0 to 255": measure(raw, digits, 60_000, 20),
    }
    variants = {}
    for name, recipe in VARIANTS.items():
        variants[name] = measure(recipe, digits, 10_000, 10)
        scores = np.array(variants[name]["test_accuracy"])
        broken = sum(number >= 0 for number in variants[name]["step_of_first_nan"])
        print(f"{name:30} {scores.mean():.2%} ± {scores.std():.2%}, NaN {broken} of 10", flush=True)
    measured = {
        "seconds": round(time.perf_counter() - began),
        "full": full,
        "variants": variants,
    }
    write("video_recipe", record | measured)


if __name__ == "__main__":
    main()
