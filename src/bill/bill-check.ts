import { formatMoney } from '../model/index.ts';
import type { Charge } from './charge.ts';
import type { ColumnKeys } from './column-cells.ts';
import type { FocusHeader } from './focus-header.ts';
import { type FocusRow, type Slot, slotsOf } from './focus-row.ts';

/** What is held against the rules of FOCUS, and how bad it is when it does not hold. */
export const checkRules = {
  'closed-list': ['warning', 'values that FOCUS does not list for their column'],
  'no-provider': ['warning', 'rows that name no provider'],
  'no-service': ['warning', 'rows without ServiceName or ServiceCategory'],
  'no-issuer': ['warning', 'rows without InvoiceIssuerName'],
  'no-invoice': ['note', 'rows without InvoiceId, not billed yet or left out by the provider'],
  'outside-billing-period': ['warning', 'charges that start outside of their billing period and are no corrections'],
  'usage-without-quantity': ['warning', 'usage without ConsumedQuantity'],
  'quantity-without-unit': ['warning', 'a ConsumedQuantity or PricingQuantity without its unit'],
  'commitment-without-status': ['warning', 'usage of a commitment without CommitmentDiscountStatus'],
  'status-without-commitment': ['warning', 'a CommitmentDiscountStatus without CommitmentDiscountId'],
  'covered-usage-billed': ['warning', 'usage that a commitment covers and that is billed again'],
  'purchase-effective': ['warning', 'purchases of a commitment with an EffectiveCost, which its usage carries'],
  'negative-usage': ['note', 'usage with a negative cost'],
  'contracted-above-list': ['note', 'usage whose ContractedCost is above its ListCost'],
  'commitment-differs': ['note', 'commitments whose used and unused cost differ from their purchase in this export'],
  'allocated-without-resource': ['note', 'allocated rows without AllocatedResourceId: what was left of their origin'],
  'allocated-beside-origin': ['error', 'rows that stand beside the allocated rows they were split into'],
} as const satisfies Record<string, readonly ['error' | 'warning' | 'note', string]>;

export type CheckRule = keyof typeof checkRules;

export interface RowPlace {
  readonly file: string;
  readonly line: number;
}

/** A rule that does not hold, how often, and where first. */
export interface Finding {
  readonly rule: CheckRule;
  readonly severity: 'error' | 'warning' | 'note';
  readonly message: string;
  readonly rows: number;
  readonly examples: readonly RowPlace[];
}

/** What an invoice asks for by the rows of this export. Money as decimal strings with 18 decimals. */
export interface InvoiceTotal {
  readonly issuer: string;
  readonly invoice: string;
  readonly currency: string;
  readonly rows: number;
  readonly billed: string;
}

/** Used + unused against what was paid; over the life of a commitment the difference becomes 0. */
export interface CommitmentTotal {
  readonly commitment: string;
  readonly currency: string;
  readonly purchased: string;
  readonly used: string;
  readonly unused: string;
  readonly difference: string;
}

/** The report of one export. */
export interface CheckReport {
  readonly findings: readonly Finding[];
  readonly invoices: readonly InvoiceTotal[];
  readonly commitments: readonly CommitmentTotal[];
  /** Invoices, commitments and origins beyond what is kept; their identities were not looked at. */
  readonly unchecked: number;
}

const EXAMPLES = 5;
/** Of invoices and commitments; a bill has far fewer. */
const MOST_KEYS = 10_000;
const MOST_ORIGINS = 200_000;
const SHOWN = 200;

const looked = [
  ...['ProviderName', 'ServiceProviderName', 'ServiceName', 'ServiceCategory', 'InvoiceIssuerName', 'InvoiceId'],
  ...['ChargeCategory', 'ChargeClass', 'ConsumedQuantity', 'ConsumedUnit', 'PricingQuantity', 'PricingUnit'],
  ...['CommitmentDiscountId', 'CommitmentDiscountStatus', 'AllocatedMethodId', 'AllocatedResourceId'],
  ...['ResourceId', 'SkuId', 'SkuPriceId', 'ChargeDescription', 'InvoiceIssuer'],
] as const;
type LookedSlots = Readonly<Record<(typeof looked)[number], Slot>>;

/** A row of a file, and where in it the columns are that are looked at. */
export interface CheckedRow {
  readonly row: Pick<FocusRow, 'text' | 'unlisted'>;
  readonly at: LookedSlots;
}

/** Gives the rows of a file to be checked, each when the row was filled with it. */
export function checkedRow(row: FocusRow, header: FocusHeader): CheckedRow {
  return { row, at: slotsOf(header, looked) };
}

interface Invoice {
  issuer: string;
  invoice: string;
  currency: string;
  rows: number;
  billed: bigint;
}

interface Commitment {
  commitment: string;
  currency: string;
  purchased: bigint;
  used: bigint;
  unused: bigint;
}

interface Origin {
  billed: bigint;
  effective: bigint;
  rows: number;
  readonly whole: { billed: bigint; effective: bigint; place: RowPlace }[];
}

/**
 * Holds the charges of one export against the rules of FOCUS, one after the other. It judges; it changes and refuses nothing.
 *
 * Holds  the order of charges makes no difference to the counts and sums.
 * From   FOCUS 1.0 to 1.4: nullability, allowed values, commitment discounts, invoices, split cost allocation.
 */
export class BillCheck {
  readonly #found = new Map<CheckRule, { rows: number; examples: RowPlace[] }>();
  readonly #keys: ColumnKeys;
  readonly #invoices = new Map<string, Invoice>();
  readonly #commitments = new Map<string, Commitment>();
  readonly #origins = new Map<string, Origin>();
  #lastInvoice: Invoice | null = null;
  #unchecked = 0;

  constructor(keys: ColumnKeys) {
    this.#keys = keys;
  }

  /** Takes  checked: the row that the charge was made of. */
  add(charge: Charge, checked: CheckedRow, file: string, line: number): void {
    const { row, at } = checked;
    const found = (rule: CheckRule) => this.#note(rule, file, line);
    for (let times = 0; times < row.unlisted; times++) found('closed-list');
    if (row.text(at.ProviderName) === '' && row.text(at.ServiceProviderName) === '') found('no-provider');
    if (row.text(at.ServiceName) === '' || row.text(at.ServiceCategory) === '') found('no-service');
    const issuer = row.text(at.InvoiceIssuerName) || row.text(at.InvoiceIssuer);
    if (issuer === '') found('no-issuer');
    if (row.text(at.InvoiceId) === '') found('no-invoice');
    else this.#invoice(charge, issuer, row.text(at.InvoiceId));
    const isCorrection = row.text(at.ChargeClass) === 'Correction';
    const isInside = charge.chargeStartMs >= charge.billingStartMs && charge.chargeStartMs < charge.billingEndMs;
    if (!isInside && !isCorrection) found('outside-billing-period');
    if (row.text(at.ChargeCategory) === 'Usage') this.#usage(charge, checked, isCorrection, found);
    this.#commitment(charge, checked, found);
    this.#allocated(charge, checked, { file, line }, found);
  }

  finish(): CheckReport {
    const commitments = [...this.#commitments.values()];
    // A commitment that was paid before this export has nothing to be held against.
    const differing = commitments.filter((each) => each.purchased !== 0n && each.purchased !== each.used + each.unused);
    for (const _ of differing) this.#note('commitment-differs', '', 0);
    for (const { file, line } of this.doubled()) this.#note('allocated-beside-origin', file, line);
    const order = Object.keys(checkRules) as CheckRule[];
    return {
      findings: order.flatMap((rule) => this.#finding(rule)),
      invoices: [...this.#invoices.values()]
        .slice(0, SHOWN)
        .map((each) => ({ ...each, billed: formatMoney(each.billed) })),
      commitments: commitments.slice(0, SHOWN).map(shownCommitment),
      unchecked: this.#unchecked,
    };
  }

  /** Rows that were split into allocated rows and are still there: their money would count twice. */
  doubled(): RowPlace[] {
    return [...this.#origins.values()].flatMap((origin) =>
      origin.rows === 0
        ? []
        : origin.whole
            .filter((row) => row.billed === origin.billed && row.effective === origin.effective)
            .map(({ place }) => place),
    );
  }

  #finding(rule: CheckRule): Finding[] {
    const found = this.#found.get(rule);
    const [severity, message] = checkRules[rule];
    return found ? [{ rule, severity, message, ...found }] : [];
  }

  #note(rule: CheckRule, file: string, line: number): void {
    let found = this.#found.get(rule);
    if (!found) {
      found = { rows: 0, examples: [] };
      this.#found.set(rule, found);
    }
    found.rows += 1;
    if (found.examples.length < EXAMPLES && line > 0) found.examples.push({ file, line });
  }

  #usage(charge: Charge, { row, at }: CheckedRow, isCorrection: boolean, found: (rule: CheckRule) => void): void {
    // Quantities may be null on corrections, and unused commitments consume nothing.
    if (row.text(at.ConsumedQuantity) === '' && !isCorrection && row.text(at.CommitmentDiscountStatus) !== 'Unused') {
      found('usage-without-quantity');
    }
    const noConsumedUnit = row.text(at.ConsumedQuantity) !== '' && row.text(at.ConsumedUnit) === '';
    if (noConsumedUnit || (row.text(at.PricingQuantity) !== '' && row.text(at.PricingUnit) === ''))
      found('quantity-without-unit');
    if (charge.billedAtto < 0n || charge.effectiveAtto < 0n) found('negative-usage');
    else if (charge.contractedAtto > charge.listAtto) found('contracted-above-list');
  }

  #invoice(charge: Charge, issuer: string, invoice: string): void {
    const { currency } = charge;
    const last = this.#lastInvoice;
    const isSame = last?.invoice === invoice && last.issuer === issuer && last.currency === currency;
    const total = isSame
      ? last
      : this.#kept(this.#invoices, JSON.stringify([issuer, invoice, currency]), MOST_KEYS, () => ({
          ...{ issuer, invoice, currency, rows: 0, billed: 0n },
        }));
    if (!total) return;
    this.#lastInvoice = total;
    total.rows += 1;
    total.billed += charge.billedAtto;
  }

  #commitment(charge: Charge, { row, at }: CheckedRow, found: (rule: CheckRule) => void): void {
    const commitment = row.text(at.CommitmentDiscountId);
    const status = row.text(at.CommitmentDiscountStatus);
    if (commitment === '') {
      if (status !== '') found('status-without-commitment');
      return;
    }
    const category = row.text(at.ChargeCategory);
    if (category === 'Usage' && status === '') found('commitment-without-status');
    if (category === 'Usage' && status !== '' && charge.billedAtto !== 0n) found('covered-usage-billed');
    if (category === 'Purchase' && charge.effectiveAtto !== 0n) found('purchase-effective');
    const { currency } = charge;
    const total = this.#kept(this.#commitments, JSON.stringify([commitment, currency]), MOST_KEYS, () => ({
      ...{ commitment, currency, purchased: 0n, used: 0n, unused: 0n },
    }));
    if (!total) return;
    if (category === 'Purchase') total.purchased += charge.billedAtto;
    else if (status === 'Used') total.used += charge.effectiveAtto;
    else if (status === 'Unused') total.unused += charge.effectiveAtto;
  }

  /** Allocated rows share the columns of the row they were made of, and stand in its place. */
  #allocated(charge: Charge, { row, at }: CheckedRow, place: RowPlace, found: (rule: CheckRule) => void): void {
    if (!this.#keys.has('AllocatedMethodId')) return;
    const method = row.text(at.AllocatedMethodId);
    if (method !== '' && row.text(at.AllocatedResourceId) === '') found('allocated-without-resource');
    const { source, account, currency, chargeStartMs, chargeEndMs } = charge;
    const same = [
      at.ResourceId,
      at.SkuId,
      at.SkuPriceId,
      at.ChargeCategory,
      at.CommitmentDiscountId,
      at.ChargeDescription,
    ];
    const texts = same.map((slot) => row.text(slot));
    const key = JSON.stringify([source, account, currency, chargeStartMs, chargeEndMs, ...texts]);
    const origin = this.#kept(this.#origins, key, MOST_ORIGINS, () => ({
      billed: 0n,
      effective: 0n,
      rows: 0,
      whole: [],
    }));
    if (!origin) return;
    const { billedAtto: billed, effectiveAtto: effective } = charge;
    if (method === '') {
      if ((billed !== 0n || effective !== 0n) && origin.whole.length < EXAMPLES)
        origin.whole.push({ billed, effective, place });
      return;
    }
    origin.rows += 1;
    origin.billed += billed;
    origin.effective += effective;
  }

  #kept<Value>(values: Map<string, Value>, key: string, most: number, first: () => Value): Value | null {
    const known = values.get(key);
    if (known !== undefined) return known;
    if (values.size >= most) {
      this.#unchecked += 1;
      return null;
    }
    const value = first();
    values.set(key, value);
    return value;
  }
}

function shownCommitment({ commitment, currency, purchased, used, unused }: Commitment): CommitmentTotal {
  return {
    ...{
      commitment,
      currency,
      purchased: formatMoney(purchased),
      used: formatMoney(used),
      unused: formatMoney(unused),
    },
    difference: formatMoney(purchased - used - unused),
  };
}
