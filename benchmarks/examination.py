"""Measure how much processor time `examine` takes for right networks of several sizes.

    python benchmarks/examination.py

prints the median and the range of nine runs, in float32 on practice digits.
"""

import time

import numpy as np
from common.arguments import parser

from mnist_book import examine
from mnist_book.dataset import load_practice_digits
from mnist_core import Network, scale_pixels

SIZES = [(784, 128, 10), (784, 128, 64, 10), (784, 512, 10)]


def spent(network: Network, x: np.ndarray, labels: np.ndarray) -> float:
    """Measure the seconds of the processor that one examination takes."""
    start = time.process_time()
    report = examine(network, x, labels)
    seconds = time.process_time() - start
    if not report.ok:
        raise ValueError(f"found a report that is not right, expected one: {report}")
    return seconds


def main() -> None:
    """Print the times for networks of several sizes."""
    program = parser(__doc__)
    program.add_argument("--runs", type=int, default=9, help="[9]")
    runs = program.parse_args().runs
    digits = load_practice_digits()
    x = scale_pixels(digits.train_images)
    for sizes in SIZES:
        network = Network(sizes, rng=np.random.default_rng(0))
        seconds = [spent(network, x, digits.train_labels) for _ in range(runs + 1)]
        del seconds[0]  # the first imports and allocates
        low, middle, high = np.percentile(seconds, [0, 50, 100])
        print(
            f"{'-'.join(map(str, sizes)):16} {middle:.2f} s ({low:.2f} to {high:.2f})", flush=True
        )


if __name__ == "__main__":
    main()
