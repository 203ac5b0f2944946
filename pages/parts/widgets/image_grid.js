// Images with captions in a grid. If they open, they are buttons with one tab stop: arrow keys move.

const shown = new WeakMap(); // parent element -> the items it shows and its buttons

function tile({ picture, caption }, opens) {
  const made = document.createElement(opens ? "button" : "figure");
  made.className = "image";
  const image = document.createElement("img");
  image.src = picture;
  image.alt = "";
  image.draggable = false;
  const text = document.createElement(opens ? "span" : "figcaption");
  text.textContent = caption; // never as HTML
  made.append(image, text);
  if (opens) {
    made.type = "button";
    made.setAttribute("aria-label", `${caption}. Open it`);
  }
  return made;
}

function build(place, { label, narrow, wide, items, opens }) {
  const root = document.createElement("div");
  root.className = "root";
  const grid = document.createElement("div");
  grid.className = "images";
  grid.setAttribute("role", "group");
  grid.setAttribute("aria-label", opens ? `${label}. Arrow keys move, Enter opens` : label);
  grid.style.setProperty("--narrow", narrow);
  grid.style.setProperty("--wide", wide);
  const tiles = items.map((item) => tile(item, opens));
  grid.append(...tiles);
  root.append(grid);
  place.querySelector(".root")?.remove();
  place.append(root);
  return { grid, tiles };
}

function step(key, grid) {
  const columns = getComputedStyle(grid).gridTemplateColumns.split(" ").length;
  return { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key] ?? 0;
}

function mark(tiles, opened) {
  tiles.forEach((one, i) => {
    one.tabIndex = i === Math.max(opened, 0) ? 0 : -1;
    one.setAttribute("aria-current", String(i === opened));
  });
}

export default ({ parentElement: place, data, setTriggerValue }) => {
  const { opened, ...content } = data;
  const received = JSON.stringify(content);
  let now = shown.get(place);
  if (now?.received !== received) {
    now = { received, ...build(place, content) };
    shown.set(place, now);
    now.grid.addEventListener("keydown", (event) => {
      const to = now.tiles[now.tiles.indexOf(event.target) + step(event.key, now.grid)];
      if (!content.opens || !to || to === event.target) return;
      event.preventDefault();
      event.target.tabIndex = -1;
      to.tabIndex = 0;
      to.focus();
    });
  }
  const { tiles } = now;
  if (!content.opens) return;
  tiles.forEach((one, i) => {
    one.onclick = () => {
      mark(tiles, i); // at once; Python answers with the same
      setTriggerValue("opened", i);
    };
  });
  mark(tiles, opened);
};
