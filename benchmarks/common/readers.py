"""Files as readers write them: `SOLVED`, in several styles, and what goes wrong in them.

`PLANTED` has bugs to put into the solved file, `damaged` damages a file at random, `class_of` makes
the files of a class.
"""

import contextlib
import re
from pathlib import Path

import numpy as np

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


def filled(bodies: dict[str, str], template: str = "rows") -> str:
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

# --------------------------------------------------------------------------------------------------
# Bugs
# --------------------------------------------------------------------------------------------------

# The code that must be named, the piece, what stands there, and what the bug makes of it.
PLANTED = [
    ("idx.endian", "read_idx", '">u4"', "np.uint32"),
    ("idx.signed", "read_idx", "np.frombuffer(content, np.uint8", "np.frombuffer(content, np.int8"),
    ("idx.offset", "read_idx", "offset=4 + 4 * len(shape)", "offset=4 * len(shape)"),
    (
        "data.bytes_wrap",
        "nearest_mean",
        "test_images.astype(float) - mean",
        "test_images - mean.astype(np.uint8)",
    ),
    ("nearest_mean.farthest", "nearest_mean", "argmin", "argmax"),
    ("nearest_mean.cancels", "nearest_mean", " ** 2).sum(axis=(1, 2))", ").sum(axis=(1, 2)) ** 2"),
    ("linear.elementwise", "linear", "x @ weights", "x * weights"),
    ("linear.transposed", "linear", "x @ weights", "x @ weights.T"),
    ("linear.no_bias", "linear", " + bias", ""),
    ("linear.bias_sign", "linear", " + bias", " - bias"),
    ("accuracy.broadcast", "accuracy", "np.ravel(predictions)", "predictions"),
    ("accuracy.wrong", "accuracy", "np.mean(", "100 * np.mean("),
    ("softmax.axis", "softmax", "e.sum(axis=1, keepdims=True)", "e.sum(axis=0)"),
    ("softmax.global_sum", "softmax", "e.sum(axis=1, keepdims=True)", "e.sum()"),
    ("softmax.overflow", "softmax", " - logits.max(axis=1, keepdims=True)", ""),
    ("softmax.global_max", "softmax", "logits.max(axis=1, keepdims=True)", "logits.max()"),
    ("softmax.not_normalised", "softmax", "e / e.sum(axis=1, keepdims=True)", "e"),
    ("softmax.base", "softmax", "np.exp(", "np.exp2("),
    ("cross_entropy.sign", "cross_entropy", "return -np", "return np"),
    ("cross_entropy.not_mean", "cross_entropy", "-np.mean", "-np.sum"),
    ("cross_entropy.base", "cross_entropy", "-np.mean(", "-np.log10(np.e) * np.mean("),
    ("leaky_relu.plain", "leaky_relu", "slope * z", "0 * z"),
    ("leaky_relu.sign", "leaky_relu", "z > 0", "z < 0"),
    ("leaky_relu.abs", "leaky_relu", "slope * z", "-z"),
    ("relu_gradient.sign", "leaky_relu_gradient", "z > 0", "z < 0"),
    ("relu_gradient.always_one", "leaky_relu_gradient", "1.0, slope", "1.0, 1.0"),
    ("relu_gradient.slope_ignored", "leaky_relu_gradient", "1.0, slope", "1.0, 0.0"),
    (
        "network.linear",
        "predict_proba",
        "leaky_relu(linear(x, w1, b1), SLOPE)",
        "linear(x, w1, b1)",
    ),
    ("leaky_relu.plain", "predict_proba", "SLOPE", "0"),
    ("function.nothing", "predict_proba", "return softmax", "p = softmax"),
    ("init.variance_as_std", "he_normal", "np.sqrt(2 / ((1 + slope**2) * inputs))", "2 / inputs"),
    ("init.fan", "he_normal", "* inputs", "* outputs"),
    ("init.positive", "he_normal", "rng.normal(0, ", "rng.uniform(0, 2 * "),
    ("init.zeros", "he_normal", "return rng", "return 0 * rng"),
    ("function.shape", "he_normal", "(inputs, outputs))", "(outputs, inputs))"),
    ("gradients.transposed", "gradients", "d_z2 @ w2.T", "d_z2 @ w2"),
    ("gradients.missing_activation", "gradients", " * leaky_relu_gradient(z1, SLOPE)", ""),
    ("gradients.scale", "gradients", "    d_z2 /= len(labels)\n", ""),
    ("gradients.no_labels", "gradients", "    d_z2[np.arange(len(labels)), labels] -= 1\n", ""),
    ("gradients.bias", "gradients", "d_z1.sum(axis=0)", "d_z1.mean(axis=0)"),
    ("train.ascent", "train_step", "p - learning", "p + learning"),
    ("train.learning_rate", "train_step", "learning_rate * d_p", "0.05 * d_p"),
    ("train.no_update", "train_step", "learning_rate * d_p", "0 * d_p"),
    ("train.not_shuffled", "train_epoch", "rng.permutation(len(labels))", "np.arange(len(labels))"),
    (
        "train.lost_pictures",
        "train_epoch",
        "rng.permutation(len(labels))",
        "rng.integers(0, len(labels), len(labels))",
    ),
    ("data.labels_shuffled", "train_epoch", "labels[rows]", "rng.permutation(labels)[rows]"),
    ("train.epoch_length", "train_epoch", "order =", "batch_size = 20\n    order ="),
    ("train.no_update", "train_epoch", "parameters = train_step", "new = train_step"),
    ("function.raises", "softmax", "logits.max", "logit.max"),
    ("function.nothing", "linear", "return x", "z = x"),
    ("function.prints", "linear", "return x @", "print(x)\n    return x @"),
    ("function.mutates", "softmax", "e = np", "logits -= 1\n    e = np"),
]


def planted(piece: str, old: str, new: str, text: str = SOLVED["functions"]) -> str:
    """Put a bug into the body of a piece."""
    start = text.index('    """\n', text.index(f"def {piece}(")) + 8
    end = (text + "\n\n\n").index("\n\n\n", start)
    body = text[start:end]
    assert old in body, (piece, old)
    changed = body.replace(old, new, 1)
    return text[:start] + changed + text[end:]


# --------------------------------------------------------------------------------------------------
# Damage
# --------------------------------------------------------------------------------------------------

ODD = ["\t", "\r", "\x00", "\ufeff", "é", "\u2013", "\u201c", '"""', "'"]
ODD += ["(", "]", ":", "\\", "#", " ", "\n"]
WORDS = [
    *("while True:", "return", "break", "import os", "raise", "lambda:", "yield", "await x"),
    *("np", "x", "self", "None", "1e999", "10**9", "exit()", "...", "*", "@", "-", "/ 0", ".T"),
]


def damaged(text: str, rng: np.random.Generator) -> bytes:
    """Damage a file at some places, as an editor, a cat or a merge does."""
    for _ in range(rng.integers(1, 5)):
        text = DAMAGES[rng.integers(len(DAMAGES))](text, rng)
    if rng.random() < 0.1:
        text = text.replace("\n", "\r\n")
    content = text.encode("utf-8", "surrogatepass")
    if rng.random() < 0.05:
        place = rng.integers(len(content) + 1)
        content = content[:place] + rng.bytes(4) + content[place:]
    return content


def _words(text: str, rng: np.random.Generator) -> tuple[str, int, int]:
    """Choose a word of the file."""
    found = list(re.finditer(r"\w+|[^\w\s]", text))
    if not found:
        return "", 0, 0
    match = found[rng.integers(len(found))]
    return match[0], match.start(), match.end()


def _other_word(text: str, rng: np.random.Generator) -> str:
    _, start, end = _words(text, rng)
    other = WORDS[rng.integers(len(WORDS))] if rng.random() < 0.5 else _words(text, rng)[0]
    return text[:start] + other + text[end:]


def _without_word(text: str, rng: np.random.Generator) -> str:
    _, start, end = _words(text, rng)
    return text[:start] + text[end:]


def _odd_character(text: str, rng: np.random.Generator) -> str:
    place = rng.integers(len(text) + 1)
    return text[:place] + ODD[rng.integers(len(ODD))] + text[place:]


def _lines(text: str, rng: np.random.Generator) -> str:
    """Lose a line, double it, exchange it with another, or indent it in another way."""
    lines = text.split("\n")
    k, other = rng.integers(len(lines), size=2)
    kind = rng.integers(4)
    if kind == 0:
        del lines[k]
    elif kind == 1:
        lines.insert(k, lines[other])
    elif kind == 2:
        lines[k], lines[other] = lines[other], lines[k]
    else:
        lines[k] = ("", "  ", "\t")[rng.integers(3)] + lines[k].strip()
    return "\n".join(lines)


def _cut(text: str, rng: np.random.Generator) -> str:
    return text[: rng.integers(len(text) + 1)] if rng.random() < 0.2 else text


DAMAGES = (_other_word, _other_word, _without_word, _odd_character, _lines, _lines, _cut)


def class_of(count: int, rng: np.random.Generator) -> dict[str, bytes]:
    """Make the files of a class: solved, unfinished, with bugs, damaged, and some that hang."""
    files = {}
    for k in range(count):
        kind, text = rng.random(), SOLVED["functions"]
        if kind < 0.15:
            text = list(SOLVED.values())[rng.integers(len(SOLVED))]
        elif kind < 0.35:
            names = list(FUNCTIONS)[: rng.integers(len(FUNCTIONS))]
            text = filled({name: FUNCTIONS[name] for name in names})
        elif kind < 0.85:
            for j in rng.choice(len(PLANTED), rng.integers(1, 4), replace=False):
                with contextlib.suppress(AssertionError):  # another bug has taken its place
                    text = planted(*PLANTED[j][1:], text)
        elif kind < 0.95:
            files[f"student{k:03}.py"] = damaged(text, rng)
            continue
        else:
            text = text.replace("    e = np", HOSTILE[rng.integers(len(HOSTILE))] + "\n    e = np")
        files[f"student{k:03}.py"] = text.encode()
    return files


HOSTILE = [
    "    while True: pass",
    "    import os; os._exit(1)",
    "    import os; os.fork()",
    "    bytearray(10**11)",
    "    print('x' * 10**7)",
    "    import sys; sys.exit()",
]
