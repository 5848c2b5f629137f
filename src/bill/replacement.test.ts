import { expect, test } from 'vitest';
import type { StoredImport, StoredPeriod } from '../store/index.ts';
import { type BillGroup, unitOf } from './bill-group.ts';
import { replacementsOf } from './replacement.ts';

const START = Date.UTC(2024, 8, 1);
const END = Date.UTC(2024, 9, 1);

/** `USD 3 x`: 3 rows in USD whose content is x. */
function group(words: string): BillGroup {
  const [currency, rows, fingerprint] = words.split(' ') as [string, string, string];
  const place = {
    unit: unitOf('AWS', 'a', START),
    source: 'AWS',
    account: 'a',
    billingStartMs: START,
    billingEndMs: END,
  };
  return { ...place, currency, rows: Number(rows), billedAtto: 0n, effectiveAtto: 0n, fingerprint };
}

function active(words: string, i: number): StoredImport {
  const { currency, rows, fingerprint } = group(words);
  const place = { source: 'AWS', account: 'a', currency, billing_start: START, billing_end: END };
  const rest = { billed: '0', effective: '0', files: '[]', imported_at: '', replaced_at: null };
  return { id: i + 1, import_id: '1', row_count: rows, fingerprint, ...place, ...rest };
}

function closed(currency: string): StoredPeriod {
  const place = { source: 'AWS', account: 'a', currency, billing_start: START, billing_end: END };
  return { id: 1, ...place, closed_at: '', closed_by: '', charges: '0', fingerprint: '', seal: '', seal_place: 0 };
}

interface Row {
  readonly what: string;
  readonly inForce: readonly string[];
  readonly sent: readonly string[];
  readonly closed?: readonly string[];
  readonly replace?: boolean;
  readonly outcome: string;
}

const rows: readonly Row[] = [
  { what: 'nothing there', inForce: [], sent: ['USD 3 x'], outcome: 'new' },
  { what: 'the same again', inForce: ['USD 3 x'], sent: ['USD 3 x'], outcome: 'unchanged' },
  { what: 'more rows', inForce: ['USD 3 x'], sent: ['USD 4 y'], outcome: 'replaced 1' },
  { what: 'as many, different', inForce: ['USD 3 x'], sent: ['USD 3 y'], outcome: 'replaced 1' },
  { what: 'fewer rows', inForce: ['USD 3 x'], sent: ['USD 2 y'], outcome: 'BILL_SMALLER' },
  { what: 'fewer rows, meant so', inForce: ['USD 3 x'], sent: ['USD 2 y'], replace: true, outcome: 'replaced 1' },
  { what: 'a currency more', inForce: ['USD 3 x'], sent: ['EUR 1 z', 'USD 3 x'], outcome: 'replaced 1' },
  { what: 'a currency gone', inForce: ['USD 3 x', 'EUR 1 z'], sent: ['USD 9 y'], outcome: 'BILL_SMALLER' },
  {
    what: 'a currency gone, meant so',
    inForce: ['USD 3 x', 'EUR 1 z'],
    sent: ['USD 9 y'],
    replace: true,
    outcome: 'replaced 1 2',
  },
  { what: 'closed, the same again', inForce: ['USD 3 x'], sent: ['USD 3 x'], closed: ['USD'], outcome: 'unchanged' },
  { what: 'closed, different', inForce: ['USD 3 x'], sent: ['USD 4 y'], closed: ['USD'], outcome: 'restated 1' },
  { what: 'closed, smaller', inForce: ['USD 3 x'], sent: ['USD 2 y'], closed: ['USD'], outcome: 'BILL_SMALLER' },
  { what: 'closed and empty until now', inForce: [], sent: ['USD 1 x'], closed: ['USD'], outcome: 'restated' },
  {
    what: 'closed in another currency',
    inForce: ['USD 3 x'],
    sent: ['EUR 1 z', 'USD 3 x'],
    closed: ['USD'],
    outcome: 'replaced 1',
  },
  {
    what: 'a closed currency gone',
    inForce: ['USD 3 x', 'EUR 1 z'],
    sent: ['USD 9 y'],
    closed: ['EUR'],
    replace: true,
    outcome: 'restated 1 2',
  },
];

test.each(rows)('$what: $outcome', ({ inForce, sent, closed: closedIn = [], replace = false, outcome }) => {
  const standing = { active: inForce.map(active), closed: closedIn.map(closed) };
  const decide = () => {
    const [one] = replacementsOf(sent.map(group), standing, replace);
    const ids = /^re/.test(one!.status) ? one!.replaces.map((row) => row.id) : [];
    return [one!.status, ...ids].join(' ');
  };
  if (/^[A-Z]/.test(outcome)) expect(decide).toThrow(expect.objectContaining({ code: outcome }));
  else expect(decide()).toBe(outcome);
});

test('other billing periods, accounts and sources are left alone', () => {
  const other = [
    { ...active('USD 9 o', 1), account: 'b' },
    { ...active('USD 9 o', 2), source: 'GCP' },
    { ...active('USD 9 o', 3), billing_start: END },
  ];
  expect(replacementsOf([group('USD 1 x')], { active: other, closed: [] }, false)).toMatchObject([
    { status: 'new', replaces: [] },
  ]);
});
