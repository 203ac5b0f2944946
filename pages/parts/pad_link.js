// What both pads share: when to report to Python, and one pad a place on the page.

const EVERY_MS = 50; // at most one report in this time while the pen moves
const ANSWER_MS = 400; // an answer that takes longer than this is not waited for

class Link {
  constructor(report) {
    this.report = report; // () => what the pad holds now
    this.revision = 0; // of what was sent last
    this.answered = 0; // of what Python has seen
    this.sentAt = -Infinity;
    this.waiting = false;
  }

  answer(setStateValue, revision) {
    this.setStateValue = setStateValue;
    this.answered = revision;
    this.revision = Math.max(this.revision, revision); // a pad that is shown again counts on
    if (this.waiting) this.soon();
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
    this.setStateValue("drawing", { ...this.report(), revision: this.revision });
  }

  stop() {
    clearTimeout(this.timer);
    this.waiting = false;
  }
}

const shown = new WeakMap(); // the pad of each place

// Streamlit calls a component's function at every answer, and may call what it returns for a call
// that a later one has overtaken: only the last call's clean-up ends the pad.
function show(component, Pad) {
  const { parentElement: place, data, setStateValue } = component;
  const pad = shown.get(place) ?? new Pad(place);
  shown.set(place, pad);
  const call = Symbol("call");
  pad.call = call;
  pad.link.answer(setStateValue, data.answered);
  if (pad.start !== data.start) {
    pad.start = data.start;
    pad.begin(data);
  }
  return () => {
    if (pad.call !== call) return;
    pad.link.stop();
    pad.listening.abort();
    shown.delete(place);
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
