import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT } from '../../../support/project.ts';

const read = (path: string) => readFileSync(join(PROJECT, 'shared/playground', path), 'utf8');

/** The values of some variables: those for light screens, then those for dark ones. */
function valuesOf(css: string, name: RegExp): readonly (readonly string[])[] {
  return css
    .split('prefers-color-scheme: dark')
    .map((part) =>
      [...part.matchAll(new RegExp(`--${name.source}: (#\\w+);`, 'g'))].map(([, hex = '']) => hex),
    );
}

/** Source: WCAG 2.2, relative luminance. */
function luminance(hex: string): number {
  const long = hex.length === 4 ? hex.replaceAll(/\w/g, '$&$&') : hex;
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
    const share = Number.parseInt(long.slice(start, start + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

describe('the colours of the curves', () => {
  const surfaces = valuesOf(read('styles/base.css'), /surface/);
  const colours = valuesOf(read('curves/colours.css'), /c\d/);

  // Source: WCAG 2.2, 1.4.11.
  it.each([
    ['light', 0],
    ['dark', 1],
  ])('have a contrast of 3 to a card in %s colours', (_, index) => {
    const [surface = ''] = surfaces[index] ?? [];
    const contrasts = (colours[index] ?? []).map((colour) => {
      const [lighter = 0, darker = 0] = [luminance(colour), luminance(surface)].sort((a, b) => b - a);
      return (lighter + 0.05) / (darker + 0.05);
    });
    expect(contrasts).toHaveLength(9);
    expect(Math.min(...contrasts)).toBeGreaterThanOrEqual(3);
  });
});
