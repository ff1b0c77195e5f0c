"""The same network, and the same bugs, in the styles in which people write them.

A program is executed as a notebook is, in a namespace of its own. All programs share the lines that
`BUGS` replaces, so that each bug can be planted in each style.
"""

START = """
import dataclasses
import functools
import types
import numpy as np

rng = np.random.default_rng(0)
rate = 0.1

def draw(n, m):
    return rng.normal(0, np.sqrt(2 / n), (n, m))

def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)

def mean_loss(p, y):
    return -np.mean(np.log(p[np.arange(len(y)), y] + 1e-12))

def output_error(p, y):
    d = p - np.eye(10)[y]
    return d / len(y)

def back(d, w, a):
    return d @ w.T * (a > 0)

def layer_gradients(x, d):
    return [x.T @ d, d.sum(axis=0)]

def moved(p, g):
    return p - rate * g
"""

STYLES = {
    "flat functions over globals": """
W1, b1, W2, b2 = draw(196, 24), np.zeros(24), draw(24, 10), np.zeros(10)

def predict_proba(x):
    a = np.maximum(0, x @ W1 + b1)
    return softmax(a @ W2 + b2)

def activations(x):
    a = np.maximum(0, x @ W1 + b1)
    return [a, a @ W2 + b2]

def loss_and_gradients(x, y):
    a = np.maximum(0, x @ W1 + b1)
    p = softmax(a @ W2 + b2)
    d2 = output_error(p, y)
    return mean_loss(p, y), [*layer_gradients(x, back(d2, W2, a)), *layer_gradients(a, d2)]

def step(x, y):
    loss, gradients = loss_and_gradients(x, y)
    for p, g in zip([W1, b1, W2, b2], gradients):
        p[...] = moved(p, g)
    return loss

network = types.SimpleNamespace(
    predict_proba=predict_proba, parameters=[W1, b1, W2, b2], activations=activations,
    loss_and_gradients=loss_and_gradients, step=step)
""",
    "functions that call functions": """
W, b = [draw(196, 24), draw(24, 10)], [np.zeros(24), np.zeros(10)]

def layer(x, k):
    return x @ W[k] + b[k]

def relu(z):
    return np.maximum(0, z)

def hidden(x):
    return relu(layer(x, 0))

def forward(x):
    a = hidden(x)
    return a, layer(a, 1)

def activations(x):
    return list(forward(x))

def predict_proba(x):
    return softmax(forward(x)[1])

def backward(x, y):
    a, z = forward(x)
    d2 = output_error(softmax(z), y)
    d1 = back(d2, W[1], a)
    return layer_gradients(x, d1) + layer_gradients(a, d2)

def loss_and_gradients(x, y):
    return mean_loss(predict_proba(x), y), backward(x, y)

def update(arrays, gradients):
    for p, g in zip(arrays, gradients):
        p[...] = moved(p, g)

def step(x, y):
    update([W[0], b[0], W[1], b[1]], backward(x, y))

network = types.SimpleNamespace(
    predict_proba=predict_proba, parameters=[W[0], b[0], W[1], b[1]], activations=activations,
    loss_and_gradients=loss_and_gradients, step=step)
""",
    "global variables that are written": """
W1, b1, W2, b2 = draw(196, 24), np.zeros(24), draw(24, 10), np.zeros(10)

def forward(x):
    global X, A1, P
    X = x
    A1 = np.maximum(0, X @ W1 + b1)
    P = softmax(A1 @ W2 + b2)
    return P

def backward(y):
    global dW1, db1, dW2, db2
    d2 = output_error(P, y)
    dW2, db2 = layer_gradients(A1, d2)
    dW1, db1 = layer_gradients(X, back(d2, W2, A1))

def loss_and_gradients(x, y):
    p = forward(x)
    backward(y)
    return mean_loss(p, y), [dW1, db1, dW2, db2]

def step(x, y):
    forward(x)
    backward(y)
    W1[:], b1[:] = moved(W1, dW1), moved(b1, db1)
    W2[:], b2[:] = moved(W2, dW2), moved(b2, db2)

network = types.SimpleNamespace(
    predict_proba=forward, parameters=[W1, b1, W2, b2],
    loss_and_gradients=loss_and_gradients, step=step)
""",
    "dictionaries of parameters": """
params = {"W1": draw(196, 24), "b1": np.zeros(24), "W2": draw(24, 10), "b2": np.zeros(10)}

def forward(x):
    cache = {"A0": x}
    cache["A1"] = np.maximum(0, x @ params["W1"] + params["b1"])
    cache["Z2"] = cache["A1"] @ params["W2"] + params["b2"]
    return softmax(cache["Z2"]), cache

def backward(p, y, cache):
    grads, d = {}, output_error(p, y)
    for k in (2, 1):
        a = cache[f"A{k - 1}"]
        grads[f"dW{k}"], grads[f"db{k}"] = layer_gradients(a, d)
        if k == 2:
            d = back(d, params["W2"], a)
    return grads

def loss_and_gradients(x, y):
    p, cache = forward(x)
    return mean_loss(p, y), backward(p, y, cache)

def step(x, y):
    grads = loss_and_gradients(x, y)[1]
    for name in params:
        params[name] = moved(params[name], grads["d" + name])

network = types.SimpleNamespace(
    predict_proba=lambda x: forward(x)[0], parameters=params,
    loss_and_gradients=loss_and_gradients, step=step)
""",
    "closures": """
def make_network(sizes):
    w = [draw(n, m) for n, m in zip(sizes, sizes[1:])]
    b = [np.zeros(m) for m in sizes[1:]]
    last = None

    def forward(x):
        nonlocal last
        outputs = [x]
        for k in range(len(w)):
            z = outputs[-1] @ w[k] + b[k]
            outputs.append(np.maximum(0, z) if k < len(w) - 1 else z)
        last = outputs
        return softmax(z)

    def loss_and_gradients(x, y):
        p = forward(x)
        d, gradients = output_error(p, y), []
        for k in reversed(range(len(w))):
            gradients = layer_gradients(last[k], d) + gradients
            if k:
                d = back(d, w[k], last[k])
        return mean_loss(p, y), gradients

    parameters = [p for pair in zip(w, b) for p in pair]

    def step(x, y):
        for p, g in zip(parameters, loss_and_gradients(x, y)[1]):
            p[...] = moved(p, g)

    return types.SimpleNamespace(
        predict_proba=forward, parameters=parameters, step=step,
        loss_and_gradients=loss_and_gradients)

network = make_network([196, 24, 24, 10])
""",
    "classes with slots": """
class Dense:
    __slots__ = ("w", "b", "x", "dw", "db")

    def __init__(self, n, m):
        self.w, self.b = draw(n, m), np.zeros(m)

    def forward(self, x):
        self.x = x
        return x @ self.w + self.b

    def backward(self, d):
        self.dw, self.db = layer_gradients(self.x, d)
        return back(d, self.w, self.x)

class Net:
    __slots__ = ("layers", "activations_")

    def __init__(self):
        self.layers = [Dense(196, 24), Dense(24, 10)]

    @property
    def parameters(self):
        return [p for layer in self.layers for p in (layer.w, layer.b)]

    def activations(self, x):
        a = np.maximum(0, self.layers[0].forward(x))
        return [a, self.layers[1].forward(a)]

    def predict_proba(self, x):
        return softmax(self.activations(x)[-1])

    def loss_and_gradients(self, x, y):
        p = self.predict_proba(x)
        self.layers[0].backward(self.layers[1].backward(output_error(p, y)))
        return mean_loss(p, y), [g for layer in self.layers for g in (layer.dw, layer.db)]

    def step(self, x, y):
        self.loss_and_gradients(x, y)
        for layer in self.layers:
            layer.w, layer.b = moved(layer.w, layer.dw), moved(layer.b, layer.db)

network = Net()
""",
    "layers that are dataclasses": """
@dataclasses.dataclass
class Linear:
    w: np.ndarray
    b: np.ndarray
    memory: dict = dataclasses.field(default_factory=dict)

    def __call__(self, x):
        self.memory["x"] = x
        return x @ self.w + self.b

    def gradients(self, d):
        return layer_gradients(self.memory["x"], d)

@dataclasses.dataclass(frozen=True)
class Net:
    first: Linear
    last: Linear
    trainable: list

    def activations(self, x):
        a = np.maximum(0, self.first(x))
        return [a, self.last(a)]

    def predict_proba(self, x):
        return softmax(self.activations(x)[1])

    @property
    def parameters(self):
        return [p for layer in self.trainable for p in (layer.w, layer.b)]

    def loss_and_gradients(self, x, y):
        a, z = self.activations(x)
        p = softmax(z)
        d2 = output_error(p, y)
        d1 = back(d2, self.last.w, a)
        return mean_loss(p, y), self.first.gradients(d1) + self.last.gradients(d2)

    def step(self, x, y):
        for p, g in zip(self.parameters, self.loss_and_gradients(x, y)[1]):
            p[...] = moved(p, g)

first, last = Linear(draw(196, 24), np.zeros(24)), Linear(draw(24, 10), np.zeros(10))
network = Net(first, last, [first, last])
""",
    "partial": """
def forward(parameters, x):
    W1, b1, W2, b2 = parameters
    a = np.maximum(0, x @ W1 + b1)
    return a, softmax(a @ W2 + b2)

def probabilities(parameters, x):
    return forward(parameters, x)[1]

def loss_and_gradients(parameters, x, y):
    a, p = forward(parameters, x)
    d2 = output_error(p, y)
    d1 = back(d2, parameters[2], a)
    return mean_loss(p, y), layer_gradients(x, d1) + layer_gradients(a, d2)

def step(parameters, x, y):
    for k, g in enumerate(loss_and_gradients(parameters, x, y)[1]):
        parameters[k][:] = moved(parameters[k], g)

parameters = [draw(196, 24), np.zeros(24), draw(24, 10), np.zeros(10)]
network = types.SimpleNamespace(parameters=parameters, predict_proba=functools.partial(
    probabilities, parameters), step=functools.partial(step, parameters),
    loss_and_gradients=functools.partial(loss_and_gradients, parameters))
""",
    "decorated functions": """
calls = {}

def counted(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        calls[f.__name__] = calls.get(f.__name__, 0) + 1
        return f(*args, **kwargs)
    return wrapper

W1, b1, W2, b2 = parameters = [draw(196, 24), np.zeros(24), draw(24, 10), np.zeros(10)]

@counted
def relu(z):
    return np.maximum(0, z)

@counted
def forward(x):
    a = relu(x @ W1 + b1)
    return a, softmax(a @ W2 + b2)

@counted
def predict_proba(x):
    return forward(x)[1]

@counted
def loss_and_gradients(x, y):
    a, p = forward(x)
    d2 = output_error(p, y)
    return mean_loss(p, y), layer_gradients(x, back(d2, W2, a)) + layer_gradients(a, d2)

@counted
def step(x, y):
    for p, g in zip(parameters, loss_and_gradients(x, y)[1]):
        p[...] = moved(p, g)

network = types.SimpleNamespace(
    predict_proba=predict_proba, parameters=parameters, step=step,
    loss_and_gradients=loss_and_gradients)
""",
    "methods over global arrays": """
W = {1: draw(196, 24), 2: draw(24, 10)}
B = {1: np.zeros(24), 2: np.zeros(10)}

class Net:
    parameters = [W[1], B[1], W[2], B[2]]

    @staticmethod
    def layer(x, k):
        return x @ W[k] + B[k]

    @classmethod
    def activations(cls, x):
        a = np.maximum(0, cls.layer(x, 1))
        return [a, cls.layer(a, 2)]

    def predict_proba(self, x):
        return softmax(self.activations(x)[1])

    def loss_and_gradients(self, x, y):
        a, z = self.activations(x)
        p = softmax(z)
        d2 = output_error(p, y)
        return mean_loss(p, y), layer_gradients(x, back(d2, W[2], a)) + layer_gradients(a, d2)

    def step(self, x, y):
        for p, g in zip(Net.parameters, self.loss_and_gradients(x, y)[1]):
            p[...] = moved(p, g)

network = Net()
""",
    "views into one vector": """
vector = np.concatenate([draw(196, 24).ravel(), np.zeros(24), draw(24, 10).ravel(), np.zeros(10)])
gradient = np.zeros_like(vector)

def cut(v):
    ends = np.cumsum([196 * 24, 24, 240])
    w1, b1, w2, b2 = np.split(v, ends)
    return [w1.reshape(196, 24), b1, w2.reshape(24, 10), b2]

def forward(x):
    w1, b1, w2, b2 = cut(vector)
    a = np.maximum(0, x @ w1 + b1)
    return a, softmax(a @ w2 + b2)

def loss_and_gradients(x, y):
    a, p = forward(x)
    d2 = output_error(p, y)
    found = layer_gradients(x, back(d2, cut(vector)[2], a)) + layer_gradients(a, d2)
    for place, g in zip(cut(gradient), found):
        place[...] = g
    return mean_loss(p, y), cut(gradient)

def step(x, y):
    loss_and_gradients(x, y)
    vector[...] = moved(vector, gradient)

network = types.SimpleNamespace(
    predict_proba=lambda x: forward(x)[1], parameters=cut(vector), step=step,
    loss_and_gradients=loss_and_gradients)
""",
}

BUGS = {
    "softmax.axis": ("e.sum(axis=1, keepdims=True)", "e.sum(axis=0)"),
    "softmax.overflow": ("np.exp(z - z.max(axis=1, keepdims=True))", "np.exp(z)"),
    "cross_entropy.sign": ("-np.mean(np.log", "np.mean(np.log"),
    "gradients.scale": ("d / len(y)", "d"),
    "gradients.sign": ("p - np.eye(10)[y]", "np.eye(10)[y] - p"),
    "gradients.missing_activation": (" * (a > 0)", ""),
    "gradients.bias": ("d.sum(axis=0)", "d.mean(axis=0)"),
    "init.zeros": ("rng.normal(0, np.sqrt(2 / n), (n, m))", "np.zeros((n, m))"),
    "init.too_large": ("np.sqrt(2 / n)", "1"),
    "train.ascent": ("p - rate * g", "p + rate * g"),
    "train.no_update": ("return p - rate * g", "return p"),
}


def execute(style, old="", new=""):
    source = START + STYLES[style]
    assert not old or old in source
    namespace = {"__name__": "__main__"}
    exec(compile(source.replace(old, new) if old else source, "<cell>", "exec"), namespace)
    return namespace["network"]
