"""The drawing pad's Python side, without a browser: chapter 10."""

import json

import numpy as np
import pytest

from mnist_book.drawing.pad import MAX_POINTS, MAX_STROKES, DigitPad, checked_probabilities
from mnist_book.drawing.practice import draw_digit
from mnist_book.drawing.recognizer import Recognizer
from mnist_book.drawing.strokes import strokes_to_image
from mnist_core import Network, softmax

pytestmark = pytest.mark.filterwarnings("error")

SEVEN = [[[2.0, 1.0], [9.0, 1.5], [4.0, 14.0]], [[3.0, 7.0], [8.0, 6.0]]]
ONE = [[[5.0, 0.0], [4.0, 10.0]]]


def always(digit, p=0.75, classes=10):
    """A network that gives one digit, whatever the picture."""
    row = np.full((1, classes), (1 - p) / (classes - 1))
    row[0, digit] = p
    return lambda pixels: row


def from_browser(pad, message):
    """What ipywidgets does with a message from the browser."""
    pad.set_state({"_drawing": json.loads(json.dumps(message))})
    return pad._answer


# ------------------------------------------------------------------------------------ drawing


def test_a_new_pad_is_empty():
    pad = DigitPad(always(3))
    assert pad.strokes == []
    assert pad.image.shape == (28, 28)
    assert not pad.image.any()
    assert pad.prediction is None
    assert pad.probabilities.shape == (10,)
    assert not pad.probabilities.any()
    assert (pad.kind, pad.reason, pad.error) == ("none", "empty", "")


def test_draw_does_what_a_hand_does():
    by_draw, by_hand = DigitPad(), DigitPad()
    by_draw.draw(SEVEN)
    answer = from_browser(by_hand, {"number": 1, "strokes": SEVEN})
    for pad in (by_draw, by_hand):
        assert [stroke.tolist() for stroke in pad.strokes] == SEVEN
        np.testing.assert_array_equal(pad.image, strokes_to_image(SEVEN, **pad._picture))
    assert by_draw._answer == by_hand._answer
    assert by_draw.prediction == by_hand.prediction == answer["digit"]
    assert answer["number"] == 1


def test_what_is_shown_in_the_browser_is_what_the_traits_hold():
    pad = DigitPad(always(7))
    pad.draw(SEVEN)
    assert pad.prediction == 7
    np.testing.assert_allclose(pad.probabilities, [0.25 / 9] * 7 + [0.75] + [0.25 / 9] * 2)
    assert (pad._answer["kind"], pad._answer["digit"]) == (pad.kind, 7) == ("sure", 7)
    assert pad._answer["probabilities"] == pad.probabilities.tolist()
    assert pad._drawing["strokes"] == SEVEN
    json.dumps(pad.get_state(["_answer", "_drawing", "_picture"]), allow_nan=False)


def test_no_stroke_clears_and_asks_no_network():
    calls = []
    pad = DigitPad(lambda pixels: calls.append(pixels) or always(4)(pixels))
    pad.draw(ONE)
    assert (pad.prediction, len(calls)) == (4, 1)
    pad.draw([])
    assert (pad.prediction, pad.reason, len(calls)) == (None, "empty", 1)
    assert not pad.image.any()
    assert pad.strokes == []


def test_a_new_drawing_has_a_new_number_whoever_drew_last():
    pad = DigitPad(always(1))
    from_browser(pad, {"number": 41, "strokes": ONE})
    pad.draw(SEVEN)
    assert pad._drawing["number"] == pad._answer["number"] == 42
    pad.draw(SEVEN)
    assert pad._drawing["number"] == 43


def test_observers_see_the_whole_new_answer():
    pad = DigitPad(lambda pixels: always(2 if pixels.sum() > 60 else 8)(pixels))
    seen = []
    for name in ("strokes", "image", "prediction", "probabilities"):
        pad.observe(
            lambda change, name=name: seen.append(
                (name, pad.prediction, int(pad.probabilities.argmax()), len(pad.strokes))
            ),
            names=name,
        )
    pad.draw(SEVEN)
    assert {(name, *rest) for name, *rest in seen} == {
        (name, 2, 2, 2) for name in ("strokes", "image", "prediction", "probabilities")
    }
    seen.clear()
    pad.draw(ONE)
    assert {tuple(rest) for _, *rest in seen} == {(8, 8, 1)}


def test_traits_cannot_be_set_by_hand():
    pad = DigitPad(always(3))
    with pytest.raises(Exception, match="read-only"):
        pad.prediction = 5


# ------------------------------------------------------------------------------------ networks


@pytest.fixture
def network():
    return Network((784, 16, 10), rng=np.random.default_rng(3))


def test_a_network_a_function_and_a_path_give_the_same(network, tmp_path):
    path = tmp_path / "weights.npz"
    network.save(path)
    expected = network.predict_proba(strokes_to_image(SEVEN).reshape(1, 784).astype(np.float32))[0]
    for given in (network, network.predict_proba, path, str(path)):
        pad = DigitPad(given)
        pad.draw(SEVEN)
        assert pad.error == ""
        np.testing.assert_allclose(pad.probabilities, expected, atol=1e-6)
        assert pad.prediction == expected.argmax()


def test_the_network_gets_one_row_of_float32_from_0_to_1():
    given = []
    pad = DigitPad(lambda pixels: given.append(pixels) or always(0)(pixels))
    pad.draw(SEVEN)
    (pixels,) = given
    assert (pixels.shape, pixels.dtype) == ((1, 784), np.float32)
    np.testing.assert_allclose(pixels.reshape(28, 28), strokes_to_image(SEVEN), atol=1e-6)


def test_without_a_network_the_books_recogniser_answers():
    pad, recognizer, rng = DigitPad(), Recognizer.load(), np.random.default_rng(5)
    for digit in range(10):
        strokes = draw_digit(digit, rng)
        pad.draw(strokes)
        expected = recognizer.recognize(strokes)
        assert (pad.prediction, pad.reason) == (expected.digit, expected.reason)
        np.testing.assert_allclose(pad.probabilities, expected.probabilities)


def test_a_recogniser_may_be_given():
    recognizer = Recognizer.load()
    recognizer.threshold = 1.0
    pad = DigitPad(recognizer)
    pad.draw(draw_digit(3, np.random.default_rng(0)))
    assert (pad.prediction, pad.kind) == (None, "unsure")
    assert pad._answer["kind"] == "unsure"
    assert pad.probabilities.argmax() == 3
    assert pad.probabilities.sum() == pytest.approx(1)


@pytest.mark.parametrize(("best", "expected"), [(4, 4), (10, None)])
def test_an_eleventh_class_is_not_a_digit(best, expected):
    pad = DigitPad(always(best, classes=11))
    pad.draw(SEVEN)
    assert pad.prediction == expected
    assert (pad.kind, pad.reason) == (("sure", "") if expected is not None else ("none", "none"))
    assert pad.probabilities.shape == (10,)
    assert pad.probabilities.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    "answer", [np.eye(10)[6], np.eye(10)[[6]].astype(int), [[0] * 6 + [1, 0, 0, 0]]]
)
def test_other_ways_to_give_probabilities_pass(answer):
    pad = DigitPad(lambda pixels: answer)
    pad.draw(SEVEN)
    assert (pad.prediction, pad.error) == (6, "")


def test_what_is_no_network_is_refused_at_once():
    with pytest.raises(TypeError, match=r"network: found .*42.*expected a Network"):
        DigitPad(42)


def test_a_path_without_weights_is_refused_at_once(tmp_path):
    with pytest.raises(FileNotFoundError):
        DigitPad(tmp_path / "none.npz")
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 not weights")
    with pytest.raises(ValueError, match=r"bad\.npz"):
        DigitPad(tmp_path / "bad.npz")


# ------------------------------------------------------------------------------------ errors


def test_an_error_of_the_readers_function_is_shown_and_kills_nothing():
    faulty = [True]

    def predict_proba(pixels):
        if faulty:
            raise KeyError("weights_1")
        return always(9)(pixels)

    pad = DigitPad(predict_proba)
    pad.draw(SEVEN)
    assert pad.prediction is None
    assert pad.reason == "error"
    assert not pad.probabilities.any()
    assert "in predict_proba" in pad.error
    assert "KeyError: 'weights_1'" in pad.error
    assert pad._answer["error"].startswith("KeyError: 'weights_1'")
    assert len(pad.strokes) == 2
    assert pad.image.any()
    faulty.clear()
    pad.draw(SEVEN)
    assert (pad.prediction, pad.reason, pad.error) == (9, "", "")
    assert pad._answer["error"] == ""


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (None, "None"),
        (7, "7"),
        (np.array([7]), "shape (1,)"),
        (np.full((10, 1), 0.1), "shape (10, 1)"),
        (np.full((1, 9), 1 / 9), "shape (1, 9)"),
        (np.array([["a"] * 10]), "array of shape"),
        (np.full((1, 10), np.nan), "nan"),
        (np.arange(10.0)[None], "sum is 45"),
        (np.full((1, 10), 1.0), "sum is 10"),
        (np.array([[2.0, -1.0] + [0.0] * 8]), "from -1 to 2"),
    ],
)
def test_what_is_no_probabilities_is_shown(answer, found):
    pad = DigitPad(lambda pixels: answer)
    pad.draw(SEVEN)
    assert pad.prediction is None
    assert "ValueError: the network returned" in pad.error
    assert found in pad._answer["error"]
    assert "expected probabilities of shape (1, 10)" in pad._answer["error"]


def test_probabilities_of_low_precision_pass():
    logits = np.random.default_rng(0).normal(0, 3, (1, 10))
    assert checked_probabilities(softmax(logits).astype(np.float16)).shape == (10,)


def test_an_error_of_an_observer_is_shown_too():
    pad = DigitPad(always(3))
    pad.observe(lambda change: 1 / 0, names="prediction")
    pad.draw(SEVEN)
    assert "ZeroDivisionError" in pad.error
    assert pad._answer["error"].startswith("ZeroDivisionError")
    assert pad._answer["digit"] == 3


def test_a_long_error_message_is_cut_for_the_pad():
    def predict_proba(pixels):
        raise ValueError("x" * 100_000)

    pad = DigitPad(predict_proba)
    pad.draw(SEVEN)
    assert len(pad._answer["error"]) < 1000


# ------------------------------------------------------------------------------------ bad messages

MANY = [[[0, 0], [1, 1]]] * (MAX_STROKES + 1)
LONG = [[[i % 7, i % 5] for i in range(MAX_POINTS + 1)]]
BAD_STROKES = {
    "not a list": 5,
    "text": "strokes",
    "nothing": None,
    "too many strokes": MANY,
    "too many points": LONG,
    "null for a number": [[[1, None], [2, 2]]],
    "text for a number": [[["1", "2"]]],
    "true for a number": [[[True, False]]],
    "three numbers": [[[1, 2, 3]]],
    "rows of different lengths": [[[1, 2], [3]]],
    "a flat stroke": [[1, 2, 3, 4]],
    "far away": [[[1e9, 2]]],
    "an object": [{"x": 1, "y": 2}],
    "nested": [[[[1, 2]]]],
}


@pytest.mark.parametrize("strokes", BAD_STROKES.values(), ids=BAD_STROKES.keys())
def test_bad_strokes_from_the_browser_give_an_error_and_lose_nothing(strokes):
    pad = DigitPad(always(7))
    from_browser(pad, {"number": 1, "strokes": SEVEN})
    answer = from_browser(pad, {"number": 2, "strokes": strokes})
    assert answer["number"] == 2
    assert "expected" in answer["error"]
    assert (pad.prediction, len(pad.strokes)) == (7, 2)
    assert pad.image.any()
    assert from_browser(pad, {"number": 3, "strokes": ONE})["digit"] == 7


@pytest.mark.parametrize(
    "message",
    [None, 5, "drawing", [], {}, {"number": "1", "strokes": []}, {"number": True, "strokes": []}],
)
def test_a_message_that_is_no_drawing_gives_an_error(message):
    pad = DigitPad(always(7))
    pad.draw(SEVEN)
    answer = from_browser(pad, message)
    assert answer["number"] is None
    assert "not a drawing" in answer["error"]
    assert (pad.prediction, len(pad.strokes)) == (7, 2)
    pad.draw(ONE)
    assert len(pad.strokes) == 1
    assert pad._answer["number"] == 2


@pytest.mark.parametrize("strokes", BAD_STROKES.values(), ids=BAD_STROKES.keys())
def test_bad_strokes_given_to_draw_raise(strokes):
    with pytest.raises(ValueError, match=r"strokes.*: found .*, expected"):
        DigitPad(always(7)).draw(strokes)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_given_to_draw_raise(bad):
    with pytest.raises(ValueError, match=r"strokes\[0\].*finite"):
        DigitPad(always(7)).draw([np.array([[1.0, bad]])])


def test_as_many_strokes_and_points_as_a_pad_sends_are_taken():
    pad = DigitPad(always(7))
    pad.draw([[[i, j] for j in range(MAX_POINTS // MAX_STROKES)] for i in range(MAX_STROKES)])
    assert sum(map(len, pad.strokes)) == MAX_POINTS


def test_strokes_without_points_are_left_out():
    pad = DigitPad(always(7))
    pad.draw([[], SEVEN[0], np.empty((0, 2))])
    assert len(pad.strokes) == 1


# ------------------------------------------------------------------------------------ in a page


def test_it_is_written_without_an_address():
    assert repr(DigitPad(always(3))) == repr(DigitPad()) == "DigitPad()"


def test_a_static_page_gets_the_element_that_its_script_mounts_on():
    data, metadata = DigitPad(always(3))._repr_mimebundle_()
    assert data["text/html"] == "<div data-digit-pad></div>"
    assert data["text/plain"] == "DigitPad()"
    assert "application/vnd.jupyter.widget-view+json" in data
    assert isinstance(metadata, dict)


def test_the_pad_says_whose_network_answers():
    assert "the book’s network, in the kernel" in DigitPad()._source
    assert "your network, in the kernel" in DigitPad(always(3))._source
