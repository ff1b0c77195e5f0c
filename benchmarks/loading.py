"""What reading 60,000 images costs, beside reading the bare bytes and inflating them.

    python benchmarks/loading.py

Times are taken in turn, A B A B ..., and compared pair by pair: machines are noisy.
"""

import gzip
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from common.arguments import parser
from common.timing import in_turn, ratios

from mnist_book.dataset import load_mnist
from mnist_core import read_idx, write_idx


def ratio(ours: Callable[[], object], floor: Callable[[], object], pairs: int) -> str:
    """Time two calls in turn; describe the ratio of their times over the pairs."""
    seconds = in_turn({"floor": floor, "ours": ours}, pairs)
    low, middle, high = ratios(seconds["ours"], seconds["floor"])
    milliseconds = 1e3 * np.median(seconds["ours"])
    return f"{milliseconds:6.1f} ms, ratio {middle:.2f} ({low:.2f}-{high:.2f})"


def main() -> None:
    """Print the two ratios."""
    parser(__doc__).parse_args()
    images = load_mnist().train_images
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "train-images-idx3-ubyte"
        compressed = raw.with_suffix(".gz")
        write_idx(raw, images)
        compressed.write_bytes(gzip.compress(raw.read_bytes(), 9))
        deflated = compressed.read_bytes()
        read = ratio(lambda: read_idx(raw), raw.read_bytes, pairs=40)
        print(f"raw:  read_idx {read} of reading the bytes")
        inflate = ratio(
            lambda: read_idx(compressed), lambda: zlib.decompress(deflated, 31), pairs=10
        )
        print(f".gz:  read_idx {inflate} of zlib's inflating")


if __name__ == "__main__":
    main()
