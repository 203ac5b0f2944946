// Colours of values, the small maps of neurons, and the large plane with its points.

const REACH = 6; // the plane goes from -6 to 6 on both axes
const PLANE = 280; // CSS pixels, and pixels of the image before it is scaled to the screen
const SVG = "http://www.w3.org/2000/svg";

const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const floats = (text) => new Float32Array(bytes(text).buffer);
const clamp = (v, low, high) => Math.min(Math.max(v, low), high);

const probe = document.createElement("canvas").getContext("2d");

// Return [red, green, blue] of any CSS colour.
function rgb(colour) {
  probe.fillStyle = colour.trim();
  const plain = probe.fillStyle; // "#rrggbb", or "rgba(...)" if it is transparent
  if (!plain.startsWith("#")) return plain.match(/[\d.]+/g).slice(0, 3).map(Number);
  return [1, 3, 5].map((i) => parseInt(plain.slice(i, i + 2), 16));
}
const mix = (a, b, share) => a.map((v, i) => Math.round(v + (b[i] - v) * share));
const css = (colour) => `rgb(${colour.join(",")})`;
const packed = ([r, g, b]) => (255 << 24) | (b << 16) | (g << 8) | r; // the format of ImageData

// Blue for positive, orange for negative, and the background of the theme for zero.
class Palette {
  constructor(place, colours) {
    this.place = place;
    this.positive = rgb(colours.positive);
    this.negative = rgb(colours.negative);
    this.classes = colours.classes.map(rgb);
  }

  // Read the theme; return whether it has changed since the last call.
  read() {
    const style = getComputedStyle(this.place);
    const theme = ["--st-secondary-background-color", "--st-background-color", "--st-text-color"];
    const names = theme.map((name) => style.getPropertyValue(name));
    if (names.join() === this.names) return false;
    this.names = names.join();
    [this.zero, this.ground, this.text] = names.map(rgb);
    this.dark = this.text[0] > this.ground[0];
    this.signed = Uint32Array.from({ length: 256 }, (_, i) => packed(this.soft(i / 127.5 - 1)));
    return true;
  }

  // The colour of an area, fainter than that of a point on it.
  soft(value) {
    return mix(this.zero, value < 0 ? this.negative : this.positive, 0.78 * Math.abs(value));
  }

  strong(value) {
    const strength = 0.2 + 0.8 * Math.min(1, Math.abs(value));
    return mix(this.zero, value < 0 ? this.negative : this.positive, strength);
  }

  // The colour of a point by its class, or for regression by its value.
  point(label, classes) {
    if (classes > 2) return this.classes[label];
    return this.strong(classes === 2 ? 2 * label - 1 : label);
  }
}

// Draw a map at its own size; a byte stands for a value from -1 (0) to 1 (255).
function paintSmall(canvas, values, side, palette) {
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  canvas.image ??= context.createImageData(side, side);
  if (canvas.image.width !== side) canvas.image = context.createImageData(side, side);
  const pixels = new Uint32Array(canvas.image.data.buffer);
  for (let i = 0; i < pixels.length; i += 1) pixels[i] = palette.signed[values[i]];
  context.putImageData(canvas.image, 0, 0);
}

// For each of `side` pixels: the index of its lower neighbour among `from` pixels, and the share
// of the upper neighbour.
const between = (from, side) =>
  Array.from({ length: side }, (_, i) => {
    const at = clamp(((i + 0.5) * from) / side - 0.5, 0, from - 1);
    const low = Math.min(Math.floor(at), from - 2);
    return [low, at - low];
  });

// Enlarge a square map by bilinear interpolation.
function enlarge(values, from, side, into) {
  const places = between(from, side);
  let i = 0;
  for (const [y, dy] of places) {
    for (const [x, dx] of places) {
      const at = y * from + x;
      const top = values[at] + (values[at + 1] - values[at]) * dx;
      const low = values[at + from] + (values[at + from + 1] - values[at + from]) * dx;
      into[i] = top + (low - top) * dy;
      i += 1;
    }
  }
  return into;
}

// The outline of a point: one shape per class with more than two classes, otherwise a circle.
function tracePoint(context, x, y, radius, shape) {
  context.beginPath();
  if (shape === 0) context.arc(x, y, radius, 0, 2 * Math.PI);
  else if (shape === 1) context.rect(x - radius * 0.9, y - radius * 0.9, radius * 1.8, radius * 1.8);
  else {
    const corners = shape === 2 ? 3 : 4; // a triangle, or a diamond
    for (let i = 0; i < corners; i += 1) {
      const angle = (2 * Math.PI * i) / corners - Math.PI / 2;
      const far = radius * 1.3;
      context.lineTo(x + far * Math.cos(angle), y + far * Math.sin(angle));
    }
    context.closePath();
  }
}

class Plane {
  constructor(canvas) {
    this.canvas = canvas;
    this.sheet = document.createElement("canvas");
    this.sheet.width = this.sheet.height = PLANE;
    this.context = this.sheet.getContext("2d");
    this.image = this.context.createImageData(PLANE, PLANE);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.layers = Array.from({ length: 4 }, () => new Float32Array(PLANE * PLANE));
    this.cross = null; // where the keyboard would add a point: [x1, x2]
  }

  // Draw one map in blue and orange, or for several classes the colour of the most probable one.
  draw(palette, maps, side, discrete, points) {
    const each = maps.map((map, i) => enlarge(map, side, PLANE, this.layers[i]));
    if (each.length === 1) this.fillSigned(each[0], palette, discrete);
    else this.fillClasses(each, palette, discrete);
    this.context.putImageData(this.image, 0, 0);
    const pixels = Math.round(PLANE * window.devicePixelRatio);
    if (this.canvas.width !== pixels) this.canvas.width = this.canvas.height = pixels;
    const context = this.canvas.getContext("2d");
    context.setTransform(pixels / PLANE, 0, 0, pixels / PLANE, 0, 0);
    context.drawImage(this.sheet, 0, 0, PLANE, PLANE);
    for (const set of points) this.drawPoints(context, palette, set);
    if (this.cross) this.drawCross(context, palette);
  }

  fillSigned(values, palette, discrete) {
    const { pixels } = this;
    const { signed } = palette;
    for (let i = 0; i < pixels.length; i += 1) {
      pixels[i] = signed[discrete ? (values[i] < 127.5 ? 0 : 255) : values[i] | 0];
    }
  }

  fillClasses(each, palette, discrete) {
    const { zero, classes } = palette;
    for (let i = 0; i < this.pixels.length; i += 1) {
      let best = 0;
      for (let c = 1; c < each.length; c += 1) if (each[c][i] > each[best][i]) best = c;
      // Probability 1: the colour of the class. Probability of a guess: the background.
      const guess = 255 / each.length;
      const sure = discrete ? 1 : (each[best][i] - guess) / (255 - guess);
      this.pixels[i] = packed(mix(zero, classes[best], 0.7 * clamp(sure, 0, 1)));
    }
  }

  place(x, y) {
    return [((x + REACH) / (2 * REACH)) * PLANE, ((REACH - y) / (2 * REACH)) * PLANE];
  }

  drawPoints(context, palette, { values, classes, test }) {
    context.lineWidth = test ? 1.4 : 1.1;
    context.strokeStyle = test ? css(palette.text) : palette.dark ? "#0b0e12" : "#fff";
    for (let i = 0; i < values.length; i += 3) {
      const [x, y] = this.place(values[i], values[i + 1]);
      tracePoint(context, x, y, 3.6, classes > 2 ? values[i + 2] : 0);
      context.fillStyle = css(palette.point(values[i + 2], classes));
      context.fill();
      context.stroke();
    }
  }

  drawCross(context, palette) {
    const [x, y] = this.place(...this.cross);
    context.strokeStyle = css(palette.text);
    context.lineWidth = 2;
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [0, 1]]) {
      context.moveTo(x - 9 * dx, y - 9 * dy);
      context.lineTo(x + 9 * dx, y + 9 * dy);
    }
    context.stroke();
  }

  // Return the position of a pointer event in the plane, rounded to 0.01.
  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const part = (v, low, size) => clamp((v - low) / size, 0, 1) * 2 * REACH - REACH;
    const x = part(event.clientX, box.left, box.width);
    const y = -part(event.clientY, box.top, box.height);
    return [x, y].map((v) => Math.round(100 * v) / 100);
  }
}
