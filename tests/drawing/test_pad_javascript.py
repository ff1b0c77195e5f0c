"""What the drawing pad computes in a page: the same as NumPy does. Runs in Node, or in Chromium."""

import base64
import gzip
import json
import os
import shutil
import subprocess
from itertools import pairwise

import numpy as np
import pytest

from mnist_book.dataset import load_mnist, load_practice_digits
from mnist_book.drawing.pad import MAX_POINTS, MAX_STROKES, PAGE, SCRIPTS
from mnist_book.drawing.practice import draw_digit
from mnist_book.drawing.recognizer import LEVEL_0, PAGE_WEIGHTS, Recognizer
from mnist_book.drawing.strokes import strokes_to_image
from mnist_core import IDXError, scale_pixels

NODE = shutil.which("node")
COUNT = 300  # drawings
# What the tests call; `given` is JSON from Python, and what comes back goes there as JSON.
IN_NODE = """
process.argv.slice(1).forEach(require);
const given = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
Promise.resolve((%s)(given)).then((found) => console.log(JSON.stringify(found)));
"""


@pytest.fixture(scope="module")
def run(request):
    """Run a function in JavaScript on what Python gives, with the pad's scripts loaded."""
    scripts = [str(PAGE / name) for name in SCRIPTS]
    if NODE is not None:

        def in_node(function, given):
            command = [NODE, "-e", IN_NODE % function, *scripts]
            run = subprocess.run(
                command, input=json.dumps(given), capture_output=True, text=True, check=False
            )
            assert run.returncode == 0, run.stderr
            return json.loads(run.stdout)

        return in_node
    page = request.getfixturevalue("chromium").new_page()
    for script in scripts:
        page.add_script_tag(path=script)
    return page.evaluate


@pytest.fixture(scope="module")
def weights():
    script = PAGE_WEIGHTS.read_text("utf-8")
    return json.loads(script[script.index("{") : script.rindex("}") + 1])


def listed(drawings):
    return [[np.asarray(stroke).tolist() for stroke in strokes] for strokes in drawings]


@pytest.fixture(scope="module")
def drawings():
    """Digits as hands draw them, anywhere and of any size."""
    rng, digits = np.random.default_rng(1), []
    for i in range(COUNT):
        scale, shift = 10 ** rng.uniform(-2, 4), rng.normal(0, 300, 2)
        digits.append([stroke * scale + shift for stroke in draw_digit(i % 10, rng)])
    return listed(digits)


ODD = {
    "nothing": [],
    "an empty stroke": [[]],
    "a dot": [[[5, 5]]],
    "a dot twice": [[[5, 5], [5, 5]]],
    "two dots": [[[5, 5]], [[9, 30]]],
    "a line across": [[[0, 0], [100, 1]]],
    "a line down": [[[0, 0], [1, 100]]],
    "a corner of no length": [[[0, 0], [50, 90], [50, 90], [20, 10]]],
    "a scribble": [[[(37 * i) % 100, (53 * i) % 100] for i in range(80)]],
    "four strokes": [[[10 * i, 0], [10 * i + 5, 90]] for i in range(4)],
    "an empty stroke among others": [[[0, 0], [0, 9]], [], [[1, 1], [2, 8]], []],
    "a line and a speck far away": [[[0, 0], [30, 90]], [[250, 10], [252, 11]]],
    "strokes on both sides of the limit": [
        [[0, 0], [0, 100]],
        [[40, 50], [45.9, 50]],
        [[9, 9], [15, 9]],
    ],
    "a corner between a long line and a short one": [[[0, 0], [0, 100], [40, 100]]],
    "a corner that is none, by a hair": [[[0, 0], [0, 100], [50, 100]]],
    "there and back, not so far": [[[0, 0], [0, 100], [0, 60]], [[20, 0], [20, 90], [50, 80]]],
    "a cross": [[[0, 0], [90, 90]], [[0, 90], [90, 0]]],
}

PICTURES = """({ drawings, parameters }) => drawings.map(
  (strokes) => Array.from(DigitPad.strokesToImage(strokes, parameters && {
    ...DigitPad.IMAGE, ...parameters })))"""


def pictures(run, drawings, **parameters):
    """Let JavaScript draw; the pictures, and those that Python draws."""
    given = {"drawings": drawings, **({"parameters": parameters} if parameters else {})}
    found = np.array(run(PICTURES, given)).reshape(-1, 28, 28)
    return found, [strokes_to_image(strokes, **parameters) for strokes in drawings]


def test_pictures_of_many_drawings_agree_with_numpy(run, drawings):
    found, expected = pictures(run, drawings + list(ODD.values()))
    assert len(found) == COUNT + len(ODD)
    np.testing.assert_allclose(found, expected, atol=1e-6)  # 1e-3 would do
    assert found[:COUNT].max(axis=(1, 2)).min() == 1
    np.testing.assert_allclose(
        *pictures(run, drawings[:50], pen=3.1, box=21, centre=13.3), atol=1e-6
    )


def some_of(stroke, count, rng):
    """Keep so many points of a stroke, in order, chosen at random."""
    return [stroke[i] for i in np.sort(rng.choice(len(stroke), min(count, len(stroke)), False))]


@pytest.mark.parametrize("count", [3, 5, 8])
def test_curves_through_few_points_agree_with_numpy(run, drawings, count):
    few = [
        [[stroke[i] for i in np.linspace(0, len(stroke) - 1, count).astype(int)] for stroke in each]
        for each in drawings[:50]
    ]
    rng = np.random.default_rng(count)
    for each in drawings[50:100]:  # unevenly, so that there are corners
        few.append([some_of(stroke, count, rng) for stroke in each])
    few += list(ODD.values())
    found, expected = pictures(run, few, gap=0.15)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    straight = [strokes_to_image(strokes) for strokes in few[:50]]
    assert np.abs(found[:50] - straight).max(axis=(1, 2)).mean() > 0.2


def test_the_parameters_of_the_picture_are_those_of_python(run):
    assert run("() => DigitPad.IMAGE", None) == strokes_to_image.__kwdefaults__


def test_the_pad_stops_where_the_kernel_does(run):
    limits = run("() => [DigitPad.MOST_STROKES, DigitPad.MOST_POINTS]", None)
    assert limits == [MAX_STROKES, MAX_POINTS]


RECOGNIZE = """async ({ drawings, weights, settings = [{}] }) => {
  const network = await DigitPad.readNetwork(weights);
  return settings.flatMap((changed) =>
    drawings.map((strokes) => DigitPad.recognize({ ...network, ...changed }, strokes)));
}"""


def test_answers_to_drawings_are_those_of_python(run, drawings, weights):
    recognizer = Recognizer.load()
    everything = drawings + list(ODD.values())
    found = run(RECOGNIZE, {"drawings": everything, "weights": weights})
    seen = set()
    for strokes, answer in zip(everything, found, strict=True):
        expected = recognizer.recognize([np.array(stroke) for stroke in strokes])
        assert answer["kind"] == expected.kind
        assert (answer["digit"], answer["reason"]) == (expected.digit, expected.reason)
        np.testing.assert_allclose(answer["probabilities"], expected.probabilities, atol=1e-4)
        seen.add((expected.kind, expected.reason))
    none = {("none", reason) for reason in ("empty", "shape", "none")}
    assert seen == {("sure", ""), ("unsure", "none")} | none


def test_each_rule_of_refusal_counts(run, weights):
    """One limit at a time is moved past a drawing that the book's settings accept."""
    drawing = listed([draw_digit(3, np.random.default_rng(0))])
    settings = [
        {},
        {"gate": {"aspect": 0.1, "length": 1e3, "strokes": 9}},
        {"gate": {"aspect": 9, "length": 0.1, "strokes": 9}},
        {"gate": {"aspect": 9, "length": 1e3, "strokes": 0.5}},
        {"refusal": 0.0},
        {"threshold": 1.0},
        {"temperature": 1e6},
    ]
    found = run(RECOGNIZE, {"drawings": drawing, "weights": weights, "settings": settings})
    reasons = [answer["reason"] for answer in found]
    assert reasons == ["", "shape", "shape", "shape", "none", "none", "none"]
    assert [answer["digit"] for answer in found] == [3, *[None] * 6]
    kinds = [answer["kind"] for answer in found]
    assert kinds == ["sure", "none", "none", "none", "none", "unsure", "unsure"]
    np.testing.assert_allclose(found[6]["probabilities"], np.full(10, 0.1), atol=1e-3)


def trembling(strokes, rng):
    """The same drawing with many points, none of them where it should be."""
    side = np.ptp(np.concatenate(strokes), axis=0).max()
    slow = [np.repeat(stroke, 8, axis=0) for stroke in strokes]
    return [stroke + rng.normal(0, 0.015 * side, stroke.shape) for stroke in slow]


def test_the_length_of_a_trembling_line_is_that_of_python(run, weights):
    """A limit among the lengths of the drawings tells one way of measuring from others."""
    rng, drawn = np.random.default_rng(3), []
    for i in range(200):
        drawn.append(trembling(draw_digit(i % 10, rng), rng))
    # Its last stretch is shorter than the dividers' opening, and takes it from 2.58 to 2.62.
    drawn.append([np.array([[0.0, 0], [0, 100], [0, 0], [0, 58], [0, 62]])])
    recognizer = Recognizer.load()
    recognizer.gate = recognizer.gate._replace(length=2.6)
    changed = weights | {"gate": recognizer.gate._asdict()}
    found = run(RECOGNIZE, {"drawings": listed(drawn), "weights": changed})
    expected = [recognizer.recognize(strokes) for strokes in drawn]
    assert [answer["reason"] for answer in found] == [answer.reason for answer in expected]
    assert expected[-1].reason == "shape"
    refused = np.mean([answer.reason == "shape" for answer in expected])
    assert 0.2 < refused < 0.8


PREDICT = """async ({ pixels, weights }) => {
  const network = await DigitPad.readNetwork(weights);
  const levels = Uint8Array.from(atob(pixels), (character) => character.charCodeAt(0));
  const image = (i) => Float64Array.from(levels.subarray(784 * i, 784 * i + 784), (v) => v / 255);
  return Array.from({ length: levels.length / 784 }, (_, i) => DigitPad.predict(network, image(i)));
}"""


def test_test_images_get_the_answers_of_python(run, weights):
    try:
        images = load_mnist(download=False).test_images
    except (OSError, IDXError):
        images = load_practice_digits().test_images
    images, recognizer = images[::10], Recognizer.load()
    pixels = scale_pixels(images, np.float64).reshape(-1, 784)
    expected = recognizer.probabilities(pixels)
    given = {"pixels": base64.b64encode(images.tobytes()).decode(), "weights": weights}
    found = np.array(run(PREDICT, given))
    np.testing.assert_array_equal(found.argmax(axis=1), expected.argmax(axis=1))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_networks_of_other_depths_work(run):
    """Three layers with a steep slope: what a single hidden layer would not show."""
    rng, sizes, slope = np.random.default_rng(2), (784, 7, 5, 11), 0.3
    levels = [rng.integers(-31, 32, shape, np.int8) for shape in pairwise(sizes)]
    biases, scales = [rng.normal(size=size).astype("<f4") for size in sizes[1:]], [0.04, 0.08, 0.12]
    content = {
        "sizes": sizes, "slope": slope, "scales": scales,
        "temperature": 2.0, "threshold": 0.0, "refusal": 1.0,
        "weights": "".join(chr(LEVEL_0 + n) for level in levels for n in level.ravel()),
        "biases": base64.b64encode(b"".join(bias.tobytes() for bias in biases)).decode(),
        "gate": {"aspect": 2, "length": 9, "strokes": 3},
        "image": {"pen": 2.5, "box": 19, "centre": 14.25, "gap": 0.15},
    }  # fmt: skip
    image = rng.integers(0, 256, 784, np.uint8)
    values = image / 255
    for level, bias, scale in zip(levels, biases, scales, strict=True):
        z = values @ (level * scale) + bias
        values = np.where(z > 0, z, slope * z)
    powers = np.exp((z - z.max()) / 2.0)
    given = {"pixels": base64.b64encode(image.tobytes()).decode(), "weights": content}
    np.testing.assert_allclose(run(PREDICT, given)[0], powers / powers.sum(), atol=1e-5)


DAMAGE = {
    "nothing": None,
    "text": "weights",
    "no sizes": {"sizes": None},
    "one size": {"sizes": [784]},
    "other inputs": {"sizes": [100, 128, 11]},
    "other classes": {"sizes": [784, 128, 10]},
    "huge sizes": {"sizes": [784, 10**9, 11]},
    "sizes that are text": {"sizes": ["784", 128, 11]},
    "another number of scales": {"scales": [0.1]},
    "a scale that is not a number": {"scales": [None, 0.1]},
    "a negative scale": {"scales": [0.1, -0.1]},
    "temperature 0": {"temperature": 0},
    "a threshold above 1": {"threshold": 1.5},
    "a threshold that is text": {"threshold": "0.5"},
    "no refusal": {"refusal": None},
    "slope 2": {"slope": 2},
    "no gate": {"gate": None},
    "a gate without a limit": {"gate": {"aspect": 1.4, "length": 6}},
    "no picture": {"image": None},
    "a pen wider than the box": {"image": {"pen": 20, "box": 19, "centre": 14, "gap": 0.1}},
    "a gap of 0": {"image": {"pen": 2, "box": 19, "centre": 14, "gap": 0}},
    "weights that are too short": {"weights": "AAAA"},
    "no weights": {"weights": None},
    "biases that are too short": {"biases": "AAAA"},
    "biases that are NaN": {"biases": "nan"},
}
READ = """(contents) => Promise.all(contents.map((weights) =>
  DigitPad.readNetwork(weights).then(() => "no error", (error) => error.message)))"""


def test_damaged_weights_are_found_and_others_taken(run, weights):
    nan = base64.b64encode(b"\xff" * 4 * sum(weights["sizes"][1:])).decode()
    contents = [weights]
    for damage in DAMAGE.values():
        if isinstance(damage, dict):
            damage = weights | damage | ({"biases": nan} if damage.get("biases") == "nan" else {})
        contents.append(damage)
    undamaged, *messages = run(READ, contents)
    assert undamaged == "no error"
    for name, message in zip(DAMAGE, messages, strict=True):
        assert message != "no error", name
        assert len(message) > 5, name


def pen_drawings(count):
    """Drawings by real people, where they are at hand."""
    directory = os.environ.get("PENDIGITS_DIR")
    if not directory:
        pytest.skip("needs drawings by real people: set PENDIGITS_DIR to their directory")
    from mnist_book.drawing.pen_drawings import load_pen_drawings

    return load_pen_drawings(directory).strokes[:count]


def test_answers_to_real_hands_are_those_of_python(run, weights):
    drawn = listed(pen_drawings(200))
    recognizer = Recognizer.load()
    found = run(RECOGNIZE, {"drawings": drawn, "weights": weights})
    expected = [recognizer.recognize(strokes) for strokes in drawn]
    told = [(answer["kind"], answer["digit"]) for answer in found]
    assert told == [(answer.kind, answer.digit) for answer in expected]


def test_the_weights_are_small_enough_for_a_page():
    assert len(gzip.compress(PAGE_WEIGHTS.read_bytes())) < 280_000
