// From a picture to an answer, as mnist_book/drawing/recognizer.py gives it; reading its weights.
(() => {
  "use strict";
  const { strokesToImage, withoutSpecks, strokeSegments, bounds } = DigitPad;

  const NONE = 10; // the eleventh class: not a digit
  const LEVEL_0 = 80; // the number of the character that is the weight 0
  const OPENING = 0.06; // of the dividers that measure length, in long sides

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

  /**
   * Read a drawing: {kind: "sure", "unsure" or "none", digit, or null, probabilities of the ten
   * digits, reason for a refusal}.
   */
  function recognize(network, strokes) {
    const drawn = strokes.filter((points) => points.length > 0);
    if (drawn.length === 0) return EMPTY;
    const classes = predict(network, strokesToImage(drawn, network.image));
    const share = total(classes.slice(0, NONE));
    const probabilities = classes.slice(0, NONE).map((p) => p / share);
    const refuse = (reason, kind = "none") => ({ kind, digit: null, probabilities, reason });
    if (!passesGate(withoutSpecks(drawn), network.gate)) return refuse("shape");
    if (classes[NONE] > network.refusal) return refuse("none");
    const best = probabilities.indexOf(Math.max(...probabilities));
    if (classes[best] < network.threshold) return refuse("none", "unsure");
    return { kind: "sure", digit: best, probabilities, reason: "" };
  }

  const EMPTY = { kind: "none", digit: null, probabilities: Array(10).fill(0), reason: "empty" };

  /** Tell whether strokes can be a digit: no dot, not too wide, nor too much ink or strokes. */
  function passesGate(strokes, gate) {
    const { width, height } = bounds(strokeSegments(strokes)), side = Math.max(width, height);
    const length = total(strokes.map((points) => smoothedLength(points, OPENING * side)));
    return (
      side > 0 &&
      width <= gate.aspect * height &&
      length <= gate.length * side &&
      strokes.length <= gate.strokes
    );
  }

  /** Measure the length of a stroke as with dividers that are opened so far: see recognizer.py. */
  function smoothedLength(points, opening) {
    const distance = ([x0, y0], [x1, y1]) => Math.hypot(x1 - x0, y1 - y0);
    let last = points[0], length = 0;
    for (const point of points) {
      if (distance(last, point) < opening) continue;
      length += distance(last, point);
      last = point;
    }
    return length + distance(last, points.at(-1));
  }

  const total = (numbers) => numbers.reduce((sum, number) => sum + number, 0);

  /** Let the page answer in between. */
  const pause = () => new Promise((resume) => setTimeout(resume));

  /** Unpack the weights that Recognizer.export wrote, bit by bit; an Error says what is wrong. */
  async function readNetwork(content) {
    checkSettings(content);
    const { sizes, slope, scales, temperature, threshold, refusal, gate, image } = content;
    const levels = levelsOf(content.weights);
    const biasBytes = fromBase64(content.biases);
    const layerSizes = scales.map((_, layer) => [sizes[layer], sizes[layer + 1]]);
    need(levels.length === total(layerSizes.map(([i, o]) => i * o)), "number of weights");
    need(biasBytes.length === 4 * total(sizes.slice(1)), "number of biases");
    const view = new DataView(biasBytes.buffer), layers = [];
    let weightsAt = 0, biasesAt = 0;
    for (const [layer, [inputs, units]] of layerSizes.entries()) {
      await pause();
      const some = levels.subarray(weightsAt, (weightsAt += inputs * units)), scale = scales[layer];
      const weights = new Float32Array(some);
      for (let i = 0; i < weights.length; i++) weights[i] *= scale;
      const next = () => view.getFloat32(4 * biasesAt++, true); // little-endian
      const biases = Float32Array.from({ length: units }, next);
      need(biases.every(Number.isFinite), "biases");
      layers.push({ weights, biases });
    }
    await pause();
    return { layers, slope, temperature, threshold, refusal, gate, image };
  }

  function checkSettings(content) {
    need(content !== null && typeof content === "object", "content");
    const { sizes, slope, scales, temperature, threshold, refusal, gate, image } = content;
    const whole = (size) => Number.isInteger(size) && size > 0 && size <= 4096;
    const positive = (...numbers) => numbers.every((x) => Number.isFinite(x) && x > 0);
    const share = (...numbers) => numbers.every((x) => Number.isFinite(x) && x >= 0 && x <= 1);
    need(Array.isArray(sizes) && sizes.length >= 2 && sizes.length <= 9, "number of layers");
    need(sizes.every(whole) && sizes[0] === 784 && sizes.at(-1) === NONE + 1, "sizes");
    need(Array.isArray(scales) && scales.length === sizes.length - 1, "number of scales");
    need(positive(...scales, temperature), "scales or temperature");
    need(share(slope, threshold, refusal), "slope or a threshold");
    need(positive(gate?.aspect, gate?.length, gate?.strokes), "limits of the gate");
    const { pen, box, centre, gap } = image ?? {};
    need(positive(pen, box, centre, gap) && pen < box, "pen, box, centre or gap");
  }

  function need(right, what) {
    if (!right) throw new Error(`${what} not as expected`);
  }

  /** Compare the weights with their SHA-256, where the browser has it: https, localhost, file. */
  async function checkSum({ weights, biases, sha256 }) {
    if (!globalThis.crypto?.subtle) return;
    const bytes = await new Blob([levelsOf(weights), fromBase64(biases)]).arrayBuffer();
    const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const hexadecimal = Array.from(sum, (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (hexadecimal !== sha256) throw new Error("SHA-256 not as expected");
  }

  /** Decode base64, in a loop: for 200,000 bytes Uint8Array.from takes far longer. */
  function fromBase64(text) {
    const characters = atob(text), bytes = new Uint8Array(characters.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
    return bytes;
  }

  /** Read weights, a character each: the one with the number LEVEL_0 is 0. */
  function levelsOf(text) {
    const levels = new Int8Array(text.length);
    for (let i = 0; i < levels.length; i++) levels[i] = text.charCodeAt(i) - LEVEL_0;
    return levels;
  }

  Object.assign(DigitPad, { EMPTY, predict, recognize, readNetwork, checkSum, fromBase64 });
})();
