import { randomBytes } from 'node:crypto';
import type { BillAnswer } from '../serve/contract/contract.ts';
import type { Cli } from './context.ts';

/** One file of a bill export, opened when its turn has come. */
export interface BillPart {
  readonly name: string;
  readonly open: () => string | ReadableStream<Uint8Array>;
}

/** Sends the files of one whole export, and imports them together. */
export async function sendBill(
  cli: Cli,
  parts: readonly BillPart[],
  options: { readonly format: string; readonly replace: boolean },
): Promise<BillAnswer> {
  const upload = randomBytes(12).toString('hex');
  for (const [place, { name, open }] of parts.entries()) {
    const path = `/api/v1/uploads/${upload}/${place}?${new URLSearchParams({ name })}`;
    await cli.ask('PUT', path, open(), 'application/octet-stream');
  }
  const body = { upload, names: parts.map(({ name }) => name), ...options };
  return cli.ask<BillAnswer>('POST', '/api/v1/bills', JSON.stringify(body));
}
