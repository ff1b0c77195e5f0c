// Below each result of a search stands text, no code; it runs after searchtools.js.
(() => {
  "use strict";
  const CODE = "pre, svg, table, script, style, .headerlink, .cell_output";

  Search.htmlToText = (html, anchor) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const found = anchor && page.getElementById(anchor.slice(1));
    const place = found && (found.textContent ? found : found.nextElementSibling);
    const text = place ?? page.querySelector("article") ?? page.body;
    for (const code of text.querySelectorAll(CODE)) code.remove();
    return text.textContent.replace(/\s+/g, " ");
  };
})();
