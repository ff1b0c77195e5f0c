"""What trains the pad's recogniser: varied strokes, doodles, distorted images, soft labels."""

import numpy as np
import pytest

from mnist_book.dataset import load_practice_digits
from mnist_book.drawing import doodles, training, variation
from mnist_book.drawing.doodles import KINDS, draw_doodle
from mnist_book.drawing.pen_drawings import PenDrawings
from mnist_book.drawing.practice import draw_digit
from mnist_book.drawing.recognizer import Gate, Recognizer, passes_gate
from mnist_book.drawing.strokes import strokes_to_image
from mnist_book.drawing.training import calibrate, fit, no_digits, some
from mnist_book.drawing.variation import POINTS, Drawings, distort_images, render, resample, vary


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
    for size in ("CUT", "LONGER", "WAVE", "BEND", "TURN", "SLANT", "STRETCH"):
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


def test_kinds_left_out_are_not_drawn(monkeypatch):
    monkeypatch.setattr(training, "DOODLES", 20)
    drawn = []
    monkeypatch.setattr(
        training, "draw_doodle", lambda kind, rng: drawn.append(kind) or draw_doodle(kind, rng)
    )
    examples = no_digits(("A", "heart"), np.random.default_rng(5))
    assert set(drawn) == {"A", "heart"}
    assert examples.labels.tolist() == [10] * 40


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
    recognizer = calibrate(network, strokes, labels)
    answered = [recognizer.recognize(drawing).digit is not None for drawing in strokes]
    assert np.mean(answered) == pytest.approx(training.COVERAGE, abs=0.005)

    def surprise(temperature):
        other = Recognizer(network, temperature)
        x = np.stack([strokes_to_image(drawing) for drawing in strokes]).reshape(-1, 784)
        return -np.log(other.probabilities(x)[np.arange(1000), labels]).mean()

    found = surprise(recognizer.temperature)
    assert found < min(
        surprise(0.8 * recognizer.temperature), surprise(1.25 * recognizer.temperature)
    )


def test_some_drawings_keep_label_and_writer():
    strokes = digits(6)
    people = PenDrawings(strokes, np.arange(6), np.array([1, 2, 1, 2, 1, 2]))
    chosen = some(people, people.writers == 2)
    assert chosen.labels.tolist() == [1, 3, 5]
    assert chosen.writers.tolist() == [2, 2, 2]
    assert all(a is b for a, b in zip(chosen.strokes, strokes[1::2], strict=True))
