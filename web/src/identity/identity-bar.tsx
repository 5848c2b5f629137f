import { formatShare } from '../figures/format-count.ts';
import styles from './identity.module.css';
import type { IdentityPart } from './identity-parts.ts';

/** Lengths only; the table below has the amounts. */
export function IdentityBar({ parts }: { readonly parts: readonly IdentityPart[] }) {
  const summary = parts.map((part) => `${part.title} ${formatShare(part.share)}`).join(', ');
  return (
    <div className={styles.bar} role="img" aria-label={`Shares of the bill: ${summary}`}>
      {parts
        .filter((part) => part.amountAtto > 0n)
        .map((part) => (
          <div
            key={part.name}
            className={styles.segment}
            data-part={part.name}
            style={{ flexGrow: part.share ?? 0 }}
            title={`${part.title} ${formatShare(part.share)}`}
          />
        ))}
    </div>
  );
}
