"""Makes plain values of what a stranger's code gives: nothing that runs code of theirs is left.

This belongs in the thread of the call, under its limits: an `__array__` may loop, a `__repr__` may
end the program, and a view of one number may have as many elements as a terabyte has.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from types import CoroutineType, MappingProxyType

import numpy as np

from mnist_book.diagnosis.evidence import cleaned
from mnist_book.diagnosis.examine.results import described, flattened
from mnist_book.diagnosis.running import Theirs

MOST_ELEMENTS = 50_000_000  # of an array, and
MOST_ITEMS = 1_000_000  # of lists in lists, and
DEEPEST = 8  # lists in a list, beyond which nothing is looked at
NUMBERS = (bool, int, float)
HUGE = "huge array"  # the kind of what has more elements
ARRAYS = (np.ndarray, np.matrix, np.memmap)  # any other kind may have methods of its own


@dataclass(frozen=True, eq=False)
class Foreign:
    """Stands for a result that is no number, text, array, list, tuple or dictionary.

    Parameters
    ----------
    kind : the name of its type
    text : what it looks like
    array : the array of numbers that NumPy makes of it, as of a tensor; None if there is none
    """

    kind: str
    text: str
    array: np.ndarray | None = None

    def __repr__(self) -> str:
        return self.text

    def __array__(self, dtype: Theirs = None, copy: bool | None = None) -> np.ndarray:
        if self.array is None:
            raise TypeError(f"a {self.kind} is no array")
        return self.array


class Raised(Exception):
    """Stands for an error that a call raised: its type and message, as text."""

    def __init__(self, error: BaseException) -> None:
        text = f"{type(error).__name__}: {cleaned(error, str)}"
        super().__init__(text.removesuffix(": "))


@dataclass(frozen=True)
class Parameters:
    """What a network gives as `parameters`.

    Attributes
    ----------
    found : the list, or whatever it is
    theirs : the arrays in it, as they are
    arrays : the same as ordinary arrays, which share their memory; none where one will not do
    names : the keys, if it is a dictionary
    text : what it looks like, if there are no arrays that will do
    """

    found: object = None
    theirs: list[np.ndarray] = field(default_factory=list)
    arrays: list[np.ndarray] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    text: str = ""


def kind_of(value: object) -> str:
    """Name the type of what was returned."""
    return value.kind if isinstance(value, Foreign) else type(value).__name__


def plain(value: Theirs) -> object:
    """Make a plain value of a result: a copy, `Foreign` where there is no plain one."""
    return _Reader().plain(value, DEEPEST)


def member(network: Theirs, name: str) -> Theirs:
    """Return an attribute: None if there is none, `Raised` if a property raised another error."""
    try:
        return getattr(network, name, None)
    except BaseException as error:  # sys.exit() too
        return Raised(error)


def parameters_of(network: Theirs, before: Parameters | None = None) -> Parameters:
    """Read a network's parameters; `before` is what they were, and is returned if they still are.

    It may be called again and again: arrays that are the same are the same objects then, too.
    """
    found = member(network, "parameters")
    if before and found is before.found and not before.arrays:
        return before
    try:
        values = flattened(found)
    except Exception:  # lists in a circle, or their own kind of a list
        values = [found]
    theirs = [value for value in values if issubclass(type(value), np.ndarray)]
    if before and before.arrays and _same_objects(values, before.theirs):
        return before
    small = [a for a in theirs if a.size <= MOST_ELEMENTS]
    arrays = [a if type(a) in ARRAYS else np.asarray(a) for a in small]
    if values and len(arrays) == len(values) and all(map(_can_be_moved, arrays)):
        names = list(found) if isinstance(found, dict) else []
        named = [name for name in names if type(name) is str]
        return Parameters(found, theirs, arrays, named)
    return Parameters(found, theirs, text=_shown(found, theirs, len(values)))


def _can_be_moved(array: np.ndarray) -> bool:
    return array.dtype.kind == "f" and array.size > 0 and array.flags.writeable


def _shown(found: Theirs, arrays: list[np.ndarray], count: int) -> str:
    """Describe parameters that will not do: arrays by their types and shapes."""
    if isinstance(found, Raised):
        return f"a property that raises {found}"
    if not arrays or len(arrays) < count:
        return f"a {type(found).__name__}, {cleaned(found)}"
    text = cleaned(described(*arrays), str)
    locked = any(not np.asarray(array).flags.writeable for array in arrays)
    return f"a {type(found).__name__} with {text}{', read-only' if locked else ''}"


def _same_objects(values: list, others: list) -> bool:
    return len(values) == len(others) and all(map(lambda a, b: a is b, values, others))


class _Reader:
    """Reads a result, however it is nested, as far as a number of items allows."""

    def __init__(self) -> None:
        self.left = MOST_ITEMS

    def plain(self, value: Theirs, depth: int) -> object:
        kind = type(value)
        if value is None or value is Ellipsis or kind in (*NUMBERS, complex):
            return value
        if kind in (str, bytes):
            return value[:1000]
        if issubclass(kind, list | tuple | dict | MappingProxyType):
            return self._nested(value, depth)
        if kind in (*ARRAYS, np.ma.MaskedArray) and not value.dtype.hasobject:
            return _too_large(value) or value.copy()
        return _foreign(value)

    def _nested(self, value: Theirs, depth: int) -> object:
        kind, length = type(value), len(value)
        self.left -= length
        if self.left < 0 or not depth:
            return Foreign(kind.__name__, f"a {kind.__name__} of {length}")
        if issubclass(kind, dict | MappingProxyType):
            return {cleaned(key, str): self.plain(value[key], depth - 1) for key in value}
        items = self._items(value, depth)
        return items if issubclass(kind, list) else tuple(items)

    def _items(self, values: Iterable, depth: int) -> list:
        items = list(values)
        if all(type(item) in NUMBERS for item in items):
            return items
        return [self.plain(item, depth - 1) for item in items]


def _foreign(value: Theirs) -> object:
    """Take what NumPy makes of it, and an ordinary array for one of a subclass."""
    if isinstance(value, CoroutineType):
        value.close()  # else Python warns that nobody waited for it
    array, name = None, type(value).__name__
    try:
        array = np.asarray(value)
        if huge := _too_large(array):
            return huge
    except Exception:  # it may refuse in any way
        array = None
    if array is None or array.dtype.kind not in "fiub":
        return Foreign(name, cleaned(value))
    ordinary = issubclass(type(value), np.ndarray | np.generic)
    return array.copy() if ordinary else Foreign(name, cleaned(value), array.copy())


def _too_large(array: np.ndarray) -> Foreign | None:
    if array.size <= MOST_ELEMENTS:
        return None
    return Foreign(HUGE, f"an array of shape {array.shape}")
