"""Draw the README's pictures: the pad of the built book with a 3 on it, and the report of a check.

    make book && python tools/screenshots.py

Needs a Chromium, as the tests of the pad do (requirements-browser.txt). Run it when one of the two
has come to look different.
"""

import os
import shutil
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from mnist_book import checks

ROOT = Path(__file__).parents[1]
LANDING = ROOT / "_build" / "html" / "index.html"
PICTURES = ROOT / "book" / "_static"
REPORT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A report</title>
<style>body { margin: 0; font: 16px/1.5 sans-serif; } main { padding: 16px; width: 760px; }</style>
<main>%s</main></html>"""


def three() -> np.ndarray:
    """Return the path of a 3, two bows, in shares of the canvas: (points, 2), x to the right."""
    upper, lower = np.radians([np.arange(-150, 91, 10), np.arange(-90, 151, 10)])
    bows = [
        centre + radius * np.column_stack([np.cos(angles), np.sin(angles)])
        for centre, radius, angles in (([0.48, 0.32], 0.14, upper), ([0.48, 0.635], 0.175, lower))
    ]
    return np.concatenate(bows)


def main() -> None:
    """Write both pictures."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path)
        page = browser.new_page(viewport={"width": 900, "height": 900}, reduced_motion="reduce")
        page.goto(LANDING.as_uri())
        pad = page.locator(".digit-pad[data-state]")
        pad.wait_for()
        canvas = page.locator(".digit-pad-canvas").bounding_box()
        assert canvas
        points = [canvas["x"], canvas["y"]] + three() * canvas["width"]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points:
            page.mouse.move(*point)
        page.mouse.up()
        page.locator('.digit-pad[data-state="sure"]').wait_for()
        box, below = pad.bounding_box(), pad.locator("details").first.bounding_box()
        assert box and below
        clip = {**box, "height": below["y"] - box["y"]}
        page.screenshot(path=PICTURES / "pad.png", clip=clip)
        page.set_content(
            REPORT % checks.softmax(lambda z: np.exp(z) / np.exp(z).sum())._repr_html_()
        )
        page.locator("main").screenshot(path=PICTURES / "diagnosis.png")
        browser.close()


if __name__ == "__main__":
    main()
