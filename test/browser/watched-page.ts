import { type Browser, chromium, type Page } from 'playwright-core';
import { findChromium } from './chromium.ts';

/** What a page did besides what it was asked for. */
export interface WatchedPage {
  readonly page: Page;
  /** Origins it sent requests to. */
  readonly origins: ReadonlySet<string>;
  /** Errors of its scripts, and what its Content-Security-Policy blocked. */
  readonly problems: readonly string[];
}

/**
 * Starts the browser of this machine, with nothing that talks to other servers by itself.
 *
 * @param args more of its options
 */
export function openBrowser(args: readonly string[] = []): Promise<Browser> {
  const executablePath = findChromium();
  return chromium.launch({
    ...(executablePath && { executablePath }),
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...args,
    ],
  });
}

/** A new page that is watched from its first request on. */
export async function openPage(
  browser: Browser,
  options: Parameters<Browser['newPage']>[0] = {},
): Promise<WatchedPage> {
  const page = await browser.newPage(options);
  const origins = new Set<string>();
  const problems: string[] = [];
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol.startsWith('http')) origins.add(origin);
  });
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      console.error(`Content-Security-Policy: ${violatedDirective} ${blockedURI}`),
    );
  });
  return { page, origins, problems };
}
