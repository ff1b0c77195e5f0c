"""A class's files: every one checked, a row for each, and a page that says which bugs there are.

Each file runs in a process of its own, in an empty folder that goes afterwards. This holds off
what students do without meaning it. Against somebody who means it, run it in a container.
"""

import csv
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TextIO

from mnist_book.diagnosis.catalogue import CATALOGUE
from mnist_book.writing.checking import check
from mnist_book.writing.looking import FILE
from mnist_book.writing.pieces import NAMES, PIECES, TITLES

FIELDS = ("file", "right", "of", "seconds", "codes", "first", "message")
HEADINGS = {code: bug.name for code, bug in CATALOGUE.items()}
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a cell that begins so is a formula to a spreadsheet


@dataclass(frozen=True)
class Row:
    """What was found in a file."""

    file: str
    right: tuple[str, ...]  # pieces
    blank: tuple[str, ...]
    codes: tuple[str, ...]
    first: str  # piece that is not right
    message: str  # about it
    seconds: float

    def cells(self) -> dict[str, object]:
        """Return the row of a table."""
        return {
            "file": _safe(self.file),
            "right": len(self.right),
            "of": len(PIECES),
            "seconds": f"{self.seconds:.1f}",
            "codes": " ".join(self.codes),
            "first": self.first,
            "message": _safe(self.message),
        }


def submissions(folder: Path) -> list[Path]:
    """Find the files in a folder and in those below it; hidden ones are left out.

    Raises
    ------
    FileNotFoundError : there are none
    """
    paths = sorted(
        path
        for path in folder.rglob("*.py")
        if path.is_file()
        and not any(part.startswith((".", "__")) for part in path.relative_to(folder).parts)
    )
    if not paths:
        raise FileNotFoundError(f"found no .py file in {folder}, expected one for each student")
    return paths


def grade(paths: Sequence[Path], folder: Path, *, at_once: int | None = None) -> Iterator[Row]:
    """Check files, some at the same time; yield their rows in the files' order."""
    stop = threading.Event()

    def row(path: Path) -> Row:
        return _row(path, str(path.relative_to(folder)), stop.is_set)

    with ThreadPoolExecutor(at_once or min(os.cpu_count() or 1, 8)) as pool:
        try:
            yield from pool.map(row, paths)
        finally:  # Ctrl-C, too, ends those that run
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _row(path: Path, name: str, stop: Callable[[], bool]) -> Row:
    start = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            outcome = check(path, everything=True, folder=Path(folder), stop=stop)
    except Exception as error:  # whatever a file does, the others are graded
        message = f"The check itself failed: {type(error).__name__}: {error}"
        return Row(name, (), (), ("grade.failed",), FILE, message, time.monotonic() - start)
    results = outcome.results
    wrong = [result for result in results if result["state"] != "right"]
    first = wrong[0] if wrong else None
    return Row(
        file=name,
        right=tuple(result["piece"] for result in results if result["state"] == "right"),
        blank=tuple(result["piece"] for result in results if result["state"] == "blank"),
        codes=tuple(outcome.codes),
        first=first["piece"] if first else "",
        message=first["findings"][0]["message"] if first and first["findings"] else "",
        seconds=time.monotonic() - start,
    )


def write_csv(rows: Iterable[Row], file: TextIO) -> None:
    """Write a table, a row for each file."""
    writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.cells() for row in rows)


def _safe(text: str) -> str:
    """Keep a spreadsheet from taking a student's text for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


# --------------------------------------------------------------------------------------------------
# The page
# --------------------------------------------------------------------------------------------------

STYLE = """
:root { color-scheme: light dark; --bug: #d55e00; --right: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --bug: #ff9e5e; --right: #6db8ec; } }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin-bottom: 2rem; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.bar { width: 40%; vertical-align: middle; }
td.bar i { display: block; height: .9rem; background: var(--bug); min-width: 2px; }
td.bar i.right { background: var(--right); }
code { font-size: .9em; }
"""


def page(rows: Sequence[Row]) -> str:
    """Write a page in HTML, whole in itself: which bugs a class has, and how far it is."""
    bugs = Counter(code for row in rows for code in row.codes)
    finished = sum(len(row.right) == len(PIECES) for row in rows)
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Which bugs did my class have?</title><style>{STYLE}</style></head><body><main>",
        "<h1>Which bugs did my class have?</h1>",
        f"<p>{len(rows)} files; {finished} have all {len(PIECES)} pieces right.</p>",
        "<h2>Bugs</h2>",
        _table(
            ("bug", "files", ""),
            [_bar(_named(code), count, len(rows)) for code, count in bugs.most_common()],
            "No bug was found.",
        ),
        "<h2>Pieces</h2>",
        _table(
            ("piece", "right", "", "wrong or waiting", "not written"),
            [_piece(n, rows) for n in NAMES],
        ),
        "<h2>Files</h2>",
        _table(("file", "right", "bugs"), [_file(row) for row in rows]),
        "</main></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _named(code: str) -> str:
    name = f" {escape(HEADINGS[code])}" if code in HEADINGS else ""
    return f"<code>{escape(code)}</code>{name.replace('`', '')}"


def _bar(name: str, count: int, of: int, kind: str = "") -> str:
    share = 100 * count / max(of, 1)
    css = f' class="{kind}"' if kind else ""
    return (
        f'<td>{name}</td><td class="number">{count}</td>'
        f'<td class="bar"><i{css} style="width:{share:.1f}%"></i></td>'
    )


def _piece(name: str, rows: Sequence[Row]) -> str:
    right = sum(name in row.right for row in rows)
    blank = sum(name in row.blank for row in rows)
    chapter = next(piece.chapter for piece in PIECES if piece.name == name)
    wrong = len(rows) - right - blank
    title = f'<code title="Chapter {chapter}, {escape(TITLES[chapter])}">{name}</code>'
    cells = f'<td class="number">{wrong}</td><td class="number">{blank}</td>'
    return _bar(title, right, len(rows), "right") + cells


def _file(row: Row) -> str:
    codes = ", ".join(f"<code>{escape(code)}</code>" for code in row.codes)
    return (
        f'<td>{escape(row.file)}</td><td class="number">{len(row.right)} of {len(PIECES)}</td>'
        f"<td>{codes}</td>"
    )


def _table(heads: Sequence[str], rows: Sequence[str], empty: str = "") -> str:
    if not rows:
        return f"<p>{empty}</p>"
    numbers = {"files", "right", "wrong or waiting", "not written"}
    head = "".join(
        f'<th class="number">{name}</th>' if name in numbers else f"<th>{name}</th>"
        for name in heads
    )
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"
