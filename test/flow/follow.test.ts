import {
  appendFileSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFiles } from '../../src/cli/files/find-files.ts';
import { Follower } from '../../src/cli/follow/follower.ts';
import { Positions } from '../../src/cli/follow/positions.ts';
import { type Api, createApi } from '../../src/serve/index.ts';
import { usageReport } from '../../src/usage/index.ts';
import { type ListeningHouse, openListeningHouse } from '../support/listening-house.ts';
import { tempFolder } from '../support/temp-folder.ts';

const folder = tempFolder('follow');
let opened: ListeningHouse;
let api: Api;
beforeAll(async () => {
  opened = await openListeningHouse(1 << 20);
  api = createApi(opened.house, { pages: '' });
});
afterAll(async () => {
  for (const follower of World.followers) await follower.close();
  await opened.close();
  folder.remove();
});

const AFTER_QUIET_MS = 10_000;
const AN_HOUR_MS = 3_600_000;

function copyAndCutOff({ path }: World): void {
  copyFileSync(path, `${path}.1`);
  truncateSync(path);
}

/** A log of one tenant, and who follows it. */
class World {
  static #count = 0;
  /** Also those that crashed, as their files are open in this process. */
  static readonly followers: Follower[] = [];
  readonly tenant = `tenant-${++World.#count}`;
  readonly folder = join(folder.path, this.tenant);
  readonly path = join(this.folder, 'access.log');
  readonly said: string[] = [];
  readonly args: string[];
  nowMs = Date.now();
  /** Bytes of the logs that were sent, with repeats. */
  sentBytes = 0;
  acknowledges = true;
  #follower: Follower | null = null;
  #number = 0;

  constructor(...args: string[]) {
    mkdirSync(this.folder);
    this.args = args.length > 0 ? args.map((arg) => join(this.folder, arg)) : [this.path];
  }

  lines(count: number): string {
    const texts = Array.from({ length: count }, () => {
      this.#number += 1;
      const time = `01/Aug/2022:03:${String(this.#number % 60).padStart(2, '0')}:05 +0000`;
      return `10.0.0.1 - - [${time}] "GET /${this.tenant}/${this.#number} HTTP/1.1" 200 42 "-" "x"\n`;
    });
    return texts.join('');
  }

  write(count: number, path = this.path): void {
    appendFileSync(path, this.lines(count));
  }

  async start(): Promise<Follower> {
    const flags = { format: 'auto', service: this.tenant, tenantFrom: 'path:1' };
    const positions = await Positions.open(join(this.folder, 'positions'), this.tenant, this.nowMs);
    const choice = { include: [], recursive: false };
    this.#follower = new Follower({
      flags,
      positions,
      find: async () => (await Promise.all(this.args.map((arg) => findFiles(arg, choice).catch(() => [])))).flat(),
      nowMs: () => this.nowMs,
      say: (text) => this.said.push(text.replaceAll(this.folder, '')),
      send: async (path, body) => {
        const request = new Request(`http://127.0.0.1${path}`, {
          method: 'POST',
          headers: { 'content-type': 'text/plain' },
          body: body as Uint8Array<ArrayBuffer>,
        });
        const answer = await api(request);
        this.sentBytes += body.length;
        if (answer.status !== 200 || !this.acknowledges) throw new Error(`no answer: ${answer.status}`);
        return (await answer.json()) as never;
      },
    });
    World.followers.push(this.#follower);
    return this.#follower;
  }

  async round(afterMs = 1_000): Promise<void> {
    this.nowMs += afterMs;
    await (this.#follower ?? (await this.start())).round();
  }

  /** Stops in order. */
  async stop(): Promise<void> {
    await this.#follower?.close();
    this.#follower = null;
  }

  /** Ends like a power cut: nothing more is saved. */
  crash(): void {
    this.#follower = null;
  }

  async calls(): Promise<number> {
    await opened.house.collector.settle();
    const range = { fromMs: Date.UTC(2022, 7, 1), toMs: Date.UTC(2022, 7, 2) };
    const report = await usageReport(opened.house.store, { range, window: 'none', timeZone: 'UTC', by: ['tenant'] });
    return report.rows.find((row) => row.tenant === this.tenant)?.calls ?? 0;
  }
}

describe('following a log', () => {
  it('sends what is there, then what comes, and no byte twice', async () => {
    const world = new World();
    for (const count of [100, 1, 50]) {
      world.write(count);
      await world.round();
    }
    await world.round();
    expect(await world.calls()).toBe(151);
    expect(world.sentBytes).toBe(readFileSync(world.path).length);
    expect(world.said).toEqual(['taximeter: /access.log: format combined']);
  });

  it('waits for the rest of a line', async () => {
    const world = new World();
    world.write(2);
    const line = world.lines(1);
    appendFileSync(world.path, line.slice(0, 70));
    await world.round(AN_HOUR_MS);
    expect(await world.calls()).toBe(2);
    appendFileSync(world.path, line.slice(70));
    await world.round();
    expect(await world.calls()).toBe(3);
  });

  it('waits for a file that is not there yet', async () => {
    const world = new World();
    await world.round();
    world.write(3);
    await world.round();
    expect(await world.calls()).toBe(3);
  });

  it('goes on at the very byte after it was stopped', async () => {
    const world = new World();
    world.write(10);
    await world.round();
    await world.stop();
    const before = world.sentBytes;
    const more = world.lines(5);
    appendFileSync(world.path, more);
    await world.round();
    expect(world.sentBytes - before).toBe(more.length);
    expect(await world.calls()).toBe(15);
    expect(world.said.at(-1)).toMatch(/goes on at byte \d+/);
  });

  it('counts once what was sent before a crash and not saved', async () => {
    const world = new World();
    world.write(10);
    world.acknowledges = false;
    await expect(world.round()).rejects.toThrow('no answer');
    world.crash();
    expect(await world.calls()).toBe(10);
    world.acknowledges = true;
    world.write(10);
    await world.round();
    expect(await world.calls()).toBe(20);
  });

  it('of two followers of the same file counts once', async () => {
    const world = new World();
    world.write(10);
    await world.round();
    world.crash();
    rmSync(join(world.folder, 'positions'), { recursive: true });
    await world.round();
    expect(await world.calls()).toBe(10);
  });

  it('starts from the top when a position was damaged', async () => {
    const world = new World();
    world.write(10);
    await world.round();
    await world.stop();
    for (const name of readdirSync(join(world.folder, 'positions')))
      writeFileSync(join(world.folder, 'positions', name), '{"path":');
    world.write(10);
    await world.round();
    expect(await world.calls()).toBe(20);
  });

  it('passes over a line that is too long, also where it ends later, and says where it stands', async () => {
    const world = new World();
    world.write(2);
    await world.round();
    for (let part = 0; part < 5; part++) {
      appendFileSync(world.path, 'x'.repeat(1 << 20));
      await world.round();
    }
    appendFileSync(world.path, `\n${world.lines(1)}odd\n`);
    await world.round();
    expect(await world.calls()).toBe(3);
    const refused = await opened.house.quarantine.list({ source: world.path }, 10);
    expect(refused.map(({ line, reason }) => [line, reason])).toEqual([
      [5, 'line_malformed'],
      [3, 'line_too_long'],
    ]);
    const odd = readFileSync(world.path).subarray(refused[0]!.byte_offset);
    expect(odd.toString()).toBe('odd\n');
  });

  it('says when a format is not recognised, and others go on', async () => {
    const world = new World('access.log', 'other.log');
    writeFileSync(join(world.folder, 'other.log'), 'hello there\n'.repeat(60));
    world.write(3);
    await world.round();
    await world.round();
    expect(await world.calls()).toBe(3);
    expect(world.said.filter((text) => text.includes('not recognised'))).toHaveLength(1);
  });
});

describe('rotation', () => {
  const rows: readonly (readonly [string, (world: World) => void])[] = [
    ['by renaming', ({ path }) => renameSync(path, `${path}.1`)],
    ['by copying and cutting off', copyAndCutOff],
    ['by renaming with a date', ({ path, folder }) => renameSync(path, join(folder, 'access-20220801.log'))],
  ];

  it.each(rows)('%s loses nothing that was written just before', async (_, rotate) => {
    const world = new World();
    world.write(100);
    await world.round();
    world.write(50);
    rotate(world);
    world.write(3);
    await world.round();
    await world.round(AFTER_QUIET_MS);
    expect(await world.calls()).toBe(153);
  });

  it.each(rows)('%s while nobody followed loses nothing', async (_, rotate) => {
    const world = new World();
    world.write(100);
    await world.round();
    await world.stop();
    world.write(50);
    rotate(world);
    world.write(3);
    await world.round();
    await world.round(AFTER_QUIET_MS);
    expect(await world.calls()).toBe(153);
  });

  it('after a crash before anything was acknowledged loses nothing', async () => {
    const world = new World();
    world.write(10);
    world.acknowledges = false;
    await expect(world.round()).rejects.toThrow('no answer');
    world.crash();
    world.acknowledges = true;
    world.write(5);
    renameSync(world.path, `${world.path}.1`);
    world.write(5);
    await world.round();
    expect(await world.calls()).toBe(20);
  });

  it('finishes the old log while its writer still writes to it', async () => {
    const world = new World();
    world.write(10);
    await world.round();
    renameSync(world.path, `${world.path}.1`);
    await world.round();
    world.write(5, `${world.path}.1`);
    world.write(5);
    await world.round();
    world.write(5, `${world.path}.1`);
    await world.round();
    await world.round(AFTER_QUIET_MS);
    expect(await world.calls()).toBe(25);
  });

  it('sends a last line without its end when the log that lost its place is quiet', async () => {
    const world = new World();
    world.write(1);
    appendFileSync(world.path, world.lines(1).trimEnd());
    await world.round();
    renameSync(world.path, `${world.path}.1`);
    await world.round();
    expect(await world.calls()).toBe(1);
    await world.round(AFTER_QUIET_MS);
    expect(await world.calls()).toBe(2);
  });

  it('reads what was deleted to its end, and what has its name then from the top', async () => {
    const world = new World();
    world.write(10);
    await world.round();
    world.write(5);
    rmSync(world.path);
    await world.round();
    world.write(7);
    await world.round();
    expect(await world.calls()).toBe(22);
  });

  it('twice, and packing, while nobody followed loses nothing', async () => {
    const world = new World();
    world.write(10);
    await world.round();
    await world.stop();
    world.write(5);
    const first = readFileSync(world.path);
    rmSync(world.path);
    writeFileSync(`${world.path}.2.gz`, gzipSync(first));
    world.write(20, `${world.path}.1`);
    world.write(3);
    const before = world.sentBytes;
    await world.round();
    await world.round(AFTER_QUIET_MS);
    expect(await world.calls()).toBe(38);
    const files = ['.1', ''].map((end) => readFileSync(world.path + end).length);
    const packedRest = first.length - Math.floor((first.length * 10) / 15);
    expect(Math.abs(world.sentBytes - before - files[0]! - files[1]! - packedRest)).toBeLessThan(100);
  });

  it('is followed under the new name where a glob matches it', async () => {
    const world = new World('access.log*');
    world.write(10);
    await world.round();
    const before = world.sentBytes;
    renameSync(world.path, `${world.path}.1`);
    world.write(5);
    world.write(5, `${world.path}.1`);
    await world.round();
    expect(await world.calls()).toBe(20);
    const [old, young] = ['.1', ''].map((end) => readFileSync(world.path + end).length) as [number, number];
    expect(world.sentBytes).toBe(old + young);
    expect(before).toBeLessThan(old);
  });

  it('reads packed files that a glob matches once', async () => {
    const world = new World('access.log*');
    writeFileSync(`${world.path}.2.gz`, gzipSync(world.lines(10)));
    world.write(5);
    await world.round();
    await world.stop();
    const before = world.sentBytes;
    await world.round();
    expect(await world.calls()).toBe(15);
    expect(world.sentBytes).toBe(before);
  });

  it('a file that was cut off and written anew is another log', async () => {
    const world = new World();
    world.write(10);
    await world.round();
    writeFileSync(world.path, world.lines(30));
    await world.round();
    expect(await world.calls()).toBe(40);
  });

  it('says what is gone', async () => {
    const world = new World();
    world.write(10);
    await world.round();
    await world.stop();
    rmSync(world.path);
    world.write(5);
    await world.round();
    expect(await world.calls()).toBe(15);
    expect(world.said.join()).toMatch(/access\.log: of the log before this one what stood after byte \d+ is gone/);
  });

  it('of a file with two names is one log', async () => {
    const world = new World('*.log');
    world.write(10);
    linkSync(world.path, join(world.folder, 'same.log'));
    for (const _ of [1, 2, 3]) await world.round();
    expect(await world.calls()).toBe(10);
    expect(existsSync(join(world.folder, 'same.log'))).toBe(true);
  });
});
