"""Figures that more than one chapter draws. Their look is in house.mplstyle."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure


def show_image(ax: Axes, image: np.ndarray, title: str = "", limit: float = 255) -> None:
    """Show a picture (28, 28) as ink on paper: 0 is white, `limit` is black."""
    ax.imshow(image, cmap="gray_r", vmin=0, vmax=limit)
    ax.set_title(title, fontsize=9, loc="center")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set(visible=True, color="#999999", linewidth=0.6)


def show_signed(ax: Axes, image: np.ndarray, limit: float, title: str = "") -> None:
    """Show a picture of positive (purple) and negative (orange) numbers, up to `limit`."""
    ax.imshow(image, cmap="PuOr", vmin=-limit, vmax=limit)
    ax.set_title(title, fontsize=9, loc="center")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set(visible=True, color="#999999", linewidth=0.6)


def show_grid(
    images: Sequence[np.ndarray], titles: Sequence[str] | None = None, columns: int = 10
) -> Figure:
    """Show pictures (28, 28) in rows, each with its title if there are any."""
    rows = -(-len(images) // columns)
    side, above = 7.2 / columns, 0.22 if titles else 0.04
    height = rows * (side + above)
    # The places are known, so that no layout need be searched: with many axes that takes long.
    places = {"left": 0.005, "right": 0.995, "bottom": 0.01, "top": 1 - above / height}
    gaps = {"wspace": 0.1, "hspace": 0.1 + above / side}
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(7.2, height),
        squeeze=False,
        layout="none",
        gridspec_kw=places | gaps,
    )
    for ax in axes.flat[len(images) :]:
        ax.set_axis_off()
    for number, (ax, image) in enumerate(zip(axes.flat, images, strict=False)):
        show_image(ax, image, titles[number] if titles else "")
    return figure
