import { expect, it } from 'vitest';
import { available, describeWith, inPath } from './available.ts';
import { freePort, startChild } from './child-server.ts';

describeWith(available(inPath('setpriv'), 'no setpriv in PATH'), 'a server process of one test', () => {
  const program = { command: '/bin/sh', cwd: '/', stopSignal: 'SIGTERM' } as const;

  it('says what the program wrote when it ends instead of serving', async () => {
    const start = startChild({ ...program, args: ['-c', 'echo no luck >&2; exit 3'], isReady: async () => false });
    await expect(start).rejects.toThrow(/ended with 3: no luck/);
  });

  it('ends it, in order or not, and a second end is no error', async () => {
    for (const end of ['stop', 'kill'] as const) {
      const child = await startChild({ ...program, args: ['-c', 'exec sleep 600'], isReady: async () => true });
      await child[end]();
      expect(() => process.kill(child.pid, 0)).toThrow('ESRCH');
      await child[end]();
    }
  });

  it('runs as another user when root asks for it', async (context) => {
    if (process.getuid?.() !== 0) context.skip('only root can');
    const user = { uid: 65_534, gid: 65_534 };
    const start = startChild({ ...program, args: ['-c', 'id -u; exit 4'], user, isReady: async () => false });
    await expect(start).rejects.toThrow(/ended with 4: 65534/);
  });

  it('finds ports that are free', async () => {
    const ports = await Promise.all([freePort(), freePort()]);
    expect(Math.min(...ports)).toBeGreaterThan(1_023);
  });
});
