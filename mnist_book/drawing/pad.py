"""The drawing pad as a widget: draw in a notebook, and your own network reads it.

    from mnist_book.drawing.pad import DigitPad
    pad = DigitPad(network)
    pad

The scripts in `page/` are the side that one sees, here and in the pages of the book. A page has no
kernel; there a script answers with the book's network.
"""

import math
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from mnist_book.describe import describe
from mnist_book.drawing.recognizer import NONE, Answer, Recognizer
from mnist_book.drawing.strokes import strokes_to_image
from mnist_core import Network

PAGE = Path(__file__).parent / "page"
# Those of a notebook, in this order; a page (_config.yml) has page.js in place of the last one.
SCRIPTS = ("strokes.js", "network.js", "keep.js", "pen.js", "paint.js", "pad.js", "notebook.js")
MAX_STROKES, MAX_POINTS = 40, 4000  # of a drawing; page/pen.js stops there too
MAX_COORDINATE = 1e6
EMPTY = Answer(None, np.zeros(10), "empty")
FAILED = Answer(None, np.zeros(10), "error")


class DigitPad(anywidget.AnyWidget):
    """A pad to draw a digit on, and what a network makes of it.

    Parameters
    ----------
    network : what reads the drawings: a `mnist_core.Network`, or a path to one that `Network.save`
        saved; any function, or object with a method `predict_proba`, that turns float32 (1, 784),
        from 0 to 1, into probabilities (1, 10), or (1, 11) with "not a digit" last; a `Recognizer`;
        or None, the recogniser that comes with the book

    Attributes
    ----------
    strokes : arrays of shape (points, 2): x to the right, y down; by hand, the pad is 280 wide
    image : (28, 28), what the network sees
    prediction : the digit, or None where there is none
    probabilities : (10,), of the digits; all 0 where there is no answer
    reason : why there is no digit: "empty", "shape", "none" or "error"; "" where there is one
    error : the traceback if the network's function, or one of yours that observes, failed; or ""

    Examples
    --------
    >>> pad = DigitPad(network)
    >>> pad.observe(lambda change: print(change.new), names="prediction")
    """

    _esm = "".join((PAGE / name).read_text("utf-8") for name in SCRIPTS)
    _esm += "export default DigitPad.widget;\n"
    _css = (PAGE / "pad.css").read_text("utf-8")

    strokes: traitlets.List = traitlets.List(read_only=True)
    image = traitlets.Instance(np.ndarray, read_only=True)
    prediction = traitlets.Int(None, allow_none=True, read_only=True)
    probabilities = traitlets.Instance(np.ndarray, read_only=True)
    reason = traitlets.Unicode("empty", read_only=True)
    error = traitlets.Unicode("", read_only=True)

    # What travels between browser and kernel. Drawings are numbered, and each answer has the number
    # of its drawing, so that the browser can tell one that comes too late.
    _drawing = traitlets.Any({"number": 0, "strokes": []}).tag(sync=True, echo_update=False)
    _answer = traitlets.Dict({}).tag(sync=True)
    _picture = traitlets.Dict({}).tag(sync=True)
    _source = traitlets.Unicode("").tag(sync=True)

    def __init__(self, network: Network | Recognizer | Callable | str | Path | None = None) -> None:
        self._number = 0  # of the last drawing
        whose = "the book’s" if network is None else "your"
        recognizer = Recognizer.load() if network is None else network
        if isinstance(recognizer, Recognizer):
            self._recognize, picture = recognizer.recognize, recognizer.picture._asdict()
        else:
            self._recognize = reader_of(recognizer)
            picture = dict(strokes_to_image.__kwdefaults__ or {})
        super().__init__(_picture=picture, _source=f"Read by {whose} network, in the kernel.")

    @traitlets.default("image")
    def _no_image(self) -> np.ndarray:
        return np.zeros((28, 28))

    @traitlets.default("probabilities")
    def _no_probabilities(self) -> np.ndarray:
        return np.zeros(10)

    def draw(self, strokes: Sequence[np.ndarray]) -> None:
        """Draw what a hand would draw, in place of what is on the pad.

        Parameters
        ----------
        strokes : arrays of shape (points, 2): x to the right, y **down**, any unit; none clears

        Raises
        ------
        ValueError : these are not strokes, or too many of them
        """
        points = [stroke.tolist() for stroke in checked_strokes(strokes)]
        self._drawing = {"number": self._number + 1, "strokes": points, "fit": True}

    @traitlets.observe("_drawing")
    def _on_drawing(self, change: traitlets.Bunch) -> None:
        """Answer a drawing, whoever drew it. Nothing is raised: in a browser nobody sees that."""
        message = change.new if isinstance(change.new, dict) else {}
        number = message.get("number")
        if type(number) is not int:
            self._answer = {"number": None, "error": "The kernel got what is not a drawing."}
            return
        self._number = number
        try:
            strokes = checked_strokes(message.get("strokes"))
        except ValueError as problem:  # what is on the pad stays as it is
            self._answer = {"number": number, "error": str(problem)}
            return
        self._answer = {"number": number, **self._read(strokes)}

    def _read(self, strokes: list[np.ndarray]) -> dict:
        """Let the network read strokes; tell those who observe, and put it into a message."""
        answer, error = FAILED, ""
        try:
            answer = self._recognize(strokes) if strokes else EMPTY
        except Exception:
            error = traceback.format_exc()
        try:
            self._publish(strokes, answer, error)
        except Exception:  # raised by a function that observes a trait
            error = traceback.format_exc()
            self.set_trait("error", error)
        if error:
            error = f"{error.splitlines()[-1][:500]}\nprint(pad.error) says where."
        return {
            "digit": answer.digit,
            "probabilities": answer.probabilities.tolist(),
            "reason": answer.reason,
            "error": error,
        }

    def _publish(self, strokes: list[np.ndarray], answer: Answer, error: str) -> None:
        """Set all traits before any function that observes one is called."""
        with self.hold_trait_notifications():
            self.set_trait("strokes", strokes)
            self.set_trait("image", strokes_to_image(strokes, **self._picture))
            self.set_trait("probabilities", answer.probabilities)
            self.set_trait("prediction", answer.digit)
            self.set_trait("reason", answer.reason)
            self.set_trait("error", error)

    def _repr_mimebundle_(self, **kwargs: dict) -> tuple[dict, dict]:
        """Add the element on which a page of the book mounts a pad with the book's network."""
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return data | {"text/html": "<div data-digit-pad></div>"}, metadata

    def __repr__(self) -> str:
        return "DigitPad()"


def reader_of(network: Network | Callable | str | Path) -> Callable[..., Answer]:
    """Make a function from strokes to an `Answer` out of a network, or a path to one."""
    if isinstance(network, str | Path):
        network = Network.load(network)
    predict_proba = getattr(network, "predict_proba", network)
    if not callable(predict_proba):
        raise TypeError(
            f"network: found {describe(network)}, expected a Network, a path to one, or a function "
            "that turns pictures (1, 784) into probabilities (1, 10)"
        )

    def recognize(strokes: Sequence[np.ndarray]) -> Answer:
        pixels = strokes_to_image(strokes).reshape(1, 784).astype(np.float32)
        p = checked_probabilities(predict_proba(pixels))
        digits = p[:NONE] / max(p[:NONE].sum(), 1e-9)
        best = int(p.argmax())
        return Answer(None, digits, "none") if best == NONE else Answer(best, digits, "")

    return recognize


def checked_probabilities(result: object) -> np.ndarray:
    """Take what a reader's function returned as float64 (10,) or (11,), or say what is wrong.

    Raises
    ------
    ValueError : these are not the probabilities of one picture
    """
    p = np.asarray(result)
    expected = "the network returned {}, expected probabilities of shape (1, 10) or (1, 11)"
    if p.shape not in {(1, 10), (1, 11), (10,), (11,)} or p.dtype.kind not in "iuf":
        raise ValueError(expected.format(describe(result)))
    p = p.astype(np.float64).ravel()
    # 1e-2: generous to float16, and far from what logits, or a softmax over the wrong axis, give.
    if not np.isfinite(p).all() or p.min() < 0 or abs(p.sum() - 1) > 1e-2:
        found = f"numbers from {p.min():.4g} to {p.max():.4g} whose sum is {p.sum():.4g}"
        raise ValueError(expected.format(found) + ": at least 0, and their sum 1")
    return p


def checked_strokes(strokes: object) -> list[np.ndarray]:
    """Take strokes as float64 arrays (points, 2), those without points left out.

    Raises
    ------
    ValueError : they are not lists of finite points [x, y], or too many
    """
    if not isinstance(strokes, Sequence | np.ndarray) or isinstance(strokes, str | bytes):
        raise ValueError(f"strokes: found {describe(strokes)}, expected a list of strokes")
    if len(strokes) > MAX_STROKES:
        raise ValueError(f"strokes: found {len(strokes):,}, expected at most {MAX_STROKES}")
    arrays = [checked_points(stroke, f"strokes[{i}]") for i, stroke in enumerate(strokes)]
    points = sum(map(len, arrays))
    if points > MAX_POINTS:
        raise ValueError(f"strokes: found {points:,} points, expected at most {MAX_POINTS:,}")
    return [array for array in arrays if len(array)]


def checked_points(stroke: object, name: str) -> np.ndarray:
    """Take one stroke as a float64 array (points, 2)."""
    try:
        points = np.asarray(stroke)
    except ValueError:  # rows of different lengths
        points = np.asarray(math.nan)
    if points.size == 0 and points.ndim in (1, 2):
        return np.empty((0, 2))
    numbers = points.dtype.kind in "iuf" and points.ndim == 2 and points.shape[1] == 2
    if not numbers or not (np.abs(points) <= MAX_COORDINATE).all():
        raise ValueError(
            f"{name}: found {describe(stroke)}, expected rows [x, y] of finite numbers, none "
            f"beyond {MAX_COORDINATE:,.0f}"
        )
    return points.astype(np.float64)
