"""Bugs that people reported in public: a dense network with one line of it changed."""

import types
from itertools import pairwise

import numpy as np
import pytest
import zoo
from zoo import sigmoid, softmax

from mnist_book import examine

X, Y = zoo.digits(7)
WAYS = "gradients", "updated"


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
            a.append(self.out(z) if w is self.w[-1] else self.activation(z))
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

    def activation(self, z):
        return np.tanh(z)

    def slope(self, a):
        return 1 - a**2

    def way_back(self, k, dw):
        return self.w[k]

    def loss_and_gradients(self, x, y):
        a, t = self.forward(x), self.targets(y)
        d, gradients = (a[-1] - t) / len(x), []
        for k in reversed(range(len(self.w))):
            dw = self.input_of(k, a).T @ d
            gradients = [dw, d.sum(axis=0), *gradients]
            d = d @ self.way_back(k, dw).T * self.slope(a[k])
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

    says = "network_through_gradients" if rate is None else "network_through_updated"
    codes, report = found(Wrong(), steps)
    assert codes[:1] == [("gradients.wrong", says)], report


def test_gradients_that_another_sum_over_the_batch_mixes():
    class Wrong(Net):
        def loss_and_gradients(self, x, y):
            loss, gradients = super().loss_and_gradients(x, y)
            a = self.forward(x)
            d = (a[-1] - self.targets(y)) @ self.w[-1].T * self.slope(a[-2])
            gradients[2] = a[-3].T @ (d - d.mean(axis=0)) / len(x)
            return loss, gradients

    codes, report = found(Wrong())
    assert codes[:1] not in ([("gradients.wrong", f"network_through_{w}")] for w in WAYS), report


class Rectified(Net):
    def activation(self, z):
        return np.maximum(0, z)

    def slope(self, a):
        return (a > 0).astype(float)


class Squashed(Net):
    def activation(self, z):
        return sigmoid(z)

    def slope(self, a):
        return a * (1 - a)


@pytest.mark.parametrize("kind", [Net, Rectified, Squashed])
def test_gradients_that_are_the_derivative_alone(kind):
    class Wrong(kind):
        hidden = (20,)

        def loss_and_gradients(self, x, y):
            loss, gradients = super().loss_and_gradients(x, y)
            d = self.slope(self.forward(x)[1]) / len(x)
            return loss, [x.T @ d, d.sum(axis=0), *gradients[2:]]

    codes, report = found(Wrong())
    assert codes[:1] == [("gradients.wrong", "network_derivative_alone")], report
    assert found(kind())[0] == []


@pytest.mark.parametrize("steps", [0, 60])
@pytest.mark.parametrize(
    ("kind", "slope", "theirs"),
    [
        (Rectified, lambda a: a * (1 - a), "the sigmoid's, a * (1 - a)"),
        (Rectified, lambda a: sigmoid(a) * (1 - sigmoid(a)), "the sigmoid's, s(z) * (1 - s(z))"),
        (Rectified, lambda a: 1 - a**2, "tanh's, 1 - a ** 2"),
        (Rectified, lambda a: 1 - np.tanh(a) ** 2, "tanh's, 1 - tanh(z) ** 2"),
        (Net, lambda a: (a > 0).astype(float), "ReLU's, 1 where z > 0"),
        (Squashed, lambda a: (a > 0.5).astype(float), "ReLU's, 1 where z > 0"),
    ],
)
def test_the_derivative_of_another_activation(kind, slope, theirs, steps):
    class Wrong(kind):
        def slope(self, a):
            return slope(a)

    codes, report = found(Wrong(), steps)
    assert codes[:1] == [("gradients.missing_activation", "network_of_other")], report
    assert theirs in str(report)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_a_sum_of_weights_where_the_weights_belong(decay):
    class Wrong(Net):
        def score(self, p, t):
            return super().score(p, t) + decay / 2 * sum((w**2).sum() for w in self.w)

        def loss_and_gradients(self, x, y):
            loss, gradients = super().loss_and_gradients(x, y)
            sums = [0.1 * w.sum() for w in self.w]
            return loss, [g if k % 2 else g + sums[k // 2] for k, g in enumerate(gradients)]

    codes, report = found(Wrong())
    assert codes[:1] == [("gradients.wrong", "network_added_sum")], report


@pytest.mark.parametrize("number", [0.01, -1.0])
def test_a_number_that_is_added(number):
    class Wrong(Net):
        def loss_and_gradients(self, x, y):
            loss, gradients = super().loss_and_gradients(x, y)
            return loss, [*gradients[:2], gradients[2] + number, *gradients[3:]]

    codes, report = found(Wrong())
    assert codes[:1] == [("gradients.wrong", "network_added")], report
    assert f"{number:.3g}" in str(report)


def test_last_weights_whose_gradient_is_no_product():
    class Wrong(Net):
        def loss_and_gradients(self, x, y):
            loss, gradients = super().loss_and_gradients(x, y)
            gradients[4] = gradients[4] + 0.1 * np.sin(7 * self.w[-1])
            return loss, gradients

    codes, report = found(Wrong())
    assert codes[:1] == [("gradients.wrong", "network_no_product")], report


class Outputs(Net):
    """A sigmoid for each class, and the squared error."""

    hidden = (20,)

    def out(self, z):
        return sigmoid(z)

    def score(self, p, t):
        return ((p - t) ** 2).sum() / 2 / len(t)

    def loss_and_gradients(self, x, y):
        a, t = self.forward(x), self.targets(y)
        d = (a[-1] - t) * a[-1] * (1 - a[-1]) / len(x)
        dz = d @ self.w[1].T * self.slope(a[1])
        gradients = [x.T @ dz, dz.sum(axis=0), a[1].T @ d, d.sum(axis=0)]
        return self.score(a[-1], t), gradients

    def step(self, x, y):
        for p, g in zip(self.parameters, self.loss_and_gradients(x, y)[1], strict=True):
            p -= 3 * g


def test_an_output_that_settled_at_0_is_no_sign_of_other_training_data():
    network = Outputs()
    network.b[-1][3] = -30  # whose gradient is next to nothing
    codes, report = found(network, 600)
    assert codes == [], report
    assert "never answers 3. With the squared error" in report.doubts[0]


@pytest.mark.parametrize("kind", [Net, Outputs])
def test_a_digit_that_was_not_in_training(kind):
    network, rng = kind(), np.random.default_rng(1)
    for _ in range(600):
        rows = rng.choice(np.flatnonzero(Y != 3), 32)
        network.step(X[rows], Y[rows])
    report = examine(network, X, Y)
    said = [*(f.code for f in report.findings), *report.doubts]
    expected = "network.missing_digit" if kind is Net else "it never answers 3."
    assert [each.startswith(expected) for each in said] == [True], report


def test_shares_of_outputs_that_the_loss_asks_for():
    class Scaled(Outputs):
        """LeCun's tanh, with targets of 1 and -1; the probabilities are shares of it."""

        def forward(self, x):
            a = 1.7159 * np.tanh(2 / 3 * (x @ self.w[0] + self.b[0]))
            return [x, a, 1.7159 * np.tanh(2 / 3 * (a @ self.w[1] + self.b[1]))]

        def predict_proba(self, x):
            shares = np.clip((self.forward(x)[-1] + 1) / 2, 1e-6, None)
            return shares / shares.sum(axis=1, keepdims=True)

        def slope(self, a):
            return 2 / 3 * (1.7159 - a**2 / 1.7159)

        def loss_and_gradients(self, x, y):
            a, t = self.forward(x), 2 * self.targets(y) - 1
            d = (a[-1] - t) * self.slope(a[-1]) / len(x)
            dz = d @ self.w[1].T * self.slope(a[1])
            return self.score(a[-1], t), [x.T @ dz, dz.sum(axis=0), a[1].T @ d, d.sum(axis=0)]

        def step(self, x, y):
            for p, g in zip(self.parameters, self.loss_and_gradients(x, y)[1], strict=True):
                p -= 0.1 * g

    for steps in (0, 200):
        codes, report = found(Scaled(), steps)
        assert codes == [], report


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


@pytest.mark.parametrize("biases", [True, False])
@pytest.mark.parametrize("hidden", [(20,), (20, 16)])
def test_an_error_that_goes_back_without_the_outputs_derivative(biases, hidden):
    """As in books that pass on targets - outputs, layer by layer."""

    class Plain(Net):
        targets_at = 0.99, 0.01

        def activation(self, z):
            return sigmoid(z)

        def slope(self, a):
            return a * (1 - a)

        def out(self, z):
            return sigmoid(z)

        def targets(self, y):
            one, zero = self.targets_at
            return zero + (one - zero) * np.eye(10)[y]

        def score(self, p, t):
            return ((p - t) ** 2).sum() / 2 / len(t)

        @property
        def parameters(self):
            return super().parameters if biases else self.w

        def loss_and_gradients(self, x, y):
            a, t = self.forward(x), self.targets(y)
            error, gradients = (a[-1] - t) / len(x), []
            for k in reversed(range(len(self.w))):
                d = error * self.slope(a[k + 1])
                of_bias = [d.sum(axis=0)] if biases else []
                gradients = [a[k].T @ d, *of_bias, *gradients]
                error = self.passed_on(error, d) @ self.w[k].T
            return self.score(a[-1], t), gradients

        def passed_on(self, error, d):
            return d

    class Wrong(Plain):
        def passed_on(self, error, d):
            return error

    Plain.hidden = hidden
    assert found(Plain())[0] == []
    codes, report = found(Wrong())
    assert codes[:1] == [("gradients.wrong", "network_error")], report


@pytest.mark.parametrize("kind", [Net, Squashed])
def test_the_activation_in_the_place_of_its_derivative(kind):
    class Wrong(kind):
        def slope(self, a):
            return a

    codes, report = found(Wrong())
    assert codes[:1] == [("gradients.missing_activation", "network_activation")], report


def test_another_formula_for_the_derivative():
    class Wrong(Net):
        def slope(self, a):
            return 1 + a**2

    codes, report = found(Wrong())
    assert codes[:1] == [("gradients.missing_activation", "network_another")], report


class Dropping(Net):
    """Dropout before the last layer, the same for all calls of training."""

    hidden, keep, predicting = (40,), 0.6, 1.0

    def mask(self, shape):
        return (np.random.default_rng(5).random(shape) < self.keep) / self.keep

    def train(self, x):
        a = super().forward(x)[1]
        mask = self.mask(a.shape)
        return a, mask, softmax((a * mask) @ self.w[1] + self.b[1])

    def forward(self, x):
        x, a, _ = super().forward(x)
        return [x, a, softmax((a * self.predicting) @ self.w[1] + self.b[1])]

    def back_through(self, d, mask):
        return d * mask

    def loss_and_gradients(self, x, y):
        (a, mask, p), t = self.train(x), self.targets(y)
        d = (p - t) / len(x)
        dz = self.back_through(d @ self.w[1].T, mask) * self.slope(a)
        gradients = [x.T @ dz, dz.sum(axis=0), (a * mask).T @ d, d.sum(axis=0)]
        return self.score(p, t), gradients


@pytest.mark.parametrize("kind", [Net, Rectified])
def test_a_mask_that_is_not_used_on_the_way_back(kind):
    class Right(Dropping, kind):
        pass

    class Wrong(Right):
        def back_through(self, d, mask):
            return d / self.keep

    assert found(Right())[0] == []
    codes, report = found(Wrong())
    assert codes[:1] == [("gradients.wrong", "network_mask")], report


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("kind", [Net, Rectified, Squashed])
def test_dropout_that_is_scaled_otherwise_in_predicting(kind, keep):
    class Right(Dropping, kind):
        def mask(self, shape):
            return (np.random.random(shape) < self.keep) / self.keep  # noqa: NPY002

    class Wrong(Right):
        pass

    Right.keep, Wrong.predicting = keep, 0.2
    assert found(Right(), 60)[0] == []
    codes, report = found(Wrong(), 60)
    assert codes[:1] == [("network.modes", "network_dropout_less")], report


@pytest.mark.parametrize("per_picture", [False, True])
def test_a_factor_of_a_normalisation_left_out_on_the_way_back(per_picture):
    axis = 1 if per_picture else 0

    class Normalised(Net):
        hidden = (20,)

        def __init__(self):
            super().__init__()
            self.gamma, self.means, self.variances = np.full(20, 1.5), 0.0, 1.0

        @property
        def parameters(self):
            return [self.w[0], self.gamma, self.b[0], self.w[1], self.b[1]]

        def normalised(self, x, training):
            z = x @ self.w[0]
            mean, variance = z.mean(axis=axis, keepdims=True), z.var(axis=axis, keepdims=True)
            if training:
                self.means, self.variances = mean, variance
            elif not per_picture:
                mean, variance = self.means, self.variances
            return (z - mean) / np.sqrt(variance + 1e-5), np.sqrt(variance + 1e-5)

        def forward(self, x, training=False):
            n, _ = self.normalised(x, training)
            a = np.tanh(self.gamma * n + self.b[0])
            return [x, a, softmax(a @ self.w[1] + self.b[1])]

        def factor(self):
            return self.gamma

        def loss_and_gradients(self, x, y):
            (_, a, p), t = self.forward(x, training=True), self.targets(y)
            n, deviation = self.normalised(x, training=True)
            d = (p - t) / len(x)
            dy = d @ self.w[1].T * (1 - a**2)
            dn = dy * self.factor()
            through_mean = dn.mean(axis=axis, keepdims=True)
            through_deviation = n * (dn * n).mean(axis=axis, keepdims=True)
            dz = (dn - through_mean - through_deviation) / deviation
            gradients = [x.T @ dz, (dy * n).sum(axis=0), dy.sum(axis=0), a.T @ d, d.sum(axis=0)]
            return self.score(p, t), gradients

    class Wrong(Normalised):
        def factor(self):
            return 1.0

    class Twice(Normalised):
        def factor(self):
            return self.gamma**2

    right, report = found(Normalised(), 60)
    assert not [code for code, _ in right if code.startswith("gradients")], report
    twice, report = found(Twice(), 60)
    assert twice[0][0] == "gradients.wrong" and twice[0][1] != "network_without_gamma", report
    codes, report = found(Wrong(), 60)
    assert codes[:1] == [("gradients.wrong", "network_without_gamma")], report


@pytest.mark.parametrize("number", [0.02, -1.0])
def test_a_number_that_is_added_to_the_gradients_of_biases(number):
    class Wrong(Net):
        def loss_and_gradients(self, x, y):
            loss, gradients = super().loss_and_gradients(x, y)
            return loss, [g + number * (k % 2) for k, g in enumerate(gradients)]

    codes, report = found(Wrong())
    assert codes[:1] == [("gradients.bias", "network_added")], report


@pytest.mark.parametrize("at", [0, -1])
def test_a_number_that_is_added_where_biases_are_a_row_of_the_weights(at):
    class Rows(Net):
        hidden, number = (20,), 0.0

        def __init__(self):
            super().__init__()
            parts = zip(self.w, self.b, strict=True)
            self.joint = [np.vstack([b, w] if at == 0 else [w, b]) for w, b in parts]

        @property
        def parameters(self):
            return self.joint

        def with_ones(self, x):
            ones = np.ones((len(x), 1))
            return np.hstack([ones, x] if at == 0 else [x, ones])

        def forward(self, x):
            a = np.tanh(self.with_ones(x) @ self.joint[0])
            return [x, a, softmax(self.with_ones(a) @ self.joint[1])]

        def loss_and_gradients(self, x, y):
            a, t = self.forward(x), self.targets(y)
            d = (a[-1] - t) / len(x)
            back = d @ (self.joint[1][1:] if at == 0 else self.joint[1][:-1]).T
            gradients = [
                self.with_ones(x).T @ (back * self.slope(a[1])),
                self.with_ones(a[1]).T @ d,
            ]
            for g in gradients:
                g[at] += self.number
            return self.score(a[-1], t), gradients

    class Wrong(Rows):
        number = 0.5

    assert found(Rows())[0] == []
    codes, report = found(Wrong())
    assert codes[:1] == [("gradients.bias", "network_added")], report


class Adam(Net):
    stored = False

    def __init__(self):
        super().__init__()
        self.t, self.m, self.v = 0, [0.0] * 6, [0.0] * 6

    def step(self, x, y):
        self.t += 1
        for k, (p, g) in enumerate(
            zip(self.parameters, self.loss_and_gradients(x, y)[1], strict=True)
        ):
            m, v = 0.9 * self.m[k] + 0.1 * g, 0.999 * self.v[k] + 0.001 * g**2
            right = m / (1 - 0.9**self.t), v / (1 - 0.999**self.t)
            self.m[k], self.v[k] = right if self.stored else (m, v)
            p -= 0.005 * right[0] / (np.sqrt(right[1]) + 1e-8)


class Stored(Adam):
    stored = True


@pytest.mark.parametrize("steps", [0, 3, 10, 60])
def test_adam_that_stores_its_corrected_means(steps):
    assert found(Adam(), steps)[0] == []
    codes, report = found(Stored(), steps)
    assert codes[:1] == [("train.adam", "network_fading")], report


@pytest.mark.parametrize("kind", [Net, Rectified])
@pytest.mark.parametrize("missing", [False, True])
def test_the_derivative_of_an_earlier_layer_alone(kind, missing):
    """Taken of the layer behind it, as where one object with a memory stands in two places."""

    class Wrong(kind):
        def loss_and_gradients(self, x, y):
            loss, gradients = super().loss_and_gradients(x, y)
            a = self.forward(x)
            d = (a[3] - self.targets(y)) / len(x)
            d = d @ self.w[2].T * self.slope(a[2]) @ self.w[1].T
            d = d * (1 if missing else self.slope(a[2]))
            return loss, [x.T @ d, d.sum(axis=0), *gradients[2:]]

    codes, report = found(Wrong())
    elsewhere = "network_elsewhere" if kind is Rectified else "network_no_function"
    says = "network" if missing else elsewhere
    assert codes[0][0] == "gradients.missing_activation", report
    assert codes[0][1] == says, report


def test_indices_that_are_labels():
    x, y = zoo.digits(28, 1200)
    rng = np.random.default_rng(0)
    index = rng.permutation(y)

    class Linear:
        def predict_proba(self, x):
            return softmax(0.01 * x @ np.ones((x.shape[1], 10)) + np.arange(10) / 10)

    codes = [(f.code, f.says) for f in examine(Linear(), x[index], y[index]).findings]
    assert codes[:1] == [("train.lost_pictures", "network_few")]
    few = [
        (f.code, f.says)
        for f in examine(Linear(), x[:300][y[:300] < 4], y[:300][y[:300] < 4]).findings
    ]
    assert ("train.lost_pictures", "network_few") not in few


class Averaging(Net):
    """Batch normalisation; a test says what happens to a batch's mean and variance."""

    hidden, mean, variance, mask = (20,), 0.0, 1.0, 1.0

    def normalised(self, x, training):
        z = x @ self.w[0]
        own = (z.mean(axis=0), z.var(axis=0)) if training else (self.mean, self.variance)
        if training:
            self.note(*own)
        deviation = np.sqrt(own[1] + 1e-5)
        return (z - own[0]) / deviation, deviation

    def note(self, mean, variance):
        self.mean = 0.9 * self.mean + 0.1 * mean
        self.variance = 0.9 * self.variance + 0.1 * variance

    def forward(self, x, training=False):
        self.n, self.deviation = self.normalised(x, training)
        a = np.tanh(self.n + self.b[0])
        self.mask = self.draw(a.shape) if training else 1.0
        return [x, a, softmax((a * self.mask) @ self.w[1] + self.b[1])]

    def draw(self, shape):
        return 1.0

    def loss_and_gradients(self, x, y):
        (_, a, p), t = self.forward(x, training=True), self.targets(y)
        d = (p - t) / len(x)
        dn = d @ self.w[1].T * self.mask * self.slope(a)
        dz = (dn - dn.mean(axis=0) - self.n * (dn * self.n).mean(axis=0)) / self.deviation
        return self.score(p, t), [x.T @ dz, dn.sum(axis=0), (a * self.mask).T @ d, d.sum(axis=0)]


@pytest.mark.parametrize("with_step", [False, True])
def test_running_averages_that_are_updated_elsewhere(with_step):
    class Noted(Averaging):
        def note(self, mean, variance):
            self.batch = mean, variance

    network, rng = Noted(), np.random.default_rng(1)
    for _ in range(400):
        rows = rng.choice(len(X), 32, replace=False)
        network.step(X[rows], Y[rows])
        mean, variance = network.batch
        network.mean = 0.9 * network.mean + 0.1 * mean
        network.variance = 0.9 * network.variance + 0.1 * variance
    names = ["predict_proba", "parameters", "loss_and_gradients", *["step"] * with_step]
    given = types.SimpleNamespace(**{name: getattr(network, name) for name in names})
    found = [(f.code, f.says) for f in examine(given, X, Y).findings]
    assert found == ([("network.modes", "network_running")] if with_step else [])


# --------------------------------------------------------------------------------------------------
# Right networks, and other bugs, that look like those above
# --------------------------------------------------------------------------------------------------


class Deep(Rectified):
    """Dropout before each layer, another mask each time; a temperature in predicting."""

    hidden, keeps, temperature, forgotten = (50,) * 5, (0.8, *[0.5] * 5), 1.0, False

    def passed(self, x, training):
        a, masks = [x], []
        for w, b, keep in zip(self.w, self.b, self.keeps, strict=True):
            drawn = np.random.random(a[-1].shape) < keep  # noqa: NPY002
            masks.append(drawn / keep if training else 1.0)
            z = (a[-1] * masks[-1]) @ w + b
            last = w is self.w[-1]
            a.append(
                softmax(z if training else z / self.temperature) if last else self.activation(z)
            )
        return a, masks

    def forward(self, x):
        return self.passed(x, training=False)[0]

    def slope(self, a):
        return 1.0 if self.forgotten else super().slope(a)

    def loss_and_gradients(self, x, y):
        a, masks = self.passed(x, training=True)
        d, gradients = (a[-1] - self.targets(y)) / len(x), []
        for k in reversed(range(len(self.w))):
            gradients = [(a[k] * masks[k]).T @ d, d.sum(axis=0), *gradients]
            d = d @ self.w[k].T * masks[k] * self.slope(a[k])
        return self.score(a[-1], self.targets(y)), gradients


def test_noise_before_many_bends_is_no_other_scale():
    codes, report = found(Deep())
    assert codes == [], report


def test_a_temperature_is_no_dropout_scaled_twice():
    class Calibrated(Deep):
        hidden, keeps, temperature = (30,), (1.0, 0.5), 4.0

    codes, report = found(Calibrated(), 60)
    assert ("network.modes", "network_dropout_less") not in codes, report


def test_a_derivative_that_is_forgotten_beside_dropout_is_no_mask():
    class Wrong(Deep):
        hidden, keeps, forgotten = (40,), (1.0, 0.6), True

    codes, report = found(Wrong())
    assert codes[0][0] == "gradients.missing_activation", report


def test_another_input_of_the_last_weights_beside_decay():
    class Wrong(Net):
        def score(self, p, t):
            return super().score(p, t) + 0.005 * sum((w**2).sum() for w in self.w)

        def input_of(self, k, a):
            return np.sin(3 * a[k]) if k == 2 else a[k]

        def loss_and_gradients(self, x, y):
            loss, gradients = super().loss_and_gradients(x, y)
            decay = [part for w in self.w for part in (0.01 * w, 0)]
            return loss, [g + part for g, part in zip(gradients, decay, strict=True)]

    codes, report = found(Wrong())
    assert codes[:1] == [("gradients.inputs", "network")], report


@pytest.mark.parametrize("weights", ["ones", "divided"])
def test_other_ways_back_from_sigmoids(weights):
    class Wrong(Net):
        hidden = (20,)

        def out(self, z):
            return sigmoid(z)

        def score(self, p, t):
            return -(t * np.log(p) + (1 - t) * np.log(1 - p)).sum() / len(t)

        def loss_and_gradients(self, x, y):
            a, t = self.forward(x), self.targets(y)
            d = (a[2] - t) / len(x)
            through = np.ones((10, 20)) if weights == "ones" else self.w[1].T
            back = d if weights == "ones" else d / (a[2] * (1 - a[2]))
            dz = back @ through * self.slope(a[1])
            return self.score(a[2], t), [x.T @ dz, dz.sum(axis=0), a[1].T @ d, d.sum(axis=0)]

    codes, report = found(Wrong())
    assert codes
    assert codes[0][1] not in ("network_derivative_alone", "network_error"), report


@pytest.mark.parametrize("clip", ["norm", "value"])
def test_old_velocities_that_fade_are_no_corrected_means(clip):
    class Moving(Net):
        rate = 0.3

        def __init__(self):
            super().__init__()
            self.v = [np.zeros_like(p) for p in self.parameters]

        def step(self, x, y):
            gradients = self.loss_and_gradients(x, y)[1]
            norm = np.sqrt(sum((g**2).sum() for g in gradients))
            for p, v, g in zip(self.parameters, self.v, gradients, strict=True):
                v *= 0.3
                v -= self.rate * (g * min(1, 0.5 / norm) if clip == "norm" else g.clip(-0.05, 0.05))
                p += v

    network, rng = Moving(), np.random.default_rng(1)
    for _ in range(100):
        rows = rng.choice(len(X), 32, replace=False)
        network.step(X[rows], Y[rows])
    network.rate = 1e-5
    report = examine(network, X, Y)
    assert "train.adam" not in [f.code for f in report.findings], report


@pytest.mark.parametrize(
    ("activation", "right", "wrong"),
    [
        (lambda z: np.clip(z, 0, 1), lambda z: (z > 0) & (z < 1), lambda z: z > 0),
        (lambda z: np.clip(z, -1, 1), lambda z: np.abs(z) < 1, lambda z: z < 1),
        (lambda z: np.maximum(z, 0), lambda z: z > 0, lambda z: z > -0.5),
    ],
)
def test_bends_at_other_places_are_no_mask(activation, right, wrong):
    class Bent(Net):
        hidden, of_z = (30,), staticmethod(right)

        def loss_and_gradients(self, x, y):
            z, t = x @ self.w[0] + self.b[0], self.targets(y)
            a = self.activation(z)
            p = softmax(a @ self.w[1] + self.b[1])
            d = (p - t) / len(x)
            dz = d @ self.w[1].T * self.of_z(z)
            return self.score(p, t), [x.T @ dz, dz.sum(axis=0), a.T @ d, d.sum(axis=0)]

        def activation(self, z):
            return activation(z)

    class Wrong(Bent):
        of_z = staticmethod(wrong)

    assert found(Bent())[0] == []
    codes, report = found(Wrong())
    assert codes
    assert codes[0][1] != "network_mask", report


def test_a_unit_that_does_not_tell_its_z_has_no_derivative_of_another_layer():
    """A sine goes up and down, so that a function of z is none of what the unit gives."""

    class Wave(Net):
        hidden, factor = (30,), 3

        def loss_and_gradients(self, x, y):
            z, t = x @ self.w[0] + self.b[0], self.targets(y)
            p = softmax(np.sin(3 * z) @ self.w[1] + self.b[1])
            d = (p - t) / len(x)
            dz = d @ self.w[1].T * 3 * np.cos(self.factor * z)
            return self.score(p, t), [x.T @ dz, dz.sum(axis=0), np.sin(3 * z).T @ d, d.sum(axis=0)]

        def activation(self, z):
            return np.sin(3 * z)

    class Wrong(Wave):
        factor = 1

    assert found(Wave())[0] == []
    codes, report = found(Wrong())
    assert codes
    assert codes[0][1] != "network_no_function", report


def test_last_weights_that_are_normalised_have_no_product_for_a_gradient():
    class Normalised(Net):
        hidden, divided = (20,), True

        def forward(self, x):
            a = np.tanh(x @ self.w[0] + self.b[0])
            return [x, a, softmax(2 * a @ (self.w[1] / self.lengths()) + self.b[1])]

        def lengths(self):
            return np.sqrt((self.w[1] ** 2).sum(axis=0))

        def loss_and_gradients(self, x, y):
            (_, a, p), t = self.forward(x), self.targets(y)
            d, unit = (p - t) / len(x), self.w[1] / self.lengths()
            dz, du = 2 * d @ unit.T * self.slope(a), 2 * a.T @ d
            dw = du - unit * (unit * du).sum(axis=0)
            dw = dw / self.lengths() if self.divided else dw
            return self.score(p, t), [x.T @ dz, dz.sum(axis=0), dw, d.sum(axis=0)]

    class Wrong(Normalised):
        divided = False

    assert found(Normalised())[0] == []
    codes, report = found(Wrong())
    assert codes
    assert codes[0][1] not in ("network_no_product", "network_input"), report


@pytest.mark.parametrize("kind", ["sparsity", "mixing"])
def test_other_things_that_come_back_from_the_batch(kind):
    class Wrong(Net):
        hidden = (20,)

        def loss_and_gradients(self, x, y):
            (_, a, p), t = self.forward(x), self.targets(y)
            d = (p - t) / len(x)
            dz = d @ self.w[1].T
            if kind == "sparsity":  # of the mean activation, in the gradients alone
                dz = dz + 0.3 * a.mean(axis=0) ** 3 / len(x)
            else:
                dz = dz * (1 + 50 * np.abs(dz).mean(axis=0)) + 0.1 * a / len(x)
            dz = dz * self.slope(a)
            return self.score(p, t), [x.T @ dz, dz.sum(axis=0), a.T @ d, d.sum(axis=0)]

    codes, report = found(Wrong())
    assert codes[:1] == [("gradients.wrong", "network_mixed")], report


def test_dropout_beside_running_averages_is_none_of_these():
    class Dropped(Averaging):
        def draw(self, shape):
            return (np.random.random(shape) < 0.5) / 0.5  # noqa: NPY002

    codes, report = found(Dropped(), 300)
    assert codes == [], report
