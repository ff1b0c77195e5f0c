"""Networks of mnist_core, damaged in one way each: the report must name that way first."""

from types import SimpleNamespace

import numpy as np
import pytest
from samples import sample

import mnist_core
from mnist_book import dataset, examine

DIGITS = dataset.load_practice_digits()
PIXELS, LABELS = DIGITS.train_images, DIGITS.train_labels
X = mnist_core.scale_pixels(PIXELS, np.float64)


def network(seed=0, slope=0.01, sizes=(784, 64, 10), dtype=np.float64):
    return mnist_core.Network(sizes, rng=np.random.default_rng(seed), slope=slope, dtype=dtype)


def trained(net, x=X, y=LABELS, **options):
    options = {"epochs": 2, "learning_rate": 0.05} | options
    with np.errstate(all="ignore"):
        mnist_core.train(net, x, y, rng=np.random.default_rng(1), **options)
    return net


def with_changes(net, change):
    change(net)
    return net


def stranger(net):
    """A network that takes any numbers and only predicts."""
    return SimpleNamespace(
        predict_proba=lambda x: net.predict_proba(np.asarray(x, float).reshape(len(x), -1))
    )


def set_output(net):
    net.weights[1][...] = 0
    net.biases[1][...] = 5 * np.eye(10)[2]


def constant(x):
    return np.tile([0.9] + 9 * [0.1 / 9], (len(x), 1))


SHUFFLED = np.random.default_rng(3).permutation(LABELS)
BY_DIGIT = np.argsort(LABELS, kind="stable")
BY_PAIR = np.argsort(LABELS // 2, kind="stable")
IN_RUNS = np.concatenate(
    [np.flatnonzero(d == LABELS)[100 * i : 100 * (i + 1)] for i in range(5) for d in range(10)]
)
DAMAGED = [
    ("data.not_scaled", lambda: (stranger(network()), PIXELS, LABELS)),
    ("data.not_scaled", lambda: (stranger(network()), PIXELS.reshape(-1, 784).astype(int), LABELS)),
    ("data.not_scaled", lambda: (network(dtype=np.float32), np.float32(255 * X), LABELS)),
    ("data.not_scaled", lambda: (network(), 100 * X, LABELS)),
    ("data.labels_shuffled", lambda: (network(), X, np.roll(LABELS, 8))),
    ("data.labels_shuffled", lambda: (network(), X[::-1], LABELS)),
    ("data.labels_shuffled", lambda: (trained(network()), X, SHUFFLED)),
    ("data.labels_shuffled", lambda: (trained(network(), y=SHUFFLED), X, SHUFFLED)),
    ("train.not_shuffled", lambda: (network(), X[BY_DIGIT], LABELS[BY_DIGIT])),
    ("train.not_shuffled", lambda: (trained(network()), X[BY_DIGIT], LABELS[BY_DIGIT])),
    ("train.not_shuffled", lambda: (network(), X[BY_PAIR], LABELS[BY_PAIR])),
    ("train.not_shuffled", lambda: (network(), X[IN_RUNS], LABELS[IN_RUNS])),
    (
        "network.dead",
        lambda: (with_changes(network(slope=0), lambda n: n.biases[0].fill(-50)), X, LABELS),
    ),
    (
        "network.dead",
        lambda: (
            with_changes(trained(network(slope=0)), lambda n: n.biases[0][:60].fill(-100)),
            X,
            LABELS,
        ),
    ),
    (
        "network.collapsed",
        lambda: (
            with_changes(trained(network()), lambda n: n.biases[1][3:4].fill(1000)),
            X,
            LABELS,
        ),
    ),
    (
        "network.collapsed",
        lambda: (with_changes(trained(network()), lambda n: n.biases[1][:1].fill(60)), X, LABELS),
    ),
    ("network.collapsed", lambda: (with_changes(trained(network()), set_output), X, LABELS)),
    ("network.collapsed", lambda: (SimpleNamespace(predict_proba=constant), X, LABELS)),
    (
        "network.missing_digit",
        lambda: (
            with_changes(trained(network()), lambda n: n.biases[1][9:].fill(-1000)),
            X,
            LABELS,
        ),
    ),
    (
        "network.exploded",
        lambda: (with_changes(network(), lambda n: n.vector[:1].fill(np.nan)), X, LABELS),
    ),
    (
        "network.exploded",
        lambda: (with_changes(network(), lambda n: n.vector.fill(np.inf)), X, LABELS),
    ),
    (
        "network.exploded",
        lambda: (with_changes(trained(network()), lambda n: n.vector.__imul__(1e8)), X, LABELS),
    ),
    (
        "network.exploded",
        lambda: (trained(network(slope=0.1), learning_rate=50, epochs=1), X, LABELS),
    ),
]
HEALTHY = {
    "new": lambda: (network(), X, LABELS),
    "new, deep": lambda: (network(sizes=(784, 50, 50, 50, 50, 10)), X, LABELS),
    "one layer": lambda: (network(sizes=(784, 10)), X, LABELS),
    "float32, bytes": lambda: (network(dtype=np.float32), PIXELS, LABELS),
    "trained": lambda: (trained(network()), X, LABELS),
    "trained, ReLU": lambda: (trained(network(slope=0)), X, LABELS),
    "hardly trained": lambda: (trained(network(), learning_rate=1e-4, epochs=1), X, LABELS),
    "standardised": lambda: (network(), (X - X.mean()) / X.std(), LABELS),
    "from -1 to 1": lambda: (network(), 2 * X - 1, LABELS),
    "white on black": lambda: (network(), 1 - X, LABELS),
    "few examples": lambda: (network(), X[:200], LABELS[:200]),
    "one-hot": lambda: (stranger(network()), X, np.eye(10)[LABELS]),
}


@pytest.mark.parametrize(("code", "case"), DAMAGED)
def test_the_damage_is_named_first(code, case):
    report = examine(*case())
    assert [finding.code for finding in report.findings][:1] == [code], report


@pytest.mark.parametrize("name", sample(HEALTHY, 7))
def test_healthy_networks_get_no_finding(name):
    report = examine(*HEALTHY[name]())
    assert report.ok, report
