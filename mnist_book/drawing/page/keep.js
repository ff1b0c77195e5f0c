// What this browser keeps: the hand, and drawings with their labels.
(() => {
  "use strict";
  const { fromBase64 } = DigitPad;

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

  /** Keep a picture of 784 grey levels and its label; returns what `remember` does. */
  function keepDrawing(label, image) {
    const bytes = Uint8Array.from(image, (grey) => Math.round(255 * grey));
    const drawing = { label, image: btoa(String.fromCharCode(...bytes)) };
    return remember(DRAWINGS, JSON.stringify([...keptDrawings(), drawing]));
  }

  const forgetDrawings = () => remember(DRAWINGS, "[]");

  /** Write bytes as an IDX file of the given sizes: mnist_core.read_idx reads it. */
  function idxFile(sizes, bytes) {
    const header = new DataView(new ArrayBuffer(4 + 4 * sizes.length));
    header.setUint8(2, 0x08); // the code of unsigned bytes
    header.setUint8(3, sizes.length);
    sizes.forEach((size, i) => header.setUint32(4 + 4 * i, size)); // big-endian
    return new Blob([header, bytes], { type: "application/octet-stream" });
  }

  /** Download the kept drawings as two files, as MNIST has its own. */
  function exportDrawings() {
    const drawings = keptDrawings();
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

  Object.assign(DigitPad, {
    HAND, MOST_DRAWINGS,
    recall, remember, keptDrawings, keepDrawing, forgetDrawings, exportDrawings,
  });
})();
