import { formatInstant } from '../model/index.ts';
import type { StoredDocument } from '../store/index.ts';
import type { ModelInForce } from './cost-model.ts';
import { type Condition, type IdlePolicy, type Pool, stepsOf } from './pool.ts';

/** A page about a model, before it is written in any form. */
export interface ModelPage {
  readonly title: string;
  /** What holds for the whole model, as pairs of words. */
  readonly facts: readonly (readonly [what: string, said: string])[];
  readonly pools: readonly { readonly id: string; readonly kind: string; readonly sentences: readonly string[] }[];
  readonly versions: readonly {
    readonly version: string;
    readonly from: string;
    readonly applied: string;
    readonly by: string;
    readonly why: string;
  }[];
}

/**
 * Says in sentences what a cost model does.
 *
 * Takes  model: in force. history: all versions of all models, oldest first.
 * Gives  a page for people who do not read YAML.
 */
export function explainModel(model: ModelInForce, history: readonly StoredDocument[]): ModelPage {
  const { spec } = model;
  const passers = (id: string) => spec.pools.filter(({ into }) => into?.pools.includes(id)).map((pool) => pool.id);
  return {
    title: `Cost model ${model.id}`,
    facts: [
      ['In force from', model.fromMs <= 0 ? 'the beginning' : formatInstant(model.fromMs)],
      ['Until', model.toMs === Number.MAX_SAFE_INTEGER ? 'further notice' : formatInstant(model.toMs)],
      ['Currency of its own amounts', spec.currency],
      ['Cost that is shared out', basisWords[spec.basis]],
      ['What nobody used', idleWords(spec.idle ?? 'show')],
      ['Charges that no pool takes', 'stay in out_of_scope, and are shown'],
    ],
    pools: spec.pools.map((pool) => ({
      id: pool.id,
      kind: pool.kind,
      sentences: [moneyOf(pool, spec.currency, passers(pool.id)), ...sharingOf(pool, spec.idle ?? 'show')],
    })),
    versions: history.map((row) => ({
      version: `${row.name}@${row.version}`,
      from: Date.parse(row.effective_from) <= 0 ? 'the beginning' : row.effective_from,
      applied: row.applied_at,
      by: row.applied_by,
      why: row.reason,
    })),
  };
}

const basisWords = {
  effective: 'effective: commitments and prepayments are spread over their use',
  billed: 'billed: what the invoice of the month asks for',
  contracted: 'contracted: negotiated prices, without commitments',
  list: 'list: public prices',
} as const;

function moneyOf(pool: Pool, currency: string, passers: readonly string[]): string {
  const also = passers.length > 0 ? `what ${listed(passers)} ${passers.length > 1 ? 'pass' : 'passes'} on` : '';
  const own = originOf(pool, currency);
  return `Takes ${[own, also].filter((part) => part !== '').join(', and ')}.`;
}

function originOf({ match, fixed, people, oneOff, fees, metered }: Pool, currency: string): string {
  if (match)
    return `charges where ${Object.entries(match)
      .map(([column, condition]) => conditionWords(column, condition))
      .join(' and ')}`;
  if (fixed) return `${fixed.amount} ${currency} per ${fixed.per}${fixed.spread === 'hours' ? ', in equal hours' : ''}`;
  if (people?.hours) return `${people.hours} hours of work at ${people.rate} ${currency} per ${people.per}`;
  if (people) return `${people.fte} full-time people at ${people.salary} ${currency} a year, per ${people.per}`;
  if (oneOff) return `${oneOff.amount} ${currency} once, in equal days from ${oneOff.from} until ${oneOff.to}`;
  if (metered) return `${metered.price} ${currency} for each unit of the meter ${metered.meter}`;
  if (!fees) return '';
  const prices = Object.entries(fees.prices ?? {}).map(
    ([vendor, price]) => `${price} ${currency} for a call to ${vendor}`,
  );
  const whose = fees.vendors ? ` to ${listed(fees.vendors)}` : '';
  return [`the fees that calls${whose} say to have cost`, ...prices].join(', else ');
}

function conditionWords(column: string, condition: Condition): string {
  const isNot = typeof condition === 'object' && !Array.isArray(condition);
  const wanted = [isNot ? condition.not : condition].flat().map((text) => `"${text}"`);
  return `${column} is ${isNot ? 'there but not ' : ''}${wanted.join(' or ')}`;
}

function sharingOf(pool: Pool, modelIdle: IdlePolicy): string[] {
  const { into, fees, services, weights, driver } = pool;
  if (into) return [`Passes all of it on to ${listed(into.pools)}, ${measureWords(into.by)}.`];
  if (fees) return ['Each call takes its own fees.', ...scopeWords(services)];
  const steps = stepsOf(pool).map(
    ({ over, by }, place) =>
      `${place === 0 ? 'First splits' : 'Then splits'} it over ${over}s, ${measureWords(by, true)}.`,
  );
  const shared = driver === 'even' ? 'the same for each of them that called' : `by ${driver}`;
  return [
    ...steps,
    `${steps.length > 0 ? 'Then shares each part' : 'Shares it'} over tenants and endpoints, ${shared}.`,
    ...scopeWords(services),
    ...weightWords('Tenants', weights?.tenants),
    ...weightWords('Endpoints', weights?.endpoints),
    ...(pool.idle === undefined ? [] : [`What nobody used: ${idleWords(pool.idle ?? modelIdle)}.`]),
  ];
}

function measureWords(
  by: NonNullable<Pool['into']>['by'] | ReturnType<typeof stepsOf>[number]['by'],
  isStep = false,
): string {
  if (by === 'even') return 'the same for each';
  if (typeof by === 'string') return isStep ? `by the metric ${by}` : `by ${by}`;
  if ('metric' in by) return `by the metric ${by.metric}`;
  if ('driver' in by) return `by ${by.driver}`;
  if ('meter' in by) return `by the meter ${by.meter}, group ${by.group}`;
  return Object.entries(by.percent)
    .map(([name, share]) => `${name} ${share} %`)
    .join(', ');
}

function scopeWords(services: readonly string[] | undefined): string[] {
  return services ? [`Only work of ${listed(services)} counts.`] : [];
}

function weightWords(what: string, factors: Readonly<Record<string, string>> | undefined): string[] {
  if (!factors) return [];
  return [
    `${what} weigh: ${Object.entries(factors)
      .map(([name, factor]) => `${name} ${factor}`)
      .join(', ')}; others 1.`,
  ];
}

function idleWords(idle: IdlePolicy): string {
  if (idle === 'show') return 'is shown as idle';
  return idle === 'share' ? 'is shared among those who did use something' : `is paid by ${idle.tenant}`;
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** Writes a page as Markdown. */
export function markdownOf({ title, facts, pools, versions }: ModelPage): string {
  const cell = (text: string) => escapedMarkdown(text).replaceAll('|', '\\|');
  return [
    `# ${escapedMarkdown(title)}`,
    ['| | |', '| --- | --- |', ...facts.map(([what, said]) => `| ${cell(what)} | ${cell(said)} |`)].join('\n'),
    '## Pools, in order: a charge goes to the first one that matches',
    ...pools.map(
      ({ id, kind, sentences }) =>
        `### ${escapedMarkdown(id)} (${kind})\n\n${sentences.map((line) => `- ${escapedMarkdown(line)}`).join('\n')}`,
    ),
    '## Versions',
    [
      '| Version | In force from | Applied | By | Why |',
      '| --- | --- | --- | --- | --- |',
      ...versions.map(
        ({ version, from, applied, by, why }) => `| ${[version, from, applied, by, why].map(cell).join(' | ')} |`,
      ),
    ].join('\n'),
  ].join('\n\n');
}

function escapedMarkdown(text: string): string {
  return text.replace(/[\\`*_<>[\]#]/g, '\\$&').replace(/[\r\n]+/g, ' ');
}

/** Writes a page as one HTML document that loads nothing. */
export function htmlOf({ title, facts, pools, versions }: ModelPage): string {
  const row = (cells: readonly string[], tag = 'td') =>
    `<tr>${cells.map((cell) => `<${tag}>${escapedHtml(cell)}</${tag}>`).join('')}</tr>`;
  const heads = ['Version', 'In force from', 'Applied', 'By', 'Why'];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapedHtml(title)}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse}
td,th{border:1px solid #ccc;padding:.3rem .6rem;text-align:left;vertical-align:top}small{color:#555}</style></head><body>
<h1>${escapedHtml(title)}</h1>
<table>${facts.map((fact) => row(fact)).join('\n')}</table>
<h2>Pools, in order: a charge goes to the first one that matches</h2>
${pools
  .map(
    ({ id, kind, sentences }) =>
      `<h3>${escapedHtml(id)} <small>${kind}</small></h3>\n<ul>${sentences.map((line) => `<li>${escapedHtml(line)}</li>`).join('')}</ul>`,
  )
  .join('\n')}
<h2>Versions</h2>
<table>${row(heads, 'th')}
${versions.map(({ version, from, applied, by, why }) => row([version, from, applied, by, why])).join('\n')}</table>
</body></html>
`;
}

function escapedHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** Writes a page as plain text. */
export function textOf({ title, facts, pools, versions }: ModelPage): string {
  return [
    title,
    ...facts.map(([what, said]) => `  ${what}: ${said}`),
    ...pools.map(({ id, kind, sentences }) =>
      [`\n${id} (${kind})`, ...sentences.map((line) => `  ${line}`)].join('\n'),
    ),
    '\nVersions',
    ...versions.map(
      ({ version, from, applied, by, why }) =>
        `  ${version} in force from ${from}, applied ${applied} by ${by}${why === '' ? '' : `: ${why}`}`,
    ),
  ].join('\n');
}
