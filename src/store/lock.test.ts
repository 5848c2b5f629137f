import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { holdFolder, runningServer } from './lock.ts';

const folder = tempFolder('lock');
const file = join(folder.path, 'taximeter.lock');
const own = { pid: process.pid, url: 'http://127.0.0.1:4700', token: 'secret' };
afterEach(() => writeFileSync(file, ''));

/** A process that is alive and not this one. */
async function other(): Promise<{ readonly pid: number; end(): Promise<void> }> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  await once(child, 'spawn');
  return {
    pid: child.pid!,
    end: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

describe('holding a data folder', () => {
  it('tells others who holds it, until it is let go', () => {
    const letGo = holdFolder(folder.path, own);
    expect(runningServer(folder.path)).toEqual(own);
    expect(statSync(file).mode & 0o077).toBe(0);
    letGo();
    expect(runningServer(folder.path)).toBeNull();
  });

  it('fails while another process holds it, and not when that has died', async () => {
    const process = await other();
    const letGo = holdFolder(folder.path, { ...own, pid: process.pid });
    expect(() => holdFolder(folder.path, own)).toThrow(expect.objectContaining({ code: 'DATA_IN_USE' }));
    await process.end();
    expect(runningServer(folder.path)).toBeNull();
    const letGoOurs = holdFolder(folder.path, own);
    letGo();
    expect(runningServer(folder.path)).toEqual(own);
    letGoOurs();
  });

  it('may be done again by the same process, to say where it listens now', () => {
    holdFolder(folder.path, { ...own, url: '' });
    const letGo = holdFolder(folder.path, own);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(own);
    letGo();
  });

  it.each(['', 'not JSON', '{}', '{"pid":"x"}', '{"pid":-1}', '{"pid":0}', 'null'])(
    'a lock file with %j holds nothing',
    (text) => {
      writeFileSync(file, text);
      expect(runningServer(folder.path)).toBeNull();
      holdFolder(folder.path, own)();
    },
  );

  it('fails where no folder can be', () => {
    expect(() => holdFolder(join(file, 'below'), own)).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
  });
});
