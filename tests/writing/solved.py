"""The reader's file, solved: `SOLVED`, its source by the style in which it is written."""

import re
from pathlib import Path

import mnist_book.writing

TEMPLATES = Path(mnist_book.writing.__file__).parent / "templates"

FUNCTIONS = {
    "read_idx": """
    content = path.read_bytes()
    shape = np.frombuffer(content, ">u4", content[3], 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)
""",
    "nearest_mean": """
    distances = []
    for digit in range(10):
        mean = train_images[train_labels == digit].mean(axis=0)
        distances.append(((test_images.astype(float) - mean) ** 2).sum(axis=(1, 2)))
    return np.argmin(distances, axis=0)
""",
    "linear": """
    return x @ weights + bias
""",
    "accuracy": """
    return np.mean(np.ravel(predictions) == labels)
""",
    "softmax": """
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
""",
    "cross_entropy": """
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -np.mean(log_p[np.arange(len(labels)), labels])
""",
    "leaky_relu": """
    return np.where(z > 0, z, slope * z)
""",
    "leaky_relu_gradient": """
    return np.where(z > 0, 1.0, slope)
""",
    "predict_proba": """
    w1, b1, w2, b2 = parameters
    return softmax(linear(leaky_relu(linear(x, w1, b1), SLOPE), w2, b2))
""",
    "he_normal": """
    return rng.normal(0, np.sqrt(2 / ((1 + slope**2) * inputs)), (inputs, outputs))
""",
    "gradients": """
    w1, b1, w2, b2 = parameters
    z1 = linear(x, w1, b1)
    a1 = leaky_relu(z1, SLOPE)
    d_z2 = softmax(linear(a1, w2, b2))
    d_z2[np.arange(len(labels)), labels] -= 1
    d_z2 /= len(labels)
    d_z1 = d_z2 @ w2.T * leaky_relu_gradient(z1, SLOPE)
    return [x.T @ d_z1, d_z1.sum(axis=0), a1.T @ d_z2, d_z2.sum(axis=0)]
""",
    "train_step": """
    slopes = gradients(parameters, x, labels)
    return [p - learning_rate * d_p for p, d_p in zip(parameters, slopes, strict=True)]
""",
    "train_epoch": """
    order = rng.permutation(len(labels))
    for start in range(0, len(labels), batch_size):
        rows = order[start : start + batch_size]
        parameters = train_step(parameters, x[rows], labels[rows], learning_rate)
    return parameters
""",
}
COLUMNS = FUNCTIONS | {
    "linear": """
    return weights @ x + bias
""",
    "softmax": """
    e = np.exp(logits - logits.max(axis=0))
    return e / e.sum(axis=0)
""",
    "cross_entropy": """
    shifted = logits - logits.max(axis=0)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=0))
    return -np.mean(log_p[labels, np.arange(len(labels))])
""",
    "he_normal": """
    return rng.normal(0, np.sqrt(2 / ((1 + slope**2) * inputs)), (outputs, inputs))
""",
    "gradients": """
    w1, b1, w2, b2 = parameters
    z1 = linear(x, w1, b1)
    a1 = leaky_relu(z1, SLOPE)
    d_z2 = softmax(linear(a1, w2, b2))
    d_z2[labels, np.arange(len(labels))] -= 1
    d_z2 /= len(labels)
    d_z1 = w2.T @ d_z2 * leaky_relu_gradient(z1, SLOPE)
    sums = [d_z.sum(axis=1, keepdims=True) for d_z in (d_z1, d_z2)]
    return [d_z1 @ x.T, sums[0], d_z2 @ a1.T, sums[1]]
""",
    "train_epoch": """
    order = rng.permutation(len(labels))
    for start in range(0, len(labels), batch_size):
        columns = order[start : start + batch_size]
        parameters = train_step(parameters, x[:, columns], labels[columns], learning_rate)
    return parameters
""",
}

# Loops where NumPy could do it, helpers of its own, parameters changed in place.
LOOPS = """
import math
import struct
from itertools import islice

import numpy as np

def read_idx(path):
    with open(path, "rb") as file:
        rank = file.read(4)[3]
        sizes = struct.unpack(">" + "I" * rank, file.read(4 * rank))
        return np.array(list(file.read()), np.uint8).reshape(sizes)

def distance(a, b):
    return sum((float(p) - float(q)) ** 2 for p, q in zip(a.ravel(), b.ravel()))

def nearest_mean(train_images, train_labels, test_images):
    means = [np.mean(train_images[train_labels == d], axis=0) for d in range(10)]
    return np.array([min(range(10), key=lambda d: distance(x, means[d])) for x in test_images])

def linear(x, weights, bias):
    z = np.zeros((len(x), len(bias)))
    for j in range(len(bias)):
        z[:, j] = np.dot(x, weights[:, j]) + bias[j]
    return z

def accuracy(predictions, labels):
    right = 0
    for prediction, label in zip(np.asarray(predictions).ravel(), labels):
        right += int(prediction == label)
    return right / len(labels)

def softmax_of_one(row):
    top = max(row)
    powers = [math.exp(score - top) for score in row]
    return [power / sum(powers) for power in powers]

def softmax(logits):
    return np.array([softmax_of_one(row) for row in logits])

def cross_entropy(logits, labels):
    total = 0.0
    for row, label in zip(logits, labels):
        top = max(row)
        total += top + math.log(sum(math.exp(score - top) for score in row)) - row[label]
    return total / len(labels)

def leaky_relu(z, slope):
    a = np.array(z, float)
    a[z < 0] *= slope
    return a

def leaky_relu_gradient(z, slope):
    d = np.ones(z.shape)
    d[z <= 0] = slope
    return d

def predict_proba(parameters, x):
    return forward(parameters, x)[-1]

def forward(parameters, x, slope=0.01):
    z1 = linear(x, *islice(parameters, 2))
    a1 = leaky_relu(z1, slope)
    return z1, a1, softmax(linear(a1, *islice(parameters, 2, 4)))

def he_normal(rng, inputs, outputs, slope):
    return rng.standard_normal((inputs, outputs)) * math.sqrt(2 / inputs / (1 + slope ** 2))

def gradients(parameters, x, labels):
    z1, a1, p = forward(parameters, x)
    error = (p - np.eye(p.shape[1])[labels]) / len(x)
    hidden = np.einsum("nk,hk->nh", error, parameters[2]) * leaky_relu_gradient(z1, 0.01)
    return (np.einsum("ni,nh->ih", x, hidden), hidden.sum(0), np.dot(a1.T, error), error.sum(0))

def train_step(parameters, x, labels, learning_rate):
    for p, g in zip(parameters, gradients(parameters, x, labels)):
        p -= learning_rate * g

def train_epoch(parameters, x, labels, rng, batch_size, learning_rate):
    rows = list(range(len(labels)))
    rng.shuffle(rows)
    while rows:
        batch, rows = rows[:batch_size], rows[batch_size:]
        train_step(parameters, x[batch], labels[batch], learning_rate)
"""

# Classes, whose methods and instances stand under the names of the pieces.
OBJECTS = """
from __future__ import annotations

import dataclasses
import functools
import numpy as np

SLOPE = 0.01

class Idx:
    @staticmethod
    def read(path: object) -> np.ndarray:
        raw = np.fromfile(path, np.uint8)
        shape = raw[4 : 4 + 4 * raw[3]].view(">u4").astype(int)
        return raw[4 + 4 * raw[3] :].reshape(shape)

read_idx = Idx.read

class NearestMean:
    def __call__(self, images, labels, test_images):
        means = np.stack([images[labels == d].mean(0).ravel() for d in range(10)])
        x = test_images.reshape(len(test_images), -1).astype(float)
        return ((x[:, None] - means) ** 2).sum(-1).argmin(-1)

nearest_mean = NearestMean()

@dataclasses.dataclass
class Linear:
    weights: np.ndarray
    bias: np.ndarray

    def forward(self, x):
        self.x = x
        return x @ self.weights + self.bias

    def backward(self, d_z):
        self.slopes = [self.x.T @ d_z, d_z.sum(0)]
        return d_z @ self.weights.T

class Bend:
    def __init__(self, slope=SLOPE):
        self.slope = slope

    def forward(self, z):
        self.z = z
        return np.maximum(z, self.slope * z)

    def backward(self, d_a):
        return d_a * self.slope_at(self.z)

    def slope_at(self, z):
        return np.where(z > 0, 1, self.slope)

def linear(x, weights, bias):
    return Linear(weights, bias).forward(x)

accuracy = lambda predictions, labels: float((predictions.reshape(-1) == labels).mean())

def log_softmax(logits):
    logits = logits - logits.max(1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(1, keepdims=True))

def softmax(logits):
    return np.exp(log_softmax(logits))

def cross_entropy(logits, labels):
    return -np.take_along_axis(log_softmax(logits), labels[:, None], 1).mean()

leaky_relu = lambda z, slope: Bend(slope).forward(z)
leaky_relu_gradient = lambda z, slope: Bend(slope).slope_at(z)

class Net:
    def __init__(self, parameters):
        w1, b1, w2, b2 = parameters
        self.layers = [Linear(w1, b1), Bend(), Linear(w2, b2)]

    def scores(self, x):
        return functools.reduce(lambda a, layer: layer.forward(a), self.layers, x)

    def gradients(self, x, labels):
        d = softmax(self.scores(x))
        d -= np.eye(d.shape[1])[labels]
        d = d / len(x)
        for layer in reversed(self.layers):
            d = layer.backward(d)
        return [*self.layers[0].slopes, *self.layers[2].slopes]

def predict_proba(parameters, x):
    return softmax(Net(parameters).scores(x))

def he_normal(rng, inputs, outputs, slope):
    limit = np.sqrt(6 / ((1 + slope**2) * inputs))
    return rng.uniform(-limit, limit, size=(inputs, outputs))

def gradients(parameters, x, labels):
    return Net(parameters).gradients(x, labels)

def train_step(parameters, x, labels, learning_rate):
    for p, d in zip(parameters, gradients(parameters, x, labels), strict=True):
        p[...] = p - learning_rate * d
    return parameters

def train_epoch(parameters, x, labels, rng, batch_size, learning_rate):
    for rows in np.split(rng.permutation(len(x)), range(batch_size, len(x), batch_size)):
        train_step(parameters, x[rows], labels[rows], learning_rate)
    return parameters
"""


def filled(bodies, template="rows"):
    """Put bodies in the place of the template's dots."""
    text = (TEMPLATES / f"{template}.txt").read_text("utf-8")
    for name, body in bodies.items():
        pattern = rf"(def {name}\(.*?\n    \"\"\".*?\n    \"\"\"\n)    \.\.\.\n"
        text, count = re.subn(pattern, lambda m, b=body: m[1] + b[1:], text, flags=re.DOTALL)
        assert count == 1, name
    return text


SOLVED = {
    "functions": filled(FUNCTIONS),
    "columns": filled(COLUMNS, "columns"),
    "loops": LOOPS,
    "objects": OBJECTS,
}
