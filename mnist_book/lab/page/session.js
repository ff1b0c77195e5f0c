// Where the training runs: in a worker, or in slices between the page's own work where none starts.
(() => {
  "use strict";
  const COMPUTING = [...MnistLab.parts]; // all scripts before this one
  const WORKER_SLICE = 15, PAGE_SLICE = 8; // milliseconds of training between two looks at messages
  const HERE = globalThis.document?.currentScript?.src;

  /** In a worker: let a Run answer the messages of the page. */
  function serve(MnistLab, slice) {
    const run = new MnistLab.Run(postMessage.bind(globalThis), MnistLab.waiter(), slice);
    globalThis.onmessage = ({ data }) => run.receive(data);
    postMessage({ type: "hello" });
  }

  /** The worker's program, as text: a page from disk may not load one from a file. */
  function workerSource() {
    const parts = COMPUTING.map((define) => `(${define})(MnistLab);`);
    return ["const MnistLab = {};", ...parts, `(${serve})(MnistLab, ${WORKER_SLICE});`].join("\n");
  }

  /**
   * Open a session: {post(message), close(), kind}. `listener` gets the answers; run.js says which.
   * Before it is known whether a worker starts, `kind` is "starting" and messages wait.
   */
  function openSession(listener, { worker: wanted = true } = {}) {
    const session = { kind: "starting", post, close };
    let waiting = [], worker = null, deliver = null, closed = false;

    function post(message) {
      if (deliver) deliver(message);
      else waiting.push(message);
    }

    function close() {
      closed = true;
      worker?.terminate();
      deliver = () => {};
    }

    function ready(kind, how) {
      if (closed) return;
      session.kind = kind;
      deliver = how;
      waiting.splice(0).forEach(how);
    }

    function runInPage() {
      worker = null;
      const tell = (message) => closed || listener(message);
      const wait = MnistLab.waiter();
      const run = new MnistLab.Run(tell, (later, after) => wait(() => closed || later(), after), PAGE_SLICE);
      ready("page", (message) => queueMicrotask(() => closed || run.receive(message)));
    }

    function runInWorker() {
      const url = URL.createObjectURL(new Blob([workerSource()], { type: "text/javascript" }));
      worker = new Worker(url);
      worker.onmessage = ({ data }) => {
        if (data.type !== "hello") return listener(data);
        URL.revokeObjectURL(url);
        ready("worker", (message) => worker.postMessage(message));
      };
      worker.onerror = (event) => {
        event.preventDefault();
        if (session.kind === "starting") runInPage();
        else listener({ type: "failed", run: null, message: event.message });
      };
    }

    try {
      if (wanted) runInWorker();
      else runInPage();
    } catch {
      runInPage();
    }
    return session;
  }

  // ---- The digits --------------------------------------------------------------------------------

  let digits = null; // a promise, for all laboratories of the page

  /** Load the digits from the folder of the scripts, by a script element: that works from disk, too. */
  function loadDigits(folder = HERE) {
    digits ??= load(new URL("lab-digits.js", folder).href).catch((error) => {
      digits = null; // the next one may try again
      throw error;
    });
    return digits;
  }

  /** Take these packed digits in place of those that come with a page. */
  function useDigits(packed) {
    digits = unpackDigits(packed);
  }

  async function load(url) {
    const script = document.createElement("script");
    script.src = url;
    await new Promise((resolve, reject) => {
      script.onload = resolve;
      script.onerror = () => reject(new Error("The digits could not be loaded: lab-digits.js is missing."));
      document.head.append(script);
    });
    script.remove();
    const packed = globalThis.MNIST_LAB_DIGITS;
    delete globalThis.MNIST_LAB_DIGITS;
    return unpackDigits(packed);
  }

  /** Let the page answer in between. */
  const pause = () => new Promise((resume) => setTimeout(resume));

  /** Undo what mnist_book/lab/digits.py packed: two pixels of 16 grey levels in a byte, deflated. */
  async function unpackDigits({ source, train, labels, pixels }) {
    if (!globalThis.DecompressionStream) {
      throw new Error("This browser is too old to unpack the digits: it has no DecompressionStream.");
    }
    const bytes = fromBase64(pixels);
    await pause();
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const pairs = new Uint8Array(await new Response(stream).arrayBuffer());
    await pause();
    const images = new Uint8Array(2 * pairs.length);
    for (let i = 0; i < pairs.length; i++) {
      images[2 * i] = 17 * (pairs[i] >> 4); // 0 to 15 becomes 0 to 255
      images[2 * i + 1] = 17 * (pairs[i] & 15);
    }
    if (images.length !== 784 * labels.length) throw new Error("The digits are damaged. Reload the page.");
    return { source, images, labels: Uint8Array.from(labels, Number), train };
  }

  /** Decode base64, in a loop: for half a million bytes Uint8Array.from takes far longer. */
  function fromBase64(text) {
    const characters = atob(text), bytes = new Uint8Array(characters.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
    return bytes;
  }

  Object.assign(MnistLab, { openSession, loadDigits, useDigits, unpackDigits, pause });
})();
