import { describe, expect, test } from 'vitest';
import type { Identity } from '../api/contract.ts';
import { identityView } from './identity-parts.ts';

const SOUND: Identity = {
  bill: '100.000000000000000000',
  charges: '60.000000000000000000',
  fixed: '40.000000000000000000',
  tenants: '70.000000000000000000',
  idle: '25.000000000000000000',
  unattributed: '4.000000000000000000',
  out_of_scope: '1.000000000000000000',
  residual: '0.000000000000000000',
};

describe('the identity on screen', () => {
  test('shares are shares of the bill', () => {
    const view = identityView(SOUND);
    expect(view.parts.map((part) => part.share)).toEqual([0.7, 0.25, 0.04, 0.01]);
    expect([view.isWhole, view.isBar]).toEqual([true, true]);
  });

  test.each<[string, Partial<Identity>, boolean, boolean]>([
    [
      'a credit makes a part negative',
      { idle: '30.000000000000000000', out_of_scope: '-4.000000000000000000' },
      true,
      false,
    ],
    ['the server reports a residual', { residual: '0.000000000000000001' }, false, false],
    ['the parts do not add up', { idle: '24.999999999999999999' }, false, false],
    ['charges and fixed do not add up', { fixed: '40.000000000000000001' }, false, false],
  ])('%s', (_, change, isWhole, isBar) => {
    const view = identityView({ ...SOUND, ...change });
    expect([view.isWhole, view.isBar]).toEqual([isWhole, isBar]);
  });

  test('an empty bill is whole, but nothing to draw', () => {
    const zero = '0.000000000000000000';
    const view = identityView({
      ...SOUND,
      bill: zero,
      charges: zero,
      fixed: zero,
      tenants: zero,
      idle: zero,
      unattributed: zero,
      out_of_scope: zero,
    });
    expect([view.isWhole, view.isBar, view.parts[0]?.share]).toEqual([true, false, null]);
  });
});
