"""Whether the checks name the mistakes of the catalogue, and find none in its right answers."""

import collections
import importlib.util
from pathlib import Path

import pytest

from mnist_book import checks
from mnist_book.diagnosis import running
from mnist_book.diagnosis.catalogue import CATALOGUE

_spec = importlib.util.spec_from_file_location(
    "catalogue", Path(__file__).with_name("catalogue.py")
)
catalogue = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(catalogue)

CODES = {
    "idx": "endian offset signed shape",
    "linear": "elementwise transposed no_bias bias_sign",
    "softmax": "axis overflow no_exp global_sum not_normalised global_max",
    "cross_entropy": "log_zero not_mean wrong_class sign no_softmax base",
    "leaky_relu": "plain abs sign no_else",
    "relu_gradient": "always_one of_activation slope_ignored sign",
    "init": "zeros symmetric positive too_large too_small variance_as_std fan",
    "gradients": "scale sign transposed missing_activation bias",
    "train": "ascent no_update",
}


def _id(*parts, options):
    return " ".join(["-".join(parts), *options])


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch):
    """A second of work is enough for what ends, on any machine."""
    monkeypatch.setattr(running, "TIME_LIMIT", 1.0)


_reports = {}


def _report(name, options, function):
    """Check each program once, for all tests."""
    key = name, id(function), *options
    if key not in _reports:
        _reports[key] = getattr(checks, name)(function, **options)
    return _reports[key]


def _first(name, options, function):
    report = _report(name, options, function)
    return (report.findings[0].code if report.findings else "ok"), report


@pytest.mark.parametrize(
    ("code", "name", "options", "function"),
    [
        pytest.param(*entry[:4], id=_id(entry[0], entry[1], entry[4], options=entry[2]))
        for entry in catalogue.WRONG
    ],
)
def test_a_mistake_is_named(code, name, options, function):
    found, report = _first(name, options, function)
    assert found == code, report


@pytest.mark.parametrize(
    ("codes", "name", "options", "function"),
    [
        pytest.param(*entry[:4], id=_id(entry[1], entry[4], options=entry[2]))
        for entry in catalogue.AMBIGUOUS
    ],
)
def test_an_ambiguous_mistake_gets_one_of_its_names(codes, name, options, function):
    found, report = _first(name, options, function)
    assert found in codes, report


@pytest.mark.parametrize(
    ("name", "options", "function"),
    [
        pytest.param(*entry[:3], id=_id(entry[0], entry[3], options=entry[1]))
        for entry in catalogue.RIGHT
    ],
)
def test_a_right_answer_has_no_finding(name, options, function):
    report = _report(name, options, function)
    assert report.ok, report


def test_there_are_four_variants_of_each_code():
    counts = collections.Counter(entry[0] for entry in catalogue.WRONG)
    codes = [f"{family}.{name}" for family, names in CODES.items() for name in names.split()]
    assert [code for code in codes if counts[code] < 4] == []


def test_there_are_forty_right_answers():
    assert len(catalogue.RIGHT) >= 40


# What is said of an epoch, by the check of mnist_book/writing: tests/writing/test_pieces.py.
EPOCHS = {("train.lost_pictures", "usual"), ("train.epoch_length", "usual")}
EPOCHS |= {("train.not_shuffled", "epoch"), ("train.direction", "epoch")}


def test_every_sentence_of_the_checks_is_said_about_some_program():
    said = set()
    for _, name, options, function, _ in catalogue.WRONG + catalogue.AMBIGUOUS:
        report = _report(name, options, function)
        said |= {(finding.code, finding.says) for finding in report.findings}
    known = {(code, says) for code, bug in CATALOGUE.items() for says in bug.says}
    known -= EPOCHS
    assert [pair for pair in sorted(known - said) if not pair[1].startswith("network")] == []


@pytest.mark.parametrize(
    "entry", catalogue.WRONG, ids=lambda entry: _id(*entry[:2], entry[4], options=entry[2])
)
def test_what_is_shown_differs_from_what_is_expected(entry):
    """Two descriptions that are the same show nothing."""
    _, name, options, function, _ = entry
    for finding in _report(name, options, function).findings:
        lines = dict(line.split(":", 1) for line in finding.evidence.splitlines() if ":" in line)
        assert finding.evidence
        assert len(lines) < 2 or lines.get("returned", 0) != lines.get("expected", 1)
        assert all(len(line) < 400 for line in finding.evidence.splitlines())
        assert len(finding.message) < 400
