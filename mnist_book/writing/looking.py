"""What is found in a reader's file, piece by piece; runs in the process that is for that."""

import contextlib
import functools
import time
import types
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import TypedDict

from mnist_book.diagnosis.evidence import cleaned, lay_out
from mnist_book.diagnosis.running import Theirs
from mnist_book.writing import limits
from mnist_book.writing.pieces import PIECES, Piece
from mnist_book.writing.reference import right_functions
from mnist_book.writing.source import Source, get, line_in, line_of
from mnist_book.writing.troubles import Found, Trouble, of_finding, trouble

FILE = "file"  # what is said of the file as a whole, in the place of a piece's name


# Codes of what does not come back: it is not called again by way of other pieces.
HANGING = {"function.slow", "piece.crashed", "piece.ended", "piece.process", "piece.stuck"}


class Result(TypedDict):
    """What was found about a piece."""

    piece: str
    chapter: int | None
    line: int | None  # where it is in the file
    state: str  # "right", "wrong", "blank", "waits" for another piece, or "unchecked"
    findings: list[Found]
    notes: list[str]
    seconds: float  # of work


def failed(piece: str, chapter: int | None, line: int | None, *found: Found) -> Result:
    """Make the result of a piece that is wrong."""
    return Result(
        piece=piece,
        chapter=chapter,
        line=line,
        state="blank" if found[0]["code"] == "piece.blank" else "wrong",
        findings=list(found),
        notes=[],
        seconds=0.0,
    )


@dataclass
class Look:
    """A look at the pieces of a file, one after the other.

    Parameters
    ----------
    module, source : the reader's file, run and read
    guard : against processes that it would start
    wrong : pieces that are known to be not right, with the codes of what is wrong
    """

    module: types.ModuleType
    source: Source
    guard: limits.ProcessGuard
    wrong: dict[str, list[str]]

    def results(
        self, *, done: Collection[str], everything: bool, begin: Callable[[str, int | None], None]
    ) -> Iterator[Result]:
        """Check the pieces that are not done, up to the first that is not right, or `everything`.

        A piece that calls another one which is not right is looked at once more with a right one in
        its place: what is wrong then is its own. `begin` is told of each before any of it runs.
        """
        for piece in PIECES:
            if piece.name in done:
                continue
            begin(piece.name, self.source.lines.get(piece.name))
            result = self._fairly(piece)
            if result["state"] not in ("right", "waits"):
                self.wrong[piece.name] = [found["code"] for found in result["findings"]]
            yield result
            if result["state"] != "right" and not everything:
                return

    @property
    def columns(self) -> bool:
        """Whether the file has pictures in columns."""
        return self.module.__dict__.get("COLUMNS") is True

    def _result(self, piece: Piece) -> Result:
        line = self.source.lines.get(piece.name)
        self.guard.forget()
        start = time.process_time()
        try:
            if piece.name in self.source.blank:
                raise Trouble("piece.blank")
            watched = _Watched(get(self.module, piece.name), self.source)
            report = piece.look(watched.function, columns=self.columns)
        except Trouble as problem:
            return failed(piece.name, piece.chapter, line, problem.found)
        findings = [watched.located(of_finding(finding)) for finding in report.findings]
        if self.guard.asked:  # which explains what else there is
            seen = lay_out(asked=", ".join(dict.fromkeys(self.guard.asked)))
            findings = [trouble("piece.process", seen)]
        return Result(
            piece=piece.name,
            chapter=piece.chapter,
            line=line,
            state="wrong" if findings else "unchecked" if report.unchecked else "right",
            findings=findings,
            notes=[*report.unchecked, *report.notes],
            seconds=round(time.process_time() - start, 3),
        )

    def _fairly(self, piece: Piece) -> Result:
        """Look at a piece, and blame it for nothing that others do which it calls."""
        hanging = [name for name, codes in self.wrong.items() if HANGING & set(codes)]
        with self._replaced(hanging) as called:  # these would only hang, or crash, once more
            result = self._result(piece)
        if result["state"] == "right" and called:
            return _waiting(result, called)
        if result["state"] != "wrong" or not self.wrong:
            return result
        with self._replaced(self.wrong) as called:
            again = self._result(piece)
        if again["state"] == "right":
            return _waiting(again, called) if called else result
        # A right one may not take what theirs took.
        return result if again["findings"][0]["code"] == "function.raises" else again

    @contextlib.contextmanager
    def _replaced(self, names: Collection[str]) -> Iterator[list[str]]:
        """Put right functions in the place of the reader's for a while; tell which are called."""
        called: list[str] = []

        def recorded(name: str, function: Callable) -> Callable:
            def call(*arguments: Theirs, **options: Theirs) -> Theirs:
                if name not in called:
                    called.append(name)
                return function(*arguments, **options)

            return call

        right = right_functions(self.columns)
        functions = {name: recorded(name, right[name]) for name in names if name in right}
        members = self.module.__dict__
        before = {name: members[name] for name in functions if name in members}
        members.update(functions)
        try:
            yield called
        finally:
            for name in functions:
                members.pop(name, None)
            members.update(before)


def _waiting(result: Result, called: Collection[str]) -> Result:
    code = "piece.waits" if len(called) == 1 else "piece.waits_for_some"
    waits = trouble(code, names=" and ".join(called))
    return Result(**{**result, "state": "waits", "findings": [waits]})


class _Watched:
    """The reader's function, which keeps the line of an error that it raises."""

    def __init__(self, function: Theirs, source: Source) -> None:
        self.source, self.lines = source, {}  # type: Source, dict[str, int]
        self.function = function
        if isinstance(function, types.FunctionType):
            self.function = self._wrapped(function)

    def _wrapped(self, function: Theirs) -> Theirs:
        @functools.wraps(function)
        def call(*arguments: object) -> Theirs:
            try:
                return function(*arguments)
            except Exception as error:
                line = line_in(error, self.source)
                if line is not None:
                    self.lines.setdefault(type(error).__name__, line)
                raise

        return call

    def located(self, found: Found) -> Found:
        """Add to what was found the line at which an error was raised."""
        for name, line in self.lines.items():
            if f"raised:   {name}" in found["evidence"]:
                where = cleaned(f"{line}: {line_of(self.source, line)}", str, 90)
                return Found(**{**found, "evidence": f"{found['evidence']}\n{lay_out(line=where)}"})
        return found
