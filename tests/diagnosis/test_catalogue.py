"""Whether the checks name the mistakes of the catalogue, and find none in its right answers."""

import collections
import importlib.util
from pathlib import Path

import pytest

from mnist_book import checks

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


def _first(name, options, function):
    report = getattr(checks, name)(function, **options)
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
    report = getattr(checks, name)(function, **options)
    assert report.ok, report


def test_there_are_four_variants_of_each_code():
    counts = collections.Counter(entry[0] for entry in catalogue.WRONG)
    codes = [f"{family}.{name}" for family, names in CODES.items() for name in names.split()]
    assert [code for code in codes if counts[code] < 4] == []


def test_there_are_forty_right_answers():
    assert len(catalogue.RIGHT) >= 40
