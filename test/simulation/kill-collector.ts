import { Collector } from '../../src/collect/index.ts';
import { openStore } from '../../src/store/index.ts';
import { numberedEvent, numberedRequest } from './numbered-requests.ts';

/**
 * Sends numbered requests and events to a Collector, three at a time, and prints each number after both were acknowledged.
 * Run as a program of its own, to be killed at any moment: `kill-collector.ts FOLDER FIRST COUNT`.
 */
const [folder, first, count] = process.argv.slice(2) as [string, string, string];
const store = await openStore({ folder });
console.log('opened');
const collector = await Collector.open({
  store,
  folder,
  nowMs: Date.now,
  loadEveryMs: 5,
  journalCapacityBytes: 1 << 26,
  warn: (message, facts) => console.error(message, facts),
});
console.log('ready');
for (let number = Number(first); number < Number(count); number += 3) {
  const group = [number, number + 1, number + 2].filter((each) => each < Number(count));
  await Promise.all(
    group.map(async (each) => {
      await collector.traces(numberedRequest(each), 'json');
      await collector.events(numberedEvent(each), 'one');
      console.log(String(each));
    }),
  );
}
await collector.settle();
await collector.close();
await store.close();
console.log('settled');
