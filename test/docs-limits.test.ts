import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

/** The blocks of a guide that are configuration of a gateway which asks /authz and passes on what its client sent. */
const blocks = ['limit-with-nginx.md', 'limit-with-other-gateways.md'].flatMap((page) => {
  const text = readFileSync(join(import.meta.dirname, '../docs/guides', page), 'utf8');
  const fenced = [...text.matchAll(/^```\w+\n([\s\S]*?)^```/gm)].map(([, block]) => block!);
  const indented = [...text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/(?:^ {4}.*\n)+/gm)].map(([block]) => block);
  return [...fenced, ...indented]
    .filter((block) => block.includes('/authz') && !block.includes('request_headers:'))
    .map((block, place) => ({ name: `${page}, ${place + 1}`, block: block.toLowerCase() }));
});

/** Whoever may say one of these has other counters. */
const read = ['tenant', 'organisation', 'consumer', 'endpoint', 'cost'].map((name) => `x-taximeter-${name}`);

describe('messages of the log', () => {
  const guide = readFileSync(join(import.meta.dirname, '../docs/guides/operate.md'), 'utf8');
  const table = guide.slice(guide.indexOf('\n## Logs\n'), guide.indexOf('\n## Stopping\n'));
  const messages = table
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...line.slice(0, line.indexOf(' | ')).matchAll(/`([^`]+)`/g)].map(([, message]) => message!));
  const source = join(import.meta.dirname, '../src');
  const code = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(source, name), 'utf8'))
    .join('\n');

  test.each(messages)('%s is said somewhere', (message) => {
    expect(code).toContain(message.replace(/\.\.\.$/, ''));
  });
});

describe('gateways that ask /authz', () => {
  test('there are three', () => {
    expect(blocks).toHaveLength(3);
  });

  test.each(blocks)('$name sets or takes away every header that says who calls what', ({ block }) => {
    const missing = read.filter((header) => !block.includes(header));
    // Of the two ways to say the path a gateway sets one; the other must not come from its client.
    const ways = ['x-original-', 'x-forwarded-'].filter((way) =>
      ['method', 'uri'].every((part) => block.includes(way + part)),
    );
    expect([missing, ways.length > 0]).toEqual([[], true]);
    if (block.includes('x-original-uri $request_uri')) expect(ways).toHaveLength(2);
  });
});
