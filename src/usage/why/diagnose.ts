import { UNKNOWN_TENANT } from '../../model/index.ts';

/** Why volume moved. A closed set; `steady` is a change too small to have a reason, `unexplained` one for which no evidence was found. */
export const causes = [
  'seasonality',
  'outage',
  'retry_storm',
  'runaway_loop',
  'bot_or_test',
  'new_customer',
  'new_release',
  'heavy_customer',
  'broad_growth',
  'unexplained',
  'steady',
] as const;
export type Cause = (typeof causes)[number];

/** What the calls of two ranges show. Counts are calls; shares are from 0 to 1. */
export interface Evidence {
  /** Whether calls of anybody arrived in the first range: otherwise nobody knows how many there were. */
  readonly isBeforeKnown: boolean;
  readonly before: number;
  readonly after: number;
  readonly errorsBefore: number;
  readonly errorsAfter: number;
  /** The longest stretches in which no call of anybody arrived, and how long the second range is. */
  readonly silenceBeforeMs: number;
  readonly silenceAfterMs: number;
  readonly lengthMs: number;
  /** The same two ranges a week earlier; null where nothing is known of them. */
  readonly weekBefore: number | null;
  readonly weekAfter: number | null;
  readonly tenants: readonly {
    readonly name: string;
    readonly before: number;
    readonly after: number;
    readonly isNew: boolean;
  }[];
  /** Consumers whose calls grew most. */
  readonly risers: readonly Riser[];
  /** Calls soon after a failed one of the same consumer and endpoint. */
  readonly repeatsBefore: number;
  readonly repeatsAfter: number;
  readonly repeaters: number;
  /** Versions that were never seen before the second range, and calls to them. */
  readonly newVersions: readonly { readonly version: string; readonly calls: number }[];
}

export interface Riser {
  readonly tenant: string;
  readonly consumer: string;
  readonly before: number;
  readonly after: number;
  readonly errors: number;
  /** Answered as not found or not allowed. */
  readonly refused: number;
  readonly endpoints: number;
  readonly topEndpoint: string;
  readonly topEndpointShare: number;
  readonly medianIntervalMs: number;
  /** Share of intervals within a fifth of the median. */
  readonly steadyShare: number;
}

export interface Diagnosis {
  readonly cause: Cause;
  /** How much of the change it explains, from 0 to 1. */
  readonly explains: number;
  /** What was seen, in words with figures. */
  readonly evidence: string;
}

const SMALL_CHANGE = 0.05;
const DECISIVE = 0.5;
const SHORT_SILENCE_MS = 900_000;
const TEST_NAME =
  /(^|[^a-z])(test|tests|testing|bot|crawler|spider|scraper|synthetic|probe|monitor|healthcheck|loadtest|k6|jmeter|staging|qa|ci|dev|sandbox|demo)([^a-z]|$)/i;

const percent = (share: number) => `${Math.round(share * 100)} %`;
const limited = (share: number) => Math.max(0, Math.min(1, share));

/**
 * Says why volume moved, with what speaks for it.
 *
 * Gives  every cause for which there is evidence, the one that rules first; never empty.
 * Holds  says nothing that the evidence does not show; each cause has seeded traffic with precision and recall.
 */
export function diagnose(evidence: Evidence): Diagnosis[] {
  const { before, after, isBeforeKnown } = evidence;
  const change = after - before;
  if (!isBeforeKnown) {
    const words = 'no call of anybody arrived in the range before: nothing is known of it';
    return [{ cause: 'unexplained', explains: 0, evidence: words }];
  }
  if (Math.abs(change) <= SMALL_CHANGE * Math.max(before, after)) {
    return [{ cause: 'steady', explains: 1, evidence: `${before} calls before, ${after} after` }];
  }
  const rules = [
    seasonality,
    outage,
    retryStorm,
    runawayLoop,
    botOrTest,
    newCustomer,
    newRelease,
    heavyCustomer,
    broadGrowth,
  ];
  const found = rules.map((rule) => rule(evidence, change)).filter((diagnosis) => diagnosis !== null);
  if (found.length > 0) return found;
  return [
    {
      cause: 'unexplained',
      explains: 0,
      evidence: `${before} calls before, ${after} after; no pattern that is known here`,
    },
  ];
}

type Rule = (evidence: Evidence, change: number) => Diagnosis | null;

/** Fewer calls, because calls fail or do not arrive. */
const outage: Rule = ({ before, after, errorsBefore, errorsAfter, ...evidence }, change) => {
  if (change >= 0) return null;
  const { silenceBeforeMs, silenceAfterMs, lengthMs } = evidence;
  const failed = after === 0 ? 0 : errorsAfter / after - (before === 0 ? 0 : errorsBefore / before);
  // Of few calls a quarter of an hour without any is nothing unusual.
  const isSilent = silenceAfterMs >= 3 * (silenceBeforeMs + SHORT_SILENCE_MS);
  if (failed < 0.2 && !isSilent) return null;
  const missed = isSilent ? ((silenceAfterMs / lengthMs) * before) / -change : 0;
  const words = `${Math.round(silenceAfterMs / 60_000)} minutes without any call, ${Math.round(silenceBeforeMs / 60_000)} at most before; failed calls up by ${percent(Math.max(0, failed))} of all`;
  return { cause: 'outage', explains: limited(Math.max(missed, failed)), evidence: words };
};

/** The same change between the same days a week ago. */
const seasonality: Rule = ({ before, after, weekBefore, weekAfter }) => {
  if (weekBefore === null || weekAfter === null || weekBefore === 0 || weekAfter === 0 || before === 0 || after === 0)
    return null;
  const [growth, usual] = [Math.log(after / before), Math.log(weekAfter / weekBefore)];
  if (Math.abs(usual) < 2 * SMALL_CHANGE || Math.abs(growth - usual) > 0.35 * Math.abs(usual) + SMALL_CHANGE)
    return null;
  const words = `${percent(after / before - 1)} now, ${percent(weekAfter / weekBefore - 1)} between the same times a week earlier`;
  return { cause: 'seasonality', explains: limited(1 - Math.abs(growth - usual) / Math.abs(growth)), evidence: words };
};

/** Several consumers repeat what failed. */
const retryStorm: Rule = ({ repeatsBefore, repeatsAfter, repeaters }, change) => {
  const share = (repeatsAfter - repeatsBefore) / change;
  if (change <= 0 || share < 0.4 || repeaters < 3) return null;
  const words = `${repeatsAfter} calls came within 30 s of a failed one of the same consumer at the same endpoint, of ${repeaters} consumers; ${repeatsBefore} before`;
  return { cause: 'retry_storm', explains: limited(share), evidence: words };
};

/** One consumer, the same request, as regular as a clock. */
const runawayLoop: Rule = ({ risers }, change) => {
  if (change <= 0) return null;
  const riser = risers.find(
    (each) =>
      (each.after - each.before) / change >= DECISIVE && each.topEndpointShare >= 0.9 && each.steadyShare >= 0.7,
  );
  if (riser === undefined) return null;
  const words = `${riser.consumer} of ${riser.tenant} calls ${riser.topEndpoint} every ${Math.round(riser.medianIntervalMs)} ms (${percent(riser.steadyShare)} of intervals), ${percent(riser.errors / riser.after)} failed`;
  return { cause: 'runaway_loop', explains: limited((riser.after - riser.before) / change), evidence: words };
};

/** Names that say so, or one that tries everything and is refused. */
const botOrTest: Rule = ({ risers, tenants }, change) => {
  if (change <= 0) return null;
  const isBot = (riser: Riser) =>
    TEST_NAME.test(riser.consumer) || (riser.endpoints >= 10 && riser.refused > DECISIVE * riser.after);
  const bots = risers.filter((riser) => isBot(riser) && !TEST_NAME.test(riser.tenant));
  const testers = tenants.filter(({ name, after, before }) => TEST_NAME.test(name) && after > before);
  const share = [...bots, ...testers].reduce((sum, { before, after }) => sum + after - before, 0) / change;
  if (share < DECISIVE) return null;
  const names = [...bots.map(({ consumer, tenant }) => `${consumer} of ${tenant}`), ...testers.map(({ name }) => name)];
  return {
    cause: 'bot_or_test',
    explains: limited(share),
    evidence: `${names.slice(0, 5).join(', ')}: ${percent(share)} of the change`,
  };
};

const newCustomer: Rule = ({ tenants }, change) => {
  const fresh = tenants.filter(({ isNew }) => isNew);
  const share = fresh.reduce((sum, { after }) => sum + after, 0) / change;
  if (change <= 0 || share < DECISIVE) return null;
  const words = `${fresh.slice(0, 5).map(({ name }) => name)} called for the first time: ${percent(share)} of the change`;
  return { cause: 'new_customer', explains: limited(share), evidence: words };
};

/** Many move together, and a version that was not there before has much of the calls. */
const newRelease: Rule = (evidence) => {
  const { newVersions, after, before } = evidence;
  const calls = newVersions.reduce((sum, version) => sum + version.calls, 0);
  const together = movedTogether(evidence);
  if (before === 0 || calls / Math.max(after, 1) < 0.3 || together < DECISIVE) return null;
  const words = `${newVersions.map(({ version }) => version).slice(0, 5)} took ${percent(calls / after)} of the calls; ${percent(together)} of tenants moved the same way`;
  return { cause: 'new_release', explains: limited(calls / after), evidence: words };
};

const heavyCustomer: Rule = ({ tenants }, change) => {
  const customers = tenants.filter(({ name }) => name !== UNKNOWN_TENANT);
  const moves = customers.map((each) => ({ ...each, share: (each.after - each.before) / change }));
  const heaviest = moves.sort((a, b) => b.share - a.share)[0];
  if (heaviest === undefined || heaviest.isNew || heaviest.share < DECISIVE || tenants.length < 2) return null;
  const words = `${heaviest.name}: ${heaviest.before} calls before, ${heaviest.after} after, ${percent(heaviest.share)} of the change`;
  return { cause: 'heavy_customer', explains: limited(heaviest.share), evidence: words };
};

const broadGrowth: Rule = (evidence, change) => {
  const together = movedTogether(evidence);
  const shares = evidence.tenants.map(({ before, after }) => (after - before) / change);
  const largest = Math.max(0, ...shares);
  if (change <= 0 || together < 0.6 || largest >= DECISIVE) return null;
  const words = `${percent(together)} of tenants grew; the largest part of one is ${percent(largest)}`;
  return { cause: 'broad_growth', explains: limited(1 - largest), evidence: words };
};

/** The share of tenants, known before, that moved the way of the whole by more than a little. */
function movedTogether({ tenants, before, after }: Evidence): number {
  const known = tenants.filter((each) => each.before > 0);
  const way = Math.sign(after - before);
  const same = known.filter((each) => way * (each.after - each.before) > SMALL_CHANGE * each.before);
  return known.length === 0 ? 0 : same.length / known.length;
}
