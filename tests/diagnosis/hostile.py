"""Functions that do what a check must survive: `HOSTILE`, by a name for each."""

import array
import collections
import datetime
import decimal
import enum
import fractions
import functools
import os
import sys
import types
import warnings

import numpy as np

HOSTILE = {}


def hostile(name, function=None):
    """Enter a function; without one this is a decorator."""
    if function is None:
        return lambda function: hostile(name, function)
    HOSTILE[name] = function
    return function


def fails(*_, **__):
    raise RuntimeError("no")


# --------------------------------------------------------------------------------------------------
# Results that are not what was asked for
# --------------------------------------------------------------------------------------------------


class Colour(enum.IntEnum):
    RED = 2051


Pair = collections.namedtuple("Pair", "z cache")
_itself = []
_itself.append(_itself)
_deep = []
for _ in range(5000):
    _deep = [_deep]

RESULTS = {
    "True": True,
    "a string": "0.5",
    "25 MB of text": "x" * 25_000_000,
    "bytes": b"\x00\x01",
    "a bytearray": bytearray(b"12"),
    "a memoryview": memoryview(b"1234"),
    "array.array": array.array("d", [1, 2, 3]),
    "complex": 1 + 2j,
    "nan": float("nan"),
    "inf": float("inf"),
    "minus inf": -np.inf,
    "5,000 digits": 10**5000,
    "a fraction": fractions.Fraction(1, 3),
    "a decimal": decimal.Decimal("0.75"),
    "a date": datetime.date(2020, 1, 1),
    "an enumeration": Colour.RED,
    "NotImplemented": NotImplemented,
    "the dots": ...,
    "a set": {1, 2},
    "a frozenset": frozenset({1}),
    "a dictionary": {"loss": 1.0},
    "an empty dictionary": {},
    "a dictionary with four": {"W1": 1, "b1": 2, "W2": 3, "b2": 4},
    "an empty list": [],
    "an empty tuple": (),
    "a list of None": [None, None],
    "four Nones": [None] * 4,
    "four dots": [...] * 4,
    "four numbers": [1.0, 2, 3, 4],
    "four strings": ["W1", "b1", "W2", "b2"],
    "four empty lists": [[], [], [], []],
    "ragged lists": [[1, 2], [3]],
    "a list that holds itself": _itself,
    "a deep list": _deep,
    "a long list": list(range(100_000)),
    "a list of arrays": [np.zeros(3), np.zeros((2, 2))],
    "a tuple (z, cache)": (np.zeros((5, 4)), {"x": 1}),
    "a named tuple": Pair(np.zeros((5, 4)), None),
    "a tuple (loss, accuracy)": (2.3, 0.1),
    "a tuple of None": (None, None),
    "a range": range(4),
    "a slice": slice(3),
    "a type": dict,
    "a module": os,
    "a function": len,
    "an object": object(),
    "an exception": ValueError("returned"),
    "a file": sys.stdin,
    "a namespace": types.SimpleNamespace(z=1),
    "np.float32": np.float32(0.5),
    "np.int8": np.int8(-1),
    "np.bool": np.True_,
    "np.str": np.str_("text"),
    "np.datetime64": np.datetime64("2020"),
    "np.void": np.void(b"abc"),
    "no elements": np.zeros((0, 3)),
    "no dimension": np.array(0.5),
    "NaN everywhere": np.full((4, 3), np.nan),
    "NaN, no dimension": np.array(np.nan),
    "four bytes": np.frombuffer(b"\x00\x00\x08\x03", np.uint8),
    "twelve dimensions": np.zeros((1,) * 12),
    "bytes in the other order": np.zeros((4, 3), ">f8"),
    "half precision": np.full((4, 3), 6e4, np.float16),
    "long double": np.zeros((4, 3), np.longdouble),
    "huge numbers": np.full((4, 3), 1e308),
    "tiny numbers": np.full((4, 3), 5e-324),
    "complex array": np.zeros((4, 3), complex),
    "array of text": np.array(["a", "b"]),
    "array of dates": np.array(["2020"], "M8[D]"),
    "array of bytes": np.array([b"a"]),
    "structured array": np.zeros(3, [("a", "i4"), ("b", "f8")]),
    "record array": np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
    "array of None": np.array([None, None]),
    "array of arrays": np.array([np.zeros(2), np.zeros(3), None, 1], dtype=object),
    "a terabyte that is a view": np.broadcast_to(0.0, (10**6, 10**6)),
    "np.matrix": np.zeros((4, 3)).view(np.matrix),
    "masked": np.ma.masked,
    "masked array": np.ma.array(np.zeros((4, 3)), mask=np.eye(4, 3)),
    "np.poly1d": np.poly1d([1, 2]),
    "read-only": np.zeros((4, 3)),
}
RESULTS["read-only"].flags.writeable = False
for _name, _result in RESULTS.items():
    hostile(f"returns {_name}", lambda *arguments, result=_result: result)

hostile("returns a generator", lambda *arguments: (k for k in range(4)))
hostile("returns an iterator", lambda *arguments: iter([1, 2]))
hostile("returns a lambda", lambda *arguments: lambda: 1)
hostile("returns an argument", lambda *arguments: arguments[0])
hostile("returns the last argument", lambda *arguments: arguments[-1])
hostile("returns all arguments", lambda *arguments: arguments)
hostile("returns four arguments", lambda *arguments: [arguments[0]] * 4)
hostile("returns noise", lambda *arguments: np.random.default_rng().normal(size=(4, 3)))


@hostile("is a generator")
def _(*arguments):
    yield 1


@hostile("is a coroutine")
async def _(*arguments):
    return 1


# --------------------------------------------------------------------------------------------------
# Objects that bite
# --------------------------------------------------------------------------------------------------

SPECIAL = [
    *("repr", "str", "format", "eq", "ne", "lt", "gt", "hash", "bool", "dir", "sizeof", "class"),
    *("len", "iter", "getitem", "contains", "getattribute", "getattr", "instancecheck", "del"),
    *("float", "int", "index", "complex", "add", "mul", "sub", "copy", "deepcopy", "reduce_ex"),
    *("array", "array_interface", "array_ufunc", "array_function"),
]


def biting(names, result=fails, base=object):
    methods = {f"__{name}__": result for name in names}
    if "__class__" in methods:
        methods["__class__"] = property(fails)
    if "__array_interface__" in methods:
        methods["__array_interface__"] = property(fails)
    return type("Biting", (base,), methods)


for _name in SPECIAL:
    hostile(f"returns an object whose {_name} raises", lambda *a, n=_name: biting([n])())
_HARMLESS = {"getattribute", "getattr", "class", "del"}
hostile(
    "returns an object that raises always",
    lambda *arguments: biting([name for name in SPECIAL if name not in _HARMLESS])(),
)
hostile("returns a repr of another type", lambda *a: biting(["repr"], lambda self: 7)())
hostile("returns a repr of 25 MB", lambda *a: biting(["repr"], lambda self: "r" * 25_000_000)())
hostile("returns a repr that exits", lambda *a: biting(["repr"], lambda self: sys.exit())())
hostile("returns an iterator that exits", lambda *a: biting(["iter"], sys.exit, list)([1]))
hostile("returns a list that lies", lambda *a: biting(["len"], lambda self: 4, list)())
hostile("returns a list whose iteration raises", lambda *a: biting(["iter"], fails, list)([1] * 4))
hostile("returns a tuple whose length raises", lambda *a: biting(["len"], fails, tuple)((1, 2)))
hostile("returns a dictionary that raises", lambda *a: biting(["iter"], fails, dict)(a=1))
hostile("returns a float that raises", lambda *a: biting(["float", "repr"], fails, float)(0.5))
hostile("returns an int that raises", lambda *a: biting(["int", "repr", "eq"], fails, int)(7))
hostile("returns a str that raises", lambda *a: biting(["repr", "str"], fails, str)("a"))
hostile("returns biting objects in a list", lambda *a: [biting(["eq", "array"])()] * 4)
hostile("returns biting objects in a tuple", lambda *a: (biting(["repr"])(), biting(["array"])()))
hostile("returns biting objects in an array", lambda *a: _filled(biting(["eq", "float"])()))
hostile("returns arrays of biting objects", lambda *a: [_filled(biting(["repr"])())] * 4)
hostile(
    "returns something like an array", lambda *a: biting(["array"], lambda *_, **__: np.eye(3))()
)
hostile("returns something like nothing", lambda *a: biting(["array"], lambda *_, **__: None)())


def _filled(value):
    filled = np.empty(4, object)
    filled[:] = [value] * 4
    return filled


class Subclass(np.ndarray):
    def __array_finalize__(self, other):
        if other is not None and getattr(self, "armed", False):
            raise RuntimeError("no")

    def __repr__(self):
        raise RuntimeError("no")


hostile("returns a subclass of arrays", lambda *a: np.zeros((4, 3)).view(Subclass))

# --------------------------------------------------------------------------------------------------
# Errors
# --------------------------------------------------------------------------------------------------


def raising(error):
    def function(*arguments):
        raise error

    return function


class Silent(Exception):
    def __str__(self):
        raise RuntimeError("no")

    __repr__ = __str__


class Endless(Exception):
    def __str__(self):
        return self.__str__()


for _kind in (
    *(ValueError, TypeError, KeyError, IndexError, OverflowError, ZeroDivisionError, OSError),
    *(FloatingPointError, MemoryError, RecursionError, StopIteration, StopAsyncIteration),
    *(AssertionError, TimeoutError, ImportError, SyntaxError, EOFError, Warning, BufferError),
    *(np.linalg.LinAlgError, Silent, Endless, Exception),
    *(SystemExit, KeyboardInterrupt, GeneratorExit, BaseException),
):
    hostile(f"raises {_kind.__name__}", raising(_kind))
hostile("raises 25 MB", raising(ValueError("m" * 25_000_000)))
hostile("raises half a character", raising(ValueError("\ud800 \x1b[2J \r\n line")))
hostile("raises an object", raising(ValueError(biting(["repr", "str"])())))
hostile("raises a group", raising(ExceptionGroup("several", [ValueError("a"), Silent()])))
hostile("raises what is no exception", lambda *a: (_ for _ in ()).throw(biting(["repr"])))
hostile("exits", lambda *arguments: sys.exit("goodbye"))
hostile("divides by zero", lambda *arguments: 1 / 0)
hostile("misses a name", lambda *arguments: missing)  # noqa: F821
hostile("asks too much", lambda *arguments: np.empty(10**13))


@hostile("calls itself")
def calls_itself(*arguments):
    return calls_itself(*arguments)


@hostile("calls itself in NumPy")
def _(*arguments):
    def again(value):
        return np.vectorize(again)(np.array([value]))

    return again(1)


# --------------------------------------------------------------------------------------------------
# What else a function may do
# --------------------------------------------------------------------------------------------------


@hostile("prints megabytes")
def _(*arguments):
    for _ in range(20):
        print("p" * 1_000_000)


@hostile("prints half a character")
def _(*arguments):
    print("\ud800")
    sys.stdout.buffer.write(b"\xff\xfe")
    sys.stderr.write("x" * 1_000_000)


@hostile("closes the output")
def _(*arguments):
    sys.stdout.close()


@hostile("exchanges the output")
def _(*arguments):
    sys.stdout = sys.stderr = None


@hostile("makes NumPy raise")
def _(*arguments):
    np.seterr(all="raise")
    return np.exp(np.float64(1000))


@hostile("warns")
def _(*arguments):
    warnings.simplefilter("error")
    warnings.warn("careful", stacklevel=1)


@hostile("changes the shapes of its arguments")
def _(*arguments):
    for value in _arrays(arguments):
        value.resize((1, 1), refcheck=False)


@hostile("changes the types of its arguments")
def _(*arguments):
    for value in _arrays(arguments):
        value.dtype = np.int8


@hostile("fills its arguments with NaN")
def _(*arguments):
    for value in _arrays(arguments):
        if value.dtype.kind == "f":
            value.fill(np.nan)


@hostile("locks its arguments")
def _(*arguments):
    for value in _arrays(arguments):
        value.flags.writeable = False
    return arguments[0]


@hostile("clears a list of arrays")
def _(*arguments):
    if isinstance(arguments[0], list):
        arguments[0].clear()


@hostile("makes a list of arrays longer")
def _(*arguments):
    if isinstance(arguments[0], list):
        arguments[0].extend(range(5000))


@hostile("puts biting objects into a list of arrays")
def _(*arguments):
    if isinstance(arguments[0], list):
        arguments[0][:] = [biting(["eq", "repr", "array"])() for _ in range(4)]


def _arrays(arguments):
    nested = [item for value in arguments if isinstance(value, list) for item in value]
    return [value for value in (*arguments, *nested) if isinstance(value, np.ndarray)]


# --------------------------------------------------------------------------------------------------
# What is passed for a function
# --------------------------------------------------------------------------------------------------

HOSTILE |= {
    "None": None,
    "dots": ...,
    "an array": np.zeros((4, 3)),
    "a string": "softmax",
    "a number": 7,
    "an object": object(),
    "a biting object": biting([name for name in SPECIAL if name not in {"class"} | _HARMLESS])(),
    "an object whose call raises": biting(["call"])(),
    "an object whose attributes raise": biting(["getattr", "call"])(),
    "a class": dict,
    "a class of arrays": np.ndarray,
    "no parameters": lambda: 1,
    "one parameter": lambda a: a,
    "nine parameters": lambda a, b, c, d, e, f, g, h, i: a,
    "keywords only": lambda *, x: x,
    "len": len,
    "print": print,
    "np.exp": np.exp,
    "np.add": np.add,
    "np.dot": np.dot,
    "a partial of print": functools.partial(print, 1),
    "a method": "text".join,
    "a static method": staticmethod(len),
    "a property": property(len),
    "exit": sys.exit,
    "globals": globals,
}
