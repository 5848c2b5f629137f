import { loadRequests, sendAll } from './sending.ts';
import { startServer } from './server.ts';

export interface RecoveryFigures {
  readonly spans: number;
  readonly journalBytes: number;
  /** From the start of a process on a full journal until everything in it can be asked for. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  readonly calls: number;
}

const PORTS = [14700, 14318] as const;

/** Journals spans without loading any, kills the server, and starts it again. */
export async function benchRecovery(spans: number, folder: string): Promise<RecoveryFigures> {
  const full = await startServer(folder, PORTS, { TAXIMETER_LOAD_EVERY_MS: '86400000' });
  let sent = 0;
  // The same requests again would be repeats: each part is of a seed of its own.
  for (let part = 0; sent < spans; part++) {
    const requests = loadRequests(Math.min(1_000_000, spans - sent), `recovery ${part}`);
    await sendAll(full, requests);
    sent += requests.reduce((sum, request) => sum + request.spans, 0);
  }
  const journalBytes = await gauge(full.api, 'taximeter_journal_bytes');
  await full.kill();
  const start = performance.now();
  const again = await startServer(folder, PORTS, {});
  await fetch(`${again.api}/api/v1/settle`, { method: 'POST' });
  const seconds = (performance.now() - start) / 1000;
  const usage = (await (await fetch(`${again.api}/api/v1/usage?from=2026-10-01&to=2026-12-01`)).json()) as {
    calls: number;
  };
  const figures = {
    ...{ spans: sent, journalBytes, seconds, calls: usage.calls },
    cpuSeconds: again.cpuSeconds(),
    peakBytes: again.memory().peak,
  };
  await again.stop();
  return figures;
}

async function gauge(api: string, name: string): Promise<number> {
  const text = await (await fetch(`${api}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
}
