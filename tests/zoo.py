"""A zoo of right networks: what `examine` must find nothing in, whatever kind they are of.

`zoo(seed)` draws kinds of layers, losses, optimizers, initializations, data and states of training
so that each of them occurs often, in company that changes with the seed. Forward and gradient
stand side by side and are held against central differences by the tests.
"""

import functools
import types

import numpy as np

import mnist_core
from mnist_book import dataset


def sigmoid(z):
    return 0.5 * (1 + np.tanh(z / 2))


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# --------------------------------------------------------------------------------------------------
# Layers: forward(x, training), backward(d)
# --------------------------------------------------------------------------------------------------


def gelu(z):
    return 0.5 * z * (1 + np.tanh(0.7978845608 * (z + 0.044715 * z**3)))


def gelu_gradient(z):
    t = np.tanh(0.7978845608 * (z + 0.044715 * z**3))
    return 0.5 * (1 + t) + 0.5 * z * (1 - t**2) * 0.7978845608 * (1 + 0.134145 * z**2)


ACTIVATIONS = {
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(z.dtype)),
    "leaky": (lambda z: np.where(z > 0, z, z / 10), lambda z: np.where(z > 0, 1, 0.1)),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z))),
    "gelu": (gelu, gelu_gradient),
    "elu": (lambda z: np.where(z > 0, z, np.expm1(z)), lambda z: np.where(z > 0, 1, np.exp(z))),
    "softplus": (lambda z: np.logaddexp(z, 0), sigmoid),
}


class Activation:
    parameters, gradients = [], []

    def __init__(self, name):
        self.function, self.derivative = ACTIVATIONS[name]

    def forward(self, x, training):
        self.z = x
        return self.function(x).astype(x.dtype)

    def backward(self, d):
        return (d * self.derivative(self.z)).astype(d.dtype)


class Dense:
    """Weights (inputs, outputs), or, in columns, (outputs, inputs) with a bias (outputs, 1)."""

    def __init__(self, weights, bias=True, columns=False):
        self.columns = columns
        self.parameters = [weights.T.copy() if columns else weights]
        if bias:
            shape = (weights.shape[1], 1) if columns else (weights.shape[1],)
            self.parameters.append(np.zeros(shape, weights.dtype))

    def forward(self, x, training):
        self.x, w = x, self.parameters[0]
        z = x @ (w.T if self.columns else w)
        return z + self.parameters[1].reshape(-1) if len(self.parameters) > 1 else z

    def backward(self, d):
        w = self.parameters[0]
        self.gradients = [d.T @ self.x if self.columns else self.x.T @ d]
        if len(self.parameters) > 1:
            self.gradients.append(d.sum(axis=0).reshape(self.parameters[1].shape))
        return d @ (w if self.columns else w.T)


class Column:
    """Dense with the bias as the last row of the weights, for an input that is always 1."""

    def __init__(self, weights):
        self.parameters = [np.vstack([weights, np.zeros_like(weights[:1])])]

    def forward(self, x, training):
        self.x = np.hstack([x, np.ones((len(x), 1), x.dtype)])
        return self.x @ self.parameters[0]

    def backward(self, d):
        self.gradients = [self.x.T @ d]
        return d @ self.parameters[0][:-1].T


class BatchNorm:
    """S. Ioffe, C. Szegedy, Batch normalization, ICML 2015 (arXiv:1502.03167)."""

    def __init__(self, units, dtype):
        self.parameters = [np.ones(units, dtype), np.zeros(units, dtype)]
        self.mean, self.variance = np.zeros(units, dtype), np.ones(units, dtype)

    def forward(self, x, training):
        if training:
            mean, variance = x.mean(axis=0), x.var(axis=0)
            self.mean = (0.9 * self.mean + 0.1 * mean).astype(x.dtype)
            self.variance = (0.9 * self.variance + 0.1 * variance).astype(x.dtype)
        else:
            mean, variance = self.mean, self.variance
        self.root = np.sqrt(variance + 1e-5)
        self.normal = (x - mean) / self.root
        return self.parameters[0] * self.normal + self.parameters[1]

    def backward(self, d):
        self.gradients = [(d * self.normal).sum(axis=0), d.sum(axis=0)]
        d = d * self.parameters[0]
        d = d - d.mean(axis=0) - self.normal * (d * self.normal).mean(axis=0)
        return d / self.root


class LayerNorm:
    def __init__(self, units, dtype):
        self.parameters = [np.ones(units, dtype), np.zeros(units, dtype)]

    def forward(self, x, training):
        self.root = np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
        self.normal = (x - x.mean(axis=1, keepdims=True)) / self.root
        return self.parameters[0] * self.normal + self.parameters[1]

    def backward(self, d):
        self.gradients = [(d * self.normal).sum(axis=0), d.sum(axis=0)]
        d = d * self.parameters[0]
        d = d - d.mean(axis=1, keepdims=True)
        d = d - self.normal * (d * self.normal).mean(axis=1, keepdims=True)
        return d / self.root


class Dropout:
    """Inverted: what is kept is scaled in training, so that nothing is to be done in use."""

    parameters, gradients = [], []

    def __init__(self, share, rng):
        self.share, self.rng = share, rng

    def forward(self, x, training):
        self.mask = np.ones_like(x)
        if training:
            drawn = self.rng.random(x.shape) if self.rng else np.random.rand(*x.shape)  # noqa: NPY002
            self.mask = ((drawn >= self.share) / (1 - self.share)).astype(x.dtype)
        return x * self.mask

    def backward(self, d):
        return d * self.mask


class Residual:
    def __init__(self, *layers):
        self.layers = layers

    @property
    def parameters(self):
        return [p for layer in self.layers for p in layer.parameters]

    @property
    def gradients(self):
        return [g for layer in self.layers for g in layer.gradients]

    def forward(self, x, training):
        out = x
        for layer in self.layers:
            out = layer.forward(out, training)
        return x + out

    def backward(self, d):
        back = d
        for layer in reversed(self.layers):
            back = layer.backward(back)
        return d + back


class Convolution:
    """Kernels (outputs, inputs, size, size) over flat square pictures of one channel or more."""

    def __init__(self, kernels, side, bias_shape=None):
        self.side, shape = side, bias_shape or (len(kernels),)
        self.parameters = [kernels, np.zeros(shape, kernels.dtype)]

    def _patches(self, x):
        _, channels, size, _ = self.parameters[0].shape
        pictures = x.reshape(len(x), channels, self.side, self.side)
        windows = np.lib.stride_tricks.sliding_window_view(pictures, (size, size), axis=(2, 3))
        return windows.transpose(0, 2, 3, 1, 4, 5)  # batch, rows, columns, channels, size, size

    def forward(self, x, training):
        kernels, bias = self.parameters
        self.patches = self._patches(x)
        z = np.tensordot(self.patches, kernels, axes=((3, 4, 5), (1, 2, 3)))
        self.shape = z.shape
        return (z + bias.reshape(-1)).transpose(0, 3, 1, 2).reshape(len(x), -1)

    def backward(self, d):
        kernels, bias = self.parameters
        outputs, channels, size, _ = kernels.shape
        n, rows, columns, _ = self.shape
        d = d.reshape(n, outputs, rows, columns).transpose(0, 2, 3, 1)
        self.gradients = [
            np.tensordot(d, self.patches, axes=((0, 1, 2), (0, 1, 2))),
            d.sum(axis=(0, 1, 2)).reshape(bias.shape),
        ]
        back = np.zeros((n, channels, self.side, self.side), d.dtype)
        for i in range(size):
            for j in range(size):
                part = np.tensordot(d, kernels[:, :, i, j], axes=(3, 0)).transpose(0, 3, 1, 2)
                back[:, :, i : i + rows, j : j + columns] += part
        return back.reshape(n, -1)


# --------------------------------------------------------------------------------------------------
# Losses: the outputs for logits, the loss, and its gradient with respect to the logits
# --------------------------------------------------------------------------------------------------


def softmax_loss(smoothing=0.0):
    def loss(z, hot):
        p, classes = softmax(z), hot.shape[1]
        target = (1 - smoothing) * hot + smoothing / classes
        log_p = z - z.max(axis=1, keepdims=True)
        log_p = log_p - np.log(np.exp(log_p).sum(axis=1, keepdims=True))
        return -(target * log_p).sum() / len(z), (p - target) / len(z)

    return softmax, loss


def binary_loss(mean=False):
    def loss(z, hot):
        count = z.size if mean else len(z)
        value = (np.logaddexp(0, z) - z * hot).sum() / count
        return value, (sigmoid(z) - hot) / count

    return sigmoid, loss


def squared_loss(outputs, half=True, mean=False):
    def loss(z, hot):
        p, count = outputs(z), (z.size if mean else len(z)) * (2 if half else 1)
        d = 2 * (p - hot) / count
        if outputs is sigmoid:
            d = d * p * (1 - p)
        elif outputs is softmax:
            d = p * (d - (d * p).sum(axis=1, keepdims=True))
        return ((p - hot) ** 2).sum() / count, d

    return outputs, loss


def linear(z):
    return z


LOSSES = {
    "cross-entropy": softmax_loss(),
    "label smoothing": softmax_loss(0.1),
    "strong smoothing": softmax_loss(0.3),
    "binary": binary_loss(),
    "binary, mean": binary_loss(mean=True),
    "squares of sigmoid": squared_loss(sigmoid),
    "squares of sigmoid, mean": squared_loss(sigmoid, half=False, mean=True),
    "squares of softmax": squared_loss(softmax, half=False),
    "squares of softmax, mean": squared_loss(softmax, mean=True),
    "least squares": squared_loss(linear),
    "least squares, mean": squared_loss(linear, half=False, mean=True),
}

# --------------------------------------------------------------------------------------------------
# Optimizers: each is a generator of functions (parameter, gradient, memory, time) -> change
# --------------------------------------------------------------------------------------------------


def sgd(p, g, memory, t, rate=0.1):
    return -rate * g


def momentum(p, g, memory, t, rate=0.02):
    memory["v"] = 0.9 * memory.get("v", 0) - rate * g
    return memory["v"]


def averaged_momentum(p, g, memory, t, rate=0.2):
    memory["v"] = 0.9 * memory.get("v", 0) + 0.1 * g
    return -rate * memory["v"]


def nesterov(p, g, memory, t, rate=0.02):
    memory["v"] = 0.9 * memory.get("v", 0) + g
    return -rate * (g + 0.9 * memory["v"])


def adam(p, g, memory, t, rate=0.002):
    memory["m"] = 0.9 * memory.get("m", 0) + 0.1 * g
    memory["s"] = 0.999 * memory.get("s", 0) + 0.001 * g**2
    return -rate * memory["m"] / (1 - 0.9**t) / (np.sqrt(memory["s"] / (1 - 0.999**t)) + 1e-8)


def adamw(p, g, memory, t):
    return adam(p, g, memory, t) - 0.002 * 0.01 * p


def rmsprop(p, g, memory, t, rate=0.001):
    memory["s"] = 0.9 * memory.get("s", 0) + 0.1 * g**2
    return -rate * g / (np.sqrt(memory["s"]) + 1e-8)


def adagrad(p, g, memory, t, rate=0.02):
    memory["s"] = memory.get("s", 0) + g**2
    return -rate * g / (np.sqrt(memory["s"]) + 1e-8)


def decayed_sgd(p, g, memory, t):
    return -0.1 * (g + 1e-3 * p)


def fading_sgd(p, g, memory, t):
    return -0.2 / (1 + 0.01 * t) * g


def clipped_sgd(p, g, memory, t):
    return -0.1 * np.clip(g, -0.05, 0.05)


OPTIMIZERS = [sgd, momentum, averaged_momentum, nesterov, adam, adamw, rmsprop, adagrad]
OPTIMIZERS += [decayed_sgd, fading_sgd, clipped_sgd]

# --------------------------------------------------------------------------------------------------
# Initializations
# --------------------------------------------------------------------------------------------------


def orthogonal(rng, n, m, gain=1.0):
    q, r = np.linalg.qr(rng.normal(size=(max(n, m), min(n, m))))
    q = q * np.sign(np.diag(r))
    return gain * (q if n >= m else q.T)


INITIALIZATIONS = {
    "He": lambda rng, n, m: rng.normal(0, np.sqrt(2 / n), (n, m)),
    "He, uniform": lambda rng, n, m: rng.uniform(-1, 1, (n, m)) * np.sqrt(6 / n),
    "Xavier": lambda rng, n, m: rng.normal(0, np.sqrt(2 / (n + m)), (n, m)),
    "Xavier, uniform": lambda rng, n, m: rng.uniform(-1, 1, (n, m)) * np.sqrt(6 / (n + m)),
    "LeCun": lambda rng, n, m: rng.normal(0, np.sqrt(1 / n), (n, m)),
    "LeCun, uniform": lambda rng, n, m: rng.uniform(-1, 1, (n, m)) * np.sqrt(3 / n),
    "PyTorch": lambda rng, n, m: rng.uniform(-1, 1, (n, m)) / np.sqrt(n),
    "orthogonal": orthogonal,
    "orthogonal, root 2": functools.partial(orthogonal, gain=np.sqrt(2)),
    "truncated": lambda rng, n, m: np.clip(rng.normal(0, 1, (n, m)), -2, 2) * np.sqrt(2 / n) / 0.88,
}

# --------------------------------------------------------------------------------------------------
# Data
# --------------------------------------------------------------------------------------------------


@functools.cache
def digits(side, count=600):
    """Practice digits, (count, side * side) from 0 to 1: blocks of pixels, or a frame of zeros."""
    practice = dataset.load_practice_digits()
    order = np.random.default_rng(3).permutation(len(practice.train_labels))[:count]
    x = mnist_core.scale_pixels(practice.train_images[order], np.float64).reshape(-1, 28, 28)
    if side > 28:
        edge = (side - 28) // 2
        x = np.pad(x, ((0, 0), (edge, side - 28 - edge), (edge, side - 28 - edge)))
    else:
        block = 28 // side
        x = x.reshape(-1, side, block, side, block).mean(axis=(2, 4))
    return x.reshape(count, -1), practice.train_labels[order].astype(np.int64)


def few_digits(kinds):
    x, y = digits(7, 3000)
    keep = y < kinds
    return x[keep][:600], y[keep][:600]


def unbalanced_digits():
    x, y = digits(7, 3000)
    rng = np.random.default_rng(1)
    keep = rng.random(len(y)) < np.where(y == 1, 1, np.where(y == 7, 0.3, 0.08))
    return x[keep][:600], y[keep][:600]


def blobs(inputs, classes, count, spread=0.3):
    rng = np.random.default_rng(inputs + classes)
    centres = rng.normal(size=(classes, inputs))
    y = rng.integers(0, classes, count)
    return centres[y] + spread * rng.normal(size=(count, inputs)), y


def spirals(classes, count=500):
    rng = np.random.default_rng(classes)
    y, t = rng.integers(0, classes, count), rng.random(count)
    angle = 2 * np.pi * (y / classes + 0.8 * t) + 0.1 * rng.normal(size=count)
    return 2 * t[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1), y


def standardised(x):
    return (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-8)


DATA = {
    "digits": lambda: digits(7),
    "digits, standardised": lambda: (standardised(digits(7)[0]), digits(7)[1]),
    "digits, -1 to 1": lambda: (2 * digits(7)[0] - 1, digits(7)[1]),
    "digits, 14 x 14": lambda: digits(14),
    "digits, 28 x 28": lambda: digits(28),
    "digits, 32 x 32": lambda: digits(32),
    "few digits": lambda: few_digits(4),
    "two digits": lambda: few_digits(2),
    "unbalanced digits": unbalanced_digits,
    "few examples": lambda: (digits(7)[0][:60], digits(7)[1][:60]),
    "blobs of 2": lambda: blobs(6, 2, 500),
    "blobs of 3": lambda: blobs(4, 3, 300),
    "blobs of 26": lambda: blobs(16, 26, 800),
    "blobs of 100": lambda: blobs(40, 100, 1500),
    "blobs that overlap": lambda: blobs(8, 6, 600, 0.8),
    "unbalanced blobs": lambda: (blobs(6, 2, 500)[0], (np.arange(500) % 20 == 0).astype(int)),
    "spirals of 3": lambda: spirals(3),
    "spirals of 6": lambda: spirals(6),
}
SQUARE = ("digits", "digits, standardised", "digits, -1 to 1", "few digits", "two digits")

# --------------------------------------------------------------------------------------------------
# Networks
# --------------------------------------------------------------------------------------------------


class Net:
    """Layers, a loss and an optimizer; weight decay in the loss or in the gradients alone."""

    def __init__(self, layers, loss, optimizer, classes, one_hot=False, decay=0.0, counted=True):
        self.layers, (self.outputs, self.loss), self.classes = layers, LOSSES[loss], classes
        self.optimizer, self.one_hot, self.decay, self.counted = optimizer, one_hot, decay, counted
        self.memories, self.time = {}, 0

    @property
    def parameters(self):
        return [p for layer in self.layers for p in layer.parameters]

    def forward(self, x, training=False):
        for layer in self.layers:
            x = layer.forward(x, training)
        return x

    def predict_proba(self, x):
        return self.outputs(self.forward(x))

    def activations(self, x):
        found = []
        for layer in self.layers:
            x = layer.forward(x, False)
            found.append(x)
        bends = [
            a for a, layer in zip(found, self.layers, strict=True) if type(layer) is Activation
        ]
        return [*bends, x]

    def loss_and_gradients(self, x, y):
        z = self.forward(x, True)
        hot = y if self.one_hot else np.eye(self.classes, dtype=z.dtype)[y]
        loss, d = self.loss(z, hot)
        for layer in reversed(self.layers):
            d = layer.backward(d.astype(z.dtype))
        gradients = [g for layer in self.layers for g in layer.gradients]
        for k, p in enumerate(self.parameters):
            if self.decay and p.ndim > 1:
                gradients[k] = gradients[k] + self.decay * p
                loss += 0.5 * self.decay * (p**2).sum() * self.counted
        return float(loss), gradients

    def step(self, x, y):
        self.time += 1
        _, gradients = self.loss_and_gradients(x, y)
        for k, (p, g) in enumerate(zip(self.parameters, gradients, strict=True)):
            p += self.optimizer(p, g, self.memories.setdefault(k, {}), self.time).astype(p.dtype)


def layers(rng, kind, sizes, activation, initialization, dtype, side):
    """Make the layers of a network of a kind; the last ones give the logits."""
    start = INITIALIZATIONS[initialization]

    def draw(n, m):
        return start(rng, n, m).astype(dtype)

    *hidden, classes = sizes[1:]
    made, inputs = [], sizes[0]
    if kind == "convolution":
        kernels = rng.normal(0, np.sqrt(2 / 9), (4, 1, 3, 3)).astype(dtype)
        made += [Convolution(kernels, side), Activation(activation)]
        inputs = 4 * (side - 2) ** 2
    if kind == "two convolutions":
        for n, m in ((1, 3), (3, 4)):
            kernels = rng.normal(0, np.sqrt(2 / (9 * n)), (m, n, 3, 3)).astype(dtype)
            made += [Convolution(kernels, side, (m, 1)), Activation(activation)]
            side -= 2
        inputs = 4 * side**2
    for units in hidden:
        if kind == "residual" and units == inputs:
            block = [
                Dense(draw(inputs, units)),
                Activation(activation),
                Dense(draw(units, units) / 2),
            ]
            made += [Residual(*block), Activation(activation)]
            continue
        made += [
            Column(draw(inputs, units))
            if kind == "bias column"
            else Dense(draw(inputs, units), kind != "no biases", kind == "columns")
        ]
        if kind == "batch norm":
            made += [BatchNorm(units, dtype)]
        if kind == "layer norm":
            made += [LayerNorm(units, dtype)]
        made += [Activation(activation)]
        if kind.startswith("dropout"):
            made += [Dropout(0.2, None if "global" in kind else np.random.default_rng(5))]
        inputs = units
    last = draw(inputs, classes)
    made += [
        Column(last)
        if kind == "bias column"
        else Dense(last, kind != "no biases", kind == "columns")
    ]
    return made


KINDS = ["plain", "plain", "plain", "columns", "batch norm", "layer norm", "dropout"]
KINDS += ["dropout, global", "residual", "convolution", "two convolutions", "bias column"]
KINDS += ["no biases"]
HIDDEN = [[], [16], [32], [24, 16], [20, 20], [16, 16, 16], [32, 16, 12, 10], [12] * 5, [16] * 6]
HIDDEN += [[16] * 7]
STATES = {"fresh": 0, "hardly trained": 3, "half trained": 25, "trained": 200, "overtrained": 900}
HAS = [
    "parameters loss_and_gradients step activations",
    "parameters loss_and_gradients step",
    "parameters loss_and_gradients activations",
    "step",
    "parameters step",
    "",
]


def cycled(rng, options, count):
    """Draw so that each option occurs as often as any other."""
    options = list(options)
    times = -(-count // len(options))
    return [options[k] for _ in range(times) for k in rng.permutation(len(options))][:count]


def zoo(seed=0, count=120):
    """Yield descriptions of right networks; `build` makes them."""
    rng = np.random.default_rng(seed)
    axes = {
        "kind": KINDS,
        "hidden": HIDDEN,
        "activation": ACTIVATIONS,
        "data": DATA,
        "state": STATES,
        "loss": [*["cross-entropy"] * 5, *LOSSES],
        "optimizer": OPTIMIZERS,
        "initialization": INITIALIZATIONS,
        "dtype": [np.float64, np.float64, np.float32],
        "decay": [(0, True)] * 4 + [(1e-4, True), (1e-2, True), (1e-2, False), (1e-3, False)],
        "one_hot": [False] * 3 + [True],
        "has": [HAS[0]] * 4 + HAS,
    }
    drawn = {name: cycled(rng, options, count) for name, options in axes.items()}
    for number in range(count):
        case = {name: values[number] for name, values in drawn.items()} | {"seed": number}
        if case["kind"] in ("convolution", "two convolutions") and case["data"] not in SQUARE:
            case["data"] = "digits"
        if "convolution" in case["kind"]:
            case["hidden"] = case["hidden"][:1]
        if case["loss"].startswith("least") and "loss" not in case["has"]:
            case["has"] = HAS[1]  # else nothing tells a regression's outputs from forgotten softmax
        if len(case["hidden"]) > 4 and case["decay"][0] > 1e-3:
            case["decay"] = (1e-4, case["decay"][1])  # more, and its weights go to 0
        yield case


def name_of(case):
    parts = [case["kind"], f"{len(case['hidden'])} hidden", case["activation"], case["loss"]]
    parts += [case["optimizer"].__name__, case["initialization"], case["data"], case["state"]]
    parts += [np.dtype(case["dtype"]).name, f"decay {case['decay']}", case["has"] or "predict"]
    return f"{case['seed']}: " + "; ".join(parts)


def build(case):
    """Make a network, its pictures and its labels; train it as far as the description says."""
    rng = np.random.default_rng(case["seed"])
    x, y = DATA[case["data"]]()
    x, classes = x.astype(case["dtype"]), int(y.max()) + 1
    sizes = [x.shape[1], *case["hidden"], classes]
    side = int(np.sqrt(x.shape[1]))
    made = layers(
        rng, case["kind"], sizes, case["activation"], case["initialization"], case["dtype"], side
    )
    decay, counted = case["decay"]
    net = Net(made, case["loss"], case["optimizer"], classes, case["one_hot"], decay, counted)
    labels = np.eye(classes, dtype=case["dtype"])[y] if case["one_hot"] else y
    for _ in range(STATES[case["state"]]):
        rows = rng.choice(len(x), min(32, len(x)), replace=False)
        if case["state"] == "overtrained":
            rows = rows % 64
        net.step(x[rows], labels[rows])
    names = ["predict_proba", *case["has"].split()]
    if not set(HAS[0].split()) <= set(names):
        net = types.SimpleNamespace(**{name: getattr(net, name) for name in names})
    return net, x, labels
