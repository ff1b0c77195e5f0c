"""The game is fair: the evidence of each case tells its bugs from all others that are offered."""

import base64
import itertools

import numpy as np
import pytest

from mnist_book.dataset import load_practice_digits
from mnist_book.lab.digits import TEST, TRAIN
from mnist_book.lab.switches import SWITCHES

# Of each run the verdicts of some instruments, after some steps.
READ_THEM = """({ digits, jobs }) => {
  const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const given = { images: bytes(digits.images), labels: bytes(digits.labels), train: digits.train };
  return jobs.map(({ settings, until, instruments }) => {
    let problem = MnistLab.problem(MnistLab.complete(settings));
    const verdicts = {}, answers = ({ type, instrument, reading, message }) => {
      if (type === "answer") verdicts[instrument] = reading.verdict;
      if (type === "failed") problem = message;
    };
    const run = new MnistLab.Run(answers, () => {}, 1);
    run.receive({ type: "digits", digits: given });
    run.receive({ type: "configure", settings });
    run.receive({ type: "step", count: until });
    instruments.forEach((instrument) => run.receive({ type: "ask", number: 0, instrument }));
    return { verdicts, problem };
  });
}"""


@pytest.fixture(scope="module")
def cases(run):
    return run("() => MnistLab.CASES", None)


@pytest.fixture(scope="module")
def digits():
    digits = load_practice_digits()
    images = np.concatenate([digits.train_images[:TRAIN], digits.test_images[:TEST]])
    labels = np.concatenate([digits.train_labels[:TRAIN], digits.test_labels[:TEST]])
    text = [base64.b64encode(a.astype(np.uint8).tobytes()).decode() for a in (images, labels)]
    return {"images": text[0], "labels": text[1], "train": TRAIN}


def alternatives(case):
    """Everything that a reader could name: as many of the suspects as there are bugs."""
    count = len(case["settings"]["bugs"])
    return [sorted(names) for names in itertools.combinations(case["suspects"], count)]


def job(case, bugs):
    instruments = [instrument for instrument, _ in case["evidence"]]
    settings = case["settings"] | {"bugs": bugs}
    # A part of the training, to save time; benchmarks/lab.py tries the whole of it.
    until = min(case["until"], 40 if len(bugs) == 1 else 10)
    return {"settings": settings, "until": until, "instruments": instruments}


def test_every_case_is_fair(run, cases, digits):
    jobs, places = [], {}  # cases share runs
    for case in cases:
        for bugs in alternatives(case):
            one = job(case, bugs)
            key = repr((one["settings"], one["until"]))
            if key not in places:
                places[key] = len(jobs)
                jobs.append(one | {"instruments": set()})
            jobs[places[key]]["instruments"].update(one["instruments"])
    for one in jobs:
        one["instruments"] = sorted(one["instruments"])
    read = run(READ_THEM, {"digits": digits, "jobs": jobs})
    assert not [one["problem"] for one in read if one["problem"]]
    unfair = []
    for case in cases:
        bugs = sorted(case["settings"]["bugs"])
        found = {}
        for names in alternatives(case):
            one = job(case, names)
            verdicts = read[places[repr((one["settings"], one["until"]))]]["verdicts"]
            found[tuple(names)] = [verdicts[instrument] for instrument in one["instruments"]]
        truth = found.pop(tuple(bugs))
        unfair += [(case["id"], names, truth) for names, other in found.items() if other == truth]
    assert not unfair


def test_cases_are_whole(cases):
    known = {switch.id for switch in SWITCHES if not switch.harmless}
    assert len(cases) >= 30
    assert len({case["id"] for case in cases}) == len(cases)
    assert [case["level"] for case in cases] == sorted(case["level"] for case in cases)
    for case in cases:
        bugs, suspects = case["settings"]["bugs"], case["suspects"]
        assert set(bugs) <= set(suspects) <= known, case["id"]
        assert len(set(suspects)) == len(suspects) >= 5, case["id"]
        assert 1 <= len(case["evidence"]) <= 2, case["id"]
        assert not [bug for bug in bugs if bug in case["story"]], case["id"]


def test_every_bug_but_three_is_hidden_somewhere(cases):
    hidden = {bug for case in cases for bug in case["settings"]["bugs"]}
    known = {switch.id for switch in SWITCHES if not switch.harmless}
    assert known - hidden <= {"init.fan", "init.too_small", "gradients.no_labels"}
