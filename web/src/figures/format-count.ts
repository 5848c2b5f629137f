const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 6 });
const COMPACT = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });
const DURATION = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });

/** `1,234,567.25`: calls can be fractions of one, where sampling weights them. */
export function formatCount(count: number): string {
  return WHOLE.format(count);
}

/** `1.2M`: for axes only. */
export function formatCountShort(count: number): string {
  return COMPACT.format(count);
}

/** A share between 0 and 1 as `97.3 %`; what is not quite all or nothing never reads as 100 % or 0 %. */
export function formatShare(share: number | null): string {
  if (share === null) return 'unknown';
  if (share > 0 && share < 0.0005) return '< 0.1 %';
  if (share < 1 && share > 0.9995) return '> 99.9 %';
  return `${(share * 100).toFixed(1).replace('-', '\u2212').replace(/\.0$/, '')} %`;
}

export function formatDuration(milliseconds: number): string {
  return milliseconds >= 10_000 ? `${DURATION.format(milliseconds / 1000)} s` : `${DURATION.format(milliseconds)} ms`;
}

/** `1 call`, `2 calls`. */
export function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}
