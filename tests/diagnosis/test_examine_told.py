"""Networks that return no gradients: what their steps are made of, wrong ones beside right ones.

A program is a dense network as courses have it, with a step, and one line of it changed.
"""

import types
from itertools import pairwise

import numpy as np
import pytest
import zoo
from zoo import sigmoid, softmax

from mnist_book import examine

X, Y = zoo.digits(7)
BENDS = {  # an activation, and its derivative from the activation a
    "sigmoid": (sigmoid, lambda a: a * (1 - a)),
    "tanh": (np.tanh, lambda a: 1 - a**2),
    "relu": (lambda z: np.maximum(z, 0), lambda a: (a > 0).astype(float)),
}
ENDS = {  # of outputs and labels: the outputs' activation, dz, and the loss
    "softmax": (softmax, lambda p, t: p - t, lambda p, t: -(t * np.log(p + 1e-15)).sum()),
    "binary": (
        sigmoid,
        lambda p, t: p - t,
        lambda p, t: -(t * np.log(p + 1e-15) + (1 - t) * np.log(1 - p + 1e-15)).sum(),
    ),
    "squares": (
        sigmoid,
        lambda p, t: (p - t) * p * (1 - p),
        lambda p, t: 0.5 * ((p - t) ** 2).sum(),
    ),
}


class Course:
    """Layers of weights and biases, and a step; a test changes one of the methods."""

    rate, summed, with_bias = 0.3, False, True

    def __init__(self, bend="tanh", end="softmax", hidden=(16,), seed=0):
        rng, sizes = np.random.default_rng(seed), (49, *hidden, 10)
        self.act, self.slope = BENDS[bend]
        self.out, self.error, self.score = ENDS[end]
        self.w = [rng.normal(0, n**-0.5, (n, m)) for n, m in pairwise(sizes)]
        self.b = [np.zeros(m) for m in sizes[1:]]
        self.v = None

    @property
    def parameters(self):
        return self.w + self.b if self.with_bias else self.w

    def forward(self, x):
        a = [x]
        for w, b in zip(self.w, self.b, strict=True):
            z = a[-1] @ w + b
            a.append(self.out(z) if w is self.w[-1] else self.act(z))
        return a

    def predict_proba(self, x):
        return self.forward(x)[-1]

    def back(self, d, k, a):
        return d @ self.w[k].T * self.slope(a[k])

    def of_bias(self, d):
        return d.sum(axis=0)

    def gradients(self, x, y):
        a, gw, gb = self.forward(x), [], []
        d = self.error(a[-1], np.eye(10)[y]) / (1 if self.summed else len(x))
        for k in range(len(self.w) - 1, -1, -1):
            gw.insert(0, a[k].T @ d)
            gb.insert(0, self.of_bias(d))
            d = self.back(d, k, a) if k else d
        return gw + gb if self.with_bias else gw

    def update(self, p, g, k):
        p -= self.rate * g

    def step(self, x, y):
        gradients = self.gradients(x, y)
        for k, (p, g) in enumerate(zip(self.parameters, gradients, strict=True)):
            self.update(p, g, k)


class WithLoss(Course):
    def loss(self, x, y):
        return self.score(self.predict_proba(x), np.eye(10)[y]) / len(x)


class HeavyBall(Course):
    def update(self, p, g, k):
        if self.v is None:
            self.v = {}
        self.v[k] = 0.9 * self.v.get(k, 0 * p) - 0.1 * self.rate * g
        p += self.v[k]


class Nesterov(Course):
    def step(self, x, y):
        kept = [p.copy() for p in self.parameters]
        self.v = self.v or [np.zeros_like(p) for p in kept]
        for p, v in zip(self.parameters, self.v, strict=True):
            p += 0.9 * v
        for p, v, g, old in zip(self.parameters, self.v, self.gradients(x, y), kept, strict=True):
            v[...] = 0.9 * v - 0.1 * self.rate * g
            p[...] = old + v


class Decaying(Course):
    def update(self, p, g, k):
        p -= self.rate * (g + 1e-3 * p * (p.ndim > 1))


class Clipped(Course):
    """Each gradient is made shorter where it is too long, as its own length says."""

    def update(self, p, g, k):
        p -= self.rate * g * min(1, 0.05 / np.linalg.norm(g))


class TwiceForBiases(Course):
    def update(self, p, g, k):
        p -= self.rate * g * (2 if p.ndim == 1 else 1)


class Adam(Course):
    v, t = None, 0

    def step(self, x, y):
        self.t += 1
        self.v = self.v or [(np.zeros(p.shape), np.zeros(p.shape)) for p in self.parameters]
        for p, g, (m, v) in zip(self.parameters, self.gradients(x, y), self.v, strict=True):
            self.means(m, v, g)
            p -= 0.003 * m / (1 - 0.9**self.t) / (np.sqrt(v / (1 - 0.999**self.t)) + 1e-8)

    def means(self, m, v, g):
        m[...] = 0.9 * m + 0.1 * g
        v[...] = 0.999 * v + 0.001 * g**2


def trained(network, steps):
    rng = np.random.default_rng(1)
    for _ in range(steps):
        rows = rng.integers(0, len(X), 32)
        network.step(X[rows], Y[rows])
    return network


def found(network, steps):
    report = examine(trained(network, steps), X, Y)
    return [(each.code, each.says) for each in report.findings], report


RIGHT = {
    f"{kind.__name__} {bend} {end}": (kind, {"bend": bend, "end": end})
    for kind in (Course, WithLoss)
    for bend in BENDS
    for end in ENDS
}
RIGHT |= {
    f"{kind.__name__} {bend}": (kind, {"bend": bend, "hidden": (16, 12)})
    for kind in (HeavyBall, Nesterov, Decaying, Clipped, TwiceForBiases, Adam)
    for bend in BENDS
}


@pytest.mark.parametrize("summed", [False, True])
@pytest.mark.parametrize("name", RIGHT)
def test_right_steps_are_right(name, summed):
    kind, options = RIGHT[name]
    network = type(kind.__name__, (kind,), {"summed": summed})(**options)
    network.rate /= 32 if summed else 1
    codes, report = found(network, 150)
    assert codes == [], report


@pytest.mark.parametrize(
    ("kind", "options", "rate", "steps"),
    [
        (Nesterov, {"bend": "sigmoid", "end": "squares", "seed": 887732}, 1.0, 800),
        (Clipped, {"bend": "relu", "end": "binary", "seed": 65298}, 0.03, 0),
        (Clipped, {"bend": "tanh", "end": "squares", "seed": 381492}, 0.3, 5),
    ],
)
def test_what_was_once_taken_for_an_early_update(kind, options, rate, steps):
    network = kind(hidden=(20, 12), **options)
    network.rate = rate
    codes, report = found(network, steps)
    assert codes == [], report


class OfActivations(Course):
    """The loss that its steps lower, and that nobody sees, has a penalty of activations in it."""

    def penalty(self, a):
        return 0.1 * a

    def back(self, d, k, a):
        return super().back(d, k, a) + self.penalty(a[k]) * self.slope(a[k]) / len(d)


class Sparse(OfActivations):
    """Of sigmoids, whose mean over the batch is to be near 0.05."""

    def penalty(self, a):
        mean = a.mean(axis=0)
        return 0.3 * (0.95 / (1 - mean) - 0.05 / mean)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(
    ("kind", "bend"),
    [(OfActivations, bend) for bend in BENDS] + [(Sparse, "sigmoid")],
)
def test_what_is_learned_besides_the_labels_is_no_wrong_way_back(kind, bend, end):
    for hidden, steps in (((20,), 0), ((20,), 60), ((20, 12), 60)):
        codes, report = found(kind(bend=bend, end=end, hidden=hidden), steps)
        assert codes == [], report


def changed(**methods):
    return lambda kind, **options: type(kind.__name__, (kind,), methods)(**options)


def _no_derivative(self, d, k, a):
    return d @ self.w[k].T


def _of_activation(self, d, k, a):
    twice = self.act(a[k])
    return d @ self.w[k].T * self.slope(twice)


def _another(self, d, k, a):
    return d @ self.w[k].T * (1 - a[k])


def _summed(self, d):
    return np.full(d.shape[1], d.sum())


WRONG = [
    (_no_derivative, "back", "network"),
    (_of_activation, "back", "network_of_activation"),
    (_another, "back", "network_another"),
]


@pytest.mark.parametrize("steps", [0, 150])
@pytest.mark.parametrize("kind", [Course, WithLoss, HeavyBall, Decaying], ids=lambda k: k.__name__)
@pytest.mark.parametrize(("method", "name", "says"), WRONG)
def test_a_derivative_that_is_none(method, name, says, kind, steps):
    for bend in ("tanh",) if says == "network_another" else ("tanh", "sigmoid"):
        codes, report = found(changed(**{name: method})(kind, bend=bend), steps)
        assert codes[:1] == [("gradients.missing_activation", says)], report


@pytest.mark.parametrize("method", [_no_derivative, _of_activation])
@pytest.mark.parametrize("end", ENDS)
def test_a_derivative_that_is_none_without_biases(method, end):
    network = changed(back=method, with_bias=False)(Course, bend="sigmoid", end=end)
    codes, report = found(network, 100)
    says = "network" if method is _no_derivative else "network_of_activation"
    assert codes[:1] == [("gradients.missing_activation", says)], report


def test_biases_of_one_number():
    codes, report = found(changed(of_bias=_summed)(Course, end="squares"), 50)
    assert codes[:1] == [("gradients.bias", "network_one_number")], report


@pytest.mark.parametrize("kind", [Course, WithLoss, HeavyBall], ids=lambda k: k.__name__)
def test_an_error_with_a_factor_too_many(kind):
    network = kind()
    network.error = lambda p, t: (p - t) * p * (1 - p)
    codes, report = found(network, 50)
    if kind is HeavyBall:  # whose velocity may be Nesterov's, for all that can be seen
        assert codes in ([], [("gradients.extra_softmax", "network")]), report
    else:
        assert codes[:1] == [("gradients.extra_softmax", "network")], report


def test_a_loss_and_steps_that_do_not_belong_together():
    network = WithLoss(end="squares")
    network.error = lambda p, t: p - t
    codes, report = found(network, 50)
    assert codes == [("gradients.squares", "network_other")], report
    codes, report = found(Course(end="binary"), 50)
    assert codes == [], report


def test_steps_uphill_of_units_that_are_saturated():
    network = Course(bend="sigmoid", end="squares")
    network.error = lambda p, t: (t - p) * p * (1 - p)
    network.rate = 1
    codes, report = found(network, 100)
    assert codes[:1] == [("train.ascent", "network")], report


def test_pictures_of_which_the_last_alone_counts():
    def gradients(self, x, y):
        return [g / len(x) for g in Course.gradients(self, x[-1:], y[-1:])]

    for end in ENDS:
        codes, report = found(changed(gradients=gradients)(Course, end=end), 50)
        assert codes[:1] == [("gradients.output", "network_last_picture")], report


def test_large_weights_come_after_what_is_wrong_with_weights_of_any_size():
    network = changed(back=_no_derivative)(Course)
    network.w[0] *= 5
    codes, report = found(network, 0)
    assert [code for code, _ in codes] == ["gradients.missing_activation", "init.too_large"], report


def test_a_mean_of_a_mean_in_some_lines():
    def gradients(self, x, y):
        first, *others = Course.gradients(self, x, y)
        return [first * factor(x), *others]

    for factor, code in ((len, "gradients.scale"), (lambda x: 5, "train.rates_differ")):
        codes, report = found(changed(gradients=gradients)(Course), 20)
        assert codes[:1] == [(code, "network_differ" if factor is len else "network")], report


def test_the_rate_in_twice():
    class Twice(HeavyBall):
        def update(self, p, g, k):
            self.v = self.v or {}
            self.v[k] = 0.9 * self.v.get(k, 0 * p) - self.rate * g
            p += self.rate * self.v[k]

    for steps in (0, 100):
        network = Twice()
        network.rate = 0.3  # a number of its own, as those have that are given one
        codes, report = found(network, steps)
        assert codes == [("train.rate_twice", "network_step")], report


# --------------------------------------------------------------------------------------------------
# Adam's means
# --------------------------------------------------------------------------------------------------


def _of_sizes(self, m, v, g):
    m[...] = 0.9 * m + 0.1 * g
    v[...] = 0.999 * v + 0.001 * np.abs(g)


def _turned(self, m, v, g):
    m[...] = 0.1 * m + 0.9 * g
    v[...] = 0.999 * v + 0.001 * g**2


def _squares_turned(self, m, v, g):
    m[...] = 0.9 * m + 0.1 * g
    v[...] = 0.001 * v + 0.999 * g**2


class Late(Course):
    """RMSProp whose squares are renewed after they have been used."""

    def update(self, p, g, k):
        self.v = self.v or {}
        v = self.v.setdefault(k, np.ones(p.shape))
        p -= 0.01 * g / (np.sqrt(v) + 1e-8)
        v[...] = 0.9 * v + 0.1 * g**2


class KeepsItsRate(Adam):
    """Its rate is corrected once more in each step, and kept."""

    kept = 0.003

    def step(self, x, y):
        self.t += 1
        self.v = self.v or [(np.zeros(p.shape), np.zeros(p.shape)) for p in self.parameters]
        self.kept *= np.sqrt(1 - 0.999**self.t) / (1 - 0.9**self.t)
        for p, g, (m, v) in zip(self.parameters, self.gradients(x, y), self.v, strict=True):
            self.means(m, v, g)
            p -= self.kept * m / (np.sqrt(v) + 1e-8)


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize(
    ("make", "says", "steps"),
    [
        (lambda: changed(means=_of_sizes)(Adam), "network_not_squared", 0),
        (lambda: changed(means=_of_sizes)(Adam), "network_not_squared", 100),
        (lambda: changed(means=_turned)(Adam), "network_turned", 0),
        (lambda: changed(means=_turned)(Adam), "network_turned", 100),
        (lambda: changed(means=_squares_turned)(Adam), "network_turned", 0),
        (KeepsItsRate, "network_rate", 0),
        (KeepsItsRate, "network_rate", 10),
        (Late, "network_late", 0),
        (Late, "network_late", 100),
    ],
)
def test_means_of_adam(make, says, steps, gradients):
    network = make()
    trained(network, steps)
    few = types.SimpleNamespace(
        predict_proba=network.predict_proba, parameters=network.parameters, step=network.step
    )
    if gradients:
        few.loss_and_gradients = lambda x, y: (
            network.score(network.predict_proba(x), np.eye(10)[y]) / len(x),
            network.gradients(x, y),
        )
    report = examine(few, X, Y)
    assert [(each.code, each.says) for each in report.findings] == [("train.adam", says)], report


# --------------------------------------------------------------------------------------------------
# Layer normalisation
# --------------------------------------------------------------------------------------------------


class Normalised:
    """A hidden layer whose sums are normalised, picture by picture."""

    def __init__(self, back=None):
        rng, self.back = np.random.default_rng(0), back or self.right
        self.parameters = [rng.normal(0, 0.2, (49, 16)), np.zeros(16), np.ones(16), np.zeros(16)]
        self.parameters += [rng.normal(0, 0.3, (16, 10)), np.zeros(10)]

    def forward(self, x):
        w1, b1, gamma, beta, w2, b2 = self.parameters
        z = x @ w1 + b1
        deviation = np.sqrt(z.var(axis=1, keepdims=True) + 1e-6)
        n = (z - z.mean(axis=1, keepdims=True)) / deviation
        u = gamma * n + beta
        return n, deviation, u, softmax(np.maximum(u, 0) @ w2 + b2)

    def predict_proba(self, x):
        return self.forward(x)[-1]

    @staticmethod
    def right(d, n):
        return d - d.mean(1, keepdims=True) - n * (d * n).mean(1, keepdims=True)

    def of_gamma(self, d, n, u):
        return (d * n).sum(axis=0)

    def loss_and_gradients(self, x, y):
        _, _, gamma, _, w2, _ = self.parameters
        n, deviation, u, p = self.forward(x)
        d2 = (p - np.eye(10)[y]) / len(x)
        d = d2 @ w2.T * (u > 0)
        dz = self.back(d * gamma, n) / deviation
        own = [x.T @ dz, dz.sum(axis=0), self.of_gamma(d, n, u), d.sum(axis=0)]
        loss = -np.log(p[np.arange(len(y)), y] + 1e-15).mean()
        return loss, [*own, np.maximum(u, 0).T @ d2, d2.sum(axis=0)]

    def step(self, x, y):
        for p, g in zip(self.parameters, self.loss_and_gradients(x, y)[1], strict=True):
            p -= 0.1 * g


BACKS = {
    "its mean": lambda d, n: d - n * (d * n).mean(1, keepdims=True),
    "its deviation": lambda d, n: d - d.mean(1, keepdims=True),
    "its mean and its deviation": lambda d, n: d,
}


@pytest.mark.parametrize("steps", [0, 80])
def test_layer_normalisation_on_the_way_back(steps):
    codes, report = found(Normalised(), steps)
    assert codes == [], report
    for what, back in BACKS.items():
        codes, report = found(Normalised(back), steps)
        assert codes[:1] == [("gradients.wrong", "network_constants")], report
        assert report.findings[0].values["what"] == what
    codes, report = found(Normalised(lambda d, n: d - d.mean(0) - n * (d * n).mean(0)), steps)
    assert codes[:1] == [("gradients.wrong", "network_mixed")], report


def test_the_gradient_of_gamma():
    network = Normalised()
    network.of_gamma = lambda d, n, u: (d * u).sum(axis=0)
    for array in network.parameters[2:4]:
        array += np.random.default_rng(3).normal(0, 0.1, 16)
    codes, report = found(network, 30)
    assert codes == [("gradients.wrong", "network_gamma")], report
