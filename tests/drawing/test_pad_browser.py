"""Drawing on the pad in a real Chromium, over http and from a file: hands, keys, answers."""

import functools
import re
import time

import numpy as np
import pytest
from pad_page import (
    CANVAS,
    READY,
    SCRIBBLE,
    book_picture,
    draw_by_touch,
    draw_with_mouse,
    ink,
    on_screen,
    over_http_and_from_a_file,
    seen,
    settled,
    touch,
    well_drawn,
)

from mnist_book.drawing.pad import MAX_POINTS
from mnist_book.drawing.recognizer import Recognizer


@over_http_and_from_a_file
def test_the_mouse_draws_and_the_answer_is_right(open_page):
    page = open_page()
    for digit in (2, 5, 8):
        strokes = well_drawn()[digit]
        draw_with_mouse(page, strokes)
        assert settled(page)[:2] == ("digit", str(digit))
        np.testing.assert_allclose(seen(page), book_picture(strokes), atol=0.12)
        page.locator("[data-do=clear]").click()


def test_the_answer_comes_while_drawing(open_page):
    page = open_page()
    (stroke,) = (stroke for stroke in well_drawn()[3])
    draw_with_mouse(page, [stroke], lift=False)
    assert settled(page)[:2] == ("digit", "3")
    assert page.locator(".digit-pad-spoken").inner_text() == ""
    page.mouse.up()
    assert settled(page)[:2] == ("digit", "3")
    assert page.locator(".digit-pad-spoken").inner_text().startswith("3")


@over_http_and_from_a_file
def test_strokes_by_touch_are_read_and_do_not_scroll(open_page):
    page = open_page(has_touch=True, viewport={"width": 375, "height": 667})
    strokes = well_drawn()[4]
    before = page.evaluate("scrollY")
    draw_by_touch(page, strokes)
    assert settled(page)[:2] == ("digit", "4")
    assert page.evaluate("scrollY") == before


def test_outside_the_canvas_a_finger_scrolls_the_page(open_page):
    page = open_page(has_touch=True, viewport={"width": 375, "height": 667})
    session = page.context.new_cdp_session(page)
    on_canvas, below = (
        page.locator(selector).bounding_box() for selector in (CANVAS, ".digit-pad-answer")
    )

    def swipe_up(box):
        x, y = box["x"] + 20, box["y"] + 0.9 * box["height"]
        touch(session, "touchStart", (x, y))
        for step in range(1, 16):
            touch(session, "touchMove", (x, y - 15 * step))
        touch(session, "touchEnd")
        page.wait_for_timeout(300)
        return page.evaluate("scrollY")

    assert swipe_up(on_canvas) == 0
    assert settled(page)[:2] == ("digit", "1")
    page.locator("[data-do=clear]").click()
    assert swipe_up(below) > 100
    assert settled(page)[0] == "empty"


def test_a_second_finger_draws_nothing(open_page):
    page = open_page(has_touch=True)
    session = page.context.new_cdp_session(page)
    line, palm = on_screen(page, [[[0.5, 0.1], [0.5, 0.5], [0.5, 0.9]], [[0.9, 0.8]]])
    touch(session, "touchStart", line[0])
    touch(session, "touchStart", line[0], palm[0])
    for point in line[1:]:
        touch(session, "touchMove", point, palm[0])
    touch(session, "touchEnd")
    assert settled(page)[:2] == ("digit", "1")


def test_a_palm_beside_the_pen_draws_nothing(open_page):
    """Each kind of pointer has a primary one: here a mouse draws while a finger rests."""
    page = open_page(has_touch=True)
    session = page.context.new_cdp_session(page)
    line, palm = on_screen(page, [[[0.5, 0.1], [0.5, 0.5], [0.5, 0.9]], [[0.9, 0.8]]])
    page.mouse.move(*line[0])
    page.mouse.down()
    touch(session, "touchStart", palm[0])
    for point in line[1:]:
        page.mouse.move(*point)
    touch(session, "touchEnd")
    page.mouse.up()
    assert settled(page)[:2] == ("digit", "1")


def test_other_buttons_of_the_mouse_draw_nothing(open_page):
    page = open_page()
    box = page.locator(CANVAS).bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down(button="middle")
    page.mouse.move(box["x"] + 90, box["y"] + 90)
    page.mouse.up(button="middle")
    assert settled(page)[0] == "empty"


def test_a_stroke_ends_at_the_edge_and_goes_on_outside(open_page):
    """The pointer is captured: lifting it outside ends the stroke; coming back draws nothing."""
    page = open_page()
    draw_with_mouse(page, [[[0.5, 0.2], [0.5, 0.8], [1.3, 0.8]]])
    before = ink(page)
    for point in on_screen(page, [[[0.1, 0.1], [0.9, 0.1]]])[0]:
        page.mouse.move(*point)
    settled(page)
    assert ink(page) == before
    assert seen(page).any(axis=0).sum() > 10  # up to the edge, not beyond: a wide picture


def press(page, keys):
    """Press keys, given as "Shift+ArrowUp*3 Space"."""
    for key in keys.split():
        name, _, times = key.partition("*")
        for _ in range(int(times or 1)):
            page.keyboard.press(name)


SEVEN = (
    "Shift+ArrowUp*3 Shift+ArrowLeft*2 Space Shift+ArrowRight*4 "
    + "ArrowLeft ArrowDown*2 " * 10
    + "ArrowDown*2 Space"
)


def test_the_keyboard_draws(open_page):
    page = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "digit-pad-canvas"
    press(page, "Shift+ArrowUp*3 Shift+ArrowLeft*2")
    assert settled(page)[0] == "empty"  # the pen is up
    assert ink(page) > 0  # the cursor
    press(page, "Shift+ArrowRight*2 Space Shift+ArrowDown*6")
    assert page.locator(".digit-pad-spoken").inner_text() == ""  # silence while it draws
    press(page, "Space")
    assert settled(page)[:2] == ("digit", "1")
    assert page.locator(".digit-pad-spoken").inner_text().startswith("1. ")
    press(page, "Delete")
    assert settled(page)[0] == "empty"
    press(page, SEVEN.replace("Shift+ArrowUp*3 ", "Shift+ArrowUp*6 "))
    assert settled(page)[:2] == ("digit", "7")
    assert page.evaluate("scrollY") == 0


def test_keys_lift_undo_and_leave_the_rest_to_the_page(open_page):
    page = open_page()
    page.locator(CANVAS).focus()
    press(page, "Space ArrowDown*9 Escape ArrowRight*9")
    settled(page)
    one_stroke = seen(page)
    assert one_stroke.any(axis=0).sum() < 6  # a line down: Escape lifted the pen
    press(page, "Space ArrowDown*3 Space")
    settled(page)
    assert not np.array_equal(seen(page), one_stroke)
    press(page, "Control+z")
    settled(page)
    np.testing.assert_array_equal(seen(page), one_stroke)
    press(page, "Backspace")
    assert settled(page)[0] == "empty"
    press(page, "Tab")
    assert page.evaluate("document.activeElement.dataset.do") == "undo"


def test_the_pads_keys_are_kept_from_notebook_and_no_others(open_page):
    """Notebook 7 takes keys on their way down, but not from an element with this attribute."""
    page = open_page()
    page.locator(CANVAS).focus()
    page.evaluate(
        """() => {
          globalThis.kept = [];
          const listen = ({ key, target }) => {
            if (target.hasAttribute("data-lm-suppress-shortcuts")) kept.push(key);
          };
          document.addEventListener("keydown", listen, true);
        }"""
    )
    press(page, "Control+s d Shift+ArrowDown Alt+z Control+ArrowDown Control+z Escape")
    kept = page.evaluate("kept.filter((key) => !['Shift', 'Control', 'Alt'].includes(key))")
    assert kept == ["d", "ArrowDown", "z", "Escape"]
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("d")
    assert page.evaluate("kept").count("d") == 1


def test_a_screen_reader_hands_keys_to_the_pad_and_hears_no_more_than_what_changes(open_page):
    """Orca wants an application in another one, and something in it; of floods it drops a part."""
    page = open_page()
    canvas = page.locator(f"[role=application] > {CANVAS}[role=application]")
    assert canvas.locator("> [role=img]").get_attribute("aria-label") == "The drawing"
    page.evaluate(
        """() => {
          globalThis.writings = [];
          const texts = (nodes) => [...nodes].map((node) => node.textContent).join("");
          new MutationObserver((records) => {
            for (const { removedNodes, addedNodes } of records)
              writings.push([texts(removedNodes), texts(addedNodes)]);
          }).observe(document.querySelector(".digit-pad"), { childList: true, subtree: true });
        }"""
    )
    draw_with_mouse(page, well_drawn()[3])
    assert settled(page)[:2] == ("digit", "3")
    page.locator(".digit-pad-spoken").filter(has_text="3. ").wait_for(state="attached")
    writings = page.evaluate("writings")
    assert ["", "3"] in writings or ["Not a digit?", "3"] in writings
    assert not [(before, after) for before, after in writings if before == after]


def test_leaving_the_pad_lifts_the_keyboards_pen(open_page):
    page = open_page()
    page.locator(CANVAS).focus()
    press(page, "Space ArrowDown*9 Tab Shift+Tab ArrowRight*20")
    settled(page)
    assert seen(page).any(axis=0).sum() < 6


# ------------------------------------------------------------------------------------ buttons


@pytest.mark.parametrize("hand", ["mouse", "pen", "touch"])
def test_clear_works_right_after_a_quick_stroke(open_page, hand):
    """Chromium may take a quick stroke by touch for a fling, and the next tap for its end."""
    page = open_page(has_touch=True)
    session = page.context.new_cdp_session(page)
    box = page.locator("[data-do=clear]").bounding_box()
    clear = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
    (line,) = on_screen(page, [[[0.5, 0.15 + 0.07 * i] for i in range(11)]])
    for _ in range(6):  # on a busy machine not each is quick enough for a fling
        quickly(session, hand, line)
        assert settled(page)[:2] == ("digit", "1")
        page.wait_for_timeout(150)
        quickly(session, hand, [clear])
        page.wait_for_function(f"{READY} === 'empty'", timeout=5000)


def test_a_touch_of_the_canvas_begins_no_gesture(open_page):
    page = open_page(has_touch=True)
    touched = "(canvas) => canvas.dispatchEvent(new TouchEvent('touchstart', { cancelable: true }))"
    assert page.locator(CANVAS).evaluate(touched) is False  # what it would do was prevented


def quickly(session, hand, points):
    """Draw a stroke, or tap, with eight milliseconds from point to point."""
    if hand == "touch":
        send = functools.partial(touch, session)
        down, move, up = "touchStart", "touchMove", "touchEnd"
    else:
        send = functools.partial(press_pointer, session, hand)
        down, move, up = "mousePressed", "mouseMoved", "mouseReleased"
    send(down, points[0])
    for point in points[1:]:
        time.sleep(0.008)
        send(move, point)
    send(up, *([] if hand == "touch" else points[-1:]))


def press_pointer(session, kind, event, point):
    """Send what a mouse, or a pen, sends with its button pressed."""
    settings = {"pointerType": kind, "button": "left", "buttons": 1, "clickCount": 1}
    place = {"x": point[0], "y": point[1]}
    session.send("Input.dispatchMouseEvent", {"type": event} | settings | place)


def test_undo_and_clear(open_page):
    page = open_page()
    undo, clear = (page.locator(f"[data-do={name}]") for name in ("undo", "clear"))
    draw_with_mouse(page, [[[0.5, 0.2], [0.5, 0.8]]])
    one = settled(page)
    assert one[:2] == ("digit", "1")
    draw_with_mouse(page, [[[0.2, 0.3], [0.8, 0.7], [0.1, 0.8]]])
    two = settled(page)
    assert two != one
    undo.click()
    assert settled(page) == one
    assert page.locator(".digit-pad-spoken").inner_text().startswith("Taken back. 1")
    clear.click()
    assert settled(page)[:2] == ("empty", "")
    assert page.locator(".digit-pad-spoken").inner_text().startswith("Cleared.")
    assert ink(page) == 0
    assert not seen(page).any()
    undo.click()  # a clear by mistake
    assert settled(page) == one
    undo.click()
    undo.click()
    assert settled(page)[0] == "empty"


def test_what_is_no_digit_gets_no_loud_answer(open_page):
    page = open_page()
    dot, dash = [[[0.5, 0.5]]], [[[0.1, 0.5], [0.9, 0.5]]]
    for strokes in (SCRIBBLE, dot, dash):
        draw_with_mouse(page, strokes)
        state, loud, quiet = settled(page)
        assert state == "shape"
        assert loud == "Not a digit?"
        assert re.fullmatch(r"If it is one, then \d\.", quiet)
        assert page.locator(".digit-pad-best").count() == 0
        assert page.locator(".digit-pad-spoken").inner_text().startswith("Not a digit?")
        page.locator("[data-do=clear]").click()


def test_the_live_region_speaks_once_a_stroke(open_page):
    page = open_page()
    page.evaluate(
        """() => {
          globalThis.said = [];
          const spoken = document.querySelector(".digit-pad-spoken");
          new MutationObserver(() => said.push(spoken.textContent))
            .observe(spoken, { childList: true, characterData: true, subtree: true });
        }"""
    )
    for _ in range(3):
        draw_with_mouse(page, well_drawn()[6])
        settled(page)
    strokes = 3 * len(well_drawn()[6])
    assert len(page.evaluate("said")) == strokes
    page.locator("[data-do=undo]").click()
    settled(page)
    assert len(page.evaluate("said")) == strokes + 1


def test_bars_and_words_say_the_same(open_page):
    page = open_page()
    strokes = well_drawn()[9]
    draw_with_mouse(page, strokes)
    settled(page)
    items = page.locator(".digit-pad-bars li").all_inner_texts()
    assert [item.split()[0] for item in items] == [str(digit) for digit in range(10)]
    expected = Recognizer.load().recognize(strokes).probabilities
    widths = page.locator(".digit-pad-bar i").evaluate_all(
        "(bars) => bars.map((bar) => parseFloat(bar.style.width) / 100)"
    )
    np.testing.assert_allclose(widths, expected, atol=0.1)
    second = int(np.argsort(widths)[-2])
    assert re.search(rf"Second guess: {second} \(", settled(page)[2])
    assert page.locator(".digit-pad-best").inner_text().startswith("9")


def test_the_stages_are_shown_on_request(open_page):
    page = open_page()
    draw_with_mouse(page, well_drawn()[2])
    assert page.locator(".digit-pad-figures canvas").count() == 0
    page.locator(".digit-pad-steps summary").click()
    settled(page)
    names = [
        page.locator(".digit-pad-figures canvas").nth(i).get_attribute("aria-label")
        for i in range(4)
    ]
    assert [name[:2] for name in names] == ["1.", "2.", "3.", "4."]
    before = [ink(page, ".digit-pad-figures canvas", i) for i in range(4)]
    assert min(before) > 0
    page.locator("[data-do=clear]").click()
    settled(page)
    after = [ink(page, ".digit-pad-figures canvas", i) for i in range(4)]
    assert after[0] == after[3] == 0  # the other two show the box and the cross
    assert all(a < b for a, b in zip(after, before, strict=True))


def test_no_more_than_one_question_a_frame(open_page):
    page = open_page()
    page.evaluate(
        """() => {
          const place = document.createElement("div");
          document.querySelector("main").prepend(place);
          globalThis.asked = 0;
          globalThis.frames = 0;
          DigitPad.mount(place, { ask: () => (asked += 1) });
          const canvas = place.querySelector("canvas");
          const send = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, {
            pointerId: 1, isPrimary: true, button: 0, clientX: x, clientY: y, bubbles: true }));
          canvas.setPointerCapture = () => {};
          const { left, top } = canvas.getBoundingClientRect();
          send("pointerdown", left + 9, top + 9);
          for (let i = 0; i < 100; i++) send("pointermove", left + 9 + i, top + 9 + i);
        }"""
    )
    settled(page)
    assert page.evaluate("asked") == 1


def test_a_full_pad_says_so_and_sends_no_more_than_the_kernel_takes(open_page):
    page = open_page()
    page.evaluate(
        """() => {
          const place = document.createElement("div");
          document.querySelector("main").prepend(place);
          globalThis.pad = DigitPad.mount(place);
          const canvas = place.querySelector(".digit-pad-canvas");
          canvas.setPointerCapture = () => {};
          const { left, top, width } = canvas.getBoundingClientRect();
          const send = (type, i) => canvas.dispatchEvent(new PointerEvent(type, {
            pointerId: 1, isPrimary: true, button: 0, bubbles: true,
            clientX: left + width * (0.5 + 0.4 * Math.cos(i)), clientY: top + 9 + (i % 200) }));
          send("pointerdown", 0);
          for (let i = 1; i < 6000; i++) send("pointermove", i);
        }"""
    )
    page.evaluate("() => new Promise(requestAnimationFrame)")
    assert sum(map(len, page.evaluate("pad.strokes"))) == MAX_POINTS
    draw_with_mouse(page, [[[0.1, 0.1], [0.9, 0.9]]])
    assert "full" in page.locator(".digit-pad-problem").first.inner_text()
    assert len(page.evaluate("pad.strokes")) == 1
    page.locator("[data-do=clear]").first.click()
    settled(page)
    assert page.locator(".digit-pad-problem").first.is_hidden()


# ------------------------------------------------------------------------------------ bad weights


def spoil(site, change):
    path = site.folder / "static" / "pad-weights.js"
    if change is None:
        path.unlink()
    else:
        path.write_text(change(path.read_text("utf-8")), "utf-8")


def flip_a_bit(text):
    at = text.index('"weights":"') + 5000
    return text[:at] + ("B" if text[at] == "A" else "A") + text[at + 1 :]


SPOILT = {
    "missing": (None, "missing"),
    "empty": (lambda text: "", "damaged"),
    "half": (lambda text: text[: len(text) // 2], "damaged"),
    "a page instead": (lambda text: "<!doctype html><p>Not found", "damaged"),
    "too few weights": (lambda text: text.replace('"sizes":[784,', '"sizes":[784,7,'), "damaged"),
    "one weight changed": (flip_a_bit, "damaged"),
}


@pytest.mark.parametrize(
    ("site", "damage"),
    [*(("http", damage) for damage in SPOILT), ("file", "missing"), ("file", "half")],
    indirect=["site"],
)
def test_bad_weights_are_a_visible_error(chromium, site, damage):
    change, word = SPOILT[damage]
    spoil(site, change)
    page = chromium.new_page()
    try:
        page.goto(site.url())
        problem = page.locator(".digit-pad-problem")
        problem.wait_for(state="visible", timeout=5000)
        assert word in problem.inner_text()
        assert "pad-weights.js" in problem.inner_text()
        draw_with_mouse(page, well_drawn()[3])  # drawing goes on
        assert settled(page)[1] == ""
        assert ink(page) > 100
        assert problem.is_visible()
    finally:
        page.close()
