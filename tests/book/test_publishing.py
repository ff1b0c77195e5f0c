"""Pages as they are published: light, found, linked, and read without a mouse or a script."""

import gzip
import json
import re
import zipfile
from collections import Counter
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urlparse

import pdf
import publishing
import pytest
import yaml
from bs4 import BeautifulSoup
from pad_page import CANVAS, READY, draw_with_mouse, serve, settled, well_drawn
from publishing import assets, chart, finding, formulas, site
from sphinx.errors import ExtensionError

from mnist_book.drawing.recognizer import Recognizer

ROOT = Path(__file__).parents[2]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
CHAPTERS = [
    page["file"]
    for part in TOC["parts"]
    for chapter in part["chapters"]
    for page in (chapter, *chapter.get("sections", ()))
]
NAMES = [TOC["root"], *CHAPTERS]
LEARNING = [name for name in NAMES if finding.LINKED.fullmatch(name)]
SEARCHED = {  # what readers type, and the page that should come first
    "softmax": "03-softmax",
    "softmax sums to 10": "field-guide",
    "learning rate": "07-training",
    "2.303": "symptoms",
    "vanishing": "symptoms",
    "exploding": "symptoms",
    "NaN": "symptoms",
    "dying ReLU": "symptoms",
    "dropout": "12-as-good-as-it-gets",
    "overflow encountered in exp": "symptoms",
}


@pytest.fixture(scope="module")
def pages(html):
    return {name: (html / f"{name}.html").read_text("utf-8") for name in NAMES}


def tags(page, name):
    """List the attributes of all elements of a kind."""
    found = re.findall(rf"<{name}(\s[^>]*)?>", page)
    return [dict(re.findall(r'([\w:-]+)="([^"]*)"', attributes)) for attributes in found]


# ------------------------------------------------------------------------------------------ weight


def test_a_page_carries_its_styles_and_no_script_holds_it_up(pages):
    for name, page in pages.items():
        assert len(styles_of(page)) > 10_000, name
        assert not [link for link in tags(page, "link") if link["rel"] == "stylesheet"], name
        for script in tags(page, "script"):
            assert "src" not in script or "defer" in script, (name, script)


def test_a_changed_style_reaches_pages_that_have_not_changed(tmp_path):
    static = tmp_path / "static"
    static.mkdir()
    (static / "book.css").write_text("a { color: red }", "utf-8")
    app = SimpleNamespace(confdir=tmp_path, config=SimpleNamespace(html_static_path=["static"]))
    env = SimpleNamespace(found_docs={"one", "two"})
    assert publishing.outdated(app, env) == {"one", "two"}  # built before this was known of it
    assert not publishing.outdated(app, env)
    (static / "book.css").write_text("a { color: blue }", "utf-8")
    assert publishing.outdated(app, env) == {"one", "two"}


def test_scripts_for_a_pad_are_loaded_where_there_is_one(pages):
    for name, page in pages.items():
        assert ("/pad.js" in page) == ('data-digit-pad=""' in page), name


def test_a_page_and_all_it_shows_is_light_and_comes_from_here(html, pages):
    for name, page in pages.items():
        files = loaded(html, name, page)
        assert all(html in path.parents for path in files), name
        assert len(gzip.compress(page.encode())) + sum(map(packed, files)) < 1_500_000, name


def loaded(html, name, page):
    """Find the files that a page may ask for, all that its scripts fetch later among them."""
    urls = {image["src"] for image in tags(page, "img")}
    urls |= {script["src"] for script in tags(page, "script") if "src" in script}
    urls |= {link["href"] for link in tags(page, "link") if link["rel"] in ("icon", "preload")}
    urls |= set(re.findall(r"url\([\"']?(?!data:)([^\"')]+)", styles_of(page)))
    assert not [url for url in urls if urlparse(url).netloc], name
    place = (html / name).parent
    found = {(place / unquote(urlparse(url).path)).resolve() for url in urls}
    new = {path for path in found if path.suffix == ".js"}
    named = {path.name: path for path in (html / "_static").glob("*.*")}
    while new:
        text = "".join(path.read_text("utf-8") for path in new)
        new = {path for file, path in named.items() if f'"{file}"' in text} - found
        found |= new
        new = {path for path in new if path.suffix == ".js"}
    return found


def styles_of(page):
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    return max(styles, key=len)  # the theme has a small one, and so has the laboratory


def packed(path):
    data = path.read_bytes()
    return len(data if path.suffix in (".png", ".woff2") else gzip.compress(data))


def test_styles_have_no_icon_font_and_name_files_that_are_there(html, pages):
    for name, page in pages.items():
        styles = styles_of(page)
        assert not assets.ICON_FONT.search(styles)
        assert 9_000 < len(gzip.compress(styles.encode())) < 18_000, name
        for url in re.findall(r"url\([\"']?([^)\"']+)", styles):
            assert url.startswith("data:") or (html / "book" / url).exists(), (name, url)
        declared = set(re.findall(r"(--[\w-]+)\s*:", styles + page))
        wanted = set(re.findall(r"var\((--(?:pst|book|digit)-[\w-]+)\)", styles))
        assert wanted - declared <= {"--pst-color-text"}, name  # which the theme has forgotten


def test_rules_are_kept_that_match_something():
    sheet = (
        "a{b:c} .x{b:c} .y, .x .z{b:c} .z{b:c} #i{b:c} .x:not(.z){b:c}"
        "@media print{.x{b:c} .z{b:c}} @media print{.z{b:c}}"
        ".x::after{font-family:'Font Awesome 6 Free';content:'x'} @font-face{font-family:x}"
    )
    kept = assets.used(assets.parse(sheet), {"x", "y"})
    assert re.sub(r"\s|b:c;?", "", kept) == (
        'a{}.x{}.y{}.x:not(.z){}@mediaprint{.x{}}.x::after{content:"x";}@font-face{font-family:x;}'
    )


def test_what_styles_refer_to_is_kept_and_nothing_else():
    sheet = (
        ":root{--a:var(--b);--b:1;--c:2;--d:3} .x{top:var(--a);animation:turn 1s}"
        "@keyframes turn{to{top:0}} @keyframes fade{to{top:0}}"
    )
    kept = assets.used(assets.parse(sheet), {"x", "--d"})
    assert re.sub(r"\s", "", kept) == (
        ":root{--a:var(--b);--b:1;--d:3;}.x{top:var(--a);animation:turn1s;}"
        "@keyframesturn{to{top:0};}"
    )


def test_a_style_sheet_with_a_mistake_is_an_error():
    with pytest.raises(ValueError, match="expected a rule"):
        list(assets.parse("a{b:c} d"))


def test_pictures_tell_their_size_and_wait_until_they_are_near(pages):
    for name, page in pages.items():
        article = page[page.index("<article") :]
        images = [image for image in tags(article, "img") if image["src"].endswith(".png")]
        for image in images:
            assert int(image["width"]) > 0, (name, image)
            assert int(image["height"]) > 0, (name, image)
        lazy = [image.get("loading") == "lazy" for image in images]
        assert len(images) < 2 or any(lazy), name
        assert "data:image" not in page, name


# ---------------------------------------------------------------------------------------- formulas


def test_formulas_are_set_when_the_page_comes(pages):
    assert "<math" in pages["book/03-softmax"]
    for name, page in pages.items():
        text = re.sub(r"<(pre|script|code)\b.*?</\1>", "", page, flags=re.DOTALL)
        assert not re.search(r"\\\(|\\\[|\\begin|\\frac|\$\$", text), name


def test_lines_are_aligned_and_words_spaced():
    mathml = formulas.to_mathml(r"\begin{aligned} a &= \log b \\[4pt] &= c \end{aligned}", True)
    assert mathml.count("<mtr>") == 2
    assert mathml.count("<mtd") == 4
    assert "log</mi><mspace" in mathml
    assert "4pt" not in mathml


def test_a_formula_that_nobody_knows_is_an_error():
    with pytest.raises(ValueError, match="unknown"):
        formulas.to_mathml(r"x \unknown y")


# ----------------------------------------------------------------------------------- head and site


def test_a_page_says_what_it_is_to_search_engines_and_cards(pages):
    titles = set()
    for name, page in pages.items():
        head = page[: page.index("</head>")]
        (title,) = re.findall(r"<title>\s*(.*?)\s*</title>", unescape(head), re.DOTALL)
        assert title.replace("’", "'").count("Why Isn't It Learning?") == 1, (name, title)
        titles.add(title)
        said = {meta.get("name") or meta.get("property"): meta for meta in tags(page, "meta")}
        assert 50 <= len(unescape(said["description"]["content"])) <= 250, name
        assert unescape(said["og:title"]["content"]) == title, name
        assert len([meta for meta in tags(page, "meta") if meta.get("name") == "viewport"]) == 1
    assert len(titles) == len(pages)


def test_a_site_with_an_address_has_a_map_and_cards_with_a_picture(tmp_path):
    site.write_map(tmp_path, ["book/b", "book/a"], "https://example.org/x/")
    places = re.findall("<loc>(.*?)</loc>", (tmp_path / "sitemap.xml").read_text("utf-8"))
    assert places == ["https://example.org/x/book/a.html", "https://example.org/x/book/b.html"]
    assert "https://example.org/x/sitemap.xml" in (tmp_path / "robots.txt").read_text("utf-8")
    page = BeautifulSoup(
        '<head><title>T</title><meta name="description" content="D">', "html.parser"
    )
    site.add_cards(page, "book/a", "https://example.org/x/")
    card = page.find("meta", property="og:image")["content"]
    assert (ROOT / "book" / card.removeprefix("https://example.org/x/")).exists()
    assert page.find("meta", property="og:url")["content"] == "https://example.org/x/book/a.html"


def test_a_site_without_an_address_invents_none(html, tmp_path):
    site.write_map(tmp_path, ["book/a"], "")
    assert [path.name for path in tmp_path.iterdir()] == ["robots.txt"]
    assert "There is no page at this address" in (html / "404.html").read_text("utf-8")


def test_each_link_within_the_site_leads_somewhere(html, pages):
    ids = {
        path: set(re.findall(r'\sid="([^"]+)"', path.read_text("utf-8")))
        for path in html.rglob("*.html")
    }
    for name, page in pages.items():
        here = html / f"{name}.html"
        for link in tags(page, "a"):
            url = urlparse(unescape(link.get("href", "")))
            if url.scheme:
                continue
            there = (here.parent / unquote(url.path)).resolve() if url.path else here
            assert there.exists(), (name, link)
            if url.fragment:
                assert unquote(url.fragment) in ids[there], (name, link)


def test_an_id_is_given_once(pages):
    for name, page in pages.items():
        again = [i for i, n in Counter(re.findall(r'\sid="([^"]+)"', page)).items() if n > 1]
        assert not again, name


def test_no_heading_of_a_table_is_empty(pages):
    for name, page in pages.items():
        for table in re.findall(r"<table.*?</table>", page, re.DOTALL):
            heads = re.findall(r"<th\b[^>]*>(.*?)</th>", table, re.DOTALL)
            assert all(re.sub(r"<[^>]*>|\s", "", head) for head in heads), (name, table[:300])


def test_the_download_is_the_whole_book_without_mnist(html):
    with zipfile.ZipFile(html / f"{site.BUNDLE}.zip") as bundle:
        names = {name.removeprefix(f"{site.BUNDLE}/") for name in bundle.namelist()}
        assert bundle.getinfo(f"{site.BUNDLE}/mnist_core.py").file_size > 1000
    assert {"Makefile", "requirements.txt", "_config.yml", "mnist_book/__main__.py"} <= names
    assert {path.relative_to(ROOT).as_posix() for path in ROOT.glob("book/*.ipynb")} <= names
    parts = {part for name in names for part in name.split("/")}
    assert {".ci/run", ".github/workflows/test.yml", "lite/lock.json"} <= names  # tests read them
    assert {part for part in parts if part.startswith(".")} == {".ci", ".github"}
    assert not [part for part in parts if part.endswith("-ubyte.gz")]


def test_a_downloaded_notebook_says_what_it_needs(html):
    notebooks = list((html / "_sources" / "book").glob("*.ipynb"))
    assert len(notebooks) > 10
    for path in notebooks:
        first = json.loads(path.read_text("utf-8"))["cells"][0]["source"]
        assert f"book/{path.name}" in "".join(first)
        assert "make lab" in "".join(first)


# ----------------------------------------------------------------------------------------- finding


def test_a_chapter_links_a_word_of_the_glossary_once(pages):
    for name in LEARNING:
        words = re.findall(r'href="notation\.html#(term-[^"]+)"', pages[name])
        assert len(words) >= 3, name
        assert len(words) == len(set(words)), name


def test_the_index_leads_to_chapters_and_to_the_glossary(html):
    index = (html / "genindex.html").read_text("utf-8")
    for place in ("03-softmax.html", "notation.html#term-softmax", "symptoms.html#loss-2303"):
        assert place in index, place


def test_the_map_has_a_station_for_each_chapter_with_its_bug(pages):
    page = BeautifulSoup(pages["book/map"], "html.parser")
    stations = page.select(".book-map a")
    assert [f"book/{Path(a['href']).stem}" for a in stations] == LEARNING
    for station in stations:
        text = station.get_text()
        assert "builds" in text and "bug:" in text, text
    assert all(svg["aria-label"] for svg in page.select(".book-map svg"))


def test_the_map_says_something_of_each_chapter_and_of_nothing_else():
    with pytest.raises(ExtensionError, match=r"found .*'a', 'b'.* expected in both"):
        chart.check({"a": {}, "c": {}}, {"b", "c"})


# ------------------------------------------------------------------------------------------- paper


def test_a_chapter_on_paper_has_solutions_at_the_end_and_nothing_for_a_screen(html):
    name = LEARNING[2]
    chapters = [{"file": name}, {"file": "book/references"}]
    toc = {"root": TOC["root"], "parts": [{"caption": "", "chapters": chapters}]}
    whole = pdf.assemble(toc, html)
    page = BeautifulSoup(whole, "html.parser")
    ids = [tag["id"] for tag in page.find_all(id=True)]
    assert len(ids) == len(set(ids))
    links = {link["href"] for link in page.select("a[href]")}
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    assert not page.select("script, button, .chapter input, .chapter details:not([open])")
    online = BeautifulSoup((html / f"{name}.html").read_text("utf-8"), "html.parser")
    solutions = len(online.select("details.solution"))
    assert len(page.select("#solutions details.solution")) == solutions > 0
    assert len(page.select("details.solution")) == solutions
    addresses = {item.get_text() for item in page.select(".notes li")}
    assert {link for link in links if link.startswith("https://github")} <= addresses
    for image in page.select("img"):
        assert (html / unquote(image["src"])).exists(), image


def test_search_puts_the_right_page_first(chromium, html):
    with serve(html, "http") as address:
        page = chromium.new_page(viewport={"width": 390, "height": 800})
        found = {}
        for words in SEARCHED:
            page.goto(f"{address}/search.html?q={words}")
            first = page.locator("#search-results li a").first
            first.wait_for()
            found[words] = Path(urlparse(first.get_attribute("href")).path).stem
        page.wait_for_selector("#search-results .context")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.close()
    assert found == SEARCHED


# ------------------------------------------------------------------------------------ in a browser


def test_no_page_is_wider_than_a_small_phone(chromium, html):
    trouble = []
    with serve(html, "http") as address:
        page = chromium.new_page(viewport={"width": 320, "height": 700})
        page.on("console", lambda said: said.type == "error" and trouble.append(said.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        for name in (*NAMES, "search", "genindex", "404"):
            page.goto(f"{address}/{name}.html")
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide > 320:
                trouble.append(f"{name}: {wide} pixels")
        page.close()
    assert trouble == []


def test_the_menu_opens_on_a_phone_and_without_scripts(chromium, html):
    with serve(html, "http") as address:
        chapter = f"{address}/{LEARNING[0]}.html"
        link = ".bd-docs-nav a[href^='02']"
        page = chromium.new_page(viewport={"width": 390, "height": 800})
        page.goto(chapter)
        assert not page.is_visible(link)
        page.click(".primary-toggle")
        page.click(link)
        page.wait_for_url("**/02-*.html")
        page.close()
        context = chromium.new_context(
            java_script_enabled=False, viewport={"width": 390, "height": 8}
        )
        page = context.new_page()
        page.goto(chapter)
        assert page.is_visible(link)
        context.close()


def test_who_comes_by_tab_is_at_any_section_after_a_few_presses(chromium, html):
    with serve(html, "http") as address:
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{address}/{LEARNING[0]}.html")
        focused = "document.activeElement.getAttribute('href')"
        page.keyboard.press("Tab")
        assert page.evaluate(focused) == "#main-content"
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate(focused) == page.get_attribute("#pst-page-toc-nav a", "href")
        page.close()


def demo_digits():
    """Read the strokes that the pad draws by itself."""
    script = (ROOT / "book" / "_static" / "demo.js").read_text("utf-8")
    return json.loads(
        re.sub(r",\s*\]", "]", re.search(r"DIGITS = (\[.*?\]);", script, re.DOTALL)[1])
    )


def test_the_digits_that_draw_themselves_are_read_rightly():
    recognizer = Recognizer.load()
    assert [recognizer.recognize(strokes).digit for strokes in demo_digits()] == [2, 3, 5, 7, 4, 8]


WORDS = """() => {
  const place = document.querySelector(".digit-pad-digit"), words = [];
  const note = () => place.innerText !== words.at(-1) && words.push(place.innerText);
  new MutationObserver(note).observe(place, { childList: true });
  globalThis.words = words;
}"""


def test_of_half_a_digit_nothing_is_said(chromium, html):
    with serve(html, "http") as address:
        page = chromium.new_page()
        page.goto(f"{address}/{TOC['root']}.html")
        page.wait_for_function(READY)
        page.evaluate(WORDS)
        page.wait_for_function("words.includes('3')")
        assert set(page.evaluate("words")) <= {"2", "", "3"}
        page.close()


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_the_pad_draws_until_somebody_takes_the_pen(chromium, html, motion):
    with serve(html, "http") as address:
        page = chromium.new_page(reduced_motion=motion)
        page.goto(f"{address}/{TOC['root']}.html")
        page.wait_for_function(READY)
        page.wait_for_function("document.querySelector('.digit-pad-digit').innerText === '2'")
        draw_with_mouse(page, well_drawn()[9])
        assert settled(page)[:2] == ("sure", "9")
        page.wait_for_timeout(300)
        strokes = page.evaluate("document.querySelector('[data-demo]').digitPad.strokes.length")
        assert strokes == len(well_drawn()[9])
        assert page.locator(CANVAS).count() == 1
        page.close()
