"""The pieces: right ones pass in every style, bugs are named, and no piece is blamed for another.

What is looked at here does no harm, and is looked at in this process; test_processes.py has what
does.
"""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from common.readers import COLUMNS, FUNCTIONS, PLANTED, SOLVED, TEMPLATES, filled, planted

from mnist_book.dataset import load_practice_digits
from mnist_book.writing.epoch import train_epoch
from mnist_book.writing.examining import of_pieces
from mnist_book.writing.looking import Look
from mnist_book.writing.pieces import NAMES, PIECES
from mnist_book.writing.reference import right_functions
from mnist_book.writing.source import execute, read
from mnist_book.writing.training import Readers, beside_the_core
from mnist_core import cross_entropy, gradient_check

BOOK = Path(__file__).parents[2] / "book"


class NoGuard:
    """In the place of the guard against processes, which could not be taken off again."""

    asked = ()

    def forget(self):
        pass


@pytest.fixture
def look(tmp_path):
    """Look at a file's text; return the results by piece."""

    def results(text, only=NAMES, wrong=None):
        path = tmp_path / "file.py"
        path.write_text(text, "utf-8")
        source = read(path)
        module, _ = execute(source)
        done = [name for name in NAMES if name not in only]
        looked = Look(module, source, NoGuard(), dict(wrong or {}))
        found = looked.results(done=done, everything=True, begin=lambda *_: None)
        return {result["piece"]: result for result in found}

    return results


@pytest.fixture
def module(tmp_path):
    def run(text):
        (tmp_path / "file.py").write_text(text, "utf-8")
        return execute(read(tmp_path / "file.py"))[0]

    return run


def codes(result):
    return [found["code"] for found in result["findings"]]


# --- the file ------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", SOLVED)
def test_a_solved_file_is_right_in_every_style(look, style):
    results = look(SOLVED[style])
    assert {name: codes(result) for name, result in results.items()} == {n: [] for n in NAMES}
    assert all(result["state"] == "right" for result in results.values())


@pytest.mark.parametrize("template", ["rows", "columns"])
def test_a_template_has_a_blank_for_each_piece_in_order(look, template):
    text = (TEMPLATES / f"{template}.txt").read_text("utf-8")
    assert tuple(re.findall(r"^def (\w+)", text, re.MULTILINE)) == NAMES
    assert {result["state"] for result in look(text).values()} == {"blank"}
    for piece in PIECES:  # each under the heading of its chapter
        before = text[: text.index(f"def {piece.name}(")]
        assert re.findall(r"# Chapter (\d)", before)[-1] == str(piece.chapter)
    links = re.findall(r"book/[\w-]+\.ipynb", text)
    assert len(links) == 7
    assert all((BOOK.parent / link).is_file() for link in links)


def test_each_chapter_says_which_blanks_it_fills():
    for chapter in range(1, 8):
        (path,) = BOOK.glob(f"{chapter:02}-*.ipynb")
        cells = json.loads(path.read_text("utf-8"))["cells"]
        texts = ["".join(cell["source"]) for cell in cells]
        (place,) = [k for k, text in enumerate(texts) if text.startswith("## Into your file")]
        assert texts[place + 1].startswith("## Exercises")
        assert "python -m mnist_book check my_network.py" in texts[place]
        filling = re.search(r"fills .*?(?=\. )", texts[place], re.DOTALL)[0]
        named = [name for name in re.findall(r"`(\w+)`", filling) if name in NAMES]
        assert named == [piece.name for piece in PIECES if piece.chapter == chapter]


# --- bugs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "piece", "old", "new"), PLANTED)
def test_a_planted_bug_is_named_and_no_other_piece_blamed(look, code, piece, old, new):
    first = next(bug for bug in PLANTED if bug[1] == piece) == (code, piece, old, new)
    looked = NAMES[NAMES.index(piece) :] if first else [piece]
    results = look(planted(piece, old, new), only=looked)
    assert codes(results.pop(piece))[0] == code
    assert {result["state"] for result in results.values()} <= {"right", "waits"}


@pytest.mark.parametrize(
    ("code", "piece", "old", "new"),
    [
        ("softmax.axis", "softmax", "e.sum(axis=0)", "e.sum(axis=1, keepdims=True)"),
        (
            "network.linear",
            "predict_proba",
            "leaky_relu(linear(x, w1, b1), SLOPE)",
            "linear(x, w1, b1)",
        ),
        ("gradients.bias", "gradients", "d_z.sum(", "d_z.mean("),
        (
            "train.not_shuffled",
            "train_epoch",
            "rng.permutation(len(labels))",
            "np.arange(len(labels))",
        ),
        (
            "data.labels_shuffled",
            "train_epoch",
            "labels[columns]",
            "rng.permutation(labels)[columns]",
        ),
    ],
)
def test_a_bug_is_named_with_pictures_in_columns(look, code, piece, old, new):
    text = filled(COLUMNS | {piece: COLUMNS[piece].replace(old, new)}, "columns")
    assert codes(look(text, only=[piece])[piece])[0] == code


def test_a_file_in_columns_that_does_not_say_so_is_told(look):
    text = SOLVED["columns"].replace("COLUMNS = True", "COLUMNS = False")
    results = look(text, only=["linear", "softmax", "gradients"])
    assert all("layout.columns" in codes(result) for result in results.values())


def test_a_piece_that_calls_a_wrong_one_waits_and_its_own_bug_is_found(look):
    text = planted("softmax", "e.sum(axis=1, keepdims=True)", "e.sum()")
    waiting = look(text)["gradients"]
    assert (waiting["state"], codes(waiting)) == ("waits", ["piece.waits"])
    assert "softmax" in waiting["findings"][0]["message"]
    both = planted("gradients", "d_z1.sum(axis=0)", "d_z1.mean(axis=0)", text)
    assert codes(look(both)["gradients"]) == ["gradients.bias"]


def test_a_piece_waits_for_a_blank(look):
    bodies = {name: body for name, body in FUNCTIONS.items() if name not in ("linear", "softmax")}
    result = look(filled(bodies))["predict_proba"]
    assert (result["state"], codes(result)) == ("waits", ["piece.waits_for_some"])
    assert "linear and softmax" in result["findings"][0]["message"]


def test_what_hangs_is_not_called_again(look):
    text = planted("softmax", "e = np", "raise KeyboardInterrupt\n    e = np")
    result = look(text, only=["gradients"], wrong={"softmax": ["piece.ended"]})["gradients"]
    assert codes(result) == ["piece.waits"]


def test_the_line_of_an_error_is_told(look):
    text = planted("softmax", "logits.max", "logit.max")
    number = next(k for k, line in enumerate(text.split("\n"), 1) if "logit.max" in line)
    evidence = look(text, only=["softmax"])["softmax"]["findings"][0]["evidence"]
    assert f"line:     {number}: e = np.exp(logits - logit.max" in evidence


def test_another_slope_in_the_network_is_told(look):
    text = planted("predict_proba", "SLOPE", "0.3")
    assert codes(look(text, only=["predict_proba"])["predict_proba"]) == ["piece.other_network"]


def test_a_missing_name_is_told(look):
    text = SOLVED["functions"].replace("def softmax(", "def soft_max(")
    assert codes(look(text, only=["softmax"])["softmax"]) == ["piece.missing"]


@pytest.mark.parametrize("columns", [False, True])
def test_the_right_functions_are_right(columns):
    functions = right_functions(columns)
    for piece in PIECES:
        if piece.name in functions:
            assert piece.look(functions[piece.name], columns=columns).ok, piece.name


# --- an epoch ------------------------------------------------------------------------------------


def right_epoch(parameters, x, labels, rng, batch_size, learning_rate, order=None, rows_of=None):
    step = right_functions(False)["train_step"]
    order = rng.permutation(len(labels)) if order is None else order
    for start in range(0, len(labels), batch_size):
        rows = order[start : start + batch_size]
        step(parameters, x[rows], (labels if rows_of is None else rows_of)[rows], learning_rate)


def shuffled_in_place(parameters, x, labels, rng, batch_size, learning_rate):
    rng.shuffle(labels)
    right_epoch(parameters, x, labels, rng, batch_size, learning_rate)


def swapped_as_views(parameters, x, labels, rng, batch_size, learning_rate):
    x, labels = x.copy(), labels.copy()
    for i in range(len(x)):
        j = rng.integers(len(x))
        x[i], x[j] = x[j], x[i]
        labels[i], labels[j] = labels[j], labels[i]
    right_epoch(parameters, x, labels, rng, batch_size, learning_rate)


def twice(*arguments):
    right_epoch(*arguments)
    right_epoch(*arguments)


def nothing(*arguments):
    pass


def copies(parameters, *arguments):
    right_epoch([p.copy() for p in parameters], *arguments)


def uphill(parameters, x, labels, rng, batch_size, learning_rate):
    right_epoch(parameters, x, labels, rng, batch_size, -learning_rate)


def with_noise(parameters, x, labels, rng, batch_size, learning_rate):
    for p in parameters:
        p += learning_rate * rng.normal(size=p.shape)
    right_epoch(parameters, x, labels, rng, batch_size, learning_rate)


def a_list(*arguments):
    right_epoch(*arguments)
    return list(arguments[0])


def with_losses(*arguments):
    right_epoch(*arguments)
    return arguments[0], [2.3, 1.9]


@pytest.mark.parametrize(
    ("function", "code"),
    [
        (right_epoch, None),
        (a_list, None),
        (with_losses, None),
        (shuffled_in_place, "data.labels_shuffled"),
        (swapped_as_views, "train.lost_pictures"),
        (twice, "train.epoch_length"),
        (with_noise, "train.direction"),
        (nothing, "train.no_update"),
        (copies, "train.no_update"),
        (uphill, "train.ascent"),
    ],
)
def test_an_epoch_is_judged_by_what_each_picture_has_moved(function, code):
    found = [finding.code for finding in train_epoch(function).findings]
    assert found[:1] == ([code] if code else [])


# --- a network -----------------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["functions", "columns"])
def test_a_network_of_the_pieces_is_trained_beside_the_core(module, style):
    said = []
    network = Readers(module(SOLVED[style]))
    digits = load_practice_digits()
    trained = beside_the_core(network, digits, lambda kind, **content: said.append(content))
    assert [content["epoch"] for content in said] == [0, 1, 2, 3]
    assert trained["pictures"] == len(digits.train_labels)
    assert trained["core"]["accuracy"] > 0.75
    assert abs(trained["accuracy"] - trained["core"]["accuracy"]) < 0.05
    if style == "functions":  # the same numbers in the same order: the same network
        assert trained["per_digit"] == trained["core"]["per_digit"]


@pytest.mark.parametrize("style", ["functions", "columns"])
def test_the_gradients_of_the_pieces_belong_to_their_loss(module, style):
    theirs = module(SOLVED[style])
    network = of_pieces(Readers(theirs), theirs.gradients)
    rng = np.random.default_rng(0)
    x, labels = rng.random((5, 784)), rng.integers(0, 10, 5)
    loss, gradients = network.loss_and_gradients(x, labels)
    logits = np.log(network.predict_proba(x))
    assert np.isclose(loss, cross_entropy(logits, labels))
    errors = gradient_check(
        lambda: network.loss_and_gradients(x, labels)[0],
        network.parameters,
        gradients,
        rng=rng,
        entries=40,
    )
    assert max(errors) < 1e-5
    before = network.loss_and_gradients(x, labels)[0]
    network.step(x, labels)
    assert network.loss_and_gradients(x, labels)[0] < before
