"""Help for the chapters: figures in prose, source code in the page, pictures with a slider."""

import base64
import inspect
import io
import json
from collections.abc import Callable, Sequence
from html import escape

import ipywidgets as widgets
import matplotlib.pyplot as plt
from IPython.display import Markdown, display
from matplotlib.figure import Figure

from mnist_book.dataset import DATA

RECORDS = DATA.parent / "benchmarks" / "records"


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
        picture = widgets.HTML(self._image(values[start]))
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
            self._image(value, hidden=position != self._start)
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
