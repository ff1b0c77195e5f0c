"""A schematic picture as inline SVG, element by element."""

from html import escape

import numpy as np

INK, ACCENT = "currentColor", "#0a7cc4"  # of enough contrast on white and on black
WIDTH = 360
LETTERS = 11.5  # their size, in units
SANS_SERIF = "Arial, 'Liberation Sans', Roboto, sans-serif"  # narrow ones: frames are as wide
MONOSPACE = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"


class Diagram:
    """A picture that grows element by element; `title` and `description` say what it shows.

    Parameters
    ----------
    title, description : for those who cannot see it, in a few words and in sentences
    height : in units; the width is always 360
    """

    def __init__(self, title: str, description: str, height: float) -> None:
        self.title, self.description, self.height = title, description, height
        self.elements: list[str] = []

    def add(self, name: str, content: str = "", /, **attributes: object) -> None:
        """Add an element of SVG; in the attributes' names _ stands for -."""
        written = "".join(
            f' {key.replace("_", "-")}="{f"{value:.5g}" if isinstance(value, float) else value}"'
            for key, value in attributes.items()
        )
        self.elements.append(f"<{name}{written}>{escape(content)}</{name}>")

    def text(
        self, x: float, y: float, content: str, *, code: bool = False, strong: bool = False
    ) -> None:
        """Write a line, its middle at x, its letters standing on y; the strong is bold."""
        look = {"font_family": MONOSPACE} if code else {}
        look |= {"font_weight": "bold"} if strong else {}
        self.add("text", content, x=x, y=y, text_anchor="middle", fill=INK, **look)

    def path(self, steps: str, *, strong: bool = False, width: float = 1, **look: object) -> None:
        """Draw a line along SVG's path commands; the strong has the accent's colour."""
        round_ends = {"stroke_linecap": "round", "stroke_linejoin": "round"}
        look = {"fill": "none", "stroke": ACCENT if strong else INK} | round_ends | look
        self.add("path", d=steps, stroke_width=width, **look)

    def arrow(self, *points: tuple[float, float], strong: bool = False, dashes: str = "0") -> None:
        """Draw an arrow through points, the last part of it upright or level."""
        before, tip = np.array(points[-2], float), np.array(points[-1], float)
        along = np.sign(tip - before)
        back, side = tip - 6 * along, 3.5 * along[::-1]
        corners = " L".join(f"{x:g} {y:g}" for x, y in (back + side, back - side))
        line = " L".join(f"{x:g} {y:g}" for x, y in (*points[:-1], tip - 3 * along))
        width = 2.2 if strong else 1.2
        self.path(f"M{line}", strong=strong, width=width, stroke_dasharray=dashes)
        colour = ACCENT if strong else INK
        self.path(f"M{tip[0]:g} {tip[1]:g} L{corners} Z", strong=strong, fill=colour)

    def box(self, x: float, y: float, width: float, height: float, *, strong: bool = False) -> None:
        """Draw a frame; the strong one is thick, tinted and of the accent's colour."""
        look: dict[str, object] = {"stroke": INK, "stroke_opacity": 0.5, "fill": "none"}
        if strong:
            look = {"stroke": ACCENT, "stroke_width": 2.2, "fill": ACCENT, "fill_opacity": 0.12}
        self.add("rect", x=x, y=y, width=width, height=height, rx=5, **look)

    def _repr_html_(self) -> str:
        """Write the picture out, as wide as its place, up to where its letters are the text's."""
        words = f"<title>{escape(self.title)}</title><desc>{escape(self.description)}</desc>"
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" class="diagram" role="img" '
            f'viewBox="0 0 {WIDTH} {self.height:g}" font-size="{LETTERS}" '
            f'font-family="{SANS_SERIF}" '
            'style="display:block;width:100%;max-width:32em;margin:auto">'
            f"{words}{''.join(self.elements)}</svg>"
        )

    def _repr_mimebundle_(self, **kwargs: object) -> dict[str, str]:
        return {"text/html": self._repr_html_(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"{self.title}. {self.description}"
