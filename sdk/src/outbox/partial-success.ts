/**
 * Reads how many spans a request's answer says were refused.
 *
 * Takes  body: an ExportTraceServiceResponse { 1: partial_success { 1: rejected_spans, 2: error_message } }.
 * Gives  0 where it says nothing, or where it cannot be read: the status has said that the request was taken.
 */
export function rejectedSpans(body: Buffer): { readonly rejected: number; readonly why: string } {
  const partial = fieldOf(body, 1);
  if (!Buffer.isBuffer(partial)) return { rejected: 0, why: '' };
  const [rejected, why] = [fieldOf(partial, 1), fieldOf(partial, 2)];
  return { rejected: typeof rejected === 'number' ? rejected : 0, why: Buffer.isBuffer(why) ? why.toString() : '' };
}

/** The value of a field that is a number or has a length; null when it is not there. */
function fieldOf(message: Buffer, field: number): number | Buffer | null {
  for (let at = 0; at < message.length; ) {
    const [tag, valueAt] = varint(message, at);
    const [value, next] = varint(message, valueAt);
    const isDelimited = (tag & 7) === 2;
    if (!isDelimited && (tag & 7) !== 0) return null;
    if (tag >>> 3 === field) return isDelimited ? message.subarray(next, next + value) : value;
    at = isDelimited ? next + value : next;
  }
  return null;
}

function varint(bytes: Buffer, at: number): [value: number, next: number] {
  let [value, scale, next] = [0, 1, at];
  for (; next < bytes.length; next++, scale *= 128) {
    const byte = bytes[next]!;
    value += (byte & 127) * scale;
    if (byte < 128) break;
  }
  return [value, next + 1];
}
