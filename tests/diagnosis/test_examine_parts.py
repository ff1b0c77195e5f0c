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


RIGHT_LOSSES = [(style, pair) for style in STYLES for pair in ERRORS]
RIGHT_LOSSES.remove(("trained", ("softmax", "binary")))  # it learns badly


@pytest.mark.parametrize(("style", "pair"), sample(RIGHT_LOSSES, 18))
def test_right_losses_are_right(style, pair):
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


def of_hinges(a, t):
    return np.maximum(a - (a * t).sum(axis=1, keepdims=True) + 1, 0) * (1 - t)


def error_of_hinges(a, t):
    over = (of_hinges(a, t) > 0).astype(float)
    return over - t * over.sum(axis=1, keepdims=True)


def of_focus(a, t):
    p = (a * t).sum(axis=1)
    return -((1 - p) ** 2 * np.log(p + TINY)).sum()


def error_of_focus(a, t):
    p = (a * t).sum(axis=1, keepdims=True)
    d = 2 * (1 - p) * np.log(p + TINY) - (1 - p) ** 2 / (p + TINY)
    return _through_softmax(a, d * t)


SMOOTH = 0.9, 0.01
OTHER_LOSSES = {
    "hinges": (lambda z: z, lambda a, t: of_hinges(a, t).sum(), error_of_hinges),
    "focal": (softmax, of_focus, error_of_focus),
    "smooth": (
        softmax,
        lambda a, t: VALUES["cross-entropy"](a, SMOOTH[0] * t + SMOOTH[1]),
        lambda a, t: a - SMOOTH[0] * t - SMOOTH[1],
    ),
    "Huber": (
        lambda z: z,
        lambda a, t: np.where(abs(a - t) < 1, (a - t) ** 2 / 2, abs(a - t) - 0.5).sum(),
        lambda a, t: np.clip(a - t, -1, 1),
    ),
}


@pytest.mark.parametrize("name", OTHER_LOSSES)
@pytest.mark.parametrize("style", [Columns, layered, functional])
def test_other_losses_done_right(name, style):
    report = examine(style(*OTHER_LOSSES[name]), X, Y)
    assert not report.findings, report


# --------------------------------------------------------------------------------------------------
# Learning rates: twice, and falling
# --------------------------------------------------------------------------------------------------


class Trainer:
    """Two layers; how the rate goes and what a step makes of a gradient are arguments."""

    def __init__(self, update, rate=0.1, schedule=lambda self: None, steps=0):
        rng, self.arrays = np.random.default_rng(0), []
        for n, m in pairwise((49, 24, 10)):
            self.arrays += [rng.normal(0, np.sqrt(2 / n), (n, m)), np.zeros(m)]
        self.first_rate = self.rate = rate
        self.update, self.schedule, self.time = update, schedule, 0
        self.memories = [{} for _ in self.arrays]
        trained(self, steps)

    @property
    def parameters(self):
        return self.arrays

    def predict_proba(self, x):
        w1, b1, w2, b2 = self.arrays
        return softmax(np.maximum(x @ w1 + b1, 0) @ w2 + b2)

    def loss_and_gradients(self, x, y):
        w1, b1, w2, b2 = self.arrays
        h = np.maximum(x @ w1 + b1, 0)
        p = softmax(h @ w2 + b2)
        d2 = (p - np.eye(10)[y]) / len(y)
        d1 = d2 @ w2.T * (h > 0)
        loss = -np.log(p[np.arange(len(y)), y] + TINY).mean()
        return float(loss), [x.T @ d1, d1.sum(axis=0), h.T @ d2, d2.sum(axis=0)]

    def step(self, x, y):
        _, gradients = self.loss_and_gradients(x, y)
        self.schedule(self)
        self.time += 1
        for p, g, memory in zip(self.arrays, gradients, self.memories, strict=True):
            p += self.update(self, p, g, memory)


def kept(memory, name, value):
    memory[name] = value
    return value


def mean(memory, name, factor, value):
    return kept(memory, name, factor * memory.get(name, 0) + (1 - factor) * value)


def sgd(self, p, g, memory):
    return -self.rate * g


def momentum(self, p, g, memory):
    return kept(memory, "v", 0.9 * memory.get("v", 0) - self.rate * g)


def heavy_ball(self, p, g, memory):
    return -self.rate * kept(memory, "v", 0.9 * memory.get("v", 0) + g)


def nesterov(self, p, g, memory):
    before = memory.get("v", 0)
    return -0.9 * before + 1.9 * kept(memory, "v", 0.9 * before - self.rate * g)


def averaged(self, p, g, memory):
    return -self.rate * mean(memory, "v", 0.9, g)


def adam(self, p, g, memory):
    m, v = mean(memory, "m", 0.9, g), mean(memory, "v", 0.999, g**2)
    t = self.time
    return -0.02 * self.rate * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)


def rmsprop(self, p, g, memory):
    return -0.02 * self.rate * g / (np.sqrt(mean(memory, "v", 0.9, g**2)) + 1e-8)


def lion(self, p, g, memory):
    sign = np.sign(0.9 * memory.get("m", 0) + 0.1 * g)
    mean(memory, "m", 0.99, g)
    return -0.01 * self.rate * (sign + 0.1 * p)


def rprop(self, p, g, memory):
    same = memory.get("g", g) * g
    size = memory.get("size", 0.002) * np.where(same > 0, 1.2, np.where(same < 0, 0.5, 1))
    memory["size"] = np.clip(size, 1e-6, 0.05)
    return -np.sign(kept(memory, "g", np.where(same < 0, 0, g))) * memory["size"]


def clipped_by_norm(self, p, g, memory):
    return -self.rate * g * min(1, 0.05 / (np.linalg.norm(g) + TINY))


def clipped_by_value(self, p, g, memory):
    return -self.rate * np.clip(g, -0.01, 0.01)


def decoupled(self, p, g, memory):
    return adam(self, p, g, memory) - 1e-3 * self.rate * p


def twice(inside):
    return lambda self, p, g, memory: self.rate * inside(self, p, g, memory)


RULES = [sgd, momentum, heavy_ball, nesterov, averaged, adam, rmsprop, lion, rprop]
RULES += [clipped_by_norm, clipped_by_value, decoupled]


def falling(law):
    """Make a schedule of a law: the rate at a time, as a multiple of the first."""

    def schedule(self):
        self.rate = self.first_rate * max(law(self.time), 0)

    return schedule


def compounding(decay):
    def schedule(self):
        self.rate *= 1 / (1 + decay * self.time)

    return schedule


def by(factor):
    def schedule(self):
        self.rate *= factor

    return schedule


TWICE = [
    (inside, rate, steps)
    for inside in (sgd, momentum, nesterov)
    for rate in (0.5, 0.1, 0.01)
    for steps in (0, 60)
]


@pytest.mark.parametrize(("inside", "rate", "steps"), sample(TWICE, 8))
def test_the_learning_rate_multiplied_in_twice(inside, rate, steps):
    found = first(Trainer(twice(inside), rate, steps=steps))
    assert found.code == "train.rate_twice" and f"number {rate}" in found.message, found


COMPOUNDS = [
    (rule, decay, steps)
    for rule in (sgd, momentum, adam)
    for decay in (1e-3, 0.01, 0.1)
    for steps in (0, 20, 60)
]
COMPOUNDS.remove((momentum, 0.1, 60))  # an old velocity is all that is left
COMPOUNDS += [(sgd, 0.01, 290), (adam, 0.01, 290), (rmsprop, 0.01, 20)]


@pytest.mark.parametrize(("rule", "decay", "steps"), sample(COMPOUNDS, 12))
def test_a_decay_that_compounds(rule, decay, steps):
    found = first(Trainer(rule, schedule=compounding(decay), steps=steps))
    assert found.code == "train.rate_falls" and f"1 + {decay:g} * t" in found.message, found


@pytest.mark.parametrize("rule", [sgd, momentum, adam, rmsprop])
@pytest.mark.parametrize("factor", [0.95, 0.5])
@pytest.mark.parametrize("steps", [0, 30])
def test_a_decay_in_each_step(rule, factor, steps):
    found = first(Trainer(rule, schedule=by(factor), steps=steps))
    assert found.code == "train.rate_falls" and f"{factor} times as long" in found.message, found


@pytest.mark.parametrize("rule", [sgd, momentum, adam])
def test_a_rate_that_has_fallen_to_nothing_is_not_called_adam_s(rule):
    found = first(Trainer(rule, schedule=compounding(0.1), steps=200))
    assert found.code in ("train.rate_falls", "train.no_update"), found


SCHEDULES = {
    "none": lambda self: None,
    "1 / t": falling(lambda t: 1 / (1 + 0.01 * t)),
    "1 / t, fast": falling(lambda t: 1 / (1 + t)),
    "1 / root of t": falling(lambda t: 1 / np.sqrt(1 + t)),
    "by a little": by(0.999),
    "cosine": falling(lambda t: (1 + np.cos(np.pi * min(t, 300) / 300)) / 2),
    "short cosine": falling(lambda t: (1 + np.cos(np.pi * min(t, 66) / 66)) / 2),
    "cosine that restarts": falling(lambda t: (1 + np.cos(np.pi * (t % 30) / 30)) / 2),
    "line": falling(lambda t: 1 - t / 300),
    "short line": falling(lambda t: 1 - t / 66),
    "square": falling(lambda t: (1 - t / 300) ** 2),
    "stairs": falling(lambda t: 0.5 ** (t // 20)),
    "warm-up": falling(lambda t: min(1, (t + 1) / 20)),
    "one cycle": falling(lambda t: 0.1 + min(t, max(120 - t, 0)) / 60),
}
RIGHT_STEPS = [(rule, name, steps) for rule in RULES for name in SCHEDULES for steps in (0, 30, 60)]


@pytest.mark.parametrize(("rule", "name", "steps"), sample(RIGHT_STEPS, 36))
def test_right_steps_are_right(rule, name, steps):
    report = examine(Trainer(rule, schedule=SCHEDULES[name], steps=steps), X, Y)
    assert not report.findings, report


# --------------------------------------------------------------------------------------------------
# Running averages of batch normalisation
# --------------------------------------------------------------------------------------------------


class Averages(zoo.BatchNorm):
    """Some of the averages stay as they were made."""

    stuck, keep = (), 0.9

    def forward(self, x, training):
        kept = {"mean": self.mean, "variance": self.variance}
        out = super().forward(x, training)
        if training:
            now = {"mean": x.mean(axis=0), "variance": x.var(axis=0)}
            for name, old in kept.items():
                moved = self.keep * old + (1 - self.keep) * now[name]
                setattr(self, name, old if name in self.stuck else moved)
        return out


def averaging(stuck, keep, hidden, steps):
    rng, made, inputs = np.random.default_rng(0), [], 49
    kind = type("Kind", (Averages,), {"stuck": stuck, "keep": keep})
    for units in hidden:
        made += [zoo.Dense(rng.normal(0, np.sqrt(2 / inputs), (inputs, units)))]
        made += [kind(units, np.float64), zoo.Activation("relu")]
        inputs = units
    made += [zoo.Dense(rng.normal(0, np.sqrt(2 / inputs), (inputs, 10)))]
    return trained(zoo.Net(made, "cross-entropy", zoo.sgd, 10), steps)


STUCK = [
    (stuck, keep, hidden, steps)
    for stuck in (("mean",), ("variance",), ("mean", "variance"))
    for keep in (0.9, 0.99)
    for hidden in ((20,), (24, 16), (128,))
    for steps in (0, 20, 300)
]


@pytest.mark.parametrize(("stuck", "keep", "hidden", "steps"), sample(STUCK, 9))
def test_running_averages_that_stay_where_they_are(stuck, keep, hidden, steps):
    assert first(averaging(stuck, keep, hidden, steps)).code == "network.modes"


@pytest.mark.parametrize("keep", [0.5, 0.9, 0.99, 0.999])
@pytest.mark.parametrize("hidden", [(24, 16), (128,)])
@pytest.mark.parametrize("steps", [0, 20, 300])
def test_running_averages_may_be_slow(keep, hidden, steps):
    report = examine(averaging((), keep, hidden, steps), X, Y)
    assert not report.findings, report


# --------------------------------------------------------------------------------------------------
# The way back through shortcuts and pooling
# --------------------------------------------------------------------------------------------------


class Shortcut(zoo.Residual):
    way = "both"

    def backward(self, d):
        back = d
        for layer in reversed(self.layers):
            back = layer.backward(back)
        return {"both": d + back, "layers alone": back, "shortcut alone": d}[self.way]


def residual(way, blocks=1, deep=True, after=True, norm=False, steps=0, activation="relu"):
    rng = np.random.default_rng(0)
    kind = type("Kind", (Shortcut,), {"way": way})

    def dense(n, m):
        return zoo.Dense(rng.normal(0, np.sqrt(1.5 / n), (n, m)))

    made = [dense(49, 20), zoo.Activation(activation)]
    for _ in range(blocks):
        inner = [dense(20, 20), zoo.Activation(activation)]
        inner[1:1] = [zoo.BatchNorm(20, np.float64)] * norm
        inner += [dense(20, 20)] * deep
        made += [kind(*inner), *[zoo.Activation(activation)] * after]
    return trained(zoo.Net([*made, dense(20, 10)], "cross-entropy", zoo.sgd, 10), steps)


RESIDUAL = {
    "one block": {},
    "two blocks": {"blocks": 2},
    "three, trained": {"blocks": 3, "steps": 100},
    "one layer": {"deep": False},
    "sum at the end": {"after": False, "blocks": 2, "steps": 100},
    "tanh": {"activation": "tanh", "blocks": 2},
    "batch normalisation": {"norm": True},
}


@pytest.mark.parametrize("name", RESIDUAL)
def test_a_shortcut_that_is_forgotten_on_the_way_back(name):
    found = first(residual("layers alone", **RESIDUAL[name]))
    assert found.code == "gradients.wrong" and "not through the shortcut" in found.message, found


# Of the others it is said that the gradients before the last layer are wrong.
BESIDE = ["one block", "two blocks", "three, trained", "one layer"]


@pytest.mark.parametrize("name", BESIDE)
def test_layers_that_are_forgotten_beside_their_shortcut(name):
    found = first(residual("shortcut alone", **RESIDUAL[name]))
    assert found.code == "gradients.wrong" and "shortcut" in found.message, found


@pytest.mark.parametrize("name", RESIDUAL)
def test_right_shortcuts_are_right(name):
    report = examine(residual("both", **RESIDUAL[name]), X, Y)
    assert not report.findings, report


class Pooling:
    """The largest cell of each window, or their mean; `way` is where the gradient goes to."""

    parameters, gradients = [], []

    def __init__(self, side, size, way):
        self.side, self.size, self.way = side, size, way

    def forward(self, x, training):
        side, size, count = self.side, self.size, self.side // self.size
        maps = x.reshape(len(x), -1, side, side)[:, :, : count * size, : count * size]
        cells = maps.reshape(*maps.shape[:2], count, size, count, size).transpose(0, 1, 2, 4, 3, 5)
        self.cells = cells.reshape(*maps.shape[:2], count, count, size**2)
        found = self.cells.mean(axis=-1) if self.way == "mean" else self.cells.max(axis=-1)
        return found.reshape(len(x), -1)

    def backward(self, d):
        cells, size = self.cells, self.size
        n, channels, count, _, area = cells.shape
        largest = np.eye(area)[cells.argmax(axis=-1)]
        ways = {
            "largest": largest,
            "mean": np.full(cells.shape, 1 / area),
            "every": np.ones(cells.shape),
            "shares": np.full(cells.shape, 1 / area),
            "first": np.eye(area)[np.zeros(cells.shape[:-1], int)],
            "next": np.roll(largest, 1, axis=-1),
        }
        back = ways[self.way] * d.reshape(n, channels, count, count, 1)
        back = back.reshape(n, channels, count, count, size, size).transpose(0, 1, 2, 4, 3, 5)
        found = np.zeros((n, channels, self.side, self.side))
        found[:, :, : count * size, : count * size] = back.reshape(
            n, channels, count * size, count * size
        )
        return found.reshape(n, -1)


def pooling(way, side=14, size=2, early=False, steps=0):
    """Make a network that pools after its activation, or before it."""
    rng = np.random.default_rng(0)
    made = [zoo.Convolution(rng.normal(0, np.sqrt(2 / 9), (4, 1, 3, 3)), side)]
    pair = [zoo.Activation("leaky"), Pooling(side - 2, size, way)]
    inputs = 4 * ((side - 2) // size) ** 2
    made += [*(pair[::-1] if early else pair)]
    made += [zoo.Dense(rng.normal(0, np.sqrt(2 / inputs), (inputs, 10)))]
    network = zoo.Net(made, "cross-entropy", zoo.sgd, 10)
    return trained(network, steps, x=zoo.digits(side)[0], y=zoo.digits(side)[1])


POOLED = {
    "small": {"side": 7},
    "usual": {},
    "windows of 3": {"size": 3},
    "early": {"early": True},
    "trained": {"steps": 60},
}


@pytest.mark.parametrize("name", POOLED)
@pytest.mark.parametrize("way", ["every", "shares", "first", "next"])
def test_pooling_that_gives_the_gradient_to_other_cells(name, way):
    options = POOLED[name]
    data = zoo.digits(options.get("side", 14))
    found = first(pooling(way, **options), *data)
    words = "goes to every cell" if way == "every" else "pooling"
    assert found.code == "gradients.wrong" and words in found.message, found


@pytest.mark.parametrize("name", POOLED)
@pytest.mark.parametrize("way", ["largest", "mean"])
def test_right_pooling_is_right(name, way):
    report = examine(pooling(way, **POOLED[name]), *zoo.digits(POOLED[name].get("side", 14)))
    assert not report.findings, report


# --------------------------------------------------------------------------------------------------
# Windows of a convolution that overlap
# --------------------------------------------------------------------------------------------------


class Windows:
    """A convolution by rows of numbers of the pictures' cells; `way` is how gradients go back."""

    def __init__(self, rng, maps, filters, side, way, size=3, stride=1, flat=True, pad=0):
        self.maps, self.side, self.pad, self.way, self.flat = maps, side + 2 * pad, pad, way, flat
        self.size, self.count = size, (side + 2 * pad - size) // stride + 1
        kernels = rng.normal(0, np.sqrt(2 / (maps * size**2)), (filters, maps, size, size))
        kernels = kernels.reshape(filters, -1).T.copy() if flat else kernels
        self.parameters = [kernels, np.zeros(filters)]
        cells = np.arange(maps * self.side**2).reshape(maps, self.side, self.side)
        windows = np.lib.stride_tricks.sliding_window_view(cells, (size, size), axis=(1, 2))
        windows = windows[:, ::stride, ::stride].transpose(1, 2, 0, 3, 4)
        self.cells = windows.reshape(self.count**2, -1)  # of each place, by maps and taps

    def _kernels(self):
        k = self.parameters[0]
        return k if self.flat else k.reshape(len(k), -1).T

    def forward(self, x, training):
        side = self.side - 2 * self.pad
        x = x.reshape(len(x), self.maps, side, side)
        x = np.pad(x, ((0, 0), (0, 0), *[(self.pad, self.pad)] * 2)).reshape(len(x), -1)
        self.columns = x[:, self.cells]
        return (
            (self.columns @ self._kernels() + self.parameters[1])
            .transpose(0, 2, 1)
            .reshape(len(x), -1)
        )

    def backward(self, d):
        n, kernels = len(d), self._kernels()
        d = d.reshape(n, -1, len(self.cells)).transpose(0, 2, 1)
        g = np.tensordot(self.columns, d, ((0, 1), (0, 1)))
        g = g if self.flat else g.T.reshape(self.parameters[0].shape)
        self.gradients = [g, d.sum(axis=(0, 1))]
        taps = kernels.reshape(self.maps, self.size, self.size, -1)
        taps = taps[:, ::-1, ::-1] if self.way == "turned" else taps
        if self.way == "short":
            taps = taps.copy()
            taps[:, -1] = taps[:, :, -1] = 0
        back = d @ taps.reshape(kernels.shape).T
        found = np.zeros((n, self.maps * self.side**2))
        if self.way == "repeated":
            found[:, self.cells] += back
        elif self.way == "by places":
            for k, place in enumerate(self.cells):
                found[:, place] = back[:, k]
        elif self.way == "by taps":
            for k, tap in enumerate(self.cells.T):
                found[:, tap] = back[:, :, k]
        else:
            np.add.at(found, (slice(None), self.cells), back)
        found = found.reshape(n, self.maps, self.side, self.side)
        inside = slice(self.pad, self.side - self.pad)
        return found[:, :, inside, inside].reshape(n, -1)


def windows(way, steps=0, flat=True, pad=0, stride=1, activation="relu"):
    """Make a network of two convolutions and a layer."""
    rng = np.random.default_rng(0)
    first_one = Windows(rng, 1, 4, 14, way, stride=2, flat=flat)
    second = Windows(rng, 4, 6, first_one.count, way, stride=stride, flat=flat, pad=pad)
    inputs = 6 * second.count**2
    made = [first_one, zoo.Activation(activation), second, zoo.Activation(activation)]
    made += [zoo.Dense(rng.normal(0, np.sqrt(2 / inputs), (inputs, 10)))]
    network = zoo.Net(made, "cross-entropy", zoo.sgd, 10)
    return trained(network, steps, x=zoo.digits(14)[0], y=zoo.digits(14)[1])


WINDOWS = {
    "usual": {},
    "four axes": {"flat": False},
    "padded": {"pad": 1},
    "steps of 2": {"stride": 2},
    "tanh": {"activation": "tanh"},
    "trained": {"steps": 60},
}


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("way", ["repeated", "by places", "by taps"])
def test_windows_that_overlap_are_not_added_up(name, way):
    found = first(windows(way, **WINDOWS[name]), *zoo.digits(14))
    assert found.code == "gradients.wrong" and found.says == "network_windows", found
    assert "last two layers" in found.message and "np.add.at" in found.message, found


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("way", ["turned", "short"])
def test_other_ways_back_are_no_matter_of_overlap(name, way):
    found = first(windows(way, **WINDOWS[name]), *zoo.digits(14))
    assert found.code == "gradients.wrong", found
    if found.says != "network_pooling_cells":  # that has to do with the order of cells alone
        assert found.says == "network_before_maps", found
        assert "last two layers" in found.message and "np.add.at" in found.message, found


@pytest.mark.parametrize("name", WINDOWS)
def test_right_windows_are_right(name):
    report = examine(windows("added", **WINDOWS[name]), *zoo.digits(14))
    assert not report.findings, report


# --------------------------------------------------------------------------------------------------
# Weight decay, and a bias that is a row of the weights
# --------------------------------------------------------------------------------------------------


class Rows:
    """Weights with a bias in their last row, or their first, and decay with or without it."""

    def __init__(self, decay, in_loss, in_gradient, outputs=softmax, start=False, steps=60):
        rng, self.weights, self.start, self.outputs = np.random.default_rng(0), [], start, outputs
        for n, m in pairwise((49, 16, 12, 10)):
            rows = rng.normal(0, np.sqrt(2 / n), (n, m)), np.zeros((1, m))
            self.weights.append(np.vstack(rows[::-1] if start else rows))
        self.decay, self.in_loss, self.in_gradient = decay, in_loss, in_gradient
        trained(self, steps)

    @property
    def parameters(self):
        return self.weights

    def kept(self, w, part):
        """Return the weights that decay: "all", those "without" the bias, or "none"."""
        kept = w * (part != "none")
        kept[0 if self.start else -1] *= part == "all"
        return kept

    def forward(self, x):
        self.inputs, a = [], x
        for w in self.weights:
            a = np.insert(a, 0 if self.start else a.shape[1], 1.0, axis=1)
            self.inputs.append(a)
            z = a @ w
            a = np.maximum(z, 0)
        return self.outputs(z)

    def predict_proba(self, x):
        return self.forward(x)

    def loss_and_gradients(self, x, y):
        p, gradients = self.forward(x), []
        t = np.eye(10)[y]
        d = (p - t) / len(y)
        name = "cross-entropy" if self.outputs is softmax else "binary"
        loss = VALUES[name](p, t) / len(y)
        for w, a in zip(self.weights[::-1], self.inputs[::-1], strict=True):
            gradients.insert(0, a.T @ d + self.decay * self.kept(w, self.in_gradient))
            d = np.delete(d @ w.T * (a > 0), 0 if self.start else -1, axis=1)
            loss += 0.5 * self.decay * (self.kept(w, self.in_loss) ** 2).sum()
        return float(loss), gradients

    def step(self, x, y):
        for w, g in zip(self.weights, self.loss_and_gradients(x, y)[1], strict=True):
            w -= 0.1 * g


DECAYS = [
    (decay, outputs, start)
    for decay in (0.1, 0.01, 0.001)
    for outputs in (softmax, sigmoid)
    for start in (False, True)
]


@pytest.mark.parametrize(("decay", "outputs", "start"), sample(DECAYS, 6))
@pytest.mark.parametrize(("in_loss", "in_gradient"), [("without", "all"), ("all", "without")])
def test_decay_of_a_bias_row_in_one_of_loss_and_gradient(
    decay, outputs, start, in_loss, in_gradient
):
    found = first(Rows(decay, in_loss, in_gradient, outputs, start))
    assert found.code == "gradients.decay" and "row" in found.message, found
    assert f" {decay} times" in found.message


@pytest.mark.parametrize(("decay", "outputs", "start"), sample(DECAYS, 6))
@pytest.mark.parametrize("pair", ["all all", "without without", "none all", "none without"])
def test_right_decay_is_right(decay, outputs, start, pair):
    report = examine(Rows(decay, *pair.split(), outputs, start), X, Y)
    assert not report.findings, report


# --------------------------------------------------------------------------------------------------
# Rows that a step draws, and half precision
# --------------------------------------------------------------------------------------------------


def drawn(draw):
    """Make a trainer whose step draws rows of its batch."""

    def step(self, x, y):
        rows = draw(len(x))
        Trainer.step(self, x[rows], y[rows])

    return type("Drawn", (Trainer,), {"step": step})


def with_global_seed(count):
    np.random.seed(1)  # noqa: NPY002
    return np.random.permutation(count)[:10]  # noqa: NPY002


ALWAYS_THE_SAME = {
    "some": lambda n: np.random.default_rng(0).choice(n, min(16, n), replace=False),
    "half": lambda n: np.random.default_rng(3).choice(n, n // 2, replace=False),
    "with repetitions": lambda n: np.random.default_rng(0).integers(0, n, 32),
    "by the global generator": with_global_seed,
}
GENERATOR = np.random.default_rng(4)
ALWAYS_OTHERS = {
    "some": lambda n: GENERATOR.choice(n, min(16, n), replace=False),
    "with repetitions": lambda n: GENERATOR.integers(0, n, 32),
    "by the global generator": lambda n: np.random.permutation(n)[:10],  # noqa: NPY002
}


@pytest.mark.parametrize("name", ALWAYS_THE_SAME)
@pytest.mark.parametrize("rule", [sgd, momentum, adam])
def test_rows_that_are_drawn_with_the_same_seed_in_each_step(name, rule):
    found = first(drawn(ALWAYS_THE_SAME[name])(rule))
    assert found.code == "train.ignores_batch" and "seed set anew" in found.message, found


@pytest.mark.parametrize("name", ALWAYS_OTHERS)
@pytest.mark.parametrize("rule", [sgd, momentum, adam])
def test_rows_may_be_drawn_in_a_step(name, rule):
    report = examine(drawn(ALWAYS_OTHERS[name])(rule), X, Y)
    assert not report.findings, report


class Half(Trainer):
    """Parameters in float16; steps are added to them, or to a copy in float32."""

    master = True

    def __init__(self, update, rate, steps=0):
        super().__init__(update, rate)
        self.full = [p.astype(np.float32) for p in self.arrays]
        self.arrays = [p.astype(np.float16) for p in self.arrays]
        trained(self, steps)

    def step(self, x, y):
        self.time += 1
        _, gradients = self.loss_and_gradients(x, y)
        parts = zip(self.arrays, self.full, gradients, self.memories, strict=True)
        for p, full, g, memory in parts:
            change = self.update(self, full, g, memory)
            if self.master:
                full += change
                p[...] = full
            else:
                p += change.astype(p.dtype)


@pytest.mark.parametrize("rate", [0.003, 0.001])
@pytest.mark.parametrize("steps", [0, 100])
def test_steps_that_are_lost_in_half_precision(rate, steps):
    found = first(type("Lost", (Half,), {"master": False})(sgd, rate, steps))
    assert found.code == "train.no_update" and "float16" in found.message, found


@pytest.mark.parametrize("rate", [0.1, 0.01, 0.003, 0.0003])
@pytest.mark.parametrize("rule", [sgd, momentum, adam])
def test_half_precision_beside_a_copy_in_single(rate, rule):
    report = examine(Half(rule, rate, steps=20), X, Y)
    assert not report.findings, report


@pytest.mark.parametrize("rule", [sgd, momentum])
def test_half_precision_is_enough_for_long_steps(rule):
    report = examine(type("Short", (Half,), {"master": False})(rule, 0.2, steps=20), X, Y)
    assert not report.findings, report


class Normalised(Trainer):
    """The first weights are divided by their length, and have a length of their own."""

    def __init__(self, update, steps=0):
        super().__init__(update)
        rng = np.random.default_rng(0)
        first = [rng.normal(size=(49, 24)), np.ones(24), np.zeros(24)]
        self.arrays = [*first, *self.arrays[2:]]
        self.memories = [{} for _ in self.arrays]
        trained(self, steps)

    def forward(self, x):
        v, size, b1, w2, b2 = self.arrays
        w1 = size * v / np.linalg.norm(v, axis=0)
        h = np.maximum(x @ w1 + b1, 0)
        return h, softmax(h @ w2 + b2)

    def predict_proba(self, x):
        return self.forward(x)[1]

    def loss_and_gradients(self, x, y):
        h, p = self.forward(x)
        v, size, _, w2, _ = self.arrays
        d2 = (p - np.eye(10)[y]) / len(y)
        d1 = d2 @ w2.T * (h > 0)
        unit, dw = v / np.linalg.norm(v, axis=0), x.T @ d1
        along = (dw * unit).sum(axis=0)
        dv = size / np.linalg.norm(v, axis=0) * (dw - unit * along)
        loss = -np.log(p[np.arange(len(y)), y] + TINY).mean()
        return float(loss), [dv, along, d1.sum(axis=0), h.T @ d2, d2.sum(axis=0)]


@pytest.mark.parametrize("rule", [sgd, momentum, adam])
@pytest.mark.parametrize("steps", [0, 60])
def test_weights_that_are_divided_by_their_length(rule, steps):
    report = examine(Normalised(rule, steps), X, Y)
    assert not report.findings, report
