"""Checks of chapter 1: reading the digits, and a baseline."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

import mnist_core
from mnist_book.diagnosis.checks.function import (
    Found,
    GuardedFunction,
    not_a_number,
    one_number,
    report,
    same,
    shown,
)
from mnist_book.diagnosis.reports import Finding, Report

# --------------------------------------------------------------------------------------------------
# Four bytes
# --------------------------------------------------------------------------------------------------


def big_endian(function: Callable[[bytes], int]) -> Report:
    """Check `f(four_bytes) -> int`, the unsigned number that four big-endian bytes stand for."""
    subject = GuardedFunction(function, "four_bytes")

    def check() -> list[Finding]:
        for right in (2051, 60000, 28, 0, 1, 2**31, 2**32 - 1):
            four = right.to_bytes(4, "big")
            result = subject(four)
            number = one_number(result)
            if number != right or isinstance(number, float):
                finding = _misread_number(subject, result, four)
                return [shown(finding, subject.given(four), result, right)]
        return subject.side_effects()

    return report("big_endian", check)


def _misread_number(subject: GuardedFunction, result: object, four: bytes) -> Finding:
    number = one_number(result)
    if number is None:
        subject.as_array(result, subject.given(four))
        return Finding("idx.place_value", says="bytewise")
    mistakes = [
        (Finding("big_endian.wrong", says="float"), int.from_bytes(four, "big")),
        (Finding("idx.endian", says="bytes"), int.from_bytes(four, "little")),
        (Finding("idx.signed", says="number"), int.from_bytes(four, "big", signed=True)),
        (Finding("idx.place_value"), sum(four)),
        (Finding("idx.place_value", says="decimal"), _hexadecimal_as_decimal(four)),
    ]
    return next((f for f, wrong in mistakes if number == wrong), Finding("big_endian.wrong"))


def _hexadecimal_as_decimal(four: bytes) -> int | None:
    return int(four.hex()) if four.hex().isdecimal() else None


# --------------------------------------------------------------------------------------------------
# A file
# --------------------------------------------------------------------------------------------------


def read_idx(function: Callable[[Path], np.ndarray]) -> Report:
    """Check `f(path) -> array` for raw IDX files of unsigned bytes, in any number of dimensions."""
    rng = np.random.default_rng(1)
    images = rng.integers(1, 256, (3, 5, 4), dtype=np.uint8)
    labels = rng.integers(0, 10, 300, dtype=np.uint8)
    subject = GuardedFunction(function, "path")

    def check() -> list[Finding]:
        with tempfile.TemporaryDirectory() as folder:
            for name, expected in {"images-idx3": images, "labels-idx1": labels}.items():
                path = Path(folder) / f"{name}-ubyte"
                mnist_core.write_idx(path, expected)
                finding = _check_file(subject, path, expected)
                if finding:
                    return [finding]
            return subject.side_effects()

    return report("read_idx", check)


def _check_file(subject: GuardedFunction, path: Path, expected: np.ndarray) -> Finding | None:
    try:
        result = subject.array(path)
    except Found as found:
        if found.finding.code not in ("function.raises", "function.not_array"):
            raise
        finding = _by_other_files(subject, path, expected)
        if finding is None:
            raise
        return replace(finding, evidence=found.finding.evidence)
    if np.array_equal(result, expected):
        return None
    finding = _misread(result, expected, path.read_bytes())
    finding = finding or _by_other_files(subject, path, expected) or Finding("read_idx.wrong")
    return shown(finding, subject.given(path), result, expected)


def _by_other_files(subject: GuardedFunction, path: Path, expected: np.ndarray) -> Finding | None:
    """Feed files that are wrong in one way: the one that a reader likes tells how it reads."""
    for changed in _little_endian_files(path.read_bytes(), expected.ndim):
        result = _attempt(subject, path, changed)
        if result is not None and np.array_equal(result, expected):
            return Finding("idx.endian", says="header")
    for changed in _shifted_files(path.read_bytes(), expected.ndim):
        result = _attempt(subject, path, changed)
        if result is None or result.size != expected.size:
            continue
        if np.array_equal(result.ravel(), expected.ravel()):
            header = 4 + 4 * expected.ndim
            start = len(changed) - expected.size
            return Finding("idx.offset", values={"start": start, "header": header})
        finding = _misread(result, expected, changed)
        if finding and finding.code == "idx.offset":
            return finding
    return None


def _little_endian_files(content: bytes, rank: int) -> Iterator[bytes]:
    magic, body = content[:4], content[4 + 4 * rank :]
    sizes = b"".join(content[k : k + 4][::-1] for k in range(4, 4 + 4 * rank, 4))
    yield magic + sizes + body
    yield magic[::-1] + sizes + body


def _shifted_files(content: bytes, rank: int) -> Iterator[bytes]:
    """Make files with more bytes before the elements, and with fewer elements."""
    header, body = content[: 4 + 4 * rank], content[4 + 4 * rank :]
    for extra in (4, 8, 12, 16):
        yield header + bytes(range(1, extra + 1)) + body
    for missing in (4, 8, 12, 16):
        yield header + body[:-missing]


def _attempt(subject: GuardedFunction, path: Path, content: bytes) -> np.ndarray | None:
    other = path.with_name(f"changed-{path.name}")
    other.write_bytes(content)
    try:
        return subject.array(other)
    except Found:
        return None


def _misread(result: np.ndarray, expected: np.ndarray, content: bytes) -> Finding | None:
    """Name the mistake that makes `result` of a file that holds `expected`."""
    for kept in (expected[:-1], expected[1:]):
        if np.array_equal(result, kept):
            counts = {"count": len(kept), "all": len(expected)}
            return Finding("read_idx.wrong", says="fewer", values=counts)
    values, right = result.ravel(), expected.ravel()
    if values.size == right.size:
        if np.array_equal(values, right):
            return Finding("idx.shape")
        if np.array_equal(_as_bytes(values), right):
            return Finding("idx.signed")
        if np.array_equal(np.sort(values), np.sort(right)):
            return Finding("idx.shape", says="order")
    header = 4 + 4 * expected.ndim
    raw = np.frombuffer(content, np.uint8)
    for start in range(len(raw)):
        rest = raw[start : start + values.size]
        enough = start != header and len(rest) >= min(values.size, 8)
        if enough and np.array_equal(rest, _as_bytes(values[: len(rest)])):
            return Finding("idx.offset", values={"start": start, "header": header})
    return None


def _as_bytes(values: np.ndarray) -> np.ndarray:
    """Take numbers from -128 to 255 as the bytes that they were."""
    return values.astype(np.int64) % 256


# --------------------------------------------------------------------------------------------------
# Pixels
# --------------------------------------------------------------------------------------------------


def scale_pixels(function: Callable[[np.ndarray], np.ndarray], *, columns: bool = False) -> Report:
    """Check `f(images) -> inputs`: bytes (n, 28, 28) to floats (n, 784), from 0 to 1.

    Parameters
    ----------
    function : takes images, uint8; returns a picture in each row, row after row
    columns : it returns a picture in each column, (784, n), instead
    """
    subject = GuardedFunction(function, "images")

    def check() -> list[Finding]:
        for images in _pictures():
            result = subject.array(images)
            rows, right = result.T if columns else result, images.reshape(len(images), -1) / 255
            if same(rows, right, 1e-3):
                continue
            given = subject.given(images)
            if same(rows.T, right, 1e-3):
                return [shown(Finding("layout.columns"), given, result, right)]
            finding = _misscaled(rows, images)
            if finding is None:
                subject.as_array(rows, given, right.shape)
                not_a_number(rows, given)
                finding = Finding("scale_pixels.wrong")
            return [shown(finding, given, result, right.T if columns else right)]
        return subject.side_effects()

    return report("scale_pixels", check)


def _pictures() -> Iterator[np.ndarray]:
    """Make batches of pictures with every byte in them; a single one; and one that is faint."""
    rng = np.random.default_rng(4)
    pictures = rng.integers(0, 256, (5, 28, 28), dtype=np.uint8)
    yield pictures
    yield pictures[:1]
    yield pictures // 2


def _misscaled(x: np.ndarray, images: np.ndarray) -> Finding | None:
    """Name the mistake that makes x (n, 784) of pictures."""
    rows = images.reshape(len(images), -1)
    scaled = rows / 255
    turned = images.transpose(0, 2, 1).reshape(rows.shape) / 255
    whole = [images.reshape(28 * 28, -1).T, images.T.reshape(len(images), -1)]
    mistakes = [
        (Finding("data.not_scaled"), rows),
        (Finding("data.not_scaled", says="twice"), scaled / 255),
        (Finding("data.two_values"), rows // 255),
        (Finding("data.turned"), turned),
        (Finding("data.inverted"), 1 - scaled),
        *((Finding("data.scrambled"), mixed / 255) for mixed in whole),
        *(
            (Finding("scale_pixels.wrong", says="range", values={"low": low, "high": high}), made)
            for low, high, made in ((-1, 1, 2 * scaled - 1), (-0.5, 0.5, scaled - 0.5))
        ),
        (Finding("scale_pixels.wrong", says="other", values={"divisor": 256}), rows / 256),
        *(
            (Finding("scale_pixels.wrong", says="standardised"), _standardised(rows, axis))
            for axis in (None, 0, 1)
        ),
        *(
            (Finding("scale_pixels.wrong", says="maximum"), _divided_by_maximum(rows, axis))
            for axis in (None, 0, 1)
        ),
    ]
    return next((finding for finding, wrong in mistakes if same(x, wrong, 1e-3)), None)


def _standardised(rows: np.ndarray, axis: int | None) -> np.ndarray:
    """Subtract the mean and divide by the standard deviation."""
    mean, deviation = (f(rows, axis=axis, keepdims=True) for f in (np.mean, np.std))
    return (rows - mean) / np.maximum(deviation, 1e-9)


def _divided_by_maximum(rows: np.ndarray, axis: int | None) -> np.ndarray:
    return rows / np.maximum(rows.max(axis=axis, keepdims=True), 1)


# --------------------------------------------------------------------------------------------------
# The nearest mean
# --------------------------------------------------------------------------------------------------


def nearest_mean(function: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]) -> Report:
    """Check `f(train_images, train_labels, test_images) -> labels`, by the nearest mean digit.

    Nearest is the mean with the smallest sum of squared differences, over the pixels.
    """
    arguments = _noisy_digits()
    subject = GuardedFunction(function, "train_images train_labels test_images")
    expected = _nearest(_differences(*arguments))

    def check() -> list[Finding]:
        result = subject(*arguments)
        if isinstance(result, list) and None not in map(one_number, result):
            result = np.array([one_number(label) for label in result])
        labels = subject.as_array(result, subject.given(*arguments))
        if same(labels, expected):
            return subject.side_effects()
        finding = Finding("nearest_mean.wrong", says="count")
        if labels.shape == expected.shape:
            finding = _misnamed(labels, *arguments)
        return [shown(finding, subject.given(*arguments), labels, expected)]

    return report("nearest_mean", check)


def _noisy_digits() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw training pictures, their labels, and test pictures: ten patterns, with noise.

    The patterns are so much alike that noise puts many a picture nearer to another one's mean. So
    another distance, another middle than the mean, or a mean of other pictures gives other labels.
    There are not equally many pictures of each, so that a mean is not their sum by a fixed number.
    """
    rng = np.random.default_rng(3)
    ideal = rng.normal(128, 3, (10, 6, 6))
    counts = rng.permutation(np.arange(8, 18))
    train_labels = rng.permutation(np.repeat(np.arange(10), counts)).astype(np.uint8)
    test_labels = rng.permutation(np.repeat(np.arange(10), 20)).astype(np.uint8)

    def noisy(labels: np.ndarray) -> np.ndarray:
        noise = rng.normal(0, 12, (len(labels), 6, 6))
        return np.clip(ideal[labels] + noise, 0, 255).astype(np.uint8)

    return noisy(train_labels), train_labels, noisy(test_labels)


def _misnamed(
    labels: np.ndarray, train_images: np.ndarray, train_labels: np.ndarray, test_images: np.ndarray
) -> Finding:
    """Name the mistake that gives the test pictures these labels, or nearly all of them."""
    exact = _differences(train_images, train_labels, test_images)
    in_bytes = _differences(train_images, train_labels, test_images, dtype=np.uint8)
    bytes_mean = _differences(train_images, train_labels, test_images, _mean_in_bytes)
    medians = _differences(train_images, train_labels, test_images, np.median)
    pairs = test_images[:, np.newaxis] - train_images.astype(float)
    mistakes = [
        (Finding("nearest_mean.farthest"), (exact**2).sum(axis=(2, 3)).argmax(axis=1)),
        (Finding("data.bytes_wrap", says="difference"), _nearest(in_bytes.astype(float))),
        (Finding("data.bytes_wrap", says="square"), _nearest(in_bytes)),
        (Finding("data.bytes_wrap", says="mean"), _nearest(bytes_mean)),
        (Finding("nearest_mean.cancels"), np.abs(exact.sum(axis=(2, 3))).argmin(axis=1)),
        (
            Finding("nearest_mean.wrong", says="absolute"),
            np.abs(exact).sum(axis=(2, 3)).argmin(axis=1),
        ),
        (Finding("nearest_mean.wrong", says="median"), _nearest(medians)),
        (Finding("nearest_mean.wrong", says="neighbour"), train_labels[_nearest(pairs)]),
    ]
    shares = [np.mean(labels == answer) for _, answer in mistakes]
    likeliest = int(np.argmax(shares))
    return mistakes[likeliest][0] if shares[likeliest] > 0.95 else Finding("nearest_mean.wrong")


def _differences(
    train_images: np.ndarray,
    train_labels: np.ndarray,
    test_images: np.ndarray,
    middle: Callable[..., np.ndarray] = np.mean,
    dtype: type = float,
) -> np.ndarray:
    """Subtract the middle of each digit from each test picture, in numbers of that type."""
    middles = [middle(train_images[train_labels == digit], axis=0) for digit in range(10)]
    return test_images.astype(dtype)[:, np.newaxis] - np.stack(middles).astype(dtype)


def _mean_in_bytes(images: np.ndarray, axis: int) -> np.ndarray:
    return images.mean(axis=axis).astype(np.uint8)


def _nearest(differences: np.ndarray) -> np.ndarray:
    """Return which of the differences (pictures, choices, rows, columns) has the least squares."""
    return (differences**2).sum(axis=(2, 3)).argmin(axis=1)
