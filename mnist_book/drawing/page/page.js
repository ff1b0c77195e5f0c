// The pad in a page: on every element that has the attribute data-digit-pad the book's network
// answers, right here.
(() => {
  "use strict";
  const { mount, recognize, readNetwork, checkSum } = DigitPad;

  const WEIGHTS = new URL("pad-weights.js", document.currentScript.src).href;
  let network = null; // a promise, for all pads of the page

  function mountOn(element) {
    if (element.querySelector(".digit-pad")) return;
    let ready = null, failure = "Loading the network …";
    const pad = mount(element, {
      source: "Read by the book’s network, in this page.",
      ask: (strokes, number) =>
        ready ? pad.show(recognize(ready, strokes), number) : pad.problem(failure),
    });
    element.digitPad = pad; // for scripts that draw on it
    network ??= loadNetwork();
    network.then(
      (loaded) => pad.again((ready = loaded).image),
      (error) => pad.problem((failure = error.message))
    );
  }

  /** Load the weights by a script element: unlike fetch, that works from file:// too. */
  async function loadNetwork() {
    const script = document.createElement("script");
    script.src = WEIGHTS;
    const loading = new Promise((resolve, reject) => {
      script.onload = resolve;
      script.onerror = () => reject(new Error(
        "The network could not be loaded: pad-weights.js is missing. Nobody reads what you draw."
      ));
    });
    document.head.append(script);
    await loading;
    const weights = globalThis.DIGIT_PAD_WEIGHTS;
    delete globalThis.DIGIT_PAD_WEIGHTS;
    try {
      const loaded = readNetwork(weights);
      await checkSum(weights);
      return loaded;
    } catch (error) {
      throw new Error(
        `The network in pad-weights.js is damaged (${error.message}). Reload the page.`
      );
    }
  }

  const mountAll = () => document.querySelectorAll("[data-digit-pad]").forEach(mountOn);
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", mountAll);
  else mountAll();
})();
