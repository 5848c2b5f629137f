import './look/styles.ts';
import { MantineProvider } from '@mantine/core';
import { hashKey, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { isWorthRetrying } from './api/problem.ts';
import { statusQuestion } from './api/questions.ts';
import { isSignInMissing } from './api/session.ts';
import { colorSchemes, theme } from './look/theme.ts';
import { router } from './router.tsx';

const queries = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      // A session that ended shows at the first question after it; the frame goes by the status.
      const isStatus = query.queryHash === hashKey(statusQuestion.queryKey);
      if (isSignInMissing(error) && !isStatus) void queries.invalidateQueries(statusQuestion);
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      retry: (failures, error) => failures < 1 && isWorthRetrying(error),
      retryDelay: 500,
      // The server is often on this machine: a browser that believes to be offline can still reach it.
      networkMode: 'always',
    },
  },
});

const element = document.getElementById('root');
if (element === null) throw new Error('index.html has no #root');
createRoot(element).render(
  <StrictMode>
    <MantineProvider theme={theme} colorSchemeManager={colorSchemes} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
