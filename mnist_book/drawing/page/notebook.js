// The pad in a notebook: a network in the kernel answers (by anywidget; the other side is
// mnist_book/drawing/pad.py).
(() => {
  "use strict";
  const PATIENCE = 2000; // milliseconds until the pad says that no answer has come

  function render({ model, el }) {
    let sent = { number: 0, of: 0 }; // what went to the kernel: its number there, and in the pad
    let next = null; // what goes there after the answer: one drawing is on its way at a time
    let timer = 0, waiting = false;

    const pad = DigitPad.mount(el, {
      source: model.get("_source"),
      image: model.get("_picture"),
      ask(strokes, of) {
        next = { strokes, of };
        if (!waiting) send();
      },
    });

    function send() {
      const { strokes, of } = next;
      next = null;
      waiting = true;
      sent = { number: (model.get("_drawing")?.number || 0) + 1, of };
      timer = setTimeout(() => {
        waiting = false; // the next stroke tries again
        pad.problem("No answer from the kernel yet: it is busy, or it is not running.");
      }, PATIENCE);
      model.set("_drawing", { number: sent.number, strokes: structuredClone(strokes) });
      model.save_changes();
    }

    function receive() {
      const drawing = model.get("_drawing"), answer = model.get("_answer");
      try {
        if (drawing.number !== sent.number) takeOver(drawing);
      } catch (error) {
        return pad.problem(error.message);
      }
      if (answer.number === null) pad.problem(answer.error);
      if (answer.number !== sent.number) return; // to a drawing that is not there any more
      clearTimeout(timer);
      waiting = false;
      pad.show(answer, sent.of);
      if (next) send();
    }

    /** Show what pad.draw(strokes), or the same pad elsewhere in the notebook, has drawn. */
    function takeOver({ number, strokes, fit }) {
      sent = { number, of: pad.draw(strokes, { fit, read: true }) };
    }

    model.on("change:_drawing change:_answer", receive);
    receive();
    return () => {
      model.off("change:_drawing change:_answer", receive);
      clearTimeout(timer);
      pad.unmount();
    };
  }

  DigitPad.widget = { render };
})();
