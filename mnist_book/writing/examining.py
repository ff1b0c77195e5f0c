"""Examines a whole network from anywhere; runs in the process that is for the reader's code."""

import importlib
import inspect
import os
import sys
import types
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from mnist_book import dataset
from mnist_book.diagnosis import examine
from mnist_book.diagnosis.evidence import cleaned, lay_out
from mnist_book.diagnosis.reports import Report
from mnist_book.diagnosis.running import Theirs, run
from mnist_book.writing.epoch import stepped
from mnist_book.writing.pieces import NAMES
from mnist_book.writing.source import IMPORT_LIMIT, execute, read
from mnist_book.writing.training import RATE, Readers, train
from mnist_book.writing.troubles import Trouble
from mnist_core import scale_pixels

PICTURES = 1000
USUAL = ("network", "net", "model", "nn")  # names that people give to networks


def split(target: str) -> tuple[str, str]:
    """Split `file.py:object` or `module:object`; the object may be left out."""
    module, colon, name = target.rpartition(":")
    if not colon or (len(module) == 1 and os.name == "nt"):  # a drive
        return target, ""
    return module, name


def examined(target: str, digits: dataset.Digits) -> Report:
    """Find a network and examine it.

    Raises
    ------
    Trouble : there is none
    """
    place, name = split(target)
    module = _module(place)
    network = _member(module, name) if name else _guess(module, digits)
    x = scale_pixels(digits.test_images[:PICTURES], np.float64)
    return examine(network, x, digits.test_labels[:PICTURES].astype(np.int64))


def _module(place: str) -> types.ModuleType:
    if place.endswith(".py") or Path(place).is_file():
        module = execute(read(Path(place)))[0]
        module.__name__ = place
        return module
    sys.path.append(os.getcwd())
    return _run(lambda: importlib.import_module(place), "network.import", name=place)


def _member(module: types.ModuleType, name: str) -> Theirs:
    """Return what a dotted name stands for; a class or a function is called, if it is none."""
    value: Theirs = module
    for part in name.split("."):
        if not hasattr(value, part):
            raise Trouble("network.missing", name=name, place=module.__name__)
        value = getattr(value, part)
    makes = inspect.isclass(value) or not hasattr(value, "predict_proba")
    return _run(value, "network.make", name=name) if makes and callable(value) else value


def _guess(module: types.ModuleType, digits: dataset.Digits) -> Theirs:
    """Find the network in a module where nobody has said which it is."""
    if set(NAMES) <= module.__dict__.keys():
        network = Readers(module)
        train(network, digits, lambda *_, **__: None)
        return of_pieces(network, module.__dict__["gradients"])
    for name in USUAL:
        if name in module.__dict__:
            return _member(module, name)
    if "predict_proba" in module.__dict__:
        return module
    raise Trouble("network.absent", names=", ".join(USUAL))


def of_pieces(network: Readers, gradients: Callable) -> SimpleNamespace:
    """Make a network with the usual methods of the pieces of a file."""
    parameters, step = network.parameters, network.functions["train_step"]

    def predict_proba(x: np.ndarray) -> np.ndarray:
        p = network.functions["predict_proba"](parameters, network.laid_out(x))
        return np.transpose(p) if network.columns else p

    def loss_and_gradients(x: np.ndarray, labels: np.ndarray) -> tuple[float, list]:
        p = predict_proba(x)[np.arange(len(labels)), labels]
        return -np.mean(np.log(p)), list(gradients(parameters, network.laid_out(x), labels))

    def take_step(x: np.ndarray, labels: np.ndarray) -> None:
        given = [p.copy() for p in parameters]
        result = step(given, network.laid_out(x), labels, RATE)
        for p, new in zip(parameters, stepped(result, given), strict=True):  # type: ignore[call-overload]
            p[...] = new

    return SimpleNamespace(
        predict_proba=predict_proba,
        parameters=parameters,
        loss_and_gradients=loss_and_gradients,
        step=take_step,
    )


def _run(function: Callable, code: str, **values: object) -> Theirs:
    try:
        return run(function, (), IMPORT_LIMIT)[0]
    except Exception as error:
        raised = f"{type(error).__name__}: {cleaned(error, str)}"
        raise Trouble(code, lay_out(raised=raised), **values) from None
