"""Make the page of claims, book/claims.md, from the metadata of the notebooks' cells.

Usage: python tools/claims.py
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

BOOK = Path(__file__).parents[1] / "book"
PAGE = BOOK / "claims.md"

INTRODUCTION = """\
---
myst:
  html_meta:
    description: >-
      Each claim of the book that one thing causes another, with the control that could have
      refuted it and the number of seeds behind it.
---

# Claims and their controls

It is easy to say that X makes a network fail. Each claim in this table has a control that could
have refuted it: a run in which everything but the cause was held fixed. The link leads to the place
where the claim is made, and the cell below that place shows the run. Where the result depends on
chance, *seeds* tells how many runs with different random numbers stand behind the claim (where four
folds are compared, how many networks); *exact* means that nothing was left to chance.
`tools/claims.py` makes this page from the notebooks, and a test compares it with them.
"""
NONE_YET = "\nNo chapter has marked a claim yet.\n"


class Claim(NamedTuple):
    """What a cell claims to show: its metadata "claim", and what stands before the cell."""

    id: str
    says: str
    control: str
    seeds: int | str  # how many, or "exact"
    before: str = ""  # the text cell before it, which has the target "(claim-id)="


def claims_of(notebook: dict) -> Iterator[Claim]:
    """Yield the claims of a notebook, in its order."""
    text = ""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            text = "".join(cell["source"])
        elif claim := cell["metadata"].get("claim"):
            yield Claim(**claim, before=text)


def title_of(notebook: dict) -> str:
    """Read the heading of a chapter, the first line of its first cell."""
    return "".join(notebook["cells"][0]["source"]).splitlines()[0].removeprefix("# ")


def chapters() -> Iterator[tuple[str, dict]]:
    """Yield the stem of each chapter's file and the notebook."""
    for path in sorted(BOOK.glob("[0-9][0-9]-*.ipynb")):
        yield path.stem, json.loads(path.read_text("utf-8"))


def page() -> str:
    """Write the page: a table for each chapter that has claims."""
    tables = []
    for stem, notebook in chapters():
        rows = [
            f"| [{_cell(claim.says)}](#claim-{claim.id}) | {_cell(claim.control)} | {claim.seeds} |"
            for claim in claims_of(notebook)
        ]
        if rows:
            heading = f"\n## Chapter {int(stem[:2])}: {title_of(notebook)}\n"
            tables += [heading, "| claim | control | seeds |", "| --- | --- | --- |", *rows]
    return INTRODUCTION + ("\n".join([*tables, ""]) if tables else NONE_YET)


def _cell(text: str) -> str:
    """Make a text fit for a table's cell: a bar would end the cell."""
    return re.sub(r"\s+", " ", text).replace("|", r"\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.name}: {sum(len(list(claims_of(book))) for _, book in chapters())} claims")
