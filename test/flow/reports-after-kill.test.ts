import { expect, test } from 'vitest';
import { reportScheduleSpec } from '../../src/advise/index.ts';
import { applyVersions, openStore } from '../../src/store/index.ts';
import { startTaximeter } from '../support/taximeter.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { startReceiver } from '../support/webhook-receiver.ts';

const DAY = 86_400_000;

test('the server sends what fell due while it was away, and not again after it was killed', async () => {
  const [folder, receiver] = [tempFolder('reports-server'), await startReceiver()];
  const store = await openStore({ folder: folder.path });
  const spec = reportScheduleSpec.parse({ every: 'day', at: '00:00', to: [{ webhook: { url: receiver.url } }] });
  const version = { kind: 'ReportSchedule', name: 'nightly', effectiveFromMs: 0, spec, reason: '' };
  await applyVersions(store.documents, [version], 'test', new Date(Date.now() - 3 * DAY));
  await store.close();
  const env = { TAXIMETER_WEBHOOK_ALLOW: '127.0.0.1/32' };
  // It waits for its turn behind what is being sent, and finds nothing that is left to send.
  const send = async ({ api: url }: { readonly api: string }) =>
    (await fetch(`${url}/api/v1/report-schedules/nightly/send`, { method: 'POST' })).json() as Promise<object>;
  const nothingLeft = { sent: 0, deliveries: [{ state: 'sent', attempts: 1 }] };
  const [post, first] = await Promise.all([receiver.next(), startTaximeter(folder.path, env)]);
  expect(post.headers['webhook-id']).toMatch(/^rpt_/);
  expect(await send(first)).toMatchObject(nothingLeft);
  await first.kill();
  const second = await startTaximeter(folder.path, env);
  try {
    expect(await send(second)).toMatchObject(nothingLeft);
    expect(receiver.posts).toHaveLength(1);
  } finally {
    await second.stop();
    await receiver.close();
    folder.remove();
  }
});
