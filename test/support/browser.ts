/** A real Chromium, and what a test wants to know about the pages in it. */

import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Starts headless Chromium. Nothing of it leaves this machine. */
export function launchBrowser(path: string): Promise<Browser> {
  return chromium.launch({
    executablePath: path,
    // Pages that were left come back from memory, as they do for people.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
    args: [
      '--enable-features=BackForwardCache',
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export interface WatchedPage extends AsyncDisposable {
  readonly page: Page;
  /** What the page complained about so far: errors, warnings, violations of its content security policy. */
  readonly complaints: readonly string[];
}

/** A page with a browser profile of its own. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  return { ...watch(page), [Symbol.asyncDispose]: () => context.close() };
}

/** Another tab in the profile of `page`. */
export async function openTab(page: Page): Promise<Omit<WatchedPage, typeof Symbol.asyncDispose>> {
  return watch(await page.context().newPage());
}

function watch(page: Page): Omit<WatchedPage, typeof Symbol.asyncDispose> {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  return { page, complaints };
}
