(() => {
  const root = document.documentElement;
  const toggle = (layer) => {
    const hidden = root.classList.toggle(`no-${layer}`);
    for (const button of document.querySelectorAll(`[data-layer=${layer}]`)) button.setAttribute("aria-pressed", String(!hidden));
  };
  for (const button of document.querySelectorAll("[data-layer]")) button.addEventListener("click", () => toggle(button.dataset.layer));
  const keys = { 1: "reference", 2: "prediction", 3: "errors" };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([type=range])")) return;
    const layer = keys[event.key];
    if (layer) { event.preventDefault(); toggle(layer); }
  });
})();
