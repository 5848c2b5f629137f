import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { CostAnswer } from '../../../src/serve/contract/contract.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxeViolation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary: string }[];
}

/** Serious and critical findings of axe, as lines to read in a failure message. */
export async function accessibilityFindings(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const violations = await page.evaluate<AxeViolation[]>('axe.run().then((result) => result.violations)');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id} at ${node.target.join(' ')}: ${node.failureSummary}`));
}

export async function textOf(locator: Locator): Promise<string> {
  return (await locator.first().textContent()) ?? '';
}

/** Picks one of a row of choices the way a keyboard does. */
export async function choose(page: Page, name: string): Promise<void> {
  const choice = page.getByRole('radio', { name, exact: true });
  await choice.focus();
  await choice.press('Space');
}

/**
 * The figures on screen are the figures of the API, digit for digit.
 *
 * Takes  a page that shows the cost of [from, to) at baseUrl: the fixture server or a real one.
 */
export async function expectExactFigures(page: Page, baseUrl: string, from: string, to: string): Promise<void> {
  const response = await fetch(`${baseUrl}/api/v1/cost?from=${from}&to=${to}&by=endpoint`);
  const answer = (await response.json()) as CostAnswer;
  const identity = page.getByRole('table', { name: 'The bill and its parts, exact amounts' });
  for (const [title, amount] of identityRows(answer)) {
    const shown = await textOf(identity.getByRole('row', { name: title }).getByRole('cell').first());
    expect(decimalOf(shown), String(title)).toBe(/[1-9]/.test(amount) ? amount : '0.00');
  }
  const rows = page.getByRole('table', { name: 'Cost per call by endpoint' });
  const dearest = [...answer.rows].sort((a, b) => Number(b.full) - Number(a.full)).slice(0, 12);
  for (const { endpoint, fullPerCall } of dearest) {
    const row = rows.getByRole('row').filter({ has: page.getByRole('link', { name: endpoint, exact: true }) });
    const cells = await row.getByRole('cell').allInnerTexts();
    if (fullPerCall !== null) expect(cells.map(decimalOf), endpoint).toContain(fullPerCall);
  }
}

function identityRows({ identity }: CostAnswer): [RegExp, string][] {
  return [
    [/^Tenants/, identity.tenants],
    [/^Idle/, identity.idle],
    [/^Unattributed/, identity.unattributed],
    [/^Out of scope/, identity.out_of_scope],
    [/^Bill/, identity.bill],
  ];
}

/** Reads what a person would read: currency sign, grouping and the true minus are dress. */
function decimalOf(shown: string): string {
  return shown.replaceAll(/[^\d.\u2212-]/g, '').replace('\u2212', '-');
}
