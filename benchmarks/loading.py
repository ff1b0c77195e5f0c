"""What reading 60,000 images costs, beside reading the bare bytes and inflating them.

    python benchmarks/loading.py

Times are taken in turn, A B A B ..., and compared pair by pair: machines are noisy.
"""

import gzip
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

from mnist_book.dataset import load_mnist
from mnist_core import read_idx, write_idx


def ratio(ours: Callable[[], object], floor: Callable[[], object], pairs: int) -> str:
    """Time two calls in turn; describe the ratio of their times over the pairs."""
    ratios, times = [], []
    for _ in range(pairs):
        start = time.perf_counter()
        floor()
        middle = time.perf_counter()
        ours()
        end = time.perf_counter()
        times.append(end - middle)
        ratios.append((end - middle) / (middle - start))
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"{1e3 * statistics.median(times):6.1f} ms, ratio {middle:.2f} ({low:.2f}-{high:.2f})"


def main() -> None:
    """Print the two ratios."""
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
