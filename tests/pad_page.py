"""A page with a drawing pad, and hands to draw on it: what the browser tests share."""

import contextlib
import functools
import http.server
import shutil
import threading
import time
from pathlib import Path

import numpy as np
import yaml

from mnist_book.drawing.pad import PAGE
from mnist_book.drawing.practice import draw_digit
from mnist_book.drawing.recognizer import Recognizer
from mnist_book.drawing.strokes import strokes_to_image

CONFIG = yaml.safe_load((Path(__file__).parents[1] / "_config.yml").read_text("utf-8"))
BOOK_SCRIPTS = [name for name, _ in CONFIG["sphinx"]["config"]["html_js_files"]]  # in their order
SCRIPTS = [name for name in BOOK_SCRIPTS if (PAGE / name).exists()]
SCRIPT_TAGS = "\n".join(f'<script src="static/{name}" defer></script>' for name in SCRIPTS)
HTML = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A page with a pad</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="static/pad.css">
%s
<style>
  html { background: white; } html[data-theme="dark"] { background: #121212; color: white; }
  @media (prefers-color-scheme: dark) {
    html:not([data-theme]) { background: #121212; color: white; }
  }
</style>
</head><body><main><h1>Draw</h1><div data-digit-pad></div>%s
<p style="height: 200vh">A long page</p></main></body></html>"""
CANVAS = ".digit-pad-canvas"
READY = "document.querySelector('.digit-pad').dataset.state"


class Site:
    """A folder of pages, and the address at which a browser finds it."""

    def __init__(self, folder, address):
        self.folder, self.address = folder, address
        shutil.copytree(PAGE, folder / "static")
        (folder / "index.html").write_text(HTML % (SCRIPT_TAGS, ""), "utf-8")
        (folder / "none.html").write_text("<!doctype html><p>A page without a pad", "utf-8")
        another = "<div data-digit-pad></div>"
        (folder / "two.html").write_text(HTML % (SCRIPT_TAGS, another), "utf-8")

    def url(self, name="index.html"):
        return f"{self.address}/{name}"


@contextlib.contextmanager
def serve(folder, scheme):
    """Make a folder reachable for as long as it is needed: over http, or as the files it holds."""
    if scheme == "file":
        yield folder.as_uri()
        return
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:  # also where a test has failed: a thread on a closed socket would break another
            server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def on_screen(page, strokes, pad=0):
    """Strokes from 0 to 1 in the coordinates of the screen."""
    canvas = page.locator(CANVAS).nth(pad)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    corner, size = np.array([box["x"], box["y"]]), box["width"]
    return [(corner + size * np.asarray(stroke)).tolist() for stroke in strokes]


def draw_with_mouse(page, strokes, pad=0, lift=True):
    for first, *others in on_screen(page, strokes, pad):
        page.mouse.move(*first)
        page.mouse.down()
        for point in others:
            page.mouse.move(*point)
        if lift:
            page.mouse.up()


def draw_by_touch(page, strokes):
    session = page.context.new_cdp_session(page)
    for points in on_screen(page, strokes):
        move_finger(session, points)


def move_finger(session, points, pause=0.0):
    """Put a finger down, move it from point to point with a pause, and lift it."""
    now = time.time()  # events say when they were: a busy machine does not make a finger slow
    touch(session, "touchStart", points[0], at=now)
    for i, point in enumerate(points[1:], start=1):
        time.sleep(pause)
        touch(session, "touchMove", point, at=now + i * pause)
    touch(session, "touchEnd", at=now + len(points[1:]) * pause)


def touch(session, kind, *points, radius=8, at=None):
    """Touch with fingers at points (x, y), the first of which has that radius."""
    fingers = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(points)]
    for finger, radius_x in zip(fingers, (radius, 8), strict=False):
        finger |= {"radiusX": radius_x, "radiusY": radius_x}
    event = {"type": kind, "touchPoints": fingers} | ({"timestamp": at} if at else {})
    session.send("Input.dispatchTouchEvent", event)


SETTLED = """async (number) => {
  const root = document.querySelectorAll(".digit-pad")[number];
  const text = (name) => root.querySelector(`.digit-pad-${name}`).innerText;
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  do await frame(); while (text("problem").includes("Loading the network"));
  return [root.dataset.state, text("digit"), text("words")];
}"""


def settled(page, pad=0):
    """Wait until the last stroke was answered; return the pad's state, digit and words."""
    return tuple(page.evaluate(SETTLED, pad))


def ink(page, selector=CANVAS, pad=0):
    """How much is drawn on a canvas: the sum of its pixels' opacity."""
    return (
        page.locator(selector)
        .nth(pad)
        .evaluate(
            """(canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
          .data.reduce((sum, value, i) => sum + (i % 4 === 3 ? value : 0), 0) / 255"""
        )
    )


def seen(page):
    """The picture that the network sees, (28, 28), as the pad shows it."""
    levels = page.locator(".digit-pad-seen").first.evaluate(
        """(canvas) => Array.from(canvas.getContext("2d").getImageData(0, 0, 28, 28).data)
          .filter((_, i) => i % 4 === 3)"""
    )
    return np.reshape(levels, (28, 28)) / 255


@functools.cache
def well_drawn():
    """A drawing of each digit, from 0 to 1, that Python reads rightly."""
    recognizer, rng, found = Recognizer.load(), np.random.default_rng(4), {}
    while len(found) < 10:
        digit = int(rng.integers(10))
        strokes = on_unit_square([thinned(stroke) for stroke in draw_digit(digit, rng)])
        if digit not in found and recognizer.recognize(strokes).digit == digit:
            found[digit] = strokes
    return found


def thinned(stroke, step=5):
    """A stroke with fewer points: a browser takes a frame for each."""
    return np.concatenate([stroke[:-1:step], stroke[-1:]])


def on_unit_square(strokes):
    """The same strokes between 0.15 and 0.85."""
    low = np.concatenate(strokes).min(axis=0)
    size = np.ptp(np.concatenate(strokes), axis=0).max()
    return [0.15 + 0.7 * (stroke - low) / size for stroke in strokes]


SCRIBBLE = [[[0.1 + 0.8 * ((7 * i) % 10) / 10, 0.2 + 0.6 * ((3 * i) % 10) / 10] for i in range(30)]]


def book_picture(strokes):
    return strokes_to_image(strokes, **Recognizer.load().picture._asdict())
