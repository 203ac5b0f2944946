// What both pads share: when to report to Python, and one pad a place on the page.

const EVERY_MS = 50; // at most one report in this time while the pen moves
const ANSWER_MS = 400; // an answer that takes longer than this is not waited for
const REST_MS = 250; // no stroke for so long after an answer: time for the rest of the page
const GONE_MS = 100; // Streamlit may move a place within the page

class Link {
  constructor(report) {
    this.report = report; // () => what the pad holds now
    this.revision = 0; // of what was sent last
    this.answered = 0; // of what Python has answered
    this.sentAt = -Infinity;
    this.waiting = false;
    this.rested = true;
  }

  answer(setStateValue, revision) {
    this.setStateValue = setStateValue;
    this.answered = revision;
    this.revision = Math.max(this.revision, revision); // a pad that is shown again counts on
    if (this.waiting) this.soon();
    else if (!this.rested && this.answered >= this.revision) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.rest(), REST_MS);
    }
  }

  soon() {
    clearTimeout(this.timer);
    const pause = this.answered >= this.revision ? EVERY_MS : ANSWER_MS;
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

  // The same drawing once more: nothing was added to it for a while.
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

const shown = new WeakMap(); // the pad of each place

// Streamlit calls this at every answer, and what it returns before or after the next call: the pad
// ends only when its place has left the page.
function show({ parentElement: place, data, setStateValue }, Pad) {
  const pad = shown.get(place) ?? new Pad(place);
  shown.set(place, pad);
  pad.link.answer(setStateValue, data.answered);
  if (pad.start !== data.start) {
    pad.start = data.start;
    pad.begin(data);
  }
  return () => {
    setTimeout(() => {
      if (place.isConnected) return;
      pad.link.stop();
      pad.listening.abort();
      shown.delete(place);
    }, GONE_MS);
  };
}

// A button that cannot be used stays in the keyboard's way, so that the focus is not lost on it.
function enable(button, enabled) {
  button.setAttribute("aria-disabled", String(!enabled));
}

function shortcut(event) {
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && !event.altKey) {
    if (key === "z") return event.shiftKey ? "redo" : "undo";
    if (key === "y") return "redo";
  }
  return "";
}
