"""Runs a reader's function so that nothing it does harms the check: a misbehaviour is a finding."""

import contextlib
import copy
import ctypes
import io
import threading
import warnings
from collections.abc import Callable

import numpy as np

from mnist_book.describe import describe
from mnist_book.diagnosis.reports import Finding, Report

TIME_LIMIT = 5.0  # seconds for one call; the inputs of a check need milliseconds


class Found(Exception):
    """Ends a check with what it found."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


class Stopped(BaseException):
    """Raised inside a function that takes too long; no ordinary `except` catches it."""


def run(function: Callable, arguments: tuple, limit: float = TIME_LIMIT) -> tuple[object, str]:
    """Call a function in a thread of its own; return its result and what it printed.

    Raises
    ------
    TimeoutError : the call took longer than `limit` seconds; it was told to stop
    Exception : whatever the function raised
    """
    outcome: dict[str, object] = {}
    printed = io.StringIO()

    def target() -> None:
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                outcome["result"] = function(*arguments)
        except BaseException as error:  # sys.exit() too must not pass
            outcome["error"] = error

    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        thread = threading.Thread(target=target, daemon=True)
        thread.start()
        thread.join(limit)
    if thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(Stopped)
        )
        raise TimeoutError(f"no answer within {limit:g} seconds")
    if "error" in outcome:
        error = outcome["error"]
        raise error if isinstance(error, Exception) else RuntimeError(repr(error))
    return outcome["result"], printed.getvalue()


def call(function: Callable, *arguments: object, in_place: bool = False) -> object:
    """Call a reader's function on copies of the arguments; misbehaviour is raised as `Found`.

    Parameters
    ----------
    in_place : the function may change its arguments and return nothing; then the result is the
        first argument as the function left it

    Returns
    -------
    what the function returned
    """
    copies = copy.deepcopy(arguments)
    given = "given:    " + ", ".join(map(describe, arguments))
    try:
        result, _ = run(function, copies)
    except TimeoutError as error:
        message = "It does not come to an end: is there a loop whose condition stays true?"
        raise Found(Finding("function.slow", message, f"{given}\n{error}", 2)) from None
    except Exception as error:
        message = "It raised an error, so there is no result to look at."
        if "ellipsis" in str(error):
            message = "The three dots are still there: put your own code in their place."
        raised = f"{given}\nraised:   {type(error).__name__}: {error}"
        raise Found(Finding("function.raises", message, raised, 2)) from error
    if in_place:
        return copies[0] if result is None else result
    if result is None or result is Ellipsis:
        message = "It returned nothing yet: is the return statement there?"
        raise Found(Finding("function.nothing", message, f"{given}\nreturned: {result}", 2))
    return result


def side_effects(function: Callable, *arguments: object, in_place: bool = False) -> list[Finding]:
    """Look for what a function does besides returning a right result."""
    copies = copy.deepcopy(arguments)
    _, printed = run(function, copies)
    given = "given:    " + ", ".join(map(describe, arguments))
    findings = []
    kept = slice(1, None) if in_place else slice(None)  # the first may change in place
    if not _equal(arguments[kept], copies[kept]):
        message = (
            "The result is right, but an array that it was given has changed, and the caller still "
            "needs that one. Usual cause: +=, *= or out= on an argument."
        )
        findings.append(Finding("function.mutates", message, given, 2))
    if printed:
        message = (
            "The result is right, but it prints: in a training loop that is thousands of lines."
        )
        lines = printed.strip().splitlines()
        evidence = f"{given}\nprinted:  {lines[0][:100] if lines else repr(printed)}"
        findings.append(Finding("function.prints", message, evidence, 2))
    return findings


def array(result: object, what: str, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Take a result as an array of finite numbers of the right shape; anything else is `Found`."""
    returned = f"returned: {describe(result)}"
    if not isinstance(result, np.ndarray | np.generic | float | int):
        message = f"It returned a {type(result).__name__}, not a NumPy array."
        if isinstance(result, list):
            message += " Arrays do arithmetic, lists don't: return np.array(...)."
        raise Found(Finding("function.not_array", message, f"{what}\n{returned}", 2))
    values = np.asarray(result)
    if values.dtype.kind not in "biuf":
        message = f"It returned elements of type {values.dtype}, not numbers."
        raise Found(Finding("function.not_array", message, f"{what}\n{returned}", 2))
    if shape is not None and values.shape != shape:
        message = f"The result has the shape {values.shape}; it should be {shape}."
        raise Found(Finding("function.shape", message, f"{what}\n{returned}", 2))
    return values


def report(subject: str, check: Callable[[], list[Finding]]) -> Report:
    """Run a check that returns findings, or ends early by raising `Found`."""
    try:
        return Report(subject, tuple(check()))
    except Found as found:
        return Report(subject, (found.finding,))


def evidence(given: str, returned: object, expected: object) -> str:
    """Lay out what was fed in, what came out, and what should have come out."""
    return f"given:    {given}\nreturned: {describe(returned)}\nexpected: {describe(expected)}"


def not_a_number(values: np.ndarray, what: str) -> None:
    """Raise `Found` where NaN or infinities came out of ordinary inputs."""
    if not np.isfinite(values).all():
        message = "NaN or infinity came out, although nothing special went in."
        evidence = f"{what}\nreturned: {np.sum(~np.isfinite(values))} of {values.size} not finite"
        raise Found(Finding("function.nan", message, evidence, 2))


def same(result: object, expected: np.ndarray, tolerance: float = 1e-4) -> bool:
    """Tell whether a result has the expected shape and, up to float32 rounding, the numbers."""
    result, expected = np.asarray(result), np.asarray(expected)
    if result.shape != expected.shape or result.dtype.kind not in "biuf":
        return False
    scale = np.abs(expected).max(initial=0, where=np.isfinite(expected))
    return bool(
        np.allclose(result, expected, rtol=tolerance, atol=tolerance * scale, equal_nan=True)
    )


def _equal(before: object, after: object) -> bool:
    if isinstance(before, np.ndarray):
        return np.array_equal(before, after, equal_nan=before.dtype.kind == "f")
    if isinstance(before, list | tuple):
        return len(before) == len(after) and all(map(_equal, before, after))
    return True
