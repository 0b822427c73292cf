import * as z from 'zod';
import { ModelError } from '../model-config.ts';
import { type FormatFolder, readJsonFile } from './format-folder.ts';
import {
  centerCrop,
  FILTERS,
  type FilterName,
  type ImageStepJson,
  normalize,
  rescale,
  resize,
  resizeShortestEdge,
  toBgr,
  toGrey,
  toPlanes,
  toRgb,
} from './image-steps.ts';

export const PROCESSOR_FILE = 'preprocessor_config.json';

const side = z.number().int().min(1);
const sizeSchema = z.union(
  [
    side,
    z.tuple([side, side]),
    z.strictObject({ height: side, width: side }),
    z.strictObject({ shortest_edge: side }),
  ],
  'must be a number of pixels, {"height", "width"} or {"shortest_edge"}',
);
const perChannel = z.union([z.number().transform((value) => [value]), z.array(z.number()).min(1)]);

/** What matters of `preprocessor_config.json`; members with defaults were not written by all versions. */
const processorSchema = z.object({
  image_processor_type: z.string().optional(),
  feature_extractor_type: z.string().optional(),
  do_resize: z.boolean().default(true),
  size: sizeSchema.optional(),
  resample: z
    .number()
    .int()
    .min(0)
    .max(FILTERS.length - 1)
    .optional(),
  crop_pct: z.number().positive().nullish(),
  do_center_crop: z.boolean().optional(),
  crop_size: sizeSchema.optional(),
  do_rescale: z.boolean().default(true),
  rescale_factor: z
    .number()
    .positive()
    .default(1 / 255),
  rescale_offset: z.literal(false, 'cannot be done here').optional(),
  do_normalize: z.boolean().optional(),
  image_mean: perChannel.nullish(),
  image_std: perChannel.nullish(),
  include_top: z.boolean().optional(),
  do_flip_channel_order: z.boolean().optional(),
  do_pad: z.literal(false, 'cannot be done here').nullish(),
});

type Processor = z.infer<typeof processorSchema>;
type Size = { readonly height: number; readonly width: number } | { readonly shortestEdge: number };

/** How the image processors of transformers differ where their files look the same. */
interface Kind {
  /** Whether a size of one number is a square, or the shorter side. */
  readonly square: boolean;
  /** What is done where the file does not say. */
  readonly crops: boolean;
  readonly normalizes: boolean;
  readonly resize: (size: Size, processor: Processor, filter: FilterName) => readonly ImageStepJson[];
}

const square: Kind = { square: true, crops: false, normalizes: true, resize: resizePlainly };
const shorter: Kind = { square: false, crops: true, normalizes: true, resize: resizePlainly };

/** By the class names of transformers 4.57, without their ends. */
const KINDS: Readonly<Record<string, Kind>> = {
  ViT: square,
  Siglip: square,
  Pvt: square,
  Segformer: square,
  EfficientNet: square,
  DeiT: { ...square, crops: true },
  Beit: { ...square, crops: true },
  CLIP: shorter,
  ChineseCLIP: shorter,
  Bit: shorter,
  MobileNetV1: shorter,
  MobileNetV2: shorter,
  MobileViT: { ...shorter, normalizes: false },
  ConvNext: { ...shorter, crops: false, resize: resizeForConvNext },
  Levit: { ...shorter, resize: resizeForLevit },
  PoolFormer: { ...shorter, resize: resizeForPoolFormer },
};

/**
 * The steps of `preprocessor_config.json`, in the order in which transformers does them: resize, crop, rescale,
 * normalise. Images are always brought to the colours the model takes, as transformers does for files.
 * Source: transformers, models/<name>/image_processing_<name>.py.
 *
 * @param channels number of colours the model takes
 * @throws ModelError when the file is missing, or says what this server does not do
 */
export async function readImageSteps(folder: FormatFolder, channels: number): Promise<ImageStepJson[]> {
  const processor = await readJsonFile(folder, PROCESSOR_FILE, processorSchema);
  if (!processor) throw new ModelError(`a model of images needs a ${PROCESSOR_FILE} beside it`);
  const kind = kindOf(processor);
  return [
    colourStep(processor, channels),
    ...resizeSteps(processor, kind),
    ...cropSteps(processor, kind),
    ...(processor.do_rescale ? [rescale(processor.rescale_factor)] : []),
    ...normalizeSteps(processor, kind),
    toPlanes(),
  ];
}

function kindOf({ image_processor_type, feature_extractor_type }: Processor): Kind {
  const type = image_processor_type ?? feature_extractor_type;
  if (type === undefined) throw lacks('image_processor_type');
  const name = type.replace(/(?:ImageProcessor|FeatureExtractor)(?:Fast|Pil)?$/, '');
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  if (kind) return kind;
  throw new ModelError(
    `its ${PROCESSOR_FILE} is of the type ${JSON.stringify(type.slice(0, 60))}; known are ${Object.keys(KINDS).join(', ')}`,
  );
}

function colourStep({ do_flip_channel_order: flips }: Processor, channels: number): ImageStepJson {
  if (channels === 1) return toGrey();
  return flips ? toBgr() : toRgb();
}

function resizeSteps(processor: Processor, kind: Kind): readonly ImageStepJson[] {
  if (!processor.do_resize) return [];
  const { size, resample } = processor;
  if (size === undefined) throw lacks('size');
  if (resample === undefined) throw lacks('resample');
  return kind.resize(readSize(size, kind.square), processor, FILTERS[resample] ?? 'bilinear');
}

function resizePlainly(size: Size, _: Processor, filter: FilterName): readonly ImageStepJson[] {
  return 'shortestEdge' in size
    ? [resizeShortestEdge(size.shortestEdge, filter)]
    : [resize(size.width, size.height, filter)];
}

/** Small pictures are cut out of the middle of larger ones, others squeezed into a square. */
function resizeForConvNext(size: Size, { crop_pct }: Processor, filter: FilterName): ImageStepJson[] {
  if (!('shortestEdge' in size)) throw lacks('size.shortest_edge');
  const edge = size.shortestEdge;
  if (edge >= 384) return [resize(edge, edge, filter)];
  return [
    resizeShortestEdge(Math.trunc(edge / (crop_pct ?? 224 / 256)), filter),
    centerCrop(edge, edge, 'down'),
  ];
}

function resizeForLevit(size: Size, processor: Processor, filter: FilterName): readonly ImageStepJson[] {
  if (!('shortestEdge' in size)) return resizePlainly(size, processor, filter);
  return [resizeShortestEdge(Math.trunc((256 / 224) * size.shortestEdge), filter)];
}

function resizeForPoolFormer(size: Size, processor: Processor, filter: FilterName): readonly ImageStepJson[] {
  const share = processor.crop_pct;
  if (!share) return resizePlainly(size, processor, filter);
  if ('shortestEdge' in size) return [resizeShortestEdge(Math.trunc(size.shortestEdge / share), filter)];
  const [width, height] = [Math.trunc(size.width / share), Math.trunc(size.height / share)];
  return size.width === size.height ? [resizeShortestEdge(width, filter)] : [resize(width, height, filter)];
}

function cropSteps({ do_center_crop: crops, crop_size }: Processor, kind: Kind): readonly ImageStepJson[] {
  if (!(crops ?? kind.crops)) return [];
  if (crop_size === undefined) throw lacks('crop_size');
  const size = readSize(crop_size, true);
  if ('shortestEdge' in size) return [centerCrop(size.shortestEdge, size.shortestEdge, 'down')];
  return [centerCrop(size.width, size.height, 'down')];
}

function normalizeSteps(processor: Processor, kind: Kind): readonly ImageStepJson[] {
  if (!(processor.do_normalize ?? kind.normalizes)) return [];
  const { image_mean: mean, image_std: std } = processor;
  if (!mean) throw lacks('image_mean');
  if (!std) throw lacks('image_std');
  // EfficientNet divides a second time, as the models it was made from do.
  const again = processor.include_top
    ? [
        normalize(
          std.map(() => 0),
          std,
        ),
      ]
    : [];
  return [normalize(mean, std), ...again];
}

function readSize(size: z.infer<typeof sizeSchema>, isSquare: boolean): Size {
  if (typeof size === 'number') return isSquare ? { height: size, width: size } : { shortestEdge: size };
  if (Array.isArray(size)) return { height: size[0], width: size[1] };
  return 'height' in size ? size : { shortestEdge: size.shortest_edge };
}

function lacks(member: string): ModelError {
  return new ModelError(`its ${PROCESSOR_FILE} lacks "${member}"`);
}
