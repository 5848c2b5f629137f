import { expect, test } from 'vitest';
import { costSearchFromAddress } from './cost-search.ts';

test.each([
  [{}, {}],
  [
    { month: '2025-01', basis: 'direct' },
    { month: '2025-01', basis: 'direct' },
  ],
  [{ month: 'January', basis: 'net', view: 'pool', per: '7' }, {}],
  [
    { from: '2025-01-01', to: '2025-01-02' },
    { from: '2025-01-01', to: '2025-01-02' },
  ],
  [{ from: '2025-01-02', to: '2025-01-01' }, {}],
  [{ from: '2025-01-02' }, {}],
  [
    { tenant: '007', endpoint: 'GET /a&b' },
    { tenant: '007', endpoint: 'GET /a&b' },
  ],
  [{ tenant: '', other: 'x' }, {}],
  [
    { view: 'both', per: '1000', digits: 'exact', zone: 'local' },
    { view: 'both', per: '1000', digits: 'exact', zone: 'local' },
  ],
])('an address with %j means %j', (address, search) => expect(costSearchFromAddress(address)).toEqual(search));
