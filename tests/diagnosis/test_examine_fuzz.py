"""Whatever a network's members are, `examine` ends with a report that can be read, never "right".

All of it takes minutes; by default a sample of hostile functions stands for one member each, chosen
by chance that is the same each time. `FUZZ=all` in the environment runs all in the place of all.
"""

import ast
import importlib.util
import os
import random
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import zoo
from network_styles import BUGS, execute
from samples import ALL, sample

import mnist_book.diagnosis
from mnist_book import examine
from mnist_book.diagnosis.examine import calling


@pytest.fixture
def digits():
    return zoo.digits(14)


def load(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hostile, networks = load("hostile"), load("networks")
METHODS = networks.METHODS

# pytest wants to know of errors that nobody can catch, as in a __del__ that raises.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]


def examined(network, limit=1.0):
    """Examine a network; the report must be short, and no error of ours."""
    report = examine(network, *networks.examples(), time_limit=limit)
    text = repr(report)
    text.encode("utf-8")
    assert "error in the examination" not in text, text
    assert len(text) < 2000, text
    assert "<script" not in report._repr_html_()
    return report


def with_member(name, value):
    network = networks.small_network()
    setattr(network, name, value)
    return network


def codes(report):
    return [finding.code for finding in report.findings]


def test_the_small_network_is_right_unless_something_is_done_to_it():
    assert examined(networks.small_network()).ok


# --------------------------------------------------------------------------------------------------
# Members that are always hostile
# --------------------------------------------------------------------------------------------------

# Arrays (batch, units), whatever they are, may be the layers of some network.
MAY_BE_LAYERS = {"returns all arguments", "returns four arguments"}


def members(label):
    """Return the methods that a hostile function takes the place of."""
    if hostile.HOSTILE[label] is None:  # which is as if it was not there
        return ["predict_proba"]
    names = [name for name in METHODS if name != "activations" or label not in MAY_BE_LAYERS]
    return names if ALL else [random.Random(label).choice(names)]


@pytest.mark.parametrize("label", sample(hostile.HOSTILE, 110))
def test_no_network_with_a_hostile_method_is_right(label):
    for name in members(label):
        report = examined(with_member(name, hostile.HOSTILE[label]))
        assert not report.ok, (name, report)


@pytest.mark.parametrize("label", sample(hostile.RESULTS, 40))
def test_parameters_may_be_anything(label):
    assert not examined(with_member("parameters", hostile.RESULTS[label])).ok


@pytest.mark.parametrize("label", networks.PARAMETERS)
def test_parameters_may_be_made_of_anything(label):
    network = networks.small_network()
    network.parameters = networks.PARAMETERS[label](network.parameters)
    assert not examined(network).ok


@pytest.mark.parametrize("label", networks.PROPERTIES)
def test_parameters_may_be_a_property_that_does_anything(label):
    report = examined(networks.with_property(networks.PROPERTIES[label]), limit=0.2)
    assert report.ok == (label == "has no attribute")  # it is as if there were none


@pytest.mark.parametrize("label", networks.PROPERTIES)
def test_predict_proba_may_be_a_property_that_does_anything(label):
    kind = type("Network", (), {"predict_proba": property(networks.PROPERTIES[label])})
    network = kind()
    network.parameters = networks.small_network().parameters
    assert set(codes(examined(network, limit=0.2))) <= {
        "function.nothing",
        "function.raises",
        "function.slow",
    }


@pytest.mark.parametrize("label", networks.KEPT_AS)
def test_parameters_of_unusual_kinds_that_are_read_in_place(label):
    kept_as, verdict = networks.KEPT_AS[label]
    network = networks.small_network(kept_as)
    before = [np.array(array) for array in network.parameters]
    assert examined(network).verdict == verdict
    for old, new in zip(before, network.parameters, strict=True):
        assert old.tobytes() == np.asarray(new).tobytes()


def test_a_far_too_large_array_is_called_that():
    huge = np.broadcast_to(0.0, (10**6, 10**6))
    (finding,) = examined(with_member("predict_proba", lambda x: huge)).findings[-1:]
    assert finding.code == "function.not_array"
    assert "more than 50,000,000 elements" in finding.message
    assert "(1000000, 1000000)" in finding.evidence


class Stubborn:
    def __repr__(self):
        raise ValueError("no")

    def __array__(self, *arguments, **options):
        raise RuntimeError("no")

    def __iter__(self):
        raise KeyError


class Unusual(BaseException):
    pass


NUMBERS = [np.zeros((6, 5)), np.zeros(5), np.zeros((5, 3)), np.zeros(3)]
PAIRS = [
    (0.5, [Stubborn()] * 4),
    (Stubborn(), Stubborn()),
    (np.nan, NUMBERS),
    (np.array([[0.5]]), [np.full_like(n, np.nan) for n in NUMBERS]),
    (0.5, ["a"] * 4),
    (0.5, iter([1, 2])),
    (10**400, NUMBERS),
]


@pytest.mark.parametrize("pair", PAIRS, ids=range(len(PAIRS)))
def test_a_loss_and_gradients_that_are_none(pair):
    network = networks.small_network()
    network.loss_and_gradients = lambda x, labels: pair
    report = examine(network, *networks.examples(), time_limit=1)
    text = repr(report) + report._repr_html_()
    assert "error in the examination" not in text and len(text) < 10_000 and not report.ok, report


UNUSUAL = {"no text": Exception(Stubborn()), "no Exception": Unusual(), "stop": StopIteration()}


@pytest.mark.parametrize("kind", UNUSUAL)
def test_an_error_of_an_unusual_kind(kind):
    network = networks.small_network()

    def step(x, labels):
        raise UNUSUAL[kind]

    network.step = step
    report = examine(network, *networks.examples(), time_limit=1)
    assert "error in the examination" not in repr(report) and not report.ok, report


def test_pictures_and_labels_of_all_kinds():
    x, y = networks.examples()
    network = networks.small_network()
    for images in (
        x,
        x[:1],
        x * np.nan,
        x.astype(complex),
        x.astype(object),
        None,
        "x",
        x[0],
        x[:0],
    ):
        for labels in (
            y,
            y[:1],
            y * np.nan,
            y.astype(str),
            None,
            y - 1,
            y > 1,
            y + 0.5,
            y[:, None],
        ):
            report = examine(network, images, labels)
            assert "error in the examination" not in repr(report), report


# --------------------------------------------------------------------------------------------------
# Methods that are hostile once
# --------------------------------------------------------------------------------------------------


class Counter:
    """Counts the calls of all copies together."""

    called = 0

    def __deepcopy__(self, memo):
        return self


def turned(name, other, at):
    """Examine a network one of whose methods does something else in one of its calls."""
    network, counter = networks.small_network(), Counter()
    original = getattr(network, name)

    def turns(*arguments):
        counter.called += 1
        return (other if counter.called == at else original)(*arguments)

    setattr(network, name, turns)
    return examined(network), counter.called


ONCE = {"an error": hostile.fails, "nothing": lambda *_: None, "a tuple": lambda *a: (a, 1)}


@pytest.mark.parametrize("kind", ONCE)
@pytest.mark.parametrize("name", METHODS)
def test_a_method_may_turn_hostile_in_any_call_and_the_last(name, kind):
    if name == "step" and kind != "an error":
        return  # what it returns is its own affair
    report, calls = turned(name, None, at=0)
    assert report.ok
    every = range(1, calls + 1)
    some = every if ALL else {1, random.Random(f"{name} {kind}").choice(every), calls}
    for at in some:
        report, _ = turned(name, ONCE[kind], at)
        assert not report.ok, (at, report)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_may_turn_into_anything_in_any_call(name):
    labels = [label for label, other in hostile.HOSTILE.items() if callable(other)]
    rng = random.Random(name)
    for label in labels if ALL else rng.sample(labels, 4):
        turned(name, hostile.HOSTILE[label], at=rng.randint(1, 30))


# --------------------------------------------------------------------------------------------------
# What the documentation promises
# --------------------------------------------------------------------------------------------------


def forever(*arguments):
    while True:
        pass


def prints(*arguments):
    for _ in range(3):
        print("p" * 1_000_000)


def breaks_settings(*arguments):
    np.seterr(all="raise")
    warnings.simplefilter("error")
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)


def fills(x, *labels):
    x.fill(7)


PROMISED = {
    "it loops": (forever, "function.slow"),
    "it waits": (lambda *_: time.sleep(1000), "function.slow"),
    "it iterates without an end": (lambda *_: sum(k for k in iter(int, 1)), "function.slow"),
    "it exits": (lambda *_: sys.exit("goodbye"), "function.raises"),
    "it interrupts": (hostile.raising(KeyboardInterrupt), "function.raises"),
    "it calls itself": (hostile.HOSTILE["calls itself"], "function.raises"),
    "a message of 25 MB": (hostile.HOSTILE["raises 25 MB"], "function.raises"),
    "it prints": (prints, "function.prints"),
    "it changes settings": (breaks_settings, ""),
    "it changes its arguments": (fills, "function.mutates"),
}
if sys.platform == "linux":  # where a process can be held to a size
    PROMISED["it takes 10 GB"] = (lambda *_: np.ones(10 * 2**30 // 8), "function.raises")


HELD_OFF = [(name, label) for label in PROMISED for name in METHODS]


@pytest.mark.parametrize(("name", "label"), sample(HELD_OFF, 22))
def test_what_is_held_off(name, label, capsys):
    """The method does that, and what it should; nothing of it is left afterwards."""
    act, code = PROMISED[label]
    network = networks.small_network()
    original = getattr(network, name)

    def method(*arguments):
        result = original(*arguments)
        act(*arguments)
        return result

    setattr(network, name, method)
    start = [array.copy() for array in network.parameters]
    before = settings()
    with warnings.catch_warnings():
        filters = list(warnings.filters)
        report = examined(network, limit=0.2)
        assert warnings.filters == filters
    assert settings() == before
    assert code in codes(report) if code else report.ok, report
    assert capsys.readouterr() == ("", "")
    for old, new in zip(start, network.parameters, strict=True):
        assert old.tobytes() == new.tobytes()


def settings():
    """Return what a network must not change."""
    numpys = np.random.get_state()  # noqa: NPY002
    return np.geterr(), random.getstate(), (numpys[1].tobytes(), *numpys[2:]), sys.stdout


def test_pictures_and_labels_stay_as_they_are():
    images, labels = networks.examples()
    for name in METHODS:
        network = networks.small_network()
        setattr(network, name, lambda *arguments: [a.fill(0) for a in arguments])
        examine(network, images, labels)
    for given, as_before in zip((images, labels), networks.examples(), strict=True):
        assert np.array_equal(given, as_before)


def test_what_is_not_held_off(tmp_path, monkeypatch):
    """A thread is no sandbox: this keeps the documentation honest."""
    monkeypatch.chdir(Path.cwd())
    network, started, release = networks.small_network(), [], threading.Event()
    original = network.predict_proba

    def predict_proba(x):
        os.chdir(tmp_path)
        if not started:
            started.append(threading.Thread(target=release.wait))
            started[-1].start()
        return original(x)

    network.predict_proba = predict_proba
    before = threading.active_count()
    try:
        assert examined(network).ok
        assert Path.cwd() == tmp_path
        assert threading.active_count() > before
    finally:
        release.set()


def test_a_copy_that_does_not_end(digits):
    class Slow:
        def __deepcopy__(self, memo):
            while memo is not None:
                time.sleep(0.01)

    network = execute("flat functions over globals")
    network.slow = Slow()
    report = examine(network, *digits, time_limit=0.2)
    assert [finding.code for finding in report.findings] == ["function.slow"] and report.unchecked


def test_a_network_that_cannot_be_copied_is_not_moved(digits):
    inner = execute("flat functions over globals")
    start = [p.copy() for p in inner.parameters]

    class Stubborn:
        parameters, step = inner.parameters, staticmethod(inner.step)
        loss_and_gradients = staticmethod(inner.loss_and_gradients)
        dtype = "mine"

        def __reduce_ex__(self, protocol):
            raise TypeError("no")

        def predict_proba(self, x):
            for p, saved in zip(self.parameters, start, strict=True):
                assert np.array_equal(p, saved)
            return inner.predict_proba(x)

    network = Stubborn()
    report = examine(network, *digits)
    assert report.verdict == "not checked" and "a Stubborn" in report.unchecked[0], report
    assert len(report.unchecked) == 1 and network.dtype == "mine"


def test_a_network_that_changes_its_parameters_out_of_sight_gets_them_back(digits):
    network = execute("flat functions over globals")
    before = [p.copy() for p in network.parameters]
    hidden = {"network": network}
    kept = id(hidden)

    def predict(x, inner=network.predict_proba):
        import ctypes  # a way that no copy can follow

        original = ctypes.cast(kept, ctypes.py_object).value["network"]
        original.parameters[0][...] += 1
        return inner(x)

    network.predict_proba = predict
    report = examine(network, *digits)
    assert "put back" in repr(report) and report.verdict != "right"
    for old, new in zip(before, network.parameters, strict=True):
        assert old.tobytes() == new.tobytes()


# --------------------------------------------------------------------------------------------------
# The load of the machine
# --------------------------------------------------------------------------------------------------

# Clocks that count the work of a thread, or of the process where there is no other.
CLOCKS = {"thread_time", "process_time", "pthread_getcpuclockid", "clock_gettime"}


def test_no_verdict_depends_on_how_long_calls_take(digits, monkeypatch):
    clock = time.thread_time
    monkeypatch.setattr(calling.time, "thread_time", lambda: 1000 * clock())
    for code in ("gradients.scale", "softmax.axis"):
        report = examine(execute("functions that call functions", *BUGS[code]), *digits)
        assert report.findings[0].code == code, report
    assert examine(execute("functions that call functions"), *digits).ok


def test_where_a_thread_has_no_clock_the_process_has_one(monkeypatch):
    monkeypatch.delattr(calling.time, "thread_time")  # as in a browser
    assert examined(networks.small_network()).ok


def test_no_clock_on_the_wall_is_looked_at():
    for path in Path(mnist_book.diagnosis.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert node.value.id != "time" or node.attr in CLOCKS, (path.name, node.attr)
            if isinstance(node, ast.ImportFrom):
                assert node.module not in ("time", "timeit", "datetime", "sched"), path.name
