"""What the laboratory computes, written again in NumPy: the generator, the batches, every bug.

A bug stands here as a line of NumPy, as the book has it. The laboratory must agree with it.
"""

import functools
import math
from itertools import pairwise, zip_longest

import numpy as np

import mnist_core

CLASSES = 10


class Random:
    """The laboratory's generator, in whole numbers of 32 bits."""

    def __init__(self, seed, stream=0):
        self.state = ((seed * 0x9E3779B1) ^ ((stream + 1) * 0x85EBCA6B)) & 0xFFFFFFFF

    def uniform(self):
        self.state = (self.state + 0x6D2B79F5) & 0xFFFFFFFF
        x = self.state
        x = ((x ^ x >> 15) * (x | 1)) & 0xFFFFFFFF
        x ^= (x + (x ^ x >> 7) * (x | 61)) & 0xFFFFFFFF
        return (x ^ x >> 14) / 2**32

    def normal(self):
        while True:
            x, y = 2 * self.uniform() - 1, 2 * self.uniform() - 1
            square = x * x + y * y
            if 0 < square < 1:
                return x * math.sqrt(-2 * math.log(square) / square)

    def normals(self, deviation, shape):
        draws = [self.normal() for _ in range(math.prod(shape))]
        return deviation * np.reshape(draws, shape)

    def uniforms(self, shape):
        return np.reshape([self.uniform() for _ in range(math.prod(shape))], shape)

    def permutation(self, n):
        order = list(range(n))
        for i in range(n - 1, 0, -1):
            j = math.floor(self.uniform() * (i + 1))
            order[i], order[j] = order[j], order[i]
        return np.array(order)


def first_weights(settings):
    """Return the weights of all layers as the settings' bug, or He, draws them."""
    bug = next((bug for bug in settings["bugs"] if bug.startswith("init.")), None)
    sizes = 784, *settings["hidden"], CLASSES
    given = tuple(settings.get("deviations", ()))
    return _drawn(settings["seed"], sizes, settings["slope"], bug, given)


@functools.cache  # a loop in Python over ten thousands of numbers
def _drawn(seed, sizes, slope, bug, given):
    rng, weights = Random(seed), []
    for (inputs, outputs), deviation in zip_longest(pairwise(sizes), given):
        shape = inputs, outputs
        match bug:
            case "init.zeros":
                drawn = np.zeros(shape)
            case "init.symmetric":
                drawn = np.full(shape, 0.01)
            case "init.positive":
                drawn = rng.uniforms(shape)
            case "init.one_sign":
                drawn = 0.1 * rng.uniforms(shape)
            case "init.half":
                drawn = rng.uniforms(shape) - 0.5
            case "init.too_large":
                drawn = rng.normals(1, shape)
            case "init.too_small":
                drawn = rng.normals(0.01, shape)
            case "init.variance_as_std":
                drawn = rng.normals(2 / inputs, shape)
            case "init.fan":
                drawn = rng.normals(np.sqrt(2 / outputs), shape)
            case "init.xavier":
                drawn = rng.normals(np.sqrt(2 / (inputs + outputs)), shape)
            case _:
                he = np.sqrt(2 / ((1 + slope**2) * inputs))
                drawn = rng.normals(he if deviation is None else deviation, shape)
        weights.append(drawn)
    return weights


def batches(images, labels, settings):
    """Yield x and labels of one batch after another, as the laboratory draws them."""
    bugs, size, seed = settings["bugs"], settings["batch"], settings["seed"]
    x = images.reshape(len(images), -1) * (1.0 if "data.not_scaled" in bugs else 1 / 255)
    labels = labels.copy()
    rng, bug_rng, n = Random(seed, 1), Random(seed, 2), len(labels)
    if "data.labels_shuffled" in bugs:
        x = x[bug_rng.permutation(n)]
        labels = labels[bug_rng.permutation(n)]
    if "data.rows_swapped" in bugs:
        for i in range(n - 1, 0, -1):
            j = math.floor(bug_rng.uniform() * (i + 1))
            x[i], x[j] = x[j], x[i]
            labels[[i, j]] = labels[[j, i]]
    if "train.not_shuffled" in bugs:
        order = np.argsort(labels, kind="stable")
        x, labels = x[order], labels[order]
    while True:
        order = np.arange(n) if "train.not_shuffled" in bugs else rng.permutation(n)
        for rows in order[: n // size * size].reshape(-1, size):
            if "train.other_rows" in bugs:
                yield x[rows], labels[bug_rng.permutation(n)[:size]]
            else:
                yield x[rows], labels[rows]


class Program:
    """A network like the book's, with bugs to put in."""

    def __init__(self, settings, weights):
        self.settings, self.bugs = settings, set(settings["bugs"])
        self.slope, self.rate = settings["slope"], settings["rate"]
        self.weights = [array.copy() for array in weights]
        self.biases = [np.zeros(array.shape[1]) for array in weights]
        self.gradients = [np.zeros_like(p) for p in self.parameters]
        self.velocities = [np.zeros_like(p) for p in self.parameters]

    @property
    def parameters(self):
        return [*self.weights, *self.biases]

    def square(self, k):
        return self.weights[k].shape[0] == self.weights[k].shape[1]

    def linear(self, x, k):
        weights, bias = self.weights[k], self.biases[k]
        if "linear.elementwise" in self.bugs and self.square(k):
            return x * weights + bias
        if "linear.transposed" in self.bugs and self.square(k):
            return x @ weights.T + bias
        if "linear.no_bias" in self.bugs:
            return x @ weights
        if "linear.bias_sign" in self.bugs:
            return x @ weights - bias
        return x @ weights + bias

    def activation(self, z):
        if "network.linear" in self.bugs:
            return z
        if "leaky_relu.no_else" in self.bugs:
            a = np.zeros_like(z)
            a[z < 0] = self.slope * z[z < 0]
            return a
        if "leaky_relu.derivative" in self.bugs:
            return np.where(z > 0, 1, self.slope)
        if self.bugs & {"relu_gradient.always_one", "leaky_relu.plain"}:
            return np.maximum(z, 0)
        if "activation.tanh" in self.bugs:
            return np.tanh(z)
        return mnist_core.leaky_relu(z, self.slope)

    def activation_gradient(self, z):
        if self.bugs & {"network.linear", "gradients.missing_activation"}:
            return np.ones_like(z)
        if "leaky_relu.no_else" in self.bugs:
            return np.where(z < 0, self.slope, 0)
        if "relu_gradient.always_one" in self.bugs:
            return np.where(np.maximum(z, 0) >= 0, 1.0, 0)
        if "leaky_relu.plain" in self.bugs:
            return np.where(z > 0, 1.0, 0)
        if "activation.tanh" in self.bugs:
            return 1 - np.tanh(z) ** 2
        return mnist_core.leaky_relu_gradient(z, self.slope)

    def softmax(self, z):
        if "softmax.no_exp" in self.bugs:
            return z / z.sum(axis=1, keepdims=True)
        e = np.exp(z if "softmax.overflow" in self.bugs else z - z.max(axis=1, keepdims=True))
        if "softmax.axis" in self.bugs:
            return e / e.sum(axis=0)
        if "softmax.global_sum" in self.bugs:
            return e / e.sum()
        return e / e.sum(axis=1, keepdims=True)

    def forward(self, x):
        """Return each layer's pre-activations and inputs."""
        zs, inputs = [], [x]
        for k in range(len(self.weights)):
            zs.append(self.linear(inputs[k], k))
            inputs.append(self.activation(zs[k]))
        return zs, inputs

    def probabilities(self, z):
        p = self.softmax(z)
        return self.softmax(p) if "softmax.squashed" in self.bugs else p

    def output_gradient(self, z, p, labels):
        n, one_hot = len(labels), np.eye(CLASSES)[labels]
        d_z = (p - one_hot) / n
        if "softmax.squashed" in self.bugs:
            once = self.softmax(z)
            jacobian = [np.diag(row) - np.outer(row, row) for row in once]
            d_z = np.stack([m @ d for m, d in zip(jacobian, d_z, strict=True)])
        if "gradients.sign" in self.bugs:
            d_z = (one_hot - p) / n
        if "gradients.scale" in self.bugs:
            d_z = p - one_hot
        if "gradients.extra_softmax" in self.bugs:
            d_z = (p - one_hot) * p * (1 - p) / n
        if "gradients.no_labels" in self.bugs:
            d_z = p / n
        return d_z

    def step(self, x, labels):
        """Take a step; return the loss before it."""
        zs, inputs = self.forward(x)
        p, n, last = self.probabilities(zs[-1]), len(labels), len(zs) - 1
        if any(bug.startswith("softmax.") for bug in self.bugs):
            loss = -np.log(p[np.arange(n), labels]).mean()
        else:
            loss = mnist_core.cross_entropy(zs[-1], labels)
        d_z = self.output_gradient(zs[-1], p, labels)
        d_weights, d_biases = self.gradients[: last + 1], self.gradients[last + 1 :]
        for k in range(last, -1, -1):
            weights = self.weights[k]
            star = "linear.elementwise" in self.bugs and self.square(k)
            went_in = zs[k - 1] if k and "gradients.inputs" in self.bugs else inputs[k]
            if "gradients.accumulated" not in self.bugs:
                d_weights[k][...], d_biases[k][...] = 0, 0
            d_weights[k] += went_in * d_z if star else went_in.T @ d_z
            d_biases[k] += d_z.sum() if "gradients.bias" in self.bugs else d_z.sum(axis=0)
            if k == 0:
                break
            if star:
                d_inputs = d_z * weights
            elif "gradients.transposed" in self.bugs and self.square(k):
                d_inputs = d_z @ weights
            else:
                d_inputs = d_z @ weights.T
            other = "relu_gradient.other_z" in self.bugs and self.square(k)
            d_z = d_inputs * self.activation_gradient(zs[k if other else k - 1])
        self.update(n)
        return loss

    def update(self, n):
        momentum, rate = self.settings["momentum"], self.rate
        if "train.no_update" in self.bugs:
            return
        last = len(self.weights) - 1
        for i, p in enumerate(self.parameters):
            change = rate * self.gradients[i]
            if "train.rate_too_high" in self.bugs:
                change = 50 * self.gradients[i]
            if "train.rate_twice" in self.bugs:
                change = rate * (rate * self.gradients[i])
            if "train.batch_rate" in self.bugs:
                change = rate / n * self.gradients[i]
            if "train.rates_differ" in self.bugs and i == last:
                change = 0.01 * self.gradients[i]
            velocity = self.velocities[i]
            velocity *= 1 if "train.momentum" in self.bugs else momentum
            velocity -= -change if "train.ascent" in self.bugs else change
            p += velocity
