"""The digits: MNIST at hand or downloaded, the practice digits where it cannot be had.

Chapters say `load_digits()`. Whatever comes from outside is checked by SHA-256 before it is used,
and a download appears whole or not at all.
"""

import errno
import hashlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mnist_core import IMAGES_MAGIC, LABELS_MAGIC, IDXError, idx_header, read_idx, replacing

_PACKAGE, _PROJECT = Path(__file__).parent, Path(__file__).parents[1]
_IN_PROJECT = (_PROJECT / "data" / "practice").is_dir()  # else installed from a wheel
# What comes with the book, the practice digits and the released weights, and what benchmarks wrote.
SHIPPED = (_PROJECT if _IN_PROJECT else _PACKAGE) / "data"
RECORDS = _PROJECT / "benchmarks" / "records" if _IN_PROJECT else _PACKAGE / "records"
DATA = SHIPPED if _IN_PROJECT else Path.home() / ".mnist_book"  # where a download goes

SMALL_MNIST = Path("mnist-small")  # what a browser has of it: a folder beside the notebooks

MIRRORS = (  # each, with a file's name after it, is an address; tried in this order
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
)
DOWNLOAD_TIMEOUT = (5.0, 30.0)  # seconds until a mirror answers, seconds of silence after that


class MNISTFile(NamedTuple):
    """What is known of one of MNIST's files."""

    sha256: str  # of the content
    gz_sha256: str  # of the .gz file that the mirrors have
    gz_size: int  # of that file, in bytes


MNIST_FILES = {
    "train-images-idx3-ubyte": MNISTFile(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        9_912_422,
    ),
    "train-labels-idx1-ubyte": MNISTFile(
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        28_881,
    ),
    "t10k-images-idx3-ubyte": MNISTFile(
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        1_648_877,
    ),
    "t10k-labels-idx1-ubyte": MNISTFile(
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        4_542,
    ),
}


# Where a file may lie in a directory: as it is, as Kaggle has it, as torchvision has it.
SPELLINGS = (
    "{name}{ending}",
    "{dotted}{ending}",
    "{name}/{name}{ending}",
    "raw/{name}{ending}",
    "MNIST/raw/{name}{ending}",
)


class DownloadError(OSError):
    """MNIST could not be downloaded. The message says what was tried and what to do by hand."""


@dataclass(frozen=True, repr=False)
class Digits:
    """Images uint8 (n, 28, 28), from 0 (paper) to 255 (ink), and labels uint8 (n,), 0 to 9."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    source: str  # "MNIST", "practice digits", which part of MNIST, or a directory
    files: tuple[Path, ...] = ()  # where the four arrays were read from, raw or .gz

    def __repr__(self) -> str:
        train, test = len(self.train_labels), len(self.test_labels)
        return f"Digits({self.source}: {train:,} for training, {test:,} for testing)"


last_source: str | None = None  # of what load_digits gave: figures of different digits don't mix


def load_digits() -> Digits:
    """Load MNIST where it is at hand or can be downloaded, else the practice digits.

    A notice says when it is the practice digits, and why. `MNIST_DIGITS=practice` in the
    environment asks for them, and `MNIST_DIGITS=small` for a small part of MNIST: so does the book
    in a browser, which computes some twenty times slower.
    """
    global last_source
    digits = _mnist_or_practice_digits()
    last_source = digits.source
    return digits


def _mnist_or_practice_digits() -> Digits:
    reason = "MNIST_DIGITS=practice asks for them."
    wanted = os.environ.get("MNIST_DIGITS")
    if wanted != "practice":
        try:
            return load_small_mnist() if wanted == "small" else load_mnist()
        except (OSError, IDXError, ImportError) as error:
            reason = f"MNIST is not at hand: {error}"
    print(f"PRACTICE DIGITS, drawn by this book, not MNIST: figures will differ. {reason}")
    return load_practice_digits()


def load_small_mnist() -> Digits:
    """Load a small part of MNIST from `SMALL_MNIST`, where a build for the browser puts it."""
    digits = load_directory(SMALL_MNIST)
    sizes = f"{len(digits.train_labels):,} and {len(digits.test_labels):,}"
    print(f"The first {sizes} digits of MNIST, as this is a browser: figures will differ.")
    return replace(digits, source=f"the first {sizes} digits of MNIST")


def load_practice_digits() -> Digits:
    """Load the 6,000 + 1,000 digits that the project draws itself (`drawing/practice.py`)."""
    return load_directory(SHIPPED / "practice", source="practice digits")


def load_directory(directory: str | Path, *, source: str | None = None) -> Digits:
    """Load anybody's digits of 28 x 28 pixels: four IDX files with MNIST's names, raw or `.gz`.

    The spellings and subdirectories of Kaggle's and torchvision's copies are found, too.

    Raises
    ------
    FileNotFoundError : a file is missing
    IDXError : a file is not what it should be
    """
    paths = _find([Path(directory)], "Put the file there, or check the directory.")
    return Digits(*_read_four(paths), source=source or os.fspath(directory), files=tuple(paths))


def load_drawings(directory: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Load the drawings that a class has exported from the pad: images (n, 28, 28), labels (n,).

    Every pair of IDX files below the directory is read, in the order of their names: the pad saves
    `drawings-images-idx3-ubyte` and `drawings-labels-idx1-ubyte`, a browser may add a number, and
    each pupil may have a folder.

    Raises
    ------
    FileNotFoundError : there is no such file, or one of a pair is missing
    IDXError : a file is not what it should be
    """
    images = sorted(Path(directory).rglob("*images-idx3-ubyte*"))
    if not images:
        raise FileNotFoundError(
            f"found no file named like drawings-images-idx3-ubyte in {Path(directory).absolute()} "
            "or below it. Put there what the pad exported, images and labels."
        )
    labels = [path.with_name(path.name.replace("images-idx3", "labels-idx1")) for path in images]
    for path, partner in zip(images, labels, strict=True):
        if not partner.is_file():
            raise FileNotFoundError(
                f"{path} has no labels: expected {partner.name} beside it. The pad exports both "
                "files together; put both there."
            )
    pairs = [_read_pair(*paths) for paths in zip(images, labels, strict=True)]
    return np.concatenate([p[0] for p in pairs]), np.concatenate([p[1] for p in pairs])


def load_mnist(directory: str | Path | None = None, download: bool = True) -> Digits:
    """Load MNIST, 60,000 digits for training and 10,000 for testing.

    Parameters
    ----------
    directory : where the four files are, raw or `.gz`, or are downloaded to; if not given,
        `$MNIST_DIR` where that is set, and `data/` (installed from a wheel: `~/.mnist_book`).
        What is there is never written to
    download : whether to download what is missing

    Raises
    ------
    FileNotFoundError : a file is missing, and `download` is false
    DownloadError : a file is missing, and no mirror gave it
    IDXError : a file is not MNIST's: the SHA-256 of its content differs

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document
    recognition, Proceedings of the IEEE 86(11), 1998 (doi:10.1109/5.726791).
    """
    wanted = [directory] if directory else [os.environ.get("MNIST_DIR"), DATA]
    places = [Path(place).expanduser() for place in wanted if place]
    paths = _find(places, _by_hand(places[0]), missing=_download if download else None)
    arrays = _read_four(paths)
    for path, array, known in zip(paths, arrays, MNIST_FILES.values(), strict=True):
        _check_sha256(path, array, known.sha256)
    return Digits(*arrays, source="MNIST", files=tuple(paths))


def _find(
    places: Sequence[Path], advice: str, missing: Callable[[str, Path], Path] | None = None
) -> list[Path]:
    """Find MNIST's four files in any of the places; `missing` may make what is not there."""
    paths = []
    for name in MNIST_FILES:
        candidates = (
            place / spelled.format(name=name, dotted=name.replace("-idx", ".idx"), ending=ending)
            for place in places
            for spelled in SPELLINGS
            for ending in ("", ".gz")
        )
        path = next((path for path in candidates if path.is_file()), None)
        if path is None and missing:
            path = missing(name, places[0])
        if path is None:
            looked = " or ".join(str(place.absolute()) for place in places)
            raise FileNotFoundError(f"found no {name}, raw or .gz, in {looked}. {advice}")
        paths.append(path)
    return paths


def _read_four(paths: Sequence[Path]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Read training images and labels, test images and labels."""
    return (*_read_pair(paths[0], paths[1]), *_read_pair(paths[2], paths[3]))


def _read_pair(images_path: Path, labels_path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read images and their labels; check that they go together."""
    images = read_idx(images_path, magic=IMAGES_MAGIC)
    labels = read_idx(labels_path, magic=LABELS_MAGIC)
    if images.shape[1:] != (28, 28):
        cause = "images of another data set"
        raise IDXError(images_path, f"images of {images.shape[1:]}", "(28, 28) pixels", cause)
    if len(images) != len(labels):
        cause = f"files of two different sets; check {labels_path.name}"
        found = f"{len(images):,} images and {len(labels):,} labels"
        raise IDXError(images_path, found, "as many of one as of the other", cause)
    if np.any(labels > 9):
        cause = "labels of another data set"
        raise IDXError(labels_path, f"the label {labels.max()}", "0 to 9", cause)
    return images, labels


_recognised: set[tuple[Path, int, int]] = set()  # files that passed: path, size, time of change


def _check_sha256(path: Path, array: np.ndarray, expected: str) -> None:
    status = path.stat()
    key = (path.absolute(), status.st_size, status.st_mtime_ns)
    if key not in _recognised:
        content = hashlib.sha256(idx_header(array))
        content.update(array.data)
        if content.hexdigest() != expected:
            cause = (
                "another data set with MNIST's file names (Fashion-MNIST?), or a damaged file; "
                "replace it, or read other digits with load_directory"
            )
            raise IDXError(path, f"SHA-256 {content.hexdigest()}", f"MNIST's {expected}", cause)
        _recognised.add(key)


def _download(name: str, directory: Path) -> Path:
    """Download one of MNIST's files, as `.gz`; it appears whole and checked, or not at all."""
    import pooch  # not needed by those who have the files
    import requests

    known = MNIST_FILES[name]
    path = directory / f"{name}.gz"
    failures = []
    for mirror in MIRRORS:
        address = mirror + path.name
        print(f"Downloading {address} to {directory.absolute()}", file=sys.stderr)
        fetch = pooch.HTTPDownloader(progressbar=True, chunk_size=1 << 14, timeout=DOWNLOAD_TIMEOUT)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            if not os.access(directory, os.W_OK):  # told before megabytes have come for nothing
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(directory))
            content = _Bounded(known.gz_size)  # in memory: a download that is killed leaves nothing
            fetch(address, content, None)
            found = hashlib.sha256(content.chunks).hexdigest()
            if found != known.gz_sha256:
                raise ValueError(f"SHA-256 {found} in place of {known.gz_sha256}")
            with replacing(path) as file:
                file.write(content.chunks)
            return path
        except requests.Timeout:
            failures.append(f"  {address}: no answer in time")
        except requests.ConnectionError:  # its own text is a page long
            failures.append(f"  {address}: no connection, or one that broke off")
        except (requests.RequestException, ValueError) as error:
            failures.append(f"  {address}: {error}")
        except OSError as error:  # of this machine: the next mirror would meet it too
            raise DownloadError(
                f"{path.absolute()}: found that it cannot be written ({error}), expected a place "
                f"with room. {_by_hand(directory)}"
            ) from error
    tried = "\n".join(failures)
    raise DownloadError(
        f"{path.name}: found no mirror that gave it. Tried:\n{tried}\n{_by_hand(directory)}"
    )


def _by_hand(directory: Path) -> str:
    names = ", ".join(f"{name}.gz" for name in MNIST_FILES)
    return (
        f"By hand: put {names} (for example from {MIRRORS[0]}) into {directory.absolute()}, "
        "or set MNIST_DIR to the directory that has them."
    )


class _Bounded:
    """A file in memory that takes only as many bytes as expected."""

    def __init__(self, size: int) -> None:
        self.size, self.chunks = size, bytearray()

    def write(self, chunk: bytes) -> None:
        if len(self.chunks) + len(chunk) > self.size:
            raise ValueError(f"found more than the {self.size:,} bytes expected")
        self.chunks += chunk

    def flush(self) -> None:
        """Do nothing: pooch asks files for it."""
