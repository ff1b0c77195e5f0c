"""Training for accuracy: what chapter 12 adds to the core's training, one idea a line of a recipe.

Learning rates that rise and fall, smoothed labels, weight decay, distorted pictures, and practice
on what is not known yet. Each is a small function that can be used alone; `learn` puts them
together.
"""

from collections.abc import Callable, Iterator
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

    Returns
    -------
    a network that takes images as `scale_pixels` makes them

    Raises
    ------
    ValueError : a round has fewer images than a batch
    """
    network = Network((recipe.components or 784, *recipe.hidden, 10), rng=rng, slope=recipe.slope)
    inputs = _Inputs(recipe, images, rng)
    buffers, update = Buffers(network, recipe.batch), _Update(recipe, network)
    targets, loss_gradient = _what_to_ask(recipe, labels)
    missing = np.ones(len(images), np.float32)  # nothing is known yet
    steps = int(recipe.epochs * len(images)) // recipe.batch
    rates = learning_rates(recipe.learning_rate, steps, recipe.warm_up)
    batches = _batches(recipe, missing, rng)
    for step, (rate, rows) in enumerate(zip(rates, batches, strict=False)):
        inputs.make(rows, left=(steps - step) / steps, out=buffers.x)
        loss, _ = network.loss_and_gradients(buffers.x, targets[rows], buffers, loss_gradient)
        if recipe.review < 1:
            # The gradient of the label's score is (p - target) / batch: it says what is missing.
            missing[rows] = -recipe.batch * buffers.d_z[-1][np.arange(recipe.batch), labels[rows]]
        update(buffers.vector, rate)
        if on_batch:
            on_batch(step, loss)
    return inputs.folded_into(network)


def _what_to_ask(
    recipe: Recipe, labels: np.ndarray
) -> tuple[np.ndarray, Callable[..., tuple[float, np.ndarray]]]:
    """Choose the targets, one for each label (n,), and the loss that takes them."""
    if not recipe.label_smoothing:
        return labels, cross_entropy_gradient
    return smooth_labels(labels, 10, recipe.label_smoothing), soft_cross_entropy_gradient


def _batches(recipe: Recipe, missing: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Choose the images (batch,) of each step, round after round, without end.

    A round is drawn when its first batch is asked for, by what is `missing` (n,) then. Those at its
    end that fill no batch are left out.
    """
    while True:
        order = next_round(missing, recipe.known, recipe.review, rng)
        if len(order) < recipe.batch:
            raise ValueError(
                f"found {len(order)} images to learn from in a round, expected at least one batch "
                f"of {recipe.batch}; give more images, or a recipe with a smaller batch or more "
                "review"
            )
        for end in range(recipe.batch, len(order) + 1, recipe.batch):
            yield order[end - recipe.batch : end]


class _Inputs:
    """Makes of pictures what the network learns from: distorted, centred, perhaps components.

    Parameters
    ----------
    images : uint8 (n, 28, 28)
    rng : draws the distortions, and the images in which principal components are looked for
    """

    def __init__(self, recipe: Recipe, images: np.ndarray, rng: np.random.Generator) -> None:
        self.recipe, self.flat = recipe, images.reshape(len(images), 784)
        self.distorter = Distorter(images, rng, recipe.strength) if recipe.strength else None
        self.pixels = np.empty((recipe.batch, 784), np.uint8)
        self.x = np.empty((recipe.batch, 784), np.float32)
        self.mean: np.ndarray | np.float32 = np.float32(images.mean() / 255)
        self.components: np.ndarray | None = None
        if recipe.components:
            sample = self._look_up(rng.integers(len(images), size=SAMPLE))
            self.mean, self.components = principal_components(
                scale_pixels(sample), recipe.components
            )

    def make(self, rows: np.ndarray, left: float, out: np.ndarray) -> None:
        """Make the inputs of these images (batch,) when this share of the steps is left."""
        if self.distorter and self.recipe.strength:
            self.distorter.strength = self.recipe.strength.times(_calming(self.recipe, left))
            self.distorter.refresh(self.recipe.fresh)
        x = out if self.components is None else self.x
        x[...] = self._look_up(rows, out=self.pixels)
        x *= np.float32(1 / 255)
        x -= self.mean
        if self.components is not None:
            np.matmul(x, self.components, out=out)

    def _look_up(self, rows: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Take pictures as uint8 (rows, 784), distorted if the recipe says so."""
        if self.distorter:
            return self.distorter.distort(rows, out=out)
        return np.take(self.flat, rows, axis=0, out=out, mode="clip")

    def folded_into(self, network: Network) -> Network:
        """Put what was done to the pixels into the first layer: the result takes plain images."""
        weights, bias = network.weights[0], network.biases[0]
        if self.components is not None:
            weights = self.components @ weights
        bias = bias - (self.mean * weights.T).sum(axis=1)
        plain = Network((784, *network.sizes[1:]), rng=np.random.default_rng(), slope=network.slope)
        for parameter, array in zip(
            plain.parameters, (weights, bias, *network.parameters[2:]), strict=True
        ):
            parameter[...] = array
        return plain


def _calming(recipe: Recipe, left: float) -> float:
    """How strong distortions still are, 0 to 1, when this share of the steps is left."""
    if left >= recipe.calm:
        return 1.0
    share = left / recipe.calm
    return share + (1 - share) * recipe.calmest


class _Update:
    """Gradient descent with momentum and weight decay, as `mnist_core.train` writes it out."""

    def __init__(self, recipe: Recipe, network: Network) -> None:
        self.recipe, self.vector = recipe, network.vector
        self.velocity, self.decay = np.zeros_like(self.vector), np.empty_like(self.vector)

    def __call__(self, gradient: np.ndarray, rate: float) -> None:
        """Change all parameters; the gradient (parameters,) is overwritten."""
        if self.recipe.weight_decay:
            np.multiply(self.vector, np.float32(self.recipe.weight_decay), out=self.decay)
            gradient += self.decay
        gradient *= np.float32(rate)
        self.velocity *= np.float32(self.recipe.momentum)
        self.velocity -= gradient
        self.vector += self.velocity
