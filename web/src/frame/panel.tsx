import { type ReactNode, useId } from 'react';
import styles from './panel.module.css';

interface PanelProps {
  readonly title: string;
  readonly note?: ReactNode;
  readonly tools?: ReactNode;
  readonly children: ReactNode;
}

/** One question and its answer: a named region with a heading. */
export function Panel({ title, note, tools, children }: PanelProps) {
  const headingId = useId();
  return (
    <section className={styles.panel} aria-labelledby={headingId}>
      <div className={styles.head}>
        <div>
          <h2 id={headingId} className={styles.title}>
            {title}
          </h2>
          {note !== undefined && <p className={styles.note}>{note}</p>}
        </div>
        {tools !== undefined && <div className={`${styles.tools} not-printed`}>{tools}</div>}
      </div>
      <div className={styles.body}>{children}</div>
    </section>
  );
}
