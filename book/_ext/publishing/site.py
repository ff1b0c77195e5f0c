"""What a site needs besides its pages: a map, cards for links to it, and the whole book to run."""

import json
import os
import zipfile
from collections.abc import Iterable
from pathlib import Path

from bs4 import BeautifulSoup
from sphinx.application import Sphinx
from sphinx.config import Config

EXTRA_PAGES = ("404", "genindex", "search")
BUNDLE = "why-isnt-it-learning"
BUNDLED = (".ci", ".github", "benchmarks", "book", "data", "lite", "mnist_book", "tests", "tools")
BUNDLED_KINDS = {".md", ".py", ".toml", ".txt", ".yml", ".cff", ""}  # of files beside them
NOT_BUNDLED = ("_build", "__pycache__", "-ubyte", "-ubyte.gz")  # MNIST has a licence of its own


def setup(app: Sphinx) -> None:
    """Connect the parts with Sphinx."""
    app.connect("config-inited", read_addresses)
    app.connect("html-page-context", add_context)
    app.connect("html-collect-pages", lambda app: [("404", {"title": "Not here"}, "404.html")])


def read_addresses(app: Sphinx, config: Config) -> None:
    """Take the site's address and that of the source from the environment, if they are there."""
    base = os.environ.get("BOOK_URL", "")
    config.html_baseurl = base and base.rstrip("/") + "/"


def add_context(app: Sphinx, name: str, template: str, context: dict, doctree: object) -> None:
    """Tell the templates where the source is."""
    context["repository"] = os.environ.get("BOOK_REPOSITORY", "")


def add_cards(page: BeautifulSoup, name: str, base: str) -> None:
    """Say what a page is to programs that show a card for a link to it."""
    description = page.find("meta", attrs={"name": "description"})
    title = page.find("meta", attrs={"property": "og:title"})
    if title or description is None:
        return
    said = {
        "og:title": page.title.get_text(),
        "og:description": description["content"],
        "og:type": "article" if "-" in name else "website",
        "og:site_name": "Why Isn't It Learning?",
    }
    if base:
        said |= {"og:url": f"{base}{name}.html", "og:image": f"{base}_static/card.png"}
        said |= {"og:image:alt": "A digit that is being drawn, and what the network reads"}
    for key, value in said.items():
        page.head.append(page.new_tag("meta", attrs={"property": key, "content": value}))
    if base:
        card = {"name": "twitter:card", "content": "summary_large_image"}
        page.head.append(page.new_tag("meta", attrs=card))


def root_links(page: BeautifulSoup, base: str) -> None:
    """Let the page for wrong addresses find its styles from wherever it is shown."""
    if base and not page.head.find("base"):
        page.head.insert(0, page.new_tag("base", href=base))


def write_map(folder: Path, names: Iterable[str], base: str) -> None:
    """Tell search engines what there is, as far as the site's address is known."""
    robots = "User-agent: *\nAllow: /\n"
    if base:
        places = "".join(f"<url><loc>{base}{name}.html</loc></url>\n" for name in sorted(names))
        (folder / "sitemap.xml").write_text(
            '<?xml version="1.0" encoding="utf-8"?>\n'
            f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{places}</urlset>\n',
            "utf-8",
        )
        robots += f"Sitemap: {base}sitemap.xml\n"
    (folder / "robots.txt").write_text(robots, "utf-8")


def write_bundle(source: Path, folder: Path) -> None:
    """Write all that runs the notebooks into one file, so that the pages have it at hand."""
    files = [path for path in source.iterdir() if path.is_file() and path.suffix in BUNDLED_KINDS]
    files += [path for part in BUNDLED for path in (source / part).rglob("*") if path.is_file()]
    with zipfile.ZipFile(folder / f"{BUNDLE}.zip", "w", zipfile.ZIP_DEFLATED) as bundle:
        for path in sorted(files):
            place = path.relative_to(source)
            hidden = any(part.startswith(".") for part in place.parts if part not in BUNDLED)
            if not hidden and not any(part.endswith(NOT_BUNDLED) for part in place.parts):
                entry = zipfile.ZipInfo(f"{BUNDLE}/{place.as_posix()}", (2026, 1, 1, 0, 0, 0))
                entry.external_attr = 0o644 << 16
                bundle.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)


def say_how_to_run(notebooks: Iterable[Path], base: str) -> None:
    """Say at the top of a downloaded notebook what it needs."""
    place = f"<{base}{BUNDLE}.zip>" if base else "from the first page of the book"
    for path in notebooks:
        notebook = json.loads(path.read_text("utf-8"))
        if notebook["cells"][0].get("id") == BUNDLE:
            continue
        text = (
            "*This notebook is a chapter of **Why Isn't It Learning?**. It uses the modules "
            f"`mnist_core` and `mnist_book`. Get the whole book {place}, unpack it, run `make lab` "
            f"there (or what its `CONTRIBUTING.md` says), and open `book/{path.name}`.*"
        )
        cell = {"cell_type": "markdown", "id": BUNDLE, "metadata": {}, "source": [text]}
        notebook["cells"].insert(0, cell)
        path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")
