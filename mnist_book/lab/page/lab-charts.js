// Charts on canvases, in the colours of the page around them. Nothing here knows what a bug is:
// numbers come in, lines, bars and dots come out.
(() => {
  "use strict";

  const { figure, grouped } = MnistLab;
  const COLOURS = ["ink", "quiet", "line", "faint", "paper", "mine", "twin", "plus", "minus"];
  const EDGE = 3; // pixels between a line's end and a name that stands before it

  /** Ready a canvas: blank, sharp on this screen, with the colours that the style sheet gives it. */
  function sheet(canvas) {
    const width = canvas.clientWidth || 300, height = canvas.clientHeight || 150;
    const sharp = Math.min(devicePixelRatio || 1, 2);
    const pixels = [Math.round(width * sharp), Math.round(height * sharp)];
    if (canvas.width !== pixels[0] || canvas.height !== pixels[1])
      [canvas.width, canvas.height] = pixels;
    const context = canvas.getContext("2d");
    context.setTransform(sharp, 0, 0, sharp, 0, 0);
    context.clearRect(0, 0, width, height);
    context.setLineDash([]);
    context.globalAlpha = 1;
    context.textBaseline = "middle";
    context.textAlign = "left";
    context.lineJoin = "round";
    const style = getComputedStyle(canvas), colours = {};
    for (const name of COLOURS) colours[name] = style.getPropertyValue(`--lab-${name}`).trim();
    context.font = `12px ${style.fontFamily}`;
    return { context, width, height, colours };
  }

  // ------------------------------------------------------------------------------------- curves

  /** The end of an axis that grows in jumps, so that a running chart stands still most of the time. */
  function roundUp(value) {
    const power = 10 ** Math.floor(Math.log10(value));
    return [1, 1.5, 2, 3, 4, 6, 8, 10].find((digit) => digit * power >= value) * power;
  }

  const tick = (value) => (value >= 1e6 ? value.toExponential(0).replace("e+", "e")
    : grouped(Number(value.toPrecision(2))));

  function ticksUpTo(top) {
    const raw = top / 4, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].find((digit) => digit * power >= raw) * power;
    return Array.from({ length: Math.floor(top / step + 1e-9) + 1 }, (_, i) => i * step);
  }

  /** A scale for losses: linear while all are small, by powers of ten where one is not. */
  function lossScale(lines) {
    let most = 0, least = Infinity;
    for (const { values } of lines)
      for (const value of values)
        if (Number.isFinite(value)) {
          most = Math.max(most, value);
          least = Math.min(least, value);
        }
    if (most <= 6)
      return { top: Math.max(2.8, most * 1.05), bottom: Math.min(0, least), log: false };
    const bottom = 10 ** Math.floor(Math.log10(Math.max(least, 0.05)));
    return { top: 10 ** Math.ceil(Math.log10(Math.min(most * 1.2, 1e12))), bottom, log: true };
  }

  /**
   * Draw curves over the steps of training.
   *
   * lines: [{steps, values, colour, dash, name}], the last one drawn on top; a value that is no
   * number ends its line with a cross. marks: [{at, text}] are dotted, horizontal. scale: as
   * lossScale returns it. format turns a tick into text.
   */
  function paintCurves(canvas, { lines, marks = [], scale, format = tick, end = 0 }) {
    const { context, width, height, colours } = sheet(canvas);
    const names = width > 340 ? 104 : 10; // room for the lines' names, where there is some
    const area = { left: 46, right: width - names, top: 12, bottom: height - 22 };
    let last = end;
    for (const { steps } of lines) if (steps.length) last = Math.max(last, steps.at(-1));
    const span = roundUp(Math.max(last, 100));
    const toX = (step) => area.left + ((area.right - area.left) * step) / span;
    const { top, bottom, log } = scale;
    const share = log
      ? (value) => Math.log(Math.max(value, bottom) / bottom) / Math.log(top / bottom)
      : (value) => (value - bottom) / (top - bottom);
    const toY = (value, most = 1) =>
      area.bottom - (area.bottom - area.top) * Math.min(most, Math.max(0, share(value)));
    paintGrid();
    paintMarks();
    for (const line of lines) paintLine(line);
    paintNames(nameMarks());

    function paintGrid() {
      const ticks = [];
      if (log)
        for (let value = bottom; value <= top * 1.01; value *= 10) ticks.push(value);
      else ticks.push(...ticksUpTo(top));
      const thin = Math.ceil(ticks.length / 6);
      context.lineWidth = 1;
      context.fillStyle = colours.quiet;
      context.textAlign = "right";
      ticks.forEach((value, i) => {
        if (i % thin) return;
        const y = Math.round(toY(value)) + 0.5;
        context.strokeStyle = i === 0 ? colours.line : colours.faint;
        context.beginPath();
        context.moveTo(area.left, y);
        context.lineTo(area.right, y);
        context.stroke();
        context.fillText(format(value), area.left - 6, y);
      });
      for (const step of ticksUpTo(span)) {
        context.textAlign = step === 0 ? "left" : step > span * 0.97 ? "right" : "center";
        context.fillText(grouped(step), toX(step), height - 8);
      }
      context.textAlign = "left";
    }

    function inside({ at }) {
      return at >= bottom && at <= top;
    }

    function paintMarks() {
      context.strokeStyle = colours.quiet;
      context.setLineDash([2, 3]);
      for (const { at } of marks.filter(inside)) {
        const y = Math.round(toY(at)) + 0.5;
        context.beginPath();
        context.moveTo(area.left, y);
        context.lineTo(area.right, y);
        context.stroke();
      }
      context.setLineDash([]);
    }

    /** Write what the marks are, over the lines; returns the heights that are taken. */
    function nameMarks() {
      return marks.filter(inside).flatMap(({ at, text, short = text }) => {
        const y = toY(at);
        context.textAlign = "right";
        paintText(width < 360 ? short : text, area.right, y - 8, colours.quiet);
        return [y - 8, y + 5];
      });
    }

    /** Text that stays readable where it crosses a line. */
    function paintText(text, x, y, colour) {
      context.lineWidth = 4;
      context.strokeStyle = colours.paper;
      context.strokeText(text, x, y);
      context.fillStyle = colour;
      context.fillText(text, x, y);
    }

    function paintLine({ steps, values, colour, dash = [] }) {
      context.strokeStyle = colours[colour];
      context.lineWidth = dash.length ? 1.75 : 2.25;
      context.setLineDash(dash);
      context.save();
      context.beginPath();
      context.rect(0, 0, width, area.bottom + 2); // a line that is too high leaves the chart
      context.clip();
      context.beginPath();
      let broken = null, previous = null;
      for (let i = 0; i < steps.length; i++) {
        if (!Number.isFinite(values[i])) {
          broken = [toX(steps[i]), previous ?? (area.top + area.bottom) / 2];
          break;
        }
        previous = toY(values[i]);
        context.lineTo(toX(steps[i]), toY(values[i], 2));
      }
      context.stroke();
      context.restore();
      context.setLineDash([]);
      if (steps.length === 1 && !broken) paintDot([toX(steps[0]), previous], colours[colour]);
      if (broken) paintCross(broken, colours[colour]);
    }

    function paintDot([x, y], colour) {
      context.fillStyle = colour;
      context.beginPath();
      context.arc(x, y, 3, 0, 2 * Math.PI);
      context.fill();
    }

    function paintCross([x, y], colour) {
      context.strokeStyle = colour;
      context.lineWidth = 2.5;
      context.beginPath();
      for (const [dx, dy] of [[-5, -5], [-5, 5]]) {
        context.moveTo(x + dx, y + dy);
        context.lineTo(x - dx, y - dy);
      }
      context.stroke();
    }

    /** The height nearest to a wanted one at which no other text stands. */
    function freePlace(wanted, taken) {
      for (let away = 0; away < height; away++)
        for (const place of [wanted - away, wanted + away]) {
          const inside = place > area.top && place < area.bottom - 6;
          if (inside && taken.every((other) => Math.abs(other - place) >= 13)) return place;
        }
      return wanted;
    }

    /** Write each line's name at its end, where it does not cover another one. */
    function paintNames(taken) {
      const ends = lines.filter(({ steps }) => steps.length > 0).map((line) => {
        const first = line.values.findIndex((value) => !Number.isFinite(value));
        const broken = first >= 0, at = broken ? Math.max(first - 1, 0) : line.values.length - 1;
        const value = Number.isFinite(line.values[at]) ? line.values[at] : top;
        const name = broken ? `${line.name}: ${figure(line.values[first])}`
          : value > top ? `${line.name}: ${figure(value)}` : line.name;
        return { ...line, name, x: toX(line.steps[broken ? first : at]), y: toY(value) };
      });
      ends.sort((a, b) => a.y - b.y);
      context.font = context.font.replace(/^(600 )?/, "600 ");
      for (const { name, colour, x, y } of ends) {
        const length = context.measureText(name).width;
        const right = x + 9 + length <= width;
        const place = freePlace(right ? y : y - 11, taken);
        taken.push(place);
        context.textAlign = right ? "left" : "right";
        const from = right ? x + 9 : Math.min(x - EDGE, area.right);
        paintText(name, from, place, colours[colour]);
      }
    }
  }

  // ------------------------------------------------------------------------------ bars and dots

  /** Horizontal bars, with a tick where the twin's would end. rows: [{name, mine, twin, text}] */
  function paintBars(canvas, { rows, share, names = 84 }) {
    const { context, width, height, colours } = sheet(canvas);
    const step = height / rows.length, left = names, right = width - 70;
    rows.forEach(({ name, mine, twin, text }, i) => {
      const y = (i + 0.5) * step, thick = Math.min(14, step * 0.5);
      context.fillStyle = colours.ink;
      context.fillText(name, 0, y);
      context.fillStyle = colours.faint;
      context.fillRect(left, y - thick / 2, right - left, thick);
      if (Number.isFinite(mine)) {
        context.fillStyle = colours.mine;
        context.fillRect(left, y - thick / 2, Math.max(1, share(mine) * (right - left)), thick);
      }
      if (Number.isFinite(twin)) {
        const x = left + share(twin) * (right - left);
        context.strokeStyle = colours.twin;
        context.lineWidth = 2.5;
        context.setLineDash([4, 2]);
        context.beginPath();
        context.moveTo(x, y - thick / 2 - 4);
        context.lineTo(x, y + thick / 2 + 4);
        context.stroke();
        context.setLineDash([]);
      }
      context.fillStyle = colours.ink;
      context.textAlign = "right";
      context.fillText(text, width, y);
      context.textAlign = "left";
    });
  }

  /** A column for each value, as tall as it is, and a dotted line at what it should be. */
  function paintColumns(canvas, { values, target, top, labels = [], twin = [] }) {
    const { context, width, height, colours } = sheet(canvas);
    const left = 38, bottom = height - (labels.length ? 18 : 6), upper = 14;
    const toY = (value) => bottom - (bottom - upper) * Math.min(1, Math.max(0, value / top));
    const step = (width - left) / values.length;
    context.fillStyle = colours.quiet;
    context.textAlign = "right";
    for (const value of [0, target]) context.fillText(tick(value), left - 6, toY(value));
    context.textAlign = "center";
    values.forEach((value, i) => {
      const x = left + i * step;
      if (twin.length) {
        context.strokeStyle = colours.twin;
        context.lineWidth = 1.5;
        context.setLineDash([3, 2]);
        const y = toY(twin[i]);
        context.strokeRect(x + step * 0.12, y, step * 0.76, bottom - y);
        context.setLineDash([]);
      }
      if (!Number.isFinite(value)) {
        context.fillStyle = colours.mine;
        context.fillText("✕", x + step / 2, bottom - 8);
      } else {
        context.fillStyle = colours.mine;
        const y = toY(value);
        context.fillRect(x + step * 0.24, y, step * 0.52, bottom - y);
      }
      if (labels.length) {
        context.fillStyle = colours.quiet;
        context.fillText(labels[i], x + step / 2, height - 7);
      }
    });
    context.strokeStyle = colours.quiet;
    context.lineWidth = 1;
    context.setLineDash([2, 3]);
    context.beginPath();
    context.moveTo(left, Math.round(toY(target)) + 0.5);
    context.lineTo(width, Math.round(toY(target)) + 0.5);
    context.stroke();
    context.setLineDash([]);
    context.strokeStyle = colours.line;
    context.beginPath();
    context.moveTo(left, bottom + 0.5);
    context.lineTo(width, bottom + 0.5);
    context.stroke();
  }

  /** A sign for each unit: a disc, a ring with a bar where it is dead, a square where it never bends. */
  function paintUnits(canvas, states) {
    const { context, width, height, colours } = sheet(canvas);
    const columns = Math.min(states.length, 32), rows = Math.ceil(states.length / columns);
    const step = Math.min(width / columns, height / rows), radius = step * 0.34;
    states.forEach((state, i) => {
      const x = ((i % columns) + 0.5) * step, y = (Math.floor(i / columns) + 0.5) * step;
      context.lineWidth = 1.75;
      context.beginPath();
      if (state === "dead") {
        context.strokeStyle = colours.mine;
        context.arc(x, y, radius - 1, 0, 2 * Math.PI);
        context.moveTo(x - radius * 0.7, y + radius * 0.7);
        context.lineTo(x + radius * 0.7, y - radius * 0.7);
        context.stroke();
      } else {
        context.fillStyle = state === "always" ? colours.quiet : colours.twin;
        if (state === "always") context.rect(x - radius, y - radius, 2 * radius, 2 * radius);
        else context.arc(x, y, radius, 0, 2 * Math.PI);
        context.fill();
      }
    });
  }

  /** Draw functions of one number. lines: [{x, y, colour, dash}], the last one on top. */
  function paintFunctions(canvas, { lines }) {
    const { context, width, height, colours } = sheet(canvas);
    const finite = (values) => values.filter(Number.isFinite);
    const xs = finite(lines.flatMap(({ x }) => x)), ys = finite(lines.flatMap(({ y }) => y));
    const [left, right] = [Math.min(...xs), Math.max(...xs)];
    const low = Math.min(0, ...ys), high = Math.max(1, ...ys), room = 0.08 * (high - low);
    const toX = (x) => 30 + ((width - 38) * (x - left)) / (right - left);
    const toY = (y) => height - 6 - ((height - 12) * (y - low + room)) / (high - low + 2 * room);
    context.lineWidth = 1;
    context.strokeStyle = colours.line;
    context.beginPath();
    context.moveTo(toX(left), toY(0));
    context.lineTo(toX(right), toY(0));
    context.moveTo(toX(0), 4);
    context.lineTo(toX(0), height - 4);
    context.stroke();
    context.fillStyle = colours.quiet;
    context.textAlign = "right";
    for (const y of [0, 1]) context.fillText(String(y), 24, toY(y));
    for (const { x, y, colour, dash = [] } of lines) {
      context.strokeStyle = colours[colour];
      context.lineWidth = 2.25;
      context.setLineDash(dash);
      context.beginPath();
      let previous = null;
      x.forEach((at, i) => {
        if (!Number.isFinite(y[i])) return;
        const jump = previous !== null && Math.abs(y[i] - previous) > 0.3 * (high - low + room);
        context[previous === null || jump ? "moveTo" : "lineTo"](toX(at), toY(y[i]));
        previous = y[i];
      });
      context.stroke();
    }
    context.setLineDash([]);
  }

  // ------------------------------------------------------------------------------------ numbers

  /** A curve of any length in at most so many points: when it is full, pairs become one. */
  class Curve {
    static MOST = 800;
    steps = [];
    values = [];
    width = 1; // steps in one point
    #sum = 0;
    #count = 0;

    push(step, value) {
      this.#sum += value;
      this.#count += 1;
      if (this.#count < this.width) return;
      this.steps.push(step);
      this.values.push(this.#sum / this.#count);
      this.#sum = this.#count = 0;
      if (this.values.length < Curve.MOST) return;
      const halved = (list, join) =>
        Array.from({ length: list.length / 2 }, (_, i) => join(list[2 * i], list[2 * i + 1]));
      this.steps = halved(this.steps, (_, last) => last);
      this.values = halved(this.values, (a, b) => (a + b) / 2);
      this.width *= 2;
    }

    /** The same curve, smoothed over about so many steps; its first value stays as it is. */
    smooth(over = 25) {
      const keep = Math.exp(-this.width / over), values = [];
      let average = this.values[0];
      for (const value of this.values) {
        average = keep * average + (1 - keep) * value;
        values.push(average);
      }
      return { steps: this.steps, values };
    }
  }

  Object.assign(MnistLab, {
    sheet, lossScale, paintCurves, paintBars, paintColumns, paintUnits, paintFunctions, Curve,
  });
})();
