import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Failure } from '../../model/index.ts';
import type { IngestResult } from '../ingest.ts';
import { type LogFlags, recogniseFormat } from '../log-query.ts';
import { type FollowedLog, inodeOf } from './followed-log.ts';
import { LineSender, type SendLines } from './line-sender.ts';
import { type OpenedLog, openLog } from './open-log.ts';
import type { PackedLog } from './packed-log.ts';
import { hashed, type Position, type Positions } from './positions.ts';
import { rotatedSiblings } from './rotated.ts';

export interface FollowerConfig {
  readonly flags: LogFlags;
  /** Finds the paths to follow, anew each time. */
  readonly find: () => Promise<readonly string[]>;
  readonly send: SendLines;
  readonly positions: Positions;
  readonly nowMs: () => number;
  readonly say: (text: string) => void;
  readonly signal?: AbortSignal;
}

/** A log that was renamed or deleted is over when nothing came for so long. */
const QUIET_MS = 5_000;
const SAVE_EVERY_MS = 1_000;
/** Between the clock of this process and that of the file system. */
const CLOCK_SLACK_MS = 60_000;
const UNCLEAR_LINES = 50;
const UNCLEAR = 'the format of this input is not recognised. Name it with --format.';

/**
 * Reads logs as they grow, through rotation, and sends their lines.
 *
 * Holds  a position is saved only after its lines are safe, so a crash sends some lines again, and they count once.
 */
export class Follower {
  readonly #config: FollowerConfig;
  readonly #sender: LineSender;
  /** By path: the log that has its name now. */
  readonly #current = new Map<string, FollowedLog>();
  /** Logs that lost their place and may still grow. */
  readonly #leaving = new Set<FollowedLog>();
  readonly #unsaved = new Set<FollowedLog>();
  /** Packed files that were read, and those that cannot be: by inode. */
  readonly #done = new Set<string>();
  readonly #begun = new Set<string>();
  readonly #formats = new Map<string, string>();
  readonly #said = new Set<string>();
  #savedMs = 0;
  hasFailed = false;

  constructor(config: FollowerConfig) {
    this.#config = config;
    this.#sender = new LineSender(config.flags, config.send, config.say);
  }

  get results(): IngestResult[] {
    return this.#sender.results;
  }

  /** Sends everything that is there now, those first that lost their place. */
  async round(): Promise<void> {
    await this.look();
    for (let isMore = true; isMore && !this.#config.signal?.aborted; ) {
      isMore = false;
      for (const log of [...this.#leaving, ...this.#current.values()]) if (await this.#sendNext(log)) isMore = true;
    }
    await this.#save();
  }

  /** Finds which logs there are. Also called while the server is waited for: of two rotations none may be missed. */
  async look(): Promise<void> {
    const paths = (await this.#config.find()).map((path) => resolve(path));
    for (const path of paths) {
      const there = await stat(path, { bigint: true }).catch(() => null);
      if (!there?.isFile()) continue;
      const inode = inodeOf(there);
      const current = this.#current.get(path);
      if (current?.inode === inode || this.#done.has(inode)) continue;
      if (current) this.#leave(path, current);
      if (!this.#move(path, inode)) await this.#begin(path, inode, paths);
    }
    for (const [path, log] of this.#current) if (!(await isThere(path))) this.#leave(path, log);
  }

  async close(): Promise<void> {
    await this.#save();
    for (const log of [...this.#leaving, ...this.#current.values()]) await log.close();
    this.#leaving.clear();
    this.#current.clear();
  }

  #leave(path: string, log: FollowedLog): void {
    if (this.#current.get(path) === log) this.#current.delete(path);
    log.leftMs = this.#config.nowMs();
    this.#leaving.add(log);
  }

  /** A log that was renamed to another path that is followed goes on there. */
  #move(path: string, inode: string): boolean {
    const log = [...this.#leaving, ...this.#current.values()].find((each) => each.inode === inode);
    if (!log) return false;
    this.#leaving.delete(log);
    if (this.#current.get(log.path) === log) this.#current.delete(log.path);
    log.leftMs = null;
    log.path = path;
    this.#current.set(path, log);
    return true;
  }

  async #begin(path: string, inode: string, followed: readonly string[]): Promise<void> {
    const isFirst = !this.#begun.has(path);
    this.#begun.add(path);
    const opened = await this.#open(path);
    if (opened === null) return;
    if ('pieces' in opened.log) {
      this.#done.add(inode);
      await this.#sendPacked(path, opened.log);
      return;
    }
    this.#current.set(path, opened.log);
    if (isFirst && opened.log.offset > 0) this.#config.say(`taximeter: ${path}: goes on at byte ${opened.log.offset}.`);
    await this.#findRest(path, followed, isFirst);
  }

  /** A file that cannot be read is told once, and tried again. */
  async #open(path: string): Promise<OpenedLog | null> {
    try {
      return await openLog(path, this.#config.positions.all(), this.#config.nowMs());
    } catch (cause) {
      const { code = '', message } = cause as NodeJS.ErrnoException;
      if (code === 'ENOENT') return null;
      if (!(cause instanceof Failure) && !/^E[A-Z]+$/.test(code)) throw cause;
      this.#failOnce(`taximeter: ${path}: ${message}`);
      return null;
    }
  }

  /** Looks for the rest of logs that had this path when it was followed before, and for whole ones since. */
  async #findRest(path: string, followed: readonly string[], isFirst: boolean): Promise<void> {
    const { positions, nowMs } = this.#config;
    const logs = [...this.#leaving, ...this.#current.values()];
    const open = new Set(logs.map(({ inode }) => inode));
    // A file that was cut off is the same file and another log.
    const isOpen = ({ inode, fingerprint }: Position) =>
      logs.some((log) => log.inode === inode && log.fingerprint === fingerprint);
    const before = positions.all().filter((position) => position.path === path);
    const lost = new Set(before.filter((position) => !position.isFinished && !isOpen(position)));
    if (before.length === 0 || (!isFirst && lost.size === 0)) return;
    const recentMs = Math.max(...before.map(({ savedMs }) => savedMs)) - CLOCK_SLACK_MS;
    for (const sibling of await rotatedSiblings(path)) {
      const isRecent = isFirst && sibling.mtimeMs > recentMs;
      if (lost.size === 0 && !isRecent) break;
      if (open.has(sibling.inode) || this.#done.has(sibling.inode) || followed.includes(sibling.path)) continue;
      const opened = await this.#open(sibling.path);
      if (opened === null) continue;
      const { log, from } = opened;
      const isRest = from !== null && lost.delete(from);
      const isWanted = isRest || (isRecent && from === null);
      if ('pieces' in log) {
        if (isWanted) await this.#sendPacked(sibling.path, log);
      } else if (isWanted) {
        log.leftMs = nowMs();
        this.#leaving.add(log);
      } else await log.close();
    }
    for (const position of lost) {
      if (isFirst)
        this.#config.say(
          `taximeter: ${path}: of the log before this one what stood after byte ${position.offset} is gone.`,
        );
      await positions.save({ ...position, isFinished: true });
    }
  }

  /** Gives whether there may be more to send at once. */
  async #sendNext(log: FollowedLog): Promise<boolean> {
    if (this.#config.signal?.aborted) return false;
    const nowMs = this.#config.nowMs();
    const isAll = log.leftMs !== null && nowMs - Math.max(log.leftMs, log.grewMs) > QUIET_MS;
    const isReady = (await log.identify(isAll)) && (await this.#hasFormat(log, isAll));
    const piece = isReady ? await log.next(this.#sender.mostBytes, isAll, nowMs) : null;
    if (piece === 'anew') {
      await this.#beginAnew(log);
      return true;
    }
    if (piece === null) {
      if (isAll) await this.#finish(log);
      return false;
    }
    const { path, format, fingerprint } = log;
    // After a crash it must be known that there was this log, also where nothing of it was acknowledged.
    if (log.offset === 0) await this.#config.positions.save(log.position(nowMs));
    if (await this.#sender.send({ path, format, fingerprint, head: await log.headText() }, piece)) {
      log.acknowledge(piece);
      this.#unsaved.add(log);
      if (nowMs - this.#savedMs > SAVE_EVERY_MS) await this.#save();
    }
    return true;
  }

  async #hasFormat(log: FollowedLog, isAll: boolean): Promise<boolean> {
    if (log.format !== '') return true;
    const known = this.#knownFormat(log.path);
    const head = known === undefined ? await log.head() : null;
    log.format = known ?? this.#recognised(log.path, head!) ?? '';
    if (log.format === '' && (isAll || head!.toString('latin1').split('\n').length > UNCLEAR_LINES))
      this.#failOnce(`taximeter: ${log.path}: ${UNCLEAR}`);
    return log.format !== '';
  }

  #knownFormat(path: string): string | undefined {
    const { format } = this.#config.flags;
    return format === 'auto' ? this.#formats.get(path) : format;
  }

  /** Logs that follow on the same path are of the same format, as their first lines may be too few to tell. */
  #recognised(path: string, head: Buffer): string | null {
    const format = recogniseFormat(head);
    if (format === null || format === 'otlp-proto') return null;
    this.#config.say(`taximeter: ${path}: format ${format}`);
    this.#formats.set(path, format);
    return format;
  }

  /** The file was cut off, as by copytruncate: a copy may have what was not read. */
  async #beginAnew(log: FollowedLog): Promise<void> {
    const { path } = log;
    this.#config.say(`taximeter: ${path}: the file was cut off; it is read as a new log.`);
    const isCurrent = this.#current.get(path) === log;
    this.#leaving.delete(log);
    this.#unsaved.delete(log);
    if (isCurrent) this.#current.delete(path);
    await this.#config.positions.save(log.position(this.#config.nowMs()));
    await log.close();
    if (isCurrent) await this.#begin(path, log.inode, [path]);
  }

  async #finish(log: FollowedLog): Promise<void> {
    log.isFinished = true;
    this.#leaving.delete(log);
    this.#unsaved.add(log);
    await this.#save();
    await log.close();
  }

  async #save(): Promise<void> {
    const nowMs = this.#config.nowMs();
    for (const log of this.#unsaved) {
      this.#unsaved.delete(log);
      if (log.fingerprint !== '') await this.#config.positions.save(log.position(nowMs));
    }
    this.#savedMs = nowMs;
  }

  /** Sends a packed log from where it was left. */
  async #sendPacked(path: string, log: PackedLog): Promise<void> {
    const { positions, nowMs } = this.#config;
    const format = log.from?.format ?? this.#knownFormat(path) ?? this.#recognised(path, log.head);
    if (format === null) {
      this.#failOnce(`taximeter: ${path}: ${UNCLEAR}`);
      return;
    }
    if (log.from) await positions.save({ ...log.from, isFinished: true });
    const { fingerprint, headText: head, inode } = log;
    for await (const piece of log.pieces) {
      await this.#sender.sendAll({ path, format, fingerprint, head }, piece);
      const [offset, line] = [piece.nextOffset, piece.firstLine + piece.lines];
      const before = { before: hashed(piece.before), beforeBytes: piece.before.length };
      const savedMs = nowMs();
      await positions.save({ path, inode, fingerprint, offset, line, ...before, format, isFinished: true, savedMs });
    }
  }

  #failOnce(text: string): void {
    this.hasFailed = true;
    if (this.#said.has(text)) return;
    this.#said.add(text);
    this.#config.say(text);
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    (there) => there.isFile(),
    () => false,
  );
}
