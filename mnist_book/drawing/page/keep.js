// What this browser keeps: the hand, and drawings with their labels.
(() => {
  "use strict";
  const { SIDE, areStrokes, strokesToImage } = DigitPad;

  const HAND = "digit-pad-hand", DRAWINGS = "digit-pad-drawings-2"; // 2: version of the format
  const MOST_DRAWINGS = 2000, MOST_CHARACTERS = 2_400_000; // Safari has room for 2.5 million
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

  /** Read the kept drawings, [{label, strokes}]; what is damaged is left out. */
  function keptDrawings() {
    try {
      const drawings = JSON.parse(recall(DRAWINGS));
      return Array.isArray(drawings) ? drawings.filter(isDrawing).slice(0, MOST_DRAWINGS) : [];
    } catch {
      return [];
    }
  }

  function isDrawing(drawing) {
    const { label, strokes } = drawing ?? {};
    const isDigit = Number.isInteger(label) && label >= 0 && label <= 9;
    return isDigit && areStrokes(strokes) && strokes.flat().length > 0;
  }

  /** Keep strokes and their label; returns what `remember` does, or null: there is no room. */
  function keepDrawing(label, strokes) {
    const drawings = [...keptDrawings(), { label, strokes }], text = JSON.stringify(drawings);
    if (drawings.length > MOST_DRAWINGS || text.length > MOST_CHARACTERS) return null;
    return remember(DRAWINGS, text);
  }

  /** Forget the drawing that was kept last, and return it. */
  function takeBackDrawing() {
    const drawings = keptDrawings(), last = drawings.pop();
    remember(DRAWINGS, JSON.stringify(drawings));
    return last;
  }

  const forgetDrawings = () => remember(DRAWINGS, "[]");

  /** Download the strokes: mnist_book.drawing.collected.read_collected reads them. */
  function exportStrokes() {
    const format = "digit-pad-drawings", drawings = keptDrawings();
    const text = JSON.stringify({ format, version: 2, side: SIDE, drawings });
    download("drawings.json", new Blob([text], { type: "application/json" }));
  }

  /** Download the pictures and their labels as two files, as MNIST has its own. */
  function exportPictures(parameters) {
    const drawings = keptDrawings(), images = new Uint8Array(784 * drawings.length);
    drawings.forEach(({ strokes }, i) => {
      const levels = strokesToImage(strokes, parameters).map((grey) => Math.round(255 * grey));
      images.set(levels, 784 * i);
    });
    const labels = Uint8Array.from(drawings, ({ label }) => label);
    download("drawings-images-idx3-ubyte", idxFile([drawings.length, 28, 28], images));
    download("drawings-labels-idx1-ubyte", idxFile([drawings.length], labels));
  }

  /** Write bytes as an IDX file of the given sizes: mnist_core.read_idx reads it. */
  function idxFile(sizes, bytes) {
    const header = new DataView(new ArrayBuffer(4 + 4 * sizes.length));
    header.setUint8(2, 0x08); // the code of unsigned bytes
    header.setUint8(3, sizes.length);
    sizes.forEach((size, i) => header.setUint32(4 + 4 * i, size)); // big-endian
    return new Blob([header, bytes], { type: "application/octet-stream" });
  }

  function download(name, blob) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  Object.assign(DigitPad, {
    HAND, recall, remember,
    keptDrawings, keepDrawing, takeBackDrawing, forgetDrawings, exportStrokes, exportPictures,
  });
})();
