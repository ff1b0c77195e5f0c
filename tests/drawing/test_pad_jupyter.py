"""The pad in JupyterLab and Notebook 7 with a live kernel, driven by keys and mouse in Chromium."""

import contextlib
import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest
from pad_page import draw_with_mouse, ink, settled, well_drawn

CELLS = [
    "from mnist_book.drawing.pad import DigitPad\n"
    "pad = DigitPad()\n"
    "changes = []\n"
    "pad.observe(lambda change: changes.append(change.new), names='prediction')\n"
    "pad",
    "print('drawn', pad.prediction, len(pad.strokes), pad.image.shape, changes[-1])",
    "from mnist_book.drawing.practice import draw_digit\n"
    "import numpy as np\n"
    "faulty = True\n"
    "def mine(pixels):\n"
    "    if faulty:\n"
    "        raise ZeroDivisionError('my own mistake')\n"
    "    return np.eye(10)[[6]]\n"
    "other = DigitPad(mine)\n"
    "other",
    "faulty = False\n"
    "other.draw([[[0, 0], [1, 9]], [[4, 4], [5, 5]]])\n"
    "print('strokes', len(other.strokes), repr(other))",
    "import time\n"
    "calls = []\n"
    "def slow(pixels):\n"
    "    calls.append(pixels)\n"
    "    time.sleep(2.5)\n"
    "    return np.eye(10)[[5]]\n"
    "DigitPad(slow)",
    "print('calls', len(calls))",
]


BUSY = 90_000  # milliseconds: what a start may take on a busy machine


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address of a Jupyter server with settings of its own, which serves both front ends."""
    pytest.importorskip("jupyterlab")
    folder = tmp_path_factory.mktemp("jupyter")
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    nbformat.write(notebook, folder / "pad.ipynb")
    quiet = folder / "settings" / "@jupyterlab" / "apputils-extension"
    quiet.mkdir(parents=True)
    (quiet / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}', "utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(8)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    settings = [
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={folder}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    own = {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [*command, *settings], env=os.environ | own, stdout=log, stderr=log
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/api?token={token}", server)
            yield f"{url}/{{}}/pad.ipynb?token={token}"
        finally:
            server.kill()  # it would wait for its kernels, which end by themselves when it is gone
            server.wait()


def wait_for(url, server):
    for _ in range(600):
        assert server.poll() is None, "the server ended at once"
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.2)
    raise TimeoutError("the server did not start within two minutes")


@contextlib.contextmanager
def opened(chromium, address):
    """Open the notebook, and wait until it is there with its kernel."""
    context = chromium.new_context(viewport={"width": 1000, "height": 900}, reduced_motion="reduce")
    asked = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.goto(address, timeout=BUSY)
    page.locator(".jp-Notebook .jp-CodeCell").nth(len(CELLS) - 1).wait_for(timeout=BUSY)
    # The notebook may be there long before its kernel, and a cell run then is lost.
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=BUSY)
    yield page
    context.close()
    assert not [url for url in asked if not re.match(r"(https?://127\.0\.0\.1|data:|blob:)", url)]


@pytest.fixture(scope="module")
def page(chromium, address):
    with opened(chromium, address.format("lab/tree")) as page:
        yield page


def run_cell(page, number):
    """Select a cell and run it by keyboard; again, if after eight seconds it does not run."""
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(number)
    ran = cell.locator(".jp-InputPrompt").filter(has_text=re.compile(r"\[[*\d]"))
    for _ in range(3):
        cell.locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")
        for _ in range(80):
            if ran.count() > 0:
                return cell
            page.wait_for_timeout(100)
    raise TimeoutError(f"cell {number} does not run")


def output(cell, pattern):
    text = cell.locator(".jp-OutputArea-output", has_text=re.compile(pattern))
    text.first.wait_for(timeout=20_000)
    return text.first.inner_text().strip()


def words(page, pad, pattern):
    """Wait for words of a pad's answer."""
    place = page.locator(".digit-pad").nth(pad).locator(".digit-pad-answer")
    place.filter(has_text=re.compile(pattern)).wait_for(timeout=10_000)


def test_a_drawing_is_answered_by_the_kernel(page):
    run_cell(page, 0)
    page.locator(".digit-pad").wait_for(timeout=BUSY)
    assert "in the kernel" in page.locator(".digit-pad-source").inner_text()
    strokes = well_drawn()[4]
    draw_with_mouse(page, strokes)
    # A 4 may be read before its last stroke; what is spoken is the answer to all of them.
    spoken = page.locator(".digit-pad-spoken")
    spoken.filter(has_text=re.compile(r"^4\. ")).wait_for(state="attached")
    assert settled(page)[:2] == ("sure", "4")
    text = output(run_cell(page, 1), "drawn")
    assert text.split() == ["drawn", "4", str(len(strokes)), "(28,", "28)", "4"]


def keys_draw_and_do_not_reach_jupyter(page):
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    page.locator(".digit-pad-canvas").first.focus()
    for key in ["Delete"] + ["Shift+ArrowUp"] * 3 + ["Space"] + ["Shift+ArrowDown"] * 6 + ["Space"]:
        page.keyboard.press(key)
    words(page, 0, r"^\s*1\b")
    for key in ("d", "d", "x", "a", "b", "z"):  # Jupyter would delete, cut and add cells
        page.keyboard.press(key)
    page.keyboard.press("Control+z")
    words(page, 0, "Draw a digit")
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells


def test_keys_draw_and_do_not_reach_jupyter(page):
    keys_draw_and_do_not_reach_jupyter(page)


def test_an_error_of_the_readers_function_is_shown_in_the_pad(page):
    run_cell(page, 2)
    page.locator(".digit-pad").nth(1).wait_for(timeout=20_000)
    assert "your network" in page.locator(".digit-pad-source").nth(1).inner_text()
    draw_with_mouse(page, well_drawn()[3], pad=1)
    problem = page.locator(".digit-pad-problem").nth(1)
    problem.filter(has_text="ZeroDivisionError: my own mistake").wait_for(timeout=10_000)
    assert ink(page, pad=1) > 100
    assert page.locator(".digit-pad").nth(1).get_attribute("data-state") == "error"


def test_what_python_draws_is_shown_and_answered(page):
    before = ink(page, pad=1)
    text = output(run_cell(page, 3), "strokes")
    assert text.split() == ["strokes", "2", "DigitPad()"]
    words(page, 1, r"^\s*6\b")
    assert page.locator(".digit-pad-problem").nth(1).is_hidden()
    settled(page, 1)
    assert ink(page, pad=1) not in (0, before)
    page.locator("[data-do=undo]").nth(1).click()
    words(page, 1, r"^\s*6\b")


def test_a_slow_kernel_is_told_and_its_late_answer_taken(page):
    """Some seconds for an answer: one question is on its way at a time, whatever is drawn."""
    run_cell(page, 4)
    page.locator(".digit-pad").nth(2).wait_for()
    draw_with_mouse(page, well_drawn()[8], pad=2)
    problem = page.locator(".digit-pad-problem").nth(2)
    problem.filter(has_text="No answer from the kernel").wait_for()
    assert ink(page, pad=2) > 100
    words(page, 2, r"^\s*5\b")
    page.locator(".digit-pad-spoken").nth(2).filter(has_text="5. ").wait_for(state="attached")
    assert problem.is_hidden()
    assert output(run_cell(page, 5), "calls") in ("calls 2", "calls 3")


def test_an_answer_to_what_is_gone_is_dropped(page):
    draw_with_mouse(page, well_drawn()[8], pad=2)
    page.locator("[data-do=clear]").nth(2).click()
    assert settled(page, 2)[0] == "empty"
    page.evaluate(
        """() => {
          globalThis.states = [];
          const pad = document.querySelectorAll(".digit-pad")[2];
          new MutationObserver(() => states.push(pad.dataset.state))
            .observe(pad, { attributeFilter: ["data-state"] });
        }"""
    )
    page.wait_for_timeout(5500)
    assert set(page.evaluate("states")) == {"empty"}


def test_notebook_has_a_pad_that_draws_and_keeps_its_keys(chromium, address):
    """Notebook 7 takes keys at another place than JupyterLab; all else is the same code."""
    pytest.importorskip("notebook")
    with opened(chromium, address.format("notebooks")) as page:
        run_cell(page, 0)
        page.locator(".digit-pad").wait_for(timeout=BUSY)
        keys_draw_and_do_not_reach_jupyter(page)
