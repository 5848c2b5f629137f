import type { Identity } from '../api/contract.ts';
import { attoFromText, shareOf, sumAtto } from '../money/amount.ts';

export type PartName = 'tenants' | 'idle' | 'unattributed' | 'out_of_scope';

export interface IdentityPart {
  readonly name: PartName;
  readonly title: string;
  readonly meaning: string;
  readonly amountAtto: bigint;
  /** Of the bill; null where the bill is zero or negative. */
  readonly share: number | null;
}

export interface IdentityView {
  readonly parts: readonly IdentityPart[];
  readonly billAtto: bigint;
  readonly chargesAtto: bigint;
  readonly fixedAtto: bigint;
  /** What the server says is missing, and what is missing when the browser adds up what it was given. */
  readonly residualAtto: bigint;
  readonly missingAtto: bigint;
  readonly isWhole: boolean;
  /** False when a credit made a part negative, or there is nothing to share: a bar of lengths would then lie. */
  readonly isBar: boolean;
}

const PARTS: readonly { name: PartName; title: string; meaning: string }[] = [
  { name: 'tenants', title: 'Tenants', meaning: 'caused by known calls' },
  { name: 'idle', title: 'Idle', meaning: 'paid for, used by nobody' },
  { name: 'unattributed', title: 'Unattributed', meaning: 'work whose call is unknown' },
  { name: 'out_of_scope', title: 'Out of scope', meaning: 'charges that no pool took' },
];

/** Prepares the identity for the eye, and adds it up a second time, independently of the server. */
export function identityView(identity: Identity): IdentityView {
  const billAtto = attoFromText(identity.bill);
  const parts = PARTS.map((part) => {
    const amountAtto = attoFromText(identity[part.name]);
    return { ...part, amountAtto, share: shareOf(amountAtto, billAtto) };
  });
  const chargesAtto = attoFromText(identity.charges);
  const fixedAtto = attoFromText(identity.fixed);
  const residualAtto = attoFromText(identity.residual);
  const missingAtto = billAtto - sumAtto(parts.map((part) => part.amountAtto));
  const isWhole = residualAtto === 0n && missingAtto === 0n && chargesAtto + fixedAtto === billAtto;
  const isBar = billAtto > 0n && isWhole && parts.every((part) => part.amountAtto >= 0n);
  return { parts, billAtto, chargesAtto, fixedAtto, residualAtto, missingAtto, isWhole, isBar };
}
