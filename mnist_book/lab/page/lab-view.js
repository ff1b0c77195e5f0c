// The laboratory as one sees it: a network in training beside the right one, switches, instruments.
(() => {
  "use strict";
  const {
    element, escaped, markdown, write, figure, percent, plural, link,
    INSTRUMENTS, Switches, Settings, Panel, Curve, lossScale, paintCurves,
    complete, fitted, openSession, loadDigits, pause, switchOf,
  } = MnistLab;

  const TWIN = [6, 4]; // the dashes of the right network
  const STRETCH = 2000; // steps that a press of Run is good for
  const UNHURRIED = 500; // milliseconds between two pictures where somebody asked for less motion
  const SLICE = 4; // milliseconds of painting in one frame; the rest waits for the next ones
  const LIVE = ["example", "row_sums", "predictions", "layers", "first_loss", "dead", "weights"];
  const CHECKS = INSTRUMENTS.filter(({ live }) => !live).map(({ id }) => id);

  const stillMotion = matchMedia("(prefers-reduced-motion: reduce)");

  /** One network and its twin in a worker, and what has come from there. */
  class Bench {
    run = 0; // how often it was configured: messages of an earlier run are dropped
    step = 0;
    running = false;
    asked = new Map(); // readings that were asked for, by number
    #session = null;
    #number = 0;

    /** heard(message) is called with each message of this run. */
    constructor(heard) {
      this.heard = heard;
      this.clear();
    }

    clear() {
      this.step = 0;
      this.mine = new Curve();
      this.right = new Curve();
      this.accuracy = { steps: [], mine: [], right: [] };
    }

    async open() {
      if (this.#session) return;
      const loaded = await loadDigits();
      this.source = loaded.source;
      if (this.#session) return;
      this.#session = openSession((message) => this.#hear(message));
      this.post({ type: "digits", digits: loaded });
    }

    post(message) {
      this.#session?.post(message);
    }

    configure(settings) {
      this.clear();
      if (!this.#session) return;
      this.run += 1;
      this.running = false;
      this.post({ type: "configure", settings });
    }

    start(until) {
      this.running = true;
      this.post({ type: "start", until });
    }

    stop() {
      this.running = false;
      this.post({ type: "stop" });
    }

    /** Promise a reading. */
    ask(instrument) {
      const number = ++this.#number;
      return new Promise((resolve) => {
        this.asked.set(number, resolve);
        this.post({ type: "ask", number, instrument });
      });
    }

    close() {
      this.#session?.close();
      this.#session = null;
    }

    #hear(message) {
      if (message.run !== this.run && message.type !== "failed") return;
      if (message.type === "progress") this.#keep(message);
      if (message.type === "answer") {
        this.asked.get(message.number)?.(message.reading);
        this.asked.delete(message.number);
      }
      if (message.type === "stopped") {
        this.step = message.step;
        this.running = false;
      }
      this.heard(message);
    }

    #keep({ from, step, losses, rightLosses, accuracies, running }) {
      losses.forEach((loss, i) => this.mine.push(from + i, loss));
      rightLosses.forEach((loss, i) => this.right.push(from + i, loss));
      for (const [at, mine, right] of accuracies) {
        this.accuracy.steps.push(at);
        this.accuracy.mine.push(mine);
        this.accuracy.right.push(right);
      }
      this.step = step;
      this.running = running;
    }

    /** The lines of the two charts; `before` is the loss of an earlier run. */
    lines(broken, before = null) {
      const mine = broken ? "your network" : "no bug in it";
      const colour = broken ? "mine" : "twin";
      const twin = (line) => ({ ...line, colour: "twin", dash: TWIN, name: "the right one" });
      const { steps, mine: share, right } = this.accuracy;
      const loss = [{ ...this.mine.smooth(), colour, name: mine }];
      const accuracy = [{ steps, values: share, colour, name: mine }];
      if (broken) {
        loss.unshift(twin(this.right.smooth()));
        accuracy.unshift(twin({ steps, values: right }));
      }
      if (before) loss.unshift({ ...before, colour: "line", dash: [2, 3], name: "before" });
      return { loss, accuracy };
    }
  }

  function paintLoss(canvas, lines) {
    paintCurves(canvas, {
      lines, scale: lossScale(lines),
      marks: [{ at: Math.LN10, text: "ln 10: every digit equally likely", short: "ln 10" }],
    });
  }

  function paintAccuracy(canvas, lines) {
    paintCurves(canvas, {
      lines, scale: { top: 1, bottom: 0, log: false }, format: (share) => `${Math.round(100 * share)} %`,
      marks: [{ at: 0.1, text: "chance" }],
    });
  }

  const charts = (title) => `<div class="lab-charts">
    <figure class="lab-loss"><figcaption id="${title}-loss">Loss</figcaption>
      <canvas role="img" aria-labelledby="${title}-loss"></canvas></figure>
    <figure class="lab-accuracy"><figcaption id="${title}-accuracy">Test
      accuracy</figcaption><canvas role="img" aria-labelledby="${title}-accuracy"></canvas></figure>
    </div>`;

  let mounted = 0;

  const html = (id, preset, full) => `
    ${preset?.question ? `<p class="lab-question"><span>${
      preset.title ? `${escaped(preset.title)}. ` : ""}</span>${markdown(preset.question)}</p>
      <details class="lab-clue"><summary>A hint</summary><p>${markdown(preset.hint)}</p></details>` : ""}
    <div class="lab-bar" role="group" aria-label="Training">
      <button type="button" class="lab-run" data-do="run"><span aria-hidden="true">▶</span> <b>Run</b></button>
      <button type="button" data-do="step">Step</button>
      <button type="button" data-do="reset">Start over</button>
      <p class="lab-counter" aria-hidden="true"></p>
      <button type="button" data-do="report">How is it going?</button>
    </div>
    <p class="lab-status" role="status">Press Run, or switch a bug on.</p>
    <p class="lab-spoken lab-aloud" role="status"></p>
    <p class="lab-problem" role="alert" hidden></p>
    <div class="lab-main">
      ${charts(id)}
      <div class="lab-side">
        <p class="lab-note" role="status"></p>
        <div class="lab-place-switches"></div>
        ${full ? `<details class="lab-more"><summary>Sizes, rate and seed</summary></details>` : ""}
      </div>
      <div class="lab-desk">
        <div class="lab-place-lines"></div>
        <div class="lab-live"></div>
        ${full ? `<h3>Tests that you run</h3><div class="lab-checks"></div>` : ""}
      </div>
    </div>
    <p class="lab-foot"></p>`;

  class Lab {
    frame = 0;
    painted = 0;
    due = new Map(); // what is to be painted, charts and cards, and how
    before = null; // the curve of the run before the last change

    constructor(place, { preset = null, form = "small" } = {}) {
      this.preset = preset;
      this.full = form === "full";
      this.wanted = complete({ ...preset?.settings }); // as set, and as the bugs need it:
      this.settings = fitted(this.wanted);
      this.shown = 0; // the number of the test picture that passes through
      this.pace = 0;
      this.root = element(`<div class="lab lab-${form}"></div>`);
      this.root.innerHTML = html(`lab-${++mounted}`, preset, this.full);
      place.replaceChildren(this.root);
      this.bench = new Bench((message) => this.hear(message));
      this.#controls();
      this.built = this.#panels();
      this.#listen();
      this.#foot();
      this.fromAddress();
    }

    find(selector) {
      return this.root.querySelector(selector);
    }

    // --------------------------------------------------------------------------------------- parts

    #controls() {
      this.switches = new Switches({
        offered: this.preset?.switches ?? null,
        on: this.settings.bugs,
        changed: (bugs) => this.change({ bugs }),
      });
      this.find(".lab-place-switches").append(this.switches.root);
      this.find(this.full ? ".lab-place-lines" : ".lab-place-switches").append(this.switches.lines);
      if (!this.full) return;
      this.options = new Settings({
        values: { ...this.settings, pace: this.pace },
        changed: (values) => ("pace" in values ? this.setPace(values.pace) : this.change(values)),
      });
      this.find(".lab-more").append(this.options.root);
    }

    /** Make the cards, one after the other; the page may answer in between. */
    async #panels() {
      const ids = this.preset?.instruments ?? [...LIVE, ...CHECKS];
      const extra = () => ({ weights: this.readings?.weights });
      this.panels = new Map();
      const seen = new IntersectionObserver((entries) => {
        for (const { target, isIntersecting } of entries)
          this.panels.get(target.dataset.instrument).visible = isIntersecting;
        // The whole laboratory shows what it begins with as soon as that comes into view.
        if (this.full && entries.some(({ isIntersecting }) => isIntersecting)) this.ready();
        this.watch();
      }, { rootMargin: "100px" });
      for (const id of ids) {
        const known = INSTRUMENTS.find((instrument) => instrument.id === id);
        if (!known || id === "curve") continue;
        const ask = known.live ? null : () => this.check(id);
        const panel = new Panel(id, { ask, extra });
        this.panels.set(id, panel);
        if (id === "example") this.#offerPictures(panel);
        this.find(this.full && ask ? ".lab-checks" : ".lab-live").append(panel.root);
        seen.observe(panel.root);
        if (this.full) await pause();
      }
    }

    #offerPictures(panel) {
      const button = element(`<button type="button">Another picture</button>`);
      button.addEventListener("click", async () => {
        await this.ready();
        this.bench.post({ type: "show", index: (this.shown += 1) });
      });
      panel.root.querySelector("header").append(button);
    }

    #listen() {
      const actions = {
        run: () => this.run(),
        step: () => this.oneStep(),
        reset: () => this.startOver(),
        report: () => this.report(),
      };
      for (const button of this.root.querySelectorAll("[data-do]"))
        button.addEventListener("click", () => actions[button.dataset.do]());
      new ResizeObserver(([{ contentRect: { width } }]) => {
        if (width !== this.width) this.redraw(); // a card that grows changes no chart
        this.width = width;
      }).observe(this.root);
      MnistLab.watchColours(() => this.redraw());
      if (this.full) addEventListener("hashchange", () => this.fromAddress());
    }

    #foot() {
      const more = this.full ? "" : link("../book/lab.html", "Open the whole laboratory");
      this.find(".lab-foot").innerHTML = `<span class="lab-source"></span> ${more}`;
      if (!this.full) return;
      const share = element(`<button type="button">Copy a link to this network</button>`);
      share.addEventListener("click", () => this.share(share));
      this.find(".lab-foot").append(share);
    }

    // ------------------------------------------------------------------------------------- training

    /** Open the worker, and give it the network as it is set. */
    async ready() {
      if (this.opened) return this.opened;
      this.opened = (async () => {
        write(this.find(".lab-counter"), "Fetching the digits …");
        await Promise.all([this.bench.open(), this.built]);
        write(this.find(".lab-source"), `Digits: ${this.bench.source}.`);
        this.configure();
      })();
      this.opened.catch((error) => {
        this.opened = null;
        this.problem(error.message);
      });
      return this.opened;
    }

    configure() {
      this.stopping = "";
      this.problem("");
      this.readings = {};
      this.due.clear();
      for (const panel of this.panels.values()) {
        if (panel.instrument.live) panel.reading = null; // its picture stays until the next one
        else panel.clear();
      }
      this.root.dataset.state = !this.bugs.length ? "right" : this.isBroken ? "broken" : "other";
      this.watch(() => true); // all of them at step 0, and then those on the screen
      this.bench.configure(this.settings);
      this.watch();
      this.schedule();
    }

    get bugs() {
      return this.settings.bugs.map(switchOf);
    }

    get isBroken() {
      return this.bugs.some(({ harmless }) => !harmless);
    }

    watch(which = ({ visible }) => visible) {
      const wanted = [...this.panels.values()]
        .filter((panel) => panel.instrument.live && which(panel))
        .map(({ id }) => id);
      if (wanted.includes("example") && !wanted.includes("weights")) wanted.push("weights");
      this.bench.post({ type: "watch", instruments: wanted });
    }

    /** Start, with the curve on the screen, or pause. */
    run() {
      if (this.bench.running) return this.pause();
      this.find(".lab-loss").scrollIntoView({ block: "nearest" });
      return this.start();
    }

    async start() {
      await this.ready();
      if (this.blocked) return;
      write(this.find(".lab-status"), "");
      this.bench.start(this.bench.step + (this.preset?.until ?? STRETCH));
      this.showRunning();
    }

    pause() {
      this.bench.stop();
      this.showRunning();
    }

    async oneStep() {
      await this.ready();
      this.bench.post({ type: "step", count: 1 });
    }

    setPace(stepsPerSecond) {
      this.pace = stepsPerSecond;
      this.bench.post({ type: "pace", stepsPerSecond });
    }

    /** Take other settings, and start anew from step 0: with the same seed, the same first weights. */
    async change(settings) {
      if (this.isBroken && this.bench.mine.values.length > 60) // without a bug it was the twin
        this.before = structuredClone(this.bench.mine.smooth());
      this.wanted = complete({ ...this.wanted, ...settings });
      this.settings = fitted(this.wanted);
      if (`${this.settings.hidden}` !== `${this.preset?.settings.hidden}`)
        delete this.settings.initial; // the reader's own weights fit the sizes they came with
      this.switches.bugs = this.settings.bugs;
      this.options?.set(this.settings);
      this.#explainFit();
      if (!this.opened) await this.ready();
      else this.configure();
      this.start();
    }

    /** Some bugs run only in a square layer, or a square batch: say so where sizes change for it. */
    #explainFit() {
      const { hidden, batch } = this.settings, before = this.wanted;
      const layers = `${hidden}` !== `${before.hidden}`, rows = batch !== before.batch;
      write(this.find(".lab-note"), layers || rows ? `This bug hides where a layer is square${
        rows ? " and the batch as large" : ""}: so the network is 784-${hidden.join("-")}-10 now${
        rows ? `, in batches of ${batch}` : ""}, and its twin, too.` : "");
    }

    async startOver() {
      this.before = null;
      if (!this.opened) return;
      await this.opened;
      this.configure();
    }

    async check(id) {
      await this.ready();
      const panel = this.panels.get(id), { run } = this.bench;
      const reading = await this.bench.ask(id);
      if (run !== this.bench.run) return;
      panel.show(reading);
      this.find(".lab-aloud").textContent = `${panel.instrument.name}: ${reading.says}`;
    }

    // ------------------------------------------------------------------------------------- messages

    hear(message) {
      if (message.type === "ready") {
        this.blocked = message.problem;
        this.problem(message.problem ?? "");
        this.take(message.readings);
      } else if (message.type === "progress") {
        this.take(message.readings);
      } else if (message.type === "stopped") {
        this.stopping = message.why;
        if (message.why === "error") this.problem(message.message);
        this.settle();
        this.report();
      } else if (message.type === "failed") {
        this.problem(message.message);
      }
      this.schedule();
    }

    take(readings = {}) {
      this.readings = { ...this.readings, ...readings };
      for (const id of Object.keys(readings)) {
        const panel = this.panels.get(id);
        if (panel) this.due.set(panel, () => {
          if (panel.visible || panel.reading === null)
            panel.show(this.readings[id], { running: this.bench.running });
        });
      }
    }

    /** Have the charts painted, and what else is due. */
    schedule() {
      const lines = () => this.bench.lines(this.settings.bugs.length > 0, this.before);
      const canvas = (name) => this.find(`.lab-${name} canvas`);
      this.due.set("loss", () => paintLoss(canvas("loss"), lines().loss));
      this.due.set("accuracy", () => paintAccuracy(canvas("accuracy"), lines().accuracy));
      this.#awaitFrame();
    }

    #awaitFrame() {
      if (this.frame) return;
      const wait = stillMotion.matches && this.bench.running
        ? Math.max(0, this.painted + UNHURRIED - performance.now()) : 0;
      const paint = () => {
        this.frame = 0;
        this.paint();
      };
      this.frame = wait ? setTimeout(paint, wait) : requestAnimationFrame(paint);
    }

    /** Paint what is due, the oldest first, for a slice of time. */
    paint() {
      if (!this.root.isConnected) return; // a notebook's cell was run again
      this.showRunning();
      const start = performance.now();
      for (const [part, show] of this.due) {
        this.due.delete(part);
        show();
        if (performance.now() - start > SLICE) break;
      }
      if (this.due.size > 0) this.#awaitFrame();
      else this.painted = start;
    }

    redraw() {
      for (const panel of this.panels.values())
        if (!this.due.has(panel)) this.due.set(panel, () => panel.draw());
      this.schedule();
    }

    /** Let every text catch up with its picture. */
    settle() {
      for (const [id, reading] of Object.entries(this.readings ?? {})) {
        const panel = this.panels.get(id);
        if (panel) this.due.set(panel, () => panel.show(reading));
      }
    }

    showRunning() {
      const { running, step } = this.bench;
      const button = this.find("[data-do=run]");
      write(button.firstChild, running ? "❚❚" : "▶");
      write(button.lastChild, running ? "Pause" : "Run");
      this.root.dataset.running = running;
      if (this.opened && this.bench.run) write(this.find(".lab-counter"), this.#gauge(step));
    }

    /** Where it stands, in short: for who has scrolled away from the curves. */
    #gauge(step) {
      const { mine, accuracy } = this.bench, share = accuracy.mine.at(-1);
      return plural(step, "step") + (step === 0 || share === undefined ? ""
        : `: loss ${figure(mine.smooth().values.at(-1))}, ${percent(share)} right`);
    }

    /** Where it stands, in a sentence or two. */
    sentence() {
      const { step, mine, right, accuracy } = this.bench;
      if (step === 0) return "It has not begun.";
      const loss = mine.smooth().values.at(-1), twin = right.smooth().values.at(-1);
      const broken = this.settings.bugs.length > 0;
      const share = accuracy.mine.at(-1), other = accuracy.right.at(-1);
      const parts = [`After ${plural(step, "step")} the loss is ${figure(loss)}${
        broken ? `; the right network’s is ${figure(twin)}` : ""}.`];
      if (share !== undefined)
        parts.push(`${percent(share)} of the test pictures are read rightly${
          broken ? `; by the right network, ${percent(other)}` : ""}.`);
      if (this.stopping === "nan") parts.push(
        "The loss is no number any more, so it stopped. Start over, and take single steps to see it coming.");
      return parts.join(" ");
    }

    report() {
      this.find(".lab-status").textContent = this.sentence();
    }

    problem(text) {
      const place = this.find(".lab-problem");
      write(place, text);
      place.hidden = text === "";
    }

    // ------------------------------------------------------------------------------- the address

    /** Take the settings that stand in the page's address, if any do. */
    fromAddress() {
      if (!this.full) return;
      const words = new URLSearchParams(location.hash.slice(1));
      if (!words.has("bugs")) return;
      const settings = { bugs: words.get("bugs").split(",").filter((id) => id && switchOf(id)) };
      for (const key of ["seed", "batch", "rate", "momentum"])
        if (words.get(key) > 0) settings[key] = Number(words.get(key));
      const hidden = words.get("hidden")?.split("-").map(Number);
      if (hidden?.length <= 2 && hidden.every((h) => h >= 1 && h <= 64)) settings.hidden = hidden;
      this.change(settings);
    }

    async share(button) {
      const { bugs, seed, hidden, batch, rate, momentum } = this.settings;
      const words = `bugs=${bugs.join(",")}&seed=${seed}&hidden=${hidden.join("-")}&batch=${batch}` +
        `&rate=${rate}&momentum=${momentum}`;
      await MnistLab.copyAddress(words, button);
    }
  }

  Object.assign(MnistLab, { Bench, Lab, paintLoss, paintAccuracy, lossCharts: charts });
})();
