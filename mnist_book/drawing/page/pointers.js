// Mouse, finger and pen on a pad: which of them draws, a palm that does not, a swipe that scrolls.
(() => {
  "use strict";
  const { KEYBOARD, SIDE } = DigitPad;

  const PALM = 70; // CSS pixels: a fingertip's contact is not that wide
  const STILL = 12; // of the pad's units: a touch that has moved no farther may be a palm's
  const AFTER_PEN = 1000; // milliseconds after a pen's last event during which no finger draws
  const SWIPE = 0.4 * SIDE; // so far up, straight and in that many milliseconds: nobody has drawn
  const QUICK = 500; //        such a stroke among the 7,494 digits of UCI's 30 writers
  const COASTING = 325; // milliseconds for which a page runs on after a swipe, at its speed

  /** Let mouse, finger and pen draw on a canvas. */
  function followPointers(canvas, drawing) {
    const paths = new Map(); // of all pointers that are down, by their ids
    let penSeen = -Infinity;

    const pointOf = ({ clientX, clientY }) => {
      const { left, top, width, height } = canvas.getBoundingClientRect();
      return [SIDE * (clientX - left) / width, SIDE * (clientY - top) / height];
    };
    const isPalm = ({ pointerType, width, height, timeStamp }) =>
      pointerType === "touch" &&
      (Math.max(width, height) >= PALM || timeStamp < penSeen + AFTER_PEN);

    function begin(id) {
      const [first, ...others] = paths.get(id).points;
      drawing.cursor = null;
      drawing.putDown(id, first);
      for (const point of others) if (drawing.pen === id) drawing.moveTo(point);
    }

    /** Take the pen from a palm, which has left a dot, or a smear beside a pen of its own. */
    function takeOver(id) {
      drawing.drop();
      begin(id);
    }

    canvas.addEventListener("pointerdown", (event) => {
      const { pointerId, pointerType, timeStamp } = event;
      if (pointerType === "pen") penSeen = timeStamp;
      if (event.button !== 0 || isPalm(event)) return;
      paths.set(pointerId, { points: [pointOf(event)], pointerType, began: timeStamp });
      canvas.setPointerCapture(pointerId);
      if (drawing.pen === null || drawing.pen === KEYBOARD) begin(pointerId);
      else if (pointerType === "pen") takeOver(pointerId);
    });

    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerType === "pen") penSeen = event.timeStamp;
      const id = event.pointerId, path = paths.get(id);
      if (!path) return;
      const draws = drawing.pen === id, events = event.getCoalescedEvents?.() ?? [];
      for (const each of events.length > 0 ? events : [event]) {
        path.points.push(pointOf(each));
        if (drawing.pen === id) drawing.moveTo(path.points.at(-1));
      }
      const rival = paths.get(drawing.pen);
      if (isPalm(event) && isStill(path)) forget(id); // it has settled and grown
      else if (!draws && rival && isStill(rival) && !isStill(path)) takeOver(id);
    });

    function forget(id) {
      paths.delete(id);
      if (drawing.pen === id) drawing.drop();
    }

    for (const end of ["pointerup", "pointercancel", "lostpointercapture"])
      canvas.addEventListener(end, (event) => {
        const path = paths.get(event.pointerId);
        paths.delete(event.pointerId);
        if (!path || drawing.pen !== event.pointerId) return;
        const swiped = isSwipe(path, event.timeStamp);
        if (swiped || (end === "pointercancel" && isStill(path))) drawing.drop();
        else drawing.lift();
        if (swiped) scrollOn(canvas, path, event.timeStamp);
      });

    // A quick stroke is a fling to Chromium, though nothing scrolls here: for half a second the
    // next tap, as on Clear, would only stop it. A touch that is prevented begins no gesture.
    const prevent = (event) => event.cancelable && event.preventDefault();
    canvas.addEventListener("touchstart", prevent, { passive: false });
  }

  const isStill = ({ points: [[startX, startY], ...others] }) =>
    others.every(([x, y]) => Math.hypot(x - startX, y - startY) <= STILL);

  /** Tell whether a finger meant to scroll: straight up, far and quick. A 1 is drawn downwards. */
  function isSwipe({ points, pointerType, began }, now) {
    const [x0, y0] = points[0], [x1, y1] = points.at(-1), far = Math.hypot(x1 - x0, y1 - y0);
    let length = 0;
    for (let i = 1; i < points.length; i++)
      length += Math.hypot(points[i][0] - points[i - 1][0], points[i][1] - points[i - 1][1]);
    return (
      pointerType === "touch" && now - began <= QUICK &&
      y0 - y1 >= SWIPE && Math.abs(x1 - x0) < (y0 - y1) / 2 && far > 0.9 * length
    );
  }

  /** Scroll what is around the pad as far as a swipe would have, had it begun elsewhere. */
  function scrollOn(canvas, { points, began }, now) {
    const pixels = (points[0][1] - points.at(-1)[1]) * canvas.clientHeight / SIDE;
    const top = pixels * (1 + COASTING / Math.max(now - began, 1));
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    scrollerOf(canvas).scrollBy({ top, behavior: still ? "instant" : "smooth" });
  }

  function scrollerOf(element) {
    for (let place = element.parentElement; place; place = place.parentElement)
      if (
        place.scrollHeight > place.clientHeight &&
        /auto|scroll/.test(getComputedStyle(place).overflowY)
      )
        return place;
    return document.scrollingElement;
  }

  Object.assign(DigitPad, { followPointers });
})();
