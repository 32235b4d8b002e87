// Light or dark: as the system has it, unless the reader chose. Runs before the first paint, so it is no module.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem('flatfoot-theme');
  } catch {
    // Storage may be forbidden: then it is as the system has it.
  }
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
})();
