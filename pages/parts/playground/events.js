// The visitor's actions as events for Python, and the controls for own points.

// Every event is sent again until Python has confirmed it, so that two quick events both arrive.
class Queue {
  constructor() {
    this.events = [];
    this.number = 0; // of the last event
  }

  get waiting() {
    return this.events.length > 0;
  }

  confirm(setStateValue, lastEvent) {
    this.setStateValue = setStateValue;
    this.events = this.events.filter((event) => event.n > lastEvent);
    this.number = Math.max(this.number, lastEvent); // a new picture continues the count
  }

  send(event) {
    this.number += 1;
    this.events.push({ n: this.number, ...event });
    this.setStateValue("events", [...this.events]);
  }
}

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

class OwnPoints {
  constructor(root, plane, queue, redraw) {
    Object.assign(this, { plane, queue, redraw });
    this.box = root.querySelector(".own");
    this.classes = this.box.querySelector(".classes");
    this.label = 0;
  }

  listen(on) {
    on(this.plane.canvas, "click", (event) => this.add(...this.plane.at(event)));
    on(this.plane.canvas, "keydown", (event) => this.key(event));
    on(this.plane.canvas, "blur", () => this.point(null));
    for (const button of this.box.querySelectorAll("[data-own]")) {
      on(button, "click", () => this.queue.send({ do: button.dataset.own }));
    }
    on(this.classes, "change", (event) => {
      this.label = Number(event.target.value);
    });
  }

  show(shown, palette) {
    if (shown === !this.box.hidden) return;
    this.box.hidden = !shown;
    if (shown) this.plane.canvas.tabIndex = 0;
    else this.plane.canvas.removeAttribute("tabindex");
    if (!this.classes.children.length) this.offer(palette);
  }

  offer(palette) {
    for (let label = 0; label < 4; label += 1) {
      const radio = element("input", { type: "radio", name: "class", value: label });
      radio.checked = label === this.label;
      const dot = element("b", { style: `background:${css(palette.classes[label])}` });
      this.classes.append(element("label", {}, radio, dot, String(label)));
    }
  }

  add(x, y) {
    if (!this.box.hidden) this.queue.send({ do: "point", x, y, label: this.label });
  }

  // By keyboard: arrow keys move a cross, Enter or space adds a point at the cross.
  key(event) {
    if (this.box.hidden) return;
    if (MOVES[event.key]) {
      const by = event.shiftKey ? 0.1 : 0.5;
      const at = this.plane.cross ?? [0, 0];
      const to = MOVES[event.key].map((d, i) => clamp(at[i] + d * by, -REACH, REACH));
      this.point(to.map((v) => Math.round(100 * v) / 100));
    } else if (event.key === "Enter" || event.key === " ") {
      this.add(...(this.plane.cross ?? [0, 0]));
    } else return;
    event.preventDefault();
  }

  point(cross) {
    this.plane.cross = cross;
    this.redraw();
  }
}
