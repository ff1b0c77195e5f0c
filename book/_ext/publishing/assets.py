"""One style sheet and one script for all pages, with nothing in them that no page uses."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlparse

import tinycss2
from bs4 import BeautifulSoup

STYLES, SCRIPTS = "site.css", "site.js"
# In this order.
SHARED = (
    "documentation_options.js",
    "doctools.js",
    "sphinx_highlight.js",
    "clipboard.min.js",
    "copybutton.js",
    "sphinx-book-theme.js",
    "pydata-sphinx-theme.js",
)
# An icon font, drop-down menus and tooltips, tabs, a button on what `pages` writes as <details>:
# pages do without them.
DROPPED = ("fontawesome.js", "bootstrap.js", "design-tabs.js", "togglebutton.js")
DROPPED_INLINE = re.compile(r"toggle(Hint|OpenOnPrint|button)")
SEARCH = ("searchtools.js", "language_data.js", "searchindex.js", "snippets.js")
ICON_FONT = re.compile(r"Font.{0,2}Awesome|--fa-", re.IGNORECASE)
NAME = re.compile(r"[\w-]+")


def bundle(pages: Iterable[BeautifulSoup], static: Path) -> None:
    """Let pages as the theme wrote them load one style sheet and one script that they share."""
    pages = list(pages)
    written = next(
        (page for page in pages if page.find("link", href=re.compile("basic|theme"))), None
    )
    if written is None:  # nothing has changed since the last time
        return
    scripts = {path.name: path.read_text("utf-8") for path in static.rglob("*.js")}
    names = set().union(*map(names_in, pages))
    for name, script in scripts.items():
        if name not in DROPPED:
            names |= set(NAME.findall(script))
    links = [urlparse(link["href"]).path for link in written.find_all("link", rel="stylesheet")]
    sheets = [read_sheet(static / link.partition("_static/")[2]) for link in links]
    parts = {
        STYLES: "".join(used(sheet, names) for sheet in sheets),
        SCRIPTS: ";\n".join(without_map(scripts[name]) for name in SHARED),
    }
    for name, text in parts.items():
        (static / name).write_text(text, "utf-8")
    marks = {name: hashlib.sha256(text.encode()).hexdigest()[:8] for name, text in parts.items()}
    for page in pages:
        load(page, marks)


def load(page: BeautifulSoup, marks: dict[str, str]) -> None:
    """Replace what a page loads by what it needs; nothing holds up its text but the styles."""
    root = page.html["data-content_root"]
    for link in page.find_all("link", rel=["stylesheet", "preload"]):
        link.decompose()
    for script in page.find_all("script", src=True):
        name = Path(urlparse(script["src"]).path).name
        wanted_by = script.get("data-for")
        searching = name in SEARCH and page.find(id="search-results")
        unused = name in SEARCH and not searching
        unused |= wanted_by is not None and not page.select_one(wanted_by)
        if unused or name in SHARED or name in DROPPED or name == SCRIPTS:
            script.decompose()
        else:
            script["defer"] = ""
    for script in page.find_all("script", src=False):
        if DROPPED_INLINE.search(script.string or ""):
            script.decompose()
        elif "DOCUMENTATION_OPTIONS" in (script.string or ""):
            script["type"] = "module"  # runs after the deferred ones, of which one defines that
    address = {name: f"{root}_static/{name}?v={mark}" for name, mark in marks.items()}
    page.head.append(page.new_tag("link", rel="stylesheet", href=address[STYLES]))
    shared = page.new_tag("script", src=address[SCRIPTS], defer="")
    (page.head.find("script", type="module") or page.head.contents[-1]).insert_before(shared)


def read_sheet(path: Path) -> str:
    """Read a style sheet, those that it imports first."""
    text = path.read_text("utf-8")
    imports = re.findall(r"@import\s*(?:url\()?[\"']?([^\"');]+)", text)
    rest = re.sub(r"@import[^;]*;", "", text)
    return "".join(read_sheet(path.parent / name) for name in imports) + rest


def names_in(page: BeautifulSoup) -> set[str]:
    """Name the classes and ids of a page."""
    found = set()
    for tag in page.find_all(True):
        found.update(tag.get("class", ()))
        found.add(tag.get("id", ""))
    return found


def used(sheet: str, names: set[str]) -> str:
    """Keep the rules of a style sheet that match something, going by classes and ids alone."""
    kept = []
    for rule in tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True):
        text = rule.serialize()
        if rule.type == "qualified-rule":
            selectors = tinycss2.serialize(rule.prelude)
            if any(may_match(selector, names) for selector in split(selectors)):
                declarations = without_icon_font(rule.content)
                kept.append(f"{selectors.strip()}{{{declarations}}}")
        elif rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports"):
            inner = used(tinycss2.serialize(rule.content), names)
            if inner:
                kept.append(f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{inner}}}")
        elif rule.type == "at-rule" and not ICON_FONT.search(text):
            kept.append(text)
    return "\n".join(kept) + "\n" if kept else ""


def split(selectors: str) -> list[str]:
    """Split a list of selectors at its commas, not at those within brackets."""
    return re.split(r",(?![^(\[]*[)\]])", selectors)


def may_match(selector: str, names: set[str]) -> bool:
    """Tell whether all classes and ids are there that a selector asks for."""
    asked = re.sub(r":(not|is|where|has)\((?:[^()]|\([^()]*\))*\)|\[[^]]*\]", "", selector)
    return all(
        name.replace("\\", "") in names for name in re.findall(r"[.#]((?:[\w-]|\\.)+)", asked)
    )


def without_icon_font(content: list) -> str:
    """Write declarations without those that ask for the icon font."""
    declarations = tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True)
    texts = (declaration.serialize() for declaration in declarations)
    return "".join(f"{text};" for text in texts if not ICON_FONT.search(text))


def without_map(script: str) -> str:
    """Leave out the name of a file that only the theme's authors need."""
    return re.sub(r"//# sourceMappingURL=.*", "", script)
