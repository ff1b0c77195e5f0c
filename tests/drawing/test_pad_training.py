"""What trains the pad's recogniser: varied strokes, doodles, distorted images, soft labels."""

import itertools

import numpy as np
import pytest

from mnist_book.dataset import load_practice_digits
from mnist_book.drawing import doodles, training, variation
from mnist_book.drawing.doodles import KINDS, draw_doodle
from mnist_book.drawing.pen_drawings import PenDrawings
from mnist_book.drawing.practice import draw_digit
from mnist_book.drawing.recognizer import Gate, Recognizer, passes_gate
from mnist_book.drawing.shapes import WAYS_OF_WRITING, put_together
from mnist_book.drawing.strokes import on_curve, strokes_to_image
from mnist_book.drawing.training import (
    Examples,
    calibrate,
    combined_digits,
    fit,
    logits_of,
    no_digits,
    only,
    passed_gate,
    some,
    strangers,
)
from mnist_book.drawing.variation import POINTS, Drawings, distort_images, render, resample, vary
from mnist_core import softmax


def digits(count, seed=0):
    rng = np.random.default_rng(seed)
    return [draw_digit(i % 10, rng) for i in range(count)]


def plain(drawings):
    n = len(drawings.points)
    return render(drawings, np.full(n, 2.5), np.full(n, 19.0), np.full((n, 2), 14.25))


def test_the_fast_pictures_are_those_of_the_pad():
    drawings = resample(digits(50))
    for points, lifted, image in zip(*drawings, plain(drawings), strict=True):
        strokes = np.split(points.astype(float), np.flatnonzero(lifted) + 1)
        expected = 255 * strokes_to_image(strokes).reshape(784)
        np.testing.assert_allclose(image, expected, atol=1.5)


def test_resampling_keeps_the_drawing():
    strokes = digits(200)
    original = np.stack([strokes_to_image(drawing) for drawing in strokes]).reshape(-1, 784)
    assert np.abs(plain(resample(strokes)) / 255 - original).mean() < 0.01


def test_resampling_makes_room_for_dots_and_many_strokes():
    dot, line = np.array([[3.0, 3.0]]), np.array([[0.0, 0.0], [0.0, 9.0]])
    points, lifted = resample([[dot], [line, dot], [line + i for i in range(15)]])
    assert points.shape == (3, POINTS, 2)
    assert np.isfinite(points).all()
    assert lifted.sum(axis=1).tolist() == [0, 1, 14]


def test_varied_strokes_stay_apart_and_the_digit_stays_the_same_size():
    drawings = resample([drawing for drawing in digits(200) if len(drawing) == 2])
    varied = vary(drawings, np.random.default_rng(1))
    np.testing.assert_array_equal(varied.lifted, drawings.lifted)
    difference = np.abs(varied.points - drawings.points).mean(axis=(1, 2))
    assert difference.min() > 0.05
    assert difference.max() < 0.6
    # Each in its own way: no two drawings move alike.
    moves = (varied.points - drawings.points).reshape(len(difference), -1)
    assert len(np.unique(moves.round(3), axis=0)) == len(moves)


def test_strokes_move_against_each_other(monkeypatch):
    sizes = (
        "CUT",
        "LONGER",
        "WAVE",
        "BEND",
        "TURN",
        "SLANT",
        "STRETCH",
        "TILT",
        "SHAKE",
        "FEW_OFTEN",
    )
    for size in sizes:
        monkeypatch.setattr(variation, size, 0)
    drawings = resample([drawing for drawing in digits(100) if len(drawing) == 2])
    moves = vary(drawings, np.random.default_rng(1)).points - drawings.points
    for move, lifted in zip(moves, drawings.lifted, strict=True):
        first, second = np.split(move, np.flatnonzero(lifted) + 1)
        assert np.ptp(first, axis=0).max() < 1e-6
        assert np.ptp(second, axis=0).max() < 1e-6
        assert np.abs(first[0] - second[0]).max() > 1e-3


def test_strength_0_moves_no_point_beyond_the_ends():
    points, lifted = resample(digits(100))
    still, _ = vary(Drawings(points, lifted), np.random.default_rng(2), strength=0)
    inner = slice(POINTS // 3, -POINTS // 3)
    np.testing.assert_allclose(still[:, inner], points[:, inner], atol=1e-6)


def only_varied_by(monkeypatch, **sizes):
    """Vary drawings in one way alone; return those before and after."""
    everything = "CUT", "LONGER", "WAVE", "APART", "BEND", "TURN", "SLANT", "STRETCH"
    for size in (*everything, "TILT", "SHAKE", "FEW_OFTEN"):
        monkeypatch.setattr(variation, size, sizes.get(size, 0))
    drawings = resample(digits(400))
    return drawings, vary(drawings, np.random.default_rng(1))


def test_some_drawings_are_tilted(monkeypatch):
    before, after = only_varied_by(monkeypatch, TILT=0.4)
    first, second = (drawings.points[:, :, 0] + 1j * drawings.points[:, :, 1] for drawings in
                     (before, after))  # fmt: skip
    turns = np.angle((second * first.conj()).sum(axis=1))
    np.testing.assert_allclose(second, first * np.exp(1j * turns)[:, np.newaxis], atol=1e-5)
    often = np.mean(np.abs(turns) > 1e-4)
    assert often == pytest.approx(variation.TILT_OFTEN, abs=0.07)
    assert turns.min() < -0.3
    assert turns.max() > 0.3
    assert np.abs(turns).max() < 0.4 + 1e-4


def test_some_drawings_keep_few_points_and_smooth_curves_through_them(monkeypatch):
    before, after = only_varied_by(monkeypatch, FEW_OFTEN=0.5)
    changed = np.flatnonzero((before.points != after.points).any(axis=(1, 2)))
    assert 0.4 < len(changed) / 400 < 0.6
    off, off_straight, counts = [], [], []
    for i in changed[:60]:
        image = plain(after.take([i])).reshape(28, 28) / 255
        ends = np.flatnonzero(before.lifted[i])
        best = []
        for count in range(variation.FEW, variation.MANY + 1):
            kept = np.linspace(0, POINTS - 1, count).astype(int)
            kept = np.union1d(kept, np.concatenate([ends, ends + 1]))
            few = np.split(before.points[i, kept], np.searchsorted(kept, ends) + 1)
            curves = [on_curve(s, np.linspace(0, len(s) - 1, 6 * len(s) - 5)) for s in few]
            straight, round_ = strokes_to_image(few), strokes_to_image(curves)
            best.append((np.abs(image - round_).mean(), np.abs(image - straight).mean(), count))
        for found, value in zip((off, off_straight, counts), min(best), strict=True):
            found.append(value)
    assert max(off) < 0.01
    assert np.mean(off) < np.mean(off_straight) / 3
    assert set(counts) == set(range(variation.FEW, variation.MANY + 1))


def test_some_hands_tremble(monkeypatch):
    before, after = only_varied_by(monkeypatch, SHAKE=0.04)
    moves = after.points - before.points
    spread = moves.std(axis=(1, 2))
    assert np.mean(spread > 1e-6) == pytest.approx(variation.SHAKE_OFTEN, abs=0.07)
    assert 0.02 < spread.max() < 0.06
    shaken = moves[spread > 0.01]
    neighbours = np.corrcoef(shaken[:, :-1].ravel(), shaken[:, 1:].ravel())[0, 1]
    assert abs(neighbours) < 0.1  # every point on its own


def test_every_kind_of_doodle_can_be_drawn_and_most_pass_the_gate():
    rng = np.random.default_rng(3)
    strokes = [draw_doodle(kind, rng) for kind in KINDS for _ in range(10)]
    assert all(np.isfinite(np.concatenate(drawing)).all() for drawing in strokes)
    assert np.mean([passes_gate(drawing, Gate()) for drawing in strokes]) > 0.6
    assert set(doodles.HELD_OUT) < set(KINDS)


@pytest.mark.parametrize("scribble", dict.fromkeys(doodles.SCRIBBLES))
def test_every_scribble_can_be_resampled(scribble):
    rng = np.random.default_rng(4)
    points, _ = resample([scribble(rng) for _ in range(50)])
    assert np.isfinite(points).all()
    assert len(np.unique(points.round(3), axis=0)) == 50


def test_put_together_a_way_has_one_variant_of_each_of_its_parts():
    ways = {"flag": [["0,9 9,0", ""], ["9,0 9,99"], ["", "/ 0,99 20,99"]], "stick": [["5,0 5,99"]]}
    rng = np.random.default_rng(7)
    paths = [" ".join(put_together(ways, rng).split()) for _ in range(200)]
    stem, upstroke, foot = "9,0 9,99", "0,9 9,0 ", " / 0,99 20,99"
    flags = {upstroke + stem, stem, upstroke + stem + foot, stem + foot}
    assert set(paths) == flags | {"5,0 5,99"}
    assert paths.count("5,0 5,99") == pytest.approx(100, abs=25)  # ways are equally common


@pytest.mark.parametrize("digit", range(10))
def test_every_variant_of_a_part_goes_with_all_others(digit):
    for parts in WAYS_OF_WRITING["combined"][str(digit)].values():
        for path in map(" ".join, itertools.product(*parts)):
            strokes = [stroke.split() for stroke in path.split("/")]
            assert min(map(len, strokes)) >= 2, path  # no dots
            x, y = np.array([point.split(",") for line in strokes for point in line], float).T
            assert min(x.min(), y.min()) >= -30, path
            assert max(x.max(), y.max()) <= 130, path


def test_combined_digits_are_those_that_their_labels_say(monkeypatch):
    asked = []

    def note(ways, rng):
        asked.append(next(d for d, known in WAYS_OF_WRITING["combined"].items() if known is ways))
        return put_together(ways, rng)

    monkeypatch.setattr(training, "put_together", note)
    images, labels = combined_digits(40, np.random.default_rng(8))
    assert labels.tolist() == list(map(int, asked)) == list(range(10)) * 4
    assert images.shape == (40, 784)
    assert len(np.unique(images, axis=0)) == 40


def test_kinds_left_out_are_not_drawn(monkeypatch):
    drawn = []
    monkeypatch.setattr(
        training, "draw_doodle", lambda kind, rng: drawn.append(kind) or draw_doodle(kind, rng)
    )
    examples = no_digits(("A", "heart"), 20, 30, np.random.default_rng(5))
    assert set(drawn) == {"A", "heart"}
    assert examples.labels.tolist() == [10] * 50


def test_distorted_images_are_near_the_original_and_all_different():
    images = load_practice_digits().train_images[:500].reshape(-1, 784)
    distorted = distort_images(images, np.random.default_rng(6))
    assert distorted.dtype == np.uint8

    def correlation(a, b):
        return np.corrcoef(a.reshape(-1), b.reshape(-1))[0, 1]

    assert 0.5 < correlation(images, distorted) < 0.95
    # In the mean nothing moves.
    assert correlation(images.mean(axis=0), distorted.mean(axis=0)) > 0.98


def test_fit_learns_and_repeats_itself():
    practice = load_practice_digits()
    images = practice.train_images.reshape(-1, 784)
    targets = np.eye(11, dtype=np.float32)[practice.train_labels]
    first, second = (
        fit((784, 32, 11), images, targets, np.random.default_rng(8), passes=5) for _ in range(2)
    )
    np.testing.assert_array_equal(first.vector, second.vector)
    x = (practice.test_images.reshape(-1, 784) / 255).astype(np.float32)
    assert np.mean(first.predict(x) == practice.test_labels) > 0.85


def test_calibration_answers_the_share_that_it_should():
    practice = load_practice_digits()
    targets = np.eye(11, dtype=np.float32)[practice.train_labels]
    network = fit(
        (784, 32, 11),
        practice.train_images.reshape(-1, 784),
        targets,
        np.random.default_rng(9),
        passes=3,
    )
    labels, strokes = np.arange(1000) % 10, digits(1000, seed=10)
    # None of the classes here is "none of them"; so that it counts, it gets what the weakest had.
    logits = logits_of(network, strokes)
    logits[:, 10] = logits[:, :10].min(axis=1)
    recognizer = Recognizer(network, *calibrate(logits, labels, passed_gate(strokes)))
    kinds = [recognizer.recognize(drawing).kind for drawing in strokes]
    assert kinds.count("sure") == pytest.approx(1000 * training.COVERAGE, abs=5)
    assert 0 < recognizer.refusal < 0.5
    p = softmax(logits / recognizer.temperature)
    refused = p[:, 10] > recognizer.refusal
    assert refused.sum() == pytest.approx(1000 * training.REFUSED, abs=1)

    def surprise(temperature):
        other = Recognizer(network, temperature)
        x = np.stack([strokes_to_image(drawing) for drawing in strokes]).reshape(-1, 784)
        return -np.log(other.probabilities(x)[np.arange(1000), labels]).mean()

    found = surprise(recognizer.temperature)
    assert found < min(
        surprise(0.8 * recognizer.temperature), surprise(1.25 * recognizer.temperature)
    )


def test_where_few_pass_the_gate_nothing_is_unsure():
    logits = np.eye(11)[np.arange(100) % 10] * 9
    passed = np.arange(100) < 90  # fewer than are to be answered
    _, threshold, _ = calibrate(logits, np.arange(100) % 10, passed)
    assert threshold == 0


def test_the_eleventh_class_refuses_what_it_takes_for_likely_none_of_them():
    logits = np.eye(11)[np.arange(100) % 10] * 9
    logits[:, 10] = 20  # of everything: half of it would be refused by chance, were there no limit
    _, _, refusal = calibrate(logits, np.arange(100) % 10, np.ones(100, bool))
    assert refusal == 0.5


def test_copies_of_strangers_stay_apart():
    writers = np.array([7, 2, 5, 2, 9])
    people = PenDrawings(digits(5), np.arange(5), writers)
    apart = strangers(people)
    assert apart.tolist() == [False, True, False, True, True]  # of 2, 5, 7, 9 the first and fourth
    drawn = Examples(np.arange(15)[:, np.newaxis], np.tile(np.arange(5), 3))  # each thrice
    known = only(drawn, ~apart)
    assert known.labels.tolist() == [0, 2] * 3
    assert known.images.ravel().tolist() == [0, 2, 5, 7, 10, 12]


def test_some_drawings_keep_label_and_writer():
    strokes = digits(6)
    people = PenDrawings(strokes, np.arange(6), np.array([1, 2, 1, 2, 1, 2]))
    chosen = some(people, people.writers == 2)
    assert chosen.labels.tolist() == [1, 3, 5]
    assert chosen.writers.tolist() == [2, 2, 2]
    assert all(a is b for a, b in zip(chosen.strokes, strokes[1::2], strict=True))
