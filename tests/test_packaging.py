"""The sdist and the wheel: whole, checked, and of use in a folder that does not know this one."""

import ast
import json
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
# By the name under which a package is imported: those of others are its dependencies' own.
COMES_WITH = {"IPython": "ipywidgets", "traitlets": "ipywidgets", "requests": "pooch"}

USE = """
import json, sys
import numpy as np
sys.path.insert(0, sys.argv[1])
import mnist_book, mnist_core
from mnist_book import checks, dataset, examine, load_digits
from mnist_book.__main__ import main
from mnist_book.drawing.pad import DigitPad
from mnist_book.drawing.practice import draw_digit
from mnist_book.notebook import RECORDS

pad = DigitPad()
pad.draw(draw_digit(3, np.random.default_rng(0)))
digits = dataset.load_practice_digits()
status = main(["train", "--data", "practice", "--epochs", "1", "--hidden", "16"])
network = mnist_core.Network.load("weights.npz")
print(json.dumps({
    "from": [module.__file__ for module in (mnist_book, mnist_core)],
    "pad": pad.prediction,
    "digits": repr(digits),
    "status": status,
    "check": str(checks.softmax(lambda z: np.exp(z) / np.exp(z).sum())),
    "examined": str(examine(network, digits.test_images, digits.test_labels)),
    "records": len(list(RECORDS.glob("*.json"))),
    "downloads": str(dataset.DATA),
}))
"""


def run(*command, cwd):
    ran = subprocess.run(
        command, cwd=cwd, capture_output=True, encoding="utf-8", timeout=300, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The sdist, and the wheel that is built from it, of what is committed or about to be."""
    pytest.importorskip("build", reason="pip install -r requirements-dev.txt")
    folder = tmp_path_factory.mktemp("built")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    run(*build, cwd=folder)
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


@pytest.fixture(scope="module")
def used(built, tmp_path_factory):
    """What the wheel does, installed in a folder of its own and used in another one."""
    site, elsewhere = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("elsewhere")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site)]
    run(*pip, str(built[1]), cwd=elsewhere)
    lines = run(sys.executable, "-I", "-c", USE, str(site), cwd=elsewhere).splitlines()
    return json.loads(lines[-1]) | {"site": site}


def test_the_wheel_is_used_and_not_this_folder(used):
    assert all(Path(path).is_relative_to(used["site"]) for path in used["from"])
    assert Path(used["downloads"]) == Path.home() / ".mnist_book"


def test_the_pad_reads_and_the_practice_digits_are_there(used):
    assert used["pad"] == 3
    assert used["digits"] == "Digits(practice digits: 6,000 for training, 1,000 for testing)"


def test_a_network_is_trained_checked_and_examined(used):
    assert used["status"] == 0
    assert "[softmax.global_sum, chapter 3]" in used["check"]
    assert used["examined"]


def test_the_records_that_chapters_show_are_there(used):
    assert used["records"] == len(list((ROOT / "benchmarks" / "records").glob("*.json")))


def test_the_wheel_has_every_file_of_the_package_and_never_mnist(built):
    with zipfile.ZipFile(built[1]) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    paths = [path for path in (ROOT / "mnist_book").rglob("*.*") if path.suffix != ".pyc"]
    files = {path.relative_to(ROOT).as_posix() for path in paths if not path.name.startswith(".")}
    assert files | {"mnist_core.py"} <= names
    carried = {name for name in names if name.startswith("mnist_book/data/")}
    shipped = [*(ROOT / "data").glob("*.npz"), *(ROOT / "data" / "practice").glob("*.gz")]
    assert carried == {f"mnist_book/{path.relative_to(ROOT).as_posix()}" for path in shipped}


def test_the_sdist_has_what_the_wheel_is_made_of(built):
    with tarfile.open(built[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"mnist_core.py", "data/pad.npz", "benchmarks/records/pad.json", "LICENSE"} <= names
    assert not any(name.startswith("tests/") or "MNIST" in name for name in names)


def test_the_index_of_packages_would_take_them(built):
    pytest.importorskip("twine", reason="pip install -r requirements-dev.txt")
    said = run(sys.executable, "-m", "twine", "check", "--strict", *map(str, built), cwd=ROOT)
    assert said.count("PASSED") == 2


def third_party(source):
    """The packages that a source imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(source)))
    found = {alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names}
    found |= {n.module for n in nodes if isinstance(n, ast.ImportFrom) and n.module and not n.level}
    names = {name.partition(".")[0] for name in found}
    return names - set(sys.stdlib_module_names) - {"mnist_core", "mnist_book"}


def test_everything_that_is_imported_is_a_dependency():
    sources = [ROOT / "mnist_core.py", *(ROOT / "mnist_book").rglob("*.py")]
    imported = set().union(*(third_party(path.read_text("utf-8")) for path in sources))
    dependencies = {Requirement(line).name for line in PROJECT["dependencies"]}
    assert {COMES_WITH.get(name, name) for name in imported} == dependencies


def test_readers_and_wheels_get_the_same_versions():
    text = re.sub(r"#.*", "", (ROOT / "requirements.txt").read_text("utf-8"))
    lines = [line.strip() for line in text.splitlines() if line.strip() and line[0] != "-"]
    ranges = {r.name: r.specifier for r in map(Requirement, lines)}
    for requirement in map(Requirement, PROJECT["dependencies"]):
        assert ranges[requirement.name] == requirement.specifier
