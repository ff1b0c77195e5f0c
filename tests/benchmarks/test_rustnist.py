"""The replay of the story's program: its right pieces are right, and its bugs are those told."""

from dataclasses import replace

import numpy as np
import pytest
from rustnist import FOUR, STAGES, Program, Stage, draw, softmax

import mnist_core

ROWS = 20


@pytest.fixture
def examples():
    rng = np.random.default_rng(0)
    return rng.random((ROWS, 784)).astype(np.float32), rng.integers(10, size=ROWS)


def one_hot(labels):
    return np.eye(10, dtype=np.float32)[labels]


def stepped(stage, examples):
    """Take one step; give the program and the parameters that it had before."""
    program = Program(stage, np.random.default_rng(1))
    before = [a.copy() for pair in zip(program.weights, program.biases, strict=True) for a in pair]
    program.step(examples[0], one_hot(examples[1]))
    return program, before


@pytest.mark.parametrize("sizes", [(784, 10, 10), (784, 12, 11, 10)])
@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_a_right_stage_takes_the_step_of_the_core(sizes, factor, examples):
    stage = Stage(sizes, slope=0.01, factor=factor)
    program, before = stepped(stage, examples)
    network = mnist_core.Network(sizes, rng=np.random.default_rng(0))
    for parameter, array in zip(network.parameters, before, strict=True):
        parameter[...] = array
    _, gradients = network.loss_and_gradients(*examples)
    after = [a for pair in zip(program.weights, program.biases, strict=True) for a in pair]
    for new, old, gradient in zip(after, before, gradients, strict=True):
        np.testing.assert_allclose(new, old - 0.1 * factor * gradient, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("bug", [name for name in FOUR if name != "labels apart"])
def test_each_bug_changes_the_step(bug, examples):
    right, _ = stepped(Stage(), examples)
    wrong, _ = stepped(replace(Stage(), **FOUR[bug]), examples)
    assert not np.allclose(right.weights[-1], wrong.weights[-1])


def test_what_an_activation_does_not_write_stays():
    program = Program(replace(STAGES["11fe7b6"], sizes=(784, 2, 10)), np.random.default_rng(0))
    layer = np.float32([[7, 7]])
    program.activate(np.float32([[-2, 2]]), layer)
    np.testing.assert_allclose(layer, [[-0.02, 7]])


def test_an_activation_of_what_was_there_lets_nothing_through():
    program = Program(STAGES["fa1782f"], np.random.default_rng(0))
    layer = np.zeros((1, 2), np.float32)
    program.activate(np.float32([[-2, 2]]), layer)
    assert not layer.any()


def test_softmax_of_a_stage():
    z = np.random.default_rng(0).normal(size=(4, 10))
    right = mnist_core.softmax(z)
    np.testing.assert_allclose(softmax("right", z), right)
    np.testing.assert_allclose(softmax("one maximum", z), right)
    np.testing.assert_allclose(softmax("no maximum", z), right)
    far = np.array([[2000.0, 1000.0], [1.0, 0.0]])
    assert np.isfinite(softmax("one sum, maximum", far)).all()
    with np.errstate(all="ignore"):
        assert np.isnan(softmax("no maximum", far)[0, 0])
    for rule in ("one sum", "one sum, maximum"):
        assert softmax(rule, z).sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("rule", "mean", "deviation"),
    [
        ("evenly", 0, 1 / np.sqrt(12)),
        ("he", 0, np.sqrt(2 / 784)),
        ("divided twice", 0, np.sqrt(2 / 784) / 784),
        ("units and inputs", 128 * np.sqrt(2 / 784), 784 * np.sqrt(2 / 784)),
        ("variance as deviation", 0, 2 / 784),
    ],
)
def test_first_weights_of_a_stage(rule, mean, deviation):
    weights = draw(rule, np.random.default_rng(0), 784, 128)
    assert weights.mean() == pytest.approx(mean, abs=0.02 * deviation)
    assert weights.std() == pytest.approx(deviation, rel=0.02)
