import { launchBrowser, openPage } from './browser.ts';
import { ensureBuiltDashboard } from './built-dashboard.ts';
import { startFixtureServer } from './fixture-server.ts';

// Draws the pictures of the documentation anew: npx tsx test/browser/dashboard/pictures.ts
const PICTURES = new URL('../../../docs/images/', import.meta.url).pathname;

ensureBuiltDashboard();
const server = await startFixtureServer();
const browser = await launchBrowser();
for (const colorScheme of ['light', 'dark'] as const) {
  const { page, close } = await openPage(browser, `${server.url}/cost`, { colorScheme, width: 1360 });
  await page.getByText('Google Cloud 01A2B3').first().waitFor();
  await page.locator('[role=img] svg path').first().waitFor({ state: 'attached' });
  await page.evaluate('document.fonts.ready.then(() => true)');
  await page.screenshot({
    path: `${PICTURES}cost-${colorScheme}.png`,
    fullPage: true,
    clip: { x: 0, y: 0, width: 1360, height: 1640 },
  });
  await close();
}
await browser.close();
await server.close();
