import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { readImageSteps } from '../../../../shared/models/formats/image-processor.ts';
import { recogniseTimm } from '../../../../shared/models/formats/timm.ts';
import { imageStepsSchema } from '../../../../shared/processing/image/steps/schema.ts';
import type { ImageStep } from '../../../../shared/processing/image/steps/step-schemas.ts';
import { createImagePipeline } from '../../../../shared/processing/image-pipeline.ts';
import { finish } from '../../../../shared/processing/work.ts';
import { PROJECT } from '../../../support/project.ts';
import { testBudget } from '../../../support/test-budget.ts';
import { folderOf } from './make-folder-view.ts';

const FOLDER = join(PROJECT, 'test/fixtures/preprocessing');

/** Made by test/fixtures/preprocessing/make_processors.py. */
const golden = z
  .object({
    madeBy: z.string(),
    images: z.array(z.string()),
    cases: z.array(
      z.object({
        name: z.string(),
        config: z.record(z.string(), z.unknown()),
        digests: z.array(z.string()),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(join(FOLDER, 'processors.json'), 'utf8')));

async function readSteps(name: string, config: object): Promise<readonly ImageStep[]> {
  if (name !== 'timm') {
    const folder = folderOf({ 'preprocessor_config.json': config });
    return imageStepsSchema.parse(await readImageSteps(folder, { channels: 3 }));
  }
  const found = await recogniseTimm(folderOf({ 'config.json': config }), undefined);
  return found?.task === 'image-classification' ? imageStepsSchema.parse(found.preprocess) : [];
}

async function digestOf(file: string, steps: readonly ImageStep[]): Promise<string> {
  const pipeline = createImagePipeline(steps);
  const content = readFileSync(join(FOLDER, 'images', file));
  const image = await pipeline.decode(content, file, testBudget());
  const { data } = finish(pipeline.run(image, { name: file, madePixels: 1e6 }));
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return createHash('sha256').update(bytes).digest('hex').slice(0, 12);
}

describe(`image processors as their files say, compared with ${golden.madeBy}`, () => {
  it.each(golden.cases)('$name gives the same bits', async ({ name, config, digests }) => {
    const steps = await readSteps(name, config);
    expect(await Promise.all(golden.images.map((file) => digestOf(file, steps)))).toEqual(digests);
  });

  it('are many', () => {
    expect([golden.cases.length, golden.images.length]).toEqual([39, 5]);
  });
});
