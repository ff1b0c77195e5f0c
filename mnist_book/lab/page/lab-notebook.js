// The laboratory in a notebook (by anywidget; the other side is mnist_book/lab/lab.py).
(() => {
  "use strict";

  function render({ model, el }) {
    MnistLab.useDigits(model.get("_digits"));
    const settings = model.get("_settings");
    const lab = new MnistLab.Lab(el, { preset: { settings }, form: model.get("_form") });
    return () => lab.bench.close();
  }

  MnistLab.widget = { render };
})();
