"""Shows what was found: in colour in a terminal, as plain text elsewhere."""

import os
import shutil
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from mnist_book.writing.checking import Outcome
from mnist_book.writing.looking import FILE, Result
from mnist_book.writing.pieces import PIECES, TITLES
from mnist_book.writing.troubles import Found

STYLES = {"good": "32", "bad": "31", "strong": "1", "faint": "2", "reset": "0"}
MARKS = {"right": "✓", "wrong": "✗", "unchecked": "?", "waits": "…"}
PLAIN_MARKS = {"right": "+", "wrong": "x", "unchecked": "?", "waits": "~"}
ROWS = (
    "your pictures are columns, and the book speaks of rows: its axis=1 is your axis=0, its "
    "x @ weights your weights @ x, its log_p[rows, labels] your log_p[labels, columns]."
)
CLEAR = "\x1b[2J\x1b[3J\x1b[H"
WIDEST = 100


class Terminal:
    """Where text goes, and what it can show.

    Parameters
    ----------
    stream : such as sys.stdout; colours only if it is a terminal, and $NO_COLOR is not set
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.is_terminal = self.stream.isatty()
        self.colours = self.is_terminal and "NO_COLOR" not in os.environ
        if self.colours and os.name == "nt":
            os.system("")  # a Windows console understands colours after that
        columns = shutil.get_terminal_size().columns if self.is_terminal else WIDEST
        self.width = max(40, min(columns, WIDEST))
        self.marks = MARKS if _can_write("✓✗…·", self.stream) else PLAIN_MARKS

    def clear(self) -> None:
        """Begin a new screen, where there is one."""
        if self.is_terminal:
            self.stream.write(CLEAR)

    def write(self, *lines: str) -> None:
        """Write lines."""
        for line in lines:
            encoding = self.stream.encoding or "utf-8"
            print(line.encode(encoding, "replace").decode(encoding), file=self.stream)
        self.stream.flush()

    def painted(self, text: str, style: str) -> str:
        """Return a text in a style, where there are colours."""
        return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if self.colours else text

    def wrapped(self, text: str, indent: str = "  ", hanging: str = "") -> list[str]:
        """Break a text into lines."""
        return textwrap.wrap(
            text,
            self.width,
            initial_indent=indent,
            subsequent_indent=indent + hanging,
            break_on_hyphens=False,
        )

    # ------------------------------------------------------------------------------------- a file

    def show(self, outcome: Outcome) -> None:
        """Show how far a file is, and what was found."""
        name = self.painted(str(outcome.path), "strong")
        self.write(f"{name}: {outcome.right} of {len(PIECES)} pieces right", "")
        self.write(*self._chapters(outcome), "")
        blanks = [result for result in outcome.results if result["state"] == "blank"]
        for result in outcome.results:
            if result["state"] != "right" and result not in blanks[1:]:
                self.write(*self._result(result, outcome.path), "")
        about_rows = [ROWS] if outcome.columns and outcome.codes else []
        for note in [*about_rows, *outcome.notes]:
            self.write(*self.wrapped(f"Note: {note}", ""), "")

    def _chapters(self, outcome: Outcome) -> list[str]:
        """Return a line for each chapter, with its pieces."""
        states = {result["piece"]: result["state"] for result in outcome.results}
        lines = []
        for chapter, title in TITLES.items():
            names = [piece.name for piece in PIECES if piece.chapter == chapter]
            marked = [self._marked(name, states.get(name, "unknown")) for name in names]
            lines.append(f"  {chapter}  {title:<36} {'  '.join(marked)}".rstrip())
        return lines

    def _marked(self, name: str, state: str) -> str:
        style = {"right": "good", "wrong": "bad", "unchecked": "bad"}.get(state, "faint")
        mark = self.marks.get(state, "·" if self.marks is MARKS else ".")
        return self.painted(f"{mark} {name}", style)

    def _result(self, result: Result, path: Path) -> list[str]:
        """Return what was found about a piece."""
        place = f"{path}:{result['line']}" if result["line"] else str(path)
        if result["state"] == "blank":
            chapter = result["chapter"] or 1
            lines = [f"{self.painted('Next: ' + result['piece'], 'strong')}  {place}"]
            return lines + self.wrapped(
                f"Chapter {chapter}, {TITLES[chapter]}, builds it: {link(chapter)}"
            )
        title = "The file" if result["piece"] == FILE else result["piece"]
        verdict = {"unchecked": "not checked", "waits": "waits"}.get(result["state"], "not yet")
        lines = [f"{self.painted(f'{title}: {verdict}', 'bad')}  {place}"]
        for found in result["findings"]:
            lines += self.finding(found)
        for note in result["notes"]:
            lines += self.wrapped(f"note: {note}", hanging="  ")
        return lines

    def finding(self, found: Found) -> list[str]:
        """Return a finding: the sentence, the evidence, where to read on."""
        lines = self.wrapped(found["message"])
        for line in found["evidence"].splitlines():
            lines += [self.painted(part, "faint") for part in self.wrapped(line, "    ", " " * 10)]
        if found["code"].startswith("piece."):  # no bug that one could look up
            return lines
        return [*lines, self.painted(f"  [{found['code']}]{_where(found)}", "faint")]

    # ---------------------------------------------------------------------------------- a network

    def show_training(self, trained: Mapping[str, Any], path: Path) -> None:
        """Show what the reader's network has learned, beside the core's."""
        sizes = "-".join(map(str, trained["sizes"]))
        slow = " (not all, as it is slow)" if trained["slow"] else ""
        self.write(
            *self.wrapped(
                f"Your network, {sizes}, has seen {trained['pictures']:,} pictures of "
                f"{trained['source']} {trained['epochs']} times{slow}. "
                "Of the test pictures it reads",
                "",
            ),
            "",
        )
        head = f"{'digit':<10}" + "".join(f"{digit:>6}" for digit in range(10)) + f"{'all':>8}"
        self.write(self.painted(f"  {head}", "faint"))
        for name, scores in (("yours", trained), ("the core's", trained["core"])):
            cells = "".join(f"{_percent(share):>6}" for share in scores["per_digit"])
            total = self.painted(f"{_percent(scores['accuracy'], 2):>8}", "strong")
            self.write(f"  {name:<10}{cells}{total}  %")
        mine, cores = (part["milliseconds_per_step"] for part in (trained, trained["core"]))
        self.write("")
        self.write(
            *self.wrapped(f"A step takes {mine:.2f} ms of work, the core's {cores:.2f} ms.", "")
        )
        self.write(*self.wrapped(f"Draw for it: python -m mnist_book pad {quoted(path)}", ""))

    def show_report(self, report: Mapping[str, Any], name: str) -> None:
        """Show what an examination has found."""
        style = "good" if report["verdict"] == "right" else "bad"
        self.write(self.painted(f"{name}: {report['verdict']}", style))
        for reason in report["unchecked"]:
            self.write(*self.wrapped(f"not checked: {reason}", hanging="  "))
        for doubt in report["doubts"]:
            self.write(*self.wrapped(f"but: {doubt}", hanging="  "))
        for found in report["findings"]:
            self.write(*self.finding(found))
        for note in report["notes"]:
            self.write(*self.wrapped(f"note: {note}", hanging="  "))


LINKS = (
    "01-reading-the-digits",
    "02-matrix-product",
    "03-softmax",
    "04-leaky-relu",
    "05-initialization",
    "06-backpropagation",
    "07-training",
    "08-mistakes",
    "09-autopsy",
)
GUIDE = "book/field-guide.ipynb"


def link(chapter: int) -> str:
    """Return where a chapter is, in the book's directory."""
    return f"book/{LINKS[chapter - 1]}.ipynb"


def _where(found: Found) -> str:
    """Return where to read on about a finding."""
    if found["chapter"] is None:
        return ""
    if found["code"].startswith("function."):  # what no chapter is about
        return f" {GUIDE}"
    return f" chapter {found['chapter']}, {link(found['chapter'])}, and {GUIDE}"


def quoted(path: Path) -> str:
    """Return a path as one types it."""
    text = str(path)
    return f'"{text}"' if any(character in text for character in " ()&;'") else text


def _percent(share: float | None, digits: int = 1) -> str:
    return "-" if share is None else f"{100 * share:.{digits}f}"


def _can_write(text: str, stream: TextIO) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
