// A training that answers messages: two networks side by side, with the bugs and without.
//
// It takes   { type: "digits", digits }            first of all: what loadDigits gives
//            { type: "configure", settings }       new networks, step 0
//            { type: "start", until }              { type: "stop" }     { type: "step", count }
//            { type: "watch", instruments }        whose readings to send along, by id
//            { type: "ask", number, instrument }   for one reading
//            { type: "show", index }               the test picture that `example` follows
//            { type: "pace", stepsPerSecond }      0: as fast as it goes
// and sends  { type: "ready", settings, problem, readings }   to configure; problem: why it can't run
//            { type: "progress", step, running, from, losses, rightLosses, accuracies, readings,
//              stepsPerSecond }                    what is new: the losses are those from step `from`
//            { type: "stopped", step, why, message }          why: asked, done, nan or error
//            { type: "answer", number, instrument, reading }
//            { type: "failed", message }           an exception
// each with `run`, which counts how often it was configured. Losses may be nan or infinite; an
// accuracy is [step, mine, right]. The settings are those of DEFAULTS in arithmetic.js, and
// `initial`, weights to start from; the readings are described in instruments.js.
MnistLab.part(function (MnistLab) {
  "use strict";
  const { Network, Batches, complete, examine, read } = MnistLab;
  const EVERY = 50; // steps from one measurement of the accuracy to the next
  const TEST = 512; // test pictures for it
  const SEND = 1000 / 30; // milliseconds from one progress to the next
  const RECENT = 20; // losses that are averaged
  const READ = 250; // and from one reading of the instruments to the next

  /** One of the two: a network, its batches, what became of it so far. */
  class Side {
    constructor(settings, digits) {
      this.network = new Network(settings);
      this.batches = new Batches(digits, settings);
      const { x, labels, pictures } = new Batches(digits, settings).draw();
      this.firstBatch = { x: x.slice(), labels, pictures };
      this.firstWeights = this.network.weights[0].slice();
      this.firstLoss = this.network.loss(x, labels, settings.batch); // as the first step will find it
      this.recent = []; // the last losses
      this.unsent = []; // those that the page does not have yet
    }

    measure() {
      this.accuracy = examine(this.network, this.batches, TEST).accuracy;
    }

    step() {
      const { x, labels } = this.batches.draw(), rows = this.batches.size;
      const loss = this.network.lossAndGradients(x, labels, rows);
      this.network.step(rows);
      this.unsent.push(loss);
      this.recent.push(loss);
      if (this.recent.length > RECENT) this.recent.shift();
    }
  }

  class Run {
    /** `send` takes the messages; `wait(function, milliseconds)` calls a function later. */
    constructor(send, wait, slice) {
      Object.assign(this, { send, wait, slice, number: 0, digits: null, watched: [], pace: 0, shown: 0 });
      this.running = this.scheduled = false;
    }

    receive(message) {
      try {
        this[`on${message.type[0].toUpperCase()}${message.type.slice(1)}`](message);
      } catch (error) {
        this.running = false;
        this.send({ type: "failed", run: this.number, message: error.message });
      }
    }

    onDigits({ digits }) {
      this.digits = digits;
    }

    onConfigure({ settings }) {
      this.number++;
      this.running = false;
      this.settings = complete(settings);
      this.done = this.sent = 0;
      this.accuracies = [];
      this.mine = this.right = null;
      let problem = null;
      try {
        this.mine = new Side(this.settings, this.digits);
        // Without a bug both are the same, and it takes half the time.
        const { bugs } = this.settings, right = { ...this.settings, bugs: [] };
        this.right = bugs.length > 0 ? new Side(right, this.digits) : this.mine;
        this.noteAccuracy();
      } catch (error) {
        problem = error.message;
      }
      const readings = problem ? {} : this.readings();
      this.send({ type: "ready", run: this.number, settings: this.settings, problem, readings });
      if (!problem) this.progress();
    }

    onStart({ until = Infinity }) {
      if (!this.right) return;
      this.until = until;
      this.running = true;
      this.clock = { at: performance.now(), step: this.done };
      this.schedule(0);
    }

    onStop() {
      if (this.running) this.end("asked");
    }

    onStep({ count = 1 }) {
      if (!this.right || this.running) return;
      for (let i = 0; i < count; i++) this.oneStep();
      this.progress(true);
    }

    onWatch({ instruments }) {
      this.watched = instruments;
      if (this.right && !this.running) this.progress(true);
    }

    onShow({ index }) {
      this.shown = index;
      if (this.right && !this.running) this.progress(true);
    }

    onPace({ stepsPerSecond }) {
      this.pace = stepsPerSecond;
      this.clock = { at: performance.now(), step: this.done };
    }

    onAsk({ number, instrument }) {
      if (!this.right) return;
      const reading = read(instrument, this.view());
      this.send({ type: "answer", run: this.number, number, instrument, reading });
    }

    // ---- Training ----------------------------------------------------------------------------------

    schedule(milliseconds) {
      if (this.scheduled) return;
      this.scheduled = true;
      this.wait(() => {
        this.scheduled = false;
        if (!this.running) return;
        try {
          this.work();
        } catch (error) {
          this.end("error", error.message);
        }
      }, milliseconds);
    }

    /** Train for a slice of time, so that messages are heard in between. */
    work() {
      const end = performance.now() + this.slice;
      while (this.done < this.until && this.allowed() > 0 && performance.now() < end) this.oneStep();
      if (this.done >= this.until) return this.end("done");
      if (!this.mine.network.isFinite()) return this.end("nan");
      if (performance.now() - this.sentAt >= SEND) this.progress();
      this.schedule(this.allowed() > 0 ? 0 : 10);
    }

    /** How many steps the pace allows now. */
    allowed() {
      if (!this.pace) return Infinity;
      const { at, step } = this.clock;
      return Math.floor(((performance.now() - at) / 1000) * this.pace) + 1 - (this.done - step);
    }

    oneStep() {
      this.mine.step();
      if (this.right !== this.mine) this.right.step();
      this.done++;
      if (this.done % EVERY === 0) this.noteAccuracy();
    }

    noteAccuracy() {
      this.mine.measure();
      if (this.right !== this.mine) this.right.measure();
      this.accuracies.push([this.done, this.mine.accuracy, this.right.accuracy]);
    }

    end(why, message = "") {
      this.running = false;
      if (why !== "error") this.progress(true);
      this.send({ type: "stopped", run: this.number, step: this.done, why, message });
    }

    // ---- Messages ----------------------------------------------------------------------------------

    progress(withReadings = false) {
      const now = performance.now(), from = this.sent, { mine, right } = this;
      const due = withReadings || !this.running || now - this.readAt >= READ;
      const stepsPerSecond = this.running ? (1000 * (this.done - this.clock.step)) / (now - this.clock.at) : 0;
      const message = {
        type: "progress", run: this.number, step: this.done, running: this.running, from,
        losses: mine.unsent, rightLosses: right.unsent,
        accuracies: this.accuracies, readings: due ? this.readings() : {}, stepsPerSecond,
      };
      [this.accuracies, mine.unsent, right.unsent] = [[], [], []];
      this.sent = this.done;
      this.sentAt = now;
      if (due) this.readAt = performance.now();
      this.send(message);
    }

    readings() {
      return Object.fromEntries(this.watched.map((id) => [id, read(id, this.view())]));
    }

    view() {
      const { settings, digits, mine, right, shown, done: step } = this;
      return { settings, digits, mine, right, shown, step };
    }
  }

  /** Make a function that calls another one later: after some milliseconds, or once messages are heard. */
  function waiter() {
    // setTimeout(f, 0) waits for 4 ms where it calls itself; a message does not.
    const channel = new MessageChannel(), due = [];
    channel.port1.onmessage = () => due.shift()();
    return (later, milliseconds) => {
      if (milliseconds > 0) return setTimeout(later, milliseconds);
      due.push(later);
      channel.port2.postMessage(0);
    };
  }

  Object.assign(MnistLab, { Run, waiter });
});
