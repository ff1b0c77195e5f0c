"""What the commands do with a reader's file: check, watch, train, examine, serve, grade."""

import contextlib
import json
import sys
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mnist_book.writing import grading, limits, runner, watching
from mnist_book.writing.checking import Outcome, check
from mnist_book.writing.pieces import PIECES
from mnist_book.writing.starting import start
from mnist_book.writing.terminal import Terminal, quoted
from mnist_book.writing.troubles import Found, trouble

TRAINING_PATIENCE = 300.0  # seconds on the clock between two epochs
FOR_EVER = float("inf")


def start_file(path: Path, columns: bool) -> int:
    """Write a file of blanks; say what to do next."""
    start(path, columns=columns)
    terminal = Terminal()
    terminal.write(
        f"{path} has {len(PIECES)} blanks, in the chapters' order. Fill them in beside the book.",
        "Leave this in a terminal meanwhile: at each save it names the bug of the first wrong one.",
        f"  python -m mnist_book check {quoted(path)} --watch",
    )
    return 0


def check_file(
    path: Path, *, everything: bool, as_json: bool, training: bool, digits: Callable[[], str]
) -> int:
    """Check a file once; if all is right, train its network. Return 0 if it is."""
    outcome = check(path, everything=everything)
    if as_json:
        print(json.dumps(outcome.as_json(), indent=2))
        return 0 if outcome.ok else 1
    terminal = Terminal()
    return _show(outcome, terminal, digits if training else None, lambda: False)


def watch_file(path: Path, *, everything: bool, training: bool, digits: Callable[[], str]) -> int:
    """Check a file at each save, until Ctrl-C."""
    terminal = Terminal()
    for changed in watching.changes(path):
        try:
            outcome = check(path, everything=everything, stop=changed)
            terminal.clear()
            _show(outcome, terminal, digits if training else None, changed)
        except runner.Stopped:
            continue
        waiting = f"Waiting for {path} to be saved; Ctrl-C ends."
        terminal.write("", terminal.painted(waiting, "faint"))
    return 0


def _show(
    outcome: Outcome,
    terminal: Terminal,
    digits: Callable[[], str] | None,
    stop: Callable[[], bool],
) -> int:
    terminal.show(outcome)
    if not limits.MEMORY_IS_LIMITED:
        terminal.write("(This system sets no limit to the memory that your file takes.)")
    if outcome.ok and digits:
        return _train(outcome.path, terminal, digits(), stop)
    return 0 if outcome.ok else 1


def _train(path: Path, terminal: Terminal, digits: str, stop: Callable[[], bool]) -> int:
    with _line(terminal) as line:
        for answer in runner.answers(
            "train", path, patience=TRAINING_PATIENCE, stop=stop, digits=digits
        ):
            if answer["kind"] == "trained":
                line("")
                terminal.show_training(answer["trained"], path)
                return 0
            _progress(answer, line)
            if problem := _problem(answer):
                line("")
                terminal.write(*problem_lines(terminal, problem))
                return 1
    return 1


def serve_pad(path: Path, *, digits: str, port: int, browse: bool) -> int:
    """Train the reader's network, and serve a page on which it answers, until Ctrl-C."""
    terminal = Terminal()
    with _line(terminal) as line:
        for answer in runner.answers("pad", path, patience=FOR_EVER, digits=digits, port=port):
            if answer["kind"] == "serving":
                line("")
                terminal.write(f"Your network answers at {answer['address']}  (Ctrl-C ends)")
                if browse:
                    webbrowser.open(answer["address"])
            _progress(answer, line)
            if problem := _problem(answer):
                line("")
                terminal.write(*problem_lines(terminal, problem))
    return 1


def examine_network(target: str, *, digits: str, as_json: bool) -> int:
    """Examine a whole network from anywhere; return 0 if nothing was found."""
    terminal = Terminal()
    answers = runner.answers(
        "examine", Path(target), patience=TRAINING_PATIENCE, digits=digits, target=target
    )
    for answer in answers:
        if answer["kind"] == "examined":
            report = answer["report"]
            if as_json:
                print(json.dumps(report, indent=2))
            else:
                terminal.show_report(report, target)
            return 1 if report["findings"] or report["unchecked"] else 0
        if problem := _problem(answer):
            if as_json:
                print(json.dumps({"verdict": "not yet", "findings": [problem]}, indent=2))
            else:
                terminal.write(*problem_lines(terminal, problem))
            return 1
    return 1


def grade_class(folder: Path, *, table: str | None, page: Path | None, at_once: int | None) -> int:
    """Check a class's files; write a table and a page."""
    paths = grading.submissions(folder)
    rows = []
    for row in grading.grade(paths, folder, at_once=at_once):
        rows.append(row)
        found = " ".join(row.codes) or (
            "all right" if len(row.right) == len(PIECES) else "unfinished"
        )
        print(f"{len(rows)}/{len(paths)} {row.file}: {len(row.right)}, {found}", file=sys.stderr)
    if table == "-":
        grading.write_csv(rows, sys.stdout)
    elif table:
        with open(table, "w", encoding="utf-8-sig", newline="") as file:
            grading.write_csv(rows, file)
    if page:
        page.write_text(grading.page(rows), "utf-8")
    return 0


# --------------------------------------------------------------------------------------------------
# What a process says
# --------------------------------------------------------------------------------------------------


def _problem(answer: dict[str, Any]) -> Found | None:
    """Return what has kept a process from its task, if this is said here."""
    if answer["kind"] == "result":
        return answer["result"]["findings"][0]
    if answer["kind"] == "died":
        return _died(answer)
    return None


def _died(answer: dict[str, Any]) -> Found:
    if answer["why"] in ("work", "silence"):
        return trouble("piece.stuck")
    if answer["why"] == "exit":
        return trouble("piece.ended")
    return trouble("piece.crashed", how=answer["how"])


def problem_lines(terminal: Terminal, problem: Found) -> list[str]:
    """Show what has kept a process from its task."""
    return [terminal.painted("Not yet:", "bad"), *terminal.finding(problem)]


@contextlib.contextmanager
def _line(terminal: Terminal) -> Iterator[Callable[[str], None]]:
    """Give a function that shows a line in the place of the last one, in a terminal only."""

    def line(text: str) -> None:
        if terminal.is_terminal:
            terminal.stream.write(f"\r\x1b[K{text}")
            terminal.stream.flush()

    yield line
    line("")


def _progress(answer: dict[str, Any], line: Callable[[str], None]) -> None:
    if answer["kind"] == "training":
        line(
            f"Training your network on {answer['pictures']:,} pictures of {answer['source']}: "
            f"epoch {answer['epoch']} of {answer['of']} done"
        )
