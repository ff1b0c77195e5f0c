"""Measure what the recogniser behind the drawing pad can do, and write the record.

    python benchmarks/pad_accuracy.py

writes `benchmarks/records/pad.json`. Nobody whose drawings a figure comes from was in the training
that it is about:

- ten of UCI's 30 writers, by the network that `train_pad` trains first, on the other twenty. The
  temperature and both thresholds are chosen on five of the ten and judged on the other five, and
  the other way round;
- the same drawings turned by 20 degrees, with few points, or by a hand that trembles;
- refusal of letters and symbols by that network, with some kinds left out of its training;
- the limits of the gate: chosen on half of all writers, judged on the other half;
- all 30 writers, by a network without any drawings by people; and the ten alone, as what was
  misread of the other twenty told which ways of writing needed more variants;
- MNIST's test images, after training on its training images.

`--first first.npz` takes that first network from a file, where `python -m
mnist_book.drawing.training --first first.npz` has put it, and does not train it again. `--alone
alone.npz` judges the network without people, which `--without-people --output alone.npz` wrote;
networks of further seeds may follow it, for the spread. It needs MNIST and, in `PENDIGITS_DIR`,
UCI's drawings. With the package Hershey-Fonts installed, digits, letters and symbols that are not
this project's are tested too, with the released weights as well.
"""

import datetime
import json
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from common.arguments import parser
from common.judging import by_writer, folds_of_writers, percent
from common.record import origin, write

from mnist_book.dataset import Digits, load_mnist
from mnist_book.drawing.doodles import HELD_OUT, LETTERS, TRAINED, draw_doodle, draw_scribble
from mnist_book.drawing.pen_drawings import PenDrawings, load_pen_drawings
from mnist_book.drawing.recognizer import NONE, OPENING, Recognizer, smoothed_length
from mnist_book.drawing.shapes import rotation
from mnist_book.drawing.strokes import without_specks
from mnist_book.drawing.training import (
    calibrate,
    logits_of,
    passed_gate,
    some,
    strangers,
    train_pad,
)
from mnist_core import Network, scale_pixels

HERSHEY_DIGITS = {"futural": "plain", "scripts": "script"}
HERSHEY = {"futural": "plain", "cursive": "cursive", "scripts": "script"}
# Signs, and Greek letters that look neither like Latin ones nor like digits, by the fonts' keys.
HERSHEY_SYMBOLS = {"futural": "#$%&*+<=>?@[\\]^{}~", "greek": "DFGLPSWYacfhklmnprtuwy"}
SIDE = 180  # of a drawing on the pad, in pixels, where a trembling hand is measured in them
SHAKE = 1.6  # pixels, standard deviation
ASPECTS = (1.2, 1.4, 1.6, 1.8, 2.0, 2.4)
LENGTHS = (4.0, 5.0, 6.0, 7.0)
TOO_MANY = 0.1  # percent of the digits that a limit of the gate may refuse where it is chosen

Strokes = list[np.ndarray]


def main() -> None:
    """Measure, print and write everything."""
    program = parser(__doc__)
    program.add_argument("--seed", type=int, default=0, help="[0]")
    program.add_argument("--first", type=Path, help="the network of the first training")
    program.add_argument("--alone", type=Path, nargs="+", help="networks without people")
    options = program.parse_args()
    start = time.process_time()
    mnist, people = load_mnist(), load_pen_drawings()
    record = origin() | {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "system": platform.platform(),
        "seed": options.seed,
    }

    def note(name: str, figures: dict) -> None:
        record[name] = figures | {"cpu seconds so far": round(time.process_time() - start)}
        print(f"{name}: {json.dumps(record[name], indent=1)}", flush=True)
        write("pad", record)

    rng = np.random.default_rng(options.seed + 1)
    note("gate", limits_of_the_gate(people, rng))
    images, labels = mnist.train_images, mnist.train_labels
    first = (
        Recognizer.load(options.first)
        if options.first
        else train_pad(images, labels, people, options.seed).first
    )
    unseen = some(people, strangers(people))
    halves = list(folds_of_writers(unseen.writers, np.unique(unseen.writers), 2))
    recognizers = calibrated(first.network, halves, unseen)
    on_mnist = {"MNIST test images": mnist_accuracy(first.network, mnist)}
    note("people never seen", judge(recognizers, halves, unseen) | on_mnist)
    for name, change in CHANGES.items():
        changed = unseen._replace(strokes=[change(strokes, rng) for strokes in unseen.strokes])
        note(f"people never seen, {name}", judge(recognizers, halves, changed))
    note("refusal", refusals(recognizers, rng))
    released = Recognizer.load()
    on_mnist = {"MNIST test images": mnist_accuracy(released.network, mnist)}
    note("released weights", on_mnist | of_fonts([released], rng))
    if options.alone:
        alone = [Recognizer.load(path) for path in options.alone]
        everybody = [np.ones(len(people.labels), bool)]
        on_mnist = {"MNIST test images": mnist_accuracy(alone[0].network, mnist)}
        note("without people", judge(alone[:1], everybody, people) | on_mnist)
        note("without people, every seed", read_alone([each.network for each in alone], people))
        note("without people, refusal", refusals(alone[:1], rng))


def calibrated(network: Network, halves: list[np.ndarray], people: PenDrawings) -> list[Recognizer]:
    """Choose temperature and thresholds for each half of some people on the other half."""
    logits, passed = logits_of(network, people.strokes), passed_gate(people.strokes)
    return [
        Recognizer(network, *calibrate(logits[~half], people.labels[~half], passed[~half]))
        for half in halves
    ]


def judge(recognizers: list[Recognizer], parts: list[np.ndarray], people: PenDrawings) -> dict:
    """Measure accuracy, by writer too, answers and calibration on drawings by strangers.

    Each recogniser reads the drawings of its own part.
    """
    answers = [None] * len(people.labels)
    for recognizer, part in zip(recognizers, parts, strict=True):
        for i in np.flatnonzero(part):
            answers[i] = recognizer.recognize(people.strokes[i])
    right = np.array([a.probabilities.argmax() for a in answers]) == people.labels
    kinds = np.array([answer.kind for answer in answers])
    p = np.array([answer.probabilities.max() for answer in answers])
    return {
        "drawings": len(right),
        "right": percent(right),
        "mistakes": int((~right).sum()),
        "right by writer": percent_by_writer(right, people.writers),
        **{kind: percent(kinds == kind) for kind in ("sure", "unsure", "none")},
        **{
            f"right of {kind}": percent(right[kinds == kind])
            for kind in ("sure", "unsure", "none")
            if (kinds == kind).any()
        },
        "refused for their shape": percent(np.array([a.reason == "shape" for a in answers])),
        "expected calibration error": calibration_error(p, right),
        "temperature": [round(recognizer.temperature, 3) for recognizer in recognizers],
        "threshold": [round(recognizer.threshold, 4) for recognizer in recognizers],
        "refusal": [round(recognizer.refusal, 4) for recognizer in recognizers],
    }


def read_alone(networks: list[Network], people: PenDrawings) -> dict[str, list[float]]:
    """Measure how networks without people read those who told which ways to add, and the others."""
    apart = strangers(people)
    figures: dict[str, list[float]] = {"twenty": [], "ten": [], "worst of the ten": []}
    for network in networks:
        right = logits_of(network, people.strokes)[:, :NONE].argmax(axis=1) == people.labels
        figures["twenty"].append(percent(right[~apart]))
        figures["ten"].append(percent(right[apart]))
        worst = min(by_writer(right[apart], people.writers[apart]).values())
        figures["worst of the ten"].append(round(100 * worst, 3))
    return figures


def tilted(strokes: Strokes, rng: np.random.Generator) -> Strokes:
    """Turn a drawing by 20 degrees, to either side."""
    turn = rotation(rng.choice([-1, 1]) * np.radians(20))
    return [stroke @ turn for stroke in strokes]


def of_points(count: int) -> Callable[[Strokes, np.random.Generator], Strokes]:
    """Make a function that leaves so many points of a drawing, evenly along its strokes."""

    def thin_out(strokes: Strokes, rng: np.random.Generator) -> Strokes:
        lengths = np.array([length_of(stroke) for stroke in strokes]) + 1e-9
        counts = np.maximum(2, np.rint(count * lengths / lengths.sum())).astype(int)
        return [along(stroke, number) for stroke, number in zip(strokes, counts, strict=True)]

    return thin_out


def shaky(strokes: Strokes, rng: np.random.Generator) -> Strokes:
    """Draw slowly, a point in every pixel, with a hand that trembles by SHAKE pixels."""
    pixel = np.ptp(np.concatenate(strokes), axis=0).max() / SIDE
    slow = [along(stroke, 2 + int(length_of(stroke) / pixel)) for stroke in strokes]
    return [stroke + rng.normal(0, SHAKE * pixel, stroke.shape) for stroke in slow]


def length_of(stroke: np.ndarray) -> float:
    """Measure the length of a path (points, 2)."""
    return float(np.hypot(*np.diff(stroke, axis=0).T).sum())


def along(stroke: np.ndarray, count: int) -> np.ndarray:
    """Place points (count, 2) evenly along a path."""
    travelled = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(stroke, axis=0).T))])
    places = np.linspace(0, travelled[-1], count)
    return np.stack([np.interp(places, travelled, values) for values in stroke.T], axis=1)


CHANGES = {
    "turned by 20 degrees": tilted,
    "8 points": of_points(8),
    "6 points": of_points(6),
    "trembling": shaky,
}


def limits_of_the_gate(people: PenDrawings, rng: np.random.Generator) -> dict:
    """Choose each limit on the writers of odd numbers, and judge it on those of even ones.

    The smallest limit is chosen that refuses at most TOO_MANY percent of the digits, for the length
    of digits drawn by a trembling hand. Beside it: how many scribbles it leaves.
    """
    odd = people.writers % 2 == 1
    shaken = [shaky(strokes, rng) for strokes in people.strokes]
    digits = np.array([measures(strokes) for strokes in people.strokes])
    trembling = np.array([measures(strokes) for strokes in shaken])
    scribbles = np.array([measures(draw_scribble(rng)) for _ in range(2000)])
    figures = {"length of a trembling line, unsmoothed, beyond 6": percent(trembling[:, 2] > 6)}
    for name, limits, of_digits, of_scribbles in (
        ("aspect", ASPECTS, digits[:, 0], scribbles[:, 0]),
        ("length", LENGTHS, trembling[:, 1], scribbles[:, 1]),
    ):
        rows = [
            {
                "limit": limit,
                "digits refused, odd writers": percent((of_digits > limit)[odd]),
                "digits refused, even writers": percent((of_digits > limit)[~odd]),
                "scribbles that pass": percent(of_scribbles <= limit),
            }
            for limit in limits
        ]
        good = [row["limit"] for row in rows if row["digits refused, odd writers"] <= TOO_MANY]
        figures[name] = {"chosen on odd writers": good[0], "limits": rows}
    return figures


def measures(strokes: Strokes) -> tuple[float, float, float]:
    """Measure a drawing as the gate does: aspect, length as with dividers, and length as it is."""
    strokes = without_specks(strokes)
    width, height = np.ptp(np.concatenate(strokes), axis=0) + 1e-9
    side = max(width, height)
    smoothed = sum(smoothed_length(stroke, OPENING * side) for stroke in strokes)
    return width / height, smoothed / side, sum(map(length_of, strokes)) / side


def refusals(recognizers: list[Recognizer], rng: np.random.Generator) -> dict:
    """Measure how many scribbles, letters and symbols are read as digits, in percent."""
    held_out_letters = [kind for kind in HELD_OUT if kind in LETTERS]
    letters = [kind for kind in LETTERS if kind not in HELD_OUT]
    symbols = [kind for kind in TRAINED if kind not in LETTERS]
    held_out_symbols = [kind for kind in HELD_OUT if kind not in LETTERS]

    def accepted(draw: Callable[[], Strokes], count: int = 2000) -> dict[str, float]:
        return read_as_digits(recognizers, [draw() for _ in range(count)])

    def any_of(kinds: Sequence[str]) -> Callable[[], Strokes]:
        return lambda: draw_doodle(kinds[rng.integers(len(kinds))], rng)

    figures = {
        "scribbles": accepted(lambda: draw_scribble(rng)),
        "letters of trained kinds": accepted(any_of(letters)),
        "letters of other kinds": accepted(any_of(held_out_letters)),
        "symbols of trained kinds": accepted(any_of(symbols)),
        "symbols of other kinds": accepted(any_of(held_out_symbols)),
    }
    for kind in "heart", "lightning":
        figures[kind] = accepted(any_of([kind]), 600)
    return figures | of_fonts(recognizers, rng)


def read_as_digits(recognizers: list[Recognizer], drawings: list[Strokes]) -> dict[str, float]:
    """Count, in percent, what is read surely and unsurely; the recognisers take turns."""
    kinds = np.array(
        [
            recognizers[i % len(recognizers)].recognize(strokes).kind
            for i, strokes in enumerate(drawings)
        ]
    )
    return {kind: percent(kinds == kind) for kind in ("sure", "unsure")}


def of_fonts(recognizers: list[Recognizer], rng: np.random.Generator) -> dict:
    """Do that for letters and symbols of the Hershey fonts; and read their digits."""
    sets = {f"Hershey {name} letters": {font: LETTERS} for font, name in HERSHEY.items()}
    figures = {}
    for name, characters in (sets | {"Hershey symbols": HERSHEY_SYMBOLS}).items():
        glyphs = hershey(characters)
        if glyphs:
            drawn = [by_hand(glyphs[rng.integers(len(glyphs))], rng) for _ in range(2000)]
            figures[name] = read_as_digits(recognizers, drawn)
    for font, name in HERSHEY_DIGITS.items():
        glyphs = hershey({font: "0123456789"})
        if glyphs:
            drawn = [by_hand(glyphs[i % 10], rng) for i in range(500)]
            answers = [
                recognizers[i % len(recognizers)].recognize(strokes)
                for i, strokes in enumerate(drawn)
            ]
            right = [a.probabilities.argmax() == i % 10 for i, a in enumerate(answers)]
            sure = [answer.kind == "sure" for answer in answers]
            figures[f"Hershey {name} digits"] = {"right": percent(right), "sure": percent(sure)}
    return figures


def hershey(characters: dict[str, Iterable[str]]) -> list[Strokes]:
    """Get the strokes of some characters of some fonts; none without the package."""
    try:
        from HersheyFonts import HersheyFonts
    except ImportError:
        return []
    fonts, glyphs = HersheyFonts(), []
    for font, wanted in characters.items():
        fonts.load_default_font(font)
        for character in wanted:
            lines = [line for line in fonts.strokes_for_text(character) if len(line) > 1]
            glyphs.append([np.array(line, float) for line in lines])
    return glyphs


def by_hand(strokes: Strokes, rng: np.random.Generator) -> Strokes:
    """Slant, stretch and roughen the strokes of a printed character, about 20 units high."""
    matrix = np.array([[np.exp(rng.normal(0, 0.15)), 0], [rng.normal(-0.1, 0.15), 1]])
    return [stroke @ matrix + rng.normal(0, 0.15, stroke.shape) for stroke in strokes]


def mnist_accuracy(network: Network, mnist: Digits) -> float:
    """Measure accuracy on MNIST's test images, the most probable digit counting, in percent."""
    logits = network.forward(scale_pixels(mnist.test_images))
    return percent(logits[:, :NONE].argmax(axis=1) == mnist.test_labels)


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
