// The elements of the network and their layout: features, hidden layers, outputs and lines.
// Training does not change them; they are laid out again only if the network's shape changes.

const ROW = 46; // pixels from neuron to neuron
const SIZE = 34; // pixels of a neuron's map
const LABEL = 50; // pixels for a feature's name
const END = 14; // pixels right of the outputs
const FINGER = matchMedia("(pointer: coarse)").matches; // buttons are larger for touch
const BETWEEN = FINGER ? 84 : 64; // minimum pixels from column to column
const HEAD = FINGER ? 72 : 58; // pixels above the first neuron, for + and - and a label

const plural = (n, one) => `${n} ${one}${n === 1 ? "" : "s"}`;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

class Layout {
  constructor(root) {
    this.root = root;
    const find = (name) => this.root.querySelector(name);
    [this.scroll, this.net] = [".scroll", ".net"].map(find);
    [this.columns, this.edges, this.targets] = [".columns", ".edges", ".targets"].map(find);
    this.nodes = []; // one list per column: features, hidden layers, outputs
    this.listening = new AbortController();
  }

  on(target, names, handler) {
    for (const name of names.split(" ")) {
      target.addEventListener(name, handler, { signal: this.listening.signal });
    }
  }

  build() {
    const { data } = this;
    const rows = [data.all_features.length, ...data.layers, data.outputs.length];
    const focused = this.root.getRootNode().activeElement;
    const place = focused?.dataset.step ?? focused?.dataset.node;
    while (this.nodes.length > rows.length) {
      // Remove the last hidden layer; the outputs stay the last column.
      for (const node of this.nodes.splice(-2, 1)[0]) node.remove();
    }
    while (this.nodes.length < rows.length) this.nodes.splice(-1, 0, []);
    rows.forEach((count, column) => {
      const nodes = this.nodes[column];
      while (nodes.length > count) nodes.pop().remove();
      while (nodes.length < count) nodes.push(this.node());
      nodes.forEach((node, row) => this.name(node, column, row));
    });
    this.head();
    this.order();
    this.layOut();
    this.columns.querySelector(`[data-step="${place}"], [data-node="${place}"]`)?.focus();
  }

  node() {
    const button = element("button", { type: "button", class: "node" });
    button.canvas = element("canvas", { width: 1, height: 1, "aria-hidden": "true" });
    button.label = element("span", { class: "label", "aria-hidden": "true" });
    button.bias = element("i", { class: "bias", title: "bias" });
    button.append(button.label, button.canvas, button.bias);
    this.on(button, "click", (event) => this.press(button, event.target === button.bias));
    this.on(button, "pointerenter focus", () => this.inspect(button));
    this.on(button, "pointerleave blur", () => this.inspect(null));
    return button;
  }

  name(button, column, row) {
    const { all_features: all, features, fixed, layers, outputs } = this.data;
    const feature = column === 0;
    const output = column === layers.length + 1;
    Object.assign(button, { column, row, feature });
    button.dataset.node = `${column}|${row}`;
    button.classList.toggle("feature", feature);
    button.classList.toggle("output", output);
    button.classList.toggle("fixed", feature && fixed.includes("features"));
    button.bias.hidden = feature;
    const called = this.nameOf(column, row);
    button.label.textContent = feature ? called : output && outputs.length > 1 ? outputs[row] : "";
    if (feature) {
      const name = all[row][0];
      button.dataset.feature = name;
      button.setAttribute("aria-pressed", features.includes(name));
      button.setAttribute("aria-label", `feature ${called}`);
    } else {
      button.setAttribute("aria-label", `${called}: its weights`);
    }
  }

  nameOf(column, row) {
    const { all_features: all, layers, outputs } = this.data;
    if (column === 0) return all[row][1];
    if (column <= layers.length) return `layer ${column}, neuron ${row + 1}`;
    return outputs.length > 1 ? `output for class ${outputs[row]}` : "output";
  }

  // The rows of the previous column that are inputs of a column.
  sources(column) {
    if (column > 1) return this.nodes[column - 1].map((_, row) => row);
    const names = this.data.all_features.map(([name]) => name);
    return this.data.features.map((name) => names.indexOf(name));
  }

  head() {
    const { layers, fixed } = this.data;
    for (const old of this.heads ?? []) old.remove();
    const still = fixed.includes("layers");
    const over = (text, ...buttons) => element("div", { class: "head" }, ...buttons, text);
    this.heads = [
      over("features"),
      ...layers.map((n, i) => {
        const buttons = still ? [] : [this.plusMinus(i, -1), this.plusMinus(i, 1)];
        const head = over(element("span", {}, plural(n, "neuron")), ...buttons);
        head.setAttribute("role", "group");
        head.setAttribute("aria-label", `Layer ${i + 1}`);
        return head;
      }),
      over("output"),
    ];
  }

  plusMinus(layer, by) {
    const what = by > 0 ? "Add a neuron to" : "Remove a neuron from";
    const attributes = { type: "button", "aria-label": `${what} layer ${layer + 1}` };
    const button = element("button", attributes, by > 0 ? "+" : "−");
    button.dataset.step = `${layer}|${by}`;
    this.on(button, "click", () => this.widen(layer, by));
    return button;
  }

  // The tab order is from left to right: a column's + and -, then its neurons.
  order() {
    const wanted = this.heads.flatMap((head, i) => [head, ...this.nodes[i]]);
    wanted.forEach((child, i) => {
      if (this.columns.children[i] !== child) {
        this.columns.insertBefore(child, this.columns.children[i] ?? null);
      }
    });
  }

  layOut() {
    this.width = this.scroll.clientWidth;
    const gaps = this.nodes.length - 1;
    const ends = LABEL + SIZE + END;
    const width = Math.max(this.width, ends + gaps * BETWEEN);
    const rows = Math.max(...this.nodes.map((column) => column.length));
    this.net.style.width = `${width}px`;
    this.net.style.height = `${HEAD + rows * ROW}px`;
    this.nodes.forEach((column, i) => {
      const x = LABEL + (i * (width - ends)) / gaps;
      const above = i === gaps ? ((Math.min(rows, 7) - column.length) / 2) * ROW : 0;
      column.forEach((node, row) => {
        node.at = { x, y: HEAD + Math.max(above, 0) + row * ROW };
        node.style.transform = `translate(${x}px, ${node.at.y}px)`;
      });
      this.heads[i].style.left = `${x + SIZE / 2}px`;
    });
    this.link();
  }

  // One line per weight, and a broad invisible line over it that can be clicked.
  link() {
    this.lines = [];
    for (let column = 1; column < this.nodes.length; column += 1) {
      const from = this.sources(column);
      this.nodes[column].forEach((_, unit) => {
        from.forEach((row, source) => this.lines.push({ column, unit, source, row }));
      });
    }
    while (this.edges.children.length > this.lines.length) {
      this.edges.lastChild.remove();
      this.targets.lastChild.remove();
    }
    while (this.edges.children.length < this.lines.length) this.addLine();
    this.lines.forEach((line, i) => {
      const a = this.nodes[line.column - 1][line.row].at;
      const b = this.nodes[line.column][line.unit].at;
      const [x, y, u, v] = [a.x + SIZE, a.y + SIZE / 2, b.x, b.y + SIZE / 2];
      const bend = (x + u) / 2;
      const path = `M${x} ${y}C${bend} ${y} ${bend} ${v} ${u} ${v}`;
      line.edge = this.edges.children[i];
      for (const child of [line.edge, this.targets.children[i]]) child.setAttribute("d", path);
      this.targets.children[i].line = line;
    });
  }

  addLine() {
    const [edge, target] = [1, 2].map(() => document.createElementNS(SVG, "path"));
    this.edges.append(edge);
    this.targets.append(target);
    this.on(target, "click", () => {
      const { column, unit, source } = target.line;
      this.open(column, unit, source, target);
    });
    this.on(target, "pointerenter", () => this.describeLine(target.line));
    this.on(target, "pointerleave", () => this.describeLine(null));
  }
}
