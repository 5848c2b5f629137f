import type { Statement } from '../ledger/index.ts';

const style = `
  body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
  table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
  th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ddd; vertical-align: top }
  td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
  tfoot td { font-weight: 600 }
  .note { color: #555; font-size: .85rem; overflow-wrap: anywhere }
  @media print { body { margin: 0; max-width: none } thead { display: table-header-group } tr { break-inside: avoid } }
`;

/** Writes a statement as a page that stands alone: to be shown, kept, or printed as PDF by any browser. */
export function statementPage({ tenant, period, state, lines, totals, calls, seals, madeAt }: Statement): string {
  const rows = lines.map(({ source, account, pool, kind, endpoint, amount, corrections, currency }) => [
    cell([source, account].join(' ').trim()),
    cell(pool),
    cell(kind),
    cell(endpoint),
    cell(amount, 'number'),
    cell(/[1-9]/.test(corrections) ? corrections : '', 'number'),
    cell(currency),
  ]);
  const sums = totals.map(
    ({ amount, currency }) => `<tr><td colspan="4">Total</td>${cell(amount, 'number')}<td></td>${cell(currency)}</tr>`,
  );
  const counts = calls.map((row) => `<tr>${cell(row.endpoint)}${cell(String(row.calls), 'number')}</tr>`);
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${safe(`Statement ${tenant} ${period}`)}</title><style>${style}</style></head>
<body>
<h1>Statement of ${safe(tenant)}</h1>
<p>${safe(period)}, ${state === 'final' ? 'final' : 'provisional: bills of this month may still change'}</p>
<table>
<thead><tr><th>Bill</th><th>Pool</th><th>Kind</th><th>Endpoint</th><th class="number">Amount</th><th class="number">Of it corrections</th><th>Currency</th></tr></thead>
<tbody>${rows.map((cells) => `<tr>${cells.join('')}</tr>`).join('\n')}</tbody>
<tfoot>${sums.join('')}</tfoot>
</table>
<h2>Calls</h2>
<table><thead><tr><th>Endpoint</th><th class="number">Calls</th></tr></thead><tbody>${counts.join('\n')}</tbody></table>
<p class="note">Made ${safe(madeAt)}. ${seals.length === 0 ? '' : `The books of the month were sealed with ${safe(seals.join(', '))}.`}</p>
</body>
</html>
`;
}

function cell(text: string, kind = ''): string {
  return `<td${kind === '' ? '' : ` class="${kind}"`}>${safe(text)}</td>`;
}

function safe(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
