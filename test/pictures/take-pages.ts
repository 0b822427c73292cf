import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { CHARTS } from '../../shared/playground/curves/charts.ts';
import { openBrowser } from '../browser/watched-page.ts';
import { PAGE_PICTURES } from './pictures.ts';

/** Below the last chart of a picture, in pixels of CSS. */
const MARGIN = 16;

/** What the pictures of the page say about themselves. */
export const PAGE_ORIGIN: string = JSON.stringify(CHARTS.map(({ title, note }) => [title, note]));

export interface OpenPages {
  /** Lets the pages forget what was before. */
  begin(): Promise<void>;
  /** Writes a picture of each page into a folder. */
  take(folder: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens the curves of a server once for each picture. */
export async function openPages(url: string): Promise<OpenPages> {
  const browser: Browser = await openBrowser();
  const pages: (readonly [(typeof PAGE_PICTURES)[number], Page])[] = [];
  for (const picture of PAGE_PICTURES) {
    const { width, scale, colorScheme } = picture;
    const page = await browser.newPage({
      viewport: { width, height: 900 },
      colorScheme,
      deviceScaleFactor: scale,
    });
    await page.goto(`${url}/?page=curves`);
    pages.push([picture, page]);
  }
  return {
    begin: async () => {
      for (const [, page] of pages) await page.reload();
    },
    take: async (folder) => {
      for (const [{ file, width, charts }, page] of pages) {
        await page.bringToFront();
        const last = await page
          .locator('.chart')
          .nth(charts - 1)
          .boundingBox();
        if (!last) throw new Error(`The page for ${file} has not ${charts} charts.`);
        const clip = { x: 0, y: 0, width, height: Math.round(last.y + last.height + MARGIN) };
        const image = await page.screenshot({ fullPage: true, clip });
        await sharp(image)
          .png({ palette: true, colours: 64, effort: 10 })
          .withExif({ IFD0: { ImageDescription: PAGE_ORIGIN } })
          .toFile(join(folder, file));
      }
    },
    close: () => browser.close(),
  };
}
