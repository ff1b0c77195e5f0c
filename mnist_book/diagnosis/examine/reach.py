"""What functions, classes and modules refer to, and whether anything of that can change."""

import dis
import enum
import functools
import io
import logging
import os
import re
import sys
import sysconfig
import types
from collections.abc import Iterator

import numpy as np

NUMBERS = (int, float, complex, bool, np.dtype, np.generic)
NOTHING = (type(None), type(Ellipsis), type(NotImplemented))
TEXTS = (str, bytes, re.Pattern)
ATOMS = (*NUMBERS, *NOTHING, *TEXTS, range, slice, types.CodeType, np.ufunc, enum.Enum)
ALONE = (io.IOBase, logging.Logger, logging.Handler, logging.Filterer)  # no part of a network
ALONE_MODULES = {"_thread", "threading", "typing", "dataclasses"}  # locks, annotations, sentinels
BOUND = (types.BuiltinFunctionType, types.MethodWrapperType)  # array.dot, array.__matmul__
WRAPPED = (staticmethod, classmethod)
MADE_BY_TYPE = (types.MemberDescriptorType, types.GetSetDescriptorType)  # for slots, __dict__
HEAP_TYPE = 1 << 9  # CPython's flag of classes that a class statement made
LOOKS_ANYWHERE = {"globals", "vars", "eval", "exec"}  # functions that find names by their text


def reaches_state(value: object, seen: dict[int, object]) -> bool:
    """Tell whether anything that can change is reached from a value; `seen` fills on the way."""
    if isinstance(value, ATOMS) or id(value) in seen:
        return False
    seen[id(value)] = value
    parts = _parts(value)
    return True if parts is None else any(reaches_state(part, seen) for part in parts)


def _parts(value: object) -> Iterator[object] | None:
    """Return what something refers to that cannot change itself; None if it can."""
    if isinstance(value, types.FunctionType):
        return _parts_of_function(value)
    if isinstance(value, type):
        library = _is_library_class(value) or isinstance(value, enum.EnumType)
        return iter(() if library else [*value.__bases__, *_values(dict(vars(value)))])
    if isinstance(value, types.ModuleType):
        library = is_library(value.__name__, getattr(value, "__file__", None))
        return iter(() if library else _values(vars(value)))
    if isinstance(value, types.MethodType):
        return iter((value.__func__, value.__self__))
    if isinstance(value, BOUND):
        return iter((value.__self__,))
    if isinstance(value, property):
        return iter((value.fget, value.fset, value.fdel))
    if isinstance(value, WRAPPED):
        return iter((value.__func__,))
    if isinstance(value, functools.cached_property):
        return iter((value.func,))
    if isinstance(value, MADE_BY_TYPE) or is_left_alone(value):
        return iter(())
    return iter(value) if isinstance(value, tuple | frozenset) else None


def is_left_alone(value: object) -> bool:
    """Tell what is no part of a network: files, locks, loggers, what annotations are made of."""
    return isinstance(value, ALONE) or type(value).__module__ in ALONE_MODULES


def _parts_of_function(value: types.FunctionType) -> Iterator[object] | None:
    if _rebinds(value.__code__):
        return None
    parts = [*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
    parts += vars(value).values()
    parts += [content for _, content in contents(value.__closure__ or ())]
    parts += [value.__globals__[name] for name in global_names(value)]
    return iter(parts)


def _values(names: dict) -> list[object]:
    """Return what a class or module defines, without what Python keeps for itself."""
    methods = (types.FunctionType, *WRAPPED)
    names = {name: v for name, v in names.items() if name != "__repr__"}  # a dataclass's has a set
    return [v for name, v in names.items() if not is_dunder(name) or isinstance(v, methods)]


def contents(cells: tuple | list) -> Iterator[tuple[types.CellType, object]]:
    """Iterate over the cells that are not empty."""
    for cell in cells:
        try:
            yield cell, cell.cell_contents
        except ValueError:
            continue


def global_names(function: types.FunctionType) -> set[str]:
    """Return the names that a function uses in its namespace, unless that is a library's."""
    names = function.__globals__
    if is_library(names.get("__name__"), names.get("__file__")):
        return set()
    used, _ = _names_in(function.__code__)
    if used & LOOKS_ANYWHERE - names.keys():
        hidden = {"In", "Out"}  # what was typed into a notebook, and what came out
        return {name for name in names if not name.startswith("_")} - hidden
    return set(used & names.keys())


def _rebinds(code: types.CodeType) -> bool:
    return _names_in(code)[1]


@functools.lru_cache(maxsize=4096)
def _names_in(code: types.CodeType) -> tuple[frozenset[str], bool]:
    """Return the global names that code uses, and whether it gives names outside new values."""
    used, rebinds = set(), False
    for instruction in dis.get_instructions(code):
        operation, name = instruction.opname, instruction.argval
        if operation.endswith(("_GLOBAL", "_NAME", "_OR_GLOBALS")) and isinstance(name, str):
            used.add(name)
            rebinds |= operation in ("STORE_GLOBAL", "DELETE_GLOBAL")
        rebinds |= operation in ("STORE_DEREF", "DELETE_DEREF") and name in code.co_freevars
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            names, rebinds_too = _names_in(inner)
            used |= names
            rebinds |= rebinds_too
    return frozenset(used), rebinds


def is_dunder(name: str) -> bool:
    """Tell names that Python gives a meaning to."""
    return name.startswith("__") and name.endswith("__")


def _is_library_class(value: type) -> bool:
    if value.__module__ == "builtins":  # or of a namespace without a name
        return not value.__flags__ & HEAP_TYPE
    module = sys.modules.get(value.__module__)
    return is_library(value.__module__, getattr(module, "__file__", None))


@functools.cache
def is_library(name: str | None, file: str | None) -> bool:
    """Tell what is Python's or installed from what the reader wrote."""
    if name is None or name == "__main__":
        return False
    if file is None:
        return name.partition(".")[0] in sys.stdlib_module_names
    path = os.path.realpath(file)
    installed = {"site-packages", "dist-packages"} & set(path.split(os.sep))
    zipped = f".zip{os.sep}" in path  # as Pyodide has its standard library
    return bool(installed) or zipped or path.startswith(_STANDARD_LIBRARY)


_STANDARD_LIBRARY = tuple(
    os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib")
)
