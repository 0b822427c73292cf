import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium } from '../browser/chromium.ts';
import { openBrowser, openPage } from '../browser/watched-page.ts';
import { listPages, serveSite } from './site.ts';

const pages = listPages();
/** All pages to read, and one of the pages that show a file: these differ only in the file. */
const looked = [
  ...pages.filter((path) => !path.startsWith('/files/')),
  ...pages.filter((path) => path.startsWith('/files/')).slice(0, 1),
];

const PHONE = { width: 360, height: 740 };

describe.runIf(findChromium())('the built site on a phone', () => {
  let browser: Browser;
  let site: Awaited<ReturnType<typeof serveSite>>;
  beforeAll(async () => {
    browser = await openBrowser();
    site = await serveSite();
  });
  afterAll(async () => {
    await browser?.close();
    site?.close();
  });

  describe.each(['light', 'dark'] as const)('in %s colours', (colorScheme) => {
    const open = () => openPage(browser, { colorScheme, viewport: PHONE });

    it.each(looked)('fits %s into 360 pixels, without a request to another host', async (path) => {
      const { page, origins, problems } = await open();
      await page.goto(site.origin + path);
      for (const diagram of await page.locator('pre.diagram').all()) await diagram.locator('svg').waitFor();
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(PHONE.width);
      expect(await page.evaluate(findWhatSticksOut)).toEqual([]);
      expect([...origins]).toEqual([site.origin]);
      expect(problems).toEqual([]);
      await page.close();
    });

    it('has the colours that the reader has chosen', async () => {
      const { page } = await open();
      await page.goto(site.origin);
      const colour = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const [red = 0] = colour.match(/\d+/g)?.map(Number) ?? [];
      expect(red > 128).toBe(colorScheme === 'light');
      await page.close();
    });
  });

  it('draws a diagram again when the colours change', async () => {
    const { page, problems } = await openPage(browser, { colorScheme: 'light', viewport: PHONE });
    await page.goto(`${site.origin}/docs/architecture/`);
    const box = page.locator('pre.diagram .node rect.label-container').first();
    await box.waitFor();
    const colourOfBox = () => box.evaluate((element) => getComputedStyle(element).fill);
    const light = await colourOfBox();
    await page.evaluate(() => {
      document.documentElement.dataset.theme = 'dark';
    });
    await expect.poll(colourOfBox).not.toBe(light);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('finds a page by its words, without a service', async () => {
    const { page, origins, problems } = await openPage(browser);
    await page.goto(site.origin);
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByRole('dialog').getByRole('textbox').fill('tokenizer');
    await page.getByRole('dialog').locator('a[href^="/docs/preprocessing/"]').first().waitFor();
    expect([...origins]).toEqual([site.origin]);
    expect(problems).toEqual([]);
    await page.close();
  });
});

/** Elements to the right of the screen that no scrolling of their own brings back. Runs in the page. */
function findWhatSticksOut(): readonly string[] {
  const width = document.documentElement.clientWidth;
  const scrolls = (element: Element | null): boolean =>
    element !== null && (getComputedStyle(element).overflowX !== 'visible' || scrolls(element.parentElement));
  return [...document.querySelectorAll('main *')]
    .filter((element) => element.checkVisibility() && element.getBoundingClientRect().right > width + 0.5)
    .filter((element) => !scrolls(element.parentElement))
    .map((element) => `${element.tagName}: ${element.textContent?.slice(0, 60)}`);
}
