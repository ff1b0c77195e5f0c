"""Bugs in what many networks have and the book's does not, each beside right programs like it.

Other losses, schedules of the learning rate, momentum, bias rows, batch normalisation, shortcuts,
pooling, samples of a batch, half precision.
"""

import functools
import types
from itertools import pairwise

import numpy as np
import pytest
import zoo
from samples import sample
from zoo import sigmoid, softmax

from mnist_book import examine

X, Y = zoo.digits(7)


def first(network, x=X, y=Y):
    report = examine(network, x, y)
    assert report.findings, report
    return report.findings[0]


def trained(network, steps=200, batch=32, x=X, y=Y):
    rng = np.random.default_rng(1)
    for _ in range(steps):
        rows = rng.integers(0, len(x), batch)
        network.step(x[rows], y[rows])
    return network


# --------------------------------------------------------------------------------------------------
# Gradients of another loss than the one that is returned
# --------------------------------------------------------------------------------------------------

TINY = 1e-12
VALUES = {
    "cross-entropy": lambda a, t: -(t * np.log(a + TINY)).sum(),
    "binary": lambda a, t: -(t * np.log(a + TINY) + (1 - t) * np.log(1 - a + TINY)).sum(),
    "squares": lambda a, t: 0.5 * ((a - t) ** 2).sum(),
}
ERRORS = {  # by the outputs and the loss
    ("softmax", "cross-entropy"): lambda a, t: a - t,
    ("softmax", "binary"): lambda a, t: _through_softmax(a, (a - t) / (a * (1 - a) + TINY)),
    ("softmax", "squares"): lambda a, t: _through_softmax(a, a - t),
    ("sigmoid", "binary"): lambda a, t: a - t,
    ("sigmoid", "squares"): lambda a, t: (a - t) * a * (1 - a),
    ("tanh", "squares"): lambda a, t: (a - t) * (1 - a**2),
}
OUTPUTS = {"softmax": softmax, "sigmoid": sigmoid, "tanh": np.tanh}


def _through_softmax(a, d):
    return a * (d - (d * a).sum(axis=1, keepdims=True))


class Columns:
    """Lists of weights (outputs, inputs) and biases (outputs, 1), pictures in columns inside."""

    def __init__(self, outputs, value, error, seed=0):
        rng, sizes = np.random.default_rng(seed), (49, 24, 16, 10)
        self.w = [rng.normal(size=(m, n)) / np.sqrt(n) for n, m in pairwise(sizes)]
        self.b = [rng.normal(size=(m, 1)) for m in sizes[1:]]
        self.outputs, self.value, self.error = outputs, value, error

    @property
    def parameters(self):
        return self.w + self.b

    def forward(self, x):
        found = [x.T]
        for w, b in zip(self.w[:-1], self.b[:-1], strict=True):
            found.append(sigmoid(w @ found[-1] + b))
        z = self.w[-1] @ found[-1] + self.b[-1]
        return found, self.outputs(z.T)

    def predict_proba(self, x):
        return self.forward(x)[1]

    def loss_and_gradients(self, x, y):
        found, a = self.forward(x)
        t, dw, db = np.eye(10)[y], [], []
        d = self.error(a, t).T / len(x)
        for k in reversed(range(3)):
            dw, db = [d @ found[k].T, *dw], [d.sum(axis=1, keepdims=True), *db]
            d = self.w[k].T @ d * found[k] * (1 - found[k])
        return float(self.value(a, t) / len(x)), dw + db

    def step(self, x, y):
        for p, g in zip(self.parameters, self.loss_and_gradients(x, y)[1], strict=True):
            p -= 0.5 * g


def layered(outputs, value, error, kind="plain", decay=0.0):
    """Make a network of the zoo's layers with a loss and an error of its own."""
    rng = np.random.default_rng(3)
    made = zoo.layers(rng, kind, (49, 20, 16, 10), "relu", "He", np.float64, 7)
    network = zoo.Net(made, "binary", zoo.sgd, 10, decay=decay)
    network.outputs = outputs

    def loss(z, t):
        a = outputs(z)
        return value(a, t) / len(z), error(a, t) / len(z)

    network.loss = loss
    return network


def functional(outputs, value, error):
    """Make a network of functions over a dictionary."""
    rng = np.random.default_rng(4)
    net = {"W1": rng.normal(0, 0.2, (49, 20)), "b1": np.zeros((1, 20))}
    net |= {"W2": rng.normal(0, 0.3, (20, 10)), "b2": np.zeros((1, 10))}

    def forward(x):
        hidden = np.tanh(x @ net["W1"] + net["b1"])
        return hidden, outputs(hidden @ net["W2"] + net["b2"])

    def loss_and_gradients(x, y):
        hidden, a = forward(x)
        t = np.eye(10)[y]
        d2 = error(a, t) / len(x)
        d1 = d2 @ net["W2"].T * (1 - hidden**2)
        return value(a, t) / len(x), {
            "W1": x.T @ d1,
            "b1": d1.sum(axis=0, keepdims=True),
            "W2": hidden.T @ d2,
            "b2": d2.sum(axis=0, keepdims=True),
        }

    return types.SimpleNamespace(
        predict_proba=lambda x: forward(x)[1],
        parameters=net,
        loss_and_gradients=loss_and_gradients,
    )


STYLES = {
    "columns": Columns,
    "layers": layered,
    "bias rows": functools.partial(layered, kind="bias column"),
    "no biases": functools.partial(layered, kind="no biases"),
    "convolution": functools.partial(layered, kind="convolution"),
    "functions": functional,
    "trained": lambda *parts: trained(layered(*parts)),
}
EXCHANGED = [
    ("sigmoid", "squares", "binary", "those of binary cross-entropy"),
    ("sigmoid", "binary", "squares", "those of the squared error"),
    ("softmax", "squares", "cross-entropy", "those of cross-entropy"),
    ("softmax", "cross-entropy", "squares", "those of the squared error"),
    ("softmax", "cross-entropy", "binary", "those of binary cross-entropy"),
    ("softmax", "squares", "binary", "those of binary cross-entropy"),
]
LOSS_NAMES = {"binary": "those of binary cross-entropy", "squares": "those of the squared error"}
PAIRS = [(style, *pair) for style in STYLES for pair in EXCHANGED]


@pytest.mark.parametrize(("style", "outputs", "own", "other", "words"), sample(PAIRS, 14))
def test_gradients_of_another_loss(style, outputs, own, other, words):
    found = first(STYLES[style](OUTPUTS[outputs], VALUES[own], ERRORS[outputs, other]))
    assert found.code == "gradients.squares" and words in found.message, found


def test_a_missing_derivative_of_the_outputs_is_no_other_loss():
    found = first(layered(np.tanh, VALUES["squares"], lambda a, t: a - t))
    assert found.code == "gradients.output" and "derivative of the outputs" in found.message, found


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("pair", ERRORS, ids="-".join)
def test_right_losses_are_right(style, pair):
    if pair == ("softmax", "binary") and style == "trained":
        pytest.skip("it learns badly")
    outputs, own = pair
    report = examine(STYLES[style](OUTPUTS[outputs], VALUES[own], ERRORS[pair]), X, Y)
    assert not report.findings, report


def normalised(network):
    """Make its probabilities sum to 1; the loss keeps the sigmoids as they are."""
    forward = network.predict_proba
    members = {"parameters": network.parameters, "loss_and_gradients": network.loss_and_gradients}
    return types.SimpleNamespace(
        predict_proba=lambda x: forward(x) / forward(x).sum(axis=1, keepdims=True), **members
    )


@pytest.mark.parametrize("style", [Columns, functional])
@pytest.mark.parametrize(("own", "other"), [("squares", "binary"), ("binary", "squares")])
def test_sigmoids_that_are_made_to_sum_to_1(style, own, other):
    exchanged, right = (
        normalised(style(sigmoid, VALUES[own], ERRORS["sigmoid", name])) for name in (other, own)
    )
    found, report = first(exchanged), examine(right, X, Y)
    assert found.code == "gradients.squares" and LOSS_NAMES[other] in found.message, found
    assert not report.findings, report


@pytest.mark.parametrize("loss", ["binary", "squares"])
def test_other_inputs_of_the_last_layer_are_no_other_loss(loss):
    class Inputs(Columns):
        def loss_and_gradients(self, x, y):
            value, gradients = super().loss_and_gradients(x, y)
            gradients[2] = gradients[2] * np.arange(16)
            return value, gradients

    found = first(normalised(Inputs(sigmoid, VALUES[loss], ERRORS["sigmoid", loss])))
    assert found.code != "gradients.squares", found
