import type { ReactNode } from 'react';
import styles from './notice.module.css';

interface NoticeProps {
  readonly tone: 'warn' | 'bad';
  readonly title: string;
  readonly children?: ReactNode;
}

/** Something the reader must know before trusting a figure. A bad one is announced at once. */
export function Notice({ tone, title, children }: NoticeProps) {
  return (
    <div className={styles.notice} data-tone={tone} role={tone === 'bad' ? 'alert' : 'status'}>
      <span className={styles.mark} aria-hidden="true">
        !
      </span>
      <p className={styles.title}>{title}</p>
      {children !== undefined && <div className={styles.body}>{children}</div>}
    </div>
  );
}
