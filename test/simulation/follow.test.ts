import { appendFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { startFollowing } from '../support/following.ts';
import { type RunningTaximeter, startTaximeter } from '../support/taximeter.ts';
import { tempFolder } from '../support/temp-folder.ts';

const folder = tempFolder('follow-kill');
afterAll(() => folder.remove());

const soon = { timeout: 300_000, interval: 50 };
const acts = ['kill follower', 'kill server', 'stop follower', 'rotate', 'nothing'] as const;
const world = fc.array(
  fc.record({ lines: fc.integer({ min: 1, max: 3_000 }), act: fc.constantFrom(...acts), awaits: fc.boolean() }),
  { minLength: 8, maxLength: 8 },
);

let number = 0;
function lines(count: number): string {
  const texts = Array.from({ length: count }, () => {
    number += 1;
    const time = `01/Aug/2022:03:${String(number % 60).padStart(2, '0')}:05 +0000`;
    return `10.0.0.${number % 250} - - [${time}] "GET /acme/${number} HTTP/1.1" 200 42 "-" "x"\n`;
  });
  return texts.join('');
}

async function calls(server: RunningTaximeter): Promise<number> {
  await fetch(`${server.api}/api/v1/settle`, { method: 'POST' });
  const answer = await fetch(`${server.api}/api/v1/usage?from=2022-08-01&to=2022-08-02`);
  return ((await answer.json()) as { calls: number }).calls;
}

describe('a follower and a server that are killed while a log grows and is rotated', () => {
  it('count every line once', async () => {
    await fc.assert(
      fc.asyncProperty(world, async (steps) => {
        const own = join(folder.path, String(number));
        const log = join(folder.path, `access-${number}.log`);
        const follow = () => startFollowing([log, '--data', own, '--tenant-from', 'path:1']);
        let server = await startTaximeter(own);
        let follower = follow();
        let written = 0;
        let rotations = 0;
        try {
          for (const [step, { lines: count, act, awaits }] of steps.entries()) {
            appendFileSync(log, lines(count));
            written += count;
            // What was rotated away before anybody looked is not followed.
            if (awaits || step === 0) await expect.poll(() => calls(server), soon).toBe(written);
            if (act === 'kill follower') await follower.kill();
            // It may be told to stop before it listens to that.
            if (act === 'stop follower') expect([0, null]).toContain(await follower.stop());
            if (act === 'kill server') {
              await server.kill();
              server = await startTaximeter(own);
            }
            if (act === 'rotate') renameSync(log, `${log}.${++rotations}`);
            if (act.endsWith('follower')) follower = follow();
          }
          appendFileSync(log, lines(1));
          await expect.poll(() => calls(server), soon).toBe(written + 1);
        } finally {
          await follower.kill();
          await server.stop();
        }
      }),
      { numRuns: 2, endOnFailure: true },
    );
  });
});

describe('a follower without a server', () => {
  it('waits, says so once, and goes on when there is one; Ctrl-C ends it with what it sent', async () => {
    const own = join(folder.path, 'later');
    const log = join(folder.path, 'later.log');
    appendFileSync(log, `${lines(10)}odd\n`);
    const follower = startFollowing([log, '--data', own, '--json']);
    await expect.poll(follower.err, soon).toContain('taximeter serve does not run on it');
    const server = await startTaximeter(own);
    try {
      await expect.poll(() => calls(server), soon).toBe(10);
      await expect.poll(follower.err, soon).toContain('takes lines again');
      // A line was refused, which a script should notice.
      expect(await follower.stop()).toBe(1);
    } finally {
      await server.stop();
    }
    expect(follower.err().split('does not run on it')).toHaveLength(2);
    expect(JSON.parse(follower.out())).toMatchObject([
      { file: log, accepted: 10, refused: 1, malformed: [{ line: 11 }] },
    ]);
  });
});
