"""Looks at the pages of the book, built cold, as a browser gets them."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
import yaml
from pad_page import READY, draw_with_mouse, serve, settled, well_drawn

ROOT = Path(__file__).parents[2]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
CHAPTERS = [chapter for part in TOC["parts"] for chapter in part["chapters"]]
PAGES = [
    TOC["root"],
    *(page["file"] for chapter in CHAPTERS for page in (chapter, *chapter.get("sections", ()))),
]
LOADING = {  # what makes a browser fetch something, as opposed to a link that a reader may follow
    "script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src",
    "embed": "src", "object": "data", "link": "href",
}  # fmt: skip
NOT_FETCHED = {"canonical", "next", "prev", "search", "index", "author", "license"}


class Page(HTMLParser):
    """Collects what a page loads, its pictures, and its text."""

    def __init__(self, path):
        super().__init__()
        self.path, self.loads, self.images, self.text, self.headings = path, [], [], [], []
        self._inside = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        fetched = not set((attributes.get("rel") or "").split()) & NOT_FETCHED
        if tag in LOADING and attributes.get(LOADING[tag]) and fetched:
            self.loads.append(attributes[LOADING[tag]])
        if tag == "img":
            self.images.append(attributes)
        if tag not in {"img", "link", "meta", "input", "br", "hr", "source", "path"}:
            self._inside.append(tag)

    def handle_endtag(self, tag):
        if tag in self._inside:
            while self._inside.pop() != tag:
                pass

    def handle_data(self, data):
        if "script" not in self._inside and "style" not in self._inside:
            self.text.append(data)
            if "h1" in self._inside:
                self.headings.append(data)


@pytest.fixture(scope="module")
def pages(html):
    return [Page(html / f"{name}.html") for name in PAGES]


def source_headings(name):
    source = (ROOT / name).with_suffix(".md")
    if not source.exists():
        source = source.with_suffix(".ipynb")
    return re.search(r"^(?:\s*\")?# (.+?)(?:\\n\",?)?$", source.read_text("utf-8"), re.MULTILINE)[1]


def test_every_page_exists_and_holds_its_text(pages):
    for name, page in zip(PAGES, pages, strict=True):
        heading = "".join(page.headings).replace("’", "'")
        assert source_headings(name) in heading, name
        assert len("".join(page.text)) > 1000, name


def test_opening_the_folder_leads_to_the_first_page(html):
    assert f"{TOC['root']}.html" in (html / "index.html").read_text("utf-8")


def test_every_figure_in_prose_was_filled_in(pages):
    for page in pages:
        text = "".join(page.text)
        assert "{glue" not in text, page.path
        assert "glue:text" not in text, page.path


def test_no_page_loads_anything_from_another_host(pages):
    for page in pages:
        assert not [url for url in page.loads if urlparse(url).netloc], page.path


def test_everything_that_a_page_loads_is_there(pages):
    for page in pages:
        for url in page.loads:
            if not url.startswith("data:"):
                assert (page.path.parent / unquote(urlparse(url).path)).exists(), url


def test_no_style_sheet_loads_anything_from_another_host(html):
    for sheet in html.rglob("*.css"):
        assert not re.findall(r"(?:url\(|@import)\s*[\"']?https?://", sheet.read_text("utf-8")), (
            sheet
        )


def test_no_page_names_a_content_delivery_network(html, pages):
    for page in pages:
        source = page.path.read_text("utf-8")
        assert not re.findall(
            r"cdn\.|unpkg\.com|jsdelivr|cdnjs|googleapis\.com/(?:css|ajax)", source
        )


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_the_first_page_reads_digits(chromium, html, scheme):
    asked = []
    with serve(html, scheme) as address:
        page = chromium.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{address}/{TOC['root']}.html")
        page.wait_for_function(READY)
        for digit in (4, 9):
            draw_with_mouse(page, well_drawn()[digit])
            assert settled(page)[:2] == ("sure", str(digit))
            page.locator("[data-do=clear]").click()
        page.close()
    assert {urlparse(url).hostname for url in asked} <= {"127.0.0.1", None, ""}


def test_every_picture_has_an_alternative_text(pages):
    for page in pages:
        for image in page.images:
            alt = image.get("alt")
            assert alt, image
            assert not re.search(r"\.(png|svg)$|^_images", alt), alt
