import type { Page, Route } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { post } from '../contracts/exchanges.ts';
import { ONE, TWO } from '../shared/playground/curves/scrapes.ts';
import { openLocalServer } from '../support/hosts/child-process.ts';
import { findChromium } from './chromium.ts';
import { expectContrast } from './contrast.ts';
import { type Playground, startPlayground } from './playground.ts';

const PATH = '/?page=curves';
const ROW = { features: [5.1, 3.5, 1.4, 0.2] };
const TITLES = [
  'Requests',
  'Errors',
  'Latency',
  'Time by step',
  'Batch size',
  'In progress and waiting',
  'Memory',
  'Processor',
  'Loads and cold starts',
];

/** Answers requests for metrics with texts, the last of them again and again, on a clock that the test moves. */
async function replay(page: Page, ...texts: readonly string[]): Promise<() => number> {
  let asked = 0;
  await page.clock.install({ time: new Date('2026-01-01T11:59:00') });
  await page.clock.pauseAt(new Date('2026-01-01T12:00:00'));
  await page.route('**/metrics*', async (route) => {
    const body = texts[Math.min(asked, texts.length - 1)] ?? '';
    asked += 1;
    await route.fulfill({ contentType: 'text/plain; version=0.0.4', body });
  });
  await page.reload();
  await expect.poll(() => asked).toBe(1);
  // The clock must not move before the page has taken the reading.
  await page.getByText('Reading the metrics').waitFor({ state: 'detached' });
  return () => asked;
}

/** Moves the clock until there is another reading, and waits until the page shows it. */
async function nextReading(page: Page): Promise<void> {
  // The timer of a reading is set before the values of the one before are shown.
  await expect.poll(() => stateOf(page)).toMatch(/^Every two seconds\./);
  await page.clock.runFor(2000);
  const time = await page.evaluate(() => new Date().toLocaleTimeString());
  await expect.poll(() => stateOf(page)).toContain(`Latest values: ${time}`);
}

const stateOf = (page: Page) => page.locator('#state').textContent();

const legendOf = (page: Page, title: string) =>
  page.getByRole('region', { name: title, exact: true }).locator('.legend').innerText();

describe.runIf(findChromium())('the curves', () => {
  let playground: Playground;
  beforeAll(async () => {
    playground = await startPlayground();
  });
  afterAll(() => playground?.close());

  it('say how to begin, and show what a server does', async () => {
    const { page, complaints, requests } = await playground.open(PATH);
    await page.getByText('No model of this server has answered a request yet.').waitFor();
    const isDone = new AbortController();
    const load = (async () => {
      while (!isDone.signal.aborted) {
        await playground.host.send(post('/models/iris/predict', ROW));
        await playground.host.send(post('/models/iris/predict', { features: [1] }));
      }
    })();
    await expect.poll(() => legendOf(page, 'Errors'), { timeout: 15_000 }).toMatch(/INVALID_\w+\s+[1-9]/);
    isDone.abort();
    await load;
    expect(await legendOf(page, 'Latency')).toMatch(/^p50\s+[\d.]+ ms\s+p95\s+[\d.]+ ms\s+p99\s+[\d.]+ ms$/);
    expect(await legendOf(page, 'Time by step')).toMatch(/run\s+[\d.]+ ms/);
    expect(await legendOf(page, 'Memory')).toMatch(/^process\s+[\d.]+ MB\s+heap\s+[\d.]+ MB$/);
    expect(await page.getByText('No model of this server').count()).toBe(0);
    expect(await page.getByRole('heading', { level: 2 }).allInnerTexts()).toEqual(TITLES);
    expect(await page.getByLabel('Model').locator('option').allInnerTexts()).toContain('iris/2');
    expect(complaints).toEqual([]);
    const { origin } = new URL(page.url());
    expect(requests.filter((url) => !url.startsWith(origin))).toEqual([]);
    expect(requests).toContain(`${origin}/metrics`);
  });

  it('have the values of the readings, as text and as a table, also of one version', async () => {
    const { page } = await playground.open(PATH);
    await replay(page, ONE, TWO);
    await nextReading(page);
    await expect.poll(() => legendOf(page, 'Requests')).toBe('requests\n6');
    expect(await legendOf(page, 'Errors')).toBe('INVALID_PARAMETER_VALUE\n1\nMODEL_UNAVAILABLE\n0');
    expect(await legendOf(page, 'Latency')).toBe('p50\n150 ms\np95\n195 ms\np99\n199 ms');
    expect(await legendOf(page, 'Batch size')).toBe('mean\n2.50\np95\n4');
    expect(await legendOf(page, 'In progress and waiting')).toBe('in progress\n2\nwaiting\n4');
    await nextReading(page);
    await expect.poll(() => legendOf(page, 'Latency')).toBe('p50\nnone\np95\nnone\np99\nnone');
    const requests = page.getByRole('region', { name: 'Requests', exact: true });
    await requests.getByText('Table').click();
    expect(await requests.getByRole('row').allInnerTexts()).toEqual([
      'Time\trequests',
      expect.stringMatching(/^12:00:04\sPM\t0$/),
      expect.stringMatching(/^12:00:02\sPM\t6$/),
    ]);
    expect(await requests.locator('path.line').getAttribute('d')).toBe('M96.67 0L100 100');
    await page.getByLabel('Model').selectOption('iris/2');
    await expect.poll(() => requests.locator('path.line').getAttribute('d')).toBe('M96.67 16.67L100 100');
    expect(await legendOf(page, 'Memory')).toBe('process\n200.0 MB\nheap\n50.0 MB');
  });

  it('give the values of a time to a pointer and to the keyboard, in all charts', async () => {
    const { page } = await playground.open(PATH);
    await replay(page, ONE, TWO);
    for (const _ of [1, 2, 3]) await nextReading(page);
    const time = page.getByRole('slider', { name: 'Time in Requests' });
    const value = () => time.getAttribute('aria-valuetext');
    await expect.poll(value).toMatch(/^12:00:06\sPM: requests 0$/);
    await time.focus();
    await page.keyboard.press('Home');
    await expect.poll(value).toMatch(/^12:00:02\sPM: requests 6$/);
    expect(await legendOf(page, 'Latency')).toBe('p50\n150 ms\np95\n195 ms\np99\n199 ms');
    await page.keyboard.press('ArrowRight');
    await expect.poll(value).toMatch(/^12:00:04\sPM: requests 0$/);
    // A new reading changes nothing while somebody reads the values of a time.
    await nextReading(page);
    expect(await value()).toMatch(/^12:00:04\sPM: requests 0$/);
    await time.blur();
    await expect.poll(value).toMatch(/^12:00:08\sPM: requests 0$/);
    const box = await time.boundingBox();
    if (!box) throw new Error('there is no plot');
    await page.mouse.move(box.x + box.width * 0.5, box.y + box.height / 2);
    await expect.poll(value).toMatch(/^12:00:02\sPM: requests 6$/);
    await page.mouse.move(0, 0);
    await expect.poll(value).toMatch(/^12:00:08\sPM: requests 0$/);
  });

  it('are not read while the page is hidden or paused', async () => {
    const { page } = await playground.open(PATH);
    const asked = await replay(page, ONE, TWO);
    const see = (state: 'hidden' | 'visible') =>
      page.evaluate((visibility) => {
        Object.defineProperty(document, 'visibilityState', { value: visibility, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      }, state);
    await nextReading(page);
    await expect.poll(() => legendOf(page, 'Requests')).toBe('requests\n6');
    await see('hidden');
    await page.clock.runFor(60_000);
    expect(asked()).toBe(2);
    await see('visible');
    await expect.poll(asked).toBe(3);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.clock.runFor(60_000);
    expect(asked()).toBe(3);
    await page.getByRole('button', { name: 'Continue' }).click();
    await expect.poll(asked).toBe(4);
  });

  it('ask for the token of the server, and keep it in memory alone', async () => {
    const host = await openLocalServer({ METRICS_TOKEN: 'a-long-secret' });
    onTestFinished(() => host.close());
    const { page, requests } = await playground.open(PATH, { origin: `http://127.0.0.1:${host.port}` });
    const field = page.getByLabel('METRICS_TOKEN of the server');
    await field.waitFor();
    const before = requests.length;
    await field.fill('wrong');
    await page.getByRole('button', { name: 'Show curves' }).click();
    await page.getByText('This token is not the one of the server.').waitFor();
    expect(await field.inputValue()).toBe('');
    await field.fill('a-long-secret');
    await field.press('Enter');
    await page.getByRole('heading', { name: 'Requests' }).waitFor();
    expect(await field.isVisible()).toBe(false);
    expect(requests.slice(before).filter((url) => url.includes('secret'))).toEqual([]);
    const kept = await page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, document.body.innerHTML]),
    );
    expect(kept).not.toContain('secret');
    await page.reload();
    await field.waitFor();
  });

  it('say what to do instead where an instance has no metrics, and do not ask again', async () => {
    const host = await openLocalServer({ METRICS: 'none' });
    onTestFinished(() => host.close());
    const { page, requests } = await playground.open(PATH, { origin: `http://127.0.0.1:${host.port}` });
    await page.locator('.failure', { hasText: '404 ENDPOINT_NOT_FOUND' }).waitFor();
    const advice =
      'An instance of a function app cannot be asked for its metrics: queries over its log have them.';
    await page.route('**/metrics', (route) =>
      route.fulfill({ status: 404, json: { error: advice, error_code: 'ENDPOINT_NOT_FOUND' } }),
    );
    await page.clock.install();
    await page.reload();
    await page.getByText(advice).waitFor();
    expect(await page.locator('.chart').first().isVisible()).toBe(false);
    const before = requests.length;
    await page.clock.runFor(60_000);
    expect(requests.length).toBe(before);
  });

  it('say that metrics under the names of other servers are not enough', async () => {
    const { page } = await playground.open(PATH);
    await replay(page, 'nv_inference_count 3\n');
    await page.getByText('add "ternion" to METRICS').waitFor();
  });

  it('continue when a server that was away is back', async () => {
    const { page } = await playground.open(PATH);
    await replay(page, ONE, TWO);
    await nextReading(page);
    await expect.poll(() => legendOf(page, 'Requests')).toBe('requests\n6');
    await page.route('**/metrics', (route) => route.abort('connectionrefused'));
    const failed = page.waitForEvent('requestfailed');
    await page.clock.runFor(2000);
    await failed;
    await page.getByText('The server cannot be reached.').waitFor();
    expect(await legendOf(page, 'Requests')).toBe('requests\n6');
    await page.unroute('**/metrics');
    await nextReading(page);
    await page.getByText('The server cannot be reached.').waitFor({ state: 'detached' });
  });

  it('say nothing about a reading that fails after a pause', async () => {
    const { page } = await playground.open(PATH);
    await replay(page, ONE, TWO);
    await nextReading(page);
    await expect.poll(() => legendOf(page, 'Requests')).toBe('requests\n6');
    const held: Route[] = [];
    await page.route('**/metrics', (route) => void held.push(route));
    await page.clock.runFor(2000);
    await expect.poll(() => held.length).toBe(1);
    await page.getByRole('button', { name: 'Pause' }).click();
    const failed = page.waitForEvent('requestfailed');
    await held[0]?.abort('connectionrefused');
    await failed;
    // The page has handled the failure before it handles an answer that comes later.
    await page.evaluate(async () => await (await fetch('/health')).text());
    expect(await page.getByText('The server cannot be reached.').count()).toBe(0);
  });

  it('show names as text, also if they look like markup', async () => {
    const { page, complaints } = await playground.open(PATH);
    const name = '<img src=x onerror=alert(1)>';
    const rename = (text: string) =>
      text.replaceAll('"iris"', JSON.stringify(name)).replaceAll('INVALID_PARAMETER_VALUE', name);
    await replay(page, rename(ONE), rename(TWO));
    await nextReading(page);
    await expect.poll(() => legendOf(page, 'Errors')).toContain(name);
    expect(await page.getByLabel('Model').locator('option').allInnerTexts()).toEqual([
      'All models',
      `${name}/1`,
      `${name}/2`,
    ]);
    expect(await page.locator('main img').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('are linked with the playground, and keep the key of a gateway', async () => {
    const { page, requests } = await playground.open('/?code=key#model=iris');
    await page.getByRole('link', { name: 'Curves' }).click();
    await page.getByRole('heading', { name: 'Ternion curves' }).waitFor();
    const { origin } = new URL(page.url());
    expect(page.url()).toBe(`${origin}/?code=key&page=curves`);
    await expect.poll(() => requests).toContain(`${origin}/metrics?code=key`);
    await page.getByRole('link', { name: 'Playground' }).click();
    await page.getByRole('heading', { name: 'Ternion playground' }).waitFor();
    // The page names the model in its address when it has the list of models.
    await expect.poll(() => page.url()).toMatch(/\/\?code=key#model=\w+/);
  });

  it.each(['light', 'dark'] as const)(
    'have enough contrast in %s colours, and fit a phone',
    async (colorScheme) => {
      const { page } = await playground.open(PATH, { colorScheme, viewport: { width: 360, height: 740 } });
      await replay(page, ONE, TWO);
      await nextReading(page);
      await expect.poll(() => legendOf(page, 'Requests')).toBe('requests\n6');
      for (const each of await page.getByText('Table').all()) await each.click();
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
      await expectContrast(page);
      const faint = await page.evaluate(
        () =>
          [...document.querySelectorAll('path.line, path.area')].filter((path) => {
            const { stroke, fill } = getComputedStyle(path);
            return [stroke, fill].every((colour) => colour === 'none');
          }).length,
      );
      expect(faint).toBe(0);
      const tree = await page.locator('body').ariaSnapshot();
      expect(tree).not.toMatch(/- (button|textbox|combobox|slider|region|link|img)( \[.*\])?:?$/m);
    },
  );
});
