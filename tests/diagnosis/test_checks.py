"""The checks must name the mistake that is there, and find nothing where there is none."""

import struct

import numpy as np
import pytest

import mnist_core
from mnist_book import checks
from mnist_book.diagnosis.checks import data


def codes(report):
    return [finding.code for finding in report.findings]


def idx_reader(order=">", dtype=np.uint8, skip=None, finish=lambda array: array):
    def read(path):
        content = path.read_bytes()
        dimensions = content[3]
        shape = struct.unpack(f"{order}{dimensions}I", content[4 : 4 + 4 * dimensions])
        start = 4 + 4 * dimensions if skip is None else skip
        count = min(int(np.prod(shape)), len(content) - start)
        array = np.frombuffer(content, dtype, count=count, offset=start)
        return finish(array.reshape(shape) if len(array) == np.prod(shape) else array)

    return read


def strict_little_endian_reader(path):
    """Knows the magic numbers, and reads them in the wrong order, so it always gives up."""
    magic = np.fromfile(path, "<i4", count=1)[0]
    if magic not in (2049, 2051):
        raise ValueError("bad magic number")
    sizes = np.fromfile(path, "<i4", count=magic - 2048, offset=4)
    return np.fromfile(path, np.uint8, offset=4 + 4 * len(sizes)).reshape(sizes)


def nearest_mean(dtype=float, power=2, choose=np.argmin, middle=lambda x: x.mean(axis=0)):
    def predict(train_images, train_labels, test_images):
        means = [middle(train_images[train_labels == digit]) for digit in range(10)]
        difference = test_images.astype(dtype)[:, None] - np.stack(means).astype(dtype)
        return choose(np.abs((difference**power).sum(axis=(2, 3))), axis=1)

    return predict


def overwrite_input(x, weights, bias):
    z = x @ weights + bias
    x *= 0
    return z


WRONG = [
    ("idx.endian", checks.big_endian, lambda four: int.from_bytes(four, "little")),
    ("idx.endian", checks.big_endian, lambda four: int(np.frombuffer(four, "<u4")[0])),
    ("idx.endian", checks.big_endian, lambda four: sum(b << 8 * i for i, b in enumerate(four))),
    ("idx.signed", checks.big_endian, lambda four: struct.unpack(">i", four)[0]),
    ("idx.place_value", checks.big_endian, lambda four: sum(four)),
    ("idx.place_value", checks.big_endian, lambda four: int(four.hex())),
    ("function.nothing", checks.big_endian, lambda four: None),
    ("function.raises", checks.big_endian, lambda four: four / 0),
    ("idx.endian", checks.read_idx, idx_reader(order="<")),
    ("idx.endian", checks.read_idx, strict_little_endian_reader),
    ("idx.offset", checks.read_idx, idx_reader(skip=0)),
    ("idx.offset", checks.read_idx, idx_reader(skip=8)),
    ("idx.offset", checks.read_idx, idx_reader(skip=16)),
    ("idx.signed", checks.read_idx, idx_reader(dtype=np.int8)),
    ("idx.shape", checks.read_idx, idx_reader(finish=np.ravel)),
    ("function.nothing", checks.read_idx, lambda path: ...),
    ("data.bytes_wrap", checks.nearest_mean, nearest_mean(dtype=np.uint8)),
    ("nearest_mean.farthest", checks.nearest_mean, nearest_mean(choose=np.argmax)),
    ("nearest_mean.cancels", checks.nearest_mean, nearest_mean(power=1)),
    ("nearest_mean.wrong", checks.nearest_mean, lambda a, b, test: np.zeros((len(test), 1))),
    ("linear.elementwise", checks.linear, lambda x, w, b: x * w + b),
    ("linear.elementwise", checks.linear, lambda x, w, b: np.multiply(x, w) + b),
    ("linear.elementwise", checks.linear, lambda x, w, b: x * w),
    ("linear.elementwise", checks.linear, lambda x, w, b: w.T * x + b),
    ("linear.no_bias", checks.linear, lambda x, w, b: x @ w),
    ("linear.no_bias", checks.linear, lambda x, w, b: np.dot(x, w) + 0 * b),
    ("linear.bias_sign", checks.linear, lambda x, w, b: x @ w - b),
    ("linear.transposed", checks.linear, lambda x, w, b: x @ w.T + b),
    ("linear.transposed", checks.linear, lambda x, w, b: w @ x + b),
    ("linear.transposed", checks.linear, lambda x, w, b: (x @ w + b).T),
    ("function.mutates", checks.linear, overwrite_input),
    ("function.nothing", checks.linear, lambda x, w, b: None),
    ("accuracy.broadcast", checks.accuracy, lambda p, labels: np.mean(p == labels)),
    ("accuracy.wrong", checks.accuracy, lambda p, labels: np.sum(p.ravel() == labels)),
    ("shapes.nothing", checks.shapes, {}),
    ("shapes.wrong", checks.shapes, checks.SHAPE_LEDGER | {"x @ weights": (128, 32)}),
    ("shapes.wrong", checks.shapes, checks.SHAPE_LEDGER | {"x[0]": 784}),
]  # fmt: skip

WRONG_COLUMNS = [
    ("linear.elementwise", lambda x, w, b: w * x + b),
    ("linear.transposed", lambda x, w, b: x @ w + b),
    ("linear.transposed", lambda x, w, b: (w @ x + b).T),
    ("linear.no_bias", lambda x, w, b: w @ x),
]

RIGHT = [
    (checks.big_endian, lambda four: int.from_bytes(four, "big")),
    (checks.big_endian, lambda four: np.frombuffer(four, ">u4")[0]),
    (checks.read_idx, idx_reader()),
    (checks.read_idx, lambda path: idx_reader()(path).astype(np.int64)),
    (checks.nearest_mean, nearest_mean()),
    (checks.nearest_mean, nearest_mean(dtype=np.float32)),
    (checks.linear, lambda x, w, b: x @ w + b),
    (checks.linear, lambda x, w, b: np.dot(x, w) + b[np.newaxis]),
    (checks.linear, lambda x, w, b: np.einsum("ni,ij->nj", x, w) + b),
    (checks.linear, lambda x, w, b: (w.T @ x.T + b[:, None]).T),
    (checks.linear, lambda x, w, b: np.stack([row @ w + b for row in x])),
    (checks.linear, lambda x, w, b: (x.astype("f4") @ w.astype("f4")) + b.astype("f4")),
    (checks.accuracy, lambda p, labels: float(np.mean(np.ravel(p) == labels))),
    (checks.shapes, checks.SHAPE_LEDGER),
]


@pytest.mark.parametrize(("code", "check", "answer"), WRONG)
def test_wrong_answers_are_named(code, check, answer):
    assert codes(check(answer))[:1] == [code]


@pytest.mark.parametrize(("code", "function"), WRONG_COLUMNS)
def test_wrong_layers_in_columns_are_named(code, function):
    assert codes(checks.linear(function, columns=True))[:1] == [code]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_right_answers_pass(check, answer):
    report = check(answer)
    assert report.ok, report


def test_right_layer_in_columns_passes():
    assert checks.linear(lambda x, w, b: w @ x + b, columns=True).ok


def test_report_reads_as_text_and_as_html():
    report = checks.linear(lambda x, w, b: x * w + b)
    assert "not yet" in repr(report)
    assert "linear.elementwise" in repr(report)
    assert "linear.elementwise" in report._repr_html_()
    assert "given:" in repr(report)
    assert "raised:" in repr(report)


def test_report_escapes_what_the_reader_returned():
    report = checks.big_endian(lambda four: "<script>alert(1)</script>")
    assert "<script>" not in report._repr_html_()


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("kind", ["normal", "laplace"])
def test_no_chance_makes_right_weights_wrong(kind, seed):
    """The tolerances are many standard deviations wide, for long tails too."""

    def he(rng, inputs, outputs, slope):
        rng = np.random.default_rng([seed, rng.integers(2**32)])
        numbers = getattr(rng, kind)(size=(inputs, outputs))
        return numbers / {"normal": 1, "laplace": 2**0.5}[kind] * (2 / inputs) ** 0.5

    report = checks.he_normal(he)
    assert report.ok, report


@pytest.mark.parametrize(
    ("says", "check", "answer"),
    [
        ("lecun", checks.he_normal, lambda rng, i, o, s: rng.normal(0, (1 / i) ** 0.5, (i, o))),
        ("places", checks.accuracy, lambda p, labels: np.isin(p, labels).mean()),
        ("mean", checks.nearest_mean, nearest_mean(middle=lambda x: x.mean(0).astype(np.uint8))),
        ("median", checks.nearest_mean, nearest_mean(middle=lambda x: np.median(x, axis=0))),
        ("corner", checks.leaky_relu_gradient, lambda z, s: np.sign(z) * np.where(z > 0, 1, -s)),
    ],
)
def test_what_is_said_of_it(says, check, answer):
    assert [finding.says for finding in check(answer).findings] == [says]


def test_rounding_decides_no_nearest_mean():
    """The right labels are the same in float32, and added up in any order."""
    distances = (data._differences(*data._noisy_digits()) ** 2).sum(axis=(2, 3))
    nearest, second = np.sort(distances, axis=1).T[:2]
    assert (second - nearest).min() > 1


def test_a_check_gives_the_same_report_twice():
    assert checks.nearest_mean(nearest_mean(np.uint8)) == checks.nearest_mean(
        nearest_mean(np.uint8)
    )


def test_a_wrong_second_layer_alone_is_not_blamed_on_the_activation():
    """Only mistakes that touch a layer may be found in it: this one is none of the usual ones."""

    def gradients(parameters, x, labels):
        w1, b1, w2, b2 = parameters
        z = x @ w1 + b1
        a = mnist_core.leaky_relu(z)
        p = mnist_core.softmax(a @ w2 + b2)
        d2 = (p - np.eye(len(b2))[labels]) / len(x)
        d1 = d2 @ w2.T * mnist_core.leaky_relu_gradient(z)
        return [x.T @ d1, d1.sum(axis=0), np.sin(a.T @ d2 + 1), d2.sum(axis=0)]

    assert codes(checks.gradients(gradients)) == ["gradients.wrong"]
