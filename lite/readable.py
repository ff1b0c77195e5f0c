"""Turn what only the book's pages understand into what a notebook in JupyterLite shows.

JupyterLite renders admonitions and mathematics. It knows no figure that another cell glued, no
reference list and no exercise, and it would show cells that the pages hide.
"""

import ast
import re
from pathlib import Path

from pybtex.database import Entry, parse_file

ROLE = re.compile(r"\{([a-z]+(?::[a-z]+)?)\}`([^`]+)`")
TITLED = re.compile(r"(.*?)\s*<([^>]+)>", re.DOTALL)
EXERCISE = re.compile(r"^(`{3,})\{exercise-start\} *(.*)\n(?::.*\n)*\1", re.MULTILINE)
SOLUTION = re.compile(r"^(`{3,})\{solution-start\} *.*\n(?::.*\n)*\1", re.MULTILINE)
END = re.compile(r"^(`{3,})\{(?:exercise|solution)-end\}\s*\n\1", re.MULTILINE)
HIDDEN = {"remove-cell", "remove-input"}  # cells whose code the pages leave out


def glued(notebook: dict) -> dict[str, str]:
    """Collect the figures that a notebook's stored outputs keep under names."""
    found = {}
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            if name:
                text = output["data"]["application/papermill.record/text/plain"]
                found[name] = str(ast.literal_eval("".join(text)))
    return found


def authors_and_years(bibliography: Path) -> dict[str, tuple[str, str]]:
    """Read of each entry of a .bib file who wrote it, "He et al.", and when."""
    entries = parse_file(str(bibliography)).entries
    return {key: (_authors(entry), entry.fields.get("year", "")) for key, entry in entries.items()}


def _authors(entry: Entry) -> str:
    people = entry.persons["author"]
    parts = [person.rich_prelast_names + person.rich_last_names for person in people]
    names = [" ".join(map(str, part)) for part in parts]
    if len(names) > 2:
        return f"{names[0]} et al."
    return " and ".join(names)


def readable(notebook: dict, sources: dict[str, tuple[str, str]], pages: set[str]) -> dict:
    """Make the notebook that a browser shows.

    Parameters
    ----------
    notebook : as the book has it
    sources : authors and year by the key of a source
    pages : the names of the notebooks that can be reached from this one, without ending

    Raises
    ------
    KeyError : a text names a figure or source that is not there
    """
    figures = glued(notebook)

    def replaced(role: re.Match) -> str:
        kind, content = role.groups()
        if kind == "glue:text":
            return figures[content]
        if kind.startswith("cite"):
            return _cited(kind, content, sources)
        titled = TITLED.fullmatch(content)
        title, target = titled.groups() if titled else (content, content)
        return f"[{title}]({target}.ipynb)" if kind == "doc" and target in pages else title

    cells = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            text = ROLE.sub(replaced, "".join(cell["source"]))
            text = EXERCISE.sub(r"#### Exercise: \2\n", text)
            text = END.sub("", SOLUTION.sub("#### Solution\n", text))
            cells.append({**cell, "source": text.strip() + "\n"})
        elif HIDDEN & set(cell["metadata"].get("tags", [])):
            shown = cell["metadata"].get("jupyter", {})
            metadata = {**cell["metadata"], "jupyter": {**shown, "source_hidden": True}}
            cells.append({**cell, "metadata": metadata})
        else:
            cells.append(cell)
    return {**notebook, "cells": _folded(cells)}


def _cited(kind: str, keys: str, sources: dict[str, tuple[str, str]]) -> str:
    found = [sources[key.strip()] for key in keys.split(",")]
    if kind == "cite:t":
        return " and ".join(f"{who} ({year})" if year else who for who, year in found)
    return "(" + "; ".join(f"{who}, {year}" if year else who for who, year in found) + ")"


def _folded(cells: list[dict]) -> list[dict]:
    """Fold solutions up: a heading hides all until the next heading, which must come next."""
    kept = [cell for cell in cells if cell["cell_type"] != "markdown" or cell["source"].strip()]
    for i, cell in enumerate(kept):
        if cell["source"][:13] == "#### Solution" and _heading_comes_next(kept[i + 1 :]):
            folded = {**cell["metadata"], "jp-MarkdownHeadingCollapsed": True}
            kept[i] = {**cell, "metadata": folded}
    return kept


def _heading_comes_next(cells: list[dict]) -> bool:
    texts = (cell["source"] for cell in cells if cell["cell_type"] == "markdown")
    return next(texts, "#").startswith("#")
