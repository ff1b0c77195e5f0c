"""Chapters 1 to 8 build the core: none uses what no chapter up to it has built."""

import ast
import inspect

import pytest
from chapters import BUILDING, cells

import mnist_core

CHAPTER_OF = {
    name: chapter
    for chapter, names in {
        1: "IDX_TYPES IMAGES_MAGIC LABELS_MAGIC IDXError read_idx write_idx idx_header replacing "
        "scale_pixels accuracy",
        2: "linear",
        3: "softmax log_softmax cross_entropy cross_entropy_gradient",
        4: "leaky_relu leaky_relu_gradient",
        5: "he_normal xavier_normal",
        6: "linear_gradient Network gradient_check",
        7: "MAX_HEADER MAX_PARAMETERS Buffers Epoch train predict_images Network.save Network.load",
        8: "confusion_matrix accuracy_per_digit",
    }.items()
    for name in names.split()
}
# What a chapter borrows from a later one, and why; the chapter says so in a sentence.
LOANS: dict[tuple[int, str], str] = {
    (5, "Network"): "first weights are tried in networks of many layers, which chapter 6 builds",
    (5, "train"): "the same experiment trains those networks",
}


def names_of_the_core(source):
    """Tell which names of mnist_core a program uses, however it imports them."""
    tree = ast.parse(source)
    modules, classes, used = set(), {}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {a.asname or a.name for a in node.names if a.name == "mnist_core"}
        elif isinstance(node, ast.ImportFrom) and node.module == "mnist_core":
            used |= {alias.name for alias in node.names}
            classes |= {alias.asname or alias.name: alias.name for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            of = node.value
            if isinstance(of, ast.Name) and of.id in modules:
                used.add(node.attr)
            elif isinstance(of, ast.Attribute) and getattr(of.value, "id", None) in modules:
                used.add(f"{of.attr}.{node.attr}")
            elif isinstance(of, ast.Name) and of.id in classes:
                used.add(f"{classes[of.id]}.{node.attr}")
    return {name for name in used if "." not in name or name in CHAPTER_OF}


def program(number):
    """Join a chapter's code; lines for IPython alone are left out."""
    lines = "\n".join(cell.source for cell in cells(number, "code")).split("\n")
    return "\n".join(line for line in lines if not line.startswith(("%", "!")))


def too_early(number, source):
    """Tell which names of later chapters a chapter's program uses."""
    used = names_of_the_core(source)
    return {name for name in used if CHAPTER_OF.get(name, 99) > number}


def short_cuts(source):
    """Tell what a program uses that readers of chapters 1 to 8 haven't met: mocks, out=."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [getattr(node, "module", "") or "", *(alias.name for alias in node.names)]
            found |= {"mock" for name in names if "mock" in name}
        elif isinstance(node, ast.keyword | ast.arg) and node.arg == "out":
            found.add("out=")
    return found


def test_the_table_names_what_the_core_has():
    public = {
        name
        for name, value in vars(mnist_core).items()
        if not name.startswith("_")
        and not inspect.ismodule(value)
        and (name.isupper() or getattr(value, "__module__", "") == "mnist_core")
    }
    assert {name for name in CHAPTER_OF if "." not in name} == public


def test_names_are_found_however_they_are_imported():
    assert names_of_the_core(
        "import mnist_core\nimport mnist_core as core\nfrom mnist_core import train as t, Network\n"
        "mnist_core.softmax(core.linear)\nnetwork = Network.load('x')\ncore.Network.save\n"
        "import numpy as np\nnp.load\nNetwork.parameters"
    ) == {"train", "Network", "softmax", "linear", "Network.load", "Network.save"}
    assert too_early(3, "import mnist_core\nmnist_core.train(mnist_core.softmax)") == {"train"}
    assert too_early(6, "from mnist_core import unknown") == {"unknown"}


def test_short_cuts_are_found():
    assert short_cuts("from unittest import mock") == {"mock"}
    assert short_cuts("import unittest.mock as m") == {"mock"}
    assert short_cuts("np.exp(z, out=z)") == {"out="}
    assert short_cuts("def f(z, *, out=None): pass") == {"out="}
    assert short_cuts("out = 3; mocked = out") == set()


@pytest.mark.parametrize("number", BUILDING)
def test_uses_what_is_built_or_borrows_it_openly(number):
    borrowed = {name for chapter, name in LOANS if chapter == number}
    assert too_early(number, program(number)) == borrowed


def test_every_loan_has_a_reason():
    assert all(len(reason) > 10 for reason in LOANS.values())
    assert {chapter for chapter, _ in LOANS} <= set(BUILDING)


@pytest.mark.parametrize("number", BUILDING)
def test_uses_no_mock_and_no_out(number):
    assert not short_cuts(program(number))
