// An image and the table of its numbers. One cursor for both: the pixel under the mouse, or the
// one that arrow keys move to, is marked in the picture and in the table, and said in a sentence.

const shown = new WeakMap(); // parent element -> the data it shows
const presses = new WeakMap(); // parent element -> the clicks on the gallery it knows of

const element = (tag, className, text = "") => {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text; // never as HTML
  return made;
};

function focusable(made, label) {
  made.tabIndex = 0;
  made.setAttribute("role", "group");
  made.setAttribute("aria-label", `${label}. Arrow keys move from pixel to pixel`);
  return made;
}

function picture(url) {
  const made = focusable(element("div", "picture"), "The image as a picture");
  const image = element("img", "");
  image.src = url;
  image.alt = "";
  image.draggable = false;
  made.append(image);
  return made;
}

function table(rows) {
  const made = element("table", "");
  const head = made.createTHead().insertRow();
  head.append(element("th", ""), ...rows[0].map((_, column) => element("th", "", column)));
  const body = made.createTBody();
  rows.forEach((values, row) => {
    const line = body.insertRow();
    line.append(element("th", "", row));
    values.forEach((value, column) => {
      const cell = element("td", "", value);
      cell.style.background = `rgb(${value},${value},${value})`;
      cell.style.color = value > 117 ? "#000" : value ? "#fff" : "#9aa1ab"; // 4.5 to 1 or more
      cell.dataset.row = row;
      cell.dataset.column = column;
      line.append(cell);
    });
  });
  return made;
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

function bars(items) {
  const made = element("div", "bars");
  const largest = items.reduce((a, b) => (b.share > a.share ? b : a));
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", `The largest of ten probabilities: ${largest.name}, ${percent(largest.share)}`);
  for (const item of items) {
    const bar = element("div", item === largest ? "bar largest" : "bar");
    const track = element("span", "track");
    const fill = element("span", "fill");
    fill.style.width = percent(item.share).replace(" ", "");
    fill.style.background = item.colour;
    track.append(fill);
    bar.append(element("span", "", item.name), track, element("span", "", percent(item.share)));
    made.append(bar);
  }
  return made;
}

class Linked {
  constructor(data) {
    this.rows = data.rows;
    this.picture = picture(data.picture);
    this.cursor = element("span", "cursor");
    this.picture.append(this.cursor);
    this.status = element("p", "status");
    this.status.setAttribute("role", "status");
    this.table = table(data.rows);
    this.numbers = focusable(element("div", "numbers"), "The image as a table of numbers");
    this.numbers.append(this.table);
    const left = element("div", "left");
    left.append(this.picture, this.status, bars(data.bars));
    this.root = element("div", "root");
    const both = element("div", "both");
    both.append(left, this.numbers);
    this.root.append(both);
    this.listen();
    this.go(14, 14, false);
  }

  listen() {
    for (const kind of ["pointermove", "pointerdown"]) {
      this.picture.addEventListener(kind, (event) => this.go(...this.under(event), true));
      this.table.addEventListener(kind, ({ target }) => {
        if (target.dataset.row) this.go(Number(target.dataset.row), Number(target.dataset.column), false);
      });
    }
    this.picture.addEventListener("keydown", (event) => this.key(event));
    this.numbers.addEventListener("keydown", (event) => this.key(event));
  }

  under({ clientX, clientY }) {
    const { left, top, width, height } = this.picture.getBoundingClientRect();
    const at = (share) => Math.min(Math.max(Math.floor(share * 28), 0), 27);
    return [at((clientY - top) / height), at((clientX - left) / width)];
  }

  key(event) {
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    const inside = (place) => Math.min(Math.max(place, 0), 27);
    this.go(inside(this.row + move[0]), inside(this.column + move[1]), true);
  }

  go(row, column, scroll) {
    if (row === this.row && column === this.column) return;
    Object.assign(this, { row, column });
    const cell = this.table.tBodies[0].rows[row].cells[column + 1];
    this.table.querySelectorAll(".here").forEach((one) => one.classList.remove("here"));
    const heads = [this.table.tHead.rows[0].cells[column + 1], cell.parentElement.cells[0]];
    [cell, ...heads].forEach((one) => one.classList.add("here"));
    this.cursor.style.left = `${(100 * column) / 28}%`;
    this.cursor.style.top = `${(100 * row) / 28}%`;
    const value = this.rows[row][column];
    const input = value % 255 ? `${value} / 255 = ${(value / 255).toFixed(3)}` : value / 255;
    this.status.textContent = `Row ${row}, column ${column}: ${value}. The network gets ${input}.`;
    const { scrollWidth, clientWidth } = this.numbers;
    if (scroll && scrollWidth > clientWidth) {
      this.numbers.scrollLeft = cell.offsetLeft - clientWidth / 2;
    }
  }
}

export default ({ parentElement: place, data }) => {
  const { presses: known, ...content } = data;
  const received = JSON.stringify(content);
  if (shown.get(place)?.received !== received) {
    const linked = new Linked(content);
    place.querySelector(".root")?.remove();
    place.append(linked.root);
    shown.set(place, { received, linked });
  }
  if (known > (presses.get(place) ?? known)) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const { picture } = shown.get(place).linked;
    picture.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  }
  presses.set(place, known);
};
