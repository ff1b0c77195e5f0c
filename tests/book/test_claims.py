"""What a chapter claims: with a control, seeds, and a place to which the page of claims leads."""

import importlib.util
import json
import re

import nbformat
import pytest
from chapters import BOOK

spec = importlib.util.spec_from_file_location("claims", BOOK.parent / "tools" / "claims.py")
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)

CLAIMS = [(stem, claim) for stem, book in tool.chapters() for claim in tool.claims_of(book)]


def test_the_page_is_what_the_tool_makes():
    """If not, run it: python tools/claims.py."""
    assert (BOOK / "claims.md").read_text("utf-8") == tool.page()


def test_each_claim_has_a_name_of_its_own():
    names = [claim.id for _, claim in CLAIMS]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize(("stem", "claim"), CLAIMS, ids=[claim.id for _, claim in CLAIMS])
def test_a_claim_is_a_sentence_with_a_control_seeds_and_a_place(stem, claim):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", claim.id)
    assert len(claim.says) > 20
    assert claim.says.endswith(".")
    assert len(claim.control) > 20
    assert claim.seeds == "exact" or (type(claim.seeds) is int and claim.seeds >= 5)
    assert re.search(rf"^\(claim-{claim.id}\)=$", claim.before, re.MULTILINE), (
        f"{stem}: the text cell before the claim's cell has no line (claim-{claim.id})="
    )


def test_the_page_has_a_row_for_each_claim(tmp_path, monkeypatch):
    says = "Weights that are too large fail | of any sign."
    claim = {"id": "size", "says": says, "control": "the sign", "seeds": 5}
    cells = [nbformat.v4.new_markdown_cell("# Weights\n\n(claim-size)=\nIt is the size.")]
    cells.append(nbformat.v4.new_code_cell("1", metadata={"claim": claim}))
    notebook = nbformat.v4.new_notebook(cells=cells)
    (tmp_path / "05-weights.ipynb").write_text(json.dumps(notebook), "utf-8")
    (tmp_path / "06-none.ipynb").write_text(json.dumps(nbformat.v4.new_notebook()), "utf-8")
    monkeypatch.setattr(tool, "BOOK", tmp_path)
    assert tool.page().removeprefix(tool.INTRODUCTION) == (
        "\n## Chapter 5: Weights\n\n| claim | control | seeds |\n| --- | --- | --- |\n"
        "| [Weights that are too large fail \\| of any sign.](#claim-size) | the sign | 5 |\n"
    )


def test_without_claims_the_page_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(tool, "BOOK", tmp_path)
    assert tool.page().endswith("No chapter has marked a claim yet.\n")
