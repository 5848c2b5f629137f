import { randomBytes } from 'node:crypto';
import type { BillAnswer, ExportAnswer, UploadAnswer } from '../serve/contract/bills.ts';
import type { Cli } from './context.ts';

/** How often somebody who waits hears how far it is. */
const TOLD_EVERY_MS = 2_000;

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
  const upload = await sendParts(cli, parts);
  const body = { upload, names: parts.map(({ name }) => name), ...options };
  return telling(cli, upload, cli.ask<BillAnswer>('POST', '/api/v1/bills', JSON.stringify(body)));
}

/** Sends the files of one whole export, and has them judged. */
export async function checkBill(
  cli: Cli,
  parts: readonly BillPart[],
  options: { readonly format: string },
): Promise<ExportAnswer> {
  const upload = await sendParts(cli, parts);
  const body = { upload, names: parts.map(({ name }) => name), ...options };
  return telling(cli, upload, cli.ask<ExportAnswer>('POST', '/api/v1/bills/check', JSON.stringify(body)));
}

async function sendParts(cli: Cli, parts: readonly BillPart[]): Promise<string> {
  const upload = randomBytes(12).toString('hex');
  for (const [place, { name, open }] of parts.entries()) {
    if (parts.length > 1) cli.warn(`file ${place + 1} of ${parts.length}: ${name}`);
    const path = `/api/v1/uploads/${upload}/${place}?${new URLSearchParams({ name })}`;
    await cli.ask('PUT', path, open(), 'application/octet-stream');
  }
  return upload;
}

/** Says how many rows were read for as long as the answer is not there; a quick one says nothing. */
async function telling<Answer>(cli: Cli, upload: string, answer: Promise<Answer>): Promise<Answer> {
  const asked = { isUnderWay: false };
  const timer = setInterval(() => {
    if (asked.isUnderWay) return;
    asked.isUnderWay = true;
    cli
      .ask<UploadAnswer>('GET', `/api/v1/uploads/${upload}`)
      .then(({ rows }) => rows !== null && cli.warn(`${rows} rows read`))
      // How far it is must not keep anybody from hearing how it ended.
      .catch(() => undefined)
      .finally(() => {
        asked.isUnderWay = false;
      });
  }, TOLD_EVERY_MS);
  try {
    return await answer;
  } finally {
    clearInterval(timer);
  }
}
