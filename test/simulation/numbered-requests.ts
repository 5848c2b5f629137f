import { SpanKind } from '../../src/model/index.ts';
import { requestOf, type ToldSpan } from './spans.ts';

/** Request number n: the root and one child of trace n, and a late child of the trace before. */
function numberedSpans(number: number): ToldSpan[] {
  const trace = number + 1;
  const child = { parent: 1, kind: SpanKind.INTERNAL, service: 'back' };
  const root: ToldSpan = {
    ...{ trace, span: 1, kind: SpanKind.SERVER, service: 'front', from: 0, to: 100, route: '/a' },
    tenant: `tenant-${number % 3}`,
    th: number % 5 === 0 ? '8' : '0',
  };
  const late: ToldSpan[] = number === 0 ? [] : [{ ...child, trace: trace - 1, span: 3, from: 40, to: 65 }];
  return [{ ...child, trace, span: 2, from: 10, to: 30 }, root, ...late];
}

export function numberedRequest(number: number): Buffer {
  return Buffer.from(JSON.stringify(requestOf(numberedSpans(number))));
}

/** Event number n: n tokens; the time is another one at each repetition. */
export function numberedEvent(number: number): Buffer {
  const event = { specversion: '1.0', id: String(number), source: 'kill', type: 'prompt', subject: `s${number % 3}` };
  return Buffer.from(JSON.stringify({ ...event, data: { tokens: number } }));
}

export interface Totals {
  readonly events: number;
  readonly tokens: number;
  readonly spans: number;
  /** Millionths, by tenant. */
  readonly calls: Readonly<Record<string, number>>;
  readonly busyUs: number;
}

/** What the requests 0 to count - 1 add up to, each counted once; worked out from what they say, not by our rooms. */
export function expectedTotals(count: number): Totals {
  const calls: Record<string, number> = {};
  let [spans, busyUs] = [0, 0];
  for (let number = 0; number < count; number++) {
    const tenant = `tenant-${number % 3}`;
    calls[tenant] = (calls[tenant] ?? 0) + (number % 5 === 0 ? 2_000_000 : 1_000_000);
    const hasLate = number < count - 1;
    spans += hasLate ? 3 : 2;
    // The root is busy while its children are not, and each child all of its time.
    busyUs += hasLate ? 100 - 20 - 25 + 20 + 25 : 100 - 20 + 20;
  }
  return { events: count, tokens: (count * (count - 1)) / 2, spans, calls, busyUs };
}
