import * as z from 'zod/mini';
import { ModelError } from '../model-config.ts';
import { type FormatFolder, readJsonFile } from './format-folder.ts';
import { type ImageSize, type Kind, kindOf, lacks, PROCESSOR_FILE } from './image-processor-kinds.ts';
import {
  centerCrop,
  FILTERS,
  type ImageStepJson,
  normalize,
  rescale,
  toBgr,
  toGrey,
  toPlanes,
  toRgb,
} from './image-steps.ts';

const side = z.int().check(z.minimum(1));
const sizeSchema = z.union(
  [
    side,
    z.tuple([side, side]),
    z.strictObject({ height: side, width: side }),
    z.strictObject({ shortest_edge: side }),
  ],
  'must be a number of pixels, {"height", "width"} or {"shortest_edge"}',
);
const perChannel = z.union([
  z.pipe(
    z.number(),
    z.transform((value) => [value]),
  ),
  z.array(z.number()).check(z.minLength(1)),
]);

/**
 * The members of `preprocessor_config.json` that matter. Those with defaults were not written by all versions. Fast
 * processors write null for values that their class decides.
 */
const processorSchema = z.pipe(
  z.transform(dropNulls),
  z.object({
    image_processor_type: z.optional(z.string()),
    feature_extractor_type: z.optional(z.string()),
    do_resize: z._default(z.boolean(), true),
    size: z.optional(sizeSchema),
    resample: z.optional(z.int().check(z.minimum(0), z.maximum(FILTERS.length - 1))),
    crop_pct: z.optional(z.number().check(z.positive())),
    do_center_crop: z.optional(z.boolean()),
    crop_size: z.optional(sizeSchema),
    do_rescale: z._default(z.boolean(), true),
    rescale_factor: z._default(z.number().check(z.positive()), 1 / 255),
    rescale_offset: z.optional(z.literal(false, 'is not supported')),
    do_normalize: z.optional(z.boolean()),
    image_mean: z.optional(perChannel),
    image_std: z.optional(perChannel),
    include_top: z.optional(z.boolean()),
    do_flip_channel_order: z.optional(z.boolean()),
    do_pad: z.optional(z.literal(false, 'is not supported')),
  }),
);

type Processor = z.infer<typeof processorSchema>;

/** What else is known about the model. */
export interface ImageModel {
  /** Number of colour channels that the model takes. */
  readonly channels: number;
  /** The version of transformers that saved the model; undefined if it is not known. */
  readonly version?: string | undefined;
}

/**
 * The steps of `preprocessor_config.json`, in the order in which transformers does them: resize, crop, rescale,
 * normalise. Images are always converted to the colour channels that the model takes, as transformers does for files.
 * Fast processors work on tensors, whose numbers differ in the last digits. Fast are those with `Fast` in their name
 * and, since transformers 5, all without `Pil`.
 * Source: transformers, models/<name>/image_processing_<name>.py and image_processing_utils_fast.py.
 *
 * @throws ModelError when the file is missing, or needs something that this server does not support
 */
export async function readImageSteps(folder: FormatFolder, model: ImageModel): Promise<ImageStepJson[]> {
  const processor = await readJsonFile(folder, PROCESSOR_FILE, processorSchema);
  if (!processor) throw new ModelError(`an image model needs a ${PROCESSOR_FILE} next to it`);
  const type = processor.image_processor_type ?? processor.feature_extractor_type;
  if (type === undefined) throw lacks('image_processor_type');
  const kind = kindOf(type);
  const pixelSteps = [...resizeSteps(processor, kind), ...cropSteps(processor, kind)];
  const isFast = /Fast$/.test(type) || (Number.parseInt(model.version ?? '', 10) >= 5 && !/Pil$/.test(type));
  return [
    colourStep(processor, model.channels),
    ...(isFast ? pixelSteps.map((step) => toTorch(step, kind)) : pixelSteps),
    ...(isFast ? fusedSteps(processor, kind) : valueSteps(processor, kind)),
    toPlanes(),
  ];
}

function dropNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
}

function colourStep({ do_flip_channel_order: flips = false }: Processor, channels: number): ImageStepJson {
  if (channels === 1) return toGrey();
  return flips ? toBgr() : toRgb();
}

function resizeSteps(processor: Processor, kind: Kind): readonly ImageStepJson[] {
  if (!processor.do_resize) return [];
  const { size, resample } = processor;
  if (size === undefined) throw lacks('size');
  if (resample === undefined) throw lacks('resample');
  return kind.resize(readSize(size, kind.square), processor.crop_pct, FILTERS[resample] ?? 'bilinear');
}

function cropSteps({ do_center_crop: crops, crop_size }: Processor, kind: Kind): readonly ImageStepJson[] {
  if (!(crops ?? kind.crops)) return [];
  if (crop_size === undefined) throw lacks('crop_size');
  const size = readSize(crop_size, true);
  if ('shortestEdge' in size) return [centerCrop(size.shortestEdge, size.shortestEdge, 'down')];
  return [centerCrop(size.width, size.height, 'down')];
}

function toTorch(step: ImageStepJson, { cropsAsTorchvision = false }: Kind): ImageStepJson {
  if (step.step === 'resize') return { ...step, arithmetic: 'torch' };
  return { ...step, rounding: cropsAsTorchvision ? 'even' : 'zero' };
}

function valueSteps(processor: Processor, kind: Kind): readonly ImageStepJson[] {
  const { do_rescale, rescale_factor } = processor;
  const values = readNormalization(processor, kind);
  return [
    ...(do_rescale ? [rescale(rescale_factor)] : []),
    ...(values ? [normalize(values.mean, values.std), ...secondDivision(processor, values.std)] : []),
  ];
}

/** The mean and deviation are scaled to bytes, instead of the bytes to 0..1, all in float32. */
function fusedSteps(processor: Processor, kind: Kind): readonly ImageStepJson[] {
  const { do_rescale, rescale_factor } = processor;
  const values = readNormalization(processor, kind);
  if (!values) return do_rescale ? [rescale(Math.fround(rescale_factor))] : [];
  const scale = do_rescale ? Math.fround(1 / rescale_factor) : 1;
  const scaled = (numbers: readonly number[]) =>
    numbers.map((value) => Math.fround(Math.fround(value) * scale));
  return [normalize(scaled(values.mean), scaled(values.std)), ...secondDivision(processor, values.std)];
}

/** EfficientNet divides a second time, like the models that it was converted from. */
function secondDivision(
  { include_top: again = false }: Processor,
  std: readonly number[],
): readonly ImageStepJson[] {
  const zeros = std.map(() => 0);
  return again ? [normalize(zeros, std)] : [];
}

function readNormalization({ do_normalize, image_mean: mean, image_std: std }: Processor, kind: Kind) {
  if (!(do_normalize ?? kind.normalizes)) return undefined;
  if (!mean) throw lacks('image_mean');
  if (!std) throw lacks('image_std');
  return { mean, std };
}

function readSize(size: z.infer<typeof sizeSchema>, isSquare: boolean): ImageSize {
  if (typeof size === 'number') return isSquare ? { height: size, width: size } : { shortestEdge: size };
  if (Array.isArray(size)) return { height: size[0], width: size[1] };
  return 'height' in size ? size : { shortestEdge: size.shortest_edge };
}
