// From the strokes of a pen to a picture: the stages of strokes_to_image in
// mnist_book/drawing/strokes.py, under the same names.
//
// The drawing pad is several classic scripts, which run from http:// and file:// alike, in this
// order: strokes.js, network.js, pen.js, pointers.js, keep.js, paint.js, pad.js, and then page.js in
// a page or notebook.js in a notebook. They share one name, DigitPad, and ask no other host for
// anything.
globalThis.DigitPad = (() => {
  "use strict";

  const IMAGE = { pen: 2.5, box: 19, centre: 14.25, gap: null }; // as in strokes.py
  const PIECES = 6; // straight ones, of the curve from one point to the next
  const COSINE = 0.5, TWICE = 2; // of a corner: at least that turn, one step so much longer

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

  /** Go in curves where points are farther apart than `gap` of the long side; null: nowhere. */
  function curved(strokes, gap) {
    const drawn = strokes.filter((points) => points.length > 0);
    if (gap === null || drawn.length === 0) return strokes;
    const { width, height } = bounds(strokeSegments(drawn)), far = gap * Math.max(width, height);
    return drawn.map((stroke) => {
      const isFar = (point, i) => i > 0 && distance(stroke[i - 1], point) > far;
      if (!stroke.some(isFar)) return stroke; // as it mostly is
      const points = stroke.filter((point, i) => i === 0 || distance(stroke[i - 1], point) > 0);
      const speeds = speedsAlong(points);
      return [points[0], ...points.slice(1).flatMap((point, i) => {
        const count = distance(points[i], point) > far ? PIECES : 1;
        const places = Array.from({ length: count }, (_, piece) => (piece + 1) / count);
        const { leaving } = speeds[i], { arriving } = speeds[i + 1];
        return places.map((u) => onCurve(points[i], point, leaving, arriving, u));
      })];
    });
  }

  /** Say how fast a pen arrives at points and leaves them, as strokes.on_curve does: [x, y] each. */
  function speedsAlong(points) {
    const between = points.slice(1).map((point, i) => {
      const time = timeBetween(points[i], point);
      const step = point.map((value, axis) => value - points[i][axis]);
      return { time, step, speed: step.map((value) => value / time) };
    });
    return points.map((_, i) => {
      const before = between[i - 1] ?? between[i], after = between[i] ?? before;
      const mean = (axis) =>
        (after.time * before.speed[axis] + before.time * after.speed[axis]) /
        (before.time + after.time);
      if (before === undefined) return { arriving: [0, 0], leaving: [0, 0] };
      if (isCorner(before.step, after.step)) return { arriving: before.speed, leaving: after.speed };
      const smooth = [mean(0), mean(1)];
      return { arriving: smooth, leaving: smooth };
    });
  }

  /** Tell whether a turn is meant, and no bow with few points: see strokes.corners. */
  function isCorner([x, y], [nextX, nextY]) {
    const square = x * x + y * y, nextSquare = nextX * nextX + nextY * nextY;
    const product = x * nextX + y * nextY;
    const turns = product < 0 || product * product < COSINE * COSINE * (square * nextSquare);
    const shorter = Math.min(square, nextSquare), longer = Math.max(square, nextSquare);
    return turns && longer > TWICE * TWICE * shorter;
  }

  /** Go the share u of the way from one point to the next, leaving and arriving so fast. */
  function onCurve(from, to, leaving, arriving, u) {
    const time = timeBetween(from, to);
    return from.map((start, axis) => {
      const step = to[axis] - start, first = time * leaving[axis], last = time * arriving[axis];
      const square = 3 * step - 2 * first - last, cube = first + last - 2 * step;
      return start + u * (first + u * (square + u * cube));
    });
  }

  const distance = ([x0, y0], [x1, y1]) => Math.hypot(x1 - x0, y1 - y0);
  const timeBetween = (from, to) => Math.sqrt(distance(from, to)) + 1e-9;

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
  function strokesToImage(strokes, { pen, box, centre, gap = null } = IMAGE) {
    const segments = strokeSegments(curved(withoutSpecks(strokes), gap));
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

  return {
    IMAGE, withoutSpecks, curved, strokeSegments, fitToBox, centreInk, rasterize, strokesToImage,
    bounds,
  };
})();
