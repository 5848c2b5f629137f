import type { Config } from '../cli/index.ts';
import { keepAllocated, type Repetition, repeatedly } from '../ledger/index.ts';
import type { House } from '../serve/index.ts';
import { refreshRollups } from '../usage/index.ts';

const ROLLUPS_EVERY_MS = 60_000;
const PRICES_EVERY_MS = 60_000;
const DRIFT_EVERY_MS = 300_000;

/** Starts what a server does without being asked; gives how to stop it. Letting go of old data ends with the house. */
export function startBackground(house: House, config: Config): () => Promise<void> {
  scheduleRetention(house);
  house.reports.start();
  const stopRollups = keepRollups(house);
  const prices = repeatedly(PRICES_EVERY_MS, () => house.prices.refresh());
  const drift = repeatedly(DRIFT_EVERY_MS, () => checkDrift(house));
  const allocated = allocateInBackground(house, config);
  return async () => {
    await stopRollups();
    await house.reports.stop();
    await prices.stop();
    await drift.stop();
    await allocated?.stop();
  };
}

function scheduleRetention({ retention, log }: House): void {
  retention.schedule(
    (results) => {
      for (const { keptBecause, ...facts } of results) {
        if (keptBecause === '') log.info('let go of what is older than its period', facts);
        else log.warn('raw spans are kept longer than their period', { ...facts, keptBecause });
      }
    },
    (cause) => log.warn('letting go of old data failed; it will be tried again', { cause: String(cause) }),
  );
}

/** Reports bring the rollups up to date themselves; this leaves them little to do. */
function keepRollups(house: House): () => Promise<unknown> {
  let running: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    running = refreshRollups(house.store.columns).catch((cause: unknown) =>
      house.log.warn('the rollups of usage could not be brought up to date', { cause: String(cause) }),
    );
  }, ROLLUPS_EVERY_MS);
  return () => {
    clearInterval(timer);
    return running;
  };
}

async function checkDrift({ drift, log }: House): Promise<void> {
  await drift.check().catch((cause: unknown) => {
    log.warn('counters could not be held against calls; it will be tried again', { cause: String(cause) });
  });
}

/** Open periods show what they cost so far without anybody's command. */
function allocateInBackground({ store, collector, now, log }: House, { allocateEveryMs }: Config): Repetition | null {
  if (allocateEveryMs === 0) return null;
  return keepAllocated(store, allocateEveryMs, () => collector.storedUntil, now, {
    posted: ({ posted, reversed, rows }) => log.info('allocated', { posted, reversed, rows }),
    failed: (cause) => log.warn('could not allocate; trying again', { reason: (cause as Error).message }),
  });
}
