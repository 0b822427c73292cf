import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64 } from '../../../shared/http/base64.ts';
import { errorOf } from '../../support/error-of.ts';

const bytes = fc.uint8Array({ minLength: 1, maxLength: 200 });

function decode(text: string): number[] {
  return [...decodeBase64(text, 'image')];
}

const EMPTY = 'is empty; expected base64 data.';
const PADDED_WITHIN = 'is not base64: "=" in the middle.';
const unexpected = (character: string, position: number) =>
  `is not base64: unexpected "${character}" at position ${position}.`;

describe('decodeBase64', () => {
  it.each<[string, (base64: string) => string]>([
    ['the standard alphabet', (base64) => base64],
    ['no padding', (base64) => base64.replace(/=+$/, '')],
    ['the URL-safe alphabet', (base64) => base64.replaceAll('+', '-').replaceAll('/', '_')],
    ['lines of 76 characters', (base64) => base64.replace(/.{76}/g, '$&\r\n')],
    ['spaces around', (base64) => `\n  ${base64}\t`],
    ['a data URI', (base64) => `data:image/png;base64,${base64}`],
    ['a data URI with more parameters', (base64) => `DATA:image/svg+xml;charset=utf-8;Base64,${base64}`],
    ['a data URI without a type', (base64) => `data:;base64,${base64}`],
  ])('reads %s', (_, write) => {
    fc.assert(
      fc.property(bytes, (content) => {
        const base64 = Buffer.from(content).toString('base64');
        expect(decode(write(base64))).toEqual([...content]);
      }),
    );
  });

  it.each([
    ['', EMPTY],
    ['  \n', EMPTY],
    ['data:image/png;base64,', EMPTY],
    ['====', EMPTY],
    ['QUJD!', unexpected('!', 4)],
    ['QU\u00e4D', unexpected('ä', 2)],
    ['data:image/png;base64,QU,JD', unexpected(',', 24)],
    ['data:image/png;base64', unexpected(':', 4)],
    ['data:image/svg+xml,<svg/>', 'is a data URI without base64; expected "data:<type>;base64,<data>".'],
    ['https://example.com/cat.png', unexpected(':', 5)],
    ['QQ==QQ==', PADDED_WITHIN],
    // Two texts, a line each: the decoder would stop after the first.
    ['QQ==\nQQ==', PADDED_WITHIN],
  ])('refuses %j', (text, problem) => {
    expect(errorOf(() => decodeBase64(text, 'instances[1].image'))).toMatchObject({
      code: 'INVALID_PARAMETER_VALUE',
      field: 'Field "instances[1].image"',
      problem,
    });
  });

  it('takes a million line breaks', () => {
    expect(decode(`QQ==${'\n'.repeat(1_000_000)}`)).toEqual([0x41]);
  });
});
