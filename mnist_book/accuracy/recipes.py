"""Training for accuracy: what chapter 12 adds to the core's training, one idea a line of a recipe.

Learning rates that rise and fall, smoothed labels, weight decay, distorted pictures, and practice
on what is not known yet. Each is a small function that can be used alone; `learn` puts them
together.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mnist_book.accuracy.augment import Distorter, Strength
from mnist_book.schedule import learning_rates, smooth_labels, soft_cross_entropy_gradient
from mnist_core import Buffers, Network, cross_entropy_gradient, scale_pixels

SAMPLE = 20_000  # images, distorted if need be, in which principal components are looked for


@dataclass(frozen=True)
class Recipe:
    """How a network 784-...-10 is trained."""

    hidden: tuple[int, ...]
    epochs: float  # how many images are learned from, in units of all there are
    batch: int = 128
    learning_rate: float = 0.15
    momentum: float = 0.9
    warm_up: float = 0.05  # share of the steps in which the learning rate rises from 0
    slope: float = 0.01  # of leaky ReLU
    label_smoothing: float = 0.0
    weight_decay: float = 0.0
    strength: Strength | None = None  # of distortions; None leaves the pictures as they are
    fresh: int = 8  # distortions drawn anew in each step
    calm: float = 0.0  # share of the steps, at the end, in which distortions fade
    calmest: float = 1.0  # what is left of them in the last step
    known: float = 0.0  # an image is known when less probability than this misses its digit
    review: float = 1.0  # share of the known images that a round takes
    components: int = 0  # how many principal components take the pixels' place; 0: none do


def next_round(
    missing: np.ndarray, known: float, review: float, rng: np.random.Generator
) -> np.ndarray:
    """Choose the images of a round: all that are not known yet, and a share of the known ones.

    Sources: I. Loshchilov, F. Hutter, Online batch selection for faster training of neural
    networks, 2015 (arXiv:1511.06343); A. Jiang et al., Accelerating deep learning by focusing on
    the biggest losers, 2019 (arXiv:1910.00762).

    Parameters
    ----------
    missing : (n,), what each image's digit lacked of its target, mostly 1, when it last came
    known : an image with less missing than this is known
    review : the share of known images to take all the same

    Returns
    -------
    indices of images, in random order
    """
    taken = (missing >= known) | (rng.random(len(missing)) < review)
    return rng.permutation(np.flatnonzero(taken))


def principal_components(x: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the directions in which inputs differ most from their mean.

    Source: K. Pearson, On lines and planes of closest fit to systems of points in space, 1901
    (doi:10.1080/14786440109462720).

    Parameters
    ----------
    x : (n, inputs)
    count : how many directions, 1 to inputs

    Returns
    -------
    mean (inputs,), components (inputs, count): columns of length 1, at right angles to each other
    """
    if not 1 <= count <= x.shape[1]:
        raise ValueError(f"count: found {count}, expected 1 to {x.shape[1]}, the number of inputs")
    mean = x.mean(axis=0)
    x = x - mean
    _, directions = np.linalg.eigh(x.T @ x)  # those in which x differs least come first
    return mean, np.ascontiguousarray(directions[:, : -count - 1 : -1])


def learn(
    recipe: Recipe,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    rng: np.random.Generator,
    on_batch: Callable[[int, float], None] | None = None,
) -> Network:
    """Train a network by a recipe.

    Parameters
    ----------
    images : uint8 (n, 28, 28)
    labels : integers (n,)
    rng : draws weights, order and distortions
    on_batch : called after each step with its number and its loss, before the update
    """
    flat = images.reshape(len(images), 784)
    mean, components = np.float32(images.mean() / 255), None
    network = Network((recipe.components or 784, *recipe.hidden, 10), rng=rng, slope=recipe.slope)
    distorter = Distorter(images, rng, recipe.strength) if recipe.strength else None
    if recipe.components:
        rows = rng.integers(len(images), size=SAMPLE)
        sample = distorter.distort(rows) if distorter else flat[rows]
        mean, components = principal_components(scale_pixels(sample), recipe.components)
    buffers = Buffers(network, recipe.batch)
    velocity, decay = np.zeros_like(network.vector), np.empty_like(network.vector)
    pixels = np.empty((recipe.batch, 784), np.uint8)
    x = buffers.x if components is None else np.empty((recipe.batch, 784), np.float32)
    missing = np.ones(len(images), np.float32)  # nothing is known yet
    order = np.empty(0, int)
    targets, loss_gradient = labels, cross_entropy_gradient
    if recipe.label_smoothing:
        targets = smooth_labels(labels, network.sizes[-1], recipe.label_smoothing)
        loss_gradient = soft_cross_entropy_gradient
    steps = int(recipe.epochs * len(images)) // recipe.batch
    for step, rate in enumerate(learning_rates(recipe.learning_rate, steps, recipe.warm_up)):
        if len(order) < recipe.batch:
            order = next_round(missing, recipe.known, recipe.review, rng)
        rows, order = order[: recipe.batch], order[recipe.batch :]
        if distorter:
            distorter.strength = recipe.strength.times(_calming(recipe, (steps - step) / steps))
            distorter.refresh(recipe.fresh)
            distorter.distort(rows, out=pixels)
        else:
            np.take(flat, rows, axis=0, out=pixels, mode="clip")
        x[...] = pixels
        x *= np.float32(1 / 255)
        x -= mean
        if components is not None:
            np.matmul(x, components, out=buffers.x)
        loss, _ = network.loss_and_gradients(buffers.x, targets[rows], buffers, loss_gradient)
        if recipe.review < 1:
            # The gradient of the label's score is (p - target) / batch: it says what is missing.
            missing[rows] = -recipe.batch * buffers.d_z[-1][np.arange(recipe.batch), labels[rows]]
        if recipe.weight_decay:
            np.multiply(network.vector, np.float32(recipe.weight_decay), out=decay)
            buffers.vector += decay
        buffers.vector *= np.float32(rate)
        velocity *= np.float32(recipe.momentum)
        velocity -= buffers.vector
        network.vector += velocity
        if on_batch:
            on_batch(step, loss)
    return _for_pixels(network, mean, components)


def _for_pixels(network: Network, mean: np.ndarray, components: np.ndarray | None) -> Network:
    """Put what was done to the pixels into the first layer: the network takes plain images."""
    weights = network.weights[0] if components is None else components @ network.weights[0]
    plain = Network((784, *network.sizes[1:]), rng=np.random.default_rng(), slope=network.slope)
    arrays = (weights, network.biases[0] - (mean * weights.T).sum(axis=1), *network.parameters[2:])
    for parameter, array in zip(plain.parameters, arrays, strict=True):
        parameter[...] = array
    return plain


def _calming(recipe: Recipe, left: float) -> float:
    """How strong distortions still are, 0 to 1, when this share of the steps is left."""
    if left >= recipe.calm:
        return 1.0
    share = left / recipe.calm
    return share + (1 - share) * recipe.calmest
