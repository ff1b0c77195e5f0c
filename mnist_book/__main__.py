"""The command line: `python -m mnist_book train | download | info`."""

import argparse
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mnist_book.dataset import load_digits, load_directory, load_mnist, load_practice_digits
from mnist_core import Network, accuracy, accuracy_per_digit, predict_images, train


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `python -m mnist_book`; return 0, or 1 after an error, or 130 after Ctrl-C."""
    shown = argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser("python -m mnist_book", description="Digits from scratch.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser(
        "train", formatter_class=shown, help="train, test and save a network"
    )
    command.set_defaults(run=_train_command)
    option = command.add_argument
    option("--hidden", type=int, action="append", help="units of a hidden layer, repeatable [128]")
    option("--learning-rate", type=float, default=0.05, help="how far a step goes")
    option("--batch-size", type=int, default=64, help="images in a step")
    option("--epochs", type=int, default=5, help="times that every image is seen")
    option("--momentum", type=float, default=0.9, help="how much of the last step is kept")
    option("--slope", type=float, default=0.01, help="of leaky ReLU; 0 is plain ReLU")
    option("--seed", type=int, default=0, help="of the weights and of the images' order")
    option(
        "--data",
        default="auto",
        help="mnist, practice, auto (mnist, or else practice) or a directory",
    )
    option("--output", type=Path, default=Path("weights.npz"), help="where the weights go")
    command = commands.add_parser("download", help="download MNIST, or check what is there")
    command.set_defaults(run=_download_command)
    command.add_argument("--directory", help="where to [$MNIST_DIR, or data/]")
    command = commands.add_parser(
        "info", help="show versions, BLAS, threads, and where the data are"
    )
    command.set_defaults(run=_info_command)
    options = parser.parse_args(arguments)
    try:
        return options.run(options)
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    except (OSError, ValueError, ImportError, MemoryError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _train_command(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    if options.output.is_dir() or not options.output.parent.is_dir():  # not after the training
        raise OSError(
            f"--output: found {options.output}, expected a file in a directory that exists"
        )
    loaders = {"auto": load_digits, "mnist": load_mnist, "practice": load_practice_digits}
    load = loaders.get(options.data, lambda: load_directory(options.data))
    digits = load()
    rng = np.random.default_rng(options.seed)
    network = Network([784, *(options.hidden or [128]), 10], rng=rng, slope=options.slope)
    print(
        f"{digits}. Network {'-'.join(map(str, network.sizes))}: {len(network.vector):,} weights."
    )
    training = {
        name: getattr(options, name)
        for name in ("epochs", "batch_size", "learning_rate", "momentum")
    }
    batches = options.epochs * math.ceil(len(digits.train_labels) / max(options.batch_size, 1))
    status = 0
    with tqdm(total=batches, unit=" batches", disable=None) as bar:
        training["on_epoch"] = lambda epoch: bar.write(
            f"epoch {epoch.number}: loss {epoch.loss:.4f}"
        )
        training["on_batch"] = lambda loss: bar.update()
        try:
            train(network, digits.train_images, digits.train_labels, rng=rng, **training)
        except KeyboardInterrupt:
            status = 130
    if status:
        print("Interrupted: this is what the network can do so far.")
    predictions = predict_images(network, digits.test_images)
    for digit, right in enumerate(accuracy_per_digit(predictions, digits.test_labels)):
        print(f"  {digit}: {right:6.2%}")
    print(
        f"all: {accuracy(predictions, digits.test_labels):6.2%} of {len(predictions):,} test images"
    )
    network.save(options.output)
    print(f"Weights saved in {options.output}")
    return status


def _download_command(options: argparse.Namespace) -> int:
    print(f"{load_mnist(options.directory)}: complete, every SHA-256 as it should be.")
    return 0


def _info_command(_: argparse.Namespace) -> int:
    from threadpoolctl import threadpool_info

    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    print(f"Python {sys.version.split()[0]}, NumPy {np.__version__}, {os.cpu_count()} processors")
    print(f"BLAS: {blas['name']} {blas['version']}")
    for pool in threadpool_info():
        print(f"  {pool['internal_api']} {pool['version']}, {pool['num_threads']} threads")
    try:
        print(load_mnist(download=False))
    except (OSError, ValueError) as error:
        print(error)
    print(load_practice_digits())
    return 0


if __name__ == "__main__":
    sys.exit(main())
