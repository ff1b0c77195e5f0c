"""MNIST, the practice digits and anybody's digits: where they are looked for, what is checked.

Most tests take a small set of random digits for MNIST: `MNIST_FILES` is given its hashes.
"""

import gzip
import hashlib
import os
import socket
import struct
import sys

import numpy as np
import pytest

from mnist_book import dataset
from mnist_book.dataset import (
    load_digits,
    load_directory,
    load_drawings,
    load_mnist,
    load_practice_digits,
)
from mnist_core import IDXError, scale_pixels

NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
FIELDS = ("train_images", "train_labels", "test_images", "test_labels")


@pytest.fixture(scope="module")
def mnist():
    try:
        return load_mnist(download=False)
    except (OSError, ValueError) as error:
        pytest.skip(f"MNIST is not at hand: {error}")


@pytest.fixture(scope="module")
def practice():
    return load_practice_digits()


def idx_bytes(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def make_arrays(seed=0, train=20, test=10):
    rng = np.random.default_rng(seed)
    arrays = []
    for count in (train, test):
        arrays.append(rng.integers(0, 256, (count, 28, 28), np.uint8))
        arrays.append(rng.integers(0, 10, count, np.uint8))
    return arrays


def put(directory, arrays, endings=("", "", "", "")):
    directory.mkdir(parents=True, exist_ok=True)
    for name, array, ending in zip(NAMES, arrays, endings, strict=True):
        content = idx_bytes(array)
        (directory / (name + ending)).write_bytes(gzip.compress(content) if ending else content)
    return directory


def known_files(arrays):
    files = {}
    for name, array in zip(NAMES, arrays, strict=True):
        content = idx_bytes(array)
        packed = gzip.compress(content, mtime=0)
        sums = [hashlib.sha256(data).hexdigest() for data in (content, packed)]
        files[name] = dataset.MNISTFile(*sums, len(packed))
    return files


def same(digits, arrays):
    for field, array in zip(FIELDS, arrays, strict=True):
        np.testing.assert_array_equal(getattr(digits, field), array, strict=True)
    return True


def snapshot(directory):
    """Everything that could tell that something was written to a directory."""
    paths = [directory, *sorted(directory.rglob("*"))]
    return [(path, path.stat().st_mtime_ns, path.stat().st_ino) for path in paths]


GZ = ("", ".gz")
ENDINGS = [("",) * 4, (".gz",) * 4, ("", ".gz", ".gz", ""), (".gz", "", "", ".gz")]
ARRAYS = make_arrays()


@pytest.fixture(autouse=True)
def closed_world(tmp_path, monkeypatch):
    """No data of this machine, no mirror but a closed port; "MNIST" is the set ARRAYS."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setattr(
            dataset, "MIRRORS", (f"http://127.0.0.1:{closed.getsockname()[1]}/mnist/",)
        )
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("MNIST_DIR", raising=False)
    monkeypatch.delenv("MNIST_DIGITS", raising=False)
    for name in ("DATA", "SHIPPED"):
        monkeypatch.setattr(dataset, name, tmp_path / "data")
    monkeypatch.setattr(dataset, "MNIST_FILES", known_files(ARRAYS))


# --- anybody's digits


@pytest.mark.parametrize("endings", ENDINGS, ids="-".join)
def test_directory_raw_and_compressed(tmp_path, endings):
    arrays = make_arrays(1)
    digits = load_directory(put(tmp_path / "mine", arrays, endings))
    assert same(digits, arrays)
    assert digits.source == str(tmp_path / "mine")
    assert "20" in repr(digits)
    assert "10" in repr(digits)


@pytest.mark.parametrize("load", [load_directory, load_mnist])
@pytest.mark.parametrize("endings", ENDINGS, ids="-".join)
def test_digits_know_their_files(tmp_path, load, endings):
    digits = load(put(tmp_path / "mine", ARRAYS, endings))
    names = [name + ending for name, ending in zip(NAMES, endings, strict=True)]
    assert list(digits.files) == [tmp_path / "mine" / name for name in names]


@pytest.mark.parametrize("endings", ENDINGS, ids="-".join)
@pytest.mark.parametrize("copy", ["Kaggle, flat", "Kaggle, nested", "torchvision", "raw"])
@pytest.mark.parametrize("load", [load_directory, load_mnist])
def test_the_copies_of_kaggle_and_torchvision_are_found(tmp_path, load, copy, endings):
    put(tmp_path / "given", ARRAYS, endings)
    for path in (tmp_path / "given").iterdir():
        place, name = tmp_path / "mine", path.name
        if copy == "Kaggle, flat":
            name = name.replace("-idx", ".idx")
        elif copy == "Kaggle, nested":
            place /= name.removesuffix(".gz")
        else:
            place = place / "MNIST" / "raw" if copy == "torchvision" else place / "raw"
        place.mkdir(parents=True, exist_ok=True)
        path.rename(place / name)
    assert same(load(tmp_path / "mine"), ARRAYS)


@pytest.mark.parametrize("as_type", [str, lambda path: path], ids=["str", "Path"])
def test_directory_as_string_or_path(tmp_path, as_type):
    arrays = make_arrays(1)
    assert same(load_directory(as_type(put(tmp_path / "mine", arrays))), arrays)


@pytest.mark.parametrize("missing", NAMES)
def test_directory_that_lacks_a_file(tmp_path, missing):
    put(tmp_path / "mine", make_arrays(1))
    (tmp_path / "mine" / missing).unlink()
    with pytest.raises(FileNotFoundError) as caught:
        load_directory(tmp_path / "mine")
    assert missing in str(caught.value)
    assert str(tmp_path / "mine") in str(caught.value)


def test_directory_is_not_completed_from_elsewhere(tmp_path, monkeypatch):
    put(dataset.DATA, ARRAYS)
    monkeypatch.setenv("MNIST_DIR", str(put(tmp_path / "mnist", ARRAYS)))
    (tmp_path / "mine").mkdir()
    with pytest.raises(FileNotFoundError):
        load_directory(tmp_path / "mine")


def broken(**changes):
    """A set of four arrays of which some are replaced."""
    arrays = make_arrays(1)
    for field, array in changes.items():
        arrays[FIELDS.index(field)] = array
    return arrays


train_images, train_labels, test_images, test_labels = make_arrays(1)
WRONG_SETS = {
    "training images and labels swapped": (
        broken(train_images=train_labels, train_labels=train_images),
        NAMES[0],
        ("labels given as images", "names"),
    ),
    "test images and labels swapped": (
        broken(test_images=test_labels, test_labels=test_images),
        NAMES[2],
        ("labels given as images", "names"),
    ),
    "images given as labels": (
        broken(test_labels=test_images),
        NAMES[3],
        ("images given as labels", "names"),
    ),
    "a label missing": (
        broken(train_labels=train_labels[:-1]),
        NAMES[0],
        ("20 images", "19 labels", NAMES[1]),
    ),
    "a test image missing": (
        broken(test_images=test_images[:-1]),
        NAMES[2],
        ("9 images", "10 labels", NAMES[3]),
    ),
    "labels of the other half": (
        broken(train_labels=test_labels, test_labels=train_labels),
        NAMES[0],
        ("20 images", "10 labels"),
    ),
    "label 10": (
        broken(train_labels=np.arange(1, 21, dtype=np.uint8) % 11),
        NAMES[1],
        ("label 10", "0 to 9"),
    ),
    "label 255 at the end": (
        broken(test_labels=np.array([0] * 9 + [255], np.uint8)),
        NAMES[3],
        ("label 255", "0 to 9"),
    ),
    "images of 32 x 32": (
        broken(train_images=np.zeros((20, 32, 32), np.uint8)),
        NAMES[0],
        ("(32, 32)", "(28, 28)"),
    ),
    "images of 56 x 14": (
        broken(test_images=np.zeros((10, 56, 14), np.uint8)),
        NAMES[2],
        ("(56, 14)", "(28, 28)"),
    ),
}


@pytest.mark.parametrize("ending", GZ, ids=["raw", "gz"])
@pytest.mark.parametrize(("arrays", "file", "says"), WRONG_SETS.values(), ids=WRONG_SETS.keys())
@pytest.mark.parametrize("load", [load_directory, load_mnist])
def test_files_that_do_not_go_together(tmp_path, load, arrays, file, says, ending):
    put(tmp_path / "mine", arrays, [ending] * 4)
    with pytest.raises(IDXError) as caught:
        load(tmp_path / "mine")
    message = str(caught.value)
    assert message.startswith(str(tmp_path / "mine" / (file + ending)))
    parts = ("found", "expected", "Likely cause", *says)
    assert [part for part in parts if part not in message] == []


# --- MNIST: where it is looked for


@pytest.mark.parametrize("endings", ENDINGS, ids="-".join)
def test_mnist_raw_and_compressed(tmp_path, endings):
    digits = load_mnist(put(tmp_path / "mnist", ARRAYS, endings), download=False)
    assert same(digits, ARRAYS)
    assert digits.source == "MNIST"


def test_mnist_compressed_by_another_program(tmp_path):
    """What counts is the content: `.gz` files made anew have other bytes."""
    put(tmp_path / "mnist", ARRAYS)
    for name in NAMES:
        path = tmp_path / "mnist" / name
        path.with_name(name + ".gz").write_bytes(gzip.compress(path.read_bytes(), 1, mtime=7))
        path.unlink()
    assert same(load_mnist(tmp_path / "mnist", download=False), ARRAYS)


def test_mnist_in_the_data_directory(capsys):
    put(dataset.DATA, ARRAYS)
    assert same(load_mnist(download=False), ARRAYS)
    assert capsys.readouterr() == ("", "")


def test_mnist_where_the_environment_says(tmp_path, monkeypatch):
    """What is in data/ would be refused."""
    put(dataset.DATA, make_arrays(2))
    monkeypatch.setenv("MNIST_DIR", str(put(tmp_path / "mnist", ARRAYS)))
    assert same(load_mnist(download=False), ARRAYS)


def test_environment_may_say_home(tmp_path, monkeypatch):
    put(tmp_path / "home" / "mnist", ARRAYS)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("MNIST_DIR", os.path.join("~", "mnist"))
    assert same(load_mnist(download=False), ARRAYS)


@pytest.mark.parametrize("value", ["", "nowhere"])
def test_data_directory_where_the_environment_leads_nowhere(tmp_path, monkeypatch, value):
    monkeypatch.setenv("MNIST_DIR", value and str(tmp_path / value))
    put(dataset.DATA, ARRAYS)
    assert same(load_mnist(download=False), ARRAYS)


def test_argument_wins_over_the_environment(tmp_path, monkeypatch):
    put(dataset.DATA, make_arrays(2))
    monkeypatch.setenv("MNIST_DIR", str(put(tmp_path / "other", make_arrays(3))))
    assert same(load_mnist(put(tmp_path / "mnist", ARRAYS), download=False), ARRAYS)


def test_argument_keeps_other_places_out(tmp_path, monkeypatch):
    put(dataset.DATA, ARRAYS)
    monkeypatch.setenv("MNIST_DIR", str(put(tmp_path / "mnist", ARRAYS)))
    with pytest.raises(FileNotFoundError) as caught:
        load_mnist(tmp_path / "empty", download=False)
    assert str(tmp_path / "empty") in str(caught.value)


@pytest.mark.parametrize("missing", NAMES)
def test_missing_file_without_download_names_the_places(tmp_path, monkeypatch, missing):
    monkeypatch.setenv("MNIST_DIR", str(put(tmp_path / "mnist", ARRAYS)))
    (tmp_path / "mnist" / missing).unlink()
    with pytest.raises(FileNotFoundError) as caught:
        load_mnist(download=False)
    parts = (missing, str(tmp_path / "mnist"), str(dataset.DATA), "MNIST_DIR", "By hand")
    assert [part for part in parts if part not in str(caught.value)] == []


def test_missing_files_without_download_ask_nobody_and_make_nothing(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_mnist(tmp_path / "mnist", download=False)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("ending", GZ, ids=["raw", "gz"])
@pytest.mark.parametrize("load", [load_directory, load_mnist])
def test_read_only_directory_is_enough(tmp_path, load, ending):
    directory = put(tmp_path / "mnist", ARRAYS, [ending] * 4)
    paths = [*directory.iterdir(), directory]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = snapshot(tmp_path)
    try:
        assert same(load(directory), ARRAYS)
        assert snapshot(tmp_path) == before
    finally:
        for path in reversed(paths):
            path.chmod(0o755)


# --- MNIST: the SHA-256 of its content


@pytest.mark.parametrize("ending", GZ, ids=["raw", "gz"])
@pytest.mark.parametrize("number", range(4))
def test_each_file_is_checked(tmp_path, number, ending):
    """One bit in one file is wrong; a set that only looks like MNIST would pass all else."""
    arrays = make_arrays()
    arrays[number].flat[-1] ^= 1
    put(tmp_path / "mnist", arrays, [ending] * 4)
    with pytest.raises(IDXError) as caught:
        load_mnist(tmp_path / "mnist")
    message = str(caught.value)
    assert message.startswith(str(tmp_path / "mnist" / (NAMES[number] + ending)))
    assert hashlib.sha256(idx_bytes(arrays[number])).hexdigest() in message
    assert hashlib.sha256(idx_bytes(ARRAYS[number])).hexdigest() in message
    assert "Fashion-MNIST" in message
    assert "load_directory" in message


def test_shape_is_part_of_what_is_checked(tmp_path, monkeypatch):
    """Of no labels and no images the elements alone are the same nothing."""
    arrays = make_arrays(train=0)
    monkeypatch.setattr(dataset, "MNIST_FILES", known_files(arrays))
    assert same(load_mnist(put(tmp_path / "mnist", arrays)), arrays)
    known = dataset.MNIST_FILES
    bare = {NAMES[0]: known[NAMES[0]]._replace(sha256=hashlib.sha256(b"").hexdigest())}
    monkeypatch.setattr(dataset, "MNIST_FILES", {**known, **bare})
    with pytest.raises(IDXError):
        load_mnist(put(tmp_path / "again", arrays))


def test_other_digits_are_for_load_directory(tmp_path):
    arrays = make_arrays(1)
    assert same(load_directory(put(tmp_path / "mine", arrays)), arrays)
    with pytest.raises(IDXError):
        load_mnist(tmp_path / "mine")


@pytest.fixture
def hashings(monkeypatch):
    """A list that grows with every SHA-256 that is begun."""
    begun, real = [], hashlib.sha256

    def sha256(*args, **kwargs):
        begun.append(args)
        return real(*args, **kwargs)

    monkeypatch.setattr(hashlib, "sha256", sha256)
    return begun


@pytest.mark.parametrize("ending", GZ, ids=["raw", "gz"])
def test_checked_once_and_remembered(tmp_path, hashings, ending):
    put(tmp_path / "mnist", ARRAYS, [ending] * 4)
    load_mnist(tmp_path / "mnist")
    assert len(hashings) == 4
    assert same(load_mnist(tmp_path / "mnist"), ARRAYS)
    assert len(hashings) == 4


@pytest.mark.parametrize("number", range(4))
def test_checked_again_after_a_change(tmp_path, hashings, number):
    put(tmp_path / "mnist", ARRAYS)
    load_mnist(tmp_path / "mnist")
    path = tmp_path / "mnist" / NAMES[number]
    changed = ARRAYS[number].copy()
    changed.flat[0] ^= 1
    time = path.stat().st_mtime_ns
    path.write_bytes(idx_bytes(changed))
    os.utime(path, ns=(time, time + 1_000_000_000))  # a file system's clock may be coarse
    with pytest.raises(IDXError, match="SHA-256"):
        load_mnist(tmp_path / "mnist")
    assert len(hashings) == 5


def test_touched_file_is_checked_again_and_found_right(tmp_path, hashings):
    put(tmp_path / "mnist", ARRAYS)
    load_mnist(tmp_path / "mnist")
    os.utime(tmp_path / "mnist" / NAMES[1], ns=(1, 1))
    assert same(load_mnist(tmp_path / "mnist"), ARRAYS)
    assert len(hashings) == 5


def test_refusal_is_not_forgotten(tmp_path):
    put(tmp_path / "mnist", [*ARRAYS[:3], make_arrays(1)[3]])
    for _ in range(3):
        with pytest.raises(IDXError, match="SHA-256"):
            load_mnist(tmp_path / "mnist")


@pytest.mark.parametrize("relative", [False, True])
def test_what_is_remembered_is_of_one_directory(tmp_path, monkeypatch, relative):
    """Name, size and time are the same, and so is the relative path from another place."""
    right = put(tmp_path / "right" / "mnist", ARRAYS)
    wrong = put(tmp_path / "wrong" / "mnist", make_arrays(1))
    for path in (*right.iterdir(), *wrong.iterdir()):
        os.utime(path, ns=(10**18, 10**18))
    monkeypatch.chdir(right.parent)
    assert same(load_mnist("mnist" if relative else right), ARRAYS)
    monkeypatch.chdir(wrong.parent)
    with pytest.raises(IDXError, match="SHA-256"):
        load_mnist("mnist" if relative else wrong)


# --- MNIST, or else the practice digits


def test_practice_digits_come_from_the_data_directory():
    arrays = make_arrays(4)
    put(dataset.DATA / "practice", arrays)
    digits = load_practice_digits()
    assert same(digits, arrays)
    assert digits.source == "practice digits"


def test_mnist_comes_first_and_without_a_word(tmp_path, monkeypatch, capsys):
    put(dataset.DATA / "practice", make_arrays(4))
    monkeypatch.setenv("MNIST_DIR", str(put(tmp_path / "mnist", ARRAYS)))
    digits = load_digits()
    assert same(digits, ARRAYS)
    assert digits.source == "MNIST"
    assert capsys.readouterr() == ("", "")


def test_a_browser_without_its_part_of_mnist_has_the_practice_digits(tmp_path, monkeypatch, capsys):
    put(dataset.DATA / "practice", make_arrays(4))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MNIST_DIGITS", "small")
    assert load_digits().source == "practice digits"
    assert "mnist-small" in capsys.readouterr().out
    put(tmp_path / "mnist-small", make_arrays(2))
    assert same(load_digits(), make_arrays(2))


def test_environment_asks_for_practice_digits(monkeypatch, capsys):
    put(dataset.DATA, ARRAYS)
    put(dataset.DATA / "practice", make_arrays(4))
    monkeypatch.setenv("MNIST_DIGITS", "practice")
    digits = load_digits()
    assert same(digits, make_arrays(4))
    assert digits.source == "practice digits"
    out, err = capsys.readouterr()
    assert "PRACTICE DIGITS" in out
    assert "not MNIST" in out
    assert "MNIST_DIGITS=practice" in out
    assert err == ""  # no mirror was asked


def test_environment_does_not_change_load_mnist(monkeypatch):
    monkeypatch.setenv("MNIST_DIGITS", "practice")
    put(dataset.DATA, ARRAYS)
    assert load_mnist(download=False).source == "MNIST"


def no_mirror(_):
    return ("no mirror", dataset.MIRRORS[0], "By hand")


def other_set(monkeypatch):
    put(dataset.DATA, make_arrays(1))
    return ("SHA-256", NAMES[0])


def damaged_file(monkeypatch):
    put(dataset.DATA, ARRAYS)
    (dataset.DATA / NAMES[1]).write_bytes(b"<html>")
    return ("HTML", NAMES[1])


def unusable_directory(monkeypatch):
    monkeypatch.setenv("MNIST_DIR", os.path.join(__file__, "mnist"))
    return ("cannot be written", __file__)


def no_pooch(monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    return ("pooch",)


@pytest.mark.parametrize(
    "trouble", [no_mirror, other_set, damaged_file, unusable_directory, no_pooch]
)
def test_notice_says_why_it_is_practice_digits(monkeypatch, capsys, trouble):
    arrays = make_arrays(4)
    put(dataset.DATA / "practice", arrays)
    says = trouble(monkeypatch)
    digits = load_digits()
    assert same(digits, arrays)
    assert digits.source == "practice digits"
    out = capsys.readouterr().out
    parts = ("PRACTICE DIGITS", "not MNIST", "figures will differ", *says)
    assert [part for part in parts if part not in out] == []


def test_interruption_is_no_reason_for_practice_digits(monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    put(dataset.DATA / "practice", make_arrays(4))
    monkeypatch.setattr(dataset, "load_mnist", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load_digits()


# --- pixels


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pixels_are_scaled_exactly(dtype):
    images = np.arange(256, dtype=np.uint8).repeat(4).reshape(256, 2, 2)
    x = scale_pixels(images, dtype)
    assert (x.shape, x.dtype) == ((256, 4), dtype)
    assert (x == x[:, :1]).all()
    assert x[0, 0] == 0
    assert x[255, 0] == 1
    assert (np.diff(x[:, 0]) > 0).all()
    right = np.arange(1, 256) / 255
    assert (np.abs(x[1:, 0] - right) / right).max() <= np.finfo(dtype).eps


def test_pixels_become_float32_in_rows():
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)
    before = images.copy()
    x = scale_pixels(images)
    assert (x.shape, x.dtype) == ((5, 784), np.float32)
    np.testing.assert_array_equal(np.rint(x * 255), images.reshape(5, 784))
    np.testing.assert_array_equal(images, before)


def test_pixels_of_a_slice_and_of_a_read_only_array():
    images = np.random.default_rng(0).integers(0, 256, (8, 28, 28), np.uint8)
    images.flags.writeable = False
    expected = scale_pixels(images)[::-2]
    np.testing.assert_array_equal(scale_pixels(images[::-2]), expected)
    turned = np.asfortranarray(images)
    np.testing.assert_array_equal(scale_pixels(turned), scale_pixels(images))


def test_pixels_of_no_image():
    assert scale_pixels(np.zeros((0, 28, 28), np.uint8)).shape == (0, 784)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.int8, np.uint16, bool])
def test_pixels_are_scaled_once(dtype):
    with pytest.raises(TypeError) as caught:
        scale_pixels(np.zeros((2, 28, 28), dtype))
    assert np.dtype(dtype).name in str(caught.value)
    assert "uint8" in str(caught.value)


# --- the practice digits of this project


def test_practice_digits_have_the_right_shapes(practice):
    assert practice.train_images.shape == (6000, 28, 28)
    assert practice.test_images.shape == (1000, 28, 28)
    assert practice.train_labels.shape == (6000,)
    assert practice.test_labels.shape == (1000,)
    assert {getattr(practice, field).dtype for field in FIELDS} == {np.dtype(np.uint8)}
    assert practice.source == "practice digits"


def test_practice_digits_are_balanced_and_mixed(practice):
    for labels in (practice.train_labels, practice.test_labels):
        assert np.bincount(labels, minlength=10).tolist() == [len(labels) // 10] * 10
        for part in np.split(labels, 10):
            assert len(np.unique(part)) == 10


def test_practice_digits_are_pictures_of_ink_on_paper(practice):
    for images in (practice.train_images, practice.test_images):
        assert (images.max(axis=(1, 2)) > 200).all()
        assert (images.min(axis=(1, 2)) == 0).all()
        assert 0.05 < images.mean() / 255 < 0.25
        assert (images[:, 0].max(axis=1) == 0).mean() > 0.9  # hardly any reach the border


def test_practice_digits_for_testing_are_not_those_for_training(practice):
    train = {image.tobytes() for image in practice.train_images}
    test = {image.tobytes() for image in practice.test_images}
    assert (len(train), len(test)) == (6000, 1000)
    assert not train & test


def test_practice_digits_take_little_room(practice, monkeypatch):
    monkeypatch.undo()  # the real data/
    directory = dataset.DATA / "practice"
    files = [path for path in directory.iterdir() if path.name.endswith("-ubyte.gz")]
    assert sorted(path.name for path in files) == sorted(f"{name}.gz" for name in NAMES)
    assert sum(path.stat().st_size for path in directory.iterdir()) < 2_000_000


# --- MNIST itself


def test_mnist_has_the_right_shapes(mnist):
    assert mnist.train_images.shape == (60_000, 28, 28)
    assert mnist.train_labels.shape == (60_000,)
    assert mnist.test_images.shape == (10_000, 28, 28)
    assert mnist.test_labels.shape == (10_000,)
    assert {getattr(mnist, field).dtype for field in FIELDS} == {np.dtype(np.uint8)}
    assert mnist.source == "MNIST"


def test_mnist_begins_as_everybody_knows(mnist):
    assert mnist.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert mnist.test_labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert mnist.train_images[0, 5, 12:20].tolist() == [3, 18, 18, 18, 126, 136, 175, 26]


def test_mnist_has_as_many_of_each_digit_as_published(mnist):
    assert np.bincount(mnist.train_labels).tolist() == [
        *(5923, 6742, 5958, 6131, 5842),
        *(5421, 5918, 6265, 5851, 5949),
    ]
    assert np.bincount(mnist.test_labels).tolist() == [
        *(980, 1135, 1032, 1010, 982),
        *(892, 958, 1028, 974, 1009),
    ]


def test_mnist_has_the_published_mean_and_deviation(mnist):
    counts = np.bincount(mnist.train_images.ravel(), minlength=256)
    values = np.arange(256) / 255
    mean = counts @ values / counts.sum()
    assert mean == pytest.approx(0.1307, abs=5e-5)
    assert (counts @ (values - mean) ** 2 / counts.sum()) ** 0.5 == pytest.approx(0.3081, abs=5e-5)


# --------------------------------------------------------------------------------------------------
# What a class has drawn
# --------------------------------------------------------------------------------------------------


def put_drawings(directory, images, labels, number=""):
    directory.mkdir(parents=True, exist_ok=True)
    for name, array in (("images-idx3", images), ("labels-idx1", labels)):
        (directory / f"drawings-{name}-ubyte{number}").write_bytes(idx_bytes(array))


def test_drawings_of_a_class_are_put_together(tmp_path):
    images, labels, more_images, more_labels = make_arrays()
    put_drawings(tmp_path / "ada", images, labels)
    put_drawings(tmp_path / "ben", more_images, more_labels)
    put_drawings(tmp_path / "ben", images[:3], labels[:3], " (1)")
    all_images, all_labels = load_drawings(tmp_path)
    assert np.array_equal(all_images, np.concatenate([images, more_images, images[:3]]))
    assert np.array_equal(all_labels, np.concatenate([labels, more_labels, labels[:3]]))


def test_drawings_without_labels_are_refused(tmp_path):
    images, labels, *_ = make_arrays()
    put_drawings(tmp_path / "ada", images, labels)
    (tmp_path / "ada" / "drawings-labels-idx1-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match="expected drawings-labels-idx1-ubyte beside it"):
        load_drawings(tmp_path)


def test_no_drawings_are_said_to_be_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="found no file named like drawings-images"):
        load_drawings(tmp_path)


def test_drawings_of_two_sets_are_refused(tmp_path):
    images, labels, *_ = make_arrays()
    put_drawings(tmp_path, images, labels[:7])
    with pytest.raises(IDXError, match="20 images and 7 labels"):
        load_drawings(tmp_path)
