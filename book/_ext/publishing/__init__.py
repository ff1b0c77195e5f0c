"""What makes pages of the book of what Sphinx and the theme write: lighter, and easier to find.

`formulas` sets mathematics while the book is built, `finding` makes the index and links words to
the glossary, `chart` draws the map of the book, `pages` mends the finished pages, `assets` puts
their styles and scripts together, and `site` writes what a site needs besides pages.
"""

from pathlib import Path

from sphinx.application import Sphinx

from . import assets, chart, finding, formulas, pages, site


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the modules with Sphinx."""
    formulas.setup(app)
    chart.setup(app)
    finding.setup(app)
    site.setup(app)
    app.connect("build-finished", finish, priority=900)  # after the theme's own finish
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Mend the finished pages, and write what they share."""
    if exception is not None or app.builder.name != "html":
        return
    folder = Path(app.outdir)
    paths = [folder / f"{name}.html" for name in (*app.env.found_docs, *site.EXTRA_PAGES)]
    parsed = {path: pages.read(path) for path in paths}
    base = app.config.html_baseurl
    for path, page in parsed.items():
        pages.mend(page, path)
        site.add_cards(page, path.relative_to(folder).with_suffix("").as_posix(), base)
    site.root_links(parsed[folder / "404.html"], base)
    assets.bundle(parsed.values(), folder / "_static")
    for path, page in parsed.items():
        path.write_text(str(page), "utf-8")
    site.write_map(folder, app.env.found_docs, base)
    site.write_bundle(Path(app.srcdir), folder)
    site.say_how_to_run((folder / "_sources").rglob("*.ipynb"), base)
