import { adviceFor, problemFromUnknown } from '../api/problem.ts';
import { Notice } from '../notice/notice.tsx';

/** Why signing in did not work. A wrong token is the one thing that the reader can mend at once. */
export function SignInProblem({ error }: { readonly error: unknown }) {
  const problem = problemFromUnknown(error);
  const isWrong = problem.code === 'UNAUTHENTICATED';
  return (
    <Notice tone="bad" title={isWrong ? 'This is not the token' : problem.title}>
      <p>{isWrong ? 'Check it, then try again.' : `${problem.detail}. ${adviceFor(problem)}`}</p>
    </Notice>
  );
}
