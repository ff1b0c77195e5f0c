"""Finished pages, mended: icons, pictures, folded parts, tables, what assistive devices read."""

import base64
import hashlib
import re
import struct
from pathlib import Path

from bs4 import BeautifulSoup, Tag

from .icons import icon

CHANGING = ("explorer",)  # in which pictures take turns
WIDE = 500  # pixels: a narrower picture is whole on a phone


def mend(page: BeautifulSoup, path: Path) -> None:
    """Mend one page, which is at a path; a page that is mended already stays as it is."""
    if page.html.has_attr("data-mended"):
        return
    page.html["data-mended"] = ""
    mend_head(page)
    draw_icons(page)
    leave_out(page)
    mend_landmarks(page)
    fold(page)
    number_parts(page)
    mend_pictures(page, path)
    box_tables(page)


def mend_head(page: BeautifulSoup) -> None:
    """Say each thing once."""
    for again in page.head.find_all("meta", attrs={"name": "viewport"})[1:]:
        again.decompose()
    for meta in page.head.find_all("meta", attrs={"name": re.compile("^docsearch:")}):
        meta.decompose()


def draw_icons(page: BeautifulSoup) -> None:
    """Draw icons where the theme asks for a letter of its icon font."""
    for mark in page.select("i[class*=fa-], span[class*=fa-]"):
        fonts, names = re.compile(r"fa[a-z]?$|fa-(solid|brands|regular|lg)$"), mark["class"]
        name = next(name for name in names if name.startswith("fa-") and not fonts.match(name))
        kept = [name for name in names if not name.startswith("fa") or "-" not in name[:3]]
        drawn = BeautifulSoup(icon(name[3:], " ".join(set(kept) - {"fas"})), "html.parser").svg
        for attribute in ("data-mode", "title"):
            if mark.has_attr(attribute):
                drawn[attribute] = mark[attribute]
        mark.replace_with(drawn)


def leave_out(page: BeautifulSoup) -> None:
    """Leave out what the theme has for others: advertisements, banners, another logo."""
    for selector in (
        "#ethical-ad-placement",
        ".pst-async-banner-revealer",
        ".logo__image.only-dark",
        "#jb-print-docs-body",
    ):
        for part in page.select(selector):
            part.decompose()
    for logo in page.select(".logo__image"):
        logo["class"] = ["logo__image"]
    for tag in page.select("[data-bs-toggle]"):
        for name in [name for name in tag.attrs if name.startswith("data-bs-")]:
            del tag[name]


def mend_landmarks(page: BeautifulSoup) -> None:
    """Give screen readers the regions and roles that the theme leaves out."""
    sidebar = page.find(id="pst-primary-sidebar")
    if sidebar:
        sidebar["role"], sidebar["aria-label"] = "complementary", "The book"
    for caption in page.select("p.caption[role=heading]"):
        caption["aria-level"] = "2"
    for entry in page.select("[role=list] > [role=doc-biblioentry]"):
        entry["role"] = "listitem"
    for button in page.select(".primary-toggle, .secondary-toggle"):
        primary = "primary-toggle" in button["class"]
        button["title"] = "The chapters" if primary else "On this page"
        button["aria-label"] = button["title"]


def fold(page: BeautifulSoup) -> None:
    """Fold solutions away by the browser's own means: they open without a script."""
    for part in page.select("div.admonition.dropdown"):
        part.name = "details"
        part.find(class_="admonition-title").name = "summary"


def number_parts(page: BeautifulSoup) -> None:
    """Give each id to one element only: sphinx-exercise gives the same to all exercises."""
    seen = set()
    for tag in page.find_all(id=True):
        if tag["id"] in seen:
            if tag["id"] not in ("exercise-content", "solution-content"):
                raise ValueError(f"id {tag['id']!r}: found twice, expected once; rename a label")
            del tag["id"]
        else:
            seen.add(tag["id"])


def mend_pictures(page: BeautifulSoup, path: Path) -> None:
    """Tell how large pictures are, load them when they are near, and link to the whole picture."""
    article = page.find("article") or page
    for number, image in enumerate(article.find_all("img")):
        if image["src"].startswith("data:image/png;base64,"):
            store(image, path)
        size = size_of(path.parent / image["src"])
        if size:
            image["width"], image["height"] = size
        changing = image.find_parent(class_=CHANGING)
        if number and not changing:
            image["loading"] = "lazy"
        image["decoding"] = "async"
        if size and size[0] > WIDE and not changing and not image.find_parent("a"):
            image.wrap(page.new_tag("a", href=image["src"], **{"class": "whole-picture"}))


def store(image: Tag, path: Path) -> None:
    """Move a picture out of the page into a file: text comes first."""
    data = base64.b64decode(image["src"].partition(",")[2])
    folder = path.parent.parent / "_images"
    folder.mkdir(exist_ok=True)
    name = f"{hashlib.sha256(data).hexdigest()[:32]}.png"
    (folder / name).write_bytes(data)
    image["src"] = f"../_images/{name}"


def size_of(path: Path) -> tuple[int, int] | None:
    """Read the width and the height of a PNG; other pictures have none that counts."""
    if path.suffix != ".png":
        return None
    with path.open("rb") as file:
        return struct.unpack(">II", file.read(24)[16:])


def box_tables(page: BeautifulSoup) -> None:
    """Let a wide table scroll within itself."""
    for table in page.select("article table"):
        if not table.find_parent(class_="pst-scrollable-table-container"):
            table.wrap(page.new_tag("div", **{"class": "pst-scrollable-table-container"}))
