// An image with a window, and its feature map with the number that the window gives. A click on
// either picture moves the window, and so do the arrow keys.

const shown = new WeakMap(); // parent element -> its parts, the data and the place of the window

const element = (tag, className, ...content) => {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...content); // text, never HTML
  return made;
};

function picture(title) {
  const image = element("img", "");
  image.alt = "";
  image.draggable = false;
  const frame = element("span", "frame");
  const area = element("div", "picture", image, frame);
  const caption = element("figcaption", "", title);
  return { figure: element("figure", "", caption, area), area, image, frame, caption };
}

class Pictures {
  constructor(place) {
    this.sent = 0; // moves that Python was told of
    this.input = picture("");
    this.map = picture("");
    this.both = element("div", "pictures", this.input.figure, this.map.figure);
    this.both.tabIndex = 0;
    this.both.setAttribute("role", "group");
    this.both.setAttribute("aria-label", "The window on the image, and its number on the feature map. Arrow keys move the window");
    this.status = element("p", "status");
    this.status.setAttribute("role", "status");
    place.append(element("div", "root", this.both, this.status));
    this.both.addEventListener("keydown", (event) => this.key(event));
    this.input.area.addEventListener("click", (event) => {
      const { side, size, stride } = this.data;
      const corner = (share) => Math.round((Math.floor(share * side) - (size - 1) / 2) / stride);
      this.go(...this.under(event, this.input.area).map(corner));
    });
    this.map.area.addEventListener("click", (event) => {
      const cell = (share) => Math.floor(share * this.data.mapSide);
      this.go(...this.under(event, this.map.area).map(cell));
    });
  }

  under({ clientX, clientY }, area) {
    const { left, top, width, height } = area.getBoundingClientRect();
    return [(clientY - top) / height, (clientX - left) / width];
  }

  key(event) {
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const move = moves[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.go(this.row + move[0], this.column + move[1]);
  }

  go(row, column) {
    const inside = (at) => Math.min(Math.max(at, 0), this.data.mapSide - 1);
    [row, column] = [inside(row), inside(column)];
    if (row === this.row && column === this.column) return;
    this.mark(row, column);
    this.sent += 1;
    this.tell("place", [row, column, this.sent]);
  }

  mark(row, column) {
    Object.assign(this, { row, column });
    const { side, size, stride, mapSide } = this.data;
    const put = ({ style }, top, left, length, whole) => {
      style.top = `${(100 * top) / whole}%`;
      style.left = `${(100 * left) / whole}%`;
      style.width = style.height = `${(100 * length) / whole}%`;
    };
    put(this.input.frame, row * stride, column * stride, size, side);
    put(this.map.frame, row, column, 1, mapSide);
  }

  show(data, tell) {
    Object.assign(this, { data, tell });
    this.input.image.src = data.image;
    this.input.caption.textContent = data.imageTitle;
    this.map.image.src = data.map;
    this.map.caption.textContent = data.mapTitle;
    const [row, column, seen] = data.place;
    if (seen < this.sent) return this.mark(this.row, this.column); // newer moves are on their way
    this.sent = seen;
    this.mark(row, column);
    this.status.textContent = data.sentence;
  }
}

export default ({ parentElement: place, data, setTriggerValue }) => {
  if (!shown.has(place)) shown.set(place, new Pictures(place));
  shown.get(place).show(data, setTriggerValue);
};
