import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findLogFormat, logFormatNames } from '../../src/collect/front.ts';
import { openedHouse } from './opened-house.ts';
import { type LinesWith, logLines } from './privacy/log-lines.ts';
import { secrets } from './privacy/secrets.ts';

const textAttributes = [
  ...['service.name', 'k8s.pod.name', 'cloud.region', 'service.version', 'taximeter.tenant', 'tenant.id', 'tenant_id'],
  ...[
    'customer.id',
    'account.id',
    'organization.id',
    'taximeter.consumer',
    'enduser.id',
    'user.id',
    'http.request.method',
  ],
  ...[
    'http.method',
    'http.route',
    'url.path',
    'http.target',
    'http.url',
    'url.full',
    'url.query',
    'rpc.method',
    'rpc.service',
  ],
  ...[
    'rpc.system',
    'db.system',
    'db.statement',
    'db.query.text',
    'messaging.destination.name',
    'faas.name',
    'server.address',
  ],
  ...[
    'peer.service',
    'client.address',
    'user_agent.original',
    'exception.message',
    'feature_flag.key',
    'feature_flag.variant',
  ],
  ...['graphql.operation.name', 'graphql.document', 'http.request.header.authorization', 'taximeter.call_kind'],
];

const { house, folder } = await openedHouse('privacy');

let spans = 0;

/** One request per attribute, on the span and on its resource, with the secret alone and inside of other text. */
function* requests(secret: string): Iterable<string> {
  for (const key of textAttributes) {
    for (const value of [secret, `/v1/users/${secret}?q=${secret}`, `call ${secret} now`]) {
      for (const kind of [2, 3, 5]) {
        const attributes = [{ key, value: { stringValue: value } }];
        const span = {
          traceId: (++spans).toString(16).padStart(32, '0'),
          spanId: spans.toString(16).padStart(16, '0'),
          traceState: `vendor=${secret}`,
          ...{ name: value, kind, startTimeUnixNano: '1735689600000000000', endTimeUnixNano: '1735689600001000000' },
          ...{ attributes, events: [{ name: value, attributes }], status: { code: 2, message: value } },
        };
        const scope = { name: value, attributes };
        yield JSON.stringify({ resourceSpans: [{ resource: { attributes }, scopeSpans: [{ scope, spans: [span] }] }] });
      }
    }
  }
}

/** Everything that the tables hold, as text. */
async function tables(): Promise<string> {
  const names = await house.store.columns.query<{ name: string }>('SHOW TABLES');
  const rows: unknown[] = [];
  for (const { name } of names) rows.push(...(await house.store.columns.query(`SELECT * FROM ${name}`)));
  return JSON.stringify(rows);
}

/** Everything in the files of the folder: journals, documents, logs. */
function files(path: string): string {
  if (!statSync(path).isDirectory()) return readFileSync(path).toString('latin1');
  return readdirSync(path)
    .map((name) => files(join(path, name)))
    .join('\n');
}

describe('what is sent with personal data and secrets in every field', () => {
  it('in spans: nothing is found in a journal or a table', async () => {
    for (const secret of secrets)
      for (const request of requests(secret)) await house.collector.traces(Buffer.from(request), 'json');
    await expectNothing();
  });

  it('in metrics: nothing is found in a journal or a table', async () => {
    for (const secret of secrets) {
      const attributes = ['service.name', 'k8s.pod.name', 'host.ip', 'user.email'].map((key) => ({
        ...{ key, value: { stringValue: `x ${secret}` } },
      }));
      const dataPoints = [{ asInt: '1', timeUnixNano: '1735689600000000000', attributes }];
      const metrics = [{ name: `m ${secret}`, description: secret, unit: secret, gauge: { dataPoints } }];
      const request = { resourceMetrics: [{ resource: { attributes }, scopeMetrics: [{ metrics }] }] };
      await house.collector.metrics(Buffer.from(JSON.stringify(request)), 'json');
    }
    await expectNothing();
  });

  it('in log lines means every format that there is', () => {
    const told = logLines.filter(({ format }) => !format.startsWith('pattern:')).map(({ format }) => format);
    const names = logFormatNames.filter((name) => name !== 'pattern:').map((name) => findLogFormat(name)!.name);
    expect(told.sort()).toEqual([...new Set(names)].sort());
  });

  it('in log lines: nothing is found in a journal or a table', async () => {
    for (const secret of secrets) for (const each of logLines) await sendLines(secret, each);
    await expectNothing();
  });
});

async function sendLines(secret: string, { format, lines }: LinesWith): Promise<void> {
  for (const from of ['none', 'user', 'host'] as const) {
    const fingerprint = `${format} ${from} ${secret}`;
    const source = { service: `s ${secret}`, host: secret, tenantFrom: { from }, fingerprint };
    const body = Buffer.from(`${lines(secret)}\n`);
    const { accepted } = await house.collector.lines(body, source, findLogFormat(format)!, 0);
    // What has blanks makes some lines another thing than a call; then nothing of it is kept either.
    if (!secret.includes(' ')) expect(accepted, format).toBe(1);
  }
}

/** What was sent is in the journal first, and then in tables. */
async function expectNothing(): Promise<void> {
  const found = (text: string) => secrets.filter((secret) => text.includes(secret));
  expect(found(files(folder.path))).toEqual([]);
  await house.collector.settle();
  expect(found(await tables())).toEqual([]);
  expect(found(files(folder.path))).toEqual([]);
}
