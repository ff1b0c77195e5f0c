// Finds the laboratories of a page, the elements with the attribute data-lab, and loads what they
// need once one of them comes near the screen. Until then a page pays for this file alone.
(() => {
  "use strict";
  const SCRIPTS = [
    "lab.js", "random.js", "arithmetic.js", "instruments.js", "run.js", "session.js",
    "switches.js", "cases.js",
    "lab-words.js", "lab-charts.js", "lab-pictures.js", "lab-panels.js", "lab-controls.js",
    "lab-view.js", "lab-game.js",
  ];
  const NEAR = "400px"; // how far below the screen a laboratory begins to load

  const base = new URL(".", document.currentScript.src).href;
  let loading = null; // a promise, for all laboratories of the page

  /** Let the page answer in between. */
  const pause = () => new Promise((resume) => setTimeout(resume));

  function append(tag, properties) {
    return new Promise((resolve, reject) => {
      const element = Object.assign(document.createElement(tag), properties);
      element.onload = resolve;
      element.onerror = () =>
        reject(new Error(`${element.src ?? element.href} could not be loaded. Reload the page.`));
      document.head.append(element);
    });
  }

  /** Load by elements: unlike fetch, they work from file:// too. `async: false` keeps the order. */
  async function load() {
    const coming = [append("link", { rel: "stylesheet", href: `${base}lab.css` })];
    for (const name of SCRIPTS) {
      coming.push(append("script", { src: base + name, async: false }));
      await pause();
    }
    await Promise.all(coming);
  }

  async function mount(element) {
    try {
      await (loading ??= load());
      await pause();
      MnistLab.mount(element);
    } catch (error) {
      const text = Object.assign(document.createElement("p"), { role: "alert" });
      text.textContent = `The laboratory could not start: ${error.message}`;
      element.append(text);
      throw error;
    }
  }

  /** A link to a case or to a network brings its laboratory, wherever on the page it stands. */
  const wanted = ({ dataset }) =>
    location.hash.includes(dataset.lab === "game" ? "case=" : "bugs=") && dataset.lab !== "";

  function watch() {
    const observer = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries)
        if (isIntersecting) {
          observer.unobserve(target);
          mount(target);
        }
    }, { rootMargin: `${NEAR} 0px` });
    for (const element of document.querySelectorAll("[data-lab]")) {
      if (wanted(element)) mount(element);
      else observer.observe(element);
    }
  }

  if (document.readyState === "loading") addEventListener("DOMContentLoaded", watch);
  else watch();
})();
