"""Measure what the recogniser behind the drawing pad can do, and write the record.

    python benchmarks/pad_accuracy.py

writes `benchmarks/records/pad.json`. Nobody whose drawings a figure comes from was in the training
that it is about:

- cross-validation over 24 of UCI's 30 writers, three times sixteen to learn from and eight to test;
- the other six writers, apart until the end: the whole of `train_pad`, its calibration included,
  on the 24; refusal of letters and symbols too, with some kinds left out of that training;
- the same without any drawings by people;
- MNIST's test images, after training on its training images.

It needs MNIST and, in `PENDIGITS_DIR`, UCI's drawings. With the package Hershey-Fonts installed,
letters that are not this project's are tested too.
"""

import datetime
import json
import platform
import time
from collections.abc import Callable, Sequence

import numpy as np
from common.arguments import parser
from common.judging import by_writer, folds_of_writers, percent
from common.record import origin, write

from mnist_book.dataset import Digits, load_mnist
from mnist_book.drawing.doodles import HELD_OUT, KINDS, LETTERS, draw_doodle, draw_scribble
from mnist_book.drawing.pen_drawings import PenDrawings, load_pen_drawings
from mnist_book.drawing.recognizer import NONE, Recognizer, round_weights
from mnist_book.drawing.strokes import strokes_to_image
from mnist_book.drawing.training import gather, learn, some, train_pad
from mnist_core import Network, scale_pixels

TRAINED = [kind for kind in KINDS if kind not in HELD_OUT]
APART = 5  # writers 5, 10, ... 30 are kept apart
HERSHEY = {"futural": "plain", "cursive": "cursive", "scripts": "script"}


def main() -> None:
    """Measure, print and write everything."""
    program = parser(__doc__)
    program.add_argument("--seed", type=int, default=0, help="[0]")
    seed = program.parse_args().seed
    start = time.process_time()
    mnist, people = load_mnist(), load_pen_drawings()
    record = origin() | {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "system": platform.platform(),
        "seed": seed,
    }

    def note(name: str, figures: dict) -> None:
        record[name] = figures | {"cpu seconds so far": round(time.process_time() - start)}
        print(f"{name}: {json.dumps(record[name], indent=1)}", flush=True)
        write("pad", record)

    apart = people.writers % APART == 0
    known, strangers = some(people, ~apart), some(people, apart)
    images, labels = mnist.train_images, mnist.train_labels
    recognizer = train_pad(images, labels, known, seed, kinds=TRAINED)
    note("six writers kept apart", judge(recognizer, strangers, mnist))
    note("refusal", refusals(recognizer, np.random.default_rng(seed + 1)))
    note("cross-validation over 24 writers", cross_validate(known, mnist, seed))
    recognizer = train_pad(images, labels, None, seed, kinds=TRAINED)
    note("without people", judge(recognizer, people, mnist))
    note("without people, refusal", refusals(recognizer, np.random.default_rng(seed + 1)))
    released = Recognizer.load()
    note("released weights", {"MNIST test images": mnist_accuracy(released.network, mnist)})


def judge(recognizer: Recognizer, people: PenDrawings, mnist: Digits) -> dict:
    """Measure accuracy, by writer too, answers and calibration on drawings by strangers."""
    figures = {"MNIST test images": mnist_accuracy(recognizer.network, mnist)}
    answers = [recognizer.recognize(strokes) for strokes in people.strokes]
    guesses = np.array([answer.probabilities.argmax() for answer in answers])
    right = guesses == people.labels
    accepted = np.array([answer.digit is not None for answer in answers])
    p = np.array([answer.probabilities.max() for answer in answers])
    return figures | {
        "drawings": len(right),
        "right": percent(right),
        "right by writer": percent_by_writer(right, people.writers),
        "answered": percent(accepted),
        "right of those answered": percent(right[accepted]),
        "refused for their shape": percent(np.array([a.reason == "shape" for a in answers])),
        "expected calibration error": calibration_error(p, right),
        "temperature": round(recognizer.temperature, 3),
        "threshold": round(recognizer.threshold, 4),
    }


def cross_validate(people: PenDrawings, mnist: Digits, seed: int) -> dict:
    """Train on two thirds of the writers and test on the others, three times over."""
    folds = folds_of_writers(people.writers, np.unique(people.writers), 3)
    right = np.zeros(len(people.labels), bool)
    rounded = right.copy()
    on_mnist = {"as trained": [], "weights rounded": []}
    for number, test in enumerate(folds):
        rng = np.random.default_rng(seed + number)
        training = some(people, ~test)
        examples = gather(mnist.train_images, mnist.train_labels, training, rng, TRAINED)
        network = learn(examples, rng)
        x = np.stack([strokes_to_image(people.strokes[i]) for i in np.flatnonzero(test)])
        x = x.reshape(-1, 784).astype(np.float32)
        right[test] = guess(network, x) == people.labels[test]
        on_mnist["as trained"].append(mnist_accuracy(network, mnist))
        round_weights(network)
        rounded[test] = guess(network, x) == people.labels[test]
        on_mnist["weights rounded"].append(mnist_accuracy(network, mnist))
    return {
        "right": percent(right),
        "right, weights rounded": percent(rounded),
        "right by writer, weights rounded": percent_by_writer(rounded, people.writers),
        "MNIST test images": on_mnist,
    }


def refusals(recognizer: Recognizer, rng: np.random.Generator) -> dict:
    """Measure how many scribbles, letters and symbols get an answer, in percent."""
    held_out_letters = [kind for kind in HELD_OUT if kind in LETTERS]
    letters = [kind for kind in LETTERS if kind not in HELD_OUT]
    symbols = [kind for kind in TRAINED if kind not in LETTERS]
    held_out_symbols = [kind for kind in HELD_OUT if kind not in LETTERS]

    def accepted(draw: Callable[[], list[np.ndarray]], count: int = 2000) -> float:
        return percent(
            np.array([recognizer.recognize(draw()).digit is not None for _ in range(count)])
        )

    def any_of(kinds: Sequence[str]) -> Callable[[], list[np.ndarray]]:
        return lambda: draw_doodle(kinds[rng.integers(len(kinds))], rng)

    figures = {
        "scribbles accepted": accepted(lambda: draw_scribble(rng)),
        "letters of trained kinds accepted": accepted(any_of(letters)),
        "letters of other kinds accepted": accepted(any_of(held_out_letters)),
        "symbols of trained kinds accepted": accepted(any_of(symbols)),
        "symbols of other kinds accepted": accepted(any_of(held_out_symbols)),
    }
    for font, name in HERSHEY.items():
        glyphs = hershey(font)
        if glyphs:
            figures[f"Hershey {name} letters accepted"] = accepted(
                lambda glyphs=glyphs: by_hand(glyphs[rng.integers(len(glyphs))], rng)
            )
    return figures


def hershey(font: str) -> list[list[np.ndarray]]:
    """Get the strokes of a font's letters, of those in LETTERS; none without the package."""
    try:
        from HersheyFonts import HersheyFonts
    except ImportError:
        return []
    fonts = HersheyFonts()
    fonts.load_default_font(font)
    return [
        [np.array(stroke, float) for stroke in fonts.strokes_for_text(letter) if len(stroke) > 1]
        for letter in LETTERS
    ]


def by_hand(strokes: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """Slant, stretch and roughen the strokes of a printed letter, about 20 units high."""
    matrix = np.array([[np.exp(rng.normal(0, 0.15)), 0], [rng.normal(-0.1, 0.15), 1]])
    return [stroke @ matrix + rng.normal(0, 0.15, stroke.shape) for stroke in strokes]


def guess(network: Network, x: np.ndarray) -> np.ndarray:
    """Name the most probable digit (n,), refusing none."""
    return network.forward(x)[:, :NONE].argmax(axis=1)


def mnist_accuracy(network: Network, mnist: Digits) -> float:
    """Measure accuracy on MNIST's test images, in percent."""
    return percent(guess(network, scale_pixels(mnist.test_images)) == mnist.test_labels)


def percent_by_writer(right: np.ndarray, writers: np.ndarray) -> dict[str, float]:
    """Take the mean for each writer, in percent."""
    return {writer: round(100 * share, 3) for writer, share in by_writer(right, writers).items()}


def calibration_error(p: np.ndarray, right: np.ndarray) -> float:
    """Compute the expected calibration error over 15 bins of probability, in percent."""
    bins = np.minimum((p * 15).astype(int), 14)
    gaps = [abs((p - right)[bins == b].sum()) for b in range(15)]
    return round(100 * float(np.sum(gaps)) / len(p), 3)


if __name__ == "__main__":
    main()
