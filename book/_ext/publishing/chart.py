"""The map of the book: its chapters as stations on lines, drawn from _toc.yml and book/map.toml."""

import textwrap
import tomllib
from html import escape
from pathlib import Path

import yaml
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

WIDTH, LINE_AT, TEXT_AT = 336, 16, 40  # of a line's drawing, and where in it what stands
TITLE, SMALL, GAP = 20, 18, 22  # heights of a line of a title, of small text, and between stations
IN_A_TITLE, IN_SMALL = 31, 42  # characters


class Map(Directive):
    """Puts the map where a page says ```{book-map}."""

    def run(self) -> list[nodes.Node]:
        """Keep its place: titles are known once all pages are read."""
        return [chart()]


class chart(nodes.General, nodes.Element):
    """The place of the map."""


def setup(app: Sphinx) -> None:
    """Connect the map with Sphinx."""
    app.add_directive("book-map", Map)
    app.add_node(chart, html=(lambda translator, node: None, lambda translator, node: None))
    app.connect("doctree-resolved", draw)


def draw(app: Sphinx, doctree: nodes.document, name: str) -> None:
    """Draw the map in its place."""
    for place in list(doctree.findall(chart)):
        source = Path(app.srcdir)
        toc = yaml.safe_load((source / "_toc.yml").read_text("utf-8"))
        said = tomllib.loads((source / "book" / "map.toml").read_text("utf-8"))
        lines = [line for line in map(stations, toc["parts"]) if line and line[0] in said]
        titles = {page: app.env.titles[f"book/{page}"].astext() for line in lines for page in line}
        captions = [part["caption"] for part in toc["parts"] if set(stations(part)) & said.keys()]
        drawn = zip(captions, lines, strict=True)
        check(said, set(titles))
        numbers = {page: page[:2].lstrip("0") for page in titles if page[:2].isdigit()}
        html = "".join(draw_line(c, line, titles, numbers, said) for c, line in drawn)
        place.replace_self(nodes.raw("", f'<div class="book-map">{html}</div>', format="html"))


def stations(part: dict) -> list[str]:
    """Name the pages of a part in their order."""
    entries = (e for chapter in part["chapters"] for e in (chapter, *chapter.get("sections", ())))
    return [Path(entry["file"]).name for entry in entries]


def check(said: dict, pages: set[str]) -> None:
    """See that the map says something of each chapter, and of nothing else.

    Raises
    ------
    ExtensionError : it doesn't
    """
    wrong = sorted(said.keys() ^ pages)
    if wrong:
        raise ExtensionError(f"map.toml: found {wrong} there or in _toc.yml, expected in both")


def draw_line(
    caption: str, line: list[str], titles: dict, numbers: dict, said: dict[str, dict]
) -> str:
    """Draw one part of the book: a line, and a link at each of its stations.

    Parameters
    ----------
    caption : of the part
    line : its pages in their order
    titles, numbers : of pages; one without a number is a smaller station
    said : what a page builds, and its bug
    """
    links, y, ends = [], GAP, []
    for page in line:
        number = numbers.get(page, "")
        title = textwrap.wrap(f"{number} {titles[page]}".strip(), IN_A_TITLE)
        small = textwrap.wrap(f"builds {said[page]['builds']}", IN_SMALL)
        bug = textwrap.wrap(f"bug: {said[page]['bug']}", IN_SMALL)
        rows = [(text, "title", TITLE) for text in title]
        rows += [(text, "builds", SMALL) for text in small] + [(text, "bug", SMALL) for text in bug]
        top, texts = y, []
        for text, kind, height in rows:
            texts.append(f'<text class="{kind}" x="{TEXT_AT}" y="{y}">{escape(text)} </text>')
            y += height
        if number:
            ends.append(top - 5)
        links.append(
            f'<a href="{page}.html"><rect x="1" y="{top - 18}" width="{WIDTH - 2}" '
            f'height="{y - top + 10}" rx="6"/>'
            f'<circle cx="{LINE_AT}" cy="{top - 5}" r="{7 if number else 4}"/>'
            f"{''.join(texts)}</a>"
        )
        y += GAP - 8
    rail = f'<path class="rail" d="M{LINE_AT} {ends[0]}V{ends[-1]}"/>'
    label = escape(f"{caption}: a line with {len(line)} stations, each a link to its chapter")
    return (
        f'<figure><figcaption>{escape(caption)}</figcaption><svg viewBox="0 0 {WIDTH} {y}" '
        f'role="group" aria-label="{label}">{rail}{"".join(links)}</svg></figure>'
    )
