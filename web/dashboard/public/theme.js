// Runs before the first paint and blocks it, so that a remembered theme never flashes. A file of its own because the
// content security policy allows no inline script.
(() => {
  let theme = null;
  try {
    theme = localStorage.getItem('spillway.theme');
  } catch {
    // Storage is forbidden here: the system decides.
  }
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
})();
