"""IDX files: the bytes on the disk, and what is said about files that are not what they should be.

`idx_bytes` builds files without the code under test; `test_hand_made_*` pins it to `struct`.
"""

import builtins
import errno
import gzip
import io
import math
import os
import struct
import subprocess
import sys
import time
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mnist_core
from mnist_core import IDXError, read_idx, write_idx

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
LETTERS = {"u1": "B", "i1": "b", "i2": "h", "i4": "i", "f4": "f", "f8": "d"}
VALUES = {
    "u1": (0, 1, 255),
    "i1": (-128, -1, 127),
    "i2": (-(2**15), 258, -2),
    "i4": (-(2**31), 0x01020304, -2),
    "f4": (1.5, -0.0, math.inf),
    "f8": (0.1, -1e300, math.inf),
}


def idx_bytes(array):
    kind = array.dtype.str[1:]
    header = bytes([0, 0, CODES[kind], array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(">" + kind).tobytes()


def is_whole_idx(content):
    """Judge, without the code under test, whether these are an IDX file that NumPy can hold."""
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in CODES.values():
        return False
    rank, itemsize = content[3], {v: int(k[1]) for k, v in CODES.items()}[content[2]]
    if rank > 64 or len(content) < 4 + 4 * rank:
        return False
    shape = struct.unpack_from(f">{rank}I", content, 4)
    if math.prod(size or 1 for size in shape) * itemsize >= 2**63:
        return False
    return len(content) == 4 + 4 * rank + math.prod(shape) * itemsize


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """A directory that the examples of a property test may share."""
    return tmp_path_factory.mktemp("idx")


# --- what is on the disk -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CODES)
def test_hand_made_file_is_read(tmp_path, kind):
    path = tmp_path / "file"
    sizes = b"\x00\x00\x00\x01\x00\x00\x00\x03"
    body = struct.pack(f">3{LETTERS[kind]}", *VALUES[kind])
    path.write_bytes(b"\x00\x00" + bytes([CODES[kind], 2]) + sizes + body)
    array = read_idx(path)
    assert array.dtype == np.dtype(kind)
    assert array.shape == (1, 3)
    assert array.tobytes() == struct.pack(f"=3{LETTERS[kind]}", *VALUES[kind])


@pytest.mark.parametrize("kind", CODES)
def test_hand_made_file_is_written(tmp_path, kind):
    path = tmp_path / "file"
    write_idx(path, np.array([VALUES[kind]], kind))
    sizes = b"\x00\x00\x00\x01\x00\x00\x00\x03"
    body = struct.pack(f">3{LETTERS[kind]}", *VALUES[kind])
    assert path.read_bytes() == b"\x00\x00" + bytes([CODES[kind], 2]) + sizes + body


def test_multi_byte_elements_are_big_endian_on_the_disk(tmp_path):
    write_idx(tmp_path / "file", np.array([0x01020304], np.int32))
    assert (tmp_path / "file").read_bytes() == b"\0\0\x0c\x01\0\0\0\x01\x01\x02\x03\x04"


def test_elements_are_in_row_major_order(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"\0\0\x08\x02\0\0\0\x02\0\0\0\x03\x01\x02\x03\x04\x05\x06")
    assert read_idx(path).tolist() == [[1, 2, 3], [4, 5, 6]]


def test_magic_numbers_are_those_of_mnist():
    assert (mnist_core.IMAGES_MAGIC, mnist_core.LABELS_MAGIC) == (2051, 2049)


@pytest.mark.parametrize("name", ["file", "file.gz"])
@pytest.mark.parametrize(
    "shape",
    [
        *[(), (1,), (0,), (7,), (2, 3), (3, 0), (0, 28, 28), (2, 0, 3), (0, 0), (2, 1, 3, 1, 2)],
        *[(1,) * 63 + (2,), (0,) * 64, (0, 2**32 - 1)],
    ],
    ids=lambda shape: "x".join(map(str, shape[:5])) or "scalar",
)
@pytest.mark.parametrize("kind", ["u1", "f8"])
def test_any_rank_and_empty_dimensions(tmp_path, kind, shape, name):
    array = np.arange(math.prod(shape)).astype(kind).reshape(shape)
    write_idx(tmp_path / name, array)
    content = (tmp_path / name).read_bytes()
    assert (gzip.decompress(content) if name.endswith(".gz") else content) == idx_bytes(array)
    again = read_idx(tmp_path / name)
    assert isinstance(again, np.ndarray)
    assert (again.shape, again.dtype) == (shape, np.dtype(kind))
    assert again.tobytes() == array.tobytes()


@pytest.mark.parametrize("name", ["digits-ubyte", "digits-ubyte.gz", "digits.txt"])
@pytest.mark.parametrize("compressed", [False, True], ids=["raw", "gzip"])
def test_compression_is_recognised_by_content_and_not_by_name(tmp_path, name, compressed):
    array = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    content = idx_bytes(array)
    (tmp_path / name).write_bytes(gzip.compress(content) if compressed else content)
    np.testing.assert_array_equal(read_idx(tmp_path / name), array, strict=True)


def test_gzip_of_several_members_is_read_to_the_end(tmp_path):
    content = idx_bytes(np.arange(250, dtype=np.uint8))
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(content[:100]) + gzip.compress(content[100:]))
    assert read_idx(path).tolist() == list(range(250))


@pytest.mark.parametrize("as_type", [str, Path])
def test_paths_are_strings_or_path_objects(tmp_path, as_type):
    path = as_type(tmp_path / "labels.gz")
    write_idx(path, np.arange(3, dtype=np.uint8))
    assert (tmp_path / "labels.gz").read_bytes()[:2] == b"\x1f\x8b"
    assert read_idx(path).tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", ["file", "file.gz"])
@pytest.mark.parametrize("kind", CODES)
def test_result_is_native_writable_and_apart_from_the_file(tmp_path, kind, name):
    path = tmp_path / name
    write_idx(path, np.array([VALUES[kind]], kind))
    before = path.read_bytes()
    array = read_idx(path)
    assert array.dtype.isnative
    assert array.flags.c_contiguous
    array[...] = 0
    assert not array.any()
    assert path.read_bytes() == before


@pytest.mark.parametrize("number", ["IMAGES_MAGIC", "LABELS_MAGIC"])
def test_right_magic_number_is_let_through(tmp_path, number):
    shape = (2, 28, 28) if number == "IMAGES_MAGIC" else (2,)
    write_idx(tmp_path / "file", np.zeros(shape, np.uint8))
    assert read_idx(tmp_path / "file", magic=getattr(mnist_core, number)).shape == shape


# --- writer and reader are inverse ---------------------------------------------------------------


def lay_out(array, layout):
    if layout == "Fortran":
        return np.array(array, order="F")
    if layout == "transposed":
        return array.T
    if layout == "strided" and array.ndim:
        return np.repeat(array, 2, axis=-1)[..., ::2]
    if layout == "reversed" and array.ndim:
        return array[::-1]
    if layout == "big-endian":
        return array.astype(array.dtype.newbyteorder(">"))
    if layout == "little-endian":
        return array.astype(array.dtype.newbyteorder("<"))
    array.flags.writeable = False
    return array


LAYOUTS = ["plain", "Fortran", "transposed", "strided", "reversed", "big-endian", "little-endian"]


@settings(deadline=None, max_examples=300, database=None)
@given(
    array=st.sampled_from(sorted(CODES)).flatmap(
        lambda kind: hnp.arrays(kind, hnp.array_shapes(min_dims=0, max_dims=5, min_side=0))
    ),
    layout=st.sampled_from(LAYOUTS),
    name=st.sampled_from(["file", "file.gz"]),
)
def test_reading_gives_back_what_was_written(scratch, array, layout, name):
    kind = array.dtype.str[1:]
    array = lay_out(array, layout)
    before = array.tobytes()
    write_idx(scratch / name, array)
    assert array.tobytes() == before
    again = read_idx(scratch / name)
    assert (again.shape, again.dtype.isnative) == (array.shape, True)
    # Bytes, not values: NaN is not equal to itself, and -0.0 is equal to 0.0.
    assert again.tobytes() == array.astype("=" + kind).tobytes()
    content = (scratch / name).read_bytes()
    assert (gzip.decompress(content) if name == "file.gz" else content) == idx_bytes(again)


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_same_array_gives_same_bytes(tmp_path, monkeypatch, ending):
    """Whatever the time, the file's name and the order in memory."""
    array = np.arange(600, dtype=np.int32).reshape(20, 30)
    write_idx(tmp_path / f"a{ending}", array)
    monkeypatch.setattr(time, "time", lambda: 1e9)
    write_idx(tmp_path / f"b{ending}", np.asfortranarray(array.astype(">i4")))
    assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()


@pytest.mark.parametrize(
    "array",
    [np.zeros(2, kind) for kind in ("?", "u2", "u4", "u8", "i8", "f2", "c8", "S3", "U3", "M8[s]")]
    + [np.array([None]), np.zeros(2, [("a", "u1")]), [1, 2], [0.5, True, "x"]],
    ids=lambda array: str(np.asarray(array).dtype),
)
def test_types_that_idx_has_no_code_for(tmp_path, array):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(TypeError) as caught:
        write_idx(path, array)
    assert str(np.asarray(array).dtype) in str(caught.value)
    assert all(name in str(caught.value) for name in ("uint8", "int8", "int16", "int32", "float64"))
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_size_that_four_bytes_cannot_hold_is_refused_before_anything_is_written(tmp_path):
    array = np.broadcast_to(np.uint8(0), (1, 2**32))  # takes one byte of memory
    with pytest.raises(ValueError, match=r"\(1, 4294967296\), expected sizes below 2\*\*32"):
        write_idx(tmp_path / "file", array)
    assert not list(tmp_path.iterdir())


# --- a file appears whole or not at all ----------------------------------------------------------


@pytest.mark.parametrize("name", ["file", "file.gz"])
def test_success_leaves_nothing_but_the_file(tmp_path, name):
    for number in range(2):
        write_idx(tmp_path / name, np.full(5, number, np.uint8))
        assert os.listdir(tmp_path) == [name]
        assert read_idx(tmp_path / name).tolist() == [number] * 5


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "disk full"), KeyboardInterrupt()])
@pytest.mark.parametrize("old", [b"old", None], ids=["over a file", "new"])
@pytest.mark.parametrize("name", ["file", "file.gz"])
def test_failure_while_writing(tmp_path, monkeypatch, name, old, error):
    path = tmp_path / name
    if old:
        path.write_bytes(old)
    real = io.open

    def opened(file, mode="r", *args, **kwargs):
        handle = real(file, mode, *args, **kwargs)
        if any(letter in mode for letter in "wxa+"):
            write = handle.write

            def half(data):
                write(data[: len(data) // 2])
                handle.flush()
                raise error

            handle.write = half
        return handle

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "open", opened)
        patch.setattr(io, "open", opened)
        with pytest.raises(type(error)):
            write_idx(path, np.arange(100, dtype=np.uint8))
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == (
        {name: old} if old else {}
    )


def test_failure_of_the_last_step(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*_):
        raise OSError(errno.EACCES, "in use by another program")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        patch.setattr(os, "rename", fail)
        with pytest.raises(OSError, match="in use"):
            write_idx(path, np.arange(100, dtype=np.uint8))
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


posix_only = pytest.mark.skipif(os.name != "posix", reason="links, modes and pipes are POSIX's")


@posix_only
def test_a_link_stays_a_link_and_what_it_leads_to_is_replaced(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere" / "real")
    write_idx(tmp_path / "link", np.arange(3, dtype=np.uint8))
    assert (tmp_path / "link").is_symlink()
    assert read_idx(tmp_path / "elsewhere" / "real").tolist() == [0, 1, 2]
    assert os.listdir(tmp_path / "elsewhere") == ["real"]


@posix_only
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_a_file_keeps_its_mode(tmp_path, mode):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    write_idx(path, np.arange(3, dtype=np.uint8))
    assert path.stat().st_mode & 0o777 == mode


@posix_only
def test_a_device_is_written_to_and_stays(tmp_path):
    """A pipe stands for all that is no file: as root, a device would have been replaced."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE)
    write_idx(pipe, np.arange(3, dtype=np.uint8))
    assert reader.communicate(timeout=30)[0] == idx_bytes(np.arange(3, dtype=np.uint8))
    assert pipe.is_fifo()
    assert os.listdir(tmp_path) == ["pipe"]


def test_directory_in_the_way(tmp_path):
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError):
        write_idx(tmp_path / "file", np.arange(3, dtype=np.uint8))
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(os.name != "posix", reason="limits on a file's size are POSIX's")
@pytest.mark.parametrize("name", ["file", "file.gz"])
def test_disk_that_really_fills_up(tmp_path, name):
    program = """
import resource, sys
import numpy as np
import mnist_core
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    mnist_core.write_idx(sys.argv[1], np.random.default_rng(0).integers(0, 256, 5000, np.uint8))
except OSError as error:
    print("failed:", error.errno)
"""
    (tmp_path / name).write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / name)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path(mnist_core.__file__).parent)},
    )
    assert done.stdout.strip() == f"failed: {errno.EFBIG}", done.stderr
    assert os.listdir(tmp_path) == [name]
    assert (tmp_path / name).read_bytes() == b"old"


# --- what is said about a bad file ---------------------------------------------------------------

IMAGES = idx_bytes(np.zeros((10, 28, 28), np.uint8))  # 7,856 bytes
LABELS = idx_bytes(np.zeros(10, np.uint8))  # 18 bytes
NOISE = idx_bytes(np.random.default_rng(0).integers(0, 256, (10, 28, 28), np.uint8))


def zip_bytes():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("train-images-idx3-ubyte", IMAGES)
    return buffer.getvalue()


def npy_bytes():
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((10, 28, 28), np.uint8))
    return buffer.getvalue()


def wrong_end(content, position):
    content = bytearray(content)
    content[position] ^= 0xFF
    return bytes(content)


def header(rank, *sizes, code=0x08):
    return struct.pack(f">HBB{len(sizes)}I", 0, code, rank, *sizes)


IMAGES_ONLY, LABELS_ONLY = {"magic": 2051}, {"magic": 2049}
AGAIN = "download it again"

# Name, content, arguments, what the message must hold besides "found", "expected", "Likely cause".
BAD = [
    (
        "header little-endian",
        struct.pack("<I3I", 0x0803, 10, 28, 28) + bytes(7840),
        IMAGES_ONLY,
        ("03 08 00 00", "little-endian", "2051", "00 00, a type code"),
    ),
    (
        "header little-endian, doubles",
        struct.pack("<II", 0x0E01, 1) + bytes(8),
        {},
        ("01 0e 00 00", "little-endian"),
    ),
    (
        "sizes little-endian",
        struct.pack(">I", 0x0803) + struct.pack("<3I", 10, 28, 28) + bytes(7840),
        IMAGES_ONLY,
        ("little-endian", "(10, 28, 28)", "found 7,856 bytes", str((10 << 24, 28 << 24, 28 << 24))),
    ),
    (
        "HTML",
        b"<!DOCTYPE html>\n<html><body>403 Forbidden</body></html>",
        {},
        ("3c 21 44 4f", "HTML", "failed download", AGAIN),
    ),
    ("HTML after blank lines", b"\r\n\r\n\t <html>", {}, ("0d 0a 0d 0a", "HTML", AGAIN)),
    ("XML", b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', {}, ("XML", AGAIN)),
    ("JSON", b'{"message": "Not Found"}', {}, ("JSON", "7b 22 6d 65", AGAIN)),
    ("zip", zip_bytes(), {}, ("50 4b 03 04", "zip", "unpack")),
    ("npy", npy_bytes(), {}, ("93 4e 55 4d", ".npy", "numpy.load")),
    ("picture", b"\x89PNG\r\n\x1a\n" + bytes(50), {}, ("89 50 4e 47", "PNG")),
    ("bzip2", b"BZh91AY&SY", {}, ("bzip2",)),
    ("xz", b"\xfd7zXZ\x00\x00", {}, ("xz",)),
    ("LFS pointer", b"version https://git-lfs.github.com/spec/v1\n", {}, ("Git LFS",)),
    ("text", b"five zero four one nine", {}, ("66 69 76 65", "another kind of file")),
    ("unknown type code", header(1, 4, code=0x0A) + bytes(4), {}, ("00 00 0a 01", "08, 09, 0b")),
    ("first byte not zero", b"\x01" + LABELS[1:], {}, ("01 00 08 01", "00 00, a type code")),
    ("empty", b"", {}, ("0 bytes", "at least 4", AGAIN)),
    ("three bytes", b"\0\0\x08", {}, ("3 bytes", "at least 4", AGAIN)),
    ("header breaks off", IMAGES[:10], {}, ("10 bytes", "16", "truncated", AGAIN)),
    ("only the magic number", IMAGES[:4], {}, ("4 bytes", "16", "truncated")),
    (
        "body breaks off",
        header(3, 60_000, 28, 28) + bytes(984),
        IMAGES_ONLY,
        ("found 1,000 bytes", "expected 47,040,016 for", "(60000, 28, 28)", "truncated", AGAIN),
    ),
    ("one byte short", IMAGES[:-1], {}, ("found 7,855 bytes", "expected 7,856 for", "truncated")),
    ("no body", LABELS[:8], {}, ("found 8 bytes", "expected 18 for", "truncated")),
    (
        "half an element",
        idx_bytes(np.zeros(3, np.float64))[:-4],
        {},
        ("found 28 bytes", "expected 32 for", "8-byte elements"),
    ),
    (
        "a byte too many",
        IMAGES + b"\0",
        {},
        ("found 7,857 bytes", "expected 7,856 for", "trailing"),
    ),
    ("labels as images", LABELS, IMAGES_ONLY, ("2049", "2051", "labels given as images", "names")),
    ("images as labels", IMAGES, LABELS_ONLY, ("2051", "2049", "images given as labels", "names")),
    (
        "floats as images",
        idx_bytes(np.zeros((1, 28, 28), np.float32)),
        IMAGES_ONLY,
        (str(0x0D03), "2051", "images"),
    ),
    ("65 dimensions", header(65, *[1] * 65) + b"\7", {}, ("64 dimensions", "damaged header")),
    ("255 empty dimensions", header(255, *[0] * 255), {}, ("64 dimensions",)),
    (
        "nothing times too much",
        header(4, 0, *[2**32 - 1] * 3),
        {},
        ("(0, 4294967295, 4294967295, 4294967295)", "multiply"),
    ),
    (
        "far too much",
        header(255, *[2**32 - 1] * 255) + b"\7",
        {},
        ("found 1,025 bytes", "truncated"),
    ),
]


def error_of(path, **arguments):
    with pytest.raises(IDXError) as caught:
        read_idx(path, **arguments)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "found" in message
    assert "expected" in message
    assert "Likely cause: " in message
    return message


@pytest.mark.parametrize("compressed", [False, True], ids=["raw", "gzip"])
@pytest.mark.parametrize(
    ("content", "arguments", "says"), [c[1:] for c in BAD], ids=[c[0] for c in BAD]
)
def test_bad_content(tmp_path, content, arguments, says, compressed):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(gzip.compress(content) if compressed else content)
    message = error_of(path, **arguments)
    assert [part for part in says if part not in message] == []


PACKED = gzip.compress(NOISE)

BAD_GZIP = [
    ("compressed twice", gzip.compress(PACKED), ("twice", "1f 8b")),
    ("wrong CRC", wrong_end(PACKED, -8), ("gzip", "damaged")),
    ("wrong length", wrong_end(PACKED, -4), ("gzip", "damaged")),
    ("damage in the middle", wrong_end(PACKED, len(PACKED) // 2), ("gzip", "damaged")),
    ("damaged header", wrong_end(PACKED, 2), ("gzip", "damaged")),
    ("only the mark", PACKED[:2], ("gzip", "break off", AGAIN)),
    ("half the gzip header", PACKED[:6], ("gzip", "break off", AGAIN)),
    ("only the gzip header", PACKED[:10], ("gzip", "break off", AGAIN)),
    ("half", PACKED[: len(PACKED) // 2], ("gzip", "break off", "interrupted", AGAIN)),
    ("no CRC", PACKED[:-8], ("gzip", "break off", AGAIN)),
    ("one byte short", PACKED[:-1], ("gzip", "break off", AGAIN)),
    ("trailing bytes inside", gzip.compress(NOISE + b"junk"), ("expected 7,856 for", "trailing")),
    ("a second member", PACKED + gzip.compress(b"junk"), ("expected 7,856 for", "trailing")),
    ("trailing bytes outside", PACKED + b"junk", ("gzip",)),
]


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte.gz", "train-images-idx3-ubyte"])
@pytest.mark.parametrize(
    ("content", "says"), [c[1:] for c in BAD_GZIP], ids=[c[0] for c in BAD_GZIP]
)
def test_bad_gzip(tmp_path, content, says, name):
    path = tmp_path / name
    path.write_bytes(content)
    message = error_of(path)
    assert [part for part in says if part not in message] == []


def test_damage_hidden_by_wrong_numbers_in_an_empty_array(tmp_path):
    """Nothing is left to read, but the CRC is still to be checked."""
    path = tmp_path / "file.gz"
    path.write_bytes(wrong_end(gzip.compress(idx_bytes(np.zeros(0, np.uint8))), -8))
    assert "damaged" in error_of(path)


def test_idx_error_is_a_value_error_and_not_one_of_the_system():
    assert issubclass(IDXError, ValueError)
    assert not issubclass(IDXError, OSError)


def test_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "nothing")


def test_directory_instead_of_a_file(tmp_path):
    with pytest.raises(OSError):
        read_idx(tmp_path)


# --- what a header only promises is never allocated ----------------------------------------------


def peak_and_error(path):
    error_of(path)  # the first error imports and caches things
    start = time.process_time()
    tracemalloc.start()
    try:
        message = error_of(path)
        return tracemalloc.get_traced_memory()[1], message
    finally:
        tracemalloc.stop()
        assert time.process_time() - start < 5


@pytest.mark.parametrize("compressed", [False, True], ids=["raw", "gzip"])
@pytest.mark.parametrize(
    ("sizes", "code"),
    [((13_000_000, 28, 28), 0x08), ((2**32 - 1,), 0x0E), ((2**16, 2**16), 0x0D)],
)
def test_big_promise_and_small_file(tmp_path, sizes, code, compressed):
    path = tmp_path / "file"
    content = header(len(sizes), *sizes, code=code) + bytes(1000)
    path.write_bytes(gzip.compress(content) if compressed else content)
    peak, message = peak_and_error(path)
    assert peak < 1_500_000
    assert f"found {len(content):,} bytes" in message


@pytest.mark.parametrize("promised", [0, 1000, 500_000])
def test_gzip_bomb(tmp_path, promised):
    path = tmp_path / "file.gz"
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    million = bytes(1 << 20)
    with open(path, "wb") as file:
        file.write(packer.compress(header(1, promised)))
        for _ in range(200):
            file.write(packer.compress(million))
        file.write(packer.flush())
    peak, message = peak_and_error(path)
    assert peak < 3_000_000
    assert f"expected {8 + promised:,} for" in message


def test_a_truthful_file_that_unpacks_to_more_than_the_limit(tmp_path):
    """Ten million zeros are ten thousand bytes on the disk, and nothing in them is a lie."""
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(idx_bytes(np.zeros(10_000_000, np.uint8))))
    assert path.stat().st_size < 20_000
    tracemalloc.start()
    try:
        with pytest.raises(IDXError, match=r"more than 1,000,000 bytes.*pass a higher limit"):
            read_idx(path, limit=1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert len(read_idx(path)) == 10_000_000
    assert len(read_idx(path, limit=10_000_000)) == 10_000_000


def test_reading_needs_little_more_than_the_result(tmp_path):
    for name in ("file", "file.gz"):
        write_idx(tmp_path / name, np.zeros((4000, 1000), np.uint8))
        tracemalloc.start()
        try:
            read_idx(tmp_path / name)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 2.5 * 4_000_000


# --- anything at all: read as valid, or an IDXError ----------------------------------------------


def check_any(path, data):
    path.write_bytes(data)
    try:
        content = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (EOFError, OSError, zlib.error):
        content = b""
    if is_whole_idx(content):
        assert idx_bytes(read_idx(path)) == content
    else:
        error_of(path)


VALID = [
    idx_bytes(np.arange(24, dtype=kind).reshape(shape))
    for kind, shape in [("u1", (2, 3, 4)), ("i2", (24,)), ("f8", (4, 6)), ("i4", (1, 24, 1))]
] + [idx_bytes(np.array(7, np.float32)), idx_bytes(np.zeros((0, 3), np.int8)), LABELS]


@st.composite
def mutated(draw):
    data = bytearray(draw(st.sampled_from(VALID)))
    compressed = draw(st.sampled_from(["never", "first", "last"]))
    if compressed == "first":
        data = bytearray(gzip.compress(data, mtime=0))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, min(len(data), draw(st.sampled_from([4, 20, 1000])))))
        removed = draw(st.sampled_from([0, 0, 1, 1, 2, 4, 1000]))
        data[at : at + removed] = draw(st.binary(max_size=removed if removed < 5 else 3))
    return gzip.compress(data, mtime=0) if compressed == "last" else bytes(data)


@settings(deadline=None, max_examples=1000, database=None)
@given(data=mutated())
def test_mutations_of_a_valid_file(scratch, data):
    check_any(scratch / "mutated", data)


@settings(deadline=None, max_examples=500, database=None)
@given(
    start=st.sampled_from([b"", b"\0\0", b"\0\0\x08\x01", b"\0\0\x0d\x02\0\0\0", b"\x1f\x8b\x08"]),
    rest=st.binary(max_size=300),
)
def test_random_bytes(scratch, start, rest):
    check_any(scratch / "random", start + rest)
