import { z } from 'zod';
import { fail } from '../../model/index.ts';

/** The last call of a page: pages go on behind it, whatever arrived meanwhile. */
export interface CallCursor {
  readonly nanos: string;
  readonly traceId: string;
  readonly spanId: string;
}

const cursor = z.tuple([
  z.string().regex(/^\d{1,19}$/),
  z.string().regex(/^[0-9A-F]{32}$/),
  z.string().regex(/^[0-9A-F]{16}$/),
]);

export function writeCursor({ nanos, traceId, spanId }: CallCursor): string {
  return Buffer.from(JSON.stringify([nanos, traceId, spanId])).toString('base64url');
}

/** Fails PARAMETER_INVALID. */
export function readCursor(text: string): CallCursor {
  try {
    const [nanos, traceId, spanId] = cursor.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
    return { nanos, traceId, spanId };
  } catch (cause) {
    throw fail('PARAMETER_INVALID', { reason: 'the cursor is none that this report gave' }, [], cause);
  }
}
