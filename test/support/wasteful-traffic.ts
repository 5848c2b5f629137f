import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import type { StoredCall } from './stored-calls.ts';

/** What tenants do of which they could do less; and what looks like it and is none of it. */
export const habits = {
  'reads the same again': 'cacheable',
  'asks whether it changed': 'cacheable',
  polls: 'polling',
  'polls, and is told that nothing changed': 'polling',
  'writes one by one': 'bulk',
  'makes three calls for one page': 'composite',
  'reads a list and each of its items': 'composite',
  'calls as people do': null,
  'polls what changes': null,
  'writes now and then': null,
  'writes many records at once': null,
  'writes again what failed': null,
  'reads many things': null,
  'reads things of one size': null,
  'calls at random, quickly': null,
} as const;
export type Habit = keyof typeof habits;

const DAY = 86_400_000;

/** Makes a day of a tenant with one habit, among what everybody does. */
export function habitCalls(habit: Habit, tenant: string, seed: number, dayMs: number): StoredCall[] {
  return new Tenant(tenant, seed, dayMs).of(habit);
}

class Tenant {
  readonly #calls: StoredCall[] = [];
  readonly #rng: RandomGenerator;
  readonly #tenant: string;
  readonly #dayMs: number;

  constructor(tenant: string, seed: number, dayMs: number) {
    this.#rng = xoroshiro128plus(seed * 104_729 + 7);
    this.#tenant = tenant;
    this.#dayMs = dayMs;
  }

  of(habit: Habit): StoredCall[] {
    for (let call = 0; call < this.#int(80, 160); call++)
      this.#call({
        endpoint: `GET /v1/e${this.#int(0, 9)}`,
        consumer: `user-${this.#int(0, 9)}`,
        atMs: this.#anyTime(),
      });
    this.#habits[habit].call(this);
    return this.#calls;
  }

  readonly #habits: Record<Habit, (this: Tenant) => void> = {
    'reads the same again'() {
      this.#often(this.#int(50, 90), 5_000, 200_000, (place) => ({
        endpoint: 'GET /v1/catalogue',
        bytesOut: 9_000 + Math.floor(place / 20),
      }));
    },
    'asks whether it changed'() {
      this.#often(this.#int(40, 80), 3_000, 250_000, (place) =>
        place % 8 === 0
          ? { endpoint: 'GET /v1/prices/{id}', bytesOut: this.#size() }
          : { endpoint: 'GET /v1/prices/{id}', status: 304, bytesOut: 0 },
      );
    },
    polls() {
      const every = this.#int(10, 120) * 1000;
      this.#often(this.#int(60, 200), every - 800, every + 800, (place) => ({
        endpoint: 'GET /v1/jobs/{id}',
        bytesOut: 300 + Math.floor(place / 25),
      }));
    },
    'polls, and is told that nothing changed'() {
      const every = this.#int(30, 90) * 1000;
      this.#often(this.#int(60, 150), every - 500, every + 500, (place) =>
        place % 12 === 0
          ? { endpoint: 'GET /v1/orders', bytesOut: this.#size() }
          : { endpoint: 'GET /v1/orders', status: 304 },
      );
    },
    'writes one by one'() {
      for (let burst = 0; burst < this.#int(3, 8); burst++) {
        const start = this.#anyTime();
        const records = burst % 2 === 0 ? 1 : null;
        for (let call = 0, at = start; call < this.#int(20, 60); call++, at += this.#int(40, 600))
          this.#call({ endpoint: 'POST /v1/contacts', consumer: 'sync', atMs: at, status: 201, records });
      }
    },
    'makes three calls for one page'() {
      for (let visit = 0; visit < this.#int(25, 60); visit++)
        this.#visit(['GET /v1/users/{id}', 'GET /v1/users/{id}/orders', 'GET /v1/offers']);
    },
    'reads a list and each of its items'() {
      for (let visit = 0; visit < this.#int(15, 30); visit++)
        this.#visit(['GET /v1/tickets', ...Array<string>(this.#int(3, 9)).fill('GET /v1/tickets/{id}')]);
    },
    'calls as people do'() {
      this.#often(200, 60_000, 700_000, () => ({ endpoint: `GET /v1/e${this.#int(0, 9)}`, bytesOut: this.#size() }));
    },
    'polls what changes'() {
      this.#often(150, 29_500, 30_500, () => ({ endpoint: 'GET /v1/positions', bytesOut: this.#size() }));
    },
    'writes now and then'() {
      this.#often(150, 4_000, 90_000, () => ({ endpoint: 'POST /v1/contacts', status: 201 }));
    },
    'writes many records at once'() {
      this.#often(60, 50, 900, () => ({ endpoint: 'POST /v1/contacts', status: 200, records: this.#int(20, 200) }));
    },
    'writes again what failed'() {
      this.#often(60, 50, 900, () => ({ endpoint: 'POST /v1/contacts', status: 503, isError: true }));
    },
    'reads many things'() {
      this.#often(150, 1_000, 60_000, () => ({ endpoint: 'GET /v1/items/{id}', bytesOut: this.#size() }));
    },
    'reads things of one size'() {
      this.#often(150, 1_000, 60_000, () => ({ endpoint: 'GET /v1/flags/{id}', bytesOut: 16 }));
    },
    'calls at random, quickly'() {
      for (let visit = 0; visit < 120; visit++)
        this.#visit(Array.from({ length: this.#int(2, 4) }, () => `GET /v1/e${this.#int(0, 9)}`));
    },
  };

  /** Calls of one consumer, one after the other. */
  #often(count: number, leastMs: number, mostMs: number, what: (place: number) => Omit<StoredCall, 'atMs'>): void {
    let at = this.#dayMs + this.#int(0, DAY / 4);
    for (let place = 0; place < count; place++, at += this.#int(leastMs, mostMs))
      this.#call({ consumer: 'worker', atMs: at, ...what(place) });
  }

  /** Calls for one purpose, soon after each other. */
  #visit(endpoints: readonly string[]): void {
    let at = this.#anyTime();
    const consumer = `visitor-${this.#int(0, 400)}`;
    for (const endpoint of endpoints) {
      this.#call({ endpoint, consumer, atMs: at, bytesOut: this.#size() });
      at += this.#int(60, 1_200);
    }
  }

  #call(call: StoredCall): void {
    this.#calls.push({ tenant: this.#tenant, status: 200, bytesOut: this.#size(), ...call });
  }

  #size(): number {
    return this.#int(200, 90_000);
  }

  #anyTime(): number {
    return this.#dayMs + this.#int(0, DAY - 3_600_000);
  }

  #int(from: number, to: number): number {
    return uniformInt(this.#rng, from, to);
  }
}
