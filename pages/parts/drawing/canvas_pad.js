// streamlit-drawable-canvas shows its tools only while the mouse hovers, too small for a finger.
// This shows them always and larger, and hides the button that sends a drawing, since every change
// is sent at once. The class names are those of the pinned version.

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
      waiting = requestAnimationFrame(apply); // not on the page yet
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
