import { createTheme, localStorageColorSchemeManager, type MantineColorsTuple } from '@mantine/core';

/** One accent; the shades in between serve hover and soft grounds. */
const ACCENT: MantineColorsTuple = [
  '#eef2fe',
  '#dce4fc',
  '#b9c7f5',
  '#8fa9ff',
  '#6f8df2',
  '#5174e8',
  '#3c61dc',
  '#2f54d1',
  '#2747b4',
  '#203a94',
];

export const theme = createTheme({
  primaryColor: 'accent',
  colors: { accent: ACCENT },
  primaryShade: { light: 7, dark: 3 },
  autoContrast: true,
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
  defaultRadius: 'md',
  respectReducedMotion: true,
});

/** The same key that public/color-scheme.js reads before the first paint. */
export const colorSchemes = localStorageColorSchemeManager({ key: 'taximeter-color-scheme' });
