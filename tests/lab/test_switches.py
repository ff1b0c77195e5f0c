"""The switches of the page are those of the catalogue; the digits of the page are what they say."""

import base64
import gzip
import json
import re
import zlib
from types import SimpleNamespace

import numpy as np
import pytest
from lab_scripts import COMPUTING, NODE, PAGE

from mnist_book.dataset import Digits, load_practice_digits
from mnist_book.diagnosis.catalogue import CATALOGUE, entry
from mnist_book.lab import digits as lab_digits
from mnist_book.lab.digits import NAME, pack, script, without_comments
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


def test_packed_digits_have_16_grey_levels(practice, run):
    packed = pack(practice, train=30, test=10)
    pairs = np.frombuffer(zlib.decompress(base64.b64decode(packed["pixels"])), np.uint8)
    pixels = np.stack([pairs >> 4, pairs & 15], axis=1).reshape(40, 784) * 17
    images = np.concatenate([practice.train_images[:30], practice.test_images[::100]])
    assert np.abs(pixels - images.reshape(40, 784).astype(int)).max() <= 8
    labels = np.concatenate([practice.train_labels[:30], practice.test_labels[::100]])
    assert packed["labels"] == "".join(map(str, labels))
    source = "practice digits: 30 for training, 10 for testing"
    assert (packed["train"], packed["source"]) == (30, source)
    unpacked = run(UNPACK, packed)
    assert np.array_equal(unpacked["images"], pixels.ravel())
    assert (unpacked["labels"], unpacked["train"]) == (labels.tolist(), 30)


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


def test_a_page_loads_less_than_60_kilobytes():
    sources = {path.name: path.read_text("utf-8") for path in PAGE.glob("*.js")}
    del sources["lab-notebook.js"]  # which a page does not load
    served = [gzip.compress(without_comments(source).encode()) for source in sources.values()]
    assert sum(map(len, served)) < 60_000


def test_comments_on_lines_of_their_own_are_left_out_and_nothing_else():
    source = """// One.
    /** Two, over
     * some lines. */
    const a = "// no comment"; // stays
    /* stays */ const b = 1;
"""
    assert without_comments(source) == (
        '    const a = "// no comment"; // stays\n    /* stays */ const b = 1;\n'
    )


def test_the_built_site_has_the_digits_and_short_scripts(monkeypatch, tmp_path, practice):
    some = practice.train_images[:20], practice.train_labels[:20]
    few = Digits(*some, practice.test_images[:10], practice.test_labels[:10], "a few")
    monkeypatch.setattr(lab_digits, "digits_at_hand", lambda: few)
    handlers = {}
    builder = SimpleNamespace(format="html")
    app = SimpleNamespace(outdir=tmp_path, builder=builder, connect=handlers.__setitem__)
    lab_digits.setup(app)
    handlers["build-finished"](app, None)
    static = tmp_path / "_static"
    assert {path.name for path in static.iterdir()} == {path.name for path in PAGE.glob("*.js")} | {
        NAME
    }
    assert (static / NAME).read_text("ascii") == script(few)
    for path in static.glob("*.js"):
        assert not re.search(r"^ *(//|/\*\*)", path.read_text("utf-8"), re.MULTILINE), path.name


def test_scripts_without_comments_do_the_same(in_node, tmp_path):
    if NODE is None:
        pytest.skip("no Node")
    for name in COMPUTING:
        text = without_comments((PAGE / name).read_text("utf-8"))
        (tmp_path / name).write_text(text, "utf-8")
    code = """() => {
      const network = new MnistLab.Network(MnistLab.complete({ hidden: [10] }));
      const x = Float64Array.from({ length: 7840 }, (_, i) => (i % 7) / 7);
      const loss = network.lossAndGradients(x, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 10);
      const { CASES, SWITCHES, INSTRUMENTS } = MnistLab;
      return [loss, [...network.dWeights[0]], CASES, SWITCHES, INSTRUMENTS];
    }"""
    short, whole = (
        in_node(code, None, [folder / name for name in COMPUTING]) for folder in (tmp_path, PAGE)
    )
    assert short == whole
