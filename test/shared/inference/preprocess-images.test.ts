import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { InferenceError } from '../../../shared/errors.ts';
import { createImagePreprocessor } from '../../../shared/inference/preprocess-images.ts';
import type { Batch, Preprocessor } from '../../../shared/inference/task.ts';
import { ModelError } from '../../../shared/models/model-config.ts';
import { imageStepsSchema } from '../../../shared/processing/image/steps/schema.ts';
import type { Session } from '../../../shared/runtime/session.ts';
import { type Tensor, toNumbers } from '../../../shared/tensor/tensor.ts';
import { rejectionOf } from '../../support/error-of.ts';
import { imagesInput } from '../../support/make-inference.ts';
import { testBudget } from '../../support/test-budget.ts';

const session: Session = {
  inputs: [{ name: 'x', datatype: 'UINT8', shape: [-1, 8, 8, 1] }],
  outputs: [],
  run: () => Promise.reject(new Error('nothing is run')),
  release: () => Promise.resolve(),
};

/** An image that takes several turns of 25 ms on the fastest machine. */
const file = sharp({ create: { width: 6000, height: 6000, channels: 3, background: '#102030' } })
  .png()
  .toBuffer();
const preprocessor = await createImagePreprocessor(
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
      const bytes = await prepare(await createImagePreprocessor(open, []), [image, image]);
      expect([bytes.datatype, bytes.shape]).toEqual([datatype, [2, height, width, 3]]);
      expect(Buffer.compare(Uint8Array.from(toNumbers(bytes)), Buffer.concat([data, data]))).toBe(0);
      const scaled = await createImagePreprocessor(open, [{ step: 'rescale', scale: 1 / 100 }]);
      const values = toNumbers(await prepare(scaled, [image]));
      const exact = Math.fround((data[1] ?? 0) / 100);
      const isWhole = datatype.includes('INT');
      expect(values[1]).toBeCloseTo(isWhole ? Math.trunc(exact) : exact, 2);
    },
  );
});

describe('steps that enlarge an image', () => {
  const large = imageStepsSchema.parse([
    { step: 'convert', mode: 'grey' },
    { step: 'resize', width: 4000, height: 4000, filter: 'lanczos' },
    { step: 'resize', width: 8, height: 8 },
  ]);

  it('are tried in turns', async () => {
    let turns = 0;
    const count = setInterval(() => turns++, 1);
    await createImagePreprocessor(session, large);
    clearInterval(count);
    expect(turns).toBeGreaterThan(0);
  });

  it('are counted against the limit before they are run', async () => {
    const by = await createImagePreprocessor(session, large);
    const small = await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    const pixels = 4000 * 4000 + 8 * 8;
    const budget = testBudget({ imagePixels: pixels });
    await by.preprocess(imagesInput([small]), budget);
    expect(budget.left('imagePixels')).toBe(0);
    const asked: string[] = [];
    const less = Object.assign(testBudget({ imagePixels: 4000 * 4000 - 1 }), {
      goOn: () => asked.push('goOn'),
    });
    expect(await rejectionOf(Promise.resolve(by.preprocess(imagesInput([small]), less)))).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      message: expect.stringMatching(
        /^Field "instances\[0\]\.image" .* more than 15999999 pixels.*\(MAX_IMAGE_PIXELS\)\.$/,
      ),
    });
    // Only the decoding was spent.
    expect(asked).toEqual(['goOn']);
  });

  it('do not suit a graph whose own sides they would make huge', async () => {
    const graph = (height: number, width: number) => ({
      ...session,
      inputs: [{ name: 'x', datatype: 'UINT8', shape: [-1, height, width, 3] } as const],
    });
    const edge = imageStepsSchema.parse([{ step: 'resize', shortestEdge: 256 }]);
    await expect(createImagePreprocessor(graph(1, 1000), edge)).rejects.toThrow(
      new ModelError(
        'its preprocess steps do not suit its graph: The image in the example is 1000x1; the model would resize it to 256000x256, which is more than 16777216 pixels.',
      ),
    );
    await expect(createImagePreprocessor(graph(100_000, 100_000), [])).rejects.toThrow(
      new ModelError('its input takes images of 100000x100000 pixels, more than 67108864'),
    );
  });
});

describe('steps that were tried when the version was published', () => {
  const unfit = imageStepsSchema.parse([
    { step: 'convert', mode: 'grey' },
    { step: 'resize', width: 9, height: 8 },
  ]);
  const misfit =
    'its preprocess steps make images of shape [N,8,9,1], but its input "x" takes UINT8 [-1,8,8,1]';

  it('are not tried again before there is a need for a made-up image', async () => {
    await expect(createImagePreprocessor(session, unfit)).rejects.toThrow(new ModelError(misfit));
    const by = await createImagePreprocessor(session, unfit, true);
    await expect(by.example()).rejects.toThrow(new ModelError(misfit));
  });

  it('are still checked with each image', async () => {
    const by = await createImagePreprocessor(session, unfit, true);
    const red = await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    await expect(by.preprocess(imagesInput([red]), testBudget())).rejects.toThrow(
      'is an image of shape [8,9,1] after preprocessing; the model takes [8,8,1].',
    );
  });
});

describe('a large image', () => {
  it('is worked on in turns, and alone: the next one is decoded after the last turn', async () => {
    const input = imagesInput([await file]);
    const log: string[] = [];
    const prepareAs = async (name: string) =>
      onlyFeed(
        await preprocessor.preprocess(input, Object.assign(testBudget(), { goOn: () => log.push(name) })),
      );
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
      preprocessor.preprocess(imagesInput([await file]), Object.assign(testBudget(), { goOn })),
    );
    expect((await rejectionOf(prepared)).code).toBe('CLIENT_GONE');
    expect(asked).toBe(2);
  });
});
