"""Examine a whole network, ours or a stranger's, and name the bug that it has.

Nothing here looks at how a network is written. It is called, on copies, and what comes out is held
against what must come out of any right network; where that fails, further calls tell the usual
causes apart. The causes come first in the report, in the order of a network's life: data, weights,
softmax, loss, gradients, training; symptoms such as dead units come last.
"""

import contextlib
import copy
import time
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

import mnist_core
from mnist_book.diagnosis.reports import Finding, Report
from mnist_book.diagnosis.running import run

CLASSES = 10
ORDER = ("data", "layout", "linear", "function", "init", "softmax", "leaky_relu", "cross_entropy")
ORDER += ("gradients", "train", "network")
SIDE_ISSUES = ("function.prints", "function.mutates", "function.not_array")  # never the first cause
METHODS = ("predict_proba", "parameters", "loss_and_gradients", "activations", "step")


def examine(
    network: object, images: np.ndarray, labels: np.ndarray, *, time_limit: float = 5.0
) -> Report:
    """Look for the usual bugs in a network, from its data to its training.

    Parameters
    ----------
    network : any object with `predict_proba(x) -> (batch, 10)`. The more of these it has, too, the
        more is checked: `parameters`, a list of arrays that it reads in place;
        `loss_and_gradients(x, labels) -> (float, list like parameters)`; `activations(x)`, a list
        of each layer's output, logits last; `step(x, labels)`, one step of training. It works on a
        copy: your network stays as it is. Column-major code is wrapped in a line:
        `types.SimpleNamespace(predict_proba=lambda x: net.predict(x.T).T, parameters=net.weights)`
    images : what the network is fed, (n, 784) floats or (n, 28, 28). Bytes are scaled to 0..1 for
        `mnist_core.Network`, as its training does; others get them as floats from 0 to 255
    labels : integers (n,) or one-hot (n, 10), as the network's own methods take them
    time_limit : seconds that a single call may take

    Returns
    -------
    the findings, the most likely cause first, and notes: what could not be checked, and the sizes
    of activations and gradients, layer by layer
    """
    return _Examination(network, np.asarray(images), np.asarray(labels), time_limit).report()


@dataclass(frozen=True)
class _Worded(Finding):
    """A finding whose sentence does not come from the catalogue yet."""

    sentence: str = ""

    def __post_init__(self) -> None:
        """Ask the catalogue for nothing."""

    @property
    def message(self) -> str:
        """What is wrong and what usually causes that."""
        return self.sentence


class _Failed(Exception):
    """Ends a check: what has to be said about it has been said."""


class _Examination:
    def __init__(
        self, network: object, images: np.ndarray, labels: np.ndarray, time_limit: float
    ) -> None:
        self.findings: list[Finding] = []
        self.notes: list[str] = []
        self.time_limit, self.hangs = time_limit, False
        self.rng = np.random.default_rng(0)
        self.original, self.images, self.labels = network, images, labels
        self.probabilities = self.accuracy = None

    def find(self, code: str, message: str, given: str, returned: str, expected: str) -> None:
        """Add a finding, once for each code."""
        if code not in [finding.code for finding in self.findings]:
            evidence = f"given:    {given}\nreturned: {returned}\nexpected: {expected}"
            self.findings.append(_Worded(code, evidence, sentence=message))

    def found(self, *prefixes: str) -> bool:
        """Tell whether there is a finding, of these kinds if some are named."""
        return any(finding.code.startswith(prefixes or "") for finding in self.findings)

    def report(self) -> Report:
        """Run all checks; a check that fails does not keep the others from running."""
        try:
            self.prepare()
        except _Failed:
            return self.finish()
        originals = _arrays(self.original)
        before = [array.copy() for array in originals]
        checks = [self.check_data, self.check_probabilities, self.check_softmax]
        checks += [self.check_weights, self.check_activation, self.check_loss]
        checks += [self.check_gradients, self.check_step]
        checks += [self.check_sizes, self.check_units, self.check_predictions, self.check_overfit]
        for check in checks:
            with contextlib.suppress(_Failed), np.errstate(all="ignore"):
                if not self.hangs:
                    check()
        for array, saved in zip(originals, before, strict=True):
            if array.tobytes() != saved.tobytes():  # it hid from the copy
                array[...] = saved
        return self.finish()

    def finish(self) -> Report:
        """Put causes before symptoms."""

        def rank(finding: Finding) -> int:
            late = finding.code in SIDE_ISSUES
            return len(ORDER) if late else ORDER.index(finding.code.split(".")[0])

        return Report("network", tuple(sorted(self.findings, key=rank)), tuple(self.notes))

    # ----------------------------------------------------------------------------------------------
    # Calling a stranger's code
    # ----------------------------------------------------------------------------------------------

    def attempt(self, function: Callable, *arguments: object) -> object:
        """Call on copies, in a thread that may hang; return the result or the exception."""
        if self.hangs:
            raise _Failed
        copies = [x.copy() if isinstance(x, np.ndarray) else x for x in arguments]
        name = getattr(function, "__name__", "a method")
        fed = " and ".join(f"{x.dtype} {x.shape}" for x in arguments if isinstance(x, np.ndarray))
        printed = ""
        try:
            result, printed = run(function, tuple(copies), self.time_limit)
        except TimeoutError:
            self.hangs = True
            message = f"{name} did not come back. Usual cause: a loop whose condition stays true."
            expected = f"an answer within {self.time_limit:g} s"
            self.find("function.slow", message, fed, "nothing", expected)
            raise _Failed from None
        except Exception as error:
            result = error
        if printed:
            message = f"{name} prints. Usual cause: a print from looking for a bug, left behind."
            self.find("function.prints", message, fed, repr(printed[:60]), "no print")
        if not all(map(_identical, arguments, copies)):
            message = f"{name} changed the array that it was given. Usual cause: /= or -= on it."
            self.find("function.mutates", message, fed, "the array, changed", "the array as it was")
        return result

    def call(self, name: str, *arguments: np.ndarray) -> object:
        """Call a method of the copy; if it raises or returns nothing, that is a finding."""
        result = self.attempt(getattr(self.network, name), *arguments)
        fed = " and ".join(f"{x.dtype} {x.shape}" for x in arguments)
        if isinstance(result, BaseException):
            message = f"{name} raised an error. Usual cause: shapes that do not go together."
            raised = f"{type(result).__name__}: {result}"
            self.find("function.raises", message, fed, raised, "a result")
            raise _Failed
        if result is None or result is Ellipsis:
            message = f"{name} returned nothing. Usual cause: the return statement is missing."
            self.find("function.nothing", message, fed, f"{result}", "a result")
            raise _Failed
        return result

    def prepare(self) -> None:
        """Bring images and labels into shape, and copy the network."""
        n = len(self.images) if self.images.ndim else 0
        labels = self.labels
        self.one_hot = labels.ndim == 2 and labels.shape[1] == CLASSES
        digits = labels.argmax(axis=1) if self.one_hot else labels.reshape(-1)
        numbers = self.images.dtype.kind in "biuf" and labels.dtype.kind in "biuf"
        if n == 0 or len(digits) != n or self.images.ndim < 2 or not numbers:
            message = "Images and labels do not go together. Usual cause: a shape mixed up."
            given = f"images {self.images.shape}, labels {labels.shape}"
            self.find("function.shape", message, given, "-", "(n, 784) or (n, 28, 28), and (n,)")
            raise _Failed
        self.images = self.images.reshape(n, -1)
        if self.images.dtype == np.uint8 and isinstance(self.original, mnist_core.Network):
            self.images = mnist_core.scale_pixels(self.images, self.original.dtype)
        elif self.images.dtype.kind != "f":
            self.images = self.images.astype(np.float64)
        self.digits = digits.astype(np.int64)
        if not ((digits >= 0) & (digits < CLASSES) & (digits == self.digits)).all():
            message = "Labels are the digits 0 to 9. Usual cause: the file's header read as labels."
            given = f"labels from {digits.min()} to {digits.max()}"
            self.find("data.labels", message, given, "-", "whole numbers from 0 to 9")
            raise _Failed
        if not callable(getattr(self.original, "predict_proba", None)):
            message = "There is no predict_proba. Usual cause: the class, or weights, passed."
            given = f"a {type(self.original).__name__}"
            self.find("function.nothing", message, given, "-", "predict_proba(x) -> (batch, 10)")
            raise _Failed
        self.network = _duplicate(self.original) or self.original
        self.has = {name for name in METHODS if getattr(self.network, name, None) is not None}
        for name in METHODS:
            if name not in self.has:
                self.notes.append(f"not checked for want of {name}: {_NEEDED_FOR[name]}")
        seconds = np.inf
        for _ in range(3):
            started = time.perf_counter()
            self.attempt(self.network.predict_proba, self.images[:20])
            seconds = min(seconds, time.perf_counter() - started)
        count = int(20 * 0.3 / seconds)  # slow code gets fewer examples
        rows = np.linspace(0, n - 1, min(n, max(50, min(count, 499)))).astype(int)
        self.x, self.y = self.images[rows], self.digits[rows]

    def labels_for(self, digits: np.ndarray) -> np.ndarray:
        """Write labels as the user's are written."""
        if self.one_hot:
            return np.eye(CLASSES, dtype=self.labels.dtype)[digits]
        return digits.astype(self.labels.dtype).reshape(-1, *self.labels.shape[1:])

    # ----------------------------------------------------------------------------------------------
    # Data
    # ----------------------------------------------------------------------------------------------

    def check_data(self) -> None:
        """Check scale, pairing and order of images and labels."""
        size = float(np.sqrt(np.mean(np.square(self.x, dtype=np.float64))))
        given = f"images from {self.x.min():.4g} to {self.x.max():.4g}, root mean square {size:.3g}"
        if not np.isfinite(self.x).all():
            message = "There is NaN or infinity in the images. Usual cause: a division by 0."
            self.find("function.nan", message, given, "-", "finite numbers")
        elif (size > 4 or size < 0.01) and not self.scales_inside(size):
            message = "The inputs are not scaled. Usual cause: "
            message += "no division by 255." if size > 4 else "they were divided by 255 twice."
            self.find("data.not_scaled", message, given, "-", "about 0 to 1, or mean 0 and std 1")
        self.check_pairs()
        n = len(self.digits)
        whole = self.digits[: n // 50 * 50].reshape(-1, 50)
        if n >= 100 and len(np.unique(self.digits)) > 1:
            repeats = float(np.mean(self.digits[1:] == self.digits[:-1]))
            in_a_batch = float(np.mean([len(np.unique(row)) for row in whole]))
            if repeats > 0.5 or in_a_batch < 0.6 * len(np.unique(self.digits)):
                message = "The examples come sorted: each batch sees few digits, and the network "
                message += "forgets the others. Usual cause: no new random order in each epoch."
                result = f"{repeats:.0%} have the digit before them; {in_a_batch:.1f} digits in 50"
                self.find("train.not_shuffled", message, f"{n} labels", result, "10 %, nearly all")

    def scales_inside(self, size: float) -> bool:
        """Tell whether the network seems to scale its inputs itself."""
        result = self.attempt(self.network.predict_proba, self.x)
        if size < 0.01 or not _is_probability(result, len(self.x)):
            return False
        if np.mean(result.argmax(axis=1) == self.y) > 0.85:
            return True
        if self.weights() and "activations" in self.has:
            layers = self.attempt(self.network.activations, self.x)
            return isinstance(layers, list | tuple) and 1e-3 < np.std(layers[0]) < 5
        return float(np.std(result)) > 1e-4 and float(np.mean(result.max(axis=1))) < 0.6

    def check_pairs(self) -> None:
        """Fit the mean image of each digit on one half, test it on the other."""
        some = np.linspace(0, len(self.images) - 1, min(len(self.images), 2000)).astype(int)
        x = np.nan_to_num(self.images[some].astype(np.float64))
        x = np.clip((x - x.mean(axis=0)) / (x.std(axis=0).mean() * 3 + 1e-30), -3, 3)
        y, half = self.digits[some], self.rng.permutation(len(some)) % 2 == 0
        present = np.unique(y[half])
        if len(some) < 200 or len(present) < 5:
            self.notes.append("not checked: whether labels belong to images, with so few of them")
            return
        means = np.stack([x[half][y[half] == digit].mean(axis=0) for digit in present])
        distances = (means**2).sum(axis=1) - 2 * x[~half] @ means.T
        right = float(np.mean(present[distances.argmin(axis=1)] == y[~half]))
        if right < 0.5:
            message = "The labels do not belong to the images. Usual cause: images and labels "
            message += "shuffled apart, with two different random orders."
            result = f"the nearest mean digit is right for {right:.0%}"
            self.find("data.labels_shuffled", message, f"{len(some)} images", result, "70 to 85 %")

    # ----------------------------------------------------------------------------------------------
    # Probabilities
    # ----------------------------------------------------------------------------------------------

    def check_probabilities(self) -> None:
        """Check shape, sign, sums and independence of the rest of the batch."""
        x, m = self.x, len(self.x)
        result = self.attempt(self.network.predict_proba, x)
        wrong = isinstance(result, BaseException) or np.shape(result) == (CLASSES, m)
        if wrong and self.misread_batch():
            raise _Failed
        result = self.call("predict_proba", x)
        if not isinstance(result, np.ndarray):
            message = f"predict_proba returned a {type(result).__name__}, not an array."
            self.find("function.not_array", message, f"x {x.shape}", "-", "np.array(...)")
            result = _as_array(result)
        if result.shape != (m, CLASSES) or result.dtype.kind not in "fiub":
            message = "predict_proba has another shape. Usual cause: classes returned, not "
            message += "probabilities, or a transpose too many."
            returned = f"{result.dtype} {result.shape}"
            self.find("function.shape", message, f"x {x.shape}", returned, f"({m}, 10)")
            raise _Failed
        p = self.probabilities = result.astype(np.float64)
        self.accuracy = float(np.mean(p.argmax(axis=1) == self.y))
        if not np.isfinite(p).all():
            return
        again = _as_array(self.attempt(self.network.predict_proba, x))
        if not _identical(result, again):
            message = "The same images get other probabilities each time. Usual cause: dropout, "
            message += "which belongs to training, is not switched off."
            self.find("network.random", message, "x, twice", "two results", "the same twice")
            return
        sums = p.sum(axis=1)
        shown = f"a row {np.array2string(p[0], precision=3, max_line_width=200)}"
        if p.min() < -1e-6:
            message = "There are negative probabilities. Usual cause: softmax without exp."
            self.find("softmax.no_exp", message, f"x {x.shape}", shown, "exp(z) / sum of exp(z)")
            return
        alone = _as_array(self.attempt(self.network.predict_proba, x[:1])).reshape(-1)
        together = alone.shape == (CLASSES,) and np.allclose(alone, p[0], rtol=1e-3, atol=1e-4)
        if not together:
            code, causes = "softmax.axis", "the sum goes over the batch: axis=0, or Python's sum()"
            if np.isclose(p.sum(), 1, atol=1e-3):
                code, causes = "softmax.global_sum", "np.sum with no axis adds up the whole batch"
            elif np.allclose(sums, 1, atol=1e-3):
                code, causes = "network.batch_dependent", "mean or maximum of the batch are used"
            message = f"A row's probabilities depend on the others in the batch: {causes}."
            returned = f"{shown}, sum {sums[0]:.3g}; the same row alone {alone.round(3)}"
            expected = "the same both times, sum 1"
            self.find(code, message, f"{m} rows, and the first alone", returned, expected)
        elif not np.allclose(sums, 1, atol=1e-3):
            message = "Rows do not sum to 1. Usual cause: exp(z) is not divided by its row's sum."
            returned = f"row sums from {sums.min():.3g} to {sums.max():.3g}"
            self.find("softmax.not_normalised", message, f"x {x.shape}", returned, "1 in each row")

    def misread_batch(self) -> bool:
        """Find out whether it wants columns, or one size of batch only."""
        m = len(self.x)
        if np.shape(self.attempt(self.network.predict_proba, self.x.T)) == (CLASSES, m):
            message = "This network takes examples in columns. Wrap it in a line: types."
            message += "SimpleNamespace(predict_proba=lambda x: net.predict_proba(x.T).T)."
            self.find("layout.columns", message, f"x {self.x.shape}", "columns", f"({m}, 10)")
            return True
        for size in sorted({side for w in self.weights() for side in w.shape} | {CLASSES}):
            result = self.attempt(self.network.predict_proba, np.resize(self.x, (size, 784)))
            if np.shape(result) == (size, CLASSES) and size > 1:
                code, message = "linear.elementwise", "* in place of @ in a layer"
                if size == CLASSES:
                    code, message = "softmax.axis", "a sum over the classes without keepdims=True"
                message = f"It takes batches of {size}, no others. Usual cause: {message}."
                self.find(code, message, f"x {self.x.shape}", "an error", f"({m}, 10)")
                return True
        return False

    def check_softmax(self) -> None:
        """Feed the softmax large logits: by large last weights, or else by large inputs."""
        p = self.probabilities
        if p is None or self.found("softmax", "network.random"):
            return
        twin = self.twin()
        x = self.x[:200] if twin is None else self.rng.random((200, self.x.shape[1]))
        results = {}
        for factor in (1, 30, 1e4):
            if twin is None:
                if factor == 30:
                    continue
                results[factor] = self.attempt(self.network.predict_proba, x * (factor * 100))
            else:
                self.random_point(twin, seed=3)
                for array in self.last_layer(twin):
                    array *= factor
                results[factor] = self.attempt(twin.predict_proba, x)
            results[factor] = _as_array(results[factor]).astype(np.float64)
        if not all(np.shape(result) == (200, CLASSES) for result in results.values()):
            return
        given = "logits of about 10,000" if twin is not None else "inputs a million times as large"
        large = _as_array(results[1e4])
        if not np.allclose(large.sum(axis=1), 1, atol=1e-3):
            bad = int(np.argmax(~np.isclose(large.sum(axis=1), 1, atol=1e-3)))
            run = twin.predict_proba if twin is not None else self.network.predict_proba
            fed = x[bad : bad + 1] * (1 if twin is not None else 1e6)
            alone = _as_array(self.attempt(run, fed))
            code, cause = "softmax.overflow", "exp of a large number is infinite. Subtract each "
            cause += "row's maximum first, which changes nothing else"
            if np.isclose(alone.sum(), 1, atol=1e-3):
                code = "softmax.global_max"
                cause = "one maximum is subtracted for the whole batch; each row needs its own"
            message = f"Softmax fails for large logits: {cause}."
            self.find(code, message, given, f"a row {large[bad].round(3)}", "finite, sum 1")
        if twin is None or not np.isfinite(results[30]).all():
            return
        small, middle = results[1], results[30]
        peak = float(np.median(middle.max(axis=1)))
        if np.allclose(small, middle, atol=1e-3) and np.ptp(small) > 1e-3:
            message = "Logits 30 times as large give the same probabilities. Usual cause: softmax "
            message += "without exp, z / sum(z)."
            self.find("softmax.no_exp", message, "last layer x 30", "no change", "nearly 0 and 1")
        elif peak < 0.6:
            message = "No probability gets large, whatever the logits. Usual cause: softmax used "
            message += "twice, or sigmoid or tanh between the last layer and softmax."
            self.find("softmax.squashed", message, "last layer x 30", f"{peak:.3f}", "nearly 1")
        elif len(self.last_layer(twin)) == 2:
            self.random_point(twin, seed=3)
            self.last_layer(twin)[1][...] -= 5
            shifted = _as_array(self.attempt(twin.predict_proba, x))
            if shifted.shape == small.shape and not np.allclose(shifted, small, atol=1e-3):
                message = "Logits that are all smaller by 5 give other probabilities. Usual cause: "
                message += "an activation such as ReLU between the last layer and softmax."
                change = f"a change of {np.abs(shifted - small).max():.3f}"
                self.find("softmax.squashed", message, "last bias - 5", change, "no change")

    # ----------------------------------------------------------------------------------------------
    # Weights at the start
    # ----------------------------------------------------------------------------------------------

    def weights(self) -> list[np.ndarray]:
        """Return views of the weight matrices as (inputs, outputs), whichever way they are kept."""
        arrays = [w for w in _arrays(self.network) if _is_matrix(w)]
        columns = arrays and arrays[0].shape[1] == self.images.shape[1] != arrays[0].shape[0]
        return [w.T for w in arrays] if columns else arrays

    def check_weights(self) -> None:
        """Check zeros, clones, signs, and the spread of the weights in an untrained network."""
        weights, p = self.weights(), self.probabilities
        untrained = self.accuracy is not None and self.accuracy < 0.35
        if not weights:
            if untrained and p is not None and np.isfinite(p).all() and not self.found("softmax"):
                self.guess_weights(p)
            return
        if not all(np.isfinite(w).all() for w in weights):
            return  # where they started is past telling
        for layer, w in enumerate(weights[:-1], 1):
            given, shown = f"weights of layer {layer}, {w.shape}", f"{w.flat[0]:.4g}, ..."
            units, rows = len(np.unique(w.T, axis=0)), len(np.unique(w, axis=0))
            if not w.any():
                message = "All weights are 0, so no gradient gets past this layer and nothing can "
                message += "be learned. Usual cause: np.zeros for weights; it suits only biases."
                self.find("init.zeros", message, given, "all 0", "random numbers")
            elif units < 0.5 * w.shape[1] + 0.5 or (rows < 0.02 * len(w) + 1 and len(w) > 20):
                message = "Units are copies of each other, and training keeps them so. Usual cause:"
                message += " a constant for all weights, or the same seed for each unit."
                result = f"{min(units, rows)} different: {shown}"
                self.find("init.symmetric", message, given, result, "all units different")
        for layer, w in enumerate(weights, 1):
            share = float(np.mean(w > 0))
            one_sign = max(share, float(np.mean(w < 0))) > (0.95 if w.size < 1000 else 0.85)
            leaning = untrained and w.size >= 1000 and abs(w.mean()) > 0.4 * w.std()
            exploded = not np.abs(w).max() < 100
            if w.size >= 100 and (one_sign or leaning) and not exploded and not self.found("init"):
                message = "All weights have one sign, so all units see nearly the same. Usual "
                message += "cause: rng.random() or np.random.rand(), which are never negative."
                result = f"{share:.0%} positive, mean {w.mean():.3g}"
                self.find("init.positive", message, f"weights of layer {layer}", result, "50 %")
        random = all(_kurtosis(w) < 5 for w in weights if w.size >= 500)
        if untrained and random and not self.found("init"):
            self.check_spread(weights)

    def check_spread(self, weights: list[np.ndarray]) -> None:
        """Compare standard deviations with those that He, Xavier and LeCun recommend."""
        inputs, outputs = np.array([w.shape for w in weights], dtype=float).T
        spread = np.array([w.std() for w in weights])
        he, least = np.sqrt(2 / inputs), np.sqrt(np.minimum(1 / inputs, 2 / (inputs + outputs)))
        ratio = spread / least
        signal = np.prod(ratio[:-1]) * max(ratio[-1], 0.1)
        slack = 0.04 + 2 / np.sqrt(2 * inputs * outputs)

        def all_near(values: np.ndarray, *constants: float) -> bool:
            return any((np.abs(values / c - 1) < slack).all() for c in constants)

        given = f"layers {' -> '.join(f'{n:.0f}' for n in [*inputs, outputs[-1]])}"
        result = f"standard deviations {_row(spread)}"
        p = self.probabilities
        if p is not None and np.isfinite(p).all():
            loss = _cross_entropy(p, self.y)
            result += f"; loss {loss:.3f}, where guessing has ln 10 = 2.303"
        expected = f"about {_row(he)}, sqrt(2 / inputs)"
        several = len(weights) > 1 and np.ptp(np.log(inputs)) > 0.4
        as_std = [spread * inputs, spread * (inputs + outputs)]
        if any(
            all_near(v, 1, 2, 3.46) or (several and all_near(v, v[0]) and 0.2 < v[0] < 5)
            for v in as_std
        ):
            message = "The variance 2 / inputs is used as the standard deviation. Usual cause: the "
            message += "square root is missing."
            self.find("init.variance_as_std", message, given, result, expected)
        elif not all_near(spread * np.sqrt(inputs), 1, 2**0.5) and all_near(
            spread * np.sqrt(outputs), 1, 2**0.5
        ):
            message = "The spread belongs to the outputs' number. Usual cause: shape[0] and "
            message += "shape[1] exchanged."
            self.find("init.fan", message, given, result, expected)
        elif (spread / he).max() > 3 or np.prod(spread / he) > 20:
            message = "The weights are too large: logits are huge before anything is learned. Usual"
            message += " cause: random numbers used as they come, without sqrt(2 / inputs)."
            self.find("init.too_large", message, given, result, expected)
        elif len(weights) > 1 and signal < 0.015:
            message = "The weights are too small: signals and gradients fade from layer to layer. "
            message += "Usual cause: a small factor such as 0.001 in place of sqrt(2 / inputs)."
            self.find("init.too_small", message, given, result, expected)

    def guess_weights(self, p: np.ndarray) -> None:
        """Judge the weights by the probabilities alone."""
        off, loss = float(np.abs(p - 1 / CLASSES).max()), _cross_entropy(p, self.y)
        shown = f"probabilities up to {off:.2g} from 0.1; loss {loss:.3f}, ln 10 = 2.303"
        given, expected = f"x {self.x.shape}", "differences of some hundredths, loss 2.3 to 3"
        if off < 1e-12:
            code, cause = "init.zeros", "zero weights"
            if self.clones_learn():
                code, cause = "init.symmetric", "one constant for all weights"
            message = f"All digits are equally probable for each image. Usual cause: {cause}."
            self.find(code, message, given, shown, expected)
        elif off < 2e-4:
            message = "Nothing tells the images apart. Usual cause: very small weights."
            self.find("init.too_small", message, given, shown, expected)
        elif float(np.ptp(p, axis=0).max()) < 1e-9:
            return  # the same for every image, whatever the weights: a collapse
        elif loss > 4 or (loss > 2.7 and np.median(p.max(axis=1)) > 0.7):
            message = "It is sure, and wrong, before it has learned. Usual cause: large weights."
            self.find("init.too_large", message, given, shown, expected)

    def clones_learn(self) -> bool:
        """Tell constant weights from zero weights where neither can be seen."""
        if "activations" in self.has:
            hidden = self.layers()[:-1]
            return any(a.any() and a.shape[1] > 1 and not np.ptp(a, axis=1).any() for a in hidden)
        network = _duplicate(self.network) if "step" in self.has else None
        if network is None:
            return False
        for _ in range(3):
            self.attempt(network.step, self.x[:64], self.labels_for(self.y[:64]))
        p = _as_array(self.attempt(network.predict_proba, self.x[:64]))
        return bool(p.size and np.ptp(p, axis=0).max() > 1e-12)

    def check_activation(self) -> None:
        """Make all pre-activations of hidden layers positive: a signal must get through."""
        twin = self.twin() if self.probabilities is not None and not self.found("softmax") else None
        if twin is None or len(_arrays(twin)) < 4:
            raise _Failed
        self.random_point(twin, "positive", seed=3)
        x = self.rng.random((50, self.x.shape[1]))
        result = _as_array(self.attempt(twin.predict_proba, x))
        if result.shape == (50, CLASSES) and np.ptp(result, axis=0).max() < 1e-12:
            message = "Positive values are lost in the activation. Usual cause: if z < 0: slope * z"
            message += " without the else that keeps z."
            given, returned = "weights that make all z positive", "the same for all images"
            self.find("leaky_relu.no_else", message, given, returned, "differences")

    # ----------------------------------------------------------------------------------------------
    # Loss and gradients
    # ----------------------------------------------------------------------------------------------

    def twin(self) -> object | None:
        """Copy the network with float64 parameters that it reads in place; None if that fails."""
        if not hasattr(self, "_twin"):
            arrays, self._twin = _arrays(self.network), None
            floats = arrays and all(array.dtype.kind == "f" for array in arrays)
            for dtype in (np.float64, None) if floats else ():
                memo = {id(a): a.astype(dtype or a.dtype) for a in arrays}
                twin = _duplicate(self.network, memo)
                if twin is None or len(_arrays(twin)) != len(arrays):
                    continue
                if dtype and hasattr(twin, "dtype"):
                    twin.dtype = np.dtype(dtype)
                results = []
                for _ in range(2):
                    self.random_point(twin)
                    result = self.attempt(twin.predict_proba, self.x[:5].astype(np.float64))
                    results.append(_as_array(result))
                if results[0].shape == (5, CLASSES) and not np.array_equal(*results):
                    self._twin = twin
                    break
            if arrays and self._twin is None:
                self.notes.append("not checked: gradients; the parameters are not read in place")
        return self._twin

    def random_point(self, twin: object, kind: str = "random", seed: int | None = None) -> None:
        """Give a twin random weights of a good size, so that its own state hides no bug."""
        rng = self.rng if seed is None else np.random.default_rng(seed)
        arrays = _arrays(twin)
        last = max((k for k, a in enumerate(arrays) if _is_matrix(a)), default=0)
        columns = arrays[0].ndim == 2 and arrays[0].shape[1] == self.images.shape[1]
        for k, array in enumerate(arrays):
            final = k == last or (array.size == CLASSES and k == len(arrays) - 1)
            if _is_matrix(array):
                fan = array.shape[1] if columns else array.shape[0]
                array[...] = rng.normal(0, 1.5 / np.sqrt(fan), array.shape)
                if kind == "symmetric" and array.shape[0] == array.shape[1]:
                    array[...] = (array + array.T) / np.sqrt(2)
                if kind == "positive" and not final:
                    array *= 0.05
            else:
                array[...] = rng.normal(0, 0.3, array.shape)
                if kind == "positive" and not final:
                    array += 3

    def last_layer(self, twin: object) -> list[np.ndarray]:
        """Return the last weights, and the last bias if there is one."""
        arrays = _arrays(twin)
        last = [w for w in arrays if _is_matrix(w)][-1:]
        return last + [b for b in arrays if not _is_matrix(b) and b.size == CLASSES][-1:]

    def check_loss(self) -> None:
        """Compare the loss with the cross-entropy of the probabilities."""
        if "loss_and_gradients" not in self.has or self.probabilities is None:
            raise _Failed
        m = min(61, len(self.x))
        x, labels = self.x[:m], self.labels_for(self.y[:m])
        trial = self.attempt(self.network.loss_and_gradients, x, labels)
        if isinstance(trial, Exception) and not self.one_hot:
            one_hot = np.eye(CLASSES)[self.y[:m]]
            trial = self.attempt(self.network.loss_and_gradients, x, one_hot)
            if not isinstance(trial, BaseException):
                self.one_hot, labels = True, one_hot
                self.notes.append("loss_and_gradients got one-hot labels: it fails for integers")
        result = self.call("loss_and_gradients", x, labels)
        pair = isinstance(result, tuple | list) and len(result) == 2
        if not pair or np.size(_as_array(result[0])) != 1:
            message = "loss_and_gradients does not return a loss and a list of gradients."
            given = f"x {x.shape}, {m} labels"
            self.find("function.shape", message, given, type(result).__name__, "(float, list)")
            self.has.discard("loss_and_gradients")
            raise _Failed
        p = self.probabilities[:m]
        loss, expected = float(_as_array(result[0]).item()), _cross_entropy(p, self.y[:m])
        given = f"x {x.shape}, {m} labels"
        if np.isfinite(p).all() and not np.isfinite(loss):
            message = "The loss is not finite, though the probabilities are. Usual cause: the "
            message += "logarithm of a probability that was rounded to 0."
            self.find("cross_entropy.log_zero", message, given, f"{loss}", f"{expected:.4f}")
        self.loss_factor = 1.0
        factors = {m: "not_mean", 0.1: "not_mean", 1 / m: "not_mean", -1: "sign", -m: "sign"}
        factors |= {1 / np.log(2): "base", 1 / np.log(10): "base"}
        for factor, name in factors.items():
            if np.isclose(loss, factor * expected, rtol=1e-4) and not self.found("softmax"):
                self.loss_factor = factor
                message = f"The loss is {factor:.4g} times the mean cross-entropy. Usual cause: "
                message += {"base": "log2 or log10", "sign": "the minus is missing"}.get(
                    name, "np.sum in place of np.mean over the examples, or one 1/m too many"
                )
                returned, wanted = f"{loss:.4f}", f"{expected:.4f}"
                self.find(f"cross_entropy.{name}", message + ".", given, returned, wanted)

    def check_gradients(self) -> None:
        """Compare gradients with central differences, at random weights and inputs."""
        if not {"loss_and_gradients", "parameters"} <= self.has or self.probabilities is None:
            raise _Failed
        arrays = _arrays(self.network)
        m = min(23, len(self.x))
        labels = self.labels_for(np.arange(m) % CLASSES)
        gradients = self.call("loss_and_gradients", self.x[:m], labels)[1]
        if not self.right_shapes(arrays, gradients, m) or self.twin() is None:
            raise _Failed
        compared = self.compare("random")
        if compared is None:
            raise _Failed
        errors, cosines, factors, tolerance = compared
        wrong = errors > tolerance
        if not wrong.any():
            return
        given = f"{m} random inputs, random weights; shapes {[a.shape for a in arrays]}"
        returned = f"relative errors {_row(errors)}; {_row(factors)} times the numeric gradient"
        matrices = np.array([_is_matrix(a) for a in arrays])
        with_bias = f"below {tolerance:.0e} for each array"

        def passes(kind: str) -> bool:
            again = self.compare(kind)
            return again is not None and bool((again[0] <= tolerance).all())

        square = any(a.shape[0] == a.shape[1] for a in arrays if _is_matrix(a))
        if not wrong[matrices].any():
            code, message = "gradients.bias", "Only the biases' gradients are wrong. Usual cause: "
            message += "not the sum of dz over the batch (np.sum without axis, a mean, or 1/m)."
        elif (np.abs(cosines[matrices]) > 0.999).all() and np.abs(factors - 1).max() > 0.05:
            code, message = "gradients.scale", "The gradients point the right way and have another "
            message += f"length, here with {m} examples. Usual cause: 1/m missing or used twice, "
            message += "or a factor 2 from the squared error."
            if (factors[matrices] < 0).any():
                code, message = "gradients.sign", "The gradients point the other way. Usual cause: "
                message += "labels - p in place of p - labels."
        elif square and passes("symmetric"):
            code, message = "gradients.transposed", "The gradients are right if square weights are "
            message += "symmetric, and else wrong. Usual cause: a .T is missing, or one too many."
        elif self.transposed_fits():
            code, message = "gradients.transposed", "The gradient of square weights is transposed. "
            message += "Usual cause: dz.T @ x in place of x.T @ dz."
        elif passes("positive") or not wrong[np.flatnonzero(matrices)[-1]]:
            code = "gradients.missing_activation"
            message = "The gradients before the last layer are wrong. Usual cause: on the way back "
            message += "dz is not multiplied by the activation's derivative at that layer's z."
        else:
            code, message = "gradients.output", "The gradients are wrong from the last layer on. "
            message += "Usual cause: dz of the last layer is not (p - one-hot labels) / m."
        self.find(code, message, given, returned, with_bias)

    def right_shapes(self, arrays: list[np.ndarray], gradients: object, m: int) -> bool:
        """Check that there is a gradient of the right shape for each parameter."""
        expected = [a.shape for a in arrays]
        shapes = [_as_array(g).shape for g in gradients] if np.iterable(gradients) else []
        given, wanted = f"{m} examples", str(expected)
        if len(shapes) != len(expected) or {-1} & set(map(_guess_size, gradients)):
            message = "There is not a gradient for each parameter, in their order."
            self.find("function.shape", message, given, str(shapes), wanted)
            return False
        for shape, right in zip(shapes, expected, strict=True):
            if np.prod(shape, dtype=int) == np.prod(right, dtype=int) and (
                shape == right or 1 in right or len(right) < 2
            ):
                continue
            code, message = "function.shape", "A gradient has not its parameter's shape."
            if len(right) == 2 and min(right) > 1 and shape == right[::-1]:
                code, message = "gradients.transposed", "A gradient is transposed. Usual cause: "
                message += "dz.T @ x in place of x.T @ dz."
            elif len(right) < 2 or 1 in right:
                code, message = "gradients.bias", "A bias' gradient has another shape. Usual cause:"
                message += " dz is not summed over the batch, axis=0 (axis=1 in columns)."
            self.find(code, message, given, str(shapes), wanted)
            return False
        return True

    def compare(self, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, float] | None:
        """Return relative error, cosine and factor for each array, and the tolerance."""
        twin, rng = self.twin(), np.random.default_rng(1)
        arrays = _arrays(twin)
        self.random_point(twin, kind, seed=2)
        m = min(23, len(self.x))
        x, labels = rng.random((m, self.x.shape[1])), self.labels_for(np.arange(m) % CLASSES)

        def loss() -> float:
            result = twin.loss_and_gradients(x.copy(), labels.copy())[0]
            return float(_as_array(result).item()) / self.loss_factor

        def slopes(array: np.ndarray, entries: np.ndarray, step: float) -> np.ndarray:
            numeric = []
            for entry in entries:
                value = array.flat[entry]
                array.flat[entry] = value + step
                above = loss()
                array.flat[entry] = value - step
                numeric.append((above - loss()) / (2 * step))
                array.flat[entry] = value
            return np.array(numeric)

        def numeric_slopes() -> tuple[list[np.ndarray], float]:
            fine, finer = (slopes(arrays[-1], entries[-1][:4], step) for step in (1e-4, 1e-5))
            if np.linalg.norm(fine - finer) <= 1e-3 * np.linalg.norm(fine):
                step, tolerance = 1e-5, 2e-3
            else:  # float32 is too coarse for less
                step, tolerance = 1e-2, 5e-2
            pairs = zip(arrays, entries, strict=True)
            return [slopes(array, chosen, step) for array, chosen in pairs], tolerance

        started = time.perf_counter()
        first, second = self.attempt(loss), self.attempt(loss)
        affordable = self.time_limit / (time.perf_counter() - started) / 4 / len(arrays)
        result = None
        if first == second and affordable > 2:
            count = min(16, int(affordable))
            entries = [rng.choice(a.size, min(a.size, count), replace=False) for a in arrays]
            gradients = self.attempt(lambda: copy.deepcopy(twin.loss_and_gradients(x, labels)[1]))
            result = self.attempt(numeric_slopes)
        if result is None or isinstance(result, BaseException):
            reasons = [repr(result)] if result else ["too slow"] if affordable <= 2 else []
            reason = (reasons or ["the loss is not the same twice (dropout?)"])[0]
            self.notes.append(f"not checked: gradients at random weights; {reason}")
            return None
        gradients = [_as_array(g).astype(np.float64) for g in gradients]
        self.pairs, tolerance = [], result[1]
        for numeric, gradient, chosen in zip(result[0], gradients, entries, strict=True):
            self.pairs.append((numeric, gradient.ravel()[chosen], gradient.T.ravel()[chosen]))
        figures = []
        for numeric, analytic, _ in self.pairs:
            sizes = np.linalg.norm(numeric), np.linalg.norm(analytic)
            error = np.linalg.norm(numeric - analytic) / (sum(sizes) or 1)
            dot = float(numeric @ analytic)
            cosine = dot / (sizes[0] * sizes[1]) if min(sizes) else float(sizes[0] == sizes[1])
            factor = dot / sizes[0] ** 2 if sizes[0] else 1.0
            if max(sizes) < 1e-9:
                error, cosine, factor = 0.0, 1.0, 1.0
            figures.append((error, cosine, factor))
        if not all(np.isfinite(numeric).all() for numeric, _, _ in self.pairs):
            return None
        return *np.nan_to_num(np.array(figures).T, nan=9.0), tolerance

    def transposed_fits(self) -> bool:
        """Tell whether a square matrix' gradient is right once it is transposed."""
        self.compare("random")
        for array, (numeric, analytic, turned) in zip(
            _arrays(self.twin()), self.pairs, strict=True
        ):
            if _is_matrix(array) and array.shape[0] == array.shape[1]:
                size = np.linalg.norm(numeric)
                off, off_turned = (np.linalg.norm(numeric - g) for g in (analytic, turned))
                if off > 0.05 * size and off_turned < 0.02 * size:
                    return True
        return False

    # ----------------------------------------------------------------------------------------------
    # Training
    # ----------------------------------------------------------------------------------------------

    def check_step(self) -> None:
        """Take steps on one batch, which must change something and lower the loss."""
        if "step" not in self.has or self.probabilities is None or self.found("network.random"):
            raise _Failed
        network = _duplicate(self.network)
        if network is None:
            self.notes.append("not checked: step, as the network cannot be copied")
            raise _Failed
        rows = self.rng.choice(len(self.x), min(64, len(self.x)), replace=False)
        x, y = self.x[rows], self.y[rows]
        largest = max([float(np.abs(a).max()) for a in _arrays(network)], default=0.0)
        if not (np.isfinite(self.probabilities).all() and largest < 100):  # try other weights
            self.random_point(network)
            if not np.isfinite(_as_array(self.attempt(network.predict_proba, x))).all():
                raise _Failed
        start = [array.copy() for array in _arrays(network)]

        def loss() -> float:
            p = _as_array(self.attempt(network.predict_proba, x))
            return _cross_entropy(p, y) if p.shape == (len(x), CLASSES) else np.nan

        losses, before = [loss()], self.attempt(network.predict_proba, x)
        for count in range(4):
            result = self.attempt(network.step, x, self.labels_for(y))
            if isinstance(result, BaseException):
                if self.found("gradients", "function"):
                    raise _Failed  # which explains it
                message = "step raised an error. Usual cause: shapes that do not go together."
                raised = f"{type(result).__name__}: {result}"
                given = f"x {x.shape}, {len(y)} labels"
                self.find("function.raises", message, given, raised, "a step of training")
                raise _Failed
            losses.append(loss())
            if count == 0:
                after = [array.copy() for array in _arrays(network)]
        given = f"{len(x)} examples, four steps"
        end = _arrays(network)
        same = [np.array_equal(a, b, equal_nan=True) for a, b in zip(start, end, strict=True)]
        if all(same) and _identical(before, self.attempt(network.predict_proba, x)):
            message = "A step changes nothing. Usual cause: w = w - rate * dw in a loop gives the "
            message += "name w to a new array; w -= rate * dw changes the one that is there."
            self.find("train.no_update", message, given, "the same parameters", "other ones")
            return
        moved = [float(np.abs(a - b).max()) for a, b in zip(start, after, strict=True) if a.size]
        rises = all(b > a for a, b in pairwise(losses))
        if moved and max(moved) > 0 and np.isfinite(losses[0]):
            rises = self.climbs(network, start, after, x, y, rises)
        if rises and not self.found("gradients.sign", "cross_entropy.sign"):
            message = "Each step makes the loss larger. Usual cause: + rate * gradient in place of "
            message += "- rate * gradient."
            self.find("train.ascent", message, given, f"losses {_row(losses)}", "falling losses")
        elif any(same) and not all(same) and "loss_and_gradients" in self.has:
            result = self.attempt(self.network.loss_and_gradients, x, self.labels_for(y))
            sizes = [float(np.abs(_as_array(g)).max()) for g in result[1]]
            stuck = [k for k, s in enumerate(same) if s and sizes[k] > 1e-5]
            if stuck:
                message = "Some parameters never change. Usual cause: the update leaves them out."
                shown = f"parameters {stuck} as before"
                self.find("train.no_update", message, given, shown, "a change in each")

    def climbs(
        self,
        network: object,
        start: list[np.ndarray],
        after: list[np.ndarray],
        x: np.ndarray,
        y: np.ndarray,
        guess: bool,
    ) -> bool:
        """Tell whether the step's direction goes uphill, however long the step is."""
        arrays, losses = _arrays(network), []
        longest = max(float(np.abs(b - a).max()) for a, b in zip(start, after, strict=True))
        for sign in (-1, 1):
            for array, a, b in zip(arrays, start, after, strict=True):
                array[...] = a + (b - a) * (sign * min(1.0, 1e-3 / longest))
            p = _as_array(self.attempt(network.predict_proba, x))
            losses.append(_cross_entropy(p, y) if p.shape == (len(x), CLASSES) else np.nan)
        if not np.isfinite(losses).all() or abs(losses[1] - losses[0]) < 1e-6:
            return guess and losses[0] != losses[1]
        return losses[1] > losses[0]

    def check_overfit(self) -> None:
        """Let Adam learn sixteen examples by heart; any right network can."""
        if not {"loss_and_gradients", "parameters"} <= self.has or self.findings:
            raise _Failed
        twin = self.twin()
        if twin is None:
            raise _Failed
        arrays = _arrays(twin)
        for array, value in zip(arrays, _arrays(self.network), strict=True):
            array[...] = value
        rows = self.rng.choice(len(self.x), min(16, len(self.x)), replace=False)
        x, y = self.x[rows].astype(np.float64), self.y[rows]
        state = [(np.zeros(a.shape), np.zeros(a.shape)) for a in arrays]
        losses = []
        for step in range(1, 151):
            p = _as_array(self.attempt(twin.predict_proba, x))
            losses.append(_cross_entropy(p, y))
            if losses[-1] < 0.5 * losses[0] or losses[-1] < 0.3:
                return
            gradients = self.attempt(twin.loss_and_gradients, x, self.labels_for(y))[1]
            for array, gradient, (mean, square) in zip(arrays, gradients, state, strict=True):
                gradient = _as_array(gradient).reshape(array.shape)
                mean += 0.1 * (gradient - mean)
                square += 0.01 * (gradient**2 - square)
                size = np.sqrt(square / (1 - 0.99**step)) + 1e-12
                array -= 0.005 * mean / (1 - 0.9**step) / size
        message = "It cannot even learn 16 examples by heart. Usual cause: something between the "
        message += "layers that lets too little through, such as a wrong activation."
        given, shown = "16 examples, 150 steps", f"loss {losses[0]:.3f}, then {losses[-1]:.3f}"
        self.find("train.no_overfit", message, given, shown, "a loss near 0")

    # ----------------------------------------------------------------------------------------------
    # Symptoms
    # ----------------------------------------------------------------------------------------------

    def layers(self) -> list[np.ndarray]:
        """Return each layer's activations, or nothing where that does not work."""
        if "activations" not in self.has or self.probabilities is None:
            return []
        result = self.call("activations", self.x)
        layers = [_as_array(a) for a in result] if isinstance(result, tuple | list) else []
        fit = [a.ndim == 2 and len(self.x) in a.shape for a in layers]
        if not layers or not all(fit):
            message = "activations does not return an array (batch, units) for each layer."
            shapes = str([a.shape for a in layers])
            self.find("function.shape", message, f"x {self.x.shape}", shapes, "(batch, units)")
            self.has.discard("activations")
            return []
        return [a if len(a) == len(self.x) else a.T for a in layers]

    def check_units(self) -> None:
        """Count units that are the same for all examples."""
        layers = self.layers()
        shares, given = [], f"{len(self.x)} examples"
        for a in layers[:-1]:
            scale = max(float(np.abs(np.nan_to_num(a)).max()), 1e-300)
            shares.append((float(np.mean(np.ptp(a, axis=0) <= 1e-6 * scale)), a.shape[1]))
        if not layers and {"loss_and_gradients", "parameters"} <= self.has:
            weights = [_is_matrix(a) for a in _arrays(self.network)]
            result = self.attempt(self.network.loss_and_gradients, self.x, self.labels_for(self.y))
            turned = [_as_array(g) for g in result[1]] if isinstance(result, tuple | list) else []
            matrices = [g for g, is_matrix in zip(turned, weights, strict=False) if is_matrix]
            columns = matrices and matrices[0].shape[1] == self.x.shape[1] != matrices[0].shape[0]
            for g in matrices[:-1]:
                still = ~(g.T if columns else g).any(axis=0)
                shares.append((float(still.mean()), len(still)))
        dead = [share > (0.7 if units >= 16 else 0.85) for share, units in shares]
        if any(dead):
            message = "Most units of a layer are dead: the same for every example, so they learn "
            message += "nothing. Usual cause: a learning rate that was too high, or large negative "
            message += "biases, with plain ReLU."
            result = f"dead, layer by layer: {', '.join(f'{share:.0%}' for share, _ in shares)}"
            self.find("network.dead", message, given, result, "few")

    def check_predictions(self) -> None:
        """Check whether all images get one answer, or a digit never is the answer."""
        p = self.probabilities
        if p is None or not np.isfinite(p).all() or len(np.unique(self.y)) < 5:
            raise _Failed
        counts = np.bincount(p.argmax(axis=1), minlength=CLASSES)
        logits = np.log(np.clip(p, 1e-30, None))
        across_images = float(logits.std(axis=0).mean())
        across_classes = float(logits.mean(axis=0).std())
        alike = across_images < 0.02 * across_classes and across_classes > 1e-9
        sure = float(np.median(p.max(axis=1))) > 0.6
        if counts.max() >= 0.98 * len(p) and (alike or sure):
            message = f"Everything is taken for a {counts.argmax()}. Usual cause: training that "
            message += "diverged, dead units, or an output bias that outweighs all else."
            result = f"predictions per digit {counts.tolist()}"
            expected = f"about {np.bincount(self.y, minlength=CLASSES).tolist()}"
            self.find("network.collapsed", message, f"{len(p)} images", result, expected)
        present = np.bincount(self.y, minlength=CLASSES)
        never = np.flatnonzero((counts == 0) & (present >= 20))
        if len(never) and self.accuracy > 0.6:  # a beginner's gaps close by themselves
            digits = " and ".join(map(str, never))
            message = (
                f"It knows its digits, but never answers {digits}. Usual cause: training data "
            )
            message += "without it: range(9), labels cut off, a filter."
            result = f"predictions per digit {counts.tolist()}"
            expected = f"about {present.tolist()}"
            self.find("network.missing_digit", message, f"{len(p)} images", result, expected)

    def check_sizes(self) -> None:
        """Look for NaN, infinity and giant numbers."""
        arrays, layers, p = _arrays(self.network), self.layers(), self.probabilities
        names = [f"parameters[{k}]" for k in range(len(arrays))]
        names += [f"activations[{k}]" for k in range(len(layers))]
        sizes = [float(np.abs(a).max()) if a.size else 0.0 for a in [*arrays, *layers]]
        limits = [100.0 if _is_matrix(a) else 1e4 for a in arrays] + [1e5] * len(layers)
        bad = [
            f"{name} up to {size:.3g}"
            for name, size, limit in zip(names, sizes, limits, strict=True)
            if not size <= limit
        ]
        if bad or (p is not None and not np.isfinite(p).all() and not self.findings):
            message = "The numbers have exploded. Usual cause: a learning rate that is too high, "
            message += "so that each step overshoots further."
            result = ", ".join(bad) or "NaN among the probabilities"
            self.find("network.exploded", message, f"{len(self.x)} images", result, "below 100")
        gradients: list[np.ndarray] = []
        if {"loss_and_gradients", "parameters"} <= self.has:
            result = self.attempt(self.network.loss_and_gradients, self.x, self.labels_for(self.y))
            with contextlib.suppress(TypeError, IndexError, ValueError):
                gradients = [g for g in map(_as_array, result[1]) if _is_matrix(g)]
        for kind, found in (("activations", layers), ("gradients of the weights", gradients)):
            if found:
                spread = ", ".join(f"{float(np.std(a)):.2g}" for a in found)
                self.notes.append(f"standard deviation of the {kind}, layer by layer: {spread}")


_NEEDED_FOR = {
    "predict_proba": "anything",
    "parameters": "weights at the start, gradients, softmax with large logits",
    "loss_and_gradients": "the loss, gradients, learning a batch by heart",
    "activations": "sizes and dead units, layer by layer",
    "step": "whether a step of training lowers the loss",
}


def _duplicate(network: object, memo: dict | None = None) -> object | None:
    """Copy a network deeply, functions with the objects they refer to; None if that fails.

    `memo` may name what takes an array's place in the copy, by the array's id.
    """
    memo = {} if memo is None else memo
    try:
        twin = copy.deepcopy(network, memo)
        for name, value in getattr(network, "__dict__", {}).items():
            if isinstance(value, types.FunctionType):
                setattr(twin, name, _duplicate_function(value, memo, {}))
    except Exception:  # a stranger's object may refuse in any way
        return None
    return twin


def _duplicate_function(
    function: types.FunctionType, memo: dict, done: dict[int, types.FunctionType]
) -> types.FunctionType:
    """Copy a function together with what it closes over and its globals, which deepcopy shares."""
    if id(function) in done:
        return done[id(function)]
    names, scope = function.__code__.co_names, dict(function.__globals__)
    cells = tuple(types.CellType() for _ in function.__closure__ or ())
    twin = types.FunctionType(
        function.__code__, scope, function.__name__, function.__defaults__, cells
    )
    twin.__kwdefaults__ = function.__kwdefaults__
    done[id(function)] = twin

    def duplicate(value: object) -> object:
        if isinstance(value, types.FunctionType):
            ours = value.__globals__ is function.__globals__
            return _duplicate_function(value, memo, done) if ours else value
        if isinstance(value, types.ModuleType | type):
            return value
        return copy.deepcopy(value, memo)

    for name in names:
        if name in scope:
            scope[name] = duplicate(scope[name])
    for cell, twin_cell in zip(function.__closure__ or (), cells, strict=True):
        twin_cell.cell_contents = duplicate(cell.cell_contents)
    return twin


def _arrays(network: object) -> list[np.ndarray]:
    """Return a network's parameters if they are a list of arrays of floats, or an empty list."""
    parameters = getattr(network, "parameters", None)
    if not isinstance(parameters, list | tuple):
        return []
    fit = all(isinstance(a, np.ndarray) and a.dtype.kind == "f" and a.size for a in parameters)
    return list(parameters) if fit else []


def _is_matrix(array: np.ndarray) -> bool:
    return array.ndim == 2 and min(array.shape) > 1


def _as_array(result: object) -> np.ndarray:
    """Make an array of floats of anything, an empty one where that does not work."""
    try:
        array = np.asarray(result)
        return array if array.dtype.kind in "fiub" else np.empty((0, 0))
    except Exception:
        return np.empty((0, 0))


def _guess_size(gradient: object) -> int:
    array = _as_array(gradient)
    return -1 if array.shape == (0, 0) else array.size


def _identical(a: object, b: object) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    return isinstance(a, np.ndarray) == isinstance(b, np.ndarray)


def _is_probability(result: object, rows: int) -> bool:
    fit = isinstance(result, np.ndarray) and result.shape == (rows, CLASSES)
    return fit and bool(np.isfinite(result).all())


def _cross_entropy(probabilities: np.ndarray, digits: np.ndarray) -> float:
    """Compute the mean cross-entropy in nats."""
    right = probabilities[np.arange(len(digits)), digits]
    return float(-np.log(np.clip(right, 1e-300, None)).mean())


def _kurtosis(w: np.ndarray) -> float:
    """Compute the fourth moment: 1.8 for uniform, 3 for normal, more for trained weights."""
    centred = (w - w.mean()).astype(np.float64)
    return float((centred**4).mean() / max((centred**2).mean() ** 2, 1e-300))


def _row(numbers: Sequence[float]) -> str:
    return ", ".join(f"{number:.3g}" for number in numbers)
