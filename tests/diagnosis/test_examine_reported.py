"""Bugs that people reported in public: a dense network with one line of it changed."""

from itertools import pairwise

import numpy as np
import pytest
import zoo
from zoo import sigmoid, softmax

from mnist_book import examine

X, Y = zoo.digits(7)


class Net:
    """Tanh layers and softmax; a test changes one of the methods."""

    hidden = (20, 20)

    def __init__(self, seed=0):
        rng, sizes = np.random.default_rng(seed), (49, *self.hidden, 10)
        self.w = [rng.normal(0, n**-0.5, (n, m)) for n, m in pairwise(sizes)]
        self.b = [np.zeros(m) for m in sizes[1:]]

    @property
    def parameters(self):
        return [array for pair in zip(self.w, self.b, strict=True) for array in pair]

    def forward(self, x):
        a = [x]
        for w, b in zip(self.w, self.b, strict=True):
            z = a[-1] @ w + b
            a.append(self.out(z) if w is self.w[-1] else np.tanh(z))
        return a

    def predict_proba(self, x):
        return self.forward(x)[-1]

    def out(self, z):
        return softmax(z)

    def targets(self, y):
        return np.eye(10)[y]

    def score(self, p, t):
        return -(t * np.log(p + 1e-15)).sum() / len(t)

    def input_of(self, k, a):
        return a[k]

    def way_back(self, k, dw):
        return self.w[k]

    def loss_and_gradients(self, x, y):
        a, t = self.forward(x), self.targets(y)
        d, gradients = (a[-1] - t) / len(x), []
        for k in reversed(range(len(self.w))):
            dw = self.input_of(k, a).T @ d
            gradients = [dw, d.sum(axis=0), *gradients]
            d = d @ self.way_back(k, dw).T * (1 - a[k] ** 2)
        return self.score(a[-1], t), gradients

    def step(self, x, y):
        for p, g in zip(self.parameters, self.loss_and_gradients(x, y)[1], strict=True):
            p -= 0.3 * g


def found(network, steps=0):
    rng = np.random.default_rng(1)
    for _ in range(steps):
        rows = rng.choice(len(X), 32, replace=False)
        network.step(X[rows], Y[rows])
    report = examine(network, X, Y)
    return [(f.code, f.says) for f in report.findings], report


@pytest.mark.parametrize("steps", [0, 150])
def test_the_network_itself_is_right(steps):
    codes, report = found(Net(), steps)
    assert codes == [], report


@pytest.mark.parametrize("steps", [0, 150])
@pytest.mark.parametrize("which", ["own output", "first input's sines"])
def test_weights_multiplied_by_another_input_than_their_layer_s(steps, which):
    class Wrong(Net):
        def input_of(self, k, a):
            other = a[k + 1] if which == "own output" else np.sin(3 * a[k])
            return other if k == 1 else a[k]

    codes, report = found(Wrong(), steps)
    assert codes[:1] == [("gradients.wrong", "network_input")], report


@pytest.mark.parametrize("change", [np.abs, lambda g: np.clip(g, -0.01, 0.01), lambda g: g[::-1]])
def test_weights_whose_gradient_is_changed_afterwards(change):
    class Wrong(Net):
        def loss_and_gradients(self, x, y):
            loss, gradients = super().loss_and_gradients(x, y)
            gradients[2] = change(gradients[2])
            return loss, gradients

    codes, report = found(Wrong())
    assert codes[:1] == [("gradients.wrong", "network_input")], report


def test_another_derivative_in_the_same_layer_is_no_other_input():
    class Wrong(Net):
        def way_back(self, k, dw):
            return self.w[k] * (0.5 if k == 1 else 1.0)

    codes, report = found(Wrong())
    assert codes
    assert codes[0][1] != "network_input", report


@pytest.mark.parametrize("steps", [0, 150])
@pytest.mark.parametrize("rate", [0.3, None])
def test_an_error_sent_back_through_other_weights(steps, rate):
    """None: through the gradients themselves, and else through weights that are updated already."""

    class Wrong(Net):
        def way_back(self, k, dw):
            return dw if rate is None else self.w[k] - rate * dw

    codes, report = found(Wrong(), steps)
    assert codes[:1] == [("gradients.wrong", "network_mixed")], report
    assert "updated already, or through their gradients" in str(report)


def test_one_hot_rows_with_the_1_elsewhere():
    class Wrong(Net):
        def targets(self, y):
            return np.eye(10)[y - 1]

    codes, report = found(Wrong(), 300)
    assert codes[:1] == [("data.other_classes", "network_loss")], report
    assert not report.unchecked


def test_a_loss_that_is_nan_for_a_few_pictures_of_many():
    class Sigmoids(Net):
        hidden = (20,)
        least, scale = 0.0, 1.0

        def out(self, z):
            return sigmoid(self.scale * z)

        def score(self, p, t):
            with np.errstate(all="ignore"):
                logs = t * np.log(p + self.least) + (1 - t) * np.log(1 - p + self.least)
            return -logs.sum() / len(t)

        def loss_and_gradients(self, x, y):
            loss, gradients = super().loss_and_gradients(x, y)
            return loss, [self.scale * g for g in gradients]

    network, rng = Sigmoids(), np.random.default_rng(1)
    for _ in range(300):
        rows = rng.choice(len(X), 32, replace=False)
        network.step(X[rows], Y[rows])
    logits = np.log(1 / (1 / network.predict_proba(X) - 1)).max(axis=1)
    order = np.argsort(logits)  # the surest ones last
    network.scale = 38 / logits.max()  # beyond 36.7 a sigmoid is rounded to 1
    sure = (network.predict_proba(X[order]) == 1).any(axis=1)
    assert 0 < sure.sum() < 50
    report = examine(network, X[order], Y[order])
    assert [f.code for f in report.findings][:1] == ["cross_entropy.log_zero"], report
    network.least = 1e-15
    report = examine(network, X[order], Y[order])
    assert "cross_entropy.log_zero" not in [f.code for f in report.findings], report
