"""Print the whole book: a PDF with an outline and page numbers, of pages that are built.

Usage: python tools/vector_pages.py; python tools/pdf.py _build/print/_build/html
       make book; python tools/pdf.py _build/html       (with figures as screens show them)

The file is _build/why-isnt-it-learning.pdf.

The pages follow each other in the order of _toc.yml. Links between them lead to a place in the
file; the addresses of those to other sites stand at the end of each chapter, and all solutions in
an appendix. Where a page has something that only a browser can run, there is its first picture.
Chromium prints it (found on the path, or named by the variable CHROMIUM), driven by Playwright:
pip install -r requirements-browser.txt.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlparse

import yaml
from bs4 import BeautifulSoup, Tag

ROOT = Path(__file__).parents[1]
FILE = ROOT / "_build" / "why-isnt-it-learning.pdf"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
TITLE = "Why Isn’t It Learning?"
WAIT = 600_000  # milliseconds: several hundred pages
# What is for a screen alone. Of pictures that take turns, the one that is shown at first stays.
LEFT_OUT = (
    "script, style, noscript, button, .headerlink, .toctree-wrapper, .run-here, .copybtn,"
    " .explorer input, .explorer output, img[hidden], .front-ways, [data-lab=game]"
)
STILLS = {  # what needs a script, and its picture
    "[data-digit-pad]": ("pad.png", "The pad: on the page one draws on it, and a network reads."),
    "[data-lab]": ("lab-still.png", "The laboratory: on the page a network learns in it."),
}
PAGE = """<!doctype html>
<html lang="en" data-theme="light"><head><meta charset="utf-8"><title>{title}</title>
<link rel="stylesheet" href="_static/site.css"><style>{style}</style></head>
<body><div class="bd-content"><div class="bd-article">{body}</div></div></body></html>"""
STYLE = """
@page { size: A4; margin: 20mm 18mm 18mm; }
html { font-size: 13.5px; }
body { background: #fff; }
.bd-content { display: block; }
.bd-article { padding: 0; overflow: visible; }
.bd-article p a[href^="http"]::after { content: none; }
.chapter { break-before: page; }
.cover { padding-top: 35vh; text-align: center; break-after: page; }
.cover h1 { font-size: 3.2rem; }
.part { margin: 1.2rem 0 0.3rem; font-weight: 600; }
.contents li { list-style: none; }
.contents a, .note { text-decoration: none; color: inherit; }
.note { font-size: 0.7em; vertical-align: super; line-height: 0; }
.notes { font-size: 0.85rem; overflow-wrap: anywhere; }
.still img { max-height: 12cm; max-width: 100%; }
img { max-height: 20cm; object-fit: contain; }
pre { font-size: 0.72rem !important; }
/* What scrolls isn't broken between pages; what fades in is printed before it is there. */
.chapter * { overflow: visible !important; animation: none !important; }
pre, .admonition { orphans: 4; widows: 4; box-decoration-break: clone; }
.cell { margin: 0.6rem 0 !important; }
div.highlight, .cell_output > .output, .admonition { box-shadow: none !important; }
.back { font-size: 0.85rem; }
"""
FOOTER = """<div style="width: 100%; margin: 0 18mm; font: 8px serif; display: flex;
justify-content: space-between"><span class="title"></span><span class="pageNumber"></span></div>"""


def main() -> None:
    """Put the pages together, and print them."""
    if len(sys.argv) != 2:
        raise SystemExit("python tools/pdf.py PAGES: found no folder of built pages, expected one")
    pages = Path(sys.argv[1]).resolve()
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    if not (pages / f"{toc['root']}.html").exists():
        raise SystemExit(f"{pages}: found no pages, expected the book; run make book first")
    whole = pages / "whole.html"  # beside what it shows
    try:
        whole.write_text(assemble(toc, pages), "utf-8")
        print_to(FILE, whole)
    finally:
        whole.unlink(missing_ok=True)
    print(f"{FILE}: {FILE.stat().st_size / 1e6:.1f} MB")


def assemble(toc: dict, pages: Path) -> str:
    """Make one page of all in a folder, in the order of a table of contents."""
    names = [name for _, some in parts(toc) for name in some]
    chapters = {name: Chapter(name, set(names), pages) for name in names}
    contents = []
    for caption, some in parts(toc):
        items = "".join(f"<li>{chapters[name].link()}</li>" for name in some)
        contents.append(f'<p class="part">{escape(caption)}</p><ul>{items}</ul>')
    contents.append('<ul><li><a href="#solutions">Solutions</a></li></ul>')
    solutions = "".join(chapter.solutions() for chapter in chapters.values())
    body = (
        f'<div class="cover"><h1>{TITLE}</h1><p>Text: CC BY 4.0, code: BSD 3-Clause</p></div>'
        f'<section class="contents"><h1>Contents</h1>{"".join(contents)}</section>'
        f"{''.join(str(chapter.section) for chapter in chapters.values())}"
        f'<section class="chapter" id="solutions"><h1>Solutions</h1>{solutions}</section>'
    )
    return PAGE.format(title=TITLE, style=STYLE, body=body)


def parts(toc: dict) -> Iterator[tuple[str, list[str]]]:
    """List the parts of the book: their captions, and the names of their pages."""
    yield "", [toc["root"]]
    for part in toc["parts"]:
        entries = (
            e for chapter in part["chapters"] for e in (chapter, *chapter.get("sections", ()))
        )
        yield part["caption"], [entry["file"] for entry in entries]


class Chapter:
    """A page, made ready to stand among others."""

    def __init__(self, name: str, names: set[str], pages: Path) -> None:
        """Read a page of a folder; `names` are those of all that will be in the file."""
        page = BeautifulSoup((pages / f"{name}.html").read_text("utf-8"), "html.parser")
        self.name, self.names = PurePosixPath(name), names
        self.section = page.select_one("article > section")
        self.section["class"] = "chapter"
        self.page = page
        self.leave_out()
        self.show_stills()
        self.title = self.section.h1.get_text()
        self.folded = self.take_solutions()
        for part in (self.section, *self.folded):
            self.place(part)
        self.write_notes()

    def link(self) -> str:
        """Write the link of the table of contents."""
        return f'<a href="#{self.id_of("")}">{escape(self.title)}</a>'

    def id_of(self, place: str, name: PurePosixPath | None = None) -> str:
        """Name a place of a page so that no other page has the same."""
        return f"{(name or self.name).name}--{place}"

    def leave_out(self) -> None:
        """Leave out what is for a screen alone."""
        for tag in self.section.select(LEFT_OUT):
            if not tag.decomposed:
                tag.decompose()
        for tag in self.section.find_all(loading="lazy"):
            del tag["loading"]

    def show_stills(self) -> None:
        """Put a picture where only a script would show something."""
        for selector, (file, caption) in STILLS.items():
            for tag in self.section.select(selector):
                figure = f'<figure class="still"><img src="../_static/{file}" alt="">'
                figure += f"<figcaption>{caption}</figcaption></figure>"
                tag.replace_with(BeautifulSoup(figure, "html.parser"))

    def take_solutions(self) -> list[Tag]:
        """Take the solutions out, for the appendix; a link to each stays."""
        found = self.section.select("details.solution")
        for number, details in enumerate(found):
            details["id"] = details.get("id") or f"solution-{number}"
            details["open"] = ""
            link = self.page.new_tag("a", href=f"#{details['id']}")
            link.string = "To the solution"
            back = self.page.new_tag("p", attrs={"class": "back"})
            back.append(link)
            details.replace_with(back)
        for details in self.section.find_all("details"):
            details["open"] = ""
            words = details.summary.find(class_="collapsed")  # "Show the source"
            if words:
                details.summary.string = words.get_text().replace("Show the", "The")
        return found

    def solutions(self) -> str:
        """Write the chapter's part of the appendix."""
        folded = "".join(map(str, self.folded))
        return f"<h2>{escape(self.title)}</h2>{folded}" if folded else ""

    def place(self, part: Tag) -> None:
        """Let ids and addresses of a part hold in the whole file."""
        for tag in (part, *part.find_all(id=True)):
            if tag.get("id"):
                tag["id"] = self.id_of(tag["id"])
        if part is self.section:
            anchor = self.page.new_tag("span", id=self.id_of(""))
            part.insert(0, anchor)
        for image in part.find_all("img"):
            image["src"] = str(self.beside(image["src"]))
        for link in part.find_all("a", href=True):
            url = urlparse(link["href"])
            if url.scheme:
                continue
            page = self.beside(url.path).with_suffix("") if url.path else self.name
            if str(page) in self.names:
                link["href"] = f"#{self.id_of(unquote(url.fragment), page)}"
            else:
                link.unwrap()  # a picture's own file, a download

    def beside(self, path: str) -> PurePosixPath:
        """Find what an address of this page names in the folder of all."""
        joined = os.path.normpath(self.name.parent / unquote(urlparse(path).path))
        return PurePosixPath(Path(joined).as_posix())

    def write_notes(self) -> None:
        """Give the addresses of other sites at the end of the chapter."""
        numbers: dict[str, int] = {}
        for link in [a for part in (self.section, *self.folded) for a in part.select("a[href]")]:
            address = link["href"]
            shown = link.get_text().strip("/") == address.partition("//")[2].strip("/")
            if address.startswith("http") and link.get_text() != address and not shown:
                number = numbers.setdefault(address, len(numbers) + 1)
                mark = self.page.new_tag("span", attrs={"class": "note"})
                mark.string = str(number)
                link.insert_after(mark)
        if numbers:
            items = "".join(f"<li>{escape(address)}</li>" for address in numbers)
            notes = f'<div class="notes"><p class="part">Addresses</p><ol>{items}</ol></div>'
            self.section.append(BeautifulSoup(notes, "html.parser"))


def print_to(file: Path, page: Path) -> None:
    """Let Chromium print a page."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    file.parent.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path)
        tab = browser.new_page()
        tab.set_default_timeout(WAIT)
        tab.goto(page.as_uri())
        tab.evaluate("document.fonts.ready")
        options = {"display_header_footer": True, "header_template": "<span></span>"}
        options |= {"prefer_css_page_size": True, "outline": True, "tagged": True}
        tab.pdf(path=file, footer_template=FOOTER, **options)
        browser.close()


if __name__ == "__main__":
    main()
