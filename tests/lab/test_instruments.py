"""The instruments read what is there: against NumPy, and by what mathematics says of a bug."""

import base64
import itertools

import numpy as np
import pytest
from numpy_lab import Program, batches, first_weights

from mnist_book.dataset import load_practice_digits
from mnist_core import gradient_check

TRAIN, TEST, STEPS = 320, 128, 40
SETTINGS = {
    "seed": 5,
    "hidden": [16],
    "batch": 32,
    "rate": 0.1,
    "momentum": 0.5,
    "slope": 0.01,
    "bugs": [],
}
# Reads instruments after some steps; what a worker would send is what comes back.
READ = """({ digits, jobs }) => {
  const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const given = { images: bytes(digits.images), labels: bytes(digits.labels), train: digits.train };
  const plain = (value) => ArrayBuffer.isView(value) ? [...value].map(plain)
    : Array.isArray(value) ? value.map(plain)
    : value !== null && typeof value === "object"
      ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]))
    : typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  return jobs.map(({ settings, steps, instruments }) => {
    const readings = {};
    const run = new MnistLab.Run((message) => {
      if (message.type === "answer") readings[message.instrument] = plain(message.reading);
      if (message.type === "failed") throw new Error(message.message);
    }, () => {}, 1);
    run.receive({ type: "digits", digits: given });
    run.receive({ type: "configure", settings });
    run.receive({ type: "step", count: steps });
    instruments.forEach((instrument) => run.receive({ type: "ask", number: 0, instrument }));
    return readings;
  });
}"""
ALL = ["first_loss", "curve", "row_sums", "layers", "dead", "weights", "predictions", "example"]
ALL += ["pictures", "gradient_check", "one_batch", "other_batch", "rows", "softmax", "bend", "step"]


@pytest.fixture(scope="module")
def digits():
    digits = load_practice_digits()
    images = np.concatenate([digits.train_images[:TRAIN], digits.test_images[:TEST]])
    return images, np.concatenate([digits.train_labels[:TRAIN], digits.test_labels[:TEST]])


@pytest.fixture(scope="module")
def read(run, digits):
    text = [base64.b64encode(a.astype(np.uint8).tobytes()).decode() for a in digits]
    given = {"images": text[0], "labels": text[1], "train": TRAIN}

    def read(jobs):
        return run(READ, {"digits": given, "jobs": jobs})

    return read


@pytest.fixture(scope="module")
def healthy(read):
    return read([{"settings": SETTINGS, "steps": STEPS, "instruments": ALL}])[0]


@pytest.fixture(scope="module")
def program(digits):
    """The same training in NumPy, the first batch, the test pictures, the losses."""
    images, labels = digits
    program = Program(SETTINGS, first_weights(SETTINGS))
    drawn = list(itertools.islice(batches(images[:TRAIN], labels[:TRAIN], SETTINGS), STEPS))
    losses = [program.step(*batch) for batch in drawn]
    return program, drawn[0], images[TRAIN:].reshape(TEST, 784) / 255, losses


def test_a_right_network_reads_right_everywhere(healthy):
    verdicts = {name: reading["verdict"] for name, reading in healthy.items()}
    assert verdicts.pop("example") in {"right", "wrong"}
    assert verdicts.pop("curve").startswith("falls alike")
    assert verdicts == {
        "first_loss": "near ln 10",
        "row_sums": "rows 1",
        "layers": "alike, alike, alike",
        "dead": "off: few, on: few",
        "weights": "alike",
        "predictions": "all digits",
        "pictures": "0 to 1, pictures different, many digits, labels fit",
        "gradient_check": "W1 right, W2 right, b1 right, b2 right",
        "one_batch": "learned",
        "other_batch": "loss alike, step alike",
        "rows": "alone: same, company: same, order: same",
        "softmax": "0.67 0.24 0.09; 0.67 0.24 0.09",
        "bend": "-0.02 (0.01), -0.01 (0.01), 1 (1), 2 (1)",
        "step": "W1 1, W2 1, b1 1, b2 1; goes on: 0.5",
    }
    assert all(reading["says"].endswith((".", ")")) for reading in healthy.values())


def test_the_numbers_are_those_of_numpy(healthy, program, digits):
    net, (x, labels), test_x, losses = program
    zs, inputs = net.forward(test_x)
    p = net.probabilities(zs[-1])
    assert np.isclose(healthy["first_loss"]["loss"], losses[0])
    assert np.isclose(healthy["curve"]["loss"], np.mean(losses[-20:]))
    assert np.allclose(healthy["row_sums"]["sums"], p[:32].sum(axis=1))
    assert healthy["predictions"]["counts"] == np.bincount(p.argmax(1), minlength=10).tolist()
    truth = digits[1][TRAIN:]
    assert healthy["predictions"]["truth"] == np.bincount(truth, minlength=10).tolist()
    assert np.isclose(healthy["curve"]["accuracy"], accuracy_at_start(digits))
    (units,) = healthy["dead"]["layers"]
    assert units["dead"] == np.flatnonzero((zs[0] <= 0).all(axis=0)).tolist()
    assert units["always"] == np.flatnonzero((zs[0] > 0).all(axis=0)).tolist()
    assert np.allclose(healthy["weights"]["pixels"], net.weights[0].T.ravel(), atol=1e-6)
    assert np.allclose(healthy["example"]["units"], inputs[1][0])
    assert np.allclose(healthy["example"]["probabilities"], p[0])
    assert healthy["pictures"]["labels"] == labels[:12].tolist()
    assert np.allclose(np.reshape(healthy["pictures"]["images"], (12, 784)) / 255, x[:12])


def accuracy_at_start(digits):
    """What the page knows between two measurements, fifty steps apart."""
    program = Program(SETTINGS, first_weights(SETTINGS))
    zs, _ = program.forward(digits[0][TRAIN:].reshape(TEST, 784) / 255)
    return np.mean(zs[-1].argmax(axis=1) == digits[1][TRAIN:])


def test_layers_are_measured_on_the_first_batch(healthy, program):
    net, (x, labels), _, _ = program
    zs, inputs = net.forward(x)
    hidden, scores = healthy["layers"]["layers"]
    assert np.isclose(hidden["activation"]["std"], inputs[1].std())
    assert np.isclose(scores["activation"]["mean"], zs[1].mean())
    d_z = net.output_gradient(zs[1], net.probabilities(zs[1]), labels)
    d_z1 = (d_z @ net.weights[1].T) * net.activation_gradient(zs[0])
    assert np.isclose(scores["gradient"], np.sqrt((d_z**2).mean()))
    assert np.isclose(hidden["gradient"], np.sqrt((d_z1**2).mean()))
    step = 0.1 * np.linalg.norm(x.T @ d_z1) / np.linalg.norm(net.weights[0])
    assert np.isclose(hidden["step"], step)


CASES = {  # what mathematics says of a bug: instrument and verdict
    ("gradients.sign", "gradient_check"): "W1 opposite, W2 opposite, b1 opposite, b2 opposite",
    ("gradients.scale", "gradient_check"): "W1 32 times, W2 32 times, b1 32 times, b2 32 times",
    ("gradients.scale", "other_batch"): "loss alike, step times 2",
    ("gradients.accumulated", "gradient_check"): "W1 2 times, W2 2 times, b1 2 times, b2 2 times",
    ("gradients.inputs", "gradient_check"): "W1 right, W2 other, b1 right, b2 right",
    ("gradients.bias", "gradient_check"): "W1 right, W2 right, b1 other, b2 is 0",
    ("linear.no_bias", "gradient_check"): "W1 right, W2 right, b1 not 0, b2 not 0",
    ("train.ascent", "step"): "W1 -1, W2 -1, b1 -1, b2 -1; goes on: 0.5",
    ("train.rate_twice", "step"): "W1 0.1, W2 0.1, b1 0.1, b2 0.1; goes on: 0.5",
    ("train.batch_rate", "other_batch"): "loss alike, step times 0.5",
    ("train.momentum", "step"): "W1 1, W2 1, b1 1, b2 1; goes on: 1",
    ("softmax.axis", "row_sums"): "columns 1",
    ("softmax.global_sum", "row_sums"): "all together 1",
    ("softmax.global_sum", "rows"): "alone: changes, company: changes, order: same",
    ("softmax.axis", "rows"): "alone: changes, company: changes, order: same",
    ("softmax.overflow", "softmax"): "0.67 0.24 0.09; nan nan nan",
    ("init.zeros", "first_loss"): "exactly ln 10",
    ("init.symmetric", "weights"): "all units alike",
    ("data.not_scaled", "pictures"): "0 to 255, pictures different, many digits, labels fit",
    ("data.labels_shuffled", "one_batch"): "learned",
    ("train.other_rows", "one_batch"): "not learned",
    ("network.linear", "bend"): "-2 (1), -1 (1), 1 (1), 2 (1)",
}


def test_bugs_read_as_mathematics_says(read):
    jobs = [
        {"settings": SETTINGS | {"bugs": [bug]}, "steps": 0, "instruments": [instrument]}
        for bug, instrument in CASES
    ]
    found = {
        place: reading[place[1]]["verdict"]
        for place, reading in zip(CASES, read(jobs), strict=True)
    }
    assert found == CASES


def test_softmax_tables_are_those_of_numpy(read):
    bugs = ["softmax.axis", "softmax.global_sum", "softmax.no_exp", "softmax.squashed"]
    jobs = [
        {"settings": SETTINGS | {"bugs": [bug]}, "steps": 0, "instruments": ["softmax"]}
        for bug in bugs
    ]
    for job, reading in zip(jobs, read(jobs), strict=True):
        program = Program(job["settings"], first_weights(SETTINGS))
        for table in reading["softmax"]["tables"]:
            expected = program.probabilities(np.array(table["scores"], float))
            assert np.allclose(table["probabilities"], expected), job["settings"]["bugs"]


def test_the_gradient_check_says_what_the_core_says(read, digits):
    """A wrong gradient: its error is the core's, as far as few entries can tell."""
    settings = SETTINGS | {"bugs": ["gradients.missing_activation"]}
    reading = read([{"settings": settings, "steps": 0, "instruments": ["gradient_check"]}])[0]
    program = Program(settings, first_weights(settings))
    before = [array.copy() for array in program.parameters]
    x, labels = next(batches(digits[0][:TRAIN], digits[1][:TRAIN], settings))
    program.step(x, labels)
    for array, value in zip(program.parameters, before, strict=True):
        array[...] = value

    def loss():
        z = program.forward(x)[0][-1]
        return -np.log(program.softmax(z)[np.arange(32), labels]).mean()

    rng = np.random.default_rng(0)
    errors = gradient_check(loss, program.parameters, program.gradients, rng=rng, entries=24)
    found = [parameter["error"] for parameter in reading["gradient_check"]["parameters"]]
    assert np.allclose(np.array(found)[[1, 3]], 0, atol=1e-6)
    assert np.allclose(np.array(errors)[[1, 3]], 0, atol=1e-6)
    assert np.allclose(found, errors, atol=0.1)
    assert min(found[0], found[2]) > 0.1


def test_a_star_stops_at_another_size_of_batch(read):
    settings = SETTINGS | {"hidden": [16, 16], "batch": 16, "bugs": ["linear.elementwise"]}
    (reading,) = read([{"settings": settings, "steps": 2, "instruments": ["other_batch", "rows"]}])
    assert reading["other_batch"]["problem"] == (
        "operands could not be broadcast together with shapes (32,16) (16,16)"
    )
    with pytest.raises(ValueError, match=r"shapes \(32,16\) \(16,16\)"):  # and so says NumPy
        np.ones((32, 16)) * np.ones((16, 16))
    assert reading["rows"]["verdict"] == "alone: error, company: same, order: changes"
