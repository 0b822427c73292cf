import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium } from './chromium.ts';
import {
  countInk,
  draw,
  type Playground,
  SEVEN,
  SEVEN_BASE64,
  SEVEN_STROKE,
  startPlayground,
} from './playground.ts';

describe.runIf(findChromium())('the playground', () => {
  let playground: Playground;
  beforeAll(async () => {
    playground = await startPlayground();
  });
  afterAll(() => playground?.close());

  it('fills a form with the example, and shows probabilities, times and the raw answer', async () => {
    const { page, complaints, requests } = await playground.open('/#model=iris');
    await expect(page.getByLabel('sepal_length').inputValue()).resolves.toBe('5.1');
    await expect(page.getByRole('combobox', { name: 'Version' }).inputValue()).resolves.toBe('2');
    await page.getByLabel('petal_length').fill('6.0');
    await page.getByLabel('petal_width').fill('2.5');
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.locator('.headline', { hasText: 'virginica' }).waitFor();
    const bars = await page.locator('.bars li').allInnerTexts();
    expect(bars.map((text) => text.split('\n')[0])).toEqual(['virginica', 'versicolor', 'setosa']);
    expect(bars.every((text) => /\d %/.test(text))).toBe(true);
    const times = await page.locator('.timings dl').innerText();
    expect(times).toMatch(
      /Load\s+[\d.]+ ms\s+Run\s+[\d.]+ ms\s+Server total\s+[\d.]+ ms\s+Round trip\s+[\d.]+ ms/,
    );
    const raw = JSON.parse(await page.getByRole('region', { name: 'raw answer', exact: true }).innerText());
    expect(raw).toMatchObject({ prediction: 'virginica', model: 'iris', model_version: '2' });
    await expect(page.getByRole('status').innerText()).resolves.toMatch(/^Prediction: virginica, .*%$/);
    expect(complaints).toEqual([]);
    const { origin } = new URL(page.url());
    expect(requests.filter((url) => !url.startsWith(origin))).toEqual([]);
  });

  it('reads a digit that is drawn, and forgets it when it is cleared', async () => {
    const { page, complaints } = await playground.open('/#model=digits');
    await draw(page, SEVEN_STROKE);
    await page.locator('.headline', { hasText: '7' }).waitFor();
    expect(await countInk(page)).toBeGreaterThan(1000);
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByText('The prediction appears here.').waitFor();
    expect(await countInk(page)).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('reads a small digit in a corner', async () => {
    const { page } = await playground.open('/#model=digits');
    await draw(
      page,
      SEVEN_STROKE.map(([x, y]) => [0.6 + x * 0.35, 0.6 + y * 0.35] as const),
    );
    await page.locator('.headline', { hasText: '7' }).waitFor();
  });

  it('reads a digit that a finger draws', async () => {
    const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
    const { page } = await playground.open('/#model=digits', phone);
    const box = await page.getByRole('img', { name: 'Paper to draw on' }).boundingBox();
    if (!box) throw new Error('there is no paper');
    const finger = await page.context().newCDPSession(page);
    const touch = (type: 'touchStart' | 'touchMove', [x, y]: readonly [number, number]) =>
      finger.send('Input.dispatchTouchEvent', {
        type,
        touchPoints: [{ x: box.x + x * box.width, y: box.y + y * box.height }],
      });
    await touch('touchStart', [0.5, 0.15]);
    for (let y = 0.2; y < 0.9; y += 0.05) await touch('touchMove', [0.5, y]);
    await finger.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    await page.locator('.headline', { hasText: '1' }).waitFor();
  });

  it('gives up a request when a new stroke makes it stale', async () => {
    const { page } = await playground.open('/#model=digits');
    let sent = 0;
    await page.route('**/predict', async (route) => {
      sent += 1;
      // The first is never answered: it must be given up, not waited for.
      if (sent > 1) await route.continue();
    });
    const givenUp = page.waitForEvent('requestfailed');
    await draw(page, [SEVEN_STROKE[0] ?? [0, 0], [0.5, 0.16]]);
    await page.waitForRequest('**/predict');
    await draw(page, SEVEN_STROKE);
    expect((await givenUp).failure()?.errorText).toBe('net::ERR_ABORTED');
    await page.locator('.headline', { hasText: '7' }).waitFor();
    expect(sent).toBe(2);
  });

  it('reads a file that is chosen', async () => {
    const { page, complaints } = await playground.open('/#model=digits');
    await page.getByLabel('Choose image').setInputFiles(SEVEN);
    await page.locator('.headline', { hasText: '7' }).waitFor();
    await page.getByRole('img', { name: 'The image 07-label-7.png' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it.each(['paste', 'drop'])('reads an image after a %s', async (type) => {
    const { page, complaints } = await playground.open('/#model=digits');
    await page.getByRole('button', { name: 'Clear' }).waitFor();
    await page.evaluate(
      ([event, base64 = '']) => {
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        const data = new DataTransfer();
        data.items.add(new File([bytes], 'given.png', { type: 'image/png' }));
        const given =
          event === 'paste'
            ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true })
            : new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
        document.body.dispatchEvent(given);
      },
      [type, SEVEN_BASE64],
    );
    await page.locator('.headline', { hasText: '7' }).waitFor();
    await page.getByText(/^given\.png, \d+ bytes$/).waitFor();
    expect(complaints).toEqual([]);
  });

  it("shows a model's own example image", async () => {
    const { page } = await playground.open('/#model=digits');
    await page.getByRole('button', { name: 'Example' }).click();
    await page.locator('.headline', { hasText: '0' }).waitFor();
  });

  it('edits the JSON of a tensor model, and shows its outputs', async () => {
    const { page, complaints } = await playground.open('/#model=tensors');
    const editor = page.getByLabel('Request body, as JSON');
    expect(await editor.inputValue()).toBe('{"inputs": {"x": [[0, 0, 0]]}}');
    await editor.fill('{"inputs": {"x": [[1, 2, 3], [4, 5, 6.5]]}}');
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.locator('.tensors').waitFor();
    await expect(page.locator('.tensors').innerText()).resolves.toMatch(
      /^y\s+2 × 3\s+\[\[1, 2, 3\], \[4, 5, 6\.5\]\]$/,
    );
    expect(complaints).toEqual([]);
  });

  it('shows the outputs for a row of a table by their names', async () => {
    const { page, complaints } = await playground.open('/#model=outliers');
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.locator('.tensors').waitFor();
    await expect(page.locator('.tensors').innerText()).resolves.toMatch(
      /^label\s+-1\s+scores\s+-0\.14235175$/,
    );
    expect(complaints).toEqual([]);
  });

  it('shows how a request is made for a model without an example, and offers none', async () => {
    const { page, complaints } = await playground.open('/#model=wide');
    const editor = page.getByLabel('Request body, as JSON');
    expect(await editor.inputValue()).toBe('');
    expect(await editor.getAttribute('placeholder')).toBe('{"inputs": {"x": "…"}}');
    expect(await page.getByRole('button', { name: 'Example' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.locator('.empty', { hasText: 'Write a JSON body first.' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('shows the value of a regression, and hints at unit and range', async () => {
    const { page, complaints } = await playground.open('/#model=square');
    await page.getByText('Living space · 10 to 1000 m²').waitFor();
    await page.getByLabel('size').fill('99.5');
    await page.getByLabel('size').press('Enter');
    await page.locator('.headline', { hasText: '99.5' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('takes a text, and shows its labels', async () => {
    const { page, complaints } = await playground.open('/#model=mood');
    await page.getByLabel('Text', { exact: true }).fill('a fine day');
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.locator('.headline').waitFor();
    expect(await page.locator('.bars li').count()).toBeGreaterThanOrEqual(2);
    const call = await page.getByRole('region', { name: 'code', exact: true }).innerText();
    expect(call).toContain('"text": "a fine day"');
    expect(complaints).toEqual([]);
  });

  it('takes a second text for a pair', async () => {
    const { page, complaints } = await playground.open('/#model=mood');
    await page.getByLabel('Text', { exact: true }).fill('a fine day');
    await page.getByText('Pair with a second text').click();
    await page.getByLabel('Second text').fill('it rains');
    const asked = page.waitForRequest(/predict$/);
    await page.getByRole('button', { name: 'Predict' }).click();
    expect((await asked).postDataJSON()).toEqual({ text: 'a fine day', text_pair: 'it rains' });
    await page.locator('.headline').waitFor();
    expect(complaints).toEqual([]);
  });

  it('shows the vector of a text', async () => {
    const { page } = await playground.open('/#model=vectors');
    await page.getByLabel('Text', { exact: true }).fill('a fine day');
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.getByRole('region', { name: 'embedding' }).waitFor();
  });

  it('takes numbers and texts for the columns of one model', async () => {
    const { page, complaints } = await playground.open('/#model=columns');
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.locator('.headline').waitFor();
    expect(complaints).toEqual([]);
  });
});
