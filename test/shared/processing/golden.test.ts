import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import type { Raster } from '../../../shared/processing/image/raster.ts';
import { imageStepsSchema } from '../../../shared/processing/image/steps/schema.ts';
import type { ImageStep } from '../../../shared/processing/image/steps/step-schemas.ts';
import { runImageSteps } from '../../../shared/processing/image/steps/steps.ts';
import { createImagePipeline } from '../../../shared/processing/image-pipeline.ts';
import { finish } from '../../../shared/processing/work.ts';
import { PROJECT } from '../../support/project.ts';
import { testBudget } from '../../support/test-budget.ts';

const FOLDER = join(PROJECT, 'test/fixtures/preprocessing');

/** Made by test/fixtures/preprocessing/make.py. */
const golden = z
  .object({
    madeBy: z.string(),
    pipelines: z.array(z.object({ name: z.string(), steps: imageStepsSchema })),
    files: z.record(
      z.string(),
      z.pipe(
        z.string(),
        z.transform((digests) => digests.split(' ')),
      ),
    ),
  })
  .parse(JSON.parse(readFileSync(join(FOLDER, 'golden.json'), 'utf8')));

const pipelines = golden.pipelines.map(({ name, steps }) => ({
  name,
  steps,
  pipeline: createImagePipeline(steps),
}));

describe(`preprocessing, compared with ${golden.madeBy}`, () => {
  it.each(Object.entries(golden.files))('%s gives not one bit else', async (file, digests) => {
    const content = readFileSync(join(FOLDER, 'images', file));
    const expected: string[] = [];
    const planned: string[] = [];
    const stepped: string[] = [];
    for (const [index, { name, pipeline, steps }] of pipelines.entries()) {
      if (digests[index] === '-') continue;
      const image = await pipeline.decode(content, file, testBudget());
      expected.push(`${name}: ${digests[index]}`);
      planned.push(
        `${name}: ${digest(finish(pipeline.run({ ...image, data: Uint8Array.from(image.data) }, { name: file, madePixels: 1e6 })))}`,
      );
      stepped.push(`${name}: ${digest(runImageSteps(image, steps))}`);
    }
    expect(planned).toEqual(expected);
    expect(stepped).toEqual(expected);
  });

  it('covers many kinds of files and many pipelines', () => {
    expect([Object.keys(golden.files).length, pipelines.length]).toEqual([71, 65]);
    for (const digests of Object.values(golden.files)) expect(digests.length).toBe(65);
  });
});

/** Made by test/fixtures/preprocessing/make_before_13.py. */
const before13 = z
  .object({ madeBy: z.string(), file: z.string(), resized: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(FOLDER, 'before-13.json'), 'utf8')));

describe(`resize horizontally first, compared with ${before13.madeBy}`, () => {
  it.each(Object.entries(before13.resized))('to %s gives not one byte else', async (size, expected) => {
    const [width = 0, height = 0] = size.split('x').map(Number);
    const resize = { step: 'resize', width, height, filter: 'bicubic' } as const;
    const run = async (steps: readonly ImageStep[]) => {
      const pipeline = createImagePipeline(steps);
      const content = readFileSync(join(FOLDER, 'images', before13.file));
      const image = await pipeline.decode(content, before13.file, testBudget());
      return digest(finish(pipeline.run(image, { name: before13.file, madePixels: 1e6 })));
    };
    expect(await run([{ ...resize, firstPass: 'horizontal' }])).toBe(expected);
    expect(await run([resize])).not.toBe(expected);
  });
});

function digest({ data }: Raster): string {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return createHash('sha256').update(bytes).digest('hex').slice(0, 12);
}
