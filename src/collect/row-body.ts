import type { RowWriter } from '../store/index.ts';
import type { Work } from './assemble.ts';

const NO_TRACE = '\0'.repeat(16);
const NO_SPAN = '\0'.repeat(8);

/** Writes the body of a row: what was decided, where it was journalled, what was sent. The order is workShape's. */
export function writeBody(writer: RowWriter, work: Work): void {
  const { span, call } = work;
  writer.latin1(call === null ? NO_TRACE : call.traceKey.slice(0, 16));
  writer.latin1(call === null ? NO_SPAN : call.spanKey);
  writer.u8(work.isCall ? 1 : 0);
  writer.u64(work.share);
  writer.text(call?.tenant ?? '');
  writer.text(call?.endpoint ?? '');
  writer.text(call?.consumer ?? '');
  writer.text(call?.resolver ?? '');
  writer.u64(work.busyUs);
  writer.u8(work.isDbCall ? 1 : 0);
  writer.u64(work.dbUs);
  writer.u8(work.isExternal ? 1 : 0);
  writer.u64(work.extUs);
  writer.u8(work.isReversed ? 1 : 0);
  writer.u64(span.segment);
  writer.u32(span.position);
  writer.copy(span.buffer, span.sentAt, span.sentEnd);
}
