"""The laboratory in real Chromium: a person at its switches, at its instruments and in its game."""

import json
import os
import shutil
from pathlib import Path
from urllib.parse import urlparse

import pytest
from pad_page import serve

import mnist_book.lab
from mnist_book.dataset import load_practice_digits
from mnist_book.lab.digits import NAME, pack

SCRIPTS = Path(mnist_book.lab.__file__).parent / "page"
SCHEMES = pytest.mark.parametrize("site", ["http", "file"], indirect=True)
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
HTML = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A page with a laboratory</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<script src="static/lab-start.js" defer></script>
<style>
  html { background: white; } html[data-theme="dark"] { background: #121212; color: white; }
  @media (prefers-color-scheme: dark) {
    html:not([data-theme]) { background: #121212; color: white; }
  }
</style>
</head><body><main><h1>Break it</h1>%s<p>The end</p></main></body></html>"""
PAGES = {
    "full": '<h2>A network</h2><div data-lab="full"></div>',
    "game": '<h2>A game</h2><div data-lab="game"></div>',
    "small": '<h2>A bug</h2><div data-lab data-preset="chapter-3"></div>',
    "below": '<p style="height: 300vh">Much else</p><h2>A bug</h2><div data-lab></div>',
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the laboratory's files, few digits, and pages that use them."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(SCRIPTS, folder / "static")
    packed = json.dumps(pack(load_practice_digits(), train=1000, test=128))
    (folder / "static" / NAME).write_text(f"globalThis.MNIST_LAB_DIGITS = {packed};", "ascii")
    for name, content in PAGES.items():
        (folder / f"{name}.html").write_text(HTML % content, "utf-8")
    return folder


@pytest.fixture
def site(folder, request):
    with serve(folder, getattr(request, "param", "http")) as address:
        yield address


@pytest.fixture(scope="module")
def chromium():
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="needs Playwright: pip install -r requirements-browser.txt"
    )
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        pytest.skip("no Chromium found: install it, or name it in the variable CHROMIUM")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, site):
    """Open a page; afterwards nothing may have been asked of other hosts, and nothing failed."""
    contexts, asked, trouble = [], [], []

    def open_page(name="full", address="", wait=".lab", **options):
        context = chromium.new_context(**{"viewport": {"width": 1000, "height": 900}, **options})
        contexts.append(context)
        context.on("request", lambda request: asked.append(request.url))
        context.on("weberror", lambda error: trouble.append(str(error.error)))
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.goto(f"{site}/{name}.html{address}")
        if wait:
            page.wait_for_selector(wait)
        return page

    open_page.asked = asked
    yield open_page
    for context in contexts:
        context.close()
    hosts = {urlparse(url).hostname for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts <= {"127.0.0.1", None, ""}
    assert trouble == []


def press(page, name):
    page.get_by_role("button", name=name, exact=True).first.click()


def wait_for_step(page, step):
    page.wait_for_function(
        "(step) => parseInt(document.querySelector('.lab-counter').textContent.replace(',', ''))"
        " >= step",
        arg=step,
    )


def how_it_is(page):
    """What the laboratory says when it is asked."""
    press(page, "How is it going?")
    return page.locator(".lab-status").inner_text()


def choose(page, bug):
    chosen = page.locator(f"input[value='{bug}']")
    chosen.evaluate("(input) => input.closest('details')?.setAttribute('open', '')")
    chosen.check()


# ------------------------------------------------------------------------------- the laboratory


@SCHEMES
def test_a_network_learns_and_a_bug_stops_it(open_page):
    page = open_page()
    press(page, "Run")
    wait_for_step(page, 150)
    right = how_it_is(page)
    assert "right network" not in right  # there is nothing to compare with yet
    choose(page, "init.zeros")
    wait_for_step(page, 150)
    broken = how_it_is(page)
    assert "the loss is 2.3" in broken
    assert "the right network’s is" in broken
    loss = float(right.split("the loss is ")[1].split()[0].rstrip(".;"))
    assert loss < 1.5
    assert page.locator(".lab-lines").inner_text().count("weights") >= 2  # wrong and right line
    says = page.locator("[data-instrument=weights] [data-says]").text_content()
    assert "All units have the same" in says


def test_a_bug_that_needs_a_square_layer_gets_one_and_gives_it_back(open_page):
    page = open_page()
    choose(page, "linear.elementwise")
    page.wait_for_function("document.querySelector('.lab-note').textContent !== ''")
    assert "784-32-32-10" in page.locator(".lab-note").inner_text()
    wait_for_step(page, 20)
    page.locator("input[value='linear.elementwise']").uncheck()
    assert page.locator(".lab-note").text_content() == ""
    assert page.locator("[data-key=hidden]").input_value() == "[32]"


def test_checks_run_on_demand(open_page):
    page = open_page(address="#bugs=gradients.sign&seed=3")
    wait_for_step(page, 1)
    press(page, "Start over")
    for check in ("gradient_check", "one_batch", "other_batch", "rows", "softmax", "bend", "step"):
        card = page.locator(f"[data-instrument={check}]")
        card.get_by_role("button").click()
        page.wait_for_function(
            "(id) => document.querySelector(`[data-instrument=${id}] [data-says]`).textContent",
            arg=check,
        )
        assert card.locator(".lab-body").inner_html()
    assert page.locator("[data-instrument=gradient_check]").get_attribute("data-verdict")
    assert "uphill" in page.locator("[data-instrument=gradient_check] [data-says]").inner_text()


def test_a_link_brings_the_same_network(open_page):
    page = open_page(address="#bugs=softmax.global_sum&seed=7&hidden=16&batch=16&rate=0.03")
    assert page.locator("input[value='softmax.global_sum']").is_checked()
    assert page.locator("[data-key=seed]").input_value() == "7"
    press(page, "Copy a link to this network")
    words = urlparse(page.url).fragment
    assert "bugs=softmax.global_sum&seed=7&hidden=16&batch=16&rate=0.03" in words


def test_an_address_with_nonsense_is_no_trouble(open_page):
    page = open_page(address="#bugs=<b>,constructor&seed=-1&hidden=9999-x&rate=nan")
    wait_for_step(page, 5)
    assert page.locator(".lab-problem").is_hidden()


def test_the_preset_of_a_chapter_has_its_question_and_its_switches(open_page):
    page = open_page("small")
    assert page.locator("input[value='softmax.axis']").is_checked()
    assert not any(url.endswith(NAME) for url in open_page.asked)  # not before somebody uses it
    assert "?" in page.locator(".lab-question").inner_text()
    press(page, "Run")
    wait_for_step(page, 10)
    assert page.locator(".lab-lines").inner_text().count("axis") >= 2


RUN_ALL_PRESETS = """async () => {
  const results = {};
  for (const [id, preset] of Object.entries(MnistLab.PRESETS)) {
    const place = document.body.appendChild(document.createElement("div"));
    const lab = new MnistLab.Lab(place, { preset });
    await lab.ready();
    await lab.start();
    lab.pause();
    await lab.oneStep();
    while (lab.bench.mine.values.length < 1 || lab.bench.right.values.length < 1)
      await new Promise((done) => setTimeout(done, 10));
    const cards = [...lab.panels.keys()], [loss] = lab.bench.mine.values;
    const problem = lab.find(".lab-problem").textContent;
    results[id] = { loss, problem, cards, wanted: preset.instruments, on: lab.switches.bugs,
      bugs: preset.settings.bugs };
    lab.bench.close();
    place.remove();
  }
  return results;
}"""


def test_every_preset_starts_as_it_is_set(open_page):
    results = open_page("small").evaluate(RUN_ALL_PRESETS)
    assert {"front", *(f"chapter-{n}" for n in (2, 3, 4, 5, 6, 7, 9))} <= set(results)
    for name, result in results.items():
        assert result["problem"] == "", name
        assert result["loss"] > 1, name
        assert sorted(result["cards"]) == sorted(result["wanted"]), name
        assert set(result["on"]) == set(result["bugs"]), name


def test_a_laboratory_far_below_loads_nothing(open_page):
    page = open_page("below", wait=None)
    page.wait_for_timeout(300)
    names = {urlparse(url).path.rsplit("/", 1)[-1] for url in open_page.asked}
    assert names <= {"below.html", "lab-start.js", ""}
    page.get_by_role("heading", name="A bug").scroll_into_view_if_needed()
    page.wait_for_selector(".lab")


# --------------------------------------------------------------------------------------- the game


def verdict(page, instrument):
    """Look at an instrument, and return what it says in a word."""
    page.locator(f"[data-look={instrument}]").click()
    card = page.locator(f".lab-seen [data-instrument={instrument}]")
    page.wait_for_function(
        "(id) => document.querySelector(`.lab-seen [data-instrument=${id}]`).dataset.verdict",
        arg=instrument,
    )
    return card.get_attribute("data-verdict")


SOFTMAXES = {  # what a softmax makes of the scores 2, 1, 0, and so which bug it has
    "0.37 0.14 0.05": "softmax.global_sum",
    "0.95 0.73 0.12": "softmax.axis",
    "0.45 0.30 0.25": "softmax.squashed",
}


def detect(page):
    """Find a bug by two instruments, as a reader would who has read chapters 3 and 7."""
    pictures = verdict(page, "pictures")
    if "0 to 255" in pictures:
        return "data.not_scaled"
    if "one digit" in pictures:
        return "train.not_shuffled"
    return SOFTMAXES[verdict(page, "softmax").split(";")[0]]


def open_case(open_page, case):
    page = open_page("game", f"#case={case}", reduced_motion="reduce")
    page.wait_for_selector("[data-look]:enabled")
    return page


@SCHEMES
def test_a_case_is_solved_by_instruments_alone_and_stays_solved(open_page):
    page = open_case(open_page, "everyone-together")
    bug = detect(page)
    assert "2 looks so far" in page.locator(".lab-looks").inner_text()
    page.locator(f".lab-suspects input[value='{bug}']").check()
    press(page, "That is it")
    answer = page.locator(".lab-answer").inner_text()
    assert answer.startswith("Found, with 2 looks; 1 would do.")
    assert "axis=1" in answer
    assert "1 of" in page.locator(".lab-score").text_content()
    guide = page.locator(".lab-answer a").last.get_attribute("href")
    assert guide.endswith("book/field-guide.html#softmax.global_sum")
    page.reload()
    page.wait_for_selector("[data-look]:enabled")
    assert "found ✓ 2 looks" in page.locator(".lab-list").text_content()
    page.locator(".lab-all summary").click()
    press(page, "Forget what I have found")
    press(page, "Forget all of it? Press again")
    assert "0 of" in page.locator(".lab-score").inner_text()


def test_a_wrong_name_is_refuted_and_counts(open_page):
    page = open_case(open_page, "wrong-way-round")
    press(page, "That is it")
    assert "Choose a suspect first" in page.locator(".lab-refuted").inner_text()
    page.locator(".lab-suspects input[value='init.half']").check()
    press(page, "That is it")
    assert "would be several times too large" in page.locator(".lab-refuted").inner_text()
    assert page.locator(".lab-answer").is_hidden()
    page.locator(".lab-suspects input[value='softmax.axis']").check()
    press(page, "That is it")
    assert "1 wrong name" in page.locator(".lab-answer h3").inner_text()


def test_on_a_phone_what_one_asks_for_comes_on_the_screen(open_page):
    phone = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}
    page = open_page(**phone, reduced_motion="reduce")
    page.locator("[data-do=run]").scroll_into_view_if_needed()
    page.locator("[data-do=run]").tap()
    wait_for_step(page, 60)
    assert on_screen(page, ".lab-loss canvas")
    assert "loss" in page.locator(".lab-counter").inner_text()
    page = open_page("game", "#case=clones", **phone, reduced_motion="reduce")
    page.locator("[data-look=dead]:enabled").tap()
    page.wait_for_selector(".lab-seen [data-verdict]")
    assert on_screen(page, ".lab-seen .lab-says")


def on_screen(page, selector):
    return page.locator(selector).evaluate(
        "(part) => part.getBoundingClientRect().top > 0"
        " && part.getBoundingClientRect().bottom <= innerHeight"
    )


def test_after_the_answer_its_evidence_is_shown_and_looking_is_free(open_page):
    page = open_case(open_page, "explosion")
    press(page, "Tell me")
    press(page, "Show me")
    page.wait_for_selector(".lab-seen [data-instrument=pictures][data-verdict]")
    assert page.locator(".lab-looks").inner_text() == ""
    assert "looking is free" in page.locator(".lab-hint").inner_text()


def test_two_bugs_want_two_names(open_page):
    page = open_case(open_page, "two-wrongs")
    page.locator(".lab-suspects input[value='train.ascent']").check()
    press(page, "That is it")
    assert "Choose 2" in page.locator(".lab-refuted").inner_text()
    page.locator(".lab-suspects input[value='gradients.sign']").check()
    press(page, "That is it")
    answer = page.locator(".lab-answer").inner_text()
    assert answer.startswith("Right, but guessed")  # nobody has looked at anything
    press(page, "The next case")
    assert page.locator(".lab-answer").is_hidden()


BAD_STORAGE = ["{", "null", "7", "[]", '{"star": 3, "uphill": {"looks": -1}, "nobody": null}']


def test_what_the_browser_kept_is_checked(open_page):
    good = '{"uphill": {"looks": 2, "wrong": 0, "told": false}, "star": {"looks": "<b>"}}'
    page = open_page("game")
    for content in [*BAD_STORAGE, good]:
        page.evaluate("(kept) => (localStorage['mnist-lab-cases-1'] = kept)", content)
        page.reload()
        page.wait_for_selector("[data-look]")
        count = "1 of" if content == good else "0 of"
        assert count in page.locator(".lab-score").text_content(), content


# -------------------------------------------------------------------------------- for everybody


def test_it_works_by_keyboard(open_page):
    page = open_page()
    page.locator("[data-do=run]").focus()
    page.keyboard.press("Enter")
    wait_for_step(page, 5)
    page.locator("[data-group=data] input").first.focus()
    assert "255" in page.locator(".lab-lines").inner_text()  # the lines, on focus alone
    page.keyboard.press("Space")
    assert page.locator("[data-group=data] input").first.is_checked()


@pytest.mark.parametrize("name", ["full", "game", "small"])
def test_nothing_scrolls_sideways_on_a_small_screen(open_page, name):
    page = open_page(name, viewport={"width": 320, "height": 640})
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, scheme):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="axe is not installed: pip install -r requirements-browser.txt",
    )
    page = open_page("full", "#bugs=init.positive", color_scheme=scheme, reduced_motion="reduce")
    wait_for_step(page, 20)
    press(page, "Pause")
    for check in ("gradient_check", "softmax", "rows"):
        page.locator(f"[data-instrument={check}] button").click()
    assert_axe_finds_nothing(axe, page)
    page = open_page("game", "#case=everyone-together", color_scheme=scheme)
    page.wait_for_selector("[data-look]:enabled")
    verdict(page, "pictures")
    press(page, "Tell me")
    page.locator(".lab-all summary").click()
    assert_axe_finds_nothing(axe, page)


def assert_axe_finds_nothing(axe, page):
    page.wait_for_timeout(200)
    results = axe.Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert "color-contrast" in {rule["id"] for rule in results.response["passes"]}
