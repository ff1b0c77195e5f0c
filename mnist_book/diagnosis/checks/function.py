"""The function that a check is about: called on copies, its result taken for what it is.

Whatever the reader's function returns is looked at in the thread that called it, under the same
limits. After that there are only arrays, numbers and texts, and lists, tuples and dictionaries of
them; anything else has become a `Stranger`.
"""

import copy
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import CoroutineType

import numpy as np

from mnist_book.diagnosis import evidence
from mnist_book.diagnosis.evidence import cleaned, compared, described, is_numeric, lay_out
from mnist_book.diagnosis.reports import Finding, Report
from mnist_book.diagnosis.running import Theirs, run

MOST_ELEMENTS = 10_000_000  # of an array, and
MOST_ITEMS = 1000  # of a list, beyond which nothing is looked at


class Found(Exception):
    """Ends a check with what it found."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.code)
        self.finding = finding


@dataclass(frozen=True)
class Stranger:
    """Stands for a result that no check can calculate with."""

    kind: str  # the name of its type
    text: str

    def __repr__(self) -> str:
        return self.text


class GuardedFunction:
    """A reader's function. It is called on copies; misbehaviour is raised as `Found`.

    Parameters
    ----------
    function : what the reader passed
    names : of its arguments, for messages, separated by spaces
    in_place : it may change its first argument
    """

    def __init__(self, function: Callable, names: str, *, in_place: bool = False) -> None:
        self.function, self.names, self.in_place = function, names.split(), in_place
        self._noticed: dict[str, Finding] = {}

    def __call__(self, *arguments: object) -> Theirs:
        """Return what the function returns."""
        result, _ = self.call(*arguments)
        if result is None:
            seen = lay_out(given=self.given(*arguments), returned="None")
            raise Found(Finding("function.nothing", seen))
        return result

    def call(self, *arguments: object) -> tuple[Theirs, tuple]:
        """Return what the function returns, None too, and the arguments as it left them."""
        given = self.given(*arguments)
        try:
            outcome, printed = run(_call, (self.function, arguments))
        except TimeoutError as error:
            seen = lay_out(given=given, returned=f"nothing: {error}")
            raise Found(Finding("function.slow", seen)) from None
        if isinstance(outcome, _Failure):
            finding = _why_it_failed(outcome, self.names)
            raise Found(replace(finding, evidence=lay_out(given=given, raised=outcome.text)))
        if outcome.result is Ellipsis:
            raise Found(Finding("function.nothing", lay_out(given=given, returned="..."), "dots"))
        self._notice(given, arguments, outcome.after, printed)
        return outcome.result, outcome.after

    def array(self, *arguments: object, shape: tuple[int, ...] | None = None) -> np.ndarray:
        """Return the result as an array of numbers, of that shape if one is given."""
        return self.as_array(self(*arguments), self.given(*arguments), shape)

    def as_array(
        self, result: Theirs, given: str, shape: tuple[int, ...] | None = None
    ) -> np.ndarray:
        """Take a result as an array of numbers; anything else is `Found`."""
        if isinstance(result, float | int):
            result = np.asarray(result)
        seen = lay_out(given=given, returned=described(result))
        if not is_numeric(result):
            raise Found(replace(_not_an_array(result, self.names), evidence=seen))
        if shape is not None and result.shape != shape:
            values = {"shape": result.shape, "expected": shape}
            raise Found(Finding("function.shape", seen, values=values))
        return result

    def given(self, *arguments: object) -> str:
        """Describe the arguments of a call."""
        return evidence.given(self.names, arguments)

    def side_effects(self) -> list[Finding]:
        """Return what the function has done so far besides returning results."""
        return [self._noticed[code] for code in sorted(self._noticed)]

    def _notice(self, given: str, before: tuple, after: tuple, printed: str) -> None:
        for k in range(1 if self.in_place else 0, len(before)):
            if not _unchanged(before[k], after[k]):
                content = compared(after[k], before[k]) if is_numeric(before[k]) else {}
                seen = lay_out(given=given, after=content.get("returned", "another content"))
                finding = Finding("function.mutates", seen, values={"name": self.names[k]})
                self._noticed.setdefault(finding.code, finding)
        if printed:
            seen = lay_out(given=given, printed=cleaned(printed, str, 80) or repr(printed[:10]))
            self._noticed.setdefault("function.prints", Finding("function.prints", seen))


def report(subject: str, check: Callable[[], list[Finding]]) -> Report:
    """Run a check that returns findings, or ends early by raising `Found`."""
    with np.errstate(all="ignore"):  # the reader's setting may be to raise
        try:
            return Report(subject, tuple(check()))
        except Found as found:
            return Report(subject, (found.finding,))


def shown(finding: Finding, given: str, returned: object, expected: object) -> Finding:
    """Add to a finding what was fed in, what came out, and what should have come out."""
    return replace(finding, evidence=lay_out(given=given, **compared(returned, expected)))


def not_a_number(values: np.ndarray, given: str) -> None:
    """Raise `Found` where NaN or infinities came out of ordinary inputs."""
    bad = np.sum(~np.isfinite(values))
    if bad:
        returned = f"{described(values)}: {bad} of {values.size} are not finite"
        raise Found(Finding("function.nan", lay_out(given=given, returned=returned)))


def one_number(result: Theirs) -> int | float | None:
    """Return a number, or the one that an array holds; None if it is anything else."""
    if is_numeric(result) and result.size == 1:
        return result.item()
    return result if isinstance(result, int | float) else None


def same(result: object, expected: np.ndarray | float, tolerance: float = 1e-4) -> bool:
    """Tell whether a result has the expected shape and, up to float32 rounding, the numbers."""
    result, expected = np.asarray(result), np.asarray(expected)
    if result.shape != expected.shape or result.dtype.kind not in "biuf":
        return False
    scale = np.abs(expected).max(initial=0, where=np.isfinite(expected))
    return bool(
        np.allclose(result, expected, rtol=tolerance, atol=tolerance * scale, equal_nan=True)
    )


# --------------------------------------------------------------------------------------------------
# In the thread of the call
# --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Outcome:
    """What a call came to: the result, and the arguments as the function left them."""

    result: Theirs
    after: tuple


@dataclass(frozen=True)
class _Failure:
    """What a call came to, if it raised an error."""

    text: str
    kind: type[BaseException] = Exception
    takes_arguments: bool = True
    callable: bool = True


def _call(function: Callable, arguments: tuple) -> _Outcome | _Failure:
    """Call a function on copies of the arguments."""
    if not callable(function):
        return _Failure(f"nothing: f is {cleaned(function)}", callable=False)
    copies = copy.deepcopy(arguments)
    try:
        return _Outcome(_plain(function(*copies)), tuple(map(_plain, copies)))
    except BaseException as error:  # sys.exit() too
        text = f"{type(error).__name__}: {cleaned(error, str)}".removesuffix(": ")
        fits = not isinstance(error, TypeError) or takes(function, len(arguments))
        return _Failure(text, type(error), fits)


def takes(function: Callable, count: int) -> bool:
    """Tell whether a function can be called with so many arguments."""
    try:
        signature = inspect.signature(function)
    except Exception:  # not every callable has one
        return True
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True


def _plain(value: Theirs, depth: int = 2) -> object:
    """Make a plain value of a result: a copy that nothing of the reader's is left in."""
    kind = type(value).__name__
    if value is None or value is Ellipsis or type(value) in (bool, int, float, complex):
        return value
    if type(value) in (str, bytes):
        return value[:MOST_ITEMS]
    if isinstance(value, np.ndarray | np.generic):
        special = isinstance(value, np.matrix | np.ma.MaskedArray)
        return Stranger(kind, cleaned(value)) if special else _plain_array(np.asarray(value), depth)
    if isinstance(value, list | tuple | dict):
        if len(value) > MOST_ITEMS or not depth:
            return Stranger(kind, f"a {kind} of {len(value)}")
        if isinstance(value, dict):
            return {cleaned(key, str): _plain(value[key], depth - 1) for key in value}
        items = [_plain(item, depth - 1) for item in value]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, CoroutineType):
        value.close()  # else Python warns that nobody waited for it
    return Stranger(kind, cleaned(value))


def _plain_array(array: np.ndarray, depth: int) -> object:
    if array.size > MOST_ELEMENTS:
        return Stranger("ndarray", f"an array of shape {array.shape}")
    if array.dtype == object and array.size <= MOST_ITEMS and depth:
        plain = np.empty(array.shape, object)
        for place in np.ndindex(array.shape):
            plain[place] = _plain(array[place], depth - 1)
        return plain
    return array.copy()


# --------------------------------------------------------------------------------------------------
# What a call has come to
# --------------------------------------------------------------------------------------------------


def _why_it_failed(failure: _Failure, names: list[str]) -> Finding:
    if not failure.callable:
        return Finding("function.raises", says="no_function")
    if not failure.takes_arguments:
        values = {"count": len(names), "names": ", ".join(names)}
        return Finding("function.raises", says="arguments", values=values)
    if not issubclass(failure.kind, Exception):
        return Finding("function.raises", says="exits")
    if issubclass(failure.kind, MemoryError):
        return Finding("function.raises", says="memory")
    if issubclass(failure.kind, RecursionError):
        return Finding("function.raises", says="recursion")
    return Finding("function.raises", says="dots" if "ellipsis" in failure.text else "usual")


def _not_an_array(result: object, names: list[str]) -> Finding:
    if isinstance(result, np.ndarray):
        values = {"dtype": result.dtype}
        return Finding("function.not_array", says="elements", values=values)
    if isinstance(result, tuple):
        items = [k for k, item in enumerate(result) if _is_numbers(item)]
        shapes = {np.shape(item) if _is_numbers(item) else None for item in result}
        rows = len(shapes) == 1 and all(shape and len(shape) == 1 for shape in shapes)
        if items and not rows:
            values = {"count": len(result), "index": items[0], "names": ", ".join(names)}
            return Finding("function.not_array", says="tuple", values=values)
    kind = result.kind if isinstance(result, Stranger) else type(result).__name__
    if kind == "list":
        return Finding("function.not_array", says="list")
    if kind == "matrix":
        return Finding("function.not_array", says="matrix")
    if kind == "MaskedArray":
        return Finding("function.not_array", says="masked")
    if kind == "ndarray":
        return Finding("function.not_array", says="huge")
    return Finding("function.not_array", values={"kind": kind})


def _is_numbers(item: object) -> bool:
    return is_numeric(item) or one_number(item) is not None


def _unchanged(before: object, after: Theirs) -> bool:
    if isinstance(before, np.ndarray):
        return (
            isinstance(after, np.ndarray)
            and before.dtype == after.dtype
            and np.array_equal(before, after, equal_nan=before.dtype.kind == "f")
        )
    if isinstance(before, list):
        same_length = isinstance(after, list) and len(before) == len(after)
        return same_length and all(map(_unchanged, before, after))
    return True
