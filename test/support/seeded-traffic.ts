import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import type { Cause } from '../../src/usage/index.ts';
import type { StoredCall } from './stored-calls.ts';

/** Traffic of two days, and of the same two days a week earlier, in which one thing happened, or nothing. */
export interface Scenario {
  readonly cause: Cause;
  readonly seed: number;
  /** The beginning of the second of the two days. */
  readonly dayMs: number;
  readonly calls: readonly StoredCall[];
}

const DAY = 86_400_000;
const MINUTE = 60_000;

/** Makes the traffic of one cause. Takes  dayMs: a midnight of its own; eight days before it are used. */
export function scenario(cause: Cause, seed: number, dayMs: number): Scenario {
  return { cause, seed, dayMs, calls: new World(seed, dayMs).of(cause) };
}

class World {
  readonly #rng: RandomGenerator;
  readonly #dayMs: number;
  readonly #calls: StoredCall[] = [];
  readonly #tenants: number;

  constructor(seed: number, dayMs: number) {
    this.#rng = xoroshiro128plus(seed * 7919 + 13);
    this.#dayMs = dayMs;
    this.#tenants = this.#int(6, 10);
  }

  of(cause: Cause): readonly StoredCall[] {
    const [more, less] = [this.#int(16, 24) / 10, this.#int(25, 60) / 100];
    for (const day of [-8, -7, -1, 0]) this.#usual(day, factors(cause, day, more, less));
    const extra = this.#extra[cause];
    if (extra) extra.call(this);
    return cause === 'outage' ? this.#broken() : cause === 'new_release' ? this.#released() : this.#calls;
  }

  /** Everybody's usual day, more or less of it: each consumer at times of its own, with its own favourite endpoints. */
  #usual(day: number, factor: number): void {
    for (let tenant = 0; tenant < this.#tenants; tenant++) {
      const size = 20 + 12 * (tenant % 4);
      for (let call = 0; call < size * factor * (this.#int(94, 106) / 100); call++) {
        this.#add({
          day,
          tenant: `customer-${tenant}`,
          consumer: `user-${this.#int(0, 4)}`,
          endpoint: this.#int(0, 7),
          isError: this.#int(0, 99) < 2,
        });
      }
    }
  }

  readonly #extra: Partial<Record<Cause, (this: World) => void>> = {
    runaway_loop() {
      const [every, isFailing] = [this.#int(2, 8) * 1_000, this.#int(0, 1) === 1];
      for (
        let call = 0, at = this.#dayMs + 9 * 3_600_000;
        call < this.#int(250, 450);
        call++, at += every + this.#int(-150, 150)
      )
        this.#push({
          atMs: at,
          tenant: 'customer-1',
          consumer: 'user-7',
          endpoint: 'GET /v1/e3',
          isError: isFailing,
          status: isFailing ? 500 : 200,
        });
    },
    retry_storm() {
      for (let start = 0; start < 60; start++) {
        const [tenant, consumer, endpoint] = [this.#int(0, this.#tenants - 1), this.#int(0, 4), this.#int(0, 7)];
        let at = this.#dayMs + 10 * 3_600_000 + this.#int(0, 90 * MINUTE);
        for (let again = 0; again < this.#int(3, 7); again++, at += this.#int(300, 12_000))
          this.#push({
            atMs: at,
            tenant: `customer-${tenant}`,
            consumer: `user-${consumer}`,
            endpoint: `GET /v1/e${endpoint}`,
            isError: true,
            status: 503,
          });
      }
    },
    new_customer() {
      for (let call = 0; call < this.#int(180, 320); call++)
        this.#add({
          day: 0,
          tenant: `newcomer-${this.#dayMs / DAY}`,
          consumer: `user-${this.#int(0, 3)}`,
          endpoint: this.#int(0, 7),
          isError: false,
        });
    },
    heavy_customer() {
      for (let call = 0; call < this.#int(200, 350); call++)
        this.#add({
          day: 0,
          tenant: 'customer-2',
          consumer: `user-${this.#int(0, 4)}`,
          endpoint: this.#int(0, 7),
          isError: this.#int(0, 99) < 2,
        });
    },
    bot_or_test() {
      const isNamed = this.#int(0, 1) === 1;
      const consumer = isNamed ? ['price-crawler', 'load-test', 'uptime-probe'][this.#int(0, 2)]! : 'user-9';
      for (let call = 0; call < this.#int(220, 380); call++)
        this.#push({
          ...{ atMs: this.#dayMs + this.#int(0, DAY - 1), tenant: 'customer-0', consumer, isError: false },
          ...(isNamed
            ? { endpoint: `GET /v1/e${this.#int(0, 7)}`, status: 200 }
            : { endpoint: `GET /v1/x${this.#int(0, 40)}`, status: this.#int(0, 9) < 8 ? 404 : 200 }),
        });
    },
  };

  /** Some hours in which nearly nothing arrives, or nearly everything fails and callers give up. */
  #broken(): readonly StoredCall[] {
    const [from, hours, isSilent] = [
      this.#dayMs + this.#int(6, 12) * 3_600_000,
      this.#int(5, 9),
      this.#int(0, 1) === 1,
    ];
    const isHit = ({ atMs }: StoredCall) => atMs >= from && atMs < from + hours * 3_600_000;
    if (isSilent) return this.#calls.filter((call) => !isHit(call));
    return this.#calls
      .filter((call) => call.atMs < this.#dayMs || this.#int(0, 9) < 8)
      .map((call) =>
        call.atMs >= this.#dayMs && this.#int(0, 9) < 5 ? { ...call, isError: true, status: 500 } : call,
      );
  }

  /** From the second day on most calls go to a version that makes everybody call more, or less. */
  #released(): readonly StoredCall[] {
    return this.#calls.map((call) =>
      call.atMs >= this.#dayMs && this.#int(0, 9) < 7
        ? { ...call, version: `v2-${this.#dayMs / DAY}` }
        : { ...call, version: 'v1' },
    );
  }

  #add({
    day,
    tenant,
    consumer,
    endpoint,
    isError,
  }: {
    day: number;
    tenant: string;
    consumer: string;
    endpoint: number;
    isError: boolean;
  }) {
    const atMs = this.#dayMs + day * DAY + this.#int(0, DAY - 1);
    this.#push({ atMs, tenant, consumer, endpoint: `GET /v1/e${endpoint}`, isError, status: isError ? 500 : 200 });
  }

  #push(call: StoredCall): void {
    this.#calls.push(call);
  }

  #int(from: number, to: number): number {
    return uniformInt(this.#rng, from, to);
  }
}

/** How much of a usual day a day is. */
function factors(cause: Cause, day: number, more: number, less: number): number {
  if (cause === 'seasonality' && (day === 0 || day === -7)) return less;
  if ((cause === 'broad_growth' || cause === 'new_release') && day === 0) return more;
  return 1;
}
