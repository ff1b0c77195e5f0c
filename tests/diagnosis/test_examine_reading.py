"""A trained network that reads badly is told why; one that is still learning is left in peace."""

import re
import types

import numpy as np
import pytest
from samples import ALL, sample

import mnist_core
from mnist_book import dataset, examine
from mnist_book.diagnosis.examine.forms import mends

METHODS = ("predict_proba", "parameters", "loss_and_gradients", "activations")
ORDER = np.array([3, 1, 2, 0, 4, 5, 6, 9, 8, 7])


@pytest.fixture(scope="module")
def data():
    digits = dataset.load_practice_digits()
    x, test = (
        mnist_core.scale_pixels(images, np.float64)
        for images in (digits.train_images, digits.test_images)
    )
    labels, test_labels = (a.astype(np.int64) for a in (digits.train_labels, digits.test_labels))
    return types.SimpleNamespace(
        x=x, y=labels, test=test, test_y=test_labels, bytes=digits.test_images, form=Forms(x)
    )


def fresh(sizes=(784, 32, 10), seed=0, **options):
    rng = np.random.default_rng(seed)
    return mnist_core.Network(sizes, rng=rng, dtype=np.float64, **options)


def trained(network, data, steps, rate=0.1):
    x, y = data
    rng = np.random.default_rng(2)
    for _ in range(steps):
        rows = rng.integers(0, len(x), 64)
        gradients = network.loss_and_gradients(x[rows], y[rows])[1]
        for parameter, gradient in zip(network.parameters, gradients, strict=True):
            parameter -= rate * gradient
    return network


def only(network, *names):
    """A stranger's network that has some of the methods."""
    return types.SimpleNamespace(**{name: getattr(network, name) for name in names})


def codes(report):
    return [finding.code for finding in report.findings]


class Forms:
    """What is done to pictures (n, 784) in training or in the test."""

    def __init__(self, x):
        mean, std = x.mean(), x.std()
        means, stds = x.mean(axis=0), np.where(x.std(axis=0) > 0, x.std(axis=0), 1)
        self.forms = {
            "as they are": lambda a: a,
            "inverted": lambda a: 1 - a,
            "inverted bytes": lambda a: 255 - 255 * a,
            "0..255": lambda a: 255 * a,
            "-1..1": lambda a: 2 * a - 1,
            "standardised": lambda a: (a - mean) / std,
            "pixel by pixel": lambda a: (a - means) / stds,
            "mirrored": lambda a: self.grid(a)[:, :, ::-1].reshape(a.shape),
            "upside down": lambda a: self.grid(a)[:, ::-1].reshape(a.shape),
            "transposed": lambda a: self.grid(a).transpose(0, 2, 1).reshape(a.shape),
            "shifted": lambda a: np.roll(self.grid(a), (4, -3), (1, 2)).reshape(a.shape),
            "8 bytes late": lambda a: np.roll(a.ravel(), -8).reshape(a.shape),
            "inverted, mirrored": lambda a: 1 - self.grid(a)[:, :, ::-1].reshape(a.shape),
        }

    def grid(self, a):
        return a.reshape(-1, 28, 28)

    def __call__(self, name, a):
        return self.forms[name](a)


@pytest.fixture(scope="module")
def networks(data):
    """Trained networks by the form of their training pictures."""
    forms = ("as they are", "standardised", "pixel by pixel", "mirrored")
    return {form: trained(fresh(), (data.form(form, data.x), data.y), 1200, 0.2) for form in forms}


CASES = [
    ("data.inverted", "as they are", "inverted", "inverted"),
    ("data.turned", "as they are", "mirrored", "left to right"),
    ("data.turned", "as they are", "upside down", "top to bottom"),
    ("data.turned", "as they are", "transposed", "transposed"),
    ("data.turned", "mirrored", "as they are", "left to right"),
    ("data.shifted", "as they are", "shifted", "shifted all alike"),
    ("data.shifted", "as they are", "8 bytes late", "rolled by 8"),
    ("data.other_scale", "standardised", "as they are", "standardised"),
    ("data.other_scale", "pixel by pixel", "as they are", "standardised pixel by pixel"),
    ("data.other_scale", "as they are", "-1..1", "scaled to 0..1"),
    ("data.inverted", "as they are", "inverted, mirrored", "left to right"),
]


METHODS_IN_TURN = [
    (*case, methods)
    for k, case in enumerate(CASES)
    for methods in (["all", "predict_proba"] if ALL else [["all", "predict_proba"][k % 2]])
]


@pytest.mark.parametrize(("code", "training", "test", "words", "methods"), METHODS_IN_TURN)
def test_the_change_that_mends_it_is_named(data, networks, code, training, test, words, methods):
    network = networks[training]
    network = network if methods == "all" else only(network, "predict_proba")
    report = examine(network, data.form(test, data.test), data.test_y)
    assert codes(report)[:1] == [code], report
    assert words in report.findings[0].message, report


@pytest.mark.parametrize("form", ["as they are", "standardised", "pixel by pixel", "mirrored"])
def test_pictures_in_the_form_of_the_training(data, networks, form):
    report = examine(networks[form], data.form(form, data.test), data.test_y)
    assert report.verdict == "right", report
    assert re.match("right for (8[5-9]|9.)%", report.notes[-1]), report


def test_pictures_in_no_usual_form(data, networks):
    noise = np.random.default_rng(0).normal(0, 0.5, data.test.shape)
    network, x = networks["as they are"], np.clip(data.test + noise, 0, 1)
    for each in (network, only(network, "predict_proba")):
        report = examine(each, x, data.test_y)
        assert report.ok and report.verdict == "no bug found", report
        right, nearest = re.search(r"right for (\d+)%.*digit for (\d+)%", report.doubts[0]).groups()
        assert 15 < int(right) < int(nearest) < 80 and "trained on" in report.doubts[0]
        assert f"right for {right}% of 499" in report.notes[-1]
        assert "But it is right" in report._repr_html_()


def test_a_network_that_was_not_trained(data):
    report = examine(fresh(), data.test, data.test_y)
    assert report.ok and report.verdict == "no bug found"
    assert "Before training" in repr(report).splitlines()[1]


def test_a_cure_is_more_than_chance():
    before = np.arange(500) % 5 > 0  # 80 %
    for changed, gone in ((10, 0.9), (60, 0.5), (100, 0)):
        after = before.copy()
        after[np.flatnonzero(~before)[:changed]] = True
        assert mends(before, after) == (gone < 0.6)
        after[np.flatnonzero(before)[:changed]] = False
        assert not mends(before, after)
    few = np.arange(60) % 5 > 0
    assert not mends(few, np.arange(60) % 15 > 0)  # 8 of 12 errors gone, which chance may do
    assert not mends(np.arange(500) < 50, np.arange(500) < 350)  # 70 %: it may still be learning


def trained_on_other_labels(network, order):
    """Make the network that learns order[digit] where this one has learned the digit."""
    other = fresh()
    other.vector[...] = network.vector
    other.weights[-1][:, order] = network.weights[-1]
    other.biases[-1][order] = network.biases[-1]
    return other


def test_classes_in_another_order(data, networks):
    digits = np.arange(10)
    for order, words in (
        ((digits + 1) % 10, "the digit is the answer - 1"),
        (9 - digits, "9 less the answer"),
        (ORDER, "0 stands for 3, 3 stands for 0, 7 stands for 9, 9 stands for 7"),
    ):
        network = trained_on_other_labels(networks["as they are"], order)
        report = examine(network, data.test, data.test_y)
        assert codes(report) == ["data.other_classes"] and words in repr(report), report


def test_trained_on_shuffled_labels(data):
    labels = np.random.default_rng(1).permutation(data.y)
    network = trained(fresh(), (data.x, labels), 2000, 0.3)
    report = examine(network, data.test, data.test_y)
    assert codes(report) == ["network.misreads"], report
    assert "labels were shuffled" in report.findings[0].message
    report = examine(only(network, "predict_proba"), data.test, data.test_y)
    assert report.verdict != "right" and "labels were" in repr(report), report


NETWORKS = {"fresh": lambda n: fresh(), "trained": lambda n: n["as they are"]}
NETWORKS["predict_proba"] = lambda n: only(fresh(seed=4), "predict_proba")


@pytest.mark.parametrize("name", NETWORKS)
def test_pictures_that_are_none(data, networks, name):
    network, b = NETWORKS[name](networks), data.bytes.reshape(-1, 784)
    network = only(network, "predict_proba", *(METHODS if name != "predict_proba" else ()))
    scaled = b / 255
    broken = [
        ("data.two_values", b // 255),
        ("data.two_values", (b / 255).astype(int)),
        ("data.two_values", (b / 255).astype(int).astype(np.float32)),
        ("data.bytes_wrap", (b - np.uint8(b.mean())) / 255),
        ("data.bytes_wrap", (b + np.uint8(60)) / 255),
        ("data.bytes_wrap", (b * b) / 255),
        ("idx.signed", b.astype(np.int8).astype(float)),
        ("data.scrambled", scaled.reshape(784, -1).T),
        ("data.scrambled", data.bytes.T.reshape(-1, 784) / 255),
        ("data.scrambled", data.bytes.transpose(1, 2, 0).reshape(-1, 784) / 255),
    ]
    for code, x in broken if name == "fresh" else sample(broken, 5):
        assert codes(examine(network, x, data.test_y))[:1] == [code], code
    for x in (b > 127, (b > 127).astype(int), scaled[:, np.random.default_rng(0).permutation(784)]):
        if name != "trained":
            assert examine(network, x, data.test_y).ok, examine(network, x, data.test_y)


def small(network):
    for weights in network.parameters[::2]:
        weights[...] = np.random.default_rng(5).normal(0, 0.01, weights.shape)
    return network


LEARNERS = {
    "ReLU": (lambda: fresh(slope=0), 0.1),
    "small weights": (lambda: small(fresh()), 0.5),
    "fast": (lambda: fresh((784, 32, 16, 10)), 1.0),
    "one layer": (lambda: fresh((784, 10)), 0.3),
}


LEARNING = [(name, form) for name in LEARNERS for form in ("as they are", "standardised")]


@pytest.mark.parametrize(("name", "form"), sample(LEARNING, 4))
def test_a_network_that_is_still_learning_is_not_accused(data, name, form):
    make, rate = LEARNERS[name]
    network, done, x = make(), 0, data.form(form, data.x)
    rate /= 4 if form == "standardised" else 1  # such pictures are three times as large
    for steps, n in ((3, 200), (30, 1000), (100, 80)):
        trained(network, (x, data.y), steps - done, rate)
        done = steps
        for each in (network, only(network, "predict_proba")):
            report = examine(each, data.form(form, data.test[:n]), data.test_y[:n])
            wrong = ("network.misreads", "network.linear", "data", "idx")
            assert not any(code.startswith(wrong) for code in codes(report)), report


def test_layers_without_a_bend(data):
    for sizes in ((784, 32, 10), (784, 32, 16, 10)):
        straight = fresh(sizes, slope=1.0)
        assert codes(examine(straight, data.test, data.test_y)) == ["network.linear"]
    trained(straight, (data.x, data.y), 200)
    assert codes(examine(straight, data.test, data.test_y)) == ["network.linear"]
    straight = only(straight, "predict_proba", "activations")
    assert codes(examine(straight, data.test, data.test_y)) == ["network.linear"]
    assert examine(fresh((784, 10), slope=1.0), data.test, data.test_y).ok


def seeded(x):
    """Predict with dropout that is still on, by the same random numbers in each call."""
    w1, b1, w2, b2 = fresh(slope=0).parameters
    hidden = np.maximum(0, x @ w1 + b1)
    kept = np.random.default_rng(0).random(hidden.shape) < 0.5
    return mnist_core.softmax(2 * hidden * kept @ w2 + b2)


def test_dropout_with_a_seed_in_each_call(data):
    report = examine(types.SimpleNamespace(predict_proba=seeded), data.test, data.test_y)
    assert codes(report)[:1] == ["network.random"] and "each place" in repr(report), report


@pytest.mark.parametrize(
    ("result", "code", "words"),
    [
        (np.asmatrix, "function.not_array", "np.matrix"),
        (np.ma.array, "function.not_array", "masked"),
        (lambda p: (p, {"a": p}), "function.not_array", "lambda x: f(x)[0]"),
        (lambda p: (np.log(p), p), "function.not_array", "lambda x: f(x)[1]"),
        (np.log, "softmax.no_exp", "logarithms"),
    ],
)
def test_probabilities_of_another_kind(data, result, code, words):
    inner = fresh()
    network = only(inner, *METHODS)
    network.predict_proba = lambda x: result(inner.predict_proba(x))
    report = examine(network, data.test, data.test_y)
    assert codes(report)[:1] == [code] and words in report.findings[0].message, report
