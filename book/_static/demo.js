// The pad draws by itself, until somebody takes the pen: on each pad whose element has the
// attribute data-demo, as soon as the network is there to read it.
(() => {
  "use strict";
  // Strokes of 2, 3, 5, 7, 4 and 8 in the units of the pad, made by mnist_book/drawing/practice.py.
  const DIGITS = [
    [[[107, 119], [104, 116], [98, 109], [91, 96], [87, 77], [93, 59], [113, 47], [137, 48],
      [158, 69], [171, 96], [171, 119], [161, 143], [145, 167], [126, 191], [109, 211], [96,
      225], [90, 231], [95, 229], [114, 219], [140, 214], [168, 223], [188, 232], [193,
      235]]],
    [[[127, 96], [133, 86], [148, 62], [166, 46], [183, 51], [191, 74], [186, 112], [174,
      141], [159, 148], [147, 146], [143, 147], [148, 148], [162, 148], [172, 155], [172,
      174], [159, 198], [132, 224], [107, 235], [95, 221], [90, 204], [89, 200]]],
    [[[76, 94], [72, 102], [63, 125], [55, 144], [54, 148], [62, 147], [79, 145], [97, 149],
      [111, 162], [116, 180], [111, 199], [95, 212], [70, 215], [50, 215], [45, 215]], [[68,
      89], [78, 87], [103, 81], [140, 75], [189, 70], [225, 66], [235, 65]]],
    [[[73, 45], [85, 46], [115, 49], [153, 54], [192, 59], [219, 61], [228, 54], [219, 63],
      [193, 101], [157, 150], [118, 195], [90, 227], [82, 235]], [[52, 166], [63, 165], [91,
      163], [129, 159], [172, 151], [203, 144], [211, 143]]],
    [[[176, 235], [174, 219], [169, 179], [170, 130], [182, 85], [196, 54], [206, 45], [188,
      62], [127, 108], [74, 147], [60, 158], [72, 159], [102, 161], [141, 159], [183, 147],
      [212, 137], [220, 134]]],
    [[[187, 50], [180, 49], [163, 46], [146, 46], [137, 55], [134, 68], [135, 87], [139,
      107], [143, 128], [148, 155], [156, 191], [150, 220], [124, 234], [96, 229], [80,
      200], [85, 166], [115, 136], [150, 107], [178, 79], [196, 59], [201, 54]]],
  ];
  const DRAWING = 1100, READING = 1600; // milliseconds for each digit
  const TAKING = ["pointerdown", "focusin"];

  function demonstrate(element) {
    const pad = element.digitPad;
    if (pad.strokes.length > 0) return; // somebody has taken it already
    let frame = 0, start = 0, shown = 0;

    function draw(now) {
      start ||= now;
      const digit = Math.floor((now - start) / (DRAWING + READING));
      if (digit >= DIGITS.length) return stop();
      const share = ((now - start) % (DRAWING + READING)) / DRAWING;
      const strokes = begun(DIGITS[digit], Math.min(1, share));
      const points = strokes.flat().length;
      if (points !== shown) put(strokes, points === DIGITS[digit].flat().length);
      shown = points;
      frame = requestAnimationFrame(draw);
    }

    /** Half a digit is not one: it waits for its answer until it is whole. */
    function put(strokes, whole) {
      pad.draw(strokes, { read: !whole });
      if (!whole) pad.show({ kind: "none", reason: "empty" });
    }

    function stop() {
      cancelAnimationFrame(frame);
      for (const event of TAKING) element.removeEventListener(event, give, true);
    }

    // Who takes the pen gets an empty pad, before the pad itself hears of it.
    function give({ target }) {
      stop();
      if (target.matches("canvas")) pad.draw([]);
    }

    for (const event of TAKING) element.addEventListener(event, give, true);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) pad.draw(DIGITS[0]);
    else frame = requestAnimationFrame(draw);
  }

  /** The first points of some strokes: a share of all of them, from 0 to 1. */
  function begun(strokes, share) {
    let left = Math.ceil(share * strokes.flat().length);
    return strokes.map((points) => {
      const taken = points.slice(0, Math.max(0, left));
      left -= points.length;
      return taken;
    });
  }

  for (const element of document.querySelectorAll("[data-demo]"))
    element.addEventListener("digit-pad-ready", () => demonstrate(element), { once: true });
})();
