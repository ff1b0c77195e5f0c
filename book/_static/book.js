// What pages do besides showing their text: light or dark, menus, search, copying, and a mark in the
// contents at the place where one reads. It takes the place of the theme's scripts, which lay the
// whole page out several times before anything can be pressed.
(() => {
  "use strict";
  const page = document.documentElement;
  const wide = matchMedia("(min-width: 992px)"), dark = matchMedia("(prefers-color-scheme: dark)");
  const find = (selector) => document.querySelector(selector);
  const on = (selector, event, act) =>
    document.querySelectorAll(selector).forEach((element) => element.addEventListener(event, act));

  // ------------------------------------------------------------------------------ light and dark

  function show(mode) {
    page.dataset.mode = mode;
    page.dataset.theme = mode === "auto" ? (dark.matches ? "dark" : "light") : mode;
    try {
      localStorage.setItem("mode", mode);
    } catch {
      // Where nothing may be kept, the choice holds for this page.
    }
  }

  on(".theme-switch-button", "click", () => {
    const modes = dark.matches ? ["auto", "light", "dark"] : ["auto", "dark", "light"];
    show(modes[(modes.indexOf(page.dataset.mode) + 1) % modes.length]);
  });
  dark.addEventListener("change", () => page.dataset.mode === "auto" && show("auto"));

  // ------------------------------------------------------------------- menus, and the search box

  /** Open a dialog; a click beside it closes it. */
  function open(dialog) {
    dialog.showModal();
    dialog.onclick = ({ target }) => void (target === dialog && dialog.close());
  }

  /** On a narrow page a sidebar is shown as a dialog, and returns to its place afterwards. */
  function openSidebar(name) {
    const bar = find(`#pst-${name}-sidebar`), dialog = find(`#pst-${name}-sidebar-modal`);
    const move = (from, to) => {
      to.append(...from.childNodes);
      to.className = from.className;
      from.className = "";
    };
    move(bar, dialog);
    open(dialog);
    dialog.addEventListener("close", () => move(dialog, bar), { once: true });
  }

  on(".primary-toggle", "click", () => {
    if (wide.matches) find("#pst-primary-sidebar").classList.toggle("pst-sidebar-hidden");
    else openSidebar("primary");
  });
  on(".secondary-toggle", "click", () => openSidebar("secondary"));

  function search() {
    const field = find(".bd-search-container input"), dialog = find("#pst-search-dialog");
    if (field) field.select();
    else if (dialog.open) dialog.close();
    else open(dialog);
  }

  on(".search-button__button", "click", search);
  addEventListener("keydown", (event) => {
    if (event.key !== "k" || event.shiftKey || event.altKey) return;
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    search();
  });
  if (navigator.platform.startsWith("Mac"))
    for (const key of document.querySelectorAll(".kbd-shortcut__modifier"))
      if (key.textContent === "Ctrl") key.textContent = "⌘";

  // ------------------------------------------------------------------------------------- copying

  on(".copybtn", "click", async ({ currentTarget: button }) => {
    const code = button.parentElement.querySelector("pre").cloneNode(true);
    for (const prompt of code.querySelectorAll(".gp")) prompt.remove();
    await navigator.clipboard.writeText(code.textContent.trimEnd());
    button.dataset.tooltip = "Copied";
    button.classList.add("success");
    setTimeout(() => button.classList.remove("success"), 2000);
  });

  // ------------------------------------------------------------------------------ what is in view

  /** Call act(element, visible) whenever an element comes into view or leaves it. */
  function watch(elements, act, rootMargin = "0px") {
    const observer = new IntersectionObserver(
      (entries) => entries.forEach(({ target, isIntersecting }) => act(target, isIntersecting)),
      { rootMargin }
    );
    for (const element of elements) observer.observe(element);
  }

  // Of the pictures that a slider shows in turn, all come when it is near: the first is there.
  watch(document.querySelectorAll(".explorer"), (explorer, visible) => {
    if (visible) for (const picture of explorer.querySelectorAll("img")) picture.loading = "eager";
  });

  // Who uses the keyboard scrolls in a box that is wider than its place.
  const reach = new IntersectionObserver((entries) => {
    const near = entries.filter(({ isIntersecting }) => isIntersecting).map(({ target }) => target);
    const wide = near.map((box) => box.scrollWidth > box.clientWidth); // before anything changes
    near.forEach((box, i) => (wide[i] ? (box.tabIndex = 0) : box.removeAttribute("tabindex")));
  }, { rootMargin: "100% 0px" });
  for (const box of document.querySelectorAll(
    "pre, .cell_output > .output, .pst-scrollable-table-container, .formula"
  )) reach.observe(box);

  const entries = new Map();
  for (const link of document.querySelectorAll("#pst-page-toc-nav a")) {
    const heading = document.getElementById(link.hash.slice(1))?.querySelector("h1, h2, h3, h4");
    if (heading) entries.set(heading, link);
  }
  const mark = (heading, visible) => {
    if (!visible) return;
    for (const [other, link] of entries) {
      link.classList.toggle("active", other === heading);
      link.toggleAttribute("aria-current", other === heading);
    }
  };
  watch(entries.keys(), mark, "0px 0px -70% 0px");
  watch(
    document.querySelectorAll(".sbt-scroll-pixel-helper"),
    (_, atTop) => document.body.classList.toggle("scrolled", !atTop)
  );
  if (wide.matches) find(".bd-docs-nav .current.active > a")?.scrollIntoView({ block: "nearest" });
})();
