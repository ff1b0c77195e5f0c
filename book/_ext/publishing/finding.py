"""Ways to a word: entries of the index, which search looks at first, and links to the glossary."""

import re
import tomllib
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.transforms import SphinxTransform

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
    app.add_transform(AddEntries)
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


class AddEntries(SphinxTransform):
    """Puts the entries of a page into the index, before Sphinx collects them."""

    default_priority = 840

    def apply(self, **arguments: object) -> None:
        """Add a node for each place, at the beginning of the page."""
        first = next(iter(self.document.findall(nodes.section)), None)
        page = self.app.index_entries.get(self.env.docname.removeprefix("book/"), {})
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
        if f"book/{page}" not in env.found_docs:  # a build of some of the pages
            continue
        doctree = env.get_doctree(f"book/{page}")
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
        if any(isinstance(parent, UNLINKED) for parent in parents) or in_html_link(text):
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


def in_html_link(text: nodes.Text) -> bool:
    """Tell whether a link that a page writes in HTML is open where a text stands."""
    before = text.parent.children[: text.parent.index(text)]
    html = "".join(node.astext() for node in before if isinstance(node, nodes.raw))
    return html.count("<a ") > html.count("</a>")


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
