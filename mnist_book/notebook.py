"""Help for the chapters: figures in prose, source code, the table of accuracies, sliders."""

import base64
import inspect
import io
import json
from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown, display
from matplotlib.figure import Figure

from mnist_book import dataset
from mnist_book.dataset import RECORDS


def glue(**values: object) -> None:
    """Keep values under names: prose says {glue:text}`name`, and no figure in it is typed.

    It writes what MyST-NB's own glue writes, without needing MyST-NB where the notebook runs.
    """
    for name, value in values.items():
        prefix = "application/papermill.record/"
        metadata = {"scrapbook": {"name": name, "mime_prefix": prefix}}
        display({f"{prefix}text/plain": repr(str(value))}, metadata=metadata, raw=True)


def show_source(function: Callable) -> Markdown:
    """Show the source of a function as it is in the installed module: no copy that can go stale."""
    return Markdown(f"```python\n{inspect.getsource(function)}```")


def read_record(name: str) -> dict:
    """Read what a benchmark wrote to benchmarks/records/name.json, wherever the notebook runs."""
    return json.loads((RECORDS / f"{name}.json").read_text("utf-8"))


def mean_and_spread(shares: Sequence[float] | float) -> str:
    """Write shares in per cent: their mean and, of more than one, the standard deviation.

    The deviation is that of a sample, divided by one less than their number: "91.2 % ± 0.3".
    """
    values = 100 * np.atleast_1d(np.asarray(shares, float))
    spread = f" ± {values.std(ddof=1):.1f}" if len(values) > 1 else ""
    return f"{values.mean():.1f} %{spread}"


class Milestone(NamedTuple):
    """A row of the table that grows by a row a chapter."""

    chapter: int
    network: str  # in a few words, "784-10, one layer"
    accuracies: tuple[float, ...]  # on the test pictures, one for each seed
    images: int | None = None  # how many pictures it learned from
    digits: str | None = None  # which ones: "MNIST", "practice digits", ...

    def __str__(self) -> str:
        return f"{self.network}: {self.result}"

    @property
    def result(self) -> str:
        """Mean and spread of the accuracies, and of how many."""
        seeds = f" ({len(self.accuracies)} seeds)" if len(self.accuracies) > 1 else ""
        return mean_and_spread(self.accuracies) + seeds


_of_this_run: list[Milestone] = []


def milestone(
    chapter: int, network: str, accuracies: Sequence[float] | float, images: int | None = None
) -> None:
    """Print how good a chapter's network is, and keep it for the tables of later chapters.

    Parameters
    ----------
    chapter : the chapter's number
    network : in a few words, "784-10, one layer"
    accuracies : on the test pictures, from 0 to 1, one for each seed; one number for what no seed
        enters
    images : how many pictures it learned from
    """
    shares = tuple(float(share) for share in np.atleast_1d(accuracies))
    if not all(0 <= share <= 1 for share in shares):
        raise ValueError(f"accuracies: found {shares}, expected shares from 0 to 1")
    row = Milestone(chapter, network, shares, images, dataset.last_source)
    _of_this_run[:] = [old for old in _of_this_run if old[:2] != row[:2]] + [row]
    display({"text/plain": str(row)}, metadata={"milestone": row._asdict()}, raw=True)


def milestones(up_to: int) -> "Milestones":
    """Tell how far chapters 1 to `up_to` got: a table, read from the notebooks beside this one.

    The chapters that ran in this kernel show what they just found. Run on practice digits, the
    table keeps to what is stored, as figures of different digits cannot be compared.
    """
    stored = [row for path in _chapters(up_to) for row in _stored_milestones(path)]
    if stored and dataset.last_source not in (None, "MNIST"):
        note = f"These are the stored figures, of MNIST. This run is on {dataset.last_source}."
        return Milestones(stored, note)
    now = [row for row in _of_this_run if row.chapter <= up_to]
    chapters_now = {row.chapter for row in now}
    earlier = [row for row in stored if row.chapter not in chapters_now]
    return Milestones(sorted(earlier + now, key=lambda row: row.chapter))


def _chapters(up_to: int) -> list[Path]:
    """Find the notebooks of chapters 1 to `up_to`, as far as they are at hand."""
    places = (Path.cwd(), Path(__file__).parents[1] / "book")
    found = (sorted(place.glob("[0-9][0-9]-*.ipynb")) for place in places)
    return [path for path in next(filter(None, found), []) if 1 <= int(path.name[:2]) <= up_to]


def _stored_milestones(path: Path) -> Iterator[Milestone]:
    """Read the rows of MNIST that a notebook's outputs hold; of a damaged notebook, none."""
    try:
        cells = json.loads(path.read_text("utf-8"))["cells"]
    except (OSError, ValueError, KeyError):
        return
    for cell in cells:
        for output in cell.get("outputs", []):
            row = output.get("metadata", {}).get("milestone", {})
            if row.get("digits") == "MNIST":
                yield Milestone(**row | {"accuracies": tuple(row["accuracies"])})


class Milestones:
    """The table: text in a terminal, HTML in a notebook and on a page."""

    COLUMNS = ("chapter", "network", "learned from", "test pictures right")

    def __init__(self, rows: Sequence[Milestone], note: str = "") -> None:
        self.rows, self.note = tuple(rows), note

    def _cells(self) -> list[tuple[str, ...]]:
        return [
            (
                str(row.chapter),
                row.network,
                f"{row.images:,} pictures" if row.images else "",
                row.result,
            )
            for row in self.rows
        ]

    def __repr__(self) -> str:
        lines = [self.COLUMNS, *self._cells()]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        text = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        return "\n".join([*text, *filter(None, [self.note])])

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{name}</th>' for name in self.COLUMNS)
        body = "".join(
            f'<tr><th scope="row">{escape(first)}</th>'
            + "".join(f"<td>{escape(cell)}</td>" for cell in others)
            + "</tr>"
            for first, *others in self._cells()
        )
        note = f"<p>{escape(self.note)}</p>" if self.note else ""
        return (
            f'<table class="table milestones"><thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table>{note}"
        )


class Explorer(widgets.VBox):
    """A picture that changes with a slider: drawn on demand in a notebook, drawn ahead for a page.

    Parameters
    ----------
    draw : makes the figure for a value
    values : what the slider goes through
    label : what is being changed
    describe : says in words what the figure for a value shows, for those who cannot see it
    start : the position that the slider has at first
    """

    def __init__(
        self,
        draw: Callable[[object], Figure],
        values: Sequence[object],
        label: str,
        describe: Callable[[object], str],
        start: int = 0,
    ) -> None:
        self._draw, self._values, self._label, self._start = draw, values, label, start
        self._describe = describe
        slider = widgets.SelectionSlider(
            options=values,
            value=values[start],
            description=label,
            style={"description_width": "auto"},
        )
        self._first = self._image(values[start])  # a page shows it again
        picture = widgets.HTML(self._first)
        slider.observe(lambda change: setattr(picture, "value", self._image(change.new)), "value")
        super().__init__([slider, picture])

    def _image(self, value: object, hidden: bool = False) -> str:
        figure = self._draw(value)
        png = io.BytesIO()
        figure.savefig(png, format="png", dpi=110)
        plt.close(figure)
        data = base64.b64encode(png.getvalue()).decode()
        alt = escape(self._describe(value), quote=True)
        state = " hidden" if hidden else ""
        return f'<img style="max-width:100%" alt="{alt}" src="data:image/png;base64,{data}"{state}>'

    def _repr_mimebundle_(self, **kwargs: object) -> dict[str, object]:
        """Add a static page's version: all pictures, and a slider that shows one of them."""
        bundle = super()._repr_mimebundle_(**kwargs)
        images = "".join(
            self._first if position == self._start else self._image(value, hidden=True)
            for position, value in enumerate(self._values)
        )
        show = (
            "const box = this.closest('.explorer'), images = box.querySelectorAll('img');"
            "images.forEach((image, position) => { image.hidden = position !== +this.value; });"
            "this.ariaValueText = this.dataset.values.split('|')[this.value];"
            "box.querySelector('output').value = this.ariaValueText;"
        )
        shown = [escape(str(value), quote=True) for value in self._values]
        bundle["text/html"] = (
            f'<div class="explorer"><p><label>{escape(self._label)} <input type="range" min="0" '
            f'max="{len(shown) - 1}" value="{self._start}" aria-valuetext="{shown[self._start]}" '
            f'data-values="{"|".join(shown)}" oninput="{show}"></label> '
            f'<output aria-hidden="true">{shown[self._start]}</output></p>{images}</div>'
        )
        return bundle

    def __repr__(self) -> str:
        return f"Explorer({self._label!r}, {len(self._values)} pictures)"
