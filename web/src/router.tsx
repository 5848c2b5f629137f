import { createRootRoute, createRoute, createRouter, Link, redirect } from '@tanstack/react-router';
import { searchFromText, textFromSearch } from './address.ts';
import { CostPage } from './cost/cost-page.tsx';
import { costSearchFromAddress } from './cost/cost-search.ts';
import { Frame } from './frame/frame.tsx';
import { ProblemNotice } from './notice/problem-notice.tsx';

const root = createRootRoute({
  component: Frame,
  notFoundComponent: () => (
    <>
      <h1>There is no such page</h1>
      <p>
        <Link to="/cost">Go to the cost page</Link>
      </p>
    </>
  ),
});

const start = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/cost', replace: true });
  },
});

const cost = createRoute({
  getParentRoute: () => root,
  path: '/cost',
  validateSearch: costSearchFromAddress,
  component: CostPage,
});

export const router = createRouter({
  routeTree: root.addChildren([start, cost]),
  parseSearch: searchFromText,
  stringifySearch: textFromSearch,
  defaultErrorComponent: ({ error, reset }) => <ProblemNotice error={error} onRetry={reset} isRetrying={false} />,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
