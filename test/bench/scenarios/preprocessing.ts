import { monitorEventLoopDelay } from 'node:perf_hooks';
import sharp, { type Sharp } from 'sharp';
import { createBudget } from '../../../shared/budget.ts';
import { parseConfig } from '../../../shared/config.ts';
import type { PixelRaster } from '../../../shared/processing/image/raster.ts';
import { imageStepsSchema } from '../../../shared/processing/image/steps/schema.ts';
import type { ImageStep } from '../../../shared/processing/image/steps/step-schemas.ts';
import { createImagePipeline, type ImagePipeline } from '../../../shared/processing/image-pipeline.ts';
import { runInTurns } from '../../../shared/processing/work.ts';
import { makeJpeg, makePhoto } from '../models/photo.ts';
import { CLASSIFIER_STEPS } from '../models/resnet50.ts';
import { type Bench, inTurn, type Scenario } from '../scenario.ts';
import { percentile } from '../statistics.ts';

const LIMITS = { name: 'the photo', madePixels: 1e9 };
const budget = () => createBudget({ ...parseConfig({}).limits, imagePixels: 1e9 });
/** Our filters and sharp's names of the kernels nearest to them. */
const KERNELS = { bilinear: 'linear', bicubic: 'cubic', lanczos: 'lanczos3' } as const;
type Filter = keyof typeof KERNELS;

export const preprocessing: Scenario = {
  name: 'preprocessing',
  title: 'Pixels',
  about:
    'Resize to 256, crop to 224 and normalise, in one process and without a graph. The limit is sharp with its own resize to ' +
    'the same size, which gives other bytes and does not normalise. With `"decode": "fast"`, the limit is the exact way. ' +
    'The last rows show how long a huge image keeps other requests waiting at most.',
  contenders: [
    { name: 'Ternion', role: 'ours' },
    { name: 'sharp', role: 'limit' },
    { name: 'exact', role: 'limit' },
  ],
  plot: 'p50',
  run: async (bench) => {
    const photo = makePhoto(1200, 900);
    const jpeg = await makeJpeg(1200, 900);
    const { width, height, data } = photo;
    const raw = { width, height, channels: 3 } as const;
    for (const filter of ['bilinear', 'bicubic', 'lanczos'] as const) {
      const pipeline = createImagePipeline(stepsOf(filter));
      await compare(bench, `pixels of 1 MP, ${filter}`, {
        Ternion: () => run(pipeline, photo),
        sharp: () => resizeWithSharp(sharp(data, { raw }), filter),
      });
      await compare(bench, `JPEG of 1 MP, ${filter}`, {
        Ternion: () => decodeAndRun(pipeline, jpeg),
        sharp: () => resizeWithSharp(sharp(jpeg), filter, false),
      });
    }
    const large = await makeJpeg(4000, 3000);
    const [fast, exact] = [
      createImagePipeline(stepsOf('bilinear', 'fast')),
      createImagePipeline(stepsOf('bilinear')),
    ];
    await compare(bench, 'JPEG of 12 MP, "decode": "fast"', {
      Ternion: () => decodeAndRun(fast, large),
      exact: () => decodeAndRun(exact, large),
    });
    for (const { title, image, steps } of hugeImages(bench)) {
      bench.record(title, 'wait', 'Ternion', await longestDelay(await image.toBuffer(), steps));
    }
  },
};

async function compare(
  bench: Bench,
  condition: string,
  actions: Readonly<Record<string, () => Promise<unknown>>>,
): Promise<void> {
  bench.progress(condition);
  const contenders = Object.entries(actions);
  for (const [, action] of contenders) await action();
  for (let round = 0; round < bench.rounds; round++) {
    const times = new Map(contenders.map(([name]): [string, number[]] => [name, []]));
    for (let index = 0; index < (bench.isQuick ? 5 : 20); index++) {
      for (const [name, action] of inTurn(contenders, index + round)) {
        const startMs = performance.now();
        await action();
        times.get(name)?.push(performance.now() - startMs);
      }
    }
    for (const [name, each] of times) bench.record(condition, 'p50', name, percentile(each, 0.5));
  }
}

function stepsOf(filter: Filter, decode: 'exact' | 'fast' = 'exact'): readonly ImageStep[] {
  const steps = CLASSIFIER_STEPS.map((step) => (step.step === 'resize' ? { ...step, filter } : step));
  return imageStepsSchema.parse([{ step: 'decode', decode }, ...steps]);
}

function run(pipeline: ImagePipeline, image: PixelRaster) {
  return runInTurns(pipeline.run(image, LIMITS), () => {});
}

async function decodeAndRun(pipeline: ImagePipeline, file: Uint8Array) {
  return await run(pipeline, await pipeline.decode(file, 'the photo', budget()));
}

/** What sharp does alone: the same size and the same crop, as bytes. */
function resizeWithSharp(image: Sharp, filter: Filter, fastShrinkOnLoad = true) {
  return image
    .resize(341, 256, { fit: 'fill', kernel: KERNELS[filter], fastShrinkOnLoad })
    .extract({ left: 58, top: 16, width: 224, height: 224 })
    .raw()
    .toBuffer();
}

/** How long the image keeps other work of the process waiting at most, in ms. */
async function longestDelay(file: Uint8Array, steps: readonly ImageStep[]): Promise<number> {
  const pipeline = createImagePipeline(steps);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await decodeAndRun(pipeline, file);
  delay.disable();
  return delay.max / 1e6;
}

function hugeImages({ isQuick }: Bench) {
  const make = (width: number, height: number) =>
    sharp({ create: { width, height, channels: 4, background: { r: 90, g: 30, b: 200, alpha: 0.5 } } });
  const upright: ImageStep = { step: 'orient' };
  const grey: ImageStep = { step: 'convert', mode: 'grey' };
  const plain = stepsOf('bilinear').filter(({ step }) => step !== 'convert' && step !== 'normalize');
  const all = [
    { title: 'PNG of 7070x7070, grey', image: make(7070, 7070).png(), steps: [grey, ...plain] },
    { title: 'PNG of 7070x7070 with alpha', image: make(7070, 7070).png(), steps: plain },
    { title: 'GIF of 7070x7070', image: make(7070, 7070).gif(), steps: plain },
    { title: 'CMYK JPEG of 7070x7070', image: make(7070, 7070).toColourspace('cmyk').jpeg(), steps: plain },
    {
      title: 'JPEG of 7070x7070, turned',
      image: make(7070, 7070).withMetadata({ orientation: 6 }).jpeg(),
      steps: [upright, ...plain],
    },
    { title: 'PNG of 65000x769', image: make(65_000, 769).png(), steps: plain },
    { title: 'PNG of 769x65000', image: make(769, 65_000).png(), steps: plain },
  ];
  return isQuick ? all.slice(0, 1) : all;
}
