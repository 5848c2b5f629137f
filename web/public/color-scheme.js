// Runs before the page is painted, so that nobody sees a flash of the other theme.
(() => {
  let chosen = 'auto';
  try {
    chosen = localStorage.getItem('taximeter-color-scheme') ?? 'auto';
  } catch {
    // A browser that forbids storage follows the system.
  }
  const prefersDark = matchMedia('(prefers-color-scheme: dark)').matches;
  const scheme = chosen === 'auto' ? (prefersDark ? 'dark' : 'light') : chosen;
  document.documentElement.setAttribute('data-mantine-color-scheme', scheme);
})();
