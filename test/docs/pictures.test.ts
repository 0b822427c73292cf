import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { linkTargetsOf } from '../../docs/site/markdown.ts';
import { describePicture, pictureOf } from '../../functions/cli/top/picture.ts';
import { compareReadings } from '../../shared/scrapes/changes.ts';
import { readMetrics } from '../../shared/scrapes/read-metrics.ts';
import { originOf, PAGE_PICTURES, PANEL_PICTURES, PICTURES, TERMINAL_PICTURE } from '../pictures/pictures.ts';
import { unescapeXml } from '../pictures/svg.ts';
import { PAGE_ORIGIN } from '../pictures/take-pages.ts';
import { ONE, TWO } from '../shared/playground/curves/scrapes.ts';
import { PROJECT } from '../support/project.ts';

const MOST_BYTES: Readonly<Record<string, number>> = { svg: 60_000, png: 150_000 };

const folder = join(PROJECT, PICTURES);
const page = readFileSync(join(PROJECT, 'docs/observe.md'), 'utf8');
const files = readdirSync(folder).sort();
const read = (file: string) => readFileSync(join(folder, file), 'utf8');

describe('the pictures of docs/observe.md', () => {
  it('are those that "npm run generate:pictures" makes, each in the page with a text', () => {
    const made = [...PANEL_PICTURES, ...PAGE_PICTURES].map(({ file }) => file).concat(TERMINAL_PICTURE);
    expect(files).toEqual(made.sort());
    const named = linkTargetsOf(page).filter((target) => target.startsWith('images/'));
    expect(named.toSorted()).toEqual(files.map((file) => `images/observe/${file}`));
    const texts = [...page.matchAll(/!\[([^\]]*)\]\(images|<img [^>]*alt="([^"]*)"/g)].map(
      ([, markdown, html]) => markdown ?? html ?? '',
    );
    expect(texts).toHaveLength(PANEL_PICTURES.length + 2);
    expect(texts.filter((text) => text.length < 30)).toEqual([]);
  });

  it.each(files)('have a size that a phone can load: %s', (file) => {
    const [, kind = ''] = file.split('.');
    expect(readFileSync(join(folder, file)).length).toBeLessThanOrEqual(MOST_BYTES[kind] ?? 0);
  });

  it.each(PANEL_PICTURES)('show the panel as the dashboard has it: $panel', (picture) => {
    const svg = read(picture.file);
    const [, origin = ''] = /<metadata>(.*)<\/metadata>/.exec(svg) ?? [];
    expect(unescapeXml(origin)).toBe(originOf(picture));
    expect(svg).toContain(`class="title">${picture.panel}</text>`);
    expect(svg.match(/<path class="(?:f|line s)\d" d="M[\d.]+ [\d.]+L/g)?.length).toBeGreaterThan(0);
    expect(svg).toContain('@media (prefers-color-scheme:dark)');
  });

  it('show what "ternion top" prints', () => {
    const reading = (atMs: number, text: string) => ({ atMs, samples: readMetrics(text) });
    const words = describePicture('', pictureOf(compareReadings(reading(0, ONE), reading(2000, TWO))))
      .replaceAll(/[\d.]+|(?:iris|decode|run)\b/g, ' ')
      .match(/[A-Za-z/]{2,}/g);
    const shown = read(TERMINAL_PICTURE);
    expect(words?.length).toBeGreaterThan(20);
    expect(words?.filter((word) => !shown.includes(word))).toEqual([]);
  });

  it.each(PAGE_PICTURES)('show the charts that the page has: $file', async ({ file, width, scale }) => {
    const { exif, width: pixels } = await sharp(join(folder, file)).metadata();
    expect(exif?.toString()).toContain(PAGE_ORIGIN);
    expect(pixels).toBe(width * scale);
  });
});
