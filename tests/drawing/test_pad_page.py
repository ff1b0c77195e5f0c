"""The pad in its page: what it keeps, how it looks, what others find around it."""

import json
import re

import numpy as np
import pytest
from pad_page import (
    CANVAS,
    READY,
    SCRIBBLE,
    book_picture,
    draw_with_mouse,
    ink,
    over_http_and_from_a_file,
    seen,
    settled,
    well_drawn,
)

from mnist_core import read_idx

# ------------------------------------------------------------------------------------ collecting


def collect(page, digits):
    for digit in digits:
        draw_with_mouse(page, well_drawn()[digit])
        settled(page)
        page.locator(f"[data-label='{digit}']").click()


def open_collection(page):
    page.locator(".digit-pad-collect summary").first.click()


@over_http_and_from_a_file
def test_drawings_are_kept_exported_and_deleted(open_page, tmp_path):
    page = open_page()
    open_collection(page)
    kept, forget = page.locator(".digit-pad-kept"), page.locator("[data-do=forget]")
    assert "0 drawings" in kept.inner_text()
    assert page.locator("[data-do=export]").is_disabled()
    collect(page, [3, 0, 9])
    assert "Kept as a 9. 3 drawings" in kept.inner_text()
    assert settled(page)[0] == "empty"  # ready for the next
    page.reload()
    page.wait_for_function(READY)
    open_collection(page)
    assert "3 drawings" in kept.inner_text()
    downloads = []
    page.on("download", lambda download: downloads.append(download))
    page.locator("[data-do=export]").click()
    while len(downloads) < 2:
        page.wait_for_timeout(50)
    for download in downloads:
        download.save_as(tmp_path / download.suggested_filename)
    images = read_idx(tmp_path / "drawings-images-idx3-ubyte")
    labels = read_idx(tmp_path / "drawings-labels-idx1-ubyte")
    assert (images.shape, images.dtype) == ((3, 28, 28), np.uint8)
    assert labels.tolist() == [3, 0, 9]
    for image, label in zip(images, labels, strict=True):
        np.testing.assert_allclose(image / 255, book_picture(well_drawn()[label]), atol=0.12)
    forget.click()
    assert "Press again" in forget.inner_text()
    assert "3 drawings" in kept.inner_text()
    forget.click()
    assert "0 drawings" in kept.inner_text()
    page.reload()
    page.wait_for_function(READY)
    assert page.evaluate("localStorage['digit-pad-drawings-1']") == "[]"


def test_an_empty_pad_is_not_kept(open_page):
    page = open_page()
    open_collection(page)
    page.locator("[data-label='4']").click()
    assert "Draw something first. 0 drawings" in page.locator(".digit-pad-kept").inner_text()


GOOD = {"label": 3, "image": "A" * 1046 + "=="}
BAD_STORAGE = {
    "no JSON": "{",
    "an object": "{}",
    "null": "null",
    "a number": "7",
    "wrong drawings": json.dumps([None, 5, {}, {"label": 3}, {"image": GOOD["image"]}]),
    "wrong labels": json.dumps([GOOD | {"label": label} for label in (10, -1, "3", 2.5)]),
    "wrong images": json.dumps([GOOD | {"image": image} for image in ("A", "<" * 1048, None)]),
}


def test_what_the_browser_kept_is_checked(open_page):
    page = open_page()
    for name, content in BAD_STORAGE.items():
        page.evaluate("(kept) => (localStorage['digit-pad-drawings-1'] = kept)", content)
        page.reload()
        page.wait_for_function(READY)
        open_collection(page)
        kept = page.locator(".digit-pad-kept")
        assert kept.inner_text().startswith("0 drawings"), name
        collect(page, [7])
        assert "Kept as a 7. 1 drawing kept" in kept.inner_text(), name


def test_good_drawings_beside_bad_ones_are_kept(open_page):
    content = json.dumps([None, GOOD, {"label": -1}, GOOD])
    page = open_page(setup=f"localStorage.setItem('digit-pad-drawings-1', {content!r})")
    assert page.locator(".digit-pad-kept").text_content().startswith("2 drawings")


def test_the_collection_is_bounded(open_page):
    many = f"JSON.stringify(Array(2000).fill({json.dumps(GOOD)}))"
    setup = f"localStorage['digit-pad-drawings-1'] = {many}"
    page = open_page(setup=setup)
    open_collection(page)
    collect(page, [1])
    assert "No room for more" in page.locator(".digit-pad-kept").inner_text()
    assert settled(page)[1] == "1"  # the drawing is still there
    assert page.evaluate("JSON.parse(localStorage['digit-pad-drawings-1']).length") == 2000
    assert page.evaluate("localStorage['digit-pad-drawings-1'].length") < 4e6


def test_without_storage_the_pad_works_and_says_what_it_cannot_keep(open_page):
    setup = """Object.defineProperty(globalThis, "localStorage", {
      get() { throw new DOMException("denied", "SecurityError"); } })"""
    page = open_page(setup=setup)
    open_collection(page)
    collect(page, [2, 5])
    assert "until you close this page" in page.locator(".digit-pad-kept").inner_text()
    assert "2 drawings" in page.locator(".digit-pad-kept").inner_text()
    page.locator(".digit-pad-hand input").check()
    assert page.locator(".digit-pad").get_attribute("data-hand") == "left"


# ------------------------------------------------------------------------------------ looks


def test_left_handed_puts_answer_and_buttons_to_the_left_and_is_remembered(open_page):
    def places(page):
        canvas, answer, undo = (
            page.locator(selector).first.bounding_box()
            for selector in (CANVAS, ".digit-pad-bars", "[data-do=undo]")
        )
        middle = canvas["x"] + canvas["width"] / 2
        return answer["x"] < canvas["x"], undo["x"] + undo["width"] / 2 < middle

    page = open_page()
    assert places(page) == (False, False)
    page.locator(".digit-pad-hand").click()
    assert places(page) == (True, True)
    page.reload()
    page.wait_for_function(READY)
    assert places(page) == (True, True)
    page.locator(".digit-pad-hand").click()
    assert places(page) == (False, False)


def test_it_fits_and_can_be_touched(open_page):
    page = open_page()
    for details in page.locator("summary").all():
        details.click()
    for width in (320, 375, 900):
        page.set_viewport_size({"width": width, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        assert page.locator(CANVAS).bounding_box()["width"] > 240, width
        for target in page.locator("button, summary, label").all():
            box = target.bounding_box()
            assert min(box["width"], box["height"]) >= 44, (width, target.inner_text())


def test_the_pad_follows_the_theme(open_page):
    page = open_page()
    draw_with_mouse(page, well_drawn()[1])

    def brightness():
        """Of paper and ink, 0 to 255."""
        settled(page)
        paper = page.locator(CANVAS).evaluate("(c) => getComputedStyle(c).backgroundColor")
        ink = page.locator(CANVAS).evaluate(
            """(canvas) => {
              const context = canvas.getContext("2d");
              const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
              const at = data.findIndex((value, i) => i % 4 === 3 && value === 255);
              return data[at - 2];
            }"""
        )
        return int(re.findall(r"\d+", paper)[1]), ink

    paper, ink_level = brightness()
    assert paper > 200 > 100 > ink_level
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    paper, ink_level = brightness()
    assert paper < 60 < 200 < ink_level
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    page.emulate_media(color_scheme="dark")
    assert brightness()[0] > 200  # the page's own switch comes first
    page.evaluate("delete document.documentElement.dataset.theme")
    assert brightness()[0] < 60
    page.evaluate("document.body.dataset.jpThemeLight = 'true'")
    assert brightness()[0] > 200
    page.emulate_media(color_scheme="light")
    page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    paper, ink_level = brightness()
    assert paper < 60 < 200 < ink_level


def test_motion_only_where_it_is_wanted(open_page):
    page = open_page()
    duration = "(bar) => getComputedStyle(bar).transitionDuration"
    bar = page.locator(".digit-pad-bar i").first
    assert bar.evaluate(duration) != "0s"
    page.emulate_media(reduced_motion="reduce")
    assert bar.evaluate(duration) == "0s"


def test_forced_colours_reach_ink_and_bars(open_page):
    page = open_page(forced_colors="active")
    draw_with_mouse(page, well_drawn()[1])
    settled(page)
    same = """([one, other]) => {
      const color = (selector, name) => getComputedStyle(document.querySelector(selector))[name];
      return color(one, "color") === color("body", "color") && color(other, "backgroundColor") !==
        color(".digit-pad-bar", "backgroundColor");
    }"""
    assert page.evaluate(same, [CANVAS, ".digit-pad-bar i"])


def draw_three(page):
    draw_with_mouse(page, well_drawn()[3])


def open_everything(page):
    for summary in page.locator("summary").all():
        summary.click()
    collect(page, [4])


def show_trouble(page):
    page.evaluate(
        """() => DigitPad.mount(document.querySelector("[data-digit-pad]"),
          { source: "by your network" }).show({ error: "ValueError: what is that?" })"""
    )


STATES = {  # one after another, and what leads there
    "empty": lambda page: None,
    "drawn": draw_three,
    "refused": lambda page: draw_with_mouse(page, SCRIBBLE),
    "everything open": open_everything,
    "trouble": show_trouble,
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, scheme):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="axe is not installed: pip install -r requirements-browser.txt",
    )
    page = open_page(color_scheme=scheme)
    for state, lead_to in STATES.items():
        lead_to(page)
        settled(page)
        page.wait_for_timeout(200)  # until bars and colours have settled
        results = axe.Axe().run(page)
        assert results.violations_count == 0, f"{state}: {results.generate_report()}"
        assert "color-contrast" in {rule["id"] for rule in results.response["passes"]}


def test_axe_would_find_something(open_page):
    """A planted fault, so that the test above is known to look."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe")
    page = open_page()
    page.evaluate("document.querySelector('.digit-pad-canvas').removeAttribute('aria-label')")
    page.evaluate("document.querySelector('.digit-pad-seen').removeAttribute('aria-label')")
    assert axe.Axe().run(page).violations_count > 0


# ------------------------------------------------------------------------------------ neighbours


@over_http_and_from_a_file
def test_it_leaves_one_name_behind(open_page, site):
    page = open_page()
    draw_with_mouse(page, well_drawn()[3])
    assert settled(page)[1] == "3"
    names = set(page.evaluate("Object.getOwnPropertyNames(globalThis)"))
    page.goto(site.url("none.html"))
    assert names - set(page.evaluate("Object.getOwnPropertyNames(globalThis)")) == {"DigitPad"}


@over_http_and_from_a_file
def test_several_pads_do_not_disturb_each_other(open_page):
    page = open_page("two.html")
    draw_with_mouse(page, well_drawn()[3], pad=1)
    draw_with_mouse(page, well_drawn()[8], pad=0)
    assert settled(page, 0)[1] == "8"
    assert settled(page, 1)[1] == "3"
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((element) => element.id)")
    assert len(ids) == len(set(ids)) >= 2
    page.locator("[data-do=clear]").nth(1).click()
    assert settled(page, 0)[1] == "8"
    assert settled(page, 1)[0] == "empty"
    page.locator(".digit-pad-collect summary").nth(0).click()
    page.locator("[data-label='8']").nth(0).click()
    for pad in range(2):
        assert "1 drawing " in page.locator(".digit-pad-kept").nth(pad).text_content()


def test_a_drawing_survives_a_change_of_size(open_page):
    page = open_page()
    draw_with_mouse(page, well_drawn()[5])
    before = settled(page), seen(page)
    page.set_viewport_size({"width": 330, "height": 700})
    assert settled(page) == before[0]
    np.testing.assert_array_equal(seen(page), before[1])
    assert ink(page) > 100
    draw_with_mouse(page, [[[0.95, 0.95]]])  # where the finger is, though the pad is smaller
    settled(page)
    assert page.locator(CANVAS).evaluate(
        """(canvas) => canvas.getContext("2d")
          .getImageData(0.95 * canvas.width, 0.95 * canvas.height, 1, 1).data[3]"""
    )
