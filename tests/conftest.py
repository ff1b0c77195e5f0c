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


@pytest.fixture(scope="module")
def visitor(chromium, tmp_path_factory):
    """A page over http that the tests of a module share, what it asked for, and its errors."""
    folder = tmp_path_factory.mktemp("shared") / "site"
    with serve(folder, "http") as address:
        site = Site(folder, address)
        context = chromium.new_context(has_touch=True)
        asked, trouble = [], []
        context.on("request", lambda request: asked.append(request.url))
        context.on("weberror", lambda error: trouble.append(str(error.error)))
        yield site, context.new_page(), asked, trouble
        context.close()


@pytest.fixture
def page(visitor):
    """A page with a pad, fresh for each test; opening another browser's costs far more."""
    site, page, asked, trouble = visitor
    page.set_viewport_size({"width": 900, "height": 800})
    page.emulate_media(color_scheme="light", reduced_motion="reduce", forced_colors="none")
    page.goto(site.url())
    page.wait_for_function(READY)
    yield page
    page.evaluate("localStorage.clear()")
    complaints, hosts = trouble.copy(), {host(url) for url in asked} - {None}
    trouble.clear()
    assert complaints == []
    assert hosts == {"127.0.0.1"}


def host(url):
    return None if url.startswith(("data:", "blob:")) else urlparse(url).hostname


@pytest.fixture
def open_page(chromium, site):
    """Open a page with settings of its own; afterwards, nothing may have failed, as in `page`."""
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
    assert {host(url) for url in asked} <= {"127.0.0.1", None, ""}
    assert trouble == []
