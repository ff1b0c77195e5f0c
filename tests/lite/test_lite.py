"""What `make lite` is made of, without a build: the lock, the files, the notebooks, the buttons.

`make test-lite` tries what has been built.
"""

import hashlib
import json
import re
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest
from make import settings
from packaging.requirements import Requirement

from mnist_book import dataset
from mnist_book.dataset import Digits

from buttons import add_buttons
from files import DISTRIBUTION, WrongFile, get_all, reader
from lock import LOCK, VERSION
from readable import readable
from stage import BOOK, notebooks, stage

ROOT = Path(__file__).parents[2]
CONTENT = json.loads(LOCK.read_text("utf-8"))
PACKAGES = CONTENT["packages"]


# --- the lock -------------------------------------------------------------------------------------


def requirements(name):
    lines = re.sub(r"#.*", "", (ROOT / name).read_text("utf-8")).splitlines()
    return {
        r.name: r.specifier
        for r in map(Requirement, (line for line in lines if line[:1].isalpha()))
    }


def test_every_file_has_its_sha_256():
    digests = [package["sha256"] for package in PACKAGES.values()] + list(CONTENT["core"].values())
    assert len(digests) > 30
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in digests)
    assert len({package["file_name"] for package in PACKAGES.values()}) == len(PACKAGES)


def test_every_package_finds_what_it_needs_without_asking_anybody():
    assert {name for package in PACKAGES.values() for name in package["depends"]} <= set(PACKAGES)
    assert {package["origin"] for package in PACKAGES.values()} == {
        "pyodide",
        "pypi",
        "jupyterlite",
    }
    assert {"numpy", "matplotlib", "ipywidgets", "anywidget", "comm", "ipython"} <= set(PACKAGES)


def test_the_lock_goes_with_the_versions_that_are_installed():
    pinned = requirements("requirements-lite.txt")
    assert str(pinned["jupyterlite-pyodide-kernel"]) == f"=={PACKAGES['piplite']['version']}"
    assert str(pinned["anywidget"]) == f"=={PACKAGES['anywidget']['version']}"
    assert CONTENT["pyodide"] == VERSION and VERSION in DISTRIBUTION


def test_the_browser_gets_versions_that_readers_may_have_too():
    ranges = requirements("requirements.txt")
    for name in ("numpy", "matplotlib", "ipywidgets", "anywidget", "threadpoolctl"):
        assert ranges[name].contains(PACKAGES[name]["version"]), name


# --- where the files come from --------------------------------------------------------------------


@pytest.fixture
def small_lock():
    """Two core files and nothing else."""
    contents = {"a.mjs": b"first", "b.wasm": b"second"}
    core = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    return {"core": core, "packages": {}}, contents


def fill(folder, contents):
    folder.mkdir()
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return str(folder)


def test_a_folder_and_a_wheel_give_the_same_files(small_lock, tmp_path):
    lock, contents = small_lock
    with zipfile.ZipFile(tmp_path / "carries.whl", "w") as wheel:
        for name, content in contents.items():
            wheel.writestr(f"somewhere/inside/{name}", content)
    for source in fill(tmp_path / "source", contents), str(tmp_path / "carries.whl"):
        target = tmp_path / f"of {Path(source).name}"
        get_all(lock, source, target, tmp_path / "cache")
        assert {path.name: path.read_bytes() for path in target.iterdir()} == contents


def test_a_file_that_is_there_is_not_asked_for_again(small_lock, tmp_path):
    lock, contents = small_lock
    fill(tmp_path / "target", contents)
    get_all(lock, str(tmp_path / "nowhere"), tmp_path / "target", tmp_path / "cache")


def test_another_file_stops_the_build(small_lock, tmp_path):
    lock, contents = small_lock
    source = fill(tmp_path / "source", contents | {"b.wasm": b"an older version"})
    with pytest.raises(
        WrongFile, match=r"b\.wasm from .*source: found SHA-256 .*, expected .* anew"
    ):
        get_all(lock, source, tmp_path / "target", tmp_path / "cache")
    assert not (tmp_path / "target" / "b.wasm").exists()


def test_a_missing_file_stops_the_build(small_lock, tmp_path):
    lock, contents = small_lock
    del contents["a.mjs"]
    source = fill(tmp_path / "source", contents)
    with pytest.raises(WrongFile, match=r"a\.mjs from .*found no such file.*Set PYODIDE"):
        get_all(lock, source, tmp_path / "target", tmp_path / "cache")


def test_a_source_of_no_known_kind_is_refused(tmp_path):
    with pytest.raises(WrongFile, match=r"PYODIDE: found '.*nowhere', expected a folder, an https"):
        reader(str(tmp_path / "nowhere"), tmp_path)


# --- the notebooks --------------------------------------------------------------------------------


def blank(count):
    """Images that differ in one pixel, which packs faster than ink, and their labels."""
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, 0] = np.arange(count) % 251
    return images, (np.arange(count) % 10).astype(np.uint8)


MNIST = Digits(*blank(10_500), *blank(2_500), source="MNIST")


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    """The notebooks and digits as the browser gets them, from a "MNIST" of blank pages."""
    folder = tmp_path_factory.mktemp("staged") / "notebooks"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "load_mnist", lambda download: MNIST)
        assert stage(folder) == "small"
    return folder


def cells(path, kind):
    content = json.loads(path.read_text("utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in content if cell["cell_type"] == kind]


def test_every_notebook_has_its_twin_with_the_right_kernel(staged):
    assert {path.name for path in staged.glob("*.ipynb")} == {path.name for path in notebooks()}
    assert {path.name for path in notebooks()} == {
        path.name for path in BOOK.glob("*.ipynb") if path.stem != "template"
    }
    for path in staged.glob("*.ipynb"):
        metadata = json.loads(path.read_text("utf-8"))["metadata"]
        assert metadata["kernelspec"]["name"] == "python"
        assert cells(path, "code") == cells(BOOK / path.name, "code")


def test_no_text_shows_what_only_the_pages_understand(staged):
    for path in staged.glob("*.ipynb"):
        for text in cells(path, "markdown"):
            assert not re.search(r"\{(glue|cite|doc|download|numref|ref)\b[^}]*\}`", text), text
            assert not re.search(r"\{(exercise|solution)-", text), text


def test_the_digits_beside_the_notebooks_are_the_first_of_mnist(staged, monkeypatch, capsys):
    monkeypatch.chdir(staged)
    monkeypatch.setenv("MNIST_DIGITS", "small")
    digits = dataset.load_digits()
    assert digits.source == "the first 10,000 and 2,000 digits of MNIST"
    assert "figures will differ" in capsys.readouterr().out
    assert digits.train_images.tobytes() == MNIST.train_images[:10_000].tobytes()
    assert digits.train_labels.tobytes() == MNIST.train_labels[:10_000].tobytes()
    assert digits.test_images.tobytes() == MNIST.test_images[:2_000].tobytes()
    assert digits.test_labels.tobytes() == MNIST.test_labels[:2_000].tobytes()


def test_without_mnist_the_browser_is_told_to_take_the_practice_digits(tmp_path, monkeypatch):
    def nothing(download):
        raise FileNotFoundError("found no train-images-idx3-ubyte")

    monkeypatch.setattr(dataset, "load_mnist", nothing)
    assert stage(tmp_path / "staged") == "practice"
    assert not (tmp_path / "staged" / dataset.SMALL_MNIST).exists()


def markdown(*texts):
    return [{"cell_type": "markdown", "metadata": {}, "source": text} for text in texts]


def test_figures_sources_and_links_are_written_out():
    output = {
        "data": {"application/papermill.record/text/plain": "'92.6 %'"},
        "metadata": {"scrapbook": {"name": "right"}},
    }
    hidden = {"tags": ["remove-cell"]}
    notebook = {
        "cells": [
            *markdown(
                "{glue:text}`right` by {cite:t}`he`, {cite:p}`he,hu`; {doc}`two <02-two>`, {doc}`x`"
            ),
            {"cell_type": "code", "metadata": hidden, "source": "glue()", "outputs": [output]},
        ]
    }
    sources = {"he": ("He et al.", "2015"), "hu": ("Hu", "")}
    text, glue = readable(notebook, sources, {"02-two"})["cells"]
    assert text["source"] == (
        "92.6 % by He et al. (2015), (He et al., 2015; Hu); [two](02-two.ipynb), x\n"
    )
    assert glue["metadata"]["jupyter"] == {"source_hidden": True}


def test_a_solution_is_folded_up_and_nothing_that_comes_after_it():
    solution = "````{solution-start} write-it\n:class: dropdown\n````\nSo it is."
    end = "````{solution-end}\n````"
    for after, folded in [("# Next", True), ("And this is for all.", False)]:
        notebook = {"cells": markdown(solution, end, after)}
        first, last = readable(notebook, {}, set())["cells"]
        assert first["source"] == "#### Solution\n\nSo it is.\n"
        assert first["metadata"].get("jp-MarkdownHeadingCollapsed", False) is folded
        assert last["source"].strip() == after


@pytest.mark.parametrize("digits", ["small", "practice"])
def test_the_kernel_is_told_which_digits_and_asks_no_index_of_packages(digits):
    found = settings(digits)["jupyter-config-data"]
    kernel = found["litePluginSettings"]["@jupyterlite/pyodide-kernel-extension:kernel"]
    assert kernel["disablePyPIFallback"] is True
    assert kernel["loadPyodideOptions"]["env"] == {"MNIST_DIGITS": digits}
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert found["contentsStorageName"].endswith(version)


# --- the buttons ----------------------------------------------------------------------------------

PAGE = '<h1>For print</h1><h1>One<a class="headerlink" href="#one" title="x">#</a></h1><p>Text</p>'


@pytest.fixture
def html(tmp_path):
    (tmp_path / "book").mkdir()
    for notebook in notebooks():
        (tmp_path / "book" / f"{notebook.stem}.html").write_text(PAGE, "utf-8")
    return tmp_path


def test_a_button_stands_below_the_heading_and_leads_to_the_notebook(html):
    assert add_buttons(html, None) == len(notebooks())
    for notebook in notebooks():
        page = (html / "book" / f"{notebook.stem}.html").read_text("utf-8")
        assert page.index("#</a></h1>") < page.index("Open in the browser") < page.index("<p>Text")
        assert f'href="../lite/notebooks/index.html?path={notebook.name}"' in page
        assert "Colab" not in page and "Binder" not in page


def test_a_second_build_changes_nothing(html):
    pages = list((html / "book").iterdir())
    add_buttons(html, None)
    once = [page.read_text("utf-8") for page in pages]
    add_buttons(html, None)
    assert [page.read_text("utf-8") for page in pages] == once


def test_colab_and_binder_where_the_repository_is_known(html):
    add_buttons(html, "someone/digits")
    page = (html / "book" / "03-softmax.html").read_text("utf-8")
    assert "colab.research.google.com/github/someone/digits/blob/main/book/03-softmax.ipynb" in page
    assert "%pip install git+https://github.com/someone/digits" in page
    assert "mybinder.org/v2/gh/someone/digits/main?urlpath=lab/tree/book/03-softmax.ipynb" in page


def test_a_page_without_a_heading_is_an_error(html):
    (html / "book" / "03-softmax.html").write_text("<p>moved</p>", "utf-8")
    with pytest.raises(ValueError, match=r"03-softmax\.html: found no heading"):
        add_buttons(html, None)


@pytest.mark.skipif(
    not (ROOT / "_build" / "html" / "lite").is_dir(), reason="make lite has not run"
)
def test_every_button_of_the_built_book_has_its_target():
    for notebook in notebooks():
        page = ROOT / "_build" / "html" / "book" / f"{notebook.stem}.html"
        target, name = re.search(r'href="([^"?]*)\?path=([^"]*)"', page.read_text("utf-8")).groups()
        assert (page.parent / target).is_file()
        assert (page.parent / target).parents[1].joinpath("files", name).is_file()


def test_binder_installs_what_a_reader_installs():
    assert (ROOT / ".binder" / "requirements.txt").read_text("utf-8").split() == [
        "-r",
        "../requirements.txt",
    ]
