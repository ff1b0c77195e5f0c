"""Write the transcript in README.md: what a terminal shows as somebody writes a network.

Usage: PYTHONPATH=benchmarks python tools/transcript.py

The commands run as they stand there, in an empty folder; between them an editor's part is played by
this program, which puts right functions, and one bug, in the place of blanks.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from common.readers import FUNCTIONS, SOLVED, filled

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BEGIN, END = "<!-- transcript -->\n", "<!-- end of the transcript -->\n"
FILE = "my_network.py"
WRONG = ("e.sum(axis=1, keepdims=True)", "e.sum()")
TRAINED = "Your network, "  # from here on, figures depend on the machine


def transcript(*, training: bool = True) -> str:
    """Play it, and return what the terminal shows."""
    written = {}
    for name, body in FUNCTIONS.items():
        written[name] = body
        if name == "softmax":
            break
    shown = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shown += _run(folder, f"start {FILE}")
        shown += [
            "",
            "Some evenings later, with chapters 1 and 2 and half of chapter 3 in the file:",
            "",
        ]
        unfinished = filled(written).replace(*WRONG).replace("FILE", FILE, 1)
        (folder / FILE).write_text(unfinished, "utf-8")
        shown += _run(folder, f"check {FILE}")
        shown += ["", "And in the end:", ""]
        (folder / FILE).write_text(SOLVED["functions"], "utf-8")
        options = "" if training else " --no-training"
        shown += _run(folder, f"check {FILE}{options}")
    return "\n".join(shown)


def _run(folder: Path, arguments: str) -> list[str]:
    """Run a command; return its line and what it prints, as text in Markdown."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-m", "mnist_book", *arguments.split()],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    lines = [f"$ python -m mnist_book {arguments}", *done.stdout.rstrip().splitlines()]
    return ["```console", *lines, "```"]


def written(text: str, content: str) -> str:
    """Return a text with this content between the marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{content}\n{END}{after}"


if __name__ == "__main__":
    README.write_text(written(README.read_text("utf-8"), transcript()), "utf-8")
