"""The styles of a page within it, and one script for all pages: nothing that a page doesn't use."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlparse

import tinycss2
from bs4 import BeautifulSoup

SCRIPTS = "site.js"
STYLES = "site.css"  # those of all pages together, for programs that put pages together
# In this order.
SHARED = ("documentation_options.js", "doctools.js", "sphinx_highlight.js", "book.js")
# The theme's scripts, whose place book.js takes, an icon font, drop-down menus, tabs, and a button
# on what `pages` writes as <details>.
DROPPED = (
    "bootstrap.js",
    "clipboard.min.js",
    "copybutton.js",
    "design-tabs.js",
    "fontawesome.js",
    "pydata-sphinx-theme.js",
    "sphinx-book-theme.js",
    "togglebutton.js",
)
DROPPED_INLINE = re.compile(r"toggle(Hint|OpenOnPrint|button)")
SEARCH = ("searchtools.js", "language_data.js", "searchindex.js", "snippets.js")
HEADINGS = "fonts/source-serif-4.woff2"  # the font that each page shows at once
ADDED = {"run-here", "sd-btn", "sd-btn-primary"}  # classes that lite/buttons.py brings afterwards
ICON_FONT = re.compile(r"Font.{0,2}Awesome|--fa-", re.IGNORECASE)
NAME = re.compile(r"[\w-]+")
VARIABLE = re.compile(r"var\(\s*(--[\w-]+)")
RELATIVE = re.compile(r"url\([\"']?(?!data:|[\"'])([^\"')]+)[\"']?\)")


def bundle(pages: Iterable[BeautifulSoup], static: Path) -> None:
    """Let pages as the theme wrote them carry their styles, and load one script that they share."""
    everything = list(pages)
    pages = [page for page in everything if page.find("link", href=re.compile("basic|theme"))]
    if not pages:  # nothing has changed since the last time
        return
    scripts = {path.name: path.read_text("utf-8") for path in static.rglob("*.js")}
    links = [urlparse(link["href"]).path for link in pages[0].find_all("link", rel="stylesheet")]
    sheets = [static / link.partition("_static/")[2] for link in links]
    rules = [rule for sheet in sheets for rule in parse(read_sheet(sheet, static))]
    shared = ";\n".join(without_map(scripts[name]) for name in SHARED)
    (static / SCRIPTS).write_text(shared, "utf-8")
    mark = hashlib.sha256(shared.encode()).hexdigest()[:8]
    words = cache(lambda name: set(NAME.findall(scripts[name])))
    for page in pages:
        load(page, f"{SCRIPTS}?v={mark}")
        names = names_in(page) | ADDED
        for name in run_by(page, scripts):
            names |= words(name)
        carry(page, used(rules, names))
    (static / STYLES).write_text(used(rules, set().union(*map(names_in, everything))), "utf-8")


def load(page: BeautifulSoup, shared: str) -> None:
    """Replace the scripts that a page loads by those that it needs; none holds up its text."""
    root = page.html["data-content_root"]
    has = cache(lambda selector: page.select_one(selector) is not None)  # asked by many scripts
    for link in page.find_all("link", rel=["stylesheet", "preload"]):
        link.decompose()
    for script in page.find_all("script", src=True):
        name = Path(urlparse(script["src"]).path).name
        wanted_by = script.get("data-for")
        searching = name in SEARCH and page.find(id="search-results")
        unused = name in SEARCH and not searching
        unused |= wanted_by is not None and not has(wanted_by)
        if unused or name in SHARED or name in DROPPED or name == SCRIPTS:
            script.decompose()
        else:
            script["defer"] = ""
    for script in page.find_all("script", src=False):
        if DROPPED_INLINE.search(script.string or ""):
            script.decompose()
        elif "DOCUMENTATION_OPTIONS" in (script.string or ""):
            script["type"] = "module"  # runs after the deferred ones, of which one defines that
    tag = page.new_tag("script", src=f"{root}_static/{shared}", defer="")
    (page.head.find("script", type="module") or page.head.contents[-1]).insert_before(tag)


def carry(page: BeautifulSoup, styles: str) -> None:
    """Put a page's styles into it, and fetch the font of its headings at the same time."""
    static = f"{page.html['data-content_root']}_static/"
    preload = {"rel": "preload", "as": "font", "type": "font/woff2", "crossorigin": ""}
    page.head.append(page.new_tag("link", href=static + HEADINGS, attrs=preload))
    style = page.new_tag("style")
    style.string = RELATIVE.sub(lambda found: f'url("{static}{found[1]}")', styles)
    page.head.append(style)


def run_by(page: BeautifulSoup, scripts: dict[str, str]) -> set[str]:
    """Name the scripts that a page loads, those among them that another one loads."""
    sources = (script["src"] for script in page.find_all("script", src=True))
    found, new = set(SHARED), {Path(urlparse(source).path).name for source in sources}
    while new:
        found |= new
        text = "".join(scripts.get(name, "") for name in new)
        new = {name for name in scripts if f'"{name}"' in text} - found
    return found & scripts.keys()


def read_sheet(path: Path, static: Path) -> str:
    """Read a style sheet, those that it imports first; its addresses begin at `static`."""
    text = path.read_text("utf-8")
    imports = re.findall(r"@import\s*(?:url\()?[\"']?([^\"');]+)", text)
    rest = re.sub(r"@import[^;]*;", "", text)
    place = path.parent.relative_to(static).as_posix()
    rest = RELATIVE.sub(lambda found: f'url("{place}/{found[1]}")', rest).replace('("./', '("')
    return "".join(read_sheet(path.parent / name, static) for name in imports) + rest


def names_in(page: BeautifulSoup) -> set[str]:
    """Name the classes and ids of a page, and the words of the styles on its elements."""
    found = set()
    for tag in page.find_all(True):
        found.update(tag.get("class", ()))
        found.add(tag.get("id", ""))
        found.update(NAME.findall(tag.get("style", "")))
    return found


@dataclass(frozen=True)
class Rule:
    """A rule of a style sheet, or a group of rules, as for a width of the page."""

    selectors: tuple[tuple[str, frozenset[str]], ...]  # each with the names that it asks for
    declarations: tuple[tuple[str, str], ...] = ()  # their names, and how they are written
    inner: tuple["Rule", ...] = ()

    def written(self, names: set[str], variables: set[str] | None) -> str:
        """Write what of it matches something; declare those variables, or all."""
        selectors = ",".join(text for text, asked in self.selectors if asked <= names)
        body = "".join(rule.written(names, variables) for rule in self.inner)
        for name, text in self.declarations:
            if variables is None or not name.startswith("--") or name in variables:
                body += f"{text};"
        return f"{selectors}{{{body}}}\n" if selectors and body else ""


def parse(sheet: str) -> Iterator[Rule]:
    """Read the rules of a style sheet, without those of the icon font.

    Raises
    ------
    ValueError : there is a mistake in it
    """
    for rule in tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True):
        if rule.type == "error":
            raise ValueError(f"style sheet {sheet[:80]!r}: found {rule.message}, expected a rule")
        prelude = tinycss2.serialize(rule.prelude).strip()
        if rule.type == "qualified-rule":
            selectors = (selector.strip() for selector in split(prelude))
            yield Rule(tuple((text, asked(text)) for text in selectors), declared(rule.content))
        elif rule.lower_at_keyword in ("media", "supports"):
            inner = tuple(parse(tinycss2.serialize(rule.content)))
            yield Rule(((f"@{rule.at_keyword} {prelude}", frozenset()),), inner=inner)
        elif rule.content is not None and not ICON_FONT.search(rule.serialize()):
            name = rule.lower_at_keyword
            needs = frozenset({f"animation {prelude}"} if name.endswith("keyframes") else ())
            body = tinycss2.serialize(rule.content).strip().removesuffix(";")
            yield Rule(((f"@{rule.at_keyword} {prelude}", needs),), ((name, body),))


def used(rules: Iterable[Rule], names: set[str]) -> str:
    """Write the rules that match something, going by classes and ids, and what they refer to."""
    rules = list(rules)
    text = "".join(rule.written(names, set()) for rule in rules)
    present = names | {f"animation {name}" for name in NAME.findall(text)}
    everything = "".join(rule.written(present, None) for rule in rules)
    meaning = dict[str, str]()
    for name, value in re.findall(r"(--[\w-]+)\s*:([^;]*);", everything):
        meaning[name] = meaning.get(name, "") + value
    variables, new = set(), set(VARIABLE.findall(text)) | (names & meaning.keys())
    while new:
        variables |= new
        new = set(VARIABLE.findall("".join(meaning.get(name, "") for name in new))) - variables
    return "".join(rule.written(present, variables) for rule in rules)


def split(selectors: str) -> list[str]:
    """Split a list of selectors at its commas, not at those within brackets."""
    return re.split(r",(?![^(\[]*[)\]])", selectors)


def asked(selector: str) -> frozenset[str]:
    """Name the classes and ids without which a selector matches nothing."""
    sure = re.sub(r":(not|is|where|has)\((?:[^()]|\([^()]*\))*\)|\[[^]]*\]", "", selector)
    return frozenset(name.replace("\\", "") for name in re.findall(r"[.#]((?:[\w-]|\\.)+)", sure))


def declared(content: list) -> tuple[tuple[str, str], ...]:
    """Write declarations, without those that ask for the icon font."""
    declarations = tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True)
    texts = ((item.name, item.serialize()) for item in declarations if item.type == "declaration")
    return tuple((name, text) for name, text in texts if not ICON_FONT.search(text))


def without_map(script: str) -> str:
    """Leave out the name of a file that only the theme's authors need."""
    return re.sub(r"//# sourceMappingURL=.*", "", script)
