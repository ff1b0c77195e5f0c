"""Whatever a network's methods return, raise or do, `examine` answers with a report."""

import time

import numpy as np
import pytest
from network_styles import BUGS, execute

from mnist_book import examine
from mnist_book.diagnosis.examine import calling


class Stubborn:
    def __repr__(self):
        raise ValueError("no")

    def __array__(self, *arguments, **options):
        raise RuntimeError("no")

    def __iter__(self):
        raise KeyError


class Unusual(BaseException):
    pass


def endless(*arguments):
    return endless(*arguments)


NUMBERS = [np.zeros((784, 24)), np.zeros(24), np.zeros((24, 10)), np.zeros(10)]
RETURNED = [
    None,
    ...,
    3.0,
    "text",
    [],
    {},
    (1.0, []),
    (np.float64(1), None),
    [np.ones(3)],
    np.ones((5, 10)),
    np.array([]),
    np.array(None),
    np.array("text"),
    Stubborn(),
    (0.5, [Stubborn()] * 4),
    (Stubborn(), Stubborn()),
    np.full((300, 10), np.nan),
    np.ones((300, 10), complex),
    np.ones((300, 10), object),
    [[1], [1, 2]],
    (np.nan, NUMBERS),
    (np.array([[0.5]]), [np.full_like(n, np.nan) for n in NUMBERS]),
    (0.5, ["a"] * 4),
    (0.5, iter([1, 2])),
    10**400,
    np.zeros((300, 0)),
    type,
]
RAISED = [ValueError("x" * 10**6), KeyError(), SystemExit(2), KeyboardInterrupt(), Unusual()]
RAISED += [MemoryError(), StopIteration(), Exception(Stubborn())]


def raiser(error):
    def raises(*arguments):
        raise error

    return raises


FUNCTIONS = [lambda *arguments, value=value: value for value in RETURNED]
FUNCTIONS += [raiser(error) for error in RAISED]
FUNCTIONS += [endless, lambda: 3, lambda *a: a[0], lambda *a: (a[0], a[0]), 3, "text", Stubborn()]


@pytest.mark.parametrize("name", ["predict_proba", "loss_and_gradients", "activations", "step"])
def test_there_is_always_a_report(digits, name):
    x, y = digits
    for number, function in enumerate(FUNCTIONS):
        network = execute("flat functions over globals")
        setattr(network, name, function)
        report = examine(network, x[:200], y[:200], time_limit=2)
        text = repr(report) + report._repr_html_()
        assert "error in the examination" not in text and len(text) < 10_000, (number, report)
        assert not report.ok or name in ("step", "activations"), (number, report)


def test_pictures_and_labels_of_all_kinds(digits):
    x, y = digits[0][:100], digits[1][:100]
    network = execute("flat functions over globals")
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
            y > 4,
            y + 0.5,
            y[:, None],
        ):
            report = examine(network, images, labels)
            assert "error in the examination" not in repr(report), report


@pytest.mark.parametrize("slower", [10, 1000])
def test_no_verdict_depends_on_how_long_calls_take(digits, monkeypatch, slower):
    clock = time.thread_time
    monkeypatch.setattr(calling.time, "thread_time", lambda: slower * clock())
    for code in ("gradients.scale", "gradients.bias", "softmax.axis", "train.ascent"):
        report = examine(execute("functions that call functions", *BUGS[code]), *digits)
        assert report.findings[0].code == code, report
    assert examine(execute("functions that call functions"), *digits).ok


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
