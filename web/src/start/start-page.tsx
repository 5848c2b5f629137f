import { useEffect } from 'react';
import type { StatusAnswer } from '../api/contract.ts';
import { SnippetCommand } from './snippet-command.tsx';
import { type Snippet, snippets } from './snippets.ts';
import styles from './start.module.css';

interface StartPageProps {
  readonly status: StatusAnswer;
  readonly problem: Error | null;
}

/** Nothing has arrived yet: how to send the first call, and a live check that moves on by itself when it comes. */
export function StartPage({ status, problem }: StartPageProps) {
  useEffect(() => {
    document.title = 'Waiting for the first call · Taximeter';
  }, []);
  return (
    <div className={styles.start}>
      <div>
        <h1 className={styles.title}>The meter is ready. Send it a call.</h1>
        <p className={styles.lead}>
          Taximeter counts every call of your API, names who made it, and works out what it cost down to the last digit
          of the cloud bill.
        </p>
      </div>
      <p className={styles.listening} role="status">
        <span className={styles.pulse} data-lost={problem !== null || undefined} aria-hidden="true" />
        {problem === null
          ? 'Listening. This page moves on by itself when the first call arrives.'
          : 'The server does not answer just now; still trying.'}
      </p>
      <ol className={styles.steps}>
        {Object.entries(snippets(status.listeners)).map(([step, snippet]) => (
          <Step key={step} snippet={snippet} />
        ))}
      </ol>
    </div>
  );
}

function Step({ snippet }: { readonly snippet: Snippet }) {
  return (
    <li className={styles.step}>
      <h2 className={styles.name}>{snippet.title}</h2>
      <p className="quiet">{snippet.why}</p>
      <SnippetCommand snippet={snippet} />
    </li>
  );
}
