"""A digit recogniser from scratch: the NumPy core of the book "Why Isn't It Learning?".

Read from top to bottom, it tells the story of the book in the order of its chapters: read the
digits, multiply them by weights, bend the result, turn scores into probabilities, start from good
weights, compute gradients, train, look at what went wrong, draw.

A batch of examples is always `(batch, features)`, weights are `(inputs, outputs)`, labels are
integers `(batch,)`. Where a function takes `out`, it writes its result there and allocates
nothing. Randomness always comes in as `rng`, a `numpy.random.Generator`.
"""

import argparse
import contextlib
import gzip
import hashlib
import io
import math
import os
import secrets
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

# --------------------------------------------------------------------------------------------------
# Data: the IDX format (chapter 1)
# --------------------------------------------------------------------------------------------------

# Two zero bytes, a type code, the number of dimensions, the size of each as a 4-byte unsigned
# integer, the elements; all numbers big-endian. Source: Y. LeCun, C. Cortes and C. Burges, The
# MNIST database of handwritten digits, "The IDX file format".
IDX_TYPES = {
    0x08: np.dtype(">u1"),
    0x09: np.dtype(">i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
IMAGES_MAGIC = 0x00000803  # 2051: unsigned bytes in three dimensions
LABELS_MAGIC = 0x00000801  # 2049: unsigned bytes in one dimension

_AGAIN = "delete the file and download it again"
# What the first bytes of a file that is not IDX tell about it.
_NOT_IDX = {
    b"<": f"this is HTML or XML, a failed download: the server sent a page; {_AGAIN}",
    b"{": f"this is JSON, a failed download: the server sent a message; {_AGAIN}",
    b"\x1f\x8b": "compressed twice; decompress it once",
    b"PK\x03\x04": "this is a zip archive; unpack it first",
    b"BZh": "this is bzip2; decompress it first",
    b"\xfd7zXZ": "this is xz; decompress it first",
    b"\x93NUMPY": "this is a .npy file; read it with numpy.load",
    b"\x89PNG": "this is a PNG picture",
    b"version https://git-lfs": "this is a Git LFS pointer; get the file with 'git lfs pull'",
}


class IDXError(ValueError):
    """A file is not the IDX file that it should be. The message says why, and what to do."""


def _idx_error(path: Path, found: str, expected: str, cause: str) -> IDXError:
    return IDXError(f"{path}: found {found}, expected {expected}. Likely cause: {cause}.")


def read_idx(path: str | os.PathLike, *, magic: int | None = None) -> np.ndarray:
    """Read an IDX file, raw or gzip-compressed: told apart by content, not by name.

    Parameters
    ----------
    path : the file
    magic : its first four bytes as a big-endian integer, if only `IMAGES_MAGIC`, say, will do

    Returns
    -------
    ndarray of the file's shape and type, in the machine's byte order, writable

    Raises
    ------
    IDXError : this is not a whole IDX file. What a header only promises is never allocated
    OSError : the file cannot be read
    """
    path = Path(path)
    with open(path, "rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    try:
        with (gzip.open if compressed else open)(path, "rb") as file:
            dtype, shape = _read_header(file, path, magic)
            count = math.prod(shape)
            promised = count * dtype.itemsize
            if compressed:
                # One byte more than promised shows trailing bytes; a gzip bomb gets no further.
                body = bytearray()
                while more := file.read(min(1 << 20, promised + 1 - len(body))):
                    body += more
                found = len(body)
            else:
                found = os.fstat(file.fileno()).st_size - file.tell()
            if found != promised:
                raise _wrong_length(path, dtype, shape, found, " or more" if compressed else "")
            array = np.frombuffer(body, dtype) if compressed else np.fromfile(file, dtype, count)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        damage = f"gzip data that break off or are damaged ({error})"
        raise _idx_error(
            path, damage, "a whole .gz file", f"truncated, an interrupted download; {_AGAIN}"
        ) from error
    try:
        return array.reshape(shape).astype(dtype.newbyteorder("="), copy=False)
    except ValueError as error:
        limits = "at most 64 dimensions, and sizes that NumPy can multiply"
        raise _idx_error(
            path, f"the shape {shape}", limits, f"a damaged header; {_AGAIN}"
        ) from error


def _read_header(file: BinaryIO, path: Path, magic: int | None) -> tuple[np.dtype, tuple[int, ...]]:
    """Read the header; return the elements' type and the shape."""
    start = file.read(4)
    if len(start) < 4:
        cause = f"an interrupted download; {_AGAIN}"
        raise _idx_error(path, f"{len(start)} bytes", "a header of at least 4", cause)
    code, rank, number = start[2], start[3], int.from_bytes(start, "big")
    if start[:2] != b"\0\0" or code not in IDX_TYPES:
        beginning = (start + file.read(60)).removeprefix(b"\xef\xbb\xbf").lstrip()
        causes = [cause for mark, cause in _NOT_IDX.items() if beginning.startswith(mark)]
        if start[2:] == b"\0\0" and start[1] in IDX_TYPES:
            other_way = int.from_bytes(start, "little")
            causes = [f"the header was written little-endian: {other_way} has become {number}"]
        codes = ", ".join(f"{code:02x}" for code in IDX_TYPES)
        expected = f"00 00, a type code ({codes}) and the number of dimensions"
        cause = causes[0] if causes else "this is another kind of file"
        raise _idx_error(path, f"the first bytes {start.hex(' ')}", expected, cause)
    if magic not in (None, number):
        names = {IMAGES_MAGIC: "images", LABELS_MAGIC: "labels"}
        found, expected = names.get(number, "other data"), names.get(magic, "these data")
        cause = f"{found} given as {expected}; check the files' names"
        raise _idx_error(path, f"magic number {number} ({found})", f"{magic} ({expected})", cause)
    sizes = file.read(4 * rank)
    if len(sizes) < 4 * rank:
        cause = f"truncated, an interrupted download; {_AGAIN}"
        raise _idx_error(path, f"{4 + len(sizes)} bytes", f"a header of {4 + 4 * rank}", cause)
    return IDX_TYPES[code], struct.unpack(f">{rank}I", sizes)


def _wrong_length(
    path: Path, dtype: np.dtype, shape: tuple[int, ...], found: int, more: str
) -> IDXError:
    """Say why a file holds more or fewer bytes than its header promises."""
    header, promised = 4 + 4 * len(shape), math.prod(shape) * dtype.itemsize
    more = more if found > promised else ""  # a compressed file is not read further than that
    little = struct.unpack(f"<{len(shape)}I", struct.pack(f">{len(shape)}I", *shape))
    if math.prod(little) * dtype.itemsize == found:
        cause = f"the sizes were written little-endian: read that way they are {little}, which fits"
    elif found < promised:
        cause = f"truncated, an interrupted download; {_AGAIN}"
    else:
        cause = "trailing bytes: the file was appended to, or its header is wrong"
    return IDXError(
        f"{path}: {header + promised:,} bytes expected for the shape {shape} of "
        f"{dtype.itemsize}-byte elements, {header + found:,}{more} found. Likely cause: {cause}."
    )


def write_idx(path: str | os.PathLike, array: np.ndarray) -> None:
    """Write an array as an IDX file, compressed if the name ends with `.gz`; `read_idx` reads it.

    The file appears whole or not at all.

    Raises
    ------
    TypeError : IDX has no code for the array's type
    """
    array = np.asarray(array)
    content = _idx_header(array) + array.astype(array.dtype.newbyteorder(">")).tobytes()
    if os.fspath(path).endswith(".gz"):
        content = gzip.compress(content, mtime=0)  # no time: the same array gives the same bytes
    with replacing(path) as file:
        file.write(content)


def _idx_header(array: np.ndarray) -> bytes:
    codes = [code for code, dtype in IDX_TYPES.items() if dtype == array.dtype.newbyteorder(">")]
    if not codes:
        known = ", ".join(dtype.newbyteorder("=").name for dtype in IDX_TYPES.values())
        raise TypeError(
            f"array: found elements of type {array.dtype}, expected one that IDX has ({known}); "
            "convert them, for example with array.astype(np.uint8)"
        )
    if any(size >= 1 << 32 for size in array.shape):
        raise ValueError(f"array: found the shape {array.shape}, expected sizes below 2**32")
    return struct.pack(f">HBB{array.ndim}I", 0, codes[0], array.ndim, *array.shape)


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """Open a temporary file that takes the place of `path` at the end, or goes on failure."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb") as file:
            yield file
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


# --------------------------------------------------------------------------------------------------
# Data: MNIST, and the practice digits where it cannot be had
# --------------------------------------------------------------------------------------------------

DATA = Path(__file__).parent / "data"

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


class DownloadError(OSError):
    """MNIST could not be downloaded. The message says what was tried and what to do by hand."""


@dataclass(frozen=True, repr=False)
class Digits:
    """Images uint8 (n, 28, 28), from 0 (paper) to 255 (ink), and labels uint8 (n,), 0 to 9."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    source: str  # "MNIST", "practice digits" or a directory
    files: tuple[Path, ...] = ()  # where the four arrays were read from, raw or .gz

    def __repr__(self) -> str:
        train, test = len(self.train_labels), len(self.test_labels)
        return f"Digits({self.source}: {train:,} for training, {test:,} for testing)"


def load_digits() -> Digits:
    """Load MNIST where it is at hand or can be downloaded, else the practice digits.

    A notice says when it is the practice digits, and why. `MNIST_DIGITS=practice` in the
    environment asks for them.
    """
    reason = "MNIST_DIGITS=practice asks for them."
    if os.environ.get("MNIST_DIGITS") != "practice":
        try:
            return load_mnist()
        except (OSError, IDXError, ImportError) as error:
            reason = f"MNIST is not at hand: {error}"
    print(f"PRACTICE DIGITS, drawn by this book, not MNIST: figures will differ. {reason}")
    return load_practice_digits()


def load_practice_digits() -> Digits:
    """Load the 6,000 + 1,000 digits that this project draws itself (`mnist_book/practice.py`)."""
    return load_directory(DATA / "practice", source="practice digits")


def load_directory(directory: str | os.PathLike, *, source: str | None = None) -> Digits:
    """Load anybody's digits of 28 x 28 pixels: four IDX files with MNIST's names, raw or `.gz`.

    Raises
    ------
    FileNotFoundError : a file is missing
    IDXError : a file is not what it should be
    """
    paths = _find([Path(directory)], "Put the file there, or check the directory.")
    return Digits(*_read_four(paths), source=source or os.fspath(directory), files=tuple(paths))


def load_mnist(directory: str | os.PathLike | None = None, download: bool = True) -> Digits:
    """Load MNIST, 60,000 digits for training and 10,000 for testing.

    Parameters
    ----------
    directory : where the four files are, raw or `.gz`, or are downloaded to; if not given,
        `$MNIST_DIR` where that is set, and `data/`. What is there is never written to
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
    places = [directory] if directory else [os.environ.get("MNIST_DIR"), DATA]
    places = [Path(place).expanduser() for place in places if place]
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
        candidates = (place / (name + ending) for place in places for ending in ("", ".gz"))
        path = next((path for path in candidates if path.is_file()), None)
        if path is None and missing is None:
            looked = " or ".join(str(place.absolute()) for place in places)
            raise FileNotFoundError(f"found no {name}, raw or .gz, in {looked}. {advice}")
        paths.append(path or missing(name, places[0]))
    return paths


def _read_four(paths: Sequence[Path]) -> list[np.ndarray]:
    """Read training images and labels, test images and labels; check that they go together."""
    arrays = []
    for images_path, labels_path in (paths[:2], paths[2:]):
        images = read_idx(images_path, magic=IMAGES_MAGIC)
        labels = read_idx(labels_path, magic=LABELS_MAGIC)
        if images.shape[1:] != (28, 28):
            cause = "images of another data set"
            raise _idx_error(images_path, f"images of {images.shape[1:]}", "(28, 28) pixels", cause)
        if len(images) != len(labels):
            cause = f"files of two different sets; check {labels_path.name}"
            found = f"{len(images):,} images and {len(labels):,} labels"
            raise _idx_error(images_path, found, "as many of one as of the other", cause)
        if np.any(labels > 9):
            cause = "labels of another data set"
            raise _idx_error(labels_path, f"the label {labels.max()}", "0 to 9", cause)
        arrays += [images, labels]
    return arrays


_recognised: set[tuple[Path, int, int]] = set()  # files that passed: path, size, time of change


def _check_sha256(path: Path, array: np.ndarray, expected: str) -> None:
    status = path.stat()
    key = (path.absolute(), status.st_size, status.st_mtime_ns)
    if key not in _recognised:
        content = hashlib.sha256(_idx_header(array))
        content.update(array)
        if content.hexdigest() != expected:
            cause = (
                "another data set with MNIST's file names (Fashion-MNIST?), or a damaged file; "
                "replace it, or read other digits with load_directory"
            )
            raise _idx_error(path, f"SHA-256 {content.hexdigest()}", f"MNIST's {expected}", cause)
        _recognised.add(key)


def _download(name: str, directory: Path) -> Path:
    """Download one of MNIST's files, as `.gz`; it appears whole and checked, or not at all."""
    import pooch  # not needed by those who have the files
    import requests

    known = MNIST_FILES[name]
    name += ".gz"
    pooch.get_logger().setLevel("WARNING")  # the line printed below says the same, shorter
    failures = []
    for mirror in MIRRORS:
        print(f"Downloading {mirror}{name} to {directory.absolute()}", file=sys.stderr)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            fetch = _Bounded(known.gz_size)
            pooch.retrieve(
                mirror + name, f"sha256:{known.gz_sha256}", name, directory, downloader=fetch
            )
            path = directory / name
            path.chmod(0o644)  # pooch makes files that only their owner can read
            return path
        except requests.Timeout:
            failures.append(f"  {mirror}{name}: no answer in time")
        except requests.ConnectionError:  # its own text is a page long
            failures.append(f"  {mirror}{name}: no connection, or one that broke off")
        except (requests.RequestException, ValueError) as error:
            failures.append(f"  {mirror}{name}: {error}")
        except OSError as error:  # of this machine: the next mirror would meet it too
            raise DownloadError(
                f"{directory.absolute()}: found that {name} cannot be written there ({error}), "
                f"expected a directory with room. {_by_hand(directory)}"
            ) from error
    tried = "\n".join(failures)
    raise DownloadError(
        f"{name}: found no mirror that gave it. Tried:\n{tried}\n{_by_hand(directory)}"
    )


def _by_hand(directory: Path) -> str:
    names = ", ".join(f"{name}.gz" for name in MNIST_FILES)
    return (
        f"By hand: put {names} (for example from {MIRRORS[0]}) into {directory.absolute()}, "
        "or set MNIST_DIR to the directory that has them."
    )


class _Bounded:
    """A downloader for pooch, with a progress bar, that takes only as many bytes as expected."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __call__(self, url: str, path: str, pooch_: object) -> None:
        import pooch

        fetch = pooch.HTTPDownloader(progressbar=True, chunk_size=1 << 14, timeout=DOWNLOAD_TIMEOUT)
        with open(path, "wb") as self.file:
            fetch(url, self, pooch_)

    def write(self, chunk: bytes) -> None:
        if self.file.tell() + len(chunk) > self.size:
            raise ValueError(f"found more than the {self.size:,} bytes expected")
        self.file.write(chunk)

    def flush(self) -> None:
        self.file.flush()


def scale_pixels(images: np.ndarray, dtype: type = np.float32) -> np.ndarray:
    """Turn images uint8 (n, 28, 28) into network inputs (n, 784), from 0 (paper) to 1 (ink)."""
    if images.dtype != np.uint8:
        raise TypeError(f"images: found {images.dtype}, expected uint8 pixels, 0 to 255")
    rows = images.reshape(len(images), math.prod(images.shape[1:]))
    return np.multiply(rows, np.dtype(dtype).type(1 / 255))


# --------------------------------------------------------------------------------------------------
# Layer (chapter 2)
# --------------------------------------------------------------------------------------------------


def linear(
    x: np.ndarray, weights: np.ndarray, bias: np.ndarray, *, out: np.ndarray | None = None
) -> np.ndarray:
    """Compute a layer's pre-activations, z = x @ weights + bias.

    Parameters
    ----------
    x : (batch, inputs)
    weights : (inputs, outputs)
    bias : (outputs,)

    Returns
    -------
    z : (batch, outputs)
    """
    if x.ndim != 2 or x.shape[1] != len(weights):
        raise ValueError(
            f"x: found the shape {x.shape}, expected (batch, {len(weights)}) for weights of shape "
            f"{weights.shape}; one example alone is a batch of one, x[np.newaxis]"
        )
    z = np.matmul(x, weights, out=out)
    z += bias
    return z


def linear_gradient(
    x: np.ndarray,
    weights: np.ndarray | None,
    d_z: np.ndarray,
    *,
    out: Sequence[np.ndarray | None] = (None, None, None),
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """Compute the gradients of the loss with respect to what `linear` was given.

    Parameters
    ----------
    x : (batch, inputs)
    weights : (inputs, outputs); None spares d_x, the dearest: of the first layer nobody needs it
    d_z : (batch, outputs), the gradient with respect to z

    Returns
    -------
    d_x (batch, inputs) or None, d_weights (inputs, outputs), d_bias (outputs,)
    """
    d_x = None if weights is None else np.matmul(d_z, weights.T, out=out[0])
    d_weights = np.matmul(x.T, d_z, out=out[1])
    d_bias = np.sum(d_z, axis=0, out=out[2])
    return d_x, d_weights, d_bias


# --------------------------------------------------------------------------------------------------
# Softmax and cross-entropy (chapter 3)
# --------------------------------------------------------------------------------------------------


def softmax(logits: np.ndarray, *, out: np.ndarray | None = None) -> np.ndarray:
    """Turn every row of scores (batch, classes) into probabilities: exp, divided by the row's sum.

    Subtracting a row's maximum cancels in the division, and leaves no exponent above 0.
    """
    p = _subtract_row_maximum(logits, out)
    np.exp(p, out=p)
    p /= p.sum(axis=1, keepdims=True)
    return p


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Compute log(softmax(logits)), (batch, classes), without taking the logarithm of a 0."""
    shifted = _subtract_row_maximum(logits)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Compute the mean over the batch of -log(probability of the label), in nats.

    Parameters
    ----------
    logits : (batch, classes), the scores before softmax
    labels : integers (batch,), 0 to classes - 1
    """
    rows = _check_labels(logits, labels)
    return float(-(log_softmax(logits)[rows, labels] / len(labels)).sum())


def cross_entropy_gradient(
    logits: np.ndarray, labels: np.ndarray, *, out: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Compute the cross-entropy, and its gradient (batch, classes) with respect to the logits.

    The gradient is (softmax(logits) - one_hot(labels)) / batch. The loss comes with it because both
    are made of the same exponentials.
    """
    rows = _check_labels(logits, labels)
    d_logits = _subtract_row_maximum(logits, out)
    of_label = d_logits[rows, labels]
    np.exp(d_logits, out=d_logits)
    total = d_logits.sum(axis=1)
    loss = float(((np.log(total) - of_label) / len(labels)).sum())  # a sum first might overflow
    d_logits /= total[:, np.newaxis]  # now it is softmax
    d_logits[rows, labels] -= 1
    d_logits /= len(labels)
    return loss, d_logits


def _subtract_row_maximum(logits: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    dtype = np.result_type(logits, np.float32)  # whole numbers become floats
    # Of two huge numbers the difference may be -inf; exp makes it the 0 that it should be.
    with np.errstate(over="ignore"):
        return np.subtract(logits, logits.max(axis=1, keepdims=True), out=out, dtype=dtype)


def _check_labels(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    batch, classes = logits.shape
    if labels.shape != (batch,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"labels: found {labels.dtype} of shape {labels.shape}, expected integers of shape "
            f"({batch},), one for each row of logits; of one-hot rows take labels.argmax(axis=1)"
        )
    if batch and not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError(
            f"labels: found {labels.min()} to {labels.max()}, expected 0 to {classes - 1}"
        )
    return np.arange(batch)


# --------------------------------------------------------------------------------------------------
# Activation (chapter 4)
# --------------------------------------------------------------------------------------------------


def leaky_relu(z: np.ndarray, slope: float = 0.01, *, out: np.ndarray | None = None) -> np.ndarray:
    """Let positive values pass, multiply the others by `slope`: 0 (plain ReLU) to 1 (no bend).

    Source: A. Maas, A. Hannun, A. Ng, Rectifier nonlinearities improve neural network acoustic
    models, ICML 2013 workshop.
    """
    _check_slope(slope)
    if out is not None and np.may_share_memory(z, out):
        raise ValueError("out: found the memory of z, expected another array: z is read twice")
    scaled = np.multiply(z, slope, out=out)
    return np.maximum(z, scaled, out=scaled)  # of z and slope * z, the larger is the right one


def leaky_relu_gradient(
    z: np.ndarray, slope: float = 0.01, *, out: np.ndarray | None = None
) -> np.ndarray:
    """Compute the derivative at the **pre-activation** z: 1 where z > 0, else `slope`."""
    _check_slope(slope)
    positive = np.greater(z, 0, out=out if out is not None else _floats_like(z))
    # NumPy compares two rows several numbers at a time, but a row with one number one by one.
    slopes = np.full(z.shape[-1:], slope, positive.dtype)
    return np.maximum(positive, slopes, out=positive)


def _floats_like(z: np.ndarray) -> np.ndarray:
    return np.empty(z.shape, np.result_type(z, np.float32))  # whole numbers become floats


def _check_slope(slope: float) -> None:
    if not 0 <= slope <= 1:
        raise ValueError(f"slope: found {slope}, expected 0 (plain ReLU) to 1 (no bend)")


# --------------------------------------------------------------------------------------------------
# Initialization (chapter 5)
# --------------------------------------------------------------------------------------------------


def he_normal(
    rng: np.random.Generator, inputs: int, outputs: int, slope: float = 0.01
) -> np.ndarray:
    """Draw weights (inputs, outputs), standard deviation sqrt(2 / ((1 + slope**2) * inputs)).

    Behind leaky ReLU they keep the activations' size from layer to layer. Source: K. He, X. Zhang,
    S. Ren, J. Sun, Delving deep into rectifiers, ICCV 2015, equation 15
    (doi:10.1109/ICCV.2015.123).
    """
    return rng.normal(0, math.sqrt(2 / ((1 + slope**2) * inputs)), (inputs, outputs))


def xavier_normal(rng: np.random.Generator, inputs: int, outputs: int) -> np.ndarray:
    """Draw weights (inputs, outputs), standard deviation sqrt(2 / (inputs + outputs)).

    Made for activations without a bend at 0. Source: X. Glorot, Y. Bengio, Understanding the
    difficulty of training deep feedforward neural networks, AISTATS 2010, equation 12.
    """
    return rng.normal(0, math.sqrt(2 / (inputs + outputs)), (inputs, outputs))


# --------------------------------------------------------------------------------------------------
# Network (chapter 6)
# --------------------------------------------------------------------------------------------------


class Network:
    """A fully connected network: inputs -> linear -> leaky ReLU -> ... -> linear -> logits.

    Parameters
    ----------
    sizes : inputs, units of each hidden layer, classes; (784, 128, 10) has one hidden layer
    rng : draws the weights (He's initialization); biases start at 0
    slope : of leaky ReLU
    dtype : float32, or float64 where figures must agree to the last digit

    Attributes
    ----------
    parameters : (weights, bias, weights, bias, ...), views into `vector`: change them in place
    vector : all of them end to end, so that one line of NumPy can update everything
    """

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        rng: np.random.Generator,
        slope: float = 0.01,
        dtype: type = np.float32,
    ) -> None:
        self.sizes, self.slope, self.dtype = tuple(sizes), float(slope), np.dtype(dtype)
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise ValueError(f"sizes: found {self.sizes}, expected two or more positive numbers")
        if self.dtype not in (np.float32, np.float64):
            raise ValueError(f"dtype: found {self.dtype}, expected float32 or float64")
        _check_slope(slope)
        self.vector = np.zeros(_parameter_count(self.sizes), self.dtype)
        self.parameters = _parameter_views(self.vector, self.sizes)
        for weights in self.weights:
            weights[...] = he_normal(rng, *weights.shape, slope)

    @property
    def weights(self) -> tuple[np.ndarray, ...]:
        """The weights of each layer, (inputs, outputs)."""
        return self.parameters[0::2]

    @property
    def biases(self) -> tuple[np.ndarray, ...]:
        """The bias of each layer, (outputs,)."""
        return self.parameters[1::2]

    def activations(self, x: np.ndarray) -> list[np.ndarray]:
        """Compute each layer's output (batch, units) for inputs x (batch, inputs), logits last."""
        _check_inputs(x)
        outputs = [x]
        for weights, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            outputs.append(leaky_relu(linear(outputs[-1], weights, bias), self.slope))
        outputs.append(linear(outputs[-1], self.weights[-1], self.biases[-1]))
        return outputs[1:]

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Compute the logits (batch, classes) for inputs x (batch, inputs)."""
        return self.activations(x)[-1]

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        """Compute the probabilities (batch, classes) for inputs x (batch, inputs)."""
        return softmax(self.forward(x))

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Name the most probable class (batch,) for inputs x (batch, inputs)."""
        return self.forward(x).argmax(axis=1)

    def gradients(self, x: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, ...]:
        """Compute the gradient of the loss with respect to each of `parameters`."""
        return self.loss_and_gradients(x, labels)[1]

    def loss_and_gradients(
        self,
        x: np.ndarray,
        labels: np.ndarray,
        buffers: "Buffers | None" = None,
        loss_gradient: Callable[..., tuple[float, np.ndarray]] = cross_entropy_gradient,
    ) -> tuple[float, tuple[np.ndarray, ...]]:
        """Compute the mean cross-entropy and, by backpropagation, its gradients.

        Parameters
        ----------
        x : (batch, inputs)
        labels : integers (batch,), or what `loss_gradient` takes
        buffers : arrays to work in, which the gradients are in afterwards; new ones if not given
        loss_gradient : another loss; takes and returns what `cross_entropy_gradient` does

        References
        ----------
        D. Rumelhart, G. Hinton, R. Williams, Learning representations by back-propagating errors,
        Nature 323, 1986 (doi:10.1038/323533a0).
        """
        _check_inputs(x)
        buffers = buffers or Buffers(self, len(x))
        inputs, z, d_z = [x, *buffers.hidden], buffers.z, buffers.d_z
        last = len(self.weights) - 1
        # Forward. Each layer's inputs and pre-activations are kept: the way back needs both.
        for k in range(last):
            linear(inputs[k], self.weights[k], self.biases[k], out=z[k])
            leaky_relu(z[k], self.slope, out=inputs[k + 1])
        logits = linear(inputs[last], self.weights[last], self.biases[last], out=z[last])
        loss, _ = loss_gradient(logits, labels, out=d_z[last])
        # Backward.
        for k in range(last, 0, -1):
            out = (d_z[k - 1], *buffers.gradients[2 * k : 2 * k + 2])
            linear_gradient(inputs[k], self.weights[k], d_z[k], out=out)
            # This z has served on the way forward; its derivative can take its place.
            d_z[k - 1] *= leaky_relu_gradient(z[k - 1], self.slope, out=z[k - 1])
        linear_gradient(x, None, d_z[0], out=(None, *buffers.gradients[:2]))
        return loss, buffers.gradients

    def save(self, path: str | os.PathLike) -> None:
        """Save as `.npz`: sizes, slope and vector. The file appears whole or not at all."""
        if not np.isfinite(self.vector).all():
            raise ValueError(
                f"{path}: not saved: found NaN or infinite weights, expected finite ones"
            )
        with replacing(path) as file:
            np.savez(
                file, sizes=np.array(self.sizes), slope=np.array(self.slope), vector=self.vector
            )

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Network":
        """Load what `save` wrote.

        Raises
        ------
        ValueError : these are not the whole, finite weights of a network
        OSError : the file cannot be read
        """
        try:
            with zipfile.ZipFile(path) as archive:
                size = sum(member.file_size for member in archive.infolist())
                if size > MAX_WEIGHTS_SIZE:
                    raise ValueError(f"{size:,} bytes, more than {MAX_WEIGHTS_SIZE:,}")
                sizes, slope, vector = (
                    _read_npy(archive.read(f"{name}.npy")) for name in ("sizes", "slope", "vector")
                )
            sizes, slope = sizes.tolist(), float(slope)
            if vector.shape != (_parameter_count(sizes),) or not np.isfinite(vector).all():
                raise ValueError(f"sizes {sizes} with a vector {vector.shape}, or NaN in it")
            network = cls(sizes, slope=slope, rng=np.random.default_rng(0), dtype=vector.dtype)
        except OSError:
            raise
        except Exception as error:  # zipfile, zlib and NumPy raise ten kinds at damaged files
            raise ValueError(
                f"{path}: found {error}, expected what Network.save writes; train and save again"
            ) from error
        network.vector[...] = vector
        return network


def _check_inputs(x: np.ndarray) -> None:
    if x.dtype.kind != "f":
        raise TypeError(f"x: found {x.dtype}, expected floats; of images, scale_pixels(images)")


def _read_npy(content: bytes) -> np.ndarray:
    """Read a .npy file; what its header only promises is never allocated."""
    file = io.BytesIO(content)
    np.lib.format.read_magic(file)
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    return np.frombuffer(content, dtype, math.prod(shape), file.tell()).reshape(shape)


MAX_WEIGHTS_SIZE = 1 << 28  # bytes: far above any network here, far below what fills a machine


def _parameter_count(sizes: Sequence[int]) -> int:
    return sum((inputs + 1) * outputs for inputs, outputs in pairwise(sizes))


def _parameter_views(vector: np.ndarray, sizes: Sequence[int]) -> tuple[np.ndarray, ...]:
    """Cut a vector into each layer's weights (inputs, outputs) and bias (outputs,), by views."""
    views, start = [], 0
    for inputs, outputs in pairwise(sizes):
        end = start + inputs * outputs
        views += [vector[start:end].reshape(inputs, outputs), vector[end : end + outputs]]
        start = end + outputs
    return tuple(views)


class Buffers:
    """The arrays that a training step writes to, allocated once for a batch of a given size."""

    def __init__(self, network: Network, batch: int) -> None:
        def arrays(sizes: Sequence[int], order: str = "C") -> list[np.ndarray]:
            return [np.empty((batch, size), network.dtype, order) for size in sizes]

        *hidden, classes = network.sizes[1:]
        self.x = arrays(network.sizes[:1])[0]
        self.hidden = arrays(hidden)
        # In memory the scores stand class by class: NumPy adds up over rows faster than along them.
        self.z = arrays(hidden) + arrays([classes], order="F")
        self.d_z = arrays(hidden) + arrays([classes], order="F")
        self.vector = np.empty_like(network.vector)
        self.gradients = _parameter_views(self.vector, network.sizes)


# --------------------------------------------------------------------------------------------------
# Training (chapter 7)
# --------------------------------------------------------------------------------------------------


class Epoch(NamedTuple):
    """What one pass over the training images gave."""

    number: int  # from 1
    loss: float  # mean cross-entropy, each batch measured before its update, in nats
    accuracy: float | None  # on the validation images after the pass, 0 to 1


def train(
    network: Network,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    rng: np.random.Generator,
    epochs: int = 5,
    batch_size: int = 64,
    learning_rate: float = 0.05,
    momentum: float = 0.9,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
    on_batch: Callable[[float], None] | None = None,
) -> list[Epoch]:
    """Train a network, in place, by stochastic gradient descent with momentum.

    velocity = momentum * velocity - learning_rate * gradient; parameters = parameters + velocity.
    Each epoch takes every image once, in a new random order. Source: B. Polyak, Some methods of
    speeding up the convergence of iteration methods, 1964 (doi:10.1016/0041-5553(64)90137-5).

    Parameters
    ----------
    images : uint8 (n, 28, 28), scaled as `scale_pixels` does, or floats (n, inputs) as they are
    labels : integers (n,)
    rng : draws the order of the images
    validation : images and labels whose accuracy is measured after each epoch
    on_epoch : called with each `Epoch`
    on_batch : called with each batch's loss

    Returns
    -------
    an `Epoch` for each epoch; a loss that has become NaN stays NaN
    """
    _check_training(network, images, labels, epochs, batch_size, learning_rate, momentum)
    n, batch_size = len(images), min(batch_size, len(images))
    images = images.reshape(n, -1)
    scale = network.dtype.type(1 / 255 if images.dtype == np.uint8 else 1)
    # All that the loop below writes to. The last batch of an epoch may be a smaller one.
    buffers = {size: Buffers(network, size) for size in {batch_size, n % batch_size} - {0}}
    pixels = np.empty((batch_size, images.shape[1]), images.dtype)
    batch_labels = np.empty(batch_size, labels.dtype)
    velocity = np.zeros_like(network.vector)
    history = []
    for number in range(1, epochs + 1):
        order = rng.permutation(n)
        total = 0.0
        for start in range(0, n, batch_size):
            rows = order[start : start + batch_size]
            size = len(rows)
            buffer = buffers[size]
            # Out of range cannot happen here, and with mode="clip" NumPy writes straight to `out`.
            np.take(images, rows, axis=0, out=pixels[:size], mode="clip")
            np.take(labels, rows, out=batch_labels[:size], mode="clip")
            buffer.x[...] = pixels[:size]
            buffer.x *= scale
            loss, _ = network.loss_and_gradients(buffer.x, batch_labels[:size], buffer)
            buffer.vector *= learning_rate
            velocity *= momentum
            velocity -= buffer.vector
            network.vector += velocity
            total += loss * size
            if on_batch:
                on_batch(loss)
        score = (
            accuracy(predict_images(network, validation[0]), validation[1]) if validation else None
        )
        history.append(Epoch(number, total / n, score))
        if on_epoch:
            on_epoch(history[-1])
    return history


def _check_training(
    network: Network,
    images: np.ndarray,
    labels: np.ndarray,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    momentum: float,
) -> None:
    inputs = math.prod(images.shape[1:])
    if inputs != network.sizes[0] or not (images.dtype == np.uint8 or images.dtype.kind == "f"):
        raise ValueError(
            f"images: found {inputs} values of {images.dtype} in each, expected "
            f"{network.sizes[0]}, uint8 or floats"
        )
    if labels.shape != images.shape[:1] or not len(labels):
        raise ValueError(
            f"labels: found the shape {labels.shape}, expected {images.shape[:1]}, one an image"
        )
    if not (epochs >= 0 and batch_size >= 1 and 0 < learning_rate < math.inf and 0 <= momentum < 1):
        raise ValueError(
            f"found {epochs=}, {batch_size=}, {learning_rate=}, {momentum=}, expected epochs >= 0, "
            "batch_size >= 1, learning_rate > 0, momentum from 0 to below 1"
        )


# --------------------------------------------------------------------------------------------------
# Evaluation (chapters 6 and 8)
# --------------------------------------------------------------------------------------------------


def predict_images(network: Network, images: np.ndarray, at_once: int = 4096) -> np.ndarray:
    """Name the class (n,) of images uint8 (n, 28, 28) or floats (n, inputs), some at a time."""
    predictions = np.empty(len(images), np.int64)
    for start in range(0, len(images), at_once):
        x = images[start : start + at_once]
        x = scale_pixels(x, network.dtype) if x.dtype == np.uint8 else x
        predictions[start : start + at_once] = network.predict(x)
    return predictions


def accuracy(predictions: np.ndarray, labels: np.ndarray) -> float:
    """Compute the fraction of predictions (n,) that equal the labels (n,).

    Both must have one dimension: (n, 1) == (n,) compares every prediction with every label.
    """
    _check_pairs(predictions, labels)
    return float(np.mean(predictions == labels))


def _check_pairs(predictions: np.ndarray, labels: np.ndarray) -> None:
    if predictions.shape != labels.shape or labels.ndim != 1:
        raise ValueError(
            f"predictions: found the shape {predictions.shape} for labels of shape {labels.shape}, "
            "expected (n,) for both"
        )


def confusion_matrix(predictions: np.ndarray, labels: np.ndarray, classes: int = 10) -> np.ndarray:
    """Count, in row i and column j of (classes, classes), how often an i was taken for a j."""
    _check_pairs(predictions, labels)
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (labels, predictions), 1)
    return counts


def accuracy_per_digit(predictions: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Compute the fraction (10,) of each digit that was recognised; NaN where there is none."""
    counts = confusion_matrix(predictions, labels)
    with np.errstate(invalid="ignore"):
        return counts.diagonal() / counts.sum(axis=1)


def gradient_check(
    loss: Callable[[], float],
    parameters: Sequence[np.ndarray],
    gradients: Sequence[np.ndarray],
    *,
    rng: np.random.Generator,
    step: float = 1e-5,
    entries: int = 200,
) -> list[float]:
    """Compare gradients with central differences, (loss(p + step) - loss(p - step)) / (2 * step).

    Parameters
    ----------
    loss : computes the loss from `parameters` as they are when it is called
    parameters : float64 arrays, changed in place and restored
    gradients : what is to be checked, an array for each of `parameters`
    rng : where an array has more than `entries`, half of those checked are drawn at random, half
        are the largest gradients: most weights of border pixels have gradient 0 in any case
    step : small, so that the curve is nearly straight, but not so small that rounding takes over

    Returns
    -------
    for each array |numeric - analytic| / (|numeric| + |analytic|), in Euclidean norms: below 1e-7
    if the gradients are right, about 1 if they are unrelated; 0 if both are all 0
    """
    errors = []
    for parameter, gradient in zip(parameters, gradients, strict=True):
        if parameter.shape != gradient.shape:
            raise ValueError(
                f"gradients: found the shape {gradient.shape}, expected {parameter.shape}"
            )
        chosen = np.arange(parameter.size)
        if parameter.size > entries:
            largest = np.argsort(np.abs(gradient), axis=None)[-(entries // 2) :]
            at_random = rng.choice(parameter.size, entries - len(largest), replace=False)
            chosen = np.union1d(largest, at_random)
        numeric = np.empty(len(chosen))
        for row, entry in enumerate(chosen):
            value = parameter.flat[entry]
            parameter.flat[entry] = value + step
            above = loss()
            parameter.flat[entry] = value - step
            below = loss()
            parameter.flat[entry] = value
            numeric[row] = (above - below) / (2 * step)
        analytic = gradient.flat[chosen]
        size = np.linalg.norm(numeric) + np.linalg.norm(analytic)
        errors.append(float(np.linalg.norm(numeric - analytic) / size) if size else 0.0)
    return errors


# --------------------------------------------------------------------------------------------------
# Drawing (chapter 10): what MNIST's makers did to a scanned digit, done to the pen's path itself
# --------------------------------------------------------------------------------------------------


def strokes_to_image(
    strokes: Sequence[np.ndarray], *, pen: float = 2.5, box: float = 19.0, centre: float = 14.25
) -> np.ndarray:
    """Turn pen strokes into a picture as MNIST has them.

    Its stages: `without_specks`, `stroke_segments`, `fit_to_box`, `centre_ink`, `rasterize`.

    Parameters
    ----------
    strokes : arrays of shape (points, 2): x to the right, y **down**, any unit; one point is a dot
    pen : width of the pen in pixels
    box : side of the square that the ink, pen included, is scaled to fit, in pixels
    centre : where the ink's centre of mass goes, in x and in y, in pixels from the picture's edge

    Returns
    -------
    ndarray (28, 28), grey levels from 0 (paper) to 1 (ink); all 0 where there is no stroke
    """
    if not 0 < pen < box:
        raise ValueError(
            f"pen: found a width of {pen}, expected more than 0 and less than box, {box}"
        )
    starts, ends = stroke_segments(without_specks(strokes))
    if len(starts) == 0:
        return np.zeros((28, 28))
    starts, ends = fit_to_box(starts, ends, box - pen)
    starts, ends = centre_ink(starts, ends, centre)
    return rasterize(starts, ends, pen)


def without_specks(strokes: Sequence[np.ndarray], share: float = 0.06) -> list[np.ndarray]:
    """Leave out strokes whose extent is below `share` of the largest's: a touch by mistake.

    A speck beside a digit would change the box that the digit is scaled to. A lone dot stays.
    """
    arrays = [np.asarray(stroke, dtype=np.float64) for stroke in strokes]
    extents = [np.ptp(points, axis=0).max() if points.size else 0.0 for points in arrays]
    if not np.isfinite(extents).all():
        return arrays  # stroke_segments says which one is wrong
    limit = share * max(extents, default=0.0)
    return [points for points, extent in zip(arrays, extents, strict=True) if extent >= limit]


def stroke_segments(strokes: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Cut strokes into straight segments: starts (segments, 2) and ends (segments, 2)."""
    starts, ends = [np.empty((0, 2))], [np.empty((0, 2))]
    for number, stroke in enumerate(strokes):
        points = np.asarray(stroke, dtype=np.float64)
        if points.size == 0:
            continue
        if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
            raise ValueError(
                f"strokes[{number}]: found the shape {points.shape}, expected finite numbers of "
                "shape (points, 2): a row [x, y] for every point"
            )
        starts.append(points[:-1] if len(points) > 1 else points)
        ends.append(points[1:] if len(points) > 1 else points)
    return np.concatenate(starts), np.concatenate(ends)


def fit_to_box(starts: np.ndarray, ends: np.ndarray, side: float) -> tuple[np.ndarray, np.ndarray]:
    """Scale segments, in proportion, until their bounding box is `side` pixels on its long side."""
    points = np.concatenate([starts, ends])
    low = points.min(axis=0)
    scale = side / max(np.ptp(points, axis=0).max(), 1e-9)  # a lone dot has no extent
    return (starts - low) * scale, (ends - low) * scale


def centre_ink(
    starts: np.ndarray, ends: np.ndarray, centre: float
) -> tuple[np.ndarray, np.ndarray]:
    """Shift segments, each weighing its length, to bring their centre of mass to `centre`."""
    lengths = np.hypot(*(ends - starts).T) + 1e-9
    mass_centre = lengths @ (starts + ends) / (2 * lengths.sum())
    return starts + (centre - mass_centre), ends + (centre - mass_centre)


def rasterize(starts: np.ndarray, ends: np.ndarray, pen: float) -> np.ndarray:
    """Draw segments with a round pen.

    Returns
    -------
    ndarray (28, 28): clip(pen / 2 - distance + 1/2, 0, 1), where distance, in pixels, is from a
    pixel's centre to the nearest segment
    """
    along_x, along_y = (ends - starts).T[:, :, np.newaxis]  # (segments, 1)
    centres = np.arange(28) + 0.5
    from_x = centres - starts[:, :1]  # (segments, 28): from the start to each column of pixels
    from_y = centres - starts[:, 1:]  # ... and to each row
    length_squared = np.maximum(along_x**2 + along_y**2, 1e-18)
    # How far along a segment its nearest point is, from 0 (the start) to 1 (the end).
    in_x, in_y = from_x * along_x / length_squared, from_y * along_y / length_squared
    fraction = in_y[:, :, np.newaxis] + in_x[:, np.newaxis]  # (segments, 28, 28)
    np.clip(fraction, 0, 1, out=fraction)
    # How far a pixel's centre is from that point; in place, as new large arrays take longest.
    squared = fraction * along_x[:, np.newaxis]
    squared -= from_x[:, np.newaxis]
    squared *= squared
    fraction *= along_y[:, np.newaxis]
    fraction -= from_y[:, :, np.newaxis]
    fraction *= fraction
    squared += fraction
    distance = np.sqrt(squared.min(axis=0))
    return np.clip(pen / 2 - distance + 0.5, 0, 1)


# --------------------------------------------------------------------------------------------------
# Command line
# --------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `python -m mnist_core`; return 0, or 1 after an error, or 130 after Ctrl-C."""
    shown = argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser("python -m mnist_core", description="Digits from scratch.")
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
