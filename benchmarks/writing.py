"""Measure the commands for a reader's own file.

    python benchmarks/writing.py --class 200

makes the files of a class (solved, unfinished, with bugs, damaged, some that hang), and grades
them.

    python benchmarks/writing.py --damage 500

damages a solved file at random, so many times, and checks each: every one must end in an answer.
"""

import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from common.arguments import parser
from common.readers import SOLVED, class_of, damaged

from mnist_book.writing import grading
from mnist_book.writing.checking import check

LIMIT = 300  # seconds within which there must be an answer, on a busy machine


def grade(count: int, seed: int, jobs: int) -> None:
    """Grade a class, and print how long it took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in class_of(count, np.random.default_rng(seed)).items():
            (folder / file).write_bytes(content)
        start = time.monotonic()
        rows = list(grading.grade(grading.submissions(folder), folder, at_once=jobs))
        seconds = time.monotonic() - start
    slowest = max(rows, key=lambda row: row.seconds)
    bugs = Counter(code for row in rows for code in row.codes)
    print(f"{len(rows)} files in {seconds:.0f} s, {jobs} at a time")
    print(f"slowest: {slowest.file}, {slowest.seconds:.0f} s, {' '.join(slowest.codes)}")
    print(", ".join(f"{code} {number}" for code, number in bugs.most_common(12)))


def damage(count: int, seed: int) -> None:
    """Check damaged files; print what the answers were."""
    answers: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        for k in range(count):
            rng = np.random.default_rng([seed, k])
            path = Path(name) / f"damaged{k}.py"
            path.write_bytes(damaged(SOLVED["functions"], rng))
            start = time.monotonic()
            outcome = check(path)
            seconds = time.monotonic() - start
            last = outcome.results[-1]
            if seconds > LIMIT or (last["state"] != "right" and not last["findings"]):
                raise SystemExit(f"{path.name}, seed {[seed, k]}: no answer, {seconds:.0f} s")
            answers[last["findings"][0]["code"] if last["findings"] else "right"] += 1
    print(", ".join(f"{code} {number}" for code, number in answers.most_common()))


def main() -> None:
    """Grade a class, or check damaged files."""
    program = parser(__doc__)
    option = program.add_argument
    option("--class", dest="students", type=int, default=0, help="how many files to grade")
    option("--damage", type=int, default=0, help="how many damaged files to check")
    option("--seed", type=int, default=0, help="[0]")
    option("--jobs", type=int, default=2, help="files at the same time [2]")
    options = program.parse_args()
    if options.students:
        grade(options.students, options.seed, options.jobs)
    if options.damage:
        damage(options.damage, options.seed)


if __name__ == "__main__":
    main()
