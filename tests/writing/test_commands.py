"""The commands for a reader's own file, as one types them."""

import csv
import http.client
import importlib.util
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from common.readers import SOLVED, TEMPLATES, planted
from pad_page import draw_with_mouse

import mnist_core
from mnist_book.__main__ import main
from mnist_book.writing import grading, limits, serving, watching
from mnist_book.writing.checking import Outcome
from mnist_book.writing.looking import failed
from mnist_book.writing.source import execute, read
from mnist_book.writing.terminal import Terminal
from mnist_book.writing.training import Readers
from mnist_book.writing.troubles import trouble

ROOT = Path(mnist_core.__file__).parent
_spec = importlib.util.spec_from_file_location("transcript", ROOT / "tools" / "transcript.py")
transcript = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(transcript)
BUG = planted("softmax", "e.sum(axis=1, keepdims=True)", "e.sum()")


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Write a file, and be in its folder."""
    monkeypatch.chdir(tmp_path)

    def write(text, name="my_network.py"):
        (tmp_path / name).write_text(text, "utf-8")
        return name

    return write


# --- start ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("options", "template"), [([], "rows"), (["--columns"], "columns")])
def test_start_writes_a_file_and_never_overwrites_one(tmp_path, capsys, options, template):
    path = tmp_path / "my_network.py"
    assert main(["start", str(path), *options]) == 0
    text = path.read_text("utf-8")
    expected = (TEMPLATES / f"{template}.txt").read_text("utf-8")
    assert text == expected.replace("FILE", "my_network.py", 1)
    path.write_text("mine", "utf-8")
    assert main(["start", str(path)]) == 1
    assert path.read_text("utf-8") == "mine"
    assert "nothing was written" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["my_network", "numpy.py", "random.py", "none/here.py"])
def test_start_refuses_names_that_will_not_do(tmp_path, name):
    assert main(["start", str(tmp_path / name)]) == 1
    assert list(tmp_path.iterdir()) == []


# --- check ---------------------------------------------------------------------------------------


def test_check_names_the_bug_in_text_and_in_json(file, capsys):
    name = file(BUG)
    assert main(["check", name]) == 1
    text = capsys.readouterr().out
    assert text.startswith("my_network.py: 4 of 13 pieces right\n")
    assert "softmax: not yet  my_network.py:88" in text
    assert "[softmax.global_sum] chapter 3, book/03-softmax.ipynb" in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 100
    assert main(["check", name, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["right"], found["codes"]) == (False, 4, ["softmax.global_sum"])
    assert [result["piece"] for result in found["results"]][-1] == "softmax"
    assert main(["check", name, "--json", "--watch"]) == 1


def test_check_trains_when_all_is_right(file, capsys):
    assert main(["check", file(SOLVED["functions"]), "--data=practice"]) == 0
    text = capsys.readouterr().out
    yours, cores = (line.split() for line in text.splitlines() if line.endswith("%"))
    assert yours[1:] == cores[2:]  # the same numbers in the same order: the same network
    assert "pad my_network.py" in text


def test_examine_looks_at_a_network_from_anywhere(file, capsys):
    name = file(
        "import numpy as np\n"
        "class Net:\n"
        "    def predict_proba(self, x):\n"
        "        e = np.exp(x[:, :10])\n"
        "        return e / e.sum(axis=0)\n",
        "other.py",
    )
    assert main(["examine", f"{name}:Net", "--data=practice"]) == 1
    assert "[softmax.axis]" in capsys.readouterr().out
    assert main(["examine", f"{name}:Nothing", "--data=practice", "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)["findings"]
    assert found["code"] == "network.missing"


def heeds_ctrl_c():
    """Take Ctrl-C as at a terminal, also where these tests run in the background of a shell."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(os.name != "posix", reason="sends Ctrl-C as POSIX does")
def test_watch_looks_again_at_each_save_until_ctrl_c(tmp_path):
    path = tmp_path / "my_network.py"
    path.write_text((TEMPLATES / "rows.txt").read_text("utf-8"), "utf-8")
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "mnist_book", "check", str(path), "--watch"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        preexec_fn=heeds_ctrl_c,
    )
    try:
        assert _until(process, "Waiting for")[0].endswith("0 of 13 pieces right\n")
        path.write_text(BUG, "utf-8")
        assert any("softmax.global_sum" in line for line in _until(process, "Waiting for"))
        path.write_text("while True: pass\n", "utf-8")
        time.sleep(1)  # it may be at it by now
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    finally:
        process.kill()
        process.stdout.close()


@pytest.mark.skipif(os.name != "posix", reason="sends Ctrl-C as POSIX does")
def test_ctrl_c_ends_a_class_with_all_that_runs(tmp_path):
    for name in "abcd":
        (tmp_path / f"{name}.py").write_text(
            f"open('{tmp_path}/{name}', 'w')\nwhile True: pass", "utf-8"
        )
    process = subprocess.Popen(
        [sys.executable, "-m", "mnist_book", "grade", str(tmp_path), "--jobs", "1"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
        preexec_fn=heeds_ctrl_c,
    )
    try:
        while not (tmp_path / "a").exists():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert not (tmp_path / "b").exists()
    finally:
        process.kill()


def _until(process, text):
    lines = []
    while text not in (line := process.stdout.readline()):
        assert line, lines
        lines.append(line)
    return [line for line in lines if line.strip()]


def test_a_save_is_noticed(tmp_path):
    path = tmp_path / "file.py"
    path.write_text("1", "utf-8")
    waits = []

    def wait(seconds):
        waits.append(seconds)
        if len(waits) == 3:
            path.write_text("12", "utf-8")

    changes = watching.changes(path, wait)
    changed = next(changes)
    assert not changed()
    next(changes)
    assert len(waits) == 3
    assert changed()
    path.unlink()  # as some editors do before they put a new one there
    assert not changed()


# --- what is shown -------------------------------------------------------------------------------


class Screen(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


class Old(io.StringIO):
    encoding = "ascii"


def test_a_terminal_gets_colours_unless_it_wants_none(monkeypatch, tmp_path):
    monkeypatch.delenv("NO_COLOR", raising=False)
    outcome = Outcome(Path("f.py"), [failed("softmax", 3, 7, trouble("piece.process"))])
    screen = Screen()
    Terminal(screen).show(outcome)
    assert "\x1b[31m✗ softmax\x1b[0m" in screen.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    screen = Screen()
    Terminal(screen).show(outcome)
    assert "\x1b[3" not in screen.getvalue()
    old = Old()
    Terminal(old).show(outcome)
    assert "x softmax" in old.getvalue()
    assert old.getvalue().isascii()


def test_the_transcript_in_the_readme_is_what_the_commands_say():
    readme = (ROOT / "README.md").read_text("utf-8")
    shown = readme.partition(transcript.BEGIN)[2].partition(transcript.END)[0]
    again = transcript.transcript(training=False).replace(" --no-training", "")
    assert shown.partition(transcript.TRAINED)[0].strip() == again.removesuffix("```").strip()


# --- pad -----------------------------------------------------------------------------------------


@pytest.fixture
def allowed(monkeypatch):
    """Note what work is allowed: the limit itself would end the process of the tests."""
    calls = []
    monkeypatch.setattr(limits, "allow_work", lambda *seconds: calls.append(seconds))
    return calls


@pytest.fixture
def address(tmp_path, allowed):
    path = tmp_path / "file.py"
    path.write_text(SOLVED["functions"], "utf-8")
    network = Readers(execute(read(path))[0])
    said = []
    ready = threading.Event()

    def say(kind, address):
        said.append(address)
        ready.set()

    threading.Thread(target=serving.serve, args=(network, 0, say), daemon=True).start()
    assert ready.wait(10)
    return said[0].removeprefix("http://").strip("/")


def ask(address, method="GET", path="/", body=None, **headers):
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, content


def test_the_page_of_the_pad_answers_itself_and_nobody_else(address, allowed):
    assert ask(address)[0] == 200
    status, script = ask(address, path="/pad.js")
    assert status == 200
    assert b"DigitPad.mount(element" in script
    assert ask(address, path="/pad.css")[0] == 200
    assert ask(address, path="/../secret")[0] == 404
    assert ask(address, Host="evil.example")[0] == 403
    strokes = json.dumps({"strokes": [[[140, 40], [140, 240]]]})
    status, content = ask(address, "POST", "/answer", strokes)
    answer = json.loads(content)
    assert status == 200
    assert allowed == [()]  # of each answer anew
    assert abs(sum(answer["probabilities"]) - 1) < 1e-6
    assert answer["digit"] in range(10)
    assert ask(address, "POST", "/answer", strokes, Origin="http://evil.example")[0] == 403
    assert "error" in json.loads(ask(address, "POST", "/answer", '{"strokes": 3}')[1])
    assert "error" in json.loads(ask(address, "POST", "/answer", "[")[1])
    assert ask(address, "POST", "/other", strokes)[0] == 400


def test_one_draws_and_the_network_answers_in_a_browser(chromium, address):
    page = chromium.new_page()
    failures = []
    page.on("console", lambda message: failures.append(message.text))
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto(f"http://{address}/")
    assert "your network, on this machine" in page.locator(".digit-pad-source").inner_text()
    draw_with_mouse(page, [[(0.5, 0.15), (0.5, 0.5), (0.5, 0.85)]])
    # A locator, since the page forbids to evaluate texts, as a condition asked twice would be.
    page.locator(".digit-pad-digit:not(:empty)").wait_for()
    assert re.fullmatch(r"\d|Perhaps an? \d", page.locator(".digit-pad-digit").inner_text())
    assert page.locator(".digit-pad-problem").inner_text() == ""
    assert failures == []
    page.close()


# --- grade ---------------------------------------------------------------------------------------


def test_grade_has_a_row_for_each_file_and_a_page(file, capsys, tmp_path):
    folder = tmp_path / "class"
    (folder / "ann").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    (folder / "ann" / "net.py").write_text(SOLVED["functions"], "utf-8")
    (folder / "=bob<b>.py").write_text(BUG, "utf-8")
    (folder / "cy.py").write_text("x = (", "utf-8")
    (folder / ".hidden" / "no.py").write_text("", "utf-8")
    assert main(["grade", str(folder), "--csv", "--page", "class.html", "--jobs", "2"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["file"], row["right"], row["codes"]) for row in rows] == [
        ("'=bob<b>.py", "8", "softmax.global_sum"),
        (str(Path("ann", "net.py")), "13", ""),
        ("cy.py", "0", "file.syntax"),
    ]
    assert rows[0]["first"] == "softmax"
    page = Path("class.html").read_text("utf-8")
    assert "=bob&lt;b&gt;.py" in page
    assert "<b>" not in page
    assert "3 files; 1 have all 13 pieces right" in page
    assert 'style="width:33.3%"' in page
    assert main(["grade", str(folder / ".hidden"), "--csv"]) == 0
    assert main(["grade", str(tmp_path / "empty"), "--csv"]) == 1


def test_a_file_that_fails_the_check_itself_is_a_row(monkeypatch, tmp_path):
    def fail(*_, **__):
        raise KeyError("found")

    monkeypatch.setattr(grading, "check", fail)
    (row,) = grading.grade([tmp_path / "a.py"], tmp_path)
    assert row.codes == ("grade.failed",)
    assert "KeyError" in row.message
