"""The laboratory's presets reach the figures that chapters state, on MNIST: read off their outputs.

What can't be held against each other, and why: chapter 3 trains a single layer, and the laboratory
has a hidden one, so that only first losses, and what ends in nan, are alike. Chapter 4's networks
that saw 20,000 pictures once read more than those of the laboratory, which see 4,000 five times;
what a bug costs is alike all the same. Its sigmoid, chapter 2's star in one direction, chapter 5's
arms with signs of their own, chapter 6's random matrices and chapter 9's error of the hidden layer
and commits have no switch. Three layers of chapter 6 differ so much from seed to seed that five of
them decide nothing.
"""

import json
import re
from dataclasses import replace
from statistics import mean, stdev

import pytest
from lab_scripts import PAGE

from mnist_book.dataset import load_mnist
from mnist_book.lab.digits import pack
from mnist_core import IDXError

BOOK = PAGE.parents[2] / "book"
RUNS = """async ({ test, held, jobs }) => {
  const unpack = MnistLab.unpackDigits;
  const judges = { test: await unpack(test), held: await unpack(held) };
  return jobs.map(({ preset, judge, change, steps, seeds }) => seeds.map((seed) => {
    const { settings, until } = MnistLab.PRESETS[preset], losses = [];
    const all = MnistLab.complete({ ...settings, ...change, seed });
    const network = new MnistLab.Network(all), batches = new MnistLab.Batches(judges[judge], all);
    for (let step = 0; step < (steps ?? until); step++) {
      const { x, labels } = batches.draw();
      losses.push(network.lossAndGradients(x, labels, all.batch));
      network.step(all.batch);
      if (!network.isFinite()) break;
    }
    return { first: losses[0], accuracy: 100 * MnistLab.examine(network, batches, 600).accuracy };
  }));
}"""
CHAPTERS = {
    path.name[:2]: path
    for path in sorted(BOOK.glob("0[2-9]-*.ipynb"))
    if path.name[:2] in {"02", "03", "04", "05", "06", "07", "09"}
}
HELD = ("04", "05")  # judged by the last of the training pictures, which are easier to read
FOUR = ("data.labels_shuffled", "softmax.global_sum", "gradients.scale", "init.half")


def but(*mended):
    return {"bugs": [bug for bug in FOUR if bug not in mended]}


SEEDS = [1, 2]
SHORT = 60  # one pass over 6,000 pictures
NO_MAXIMUM = {"rate": 1, "bugs": ["softmax.axis", "softmax.overflow"]}
PLAIN = {"bugs": ["leaky_relu.plain"]}
NO_ELSE = {"bugs": ["leaky_relu.no_else"]}
TEN = {"hidden": [10]}
FIGURES = [  # chapter, the line of an output that states it, what is changed in the preset, steps
    ("02", r"a1 @ w2: (.*% ± .*) \(", {"bugs": []}, None),
    ("02", r"a1 \* w2: (.*% ± .*) \(", {}, None),
    ("03", r"pictures .* (\d.*% ± \S+)$", NO_MAXIMUM, None),
    ("04", r"rate 0.5, leak    0: (.*) never", PLAIN, SHORT),
    ("04", r"rate 0.1, leak    0: (.*) never", {"rate": 0.1} | PLAIN, SHORT),
    ("04", r"rate   2, leak 0.01: (.*) never", {"rate": 2, "bugs": []}, SHORT),
    ("04", r"else missing, leak 0.01: (.*)", NO_ELSE, SHORT),
    ("04", r"else missing, leak  0.3: (.*)", {"slope": 0.3} | NO_ELSE, SHORT),
    ("04", r"derivative at z1: (.*)", TEN | {"bugs": []}, SHORT),
    ("04", r"derivative at z2: (.*)", TEN | {"bugs": ["relu_gradient.other_z"]}, SHORT),
    ("05", r"^one sign, to 1 +(\S+ % ± .*)", {}, None),
    ("05", r"^one sign, to 0.1 +(\S+ % ± .*)", {"bugs": ["init.one_sign"]}, None),
    ("05", r"^rate 0.1: (.*)", {"bugs": []}, None),
    ("05", r"^rate 0.5: (.*)", {"bugs": [], "rate": 0.5}, None),
    ("05", r"^32 clones: (.*)", {"bugs": ["init.symmetric"]}, None),
    ("06", r"^d_z @ w.T (.*)", {"bugs": []}, None),
    ("06", r"^d_z @ w  (.*)", {}, None),
    ("07", r"scaled pixels, .* rate 0.1     (.*)", {"bugs": []}, None),
    ("07", r"raw pixels, first weights / 1    rate 0.001   (.*)", {"rate": 0.001}, None),
    ("07", r"rows swapped     (.*)   last", {"bugs": ["data.rows_swapped"]}, None),
    ("07", r"labels alone     (.*)   last", {"bugs": ["data.labels_shuffled"]}, None),
    ("07", r"sorted by digit  (.*)   last", {"bugs": ["train.not_shuffled"]}, None),
    ("09", r"^all four bugs  (.*)", {}, None),
    ("09", r"^without labels apart (.*)", but("data.labels_shuffled"), None),
    ("09", r"^without one sum (.*)", but("softmax.global_sum"), None),
    ("09", r"^without divided by 10 (.*)", but("gradients.scale"), None),
    ("09", r"^without all four (.*)", but(*FOUR[:3]), None),
]
ZEROS = ["init.zeros"]
FIRST_LOSSES = [  # of a batch, before the first step
    (r"digits     loss (.*) ->", ZEROS),
    (r"pictures   loss (.*) ->", [*ZEROS, "softmax.axis"]),
    (r"everything loss (.*) ->", [*ZEROS, "softmax.global_sum"]),
]


@pytest.fixture(scope="module")
def runs(run):
    """Train presets with changes, on the pictures that come with the page."""
    try:
        mnist = load_mnist(download=False)
    except (OSError, IDXError):
        pytest.skip("MNIST is not at hand")
    last = {
        "test_images": mnist.train_images[-2000:],
        "test_labels": mnist.train_labels[-2000:],
    }
    judges = {"test": pack(mnist), "held": pack(replace(mnist, **last))}

    def runs(*jobs):
        asked = [
            {
                "preset": f"chapter-{int(chapter)}",
                "judge": "held" if chapter in HELD else "test",
                "change": change,
                "steps": steps,
                "seeds": seeds,
            }
            for chapter, change, steps, seeds in jobs
        ]
        return run(RUNS, judges | {"jobs": asked})

    return runs


def stated(chapter, line):
    """Read what the outputs of a chapter say in the only line that looks like this."""
    cells = json.loads(CHAPTERS[chapter].read_text("utf-8"))["cells"]
    texts = ["".join(o.get("text", "")) for c in cells for o in c.get("outputs", [])]
    (found,) = set(re.findall(line, "\n".join(texts), re.MULTILINE))
    return found


def mean_and_spread(text):
    """Read "89.8 % ± 0.5", or the shares of several seeds: "83.2%  84.2%"."""
    numbers = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", text)]
    return numbers if "±" in text else (mean(numbers), stdev(numbers))


def test_presets_reach_what_chapters_state(runs):
    expected = [mean_and_spread(stated(chapter, line)) for chapter, line, _, _ in FIGURES]
    jobs = [
        (chapter, change, steps, SEEDS if spread else SEEDS[:1])
        for (chapter, _, change, steps), (_, spread) in zip(FIGURES, expected, strict=True)
    ]
    far = []
    for (_, line, *_), (wanted, spread), results in zip(
        FIGURES, expected, runs(*jobs), strict=True
    ):
        shares = [result["accuracy"] for result in results]
        widest = max(spread, stdev(shares)) if spread else 0
        # Fewer pictures teach and judge: 600 of them settle a share to about 1.4 points.
        if abs(mean(shares) - wanted) > 2 * widest + 4:
            far.append((line, wanted, spread, shares))
    assert not far


def test_a_first_loss_says_how_many_exponentials_were_added_up(runs):
    found = runs(*(("03", {"bugs": bugs}, 1, [1]) for _, bugs in FIRST_LOSSES))
    for (line, _), [result] in zip(FIRST_LOSSES, found, strict=True):
        assert f"{result['first']:.2f}" == stated("03", line).strip()


def test_a_derivative_of_1_costs_what_chapter_4_states(runs):
    right, wrong = runs(*(("04", change, None, SEEDS) for change in (PLAIN, {})))
    pairs = zip(right, wrong, strict=True)
    ours = mean(better["accuracy"] - worse["accuracy"] for better, worse in pairs)
    expected, spread = mean_and_spread(stated("04", r"lost, seed by seed:  (.*) points"))
    assert max(0, expected - 2 * spread) < ours < expected + 2 * spread
