import { ATTO_DIGITS, assert, parseDecimal } from '../model/index.ts';

/**
 * Reads an amount that the store gave back.
 *
 * Takes  text: a Decimal(38, 18), also a sum of many.
 * Gives  atto-units. What people may type is limited (`parseMoney`); sums of what they typed may be larger.
 */
export function storedAmount(text: string): bigint {
  const parsed = parseDecimal(text, ATTO_DIGITS);
  assert(parsed !== null && parsed !== 'too large' && !parsed.isRounded, 'a stored amount is exact');
  return parsed.value;
}
