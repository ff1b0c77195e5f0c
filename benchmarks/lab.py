"""Measure how fast the laboratory trains in Chromium, and whether its memory grows.

    pip install -r requirements-browser.txt
    MNIST_DIR=... python benchmarks/lab.py --minutes 10

It trains 784-32-10 at batch 32 with and without a bug (with one, a right network is trained beside
it), in a worker and in slices on the page. Steps are counted by the
clock, and by the processor time of the page's process, which a busy machine does not change. Then
one training runs for some minutes, and the memory of the process is looked at.

    MNIST_DIR=... python benchmarks/lab.py --cases

plays the game's cases in place of that: each is trained to its end, once with its bugs and once
with whatever else a reader could name. Are there two of which the case's evidence reads the same?

The records go to benchmarks/records/lab.json and lab-cases.json.
"""

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from common.arguments import parser
from common.record import origin, write
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

import mnist_book.lab
from mnist_book.lab.digits import NAME, digits_at_hand, script

PAGE = Path(mnist_book.lab.__file__).parent / "page"
NAMES = "lab random arithmetic instruments run session switches cases"
SCRIPTS = [f"{name}.js" for name in NAMES.split()]
STEPS = 1500
BUG = "gradients.bias"  # one that costs no time of its own
HTML = '<!doctype html><meta charset="utf-8"><title>Laboratory</title>' + "".join(
    f'<script src="{name}"></script>' for name in SCRIPTS
)
TRAIN = """async ({ bugs, worker, until }) => {
  const digits = await MnistLab.loadDigits();
  let done, accuracy, frames = 0, counting = true;
  const finished = new Promise((resolve) => (done = resolve));
  const session = MnistLab.openSession((message) => {
    if (message.type === "ready") session.post({ type: "start", until });
    if (message.type === "progress") accuracy = message.accuracies.at(-1) ?? accuracy;
    if (message.type === "stopped") done(message);
    if (message.type === "failed") done(message);
  }, { worker });
  const count = () => (frames++, counting && requestAnimationFrame(count));
  session.post({ type: "digits", digits });
  session.post({ type: "watch", instruments: ["curve", "predictions"] });
  session.post({ type: "configure", settings: { hidden: [32], batch: 32, bugs } });
  const start = performance.now();
  requestAnimationFrame(count);
  const { step, message } = await finished;
  const seconds = (performance.now() - start) / 1000, { kind } = session;
  counting = false;
  session.close();
  return { kind, steps: step, seconds, frames, accuracy, message };
}"""
# Trains without an end, all live instruments on; the page can be asked for `steps`.
FOR_EVER = """async (bug) => {
  const digits = await MnistLab.loadDigits();
  const instruments = MnistLab.INSTRUMENTS.filter(({ live }) => live).map(({ id }) => id);
  globalThis.session = MnistLab.openSession((message) => {
    if (message.type === "ready") session.post({ type: "start" });
    if (message.type === "progress") globalThis.steps = message.step;
  });
  session.post({ type: "digits", digits });
  session.post({ type: "watch", instruments });
  session.post({ type: "configure", settings: { hidden: [32], bugs: [bug] } });
}"""

# Each case with each choice of its suspects: what the evidence reads.
PLAY = """async (id) => {
  const digits = await MnistLab.loadDigits();
  const choose = (list, count) => count === 0 ? [[]] : list.flatMap((one, i) =>
    choose(list.slice(i + 1), count - 1).map((others) => [one, ...others]));
  const { settings, suspects, until, evidence } = MnistLab.CASES.find((one) => one.id === id);
  return choose(suspects, settings.bugs.length).map((bugs) => {
    const verdicts = [];
    const run = new MnistLab.Run(({ type, reading, message }) => {
      if (type === "answer") verdicts.push(reading.verdict);
      if (type === "failed") throw new Error(message);
    }, () => {}, 1);
    run.receive({ type: "digits", digits });
    run.receive({ type: "configure", settings: { ...settings, bugs } });
    run.receive({ type: "step", count: until });
    for (const [instrument] of evidence) run.receive({ type: "ask", number: 0, instrument });
    return { bugs, verdicts: verdicts.join("; ") };
  });
}"""


def renderer(browser_session: CDPSession) -> dict[str, Any]:
    """Return {id, cpuTime} of the process of the page, which its workers run in, too."""
    processes = browser_session.send("SystemInfo.getProcessInfo")["processInfo"]
    return max((p for p in processes if p["type"] == "renderer"), key=lambda p: p["cpuTime"])


def megabytes(process: int) -> float:
    """Return the memory of a process that is in use, on Linux."""
    status = Path(f"/proc/{process}/status").read_text("utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def speeds(browser: Browser, url: str) -> dict[str, Any]:
    """Train with and without a bug, in a worker and on the page."""
    found = {}
    for worker in (True, False):
        for bugs in ([], [BUG]):
            page = browser.new_page()
            page.goto(url)
            process = renderer(browser.new_browser_cdp_session())
            run = page.evaluate(TRAIN, {"bugs": bugs, "worker": worker, "until": STEPS})
            spent = renderer(browser.new_browser_cdp_session())["cpuTime"] - process["cpuTime"]
            name = f"{run['kind']}, {'two networks' if bugs else 'one network'}"
            found[name] = {
                "steps a second": round(run["steps"] / run["seconds"]),
                "steps a processor second": round(run["steps"] / spent),
                "frames a second": round(run["frames"] / run["seconds"]),
                "accuracy": run["accuracy"][1],
            }
            print(f"{url.split(':')[0]:5} {name:22} {found[name]}", flush=True)
            page.close()
    return found


def memory(page: Page, session: CDPSession, minutes: float) -> list[list[float]]:
    """Train for some minutes; return [seconds, steps, megabytes] now and then."""
    page.evaluate(FOR_EVER, BUG)
    start, looks = time.monotonic(), []
    while (seconds := time.monotonic() - start) < 60 * minutes:
        page.wait_for_timeout(min(15_000, 6_000 * minutes))
        page.request_gc()
        used = megabytes(renderer(session)["id"])
        looks.append([round(seconds), page.evaluate("globalThis.steps"), round(used, 1)])
        print(looks[-1], flush=True)
    return looks


def play(page: Page) -> dict[str, Any]:
    """Read the evidence of each case, with its own bugs and with all others that are offered."""
    cases, runs, unfair = page.evaluate("MnistLab.CASES"), 0, []
    for case in cases:
        found = page.evaluate(PLAY, case["id"])
        runs += len(found)
        truth = found.pop(0)  # the bugs come first among the suspects
        unfair += [
            [case["id"], *other["bugs"]]
            for other in found
            if other["verdicts"] == truth["verdicts"]
        ]
        print(f"{case['id']:20} {truth['verdicts']}", flush=True)
    return {"cases": len(cases), "runs": runs, "unfair": unfair}


def main() -> None:
    """Measure, print and write the record."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--cases", action="store_true", help="play the cases of the game")
    arguments.add_argument(
        "--minutes", type=float, default=10.0, help="of training, for memory [10]"
    )
    options = arguments.parse_args()
    record = {"origin": origin("playwright"), "processors": os.cpu_count()}
    with tempfile.TemporaryDirectory() as name, sync_playwright() as driver:
        folder, digits = Path(name), digits_at_hand()
        for script_name in SCRIPTS:
            shutil.copy(PAGE / script_name, folder)
        (folder / NAME).write_text(script(digits), "ascii")
        (folder / "index.html").write_text(HTML, "utf-8")
        path = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = driver.chromium.launch(executable_path=path)
        url = (folder / "index.html").as_uri()
        record |= {"digits": digits.source, "chromium": browser.version}
        page = browser.new_page()
        page.goto(url)
        if options.cases:
            record |= play(page)
        else:
            record |= {"steps": STEPS, "speed": speeds(browser, url)}
            session = browser.new_browser_cdp_session()
            record["memory"] = memory(page, session, options.minutes)
        browser.close()
    write("lab-cases" if options.cases else "lab", record)


if __name__ == "__main__":
    main()
