"""Right functions for the pieces, to put in the place of the reader's.

With them one finds out whether a piece is wrong by itself, or because of another one that it calls.
"""

from collections.abc import Callable, Sequence

import numpy as np

import mnist_core

SLOPE = 0.01
Arrays = Sequence[np.ndarray]


def right_functions(columns: bool) -> dict[str, Callable]:
    """Return a right function for each piece that others may call, by name."""
    common: dict[str, Callable] = {
        "leaky_relu": mnist_core.leaky_relu,
        "leaky_relu_gradient": mnist_core.leaky_relu_gradient,
        "train_step": train_step_in_columns if columns else train_step,
    }
    if columns:
        turned: dict[str, Callable] = {
            "linear": lambda x, weights, bias: weights @ x + bias,
            "softmax": lambda z: mnist_core.softmax(z.T).T,
            "cross_entropy": lambda z, labels: mnist_core.cross_entropy(z.T, labels),
            "predict_proba": lambda p, x: predict_proba(in_rows(p), x.T).T,
            "gradients": lambda p, x, labels: in_columns(gradients(in_rows(p), x.T, labels)),
        }
        return common | turned
    return common | {
        "linear": mnist_core.linear,
        "softmax": mnist_core.softmax,
        "cross_entropy": mnist_core.cross_entropy,
        "predict_proba": predict_proba,
        "gradients": gradients,
    }


def scores(parameters: Arrays, x: np.ndarray, slope: float = SLOPE) -> np.ndarray:
    """Compute the logits (batch, classes) of the network."""
    w1, b1, w2, b2 = parameters
    return mnist_core.leaky_relu(x @ w1 + b1, slope) @ w2 + b2


def predict_proba(parameters: Arrays, x: np.ndarray) -> np.ndarray:
    """Compute the probabilities (batch, classes) of the network."""
    return mnist_core.softmax(scores(parameters, x))


def gradients(parameters: Arrays, x: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """Compute the gradients of the mean cross-entropy, in the parameters' order."""
    w1, b1, w2, b2 = parameters
    z1 = x @ w1 + b1
    a1 = mnist_core.leaky_relu(z1, SLOPE)
    _, d_z2 = mnist_core.cross_entropy_gradient(a1 @ w2 + b2, labels)
    d_z1 = d_z2 @ w2.T * mnist_core.leaky_relu_gradient(z1, SLOPE)
    return [x.T @ d_z1, d_z1.sum(axis=0), a1.T @ d_z2, d_z2.sum(axis=0)]


def train_step(
    parameters: Arrays, x: np.ndarray, labels: np.ndarray, learning_rate: float
) -> Arrays:
    """Take a step downhill, in place; return the parameters, too, for both uses."""
    for p, d_p in zip(parameters, gradients(parameters, x, labels), strict=True):
        p -= learning_rate * d_p
    return parameters


def train_step_in_columns(
    parameters: Arrays, x: np.ndarray, labels: np.ndarray, learning_rate: float
) -> Arrays:
    """Take a step downhill, with pictures in columns."""
    train_step(in_rows(parameters), x.T, labels, learning_rate)  # of views
    return parameters


def in_rows(parameters: Arrays) -> list[np.ndarray]:
    """Turn parameters to rows; views."""
    w1, b1, w2, b2 = parameters
    return [w1.T, b1[:, 0], w2.T, b2[:, 0]]


def in_columns(parameters: Arrays) -> list[np.ndarray]:
    """Turn parameters to columns; copies."""
    w1, b1, w2, b2 = parameters
    return [w1.T.copy(), b1[:, np.newaxis].copy(), w2.T.copy(), b2[:, np.newaxis].copy()]
