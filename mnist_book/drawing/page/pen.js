// The strokes on a pad, and the keys that draw them; pointers.js has mouse, finger and pen.
(() => {
  "use strict";
  const { bounds, strokeSegments } = DigitPad;

  const SIDE = 280; // the pad's side, in the units of its strokes
  const STEP = 0.7; // a point nearer than that to the one before adds nothing
  const MOST_STROKES = 40, MOST_POINTS = 4000; // mnist_book/drawing/pad.py takes no more
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const DIAGONALS = { Home: [-1, -1], PageUp: [1, -1], End: [-1, 1], PageDown: [1, 1] };
  const KEYBOARD = "keyboard";

  /** What is drawn, as lists of points [x, y], and the pen that draws it. */
  class Drawing {
    strokes = [];
    cleared = []; // what `clear` took away: undo brings it back
    pen = null; // what draws at present: the id of a pointer, or KEYBOARD
    cursor = null; // where the keyboard's pen is

    /**
     * changed(words) hears of each change, words being what to say of it before the answer to it,
     * if it is to be said at all; full() hears of a stroke for which there is no room.
     */
    constructor({ changed, full }) {
      Object.assign(this, { changed, full });
    }

    get isTooLong() {
      return this.strokes.reduce((sum, points) => sum + points.length, 0) >= MOST_POINTS;
    }

    get isFull() {
      return this.strokes.length >= MOST_STROKES || this.isTooLong;
    }

    putDown(pen, point) {
      this.lift();
      if (this.isFull) return this.full();
      this.pen = pen;
      this.strokes.push([onPad(point)]);
      this.changed();
    }

    moveTo(point) {
      const points = this.strokes.at(-1), [x, y] = points.at(-1), [newX, newY] = onPad(point);
      if (Math.hypot(newX - x, newY - y) < STEP) return;
      points.push([newX, newY]);
      this.changed();
      if (this.isTooLong) this.lift();
    }

    lift() {
      if (this.pen === null) return;
      this.pen = null;
      this.cleared = [];
      this.changed("");
    }

    /** Take away the stroke that is being drawn: it was none. */
    drop() {
      this.pen = null;
      this.strokes.pop();
      this.changed();
    }

    undo() {
      this.lift();
      const nothing = this.strokes.length + this.cleared.length === 0;
      if (this.strokes.length > 0) this.strokes.pop();
      else [this.strokes, this.cleared] = [this.cleared, []];
      this.changed(nothing ? "There is nothing to take back. " : "Taken back. ");
    }

    clear() {
      this.pen = null;
      if (this.strokes.length > 0) [this.strokes, this.cleared] = [[], this.strokes];
      this.changed("Cleared. ");
    }

    /** Take strokes from elsewhere; `fit`: scale them to the pad. */
    replace(strokes, fit) {
      if (!areStrokes(strokes)) throw new Error("These strokes are not lists of points [x, y].");
      this.pen = null;
      this.cleared = [];
      this.strokes = strokes.filter((points) => points.length > 0).map((points) => [...points]);
      if (fit) this.strokes = fitToPad(this.strokes);
      this.changed();
    }
  }

  function areStrokes(strokes) {
    const isPoint = (point) =>
      Array.isArray(point) && point.length === 2 && point.every(Number.isFinite);
    const isStroke = (points) => Array.isArray(points) && points.every(isPoint);
    return Array.isArray(strokes) && strokes.every(isStroke);
  }

  const onPad = (point) =>
    point.map((value) => Math.round(100 * Math.min(SIDE, Math.max(0, value))) / 100);

  function fitToPad(strokes) {
    if (strokes.length === 0) return strokes;
    const { left, top, width, height } = bounds(strokeSegments(strokes));
    const scale = 0.7 * SIDE / Math.max(width, height, 1e-9);
    return strokes.map((points) =>
      points.map(([x, y]) => [
        SIDE / 2 + (x - left - width / 2) * scale,
        SIDE / 2 + (y - top - height / 2) * scale,
      ])
    );
  }

  /**
   * Let keys draw on a canvas, and Ctrl+Z take back from anywhere in its pad; repaint() is called
   * when the cursor may have moved.
   */
  function followKeys(root, canvas, drawing, repaint) {
    const held = new Set(); // the arrows that are down: two of them lead between their ways
    canvas.addEventListener("keydown", (event) => {
      if (event.key in ARROWS) held.add(event.key);
      if (!press(drawing, event, held)) return;
      event.preventDefault();
      event.stopPropagation();
      repaint();
    });
    canvas.addEventListener("keyup", ({ key }) => held.delete(key));
    canvas.addEventListener("focus", () => {
      if (canvas.matches(":focus-visible")) drawing.cursor = [SIDE / 2, SIDE / 2]; // by keyboard
      repaint();
    });
    canvas.addEventListener("blur", () => {
      held.clear();
      if (drawing.pen === KEYBOARD) drawing.lift();
      drawing.cursor = null;
      repaint();
    });
    root.addEventListener("keydown", (event) => {
      if (!isUndo(event)) return;
      event.preventDefault();
      drawing.undo();
    });
  }

  const isUndo = ({ key, ctrlKey, metaKey, altKey, shiftKey }) =>
    (ctrlKey || metaKey) && !altKey && !shiftKey && key.toLowerCase() === "z";

  /** Do what a key asks for; false: nothing, the page may have it. */
  function press(drawing, event, held) {
    const { key, shiftKey, ctrlKey, metaKey, altKey, repeat } = event;
    const down = drawing.pen === KEYBOARD, [x, y] = drawing.cursor ?? [SIDE / 2, SIDE / 2];
    if (ctrlKey || metaKey || altKey) return false;
    if (key in ARROWS || key in DIAGONALS) {
      const ways = key in DIAGONALS ? [DIAGONALS[key]] : [...held].map((arrow) => ARROWS[arrow]);
      const step = SIDE / (shiftKey ? 10 : 40);
      const along = (axis) => ways.reduce((sum, way) => sum + step * way[axis], 0);
      drawing.cursor = onPad([x + along(0), y + along(1)]);
      if (down) drawing.moveTo(drawing.cursor);
    } else if (key === " ") {
      drawing.cursor = [x, y];
      if (repeat) return true;
      if (down) drawing.lift();
      else drawing.putDown(KEYBOARD, drawing.cursor);
    } else if (key === "Escape" && down) drawing.lift();
    else if (key === "Backspace") drawing.undo();
    else if (key === "Delete") drawing.clear();
    else return false;
    return true;
  }

  /**
   * Keep the pad's keys from Jupyter, where "d" pressed twice deletes the cell, and so on; returns
   * a function that stops it. JupyterLab takes keys on their way up, and they don't get there.
   * Notebook takes them on their way down, but not where the element in focus has this attribute:
   * it is set before, at the window. Ctrl+S may still save.
   */
  function keepKeys(root) {
    const isOurs = ({ key, ctrlKey, metaKey, altKey }) =>
      !altKey && ((!ctrlKey && !metaKey) || key.toLowerCase() === "z");
    root.addEventListener("keydown", (event) => {
      if (isOurs(event)) event.stopPropagation();
    });
    function onWayDown(event) {
      if (root.contains(event.target))
        event.target.toggleAttribute("data-lm-suppress-shortcuts", isOurs(event));
    }
    window.addEventListener("keydown", onWayDown, true);
    return () => window.removeEventListener("keydown", onWayDown, true);
  }

  Object.assign(DigitPad, {
    SIDE, MOST_STROKES, MOST_POINTS, ARROWS, KEYBOARD,
    areStrokes, Drawing, followKeys, keepKeys,
  });
})();
