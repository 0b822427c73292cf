import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium } from './chromium.ts';
import { expectContrast } from './contrast.ts';
import { type Playground, SEVEN, startPlayground } from './playground.ts';

describe.runIf(findChromium())('the playground, for all users', () => {
  let playground: Playground;
  beforeAll(async () => {
    playground = await startPlayground();
  });
  afterAll(() => playground?.close());

  it.each(['iris', 'digits', 'tensors', 'broken'])('fits %s into 360 pixels', async (model) => {
    const { page } = await playground.open(`/#model=${model}`, { viewport: { width: 360, height: 740 } });
    await page.locator('#fields > :not(.empty)').waitFor();
    if (model === 'digits') await page.getByLabel('Choose image').setInputFiles(SEVEN);
    else if (model !== 'broken') await page.getByRole('button', { name: 'Predict' }).click();
    await page.locator(model === 'broken' ? '.failure' : '.timings').waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    const sides = await page.evaluate(() =>
      [...document.querySelectorAll('main *')].map((element) => element.getBoundingClientRect().right),
    );
    expect(Math.max(...sides)).toBeLessThanOrEqual(360);
  });

  it('can be used by keyboard alone', async () => {
    const { page, complaints } = await playground.open('/#model=iris');
    await page.getByRole('button', { name: 'Predict' }).waitFor();
    await pressTabUntil(page, 'petal_width');
    await expect(hasOutline(page)).resolves.toBe(true);
    await page.keyboard.press('Control+A');
    await page.keyboard.type('2.4');
    await page.keyboard.press('Enter');
    await page.locator('.headline').waitFor();
    await pressTabUntil(page, 'curl');
    await page.keyboard.press('ArrowRight');
    await page.getByText("method: 'POST'").waitFor();
    expect(complaints).toEqual([]);
  });

  it('takes an image by keyboard alone', async () => {
    const { page } = await playground.open('/#model=digits');
    // Wait for the dialog before it opens: a dialog that opens earlier is lost.
    const chooser = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Clear' }).waitFor();
    await pressTabUntil(page, 'Choose image');
    await page.keyboard.press('Enter');
    await (await chooser).setFiles(SEVEN);
    await page.locator('.headline', { hasText: '7' }).waitFor();
  });

  it('has a name for every control, in an order that is the one on the screen', async () => {
    const { page } = await playground.open('/#model=iris');
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.locator('.headline').waitFor();
    const tree = await page.locator('body').ariaSnapshot();
    expect(tree).not.toMatch(/- (button|textbox|combobox|radio|link|img)( \[.*\])?:?$/m);
    expect(tree.match(/heading .*/g)).toEqual([
      'heading "Ternion playground" [level=1]',
      'heading "Input" [level=2]',
      'heading "Answer" [level=2]',
      'heading "The same call" [level=2]',
      'heading "Raw answer" [level=2]',
    ]);
  });

  it.each(['light', 'dark'] as const)('has enough contrast in %s colours', async (colorScheme) => {
    const { page } = await playground.open('/#model=iris', { colorScheme });
    await page.getByLabel('petal_width').fill('21');
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.locator('.failure').waitFor();
    await expectContrast(page);
    await page.getByRole('button', { name: 'Example' }).click();
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.locator('.headline').waitFor();
    await expectContrast(page);
    const [red = 0] = (await colorOf(page, 'body')).match(/\d+/g)?.map(Number) ?? [];
    expect(red > 128).toBe(colorScheme === 'light');
  });

  it('stands still for people who prefer reduced motion', async () => {
    const { page } = await playground.open('/#model=iris', { reducedMotion: 'reduce' });
    await page.route('**/predict', () => undefined);
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.locator('#answer[aria-busy="true"]').waitFor();
    const moving = await page.evaluate(
      () =>
        document.getAnimations().filter((animation) => animation.effect?.getTiming().iterations === Infinity)
          .length,
    );
    expect(moving).toBe(0);
  });
});

/** Presses the Tab key until the control of that name has the focus. */
async function pressTabUntil(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    await page.keyboard.press('Tab');
    const label = await page.locator(':focus').evaluate((element) => {
      const labels = 'labels' in element && element.labels instanceof NodeList ? [...element.labels] : [];
      return labels.map((node) => node.textContent).join() || element.textContent;
    });
    if (label?.trim() === name) return;
  }
  throw new Error(`40 presses of Tab do not reach ${name}`);
}

function hasOutline(page: Page): Promise<boolean> {
  return page.locator(':focus').evaluate((element) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return outlineStyle === 'solid' && Number.parseFloat(outlineWidth) >= 2;
  });
}

function colorOf(page: Page, selector: string): Promise<string> {
  return page.locator(selector).evaluate((element) => getComputedStyle(element).backgroundColor);
}
