import { dirname, join, resolve } from 'node:path';
import { Failure } from '../../model/index.ts';
import { type FileChoice, findFiles } from '../files/find-files.ts';
import { globRoot, isGlob } from '../files/glob.ts';
import type { IngestResult } from '../ingest.ts';
import { checkFormat, type LogFlags } from '../log-query.ts';
import { patiently } from '../patience.ts';
import { Follower } from './follower.ts';
import { Positions } from './positions.ts';
import { ServerLink } from './server-link.ts';
import { Wake } from './wake.ts';

const ROUND_MS = 1_000;

/** What to follow, and until when. */
export interface FollowOrder {
  /** The data folder of the server. */
  readonly folder: string;
  /** Files, folders and globs; those that are not there yet are waited for. */
  readonly files: readonly string[];
  readonly choice: FileChoice;
  readonly flags: LogFlags;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/**
 * Sends logs as they grow, until the signal comes; a server that is away is waited for.
 *
 * Gives  what was sent of each, and whether one could not be read.
 * Holds  whole lines only, within about a second; how far they are safe is saved in the data folder.
 */
export async function follow(order: FollowOrder): Promise<{ results: IngestResult[]; hasFailed: boolean }> {
  const { folder, files, choice, flags, signal, say } = order;
  checkFormat(flags.format);
  const reader = JSON.stringify([flags.service, flags.host ?? '']);
  const positions = await Positions.open(join(folder, 'follow'), reader, Date.now());
  const link = new ServerLink(folder);
  const wake = new Wake(signal);
  const find = async () => (await Promise.all(files.map((file) => findFiles(file, choice).catch(none)))).flat();
  const meanwhile = () => follower.look();
  const patience = { isPassing, say, signal, meanwhile };
  const send = (path: string, body: Uint8Array) => patiently(() => link.send(path, body), patience);
  const follower: Follower = new Follower({ flags, find, send, positions, nowMs: Date.now, say, signal });
  try {
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      const paths = await find();
      if (isFirst && paths.length === 0) say(`taximeter: ${files.join(' ')}: nothing there yet; waiting.`);
      wake.watch(watched(files, paths));
      await follower.round();
      if (!signal.aborted) await wake.next(ROUND_MS);
    }
  } catch (cause) {
    if (!signal.aborted) throw cause;
  } finally {
    wake.close();
    await follower.close();
    await link.close();
  }
  return { results: follower.results, hasFailed: follower.hasFailed };
}

/** What the server may take later. A server that was started anew knows another token. */
function isPassing({ code, status }: Failure): boolean {
  return status === 503 || status === 429 || code === 'UNAUTHENTICATED' || code === 'INTERNAL';
}

function none(cause: unknown): string[] {
  if (cause instanceof Failure && cause.code === 'FILE_UNREADABLE') return [];
  throw cause;
}

function watched(files: readonly string[], paths: readonly string[]): Set<string> {
  const roots = files.map((file) => (isGlob(file) ? globRoot(file) : dirname(file)));
  return new Set([...roots, ...paths.map(dirname)].map((folder) => resolve(folder)));
}
