/** One customer of the simulated API. */
export interface Tenant {
  readonly name: string;
  /** Part of the ordinary traffic; all tenants together are 1. */
  readonly share: number;
  /** How large this tenant's calls are compared with others': 1 is usual. */
  readonly size: number;
  readonly consumers: number;
  readonly habit: Habit;
}

/** `storms` retries without end on one afternoon, `grows` week over week, `loops` runs a script at night. */
export type Habit = 'steady' | 'grows' | 'storms' | 'loops';

const NAMES = [
  'harbor-and-pine',
  'cobalt-cycles',
  'juniper-toys',
  'brightwater-foods',
  'kestrel-travel',
  'fernhill-books',
  'saltmarsh-supply',
  'lumen-gardens',
  'orchard-lane',
  'pebble-pets',
  'quillfeather',
  'tinkers-row',
];

/** Sizes, repeated: a tenant with few but heavy calls makes cost differ from volume. */
const SIZES = [1, 0.9, 1.1, 1, 1.6, 0.8, 1, 2.4, 0.7, 1.2];

/**
 * Invents tenants whose sizes fall by Zipf's law: the second is half of the first, the third a third.
 *
 * Takes  count: at least 1. withHabits: whether some of them misbehave or grow.
 * Holds  shares add up to 1 (as floating point does); names are different.
 */
export function tenantsOf(count: number, withHabits: boolean): Tenant[] {
  const total = Array.from({ length: count }, (_, i) => 1 / (i + 1)).reduce((sum, share) => sum + share, 0);
  return Array.from({ length: count }, (_, i) => ({
    name: NAMES[i] ?? `${NAMES[i % NAMES.length]}-${Math.floor(i / NAMES.length) + 1}`,
    share: 1 / (i + 1) / total,
    size: SIZES[i % SIZES.length]!,
    consumers: 2 + Math.floor(40 / (i + 1)),
    habit: withHabits ? habitOf(i, count) : 'steady',
  }));
}

function habitOf(rank: number, count: number): Habit {
  if (rank === Math.min(3, count - 1)) return 'storms';
  if (rank === 1) return 'grows';
  return rank === Math.min(6, count - 2) ? 'loops' : 'steady';
}
