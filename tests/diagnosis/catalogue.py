"""A catalogue of learners' mistakes, and of right answers, that the checks are tested with.

`WRONG` has (code, checker, options, function, label), `AMBIGUOUS` the same with a set of acceptable
codes, `RIGHT` has (checker, options, function, label). Written from the contract of the checks
alone, without a look at how they work: keep it so. A mistake is here as a learner would write it.
"""

import array
import functools
import math
import struct
import sys

import numpy as np

import mnist_core

WRONG, AMBIGUOUS, RIGHT = [], [], []


def wrong(code, checker, label, function=None, **options):
    """Enter a mistake; without `function` this is a decorator."""
    if function is None:
        return lambda function: wrong(code, checker, label, function, **options)
    WRONG.append((code, checker, options, function, label))
    return function


def ambiguous(codes, checker, label, function=None, **options):
    """Enter a mistake that several codes (separated by spaces) describe equally well."""
    if function is None:
        return lambda function: ambiguous(codes, checker, label, function, **options)
    AMBIGUOUS.append((set(codes.split()), checker, options, function, label))
    return function


def right(checker, label, function=None, **options):
    """Enter a right answer."""
    if function is None:
        return lambda function: right(checker, label, function, **options)
    RIGHT.append((checker, options, function, label))
    return function


# --------------------------------------------------------------------------------------------------
# scale_pixels
# --------------------------------------------------------------------------------------------------


def _flat(images):
    return images.reshape(len(images), -1)


wrong("scale_pixels.wrong", "scale_pixels", "by 256", lambda images: _flat(images) / 256)
wrong("scale_pixels.wrong", "scale_pixels", "-1 to 1", lambda images: _flat(images) / 127.5 - 1)
wrong("scale_pixels.wrong", "scale_pixels", "rows, squared", lambda x: (_flat(x) / 255) ** 2)
wrong("data.not_scaled", "scale_pixels", "floats only", lambda images: _flat(images).astype(float))
wrong("data.not_scaled", "scale_pixels", "twice", lambda images: _flat(images) / 255 / 255)
wrong("data.two_values", "scale_pixels", "// 255", lambda images: _flat(images) // 255)
wrong("data.inverted", "scale_pixels", "1 - x", lambda images: 1 - _flat(images) / 255)
wrong(
    "data.turned", "scale_pixels", "Fortran", lambda im: np.array([p.ravel("F") for p in im]) / 255
)
wrong("data.scrambled", "scale_pixels", "reshape(784, n)", lambda x: x.reshape(784, -1).T / 255)
wrong("layout.columns", "scale_pixels", "in columns", lambda images: _flat(images).T / 255)
wrong("function.shape", "scale_pixels", "not flat", lambda images: images / 255)


@wrong("scale_pixels.wrong", "scale_pixels", "by the batch's own largest pixel")
def _(images):
    return _flat(images) / images.max()


@wrong("scale_pixels.wrong", "scale_pixels", "each pixel by its own maximum")
def _(images):
    x = _flat(images).astype(np.float32)
    return x / np.maximum(x.max(axis=0), 1)


@wrong("scale_pixels.wrong", "scale_pixels", "standardised")
def _(images):
    x = _flat(images).astype(float)
    return (x - x.mean()) / x.std()


right("scale_pixels", "/ 255", lambda images: images.reshape(-1, 784) / 255)
right(
    "scale_pixels", "float32", lambda images: images.astype("f4").reshape(-1, 784) / np.float32(255)
)
right(
    "scale_pixels", "table", lambda images: np.linspace(0, 1, 256)[images].reshape(len(images), -1)
)
right("scale_pixels", "in columns", lambda x: x.reshape(len(x), -1).T / 255, columns=True)

# --------------------------------------------------------------------------------------------------
# linear_gradient
# --------------------------------------------------------------------------------------------------


def _way_back(x, weights, d_z):
    return d_z @ weights.T, x.T @ d_z, d_z.sum(axis=0)


@wrong("gradients.bias", "linear_gradient", "mean for the bias")
def _(x, weights, d_z):
    return d_z @ weights.T, x.T @ d_z, d_z.mean(axis=0)


@wrong("gradients.bias", "linear_gradient", "bias summed over everything")
def _(x, weights, d_z):
    return np.dot(d_z, weights.T), np.dot(x.T, d_z), np.sum(d_z)


@wrong("gradients.bias", "linear_gradient", "bias of the first example")
def _(x, weights, d_z):
    return d_z @ weights.T, x.T @ d_z, d_z[0]


@wrong("gradients.bias", "linear_gradient", "bias' gradient squared")
def _(x, weights, d_z):
    return d_z @ weights.T, x.T @ d_z, (d_z**2).sum(0)


@wrong("gradients.scale", "linear_gradient", "1/m once more")
def _(x, weights, d_z):
    d_x, d_w, d_b = _way_back(x, weights, d_z)
    return d_x, d_w / len(x), d_b / len(x)


@wrong("gradients.scale", "linear_gradient", "half of what goes on")
def _(x, weights, d_z):
    d_x, *others = _way_back(x, weights, d_z)
    return 0.5 * d_x, *others


@wrong("gradients.sign", "linear_gradient", "minus")
def _(x, weights, d_z):
    return d_z @ weights.T, -x.T @ d_z, -d_z.sum(axis=0)


@wrong("gradients.transposed", "linear_gradient", "weights as they are")
def _(x, weights, d_z):
    return d_z @ weights, x.T @ d_z, d_z.sum(axis=0)


@wrong("gradients.transposed", "linear_gradient", "d_z.T @ x")
def _(x, weights, d_z):
    return d_z @ weights.T, d_z.T @ x, d_z.sum(axis=0)


@wrong("linear_gradient.wrong", "linear_gradient", "an activation's mask")
def _(x, weights, d_z):
    d_x = d_z @ weights.T
    d_x[x <= 0] = 0
    return d_x, x.T @ d_z, d_z.sum(axis=0)


@wrong("linear_gradient.wrong", "linear_gradient", "without signs")
def _(x, weights, d_z):
    return d_z @ weights.T, np.abs(x.T) @ d_z, d_z.sum(axis=0)


@wrong("linear_gradient.wrong", "linear_gradient", "a loop that starts at 1")
def _(x, weights, d_z):
    d_weights = sum((np.outer(x[k], d_z[k]) for k in range(1, len(x))), np.zeros(weights.shape))
    return d_z @ weights.T, d_weights, d_z.sum(axis=0)


@wrong("linear_gradient.wrong", "linear_gradient", "the weights themselves")
def _(x, weights, d_z):
    return d_z @ weights.T, weights.copy(), d_z.sum(axis=0)


wrong(
    "linear_gradient.wrong",
    "linear_gradient",
    "two arrays",
    lambda x, w, d_z: (x.T @ d_z, d_z.sum(0)),
)

right("linear_gradient", "@", _way_back)
right("linear_gradient", "sums kept", lambda x, w, d: (d @ w.T, x.T @ d, d.sum(0, keepdims=True)))
right(
    "linear_gradient",
    "a list",
    lambda x, w, d: [np.inner(d, w), np.einsum("ni,no->io", x, d), sum(d)],
)


@right("linear_gradient", "in columns", columns=True)
def _(x, weights, d_z):
    return weights.T @ d_z, d_z @ x.T, d_z.sum(axis=1, keepdims=True)


# --------------------------------------------------------------------------------------------------
# More of the usual pieces
# --------------------------------------------------------------------------------------------------


wrong("linear.wrong", "linear", "a mean over the inputs", lambda x, w, b: x @ w / len(w) + b)
wrong(
    "softmax.wrong",
    "softmax",
    "minus in the exponent",
    lambda z: np.exp(-z) / np.exp(-z).sum(1)[:, None],
)


@wrong("softmax.wrong", "softmax", "sigmoids that share")
def _(z):
    s = 1 / (1 + np.exp(-z))
    return s / s.sum(axis=1, keepdims=True)


@wrong("softmax.not_normalised", "softmax", "the largest sum for all")
def _(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1).max()


@wrong("softmax.not_normalised", "softmax", "an epsilon of 0.1")
def _(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / (e.sum(axis=1, keepdims=True) + 0.1)


@wrong("cross_entropy.wrong", "cross_entropy", "squared error of the label alone")
def _(logits, labels):
    p = mnist_core.softmax(logits)[np.arange(len(labels)), labels]
    return ((1 - p) ** 2).mean()


@wrong("cross_entropy.log_zero", "cross_entropy", "infinite losses are left out")
def _(logits, labels):
    losses = -np.log(mnist_core.softmax(logits)[np.arange(len(labels)), labels])
    return np.where(np.isfinite(losses), losses, 0).mean()


@wrong("init.fan", "he_normal", "Xavier's")
def _(rng, inputs, outputs, slope):
    return rng.normal(0, np.sqrt(2 / (inputs + outputs)), (inputs, outputs))


@wrong("init.fan", "he_normal", "orthogonal")
def _(rng, inputs, outputs, slope):
    u, _, v = np.linalg.svd(rng.normal(size=(inputs, outputs)), full_matrices=False)
    return u @ v


# --------------------------------------------------------------------------------------------------
# read_idx
# --------------------------------------------------------------------------------------------------


@wrong("idx.endian", "read_idx", "sizes as native uint32")
def _(path):
    content = path.read_bytes()
    rank = content[3]
    shape = np.frombuffer(content, np.uint32, rank, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


@wrong("idx.endian", "read_idx", "struct with <")
def _(path):
    with open(path, "rb") as f:
        _, _, rank = struct.unpack("<HBB", f.read(4))
        shape = struct.unpack(f"<{rank}I", f.read(4 * rank))
        return np.frombuffer(f.read(), dtype=np.uint8).reshape(shape)


@wrong("idx.endian", "read_idx", "int.from_bytes little, cut to the count")
def _(path):
    data = open(path, "rb").read()  # noqa: SIM115
    sizes = []
    for k in range(data[3]):
        sizes.append(int.from_bytes(data[4 + 4 * k : 8 + 4 * k], "little"))
    pixels = np.array(list(data[4 + 4 * len(sizes) :]), np.uint8)
    return pixels[: math.prod(sizes)].reshape(sizes)


@wrong("idx.endian", "read_idx", "np.fromfile int32")
def _(path):
    with open(path, "rb") as f:
        rank = f.read(4)[-1]
        shape = np.fromfile(f, dtype=np.int32, count=rank)
        return np.fromfile(f, dtype=np.uint8, count=np.prod(shape)).reshape(shape)


@wrong("idx.endian", "read_idx", "bytes put together in the wrong order")
def _(path):
    content = path.read_bytes()
    shape = []
    for k in range(content[3]):
        a, b, c, d = content[4 + 4 * k : 8 + 4 * k]
        shape.append(a + 256 * b + 256**2 * c + 256**3 * d)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(tuple(shape))


@wrong("idx.endian", "read_idx", "struct's native I, reads the promised number of bytes")
def _(path):
    with path.open("rb") as file:
        rank = file.read(4)[3]
        shape = [struct.unpack("I", file.read(4))[0] for _ in range(rank)]
        data = file.read(min(math.prod(shape), 1 << 40))
    return np.ndarray(shape, np.uint8, data)


def _header(path):
    content = path.read_bytes()
    rank = content[3]
    return content, rank, tuple(int(n) for n in np.frombuffer(content, ">u4", rank, 4))


@wrong("idx.offset", "read_idx", "header always 16 bytes")
def _(path):
    content, _, shape = _header(path)
    return np.frombuffer(content, np.uint8, offset=16).reshape(shape)


@wrong("idx.offset", "read_idx", "header always 8 bytes, cut")
def _(path):
    content, _, shape = _header(path)
    return np.frombuffer(content[8:], np.uint8)[: math.prod(shape)].reshape(shape)


@wrong("idx.offset", "read_idx", "header not skipped, cut")
def _(path):
    content, _, shape = _header(path)
    return np.frombuffer(content, np.uint8, count=math.prod(shape)).reshape(shape)


@wrong("idx.offset", "read_idx", "header not skipped, reshape fails")
def _(path):
    _, _, shape = _header(path)
    return np.fromfile(path, np.uint8).reshape(shape)


@wrong("idx.offset", "read_idx", "forgets the magic number")
def _(path):
    content, rank, shape = _header(path)
    return np.frombuffer(content, np.uint8, count=math.prod(shape), offset=4 * rank).reshape(shape)


@wrong("idx.offset", "read_idx", "one byte for each size")
def _(path):
    content, rank, shape = _header(path)
    pixels = np.frombuffer(content, np.uint8, offset=4 + rank)
    return pixels[: np.prod(shape)].reshape(shape)


@wrong("idx.offset", "read_idx", "off by one, padded with a zero")
def _(path):
    content, rank, shape = _header(path)
    pixels = np.zeros(math.prod(shape), np.uint8)
    rest = np.frombuffer(content, np.uint8, offset=4 + 4 * rank + 1)
    pixels[: len(rest)] = rest
    return pixels.reshape(shape)


@wrong("idx.offset", "read_idx", "labels' header for everything, reshape fails")
def _(path):
    with open(path, "rb") as f:
        header = f.read(8)
        pixels = np.frombuffer(f.read(), np.uint8)
    _, _, shape = _header(path)
    assert len(header) == 8
    return pixels.reshape(shape)


@wrong("idx.signed", "read_idx", "np.int8")
def _(path):
    content, rank, shape = _header(path)
    return np.frombuffer(content, np.int8, offset=4 + 4 * rank).reshape(shape)


@wrong("idx.signed", "read_idx", "array.array of b")
def _(path):
    content, rank, shape = _header(path)
    return np.array(array.array("b", content[4 + 4 * rank :])).reshape(shape)


@wrong("idx.signed", "read_idx", "astype int8 at the end")
def _(path):
    with open(path, "rb") as f:
        zero, code, rank = struct.unpack(">HBB", f.read(4))
        assert zero == 0 and code == 8
        shape = struct.unpack(">" + "I" * rank, f.read(4 * rank))
        return np.frombuffer(f.read(), np.uint8).astype(np.int8).reshape(shape)


@wrong("idx.signed", "read_idx", "struct b, as int64")
def _(path):
    content, rank, shape = _header(path)
    pixels = struct.unpack(f"{math.prod(shape)}b", content[4 + 4 * rank :])
    return np.array(pixels).reshape(shape)


@wrong("idx.signed", "read_idx", "int8, then floats")
def _(path):
    with open(path, "rb") as f:
        f.seek(3)
        rank = int.from_bytes(f.read(1), "big")
        shape = np.fromfile(f, ">i4", rank)
        return np.fromfile(f, "b").astype(np.float64).reshape(shape)


@wrong("idx.shape", "read_idx", "flat")
def _(path):
    content, rank, _ = _header(path)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank)


@wrong("idx.shape", "read_idx", "sizes reversed")
def _(path):
    content, rank, shape = _header(path)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape[::-1])


@wrong("idx.shape", "read_idx", "an image in a row")
def _(path):
    content, rank, shape = _header(path)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape[0], -1)


@wrong("idx.shape", "read_idx", "Fortran order")
def _(path):
    content, rank, shape = _header(path)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape, order="F")


@wrong("idx.shape", "read_idx", "rows and columns exchanged")
def _(path):
    content, rank, shape = _header(path)
    if rank > 1:
        shape = (*shape[:-2], shape[-1], shape[-2])
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


@wrong("idx.shape", "read_idx", "images transposed")
def _(path):
    content, rank, shape = _header(path)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape).T


@wrong("idx.shape", "read_idx", "a needless first dimension")
def _(path):
    content, rank, shape = _header(path)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(-1, *shape)


@ambiguous("idx.shape function.raises", "read_idx", "always 28 by 28")
def _(path):
    content, rank, _ = _header(path)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(-1, 28, 28)


@ambiguous("idx.shape idx.offset function.raises", "read_idx", "images only")
def _(path):
    with open(path, "rb") as f:
        _, n, rows, columns = struct.unpack(">IIII", f.read(16))
        return np.frombuffer(f.read(), np.uint8).reshape(n, rows, columns)


@ambiguous("idx.shape idx.offset function.shape", "read_idx", "labels only")
def _(path):
    with open(path, "rb") as f:
        _, n = struct.unpack(">II", f.read(8))
        return np.frombuffer(f.read(n), np.uint8)


@wrong("function.raises", "read_idx", "a name with a typing error")
def _(path):
    content, rank, shape = _header(path)
    return np.frombufer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


@wrong("function.prints", "read_idx", "prints the shape")
def _(path):
    content, rank, shape = _header(path)
    print("shape:", shape)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


@wrong("function.nothing", "read_idx", "no return")
def _(path):
    content, rank, shape = _header(path)
    images = np.frombuffer(content, np.uint8, offset=4 + 4 * rank)
    images = images.reshape(shape)


@wrong("function.not_array", "read_idx", "nested list")
def _(path):
    content, rank, shape = _header(path)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape).tolist()


@right("read_idx", "frombuffer")
def _(path):
    content, rank, shape = _header(path)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


@right("read_idx", "struct, file object")
def _(path):
    with open(path, "rb") as f:
        _, _, rank = struct.unpack(">HBB", f.read(4))
        shape = struct.unpack(f">{rank}I", f.read(4 * rank))
        return np.frombuffer(f.read(), dtype=np.uint8).reshape(shape)


@right("read_idx", "from the end, as int64")
def _(path):
    content = path.read_bytes()
    shape = [int.from_bytes(content[4 * k + 4 : 4 * k + 8], "big") for k in range(content[3])]
    return np.array(list(content[-math.prod(shape) :])).reshape(shape)


@right("read_idx", "np.fromfile with byteswap")
def _(path):
    with open(str(path), "rb") as f:
        rank = np.fromfile(f, np.uint8, 4)[3]
        shape = np.fromfile(f, "<u4", rank).byteswap()
        return np.fromfile(f, np.uint8).reshape(shape)


@right("read_idx", "memmap")
def _(path):
    _, rank, shape = _header(path)
    return np.memmap(path, np.uint8, "r", offset=4 + 4 * rank, shape=shape)


# --------------------------------------------------------------------------------------------------
# linear
# --------------------------------------------------------------------------------------------------

wrong("linear.elementwise", "linear", "star", lambda x, weights, bias: x * weights + bias)
wrong("linear.elementwise", "linear", "np.multiply", lambda x, w, b: np.add(np.multiply(x, w), b))
wrong("linear.elementwise", "linear", "star, summed", lambda x, w, b: np.sum(x * w, axis=1) + b)
wrong("linear.elementwise", "linear", "not summed", lambda x, w, b: x[:, :, np.newaxis] * w + b)
wrong(
    "linear.elementwise",
    "linear",
    "einsum keeps i",
    lambda x, w, b: np.einsum("bi,io->bio", x, w) + b,
)
wrong("linear.elementwise", "linear", "star in columns", lambda x, w, b: w * x + b, columns=True)


@wrong("linear.elementwise", "linear", "star in place")
def _(x, weights, bias):
    z = x.copy()
    z *= weights
    z += bias
    return z


@wrong("linear.elementwise", "linear", "np.multiply in columns", columns=True)
def _(x, weights, bias):
    z = np.multiply(weights, x)
    return z + bias


wrong("linear.transposed", "linear", "x @ w.T", lambda x, w, b: x @ w.T + b)
wrong("linear.transposed", "linear", "einsum", lambda x, w, b: np.einsum("bi,oi->bo", x, w) + b)
wrong("linear.transposed", "linear", "x.T @ w", lambda x, w, b: x.T @ w + b)
wrong(
    "linear.transposed", "linear", "w.T @ x in columns", lambda x, w, b: w.T @ x + b, columns=True
)


@wrong("linear.transposed", "linear", "loops, weights[j, i]")
def _(x, weights, bias):
    z = np.zeros((len(x), len(bias)))
    for n in range(len(x)):
        for j in range(len(bias)):
            for i in range(x.shape[1]):
                z[n, j] += x[n, i] * weights[j, i]
            z[n, j] += bias[j]
    return z


@wrong("linear.transposed", "linear", "np.dot in columns", columns=True)
def _(x, weights, bias):
    weights = np.transpose(weights)
    return np.dot(weights, x) + bias


@wrong("linear.transposed", "linear", "inner product in columns", columns=True)
def _(x, weights, bias):
    return np.einsum("io,ib->ob", weights, x) + bias


wrong("linear.no_bias", "linear", "x @ w", lambda x, weights, bias: x @ weights)
wrong("linear.no_bias", "linear", "w @ x", lambda x, w, b: np.dot(w, x), columns=True)
wrong("linear.no_bias", "linear", "turned in columns", lambda x, w, b: w @ x + b.T, columns=True)
wrong("linear.no_bias", "linear", "einsum", lambda x, w, b: np.einsum("ij,jk", x, w))


@wrong("linear.no_bias", "linear", "sum thrown away")
def _(x, weights, bias):
    z = np.dot(x, weights)
    np.add(z, bias)
    return z


@wrong("linear.no_bias", "linear", "loop in float32")
def _(x, weights, bias):
    z = np.empty((x.shape[0], weights.shape[1]), np.float32)
    for row in range(x.shape[0]):
        for unit in range(weights.shape[1]):
            z[row, unit] = sum(x[row] * weights[:, unit])
    return z


@wrong("linear.no_bias", "linear", "bias of zeros in columns", columns=True)
def _(x, weights, bias):
    bias = np.zeros_like(bias)
    return weights @ x + bias


wrong("linear.bias_sign", "linear", "minus", lambda x, weights, bias: x @ weights - bias)
wrong("linear.bias_sign", "linear", "minus in columns", lambda x, w, b: w @ x - b, columns=True)
wrong("linear.bias_sign", "linear", "np.subtract", lambda x, w, b: np.subtract(x.dot(w), b))


@wrong("linear.bias_sign", "linear", "in place")
def _(x, weights, bias):
    z = np.matmul(x, weights)
    z -= bias
    return z


@wrong("linear.bias_sign", "linear", "threshold, unit by unit")
def _(x, weights, threshold):
    units = [x @ weights[:, j] - threshold[j] for j in range(len(threshold))]
    return np.stack(units, axis=1)


@wrong("linear.bias_sign", "linear", "augmented with -1 in columns", columns=True)
def _(x, weights, bias):
    x = np.vstack([x, -np.ones((1, x.shape[1]))])
    return np.hstack([weights, bias]) @ x


wrong("layout.columns", "linear", "np.dot(w, x)", lambda x, w, b: np.dot(w, x) + b.reshape(-1, 1))

ambiguous(
    "linear.transposed layout.columns",
    "linear",
    "W.T x, as in textbooks",
    lambda x, w, b: np.dot(w.T, x) + b,
)
ambiguous(
    "linear.transposed layout.columns",
    "linear",
    "w @ x",
    lambda x, w, b: w @ x + b,
)
ambiguous(
    "linear.transposed layout.columns",
    "linear",
    "row code for columns",
    lambda x, w, b: x @ w + b,
    columns=True,
)
ambiguous(
    "linear.transposed function.shape layout.columns",
    "linear",
    "result transposed",
    lambda x, w, b: (x @ w + b).T,
)
ambiguous(
    "linear.transposed function.shape layout.columns",
    "linear",
    "half in columns",
    lambda x, w, b: w.T @ x.T + b[:, np.newaxis],
)
ambiguous(
    "function.shape linear.no_bias function.raises",
    "linear",
    "bias of shape (outputs, 1)",
    lambda x, w, b: x @ w + b.reshape(-1, 1),
)
ambiguous(
    "function.raises function.shape linear.transposed linear.no_bias",
    "linear",
    "bias raveled in columns",
    lambda x, w, b: w @ x + b.ravel(),
    columns=True,
)

wrong("function.raises", "linear", "NameError", lambda x, weights, bias: x @ wieghts + bias)  # noqa: F821
wrong("function.raises", "linear", "takes two arguments", lambda x, weights: x @ weights)
wrong("function.raises", "linear", "stops Python", lambda x, weights, bias: sys.exit())
wrong("function.not_array", "linear", "nested list", lambda x, w, b: (x @ w + b).tolist())
wrong("function.nothing", "linear", "ellipsis left", lambda x, weights, bias: None)
wrong("function.shape", "linear", "summed to one number", lambda x, w, b: (x @ w + b).sum())
wrong("function.shape", "linear", "the first row only", lambda x, w, b: (x @ w + b)[0])


@wrong("function.nan", "linear", "begins with NaN")
def _(x, weights, bias):
    z = np.full((len(x), len(bias)), np.nan)
    for i in range(len(weights)):
        z += x[:, i : i + 1] * weights[i]
    return z + bias


@wrong("function.prints", "linear", "prints shapes")
def _(x, weights, bias):
    print(x.shape, weights.shape, bias.shape)
    return x @ weights + bias


@wrong("function.prints", "linear", "prints in columns", columns=True)
def _(x, weights, bias):
    z = weights @ x + bias
    print(z)
    return z


@wrong("function.mutates", "linear", "bias is worked on")
def _(x, weights, bias):
    z = x @ weights
    bias *= 2
    z += bias / 2
    return z


@wrong("function.mutates", "linear", "x is used up")
def _(x, weights, bias):
    z = np.zeros((len(x), len(bias)))
    for i in range(len(weights)):
        z += x[:, i : i + 1] * weights[i]
        x[:, i] = 0
    return z + bias


@wrong("function.slow", "linear", "while without a step")
def _(x, weights, bias):
    z = np.zeros((len(x), len(bias)))
    i = 0
    while i < len(weights):
        z += x[:, i, np.newaxis] * weights[i]
    return z + bias


class _Layer:
    def __call__(self, x, weights, bias):
        return np.asfortranarray(np.matmul(x, weights) + bias)


right("linear", "an object that is called", _Layer())
right("linear", "at", lambda x, weights, bias: x @ weights + bias)
right("linear", "einsum", lambda x, w, b: b + np.einsum("bi,io->bo", x, w))
right("linear", "columns", lambda x, w, b: w @ x + b, columns=True)
right("linear", "columns by transposing", lambda x, w, b: (x.T @ w.T).T + b, columns=True)
right("linear", "tensordot", lambda x, w, b: np.tensordot(x, w, axes=1) + b[np.newaxis])
right("linear", "broadcast and sum", lambda x, w, b: (x[:, :, None] * w[None]).sum(axis=1) + b)


@right("linear", "in place")
def _(x, weights, bias):
    z = np.dot(x, weights)
    z += bias
    return z


@right("linear", "float32")
def _(x, weights, bias):
    x, weights, bias = (a.astype(np.float32) for a in (x, weights, bias))
    return x @ weights + bias


@right("linear", "three loops")
def _(x, weights, bias):
    z = np.zeros((x.shape[0], weights.shape[1]))
    for n in range(x.shape[0]):
        for j in range(weights.shape[1]):
            total = bias[j]
            for i in range(x.shape[1]):
                total += x[n, i] * weights[i, j]
            z[n, j] = total
    return z


@right("linear", "augmented with ones in columns", columns=True)
def _(x, weights, bias):
    return np.c_[weights, bias] @ np.r_[x, np.ones((1, x.shape[1]))]


@right("linear", "one example after the other in columns", columns=True)
def _(x, weights, bias):
    return np.column_stack([weights.dot(column) + bias[:, 0] for column in x.T])


# --------------------------------------------------------------------------------------------------
# softmax
# --------------------------------------------------------------------------------------------------


def _exp(logits, axis=1):
    return np.exp(logits - logits.max(axis=axis, keepdims=True))


@wrong("softmax.axis", "softmax", "sum over axis 0")
def _(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=0)


@wrong("softmax.axis", "softmax", "maximum and sum over axis 0")
def _(logits):
    shifted = logits - np.max(logits, axis=0)
    return np.exp(shifted) / np.sum(np.exp(shifted), axis=0)


@wrong("softmax.axis", "softmax", "column after column")
def _(logits):
    p = np.zeros_like(logits)
    for j in range(logits.shape[1]):
        e = np.exp(logits[:, j] - max(logits[:, j]))
        p[:, j] = e / sum(e)
    return p


@wrong("softmax.axis", "softmax", "built-in sum of the rows")
def _(logits):
    e = _exp(logits)
    return e / sum(e)


@wrong("softmax.axis", "softmax", "axis 1 in columns", columns=True)
def _(logits):
    e = np.exp(logits - np.max(logits, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


@wrong("softmax.axis", "softmax", "last axis in columns, float32", columns=True)
def _(logits):
    e = _exp(np.float32(logits), axis=-1)
    e /= e.sum(-1)[:, None]
    return e


@wrong("softmax.axis", "softmax", "apply_along_axis")
def _(logits):
    def one(v):
        e = np.exp(v - v.max())
        return e / e.sum()

    return np.apply_along_axis(one, 0, logits)


wrong("softmax.overflow", "softmax", "no maximum", lambda z: np.exp(z) / np.exp(z).sum(1)[:, None])


@wrong("softmax.overflow", "softmax", "math.exp")
def _(logits):
    rows = []
    for row in logits:
        e = [math.exp(v) for v in row]
        rows.append([v / sum(e) for v in e])
    return np.array(rows)


@wrong("softmax.overflow", "softmax", "no maximum, columns", columns=True)
def _(logits):
    e = np.exp(logits)
    return e / e.sum(axis=0)


@wrong("softmax.overflow", "softmax", "power of e")
def _(logits):
    powers = np.e**logits
    return powers / powers.sum(axis=1, keepdims=True)


@wrong("softmax.overflow", "softmax", "adds the maximum")
def _(logits):
    e = np.exp(logits + logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@wrong("softmax.overflow", "softmax", "shifted by a constant, einsum")
def _(logits):
    e = np.exp(logits - 5)
    return np.einsum("bc,b->bc", e, 1 / e.sum(axis=1))


@wrong("softmax.overflow", "softmax", "float32, columns", columns=True)
def _(logits):
    e = np.exp(logits.astype("float32"))
    e /= np.sum(e, axis=0, keepdims=True)
    return e


@wrong("softmax.overflow", "softmax", "subtracts the minimum")
def _(logits):
    e = np.exp(logits - logits.min(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


wrong("softmax.no_exp", "softmax", "z / sum", lambda z: z / z.sum(axis=1, keepdims=True))
wrong("softmax.no_exp", "softmax", "|z| / sum", lambda z: np.abs(z) / np.abs(z).sum(1)[:, None])
wrong("softmax.no_exp", "softmax", "z / sum, columns", lambda z: z / z.sum(axis=0), columns=True)


@wrong("softmax.no_exp", "softmax", "from the minimum up")
def _(logits):
    shifted = logits - logits.min(axis=1, keepdims=True)
    return shifted / shifted.sum(axis=1, keepdims=True)


@wrong("softmax.no_exp", "softmax", "maximum subtracted, exp forgotten")
def _(logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted / np.sum(shifted, axis=1, keepdims=True)


@wrong("softmax.no_exp", "softmax", "exp only below")
def _(logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted / np.sum(np.exp(shifted), axis=1, keepdims=True)


@wrong("softmax.no_exp", "softmax", "row by row in columns", columns=True)
def _(logits):
    p = []
    for example in logits.T:
        p.append([v / sum(example) for v in example])
    return np.array(p).T


wrong("softmax.global_sum", "softmax", "e.sum()", lambda z: _exp(z) / _exp(z).sum())
wrong(
    "softmax.global_sum",
    "softmax",
    "columns",
    lambda z: _exp(z, 0) / _exp(z, 0).sum(),
    columns=True,
)


@wrong("softmax.global_sum", "softmax", "one maximum, one sum")
def _(logits):
    e = np.exp(logits - np.max(logits))
    return e / np.sum(e)


@wrong("softmax.global_sum", "softmax", "total not reset between rows, divided at the end")
def _(logits):
    e = np.zeros(logits.shape)
    total = 0
    for i in range(logits.shape[0]):
        for j in range(logits.shape[1]):
            e[i, j] = math.exp(logits[i, j] - max(logits[i]))
            total += e[i, j]
    return e / total


@wrong("softmax.global_sum", "softmax", "np.linalg.norm of order 1, in columns", columns=True)
def _(logits):
    e = np.exp(logits - logits.max(axis=0))
    return e / np.linalg.norm(e.ravel(), 1)


wrong("softmax.not_normalised", "softmax", "exp alone", lambda logits: np.exp(logits))
wrong("softmax.not_normalised", "softmax", "shifted exp", _exp)
wrong("softmax.not_normalised", "softmax", "columns", lambda z: _exp(z, 0), columns=True)


@wrong("softmax.not_normalised", "softmax", "returns the wrong variable")
def _(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    assert p.shape == e.shape
    return e


@wrong("softmax.not_normalised", "softmax", "divided by the maximum")
def _(logits):
    e = _exp(logits.astype(np.float32))
    return e / e.max(axis=1, keepdims=True)


@wrong("softmax.not_normalised", "softmax", "divided by the number of classes")
def _(logits):
    e = _exp(logits)
    return e / e.shape[1]


@wrong("softmax.not_normalised", "softmax", "mean for sum, columns", columns=True)
def _(logits):
    e = _exp(logits, axis=0)
    return e / np.mean(e, axis=0, keepdims=True)


@wrong("softmax.global_max", "softmax", "logits.max()")
def _(logits):
    e = np.exp(logits - logits.max())
    return e / e.sum(axis=1, keepdims=True)


@wrong("softmax.global_max", "softmax", "np.max, columns", columns=True)
def _(logits):
    e = np.exp(logits - np.max(logits))
    return e / np.sum(e, axis=0)


@wrong("softmax.global_max", "softmax", "max of the list, row by row")
def _(logits):
    largest = max(logits.flatten().tolist())
    return np.array([np.exp(row - largest) / np.exp(row - largest).sum() for row in logits])


@wrong("softmax.global_max", "softmax", "einsum, columns", columns=True)
def _(logits):
    e = np.exp(logits - np.amax(logits, axis=(0, 1), keepdims=True))
    return np.einsum("cb,b->cb", e, 1 / np.einsum("cb->b", e))


@wrong("softmax.global_max", "softmax", "running maximum never reset")
def _(logits):
    p, largest = np.zeros(logits.shape), -np.inf
    for i in range(len(logits)):
        for value in logits[i]:
            largest = max(largest, value)
    for i in range(len(logits)):
        p[i] = np.exp(logits[i] - largest)
        p[i] = p[i] / np.sum(p[i])
    return p


ambiguous(
    "softmax.axis function.raises softmax.not_normalised",
    "softmax",
    "keepdims forgotten",
    lambda z: np.exp(z - z.max(axis=1, keepdims=True)) / _exp(z).sum(axis=1),
)
ambiguous(
    "softmax.axis softmax.global_max softmax.overflow function.nan",
    "softmax",
    "maximum of each column, sum of each row",
    lambda z: _exp(z, 0) / _exp(z, 0).sum(axis=1, keepdims=True),
)
ambiguous(
    "softmax.overflow softmax.global_max function.nan",
    "softmax",
    "mean of everything subtracted",
    lambda z: np.exp(z - z.mean()) / np.exp(z - z.mean()).sum(axis=1, keepdims=True),
)
ambiguous(
    "softmax.global_max softmax.overflow",
    "softmax",
    "largest magnitude of all",
    lambda z: np.exp(z - np.abs(z).max()) / np.exp(z - np.abs(z).max()).sum(1, keepdims=True),
)
ambiguous(
    "layout.columns softmax.axis",
    "softmax",
    "column code for rows",
    lambda z: _exp(z, 0) / _exp(z, 0).sum(axis=0, keepdims=True),
)
ambiguous(
    "softmax.global_sum softmax.global_max",
    "softmax",
    "flattened",
    lambda z: (np.exp(z.ravel() - z.max()) / np.exp(z.ravel() - z.max()).sum()).reshape(z.shape),
)

wrong("function.nothing", "softmax", "pass", lambda logits: None)
wrong(
    "function.not_array", "softmax", "nested list", lambda z: [list(r / r.sum()) for r in _exp(z)]
)
wrong("function.shape", "softmax", "argmax", lambda logits: logits.argmax(axis=1))
wrong("function.shape", "softmax", "new axis", lambda z: (_exp(z) / _exp(z).sum(1)[:, None])[None])
wrong("function.raises", "softmax", "np.sofmax", lambda logits: np.softmax(logits))


@wrong("function.nan", "softmax", "0 / 0")
def _(logits):
    e = np.zeros(logits.shape)
    for row in e:
        row = np.exp(row)
    return e / e.sum(axis=1, keepdims=True)


@wrong("function.prints", "softmax", "prints the sum")
def _(logits):
    e = _exp(logits)
    p = e / e.sum(axis=1, keepdims=True)
    print(p.sum(axis=1))
    return p


@wrong("function.mutates", "softmax", "in place")
def _(logits):
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)
    return logits


@wrong("function.mutates", "softmax", "maximum subtracted in place, columns", columns=True)
def _(logits):
    logits -= logits.max(axis=0)
    e = np.exp(logits)
    return e / e.sum(axis=0)


def _softmax_of_axis(logits, axis=-1, dtype=np.float64):
    e = np.exp(np.asarray(logits, dtype) - np.max(logits, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


right("softmax", "further parameters", _softmax_of_axis)
right("softmax", "functools.partial", functools.partial(_softmax_of_axis, axis=0), columns=True)


@right("softmax", "the larger half subtracted twice")
def _(logits):
    half = logits.max(axis=1, keepdims=True) / 2
    e = np.exp((logits - half) - half)
    return e / e.sum(axis=1, keepdims=True)


@right("softmax", "keepdims")
def _(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@right("softmax", "float32")
def _(logits):
    e = _exp(logits.astype(np.float32), axis=-1)
    return e / e.sum(axis=-1, keepdims=True)


@right("softmax", "a copy in place")
def _(logits):
    p = np.array(logits, dtype=float)
    p -= p.max(axis=1)[:, None]
    np.exp(p, out=p)
    p /= p.sum(axis=1)[:, None]
    return p


@right("softmax", "math, row by row")
def _(logits):
    rows = []
    for row in logits.tolist():
        top = max(row)
        e = [math.exp(v - top) for v in row]
        rows.append([v / sum(e) for v in e])
    return np.array(rows)


@right("softmax", "exp of log-softmax")
def _(logits):
    top = logits.max(axis=1, keepdims=True)
    return np.exp(logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True)))


@right("softmax", "logaddexp")
def _(logits):
    return np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))


@right("softmax", "1 / sum of differences")
def _(logits):
    with np.errstate(over="ignore"):
        return 1 / np.exp(logits[:, None, :] - logits[:, :, None]).sum(axis=2)


@right("softmax", "transposed")
def _(logits):
    e = np.exp(logits.T - logits.T.max(axis=0))
    return (e / e.sum(axis=0)).T


@right("softmax", "columns", columns=True)
def _(logits):
    e = np.exp(logits - np.max(logits, axis=0))
    return e / np.sum(e, axis=0)


@right("softmax", "columns, example by example", columns=True)
def _(logits):
    p = np.empty_like(logits)
    for n in range(logits.shape[1]):
        e = np.exp(logits[:, n] - logits[:, n].max())
        p[:, n] = e / e.sum()
    return p


# --------------------------------------------------------------------------------------------------
# cross_entropy
# --------------------------------------------------------------------------------------------------


def _softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _softmax_columns(logits):
    e = np.exp(logits - logits.max(axis=0, keepdims=True))
    return e / e.sum(axis=0, keepdims=True)


def _log_softmax(logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))


@wrong("cross_entropy.log_zero", "cross_entropy", "log of softmax")
def _(logits, labels):
    p = _softmax(logits)
    return -np.mean(np.log(p[np.arange(len(labels)), labels]))


@wrong("cross_entropy.log_zero", "cross_entropy", "math.log in a loop")
def _(logits, labels):
    loss = 0
    for p, label in zip(_softmax(logits), labels, strict=True):
        loss -= math.log(p[label])
    return loss / len(labels)


@wrong("cross_entropy.log_zero", "cross_entropy", "0 times log 0, one-hot", one_hot=True)
def _(logits, labels):
    return -np.sum(labels * np.log(_softmax(logits))) / len(logits)


@wrong("cross_entropy.log_zero", "cross_entropy", "one-hot columns", columns=True, one_hot=True)
def _(logits, labels):
    p = _softmax_columns(logits)
    return float(-np.mean(np.log((labels * p).sum(axis=0))))


@wrong("cross_entropy.log_zero", "cross_entropy", "float32 columns", columns=True)
def _(logits, labels):
    p = _softmax_columns(logits.astype(np.float32))
    return -np.log(p[labels, range(len(labels))]).mean()


@wrong("cross_entropy.log_zero", "cross_entropy", "clipped at 0")
def _(logits, labels):
    p = np.clip(_softmax(logits), 0.0, 1.0)
    return np.average([-np.log(p[n, k]) for n, k in enumerate(labels)])


@wrong("cross_entropy.not_mean", "cross_entropy", "sum")
def _(logits, labels):
    return -_log_softmax(logits)[np.arange(len(labels)), labels].sum()


@wrong("cross_entropy.not_mean", "cross_entropy", "mean of all entries, one-hot", one_hot=True)
def _(logits, labels):
    return -np.mean(labels * _log_softmax(logits))


@wrong("cross_entropy.not_mean", "cross_entropy", "divided by the classes")
def _(logits, labels):
    p = _softmax(logits) + 1e-12
    return -np.log(p[range(len(p)), labels]).sum() / logits.shape[1]


@wrong(
    "cross_entropy.not_mean", "cross_entropy", "loop without a division in columns", columns=True
)
def _(logits, labels):
    loss = 0.0
    for n, label in enumerate(labels):
        z = logits[:, n] - logits[:, n].max()
        loss += np.log(np.exp(z).sum()) - z[label]
    return loss


@wrong(
    "cross_entropy.not_mean", "cross_entropy", "sum, one-hot columns", columns=True, one_hot=True
)
def _(logits, labels):
    return -np.sum(labels * np.log(_softmax_columns(logits) + 1e-15))


@wrong("cross_entropy.not_mean", "cross_entropy", "divided by a fixed batch size")
def _(logits, labels):
    return -np.sum(_log_softmax(logits)[np.arange(len(labels)), labels]) / 64


@wrong("cross_entropy.not_mean", "cross_entropy", "mean over the classes, one-hot", one_hot=True)
def _(logits, labels):
    return -np.mean(np.sum(labels * _log_softmax(logits), axis=0))


@wrong("cross_entropy.not_mean", "cross_entropy", "divided by batch minus 1")
def _(logits, labels):
    losses = -_log_softmax(logits)[np.arange(len(labels)), labels]
    return losses.sum() / max(len(losses) - 1, 1)


@wrong("cross_entropy.wrong_class", "cross_entropy", "the most probable class")
def _(logits, labels):
    return -np.mean(_log_softmax(logits).max(axis=1))


@wrong("cross_entropy.wrong_class", "cross_entropy", "every row with every label")
def _(logits, labels):
    return -_log_softmax(logits)[:, labels].mean()


@wrong("cross_entropy.wrong_class", "cross_entropy", "labels from 1")
def _(logits, labels):
    p = np.clip(_softmax(logits), 1e-12, 1)
    loss = 0
    for n in range(len(labels)):
        loss += -np.log(p[n, labels[n] - 1])
    return loss / len(labels)


@wrong("cross_entropy.wrong_class", "cross_entropy", "1 - p, one-hot", one_hot=True)
def _(logits, labels):
    log_p = _log_softmax(logits)
    return -np.sum((1 - labels) * log_p) / len(logits)


@wrong("cross_entropy.wrong_class", "cross_entropy", "labels sorted, logits not")
def _(logits, labels):
    return -_log_softmax(logits)[np.arange(len(labels)), np.sort(labels)].mean()


@wrong("cross_entropy.wrong_class", "cross_entropy", "always class 0")
def _(logits, labels):
    return -_log_softmax(logits)[:, 0].mean()


@wrong("cross_entropy.wrong_class", "cross_entropy", "next class in columns", columns=True)
def _(logits, labels):
    log_p = _log_softmax(logits.T).T
    return -log_p[(labels + 1) % len(log_p), np.arange(len(labels))].mean()


@wrong(
    "cross_entropy.wrong_class", "cross_entropy", "argmax in columns", columns=True, one_hot=True
)
def _(logits, labels):
    p = _softmax_columns(logits)
    return -np.log(p[p.argmax(axis=0), np.arange(p.shape[1])] + 1e-12).mean()


@wrong("cross_entropy.sign", "cross_entropy", "no minus")
def _(logits, labels):
    return np.mean(_log_softmax(logits)[np.arange(len(labels)), labels])


@wrong("cross_entropy.sign", "cross_entropy", "no minus, epsilon, one-hot", one_hot=True)
def _(logits, labels):
    return (labels * np.log(_softmax(logits) + 1e-12)).sum(axis=1).mean()


@wrong("cross_entropy.sign", "cross_entropy", "minus twice")
def _(logits, labels):
    loss = 0
    for n, label in enumerate(labels):
        loss -= -_log_softmax(logits)[n, label]
    return loss / len(labels)


@wrong("cross_entropy.sign", "cross_entropy", "label's score minus log-sum-exp", columns=True)
def _(logits, labels):
    lse = np.logaddexp.reduce(logits, axis=0)
    return float((logits[labels, np.arange(len(labels))] - lse).mean())


@wrong("cross_entropy.sign", "cross_entropy", "one-hot columns", columns=True, one_hot=True)
def _(logits, labels):
    log_p = np.log(np.maximum(_softmax_columns(logits), 1e-12))
    return np.einsum("cb,cb->", labels, log_p) / logits.shape[1]


@wrong("cross_entropy.no_softmax", "cross_entropy", "minus the score")
def _(logits, labels):
    return -np.mean(logits[np.arange(len(labels)), labels])


@wrong("cross_entropy.no_softmax", "cross_entropy", "logits clipped into (0, 1]")
def _(logits, labels):
    p = np.clip(logits, 1e-12, 1)
    return -np.mean(np.log(p[np.arange(len(labels)), labels]))


@wrong("cross_entropy.no_softmax", "cross_entropy", "logits clipped, one-hot", one_hot=True)
def _(logits, labels):
    p = np.clip(logits, 1e-9, 1 - 1e-9)
    return -np.sum(labels * np.log(p)) / len(p)


@wrong("cross_entropy.no_softmax", "cross_entropy", "maximum subtracted, sum forgotten")
def _(logits, labels):
    log_p = logits - logits.max(axis=1, keepdims=True)
    return -log_p[np.arange(len(labels)), labels].mean()


@wrong("cross_entropy.no_softmax", "cross_entropy", "columns", columns=True)
def _(logits, labels):
    return -sum(logits[label, n] for n, label in enumerate(labels)) / len(labels)


@wrong("cross_entropy.no_softmax", "cross_entropy", "log of |score|, columns", columns=True)
def _(logits, labels):
    return -np.log(np.abs(logits[labels, np.arange(len(labels))]) + 1e-9).mean()


@wrong("cross_entropy.no_softmax", "cross_entropy", "one-hot columns", columns=True, one_hot=True)
def _(logits, labels):
    return -np.sum(labels * logits) / logits.shape[1]


@wrong("cross_entropy.base", "cross_entropy", "log2")
def _(logits, labels):
    p = _softmax(logits)[np.arange(len(labels)), labels]
    return -np.mean(np.log2(p + 1e-12))


@wrong("cross_entropy.base", "cross_entropy", "log10, one-hot", one_hot=True)
def _(logits, labels):
    return -np.sum(labels * np.log10(_softmax(logits) + 1e-12)) / len(labels)


@wrong("cross_entropy.base", "cross_entropy", "math.log(p, 2)")
def _(logits, labels):
    p = _softmax(logits)
    return sum(-math.log(p[n, k] + 1e-15, 2) for n, k in enumerate(labels)) / len(p)


@wrong("cross_entropy.base", "cross_entropy", "nats turned into bits")
def _(logits, labels):
    nats = -_log_softmax(logits)[np.arange(len(labels)), labels].mean()
    return nats / np.log(2)


@wrong("cross_entropy.base", "cross_entropy", "log10 in columns", columns=True)
def _(logits, labels):
    p = np.maximum(_softmax_columns(logits), 1e-15)
    return float(np.mean(-np.log10(p[labels, np.arange(p.shape[1])])))


@wrong("cross_entropy.base", "cross_entropy", "log2 one-hot columns", columns=True, one_hot=True)
def _(logits, labels):
    return -(labels * np.log2(_softmax_columns(logits) + 1e-10)).sum(axis=0).mean()


ambiguous(
    "cross_entropy.not_mean function.shape",
    "cross_entropy",
    "a loss for each example",
    lambda z, labels: -_log_softmax(z)[np.arange(len(labels)), labels],
)
ambiguous(
    "cross_entropy.no_softmax function.nan cross_entropy.log_zero",
    "cross_entropy",
    "log of the scores",
    lambda z, labels: -np.log(z[np.arange(len(labels)), labels]).mean(),
)
ambiguous(
    "cross_entropy.wrong_class function.raises",
    "cross_entropy",
    "labels choose rows",
    lambda z, labels: -_log_softmax(z)[labels].mean(),
)
ambiguous(
    "cross_entropy.wrong_class function.raises",
    "cross_entropy",
    "next class without modulo",
    lambda z, labels: -_log_softmax(z)[np.arange(len(labels)), labels + 1].mean(),
)
ambiguous(
    "cross_entropy.wrong_class function.raises layout.columns",
    "cross_entropy",
    "indices exchanged",
    lambda z, labels: -_log_softmax(z)[labels, np.arange(len(labels))].mean(),
)
ambiguous(
    "layout.columns cross_entropy.wrong_class function.raises",
    "cross_entropy",
    "column code for rows",
    lambda z, labels: -_log_softmax(z.T)[np.arange(len(labels)), labels].mean(),
)
ambiguous(
    "cross_entropy.wrong_class cross_entropy.not_mean",
    "cross_entropy",
    "all log-probabilities, labels not used",
    lambda z, labels: -_log_softmax(z).mean(),
)


@ambiguous(
    "cross_entropy.log_zero softmax.overflow function.nan", "cross_entropy", "softmax overflows"
)
def _(logits, labels):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return -np.mean(np.log(p[np.arange(len(labels)), labels] + 1e-12))


wrong("function.nothing", "cross_entropy", "no return", lambda logits, labels: None)
wrong(
    "function.raises",
    "cross_entropy",
    "a method that does not exist",
    lambda z, y: _log_softmax(z).lables(y),
)
wrong(
    "function.nan",
    "cross_entropy",
    "NaN from log of minus p",
    lambda z, y: np.log(-_softmax(z)[np.arange(len(y)), y]).mean(),
)


@wrong("function.not_array", "cross_entropy", "the mean in a list")
def _(logits, labels):
    return [-_log_softmax(logits)[np.arange(len(labels)), labels].mean()]


@ambiguous(
    "function.not_array function.shape cross_entropy.not_mean",
    "cross_entropy",
    "a list of the examples' losses",
)
def _(logits, labels):
    return [-_log_softmax(logits)[n, k] for n, k in enumerate(labels)]


@wrong("function.prints", "cross_entropy", "prints the loss")
def _(logits, labels):
    loss = -_log_softmax(logits)[np.arange(len(labels)), labels].mean()
    print(f"loss = {loss:.4f}")
    return loss


@wrong("function.mutates", "cross_entropy", "maximum subtracted in place")
def _(logits, labels):
    logits -= logits.max(axis=1, keepdims=True)
    lse = np.log(np.exp(logits).sum(axis=1))
    return np.mean(lse - logits[np.arange(len(labels)), labels])


@right("cross_entropy", "log-softmax")
def _(logits, labels):
    return -np.mean(_log_softmax(logits)[np.arange(len(labels)), labels])


@right("cross_entropy", "epsilon 1e-12")
def _(logits, labels):
    p = _softmax(logits)
    return -np.mean(np.log(p[np.arange(len(labels)), labels] + 1e-12))


@right("cross_entropy", "epsilon 1e-15, one-hot", one_hot=True)
def _(logits, labels):
    return -np.sum(labels * np.log(_softmax(logits) + 1e-15)) / logits.shape[0]


@right("cross_entropy", "clip, loop, float")
def _(logits, labels):
    p = np.clip(_softmax(logits), 1e-12, 1.0)
    loss = 0.0
    for n in range(len(labels)):
        loss -= math.log(p[n][int(labels[n])])
    return loss / len(labels)


@right("cross_entropy", "clip to 1 - epsilon, one-hot", one_hot=True)
def _(logits, labels):
    p = np.clip(_softmax(logits), 1e-12, 1 - 1e-12)
    return -(labels * np.log(p)).sum(axis=1).mean()


@right("cross_entropy", "smallest float, columns", columns=True)
def _(logits, labels):
    p = np.maximum(_softmax_columns(logits), np.finfo(float).tiny)
    return -np.log(p[labels, np.arange(p.shape[1])]).mean()


@right("cross_entropy", "float32, epsilon 1e-10")
def _(logits, labels):
    p = _softmax(logits.astype(np.float32))
    return -np.log(p[np.arange(len(labels)), labels] + np.float32(1e-10)).mean()


@right("cross_entropy", "logaddexp, columns", columns=True)
def _(logits, labels):
    lse = np.logaddexp.reduce(logits, axis=0)
    return np.mean(lse - logits[labels, np.arange(len(labels))])


@right("cross_entropy", "one-hot columns", columns=True, one_hot=True)
def _(logits, labels):
    shifted = logits - logits.max(axis=0)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=0))
    return -np.sum(labels * log_p) / logits.shape[1]


@right("cross_entropy", "one-hot inside, a 0-d array")
def _(logits, labels):
    one_hot = np.eye(logits.shape[1])[labels]
    return np.array(-np.einsum("bc,bc->", one_hot, _log_softmax(logits)) / len(labels))


@right("cross_entropy", "boolean mask, one-hot", one_hot=True)
def _(logits, labels):
    return -np.log(_softmax(logits)[labels == 1] + 1e-12).mean()


@right("cross_entropy", "argmax of one-hot columns", columns=True, one_hot=True)
def _(logits, labels):
    labels = np.argmax(labels, axis=0)
    return -np.mean([_log_softmax(logits.T)[n, k] for n, k in enumerate(labels)])


@right("cross_entropy", "take_along_axis, float32")
def _(logits, labels):
    log_p = _log_softmax(np.asarray(logits, np.float32))
    return -np.take_along_axis(log_p, labels[:, None].astype(int), axis=1).mean()


# --------------------------------------------------------------------------------------------------
# leaky_relu
# --------------------------------------------------------------------------------------------------

wrong("leaky_relu.plain", "leaky_relu", "np.maximum", lambda z, slope: np.maximum(0, z))
wrong("leaky_relu.plain", "leaky_relu", "mask", lambda z, slope: z * (z > 0))
wrong("leaky_relu.plain", "leaky_relu", "np.where", lambda z, slope: np.where(z > 0, z, 0.0))
wrong("leaky_relu.plain", "leaky_relu", "0.01 fixed", lambda z, slope: np.where(z > 0, z, 0.01 * z))
wrong("leaky_relu.plain", "leaky_relu", "clip", lambda z, slope: np.clip(z, 0, None))
wrong("leaky_relu.plain", "leaky_relu", "half of z + |z|", lambda z, slope: (z + np.abs(z)) / 2)


@wrong("leaky_relu.plain", "leaky_relu", "a masked copy, float32")
def _(z, slope):
    a = z.astype(np.float32)
    a[a < 0] = 0
    return a


wrong("leaky_relu.abs", "leaky_relu", "np.abs", lambda z, slope: np.abs(z))
wrong("leaky_relu.abs", "leaky_relu", "np.where", lambda z, slope: np.where(z > 0, z, -z))
wrong("leaky_relu.abs", "leaky_relu", "maximum of z and -z", lambda z, slope: np.maximum(z, -z))
wrong("leaky_relu.abs", "leaky_relu", "sign", lambda z, slope: z * np.sign(z))
wrong("leaky_relu.abs", "leaky_relu", "root of the square", lambda z, slope: np.sqrt(z**2))


@wrong("leaky_relu.abs", "leaky_relu", "loop")
def _(z, slope):
    a = np.zeros(z.shape)
    for index, value in np.ndenumerate(z):
        a[index] = value if value > 0 else -value
    return a


wrong("leaky_relu.sign", "leaky_relu", "z < 0", lambda z, slope: np.where(z < 0, z, slope * z))
wrong("leaky_relu.sign", "leaky_relu", "minimum", lambda z, slope: np.minimum(z, slope * z))
wrong("leaky_relu.sign", "leaky_relu", "masks", lambda z, s: (z < 0) * z + (z > 0) * s * z)


@wrong("leaky_relu.sign", "leaky_relu", "positive part scaled")
def _(z, slope):
    a = z.copy()
    a[a > 0] *= slope
    return a


@wrong("leaky_relu.sign", "leaky_relu", "loop")
def _(z, slope):
    flat = [v * slope if v >= 0 else v for v in z.ravel()]
    return np.array(flat).reshape(z.shape)


@wrong("leaky_relu.no_else", "leaky_relu", "np.where")
def _(z, slope):
    return np.where(z > 0, 0, slope * z)


@wrong("leaky_relu.no_else", "leaky_relu", "filled where negative")
def _(z, slope):
    a = np.zeros_like(z)
    a[z < 0] = slope * z[z < 0]
    return a


@wrong("leaky_relu.no_else", "leaky_relu", "loop without else")
def _(z, slope):
    a = np.zeros(z.shape)
    for index in np.ndindex(*z.shape):
        if z[index] < 0:
            a[index] = slope * z[index]
    return a


wrong("leaky_relu.no_else", "leaky_relu", "minimum", lambda z, slope: slope * np.minimum(z, 0))
wrong("leaky_relu.no_else", "leaky_relu", "mask", lambda z, s: (z < 0).astype(z.dtype) * z * s)

ambiguous(
    "leaky_relu.abs leaky_relu.sign",
    "leaky_relu",
    "minus slope",
    lambda z, slope: np.where(z > 0, z, -slope * z),
)
ambiguous(
    "leaky_relu.abs leaky_relu.sign",
    "leaky_relu",
    "slope times |z|",
    lambda z, slope: np.maximum(z, 0) + slope * np.abs(np.minimum(z, 0)),
)
ambiguous(
    "leaky_relu.abs leaky_relu.sign",
    "leaky_relu",
    "maximum with -slope z",
    lambda z, slope: np.maximum(z, -slope * z),
)
ambiguous(
    "leaky_relu.no_else leaky_relu.sign",
    "leaky_relu",
    "slope times everything",
    lambda z, slope: slope * z,
)
ambiguous(
    "leaky_relu.no_else leaky_relu.sign leaky_relu.plain",
    "leaky_relu",
    "negative part",
    lambda z, slope: np.minimum(z, 0),
)
ambiguous(
    "leaky_relu.sign leaky_relu.plain leaky_relu.no_else leaky_relu.identity",
    "leaky_relu",
    "the identity",
    lambda z, slope: z.copy(),
)

wrong("function.nothing", "leaky_relu", "no return", lambda z, slope: None)
wrong("function.not_array", "leaky_relu", "tolist", lambda z, s: np.maximum(z, s * z).tolist())
wrong("function.shape", "leaky_relu", "masked", lambda z, slope: z[z > 0])
wrong("function.shape", "leaky_relu", "mean", lambda z, slope: np.maximum(z, slope * z).mean())
wrong(
    "function.nan",
    "leaky_relu",
    "root of a negative number",
    lambda z, slope: np.where(z > 0, z, np.sqrt(z - 1)),
)


@wrong("function.raises", "leaky_relu", "truth value of an array")
def _(z, slope):
    if z > 0:
        return z
    return slope * z


@wrong("function.prints", "leaky_relu", "prints z")
def _(z, slope):
    print(z)
    return np.maximum(z, slope * z)


@wrong("function.mutates", "leaky_relu", "masked in place")
def _(z, slope):
    z[z < 0] *= slope
    return z


@wrong("function.mutates", "leaky_relu", "the alias of z")
def _(z, slope):
    a = z
    a *= np.where(z > 0, 1, slope)
    return a


right("leaky_relu", "np.where", lambda z, slope: np.where(z > 0, z, slope * z))
right("leaky_relu", "z >= 0", lambda z, slope: np.where(z >= 0, z, z * slope))
right("leaky_relu", "maximum", lambda z, slope: np.maximum(slope * z, z))
right("leaky_relu", "masks", lambda z, slope: z * (z > 0) + slope * z * (z <= 0))
right("leaky_relu", "two parts", lambda z, s: np.maximum(z, 0) + s * np.minimum(z, 0))
right("leaky_relu", "|z|", lambda z, s: 0.5 * (1 + s) * z + 0.5 * (1 - s) * np.abs(z))
right("leaky_relu", "np.select", lambda z, s: np.select([z > 0, z <= 0], [z, s * z]))


@right("leaky_relu", "a masked copy")
def _(z, slope):
    a = np.array(z)
    a[a < 0] *= slope
    return a


@right("leaky_relu", "vectorize")
def _(z, slope):
    return np.vectorize(lambda v: v if v > 0 else slope * v, otypes=[float])(z)


@right("leaky_relu", "float32")
def _(z, slope):
    z = np.float32(z)
    return np.multiply(z, np.where(z > 0, np.float32(1), np.float32(slope)))


# --------------------------------------------------------------------------------------------------
# leaky_relu_gradient
# --------------------------------------------------------------------------------------------------


def _leaky(z, slope):
    return np.where(z > 0, z, slope * z)


wrong("relu_gradient.always_one", "leaky_relu_gradient", "ones_like", lambda z, s: np.ones_like(z))
wrong("relu_gradient.always_one", "leaky_relu_gradient", "full", lambda z, s: np.full(z.shape, 1.0))
wrong(
    "relu_gradient.always_one",
    "leaky_relu_gradient",
    "1 and 1",
    lambda z, s: np.where(z > 0, 1.0, 1.0),
)


@wrong("relu_gradient.always_one", "leaky_relu_gradient", "slope forgotten")
def _(z, slope):
    g = np.ones(z.shape, np.float32)
    g[z > 0] = 1
    return g


@wrong("relu_gradient.always_one", "leaky_relu_gradient", "z / z")
def _(z, slope):
    return np.divide(z, z, out=np.ones_like(z), where=z != 0)


# Asked of the activation with >=, the derivative is wrong where the slope is 0.
@wrong("relu_gradient.of_activation", "leaky_relu_gradient", "activation >= 0")
def _(z, slope):
    a = np.maximum(z, slope * z)
    return np.where(a >= 0, 1, slope)


@wrong("relu_gradient.of_activation", "leaky_relu_gradient", "masked where the activation < 0")
def _(z, slope):
    g = np.ones_like(z)
    g[_leaky(z, slope) < 0] = slope
    return g


@wrong("relu_gradient.of_activation", "leaky_relu_gradient", "loop over the activations")
def _(z, slope):
    activations = [v if v > 0 else slope * v for v in z.ravel()]
    return np.array([slope if a < 0 else 1 for a in activations], float).reshape(z.shape)


@wrong("relu_gradient.of_activation", "leaky_relu_gradient", "masks of the activation, float32")
def _(z, slope):
    a = _leaky(z.astype(np.float32), np.float32(slope))
    return (a >= 0) + np.float32(slope) * (a < 0)


@wrong("relu_gradient.of_activation", "leaky_relu_gradient", "heaviside of the activation")
def _(z, slope):
    return slope + (1 - slope) * np.heaviside(_leaky(z, slope), 1)


wrong("relu_gradient.slope_ignored", "leaky_relu_gradient", "z > 0", lambda z, s: (z > 0) * 1.0)
wrong(
    "relu_gradient.slope_ignored",
    "leaky_relu_gradient",
    "np.where",
    lambda z, s: np.where(z > 0, 1.0, 0.0),
)
wrong(
    "relu_gradient.slope_ignored",
    "leaky_relu_gradient",
    "heaviside",
    lambda z, s: np.heaviside(z, 0),
)
wrong(
    "relu_gradient.slope_ignored",
    "leaky_relu_gradient",
    "0.01 fixed",
    lambda z, s: np.where(z > 0, 1, 0.01),
)


@wrong("relu_gradient.slope_ignored", "leaky_relu_gradient", "masked zeros")
def _(z, slope):
    g = np.zeros_like(z)
    g[z >= 0] = 1
    return g


@wrong("relu_gradient.sign", "leaky_relu_gradient", "z < 0")
def _(z, slope):
    return np.where(z < 0, 1, slope)


@wrong("relu_gradient.sign", "leaky_relu_gradient", "minus slope")
def _(z, slope):
    return np.where(z > 0, 1, -slope)


@wrong("relu_gradient.sign", "leaky_relu_gradient", "masks exchanged")
def _(z, slope):
    g = np.ones_like(z)
    g[z > 0] = slope
    return g


@wrong("relu_gradient.sign", "leaky_relu_gradient", "minus everything")
def _(z, slope):
    return -np.where(z > 0, 1, slope)


@wrong("relu_gradient.sign", "leaky_relu_gradient", "loop")
def _(z, slope):
    g = [1.0 if v <= 0 else slope for v in z.ravel()]
    return np.array(g, np.float32).reshape(z.shape)


ambiguous(
    "relu_gradient.sign relu_gradient.slope_ignored",
    "leaky_relu_gradient",
    "1 and -1",
    lambda z, slope: np.where(z > 0, 1.0, -1.0),
)
ambiguous(
    "relu_gradient.sign relu_gradient.slope_ignored",
    "leaky_relu_gradient",
    "np.sign",
    lambda z, slope: np.sign(z),
)
ambiguous(
    "relu_gradient.always_one relu_gradient.of_activation relu_gradient.sign",
    "leaky_relu_gradient",
    "slope everywhere",
    lambda z, slope: np.full_like(z, slope),
)
ambiguous(
    "relu_gradient.of_activation relu_gradient.slope_ignored relu_gradient.activation",
    "leaky_relu_gradient",
    "plain ReLU itself",
    lambda z, slope: np.maximum(z, 0),
)
ambiguous(
    "relu_gradient.activation relu_gradient.of_activation relu_gradient.sign",
    "leaky_relu_gradient",
    "slope times z where negative",
    lambda z, slope: np.where(z > 0, 1, slope * z),
)
ambiguous(
    "relu_gradient.slope_ignored relu_gradient.sign relu_gradient.no_else",
    "leaky_relu_gradient",
    "slope only",
    lambda z, slope: np.where(z > 0, 0.0, slope),
)

wrong("function.nothing", "leaky_relu_gradient", "no return", lambda z, slope: None)
wrong(
    "function.nan", "leaky_relu_gradient", "activation divided by z", lambda z, s: _leaky(z, s) / z
)
wrong("function.shape", "leaky_relu_gradient", "flat", lambda z, s: np.where(z.ravel() > 0, 1, s))
wrong(
    "function.not_array", "leaky_relu_gradient", "list", lambda z, s: np.where(z > 0, 1, s).tolist()
)
wrong("function.raises", "leaky_relu_gradient", "if of an array", lambda z, s: 1 if z > 0 else s)


@wrong("function.prints", "leaky_relu_gradient", "prints")
def _(z, slope):
    print("gradient of", z.shape)
    return np.where(z > 0, 1, slope)


@wrong("function.mutates", "leaky_relu_gradient", "masked in place")
def _(z, slope):
    positive = z > 0
    z[positive] = 1
    z[~positive] = slope
    return z


right("leaky_relu_gradient", "np.where", lambda z, slope: np.where(z > 0, 1, slope))
right("leaky_relu_gradient", "z >= 0", lambda z, slope: np.where(z >= 0, 1.0, slope))
right("leaky_relu_gradient", "maximum", lambda z, slope: np.maximum(z > 0, slope))
right("leaky_relu_gradient", "masks", lambda z, slope: (z > 0) + slope * (z <= 0))
right("leaky_relu_gradient", "heaviside", lambda z, s: s + (1 - s) * np.heaviside(z, 1))
right("leaky_relu_gradient", "by the activation", lambda z, s: np.where(_leaky(z, s) > 0, 1, s))


@right("leaky_relu_gradient", "activation divided by z, repaired at 0")
def _(z, slope):
    with np.errstate(invalid="ignore"):
        return np.where(z == 0, slope, _leaky(z, slope) / z)


@right("leaky_relu_gradient", "masked ones, float32")
def _(z, slope):
    g = np.ones_like(z, dtype=np.float32)
    g[z < 0] = slope
    return g


@right("leaky_relu_gradient", "loop")
def _(z, slope):
    g = np.empty(z.shape)
    for index in np.ndindex(z.shape):
        g[index] = 1 if z[index] > 0 else slope
    return g


# The codes relu_gradient.activation and relu_gradient.no_else came after the contract.
ambiguous(
    "relu_gradient.always_one relu_gradient.of_activation",
    "leaky_relu_gradient",
    "plain activation >= 0",
    lambda z, slope: np.where(np.maximum(z, 0) >= 0, 1.0, slope),
)
ambiguous(
    "relu_gradient.of_activation relu_gradient.activation",
    "leaky_relu_gradient",
    "the activation itself",
    lambda z, slope: np.maximum(z, slope * z),
)
ambiguous(
    "relu_gradient.of_activation relu_gradient.activation",
    "leaky_relu_gradient",
    "z where positive",
    lambda z, slope: np.where(z > 0, z, slope),
)
ambiguous(
    "relu_gradient.of_activation relu_gradient.activation",
    "leaky_relu_gradient",
    "activation times derivative",
    lambda z, slope: _leaky(z, slope) * np.where(z > 0, 1, slope),
)


# --------------------------------------------------------------------------------------------------
# he_normal
# --------------------------------------------------------------------------------------------------


def _he(inputs, slope):
    return np.sqrt(2 / ((1 + slope**2) * inputs))


wrong("init.zeros", "he_normal", "np.zeros", lambda rng, i, o, slope: np.zeros((i, o)))
wrong("init.zeros", "he_normal", "columns", lambda rng, i, o, s: np.zeros((o, i)), columns=True)
wrong("init.zeros", "he_normal", "scale 0", lambda rng, i, o, slope: rng.normal(0, 0, (i, o)))
wrong(
    "init.zeros",
    "he_normal",
    "integers",
    lambda rng, i, o, s: rng.normal(size=(i, o)) * np.sqrt(2 // i),
)


@wrong("init.zeros", "he_normal", "drawn, but not stored")
def _(rng, inputs, outputs, slope):
    weights = np.zeros((inputs, outputs), np.float32)
    for row in weights:
        row = rng.normal(0, _he(inputs, slope), outputs)  # noqa: F841
    return weights


@wrong("init.zeros", "he_normal", "cut to whole numbers, columns", columns=True)
def _(rng, inputs, outputs, slope):
    return (0.01 * rng.normal(0, _he(inputs, slope), (outputs, inputs))).astype(int)


@wrong("init.symmetric", "he_normal", "constant")
def _(rng, inputs, outputs, slope):
    return np.full((inputs, outputs), _he(inputs, slope))


@wrong("init.symmetric", "he_normal", "ones times 0.01, columns", columns=True)
def _(rng, inputs, outputs, slope):
    return np.ones((outputs, inputs)) * 0.01


@wrong("init.symmetric", "he_normal", "one number drawn")
def _(rng, inputs, outputs, slope):
    return np.zeros((inputs, outputs)) + rng.normal(0, _he(inputs, slope))


@wrong("init.symmetric", "he_normal", "one unit repeated")
def _(rng, inputs, outputs, slope):
    return np.repeat(rng.normal(0, _he(inputs, slope), (inputs, 1)), outputs, axis=1)


@wrong("init.symmetric", "he_normal", "seeded again for every unit")
def _(rng, inputs, outputs, slope):
    weights = np.empty((inputs, outputs))
    for j in range(outputs):
        weights[:, j] = np.random.default_rng(42).normal(0, _he(inputs, slope), inputs)
    return weights


@wrong("init.symmetric", "he_normal", "one unit tiled, columns", columns=True)
def _(rng, inputs, outputs, slope):
    unit = rng.standard_normal(inputs) * _he(inputs, slope)
    return np.tile(unit, (outputs, 1))


@wrong("init.positive", "he_normal", "absolute value")
def _(rng, inputs, outputs, slope):
    return np.abs(rng.normal(0, _he(inputs, slope), (inputs, outputs)))


@wrong("init.positive", "he_normal", "uniform from 0")
def _(rng, inputs, outputs, slope):
    return rng.uniform(0, np.sqrt(6 / inputs), (inputs, outputs))


@wrong("init.positive", "he_normal", "rng.random times std")
def _(rng, inputs, outputs, slope):
    return rng.random((inputs, outputs)) * _he(inputs, slope)


@wrong("init.positive", "he_normal", "squares, columns", columns=True)
def _(rng, inputs, outputs, slope):
    return rng.normal(0, 1, (outputs, inputs)) ** 2 * _he(inputs, slope)


@wrong("init.positive", "he_normal", "rng.random, columns, float32", columns=True)
def _(rng, inputs, outputs, slope):
    return rng.random((outputs, inputs), np.float32) * math.sqrt(2 / inputs)


wrong(
    "init.too_large",
    "he_normal",
    "standard normal",
    lambda rng, i, o, s: rng.standard_normal((i, o)),
)
wrong(
    "init.too_large", "he_normal", "from -1 to 1", lambda rng, i, o, s: rng.uniform(-1, 1, (i, o))
)


@wrong("init.too_large", "he_normal", "multiplied by inputs", columns=True)
def _(rng, inputs, outputs, slope):
    return rng.normal(0, np.sqrt(2 * inputs), (outputs, inputs))


@wrong("init.too_large", "he_normal", "standard normal, columns", columns=True)
def _(rng, inputs, outputs, slope):
    weights = [[rng.normal() for _ in range(inputs)] for _ in range(outputs)]
    return np.array(weights)


@wrong("init.too_large", "he_normal", "divided by the std")
def _(rng, inputs, outputs, slope):
    return rng.standard_normal((inputs, outputs)) / _he(inputs, slope)


@wrong("init.too_large", "he_normal", "ten times")
def _(rng, inputs, outputs, slope):
    return 10 * rng.normal(0, _he(inputs, slope), (inputs, outputs))


wrong(
    "init.too_small",
    "he_normal",
    "times 0.001",
    lambda rng, i, o, s: 0.001 * rng.normal(size=(i, o)),
)
wrong("init.too_small", "he_normal", "scale 1e-4", lambda rng, i, o, s: rng.normal(0, 1e-4, (i, o)))


@wrong("init.too_small", "he_normal", "tenth, columns", columns=True)
def _(rng, inputs, outputs, slope):
    return rng.normal(0, 0.1 * _he(inputs, slope), (outputs, inputs))


@wrong("init.too_small", "he_normal", "uniform within 0.001")
def _(rng, inputs, outputs, slope):
    return rng.uniform(-0.001, 0.001, (inputs, outputs)).astype(np.float32)


@wrong("init.too_small", "he_normal", "scaled twice by 0.1, columns", columns=True)
def _(rng, inputs, outputs, slope):
    weights = rng.standard_normal((outputs, inputs))
    weights *= 0.01
    weights *= _he(inputs, slope)
    return weights


wrong(
    "init.variance_as_std",
    "he_normal",
    "2 / inputs",
    lambda rng, i, o, s: rng.normal(0, 2 / i, (i, o)),
)


@wrong("init.variance_as_std", "he_normal", "with the slope")
def _(rng, inputs, outputs, slope):
    variance = 2 / ((1 + slope**2) * inputs)
    return rng.normal(scale=variance, size=(inputs, outputs))


@wrong("init.variance_as_std", "he_normal", "standard normal times the variance", columns=True)
def _(rng, inputs, outputs, slope):
    return rng.standard_normal((outputs, inputs)) * (2.0 / inputs)


@wrong("init.variance_as_std", "he_normal", "the std squared")
def _(rng, inputs, outputs, slope):
    std = np.sqrt(2 / inputs)
    return (std**2 * rng.standard_normal((inputs, outputs))).astype(np.float32)


@wrong("init.variance_as_std", "he_normal", "scaled twice, columns", columns=True)
def _(rng, inputs, outputs, slope):
    std = _he(inputs, slope)
    weights = rng.normal(0, std, size=(outputs, inputs))
    return weights * std


wrong("init.fan", "he_normal", "outputs", lambda rng, i, o, s: rng.normal(0, _he(o, s), (i, o)))


@wrong("init.fan", "he_normal", "Xavier's mean of both")
def _(rng, inputs, outputs, slope):
    return rng.normal(0, np.sqrt(2 / (inputs + outputs)), (inputs, outputs))


@wrong("init.fan", "he_normal", "the shape's first number, columns", columns=True)
def _(rng, inputs, outputs, slope):
    shape = (outputs, inputs)
    return rng.standard_normal(shape) * np.sqrt(2 / shape[0])


@wrong("init.fan", "he_normal", "the shape's last number")
def _(rng, inputs, outputs, slope):
    weights = rng.standard_normal((inputs, outputs))
    return weights * np.sqrt(2 / weights.shape[-1])


@wrong("init.fan", "he_normal", "uniform by outputs, columns", columns=True)
def _(rng, inputs, outputs, slope):
    limit = math.sqrt(6 / ((1 + slope**2) * outputs))
    return rng.uniform(-limit, limit, (outputs, inputs))


@wrong("init.fan", "he_normal", "Glorot's uniform, columns", columns=True)
def _(rng, inputs, outputs, slope):
    limit = np.sqrt(6 / (inputs + outputs))
    return rng.uniform(-limit, limit, (outputs, inputs))


ambiguous(
    "init.too_small init.variance_as_std",
    "he_normal",
    "root of 2 by inputs",
    lambda rng, i, o, s: rng.normal(0, np.sqrt(2) / i, (i, o)),
)
ambiguous(
    "init.too_small init.variance_as_std",
    "he_normal",
    "1 / inputs",
    lambda rng, i, o, s: rng.normal(0, 1 / i, (i, o)),
)
ambiguous(
    "init.too_small init.fan",
    "he_normal",
    "inputs times outputs",
    lambda rng, i, o, s: rng.normal(0, np.sqrt(2 / (i * o)), (i, o)),
)
ambiguous(
    "init.positive init.too_large",
    "he_normal",
    "rng.random",
    lambda rng, i, o, s: rng.random((i, o)),
)
ambiguous(
    "init.symmetric init.positive init.too_large",
    "he_normal",
    "ones",
    lambda rng, i, o, s: np.ones((i, o)),
)
ambiguous(
    "init.too_large init.positive",
    "he_normal",
    "std given as the mean",
    lambda rng, i, o, s: rng.normal(_he(i, s), size=(i, o)),
)
ambiguous(
    "init.too_small init.too_large init.fan",
    "he_normal",
    "limit of the uniform is the std",
    lambda rng, i, o, s: rng.uniform(-_he(i, s), _he(i, s), (i, o)),
)
ambiguous(
    "function.shape layout.columns",
    "he_normal",
    "columns for rows",
    lambda rng, i, o, s: rng.normal(0, _he(i, s), (o, i)),
)

wrong("function.nothing", "he_normal", "no return", lambda rng, i, o, s: None)
wrong("function.raises", "he_normal", "randn", lambda rng, i, o, s: rng.randn(i, o) * _he(i, s))
wrong("function.shape", "he_normal", "flat", lambda rng, i, o, s: rng.normal(0, _he(i, s), i * o))
wrong("function.shape", "he_normal", "one unit", lambda rng, i, o, s: rng.normal(0, _he(i, s), i))
wrong(
    "function.not_array",
    "he_normal",
    "nested list",
    lambda rng, i, o, s: [[rng.normal(0, _he(i, s)) for _ in range(o)] for _ in range(i)],
)
wrong(
    "function.nan",
    "he_normal",
    "root of a negative number",
    lambda rng, i, o, s: rng.normal(size=(i, o)) * np.sqrt(-2 / i),
)


@wrong("function.prints", "he_normal", "prints the std")
def _(rng, inputs, outputs, slope):
    std = _he(inputs, slope)
    print("std", std)
    return rng.normal(0, std, (inputs, outputs))


right("he_normal", "normal", lambda rng, i, o, s: rng.normal(0, _he(i, s), (i, o)))
right("he_normal", "columns", lambda rng, i, o, s: rng.normal(0, _he(i, s), (o, i)), columns=True)
right("he_normal", "sqrt(2 / inputs)", lambda rng, i, o, s: rng.normal(0, np.sqrt(2 / i), (i, o)))


@right("he_normal", "standard normal times the std")
def _(rng, inputs, outputs, slope):
    return rng.standard_normal((inputs, outputs)) * np.sqrt(2 / (1 + slope**2) / inputs)


@right("he_normal", "divided by the root, float32")
def _(rng, inputs, outputs, slope):
    weights = rng.standard_normal((inputs, outputs), dtype=np.float32)
    weights /= np.float32(math.sqrt(inputs * (1 + slope**2) / 2))
    return weights


@right("he_normal", "uniform")
def _(rng, inputs, outputs, slope):
    limit = np.sqrt(6 / ((1 + slope**2) * inputs))
    return rng.uniform(-limit, limit, (inputs, outputs))


@right("he_normal", "drawn in columns, transposed")
def _(rng, inputs, outputs, slope):
    return rng.normal(0, _he(inputs, slope), (outputs, inputs)).T


@right("he_normal", "scaled to the exact std")
def _(rng, inputs, outputs, slope):
    weights = rng.standard_normal((inputs, outputs))
    return weights / weights.std() * _he(inputs, slope)


@right("he_normal", "plus or minus std, columns", columns=True)
def _(rng, inputs, outputs, slope):
    return rng.choice([-1.0, 1.0], (outputs, inputs)) * _he(inputs, slope)


@right("he_normal", "uniform, columns", columns=True)
def _(rng, inputs, outputs, slope):
    limit = math.sqrt(3) * _he(inputs, slope)
    return (2 * rng.random((outputs, inputs)) - 1) * limit


@right("he_normal", "loops, columns", columns=True)
def _(rng, inputs, outputs, slope):
    weights = np.zeros((outputs, inputs))
    for j in range(outputs):
        weights[j] = rng.normal(loc=0, scale=_he(inputs, slope), size=inputs)
    return weights


@right("he_normal", "truncated at two std, rescaled")
def _(rng, inputs, outputs, slope):
    weights = rng.standard_normal((inputs, outputs))
    while (far := np.abs(weights) > 2).any():
        weights[far] = rng.standard_normal(far.sum())
    return weights * _he(inputs, slope) / 0.8796256610342398


# --------------------------------------------------------------------------------------------------
# gradients
# --------------------------------------------------------------------------------------------------


def _forward(parameters, x):
    w1, b1, w2, b2 = parameters
    z1 = x @ w1 + b1
    a1 = np.where(z1 > 0, z1, 0.01 * z1)
    return z1, a1, _softmax(a1 @ w2 + b2)


def _forward_columns(parameters, x):
    w1, b1, w2, b2 = parameters
    z1 = w1 @ x + b1
    a1 = np.maximum(z1, 0.01 * z1)
    return z1, a1, _softmax_columns(w2 @ a1 + b2)


def _one_hot(labels, classes):
    return np.eye(classes)[labels]


def _backward(parameters, x, z1, a1, dz2):
    dz1 = dz2 @ parameters[2].T * np.where(z1 > 0, 1, 0.01)
    return [x.T @ dz1, dz1.sum(axis=0), a1.T @ dz2, dz2.sum(axis=0)]


def _backward_columns(parameters, x, z1, a1, dz2):
    dz1 = parameters[2].T @ dz2 * np.where(z1 > 0, 1, 0.01)
    db1, db2 = dz1.sum(axis=1, keepdims=True), dz2.sum(axis=1, keepdims=True)
    return [dz1 @ x.T, db1, dz2 @ a1.T, db2]


def _gradients(parameters, x, labels):
    z1, a1, p = _forward(parameters, x)
    return _backward(parameters, x, z1, a1, (p - _one_hot(labels, p.shape[1])) / len(x))


def _gradients_columns(parameters, x, labels):
    z1, a1, p = _forward_columns(parameters, x)
    dz2 = (p - _one_hot(labels, len(p)).T) / x.shape[1]
    return _backward_columns(parameters, x, z1, a1, dz2)


@wrong("gradients.scale", "gradients", "1/m forgotten")
def _(parameters, x, labels):
    z1, a1, p = _forward(parameters, x)
    p[np.arange(len(x)), labels] -= 1
    return _backward(parameters, x, z1, a1, p)


@wrong("gradients.scale", "gradients", "factor 2")
def _(parameters, x, labels):
    z1, a1, p = _forward(parameters, x)
    dz2 = 2 * (p - _one_hot(labels, p.shape[1])) / len(x)
    return _backward(parameters, x, z1, a1, dz2)


@wrong("gradients.scale", "gradients", "1/m twice")
def _(parameters, x, labels):
    return [g / len(x) for g in _gradients(parameters, x, labels)]


@wrong("gradients.scale", "gradients", "1/m forgotten, columns", columns=True)
def _(parameters, x, labels):
    z1, a1, p = _forward_columns(parameters, x)
    p[labels, np.arange(len(labels))] -= 1
    return _backward_columns(parameters, x, z1, a1, p)


@wrong("gradients.scale", "gradients", "divided by the classes, one-hot", one_hot=True)
def _(parameters, x, labels):
    z1, a1, p = _forward(parameters, x)
    return _backward(parameters, x, z1, a1, (p - labels) / labels.shape[1])


@wrong("gradients.scale", "gradients", "1/m of the features, columns", columns=True, one_hot=True)
def _(parameters, x, labels):
    z1, a1, p = _forward_columns(parameters, x)
    return _backward_columns(parameters, x, z1, a1, (p - labels) / len(x))


@wrong("gradients.scale", "gradients", "one example after the other, added")
def _(parameters, x, labels):
    total = [np.zeros_like(p) for p in parameters]
    for n in range(len(x)):
        one = _gradients(parameters, x[n : n + 1], labels[n : n + 1])
        total = [t + g for t, g in zip(total, one, strict=True)]
    return total


@wrong("gradients.sign", "gradients", "label minus p")
def _(parameters, x, labels):
    z1, a1, p = _forward(parameters, x)
    dz2 = (_one_hot(labels, p.shape[1]) - p) / len(x)
    return _backward(parameters, x, z1, a1, dz2)


@wrong("gradients.sign", "gradients", "minus in the end")
def _(parameters, x, labels):
    return [-g for g in _gradients(parameters, x, labels)]


@wrong("gradients.sign", "gradients", "label minus p, one-hot columns", columns=True, one_hot=True)
def _(parameters, x, labels):
    z1, a1, p = _forward_columns(parameters, x)
    return _backward_columns(parameters, x, z1, a1, (labels - p) / x.shape[1])


@wrong("gradients.sign", "gradients", "einsum with a minus", one_hot=True)
def _(parameters, x, labels):
    z1, a1, p = _forward(parameters, x)
    dz2 = (p - labels) / len(x)
    dz1 = np.einsum("bo,ho->bh", dz2, parameters[2]) * np.where(z1 > 0, 1, 0.01)
    dw1, dw2 = -np.einsum("bi,bh->ih", x, dz1), -np.einsum("bh,bo->ho", a1, dz2)
    return [dw1, -dz1.sum(0), dw2, -dz2.sum(0)]


@wrong("gradients.sign", "gradients", "1 - p, columns", columns=True)
def _(parameters, x, labels):
    z1, a1, p = _forward_columns(parameters, x)
    dz2 = -p
    for n, label in enumerate(labels):
        dz2[label, n] += 1
    return _backward_columns(parameters, x, z1, a1, dz2 / len(labels))


@wrong("gradients.transposed", "gradients", "weights' gradients as d.T @ a")
def _(parameters, x, labels):
    z1, a1, p = _forward(parameters, x)
    p[np.arange(len(x)), labels] -= 1
    dz2 = p / len(x)
    dz1 = dz2 @ parameters[2].T * np.where(z1 > 0, 1, 0.01)
    return [dz1.T @ x, dz1.sum(axis=0), dz2.T @ a1, dz2.sum(axis=0)]


@wrong("gradients.transposed", "gradients", "reshaped instead of transposed")
def _(parameters, x, labels):
    dw1, db1, dw2, db2 = _gradients(parameters, x, labels)
    return [dw1.T.reshape(dw1.shape), db1, dw2.T.reshape(dw2.shape), db2]


@wrong("gradients.transposed", "gradients", "only the last layer transposed")
def _(parameters, x, labels):
    dw1, db1, dw2, db2 = _gradients(parameters, x, labels)
    return [dw1, db1, dw2.T, db2]


@wrong("gradients.transposed", "gradients", "dz2 @ W2")
def _(parameters, x, labels):
    z1, a1, p = _forward(parameters, x)
    dz2 = (p - _one_hot(labels, p.shape[1])) / len(x)
    dz1 = dz2 @ parameters[2] * np.where(z1 > 0, 1, 0.01)
    return [x.T @ dz1, dz1.sum(axis=0), a1.T @ dz2, dz2.sum(axis=0)]


@wrong("gradients.transposed", "gradients", "x @ dz1")
def _(parameters, x, labels):
    z1, a1, p = _forward(parameters, x)
    dz2 = (p - _one_hot(labels, p.shape[1])) / len(x)
    dz1 = dz2 @ parameters[2].T * np.where(z1 > 0, 1, 0.01)
    return [x @ dz1, dz1.sum(axis=0), a1 @ dz2, dz2.sum(axis=0)]


@wrong("gradients.transposed", "gradients", "x @ d.T, columns", columns=True)
def _(parameters, x, labels):
    dw1, db1, dw2, db2 = _gradients_columns(parameters, x, labels)
    return [dw1.T, db1, dw2.T, db2]


@wrong("gradients.transposed", "gradients", "W2 @ dz2, one-hot columns", columns=True, one_hot=True)
def _(parameters, x, labels):
    z1, a1, p = _forward_columns(parameters, x)
    dz2 = (p - labels) / x.shape[1]
    dz1 = np.dot(parameters[2], dz2) * np.where(z1 > 0, 1, 0.01)
    db1, db2 = dz1.sum(axis=1, keepdims=True), dz2.sum(axis=1, keepdims=True)
    return [dz1 @ x.T, db1, dz2 @ a1.T, db2]


@wrong("gradients.missing_activation", "gradients", "dz1 = dz2 @ W2.T")
def _(parameters, x, labels):
    _, a1, p = _forward(parameters, x)
    p[np.arange(len(x)), labels] -= 1
    dz2 = p / len(x)
    dz1 = dz2 @ parameters[2].T
    return [x.T @ dz1, dz1.sum(axis=0), a1.T @ dz2, dz2.sum(axis=0)]


@wrong("gradients.missing_activation", "gradients", "derivative not used", one_hot=True)
def _(parameters, x, labels):
    z1, a1, p = _forward(parameters, x)
    delta2 = (p - labels) / len(labels)
    derivative = np.where(z1 > 0, 1, 0.01)
    delta1 = np.einsum("bo,ho->bh", delta2, parameters[2])
    assert derivative.shape == delta1.shape
    return [
        np.einsum("bi,bh->ih", x, delta1),
        delta1.sum(0),
        np.einsum("bh,bo->ho", a1, delta2),
        delta2.sum(0),
    ]


@wrong("gradients.missing_activation", "gradients", "columns", columns=True)
def _(parameters, x, labels):
    _, a1, p = _forward_columns(parameters, x)
    dz2 = (p - _one_hot(labels, len(p)).T) / x.shape[1]
    dz1 = parameters[2].T.dot(dz2)
    db1, db2 = dz1.sum(axis=1, keepdims=True), dz2.sum(axis=1, keepdims=True)
    return [dz1 @ x.T, db1, dz2 @ a1.T, db2]


@wrong(
    "gradients.missing_activation", "gradients", "derivative always 1", one_hot=True, columns=True
)
def _(parameters, x, labels):
    z1, a1, p = _forward_columns(parameters, x)
    dz2 = (p - labels) / x.shape[1]
    return _backward_columns(parameters, x, np.ones_like(z1), a1, dz2)


@wrong("gradients.missing_activation", "gradients", "example by example")
def _(parameters, x, labels):
    w2 = parameters[2]
    total = [np.zeros_like(p) for p in parameters]
    _, a1, p = _forward(parameters, x)
    for n, label in enumerate(labels):
        d2 = p[n].copy()
        d2[label] -= 1
        d1 = w2 @ d2
        for t, g in zip(total, [np.outer(x[n], d1), d1, np.outer(a1[n], d2), d2], strict=True):
            t += g / len(labels)
    return total


@wrong("gradients.bias", "gradients", "not summed")
def _(parameters, x, labels):
    z1, a1, p = _forward(parameters, x)
    dz2 = (p - _one_hot(labels, p.shape[1])) / len(x)
    dz1 = dz2 @ parameters[2].T * np.where(z1 > 0, 1, 0.01)
    return [x.T @ dz1, dz1, a1.T @ dz2, dz2]


@wrong("gradients.bias", "gradients", "mean after 1/m")
def _(parameters, x, labels):
    z1, a1, p = _forward(parameters, x)
    p[np.arange(len(x)), labels] -= 1
    dz2 = p / len(x)
    dz1 = dz2 @ parameters[2].T * np.where(z1 > 0, 1, 0.01)
    return [x.T @ dz1, dz1.mean(axis=0), a1.T @ dz2, dz2.mean(axis=0)]


@wrong("gradients.bias", "gradients", "1/m only in the weights", one_hot=True)
def _(parameters, x, labels):
    m = len(x)
    z1, a1, p = _forward(parameters, x)
    dz2 = p - labels
    dz1 = dz2 @ parameters[2].T * np.where(z1 > 0, 1, 0.01)
    return [x.T @ dz1 / m, dz1.sum(axis=0), a1.T @ dz2 / m, dz2.sum(axis=0)]


@wrong("gradients.bias", "gradients", "zeros")
def _(parameters, x, labels):
    dw1, db1, dw2, db2 = _gradients(parameters, x, labels)
    return [dw1, np.zeros_like(db1), dw2, np.zeros_like(db2)]


@wrong("gradients.bias", "gradients", "sum of everything, columns", columns=True)
def _(parameters, x, labels):
    dw1, db1, dw2, db2 = _gradients_columns(parameters, x, labels)
    return [dw1, np.full_like(db1, db1.sum()), dw2, np.full_like(db2, db2.sum())]


@wrong("gradients.bias", "gradients", "wrong axis, columns", columns=True, one_hot=True)
def _(parameters, x, labels):
    z1, a1, p = _forward_columns(parameters, x)
    dz2 = (p - labels) / x.shape[1]
    dz1 = parameters[2].T @ dz2 * np.where(z1 > 0, 1, 0.01)
    return [dz1 @ x.T, dz1.sum(axis=0), dz2 @ a1.T, dz2.sum(axis=0)]


@wrong("gradients.bias", "gradients", "the first example's only")
def _(parameters, x, labels):
    z1, a1, p = _forward(parameters, x)
    dz2 = (p - _one_hot(labels, p.shape[1])) / len(x)
    dz1 = dz2 @ parameters[2].T * np.where(z1 > 0, 1, 0.01)
    return [x.T @ dz1, dz1[0], a1.T @ dz2, dz2[0]]


@wrong("gradients.bias", "gradients", "minus")
def _(parameters, x, labels):
    dw1, db1, dw2, db2 = _gradients(parameters, x, labels)
    return [dw1, -db1, dw2, -db2]


@ambiguous(
    "gradients.missing_activation relu_gradient.slope_ignored", "gradients", "plain ReLU backwards"
)
def _(parameters, x, labels):
    z1, a1, p = _forward(parameters, x)
    dz2 = (p - _one_hot(labels, p.shape[1])) / len(x)
    dz1 = dz2 @ parameters[2].T * (z1 > 0)
    return [x.T @ dz1, dz1.sum(axis=0), a1.T @ dz2, dz2.sum(axis=0)]


@ambiguous(
    "gradients.missing_activation relu_gradient.of_activation", "gradients", "times a1, not a1'"
)
def _(parameters, x, labels):
    _, a1, p = _forward(parameters, x)
    dz2 = (p - _one_hot(labels, p.shape[1])) / len(x)
    dz1 = dz2 @ parameters[2].T * a1
    return [x.T @ dz1, dz1.sum(axis=0), a1.T @ dz2, dz2.sum(axis=0)]


@ambiguous(
    "gradients.missing_activation leaky_relu.plain", "gradients", "no activation in the network"
)
def _(parameters, x, labels):
    w1, b1, w2, b2 = parameters
    a1 = x @ w1 + b1
    dz2 = (_softmax(a1 @ w2 + b2) - _one_hot(labels, w2.shape[1])) / len(x)
    dz1 = dz2 @ w2.T
    return [x.T @ dz1, dz1.sum(axis=0), a1.T @ dz2, dz2.sum(axis=0)]


@ambiguous("gradients.bias function.shape", "gradients", "no keepdims in columns", columns=True)
def _(parameters, x, labels):
    dw1, db1, dw2, db2 = _gradients_columns(parameters, x, labels)
    return [dw1, db1.ravel(), dw2, db2.ravel()]


@ambiguous("gradients.bias function.shape", "gradients", "weights only")
def _(parameters, x, labels):
    return _gradients(parameters, x, labels)[::2]


@ambiguous("gradients.scale gradients.bias", "gradients", "1/m only in the biases")
def _(parameters, x, labels):
    dw1, db1, dw2, db2 = _gradients(parameters, x, labels)
    return [dw1 * len(x), db1, dw2 * len(x), db2]


@ambiguous("function.shape gradients.transposed", "gradients", "in another order")
def _(parameters, x, labels):
    dw1, db1, dw2, db2 = _gradients(parameters, x, labels)
    return [dw2, db2, dw1, db1]


ambiguous("layout.columns function.raises", "gradients", "columns for rows", _gradients_columns)

wrong("function.nothing", "gradients", "no return", lambda parameters, x, labels: None)
wrong("function.raises", "gradients", "KeyError", lambda parameters, x, labels: {}["W1"])
wrong(
    "function.nan",
    "gradients",
    "0 / 0",
    lambda q, x, y: [g / np.zeros(g.shape) * 0 for g in _gradients(q, x, y)],
)
wrong(
    "function.not_array",
    "gradients",
    "nested lists",
    lambda q, x, y: [g.tolist() for g in _gradients(q, x, y)],
)


@wrong("function.prints", "gradients", "prints the norms")
def _(parameters, x, labels):
    gradients = _gradients(parameters, x, labels)
    print([np.linalg.norm(g) for g in gradients])
    return gradients


@wrong("function.mutates", "gradients", "one-hot labels become the error", one_hot=True)
def _(parameters, x, labels):
    z1, a1, p = _forward(parameters, x)
    dz2 = (p - labels) / len(x)
    labels[...] = 0
    return _backward(parameters, x, z1, a1, dz2)


@wrong("function.mutates", "gradients", "weights changed on the way")
def _(parameters, x, labels):
    gradients = _gradients(parameters, x, labels)
    for p, g in zip(parameters, gradients, strict=True):
        p -= 0.1 * g
    return gradients


right("gradients", "helpers", _gradients)
right("gradients", "helpers, columns", _gradients_columns, columns=True)


@right("gradients", "one function, one-hot, a tuple", one_hot=True)
def _(parameters, x, labels):
    w1, b1, w2, b2 = parameters
    z1 = x.dot(w1) + b1
    a1 = np.maximum(0.01 * z1, z1)
    z2 = a1.dot(w2) + b2
    e = np.exp(z2 - z2.max(axis=1, keepdims=True))
    delta = (e / e.sum(axis=1, keepdims=True) - labels) / x.shape[0]
    hidden = delta.dot(w2.T)
    hidden[z1 < 0] *= 0.01
    return x.T.dot(hidden), hidden.sum(axis=0), a1.T.dot(delta), delta.sum(axis=0)


@right("gradients", "example by example")
def _(parameters, x, labels):
    w2 = parameters[2]
    total = [np.zeros_like(p) for p in parameters]
    z1, a1, p = _forward(parameters, x)
    for n, label in enumerate(labels):
        d2 = p[n].copy()
        d2[label] -= 1
        d1 = w2 @ d2 * np.where(z1[n] > 0, 1, 0.01)
        for t, g in zip(total, [np.outer(x[n], d1), d1, np.outer(a1[n], d2), d2], strict=True):
            t += g
    return [t / len(labels) for t in total]


@right("gradients", "einsum, mean at the end, one-hot columns", columns=True, one_hot=True)
def _(parameters, x, labels):
    z1, a1, p = _forward_columns(parameters, x)
    d2, m = p - labels, x.shape[1]
    d1 = np.einsum("oh,ob->hb", parameters[2], d2) * ((z1 > 0) + 0.01 * (z1 <= 0))
    return [
        np.einsum("hb,ib->hi", d1, x) / m,
        d1.mean(axis=1, keepdims=True),
        np.einsum("ob,hb->oh", d2, a1) / m,
        d2.mean(axis=1, keepdims=True),
    ]


@right("gradients", "float32")
def _(parameters, x, labels):
    return _gradients([p.astype(np.float32) for p in parameters], np.float32(x), labels)


@right("gradients", "central differences")
def _(parameters, x, labels):
    parameters = [p.astype(np.float64) for p in parameters]
    x, gradients = x.astype(np.float64), []

    def loss():
        w1, b1, w2, b2 = parameters
        z1 = x @ w1 + b1
        log_p = _log_softmax(np.where(z1 > 0, z1, 0.01 * z1) @ w2 + b2)
        return -log_p[np.arange(len(labels)), labels].mean()

    for p in parameters:
        g = np.zeros_like(p)
        for index in np.ndindex(p.shape):
            value = p[index]
            p[index] = value + 1e-6
            above = loss()
            p[index] = value - 1e-6
            g[index] = (above - loss()) / 2e-6
            p[index] = value
        gradients.append(g)
    return gradients


# --------------------------------------------------------------------------------------------------
# train_step
# --------------------------------------------------------------------------------------------------


def _gradients_one_hot(parameters, x, labels):
    return _gradients(parameters, x, labels.argmax(axis=1))


@wrong("train.ascent", "train_step", "plus")
def _(parameters, x, labels, learning_rate):
    gradients = _gradients(parameters, x, labels)
    return [p + learning_rate * g for p, g in zip(parameters, gradients, strict=True)]


@wrong("train.ascent", "train_step", "plus in place")
def _(parameters, x, labels, learning_rate):
    for p, g in zip(parameters, _gradients(parameters, x, labels), strict=True):
        p += learning_rate * g


@wrong("train.ascent", "train_step", "plus in place, columns", columns=True)
def _(parameters, x, labels, learning_rate):
    gradients = _gradients_columns(parameters, x, labels)
    for k in range(len(parameters)):
        parameters[k] += learning_rate * gradients[k]
    return parameters


@wrong("train.ascent", "train_step", "label minus p, then minus, one-hot", one_hot=True)
def _(parameters, x, labels, learning_rate):
    z1, a1, p = _forward(parameters, x)
    gradients = _backward(parameters, x, z1, a1, (labels - p) / len(x))
    return [p - learning_rate * g for p, g in zip(parameters, gradients, strict=True)]


@wrong("train.ascent", "train_step", "minus minus, columns", columns=True)
def _(parameters, x, labels, learning_rate):
    updates = [-learning_rate * g for g in _gradients_columns(parameters, x, labels)]
    return [np.subtract(p, update) for p, update in zip(parameters, updates, strict=True)]


@wrong(
    "train.ascent", "train_step", "sign in the helper, one-hot columns", columns=True, one_hot=True
)
def _(parameters, x, labels, learning_rate):
    def loss_falls_along():
        return [-g for g in _gradients_columns(parameters, x, labels.argmax(axis=0))]

    for p, direction in zip(parameters, loss_falls_along(), strict=True):
        p -= learning_rate * direction


@wrong("train.no_update", "train_step", "returned as they came")
def _(parameters, x, labels, learning_rate):
    gradients = _gradients(parameters, x, labels)
    assert len(gradients) == len(parameters)
    return parameters


@wrong("train.no_update", "train_step", "the loop's own name")
def _(parameters, x, labels, learning_rate):
    for p, g in zip(parameters, _gradients(parameters, x, labels), strict=True):
        p = p - learning_rate * g


@wrong("train.no_update", "train_step", "names bound anew, columns", columns=True)
def _(parameters, x, labels, learning_rate):
    w1, b1, w2, b2 = parameters
    dw1, db1, dw2, db2 = _gradients_columns(parameters, x, labels)
    w1 = w1 - learning_rate * dw1
    b1 = b1 - learning_rate * db1
    w2 = w2 - learning_rate * dw2
    b2 = b2 - learning_rate * db2
    return parameters


@wrong("train.no_update", "train_step", "copies updated, one-hot", one_hot=True)
def _(parameters, x, labels, learning_rate):
    gradients = _gradients_one_hot(parameters, x, labels)
    new = [p.copy() for p in parameters]
    for p, g in zip(new, gradients, strict=True):
        p -= learning_rate * g
    return parameters


@wrong("train.no_update", "train_step", "learning rate cut to 0")
def _(parameters, x, labels, learning_rate):
    gradients = _gradients(parameters, x, labels)
    return [p - int(learning_rate) * g for p, g in zip(parameters, gradients, strict=True)]


@wrong("train.no_update", "train_step", "difference thrown away, columns", columns=True)
def _(parameters, x, labels, learning_rate):
    for p, g in zip(parameters, _gradients_columns(parameters, x, labels), strict=True):
        np.subtract(p, learning_rate * g)


ambiguous(
    "train.no_update function.nothing",
    "train_step",
    "nothing at all",
    lambda parameters, x, labels, learning_rate: None,
)


@ambiguous("gradients.scale train.no_update", "train_step", "1/m forgotten")
def _(parameters, x, labels, learning_rate):
    gradients = _gradients(parameters, x, labels)
    return [p - learning_rate * g * len(x) for p, g in zip(parameters, gradients, strict=True)]


@ambiguous("gradients.bias train.no_update", "train_step", "biases left as they are")
def _(parameters, x, labels, learning_rate):
    dw1, _, dw2, _ = _gradients(parameters, x, labels)
    parameters[0] -= learning_rate * dw1
    parameters[2] -= learning_rate * dw2


wrong("function.raises", "train_step", "AttributeError", lambda q, x, y, lr: q.update(lr))
wrong("function.nan", "train_step", "NaN", lambda q, x, y, lr: [p - lr * np.nan for p in q])
wrong(
    "function.not_array",
    "train_step",
    "nested lists",
    lambda q, x, y, lr: [
        (p - lr * g).tolist() for p, g in zip(q, _gradients(q, x, y), strict=True)
    ],
)


@wrong("function.prints", "train_step", "prints the loss")
def _(parameters, x, labels, learning_rate):
    p = _forward(parameters, x)[2][np.arange(len(x)), labels]
    print("loss:", -np.mean(np.log(p + 1e-12)))
    for p, g in zip(parameters, _gradients(parameters, x, labels), strict=True):
        p -= learning_rate * g


@wrong("function.mutates", "train_step", "labels worked on", one_hot=True)
def _(parameters, x, labels, learning_rate):
    gradients = _gradients_one_hot(parameters, x, labels)
    labels *= 0
    return [p - learning_rate * g for p, g in zip(parameters, gradients, strict=True)]


@right("train_step", "new list")
def _(parameters, x, labels, learning_rate):
    gradients = _gradients(parameters, x, labels)
    return [p - learning_rate * g for p, g in zip(parameters, gradients, strict=True)]


@right("train_step", "in place")
def _(parameters, x, labels, learning_rate):
    for p, g in zip(parameters, _gradients(parameters, x, labels), strict=True):
        p -= learning_rate * g


@right("train_step", "in place and returned, columns", columns=True)
def _(parameters, x, labels, learning_rate):
    for p, g in zip(parameters, _gradients_columns(parameters, x, labels), strict=True):
        p[...] = p - learning_rate * g
    return parameters


@right("train_step", "a tuple, one-hot", one_hot=True)
def _(parameters, x, labels, learning_rate):
    gradients = _gradients_one_hot(parameters, x, labels)
    return tuple(p - learning_rate * g for p, g in zip(parameters, gradients, strict=True))


@right("train_step", "arrays of the list replaced")
def _(parameters, x, labels, learning_rate):
    gradients = _gradients(parameters, x, labels)
    for k in range(4):
        parameters[k] = parameters[k] - learning_rate * gradients[k]


@right("train_step", "added with a minus, one-hot columns", columns=True, one_hot=True)
def _(parameters, x, labels, learning_rate):
    gradients = _gradients_columns(parameters, x, labels.argmax(axis=0))
    return [p + -learning_rate * g for p, g in zip(parameters, gradients, strict=True)]


@right("train_step", "map")
def _(parameters, x, labels, learning_rate):
    step = map(functools.partial(np.multiply, learning_rate), _gradients(parameters, x, labels))
    return list(map(np.subtract, parameters, step))


@right("train_step", "float32, in place")
def _(parameters, x, labels, learning_rate):
    gradients = _gradients([np.float32(p) for p in parameters], np.float32(x), labels)
    for p, g in zip(parameters, gradients, strict=True):
        np.subtract(p, learning_rate * g, out=p, casting="same_kind")


# --------------------------------------------------------------------------------------------------
# big_endian, nearest_mean, accuracy and the shape ledger
# --------------------------------------------------------------------------------------------------

wrong("idx.endian", "big_endian", "little", lambda four: int.from_bytes(four, "little"))
wrong("idx.endian", "big_endian", "native", lambda four: np.frombuffer(four, np.uint32))
wrong(
    "idx.endian", "big_endian", "powers", lambda four: sum(b * 256**k for k, b in enumerate(four))
)
wrong("idx.signed", "big_endian", "struct >i", lambda four: struct.unpack(">i", four)[0])
wrong("idx.signed", "big_endian", "np >i4", lambda four: np.frombuffer(four, ">i4")[0])
wrong("idx.place_value", "big_endian", "sum", lambda four: sum(four))
wrong("idx.place_value", "big_endian", "hex read as decimal", lambda four: int(four.hex()))
wrong("idx.place_value", "big_endian", "the bytes", lambda four: np.frombuffer(four, np.uint8))
wrong("big_endian.wrong", "big_endian", "always 7", lambda four: 7)
wrong("big_endian.wrong", "big_endian", "a float", lambda four: float(int.from_bytes(four, "big")))
wrong("big_endian.wrong", "big_endian", "5,001 digits", lambda four: 10**5000)
wrong("function.not_array", "big_endian", "text", lambda four: four.hex())
wrong(
    "function.not_array", "big_endian", "unpacked, a tuple", lambda four: struct.unpack(">I", four)
)
wrong("function.not_array", "big_endian", "a list of bytes", lambda four: list(four))
right("big_endian", "int.from_bytes", lambda four: int.from_bytes(four, "big"))
right("big_endian", "an array of one number", lambda four: np.frombuffer(four, ">u4"))
right(
    "big_endian",
    "an array without a dimension",
    lambda four: np.frombuffer(four, ">u4").reshape(()),
)
right("big_endian", "shifts", lambda four: four[0] << 24 | four[1] << 16 | four[2] << 8 | four[3])


def _nearest(distance, choose=np.argmin):
    def predict(train_images, train_labels, test_images):
        means = np.stack([train_images[train_labels == d].mean(axis=0) for d in range(10)])
        return choose(distance(test_images[:, None], means), axis=1)

    return predict


def _nearest_of(middle):
    def predict(train_images, train_labels, test_images):
        middles = np.stack([middle(train_images[train_labels == d]) for d in range(10)])
        return _squared(test_images[:, None], middles).argmin(axis=1)

    return predict


def _bytes_apart(images, means):
    return ((images - means.astype(np.uint8)).astype(float) ** 2).sum(axis=(2, 3))


def _squares_of_bytes(images, means):
    return ((images - means.astype(np.uint8)) ** 2).sum(axis=(2, 3))


def _squared(images, means):
    return ((images - means) ** 2).sum(axis=(2, 3))


wrong("data.bytes_wrap", "nearest_mean", "difference of bytes", _nearest(_bytes_apart))
wrong("data.bytes_wrap", "nearest_mean", "squares of bytes", _nearest(_squares_of_bytes))
wrong("nearest_mean.farthest", "nearest_mean", "argmax", _nearest(_squared, np.argmax))
wrong(
    "nearest_mean.cancels",
    "nearest_mean",
    "sum of differences",
    _nearest(lambda x, m: np.abs((x - m).sum(axis=(2, 3)))),
)
wrong("nearest_mean.wrong", "nearest_mean", "always 3", lambda a, b, test: np.full(len(test), 3))
wrong("nearest_mean.wrong", "nearest_mean", "a column", lambda a, b, test: np.zeros((len(test), 1)))
wrong(
    "function.not_array", "nearest_mean", "with distances", lambda a, b, test: (test[:, 0, 0], test)
)
wrong(
    "data.bytes_wrap",
    "nearest_mean",
    "means made bytes",
    _nearest(lambda x, m: _squared(x.astype(float), m.astype(np.uint8))),
)
wrong(
    "nearest_mean.wrong",
    "nearest_mean",
    "absolute differences",
    _nearest(lambda x, m: np.abs(x - m).sum(axis=(2, 3))),
)
wrong("nearest_mean.wrong", "nearest_mean", "medians", _nearest_of(lambda x: np.median(x, axis=0)))
wrong("nearest_mean.wrong", "nearest_mean", "mean of five", _nearest_of(lambda x: x[:5].mean(0)))
wrong(
    "nearest_mean.wrong", "nearest_mean", "all but the last", _nearest_of(lambda x: x[:-1].mean(0))
)
wrong(
    "nearest_mean.wrong", "nearest_mean", "first of each", _nearest_of(lambda x: x[0].astype(float))
)
wrong("nearest_mean.wrong", "nearest_mean", "sum by ten", _nearest_of(lambda x: x.sum(axis=0) / 10))
wrong("nearest_mean.wrong", "nearest_mean", "brightest", _nearest_of(lambda x: x.max(axis=0) * 1.0))
wrong(
    "nearest_mean.wrong",
    "nearest_mean",
    "largest product",
    _nearest(lambda x, m: -(x * m).sum(axis=(2, 3))),
)


@wrong("nearest_mean.wrong", "nearest_mean", "nearest neighbour")
def _(train_images, train_labels, test_images):
    apart = test_images[:, None].astype(float) - train_images
    return train_labels[(apart**2).sum(axis=(2, 3)).argmin(axis=1)]


@right("nearest_mean", "loops, root of the sum")
def _(train_images, train_labels, test_images):
    digits = np.unique(train_labels)
    means = [train_images[train_labels == d].astype(np.float32).mean(axis=0) for d in digits]
    return [digits[np.argmin([np.linalg.norm(x - m) for m in means])] for x in test_images]


@right("nearest_mean", "multiplied out, float32, pixels from 0 to 1")
def _(train_images, train_labels, test_images):
    train, test = (
        x.reshape(len(x), -1).astype(np.float32) / 255 for x in (train_images, test_images)
    )
    one_hot = np.eye(10, dtype=np.float32)[train_labels]
    means = one_hot.T @ train / one_hot.sum(axis=0)[:, None]
    return ((means**2).sum(axis=1) - 2 * test @ means.T).argmin(axis=1)


right("nearest_mean", "squares", _nearest(_squared))
right("nearest_mean", "a list", lambda *a: _nearest(_squared)(*a).tolist())

wrong("accuracy.broadcast", "accuracy", "compared as they come", lambda p, y: np.mean(p == y))
wrong("accuracy.broadcast", "accuracy", "summed up", lambda p, y: (p == y).sum() / len(y))
wrong("accuracy.wrong", "accuracy", "errors", lambda p, y: np.mean(p.ravel() != y))
wrong("accuracy.wrong", "accuracy", "a count", lambda p, y: np.sum(p.ravel() == y))
wrong("accuracy.wrong", "accuracy", "percent", lambda p, y: 100 * np.mean(p.ravel() == y))
wrong("accuracy.wrong", "accuracy", "one for each", lambda p, y: p.ravel() == y)
wrong("accuracy.wrong", "accuracy", "always 1", lambda p, y: 1.0)
wrong("accuracy.wrong", "accuracy", "somewhere", lambda p, y: np.isin(p, y).mean())
wrong(
    "accuracy.wrong", "accuracy", "sorted", lambda p, y: np.mean(np.sort(p.ravel()) == np.sort(y))
)
wrong("accuracy.wrong", "accuracy", "of eight", lambda p, y: np.sum(p.ravel() == y) / 8)
wrong(
    "accuracy.wrong",
    "accuracy",
    "sets",
    lambda p, y: len(set(p.ravel().tolist()) & set(y.tolist())) / len(set(y.tolist())),
)
wrong(
    "accuracy.wrong",
    "accuracy",
    "as often",
    lambda p, y: (
        np.minimum(np.bincount(p.ravel(), minlength=10), np.bincount(y, minlength=10)).sum()
        / len(y)
    ),
)
wrong("function.not_array", "accuracy", "with the count", lambda p, y: (np.mean(p.ravel() == y), 8))
right("accuracy", "one minus the errors", lambda p, y: 1 - np.count_nonzero(p.flat - y) / y.size)
right("accuracy", "mean", lambda p, y: np.mean(p.ravel() == y))
right("accuracy", "an array of one number", lambda p, y: np.array([np.mean(p.ravel() == y)]))
right("accuracy", "Python numbers", lambda p, y: sum(map(int, p.ravel() == y)) / len(y))

_LEDGER = {
    "x[0]": (784,),
    "weights[:, 0]": (784,),
    "x[0] * weights[:, 0]": (784,),
    "x[0] @ weights[:, 0]": (),
    "x[0] @ weights": (128,),
    "x @ weights": (32, 128),
    "x @ weights + bias": (32, 128),
}
wrong("shapes.nothing", "shapes", "empty", {})
wrong("shapes.nothing", "shapes", "dots", _LEDGER | {"x[0]": ...})
wrong("shapes.wrong", "shapes", "no tuple", _LEDGER | {"x[0]": 784})
wrong("shapes.wrong", "shapes", "exchanged", _LEDGER | {"x @ weights": (128, 32)})
wrong("shapes.wrong", "shapes", "not summed", _LEDGER | {"x[0] @ weights": (784, 128)})
wrong("shapes.wrong", "shapes", "text", _LEDGER | {"x @ weights": "(32, 128)"})
wrong("shapes.wrong", "shapes", "an array", _LEDGER | {"x @ weights": np.array([32, 128])})
wrong("shapes.wrong", "shapes", "a list of answers", list(_LEDGER.values()))
right("shapes", "tuples", _LEDGER)
right("shapes", "lists", {key: list(shape) for key, shape in _LEDGER.items()})

# --------------------------------------------------------------------------------------------------
# Results of other types
# --------------------------------------------------------------------------------------------------

wrong("function.not_array", "linear", "(z, cache)", lambda x, w, b: (x @ w + b, {"x": x}))
wrong("function.not_array", "linear", "(z, a)", lambda x, w, b: (x @ w + b, np.tanh(x @ w + b)))
wrong("function.not_array", "linear", "rows in a tuple", lambda x, w, b: tuple(x @ w + b))
wrong("function.not_array", "linear", "np.matrix", lambda x, w, b: np.asmatrix(x @ w + b))
wrong("function.not_array", "linear", "masked array", lambda x, w, b: np.ma.array(x @ w + b))
wrong("function.not_array", "linear", "complex", lambda x, w, b: (x @ w + b).astype(complex))
wrong("function.not_array", "linear", "objects", lambda x, w, b: (x @ w + b).astype(object))
wrong("function.not_array", "linear", "text", lambda x, w, b: str(x @ w + b))
wrong("function.not_array", "linear", "array of text", lambda x, w, b: (x @ w + b).astype(str))
wrong("function.not_array", "linear", "generator", lambda x, w, b: (row @ w + b for row in x))
wrong("function.not_array", "linear", "set", lambda x, w, b: set((x @ w + b).ravel().tolist()))
wrong("function.not_array", "linear", "None in a list", lambda x, w, b: [None, *(x @ w + b)])
wrong(
    "function.not_array", "softmax", "(p, cache)", lambda z: (_exp(z) / _exp(z).sum(1)[:, None], z)
)
wrong("function.not_array", "softmax", "huge", lambda z: np.broadcast_to(z[0], (10**8, 3)))
wrong("function.not_array", "cross_entropy", "(loss, p)", lambda z, y: (1.5, np.exp(z)))
wrong(
    "function.not_array",
    "he_normal",
    "(weights, bias)",
    lambda rng, i, o, s: (rng.normal(0, _he(i, s), (i, o)), np.zeros(o)),
)
wrong(
    "function.shape", "gradients", "(loss, gradients)", lambda q, x, y: (1.5, _gradients(q, x, y))
)
wrong(
    "function.shape", "gradients", "a generator", lambda q, x, y: (g for g in _gradients(q, x, y))
)
wrong("function.shape", "gradients", "None", lambda q, x, y: [None])
wrong(
    "function.not_array",
    "gradients",
    "None inside",
    lambda q, x, y: [*_gradients(q, x, y)[:3], None],
)
wrong(
    "function.shape",
    "he_normal",
    "rows for columns",
    lambda rng, i, o, s: rng.normal(0, _he(i, s), (i, o)),
    columns=True,
)
right("linear", "numpy scalars made an array", lambda x, w, b: np.array(list(map(list, x @ w + b))))
right("gradients", "in an object array", lambda q, x, y: _objects(_gradients(q, x, y)))
right("gradients", "in a dictionary", lambda q, x, y: dict(enumerate(_gradients(q, x, y))))
right(
    "gradients",
    "biases (1, units)",
    lambda q, x, y: [g if g.ndim == 2 else g[None] for g in _gradients(q, x, y)],
)


def _objects(arrays):
    objects = np.empty(len(arrays), object)
    objects[:] = arrays
    return objects


right(
    "cross_entropy",
    "shape (1,)",
    lambda z, y: np.array([-_log_softmax(z)[np.arange(len(y)), y].mean()]),
)
right(
    "cross_entropy",
    "shape (1, 1), float32",
    lambda z, y: -_log_softmax(z)[np.arange(len(y)), y].mean(keepdims=True)[None].astype("f4"),
)


# --------------------------------------------------------------------------------------------------
# A function that does not work
# --------------------------------------------------------------------------------------------------


def _dots(x, weights, bias): ...


def _dots_returned(x, weights, bias):
    return ...


def _dots_added(x, weights, bias):
    return x @ weights + ...


def _endless(z):
    return _endless(z)


wrong("function.nothing", "linear", "dots for a body", _dots)
wrong("function.nothing", "linear", "dots returned", _dots_returned)
wrong("function.nothing", "train_step", "dots returned", lambda q, x, y, rate: ...)
wrong("function.raises", "linear", "dots added", _dots_added)
wrong("function.raises", "linear", "called already", np.zeros((5, 4)))
wrong("function.raises", "softmax", "None", None)
wrong("function.raises", "softmax", "two arguments", lambda logits, axis: np.exp(logits))
wrong("function.raises", "softmax", "a recursion", _endless)
wrong("function.raises", "softmax", "a huge array", lambda z: np.ones((10**6, 10**6)))

# --------------------------------------------------------------------------------------------------
# More of softmax and cross-entropy
# --------------------------------------------------------------------------------------------------

wrong("softmax.no_exp", "softmax", "tanh", lambda z: np.tanh(z))
wrong("softmax.log", "softmax", "log-softmax", _log_softmax)
wrong("softmax.log", "softmax", "log-softmax, columns", lambda z: _log_softmax(z.T).T, columns=True)
wrong("softmax.base", "softmax", "powers of 2", lambda z: 2**z / (2**z).sum(axis=1, keepdims=True))
wrong("softmax.base", "softmax", "temperature", lambda z: _softmax(z / 5))
wrong("softmax.squashed", "softmax", "twice", lambda z: _softmax(_softmax(z)))
wrong(
    "softmax.squashed",
    "softmax",
    "twice, loops",
    lambda z: _softmax(np.array([_softmax(r[None])[0] for r in z])),
)
wrong("softmax.not_normalised", "softmax", "sigmoid", lambda z: 1 / (1 + np.exp(-z)))
wrong("softmax.not_normalised", "softmax", "ReLU", lambda z: np.maximum(z, 0))
wrong("softmax.wrong", "softmax", "squares", lambda z: z**2 / (z**2).sum(axis=1, keepdims=True))
wrong("softmax.wrong", "softmax", "uniform", lambda z: np.full(z.shape, 1 / z.shape[1]))
wrong("softmax.overflow", "softmax", "clipped", lambda z: _softmax(np.clip(z, -50, 50)))
ambiguous(
    "softmax.axis function.raises",
    "softmax",
    "keepdims forgotten, no maximum",
    lambda z: np.exp(z) / np.exp(z).sum(axis=1),
)


def _picked(log_p, labels):
    return -log_p[np.arange(len(labels)), labels]


def _log_of(p):
    return np.log(np.maximum(p, 1e-300))


wrong(
    "softmax.axis",
    "cross_entropy",
    "softmax over the batch inside",
    lambda z, y: _picked(_log_of(np.exp(z) / np.exp(z).sum(axis=0)), y).mean(),
)
wrong(
    "softmax.global_sum",
    "cross_entropy",
    "softmax over everything inside",
    lambda z, y: _picked(_log_of(np.exp(z) / np.exp(z).sum()), y).mean(),
)
wrong(
    "softmax.squashed",
    "cross_entropy",
    "softmax twice",
    lambda z, y: _picked(_log_softmax(_softmax(z)), y).mean(),
)
wrong(
    "softmax.squashed",
    "cross_entropy",
    "softmax twice, one-hot",
    lambda z, y: -(y * _log_softmax(_softmax(z))).sum() / len(z),
    one_hot=True,
)
for _epsilon in (0.1, 0.01, 0.001):
    wrong(
        "cross_entropy.log_zero",
        "cross_entropy",
        f"epsilon {_epsilon}",
        lambda z, y, epsilon=_epsilon: _picked(np.log(_softmax(z) + epsilon), y).mean(),
    )
for _epsilon in (1e-5, 1e-6):
    wrong(
        "cross_entropy.log_zero",
        "cross_entropy",
        f"floor {_epsilon}",
        lambda z, y, epsilon=_epsilon: _picked(np.log(np.maximum(_softmax(z), epsilon)), y).mean(),
    )
wrong(
    "cross_entropy.log_zero",
    "cross_entropy",
    "a million for infinity",
    lambda z, y: np.minimum(_picked(np.log(_softmax(z)), y), 1e6).mean(),
)
for _epsilon in (1e-7, 1e-12, 1e-300):
    right(
        "cross_entropy",
        f"floor {_epsilon}",
        lambda z, y, epsilon=_epsilon: _picked(np.log(_softmax(z) + epsilon), y).mean(),
    )
wrong(
    "cross_entropy.not_mean",
    "cross_entropy",
    "median",
    lambda z, y: np.median(_picked(_log_softmax(z), y)),
)
wrong(
    "cross_entropy.sign",
    "cross_entropy",
    "log of twice the probability, minus 5",
    lambda z, y: _picked(_log_softmax(z) + 5, y).mean(),
)
wrong(
    "cross_entropy.no_log",
    "cross_entropy",
    "1 - p",
    lambda z, y: _picked(_softmax(z) - 1, y).mean(),
)
wrong(
    "cross_entropy.no_log", "cross_entropy", "minus p", lambda z, y: _picked(_softmax(z), y).mean()
)
wrong(
    "cross_entropy.wrong",
    "cross_entropy",
    "squared error",
    lambda z, y: np.mean((_softmax(z) - np.eye(z.shape[1])[y]) ** 2),
)
wrong(
    "cross_entropy.wrong",
    "cross_entropy",
    "squared error, one-hot",
    lambda z, y: np.sum((_softmax(z) - y) ** 2) / len(z),
    one_hot=True,
)
wrong(
    "cross_entropy.wrong",
    "cross_entropy",
    "binary cross-entropy",
    lambda z, y: -(y * np.log(_softmax(z)) + (1 - y) * np.log(1 - _softmax(z))).mean(),
    one_hot=True,
)
wrong(
    "cross_entropy.wrong",
    "cross_entropy",
    "hinge",
    lambda z, y: np.maximum(0, 1 + z - z[np.arange(len(y)), y][:, None]).sum(axis=1).mean(),
)
wrong(
    "cross_entropy.wrong_class",
    "cross_entropy",
    "the least probable class",
    lambda z, y: -_log_softmax(z).min(axis=1).mean(),
)

# --------------------------------------------------------------------------------------------------
# More of leaky ReLU
# --------------------------------------------------------------------------------------------------

wrong("leaky_relu.plain", "leaky_relu", "slope 0.2", lambda z, s: np.where(z > 0, z, 0.2 * z))
wrong("leaky_relu.abs", "leaky_relu", "square", lambda z, s: np.where(z > 0, z, z**2))
wrong("leaky_relu.sign", "leaky_relu", "negated", lambda z, s: -np.where(z > 0, z, s * z))
wrong("leaky_relu.derivative", "leaky_relu", "derivative", lambda z, s: np.where(z > 0, 1, s))
wrong("leaky_relu.wrong", "leaky_relu", "slope alone", lambda z, s: np.where(z > 0, z, s))
wrong("leaky_relu.wrong", "leaky_relu", "tanh", lambda z, s: np.tanh(z))
wrong("leaky_relu.wrong", "leaky_relu", "sigmoid", lambda z, s: 1 / (1 + np.exp(-z)))
wrong("leaky_relu.wrong", "leaky_relu", "ELU", lambda z, s: np.where(z > 0, z, np.exp(z) - 1))
wrong(
    "leaky_relu.wrong",
    "leaky_relu",
    "root below",
    lambda z, s: np.where(z > 0, z, -((-z * s) ** 2)),
)
wrong(
    "leaky_relu.wrong",
    "leaky_relu",
    "clipped",
    lambda z, s: np.clip(np.where(z > 0, z, s * z), -9, 1),
)

wrong(
    "relu_gradient.wrong", "leaky_relu_gradient", "sigmoid's", lambda z, s: 1 / (2 + 2 * np.cosh(z))
)
wrong("relu_gradient.wrong", "leaky_relu_gradient", "z > 1", lambda z, s: np.where(z > 1, 1, s))
wrong(
    "relu_gradient.wrong",
    "leaky_relu_gradient",
    "another layer's z",
    lambda z, s: np.where(np.random.default_rng(0).permutation(z.flat).reshape(z.shape) > 0, 1, s),
)
wrong(
    "relu_gradient.slope_ignored",
    "leaky_relu_gradient",
    "0.5",
    lambda z, s: np.where(z > 0, 1, 0.5),
)
wrong(
    "relu_gradient.wrong",
    "leaky_relu_gradient",
    "7 at 0",
    lambda z, s: np.where(z == 0, 7, np.where(z > 0, 1, s)),
)
wrong(
    "relu_gradient.wrong",
    "leaky_relu_gradient",
    "0 at 0",
    lambda z, s: 1.0 * (z > 0) + s * (z < 0),
)
wrong(
    "relu_gradient.wrong",
    "leaky_relu_gradient",
    "-1 at 0, slope of its own",
    lambda z: np.where(z > 0, 1, np.where(z < 0, 0.1, -1)),
)
right("leaky_relu_gradient", "half way at 0", lambda z, s: (1 + s) / 2 + (1 - s) / 2 * np.sign(z))
right("leaky_relu_gradient", "of the activation, >", lambda z, s: np.where(_leaky(z, s) > 0, 1, s))
right("leaky_relu_gradient", "of plain ReLU, >", lambda z, s: np.where(np.maximum(z, 0) > 0, 1, s))

# --------------------------------------------------------------------------------------------------
# More of initialization
# --------------------------------------------------------------------------------------------------

wrong(
    "init.positive",
    "he_normal",
    "0 to 0.1",
    lambda rng, i, o, s: 0.1 * rng.random((i, o)),
)
wrong(
    "init.positive",
    "he_normal",
    "centred at 0.02",
    lambda rng, i, o, s: rng.normal(0.5 * _he(i, s), _he(i, s), (i, o)),
)
wrong(
    "init.positive",
    "he_normal",
    "a little off centre",
    lambda rng, i, o, s: rng.normal(0.05 * _he(i, s), _he(i, s), (i, o)),
)
wrong(
    "init.too_small",
    "he_normal",
    "no factor 2 for the bend",
    lambda rng, i, o, s: rng.normal(0, np.sqrt(1 / i), (i, o)),
)
wrong(
    "init.too_small",
    "he_normal",
    "no factor 2, uniform, columns",
    lambda rng, i, o, s: rng.uniform(-np.sqrt(3 / i), np.sqrt(3 / i), (o, i)),
    columns=True,
)
for _factor in (0.66, 0.8, 0.9, 1.1, 1.24):
    wrong(
        f"init.too_{'small' if _factor < 1 else 'large'}",
        "he_normal",
        f"{_factor} times He's",
        lambda rng, i, o, s, factor=_factor: factor * rng.normal(0, _he(i, s), (i, o)),
    )


@wrong("init.too_small", "he_normal", "truncated at two std, not rescaled")
def _(rng, inputs, outputs, slope):
    weights = rng.standard_normal((inputs, outputs))
    while (far := np.abs(weights) > 2).any():
        weights[far] = rng.standard_normal(far.sum())
    return weights * _he(inputs, slope)


@wrong("init.symmetric", "he_normal", "a generator of its own")
def _(rng, inputs, outputs, slope):
    rng = np.random.default_rng(0)
    return rng.normal(0, _he(inputs, slope), (inputs, outputs))


@wrong("init.symmetric", "he_normal", "a generator of its own, columns", columns=True)
def _(rng, inputs, outputs, slope):
    return np.random.RandomState(42).randn(outputs, inputs) * _he(inputs, slope)


@wrong("init.symmetric", "he_normal", "pairs of clones")
def _(rng, inputs, outputs, slope):
    half = rng.normal(0, _he(inputs, slope), (inputs, (outputs + 1) // 2))
    return np.repeat(half, 2, axis=1)[:, :outputs]


@wrong("init.symmetric", "he_normal", "all but one clones, columns", columns=True)
def _(rng, inputs, outputs, slope):
    weights = np.tile(rng.normal(0, _he(inputs, slope), inputs), (outputs, 1))
    weights[0] = rng.normal(0, _he(inputs, slope), inputs)
    return weights


@right("he_normal", "a generator of its own, seeded from rng")
def _(rng, inputs, outputs, slope):
    own = np.random.default_rng(rng.integers(2**32))
    return own.laplace(0, _he(inputs, slope) / np.sqrt(2), (inputs, outputs))


wrong(
    "init.too_large",
    "he_normal",
    "root taken twice",
    lambda rng, i, o, s: rng.normal(0, np.sqrt(_he(i, s)), (i, o)),
)

# --------------------------------------------------------------------------------------------------
# More of gradients, and of steps
# --------------------------------------------------------------------------------------------------


def _back(d_logits=None, d_hidden=None, outer=None, activation=None, softmax=_softmax):
    """Make a function that returns gradients, with one line of the way back replaced."""

    def gradients(parameters, x, labels):
        w1, b1, w2, b2 = parameters
        z1 = x @ w1 + b1
        a1 = np.maximum(0.01 * z1, z1) if activation is None else activation(z1)
        p, y = softmax(a1 @ w2 + b2), np.eye(len(b2))[labels]
        d2 = (p - y) / len(x) if d_logits is None else d_logits(p, y)
        d1 = d2 @ w2.T
        d1 = d1 * np.where(z1 > 0, 1, 0.01) if d_hidden is None else d_hidden(d1, z1)
        dw2 = (a1 if outer is None else outer(a1, z1)).T @ d2
        return [x.T @ d1, d1.sum(axis=0), dw2, d2.sum(axis=0)]

    return gradients


wrong("gradients.missing_activation", "gradients", "z for a", _back(outer=lambda a, z: z))
wrong("gradients.missing_activation", "gradients", "times z", _back(d_hidden=lambda d, z: d * z))
wrong(
    "gradients.missing_activation",
    "gradients",
    "leaky ReLU of the gradient",
    _back(d_hidden=lambda d, z: np.where(d > 0, d, 0.01 * d)),
)
wrong(
    "gradients.missing_activation",
    "gradients",
    "derivative at the gradient",
    _back(d_hidden=lambda d, z: d * np.where(d > 0, 1, 0.01)),
)
wrong(
    "gradients.missing_activation",
    "gradients",
    "derivative of tanh",
    _back(d_hidden=lambda d, z: d / np.cosh(z) ** 2),
)
wrong(
    "gradients.missing_activation",
    "gradients",
    "derivative missing, and twice as long",
    lambda q, x, y: [2 * g for g in _back(d_hidden=lambda d, z: d)(q, x, y)],
)
wrong(
    "relu_gradient.sign",
    "gradients",
    "comparison turned",
    _back(d_hidden=lambda d, z: d * np.where(z < 0, 1, 0.01)),
)
wrong(
    "leaky_relu.plain",
    "gradients",
    "plain ReLU both ways",
    _back(activation=lambda z: np.maximum(z, 0), d_hidden=lambda d, z: d * (z > 0)),
)
wrong(
    "softmax.axis", "gradients", "softmax over the batch", _back(softmax=lambda z: _softmax(z.T).T)
)
wrong(
    "softmax.global_sum",
    "gradients",
    "softmax over everything",
    _back(softmax=lambda z: np.exp(z) / np.exp(z).sum()),
)
wrong("softmax.not_normalised", "gradients", "exponentials", _back(softmax=np.exp))
wrong("gradients.no_labels", "gradients", "p alone", _back(d_logits=lambda p, y: p / len(p)))
wrong(
    "gradients.extra_softmax",
    "gradients",
    "p (1 - p)",
    _back(d_logits=lambda p, y: (p - y) * p * (1 - p) / len(p)),
)


def _squares(p, y):
    d = 2 * (p - y) / len(p)
    return np.stack([(np.diag(q) - np.outer(q, q)) @ e for q, e in zip(p, d, strict=True)])


wrong("gradients.wrong", "gradients", "squared error", _back(d_logits=_squares))
wrong(
    "gradients.wrong",
    "gradients",
    "signs",
    lambda q, x, y: [np.sign(g) for g in _gradients(q, x, y)],
)
wrong(
    "gradients.wrong",
    "gradients",
    "weight decay",
    lambda q, x, y: [
        g + 0.3 * p * (p.ndim == 2) for g, p in zip(_gradients(q, x, y), q, strict=True)
    ],
)


@wrong("gradients.transposed", "gradients", "reshape for the transpose, on the way")
def _(parameters, x, labels):
    w1, b1, w2, b2 = parameters
    z1 = x @ w1 + b1
    a1 = np.maximum(0.01 * z1, z1)
    d2 = (_softmax(a1 @ w2 + b2) - np.eye(len(b2))[labels]) / len(x)
    d1 = d2 @ w2.T * np.where(z1 > 0, 1, 0.01)
    turned = [a.reshape(a.shape[1], len(a)) for a in (x, a1)]
    return [turned[0] @ d1, d1.sum(axis=0), turned[1] @ d2, d2.sum(axis=0)]


wrong("gradients.zero", "gradients", "zeros", lambda q, x, y: [np.zeros_like(p) for p in q])
wrong(
    "gradients.sign",
    "gradients",
    "only the second layer",
    lambda q, x, y: [g * s for g, s in zip(_gradients(q, x, y), (1, 1, -1, -1), strict=True)],
)
wrong(
    "gradients.scale",
    "gradients",
    "1/m in the first layer only",
    lambda q, x, y: [g * s for g, s in zip(_gradients(q, x, y), (1, 1, 6, 6), strict=True)],
)


def _accumulating():
    total = {}

    def gradients(parameters, x, labels):
        for k, g in enumerate(_gradients(parameters, x, labels)):
            total[k] = total.get(k, 0) + g
        return [total[k] for k in range(4)]

    return gradients


wrong("gradients.accumulated", "gradients", "buffers never set to 0", _accumulating())


def _accumulating_step():
    gradients = _accumulating()

    def step(parameters, x, labels, learning_rate):
        for p, g in zip(parameters, gradients(parameters, x, labels), strict=True):
            p -= learning_rate * g

    return step


ambiguous(
    "gradients.accumulated gradients.scale train.learning_rate",
    "train_step",
    "buffers never set to 0",
    _accumulating_step(),
)


@wrong("gradients.transposed", "train_step", "d.T @ x in place")
def _(parameters, x, labels, learning_rate):
    gradients = _gradients(parameters, x, labels)
    parameters[0] -= learning_rate * gradients[0].T
    for p, g in zip(parameters[1:], gradients[1:], strict=True):
        p -= learning_rate * g


@wrong("train.no_update", "train_step", "only the last layer")
def _(parameters, x, labels, learning_rate):
    for p, g in zip(parameters[2:], _gradients(parameters, x, labels)[2:], strict=True):
        p -= learning_rate * g


@wrong("train.no_update", "train_step", "the loop's own name, returns the loss")
def _(parameters, x, labels, learning_rate):
    for p, g in zip(parameters, _gradients(parameters, x, labels), strict=True):
        p = p - learning_rate * g
    return 2.3


@wrong("train.learning_rate", "train_step", "always 0.05")
def _(parameters, x, labels, learning_rate):
    for p, g in zip(parameters, _gradients(parameters, x, labels), strict=True):
        p -= 0.05 * g


def _in_place(parameters, x, labels, learning_rate):
    for p, g in zip(parameters, _gradients(parameters, x, labels), strict=True):
        p -= learning_rate * g


@right("train_step", "in place, returns the loss")
def _(parameters, x, labels, learning_rate):
    _in_place(parameters, x, labels, learning_rate)
    return 2.3


@right("train_step", "in place, returns (loss, accuracy)")
def _(parameters, x, labels, learning_rate):
    _in_place(parameters, x, labels, learning_rate)
    return np.float64(2.3), 0.4


@right("train_step", "returns (parameters, loss)")
def _(parameters, x, labels, learning_rate):
    new = [
        p - learning_rate * g
        for p, g in zip(parameters, _gradients(parameters, x, labels), strict=True)
    ]
    return new, 2.3


@right("train_step", "in place, returns (loss, accuracy, rate, step)")
def _(parameters, x, labels, learning_rate):
    _in_place(parameters, x, labels, learning_rate)
    return 2.3, 0.4, learning_rate, 7


wrong("linear.no_bias", "linear", "the largest bias for all", lambda x, w, b: x @ w + b.max())
wrong("linear.wrong", "linear", "squared", lambda x, w, b: (x @ w + b) ** 2)
wrong("linear.wrong", "linear", "activated", lambda x, w, b: np.maximum(x @ w + b, 0))
wrong("read_idx.wrong", "read_idx", "inverted", lambda path: 255 - _right_idx(path))
wrong(
    "function.not_array",
    "read_idx",
    "(images, labels)",
    lambda path: (_right_idx(path), np.arange(3)),
)


def _right_idx(path):
    content, rank, shape = _header(path)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


right("read_idx", "with a needless byte order", lambda path: _right_idx(path).astype(">i4"))
right("leaky_relu", "a slope of its own", lambda z: np.where(z > 0, z, z / 5))
right("leaky_relu_gradient", "a slope of its own", lambda z: np.where(z > 0, 1, 0.2))


def _first_example_alone(x, weights, bias):
    z = x @ weights
    z[0] += bias
    return z


def _divided_in_a_loop(logits):
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    for row in p:
        for k in range(len(row)):
            row[k] /= row.sum()
    return p


def _without(*zero):
    def gradients(parameters, x, labels):
        found = _back()(parameters, x, labels)
        return [0 * g if k in zero else g for k, g in enumerate(found)]

    return gradients


wrong("linear.wrong", "linear", "bias for each input", lambda x, w, b: x @ w + len(w) * b)
wrong("linear.wrong", "linear", "bias for one example", _first_example_alone)
wrong("linear.wrong", "linear", "an input too few", lambda x, w, b: x[:, 1:] @ w[1:] + b)
wrong("read_idx.wrong", "read_idx", "one item too few", lambda path: _right_idx(path)[:-1])
wrong("softmax.not_normalised", "softmax", "divided in a loop", _divided_in_a_loop)
wrong("gradients.zero", "gradients", "second weights never computed", _without(2))
wrong(
    "linear.no_bias",
    "gradients",
    "first bias forgotten",
    lambda q, x, y: _back()([q[0], 0 * q[1], *q[2:]], x, y),
)
