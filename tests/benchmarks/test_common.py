"""What benchmarks share: where a record comes from, timing in turn, folds."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from common import record
from common.judging import by_writer, fold, folds_of_writers, mean_and_deviation, percent
from common.record import origin, processor, read, write
from common.timing import in_turn, median_time, ratios, timed

PROGRAMS = sorted((Path(__file__).parents[2] / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_tells_what_it_measures_before_it_does(program):
    source = program.read_text("utf-8")
    for package in ("torch", "sklearn"):
        if f"import {package}" in source or f"from {package}" in source:
            pytest.importorskip(package, reason=f"{package} is in requirements-bench.txt")
    run = subprocess.run(
        [sys.executable, program, "--help"],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    heading = source.splitlines()[0].strip('"')
    assert heading in run.stdout
    assert f"python benchmarks/{program.name}" in run.stdout


def test_a_record_tells_its_command_commit_versions_and_processor(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/anywhere/benchmarks/race.py", "--seeds", "1", "2"])
    monkeypatch.setattr(record, "_output", lambda *command: command[0])
    made = origin("pytest")
    assert made["command"] == "python benchmarks/race.py --seeds 1 2"
    assert made["commit"] == "git"
    assert made["numpy"] == np.__version__
    assert made["pytest"] == pytest.__version__
    assert made["processor"] == processor()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems are asked otherwise")
def test_the_processor_is_called_what_linux_calls_it():
    assert processor() in Path("/proc/cpuinfo").read_text("utf-8") or "aarch64" in processor()
    assert processor().strip()


def test_what_is_written_is_read(monkeypatch, tmp_path):
    monkeypatch.setattr(record, "RECORDS", tmp_path / "records")
    write("accents", {"name": "Cireşan", "errors": [0.5, 0.25]})
    assert read("accents") == {"name": "Cireşan", "errors": [0.5, 0.25]}


def test_calls_are_timed_in_turn():
    calls = []
    seconds = in_turn({name: lambda name=name: calls.append(name) for name in "AB"}, rounds=3)
    assert "".join(calls) == "ABABAB"
    assert [len(each) for each in seconds.values()] == [3, 3]


def test_a_call_is_timed_and_its_result_kept(monkeypatch):
    ticks = iter([10.0, 12.5])
    monkeypatch.setattr("time.perf_counter", lambda: next(ticks))
    assert timed(lambda: "result") == (2.5, "result")


def test_ratios_are_taken_round_by_round():
    # The ratio of the medians is 10, but most rounds say 1.
    assert ratios([1, 10, 100], [1, 1, 100])[1] == 1
    assert ratios([1, 2, 3, 4, 5], [1, 1, 1, 1, 1]) == [2, 3, 4]


def test_the_median_time_leaves_the_first_call_out(monkeypatch):
    now = [0.0]
    durations = iter([100.0, 1.0, 2.0, 9.0, *[1.0] * 99])

    def call():
        now[0] += next(durations)

    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    assert median_time(call, seconds=0.0, least=3) == 2.0


def test_folds_of_training_images_share_no_image():
    folds = np.array([fold(number) for number in range(4)])
    np.testing.assert_array_equal(folds.sum(axis=1), 10_000)
    assert folds.sum(axis=0).max() == 1
    np.testing.assert_array_equal(fold(5), fold(1))


def test_each_writer_is_in_one_fold_with_all_drawings():
    writers = np.array([7, 1, 7, 3, 5, 1, 9, 9])
    folds = list(folds_of_writers(writers, np.array([9, 1, 3, 5, 7]), 3))
    np.testing.assert_array_equal(np.sum(folds, axis=0), 1)
    assert [set(writers[mask].tolist()) for mask in folds] == [{9, 5}, {1, 7}, {3}]


def test_shares_by_hand():
    right = np.array([True, False, True, True])
    assert by_writer(right, np.array([2, 2, 11, 2])) == {"2": pytest.approx(2 / 3), "11": 1.0}
    assert percent(np.array([True, False, False])) == 33.333
    assert mean_and_deviation([1.0, 2.0, 3.0]) == (2.0, 1.0)
    assert mean_and_deviation([4.0]) == (4.0, 0.0)
