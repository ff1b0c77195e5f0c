"""Files that hang, crash, end Python, start processes or are no Python: each gets an answer."""

import errno
import os
import signal
import stat
import subprocess
import sys
import time

import numpy as np
import pytest
from common.readers import SOLVED, damaged, planted

from mnist_book.writing import limits, runner, source
from mnist_book.writing.checking import check
from mnist_book.writing.looking import FILE
from mnist_book.writing.pieces import NAMES
from mnist_book.writing.source import execute, read
from mnist_book.writing.troubles import Trouble

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs the limits of POSIX")
DAMAGED, RUN = 120, 2  # files that are damaged; those of them that run in a process


def code_of(result):
    return result["findings"][0]["code"] if result["findings"] else ""


# --- a process ---------------------------------------------------------------------------------


@POSIX
def test_pieces_that_end_or_crash_python_are_told_and_the_others_checked(tmp_path):
    text = SOLVED["functions"]
    for piece, line in {
        "read_idx": "import os; os._exit(0)",
        "nearest_mean": "import ctypes; ctypes.string_at(0)",
        "linear": "import os; os.fork()",
        "accuracy": "import os\n    for _ in range(300): os.write(1, b'x' * 10_000)",
        "softmax": "bytearray(10**11)",
        "cross_entropy": "sum(range(10**12))",
        "leaky_relu_gradient": "import sys; sys.exit()",
        "he_normal": "import signal; signal.raise_signal(9)",
    }.items():
        text = planted(piece, "    ", f"    {line}\n    ", text)
    path = tmp_path / "file.py"
    path.write_text(text, "utf-8")
    outcome = check(path, everything=True, folder=tmp_path, work=1)
    results = {result["piece"]: result for result in outcome.results}
    assert {name: code_of(result) for name, result in results.items()} == {
        "read_idx": "piece.ended",
        "nearest_mean": "piece.crashed",
        "linear": "piece.process",
        "accuracy": "",
        "softmax": "function.raises",
        "cross_entropy": "piece.stuck",
        "leaky_relu": "",
        "leaky_relu_gradient": "function.raises",
        "predict_proba": "piece.waits_for_some",
        "he_normal": "piece.crashed",
        "gradients": "piece.waits_for_some",
        "train_step": "piece.waits_for_some",
        "train_epoch": "piece.waits_for_some",
    }
    assert results["he_normal"]["line"] == 1 + text[: text.index("def he_normal")].count("\n")
    assert "memory" in results["softmax"]["findings"][0]["message"]
    assert "SIGSEGV" in results["nearest_mean"]["findings"][0]["message"]


@POSIX
def test_what_a_file_has_started_ends_with_it(tmp_path):
    (tmp_path / "file.py").write_text(
        "import ctypes\n"
        "ctypes.CDLL(None).system(b'sleep 1000 & echo $! > pid')\n",  # past the guard
        "utf-8",
    )
    outcome = check(tmp_path / "file.py", folder=tmp_path)
    assert code_of(outcome.results[0]) == "piece.missing"
    pid = int((tmp_path / "pid").read_text("utf-8"))
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except OSError as error:
            assert error.errno == errno.ESRCH
            return
        if _state(pid) == "Z":  # ended, and nobody has asked how
            return
        time.sleep(0.05)
    pytest.fail(f"process {pid} is still there")


def _state(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def test_silence_ends_a_process_and_so_does_stop(tmp_path):
    path = tmp_path / "file.py"
    path.write_text("import time\ntime.sleep(1000)\n", "utf-8")
    details = {"done": [], "wrong": {}, "everything": False, "work": 1}
    *_, last = runner.answers("check", path, patience=1, **details)
    assert (last["kind"], last["why"]) == ("died", "silence")
    with pytest.raises(runner.Stopped):
        list(runner.answers("check", path, stop=lambda: True, **details))


def test_a_file_may_have_any_name_line_ends_and_a_mark_and_nothing_is_written(tmp_path):
    folder = tmp_path / "größe ñ 数"
    folder.mkdir()
    text = SOLVED["functions"].replace("    ", "\t").replace("\n", "\r\n")
    path = folder / "mein netz é.py"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    (folder / "numpy.py").write_text("raise RuntimeError", "utf-8")  # hides nothing
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        outcome = check(path, folder=folder)
        assert outcome.ok, outcome.results
        assert sorted(each.name for each in folder.iterdir()) == [path.name, "numpy.py"]
    finally:
        folder.chmod(stat.S_IRWXU)


def test_damaged_files_get_an_answer(tmp_path):
    running = []
    for k in range(DAMAGED):
        path = tmp_path / f"{k}.py"
        path.write_bytes(damaged(SOLVED["functions"], np.random.default_rng([0, k])))
        try:
            read(path)
            running.append(path)
        except Trouble as problem:
            assert problem.found["code"].startswith("file.")
    assert DAMAGED // 10 < len(running) < DAMAGED - DAMAGED // 10
    for path in running[:RUN]:  # benchmarks/writing.py --damage 500 runs them all
        outcome = check(path, folder=tmp_path, work=5)
        last = outcome.results[-1]
        assert (last["state"] == "right") == (not last["findings"])
        assert last["piece"] in (FILE, *NAMES)


# --- a file ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"def f(:\n    pass\n", "file.syntax", 1),
        (b"x = (1\ny = 2\n", "file.syntax", 1),
        (b"return 1\n", "file.syntax", 1),
        (b"x = 1\0\n", "file.syntax", 1 if sys.version_info >= (3, 11, 4) else None),
        (b"x = " + b"(" * 5000, "file.syntax", 1),
        (b"x = " + b"-" * 100_000 + b"1", "file.syntax", None),
        (b"def f():\n    x = 1\n      y = 2\n", "file.indentation", 3),
        (b"def f():\n\tx = 1\n        y = 2\n", "file.tabs", 3),
        (b"# \xe9\nx = 1\n", "file.encoding", None),
        (b"# coding: klingon\n", "file.encoding", None),
        ("x = 1\n".encode("utf-16"), "file.utf16", None),
        (b"x" * (source.LARGEST + 1), "file.huge", None),
    ],
)
def test_what_is_no_python_is_told(tmp_path, content, code, line):
    path = tmp_path / "file.py"
    path.write_bytes(content)
    with pytest.raises(Trouble) as caught:
        read(path)
    assert (caught.value.found["code"], caught.value.line) == (code, line)


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("import not_there\n", "file.import", 1),
        ("from numpy import not_there\n", "file.import", 1),
        ("x = 1\n1 / 0\n", "file.raises", 2),
        ("def f(): f()\nf()\n", "file.raises", 1),
        ("import sys\nsys.exit(0)\n", "file.exits", None),
        ("raise KeyboardInterrupt\n", "file.exits", None),
        ("x = bytearray(10**13)\n", "file.memory", None),
        ("while True: pass\n", "file.slow", None),
        ("print('x' * 20_000)\n", "file.prints", None),
    ],
)
def test_a_file_that_does_not_come_to_its_end_is_told(tmp_path, monkeypatch, text, code, line):
    monkeypatch.setattr(source, "IMPORT_LIMIT", 0.3)
    path = tmp_path / "file.py"
    path.write_text(text, "utf-8")
    with pytest.raises(Trouble) as caught:
        execute(read(path))
    assert (caught.value.found["code"], caught.value.line) == (code, line)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(Trouble) as caught:
        read(tmp_path / "file.py")
    assert "python -m mnist_book start file.py" in caught.value.found["message"]


# --- limits ------------------------------------------------------------------------------------


@POSIX
def test_limits_are_those_of_the_system():
    program = (
        "import resource; from mnist_book.writing import limits\n"
        "limits.limit_size(); limits.allow_work(3)\n"
        "print(resource.getrlimit(resource.RLIMIT_FSIZE)[0])\n"
        "print(resource.getrlimit(resource.RLIMIT_CPU)[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True
    )
    size, seconds = map(int, done.stdout.split())
    assert size == limits.FILE
    assert 4 <= seconds <= 10  # those of the start count


def test_a_death_is_put_into_words():
    assert runner._death(3, bytearray())["why"] == "exit"
    assert runner._death(1, bytearray(b"x\nImportError: y"))["how"] == "ImportError: y"
    if os.name == "posix":
        assert runner._death(-signal.SIGXCPU, bytearray())["why"] == "work"
        assert runner._death(-signal.SIGABRT, bytearray())["how"] == "SIGABRT"
