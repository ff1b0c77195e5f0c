"""Each cause that `examine` names has a program that has it, and neighbours that have another."""

import types
from itertools import pairwise

import numpy as np
import pytest
import zoo
from samples import sample
from zoo import sigmoid, softmax

from mnist_book import examine


class Net:
    """A right network in rows; what a bug changes is a method of its own."""

    slope, rate = 0.0, 0.1

    def __init__(self, sizes=(49, 16, 12, 10), seed=0):
        rng = np.random.default_rng(seed)
        self.w = [rng.normal(0, np.sqrt(2 / n), (n, m)) for n, m in pairwise(sizes)]
        self.b = [np.zeros(m) for m in sizes[1:]]
        self.memory = {}
        self.time = 0

    @property
    def parameters(self):
        return [p for pair in zip(self.w, self.b, strict=True) for p in pair]

    def f(self, z):
        return np.where(z > 0, z, self.slope * z)

    def df(self, z):
        return np.where(z > 0, 1.0, self.slope)

    def outputs(self, z):
        return softmax(z)

    def forward(self, x):
        zs, outputs = [], [x]
        for w, b in zip(self.w, self.b, strict=True):
            zs.append(outputs[-1] @ w + b)
            outputs.append(self.f(zs[-1]))
        return zs, outputs[:-1]

    def predict_proba(self, x):
        return self.outputs(self.forward(x)[0][-1])

    def loss_of(self, p, y):
        return -np.mean(np.log(p[np.arange(len(y)), y] + 1e-12))

    def error(self, p, y):
        return (p - np.eye(p.shape[1])[y]) / len(y)

    def back(self, d, w, z):
        return d @ w.T * self.df(z)

    def of_layer(self, k, x, d):
        return [x.T @ d, d.sum(axis=0)]

    def loss_and_gradients(self, x, y):
        zs, outputs = self.forward(x)
        p = self.outputs(zs[-1])
        d, gradients = self.error(p, y), []
        for k in reversed(range(len(zs))):
            gradients = self.of_layer(k, outputs[k], d) + gradients
            if k:
                d = self.back(d, self.w[k], zs[k - 1])
        return self.loss_of(p, y), gradients

    def update(self, k, p, g):
        p -= self.rate * g

    def step(self, x, y):
        self.time += 1
        for k, (p, g) in enumerate(
            zip(self.parameters, self.loss_and_gradients(x, y)[1], strict=True)
        ):
            self.update(k, p, g)


def bug(**methods):
    return type("Bug", (Net,), methods)


def with_gradients(change):
    """A network whose gradients change: change(self, loss, gradients) -> (loss, gradients)."""

    def loss_and_gradients(self, x, y):
        return change(self, *Net.loss_and_gradients(self, x, y))

    return bug(loss_and_gradients=loss_and_gradients)


def jacobian(p, d):
    return p * (d - (d * p).sum(axis=1, keepdims=True))


def hot(p, y):
    return np.eye(p.shape[1])[y]


SIGMOID = {
    "f": lambda s, z: sigmoid(z),
    "df": lambda s, z: sigmoid(z) * (1 - sigmoid(z)),
}
TANH = {"f": lambda s, z: np.tanh(z), "df": lambda s, z: 1 - np.tanh(z) ** 2}


def decayed(in_loss, in_gradients):
    def change(self, loss, gradients):
        squares = sum((w**2).sum() for w in self.w)
        changed = [
            g + in_gradients * p * (p.ndim > 1)
            for g, p in zip(gradients, self.parameters, strict=True)
        ]
        return loss + 0.5 * in_loss * squares, changed

    return with_gradients(change)


def accumulated(self, x, y):
    loss, gradients = Net.loss_and_gradients(self, x, y)
    for k, g in enumerate(gradients):
        self.memory[k] = self.memory.get(k, 0) + g
    return loss, [self.memory[k] for k in range(len(gradients))]


def added_loss(self, x, y):
    loss, gradients = Net.loss_and_gradients(self, x, y)
    self.memory["loss"] = self.memory.get("loss", 0) + loss
    return self.memory["loss"], gradients


class OneObject(Net):
    """A layer that stands at three places and remembers its last use only."""

    class Layer:
        def __init__(self, n, m):
            self.w = np.random.default_rng(n + m).normal(0, np.sqrt(2 / n), (n, m))
            self.b = np.zeros(m)

        def forward(self, x):
            self.x = x
            self.z = x @ self.w + self.b
            return self.z

        def backward(self, d):
            self.dw, self.db = self.x.T @ d, d.sum(axis=0)
            return d @ self.w.T

    def __init__(self, listed_once=True):
        first, middle, last = self.Layer(49, 16), self.Layer(16, 16), self.Layer(16, 10)
        self.layers = [first, middle, middle, middle, last]
        self.listed = [first, middle, last] if listed_once else self.layers

    @property
    def parameters(self):
        return [p for layer in self.listed for p in (layer.w, layer.b)]

    def predict_proba(self, x):
        for layer in self.layers[:-1]:
            x = np.maximum(layer.forward(x), 0)
        return softmax(self.layers[-1].forward(x))

    def loss_and_gradients(self, x, y):
        p = self.predict_proba(x)
        d = self.layers[-1].backward(self.error(p, y))
        for layer in reversed(self.layers[:-1]):
            d = layer.backward(d * (layer.z > 0))
        return self.loss_of(p, y), [g for layer in self.listed for g in (layer.dw, layer.db)]

    def step(self, x, y):
        _, gradients = self.loss_and_gradients(x, y)
        for p, g in zip(self.parameters, gradients, strict=True):
            p -= 0.1 * g


class BatchBias(Net):
    """A bias with a row for each picture of a batch of 32."""

    def __init__(self):
        super().__init__()
        self.b[0] = np.zeros((32, 16))

    def of_layer(self, k, x, d):
        return [x.T @ d, d.sum(axis=0) if k else d]


class InnerProduct(Net):
    """`*` in a square layer, for batches of as many pictures."""

    def __init__(self):
        super().__init__((49, 16, 16, 10))

    def forward(self, x):
        z1 = x @ self.w[0] + self.b[0]
        z2 = self.f(z1) * self.w[1] + self.b[1]
        return [z1, z2, self.f(z2) @ self.w[2] + self.b[2]], [x, self.f(z1), self.f(z2)]


class ProductWithoutSum(Net):
    """`*` in a square last layer, each picture alone: each hidden unit is for one score."""

    def forward(self, x):
        z1 = x @ self.w[0] + self.b[0]
        a = self.f(z1)
        return [z1, (a[:, np.newaxis] * self.w[1]).sum(axis=1) + self.b[1]], [x, a]


class BiasColumn(Net):
    """A column of ones, and the bias in the last row of the weights; in columns if it is turned."""

    turned = False

    def __init__(self, scale=1.0):
        rng = np.random.default_rng(0)
        shapes = (50, 16), (17, 10)
        self.w = [scale * rng.normal(0, np.sqrt(2 / n), (n, m)) for n, m in shapes]
        self.kept = [w.T.copy() for w in self.w] if self.turned else self.w
        self.time = 0

    @property
    def parameters(self):
        return self.kept

    def back_through(self, w):
        return w[:-1]

    def loss_and_gradients(self, x, y):
        self.w = [w.T for w in self.kept] if self.turned else self.kept
        ones = np.ones((len(x), 1))
        x = np.hstack([x, ones])
        z = x @ self.w[0]
        a = np.hstack([np.maximum(z, 0), ones])
        p = softmax(a @ self.w[1])
        d2 = self.error(p, y)
        d1 = self.through(d2 @ self.back_through(self.w[1]).T, z)
        gradients = [x.T @ d1, a.T @ d2]
        return self.loss_of(p, y), [g.T for g in gradients] if self.turned else gradients

    def through(self, d, z):
        return d * (z > 0)

    def predict_proba(self, x):
        w1, w2 = (w.T for w in self.kept) if self.turned else self.kept
        a = np.maximum(np.hstack([x, np.ones((len(x), 1))]) @ w1, 0)
        return softmax(np.hstack([a, np.ones((len(x), 1))]) @ w2)


def momentum(factor, sign=-1):
    def update(self, k, p, g):
        self.memory[k] = factor * self.memory.get(k, 0) + sign * 0.05 * g
        p += self.memory[k]

    return bug(update=update)


def adam(first=True, second=True, per_parameter=False, root=True, start=0):
    def update(self, k, p, g):
        m, v = self.memory.get(k, (0, 0))
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        self.memory[k] = m, v
        if per_parameter:
            self.clock = getattr(self, "clock", 0) + 1
        t = self.clock if per_parameter else self.time + start
        m = m / (1 - 0.9**t) if first else m
        v = v / (1 - 0.999**t) if second else v
        p -= 0.001 * m / ((np.sqrt(v) if root else v) + 1e-8)

    return bug(update=update)


def shared_velocity(self, k, p, g):
    key = p.shape
    self.memory[key] = 0.9 * self.memory.get(key, 0) - 0.05 * g
    p += self.memory[key]


def early(self, x, y):
    zs, outputs = self.forward(x)
    d = self.error(self.outputs(zs[-1]), y)
    for k in reversed(range(len(zs))):
        dw, db = self.of_layer(k, outputs[k], d)
        self.w[k] -= 1.0 * dw
        self.b[k] -= 1.0 * db
        if k:
            d = self.back(d, self.w[k], zs[k - 1])


def step_with(change):
    def step(self, x, y):
        x, y = change(self, x, y)
        Net.step(self, x, y)

    return bug(step=step)


def divided_again(self, x, y):
    for p, g in zip(self.parameters, self.loss_and_gradients(x, y)[1], strict=True):
        p -= 2.0 / len(x) * g


def reversed_pairs(self, x, y):
    _, gradients = self.loss_and_gradients(x, y)
    for p, g in zip(
        self.parameters, [*gradients[2:4], *gradients[:2], *gradients[4:]], strict=True
    ):
        p -= 0.1 * g


def updates_inside(self, x, y):
    zs, outputs = self.forward(x)
    p = self.outputs(zs[-1])
    d, gradients = self.error(p, y), []
    for k in reversed(range(len(zs))):
        gradients = self.of_layer(k, outputs[k], d) + gradients
        if k:
            self.w[k] -= 0.1 * gradients[0]
            d = self.back(d, self.w[k], zs[k - 1])
    return self.loss_of(p, y), gradients


class Normalised(Net):
    """Batch normalisation in the hidden layer; predicting uses running averages, and Adam steps."""

    whole = True  # its way back goes through mean and variance

    def __init__(self):
        super().__init__((49, 16, 10))
        self.mean, self.variance = np.zeros(16), np.ones(16)

    def predict_proba(self, x):
        z = (x @ self.w[0] + self.b[0] - self.mean) / np.sqrt(self.variance + 1e-5)
        return softmax(np.maximum(z, 0) @ self.w[1] + self.b[1])

    def loss_and_gradients(self, x, y):
        z = x @ self.w[0] + self.b[0]
        mean, variance = z.mean(axis=0), z.var(axis=0)
        self.mean, self.variance = (
            0.9 * self.mean + 0.1 * mean,
            0.9 * self.variance + 0.1 * variance,
        )
        deviation = np.sqrt(variance + 1e-5)
        n = (z - mean) / deviation
        a = np.maximum(n, 0)
        p = softmax(a @ self.w[1] + self.b[1])
        d2 = self.error(p, y)
        d1 = d2 @ self.w[1].T * (n > 0)
        if self.whole:
            d1 = d1 - d1.mean(axis=0) - n * (d1 * n).mean(axis=0)
        d1 = d1 / deviation
        return self.loss_of(p, y), [x.T @ d1, d1.sum(axis=0), a.T @ d2, d2.sum(axis=0)]

    def update(self, k, p, g):
        m, v = self.memory.get(k, (0, 0))
        self.memory[k] = m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        p -= 0.001 * m / (1 - 0.9**self.time) / (np.sqrt(v / (1 - 0.999**self.time)) + 1e-8)


SQUARED = {"loss_of": lambda s, p, y: ((p - hot(p, y)) ** 2).sum() / len(y)}
SQUARE = {"sizes": (49, 16, 16, 10)}
FIXED = np.random.default_rng(5).random((24, 49)), np.arange(24) % 10

# code, a part of the message, the network
CASES = [
    (
        "gradients.extra_softmax",
        "factor p * (1 - p)",
        bug(error=lambda s, p, y: Net.error(s, p, y) * p * (1 - p)),
    ),
    (
        "gradients.squares",
        "squared error",
        bug(error=lambda s, p, y: jacobian(p, 2 * Net.error(s, p, y))),
    ),
    (
        "gradients.squares",
        "loss is the squared",
        bug(loss_of=lambda s, p, y: ((p - hot(p, y)) ** 2).sum() / len(y)),
    ),
    ("gradients.no_labels", "not subtracted", bug(error=lambda s, p, y: p / len(y))),
    ("gradients.output", "labels / p", bug(error=lambda s, p, y: -hot(p, y) / p / len(y))),
    ("gradients.output", "absolute value", bug(error=lambda s, p, y: np.abs(Net.error(s, p, y)))),
    (
        "gradients.output",
        "without p",
        bug(error=lambda s, p, y: (hot(p, p.argmax(axis=1)) - hot(p, y)) / len(y)),
    ),
    ("gradients.output", "labels + 1", bug(error=lambda s, p, y: Net.error(s, p, (y + 1) % 10))),
    (
        "gradients.output",
        "derivative of ReLU",
        bug(error=lambda s, p, y: Net.error(s, p, y) * (p > 0.1)),
    ),
    ("gradients.output", "one picture alone", bug(error=lambda s, p, y: Net.error(s, p, y[::-1]))),
    (
        "gradients.output",
        "one picture alone",
        bug(error=lambda s, p, y: (p - hot(p, y[:1])) / len(y)),
    ),
    (
        "gradients.output",
        "the diagonal alone",
        bug(**SQUARED, error=lambda s, p, y: 2 * Net.error(s, p, y) * p * (1 - p)),
    ),
    (
        "gradients.output",
        "z * (1 - z)",
        bug(
            **SIGMOID | SQUARED,
            outputs=lambda s, z: sigmoid(z),
            error=lambda s, p, y: (
                Net.error(s, p, y) * np.log(p / (1 - p)) * np.log(np.e * (1 - p) / p)
            ),
        ),
    ),
    (
        "gradients.sign",
        "smaller where their score",
        bug(
            **SIGMOID | SQUARED,
            outputs=lambda s, z: softmax(-z),
            error=lambda s, p, y: jacobian(p, 2 * Net.error(s, p, y)),
        ),
    ),
    ("leaky_relu.abs", "|z|", bug(f=lambda s, z: np.abs(z))),
    ("train.early_update", "asks for the gradients", bug(loss_and_gradients=updates_inside)),
    ("train.no_update", "so small", bug(rate=1e-13)),
    (
        "gradients.wrong",
        "batch normalisation",
        type("Bug", (Normalised,), {"whole": False}),
    ),
    ("gradients.decay", "wrong sign", decayed(0, -0.05)),
    ("gradients.decay", "and the gradients do not", decayed(0.05, 0)),
    ("gradients.decay", "wrong sign", decayed(0.05, -0.05)),
    ("gradients.decay", "a factor is in one", decayed(0.05, 0.1)),
    ("gradients.accumulated", "added to those", bug(loss_and_gradients=accumulated)),
    ("gradients.accumulated", "larger loss", bug(loss_and_gradients=added_loss)),
    ("gradients.shared", "used 3 times", OneObject),
    ("gradients.shared", "more than once", lambda: OneObject(listed_once=False)),
    ("linear.batch_size", "parameters[1] has a row for each picture of a batch of 32", BatchBias),
    ("linear.elementwise", "batches of 16", InnerProduct),
    ("linear.elementwise", "reaches one score", lambda: ProductWithoutSum((49, 10, 10))),
    ("gradients.sign", "Some gradients", bug(back=lambda s, d, w, z: -Net.back(s, d, w, z))),
    (
        "gradients.sign",
        "The gradients point the other way",
        bug(error=lambda s, p, y: -Net.error(s, p, y)),
    ),
    (
        "gradients.scale",
        "grows with the batch",
        bug(error=lambda s, p, y: len(y) * Net.error(s, p, y)),
    ),
    ("gradients.scale", "twice", bug(error=lambda s, p, y: Net.error(s, p, y) / len(y))),
    ("gradients.scale", "twice the right ones", bug(error=lambda s, p, y: 2 * Net.error(s, p, y))),
    (
        "gradients.scale",
        "number of classes",
        bug(rate=0.5, error=lambda s, p, y: Net.error(s, p, y) / 10),
    ),
    (
        "gradients.scale",
        "differ from layer",
        bug(back=lambda s, d, w, z: Net.back(s, d, w, z) / len(d)),
    ),
    ("gradients.scale", "any size of batch", bug(error=lambda s, p, y: 0.4 * Net.error(s, p, y))),
    (
        "train.rate_twice",
        "multiplied in twice",
        bug(rate=0.3, error=lambda s, p, y: 0.3 * Net.error(s, p, y)),
    ),
    ("train.no_update", "biases are never", bug(of_layer=lambda s, k, x, d: [x.T @ d, 0 * d[0]])),
    (
        "gradients.bias",
        "one number",
        bug(of_layer=lambda s, k, x, d: [x.T @ d, np.full(d.shape[1], d.sum())]),
    ),
    ("gradients.bias", "other way", bug(of_layer=lambda s, k, x, d: [x.T @ d, -d.sum(axis=0)])),
    ("gradients.bias", "a mean over", bug(of_layer=lambda s, k, x, d: [x.T @ d, d.mean(axis=0)])),
    (
        "gradients.inputs",
        "z of the layer before",
        bug(
            of_layer=lambda s, k, x, d: [(s.zs[k - 1] if k else x).T @ d, d.sum(axis=0)],
            forward=lambda s, x: (setattr(s, "zs", Net.forward(s, x)[0]), Net.forward(s, x))[1],
        ),
    ),
    ("gradients.missing_activation", "not multiplied", bug(back=lambda s, d, w, z: d @ w.T)),
    (
        "gradients.missing_activation",
        "not multiplied",
        bug(**TANH, back=lambda s, d, w, z: d @ w.T),
    ),
    ("gradients.missing_activation", "wrong way round", bug(df=lambda s, z: (z < 0) * 1.0)),
    (
        "gradients.missing_activation",
        "twice",
        bug(**SIGMOID | {"df": lambda s, z: (sigmoid(z) * (1 - sigmoid(z))) ** 2}),
    ),
    ("gradients.missing_activation", "given z", bug(**SIGMOID | {"df": lambda s, z: z * (1 - z)})),
    ("gradients.missing_activation", "given z", bug(**TANH | {"df": lambda s, z: 1 - z**2})),
    (
        "gradients.missing_activation",
        "applied twice",
        bug(**SIGMOID | {"df": lambda s, z: sigmoid(sigmoid(z)) * (1 - sigmoid(sigmoid(z)))}),
    ),
    (
        "gradients.missing_activation",
        "applied twice",
        bug(**TANH | {"df": lambda s, z: 1 - np.tanh(np.tanh(z)) ** 2}),
    ),
    ("gradients.wrong", "before it are wrong", bug(df=lambda s, z: np.where(z > 0, 0.5 + z, 0.2))),
    (
        "cross_entropy.log_zero",
        "0.01 is added",
        bug(loss_of=lambda s, p, y: -np.mean(np.log(p[np.arange(len(y)), y] + 0.01))),
    ),
    (
        "softmax.squashed",
        "softmax of probabilities",
        bug(loss_of=lambda s, p, y: Net.loss_of(s, softmax(p), y)),
    ),
    (
        "cross_entropy.wrong_class",
        "index is off",
        bug(loss_of=lambda s, p, y: Net.loss_of(s, p, (y + 1) % 10)),
    ),
    (
        "cross_entropy.wrong_class",
        "all labels",
        bug(loss_of=lambda s, p, y: -np.mean(np.log(p[:, y]))),
    ),
    (
        "cross_entropy.wrong_class",
        "largest",
        bug(loss_of=lambda s, p, y: -np.mean(np.log(p.max(axis=1)))),
    ),
    (
        "cross_entropy.no_log",
        "logarithm is missing",
        bug(loss_of=lambda s, p, y: -np.mean(p[np.arange(len(y)), y])),
    ),
    ("init.too_large", "too large", lambda: type("Turned", (BiasColumn,), {"turned": True})(8.0)),
    (
        "gradients.missing_activation",
        "",
        type("Bug", (BiasColumn,), {"through": lambda s, d, z: d}),
    ),
    (
        "gradients.wrong",
        "the row of the bias",
        type("Bug", (BiasColumn,), {"back_through": lambda s, w: w[1:]}),
    ),
    ("train.ascent", "larger", bug(update=lambda s, k, p, g: Net.update(s, k, p, -g))),
    (
        "train.ascent",
        "Some parameters",
        bug(update=lambda s, k, p, g: Net.update(s, k, p, g if k % 2 else -g)),
    ),
    (
        "train.no_update",
        "leaves them out",
        bug(update=lambda s, k, p, g: k % 2 or Net.update(s, k, p, g)),
    ),
    (
        "train.rates_differ",
        "different lengths",
        bug(update=lambda s, k, p, g: Net.update(s, k, p, g if k else 0.1 * g)),
    ),
    ("train.batch_rate", "size of the batch once more", bug(step=divided_again)),
    ("train.momentum", "without end", momentum(1.0)),
    ("train.momentum", "wrong sign", momentum(-0.9)),
    ("train.ascent", "", momentum(0.9, sign=1)),
    (
        "gradients.decay",
        "adds a multiple of the weights",
        bug(update=lambda s, k, p, g: Net.update(s, k, p, g - 0.05 * p)),
    ),
    ("train.shared_buffer", "another one's", lambda: bug(update=shared_velocity)(**SQUARE)),
    ("train.other_rows", "other rows", step_with(lambda s, x, y: (x, np.roll(y, 5)))),
    ("train.ignores_batch", "same for two batches", step_with(lambda s, x, y: FIXED)),
    ("train.early_update", "before the error is passed back", bug(step=early)),
    (
        "train.direction",
        "another one's gradient",
        lambda: bug(step=reversed_pairs)((49, 49, 49, 10)),
    ),
    ("train.adam", "1 - beta ** t", adam(first=False, second=False)),
    ("train.adam", "1 - beta ** t", adam(second=False)),
    ("train.adam", "1 - beta ** t", adam(first=False)),
    ("train.adam", "time t", adam(per_parameter=True)),
    ("train.adam", "root", adam(root=False)),
    ("train.rate_too_high", "smaller learning rate", bug(rate=100.0)),
    ("train.nan", "time t that starts at 0", adam(start=-1)),
]
RIGHT = {
    "plain": Net,
    "square": lambda: Net(**SQUARE),
    "square last layer": lambda: Net((49, 10, 10)),
    "sigmoid": bug(**SIGMOID),
    "tanh": bug(**TANH),
    "decay in both": decayed(0.05, 0.05),
    "decay in the gradients": decayed(0, 0.05),
    "bias column": BiasColumn,
    "bias column, in columns": type("Turned", (BiasColumn,), {"turned": True}),
    "momentum": momentum(0.9),
    "no momentum": momentum(0.0),
    "Adam": adam(),
    "batch normalisation, Adam": Normalised,
    "the absolute value": bug(f=lambda s, z: np.abs(z), df=lambda s, z: np.sign(z)),
    "decay in the step": bug(update=lambda s, k, p, g: Net.update(s, k, p, g + 0.05 * p)),
    "biases twice as fast": bug(update=lambda s, k, p, g: Net.update(s, k, p, (1 + k % 2) * g)),
}


SOME = sample(CASES, 52)


@pytest.mark.parametrize(("code", "part", "make"), SOME, ids=[f"{c}-{p}" for c, p, _ in SOME])
def test_the_cause_is_named(code, part, make):
    report = examine(make(), *zoo.digits(7))
    first = report.findings[0]
    assert first.code == code and part in first.message, report


@pytest.mark.parametrize("name", RIGHT)
def test_right_neighbours_are_right(name):
    report = examine(RIGHT[name](), *zoo.digits(7))
    assert report.ok, report


def test_gradients_of_biases_are_0_and_no_step_uses_them():
    net = bug(of_layer=lambda s, k, x, d: [x.T @ d, 0 * d[0]])()
    names = ("predict_proba", "loss_and_gradients", "parameters")
    parts = types.SimpleNamespace(**{name: getattr(net, name) for name in names})
    assert examine(parts, *zoo.digits(7)).findings[0].code == "gradients.bias"


def test_labels_as_text():
    x, y = zoo.digits(7)
    for labels in (y.astype(str), y.astype(str).astype(object)):
        report = examine(Net(), x, labels)
        assert report.findings[0].code == "data.labels"
        assert "astype(int)" in report.findings[0].message


def test_only_a_loss_that_is_random_is_not_checked():
    """Dropout is checked with the same mask in each call; what draws from elsewhere cannot be."""
    x, y = zoo.digits(7)

    class Dropout(Net):
        def back(self, d, w, z):
            return super().back(d, w, z)

        def loss_and_gradients(self, x, y):
            rng = np.random.default_rng()
            kept = (rng.random(x.shape) < 0.8) / 0.8
            loss, gradients = super().loss_and_gradients(x * kept, y)
            return loss, gradients

    report = examine(Dropout(), x, y)
    assert report.verdict == "not checked" and "not the same twice" in report.unchecked[0]


def test_dropout_without_its_mask_on_the_way_back_or_without_a_scale():
    class Dropout(Net):
        rng, keep = np.random.default_rng(3), 0.5

        def loss_and_gradients(self, x, y):
            w1, w2, b1, b2 = *self.w, *self.b
            z = x @ w1 + b1
            mask = (self.rng.random(z.shape) < 0.5) / self.keep
            a = np.maximum(z, 0) * mask
            p = softmax(a @ w2 + b2)
            d2 = self.error(p, y)
            d1 = d2 @ w2.T * (z > 0) * (mask if self.masked else 1)
            return self.loss_of(p, y), [x.T @ d1, d1.sum(axis=0), a.T @ d2, d2.sum(axis=0)]

    for masked in (True, False):
        net = Dropout((49, 16, 10))
        net.masked = masked
        report = examine(net, *zoo.digits(7))
        assert report.ok if masked else report.findings[0].code == "gradients.wrong", report
    net.masked, net.keep = True, 1.0  # the mask alone, without a division
    report = examine(net, *zoo.digits(7))
    assert report.findings[0].code == "network.modes" and "dropout" in report.findings[0].message


def test_networks_by_function_are_examined_as_well():
    net = Net()
    parts = types.SimpleNamespace(predict_proba=net.predict_proba, step=net.step)
    assert examine(parts, *zoo.digits(7)).ok


def by_sign_of_gradient(values):
    def back(self, d, w, z):
        d = d @ w.T
        return np.where(d > 0, d, values * d)

    return back


@pytest.mark.parametrize(
    ("methods", "says"),
    [
        ({"back": by_sign_of_gradient(0.0)}, "the sign of the gradient itself"),
        ({"slope": 0.1, "back": by_sign_of_gradient(0.1)}, "the sign of the gradient itself"),
        (
            {"back": lambda self, d, w, z: d @ w.T * np.roll(self.df(z), 1, axis=1)},
            "not at the right units",
        ),
    ],
)
def test_which_sign_the_derivative_of_a_bent_line_goes_by(methods, says):
    x, y = zoo.digits(7)
    finding = examine(bug(**methods)(), x, y).findings[0]
    assert finding.code in ("gradients.missing_activation", "gradients.wrong")
    assert says in finding.message, finding


def first_derivative_elsewhere(self, d, w, z):
    """Take the first hidden layer's derivative at the second one's units, the second's as it is."""
    d = d @ w.T
    return d * (self.df(z) if z.shape[1] == self.w[-1].shape[0] else self.df(z)[:, ::-1])


def test_no_formula_is_doubted_where_the_last_hidden_layer_is_right():
    x, y = zoo.digits(7)
    finding = examine(bug(**SIGMOID, back=first_derivative_elsewhere)(), x, y).findings[0]
    assert finding.code in ("gradients.wrong", "gradients.missing_activation")
    assert "not the derivative of this activation" not in finding.message


def test_weights_that_wrong_gradients_made_lean_did_not_start_so():
    x, y = zoo.digits(28, 2000)
    x -= x.mean(axis=0)
    network = bug(back=by_sign_of_gradient(0.0), rate=0.02)(sizes=(784, 60, 40, 10))
    rng = np.random.default_rng(0)
    for _ in range(340):
        rows = rng.choice(len(x), 50)
        network.step(x[rows], y[rows])
    found = [finding.code for finding in examine(network, x, y).findings]
    assert found[0] == "gradients.missing_activation"
    assert "init.positive" not in found


# --------------------------------------------------------------------------------------------------
# Biases alone
# --------------------------------------------------------------------------------------------------


def biases(of, layers=(0, 1, 2), **methods):
    """A network whose biases of some layers have gradients of their own: of(self, dw, d, back)."""

    def back(self, d, w, z):
        self.came = d @ w.T
        return self.came * self.df(z)

    def of_layer(self, k, x, d):
        right = [x.T @ d, d.sum(axis=0)]
        came = self.came if k < len(self.w) - 1 else d
        return [right[0], of(right[0], d, came)] if k in layers else right

    return bug(back=back, of_layer=of_layer, **methods)()


@pytest.mark.parametrize("methods", [{}, TANH, SIGMOID, {"slope": 0.1}])
@pytest.mark.parametrize(
    ("of", "layers", "says"),
    [
        (lambda dw, d, came: came.sum(axis=0), (0, 1), "network_no_derivative"),
        (lambda dw, d, came: came.sum(axis=0), (1,), "network_no_derivative"),
        (lambda dw, d, came: came.sum(axis=0), (0,), "network_no_derivative"),
        (lambda dw, d, came: dw.sum(axis=0), (0, 1, 2), "network_of_weights"),
        (lambda dw, d, came: dw.sum(axis=0), (0,), "network_of_weights"),
        (lambda dw, d, came: d[-1], (0, 1, 2), "network_one_example"),
        (lambda dw, d, came: d[0], (1, 2), "network_one_example"),
        (lambda dw, d, came: 4 * d.sum(axis=0), (0,), "network_factor"),
        (lambda dw, d, came: 23 * d.sum(axis=0), (0,), "network_factor"),
        (lambda dw, d, came: len(d) * d.sum(axis=0), (0, 1, 2), "network_undivided"),
        (lambda dw, d, came: d.sum(axis=0)[::-1], (1,), "network"),
        (lambda dw, d, came: came.sum(axis=0) ** 2, (1,), "network"),
        (lambda dw, d, came: np.abs(d).sum(axis=0), (1,), "network"),
        (lambda dw, d, came: d[: len(d) // 2].sum(axis=0), (0, 1, 2), "network"),
    ],
)
def test_what_is_wrong_with_biases_alone(of, layers, says, methods):
    finding = examine(biases(of, layers, **methods), *zoo.digits(7)).findings[0]
    assert (finding.code, finding.says) == ("gradients.bias", says)


@pytest.mark.parametrize(("row", "name"), [(0, "first"), (-1, "last")])
def test_which_example_alone_counts_for_biases(row, name):
    finding = examine(biases(lambda dw, d, came: d[row]), *zoo.digits(7)).findings[0]
    assert f"the {name} example alone" in finding.message


def test_a_softmax_over_the_batch_says_nothing_of_the_last_layer_s_error():
    network = bug(outputs=lambda self, z: np.exp(z) / np.exp(z).sum(axis=0))()
    report = examine(network, *zoo.digits(7))
    assert report.findings[0].code == "softmax.axis"
    assert [f.says for f in report.findings if f.code == "gradients.output"] in ([], ["network"])


# --------------------------------------------------------------------------------------------------
# Biases that are a row of the weights, times a 1
# --------------------------------------------------------------------------------------------------


class Augmented(Net):
    """A 1 before the numbers of each layer, or after them; what goes back is a test's."""

    def __init__(self, first, turned, outputs, df=None):
        rng = np.random.default_rng(0)
        self.first, self.turned, self.of_outputs, self.time = first, turned, outputs, 0
        self.kept = [rng.normal(0, n**-0.5, (n, m)) for n, m in ((50, 20), (21, 10))]
        self.kept = [w.T.copy() for w in self.kept] if turned else self.kept
        self.hidden_slope = df or (lambda z: 1 - np.tanh(z) ** 2)

    @property
    def parameters(self):
        return self.kept

    def with_one(self, x):
        one = np.ones((len(x), 1))
        return np.hstack([one, x] if self.first else [x, one])

    def run(self, x):
        w = [a.T for a in self.kept] if self.turned else self.kept
        z = self.with_one(x) @ w[0]
        return w, z, self.of_outputs(self.with_one(np.tanh(z)) @ w[1])

    def predict_proba(self, x):
        return self.run(x)[2]

    def loss_of(self, p, y):
        if self.of_outputs is softmax:
            return super().loss_of(p, y)
        t = hot(p, y)
        return -np.mean((t * np.log(p + 1e-15) + (1 - t) * np.log(1 - p + 1e-15)).sum(axis=1))

    def loss_and_gradients(self, x, y):
        w, z, p = self.run(x)
        d2 = self.error(p, y)
        d1 = d2 @ (w[1][1:] if self.first else w[1][:-1]).T * self.hidden_slope(z)
        gradients = [self.with_one(x).T @ d1, self.with_one(np.tanh(z)).T @ d2]
        return self.loss_of(p, y), [g.T for g in gradients] if self.turned else gradients


@pytest.mark.parametrize("outputs", [softmax, sigmoid])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize(
    ("df", "says"),
    [
        (None, None),
        (np.tanh, "network_activation"),
        (lambda z: 1 - z**2 * 0.5, "network_another"),
        (lambda z: 1 - np.tanh(np.tanh(z)) ** 2, "network_of_activation"),
    ],
)
def test_derivatives_beside_a_row_of_ones(df, says, first, turned, outputs):
    report = examine(Augmented(first, turned, outputs, df), *zoo.digits(7))
    found = [(each.code, each.says) for each in report.findings]
    assert found == ([("gradients.missing_activation", says)] if says else []), report
