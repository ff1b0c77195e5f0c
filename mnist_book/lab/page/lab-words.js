// Words and elements: how numbers are written, Markdown of one line, links into the book.
(() => {
  "use strict";
  const script = document.currentScript?.src; // none in a notebook
  const base = script ? new URL(".", script).href : null;

  const escaped = (text) =>
    String(text).replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);

  /** Markdown of a sentence to HTML: code, and stress. */
  const markdown = (text = "") =>
    escaped(text.trim())
      .replace(/`([^`]+)`/g, "<code>$1</code>")
      .replace(/\*\*([^*]+)\*\*/g, "<strong>$1</strong>")
      .replace(/\*([^*]+)\*/g, "<em>$1</em>");

  /** Make an element of HTML. */
  function element(html) {
    const template = document.createElement("template");
    template.innerHTML = html.trim();
    return template.content.firstElementChild;
  }

  /** Put text into an element where it differs. */
  function write(place, text) {
    if (place.textContent !== text) place.textContent = text;
  }

  /** A number with commas between thousands. toLocaleString takes long when it is first called. */
  const grouped = (value) =>
    String(value).replace(/^-?\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ","));

  /** A number as one reads it: as many digits as say something, a true minus, words for no number. */
  function figure(value, digits = 3) {
    if (Number.isNaN(value)) return "nan";
    if (!Number.isFinite(value)) return value > 0 ? "inf" : "−inf";
    const size = Math.abs(value);
    let text;
    if (size === 0) text = "0";
    else if (size >= 1e6 || size < 1e-3) text = value.toExponential(1).replace("e+", "e");
    else if (size >= 1000) text = grouped(Math.round(value));
    else text = value.toPrecision(digits);
    return text.replaceAll("-", "−");
  }

  const percent = (share) =>
    Number.isFinite(share) ? `${(100 * share).toFixed(share > 0 && share < 1 ? 1 : 0)}\u00a0%` : "–";

  const plural = (count, one, many = `${one}s`) =>
    `${grouped(count)} ${count === 1 ? one : many}`;

  // A notebook has no pages around it: there, what would be a link is text.
  const page = (path) => (base ? new URL(`../book/${path}`, base).href : null);
  const link = (path, text) => {
    const address = page(path);
    return address ? `<a href="${address}">${text}</a>` : text;
  };
  const chapterLink = ({ chapter, page: name }) =>
    name ? link(`${name}.html`, chapter ? `Chapter ${chapter}` : "More") : "";
  const guideLink = (code, text = "the field guide") =>
    code ? link(`field-guide.html#${code}`, text) : "";

  /** Put words into the page's address after a #, and the address where one can paste it from. */
  async function copyAddress(words, button) {
    history.replaceState(null, "", `#${words}`);
    const before = button.textContent;
    try {
      await navigator.clipboard.writeText(location.href);
      button.textContent = "Copied";
    } catch {
      button.textContent = "It is in the address bar"; // the clipboard is closed to this page
    }
    setTimeout(() => (button.textContent = before), 2500);
  }

  /** Call back when it turns dark or light: by the page's switch, JupyterLab's, the system's. */
  function watchColours(callback) {
    const observer = new MutationObserver(callback);
    const attributeFilter = ["data-theme", "data-jp-theme-light", "class"];
    observer.observe(document.documentElement, { attributeFilter });
    observer.observe(document.body, { attributeFilter });
    for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"])
      matchMedia(query).addEventListener("change", callback);
  }

  Object.assign(MnistLab, {
    base, escaped, markdown, element, write, grouped, figure, percent, plural, link, page, chapterLink, guideLink,
    copyAddress, watchColours,
  });
})();
