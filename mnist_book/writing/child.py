"""The process in which a reader's file runs: `python -m mnist_book.writing.child TASK`.

The task is JSON. What is found goes into a file, a line of JSON for each, as soon as it is known,
so that it is not lost when this process ends before its time. What the reader's code prints goes
where the runner counts it, and nowhere else.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from mnist_book.writing import limits
from mnist_book.writing.looking import FILE, Look, failed
from mnist_book.writing.source import IMPORT_LIMIT, Source, execute, read
from mnist_book.writing.troubles import Trouble, of_finding

TRAINING = 600.0  # seconds of work for a whole training; most take a few


class Answers:
    """Where lines go to the process that has started this one."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def say(self, kind: str, **content: object) -> None:
        """Write a line."""
        self._file.write(json.dumps({"kind": kind, **content}) + "\n")
        self._file.flush()


def main() -> None:
    """Do what the task says."""
    task = json.loads(sys.argv[1])
    with open(task["answers"], "a", encoding="utf-8") as file:
        answers = Answers(file)
        limits.limit_size()
        TASKS[task["task"]](task, answers)
        answers.say("end")


def _load(task: Mapping[str, Any], answers: Answers) -> tuple[Any, Source, limits.ProcessGuard]:
    """Read and run the reader's file; say what keeps it from that, and end."""
    limits.allow_work(IMPORT_LIMIT + 5)
    answers.say("begin", piece=FILE, line=None)
    guard = limits.ProcessGuard()
    try:
        source = read(Path(task["path"]))
        module, printed = execute(source)
    except Trouble as problem:
        if guard.asked:
            problem = Trouble("file.process", problem.found["evidence"], line=problem.line)
        answers.say("result", result=failed(FILE, None, problem.line, problem.found))
        answers.say("end")
        sys.exit()
    if module.__dict__.get("COLUMNS") is True:
        answers.say("columns")
    if printed:
        answers.say("note", note=f"It prints when it is imported: {printed.strip()[:60]!r}")
    return module, source, guard


def _check(task: Mapping[str, Any], answers: Answers) -> None:
    module, source, guard = _load(task, answers)

    def begin(piece: str, line: int | None) -> None:
        limits.allow_work(task["work"])
        answers.say("begin", piece=piece, line=line)

    results = Look(module, source, guard, task["wrong"]).results(
        done=task["done"], everything=task["everything"], begin=begin
    )
    for result in results:
        answers.say("result", result=result)


def _train(task: Mapping[str, Any], answers: Answers) -> None:
    from mnist_book.writing import training

    module, _, _ = _load(task, answers)
    try:
        limits.allow_work(TRAINING)
        network = training.Readers(module)
        digits = training.load(task["digits"])
        answers.say("trained", trained=training.beside_the_core(network, digits, answers.say))
    except Trouble as problem:
        answers.say("result", result=failed("network", None, None, problem.found))


def _pad(task: Mapping[str, Any], answers: Answers) -> None:
    from mnist_book.writing import serving, training

    module, _, _ = _load(task, answers)
    try:
        limits.allow_work(TRAINING)
        network = training.Readers(module)
        training.train(network, training.load(task["digits"]), answers.say)
    except Trouble as problem:
        answers.say("result", result=failed("network", None, None, problem.found))
    else:
        serving.serve(network, task["port"], answers.say)


def _examine(task: Mapping[str, Any], answers: Answers) -> None:
    from mnist_book.writing import examining, training

    limits.allow_work(TRAINING)
    answers.say("begin", piece=FILE, line=None)
    digits = training.load(task["digits"])
    limits.ProcessGuard()
    try:
        report = examining.examined(task["target"], digits)
    except Trouble as problem:
        answers.say("result", result=failed("network", None, problem.line, problem.found))
        return
    answers.say(
        "examined",
        report={
            "verdict": report.verdict,
            "findings": [of_finding(finding) for finding in report.findings],
            "unchecked": report.unchecked,
            "doubts": report.doubts,
            "notes": report.notes,
        },
    )


TASKS = {"check": _check, "train": _train, "pad": _pad, "examine": _examine}

if __name__ == "__main__":
    main()
