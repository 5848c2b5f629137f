import { Block, Texts } from '../../store/index.ts';
import type { SegmentContent } from '../journal/segment.ts';
import { samplesIn } from '../samples.ts';

type Texted = Uint32Array<ArrayBuffer>;

/**
 * Rows for the table `samples` from a segment's frames; the layout of a sample is `encodeSample`'s.
 * The same points twice are the same key and age, so a repeat after a crash changes nothing.
 */
export function samplesBlock(content: SegmentContent): Block {
  const { rows } = content;
  const texts = new Texts();
  const [metric, service, pod, tenant] = [0, 1, 2, 3].map(() => new Uint32Array(rows)) as [
    Texted,
    Texted,
    Texted,
    Texted,
  ];
  const [series, kind, at, value, started] = [
    Buffer.alloc(rows * 16),
    new Uint8Array(rows),
    Buffer.alloc(rows * 8),
    Buffer.alloc(rows * 16),
    Buffer.alloc(rows * 8),
  ];
  let row = 0;
  for (const payload of content.payloads) {
    for (const sample of samplesIn(payload)) {
      metric[row] = texts.idOf(payload, ...sample.metric);
      service[row] = texts.idOf(payload, ...sample.service);
      pod[row] = texts.idOf(payload, ...sample.pod);
      if (sample.tenant !== null) tenant[row] = texts.idOf(payload, ...sample.tenant);
      payload.copy(series, row * 16, sample.series, sample.series + 16);
      payload.copy(at, row * 8, sample.at, sample.at + 8);
      payload.copy(value, row * 16, sample.value, sample.value + 16);
      if (sample.started >= 0) payload.copy(started, row * 8, sample.started, sample.started + 8);
      kind[row] = payload[sample.kind]!;
      row += 1;
    }
  }
  const block = new Block(rows);
  block.fixed('batch', 'UInt64', new BigUint64Array(rows).fill(BigInt(content.id)));
  const ages = BigUint64Array.from({ length: rows }, (_, position) =>
    BigInt(2 ** 52 - (content.id * 2 ** 22 + position)),
  );
  block.fixed('age', 'UInt64', ages);
  block.texts('metric', texts, metric);
  block.fixed('series', 'FixedString(16)', series);
  block.texts('service', texts, service);
  block.texts('pod', texts, pod);
  block.texts('tenant', texts, tenant);
  block.fixed('kind', 'Int8', kind);
  block.fixed('at', "DateTime64(9, 'UTC')", at);
  block.fixed('value', 'Int128', value);
  block.fixed('started', "DateTime64(9, 'UTC')", started);
  return block;
}
