"""The catalogue of bugs is whole; sources name what is in it; the field guide says what it says."""

import ast
import importlib.util
import itertools
import json
import re
from pathlib import Path

import pytest

from mnist_book.diagnosis import catalogue
from mnist_book.diagnosis.catalogue import CATALOGUE, Bug, CatalogueError
from mnist_book.diagnosis.reports import Finding, Report

ROOT = Path(__file__).parents[2]
DIAGNOSIS = ROOT / "mnist_book" / "diagnosis"
GUIDE = ROOT / "book" / "field-guide.ipynb"
SYMPTOMS = ROOT / "book" / "symptoms.ipynb"

_spec = importlib.util.spec_from_file_location("field_guide", ROOT / "tools" / "field_guide.py")
field_guide = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(field_guide)

ENTRY = """
[softmax.axis]
name = "a sum over the wrong axis"
chapter = 3
symptom = "rows don't sum to 1"
check = "sum the columns"
"""

# --------------------------------------------------------------------------------------------------
# The catalogue
# --------------------------------------------------------------------------------------------------


def load(tmp_path, text):
    path = tmp_path / "bugs.toml"
    path.write_text(text, "utf-8")
    return catalogue.load(path)


def test_an_entry_is_read(tmp_path):
    bug = load(tmp_path, ENTRY + "[softmax.axis.says]\nnetwork = '''wrapped\nby {width}'''")
    assert bug["softmax.axis"].message("network", {"width": 100}) == "wrapped by 100"
    assert bug["softmax.axis"].chapter == 3


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (ENTRY.replace("chapter = 3", ""), "has no chapter"),
        (ENTRY.replace('check = "sum the columns"', 'check = ""'), "has no check"),
        (ENTRY.replace("chapter = 3", 'chapter = "3"'), "should be a int"),
        (ENTRY + 'symptoms = "nan"', "unknown key, symptoms"),
        (ENTRY + 'wrong = "e.sum(axis=0)"', "takes both"),
        (ENTRY + 'cause = "see `softmax.axes`"', "`softmax.axes`, which has no entry"),
        (ENTRY + "[softmax.axis.says]\nusual = 3", "no text"),
        (ENTRY + '[softmax.axis.says]\nusual = "half a {brace"', "no partner"),
        (ENTRY + '[softmax.axis.says]\nusual = "unnamed {}"', "has no name"),
    ],
)
def test_an_entry_that_is_wrong_is_refused(tmp_path, text, complaint):
    with pytest.raises(CatalogueError, match=re.escape(complaint)):
        load(tmp_path, text)


@pytest.mark.parametrize("bug", CATALOGUE.values(), ids=lambda bug: bug.code)
def test_each_check_tells_the_bug_from_a_neighbour(bug):
    assert bug.neighbours


@pytest.mark.parametrize("bug", CATALOGUE.values(), ids=lambda bug: bug.code)
def test_wrong_and_right_lines_are_python(bug):
    for lines in (bug.wrong, bug.right):
        function = "def f():\n" + "".join(f"    {line}\n" for line in lines.splitlines())
        compile(function + "    pass", bug.code, "exec")
    assert bug.wrong != bug.right or not bug.wrong


@pytest.mark.parametrize("bug", CATALOGUE.values(), ids=lambda bug: bug.code)
def test_sentences_are_sentences(bug):
    for text in (bug.symptom, bug.cause, bug.cure, bug.picture, bug.check, *bug.says.values()):
        assert not text or text[-1] in ".)?", text
    assert not any("`" in text or "{glue" in text for text in bug.says.values())


@pytest.mark.parametrize(
    ("finding", "complaint"),
    [
        ({"code": "softmax.axes"}, "not in the catalogue"),
        ({"code": "softmax.axis", "says": "loudly"}, "nothing called 'loudly'; there is usual"),
        ({"code": "idx.offset", "values": {"start": 4}}, "needs a value for header"),
    ],
)
def test_a_finding_without_words_is_an_error_at_once(finding, complaint):
    with pytest.raises(CatalogueError, match=re.escape(complaint)):
        Finding(**finding)


def test_a_finding_has_its_words_from_the_catalogue():
    values = {"start": 4, "header": 16}
    finding = Finding("idx.offset", "given: a file", values=values)
    assert finding.message.startswith("Reading starts at byte 4, but the header of this file is 16")
    assert finding.chapter == 1
    assert finding.link == "field-guide.html#idx.offset"
    assert 'href="field-guide.html#idx.offset"' in Report("read_idx", (finding,))._repr_html_()


# --------------------------------------------------------------------------------------------------
# Sources
# --------------------------------------------------------------------------------------------------


def constants(node):
    """Return the texts that an expression can be, or None where that cannot be read off."""
    if isinstance(node, ast.IfExp):
        return constants(node.body) + constants(node.orelse)
    return [node.value] if isinstance(node, ast.Constant) else [None]


MAKERS = {  # what makes a finding: its parameters, and the sentence if none is given
    "Finding": (("code", "evidence", "says", "values"), "usual"),
    "finding": (("code", "given", "returned", "expected", "says"), "network"),
    "Cause": (("code", "says", "values"), "network"),
}


def findings_in(source):
    """List (code, sentence) of all findings that a source makes, None for what is a variable."""
    for node in ast.walk(ast.parse(source)):
        maker = isinstance(node, ast.Call) and MAKERS.get(getattr(node.func, "id", ""))
        if maker:
            names, usual = maker
            given = dict(zip(names, node.args, strict=False))
            given |= {keyword.arg: keyword.value for keyword in node.keywords}
            says = [usual] if None not in given else [usual, None]  # **seen may have another
            says = constants(given["says"]) if "says" in given else says
            yield from itertools.product(constants(given["code"]), says)


def sources():
    names = [path for path in DIAGNOSIS.rglob("*.py") if path.name != "reports.py"]
    found = {path.relative_to(DIAGNOSIS).as_posix(): path.read_text("utf-8") for path in names}
    epoch = DIAGNOSIS.parent / "writing" / "epoch.py"  # a check that lives with the reader's file
    return found | {"checks/epoch.py": epoch.read_text("utf-8")}


def test_findings_name_codes_and_sentences_that_exist():
    made = {pair for source in sources().values() for pair in findings_in(source)}
    # Probes pass on what a `Cause` says, or a table of theirs; checks say all of it themselves.
    made = {pair for pair in made if None not in pair}
    checks = [source for name, source in sources().items() if name.startswith("checks/")]
    assert not any(None in pair for source in checks for pair in findings_in(source))
    known = {(code, says) for code, bug in CATALOGUE.items() for says in bug.says}
    assert made - known == set()
    unused = [pair for pair in sorted(known - made) if not pair[1].startswith("network")]
    assert unused == []


def test_findings_are_read_off():
    source = 'Finding("a.b", "", "x" if y else "z"); Finding(code, says="q"); Finding("c.d")'
    assert list(findings_in(source)) == [("a.b", "x"), ("a.b", "z"), (None, "q"), ("c.d", "usual")]
    source = 'finding("a.b", x, says="n"); finding("c.d", **seen); Cause("e.f"); Cause(g, "h")'
    assert list(findings_in(source)) == [
        *(("a.b", "n"), ("c.d", "network"), ("c.d", None), ("e.f", "network"), (None, "h"))
    ]


MEASURING = [name for name in sources() if re.match(r"checks/|running|evidence", name)]


@pytest.mark.parametrize("name", MEASURING)
def test_no_sentence_stands_in_code_that_measures(name):
    tree = ast.parse(sources()[name])
    documented = (ast.Module, ast.FunctionDef, ast.ClassDef)
    nodes = [node for node in ast.walk(tree) if isinstance(node, documented)]
    docstrings = {ast.get_docstring(node, clean=False) for node in nodes}
    texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)} - docstrings
    assert [
        text for text in texts if isinstance(text, str) and re.search(r" .*\w\.( |$)", text)
    ] == []


# --------------------------------------------------------------------------------------------------
# The field guide
# --------------------------------------------------------------------------------------------------


def test_writing_the_guide_changes_nothing():
    stored = GUIDE.read_text("utf-8")
    assert field_guide.written(stored) == stored


def test_an_entry_that_was_changed_by_hand_is_written_anew():
    stored = GUIDE.read_text("utf-8")
    for text in ("divided by the sum over the pictures", "bytes without their place values"):
        assert stored.count(text) == 1
        assert field_guide.written(stored.replace(text, "changed by hand")) == stored


def test_a_new_bug_gets_an_entry(monkeypatch):
    bug = Bug("softmax.new", "a new one", 3, "It is new.", "See `softmax.axis`.", {})
    monkeypatch.setitem(field_guide.CATALOGUE, bug.code, bug)
    cells = json.loads(field_guide.written(GUIDE.read_text("utf-8")))["cells"]
    (more,) = ("".join(cell["source"]) for cell in cells if cell["id"] == "more-codes")
    assert more.endswith(
        '<div id="softmax.new"></div>\n\n### `softmax.new`: a new one\n\nIt is new.\n\n'
        '*Check:* See <a href="#softmax.axis">`softmax.axis`</a>. {doc}`Chapter 3 <03-softmax>`.'
    )


def prose(path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    texts = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return "\n\n".join(texts)


def test_every_code_has_one_anchor_and_every_link_leads_to_one():
    text = prose(GUIDE)
    anchors = re.findall(r'<div id="([^"]+)"></div>', text)
    assert sorted(anchors) == sorted(CATALOGUE)
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(anchors)


# --------------------------------------------------------------------------------------------------
# The symptoms
# --------------------------------------------------------------------------------------------------


def test_every_symptom_leads_to_entries_that_exist():
    text = prose(SYMPTOMS)
    assert set(re.findall(r'href="field-guide\.html#([^"]+)"', text)) <= set(CATALOGUE)
    unlinked = re.sub(r"<a href=.*?</a>", "", text)
    assert not {code for code in catalogue.CODE_SPAN.findall(unlinked) if code in CATALOGUE}


def test_every_symptom_has_an_anchor_and_a_place_in_the_list():
    text = prose(SYMPTOMS)
    headings = re.findall(r"^(?:\((.+)\)=\n)?### ", text, re.MULTILINE)
    assert "" not in headings
    listed, _ = text.split("\n## ", 1)
    assert headings == re.findall(r"\]\(#([a-z0-9-]+)\)", listed)
