import type { Socket } from 'node:net';

const seenIn = Symbol('taximeter.bytes_in');
const seenOut = Symbol('taximeter.bytes_out');

interface CountedSocket extends Socket {
  [seenIn]?: number;
  [seenOut]?: number;
  readonly _handle?: { readonly bytesRead?: number; readonly bytesWritten?: number } | null;
}

/** How many bytes came and went. */
interface Bytes {
  bytesIn: number | null;
  bytesOut: number | null;
}

/**
 * Says how many bytes passed on a connection since this was last asked of it: those of the call that has just ended.
 *
 * Holds  over the calls of a connection nothing is counted twice and nothing is left out, heads and keep-alive included. Of requests that are sent before
 *        the answer to the one before, the bytes that came already count for that one.
 */
export function takeBytes(socket: Socket, into: Bytes): void {
  const counted: CountedSocket = socket;
  if (counted === null || counted === undefined) return;
  // What the connection counts itself, while nothing waits: asked for the sum, a socket makes a list of what does.
  const counts = counted.writableLength === 0 ? (counted._handle ?? counted) : counted;
  const { bytesRead, bytesWritten } = counts;
  // Not of a connection: what tests inject, or what another runtime brings.
  if (typeof bytesRead !== 'number' || typeof bytesWritten !== 'number') return;
  into.bytesIn = bytesRead - (counted[seenIn] ?? 0);
  into.bytesOut = bytesWritten - (counted[seenOut] ?? 0);
  counted[seenIn] = bytesRead;
  counted[seenOut] = bytesWritten;
}
