// The small form for editing a weight or a bias.

class Editor {
  constructor(root, send) {
    this.root = root;
    this.form = root.querySelector(".editor");
    [this.title, this.choice, this.field] = ["p", "select", "input"].map((name) =>
      this.form.querySelector(name),
    );
    this.send = send;
    this.target = null; // {layer, unit}: the neuron being edited
  }

  listen(on) {
    on(this.form, "submit", (event) => {
      event.preventDefault();
      this.set();
    });
    on(this.choice, "change", () => this.show(true));
    on(this.form.querySelector("[data-close]"), "click", () => this.close());
    on(this.form, "keydown", (event) => event.key === "Escape" && this.close());
  }

  // Open for a neuron, with the names of its inputs and the selected source (-1 is the bias).
  open({ layer, unit, title, sources, source, read, beside }) {
    this.target = { layer, unit };
    this.read = read;
    this.beside = beside;
    this.title.textContent = title;
    this.choice.replaceChildren(
      ...[["bias", -1], ...sources.map((name, i) => [`weight of ${name}`, i])].map(
        ([label, value]) => new Option(label, value, false, value === source),
      ),
    );
    this.form.hidden = false;
    this.move();
    this.show(true);
    this.field.focus({ preventScroll: true });
    this.field.select();
  }

  // Move next to the clicked element, inside the component.
  move() {
    const box = this.root.getBoundingClientRect();
    const { left, bottom } = this.beside.getBoundingClientRect();
    const room = box.width - this.form.offsetWidth;
    this.form.style.left = `${clamp(left - box.left - 40, 0, Math.max(room, 0))}px`;
    this.form.style.top = `${bottom - box.top + 6}px`;
  }

  // Show the current value, but not while the visitor is typing.
  show(always = false) {
    if (this.form.hidden || (!always && this.form.contains(this.active()))) return;
    this.field.value = String(Math.round(1e4 * this.read(Number(this.choice.value))) / 1e4);
  }

  active() {
    return this.root.getRootNode().activeElement;
  }

  set() {
    if (this.field.value.trim() === "" || !this.field.checkValidity()) return;
    const source = Number(this.choice.value);
    this.send({ do: "edit", ...this.target, source, value: Number(this.field.value) });
  }

  close() {
    if (this.form.hidden) return;
    this.form.hidden = true;
    this.target = null;
    this.beside.focus?.({ preventScroll: true });
  }
}
