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

export type Palette = Readonly<Record<(typeof NAMES)[number], string>>;

/** The theme's colours as they are on screen now; charts cannot read CSS variables themselves. */
export function paletteOnScreen(): Palette {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()])) as Palette;
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
