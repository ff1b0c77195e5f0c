"""Writes the file that one starts from."""

import re
import sys
from pathlib import Path

TEMPLATES = Path(__file__).parent / "templates"
TAKEN = sys.stdlib_module_names | {"numpy", "mnist_core", "mnist_book", "matplotlib"}


def start(path: Path, *, columns: bool = False) -> None:
    """Write a file with a blank for each piece, in the chapters' order.

    Raises
    ------
    ValueError : the name is none for a file of Python's
    FileExistsError : there is such a file; it is never written to
    OSError : it cannot be written
    """
    if path.suffix != ".py":
        raise ValueError(f"found the name {path.name}, expected one that ends with .py")
    if path.stem in TAKEN:
        raise ValueError(
            f"found the name {path.name}, expected another one: it would hide the module "
            f"{path.stem} from your programs"
        )
    template = TEMPLATES / ("columns.txt" if columns else "rows.txt")
    text = template.read_text("utf-8")
    simple = re.fullmatch(r"[\w.-]+", path.name)
    text = text.replace("FILE", path.name if simple else "THIS_FILE.py", 1)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise FileExistsError(
            f"found that {path} exists, expected a new name: nothing was written"
        ) from error
