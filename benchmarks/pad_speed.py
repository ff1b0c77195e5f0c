"""Measure how long a page takes from a point of the pen to the answer, on slower processors too.

    python benchmarks/pad_speed.py

A mouse draws the practice generator's digits on the pad in Chromium (found on the path, or named by
CHROMIUM), as it is and with Chromium's throttling, which makes the page's processor four times
slower. Each frame in which the pad reads the drawing counts: picture, network, bars, words and the
layout of the page, without the screen's own time. It needs `pip install -r
requirements-browser.txt`. The record goes to benchmarks/records/pad_speed.json.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from common.arguments import parser
from common.judging import percent
from common.record import origin, write

from mnist_book.drawing.pad import PAGE, SCRIPTS
from mnist_book.drawing.practice import draw_digit

if TYPE_CHECKING:
    from playwright.sync_api import Page

SLOWER = (1, 4)
GOAL = 20  # milliseconds, on a processor four times slower
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
HTML = """<!doctype html><meta charset="utf-8"><title>Pad</title>
<link rel="stylesheet" href="pad.css"><main><div data-digit-pad></div></main>"""
# The pad works in frames, one for all the points that came since the last.
TIMES = """
globalThis.times = [];
const request = globalThis.requestAnimationFrame;
globalThis.requestAnimationFrame = (callback) => request((now) => {
  const began = performance.now();
  callback(now);
  document.body.offsetHeight; // makes the browser lay the page out
  times.push(performance.now() - began);
});"""


def main() -> None:
    """Draw, measure, print and write the record."""
    program = parser(__doc__)
    program.add_argument("--drawings", type=int, default=30, help="how many are drawn [30]")
    count = program.parse_args().drawings
    from playwright.sync_api import sync_playwright

    milliseconds = {}
    record = origin("playwright") | {"drawings": count}
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path)
        record["chromium"] = browser.version
        for slower in SLOWER:
            page = browser.new_page(reduced_motion="reduce")
            page.add_init_script(TIMES)
            page.goto(site(Path(folder) / str(slower)).as_uri())
            times = frames(page, slower, count)
            shares = {"median": 50, "95 %": 95, "99 %": 99, "most": 100}
            figures = {name: round(float(np.percentile(times, q)), 1) for name, q in shares.items()}
            figures |= {"frames": len(times), f"% within {GOAL}": percent(times <= GOAL)}
            milliseconds[f"{slower} times slower"] = figures
            print(f"{slower} times slower: {figures}")
        browser.close()
    write("pad_speed", record | {"milliseconds a frame": milliseconds})


def site(folder: Path) -> Path:
    """Make a page with a pad and nothing else, and return its file."""
    shutil.copytree(PAGE, folder)
    names = [*SCRIPTS[:-1], "page.js"]
    scripts = "".join(f'<script src="{name}" defer></script>' for name in names)
    (folder / "index.html").write_text(HTML + scripts, "utf-8")
    return folder / "index.html"


def frames(page: "Page", slower: int, count: int) -> np.ndarray:
    """Draw on a page, and return the milliseconds of each frame in which the pad read."""
    canvas = page.locator(".digit-pad-canvas")
    box = canvas.bounding_box()
    corner, side = np.array([box["x"], box["y"]]), box["width"]
    draw(page, draw_digit(3, np.random.default_rng(0)), corner, side)  # the weights come
    page.wait_for_function("document.querySelector('.digit-pad').dataset.state !== 'empty'")
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    rng = np.random.default_rng(1)
    page.evaluate("() => { times.length = 0; }")
    for number in range(count):
        canvas.press("Delete")
        draw(page, draw_digit(number % 10, rng), corner, side)
    return np.array(page.evaluate("times"))


def draw(page: "Page", strokes: list[np.ndarray], corner: np.ndarray, side: float) -> None:
    """Draw strokes with the mouse, from edge to edge but a tenth."""
    points = np.concatenate(strokes)
    low, size = points.min(axis=0), np.ptp(points, axis=0).max()
    for stroke in strokes:
        first, *others = (corner + side * (0.1 + 0.8 * (stroke - low) / size)).tolist()
        page.mouse.move(*first)
        page.mouse.down()
        for point in others:
            page.mouse.move(*point)
        page.mouse.up()


if __name__ == "__main__":
    main()
