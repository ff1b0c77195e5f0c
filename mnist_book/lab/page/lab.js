// The laboratory: one global name, and a way to send what computes to a worker.
globalThis.MnistLab = Object.assign(globalThis.MnistLab ?? {}, {
  // What a part needs, it takes from the object that it is given; a worker has an object of its own.
  parts: [],
  part(define) {
    MnistLab.parts.push(define);
    define(MnistLab);
  },
});
