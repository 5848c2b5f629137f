import type { AdviceReport, AdviceRow } from './advice.ts';

/** What to do about each, in words for the customer. */
const todo: Record<AdviceRow['kind'], string> = {
  cacheable: 'Keep the answer for some minutes, or ask with If-None-Match: it did not change in between.',
  polling: 'Ask less often, or let a webhook tell you: most answers were the same as the one before.',
  bulk: 'Send these records together, in one bulk request.',
  composite: 'Ask for these together, in one composite request, or for the list with its details.',
};

const title: Record<AdviceRow['kind'], string> = {
  cacheable: 'The same read again',
  polling: 'Polling',
  bulk: 'Writes one by one',
  composite: 'Several calls for one purpose',
};

const sureness: Record<AdviceRow['certainty'], string> = {
  certain: 'This is what the answers themselves said.',
  likely: 'We do not keep what you asked or what we answered, only sizes, statuses and times: please check it.',
  possible:
    'We do not keep which object was read, only sizes, statuses and times: please check whether these reads were of the same ones.',
};

/**
 * Writes advice as a text that can be sent to a customer: Markdown that also reads as plain text.
 *
 * Takes  report: asked for this tenant only.
 * Holds  names are shown as they are and cannot become links, headings or images.
 */
export function adviceLetter(tenant: string, { rows, looked, isCut, calls }: AdviceReport): string {
  const own = rows.filter((row) => row.tenant === tenant);
  const period = `from ${looked.from} to ${looked.to}`;
  const head = [
    `# How ${name(tenant)} can do with fewer calls`,
    `We looked at ${figure(calls)} calls ${period}${isCut ? ' (the last part of the time, which has as many calls as can be looked at)' : ''}.`,
  ];
  if (own.length === 0) return lines([...head, 'We found nothing that calls could be saved by.']);
  const parts = own.map((row, place) =>
    [
      `## ${place + 1}. ${title[row.kind]}: ${row.endpoint.split(' > ').map(name).join(', then ')}`,
      `- Seen: ${row.evidence}.`,
      `- Could be saved: ${figure(row.savedCalls)} of ${figure(row.calls)} calls${costWords(row)}.`,
      `- What to do: ${todo[row.kind]}`,
      `- ${sureness[row.certainty]}`,
    ].join('\n'),
  );
  const isDouble = own.some(({ kind }) => kind === 'composite') && own.some(({ kind }) => kind !== 'composite');
  const note = 'A call can be among several of these: what they save does not simply add up.';
  return lines([...head, ...parts, ...(isDouble ? [note] : [])]);
}

function lines(parts: readonly string[]): string {
  return `${parts.join('\n\n')}\n`;
}

function costWords({ savedCost, currency }: AdviceRow): string {
  return savedCost === null ? '' : `, about ${shortCost(savedCost)} ${currency} of our cost`;
}

function shortCost(amount: string): string {
  const [whole, fraction = ''] = amount.split('.');
  return `${whole}.${fraction.slice(0, 4)}`;
}

function figure(count: number): string {
  return String(Math.round(count));
}

/** A name that somebody chose, as code: nothing in it means anything to Markdown. */
function name(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ');
  const longest = Math.max(0, ...[...plain.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return longest === 0 ? `\`${plain}\`` : `${fence} ${plain} ${fence}`;
}
