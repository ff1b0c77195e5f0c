"""A network is right, and a bug is named first, in whatever style it is written."""

import subprocess
import sys
import types

import numpy as np
import pytest
import zoo
from network_styles import BUGS, STYLES, execute
from samples import ALL

from mnist_book import examine


@pytest.fixture
def digits():
    return zoo.digits(14)


def values(parameters):
    arrays = parameters.values() if isinstance(parameters, dict) else parameters
    return [array.copy() for array in arrays]


@pytest.mark.parametrize("style", STYLES)
def test_a_right_network_is_right_and_stays_as_it_is(digits, style):
    network = execute(style)
    before = values(network.parameters)
    report = examine(network, *digits)
    assert report.ok and not report.unchecked, report
    usual = ("for want of activations", "deviation", "the nearest mean digit")
    assert all(any(words in note for words in usual) for note in report.notes), report
    for old, new in zip(before, values(network.parameters), strict=True):
        assert old.tobytes() == new.tobytes()


# Each style with some of the bugs, and each bug in some of the styles.
PAIRS = [
    (style, code)
    for i, style in enumerate(STYLES)
    for j, code in enumerate(BUGS)
    if ALL or (i + j) % 4 == 0
]


@pytest.mark.parametrize(("style", "code"), PAIRS)
def test_the_bug_is_named_first(digits, style, code):
    report = examine(execute(style, *BUGS[code]), *digits)
    assert [finding.code for finding in report.findings][:1] == [code], report


def test_what_an_examination_leaves_behind(digits):
    network = execute("decorated functions")
    scope = network.step.__wrapped__.__globals__
    np.random.seed(4)  # noqa: NPY002
    examine(network, *digits)
    after = np.random.rand()  # noqa: NPY002
    np.random.seed(4)  # noqa: NPY002
    assert scope["calls"] == {} and after == np.random.rand()  # noqa: NPY002


def test_parameters_that_are_copies_are_not_checked(digits):
    network = execute("flat functions over globals")
    network.parameters = [p.copy() for p in network.parameters]
    report = examine(network, *digits)
    assert not report.ok and not report.findings
    assert "does not" not in report.verdict and report.verdict == "not checked"
    assert repr(report).splitlines()[1].startswith("  not checked: the gradients and large logits")
    assert "not checked" in report._repr_html_()


def test_one_parameter_that_is_a_copy_is_not_checked(digits):
    for k in range(4):
        network = execute("flat functions over globals")
        network.parameters[k] = network.parameters[k].copy()
        report = examine(network, *digits)
        assert report.verdict == "not checked" and f"parameters {k}:" in report.unchecked[0]
        network = execute("flat functions over globals", *BUGS["gradients.missing_activation"])
        network.parameters[k] = network.parameters[k].copy()
        assert k == 0 or examine(network, *digits).findings[0].code.startswith("gradients")


@pytest.mark.parametrize("parameters", [[[1.0, 2.0]], 3, ["W1"], [np.ones(3, int)], lambda: None])
def test_parameters_of_another_kind_are_not_checked(digits, parameters):
    network = execute("flat functions over globals")
    network.parameters = parameters
    report = examine(network, *digits)
    assert report.verdict == "not checked" and "expected a list of arrays" in report.unchecked[0]


def test_what_cannot_be_copied_is_said_first(digits):
    network = execute("flat functions over globals")
    network.step.__globals__["batches"] = (k for k in range(3))
    source = "def step(x, y):\n    next(batches)\n"
    exec(source, network.step.__globals__)
    network.step = network.step.__globals__["step"]
    report = examine(network, *digits)
    assert report.verdict == "not checked" and "a generator" in report.unchecked[0]
    assert next(network.step.__globals__["batches"]) == 0  # nobody drew from it


def test_bugs_are_found_beside_what_cannot_be_checked(digits):
    network = execute("flat functions over globals", *BUGS["softmax.axis"])
    network.parameters = [p.copy() for p in network.parameters]
    report = examine(network, *digits)
    assert report.verdict == "not yet" and report.findings[0].code == "softmax.axis"
    assert "  not checked: " in repr(report).splitlines()[1]


def test_a_loss_that_changes_is_not_checked(digits):
    network = execute("flat functions over globals")
    inner = network.loss_and_gradients
    calls = []  # no generator, which could be put back

    def noisy(x, y):
        calls.append(1)
        loss, gradients = inner(x, y)
        return loss + 1e-6 * len(calls), gradients

    network.loss_and_gradients = noisy
    report = examine(network, *digits)
    assert report.verdict == "not checked" and "not the same twice" in report.unchecked[0]


def test_a_loss_that_draws_from_a_generator_is_checked(digits):
    """The generator is put back before each call, so that they all draw the same."""
    network = execute("flat functions over globals")
    inner, rng = network.loss_and_gradients, np.random.default_rng(0)

    def noisy(x, y):
        loss, gradients = inner(x, y)
        return loss + 1e-6 * rng.normal(), gradients

    network.loss_and_gradients = noisy
    assert examine(network, *digits).ok


def test_an_error_of_ours_is_no_traceback(digits, monkeypatch):
    from mnist_book.diagnosis.examine import probing, subject

    def broken(self):
        raise KeyError("ours")

    monkeypatch.setattr(subject.Subject, "last_layer", broken)
    report = examine(execute("flat functions over globals"), *digits)
    assert report.verdict == "not checked" and "KeyError" in report.unchecked[0]
    assert probing.Probe  # imported from the package, whose name the function has taken


def test_the_function_keeps_its_name():
    code = (
        "import mnist_book, mnist_book.diagnosis.examine, mnist_book.diagnosis.examine.data\n"
        "from mnist_book import checks, examine\n"
        "from mnist_book.diagnosis import examine as other\n"
        "assert callable(examine) and examine is other is mnist_book.examine\n"
        "assert mnist_book.diagnosis.examine is examine and checks.softmax\n"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_nested_parameters(digits):
    network = execute("flat functions over globals")
    w1, b1, w2, b2 = network.parameters
    inner = network.loss_and_gradients

    def pairs(x, y):
        loss, (dw1, db1, dw2, db2) = inner(x, y)
        return loss, [(dw1, db1), (dw2, db2)]

    nested = types.SimpleNamespace(
        predict_proba=network.predict_proba,
        parameters=[(w1, b1), (w2, b2)],
        loss_and_gradients=pairs,
    )
    assert examine(nested, *digits).ok
