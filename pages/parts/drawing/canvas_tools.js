// streamlit-drawable-canvas shows its tools only under a mouse that hovers, too small for a finger.
// This shows them always, with room for a finger; all of them act on the canvas at once, so the
// button that sends a drawing is not needed. The class names are those of its pinned version.

const STYLE = `
  .dc-root > .dc-toolbar, .dc-root:hover > .dc-toolbar { opacity: 1; top: -3.5rem; }
  .dc-icon-button { min-width: 40px; min-height: 40px; }
  .dc-icon-button:focus-visible { outline: 3px solid var(--st-primary-color); }
  .dc-icon-button[aria-label^="Update"], .dc-icon-button[aria-label^="Update"] + .dc-toolbar-separator {
    display: none;
  }`;

export default ({ data }) => {
  const selector = `.st-key-${data.key} [data-testid="stBidiComponentIsolated"]`;
  let waiting = 0;
  const apply = () => {
    const inside = document.querySelector(selector)?.shadowRoot;
    if (!inside) {
      waiting = requestAnimationFrame(apply); // it is on its way
    } else if (!inside.querySelector("[data-lesson]")) {
      const style = document.createElement("style");
      style.dataset.lesson = "";
      style.textContent = STYLE;
      inside.append(style);
    }
  };
  apply();
  return () => cancelAnimationFrame(waiting);
};
