"""Bugs beside their neighbours: what differs in one line, and what is right and looks like them."""

import types
from itertools import pairwise

import numpy as np
import pytest
import zoo
from samples import sample

from mnist_book import examine

X, Y = zoo.digits(7)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


class Net:
    """Two layers; what a program does in another way is a method, or an argument."""

    rate = 0.1

    def __init__(self, sizes=(49, 20, 10), trained=40, data=(X, Y)):
        rng = np.random.default_rng(2)
        self.p = []
        for n, m in pairwise(sizes):
            self.p += [rng.normal(0, np.sqrt(2 / n), (n, m)), np.zeros(m)]
        self.memory, self.time, self.rng = {}, 0, np.random.default_rng(5)
        for _ in range(trained):
            rows = rng.integers(0, len(data[0]), 32)
            self.step(data[0][rows], data[1][rows])

    @property
    def parameters(self):
        return self.p

    def hidden(self, x):
        return np.maximum(x @ self.p[0] + self.p[1], 0)

    def outputs(self, z):
        return softmax(z)

    def logits(self, x):
        return self.hidden(x) @ self.p[2] + self.p[3]

    def predict_proba(self, x):
        return self.outputs(self.logits(x))

    def one_hot(self, y):
        return np.eye(10)[y]

    def value(self, p, y):
        return float(-(self.one_hot(y) * np.log(p + 1e-12)).sum() / len(y))

    def back(self, x, y, mask=1.0):
        h = np.maximum(x @ self.p[0] + self.p[1], 0) * mask
        p = self.outputs(h @ self.p[2] + self.p[3])
        d = (p - self.one_hot(y)) / len(y)
        dh = d @ self.p[2].T * (h > 0) * mask
        return self.value(p, y), [x.T @ dh, dh.sum(axis=0), h.T @ d, d.sum(axis=0)]

    def loss_and_gradients(self, x, y):
        return self.back(x, y)

    def step(self, x, y):
        self.time += 1
        for k, gradient in enumerate(self.loss_and_gradients(x, y)[1]):
            self.update(k, self.p[k], gradient, self.memory.setdefault(k, {}))

    def update(self, k, p, g, memory):
        p -= self.rate * g


def alone(network, *names):
    """Give away a few of its methods only."""
    members = {name: getattr(network, name) for name in ("predict_proba", "parameters", *names)}
    return types.SimpleNamespace(**members)


def mean(memory, name, factor, value):
    memory[name] = factor * memory.get(name, 0) + (1 - factor) * value
    return memory[name]


# --------------------------------------------------------------------------------------------------
# Adam and its like, once they are trained
# --------------------------------------------------------------------------------------------------


class Adam(Net):
    """The corrections depend on what `times` makes of the time; `b1` and `b2` are the factors."""

    b1, b2 = 0.9, 0.999

    def times(self, k):
        return self.time, self.time

    def corrections(self, k):
        t1, t2 = self.times(k)
        return 1 - self.b1**t1, 1 - self.b2**t2

    def update(self, k, p, g, memory):
        m, v = mean(memory, "m", self.b1, g), mean(memory, "v", self.b2, g**2)
        first, second = self.corrections(k)
        p -= 0.001 * m / first / (np.sqrt(v / second) + 1e-8)


def adam(**members):
    """Make a trained network that takes its steps in another way."""
    return type("Changed", (Adam,), members)()


@pytest.mark.parametrize(
    ("words", "members"),
    [
        ("do not change with time", {"times": lambda self, k: (1, 1)}),
        ("one of the corrections", {"corrections": lambda self, k: (1, 1 - 0.999**self.time)}),
        ("with each parameter", {"times": lambda self, k: (4 * self.time + k,) * 2}),
        ("exchanged", {"b1": 0.999, "b2": 0.9}),
    ],
)
def test_adam_s_mistakes_show_after_any_training(words, members):
    report = examine(adam(**members), X, Y)
    assert report.findings[0].code == "train.adam" and words in report.findings[0].message, report


def test_adam_s_corrections_show_without_gradients():
    network = alone(adam(corrections=lambda self, k: (1, 1)), "step")
    assert [each.code for each in examine(network, X, Y).findings] == ["train.adam"]


@pytest.mark.parametrize("names", [(), ("step",)])
def test_adam_s_means_in_one_array(names):
    def update(self, k, p, g, memory):
        both = memory.setdefault("both", np.zeros(g.shape))
        both += 0.1 * (g - both)
        both += 0.001 * (g**2 - both)
        first, second = self.corrections(k)
        p -= 0.001 * both / first / (np.sqrt(np.abs(both) / second) + 1e-8)

    network = adam(update=update)
    report = examine(alone(network, *names) if names else network, X, Y)
    assert [each.says for each in report.findings] == ["network_one_array"], report


def rmsprop_with_momentum(self, k, p, g, memory):
    root = np.sqrt(mean(memory, "v", 0.99, g**2)) + 1e-8
    memory["m"] = 0.9 * memory.get("m", 0) + 0.0003 * g / root
    p -= memory["m"]


def adamax(self, k, p, g, memory):
    memory["u"] = np.maximum(0.999 * memory.get("u", 0 * g), np.abs(g))
    p -= 0.002 / (1 - 0.9**self.time) * mean(memory, "m", 0.9, g) / (memory["u"] + 1e-8)


RIGHT_METHODS = {
    "RMSProp with momentum, new": {"update": rmsprop_with_momentum, "fresh": True},
    "Adamax": {"update": adamax},
    "Adam that has gone on for long": {"start": 20_000},
}


@pytest.mark.parametrize("name", RIGHT_METHODS)
def test_right_methods_are_right(name):
    members = RIGHT_METHODS[name]
    network = type("Changed", (Adam,), members)(trained=0 if "fresh" in members else 40)
    network.time += members.get("start", 0)
    report = examine(network, X, Y)
    assert report.ok, report


# --------------------------------------------------------------------------------------------------
# Steps
# --------------------------------------------------------------------------------------------------


class Late(Net):
    def update(self, k, p, g, memory):
        p -= 0.02 * memory.get("v", 0)
        memory["v"] = 0.9 * memory.get("v", 0) + g


class Half(Net):
    def step(self, x, y):
        super().step(x[: len(x) // 2], y[: len(x) // 2])


class Growing(Adam):
    def update(self, k, p, g, memory):
        super().update(k, p, g, memory)
        p += 5e-5 * p


class Shrinking(Adam):
    def update(self, k, p, g, memory):
        super().update(k, p, g, memory)
        p -= 5e-5 * p


class Uphill(Net):
    def update(self, k, p, g, memory):
        p += 0.1 * (g if k == 3 else -g)


class Naive(Net):
    """Its softmax subtracts no maximum, which is no more than a danger."""

    def outputs(self, z):
        e = np.exp(z)
        return e / e.sum(axis=1, keepdims=True)


class NaiveTenth(Naive):
    def value(self, p, y):
        return super().value(p, y) / 10


@pytest.mark.parametrize(
    ("code", "words", "network"),
    [
        ("train.momentum", "batch before", Late()),
        ("train.ignores_batch", "12 of the 24", Half()),
        ("gradients.decay", "wrong sign", Growing()),
        ("train.ascent", "against the others", alone(Uphill(), "step")),
        ("cross_entropy.not_mean", "0.1 times", NaiveTenth()),
    ],
)
def test_a_step_is_told_from_its_neighbours(code, words, network):
    report = examine(network, X, Y)
    assert report.findings[0].code == code and words in report.findings[0].message, report


def test_weight_decay_of_adam_is_right():
    assert examine(Shrinking(), X, Y).ok


# --------------------------------------------------------------------------------------------------
# Labels, and the network that is trained
# --------------------------------------------------------------------------------------------------


class Merged(Net):
    def one_hot(self, y):
        return np.eye(10)[np.minimum(y, 8)]


class Scrambled(Net):
    def one_hot(self, y):
        return np.eye(10)[:, y].reshape(len(y), 10)


class OtherBend(Net):
    def hidden(self, x):
        return np.tanh(x @ self.p[0] + self.p[1])


class Tempered(Net):
    def outputs(self, z):
        return softmax(z)

    def predict_proba(self, x):
        return softmax((self.hidden(x) @ self.p[2] + self.p[3]) / 1.5)


class Dropping(Net):
    """Dropout in the step only: `scale` is what the mask is multiplied by, `later` the outputs."""

    keep, scale, later = 0.5, 2.0, 1.0

    def hidden(self, x):
        return self.later * super().hidden(x)

    def loss_and_gradients(self, x, y):
        return self.back(x, y, self.later)

    def step(self, x, y):
        mask = (self.rng.random((len(x), 20)) < self.keep) * self.scale
        for p, g in zip(self.p, self.back(x, y, mask)[1], strict=True):
            p -= 0.1 * g


def dropping(*names, **members):
    network = type("Changed", (Dropping,), members)()
    return alone(network, *names) if names else network


@pytest.mark.parametrize(
    ("code", "words", "network"),
    [
        ("cross_entropy.wrong_class", "9 for 8", Merged()),
        ("cross_entropy.wrong_class", "an index is off", Scrambled()),
        ("network.modes", "two forward passes", OtherBend()),
        ("network.modes", "not scaled", dropping(scale=1.0)),
        ("network.modes", "not scaled", dropping("step", scale=1.0)),
        ("network.modes", "twice", dropping(later=0.5)),
    ],
)
def test_what_is_trained_is_told_from_what_predicts(code, words, network):
    report = examine(network, X, Y)
    assert report.findings[0].code == code and words in report.findings[0].message, report


@pytest.mark.parametrize("network", [Tempered(), dropping("step"), dropping(scale=1.0, later=0.5)])
def test_what_is_trained_may_look_different(network):
    assert examine(network, X, Y).ok


class Normalised(Net):
    """Batch normalisation: `keep` stores running averages, `normal` is what predicts with them."""

    def __init__(self):
        self.mean, self.variance = np.zeros(20), np.ones(20)
        super().__init__(trained=0)
        self.p = [self.p[0], np.full(20, 1.3), np.full(20, 0.1), *self.p[2:]]
        for start in range(0, 480, 40):
            self.step(X[start : start + 40], Y[start : start + 40])

    def keep(self, z):
        self.mean = 0.9 * self.mean + 0.1 * z.mean(axis=0)
        self.variance = 0.9 * self.variance + 0.1 * z.var(axis=0)

    def normal(self, z):
        return self.p[1] * (z - self.mean) / np.sqrt(self.variance + 1e-5) + self.p[2]

    def predict_proba(self, x):
        return softmax(np.maximum(self.normal(x @ self.p[0]), 0) @ self.p[3] + self.p[4])

    def loss_and_gradients(self, x, y):
        z = x @ self.p[0]
        self.keep(z)
        root = np.sqrt(z.var(axis=0) + 1e-5)
        n = (z - z.mean(axis=0)) / root
        h = np.maximum(self.p[1] * n + self.p[2], 0)
        p = softmax(h @ self.p[3] + self.p[4])
        d = (p - self.one_hot(y)) / len(y)
        da = d @ self.p[3].T * (h > 0)
        dn = da * self.p[1]
        dz = (dn - dn.mean(axis=0) - n * (dn * n).mean(axis=0)) / root
        gradients = [x.T @ dz, (da * n).sum(axis=0), da.sum(axis=0), h.T @ d, d.sum(axis=0)]
        return self.value(p, y), gradients


class NeverKept(Normalised):
    def keep(self, z):
        pass


def test_running_averages_must_become_those_of_a_batch_that_comes_again():
    report = examine(NeverKept(), X, Y)
    assert [each.code for each in report.findings] == ["network.modes"], report


class Averaged(Net):
    """Predicts with averages of its weights; at `pace` 0 they stay as they are."""

    pace = 0.1

    def __init__(self):
        super().__init__(trained=0)
        self.averages = [array.copy() for array in self.p]

    def predict_proba(self, x):
        w1, b1, w2, b2 = self.averages
        return softmax(np.maximum(x @ w1 + b1, 0) @ w2 + b2)

    def step(self, x, y):
        super().step(x, y)
        for average, array in zip(self.averages, self.p, strict=True):
            average += self.pace * (array - average)


class Copied(Averaged):
    pace = 0.0


def test_averages_of_normalisation_and_of_weights_may_be_what_predicts():
    assert examine(Normalised(), X, Y).ok
    assert not examine(Averaged(), X, Y).findings


def test_predictions_by_weights_that_are_never_trained():
    report = examine(Copied(), X, Y)
    assert [each.code for each in report.findings] == ["network.modes"], report


# --------------------------------------------------------------------------------------------------
# What is left out
# --------------------------------------------------------------------------------------------------


class Keeping(Net):
    """Its steps leave some parameters as they are."""

    kept = ()

    def update(self, k, p, g, memory):
        p -= 0.1 * g * (k not in self.kept)


def test_without_gradients_a_parameter_that_never_changes_is_found():
    network = alone(type("Kept", (Keeping,), {"kept": (2,)})(), "step")
    report = examine(network, X, Y)
    assert [each.code for each in report.findings] == ["train.no_update"], report


def test_a_digit_that_is_nowhere(digits):
    x, y = digits
    for lost, found in ((y == 3, ["network.missing_digit"]), (y > 9, [])):
        network = Net((784, 16, 10), 150, (x[~lost], y[~lost]))
        report = examine(network, x[y != 3], y[y != 3])
        assert [each.code for each in report.findings] == found, report


class ForBytes(Net):
    """Pixels from 0 to 255: smaller first weights, and a rate that is smaller by the square."""

    def __init__(self, rates=(255**-2, 1, 1, 1)):
        self.rates = rates
        super().__init__(trained=0)
        self.p[0] /= 255
        for start in range(0, 4 * len(X), 30):
            rows = np.arange(start, start + 30) % len(X)
            self.step(255 * X[rows], Y[rows])

    def loss_and_gradients(self, x, y):
        return self.back(x, y)

    def step(self, x, y):
        for rate, p, g in zip(self.rates, self.p, self.back(x, y)[1], strict=True):
            p -= 0.1 * rate * g


def test_a_rate_that_makes_up_for_bytes_is_no_bug():
    assert not examine(ForBytes(), 255 * X, Y).findings
    report = examine(ForBytes((255**-2, 1, 0.1, 1)), 255 * X, Y)
    assert report.findings[0].code == "train.rates_differ", report


class MaskForgotten(Net):
    """Dropout of a mask that each call draws alike, and that is missing on the way back."""

    def loss_and_gradients(self, x, y):
        mask = 2.0 * (np.random.default_rng(9).random((len(x), 20)) < 0.5)
        h = np.maximum(x @ self.p[0] + self.p[1], 0)
        p = softmax(h * mask @ self.p[2] + self.p[3])
        d = (p - self.one_hot(y)) / len(y)
        dh = d @ self.p[2].T * (h > 0)
        return self.value(p, y), [x.T @ dh, dh.sum(0), (h * mask).T @ d, d.sum(axis=0)]


def test_a_forgotten_mask_is_not_taken_for_batch_normalisation():
    report = examine(MaskForgotten(), X, Y)
    assert report.findings[0].code == "gradients.wrong", report
    assert "a dropout mask" in str(report) and "normalisation" not in str(report)


class Falling(Net):
    """Sigmoid outputs with a sign wrong in the exponent, over their sum."""

    def outputs(self, z):
        a = 1 / (1 + np.exp(np.clip(z, -700, 700)))
        return a / a.sum(axis=1, keepdims=True)


def test_sigmoids_that_fall_are_no_squashed_softmax():
    report = examine(alone(Falling(trained=0)), X, Y)
    assert not any(each.code == "softmax.squashed" for each in report.findings), report


class Sigmoids(Net):
    """A question for each class; the halves of binary cross-entropy are for yes, and for no."""

    halves, halves_of_gradients = (1, 1), (1, 1)

    def outputs(self, z):
        return zoo.sigmoid(z)

    def predict_proba(self, x):
        a = super().predict_proba(x)
        return a / a.sum(axis=1, keepdims=True)

    def value(self, p, y):
        (yes, no), t = self.halves, self.one_hot(y)
        return float(-(yes * t * np.log(p) + no * (1 - t) * np.log(1 - p)).sum() / len(y))

    def loss_and_gradients(self, x, y):
        (yes, no), t, h = self.halves_of_gradients, self.one_hot(y), self.hidden(x)
        a = self.outputs(h @ self.p[2] + self.p[3])
        d = (yes * t * (a - 1) + no * (1 - t) * a) / len(y)
        dh = d @ self.p[2].T * (h > 0)
        return self.value(a, y), [x.T @ dh, dh.sum(axis=0), h.T @ d, d.sum(axis=0)]


@pytest.mark.parametrize(
    ("code", "words", "of_loss", "of_gradients"),
    sample(
        [
            ("cross_entropy.half", "should have them too", (1, 0), (1, 1)),
            ("cross_entropy.half", "other classes to be small", (1, 0), (1, 0)),
            ("cross_entropy.half", "without the other half", (0, 1), (1, 1)),
            ("gradients.output", "for all classes but the label's", (1, 1), (1, 0)),
            ("gradients.output", "for the label's own class", (1, 1), (0, 1)),
        ],
        3,
    ),
)
def test_which_half_of_binary_cross_entropy_is_missing(code, words, of_loss, of_gradients):
    members = {"halves": of_loss, "halves_of_gradients": of_gradients}
    report = examine(type("Half", (Sigmoids,), members)(), X, Y)
    assert report.findings[0].code == code and words in report.findings[0].message, report


def test_both_halves_are_right():
    assert examine(Sigmoids(), X, Y).ok


class WarmingUp(Net):
    @property
    def rate(self):
        return 1e-5 * self.time


def slow(trained, network=Net, rate=1e-5):
    return type("Slow", (network,), {"rate": rate})(trained=trained)


def test_a_rate_that_is_far_too_small():
    report = examine(slow(100), X, Y)
    assert [each.code for each in report.findings] == ["train.rate_too_low"], report
    new = examine(slow(0), X, Y)
    assert new.ok and any("very short" in doubt for doubt in new.doubts), new


def test_short_steps_are_no_bug_in_a_warm_up_and_after_training():
    decayed = Net(trained=600)
    decayed.rate = 1e-6
    for network in (WarmingUp(trained=0), decayed):
        report = examine(network, X, Y)
        assert report.ok and not any("very short" in doubt for doubt in report.doubts), report


# --------------------------------------------------------------------------------------------------
# Pictures that are known by heart
# --------------------------------------------------------------------------------------------------


def fitted(rows, steps=400):
    """Train until these pictures are known by heart."""
    network, rng = type("Fast", (Net,), {"rate": 0.5})((49, 40, 10), 0), np.random.default_rng(1)
    for _ in range(steps):
        batch = rng.choice(rows, 32)
        network.step(X[batch], Y[batch])
    return network


def known_by_heart(network, x, y):
    return [doubt for doubt in examine(network, x, y).doubts if "by heart" in doubt]


def test_pictures_at_one_end_that_are_known_by_heart():
    network = fitted(np.arange(124))
    for end, order in (("first 12", slice(None)), ("last 12", slice(None, None, -1))):
        (doubt,) = known_by_heart(network, X[order], Y[order])
        assert f"the {end}" in doubt


def test_pictures_in_any_order_may_be_read_better_at_one_end():
    network, rng = Net(trained=300), np.random.default_rng(1)
    p = network.predict_proba(X)
    for sizes in (p[np.arange(len(Y)), Y], Y):
        order = np.argsort(-sizes, kind="stable")
        assert not known_by_heart(network, X[order], Y[order])
    noisy, third = X.copy(), len(X) // 3
    noisy[third:] += rng.normal(0, 0.5, noisy[third:].shape)
    assert not known_by_heart(fitted(np.arange(third)), noisy, Y)


# --------------------------------------------------------------------------------------------------
# Steps that are right, and of no use
# --------------------------------------------------------------------------------------------------


class Fading(Net):
    factor = 0.95

    def step(self, x, y):
        super().step(x, y)
        self.rate *= self.factor


class Cosine(Net):
    @property
    def rate(self):
        return 0.2 * (1 + np.cos(np.pi * min(self.time / 80, 1)))


class Decaying(Net):
    """Weight decay takes this share of all weights in each step."""

    share = 0.1

    def update(self, k, p, g, memory):
        p -= 0.5 * g + self.share * p * (p.ndim > 1)


class Adding(Net):
    """Gradients add up from step to step."""

    def update(self, k, p, g, memory):
        memory["g"] = memory.get("g", 0) + g
        p -= 0.01 * memory["g"]


class Turned(Net):
    def update(self, k, p, g, memory):
        p -= 0.1 * (g.T if k == 2 else g)


class Unsigned(Net):
    def update(self, k, p, g, memory):
        p -= 0.01 * np.sqrt(g**2)


class Spread(Net):
    def update(self, k, p, g, memory):
        p -= 0.1 * g.mean(axis=0)


class OneDivisor(Net):
    """Gradients of a sum, divided by the usual size of a batch."""

    def loss_and_gradients(self, x, y):
        loss, gradients = self.back(x, y)
        return loss, [g * len(y) / 32 for g in gradients]


class Overwritten(Net):
    """The loss is that of what is left when the labels have been subtracted."""

    def value(self, p, y):
        with np.errstate(invalid="ignore"):
            return super().value(self.limited(p - self.one_hot(y)), y)

    def limited(self, p):
        return np.maximum(p, 1e-9)


class OverwrittenWithoutLimit(Overwritten):
    def limited(self, p):
        return p


@pytest.mark.parametrize(
    ("code", "words", "network"),
    sample(
        [
            ("train.rate_falls", "14 steps halve them", Fading()),
            ("train.rate_falls", "14 steps halve them", alone(Fading(), "step")),
            ("gradients.decay", "takes 0.1 times the weights", Decaying()),
            ("train.momentum", "grow without end", alone(Adding(), "step")),
            ("train.direction", "parameters[2] step along", Turned((49, 10, 10))),
            ("train.direction", "whatever the sign", Unsigned()),
            ("train.direction", "one and the same number", Spread()),
            ("gradients.scale", "divided by 32", OneDivisor()),
            ("cross_entropy.overwritten", "always the same", Overwritten()),
            ("cross_entropy.overwritten", "not a number", OverwrittenWithoutLimit()),
        ],
        5,
    ),
)
def test_what_keeps_right_steps_from_use(code, words, network):
    report = examine(network, X, Y)
    assert [each.code for each in report.findings] == [code], report
    assert words in report.findings[0].message


@pytest.mark.parametrize(
    "network",
    sample(
        [
            type("Slowly", (Fading,), {"factor": 0.99})(),
            Cosine(),
            alone(Cosine(), "step"),
            type("Little", (Decaying,), {"share": 1e-3})(trained=0),
        ],
        2,
    ),
)
def test_schedules_and_weight_decay_may_be_so(network):
    assert examine(network, X, Y).ok


# --------------------------------------------------------------------------------------------------
# What is returned in place of probabilities
# --------------------------------------------------------------------------------------------------


def returning(change):
    """A network that returns something else than what it is trained with."""
    return type("Other", (Net,), {"predict_proba": lambda self, x: change(self.logits(x))})()


@pytest.mark.parametrize(
    ("code", "words", "change"),
    [
        ("softmax.rounded", "are rounded", lambda z: np.round(softmax(z), 1)),
        ("softmax.rounded", "whole numbers", lambda z: softmax(z).astype(int)),
        ("softmax.rounded", "decisions", lambda z: np.eye(10)[z.argmax(axis=1)]),
        ("softmax.no_exp", "These are logits", lambda z: z),
        ("softmax.no_exp", "their own maximum", lambda z: softmax(z / np.abs(z).max(1)[:, None])),
    ],
)
def test_what_is_no_softmax_is_called_by_its_name(code, words, change):
    report = examine(returning(change), X, Y)
    assert report.findings[0].code == code and words in report.findings[0].message, report


def test_tied_and_saturated_probabilities_are_not_rounded():
    tied, sure = Net(trained=0), Net(trained=0)
    tied.p[2][...] = 0
    sure.p[2] *= 1e6
    for network in (tied, sure):
        report = examine(network, X, Y)
        assert not any(each.code == "softmax.rounded" for each in report.findings), report
