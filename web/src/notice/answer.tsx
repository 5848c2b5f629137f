import { Skeleton } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ProblemNotice } from './problem-notice.tsx';

interface AnswerProps<T> {
  readonly query: UseQueryResult<T>;
  /** Height of the placeholder, so that the page does not jump when the figures arrive. */
  readonly placeholderPx: number;
  readonly children: (answer: T) => ReactNode;
}

/** Shows a question's placeholder, problem or figures; a failed question never shows a zero. */
export function Answer<T>({ query, placeholderPx, children }: AnswerProps<T>) {
  if (query.isError)
    return <ProblemNotice error={query.error} onRetry={() => void query.refetch()} isRetrying={query.isFetching} />;
  if (query.data === undefined) return <Placeholder heightPx={placeholderPx} />;
  return children(query.data);
}

export function Placeholder({ heightPx }: { readonly heightPx: number }) {
  return (
    <div role="status" aria-busy="true">
      <span className="only-read-aloud">Loading figures</span>
      <Skeleton height={heightPx} radius="md" />
    </div>
  );
}
