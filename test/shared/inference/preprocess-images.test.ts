import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { InferenceError } from '../../../shared/errors.ts';
import { createImagePreprocessor } from '../../../shared/inference/preprocess-images.ts';
import type { Batch, Preprocessor } from '../../../shared/inference/task.ts';
import { imageStepsSchema } from '../../../shared/processing/image/steps/steps.ts';
import type { Session } from '../../../shared/runtime/session.ts';
import { type Tensor, toNumbers } from '../../../shared/tensor/tensor.ts';
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
const preprocessor = createImagePreprocessor(
  session,
  imageStepsSchema.parse([
    { step: 'convert', mode: 'grey' },
    { step: 'resize', width: 8, height: 8, filter: 'lanczos' },
  ]),
);

function onlyFeed({ feeds }: Batch): Tensor {
  const [only] = feeds.values();
  if (!only) throw new Error('there are no feeds');
  return only;
}

async function prepare(by: Preprocessor, images: readonly Uint8Array[]): Promise<Tensor> {
  return onlyFeed(await by.preprocess(imagesInput(images), testBudget()));
}

describe('values that no step has given a datatype', () => {
  it.each(['UINT8', 'INT32', 'INT64', 'FP16', 'FP32', 'FP64'] as const)(
    'become %s for a graph of it',
    async (datatype) => {
      const [width, height] = [400, 300];
      const open = { ...session, inputs: [{ name: 'x', datatype, shape: [-1, -1, -1, 3] }] };
      const data = Uint8Array.from({ length: width * height * 3 }, (_, index) => (index * 7919) % 251);
      const image = await sharp(data, { raw: { width, height, channels: 3 } })
        .png()
        .toBuffer();
      const bytes = await prepare(createImagePreprocessor(open, []), [image, image]);
      expect([bytes.datatype, bytes.shape]).toEqual([datatype, [2, height, width, 3]]);
      expect(Buffer.compare(Uint8Array.from(toNumbers(bytes)), Buffer.concat([data, data]))).toBe(0);
      const scaled = createImagePreprocessor(open, [{ step: 'rescale', scale: 1 / 100 }]);
      const values = toNumbers(await prepare(scaled, [image]));
      const exact = Math.fround((data[1] ?? 0) / 100);
      const isWhole = datatype.includes('INT');
      expect(values[1]).toBeCloseTo(isWhole ? Math.trunc(exact) : exact, 2);
    },
  );
});

describe('a large image', () => {
  it('is worked on in turns, and alone: the next one is decoded after the last turn', async () => {
    const input = imagesInput([await file]);
    const log: string[] = [];
    const prepareAs = async (name: string) =>
      onlyFeed(await preprocessor.preprocess(input, { ...testBudget(), goOn: () => log.push(name) }));
    const [first, second] = await Promise.all([prepareAs('first'), prepareAs('second')]);
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
    const prepared = Promise.resolve(
      preprocessor.preprocess(imagesInput([await file]), { ...testBudget(), goOn }),
    );
    expect((await rejectionOf(prepared)).code).toBe('CLIENT_GONE');
    expect(asked).toBe(2);
  });
});
