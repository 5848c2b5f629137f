import type { Decision, Finding } from '../../limit/index.ts';
import { formatInstant, formatMoney } from '../../model/index.ts';
import { retryAfterSeconds } from './rate-limit-headers.ts';

/** What is said of a limit each time, written once. */
interface Said {
  readonly head: string;
  /** In front of the name of each level. */
  readonly levels: readonly string[];
  resetsMs: number;
  resetsAt: string;
}

const saidOf = new WeakMap<Finding['limit'], Said>();

/**
 * Writes a decision as JSON. Limits are asked at every call of somebody's API, and the explanation is most of the work of an answer.
 *
 * Holds  the text is that of `shownDecision`.
 */
export function decisionText(decision: Decision): string {
  const { isAllowed, reason, granted, reservation, freesAtUs, wouldPass, binding, repeat, findings } = decision;
  const held = reservation === null ? '' : `,"reservation":${quoted(reservation)}`;
  const repeated = repeat === 'same' ? ',"repeated":true' : '';
  const frees = freesAtUs > 0 ? quoted(instant(freesAtUs)) : 'null';
  const name = binding === null ? 'null' : quoted(nameOf(binding));
  let limits = '';
  for (const each of findings) limits += limits === '' ? findingText(each) : `,${findingText(each)}`;
  return `{"allowed":${isAllowed},"reason":"${reason}","granted":${granted}${held}${repeated},"wouldPass":${wouldPass},"retryAfterSeconds":${retryAfterSeconds(decision)},"freesAt":${frees},"binding":${name},"limits":[${limits}]}`;
}

function findingText(each: Finding): string {
  const { limit, amount, ceiling, cost, outcome, isEnforced, zone, override, subject } = each;
  const said = saidOf.get(limit) ?? newSaid(limit);
  let per = '';
  limit.policy.per.forEach((level, i) => {
    per += said.levels[i]! + quoted(subject[level]);
  });
  const figure = limit.isMoney ? (units: number) => quoted(String(figureOf(limit, units))) : String;
  const most = ceiling === amount ? '' : `,"most":${figure(ceiling)}`;
  const { before, after, fits, freesAtUs, resetsAtUs } = outcome;
  const left = Math.max(0, ceiling - after);
  const frees = freesAtUs > 0 ? quoted(instant(freesAtUs)) : 'null';
  const more = override === '' ? '' : `,"override":${quoted(override)}`;
  return `${said.head}{${per}},"amount":${figure(amount)}${most},"cost":${figure(cost)},"before":${figure(before)},"after":${figure(after)},"remaining":${figure(left)},"fits":${figure(fits)},"zone":"${zone}","enforced":${isEnforced},"freesAt":${frees},"resetsAt":${resetsText(said, resetsAtUs)}${more}}`;
}

/** A window ends for everybody at once. */
function resetsText(said: Said, us: number): string {
  const ms = Math.ceil(us / 1000);
  if (said.resetsMs !== ms) {
    said.resetsMs = ms;
    said.resetsAt = quoted(instant(us));
  }
  return said.resetsAt;
}

function newSaid(limit: Finding['limit']): Said {
  const { policy, id, algorithm, spec } = limit;
  const what = { policy: policy.name, version: policy.version, limit: id, algorithm };
  const head = JSON.stringify({ ...what, unit: spec.money?.currency ?? spec.unit });
  const levels = policy.per.map((level, i) => `${i === 0 ? '' : ','}"${level}":`);
  const said = { head: `${head.slice(0, -1)},"per":`, levels, resetsMs: Number.NaN, resetsAt: '' };
  saidOf.set(limit, said);
  return said;
}

// What JSON writes in another way than it is; nearly no name has any of it.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const UNUSUAL = /["\\\u0000-\u001f\ud800-\udfff]/;

function quoted(text: string): string {
  return UNUSUAL.test(text) ? JSON.stringify(text) : `"${text}"`;
}

export function nameOf({ limit }: Finding): string {
  return `${limit.policy.name}.${limit.id}`;
}

/** Money as decimal text, counts as numbers. */
export function figureOf({ spec: { money } }: Finding['limit'], units: number): number | string {
  return money === undefined ? units : formatMoney(BigInt(units) * 10n ** BigInt(18 - money.decimals));
}

export function instant(us: number): string {
  const ms = Math.ceil(us / 1000);
  return ms < 8.64e15 ? formatInstant(ms) : '';
}
