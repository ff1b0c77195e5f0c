"""Put the ways to run a chapter on its page, below its heading, once they lead somewhere.

In the browser, always; Colab and Binder where the repository's address is known.
"""

import re
from html import escape
from pathlib import Path
from urllib.parse import quote

from stage import notebooks

EXPLAINED = "in-the-browser.html"
BUTTON = '<p class="run-here" hidden>{links}</p>'
# JupyterLite needs a server, were it the smallest: pages opened as files keep the button hidden.
SHOW = (
    "<script>document.currentScript.previousElementSibling.hidden = "
    'location.protocol === "file:"</script>'
)
HEADING = re.compile(r'<a class="headerlink"[^>]*>[^<]*</a></h1>')  # not the one for print
OURS = re.compile(r'<p class="run-here".*?</script>', re.DOTALL)


def links(name: str, repository: str | None) -> str:
    """Write the links to run a notebook.

    Parameters
    ----------
    name : of the notebook, with its ending
    repository : owner/name at GitHub, or None where that is not known
    """
    here = f"../lite/notebooks/index.html?path={quote(name)}"
    found = [
        f'<a class="sd-btn sd-btn-primary" href="{here}" target="_blank" rel="noopener">'
        "Open in the browser</a>",
        f'<a href="{EXPLAINED}">What happens then?</a>',
    ]
    if repository:
        at = quote(repository)
        colab = f"https://colab.research.google.com/github/{at}/blob/main/book/{quote(name)}"
        binder = f"https://mybinder.org/v2/gh/{at}/main?urlpath={quote(f'lab/tree/book/{name}')}"
        install = escape(f"%pip install git+https://github.com/{repository}")
        found += [
            f'elsewhere: <a href="{binder}">Binder</a>',
            f'<a href="{colab}">Colab</a>, where <code>{install}</code> comes first',
        ]
    return " · ".join(found)


def add_buttons(html: Path, repository: str | None) -> int:
    """Add the links to the page of each notebook, in place of those that are there.

    Returns
    -------
    on how many pages

    Raises
    ------
    ValueError : a page has no heading, or is not there
    """
    for notebook in notebooks():
        page = html / "book" / f"{notebook.stem}.html"
        text = OURS.sub("", page.read_text("utf-8"))
        heading = HEADING.search(text)
        if heading is None:
            raise ValueError(f"{page}: found no heading to put the button under")
        button = BUTTON.format(links=links(notebook.name, repository)) + SHOW
        page.write_text(text[: heading.end()] + button + text[heading.end() :], "utf-8")
    return len(notebooks())
