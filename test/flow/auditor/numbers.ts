/** The auditor's own arithmetic. Nothing here or beside it comes from src/: a second opinion must not share a mistake. */

/** Nearest whole number, a half to the even one; any signs, divisor above zero. */
export function nearest(dividend: bigint, divisor: bigint): bigint {
  if (dividend < 0n) return -nearest(-dividend, divisor);
  const below = dividend / divisor;
  const twiceRest = 2n * (dividend - below * divisor);
  if (twiceRest === divisor) return below + (below & 1n);
  return twiceRest < divisor ? below : below + 1n;
}

/** Decimal text as a whole number of 10^-places. */
export function scaled(text: string, places: number): bigint {
  const [mantissa = '', exponent = '0'] = text.trim().toLowerCase().split('e');
  const isNegative = mantissa.startsWith('-');
  const [whole = '', fraction = ''] = mantissa.replace(/^[-+]/, '').split('.');
  if (!/^\d+$/.test(whole + fraction)) throw new Error(`not a number: ${text}`);
  const shift = places + Number(exponent) - fraction.length;
  const digits = BigInt(whole + fraction);
  const size = shift >= 0 ? digits * 10n ** BigInt(shift) : nearest(digits, 10n ** BigInt(-shift));
  return isNegative ? -size : size;
}

/** A whole number of 10^-places as decimal text with as many decimals. */
export function decimal(value: bigint, places: number): string {
  if (value < 0n) return `-${decimal(-value, places)}`;
  const unit = 10n ** BigInt(places);
  return `${value / unit}.${String(value % unit).padStart(places, '0')}`;
}

/** Shares by largest remainder: floors first, then one more for those who lost most; who stands first wins a tie. */
export function largestRemainder(amount: bigint, weights: readonly bigint[]): bigint[] {
  if (amount < 0n) return largestRemainder(-amount, weights).map((share) => -share);
  const total = weights.reduce((sum, weight) => sum + weight, 0n);
  const claims = weights.map((weight, place) => ({
    place,
    share: (amount * weight) / total,
    lost: (amount * weight) % total,
  }));
  let left = amount - claims.reduce((sum, claim) => sum + claim.share, 0n);
  const byLoss = [...claims].sort((a, b) => (a.lost === b.lost ? a.place - b.place : a.lost > b.lost ? -1 : 1));
  for (const claim of byLoss) {
    if (left === 0n) break;
    claim.share += 1n;
    left -= 1n;
  }
  return claims.map((claim) => claim.share);
}

/** Order of UTF-8 bytes. */
export function byteOrder(a: string, b: string): number {
  const [left, right] = [new TextEncoder().encode(a), new TextEncoder().encode(b)];
  for (let i = 0; i < left.length && i < right.length; i++) if (left[i] !== right[i]) return left[i]! - right[i]!;
  return left.length - right.length;
}

/** Nanoseconds of an RFC 3339 text in whole seconds or milliseconds. */
export function nanosOf(text: string): bigint {
  const millis = Date.parse(text);
  if (Number.isNaN(millis)) throw new Error(`not a time: ${text}`);
  return BigInt(millis) * 1_000_000n;
}

/** Puts items with the same key together, keys in the order of their first item. */
export function grouped<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item)) ?? [];
    group.push(item);
    groups.set(keyOf(item), group);
  }
  return groups;
}
