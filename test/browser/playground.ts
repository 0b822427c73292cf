import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { FLOAT, identityModel } from '../support/build-model.ts';
import { readEstimator } from '../support/estimators.ts';
import { type ChildHost, openLocalServer } from '../support/hosts/child-process.ts';
import { TEST_ENVIRONMENT } from '../support/hosts/environment.ts';
import { PROJECT } from '../support/project.ts';
import { writeFiles } from '../support/temporary-folder.ts';
import { openBrowser } from './watched-page.ts';

/** Models of other tasks, by the folders of their exports. */
const EXPORTS = {
  mood: 'optimum/bert-sentiment',
  vectors: 'optimum/bert-features',
  columns: 'tabular/sklearn-columns',
};

const SQUARE = {
  task: 'tabular-regression',
  description: 'Gives back what it is given.',
  features: [{ name: 'size', unit: 'm²', range: [10, 1000], description: 'Living space' }],
};

/** A digit the example model was not trained on. */
export const SEVEN = join(PROJECT, 'test/fixtures/digits/07-label-7.png');
export const SEVEN_BASE64 = readFileSync(SEVEN).toString('base64');

/** A browser, and the built server with the example models and a model of each other task. */
export interface Playground {
  readonly host: ChildHost;
  /** A new page at a path, closed when the running test is over. */
  open(path: string, options?: BrowserContextOptions & { readonly origin?: string }): Promise<OpenPage>;
  close(): Promise<void>;
}

export interface OpenPage {
  readonly page: Page;
  /** What the browser complains about: its console, errors in scripts, violations of the page's policy. */
  readonly complaints: readonly string[];
  /** Every URL that was asked for. */
  readonly requests: readonly string[];
}

export async function startPlayground(): Promise<Playground> {
  const models = await mkdtemp(join(tmpdir(), 'ternion-browser-'));
  await cp(TEST_ENVIRONMENT.MODEL_REPOSITORY, models, { recursive: true });
  await writeFiles(models, {
    'square/1/model.onnx': identityModel(FLOAT, ['n', 1]),
    'square/1/model.json': JSON.stringify(SQUARE),
    'tensors/1/model.onnx': identityModel(FLOAT, ['n', 3]),
    // Its example would be huge.
    'wide/1/model.onnx': identityModel(FLOAT, ['n', 3, 512, 512]),
    'outliers/1/model.onnx': readEstimator('isolation-forest'),
    'outliers/1/model.json': JSON.stringify({ task: 'tabular' }),
    'broken/1/model.onnx': 'not a model',
  });
  for (const [name, folder] of Object.entries(EXPORTS)) {
    await cp(join(PROJECT, 'test/fixtures/formats', folder), join(models, name, '1'), { recursive: true });
  }
  const host = await openLocalServer({ MODEL_REPOSITORY: models });
  const browser = await openBrowser();
  return {
    host,
    open: (path, { origin = `http://127.0.0.1:${host.port}`, ...options } = {}) =>
      openPage(browser, origin + path, options),
    close: async () => {
      await browser.close();
      await host.close();
      await rm(models, { recursive: true });
    },
  };
}

async function openPage(browser: Browser, url: string, options: BrowserContextOptions): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(10_000);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(url);
  return { page, complaints, requests };
}

type Point = readonly [x: number, y: number];

/** Draws with the mouse, in shares of the paper's sides. */
export async function draw(page: Page, ...strokes: readonly (readonly Point[])[]): Promise<void> {
  const paper = page.getByRole('img', { name: 'Paper to draw on' });
  await paper.scrollIntoViewIfNeeded();
  const box = await paper.boundingBox();
  if (!box) throw new Error('there is no paper');
  for (const [start, ...points] of strokes) {
    if (!start) continue;
    await page.mouse.move(box.x + start[0] * box.width, box.y + start[1] * box.height);
    await page.mouse.down();
    for (const [x, y] of points)
      await page.mouse.move(box.x + x * box.width, box.y + y * box.height, { steps: 4 });
    await page.mouse.up();
  }
}

/** A seven. */
export const SEVEN_STROKE: readonly Point[] = [
  [0.26, 0.16],
  [0.74, 0.16],
  [0.46, 0.86],
];

/** The paper as a hand sees it: how many of its pixels are inked. */
export async function countInk(page: Page): Promise<number> {
  return await page.getByRole('img', { name: 'Paper to draw on' }).evaluate((canvas) => {
    if (!(canvas instanceof HTMLCanvasElement)) throw new Error('the paper is not a canvas');
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
    copy?.drawImage(canvas, 0, 0);
    const pixels = copy?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    return [...pixels].filter((value, index) => index % 4 === 0 && value < 128).length;
  });
}
