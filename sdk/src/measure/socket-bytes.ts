import type { Socket } from 'node:net';

const seenIn = Symbol('taximeter.bytes_in');
const seenOut = Symbol('taximeter.bytes_out');

interface CountedSocket extends Socket {
  [seenIn]?: number;
  [seenOut]?: number;
  /** What `bytesWritten` begins with. */
  readonly _bytesDispatched?: number;
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
  const { bytesRead } = counted;
  const bytesWritten = writtenBy(counted);
  // Not of a connection: what tests inject, or what another runtime brings.
  if (typeof bytesRead !== 'number' || typeof bytesWritten !== 'number') return;
  into.bytesIn = bytesRead - (counted[seenIn] ?? 0);
  into.bytesOut = bytesWritten - (counted[seenOut] ?? 0);
  counted[seenIn] = bytesRead;
  counted[seenOut] = bytesWritten;
}

/** `bytesWritten` adds up what is still waiting, which makes a copy of its list. Most often nothing is. */
function writtenBy(socket: CountedSocket): number | undefined {
  const { _bytesDispatched: sent } = socket;
  return typeof sent === 'number' && socket.writableLength === 0 ? sent : socket.bytesWritten;
}
