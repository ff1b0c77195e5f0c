"""The pieces of the reader's file, in the chapters' order, and the check of each."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace

import numpy as np

import mnist_core
from mnist_book.dataset import load_practice_digits
from mnist_book.diagnosis import checks, examine
from mnist_book.diagnosis.checks.function import Found, GuardedFunction, report, same
from mnist_book.diagnosis.evidence import compared, lay_out
from mnist_book.diagnosis.reports import Finding, Report
from mnist_book.diagnosis.running import Theirs
from mnist_book.writing.epoch import train_epoch
from mnist_book.writing.reference import in_columns, scores
from mnist_book.writing.troubles import Trouble
from mnist_core import Network, scale_pixels

TITLES = {
    1: "Reading the digits",
    2: "Taking the matrix product",
    3: "Turning scores into probabilities",
    4: "Bending the line: ReLU and its leak",
    5: "Choosing the first weights",
    6: "Sending the error backwards",
    7: "Training it, one batch at a time",
}


@dataclass(frozen=True)
class Piece:
    """A function that the reader writes."""

    name: str
    chapter: int
    check: Callable[..., Report]
    laid_out: bool = False  # whether it matters that pictures are in columns

    def look(self, function: Theirs, *, columns: bool) -> Report:
        """Check the reader's function."""
        check = partial(self.check, columns=columns) if self.laid_out else self.check
        return check(function)


def predict_proba(function: Theirs, *, columns: bool = False) -> Report:
    """Check `f(parameters, x)` against the network; examine it where it is another one."""
    subject = GuardedFunction(function, "parameters x")
    rng = np.random.default_rng(0)
    network = Network((784, 16, 10), rng=rng, dtype=np.float64)
    for bias in network.biases:
        bias[...] = rng.normal(0, 0.5, bias.shape)
    images = scale_pixels(load_practice_digits().test_images[:300], np.float64)
    expected = network.predict_proba(images)
    expected = expected.T if columns else expected

    def check() -> list[Finding]:
        parameters = in_columns(network.parameters) if columns else list(network.parameters)
        given = parameters, images.T.copy() if columns else images
        try:
            result = subject(*given)
        except Found as found:
            if found.finding.code != "function.raises":
                raise
            causes = _examined(function, network, columns)
            return [each for each in causes if each.code != "function.raises"] or [found.finding]
        if same(result, expected):
            return subject.side_effects()
        causes = _examined(function, network, columns)
        plain = mnist_core.softmax(scores(network.parameters, images, 0.0))
        if not causes and same(result, plain.T if columns else plain):
            causes = [Finding("leaky_relu.plain", says="inside")]
        if causes:
            return causes
        values = subject.as_array(result, subject.given(*given), expected.shape)
        raise Trouble("piece.other_network", lay_out(**compared(values, expected)))

    return report("predict_proba", check)


def _examined(function: Theirs, network: Network, columns: bool) -> list[Finding]:
    """Find out what is wrong with a network."""
    digits = load_practice_digits()
    parameters = (
        in_columns(network.parameters) if columns else [p.copy() for p in network.parameters]
    )

    def in_rows(x: np.ndarray) -> np.ndarray:
        p = function(parameters, x.T if columns else x)
        return np.transpose(p) if columns else p

    images = scale_pixels(digits.test_images[:300], np.float64)
    subject = SimpleNamespace(predict_proba=in_rows, parameters=parameters)
    return list(examine(subject, images, digits.test_labels[:300]).findings)


PIECES = (
    Piece("read_idx", 1, checks.read_idx),
    Piece("nearest_mean", 1, checks.nearest_mean),
    Piece("linear", 2, checks.linear, laid_out=True),
    Piece("accuracy", 2, checks.accuracy),
    Piece("softmax", 3, checks.softmax, laid_out=True),
    Piece("cross_entropy", 3, checks.cross_entropy, laid_out=True),
    Piece("leaky_relu", 4, checks.leaky_relu),
    Piece("leaky_relu_gradient", 4, checks.leaky_relu_gradient),
    Piece("predict_proba", 4, predict_proba, laid_out=True),
    Piece("he_normal", 5, checks.he_normal, laid_out=True),
    Piece("gradients", 6, checks.gradients, laid_out=True),
    Piece("train_step", 7, checks.train_step, laid_out=True),
    Piece("train_epoch", 7, train_epoch, laid_out=True),
)
NAMES = tuple(piece.name for piece in PIECES)
