"""The command line: `python -m mnist_book`.

train | download | info, and for a file of one's own start | check | examine | pad | grade.
"""

import argparse
import contextlib
import math
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import mnist_core
from mnist_book import dataset
from mnist_book.writing import commands as writing
from mnist_core import Network, accuracy, accuracy_per_digit, predict_images


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0, or 1 after an error, or 130 after Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    except (OSError, ValueError, ImportError, MemoryError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
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
        "--threads",
        type=int,
        default=1,
        help="of the matrix products; more than there are idle cores make it far slower",
    )
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
    _add_writing(commands)
    return parser


def _add_writing(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands for a file of one's own."""
    command = commands.add_parser("start", help="write a file with a blank for each piece")
    command.set_defaults(run=lambda o: writing.start_file(o.file, o.columns))
    command.add_argument("file", type=Path, help="its name, such as my_network.py")
    command.add_argument("--columns", action="store_true", help="pictures are columns, not rows")
    command = commands.add_parser("check", help="name the bug in your file, piece by piece")
    command.set_defaults(run=_check_command)
    command.add_argument("file", type=Path)
    option = command.add_argument
    option("--all", action="store_true", help="go on after the first piece that is not right")
    option("--watch", action="store_true", help="check again at each save")
    option("--json", action="store_true", help="for editors and CI; trains nothing")
    option("--no-training", action="store_true", help="train nothing when all is right")
    option("--data", default="auto", help="as for train")
    command = commands.add_parser("examine", help="look for bugs in a whole network")
    command.set_defaults(run=_examine_command)
    command.add_argument("network", help="file.py, file.py:object or module:object")
    command.add_argument("--data", default="auto", help="as for train")
    command.add_argument("--json", action="store_true", help="for editors and CI")
    command = commands.add_parser("pad", help="draw, and your network answers")
    command.set_defaults(run=_pad_command)
    command.add_argument("file", type=Path)
    command.add_argument("--data", default="auto", help="what it learns from, as for train")
    command.add_argument("--port", type=int, default=0, help="of the page [any that is free]")
    command.add_argument("--no-browser", action="store_true", help="open no browser")
    command = commands.add_parser("grade", help="check the files of a class")
    command.set_defaults(run=_grade_command)
    command.add_argument("folder", type=Path, help="with a .py file for each student")
    option = command.add_argument
    option("--csv", nargs="?", const="-", metavar="FILE", help="a row each [on the screen]")
    option("--page", type=Path, metavar="FILE", help="which bugs did my class have? in HTML")
    option("--jobs", type=int, help="files at the same time [as many as there are processors]")


# --------------------------------------------------------------------------------------------------
# Train
# --------------------------------------------------------------------------------------------------


class Diverged(Exception):
    """Training has come to an end, as the loss is no number any more."""


def _train_command(options: argparse.Namespace) -> int:
    _check_output(options.output)
    if options.threads < 1:
        raise ValueError(f"--threads: found {options.threads}, expected 1 or more")
    digits = _load(options.data)
    rng = np.random.default_rng(options.seed)
    network = Network([784, *(options.hidden or [128]), 10], rng=rng, slope=options.slope)
    sizes = "-".join(map(str, network.sizes))
    print(f"{digits}. Network {sizes}: {len(network.vector):,} weights.")
    status = 0
    try:
        _train(network, digits, rng, options)
    except KeyboardInterrupt:
        status = 130
        print("Interrupted: this is what the network can do so far.")
    except Diverged as end:
        status = 1
        print(f"error: {end}", file=sys.stderr)
        if not network.vector.any():  # it happened in the first epoch
            return status
        print("This is what the network could do after the epoch before.")
    _print_accuracies(network, digits)
    print(f"Weights saved in {_save(network, options.output)}")
    return status


def _load(name: str) -> dataset.Digits:
    loaders = {
        "auto": dataset.load_digits,
        "mnist": dataset.load_mnist,
        "practice": dataset.load_practice_digits,
    }
    return loaders[name]() if name in loaders else dataset.load_directory(name)


def _train(
    network: Network,
    digits: dataset.Digits,
    rng: np.random.Generator,
    options: argparse.Namespace,
) -> None:
    """Train with a progress bar; `Diverged` leaves the weights of the last whole epoch, or 0."""
    from threadpoolctl import threadpool_limits
    from tqdm import tqdm

    batches = math.ceil(len(digits.train_labels) / max(options.batch_size, 1))
    finished = np.zeros_like(network.vector)
    with tqdm(total=options.epochs * batches, unit=" batches", disable=None) as bar:

        def on_batch(loss: float) -> None:
            bar.update()
            if not math.isfinite(loss):
                network.vector[...] = finished
                raise Diverged(
                    f"the loss was {loss:g} in batch {bar.n} of {bar.total}, so training ended; "
                    f"try a --learning-rate below {options.learning_rate:g}"
                )

        def on_epoch(epoch: mnist_core.Epoch) -> None:
            if np.isfinite(network.vector).all():  # the last step may have been one too many
                finished[...] = network.vector
            bar.write(f"epoch {epoch.number}: loss {epoch.loss:.4f}")

        with threadpool_limits(options.threads, user_api="blas"):
            mnist_core.train(
                network,
                digits.train_images,
                digits.train_labels,
                rng=rng,
                epochs=options.epochs,
                batch_size=options.batch_size,
                learning_rate=options.learning_rate,
                momentum=options.momentum,
                on_epoch=on_epoch,
                on_batch=on_batch,
            )
        if not np.isfinite(network.vector).all():
            network.vector[...] = finished
            raise Diverged("the last step has made the weights infinite or NaN; try shorter steps")


def _check_output(path: Path) -> None:
    """Refuse, before the training and not after it, a place where nothing can be written."""
    if path.is_dir() or not path.parent.is_dir():
        raise OSError(f"--output: found {path}, expected a file in a directory that exists")
    try:
        if path.exists() and not path.is_file():  # a device
            path.open("wb").close()
        else:
            tempfile.TemporaryFile(dir=path.resolve().parent).close()
    except OSError as error:
        raise OSError(
            f"--output: found that {path} cannot be written ({error}), expected a place for files"
        ) from error


def _save(network: Network, path: Path) -> Path:
    """Save the weights, elsewhere if that place has gone meanwhile; return where they are."""
    try:
        network.save(path)
    except OSError as error:
        place = Path(tempfile.mkdtemp(prefix="weights-")) / (path.name or "weights.npz")
        print(f"error: {path}: not saved there: {error}", file=sys.stderr)
        network.save(place)
        return place
    return path


def _print_accuracies(network: Network, digits: dataset.Digits) -> None:
    predictions = predict_images(network, digits.test_images)
    for digit, right in enumerate(accuracy_per_digit(predictions, digits.test_labels)):
        print(f"  {digit}: {right:6.2%}")
    right = accuracy(predictions, digits.test_labels)
    print(f"all: {right:6.2%} of {len(predictions):,} test images")


# --------------------------------------------------------------------------------------------------
# Download, info
# --------------------------------------------------------------------------------------------------


def _download_command(options: argparse.Namespace) -> int:
    digits = dataset.load_mnist(options.directory)
    print(f"{digits}: complete, every SHA-256 as it should be.")
    return 0


def _info_command(_: argparse.Namespace) -> int:
    from threadpoolctl import threadpool_info

    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    print(f"Python {sys.version.split()[0]}, NumPy {np.__version__}, {os.cpu_count()} processors")
    print(f"BLAS: {blas['name']} {blas['version']}")
    for pool in threadpool_info():
        print(f"  {pool['internal_api']} {pool['version']}, {pool['num_threads']} threads")
    try:
        print(dataset.load_mnist(download=False))
    except (OSError, ValueError) as error:
        print(error)
    print(dataset.load_practice_digits())
    return 0


# --------------------------------------------------------------------------------------------------
# A file of one's own
# --------------------------------------------------------------------------------------------------


def _check_command(options: argparse.Namespace) -> int:
    def digits() -> str:
        return _at_hand(options.data)

    training = not options.no_training
    if options.watch:
        if options.json:
            raise ValueError("--watch: found --json with it, expected one of the two")
        return writing.watch_file(
            options.file, everything=options.all, training=training, digits=digits
        )
    return writing.check_file(
        options.file,
        everything=options.all,
        as_json=options.json,
        training=training,
        digits=digits,
    )


def _examine_command(options: argparse.Namespace) -> int:
    return writing.examine_network(
        options.network, digits=_at_hand(options.data), as_json=options.json
    )


def _pad_command(options: argparse.Namespace) -> int:
    return writing.serve_pad(
        options.file,
        digits=_at_hand(options.data),
        port=options.port,
        browse=not options.no_browser,
    )


def _grade_command(options: argparse.Namespace) -> int:
    return writing.grade_class(
        options.folder, table=options.csv, page=options.page, at_once=options.jobs
    )


def _at_hand(name: str) -> str:
    """Load digits, or download them; return by what another process finds them."""
    with contextlib.redirect_stdout(sys.stderr):  # what is said about them is no result
        digits = _load(name)
    known = digits.source in ("MNIST", "practice digits")
    return digits.source if known else str(Path(digits.source).absolute())


if __name__ == "__main__":
    sys.exit(main())
