// The keyboard grid: 28x28 cells; keys or a pointer move through them and flip them.

const SIDE = 28;
const MOST_UNDONE = 1000; // cells in all steps that can be undone
const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

class GridPad extends Pad {
  constructor(place) {
    super(place);
    this.grid = place.querySelector("[role=grid]");
    this.cells = [];
    for (let row = 0; row < SIDE; row += 1) this.grid.append(this.row(row));
    this.on(this.grid, "keydown", (event) => this.key(event));
    this.on(this.grid, "pointerdown", (event) => this.down(event));
    this.on(this.grid, "pointermove", (event) => this.move(event));
    this.on(this.grid, "pointerup pointercancel lostpointercapture", (event) => this.up(event));
    this.on(this.grid, "focus", () => this.announce());
  }

  row(index) {
    const row = document.createElement("div");
    row.className = "row";
    row.role = "row";
    row.ariaRowIndex = index + 1;
    for (let column = 0; column < SIDE; column += 1) {
      const cell = document.createElement("div");
      cell.className = "cell";
      cell.role = "gridcell";
      cell.ariaColIndex = column + 1;
      this.cells.push(cell);
      row.append(cell);
    }
    return row;
  }

  begin({ cells, here, undo }) {
    this.past = undo; // the cells that each step flipped: flipping them again undoes it
    this.future = [];
    this.pointer = null;
    this.cells.forEach((cell, i) => this.setCell(i, cells[i] === "1"));
    this.here = 0;
    this.moveTo(here);
    this.status.textContent = "";
    this.updateButtons();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { here } = this;
    if (event.key in ARROWS) {
      const [down, right] = ARROWS[event.key];
      const row = Math.min(Math.max(Math.floor(here / SIDE) + down, 0), SIDE - 1);
      const column = Math.min(Math.max((here % SIDE) + right, 0), SIDE - 1);
      this.moveTo(row * SIDE + column);
      if (event.shiftKey) this.set([here, this.here], true);
    } else if (event.key === "Home") this.moveTo(here - (here % SIDE));
    else if (event.key === "End") this.moveTo(here - (here % SIDE) + SIDE - 1);
    else if (event.key === " ") this.set([here], !this.ink(here));
    else if (event.key === "Delete" || event.key === "Backspace") this.set([here], false);
    else return;
    event.preventDefault();
    this.announce();
  }

  down(event) {
    if (this.pointer !== null || event.button !== 0) return;
    this.grid.setPointerCapture(event.pointerId);
    this.pointer = event.pointerId;
    this.inking = !this.ink(this.at(event) ?? this.here); // a drag draws, or erases
    this.drag(event);
  }

  move(event) {
    if (event.pointerId === this.pointer) this.drag(event);
  }

  up(event) {
    if (event.pointerId === this.pointer) this.pointer = null;
  }

  drag(event) {
    for (const one of [...(event.getCoalescedEvents?.() ?? []), event]) {
      const cell = this.at(one);
      if (cell === null) continue;
      this.moveTo(cell);
      this.set([cell], this.inking);
    }
    this.announce();
  }

  at(event) {
    const box = this.grid.getBoundingClientRect();
    const row = Math.floor((SIDE * (event.clientY - box.top)) / box.height);
    const column = Math.floor((SIDE * (event.clientX - box.left)) / box.width);
    const inside = Math.min(row, column) >= 0 && Math.max(row, column) < SIDE;
    return inside ? row * SIDE + column : null;
  }

  ink(cell) {
    return this.cells[cell].ariaSelected === "true";
  }

  setCell(cell, ink) {
    this.cells[cell].ariaSelected = String(ink);
    this.cells[cell].ariaLabel = ink ? "ink" : "paper";
  }

  moveTo(cell) {
    this.cells[this.here].classList.remove("here");
    this.cells[cell].classList.add("here");
    this.here = cell;
  }

  set(cells, ink) {
    const changed = [...new Set(cells)].filter((cell) => this.ink(cell) !== ink);
    if (!changed.length) return;
    this.flip(changed);
    this.past.push(changed);
    this.future = [];
    let held = this.past.reduce((sum, step) => sum + step.length, 0);
    while (held > MOST_UNDONE) held -= this.past.shift().length;
    this.changed();
  }

  flip(cells) {
    for (const cell of cells) this.setCell(cell, !this.ink(cell));
  }

  undo() {
    this.step(this.past, this.future, "Undone");
  }

  redo() {
    this.step(this.future, this.past, "Drawn again");
  }

  step(from, to, word) {
    if (!from.length) return;
    const cells = from.pop();
    this.flip(cells);
    to.push(cells);
    this.moveTo(cells[cells.length - 1]);
    this.changed();
    this.announce(`${word}: `);
  }

  clear() {
    this.set(this.cells.map((_, i) => i), false);
    this.status.textContent = "All cells are empty";
  }

  changed() {
    this.updateButtons();
    this.link.soon();
  }

  report() {
    return {
      cells: this.cells.map((_, i) => Number(this.ink(i))).join(""),
      here: this.here,
      undo: this.past,
    };
  }

  announce(before = "") {
    const row = Math.floor(this.here / SIDE) + 1;
    const column = (this.here % SIDE) + 1;
    const what = this.ink(this.here) ? "ink" : "paper";
    this.status.textContent = `${before}row ${row}, column ${column}, ${what}`;
  }

  updateButtons() {
    this.enable("undo", this.past.length);
    this.enable("redo", this.future.length);
    this.enable("clear", this.cells.some((_, i) => this.ink(i)));
  }
}

export default (component) => show(component, GridPad);
