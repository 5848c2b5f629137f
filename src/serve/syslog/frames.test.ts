import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LONGEST_MESSAGE, SyslogFrames } from './frames.ts';

const bytes = (content: string) => Buffer.from(content, 'latin1');

function framed(chunks: readonly Buffer[]): { messages: string[]; tooLong: number } {
  const frames = new SyslogFrames();
  const messages = [...chunks.flatMap((chunk) => [...frames.push(chunk)]), ...frames.end()];
  return { messages: messages.map((message) => message.toString('latin1')), tooLong: frames.tooLong };
}

describe('messages in a stream', () => {
  const long = 'x'.repeat(LONGEST_MESSAGE + 1);
  it.each<readonly [string, string, readonly string[], number]>([
    ['with line feeds', '<1>a\n<2>b\n', ['<1>a', '<2>b'], 0],
    ['without a line feed at the end', '<1>a\n<2>b', ['<1>a', '<2>b'], 0],
    ['with lengths', '4 <1>a4 <2>b', ['<1>a', '<2>b'], 0],
    ['with lengths and line feeds behind', '4 <1>a\n4 <2>b\n', ['<1>a', '<2>b'], 0],
    ['both, mixed', '4 <1>a<2>b\n4 <3>c', ['<1>a', '<2>b', '<3>c'], 0],
    ['a line feed inside of a length', '5 <1>\na', ['<1>\na'], 0],
    ['a line that begins with digits', '10.0.0.1 - -\n', ['10.0.0.1 - -'], 0],
    ['a length that is none', '0 a\n9999999999 b\n', ['0 a', '9999999999 b'], 0],
    ['empty lines', '\n\n<1>a\n\n', ['<1>a'], 0],
    ['a line that is too long', `${long}\n<1>a\n`, ['<1>a'], 1],
    ['a length that is too long', `${LONGEST_MESSAGE + 1} ${long}<1>a\n`, ['<1>a'], 1],
    ['the longest', `${long.slice(1)}\n`, [long.slice(1)], 0],
    ['a length that breaks off', '10 abc', [], 0],
  ])('%s', (_, content, messages, tooLong) => {
    expect(framed([bytes(content)])).toEqual({ messages, tooLong });
  });

  it('do not depend on where the stream is cut', () => {
    const piece = fc.oneof(
      fc.string({ maxLength: 20 }).map((text) => `${text}\n`),
      fc.string({ maxLength: 20 }).map((text) => `${Buffer.byteLength(text, 'latin1')} ${text}`),
      fc.constant(`${long}\n`),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.array(fc.nat(200_000), { maxLength: 8 }), (pieces, cuts) => {
        const whole = bytes(pieces.join(''));
        const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b), whole.length];
        const chunks = places.slice(1).map((end, index) => whole.subarray(places[index], end));
        expect(framed(chunks)).toEqual(framed([whole]));
      }),
    );
  });

  it('one without an end takes no memory', () => {
    const frames = new SyslogFrames();
    const chunk = Buffer.alloc(1 << 20, 'x');
    for (let megabytes = 0; megabytes < 1_024; megabytes++) expect([...frames.push(chunk)]).toEqual([]);
    expect(frames.tooLong).toBe(1);
    expect([...frames.push(bytes('\n<1>a\n'))].map(String)).toEqual(['<1>a']);
  });
});
