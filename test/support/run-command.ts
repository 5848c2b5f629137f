import { runCli } from '../../src/cli/index.ts';
import type { Api } from '../../src/serve/index.ts';

/** Runs a command in this process, on an API that is open already. Gives  its exit code and what it printed. */
export async function runCommand(
  api: Api,
  folder: string,
  args: readonly string[],
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let [out, err] = ['', ''];
  const code = await runCli([...args, '--data', folder], {
    ...{ version: '0', environment: {} },
    openLocally: async () => ({ api, close: async () => undefined }),
    serve: () => Promise.reject(new Error('not asked')),
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}
