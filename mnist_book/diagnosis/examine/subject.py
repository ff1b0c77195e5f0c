"""A stranger's network as one object that can be called safely, copied, and moved elsewhere.

It knows what the network is like and judges nothing. Each fact is measured when it is first asked
for; a fact that cannot be had is None, or an empty list.
"""

import contextlib
import random
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from typing import TypeVar

import numpy as np

from mnist_book.diagnosis.examine.calling import Calls, Refused
from mnist_book.diagnosis.examine.copying import GENERATORS, duplicate, with_number
from mnist_book.diagnosis.examine.examples import Examples
from mnist_book.diagnosis.examine.plain import (
    MOST_ELEMENTS,
    Parameters,
    Raised,
    member,
    parameters_of,
    plain,
)
from mnist_book.diagnosis.examine.results import (
    as_array,
    by_units,
    described,
    flattened,
    is_matrix,
    is_weights,
    loss_in,
    number_in,
)
from mnist_book.diagnosis.running import Theirs

METHODS = ("predict_proba", "parameters", "loss_and_gradients", "activations", "step", "loss")
TRAINING = ("loss_and_gradients", "step", "loss")  # methods that may draw random numbers
SAMPLE, SMALL_SAMPLE = 499, 50  # pictures that most probes use
Fact = TypeVar("Fact")
FAINT = 0.02  # of the usual size, of last weights that a step turns far
AFFORDABLE = 2.0  # seconds of processor time for predicting a sample; ordinary networks need 0.01


def _duplicated(original: Theirs, dtype: type | None) -> tuple:
    """Copy a network; return what it shares, its random generators and its members, too."""
    generators: list[object] = []
    twin, shared = duplicate(original, dtype, generators)
    if dtype and twin is not original:
        with contextlib.suppress(Exception):  # setting it may be theirs
            if hasattr(twin, "dtype"):
                twin.dtype = np.dtype(dtype)
    ordinary = [each for each in generators if type(each) in GENERATORS]
    return twin, shared, ordinary, *_members(twin)


def _members(network: Theirs) -> tuple[set[str], Parameters]:
    """Return which methods there are, and the parameters."""
    has = {name for name in METHODS if member(network, name) is not None}
    return has, parameters_of(network)


def _asked(
    network: Theirs, before: Parameters, name: str, *arguments: object
) -> tuple[object, Parameters]:
    """Call a method; return its result and the parameters as they are now."""
    try:
        result = plain(getattr(network, name)(*arguments))
    except BaseException as error:  # sys.exit() too
        result = Raised(error)
    return result, parameters_of(network, before)


def _failure(name: str, result: object, x: Theirs) -> str:
    """Say how a result is none that a probe can use; "" if it is."""
    if isinstance(result, Raised):
        return f"raised {result}"
    if name == "predict_proba" and as_array(result).shape[:1] != (len(x),):
        return "returned another shape"
    if name == "loss_and_gradients" and loss_in(result) is None:
        return "returned no loss"
    if name == "loss" and number_in(result) is None:
        return "returned no number"
    return ""


def _state_of(generator: Theirs) -> Theirs:
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    return generator.getstate() if isinstance(generator, random.Random) else generator.get_state()


def _set_state_of(generator: Theirs, state: Theirs, luck: int) -> None:
    """Give a generator a state, and let some numbers go by."""
    if isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    elif isinstance(generator, random.Random):
        generator.setstate(state)
    else:
        generator.set_state(state)
    for _ in range(luck):
        generator.random()


class Subject:
    """A copy of a network, with the pictures and labels to examine it with.

    Parameters
    ----------
    original : the network, which stays as it is
    examples : what it is examined with
    calls : makes the calls
    dtype : narrower floats of the copy become this type

    Attributes
    ----------
    network : the copy
    shared : what the copy shares with the original because it cannot be copied
    has : which of the methods there are
    """

    def __init__(
        self, original: Theirs, examples: Examples, calls: Calls, dtype: type | None = None
    ) -> None:
        self.original, self.examples, self.calls = original, examples, calls
        self.network, self.shared, generators = original, ["all of it"], []
        self.has, self.parameters = set(), Parameters()
        with contextlib.suppress(Refused):
            copied = calls.attempt("copying", partial(_duplicated, original, dtype))
            if isinstance(copied, Raised):  # something went wrong that nobody thought of
                copied = calls.attempt("reading", partial(_members, original))
                copied = (original, self.shared, [], *copied)
            self.network, self.shared, generators, self.has, self.parameters = copied
        self.facts: dict[Callable, Theirs] = {}
        self.loss_of_one_hot = False
        self.luck = 0  # another one makes calls draw other random numbers
        self.calmed: dict[str, tuple[float, float]] = {}  # factors of `random_point`, by its kind
        self.generators = [(each, _state_of(each)) for each in generators]
        self.start = [array.copy() for array in self.arrays()]

    def copy(self, dtype: type | None = None, number: tuple[int, float] | None = None) -> "Subject":
        """Return another copy of the original, for which the same pictures will do.

        One of its `numbers_in` may be multiplied by a factor.
        """
        original = self.original
        if number is not None:
            original = self.calls.attempt("copying", partial(with_number, original, *number))
        twin = Subject(original, self.examples, self.calls, dtype)
        for fact in ("rows", "x", "y", "classes", "takes_one_hot", "of_original"):
            vars(twin)[fact] = getattr(self, fact)
        twin.calmed = self.calmed
        if "losses" in vars(self):
            vars(twin)["losses"], twin.loss_of_one_hot = self.losses, self.loss_of_one_hot
        return twin

    def provides(self, name: str) -> bool:
        """Tell whether there is such a method, or such a fact."""
        if name in METHODS:
            return name in self.has
        fact = getattr(self, name)
        return isinstance(fact, np.ndarray) or bool(fact)

    def once(self, measure: Callable[["Subject"], Fact]) -> Fact:
        """Return what a function measures here; it is called the first time only."""
        if measure not in self.facts:
            self.facts[measure] = measure(self)
        return self.facts[measure]

    # Calls

    def attempt(self, name: str, *arguments: object) -> Theirs:
        """Call a method on copies of its arguments; return a plain result, or `Raised`."""
        if name in TRAINING:
            self.rewind()
        function = partial(_asked, self.network, self.parameters, name)
        answer = self.calls.attempt(name, function, *arguments)
        result, self.parameters = (
            (answer, self.parameters) if isinstance(answer, Raised) else answer
        )
        if failure := _failure(name, result, arguments[0]):
            self.calls.failed.setdefault(name, f"for {described(*arguments)} it {failure}")
        return result

    def call(self, name: str, *arguments: object) -> Theirs:
        """Call a method on copies of its arguments; an error is recorded and ends the probe."""
        return self.calls.accept(name, self.attempt(name, *arguments), *arguments)

    def rewind(self) -> None:
        """Let the next call draw the same random numbers as the one before, for dropout.

        That is for training; in predicting other numbers each time are a bug, and must show.
        """
        np.random.seed(self.luck)  # noqa: NPY002
        random.seed(self.luck)
        for generator, state in self.generators:
            _set_state_of(generator, state, self.luck)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return what predict_proba gives as an array of floats, (0, 0) if it is none."""
        result = as_array(self.attempt("predict_proba", x))
        return result.astype(np.float64)

    def gradients(self, x: np.ndarray, digits: np.ndarray) -> tuple[float, list[np.ndarray]]:
        """Return the loss and its gradients, in the order of the parameters.

        Raises
        ------
        Refused : the method raised an error, or returned something else
        """
        result = self.call("loss_and_gradients", x, self.labels_for(digits))
        loss = loss_in(result)
        if loss is None:
            raise Refused
        gradients = map(as_array, self.in_order(result[1]))
        return loss, [gradient.copy() for gradient in gradients]  # it may write to them again

    @cached_property
    def losses(self) -> str:
        """The method that gives its loss, with the gradients or alone; "" if there is none.

        What is called `loss` may be anything: it must take pictures and labels, and depend on the
        parameters.
        """
        if "loss_and_gradients" in self.has or "loss" not in self.has or self.twin is None:
            return "loss_and_gradients" if "loss_and_gradients" in self.has else ""
        for one_hot in (False, True):
            self.loss_of_one_hot = self.twin.loss_of_one_hot = one_hot
            vars(self.twin)["losses"], found = "loss", []
            for seed in (2, 5):
                self.twin.random_point(seed)
                found.append(self.twin.attempt_loss(self.x[:23], self.y[:23]))
            self.calls.failed.pop("loss", None)
            if None not in found and found[0] != found[1]:
                return "loss"
        vars(self.twin)["losses"] = ""
        return ""

    def attempt_loss(self, x: np.ndarray, digits: np.ndarray) -> float | None:
        """Return the loss; None where the method fails, or there is none."""
        if not self.losses:
            return None
        if self.losses == "loss_and_gradients":
            return loss_in(self.attempt("loss_and_gradients", x, self.labels_for(digits)))
        labels = np.eye(self.classes)[digits] if self.loss_of_one_hot else self.labels_for(digits)
        return number_in(self.attempt("loss", x, labels))

    def quick_loss(self, x: np.ndarray, digits: np.ndarray) -> float | None:
        """Return the loss that stands beside gradients; called where there is a limit already."""
        return loss_in(self.network.loss_and_gradients(x.copy(), self.labels_for(digits)))

    def loss(self, x: np.ndarray, digits: np.ndarray) -> float:
        """Return the loss.

        Raises
        ------
        Refused : the method raised an error, or returned something else
        """
        loss = self.attempt_loss(x, digits)
        if loss is None:
            raise Refused
        return loss

    def in_order(self, gradients: Theirs) -> list[Theirs]:
        """Return gradients, nested or by name like the parameters, in the order of `arrays`."""
        names = self.parameters.names
        if isinstance(gradients, dict) and names:
            for prefix in ("", "d", "d_", "grad_"):
                if all(f"{prefix}{name}" in gradients for name in names):
                    gradients = [gradients[f"{prefix}{name}"] for name in names]
                    break
        return flattened(gradients)

    # Pictures and labels

    @property
    def images(self) -> np.ndarray:
        """All pictures, (n, inputs) floats."""
        return self.examples.images

    @property
    def digits(self) -> np.ndarray:
        """All labels, as integers."""
        return self.examples.digits

    @cached_property
    def rows(self) -> np.ndarray:
        """Which pictures are the sample: fewer for a network that has to work very long."""
        n, work = len(self.images), np.inf
        for _ in range(3):
            self.attempt("predict_proba", self.images[:20])
            work = min(work, self.calls.work)
        affordable = int(20 * AFFORDABLE / max(work, 1e-9))
        return np.linspace(0, n - 1, min(n, max(SMALL_SAMPLE, min(affordable, SAMPLE)))).astype(int)

    @cached_property
    def x(self) -> np.ndarray:
        """The sample's pictures, (m, inputs)."""
        return self.images[self.rows]

    @cached_property
    def y(self) -> np.ndarray:
        """The sample's digits, (m,)."""
        return self.digits[self.rows]

    @cached_property
    def classes(self) -> int:
        """How many classes it tells apart; 10 if that does not show."""
        few = self.images[:20]
        shape = as_array(self.attempt("predict_proba", few)).shape
        return shape[1] if len(shape) == 2 and shape[0] == len(few) and shape[1] > 1 else 10

    def labels_for(self, digits: np.ndarray) -> np.ndarray:
        """Write digits as labels that its methods take: like those given, or else one-hot."""
        if self.takes_one_hot:
            return np.eye(self.classes)[digits]
        return self.examples.written(digits, self.classes)

    @cached_property
    def takes_one_hot(self) -> bool:
        """Tell whether its loss fails for the labels as given, integers, and not for one-hot."""
        if self.examples.one_hot or "loss_and_gradients" not in self.has:
            return False
        x, digits = self.x[:23], self.y[:23]
        given = self.attempt("loss_and_gradients", x, self.examples.written(digits, self.classes))
        if not isinstance(given, Exception):
            return False
        one_hot = self.attempt("loss_and_gradients", x, np.eye(self.classes)[digits])
        if isinstance(one_hot, Exception):
            return False
        self.calls.failed.pop("loss_and_gradients")  # so it was not to blame
        return True

    # What it is like

    def arrays(self) -> list[np.ndarray]:
        """Return its parameters, which it reads in place; an empty list if they are none."""
        return self.parameters.arrays

    @cached_property
    def of_original(self) -> list[np.ndarray]:
        """The original's parameters, which stay as they are."""
        with contextlib.suppress(Refused):
            found = self.calls.attempt("reading", partial(parameters_of, self.original))
            if isinstance(found, Parameters):
                return [np.asarray(a) for a in found.theirs if a.size <= MOST_ELEMENTS]
        return []

    @property
    def apart(self) -> bool:
        """Whether its parameters are its own, so that they may be moved."""
        theirs = self.of_original
        return not any(np.may_share_memory(a, b) for a in self.arrays() for b in theirs)

    @property
    def whole(self) -> bool:
        """Whether the copy shares nothing with the original."""
        return not self.shared

    @cached_property
    def probabilities(self) -> np.ndarray | None:
        """What it predicts for the sample, (m, classes); None if that has another shape."""
        p = self.predict(self.x)
        return p if p.shape == (len(self.x), self.classes) else None

    @cached_property
    def finite(self) -> bool:
        """Whether there are probabilities, and no NaN among them."""
        return self.probabilities is not None and bool(np.isfinite(self.probabilities).all())

    @cached_property
    def accuracy(self) -> float:
        """Its share of right answers on the sample; 0 without probabilities."""
        p = self.probabilities
        return 0.0 if p is None else float(np.mean(p.argmax(axis=1) == self.y))

    @cached_property
    def columns(self) -> bool:
        """Whether its weights are (outputs, inputs)."""
        first = next((array for array in self.arrays() if array.ndim == 2), None)
        inputs = self.images.shape[1]
        if first is None or first.shape[0] == inputs:
            return False
        if first.shape[0] == inputs + 1:  # a row more for the bias
            return False
        return first.shape[1] in (inputs, inputs + 1)

    @cached_property
    def weights(self) -> list[np.ndarray]:
        """Its weight matrices as (inputs, outputs), whichever way they are kept: views."""
        return [w.T if self.columns else w for w in self.arrays() if is_matrix(w)]

    @cached_property
    def layers(self) -> list[np.ndarray]:
        """Each layer's activations for the sample, `by_units`; an empty list if that fails."""
        if "activations" not in self.has:
            return []
        result = self.attempt("activations", self.x)
        layers = [as_array(a) for a in result] if isinstance(result, tuple | list) else []
        units = [by_units(a, len(self.x)) for a in layers]
        return [] if any(a is None for a in units) else units

    # Other points

    def inputs(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Draw inputs: at random, so that none of them is 0 in all, or else from the pictures."""
        if self.bears_noise:
            return self.reach * rng.random((count, self.x.shape[1]))
        return self.x[rng.choice(len(self.x), count, replace=count > len(self.x))].astype(float)

    @cached_property
    def bears_noise(self) -> bool:
        """Whether inputs drawn at random are ordinary for it; not so if pictures alone are.

        A network that divides by each pixel's deviation makes giants of pixels that hardly vary.
        """
        if self.twin is None:
            return True
        before = [array.copy() for array in self.twin.arrays()]
        self.twin.random_point(2)
        noise = self.reach * np.random.default_rng(1).random((23, self.x.shape[1]))
        ruled_out = [float(np.mean(self.twin.predict(x) < 1e-12)) for x in (noise, self.x[:23])]
        self.twin.move(before)
        return ruled_out[0] < 0.3 or ruled_out[1] > 0.1

    @cached_property
    def reach(self) -> float:
        """How far inputs drawn at random go: as far as bytes, for a network that scales them."""
        size = float(np.sqrt(np.mean(np.square(self.x, dtype=np.float64))))
        return float(np.abs(self.x).max()) if size > 4 and self.scales_inside(size) else 1.0

    def scales_inside(self, size: float) -> bool:
        """Tell whether inputs of this size are of a good size for it, which it makes them itself.

        What weights multiply shows exactly, `gain`. Else weights of a good size must neither make
        it sure of everything nor make its answers the same for inputs half as large.
        """
        if self.twin is None or not self.twin.weights:
            return False
        if self.gain is not None:
            return 0.01 < abs(self.gain) * size < 5
        some = self.x[:23].astype(np.float64)
        self.twin.random_point(2)
        p, half = self.twin.predict(some), self.twin.predict(some / 2)
        if p.shape != (len(some), self.classes) or half.shape != p.shape:
            return False
        unsure = float(np.mean(p.max(axis=1))) < 0.9
        return unsure and bool(np.abs(p - half).max() > 0.02 * np.ptp(p, axis=0).max() > 0)

    @cached_property
    def gain(self) -> float | None:
        """By how much it multiplies inputs before the first weights; None if that does not show.

        A change of a unit's bias and one of its weights that is a multiple of the picture move its
        sum alike, but for that factor.
        """
        twin = self.twin
        first = twin.weights[0] if twin is not None and twin.weights else np.empty((0, 0))
        biases = [b for b in twin.arrays() if not is_weights(b)] if twin is not None else []
        bias = next((b for b in biases if b.size == first.shape[1]), None)
        if bias is None or len(first) != self.x.shape[1] or first.dtype != np.float64:
            return None
        twin.random_point(2, "small")
        x = self.x[[int(np.abs(self.x).sum(axis=1).argmax())]].astype(np.float64)
        length, found = float((x**2).sum()), []
        for unit in range(min(first.shape[1], 6)):
            moved = [
                self._moved(twin, x, first[:, unit], 1e-6 * x[0] / length),
                self._moved(twin, x, bias.reshape(-1)[unit : unit + 1], np.array([1e-6])),
            ]
            size = float(moved[1].ravel() @ moved[1].ravel())
            if moved[0].shape == moved[1].shape and size > 1e-24:
                found.append(float(moved[0].ravel() @ moved[1].ravel()) / size)
        return float(np.median(found)) if len(found) > 1 and np.ptp(found) < 0.01 else None

    def taken_for(self, x: np.ndarray, pixel: int) -> float:
        """Return what the first weights multiply for a pixel of a picture; needs a `gain`."""
        twin, first = self.twin, self.twin.weights[0]
        biases = [b for b in twin.arrays() if not is_weights(b)]
        bias = next(b for b in biases if b.size == first.shape[1]).reshape(-1)
        twin.random_point(2, "small")
        found = []
        for unit in range(min(len(bias), 6)):
            weight = first[pixel : pixel + 1, unit]
            a = self._moved(twin, x, weight, np.array([1e-6]))
            b = self._moved(twin, x, bias[unit : unit + 1], np.array([1e-6]))
            if (size := float(b.ravel() @ b.ravel())) > 1e-24:
                found.append(float(a.ravel() @ b.ravel()) / size)
        return float(np.median(found)) if found else 0.0

    def _moved(
        self, twin: "Subject", x: np.ndarray, part: np.ndarray, change: np.ndarray
    ) -> np.ndarray:
        """Return by how much outputs change with a part of the parameters, a view."""
        outputs = []
        for sign in (1, -2):
            part += sign * change
            outputs.append(twin.predict(x))
        part += change
        return outputs[0] - outputs[1]

    @cached_property
    def twin(self) -> "Subject | None":
        """A copy that reads its parameters in place, in float64 if that works; None if none does.

        Whoever uses it moves it first: `random_point` or `home`.
        """
        for dtype in (np.float64, None) if self.arrays() else ():
            twin = self.copy(dtype)
            if twin.apart and len(twin.no_part) < len(twin.arrays()):
                return twin
        return None

    @cached_property
    def unread(self) -> list[int]:
        """Which parameters, set to anything else, change nothing: it does not read them."""
        return [k for k in self.no_part if not self._in_loss(k)]

    @cached_property
    def no_part(self) -> list[int]:
        """Which parameters change no probability: of those the loss may read some."""
        rng, arrays = np.random.default_rng(1), self.arrays()
        x, unread = self.x[:5].astype(np.float64), list(range(len(arrays)))
        for kind in ("random", "random", "positive", "random"):  # where some units are dead
            self.random_point(len(unread), kind)
            before = self.predict(x)
            if before.shape != (len(x), self.classes):
                return unread
            for k in list(unread):
                kept = arrays[k].copy()
                arrays[k][...] = rng.normal(0, 1, arrays[k].shape)
                if not np.array_equal(before, self.predict(x)):
                    unread.remove(k)
                arrays[k][...] = kept
            if not unread:
                break
        return unread

    def _in_loss(self, k: int) -> bool:
        """Tell whether a parameter changes the loss, whatever the labels, as a decoder's does."""
        if "loss_and_gradients" not in self.has:
            return False
        changes = []
        for shift in (0, 1):
            self.random_point(0)
            y, losses = (np.arange(5) + shift) % self.classes, []
            for change in (0, 0.5):
                self.arrays()[k][...] += change
                losses.append(self.attempt_loss(self.x[:5], y))
            if None in losses:
                return False
            changes.append(losses[1] - losses[0])
        return changes[0] != 0 and bool(np.isclose(changes[0], changes[1], rtol=1e-4))

    def random_point(self, seed: int, kind: str = "random", lift: float = 3) -> None:
        """Give it random parameters of a good size, so that its own state hides no bug.

        Parameters
        ----------
        kind : "random"; "positive", so that all pre-activations of hidden layers are;
            "small", so that they are nearly 0; "symmetric", which square weights are then; or
            "faint", with small weights in the last layer
        lift : the size of the biases that make pre-activations positive
        """
        rng, arrays = np.random.default_rng(seed), self.arrays()
        last = max((k for k, a in enumerate(arrays) if is_weights(a)), default=0)
        biases = [k for k, a in enumerate(arrays) if not is_weights(a) and k < len(arrays) - 1]
        calm, calm_last = self.calmed.get("positive" if kind == "positive" else "random", (1, 1))
        for k, array in enumerate(arrays):
            final = k == last or (array.size == self.classes and k == len(arrays) - 1)
            positive = kind == "positive" and not final
            if is_weights(array):
                array[...] = rng.normal(0, 1.5 / np.sqrt(self._inputs(array)), array.shape)
                if kind == "symmetric" and array.ndim == 2 and array.shape[0] == array.shape[1]:
                    array[...] = (array + array.T) / np.sqrt(2)
                array *= 0.05 if positive else 1
                if positive and not biases:
                    array[...] = np.abs(array)
            else:
                array[...] = rng.normal(lift if positive else 0, 0.1 * min(lift, 3), array.shape)
            array *= 1e-3 if kind == "small" and not final else 1
            if is_weights(array):
                array *= calm_last if k == last else calm
                array *= FAINT if kind == "faint" and k == last else 1

    def home(self) -> None:
        """Give it the parameters that it came with."""
        self.move(self.start)

    def move(self, values: Iterable[np.ndarray]) -> None:
        """Give it these parameters."""
        for array, value in zip(self.arrays(), values, strict=True):
            array[...] = value

    def last_layer(self) -> list[np.ndarray]:
        """Return the last weights and the last bias, if there are any that it reads."""
        arrays = self.arrays()
        last = [k for k, w in enumerate(arrays) if is_matrix(w)][-1:]
        last += [k for k, b in enumerate(arrays) if not is_matrix(b) and b.size == self.classes][
            -1:
        ]
        return [arrays[k] for k in last if k not in self.no_part]

    def _inputs(self, weights: np.ndarray) -> float:
        """Return how many numbers a unit of these weights sums up."""
        if weights.ndim == 2:
            return weights.shape[1] if self.columns else weights.shape[0]
        return weights.size / max(
            weights.shape[0], weights.shape[-1]
        )  # a kernel: outputs at an end
