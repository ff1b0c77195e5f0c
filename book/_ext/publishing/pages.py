"""Finished pages, mended: icons, pictures, folded parts, tables, what assistive devices read."""

import base64
import copy
import hashlib
import re
import struct
from pathlib import Path

from bs4 import BeautifulSoup, Tag

from .icons import PATHS, icon

CHOOSE = """
    (() => {
      let mode = "auto";
      try {
        mode = localStorage.getItem("mode") ?? mode;
      } catch {}
      const dark = matchMedia("(prefers-color-scheme: dark)").matches;
      document.documentElement.dataset.mode = mode;
      document.documentElement.dataset.theme = mode !== "auto" ? mode : dark ? "dark" : "light";
    })();
  """
COPY = BeautifulSoup(icon("copy"), "html.parser").svg
CHANGING = ("explorer",)  # in which pictures take turns
# What Pygments tells apart and pages do not: names, punctuation, white space.
UNCOLOURED = re.compile(r'<span class="(?:n|nn|p|w)">([^<]*)</span>')
ALIGNED = re.compile(r"^.*\S {2,}\S.*$", re.MULTILINE)  # a line of a table; it must not wrap
WIDE = 500  # pixels: a narrower picture is whole on a phone


def read(path: Path) -> BeautifulSoup:
    """Read a page, without the marks around parts of code that have no colour of their own."""
    return BeautifulSoup(UNCOLOURED.sub(r"\1", path.read_text("utf-8")), "html.parser")


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
    mend_code(page)
    number_parts(page)
    mend_pictures(page, path)
    mend_tables(page)


def mend_head(page: BeautifulSoup) -> None:
    """Say each thing once, and choose light or dark before anything is shown."""
    page.html["data-theme"] = "light"  # where no script chooses
    page.head.find("script", attrs={"data-cfasync": True}).string = CHOOSE
    for again in page.head.find_all("meta", attrs={"name": "viewport"})[1:]:
        again.decompose()
    for meta in page.head.find_all("meta", attrs={"name": re.compile("^docsearch:")}):
        meta.decompose()


def draw_icons(page: BeautifulSoup) -> None:
    """Draw icons where the theme asks for a letter of its icon font."""
    for mark in page.find_all(["i", "span"], class_=re.compile("^fa-")):
        names = [name.removeprefix("fa-") for name in mark["class"]]
        name = next(name for name in names if name in PATHS)
        others = "theme-switch" if "theme-switch" in names else ""
        drawn = BeautifulSoup(icon(name, others), "html.parser").svg
        for attribute in {"data-mode", "title"} & set(mark.attrs):
            drawn[attribute] = mark[attribute]
        mark.replace_with(drawn)


def leave_out(page: BeautifulSoup) -> None:
    """Leave out what the theme has for others: advertisements, banners, another logo."""
    for part in page.select(
        "#ethical-ad-placement, .pst-async-banner-revealer, .logo__image.only-dark,"
        " #jb-print-docs-body"
    ):
        part.decompose()
    if not page.find(id="pst-secondary-sidebar"):
        for button in page.find_all(class_="secondary-toggle"):
            button.decompose()
    for logo in page.find_all(class_="logo__image"):
        logo["class"] = ["logo__image"]
    for tag in page.find_all(attrs={"data-bs-toggle": True}):
        for name in [name for name in tag.attrs if name.startswith("data-bs-")]:
            del tag[name]


def mend_landmarks(page: BeautifulSoup) -> None:
    """Give screen readers the regions and roles that the theme leaves out."""
    sidebar = page.find(id="pst-primary-sidebar")
    if sidebar:
        sidebar["role"], sidebar["aria-label"] = "complementary", "The book"
    skip, sections = page.find(id="pst-skip-link"), page.find(id="pst-page-toc-nav")
    if skip and sections:  # which come after all that there is to press in the text
        again = copy.copy(skip)
        again["id"], again.a["href"] = "skip-to-sections", f"#{sections['id']}"
        again.a.string = "Skip to the sections of this page"
        skip.insert_after(again)
    for toggle in page.find_all(class_="toctree-toggle"):
        toggle.parent["aria-label"] = "More pages of this chapter"
    for entry in page.find_all(attrs={"role": "doc-biblioentry"}):
        entry["role"] = "listitem"
    for button in page.find_all("button", class_="search-button-field"):
        del button["aria-label"]  # its text says more: the keys, too
    for button in page.find_all("button", class_=["primary-toggle", "secondary-toggle"]):
        primary = "primary-toggle" in button["class"]
        button["title"] = "The chapters" if primary else "On this page"
        button["aria-label"] = button["title"]


def fold(page: BeautifulSoup) -> None:
    """Fold solutions away by the browser's own means: they open without a script."""
    for part in page.find_all("div", class_="solution"):
        part.name = "details"
        title = part.find(class_="admonition-title")
        title.name = "summary"
        for link in title.find_all("a"):
            link.unwrap()  # a press on the title opens it
    for details in page.find_all("details", class_="admonition"):
        details.summary.attrs.pop("aria-label", None)  # its text says more


def mend_code(page: BeautifulSoup) -> None:
    """Give code a button that copies it; keep the tables that it prints from being wrapped."""
    for code in page.find_all("div", class_="highlight"):
        if code.find_parent(class_="cell_output"):
            if len(ALIGNED.findall(code.get_text())) > 2:
                code.pre["class"] = "aligned"
        else:
            attributes = {"class": "copybtn pst-js-only", "type": "button", "aria-label": "Copy"}
            button = page.new_tag("button", attrs=attributes)
            button.append(copy.copy(COPY))
            code.append(button)


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
        if number:
            image["loading"] = "lazy"  # book.js fetches those that take turns
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


def mend_tables(page: BeautifulSoup) -> None:
    """Let a wide table scroll within itself; a heading that says nothing is none."""
    for table in (page.find("article") or page).find_all("table"):
        for head in table.find_all("th"):
            if not head.get_text(strip=True):
                head.name = "td"
        if table.thead and not table.thead.get_text(strip=True):
            table.thead.decompose()
        if not table.find_parent(class_="pst-scrollable-table-container"):
            table.wrap(page.new_tag("div", **{"class": "pst-scrollable-table-container"}))
