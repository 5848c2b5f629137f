import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it } from 'vitest';
import { repository } from '../../test/support/data.ts';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { holdFolder, runningServer } from './lock.ts';

const root = tempFolder('lock');
afterAll(() => root.remove());
const newFolder = () => mkdtempSync(join(root.path, 'folder-'));
const address = { url: 'http://127.0.0.1:4700', token: 'secret' };
const inUse = expect.objectContaining({ code: 'DATA_IN_USE' });

/** Holds a folder, says so or with which code that failed, and keeps it until it is killed. */
const holdProgram = `
  import { holdFolder } from ${JSON.stringify(join(repository, 'src/store/lock.ts'))};
  try {
    holdFolder(process.env.FOLDER).announce({ url: 'http://127.0.0.1:1', token: 'theirs' });
    console.log('held');
    setInterval(() => {}, 1000);
  } catch (cause) {
    console.log(cause.code);
  }`;
const holdArgs = ['--import', 'tsx', '--input-type=module', '-e', holdProgram];

/** Another process that tries to hold the folder. */
async function otherStarter(folder: string) {
  const options = { cwd: repository, env: { ...process.env, FOLDER: folder } };
  const child = spawn(process.execPath, holdArgs, { ...options, stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
  const kill = async () => {
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null;
    child.kill('SIGKILL');
    await ended;
  };
  return { pid: child.pid!, said, kill };
}

describe('holding a data folder', () => {
  it('tells others where the server is, until it is let go', () => {
    const folder = newFolder();
    const hold = holdFolder(folder);
    expect(runningServer(folder)).toEqual({ pid: process.pid, url: '', token: '' });
    hold.announce(address);
    expect(runningServer(folder)).toEqual({ pid: process.pid, ...address });
    hold.letGo();
    expect(runningServer(folder)).toBeNull();
    holdFolder(folder).letGo();
  });

  it('can be read by its owner only', () => {
    const folder = join(newFolder(), 'new');
    const hold = holdFolder(folder);
    hold.announce(address);
    const modes = ['', 'lock.sqlite', 'server.json'].map((name) => statSync(join(folder, name)).mode & 0o777);
    expect(modes).toEqual([0o700, 0o600, 0o600]);
    hold.letGo();
  });

  it('fails a second time in the same process, also by another path, and the first goes on', () => {
    const folder = newFolder();
    const hold = holdFolder(folder);
    expect(() => holdFolder(join(folder, '..', folder.split('/').at(-1)!))).toThrow(inUse);
    expect(runningServer(folder)).not.toBeNull();
    hold.letGo();
    hold.letGo();
  });

  it('fails while another process holds it; a killed one holds nothing, whatever it left behind', async () => {
    const folder = newFolder();
    const other = await otherStarter(folder);
    expect(other.said).toBe('held');
    expect(() => holdFolder(folder)).toThrow(inUse);
    expect(runningServer(folder)).toEqual({ pid: other.pid, url: 'http://127.0.0.1:1', token: 'theirs' });
    await other.kill();
    expect(runningServer(folder)).toBeNull();
    const hold = holdFolder(folder);
    expect(runningServer(folder)).toEqual({ pid: process.pid, url: '', token: '' });
    hold.letGo();
  });

  it('is won by exactly one of those who start at once after a crash', async () => {
    const folder = newFolder();
    await (await otherStarter(folder)).kill();
    const starters = await Promise.all([1, 2, 3].map(() => otherStarter(folder)));
    expect(starters.map(({ said }) => said).sort()).toEqual(['DATA_IN_USE', 'DATA_IN_USE', 'held']);
    for (const starter of starters) await starter.kill();
  });

  it.each(['', 'not JSON', '{}', 'null', `{"pid":1,"url":"http://127.0.0.1:1","token":"x"}`])(
    'a file with %j and no lock holds nothing, though process 1 is alive',
    (text) => {
      const folder = newFolder();
      writeFileSync(join(folder, 'server.json'), text);
      expect(runningServer(folder)).toBeNull();
      holdFolder(folder).letGo();
    },
  );

  it('fails where no folder can be', () => {
    const file = join(newFolder(), 'file');
    writeFileSync(file, '');
    expect(() => holdFolder(join(file, 'below'))).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
  });

  it('says that a lock file is damaged, and does not take it for free', () => {
    const folder = newFolder();
    writeFileSync(
      join(folder, 'lock.sqlite'),
      'this was written by something else, and is long enough to be read'.repeat(99),
    );
    expect(() => holdFolder(folder)).toThrow(expect.objectContaining({ code: 'FILE_DAMAGED' }));
  });
});

/** A mount of our own, which needs a user namespace or root. */
const canMount = (() => {
  const folder = newFolder();
  try {
    execFileSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    console.warn('skipped: disks that take nothing: no mounts can be made here');
    return false;
  }
})();

describe.skipIf(!canMount)('a disk that takes nothing', () => {
  it.each([
    ['is full', 'mount -t tmpfs -o size=64k tmpfs "$FOLDER"; head -c 1000000 /dev/zero > "$FOLDER/fill"', 'DISK_FULL'],
    ['is read-only', 'mount -t tmpfs -o ro tmpfs "$FOLDER"', 'FILE_UNREADABLE'],
    [
      'has become read-only',
      'touch "$FOLDER/lock.sqlite"; mount --bind "$FOLDER" "$FOLDER"; mount -o remount,bind,ro "$FOLDER"',
      'FILE_UNREADABLE',
    ],
  ])('%s', async (_name, mount, code) => {
    const folder = newFolder();
    const child = execFile('unshare', ['-rm', 'sh', '-c', `${mount}; exec "$0" "$@"`, process.execPath, ...holdArgs], {
      cwd: repository,
      env: { ...process.env, FOLDER: folder },
    });
    const [said] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
    child.kill('SIGKILL');
    expect(said).toBe(code);
  });
});
