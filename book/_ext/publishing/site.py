"""What a site needs besides its pages: a map for search engines, and a page for wrong addresses."""

import os
from pathlib import Path

from sphinx.application import Sphinx

EXTRA_PAGES = ("404", "genindex", "search")


def setup(app: Sphinx) -> None:
    """Take the site's address from the environment: a build at home has none."""
    app.config.html_baseurl = os.environ.get("BOOK_URL", "")
    app.connect("html-collect-pages", lambda app: [("404", {"title": "Not here"}, "404.html")])


def write_sitemap(app: Sphinx) -> None:
    """List all pages for search engines, if it is known where they will be."""
    base = app.config.html_baseurl
    folder = Path(app.outdir)
    (folder / "robots.txt").write_text(
        "User-agent: *\nAllow: /\n" + (f"Sitemap: {base}sitemap.xml\n" if base else ""), "utf-8"
    )
    if base:
        urls = "".join(
            f"<url><loc>{base}{name}.html</loc></url>\n" for name in sorted(app.env.found_docs)
        )
        (folder / "sitemap.xml").write_text(
            '<?xml version="1.0" encoding="utf-8"?>\n'
            f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}</urlset>\n',
            "utf-8",
        )
