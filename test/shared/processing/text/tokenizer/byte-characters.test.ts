import { describe, expect, it } from 'vitest';
import { byteCharacters } from '../../../../../shared/processing/text/tokenizer/byte-characters.ts';

describe('byteCharacters', () => {
  it('gives the characters of GPT-2 for spaces, controls and the bytes of other letters', () => {
    expect(byteCharacters('a b\n\u0000é中\u{1f600}\u00ad')).toBe('aĠbĊĀÃ©ä¸ŃðŁĺĢÂŃ');
  });

  it('gives a long text what it gives its parts', () => {
    const parts = Array.from({ length: 3000 }, (_, index) => String.fromCodePoint(index * 37));
    const whole = parts.map((part) => (part.isWellFormed() ? part : 'x'));
    expect(byteCharacters(whole.join(''))).toBe(whole.map(byteCharacters).join(''));
  });
});
