import { Button } from '@mantine/core';
import { adviceFor, problemFromUnknown } from '../api/problem.ts';
import { Notice } from './notice.tsx';

interface ProblemNoticeProps {
  readonly error: unknown;
  readonly onRetry: () => void;
  readonly isRetrying: boolean;
}

/** A failed question: the server's words, its code to search for, what to do, and another try. */
export function ProblemNotice({ error, onRetry, isRetrying }: ProblemNoticeProps) {
  const problem = problemFromUnknown(error);
  return (
    <Notice tone="bad" title={problem.title}>
      <p>
        {problem.detail} {adviceFor(problem)}
      </p>
      {problem.errors && (
        <ul>
          {problem.errors.map((entry) => (
            <li key={`${entry.path ?? ''}:${entry.line ?? ''}:${entry.message}`}>
              {entry.line !== undefined && `line ${entry.line}: `}
              {entry.message}
            </li>
          ))}
        </ul>
      )}
      <p className="code">
        {problem.code}
        {problem.status > 0 && ` · ${problem.status}`}
      </p>
      <div className="not-printed">
        <Button size="xs" variant="default" onClick={onRetry} loading={isRetrying}>
          Retry
        </Button>
      </div>
    </Notice>
  );
}
