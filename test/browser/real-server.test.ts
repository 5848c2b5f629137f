import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningTaximeter, startTaximeter, taximeter } from '../support/taximeter.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { browserAbsence, launchBrowser, openPage } from './dashboard/browser.ts';
import { expectExactFigures } from './dashboard/checks.ts';

const absence = browserAbsence();

describe.skipIf(absence !== null)('the dashboards of the running server', () => {
  const folder = tempFolder('real-server');
  let browser: Browser;
  let server: RunningTaximeter;

  beforeAll(async () => {
    server = await startTaximeter(folder.path);
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    folder.remove();
  });

  test('say how to send the first call, and move on when calls and a bill are there', async () => {
    const { page, complaints, close } = await openPage(browser, `${server.api}/`);
    await page.getByText('OTEL_EXPORTER_OTLP_ENDPOINT').first().waitFor();
    const simulate = ['simulate', '--send', '--seed', 'browser', '--start', '2025-01-06T00:00:00Z', '--days', '1'];
    const sent = await taximeter([...simulate, '--calls-per-hour', '40', '--data', folder.path]);
    expect([sent.code, sent.err]).toEqual([0, expect.stringMatching(/Imported a bill of \d+ rows/)]);
    // The page has moved on at the first call; what was allocated after that shows when it is opened again.
    await page.getByRole('heading', { name: 'Cost per call' }).waitFor();
    await page.reload();
    await page.locator('table:has(caption:text-matches("^Cost per call by")) tbody tr').first().waitFor();
    await expectExactFigures(page, server.api, '2025-01-01T00:00:00Z', '2025-02-01T00:00:00Z');
    expect(complaints).toEqual([]);
    await close();
  });
});
