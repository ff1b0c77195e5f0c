"""How much processor time `examine` takes: python benchmarks/examination.py [runs]."""

import statistics
import sys
import time

import numpy as np

import mnist_core
from mnist_book import dataset, examine

SIZES = [(784, 128, 10), (784, 128, 64, 10), (784, 512, 10)]


def main() -> None:
    """Print the median and the range for networks of several sizes, fresh and float32."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    digits = dataset.load_practice_digits()
    x = mnist_core.scale_pixels(digits.train_images)
    for sizes in SIZES:
        network = mnist_core.Network(sizes, rng=np.random.default_rng(0))
        spent = []
        for _ in range(runs + 1):
            start = time.process_time()
            report = examine(network, x, digits.train_labels)
            spent.append(time.process_time() - start)
            assert report.ok, report
        spent = spent[1:]  # the first imports and allocates
        name = "-".join(map(str, sizes))
        print(f"{name:16} {statistics.median(spent):.2f} s  ({min(spent):.2f} to {max(spent):.2f})")


if __name__ == "__main__":
    main()
