import { sendSteadily } from './sending.ts';
import { type MeasuredServer, startServer } from './server.ts';

export interface EnduranceFigures {
  readonly spans: number;
  readonly seconds: number;
  /** Resident memory, every so many seconds, in MB. */
  readonly everySeconds: number;
  readonly series: readonly number[];
  /** Mean of the last quarter against that of the second one: 1 is flat. */
  readonly growth: number;
  readonly lateSeconds: number;
}

const SAMPLES = 60;

/** Resident memory of a server under a steady load. The first quarter fills caches and is left out of the comparison. */
export async function benchEndurance(
  load: { readonly spansPerSecond: number; readonly seconds: number },
  folder: string,
): Promise<EnduranceFigures> {
  const server = await startServer(`${folder}/endurance`, [14700, 14318], {});
  const everySeconds = load.seconds / SAMPLES;
  const series: number[] = [];
  const timer = setInterval(() => series.push(residentMb(server)), everySeconds * 1000);
  try {
    const { spans, lateSeconds } = await sendSteadily(server, load);
    clearInterval(timer);
    const quarter = Math.floor(series.length / 4);
    const growth = mean(series.slice(-quarter)) / mean(series.slice(quarter, 2 * quarter));
    return { spans, seconds: load.seconds, everySeconds, series, growth, lateSeconds };
  } finally {
    clearInterval(timer);
    await server.stop();
  }
}

function residentMb(server: MeasuredServer): number {
  return Math.round(server.memory().now / 2 ** 20);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
