"""Copies a network whole: its objects, and its functions with the namespace that they share.

`copy.deepcopy` shares functions and classes, and so all arrays that a notebook keeps in globals.
Here a function is copied with what it refers to: its closure, its defaults, and the names that it
uses in its module, in one copy of that namespace for all functions in it. Each object, array and
cell is copied once, so that what was shared in the original is shared in the copy, and nothing of
the two is. A view into an array becomes the same view into that array's copy.

Functions, classes and modules that hold nothing that could change are left alone, as are all of
Python's and NumPy's. No module is executed again. Out of sight remain names that a function builds
for `getattr(module, name)`, and modules that it imports while it runs.
"""

import abc
import copyreg
import random
import types
from collections.abc import Callable

import numpy as np

from mnist_book.diagnosis.examine.reach import (
    ATOMS,
    BOUND,
    MADE_BY_TYPE,
    WRAPPED,
    contents,
    global_names,
    is_dunder,
    is_left_alone,
    is_library,
    reaches_state,
)
from mnist_book.diagnosis.running import Theirs

NEW_OBJECT = vars(copyreg)["__newobj__"]  # what most objects are made by, cls.__new__(cls, ...)
GLOBAL_GENERATORS = (np.random.mtrand._rand, random._inst)  # behind np.random.seed, random.seed
GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)


def duplicate(
    network: Theirs, dtype: type | None = None, generators: list[Theirs] | None = None
) -> tuple[Theirs, list[str]]:
    """Copy a network with everything that it refers to.

    Parameters
    ----------
    dtype : the copy's arrays of narrower floats become arrays of this type, views included
    generators : the copy's random generators are appended to it

    Returns
    -------
    the copy, and what it still shares with the original because it refused to be copied
    """
    copier = _Copier(dtype)
    twin = copier.copy(network)
    if generators is not None:
        made = [each for each in copier.memo.values() if isinstance(each, GENERATORS)]
        generators += [each for each in made if each not in GLOBAL_GENERATORS]
    return twin, copier.shared


def numbers_in(network: Theirs) -> list[float]:
    """Return the numbers that a network keeps, but for those in arrays, always in one order."""
    reader = _Reader(None)
    reader.copy(network)
    return reader.numbers


def arrays_in(network: Theirs) -> list[np.ndarray]:
    """Return the arrays of floats that a network keeps, always in one order."""
    reader = _Reader(None)
    reader.copy(network)
    return reader.arrays


def with_number(network: Theirs, place: int, factor: float) -> Theirs:
    """Copy a network, and multiply one of its `numbers_in` by a factor."""
    return _Changer(place, factor).copy(network)


class _Copier:
    """Copies a graph of objects; `memo` has each one's copy by its id, as in `copy.deepcopy`."""

    def __init__(self, dtype: type | None) -> None:
        self.dtype = None if dtype is None else np.dtype(dtype)
        self.memo: dict[int, Theirs] = {id(rng): rng for rng in GLOBAL_GENERATORS}
        self.originals: list[object] = []  # kept, or their ids could come to mean something else
        self.shared: list[str] = []
        self.namespaces: dict[int, dict] = {}
        self.modules: dict[int, types.ModuleType] = {}
        self.copied_names: dict[int, set[str]] = {}
        self.stateful: dict[int, bool] = {}

    def copy(self, value: Theirs) -> Theirs:
        """Return the copy of anything; what refuses in any way is left as it is, and noted."""
        if isinstance(value, ATOMS) or id(value) in self.memo:
            return self.memo.get(id(value), value)
        try:
            return self._remember(value, self._way(value)(value))
        except Exception:  # a stranger's object may do anything
            self.shared.append(_called(value))
            return self._remember(value, value)

    def _way(self, value: object) -> Callable:
        ways: dict[type, Callable] = {
            list: self._list,
            tuple: self._tuple,
            dict: self._dict,
            types.FunctionType: self._function,
            types.MethodType: self._method,
            types.ModuleType: self._module,
            property: self._property,
        }
        if type(value) in ways:
            return ways[type(value)]
        if type(value) in (np.ndarray, np.matrix, np.memmap):
            return self._array
        if isinstance(value, type):
            return self._class
        if isinstance(value, BOUND):
            return self._bound
        return self._wrapper if isinstance(value, WRAPPED) else self._object

    def _remember(self, value: object, twin: Theirs) -> Theirs:
        self.memo[id(value)] = twin
        self.originals.append(value)
        return twin

    # Containers and objects

    def _list(self, value: list) -> list:
        twin = self._remember(value, [])
        twin.extend(map(self.copy, value))
        return twin

    def _tuple(self, value: tuple) -> tuple:
        items = tuple(map(self.copy, value))
        same = all(a is b for a, b in zip(items, value, strict=True))
        return self.memo.get(id(value), value if same else items)  # one in a circle is there by now

    def _dict(self, value: dict) -> dict:
        twin = self._remember(value, {})
        twin.update((self.copy(key), self.copy(item)) for key, item in value.items())
        return twin

    def _object(self, value: Theirs) -> Theirs:
        """Copy an object as `copy.deepcopy` does, by its own method or else as it is pickled."""
        kind: Theirs = type(value)
        if is_left_alone(value):
            return value
        if hasattr(kind, "__deepcopy__"):
            return kind.__deepcopy__(value, self.memo)
        reduce = copyreg.dispatch_table.get(kind)
        reduced = reduce(value) if reduce else kind.__reduce_ex__(value, 4)
        if isinstance(reduced, str):
            return value
        make, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
        if make is NEW_OBJECT and len(arguments) == 1:
            make = _new_without_theirs
        twin = self._remember(value, make(*map(self.copy, arguments)))
        if state is not None:
            self._set_state(twin, self.copy(state))
        for item in items or ():
            twin.append(self.copy(item))
        for key, item in pairs or ():
            twin[self.copy(key)] = self.copy(item)
        return twin

    def _set_state(self, twin: Theirs, state: Theirs) -> None:
        if hasattr(type(twin), "__setstate__"):
            twin.__setstate__(state)
            return
        attributes, slots = state if isinstance(state, tuple) else (state, None)
        if attributes:
            twin.__dict__.update(attributes)
        for name, value in (slots or {}).items():
            object.__setattr__(twin, name, value)  # past a frozen class's own

    # Functions, with the namespaces that they share

    def _function(self, value: types.FunctionType) -> types.FunctionType:
        if not self._holds_state(value):
            return value
        closure = value.__closure__ or ()
        new = [cell for cell in closure if id(cell) not in self.memo]
        for cell in new:
            self._remember(cell, types.CellType())
        cells = tuple(self.memo[id(cell)] for cell in closure)
        scope = self._scope(value.__globals__)
        twin = types.FunctionType(value.__code__, scope, value.__name__, None, cells)
        self._remember(value, twin)
        for name in ("__qualname__", "__module__", "__doc__"):
            setattr(twin, name, getattr(value, name))
        twin.__defaults__ = self.copy(value.__defaults__)
        twin.__kwdefaults__ = self.copy(value.__kwdefaults__)
        vars(twin).update((name, self.copy(item)) for name, item in vars(value).items())
        for cell, content in contents(new):
            self.memo[id(cell)].cell_contents = self.copy(content)
        self._copy_names(value.__globals__, global_names(value))
        return twin

    def _scope(self, names: dict) -> dict:
        """Return the one namespace that takes the place of `names` in the copy."""
        if id(names) not in self.namespaces:
            scope = names
            if not is_library(names.get("__name__"), names.get("__file__")):
                self.modules[id(names)] = types.ModuleType(str(names.get("__name__")))
                scope = vars(self.modules[id(names)])
                scope.update(names)
            self.namespaces[id(names)] = scope
            self.originals.append(names)
        return self.namespaces[id(names)]

    def _copy_names(self, names: dict, used: set[str]) -> None:
        """Copy what stands under some names in a namespace, in the copy of that namespace."""
        scope = self._scope(names)
        done = self.copied_names.setdefault(id(names), set())
        for name in used - done:
            done.add(name)
            scope[name] = self.copy(names[name])

    def _module(self, value: types.ModuleType) -> types.ModuleType:
        if not self._holds_state(value):
            return value
        names = vars(value)
        self._scope(names)
        twin = self._remember(value, self.modules[id(names)])
        self._copy_names(names, {name for name in names if not is_dunder(name)})
        return twin

    def _method(self, value: types.MethodType) -> types.MethodType:
        return types.MethodType(self.copy(value.__func__), self.copy(value.__self__))

    def _bound(self, value: Theirs) -> Theirs:
        owner = self.copy(value.__self__)
        return value if owner is value.__self__ else getattr(owner, value.__name__)

    def _property(self, value: property) -> property:
        get, put, delete = map(self.copy, (value.fget, value.fset, value.fdel))
        return property(get, put, delete, value.__doc__)

    def _wrapper(self, value: staticmethod | classmethod) -> staticmethod | classmethod:
        return type(value)(self.copy(value.__func__))

    def _class(self, value: type) -> type:
        """Copy a class that holds arrays, or whose methods use global ones."""
        if not self._holds_state(value):
            return value
        if type(value) not in (type, abc.ABCMeta):
            raise TypeError("a metaclass may do anything")
        made = {"__module__", "__qualname__", "__doc__", "__slots__"} & vars(value).keys()
        bases = tuple(map(self.copy, value.__bases__))
        twin = type(value)(value.__name__, bases, {name: vars(value)[name] for name in made})
        self._remember(value, twin)  # its methods may refer to it
        for name, item in vars(value).items():
            if name not in made | {"_abc_impl"} and not isinstance(item, MADE_BY_TYPE):
                setattr(twin, name, self.copy(item))
        return twin

    def _holds_state(self, value: object) -> bool:
        """Tell whether a function, class or module reaches anything that can change."""
        if id(value) not in self.stateful:
            seen: dict[int, object] = {}
            found = reaches_state(value, seen)
            for each in [value] if found else seen.values():
                self.stateful[id(each)] = found
                self.originals.append(each)
        return self.stateful[id(value)]

    # Arrays

    def _array(self, value: np.ndarray) -> np.ndarray:
        root, base = value, value.base
        while base is not None:  # as_strided puts something between
            root = base if type(base) in (np.ndarray, np.matrix) else root
            base = getattr(base, "base", None)
        twin = None
        if root is not value:
            twin = _same_view(value, root, self.copy(root))
        if twin is None:
            twin = np.array(value, self._dtype_for(value), order="K")  # a copy, not a memmap
            self._copy_objects(value, twin)
        return twin.view(np.matrix) if isinstance(value, np.matrix) else twin

    def _dtype_for(self, array: np.ndarray) -> np.dtype:
        if self.dtype and array.dtype.kind == "f" and array.itemsize < self.dtype.itemsize:
            return self.dtype
        return array.dtype

    def _copy_objects(self, array: np.ndarray, twin: np.ndarray) -> None:
        for place in np.ndindex(array.shape) if array.dtype == object else ():
            twin[place] = self.copy(array[place])


class _Reader(_Copier):
    """Copies a graph of objects and keeps the numbers that it comes by."""

    def __init__(self, dtype: type | None) -> None:
        super().__init__(dtype)
        self.numbers: list[float] = []
        self.arrays: list[np.ndarray] = []

    def copy(self, value: Theirs) -> Theirs:
        """Return the copy of anything, and note a number or an array."""
        if type(value) in (int, float) or isinstance(value, np.number):
            self.numbers.append(float(value))
        if type(value) is np.ndarray and value.size == 1 and value.dtype.kind in "iuf":
            self.numbers.append(float(value.item()))
        if type(value) is np.ndarray and value.dtype.kind == "f" and id(value) not in self.memo:
            self.arrays.append(value)
        return super().copy(value)


class _Changer(_Reader):
    """Copies a graph of objects but for one number, a float."""

    def __init__(self, place: int, factor: float) -> None:
        super().__init__(None)
        self.place, self.factor = place, factor

    def copy(self, value: Theirs) -> Theirs:
        """Return the copy of anything, or a multiple of the number."""
        count = len(self.numbers)
        twin = super().copy(value)
        return self.factor * twin if type(value) is float and count == self.place else twin


def _new_without_theirs(kind: Theirs) -> object:
    """Make an object past its class's own `__new__`, which may want more, or give an old one."""
    built_in = (each for each in kind.__mro__ if isinstance(vars(each).get("__new__"), BOUND))
    return next(built_in).__new__(kind)


def _same_view(view: np.ndarray, root: np.ndarray, whole: np.ndarray) -> np.ndarray | None:
    """Return the part of `whole`, the copy of `root`, that `view` is of `root`; None if none is."""
    wider = whole.itemsize // max(root.itemsize, 1)
    memory = whole.ravel(order="K")
    alike = whole.strides == tuple(wider * stride for stride in root.strides)
    if not (alike and np.shares_memory(memory, whole) and (wider == 1 or view.dtype == root.dtype)):
        return None
    offset = view.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    dtype = whole.dtype if view.dtype == root.dtype else view.dtype
    strides = tuple(wider * stride for stride in view.strides)
    try:
        twin = np.ndarray(view.shape, dtype, memory, wider * offset, strides)
    except (ValueError, TypeError):  # not inside, or objects seen as bytes
        return None
    twin.flags.writeable &= view.flags.writeable
    return twin


def _called(value: object) -> str:
    if isinstance(value, types.FunctionType | type):
        return f"{'class' if isinstance(value, type) else 'function'} {value.__name__}"
    return f"a {type(value).__name__}"
