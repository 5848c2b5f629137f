const DECIMALS = 18;

/**
 * Reads decimal text as a whole number of 10^-18.
 *
 * Fails  with a TypeError when it is none, or negative, or finer: a price that is read wrongly is worse than none.
 */
export function attoFromDecimal(text: string): bigint {
  const [, whole, fraction = ''] = /^(\d{1,30})(?:\.(\d{1,18}))?$/.exec(text) ?? [];
  if (whole === undefined) throw new TypeError(`not a decimal number that is not negative: ${text.slice(0, 60)}`);
  return BigInt(whole + fraction.padEnd(DECIMALS, '0'));
}
