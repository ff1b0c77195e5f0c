"""Kinds of bugs that other people's programs had, each told from a right program beside it."""

import types
from itertools import pairwise

import numpy as np
import pytest

from mnist_book import dataset, examine
from mnist_book.diagnosis import checks

PRACTICE = dataset.load_practice_digits()
BYTES = PRACTICE.train_images[:400].reshape(400, -1)
X, Y = BYTES / 255, PRACTICE.train_labels[:400].astype(int)
HIDDEN = 12


def relu(z):
    return np.maximum(z, 0)


class Net:
    """Two layers or three; what a program does in another way is a method, or an argument."""

    def __init__(self, *sizes, bend=relu, slope=lambda z: z > 0, look=lambda x: x, deviation=1.4):
        rng, sizes = np.random.default_rng(3), sizes or (784, HIDDEN, 10)
        self.p = {}
        for k, (n, m) in enumerate(pairwise(sizes)):
            self.p[f"W{k}"] = rng.normal(0, deviation / np.sqrt(n), (n, m))
            self.p[f"b{k}"] = np.zeros(m)
        self.bend, self.slope, self.look, self.last = bend, slope, look, len(sizes) - 2

    @property
    def parameters(self):
        return self.p

    def run(self, x):
        zs, outputs = [], [self.look(x)]
        for k in range(self.last + 1):
            zs.append(outputs[-1] @ self.p[f"W{k}"] + self.p[f"b{k}"])
            outputs.append(self.bend(zs[-1]) if k < self.last else zs[-1])
        return zs, outputs

    def predict_proba(self, x):
        z = self.run(x)[1][-1]
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def value(self, x, y):
        return float(-np.log(self.predict_proba(x)[np.arange(len(y)), y] + 1e-12).mean())

    def one_hot(self, y):
        return np.eye(10)[y]

    def derivative(self, zs, k):
        return self.slope(zs[k - 1])

    def gradients(self, x, y):
        zs, outputs = self.run(x)
        t = self.one_hot(y)
        d = (self.predict_proba(x) * t.sum(axis=1, keepdims=True) - t) / len(y)
        found = {}
        for k in range(self.last, -1, -1):
            found[f"W{k}"], found[f"b{k}"] = outputs[k].T @ d, d.sum(axis=0)
            d = d @ self.p[f"W{k}"].T * self.derivative(zs, k) if k else d
        return found

    def train(self, x, y, rate=0.1):
        for name, gradient in self.gradients(x, y).items():
            self.p[name] -= rate * gradient


class WithGradients(Net):
    def loss_and_gradients(self, x, y):
        return self.value(x, y), self.gradients(x, y)


class Trained(WithGradients):
    def step(self, x, y):
        self.train(x, y)


def practised(network, steps=150, x=X, y=Y, rate=0.2):
    rng = np.random.default_rng(1)
    for _ in range(steps):
        rows = rng.integers(0, len(x), 32)
        network.train(x[rows], y[rows], rate)
    return network


def codes(network, x=X, y=Y):
    return [finding.code for finding in examine(network, x, y).findings]


# --------------------------------------------------------------------------------------------------
# Pictures in bytes
# --------------------------------------------------------------------------------------------------


def sigmoid(z):
    return 1 / (1 + np.exp(-np.clip(z, -50, 50)))


LOOKS = {
    "0..1": lambda x: x / 255,
    "-1..1": lambda x: x / 127.5 - 1,
    "whole numbers": lambda x: (x // 32).astype(int) / 8,
}


@pytest.mark.parametrize("look", LOOKS)
def test_a_network_may_scale_bytes_itself(look):
    network = WithGradients(look=LOOKS[look], bend=np.tanh, slope=lambda z: 1 - np.tanh(z) ** 2)
    assert examine(network, BYTES, Y).ok


def test_equal_weights_are_not_taken_for_bytes_that_are_not_scaled():
    network = Net(look=LOOKS["0..1"])
    network.p["W0"][...] = network.p["W1"][...] = 0.01
    assert codes(network, BYTES) == ["init.symmetric"]


def test_bytes_that_nothing_scales_saturate_sigmoids():
    network = WithGradients(bend=sigmoid, slope=lambda z: sigmoid(z) * (1 - sigmoid(z)))
    assert codes(network, BYTES)[0] == "data.not_scaled"


def test_bytes_that_become_negative_inside():
    network = WithGradients(look=lambda x: x.astype(np.int64).astype(np.int8) / 255)
    assert codes(network, BYTES) == ["idx.signed"]


# --------------------------------------------------------------------------------------------------
# A loss without gradients
# --------------------------------------------------------------------------------------------------


class Others(Net):
    def loss(self, x, y):
        return -np.log(1 - self.predict_proba(x)[np.arange(len(y)), y]).mean()


class OfProbabilities(Net):
    def loss(self, p, y):
        return -np.log(p[np.arange(len(y)), y]).mean()


def test_a_loss_without_gradients_is_looked_at():
    assert codes(Others()) == ["cross_entropy.wrong_class"]
    network = Net()
    network.loss = lambda x, y: network.value(x, y)
    assert codes(network) == []


def test_what_is_called_loss_may_be_anything_else():
    assert codes(OfProbabilities()) == []
    network = Net()
    for network.loss in ([3.0, 2.0], lambda x, y: 1.0):
        assert codes(network) == []


# --------------------------------------------------------------------------------------------------
# Forward
# --------------------------------------------------------------------------------------------------


class Turned(Net):
    def predict_proba(self, x):
        kept, self.p["W1"] = self.p["W1"], self.p["W1"].T
        p = super().predict_proba(x)
        self.p["W1"] = kept
        return p


def test_square_weights_that_are_transposed_in_the_prediction():
    network = practised(Net(784, HIDDEN, HIDDEN, 10), 400)
    assert examine(network, X, Y).ok
    network.__class__ = Turned
    assert codes(network) == ["linear.transposed"]


class NoBias(WithGradients):
    def run(self, x):
        hidden = x @ self.p["W0"]
        return [hidden, None], [x, relu(hidden), relu(hidden) @ self.p["W1"]]


def test_biases_that_are_forgotten_without_a_step():
    assert codes(NoBias()) == ["linear.no_bias"]


def test_a_bias_in_a_column():
    network = Net()

    def predict_proba(x):
        z = network.run(x)[1][-1] + network.p["b1"][:, np.newaxis]
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def by_tens(x):
        return np.vstack([predict_proba(x[k : k + 10]) for k in range(0, len(x), 10)])

    network.p["b1"] += 1
    wrong = types.SimpleNamespace(predict_proba=by_tens, parameters=network.p)
    assert codes(wrong) == ["linear.batch_size"]


class OverTheBatch(Net):
    def predict_proba(self, x):
        z = self.run(x)[1][-1]
        e = np.exp(z - z.max(axis=0))
        return e / e.sum(axis=0)


def test_a_softmax_over_the_batch_shows_where_weights_have_exploded():
    network = OverTheBatch()
    for array in network.p.values():
        array *= np.nan
    assert codes(network)[0] == "softmax.axis"
    right = Net()
    right.p["W0"] *= np.nan
    assert not any(code.startswith("softmax") for code in codes(right))


# --------------------------------------------------------------------------------------------------
# Back
# --------------------------------------------------------------------------------------------------


class NeverComputed(WithGradients):
    def gradients(self, x, y):
        return super().gradients(x, y) | {"W1": np.zeros_like(self.p["W1"])}


class OtherZ(WithGradients):
    def derivative(self, zs, k):
        return self.slope(zs[0])


def test_a_gradient_that_is_never_computed():
    assert codes(NeverComputed(784, HIDDEN, HIDDEN, 10))[0] == "gradients.zero"


def test_the_derivative_at_another_layers_z():
    (finding,) = examine(OtherZ(784, HIDDEN, HIDDEN, 10), X, Y).findings
    assert finding.code == "gradients.missing_activation" and "another layer" in finding.message


def test_a_constant_below_0_is_told_from_relu():
    def slope(z):
        return np.where(z > 0, 1, 0.01)

    constant = WithGradients(bend=lambda z: np.where(z > 0, z, 0.3), slope=slope)
    (finding,) = examine(constant, X, Y).findings
    assert finding.code == "leaky_relu.wrong" and "is 0.3" in finding.message
    assert codes(WithGradients(slope=slope)) == ["gradients.missing_activation"]


# --------------------------------------------------------------------------------------------------
# Training
# --------------------------------------------------------------------------------------------------


class Nesterov(WithGradients):
    """Y. Nesterov's momentum: the gradient is taken where the velocity leads."""

    def step(self, x, y):
        if not hasattr(self, "v"):
            self.v = {name: np.zeros_like(array) for name, array in self.p.items()}
        start = {name: array.copy() for name, array in self.p.items()}
        for name, array in self.p.items():
            array += 0.9 * self.v[name]
        for name, gradient in self.gradients(x, y).items():
            self.v[name] = 0.9 * self.v[name] - 0.03 * gradient
            self.p[name][...] = start[name] + self.v[name]


def test_nesterov_s_momentum_is_not_taken_for_an_early_update():
    network = Nesterov()
    for k in range(0, 400, 32):
        network.step(X[k : k + 32], Y[k : k + 32])
    assert examine(network, X, Y).ok


class AllColumns(Net):
    def one_hot(self, y):
        t = np.zeros((len(y), 10))
        t[:, y] = 1
        return t

    def step(self, x, y):
        self.train(x, y)


def test_a_step_that_gives_all_labels_to_each_picture():
    assert codes(AllColumns())[0] == "train.other_rows"


class Early(Net):
    """Its last layer takes its step before the error goes back through it."""

    rate = 0.5

    def step(self, x, y):
        gradients = self.gradients(x, y)
        for name in ("W1", "b1"):
            self.p[name] -= self.rate * gradients[name]
        late = self.back(x, y, gradients)
        for name in ("W0", "b0"):
            self.p[name] -= self.rate * late[name]

    def back(self, x, y, gradients):
        """Return the first layer's gradients through the weights as they are now."""
        zs, _ = self.run(x)
        old = {name: self.p[name] + self.rate * gradients[name] for name in ("W1", "b1")}
        e = np.exp(relu(zs[0]) @ old["W1"] + old["b1"])
        d = (e / e.sum(axis=1, keepdims=True) - np.eye(10)[y]) / len(y)
        d = d @ self.p["W1"].T * (zs[0] > 0)
        return {"W0": x.T @ d, "b0": d.sum(axis=0)}


class NoDerivative(Net):
    def derivative(self, zs, k):
        return np.ones_like(zs[k - 1])

    def step(self, x, y):
        self.train(x, y)


def test_steps_without_gradients_are_held_against_slopes():
    right = Net()
    right.step = lambda x, y: right.train(x, y)
    assert codes(right) == []
    assert codes(Early()) == ["train.early_update"]
    assert codes(NoDerivative()) == ["gradients.missing_activation"]
    nesterov = practised(Nesterov())
    without = types.SimpleNamespace(
        predict_proba=nesterov.predict_proba, parameters=nesterov.p, step=nesterov.step
    )
    for k in range(0, 320, 32):
        nesterov.step(X[k : k + 32], Y[k : k + 32])
    assert codes(without) == []


def test_a_learning_rate_that_is_far_too_small():
    network = Trained()
    network.step = lambda x, y: network.train(x, y, 1e-7)
    report = examine(network, X, Y)
    assert report.verdict == "no bug found" and "1e-07 times the gradient" in repr(report), report


def test_training_on_labels_of_other_pictures_is_told_from_no_training():
    rng, network = np.random.default_rng(4), WithGradients()
    for _ in range(300):
        rows = rng.integers(0, len(X), 32)
        network.train(X[rows], rng.permutation(Y)[rows], 0.05)
    assert codes(network) == ["data.labels_shuffled"]
    for steps in (5, 30):
        assert codes(practised(WithGradients(), steps)) == []


def test_a_batch_that_is_always_the_first():
    network = WithGradients()
    for _ in range(200):
        network.train(X[:20], Y[:20], 0.2)
    report = examine(network, X, Y)
    assert report.ok and report.verdict == "no bug found" and "first 20 of" in repr(report), report


# --------------------------------------------------------------------------------------------------
# Single functions
# --------------------------------------------------------------------------------------------------

SLOPED = {
    "right": (lambda z: np.where(z > 0, z, 0.2 * z), None),
    "constant": (lambda z: np.where(z > 0, z, 0.01), "leaky_relu.wrong"),
    "exchanged": (lambda z: np.minimum(z, 0.01 * z), "leaky_relu.sign"),
    "positive": (lambda z: np.where(z > 0, z, -0.01 * z), "leaky_relu.sign"),
    "plain": (relu, "leaky_relu.plain"),
}


@pytest.mark.parametrize("name", SLOPED)
def test_an_activation_may_have_a_slope_of_its_own(name):
    function, code = SLOPED[name]
    assert [finding.code for finding in checks.leaky_relu(function).findings] == [code][
        : bool(code)
    ]


def test_a_derivative_may_have_a_slope_of_its_own():
    assert checks.leaky_relu_gradient(lambda z: np.where(z > 0, 1, 0.2)).ok
    (finding,) = checks.leaky_relu_gradient(lambda z: np.where(z < 0, 1, 0.01)).findings
    assert finding.code == "relu_gradient.sign"
    (finding,) = checks.leaky_relu_gradient(lambda z: 1.0 * (z > 0)).findings
    assert finding.code == "relu_gradient.slope_ignored" and "ignored" not in finding.message


def plain_gradients(parameters, x, labels, hidden_bias=True):
    """Compute the gradients of a network with plain ReLU, for ten classes only."""
    w1, b1, w2, b2 = parameters
    a = relu(x @ w1 + b1 * hidden_bias)
    z = a @ w2 + b2
    e = np.exp(z - z.max(axis=1, keepdims=True))
    d2 = (e / e.sum(axis=1, keepdims=True) - np.eye(10)[labels]) / len(labels)
    d1 = d2 @ w2.T * (a > 0)
    return [x.T @ d1, d1.sum(axis=0), a.T @ d2, d2.sum(axis=0)]


def without(k):
    def gradients(parameters, x, labels):
        found = plain_gradients(parameters, x, labels)
        found[k] *= 0
        return found

    return gradients


def test_gradients_with_plain_relu_for_ten_classes():
    assert checks.gradients(plain_gradients, slope=0).ok
    (finding,) = checks.gradients(plain_gradients).findings
    assert finding.code == "leaky_relu.plain"
    (finding,) = checks.gradients(lambda *a: plain_gradients(*a, False), slope=0).findings
    assert finding.code == "linear.no_bias"
    (finding,) = checks.gradients(without(2), slope=0).findings
    assert finding.code == "gradients.zero" and "W2" in finding.message


def test_a_loss_for_ten_classes():
    def loss(logits, labels, over=np.sum):
        log_p = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        return -over(np.eye(10)[labels] * log_p) / (len(labels) if over is np.sum else 1)

    assert checks.cross_entropy(loss).ok
    (finding,) = checks.cross_entropy(lambda z, y: loss(z, y, np.mean)).findings
    assert finding.code == "cross_entropy.not_mean"


def once(x, weights, bias):
    z = x @ weights
    z[0] += bias
    return z


LAYERS = {
    "once for each input": lambda x, w, b: x @ w + len(w) * b,
    "one of the examples": once,
    "left out": lambda x, w, b: x[:, 1:] @ w[1:] + b,
    "wrong way round": lambda x, w, b: x @ (w.T if w.shape[0] == w.shape[1] else w) + b,
}


@pytest.mark.parametrize("seen", LAYERS)
def test_layers_that_are_nearly_right(seen):
    (finding,) = checks.linear(LAYERS[seen]).findings
    assert seen in finding.message


def test_a_sum_that_is_taken_anew_for_each_class():
    def softmax(z):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        for row in e:
            for k in range(len(row)):
                row[k] /= row.sum()
        return e

    (finding,) = checks.softmax(softmax).findings
    assert "computed anew" in finding.message


def test_a_file_of_which_the_last_item_is_left_out():
    def read(path):
        raw = np.fromfile(path, np.uint8)
        shape = raw[4 : 4 + 4 * raw[3]].view(">u4").astype(int)
        return raw[4 + 4 * raw[3] :].reshape(shape)[:-1]

    (finding,) = checks.read_idx(read).findings
    assert finding.message.startswith("Only 2 of the 3 items")


# --------------------------------------------------------------------------------------------------
# What training leaves behind
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [0, 3, 10])
def test_early_in_its_training_a_network_has_no_bug(steps):
    report = examine(practised(Trained(deviation=1.4), steps), X, Y)
    assert not report.findings


@pytest.mark.parametrize(
    ("steps", "verdict", "said"),
    [(20, "not yet", True), (60, "no bug found", True), (100, "right", False)],
)
def test_weights_that_training_left_as_large_as_they_were_drawn(steps, verdict, said):
    network = practised(Trained(784, 64, 10, deviation=28), steps, rate=0.02)
    report = examine(network, X, Y)
    assert str(report).startswith(f"network: {verdict}."), report
    assert ("still the random numbers" in str(report)) == said, report
    assert [f.code for f in report.findings] == ["init.too_large"] * (verdict == "not yet")


@pytest.mark.parametrize(("deviation", "verdict"), [(1, "no bug found"), (10, "not yet")])
def test_weights_larger_than_standard_normal_numbers_are_a_finding(deviation, verdict):
    network = Trained(784, 64, 10, bend=sigmoid, slope=lambda z: sigmoid(z) * (1 - sigmoid(z)))
    network.p["W0"] *= deviation / network.p["W0"].std()
    report = examine(practised(network, 200, rate=0.1), X, Y)
    assert str(report).startswith(f"network: {verdict}."), report
    assert "still the random numbers" in str(report), report


def _of_one_class(labels):
    return np.eye(10)[labels]


def _cut_anew(labels):
    return _of_one_class(labels).reshape(10, -1).T


def _in_one_row(labels):
    return _of_one_class(labels) + _of_one_class(np.roll(labels, 1))


def _of_mixed_pictures(labels):
    share = np.random.default_rng(0).beta(0.5, 0.5, (len(labels), 1)).round(2)
    return share * _of_one_class(labels) + (1 - share) * _of_one_class(np.roll(labels, 1))


@pytest.mark.parametrize(
    ("write", "wrong"),
    [
        (_cut_anew, True),
        (_in_one_row, True),
        (lambda labels: np.zeros((len(labels), 10)), True),
        (_of_one_class, False),
        (lambda labels: 0.9 * _of_one_class(labels) + 0.01, False),
        (lambda labels: 2 * _of_one_class(labels) - 1, False),
        (_of_mixed_pictures, False),
    ],
)
def test_rows_of_labels_have_a_single_1(write, wrong):
    network = types.SimpleNamespace(predict_proba=Net().predict_proba)
    found = examine(network, X, write(Y)).findings
    assert (("data.labels", "network_rows") in [(f.code, f.says) for f in found]) == wrong


class TwoModes(Trained):
    """Predicting uses other weights than those that are trained: those of the start."""

    @property
    def start(self):
        return Trained()

    def predict_proba(self, x):
        return Net.predict_proba(self if self.training else self.start, x)

    training = False

    def value(self, x, y):
        self.training = True
        try:
            return super().value(x, y)
        finally:
            self.training = False

    def gradients(self, x, y):
        self.training = True
        try:
            return super().gradients(x, y)
        finally:
            self.training = False


def test_predictions_that_know_less_than_the_loss():
    assert codes(practised(TwoModes()))[0] == "network.modes"


def test_steps_that_change_the_loss_and_no_prediction():
    report = examine(TwoModes(), X, Y)
    assert report.findings[0].says == "network_copy", report
