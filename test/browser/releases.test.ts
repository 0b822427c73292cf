import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openLocalServer } from '../support/hosts/child-process.ts';
import { MODELS } from '../support/project.ts';
import { makeFolder } from '../support/temporary-folder.ts';
import { findChromium } from './chromium.ts';
import { expectContrast } from './contrast.ts';
import { type Playground, startPlayground } from './playground.ts';

const PATH = '/?page=releases#model=iris';
const KEY = 'a-long-secret';
const MARKUP = '<img src=x onerror=alert(1)>';

/** A server with the flower model in three versions, the first of which is live, another model, and their registry. */
async function openReleased() {
  const folder = await makeFolder({});
  await cp(join(MODELS, 'iris'), join(folder, 'iris'), { recursive: true });
  await cp(join(MODELS, 'iris/1'), join(folder, 'iris/3'), { recursive: true });
  await cp(join(MODELS, 'iris/1'), join(folder, 'tulips/1'), { recursive: true });
  const host = await openLocalServer({ MODEL_REPOSITORY: folder, ADMIN_KEY: KEY });
  onTestFinished(() => host.close());
  const origin = `http://127.0.0.1:${host.port}`;
  const call = async (path: string, fields: Readonly<Record<string, unknown>>, by = 'ada') => {
    const response = await fetch(`${origin}/api/2.0/${path}`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${by}:${KEY}`).toString('base64')}` },
      body: JSON.stringify({ name: 'iris', ...fields }),
    });
    if (response.status !== 200) throw new Error(await response.text());
  };
  const change = (name: string, fields: Readonly<Record<string, unknown>>, by?: string) =>
    call(`ternion/registered-models/${name}`, fields, by);
  await change('promote', { version: '1', why: 'the first one' });
  return { origin, call, change };
}

const legendOf = (page: Page) => page.locator('.legend').innerText();

const rowsOf = (page: Page, name: string) =>
  page.getByRole('region', { name }).locator('tbody tr').allInnerTexts();

async function giveKey(page: Page, key = KEY, name = ''): Promise<void> {
  await page.getByLabel('ADMIN_KEY of the server').fill(key);
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: 'Show history' }).click();
}

describe.runIf(findChromium())('the page of releases', () => {
  let playground: Playground;
  beforeAll(async () => {
    playground = await startPlayground();
  });
  afterAll(() => playground?.close());

  it('shows what is served, and takes no changes where the server has no key', async () => {
    const host = await openLocalServer({ ADMIN_KEY: '' });
    onTestFinished(() => host.close());
    const { page, complaints, requests } = await playground.open(PATH, {
      origin: `http://127.0.0.1:${host.port}`,
    });
    await page.getByText('is live').waitFor();
    expect(await legendOf(page)).toBe('live: 2\n100 %');
    expect(await rowsOf(page, 'Versions')).toEqual(['2\t\tlive, 100 %', '1\t\t']);
    await page.getByText('This server takes no changes').waitFor();
    expect(await page.getByRole('form').count()).toBe(0);
    expect(await page.getByRole('heading', { name: 'History', exact: true }).count()).toBe(0);
    await page.getByLabel('Model').selectOption('digits');
    await expect.poll(() => page.url()).toContain('#model=digits');
    await expect.poll(() => page.title()).toBe('digits · Ternion releases');
    const { origin } = new URL(page.url());
    await expect.poll(() => requests).toContain(`${origin}/models/digits/releases`);
    expect(complaints).toEqual([]);
    expect(requests.filter((url) => !url.startsWith(origin))).toEqual([]);
  });

  it('is read-only without the key: shares, aliases, copies and rules, and nobody by name', async () => {
    const { origin, call, change } = await openReleased();
    await call('mlflow/registered-models/alias', { alias: 'canary', version: '3' });
    await change('split', { shares: { canary: 2.5, 2: 10 }, why: 'a secret reason' });
    const { page } = await playground.open(PATH, { origin });
    await page.getByText('is live').waitFor();
    expect(await legendOf(page)).toBe('live: 1\n87.5 %\n2\n10 %\ncanary: 3\n2.5 %');
    expect(await rowsOf(page, 'Versions')).toEqual([
      '3\tcanary\t2.5 %, was live before',
      '2\t\t10 %',
      '1\t\tlive, 87.5 %',
    ]);
    const widths = await page
      .locator('.shares span')
      .evaluateAll((parts) => parts.map((part) => part.getBoundingClientRect().width));
    const [live = 0, second = 0, third = 0] = widths;
    expect([second / live, third / live].map((share) => share.toFixed(2))).toEqual(['0.11', '0.03']);
    expect(await page.locator('body').innerText()).not.toMatch(/ada|secret reason/);
    expect(await page.getByRole('button', { name: 'Promote' }).count()).toBe(0);
  });

  it('has the history and makes changes with the key, which it keeps in memory alone', async () => {
    const { origin } = await openReleased();
    const { page, requests } = await playground.open(PATH, { origin });
    await giveKey(page, 'wrong');
    await page.getByText('This key is not the one of the server.').waitFor();
    expect(await page.getByRole('heading', { name: 'History', exact: true }).count()).toBe(0);
    await giveKey(page, KEY, 'Zoë');
    await expect.poll(() => rowsOf(page, 'History')).toHaveLength(1);
    await page.getByLabel('Version or alias').selectOption('2');
    await page.getByLabel('Why').fill('fewer errors');
    await page.getByRole('button', { name: 'Promote' }).click();
    await expect.poll(() => legendOf(page)).toBe('live: 2\n100 %');
    const newest = async () => (await rowsOf(page, 'History'))[0]?.split('\t').filter((_, at) => at !== 1);
    await expect.poll(newest).toEqual(['2', 'Zoë', 'promote 2', 'fewer errors', 'live 2']);
    expect(await page.getByLabel('Why').inputValue()).toBe('');
    expect(await rowsOf(page, 'Versions')).toEqual(['3\t\t', '2\t\tlive, 100 %', '1\t\twas live before']);

    await page.getByRole('radio', { name: 'Change share' }).check();
    await page.getByLabel('Version or alias').selectOption('3');
    await page.getByRole('button', { name: 'Change share' }).click();
    const percent = page.getByLabel('Share in percent');
    expect(await percent.getAttribute('aria-invalid')).toBe('true');
    await percent.fill('7,5');
    await percent.press('Enter');
    await expect.poll(() => legendOf(page)).toBe('live: 2\n92.5 %\n3\n7.5 %');

    await page.getByRole('radio', { name: 'Roll back' }).check();
    await page.getByLabel('Revision').selectOption('1: promote 1');
    await page.getByLabel('Why').fill('complaints');
    await page.getByRole('button', { name: 'Roll back' }).click();
    await expect.poll(() => legendOf(page)).toBe('live: 1\n100 %');
    await expect.poll(newest).toEqual(['4', 'Zoë', 'rollback 1', 'complaints', 'live 1']);

    expect(requests.filter((url) => url.includes('secret'))).toEqual([]);
    const kept = await page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, document.body.innerHTML]),
    );
    expect(kept).not.toContain('secret');
    await page.reload();
    await page.getByLabel('ADMIN_KEY of the server').waitFor();
  });

  it('says who was faster, and shows what that person did', async () => {
    const { origin, change } = await openReleased();
    const { page } = await playground.open(PATH, { origin });
    await giveKey(page);
    await expect.poll(() => rowsOf(page, 'History')).toHaveLength(1);
    await change('promote', { version: '2' }, 'bob');
    await page.getByLabel('Version or alias').selectOption('3');
    await page.getByRole('button', { name: 'Promote' }).click();
    const failure = page.locator('.failure', { hasText: '409 RESOURCE_CONFLICT' });
    await failure.getByText('bob was faster: revision 2 of model "iris" is "promote 2"').waitFor();
    await expect.poll(() => legendOf(page)).toBe('live: 2\n100 %');
    await page.getByRole('button', { name: 'Promote' }).click();
    await expect.poll(() => legendOf(page)).toBe('live: 3\n100 %');
    expect(await failure.count()).toBe(0);
  });

  it('takes no change while it loads another model', async () => {
    const { origin, change } = await openReleased();
    const { page } = await playground.open(PATH, { origin });
    await giveKey(page);
    await expect.poll(() => rowsOf(page, 'History')).toHaveLength(1);
    const isInert = () => page.locator('#change').evaluate((form) => form.matches('[inert]'));
    expect(await isInert()).toBe(false);
    const { promise: isAnswered, resolve: answer } = Promise.withResolvers<void>();
    await page.route('**/models/tulips/releases', async (route) => {
      await isAnswered;
      await route.continue();
    });
    await page.getByLabel('Model').selectOption('tulips');
    await expect.poll(isInert).toBe(true);
    await change('promote', { name: 'tulips', version: '1' });
    answer();
    await expect.poll(isInert).toBe(false);
    expect(await rowsOf(page, 'Versions')).toEqual(['1\t\tlive, 100 %']);
    expect((await rowsOf(page, 'History')).map((row) => row.split('\t')[3])).toEqual(['promote 1']);
  });

  it('shows stored text as text, and the history in pages', async () => {
    const { origin, change } = await openReleased();
    for (const version of ['2', '1']) await change('promote', { version, why: MARKUP }, MARKUP);
    const { page, complaints } = await playground.open(PATH, { origin });
    await giveKey(page);
    await expect.poll(() => rowsOf(page, 'History')).toHaveLength(3);
    const [newest = ''] = await rowsOf(page, 'History');
    expect(newest.split('\t').filter((text) => text === MARKUP)).toHaveLength(2);
    expect(await page.locator('main img').count()).toBe(0);
    expect(complaints).toEqual([]);
    for (let count = 0; count < 20; count += 1) await change('promote', { version: '3' });
    await page.getByRole('button', { name: 'Refresh' }).click();
    await expect.poll(() => rowsOf(page, 'History')).toHaveLength(20);
    // A change that came in the meantime moves the pages.
    await change('promote', { version: '2' });
    await page.getByRole('button', { name: 'Older changes' }).click();
    await expect.poll(() => rowsOf(page, 'History')).toHaveLength(23);
    const revisions = (await rowsOf(page, 'History')).map((row) => Number(row.split('\t')[0]));
    expect(revisions).toEqual(Array.from({ length: 23 }, (_, index) => 23 - index));
    expect(await page.getByRole('button', { name: 'Older changes' }).count()).toBe(0);
  });

  it('has the conditions of rules with the key, and what they ask for without it', async () => {
    const { origin, call } = await openReleased();
    await call('mlflow/registered-models/alias', { alias: 'canary', version: '3' });
    const { page } = await playground.open('/?page=releases', { origin });
    const rule = { target: 'canary', reads: ['header.x-user'] };
    await page.route('**/models/iris/releases', async (route) => {
      const response = await route.fetch();
      await route.fulfill({
        response,
        json: { ...Object(await response.json()), rules: [rule], key: `header:${MARKUP}` },
      });
    });
    await page.reload();
    await page.getByText('header.x-user gets canary').waitFor();
    await page.getByText(`header ${MARKUP}`).waitFor();
    await page.route('**/history?*', async (route) => {
      const response = await route.fetch();
      const { changes } = Object(await response.json());
      const rules = [{ target: 'canary', when: `{"header.x-user":"${MARKUP}"}` }];
      await route.fulfill({ response, json: { changes: [{ ...Object(changes[0]), rules }] } });
    });
    await giveKey(page);
    await page.getByText(`{"header.x-user":"${MARKUP}"} gets canary`).waitFor();
    expect(await page.locator('main img').count()).toBe(0);
  });

  it('says what is wrong with a model that is not served, and still leads back', async () => {
    const { origin } = await openReleased();
    const { page } = await playground.open('/?page=releases#model=nobody', { origin });
    await page.locator('.failure', { hasText: '404 RESOURCE_DOES_NOT_EXIST' }).waitFor();
    expect(await page.getByLabel('Model').inputValue()).toBe('nobody');
    await page.getByLabel('Model').selectOption('iris');
    await page.getByText('is live').waitFor();
    expect(await page.locator('.failure').count()).toBe(0);
  });

  it('is linked with the other pages, and keeps the key of a gateway', async () => {
    const { page, requests } = await playground.open('/?code=key#model=iris');
    await page.getByRole('link', { name: 'Releases' }).click();
    await page.getByRole('heading', { name: 'Ternion releases' }).waitFor();
    const { origin } = new URL(page.url());
    await expect.poll(() => page.url()).toMatch(/\/\?code=key&page=releases#model=\w+$/);
    await expect.poll(() => requests.filter((url) => url.endsWith('/releases?code=key'))).toHaveLength(1);
    await page.getByRole('link', { name: 'Curves' }).click();
    await expect.poll(() => page.url()).toBe(`${origin}/?code=key&page=curves`);
    await page.getByRole('link', { name: 'Releases' }).click();
    await page.getByText('is live').waitFor();
  });

  it.each(['light', 'dark'] as const)(
    'has enough contrast in %s colours, and fits a phone',
    async (colorScheme) => {
      const { origin, change } = await openReleased();
      await change('split', {
        shares: { 2: 10, 3: 20 },
        why: 'a reason that is a little longer than a line',
      });
      const { page } = await playground.open(PATH, {
        origin,
        colorScheme,
        viewport: { width: 360, height: 740 },
      });
      await giveKey(page);
      await expect.poll(() => rowsOf(page, 'History')).toHaveLength(2);
      await page.getByRole('radio', { name: 'Change share' }).check();
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
      await expectContrast(page);
      const tree = await page.locator('body').ariaSnapshot();
      expect(tree).not.toMatch(/- (button|textbox|combobox|radio|region|link|img)( \[.*\])?:?$/m);
    },
  );
});
