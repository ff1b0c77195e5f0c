// The pad on the page that `python -m mnist_book pad` serves: the reader's network answers, in the
// process that serves it (mnist_book/writing/serving.py).
(() => {
  "use strict";
  const element = document.querySelector("[data-served-pad]");
  const pad = DigitPad.mount(element, {
    source: "Read by your network, on this machine.",
    async ask(strokes, number) {
      try {
        const response = await fetch("answer", {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ strokes }),
        });
        if (!response.ok) throw new Error(`status ${response.status}`);
        pad.show(await response.json(), number);
      } catch (error) {
        pad.problem(`No answer (${error.message}). Does the command still run in the terminal?`);
      }
    },
  });
})();
