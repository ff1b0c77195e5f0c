"""A right network that is small, and parameters that `examine` must survive: `PARAMETERS`."""

import tempfile
import time
import types

import numpy as np

INPUTS, HIDDEN, CLASSES = 6, 5, 3
METHODS = ("predict_proba", "loss_and_gradients", "activations", "step")


def small_network(kept_as=lambda array: array):
    """Make a network of two layers, as functions over arrays that they share.

    `kept_as` makes another kind of array of each parameter.
    """
    rng = np.random.default_rng(0)
    w1, b1 = rng.normal(0, 0.5, (INPUTS, HIDDEN)), np.zeros(HIDDEN)
    w2, b2 = rng.normal(0, 0.6, (HIDDEN, CLASSES)), np.zeros(CLASSES)
    parameters = w1, b1, w2, b2 = [kept_as(array) for array in (w1, b1, w2, b2)]

    def forward(x):
        a = np.maximum(x @ w1 + b1, 0)
        z = a @ w2 + b2
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return a, z, e / e.sum(axis=1, keepdims=True)

    def loss_and_gradients(x, labels):
        a, _, p = forward(x)
        d2 = (p - np.eye(CLASSES)[labels]) / len(labels)
        d1 = d2 @ w2.T * (a > 0)
        loss = float(-np.log(p[np.arange(len(labels)), labels]).mean())
        return loss, [x.T @ d1, d1.sum(axis=0), a.T @ d2, d2.sum(axis=0)]

    def step(x, labels):
        for parameter, gradient in zip(parameters, loss_and_gradients(x, labels)[1], strict=True):
            parameter -= 0.1 * gradient

    return types.SimpleNamespace(
        predict_proba=lambda x: forward(x)[2],
        parameters=parameters,
        loss_and_gradients=loss_and_gradients,
        activations=lambda x: list(forward(x)[:2]),
        step=step,
    )


def examples():
    """Draw pictures and labels for it."""
    rng = np.random.default_rng(1)
    return rng.random((60, INPUTS)), rng.integers(0, CLASSES, 60)


def with_property(get):
    """Make a network whose `parameters` are a property."""
    network = small_network()
    kind = type("Network", (), {name: staticmethod(getattr(network, name)) for name in METHODS})
    kind.parameters = property(lambda self: get(network))
    return kind()


def _raises(error):
    def get(network):
        raise error

    return get


def _loops(network):
    while True:
        pass


def _new_copies(network):
    return [array.copy() for array in network.parameters]


PROPERTIES = {
    "raises an error": _raises(RuntimeError("no")),
    "has no attribute": _raises(AttributeError("no")),
    "exits": _raises(SystemExit()),
    "interrupts": _raises(KeyboardInterrupt()),
    "loops": _loops,
    "sleeps": lambda network: time.sleep(1000),
    "calls itself": lambda network: PROPERTIES["calls itself"](network),
    "gives copies": _new_copies,
    "gives a generator": lambda network: (array for array in network.parameters),
}


class Subclass(np.ndarray):
    def __array_finalize__(self, other):
        if self.shape == (2, 2):
            raise RuntimeError("no")

    def copy(self, *arguments):
        raise RuntimeError("no")

    def tobytes(self, *arguments):
        raise RuntimeError("no")

    def __setitem__(self, place, value):
        raise RuntimeError("no")


def _locked(array):
    array.flags.writeable = False
    return array


def _in_a_circle(arrays):
    arrays = [*arrays]
    arrays.append(arrays)
    return arrays


def _deep(arrays):
    for _ in range(5000):
        arrays = [arrays]
    return arrays


PARAMETERS = {
    "views of each other": lambda a: [a[0], a[0][:, 0], a[0].T, a[0][::-1]],
    "one array four times": lambda a: [a[0]] * 4,
    "overlapping windows": lambda a: [np.lib.stride_tricks.sliding_window_view(a[0], (3, 3))],
    "a row repeated": lambda a: [
        np.lib.stride_tricks.as_strided(a[1], (100, 5), (0, 8), writeable=True),
        *a[1:],
    ],
    "a terabyte that is a view": lambda a: [np.broadcast_to(0.0, (10**6, 10**6)), *a[1:]],
    "a terabyte that can be written": lambda a: [
        np.lib.stride_tricks.as_strided(a[1], (10**6, 10**6), (0, 0), writeable=True),
        *a[1:],
    ],
    "read-only views": lambda a: [_locked(each[:]) for each in a],
    "half precision": lambda a: [each.astype(np.float16) for each in a],
    "long double": lambda a: [each.astype(np.longdouble) for each in a],
    "bytes in the other order": lambda a: [each.astype(">f8") for each in a],
    "integers": lambda a: [each.astype(int) for each in a],
    "complex": lambda a: [each.astype(complex) for each in a],
    "objects": lambda a: [each.astype(object) for each in a],
    "NaN": lambda a: [np.full_like(each, np.nan) for each in a],
    "infinity": lambda a: [np.full_like(each, np.inf) for each in a],
    "masked": lambda a: [np.ma.array(each, mask=each > 0) for each in a],
    "a subclass": lambda a: [each.view(Subclass) for each in a],
    "no dimension": lambda a: [np.array(0.5)] * 4,
    "empty arrays": lambda a: [np.zeros((0, 5))] * 4,
    "one left out": lambda a: a[:3],
    "one too many": lambda a: [*a, np.ones(4)],
    "in another order": lambda a: a[::-1],
    "lists": lambda a: [each.tolist() for each in a],
    "a circle": _in_a_circle,
    "a deep list": _deep,
    "other arrays": lambda a: [np.ones_like(each) for each in a],
}


def _mapped(array):
    with tempfile.TemporaryFile() as file:
        mapped = np.memmap(file, array.dtype, "w+", shape=array.shape)
    mapped[...] = array
    return mapped


# What each parameter is kept as, and the verdict on a network that reads it in place.
KEPT_AS = {
    "float32": (lambda a: a.astype(np.float32), "right"),
    "half precision": (lambda a: a.astype(np.float16), "right"),
    "long double": (lambda a: a.astype(np.longdouble), "right"),
    "bytes in the other order": (lambda a: a.astype(">f8"), "right"),
    "a subclass": (lambda a: a.view(Subclass), "right"),
    "mapped from a file": (_mapped, "right"),
    "columns first": (np.asfortranarray, "right"),
    "every other row": (lambda a: np.repeat(a, 2, axis=0)[::2], "right"),
    "masked": (np.ma.array, "not yet"),
    "np.matrix": (lambda a: a.view(np.matrix), "not yet"),
    "objects": (lambda a: a.astype(object), "not yet"),
    "complex": (lambda a: a.astype(complex), "not yet"),
}
