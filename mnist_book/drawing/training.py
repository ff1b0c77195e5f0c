"""Train the recogniser behind the drawing pad.

    python -m mnist_book.drawing.training
    python -m mnist_book.drawing.training --first first.npz
    python -m mnist_book.drawing.training --without-people --output no-people.npz

It learns from MNIST, from the practice digits' generator, from letters and scribbles that this
project draws (`doodles.py`) and, with `PENDIGITS_DIR` set, from the pen drawings of 30
people (`pen_drawings.py`). Every drawing is varied as strokes, as if many more people had drawn it
(`variation.py`). It takes about nine minutes of one core. Without people it learns from more ways
of writing, put together from parts.
"""

import argparse
import functools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mnist_book.dataset import load_mnist
from mnist_book.drawing.doodles import HELD_OUT, TRAINED, draw_doodle, draw_scribble
from mnist_book.drawing.pen_drawings import PenDrawings, load_pen_drawings
from mnist_book.drawing.practice import draw_digit
from mnist_book.drawing.recognizer import (
    NONE,
    PAGE_WEIGHTS,
    RELEASED,
    Gate,
    Picture,
    Recognizer,
    passes_gate,
    round_weights,
)
from mnist_book.drawing.shapes import WAYS_OF_WRITING, draw_shape, parse_path, put_together
from mnist_book.drawing.strokes import strokes_to_image, without_specks
from mnist_book.drawing.variation import distort_images, pictures, resample, vary
from mnist_book.schedule import learning_rates, smooth_labels, soft_cross_entropy_gradient
from mnist_core import Buffers, Network, softmax

SIZES = 784, 512, 128, 11
PASSES = 4  # through all examples
SMOOTHING = 0.05  # the share of a label that is given to all classes alike
LEARNING_RATE, WARM_UP = 0.1, 0.05  # the highest; the share of the steps that lead up to it
BATCH, MOMENTUM, AVERAGE = 128, 0.9, 0.999  # AVERAGE: of the weights, over about 1,000 steps
COPIES = 40  # varied drawings of each drawing by people
MNIST_COPIES, COPIES_ALONE = 4, 2  # of MNIST's pictures; where people's drawings are missing
PRACTICE = 30_000
RARE = 400  # of each way of writing that the practice digits do not have
COMBINED = 240_000  # digits put together from parts, where people's drawings are missing
DOODLES, SCRIBBLES = 60_000, 70_000  # letters and symbols, and what means nothing
COVERAGE = 0.955  # share of unseen people's digits that is to be answered for sure, gate included
REFUSED = 0.005  # share of them that the eleventh class may refuse


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


def practice_digits(tables: Sequence[str], rng: np.random.Generator) -> Examples:
    """Draw digits by the practice digits' generator, and in the ways of some tables of shapes."""
    labels = [i % 10 for i in range(PRACTICE)]
    strokes = [draw_digit(digit, rng) for digit in labels]
    for digit, paths in (ways for table in tables for ways in WAYS_OF_WRITING[table].items()):
        for shape in map(parse_path, paths):
            strokes += [draw_shape(shape, rng) for _ in range(RARE)]
            labels += [int(digit)] * RARE
    drawings = vary(resample(strokes), rng, strength=0.5)
    return Examples(pictures(drawings, rng), np.array(labels, np.uint8))


def combined_digits(count: int, rng: np.random.Generator) -> Examples:
    """Draw digits whose ways of writing are put together from parts, all ten equally often."""
    ways, parsed = WAYS_OF_WRITING["combined"], functools.cache(parse_path)
    labels = np.arange(count, dtype=np.uint8) % 10
    paths = [put_together(ways[str(digit)], rng) for digit in labels]
    drawings = resample([draw_shape(parsed(path), rng) for path in paths])
    return Examples(pictures(vary(drawings, rng), rng), labels)


def no_digits(
    kinds: Sequence[str], doodles: int, scribbles: int, rng: np.random.Generator
) -> Examples:
    """Draw letters, symbols and scribbles: of those that pass the gate, which sees them first."""

    def of_a_kind() -> list[np.ndarray]:
        return draw_doodle(kinds[int(rng.integers(len(kinds)))], rng)

    strokes = passing(of_a_kind, doodles) + passing(lambda: draw_scribble(rng), scribbles)
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


def gather(
    images: np.ndarray,
    labels: np.ndarray,
    copies: int,
    tables: Sequence[str],
    rng: np.random.Generator,
) -> Examples:
    """Make all that there is to learn from, but for people's drawings and the kinds held out.

    Parameters
    ----------
    images : MNIST's, uint8 (n, 28, 28)
    labels : theirs, (n,)
    copies : how often each of them is distorted
    tables : of `shapes.toml`, with ways of writing digits
    """
    images = images.reshape(-1, 784)
    parts = [Examples(distort_images(images, rng), labels) for _ in range(copies)]
    others = no_digits(TRAINED, DOODLES, SCRIBBLES, rng)
    return together(*parts, practice_digits(tables, rng), others)


def together(*parts: Examples) -> Examples:
    """Put examples into one."""
    return Examples(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def only(drawn: Examples, mask: np.ndarray) -> Examples:
    """Choose of what `digits_by_people` made the pictures of those people where the mask is true.

    Parameters
    ----------
    mask : bool (drawings,), for the people's drawings before they were copied
    """
    chosen = np.tile(mask, len(drawn.labels) // len(mask))
    return Examples(drawn.images[chosen], drawn.labels[chosen])


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
    """Train the recogniser's network and round its weights; labels are smoothed, which helps."""
    targets = smooth_labels(examples.labels, NONE + 1, SMOOTHING)
    network = fit(SIZES, examples.images, targets, rng)
    round_weights(network)
    return network


def logits_of(network: Network, strokes: Sequence[list[np.ndarray]]) -> np.ndarray:
    """Compute the logits float64 (n, 11) of drawings, before any temperature."""
    picture = Picture()._asdict()
    images = np.stack([strokes_to_image(drawing, **picture) for drawing in strokes])
    return network.forward(images.reshape(-1, 784).astype(np.float32)).astype(np.float64)


def calibrate(
    logits: np.ndarray, labels: np.ndarray, passed: np.ndarray
) -> tuple[float, float, float]:
    """Choose the temperature and the two thresholds by digits that the network has not learnt from.

    The temperature gives the labels the largest likelihood; at the threshold COVERAGE of the digits
    are answered for sure. It is 0 where fewer pass the gate. The eleventh class refuses REFUSED of
    them, or what it takes for more probable than all digits together. Source of the first: C. Guo,
    G. Pleiss, Y. Sun, K. Weinberger, On calibration of modern neural networks, ICML 2017
    (arXiv:1706.04599).

    Parameters
    ----------
    logits : (n, 11)
    labels : (n,)
    passed : bool (n,): has the drawing passed the gate?

    Returns
    -------
    temperature, threshold and refusal, as `Recognizer` takes them
    """
    rows = np.arange(len(labels))
    temperature = min(
        np.linspace(0.2, 3, 141),
        key=lambda t: -np.log(softmax(logits / t)[rows, labels] + 1e-12).mean(),
    )
    p = softmax(logits / temperature)
    refusal = min(np.quantile(p[:, NONE], 1 - REFUSED), 0.5)
    answered = np.where(passed & (p[:, NONE] <= refusal), p[:, :NONE].max(axis=1), 0)
    return float(temperature), float(np.quantile(answered, 1 - COVERAGE)), float(refusal)


def passed_gate(strokes: Sequence[list[np.ndarray]]) -> np.ndarray:
    """Say of drawings whether they pass the gate: bool (n,)."""
    return np.array([passes_gate(without_specks(drawing), Gate()) for drawing in strokes])


class Trained(NamedTuple):
    """What comes out of a training."""

    first: Recognizer  # without the strangers and the kinds held out, on which it can be judged
    released: Recognizer  # with everything, the temperature and thresholds those of the first


def train_pad(
    images: np.ndarray,
    labels: np.ndarray,
    people: PenDrawings,
    seed: int,
    say: Callable[[str], None] = print,
) -> Trained:
    """Train twice: without the strangers, to calibrate on them, and then with everybody."""
    rng = np.random.default_rng(seed)
    common = gather(images, labels, MNIST_COPIES, ["taught", "rare"], rng)
    drawn = digits_by_people(people, rng)
    say(f"{len(common.labels) + len(drawn.labels):,} pictures to learn from")
    apart = strangers(people)
    first = learn(together(common, only(drawn, ~apart)), rng)
    unseen = some(people, apart)
    logits = logits_of(first, unseen.strokes)
    chances = calibrate(logits, unseen.labels, passed_gate(unseen.strokes))
    say("temperature {:.2f}, threshold {:.3f}, refusal {:.3f}".format(*chances))
    held_out = no_digits(HELD_OUT, DOODLES * len(HELD_OUT) // len(TRAINED), 0, rng)
    last = learn(together(common, held_out, drawn), rng)
    return Trained(Recognizer(first, *chances), Recognizer(last, *chances))


def train_without_people(images: np.ndarray, labels: np.ndarray, seed: int) -> Recognizer:
    """Train on MNIST and this project's strokes alone, the kinds held out left out.

    What the generator draws must do to calibrate, although it is not new to the network, and the
    answers are more certain than they should be. The table `rare` is left out: it was made after
    looking at drawings by people on whom the pad is judged.
    """
    rng = np.random.default_rng(seed)
    common = gather(images, labels, COPIES_ALONE, ["taught"], rng)
    network = learn(together(common, combined_digits(COMBINED, rng)), rng)
    digits = np.arange(2000) % 10
    strokes = [draw_digit(digit, rng) for digit in digits.tolist()]
    return Recognizer(
        network, *calibrate(logits_of(network, strokes), digits, passed_gate(strokes))
    )


def strangers(people: PenDrawings) -> np.ndarray:
    """Mark (drawings,) those by every third writer, who have no part in the first training."""
    return np.isin(people.writers, np.unique(people.writers)[::3])


def some(people: PenDrawings, mask: np.ndarray) -> PenDrawings:
    """Choose the drawings where the mask (drawings,) is true."""
    strokes = [people.strokes[i] for i in np.flatnonzero(mask)]
    return PenDrawings(strokes, people.labels[mask], people.writers[mask])


def main() -> None:
    """Train, calibrate, and write the weights for the book and for its pages."""
    parser = argparse.ArgumentParser("python -m mnist_book.drawing.training", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    option = parser.add_argument
    option("--without-people", action="store_true", help="use no drawings by other people")
    option("--seed", type=int, default=0, help="of everything that is drawn at random")
    option("--first", type=Path, help="where the network goes that has not seen the strangers")
    option("--output", type=Path, default=RELEASED, help="where the weights go")
    options = parser.parse_args()
    start = time.process_time()

    def say(what: str) -> None:
        print(f"{time.process_time() - start:6.0f} s  {what}", flush=True)

    mnist = load_mnist()
    images, labels = mnist.train_images, mnist.train_labels
    if options.without_people:
        recognizer = train_without_people(images, labels, options.seed)
    else:
        first, recognizer = train_pad(images, labels, load_pen_drawings(), options.seed, say)
        if options.first:
            first.save(options.first)
    recognizer.save(options.output)
    if options.output == RELEASED:
        recognizer.export(PAGE_WEIGHTS)
    say(f"saved in {options.output}")


if __name__ == "__main__":
    main()
