import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { browserAbsence, launchBrowser, openPage, type PageLook, type WatchedPage } from './dashboard/browser.ts';
import { ensureBuiltDashboard } from './dashboard/built-dashboard.ts';
import { accessibilityFindings, choose, expectExactFigures, textOf } from './dashboard/checks.ts';
import { januaryCost, moneyText, rowsBy } from './dashboard/figures.ts';
import { type FixtureServer, startFixtureServer } from './dashboard/fixture-server.ts';
import { EMPTY_STATUS, ok, refused, STATUS } from './dashboard/scene.ts';

const absence = browserAbsence();
const TABLE = 'table:has(caption:text-matches("^Cost per call by"))';

describe.skipIf(absence !== null)('the cost page', () => {
  let browser: Browser;
  let server: FixtureServer;
  let opened: WatchedPage[] = [];

  beforeAll(async () => {
    ensureBuiltDashboard();
    server = await startFixtureServer();
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });
  afterEach(async () => {
    for (const watched of opened) await watched.close();
    opened = [];
    server.reset();
  });

  async function open(path: string, look?: PageLook): Promise<WatchedPage> {
    const watched = await openPage(browser, server.url + path, look);
    opened.push(watched);
    return watched;
  }

  async function openFigures(path: string, look?: PageLook): Promise<WatchedPage> {
    const watched = await open(path, look);
    await watched.page.locator(`${TABLE} tbody tr`).first().waitFor();
    await watched.page.locator('[role=img] svg path').first().waitFor({ state: 'attached' });
    return watched;
  }

  test('shows every figure of the API digit for digit, and asks nobody else', async () => {
    const { page, complaints } = await openFigures('/');
    await expectExactFigures(page, server.url, '2025-01-01T00:00:00Z', '2025-02-01T00:00:00Z');
    expect(await textOf(page.locator('h1'))).toBe('Cost');
    expect(await page.getByText('balanced', { exact: true }).count()).toBe(1);
    expect(complaints).toEqual([]);
  });

  test('a figure of a single pair keeps its last digit, per call and per thousand', async () => {
    const { page } = await openFigures('/cost?view=both&basis=direct&tenant=acme&digits=exact');
    await page.getByRole('searchbox', { name: 'Filter rows by name' }).fill('get /cart');
    await page.getByText('1 pair', { exact: true }).waitFor();
    await page.getByRole('searchbox', { name: 'Filter rows by name' }).fill('');
    const row = page.locator(`${TABLE} tbody tr`).filter({ hasText: '$0.001259735016' });
    expect(await textOf(row)).toContain('$0.138570851747471218');
    await choose(page, 'Per 1,000');
    await page.locator(`${TABLE} tbody tr`).filter({ hasText: '$1.259735016' }).waitFor();
    expect(page.url()).toContain('per=1000');
  });

  test('the period is in the address, by month and by days', async () => {
    const { page } = await openFigures('/cost');
    await page.getByLabel('Period').selectOption('2024-12');
    await page.getByText('Credits make out of scope negative').waitFor();
    expect(page.url()).toContain('month=2024-12');
    await page.goBack();
    await page.locator(`${TABLE} tbody tr`).first().waitFor();
    await page.getByLabel('Period').selectOption('days');
    await page.getByLabel('Last day (UTC)').fill('2025-01-12');
    await page.getByLabel('Last day (UTC)').press('Enter');
    await page.waitForURL(/from=2025-01-01&to=2025-01-13/);
    await page.getByText('1 Jan 2025 to 12 Jan 2025').waitFor();
    await page.getByLabel('First day (UTC)').fill('2025-02-12');
    await page.getByRole('alert').waitFor();
    expect(page.url()).toContain('from=2025-01-01');
  });

  test('a tenant narrows the page, and the way back is a button', async () => {
    const { page } = await openFigures('/cost?view=tenant');
    await page.getByRole('link', { name: 'globex', exact: true }).click();
    await page.waitForURL(/tenant=globex/);
    await page.getByRole('table', { name: 'Cost per call by endpoint' }).waitFor();
    const calls = rowsBy('tenant').find((row) => row.tenant === 'globex')?.calls ?? 0;
    await page.locator('dl').getByText(calls.toLocaleString('en-US'), { exact: true }).waitFor();
    await page.getByText('of globex').waitFor();
    await page.getByRole('button', { name: 'Show every tenant, not only globex' }).click();
    await expect.poll(() => page.url()).not.toContain('globex');
  });

  test('tables sort by keyboard and say so', async () => {
    const { page } = await openFigures('/cost');
    const header = page.locator(TABLE).getByRole('columnheader', { name: 'Calls' });
    await header.getByRole('button').focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => header.getAttribute('aria-sort')).toBe('descending');
    const most = rowsBy('endpoint').sort((a, b) => (b.calls ?? 0) - (a.calls ?? 0));
    expect(await textOf(page.locator(`${TABLE} tbody th`).first())).toBe(most[0]?.endpoint);
    await page.keyboard.press('Space');
    await expect.poll(() => header.getAttribute('aria-sort')).toBe('ascending');
    expect(await textOf(page.locator(`${TABLE} tbody th`).first())).toBe(most.at(-1)?.endpoint);
  });

  test('a residual is loud', async () => {
    const answer = januaryCost('tenant');
    server.scene.cost = () => ok({ ...answer, identity: { ...answer.identity, residual: moneyText(1n) } });
    const { page } = await open('/cost');
    const alert = page.getByRole('alert');
    expect(await textOf(alert)).toContain('These figures do not add up to the bill');
    expect(await textOf(alert)).toContain('$0.000000000000000001');
  });

  test('an empty meter says how to begin, and moves on by itself', async () => {
    server.scene.status = () => ok(EMPTY_STATUS);
    const { page, complaints } = await open('/');
    await page.getByText('OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318').waitFor();
    for (const command of ['npx taximeter ingest access.log', 'npx taximeter bill import bill.csv'])
      expect(await page.getByRole('button', { name: `Copy: ${command}` }).count()).toBe(1);
    expect(await accessibilityFindings(page)).toEqual([]);
    server.scene.status = () => ok(STATUS);
    await page.locator(`${TABLE} tbody tr`).first().waitFor();
    expect(complaints).toEqual([]);
  });

  test('half a picture says what is missing', async () => {
    server.scene.status = () => ok({ ...STATUS, charges: 0, models: [] });
    const { page } = await openFigures('/cost');
    await page.getByText('There are calls, but no bill yet').waitFor();
    await page.getByText('npx taximeter apply -f model.yaml').waitFor();
  });

  test('a failed question shows its problem, never a zero, and can be asked again', async () => {
    server.scene.cost = () =>
      refused(422, 'COST_PERIOD_UNKNOWN', 'No such period', 'The range holds no billing period.');
    const { page } = await open('/cost');
    await page.getByText('COST_PERIOD_UNKNOWN · 422').waitFor();
    expect(await page.getByText('The range holds no billing period.').count()).toBe(1);
    expect(await page.getByText('Full cost per call').count()).toBe(0);
    expect(await page.getByText('Where the bill went').count()).toBe(0);
    server.reset();
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.locator(`${TABLE} tbody tr`).first().waitFor();
  });

  test('gaps are gaps, and the chart can be read as a table', async () => {
    const { page } = await openFigures('/cost');
    await page.getByText('The same as a table').click();
    const table = page.getByRole('table', { name: 'Calls and errors per hour' });
    await table.waitFor();
    await page.getByRole('button', { name: 'Next' }).last().click();
    await page.getByRole('button', { name: 'Next' }).last().click();
    expect(await textOf(table.getByRole('row', { name: '8 Jan, 02:00' }))).toContain('nothing recorded');
    await choose(page, 'Europe/Berlin');
    await table.getByRole('row', { name: '6 Jan, 01:00' }).waitFor();
    expect(page.url()).toContain('zone=local');
  });

  test('the theme is a choice that stays', async () => {
    const { page } = await openFigures('/cost');
    const scheme = () => page.locator('html').getAttribute('data-mantine-color-scheme');
    expect(await scheme()).toBe('light');
    await choose(page, 'Dark');
    await expect.poll(scheme).toBe('dark');
    await page.locator('[role=img] svg path[fill="#8fa9ff"]').first().waitFor({ state: 'attached' });
    await page.reload();
    expect(await scheme()).toBe('dark');
  });

  test('the skip link leads past the header', async () => {
    const { page } = await openFigures('/cost');
    await page.keyboard.press('Tab');
    expect(await textOf(page.locator(':focus'))).toBe('Skip to the figures');
    await page.keyboard.press('Enter');
    expect(await page.locator(':focus').getAttribute('id')).toBe('main');
  });

  test.each([
    ['light', '/cost', 1280],
    ['dark', '/cost', 1280],
    ['light', '/cost?view=both&digits=exact&tenant=acme', 360],
    ['dark', '/cost?from=2025-01-06&to=2025-01-13&view=tenant', 360],
    ['dark', '/cost?month=2024-12', 1280],
  ] as const)(
    'axe finds nothing serious in %s on %s at %i pixels, and nothing sticks out',
    async (colorScheme, path, width) => {
      const { page, complaints } = await open(path, { colorScheme, width });
      await page.getByText('Google Cloud 01A2B3').first().waitFor();
      await page.getByRole('heading', { name: 'Where the bill went' }).waitFor();
      expect(await accessibilityFindings(page)).toEqual([]);
      const overflowPx = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
      expect(overflowPx).toBeLessThanOrEqual(0);
      expect(complaints).toEqual([]);
    },
  );
});
