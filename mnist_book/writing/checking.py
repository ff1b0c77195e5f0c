"""Checks a reader's file: as often as it takes, for a piece may end the process that runs it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mnist_book.writing import runner
from mnist_book.writing.limits import WORK
from mnist_book.writing.looking import FILE, Result, failed
from mnist_book.writing.pieces import PIECES
from mnist_book.writing.source import IMPORT_LIMIT
from mnist_book.writing.troubles import Found, trouble

NO_BUGS = ("piece.blank", "piece.waits", "piece.waits_for_some")


@dataclass
class Outcome:
    """What was found in a file."""

    path: Path
    results: list[Result] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    columns: bool = False  # whether the file has pictures in columns

    @property
    def right(self) -> int:
        """How many pieces are right."""
        return sum(result["state"] == "right" for result in self.results)

    @property
    def ok(self) -> bool:
        """Whether all pieces are right."""
        return self.right == len(PIECES)

    @property
    def codes(self) -> list[str]:
        """The codes of all bugs that were found."""
        codes = [found["code"] for result in self.results for found in result["findings"]]
        return [code for code in dict.fromkeys(codes) if code not in NO_BUGS]

    def as_json(self) -> dict[str, object]:
        """Return it as plain values."""
        return {
            "file": str(self.path),
            "ok": self.ok,
            "right": self.right,
            "pieces": len(PIECES),
            "codes": self.codes,
            "results": self.results,
            "notes": self.notes,
        }


def check(
    path: Path,
    *,
    everything: bool = False,
    folder: Path | None = None,
    stop: Callable[[], bool] = lambda: False,
    work: float = WORK,
) -> Outcome:
    """Check a file, up to the first piece that is not right, or all if `everything`.

    Parameters
    ----------
    folder : where it runs, if not in the working directory
    stop : asked now and then; if it says so, `runner.Stopped` is raised
    work : seconds of processor time for a piece, where the system can see to that
    """
    outcome = Outcome(path)
    known: dict[str, Result] = {}  # by piece
    while True:
        before = len(known)
        answers = runner.answers(
            "check",
            path,
            folder=folder,
            stop=stop,
            everything=everything,
            work=work,
            done=list(known),
            wrong={
                name: [found["code"] for found in result["findings"]]
                for name, result in known.items()
                if result["state"] not in ("right", "waits")
            },
        )
        for result in _results(answers, outcome):
            known.setdefault(result["piece"], result)
        outcome.results = list(known.values())
        more = everything and FILE not in known and len(known) < len(PIECES)
        if not more or len(known) == before:
            return outcome


def _results(answers: Iterable[dict[str, Any]], outcome: Outcome) -> Iterator[Result]:
    """Take results from what a process says; its death is one, too. Note what else it says."""
    chapters = {piece.name: piece.chapter for piece in PIECES}
    running, line = FILE, None
    for answer in answers:
        if answer["kind"] == "begin":
            running, line = answer["piece"], answer["line"]
        elif answer["kind"] == "note" and answer["note"] not in outcome.notes:
            outcome.notes.append(answer["note"])
        elif answer["kind"] == "columns":
            outcome.columns = True
        elif answer["kind"] == "result":
            yield answer["result"]
        elif answer["kind"] == "died":
            yield failed(running, chapters.get(running), line, _cause(answer, running))


def _cause(death: dict[str, str], running: str) -> Found:
    """Say what has ended the process."""
    if death["why"] in ("work", "silence"):
        if running == FILE:
            return trouble("file.slow", limit=IMPORT_LIMIT)
        return trouble("piece.stuck")
    if death["why"] == "exit":
        return trouble("piece.ended" if running != FILE else "file.exits")
    return trouble("piece.crashed", how=death["how"])
