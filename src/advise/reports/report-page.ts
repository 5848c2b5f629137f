import type { ComposedReport, Figures, GroupFigures, Missing } from './compose.ts';

/** A report as headings, sentences and tables: what its forms have in common. */
export interface ReportPage {
  readonly title: string;
  readonly sections: readonly ReportSection[];
  /** How far the figures can be trusted. */
  readonly foot: readonly string[];
}

export interface ReportSection {
  readonly heading: string;
  readonly sentences: readonly string[];
  readonly table: { readonly heads: readonly string[]; readonly rows: readonly (readonly string[])[] } | null;
}

/** Cells that begin so are figures. */
export const FIGURE = /^([-+]?[\d,.]+( %)?|-)$/;

/** Writes a report out in words and tables. Pure. */
export function pageOf(report: ComposedReport): ReportPage {
  const { schedule, every, period, timeZone, where, figures, why, advice, targets } = report;
  const words = { day: 'Daily', week: 'Weekly', month: 'Monthly' } as const;
  return {
    title: `${words[every]} report ${schedule}: ${period.from} to ${period.to}`,
    sections: [
      section('What it is about', [`Calls that count: ${where}. Days begin in the zone ${timeZone}.`]),
      ...(figures === null ? [] : figureSections(figures)),
      ...(why === null ? [] : whySections(why)),
      ...(advice === null ? [] : [adviceSection(advice)]),
      ...(targets === null ? [] : [targetsSection(targets)]),
    ],
    foot: footOf(report),
  };
}

function section(heading: string, sentences: readonly string[], table: ReportSection['table'] = null): ReportSection {
  return { heading, sentences, table };
}

function figureSections({ calls, errors, baseCalls, growth, tenants, endpoints }: Figures): ReportSection[] {
  const before =
    baseCalls === null
      ? 'nothing is known of the time before'
      : `${count(baseCalls)} in the period before (${signed(growth)})`;
  const failed = calls > 0 ? `${count(errors)} of them failed (${percent(errors / calls)}).` : '';
  const heads = ['calls', 'share', 'growth'];
  const cells = ({ name, calls: own, share, growth: grown }: GroupFigures) => [
    name,
    count(own),
    percent(share),
    signed(grown),
  ];
  return [
    section('Figures', [`${count(calls)} calls; ${before}.`, ...(failed === '' ? [] : [failed])]),
    section('Largest tenants', [], { heads: ['tenant', ...heads], rows: tenants.map(cells) }),
    section('Most used endpoints', [], { heads: ['endpoint', ...heads], rows: endpoints.map(cells) }),
  ];
}

function whySections(why: NonNullable<ComposedReport['why']>): ReportSection[] {
  if (isMissing(why)) return [section('What moved, and why', [why.missing])];
  const causes = why.diagnoses.map(
    ({ cause, explains, evidence }) => `${cause.replaceAll('_', ' ')}, explains ${percent(explains)}: ${evidence}.`,
  );
  const rows = why.rows.map(({ dimension, key, kind, before, after, change }) => [
    ...[dimension, key, kind, count(before), count(after), `${change > 0 ? '+' : ''}${count(change)}`],
  ]);
  return [
    section(
      'What moved, and why',
      [`${count(why.before)} calls before, ${count(why.after)} now.`, ...causes],
      rows.length === 0 ? null : { heads: ['by', 'name', 'what', 'before', 'after', 'change'], rows },
    ),
  ];
}

function adviceSection(advice: NonNullable<ComposedReport['advice']>): ReportSection {
  const heading = 'Calls that could be saved';
  if (isMissing(advice)) return section(heading, [advice.missing]);
  const { rows, looked, isCut } = advice;
  const cut = isCut
    ? [`Looked at from ${looked.from} on: before that there are more calls than can be looked at one by one.`]
    : [];
  if (rows.length === 0) return section(heading, [...cut, 'Nothing was found.']);
  return section(heading, [...cut, 'A call can be in a composite row and in another one.'], {
    heads: ['tenant', 'kind', 'endpoint', 'saved calls', 'saved cost', 'how sure', 'seen'],
    rows: rows.map(({ tenant, kind, endpoint, savedCalls, savedCost, currency, certainty, evidence }) => [
      ...[tenant, kind, endpoint, count(savedCalls)],
      ...[
        savedCost === null ? 'unknown' : `${savedCost.replace(/(\.\d{4})\d*$/, '$1')} ${currency}`,
        certainty,
        evidence,
      ],
    ]),
  });
}

function targetsSection(targets: NonNullable<ComposedReport['targets']>): ReportSection {
  if (isMissing(targets)) return section('Targets', [targets.missing]);
  if (targets.length === 0) return section('Targets', ['There are none.']);
  const figure = (value: number | string | null) =>
    typeof value === 'number' ? String(Number(value.toPrecision(6))) : (value ?? 'unknown');
  const reasons = targets.flatMap(({ name, reason }) => (reason === undefined ? [] : [`${name}: ${reason}`]));
  return section('Targets', reasons, {
    heads: ['target', 'is', 'now', 'wanted', 'by', 'goes to', 'there on'],
    rows: targets.map((row) => [
      ...[row.name, row.state.replace('_', ' '), figure(row.current)],
      `${row.metric} ${row.direction === 'atMost' ? 'at most' : 'at least'} ${row.value} a ${row.per}`,
      ...[row.by, figure(row.projected), row.projectedOn ?? '-'],
    ]),
  });
}

function footOf({ coverage, freshness, definitions }: ComposedReport): string[] {
  const known = (share: number | null) => (share === null ? 'unknown' : percent(share));
  return [
    `Coverage: ${known(coverage.weight)} of calls with a known weight, calls in ${known(coverage.time)} of the time.`,
    `As of ${freshness.asOf}; newest call ${freshness.newestCall ?? 'none'}. What the figures mean: ${definitions} of the API.`,
  ];
}

export function isMissing(part: object): part is Missing {
  return 'missing' in part;
}

const digits = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

function count(value: number | null): string {
  return value === null ? 'unknown' : digits.format(value);
}

function percent(share: number | null): string {
  return share === null ? '-' : `${digits.format(share * 100)} %`;
}

function signed(growth: number | null): string {
  return growth === null ? '-' : `${growth > 0 ? '+' : ''}${percent(growth)}`;
}
