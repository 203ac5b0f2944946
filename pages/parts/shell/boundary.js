// A small network learns two spirals while the page is open: 2 inputs, 16 and 16 tanh units, one
// sigmoid output, trained by Adam on all points at once. Nothing is recorded; every step is computed.

const UNITS = [2, 16, 16, 1];
const RATE = 0.01, DECAY = [0.9, 0.999]; // Adam's
const STEPS_A_SECOND = 60, MOST_AT_ONCE = 12, MOST_STEPS = 4000;
const GRID = 72; // the boundary is computed on 72 x 72 places
const BLUE = [47, 116, 208], ORANGE = [224, 112, 26]; // figures/style.py has the same
const gaussian = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

export class Network {
  constructor() {
    this.layers = UNITS.slice(1).map((outs, k) => {
      const ins = UNITS[k];
      const size = outs * (ins + 1); // a row of weights and a bias for each unit
      const w = Float64Array.from({ length: size }, (_, i) => (i % (ins + 1) < ins ? gaussian() * (k ? 1 : 1.5) / Math.sqrt(ins) : 0));
      return { ins, outs, w, gradient: new Float64Array(size), mean: new Float64Array(size), square: new Float64Array(size), y: new Float64Array(outs), error: new Float64Array(outs) };
    });
    this.step = 0;
  }

  predict(x, y) { // the probability of blue
    let input = [x, y];
    this.layers.forEach((layer, k) => {
      for (let o = 0, at = 0; o < layer.outs; o++, at++) {
        let z = 0;
        for (let i = 0; i < layer.ins; i++) z += layer.w[at++] * input[i];
        z += layer.w[at];
        layer.y[o] = k + 1 < this.layers.length ? Math.tanh(z) : 1 / (1 + Math.exp(-z));
      }
      input = layer.y;
    });
    return input[0];
  }

  learn(points) { // one step; returns the mean cross-entropy before it
    let loss = 0;
    for (const [x, y, blue] of points) {
      const p = this.predict(x, y);
      loss -= Math.log(Math.max(blue ? p : 1 - p, 1e-12)) / points.length;
      this.backward([x, y], (p - blue) / points.length);
    }
    this.step++;
    this.layers.forEach((layer) => this.move(layer));
    return loss;
  }

  backward(point, slope) { // adds the gradient of one point
    const last = this.layers.length - 1;
    this.layers[last].error[0] = slope;
    for (let k = last; k >= 0; k--) {
      const { ins, outs, w, gradient, error } = this.layers[k];
      const below = k ? this.layers[k - 1] : null;
      const input = below ? below.y : point;
      if (below) below.error.fill(0);
      for (let o = 0, at = 0; o < outs; o++, at++) {
        for (let i = 0; i < ins; i++, at++) {
          gradient[at] += error[o] * input[i];
          if (below) below.error[i] += error[o] * w[at] * (1 - input[i] * input[i]);
        }
        gradient[at] += error[o];
      }
    }
  }

  move({ w, gradient, mean, square }) {
    const rate = RATE * Math.sqrt(1 - DECAY[1] ** this.step) / (1 - DECAY[0] ** this.step);
    for (let i = 0; i < w.length; i++) {
      mean[i] += (1 - DECAY[0]) * (gradient[i] - mean[i]);
      square[i] += (1 - DECAY[1]) * (gradient[i] ** 2 - square[i]);
      w[i] -= rate * mean[i] / (Math.sqrt(square[i]) + 1e-8);
    }
    gradient.fill(0);
  }
}

export function spirals(each = 90) { // [x, y, 1 for blue or 0], x and y from -1 to 1
  return Array.from({ length: 2 * each }, (_, i) => {
    const share = (i >> 1) / each, blue = i % 2;
    const angle = 3.4 * Math.PI * Math.sqrt(share) * 0.75 + blue * Math.PI, radius = 0.1 + 0.78 * Math.sqrt(share);
    return [radius * Math.cos(angle) + 0.02 * gaussian(), radius * Math.sin(angle) + 0.02 * gaussian(), blue];
  });
}

class Picture {
  constructor(root) {
    this.find = (name) => root.querySelector(`.${name}`);
    this.canvas = this.find("plane");
    this.status = this.find("status");
    this.small = document.createElement("canvas");
    this.small.width = this.small.height = GRID;
    this.find("again").onclick = () => this.restart();
    this.find("surprise").onclick = () => this.surprise(2 * Math.random() - 1, 2 * Math.random() - 1);
    this.find("pause").onclick = () => (this.running ? this.rest() : this.run());
    this.canvas.onclick = (event) => {
      const box = this.canvas.getBoundingClientRect();
      this.surprise(2 * (event.clientX - box.left) / box.width - 1, 1 - 2 * (event.clientY - box.top) / box.height);
    };
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.watcher = new IntersectionObserver(([entry]) => { this.seen = entry.isIntersecting; this.wake(); });
    this.watcher.observe(this.canvas);
    this.restart();
  }

  restart() {
    this.points = spirals();
    this.network = new Network();
    this.last = 0;
    this.start();
  }

  start() { // with reduced motion it learns without being shown, and only the result appears
    this.end = this.network.step + MOST_STEPS;
    if (!this.still) return this.run();
    while (!this.learnt() && this.network.step < this.end) this.loss = this.network.learn(this.points);
    this.rest();
  }

  learnt() { return this.loss * this.points.length < Math.LN2; } // then no point can be wrong

  surprise(x, y) { // a point of the colour that the network does not expect there
    this.points.push([x, y, this.network.predict(x, y) < 0.5 ? 1 : 0]);
    this.loss = Infinity;
    this.start();
  }

  run() { this.running = true; this.end = Math.max(this.end, this.network.step + 500); this.loss = Infinity; this.wake(); }

  rest() { this.running = false; this.draw(); }

  close() { this.running = false; this.watcher.disconnect(); cancelAnimationFrame(this.frame); }

  wake() {
    cancelAnimationFrame(this.frame);
    if (this.running && this.seen) this.frame = requestAnimationFrame((now) => this.tick(now));
    else if (this.seen) this.draw();
  }

  tick(now) { // a slow browser draws less often and takes more steps for each picture
    const due = Math.round((STEPS_A_SECOND * (now - (this.drawn ?? now))) / 1000);
    this.drawn = now;
    for (let i = Math.min(Math.max(due, 1), MOST_AT_ONCE); i > 0 && !this.learnt(); i--) this.loss = this.network.learn(this.points);
    if (this.learnt() || this.network.step >= this.end) return this.rest();
    this.draw();
    this.wake();
  }

  draw() {
    const size = Math.round(this.canvas.clientWidth * devicePixelRatio);
    if (!size) return;
    if (this.canvas.width !== size) this.canvas.width = this.canvas.height = size;
    const context = this.canvas.getContext("2d");
    const field = this.small.getContext("2d"), image = field.createImageData(GRID, GRID);
    for (let i = 0; i < GRID * GRID; i++) {
      const p = this.network.predict(2 * ((i % GRID) + 0.5) / GRID - 1, 1 - 2 * (Math.floor(i / GRID) + 0.5) / GRID);
      image.data.set([...(p > 0.5 ? BLUE : ORANGE), 20 + 330 * Math.abs(p - 0.5)], 4 * i);
    }
    field.putImageData(image, 0, 0);
    context.clearRect(0, 0, size, size);
    context.drawImage(this.small, 0, 0, size, size);
    for (const [x, y, blue] of this.points) this.dot(context, size * (x + 1) / 2, size * (1 - y) / 2, blue, size / 95);
    this.tell();
  }

  dot(context, x, y, blue, radius) {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fillStyle = `rgb(${blue ? BLUE : ORANGE})`;
    context.strokeStyle = "#fff";
    context.lineWidth = radius / 3;
    context.fill();
    context.stroke();
  }

  tell() {
    this.find("pause").textContent = this.running ? "Pause" : "Go on";
    const now = performance.now();
    if (this.running && now - this.last < 200) return; // numbers that change more often cannot be read
    this.last = now;
    const right = this.points.filter(([x, y, blue]) => this.network.predict(x, y) > 0.5 === Boolean(blue)).length;
    this.status.textContent = `Step ${this.network.step.toLocaleString("en")}: ${right} of ${this.points.length} points right`;
  }
}

const shown = new WeakMap();

export default function ({ parentElement }) {
  if (!shown.has(parentElement)) shown.set(parentElement, new Picture(parentElement));
  return () => { shown.get(parentElement)?.close(); shown.delete(parentElement); };
}
