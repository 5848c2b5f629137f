import { Journal } from '../../src/collect/journal/journal.ts';
import { SegmentKind } from '../../src/collect/journal/segment.ts';

/**
 * Appends numbered payloads to a journal, several at a time, and prints what became of each: `{"number":3,"outcome":"kept"}`.
 * Run as a program of its own under a limit that the test sets: `journal-writer.ts FOLDER COUNT SIZE`.
 */
const [folder, count, size] = process.argv.slice(2) as [string, string, string];
// Without this the kernel ends the process at the limit; a full disk only answers with an error.
process.on('SIGXFSZ', () => undefined);

let id = 0;
const journal = await Journal.open({
  folder,
  kind: SegmentKind.work,
  segmentRows: 1_000_000,
  segmentBytes: 1 << 30,
  capacityBytes: 1 << 30,
  nowMs: () => 0,
  nextId: () => ++id,
});
for (let number = 0; number < Number(count); number += 3) {
  await Promise.all([number, number + 1, number + 2].map(keep));
}
await journal.close();

async function keep(number: number): Promise<void> {
  const payload = Buffer.alloc(Number(size), number);
  payload.writeUInt32LE(number, 0);
  const outcome = await journal.append(payload, 1).then(
    () => 'kept',
    (cause: { code?: string }) => cause.code ?? String(cause),
  );
  console.log(JSON.stringify({ number, outcome }));
}
