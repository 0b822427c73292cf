import type { Page } from 'playwright-core';
import { expect } from 'vitest';

/** Checks the contrast of each text on the page with its background. Source: WCAG 2.2, 1.4.3, and its relative luminance. */
export async function expectContrast(page: Page): Promise<void> {
  const faint = await page.evaluate(() => {
    // Mixed colours are written with channels from 0 to 1.
    const channels = (color: string): number[] =>
      (color.match(/[\d.]+/g) ?? []).map((value) => Number(value) * (color.startsWith('color(') ? 255 : 1));
    const luminance = (color: string): number => {
      const [red = 0, green = 0, blue = 0] = channels(color).map((value) => {
        const share = value / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const groundOf = (element: Element | null): string => {
      const color = element ? getComputedStyle(element).backgroundColor : 'rgb(255, 255, 255)';
      return channels(color)[3] === 0 ? groundOf(element?.parentElement ?? null) : color;
    };
    const texts = [
      ...document.querySelectorAll('body *:not(script, style, option, .unseen, .unseen *)'),
    ].filter(
      (element) =>
        [...element.childNodes].some((node) => node instanceof Text && node.data.trim() !== '') &&
        element.checkVisibility(),
    );
    if (texts.length < 20) throw new Error(`only ${texts.length} texts`);
    return texts.flatMap((element) => {
      const [light = 0, dark = 0] = [getComputedStyle(element).color, groundOf(element)]
        .map(luminance)
        .sort((a, b) => b - a);
      const contrast = (light + 0.05) / (dark + 0.05);
      return contrast < 4.5 ? [`${element.textContent}: ${contrast.toFixed(2)}`] : [];
    });
  });
  expect(faint).toEqual([]);
}
