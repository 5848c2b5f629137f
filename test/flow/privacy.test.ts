import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findLogFormat } from '../../src/collect/index.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { House } from './house.ts';

/** What must be found nowhere: an address of each kind, an e-mail address plain and encoded, a card, keys and tokens. */
const secrets = [
  'ada.lovelace@example.com',
  'ada.lovelace%40example.com',
  '203.0.113.77',
  '2001:db8:85a3::8a2e:370:7334',
  '4111 1111 1111 1111',
  '4111111111111111',
  'sk_live_51HxAbCdEfGhIjKl',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl',
];

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

const folder = tempFolder('privacy');
let house: House;
beforeAll(async () => {
  house = await House.open(folder.path);
});
afterAll(async () => {
  await house.close();
  folder.remove();
});

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
  it.each(secrets)('%s in spans is found in no journal and no table', async (secret) => {
    for (const request of requests(secret)) await house.collector.traces(Buffer.from(request), 'json');
    expect(files(folder.path)).not.toContain(secret);
    await house.collector.settle();
    expect(await tables()).not.toContain(secret);
    expect(files(folder.path)).not.toContain(secret);
  });

  it.each(secrets)('%s in metrics is found in no journal and no table', async (secret) => {
    const attributes = ['service.name', 'k8s.pod.name', 'host.ip', 'user.email'].map((key) => ({
      ...{ key, value: { stringValue: `x ${secret}` } },
    }));
    const dataPoints = [{ asInt: '1', timeUnixNano: '1735689600000000000', attributes }];
    const metrics = [{ name: `m ${secret}`, description: secret, unit: secret, gauge: { dataPoints } }];
    const request = { resourceMetrics: [{ resource: { attributes }, scopeMetrics: [{ metrics }] }] };
    await house.collector.metrics(Buffer.from(JSON.stringify(request)), 'json');
    expect(files(folder.path)).not.toContain(secret);
    await house.collector.settle();
    expect(await tables()).not.toContain(secret);
  });

  const lines: readonly (readonly [format: string, line: (secret: string) => string])[] = [
    [
      'combined',
      (s) =>
        `${s} - ${s} [01/Jan/2025:10:00:00 +0000] "GET /users/${s}?q=${s} HTTP/1.1" 200 5 "https://h/${s}" "agent ${s}"`,
    ],
    [
      'aws-alb',
      (s) =>
        `https 2025-01-01T10:00:00.000000Z app/lb/1 203.0.113.1:2817 10.0.0.1:80 0.1 0.1 0.1 200 200 34 366 "GET https://h:443/users/${s}?q=${s} HTTP/1.1" "agent ${s}" - - arn "Root=1" "${s}" "-" 0 2025-01-01T10:00:00.000000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-"`,
    ],
    [
      'caddy-json',
      (s) =>
        JSON.stringify({
          ...{
            level: 'info',
            ts: 1735725600.5,
            logger: 'http.log.access',
            msg: 'handled request',
            user_id: s,
            status: 200,
          },
          request: {
            ...{ remote_ip: s, client_ip: s, proto: 'HTTP/1.1', method: 'GET', host: s, uri: `/users/${s}?q=${s}` },
            headers: { 'User-Agent': [s], Authorization: [s] },
          },
          ...{ bytes_read: 0, duration: 0.01, size: 5 },
        }),
    ],
  ];

  it.each(secrets)('%s in log lines is found in no journal and no table', async (secret) => {
    for (const [format, line] of lines) {
      const text = line(secret);
      for (const from of ['none', 'user', 'host'] as const) {
        const source = { service: `s ${secret}`, host: secret, tenantFrom: { from }, fingerprint: `${format} ${from}` };
        const { accepted } = await house.collector.lines(Buffer.from(`${text}\n`), source, findLogFormat(format)!, 0);
        // A card number with blanks makes some lines another thing than a call; then nothing of it is kept either.
        if (!secret.includes(' ')) expect(accepted, format).toBe(1);
      }
    }
    expect(files(folder.path)).not.toContain(secret);
    await house.collector.settle();
    expect(await tables()).not.toContain(secret);
  });
});
