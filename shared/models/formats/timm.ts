import * as z from 'zod/mini';
import type { TensorSpec } from '../../runtime/session.ts';
import { DATATYPES } from '../../tensor/datatype.ts';
import { type ModelConfig, ModelError } from '../model-config.ts';
import { type FormatFolder, type GraphView, parseJsonFile } from './format-folder.ts';
import {
  centerCrop,
  type ImageStepJson,
  normalize,
  resize,
  resizeShortestEdge,
  toGrey,
  toPlanes,
  toRgb,
  toUnit,
} from './image-steps.ts';
import { checkLabelCount, findScores } from './labels.ts';

const TIMM_FILE = 'config.json';

const side = z.int().check(z.minimum(1));
const numbers = z.array(z.number()).check(z.minLength(1));

/** The members of timm's `config.json` that matter, with timm's defaults for missing ones. */
const timmSchema = z.object({
  label_names: z.nullish(z.array(z.string()).check(z.minLength(1))),
  num_classes: z.nullish(z.int().check(z.minimum(0))),
  pretrained_cfg: z.object({
    input_size: z.nullish(
      z.tuple([z.union([z.literal(1), z.literal(3)], 'must be 1 or 3 channels'), side, side]),
    ),
    interpolation: z.nullish(z.enum(['nearest', 'bilinear', 'bicubic', 'box', 'hamming', 'lanczos'])),
    crop_pct: z.nullish(z.number().check(z.positive())),
    crop_mode: z.nullish(
      z.enum(['center', 'squash'], 'must be center or squash, other modes are not supported'),
    ),
    mean: z.nullish(numbers),
    std: z.nullish(numbers),
  }),
});

type TimmConfig = z.infer<typeof timmSchema>;

/** The mean and standard deviation of ImageNet, which timm uses if the file has none. */
const MEAN = [0.485, 0.456, 0.406];
const STD = [0.229, 0.224, 0.225];

/**
 * A timm model, in the form of its hub folders or as transformers saves it (`timm_wrapper`): `config.json` has the
 * labels, and a `pretrained_cfg` with the evaluation transform. A graph that does not take images takes tensors.
 * Source: timm, data/config.py (resolve_data_config) and data/transforms_factory.py (transforms_imagenet_eval).
 *
 * @param view undefined if only the small files are available
 * @throws ModelError when the file needs something that this server does not support, or does not match the graph
 */
export async function recogniseTimm(
  folder: FormatFolder,
  view: GraphView | undefined,
): Promise<ModelConfig | undefined> {
  const text = await folder.read(TIMM_FILE);
  if (text === undefined || !looksLikeTimm(text)) return undefined;
  const config = await parseJsonFile(text, TIMM_FILE, timmSchema);
  const output = view && findVectors(view);
  if (view && !(output && takesImages(view.inputs))) return { task: 'tensor' };
  const preprocess = imageSteps(config);
  if (config.num_classes === 0) return { task: 'feature-extraction', preprocess, output: output?.name };
  const labels = config.label_names ?? undefined;
  if (labels) checkLabelCount(labels, output, TIMM_FILE);
  return {
    task: 'image-classification',
    preprocess,
    labels,
    output: output?.name,
    postprocess: output && view?.graph.probabilities.has(output.name) ? [] : [{ step: 'softmax' }],
  };
}

function looksLikeTimm(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'pretrained_cfg' in value;
  } catch {
    return false;
  }
}

function takesImages([only, ...others]: readonly TensorSpec[]): boolean {
  return only !== undefined && others.length === 0 && only.datatype === 'FP32' && only.shape.length === 4;
}

/** The output with one list of numbers for each image; transformers' wrapper also has feature maps. */
function findVectors(view: GraphView): TensorSpec | undefined {
  const vectors = view.outputs.filter(
    ({ datatype, shape }) => DATATYPES[datatype].kind === 'float' && shape.length === 2,
  );
  return vectors.length === 1 ? vectors[0] : findScores(view);
}

/** Resize, crop, scale to 0..1, normalise. */
function imageSteps({ pretrained_cfg: given }: TimmConfig): ImageStepJson[] {
  const [channels, height, width] = given.input_size ?? [3, 224, 224];
  const share = given.crop_pct ?? 0.875;
  const filter = given.interpolation ?? 'bicubic';
  const [scaledHeight, scaledWidth] = [Math.floor(height / share), Math.floor(width / share)];
  const isSquashed = given.crop_mode === 'squash';
  if (!isSquashed && scaledHeight !== scaledWidth) {
    throw new ModelError(
      `its ${TIMM_FILE} takes images of ${width} x ${height} pixels; only square centre crops are supported`,
    );
  }
  return [
    channels === 1 ? toGrey() : toRgb(),
    isSquashed ? resize(scaledWidth, scaledHeight, filter) : resizeShortestEdge(scaledHeight, filter),
    centerCrop(width, height),
    toUnit(),
    normalize(given.mean ?? MEAN, given.std ?? STD),
    toPlanes(),
  ];
}
