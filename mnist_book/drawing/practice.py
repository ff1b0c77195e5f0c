"""The practice digits: images of handwritten-looking digits that need no network to come by.

Every digit has several shapes, ways of writing it (`shapes.toml`). A drawing takes a shape, moves
each of its control points a little, bends, turns, stretches and slants the whole, and rounds it
into smooth strokes. `draw_digit` makes as many different drawings as you like.

    python -m mnist_book.drawing.practice

writes 6,000 training and 1,000 test images to `data/practice/`, the same bytes every time.
"""

import numpy as np

from mnist_book.dataset import SHIPPED
from mnist_book.drawing.shapes import WAYS_OF_WRITING, Shape, draw_shape, parse_path
from mnist_book.drawing.strokes import strokes_to_image
from mnist_core import write_idx

PEN, PEN_SPREAD = 2.4, 0.26  # width of the pen in pixels; its spread as a logarithm
BOX, CENTRE = 20.5, 14.5  # size and place of a digit, in pixels


def draw_digit(digit: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Draw a digit by hand, as it were: each call gives a different drawing.

    Parameters
    ----------
    digit : which one, 0 to 9
    rng : where the differences come from

    Returns
    -------
    the strokes, arrays of shape (points, 2): x to the right, y down, about 2 high
    """
    frequencies, shapes = SHAPES[digit]
    return draw_shape(shapes[rng.choice(len(shapes), p=frequencies)], rng)


def practice_digits(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw images of digits, all ten equally often, in random order.

    Parameters
    ----------
    count : how many, for an equal number of each digit a multiple of 10
    rng : where the order, the drawings and the pens come from

    Returns
    -------
    images, uint8 (count, 28, 28), from 0 (paper) to 255 (ink), and labels, uint8 (count,)
    """
    labels = rng.permutation(np.arange(count) % 10).astype(np.uint8)
    images = np.empty((count, 28, 28), np.uint8)
    for image, digit in zip(images, labels, strict=True):
        pen = PEN * np.exp(rng.normal(0, PEN_SPREAD))
        grey = strokes_to_image(draw_digit(digit, rng), pen=pen, box=BOX, centre=CENTRE)
        image[:] = np.rint(255 * centre_of_mass_to_middle(grey))
    return images, labels


def centre_of_mass_to_middle(image: np.ndarray) -> np.ndarray:
    """Shift an image (28, 28) by whole pixels, as MNIST's makers did.

    `strokes_to_image` counts a line drawn twice, as in many a 9, twice; on paper it is there once.
    """
    pixel = np.arange(28) + 0.5
    down, right = (round(CENTRE - pixel @ image.sum(axis=axis) / image.sum()) for axis in (1, 0))
    return np.roll(image, (down, right), axis=(0, 1))


def shapes_of(digit: int) -> tuple[np.ndarray, list[Shape]]:
    """Get the shapes of a digit, and before them how often each comes up, the sum being 1."""
    counts, paths = zip(*WAYS_OF_WRITING["digits"][str(digit)].values(), strict=True)
    return np.array(counts) / sum(counts), [parse_path(path) for path in paths]


SHAPES = [shapes_of(digit) for digit in range(10)]


if __name__ == "__main__":
    (SHIPPED / "practice").mkdir(exist_ok=True)
    for name, count, seed in ("train", 6000, 1), ("t10k", 1000, 2):
        images, labels = practice_digits(count, np.random.default_rng(seed))
        write_idx(SHIPPED / "practice" / f"{name}-images-idx3-ubyte.gz", images)
        write_idx(SHIPPED / "practice" / f"{name}-labels-idx1-ubyte.gz", labels)
