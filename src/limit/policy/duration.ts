import { z } from 'zod';

const units = { ms: 1_000, s: 1_000_000, m: 60_000_000, h: 3_600_000_000, d: 86_400_000_000 } as const;
const DURATION = /^([1-9]\d{0,8})(ms|s|m|h|d)$/;
const LONGEST_US = 366 * units.d;

/** Reads a length of time such as `500ms`, `60s`, `24h`, `30d`; null when it is none or longer than 366 days. */
export function parseDurationUs(text: string): number | null {
  const match = DURATION.exec(text);
  if (!match) return null;
  const lengthUs = Number(match[1]) * units[match[2] as keyof typeof units];
  return lengthUs <= LONGEST_US ? lengthUs : null;
}

/** A length of time in a document. */
export const duration = z
  .string()
  .refine((text) => parseDurationUs(text) !== null, 'must be a length of time such as 500ms, 60s, 24h, at most 366d');

/** The microseconds of a length of time that was checked before. */
export function durationUs(text: string): number {
  return parseDurationUs(text) ?? 0;
}
