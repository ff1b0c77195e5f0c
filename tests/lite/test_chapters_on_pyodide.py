"""Every notebook that `make lite` has built runs from top to bottom on Pyodide, here in Node.

Started by `make test-lite`: a browser computes some twenty times slower than NumPy does elsewhere.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from stage import ROOT, notebooks

BUILT = ROOT / "_build" / "lite"
PYODIDE, STAGED = BUILT / "site" / "static" / "pyodide", BUILT / "notebooks"
LIMIT = 180  # seconds of processor time a chapter
MEMORY = 1500  # megabytes, Node's own among them

pytestmark = [
    pytest.mark.skipif(not os.environ.get("TEST_LITE"), reason="make test-lite runs this"),
    pytest.mark.skipif(not PYODIDE.is_dir(), reason="make lite has not been run"),
    pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node here"),
]


@pytest.mark.parametrize("notebook", notebooks(), ids=lambda path: path.stem)
def test_a_notebook_runs_to_its_end_and_in_time(notebook):
    has_mnist = (STAGED / "mnist-small").is_dir()
    digits = "MNIST_DIGITS=" + ("small" if has_mnist else "practice")
    script = Path(__file__).with_name("run_notebook.mjs")
    run = subprocess.run(
        ["node", script, PYODIDE, STAGED, notebook.name, digits],
        capture_output=True,
        encoding="utf-8",
        timeout=3000,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    report = json.loads(run.stdout.splitlines()[-1])
    assert report["error"] is None, run.stdout[-4000:]
    cells = json.loads((STAGED / notebook.name).read_text("utf-8"))["cells"]
    assert len(report["seconds"]) == sum(cell["cell_type"] == "code" for cell in cells)
    print(f"{sum(report['seconds']):.0f} s, {report['megabytes']} MB")
    assert sum(report["seconds"]) < LIMIT
    assert report["megabytes"] < MEMORY
