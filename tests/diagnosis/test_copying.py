"""A copied network must work like the original, wherever it keeps its numbers, and leave it alone.

Each program ends with `predict_proba` and `parameters`. It is executed as a notebook's cells are:
in a namespace of its own, which the functions go on sharing.
"""

import abc
import collections
import contextlib
import dataclasses
import enum
import functools
import io
import logging
import sys
import threading
import types

import numpy as np
import pytest

import mnist_core
from mnist_book.diagnosis.examine.copying import duplicate

START = """
import dataclasses
import functools
import types
import numpy as np

rng = np.random.default_rng(0)
W1, b1 = rng.normal(size=(6, 5)), np.zeros(5)
W2, b2 = rng.normal(size=(5, 4)), np.zeros(4)
parameters = [W1, b1, W2, b2]

def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
"""

PROGRAMS = {
    "flat function": """
def predict_proba(x):
    return softmax(np.tanh(x @ W1 + b1) @ W2 + b2)
""",
    "functions that call functions": """
W, b = [W1, W2], [b1, b2]
def layer(a, k):
    return a @ W[k] + b[k]
def hidden(x):
    return np.tanh(layer(x, 0))
def forward(x):
    return layer(hidden(x), 1)
def predict_proba(x):
    return softmax(forward(x))
""",
    "functions defined later, and recursion": """
W, b = [W1, W2], [b1, b2]
def predict_proba(x, k=0):
    if k == 1:
        return softmax(apply(x, k))
    return predict_proba(np.tanh(apply(x, k)), k + 1)
def apply(x, k):
    return x @ W[k] + b[k]
""",
    "dictionary": """
params = {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
def predict_proba(x):
    a = np.tanh(x @ params["W1"] + params["b1"])
    return softmax(a @ params["W2"] + params["b2"])
""",
    "dictionary handed on": """
params = {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
def forward(x, params):
    a = np.tanh(x @ params["W1"] + params["b1"])
    return softmax(a @ params["W2"] + params["b2"])
predict_proba = lambda x: forward(x, params)
""",
    "globals by name": """
def predict_proba(x):
    for k in (1, 2):
        x = (np.tanh if k == 1 else softmax)(x @ globals()[f"W{k}"] + globals()[f"b{k}"])
    return x
""",
    "inner functions and comprehensions": """
def predict_proba(x):
    def layer(a, k):
        return a @ [w for w in (W1, W2)][k] + (lambda: (b1, b2))()[k]
    return softmax(layer(np.tanh(layer(x, 0)), 1))
""",
    "closures over shared cells": """
def make():
    w1, c1, w2, c2 = W1, b1, W2, b2
    def forward(x):
        return np.tanh(x @ w1 + c1) @ w2 + c2
    def replace(new):
        nonlocal w1
        w1 = new
    return forward, replace
forward, replace = make()
def predict_proba(x):
    return softmax(forward(x))
""",
    "factory that returns a function": """
def dense(w, b, f):
    return lambda x: f(x @ w + b)
def chain(*functions):
    return lambda x: functools.reduce(lambda a, f: f(a), functions, x)
predict_proba = chain(dense(W1, b1, np.tanh), dense(W2, b2, softmax))
""",
    "partial": """
def forward(w1, c1, w2, c2, x):
    return softmax(np.tanh(x @ w1 + c1) @ w2 + c2)
predict_proba = functools.partial(forward, W1, b1, w2=W2, c2=b2) if False else (
    functools.partial(functools.partial(forward, W1, b1), W2, b2))
""",
    "decorated": """
def counted(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        wrapper.calls += 1
        return f(*args, **kwargs)
    wrapper.calls = 0
    return wrapper
@counted
def forward(x):
    return np.tanh(x @ W1 + b1) @ W2 + b2
@counted
def predict_proba(x):
    return softmax(forward(x))
""",
    "defaults": """
def predict_proba(x, w1=W1, c1=b1, *, last=(W2, b2)):
    return softmax(np.tanh(x @ w1 + c1) @ last[0] + last[1])
""",
    "attributes of a function": """
def predict_proba(x):
    (w1, c1), (w2, c2) = predict_proba.layers
    return softmax(np.tanh(x @ w1 + c1) @ w2 + c2)
predict_proba.layers = [(W1, b1), (W2, b2)]
""",
    "object with a dictionary": """
class Net:
    def __init__(self):
        self.p = {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
    def forward(self, x):
        return np.tanh(x @ self.p["W1"] + self.p["b1"]) @ self.p["W2"] + self.p["b2"]
    def predict_proba(self, x):
        return softmax(self.forward(x))
net = Net()
predict_proba = net.predict_proba
""",
    "object in a closure": """
class Net:
    def __init__(self):
        self.w = [W1, W2]
        self.c = [b1, b2]
    def forward(self, x):
        return np.tanh(x @ self.w[0] + self.c[0]) @ self.w[1] + self.c[1]
predict_proba = (lambda net: lambda x: softmax(net.forward(x)))(Net())
""",
    "global object": """
class Net:
    def forward(self, x):
        return np.tanh(x @ self.w1 + self.c1) @ self.w2 + self.c2
net = Net()
net.w1, net.c1, net.w2, net.c2 = parameters
def predict_proba(x):
    return softmax(net.forward(x))
""",
    "slots": """
class Dense:
    __slots__ = ("w", "b", "_Dense__f")
    def __init__(self, w, b, f):
        self.w, self.b, self.__f = w, b, f
    def __call__(self, x):
        return self.__f(x @ self.w + self.b)
class Named(Dense):
    pass
layers = [Dense(W1, b1, np.tanh), Named(W2, b2, softmax)]
def predict_proba(x):
    for layer in layers:
        x = layer(x)
    return x
""",
    "dataclasses": """
@dataclasses.dataclass
class Dense:
    w: np.ndarray
    b: np.ndarray
    def forward(self, x):
        return x @ self.w + self.b
@dataclasses.dataclass(frozen=True, slots=True)
class Net:
    layers: list
    names: dict = dataclasses.field(default_factory=dict)
    def predict_proba(self, x):
        return softmax(self.layers[1].forward(np.tanh(self.layers[0].forward(x))))
net = Net([Dense(W1, b1), Dense(W2, b2)])
predict_proba = net.predict_proba
""",
    "layers in several lists": """
class Dense:
    def __init__(self, w, b):
        self.w, self.b = w, b
    def __call__(self, x):
        return x @ self.w + self.b
class Net:
    def __init__(self):
        first, last = Dense(W1, b1), Dense(W2, b2)
        self.layers, self.trainable = [first, np.tanh, last, softmax], [last, first]
    def predict_proba(self, x):
        assert self.trainable[0] is self.layers[2] and self.trainable[1] is self.layers[0]
        for layer in self.layers:
            x = layer(x)
        return x
predict_proba = Net().predict_proba
""",
    "linked in a circle": """
class Layer:
    def __init__(self, w, b, f):
        self.w, self.b, self.f, self.next, self.before = w, b, f, None, None
    def __call__(self, x):
        a = self.f(x @ self.w + self.b)
        return self.next(a) if self.next else a
first, last = Layer(W1, b1, np.tanh), Layer(W2, b2, softmax)
first.next, last.before = last, first
predict_proba = lambda x: first(x)
""",
    "methods that use global arrays": """
class Net:
    def forward(self, x):
        return np.tanh(x @ W1 + b1) @ W2 + b2
    def predict_proba(self, x):
        return softmax(self.forward(x))
predict_proba = Net().predict_proba
""",
    "static and class methods": """
class Net:
    weights = [W1, b1, W2, b2]
    @staticmethod
    def hidden(x):
        return np.tanh(x @ W1 + b1)
    @classmethod
    def predict_proba(cls, x):
        return softmax(cls.hidden(x) @ cls.weights[2] + cls.weights[3])
predict_proba = Net.predict_proba
""",
    "arrays of a class, a base class and super()": """
class Base:
    w1, c1 = W1, b1
    def forward(self, x):
        return np.tanh(x @ self.w1 + self.c1)
class Net(Base):
    last = {"w": W2, "b": b2}
    def forward(self, x):
        return super().forward(x) @ self.last["w"] + self.last["b"]
    @property
    def scores(self):
        return lambda x: self.forward(x)
    def predict_proba(self, x):
        assert type(self) is Net
        return softmax(self.scores(x))
predict_proba = Net().predict_proba
""",
    "one object that guards its attributes": """
class Net:
    def __init__(self, inner):
        self.inner = inner
    def __getattr__(self, name):
        return getattr(self.inner, name)
net = Net(types.SimpleNamespace(w=[W1, W2], b=[b1, b2]))
def predict_proba(x):
    return softmax(np.tanh(x @ net.w[0] + net.b[0]) @ net.w[1] + net.b[1])
""",
    "subclass of a list": """
class Layers(list):
    def __init__(self, *layers, f):
        super().__init__(layers)
        self.f = f
    def __call__(self, x):
        (w1, c1), (w2, c2) = self
        return self.f(np.tanh(x @ w1 + c1) @ w2 + c2)
net = Layers((W1, b1), (W2, b2), f=softmax)
def predict_proba(x):
    return net(x)
""",
    "named tuple": """
import collections
import contextlib
Layer = collections.namedtuple("Layer", "w b")
def predict_proba(x, layers=(Layer(W1, b1), Layer(W2, b2))):
    return softmax(np.tanh(x @ layers[0].w + layers[0].b) @ layers[1].w + layers[1].b)
""",
    "bound methods of arrays": """
def predict_proba(x, times=W1.__rmatmul__, shape=W1.reshape):
    return softmax(np.tanh(times(x) + 0 * shape(-1)[0] + b1) @ W2 + b2)
""",
    "views into one vector": """
vector = np.concatenate([p.ravel() for p in parameters])
ends = np.cumsum([p.size for p in parameters])
parameters = [v.reshape(p.shape) for v, p in zip(np.split(vector, ends[:-1]), parameters)]
def predict_proba(x):
    w1, c1 = vector[:30].reshape(6, 5), vector[30:35]
    w2, c2 = vector[35:55].reshape(5, 4), vector[55:]
    return softmax(np.tanh(x @ w1 + c1) @ w2 + c2)
""",
    "transposed views, in columns": """
Ws = [W1.T, W2.T]
bs = [b1[:, None], b2[:, None]]
def predict_proba(x):
    return softmax((Ws[1] @ np.tanh(Ws[0] @ x.T + bs[0]) + bs[1]).T)
""",
    "array of arrays": """
Ws, bs = np.empty(2, object), np.array([None, None])
Ws[:], bs[:] = [W1, W2], [b1, b2]
def predict_proba(x):
    return softmax(np.tanh(x @ Ws[0] + bs[0]) @ Ws[1] + bs[1])
""",
    "kernel of four dimensions": """
kernel = rng.normal(size=(5, 1, 2, 3))
parameters = [kernel, b1, W2, b2]
def predict_proba(x):
    return softmax(np.tanh(x @ kernel.reshape(5, 6).T + b1) @ W2 + b2)
""",
    "a function that writes to globals": """
def forward(x):
    global Z1, A1, calls
    calls = globals().get("calls", 0) + 1
    Z1 = x @ W1 + b1
    A1 = np.tanh(Z1)
def predict_proba(x):
    forward(x)
    return softmax(A1 @ W2 + b2)
""",
    "matrix": """
M1, M2 = np.asmatrix(W1), np.asmatrix(W2)
def predict_proba(x):
    return softmax(np.asarray(np.tanh(x * M1 + b1) * M2 + b2))
""",
}


def execute(source):
    namespace = {"__name__": "__main__"}
    exec(compile(START + source, "<cell>", "exec"), namespace)
    network = types.SimpleNamespace(
        predict_proba=namespace["predict_proba"], parameters=namespace["parameters"]
    )
    return network, namespace


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # np.matrix
@pytest.mark.parametrize("dtype", [None, np.float64])
@pytest.mark.parametrize("style", PROGRAMS)
def test_a_copy_reads_its_own_parameters(style, dtype):
    network, namespace = execute(PROGRAMS[style])
    names = set(namespace)
    x = np.random.default_rng(1).normal(size=(3, 6))
    before, saved = network.predict_proba(x), [p.copy() for p in network.parameters]
    names = set(namespace)
    twin, shared = duplicate(network, dtype)
    assert not shared
    assert np.array_equal(twin.predict_proba(x), before)
    seen = before
    for k in range(len(twin.parameters)):  # each must be read in place
        twin.parameters[k][...] += 0.5 + np.arange(twin.parameters[k].size).reshape(
            twin.parameters[k].shape
        )
        changed = twin.predict_proba(x)
        assert not np.allclose(changed, seen), k
        seen = changed
    assert np.array_equal(network.predict_proba(x), before)
    for p, old in zip(network.parameters, saved, strict=True):
        assert np.array_equal(p, old)
    assert set(namespace) == names


@pytest.mark.parametrize("style", ["flat function", "slots", "views into one vector", "decorated"])
def test_a_copy_can_be_copied(style):
    network, _ = execute(PROGRAMS[style])
    x = np.random.default_rng(1).normal(size=(3, 6))
    twin, _ = duplicate(network)
    twin.parameters[0][...] = 0.1
    third, shared = duplicate(twin)
    assert not shared and np.array_equal(third.predict_proba(x), twin.predict_proba(x))
    third.parameters[0][...] = -1
    assert not np.allclose(third.predict_proba(x), twin.predict_proba(x))


def test_training_a_copy_moves_nothing_in_the_original():
    network, namespace = execute(
        """
steps, history = 0, []
def gradients(x):
    global Z
    Z = x @ W1 + b1
    return [x.T @ Z, Z.sum(0)]
def step(x):
    global W1, steps
    dW1, db1 = gradients(x)
    W1 = W1 - 0.1 * dW1
    b1[...] -= 0.1 * db1
    steps += 1
    history.append(float(Z.sum()))
def predict_proba(x):
    return softmax(np.tanh(x @ W1 + b1) @ W2 + b2)
predict_proba.step = step
"""
    )
    x = np.ones((3, 6))
    before = network.predict_proba(x)
    twin, _ = duplicate(network)
    twin.predict_proba.step(x)
    scope = twin.predict_proba.step.__globals__
    assert (scope["steps"], len(scope["history"])) == (1, 1)
    assert not np.allclose(twin.predict_proba(x), before)
    assert (namespace["steps"], namespace["history"]) == (0, []) and "Z" not in namespace
    assert np.array_equal(network.predict_proba(x), before)


def test_closures_go_on_sharing_their_cells():
    def make():
        w, count = np.ones(3), 0

        def replace(new):
            nonlocal w, count
            w, count = new, count + 1

        def read():
            return w, count

        return types.SimpleNamespace(replace=replace, read=read)

    pair = make()
    twin, _ = duplicate(pair)
    twin.replace(np.zeros(3))
    assert twin.read()[0].sum() == 0 and twin.read()[1] == 1
    assert pair.read()[0].sum() == 3 and pair.read()[1] == 0


def test_generators_are_copied_with_their_state():
    rng = np.random.default_rng(5)
    old = np.random.RandomState(5)
    network = types.SimpleNamespace(
        rng=rng, draw=rng.normal, lists=[rng, rng], old=old, both=lambda: (rng, old)
    )
    twin, shared = duplicate(network)
    assert not shared
    assert twin.lists[0] is twin.lists[1] is twin.rng is twin.both()[0] is twin.draw.__self__
    drawn = [twin.rng.random(), twin.draw(), twin.old.rand()]
    assert drawn == [rng.random(), network.draw(), old.rand()]


def test_views_remain_views():
    base = np.arange(24.0)
    matrix = np.asfortranarray(np.arange(12.0).reshape(3, 4))
    cube = np.arange(24.0).reshape(2, 3, 4).transpose(1, 2, 0).copy(order="K")
    for whole, views in [
        (base, [base[4:10], base[::-2], base.reshape(4, 6).T, base[3:4].reshape(())]),
        (matrix, [matrix[1:, ::2], matrix.T, matrix[:, 3]]),
        (cube, [cube[1], cube[..., 1], cube[::-1]]),
        (base, [np.lib.stride_tricks.sliding_window_view(base, 5)]),
        (base, [np.broadcast_to(base[:3], (4, 3)), base.view("V8").view(np.float64)[2:]]),
    ]:
        twin, _ = duplicate({"whole": whole, "views": views, "again": whole})
        assert twin["again"] is twin["whole"] is not whole
        assert not np.shares_memory(twin["whole"], whole)
        twin["whole"][...] += 100
        for view, old in zip(twin["views"], views, strict=True):
            assert np.shares_memory(view, twin["whole"])
            assert np.array_equal(view, old + 100) and view.strides == old.strides
            assert view.flags.writeable == old.flags.writeable
        views_first, _ = duplicate(views[0])  # the whole itself is out of reach
        assert np.array_equal(views_first, views[0])


def test_float64_keeps_views_and_all_else():
    vector = np.arange(12, dtype=np.float32)
    network = types.SimpleNamespace(
        vector=vector, parameters=[vector[:8].reshape(2, 4).T, vector[8:]], labels=np.arange(3)
    )
    twin, _ = duplicate(network, np.float64)
    assert twin.vector.dtype == twin.parameters[0].dtype == np.float64
    assert twin.labels.dtype == network.labels.dtype
    twin.vector[...] *= 2
    assert np.array_equal(twin.parameters[0], 2 * network.parameters[0])
    assert np.array_equal(twin.parameters[1], 2 * network.parameters[1])


def test_the_book_s_network_keeps_its_vector():
    network = mnist_core.Network([6, 5, 4], rng=np.random.default_rng(0))
    for dtype in (None, np.float64):
        twin, shared = duplicate(network, dtype)
        assert not shared and twin.vector is not network.vector
        twin.vector[...] = 1
        assert all((p == 1).all() for p in twin.parameters)
        assert type(twin) is mnist_core.Network


class Colour(enum.Enum):
    RED = 1


class Abstract(abc.ABC):
    weights = (np.ones(3),)

    @abc.abstractmethod
    def forward(self): ...


class Concrete(Abstract):
    def forward(self):
        return self.weights[0].sum()


def test_an_abstract_class_that_holds_arrays():
    twin, shared = duplicate(Concrete())
    assert not shared and twin.forward() == 3
    twin.weights[0][...] = 0
    assert twin.forward() == 0 and Concrete().forward() == 3


def test_what_is_no_part_of_a_network_is_left_alone():
    lock, file, log = threading.Lock(), io.StringIO("text"), logging.getLogger("copying")
    things = {
        "module": np,
        "class": mnist_core.Network,
        "function": mnist_core.softmax,
        "library": np.linalg.norm,
        "ufunc": np.exp,
        "enum": Colour.RED,
        "lock": lock,
        "logger": log,
        "stream": sys.stdout,
        "none": None,
        "dtype": np.dtype(float),
    }
    twin, shared = duplicate(things)
    assert not shared
    assert all(twin[name] is value for name, value in things.items())
    assert duplicate(file)[0].read() == "text"


def test_ordinary_containers():
    array = np.ones(2)
    things = [
        collections.deque([array], 5),
        collections.OrderedDict(a=array),
        collections.defaultdict(list, a=[array]),
        {1, 2},
        frozenset([3]),
        (array, [array]),
        slice(1, 2),
        bytearray(b"abc"),
    ]
    things.append(things)
    twin, shared = duplicate(things)
    assert not shared and twin[-1] is twin
    copies = [twin[0][0], twin[1]["a"], twin[2]["a"][0], twin[5][0], twin[5][1][0]]
    assert all(copy is copies[0] for copy in copies) and copies[0] is not array
    assert [type(a) for a in twin] == [type(a) for a in things]
    assert (twin[0].maxlen, twin[2]["new"], twin[7]) == (5, [], bytearray(b"abc"))
    assert twin[7] is not things[7]


def test_what_cannot_be_copied_is_said():
    class Stubborn:
        def __reduce_ex__(self, protocol):
            raise TypeError("no")

    batches = (np.ones(3) for _ in range(3))
    twin, shared = duplicate({"a": Stubborn(), "b": batches, "c": [1]})
    assert shared == ["a Stubborn", "a generator"]
    assert twin["c"] == [1] and twin["b"] is batches


def test_a_class_with_a_new_of_its_own():
    class Single:
        made = None

        def __new__(cls, needed=None):
            cls.made = cls.made or super().__new__(cls)
            return cls.made

    class Demanding:
        def __new__(cls, needed):
            return super().__new__(cls)

    class Names(list):
        def __new__(cls, *needed):
            return super().__new__(cls)

    single, demanding, names = Single(), Demanding(1), Names()
    single.w, demanding.w = np.ones(2), np.ones(2)
    names.append(single.w)
    twin, shared = duplicate([single, demanding, names])
    assert not shared and twin[2][0] is twin[0].w
    for copied, original in zip(twin[:2], (single, demanding), strict=True):
        assert copied is not original
        copied.w[...] = 0
        assert original.w.sum() == 2


def test_a_namespace_without_a_name():
    namespace = {}
    source = START + "class Net:\n    def predict_proba(self, x):\n        return softmax(x @ W1)\n"
    exec(source, namespace)
    network = types.SimpleNamespace(net=namespace["Net"](), parameters=[namespace["W1"]])
    twin, shared = duplicate(network)
    x = np.ones((2, 6))
    assert not shared
    twin.parameters[0][...] = 0
    assert np.ptp(twin.net.predict_proba(x)) == 0 < np.ptp(network.net.predict_proba(x))


def test_a_function_of_a_library_is_shared_with_what_it_wraps_copied():
    weights = np.ones(2)

    @contextlib.contextmanager
    def held():
        yield weights

    twin, _ = duplicate(types.SimpleNamespace(held=held, weights=weights))
    twin.weights[...] = 0
    with twin.held() as inside, held() as outside:
        assert inside.sum() == 0 and outside.sum() == 2


def test_data_that_no_function_uses_is_not_copied():
    network, namespace = execute(
        """
class Big:
    def __deepcopy__(self, memo):
        raise AssertionError("copied")
images = Big()
def predict_proba(x):
    return softmax(np.tanh(x @ W1 + b1) @ W2 + b2) + 0 * types.SimpleNamespace(images=1).images
"""
    )
    twin, _ = duplicate(network)
    assert twin.predict_proba.__globals__["images"] is namespace["images"]


def test_a_module_of_the_reader_is_copied_when_functions_reach_through_it(tmp_path, monkeypatch):
    source = START + "def predict_proba(x):\n    return softmax(np.tanh(x @ W1 + b1) @ W2 + b2)\n"
    (tmp_path / "their_network.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    import their_network

    network = types.SimpleNamespace(
        predict_proba=lambda x: their_network.predict_proba(x),
        parameters=[their_network.W1, their_network.b1],
    )
    twin, shared = duplicate(network)
    x = np.ones((2, 6))
    assert not shared and np.array_equal(twin.predict_proba(x), network.predict_proba(x))
    twin.parameters[0][...] = 0
    assert not np.allclose(twin.predict_proba(x), network.predict_proba(x))
    monkeypatch.delitem(sys.modules, "their_network")


def test_decorators_of_libraries():
    weights = np.ones((3, 2))

    @functools.cache
    def cached():
        return 2

    @functools.singledispatch
    def dispatched(x):
        return x @ weights

    network = types.SimpleNamespace(
        vector=np.vectorize(lambda v: v * weights[0, 0]), both=lambda x: dispatched(x) * cached()
    )
    twin, _ = duplicate(network)
    assert twin.vector(np.ones(2)).tolist() == [1, 1]
    assert twin.both(np.ones((1, 3))).tolist() == [[6, 6]]


@dataclasses.dataclass(slots=True)
class Layer:
    w: np.ndarray
    memory: dict = dataclasses.field(default_factory=dict)


def test_a_dataclass_keeps_its_class():
    layer = Layer(np.ones(2), {"x": np.zeros(1)})
    twin, shared = duplicate([layer, layer])
    assert not shared and twin[0] is twin[1] is not layer and type(twin[0]) is Layer
    twin[0].memory["x"][...] = 4
    assert layer.memory["x"][0] == 0
