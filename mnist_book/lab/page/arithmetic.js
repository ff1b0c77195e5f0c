// A network 784-h-10 or 784-h-h-10, the way back and the step, with the book's bugs to put in.
//
// A matrix is a Float64Array, row by row; a batch of examples is always (batch, features), weights
// are (inputs, outputs). What is right is what mnist_core.py computes; a bug stands where it stands
// in the line of NumPy that switches.js shows for it. tests/lab holds both against NumPy.
MnistLab.part(function (MnistLab) {
  "use strict";
  const { Random, exp, log } = MnistLab;

  const DEFAULTS = {
    seed: 1, hidden: [32], batch: 32, rate: 0.1, momentum: 0, slope: 0.01, bugs: [],
    deviations: [], // of the first weights, layer by layer; where there is none, it is He's
  };
  const PIXELS = 784, CLASSES = 10;
  const WEIGHTS_STREAM = 0, ORDER_STREAM = 1, BUG_STREAM = 2; // so that a bug draws from no other's

  // ---- Products ----------------------------------------------------------------------------------

  /** Tell whether an array has neither nan nor infinity: only then may a product skip zeros. */
  function isFinite_(array) {
    let sum = 0;
    for (let i = 0; i < array.length; i++) sum += array[i] * 0;
    return sum === 0;
  }

  // Most of a picture is paper, and a product with 0 is 0: these are the numbers that are not.
  const values = new Float64Array(PIXELS), places = new Uint32Array(PIXELS);

  /** out[to ...] += the sum of `count` values, each times the row of w that begins at its place. */
  function addRows(count, w, columns, out, to) {
    let j = 0;
    for (; j + 8 <= columns; j += 8) { // eight columns at a time: the sums stay in registers
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
      for (let n = 0; n < count; n++) {
        const value = values[n], i = places[n] + j;
        s0 += value * w[i]; s1 += value * w[i + 1]; s2 += value * w[i + 2]; s3 += value * w[i + 3];
        s4 += value * w[i + 4]; s5 += value * w[i + 5]; s6 += value * w[i + 6]; s7 += value * w[i + 7];
      }
      const k = to + j;
      out[k] += s0; out[k + 1] += s1; out[k + 2] += s2; out[k + 3] += s3;
      out[k + 4] += s4; out[k + 5] += s5; out[k + 6] += s6; out[k + 7] += s7;
    }
    for (; j < columns; j++) {
      let sum = 0;
      for (let n = 0; n < count; n++) sum += values[n] * w[places[n] + j];
      out[to + j] += sum;
    }
  }

  /** out = x @ w, of shapes (rows, inner) and (inner, columns); `skip` zeros, if w has no nan. */
  function product(x, w, rows, inner, columns, out, skip) {
    out.fill(0);
    for (let row = 0; row < rows; row++) {
      let count = 0;
      for (let i = 0; i < inner; i++) {
        const value = x[row * inner + i];
        if (value === 0 && skip) continue;
        values[count] = value;
        places[count++] = i * columns;
      }
      addRows(count, w, columns, out, row * columns);
    }
  }

  /** out += x.T @ d, of shapes (rows, inner) and (rows, columns): (inner, columns). */
  function addTransposedProduct(x, d, rows, inner, columns, out) {
    const skip = isFinite_(d);
    for (let i = 0; i < inner; i++) {
      let count = 0;
      for (let row = 0; row < rows; row++) {
        const value = x[row * inner + i];
        if (value === 0 && skip) continue;
        values[count] = value;
        places[count++] = row * columns;
      }
      if (count > 0) addRows(count, d, columns, out, i * columns);
    }
  }

  /** out = d @ w.T, of shapes (rows, columns) and (inner, columns): (rows, inner). */
  function productWithTransposed(d, w, rows, inner, columns, out) {
    for (let row = 0; row < rows; row++) {
      const from = row * columns;
      for (let i = 0; i < inner; i++) {
        let sum = 0;
        for (let column = 0; column < columns; column++) sum += d[from + column] * w[i * columns + column];
        out[row * inner + i] = sum;
      }
    }
  }

  // ---- Softmax and cross-entropy (chapter 3) -----------------------------------------------------

  /** Turn scores (rows, classes) into probabilities, or into what the bugs make of them. */
  function softmax(z, rows, classes, bugs, p) {
    const has = (name) => bugs.includes(`softmax.${name}`);
    const columns = new Float64Array(classes);
    let all = 0;
    for (let row = 0; row < rows; row++) {
      const start = row * classes;
      let largest = -Infinity;
      for (let i = 0; i < classes; i++) largest = Math.max(largest, z[start + i]);
      if (has("overflow")) largest = 0;
      let sum = 0;
      for (let i = 0; i < classes; i++) {
        const e = has("no_exp") ? z[start + i] : exp(z[start + i] - largest);
        p[start + i] = e;
        sum += e;
        columns[i] += e;
      }
      all += sum;
      if (has("axis") || has("global_sum")) continue;
      for (let i = 0; i < classes; i++) p[start + i] /= sum;
    }
    if (has("axis")) for (let i = 0; i < rows * classes; i++) p[i] /= columns[i % classes];
    else if (has("global_sum")) for (let i = 0; i < rows * classes; i++) p[i] /= all;
  }

  /** -log(softmax(z)[label]) of one row, without the logarithm of a 0. */
  function surprise(z, start, classes, label) {
    let largest = -Infinity, sum = 0;
    for (let i = 0; i < classes; i++) largest = Math.max(largest, z[start + i]);
    for (let i = 0; i < classes; i++) sum += exp(z[start + i] - largest);
    return log(sum) - (z[start + label] - largest);
  }

  // ---- Activation (chapter 4) --------------------------------------------------------------------

  const leaky = (slope) => ({
    value: (z) => (z > 0 ? z : slope * z),
    derivative: (z) => (z > 0 ? 1 : slope), // of the pre-activation z, and the activation a
  });

  const tanh = (z) => (z > 20 ? 1 : z < -20 ? -1 : 1 - 2 / (exp(2 * z) + 1));

  /** The activation and what is taken for its derivative, with a bug or without. */
  function activationOf({ slope, bugs }) {
    const known = {
      "network.linear": { value: (z) => z, derivative: () => 1 },
      "leaky_relu.no_else": {
        value: (z) => (z < 0 ? slope * z : 0),
        derivative: (z) => (z < 0 ? slope : 0),
      },
      "leaky_relu.derivative": { ...leaky(slope), value: (z) => (z > 0 ? 1 : slope) },
      "relu_gradient.always_one": { ...leaky(0), derivative: (z, a) => (a >= 0 ? 1 : 0) },
      "leaky_relu.plain": leaky(0),
      "activation.tanh": { value: tanh, derivative: (z, a) => 1 - a * a },
    };
    return known[bugs.find((bug) => bug in known)] ?? leaky(slope);
  }

  // ---- Initialization (chapter 5) ----------------------------------------------------------------

  /** The function that draws a weight of layer k. */
  function drawerOf({ slope, bugs, deviations }, random, k, inputs, outputs) {
    const normal = (deviation) => () => deviation * random.normal();
    const known = {
      "init.zeros": () => 0,
      "init.symmetric": () => 0.01,
      "init.positive": () => random.uniform(),
      "init.one_sign": () => 0.1 * random.uniform(),
      "init.half": () => random.uniform() - 0.5,
      "init.too_large": normal(1),
      "init.too_small": normal(0.01),
      "init.variance_as_std": normal(2 / inputs),
      "init.fan": normal(Math.sqrt(2 / outputs)),
      "init.xavier": normal(Math.sqrt(2 / (inputs + outputs))),
    };
    const he = Math.sqrt(2 / ((1 + slope * slope) * inputs));
    return known[bugs.find((bug) => bug in known)] ?? normal(deviations[k] ?? he);
  }

  // ---- Network (chapter 6) -----------------------------------------------------------------------

  class Network {
    /**
     * Draw the first weights, or take those of `settings.initial` where no bug spoils them:
     * {weights, biases}, an array for each layer.
     */
    constructor(settings) {
      this.settings = settings;
      this.sizes = [PIXELS, ...settings.hidden, CLASSES];
      this.last = this.sizes.length - 2; // the number of the last layer, counted from 0
      this.activation = activationOf(settings);
      const random = new Random(settings.seed, WEIGHTS_STREAM);
      const layers = [...this.sizes.keys()].slice(0, -1);
      const ofWeights = (k) => new Float64Array(this.sizes[k] * this.sizes[k + 1]);
      const ofBias = (k) => new Float64Array(this.sizes[k + 1]);
      this.weights = layers.map((k) => {
        const draw = drawerOf(settings, random, k, this.sizes[k], this.sizes[k + 1]);
        return ofWeights(k).map(draw);
      });
      this.biases = layers.map(ofBias);
      const weightsBug = settings.bugs.some((bug) => bug.startsWith("init."));
      if (settings.initial && !weightsBug) this.take(settings.initial);
      this.dWeights = layers.map(ofWeights);
      this.dBiases = layers.map(ofBias);
      this.velocities = [...layers.map(ofWeights), ...layers.map(ofBias)];
      this.rooms = new Map(); // arrays to work in, by the size of the batch
    }

    take({ weights, biases }) {
      this.weights = weights.map((array) => Float64Array.from(array));
      this.biases = biases.map((array) => Float64Array.from(array));
    }

    /** Make a network that computes the same, and whose training changes nothing here. */
    copy() {
      const copy = new Network(this.settings);
      copy.take(this);
      copy.dWeights = this.dWeights.map((array) => array.slice());
      copy.dBiases = this.dBiases.map((array) => array.slice());
      copy.velocities = this.velocities.map((array) => array.slice());
      return copy;
    }

    has(bug) {
      return this.settings.bugs.includes(bug);
    }

    isSquare(k) {
      return this.sizes[k] === this.sizes[k + 1];
    }

    room(rows) {
      if (!this.rooms.has(rows)) {
        const arrays = () => this.sizes.slice(1).map((units) => new Float64Array(rows * units));
        const p = new Float64Array(rows * CLASSES);
        this.rooms.set(rows, { z: arrays(), a: arrays(), dZ: arrays(), p, once: p.slice() });
      }
      return this.rooms.get(rows);
    }

    /** Tell whether layer k has no nan: where weights have become nan, so has the bias. */
    skips(k) {
      return isFinite_(this.biases[k]);
    }

    /** Compute z = x @ weights + bias of layer k. */
    linear(k, x, rows, z) {
      const inputs = this.sizes[k], outputs = this.sizes[k + 1], w = this.weights[k];
      if (this.has("linear.elementwise") && this.isSquare(k)) {
        this.checkStar(rows, inputs);
        for (let i = 0; i < z.length; i++) z[i] = x[i] * w[i];
      } else if (this.has("linear.transposed") && this.isSquare(k)) {
        productWithTransposed(x, w, rows, inputs, outputs, z);
      } else product(x, w, rows, inputs, outputs, z, this.skips(k));
      const sign = this.has("linear.no_bias") ? 0 : this.has("linear.bias_sign") ? -1 : 1;
      if (sign === 0) return;
      for (let i = 0; i < z.length; i++) z[i] += sign * this.biases[k][i % outputs];
    }

    /** Compute the gradients of layer k's weights and bias, and of its inputs into dX. */
    linearGradient(k, x, rows, dZ, dX) {
      const inputs = this.sizes[k], outputs = this.sizes[k + 1], w = this.weights[k];
      const star = this.has("linear.elementwise") && this.isSquare(k);
      const dW = this.dWeights[k], dB = this.dBiases[k];
      if (!this.has("gradients.accumulated")) (dW.fill(0), dB.fill(0));
      if (star) for (let i = 0; i < dW.length; i++) dW[i] += x[i] * dZ[i];
      else addTransposedProduct(x, dZ, rows, inputs, outputs, dW);
      if (this.has("gradients.bias")) {
        const sum = dZ.reduce((total, value) => total + value, 0);
        for (let i = 0; i < outputs; i++) dB[i] += sum;
      } else for (let i = 0; i < dZ.length; i++) dB[i % outputs] += dZ[i];
      if (!dX) return; // of the first layer nobody needs it
      if (star) for (let i = 0; i < dX.length; i++) dX[i] = dZ[i] * w[i];
      else if (this.has("gradients.transposed") && this.isSquare(k)) {
        product(dZ, w, rows, outputs, inputs, dX, this.skips(k));
      } else productWithTransposed(dZ, w, rows, inputs, outputs, dX);
    }

    checkStar(rows, units) {
      if (rows !== units) throw new Error(starMessage(rows, units));
    }

    /** Compute all layers for x (rows, 784): {z, a, p}, overwritten by the next batch of this size. */
    forward(x, rows) {
      const room = this.room(rows), { z, a } = room, { value } = this.activation;
      for (let k = 0; k <= this.last; k++) {
        this.linear(k, k === 0 ? x : a[k - 1], rows, z[k]);
        if (k < this.last) for (let i = 0; i < z[k].length; i++) a[k][i] = value(z[k][i]);
      }
      this.softmax(z[this.last], rows, room);
      return room;
    }

    softmax(z, rows, room) {
      const { bugs } = this.settings;
      softmax(z, rows, CLASSES, bugs, room.p);
      if (!this.has("softmax.squashed")) return;
      room.once.set(room.p);
      softmax(room.once, rows, CLASSES, bugs, room.p);
    }

    /** Compute the mean cross-entropy of x (rows, 784) and labels (rows). */
    loss(x, labels, rows) {
      return this.lossOf(this.forward(x, rows), labels, rows);
    }

    lossOf({ z, p }, labels, rows) {
      const ofProbabilities = this.settings.bugs.some((bug) => bug.startsWith("softmax."));
      let sum = 0;
      for (let row = 0; row < rows; row++) {
        const start = row * CLASSES, label = labels[row];
        const ofRow = ofProbabilities ? -log(p[start + label]) : surprise(z[this.last], start, CLASSES, label);
        sum += ofRow / rows;
      }
      return sum;
    }

    /** Compute the loss, and into dWeights and dBiases what the program takes for its gradients. */
    lossAndGradients(x, labels, rows) {
      const room = this.forward(x, rows), { z, a, dZ } = room;
      const loss = this.lossOf(room, labels, rows);
      this.outputGradient(room, labels, rows);
      for (let k = this.last; k > 0; k--) {
        const ofZ = this.has("gradients.inputs") ? z[k - 1] : a[k - 1];
        this.linearGradient(k, ofZ, rows, dZ[k], dZ[k - 1]);
        this.activationGradient(k - 1, room);
      }
      this.linearGradient(0, x, rows, dZ[0], null);
      return loss;
    }

    /** Compute dZ of the last layer, (p - one_hot(labels)) / rows. */
    outputGradient({ p, once, dZ }, labels, rows) {
      const d = dZ[this.last], divisor = this.has("gradients.scale") ? 1 : rows;
      d.set(p);
      if (!this.has("gradients.no_labels")) {
        for (let row = 0; row < rows; row++) d[row * CLASSES + labels[row]] -= 1;
      }
      for (let i = 0; i < d.length; i++) {
        if (this.has("gradients.sign")) d[i] = -d[i];
        if (this.has("gradients.extra_softmax")) d[i] *= p[i] * (1 - p[i]);
        d[i] /= divisor;
      }
      if (this.has("softmax.squashed")) throughSoftmax(once, d, rows);
    }

    /** Multiply dZ of hidden layer k by the activation's derivative there. */
    activationGradient(k, { z, a, dZ }) {
      if (this.has("gradients.missing_activation")) return;
      const { derivative } = this.activation;
      const other = this.has("relu_gradient.other_z") && this.isSquare(k + 1) ? k + 1 : k;
      for (let i = 0; i < dZ[k].length; i++) dZ[k][i] *= derivative(z[other][i], a[other][i]);
    }

    /** Take a step: velocity = momentum * velocity - rate * gradient; parameter += velocity. */
    step(rows) {
      if (this.has("train.no_update")) return;
      const { momentum } = this.settings, fading = this.has("train.momentum") ? 1 : momentum;
      const arrays = [...this.weights, ...this.biases], gradients = [...this.dWeights, ...this.dBiases];
      arrays.forEach((array, number) => {
        move(array, this.velocities[number], gradients[number], fading, this.rateOf(number, rows));
      });
    }

    /** The rate for parameter array `number`: all weights first, then all biases. */
    rateOf(number, rows) {
      let rate = this.has("train.rate_too_high") ? 50 : this.settings.rate;
      if (this.has("train.rate_twice")) rate *= rate;
      if (this.has("train.batch_rate")) rate /= rows;
      if (this.has("train.rates_differ") && number === this.last) rate = 0.01;
      return this.has("train.ascent") ? -rate : rate;
    }

    isFinite() {
      return [...this.weights, ...this.biases].every(isFinite_);
    }
  }

  function move(array, velocity, gradient, fading, rate) {
    for (let i = 0; i < array.length; i++) {
      velocity[i] = fading * velocity[i] - rate * gradient[i];
      array[i] += velocity[i];
    }
  }

  /** What NumPy says, or does, of (rows, units) * (units, units). */
  function starMessage(rows, units) {
    const weights = `(${units},${units})`;
    if (rows === 1) return `(1,${units}) * ${weights} is broadcast to ${weights}: ${units} rows of one`;
    return `operands could not be broadcast together with shapes (${rows},${units}) ${weights}`;
  }

  /** Take the gradient d through p = softmax(z), in place: p * (d - sum(d * p)), row by row. */
  function throughSoftmax(p, d, rows) {
    for (let start = 0; start < rows * CLASSES; start += CLASSES) {
      let sum = 0;
      for (let i = start; i < start + CLASSES; i++) sum += d[i] * p[i];
      for (let i = start; i < start + CLASSES; i++) d[i] = p[i] * (d[i] - sum);
    }
  }

  // ---- Data and batches (chapter 7) --------------------------------------------------------------

  /** Pictures and labels in the order of training; `digits` is what loadDigits gives. */
  class Batches {
    constructor(digits, settings) {
      this.digits = digits;
      this.bugs = settings.bugs;
      this.size = settings.batch;
      this.random = new Random(settings.seed, ORDER_STREAM);
      this.scale = this.bugs.includes("data.not_scaled") ? 1 : 1 / 255;
      // Position i holds picture pictures[i] and is said to be a labels[i].
      this.pictures = Uint32Array.from({ length: digits.train }, (_, i) => i);
      this.labels = digits.labels.slice(0, digits.train);
      const random = new Random(settings.seed, BUG_STREAM);
      if (this.bugs.includes("data.labels_shuffled")) this.shuffleApart(random);
      if (this.bugs.includes("data.rows_swapped")) this.swapViews(random);
      if (this.bugs.includes("train.not_shuffled")) this.sort();
      this.otherRows = this.bugs.includes("train.other_rows") ? random : null;
      this.order = this.newOrder();
      this.next = 0;
    }

    /** rng.shuffle(x); rng.shuffle(labels) */
    shuffleApart(random) {
      const { pictures, labels } = this;
      this.pictures = random.permutation(pictures.length).map((i) => pictures[i]);
      this.labels = Uint8Array.from(random.permutation(labels.length), (i) => labels[i]);
    }

    /** x[i], x[j] = x[j], x[i]: the right side are two views, and row j is written last. */
    swapViews(random) {
      const { pictures, labels } = this;
      for (let i = pictures.length - 1; i > 0; i--) {
        const j = random.below(i + 1);
        pictures[i] = pictures[j];
        [labels[i], labels[j]] = [labels[j], labels[i]];
      }
    }

    sort() {
      const { pictures, labels } = this;
      const order = [...pictures.keys()].sort((i, j) => labels[i] - labels[j] || i - j);
      this.pictures = Uint32Array.from(order, (i) => pictures[i]);
      this.labels = Uint8Array.from(order, (i) => labels[i]);
    }

    newOrder() {
      const count = this.pictures.length;
      if (!this.bugs.includes("train.not_shuffled")) return this.random.permutation(count);
      return Uint32Array.from({ length: count }, (_, i) => i);
    }

    /** The next batch, {x, labels, pictures}; a rest that fills none is left out until next time. */
    draw() {
      if (this.next + this.size > this.order.length) {
        this.order = this.newOrder();
        this.next = 0;
      }
      const rows = this.order.subarray(this.next, (this.next += this.size));
      const pictures = Array.from(rows, (row) => this.pictures[row]);
      const labels = Array.from(rows, (row) => this.labels[row]);
      if (!this.otherRows) return { ...this.fill(pictures), labels, pictures };
      const others = this.otherRows.permutation(this.labels.length).subarray(0, this.size);
      return { ...this.fill(pictures), labels: Array.from(others, (i) => this.labels[i]), pictures };
    }

    /** Make inputs (rows, 784) of the pictures with these numbers. */
    fill(pictures) {
      const { images } = this.digits;
      if (this.x?.length !== pictures.length * PIXELS) this.x = new Float64Array(pictures.length * PIXELS);
      const { x, scale } = this;
      for (let row = 0; row < pictures.length; row++) {
        const from = pictures[row] * PIXELS, to = row * PIXELS;
        for (let i = 0; i < PIXELS; i++) x[to + i] = images[from + i] * scale;
      }
      return { x };
    }

    /** Batches of test pictures, `count` or somewhat fewer, so that each is full. */
    *test(count) {
      const end = this.digits.labels.length, start = this.digits.train;
      const full = Math.floor(Math.min(count, end - start) / this.size);
      for (let batch = 0; batch < full; batch++) {
        const first = start + batch * this.size;
        const pictures = Array.from({ length: this.size }, (_, i) => first + i);
        yield { ...this.fill(pictures), labels: this.digits.labels.subarray(first, first + this.size) };
      }
    }
  }

  /** The place of the largest number of a row; as in NumPy, of the first nan if there is one. */
  function argmax(array, start, count) {
    let best = start;
    for (let i = start; i < start + count; i++) {
      if (Number.isNaN(array[i])) return i - start;
      if (array[i] > array[best]) best = i;
    }
    return best - start;
  }

  /** What a network answers to test pictures: {answers, labels, accuracy}. */
  function examine(network, batches, count) {
    const answers = [], labels = [];
    for (const batch of batches.test(count)) {
      const { p } = network.forward(batch.x, batches.size);
      for (let row = 0; row < batches.size; row++) answers.push(argmax(p, row * CLASSES, CLASSES));
      labels.push(...batch.labels);
    }
    const right = answers.filter((answer, i) => answer === labels[i]).length;
    return { answers, labels, accuracy: right / answers.length };
  }

  // ---- Settings ----------------------------------------------------------------------------------

  const complete = (settings) => ({ ...structuredClone(DEFAULTS), ...settings });
  const needs = (settings, what) => settings.bugs.some((id) => what.includes(MnistLab.switchOf(id)?.needs));
  const isSquare = ({ hidden }) => [...hidden, CLASSES].some((units, i) => i > 0 && units === hidden[i - 1]);

  /** Change settings so that their bugs can run: some need a square layer, one such a batch, too. */
  function fitted(settings) {
    const { hidden: [units] } = settings, square = needs(settings, ["square", "star"]);
    const hidden = square && !isSquare(settings) ? [units, units] : settings.hidden;
    return { ...settings, hidden, batch: needs(settings, ["star"]) ? units : settings.batch };
  }

  /** Say why settings cannot run, or return null. */
  function problem(settings) {
    const { hidden, batch } = settings;
    if (needs(settings, ["square", "star"]) && !isSquare(settings)) {
      return `This bug hides in a layer with as many inputs as outputs. In 784-${hidden.join("-")}-10 there is none, and NumPy would refuse it.`;
    }
    if (needs(settings, ["star"]) && batch !== hidden[0]) return starMessage(batch, hidden[0]);
    return null;
  }

  Object.assign(MnistLab, { DEFAULTS, complete, fitted, problem, Network, Batches, activationOf, softmax, argmax, examine });
});
