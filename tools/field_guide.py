"""Write the entries of the field guide, book/field-guide.ipynb, from the catalogue of bugs.

Usage: python tools/field_guide.py

A cell of text that begins with the anchor of a code gets that code's entry. All codes without a
cell of their own get theirs in the cell `more-codes`, in the catalogue's order. Everything else in
the notebook stays as it is; a test holds the notebook to the catalogue.
"""

import json
import re
from pathlib import Path

from mnist_book.diagnosis.catalogue import CATALOGUE, CODE_SPAN, Bug

BOOK = Path(__file__).parents[1] / "book"
GUIDE = BOOK / "field-guide.ipynb"
CHAPTERS = {int(path.name[:2]): path.stem for path in BOOK.glob("[0-9][0-9]-*.ipynb")}
ANCHOR = re.compile(r'<div id="([^"]+)"></div>\s+### `')
MORE = "more-codes"
MORE_INTRODUCTION = """\
## More codes

Reports know some mistakes that are rarer, or that have no picture of their own."""


def written(notebook: str) -> str:
    """Return the notebook's text with the entries that the catalogue has now."""
    content = json.loads(notebook)
    cells = [cell for cell in content["cells"] if cell["cell_type"] == "markdown"]
    own = {code_of(cell): cell for cell in cells if code_of(cell)}
    for code, cell in own.items():
        if code not in CATALOGUE:
            raise SystemExit(f"{GUIDE.name} has an entry for {code}, the catalogue has none")
        set_source(cell, entry(CATALOGUE[code]))
    (more,) = (cell for cell in cells if cell["id"] == MORE)
    others = [entry(bug) for code, bug in CATALOGUE.items() if code not in own]
    set_source(more, "\n\n".join([MORE_INTRODUCTION, *others]))
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def code_of(cell: dict) -> str | None:
    """Return the code whose entry a cell is."""
    match = ANCHOR.match("".join(cell["source"]))
    return match and match[1]


def entry(bug: Bug) -> str:
    """Write an entry in Markdown."""
    # A heading's own anchor would lose the dot of the code.
    anchor = f'<div id="{bug.code}"></div>'
    paragraphs = [anchor, f"### `{bug.code}`: {bug.name}", linked(bug, bug.symptom)]
    if bug.cause:
        paragraphs.append(f"*Cause:* {linked(bug, bug.cause)}")
    if bug.picture:
        paragraphs.append(f"*Picture:* {linked(bug, bug.picture)}")
    if bug.wrong:
        paragraphs.append(f"```python\n{bug.wrong}\n{bug.right}\n```")
    if bug.cure:
        paragraphs.append(f"*Cure:* {linked(bug, bug.cure)}")
    chapter = f"{{doc}}`Chapter {bug.chapter} <{CHAPTERS[bug.chapter]}>`."
    paragraphs.append(f"*Check:* {linked(bug, bug.check)} {chapter}")
    return "\n\n".join(paragraphs)


def linked(bug: Bug, text: str) -> str:
    """Make links of the other codes in a text."""

    def link(match: re.Match) -> str:
        code = match[1]
        known = code in CATALOGUE and code != bug.code
        return f'<a href="#{code}">`{code}`</a>' if known else match[0]

    return CODE_SPAN.sub(link, text)


def set_source(cell: dict, source: str) -> None:
    """Store a cell's text as notebooks do, line by line."""
    cell["source"] = source.splitlines(keepends=True)


if __name__ == "__main__":
    before = GUIDE.read_text("utf-8")
    after = written(before)
    if after != before:
        GUIDE.write_text(after, "utf-8")
    done = "written" if after != before else "unchanged"
    print(f"{GUIDE.name}: {len(CATALOGUE)} entries, {done}")
