import { problemFromUnknown } from './problem.ts';
import { sendRequest } from './request.ts';

/** Shows the token once; the browser keeps a cookie that scripts cannot read. Fails  ApiProblem. */
export async function signIn(token: string): Promise<void> {
  await sendRequest('POST', '/api/v1/session', { token });
}

/** Ends the session. Fails  ApiProblem. */
export async function signOut(): Promise<void> {
  await sendRequest('DELETE', '/api/v1/session');
}

/** Whether a question failed because the server does not know who asks. */
export function isSignInMissing(error: unknown): boolean {
  return error !== null && problemFromUnknown(error).code === 'UNAUTHENTICATED';
}
