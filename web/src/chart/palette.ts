const NAMES = [
  'text',
  'text-quiet',
  'line',
  'surface',
  'surface-sunken',
  'accent',
  'error-bar',
  'line-strong',
] as const;

const SCHEME = 'data-mantine-color-scheme';

export type Palette = Readonly<Record<(typeof NAMES)[number], string>>;

/** The theme's colours as they are on screen now; charts cannot read CSS variables themselves. */
export function paletteOnScreen(): Palette {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()])) as Palette;
}

/** The light colours, also while the screen is dark: `beforeprint` comes before the styles of paper apply. */
export function paletteOnPaper(): Palette {
  const root = document.documentElement;
  const scheme = root.getAttribute(SCHEME) ?? 'light';
  root.setAttribute(SCHEME, 'light');
  const palette = paletteOnScreen();
  root.setAttribute(SCHEME, scheme);
  return palette;
}

export function chartText(palette: Palette) {
  return { color: palette['text-quiet'], fontFamily: "'Inter Variable', system-ui, sans-serif", fontSize: 11 };
}

/** Rich text, not HTML: names in tooltips come from callers and must never be read as markup. */
export function chartTooltip(palette: Palette) {
  return {
    renderMode: 'richText' as const,
    confine: true,
    backgroundColor: palette.surface,
    borderColor: palette['line-strong'],
    textStyle: { ...chartText(palette), color: palette.text, fontSize: 12, lineHeight: 18 },
  };
}
