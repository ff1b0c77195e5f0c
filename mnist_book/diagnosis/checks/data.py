"""Checks of chapter 1: reading the digits, and a baseline."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

import mnist_core
from mnist_book.diagnosis.reports import Finding, Report
from mnist_book.diagnosis.running import Found, array, call, evidence, report, same, side_effects


def big_endian(function: Callable[[bytes], int]) -> Report:
    """Check `f(four_bytes) -> int`, the unsigned number that four big-endian bytes stand for."""

    def check() -> list[Finding]:
        for number in (2051, 60000, 28, 0, 1, 2**31, 2**32 - 1):
            four = number.to_bytes(4, "big")
            result = call(function, four)
            if isinstance(result, int | np.integer) and result == number:
                continue
            code, message = _misread_number(result, four)
            return [Finding(code, message, evidence(four.hex(" "), result, number), 1)]
        return side_effects(function, four)

    return report("big_endian", check)


def _misread_number(result: object, four: bytes) -> tuple[str, str]:
    if result == int.from_bytes(four, "little"):
        return "idx.endian", (
            "The bytes are taken in the wrong order. Big-endian means that the first byte counts "
            "most: 256 * 256 * 256 times its value."
        )
    if result == int.from_bytes(four, "big", signed=True):
        return "idx.signed", "Large numbers come out negative: the first bit counts as a sign here."
    if result == sum(four):
        return "idx.place_value", "The bytes are added up without their place values, 256 a place."
    if four.hex().isdecimal() and result == int(four.hex()):
        return (
            "idx.place_value",
            "Hexadecimal digits are read as decimal ones; a place is worth 16.",
        )
    return "big_endian.wrong", "The number is wrong."


def read_idx(function: Callable[[Path], np.ndarray]) -> Report:
    """Check `f(path) -> array` for raw IDX files of unsigned bytes, in any number of dimensions."""
    rng = np.random.default_rng(1)
    images = rng.integers(1, 256, (3, 5, 4), dtype=np.uint8)
    labels = rng.integers(0, 10, 300, dtype=np.uint8)

    def check() -> list[Finding]:
        with tempfile.TemporaryDirectory() as folder:
            for name, expected in {"images-idx3": images, "labels-idx1": labels}.items():
                path = Path(folder) / f"{name}-ubyte"
                mnist_core.write_idx(path, expected)
                try:
                    result = array(call(function, path), f"given:    the file {path.name}")
                except Found as found:
                    if found.finding.code != "function.raises":
                        raise
                    cause = _why_it_raises(function, path, expected)
                    if cause is None:
                        raise
                    raise Found(Finding(*cause, found.finding.evidence, 1)) from found
                if result.shape != expected.shape or not np.array_equal(result, expected):
                    cause = _misread(result, expected, path.read_bytes())
                    if cause[0] == "read_idx.wrong":
                        cause = _why_it_raises(function, path, expected) or cause
                    return [Finding(*cause, evidence(f"the file {path.name}", result, expected), 1)]
            return side_effects(function, path)

    return report("read_idx", check)


def _why_it_raises(
    function: Callable[[Path], np.ndarray], path: Path, expected: np.ndarray
) -> tuple[str, str] | None:
    """Feed files that are wrong in one way: the one that a reader likes tells how it reads."""
    content = path.read_bytes()
    start = 4 + 4 * expected.ndim
    header, body = content[:start], content[start:]

    def attempt(changed: bytes) -> np.ndarray | None:
        other = path.with_name(f"changed-{path.name}")
        other.write_bytes(changed)
        try:
            return np.asarray(call(function, other))
        except Found:
            return None

    sizes = b"".join(header[i : i + 4][::-1] for i in range(4, start, 4))
    for magic in (header[:4], header[:4][::-1]):
        result = attempt(magic + sizes + body)
        if result is not None and np.array_equal(result, expected):
            return "idx.endian", (
                "The header is read little-endian; IDX is big-endian. "
                "Usual cause: np.int32 or '<i4' where '>i4' belongs."
            )
    for extra in (4, 8, 12, 16, -4, -8, -12, -16):
        changed = header + (bytes(range(1, extra + 1)) + body if extra > 0 else body[:extra])
        result = attempt(changed)
        if result is None or result.size != expected.size:
            continue
        if np.array_equal(result.ravel(), expected.ravel()):
            return _offset(start + extra, start)
        cause = _misread(result, expected, changed)
        if cause[0] == "idx.offset":
            return cause
    return None


def _misread(result: np.ndarray, expected: np.ndarray, content: bytes) -> tuple[str, str]:
    """Name the mistake that makes `result` of a file that holds `expected`."""
    values, header = result.ravel(), 4 + 4 * expected.ndim
    if values.size == expected.size and np.array_equal(values, expected.ravel()):
        return "idx.shape", "The elements are right, the shape is not: reshape to the sizes read."
    if values.size == expected.size and values.dtype.kind in "iuf":
        if np.array_equal(values.astype(np.int64) % 256, expected.ravel()):
            message = "Values above 127 came out negative: the bytes are unsigned, np.uint8."
            return "idx.signed", message
        if np.array_equal(np.sort(values), np.sort(expected.ravel())):
            return "idx.shape", (
                "All elements are there, in another order: rows and columns are exchanged. The "
                "last size is the one that runs fastest."
            )
    raw = np.frombuffer(content, np.uint8)
    for start in range(len(raw)):
        rest = raw[start : start + len(values)]
        enough = len(rest) >= min(len(values), 8)
        if (
            start != header
            and enough
            and np.array_equal(rest, values[: len(rest)].astype(np.int64) % 256)
        ):
            return _offset(start, header)
    return "read_idx.wrong", "The array is not the one in the file."


def _offset(start: int, header: int) -> tuple[str, str]:
    return "idx.offset", (
        f"Reading starts at byte {start}, but the header of this file is {header} long: 4 bytes, "
        "and 4 more for each dimension."
    )


def nearest_mean(function: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]) -> Report:
    """Check `f(train_images, train_labels, test_images) -> labels`, by the nearest mean digit."""
    rng = np.random.default_rng(2)
    ideal = rng.integers(0, 256, (10, 6, 6)).astype(float)

    def noisy(labels: np.ndarray) -> np.ndarray:
        noise = rng.normal(0, 60, (len(labels), 6, 6))
        return np.clip(ideal[labels] + noise, 0, 255).astype(np.uint8)

    train_labels = rng.permutation(np.repeat(np.arange(10), 12)).astype(np.uint8)
    test_labels = rng.permutation(np.repeat(np.arange(10), 20)).astype(np.uint8)
    train_images, test_images = noisy(train_labels), noisy(test_labels)

    def differences(dtype: type) -> np.ndarray:
        means = [train_images[train_labels == digit].mean(axis=0) for digit in range(10)]
        return test_images.astype(dtype)[:, np.newaxis] - np.stack(means).astype(dtype)

    exact, in_bytes = differences(float), differences(np.uint8)
    expected = (exact**2).sum(axis=(2, 3)).argmin(axis=1)
    float_first = "Convert the images to float first."
    usual = [
        (
            "nearest_mean.farthest",
            "These are the means farthest away: argmax for argmin.",
            (exact**2).sum(axis=(2, 3)).argmax(axis=1),
        ),
        (
            "data.bytes_wrap",
            f"Bytes have no negative numbers, 10 - 20 is 246 in them. {float_first}",
            (in_bytes.astype(float) ** 2).sum(axis=(2, 3)).argmin(axis=1),
        ),
        (
            "data.bytes_wrap",
            f"Bytes end at 255, 20 * 20 is 144 in them. {float_first}",
            (in_bytes**2).sum(axis=(2, 3)).argmin(axis=1),
        ),
        (
            "nearest_mean.cancels",
            "Differences of opposite sign cancel: square them before they are added up.",
            np.abs(exact.sum(axis=(2, 3))).argmin(axis=1),
        ),
    ]

    def check() -> list[Finding]:
        arguments = (train_images, train_labels, test_images)
        given = f"{len(test_labels)} test pictures"
        result = np.asarray(call(function, *arguments))
        if same(result, expected):
            return side_effects(function, *arguments)
        code, message = "nearest_mean.wrong", "There should be one label for each test picture."
        if result.shape == expected.shape:
            message = "Some pictures get a mean that is not the nearest."
            for usual_code, usual_message, answer in usual:
                if np.mean(result == answer) > 0.95:
                    code, message = usual_code, usual_message
            message += f" {np.sum(result != expected)} of {len(expected)} labels differ."
        return [Finding(code, message, evidence(given, result, expected), 1)]

    return report("nearest_mean", check)
