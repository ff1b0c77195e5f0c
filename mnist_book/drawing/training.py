"""Train the recogniser behind the drawing pad.

    python -m mnist_book.drawing.training
    python -m mnist_book.drawing.training --without-people --output no-people.npz

It learns from MNIST, from the practice digits' generator, from letters and scribbles that this
project draws (`doodles.py`) and, with `PENDIGITS_DIR` set, from the pen drawings of 30
people (`pen_drawings.py`). Every drawing is varied as strokes, as if many more people
had drawn it (`variation.py`). It takes about three minutes of one core.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mnist_book.dataset import load_mnist
from mnist_book.drawing.doodles import KINDS, draw_doodle, draw_scribble
from mnist_book.drawing.pen_drawings import PenDrawings, load_pen_drawings
from mnist_book.drawing.practice import draw_digit, draw_shape, parse_path
from mnist_book.drawing.recognizer import (
    NONE,
    PAGE_WEIGHTS,
    RELEASED,
    Gate,
    Recognizer,
    passes_gate,
    round_weights,
)
from mnist_book.drawing.strokes import strokes_to_image
from mnist_book.drawing.variation import pictures, resample, vary
from mnist_book.schedule import learning_rates, smooth_labels, soft_cross_entropy_gradient
from mnist_core import Buffers, Network, softmax

SIZES = 784, 240, 64, 11
PASSES = 4  # through all examples
SMOOTHING = 0.05  # the share of a label that is given to all classes alike
LEARNING_RATE, WARM_UP = 0.1, 0.05  # the highest; the share of the steps that lead up to it
BATCH, MOMENTUM, AVERAGE = 128, 0.9, 0.999  # AVERAGE: of the weights, over about 1,000 steps
COPIES = 16  # varied drawings of each drawing by people
MNIST_COPIES = 8
PRACTICE = 30_000
RARE = 500  # of each of RARE_WAYS
DOODLES = 25_000  # letters and symbols, and as many scribbles
COVERAGE = 0.955  # share of unseen people's digits that is to be answered, gate included

# Ways of writing that the practice digits do not have, in the same form. Some were made after
# looking at what was misread in the cross-validation over 24 of UCI's writers.
RARE_WAYS = {
    0: (
        "50,2 26,-3 4,10 -6,40 -4,74 12,98 36,105 62,98 80,68 80,36 70,8 48,-3 32,4 / 78,10 0,92",
        "50,2 26,-3 -6,40 -4,74 36,105 80,68 80,36 60,0 40,-2 70,20 40,50 10,84",
        "66,-4 14,24 0,76 36,104 74,72 60,24 18,-2",
    ),
    1: (
        "10,30 44,0 44,0 42,100 / 6,100 80,98",
        "0,40 46,0 46,0 40,100",
        "0,44 20,36 40,8 50,0 50,0 34,100",
    ),
    4: (
        "10,0 0,30 10,54 50,50 66,20 56,0 50,20 54,60 46,100",
        "6,0 2,60 2,60 20,52 20,52 22,34 18,100",
        "0,34 0,62 0,62 24,58 / 26,0 20,100",
    ),
    6: ("52,0 20,28 12,72 30,104 60,90 50,66 -6,80",),
    7: ("0,16 2,0 2,0 66,2 66,2 50,50 40,100 / 20,56 76,50",),
    8: (
        "60,0 30,8 34,40 36,60 20,100 10,104 16,80 44,40 66,4",
        "34,50 4,30 30,-4 60,10 34,50 0,80 30,106 66,84 34,50",
        "-6,34 36,34 58,62 50,100 20,100 16,76 50,44 66,16 40,-4 20,14 40,44",
    ),
    9: (
        "64,8 36,-6 20,16 44,34 64,10 54,60 4,100",
        "62,8 36,-6 6,14 20,40 60,16 64,60 44,104 4,96",
        "56,20 40,0 10,6 6,34 34,44 54,20 60,60 40,104 0,100",
    ),
}


class Examples(NamedTuple):
    """Pictures to learn from, and what they show."""

    images: np.ndarray  # uint8 (n, 784)
    labels: np.ndarray  # uint8 (n,), 0 to 9, or 10 for none of them


def digits_by_people(people: PenDrawings, rng: np.random.Generator) -> Examples:
    """Draw each drawing as it is, and COPIES times by other hands."""
    drawings = resample(people.strokes)
    images = [pictures(drawings, rng)]
    images += [pictures(vary(drawings, rng), rng) for _ in range(COPIES)]
    return Examples(np.concatenate(images), np.tile(people.labels, len(images)))


def practice_digits(rng: np.random.Generator) -> Examples:
    """Draw digits by the practice digits' generator, and some in RARE_WAYS."""
    labels = [i % 10 for i in range(PRACTICE)]
    strokes = [draw_digit(digit, rng) for digit in labels]
    for digit, paths in RARE_WAYS.items():
        for shape in map(parse_path, paths):
            strokes += [draw_shape(shape, rng) for _ in range(RARE)]
            labels += [digit] * RARE
    return Examples(pictures(resample(strokes), rng), np.array(labels, np.uint8))


def no_digits(kinds: Sequence[str], rng: np.random.Generator) -> Examples:
    """Draw letters, symbols and scribbles: of those that pass the gate, which sees them first."""

    def of_a_kind() -> list[np.ndarray]:
        return draw_doodle(kinds[int(rng.integers(len(kinds)))], rng)

    strokes = passing(of_a_kind, DOODLES) + passing(lambda: draw_scribble(rng), DOODLES)
    images = pictures(vary(resample(strokes), rng, strength=0.5), rng)
    return Examples(images, np.full(len(images), NONE, np.uint8))


def passing(draw: Callable[[], list[np.ndarray]], count: int) -> list[list[np.ndarray]]:
    """Draw until `count` drawings have passed the recogniser's gate."""
    strokes: list[list[np.ndarray]] = []
    while len(strokes) < count:
        drawing = draw()
        if passes_gate(drawing, Gate()):
            strokes.append(drawing)
    return strokes


def distort_images(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turn, slant, scale and shift pictures uint8 (n, 784), and make their lines wider or thinner.

    They have no strokes to vary. Turned by up to 9 degrees, sheared by 0.15, stretched by exp(0.1),
    shifted by 0.8 pixels, half a pixel wider or thinner at each edge.
    """
    parts = [images[start : start + 500] for start in range(0, len(images), 500)]
    return np.concatenate([_distort_some(part, rng) for part in parts])


def _distort_some(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    n = len(images)
    grey = images.reshape(n, 28, 28).astype(np.float32)
    # Towards the darkest neighbour, or the lightest.
    wide = np.pad(grey, ((0, 0), (1, 1), (1, 1)))
    neighbours = [
        grey,
        wide[:, 1:-1, :-2],
        wide[:, 1:-1, 2:],
        wide[:, :-2, 1:-1],
        wide[:, 2:, 1:-1],
    ]
    change = rng.uniform(-0.5, 0.5, (n, 1, 1)).astype(np.float32)
    target = np.where(change > 0, np.maximum.reduce(neighbours), np.minimum.reduce(neighbours))
    grey += np.abs(change) * (target - grey)
    # For each pixel of the new picture, where in the old one it comes from.
    turn = np.radians(rng.uniform(-9, 9, n))
    stretch_x, stretch_y = np.exp(rng.uniform(-0.1, 0.1, (2, n)))
    ones, zeros = np.ones(n), np.zeros(n)
    turned = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    slanted = np.array([[ones, zeros], [rng.uniform(-0.15, 0.15, n), ones]])
    stretched = np.array([[stretch_x, zeros], [zeros, stretch_y]])
    matrix = np.einsum("abn,bcn,cdn->nad", stretched, slanted, turned)
    row, column = np.mgrid[0:28, 0:28].reshape(2, 784)
    places = np.stack([column - 13.5, row - 13.5], axis=1) @ matrix
    places += 15.5 + rng.uniform(-0.8, 0.8, (n, 1, 2))  # a margin of two pixels on every side
    places = places.clip(0, 30.99).astype(np.float32)
    # Between four pixels, in proportion.
    corner = places.astype(np.int32)
    right, down = np.moveaxis(places - corner, 2, 0)
    flat = np.pad(grey, ((0, 0), (2, 2), (2, 2))).reshape(-1)
    at = np.arange(n)[:, np.newaxis] * 32 * 32 + corner[..., 1] * 32 + corner[..., 0]
    above = flat[at] * (1 - right) + flat[at + 1] * right
    below = flat[at + 32] * (1 - right) + flat[at + 33] * right
    return np.rint(above * (1 - down) + below * down).astype(np.uint8)


def gather(
    images: np.ndarray,
    labels: np.ndarray,
    people: PenDrawings | None,
    rng: np.random.Generator,
    kinds: Sequence[str] = tuple(KINDS),
) -> Examples:
    """Make all that there is to learn from.

    Parameters
    ----------
    images : MNIST's, uint8 (n, 28, 28)
    labels : theirs, (n,)
    people : drawings by other people, if any
    kinds : of letters and symbols
    """
    images = images.reshape(-1, 784)
    parts = [Examples(distort_images(images, rng), labels) for _ in range(MNIST_COPIES)]
    parts += [practice_digits(rng), no_digits(kinds, rng)]
    if people:
        parts.append(digits_by_people(people, rng))
    return Examples(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def fit(
    sizes: Sequence[int],
    images: np.ndarray,
    targets: np.ndarray,
    rng: np.random.Generator,
    passes: int = PASSES,
) -> Network:
    """Train a network to give the probabilities `targets`, and return the mean of its last weights.

    The learning rate rises to LEARNING_RATE and then falls to 0, both linearly. Averaging: B.
    Polyak, A. Juditsky, Acceleration of stochastic approximation by averaging, SIAM Journal on
    Control and Optimization 30(4), 1992 (doi:10.1137/0330046).

    Parameters
    ----------
    images : uint8 (n, 784)
    targets : float32 (n, classes)
    """
    network = Network(sizes, rng=rng)
    buffers = Buffers(network, BATCH)
    velocity, average = np.zeros_like(network.vector), network.vector.copy()
    pixels = np.empty((BATCH, images.shape[1]), np.uint8)
    batches = len(images) // BATCH
    rates = learning_rates(LEARNING_RATE, passes * batches, WARM_UP)
    for step, rate in enumerate(rates):
        if step % batches == 0:
            order = rng.permutation(len(images))
        rows = order[step % batches * BATCH :][:BATCH]
        np.take(images, rows, axis=0, out=pixels, mode="clip")
        np.multiply(pixels, np.float32(1 / 255), out=buffers.x)
        network.loss_and_gradients(buffers.x, targets[rows], buffers, soft_cross_entropy_gradient)
        velocity *= MOMENTUM
        velocity -= rate * buffers.vector
        network.vector += velocity
        keep = min(AVERAGE, step / (step + 10))  # little of the first steps
        average *= keep
        average += (1 - keep) * network.vector
    network.vector[:] = average
    return network


def learn(examples: Examples, rng: np.random.Generator) -> Network:
    """Train the recogniser's network; labels are smoothed, which helps on MNIST."""
    targets = smooth_labels(examples.labels, NONE + 1, SMOOTHING)
    return fit(SIZES, examples.images, targets, rng)


def calibrate(network: Network, strokes: list[list[np.ndarray]], labels: np.ndarray) -> Recognizer:
    """Choose the temperature and the threshold by digits that the network has not learnt from.

    The temperature gives the labels the largest likelihood; at the threshold COVERAGE of the
    digits are answered. It is 0 where gate and eleventh class alone refuse more than that leaves.
    Source of the first: C. Guo, G. Pleiss, Y. Sun, K. Weinberger, On calibration of modern neural
    networks, ICML 2017 (arXiv:1706.04599).
    """
    images = np.stack([strokes_to_image(drawing) for drawing in strokes]).reshape(-1, 784)
    logits = network.forward(images.astype(np.float32)).astype(np.float64)
    rows = np.arange(len(labels))
    temperature = min(
        np.linspace(0.2, 3, 141),
        key=lambda t: -np.log(softmax(logits / t)[rows, labels] + 1e-12).mean(),
    )
    p = softmax(logits / temperature)
    gate = np.array([passes_gate(drawing, Gate()) for drawing in strokes])
    answered = np.where(gate & (p.argmax(axis=1) < NONE), p.max(axis=1), 0)
    return Recognizer(network, temperature, np.quantile(answered, 1 - COVERAGE))


def main() -> None:
    """Train, calibrate, and write the weights for the book and for its pages."""
    parser = argparse.ArgumentParser("python -m mnist_book.drawing.training", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    option = parser.add_argument
    option("--without-people", action="store_true", help="use no drawings by other people")
    option("--seed", type=int, default=0, help="of everything that is drawn at random")
    option("--output", type=Path, default=RELEASED, help="where the weights go")
    options = parser.parse_args()
    start = time.process_time()

    def say(what: str) -> None:
        print(f"{time.process_time() - start:6.0f} s  {what}", flush=True)

    mnist = load_mnist()
    people = None if options.without_people else load_pen_drawings()
    recognizer = train_pad(mnist.train_images, mnist.train_labels, people, options.seed, say)
    recognizer.save(options.output)
    if options.output == RELEASED:
        recognizer.export(PAGE_WEIGHTS)
    say(f"saved in {options.output}")


def train_pad(
    images: np.ndarray,
    labels: np.ndarray,
    people: PenDrawings | None,
    seed: int,
    say: Callable[[str], None] = print,
    kinds: Sequence[str] = tuple(KINDS),
) -> Recognizer:
    """Train twice: without every fifth writer, to calibrate on them, and then with everybody."""
    rng = np.random.default_rng(seed)
    if people is None:
        # Nobody's drawings: what the generator draws must do, although it is not new to the
        # network, and the answers are more certain than they should be.
        network = learn(gather(images, labels, None, rng, kinds), rng)
        digits = np.arange(2000) % 10
        strokes = [draw_digit(digit, rng) for digit in digits.tolist()]
        settings = calibrate(network, strokes, digits)
    else:
        apart = people.writers % 5 == 1
        network = learn(gather(images, labels, some(people, ~apart), rng, kinds), rng)
        strangers = some(people, apart)
        settings = calibrate(network, strangers.strokes, strangers.labels)
        say(f"temperature {settings.temperature:.2f}, threshold {settings.threshold:.3f}")
        network = learn(gather(images, labels, people, rng, kinds), rng)
    round_weights(network)
    return Recognizer(network, settings.temperature, settings.threshold)


def some(people: PenDrawings, mask: np.ndarray) -> PenDrawings:
    """Choose the drawings where the mask (drawings,) is true."""
    strokes = [people.strokes[i] for i in np.flatnonzero(mask)]
    return PenDrawings(strokes, people.labels[mask], people.writers[mask])


if __name__ == "__main__":
    main()
