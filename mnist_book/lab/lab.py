"""The laboratory as a widget: a network that trains in a notebook, with the book's bugs to put in.

    from mnist_book.lab.lab import Laboratory
    Laboratory(network)

It trains in the browser, by the scripts in `page/`, from the reader's own first weights if they are
given. The kernel only hands them over, and the digits.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import anywidget
import numpy as np
import traitlets

from mnist_book.dataset import Digits
from mnist_book.describe import describe
from mnist_book.lab.digits import digits_at_hand, pack
from mnist_book.lab.switches import SWITCHES
from mnist_core import Network

PAGE = Path(__file__).parent / "page"
# In this order; a page (lab-start.js) loads all of them but the last.
SCRIPTS = (
    "lab.js",
    "random.js",
    "arithmetic.js",
    "instruments.js",
    "run.js",
    "session.js",
    "switches.js",
    "cases.js",
    "lab-words.js",
    "lab-charts.js",
    "lab-pictures.js",
    "lab-panels.js",
    "lab-controls.js",
    "lab-view.js",
    "lab-game.js",
    "lab-notebook.js",
)
PIXELS, CLASSES, MOST_UNITS = 784, 10, 256


class Laboratory(anywidget.AnyWidget):
    """A network 784-h-10 or 784-h-h-10 in training beside a right one, switches and instruments.

    Parameters
    ----------
    start : first weights of both networks: a `mnist_core.Network`, or its arrays, weights
        (inputs, outputs) and bias (outputs,) of each layer in turn; or None, He's weights
    bugs : codes of switches that are on, such as "softmax.axis"; `mnist_book.lab.switches` has all
    hidden : units of the hidden layers, if `start` does not say
    seed : of the order of the pictures, and of the weights
    batch, rate, momentum : of the training
    digits : what it trains on, the first few thousand of them; MNIST if it is at hand
    form : "full" with all settings, or "small"

    Raises
    ------
    ValueError : there is no such switch, or these are not such a network's parameters

    Examples
    --------
    >>> Laboratory([w1, b1, w2, b2], bugs=["gradients.transposed"], batch=50)
    """

    _esm = "".join((PAGE / name).read_text("utf-8") for name in SCRIPTS)
    _esm += "export default MnistLab.widget;\n"
    _css = (PAGE / "lab.css").read_text("utf-8")

    _settings = traitlets.Dict({}).tag(sync=True)
    _digits = traitlets.Dict({}).tag(sync=True)
    _form = traitlets.Unicode("full").tag(sync=True)

    def __init__(
        self,
        start: Network | Sequence[np.ndarray] | None = None,
        *,
        bugs: Iterable[str] = (),
        hidden: Sequence[int] = (32,),
        seed: int = 1,
        batch: int = 32,
        rate: float = 0.1,
        momentum: float = 0.0,
        digits: Digits | None = None,
        form: Literal["full", "small"] = "full",
    ) -> None:
        settings: dict[str, Any] = {"hidden": list(hidden), "bugs": checked_bugs(bugs)}
        settings |= {"seed": seed, "batch": batch, "rate": rate, "momentum": momentum}
        if start is not None:
            settings |= settings_of(start)
        packed = pack(digits_at_hand() if digits is None else digits)
        super().__init__(_settings=settings, _digits=packed, _form=form)


def checked_bugs(bugs: Iterable[str]) -> list[str]:
    """Return the bugs as a list, or say which one there is no switch for."""
    known, found = {switch.id for switch in SWITCHES}, list(bugs)
    for bug in found:
        if bug not in known:
            raise ValueError(f"bugs: found {bug!r}, expected some of {', '.join(sorted(known))}")
    return found


def settings_of(start: Network | Sequence[np.ndarray]) -> dict[str, Any]:
    """Turn a network, or its parameters, into the settings that start from it."""
    slope = {"slope": start.slope} if isinstance(start, Network) else {}
    parameters = start.parameters if isinstance(start, Network) else start
    weights, biases = checked_parameters(parameters)
    return {
        **slope,
        "hidden": [len(bias) for bias in biases[:-1]],
        "initial": {
            "weights": [array.ravel().tolist() for array in weights],
            "biases": [array.tolist() for array in biases],
        },
    }


def checked_parameters(
    parameters: Sequence[np.ndarray],
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Split parameters into weights and biases, in float64; or say what is wrong with them."""
    found = [describe(parameter) for parameter in parameters]
    wrong = ValueError(
        f"start: found {', '.join(found) or 'no arrays'}; expected weights (784, h), bias (h,), "
        f"weights (h, 10), bias (10,), finite numbers, with h of at most {MOST_UNITS}; or those of "
        "one more hidden layer between them"
    )
    arrays = [np.asarray(parameter) for parameter in parameters]
    if len(arrays) not in (4, 6) or any(array.dtype.kind not in "iuf" for array in arrays):
        raise wrong
    weights = [array.astype(np.float64) for array in arrays[0::2]]
    biases = [array.astype(np.float64) for array in arrays[1::2]]
    sizes = [PIXELS, *(bias.size for bias in biases)]
    shapes = [(inputs, outputs) for inputs, outputs in pairwise(sizes)]
    if [array.shape for array in weights] != shapes or any(bias.ndim != 1 for bias in biases):
        raise wrong
    if sizes[-1] != CLASSES or max(sizes[1:]) > MOST_UNITS or min(sizes) < 1:
        raise wrong
    if not all(np.isfinite(array).all() for array in [*weights, *biases]):
        raise wrong
    return weights, biases
