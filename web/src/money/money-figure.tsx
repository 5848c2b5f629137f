import { formatExact, formatMoney } from './format-money.ts';

interface MoneyFigureProps {
  readonly amountAtto: bigint;
  readonly currency: string;
  /** All digits up to this many decimals, the fine ones in a quieter colour; without it, rounded to be readable. */
  readonly exactDecimals?: number;
}

export function MoneyFigure({ amountAtto, currency, exactDecimals }: MoneyFigureProps) {
  if (exactDecimals === undefined || amountAtto === 0n)
    return <PlainFigure amountAtto={amountAtto} currency={currency} />;
  const { head, tail } = formatExact(amountAtto, currency, exactDecimals);
  return (
    <span className="figure">
      {head}
      {tail !== '' && <span className="quiet">{tail}</span>}
    </span>
  );
}

/** Nothing at all is set quietly, so that the eye finds what there is; it is exact without further digits. */
function PlainFigure({ amountAtto, currency }: MoneyFigureProps) {
  return <span className={amountAtto === 0n ? 'figure quiet' : 'figure'}>{formatMoney(amountAtto, currency)}</span>;
}

/** What is not known is said, never shown as zero. */
export function Unknown({ why }: { readonly why: string }) {
  return (
    <span className="quiet" title={why}>
      <span aria-hidden="true">–</span>
      <span className="only-read-aloud">{why}</span>
    </span>
  );
}
