"""Steps after a single gradient, gradients where outputs could be extreme, and gradients of 0."""

import types
from itertools import pairwise

import numpy as np
import pytest
import zoo

from mnist_book import examine

X, Y = zoo.digits(7)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def codes(report):
    return [each.code for each in report.findings]


def trained(network, steps=40, x=X, y=Y):
    rng = np.random.default_rng(8)
    for _ in range(steps):
        rows = rng.integers(0, len(x), 32)
        network.step(x[rows], y[rows])
    return network


# --------------------------------------------------------------------------------------------------
# Shortcuts, and a small number under the logarithm
# --------------------------------------------------------------------------------------------------

LOGARITHMS = {
    "1e-12": lambda p: np.log(p + 1e-12),
    "1e-8": lambda p: np.log(p + 1e-8),
    "clipped at 1e-7": lambda p: np.log(np.clip(p, 1e-7, 1)),
    "at least 1e-15": lambda p: np.log(np.maximum(p, 1e-15)),
    "alone": np.log,
}


class Residual:
    """Blocks h + relu(h @ W + b); `skip` is how much of the error goes back past each of them."""

    def __init__(self, width=40, blocks=4, logarithm=LOGARITHMS["1e-12"], skip=1, bend="relu"):
        rng = np.random.default_rng(4)
        self.blocks, self.logarithm, self.skip, self.bend = blocks, logarithm, skip, bend
        sizes = [(49, width)] + [(width, width)] * blocks + [(width, 10)]
        self.parameters = []
        for n, m in sizes:
            self.parameters += [rng.normal(0, 0.7 / np.sqrt(n), (n, m)), np.zeros(m)]

    def run(self, x):
        p = self.parameters
        hs, zs = [x @ p[0] + p[1]], []
        for k in range(1, self.blocks + 1):
            zs.append(hs[-1] @ p[2 * k] + p[2 * k + 1])
            bent = np.maximum(zs[-1], 0) if self.bend == "relu" else np.tanh(zs[-1])
            hs.append(hs[-1] + bent)
        return hs, zs, softmax(hs[-1] @ p[-2] + p[-1])

    def predict_proba(self, x):
        return self.run(x)[2]

    def loss_and_gradients(self, x, y):
        hs, zs, p = self.run(x)
        loss = -self.logarithm(p[np.arange(len(y)), y]).mean()
        d = (p - np.eye(10)[y]) / len(y)
        gradients = [hs[-1].T @ d, d.sum(axis=0)]
        dh = d @ self.parameters[-2].T
        for k in range(self.blocks, 0, -1):
            z = zs[k - 1]
            dz = dh * ((z > 0) if self.bend == "relu" else 1 - np.tanh(z) ** 2)
            gradients = [hs[k - 1].T @ dz, dz.sum(axis=0), *gradients]
            dh = self.skip * dh + dz @ self.parameters[2 * k].T
        return float(loss), [x.T @ dh, dh.sum(axis=0), *gradients]

    def step(self, x, y):
        for array, g in zip(self.parameters, self.loss_and_gradients(x, y)[1], strict=True):
            array -= 0.02 * g


KINDS = [(40, 4, "relu"), (64, 6, "relu"), (30, 3, "tanh"), (100, 2, "relu")]


@pytest.mark.parametrize("logarithm", LOGARITHMS)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_small_number_under_the_logarithm_is_no_cause(logarithm, kind):
    *sizes, bend = kind
    reports = [
        examine(trained(Residual(*sizes, LOGARITHMS[logarithm], skip, bend)), X, Y)
        for skip in (1, 0)
    ]
    assert reports[0].ok, reports[0]
    assert [each.says for each in reports[1].findings][:1] == ["network_shortcut_forgotten"]


class Wide:
    """Layers without shortcuts, drawn and read in float64, with many units or many layers."""

    def __init__(self, sizes, logarithm, wrong=False):
        rng = np.random.default_rng(4)
        self.logarithm, self.wrong, self.parameters = logarithm, wrong, []
        for n, m in pairwise(sizes):
            self.parameters += [rng.normal(0, 0.5 / np.sqrt(n), (n, m)), np.zeros(m)]

    def run(self, x):
        outputs, p = [x], self.parameters
        for k in range(0, len(p) - 2, 2):
            outputs.append(np.logaddexp(0, outputs[-1] @ p[k] + p[k + 1]))
        return outputs, softmax(outputs[-1] @ p[-2] + p[-1])

    def predict_proba(self, x):
        return self.run(x)[1]

    def loss_and_gradients(self, x, y):
        outputs, p = self.run(x)
        d, gradients = (p - np.eye(10)[y]) / len(y), []
        for k in range(len(outputs) - 1, -1, -1):
            gradients = [outputs[k].T @ d, d.sum(axis=0), *gradients]
            slope = 1 if self.wrong else 1 - np.exp(-outputs[k])
            d = d @ self.parameters[2 * k].T * slope
        return float(-self.logarithm(p[np.arange(len(y)), y]).mean()), gradients


@pytest.mark.parametrize("sizes", [(49, 300, 300, 10), (49, 60, 60, 60, 60, 60, 10)], ids=len)
@pytest.mark.parametrize("logarithm", LOGARITHMS)
def test_many_units_or_layers_make_no_cause_of_it(sizes, logarithm):
    assert examine(Wide(sizes, LOGARITHMS[logarithm]), X, Y).ok
    wrong = examine(Wide(sizes, LOGARITHMS[logarithm], wrong=True), X, Y)
    assert codes(wrong)[:1] == ["gradients.missing_activation"], wrong


# --------------------------------------------------------------------------------------------------
# Gradients that are 0, and derivatives of an activation's activation
# --------------------------------------------------------------------------------------------------


class Sigmoids:
    """Two layers; `ending`, `loss` and `error` are the outputs, what they cost, and dz."""

    def __init__(self, ending, loss, error, bend=sigmoid, slope=lambda a: a * (1 - a)):
        rng = np.random.default_rng(2)
        self.p = [rng.normal(0, 1 / 7, (49, 24)), rng.normal(0, 0.1, 24)]
        self.p += [rng.normal(0, 0.2, (24, 10)), rng.normal(0, 0.1, 10)]
        self.ending, self.loss, self.error, self.bend, self.slope = ending, loss, error, bend, slope

    @property
    def parameters(self):
        return self.p

    def predict_proba(self, x):
        return self.ending(self.bend(x @ self.p[0] + self.p[1]) @ self.p[2] + self.p[3])

    def loss_and_gradients(self, x, y):
        h, a = self.bend(x @ self.p[0] + self.p[1]), self.predict_proba(x)
        d = self.error(a, np.eye(10)[y]) / len(y)
        dh = d @ self.p[2].T * self.slope(h)
        gradients = [x.T @ dh, dh.sum(axis=0), h.T @ d, d.sum(axis=0)]
        return float(self.loss(a, np.eye(10)[y])), gradients

    def step(self, x, y):
        for array, g in zip(self.p, self.loss_and_gradients(x, y)[1], strict=True):
            array -= 0.5 * g


def squares(a, t):
    return ((a - t) ** 2).sum() / 2 / len(a)


def binary(a, t):
    return -(t * np.log(a + 1e-12) + (1 - t) * np.log(1 - a + 1e-12)).sum() / len(a)


def cross_entropy(a, t):
    return -(t * np.log(a + 1e-12)).sum() / len(a)


def prime(z):
    return sigmoid(z) * (1 - sigmoid(z))


TWICE = "sigmoid counts twice", "gradients.output"
OF_ACTIVATION = "activation", "gradients.missing_activation"
RIGHT_ERRORS = {
    "squares": (sigmoid, squares, lambda a, t: (a - t) * a * (1 - a)),
    "binary": (sigmoid, binary, lambda a, t: a - t),
    "softmax": (softmax, cross_entropy, lambda a, t: a - t),
    "tanh": (np.tanh, squares, lambda a, t: (a - t) * (1 - a**2)),
}
DERIVATIVES = {
    "squares of sigmoids": (TWICE, (sigmoid, squares, lambda a, t: (a - t) * prime(a))),
    "all layers": (TWICE, (sigmoid, squares, lambda a, t: (a - t) * prime(a), sigmoid, prime)),
    "binary": (TWICE, (sigmoid, binary, lambda a, t: (a - t) * prime(a))),
    "softmax": (TWICE, (softmax, cross_entropy, lambda a, t: (a - t) * prime(a))),
    "tanh": (
        ("tanh counts twice", "gradients.output"),
        (np.tanh, squares, lambda a, t: (a - t) * (1 - np.tanh(a) ** 2)),
    ),
    "hidden sigmoids": (OF_ACTIVATION, (*RIGHT_ERRORS["binary"], sigmoid, prime)),
    "hidden sigmoids, squares": (OF_ACTIVATION, (*RIGHT_ERRORS["squares"], sigmoid, prime)),
    "hidden tanh": (
        OF_ACTIVATION,
        (*RIGHT_ERRORS["softmax"], np.tanh, lambda a: 1 - np.tanh(a) ** 2),
    ),
    "no derivative": (
        ("exactly those of binary cross-entropy", "gradients.squares"),
        (sigmoid, squares, lambda a, t: a - t),
    ),
}


@pytest.mark.parametrize("name", DERIVATIVES)
@pytest.mark.parametrize("steps", [0, 300])
def test_a_derivative_of_the_activation_in_place_of_z(name, steps):
    (words, code), arguments = DERIVATIVES[name]
    report = examine(trained(Sigmoids(*arguments), steps), X, Y)
    assert code in codes(report) and words in str(report), report


@pytest.mark.parametrize("name", ["squares", "binary", "softmax"])
def test_right_derivatives_are_right(name):
    report = examine(trained(Sigmoids(*RIGHT_ERRORS[name]), 300), X, Y)
    assert report.ok, report


def cut(a, t):
    d = np.zeros_like(t.astype(int))
    d[:] = a - t
    return d


ZEROS = {
    "written into integers": cut,
    "astype(int)": lambda a, t: (a - t).astype(int),
    "// in place of /": lambda a, t: np.abs(a - t) // 1.000001,
    "never computed": lambda a, t: np.zeros(a.shape),
}


@pytest.mark.parametrize("name", ZEROS)
@pytest.mark.parametrize("kind", ["softmax", "binary"])
def test_gradients_that_are_all_0(name, kind):
    ending, loss, _ = RIGHT_ERRORS[kind]
    report = examine(Sigmoids(ending, loss, ZEROS[name], np.tanh, lambda a: 1 - a**2), X, Y)
    assert codes(report) == ["gradients.zero"] and "exactly 0" in str(report), report


# --------------------------------------------------------------------------------------------------
# Velocities
# --------------------------------------------------------------------------------------------------


class Mover:
    """A small network; `method` changes arrays in a step, with a memory of its own."""

    def __init__(self, method):
        rng = np.random.default_rng(3)
        self.w = [rng.normal(0, 0.2, (49, 20)), np.zeros(20), rng.normal(0, 0.3, (20, 10))]
        self.w += [np.zeros(10)]
        self.method, self.memory, self.t = method, {}, 0
        self.rng = np.random.default_rng(6)

    @property
    def parameters(self):
        return self.w

    def predict_proba(self, x):
        return softmax(np.maximum(x @ self.w[0] + self.w[1], 0) @ self.w[2] + self.w[3])

    def loss_and_gradients(self, x, y):
        h, p = np.maximum(x @ self.w[0] + self.w[1], 0), self.predict_proba(x)
        d = (p - np.eye(10)[y]) / len(y)
        dh = d @ self.w[2].T * (h > 0)
        loss = float(-np.log(p[np.arange(len(y)), y] + 1e-12).mean())
        return loss, [x.T @ dh, dh.sum(axis=0), h.T @ d, d.sum(axis=0)]

    def buffers(self, name="v"):
        return self.memory.setdefault(name, [np.zeros_like(w) for w in self.w])

    def step(self, x, y):
        self.t += 1
        self.method(self, x, y)


def each(update):
    """Make a method of what is done with one array, its gradient and its memories."""

    def method(net, x, y):
        gradients = net.loss_and_gradients(x, y)[1]
        memories = [net.buffers(name) for name in "mvu"]
        for w, g, m, v, u in zip(net.w, gradients, *memories, strict=True):
            update(net, w, g, m, v, u)

    return method


def look_ahead(undo):
    """Make Nesterov's method as it is told first; `undo` takes the look-ahead back."""

    def method(net, x, y):
        vs = net.buffers()
        for w, v in zip(net.w, vs, strict=True):
            w += 0.8 * v
        gradients = net.loss_and_gradients(x, y)[1]
        for w, v, g in zip(net.w, vs, gradients, strict=True):
            if undo == "before":
                w -= 0.8 * v
            v[...] = 0.8 * v - 0.05 * g
            if undo == "after":
                w -= 0.8 * v
            w += v

    return method


def nesterov_with_copies(net, x, y):
    """Take the gradient at a look-ahead, and put the weights back from copies."""
    vs, kept = net.buffers(), [w.copy() for w in net.w]
    for w, v in zip(net.w, vs, strict=True):
        w += 0.9 * v
    gradients = net.loss_and_gradients(x, y)[1]
    for w, v, g, old in zip(net.w, vs, gradients, kept, strict=True):
        v[...] = 0.9 * v - 0.05 * g
        w[...] = old + v


def heavy_ball(net, w, g, m, v, u):
    m[...] = 0.9 * m - 0.05 * g
    w += m


def damped(net, w, g, m, v, u):
    m[...] = 0.9 * m + 0.1 * g
    w -= 0.3 * m


def damped_but_first(net, w, g, m, v, u):
    m[...] = g if net.t == 1 else 0.9 * m + 0.5 * g
    w -= 0.05 * m


def rewritten(net, w, g, m, v, u):
    m[...] = 0.9 * m + g
    w -= 0.03 * (g + 0.9 * m)


def of_cs231n(net, w, g, m, v, u):
    before = m.copy()
    m[...] = 0.9 * m - 0.03 * g
    w += -0.9 * before + 1.9 * m


def quasi_hyperbolic(net, w, g, m, v, u):
    m[...] = 0.9 * m + 0.1 * g
    w -= 0.2 * (0.3 * g + 0.7 * m)


def two_velocities(net, w, g, m, v, u):
    m[...] = 0.9 * m + g
    v[...] = 0.5 * v + g
    w -= 0.02 * (m + v)


def with_growing_momentum(net, w, g, m, v, u):
    m[...] = net.t / (net.t + 3) * m - 0.02 * g
    w += m


def warm_up(net, w, g, m, v, u):
    m[...] = 0.9 * m + g
    w -= 0.05 * min(1, net.t / 60) * m


def clipped(net, w, g, m, v, u):
    m[...] = 0.9 * m + g * min(1, 0.5 / (np.linalg.norm(g) + 1e-12))
    w -= 0.05 * m


def noisy(net, w, g, m, v, u):
    m[...] = 0.9 * m + g
    w -= 0.02 * m + 1e-4 * net.rng.normal(size=w.shape)


def with_decay(net, w, g, m, v, u):
    m[...] = 0.9 * m + g + 1e-3 * w
    w -= 0.02 * m


def centred(net, w, g, m, v, u):
    m += 0.1 * (g - m)
    v += 0.1 * (g**2 - v)
    w -= 0.003 * g / (np.sqrt(v - m**2 + 1e-3))


def adam(net, w, g, m, v, u):
    m += 0.1 * (g - m)
    v += 0.001 * (g**2 - v)
    w -= 0.002 * m / (1 - 0.9**net.t) / (np.sqrt(v / (1 - 0.999**net.t)) + 1e-8)


def nadam(net, w, g, m, v, u):
    m += 0.1 * (g - m)
    v += 0.001 * (g**2 - v)
    first = 0.9 * m / (1 - 0.9 ** (net.t + 1)) + 0.1 * g / (1 - 0.9**net.t)
    w -= 0.002 * first / (np.sqrt(v / (1 - 0.999**net.t)) + 1e-8)


def amsgrad(net, w, g, m, v, u):
    m += 0.1 * (g - m)
    v += 0.001 * (g**2 - v)
    u[...] = np.maximum(u, v / (1 - 0.999**net.t))
    w -= 0.002 * m / (1 - 0.9**net.t) / (np.sqrt(u) + 1e-8)


def adagrad(net, w, g, m, v, u):
    v += g**2
    w -= 0.02 * g / (np.sqrt(v) + 1e-8)


def adadelta(net, w, g, m, v, u):
    v += 0.05 * (g**2 - v)
    change = np.sqrt(u + 1e-6) / np.sqrt(v + 1e-6) * g
    u += 0.05 * (change**2 - u)
    w -= change


def signs(net, w, g, m, v, u):
    w -= 0.002 * np.sign(g)


def lion(net, w, g, m, v, u):
    w -= 0.002 * np.sign(0.9 * m + 0.1 * g)
    m += 0.01 * (g - m)


def rprop(net, w, g, m, v, u):
    same = g * m
    v[...] = np.clip(
        np.where(v == 0, 0.002, v) * np.where(same > 0, 1.2, np.where(same < 0, 0.5, 1)), 1e-6, 0.02
    )
    g = np.where(same < 0, 0, g)
    w -= np.sign(g) * v
    m[...] = g


def averaged(net, w, g, m, v, u):
    """Move weights that are kept apart; those that it reads are their moving average."""
    if net.t == 1:
        u[...] = w
    m[...] = -0.05 * g
    u += m
    w += 0.1 * (u - w)


def averaged_with_momentum(net, w, g, m, v, u):
    if net.t == 1:
        u[...] = w
    m[...] = 0.9 * m - 0.02 * g
    u += m
    w += 0.1 * (u - w)


METHODS = [
    heavy_ball,
    damped,
    damped_but_first,
    rewritten,
    of_cs231n,
    quasi_hyperbolic,
    two_velocities,
    with_growing_momentum,
    warm_up,
    clipped,
    noisy,
    with_decay,
    centred,
    adam,
    nadam,
    amsgrad,
    adagrad,
    adadelta,
    signs,
    lion,
    rprop,
    averaged,
    averaged_with_momentum,
]
RIGHT = {f.__name__: each(f) for f in METHODS}
RIGHT |= {"look-ahead": look_ahead("before"), "with copies": nesterov_with_copies}


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("steps", [0, 150])
def test_no_right_method_is_accused(name, steps):
    network = trained(Mover(RIGHT[name]), steps)
    report = examine(network, X, Y)
    assert not report.findings, report
    few = types.SimpleNamespace(
        predict_proba=network.predict_proba, parameters=network.w, step=network.step
    )
    assert not examine(few, X, Y).findings


@pytest.mark.parametrize(("undo", "says"), [("never", "network_ahead"), ("after", "network_more")])
@pytest.mark.parametrize("steps", [0, 150])
def test_a_look_ahead_that_is_not_taken_back(undo, says, steps):
    network = trained(Mover(look_ahead(undo)), steps)
    few = types.SimpleNamespace(
        predict_proba=network.predict_proba, parameters=network.w, step=network.step
    )
    for each_network in (network, few):
        report = examine(each_network, X, Y)
        assert [each.says for each in report.findings] == [says], report
        assert codes(report) == ["train.momentum"]


# --------------------------------------------------------------------------------------------------
# Rates that have fallen to nothing
# --------------------------------------------------------------------------------------------------


def falling(factor, velocity=0.0):
    def method(net, x, y):
        rate = net.memory.setdefault("rate", 0.1)
        gradients = net.loss_and_gradients(x, y)[1]
        for w, v, g in zip(net.w, net.buffers(), gradients, strict=True):
            v[...] = velocity * v - rate * g
            w += v
        net.memory["rate"] = factor * rate

    return method


@pytest.mark.parametrize("factor", [0.5, 0.8, 0.9, 0.95])
@pytest.mark.parametrize("velocity", [0, 0.5])
@pytest.mark.parametrize("names", [("step",), ("step", "loss_and_gradients")])
def test_a_rate_that_falls_in_each_step(factor, velocity, names):
    network = trained(Mover(falling(factor, velocity)), 200)
    members = {name: getattr(network, name) for name in ("predict_proba", "parameters", *names)}
    report = examine(types.SimpleNamespace(**members), X, Y)
    assert codes(report)[:1] == ["train.rate_falls"], report
    network.method = falling(1 - 1e-5, velocity)
    network.memory["rate"] = 0.05
    assert examine(trained(network, 300), X, Y).ok


# --------------------------------------------------------------------------------------------------
# Steps that seem to go uphill
# --------------------------------------------------------------------------------------------------


class OverTheBatch:
    """Softmax regression, or with its sum over the examples; a step goes down, or up."""

    def __init__(self, axis, sign):
        self.w, self.b = np.random.default_rng(3).normal(0, 0.1, (49, 10)), np.zeros(10)
        self.axis, self.sign = axis, sign

    @property
    def parameters(self):
        return [self.w, self.b]

    def predict_proba(self, x):
        z = x @ self.w + self.b
        e = np.exp(z - z.max(axis=self.axis, keepdims=True))
        return e / e.sum(axis=self.axis, keepdims=True)

    def step(self, x, y):
        d = (self.predict_proba(x) - np.eye(10)[y]) / len(y)
        self.w -= self.sign * 0.1 * x.T @ d
        self.b -= self.sign * 0.1 * d.sum(axis=0)


def test_a_sum_over_the_batch_is_no_step_uphill():
    assert codes(examine(OverTheBatch(0, 1), X, Y)) == ["softmax.axis"]
    report = examine(OverTheBatch(1, -1), X, Y)
    assert codes(report)[:1] == ["train.ascent"]
    assert len(report.findings[0].evidence) < 300
    assert codes(examine(OverTheBatch(1, 1), X, Y)) == []


# --------------------------------------------------------------------------------------------------
# Kinds that forums have
# --------------------------------------------------------------------------------------------------


class Changed(Mover):
    """The same network, of which a method is another one."""

    def __init__(self, **members):
        for name, member in members.items():
            setattr(self, name, types.MethodType(member, self))
        super().__init__(each(lambda net, w, g, *_: w.__isub__(0.1 * g)))

    def bend(self, z):
        return np.maximum(z, 0)

    def slope(self, z):
        return z > 0

    def targets(self, y):
        return np.eye(10)[y]

    def predict_proba(self, x):
        return softmax(self.bend(x @ self.w[0] + self.w[1]) @ self.w[2] + self.w[3])

    def loss_and_gradients(self, x, y):
        z = x @ self.w[0] + self.w[1]
        h, p, t = self.bend(z), self.predict_proba(x), self.targets(y)
        d = (p - t) / len(y)
        dh = d @ self.w[2].T * self.slope(z)
        loss = float(-(t * np.log(p + 1e-12)).sum() / len(y))
        return loss, [x.T @ dh, dh.sum(axis=0), h.T @ d, d.sum(axis=0)]


def softened(rest):
    return {"targets": lambda net, y: 0.9 * np.eye(10)[y] + rest}


def by_pictures(added):
    """Make gradients in a loop over the pictures, in which they are added up, or not."""

    def loss_and_gradients(net, x, y):
        loss, total = 0.0, [np.zeros_like(w) for w in net.w]
        for k in range(len(x)):
            own, gradients = Changed.loss_and_gradients(net, x[k : k + 1], y[k : k + 1])
            loss += own / len(x)
            for t, g in zip(total, gradients, strict=True):
                t[...] = added * t + g / len(x)
        return loss, total

    return {"loss_and_gradients": loss_and_gradients}


def kept(late):
    """Make gradients of the hidden layer that is kept, which may be renewed too late."""

    def loss_and_gradients(net, x, y):
        h, before = net.bend(x @ net.w[0] + net.w[1]), net.memory.get("h")
        net.memory["h"] = h
        loss, gradients = Changed.loss_and_gradients(net, x, y)
        if late and before is not None and before.shape == h.shape:
            d = (net.predict_proba(x) - np.eye(10)[y]) / len(y)
            gradients[2] = before.T @ d
        return loss, gradients

    return {"loss_and_gradients": loss_and_gradients}


def rounded(digits):
    def loss_and_gradients(net, x, y):
        loss, gradients = Changed.loss_and_gradients(net, x, y)
        return loss, [np.round(g, digits) for g in gradients]

    return {"loss_and_gradients": loss_and_gradients}


def labels_of_its_own(own):
    def step(net, x, y):
        y = net.predict_proba(x).argmax(axis=1) if own else y
        Mover.step(net, x, y)

    return {"step": step}


def curved(bend, slope):
    return {"bend": lambda net, z: bend(z), "slope": lambda net, z: slope(z)}


def swish(z):
    return z * sigmoid(z)


def elu(z):
    return np.where(z > 0, z, 0.5 * (np.exp(np.minimum(z, 0)) - 1))


FORUMS = {
    "targets that sum to 1.9": ("network_targets", softened(0.1), softened(0.01)),
    "the last picture alone": ("network_last_picture", by_pictures(0), by_pictures(1)),
    "a cache that is late": ("network_leftover", kept(True), kept(False)),
    "rounded": ("network_decimals", rounded(2), rounded(12)),
    "its own answers": ("network_labels", labels_of_its_own(True), labels_of_its_own(False)),
    "swish": (
        "network_another",
        curved(swish, sigmoid),
        curved(swish, lambda z: sigmoid(z) * (1 + z * (1 - sigmoid(z)))),
    ),
    "tanh": (
        "network_another",
        curved(np.tanh, lambda z: 1 - np.tanh(z)),
        curved(np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    ),
    "ELU": (
        "network_another",
        curved(elu, lambda z: np.where(z > 0, 1, elu(z) + 1)),
        curved(elu, lambda z: np.where(z > 0, 1, elu(z) + 0.5)),
    ),
}


@pytest.mark.parametrize("name", FORUMS)
@pytest.mark.parametrize("steps", [0, 60])
def test_kinds_that_forums_have(name, steps):
    says, wrong, right = FORUMS[name]
    report = examine(trained(Changed(**wrong), steps), X, Y)
    assert report.findings and report.findings[0].says == says, report
    report = examine(trained(Changed(**right), steps), X, Y)
    assert not report.findings, report


@pytest.mark.parametrize("steps", [0, 60])
def test_a_velocity_of_biases_alone_that_never_fades(steps):
    def update(net, w, g, m, v, u, fades=0.9):
        m[...] = (m if w.ndim == 1 and fades == 1 else 0.9 * m) - 0.01 * g
        w += m

    wrong = trained(Mover(each(lambda *a: update(*a, fades=1))), steps)
    report = examine(wrong, X, Y)
    assert [each.says for each in report.findings][:1] == ["network_one"], report
    assert not examine(trained(Mover(each(update)), steps), X, Y).findings


def with_biases(change):
    """Change the gradients of biases, from those of weights and of biases, right as they are."""

    def loss_and_gradients(net, x, y):
        loss, (w, b, v, c) = Changed.loss_and_gradients(net, x, y)
        return loss, [w, change(b), v, change(c)]

    return {"loss_and_gradients": loss_and_gradients}


def a_step_alone(members, steps, order=(0, 1, 2, 3)):
    """Train a network, of which no gradients are shown."""
    net = trained(Changed(**members), steps)
    return types.SimpleNamespace(
        predict_proba=net.predict_proba, parameters=[net.w[k] for k in order], step=net.step
    )


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 1, 3)])
@pytest.mark.parametrize("steps", [0, 60])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda g: np.full_like(g, g.sum()), "network_one_number"),
        (lambda g: np.full_like(g, np.abs(g).sum()), "network_one_number"),
        (lambda g: np.roll(g, 1), "network"),
    ],
)
def test_biases_alone_take_another_step(change, says, steps, order):
    report = examine(a_step_alone(with_biases(change), steps, order), X, Y)
    assert codes(report)[:1] == ["gradients.bias"], report
    assert report.findings[0].says == says and "nan" not in str(report), report


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 1, 3)])
@pytest.mark.parametrize("steps", [0, 60])
@pytest.mark.parametrize("change", [lambda g: g, lambda g: 2 * g])
def test_right_steps_of_biases_are_right(change, steps, order):
    report = examine(a_step_alone(with_biases(change), steps, order), X, Y)
    assert "gradients.bias" not in codes(report) and "gradients.wrong" not in codes(report), report


def test_weights_that_step_aside_are_no_matter_of_biases():
    wrong = curved(lambda z: np.maximum(z, 0), np.ones_like)
    report = examine(a_step_alone(wrong, 0), X, Y)
    assert codes(report)[:1] == ["gradients.missing_activation"], report
