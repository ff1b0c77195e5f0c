"""Ways to a word: entries of the index, which search looks at first, and links to the glossary."""

import re
import tomllib
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

GLOSSARY = "book/notation"
LINKED = re.compile(r"book/(\d\d-.*|capstone)")  # the pages whose words lead to the glossary
# Also words of everyday English: a link only where a chapter introduces them, in bold.
EVERYDAY = {
    "branch", "cache", "confidence", "control", "coverage", "interaction", "operation", "path",
    "schedule", "seed", "stroke", "surprise", "temperature", "temporary", "thread", "unit",
}  # fmt: skip
UNLINKED = (
    nodes.reference,
    nodes.title,
    nodes.literal,
    nodes.math,
    nodes.caption,
    nodes.literal_block,
    nodes.raw,
    addnodes.pending_xref,
)


def setup(app: Sphinx) -> None:
    """Connect both with the reading of pages."""
    app.connect("builder-inited", read)
    app.connect("doctree-read", add_entries)
    app.connect("doctree-read", link_terms)
    app.connect("env-check-consistency", check_entries)


def read(app: Sphinx) -> None:
    """Read the words of the glossary, and the entries of the index with the places they lead to."""
    source = (Path(app.srcdir) / f"{GLOSSARY}.md").read_text("utf-8")
    app.glossary_terms = terms(source)
    entries = tomllib.loads((Path(app.srcdir) / "book" / "index-entries.toml").read_text("utf-8"))
    app.index_entries = entries


def terms(source: str) -> list[str]:
    """Find the words that a glossary explains: its lines that are not indented."""
    glossary = re.search(r"```\{glossary\}\n(.*?)```", source, re.DOTALL)
    if glossary is None:
        raise ExtensionError("glossary: found none in its page, expected a block ```{glossary}")
    return re.findall(r"^\S.*$", glossary[1], re.MULTILINE)


def add_entries(app: Sphinx, doctree: nodes.document) -> None:
    """Put the entries of a page into the index."""
    page = app.index_entries.get(app.env.docname.removeprefix("book/"), {})
    first = next(iter(doctree.findall(nodes.section)), None)
    for place, words in page.items():
        target = place or first["ids"][0]
        entries = [("single", word, target, "main", None) for word in words]
        first.insert(1, addnodes.index(entries=entries))


def check_entries(app: Sphinx, env: object) -> None:
    """See that each entry leads to a page and a place that are there.

    Raises
    ------
    ExtensionError : one does not
    """
    for page, places in app.index_entries.items():
        doctree = env.get_doctree(f"book/{page}") if f"book/{page}" in env.found_docs else None
        ids = {name for node in doctree.findall(nodes.Element) for name in node.get("ids", ())}
        raws = "".join(node.astext() for node in doctree.findall(nodes.raw))
        for place in places:
            if place and place not in ids and f'id="{place}"' not in raws:
                raise ExtensionError(
                    f"index-entries.toml: found the place {place!r} in {page}, expected the id of "
                    "a heading or a label there"
                )


def link_terms(app: Sphinx, doctree: nodes.document) -> None:
    """Link each word of the glossary where a chapter uses it for the first time."""
    if not LINKED.fullmatch(app.env.docname):
        return
    left = {term.lower(): term for term in app.glossary_terms}
    words = "|".join(re.escape(term) for term in sorted(left, key=len, reverse=True))
    pattern = re.compile(rf"(?<![\w.-])({words})(?![\w-])", re.IGNORECASE)
    for text in list(doctree.findall(nodes.Text)):
        parents = list(ancestors(text))
        if not any(isinstance(parent, nodes.paragraph) for parent in parents):
            continue
        if any(isinstance(parent, UNLINKED) for parent in parents):
            continue
        bold = isinstance(text.parent, nodes.strong)
        parts, end = [], 0
        for match in pattern.finditer(text.astext()):
            word = match[0].lower()
            if word not in left or (word in EVERYDAY and not bold):
                continue
            parts.append(nodes.Text(text.astext()[end : match.start()]))
            parts.append(link(match[0], left.pop(word), app.env.docname))
            end = match.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(text.astext()[end:])])


def ancestors(node: nodes.Node) -> list[nodes.Node]:
    """List what a node is in, from the nearest."""
    found = []
    while node.parent is not None:
        node = node.parent
        found.append(node)
    return found


def link(word: str, term: str, page: str) -> addnodes.pending_xref:
    """Make the link from a word to what the glossary says of it."""
    return addnodes.pending_xref(
        "",
        nodes.inline("", word, classes=["term"]),
        refdomain="std",
        reftype="term",
        reftarget=term,
        refexplicit=True,
        refdoc=page,
        refwarn=True,
    )
