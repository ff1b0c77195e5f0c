"""What makes pages of the book of what Sphinx and the theme write: lighter, and easier to find.

`formulas` sets mathematics while the book is built, `finding` makes the index and links words to
the glossary, `chart` draws the map of the book, `pages` mends the finished pages, `assets` puts
their styles and scripts together, and `site` writes what a site needs besides pages.
"""

import hashlib
from collections.abc import Collection
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from . import assets, chart, finding, formulas, pages, site


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the modules with Sphinx."""
    formulas.setup(app)
    chart.setup(app)
    finding.setup(app)
    site.setup(app)
    app.connect("env-get-outdated", outdated)
    app.connect("build-finished", finish, priority=900)  # after the theme's own finish
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def outdated(app: Sphinx, env: BuildEnvironment, *_changes: set[str]) -> Collection[str]:
    """Name all pages when a style, a script or this program has changed: pages carry them."""
    folders = [
        Path(__file__).parent,
        *(Path(app.confdir, path) for path in app.config.html_static_path),
    ]
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    contents = (path.read_bytes() for path in files if path.suffix != ".pyc")
    mark = hashlib.sha256(b"".join(contents)).hexdigest()
    before, env.publishing_mark = getattr(env, "publishing_mark", None), mark
    return [] if before == mark else env.found_docs


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
