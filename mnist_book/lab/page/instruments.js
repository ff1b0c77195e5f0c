// What the instruments read off a run. A reading has a verdict, a few words that tell one bug from
// another, a sentence for people (says), and the numbers to draw.
//
// A run has settings, digits, step, shown (the number of a test picture), and two sides, `mine` and
// `right`: {network, batches, accuracy, firstBatch, firstLoss, firstWeights, recent}. firstBatch is
// {x, labels, pictures}, a copy of the batch that it began with; recent are its last losses.
MnistLab.part(function (MnistLab) {
  "use strict";
  const { Network, Batches, Random, softmax, argmax, examine } = MnistLab;
  const PIXELS = 784, CLASSES = 10, LN10 = 2.302585092994046;
  const TEST = 512; // test pictures to ask

  // ---- Small tools -------------------------------------------------------------------------------

  const norm = (array) => Math.sqrt(array.reduce((sum, value) => sum + value * value, 0));
  const mean = (array) => array.reduce((sum, value) => sum + value / array.length, 0);
  const deviation = (array) => {
    const middle = array[0] + mean(array.map((value) => value - array[0])); // exact where all are equal
    return Math.sqrt(mean(array.map((value) => (value - middle) ** 2)));
  };
  const largest = (array) => array.reduce((most, value) => (value > most || Number.isNaN(value) ? value : most), -Infinity);
  const smallest = (array) => -largest(Array.from(array, (value) => -value));
  const number = (value, digits = 3) => (Number.isFinite(value) ? String(Number(value.toPrecision(digits))) : String(value).replace("NaN", "nan"));
  const percent = (share) => `${(100 * share).toFixed(1)} %`;
  const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

  /** Say in a word how a size compares with what it should be. */
  function compared(value, right) {
    if (!Number.isFinite(value)) return "nan";
    if (value === 0 && right !== 0) return "zero";
    const ratio = value / right;
    return ratio > 10 ? "far larger" : ratio > 2 ? "larger" : ratio < 0.1 ? "far smaller" : ratio < 0.5 ? "smaller" : "alike";
  }

  const layerName = (network, k) => (k === network.last ? "scores" : `hidden ${k + 1}`);
  const parameterNames = (network) => ["W", "b"].flatMap((letter) => network.weights.map((_, k) => `${letter}${k + 1}`));
  const parametersOf = (network) => [...network.weights, ...network.biases];
  const gradientsOf = (network) => [...network.dWeights, ...network.dBiases];

  // ---- Live --------------------------------------------------------------------------------------

  function firstLoss({ mine, right }) {
    const loss = mine.firstLoss, away = Math.abs(loss - LN10);
    const verdict =
      !Number.isFinite(loss) ? "nan" : away < 1e-9 ? "exactly ln 10" : away < 0.7 ? "near ln 10" :
      loss < LN10 ? "too low" : loss < 12 ? "high" : "huge";
    const says = `The first loss is ${number(loss)}, that of the right network ${number(right.firstLoss)}; ln 10 is 2.303.`;
    return { verdict, says, loss, right: right.firstLoss };
  }

  function curve({ mine, right }) {
    const recent = (side) => (side.recent.length > 0 ? mean(side.recent) : side.firstLoss);
    const loss = recent(mine), of = recent(right), { accuracy } = mine, rightAccuracy = right.accuracy;
    const course =
      !Number.isFinite(loss) ? "nan" : Math.abs(loss - LN10) < 0.12 && of < 2 ? "flat at ln 10" :
      loss > mine.firstLoss + 0.5 ? "rises" : loss > 1.5 * of + 0.1 ? "falls less" :
      loss < 0.5 * of - 0.05 ? "falls further" : "falls alike";
    const gap = rightAccuracy - accuracy;
    const score = accuracy < 0.2 ? "chance" : gap > 0.3 ? "much worse" : gap > 0.05 ? "worse" : "alike";
    const says =
      `The loss is ${number(loss)} now, ${percent(accuracy)} of the test pictures are right; ` +
      `the right network is at ${number(of)} and ${percent(rightAccuracy)}.`;
    return { verdict: `${course}, ${score}`, says, loss, right: of, accuracy, rightAccuracy };
  }

  function rowSums({ mine, settings }) {
    const { network, batches } = mine, rows = settings.batch;
    const { x } = batches.test(TEST).next().value, { p } = network.forward(x, rows);
    const row = (i) => p.subarray(i * CLASSES, (i + 1) * CLASSES);
    const add = (array) => array.reduce((sum, value) => sum + value, 0);
    const sums = Array.from({ length: rows }, (_, i) => add(row(i)));
    const columns = Array.from({ length: CLASSES }, (_, j) => add(sums.map((_, i) => p[i * CLASSES + j])));
    const ones = (array) => array.every((sum) => Math.abs(sum - 1) < 1e-6);
    const total = add(sums), lowest = smallest(sums), highest = largest(sums);
    const negative = p.some((value) => value < 0);
    const verdict =
      !Number.isFinite(total) ? "nan" : negative ? "negative" : ones(sums) ? "rows 1" :
      ones(columns) ? "columns 1" : ones([total]) ? "all together 1" : "none 1";
    const says =
      `The ten probabilities of a picture add up to between ${number(lowest)} and ${number(highest)}; ` +
      `those of all ${rows} pictures to ${number(total)}, ${negative ? "and some are negative" : "none is negative"}.`;
    return { verdict, says, sums: sums.slice(0, 32), columns, total, lowest, highest };
  }

  /** Activations and gradients of each layer for the batch that training began with. */
  function layers({ mine, right, settings }) {
    const of = ({ network, firstBatch }) => {
      const copy = network.copy();
      copy.lossAndGradients(firstBatch.x, firstBatch.labels, settings.batch);
      const { z, a, dZ } = copy.room(settings.batch);
      return copy.weights.map((weights, k) => {
        const values = k === copy.last ? z[k] : a[k];
        return {
          activation: { mean: mean(values), std: deviation(values) },
          gradient: norm(dZ[k]) / Math.sqrt(dZ[k].length),
          step: (copy.rateOf(k, settings.batch) * norm(copy.dWeights[k])) / norm(weights),
        };
      });
    };
    const ofRight = of(right);
    const found = of(mine).map((layer, k) => ({ name: layerName(mine.network, k), ...layer, right: ofRight[k] }));
    const first = found[0], scores = found.at(-1);
    const verdict = [
      compared(first.activation.std, first.right.activation.std),
      compared(scores.activation.std, scores.right.activation.std),
      compared(first.gradient, first.right.gradient),
    ].join(", ");
    const says = found.map(({ name, activation, gradient, right }) =>
      `${name}: values spread by ${number(activation.std)} (right: ${number(right.activation.std)}), ` +
      `gradients ${number(gradient)} (right: ${number(right.gradient)})`).join("; ");
    return { verdict, says: `${says}.`, layers: found };
  }

  function dead({ mine }) {
    const { network, batches } = mine, found = [];
    for (let k = 0; k < network.last; k++) {
      const units = network.sizes[k + 1];
      found.push({ units, on: new Uint32Array(units), asked: 0 });
    }
    for (const { x } of batches.test(TEST)) {
      const { z } = network.forward(x, batches.size);
      for (const [k, layer] of found.entries()) {
        z[k].forEach((value, i) => (layer.on[i % layer.units] += value > 0));
        layer.asked += batches.size;
      }
    }
    const listed = found.map(({ units, on, asked }) => {
      const those = (times) => [...on.keys()].filter((unit) => on[unit] === times);
      return { units, dead: those(0), always: those(asked) };
    });
    const { units, dead: off, always } = listed[0];
    const some = (list) => (list.length === units ? "all" : list.length > units / 2 ? "most" : list.length > units / 8 ? "some" : "few");
    const says = listed.map((layer, k) =>
      `Of the ${layer.units} units of ${layerName(network, k)}, ${layer.dead.length} are positive for no test picture and ` +
      `${layer.always.length} for each of them.`).join(" ");
    return { verdict: `off: ${some(off)}, on: ${some(always)}`, says, layers: listed };
  }

  /** The first layer's weights, as they are; and how far they spread when training began. */
  function weights({ mine, right }) {
    const { network, firstWeights } = mine, [w] = network.weights, units = network.sizes[1];
    const pixels = new Float32Array(w.length);
    for (let unit = 0; unit < units; unit++) {
      for (let i = 0; i < PIXELS; i++) pixels[unit * PIXELS + i] = w[i * units + unit];
    }
    const alike = pixels.every((value, i) =>
      Math.abs(value - pixels[i % PIXELS]) <= 1e-6 * Math.abs(value) + 1e-12);
    const limit = largest(pixels.map(Math.abs)), share = mean(firstWeights.map((value) => value > 0));
    const first = deviation(firstWeights), ofRight = deviation(right.firstWeights);
    const verdict =
      limit === 0 ? "all zero" : alike ? "all units alike" :
      `${share > 0.95 ? "positive, " : ""}${compared(first, ofRight)}`;
    const says =
      `The weights of the first layer spread by ${number(deviation(w))} around ${number(mean(w))}. When training ` +
      `began they spread by ${number(first)}, ${percent(share)} of them above 0; the right ones by ${number(ofRight)}.` +
      `${alike ? " All units have the same ones." : ""}`;
    return { verdict, says, units, pixels, limit };
  }

  function predictions({ mine, right }) {
    const countsOf = (list) => Array.from({ length: CLASSES }, (_, digit) => list.filter((one) => one === digit).length);
    const { answers, labels } = examine(mine.network, mine.batches, TEST);
    const counts = countsOf(answers), never = counts.filter((times) => times === 0).length;
    const share = largest(counts) / answers.length;
    const verdict = share > 0.9 ? "one digit" : never > 3 ? "few digits" : never > 0 ? "some never" : "all digits";
    const says =
      `Its most frequent answer, ${counts.indexOf(largest(counts))}, goes to ${percent(share)} of the test pictures; ` +
      `${count(never, "digit is", "digits are")} never the answer.`;
    const ofRight = examine(right.network, right.batches, TEST);
    return { verdict, says, counts, right: countsOf(ofRight.answers), truth: countsOf(labels) };
  }

  /** What happens to one test picture on its way through the network. */
  function example({ mine, digits, shown = 0 }) {
    const { network, batches } = mine, { train } = digits, tests = digits.labels.length - train;
    const index = shown % tests, { size } = batches, { last } = network;
    // It comes first in a batch of test pictures: some bugs let no picture come alone.
    const batch = Array.from({ length: size }, (_, i) => train + ((index + i) % tests));
    const { a, p } = network.forward(batches.fill(batch).x, size);
    const units = (k) => Array.from(a[k].subarray(0, network.sizes[k + 1]));
    const probabilities = Array.from(p.subarray(0, CLASSES)), outgoing = Float32Array.from(network.weights[last]);
    const label = digits.labels[train + index], answer = argmax(probabilities, 0, CLASSES);
    const image = digits.images.slice((train + index) * PIXELS, (train + index + 1) * PIXELS);
    return {
      verdict: answer === label ? "right" : "wrong",
      says: `It takes this ${label} for ${answer === label ? "what it is" : `a ${answer}`}, with ${percent(probabilities[answer])}.`,
      index, image, label, units: units(0), second: last > 1 ? units(1) : null, probabilities,
      outgoing, limit: largest(outgoing.map(Math.abs)),
    };
  }

  // ---- On demand ---------------------------------------------------------------------------------

  function pictures({ mine, digits }) {
    const { batches, firstBatch } = mine, some = firstBatch.pictures.slice(0, 12);
    const images = new Uint8Array(12 * PIXELS);
    some.forEach((picture, row) => images.set(digits.images.subarray(picture * PIXELS, (picture + 1) * PIXELS), row * PIXELS));
    const labels = firstBatch.labels.slice(0, 12), kinds = new Set(firstBatch.labels).size;
    const lowest = smallest(firstBatch.x), highest = largest(firstBatch.x);
    const different = new Set(batches.pictures).size / batches.pictures.length;
    const fitting = some.filter((picture, row) => digits.labels[picture] === labels[row]).length;
    const verdict = [
      highest > 1 ? "0 to 255" : "0 to 1",
      different < 0.95 ? "pictures repeated" : "pictures different",
      kinds === 1 ? "one digit" : "many digits",
      fitting >= 11 ? "labels fit" : fitting >= 5 ? "some labels fit" : "labels do not fit",
    ].join(", ");
    const says =
      `Pixels go from ${number(lowest)} to ${number(highest)}. ${percent(different)} of the training pictures are different ones. ` +
      `The first batch has ${count(kinds, "kind")} of digits. Look whether each label belongs to its picture.`;
    return { verdict, says, images, labels, lowest, highest, different };
  }

  /** Compare what the program takes for its gradients with measured slopes of its loss. */
  function gradientCheck({ mine, settings }) {
    const network = mine.network.copy(), { x, labels } = mine.firstBatch, rows = settings.batch;
    network.dWeights.concat(network.dBiases).forEach((array) => array.fill(0));
    const random = new Random(settings.seed, 3), measured = [];
    network.lossAndGradients(x, labels, rows); // twice, as training does: a second call may differ
    network.lossAndGradients(x, labels, rows);
    const claimed = gradientsOf(network).map((array) => array.slice());
    parametersOf(network).forEach((parameter, which) => {
      const entries = someEntries(claimed[which], random);
      const analytic = entries.map((entry) => claimed[which][entry]);
      const numeric = entries.map((entry) => slopeOf(network, parameter, entry, x, labels, rows));
      measured.push(agreement(parameterNames(network)[which], analytic, numeric));
    });
    const verdict = measured.map(({ name, verdict }) => `${name} ${verdict}`).join(", ");
    const wrong = measured.filter(({ verdict }) => verdict !== "right");
    const says = wrong.length === 0 ? "Measured slopes agree with all gradients." :
      wrong.map(({ name, verdict, error }) => `${name}: ${SAYS[verdict] ?? `the gradient is ${verdict} the measured one`} (error ${number(error)})`).join("; ") + ".";
    return { verdict, says, parameters: measured };
  }

  const SAYS = {
    opposite: "the gradient points uphill", other: "the gradient is another one", nan: "there is nan",
    "not 0": "the gradient should be 0", "is 0": "the gradient is 0 and should not be",
  };

  /** Half of the entries are the largest gradients, half are drawn. */
  function someEntries(gradient, random, most = 24) {
    const all = [...gradient.keys()];
    if (all.length <= most) return all;
    const size = (entry) => Math.abs(gradient[entry]) || 0;
    const top = all.sort((i, j) => size(j) - size(i) || i - j).slice(0, most / 2);
    return [...new Set([...top, ...Array.from({ length: most / 2 }, () => random.below(gradient.length))])];
  }

  function slopeOf(network, parameter, entry, x, labels, rows, step = 1e-5) {
    const value = parameter[entry];
    parameter[entry] = value + step;
    const above = network.loss(x, labels, rows);
    parameter[entry] = value - step;
    const below = network.loss(x, labels, rows);
    parameter[entry] = value;
    return (above - below) / (2 * step);
  }

  function agreement(name, analytic, numeric) {
    const difference = norm(analytic.map((value, i) => value - numeric[i]));
    const size = norm(analytic) + norm(numeric), error = size === 0 ? 0 : difference / size;
    const along = analytic.reduce((sum, value, i) => sum + value * numeric[i], 0) / (norm(analytic) * norm(numeric));
    const ratio = norm(analytic) / norm(numeric);
    const verdict =
      !Number.isFinite(error) ? "nan" : error < 1e-4 || difference < 1e-8 ? "right" :
      norm(numeric) < 1e-7 * size ? "not 0" : norm(analytic) < 1e-7 * size ? "is 0" :
      along < -0.999999 ? "opposite" : along > 0.999999 ? `${number(ratio, 2)} times` : "other";
    const worst = analytic.reduce((at, value, i) => (Math.abs(value - numeric[i]) > Math.abs(analytic[at] - numeric[at]) ? i : at), 0);
    return { name, verdict, error, worst: { analytic: analytic[worst], numeric: numeric[worst] } };
  }

  /** Train a new network 300 steps on one batch alone. */
  function oneBatch({ mine, settings, digits }, steps = 300) {
    const { labels, size } = { labels: digits.labels, size: settings.batch };
    const batch = { images: digits.images.subarray(0, size * PIXELS), labels: labels.subarray(0, size), train: size };
    const network = new Network(settings), batches = new Batches(batch, settings), losses = [];
    for (let step = 0; step < steps; step++) {
      const { x, labels } = batches.draw();
      losses.push(network.lossAndGradients(x, labels, size));
      network.step(size);
    }
    const { x, labels: truth } = batches.draw(), { p } = network.forward(x, size);
    const accuracy = truth.filter((label, row) => argmax(p, row * CLASSES, CLASSES) === label).length / size;
    const last = losses.at(-1);
    const verdict = !Number.isFinite(last) ? "nan" : last < 0.15 && accuracy === 1 ? "learned" : last < losses[0] - 1 ? "partly learned" : "not learned";
    const says = `After ${steps} steps on one batch the loss is ${number(last)}, and ${percent(accuracy)} of its pictures are right.`;
    return { verdict, says, losses, accuracy };
  }

  /** Give a new network the first batch once, and the same pictures twice in one batch. */
  function otherBatch({ mine, settings }) {
    const { x, labels } = mine.firstBatch, size = settings.batch, sizes = [size, 2 * size];
    const twice = (array) => { const both = new Float64Array(2 * array.length); both.set(array); both.set(array, array.length); return both; };
    const of = (x, labels, rows) => {
      const network = new Network(settings), before = parametersOf(network).map((array) => array.slice());
      const loss = network.lossAndGradients(x, labels, rows);
      network.step(rows);
      const moved = parametersOf(network).map((array, which) => norm(array.map((value, i) => value - before[which][i])));
      return { loss, step: norm(moved) };
    };
    const once = of(x, labels, size);
    let both;
    try {
      both = of(twice(x), [...labels, ...labels], 2 * size);
    } catch (error) {
      return { verdict: "error", says: `With ${2 * size} pictures it stops: ${error.message}.`, sizes, losses: [once.loss], steps: [once.step], problem: error.message };
    }
    const more = both.loss - once.loss, ratio = both.step / once.step;
    const verdict = [
      !Number.isFinite(more) ? "loss nan" : Math.abs(more) < 1e-6 ? "loss alike" : `loss ${more > 0 ? "+" : ""}${number(more, 2)}`,
      !Number.isFinite(ratio) ? "no step" : Math.abs(ratio - 1) < 1e-6 ? "step alike" : `step times ${number(ratio, 2)}`,
    ].join(", ");
    const says =
      `The same ${size} pictures once and twice in a batch: the loss is ${number(once.loss)} and ${number(both.loss)}, ` +
      `the step ${number(once.step)} and ${number(both.step)} long.`;
    return { verdict, says, sizes, losses: [once.loss, both.loss], steps: [once.step, both.step], problem: null };
  }

  /** Ask for the same picture alone, in other company and in another order. */
  function rows({ mine, settings }) {
    const { network, firstBatch } = mine, size = settings.batch, { x } = firstBatch;
    const whole = network.forward(x, size).p.slice();
    const change = (p, row, of = 0) => {
      let most = 0;
      for (let j = 0; j < CLASSES; j++) {
        const difference = Math.abs(p[row * CLASSES + j] - whole[of * CLASSES + j]);
        most = Number.isNaN(difference) ? NaN : Math.max(most, difference);
      }
      return most;
    };
    const others = x.map((value, i) => (i < PIXELS ? value : x[PIXELS + ((i - PIXELS + PIXELS) % (x.length - PIXELS))] * 0.5));
    const turned = new Float64Array(x.length);
    for (let row = 0; row < size; row++) turned.set(x.subarray(row * PIXELS, (row + 1) * PIXELS), (size - 1 - row) * PIXELS);
    let alone = null, problem = null;
    try {
      alone = change(network.forward(x.slice(0, PIXELS), 1).p, 0);
    } catch (error) {
      problem = error.message;
    }
    const company = change(network.forward(others, size).p, 0);
    const order = change(network.forward(turned, size).p, size - 1);
    const word = (value) => (Number.isNaN(value) ? "nan" : value > 1e-9 ? "changes" : "same");
    const verdict = `alone: ${problem ? "error" : word(alone)}, company: ${word(company)}, order: ${word(order)}`;
    const says =
      `A probability changes by ${problem ? `an error (${problem})` : number(alone)} when its picture is asked alone, by ` +
      `${number(company)} among other pictures, and by ${number(order)} when the order is turned round.`;
    return { verdict, says, alone, company, order, problem };
  }

  /** Ask the program's softmax for small and for large scores. */
  function askSoftmax({ settings }) {
    const small = [[2, 1, 0], [0, 1, 3]], large = small.map((row) => row.map((score) => score + 1000));
    const of = (scores, bugs) => {
      const p = new Float64Array(6);
      softmax(Float64Array.from(scores.flat()), 2, 3, bugs, p);
      if (bugs.includes("softmax.squashed")) softmax(p.slice(), 2, 3, bugs, p);
      return [[...p.subarray(0, 3)], [...p.subarray(3)]];
    };
    const tables = [small, large].map((scores) => ({ scores, probabilities: of(scores, settings.bugs), right: of(scores, []) }));
    const shown = tables.map(({ probabilities }) => probabilities[0].map((p) => (Number.isFinite(p) ? p.toFixed(2) : number(p))).join(" "));
    const says = `For the scores 2, 1, 0 it gives ${shown[0]} (right: 0.67 0.24 0.09), and with 1000 added to each ${shown[1]}.`;
    return { verdict: shown.join("; "), says, tables };
  }

  /** Ask the activation, and what is taken for its derivative. */
  function bend({ mine, right }) {
    const z = Float64Array.from({ length: 121 }, (_, i) => (i - 60) / 20);
    const of = ({ activation }) => {
      const a = z.map(activation.value);
      return { a, derivative: z.map((value, i) => activation.derivative(value, a[i])) };
    };
    const found = of(mine.network), at = (array, value) => number(array[60 + 20 * value], 2);
    const verdict = [-2, -1, 1, 2].map((value) => `${at(found.a, value)} (${at(found.derivative, value)})`).join(", ");
    const says = `At -2, -1, 1 and 2 it gives, with its derivative behind: ${verdict}.`;
    return { verdict, says, z, ...found, right: of(right.network) };
  }

  /** Compare a step with rate times gradient, and see how much of it goes on without a gradient. */
  function oneStep({ mine, settings }) {
    const network = mine.network.copy(), { x, labels } = mine.firstBatch, rows = settings.batch;
    network.velocities.forEach((array) => array.fill(0));
    const walk = () => {
      const before = parametersOf(network).map((array) => array.slice());
      network.step(rows);
      return parametersOf(network).map((array, which) => array.map((value, i) => value - before[which][i]));
    };
    network.lossAndGradients(x, labels, rows);
    const names = parameterNames(network), gradients = gradientsOf(network).map((array) => array.slice());
    const moved = walk();
    gradientsOf(network).forEach((array) => array.fill(0));
    const coasted = walk();
    const found = moved.map((by, which) => {
      const wanted = gradients[which].map((value) => -settings.rate * value), size = norm(wanted);
      const ratio = size === 0 ? null : by.reduce((sum, value, i) => sum + value * wanted[i], 0) / size ** 2;
      return { name: names[which], ratio };
    });
    const fading = norm(coasted.map(norm)) / norm(moved.map(norm));
    const words = found.filter(({ ratio }) => ratio !== null).map(({ name, ratio }) => `${name} ${number(ratio, 2)}`);
    const verdict = `${words.join(", ")}; goes on: ${number(fading, 2)}`;
    const says = `As a multiple of rate times gradient a step is: ${words.join(", ")}. Of it ${number(fading, 2)} goes on without a gradient (momentum: ${settings.momentum}).`;
    return { verdict, says, parameters: found, fading };
  }

  // ---- The list ----------------------------------------------------------------------------------

  const READ = {
    first_loss: firstLoss, curve, example, row_sums: rowSums, layers, dead, weights, predictions, pictures,
    gradient_check: gradientCheck, one_batch: oneBatch, other_batch: otherBatch, rows,
    softmax: askSoftmax, bend, step: oneStep,
  };

  const instrument = (id, name, chapter, page, live, how) => ({ id, name, chapter, page, live, how });
  const INSTRUMENTS = [
    instrument("first_loss", "First loss", 3, "03-softmax", true,
      "A network that knows nothing should be surprised by ln 10 = 2.303. More: it is sure of what it cannot know."),
    instrument("curve", "Loss and accuracy", 7, "07-training", true,
      "Compare with the right network from the same seed: a curve makes you suspect, a check decides."),
    instrument("row_sums", "Sums of the probabilities", 3, "03-softmax", true,
      "The ten probabilities of a picture add up to 1. Another sum means a sum over the wrong numbers."),
    instrument("layers", "Activations and gradients", 5, "05-initialization", true,
      "From layer to layer both should keep their size. What is behind the first odd layer is not to blame."),
    instrument("dead", "Dead units", 4, "04-leaky-relu", true,
      "A unit that is positive for no picture tells nothing; one that is positive for all of them bends nothing."),
    instrument("weights", "First weights as pictures", 5, "05-initialization", true,
      "Each square is what a unit looks for. Units that look alike do the work of one."),
    instrument("predictions", "What it answers", 8, "08-mistakes", true,
      "All ten digits should come about equally often. One answer for everything is no answer."),
    instrument("example", "One picture", 4, "04-leaky-relu", true,
      "What a unit makes of the picture goes on to the next layer, and at last to ten probabilities."),
    instrument("pictures", "Twelve pictures with their labels", 7, "07-training", false,
      "Look at what the network is fed, after shuffling: the range, the labels, pictures that come twice."),
    instrument("gradient_check", "Gradient check", 6, "06-backpropagation", false,
      "Nudge a parameter, measure how the loss changes, compare. Errors above a ten-thousandth are bugs."),
    instrument("one_batch", "One batch by heart", 7, "07-training", false,
      "A network must be able to learn a few pictures by heart. If it cannot, there is a bug in it."),
    instrument("other_batch", "A second batch size", 2, "02-matrix-product", false,
      "The same pictures twice in a batch change neither the mean loss nor the step."),
    instrument("rows", "Rows shuffled", 3, "03-softmax", false,
      "The answer to a picture must not depend on the others in its batch, nor on its place."),
    instrument("softmax", "Ask the softmax", 3, "03-softmax", false,
      "Known scores have known probabilities, and 1000 added to each changes nothing."),
    instrument("bend", "Ask the activation", 4, "04-leaky-relu", false,
      "The derivative must be the slope of the curve above it, everywhere."),
    instrument("step", "One step", 7, "07-training", false,
      "A step should be minus the rate times the gradient: 1 for every parameter."),
  ];

  /**
   * Read an instrument. What is asked for and not live needs reasonable numbers: where training has
   * left none, it gets a new network from the same first weights. An Error is a reading, too.
   */
  function read(id, run) {
    const { live } = INSTRUMENTS.find((one) => one.id === id) ?? {}, { mine, settings } = run;
    try {
      if (live || isReasonable(mine, settings)) return READ[id](run);
      const reading = READ[id]({ ...run, mine: { ...mine, network: new Network(settings) } });
      return { ...reading, says: `${reading.says} (The loss is out of bounds; this is a new network from the same first weights.)` };
    } catch (error) {
      if (!(id in READ)) throw error;
      return { verdict: "error", says: `It stops: ${error.message}.`, problem: error.message };
    }
  }

  function isReasonable({ network, firstBatch }, settings) {
    return network.loss(firstBatch.x, firstBatch.labels, settings.batch) < 12;
  }

  Object.assign(MnistLab, { INSTRUMENTS, read });
});
