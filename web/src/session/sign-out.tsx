import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { signOut } from '../api/session.ts';

export function SignOut() {
  const queries = useQueryClient();
  // What was asked before must not stay on the screen of who has gone.
  const leaving = useMutation({ mutationFn: signOut, onSettled: () => queries.resetQueries() });
  return (
    <Button size="xs" variant="default" loading={leaving.isPending} onClick={() => leaving.mutate()}>
      Sign out
    </Button>
  );
}
