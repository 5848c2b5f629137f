import styles from './cost.module.css';
import type { CostState } from './cost-total.ts';

const MEANING: Readonly<Record<CostState, string>> = {
  rated: 'computed from rates within a minute of the call',
  provisional: 'computed from an open billing period; may still change',
  final: 'computed from a closed billing period; never changes',
};
/** How full the disc is drawn, so that the state reads without colour. */
const DISC: Readonly<Record<CostState, string>> = {
  rated: '',
  provisional: 'M6 1a5 5 0 0 1 0 10z',
  final: 'M6 1a5 5 0 0 1 0 10A5 5 0 0 1 6 1z',
};

export function StateWord({ state }: { readonly state: CostState }) {
  return (
    <span className={styles.word} title={MEANING[state]}>
      <svg className={styles.disc} viewBox="0 0 12 12" aria-hidden="true" focusable="false">
        <circle cx="6" cy="6" r="5" fill="none" stroke="currentColor" strokeWidth="1.5" />
        <path d={DISC[state]} fill="currentColor" />
      </svg>
      {state}
    </span>
  );
}

export function StateBadge({ state }: { readonly state: CostState }) {
  return (
    <span className={styles.state}>
      <StateWord state={state} />
    </span>
  );
}
