"""Execute the book's notebooks on MNIST and store their outputs.

Usage: python tools/refresh_outputs.py [NOTEBOOK ...]

The stored outputs are what the pages show and what the tests compare with. They are those of real
MNIST, so nothing is stored without it.
"""

import base64
import io
import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

import mnist_core
from mnist_book import dataset

BOOK = Path(__file__).parents[1] / "book"


def refresh(path: Path) -> None:
    """Execute one notebook and store its outputs, leaving out whatever changes from run to run."""
    notebook = nbformat.read(path, as_version=4)
    description = {key: value for key, value in notebook.metadata.items() if key == "myst"}
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        **description,  # the page's, for search engines
    }
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=120,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    start = time.perf_counter()
    client.execute()
    seconds = time.perf_counter() - start
    notebook.metadata["language_info"] = {"name": "python"}  # not this machine's version
    for cell in notebook.cells:
        if "outputs" in cell:
            cell.outputs = joined(cell.outputs)
        for output in cell.get("outputs", []):
            # A live widget is gone with its kernel; what its output has besides is for readers.
            data = output.get("data", {})
            data.pop("application/vnd.jupyter.widget-view+json", None)
            if "image/png" in data:
                data["image/png"] = smaller(data["image/png"])
    content = nbformat.writes(notebook).rstrip("\n") + "\n"
    with mnist_core.replacing(path) as file:
        file.write(content.encode())
    print(f"{path.name}: {seconds:.1f} s, {len(content) / 1e6:.2f} MB")


def joined(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Join what a cell has printed in pieces: how it is cut depends on the moment."""
    whole: list[nbformat.NotebookNode] = []
    for output in outputs:
        last = whole[-1] if whole else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            whole.append(output)
    return whole


def smaller(png: str, colours: int = 96) -> str:
    """Give a picture, PNG in base64, a palette: a third of the bytes, and it looks the same."""
    reduced = io.BytesIO()
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB").quantize(colours)
    picture.save(reduced, format="png", optimize=True)
    return base64.b64encode(reduced.getvalue()).decode()


def where_mnist_is() -> Path:
    """Find the folder of MNIST's files, or say how to get them."""
    return dataset.load_mnist().files[0].parent.resolve()


def main() -> None:
    """Refresh the notebooks named on the command line, or all."""
    paths = [Path(name).resolve() for name in sys.argv[1:]] or sorted(BOOK.glob("*.ipynb"))
    # The kernels start in book/: a relative $MNIST_DIR would mean another place there.
    os.environ["MNIST_DIR"] = str(where_mnist_is())
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "2")
    for path in paths:
        refresh(path)


if __name__ == "__main__":
    main()
