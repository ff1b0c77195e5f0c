"""Whatever a reader's function does, a check ends with a report, and the report can be read."""

import importlib.util
import random
from pathlib import Path

import numpy as np
import pytest

from mnist_book import checks
from mnist_book.diagnosis import running


def load(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HOSTILE = load("hostile").HOSTILE
RIGHT = [entry for entry in load("catalogue").RIGHT if entry[0] != "shapes"]
CHECKS = [name for name in checks.__all__ if name != "SHAPE_LEDGER"]

# pytest wants to know of errors that nobody can catch, as in a __del__ that raises.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch):
    monkeypatch.setattr(running, "TIME_LIMIT", 1.0)


def assert_readable(report):
    text = repr(report)
    text.encode("utf-8")
    assert max(map(len, text.splitlines())) < 600
    assert "<script" not in report._repr_html_()


@pytest.mark.parametrize("label", HOSTILE)
def test_a_hostile_function_gets_a_finding_from_every_check(label):
    for name in CHECKS:
        report = getattr(checks, name)(HOSTILE[label])
        assert not report.ok, name
        assert_readable(report)


@pytest.mark.parametrize(
    "entry", RIGHT, ids=lambda entry: "-".join([entry[0], entry[3], *entry[1]])
)
def test_a_right_function_may_turn_hostile_at_any_call(entry):
    name, options, function, label = entry
    rng = random.Random(f"{name} {label} {options}")
    turning, called = rng.randint(1, 8), 0
    other = HOSTILE[rng.choice([key for key in HOSTILE if callable(HOSTILE[key])])]

    def turns(*arguments):
        nonlocal called
        called += 1
        return (function if called != turning else other)(*arguments)

    assert_readable(getattr(checks, name)(turns, **options))


@pytest.mark.parametrize(
    "entry", RIGHT, ids=lambda entry: "-".join([entry[0], entry[3], *entry[1]])
)
def test_the_readers_settings_change_no_verdict(entry):
    name, options, function, _ = entry
    with np.errstate(all="raise"):
        assert getattr(checks, name)(function, **options).ok
