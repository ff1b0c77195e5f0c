// The instruments as one sees them: a card each, with what it shows, what that says, and how to read
// it. The numbers come from MnistLab.INSTRUMENTS and the readings.
(() => {
  "use strict";
  const {
    element, write, escaped, markdown, figure, percent, chapterLink, INSTRUMENTS,
    paintBars, paintColumns, paintUnits, paintFunctions, paintCurves, lossScale, paintWeights, paintDigits,
    paintNetwork,
  } = MnistLab;

  const TWIN = [6, 4]; // the dashes of the right network
  const SHOWN = ["layers"]; // what these say stands beside their bars already
  const UNHURRIED = 300; // milliseconds between two changes of a text
  let cards = 0;

  // ----------------------------------------------------------------------------- parts of a card

  /** The canvases of a card's body, made at the first time, each of a height and with a caption. */
  function canvases(body, wanted) {
    if (body.querySelectorAll("canvas").length !== wanted.length)
      body.replaceChildren(...wanted.map(({ caption }) => element(`<figure>
        ${caption ? `<figcaption>${escaped(caption)}</figcaption>` : ""}
        <canvas role="img"></canvas></figure>`)));
    const found = [...body.querySelectorAll("canvas")];
    found.forEach((canvas, i) => {
      canvas.style.height = `${wanted[i].height}px`;
      const label = wanted[i].label ?? wanted[i].caption;
      if (canvas.getAttribute("aria-label") !== label) canvas.setAttribute("aria-label", label);
    });
    return found;
  }

  /** A table of texts, the first row and the first column its heads. */
  function table(caption, head, rows) {
    const cells = ([first, ...others]) =>
      `<th scope="row">${first}</th>${others.map((text) => `<td>${text}</td>`).join("")}`;
    return `<table><caption>${caption}</caption>
      <thead><tr>${head.map((text) => `<th scope="col">${text}</th>`).join("")}</tr></thead>
      <tbody>${rows.map((row) => `<tr>${cells(row)}</tr>`).join("")}</tbody></table>`;
  }

  const hundredths = (values) => values.map((value) =>
    (Number.isFinite(value) ? value.toFixed(2) : figure(value))).join("&ensp;");

  const replace = (body, html) => (body.innerHTML = html);

  /** Where a number stands between two powers of ten, from 0 to 1. */
  const byPowers = (lowest, highest) => (value) =>
    Math.min(1, Math.max(0, (Math.log10(Math.abs(value) || 1e-300) - lowest) / (highest - lowest)));

  // ------------------------------------------------------------------------------- what each shows

  const DRAW = {
    first_loss: (body, { loss }) => replace(body, `
      <p class="lab-big">${figure(loss)}</p>`),

    row_sums(body, { sums, highest }) {
      const top = Math.max(1.6, Number.isFinite(highest) ? 1.1 * highest : 0);
      const [canvas] = canvases(body, [{ height: 110, label: "The sum of each row" }]);
      paintColumns(canvas, { values: [...sums], target: 1, top });
    },

    layers(body, { layers }) {
      const rows = (mine, twin, share) => ({
        share,
        rows: layers.map((layer) => ({
          name: layer.name, mine: mine(layer), twin: twin(layer), text: figure(mine(layer)),
        })),
      });
      const height = 22 * layers.length;
      const [activations, gradients, steps] = canvases(body, [
        { height, caption: "spread of the activations" },
        { height, caption: "spread of the gradients on the way back" },
        { height, caption: "length of a step, as a share of the weights’" },
      ]);
      paintBars(activations, rows(
        (layer) => layer.activation.std, (layer) => layer.right?.activation.std, byPowers(-4, 4)));
      paintBars(gradients, rows(
        (layer) => layer.gradient, (layer) => layer.right?.gradient, byPowers(-8, 1)));
      paintBars(steps, rows(
        (layer) => layer.step, (layer) => layer.right?.step, byPowers(-7, 2)));
    },

    dead(body, { layers }) {
      const found = canvases(body, layers.map(({ units }, i) => ({
        height: units > 32 ? 36 : 22, caption: layers.length > 1 ? `hidden ${i + 1}` : "",
        label: `Units of hidden layer ${i + 1}`,
      })));
      layers.forEach(({ units, dead, always }, i) => {
        const states = Array.from({ length: units }, (_, unit) =>
          dead.includes(unit) ? "dead" : always.includes(unit) ? "always" : "alive");
        paintUnits(found[i], states);
      });
    },

    weights(body, reading) {
      const rows = Math.ceil(reading.units / (body.clientWidth > 420 ? 16 : 8));
      const columns = Math.min(reading.units, body.clientWidth > 420 ? 16 : 8);
      const height = Math.min(320, (rows * body.clientWidth) / columns) || 120;
      const [canvas] = canvases(body, [{ height, label: "The weights of each unit as a picture" }]);
      paintWeights(canvas, reading);
    },

    predictions(body, { counts, truth }) {
      const all = [...counts, ...truth], top = 1.1 * Math.max(...all, 1);
      const [canvas] = canvases(body, [{ height: 120, label: "How often it names each digit" }]);
      paintColumns(canvas, {
        values: [...counts], twin: [...truth], top, labels: [...Array(10).keys()].map(String),
        target: truth.reduce((sum, count) => sum + count, 0) / 10,
      });
    },

    pictures(body, { images, labels, lowest, highest }) {
      const wide = body.clientWidth > 380;
      const [canvas] = canvases(body, [
        { height: wide ? 64 : 150, label: `The first pictures of a batch; labels ${[...labels].join(", ")}` },
      ]);
      paintDigits(canvas, { images, limit: 255, words: [...labels].map(String) });
      if (body.querySelector(".lab-beside")) body.querySelector(".lab-beside").remove();
      body.append(element(`<p class="lab-beside">pixels from ${figure(lowest)} to
        ${figure(highest)}</p>`));
    },

    example(body, reading, { weights }) {
      const [canvas] = canvases(body, [{
        height: Math.max(230, Math.min(300, body.clientWidth * 0.42)),
        label: `The network with a picture of a ${reading.label} passing through it`,
      }]);
      paintNetwork(canvas, reading, weights);
    },

    gradient_check: (body, { parameters }) => replace(body, table(
      "A gradient by the program’s formula, and by trial: nudged, and measured",
      ['<span class="lab-spoken">parameter</span>', "formula", "trial", "error"],
      parameters.map(({ name, error, worst }) => [
        `<code>${escaped(name)}</code>`, figure(worst.analytic), figure(worst.numeric),
        error < 1e-4 ? `${figure(error, 2)} ✓` : `<strong>${figure(error, 2)} ✗</strong>`,
      ]),
    )),

    one_batch(body, { losses, accuracy }) {
      const values = [...losses], steps = values.map((_, i) => i);
      const [canvas] = canvases(body, [
        { height: 120, label: `Loss on one batch: from ${figure(values[0])} to ${figure(values.at(-1))}` },
      ]);
      const line = { steps, values, colour: "mine", name: percent(accuracy) + " right" };
      paintCurves(canvas, {
        lines: [line], scale: lossScale([line]), end: 300,
        marks: [{ at: Math.LN10, text: "ln 10" }],
      });
    },

    other_batch: (body, { sizes, losses, steps, problem }) => replace(body, problem
      ? `<p class="lab-beside">${markdown(problem)}</p>`
      : table("The same weights, two sizes of batch", ["batch", "loss", "length of the step"],
        sizes.map((size, i) => [String(size), figure(losses[i]), figure(steps[i])]))),

    step: (body, { parameters }) => replace(body, table(
      "A step, as a multiple of rate times gradient", ['<span class="lab-spoken">parameter</span>', "multiple"],
      parameters.map(({ name, ratio }) => [
        `<code>${escaped(name)}</code>`, ratio === null ? "no gradient" : figure(ratio),
      ]),
    )),

    rows: (body, { alone, company, order }) => replace(body, table(
      "How far a probability moves", ["when a picture is asked", "by up to"],
      [["alone", alone], ["in other company", company], ["in another order", order]]
        .filter(([, value]) => value !== undefined && value !== null)
        .map(([name, value]) => [name, figure(value, 2)]),
    )),

    softmax: (body, { tables }) => replace(body, tables.map(({ scores, probabilities, right }) =>
      table("Scores, and what becomes of them", ["scores", "here", "right"],
        scores.map((row, n) => [
          row.join("&ensp;"), hundredths(probabilities[n]), hundredths(right[n]),
        ]))).join("")),

    bend(body, { z, a, derivative, right }) {
      const [forward, back] = canvases(body, [
        { height: 110, caption: "what comes out, over what goes in" },
        { height: 110, caption: "the derivative used on the way back" },
      ]);
      const x = [...z], line = (y, colour, dash) => ({ x, y: [...y], colour, dash });
      paintFunctions(forward, { lines: [line(a, "mine"), line(right.a, "twin", TWIN)] });
      paintFunctions(back,
        { lines: [line(derivative, "mine"), line(right.derivative, "twin", TWIN)] });
    },
  };

  // ---------------------------------------------------------------------------------------- a card

  class Panel {
    visible = true;
    reading = null;
    #said = 0;

    /** ask() starts a check that runs on demand, and promises that its reading is shown. */
    constructor(id, { ask = null, extra = () => ({}) } = {}) {
      this.instrument = INSTRUMENTS.find((instrument) => instrument.id === id);
      this.id = id;
      this.extra = extra;
      const { name, how } = this.instrument, title = `lab-card-${++cards}`;
      this.root = element(`<section class="lab-card" data-instrument="${id}" aria-labelledby="${title}">
        <header><h3 id="${title}">${escaped(name)}</h3></header>
        <div class="lab-body"></div>
        <p class="${SHOWN.includes(id) ? "lab-spoken" : "lab-says"}" data-says></p>
        <p class="lab-how">${markdown(how)} ${chapterLink(this.instrument)}</p>
      </section>`);
      this.body = this.root.querySelector(".lab-body");
      this.says = this.root.querySelector("[data-says]");
      if (ask) this.#offer(ask);
    }

    #offer(ask) {
      const button = element(`<button type="button">Run it<span class="lab-spoken">:
        ${escaped(this.instrument.name)}</span></button>`);
      this.root.querySelector("header").append(button);
      button.addEventListener("click", async () => {
        button.disabled = true;
        this.root.classList.add("lab-busy");
        try {
          await ask();
        } finally {
          button.disabled = false;
          this.root.classList.remove("lab-busy");
        }
      });
    }

    /** Show a reading; while it runs, texts change slower than pictures do. */
    show(reading, { running = false } = {}) {
      this.reading = reading;
      this.draw();
      const now = performance.now();
      if (running && now - this.#said < UNHURRIED) return;
      this.#said = now;
      write(this.says, (reading.says ?? "").replaceAll(" %", "\u00a0%"));
      this.root.dataset.verdict = reading.verdict ?? "";
    }

    draw() {
      if (!this.reading) return;
      if (this.reading.verdict === "error") return this.body.replaceChildren(); // `says` says it
      DRAW[this.id](this.body, this.reading, this.extra());
    }

    clear() {
      this.reading = null;
      this.body.replaceChildren();
      this.says.textContent = "";
      delete this.root.dataset.verdict;
    }
  }

  Object.assign(MnistLab, { Panel });
})();
