// The picture of the network: it draws data from Python and sends the visitor's actions.

const MOST_LAYERS = 6;
const MOST_NEURONS = 8;
const LARGE = "Point at a neuron to see its map large.";
const CHANGE = "Click a neuron or a line to change a weight.";

class Net extends Layout {
  constructor(place) {
    super(place.querySelector(".playground"));
    const find = (name) => this.root.querySelector(name);
    [this.caption, this.legend, this.hint] = ["figcaption", ".legend", ".hint"].map(find);
    this.depths = [...this.root.querySelectorAll("[data-depth]")];
    this.plane = new Plane(find(".plane"));
    this.queue = new Queue();
    this.editor = new Editor(this.root, (event) => this.queue.send(event));
    this.own = new OwnPoints(this.root, this.plane, this.queue, () => this.soon());
    this.inspected = null; // the neuron that is hovered or focused
    this.frames = 0; // the number of draws with new data
    const on = this.on.bind(this);
    this.depths.forEach((b) => on(b, "click", () => this.deepen(Number(b.dataset.depth))));
    this.editor.listen(on);
    this.own.listen(on);
    on(window, "resize", () => this.soon());
    this.watch = new ResizeObserver(() => this.fit());
    this.watch.observe(this.scroll);
    this.setHint(LARGE);
  }

  end() {
    this.listening.abort();
    this.watch.disconnect();
    cancelAnimationFrame(this.request);
    clearTimeout(this.hintTimer);
  }

  update(data, setStateValue) {
    this.queue.confirm(setStateValue, data.last_event);
    this.data = data;
    this.fresh = true;
    // Two quick clicks on + add two neurons, even if Python has not handled the first yet.
    if (!this.queue.waiting) this.wanted = { layers: data.layers, features: data.features };
    this.palette ??= new Palette(this.root, data.colours);
    const shape = JSON.stringify([data.features, data.layers, data.outputs, data.fixed]);
    if (shape !== this.shape) {
      this.shape = shape;
      this.inspected = null;
      this.editor.close();
      this.build();
      this.label();
      this.setHint(this.defaultHint());
    }
    this.soon();
  }

  soon() {
    cancelAnimationFrame(this.request);
    this.request = requestAnimationFrame(() => this.draw());
  }

  fit() {
    if (!this.data || this.scroll.clientWidth === this.width) return;
    this.layOut();
    this.fresh = true;
    this.soon();
  }

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
    if (this.describedLine) this.describeLine(this.describedLine);
  }

  drawPlane() {
    const { data, inspected, plane, palette } = this;
    const points = [{ values: floats(data.train), classes: data.classes }];
    if (data.show_test) {
      points.push({ values: floats(data.test), classes: data.classes, test: true });
    }
    if (inspected) plane.draw(palette, [inspected.map], data.side, data.discrete, points);
    else {
      const maps = bytes(data.plane);
      const size = data.plane_side ** 2;
      const each = Array.from({ length: maps.length / size }, (_, i) =>
        maps.subarray(i * size, (i + 1) * size),
      );
      plane.draw(palette, each, data.plane_side, data.discrete, points);
    }
    const name = inspected ? this.nameOf(inspected.column, inspected.row) : "what the network says";
    this.caption.textContent = name[0].toUpperCase() + name.slice(1);
    plane.canvas.setAttribute("aria-label", data.alt);
  }

  // Below the plane: the meaning of the colours.
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

  // The weight from a source to a unit, or with source -1 the unit's bias, from the flat list.
  weight(layer, unit, source) {
    let start = 0;
    const widths = [this.data.features.length, ...this.data.layers, this.data.outputs.length];
    for (let i = 0; i < layer; i += 1) start += (widths[i] + 1) * widths[i + 1];
    const [inputs, units] = [widths[layer], widths[layer + 1]];
    return this.numbers[start + (source < 0 ? inputs * units + unit : unit * inputs + source)];
  }

  press(button, bias) {
    if (!button.feature) this.open(button.column, button.row, bias ? -1 : 0, button);
    else if (!button.classList.contains("fixed")) this.toggle(button.dataset.feature);
  }

  toggle(name) {
    const all = this.data.all_features.map(([feature]) => feature);
    const used = this.wanted.features;
    const features = all.filter((f) => used.includes(f) !== (f === name));
    if (!features.length) this.warn("At least one feature is needed.");
    else {
      this.wanted.features = features;
      this.queue.send({ do: "features", features });
    }
  }

  open(column, unit, source, beside) {
    if (this.data.fixed.includes("edit")) return;
    const sources = this.sources(column).map((row) => this.nameOf(column - 1, row));
    const layer = column - 1;
    const read = (s) => this.weight(layer, unit, s);
    const title = this.nameOf(column, unit);
    this.editor.open({ layer, unit, title, sources, source, read, beside });
  }

  deepen(by) {
    const { layers } = this.wanted;
    if (by > 0 && layers.length >= MOST_LAYERS) {
      this.warn(`There is room for ${MOST_LAYERS} hidden layers.`);
    } else if (by > 0) this.setLayers([...layers, layers.at(-1) ?? 4]);
    else if (layers.length) this.setLayers(layers.slice(0, -1));
  }

  widen(layer, by) {
    const n = this.wanted.layers[layer] + by;
    if (n < 1 || n > MOST_NEURONS) this.warn(`A layer has 1 to ${MOST_NEURONS} neurons.`);
    else this.setLayers(this.wanted.layers.map((m, i) => (i === layer ? n : m)));
  }

  setLayers(layers) {
    this.wanted.layers = layers;
    this.queue.send({ do: "layers", layers });
  }

  // Show the number of layers, and disable buttons without effect.
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

  inspect(button) {
    this.inspected = button;
    this.soon();
  }

  describeLine(line) {
    this.describedLine = line;
    if (!line) return this.setHint(this.defaultHint());
    const value = this.weight(line.column - 1, line.unit, line.source).toFixed(3);
    const [from, to] = [this.nameOf(line.column - 1, line.row), this.nameOf(line.column, line.unit)];
    return this.setHint(`${from} → ${to}: weight ${value.replace("-", "−")}`);
  }

  warn(sentence) {
    this.setHint(sentence);
    clearTimeout(this.hintTimer);
    this.hintTimer = setTimeout(() => this.setHint(this.defaultHint()), 4000);
  }

  defaultHint() {
    return this.data.fixed.includes("edit") ? LARGE : `${LARGE} ${CHANGE}`;
  }

  setHint(sentence) {
    if (this.hint.textContent !== sentence) this.hint.textContent = sentence;
  }
}

const pictures = new WeakMap(); // element -> its picture
const GONE_MS = 1000;

// Streamlit calls this function after every run of the script, and the returned clean-up before or
// after the next call. The picture therefore ends only when its element has left the page.
export default function show({ parentElement: place, data, setStateValue }) {
  const net = pictures.get(place) ?? new Net(place);
  pictures.set(place, net);
  net.update(data, setStateValue);
  return () => {
    setTimeout(() => {
      if (!net.root.isConnected) net.end();
    }, GONE_MS);
  };
}
