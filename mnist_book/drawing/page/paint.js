// Painting on canvases: what is drawn, what the network sees, and the steps between the two.
(() => {
  "use strict";
  const {
    withoutSpecks, curved, strokeSegments, fitToBox, centreInk, strokesToImage,
    SIDE, ARROWS, KEYBOARD,
  } = DigitPad;

  const INK = 15; // width of the line that the pad shows

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

  /** Paint a drawing as its pad shows it, with the keyboard's cursor. */
  function paintDrawing(canvas, { strokes, cursor, pen }) {
    const context = sheet(canvas, SIDE);
    context.lineWidth = INK;
    for (const points of strokes) paintLine(context, points);
    if (cursor !== null) paintCursor(context, cursor, pen === KEYBOARD);
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

  /** Paint a picture of 784 grey levels on 28 x 28 pixels. */
  function paintPixels(canvas, pixels) {
    const context = sheet(canvas, 28);
    pixels.forEach((grey, pixel) => {
      if (grey === 0) return; // most of a picture is paper
      context.globalAlpha = grey;
      context.fillRect(pixel % 28, Math.floor(pixel / 28), 1, 1);
    });
    context.globalAlpha = 1;
  }

  /** Paint the stages of strokesToImage, one figure each. */
  function paintSteps(place, strokes, image) {
    const { pen, box, centre, gap } = image;
    const [drawn, scaled, centred, pixels] = figures(place, [
      "1. The path of the pen, as drawn",
      `2. Scaled, in proportion: the ink fits a box of ${box} pixels`,
      "3. Moved: its centre of mass, the cross, to the middle",
      `4. Drawn with a round pen of ${pen} pixels on 28 × 28 pixels`,
    ]);
    pixels.classList.add("digit-pad-pixels");
    paintPixels(pixels, strokesToImage(strokes, image));
    const asDrawn = sheet(drawn, SIDE), toBox = sheet(scaled, 28), toCentre = sheet(centred, 28);
    asDrawn.lineWidth = 6;
    for (const points of strokes) paintLine(asDrawn, points);
    paintGuides(toBox, (path) => path.rect((28 - box) / 2, (28 - box) / 2, box, box));
    paintGuides(toCentre, (path) => {
      path.moveTo(centre, 0);
      path.lineTo(centre, 28);
      path.moveTo(0, centre);
      path.lineTo(28, centre);
    });
    const segments = strokeSegments(curved(withoutSpecks(strokes), gap));
    if (segments.length === 0) return;
    const fitted = fitToBox(segments, box - pen), margin = (28 - box + pen) / 2;
    paintSegments(toBox, fitted.map((segment) => segment.map((value) => value + margin)), pen);
    paintSegments(toCentre, centreInk(fitted, centre), pen);
  }

  /** Have a figure with each caption in a place, made at the first time; returns the canvases. */
  function figures(place, captions) {
    if (place.childElementCount === 0)
      for (const caption of captions) {
        const figure = document.createElement("figure"), canvas = document.createElement("canvas");
        canvas.setAttribute("role", "img");
        canvas.setAttribute("aria-label", caption);
        figure.append(canvas, document.createElement("figcaption"));
        place.append(figure);
      }
    place.querySelectorAll("figcaption").forEach((text, i) => (text.textContent = captions[i]));
    return place.querySelectorAll("canvas");
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

  Object.assign(DigitPad, { paintDrawing, paintPixels, paintSteps, watchTheme });
})();
