"""Measure what the book's pages cost a reader, and what stands in a reader's way.

    make book
    python benchmarks/pages.py
    python benchmarks/pages.py --lighthouse 3 --only book/index book/03-softmax

The pages in _build/html are served compressed, as hosts do it, and opened in Chromium (found on the
path, or named by CHROMIUM) as on a phone in the dark and on a desktop by day. For each it counts
the bytes and requests until it is still, and those for all of it when one scrolls to its end; which
other hosts it asks; what it says on the console; and what axe-core finds fault with. With
--lighthouse, Lighthouse gives its scores, the median of several runs; they depend on how much else
the machine does, so the record has its load, too. Lighthouse comes from `npm install --global
lighthouse`, the rest from `pip install -r requirements-browser.txt`. The record goes to
benchmarks/records/pages.json; with --only, the pages named are measured anew in it.
"""

import contextlib
import gzip
import http.server
import json
import mimetypes
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import urlparse

from common.arguments import parser
from common.record import RECORDS, origin, read, write

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BOOK = Path(__file__).parents[1] / "_build" / "html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
SCREENS = {"phone": (412, 823, "dark"), "desktop": (1350, 940, "light")}
PACKED = ("text/", "application/javascript", "application/json", "image/svg", "text/javascript")
SCORES = ("performance", "accessibility", "best-practices", "seo")
TIMES = {
    "first-contentful-paint": "first paint, ms",
    "largest-contentful-paint": "largest paint, ms",
    "total-blocking-time": "blocking time, ms",
    "speed-index": "speed index, ms",
    "cumulative-layout-shift": "layout shift",
}
WAIT = 30_000  # milliseconds
# Scrolls a screen at a time, so that all that waits until it is near comes.
TO_THE_END = """async () => {
  for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight) {
    scrollTo(0, y);
    await new Promise((resume) => requestAnimationFrame(() => setTimeout(resume, 30)));
  }
}"""
# axe-core sees only what is laid out.
LAY_OUT = "section, section * { content-visibility: visible !important; }"


def main() -> None:
    """Open, count, print and write the record."""
    program = parser(__doc__)
    program.add_argument("--only", nargs="*", help="pages such as book/index [all]")
    program.add_argument("--lighthouse", type=int, default=0, help="how many runs for each [0]")
    arguments = program.parse_args()
    from playwright.sync_api import sync_playwright

    names = arguments.only or page_names()
    record = origin("playwright", "axe-playwright-python")
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)))
    known = read("pages")["pages"] if arguments.only and (RECORDS / "pages.json").exists() else {}
    pages = {}
    with serve(BOOK) as address, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path)
        record["chromium"] = browser.version
        for name in names:
            pages[name] = measure(browser, f"{address}/{name}.html")
            if arguments.lighthouse:
                url = f"{address}/{name}.html"
                pages[name]["lighthouse"] = scores(url, path, arguments.lighthouse)
            elif "lighthouse" in known.get(name, {}):
                pages[name]["lighthouse"] = known[name]["lighthouse"]
            print(name, pages[name], flush=True)
            write("pages", record | {"pages": dict(sorted((known | pages).items()))})
        browser.close()


def page_names() -> list[str]:
    """Name the pages of the built book, those for search and for wrong addresses among them.

    Raises
    ------
    SystemExit : there is no book
    """
    names = [path.relative_to(BOOK).with_suffix("").as_posix() for path in BOOK.glob("book/*.html")]
    if not names:
        raise SystemExit(f"{BOOK}: found no pages, expected the book; run make book first")
    return sorted([*names, "404", "genindex", "search"])


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder compressed for as long as it is needed; yields the address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = folder / urlparse(self.path).path.lstrip("/")
            there = path.is_file()
            data = path.read_bytes() if there else b""
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            self.send_response(200 if there else 404)
            self.send_header("Content-Type", f"{kind}; charset=utf-8" if "text" in kind else kind)
            if kind.startswith(PACKED):
                data = gzip.compress(data, 6)
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Cache-Control", "max-age=31536000")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def measure(browser: "Browser", url: str) -> dict:
    """Measure one page on both screens, of which one is light and one is dark."""
    figures: dict = {"console": [], "other hosts": [], "axe": {}}
    for screen, (width, height, scheme) in SCREENS.items():
        phone = screen == "phone"
        context = browser.new_context(
            viewport={"width": width, "height": height},
            is_mobile=phone,
            has_touch=phone,
            color_scheme=scheme,
        )
        page = context.new_page()
        figures[screen] = traffic(page, url, figures)
        faults = faults_in(page)
        if faults:
            figures["axe"][f"{screen}, {scheme}"] = faults
        context.close()
    return figures


def traffic(page: "Page", url: str, figures: dict) -> dict[str, int]:
    """Open a page, scroll to its end, and count what came; note other hosts and complaints."""
    sizes: list[int] = []
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.on("request", lambda request: note(figures["other hosts"], other_host(request.url)))
    page.on(
        "console", lambda said: note(figures["console"], said.text if said.type == "error" else "")
    )
    page.on("pageerror", lambda error: note(figures["console"], str(error)))
    page.goto(url)
    page.wait_for_load_state("networkidle", timeout=WAIT)
    counted = {"bytes": int(sum(sizes)), "requests": len(sizes)}
    page.evaluate(TO_THE_END)
    page.wait_for_load_state("networkidle", timeout=WAIT)
    return counted | {"bytes to the end": int(sum(sizes)), "requests to the end": len(sizes)}


def note(notes: list[str], text: str) -> None:
    """Add a text to notes, once."""
    if text and text not in notes:
        notes.append(text)


def other_host(url: str) -> str:
    """Name the host that a page asks, if it isn't its own."""
    host = "" if url.startswith(("data:", "blob:")) else urlparse(url).hostname or ""
    return "" if host == "127.0.0.1" else host


def faults_in(page: "Page") -> dict[str, list[str]]:
    """List what axe-core finds: for each of its rules, the elements (the first five)."""
    from axe_playwright_python.sync_playwright import Axe

    page.add_style_tag(content=LAY_OUT)
    page.evaluate("scrollTo(0, 0)")
    found = Axe().run(page).response["violations"]
    return {
        fault["id"]: [" ".join(map(str, node["target"])) for node in fault["nodes"][:5]]
        for fault in found
    }


def scores(url: str, chromium: str, runs: int) -> dict[str, dict[str, float]]:
    """Let Lighthouse look at a page on both screens; scores from 0 to 100, medians of the runs.

    Raises
    ------
    SystemExit : Lighthouse isn't there
    CalledProcessError : it failed
    """
    if not shutil.which("lighthouse"):
        raise SystemExit("lighthouse: found none on the path; npm install --global lighthouse")
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "report.json"
        command = [shutil.which("lighthouse"), url, "--quiet", "--output=json"]
        command += [f"--output-path={output}", "--chrome-flags=--headless=new --no-sandbox"]
        for screen, options in {"phone": [], "desktop": ["--preset=desktop"]}.items():
            reports, loads = [], []
            for _ in range(runs):
                loads.append(os.getloadavg()[0])
                environment = os.environ | {"CHROME_PATH": chromium}
                subprocess.run([*command, *options], env=environment, check=True)
                reports.append(json.loads(output.read_text("utf-8")))
            found[screen] = {
                name: round(median(100 * report["categories"][name]["score"] for report in reports))
                for name in SCORES
            }
            for audit, name in TIMES.items():
                values = [report["audits"][audit]["numericValue"] for report in reports]
                found[screen][name] = round(median(values), 3 if "shift" in audit else 0)
            found[screen] |= {"runs": runs, "load of the machine": round(median(loads), 1)}
    return found


if __name__ == "__main__":
    main()
