import type { Identity } from '../api/contract.ts';
import { Panel } from '../frame/panel.tsx';
import { MoneyFigure } from '../money/money-figure.tsx';
import { Notice } from '../notice/notice.tsx';
import styles from './identity.module.css';
import { IdentityBar } from './identity-bar.tsx';
import { type IdentityView, identityView } from './identity-parts.ts';
import { IdentityTable } from './identity-table.tsx';

interface IdentityPanelProps {
  readonly identity: Identity;
  readonly currency: string;
}

/** The law of the house on screen: every cent of the bill is somewhere, and the reader can add it up. */
export function IdentityPanel({ identity, currency }: IdentityPanelProps) {
  const view = identityView(identity);
  return (
    <Panel title="Where the bill went" note="tenants + idle + unattributed + out of scope = bill, to the last digit">
      {!view.isWhole && <NotWhole view={view} currency={currency} />}
      {view.isBar ? <IdentityBar parts={view.parts} /> : <NoBar view={view} />}
      <IdentityTable view={view} currency={currency} />
    </Panel>
  );
}

function NotWhole({ view, currency }: { readonly view: IdentityView; readonly currency: string }) {
  return (
    <div className={styles.loud}>
      <Notice tone="bad" title="These figures do not add up to the bill">
        <p>
          The server reports a residual of{' '}
          <MoneyFigure amountAtto={view.residualAtto} currency={currency} exactDecimals={18} />; adding up the parts
          leaves <MoneyFigure amountAtto={view.missingAtto} currency={currency} exactDecimals={18} />. Do not charge
          anyone by them. Run "taximeter reconcile" for this period and report what it says.
        </p>
      </Notice>
    </div>
  );
}

function NoBar({ view }: { readonly view: IdentityView }) {
  const negative = view.parts.filter((part) => part.amountAtto < 0n).map((part) => part.title.toLowerCase());
  if (negative.length === 0) return null;
  return (
    <p className={`${styles.loud} quiet`}>
      Credits make {negative.join(' and ')} negative, so lengths of a bar would mislead; the amounts below are exact.
    </p>
  );
}
