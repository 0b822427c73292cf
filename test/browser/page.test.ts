import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { get } from '../contracts/exchanges.ts';
import { PROJECT } from '../support/project.ts';
import { findChromium } from './chromium.ts';
import { type Playground, SEVEN, startPlayground } from './playground.ts';
import { openPrefixProxy } from './prefix-proxy.ts';

describe.runIf(findChromium())('the page of the playground', () => {
  let playground: Playground;
  beforeAll(async () => {
    playground = await startPlayground();
  });
  afterAll(() => playground?.close());

  it('shows an error with its field and message, and goes to the field', async () => {
    const { page } = await playground.open('/#model=iris');
    const width = page.getByLabel('petal_width');
    for (const [value, message] of [
      ['21', 'Field "features.petal_width" is 21; expected a number from 0 to 20 cm.'],
      ['wide', 'Field "features.petal_width" is the string "wide"; expected a number.'],
      ['', 'Field "features" lacks "petal_width"; expected 4 numbers'],
    ] as const) {
      await width.fill(value);
      await page.getByRole('button', { name: 'Predict' }).click();
      await page.locator('.failure', { hasText: message }).waitFor();
      expect(await page.locator('.failure').innerText()).toMatch(/^400 INVALID_PARAMETER_VALUE/);
      await expect(width.getAttribute('aria-invalid')).resolves.toBe('true');
      await expect(page.locator(':focus').getAttribute('id')).resolves.toBe(await width.getAttribute('id'));
      await expect(page.getByRole('status').innerText()).resolves.toContain(message);
    }
    await page.getByRole('button', { name: 'Example' }).click();
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.locator('.headline', { hasText: 'setosa' }).waitFor();
    await expect(width.getAttribute('aria-invalid')).resolves.toBe('false');
  });

  it('says what is wrong with JSON, with a body that is not an image, and with no input at all', async () => {
    const { page } = await playground.open('/#model=tensors');
    await page.getByLabel('Request body, as JSON').fill('{"inputs":');
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.locator('.failure', { hasText: /not valid JSON.*line 1, column 11/ }).waitFor();
    await page.getByRole('combobox', { name: 'Model' }).selectOption('digits');
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.locator('#result', { hasText: 'Draw something or choose an image first.' }).waitFor();
    const text = { name: 'a.png', mimeType: 'image/png', buffer: Buffer.from('no image') };
    await page.getByLabel('Choose image').setInputFiles(text);
    await page.locator('.failure', { hasText: '415 UNSUPPORTED_MEDIA_TYPE' }).waitFor();
  });

  it('says why a model cannot be tried, and that a server is gone', async () => {
    const { page } = await playground.open('/#model=broken');
    await page.locator('.failure', { hasText: '503 MODEL_UNAVAILABLE' }).waitFor();
    await expect(page.getByRole('button', { name: 'Predict' }).isVisible()).resolves.toBe(false);
    await page.goto(`http://127.0.0.1:${playground.host.port}/#model=rose`);
    await page.locator('.failure', { hasText: 'There is no model "rose"' }).waitFor();
    await page.getByRole('combobox', { name: 'Model' }).selectOption('iris');
    await page.route('**/predict', (route) => route.abort('connectionrefused'));
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.locator('.failure', { hasText: 'The server cannot be reached' }).waitFor();
  });

  it('keeps model and version in the URL, to be shared', async () => {
    const { page } = await playground.open('/');
    await page.getByRole('combobox', { name: 'Model' }).selectOption('iris');
    await page.waitForURL('**/#model=iris&version=2');
    await page.getByRole('combobox', { name: 'Version' }).selectOption('1');
    await page.waitForURL('**/#model=iris&version=1');
    const shared = await playground.open('/#model=iris&version=1');
    await shared.page.getByText('Random forest of 100 trees').waitFor();
    await expect(shared.page.getByRole('combobox', { name: 'Version' }).inputValue()).resolves.toBe('1');
    await page.goBack();
    await page.getByText('Small neural network').waitFor();
    expect(await page.title()).toBe('iris · Ternion playground');
  });

  it('shows the call as code that gives the same answer', async () => {
    const { page, complaints } = await playground.open('/#model=digits');
    await page.getByLabel('Choose image').setInputFiles(SEVEN);
    await page.locator('.headline', { hasText: '7' }).waitFor();
    const code = page.getByRole('region', { name: 'code', exact: true });
    await page.getByRole('radio', { name: 'JavaScript' }).check();
    const script = (await code.innerText()).replace("'07-label-7.png'", JSON.stringify(SEVEN));
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    expect(stdout).toContain("prediction: '7'");
    await page.getByRole('combobox', { name: 'Model' }).selectOption('iris');
    await code.getByText('"sepal_length": 5.1').waitFor();
    await page.getByRole('radio', { name: 'Python' }).check();
    expect(await code.innerText()).toContain('requests.post(');
    await page.getByRole('radio', { name: 'curl' }).check();
    const curl = (await code.innerText()).replace(/^curl/, `"${process.execPath}" test/support/curl.ts`);
    const answer = await promisify(execFile)('sh', ['-c', curl], { cwd: PROJECT });
    expect(JSON.parse(answer.stdout)).toMatchObject({ prediction: 'setosa', model_version: '2' });
    expect(complaints).toEqual([]);
  });

  it('copies the code', async () => {
    const { page } = await playground.open('/#model=iris', {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    await page.getByRole('button', { name: 'Copy code' }).click();
    await page.getByRole('button', { name: 'Copy code' }).getByText('Copied').waitFor();
    const code = page.getByRole('region', { name: 'code', exact: true });
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(await code.innerText());
  });

  it.each(['/some/prefix/', '/some/prefix', '/?code=key'])('works at %s', async (path) => {
    const proxy = await openPrefixProxy('/some/prefix', playground.host.port);
    const { origin } = proxy;
    const { page, complaints, requests } = await playground.open(
      `${path}#model=iris`,
      path.startsWith('/s') ? { origin } : {},
    );
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.locator('.headline', { hasText: 'setosa' }).waitFor();
    const [, rest = ''] = path.split('?');
    expect(requests.at(-1)).toMatch(
      rest ? /\/predict\?code=key$/ : /\/some\/prefix\/models\/iris\/versions\/2\/predict$/,
    );
    expect(complaints).toEqual([]);
  });

  it('runs no script and no style but its own, and sends no request elsewhere', async () => {
    const { page, complaints } = await playground.open('/#model=iris');
    await page.getByRole('button', { name: 'Predict' }).waitFor();
    expect(complaints).toEqual([]);
    await page.evaluate(() => {
      const paragraph = document.createElement('p');
      paragraph.setAttribute('style', 'color: red');
      const image = new Image();
      image.src = 'http://127.0.0.1:9/foreign.png';
      document.body.append(paragraph, image);
      try {
        paragraph.innerHTML = '<b>markup</b>';
      } catch {
        paragraph.textContent = 'refused';
      }
    });
    await page.getByText('refused', { exact: true }).waitFor();
    const directives = ['style-src', 'img-src', 'TrustedHTML'];
    const blocked = directives.filter((name) => complaints.some((text) => text.includes(name)));
    expect(blocked).toEqual(directives);
  });

  it('links to the documents that the server has, and only those', async () => {
    const { page } = await playground.open('/#model=iris');
    await page.getByRole('button', { name: 'Predict' }).waitFor();
    const { links } = JSON.parse((await playground.host.send(get('/'))).body.toString());
    const documents = [
      ['docs', 'API docs'],
      ['openapi', 'OpenAPI'],
    ].flatMap(([name = '', text]) => (links[name] === undefined ? [] : [text]));
    const texts = () => page.getByRole('navigation').getByRole('link').allInnerTexts();
    await expect.poll(texts).toEqual(['Curves', 'Releases', ...documents]);
    // With both, whether this server has them or not.
    await page.route('**/', async (route) => {
      if (route.request().isNavigationRequest()) return await route.continue();
      await route.fulfill({ json: { version: '9', links: { docs: '/docs', openapi: '/openapi.json' } } });
    });
    await page.reload();
    await expect(page.getByRole('link', { name: 'API docs' }).getAttribute('href')).resolves.toMatch(
      /^http.*\d\/docs$/,
    );
    await expect(page.getByRole('link', { name: 'OpenAPI' }).getAttribute('href')).resolves.toMatch(
      /\d\/openapi\.json$/,
    );
  });
});
