"""Drawing on the pad in a real Chromium: hands, palms, swipes, keys, answers."""

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
    move_finger,
    on_screen,
    seen,
    settled,
    touch,
    well_drawn,
)

from mnist_book.drawing.pad import MAX_POINTS
from mnist_book.drawing.recognizer import Recognizer

SPOKEN = ".digit-pad-spoken"
DOWN = [[0.5, 0.1], [0.5, 0.5], [0.5, 0.9]]  # a 1


def spoken(page):
    return page.locator(SPOKEN).inner_text()


def clear(page):
    page.locator("[data-do=clear]").click()
    assert settled(page)[0] == "empty"


# ------------------------------------------------------------------------------------ hands


def test_the_mouse_draws_and_answer_bars_and_picture_say_what_python_says(page):
    strokes = well_drawn()[9]
    draw_with_mouse(page, strokes, lift=False)
    state, loud, quiet = settled(page)  # the answer comes while drawing; aloud it comes after
    assert (state, loud, spoken(page)) == ("sure", "9", "")
    page.mouse.up()
    settled(page)
    assert spoken(page).startswith("9. ")
    np.testing.assert_allclose(seen(page), book_picture(strokes), atol=0.12)
    items = page.locator(".digit-pad-bars li").all_inner_texts()
    assert [item.split()[0] for item in items] == [str(digit) for digit in range(10)]
    expected = Recognizer.load().recognize(strokes).probabilities
    lengths = page.locator(".digit-pad-bar i").evaluate_all(
        "(bars) => bars.map((bar) => bar.getBoundingClientRect().width / bar.offsetWidth)"
    )
    np.testing.assert_allclose(lengths, expected, atol=0.1)
    second = int(np.argsort(lengths)[-2])
    assert re.search(rf"Second guess: {second} \(", quiet)
    assert page.locator(".digit-pad-best").inner_text().startswith("9")


@pytest.mark.parametrize("site", ["file"], indirect=True)
def test_in_a_page_that_is_a_file_it_works_the_same(open_page):
    page = open_page()
    draw_with_mouse(page, well_drawn()[2])
    assert settled(page)[:2] == ("sure", "2")
    np.testing.assert_allclose(seen(page), book_picture(well_drawn()[2]), atol=0.12)
    page.locator(".digit-pad-collect summary").click()
    page.locator("[data-label='2']").click()
    page.reload()
    page.wait_for_function(READY)
    assert page.locator(".digit-pad-kept").text_content().startswith("1 drawing kept")


def test_other_buttons_of_the_mouse_draw_nothing(page):
    box = page.locator(CANVAS).bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down(button="middle")
    page.mouse.move(box["x"] + 90, box["y"] + 90)
    page.mouse.up(button="middle")
    assert settled(page)[0] == "empty"


def test_a_stroke_ends_at_the_edge_and_goes_on_outside(page):
    """The pointer is captured: lifting it outside ends the stroke; coming back draws nothing."""
    draw_with_mouse(page, [[[0.5, 0.2], [0.5, 0.8], [1.3, 0.8]]])
    before = ink(page)
    for point in on_screen(page, [[[0.1, 0.1], [0.9, 0.1]]])[0]:
        page.mouse.move(*point)
    settled(page)
    assert ink(page) == before
    assert seen(page).any(axis=0).sum() > 10  # up to the edge, not beyond: a wide picture


def test_palms_draw_nothing_and_the_finger_does(page):
    """Whoever touches first: what moves draws, unless its contact is too wide for a finger."""
    session = page.context.new_cdp_session(page)
    line, (palm, beside) = on_screen(page, [DOWN, [[0.9, 0.8], [0.9, 0.82]]])
    points = len(line)

    def after(what):
        assert settled(page)[:2] == ("sure", "1"), what
        found = ink(page)
        page.keyboard.press("Delete")
        return found

    def check(what):
        assert after(what) == pytest.approx(line_alone, rel=0.01), what  # no dot beside it

    page.locator(CANVAS).focus()
    page.keyboard.press("Delete")
    move_finger(session, line)
    line_alone = after("a finger alone")
    touch(session, "touchStart", palm)  # first the palm, then the finger
    touch(session, "touchStart", palm, line[0])
    for i in range(1, points):
        touch(session, "touchMove", beside, line[i])
    touch(session, "touchEnd")
    check("a palm first")
    touch(session, "touchStart", line[0])  # first the finger; the palm before it has moved
    touch(session, "touchStart", line[0], palm)
    for i in range(1, points):
        touch(session, "touchMove", line[i], beside)
    touch(session, "touchEnd")
    check("a finger first")
    touch(session, "touchStart", palm, radius=45)  # a wide one, that slides on while one draws
    touch(session, "touchStart", palm, line[0], radius=45)
    for i in range(1, points):
        touch(session, "touchMove", line[-i], line[i], radius=45)
    touch(session, "touchEnd")
    check("a wide palm")
    touch(session, "touchStart", palm)  # one that grows as it settles
    touch(session, "touchMove", beside, radius=45)
    touch(session, "touchEnd")
    assert settled(page)[0] == "empty"


def test_a_palm_beside_mouse_or_pen_draws_nothing(page):
    session = page.context.new_cdp_session(page)
    line, (palm, far) = on_screen(page, [DOWN, [[0.9, 0.8], [0.3, 0.3]]])
    found = {}
    for kind in ("mouse", "pen"):
        touch(session, "touchStart", palm)
        if kind == "pen":
            touch(session, "touchMove", far)  # a smear, before the pen comes
        press_pointer(session, kind, "mousePressed", line[0])
        for point in line[1:]:
            press_pointer(session, kind, "mouseMoved", point)
        touch(session, "touchMove", far)
        press_pointer(session, kind, "mouseReleased", line[-1])
        touch(session, "touchEnd")
        assert settled(page)[:2] == ("sure", "1"), kind
        if kind == "pen":  # and for a second after it, palms are at rest
            move_finger(session, [palm, far])
            assert settled(page)[:2] == ("sure", "1")
        found[kind] = ink(page)
        clear(page)
    press_pointer(session, "mouse", "mousePressed", line[0])
    for point in line[1:]:
        press_pointer(session, "mouse", "mouseMoved", point)
    press_pointer(session, "mouse", "mouseReleased", line[-1])
    settled(page)
    assert list(found.values()) == pytest.approx([ink(page)] * 2, rel=0.01)  # nothing beside it


# ------------------------------------------------------------------------------------ on a phone


@pytest.mark.parametrize("size", [(360, 640), (375, 667)])
def test_on_a_phone_paper_answer_and_buttons_are_in_view_together(page, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.locator(".digit-pad-collect summary").click()
    header = 56  # of the book's theme; it stays above the page

    def place(selector):
        box = page.locator(selector).bounding_box()
        return box["y"], box["y"] + box["height"]

    for hand in ("right", "left"):
        page.locator(".digit-pad").evaluate(
            f"(pad) => {{ scrollTo(0, pad.getBoundingClientRect().top + scrollY - {header}); }}"
        )
        draw_by_touch(page, well_drawn()[3])
        assert settled(page)[:2] == ("sure", "3")
        for what in (CANVAS, ".digit-pad-answer", "[data-do=clear]", ".digit-pad-labels"):
            top, bottom = place(what)
            assert header <= top < bottom <= size[1], (what, top, bottom)
        paper = page.locator(CANVAS).bounding_box()
        margins = paper["x"], size[0] - paper["x"] - paper["width"]
        assert (margins[0] < margins[1]) == (hand == "right")
        assert max(margins) >= 60  # for a thumb, to scroll by
        page.locator("[data-do=clear]").tap()
        page.locator(".digit-pad-hand").tap()


def test_a_quick_swipe_upwards_scrolls_and_every_other_stroke_draws(page):
    page.set_viewport_size({"width": 360, "height": 640})
    session = page.context.new_cdp_session(page)
    up, down, short, bent = (
        [[0.5, y] for y in np.linspace(0.9, -0.1, 6)],
        [[0.5, y] for y in np.linspace(0.1, 0.9, 6)],
        [[0.5, y] for y in np.linspace(0.6, 0.35, 6)],
        [[0.5, 0.9], [0.8, 0.6], [0.5, 0.5], [0.2, 0.3], [0.5, 0.1]],
    )

    def after(stroke, pause=0.01, draw=move_finger):
        """Say how far a stroke has scrolled, and what the pad then shows."""
        page.evaluate("scrollTo(0, 0)")
        (points,) = on_screen(page, [stroke])
        before = page.evaluate("scrollY")
        draw(session, points, pause)
        return page.evaluate("scrollY") - before, settled(page)[:2]

    scrolled, answer = after(up)
    assert scrolled > 262  # farther than the canvas is high
    assert answer == ("empty", "")
    assert after(down) == (0, ("sure", "1"))
    scrolled, answer = after(up)
    assert scrolled > 262
    assert answer == ("sure", "1")  # the 1 is still there
    clear(page)
    after(up)
    page.locator("[data-do=undo]").click()
    assert settled(page)[:2] == ("sure", "1")  # what was cleared comes back
    for stroke, pause, draw in (
        (up, 0.15, move_finger),
        (short, 0.01, move_finger),
        (bent, 0.01, move_finger),
        (up[:-1], 0.01, functools.partial(quickly, hand="mouse")),
    ):
        clear(page)
        scrolled, answer = after(stroke, pause, draw)
        assert scrolled == 0
        assert answer[0] != "empty"


def test_outside_the_canvas_a_finger_scrolls_the_page(page):
    page.set_viewport_size({"width": 360, "height": 640})
    session = page.context.new_cdp_session(page)
    for place in (".digit-pad-answer", ".digit-pad-picture"):  # above the paper, and beside it
        page.evaluate("scrollTo(0, 0)")
        box = page.locator(place).bounding_box()
        x, y = box["x"] + 20, box["y"] + 0.4 * box["height"]
        move_finger(session, [(x, y - 8 * step) for step in range(12)], pause=0.01)
        page.wait_for_function("scrollY > 40", timeout=5000)
        assert settled(page)[0] == "empty"


def test_clear_works_right_after_a_quick_stroke(page):
    """Chromium may take a quick stroke by touch for a fling, and the next tap for its end."""
    session = page.context.new_cdp_session(page)
    box = page.locator("[data-do=clear]").bounding_box()
    button = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
    (line,) = on_screen(page, [[[0.5, 0.15 + 0.07 * i] for i in range(11)]])
    for hand in ("touch", "touch", "mouse", "pen"):
        quickly(session, line, hand=hand)
        assert settled(page)[:2] == ("sure", "1")
        page.wait_for_timeout(150)
        quickly(session, [button], hand=hand)
        page.wait_for_function(f"{READY} === 'empty'", timeout=5000)
    touched = "(canvas) => canvas.dispatchEvent(new TouchEvent('touchstart', { cancelable: true }))"
    assert page.locator(CANVAS).evaluate(touched) is False  # it begins no gesture


def quickly(session, points, pause=0.008, hand="touch"):
    """Draw a stroke, or tap, with eight milliseconds from point to point."""
    if hand == "touch":
        return move_finger(session, points, pause)
    press_pointer(session, hand, "mousePressed", points[0])
    for point in points[1:]:
        time.sleep(pause)
        press_pointer(session, hand, "mouseMoved", point)
    press_pointer(session, hand, "mouseReleased", points[-1])


def press_pointer(session, kind, event, point):
    """Send what a mouse, or a pen, sends with its button pressed."""
    settings = {"pointerType": kind, "button": "left", "buttons": 1, "clickCount": 1}
    place = {"x": point[0], "y": point[1]}
    session.send("Input.dispatchMouseEvent", {"type": event} | settings | place)


# ------------------------------------------------------------------------------------ keys


def press(page, keys):
    """Press keys, given as "Shift+ArrowUp*3 Space"."""
    for key in keys.split():
        name, _, times = key.partition("*")
        for _ in range(int(times or 1)):
            page.keyboard.press(name)


SEVEN = (
    "Shift+ArrowUp*6 Shift+ArrowLeft*2 Space Shift+ArrowRight*4 "
    + "ArrowLeft ArrowDown*2 " * 10
    + "ArrowDown*2 Space"
)


def test_the_keyboard_comes_by_a_skip_link_and_draws(page):
    page.keyboard.press("Tab")
    link = page.locator(".digit-pad-skip")
    assert link.evaluate("(link) => link === document.activeElement")
    assert link.evaluate("(link) => getComputedStyle(link).clipPath") == "none"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.className") == "digit-pad-canvas"
    press(page, "Shift+ArrowUp*3 Shift+ArrowLeft*2")
    assert settled(page)[0] == "empty"  # the pen is up
    assert ink(page) > 0  # the cursor
    press(page, "Shift+ArrowRight*2 Space Shift+ArrowDown*6")
    assert spoken(page) == ""  # silence while it draws
    press(page, "Space")
    assert settled(page)[:2] == ("sure", "1")
    assert spoken(page).startswith("1. ")
    press(page, "Delete")
    assert settled(page)[0] == "empty"
    press(page, SEVEN)
    assert settled(page)[:2] == ("sure", "7")
    press(page, "Tab")
    assert page.evaluate("document.activeElement.dataset.do") == "undo"


def test_keys_draw_diagonals(page):
    """A line from the top left to the bottom right: two arrows held, or one key of the keypad."""
    page.locator(CANVAS).focus()
    pictures = []
    for keys in (["ArrowRight", "ArrowDown"], ["PageDown"]):
        press(page, "Home*12 Space")
        for key in keys + keys[-1:] * 5:  # held down: the keyboard sends the last over and over
            page.keyboard.down(key)
        for key in keys:
            page.keyboard.up(key)
        press(page, "Space")
        settled(page)
        pictures.append(seen(page))
        press(page, "Delete")
    for picture in pictures:
        rows, columns = np.nonzero(picture)
        assert np.ptp(rows) >= 15
        assert np.abs(rows - columns).max() <= 6
    press(page, "Space ArrowRight*6 Space")  # the arrows that were held are not any more
    settled(page)
    assert seen(page).any(axis=1).sum() < 6


def test_keys_lift_undo_and_leave_the_rest_to_the_page(page):
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
    press(page, "Space ArrowDown*9 Tab Shift+Tab ArrowRight*9")  # leaving the pad lifts the pen
    settled(page)
    assert seen(page).any(axis=0).sum() < 6


def test_the_pads_keys_are_kept_from_notebook_and_no_others(page):
    """Notebook 7 takes keys on their way down, but not from an element with this attribute."""
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


def test_a_screen_reader_hands_keys_to_the_pad_and_hears_no_more_than_what_changes(page):
    """Orca wants an application in another one, and something in it; of floods it drops a part."""
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
    assert settled(page)[:2] == ("sure", "3")
    page.locator(".digit-pad-spoken").filter(has_text="3. ").wait_for(state="attached")
    writings = page.evaluate("writings")
    assert [after for _, after in writings].count("3") >= 1
    assert not [(before, after) for before, after in writings if before == after]


# ------------------------------------------------------------------------------------ answers


def test_undo_and_clear_and_what_is_said_of_them(page):
    page.evaluate(
        """() => {
          globalThis.said = [];
          const spoken = document.querySelector(".digit-pad-spoken");
          new MutationObserver(() => said.push(spoken.textContent))
            .observe(spoken, { childList: true, characterData: true, subtree: true });
        }"""
    )
    undo = page.locator("[data-do=undo]")
    undo.click()
    settled(page)
    assert spoken(page).startswith("There is nothing to take back. ")
    draw_with_mouse(page, [DOWN])
    one = settled(page)
    assert one[:2] == ("sure", "1")
    draw_with_mouse(page, [[[0.2, 0.3], [0.8, 0.7], [0.1, 0.8]]])
    two = settled(page)
    assert two != one
    undo.click()
    assert settled(page) == one
    assert spoken(page).startswith("Taken back. 1")
    assert len(page.evaluate("said")) == 4  # once a stroke, and once a press
    clear(page)
    assert spoken(page).startswith("Cleared.")
    assert ink(page) == 0
    assert not seen(page).any()
    undo.click()  # a clear by mistake
    assert settled(page) == one
    page.keyboard.press("Control+z")  # the button has the focus, and the pad the key
    assert settled(page)[0] == "empty"
    assert spoken(page).startswith("Taken back. ")
    draw_with_mouse(page, [DOWN])
    page.keyboard.press("Control+Shift+z")  # elsewhere that does something else
    assert settled(page) == one


def test_what_is_no_digit_is_refused_in_plain_words(page):
    dash, eleven = [[[0.1, 0.5], [0.9, 0.5]]], [[[0.3, 0.2], [0.3, 0.8]], [[0.7, 0.2], [0.7, 0.8]]]
    for strokes in (SCRIBBLE, [[[0.5, 0.5]]], dash, eleven):
        draw_with_mouse(page, strokes)
        assert settled(page) == ("none", "Not a digit", "Draw one digit, 0 to 9.")
        assert page.locator(".digit-pad-best").count() == 0
        assert set(page.locator(".digit-pad-bars li > :last-child").all_inner_texts()) == {
            "\N{EN DASH}"
        }
        assert spoken(page).startswith("Not a digit. ")
        clear(page)


def test_where_the_network_is_not_sure_it_says_so(page):
    """Whatever answers: here a function that always has the same answer."""
    answers = {
        "sure": ("8", r"60\s%\. Second guess: 4 \(30\s%\)"),
        "unsure": ("Perhaps an 8", r"Not sure: 60\s%\. Second guess: 4 \(30\s%\)"),
        "none": ("Not a digit", r"Draw one digit, 0 to 9\."),
    }
    for kind, (loud, quiet) in answers.items():
        page.evaluate(
            """(kind) => {
              const probabilities = [0.1, 0, 0, 0, 0.3, 0, 0, 0, 0.6, 0];
              const digit = kind === "sure" ? 8 : null;
              const place = document.querySelector("[data-digit-pad]");
              const pad = DigitPad.mount(place, {
                ask: (strokes, number) => pad.show({ kind, digit, probabilities }, number) });
            }""",
            kind,
        )
        draw_with_mouse(page, [DOWN])
        state, found_loud, found_quiet = settled(page)
        assert (state, found_loud) == (kind, loud)
        assert re.fullmatch(quiet, found_quiet)
        assert page.locator(".digit-pad-best").count() == (kind != "none")
        assert re.match(rf"{loud}\. {quiet}", spoken(page))


def test_the_stages_are_shown_on_request(page):
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


def test_no_more_than_one_question_a_frame(page):
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


def test_a_full_pad_says_so_and_sends_no_more_than_the_kernel_takes(page):
    page.evaluate(
        """(points) => {
          globalThis.pad = DigitPad.mount(document.querySelector("[data-digit-pad]"));
          const point = (_, i) => [140 + 100 * Math.cos(i), 20 + (i % 200)];
          pad.draw([Array.from({ length: points }, point)]);
        }""",
        MAX_POINTS - 3,
    )
    draw_with_mouse(page, [np.linspace([0.1, 0.1], [0.9, 0.9], 9)])
    assert sum(map(len, page.evaluate("pad.strokes"))) == MAX_POINTS
    draw_with_mouse(page, [[[0.1, 0.1], [0.9, 0.9]]])
    assert "full" in page.locator(".digit-pad-problem").first.inner_text()
    assert len(page.evaluate("pad.strokes")) == 2
    page.locator("[data-do=clear]").first.click()
    settled(page)
    assert page.locator(".digit-pad-problem").first.is_hidden()


# ------------------------------------------------------------------------------------ the weights

WAITS = """
globalThis.requestIdleCallback = (callback) => { globalThis.whenIdle = callback; };
if (sessionStorage.getItem("saveData"))
  Object.defineProperty(navigator, "connection", { value: { saveData: true } });"""
TIMES = """
globalThis.times = [];
const request = globalThis.requestAnimationFrame;
globalThis.requestAnimationFrame = (callback) => request((now) => {
  const began = performance.now();
  callback(now);
  document.body.offsetHeight; // with the layout that follows
  times.push(performance.now() - began);
});"""


def test_weights_come_when_a_hand_does_or_when_the_browser_is_idle(open_page):
    page = open_page(setup=WAITS)
    weights = page.locator("script[src*=weights]")
    page.wait_for_function("globalThis.whenIdle !== undefined")
    assert weights.count() == 0
    draw_with_mouse(page, [DOWN])
    assert settled(page)[:2] == ("sure", "1")
    page.evaluate("whenIdle()")
    assert weights.count() == 1  # it has come already
    page.reload()
    page.wait_for_function("globalThis.whenIdle !== undefined")
    page.evaluate("whenIdle()")
    weights.wait_for(state="attached")
    page.evaluate("sessionStorage.setItem('saveData', true)")  # then it has to be a hand
    page.reload(wait_until="load")
    assert page.evaluate("globalThis.whenIdle === undefined")
    assert weights.count() == 0
    draw_with_mouse(page, [DOWN])
    assert settled(page)[:2] == ("sure", "1")


def test_an_answer_takes_twenty_milliseconds_on_a_processor_four_times_slower(open_page):
    """The quickest of several: on a busy machine others wait. benchmarks/pad_speed.py has more."""
    page = open_page(setup=TIMES)
    draw_with_mouse(page, well_drawn()[8])
    settled(page)
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.evaluate("() => { times.length = 0; }")
    draw_with_mouse(page, [np.linspace([0.1, 0.1], [0.2, 0.9], 9)])
    settled(page)
    times = page.evaluate("times")
    assert len(times) >= 5
    assert min(times) < 20


def flip_a_bit(text):
    at = text.index('"weights":"') + 5000
    return text[:at] + ("B" if text[at] == "A" else "A") + text[at + 1 :]


SPOILT = {
    "missing": (None, "missing"),
    "half": (lambda text: text[: len(text) // 2], "damaged"),
    "one weight changed": (flip_a_bit, "damaged"),
}


@pytest.mark.parametrize(
    ("site", "damage"),
    [("file", "missing"), ("http", "half"), ("http", "one weight changed")],
    indirect=["site"],
)
def test_bad_weights_are_a_visible_error(chromium, site, damage):
    change, word = SPOILT[damage]
    path = site.folder / "static" / "pad-weights.js"
    if change is None:
        path.unlink()
    else:
        path.write_text(change(path.read_text("utf-8")), "utf-8")
    page = chromium.new_page()
    try:
        page.goto(site.url())
        problem = page.locator(".digit-pad-problem")
        problem.filter(has_text=word).wait_for(timeout=5000)
        assert "pad-weights.js" in problem.inner_text()
        draw_with_mouse(page, [DOWN])  # drawing goes on
        assert settled(page)[1] == ""
        assert ink(page) > 100
        assert problem.is_visible()
    finally:
        page.close()
