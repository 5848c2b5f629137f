import { FollowedLog } from './followed-log.ts';
import { openPacked, type PackedLog } from './packed-log.ts';
import type { Position } from './positions.ts';

/** A log, and the position from which it goes on; null: from the top. */
export interface OpenedLog {
  readonly log: FollowedLog | PackedLog;
  readonly from: Position | null;
}

/**
 * Opens a log, and finds how far it was read by what stands in it, not by what it is called.
 *
 * Takes  known: positions, those that were read furthest first.
 * Fails  FILE_UNREADABLE, FILE_DAMAGED for a packed one that is cut short.
 */
export async function openLog(path: string, known: readonly Position[], nowMs: number): Promise<OpenedLog> {
  const packed = await openPacked(path, known);
  if (packed !== null) return { log: packed, from: packed.from };
  const log = await FollowedLog.open(path, nowMs);
  try {
    if (await log.identify(false))
      for (const position of known)
        if (position.fingerprint === log.fingerprint && (await log.resume(position))) return { log, from: position };
    return { log, from: null };
  } catch (cause) {
    await log.close();
    throw cause;
  }
}
