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
    wrong : pieces that are known to be not right
    """

    module: types.ModuleType
    source: Source
    guard: limits.ProcessGuard
    wrong: list[str]

    def results(
        self, *, done: Collection[str], everything: bool, begin: Callable[[str], None]
    ) -> Iterator[Result]:
        """Check the pieces that are not done, up to the first that is not right, or `everything`.

        A piece that calls another one which is not right is looked at once more with a right one in
        its place: what is wrong then is its own. `begin` is told of each before any of it runs.
        """
        for piece in PIECES:
            if piece.name in done:
                continue
            begin(piece.name)
            result = self._result(piece)
            if result["state"] == "wrong":
                result = self._apart(piece, result)
            if result["state"] not in ("right", "waits"):
                self.wrong.append(piece.name)
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
        if self.guard.asked:
            seen = lay_out(asked=", ".join(dict.fromkeys(self.guard.asked)))
            findings.insert(0, trouble("piece.process", seen))
        return Result(
            piece=piece.name,
            chapter=piece.chapter,
            line=line,
            state="wrong" if findings else "unchecked" if report.unchecked else "right",
            findings=findings,
            notes=[*report.unchecked, *report.notes],
            seconds=round(time.process_time() - start, 3),
        )

    def _apart(self, piece: Piece, result: Result) -> Result:
        """Say what is wrong with a piece by itself, after what it calls has been put right."""
        functions = right_functions(self.columns)
        right = {name: functions[name] for name in self.wrong if name in functions}
        again = result
        for names in [[name] for name in right] + [list(right)][: len(right) > 1]:
            with self._replaced({name: right[name] for name in names}):
                again = self._result(piece)
            if again["state"] == "right":
                code = "piece.waits" if len(names) == 1 else "piece.waits_for_some"
                again["state"] = "waits"
                again["findings"] = [trouble(code, names=" and ".join(names))]
                return again
        return again

    @contextlib.contextmanager
    def _replaced(self, functions: dict[str, Callable]) -> Iterator[None]:
        """Put functions in the place of the reader's for a while."""
        names = self.module.__dict__
        before = {name: names[name] for name in functions if name in names}
        names.update(functions)
        try:
            yield
        finally:
            for name in functions:
                names.pop(name, None)
            names.update(before)


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
