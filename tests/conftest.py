"""A real browser for the tests of the drawing pad; without one they are skipped, and say so."""

import os
import shutil
from urllib.parse import urlparse

import pytest
from pad_page import READY, Site, serve

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="session")
def chromium_path():
    """Where Chromium is, for Playwright to drive."""
    pytest.importorskip(
        "playwright", reason="Playwright is not installed: pip install -r requirements-browser.txt"
    )
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("no Chromium found: install it, or name it in the variable CHROMIUM")
    return path


@pytest.fixture(scope="module")  # no longer: Playwright's event loop is in the way of nbval's
def chromium(chromium_path):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium_path)
        yield browser
        browser.close()


@pytest.fixture
def site(tmp_path, request):
    with serve(tmp_path / "site", getattr(request, "param", "http")) as address:
        yield Site(tmp_path / "site", address)


@pytest.fixture
def open_page(chromium, site):
    """Open a page; afterwards, nothing may have been asked of other hosts, and nothing failed."""
    contexts, asked, trouble = [], [], []

    def open_page(name="index.html", setup=None, **options):
        context = chromium.new_context(**{"viewport": {"width": 900, "height": 800}, **options})
        contexts.append(context)
        context.on("request", lambda request: asked.append(request.url))
        context.on("weberror", lambda error: trouble.append(str(error.error)))
        page = context.new_page()
        if setup:
            page.add_init_script(setup)
        page.goto(site.url(name))
        page.wait_for_function(READY)
        return page

    yield open_page
    for context in contexts:
        context.close()
    hosts = {urlparse(url).hostname for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts <= {"127.0.0.1", None, ""}
    assert trouble == []
