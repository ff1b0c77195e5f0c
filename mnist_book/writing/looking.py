"""What is found in a reader's file, piece by piece; runs in the process that is for that."""

import functools
import time
import types
from collections.abc import Callable, Collection, Iterator
from typing import TypedDict

from mnist_book.diagnosis.evidence import cleaned, lay_out
from mnist_book.diagnosis.running import Theirs
from mnist_book.writing import limits
from mnist_book.writing.pieces import PIECES, Piece
from mnist_book.writing.source import Source, get, line_in, line_of
from mnist_book.writing.troubles import Found, Trouble, of_finding, trouble

FILE = "file"  # what is said of the file as a whole, in the place of a piece's name


class Result(TypedDict):
    """What was found about a piece."""

    piece: str
    chapter: int | None
    line: int | None  # where it is in the file
    state: str  # "right", "wrong", "blank", or "unchecked": it has something that can't be looked at
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


def look(
    module: types.ModuleType,
    source: Source,
    guard: limits.ProcessGuard,
    *,
    done: Collection[str],
    everything: bool,
    begin: Callable[[str], None],
) -> Iterator[Result]:
    """Check the pieces that are not done; the first that is not right ends it, or `everything`.

    `begin` is told the name of each before anything of it runs.
    """
    columns = module.__dict__.get("COLUMNS") is True
    for piece in PIECES:
        if piece.name in done:
            continue
        begin(piece.name)
        result = _look_at(piece, module, source, guard, columns)
        yield result
        if result["state"] != "right" and not everything:
            return


def _look_at(
    piece: Piece,
    module: types.ModuleType,
    source: Source,
    guard: limits.ProcessGuard,
    columns: bool,
) -> Result:
    line = source.lines.get(piece.name)
    guard.forget()
    start = time.process_time()
    try:
        if piece.name in source.blank:
            raise Trouble("piece.blank")
        watched = _Watched(get(module, piece.name), source)
        report = piece.look(watched.function, columns=columns)
    except Trouble as problem:
        return failed(piece.name, piece.chapter, line, problem.found)
    findings = [watched.located(of_finding(finding)) for finding in report.findings]
    if guard.asked:
        seen = lay_out(asked=", ".join(dict.fromkeys(guard.asked)))
        findings.insert(0, trouble("piece.process", seen))
    state = "wrong" if findings else "unchecked" if report.unchecked else "right"
    return Result(
        piece=piece.name,
        chapter=piece.chapter,
        line=line,
        state=state,
        findings=findings,
        notes=[*report.unchecked, *report.notes],
        seconds=round(time.process_time() - start, 3),
    )


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
