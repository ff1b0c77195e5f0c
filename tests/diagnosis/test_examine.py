"""`examine` must name the bug that a network has, and find nothing in one that has none."""

import time
import types
from itertools import pairwise

import numpy as np
import pytest
from samples import ALL, sample

import mnist_core
from mnist_book import dataset, examine


class Net:
    """A stranger's network in rows, with places where a beginner goes wrong."""

    slope, rate = 0.0, 0.1

    def __init__(self, sizes=(784, 32, 10), seed=0, dtype=np.float64):
        rng = np.random.default_rng(seed)
        self.parameters = []
        for inputs, outputs in pairwise(sizes):
            weights = self.start(rng, inputs, outputs)
            self.parameters += [weights.astype(dtype), np.zeros(outputs, dtype)]

    def start(self, rng, inputs, outputs):
        return rng.normal(0, np.sqrt(2 / inputs), (inputs, outputs))

    def activate(self, z):
        return np.where(z > 0, z, self.slope * z)

    def derivative(self, z):
        return np.where(z > 0, 1.0, self.slope)

    def softmax(self, z):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def forward(self, x):
        zs, outputs = [], [x]
        for k in range(0, len(self.parameters), 2):
            zs.append(outputs[-1] @ self.parameters[k] + self.parameters[k + 1])
            outputs.append(self.activate(zs[-1]))
        outputs[-1] = zs[-1]
        return zs, outputs

    def activations(self, x):
        return self.forward(x)[1][1:]

    def predict_proba(self, x):
        return self.softmax(self.forward(x)[0][-1])

    def loss_of(self, p, labels):
        return -np.mean(np.log(p[np.arange(len(p)), labels] + 1e-12))

    def output_error(self, p, labels):
        dz = p.copy()
        dz[np.arange(len(p)), labels] -= 1
        return dz / len(p)

    def back(self, dz, weights, z):
        return (dz @ weights.T) * self.derivative(z)

    def layer_gradients(self, inputs, dz):
        return [inputs.T @ dz, dz.sum(axis=0)]

    def loss_and_gradients(self, x, labels):
        zs, outputs = self.forward(x)
        p = self.softmax(zs[-1])
        dz, gradients = self.output_error(p, labels), []
        for k in range(len(zs) - 1, -1, -1):
            gradients = self.layer_gradients(outputs[k], dz) + gradients
            if k:
                dz = self.back(dz, self.parameters[2 * k], zs[k - 1])
        return self.loss_of(p, labels), gradients

    def step(self, x, labels):
        for p, g in zip(self.parameters, self.loss_and_gradients(x, labels)[1], strict=True):
            p -= self.rate * g


class Columns:
    """The same, column by column: x (784, batch)."""

    def __init__(self, net):
        self.w = [p.T.copy() if p.ndim == 2 else p[:, None].copy() for p in net.parameters]
        self.net, self.like = net, [p.ndim for p in net.parameters]

    def rows(self):
        self.net.parameters = [
            w.T if n == 2 else w[:, 0] for w, n in zip(self.w, self.like, strict=True)
        ]
        return self.net

    def predict(self, x):
        return self.rows().predict_proba(x.T).T

    def grads(self, x, labels):
        loss, gradients = self.rows().loss_and_gradients(x.T, labels)
        return loss, [
            np.asarray(g).T if n == 2 else np.reshape(g, (-1, 1))
            for g, n in zip(gradients, self.like, strict=True)
        ]

    def acts(self, x):
        return [a.T for a in self.rows().activations(x.T)]

    def train(self, x, labels):
        self.rows().step(x.T, labels)


def wrapped(net):
    c = Columns(net)
    return types.SimpleNamespace(
        predict_proba=lambda x: c.predict(x.T).T,
        parameters=c.w,
        loss_and_gradients=lambda x, labels: c.grads(x.T, labels),
        activations=lambda x: [a.T for a in c.acts(x.T)],
        step=lambda x, labels: c.train(x.T, labels),
    )


def only(net, *names):
    """The network with some of its methods."""
    return types.SimpleNamespace(**{name: getattr(net, name) for name in names})


@pytest.fixture(scope="module")
def digits():
    practice = dataset.load_practice_digits()
    order = np.random.default_rng(3).permutation(len(practice.train_labels))[:600]
    x = mnist_core.scale_pixels(practice.train_images[order], np.float64)
    return x, practice.train_labels[order].astype(np.int64)


def codes(report):
    return [finding.code for finding in report.findings]


def variant(**methods):
    return type("Variant", (Net,), methods)


def fixed(make):
    return variant(start=lambda self, rng, inputs, outputs: make(rng, inputs, outputs))


def softmax_by(function):
    return variant(softmax=lambda self, z: function(z))


def shifted(z):
    return np.exp(z - z.max(axis=1, keepdims=True))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def vector_bias(function):
    return variant(layer_gradients=lambda self, x, dz: [x.T @ dz, function(dz)])


def local_update(self, x, labels):
    for p, g in zip(self.parameters, self.loss_and_gradients(x, labels)[1], strict=True):
        p = p - self.rate * g


def uphill(self, x, labels):
    for p, g in zip(self.parameters, self.loss_and_gradients(x, labels)[1], strict=True):
        p += self.rate * g


def only_first(self, x, labels):
    gradients = self.loss_and_gradients(x, labels)[1]
    for p, g in list(zip(self.parameters, gradients, strict=True))[:2]:
        p -= self.rate * g


def seeded(rng, inputs, outputs):
    units = [np.random.default_rng(7).normal(0, 0.05, inputs) for _ in range(outputs)]
    return np.stack(units, axis=1)


SQUARE = (784, 24, 24, 10)
two_thirds = variant(output_error=lambda s, p, y: 2 * Net.output_error(s, p, y))

BUGS = [
    ("init.zeros", fixed(lambda rng, i, o: np.zeros((i, o))), {}),
    ("init.zeros", fixed(lambda rng, i, o: np.zeros((i, o))), {"sizes": SQUARE}),
    ("init.symmetric", fixed(lambda rng, i, o: np.full((i, o), 0.01)), {}),
    ("init.symmetric", fixed(lambda rng, i, o: np.ones((i, o))), {}),
    ("init.symmetric", fixed(seeded), {}),
    ("init.symmetric", fixed(lambda rng, i, o: np.tile(rng.normal(0, 0.1, o), (i, 1))), {}),
    ("init.positive", fixed(lambda rng, i, o: rng.random((i, o))), {}),
    ("init.positive", fixed(lambda rng, i, o: rng.random((i, o)) * 0.01), {}),
    ("init.positive", fixed(lambda rng, i, o: np.abs(rng.normal(0, (2 / i) ** 0.5, (i, o)))), {}),
    ("init.too_large", fixed(lambda rng, i, o: rng.random((i, o)) - 0.5), {}),
    ("init.too_large", fixed(lambda rng, i, o: rng.normal(size=(i, o))), {"sizes": SQUARE}),
    ("init.too_large", fixed(lambda rng, i, o: rng.uniform(-1, 1, (i, o))), {}),
    ("init.too_small", fixed(lambda rng, i, o: 0.001 * rng.normal(size=(i, o))), {}),
    ("init.too_small", fixed(lambda rng, i, o: 1e-4 * rng.normal(size=(i, o))), {}),
    ("init.too_small", fixed(lambda rng, i, o: 0.001 * (rng.random((i, o)) - 0.5)), {}),
    ("init.variance_as_std", fixed(lambda rng, i, o: rng.normal(0, 2 / i, (i, o))), {}),
    ("init.variance_as_std", fixed(lambda rng, i, o: rng.normal(0, 1 / i, (i, o))), {}),
    ("init.variance_as_std", fixed(lambda rng, i, o: rng.normal(0, 2 / (i + o), (i, o))), {}),
    ("init.variance_as_std", fixed(lambda rng, i, o: rng.uniform(-6 / i, 6 / i, (i, o))), {}),
    ("init.fan", fixed(lambda rng, i, o: rng.normal(0, (2 / o) ** 0.5, (i, o))), {}),
    ("softmax.axis", softmax_by(lambda z: shifted(z) / shifted(z).sum(axis=0)), {}),
    ("softmax.axis", softmax_by(lambda z: np.exp(z) / sum(np.exp(z))), {}),
    ("softmax.axis", softmax_by(lambda z: shifted(z.T).T / shifted(z.T).T.sum(axis=0)), {}),
    ("softmax.axis", softmax_by(lambda z: shifted(z) / shifted(z).sum(axis=1)), {}),
    ("softmax.global_sum", softmax_by(lambda z: shifted(z) / np.sum(shifted(z))), {}),
    (
        "softmax.global_sum",
        softmax_by(lambda z: np.exp(z - z.max()) / np.exp(z - z.max()).sum()),
        {},
    ),
    ("softmax.not_normalised", softmax_by(np.exp), {}),
    ("softmax.not_normalised", softmax_by(sigmoid), {}),
    ("softmax.not_normalised", softmax_by(lambda z: shifted(z)), {}),
    ("softmax.no_exp", softmax_by(lambda z: z / z.sum(axis=1, keepdims=True)), {}),
    ("softmax.no_exp", softmax_by(lambda z: z), {}),
    ("softmax.no_exp", softmax_by(lambda z: abs(z) / abs(z).sum(axis=1, keepdims=True)), {}),
    ("softmax.no_exp", softmax_by(lambda z: np.log(Net.softmax(None, z))), {}),
    (
        "softmax.overflow",
        softmax_by(lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)),
        {},
    ),
    (
        "softmax.global_max",
        softmax_by(lambda z: np.exp(z - z.max()) / np.exp(z - z.max()).sum(axis=1, keepdims=True)),
        {},
    ),
    ("softmax.squashed", softmax_by(lambda z: Net.softmax(None, Net.softmax(None, z))), {}),
    ("softmax.squashed", softmax_by(lambda z: Net.softmax(None, np.maximum(z, 0))), {}),
    ("cross_entropy.not_mean", variant(loss_of=lambda s, p, y: Net.loss_of(s, p, y) * len(p)), {}),
    ("cross_entropy.sign", variant(loss_of=lambda s, p, y: -Net.loss_of(s, p, y)), {}),
    ("cross_entropy.base", variant(loss_of=lambda s, p, y: Net.loss_of(s, p, y) / np.log(2)), {}),
    ("gradients.scale", two_thirds, {}),
    (
        "gradients.scale",
        variant(output_error=lambda s, p, y: Net.output_error(s, p, y) * len(p)),
        {},
    ),
    (
        "gradients.scale",
        variant(output_error=lambda s, p, y: Net.output_error(s, p, y) / len(p)),
        {},
    ),
    ("gradients.scale", variant(back=lambda s, dz, w, z: Net.back(s, dz, w, z) / len(dz)), {}),
    (
        "gradients.scale",
        variant(output_error=lambda s, p, y: Net.output_error(s, p, y) / 10),
        {"dtype": np.float32},
    ),
    ("gradients.sign", variant(output_error=lambda s, p, y: -Net.output_error(s, p, y)), {}),
    (
        "gradients.sign",
        variant(output_error=lambda s, p, y: -len(p) * Net.output_error(s, p, y)),
        {},
    ),
    ("gradients.sign", variant(back=lambda s, dz, w, z: -Net.back(s, dz, w, z)), {}),
    ("gradients.bias", vector_bias(lambda dz: np.sum(dz)), {}),
    ("train.no_update", vector_bias(lambda dz: np.zeros(dz.shape[1])), {}),
    ("gradients.bias", vector_bias(lambda dz: dz.mean(axis=0)), {}),
    ("gradients.bias", vector_bias(lambda dz: dz[0]), {}),
    ("gradients.missing_activation", variant(back=lambda s, dz, w, z: dz @ w.T), {}),
    ("gradients.missing_activation", variant(back=lambda s, dz, w, z: dz @ w.T), {"sizes": SQUARE}),
    ("gradients.missing_activation", variant(derivative=lambda s, z: (z < 0) * 1.0), {}),
    (
        "gradients.missing_activation",
        variant(activate=lambda s, z: np.tanh(z), back=lambda s, dz, w, z: dz @ w.T),
        {},
    ),
    (
        "gradients.transposed",
        variant(
            back=lambda s, dz, w, z: (
                (dz @ (w if w.shape[0] == w.shape[1] else w.T)) * s.derivative(z)
            )
        ),
        {"sizes": SQUARE},
    ),
    (
        "gradients.transposed",
        variant(
            layer_gradients=lambda s, x, dz: [
                dz.T @ x if x.shape == dz.shape else x.T @ dz,
                dz.sum(axis=0),
            ]
        ),
        {"sizes": SQUARE},
    ),
    (
        "gradients.transposed",
        variant(layer_gradients=lambda s, x, dz: [dz.T @ x, dz.sum(axis=0)]),
        {},
    ),
    ("train.ascent", variant(step=uphill), {}),
    ("train.ascent", variant(step=uphill, rate=1e-5), {}),
    ("train.ascent", variant(step=uphill, rate=5.0), {"sizes": SQUARE}),
    ("train.no_update", variant(step=local_update), {}),
    ("train.no_update", variant(step=only_first), {}),
    ("train.no_update", variant(step=lambda s, x, y: s.loss_and_gradients(x, y)), {}),
    ("function.raises", variant(predict_proba=lambda s, x: x @ s.parameters[2]), {}),
    ("function.raises", variant(loss_and_gradients=lambda s, x, y: 1 / 0), {}),
    ("function.raises", variant(step=lambda s, x: 1 / 0), {}),
    ("function.nothing", variant(predict_proba=lambda s, x: None), {}),
    (
        "function.shape",
        variant(predict_proba=lambda s, x: Net.predict_proba(s, x).argmax(axis=1)),
        {},
    ),
    ("function.shape", variant(loss_and_gradients=lambda s, x, y: 2.3), {}),
    (
        "function.not_array",
        variant(predict_proba=lambda s, x: Net.predict_proba(s, x).tolist()),
        {},
    ),
]


# Of functions that fail, the wrapper fails itself.
IN_COLUMNS = [(*bug, "columns") for bug in BUGS if not bug[0].startswith("function")]


@pytest.mark.parametrize(
    ("code", "make", "how", "style"),
    [*((*bug, "rows") for bug in BUGS), *sample(IN_COLUMNS, 12)],
)
def test_the_bug_comes_first(digits, code, make, how, style):
    net = make(**how)
    if style == "columns":
        net = wrapped(net)
    before = [p.copy() for p in net.parameters]
    report = examine(net, *digits)
    assert codes(report)[:1] == [code], report
    for p, saved in zip(net.parameters, before, strict=True):
        assert p.tobytes() == saved.tobytes()


class Torchlike(Net):
    """Uniform weights and biases as in PyTorch's Linear, which are smaller than LeCun's."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        rng = np.random.default_rng(5)
        for w, b in zip(self.parameters[::2], self.parameters[1::2], strict=True):
            w[...] = rng.uniform(-1, 1, w.shape) / np.sqrt(len(w))
            b[...] = rng.uniform(-1, 1, b.shape) / np.sqrt(len(w))


class ScalesInside(Net):
    def forward(self, x):
        return super().forward(x / 255)


class WeightDecay(Net):
    def loss_and_gradients(self, x, labels):
        loss, gradients = super().loss_and_gradients(x, labels)
        loss += 0.5e-3 * sum((w**2).sum() for w in self.parameters[::2])
        gradients = [
            g + 1e-3 * p * (p.ndim == 2) for p, g in zip(self.parameters, gradients, strict=True)
        ]
        return loss, gradients


class OneHot(Net):
    def output_error(self, p, labels):
        return (p - labels) / len(p)

    def loss_of(self, p, labels):
        return -np.sum(labels * np.log(p + 1e-9)) / len(p)


class Rebinds(Net):
    """Trains by new arrays, with momentum, in a list that is replaced."""

    velocity = None

    def step(self, x, labels):
        gradients = self.loss_and_gradients(x, labels)[1]
        self.velocity = self.velocity or [0 * g for g in gradients]
        self.velocity = [0.9 * v - 0.1 * g for v, g in zip(self.velocity, gradients, strict=True)]
        self.parameters = [p + v for p, v in zip(self.parameters, self.velocity, strict=True)]


class Attributes:
    """Weights as attributes, two layers written out, bias as rows, an Adam step."""

    def __init__(self, seed=0):
        rng = np.random.default_rng(seed)
        self.W1 = rng.standard_normal((784, 40)) * np.sqrt(1 / 784)
        self.b1 = np.zeros((1, 40))
        self.W2 = rng.standard_normal((40, 10)) * np.sqrt(1 / 40)
        self.b2 = np.zeros((1, 10))
        self.m = [np.zeros_like(p) for p in self.parameters]
        self.v = [np.zeros_like(p) for p in self.parameters]
        self.t = 0

    @property
    def parameters(self):
        return [self.W1, self.b1, self.W2, self.b2]

    def predict_proba(self, x):
        self.h = np.tanh(x @ self.W1 + self.b1)
        z = self.h @ self.W2 + self.b2
        z = z - np.log(np.exp(z - z.max(1, keepdims=True)).sum(1, keepdims=True))
        return np.exp(z - z.max(1, keepdims=True)) / np.exp(z - z.max(1, keepdims=True)).sum(
            1, keepdims=True
        )

    def loss_and_gradients(self, x, y):
        p = self.predict_proba(x)
        y = np.eye(10)[y]
        d = (p - y) / x.shape[0]
        h = self.h
        dh = d.dot(self.W2.T) * (1 - h**2)
        gradients = [x.T.dot(dh), dh.sum(0, keepdims=True), h.T.dot(d), d.sum(0, keepdims=True)]
        return -(y * np.log(p)).sum(1).mean(), gradients

    def step(self, x, y):
        self.t += 1
        gradients = self.loss_and_gradients(x, y)[1]
        for p, g, m, v in zip(self.parameters, gradients, self.m, self.v, strict=True):
            m[:] = 0.9 * m + 0.1 * g
            v[:] = 0.999 * v + 0.001 * g * g
            p -= 1e-3 * (m / (1 - 0.9**self.t)) / (np.sqrt(v / (1 - 0.999**self.t)) + 1e-8)


def ours(*hidden, slope=0.01, dtype=np.float32, epochs=0, data=None):
    rng = np.random.default_rng(1)
    network = mnist_core.Network([784, *hidden, 10], rng=rng, slope=slope, dtype=dtype)
    if epochs:
        x, y = data
        mnist_core.train(network, x.astype(dtype), y, rng=rng, epochs=epochs)
    return network


def trained(net, data, steps=300):
    x, y = data
    rng = np.random.default_rng(2)
    for _ in range(steps):
        rows = rng.integers(0, len(x), 64)
        net.step(x[rows], y[rows])
    return net


def from_normal(power, inputs_only=True):
    return fixed(
        lambda rng, i, o: rng.normal(
            0, (power / (i if inputs_only else (i + o) / 2)) ** 0.5, (i, o)
        )
    )


DEEP = (784, 64, 32, 16, 10)
HEALTHY = {
    "ours": lambda d: ours(32),
    "ours, float64": lambda d: ours(32, dtype=np.float64),
    "ours, deep": lambda d: ours(64, 32, 16),
    "ours, one layer": lambda d: ours(),
    "ours, ReLU": lambda d: ours(32, 32, slope=0),
    "ours, trained": lambda d: ours(32, epochs=4, data=d),
    "ours, trained, float64": lambda d: ours(32, 16, slope=0, dtype=np.float64, epochs=6, data=d),
    "He": lambda d: Net(),
    "He, float32": lambda d: Net(dtype=np.float32),
    "He, deep": lambda d: Net(DEEP),
    "He, deep, float32": lambda d: Net(DEEP, seed=3, dtype=np.float32),
    "He, equal widths": lambda d: Net((784, 128, 128, 128, 10)),
    "one layer": lambda d: Net((784, 10)),
    "leaky": lambda d: variant(slope=0.1)(),
    "LeCun": lambda d: from_normal(1)(),
    "LeCun, deep": lambda d: from_normal(1)(DEEP),
    "Xavier": lambda d: from_normal(1, False)(),
    "Xavier, deep": lambda d: from_normal(1, False)(DEEP, seed=4),
    "uniform": lambda d: fixed(
        lambda rng, i, o: rng.uniform(-((6 / i) ** 0.5), (6 / i) ** 0.5, (i, o))
    )(),
    "uniform, Xavier": lambda d: fixed(
        lambda rng, i, o: rng.uniform(-1, 1, (i, o)) * (6 / (i + o)) ** 0.5
    )(),
    "0.01": lambda d: fixed(lambda rng, i, o: 0.01 * rng.normal(size=(i, o)))((784, 50, 10)),
    "0.1": lambda d: fixed(lambda rng, i, o: 0.1 * rng.normal(size=(i, o)))(),
    "PyTorch": lambda d: Torchlike(),
    "PyTorch, deep": lambda d: Torchlike(DEEP),
    "sigmoid": lambda d: variant(
        activate=lambda s, z: sigmoid(z), derivative=lambda s, z: sigmoid(z) * (1 - sigmoid(z))
    )(),
    "tanh": lambda d: variant(
        activate=lambda s, z: np.tanh(z), derivative=lambda s, z: 1 - np.tanh(z) ** 2
    )(DEEP),
    "weight decay": lambda d: WeightDecay(),
    "rebinds": lambda d: Rebinds(),
    "attributes": lambda d: Attributes(),
    "attributes, trained": lambda d: trained(Attributes(), d),
    "trained": lambda d: trained(Net(), d, 600),
    "trained, deep": lambda d: trained(Net(DEEP), d, 600),
    "trained, float32": lambda d: trained(Net(dtype=np.float32), d),
    "fast": lambda d: variant(rate=1.0)(),
    "slow": lambda d: variant(rate=1e-6)(),
}


@pytest.mark.parametrize("name", sample(HEALTHY, 17))
def test_nothing_is_found_in_a_healthy_network(digits, name):
    net = HEALTHY[name](digits)
    x, y = digits
    if isinstance(net, mnist_core.Network):
        x = x.astype(net.dtype)
    assert examine(net, x, y).ok, examine(net, x, y)


@pytest.mark.parametrize("name", ["LeCun, deep", "trained", "He, float32"])
def test_nothing_is_found_in_healthy_columns(digits, name):
    report = examine(wrapped(HEALTHY[name](digits)), *digits)
    assert report.ok
    assert all(note.startswith(("standard deviation", "right for")) for note in report.notes)


def test_other_inputs_of_healthy_networks(digits):
    x, y = digits
    assert examine(OneHot(), x, np.eye(10)[y]).ok
    assert examine(OneHot(), x, y).ok
    assert examine(Net(), (x - x.mean()) / x.std(), y).ok
    assert examine(Net(), (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-8), y).ok
    assert examine(Net(), 2 * x - 1, y[:, None][:, 0].astype(np.uint8)).ok
    assert examine(Net(), x.reshape(-1, 28, 28).astype(np.float32), y).ok
    images = np.round(x * 255).astype(np.uint8).reshape(-1, 28, 28)
    assert examine(ours(32), images, y).ok
    assert examine(ScalesInside(), images, y).ok


@pytest.mark.parametrize(
    "methods",
    [
        ["predict_proba"],
        ["predict_proba", "step"],
        ["predict_proba", "activations"],
        ["predict_proba", "parameters"],
        ["predict_proba", "parameters", "loss_and_gradients"],
    ],
)
def test_what_is_missing_is_noted(digits, methods):
    for net in (Net(DEEP, seed=2), *([Net(), trained(Net(), digits)] if ALL else [])):
        report = examine(only(net, *methods), *digits)
        assert report.ok, report
        text = repr(report) + report._repr_html_()
        for name in ("parameters", "loss_and_gradients", "activations", "step"):
            assert (f"for want of {name}" in text) == (name not in methods)


def test_data(digits):
    x, y = digits
    rng = np.random.default_rng(0)
    first_net = ours(32)
    for net in (first_net, wrapped(Net()), only(Net(), "predict_proba")):

        def first(x, y, net=net):
            x = x.astype(np.float32) if isinstance(net, mnist_core.Network) else x
            return codes(examine(net, x, y))[:1]

        order = np.argsort(y, kind="stable")
        cases = [
            (x * 255, y, "data.not_scaled"),
            (x, rng.permutation(y), "data.labels_shuffled"),
            (x[order[::-1]], y[order[::-1]], "train.not_shuffled"),
            (x * 255 - 127, y, "data.not_scaled"),
            (x[rng.permutation(len(x))], y, "data.labels_shuffled"),
            (x[order], y[order], "train.not_shuffled"),
            (x / 255, y, "data.not_scaled"),
            (x, np.roll(y, 1), "data.labels_shuffled"),
        ]
        for images, labels, code in cases[: len(cases) if ALL or net is first_net else 3]:
            assert first(images, labels) == [code]
    raw = trained(variant(rate=0.01)(), (x * 255, y), 30)
    assert codes(examine(raw, x * 255, y))[0] == "data.not_scaled"
    assert codes(examine(Net(), x, y + 1))[0] == "data.labels"
    assert codes(examine(Net(), x, y[:-1])) == ["function.shape"]
    assert codes(examine(Net, x, y)) and codes(examine(object(), x, y)) == ["function.nothing"]


def dead(net, value=-100.0):
    net.parameters[1][...] = value
    return net


def one_class(net):
    net.parameters[-1][3] = 100
    return net


def blown_up(net, value=np.nan):
    net.parameters[0][400:420] = value
    return net


def overtrained(net, data, rate):
    net.rate = rate
    with np.errstate(all="ignore"):
        return trained(net, data, 60)


@pytest.mark.parametrize("style", ["rows", "columns", "predict_proba"])
def test_symptoms(digits, style):
    nets = [
        ("network.dead", dead(Net())),
        ("network.dead", dead(Net((784, 32, 32, 10)), -30)),
        ("network.dead", dead(trained(Net(), digits))),
        ("network.collapsed", one_class(Net())),
        ("network.collapsed", one_class(trained(Net(), digits))),
        ("network.exploded", blown_up(Net())),
        ("network.exploded", blown_up(Net(), 1e9)),
        ("network.exploded", blown_up(trained(Net(), digits), np.inf)),
    ]
    for code, net in nets if style == "rows" else sample(nets, 4):
        if style == "predict_proba":
            report = examine(only(net, "predict_proba"), *digits)
            assert report.verdict != "right", (code, report)
            continue
        report = examine(net if style == "rows" else wrapped(net), *digits)
        assert codes(report)[:1] == [code], report


def test_a_network_that_hangs_prints_or_changes_its_input(digits):
    def forever(self, x):
        while len(x):
            time.sleep(0.01)

    def noisy(self, x):
        print("forward")
        return Net.predict_proba(self, x)

    def in_place(self, x):
        x /= 2
        return Net.predict_proba(self, x)

    hangs = variant(predict_proba=forever)()
    assert codes(examine(hangs, *digits, time_limit=0.2)) == ["function.slow"]
    assert codes(examine(variant(predict_proba=noisy)(), *digits)) == ["function.prints"]
    assert "function.mutates" in codes(examine(variant(predict_proba=in_place)(), *digits))


def test_columns_as_they_are(digits):
    columns = Columns(Net())
    net = types.SimpleNamespace(predict_proba=columns.predict)
    assert codes(examine(net, *digits)) == ["layout.columns"]


def test_an_examination_is_quick(digits):
    x, y = (np.tile(a, (5, 1))[:5000] for a in (digits[0], digits[1][:, None]))
    started = time.process_time()
    assert examine(ours(128), x.astype(np.float32), y[:, 0]).ok
    assert time.process_time() - started < 3
