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
    seen,
    settled,
    well_drawn,
)

from mnist_book.drawing.collected import read_collected
from mnist_core import read_idx

# ------------------------------------------------------------------------------------ collecting


def collect(page, digit, label=None):
    draw_with_mouse(page, well_drawn()[digit])
    settled(page)
    page.locator(f"[data-label='{digit if label is None else label}']").click()


def open_collection(page):
    page.locator(".digit-pad-collect summary").first.click()


def kept(page):
    return page.locator(".digit-pad-kept").inner_text()


def test_drawings_are_kept_taken_back_exported_and_deleted(page, tmp_path):
    open_collection(page)
    buttons = {
        name: page.locator(f"[data-do={name}]")
        for name in ("takeBack", "exportStrokes", "exportPictures", "forget")
    }
    page.locator("[data-label='4']").click()
    assert kept(page) == "Draw something first. 0 drawings kept in this browser."
    assert all(button.is_disabled() for button in buttons.values())
    collect(page, 3)
    collect(page, 8, label=0)  # a wrong label
    assert kept(page) == "Kept as a 0. 2 drawings kept in this browser."
    assert settled(page)[0] == "empty"  # ready for the next
    buttons["takeBack"].click()
    assert "not kept as a 0 any more. 1 drawing kept" in kept(page)
    assert settled(page)[:2] == ("sure", "8")  # the drawing is back
    page.locator("[data-label='8']").click()
    assert kept(page) == "Kept as an 8. 2 drawings kept in this browser."
    page.reload()
    page.wait_for_function(READY)
    open_collection(page)
    assert kept(page) == "2 drawings kept in this browser."
    downloads = []
    page.on("download", lambda download: downloads.append(download))
    buttons["exportStrokes"].click()
    buttons["exportPictures"].click()
    while len(downloads) < 3:
        page.wait_for_timeout(20)
    for download in downloads:
        download.save_as(tmp_path / download.suggested_filename)
    images = read_idx(tmp_path / "drawings-images-idx3-ubyte")
    labels = read_idx(tmp_path / "drawings-labels-idx1-ubyte")
    drawings = read_collected(tmp_path / "drawings.json")
    assert (images.shape, images.dtype) == ((2, 28, 28), np.uint8)
    assert labels.tolist() == drawings.labels.tolist() == [3, 8]
    for image, label, strokes in zip(images, labels, drawings.strokes, strict=True):
        np.testing.assert_allclose(image / 255, book_picture(well_drawn()[label]), atol=0.12)
        np.testing.assert_allclose(image / 255, book_picture(strokes), atol=0.01)
    draw_with_mouse(page, well_drawn()[1])
    buttons["takeBack"].click()
    assert settled(page)[:2] == ("sure", "1")  # what is being drawn stays
    assert "1 drawing kept" in kept(page)
    buttons["forget"].click()
    assert "Press again" in buttons["forget"].inner_text()
    assert "1 drawing kept" in kept(page)
    buttons["forget"].click()
    assert kept(page) == "0 drawings kept in this browser."
    assert page.evaluate("localStorage['digit-pad-drawings-2']") == "[]"


GOOD = {"label": 3, "strokes": [[[1, 2], [3.5, 4]], [[5, 6]]]}
BAD_POINTS = ([1], [1, "2"], [1, None], [1, 2, 3], 7)
BAD_STORAGE = {
    "no JSON": "{",
    "an object": "{}",
    "null": "null",
    "a number": "7",
    "wrong drawings": json.dumps([None, 5, {}, {"label": 3}, {"strokes": GOOD["strokes"]}]),
    "wrong labels": json.dumps([GOOD | {"label": label} for label in (10, -1, "3", 2.5)]),
    "wrong strokes": json.dumps([GOOD | {"strokes": strokes} for strokes in ([], [[]], 5, "1")]),
    "wrong points": json.dumps([GOOD | {"strokes": [[point]]} for point in BAD_POINTS]),
}
KEPT = """(content) => {
  localStorage["digit-pad-drawings-2"] = content;
  return DigitPad.keptDrawings();
}"""

FILL = """(drawing) => {
  const long = { label: 3, strokes: [Array.from({ length: 1500 }, (_, i) => [i % 280, 3.14])] };
  localStorage["digit-pad-drawings-2"] = JSON.stringify(Array(COUNT).fill(DRAWING));
}"""


def test_what_the_browser_kept_is_checked_and_bounded(page):
    for name, content in BAD_STORAGE.items():
        assert page.evaluate(KEPT, content) == [], name
    assert page.evaluate(KEPT, json.dumps([None, GOOD, {"label": -1}, GOOD])) == [GOOD, GOOD]
    open_collection(page)
    collect(page, 7)
    assert "Kept as a 7. 3 drawings kept" in kept(page)
    for drawing, count in (("drawing", 2000), ("long", 220)):  # too many, and too much
        page.evaluate(FILL.replace("DRAWING", drawing).replace("COUNT", str(count)), GOOD)
        collect(page, 1)
        assert "No room for more" in kept(page)
        assert settled(page)[1] == "1"  # the drawing is still there
        assert page.evaluate("DigitPad.keptDrawings().length") == count
        page.locator("[data-do=clear]").click()


def test_without_storage_the_pad_works_and_says_what_it_cannot_keep(open_page):
    setup = """Object.defineProperty(globalThis, "localStorage", {
      get() { throw new DOMException("denied", "SecurityError"); } })"""
    page = open_page(setup=setup)
    open_collection(page)
    collect(page, 1)
    collect(page, 1, label=7)
    assert "until you close this page" in kept(page)
    assert "2 drawings" in kept(page)
    page.locator(".digit-pad-hand input").check()
    assert page.locator(".digit-pad").get_attribute("data-hand") == "left"


# ------------------------------------------------------------------------------------ looks


def test_left_handed_puts_answer_and_buttons_to_the_left_and_is_remembered(page):
    def places(page):
        canvas, answer, undo = (
            page.locator(selector).first.bounding_box()
            for selector in (CANVAS, ".digit-pad-bars", "[data-do=undo]")
        )
        middle = canvas["x"] + canvas["width"] / 2
        return answer["x"] < canvas["x"], undo["x"] + undo["width"] / 2 < middle

    assert places(page) == (False, False)
    page.locator(".digit-pad-hand").click()
    assert places(page) == (True, True)
    page.reload()
    page.wait_for_function(READY)
    assert places(page) == (True, True)
    page.locator(".digit-pad-hand").click()
    assert places(page) == (False, False)


def test_it_fits_and_can_be_touched(page):
    for details in page.locator("summary").all():
        details.click()
    for width in (320, 375, 900):
        page.set_viewport_size({"width": width, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        assert page.locator(CANVAS).bounding_box()["width"] > 200, width
        small = page.evaluate(
            """() => [...document.querySelectorAll("button, summary, label")].filter((target) => {
              const { width, height } = target.getBoundingClientRect();
              return Math.min(width, height) < 44;
            }).map((target) => target.textContent)"""
        )
        assert small == [], width


def test_the_pad_follows_the_theme(page):
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


def test_motion_only_where_it_is_wanted_and_forced_colours_reach_ink_and_bars(page):
    bar = page.locator(".digit-pad-bar i").first
    duration = "(bar) => getComputedStyle(bar).transitionDuration"
    assert bar.evaluate(duration) == "0s"
    page.emulate_media(reduced_motion="no-preference", forced_colors="active")
    assert bar.evaluate(duration) != "0s"
    same = """([one, other]) => {
      const color = (selector, name) => getComputedStyle(document.querySelector(selector))[name];
      return color(one, "color") === color("body", "color") && color(other, "backgroundColor") !==
        color(".digit-pad-bar", "backgroundColor");
    }"""
    assert page.evaluate(same, [CANVAS, ".digit-pad-bar i"])


def test_the_page_does_not_jump_when_the_pad_comes(page):
    """What stands in for the pad is as high as the pad, on a phone and on a desk."""
    heights = """() => {
      const place = document.querySelector("[data-digit-pad]"), pad = place.firstChild;
      const high = place.getBoundingClientRect().height;
      pad.remove();
      const empty = place.getBoundingClientRect().height;
      place.append(pad);
      return [high, empty];
    }"""
    for width in (360, 900):
        page.set_viewport_size({"width": width, "height": 700})
        pad, empty = page.evaluate(heights)
        assert abs(pad - empty) < 64, (width, pad, empty)


@pytest.fixture
def axe():
    package = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="axe is not installed: pip install -r requirements-browser.txt",
    )
    return package.Axe()


def test_axe_finds_nothing_but_what_was_planted(page, axe):
    """All rules, on a pad with everything in use and on one in trouble; else the contrasts."""

    def look(what, **options):
        settled(page)
        results = axe.run(page, options=options)
        assert results.violations_count == 0, f"{what}: {results.generate_report()}"
        assert "color-contrast" in {rule["id"] for rule in results.response["passes"]}

    def look_in_both(what, **options):
        look(what, **options)
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        look(f"{what}, dark", runOnly=["color-contrast"])
        page.emulate_media(color_scheme="light", reduced_motion="reduce")

    for summary in page.locator("summary").all():
        summary.click()
    collect(page, 4)
    draw_with_mouse(page, well_drawn()[3])
    look_in_both("drawn, everything open")
    draw_with_mouse(page, SCRIBBLE)
    page.keyboard.press("Tab")
    look_in_both("refused", runOnly=["color-contrast"])
    page.evaluate(
        """() => {
          document.querySelector(".digit-pad-skip").remove(); // it leads to the pad that goes
          DigitPad.mount(document.querySelector("[data-digit-pad]"), { source: "by your network" })
            .show({ error: "ValueError: what is that?" });
        }"""
    )
    look_in_both("trouble")
    page.locator(".digit-pad-words").evaluate("(words) => { words.style.color = '#ddd'; }")
    planted = axe.run(page, options={"runOnly": ["color-contrast"]})
    assert planted.violations_count == 1  # it does look


# ------------------------------------------------------------------------------------ neighbours


def test_it_leaves_one_name_behind(page, visitor):
    draw_with_mouse(page, well_drawn()[3])
    assert settled(page)[1] == "3"
    names = set(page.evaluate("Object.getOwnPropertyNames(globalThis)"))
    page.goto(visitor[0].url("none.html"))
    assert names - set(page.evaluate("Object.getOwnPropertyNames(globalThis)")) == {"DigitPad"}


def test_several_pads_do_not_disturb_each_other(page, visitor):
    page.goto(visitor[0].url("two.html"))
    page.wait_for_function(READY)
    draw_with_mouse(page, well_drawn()[3], pad=1)
    draw_with_mouse(page, well_drawn()[8], pad=0)
    assert settled(page, 0)[1] == "8"
    assert settled(page, 1)[1] == "3"
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((element) => element.id)")
    assert len(ids) == len(set(ids)) >= 2
    assert page.locator(".digit-pad-skip").count() == 1
    page.locator("[data-do=clear]").nth(1).click()
    assert settled(page, 0)[1] == "8"
    assert settled(page, 1)[0] == "empty"
    page.locator(".digit-pad-collect summary").nth(0).click()
    page.locator("[data-label='8']").nth(0).click()
    for pad in range(2):
        assert "1 drawing " in page.locator(".digit-pad-kept").nth(pad).text_content()


def test_a_drawing_survives_a_change_of_size(page):
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
