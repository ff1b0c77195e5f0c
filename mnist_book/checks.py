"""Checks for the reader's own functions: each says what is wrong, and what usually causes that.

A check feeds a function inputs whose right answer is known. Where the answer is wrong, it compares
it with the answers that the usual mistakes give, so that it can name the mistake. It looks at what
comes out, never at how the code is written.
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

import mnist_core
from mnist_book.reports import Finding, Report

# --------------------------------------------------------------------------------------------------
# What all checks share
# --------------------------------------------------------------------------------------------------


class _Found(Exception):
    """Ends a check with what it found."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def _report(subject: str, check: Callable[[], None]) -> Report:
    try:
        check()
    except _Found as found:
        return Report(subject, (found.finding,))
    return Report(subject)


def _call(subject: str, chapter: int, function: Callable, *arguments: object) -> object:
    """Call the reader's function on copies; raising or returning nothing is a finding too."""
    copies = [x.copy() if isinstance(x, np.ndarray) else x for x in arguments]
    fed = f"given:    {', '.join(map(_describe, arguments))}"
    try:
        result = function(*copies)
    except Exception as error:
        message = "It raised an error, so there is no result to look at."
        if "ellipsis" in str(error):
            message = "The three dots are still there: put your own code in their place."
        evidence = f"{fed}\nraised:   {type(error).__name__}: {error}"
        raise _Found(Finding(f"{subject}.raises", message, evidence, chapter)) from error
    if result is None or result is Ellipsis:
        message = "It returned nothing yet: is the return statement there?"
        evidence = f"{fed}\nreturned: {result}"
        raise _Found(Finding(f"{subject}.nothing", message, evidence, chapter))
    for before, after in zip(arguments, copies, strict=True):
        if isinstance(before, np.ndarray) and not np.array_equal(before, after):
            message = (
                "It changed the array that it was given; the caller still needs that one. "
                "Usual cause: += or *= on an argument."
            )
            raise _Found(Finding(f"{subject}.changes_input", message, fed, chapter))
    return result


def _describe(value: object) -> str:
    """Describe a value in a line: an array by shape and type, and by content if it is small."""
    if isinstance(value, np.ndarray):
        content = f" {value.round(3).tolist()}" if value.size <= 6 else ""
        return f"{value.dtype} array of shape {value.shape}{content}"
    if isinstance(value, Path):
        return f"the file {value.name}"
    return f"{value!r}"


def _same(result: object, expected: np.ndarray, tolerance: float = 1e-5) -> bool:
    """Tell whether a result has the expected shape and, up to rounding, the expected numbers."""
    result = np.asarray(result)
    return (
        result.shape == expected.shape
        and result.dtype.kind in "biuf"
        and np.allclose(result, expected, rtol=tolerance, atol=tolerance)
    )


def _evidence(given: str, returned: object, expected: object) -> str:
    return f"given:    {given}\nreturned: {_describe(returned)}\nexpected: {_describe(expected)}"


# --------------------------------------------------------------------------------------------------
# Chapter 1: reading the digits
# --------------------------------------------------------------------------------------------------


def big_endian(function: Callable[[bytes], int]) -> Report:
    """Check `f(four_bytes) -> int`, the unsigned number that four big-endian bytes stand for."""

    def check() -> None:
        for number in (2051, 60000, 28, 0, 1, 2**31, 2**32 - 1):
            content = number.to_bytes(4, "big")
            result = _call("big_endian", 1, function, content)
            if isinstance(result, int | np.integer) and result == number:
                continue
            digits = int(content.hex() if content.hex().isdecimal() else 0)
            message = "The number is wrong."
            code = "big_endian.wrong"
            if result == int.from_bytes(content, "little"):
                code = "idx.endian"
                message = (
                    "The bytes are taken in the wrong order. Big-endian means that the first byte "
                    "counts most: 256 * 256 * 256 times its value."
                )
            elif result == int.from_bytes(content, "big", signed=True):
                code = "idx.signed"
                message = "Large numbers come out negative: the first bit counts as a sign here."
            elif result == sum(content):
                code = "idx.place_value"
                message = "The bytes are added up without their place values, 256 for each place."
            elif digits and result == digits:
                code = "idx.place_value"
                message = "The hexadecimal digits are read as decimal ones; each place is worth 16."
            evidence = _evidence(content.hex(" "), result, number)
            raise _Found(Finding(code, message, evidence, 1))

    return _report("big_endian", check)


def read_idx(function: Callable[[Path], np.ndarray]) -> Report:
    """Check `f(path) -> array` for raw IDX files of unsigned bytes, in any number of dimensions."""
    rng = np.random.default_rng(1)
    images = rng.integers(1, 256, (3, 5, 4), dtype=np.uint8)
    labels = rng.integers(0, 10, 40, dtype=np.uint8)
    # 65,536 is 00 01 00 00; read the other way round it is 256, small enough to be read at all.
    endless = rng.integers(0, 10, 65_536, dtype=np.uint8)

    def check() -> None:
        with tempfile.TemporaryDirectory() as folder:
            paths = {}
            for name, array in {"images": images, "labels": labels, "many": endless}.items():
                paths[name] = Path(folder) / f"{name}-idx{array.ndim}-ubyte"
                mnist_core.write_idx(paths[name], array)
            _check_byte_order(function, paths["many"])
            for name, array in {"images": images, "labels": labels}.items():
                result = np.asarray(_call("read_idx", 1, function, paths[name]))
                if result.shape == array.shape and np.array_equal(result, array):
                    continue
                code, message = _misread(result, array, paths[name].read_bytes())
                raise _Found(Finding(code, message, _evidence(paths[name].name, result, array), 1))

    return _report("read_idx", check)


def _check_byte_order(function: Callable[[Path], np.ndarray], path: Path) -> None:
    message = (
        "The header is read little-endian; IDX is big-endian. "
        "Usual cause: np.int32 or '<i4' where '>i4' belongs."
    )
    given = f"{path.name}, whose header promises 65,536 labels (00 01 00 00)"
    try:
        result = np.asarray(_call("read_idx", 1, function, path))
    except _Found as found:
        # 2049 and 65,536, read the other way round: a reader that checks says so when it gives up.
        evidence = found.finding.evidence.replace(",", "").replace("_", "")
        if "17301504" in evidence or " 256 " in evidence:
            finding = Finding("idx.endian", message, found.finding.evidence, 1)
            raise _Found(finding) from found
        raise
    if result.shape == (256,):
        evidence = f"given:    {given}\nreturned: {_describe(result)}\nexpected: shape (65536,)"
        raise _Found(Finding("idx.endian", message, evidence, 1))


def _misread(result: np.ndarray, array: np.ndarray, content: bytes) -> tuple[str, str]:
    """Name the mistake that makes `result` of a file that holds `array`."""
    values, header = result.ravel(), 4 + 4 * array.ndim
    if np.array_equal(values, array.ravel()):
        return (
            "idx.shape",
            "The elements are right, the shape is not: reshape to the header's sizes.",
        )
    if array.size == values.size and np.array_equal(values.astype(np.uint8), array.ravel()):
        return "idx.signed", "Values above 127 came out negative: the bytes are unsigned, np.uint8."
    raw = np.frombuffer(content, np.uint8)
    for start in range(len(raw)):
        rest = raw[start : start + len(values)]
        if start != header and len(values) and np.array_equal(rest, values[: len(rest)]):
            message = (
                f"Reading starts at byte {start}, but the header of this file is {header} long."
            )
            return "idx.offset", message + " It has 4 bytes, and 4 more for each dimension."
    return "read_idx.wrong", "The array is not the one in the file."


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

    def check() -> None:
        arguments = (train_images, train_labels, test_images)
        result = np.asarray(_call("nearest_mean", 1, function, *arguments))
        if _same(result, expected):
            return
        code, message = "nearest_mean.wrong", "There should be one label for each test picture."
        if result.shape == expected.shape:
            message = "Some pictures get a mean that is not the nearest."
            for usual_code, usual_message, answer in usual:
                if np.mean(result == answer) > 0.95:
                    code, message = usual_code, usual_message
            message += f" {np.sum(result != expected)} of {len(expected)} labels differ."
        evidence = _evidence(f"{len(test_labels)} test pictures", result, expected)
        raise _Found(Finding(code, message, evidence, 1))

    return _report("nearest_mean", check)


# --------------------------------------------------------------------------------------------------
# Chapter 2: the matrix product
# --------------------------------------------------------------------------------------------------


SHAPE_LEDGER = {  # of x (32, 784), weights (784, 128), bias (128,)
    "x[0]": (784,),
    "weights[:, 0]": (784,),
    "x[0] * weights[:, 0]": (784,),
    "x[0] @ weights[:, 0]": (),
    "x[0] @ weights": (128,),
    "x @ weights": (32, 128),
    "x @ weights + bias": (32, 128),
}


def shapes(answers: Mapping[str, tuple[int, ...]]) -> Report:
    """Check a shape ledger: a tuple for each expression of `SHAPE_LEDGER`."""

    def check() -> None:
        for expression, shape in SHAPE_LEDGER.items():
            answer = answers.get(expression)
            if answer == shape:
                continue
            code, message = "shapes.wrong", f"{expression} has another shape."
            if answer is None:
                code, message = "shapes.nothing", f"{expression} has no answer yet."
            elif isinstance(answer, int):
                message = (
                    f"A shape is a tuple: for one dimension write ({answer},), with the comma."
                )
            elif tuple(answer) == shape[::-1]:
                message = f"{expression}: the two sizes are exchanged."
            evidence = f"given:    x (32, 784), weights (784, 128), bias (128,)\nanswered: {answer}"
            raise _Found(Finding(code, message, evidence, 2))

    return _report("shapes", check)


def linear(function: Callable[..., np.ndarray], *, columns: bool = False) -> Report:
    """Check `f(x, weights, bias) -> z`, a layer's pre-activations.

    Parameters
    ----------
    function : takes x (batch, inputs), weights (inputs, outputs), bias (outputs,)
    columns : it takes x (inputs, batch), weights (outputs, inputs), bias (outputs, 1) instead
    """

    def run(batch: int, inputs: int, outputs: int, seed: int) -> tuple[object, list[np.ndarray]]:
        rng = np.random.default_rng(seed)
        x, weights = rng.normal(size=(batch, inputs)), rng.normal(size=(inputs, outputs))
        bias = rng.normal(size=outputs) + 3
        arguments = [x.T, weights.T, bias[:, np.newaxis]] if columns else [x, weights, bias]
        return _call("linear", 2, function, *arguments), [x, weights, bias]

    def check() -> None:
        for batch, inputs, outputs in ((5, 3, 4), (1, 3, 4), (6, 4, 2)):
            try:
                result, (x, weights, bias) = run(batch, inputs, outputs, seed=batch)
            except _Found as found:
                if found.finding.code != "linear.raises":
                    raise
                # The shapes did not go together. Squares let any product through, and tell it.
                result, (x, weights, bias) = run(4, 4, 4, seed=0)
                finding = _misproduct(np.asarray(result), x, weights, bias, columns)
                if finding is None:
                    raise
                evidence = found.finding.evidence
                raise _Found(Finding(*finding, evidence, 2)) from found
            expected = (x @ weights + bias).T if columns else x @ weights + bias
            if not _same(result, expected):
                code, message = _misproduct(np.asarray(result), x, weights, bias, columns) or (
                    "linear.wrong",
                    "The result is not x @ weights + bias.",
                )
                given = f"x {x.shape}, weights {weights.shape}, bias {bias.shape}"
                if columns:
                    given = f"x {x.T.shape}, weights {weights.T.shape}, bias ({len(bias)}, 1)"
                raise _Found(Finding(code, message, _evidence(given, result, expected), 2))

    return _report("linear", check)


def _misproduct(
    result: np.ndarray, x: np.ndarray, weights: np.ndarray, bias: np.ndarray, columns: bool
) -> tuple[str, str] | None:
    """Name the mistake that makes `result` of a layer's inputs, if it is one of the usual ones."""
    result = result.T if columns else result
    product = x @ weights
    if _same(result, product):
        return "linear.no_bias", "The bias is not added."
    if _same(result, product - bias):
        return "linear.bias_sign", "The bias is subtracted; it should be added."
    if _same(result.T, product + bias):
        examples = "columns" if columns else "rows"
        message = f"The result is right but transposed: examples belong in {examples}."
        return "linear.transposed", message
    if x.shape != weights.shape:
        return None

    def one_of(*products: np.ndarray) -> bool:
        return any(_same(result, candidate + b) for candidate in products for b in (0, bias))

    if one_of(x * weights, (x * weights).T, x * weights.T, x.T * weights):
        return "linear.elementwise", (
            "This is the element-wise product. A layer multiplies, and then adds up over the "
            "inputs: that is the matrix product, @ or np.matmul, not * or np.multiply."
        )
    if one_of(x @ weights.T, weights @ x, (weights @ x).T, x.T @ weights):
        return "linear.transposed", (
            "The weights are used the wrong way round. Usual cause: a .T too many or too few, or x "
            "and weights exchanged."
        )
    return None


def accuracy(function: Callable[[np.ndarray, np.ndarray], float]) -> Report:
    """Check `f(predictions, labels) -> fraction`, predictions being (n,) or a column (n, 1)."""
    labels = np.array([3, 1, 4, 1, 5, 9, 2, 6])
    predictions = np.array([3, 1, 4, 7, 5, 9, 2, 0])

    def check() -> None:
        for given in (predictions, predictions[:, np.newaxis]):
            result = _call("accuracy", 2, function, given, labels)
            if _same(result, np.array(0.75)):
                continue
            code, message = "accuracy.wrong", "The fraction of right predictions is another."
            if given.ndim == 2 and _same(result, np.mean(given == labels)):
                code = "accuracy.broadcast"
                message = (
                    "A column (n, 1) compared with (n,) gives (n, n): every prediction with every "
                    "label. Bring both to one dimension first."
                )
            elif _same(result, np.array(0.25)):
                message = "This is the fraction of wrong predictions."
            elif _same(result, np.array(6)):
                message = "This is the number of right predictions; divide by how many there are."
            fed = f"predictions {given.shape}, labels {labels.shape}, 6 of 8 right"
            raise _Found(Finding(code, message, _evidence(fed, result, 0.75), 2))

    return _report("accuracy", check)
