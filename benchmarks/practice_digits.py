"""Measure how well a network that has seen only the practice digits reads real MNIST.

    python benchmarks/practice_digits.py

trains 784-128-10 on the 6,000 practice digits, over five seeds, and tests it on MNIST's 10,000 test
images. The generator was tuned on MNIST's training images; its test images are used here alone.
"""

import numpy as np
from common.arguments import parser
from common.judging import mean_and_deviation

from mnist_book.dataset import load_mnist, load_practice_digits
from mnist_core import Network, accuracy, accuracy_per_digit, predict_images, train


def main() -> None:
    """Print the accuracy on MNIST's test images, for each seed and in the mean."""
    parser(__doc__).parse_args()
    practice, mnist = load_practice_digits(), load_mnist()
    scores, per_digit = [], []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        network = Network((784, 128, 10), rng=rng)
        train(network, practice.train_images, practice.train_labels, rng=rng, epochs=10)
        predictions = predict_images(network, mnist.test_images)
        scores.append(accuracy(predictions, mnist.test_labels))
        per_digit.append(accuracy_per_digit(predictions, mnist.test_labels))
        print(f"seed {seed}: {scores[-1]:.2%}")
    mean, deviation = mean_and_deviation(scores)
    print(f"mean {mean:.2%}, standard deviation {deviation:.2%}")
    for digit, right in enumerate(np.mean(per_digit, axis=0)):
        print(f"  {digit}: {right:.1%}")


if __name__ == "__main__":
    main()
