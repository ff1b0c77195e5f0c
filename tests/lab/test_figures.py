"""The laboratory reaches the figures that chapters state, on MNIST: read off the stored outputs."""

import json
import re

import pytest
from lab_scripts import PAGE

from mnist_book.dataset import load_mnist
from mnist_book.lab.digits import pack
from mnist_core import IDXError

BOOK = PAGE.parents[2] / "book"
ACCURACIES = """async ({ packed, jobs }) => {
  const digits = await MnistLab.unpackDigits(packed);
  return jobs.map(({ settings, steps, seeds }) => seeds.map((seed) => {
    const all = MnistLab.complete({ ...settings, seed });
    const network = new MnistLab.Network(all), batches = new MnistLab.Batches(digits, all);
    for (let step = 0; step < steps; step++) {
      const { x, labels } = batches.draw();
      network.lossAndGradients(x, labels, all.batch);
      network.step(all.batch);
    }
    return MnistLab.examine(network, batches, 600).accuracy;
  }));
}"""
STEPS = 80  # one pass over 4,000 pictures in batches of 50, as in chapter 7
RAW = r"raw pixels, first weights / 1    rate 0.001   (.*)"
FIGURES = [  # chapter, the line of an output that states it, settings, steps
    ("07-training", r"scaled pixels, .* rate 0.1     (.*)", {}, STEPS),
    ("07-training", RAW, {"rate": 0.001, "bugs": ["data.not_scaled"]}, STEPS),
    ("07-training", r"right shuffle    (.*)   last", {}, STEPS),
    ("07-training", r"rows swapped     (.*)   last", {"bugs": ["data.rows_swapped"]}, STEPS),
    ("07-training", r"labels alone     (.*)   last", {"bugs": ["data.labels_shuffled"]}, STEPS),
    ("07-training", r"sorted by digit  (.*)   last", {"bugs": ["train.not_shuffled"]}, STEPS),
    (
        "05-initialization",
        r"one sign, to 1      (.*)",
        {"batch": 100, "bugs": ["init.positive"]},
        100,
    ),
]


@pytest.fixture(scope="module")
def packed():
    try:
        return pack(load_mnist(download=False))
    except (OSError, IDXError):
        pytest.skip("MNIST is not at hand")


def stated(chapter, line):
    """Read "89.8 % ± 0.5" off a chapter's stored outputs."""
    cells = json.loads((BOOK / f"{chapter}.ipynb").read_text("utf-8"))["cells"]
    texts = ["".join(o.get("text", "")) for c in cells for o in c.get("outputs", [])]
    (found,) = re.findall(line, "\n".join(texts))
    mean, spread = re.fullmatch(r"([\d.]+) % ± ([\d.]+)\s*", found).groups()
    return float(mean), float(spread)


def test_presets_reach_what_chapters_state(run, packed):
    # The pictures that judge are others than the chapter's, and 600 of them settle a share to about
    # 1.4 points: so there is some room.
    jobs = [
        {"settings": {"batch": 50} | settings, "steps": steps, "seeds": [1, 2, 3]}
        for _, _, settings, steps in FIGURES
    ]
    found = run(ACCURACIES, {"packed": packed, "jobs": jobs})
    far = []
    for (chapter, line, settings, _), accuracies in zip(FIGURES, found, strict=True):
        mean, spread = stated(chapter, line)
        ours = 100 * sum(accuracies) / len(accuracies)
        if abs(ours - mean) > 2 * spread + 4:
            far.append((chapter, settings.get("bugs"), mean, round(ours, 1)))
    assert not far
