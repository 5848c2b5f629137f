import { Button } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import type { Snippet } from './snippets.ts';
import styles from './start.module.css';

export function SnippetCommand({ snippet }: { readonly snippet: Snippet }) {
  const { copied, copy, error } = useClipboard({ timeout: 1500 });
  return (
    <div className={styles.command}>
      <code className="code">{snippet.command}</code>
      <Button
        size="compact-xs"
        variant="default"
        className="not-printed"
        aria-label={`Copy: ${snippet.command}`}
        onClick={() => copy(snippet.command)}
      >
        {error ? 'Select it' : copied ? 'Copied' : 'Copy'}
      </Button>
      <span role="status" className="only-read-aloud">
        {copied && 'Copied'}
      </span>
    </div>
  );
}
