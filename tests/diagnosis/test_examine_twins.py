"""Right networks that were once accused, each beside the bug that it was taken for."""

import functools
from itertools import pairwise

import numpy as np
import pytest
import zoo
from zoo import softmax

import mnist_core
from mnist_book import dataset, examine

X, Y = zoo.digits(7)


class Stack:
    """Dense layers whose arrays are in one dictionary; what is special is a method of its own."""

    rate = 0.2

    def __init__(self, *sizes, seed=0):
        rng, self.p = np.random.default_rng(seed), {}
        self.last = len(sizes) - 2
        for k, (n, m) in enumerate(pairwise(sizes or (49, 20, 10))):
            self.last = k
            self.p[f"W{k}"], self.p[f"b{k}"] = self.draw(rng, n, m), np.zeros(m)

    def draw(self, rng, n, m):
        return rng.normal(0, np.sqrt(2 / n), (n, m))

    @property
    def parameters(self):
        return list(self.p.values())

    def look(self, x):
        return x

    def bend(self, z, k):
        return np.maximum(z, 0)

    def slope(self, z):
        return (z > 0).astype(float)

    def run(self, x):
        zs, outputs = [], [self.look(x)]
        for k in range(self.last + 1):
            zs.append(self.layer(outputs[-1], k))
            outputs.append(self.bend(zs[-1], k) if k < self.last else zs[-1])
        return zs, outputs

    def layer(self, a, k):
        return a @ self.p[f"W{k}"] + self.p[f"b{k}"]

    def predict_proba(self, x):
        return softmax(self.run(x)[1][-1])

    def reduce(self, losses):
        return losses.mean()

    def share(self, count):
        return 1 / count

    def loss_and_gradients(self, x, y):
        zs, outputs = self.run(x)
        p, found = softmax(zs[-1]), {}
        d = (p - np.eye(p.shape[1])[y]) * self.share(len(y))
        for k in range(self.last, -1, -1):
            found[f"W{k}"], found[f"b{k}"] = outputs[k].T @ d, d.sum(axis=0)
            if k:
                d = d @ self.p[f"W{k}"].T * self.slope(zs[k - 1])
        losses = -np.log(p[np.arange(len(y)), y] + 1e-12)
        return float(self.reduce(losses)), [found[name] for name in self.p]

    def step(self, x, y):
        for array, gradient in zip(self.p.values(), self.loss_and_gradients(x, y)[1], strict=True):
            array -= self.rate * gradient


def trained(network, steps=200, x=X, y=Y):
    rng = np.random.default_rng(1)
    for _ in range(steps):
        rows = rng.integers(0, len(x), 32)
        network.step(x[rows], y[rows])
    return network


def codes(report):
    return [finding.code for finding in report.findings]


# --------------------------------------------------------------------------------------------------
# Nothing learnt yet
# --------------------------------------------------------------------------------------------------


def zero_head(*sizes, prior=0.0):
    network = Stack(*sizes)
    network.p[f"W{network.last}"][...] = 0
    network.p[f"b{network.last}"][...] = prior * np.arange(10) / 10
    return network


def dead(network):
    network.p["b0"] -= 30
    network.p["b1"][3] += 0.1
    return network


# --------------------------------------------------------------------------------------------------
# Steps that are random in themselves
# --------------------------------------------------------------------------------------------------


class Dropping(Stack):
    """Dropout in the step alone; its loss and gradients are those without."""

    def __init__(self, *sizes, seed=0, share=0.5):
        super().__init__(*sizes, seed=seed)
        self.drops, self.dropped, self.mask = np.random.default_rng(3), share, 1.0

    def bend(self, z, k):
        return np.maximum(z, 0) * self.mask

    def slope(self, z):
        return (z > 0) * self.mask

    def step(self, x, y):
        shape = len(x), self.p["b0"].size
        self.mask = (self.drops.random(shape) > self.dropped) / (1 - self.dropped)
        super().step(x, y)
        self.mask = 1.0


class Noisy(Stack):
    """Noise on the pictures, drawn anew in each step."""

    def step(self, x, y):
        super().step(x + np.random.normal(0, 1, x.shape), y)  # noqa: NPY002


class Mixing(Stack):
    """Two orders of its own for pictures and labels, drawn anew in each step."""

    shuffles = np.random.default_rng(4)

    def step(self, x, y):
        super().step(x[self.shuffles.permutation(len(x))], y[self.shuffles.permutation(len(y))])


class Together(Stack):
    """One order of its own for both, and some of them left out."""

    def step(self, x, y):
        rows = np.random.permutation(len(x))[: len(x) // 2]  # noqa: NPY002
        super().step(x[rows], y[rows])


class Committee:
    """The mean of the probabilities of some networks; each draws its own examples."""

    def __init__(self, mixed=False):
        self.members = [Stack(49, 6 + 3 * k, 10, seed=k) for k in range(4)]
        self.draws, self.mixed = np.random.RandomState(2), mixed

    @property
    def parameters(self):
        return [array for member in self.members for array in member.parameters]

    def predict_proba(self, x):
        return np.mean([member.predict_proba(x) for member in self.members], axis=0)

    def loss_and_gradients(self, x, y):
        parts = [member.loss_and_gradients(x, y) for member in self.members]
        gradients = [g / len(parts) for _, part in parts for g in part]
        return float(np.mean([loss for loss, _ in parts])), gradients

    def step(self, x, y):
        for member in self.members:
            rows = self.draws.randint(0, len(x), len(x))
            labels = y[self.draws.permutation(rows)] if self.mixed else y[rows]
            member.step(x[rows], labels)


# --------------------------------------------------------------------------------------------------
# Steps that leave parameters as they are
# --------------------------------------------------------------------------------------------------


def moving(*names):
    """A network whose step moves these parameters only."""

    def step(self, x, y):
        found = dict(zip(self.p, self.loss_and_gradients(x, y)[1], strict=True))
        for name in names:
            self.p[name] -= 0.2 * found[name]

    return type("Moving", (Stack,), {"step": step})(49, 20, 12, 10)


class Adam(Stack):
    overwrites = False

    def __init__(self, *sizes, seed=0):
        super().__init__(*sizes, seed=seed)
        self.means = {name: [0.0, 0.0] for name in self.p}
        self.time = 0

    def step(self, x, y):
        self.time += 1
        for (name, array), g in zip(self.p.items(), self.loss_and_gradients(x, y)[1], strict=True):
            m, v = self.means[name]
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            corrected = m / (1 - 0.9**self.time), v / (1 - 0.999**self.time)
            self.means[name] = list(corrected) if self.overwrites else [m, v]
            array -= 0.002 * corrected[0] / (np.sqrt(corrected[1]) + 1e-8)


class Overwriting(Adam):
    overwrites = True


class Early(Stack):
    """Each layer takes its step before the error goes through its weights."""

    def step(self, x, y):
        zs, outputs = self.run(x)
        d = (softmax(zs[-1]) - np.eye(10)[y]) / len(y)
        for k in range(self.last, -1, -1):
            self.p[f"W{k}"] -= self.rate * outputs[k].T @ d
            self.p[f"b{k}"] -= self.rate * d.sum(axis=0)
            if k:
                d = d @ self.p[f"W{k}"].T * self.slope(zs[k - 1])


# --------------------------------------------------------------------------------------------------
# Inputs, losses, layers
# --------------------------------------------------------------------------------------------------


class Standardising(Stack):
    """Its inputs are standardised inside; a pixel that nearly never varies becomes very large."""

    def __init__(self, *sizes, seed=0):
        super().__init__(*sizes, seed=seed)
        self.mean, self.deviation = X.mean(axis=0), np.maximum(X.std(axis=0), 1e-4)
        self.deviation[:8] = 1e-4

    def look(self, x):
        seen = (x - self.mean) / self.deviation
        seen[:, :8] = np.where(np.abs(x[:, :8]) < 0.3, 0, seen[:, :8])
        return seen


class Unseen(Standardising):
    """The first layer's gradient is made of the pictures as they came in."""

    def loss_and_gradients(self, x, y):
        loss, gradients = super().loss_and_gradients(x, y)
        z = self.run(x)[0][0]
        p = self.predict_proba(x)
        d = (p - np.eye(10)[y]) / len(y) @ self.p["W1"].T * self.slope(z)
        return loss, [x.T @ d, *gradients[1:]]


class Summed(Stack):
    rate = 0.005

    def reduce(self, losses):
        return losses.sum()

    def share(self, count):
        return 1.0


class SummedLossAlone(Stack):
    def reduce(self, losses):
        return losses.sum()


class InBits(Stack):
    def reduce(self, losses):
        return losses.mean() / np.log(2)

    def share(self, count):
        return 1 / count / np.log(2)


class Maps(zoo.Net):
    """A convolution whose activations keep their four dimensions."""

    def __init__(self):
        rng = np.random.default_rng(0)
        kernels = rng.normal(0, np.sqrt(2 / 9), (4, 1, 3, 3))
        layers = [zoo.Convolution(kernels, 7), zoo.Activation("relu")]
        layers += [zoo.Dense(rng.normal(0, 0.1, (100, 10)))]
        super().__init__(layers, "cross-entropy", zoo.sgd, 10)

    def activations(self, x):
        maps, scores = super().activations(x)
        return [maps.reshape(len(x), 4, 5, 5), scores]


class Vector(Stack):
    """Its activations have lost the batch."""

    def activations(self, x):
        return [a.mean(axis=0) for a in self.run(x)[1][1:]]


class Redrawing(Stack):
    """The hidden layer also redraws the picture, with the weights it was read with, turned."""

    forgets = False

    def __init__(self, *sizes, seed=0):
        super().__init__(*sizes, seed=seed)
        self.p["drawn"] = np.full(49, 0.1)

    def loss_and_gradients(self, x, y):
        _, (_, h, _) = self.run(x)
        drawn = h @ self.p["W0"].T + self.p["drawn"]
        error = 0.1 * (drawn - x) / len(x)
        names = [name for name in self.p if name != "drawn"]
        kept, self.p = self.p, {name: self.p[name] for name in names}
        loss, gradients = super().loss_and_gradients(x, y)
        self.p = kept
        back = error @ self.p["W0"] * (h > 0)
        gradients[0] = gradients[0] + x.T @ back + error.T @ h
        gradients[1] = gradients[1] + back.sum(axis=0)
        own = error.sum(axis=0) * (not self.forgets)
        return loss + 0.05 * ((drawn - x) ** 2).sum() / len(x), [*gradients, own]


class NotDrawn(Redrawing):
    forgets = True


class Biasless(Stack):
    """The hidden layers' biases have gradients and take steps, and are never added."""

    def layer(self, a, k):
        return a @ self.p[f"W{k}"] + (self.p[f"b{k}"] if k == self.last else 0)


class ConstantBelow(Stack):
    """np.where(z > 0, z, 0.05), where 0.05 * z is meant."""

    def bend(self, z, k):
        return np.where(z > 0, z, 0.05)

    def slope(self, z):
        return np.where(z > 0, 1.0, 0.05)


class PlainBelow(Stack):
    """Leaky ReLU, on the way back plain."""

    def bend(self, z, k):
        return np.where(z > 0, z, 0.02 * z)


class Leaky(PlainBelow):
    def slope(self, z):
        return np.where(z > 0, 1.0, 0.02)


class Kept(Stack):
    """ReLU into arrays that are kept, one for each layer and size."""

    clears = True

    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.arrays = {}

    def bend(self, z, k):
        kept = self.arrays.setdefault((k, len(z)), np.zeros_like(z))
        if self.clears:
            kept[...] = 0
        np.copyto(kept, z, where=z > 0)
        return kept.copy()


class Stale(Kept):
    clears = False


class SeededAnew(Stack):
    def draw(self, rng, n, m):
        return np.random.default_rng(7).standard_normal((n, m)) * np.sqrt(2 / n)


class Tied(Stack):
    """The layer in the middle multiplies by the first one's weights, turned."""

    def __init__(self):
        super().__init__(49, 20, 49, 10)
        self.p["W1"] = self.p["W0"].T

    def step(self, x, y):
        gradients = dict(zip(self.p, self.loss_and_gradients(x, y)[1], strict=True))
        for name, array in self.p.items():
            array -= self.rate * (0 if name == "W1" else gradients[name])

    def loss_and_gradients(self, x, y):
        loss, gradients = super().loss_and_gradients(x, y)
        both = gradients[0] + gradients[2].T
        return loss, [both, gradients[1], both.T, *gradients[3:]]


class Identities(Stack):
    def draw(self, rng, n, m):
        return np.eye(n) if n == m else super().draw(rng, n, m)


class Regression(Stack):
    """Least squares of one-hot labels; shares of what is above 0 serve as probabilities."""

    rate = 0.02

    def predict_proba(self, x):
        p = np.maximum(self.run(x)[1][-1], 1e-3)
        return p / p.sum(axis=1, keepdims=True)

    def loss_and_gradients(self, x, y):
        d = self.run(x)[1][-1] - np.eye(10)[y]
        return float((d**2).sum() / 2 / len(y)), [x.T @ d / len(y), d.mean(axis=0)]


class Clipped(Stack):
    """Its scores pass a ReLU before softmax."""

    def predict_proba(self, x):
        return softmax(np.maximum(self.run(x)[1][-1], 0))


class Rprop(Stack):
    """Steps by sign alone, and no step for once where the gradient has changed its sign."""

    def __init__(self, *sizes, idle=False):
        super().__init__(*sizes)
        self.old = [np.zeros_like(array) for array in self.parameters]
        self.sizes = [np.full_like(array, 0.002) for array in self.parameters]
        if idle:
            for size in self.sizes:
                size[::3] = 0

    def step(self, x, y):
        gradients = self.loss_and_gradients(x, y)[1]
        for array, g, old, size in zip(
            self.parameters, gradients, self.old, self.sizes, strict=True
        ):
            size *= np.where(old * g < 0, 0.5, np.where(old * g > 0, 1.2, 1))
            np.minimum(size, 0.02, out=size)
            old[...] = np.where(old * g < 0, 0, g)
            array -= size * np.sign(old)


def in_full_batches(network):
    for _ in range(30):
        network.step(X, Y)
    return network


RIGHT = {
    "softmax regression from zeros": lambda: zero_head(49, 10),
    "a last layer of zeros": lambda: zero_head(49, 20, 10),
    "a last layer of zeros, shares of the classes": lambda: zero_head(49, 20, 10, prior=1.0),
    "dropout in the step": lambda: trained(Dropping(49, 20, 10, share=0.3)),
    "dropout of half in the step": lambda: Dropping(49, 20, 10),
    "noise in the step": lambda: Noisy(49, 20, 10),
    "half of the batch in each step": lambda: Together(49, 20, 10),
    "a committee": lambda: Committee(),
    "a committee, trained": lambda: trained(Committee()),
    "the first layer is frozen": lambda: moving("W1", "b1", "W2", "b2"),
    "all but the last are frozen": lambda: moving("W2", "b2"),
    "Adam": lambda: trained(Adam(49, 20, 10), 300),
    "standardised inside": lambda: Standardising(49, 20, 10),
    "a loss that is a sum": lambda: trained(Summed(49, 20, 10)),
    "a loss in bits": lambda: InBits(49, 20, 10),
    "maps": Maps,
    "a decoder": lambda: trained(Redrawing(49, 20, 10)),
    "leaky ReLU": lambda: Leaky(49, 20, 12, 10),
    "ReLU into an array that is kept": lambda: Kept(49, 20, 12, 10),
    "square layers": lambda: Stack(49, 20, 20, 20, 10),
    "weights used twice": Tied,
    "identities": lambda: Identities(49, 20, 20, 20, 10),
    "least squares": lambda: trained(Regression(49, 10)),
    "Rprop": lambda: in_full_batches(Rprop(49, 20, 10)),
}
WRONG = {
    "ReLU before softmax": ("softmax.squashed", "ReLU", lambda: Clipped(49, 20, 10)),
    "numbers that never move": (
        "train.direction",
        "does not follow",
        lambda: in_full_batches(Rprop(49, 20, 10, idle=True)),
    ),
    "a bias that outweighs all": (
        "network.collapsed",
        "taken for a 9",
        lambda: zero_head(49, 20, 10, prior=50.0),
    ),
    "units that are dead": ("network.dead", "dead", lambda: dead(Stack(49, 20, 10))),
    "two orders": ("train.other_rows", "other rows", lambda: Mixing(49, 20, 12, 10)),
    "a committee of two orders": ("train.other_rows", "other rows", lambda: Committee(mixed=True)),
    "biases left out": ("train.no_update", "leaves them", lambda: moving("W0", "W1", "W2")),
    "half a layer left out": (
        "train.no_update",
        "leaves them",
        lambda: moving("b0", "W1", "b1", "W2", "b2"),
    ),
    "the last layer left out": (
        "train.no_update",
        "leaves them",
        lambda: moving("W0", "b0", "W1", "b1"),
    ),
    "means overwritten": (
        "train.adam",
        "die away",
        lambda: trained(Overwriting(49, 20, 10), 300),
    ),
    "means overwritten, new": ("train.adam", "die away", lambda: Overwriting(49, 20, 10)),
    "early": ("train.early_update", "before the error", lambda: Early(49, 20, 10)),
    "early, long steps": (
        "train.early_update",
        "before the error",
        lambda: type("Long", (Early,), {"rate": 0.8})(49, 40, 10),
    ),
    "early, short steps": (
        "train.early_update",
        "before the error",
        lambda: type("Short", (Early,), {"rate": 0.03})(49, 20, 12, 10),
    ),
    "not the inputs it sees": ("gradients.wrong", "", lambda: Unseen(49, 20, 10)),
    "only the loss is a sum": ("cross_entropy.not_mean", "", lambda: SummedLossAlone(49, 20, 10)),
    "activations without a batch": ("function.shape", "activations", lambda: Vector(49, 20, 10)),
    "a decoder's bias": ("gradients.bias", "", lambda: NotDrawn(49, 20, 10)),
    "a bias never added": ("linear.no_bias", "parameters[1]", lambda: Biasless(49, 20, 10)),
    "biases never added": ("linear.no_bias", "[3]", lambda: Biasless(49, 20, 12, 10)),
    "constant below 0": ("leaky_relu.wrong", "0.05", lambda: ConstantBelow(49, 20, 12, 10)),
    "plain on the way back": (
        "gradients.missing_activation",
        "0.02",
        lambda: PlainBelow(49, 20, 12, 10),
    ),
    "no else": ("network.batch_dependent", "batch before", lambda: trained(Stale(49, 20, 10))),
    "one seed, square": ("init.symmetric", "same seed", lambda: SeededAnew(49, 20, 20, 10)),
    "one seed, other sizes": ("init.symmetric", "same seed", lambda: SeededAnew(49, 30, 12, 10)),
}


@functools.cache
def report_on(name):
    return examine(RIGHT[name](), X, Y)


@pytest.mark.parametrize("name", RIGHT)
def test_it_is_right(name):
    report = report_on(name)
    assert report.ok, report


@pytest.mark.parametrize("name", WRONG)
def test_its_twin_is_named(name):
    code, words, make = WRONG[name]
    report = examine(make(), X, Y)
    assert codes(report)[:1] == [code] and words in report.findings[0].message, report


def test_what_is_no_bug_is_noted():
    for name, words in {
        "softmax regression from zeros": "all classes are equally probable",
        "the first layer is frozen": "parameters 0, 1 are not changed",
        "dropout of half in the step": "random in itself",
        "a loss that is a sum": "the learning rate must suit",
    }.items():
        report = report_on(name)
        assert any(words in note for note in (*report.notes, *report.doubts)), report


def test_a_mean_picture_subtracted_in_bytes():
    images = dataset.load_practice_digits().train_images[:600].reshape(600, -1)
    mean = images.mean(axis=0)
    y = dataset.load_practice_digits().train_labels[:600].astype(int)
    network = mnist_core.Network((784, 16, 10), rng=np.random.default_rng(0), dtype=np.float64)
    wrapped = (images - mean.astype(np.uint8)) / 255.0
    assert codes(examine(network, wrapped, y))[:1] == ["data.bytes_wrap"]
    assert examine(network, (images - mean) / 255.0, y).ok


# --------------------------------------------------------------------------------------------------
# States
# --------------------------------------------------------------------------------------------------


class Curved(Stack):
    """A network with tanh, that takes its pixels as they come."""

    rate = 0.05

    def bend(self, z, k):
        return np.tanh(z)

    def slope(self, z):
        return 1 - np.tanh(z) ** 2

    def activations(self, x):
        return self.run(x)[1][1:-1]


class Scaling(Curved):
    """The same, which divides its pixels itself."""

    def look(self, x):
        return x / 255


@pytest.mark.parametrize(("kind", "found"), [(Curved, ["data.not_scaled"]), (Scaling, [])])
def test_a_saturated_tanh_does_not_pass_for_scaled_pixels(digits, kind, found):
    x, y = 255 * digits[0], digits[1]
    assert codes(examine(trained(kind(784, 24, 10), 60, x, y), x, y))[:1] == found


class Frozen(Stack):
    """Its steps leave the first layer as it is."""

    def step(self, x, y):
        before = [array.copy() for array in (self.p["W0"], self.p["b0"])]
        super().step(x, y)
        self.p["W0"][...], self.p["b0"][...] = before


def test_a_layer_that_stays_as_it_is_is_a_bug_only_where_it_has_learned_nothing(digits):
    said = "parameters 0, 1 are not changed by step"
    for steps in (5, 400):
        found = examine(trained(Frozen(784, 60, 10, seed=2), steps, *digits), *digits)
        assert codes(found) == ["train.no_update"] and "as they were drawn" in repr(found), found
    network = trained(Stack(784, 20, 10), 300, *digits)
    network.__class__ = Frozen
    noted = examine(network, *digits)
    assert noted.verdict == "right" and any(said in note for note in noted.notes), noted


def test_who_is_sure_and_always_wrong_is_not_merely_fresh(digits):
    network = trained(Stack(784, 24, 10), 300, *digits)
    network.p["W1"] *= -4
    assert codes(examine(network, *digits))[:1] == ["network.misreads"]


# --------------------------------------------------------------------------------------------------
# Probabilities that are made without a softmax
# --------------------------------------------------------------------------------------------------


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def over_their_sum(z):
    return sigmoid(z) / sigmoid(z).sum(axis=1, keepdims=True)


class Read:
    """A trained network whose scores are made probabilities in another way."""

    def __init__(self, network, ending):
        self.network, self.ending = network, ending

    @property
    def parameters(self):
        return self.network.parameters

    def predict_proba(self, x):
        return self.ending(self.network.run(x)[1][-1])


@pytest.mark.parametrize("steps", [0, 200])
def test_sigmoids_over_their_sum_are_no_squashed_softmax(steps):
    network = trained(Stack(49, 20, 10), steps)
    assert codes(examine(Read(network, over_their_sum), X, Y)) == []


@pytest.mark.parametrize(
    "squash", [sigmoid, np.tanh, lambda z: np.maximum(z, 0), softmax], ids=range(4)
)
def test_a_softmax_of_what_is_squashed_is_one(squash):
    network = trained(Stack(49, 20, 10), 200)
    report = examine(Read(network, lambda z: softmax(squash(z))), X, Y)
    assert codes(report)[:1] == ["softmax.squashed"]
