"""The command line: python -m mnist_book."""

import io
import os
import platform
import re
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import threadpoolctl
import tqdm

import mnist_core
from mnist_book import dataset
from mnist_book.__main__ import main
from mnist_book.dataset import load_directory
from mnist_core import Network

TRAIN, TEST = 60, 25


def digits(n, seed):
    """Pictures in which each digit has a line of its own, and their labels; no 7 among them."""
    rng = np.random.default_rng(seed)
    labels = rng.choice([0, 1, 2, 3, 4, 5, 6, 8, 9], n).astype(np.uint8)
    images = rng.integers(0, 40, (n, 28, 28), dtype=np.uint8)
    images[np.arange(n), 2 * labels + 4] += 200
    return images, labels


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A directory with four small IDX files, written byte by byte."""
    directory = tmp_path_factory.mktemp("digits")
    for name, n, seed in [("train", TRAIN, 1), ("t10k", TEST, 2)]:
        images, labels = digits(n, seed)
        header = struct.pack(">BBBBIII", 0, 0, 8, 3, n, 28, 28)
        (directory / f"{name}-images-idx3-ubyte").write_bytes(header + images.tobytes())
        header = struct.pack(">BBBBI", 0, 0, 8, 1, n)
        (directory / f"{name}-labels-idx1-ubyte").write_bytes(header + labels.tobytes())
    return directory


@pytest.fixture
def output(tmp_path):
    return tmp_path / "weights.npz"


@pytest.fixture
def train(data, output):
    """Run `train` in this process; return its exit status."""
    return lambda *options: main(["train", f"--data={data}", f"--output={output}", *options])


def python(*arguments, **options):
    """Run `python -m mnist_book` in a process of its own, with the module that is tested here."""
    environment = os.environ | {
        "PYTHONPATH": str(Path(mnist_core.__file__).parent),
        "PYTHONUNBUFFERED": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "mnist_book", *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def assert_accuracies(text, path, data):
    """Compare the accuracies printed with those of the weights saved, counted one by one."""
    network = Network.load(path)
    test = load_directory(data)
    right = {digit: [] for digit in range(10)}
    for image, label in zip(test.test_images, test.test_labels.tolist(), strict=True):
        x = (image.reshape(1, 784) / 255).astype(np.float32)
        right[label].append(int(network.forward(x).argmax()) == label)
    printed = re.findall(r"^\s*(\d):\s+(\d+\.\d+|nan)%$", text, re.MULTILINE)
    assert [int(digit) for digit, _ in printed] == list(range(10))
    for digit, share in printed:
        n = len(right[int(digit)])
        assert share == (f"{100 * sum(right[int(digit)]) / n:.2f}" if n else "nan")
    total = sum(sum(values) for values in right.values())
    assert re.search(rf"^all:\s+{100 * total / TEST:.2f}% of {TEST} ", text, re.MULTILINE)
    return total / TEST


# --------------------------------------------------------------------------------- train


def test_the_small_directory_is_read_as_it_was_written(data):
    found = load_directory(data)
    for n, seed, images, labels in [
        (TRAIN, 1, found.train_images, found.train_labels),
        (TEST, 2, found.test_images, found.test_labels),
    ]:
        expected = digits(n, seed)
        np.testing.assert_array_equal(images, expected[0])
        np.testing.assert_array_equal(labels, expected[1])


def test_train_prints_accuracies_and_saves_the_weights(train, data, output, capsys):
    assert train("--epochs=20", "--batch-size=10") == 0
    text = capsys.readouterr().out
    assert_accuracies(text, output, data)
    assert f"{TRAIN} for training, {TEST} for testing" in text
    assert "Interrupted" not in text
    assert str(output) in text
    losses = [float(loss) for loss in re.findall(r"^epoch \d+: loss (\S+)$", text, re.MULTILINE)]
    assert len(losses) == 20
    assert losses[-1] < 0.3 < 1 < losses[0]


def test_train_learns(train, data, output, capsys):
    assert train("--epochs=40", "--batch-size=10") == 0
    assert assert_accuracies(capsys.readouterr().out, output, data) > 0.9


def test_the_command_in_a_process_of_its_own(data, output):
    process = python("train", "--data", data, "--output", output, "--epochs", 2, "--batch-size", 9)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in err
    assert_accuracies(out, output, data)


@pytest.mark.parametrize(
    ("options", "sizes"),
    [
        ([], (784, 128, 10)),
        (["--hidden=32"], (784, 32, 10)),
        (["--hidden", "20", "--hidden", "30", "--hidden", "15"], (784, 20, 30, 15, 10)),
    ],
)
def test_hidden_can_be_repeated(train, output, options, sizes, capsys):
    assert train("--epochs=1", *options) == 0
    network = Network.load(output)
    assert network.sizes == sizes
    text = capsys.readouterr().out
    assert "-".join(map(str, sizes)) in text
    assert f"{len(network.vector):,} weights" in text


def test_the_seed_makes_it_reproducible(train, output):
    vectors = []
    for options in (["--seed=5"], ["--seed=5"], ["--seed=6"], [], ["--seed=0"]):
        assert train("--epochs=2", "--hidden=8", *options) == 0
        vectors.append(Network.load(output).vector)
    np.testing.assert_array_equal(vectors[0], vectors[1])
    assert (vectors[0] != vectors[2]).any()
    np.testing.assert_array_equal(vectors[3], vectors[4])


@pytest.mark.parametrize(
    ("option", "name", "value"),
    [
        ("--epochs=3", "epochs", 3),
        ("--batch-size=7", "batch_size", 7),
        ("--learning-rate=0.2", "learning_rate", 0.2),
        ("--momentum=0.5", "momentum", 0.5),
        ("--epochs=5", "epochs", 5),
    ],
)
def test_each_option_reaches_train(train, monkeypatch, option, name, value):
    given = {"epochs": 5, "batch_size": 64, "learning_rate": 0.05, "momentum": 0.9} | {name: value}
    seen = {}
    original = mnist_core.train

    def spy(*arguments, **options):
        seen.update(options)
        return original(*arguments, **options)

    monkeypatch.setattr(mnist_core, "train", spy)
    assert train("--hidden=4", option) == 0
    assert {name: seen[name] for name in given} == given


@pytest.mark.parametrize(
    ("options", "slope"), [(["--slope=0"], 0), (["--slope=0.25"], 0.25), ([], 0.01)]
)
def test_the_slope_is_saved(train, output, options, slope):
    assert train("--epochs=1", *options) == 0
    assert Network.load(output).slope == slope


def test_help_describes_every_option_and_its_default(capsys):
    with pytest.raises(SystemExit) as info:
        main(["train", "--help"])
    assert info.value.code == 0
    options = re.split(r"\n\s+(?=-)", capsys.readouterr().out)[1:]
    found = {option.split()[0]: " ".join(option.split()) for option in options}
    defaults = {"--learning-rate": "0.05", "--batch-size": "64", "--epochs": "5", "--seed": "0"}
    defaults |= {
        "--momentum": "0.9",
        "--slope": "0.01",
        "--data": "auto",
        "--output": "weights.npz",
    }
    for option, default in defaults.items():
        assert re.search(rf"[a-z, ]{{10}}.*\(default: {re.escape(default)}\)$", found[option])
    assert "[128]" in found["--hidden"]


@pytest.mark.parametrize("command", ["train", "download", "info"])
def test_help_lists_the_commands(command, capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    assert re.search(rf"^\s+{command}\s+\w.{{15}}", capsys.readouterr().out, re.MULTILINE)


@pytest.mark.parametrize("batch_size", [7, 20, 64])
def test_the_progress_bar_ends_full(train, monkeypatch, batch_size):
    bars = []

    class Bar(tqdm.tqdm):
        def __init__(self, **options):
            super().__init__(**options | {"disable": False, "file": io.StringIO()})
            bars.append(self)

    monkeypatch.setattr(tqdm, "tqdm", Bar)
    assert train("--epochs=3", f"--batch-size={batch_size}") == 0
    assert [bar.n for bar in bars] == [bar.total for bar in bars] == [3 * -(-TRAIN // batch_size)]


@pytest.mark.parametrize(
    "options",
    [
        ["--hidden=0"],
        ["--hidden=-5"],
        ["--hidden=1000000000000000"],
        ["--epochs=-1"],
        ["--batch-size=0"],
        ["--batch-size=-1"],
        ["--learning-rate=0"],
        ["--learning-rate=-1"],
        ["--learning-rate=nan"],
        ["--momentum=1"],
        ["--momentum=-0.5"],
        ["--momentum=nan"],
        ["--slope=2"],
        ["--slope=-1"],
        ["--slope=nan"],
        ["--seed=-1"],
        ["--threads=0"],
    ],
    ids=str,
)
def test_a_bad_value_is_one_line_and_exit_status_1(train, output, options, capsys):
    assert train(*options) == 1
    message = capsys.readouterr().err
    lines = [line for line in message.splitlines() if not re.match(r"\s*\d*%?\|?.*batches", line)]
    assert len(lines) == 1
    assert re.match(r"error: .{10}", lines[0])
    assert not output.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["learn"],
        ["train", "--epochs=many"],
        ["train", "--hidden=1.5"],
        ["train", "--learning-rate=fast"],
        ["train", "--unknown=1"],
        ["train", "--seed"],
    ],
    ids=str,
)
def test_what_the_command_does_not_know_is_exit_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as info:
        main(arguments)
    assert info.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_a_missing_directory_is_named(tmp_path, output, capsys):
    missing = tmp_path / "nowhere"
    assert main(["train", f"--data={missing}", f"--output={output}"]) == 1
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert str(missing) in message
    assert len(message.splitlines()) == 1


def test_a_damaged_file_is_named(data, tmp_path, output, capsys):
    for path in data.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    damaged = tmp_path / "train-images-idx3-ubyte"
    damaged.write_bytes(damaged.read_bytes()[:-100])
    assert main(["train", f"--data={tmp_path}", f"--output={output}"]) == 1
    message = capsys.readouterr().err
    assert str(damaged) in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize("place", ["no/weights.npz", ""], ids=["missing", "directory"])
def test_an_output_that_cannot_be_written_is_refused_before_training(data, tmp_path, place, capsys):
    place = tmp_path / place
    assert main(["train", f"--data={data}", f"--output={place}", "--epochs=1"]) == 1
    found = capsys.readouterr()
    assert str(place.parent if place != tmp_path else place) in found.err
    assert len([line for line in found.err.splitlines() if "error:" in line]) == 1
    assert "epoch 1" not in found.out


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_training_that_diverges_at_once_ends_and_saves_nothing(train, output, capsys):
    output.write_bytes(b"older weights")
    assert train("--learning-rate=1e30", "--epochs=1000000", "--batch-size=5") == 1
    found = capsys.readouterr()
    assert "so training ended; try a --learning-rate below 1e+30" in found.err
    assert "Weights saved" not in found.out
    assert output.read_bytes() == b"older weights"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("batch", [1, 4])
def test_training_that_diverges_later_saves_the_epoch_before(
    train, data, output, monkeypatch, capsys, batch
):
    """The weights become NaN in one batch of the third epoch, be it the first one or the last."""
    original, vectors, batches = Network.loss_and_gradients, [], 4

    def poisoned(network, *arguments):
        vectors.append(network.vector.copy())
        result = original(network, *arguments)
        if len(vectors) == 2 * batches + batch:
            result[1][0][...] = np.nan
        return result

    monkeypatch.setattr(Network, "loss_and_gradients", poisoned)
    assert train("--epochs=1000", "--batch-size=15", "--hidden=8") == 1
    found = capsys.readouterr()
    assert "training ended" in found.err
    assert "after the epoch before" in found.out
    assert_accuracies(found.out, output, data)
    np.testing.assert_array_equal(Network.load(output).vector, vectors[2 * batches])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_very_last_step_that_makes_nan_loses_nothing(train, output, monkeypatch, capsys):
    original, vectors = Network.loss_and_gradients, []

    def poisoned(network, *arguments):
        vectors.append(network.vector.copy())
        result = original(network, *arguments)
        if len(vectors) == 8:
            result[1][0][...] = np.nan
        return result

    monkeypatch.setattr(Network, "loss_and_gradients", poisoned)
    assert train("--epochs=2", "--batch-size=15", "--hidden=8") == 1
    np.testing.assert_array_equal(Network.load(output).vector, vectors[4])
    assert "the last step" in capsys.readouterr().err


def test_weights_are_not_lost_when_the_place_has_gone_meanwhile(
    train, output, tmp_path, monkeypatch, capsys
):
    place = tmp_path / "elsewhere"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    original = Network.save

    def save(network, path):
        if path == output:
            raise OSError("disk full")
        original(network, path)

    monkeypatch.setattr(Network, "save", save)
    assert train("--epochs=1") == 0
    found = capsys.readouterr()
    assert "disk full" in found.err
    (saved,) = place.rglob("weights.npz")
    assert f"Weights saved in {saved}" in found.out
    assert Network.load(saved).sizes == (784, 128, 10)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no /dev/null")
def test_a_device_as_output_stays_a_device(train, data, tmp_path):
    """As root, /dev/null was once replaced by a file of weights."""
    link = tmp_path / "null"
    link.symlink_to(os.devnull)
    assert main(["train", f"--data={data}", f"--output={link}", "--epochs=1"]) == 0
    assert link.is_symlink()
    assert Path(os.devnull).is_char_device()
    assert Path(os.devnull).read_bytes() == b""


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_weights_keep_the_mode_of_the_file(train, output):
    output.write_bytes(b"older weights")
    output.chmod(0o600)
    assert train("--epochs=1") == 0
    assert output.stat().st_mode & 0o777 == 0o600


def test_an_output_on_a_full_or_read_only_disk_is_refused_before_training(
    train, monkeypatch, capsys
):
    def refuse(**_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    assert train("--epochs=1") == 1
    found = capsys.readouterr()
    assert "cannot be written" in found.err
    assert "epoch 1" not in found.out


@pytest.mark.parametrize(("options", "threads"), [([], 1), (["--threads=2"], 2)])
def test_train_picks_how_many_threads_the_products_use(train, monkeypatch, options, threads):
    """Two threads on busy cores took ten times as long as one."""
    original, seen = mnist_core.train, []

    def spy(*arguments, **keywords):
        pools = threadpoolctl.threadpool_info()
        seen.extend(pool["num_threads"] for pool in pools if pool["user_api"] == "blas")
        return original(*arguments, **keywords)

    monkeypatch.setattr(mnist_core, "train", spy)
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        assert train("--epochs=1", *options) == 0
    assert set(seen) == {threads}


def test_the_old_command_says_where_it_went():
    process = subprocess.run(
        [sys.executable, mnist_core.__file__, "train"], capture_output=True, text=True, timeout=60
    )
    assert process.returncode == 2
    assert process.stderr.splitlines() == [
        "The command line is in the book's package: python -m mnist_book train"
    ]


# --------------------------------------------------------------------------------- Ctrl-C


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process alone")
@pytest.mark.parametrize("epochs_before", [1, 3])
def test_ctrl_c_stops_training_tests_and_saves(data, output, epochs_before):
    process = python(
        *("train", "--data", data, "--output", output, "--epochs", 10**6, "--batch-size", 5),
        # Whoever starts the tests in the background has SIGINT ignored, for its children too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        text = ""
        while f"epoch {epochs_before}:" not in text:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            text += line
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert "Traceback" not in err
    assert_accuracies(out, output, data)
    assert "Interrupted" in out
    assert [path.name for path in output.parent.iterdir()] == ["weights.npz"]


def test_ctrl_c_while_loading_is_exit_status_130(monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(dataset, "load_digits", interrupted)
    assert main(["train"]) == 130
    assert "Interrupted" in capsys.readouterr().err


def test_ctrl_c_during_training_in_this_process(train, data, output, monkeypatch, capsys):
    original, calls = Network.loss_and_gradients, []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 50:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(Network, "loss_and_gradients", interrupted)
    assert train("--epochs=1000", "--batch-size=10") == 130
    assert len(calls) == 50
    assert_accuracies(capsys.readouterr().out, output, data)


# --------------------------------------------------------------------------------- the others


@pytest.fixture
def no_mnist(data, tmp_path, monkeypatch):
    """The small files as practice digits, and nothing else."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "practice").symlink_to(data)
    for name in ("DATA", "SHIPPED"):
        monkeypatch.setattr(dataset, name, tmp_path / "data")
    monkeypatch.delenv("MNIST_DIR", raising=False)
    return tmp_path / "data"


def test_info_shows_blas_and_where_the_data_are(no_mnist, capsys):
    assert main(["info"]) == 0
    text = capsys.readouterr().out
    assert re.search(r"^BLAS: \S+", text, re.MULTILINE)
    assert f"NumPy {np.__version__}" in text
    assert f"Python {platform.python_version()}," in text
    pools = threadpoolctl.threadpool_info()
    assert len(re.findall(r"^  \w+ \S+, \d+ threads$", text, re.MULTILINE)) == len(pools)
    assert "found no train-images-idx3-ubyte" in text
    assert f"{TRAIN} for training" in text


def test_train_on_practice_digits(no_mnist, output, capsys):
    assert main(["train", "--data=practice", f"--output={output}", "--epochs=1"]) == 0
    assert "practice digits" in capsys.readouterr().out
    assert output.exists()


def closed_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_download_without_a_network_says_what_to_do_by_hand(tmp_path, monkeypatch, capsys):
    mirrors = tuple(f"http://127.0.0.1:{closed_port()}/{n}/" for n in (1, 2))
    monkeypatch.setattr(dataset, "MIRRORS", mirrors)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    directory = tmp_path / "digits"
    assert main(["download", f"--directory={directory}"]) == 1
    message = capsys.readouterr().err
    assert "Traceback" not in message
    for words in ("error: ", *mirrors, "By hand", "train-images-idx3-ubyte.gz", str(directory)):
        assert words in message
    assert not list(directory.glob("*"))


def test_download_of_what_is_complete_says_so(data, monkeypatch, capsys):
    monkeypatch.setattr(dataset, "load_mnist", load_directory)
    assert main(["download", f"--directory={data}"]) == 0
    assert "complete" in capsys.readouterr().out


def test_download_refuses_other_files_with_mnists_names(data, capsys):
    assert main(["download", f"--directory={data}"]) == 1
    message = capsys.readouterr().err
    assert "SHA-256" in message
    assert len(message.splitlines()) == 1
