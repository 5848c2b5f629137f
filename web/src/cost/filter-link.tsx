import { Link } from '@tanstack/react-router';
import styles from './cost.module.css';

interface FilterLinkProps {
  readonly by: 'tenant' | 'endpoint';
  readonly value: string;
}

/** A name that narrows the page to itself: a real link, so that it can be opened beside this page and shared. */
export function FilterLink({ by, value }: FilterLinkProps) {
  const view = by === 'tenant' ? undefined : 'tenant';
  return (
    <Link
      from="/cost"
      to="/cost"
      search={(previous) => ({ ...previous, view, [by]: value })}
      resetScroll={false}
      className={`${styles.filter} ${by === 'endpoint' ? 'code' : ''}`}
      title={value === '(unknown)' ? 'Calls that no resolver could name a tenant for' : undefined}
    >
      {value}
    </Link>
  );
}
