import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningTaximeter, startTaximeter } from '../support/taximeter.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { browserAbsence, launchBrowser, openPage } from './dashboard/browser.ts';
import { accessibilityFindings } from './dashboard/checks.ts';

const TOKEN = 'a-token-of-twenty-characters';
const absence = browserAbsence();

describe.skipIf(absence !== null)('the dashboards of a server with a token', () => {
  const folder = tempFolder('sign-in');
  let browser: Browser;
  let server: RunningTaximeter;

  beforeAll(async () => {
    server = await startTaximeter(folder.path, { TAXIMETER_TOKEN: TOKEN });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    folder.remove();
  });

  test('ask for it once, show the page that was wanted, and forget it at sign-out', async () => {
    const { page, complaints, close } = await openPage(browser, `${server.api}/cost`);
    const heading = page.getByRole('heading', { name: 'Sign in', level: 1 });
    const snippet = page.getByText('OTEL_EXPORTER_OTLP_ENDPOINT').first();
    await page.getByLabel('Token', { exact: true }).fill('not the token');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('This is not the token').waitFor();
    await page.getByLabel('Token', { exact: true }).fill(TOKEN);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await snippet.waitFor();
    expect(new URL(page.url()).pathname).toBe('/cost');
    expect(await page.evaluate('document.cookie')).toBe('');
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', secure: false });

    await page.reload();
    await snippet.waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await heading.waitFor();
    expect(await snippet.isVisible()).toBe(false);
    const again = await fetch(`${server.api}/api/v1/status`, {
      headers: { cookie: `${cookie!.name}=${cookie!.value}` },
    });
    expect(again.status).toBe(401);
    expect(complaints.filter((line) => !line.includes('status of 401'))).toEqual([]);
    await close();
  });

  test.each(['light', 'dark'] as const)('ask for it accessibly, %s', async (colorScheme) => {
    const { page, close } = await openPage(browser, server.api, { colorScheme, width: 390 });
    await page.getByRole('heading', { name: 'Sign in', level: 1 }).waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    await close();
  });
});
