"""The house: who may import whom, how long things may get. Read from the source, nothing is run.

`mnist_core` <- what all rooms use <- the rooms, none of which knows another <- `writing`, which
puts the reader's file into them <- the command line.
"""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BASE = {"dataset", "describe", "figures", "notebook", "schedule"}  # what all rooms may use
ROOMS = {"accuracy", "diagnosis", "diagrams", "drawing", "lab"}
UPSTAIRS = {"writing"}  # a room on top of the others
TOP = {"__init__", "__main__"}
OUTSIDE = {"benchmarks", "conftest", "lite", "tests", "tools"}
OUTSIDE |= {path.stem for path in (ROOT / "benchmarks").iterdir()}  # as they call each other
OUTSIDE |= {path.stem for path in (ROOT / "lite").iterdir()}
# All that the core needs besides NumPy: nothing of commands, networks or windows.
CORE_NEEDS = {"collections", "contextlib", "gzip", "io", "itertools", "math", "numpy", "os"}
CORE_NEEDS |= {"pathlib", "secrets", "struct", "sys", "typing", "zipfile", "zlib"}
CORE_LINES = 850
FUNCTION_LINES = 60  # a screen, without the docstring
NO_TEXT = {"Image", "archive", "gzip", "tarfile", "webbrowser"}  # whose open opens something else


def modules() -> dict[str, str]:
    """Read the house: the source of each module by its name, `mnist_book.drawing.pad`."""
    paths = [ROOT / "mnist_core.py", *sorted((ROOT / "mnist_book").rglob("*.py"))]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]
    return {name: path.read_text("utf-8") for name, path in zip(names, paths, strict=True)}


def imports(source: str, module: str) -> set[str]:
    """Name what a source imports: `from a import b` counts as a.b, wherever it stands."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = module.split(".")[: -node.level] if node.level else []
            package += node.module.split(".") if node.module else []
            found |= {".".join([*package, alias.name]) for alias in node.names}
        elif isinstance(node, ast.Call) and "import" in ast.unparse(node.func):  # import_module
            found |= {arg.value for arg in node.args if isinstance(arg, ast.Constant)}
    return found


def part(module: str) -> str:
    """Name the part of the house that a module is in: "core", "base", a room, "top" or ""."""
    package, _, rest = module.partition(".")
    name = rest.partition(".")[0]
    if package != "mnist_book":
        return "core" if package == "mnist_core" else ""
    return name if name in ROOMS | UPSTAIRS else "base" if name in BASE else "top"


def forbidden(source: str, module: str) -> list[str]:
    """Name what a module imports that it must not."""
    own = part(module)
    high = {"top", *UPSTAIRS}
    above = {"core": {"base", *high, *ROOMS}, "base": {*high, *ROOMS}, "top": set()}
    above |= {room: {"top"} for room in UPSTAIRS}
    not_for_it = above.get(own, {*high, *ROOMS} - {own})
    return [
        name
        for name in sorted(imports(source, module))
        if part(name) in not_for_it
        or name.partition(".")[0] in OUTSIDE
        or (own == "core" and name.partition(".")[0] not in CORE_NEEDS)
    ]


def lengths(source: str) -> dict[str, int]:
    """Count the lines of each function, without those of its docstring."""
    found = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node, clean=False) or ""
            lines = node.end_lineno - node.lineno + 1 - len(docstring.splitlines())
            found[f"{node.name}, line {node.lineno}"] = lines
    return found


def without_encoding(source: str) -> list[int]:
    """Name the lines that open a file as text and leave the encoding to the machine."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name not in {"open", "read_text", "write_text"}:
            continue
        said = len(node.args) > {"read_text": 0, "write_text": 1, "open": 9}[name]
        said |= any(keyword.arg == "encoding" for keyword in node.keywords)
        if name == "open":  # is it text?
            said |= ast.unparse(node.func).partition(".")[0] in NO_TEXT
            said |= any(mode in ast.unparse(node) for mode in ("'rb'", "'wb'", "'xb'", "'ab'"))
        if not said:
            found.append(node.lineno)
    return found


# --- the house is as it should be ----------------------------------------------------------------


@pytest.fixture(params=modules().items(), ids=modules())
def module(request):
    return request.param


def test_a_module_imports_what_is_below_it_alone(module):
    name, source = module
    assert forbidden(source, name) == []


def test_a_function_fits_on_a_screen(module):
    _, source = module
    assert {name: n for name, n in lengths(source).items() if n > FUNCTION_LINES} == {}


def test_the_core_is_read_in_one_sitting():
    assert len(modules()["mnist_core"].splitlines()) <= CORE_LINES


def test_the_core_does_not_look_at_its_environment():
    assert "environ" not in modules()["mnist_core"]
    assert "getenv" not in modules()["mnist_core"]


def test_every_package_and_its_files_are_installed():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    files = [path for path in (ROOT / "mnist_book").rglob("*.*") if "__pycache__" not in path.parts]
    paths = [path for path in files if not path.name.startswith(".")]
    packages = {
        ".".join(path.parent.relative_to(ROOT).parts) for path in paths if path.suffix == ".py"
    }
    # Folders of files that the project keeps elsewhere and a wheel carries inside the package.
    carried = {"mnist_book.data": "data", "mnist_book.records": "benchmarks/records"}
    assert settings["package-dir"] == carried
    assert set(settings["packages"]) == packages | {*carried, "mnist_book.data.practice"}
    patterns = settings["package-data"]["mnist_book"]
    covered = {path for pattern in patterns for path in (ROOT / "mnist_book").glob(pattern)}
    assert {path for path in paths if path.suffix != ".py"} == covered


def test_every_module_has_its_place():
    top_level = {path.stem for path in (ROOT / "mnist_book").iterdir() if path.suffix == ".py"}
    assert top_level == BASE | TOP
    folders = {path.parent.name for path in (ROOT / "mnist_book").glob("*/__init__.py")}
    assert folders == ROOMS | UPSTAIRS


@pytest.mark.parametrize("folder", ["", "mnist_book", "benchmarks", "lite", "tools", "tests"])
def test_files_are_read_and_written_as_utf_8(folder):
    paths = (ROOT / folder).rglob("*.py") if folder else ROOT.glob("*.py")
    lines = {path.name: without_encoding(path.read_text("utf-8")) for path in paths}
    assert {name: numbers for name, numbers in lines.items() if numbers} == {}


# --- and what is planted is found ----------------------------------------------------------------

PLANTED = [
    ("mnist_core", "import mnist_book"),
    ("mnist_core", "from mnist_book.dataset import load_mnist"),
    ("mnist_core", "def train():\n    import argparse"),
    ("mnist_core", "from urllib import request"),
    ("mnist_core", "import socket as s"),
    ("mnist_core", "import tqdm"),
    ("mnist_core", "import importlib\nimportlib.import_module('numpy')"),
    ("mnist_book.dataset", "from mnist_book.diagnosis import checks"),
    ("mnist_book.dataset", "from .diagnosis.checks import data"),
    ("mnist_book.notebook", "from mnist_book.__main__ import main"),
    ("mnist_book.figures", "from mnist_book import examine"),
    ("mnist_book.schedule", "import mnist_book.accuracy.recipes"),
    ("mnist_book.schedule", "from mnist_book.drawing import *"),
    ("mnist_book.diagnosis.reports", "from mnist_book.drawing.strokes import rasterize"),
    ("mnist_book.diagnosis.checks.data", "from ...accuracy import augment"),
    ("mnist_book.drawing.pad", "from mnist_book.accuracy.augment import upsample"),
    ("mnist_book.drawing.pad", "from mnist_book import load_digits"),
    ("mnist_book.drawing.pad", "if True:\n    from ..diagnosis import checks"),
    ("mnist_book.drawing.__init__", "from ..accuracy import straighten"),
    ("mnist_book.accuracy.recipes", "from mnist_book.__main__ import main"),
    ("mnist_book.accuracy.recipes", "from mnist_book.drawing.training import distort_images"),
    ("mnist_book.accuracy.recipes", "__import__('mnist_book.diagnosis')"),
    ("mnist_book.accuracy.recipes", "from benchmarks import accuracy"),
    ("mnist_book.accuracy.recipes", "from common.record import write"),
    ("mnist_book.__main__", "import race"),
    ("mnist_book.diagnosis.running", "from tests import catalogue"),
    ("mnist_book.diagnosis.checks.data", "from mnist_book.writing import limits"),
    ("mnist_book.writing.runner", "from mnist_book.__main__ import main"),
]
ALLOWED = [
    ("mnist_book.writing.serving", "from mnist_book.drawing import pad\nimport mnist_core"),
    ("mnist_core", "import os\nfrom collections.abc import Sequence\nimport numpy.linalg"),
    ("mnist_book.notebook", "from mnist_book.dataset import RECORDS\nfrom . import figures"),
    ("mnist_book.drawing.training", "from mnist_book.schedule import learning_rates"),
    ("mnist_book.drawing.training", "from . import strokes\nfrom mnist_book import dataset"),
    ("mnist_book.accuracy.recipes", "from mnist_core import accuracy\nimport scipy"),
    ("mnist_book.__init__", "from mnist_book.diagnosis import checks"),
    ("mnist_book.__main__", "from mnist_book.drawing import pad\nimport argparse, socket"),
]


@pytest.mark.parametrize(("name", "source"), PLANTED)
def test_a_forbidden_import_is_found(name, source):
    assert len(forbidden(source, name)) == 1


@pytest.mark.parametrize(("name", "source"), ALLOWED)
def test_an_allowed_import_is_let_pass(name, source):
    assert forbidden(source, name) == []


def test_a_long_function_is_found_and_a_long_docstring_let_pass():
    body = "    x = 1\n" * 5
    docstring = '    """Say.\n' + "    more\n" * 90 + '    """\n'
    source = f"class A:\n  def method(self):\n{body}\nasync def other():\n{docstring}{body}"
    assert list(lengths(source).values()) == [6, 6]


def test_a_text_without_an_encoding_is_found():
    source = """
path.read_text()
path.read_text("utf-8")
open(path, encoding="utf-8")
open(path, "w")
open(path, "rb")
path.write_text(text)
gzip.open(path)
path.open()
"""
    assert without_encoding(source) == [2, 5, 7, 9]
