"""Write slides of the chapters, which open in a browser without a network.

Usage: python tools/slides.py [DIRECTORY]        (by default _build/slides)

A heading begins a column of slides. Formulas of their own, code, tables, pictures and exercises are
on slides; the prose between them goes into the speaker's notes (key s). Solutions are left out.
reveal.js, which shows them, is downloaded once from the npm registry and checked.
"""

import importlib.util
import re
import sys
import tarfile
from html import escape
from pathlib import Path

import nbformat
import pooch
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from student import without_solutions

ROOT = Path(__file__).parents[1]
REVEAL = "https://registry.npmjs.org/reveal.js/-/reveal.js-5.2.1.tgz"
REVEAL_SHA256 = "359b575dd51bbda32f89b2fd4c7dc46ad7389a805572158916c29252f7a27333"
WANTED = re.compile(r"package/(LICENSE|dist/[^/]+\.(js|css)|plugin/notes/notes\.js)$")
NO_INPUT = {"remove-input", "hide-input"}
SHOWN = re.compile(r"(\$\$.+?\$\$|^\|.*\|$(?:\n^\|.*\|$)*)", re.DOTALL | re.MULTILINE)

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="reveal/dist/reset.css">
<link rel="stylesheet" href="reveal/dist/reveal.css">
<style>
body {{ background: #fff; color: #1b2430; }}
.reveal {{ font: 28px/1.4 Georgia, "Times New Roman", serif; }}
.reveal section {{ text-align: left; }}
.reveal h1 {{ font-size: 1.9em; line-height: 1.15; }}
.reveal h2 {{ font-size: 1.3em; margin-bottom: .5em; }}
.reveal h1, .reveal h2, .reveal h3 {{ font-weight: 600; }}
.reveal h3 {{ color: #5a6675; font-size: .8em; margin-bottom: .8em; }}
.reveal strong {{ font-weight: bold; }}
.reveal em {{ font-style: italic; }}
.reveal code {{ font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .85em; }}
.reveal p, .reveal ul {{ margin: .5em 0; }}
.reveal ul {{ padding-left: 1.2em; }}
.reveal pre {{ font: 19px/1.35 ui-monospace, Menlo, Consolas, monospace; white-space: pre-wrap; }}
.reveal pre.output {{ border-left: 4px solid #0a7cc4; padding-left: .8em; }}
.reveal :is(img, svg) {{ max-width: 100%; max-height: 70vh; }}
.reveal table {{ font-size: .7em; border-collapse: collapse; }}
.reveal :is(td, th) {{ border-bottom: 1px solid #ccd; padding: .25em .6em; text-align: left; }}
{code_style}
</style>
</head>
<body>
<div class="reveal"><div class="slides">
{columns}
</div></div>
<script src="reveal/dist/reveal.js"></script>
<script src="reveal/plugin/notes/notes.js"></script>
<script>
const size = {{ width: 1100, height: 720, center: false }};
Reveal.initialize({{ ...size, hash: true, plugins: [RevealNotes] }});
</script>
</body>
</html>
"""


def load_formulas() -> object:
    """Load the module by which the book's pages set formulas."""
    path = ROOT / "book" / "_ext" / "publishing" / "formulas.py"
    spec = importlib.util.spec_from_file_location("formulas", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FORMULAS = load_formulas()
MARKDOWN = (
    MarkdownIt("commonmark", {"html": True})
    .enable("table")
    .use(
        dollarmath_plugin,
        renderer=lambda text, options: FORMULAS.to_mathml(text, options["display_mode"]),
    )
)


def plain_markdown(text: str, glued: dict[str, str]) -> str:
    """Turn what only the book's pages understand into plain Markdown."""
    text = re.sub(r"^\([\w.-]+\)=\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"\{glue:text\}`([^`]+)`", lambda match: glued.get(match[1], match[1]), text)
    text = re.sub(r"\{(?:doc|ref|term)\}`([^`<]+?)\s*<[^>]*>`", r"\1", text)
    text = re.sub(r"\s*\{cite(?::\w)?\}`[^`]*`", "", text)
    text = re.sub(r"\{\w+(?::\w+)?\}`([^`]+)`", r"\1", text)
    text = re.sub(r"^[:`]{3,}\{exercise-start\} ([^\n]*)\n(?::\w+:.*\n)*", r"## Exercise: \1", text)
    text = re.sub(r"^[:`]{3,}\{\w+\} ?(.*)$", r"**\1**\n", text, flags=re.MULTILINE)
    return re.sub(r"^([:`]{3,}(\{[\w-]+\}.*)?|:\w+:.*)$", "", text, flags=re.MULTILINE)


class Deck:
    """Columns of slides, each slide a list of pieces of HTML and its notes."""

    def __init__(self) -> None:
        self.columns: list[list[tuple[list[str], list[str]]]] = []

    def open_column(self, heading: str) -> None:
        """Begin a column with a slide that has the heading alone."""
        self.columns.append([([heading], [])])

    def add(self, html: str) -> None:
        """Put a piece below the column's heading, once; later ones get a slide of their own."""
        shown, _ = self.columns[-1][-1]
        if len(shown) == 1:
            shown.append(html)
        else:
            heading = re.sub(r"(</?h)[12]", r"\g<1>3", self.columns[-1][0][0][0])
            self.columns[-1].append(([heading, html], []))

    def note(self, html: str) -> None:
        """Put a piece into the notes of the slide that is open."""
        self.columns[-1][-1][1].append(html)

    def html(self) -> str:
        """Write the deck as reveal.js wants it: sections in sections."""
        sections = []
        for column in self.columns:
            slides = [
                f"<section>{''.join(shown)}<aside class=notes>{''.join(notes)}</aside></section>"
                for shown, notes in column
            ]
            sections.append("<section>\n" + "\n".join(slides) + "\n</section>")
        return "\n".join(sections)


def add_text(deck: Deck, source: str) -> None:
    """Sort a cell's Markdown: headings and what is to be seen on slides, prose into notes."""
    parts = re.split(r"^(#{1,2} .*)$", source, flags=re.MULTILINE)
    for part in filter(str.strip, parts):
        if part.startswith("#"):
            deck.open_column(MARKDOWN.render(part))
            continue
        opening = len(deck.columns) == 1 or "Exercise: " in deck.columns[-1][0][0][0]
        for piece in filter(str.strip, SHOWN.split(part)):
            shown = piece.startswith(("$$", "|")) or re.match(r"\s*- ", piece) or opening
            (deck.add if shown else deck.note)(MARKDOWN.render(piece))


def add_code(deck: Deck, cell: nbformat.NotebookNode) -> None:
    """Put a cell's code and what it showed on a slide."""
    pieces = []
    if not NO_INPUT & set(cell.metadata.get("tags", [])):
        pieces.append(highlight(cell.source, PythonLexer(), HtmlFormatter()))
    for output in cell.outputs:
        data = output.get("data", {"text/plain": output.get("text", "")})
        if "image/png" in data:
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            source = f"data:image/png;base64,{data['image/png'].strip()}"
            pieces.append(f'<img src="{source}" alt="{escape(alt)}">')
        elif "text/html" in data:
            pieces.append(data["text/html"])
        elif data.get("text/plain"):
            pieces.append(f'<pre class="output">{escape(data["text/plain"])}</pre>')
    if pieces:
        deck.add("".join(pieces))


def slides(notebook: nbformat.NotebookNode) -> str:
    """Make a page of slides of a notebook."""
    notebook = without_solutions(notebook)
    glued = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if name := output.get("metadata", {}).get("scrapbook", {}).get("name"):
                (value,) = output["data"].values()
                glued[name] = value.strip("'\"")
    deck = Deck()
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            add_text(deck, plain_markdown(cell.source, glued))
        elif "remove-cell" not in cell.metadata.get("tags", []):
            add_code(deck, cell)
    title = notebook.cells[0].source.split("\n")[0].lstrip("# ")
    style = HtmlFormatter().get_style_defs(".highlight")
    return PAGE.format(title=escape(title), code_style=style, columns=deck.html())


def main(directory: Path) -> None:
    """Write the slides of every chapter, and reveal.js beside them."""
    directory.mkdir(parents=True, exist_ok=True)
    archive = pooch.retrieve(REVEAL, REVEAL_SHA256, fname="reveal.tgz", path=ROOT / "_build")
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            if WANTED.match(member.name):
                member.name = member.name.replace("package/", "reveal/", 1)
                tar.extract(member, directory, filter="data")
    for path in sorted((ROOT / "book").glob("[0-9][0-9]-*.ipynb")):
        page = slides(nbformat.read(path, as_version=4))
        (directory / f"{path.stem}.html").write_text(page, "utf-8")
    print(f"The slides are in {directory}.")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "_build" / "slides")
