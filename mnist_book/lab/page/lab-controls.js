// What one sets: the switches that put bugs in, with the wrong and the right line of NumPy, and the
// sizes, rates and the seed.
(() => {
  "use strict";
  const { element, escaped, markdown, chapterLink, guideLink, GROUPS, SWITCHES, switchOf } = MnistLab;

  let made = 0;

  /** The wrong line above the right one, told apart by sign and word and not by colour alone. */
  function linesOf({ wrong, right, harmless }) {
    const line = (kind, sign, word, code) => `<div class="lab-line lab-line-${kind}">
      <span aria-hidden="true">${sign}</span><span class="lab-spoken">${word}:</span>
      <pre tabindex="-1"><code>${escaped(code.replace(/\s*#\s*wrong\b.*$/gm, ""))}</code></pre></div>`;
    return line("wrong", harmless ? "≠" : "−", harmless ? "instead" : "wrong", wrong) +
      line("right", harmless ? "=" : "+", "right", right);
  }

  const EXCLUSIVE = ["activation", "weights"]; // a network has one activation, and one start

  /** Switches in groups: one bug at a time, or several where the reader wants it so. */
  class Switches {
    /**
     * offered: ids of switches, or null for all. on: those that are on. changed(bugs) is called with
     * the ids of those that are on.
     */
    constructor({ offered = null, on = [], changed }) {
      this.changed = changed;
      this.number = ++made;
      this.root = element(`<div class="lab-switches"></div>`);
      this.lines = element(`<div class="lab-lines"></div>`); // who uses the switches places it
      if (offered) this.root.append(this.#list(offered.map(switchOf)));
      else for (const group of GROUPS) this.root.append(this.#group(group));
      this.root.firstElementChild.open = true;
      this.root.append(element(`<label class="lab-switch lab-several"><input type="checkbox"
        role="switch"><span>several bugs at once</span></label>`));
      this.several = this.root.querySelector(".lab-several input");
      this.several.checked = on.length > 1;
      this.several.parentElement.hidden = offered !== null && on.length < 2;
      this.bugs = on;
      this.#listen();
    }

    #switch({ id, name, wrong, right, harmless }) {
      const about = `lab-${this.number}-${id}`;
      return `<label class="lab-switch lab-switch-${harmless ? "other" : "wrong"}">
          <input type="checkbox" role="switch" value="${id}" aria-describedby="${about}">
          <span>${escaped(name)}</span></label>
        <span hidden id="${about}">${escaped(`Wrong: ${wrong} Right: ${right}`)}</span>`;
    }

    #list(switches) {
      return element(`<div class="lab-group"><fieldset><legend class="lab-spoken">Bugs</legend>
        ${switches.map((one) => this.#switch(one)).join("")}</fieldset></div>`);
    }

    #group({ id, name, chapter }) {
      const switches = SWITCHES.filter(({ group }) => group === id);
      return element(`<details class="lab-group" data-group="${id}" name="lab-${this.number}">
        <summary><span>${escaped(name)}</span> <span class="lab-now"></span>
          <span class="lab-where">Chapter ${chapter}</span></summary>
        <fieldset><legend class="lab-spoken">${escaped(name)}</legend>
          ${switches.map((one) => this.#switch(one)).join("")}</fieldset></details>`);
    }

    #listen() {
      this.root.addEventListener("change", ({ target }) => {
        const before = this.bugs.filter((id) => id !== target.value);
        const keep = (id) => this.several.checked && (!target.checked ||
          !EXCLUSIVE.includes(switchOf(id).group) || switchOf(id).group !== switchOf(target.value)?.group);
        if (target === this.several) this.bugs = target.checked ? before : before.slice(-1);
        else this.bugs = [...before.filter(keep), ...(target.checked ? [target.value] : [])];
        if (target !== this.several || before.length !== this.bugs.length) this.changed(this.bugs);
      });
      const from = ({ target }) => target.closest?.(".lab-group .lab-switch")?.firstElementChild.value;
      for (const kind of ["focusin", "pointerover"])
        this.root.addEventListener(kind, (event) => {
          const id = from(event);
          if (id) this.look(id);
        });
      this.root.addEventListener("pointerleave", () => this.look(this.bugs.at(-1) ?? null));
    }

    #inputs() {
      return [...this.root.querySelectorAll(".lab-group input")];
    }

    get bugs() {
      return this.#inputs().filter(({ checked }) => checked).map(({ value }) => value);
    }

    set bugs(ids) {
      for (const input of this.#inputs()) input.checked = ids.includes(input.value);
      for (const group of this.root.querySelectorAll("details")) {
        const names = [...group.querySelectorAll("input:checked")].map(({ value }) => switchOf(value).name);
        group.querySelector(".lab-now").textContent = names.join(", "); // groups may be closed
      }
      const group = this.root.querySelector("input:checked")?.closest("details");
      if (group) group.open = true;
      this.look(ids.at(-1) ?? null);
    }

    /** Show the lines of a switch, or none. */
    look(id) {
      if (this.lines.dataset.of === String(id)) return;
      this.lines.dataset.of = id;
      if (id === null) {
        this.lines.innerHTML = `<p class="lab-where">Point at a switch, or put the focus on it, to see its
          line of NumPy here, the wrong one above the right one.</p>`;
        return;
      }
      const shown = switchOf(id);
      const more = [chapterLink(shown), guideLink(shown.code)].filter(Boolean).join(" · ");
      this.lines.innerHTML = `<p><strong>${escaped(shown.name)}</strong>
        <span class="lab-where">${more}</span></p>${linesOf(shown)}`;
    }
  }

  const SIZES = [[16], [32], [64], [16, 16], [32, 32], [64, 64]];
  const CHOICES = {
    hidden: {
      name: "Layers",
      values: SIZES,
      text: (hidden) => [784, ...hidden, 10].join("-"),
    },
    batch: { name: "Batch", values: [1, 8, 16, 32, 64, 128] },
    rate: { name: "Rate", values: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3] },
    momentum: { name: "Momentum", values: [0, 0.5, 0.9, 0.99] },
    pace: {
      name: "Speed",
      values: [0, 100, 20, 4],
      text: (pace) => (pace === 0 ? "as fast as it goes" : `${pace} steps a second`),
    },
  };

  /** Sizes, rates and the seed. changed(values) is called with those that have changed, by name. */
  class Settings {
    constructor({ values, changed }) {
      this.values = { ...values };
      this.changed = changed;
      this.root = element(`<div class="lab-settings">${Object.keys(CHOICES).map((key) => `
          <label>${CHOICES[key].name}<select data-key="${key}"></select></label>`).join("")}
        <label>Seed<input type="number" data-key="seed" min="1" max="9999" step="1"></label>
        <button type="button" class="lab-dice">Another seed</button></div>`);
      this.set(values);
      this.root.addEventListener("change", ({ target }) => {
        const { key } = target.dataset;
        if (!key) return;
        if (key === "seed") {
          const seed = Math.round(Number(target.value));
          if (!(seed >= 1 && seed <= 9999)) return this.set(this.values);
          this.changed({ seed });
        } else {
          this.changed({ [key]: JSON.parse(target.value) });
        }
      });
      this.root.querySelector(".lab-dice").addEventListener("click", () => {
        this.changed({ seed: (this.values.seed % 9999) + 1 });
      });
    }

    set(values) {
      this.values = { ...this.values, ...values };
      for (const [key, { values: offered, text = String }] of Object.entries(CHOICES)) {
        const now = JSON.stringify(this.values[key]), all = offered.map((value) => JSON.stringify(value));
        if (!all.includes(now)) all.push(now);
        this.root.querySelector(`[data-key=${key}]`).innerHTML = all.map((value) =>
          `<option value="${value}" ${value === now ? "selected" : ""}>${
            text(JSON.parse(value))}</option>`).join("");
      }
      this.root.querySelector("[data-key=seed]").value = this.values.seed;
    }
  }

  Object.assign(MnistLab, { Switches, Settings, linesOf });
})();
