"""The digits that come with the laboratory: a few thousand, in a script that a page can load.

The file is made with the book and never committed. A Sphinx extension (`setup`) writes it into the
built site: of MNIST if it is at hand, of the practice digits if not. It also takes the comments out
of the site's copies of the laboratory's scripts, a tenth of what a reader would have to load.
"""

import base64
import json
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from mnist_book.dataset import Digits, load_mnist, load_practice_digits

TRAIN, TEST = 4000, 600
NAME = "lab-digits.js"
PAGE = Path(__file__).parent / "page"
COMMENT = re.compile(
    r"^ *(?://.*|/\*\*(?:.|\n)*?\*/)\n", re.MULTILINE
)  # one that has its own lines


def digits_at_hand() -> Digits:
    """Return MNIST if it is on this machine, else the practice digits. Nothing is downloaded."""
    try:
        return load_mnist(download=False)
    except (OSError, ValueError):
        return load_practice_digits()


def pack(digits: Digits, train: int = TRAIN, test: int = TEST) -> dict[str, Any]:
    """Pack the first digits for training and some for testing, pixels rounded to 16 grey levels.

    Those for testing are taken at equal distances: the halves of MNIST's test pictures were written
    by other people, and one half is much easier to read than the other.

    Returns
    -------
    source : a sentence on what they are
    train : how many of them are for training; they come first
    labels : a string of digits
    pixels : base64 of deflated bytes, two pixels in each, the left one in the upper four bits
    """
    some = slice(0, None, max(1, len(digits.test_labels) // test))
    test_images, test_labels = digits.test_images[some][:test], digits.test_labels[some][:test]
    images = np.concatenate([digits.train_images[:train], test_images])
    labels = np.concatenate([digits.train_labels[:train], test_labels])
    levels = np.rint(images.reshape(len(images), -1) / 17).astype(np.uint8)
    pairs = levels[:, 0::2] << 4 | levels[:, 1::2]
    train = min(train, len(digits.train_labels))
    return {
        "source": f"{digits.source}: {train:,} for training, {len(labels) - train:,} for testing",
        "train": train,
        "labels": "".join(map(str, labels)),
        "pixels": base64.b64encode(zlib.compress(pairs.tobytes(), 9)).decode("ascii"),
    }


def script(digits: Digits) -> str:
    """Return the script that gives a page its digits."""
    return f"globalThis.MNIST_LAB_DIGITS = {json.dumps(pack(digits))};\n"


def without_comments(source: str) -> str:
    """Return a script of the laboratory without the comments that stand on lines of their own."""
    return COMMENT.sub("", source)


def _finish(app: Any, error: Exception | None) -> None:  # noqa: ANN401
    if error is None and app.builder.format == "html":
        static = Path(app.outdir) / "_static"
        static.mkdir(exist_ok=True)
        (static / NAME).write_text(script(digits_at_hand()), "ascii")
        for path in PAGE.glob("*.js"):
            (static / path.name).write_text(without_comments(path.read_text("utf-8")), "utf-8")


def setup(app: Any) -> dict[str, bool]:  # noqa: ANN401
    """Let Sphinx finish the site that it has built: write the digits, shorten the scripts."""
    app.connect("build-finished", _finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
