// Shared by both pads: when to report to Python, buttons and shortcuts, which pad is at a place.

const EVERY_MS = 50; // while the pen moves, at least this long between two reports
const REPLY_MS = 400; // wait at most this long for Python to process a report
const REST_MS = 250; // after this long without a new stroke the rest of the page can run
const GONE_MS = 100; // Streamlit can take a place out and put it back elsewhere on the page

class Link {
  constructor(report) {
    this.report = report; // () => the pad's content now
    this.revision = 0; // of the report that was sent last
    this.processed = 0; // revision of the last report that Python has processed
    this.sentAt = -Infinity;
    this.waiting = false;
    this.rested = true;
  }

  reply(setStateValue, revision) {
    this.setStateValue = setStateValue;
    this.processed = revision;
    this.revision = Math.max(this.revision, revision); // a restored pad continues to count
    if (this.waiting) this.soon();
    else if (!this.rested && this.processed >= this.revision) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.rest(), REST_MS);
    }
  }

  // Report as soon as the last report is processed and EVERY_MS have passed.
  soon() {
    clearTimeout(this.timer);
    const pause = this.processed >= this.revision ? EVERY_MS : REPLY_MS;
    const wait = this.sentAt + pause - performance.now();
    this.waiting = wait > 0;
    if (this.waiting) this.timer = setTimeout(() => this.soon(), wait);
    else this.now();
  }

  now() {
    this.stop();
    this.sentAt = performance.now();
    this.revision += 1;
    this.send(false);
  }

  // Report the same drawing again: nothing was added to it for a while.
  rest() {
    const report = this.report();
    if (!report.moving) this.send(true, report);
  }

  send(resting, report = this.report()) {
    this.rested = resting;
    this.setStateValue("drawing", { ...report, resting, revision: this.revision });
  }

  stop() {
    clearTimeout(this.timer);
    this.waiting = false;
  }
}

class Pad {
  constructor(place) {
    this.status = place.querySelector("[role=status]");
    this.link = new Link(() => this.report());
    this.listening = new AbortController();
    this.buttons = {};
    for (const name of ["undo", "redo", "clear"]) {
      this.buttons[name] = place.querySelector(`[data-tool=${name}]`);
      this.on(this.buttons[name], "click", () => this[name]());
    }
    this.on(place.querySelector(".pad"), "keydown", (event) => {
      const tool = this.shortcut(event);
      if (!tool) return;
      event.preventDefault();
      this[tool]();
    });
  }

  on(target, names, handler, options = {}) {
    for (const name of names.split(" ")) {
      target.addEventListener(name, handler, { signal: this.listening.signal, ...options });
    }
  }

  shortcut(event) {
    const key = event.key.toLowerCase();
    if ((event.ctrlKey || event.metaKey) && !event.altKey) {
      if (key === "z") return event.shiftKey ? "redo" : "undo";
      if (key === "y") return "redo";
    }
    return "";
  }

  // A disabled button stays focusable: otherwise the focus would be lost when it is disabled.
  enable(name, enabled) {
    this.buttons[name].setAttribute("aria-disabled", String(!enabled));
  }
}

const shown = new WeakMap(); // place on the page => its pad

// Streamlit calls this with every reply, and calls the function it returns before or after the next
// call. So the pad ends only when its place has left the page.
function show({ parentElement: place, data, setStateValue }, KindOfPad) {
  const isNew = !shown.has(place);
  if (isNew) shown.set(place, new KindOfPad(place));
  const pad = shown.get(place);
  pad.link.reply(setStateValue, data.processed);
  if (isNew) pad.begin(data);
  return () => {
    setTimeout(() => {
      if (place.isConnected) return;
      pad.link.stop();
      pad.listening.abort();
      shown.delete(place);
    }, GONE_MS);
  };
}
