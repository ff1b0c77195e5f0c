"""The laboratory trains as the core does, and with a bug as NumPy does with the same bug."""

import base64
import itertools
from typing import NamedTuple

import numpy as np
import pytest
from lab_scripts import COMPUTING, NODE, PAGE
from numpy_lab import CLASSES, Program, Random, batches, first_weights

import mnist_core
from mnist_book.dataset import load_practice_digits
from mnist_book.lab.switches import SWITCHES

TRAIN, TEST = 640, 64
DEFAULTS = {"seed": 1, "hidden": [16], "batch": 32, "rate": 0.1, "momentum": 0, "slope": 0.01}
SQUARE = {"hidden": [32, 32]}
# Trains networks; of each it returns losses and parameters, all weights first, then all biases.
TRAIN_THEM = """({ digits, jobs }) => {
  const { Network, Batches, complete } = MnistLab;
  const decoded = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const bytes = (given) => (typeof given === "string" ? decoded(given) : given);
  const given = { images: bytes(digits.images), labels: bytes(digits.labels), train: digits.train };
  const text = (arrays) => {
    const all = Float64Array.from(arrays.flatMap((array) => [...array]));
    let letters = "";
    for (const byte of new Uint8Array(all.buffer)) letters += String.fromCharCode(byte);
    return btoa(letters);
  };
  return jobs.map(({ settings, steps }) => {
    const all = complete(settings), network = new Network(all), batches = new Batches(given, all);
    const losses = [];
    for (let step = 0; step < steps; step++) {
      const { x, labels } = batches.draw();
      losses.push(network.lossAndGradients(x, labels, all.batch));
      network.step(all.batch);
    }
    return { losses: text([losses]), parameters: text([...network.weights, ...network.biases]) };
  });
}"""


def encoded(array):
    return base64.b64encode(array.astype(np.uint8).tobytes()).decode("ascii")


def decoded(text):
    return np.frombuffer(base64.b64decode(text))


@pytest.fixture(scope="module")
def digits():
    digits = load_practice_digits()
    return digits.train_images[: TRAIN + TEST], digits.train_labels[: TRAIN + TEST]


@pytest.fixture(scope="module")
def given(digits):
    images, labels = digits
    return {"images": encoded(images), "labels": encoded(labels), "train": TRAIN}


@pytest.fixture(scope="module")
def train(run, given):
    def train(jobs):
        answers = run(TRAIN_THEM, {"digits": given, "jobs": jobs})
        return [(decoded(a["losses"]), decoded(a["parameters"])) for a in answers]

    return train


def flat(arrays):
    return np.concatenate([np.ravel(array) for array in arrays])


def test_the_generator_is_the_one_of_the_tests(run):
    drawn = run(
        """({ seeds }) => seeds.map((seed) => {
          const random = new MnistLab.Random(seed, seed % 3), take = (name) => random[name]();
          return [take("uniform"), take("uniform"), take("normal"), take("normal"),
            ...random.permutation(20), random.below(7)];
        })""",
        {"seeds": [0, 1, 2, 17, 12345678]},
    )
    for seed, found in zip([0, 1, 2, 17, 12345678], drawn, strict=True):
        rng = Random(seed, seed % 3)
        expected = [rng.uniform(), rng.uniform(), rng.normal(), rng.normal()]
        expected += [*rng.permutation(20), int(7 * rng.uniform())]
        assert np.allclose(found, expected, rtol=1e-14, atol=0)


def test_exp_and_log_are_those_of_numpy(run):
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(-745, 709.7, 2000), rng.normal(0, 1e-3, 500), [0, -746, 710]])
    y = np.concatenate([np.exp(rng.uniform(-700, 700, 2000)), rng.uniform(0.9, 1.1, 500), [5e-324]])
    exps, logs = run(
        "({ x, y }) => [x.map(MnistLab.exp).map(String), y.map(MnistLab.log)]",
        {"x": x.tolist(), "y": y.tolist()},
    )
    with np.errstate(over="ignore", under="ignore"):
        assert np.allclose(np.array(exps, float), np.exp(x), rtol=5e-16, atol=5e-324)
    assert np.allclose(logs, np.log(y), rtol=5e-16, atol=1e-18)


RIGHT = [
    {},
    {"seed": 2, "hidden": [32, 32], "momentum": 0.9, "rate": 0.05},
    {"seed": 3, "hidden": [10], "batch": 10, "slope": 0.3},
    {"seed": 4, "hidden": [20, 12], "batch": 48, "slope": 0, "deviations": [0.1, 0.2]},
]


def test_without_a_bug_it_is_the_core(train, digits):
    jobs = [{"settings": DEFAULTS | change | {"bugs": []}, "steps": 100} for change in RIGHT]
    for job, (losses, parameters) in zip(jobs, train(jobs), strict=True):
        settings = job["settings"]
        expected_losses, network = train_core(settings, job["steps"], *digits)
        expected = flat([*network.weights, *network.biases])
        assert np.abs(parameters - expected).max() < 1e-9
        assert np.abs(losses - expected_losses).max() < 1e-9


def train_core(settings, steps, images, labels):
    """Train with mnist_core, from the laboratory's weights and on its batches."""
    sizes = (784, *settings["hidden"], CLASSES)
    network = mnist_core.Network(
        sizes, slope=settings["slope"], rng=np.random.default_rng(0), dtype=np.float64
    )
    for weights, drawn in zip(network.weights, first_weights(settings), strict=True):
        weights[...] = drawn
    velocity, losses = np.zeros_like(network.vector), []
    drawn = batches(images[:TRAIN], labels[:TRAIN], settings)
    for x, y in itertools.islice(drawn, steps):
        buffers = mnist_core.Buffers(network, len(x))
        losses.append(network.loss_and_gradients(x, y, buffers)[0])
        velocity *= settings["momentum"]
        velocity -= settings["rate"] * buffers.vector
        network.vector += velocity
    return np.array(losses), network


# Where numbers grow by orders of magnitude with each step, rounding does, too.
FEW_STEPS = {"data.not_scaled": 4, "train.rate_too_high": 4, "init.positive": 6}


def planted(bugs, **change):
    settings = DEFAULTS | {"bugs": bugs} | change
    if any(switch.needs for switch in SWITCHES if switch.id in bugs):
        settings |= SQUARE
    return settings


def trained_in_numpy(job, digits):
    """Return losses and parameters of a job, computed by NumPy."""
    settings, steps = job["settings"], job["steps"]
    program = Program(settings, first_weights(settings))
    with np.errstate(all="ignore"):
        drawn = batches(digits[0][:TRAIN], digits[1][:TRAIN], settings)
        losses = [program.step(*batch) for batch in itertools.islice(drawn, steps)]
    return np.array(losses), flat(program.parameters)


def test_each_bug_is_the_bug_in_numpy(train, digits):
    jobs = [
        {"settings": planted([s.id], momentum=0.5), "steps": FEW_STEPS.get(s.id, 30)}
        for s in SWITCHES
    ]
    for bugs in (
        ["softmax.axis", "softmax.overflow"],
        ["softmax.overflow", "data.not_scaled"],
        ["gradients.bias", "train.rates_differ"],
    ):
        jobs.append({"settings": planted(bugs), "steps": 4 if "data.not_scaled" in bugs else 20})
    # A second hidden layer, for those that pass through it on the way back.
    for bug in ("gradients.missing_activation", "gradients.inputs", "leaky_relu.no_else"):
        jobs.append({"settings": planted([bug], **SQUARE), "steps": 20})
    trained = train(jobs)
    right = train([{"settings": planted([]), "steps": 30}])[0][1]
    for job, (losses, parameters) in zip(jobs, trained, strict=True):
        expected_losses, expected = trained_in_numpy(job, digits)
        name = job["settings"]["bugs"]
        assert same(parameters, expected), name
        assert same(losses, expected_losses), name
        if name != ["softmax.overflow"]:  # which waits for scores above 709
            assert len(parameters) != len(right) or not np.allclose(parameters, right), name


def same(found, expected):
    """Tell whether two arrays agree, nan and infinity in the same places."""
    finite = np.isfinite(expected)
    size = max(1, np.abs(expected[finite]).max(initial=0))
    places = np.array_equal(np.isfinite(found), finite)
    return places and np.abs(found[finite] - expected[finite]).max(initial=0) < 1e-9 * size


def test_the_same_seed_gives_the_same_run_to_the_last_bit_and_another_one_another(train):
    job = {"settings": DEFAULTS | {"bugs": []}, "steps": 20}
    other = {"settings": DEFAULTS | {"bugs": [], "seed": 2}, "steps": 20}
    (_, first), (_, again), (_, second) = train([job, job, other])
    assert np.array_equal(first, again)
    assert not np.array_equal(first, second)


def test_it_starts_from_given_weights(train):
    settings = DEFAULTS | {"bugs": [], "hidden": [10]}
    rng = np.random.default_rng(0)
    weights = [rng.normal(0, 0.05, (784, 10)), rng.normal(0, 0.4, (10, 10))]
    biases = [rng.normal(size=10), rng.normal(size=10)]
    settings["initial"] = {
        "weights": [array.ravel().tolist() for array in weights],
        "biases": [array.tolist() for array in biases],
    }
    spoiled = settings | {"bugs": ["init.zeros"]}
    (_, found), (_, zeros) = train([{"settings": one, "steps": 0} for one in (settings, spoiled)])
    assert np.array_equal(found, flat([*weights, *biases]))
    assert not zeros.any()


class Fault(NamedTuple):
    name: str
    right: str
    wrong: str
    bug: str = ""  # where it shows: in the right network, or in one with this bug
    file: str = "arithmetic.js"


FAULTS = [
    Fault(
        "a pixel forgotten", "for (let i = 0; i < inner; i++)", "for (let i = 1; i < inner; i++)"
    ),
    Fault("the last of eight columns", "s7 += value * w[i + 7];", ""),
    Fault("columns beyond eight", "out[to + j] += sum;", ""),
    Fault("bias of another unit", "this.biases[k][i % outputs]", "this.biases[k][i % inputs]"),
    Fault("mean over the classes", "sum += ofRow / rows;", "sum += ofRow / CLASSES;"),
    Fault("loss without its maximum", "- (z[start + label] - largest);", "- z[start + label];"),
    Fault(
        "one-hot of the next row", "d[row * CLASSES + labels[row]] -= 1", "d[row * CLASSES] -= 1"
    ),
    Fault("gradient of the sum", "d[i] /= divisor;", ""),
    Fault("not derived at z", "? k + 1 : k;", "? k : k;", "relu_gradient.other_z"),
    Fault("derivative at 0", "z > 0 ? 1 : slope), //", "z >= -0.01 ? 1 : slope), //"),
    Fault("slope of He forgotten", "2 / ((1 + slope * slope) * inputs)", "2 / inputs"),
    Fault("momentum after the step", "velocity[i] = fading * velocity[i] - ", "velocity[i] = -"),
    Fault(
        "biases never change",
        "[...this.weights, ...this.biases], gradients",
        "this.weights, gradients",
    ),
    Fault("gradients added up", 'if (!this.has("gradients.accumulated"))', "if (false)"),
    Fault("z in place of a", "? z[k - 1] : a[k - 1];", "? z[k - 1] : z[k - 1];"),
    Fault(
        "the same order in each epoch",
        "this.order = this.newOrder();\n        this.next",
        "this.next",
    ),
    Fault("a batch drawn twice", "(this.next += this.size)", "this.next + this.size"),
    Fault("pixels by 256", "? 1 : 1 / 255", "? 1 : 1 / 256"),
    Fault("labels of other rows", "(row) => this.labels[row]", "(row) => this.labels[row + 1]"),
    Fault("whole batch without axis", "p[i] /= all;", "p[i] /= columns[0];", "softmax.global_sum"),
    Fault("sum over the pictures", "p[i] /= columns[i % classes];", "p[i] /= all;", "softmax.axis"),
    Fault("softmax twice, derived once", "throughSoftmax(once, d, rows);", ";", "softmax.squashed"),
    Fault(
        "the star on one way only", "dX[i] = dZ[i] * w[i];", "dX[i] = dZ[i];", "linear.elementwise"
    ),
    Fault(
        "swapped in earnest",
        "pictures[i] = pictures[j];",
        "[pictures[i], pictures[j]] = [pictures[j], pictures[i]];",
        "data.rows_swapped",
    ),
    Fault(
        "shuffled together",
        "labels = Uint8Array.from(random.",
        "labels = Uint8Array.from(new Random(1, 2).",
        "data.labels_shuffled",
    ),
    Fault("another shuffle", "this.below(last + 1)", "this.below(last)", file="random.js"),
    Fault(
        "uniform for normal", "x * Math.sqrt((-2 * log(square)) / square)", "x", file="random.js"
    ),
    Fault("a term of the logarithm", "2.222219843214978396e-1", "0", file="random.js"),
    Fault("a term of the exponential", "6.61375632143793436117e-5", "0", file="random.js"),
]


# Each of several sets of scripts, given as text, takes the place of the last one and does its job.
IN_TURN = """({ digits, worlds }) => {
  const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
  const given = { ...digits, images: bytes(digits.images), labels: bytes(digits.labels) };
  return worlds.map(({ scripts, job }) => {
    delete globalThis.MnistLab;
    scripts.forEach((script) => (0, eval)(script));
    return (%s)({ digits: given, jobs: [job] })[0];
  });
}"""


def test_faults_planted_in_the_arithmetic_are_found(in_node, given, digits):
    if NODE is None:
        pytest.skip("no Node")
    jobs, expected, worlds = {}, {}, []
    for bug in sorted({fault.bug for fault in FAULTS}):
        settings = planted([bug] if bug else [], momentum=0.5, slope=0.3)
        jobs[bug] = {"settings": settings, "steps": 2 if bug else 24}  # into the second epoch
        expected[bug] = trained_in_numpy(jobs[bug], digits)
    sources = {name: (PAGE / name).read_text("utf-8") for name in COMPUTING[:3]}
    for fault in [Fault("nothing", "", "", bug) for bug in jobs] + FAULTS:
        source = sources[fault.file]
        assert fault.right in source, fault.name
        scripts = sources | {fault.file: source.replace(fault.right, fault.wrong, 1)}
        worlds.append({"scripts": list(scripts.values()), "job": jobs[fault.bug]})
    answers = in_node(IN_TURN % TRAIN_THEM, {"digits": given, "worlds": worlds}, [])

    def agrees(answer, bug):
        found = decoded(answer["losses"]), decoded(answer["parameters"])
        pairs = zip(found, expected[bug], strict=True)
        return all(np.allclose(f, e, rtol=1e-11, atol=1e-11) for f, e in pairs)

    assert all(map(agrees, answers, jobs))
    tried = zip(answers[len(jobs) :], FAULTS, strict=True)
    assert not [fault.name for answer, fault in tried if agrees(answer, fault.bug)]
