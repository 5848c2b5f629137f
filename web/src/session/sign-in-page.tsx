import { Button, PasswordInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { signIn } from '../api/session.ts';
import { Panel } from '../frame/panel.tsx';
import styles from './sign-in.module.css';
import { SignInProblem } from './sign-in-problem.tsx';

/** What stands in every page's place until the server knows who asks. The address stays, so that a link leads where it should. */
export function SignInPage() {
  const queries = useQueryClient();
  const [token, setToken] = useState('');
  const attempt = useMutation({ mutationFn: signIn, onSuccess: () => queries.resetQueries() });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    attempt.mutate(token);
  };
  return (
    <>
      <h1 className={styles.title}>Sign in</h1>
      <Panel title="Who asks?" note="This server shows its figures to those who know its token.">
        <form onSubmit={submit} className={styles.form}>
          <PasswordInput
            label="Token"
            description="The value of TAXIMETER_TOKEN that the server was started with."
            autoComplete="current-password"
            required
            withAsterisk={false}
            value={token}
            onChange={(event) => setToken(event.currentTarget.value)}
          />
          {attempt.isError && <SignInProblem error={attempt.error} />}
          <div>
            <Button type="submit" variant="default" loading={attempt.isPending}>
              Sign in
            </Button>
          </div>
        </form>
      </Panel>
    </>
  );
}
