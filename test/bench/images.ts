// Measures preprocessing side by side with sharp's own resize to the same size: node test/bench/images.ts
import { monitorEventLoopDelay } from 'node:perf_hooks';
import sharp, { type Sharp } from 'sharp';
import { createBudget } from '../../shared/budget.ts';
import { parseConfig } from '../../shared/config.ts';
import type { PixelRaster } from '../../shared/processing/image/raster.ts';
import type { ImageStep } from '../../shared/processing/image/steps/step-schemas.ts';
import { imageStepsSchema } from '../../shared/processing/image/steps/steps.ts';
import { createImagePipeline, type ImagePipeline } from '../../shared/processing/image-pipeline.ts';
import { runInTurns } from '../../shared/processing/work.ts';

const ROUNDS = 60;
const LIMITS = { name: 'the photo', madePixels: 1e9 };
const budget = () => createBudget({ ...parseConfig({}).limits, imagePixels: 1e9 });
/** Our filters and sharp's names of the kernels nearest to them. */
const KERNELS = { bilinear: 'linear', bicubic: 'cubic', lanczos: 'lanczos3' } as const;

/** Soft shades, an edge and noise, as photographs have them. */
function makePhoto(width: number, height: number): PixelRaster {
  const data = new Uint8Array(width * height * 3);
  let state = 1;
  for (let at = 0; at < data.length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const [x, y] = [Math.trunc(at / 3) % width, Math.trunc(at / 3 / width)];
    const shade = 110 + 80 * Math.sin(x / 90 + (y / 60) * ((at % 3) + 1)) + (x + y < width ? 0 : 30);
    data[at] = shade + (state >>> 27);
  }
  return { width, height, channels: 3, layout: 'HWC', data };
}

function classifierSteps(filter: keyof typeof KERNELS, decode: 'exact' | 'fast' = 'exact') {
  return imageStepsSchema.parse([
    { step: 'decode', decode },
    { step: 'convert', mode: 'RGB' },
    { step: 'resize', shortestEdge: 256, filter },
    { step: 'centerCrop', width: 224, height: 224 },
    { step: 'rescale', scale: 1 / 255 },
    { step: 'normalize', mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    { step: 'layout', layout: 'NCHW' },
  ]);
}

function run(pipeline: ImagePipeline, image: PixelRaster) {
  return runInTurns(pipeline.run(image, LIMITS), () => {});
}

/** What sharp does alone: the same size and the same crop, as bytes. */
function resizeWithSharp(image: Sharp, filter: keyof typeof KERNELS, fastShrinkOnLoad = true) {
  return image
    .resize(341, 256, { fit: 'fill', kernel: KERNELS[filter], fastShrinkOnLoad })
    .extract({ left: 58, top: 16, width: 224, height: 224 })
    .raw()
    .toBuffer();
}

/** Lower quartiles in ms of actions that take turns: other work on the machine slows single rounds. */
async function measure(...actions: readonly (() => unknown)[]): Promise<number[]> {
  const times = actions.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, action] of actions.entries()) {
      const startMs = performance.now();
      await action();
      times[index]?.push(performance.now() - startMs);
    }
  }
  return times.map((list) => list.sort((a, b) => a - b)[Math.floor(ROUNDS / 4)] ?? 0);
}

function report(title: string, [ours = 0, theirs = 0]: readonly number[], other: string): void {
  const ratio = (ours / theirs).toFixed(2);
  console.log(`${title}: ${ours.toFixed(2)} ms, ${ratio} x ${other} (${theirs.toFixed(2)} ms)`);
}

const photo = makePhoto(1200, 900);
const { width, height } = photo;
const raw = { raw: { width, height, channels: 3 } } as const;
const jpeg = await sharp(photo.data, raw).jpeg({ quality: 90 }).toBuffer();

for (const filter of ['bilinear', 'bicubic', 'lanczos'] as const) {
  const pipeline = createImagePipeline(classifierSteps(filter));
  const fromPixels = await measure(
    () => run(pipeline, photo),
    () => resizeWithSharp(sharp(photo.data, raw), filter),
  );
  report(`1200x900 pixels, ${filter}, resize + crop + normalise`, fromPixels, "sharp's resize of the pixels");
  const fromFile = await measure(
    async () => run(pipeline, await pipeline.decode(jpeg, 'the photo', budget())),
    () => resizeWithSharp(sharp(jpeg), filter, false),
  );
  report(`1200x900 JPEG, ${filter}, decode + all steps`, fromFile, "sharp's decode and resize");
}

const large = makePhoto(4000, 3000);
const largeJpeg = await sharp(large.data, { raw: { width: 4000, height: 3000, channels: 3 } })
  .jpeg({ quality: 90 })
  .toBuffer();
const fast = createImagePipeline(classifierSteps('bilinear', 'fast'));
const exact = createImagePipeline(classifierSteps('bilinear', 'exact'));
report(
  '4000x3000 JPEG, all steps, "decode": "fast"',
  await measure(
    async () => run(fast, await fast.decode(largeJpeg, 'the photo', budget())),
    async () => run(exact, await exact.decode(largeJpeg, 'the photo', budget())),
  ),
  'the exact way',
);

/** Prints how long the image keeps other requests waiting at most, and how long it takes. */
async function reportDelay(title: string, file: Uint8Array, steps: readonly ImageStep[]): Promise<void> {
  const pipeline = createImagePipeline(steps);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const startMs = performance.now();
  await run(pipeline, await pipeline.decode(file, title, budget()));
  const totalMs = performance.now() - startMs;
  delay.disable();
  console.log(`${title}: others wait ${(delay.max / 1e6).toFixed(0)} ms of ${totalMs.toFixed(0)} ms`);
}

const huge = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 4, background: { r: 90, g: 30, b: 200, alpha: 0.5 } } });
const upright: ImageStep = { step: 'orient' };
const grey: ImageStep = { step: 'convert', mode: 'grey' };
const plain = classifierSteps('bilinear').filter(({ step }) => step !== 'convert' && step !== 'normalize');
for (const [title, image, steps] of [
  ['7070x7070 PNG, grey', huge(7070, 7070).png(), [grey, ...plain]],
  ['7070x7070 PNG with alpha', huge(7070, 7070).png(), plain],
  ['7070x7070 GIF', huge(7070, 7070).gif(), plain],
  ['7070x7070 CMYK JPEG', huge(7070, 7070).toColourspace('cmyk').jpeg(), plain],
  ['7070x7070 JPEG, turned', huge(7070, 7070).withMetadata({ orientation: 6 }).jpeg(), [upright, ...plain]],
  ['65000x769 PNG', huge(65_000, 769).png(), plain],
  ['769x65000 PNG', huge(769, 65_000).png(), plain],
] as const) {
  await reportDelay(title, await image.toBuffer(), steps);
}
