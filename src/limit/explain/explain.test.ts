import { describe, expect, it } from 'vitest';
import { policiesOf, policy, START_US } from '../../../test/conformance/limits/world.ts';
import { subjectOf } from '../subject.ts';
import { explainPolicies } from './explain.ts';

const facts = { plans: new Set(['crm']), ratedCurrencies: new Set(['EUR']), nowUs: START_US };
const notesOf = (...documents: string[]) =>
  explainPolicies(policiesOf(documents.join('---\n')), null, facts).notes.map(({ kind, policy: name, limit }) => [
    kind,
    limit === '' ? name : `${name}.${limit}`,
  ]);

const day = (name: string, amount: number, head = 'per: [tenant]') =>
  policy(name, head, `id: day, amount: ${amount}, window: { rolling: 24h }`);

describe('what cannot be meant', () => {
  it.each<readonly [string, string[], string[][]]>([
    ['nothing', [day('p', 10)], []],
    [
      'a tenant that may no more than its consumer',
      [day('tenants', 10), day('users', 20, 'per: [tenant, consumer]')],
      [['never_binds', 'users.day']],
    ],
    ['a consumer that may less', [day('tenants', 20), day('users', 10, 'per: [tenant, consumer]')], []],
    [
      'a narrower one that is looser',
      [day('all', 10), day('few', 20, 'match: { tenants: ["a*"] }')],
      [['never_binds', 'few.day']],
    ],
    ['names of others', [day('a', 10, 'match: { tenants: [a] }'), day('b', 20, 'match: { tenants: [b] }')], []],
    [
      'the same twice',
      [day('a', 10), day('b', 20)],
      [
        ['counted_twice', 'b.day'],
        ['never_binds', 'b.day'],
      ],
    ],
    ['the same twice, one only watched', [day('a', 10, 'mode: shadow'), day('b', 20)], [['shadow', 'a']]],
    [
      'a burst that a window does not allow',
      [
        policy(
          'p',
          'per: [tenant]',
          'id: r, amount: 5, rate: { per: 1s, burst: 50 }',
          'id: w, amount: 40, window: { rolling: 1h }',
        ),
      ],
      [
        ['burst_above_window', 'p.r'],
        ['never_binds', 'p.r'],
      ],
    ],
    [
      'a window that a rate never fills',
      [
        policy(
          'p',
          'per: [tenant]',
          'id: r, amount: 1, rate: { per: 1s }',
          'id: w, amount: 4000, window: { fixed: 1h }',
        ),
      ],
      [['never_binds', 'p.w']],
    ],
    [
      'a shorter window inside of a longer one that allows less',
      [
        policy(
          'p',
          'per: [tenant]',
          'id: h, amount: 100, window: { fixed: 1h }',
          'id: d, amount: 90, window: { rolling: 24h }',
        ),
      ],
      [['never_binds', 'p.h']],
    ],
    [
      'the same by windows side by side, which do not bound every stretch',
      [
        policy(
          'p',
          'per: [tenant]',
          'id: h, amount: 100, window: { rolling: 1h }',
          'id: d, amount: 90, window: { fixed: 24h }',
        ),
      ],
      [],
    ],
    ['different weights', [day('a', 10, 'weights: { "GET /a": 2 }'), day('b', 20)], []],
    [
      'overrides that are over, for nobody, or hidden',
      [
        day(
          'p',
          10,
          `match: { tenants: ["a*"] }
  overrides:
    - { match: { tenants: [ab] }, limits: { day: 1 }, until: 2026-05-01, reason: old }
    - { match: { tenants: [b] }, limits: { day: 1 }, until: 2027-01-01, reason: nobody }
    - { match: { tenants: ["a*"] }, limits: { day: 2 }, until: 2027-01-01, reason: all }
    - { match: { tenants: [ac] }, limits: { day: 3 }, until: 2026-12-01, reason: one }`,
        ),
      ],
      [
        ['override_expired', 'p'],
        ['override_never_applies', 'p'],
        ['override_hidden', 'p'],
      ],
    ],
    [
      'a plan that there is not',
      [policy('p', 'per: [tenant]', 'id: a, amount: { plan: none }, window: { calendar: day }')],
      [['plan_unknown', 'p.a']],
    ],
    [
      '0, and a warning at the end',
      [policy('p', 'per: [tenant]', 'id: a, amount: 0, warnAt: [100], window: { calendar: day }')],
      [
        ['forbids', 'p.a'],
        ['warns_late', 'p.a'],
      ],
    ],
    [
      'money without rates, and an assumed cost that is too much',
      [
        policy(
          'p',
          'per: [tenant]',
          'id: a, amount: "1", money: { currency: USD }, window: { calendar: day }',
          'id: b, amount: "1", money: { currency: EUR, assumedCost: "2" }, window: { calendar: day }',
        ),
      ],
      [
        ['cost_unknown', 'p.a'],
        ['forbids', 'p.b'],
      ],
    ],
    [
      'a time that is over, or has not come',
      [day('a', 10, 'until: 2026-01-01'), day('b', 10, 'match: { tenants: [b] }\n  from: 2027-01-01')],
      [
        ['not_in_force', 'a'],
        ['not_in_force', 'b'],
      ],
    ],
  ])('%s', (_, documents, notes) => {
    expect(notesOf(...documents)).toEqual(notes);
  });
});

it('says in words what concerns somebody, in the order in which it is looked at', () => {
  const yaml = [
    policy(
      'z',
      'per: [organisation]',
      'id: month, amount: "99.50", money: { currency: EUR, decimals: 2 }, window: { calendar: month, anchor: "5", zone: Europe/Berlin }',
    ),
    policy(
      'shop',
      'per: [tenant, endpoint]\n  match: { endpoints: ["GET /v1/*"] }\n  overrides: [{ match: { tenants: [acme] }, limits: { burst: 40 }, until: 2027-01-01, reason: sale }]',
      'id: burst, amount: 20, rate: { per: 1s, burst: 40 }',
      'id: flight, amount: 5, unit: calls, concurrency: true',
    ),
    policy(
      'write',
      'match: { endpoints: ["POST *"] }',
      'id: day, amount: 10, overdraft: { percent: 50, grace: 1h }, window: { rolling: 24h }',
    ),
  ].join('---\n');
  const subject = subjectOf({ tenant: 'acme', endpoint: 'GET /v1/a' });
  const { policies } = explainPolicies(policiesOf(yaml), subject, facts);
  expect(policies.map(({ name, order, togetherWith }) => [name, order, togetherWith])).toEqual([
    ['z', 1, ['shop']],
    ['shop', 2, ['z']],
  ]);
  expect(policies.flatMap(({ limits }) => limits.map(({ words }) => words))).toEqual([
    'each organisation: 99.5 EUR a calendar month from 5 on (Europe/Berlin)',
    'each tenant and endpoint: 40 requests in 1s, spread evenly, 80 at once (override: sale)',
    'each tenant and endpoint: 5 calls at once',
  ]);
  const all = explainPolicies(policiesOf(yaml), null, facts).policies;
  expect(all.map(({ name, togetherWith }) => [name, togetherWith])).toEqual([
    ['z', ['shop', 'write']],
    ['shop', ['z']],
    ['write', ['z']],
  ]);
  expect(all.at(-1)!.limits[0]!.words).toBe('each tenant: 10 requests in any 24h, and 50 % more for 1h');
});
