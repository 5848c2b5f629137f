import { divideHalfEven } from './amount.ts';

const COUNT = /^(\d+)(?:\.(\d{1,6}))?$/;

/** A number of calls, which may have up to 6 decimals (sampling weights), in whole millionths. */
export function microCalls(calls: number): bigint {
  const match = COUNT.exec(String(calls));
  if (!match) throw new RangeError(`not a number of calls: ${calls}`);
  return BigInt((match[1] ?? '') + (match[2] ?? '').padEnd(6, '0'));
}

/**
 * Cost per call by the arithmetic contract: amount / calls, half-even at 12 decimals.
 *
 * Takes  amountAtto: 10^-18 units. callsMicro: millionths of a call.
 * Gives  10^-18 units per call, a multiple of 10^-12; null where there was no call.
 */
export function perCall(amountAtto: bigint, callsMicro: bigint): bigint | null {
  if (callsMicro === 0n) return null;
  // 10^-18 of money over 10^-6 of calls is already 10^-12 of money per call.
  return divideHalfEven(amountAtto, callsMicro) * 1_000_000n;
}
