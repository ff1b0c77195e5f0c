"""From a chapter's page to its last cell, in a real Chromium and on what `make lite` has built.

Started by `make test-lite`. No host but this one is asked for anything.
"""

import json
import os
from urllib.parse import urlparse

import pytest
from pad_page import draw_with_mouse, serve, well_drawn

from stage import ROOT

HTML = ROOT / "_build" / "html"
MINUTE = 60_000  # in milliseconds, as Playwright counts; a busy machine needs many of them
SHOWN = "window.jupyterapp?.shell.currentWidget?.content?.model?.cells?.length > 3"
RUN_ALL = """async () => {
  await jupyterapp.shell.currentWidget.sessionContext.ready;
  await jupyterapp.commands.execute("notebook:run-all-cells");
}"""
NOTEBOOK = "jupyterapp.shell.currentWidget.content.model.toJSON()"
ASK = """async (code) => {
  const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
  const asked = kernel.requestExecute({ code });
  let said = "";
  asked.onIOPub = (message) => { said += message.content.text ?? ""; };
  await asked.done;
  return said.trim();
}"""

pytestmark = [
    pytest.mark.skipif(not os.environ.get("TEST_LITE"), reason="make test-lite runs this"),
    pytest.mark.skipif(not (HTML / "lite").is_dir(), reason="make lite has not been run"),
]


@pytest.fixture(scope="module")
def address():
    with serve(HTML, "http") as address:
        yield address


@pytest.fixture
def chapter(chromium, address):
    """Press the button of a chapter, and wait for its notebook."""
    asked = []
    context = chromium.new_context(viewport={"width": 1100, "height": 900})
    context.on("request", lambda request: asked.append(request.url))

    def expose(route):  # so that the tests can ask what the notebook holds
        answer = route.fetch()
        settings = answer.json()
        settings["jupyter-config-data"]["exposeAppInBrowser"] = True
        route.fulfill(response=answer, json=settings)

    context.route("**/lite/jupyter-lite.json", expose)

    def open_chapter(name):
        page = context.new_page()
        page.goto(f"{address}/book/{name}.html")
        with context.expect_page() as opened:
            page.get_by_role("link", name="Open in the browser").click()
        notebook = opened.value
        notebook.set_default_timeout(40 * MINUTE)
        notebook.wait_for_function(SHOWN)
        return notebook

    yield open_chapter
    context.close()
    hosts = {urlparse(url).hostname for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}


def run_all(page):
    """Run all cells; return the code cells as they are afterwards."""
    page.evaluate(RUN_ALL)
    return [cell for cell in page.evaluate(NOTEBOOK)["cells"] if cell["cell_type"] == "code"]


def outputs(cell, kind):
    return [output for output in cell["outputs"] if output["output_type"] == kind]


@pytest.mark.parametrize(
    "name", ["01-reading-the-digits", "03-softmax", "07-training", "10-draw-a-digit"]
)
def test_a_chapter_runs_to_its_end(chapter, name):
    page = chapter(name)
    cells = run_all(page)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        may_raise = "raises-exception" in cell["metadata"].get("tags", [])
        assert may_raise or not outputs(cell, "error"), outputs(cell, "error")
    assert "digits of MNIST" in json.dumps(cells) or "PRACTICE DIGITS" in json.dumps(cells)
    assert "image/png" in json.dumps(cells)
    if name == "10-draw-a-digit":
        draw_with_mouse(page, well_drawn()[3])
        page.wait_for_function("document.querySelector('.digit-pad-digit').innerText == 3")
        assert page.evaluate(ASK, "print(pad.prediction, len(pad.strokes))") == (
            f"3 {len(well_drawn()[3])}"
        )
