"""The laboratory's Python side, without a browser."""

import json
import re

import numpy as np
import pytest
from lab_scripts import COMPUTING, PAGE
from pad_page import serve

from mnist_book.dataset import load_practice_digits
from mnist_book.lab.lab import SCRIPTS, Laboratory
from mnist_core import Network

pytest.importorskip("anywidget")


@pytest.fixture(scope="module")
def digits():
    digits = load_practice_digits()
    few = digits.train_images[:20], digits.train_labels[:20]
    return type(digits)(*few, digits.test_images[:10], digits.test_labels[:10], "a few")


def test_it_hands_over_settings_and_digits(digits):
    lab = Laboratory(bugs=["softmax.axis"], hidden=[16], seed=3, batch=10, digits=digits)
    assert lab._settings == {
        "bugs": ["softmax.axis"],
        "hidden": [16],
        "seed": 3,
        "batch": 10,
        "rate": 0.1,
        "momentum": 0.0,
    }
    assert (lab._digits["train"], len(lab._digits["labels"])) == (20, 30)
    assert lab._digits["source"] == "a few: 20 for training, 10 for testing"


@pytest.mark.parametrize("sizes", [(784, 12, 10), (784, 12, 16, 10)])
def test_it_starts_from_a_network_or_from_its_arrays(sizes, digits):
    network = Network(sizes, slope=0.2, rng=np.random.default_rng(0))
    for start in (network, list(network.parameters)):
        settings = Laboratory(start, digits=digits)._settings
        assert settings["hidden"] == list(sizes[1:-1])
        assert settings.get("slope") == (0.2 if start is network else None)
        for name, arrays in (("weights", network.weights), ("biases", network.biases)):
            for found, array in zip(settings["initial"][name], arrays, strict=True):
                assert found == array.ravel().tolist()


W1, B1, W2, B2 = np.zeros((784, 12)), np.zeros(12), np.zeros((12, 10)), np.zeros(10)


@pytest.mark.parametrize(
    "start",
    [
        [],
        [W1, B1],
        [W1.T, B1, W2.T, B2],
        [W1, B1, W2, B2[:, np.newaxis]],
        [W1, B1, W2[:, :9], B2[:9]],
        [W1, B1 * np.nan, W2, B2],
        [W1, list("abcdefghijkl"), W2, B2],
        [np.zeros((784, 400)), np.zeros(400), np.zeros((400, 10)), B2],
    ],
)
def test_other_parameters_are_refused(start, digits):
    with pytest.raises(ValueError, match="start: found"):
        Laboratory(start, digits=digits)


def test_an_unknown_bug_is_refused(digits):
    with pytest.raises(
        ValueError, match=r"found 'softmax.axes', expected some of .* softmax.axis,"
    ):
        Laboratory(bugs=["softmax.axes"], digits=digits)


def test_page_and_notebook_load_the_same_scripts():
    source = (PAGE / "lab-start.js").read_text("utf-8")
    listed = re.findall(r'"([a-z-]+\.js)"', source[: source.index("];")])
    assert (*listed, "lab-notebook.js") == SCRIPTS
    assert SCRIPTS[: len(COMPUTING)] == COMPUTING
    assert {path.name for path in PAGE.glob("*.js")} == {*SCRIPTS, "lab-start.js"}


MODULE = """<!doctype html><meta charset="utf-8"><title>A notebook</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="widget.css">
<div id="output"></div>
<script type="module">
  import widget from "./widget.js";
  const state = %s;
  globalThis.end = widget.render({
    model: { get: (name) => state[name] }, el: document.getElementById("output"),
  });
</script>"""


def test_it_trains_in_a_notebook_from_the_readers_weights(digits, chromium, tmp_path):
    """What anywidget does: import the module, hand over the traits, show, take away."""
    network = Network((784, 12, 10), rng=np.random.default_rng(0))
    lab = Laboratory(network, batch=10, digits=digits)
    state = {name: getattr(lab, name) for name in ("_settings", "_digits", "_form")}
    (tmp_path / "widget.js").write_text(Laboratory._esm, "utf-8")
    (tmp_path / "widget.css").write_text(Laboratory._css, "utf-8")
    (tmp_path / "index.html").write_text(MODULE % json.dumps(state), "utf-8")
    trouble = []
    with serve(tmp_path, "http") as address:
        page = chromium.new_page()
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.goto(f"{address}/index.html")
        page.get_by_role("button", name="Run", exact=True).click()
        page.wait_for_function("/^[1-9]/.test(document.querySelector('.lab-counter').innerText)")
        assert "a few: 20 for training, 10 for testing" in page.locator(".lab-source").inner_text()
        page.evaluate("globalThis.end()")
        page.close()
    assert not trouble
