import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const PATH = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

/** Why browser tests cannot run here; null when they can. CI may not do without. */
export function browserAbsence(): string | null {
  if (existsSync(PATH)) return null;
  const reason = `no browser at ${PATH}: install chromium or set CHROMIUM_PATH`;
  if (process.env.CI) throw new Error(reason);
  console.warn(`skipping browser tests: ${reason}`);
  return reason;
}

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: PATH,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
}

export interface WatchedPage {
  readonly page: Page;
  /** Everything that a clean page does not have: console errors, exceptions, requests to other origins. */
  readonly complaints: string[];
  close(): Promise<void>;
}

export interface PageLook {
  readonly colorScheme?: 'light' | 'dark';
  readonly width?: number;
}

export async function openPage(browser: Browser, url: string, look: PageLook = {}): Promise<WatchedPage> {
  const context = await browser.newContext({
    colorScheme: look.colorScheme ?? 'light',
    viewport: { width: look.width ?? 1280, height: 900 },
    timezoneId: 'Europe/Berlin',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  const origin = new URL(url).origin;
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`));
  page.on('request', (request) => {
    const target = new URL(request.url());
    if (target.protocol !== 'data:' && target.origin !== origin) complaints.push(`request: ${request.url()}`);
  });
  await page.goto(url);
  return { page, complaints, close: () => context.close() };
}
