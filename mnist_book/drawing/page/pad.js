// The drawing pad. One classic script, so that it runs in pages from http:// and file:// alike;
// mnist_book/drawing/pad.py gives the same text to notebooks. It asks no other host for anything.
// On a page it mounts itself on every element that has the attribute data-digit-pad.
(() => {
  "use strict";

  // ---------------------------------------------------------------------------------------------
  // From strokes to a picture: the stages of strokes.strokes_to_image, under the same names
  // ---------------------------------------------------------------------------------------------

  const IMAGE = { pen: 2.5, box: 19, centre: 14.25 }; // pixels, as in mnist_core.py

  /** Leave out strokes that are tiny beside the largest: a touch by mistake. A lone dot stays. */
  function withoutSpecks(strokes, share = 0.06) {
    const extents = strokes.map((points) => {
      if (points.length === 0) return 0;
      const { width, height } = bounds(strokeSegments([points]));
      return Math.max(width, height);
    });
    const limit = share * Math.max(0, ...extents);
    return strokes.filter((_, i) => extents[i] >= limit);
  }

  /** Cut strokes, lists of [x, y] with y down, into straight segments [x0, y0, x1, y1]. */
  function strokeSegments(strokes) {
    return strokes.flatMap((points) =>
      points.length === 1
        ? [[...points[0], ...points[0]]]
        : points.slice(1).map((point, i) => [...points[i], ...point])
    );
  }

  /** Scale segments, in proportion, until their bounding box is `side` on its long side. */
  function fitToBox(segments, side) {
    const { left, top, width, height } = bounds(segments);
    const scale = side / Math.max(width, height, 1e-9); // a lone dot has no extent
    return segments.map(([x0, y0, x1, y1]) =>
      [(x0 - left) * scale, (y0 - top) * scale, (x1 - left) * scale, (y1 - top) * scale]
    );
  }

  /** Shift segments, each weighing its length, to bring their centre of mass to `centre`. */
  function centreInk(segments, centre) {
    let x = 0, y = 0, mass = 0;
    for (const [x0, y0, x1, y1] of segments) {
      const length = Math.hypot(x1 - x0, y1 - y0) + 1e-9;
      x += length * (x0 + x1) / 2;
      y += length * (y0 + y1) / 2;
      mass += length;
    }
    const right = centre - x / mass, down = centre - y / mass;
    return segments.map(([x0, y0, x1, y1]) => [x0 + right, y0 + down, x1 + right, y1 + down]);
  }

  /** Draw segments with a round pen: 784 grey levels, from 0 (paper) to 1 (ink). */
  function rasterize(segments, pen) {
    const squared = new Float64Array(784).fill(Infinity);
    const reach = pen / 2 + 0.5; // pixels farther from a segment stay paper: they are skipped
    for (const [x0, y0, x1, y1] of segments) {
      const dx = x1 - x0, dy = y1 - y0, square = Math.max(dx * dx + dy * dy, 1e-18);
      const [left, right] = pixelRange(x0, x1, reach), [top, bottom] = pixelRange(y0, y1, reach);
      for (let row = top; row <= bottom; row++) {
        for (let column = left; column <= right; column++) {
          const x = column + 0.5 - x0, y = row + 0.5 - y0;
          // How far along the segment its nearest point is, from 0 (the start) to 1 (the end).
          const along = Math.min(1, Math.max(0, (x * dx + y * dy) / square));
          const distance = (x - along * dx) ** 2 + (y - along * dy) ** 2;
          const pixel = 28 * row + column;
          if (distance < squared[pixel]) squared[pixel] = distance;
        }
      }
    }
    return squared.map((square) => Math.min(1, Math.max(0, reach - Math.sqrt(square))));
  }

  /** Name the first and the last pixel whose centre is within reach of a stretch. */
  function pixelRange(from, to, reach) {
    const first = Math.ceil(Math.min(from, to) - reach - 0.5);
    const last = Math.floor(Math.max(from, to) + reach - 0.5);
    return [Math.max(0, first), Math.min(27, last)];
  }

  /** Turn strokes into a picture as MNIST has them: 784 grey levels, row by row. */
  function strokesToImage(strokes, { pen, box, centre } = IMAGE) {
    const segments = strokeSegments(withoutSpecks(strokes));
    if (segments.length === 0) return new Float64Array(784);
    return rasterize(centreInk(fitToBox(segments, box - pen), centre), pen);
  }

  function bounds(segments) {
    let left = Infinity, top = Infinity, right = -Infinity, bottom = -Infinity;
    for (const [x0, y0, x1, y1] of segments) {
      left = Math.min(left, x0, x1);
      right = Math.max(right, x0, x1);
      top = Math.min(top, y0, y1);
      bottom = Math.max(bottom, y0, y1);
    }
    return { left, top, width: right - left, height: bottom - top };
  }

  // ---------------------------------------------------------------------------------------------
  // From a picture to an answer: what mnist_book/drawing/recognizer.py does
  // ---------------------------------------------------------------------------------------------

  const NONE = 10; // the eleventh class: not a digit

  /** Compute the probabilities of all classes for a picture of 784 grey levels. */
  function predict(network, image) {
    let values = image;
    network.layers.forEach(({ weights, biases }, number) => {
      const units = biases.length, sums = Float64Array.from(biases);
      values.forEach((value, input) => {
        if (value === 0) return; // most of a picture is paper
        const row = input * units;
        for (let unit = 0; unit < units; unit++) sums[unit] += value * weights[row + unit];
      });
      const last = number === network.layers.length - 1;
      values = last ? sums : sums.map((z) => (z > 0 ? z : network.slope * z));
    });
    return softmax(values.map((logit) => logit / network.temperature));
  }

  function softmax(logits) {
    const largest = Math.max(...logits);
    const powers = Array.from(logits, (logit) => Math.exp(logit - largest));
    const sum = total(powers);
    return powers.map((power) => power / sum);
  }

  /** Read a drawing: {digit, or null, probabilities of the ten digits, reason for a refusal}. */
  function recognize(network, strokes) {
    const drawn = strokes.filter((points) => points.length > 0);
    if (drawn.length === 0) return EMPTY;
    const classes = predict(network, strokesToImage(drawn, network.image));
    const share = total(classes.slice(0, NONE));
    const probabilities = classes.slice(0, NONE).map((p) => p / share);
    if (!passesGate(withoutSpecks(drawn), network.gate)) return { digit: null, probabilities, reason: "shape" };
    const best = indexOfLargest(classes);
    const refused = best === NONE || classes[best] < network.threshold;
    return { digit: refused ? null : best, probabilities, reason: refused ? "none" : "" };
  }

  const EMPTY = { digit: null, probabilities: Array(10).fill(0), reason: "empty" };

  /** Tell whether strokes can be a digit: no dot, not too wide, nor too much ink or strokes. */
  function passesGate(strokes, gate) {
    const segments = strokeSegments(strokes), { width, height } = bounds(segments);
    const side = Math.max(width, height);
    const length = total(segments.map(([x0, y0, x1, y1]) => Math.hypot(x1 - x0, y1 - y0)));
    return (
      side > 0 &&
      width <= gate.aspect * height &&
      length <= gate.length * side &&
      strokes.length <= gate.strokes
    );
  }

  const total = (numbers) => numbers.reduce((sum, number) => sum + number, 0);
  const indexOfLargest = (numbers) => numbers.indexOf(Math.max(...numbers));

  /** Unpack the weights that mnist_book/drawing/recognizer.py wrote; an Error says what is wrong. */
  function readNetwork(content) {
    const need = (right, what) => {
      if (!right) throw new Error(`${what} not as expected`);
    };
    const positive = (...numbers) => numbers.every((x) => Number.isFinite(x) && x > 0);
    const share = (...numbers) => numbers.every((x) => Number.isFinite(x) && x >= 0 && x <= 1);
    need(content !== null && typeof content === "object", "content");
    const { sizes, slope, scales, temperature, threshold, gate, image } = content;
    const whole = (size) => Number.isInteger(size) && size > 0 && size <= 4096;
    need(Array.isArray(sizes) && sizes.length >= 2 && sizes.length <= 9, "number of layers");
    need(sizes.every(whole) && sizes[0] === 784 && sizes.at(-1) === NONE + 1, "sizes");
    need(Array.isArray(scales) && scales.length === sizes.length - 1, "number of scales");
    need(positive(...scales, temperature), "scales or temperature");
    need(share(slope, threshold), "slope or threshold");
    need(positive(gate?.aspect, gate?.length, gate?.strokes), "limits of the gate");
    need(positive(image?.pen, image?.box, image?.centre) && image.pen < image.box, "pen or box");
    const layerSizes = scales.map((_, layer) => [sizes[layer], sizes[layer + 1]]);
    const levels = new Int8Array(fromBase64(content.weights).buffer);
    const biasBytes = fromBase64(content.biases);
    need(levels.length === total(layerSizes.map(([i, o]) => i * o)), "number of weights");
    need(biasBytes.length === 4 * total(sizes.slice(1)), "number of biases");
    const view = new DataView(biasBytes.buffer);
    let weightsAt = 0, biasesAt = 0;
    const layers = layerSizes.map(([inputs, units], layer) => {
      const some = levels.subarray(weightsAt, (weightsAt += inputs * units));
      const weights = Float32Array.from(some, (level) => level * scales[layer]);
      const next = () => view.getFloat32(4 * biasesAt++, true); // little-endian
      const biases = Float32Array.from({ length: units }, next);
      need(biases.every(Number.isFinite), "biases");
      return { weights, biases };
    });
    return { layers, slope, temperature, threshold, gate, image };
  }

  /** Compare the weights with their SHA-256, where the browser has it: https, localhost, file. */
  async function checkSum({ weights, biases, sha256 }) {
    if (!globalThis.crypto?.subtle) return;
    const bytes = new Uint8Array([...fromBase64(weights), ...fromBase64(biases)]);
    const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const hexadecimal = Array.from(sum, (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (hexadecimal !== sha256) throw new Error("SHA-256 not as expected");
  }

  const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const toBase64 = (bytes) => btoa(String.fromCharCode(...bytes));

  // ---------------------------------------------------------------------------------------------
  // What this browser keeps: the hand, and drawings with their labels
  // ---------------------------------------------------------------------------------------------

  const HAND = "digit-pad-hand", DRAWINGS = "digit-pad-drawings-1"; // 1: version of the format
  const MOST_DRAWINGS = 2000; // 1,048 characters each: below 3 MB
  const memory = new Map(); // for as long as the page is open, where the browser keeps nothing

  function recall(key) {
    try {
      return memory.get(key) ?? localStorage.getItem(key);
    } catch {
      return null; // storage is switched off
    }
  }

  /** Keep a text; false means: only until the page is closed. */
  function remember(key, text) {
    try {
      localStorage.setItem(key, text);
      memory.delete(key);
      return true;
    } catch {
      memory.set(key, text);
      return false;
    }
  }

  /** Read the kept drawings, [{label, image: base64 of 784 bytes}]; what is damaged is left out. */
  function keptDrawings() {
    try {
      const drawings = JSON.parse(recall(DRAWINGS));
      return Array.isArray(drawings) ? drawings.filter(isDrawing).slice(0, MOST_DRAWINGS) : [];
    } catch {
      return [];
    }
  }

  function isDrawing(drawing) {
    const { label, image } = drawing ?? {};
    return (
      Number.isInteger(label) && label >= 0 && label <= 9 &&
      typeof image === "string" && /^[A-Za-z0-9+/]{1046}==$/.test(image)
    );
  }

  /** Write bytes as an IDX file of the given sizes: mnist_core.read_idx reads it. */
  function idxFile(sizes, bytes) {
    const header = new DataView(new ArrayBuffer(4 + 4 * sizes.length));
    header.setUint8(2, 0x08); // the code of unsigned bytes
    header.setUint8(3, sizes.length);
    sizes.forEach((size, i) => header.setUint32(4 + 4 * i, size)); // big-endian
    return new Blob([header, bytes], { type: "application/octet-stream" });
  }

  function exportDrawings(drawings) {
    const images = new Uint8Array(784 * drawings.length);
    drawings.forEach(({ image }, i) => images.set(fromBase64(image), 784 * i));
    const labels = Uint8Array.from(drawings, ({ label }) => label);
    download("drawings-images-idx3-ubyte", idxFile([drawings.length, 28, 28], images));
    download("drawings-labels-idx1-ubyte", idxFile([drawings.length], labels));
  }

  function download(name, blob) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  // ---------------------------------------------------------------------------------------------
  // The pad
  // ---------------------------------------------------------------------------------------------

  const SIDE = 280; // the pad's side, in the units of its strokes
  const INK = 15; // width of the line that the pad shows
  const STEP = 0.7; // a point nearer than that to the one before adds nothing
  const MOST_STROKES = 40, MOST_POINTS = 4000; // mnist_book/drawing/pad.py takes no more
  const FULL = "The pad is full. Take a stroke back, or clear it.";
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const ALL_DIGITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const pads = new Set();
  let mounted = 0;

  // Orca hands keys on to an application within another one, and only if there is something in it.
  const content = (id) => `
    <div class="digit-pad-main">
      <div class="digit-pad-drawing">
        <div role="application" aria-label="Draw a digit">
          <canvas class="digit-pad-canvas" tabindex="0" role="application"
            aria-roledescription="drawing pad" aria-label="Draw a digit"
            aria-describedby="${id}-help"><span role="img" aria-label="The drawing"></span></canvas>
        </div>
        <div class="digit-pad-buttons">
          <button type="button" data-do="undo">Undo</button>
          <button type="button" data-do="clear">Clear</button>
        </div>
      </div>
      <div class="digit-pad-reading">
        <p class="digit-pad-problem" role="alert" hidden></p>
        <div class="digit-pad-answer">
          <p class="digit-pad-digit"></p>
          <p class="digit-pad-words"></p>
          <figure>
            <canvas class="digit-pad-seen digit-pad-pixels" role="img"></canvas>
            <figcaption>what it sees</figcaption>
          </figure>
        </div>
        <ol class="digit-pad-bars" role="list" aria-label="Probability of each digit">${
          ALL_DIGITS.map((digit) => `
            <li><span>${digit}</span><span class="digit-pad-bar"><i></i></span><span></span></li>`
          ).join("")}
        </ol>
        <p class="digit-pad-source"></p>
      </div>
    </div>
    <p class="digit-pad-help" id="${id}-help">Draw with a finger, a pen or a mouse. Or by keyboard:
      arrow keys move the pen (with Shift, farther), the space bar puts it down and lifts it,
      Backspace takes back a stroke, Delete clears.</p>
    <details class="digit-pad-steps">
      <summary>What the network sees, step by step</summary>
      <div class="digit-pad-figures"></div>
    </details>
    <details class="digit-pad-collect">
      <summary>Right or wrong? Collect drawings</summary>
      <p>Say what it was, and this browser keeps the drawing. It sends it nowhere; export the
        drawings to train a network on them.</p>
      <div class="digit-pad-labels" role="group" aria-label="It was a">
        <span aria-hidden="true">It was a</span>${
          ALL_DIGITS.map((digit) => `<button type="button" data-label="${digit}">${digit}</button>`
          ).join("")}
      </div>
      <p class="digit-pad-kept" role="status"></p>
      <div class="digit-pad-buttons">
        <button type="button" data-do="export">Export as IDX</button>
        <button type="button" data-do="forget">Delete all</button>
      </div>
    </details>
    <label class="digit-pad-hand"><input type="checkbox" role="switch"> Left-handed</label>
    <p class="digit-pad-spoken" aria-live="polite"></p>`;

  /**
   * Put a pad into an element.
   *
   * ask(strokes, number) is called at most once a frame, when the strokes have changed; it answers,
   * now or later, by show({digit, probabilities, reason} or {error}, number). source says who
   * answers, image how the strokes become a picture.
   */
  function mount(element, { ask = () => {}, source = "", image = IMAGE } = {}) {
    const id = `digit-pad-${++mounted}`;
    const root = document.createElement("div");
    root.className = "digit-pad";
    root.innerHTML = content(id);
    element.replaceChildren(root);
    const find = (selector) => root.querySelector(selector);
    const canvas = find(".digit-pad-canvas"), spoken = find(".digit-pad-spoken");
    find(".digit-pad-source").textContent = source;

    let strokes = [];
    let cleared = []; // what `clear` took away: undo brings it back
    let pen = null; // what draws at present: the id of a pointer, or "keyboard"
    let cursor = null; // where the keyboard's pen is
    let number = 0, asked = 0, shown = 0; // of the strokes: each change counts
    let announcement = null; // what to say before the next answer; null: say nothing
    let frame = 0;

    // ------------------------------------------------------------------------ strokes

    function changed() {
      number += 1;
      schedule();
    }

    function schedule() {
      frame ||= requestAnimationFrame(update);
    }

    function update() {
      frame = 0;
      paint();
      if (asked === number) return;
      asked = number;
      if (strokes.length === 0) show(EMPTY, number);
      try {
        ask(strokes, number);
      } catch (error) {
        problem(error.message);
      }
    }

    const tooLong = () => total(strokes.map((points) => points.length)) >= MOST_POINTS;
    const full = () => strokes.length >= MOST_STROKES || tooLong();

    function putDown(what, point) {
      liftPen();
      if (full()) return problem(FULL);
      pen = what;
      cleared = [];
      strokes.push([onPad(point)]);
      changed();
    }

    function moveTo(point) {
      const points = strokes.at(-1), [x, y] = points.at(-1), [newX, newY] = onPad(point);
      if (Math.hypot(newX - x, newY - y) < STEP) return;
      points.push([newX, newY]);
      changed();
      if (tooLong()) liftPen();
    }

    function liftPen() {
      if (pen === null) return;
      pen = null;
      announcement = "";
      changed();
    }

    function undo() {
      liftPen();
      if (strokes.length > 0) strokes.pop();
      else [strokes, cleared] = [cleared, []];
      announcement = "Taken back. ";
      changed();
    }

    function clear() {
      pen = null;
      if (strokes.length > 0) [strokes, cleared] = [[], strokes];
      announcement = "Cleared. ";
      changed();
    }

    /** Show strokes from elsewhere. `fit`: scale them to the pad; `read`: somebody reads them. */
    function draw(drawing, { fit = false, read = false } = {}) {
      const numbers = (point) =>
        Array.isArray(point) && point.length === 2 && point.every(Number.isFinite);
      if (!Array.isArray(drawing) || !drawing.every((s) => Array.isArray(s) && s.every(numbers)))
        throw new Error("These strokes are not lists of points [x, y].");
      pen = null;
      cleared = [];
      strokes = drawing.filter((points) => points.length > 0).map((points) => [...points]);
      if (fit) strokes = fitToPad(strokes);
      changed();
      if (read) asked = number;
      return number;
    }

    // ------------------------------------------------------------------------ hands

    canvas.addEventListener("pointerdown", (event) => {
      const drawing = pen !== null && pen !== "keyboard"; // a second finger, or the palm
      if (drawing || event.button !== 0) return;
      cursor = null;
      putDown(event.pointerId, pointOf(canvas, event));
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      const events = event.getCoalescedEvents?.() ?? [];
      for (const each of events.length > 0 ? events : [event])
        if (pen === event.pointerId) moveTo(pointOf(canvas, each));
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"])
      canvas.addEventListener(end, (event) => {
        if (pen === event.pointerId) liftPen();
      });

    canvas.addEventListener("keydown", (event) => {
      if (!pressed(event)) return;
      event.preventDefault();
      event.stopPropagation();
      schedule(); // the cursor may have moved
    });
    // In Jupyter "d" pressed twice deletes the cell, and so on. JupyterLab takes keys on their way up,
    // and they don't get there. Notebook takes them on their way down, but not where the element in
    // focus has this attribute: it is set before, at the window. Ctrl+S may still save.
    root.addEventListener("keydown", (event) => {
      if (isForPad(event)) event.stopPropagation();
    });
    function onWayDown(event) {
      if (root.contains(event.target))
        event.target.toggleAttribute("data-lm-suppress-shortcuts", isForPad(event));
    }
    window.addEventListener("keydown", onWayDown, true);
    canvas.addEventListener("focus", () => {
      if (canvas.matches(":focus-visible")) cursor = [SIDE / 2, SIDE / 2]; // came by keyboard
      schedule();
    });
    canvas.addEventListener("blur", () => {
      if (pen === "keyboard") liftPen();
      cursor = null;
      schedule();
    });

    /** Do what a key asks for; false: nothing, the page may have it. */
    function pressed({ key, shiftKey, ctrlKey, metaKey, altKey, repeat }) {
      if ((ctrlKey || metaKey) && !altKey && key.toLowerCase() === "z") undo();
      else if (ctrlKey || metaKey || altKey) return false;
      else if (key in ARROWS) {
        const [x, y] = cursor ?? [SIDE / 2, SIDE / 2], step = SIDE / (shiftKey ? 10 : 40);
        cursor = onPad([x + step * ARROWS[key][0], y + step * ARROWS[key][1]]);
        if (pen === "keyboard") moveTo(cursor);
      } else if (key === " ") {
        cursor ??= [SIDE / 2, SIDE / 2];
        if (repeat) return true;
        if (pen === "keyboard") liftPen();
        else putDown("keyboard", cursor);
      } else if (key === "Escape" && pen === "keyboard") liftPen();
      else if (key === "Backspace") undo();
      else if (key === "Delete") clear();
      else return false;
      return true;
    }

    // ------------------------------------------------------------------------ pictures

    function paint() {
      const context = sheet(canvas, SIDE);
      context.lineWidth = INK;
      for (const points of strokes) paintLine(context, points);
      if (cursor !== null) paintCursor(context, cursor, pen === "keyboard");
      const seen = find(".digit-pad-seen"), pixels = strokesToImage(strokes, image);
      paintPixels(sheet(seen, 28), pixels);
      const what = strokes.length > 0 ? "your drawing" : "nothing yet";
      seen.setAttribute("aria-label", `What the network sees: ${what}, in 28 by 28 grey pixels`);
      if (find(".digit-pad-steps").open) paintSteps(find(".digit-pad-figures"), strokes, image);
    }

    const repaint = new ResizeObserver(schedule);
    repaint.observe(canvas);
    find(".digit-pad-steps").addEventListener("toggle", schedule);
    const unwatch = watchTheme(schedule);

    // ------------------------------------------------------------------------ answers

    /** Show an answer to the strokes of a number; one that comes too late is dropped. */
    function show(answer, of = number) {
      if (of < shown) return;
      shown = of;
      const { digit = null, probabilities = EMPTY.probabilities, reason = "", error = "" } = answer;
      const { loud, quiet } = error
        ? { loud: "", quiet: "No answer." }
        : inWords(digit, probabilities, reason);
      root.dataset.state = error ? "error" : reason || "digit";
      write(find(".digit-pad-digit"), loud);
      write(find(".digit-pad-words"), quiet);
      root.querySelectorAll(".digit-pad-bars li").forEach((item, i) => {
        item.querySelector("i").style.width = `${100 * probabilities[i]}%`;
        write(item.lastChild, total(probabilities) > 0 ? percent(probabilities[i]) : "–");
        item.classList.toggle("digit-pad-best", i === digit);
      });
      problem(error || (full() ? FULL : ""));
      if (announcement === null || of !== number) return;
      const words = [loud, quiet, error].filter(Boolean).join(". ").replace("?.", "?");
      spoken.textContent = `${announcement}${words}`;
      announcement = null;
    }

    function problem(text) {
      const place = find(".digit-pad-problem");
      write(place, text);
      place.hidden = text === "";
    }

    // ------------------------------------------------------------------------ buttons

    const actions = { undo, clear, export: () => exportDrawings(keptDrawings()), forget };
    for (const button of root.querySelectorAll("[data-do]"))
      button.addEventListener("click", actions[button.dataset.do]);
    for (const button of root.querySelectorAll("[data-label]"))
      button.addEventListener("click", () => keep(Number(button.dataset.label)));

    function keep(label) {
      const drawings = keptDrawings();
      if (strokes.length === 0) return showKept("Draw something first.");
      if (drawings.length === MOST_DRAWINGS)
        return showKept("No room for more: export these and delete them.");
      const grey = strokesToImage(strokes, image).map((level) => Math.round(255 * level));
      drawings.push({ label, image: toBase64(Uint8Array.from(grey)) });
      const lasting = remember(DRAWINGS, JSON.stringify(drawings));
      clear();
      for (const pad of pads) pad.showKept();
      const how = lasting ? `as a ${label}` : "until you close this page: export it before";
      showKept(`Kept ${how}.`);
    }

    let sure = 0; // the timer that runs after the first press of "Delete all"

    function forget() {
      if (sure === 0) {
        sure = setTimeout(() => ((sure = 0), showKept()), 5000);
        return showKept();
      }
      clearTimeout(sure);
      sure = 0;
      remember(DRAWINGS, "[]");
      for (const pad of pads) pad.showKept();
    }

    function showKept(message = "") {
      const count = keptDrawings().length;
      const drawings = `${count.toLocaleString("en")} ${count === 1 ? "drawing" : "drawings"}`;
      find(".digit-pad-kept").textContent = `${message} ${drawings} kept in this browser.`.trim();
      const forgetting = find('[data-do="forget"]');
      forgetting.textContent = sure ? `Delete ${drawings}? Press again` : "Delete all";
      forgetting.disabled = find('[data-do="export"]').disabled = count === 0;
    }

    const leftHanded = find(".digit-pad-hand input");
    leftHanded.checked = recall(HAND) === "left";
    leftHanded.addEventListener("change", () => {
      remember(HAND, leftHanded.checked ? "left" : "right");
      root.dataset.hand = recall(HAND);
    });
    root.dataset.hand = leftHanded.checked ? "left" : "right";

    const pad = {
      root, show, problem, draw, undo, clear, showKept,
      get strokes() {
        return structuredClone(strokes);
      },
      /** Ask once more: who answers, or how it draws, has changed. */
      again(newImage = image) {
        image = newImage;
        changed();
      },
      unmount() {
        repaint.disconnect();
        unwatch();
        window.removeEventListener("keydown", onWayDown, true);
        cancelAnimationFrame(frame);
        clearTimeout(sure);
        pads.delete(pad);
        root.remove();
      },
    };
    pads.add(pad);
    showKept();
    show(EMPTY);
    schedule();
    return pad;
  }

  /** Put an answer into words: loud ones, and quiet ones beside them. */
  function inWords(digit, probabilities, reason) {
    if (reason === "empty") return { loud: "", quiet: "Draw a digit, 0 to 9, and see it read." };
    const order = ALL_DIGITS.toSorted((a, b) => probabilities[b] - probabilities[a]);
    const guess = (place) => `${order[place]} (${percent(probabilities[order[place]])})`;
    if (digit === null) return { loud: "Not a digit?", quiet: `If it is one, then ${order[0]}.` };
    const sure = percent(probabilities[digit]);
    const second = guess(order[0] === digit ? 1 : 0);
    return { loud: String(digit), quiet: `${sure}. Second guess: ${second}` };
  }

  function percent(probability) {
    if (probability > 0 && probability < 0.005) return "<\u00a01\u00a0%";
    if (probability < 1 && probability > 0.995) return ">\u00a099\u00a0%";
    return `${Math.round(100 * probability)}\u00a0%`;
  }

  /** Put text into an element. A screen reader hears of each change: so none without a difference. */
  function write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  /** Whether a key pressed in a pad is the pad's: one without Ctrl and so on, or Ctrl+Z. */
  function isForPad({ key, ctrlKey, metaKey, altKey }) {
    return !altKey && ((!ctrlKey && !metaKey) || key.toLowerCase() === "z");
  }

  const onPad = (point) =>
    point.map((value) => Math.round(100 * Math.min(SIDE, Math.max(0, value))) / 100);

  function pointOf(canvas, event) {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    return [SIDE * (event.clientX - left) / width, SIDE * (event.clientY - top) / height];
  }

  function fitToPad(strokes) {
    if (strokes.length === 0) return strokes;
    const { left, top, width, height } = bounds(strokeSegments(strokes));
    const scale = 0.7 * SIDE / Math.max(width, height, 1e-9);
    return strokes.map((points) =>
      points.map(([x, y]) => [
        SIDE / 2 + (x - left - width / 2) * scale,
        SIDE / 2 + (y - top - height / 2) * scale,
      ])
    );
  }

  /** Ready a canvas for painting in its colour: blank, sharp on this screen, `units` wide. */
  function sheet(canvas, units) {
    const pixelated = canvas.classList.contains("digit-pad-pixels");
    const size = pixelated ? units : Math.round(canvas.clientWidth * devicePixelRatio) || units;
    if (canvas.width !== size) canvas.width = canvas.height = size;
    const context = canvas.getContext("2d");
    context.setTransform(size / units, 0, 0, size / units, 0, 0);
    context.clearRect(0, 0, units, units);
    context.lineCap = context.lineJoin = "round";
    context.strokeStyle = context.fillStyle = getComputedStyle(canvas).color;
    return context;
  }

  /** Paint a stroke as a smooth line: a curve from the middle of each piece to that of the next. */
  function paintLine(context, points) {
    context.beginPath();
    context.moveTo(...points[0]);
    for (let i = 1; i + 1 < points.length; i++) {
      const [x, y] = points[i], [nextX, nextY] = points[i + 1];
      context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    }
    const [lastX, lastY] = points.at(-1);
    context.lineTo(lastX + 0.01, lastY); // a line of no length would not be painted: a dot
    context.stroke();
  }

  function paintCursor(context, [x, y], down) {
    context.lineWidth = 2;
    context.beginPath();
    context.arc(x, y, down ? INK / 2 + 3 : INK, 0, 2 * Math.PI);
    for (const [dx, dy] of Object.values(ARROWS)) {
      context.moveTo(x + INK * dx, y + INK * dy);
      context.lineTo(x + 1.7 * INK * dx, y + 1.7 * INK * dy);
    }
    context.stroke();
  }

  function paintPixels(context, pixels) {
    pixels.forEach((grey, pixel) => {
      context.globalAlpha = grey;
      context.fillRect(pixel % 28, Math.floor(pixel / 28), 1, 1);
    });
    context.globalAlpha = 1;
  }

  /** Paint the stages of strokesToImage, one figure each. */
  function paintSteps(place, strokes, { pen, box, centre }) {
    const steps = [
      "1. The path of the pen, as drawn",
      `2. Scaled, in proportion: the ink fits a box of ${box} pixels`,
      "3. Moved: its centre of mass, the cross, to the middle",
      `4. Drawn with a round pen of ${pen} pixels on 28 × 28 pixels`,
    ];
    if (place.childElementCount === 0)
      steps.forEach((step, i) => {
        const figure = document.createElement("figure"), canvas = document.createElement("canvas");
        const caption = document.createElement("figcaption");
        canvas.setAttribute("role", "img");
        canvas.setAttribute("aria-label", step);
        if (i === 3) canvas.className = "digit-pad-pixels";
        figure.append(canvas, caption);
        place.append(figure);
      });
    place.querySelectorAll("figcaption").forEach((caption, i) => (caption.textContent = steps[i]));
    const [drawn, scaled, centred, drawnOnPixels] = [...place.querySelectorAll("canvas")].map(
      (canvas) => sheet(canvas, 28)
    );
    drawn.lineWidth = 6;
    drawn.scale(28 / SIDE, 28 / SIDE);
    for (const points of strokes) paintLine(drawn, points);
    paintPixels(drawnOnPixels, strokesToImage(strokes, { pen, box, centre }));
    paintGuides(scaled, (path) => path.rect((28 - box) / 2, (28 - box) / 2, box, box));
    paintGuides(centred, (path) => {
      path.moveTo(centre, 0);
      path.lineTo(centre, 28);
      path.moveTo(0, centre);
      path.lineTo(28, centre);
    });
    const segments = strokeSegments(withoutSpecks(strokes));
    if (segments.length === 0) return;
    const fitted = fitToBox(segments, box - pen), margin = (28 - box + pen) / 2;
    paintSegments(scaled, fitted.map((segment) => segment.map((value) => value + margin)), pen);
    paintSegments(centred, centreInk(fitted, centre), pen);
  }

  function paintGuides(context, draw) {
    context.lineWidth = 0.25;
    context.setLineDash([0.8, 0.8]);
    context.beginPath();
    draw(context);
    context.stroke();
    context.setLineDash([]);
  }

  function paintSegments(context, segments, pen) {
    context.lineWidth = pen;
    context.globalAlpha = 0.75; // the guides shine through; one path, so that no joint is darker
    context.beginPath();
    for (const [x0, y0, x1, y1] of segments) {
      context.moveTo(x0, y0);
      context.lineTo(x1 + 1e-3, y1);
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  /** Call back when it turns dark or light: by the page's switch, JupyterLab's, the system's. */
  function watchTheme(callback) {
    const observer = new MutationObserver(callback);
    const attributeFilter = ["data-theme", "data-jp-theme-light", "class"];
    observer.observe(document.documentElement, { attributeFilter });
    observer.observe(document.body, { attributeFilter });
    const queries = ["(prefers-color-scheme: dark)", "(forced-colors: active)"];
    const system = queries.map((query) => matchMedia(query));
    for (const query of system) query.addEventListener("change", callback);
    return () => {
      observer.disconnect();
      for (const query of system) query.removeEventListener("change", callback);
    };
  }

  // ---------------------------------------------------------------------------------------------
  // In a page: the book's network answers, right here
  // ---------------------------------------------------------------------------------------------

  let network = null; // a promise, for all pads of the page

  function mountOnPage(element, weightsURL) {
    if (element.querySelector(".digit-pad")) return;
    let ready = null, failure = "Loading the network …";
    const pad = mount(element, {
      source: "Read by the book’s network, in this page.",
      ask: (strokes, number) =>
        ready ? pad.show(recognize(ready, strokes), number) : pad.problem(failure),
    });
    network ??= loadNetwork(weightsURL);
    network.then(
      (loaded) => pad.again((ready = loaded).image),
      (error) => pad.problem((failure = error.message))
    );
  }

  /** Load the weights by a script element: unlike fetch, that works from file:// too. */
  async function loadNetwork(url) {
    const script = document.createElement("script");
    script.src = url;
    const loading = new Promise((resolve, reject) => {
      script.onload = resolve;
      script.onerror = () => reject(new Error(
        "The network could not be loaded: pad-weights.js is missing. Nobody reads what you draw."
      ));
    });
    document.head.append(script);
    await loading;
    const weights = globalThis.DIGIT_PAD_WEIGHTS;
    delete globalThis.DIGIT_PAD_WEIGHTS;
    try {
      const loaded = readNetwork(weights);
      await checkSum(weights);
      return loaded;
    } catch (error) {
      throw new Error(
        `The network in pad-weights.js is damaged (${error.message}). Reload the page.`
      );
    }
  }

  // ---------------------------------------------------------------------------------------------
  // In a notebook: a network in the kernel answers (anywidget; the other side is mnist_book/drawing/pad.py)
  // ---------------------------------------------------------------------------------------------

  const PATIENCE = 2000; // milliseconds until the pad says that no answer has come

  const widget = {
    render({ model, el }) {
      let sent = { number: 0, of: 0 }; // what went to the kernel: its number there, and in the pad
      let next = null; // what goes there after the answer: one drawing is on its way at a time
      let timer = 0, waiting = false;

      const pad = mount(el, {
        source: model.get("_source"),
        image: model.get("_picture"),
        ask(strokes, of) {
          next = { strokes, of };
          if (!waiting) send();
        },
      });

      function send() {
        const { strokes, of } = next;
        next = null;
        waiting = true;
        sent = { number: (model.get("_drawing")?.number || 0) + 1, of };
        timer = setTimeout(() => {
          waiting = false; // the next stroke tries again
          pad.problem("No answer from the kernel yet: it is busy, or it is not running.");
        }, PATIENCE);
        model.set("_drawing", { number: sent.number, strokes: structuredClone(strokes) });
        model.save_changes();
      }

      function receive() {
        const drawing = model.get("_drawing"), answer = model.get("_answer");
        try {
          if (drawing.number !== sent.number) takeOver(drawing);
        } catch (error) {
          return pad.problem(error.message);
        }
        if (answer.number === null) pad.problem(answer.error);
        if (answer.number !== sent.number) return; // to a drawing that is not there any more
        clearTimeout(timer);
        waiting = false;
        pad.show(answer, sent.of);
        if (next) send();
      }

      /** Show what pad.draw(strokes), or the same pad elsewhere in the notebook, has drawn. */
      function takeOver({ number, strokes, fit }) {
        sent = { number, of: pad.draw(strokes, { fit, read: true }) };
      }

      model.on("change:_drawing change:_answer", receive);
      receive();
      return () => {
        model.off("change:_drawing change:_answer", receive);
        clearTimeout(timer);
        pad.unmount();
      };
    },
  };

  globalThis.DigitPad = {
    IMAGE, MOST_STROKES, MOST_POINTS,
    strokesToImage, predict, recognize, readNetwork, mount, widget,
  };

  // A notebook imports this text as a module: there it has no URL, and mounts nothing by itself.
  const url = globalThis.document?.currentScript?.src;
  if (!url) return;
  const mountAll = () => {
    for (const element of document.querySelectorAll("[data-digit-pad]"))
      mountOnPage(element, new URL("pad-weights.js", url).href);
  };
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", mountAll);
  else mountAll();
})();
