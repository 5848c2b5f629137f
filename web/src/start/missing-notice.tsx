import type { StatusAnswer } from '../api/contract.ts';
import { Notice } from '../notice/notice.tsx';
import { missingParts } from './missing-parts.ts';
import { SnippetCommand } from './snippet-command.tsx';
import { snippets } from './snippets.ts';

/** Part of the picture is there: what the figures lack, and the command that brings it. */
export function MissingParts({ status }: { readonly status: StatusAnswer }) {
  const known = snippets(status.listeners);
  return missingParts(status).map((part) => (
    <Notice key={part.title} tone="warn" title={part.title}>
      <p>{part.consequence}</p>
      {part.steps.map((step) => (
        <SnippetCommand key={step} snippet={known[step]} />
      ))}
    </Notice>
  ));
}
