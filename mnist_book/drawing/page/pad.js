// The pad: what one draws on, the answer beside it, and the buttons.
(() => {
  "use strict";
  const {
    IMAGE, EMPTY, strokesToImage, Drawing, followPointers, followKeys, keepKeys,
    HAND, recall, remember,
    keptDrawings, keepDrawing, takeBackDrawing, forgetDrawings, exportStrokes, exportPictures,
    paintDrawing, paintPixels, paintSteps, watchTheme,
  } = DigitPad;

  const FULL = "The pad is full. Take a stroke back, or clear it.";
  const DIGITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const pads = new Set();
  let mounted = 0;

  // Orca hands keys on to an application within another one, and only if there is something in it.
  const html = (id) => `
    <div class="digit-pad-main">
      <div class="digit-pad-drawing">
        <div role="application" aria-label="Draw a digit" class="digit-pad-paper">
          <canvas class="digit-pad-canvas" id="${id}" tabindex="0" role="application"
            aria-roledescription="drawing pad" aria-label="Draw a digit"
            aria-describedby="${id}-help"><span role="img" aria-label="The drawing"></span></canvas>
        </div>
        <div class="digit-pad-buttons digit-pad-strokes">
          <button type="button" data-do="undo">Undo</button>
          <button type="button" data-do="clear">Clear</button>
        </div>
        <details class="digit-pad-collect">
          <summary>Right or wrong? Keep it</summary>
          <div class="digit-pad-labels" role="group" aria-label="It was a">${
            DIGITS.map((digit) => `<button type="button" data-label="${digit}">${digit}</button>`
            ).join("")}
          </div>
          <p class="digit-pad-kept" role="status"></p>
          <p>Say what it was, and this browser keeps the drawing. It sends it nowhere; export the
            drawings to train a network on them.</p>
          <div class="digit-pad-buttons">
            <button type="button" data-do="takeBack">Take back the last</button>
            <button type="button" data-do="exportStrokes">Export strokes (JSON)</button>
            <button type="button" data-do="exportPictures">Export pictures (IDX)</button>
            <button type="button" data-do="forget">Delete all</button>
          </div>
        </details>
      </div>
      <div class="digit-pad-reading">
        <p class="digit-pad-problem" role="alert" hidden></p>
        <div class="digit-pad-answer">
          <p class="digit-pad-digit"></p>
          <p class="digit-pad-words"></p>
        </div>
        <figure class="digit-pad-picture">
          <canvas class="digit-pad-seen digit-pad-pixels" role="img"></canvas>
          <figcaption>what it sees</figcaption>
        </figure>
        <ol class="digit-pad-bars" role="list" aria-label="Probability of each digit">${
          DIGITS.map((digit) => `
            <li><span>${digit}</span><span class="digit-pad-bar"><i></i></span><span></span></li>`
          ).join("")}
        </ol>
        <p class="digit-pad-source"></p>
      </div>
    </div>
    <p class="digit-pad-help" id="${id}-help">Draw with a finger, a pen or a mouse; a quick swipe
      upwards scrolls on. Or by keyboard: arrow keys move the pen (two at once, or Home, Page Up, End
      and Page Down: diagonally; with Shift: farther), the space bar puts it down and lifts it,
      Backspace takes back a stroke, Delete clears.</p>
    <details class="digit-pad-steps">
      <summary>What the network sees, step by step</summary>
      <div class="digit-pad-figures"></div>
    </details>
    <label class="digit-pad-hand"><input type="checkbox" role="switch"> Left-handed</label>
    <p class="digit-pad-spoken" aria-live="polite"></p>`;

  class Pad {
    number = 0; // of the strokes: each change counts
    asked = 0; // the number of those that `ask` has got
    shown = 0; // the number of those to which there is an answer
    announcement = null; // what to say before the next answer; null: say nothing
    frame = 0; // the update that is to come
    sure = 0; // the timer that runs after the first press of "Delete all"

    /**
     * Put a pad into an element.
     *
     * ask(strokes, number) is called at most once a frame, when the strokes have changed; it
     * answers, now or later, by show({kind, digit, probabilities, reason} or {error}, number).
     * source says who answers, image how the strokes become a picture.
     */
    constructor(element, { ask = () => {}, source = "", image = IMAGE } = {}) {
      this.ask = ask;
      this.image = image;
      this.root = document.createElement("div");
      this.root.className = "digit-pad";
      this.root.innerHTML = html(`digit-pad-${++mounted}`);
      element.replaceChildren(this.root);
      this.canvas = this.find(".digit-pad-canvas");
      this.drawing = new Drawing({
        changed: (words) => this.changed(words),
        full: () => this.problem(FULL),
      });
      this.find(".digit-pad-source").textContent = source;
      this.listen();
      pads.add(this);
      this.showKept();
      this.show(EMPTY);
      this.schedule();
    }

    listen() {
      const update = () => this.schedule();
      followPointers(this.canvas, this.drawing);
      followKeys(this.root, this.canvas, this.drawing, update);
      this.find(".digit-pad-steps").addEventListener("toggle", update);
      const resized = new ResizeObserver(update);
      resized.observe(this.canvas);
      this.watching = [() => resized.disconnect(), watchTheme(update), keepKeys(this.root)];
      const actions = {
        undo: () => this.drawing.undo(),
        clear: () => this.drawing.clear(),
        takeBack: () => this.takeBack(),
        exportStrokes,
        exportPictures: () => exportPictures(this.image),
        forget: () => this.forget(),
      };
      for (const button of this.root.querySelectorAll("[data-do]"))
        button.addEventListener("click", actions[button.dataset.do]);
      for (const button of this.root.querySelectorAll("[data-label]"))
        button.addEventListener("click", () => this.keep(Number(button.dataset.label)));
      const leftHanded = this.find(".digit-pad-hand input");
      leftHanded.checked = recall(HAND) === "left";
      const follow = () => (this.root.dataset.hand = leftHanded.checked ? "left" : "right");
      leftHanded.addEventListener("change", () => remember(HAND, follow()));
      follow();
    }

    find(selector) {
      return this.root.querySelector(selector);
    }

    get strokes() {
      return structuredClone(this.drawing.strokes);
    }

    unmount() {
      for (const stop of this.watching) stop();
      cancelAnimationFrame(this.frame);
      clearTimeout(this.sure);
      pads.delete(this);
      this.root.remove();
    }

    // ------------------------------------------------------------------- from strokes to an answer

    changed(words = null) {
      this.number += 1;
      this.announcement = words ?? this.announcement;
      this.schedule();
    }

    schedule() {
      this.frame ||= requestAnimationFrame(() => this.update());
    }

    update() {
      this.frame = 0;
      this.paint();
      if (this.asked === this.number) return;
      this.asked = this.number;
      if (this.drawing.strokes.length === 0) this.show(EMPTY);
      try {
        this.ask(this.drawing.strokes, this.number);
      } catch (error) {
        this.problem(error.message);
      }
    }

    paint() {
      const { strokes } = this.drawing, seen = this.find(".digit-pad-seen");
      paintDrawing(this.canvas, this.drawing);
      paintPixels(seen, strokesToImage(strokes, this.image));
      const what = strokes.length > 0 ? "your drawing" : "nothing yet";
      seen.setAttribute("aria-label", `What the network sees: ${what}, in 28 by 28 grey pixels`);
      if (this.find(".digit-pad-steps").open)
        paintSteps(this.find(".digit-pad-figures"), strokes, this.image);
    }

    /** Show strokes from elsewhere. `fit`: scale them to the pad; `read`: somebody reads them. */
    draw(strokes, { fit = false, read = false } = {}) {
      this.drawing.replace(strokes, fit);
      if (read) this.asked = this.number;
      return this.number;
    }

    /** Ask once more: who answers, or how it draws, has changed. */
    again(image = this.image) {
      this.image = image;
      this.changed();
    }

    /** Show an answer to the strokes of a number; one that comes too late is dropped. */
    show(answer, of = this.number) {
      if (of < this.shown) return;
      this.shown = of;
      const { kind, probabilities = EMPTY.probabilities, reason = "", error = "" } = answer;
      const best = answer.digit ?? probabilities.indexOf(Math.max(...probabilities));
      const { state, loud, quiet } = error
        ? { state: "error", loud: "", quiet: "No answer." }
        : reason === "empty" ? NOTHING : inWords(kind, best, probabilities);
      this.root.dataset.state = state;
      write(this.find(".digit-pad-digit"), loud);
      write(this.find(".digit-pad-words"), quiet);
      if (state === "sure" || state === "unsure") this.showBars(best, probabilities);
      else this.showBars(null, EMPTY.probabilities);
      this.problem(error || (this.drawing.isFull ? FULL : ""));
      if (this.announcement === null || of !== this.number) return;
      const words = [loud, quiet, error].filter(Boolean).join(". ");
      this.find(".digit-pad-spoken").textContent = `${this.announcement}${words}`;
      this.announcement = null;
    }

    showBars(digit, probabilities) {
      const answered = probabilities.some((p) => p > 0);
      this.root.querySelectorAll(".digit-pad-bars li").forEach((item, i) => {
        item.querySelector("i").style.scale = `${probabilities[i]} 1`;
        write(item.lastChild, answered ? percent(probabilities[i]) : "–");
        item.classList.toggle("digit-pad-best", i === digit);
      });
    }

    problem(text) {
      const place = this.find(".digit-pad-problem");
      write(place, text);
      place.hidden = text === "";
    }

    // ------------------------------------------------------------------------- collecting drawings

    keep(label) {
      const { strokes } = this.drawing;
      if (strokes.length === 0) return this.showKept("Draw something first.");
      const lasting = keepDrawing(label, strokes);
      if (lasting === null)
        return this.showKept("No room for more: export these and delete them.");
      this.drawing.clear();
      const how = lasting ? `as ${withArticle(label)}` : "until you close this page: export it before";
      this.showKeptOnAll(`Kept ${how}.`);
    }

    /** Forget the drawing that was kept last; on an empty pad it comes back, for another label. */
    takeBack() {
      const { label, strokes } = takeBackDrawing();
      if (this.drawing.strokes.length === 0) this.drawing.replace(strokes);
      this.showKeptOnAll(`Taken back: it is not kept as ${withArticle(label)} any more.`);
    }

    /** Delete all drawings, at the second press within five seconds. */
    forget() {
      if (this.sure === 0) {
        this.sure = setTimeout(() => ((this.sure = 0), this.showKept()), 5000);
        return this.showKept();
      }
      clearTimeout(this.sure);
      this.sure = 0;
      forgetDrawings();
      this.showKeptOnAll();
    }

    showKeptOnAll(message) {
      for (const pad of pads) pad.showKept();
      this.showKept(message);
    }

    showKept(message = "") {
      const count = keptDrawings().length;
      const digits = String(count).replace(/\B(?=(\d{3})+$)/g, ","); // Intl takes longer than all else
      const drawings = `${digits} ${count === 1 ? "drawing" : "drawings"}`;
      const kept = `${message} ${drawings} kept in this browser.`.trim();
      this.find(".digit-pad-kept").textContent = kept;
      const forgetting = this.find('[data-do="forget"]');
      forgetting.textContent = this.sure ? `Delete ${drawings}? Press again` : "Delete all";
      for (const name of ["takeBack", "exportStrokes", "exportPictures", "forget"])
        this.find(`[data-do="${name}"]`).disabled = count === 0;
    }
  }

  const NOTHING = { state: "empty", loud: "", quiet: "Draw a digit, 0 to 9, and see it read." };
  const REFUSED = { state: "none", loud: "Not a digit", quiet: "Draw one digit, 0 to 9." };

  /** Put an answer into words: loud ones, and quiet ones beside them. */
  function inWords(kind, best, probabilities) {
    if (kind === "none") return REFUSED;
    const second = DIGITS.filter((digit) => digit !== best)
      .reduce((one, other) => (probabilities[other] > probabilities[one] ? other : one));
    const guess = `Second guess: ${second} (${percent(probabilities[second])})`;
    const quiet = `${percent(probabilities[best])}. ${guess}`;
    return kind === "sure"
      ? { state: kind, loud: String(best), quiet }
      : { state: kind, loud: `Perhaps ${withArticle(best)}`, quiet: `Not sure: ${quiet}` };
  }

  const withArticle = (digit) => `${digit === 8 ? "an" : "a"} ${digit}`;

  function percent(probability) {
    if (probability > 0 && probability < 0.005) return "<\u00a01\u00a0%";
    if (probability < 1 && probability > 0.995) return ">\u00a099\u00a0%";
    return `${Math.round(100 * probability)}\u00a0%`;
  }

  /** Put text into an element where it differs: a screen reader hears of every change. */
  function write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  DigitPad.mount = (element, options) => new Pad(element, options);
})();
