// The live pad: strokes of pen, finger or mouse, reported while they are drawn.

const SIDE = 280; // CSS pixels of the pad, and pixels of the picture that is sent
const MARGIN = 40; // pixels; points farther outside the pad are clipped to this distance
const NEAR = 1; // pixels; points closer than this to the last one are dropped
const MOST_POINTS = 4000;

// A stroke is a flat list x, y, width, x, y, width..., in whole tenths of a pixel: it gives the
// same picture when it is drawn, drawn again after an undo, and restored by Python.
const point = (stroke, i) => ({
  x: stroke[3 * i] / 10,
  y: stroke[3 * i + 1] / 10,
  width: stroke[3 * i + 2] / 10,
});
const middle = (a, b) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
const count = (stroke) => stroke.length / 3;

// Draw the part of a stroke that a point adds: first a dot, then curves between middles of points.
function drawPoint(context, stroke, i) {
  const to = point(stroke, i);
  context.beginPath();
  if (i === 0) {
    context.arc(to.x, to.y, to.width / 2, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  const over = point(stroke, i - 1);
  const from = middle(point(stroke, Math.max(i - 2, 0)), over);
  const end = middle(over, to);
  context.lineWidth = over.width;
  context.moveTo(from.x, from.y);
  context.quadraticCurveTo(over.x, over.y, end.x, end.y);
  context.stroke();
}

// Draw the last part of a stroke, from the last middle to the last point.
function drawEnd(context, stroke) {
  const n = count(stroke);
  if (n < 2) return;
  const last = point(stroke, n - 1);
  const from = middle(point(stroke, n - 2), last);
  context.beginPath();
  context.lineWidth = last.width;
  context.moveTo(from.x, from.y);
  context.lineTo(last.x, last.y);
  context.stroke();
}

class LivePad extends Pad {
  constructor(place) {
    super(place);
    this.sheet = place.querySelector("canvas");
    this.picture = document.createElement("canvas"); // sent to Python, never shown
    this.picture.width = this.picture.height = SIDE;
    this.contexts = [
      this.sheet.getContext("2d"),
      this.picture.getContext("2d", { willReadFrequently: true }),
    ];
    this.slider = place.querySelector("input");
    this.on(this.sheet, "pointerdown", (event) => this.down(event));
    this.on(this.sheet, "pointermove", (event) => this.move(event));
    this.on(this.sheet, "pointerup pointercancel lostpointercapture", (event) => this.up(event));
    // Otherwise a tablet's handwriting recognition takes the strokes.
    this.on(this.sheet, "touchmove", (event) => event.cancelable && event.preventDefault(), {
      passive: false,
    });
    this.on(this.slider, "input", () => this.showWidth());
    this.on(window, "resize", () => this.ratio !== window.devicePixelRatio && this.fit());
  }

  shortcut(event) {
    return super.shortcut(event) || (event.key === "Delete" ? "clear" : "");
  }

  begin({ strokes, width }) {
    this.strokes = strokes;
    this.past = strokes.map((_, i) => strokes.slice(0, i));
    this.future = [];
    this.stroke = null; // the one being drawn
    this.pointer = null;
    this.slider.value = width;
    this.showWidth();
    this.fit();
    this.updateTools();
  }

  // Match the sheet's pixels to the screen's; the picture that is sent stays 280x280.
  fit() {
    this.ratio = window.devicePixelRatio;
    this.sheet.width = this.sheet.height = Math.round(SIDE * this.ratio);
    this.contexts[0].scale(this.sheet.width / SIDE, this.sheet.width / SIDE);
    this.paint();
  }

  paint() {
    for (const context of this.contexts) {
      context.fillStyle = "#fff";
      context.fillRect(0, 0, SIDE, SIDE);
      context.fillStyle = context.strokeStyle = "#000";
      context.lineCap = context.lineJoin = "round";
      for (const stroke of this.strokes) {
        for (let i = 0; i < count(stroke); i += 1) drawPoint(context, stroke, i);
        drawEnd(context, stroke);
      }
    }
  }

  down(event) {
    if (this.pointer !== null && this.pen(event)) this.drop(); // the palm touched before the pen
    if (this.pointer !== null || event.button !== 0) return;
    if (this.full()) {
      this.updateTools();
      return;
    }
    this.sheet.setPointerCapture(event.pointerId);
    this.pointer = event.pointerId;
    this.pointerType = event.pointerType;
    this.stroke = [];
    this.add(event);
  }

  move(event) {
    if (event.pointerId !== this.pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) this.add(one);
  }

  up(event) {
    if (event.pointerId !== this.pointer) return;
    const { stroke } = this;
    this.stroke = this.pointer = null;
    for (const context of this.contexts) drawEnd(context, stroke);
    this.change([...this.strokes, stroke], false);
  }

  pen(event) {
    return event.pointerType === "pen" && this.pointerType === "touch";
  }

  drop() {
    this.stroke = this.pointer = null;
    this.paint();
  }

  add(event) {
    if (this.full()) return;
    const box = this.sheet.getBoundingClientRect();
    const scale = SIDE / box.width;
    const inside = (v) => Math.min(Math.max(v * scale, -MARGIN), SIDE + MARGIN);
    const x = inside(event.clientX - box.left);
    const y = inside(event.clientY - box.top);
    const n = count(this.stroke);
    if (n) {
      const last = point(this.stroke, n - 1);
      if (Math.hypot(x - last.x, y - last.y) < NEAR) return;
    }
    const press = event.pointerType === "pen" ? 0.4 + 1.2 * event.pressure : 1;
    const width = this.slider.valueAsNumber * press;
    this.stroke.push(...[x, y, width].map((v) => Math.round(10 * v)));
    for (const context of this.contexts) drawPoint(context, this.stroke, n);
    this.link.soon();
  }

  full() {
    const held = this.strokes.reduce((sum, stroke) => sum + count(stroke), 0);
    return held + count(this.stroke ?? []) >= MOST_POINTS;
  }

  change(strokes, repaint = true) {
    this.past.push(this.strokes);
    this.future = [];
    this.setStrokes(strokes, repaint);
  }

  setStrokes(strokes, repaint = true) {
    this.strokes = strokes;
    if (repaint) this.paint();
    this.updateTools();
    this.link.now();
  }

  undo() {
    if (this.stroke || !this.past.length) return;
    this.future.push(this.strokes);
    this.setStrokes(this.past.pop());
  }

  redo() {
    if (this.stroke || !this.future.length) return;
    this.past.push(this.strokes);
    this.setStrokes(this.future.pop());
  }

  clear() {
    if (!this.stroke && this.strokes.length) this.change([]);
  }

  report() {
    const moving = this.stroke !== null;
    const empty = !moving && !this.strokes.length;
    return {
      moving,
      picture: empty ? "" : this.picture.toDataURL("image/png"),
      width: this.slider.valueAsNumber,
      strokes: moving ? [] : this.strokes,
    };
  }

  showWidth() {
    this.slider.nextElementSibling.textContent = this.slider.value;
  }

  updateTools() {
    const n = this.strokes.length;
    this.enable("undo", this.past.length);
    this.enable("redo", this.future.length);
    this.enable("clear", n);
    this.status.textContent = this.full()
      ? "The pad is full: undo a stroke or clear it."
      : ["Nothing drawn yet", "1 stroke"][n] ?? `${n} strokes`;
  }
}

export default (component) => show(component, LivePad);
