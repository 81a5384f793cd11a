// The theme that the reader chose, or none: then the system's setting holds. A classic script: it runs before the first paint.
(() => {
  try {
    const theme = localStorage.getItem('hansa.theme');
    if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
  } catch {
    // Storage is disabled: the system's setting holds.
  }
})();
