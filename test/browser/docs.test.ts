import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChildHost, openLocalServer } from '../support/hosts/child-process.ts';
import { PROJECT } from '../support/project.ts';
import { findChromium } from './chromium.ts';
import { openBrowser, openPage } from './watched-page.ts';

const SEVEN = join(PROJECT, 'test/fixtures/digits/07-label-7.png');

describe.runIf(findChromium())('the page at /docs', () => {
  let browser: Browser;
  let host: ChildHost;
  const urlOf = (path: string) => `http://127.0.0.1:${host.port}${path}`;

  beforeAll(async () => {
    browser = await openBrowser();
    host = await openLocalServer({ BASE_PATH: '/prod' });
    // Models are described once they are loaded.
    for (const name of ['iris', 'digits']) expect((await fetch(urlOf(`/models/${name}`))).status).toBe(200);
  });
  afterAll(async () => {
    await browser?.close();
    await host?.close();
  });

  it('tries iris as it is shown, and digits with a file, without a request to another server', async () => {
    const { page, origins, problems } = await openPage(browser);
    await page.goto(urlOf('/docs'));

    const iris = await open(page, 'predict-iris');
    await iris.getByRole('button', { name: 'Try it out' }).click();
    expect(await execute(iris)).toMatchObject({ prediction: 'setosa', model: 'iris' });

    const digits = await open(page, 'predict-digits');
    await digits.getByRole('button', { name: 'Try it out' }).click();
    await digits.locator('input[type=file]').setInputFiles(SEVEN);
    expect(await execute(digits)).toMatchObject({ prediction: '7', model: 'digits' });

    await digits.getByLabel('Request content type').selectOption('image/png');
    await digits.locator('input[type=file]').setInputFiles(SEVEN);
    expect(await execute(digits)).toMatchObject({ prediction: '7', model: 'digits' });

    expect(problems).toEqual([]);
    expect([...origins]).toEqual([urlOf('')]);
    await page.close();
  });

  it.each(['/prod/docs', '/prod/docs/'])(
    'works below a base path, opened at one operation of %s',
    async (path) => {
      const { page, problems } = await openPage(browser);
      const asked: string[] = [];
      page.on('request', (request) => asked.push(new URL(request.url()).pathname));
      await page.goto(urlOf(`${path}#/models/infer-iris`));
      const infer = page.locator('#operations-models-infer-iris');
      await infer.getByRole('button', { name: 'Try it out' }).click();
      expect(await execute(infer)).toMatchObject({ model_name: 'iris', outputs: [{ name: 'logits' }] });
      expect(asked.filter((each) => !each.startsWith('/prod/'))).toEqual([]);
      expect(asked).toContain('/prod/v2/models/iris/infer');
      expect(problems).toEqual([]);
      await page.close();
    },
  );

  it.each(['light', 'dark'] as const)('has %s colours, and fits on a phone', async (colorScheme) => {
    const viewport = { width: 360, height: 740 };
    const { page, problems } = await openPage(browser, { colorScheme, viewport });
    await page.goto(urlOf('/docs'));
    await open(page, 'predict-iris');
    const [colour, width] = await page.evaluate(() => [
      getComputedStyle(document.body).backgroundColor,
      document.documentElement.scrollWidth,
    ]);
    expect(colour).toBe(colorScheme === 'dark' ? 'rgb(28, 32, 34)' : 'rgb(250, 250, 250)');
    expect(width).toBe(360);
    expect(problems).toEqual([]);
    await page.close();
  });
});

async function open(page: Page, operationId: string): Promise<Locator> {
  const operation = page.locator(`#operations-models-${operationId}`);
  await operation.locator('.opblock-summary-control').click();
  return operation;
}

/** The JSON of the answer that the page shows. */
async function execute(operation: Locator): Promise<unknown> {
  const page = operation.page();
  const answered = page.waitForResponse((response) => response.request().method() === 'POST');
  await operation.getByRole('button', { name: 'Execute' }).click();
  expect((await answered).status()).toBe(200);
  const shown = operation.locator('.live-responses-table .highlight-code').first();
  await shown.waitFor();
  const text = await shown.locator('code').innerText();
  return JSON.parse(text);
}
