"""The switches of the page are those of the catalogue; the digits of the page are what they say."""

import base64
import gzip
import json
import zlib

import numpy as np
import pytest
from lab_scripts import PAGE

from mnist_book.dataset import load_practice_digits
from mnist_book.diagnosis.catalogue import CATALOGUE, entry
from mnist_book.lab import digits as lab_digits
from mnist_book.lab.digits import pack, script
from mnist_book.lab.switches import GROUPS, SCRIPT, SWITCHES
from mnist_book.lab.switches import script as switches_script


def test_the_page_has_the_words_of_the_catalogue():
    assert SCRIPT.read_text("utf-8") == switches_script(entry), "python tools/lab_switches.py"


def test_every_switch_says_what_it_does():
    assert len({switch.id for switch in SWITCHES}) == len(SWITCHES)
    for switch in SWITCHES:
        content = switch.content(entry)
        assert content["group"] in GROUPS
        assert content["name"] and content["wrong"] and content["right"], switch.id
        assert content["wrong"] != content["right"], switch.id
        assert switch.harmless or content["code"] in CATALOGUE, switch.id


def test_every_switch_is_known_to_the_arithmetic():
    source = (PAGE / "arithmetic.js").read_text("utf-8")
    unknown = [
        switch.id
        for switch in SWITCHES
        if f'"{switch.id}"' not in source
        and f'has("{switch.id.removeprefix("softmax.")}")' not in source
    ]
    assert not unknown


UNPACK = """async (given) => {
  const { source, images, labels, train } = await MnistLab.unpackDigits(given);
  return { source, images: [...images], labels: [...labels], train };
}"""


@pytest.fixture(scope="module")
def practice():
    return load_practice_digits()


def test_packed_digits_have_16_grey_levels(practice):
    packed = pack(practice, train=30, test=10)
    pairs = np.frombuffer(zlib.decompress(base64.b64decode(packed["pixels"])), np.uint8)
    pixels = np.stack([pairs >> 4, pairs & 15], axis=1).reshape(40, 784) * 17
    images = np.concatenate([practice.train_images[:30], practice.test_images[::100]])
    assert np.abs(pixels - images.reshape(40, 784).astype(int)).max() <= 8
    labels = np.concatenate([practice.train_labels[:30], practice.test_labels[::100]])
    assert packed["labels"] == "".join(map(str, labels))
    assert (packed["train"], packed["source"]) == (
        30,
        "practice digits: 30 for training, 10 for testing",
    )


def test_the_script_with_the_digits_is_small(practice):
    text = script(practice)
    assert len(text) < 600_000
    assert json.loads(text[text.index("{") : text.rindex("}") + 1])["train"] == lab_digits.TRAIN


def test_without_mnist_the_page_gets_practice_digits_and_nothing_is_downloaded(
    monkeypatch, tmp_path
):
    monkeypatch.setenv("MNIST_DIR", str(tmp_path))
    monkeypatch.setattr("mnist_book.dataset.DATA", tmp_path)
    monkeypatch.setattr("mnist_book.dataset._download", None)
    asked = []
    monkeypatch.setattr(
        lab_digits, "load_practice_digits", lambda: asked.append("practice") or "digits"
    )
    assert lab_digits.digits_at_hand() == "digits"
    assert asked == ["practice"]


def test_all_scripts_together_are_small():
    together = sum(len(gzip.compress(path.read_bytes())) for path in PAGE.glob("*.js"))
    assert together < 64_000
