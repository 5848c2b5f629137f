/** The pages that exist, in the order of the navigation. A later page adds one line here and one route. */
export const PAGES = [{ path: '/cost', title: 'Cost' }] as const;
