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
    element.digitPad = pad;
    if (!document.querySelector(".digit-pad-skip")) linkTo(pad.canvas);
    function load() {
      network ??= loadNetwork();
      network.then(
        (loaded) => {
          pad.again((ready = loaded).image);
          element.dispatchEvent(new Event("digit-pad-ready")); // for scripts that draw on it
        },
        (error) => pad.problem((failure = error.message))
      );
    }
    whenWanted(element, load);
  }

  /** Call back once: when a hand comes near a pad, or when the browser has nothing else to do. */
  function whenWanted(element, callback) {
    const once = new AbortController();
    function wanted() {
      if (once.signal.aborted) return;
      once.abort();
      callback();
    }
    for (const sign of ["pointerover", "pointerdown", "focusin"])
      element.addEventListener(sign, wanted, once);
    if (navigator.connection?.saveData) return; // then not before a hand comes
    const idle = globalThis.requestIdleCallback ?? ((call) => setTimeout(call, 1000));
    if (document.readyState === "complete") idle(wanted);
    else addEventListener("load", () => idle(wanted));
  }

  /** Put a link to a pad at the page's beginning: by Tab alone it may be fifty links away. */
  function linkTo(canvas) {
    const link = document.createElement("a");
    link.className = "digit-pad-skip";
    link.href = `#${canvas.id}`;
    link.textContent = "Skip to the drawing pad";
    const first = document.querySelector("#pst-skip-link"); // the theme's own
    if (first) first.after(link);
    else document.body.prepend(link);
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
      const loaded = await readNetwork(weights);
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
