// Pictures on canvases: digits, weights, and the network with one picture passing through it.
(() => {
  "use strict";
  const { sheet, figure, percent } = MnistLab;
  const SIDE = 28, PIXELS = SIDE * SIDE;
  const SHOWN = 0.04; // the share of the largest part of a score from which on a line is drawn

  const strip = document.createElement("canvas");

  /** The channels of a colour that the style sheet gave: "rgb(0, 114, 178)" or "#0072b2". */
  function channels(colour) {
    const hexadecimal = colour.match(/^#(..)(..)(..)$/);
    if (hexadecimal) return hexadecimal.slice(1).map((pair) => parseInt(pair, 16));
    return colour.match(/[\d.]+/g).slice(0, 3).map(Number);
  }

  /** The 256 shades from one colour to another, each a pixel of an image. */
  function shades(paper, colour) {
    const from = channels(paper), to = channels(colour), pixels = new Uint8ClampedArray(4 * 256);
    for (let share = 0; share < 256; share++)
      for (let c = 0; c < 4; c++)
        pixels[4 * share + c] = c === 3 ? 255 : from[c] + (share / 255) * (to[c] - from[c]);
    return new Uint32Array(pixels.buffer);
  }

  /**
   * Paint pictures one below the other on a canvas that nobody sees, to take them from.
   *
   * numbers: (count * 784,), from -limit, in the colour `minus`, through paper to limit, `plus`; what
   * is no number is grey.
   */
  function stripOf(numbers, limit, { paper, plus, minus, line }) {
    const count = Math.floor(numbers.length / PIXELS), inner = strip.getContext("2d");
    if (strip.height !== SIDE * count) [strip.width, strip.height] = [SIDE, SIDE * count];
    const image = inner.createImageData(SIDE, SIDE * count), data = new Uint32Array(image.data.buffer);
    const up = shades(paper, plus), down = shades(paper, minus), grey = shades(paper, line)[127];
    const scale = 255 / (limit || 1);
    for (let i = 0; i < data.length; i++) {
      const share = Math.round(Math.min(255, Math.abs(numbers[i] * scale)));
      data[i] = Number.isFinite(numbers[i]) ? (numbers[i] < 0 ? down : up)[share] : grey;
    }
    inner.putImageData(image, 0, 0);
    return (context, number, x, y, size) => {
      context.imageSmoothingEnabled = false;
      context.drawImage(strip, 0, number * SIDE, SIDE, SIDE, x, y, size, size);
    };
  }

  const ink = (colours) => ({ ...colours, plus: colours.ink });

  /** The weights of the first layer, a picture for each unit. pixels: (units * 784,) */
  function paintWeights(canvas, { pixels, units, limit }) {
    const { context, width, height, colours } = sheet(canvas);
    const columns = Math.min(units, width > 420 ? 16 : 8), rows = Math.ceil(units / columns), gap = 3;
    const size = Math.min((width + gap) / columns, (height + gap) / rows) - gap;
    const paint = stripOf(pixels, limit, colours);
    for (let unit = 0; unit < units; unit++) {
      const x = (unit % columns) * (size + gap), y = Math.floor(unit / columns) * (size + gap);
      paint(context, unit, x, y, size);
      context.strokeStyle = colours.faint;
      context.lineWidth = 1;
      context.strokeRect(x + 0.5, y + 0.5, size - 1, size - 1);
    }
  }

  /** Pictures with a word below each, such as the label. images: bytes or shares (count * 784,) */
  function paintDigits(canvas, { images, limit, words }) {
    const { context, width, height, colours } = sheet(canvas);
    const columns = Math.min(words.length, width > 380 ? 12 : 6);
    const rows = Math.ceil(words.length / columns), step = width / columns;
    const size = Math.min(step - 6, height / rows - 22);
    const paint = stripOf(images, limit, ink(colours));
    context.textAlign = "center";
    words.forEach((word, i) => {
      const x = (i % columns) * step + (step - size) / 2;
      const y = Math.floor(i / columns) * (height / rows);
      paint(context, i, x, y, size);
      context.strokeStyle = colours.faint;
      context.strokeRect(x, y, size, size);
      context.fillStyle = colours.ink;
      context.fillText(word, x + size / 2, y + size + 11);
    });
  }

  /**
   * The network, from left to right, and one picture passing through it: its pixels; the units of the
   * first layer as pictures of their weights, the brighter the more they answer; what each of the last
   * hidden layer adds to each score, as a line; and the probabilities.
   */
  function paintNetwork(canvas, { image, label, units, second, probabilities, outgoing }, weights) {
    const { context, width, height, colours } = sheet(canvas);
    const narrow = width < 420, last = second ?? units;
    const shown = narrow ? 56 : 92, bars = narrow ? 66 : 150;
    const middle = { left: shown + (narrow ? 14 : 44), right: width - bars - (narrow ? 34 : 70) };
    const place = second
      ? [
          gridOf(units.length, middle.left, middle.left + (middle.right - middle.left) * 0.56),
          gridOf(second.length, middle.left + (middle.right - middle.left) * 0.72, middle.right),
        ]
      : [gridOf(units.length, middle.left, middle.right)];
    const toBars = width - bars, rowStep = (height - 8) / 10;
    const barY = (digit) => 4 + (digit + 0.5) * rowStep;
    paintFan();
    paintParts(place.at(-1));
    if (second) paintDiscs(second, place[1]);
    if (weights?.units === units.length) paintUnitPictures(place[0]);
    else paintDiscs(units, place[0]);
    paintPicture();
    paintAnswers();
    if (!probabilities.every(Number.isFinite)) paintNan(place[0]);

    /** Places for units in columns: their centres, and how wide each may be. */
    function gridOf(count, left, right) {
      const columns = Math.max(1, Math.round(Math.sqrt((count * (right - left)) / height)));
      const rows = Math.ceil(count / columns);
      const step = Math.min((right - left) / columns, height / rows);
      const x0 = (left + right - step * columns) / 2, y0 = (height - step * rows) / 2;
      const centres = Array.from({ length: count }, (_, i) => [
        x0 + (Math.floor(i / rows) + 0.5) * step, y0 + ((i % rows) + 0.5) * step,
      ]);
      return { centres, size: step - 3, left: x0, right: x0 + step * columns };
    }

    function paintFan() {
      context.strokeStyle = colours.line;
      context.globalAlpha = 0.35;
      context.lineWidth = 1;
      for (const [x, y] of place[0].centres) {
        context.beginPath();
        context.moveTo(shown, height / 2);
        context.bezierCurveTo(shown + 20, height / 2, x - 30, y, x, y);
        context.stroke();
      }
      context.globalAlpha = 1;
    }

    /** What unit j adds to score k is its activation times its weight: the wider, the more. */
    function paintParts({ centres }) {
      const parts = last.map((activation, j) =>
        Array.from({ length: 10 }, (_, k) => activation * outgoing[10 * j + k]));
      const most = Math.max(...parts.flat().filter(Number.isFinite).map(Math.abs), 1e-12);
      parts.forEach((row, j) => {
        const [x, y] = centres[j];
        row.forEach((part, k) => {
          const share = Math.abs(part) / most;
          if (!(share > SHOWN)) return;
          context.strokeStyle = part > 0 ? colours.plus : colours.minus;
          context.setLineDash(part > 0 ? [] : [5, 3]);
          context.globalAlpha = 0.15 + 0.6 * share;
          context.lineWidth = 0.6 + 2.6 * share;
          context.beginPath();
          context.moveTo(x, y);
          context.bezierCurveTo(x + 40, y, toBars - 60, barY(k), toBars - 14, barY(k));
          context.stroke();
        });
      });
      context.setLineDash([]);
      context.globalAlpha = 1;
    }

    function paintDiscs(activations, { centres, size }) {
      const most = Math.max(...activations.filter(Number.isFinite).map(Math.abs), 1e-12);
      activations.forEach((activation, i) => {
        const share = Number.isFinite(activation) ? Math.abs(activation) / most : 1;
        context.beginPath();
        context.arc(...centres[i], size * 0.42, 0, 2 * Math.PI);
        context.fillStyle = colours.paper;
        context.fill();
        context.globalAlpha = share;
        context.fillStyle = activation < 0 ? colours.minus : colours.plus;
        context.fill();
        context.globalAlpha = 1;
        context.strokeStyle = colours.line;
        context.lineWidth = 1;
        context.stroke();
      });
    }

    function paintUnitPictures({ centres, size }) {
      const paint = stripOf(weights.pixels, weights.limit, colours);
      const most = Math.max(...units.filter(Number.isFinite).map(Math.abs), 1e-12);
      units.forEach((activation, i) => {
        const share = Number.isFinite(activation) ? Math.abs(activation) / most : 1;
        const [x, y] = [centres[i][0] - size / 2, centres[i][1] - size / 2];
        context.fillStyle = colours.paper;
        context.fillRect(x, y, size, size);
        context.globalAlpha = 0.35 + 0.65 * share;
        paint(context, i, x, y, size);
        context.globalAlpha = 1;
        context.lineWidth = share > 0.02 && activation > 0 ? 1 + 2 * share : 1;
        context.strokeStyle = activation > 0 && share > 0.02 ? colours.plus : colours.faint;
        context.strokeRect(x, y, size, size);
      });
    }

    function paintNan({ left, right }) {
      context.font = context.font.replace(/^(600 )?12px/, "600 28px");
      context.textAlign = "center";
      context.lineWidth = 8;
      context.strokeStyle = colours.paper;
      context.strokeText("nan", (left + right) / 2, height / 2);
      context.fillStyle = colours.mine;
      context.fillText("nan", (left + right) / 2, height / 2);
    }

    function paintPicture() {
      const paint = stripOf(image, 255, ink(colours)), y = (height - shown) / 2;
      paint(context, 0, 0, y, shown);
      context.lineWidth = 1;
      context.strokeStyle = colours.line;
      context.strokeRect(0.5, y + 0.5, shown - 1, shown - 1);
      context.fillStyle = colours.quiet;
      context.textAlign = "center";
      context.fillText(`label ${label}`, shown / 2, y + shown + 13);
    }

    function paintAnswers() {
      const best = probabilities.reduce((top, p, k) => (p > probabilities[top] ? k : top), 0);
      probabilities.forEach((p, k) => {
        const y = barY(k), left = toBars + 14, right = width - (narrow ? 4 : 56);
        const thick = Math.min(13, rowStep * 0.6);
        context.textAlign = "center";
        context.fillStyle = colours.ink;
        context.font = context.font.replace(/^(600 )?/, k === best ? "600 " : "");
        context.fillText(String(k), toBars, y);
        context.fillStyle = colours.faint;
        context.fillRect(left, y - thick / 2, right - left, thick);
        context.fillStyle = k === label ? colours.twin : colours.mine;
        const share = Number.isFinite(p) ? Math.min(1, Math.max(0, p)) : 0;
        context.fillRect(left, y - thick / 2, share * (right - left), thick);
        if (narrow) return;
        context.textAlign = "right";
        context.fillStyle = k === best ? colours.ink : colours.quiet;
        const text = p >= 0 && p <= 1 ? percent(p) : figure(p);
        context.fillText(text, width, y);
      });
    }
  }

  Object.assign(MnistLab, { paintWeights, paintDigits, paintNetwork });
})();
