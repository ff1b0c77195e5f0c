"""The download of MNIST from a server that misbehaves in every way known, on this machine.

An address is `http://127.0.0.1:PORT/BEHAVIOUR/FILE`, and a mirror is a behaviour. "MNIST" is a
small set of random digits: `MNIST_FILES` is given its hashes and sizes.
"""

import builtins
import errno
import gzip
import hashlib
import http.server
import io
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import mnist_core
from mnist_book import dataset
from mnist_book.dataset import DownloadError, load_digits, load_mnist
from mnist_core import IDXError

pytest.importorskip("pooch")
requests = pytest.importorskip("requests")

NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
DEFAULT_TIMEOUT, DEFAULT_MIRRORS = dataset.DOWNLOAD_TIMEOUT, dataset.MIRRORS
posix_only = pytest.mark.skipif(os.name != "posix", reason="only POSIX has it")


def idx_bytes(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def make_contents(seed):
    rng = np.random.default_rng(seed)
    contents = {}
    for name, count in zip(NAMES, (60, 60, 30, 30), strict=True):
        array = rng.integers(0, 256, (count, 28, 28), np.uint8)
        contents[name] = idx_bytes(array if "images" in name else array[:, 0, 0] % 10)
    return contents


CONTENTS = make_contents(0)
PACKED = {name + ".gz": gzip.compress(data, mtime=0) for name, data in CONTENTS.items()}
FIRST = NAMES[0] + ".gz"
HALF = len(PACKED[FIRST]) // 2  # some 24,000 bytes
KNOWN = {
    name: dataset.MNISTFile(
        hashlib.sha256(CONTENTS[name]).hexdigest(),
        hashlib.sha256(PACKED[name + ".gz"]).hexdigest(),
        len(PACKED[name + ".gz"]),
    )
    for name in NAMES
}


# --- the server


class Handler(http.server.BaseHTTPRequestHandler):
    """One method for each behaviour; `self.data` is the right file."""

    def do_GET(self):
        _, behaviour, name = self.path.split("/")
        self.server.asked.append((behaviour, name))
        self.data = PACKED[name]
        self.close_connection = True
        try:
            getattr(self, behaviour)()
        except ConnectionError:
            self.server.cut_off.set()

    def log_message(self, *_):
        pass

    def head(self, length=None, kind="application/x-gzip", **more):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for key, value in more.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()

    def whole(self, data, **more):
        self.head(len(data), **more)
        self.wfile.write(data)

    def first_half(self):
        """Send that, and wait until it has gone."""
        self.head(len(self.data))
        self.wfile.write(self.data[: len(self.data) // 2])
        self.wfile.flush()
        self.server.half_sent.set()

    def good(self):
        self.whole(self.data)

    def good_without_length(self):
        self.head()
        self.wfile.write(self.data)

    def moved(self):
        self.send_response(302)
        self.send_header("Location", self.path.replace("moved", "good"))
        self.end_headers()

    def slow(self):
        """Never silent for long, but slower in all than the time allowed for a silence."""
        self.head(len(self.data))
        for part in np.array_split(np.frombuffer(self.data, np.uint8), 8):
            self.wfile.write(part.tobytes())
            self.wfile.flush()
            time.sleep(0.2)

    def refuses(self):
        self.send_error(403)

    def lacks(self):
        self.send_error(404)

    def fails(self):
        self.send_error(500)

    def page(self):
        self.whole(b"<!DOCTYPE html><html>Log in to the hotel's network</html>", kind="text/html")

    def big_page(self):
        self.whole(b"<!DOCTYPE html>" + b" " * len(self.data), kind="text/html")

    def nothing(self):
        self.whole(b"")

    def short(self):
        self.whole(self.data[:-1])

    def long(self):
        self.whole(self.data + b"\0")

    def wrong(self):
        self.whole(bytes(len(self.data)))

    def other_digits(self):
        """A whole and valid file, but not this one."""
        name = self.path.split("/")[-1].removesuffix(".gz")
        self.whole(gzip.compress(make_contents(1)[name], mtime=0))

    def last_bit(self):
        self.whole(self.data[:-1] + bytes([self.data[-1] ^ 1]))

    def breaks_off(self):
        self.first_half()

    def breaks_off_without_length(self):
        self.head()
        self.wfile.write(self.data[: len(self.data) // 2])

    def hangs_up(self):
        pass

    def speaks_no_http(self):
        self.wfile.write(b"220 mail.example ESMTP\r\n" * 3)

    def counts_wrongly(self):
        self.head("many")
        self.wfile.write(self.data[:-1])

    def unpacks(self):
        """Says that the compression is the transfer's, so that the client undoes it."""
        self.whole(self.data, Content_Encoding="gzip")

    def unpacks_wrongly(self):
        self.whole(bytes(len(self.data)), Content_Encoding="gzip")

    def goes_in_circles(self):
        self.send_response(302)
        self.send_header("Location", self.path)
        self.end_headers()

    def silent(self):
        self.server.release.wait(20)

    def falls_silent(self):
        self.first_half()
        self.server.release.wait(20)

    def endless(self, **more):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        self.head(**more)
        for _ in range(1 << 10):  # "endless": 64 MB
            self.wfile.write(bytes(1 << 16))
            self.server.sent += 1 << 16

    def endless_with_length(self):
        self.endless(length=1 << 40)

    def two_at_once(self):
        """Let two clients get half of the first file, and only then both the rest."""
        self.head(len(self.data))
        half = len(self.data) // 2
        self.wfile.write(self.data[:half])
        self.wfile.flush()
        if self.path.endswith(FIRST):
            self.server.both.wait(30)
        self.wfile.write(self.data[half:])


@pytest.fixture
def server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None
    server.asked, server.sent = [], 0
    server.release, server.half_sent = threading.Event(), threading.Event()
    server.cut_off, server.both = threading.Event(), threading.Barrier(2)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.release.set()
    server.both.abort()
    server.shutdown()
    server.server_close()
    thread.join()


def address(server, behaviour):
    if behaviour == "closed":
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            return f"http://127.0.0.1:{closed.getsockname()[1]}/mnist/"
    return f"http://127.0.0.1:{server.server_port}/{behaviour}/"


@pytest.fixture
def mirrors(server, monkeypatch):
    """A function that sets the mirrors, each a behaviour of the server, or "closed"."""

    def set_mirrors(*behaviours):
        addresses = tuple(address(server, behaviour) for behaviour in behaviours)
        monkeypatch.setattr(dataset, "MIRRORS", addresses)
        return addresses

    return set_mirrors


@pytest.fixture(autouse=True)
def small_mnist(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset, "MNIST_FILES", KNOWN)
    monkeypatch.setattr(dataset, "MIRRORS", ())
    for name in ("DATA", "SHIPPED"):
        monkeypatch.setattr(dataset, name, tmp_path / "data")
    monkeypatch.setattr(dataset, "DOWNLOAD_TIMEOUT", (10.0, 10.0))
    for name in ("MNIST_DIR", "MNIST_DIGITS"):
        monkeypatch.delenv(name, raising=False)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "mnist"


def put(directory, *names):
    directory.mkdir(exist_ok=True)
    for name in names:
        (directory / name).write_bytes(PACKED.get(name) or CONTENTS[name])


def contents(directory):
    """Everything in a directory, hidden and temporary files too."""
    return {path.name: path.read_bytes() for path in directory.rglob("*")}


def all_but_first(directory):
    put(directory, *(name for name in PACKED if name != FIRST))
    return contents(directory)


def is_small_mnist(digits):
    arrays = (digits.train_images, digits.train_labels, digits.test_images, digits.test_labels)
    return [idx_bytes(array) for array in arrays] == list(CONTENTS.values())


# --- from the first mirror that works


@pytest.mark.parametrize("behaviour", ["good", "good_without_length", "moved"])
def test_download(mirrors, directory, behaviour):
    mirrors(behaviour)
    digits = load_mnist(directory)
    assert is_small_mnist(digits)
    assert digits.source == "MNIST"
    assert contents(directory) == PACKED


def test_each_file_is_asked_for_once(mirrors, server, directory):
    mirrors("good", "good")
    load_mnist(directory)
    assert server.asked == [("good", name) for name in PACKED]
    load_mnist(directory)
    assert len(server.asked) == 4


def test_directory_is_made_with_its_parents(mirrors, tmp_path):
    mirrors("good")
    assert is_small_mnist(load_mnist(tmp_path / "a" / "b" / "c"))
    assert contents(tmp_path / "a" / "b" / "c") == PACKED


@pytest.mark.parametrize("variable", [None, "elsewhere"])
def test_download_goes_where_the_environment_says_or_into_data(
    mirrors, tmp_path, monkeypatch, variable
):
    mirrors("good")
    if variable:
        monkeypatch.setenv("MNIST_DIR", str(tmp_path / variable))
    assert is_small_mnist(load_mnist())
    assert os.listdir(tmp_path) == [variable or "data"]
    assert contents(tmp_path / (variable or "data")) == PACKED


def test_slow_mirror_is_not_given_up(mirrors, directory, monkeypatch):
    mirrors("slow")
    monkeypatch.setattr(dataset, "DOWNLOAD_TIMEOUT", (1.0, 1.0))
    all_but_first(directory)
    start = time.perf_counter()
    assert is_small_mnist(load_mnist(directory))
    assert time.perf_counter() - start > 1.2  # otherwise this test proves nothing


BROKEN = [
    *("refuses", "lacks", "fails", "page", "big_page", "nothing", "short", "long", "wrong"),
    *("other_digits", "last_bit", "breaks_off", "breaks_off_without_length", "hangs_up"),
    *("speaks_no_http", "counts_wrongly", "unpacks", "unpacks_wrongly", "goes_in_circles"),
    *("silent", "falls_silent", "endless", "endless_with_length", "closed"),
]


@pytest.fixture
def short_of_patience(monkeypatch):
    monkeypatch.setattr(dataset, "DOWNLOAD_TIMEOUT", (5.0, 0.7))


@pytest.mark.parametrize("behaviour", BROKEN)
def test_next_mirror_is_asked(mirrors, server, directory, short_of_patience, behaviour):
    mirrors(behaviour, "good")
    all_but_first(directory)
    assert is_small_mnist(load_mnist(directory))
    assert contents(directory) == PACKED
    tries = [] if behaviour == "closed" else [(behaviour, FIRST)]
    assert list(dict.fromkeys(server.asked)) == [*tries, ("good", FIRST)]


@pytest.mark.parametrize("behaviour", BROKEN)
def test_broken_mirror_leaves_nothing(mirrors, directory, short_of_patience, behaviour):
    (mirror,) = mirrors(behaviour)
    before = all_but_first(directory)
    with pytest.raises(DownloadError) as caught:
        load_mnist(directory)
    assert mirror + FIRST in str(caught.value)
    assert contents(directory) == before


@pytest.mark.parametrize("behaviour", ["silent", "falls_silent"])
def test_silence_ends_after_the_timeout(mirrors, directory, short_of_patience, behaviour):
    mirrors(behaviour)
    start = time.perf_counter()
    with pytest.raises(DownloadError):
        load_mnist(directory)
    assert 0.6 < time.perf_counter() - start < 6


def test_defaults_are_several_secure_mirrors_and_limited_patience():
    assert all(0 < limit <= 60 for limit in DEFAULT_TIMEOUT)
    assert len(DEFAULT_MIRRORS) > 1
    assert all(re.fullmatch("https://[^/]+/.*/", mirror) for mirror in DEFAULT_MIRRORS)


def test_mirrors_are_asked_in_turn_for_each_file(mirrors, server, directory):
    mirrors("lacks", "wrong", "closed", "good", "fails")
    assert is_small_mnist(load_mnist(directory))
    turns = ("lacks", "wrong", "good")
    assert server.asked == [(turn, name) for name in PACKED for turn in turns]
    assert contents(directory) == PACKED


def test_first_files_stay_when_a_later_one_fails(mirrors, server, directory, monkeypatch):
    """What arrived and was checked need not be downloaded again."""
    mirrors("good")
    monkeypatch.setattr(
        Handler,
        "good",
        lambda self: self.whole(self.data) if "train" in self.path else self.send_error(404),
    )
    with pytest.raises(DownloadError):
        load_mnist(directory)
    assert contents(directory) == {name: PACKED[name] for name in PACKED if "train" in name}


@pytest.mark.parametrize("behaviour", ["endless", "endless_with_length"])
def test_endless_body_is_cut_off(mirrors, server, directory, behaviour):
    mirrors(behaviour)
    start = time.perf_counter()
    with pytest.raises(DownloadError) as caught:
        load_mnist(directory)
    assert time.perf_counter() - start < 5
    assert f"{len(PACKED[FIRST]):,} bytes expected" in str(caught.value)
    # What was sent without being taken sits in the buffers of the operating system.
    assert server.cut_off.wait(10)
    assert server.sent < 16 << 20
    assert contents(directory) == {}


def test_endless_body_is_never_on_the_disk(mirrors, directory, monkeypatch):
    mirrors("endless")
    found, real = [], requests.Response.iter_content

    def iter_content(self, *args, **kwargs):
        for chunk in real(self, *args, **kwargs):
            yield chunk
            found.append(contents(directory))

    monkeypatch.setattr(requests.Response, "iter_content", iter_content)
    with pytest.raises(DownloadError):
        load_mnist(directory)
    assert len(found) > 1
    assert not any(found)


# --- when no mirror works


def test_total_failure_names_every_mirror_and_the_way_by_hand(mirrors, directory):
    tried = mirrors("refuses", "lacks", "fails", "page", "wrong", "breaks_off", "closed")
    with pytest.raises(DownloadError) as caught:
        load_mnist(directory)
    message = str(caught.value)
    lines = message.splitlines()
    for mirror, reason in zip(
        tried, ("403", "404", "500", "", "", "", "no connection"), strict=True
    ):
        (line,) = (line for line in lines if mirror + FIRST + ":" in line)
        assert reason in line
        assert len(line) < 500
    assert "By hand" in message
    assert "MNIST_DIR" in message
    assert str(directory) in message
    assert [name for name in PACKED if name not in message] == []
    assert contents(directory) == {}


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        ("silent", "no answer in time"),
        ("closed", "no connection"),
        ("hangs_up", "no connection"),
        ("falls_silent", "no connection, or one that broke off"),
        ("long", "more than"),
    ],
)
def test_failure_says_what_happened(mirrors, directory, short_of_patience, behaviour, says):
    mirrors(behaviour)
    with pytest.raises(DownloadError, match=re.escape(says)):
        load_mnist(directory)


def test_download_error_is_one_of_the_system_but_not_a_missing_file():
    assert issubclass(DownloadError, OSError)
    assert not issubclass(DownloadError, FileNotFoundError)


def test_no_request_without_permission(mirrors, server, directory):
    mirrors("good")
    with pytest.raises(FileNotFoundError):
        load_mnist(directory, download=False)
    assert server.asked == []
    assert not directory.exists()


def test_load_digits_falls_back_and_says_why(mirrors, tmp_path, capsys):
    """The practice digits are the same small set; they are never checked against MNIST."""
    tried = mirrors("fails", "closed")
    (tmp_path / "data").mkdir()
    put(tmp_path / "data" / "practice", *PACKED)
    digits = load_digits()
    assert digits.source == "practice digits"
    assert is_small_mnist(digits)
    out = capsys.readouterr().out
    parts = ("PRACTICE DIGITS", "not MNIST", "found no mirror", "500", "By hand", *tried)
    assert [part for part in parts if part not in out] == []
    assert os.listdir(tmp_path / "data") == ["practice"]


def test_load_digits_downloads_where_it_can(mirrors, tmp_path, capsys):
    mirrors("fails", "good")
    digits = load_digits()
    assert digits.source == "MNIST"
    assert contents(tmp_path / "data") == PACKED
    assert capsys.readouterr().out == ""


# --- what is already there


def states(directory):
    return {
        path: (path.stat().st_mtime_ns, path.stat().st_ino, path.read_bytes())
        for path in directory.iterdir()
    }


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_what_is_there_is_neither_downloaded_nor_written(mirrors, server, directory, ending):
    mirrors("good")
    put(directory, *(name + ending for name in NAMES))
    before = states(directory)
    time_before = directory.stat().st_mtime_ns
    assert is_small_mnist(load_mnist(directory))
    assert server.asked == []
    assert states(directory) == before
    assert directory.stat().st_mtime_ns == time_before


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("there", [NAMES[:2], NAMES[2:], NAMES[::2], NAMES[1::2]])
def test_only_what_is_missing_is_downloaded(mirrors, server, directory, there, ending):
    mirrors("lacks", "good")
    put(directory, *(name + ending for name in there))
    before = states(directory)
    assert is_small_mnist(load_mnist(directory))
    missing = [name + ".gz" for name in NAMES if name not in there]
    assert server.asked == [(turn, name) for name in missing for turn in ("lacks", "good")]
    after = states(directory)
    assert {path: after[path] for path in before} == before
    assert len(after) == 4


@pytest.mark.parametrize(
    "content", [b"", b"<html>", PACKED[FIRST][:-9], make_contents(1)[NAMES[0]]]
)
def test_bad_file_that_is_there_is_an_error_and_stays(mirrors, server, directory, content):
    """It may be the only copy of somebody's own digits."""
    mirrors("good")
    all_but_first(directory)
    (directory / FIRST).write_bytes(content)
    before = states(directory)
    with pytest.raises(IDXError):
        load_mnist(directory)
    assert server.asked == []
    assert states(directory) == before


def test_the_other_place_counts_as_there(mirrors, server, tmp_path, monkeypatch):
    mirrors("good")
    put(tmp_path / "data", *PACKED)
    monkeypatch.setenv("MNIST_DIR", str(tmp_path / "mnist"))
    assert is_small_mnist(load_mnist())
    assert server.asked == []


# --- a directory that cannot be written to, a full disk


def check_local_error(directory, tried):
    with pytest.raises(DownloadError) as caught:
        load_mnist(directory)
    message = str(caught.value)
    parts = (str(directory), FIRST, "found", "expected", "By hand", "MNIST_DIR", *tried)
    assert [part for part in parts if part not in message] == []
    return message


@pytest.mark.parametrize("depth", [("mnist",), ("mnist", "below")])
def test_file_where_the_directory_should_be(mirrors, server, tmp_path, depth):
    mirrors("good", "good")
    (tmp_path / "mnist").write_bytes(b"a file")
    check_local_error(tmp_path.joinpath(*depth), ("cannot be written",))
    assert server.asked == []
    assert contents(tmp_path) == {"mnist": b"a file"}


@posix_only
@pytest.mark.parametrize("there", [True, False], ids=["is there", "cannot be made"])
def test_directory_without_permission(mirrors, server, tmp_path, there):
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    mirrors("good", "good")
    (tmp_path / "parent").mkdir(mode=0o555)
    try:
        check_local_error(tmp_path / "parent" / ("" if there else "mnist"), ("ermission",))
        assert server.asked == []
        assert contents(tmp_path / "parent") == {}
    finally:
        (tmp_path / "parent").chmod(0o755)


@pytest.mark.parametrize("step", ["write", "close"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_disk_that_fills_up(mirrors, server, directory, monkeypatch, code, step):
    mirrors("good", "good")
    before = all_but_first(directory)
    real = io.open

    def opened(file, mode="r", *args, **kwargs):
        handle = real(file, mode, *args, **kwargs)
        if not isinstance(file, int) and Path(file).parent == directory and "r" not in mode:
            return FullDisk(handle, step, OSError(code, os.strerror(code)))
        return handle

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "open", opened)
        patch.setattr(io, "open", opened)
        check_local_error(directory, (os.strerror(code),))
    assert server.asked == [("good", FIRST)]
    assert contents(directory) == before


class FullDisk:
    """A file of which one operation fails, after the first 100 bytes."""

    def __init__(self, file, step, error):
        self.file, self.step, self.error = file, step, error

    def fail_at(self, step):
        if step == self.step:
            raise self.error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def write(self, data):
        self.file.write(data[:100] if self.step == "write" else data)
        self.fail_at("write")

    def flush(self):
        self.fail_at("flush")
        self.file.flush()

    def close(self):
        self.file.close()
        self.fail_at("close")

    def tell(self):
        return self.file.tell()


# --- other processes

PROGRAM = """
import json, signal, sys
import pooch, requests, tqdm
from mnist_book import dataset
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
directory, mirrors, files, limit = json.loads(sys.argv[1])
dataset.MIRRORS = tuple(mirrors)
dataset.MNIST_FILES = {name: dataset.MNISTFile(*known) for name, known in files.items()}
if limit:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    print(dataset.load_mnist(directory))
except dataset.DownloadError as error:
    print("DownloadError:", error)
"""


def start_process(directory, mirrors, limit=0):
    argument = json.dumps([str(directory), mirrors, KNOWN, limit])
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, argument],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(mnist_core.__file__).parent),
            "OPENBLAS_NUM_THREADS": "1",
        },
    )


def test_two_processes_at_once(mirrors, server, directory):
    addresses = mirrors("two_at_once")
    processes = [start_process(directory, addresses) for _ in range(2)]
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert "60 for training, 30 for testing" in out, out
    assert server.asked.count(("two_at_once", FIRST)) == 2
    assert contents(directory) == PACKED


def test_interruption_mid_transfer_leaves_nothing(mirrors, server, directory, monkeypatch):
    mirrors("good", "good")
    before = all_but_first(directory)
    real = requests.Response.iter_content
    chunks = []

    def iter_content(self, *args, **kwargs):
        chunks.append(next(real(self, *args, **kwargs)))
        yield chunks[0]
        assert contents(directory) == before
        raise KeyboardInterrupt

    monkeypatch.setattr(requests.Response, "iter_content", iter_content)
    with pytest.raises(KeyboardInterrupt):
        load_mnist(directory)
    assert 0 < len(chunks[0]) < len(PACKED[FIRST])
    assert len(server.asked) == 1
    assert contents(directory) == before


@posix_only
@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_a_download_that_is_killed_mid_transfer_leaves_nothing(mirrors, server, directory, how):
    process = start_process(directory, mirrors("falls_silent", "good"))
    try:
        assert server.half_sent.wait(60)
        time.sleep(0.5)  # for half a file to arrive
        process.send_signal(getattr(signal, how))
        _, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode != 0
    assert how != "SIGINT" or "KeyboardInterrupt" in err
    assert server.asked == [("falls_silent", FIRST)]
    assert contents(directory) == {}


@posix_only
def test_disk_that_really_fills_up(mirrors, server, directory):
    process = start_process(directory, mirrors("good", "good"), limit=HALF)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out.startswith("DownloadError:")
    assert "cannot be written" in out
    assert os.strerror(errno.EFBIG) in out
    assert server.asked == [("good", FIRST)]
    assert contents(directory) == {}
