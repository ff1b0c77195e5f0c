// The game "Why isn't it learning?": a network with a hidden bug, instruments of which each look
// counts, and suspects to name. And the entrance of all laboratories of a page.
(() => {
  "use strict";
  const {
    element, escaped, markdown, write, plural, chapterLink, guideLink, complete, linesOf,
    CASES, PRESETS, INSTRUMENTS, Bench, Lab, Panel, paintLoss, paintAccuracy, lossCharts, switchOf,
  } = MnistLab;

  const KEPT = "mnist-lab-cases-1";
  const LEVELS = ["", "easy", "fair", "hard", "nasty"];
  const SECONDS = 2; // that a training takes, so that one sees it happen
  const numbers = (count) => Number.isInteger(count) && count >= 0 && count < 1000;

  const stillMotion = matchMedia("(prefers-reduced-motion: reduce)");

  /** The curves are open anyway, and what one picture goes through is no evidence. */
  const isDoor = ({ id }) => id !== "curve" && id !== "example";

  /** Scroll no farther than it takes to see all of an element. */
  function bringIntoView(part) {
    part.scrollIntoView({ block: "nearest", behavior: stillMotion.matches ? "auto" : "smooth" });
  }

  /** The same list in an order of its own for each word, the same each time. */
  function shuffled(list, word) {
    const sign = (text) => [...text].reduce((sum, letter) =>
      (Math.imul(sum ^ letter.codePointAt(0), 16777619) >>> 0), 2166136261);
    return list.toSorted((a, b) => sign(a + word) - sign(b + word));
  }

  // ------------------------------------------------------------------------------------- progress

  /** What this browser has kept, by case: {looks, wrong, told}. What is damaged is left out. */
  function recall() {
    try {
      const kept = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
      return Object.fromEntries(Object.entries(kept ?? {}).filter(([id, result]) =>
        CASES.some((known) => known.id === id) && numbers(result?.looks) && numbers(result?.wrong) &&
        typeof result.told === "boolean"));
    } catch {
      return {}; // storage is closed to this page, or holds what is no JSON
    }
  }

  function remember(results) {
    try {
      localStorage.setItem(KEPT, JSON.stringify(results));
    } catch {
      // kept until the page closes
    }
  }

  // ----------------------------------------------------------------------------------------- game

  const html = (id) => `
    <div class="lab-case">
      <p class="lab-case-number"></p>
      <h3 class="lab-case-title" tabindex="-1"></h3>
      <p class="lab-story"></p>
    </div>
    <p class="lab-problem" role="alert" hidden></p>
    ${lossCharts(id)}
    <p class="lab-status" role="status"></p>
    <p class="lab-spoken lab-aloud" role="status"></p>
    <div class="lab-main lab-main-game">
      <div class="lab-desk">
        <h3>Look <span class="lab-looks"></span></h3>
        <p class="lab-hint"></p>
        <details class="lab-clue"><summary>What does each of them show?</summary><dl>${INSTRUMENTS
          .filter(isDoor).map(({ name, how }) =>
            `<dt>${escaped(name)}</dt><dd>${markdown(how)}</dd>`).join("")}</dl></details>
        <div class="lab-doors"></div>
        <div class="lab-seen"></div>
      </div>
      <form class="lab-side lab-naming">
        <h3>Name it</h3>
        <fieldset><legend></legend><div class="lab-suspects"></div></fieldset>
        <div class="lab-bar"><button class="lab-run" type="submit">That is it</button>
          <button type="button" data-do="tell">Tell me</button></div>
        <p class="lab-refuted" role="status"></p>
      </form>
    </div>
    <section class="lab-answer" hidden tabindex="-1" aria-label="The answer"></section>
    <div class="lab-bar lab-cases-bar">
      <button type="button" data-do="previous">Previous case</button>
      <button type="button" data-do="next">Next case</button>
      <button type="button" data-do="share">Copy a link to this case</button>
    </div>
    <details class="lab-all"><summary>All cases <span class="lab-score"></span></summary>
      <ol class="lab-list"></ol>
      <button type="button" data-do="forget">Forget what I have found</button>
    </details>`;

  let mounted = 0;

  class Game {
    results = recall();
    frame = 0;

    constructor(place) {
      this.id = `lab-game-${++mounted}`;
      this.root = element(`<div class="lab lab-game"></div>`);
      this.root.innerHTML = html(this.id);
      place.replaceChildren(this.root);
      this.bench = new Bench((message) => this.hear(message));
      this.#listen();
      const wanted = this.fromAddress();
      this.open(wanted ?? CASES.find(({ id }) => !this.results[id]) ?? CASES[0]);
      if (wanted) this.root.scrollIntoView();
    }

    find(selector) {
      return this.root.querySelector(selector);
    }

    #listen() {
      const actions = {
        tell: () => this.tell(),
        previous: () => this.move(-1),
        next: () => this.move(1),
        share: (button) => MnistLab.copyAddress(`case=${this.case.id}`, button),
        forget: () => this.forget(),
      };
      this.root.addEventListener("click", ({ target }) => {
        const button = target.closest("[data-do]");
        if (button) actions[button.dataset.do](button);
        const look = target.closest("[data-look]");
        if (look) this.look(look.dataset.look);
      });
      this.find("form").addEventListener("submit", (event) => {
        event.preventDefault();
        this.name();
      });
      addEventListener("hashchange", () => {
        const wanted = this.fromAddress();
        if (!wanted) return;
        this.open(wanted);
        this.root.scrollIntoView();
      });
      new ResizeObserver(() => this.redraw()).observe(this.root);
      MnistLab.watchColours(() => this.redraw());
    }

    fromAddress() {
      const id = new URLSearchParams(location.hash.slice(1)).get("case");
      return CASES.find((known) => known.id === id);
    }

    // --------------------------------------------------------------------------------------- a case

    async open(opened) {
      this.case = opened;
      this.looks = 0;
      this.wrong = 0;
      this.solved = false;
      this.panels = new Map();
      this.settings = complete(opened.settings);
      this.#write();
      this.problem("");
      this.busy(true);
      try {
        await this.bench.open();
      } catch (error) {
        return this.problem(error.message);
      }
      if (this.case !== opened) return;
      this.bench.post({ type: "pace", stepsPerSecond: stillMotion.matches ? 0 : opened.until / SECONDS });
      this.bench.configure(this.settings);
      this.bench.start(opened.until);
      write(this.find(".lab-status"), "It trains …");
    }

    #write() {
      const { title, level, story, suspects, settings } = this.case, number = CASES.indexOf(this.case);
      write(this.find(".lab-case-number"), `Case ${number + 1} of ${CASES.length}, ${LEVELS[level]}`);
      write(this.find(".lab-case-title"), title);
      this.find(".lab-story").innerHTML = markdown(story);
      const several = settings.bugs.length > 1;
      write(this.find(".lab-naming legend"), several
        ? `There are ${settings.bugs.length} bugs in it. Which ones?` : "Which of these is in it?");
      this.find(".lab-suspects").innerHTML = shuffled(suspects, this.case.id).map((id) => {
        const { name, wrong } = switchOf(id);
        return `<label class="lab-suspect"><input type="${several ? "checkbox" : "radio"}"
          name="${this.id}" value="${id}"><span>${escaped(name)}
          <code>${escaped(wrong.replace(/\s*#\s*wrong\b.*$/gm, ""))}</code></span></label>`;
      }).join("");
      this.find(".lab-doors").replaceChildren(...INSTRUMENTS.filter(isDoor).map(({ id, name }) =>
        element(`<button type="button" data-look="${id}">${escaped(name)}</button>`)));
      this.find(".lab-seen").replaceChildren();
      this.find(".lab-refuted").textContent = "";
      this.find(".lab-answer").hidden = true;
      this.find(".lab-naming .lab-run").disabled = this.find("[data-do=tell]").disabled = false;
      this.find("[data-do=previous]").disabled = number === 0;
      this.find("[data-do=next]").disabled = number === CASES.length - 1;
      this.count();
      this.list();
    }

    busy(training) {
      for (const door of this.find(".lab-doors").children)
        door.disabled = training || this.panels.has(door.dataset.look);
    }

    async look(id) {
      const of = this.case;
      for (const button of this.root.querySelectorAll(`[data-look="${id}"]`)) button.disabled = true;
      const panel = new Panel(id);
      this.panels.set(id, panel);
      if (!this.solved) this.looks += 1;
      this.count();
      panel.root.classList.add("lab-busy");
      this.find(".lab-seen").prepend(panel.root);
      bringIntoView(panel.root); // on a phone it opens below the screen
      const reading = await this.bench.ask(id);
      if (this.case !== of) return;
      panel.root.classList.remove("lab-busy");
      panel.show(reading);
      bringIntoView(panel.root);
      write(this.find(".lab-aloud"), `${panel.instrument.name}: ${reading.says}`);
    }

    count() {
      write(this.find(".lab-looks"), this.looks ? `(${plural(this.looks, "look")} so far)` : "");
      write(this.find(".lab-hint"), this.solved ? "You know what it is: from now on, looking is free."
        : "The curves are free. Each instrument that you look at counts.");
    }

    name() {
      const named = [...this.root.querySelectorAll(".lab-suspects input:checked")]
        .map(({ value }) => value);
      const refuted = this.find(".lab-refuted"), { bugs } = this.settings;
      if (named.length !== bugs.length)
        return write(refuted, named.length === 0 ? "Choose a suspect first."
          : `Choose ${bugs.length}: you have chosen ${named.length}.`);
      const innocent = named.filter((id) => !bugs.includes(id));
      if (innocent.length === 0) return this.solve(false);
      this.wrong += 1;
      const why = innocent.map((id) => MnistLab.refute?.(this.case, id)).find(Boolean);
      refuted.innerHTML = `<strong>Not ${innocent.map((id) => escaped(switchOf(id).name)).join(", nor ")
        }.</strong> ${markdown(why ?? "What you have seen would look different. Look once more.")}`;
      for (const id of innocent)
        this.find(`.lab-suspects input[value="${id}"]`).closest("label").classList.add("lab-innocent");
    }

    tell() {
      this.solve(true);
    }

    solve(told) {
      const { looks, wrong } = this, earlier = this.results[this.case.id];
      this.solved = true;
      const better = !earlier || (earlier.told && !told) ||
        (earlier.told === told && looks + wrong < earlier.looks + earlier.wrong);
      if (better) this.results[this.case.id] = { looks, wrong, told };
      remember(this.results);
      this.#answer(told);
      this.find(".lab-naming .lab-run").disabled = this.find("[data-do=tell]").disabled = true;
      this.find(".lab-refuted").textContent = "";
      this.count();
      this.list();
    }

    #answer(told) {
      const { evidence, lesson } = this.case, place = this.find(".lab-answer");
      const verdict = told ? "Here is what it was." : this.#verdict();
      const nameOf = (id) => INSTRUMENTS.find((instrument) => instrument.id === id)?.name ?? id;
      place.innerHTML = `<h3>${verdict}</h3>
        ${this.settings.bugs.map((id) => {
          const bug = switchOf(id);
          return `<p><strong>${escaped(bug.name)}</strong></p>${linesOf(bug)}
            <p class="lab-where">${[chapterLink(bug), guideLink(bug.code, "its entry in the field guide")]
              .filter(Boolean).join(" · ")}</p>`;
        }).join("")}
        <h4>What gives it away</h4>
        <dl>${evidence.map(([id, text]) =>
          `<dt>${escaped(nameOf(id))}</dt><dd>${markdown(text)}${
            this.panels.has(id) || id === "curve" ? "" : ` <button type="button" data-look="${id}">Show
              me</button>`}</dd>`).join("")}</dl>
        <p>${markdown(lesson)}</p>
        ${CASES.indexOf(this.case) < CASES.length - 1
          ? `<button type="button" class="lab-run" data-do="next">The next case</button>` : ""}`;
      place.hidden = false;
      place.focus({ preventScroll: true });
      place.scrollIntoView({ block: "nearest" });
    }

    /** How well it was found; a right name proves nothing unless the evidence was looked at. */
    #verdict() {
      const { looks, wrong } = this, { evidence, best } = this.case;
      const found = `Found, with ${plural(looks, "look")}`;
      if (wrong) return `${found} and ${plural(wrong, "wrong name")}. ${plural(best, "look")} would do.`;
      if (looks === 0) return `Right, but guessed: ${plural(best, "look")} would have proved it.`;
      if (!evidence.every(([id]) => this.panels.has(id)))
        return `Right, with ${plural(looks, "look")}. What proves it stands below.`;
      return looks === best ? `${found}, and proved.` : `${found}; ${best} would do.`;
    }

    move(by) {
      const next = CASES[CASES.indexOf(this.case) + by];
      if (!next) return;
      this.open(next);
      this.find(".lab-case-title").focus({ preventScroll: true });
      this.find(".lab-case").scrollIntoView({ block: "nearest" });
    }

    list() {
      const results = Object.values(this.results).filter(({ told }) => !told);
      write(this.find(".lab-score"), `(${results.length} of ${CASES.length} found${
        results.length ? `, with ${plural(results.reduce((sum, { looks }) => sum + looks, 0), "look")}` : ""})`);
      this.find(".lab-list").replaceChildren(...CASES.map((one) => {
        const result = this.results[one.id];
        const state = !result ? "" : result.told ? "told" : `found ✓ ${plural(result.looks, "look")}`;
        const item = element(`<li><button type="button" ${one === this.case ? 'aria-current="true"' : ""}>
          <span>${escaped(one.title)}</span>
          <small>${LEVELS[one.level]}${state && `, ${state}`}</small></button></li>`);
        item.firstElementChild.addEventListener("click", () => {
          this.open(one);
          this.find(".lab-case").scrollIntoView({ block: "nearest" });
        });
        return item;
      }));
    }

    /** Forget all results, at the second press within five seconds. */
    forget() {
      const button = this.find("[data-do=forget]"), before = "Forget what I have found";
      const again = button.textContent !== before;
      button.textContent = again ? before : "Forget all of it? Press again";
      clearTimeout(this.sure);
      if (!again) {
        this.sure = setTimeout(() => (button.textContent = before), 5000);
        return;
      }
      this.results = {};
      remember(this.results);
      this.list();
    }

    // ------------------------------------------------------------------------------------- messages

    hear(message) {
      if (message.type === "stopped") {
        this.busy(false);
        write(this.find(".lab-status"), message.why === "nan"
          ? `At step ${message.step} the loss is no number any more. Now look.`
          : `${plural(message.step, "step")} of training are done. Now look.`);
      }
      if (message.type === "failed") this.problem(message.message);
      this.frame ||= requestAnimationFrame(() => {
        this.frame = 0;
        this.paint();
      });
    }

    paint() {
      const lines = this.bench.lines(true);
      paintLoss(this.find(".lab-loss canvas"), lines.loss);
      paintAccuracy(this.find(".lab-accuracy canvas"), lines.accuracy);
    }

    redraw() {
      for (const panel of this.panels?.values() ?? []) panel.draw();
      this.paint();
    }

    problem(text) {
      const place = this.find(".lab-problem");
      write(place, text);
      place.hidden = text === "";
    }
  }

  /** Put a laboratory into an element: data-lab is "full", "game" or empty, data-preset a name. */
  function mount(place) {
    const form = place.dataset.lab || "small";
    if (form === "game") return new Game(place);
    return new Lab(place, { form, preset: PRESETS[place.dataset.preset] ?? null });
  }

  Object.assign(MnistLab, { Game, mount });
})();
