"""A digit recogniser from scratch: the NumPy core of the book "Why Isn't It Learning?".

Read from top to bottom, it tells the story of the book in the order of its chapters: read the
digits, multiply them by weights, turn scores into probabilities, bend what lies between two layers,
start from good weights, compute gradients, train, look at what went wrong.

A batch of examples is always `(batch, features)`, weights are `(inputs, outputs)`, labels are
integers `(batch,)`. Where a function takes `out`, it writes its result there and allocates
nothing. Randomness always comes in as `rng`, a `numpy.random.Generator`.
"""

import contextlib
import gzip
import io
import math
import os
import secrets
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

import numpy as np

# --------------------------------------------------------------------------------------------------
# Data: the IDX format (chapter 1)
# --------------------------------------------------------------------------------------------------

# Two zero bytes, a type code, the number of dimensions, the size of each as a 4-byte unsigned
# integer, the elements; all numbers big-endian. Source: Y. LeCun, C. Cortes and C. Burges, The
# MNIST database of handwritten digits, "The IDX file format".
IDX_TYPES: dict[int, np.dtype] = {
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

    def __init__(self, path: Path, found: str, expected: str, cause: str) -> None:
        super().__init__(f"{path}: found {found}, expected {expected}. Likely cause: {cause}.")


def read_idx(path: str | Path, *, magic: int | None = None, limit: int = 1 << 30) -> np.ndarray:
    """Read an IDX file, raw or gzip-compressed: told apart by content, not by name.

    Parameters
    ----------
    path : the file
    magic : its first four bytes as a big-endian integer, if only `IMAGES_MAGIC`, say, will do
    limit : the most bytes that a compressed file may unpack to: a few megabytes can fill a memory

    Returns
    -------
    ndarray of the file's shape and type, in the machine's byte order, writable

    Raises
    ------
    IDXError : this is not a whole IDX file, or one that unpacks to more than `limit` bytes. What a
        header only promises is never allocated
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
                most, body = min(promised, limit) + 1, bytearray()
                while more := file.read(min(1 << 20, most - len(body))):
                    body += more
                size = len(body)
                if size > limit:
                    cause = "not digits, or far more of them; if you trust it, pass a higher limit"
                    raise IDXError(path, f"more than {limit:,} bytes", "no more than that", cause)
            else:
                size = os.fstat(file.fileno()).st_size - file.tell()
            if size != promised:
                raise _wrong_length(path, dtype, shape, size, " or more" if compressed else "")
            array = np.frombuffer(body, dtype) if compressed else np.fromfile(file, dtype, count)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        damage = f"gzip data that break off or are damaged ({error})"
        cause = f"truncated, an interrupted download; {_AGAIN}"
        raise IDXError(path, damage, "a whole .gz file", cause) from error
    try:
        return array.reshape(shape).astype(dtype.newbyteorder("="), copy=False)
    except ValueError as error:
        possible = "at most 64 dimensions, and sizes that NumPy can multiply"
        cause = f"a damaged header; {_AGAIN}"
        raise IDXError(path, f"the shape {shape}", possible, cause) from error


def _read_header(
    file: io.BufferedIOBase, path: Path, magic: int | None
) -> tuple[np.dtype, tuple[int, ...]]:
    """Read the header; return the elements' type and the shape."""
    start = file.read(4)
    if len(start) < 4:
        cause = f"an interrupted download; {_AGAIN}"
        raise IDXError(path, f"{len(start)} bytes", "a header of at least 4", cause)
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
        raise IDXError(path, f"the first bytes {start.hex(' ')}", expected, cause)
    if magic not in (None, number):
        names = {IMAGES_MAGIC: "images", LABELS_MAGIC: "labels"}
        found, expected = names.get(number, "other data"), names.get(magic, "these data")
        cause = f"{found} given as {expected}; check the files' names"
        raise IDXError(path, f"magic number {number} ({found})", f"{magic} ({expected})", cause)
    sizes = file.read(4 * rank)
    if len(sizes) < 4 * rank:
        cause = f"truncated, an interrupted download; {_AGAIN}"
        raise IDXError(path, f"{4 + len(sizes)} bytes", f"a header of {4 + 4 * rank}", cause)
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
    expected = f"{header + promised:,} for the shape {shape} of {dtype.itemsize}-byte elements"
    return IDXError(path, f"{header + found:,} bytes{more}", expected, cause)


def write_idx(path: str | Path, array: np.ndarray) -> None:
    """Write an array as an IDX file, compressed if the name ends with `.gz`; `read_idx` reads it.

    The file appears whole or not at all.

    Raises
    ------
    TypeError : IDX has no code for the array's type
    """
    array = np.asarray(array)
    content = idx_header(array) + array.astype(array.dtype.newbyteorder(">")).tobytes()
    if os.fspath(path).endswith(".gz"):
        content = gzip.compress(content, mtime=0)  # no time: the same array gives the same bytes
    with replacing(path) as file:
        file.write(content)


def idx_header(array: np.ndarray) -> bytes:
    """Make the header of an IDX file for an array."""
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
def replacing(path: str | Path) -> Iterator[BinaryIO]:
    """Open a temporary file that takes the place of `path` at the end, or goes on failure.

    A link stays a link, a file keeps its mode, and what is no file (a device, say) is written to.
    """
    path = Path(path).resolve()
    if path.exists() and not path.is_file():
        with open(path, "wb") as file:
            yield file
        return
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb") as file:
            if path.exists():
                temporary.chmod(path.stat().st_mode & 0o777)
            yield file
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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
            inputs, outputs = weights.shape
            weights[...] = he_normal(rng, inputs, outputs, slope)

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
        d_weights, d_biases = buffers.gradients[0::2], buffers.gradients[1::2]
        last = len(self.weights) - 1
        # Forward. Each layer's inputs and pre-activations are kept: the way back needs both.
        for k in range(last):
            linear(inputs[k], self.weights[k], self.biases[k], out=z[k])
            leaky_relu(z[k], self.slope, out=inputs[k + 1])
        logits = linear(inputs[last], self.weights[last], self.biases[last], out=z[last])
        loss, _ = loss_gradient(logits, labels, out=d_z[last])
        # Backward, through the same layers from the last one on.
        for k in range(last, 0, -1):
            out = d_z[k - 1], d_weights[k], d_biases[k]
            linear_gradient(inputs[k], self.weights[k], d_z[k], out=out)
            # This z has served on the way forward; its derivative can take its place.
            d_z[k - 1] *= leaky_relu_gradient(z[k - 1], self.slope, out=z[k - 1])
        linear_gradient(x, None, d_z[0], out=(None, d_weights[0], d_biases[0]))
        return loss, buffers.gradients

    def save(self, path: str | Path) -> None:
        """Save as `.npz`: sizes, slope and vector. The file appears whole or not at all."""
        if not np.isfinite(self.vector).all():
            raise ValueError(
                f"{path}: not saved: found NaN or infinite weights, expected finite ones"
            )
        with replacing(path) as file:
            np.savez(file, sizes=self.sizes, slope=self.slope, vector=self.vector)

    @classmethod
    def load(cls, path: str | Path) -> "Network":
        """Load what `save` wrote.

        Raises
        ------
        ValueError : these are not the whole, finite weights of a network
        OSError : the file cannot be read
        """
        try:
            with zipfile.ZipFile(path) as archive:
                sizes = _read_npy(archive, "sizes", MAX_HEADER).tolist()
                slope = float(_read_npy(archive, "slope", MAX_HEADER))
                count = _parameter_count(sizes)
                if not 0 < count <= MAX_PARAMETERS:
                    raise ValueError(f"sizes {sizes}: {count:,} weights, over {MAX_PARAMETERS:,}")
                vector = _read_npy(archive, "vector", MAX_HEADER + 8 * count)
            if vector.shape != (count,) or not np.isfinite(vector).all():
                raise ValueError(f"sizes {sizes} with a vector {vector.shape}, or NaN in it")
            network = cls(sizes, slope=slope, rng=np.random.default_rng(0), dtype=vector.dtype.type)
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


MAX_HEADER = 1 << 12  # bytes: of an array's header, and of the numbers that describe a network
MAX_PARAMETERS = 1 << 25  # far above any network here, far below what fills a machine


def _read_npy(archive: zipfile.ZipFile, name: str, limit: int) -> np.ndarray:
    """Read an array of an .npz file; no more than is there and allowed, whatever headers say."""
    with archive.open(f"{name}.npy") as member:
        content = member.read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"{name} of more than {limit:,} bytes")
    file = io.BytesIO(content)
    np.lib.format.read_magic(file)
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    return np.frombuffer(content, dtype, math.prod(shape), file.tell()).reshape(shape)


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
    """The arrays that a training step writes to, allocated once for a batch of a given size.

    Attributes
    ----------
    x : (batch, inputs), for a batch of pictures
    hidden : of each hidden layer its activations (batch, units)
    z, d_z : of each layer its pre-activations (batch, units), and the loss's gradient there
    gradients : one for each of the network's `parameters`, views into `vector`
    vector : all gradients end to end, as in the network
    """

    def __init__(self, network: Network, batch: int) -> None:
        def array(units: int, order: Literal["C", "F"] = "C") -> np.ndarray:
            return np.empty((batch, units), network.dtype, order)

        inputs, *hidden, classes = network.sizes
        self.x = array(inputs)
        self.hidden = [array(units) for units in hidden]
        # In memory the scores stand class by class: NumPy adds up over rows faster than along them.
        self.z = [*map(array, hidden), array(classes, "F")]
        self.d_z = [*map(array, hidden), array(classes, "F")]
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
    # The last batch of an epoch may be a smaller one: then there are two sets of buffers.
    buffers_of = {size: Buffers(network, size) for size in {batch_size, n % batch_size} - {0}}
    pixels = np.empty((batch_size, images.shape[1]), images.dtype)
    velocity = np.zeros_like(network.vector)
    history = []
    for number in range(1, epochs + 1):
        order = rng.permutation(n)
        total = 0.0
        for start in range(0, n, batch_size):
            rows = order[start : start + batch_size]
            buffers = buffers_of[len(rows)]
            # There is nothing to clip; but only so does NumPy write straight to `out`.
            buffers.x[...] = np.take(images, rows, axis=0, out=pixels[: len(rows)], mode="clip")
            buffers.x *= scale
            loss, _ = network.loss_and_gradients(buffers.x, labels[rows], buffers)
            buffers.vector *= learning_rate
            velocity *= momentum
            velocity -= buffers.vector
            network.vector += velocity
            total += loss * len(rows)
            if on_batch:
                on_batch(loss)
        score = None
        if validation:
            score = accuracy(predict_images(network, validation[0]), validation[1])
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
        x = scale_pixels(x, network.dtype.type) if x.dtype == np.uint8 else x
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
    for each array |numeric - analytic| / (|numeric| + |analytic|), in Euclidean norms: below 1e-6
    if the gradients are right, about 0.7 if they are unrelated, 1 if opposite; 0 if both are 0
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


if __name__ == "__main__":
    print("The command line is in the book's package: python -m mnist_book train", file=sys.stderr)
    sys.exit(2)
