"""The book's own recogniser: from the strokes of a pen to a digit, or to "not a digit".

    python -m mnist_book.drawing.recognizer

writes the weights in `data/pad.npz` once more for the pages, as `page/pad-weights.js`.
`training.py` trains them.
"""

import base64
import hashlib
import json
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mnist_book.dataset import SHIPPED
from mnist_book.drawing.strokes import strokes_to_image, without_specks
from mnist_core import Network, replacing, softmax

RELEASED = SHIPPED / "pad.npz"
PAGE_WEIGHTS = Path(__file__).parent / "page" / "pad-weights.js"
NONE = 10  # the eleventh class: not a digit
OPENING = 0.06  # of the dividers that measure length, in long sides; page/network.js has it too
LEVEL_0 = 80  # the number of a character; page/network.js has it, too
LARGEST = 31  # of an 8-bit weight; 63 levels are enough, and compress much better than 255


class Gate(NamedTuple):
    """What the strokes of a digit look like, before any network sees them."""

    aspect: float = 1.8  # at most that much wider than high
    length: float = 6.0  # at most that much smoothed ink, in long sides of the box around it
    strokes: int = 3


class Picture(NamedTuple):
    """How strokes become a picture: the parameters of `strokes.strokes_to_image`."""

    pen: float = 2.5
    box: float = 19.0
    centre: float = 14.25
    gap: float = 0.15  # of the long side; 99 of 100 steps of the pens in training are shorter


class Answer(NamedTuple):
    """What a recogniser says of a drawing."""

    digit: int | None  # None: not a digit, or not surely one
    probabilities: np.ndarray  # float64 (10,) of the digits; the sum is 1, or 0 without a stroke
    reason: str  # why there is no digit: "empty", "shape" or "none"; "" where there is one
    kind: str = "none"  # "sure": a digit; "unsure": perhaps the most probable one; "none": no digit


class Recognizer:
    """A network with eleven classes, the ten digits and "none of them", and rules for refusing.

    Parameters
    ----------
    network : sizes (784, ..., 11)
    temperature : the logits are divided by it before softmax, so that probabilities are honest
    threshold : a digit less probable than that is unsure, 0 to 1
    refusal : where "none of them" is more probable than that, it is surely no digit, 0 to 1
    gate : limits on the strokes
    picture : how the strokes are drawn for the network
    """

    def __init__(
        self,
        network: Network,
        temperature: float = 1.0,
        threshold: float = 0.5,
        refusal: float = 0.5,
        gate: Gate | None = None,
        picture: Picture | None = None,
    ) -> None:
        self.network = network
        self.temperature = float(temperature)
        self.threshold, self.refusal = float(threshold), float(refusal)
        self.gate, self.picture = gate or Gate(), picture or Picture()
        if (network.sizes[0], network.sizes[-1]) != (784, 11):
            raise ValueError(f"network: found sizes {network.sizes}, expected (784, ..., 11)")
        shares = 0 <= self.threshold <= 1 and 0 <= self.refusal <= 1
        if not (0 < self.temperature < np.inf and shares):
            raise ValueError(
                f"found temperature {temperature}, threshold {threshold} and refusal {refusal}, "
                "expected a temperature above 0, and the others from 0 to 1"
            )
        if not (min(self.gate) > 0 and np.isfinite(self.gate).all()):
            raise ValueError(f"gate: found {self.gate}, expected finite limits above 0")
        strokes_to_image([], **self.picture._asdict())  # complains if they do not go together

    def recognize(self, strokes: Sequence[np.ndarray]) -> Answer:
        """Read a drawing.

        Parameters
        ----------
        strokes : arrays of shape (points, 2): x to the right, y **down**, any unit
        """
        strokes = [np.asarray(stroke, dtype=np.float64) for stroke in strokes if len(stroke)]
        if not strokes:
            return Answer(None, np.zeros(10), "empty")
        image = strokes_to_image(strokes, **self.picture._asdict())
        p = self.probabilities(image.reshape(1, 784))[0]
        digits = p[:NONE] / p[:NONE].sum()
        if not passes_gate(without_specks(strokes), self.gate):
            return Answer(None, digits, "shape")
        if p[NONE] > self.refusal:
            return Answer(None, digits, "none")
        best = int(digits.argmax())
        if p[best] < self.threshold:
            return Answer(None, digits, "none", "unsure")
        return Answer(best, digits, "", "sure")

    def probabilities(self, pixels: np.ndarray) -> np.ndarray:
        """Compute the probabilities (n, 11), "none" last, of pictures (n, 784), 0 to 1."""
        logits = self.network.forward(pixels.astype(self.network.dtype, copy=False))
        return softmax(logits.astype(np.float64) / self.temperature)

    def save(self, path: str | Path) -> None:
        """Save as `.npz`, whole or not at all; `mnist_core.Network.load` reads it too."""
        settings = (
            self.temperature, self.threshold, self.refusal, *self.gate, *self.picture
        )  # fmt: skip
        with replacing(path) as file:
            np.savez_compressed(
                file,
                sizes=np.array(self.network.sizes),
                slope=np.array(self.network.slope),
                vector=self.network.vector,
                settings=np.array(settings, np.float64),
            )

    @classmethod
    def load(cls, path: str | Path = RELEASED) -> "Recognizer":
        """Load what `save` wrote; without a path, the recogniser that comes with the book.

        Raises
        ------
        ValueError : these are not the whole, finite weights and settings of a recogniser
        OSError : the file cannot be read
        """
        network = Network.load(path)
        try:
            settings = _read_settings(path)
            temperature, threshold, refusal, aspect, length, strokes, *picture = settings
            gate = Gate(aspect, length, int(strokes))
            return cls(network, temperature, threshold, refusal, gate, Picture(*picture))
        except OSError:
            raise
        except Exception as error:  # zipfile, zlib and NumPy raise ten kinds at damaged files
            raise ValueError(
                f"{path}: found {error}, expected what Recognizer.save writes; get the file "
                "again, or train it anew"
            ) from error

    def export(self, path: str | Path = PAGE_WEIGHTS) -> None:
        """Write the script from which a page takes the weights, a character each.

        The character with the number LEVEL_0 is the weight 0. So written, they compress by a
        quarter more than in base64. `sha256` is of the levels' bytes followed by the biases' bytes.
        """
        quantized = [quantize(weights) for weights in self.network.weights]
        levels = np.concatenate([levels.ravel() for levels, _ in quantized])
        biases = b"".join(bias.astype("<f4").tobytes() for bias in self.network.biases)
        content = {
            "sizes": self.network.sizes,
            "slope": self.network.slope,
            "scales": [scale for _, scale in quantized],
            "biases": base64.b64encode(biases).decode(),
            "weights": (levels.astype(np.uint8) + np.uint8(LEVEL_0)).tobytes().decode("ascii"),
            "temperature": self.temperature,
            "threshold": self.threshold,
            "refusal": self.refusal,
            "gate": self.gate._asdict(),
            "image": self.picture._asdict(),
            "sha256": hashlib.sha256(levels.tobytes() + biases).hexdigest(),
        }
        script = f"globalThis.DIGIT_PAD_WEIGHTS = {json.dumps(content, separators=(',', ':'))};\n"
        with replacing(path) as file:
            file.write(script.encode())


def _read_settings(path: str | Path) -> list[float]:
    """Read the ten settings, and nothing before it is known that there are ten."""
    with zipfile.ZipFile(path) as archive, archive.open("settings.npy") as file:
        np.lib.format.read_magic(file)
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        if shape != (10,) or dtype != np.float64:
            raise ValueError(f"settings of {dtype}, shape {shape}")
        return np.frombuffer(file.read(10 * 8)).tolist()


def passes_gate(strokes: Sequence[np.ndarray], gate: Gate) -> bool:
    """Tell whether strokes can be a digit: not too wide, not too much ink, not too many strokes.

    A lone dot, which has no extent, does not pass.
    """
    points = np.concatenate([np.asarray(stroke, dtype=np.float64) for stroke in strokes])
    width, height = np.ptp(points, axis=0)
    side = max(width, height)
    if side == 0 or width > gate.aspect * height or len(strokes) > gate.strokes:
        return False
    length = sum(smoothed_length(stroke, OPENING * side) for stroke in strokes)
    return bool(length <= gate.length * side)


def smoothed_length(stroke: np.ndarray, opening: float) -> float:
    """Measure the length of a stroke (points, 2) as with dividers that are opened so far.

    Only points at least `opening` from the last one that counted are counted, and the end. So a
    hand that trembles by less than that hardly makes a line longer.
    """
    last, *points = np.asarray(stroke).tolist()
    length = 0.0
    for point in points:
        if math.dist(last, point) >= opening:
            length += math.dist(last, point)
            last = point
    return length + math.dist(last, points[-1] if points else last)


def quantize(weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Round weights to 63 levels: whole numbers int8 from -31 to 31, and the scale they stand for.

    weights is about levels * scale. Weights that were rounded so before come out unchanged.
    """
    scale = float(np.abs(weights).max()) / LARGEST or 1.0  # 1 where all weights are 0
    return np.rint(weights / scale).astype(np.int8), scale


def round_weights(network: Network) -> None:
    """Round the weights of a network, in place, so that pages and notebooks have the same ones."""
    for weights in network.weights:
        levels, scale = quantize(weights)
        weights[...] = levels * np.float32(scale)


if __name__ == "__main__":
    Recognizer.load().export()
