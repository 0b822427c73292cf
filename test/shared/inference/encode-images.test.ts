import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { InferenceError } from '../../../shared/errors.ts';
import { createImageEncoder } from '../../../shared/inference/encode-images.ts';
import { imageStepsSchema } from '../../../shared/processing/registry.ts';
import type { Session } from '../../../shared/runtime/session.ts';
import { toNumbers } from '../../../shared/tensor/tensor.ts';
import { rejectionOf } from '../error-of.ts';
import { testBudget } from '../test-budget.ts';
import { imagesInput } from './make-inference.ts';

const session: Session = {
  inputs: [{ name: 'x', datatype: 'UINT8', shape: [-1, 8, 8, 1] }],
  outputs: [],
  run: () => Promise.reject(new Error('nothing is run')),
  release: () => Promise.resolve(),
};

/** What takes several turns of 25 ms on the fastest machine. */
const file = sharp({ create: { width: 6000, height: 6000, channels: 3, background: '#102030' } })
  .png()
  .toBuffer();
const encoder = createImageEncoder(
  session,
  imageStepsSchema.parse([
    { step: 'convert', mode: 'grey' },
    { step: 'resize', width: 8, height: 8, filter: 'lanczos' },
  ]),
);

describe('a large image', () => {
  it('is worked on in turns, and alone: the next one is decoded after the last turn', async () => {
    const input = imagesInput([await file]);
    const log: string[] = [];
    const encode = (name: string) => encoder.encode(input, { ...testBudget(), goOn: () => log.push(name) });
    const [first, second] = await Promise.all([encode('first'), encode('second')]);
    // Luma of 16, 32 and 48.
    expect([...new Set([...toNumbers(first), ...toNumbers(second)])]).toEqual([29]);
    expect(log.indexOf('second')).toBeGreaterThan(1);
    expect(log.lastIndexOf('first')).toBeLessThan(log.indexOf('second'));
  });

  it('is given up when the client has gone', async () => {
    let asked = 0;
    const goOn = () => {
      asked += 1;
      if (asked === 2) throw new InferenceError('CLIENT_GONE', 'The client has closed the connection.');
    };
    const encoded = Promise.resolve(encoder.encode(imagesInput([await file]), { ...testBudget(), goOn }));
    expect((await rejectionOf(encoded)).code).toBe('CLIENT_GONE');
    expect(asked).toBe(2);
  });
});
