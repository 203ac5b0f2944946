// The playground's network as it trains: what Python says is drawn, what the visitor does is sent.

const MOST_LAYERS = 6;
const MOST_NEURONS = 8;
const LARGE = "Point at a neuron to see its map large.";
const CHANGE = "Click a neuron or a line to change a weight.";

class Net extends Shape {
  constructor(place) {
    super(place.querySelector(".playground"));
    const find = (name) => this.root.querySelector(name);
    [this.caption, this.legend, this.hint] = ["figcaption", ".legend", ".hint"].map(find);
    this.depths = [...this.root.querySelectorAll("[data-depth]")];
    this.plane = new Plane(find(".plane"));
    this.queue = new Queue();
    this.editor = new Editor(this.root, (event) => this.queue.send(event));
    this.own = new OwnPoints(this.root, this.plane, this.queue, () => this.soon());
    this.looked = null; // the neuron under the mouse or with the focus
    this.frames = 0; // how often new numbers were drawn
    const on = this.on.bind(this);
    this.depths.forEach((b) => on(b, "click", () => this.deepen(Number(b.dataset.depth))));
    this.editor.listen(on);
    this.own.listen(on);
    on(window, "resize", () => this.soon());
    this.watch = new ResizeObserver(() => this.fit());
    this.watch.observe(this.scroll);
    this.say(LARGE);
  }

  end() {
    this.listening.abort();
    this.watch.disconnect();
    cancelAnimationFrame(this.request);
    clearTimeout(this.unsay);
  }

  update(data, setStateValue) {
    this.queue.answer(setStateValue, data.answered);
    this.data = data;
    this.fresh = true;
    // Two quick clicks on + are two neurons, though Python has not answered the first.
    if (!this.queue.waiting) this.wanted = { layers: data.layers, features: data.features };
    this.palette ??= new Palette(this.root, data.colours);
    const shape = JSON.stringify([data.features, data.layers, data.outputs, data.fixed]);
    if (shape !== this.shape) {
      this.shape = shape;
      this.looked = null;
      this.editor.close();
      this.build();
      this.label();
      this.say(this.usual());
    }
    this.soon();
  }

  soon() {
    cancelAnimationFrame(this.request);
    this.request = requestAnimationFrame(() => this.draw());
  }

  fit() {
    if (!this.data || this.scroll.clientWidth === this.width) return;
    this.lay();
    this.fresh = true;
    this.soon();
  }

  // ---- drawing
  draw() {
    const { data, palette } = this;
    if (palette.read() || this.fresh) {
      this.numbers = floats(data.weights);
      this.drawNodes();
      this.drawLines();
      this.drawLegend();
      this.editor.show();
    }
    this.own.show(data.own, palette);
    this.drawPlane();
    if (this.fresh) this.root.dataset.frames = this.frames += 1;
    this.fresh = false;
  }

  drawNodes() {
    const { data, palette } = this;
    const size = data.side ** 2;
    const maps = bytes(data.maps);
    this.nodes.flat().forEach((node, i) => {
      node.map = maps.subarray(i * size, (i + 1) * size);
      paintSmall(node.canvas, node.map, data.side, palette);
      if (node.feature) return;
      const bias = this.weight(node.column - 1, node.row, -1);
      node.bias.style.background = css(palette.strong(bias));
    });
  }

  drawLines() {
    for (const line of this.lines) {
      const weight = this.weight(line.column - 1, line.unit, line.source);
      line.edge.setAttribute("stroke", css(this.palette.strong(weight)));
      line.edge.setAttribute("stroke-width", clamp(0.5 + 2 * Math.abs(weight), 0.6, 7).toFixed(2));
    }
    this.edges.setAttribute("stroke-dashoffset", -this.data.flow);
    if (this.told) this.tell(this.told);
  }

  drawPlane() {
    const { data, looked, plane, palette } = this;
    const points = [{ values: floats(data.train), classes: data.classes }];
    if (data.show_test) {
      points.push({ values: floats(data.test), classes: data.classes, test: true });
    }
    if (looked) plane.draw(palette, [looked.map], data.side, data.discrete, points);
    else {
      const maps = bytes(data.plane);
      const size = data.plane_side ** 2;
      const each = Array.from({ length: maps.length / size }, (_, i) =>
        maps.subarray(i * size, (i + 1) * size),
      );
      plane.draw(palette, each, data.plane_side, data.discrete, points);
    }
    const called = looked ? this.called(looked.column, looked.row) : "what the network says";
    this.caption.textContent = called[0].toUpperCase() + called.slice(1);
    plane.canvas.setAttribute("aria-label", data.alt);
  }

  // Under the plane: what the colours mean.
  drawLegend() {
    const { data, palette } = this;
    const drawn = [data.classes, data.outputs, palette.names].join();
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const swatch = (colour, text) => {
      const dot = element("b", { style: `background:${css(colour)}` });
      return element("span", {}, dot, text);
    };
    if (data.classes > 2) {
      this.legend.replaceChildren(
        ...data.outputs.map((name, i) => swatch(palette.classes[i], `class ${name}`)),
      );
      return;
    }
    const shades = [-1, -0.5, 0, 0.5, 1].map((v) => css(palette.soft(v))).join(",");
    const bar = element("i", { style: `background:linear-gradient(90deg,${shades})` });
    const [low, high] = data.classes === 2 ? ["class 0", "class 1"] : ["−1", "1"];
    this.legend.replaceChildren(element("span", {}, low), bar, element("span", {}, high));
  }

  // ---- what the numbers are
  // The weight of a unit for its source, or with source -1 its bias; all lie in one list.
  weight(layer, unit, source) {
    let start = 0;
    const widths = [this.data.features.length, ...this.data.layers, this.data.outputs.length];
    for (let i = 0; i < layer; i += 1) start += (widths[i] + 1) * widths[i + 1];
    const [inputs, units] = [widths[layer], widths[layer + 1]];
    return this.numbers[start + (source < 0 ? inputs * units + unit : unit * inputs + source)];
  }

  // ---- what the visitor does
  press(button, bias) {
    if (!button.feature) this.open(button.column, button.row, bias ? -1 : 0, button);
    else if (!button.classList.contains("fixed")) this.toggle(button.dataset.feature);
  }

  toggle(name) {
    const all = this.data.all_features.map(([feature]) => feature);
    const used = this.wanted.features;
    const features = all.filter((f) => used.includes(f) !== (f === name));
    if (!features.length) this.warn("At least one feature has to go in.");
    else {
      this.wanted.features = features;
      this.queue.send({ do: "features", features });
    }
  }

  open(column, unit, source, beside) {
    if (this.data.fixed.includes("edit")) return;
    const sources = this.sources(column).map((row) => this.called(column - 1, row));
    const layer = column - 1;
    const read = (s) => this.weight(layer, unit, s);
    const title = this.called(column, unit);
    this.editor.open({ layer, unit, title, sources, source, read, beside });
  }

  deepen(by) {
    const { layers } = this.wanted;
    if (by > 0 && layers.length >= MOST_LAYERS) {
      this.warn(`There is room for ${MOST_LAYERS} hidden layers.`);
    } else if (by > 0) this.become([...layers, layers.at(-1) ?? 4]);
    else if (layers.length) this.become(layers.slice(0, -1));
  }

  widen(layer, by) {
    const n = this.wanted.layers[layer] + by;
    if (n < 1 || n > MOST_NEURONS) this.warn(`A layer has 1 to ${MOST_NEURONS} neurons.`);
    else this.become(this.wanted.layers.map((m, i) => (i === layer ? n : m)));
  }

  become(layers) {
    this.wanted.layers = layers;
    this.queue.send({ do: "layers", layers });
  }

  // Say how many layers there are, and which buttons would do nothing.
  label() {
    const { layers, fixed } = this.data;
    this.root.querySelector(".depth span").textContent = plural(layers.length, "hidden layer");
    const off = [!layers.length, layers.length >= MOST_LAYERS];
    this.depths.forEach((button, i) => {
      button.hidden = fixed.includes("layers");
      button.setAttribute("aria-disabled", String(off[i]));
    });
    for (const button of this.columns.querySelectorAll("[data-step]")) {
      const [layer, by] = button.dataset.step.split("|").map(Number);
      const n = layers[layer] + by;
      button.setAttribute("aria-disabled", String(n < 1 || n > MOST_NEURONS));
    }
  }

  look(button) {
    this.looked = button;
    this.soon();
  }

  tell(line) {
    this.told = line;
    if (!line) return this.say(this.usual());
    const value = this.weight(line.column - 1, line.unit, line.source).toFixed(3);
    const [from, to] = [this.called(line.column - 1, line.row), this.called(line.column, line.unit)];
    return this.say(`${from} → ${to}: weight ${value.replace("-", "−")}`);
  }

  warn(sentence) {
    this.say(sentence);
    clearTimeout(this.unsay);
    this.unsay = setTimeout(() => this.say(this.usual()), 4000);
  }

  usual() {
    return this.data.fixed.includes("edit") ? LARGE : `${LARGE} ${CHANGE}`;
  }

  say(sentence) {
    if (this.hint.textContent !== sentence) this.hint.textContent = sentence;
  }
}

const shown = new WeakMap(); // the picture of each place
const GONE_MS = 1000;

// Streamlit calls this at every answer, and what it returns before or after the next call: the
// picture ends only when its place has left the page.
export default function show({ parentElement: place, data, setStateValue }) {
  const net = shown.get(place) ?? new Net(place);
  shown.set(place, net);
  net.update(data, setStateValue);
  return () => {
    setTimeout(() => {
      if (!net.root.isConnected) net.end();
    }, GONE_MS);
  };
}
