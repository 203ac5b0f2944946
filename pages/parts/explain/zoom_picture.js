// Opens a network level by level: cards for its layers, tiles for units, or the cells of a map.
// Cards and tiles are buttons; a map has one focus, which arrow keys move and Enter opens.

const shown = new WeakMap(); // parent element -> the data it shows

const element = (tag, className, text = "") => {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text; // never as HTML
  return made;
};

function image(url) {
  const made = element("img", "");
  made.src = url;
  made.alt = "";
  made.draggable = false;
  return made;
}

function button(id, className, label, open) {
  const made = element("button", className);
  made.type = "button";
  made.dataset.id = id;
  made.setAttribute("aria-label", label);
  made.addEventListener("click", () => open(id));
  return made;
}

function card({ name, kind, shape, picture, bars, opens }, open) {
  const label = `${name}: ${kind}, gives ${shape}. Open it`;
  const made = opens ? button(name, "card", label, open) : element("div", "card");
  const drawn = element("span", "drawn");
  if (picture) drawn.append(image(picture));
  for (const [title, share, colour] of bars) {
    const bar = element("span", "bar");
    const fill = element("span", "fill");
    fill.style.width = `${100 * share}%`;
    fill.style.background = colour;
    const track = element("span", "track");
    track.append(fill);
    bar.append(element("span", "class", title), track, element("span", "share", percent(share)));
    drawn.append(bar);
  }
  drawn.classList.toggle("bars", bars.length > 0);
  made.append(drawn, element("b", "", name), element("span", "kind", kind), element("span", "", shape));
  return made;
}

const percent = (share) => (share < 0.005 ? "" : `${Math.round(100 * share)} %`);

function tile({ id, name, value, picture, colour }, open) {
  const made = button(id, picture ? "tile" : "tile number", `${name}, ${value}. Open it`, open);
  if (picture) made.append(image(picture));
  else made.style.setProperty("--colour", colour);
  made.append(element("b", "", name), element("span", "", picture ? "" : value));
  return made;
}

// A grid of cells over one image; the mouse or the arrow keys move the cursor.
class Cells {
  constructor({ picture, rows, columns, count, chosen, label, vector }, open) {
    Object.assign(this, { rows, columns, count, vector, open, here: Math.max(chosen, 0) });
    this.box = element("div", "map");
    this.box.tabIndex = 0;
    this.box.setAttribute("role", "group");
    this.box.setAttribute("aria-label", `${label}. Arrow keys move, Enter opens`);
    this.box.style.aspectRatio = `${columns} / ${rows}`;
    this.cursor = element("span", "cursor");
    this.status = element("p", "");
    this.status.setAttribute("role", "status");
    this.box.append(image(picture), this.cursor);
    this.box.addEventListener("pointermove", (event) => this.go(this.under(event)));
    this.box.addEventListener("click", (event) => {
      this.go(this.under(event));
      open(String(this.here));
    });
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.go(this.here);
  }

  under({ clientX, clientY }) {
    const { left, top, width, height } = this.box.getBoundingClientRect();
    const at = (share, n) => Math.min(Math.max(Math.floor(share * n), 0), n - 1);
    return (
      at((clientY - top) / height, this.rows) * this.columns +
      at((clientX - left) / width, this.columns)
    );
  }

  key(event) {
    const move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns };
    if (event.key in move) this.go(this.here + move[event.key]);
    else if (event.key === "Enter" || event.key === " ") this.open(String(this.here));
    else return;
    event.preventDefault();
  }

  go(index) {
    if (index < 0 || index >= this.count) return;
    this.here = index;
    const row = Math.floor(index / this.columns);
    const column = index % this.columns;
    Object.assign(this.cursor.style, {
      width: `${100 / this.columns}%`,
      height: `${100 / this.rows}%`,
      left: `${(100 * column) / this.columns}%`,
      top: `${(100 * row) / this.rows}%`,
    });
    this.status.textContent = this.vector ? `unit ${index}` : `row ${row}, column ${column}`;
  }
}

export default (component) => {
  const { parentElement: place, data, setTriggerValue } = component;
  const received = JSON.stringify(data);
  if (shown.get(place) === received) return;
  shown.set(place, received);
  place.querySelector(".root")?.remove();
  const open = (id) => setTriggerValue("opened", id);
  const root = element("div", `root ${data.layout}`);
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", data.label);
  if (data.layout === "cells") {
    const cells = new Cells(data, open);
    root.append(cells.box, cells.status);
  } else {
    root.append(...data.items.map((item) => (data.layout === "cards" ? card : tile)(item, open)));
  }
  place.append(root);
};
